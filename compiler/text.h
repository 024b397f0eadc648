/* text: a growable string in the arena, for everything that is printed before it is written: C,
 * graphs, drawings. */
#ifndef GRADC_TEXT_H
#define GRADC_TEXT_H
#include "arena.h"

typedef struct Text {
    Arena *arena;
    char *at; /* n bytes and a final 0; NULL while empty */
    size_t n, room;
} Text;

Text text_new(Arena *arena);
void text_add(Text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_raw(Text *t, const char *bytes);
void text_bytes(Text *t, const char *bytes, size_t n);
void text_char(Text *t, char c);
void text_indent(Text *t, int levels); /* four spaces each */
void text_real(
    Text *t,
    double value); /* the shortest decimals that read back as this double: 1, 0.1, 1e+300, inf */
void text_float(Text *t, float value);    /* the same for a float */
void text_quoted(Text *t, const char *s); /* as a JSON string, quotes included */
const char *text_string(const Text *t);

/* The line broken where it is longer than `width`: where it is nested least; further lines open
 * with `indent` spaces. */
void text_wrap(Text *t, const char *line, int width, int indent);
#endif
