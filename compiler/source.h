/* source: the texts of one compilation, places in them, names, and the one printer of diagnostics.
 * A place is a pair of byte offsets; line, column and caret are found only when a message is
 * printed. */
#ifndef GRADC_SOURCE_H
#define GRADC_SOURCE_H
#include "arena.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct Span {
    uint32_t file, start, end; /* bytes start..end-1 of file number `file` (0 = nowhere) */
} Span;

typedef struct Source {
    const char *path; /* as the user wrote it, or as found through `use` */
    const char *text; /* ends in 0 */
    uint32_t length;
    VEC(uint32_t) lines; /* offset of the start of each line */
} Source;

typedef uint32_t Symbol; /* an interned name; 0 is none. Numbered in order of first appearance, so
                            nothing depends on addresses. */

typedef enum Severity { NOTE, WARNING, ERROR } Severity;
typedef struct Message {
    Severity severity;
    Span at; /* file 0: no place */
    const char *text;
    const char *code; /* name of the warning for -Wname, -Wno-name; NULL for errors and notes */
} Message;

typedef enum Colour { COLOUR_NEVER, COLOUR_ALWAYS } Colour;

/* Everything that one compilation shares. */
typedef struct Context {
    Arena *arena;
    VEC(Source) sources;   /* entry 0 is unused */
    VEC(Message) messages; /* each ERROR or WARNING is followed by its NOTEs */
    VEC(const char *) names;
    uint32_t *name_slots; /* hash table of `names` */
    uint32_t name_room;
    int errors;   /* number of ERRORs so far */
    bool dropped; /* the message given last was not kept, nor will its notes be */
    bool warnings_are_errors;
    VEC(const char *) silenced; /* codes of -Wno-... */
    VEC(const char *)
    include; /* folders of -I, searched by `use` after the folder of the file itself */
} Context;

Context *context_new(void);
void context_free(Context *cx);

/* Reads a file ("-" is standard input) or takes a text; returns its number, or 0 with *why set when
 * it cannot be read. */
uint32_t source_read(Context *cx, const char *path, const char **why);
uint32_t source_add(Context *cx, const char *path, const char *text, size_t length);
void source_place(const Context *cx, Span at, int *line,
                  int *column); /* from 1; columns count code points */
const char *source_slice(Context *cx,
                         Span at); /* the text there, first line only, " ..." if there is more */
Span span_join(Span a, Span b);

Symbol symbol(Context *cx, const char *text, size_t length);
Symbol symbol_of(Context *cx, const char *text);
const char *symbol_text(const Context *cx, Symbol s);

/* A user's mistake is collected, not printed. The same text at the same place is kept once.
 * note_at adds to the message given last; it is dropped where that message was dropped. */
void error_at(Context *cx, Span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void warning_at(Context *cx, const char *code, Span at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void note_at(Context *cx, Span at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Prints all messages, at most 20 errors and then how many more; or as JSON, one array of objects.
 */
void messages_print(const Context *cx, FILE *out, Colour colour);
void messages_print_json(const Context *cx, FILE *out);

/* The nearest of `known` to a misspelt `name`, or NULL when none is close (similarity as difflib's
 * ratio, at least 0.6). */
const char *closest(Context *cx, const char *name, const char *const *known, int n);
#endif
