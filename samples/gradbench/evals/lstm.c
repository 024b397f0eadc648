/* lstm: L layers of B units, T steps. Of the rows of main_params and state, two belong to a layer. The
 * gradient is one list: by main_params, then by extra_params. */
#include "../bench.h"
#include "lstm.h"

static void prepare(Bench *b) {
    int64_t steps[2] = {0, 0};
    const double *x = bench_numbers(b, "sequence", 2, steps);
    const int64_t bits = steps[1];
    int64_t state[2] = {0, bits}, ends[2] = {3, bits};
    const double *start = bench_numbers(b, "state", 2, state);
    int64_t gates[2] = {state[0], 4 * bits};
    if (state[0] % 2 != 0) bench_fail(b, "state has %d rows; there are two for each layer", (int)state[0]);
    if (steps[0] < 2) bench_fail(b, "sequence has one row; the loss is about the next ones");
    const int64_t weights = gates[0] * gates[1];
    double *grad = bench_result(b, weights + 3 * bits);
    lstm_args *a = b->args = bench_alloc(b, 1, sizeof *a);
    *a = (lstm_args){.L = state[0] / 2,
                     .T = steps[0],
                     .B = bits,
                     .x = x,
                     .start = start,
                     .w = bench_numbers(b, "main_params", 2, gates),
                     .ends = bench_numbers(b, "extra_params", 2, ends),
                     .loss = bench_result(b, 1),
                     .w_grad = grad,
                     .ends_grad = b->error[0] ? grad : grad + weights};
}

static void print_objective(const Bench *b, FILE *out) {
    print_number(out, *((lstm_args *)b->args)->loss);
}

static void print_jacobian(const Bench *b, FILE *out) {
    const lstm_args *a = b->args;
    const int64_t n = 8 * a->L * a->B + 3 * a->B;
    print_numbers(out, a->w_grad, 1, &n);
}

const Eval eval_lstm = {"lstm",
                        (const BenchFunction[]){
                            {"objective", &lstm_model, "value", prepare, NULL, print_objective},
                            {"jacobian", &lstm_model, "value_and_gradient", prepare, NULL, print_jacobian},
                            {0},
                        }};
