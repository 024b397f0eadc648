/* llsq: M coefficients, and N, the number of points, which are made by the model. */
#include "../bench.h"
#include "llsq.h"

static void prepare(Bench *b) {
    int64_t m = 0;
    const double *x = bench_numbers(b, "x", 1, &m);
    llsq_args *a = b->args = bench_alloc(b, 1, sizeof *a);
    *a = (llsq_args){.M = m,
                     .N = bench_integer(b, "n", 1, INT32_MAX),
                     .x = x,
                     .f = bench_result(b, 1),
                     .x_grad = bench_result(b, m)};
}

static void print_primal(const Bench *b, FILE *out) {
    print_number(out, *((llsq_args *)b->args)->f);
}

static void print_gradient(const Bench *b, FILE *out) {
    const llsq_args *a = b->args;
    print_numbers(out, a->x_grad, 1, &a->M);
}

const Eval eval_llsq = {"llsq",
                        (const BenchFunction[]){
                            {"primal", &llsq_model, "value", prepare, NULL, print_primal},
                            {"gradient", &llsq_model, "value_and_gradient", prepare, NULL, print_gradient},
                            {0},
                        }};
