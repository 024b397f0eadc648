/* The five products by CBLAS, one thread, and plain loops around them. */
#include <cblas.h>
#include <math.h>
static size_t hand_space(void) {
    openblas_set_num_threads(1);
    return (size_t)(B * (H + C));
}
static void run(float *to, float *h, int with) {
    const float *bV = theta + H * D, *W = bV + H, *bW = W + C * H;
    float *f = h + B * H, loss = 0;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, B, H, D, 1, x, D, theta, D, 0, h, H);
    for (int n = 0; n < B; n++) {
        for (int j = 0; j < H; j++) h[n * H + j] = tanhf(h[n * H + j] + bV[j]);
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, B, C, H, 1, h, H, W, H, 0, f, C);
    for (int n = 0; n < B; n++) {
        float most = -INFINITY, sum = 0, *row = f + n * C;
        for (int c = 0; c < C; c++) {
            row[c] += bW[c];
            most = fmaxf(most, row[c]);
        }
        const float chosen = row[y[n]];
        for (int c = 0; c < C; c++) {
            row[c] = expf(row[c] - most);
            sum += row[c];
        }
        loss += most + logf(sum) - chosen;
        for (int c = 0; c < C; c++) row[c] = (row[c] / sum - (c == y[n])) / (float)B;
    }
    to[0] = loss / (float)B;
    if (!with) return;
    float *gV = to + 1, *gbV = gV + H * D, *gW = gbV + H, *gbW = gW + C * H;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, C, H, B, 1, f, C, h, H, 0, gW, H);
    for (int c = 0; c < C; c++) gbW[c] = 0;
    for (int j = 0; j < H; j++) gbV[j] = 0;
    for (int n = 0; n < B; n++) {
        for (int c = 0; c < C; c++) gbW[c] += f[n * C + c];
        for (int j = 0; j < H; j++) {
            float bar = 0, at = h[n * H + j];
            for (int c = 0; c < C; c++) bar += f[n * C + c] * W[c * H + j];
            h[n * H + j] = bar * (1 - at * at);
            gbV[j] += h[n * H + j];
        }
    }
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, H, D, B, 1, h, H, x, D, 0, gV, D);
}
static void hand_value(float *to, float *h) {
    run(to, h, 0);
}
static void hand_derived(float *to, float *h) {
    run(to, h, 1);
}
