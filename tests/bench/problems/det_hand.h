/* Minors by their sets of columns, each once, in the order of their size; the tables, which are constants of L,
 * are made before. The row of a size has its signs in a second copy. Back, each minor is pushed to its own. */
#include "../hand.h"
static uint8_t column_of[L + 1][L * SUBSETS];    /* of member q of a set, plus L where its sign is negative */
static uint16_t rest_of[L + 1][L * SUBSETS];     /* the place of the set without it */
static int sets_of[L + 1], first_of[L + 1];      /* how many of each size, and the place of the first */
static size_t hand_space(void) {
    static uint16_t place[SUBSETS];
    int places = 0;
    for (int m = 0; m <= L; m++) {
        int k = 0;
        first_of[m] = places;
        for (int set = 0; set < SUBSETS; set++) {
            if (set_size[set] != m) continue;
            place[set] = (uint16_t)places++;
            for (int q = 0; q < m; q++, k++) {
                column_of[m][k] = (uint8_t)(col[set * L + q] + ((m - 1 - q) % 2 ? L : 0));
                rest_of[m][k] = place[less[set * L + q]];
            }
        }
        sets_of[m] = places - first_of[m];
    }
    return 2 * SUBSETS;
}
static void signed_row(const double *A, int m, double *row) {
    for (int j = 0; j < L; j++) {
        row[j] = A[(m - 1) * L + j];
        row[L + j] = -row[j];
    }
}
AI void forward(const double *A, int m, double *f) {
    double row[2 * L], *to = f + first_of[m];
    const uint8_t *c = column_of[m];
    const uint16_t *r = rest_of[m];
    signed_row(A, m, row);
    NOVEC for (int s = 0; s < sets_of[m]; s++, c += m, r += m) {
        double sum = 0;
        _Pragma("GCC unroll 8") for (int q = 0; q < m; q++) sum += row[c[q]] * f[r[q]];
        to[s] = sum;
    }
}
AI void backward(const double *A, int m, const double *f, double *bar, double *grad) {
    double row[2 * L], sums[2 * L] = {0};
    const double *from = bar + first_of[m];
    const uint8_t *c = column_of[m];
    const uint16_t *r = rest_of[m];
    signed_row(A, m, row);
    NOVEC for (int s = 0; s < sets_of[m]; s++, c += m, r += m) {
        const double t = from[s];
        _Pragma("GCC unroll 8") for (int q = 0; q < m; q++) {
            bar[r[q]] += row[c[q]] * t;
            sums[c[q]] += f[r[q]] * t;
        }
    }
    for (int j = 0; j < L; j++) grad[(m - 1) * L + j] = sums[j] - sums[L + j];
}
static void hand_value(double *to, double *f) {
    f[0] = 1;
    forward(theta, 1, f), forward(theta, 2, f), forward(theta, 3, f), forward(theta, 4, f);
    forward(theta, 5, f), forward(theta, 6, f), forward(theta, 7, f), forward(theta, 8, f);
    to[0] = f[SUBSETS - 1];
}
static void hand_derived(double *to, double *f) {
    double *bar = f + SUBSETS, *grad = to + 1;
    hand_value(to, f);
    for (int s = 0; s < SUBSETS; s++) bar[s] = s == SUBSETS - 1;
    backward(theta, 8, f, bar, grad), backward(theta, 7, f, bar, grad), backward(theta, 6, f, bar, grad);
    backward(theta, 5, f, bar, grad), backward(theta, 4, f, bar, grad), backward(theta, 3, f, bar, grad);
    backward(theta, 2, f, bar, grad), backward(theta, 1, f, bar, grad);
}
