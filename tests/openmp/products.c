/* products: the bits of products of matrices, all layouts, both precisions, for comparison between
 * builds: with -DGRADC_THREADS and -fopenmp threads share them. */
#include <gradc.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t sum = 14695981039346656037u;

static void digest(const void *p, size_t n) {
    for (size_t k = 0; k < n; k++) {
        sum = (sum ^ ((const unsigned char *)p)[k]) * 1099511628211u;
    }
}

int main(void) {
    static const size_t shapes[][3] = {{120, 130, 140}, {5, 400, 300}, {400, 5, 300}, {1, 900, 700},
                                       {900, 1, 700},   {300, 40, 60}, {33, 129, 277}, {12, 12, 5000}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
        double *a = malloc(m * k * sizeof *a), *b = malloc(k * n * sizeof *b), *c = malloc(m * n * sizeof *c);
        float *x = malloc(m * k * sizeof *x), *y = malloc(k * n * sizeof *y), *z = malloc(m * n * sizeof *z);
        if (!a || !b || !c || !x || !y || !z) {
            return 2;
        }
        for (size_t i = 0; i < m * k; i++) {
            a[i] = (double)(i * 2654435761u % 1000003) / 500000 - 1, x[i] = (float)a[i];
        }
        for (size_t i = 0; i < k * n; i++) {
            b[i] = (double)(i * 40503u % 999983) / 500000 - 1, y[i] = (float)b[i];
        }
        for (int layout = 0; layout < 8; layout++) {
            const size_t ar = layout & 1 ? 1 : k, ac = layout & 1 ? m : 1, br = layout & 2 ? 1 : n,
                         bc = layout & 2 ? k : 1, cr = layout & 4 ? 1 : n, cc = layout & 4 ? m : 1;
            for (int accumulate = -1; accumulate < 2; accumulate++) {
                for (size_t i = 0; i < m * n; i++) {
                    c[i] = 1, z[i] = 1;
                }
                gradc_matmul(m, n, k, a, ar, ac, b, br, bc, c, cr, cc, accumulate);
                gradc_matmulf(m, n, k, x, ar, ac, y, br, bc, z, cr, cc, accumulate);
                digest(c, m * n * sizeof *c);
                digest(z, m * n * sizeof *z);
            }
        }
        printf("%zu x %zu x %zu: %016llx\n", m, n, k, (unsigned long long)sum);
        free(a), free(b), free(c), free(x), free(y), free(z);
    }
    return 0;
}
