/* PyTorch, one thread, as a process of its own at the other end of two pipes: with_torch.py, which is given the data
 * (problems/NAME_torch.h: give_all), told what to do how often, and answers with the seconds that it took by its
 * own clock. So neither the start of Python nor the pipes are in the times. */
#include "contender.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static FILE *to_peer, *from_peer;
static pid_t peer;

static void broken(const char *what) {
    fprintf(stderr, "bench: PyTorch: %s\n", what);
    exit(1);
}
static void give(const char *name, char type, const void *data, size_t n, size_t size) {
    fprintf(to_peer, "%s %c %zu\n", name, type, n);
    fwrite(data, size, n, to_peer);
}
#define GIVE_REALS(name, p, n) give(name, sizeof(NUMBER) == sizeof(float) ? 'f' : 'd', p, (size_t)(n), sizeof(NUMBER))
#define GIVE_INTEGERS(name, p, n) give(name, 'i', p, (size_t)(n), sizeof(int32_t))
#include TORCH_H

static void open_peer(int size) {
    int down[2], up[2];
    open_out(size);
    signal(SIGPIPE, SIG_IGN);
    if (pipe(down) || pipe(up)) broken("no pipe");
    peer = fork();
    if (peer < 0) broken("no process");
    if (peer == 0) {
        dup2(down[0], 0);
        dup2(up[1], 1);
        close(down[0]), close(down[1]), close(up[0]), close(up[1]);
        execlp("/usr/bin/python3", "python3", TORCH_PY, TORCH_NAME, (char *)NULL);
        _exit(127);
    }
    close(down[0]), close(up[1]);
    to_peer = fdopen(down[1], "w");
    from_peer = fdopen(up[0], "r");
    if (!to_peer || !from_peer) broken("no stream");
    give_all();
    fprintf(to_peer, "go - 0\n");
    fflush(to_peer);
}
static double batch(int derived, long turns) {
    double seconds;
    fprintf(to_peer, "%s %ld\n", derived ? "derived" : "value", turns);
    fflush(to_peer);
    if (fread(&seconds, sizeof seconds, 1, from_peer) != 1) broken("it has stopped");
    return seconds;
}
static void value(void) {
    batch(0, 1);
}
static size_t result(double *to) {
    fprintf(to_peer, "result 0\n");
    fflush(to_peer);
    double count;
    if (fread(&count, sizeof count, 1, from_peer) != 1) broken("it has stopped");
    const size_t n = (size_t)count;
    if (n > n_result || fread(to, sizeof *to, n, from_peer) != n) broken("a short result");
    return n;
}
static void close_peer(void) {
    fclose(to_peer);
    fclose(from_peer);
    waitpid(peer, NULL, 0);
    close_out();
}
#ifdef VALUE_ALONE
BENCH(open_peer, value, NULL, batch, result, close_peer);
#else
static void derived(void) {
    batch(1, 1);
}
BENCH(open_peer, value, derived, batch, result, close_peer);
#endif
