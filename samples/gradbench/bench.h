/* bench: what main.c and the files of evals/ share. An eval is a table of functions; a function is an
 * emitted one, with C before it that sets its arguments from JSON, and C behind it that prints what
 * came out. What is timed lies between the two. */
#ifndef GRADBENCH_BENCH_H
#define GRADBENCH_BENCH_H
#include <gradc_model.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* One evaluation. `prepare` sets args (and model, where the function has none), and own if print needs more; memory comes from bench_alloc and
 * lasts until the answer is printed. */
typedef struct Bench {
    const json_t *input;
    char error[256]; /* "" while all is well; the first thing that went wrong stays */
    const gradc_model *model; /* whose arguments they are */
    void *args, *own;
    struct Piece *memory;
} Bench;

typedef struct BenchFunction {
    const char *name;
    const gradc_model *model;
    const char *call; /* the model's function: "value", "value_and_gradient", ... */
    void (*prepare)(Bench *b);
    int (*run)(Bench *b, const gradc_function *f, void *workspace); /* NULL: f with args, once */
    void (*print)(const Bench *b, FILE *out);
} BenchFunction;

typedef struct Eval {
    const char *name;
    const BenchFunction *functions; /* the last one has no name */
} Eval;

extern const Eval eval_hello, eval_ba, eval_det, eval_gmm, eval_ht, eval_kmeans, eval_llsq, eval_lse, eval_lstm, eval_ode, eval_particle,
    eval_saddle;

/* Says what is wrong, if nothing was before. */
void bench_fail(Bench *b, const char *format, ...);

/* Memory of n entries, each of so many bytes, all 0; never NULL: what fails is said by b->error, and
 * then the memory is that of one entry. bench_result is for what the emitted functions write: it holds
 * NaN, so that an entry that they leave out cannot pass for a 0. */
void *bench_alloc(Bench *b, int64_t n, size_t size);
double *bench_result(Bench *b, int64_t n);
void *bench_workspace(Bench *b, size_t bytes); /* as it is */
void bench_free(Bench *b);

/* Parts of the input. A path such as "data.model.parents" leads through objects. The shape of an array
 * is checked where it is above 0, and is set where it is 0 (-1 where it may be empty as well). What is
 * wrong is said by b->error; the value is then 0, or an array without entries. */
const json_t *bench_find(const Bench *b, const char *path);
double bench_number(Bench *b, const char *path);
int64_t bench_integer(Bench *b, const char *path, int64_t least, int64_t most);
double *bench_numbers(Bench *b, const char *path, int rank, int64_t *shape);
int32_t *bench_integers(Bench *b, const char *path, int rank, int64_t *shape);

/* As JSON, with all digits. What is not finite is `null`: JSON has no word for it. */
void print_number(FILE *out, double x);
void print_numbers(FILE *out, const double *x, int rank, const int64_t *shape);
void print_integers(FILE *out, const int64_t *x, int64_t n);
#endif
