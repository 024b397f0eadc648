/* hello: x -> x^2 and 2 x. */
#include "../bench.h"
#include "hello.h"

typedef struct Hello {
    double y, dx;
} Hello;

static void prepare(Bench *b) {
    Hello *h = b->own = bench_alloc(b, 1, sizeof *h);
    hello_args *a = b->args = bench_alloc(b, 1, sizeof *a);
    *a = (hello_args){.x = bench_number(b, ""), .y = &h->y, .x_grad = &h->dx};
}

static void print_square(const Bench *b, FILE *out) {
    print_number(out, ((Hello *)b->own)->y);
}

static void print_double(const Bench *b, FILE *out) {
    print_number(out, ((Hello *)b->own)->dx);
}

const Eval eval_hello = {"hello",
                         (const BenchFunction[]){
                             {"square", &hello_model, "value", prepare, NULL, print_square},
                             {"double", &hello_model, "value_and_gradient", prepare, NULL, print_double},
                             {0},
                         }};
