/* gmm: N points, K components, D coordinates; four gradients, shaped like what they are by. */
#include "../bench.h"
#include "gmm.h"

static void prepare(Bench *b) {
    const int64_t n = bench_integer(b, "n", 1, INT32_MAX), k = bench_integer(b, "k", 1, INT32_MAX);
    const int64_t d = bench_integer(b, "d", 1, 30000), low = d * (d - 1) / 2;
    int64_t points[2] = {n, d}, parts[2] = {k, d}, triangles[2] = {k, low > 0 ? low : -1};
    gmm_args *a = b->args = bench_alloc(b, 1, sizeof *a);
    *a = (gmm_args){.N = n,
                    .K = k,
                    .D = d,
                    .x = bench_numbers(b, "x", 2, points),
                    .gamma = bench_number(b, "gamma"),
                    .m = (int32_t)bench_integer(b, "m", 0, INT32_MAX),
                    .alpha = bench_numbers(b, "alpha", 1, parts),
                    .mu = bench_numbers(b, "mu", 2, parts),
                    .q = bench_numbers(b, "q", 2, parts),
                    .l = bench_numbers(b, "l", 2, triangles),
                    .F = bench_result(b, 1),
                    .alpha_grad = bench_result(b, k),
                    .mu_grad = bench_result(b, k * d),
                    .q_grad = bench_result(b, k * d),
                    .l_grad = bench_result(b, k * low)};
}

static void print_objective(const Bench *b, FILE *out) {
    print_number(out, *((gmm_args *)b->args)->F);
}

static void print_jacobian(const Bench *b, FILE *out) {
    const gmm_args *a = b->args;
    const int64_t parts[2] = {a->K, a->D}, triangles[2] = {a->K, a->D * (a->D - 1) / 2};
    fputs("{\"alpha\":", out);
    print_numbers(out, a->alpha_grad, 1, parts);
    fputs(",\"mu\":", out);
    print_numbers(out, a->mu_grad, 2, parts);
    fputs(",\"q\":", out);
    print_numbers(out, a->q_grad, 2, parts);
    fputs(",\"l\":", out);
    print_numbers(out, a->l_grad, 2, triangles);
    putc('}', out);
}

const Eval eval_gmm = {"gmm",
                       (const BenchFunction[]){
                           {"objective", &gmm_model, "value", prepare, NULL, print_objective},
                           {"jacobian", &gmm_model, "value_and_gradient", prepare, NULL, print_jacobian},
                           {0},
                       }};
