/* kmeans: N points and K centres in D coordinates. Besides GradBench's cost and dir, the two arrays
 * that dir is the quotient of. */
#include "../bench.h"
#include "kmeans.h"
#include "kmeans_newton.h"

static void points(Bench *b, const double *x[2], int64_t size[3]) {
    int64_t shape[2] = {0, 0};
    x[0] = bench_numbers(b, "points", 2, shape);
    size[0] = shape[0];
    size[2] = shape[1];
    shape[0] = 0;
    x[1] = bench_numbers(b, "centroids", 2, shape);
    size[1] = shape[0];
}

static void prepare_cost(Bench *b) {
    const double *x[2];
    int64_t size[3];
    points(b, x, size);
    kmeans_args *a = b->args = bench_alloc(b, 1, sizeof *a);
    *a = (kmeans_args){
        .N = size[0], .K = size[1], .D = size[2], .x = x[0], .c = x[1], .cost = bench_result(b, 1)};
}

static void prepare_newton(Bench *b) {
    const double *x[2];
    int64_t size[3];
    points(b, x, size);
    const int64_t entries = size[1] * size[2];
    kmeans_newton_args *a = b->args = bench_alloc(b, 1, sizeof *a);
    *a = (kmeans_newton_args){.N = size[0],
                              .K = size[1],
                              .D = size[2],
                              .x = x[0],
                              .c = x[1],
                              .gradient = bench_result(b, entries),
                              .diagonal = bench_result(b, entries),
                              .step = bench_result(b, entries)};
}

static void print_cost(const Bench *b, FILE *out) {
    print_number(out, *((kmeans_args *)b->args)->cost);
}

static void print_matrix(const Bench *b, FILE *out, const double *x) {
    const kmeans_newton_args *a = b->args;
    print_numbers(out, x, 2, (const int64_t[]){a->K, a->D});
}

static void print_dir(const Bench *b, FILE *out) {
    print_matrix(b, out, ((kmeans_newton_args *)b->args)->step);
}

static void print_gradient(const Bench *b, FILE *out) {
    print_matrix(b, out, ((kmeans_newton_args *)b->args)->gradient);
}

static void print_diagonal(const Bench *b, FILE *out) {
    print_matrix(b, out, ((kmeans_newton_args *)b->args)->diagonal);
}

const Eval eval_kmeans = {
    "kmeans",
    (const BenchFunction[]){
        {"cost", &kmeans_model, "value", prepare_cost, NULL, print_cost},
        {"dir", &kmeans_newton_model, "value", prepare_newton, NULL, print_dir},
        {"gradient", &kmeans_newton_model, "value", prepare_newton, NULL, print_gradient},
        {"hessian_diagonal", &kmeans_newton_model, "value", prepare_newton, NULL, print_diagonal},
        {0},
    }};
