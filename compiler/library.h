/* library: the functions that come with gradc, written in its own language. Their files stand in
 * compiler/library and are part of the program, so that it needs no folder of data. `use` finds
 * them by names that begin with LIBRARY_PREFIX, which no other file can take. */
#ifndef GRADC_LIBRARY_H
#define GRADC_LIBRARY_H
#include "source.h"

#define LIBRARY_PREFIX "gradc/"

typedef struct LibraryFunction {
    const char *name;
    const char *head;    /* name(arguments) -> result, on one line */
    const char *summary; /* its first sentence */
    int first, last;     /* its lines in the file, from 0, its comment included */
} LibraryFunction;

typedef struct LibraryFile {
    const char *name; /* LIBRARY_PREFIX "losses.grad" */
    const char *title;
    const char *const *lines; /* without '\n'; NULL ends them */
    const LibraryFunction *functions;
    int nfunctions;
} LibraryFile;

/* Made by librarian; in the order of the page docs/library.md. */
extern const LibraryFile library_files[];
extern const int library_file_count;

/* Is this a name that only the library can have? */
bool library_name(const char *name);

/* The file of that name, or NULL. */
const LibraryFile *library_find(const char *name);

/* The file that has this function, or NULL. */
const LibraryFile *library_with(const char *function);

/* Takes the file as a source; its number. */
uint32_t library_read(Context *cx, const LibraryFile *file);

/* All names that library_find knows, for guesses. */
const char *const *library_names(Context *cx);

/* Prints what there is: all heads, or, for a name, that file or function. False: there is none of
 * that name. */
bool library_print(const char *name, FILE *out);
#endif
