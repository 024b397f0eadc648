/* output: files that appear whole or not at all, and whose time changes only when their bytes do.
 */
#ifndef GRADC_OUTPUT_H
#define GRADC_OUTPUT_H
#include "arena.h"
#include <stdbool.h>

typedef struct Output {
    const char *path;
    const char *bytes;
    size_t n;
    bool always; /* written even when nothing changed, for its time: dependency files */
} Output;

/* Writes them all, or none when one cannot be written: then returns what is wrong, else NULL. */
const char *output_write(Arena *arena, int n, const Output *files);
const char *output_print(Arena *arena, const char *bytes,
                         size_t n); /* to standard output; the same */

/* Runs a program with `bytes` as its standard input; returns its standard output. NULL with *why
 * set when that fails. */
const char *output_filter(Arena *arena, const char *const *command, const char *bytes, size_t n,
                          size_t *length, const char **why);
#endif
