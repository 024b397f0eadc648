/* What gradc emits. MODEL is the prefix of its functions; PROBLEM_gradc.h sets the arguments. */
#include DATA_H
#include MODEL_H
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define ARGS JOIN(MODEL, _args)
#include ARGS_H
static ARGS args_, value_args;
static double *out_;
static void *workspace;
#ifndef OUTPUTS
#define OUTPUTS ((size_t)n_theta + 1)
#endif
static void open_all(int size) {
    open_data(size);
    out_ = bench_array(OUTPUTS);
    set_args(&args_, out_, out_ + 1);
    value_args = args_;
    size_t bytes = JOIN(MODEL, _workspace)(&args_);
    workspace = aligned_alloc(64, (bytes + 127) / 64 * 64);
}
static void value(void) {
    if (JOIN(MODEL, _value)(&value_args, workspace)) abort();
}
static void gradient(void) {
#ifdef OUTPUTS_ARE_DERIVATIVES
    value();
#else
    if (JOIN(MODEL, _value_and_gradient)(&args_, workspace)) abort();
#endif
}
static size_t result(const double **to) {
    *to = out_;
    return OUTPUTS;
}
static void close_all(void) {
    free(out_);
    free(workspace);
    close_data();
}
BENCH_EXPORT = {open_all, value, gradient, result, close_all, SIZES, size_names};
