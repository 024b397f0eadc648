/* What a derivative is at a kink, a tie or a zero: the table of the language. */
#include "kinks.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 4 };
static int passed, failed;

static void is(const char *what, double got, double want) {
    if (got == want) {
        passed++;
    } else {
        failed++;
        printf("  %s: %.17g, but should be %.17g\n", what, got, want);
    }
}

static void are(const char *what, const double *got, double a, double b, double c, double d) {
    is(what, got[0], a), is(what, got[1], b), is(what, got[2], c), is(what, got[3], d);
}

static double r, r_1, m, m_1, sum_1[N], most, most_a, most_b, least, least_a, least_b, top, top_1[N], low, low_1[N], top_square[N], there, there_1[N],
    below, below_1[N], far_, far_a, far_b, turn, turn_a, turn_b, all, all_1[N], all_2[N][N], cube, cube_1, cube_2, cube_3, power, power_a, power_b;
static int32_t at, under;

static void run(double a, double b, const double *x) {
    kinks_args args = {.N = N, .a = a, .b = b, .x = x, .r = &r, .r_1 = &r_1, .m = &m, .m_1 = &m_1, .sum_1 = sum_1, .most = &most, .most_a = &most_a,
        .most_b = &most_b, .least = &least, .least_a = &least_a, .least_b = &least_b, .top = &top, .top_1 = top_1, .low = &low, .low_1 = low_1,
        .top_square = top_square, .at = &at, .there = &there, .there_1 = there_1, .under = &under, .below = &below, .below_1 = below_1,
        .distance = &far_, .distance_a = &far_a, .distance_b = &far_b, .turn = &turn, .turn_a = &turn_a, .turn_b = &turn_b, .all = &all,
        .all_1 = all_1, .all_2 = all_2[0], .cube = &cube, .cube_1 = &cube_1, .cube_2 = &cube_2, .cube_3 = &cube_3, .power = &power,
        .power_a = &power_a, .power_b = &power_b};
    size_t bytes = kinks_workspace(&args);
    void *workspace = aligned_alloc(64, bytes + 64 - bytes % 64);
    is("status", kinks_value(&args, workspace), 0);
    free(workspace);
}

int main(void) {
    static const double ties[N] = {0, 2, 2, 0}, same[N] = {-1, -1, -1, -1}, minus[N] = {-0.0, 3, 0, 3};

    run(0, 0, ties);
    is("relu'(0)", r_1, 0), is("abs'(0)", m_1, 0);
    are("relu + abs + sign", sum_1, 0, 0, 0, 0);
    is("max(0, 0)", most, 0), is("by a", most_a, 1), is("by b", most_b, 0);
    is("min(0, 0)", least, 0), is("by a", least_a, 1), is("by b", least_b, 0);
    is("hypot(0, 0)", far_, 0), is("by a", far_a, 0), is("by b", far_b, 0);
    is("atan2(0, 0)", turn, 0), is("by a", turn_a, 0), is("by b", turn_b, 0);
    is("0^3", cube, 0), is("its derivative", cube_1, 0), is("second", cube_2, 0), is("third", cube_3, 6);
    is("0^0", power, 1), is("by the base", power_a, 0), is("by the exponent", power_b, 0);
    is("max", top, 2), are("its derivative: to the first", top_1, 0, 1, 0, 0);
    is("min", low, 0), are("its derivative: to the first", low_1, 1, 0, 0, 0);
    are("second derivative of max^2", top_square, 0, 2, 0, 0);
    is("argmax", at, 1), is("x there", there, 2), are("its derivative", there_1, 0, 1, 0, 0);
    is("argmin", under, 0), is("x there", below, 0), are("its derivative", below_1, 1, 0, 0, 0);
    /* two factors are 0: no first derivative is left, and of second ones that by both */
    is("product", all, 0), are("its derivative", all_1, 0, 0, 0, 0);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) is("second derivative of the product", all_2[i][j], (i == 0 && j == 3) || (i == 3 && j == 0) ? 4 : 0);
    }

    run(-0.0, 0, minus); /* the sign of a zero makes no difference */
    is("relu'(-0)", r_1, 0), is("abs'(-0)", m_1, 0), is("by a", most_a, 1), is("by b", least_b, 0);
    is("min", low, 0), are("to the first", low_1, 1, 0, 0, 0), are("max to the first", top_1, 0, 1, 0, 0);

    run(-2, 3, same);
    is("relu'(-2)", r_1, 0), is("abs'(-2)", m_1, -1), is("by a", most_a, 0), is("by b", most_b, 1), is("by a", least_a, 1), is("by b", least_b, 0);
    are("all are the greatest", top_1, 1, 0, 0, 0), are("and the least", low_1, 1, 0, 0, 0);
    is("(-2)^3", cube, -8), is("its derivative", cube_1, 12), is("second", cube_2, -12), is("third", cube_3, 6);
    is("product", all, 1), are("its derivative", all_1, -1, -1, -1, -1), are("second", all_2[0], 0, 1, 1, 1);

    run(2, 2, ties);
    is("max(2, 2)", most_a, 1), is("by b", most_b, 0), is("min(2, 2)", least_a, 1), is("by b", least_b, 0);
    is("relu'(2)", r_1, 1), is("abs'(2)", m_1, 1), is("2^2", power, 4), is("by the base", power_a, 4);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
