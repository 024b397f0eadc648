/* Two emitted models in one program. Prints the loss of a line and its gradient, then the slope of a bump: numbers that
 * tests/integration.sh knows from the formulas. */
#include "bump.h"
#include "line.h"
#include <stdio.h>
#include <stdlib.h>

/* A workspace starts at a multiple of 64 bytes. */
static void *aligned(char *block) {
    return block + (64 - (uintptr_t)block % 64) % 64;
}

int main(void) {
    const double x[] = {0, 1, 2}, y[] = {1, 3, 6};
    double loss, a_grad, b_grad, f, x_grad;
    line_args line = {0};
    bump_args bump = {0};
    int status;
    char *block;
    line.N = 3, line.x = x, line.y = y, line.a = 2, line.b = 1;
    line.loss = &loss, line.a_grad = &a_grad, line.b_grad = &b_grad;
    bump.x = 0.5, bump.f = &f, bump.x_grad = &x_grad;

    block = malloc(line_workspace(&line) + 64);
    status = block ? line_value_and_gradient(&line, aligned(block)) : 1;
    free(block);
    if (status) return 1;
    block = malloc(bump_workspace(&bump) + 64);
    status = block ? bump_value_and_gradient(&bump, aligned(block)) : 1;
    free(block);
    if (status) return 1;
    printf("%g %g %g %.6f\n", loss, a_grad, b_grad, x_grad);
    return 0;
}
