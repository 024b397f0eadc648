/* minors: the determinant as GradBench writes it (samples/gradbench/det_minors.grad, compiled for
 * the size SIZE) beside the sum over all permutations; its gradient beside the cofactors. */
#include "det_minors.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The sum over all permutations of the rows from `row` on, in columns that are not used. */
static long double permutations(const double *A, int row, int without, unsigned used) {
    if (row == without) row++;
    if (row >= SIZE) return 1;
    long double sum = 0;
    int sign = 1; /* of the next column that is free */
    for (int c = 0; c < SIZE; c++) {
        if (used >> c & 1) continue;
        sum += sign * A[row * SIZE + c] * permutations(A, row + 1, without, used | 1u << c);
        sign = -sign;
    }
    return sum;
}

int main(void) {
    double A[SIZE * SIZE], d, gradient[SIZE * SIZE], off = 0, most = 0;
    for (int i = 0; i < SIZE * SIZE; i++) A[i] = sin(1 + i + 0.37 * i * i);
    if (SIZE > 1) A[0] = 0;
    det_minors_args a = {.A = A, .d = &d, .A_grad = gradient};
    const size_t bytes = det_minors_workspace(&a);
    void *workspace = aligned_alloc(64, bytes / 64 * 64 + 64);
    if (!workspace || det_minors_value_and_gradient(&a, workspace) != 0) return EXIT_FAILURE;
    const double want = (double)permutations(A, 0, SIZE, 0);
    if (!(fabs(d - want) <= 1e-12 * fabs(want))) {
        printf("det_minors of %d: %.17g, expected %.17g\n", SIZE, d, want);
        return EXIT_FAILURE;
    }
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) {
            const double cofactor =
                (double)((i + j) % 2 ? -1 : 1) * (double)permutations(A, 0, i, 1u << j);
            const double difference = fabs(gradient[i * SIZE + j] - cofactor);
            most = fmax(most, fabs(cofactor));
            if (!(difference <= off)) off = difference;
        }
    }
    free(workspace);
    if (!(off <= 1e-12 * most)) {
        printf("det_minors of %d: its gradient is off by %g of %g\n", SIZE, off, most);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
