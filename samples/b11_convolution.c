/* B11: F filters of K x K over an image, once where they fit (y) and once with a border of zeros
 * (z); e = sum relu(y) + sum z^2. The filters are shared by all places, so their gradient is a sum
 * over the image; the gradient by the image gathers from the places that saw the pixel. */
#include "b11_convolution.h"
#include "common/rng.h"
#include "common/sample.h"

enum { H = 7, W = 9, K = 3, F = 2, P = H - K + 1, Q = W - K + 1 };

int main(void) {
    Rng rng = {21};
    double x[H][W], k[F][K][K], y[F][P][Q], z[F][H][W], e, dk[F][K][K], dx[H][W];
    for (int i = 0; i < H * W; i++) x[i / W][i % W] = rng_normal(&rng);
    for (int i = 0; i < F * K * K; i++) k[i / (K * K)][i / K % K][i % K] = rng_normal(&rng);
    b11_convolution_args a = {.H = H,
                              .W = W,
                              .K = K,
                              .F = F,
                              .x = &x[0][0],
                              .k = &k[0][0][0],
                              .y = &y[0][0][0],
                              .z = &z[0][0][0],
                              .e = &e,
                              .k_grad = &dk[0][0][0],
                              .x_grad = &dx[0][0]};
    void *work = sample_workspace(b11_convolution_workspace(&a));
    sample_must("b11_convolution", b11_convolution_value_and_gradient(&a, work));

    /* By hand: values first, then every product k * x once more with the adjoint of its result. */
    double ty[F][P][Q] = {{{0}}}, tz[F][H][W] = {{{0}}}, te = 0;
    double tk[F][K][K] = {{{0}}}, tx[H][W] = {{0}};
    for (int back = 0; back < 2; back++) {
        for (int f = 0; f < F; f++)
            for (int i = 0; i < H; i++)
                for (int j = 0; j < W; j++)
                    for (int p = 0; p < K; p++)
                        for (int q = 0; q < K; q++) {
                            if (i < P && j < Q) {
                                double bar = ty[f][i][j] > 0;
                                if (!back) ty[f][i][j] += k[f][p][q] * x[i + p][j + q];
                                else
                                    tk[f][p][q] += bar * x[i + p][j + q],
                                        tx[i + p][j + q] += bar * k[f][p][q];
                            }
                            int r = i + p - 1, s = j + q - 1;
                            if (r < 0 || r >= H || s < 0 || s >= W) continue;
                            double bar = 2 * tz[f][i][j];
                            if (!back) tz[f][i][j] += k[f][p][q] * x[r][s];
                            else tk[f][p][q] += bar * x[r][s], tx[r][s] += bar * k[f][p][q];
                        }
    }
    for (int i = 0; i < F * P * Q; i++) te += fmax(0, (&ty[0][0][0])[i]);
    for (int i = 0; i < F * H * W; i++) te += (&tz[0][0][0])[i] * (&tz[0][0][0])[i];

    sample_near_all("y, where the filters fit", F * P * Q, &y[0][0][0], &ty[0][0][0]);
    sample_near_all("z, with a border of zeros", F * H * W, &z[0][0][0], &tz[0][0][0]);
    sample_near("e", e, te);
    sample_near_all("by the filters", F * K * K, &dk[0][0][0], &tk[0][0][0]);
    sample_near_all("by the image", H * W, &dx[0][0], &tx[0][0]);
    free(work);
    return sample_end();
}
