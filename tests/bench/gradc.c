/* What gradc emits. VALUE is what the names of the model of the value begin with, and VALUE_H its header;
 * DERIVED likewise for the model of the derivative, often the same, of which DERIVED_CALL is called with the
 * workspace that DERIVED_SPACE tells. Either may be missing. problems/NAME_gradc.h sets the arguments of a
 * model: a function SET(ARGS *a), and is read once for each of the two, the second time with DERIVATIVE. */
#include "contender.h"
#include <stdio.h>
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

#ifdef THREADS
#include <omp.h>
static void share(void) { /* all contenders have the same library */
    omp_set_num_threads(THREADS);
}
#else
#define share()
#endif

static void must(int status) {
    if (status != 0) {
        fprintf(stderr, "bench: status %d\n", status);
        exit(1);
    }
}

#ifdef VALUE
#include VALUE_H
#define ARGS JOIN(VALUE, _args)
#define SET set_value
#include ARGS_H
static ARGS value_args;
static void *value_space;
static void open_value(void) {
    set_value(&value_args);
    value_space = bench_bytes(JOIN(VALUE, _workspace)(&value_args));
}
static void value(void) {
    share();
    must(JOIN(VALUE, _value)(&value_args, value_space));
}
static void close_value(void) {
    free(value_space);
}
#undef ARGS
#undef SET
#else
#define value NULL
#define open_value()
#define close_value()
#endif

#ifdef DERIVED
#include DERIVED_H
#define DERIVATIVE
#define ARGS JOIN(DERIVED, _args)
#define SET set_derived
#include ARGS_H
static ARGS derived_args;
static void *derived_space;
static void open_derived(void) {
    set_derived(&derived_args);
    derived_space = bench_bytes(JOIN(DERIVED, DERIVED_SPACE)(&derived_args));
}
static void derived(void) {
    share();
    must(JOIN(DERIVED, DERIVED_CALL)(&derived_args, derived_space));
#ifdef AFTERWARDS
    AFTERWARDS
#endif
}
static void close_derived(void) {
    free(derived_space);
}
#define result all_results
#else
#define derived NULL
#define open_derived()
#define close_derived()
#define result value_alone
#endif

static void open_all(int size) {
    open_out(size);
    open_value();
    open_derived();
}
static void close_all(void) {
    close_value();
    close_derived();
    close_out();
}
BENCH(open_all, value, derived, NULL, result, close_all);
