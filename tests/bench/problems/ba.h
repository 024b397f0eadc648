/* ba: reprojection errors of P observations of M points by N cameras, as many as in the first bundle of
 * GradBench; two rows of 15 derivatives each, by the camera, the point and the weight, with their pattern
 * as a CSR matrix. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"49 cameras, 31843 rows"};
enum { N = 49, M = 7776, P = 31843, CAMERA = 11, ROW = CAMERA + 3 + 1 };
static size_t n_value, n_result;
static const int n_theta = 0;
static const double *const theta = NULL;
static double *cam, *X, *w, *feat;
static int32_t *camera, *point, *rows, *cols;
/* A camera that looks along -z from some distance: rotation 3, centre 3, focal 1, principal 2, radial 2. */
static void draw_camera(uint64_t *s, double *c) {
    static const double from[CAMERA] = {-.3, -.3, -.3, -1, -1, -9, 480, -2, -2, -.1, -.01};
    static const double to[CAMERA] = {.3, .3, .3, 1, 1, -7, 520, 2, 2, .1, .01};
    for (int k = 0; k < CAMERA; k++) c[k] = from[k] + (to[k] - from[k]) * bench_uniform(s);
}
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    n_value = 3 * P, n_result = n_value + 2 * ROW * P + P;
    cam = bench_array(N * CAMERA);
    for (int i = 0; i < N; i++) draw_camera(&s, cam + i * CAMERA);
    X = bench_draw(&s, M * 3, -1, 1);
    w = bench_draw(&s, P, 0.5, 1);
    feat = bench_draw(&s, P * 2, -100, 100);
    camera = bench_indices(&s, P, N);
    point = bench_indices(&s, P, M);
    rows = (int32_t *)bench_bytes((3 * P + 1) * sizeof *rows);
    cols = (int32_t *)bench_bytes((2 * ROW + 1) * P * sizeof *cols);
}
static void close_data(void) {
    free(cam), free(X), free(w), free(feat), free(camera), free(point), free(rows), free(cols);
}
static void write_pattern(void) {
    const int points = CAMERA * N, weights = points + 3 * M;
    for (int i = 0; i < P; i++) {
        int32_t *col = cols + 2 * ROW * i;
        const int c = CAMERA * camera[i], p = points + 3 * point[i];
        for (int r = 0; r < 2 * ROW; r += ROW) {
            for (int k = 0; k < CAMERA; k++) col[r + k] = c + k;
            for (int k = 0; k < 3; k++) col[r + CAMERA + k] = p + k;
            col[r + ROW - 1] = weights + i;
        }
        cols[2 * ROW * P + i] = weights + i;
    }
    for (int i = 0; i <= 2 * P; i++) rows[i] = ROW * i;
    for (int i = 1; i <= P; i++) rows[2 * P + i] = 2 * ROW * P + i;
}
/* Sixty operations for the errors, two hundred for both rows; what is of a camera alone counts nothing. */
static Work least_work(int derived) {
    Work work;
    work.operations = P * (derived ? 260.0 : 60.0);
    work.bytes = P * (8.0 * (3 + 3 + 1 + 2) + 8) + (derived ? P * (31 * 12 + 12.0) : 0);
    return work;
}
