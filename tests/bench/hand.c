/* Value and derivative by hand, as fast as we can write them in C: what a compiler of equations should reach.
 * problems/NAME_hand.h has hand_space, hand_value and hand_derived. */
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
static void derived(void) {
    hand_derived(out, space);
}
static void close_hand(void) {
    free(space);
    close_out();
}
BENCH(open_hand, value, derived, NULL, all_results, close_hand);
