/* output: writing files. Each file is written beside its place under a name of its own and renamed
 * when all of them are complete, so that a build that is interrupted, a full disk or a reader at
 * the same time never sees half a file. */
#define _XOPEN_SOURCE 700
#include "output.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Pending {
    const char *path; /* with symbolic links followed: these stay what they are */
    char *temporary;  /* NULL: nothing to do, or written in place */
} Pending;

static bool same_bytes(const char *path, const char *bytes, size_t n) {
    FILE *in = fopen(path, "rb");
    char block[8192];
    size_t at = 0, got;
    bool same = in != NULL;
    while (same && (got = fread(block, 1, sizeof block, in)) > 0) {
        same = at + got <= n && !memcmp(block, bytes + at, got);
        at += got;
    }
    same = same && !ferror(in) && at == n;
    if (in) fclose(in);
    return same;
}

/* All bytes, with the error of a full disk that only shows when they are flushed. */
static int write_all(int to, const char *bytes, size_t n) {
    while (n) {
        ssize_t done = write(to, bytes, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return -1;
        bytes += done, n -= (size_t)done;
    }
    return 0;
}

static const char *failure(Arena *arena, const char *path, int error) {
    return arena_format(arena, "cannot write '%s': %s", path, strerror(error));
}

static const char *write_in_place(Arena *arena, const char *path, const char *bytes, size_t n) {
    int to = open(path, O_WRONLY);
    if (to < 0) return failure(arena, path, errno);
    int bad = write_all(to, bytes, n) ? errno : 0;
    if (close(to) && !bad) bad = errno;
    return bad ? failure(arena, path, bad) : NULL;
}

/* The file under its temporary name. */
static const char *prepare(Arena *arena, const Output *file, Pending *pending) {
    struct stat old;
    char *real = realpath(file->path, NULL);
    pending->path = real ? arena_text(arena, real, strlen(real)) : file->path;
    free(real);
    bool exists = stat(pending->path, &old) == 0;
    if (exists && S_ISDIR(old.st_mode)) return failure(arena, file->path, EISDIR);
    if (exists && !S_ISREG(old.st_mode))
        return write_in_place(arena, pending->path, file->bytes, file->n);
    if (exists && !file->always && same_bytes(pending->path, file->bytes, file->n)) return NULL;
    if (exists && access(pending->path, W_OK)) return failure(arena, file->path, errno);

    char *name = arena_format(arena, "%s.XXXXXX", pending->path);
    int to = mkstemp(name);
    if (to < 0) return failure(arena, file->path, errno);
    pending->temporary = name;
    mode_t mask = umask(0);
    umask(mask);
    int bad = write_all(to, file->bytes, file->n) ? errno : 0;
    if (fchmod(to, exists ? old.st_mode & 0777 : 0666 & ~mask) && !bad) bad = errno;
    if (close(to) && !bad) bad = errno;
    return bad ? failure(arena, file->path, bad) : NULL;
}

const char *output_write(Arena *arena, int n, const Output *files) {
    Pending *pending = arena_alloc(arena, (size_t)(n + 1) * sizeof *pending);
    const char *wrong = NULL;
    for (int k = 0; k < n && !wrong; k++) wrong = prepare(arena, &files[k], &pending[k]);
    for (int k = 0; k < n && !wrong; k++) {
        if (!pending[k].temporary) continue;
        if (rename(pending[k].temporary, pending[k].path))
            wrong = failure(arena, files[k].path, errno);
        else pending[k].temporary = NULL;
    }
    for (int k = 0; k < n; k++) {
        if (pending[k].temporary) unlink(pending[k].temporary);
    }
    return wrong;
}

const char *output_print(Arena *arena, const char *bytes, size_t n) {
    bool bad = fwrite(bytes, 1, n, stdout) != n;
    bad = fflush(stdout) || bad;
    return bad ? failure(arena, "standard output", errno) : NULL;
}

/* Through unnamed files instead of pipes: neither side can wait for the other. */
const char *output_filter(Arena *arena, const char *const *command, const char *bytes, size_t n,
                          size_t *length, const char **why) {
    FILE *in = tmpfile(), *out = tmpfile();
    char *result = NULL;
    int status = 0;
    *why = "cannot make a temporary file";
    if (!in || !out || write_all(fileno(in), bytes, n) || lseek(fileno(in), 0, SEEK_SET) < 0)
        goto end;
    pid_t child = fork();
    if (child == 0) {
        if (dup2(fileno(in), 0) < 0 || dup2(fileno(out), 1) < 0) _exit(126);
        execvp(command[0], (char *const *)(uintptr_t)command);
        _exit(127);
    }
    *why = arena_format(arena, "cannot run '%s'", command[0]);
    if (child < 0 || waitpid(child, &status, 0) != child) goto end;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        *why = arena_format(arena, "'%s' is not installed", command[0]);
        goto end;
    }
    *why = arena_format(arena, "'%s' failed", command[0]);
    off_t size = lseek(fileno(out), 0, SEEK_END);
    if (!WIFEXITED(status) || WEXITSTATUS(status) || size < 0) goto end;
    result = arena_alloc(arena, (size_t)size + 1);
    rewind(out);
    *length = fread(result, 1, (size_t)size, out);
end:
    if (in) fclose(in);
    if (out) fclose(out);
    return result;
}
