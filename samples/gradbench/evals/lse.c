/* lse: N numbers. */
#include "../bench.h"
#include "lse.h"

static void prepare(Bench *b) {
    int64_t n = 0;
    const double *x = bench_numbers(b, "x", 1, &n);
    lse_args *a = b->args = bench_alloc(b, 1, sizeof *a);
    *a = (lse_args){.N = n, .x = x, .f = bench_result(b, 1), .x_grad = bench_result(b, n)};
}

static void print_primal(const Bench *b, FILE *out) {
    print_number(out, *((lse_args *)b->args)->f);
}

static void print_gradient(const Bench *b, FILE *out) {
    const lse_args *a = b->args;
    print_numbers(out, a->x_grad, 1, &a->N);
}

const Eval eval_lse = {"lse",
                       (const BenchFunction[]){
                           {"primal", &lse_model, "value", prepare, NULL, print_primal},
                           {"gradient", &lse_model, "value_and_gradient", prepare, NULL, print_gradient},
                           {0},
                       }};
