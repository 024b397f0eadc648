/* arena: blocks of zeroed memory, handed out from the front and freed together. An allocation that
 * does not fit the rest of the newest block starts another; a large one gets a block to itself.
 * Under the address sanitizer every allocation is a block of its own, so that a step over its end
 * is seen. */
#include "arena.h"
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define BLOCK_BYTES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCK_BYTES 0
#endif
#endif
#ifndef BLOCK_BYTES
#define BLOCK_BYTES ((size_t)64 * 1024)
#endif

typedef struct Block Block;
struct Block {
    Block *older;
    size_t used, room;
    max_align_t bytes[];
};

struct Arena {
    Block *newest; /* the one that small allocations come from */
};

static _Noreturn void out_of_memory(void) {
    fputs("gradc: out of memory\n", stderr);
    exit(2);
}

static void *zeroed(size_t bytes) {
    void *p = calloc(1, bytes);
    if (!p) out_of_memory();
    return p;
}

Arena *arena_new(void) {
    return zeroed(sizeof(Arena));
}

void arena_free(Arena *arena) {
    if (!arena) return;
    for (Block *b = arena->newest, *older; b; b = older) {
        older = b->older;
        free(b);
    }
    free(arena);
}

void *arena_alloc(Arena *arena, size_t bytes) {
    const size_t unit = sizeof(max_align_t);
    if (bytes > SIZE_MAX / 4) out_of_memory();
    if (bytes == 0) bytes = 1;
    size_t want = BLOCK_BYTES ? (bytes + unit - 1) / unit * unit : bytes;
    Block *top = arena->newest;
    if (top && top->room - top->used >= want) {
        void *p = (char *)top->bytes + top->used;
        top->used += want;
        return p;
    }
    bool alone = want > BLOCK_BYTES / 4;
    size_t room = alone ? want : BLOCK_BYTES;
    Block *b = zeroed(sizeof *b + room);
    b->room = room;
    b->used = want;
    if (alone && top) { /* keep filling the block that is on top */
        b->older = top->older;
        top->older = b;
    } else {
        b->older = top;
        arena->newest = b;
    }
    return b->bytes;
}

char *arena_text(Arena *arena, const char *text, size_t length) {
    char *copy = arena_alloc(arena, length + 1);
    if (length) memcpy(copy, text, length);
    return copy;
}

char *arena_vformat(Arena *arena, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) bug("vsnprintf failed on \"%s\"", format);
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}

char *arena_format(Arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = arena_vformat(arena, format, args);
    va_end(args);
    return text;
}

void *arena_grow(Arena *arena, void *old, int *room, int used, size_t size) {
    if (*room > INT_MAX / 2) out_of_memory();
    int bigger = *room < 4 ? 8 : *room * 2;
    if ((size_t)bigger > SIZE_MAX / 4 / size) out_of_memory();
    void *at = arena_alloc(arena, (size_t)bigger * size);
    if (used) memcpy(at, old, (size_t)used * size);
    *room = bigger;
    return at;
}

_Noreturn void bug_at(const char *file, int line, const char *format, ...) {
    const char *base = strrchr(file, '/');
    va_list args;
    fflush(stdout);
    fprintf(stderr, "gradc: this is a mistake of the compiler (%s:%d): ", base ? base + 1 : file,
            line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}
