/* ht: a hand of 22 bones, posed by 26 numbers; how far C of its points, given on triangles of its surface, are
 * from where they were measured (GradBench, complicated, big). The derivative: each row by its own two
 * coordinates on the triangle and by the 26 numbers. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"complicated big c800"};
enum { BONES = 22, V = 10000, T = 20000, C = 800, THETA = 26, COLUMNS = THETA + 2 };
static const int n_theta = THETA;
static size_t n_value, n_result;
static double *theta, *us, *base, *inverse_base, *position, *weight, *measured;
static int32_t *corner, *which;
static int32_t parent[BONES];
/* A frame: a rotation by angles drawn small, and a move. */
static void draw_frame(uint64_t *s, double *m) {
    const double a = bench_uniform(s) - 0.5, b = bench_uniform(s) - 0.5;
    const double c = 1 - a * a / 2 + a * a * a * a / 24, d = a - a * a * a / 6;
    const double e = 1 - b * b / 2 + b * b * b * b / 24, f = b - b * b * b / 6;
    const double frame[16] = {c, -d * e, d * f, bench_uniform(s), d, c * e, -c * f, bench_uniform(s),
                              0, f,      e,     bench_uniform(s), 0, 0,     0,      1};
    for (int k = 0; k < 16; k++) m[k] = frame[k];
}
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    n_value = 3 * C, n_result = n_value + 3 * C * COLUMNS;
    theta = bench_draw(&s, THETA, -0.5, 0.5);
    us = bench_draw(&s, 2 * C, 0, 0.5);
    base = bench_array(16 * BONES);
    inverse_base = bench_array(16 * BONES);
    for (int b = 0; b < BONES; b++) { /* a wrist, a palm, and five fingers of four bones */
        parent[b] = b < 2 ? b - 1 : (b - 2) % 4 == 0 ? 1 : b - 1;
        draw_frame(&s, base + 16 * b);
        draw_frame(&s, inverse_base + 16 * b);
    }
    position = bench_draw(&s, 4 * V, -1, 1);
    for (int v = 0; v < V; v++) position[4 * v + 3] = 1;
    weight = bench_array(BONES * V);
    for (int v = 0; v < V; v++) {
        for (int k = 0; k < 4; k++) weight[v * BONES + (int)(bench_bits(&s) % BONES)] += 0.25;
    }
    corner = bench_indices(&s, 3 * T, V);
    which = bench_indices(&s, C, T);
    measured = bench_draw(&s, 3 * C, -1, 1);
}
static void close_data(void) {
    free(theta), free(us), free(base), free(inverse_base), free(position), free(weight), free(measured);
    free(corner), free(which);
}
/* Three vertices of a point, by 22 bones each; their sum, once, for the columns, which are three bones each. */
static Work least_work(int derived) {
    Work w;
    w.operations = C * (3 * BONES * 28.0 + 30) + (derived ? C * (3 * BONES * 8.0 + 40 * 24 + 100) : 0);
    w.bytes = C * (3 * (BONES + 4) * 8.0 + 100) + (derived ? 8.0 * 3 * C * COLUMNS : 0);
    return w;
}
