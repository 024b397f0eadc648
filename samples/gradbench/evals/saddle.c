/* saddle: a start in, x and y out, as one list; a model for each pair of modes. */
#include "../bench.h"
#include "saddle_ff.h"
#include "saddle_fr.h"
#include "saddle_rf.h"
#include "saddle_rr.h"

#define PREPARE(modes)                                                                                       \
    static void prepare_##modes(Bench *b) {                                                                  \
        int64_t two = 2;                                                                                     \
        double *point = b->own = bench_result(b, 4);                                                         \
        saddle_##modes##_args *a = b->args = bench_alloc(b, 1, sizeof *a);                                   \
        const double *start = bench_numbers(b, "start", 1, &two);                                            \
        *a = (saddle_##modes##_args){.start = start, .x = point, .y = b->error[0] ? point : point + 2};      \
    }
PREPARE(rr)
PREPARE(ff)
PREPARE(fr)
PREPARE(rf)

static void print_point(const Bench *b, FILE *out) {
    const int64_t four = 4;
    print_numbers(out, b->own, 1, &four);
}

const Eval eval_saddle = {"saddle",
                          (const BenchFunction[]){
                              {"rr", &saddle_rr_model, "value", prepare_rr, NULL, print_point},
                              {"ff", &saddle_ff_model, "value", prepare_ff, NULL, print_point},
                              {"fr", &saddle_fr_model, "value", prepare_fr, NULL, print_point},
                              {"rf", &saddle_rf_model, "value", prepare_rf, NULL, print_point},
                              {0},
                          }};
