/* gradbench: gradc as a tool of the GradBench suite (https://gradben.ch).
 *
 *   gradbench                       the protocol: one JSON message a line on standard input, and to each
 *                                   one line on standard output
 *   gradbench EVAL FILE FUNCTION    one evaluation: FILE holds the input, or a whole case with the input
 *                                   in it; - is standard input. Prints the output on one line, then the
 *                                   nanoseconds of each run, a line each
 *   gradbench --list                the evals and their functions
 *
 * Exit status: 0; 1 if an evaluation failed, the output could not be written, or (--list and protocol)
 * nothing else; 2 if the command is wrong. Over the protocol, an evaluation that fails is answered with
 * "success": false and the reason, and the session goes on. */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include <errno.h>
#include <gradc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const Eval *const evals[] = {
    &eval_hello, &eval_ba,  &eval_det,  &eval_gmm, &eval_ht,       &eval_kmeans,
    &eval_llsq,  &eval_lse, &eval_lstm, &eval_ode, &eval_particle, &eval_saddle,
};
enum { EVALS = sizeof evals / sizeof *evals };

static const Eval *find_eval(const char *name) {
    for (int i = 0; i < EVALS; i++) {
        if (strcmp(evals[i]->name, name) == 0) return evals[i];
    }
    return NULL;
}

static const BenchFunction *find_function(const Eval *eval, const char *name) {
    for (const BenchFunction *f = eval->functions; f->name; f++) {
        if (strcmp(f->name, name) == 0) return f;
    }
    return NULL;
}

/* ---- one evaluation */

typedef struct Times {
    int64_t n, room, *nanoseconds;
} Times;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool keep(Times *times, int64_t nanoseconds) {
    if (times->n == times->room) {
        const int64_t room = times->room ? 2 * times->room : 64;
        int64_t *more = realloc(times->nanoseconds, (size_t)room * sizeof *more);
        if (!more) return false;
        times->nanoseconds = more;
        times->room = room;
    }
    times->nanoseconds[times->n++] = nanoseconds;
    return true;
}

/* At least min_runs runs, and as many as take min_seconds; where they are not said, one run. */
static void run(Bench *b, const BenchFunction *f, Times *times) {
    const bool object = json_is_object(b->input);
    const bool runs_said = object && bench_find(b, "min_runs"), time_said = object && bench_find(b, "min_seconds");
    const int64_t min_runs = runs_said ? bench_integer(b, "min_runs", 1, 1000000000) : 1;
    const double min_seconds = time_said ? bench_number(b, "min_seconds") : 0;
    b->model = f->model;
    if (!b->error[0]) f->prepare(b);
    if (b->error[0]) return;
    const gradc_function *call = NULL;
    for (int i = 0; i < b->model->nfunctions; i++) {
        if (strcmp(b->model->functions[i].name, f->call) == 0) call = &b->model->functions[i];
    }
    if (!call) {
        bench_fail(b, "the model %s has no function %s", b->model->name, f->call);
        return;
    }
    /* Where the sizes are not possible, the function says why; it then looks at no workspace. */
    const size_t bytes = call->workspace(b->args);
    void *workspace = bench_workspace(b, bytes < SIZE_MAX ? bytes : 0);
    double seconds = 0;
    for (int64_t i = 0; !b->error[0] && (i < min_runs || seconds < min_seconds); i++) {
        const int64_t begin = now();
        const int status = f->run ? f->run(b, call, workspace) : call->call(b->args, workspace);
        const int64_t took = now() - begin;
        if (status != GRADC_OK) bench_fail(b, "%s_%s: %s", b->model->name, f->call, gradc_status_text(status));
        else if (!keep(times, took)) bench_fail(b, "no memory for the times of %lld runs", (long long)i + 1);
        seconds += (double)took * 1e-9;
    }
}

/* ---- the protocol */

/* A string as JSON; texts that come in are UTF-8, which the reader of JSON has seen to. */
static void print_text(FILE *out, const char *text) {
    json_t *j = json_string(text);
    char *written = j ? json_dumps(j, JSON_ENCODE_ANY) : NULL;
    fputs(written ? written : "\"\"", out);
    free(written);
    json_decref(j);
}

static void print_error(FILE *out, const char *error) {
    fputs(",\"success\":false,\"error\":", out);
    print_text(out, error);
}

static const char *text_of(const json_t *message, const char *name) {
    const char *text = json_string_value(json_object_get(message, name));
    return text ? text : "";
}

static const Eval *module_of(const json_t *message, char *error, size_t size) {
    const json_t *j = json_object_get(message, "module");
    const Eval *eval = json_is_string(j) ? find_eval(json_string_value(j)) : NULL;
    if (!json_is_string(j)) snprintf(error, size, "the message names no module");
    else if (!eval) snprintf(error, size, "there is no module %.80s", json_string_value(j));
    return eval;
}

static void evaluate(const json_t *message, FILE *out) {
    Bench b = {.input = json_object_get(message, "input")};
    Times times = {0};
    const Eval *eval = module_of(message, b.error, sizeof b.error);
    const BenchFunction *f = eval ? find_function(eval, text_of(message, "function")) : NULL;
    if (eval && !f) bench_fail(&b, "%s has no function %.80s", eval->name, text_of(message, "function"));
    if (f) run(&b, f, &times);
    if (b.error[0]) {
        print_error(out, b.error);
    } else {
        fputs(",\"success\":true,\"output\":", out);
        f->print(&b, out);
        fputs(",\"timings\":[", out);
        for (int64_t i = 0; i < times.n; i++) {
            fprintf(out, "%s{\"name\":\"evaluate\",\"nanoseconds\":%lld}", i > 0 ? "," : "",
                    (long long)times.nanoseconds[i]);
        }
        putc(']', out);
    }
    bench_free(&b);
    free(times.nanoseconds);
}

/* One line in, one line out, with the same id. A line that is no message has none. */
static void answer(const char *line, size_t n, FILE *out) {
    json_error_t where;
    json_t *message = json_loadb(line, n, JSON_REJECT_DUPLICATES, &where);
    const json_t *id = json_object_get(message, "id");
    const char *kind = text_of(message, "kind");
    char error[512] = "";
    fputs("{\"id\":", out);
    if (id && json_dumpf(id, out, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17)) != 0) id = NULL;
    if (!id) fputs("null", out);
    if (!message) {
        snprintf(error, sizeof error, "no JSON: %s at column %d", where.text, where.column);
    } else if (!json_is_object(message)) {
        snprintf(error, sizeof error, "a message is a JSON object");
    } else if (!id) {
        snprintf(error, sizeof error, "the message has no id");
    } else if (strcmp(kind, "start") == 0) {
        fputs(",\"tool\":\"gradc\"", out);
    } else if (strcmp(kind, "define") == 0) {
        if (module_of(message, error, sizeof error)) fputs(",\"success\":true", out);
    } else if (strcmp(kind, "evaluate") == 0) {
        evaluate(message, out);
    }
    if (error[0]) print_error(out, error);
    fputs("}\n", out);
    json_decref(message);
}

static int session(FILE *in, FILE *out) {
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    while ((n = getline(&line, &room, in)) != -1) {
        if (strspn(line, " \t\r\n") == (size_t)n) continue;
        answer(line, (size_t)n, out);
        if (fflush(out) != 0) break;
    }
    const bool failed = ferror(in) || !feof(in) || ferror(out);
    if (failed) fprintf(stderr, "gradbench: %s\n", strerror(errno));
    free(line);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- one evaluation from the command line */

static int wrong(const char *what, const char *name) {
    fprintf(stderr, "gradbench: %s%s\ngradbench: EVAL FILE FUNCTION, or --list\n", what, name);
    return 2;
}

static int single(const char *eval_name, const char *file, const char *function) {
    const Eval *eval = find_eval(eval_name);
    if (!eval) return wrong("there is no eval ", eval_name);
    const BenchFunction *f = find_function(eval, function);
    if (!f) return wrong("there is no such function of this eval: ", function);
    json_error_t where;
    json_t *all = strcmp(file, "-") == 0 ? json_loadf(stdin, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where)
                                         : json_load_file(file, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where);
    if (!all) {
        fprintf(stderr, "gradbench: %s:%d: %s\n", file, where.line, where.text);
        return EXIT_FAILURE;
    }
    const json_t *inside = json_object_get(all, "input");
    Bench b = {.input = inside ? inside : all};
    Times times = {0};
    if (inside && *text_of(all, "eval") && strcmp(text_of(all, "eval"), eval->name) != 0) {
        bench_fail(&b, "%s is a case of %.40s", file, text_of(all, "eval"));
    }
    if (!b.error[0]) run(&b, f, &times);
    bool good = !b.error[0];
    if (good) {
        f->print(&b, stdout);
        putchar('\n');
        for (int64_t i = 0; i < times.n; i++) printf("%lld\n", (long long)times.nanoseconds[i]);
        good = fflush(stdout) == 0 && !ferror(stdout);
        if (!good) fprintf(stderr, "gradbench: the output cannot be written: %s\n", strerror(errno));
    } else {
        fprintf(stderr, "gradbench: %s\n", b.error);
    }
    bench_free(&b);
    free(times.nanoseconds);
    json_decref(all);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int list(void) {
    for (int i = 0; i < EVALS; i++) {
        printf("%s:", evals[i]->name);
        for (const BenchFunction *f = evals[i]->functions; f->name; f++) printf(" %s", f->name);
        putchar('\n');
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
    if (argc == 1) return session(stdin, stdout);
    if (argc == 2 && strcmp(argv[1], "--list") == 0) return list();
    if (argc == 4) return single(argv[1], argv[2], argv[3]);
    return wrong("arguments are missing", "");
}
