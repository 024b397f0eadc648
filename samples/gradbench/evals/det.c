/* det: an L by L matrix, and the tables of all subsets of its columns, which depend on L alone and are
 * made before the clock runs. They have 2^L rows: above MOST the expansion would take too long anyway. */
#include "../bench.h"
#include "det.h"

enum { MOST = 20 };

static void prepare(Bench *b) {
    const int64_t l = bench_integer(b, "ell", 1, MOST);
    const int64_t s = (int64_t)1 << l;
    int64_t entries = l * l;
    const double *A = bench_numbers(b, "A", 1, &entries);
    int32_t *size = bench_alloc(b, s, sizeof *size);
    int32_t *col = bench_alloc(b, s * l, sizeof *col), *less = bench_alloc(b, s * l, sizeof *less);
    det_args *a = b->args = bench_alloc(b, 1, sizeof *a);
    *a = (det_args){.L = l,
                    .S = s,
                    .A = A,
                    .size = size,
                    .col = col,
                    .less = less,
                    .d = bench_result(b, 1),
                    .A_grad = bench_result(b, l * l)};
    if (b->error[0]) return;
    for (int32_t set = 0; set < s; set++) {
        for (int32_t c = 0; c < l; c++) {
            if (!(set >> c & 1)) continue;
            col[set * l + size[set]] = c;
            less[set * l + size[set]++] = set & ~((int32_t)1 << c);
        }
    }
}

static void print_primal(const Bench *b, FILE *out) {
    print_number(out, *((det_args *)b->args)->d);
}

static void print_gradient(const Bench *b, FILE *out) {
    const det_args *a = b->args;
    const int64_t entries = a->L * a->L;
    print_numbers(out, a->A_grad, 1, &entries);
}

const Eval eval_det = {"det",
                       (const BenchFunction[]){
                           {"primal", &det_model, "value", prepare, NULL, print_primal},
                           {"gradient", &det_model, "value_and_gradient", prepare, NULL, print_gradient},
                           {0},
                       }};
