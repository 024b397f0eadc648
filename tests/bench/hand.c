/* What is written by hand in C: value and derivative as fast as we know how (problems/NAME_hand.h), or with calls
 * of a library (problems/NAME_blas.h). Such a header, HAND_H, has hand_space, hand_value and hand_derived, or says
 * VALUE_ALONE. */
#include "contender.h"
#include HAND_H
static NUMBER *space;
static void open_hand(int size) {
    open_out(size);
    space = bench_array(hand_space());
}
static void value(void) {
    hand_value(out, space);
}
static void close_hand(void) {
    free(space);
    close_out();
}
#ifdef VALUE_ALONE
BENCH(open_hand, value, NULL, NULL, value_alone, close_hand);
#else
static void derived(void) {
    hand_derived(out, space);
}
BENCH(open_hand, value, derived, NULL, all_results, close_hand);
#endif
