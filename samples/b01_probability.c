/* B1: v1 = W x, v2 = relu(v1), v3 = w . v2, v4 = sigmoid(v3), L = -log(v4): the chain of adjoints
 * of the textbook, -1/v4, sigmoid', w, relu', W. One row of W is 0, so that relu sits at its kink
 * there. */
#include "b01_probability.h"
#include "common/rng.h"
#include "common/sample.h"

enum { D = 5, H = 4 };

int main(void) {
    Rng rng = {11};
    double x[D], W[H][D], w[H];
    for (int d = 0; d < D; d++) x[d] = rng_normal(&rng);
    for (int h = 0; h < H; h++) {
        w[h] = rng_normal(&rng);
        for (int d = 0; d < D; d++) W[h][d] = h == 2 ? 0 : rng_normal(&rng);
    }
    double L, d4, d3, d2[H], d1[H], dW[H][D], dw[H], dx[D];
    b01_probability_args a = {.D = D,
                              .H = H,
                              .x = x,
                              .W = &W[0][0],
                              .w = w,
                              .L = &L,
                              .d4 = &d4,
                              .d3 = &d3,
                              .d2 = d2,
                              .d1 = d1,
                              .W_grad = &dW[0][0],
                              .w_grad = dw,
                              .x_grad = dx};
    void *work = sample_workspace(b01_probability_workspace(&a));
    sample_must("b01_probability", b01_probability_value_and_gradient(&a, work));

    double v1[H], v2[H], v3 = 0;
    for (int h = 0; h < H; h++) {
        v1[h] = 0;
        for (int d = 0; d < D; d++) v1[h] += W[h][d] * x[d];
        v2[h] = v1[h] > 0 ? v1[h] : 0;
        v3 += w[h] * v2[h];
    }
    double v4 = 1 / (1 + exp(-v3));
    double t4 = -1 / v4, t3 = t4 * v4 * (1 - v4), t2[H], t1[H], tW[H][D], tw[H], tx[D] = {0};
    for (int h = 0; h < H; h++) {
        t2[h] = t3 * w[h];
        t1[h] = v1[h] > 0 ? t2[h] : 0;
        tw[h] = t3 * v2[h];
        for (int d = 0; d < D; d++) tW[h][d] = t1[h] * x[d], tx[d] += t1[h] * W[h][d];
    }
    sample_near("L = -log mu", L, -log(v4));
    sample_near("dL/dv4 = -1 / v4", d4, t4);
    sample_near("dL/dv3: sigmoid'", d3, t3);
    sample_near_all("dL/dv2: w", H, d2, t2);
    sample_near_all("dL/dv1: relu'", H, d1, t1);
    sample_near_all("dL/dW", H * D, &dW[0][0], &tW[0][0]);
    sample_near_all("dL/dw", H, dw, tw);
    sample_near_all("dL/dx", D, dx, tx);
    free(work);
    return sample_end();
}
