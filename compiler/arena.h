/* arena: memory that lives as long as one compilation. Allocation never fails: out of memory stops
 * the program here and nowhere else. Nothing is freed before arena_free, so no pass frees and the
 * parser needs no destructors. */
#ifndef GRADC_ARENA_H
#define GRADC_ARENA_H
#include <stdarg.h>
#include <stddef.h>

typedef struct Arena Arena;

Arena *arena_new(void);
void arena_free(Arena *arena);
void *arena_alloc(Arena *arena, size_t bytes);                   /* zeroed, aligned for any type */
char *arena_text(Arena *arena, const char *text, size_t length); /* a copy, with a final 0 */
char *arena_format(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vformat(Arena *arena, const char *format, va_list args);

/* Growable arrays in the arena: VEC(int) v = {0}; VEC_PUSH(arena, v, 3); v.at[0]; v.n. Growing
 * copies; the old storage stays valid but stale. */
#define VEC(T)                                                                                     \
    struct {                                                                                       \
        T *at;                                                                                     \
        int n, room;                                                                               \
    }
#define VEC_PUSH(arena, v, ...)                                                                    \
    ((v).n == (v).room                                                                             \
         ? (void)((v).at = arena_grow((arena), (v).at, &(v).room, (v).n, sizeof *(v).at))          \
         : (void)0,                                                                                \
     (v).at[(v).n++] = __VA_ARGS__)
void *arena_grow(Arena *arena, void *old, int *room, int used, size_t size);

/* A broken invariant of the compiler itself: says where and stops at once. */
_Noreturn void bug_at(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
#endif
