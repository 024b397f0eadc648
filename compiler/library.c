/* library: a table of texts in; sources of the compiler and listings for people out. */
#include "library.h"
#include <string.h>

bool library_name(const char *name) {
    return !strncmp(name, LIBRARY_PREFIX, strlen(LIBRARY_PREFIX));
}

const LibraryFile *library_find(const char *name) {
    for (int k = 0; k < library_file_count; k++)
        if (!strcmp(library_files[k].name, name)) return &library_files[k];
    return NULL;
}

static const LibraryFunction *function_of(const LibraryFile *file, const char *name) {
    for (int k = 0; k < file->nfunctions; k++)
        if (!strcmp(file->functions[k].name, name)) return &file->functions[k];
    return NULL;
}

const LibraryFile *library_with(const char *function) {
    for (int k = 0; k < library_file_count; k++)
        if (function_of(&library_files[k], function)) return &library_files[k];
    return NULL;
}

uint32_t library_read(Context *cx, const LibraryFile *file) {
    size_t length = 0, at = 0;
    for (int k = 0; file->lines[k]; k++) length += strlen(file->lines[k]) + 1;
    char *text = arena_alloc(cx->arena, length + 1);
    for (int k = 0; file->lines[k]; k++) {
        size_t n = strlen(file->lines[k]);
        memcpy(text + at, file->lines[k], n);
        text[at + n] = '\n';
        at += n + 1;
    }
    return source_add(cx, file->name, text, length);
}

const char *const *library_names(Context *cx) {
    const char **names = arena_alloc(cx->arena, ((size_t)library_file_count + 1) * sizeof *names);
    for (int k = 0; k < library_file_count; k++) names[k] = library_files[k].name;
    return names;
}

/* "gradc/losses.grad" is also called losses.grad and losses. */
static bool is_called(const LibraryFile *file, const char *name) {
    const char *own = file->name + strlen(LIBRARY_PREFIX);
    size_t stem = strcspn(own, ".");
    return !strcmp(file->name, name) || !strcmp(own, name) ||
           (strlen(name) == stem && !strncmp(own, name, stem));
}

static void print_lines(const LibraryFile *file, int first, int last, FILE *out) {
    for (int k = first; k <= last && file->lines[k]; k++) fprintf(out, "%s\n", file->lines[k]);
}

bool library_print(const char *name, FILE *out) {
    for (int k = 0; k < library_file_count; k++) {
        const LibraryFile *file = &library_files[k];
        if (name) {
            const LibraryFunction *f = function_of(file, name);
            if (f) print_lines(file, f->first, f->last, out);
            else if (is_called(file, name)) print_lines(file, 0, INT32_MAX, out);
            else continue;
            return true;
        }
        fprintf(out, "%suse \"%s\";   // %s\n", k ? "\n" : "", file->name, file->title);
        for (int j = 0; j < file->nfunctions; j++) fprintf(out, "  %s\n", file->functions[j].head);
    }
    return !name;
}
