/* particle: a start in, a number out; a model for each pair of modes. Besides GradBench's functions, one
 * flight: its value (with the force in reverse or forward mode) and its derivative. */
#include "../bench.h"
#include "flight_ff.h"
#include "flight_fr.h"
#include "flight_rf.h"
#include "flight_rr.h"
#include "particle_ff.h"
#include "particle_fr.h"
#include "particle_rf.h"
#include "particle_rr.h"

typedef struct Numbers {
    double w, m, dm;
} Numbers;

/* The arguments of the models differ in nothing but their type. */
#define DESCENT(modes)                                                                                       \
    static void descent_##modes(Bench *b) {                                                                  \
        Numbers *n = b->own = bench_alloc(b, 1, sizeof *n);                                                  \
        particle_##modes##_args *a = b->args = bench_alloc(b, 1, sizeof *a);                                 \
        *a = (particle_##modes##_args){.start = bench_number(b, "w"), .w = &n->w};                           \
    }
#define FLIGHT(modes)                                                                                        \
    static void flight_##modes(Bench *b) {                                                                   \
        Numbers *n = b->own = bench_alloc(b, 1, sizeof *n);                                                  \
        flight_##modes##_args *a = b->args = bench_alloc(b, 1, sizeof *a);                                   \
        *a = (flight_##modes##_args){.w = bench_number(b, "w"), .m = &n->m, .dm = &n->dm};                   \
    }
DESCENT(rr)
DESCENT(ff)
DESCENT(fr)
DESCENT(rf)
FLIGHT(rr)
FLIGHT(ff)
FLIGHT(fr)
FLIGHT(rf)

static void print_w(const Bench *b, FILE *out) {
    print_number(out, ((Numbers *)b->own)->w);
}

static void print_m(const Bench *b, FILE *out) {
    print_number(out, ((Numbers *)b->own)->m);
}

static void print_dm(const Bench *b, FILE *out) {
    print_number(out, ((Numbers *)b->own)->dm);
}

const Eval eval_particle = {"particle",
                            (const BenchFunction[]){
                                {"rr", &particle_rr_model, "value", descent_rr, NULL, print_w},
                                {"ff", &particle_ff_model, "value", descent_ff, NULL, print_w},
                                {"fr", &particle_fr_model, "value", descent_fr, NULL, print_w},
                                {"rf", &particle_rf_model, "value", descent_rf, NULL, print_w},
                                {"value_r", &flight_rr_model, "value", flight_rr, NULL, print_m},
                                {"value_f", &flight_ff_model, "value", flight_ff, NULL, print_m},
                                {"d_rr", &flight_rr_model, "value", flight_rr, NULL, print_dm},
                                {"d_ff", &flight_ff_model, "value", flight_ff, NULL, print_dm},
                                {"d_fr", &flight_fr_model, "value", flight_fr, NULL, print_dm},
                                {"d_rf", &flight_rf_model, "value", flight_rf, NULL, print_dm},
                                {0},
                            }};
