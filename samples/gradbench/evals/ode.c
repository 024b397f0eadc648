/* ode: N factors, S steps. The primal is the whole state at the end, the gradient that of its last entry. */
#include "../bench.h"
#include "ode.h"

static void prepare(Bench *b) {
    int64_t n = 0;
    const double *x = bench_numbers(b, "x", 1, &n);
    ode_args *a = b->args = bench_alloc(b, 1, sizeof *a);
    *a = (ode_args){.N = n,
                    .S = bench_integer(b, "s", 1, INT32_MAX),
                    .x = x,
                    .end = bench_result(b, n),
                    .last = bench_result(b, 1),
                    .x_grad = bench_result(b, n)};
}

static void print_primal(const Bench *b, FILE *out) {
    const ode_args *a = b->args;
    print_numbers(out, a->end, 1, &a->N);
}

static void print_gradient(const Bench *b, FILE *out) {
    const ode_args *a = b->args;
    print_numbers(out, a->x_grad, 1, &a->N);
}

const Eval eval_ode = {"ode",
                       (const BenchFunction[]){
                           {"primal", &ode_model, "value", prepare, NULL, print_primal},
                           {"gradient", &ode_model, "value_and_gradient", prepare, NULL, print_gradient},
                           {0},
                       }};
