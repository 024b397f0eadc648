/* Linear recurrences in stages, steps.grad: that they go in one stage changes no value and no derivative. Each model is compared with
 * its twin, which stays as it is written, for sizes down to those that are all margin; where the twin is finite, the model has to be. */
#include "back.h"
#include "back_slow.h"
#include "chain.h"
#include "chain_slow.h"
#include "held.h"
#include "held_slow.h"
#include "spring.h"
#include "spring_slow.h"
#include "wall.h"
#include "wall_slow.h"
#include "wave.h"
#include "wave_slow.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 9, TURNS = 20, ALL = (TURNS + 1) * MOST * MOST };
static int passed, failed;
static double x[MOST], u[2 * MOST], on[TURNS], f[2], y[2][ALL], x_grad[2][MOST], u_grad[2][2 * MOST];

static void near(const char *name, const char *what, int n, int turns, int count, const double *got, const double *want) {
    double most = 0, off = 0;
    for (int k = 0; k < count; k++) {
        if (isfinite(want[k])) {
            most = fmax(most, fabs(want[k]));
        }
    }
    for (int k = 0; k < count; k++) {
        if (isfinite(want[k])) {
            off = isfinite(got[k]) ? fmax(off, fabs(got[k] - want[k])) : INFINITY;
        }
    }
    if (off <= 1e-13 * most) {
        passed++;
    } else {
        failed++;
        printf("  %s, N = %d, T = %d: %s is off by %g of %g\n", name, n, turns, what, off, most);
    }
}

#define RUN(NAME, WHICH, ...)                                                                                        \
    do {                                                                                                             \
        NAME##_args a = {.N = n, .T = turns, .x = x, .u = u, .f = &f[WHICH], .y = y[WHICH], .x_grad = x_grad[WHICH], \
            __VA_ARGS__};                                                                                            \
        void *space = malloc(NAME##_workspace(&a) + 64);                                                             \
        int status = NAME##_value_and_gradient(&a, (char *)space + (64 - (size_t)space % 64) % 64);                  \
        free(space);                                                                                                 \
        if (status) {                                                                                                \
            failed++;                                                                                                \
            printf("  " #NAME ", N = %d, T = %d: status %d\n", n, turns, status);                                    \
        }                                                                                                            \
    } while (0)
#define COMPARE(NAME, ENTRIES)                                    \
    RUN(NAME, 0, .u_grad = u_grad[0]);                            \
    RUN(NAME##_slow, 1, .u_grad = u_grad[1], .on = on);           \
    near(#NAME, "f", n, turns, 1, &f[0], &f[1]);                  \
    near(#NAME, "y", n, turns, (ENTRIES), y[0], y[1]);            \
    near(#NAME, "x_grad", n, turns, n, x_grad[0], x_grad[1]);     \
    near(#NAME, "u_grad", n, turns, 2 * n, u_grad[0], u_grad[1])

int main(void) {
    for (int k = 0; k < TURNS; k++) {
        on[k] = 1;
    }
    for (int n = 1; n <= MOST; n++) {
        for (int turns = 1; turns <= TURNS; turns = turns < 3 ? turns + 1 : turns + 17) {
            for (int k = 0; k < n; k++) {
                x[k] = 0.3 + 0.2 * cos(k * 7 + 1);
                u[k] = 1 + sin(k * 3 + 2), u[n + k] = cos(k * 5);
            }
            COMPARE(chain, (turns + 1) * n);
            COMPARE(spring, (turns + 1) * n);
            COMPARE(back, (turns + 1) * n);
            COMPARE(wave, (turns + 1) * n * n);
            COMPARE(wall, (turns + 1) * n);
            COMPARE(held, (turns + 1) * n);
            for (int k = 0; k < n; k++) { /* all but the wall overflows */
                x[k] *= 1e30;
            }
            COMPARE(wall, (turns + 1) * n);
            COMPARE(held, (turns + 1) * n);
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
