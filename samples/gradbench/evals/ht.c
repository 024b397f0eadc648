/* ht: the hand model, theta, and C measured points, each with a vertex or, where there are `us`, with a
 * triangle. The Jacobian has a row of 26 numbers for each coordinate of each point, and two before them
 * by the point's own us. */
#include "../bench.h"
#include "ht.h"
#include "ht_complicated.h"
#include "ht_complicated_jacobian.h"
#include "ht_jacobian.h"
#include <string.h>

enum { BONES = 22, THETA = 26 };

typedef struct Hand {
    bool complicated;
    int64_t vertices, triangles, points;
    const double *theta, *us, *base, *inverse_base, *position, *weight, *point;
    const int32_t *parent, *corner, *which;
    bool mirrored;
    double *result;
} Hand;

static Hand *read_hand(Bench *b, int64_t columns) {
    Hand *h = b->own = bench_alloc(b, 1, sizeof *h);
    int64_t theta = THETA, bones = BONES, frames[3] = {BONES, 4, 4}, position[2] = {0, 4}, triangles[2] = {0, 3};
    int64_t points[2] = {0, 3};
    (void)bench_integer(b, "data.model.bone_count", BONES, BONES);
    h->theta = bench_numbers(b, "theta", 1, &theta);
    h->parent = bench_integers(b, "data.model.parents", 1, &bones);
    h->base = bench_numbers(b, "data.model.base_relatives", 3, frames);
    h->inverse_base = bench_numbers(b, "data.model.inverse_base_absolutes", 3, frames);
    h->position = bench_numbers(b, "data.model.base_positions", 2, position);
    int64_t weight[2] = {position[0], BONES};
    h->weight = bench_numbers(b, "data.model.weights", 2, weight);
    h->point = bench_numbers(b, "data.points", 2, points);
    h->which = bench_integers(b, "data.correspondences", 1, points);
    h->vertices = position[0];
    h->points = points[0];
    h->mirrored = json_is_true(bench_find(b, "data.model.is_mirrored"));
    const json_t *us = bench_find(b, "us");
    if (!us) bench_fail(b, "the input has no us"); /* an empty list is that of the simple problem */
    h->complicated = json_array_size(us) > 0;
    if (h->complicated) {
        int64_t pairs[2] = {points[0], 2};
        h->us = bench_numbers(b, "us", 2, pairs);
        h->corner = bench_integers(b, "data.model.triangles", 2, triangles);
        h->triangles = triangles[0];
    }
    if (columns > 0 && h->complicated) columns += 2;
    h->result = bench_result(b, h->points * 3 * (columns > 0 ? columns : 1));
    for (int64_t i = 0; i < BONES && !b->error[0]; i++) {
        if (h->parent[i] < -1 || h->parent[i] >= i) {
            bench_fail(b, "data.model.parents[%d] is neither -1 nor a bone before", (int)i);
        }
    }
    return h;
}

/* The four models have the same arguments but for those of triangles; they are set by name. */
#define ARGUMENTS                                                                                            \
    .V = h->vertices, .C = h->points, .theta = h->theta, .parent = h->parent, .base = h->base,               \
    .inverse_base = h->inverse_base, .position = h->position, .weight = h->weight, .point = h->point,        \
    .mirrored = h->mirrored, .which = h->which
#define TRIANGLES .T = h->triangles, .us = h->us, .corner = h->corner

static void prepare_objective(Bench *b) {
    const Hand *h = read_hand(b, 0);
    ht_args *simple = bench_alloc(b, 1, sizeof *simple);
    ht_complicated_args *complicated = bench_alloc(b, 1, sizeof *complicated);
    *simple = (ht_args){ARGUMENTS, .err = h->result};
    *complicated = (ht_complicated_args){ARGUMENTS, TRIANGLES, .err = h->result};
    b->args = h->complicated ? (void *)complicated : (void *)simple;
    b->model = h->complicated ? &ht_complicated_model : &ht_model;
}

static void prepare_jacobian(Bench *b) {
    const Hand *h = read_hand(b, THETA);
    ht_jacobian_args *simple = bench_alloc(b, 1, sizeof *simple);
    ht_complicated_jacobian_args *complicated = bench_alloc(b, 1, sizeof *complicated);
    *simple = (ht_jacobian_args){ARGUMENTS, .J = h->result};
    *complicated = (ht_complicated_jacobian_args){ARGUMENTS, TRIANGLES, .J = h->result};
    b->args = h->complicated ? (void *)complicated : (void *)simple;
    b->model = h->complicated ? &ht_complicated_jacobian_model : &ht_jacobian_model;
}

static void print_objective(const Bench *b, FILE *out) {
    const Hand *h = b->own;
    print_numbers(out, h->result, 1, (const int64_t[]){3 * h->points});
}

static void print_jacobian(const Bench *b, FILE *out) {
    const Hand *h = b->own;
    print_numbers(out, h->result, 2, (const int64_t[]){3 * h->points, h->complicated ? THETA + 2 : THETA});
}

const Eval eval_ht = {"ht",
                      (const BenchFunction[]){
                          {"objective", NULL, "value", prepare_objective, NULL, print_objective},
                          {"jacobian", NULL, "value", prepare_jacobian, NULL, print_jacobian},
                          {0},
                      }};
