/* B4: the net of B3 with vectors: phi = s(U x + c), mu = s(w . phi + b), the Bernoulli cost. The
 * gradient by U is the outer product (mu - y) (w * phi') x'. */
#include "b04_vector_net.h"
#include "common/rng.h"
#include "common/sample.h"

enum { D = 5, H = 3 };

int main(void) {
    Rng rng = {14};
    double x[D], U[H][D], c[H], w[H];
    for (int d = 0; d < D; d++) x[d] = rng_normal(&rng);
    for (int h = 0; h < H; h++) {
        c[h] = rng_normal(&rng), w[h] = rng_normal(&rng);
        for (int d = 0; d < D; d++) U[h][d] = rng_normal(&rng);
    }
    double cost, dU[H][D], dc[H], dw[H], db;
    b04_vector_net_args a = {.D = D,
                             .H = H,
                             .x = x,
                             .U = &U[0][0],
                             .c = c,
                             .w = w,
                             .b = 0.25,
                             .cost = &cost,
                             .U_grad = &dU[0][0],
                             .c_grad = dc,
                             .w_grad = dw,
                             .b_grad = &db};
    void *work = sample_workspace(b04_vector_net_workspace(&a));

    for (int y = 0; y < 2; y++) {
        a.y = (uint8_t)y;
        sample_must("b04_vector_net", b04_vector_net_value_and_gradient(&a, work));
        double phi[H], score = a.b, tU[H][D], tc[H], tw[H];
        for (int h = 0; h < H; h++) {
            double sum = c[h];
            for (int d = 0; d < D; d++) sum += U[h][d] * x[d];
            phi[h] = 1 / (1 + exp(-sum));
            score += w[h] * phi[h];
        }
        double mu = 1 / (1 + exp(-score));
        for (int h = 0; h < H; h++) {
            tw[h] = (mu - y) * phi[h];
            tc[h] = (mu - y) * w[h] * phi[h] * (1 - phi[h]);
            for (int d = 0; d < D; d++) tU[h][d] = tc[h] * x[d];
        }
        printf("  y = %d\n", y);
        sample_near("cost", cost, y ? -log(mu) : -log(1 - mu));
        sample_near_all("by U: (mu - y) (w * phi') x'", H * D, &dU[0][0], &tU[0][0]);
        sample_near_all("by c: (mu - y) w * phi'", H, dc, tc);
        sample_near_all("by w: (mu - y) phi", H, dw, tw);
        sample_near("by b: mu - y", db, mu - y);
    }
    free(work);
    return sample_end();
}
