/* B6: y = v . h(W3 h(W2 h(W1 x))) as messages along a chain: M1, M2, M3 forward, V3, V2, V1
 * backward. A weight's derivative is the message that comes from behind times the one from the
 * front. */
#include "b06_messages.h"
#include "common/rng.h"
#include "common/sample.h"

enum { D = 4, H1 = 5, H2 = 3, H3 = 6 };

static void fill(Rng *rng, double *a, int n) {
    for (int i = 0; i < n; i++) a[i] = rng_normal(rng) / 2;
}

/* forward[i] = sum over d of W[i, d] in[d] */
static void forward(int rows, int columns, const double *W, const double *in, double *message) {
    for (int i = 0; i < rows; i++) {
        message[i] = 0;
        for (int d = 0; d < columns; d++) message[i] += W[i * columns + d] * in[d];
    }
}

/* backward[d] = h'(M[d]) sum over i of W[i, d] behind[i] */
static void backward(int rows, int columns, const double *W, const double *behind, const double *M,
                     double *message) {
    for (int d = 0; d < columns; d++) {
        double sum = 0, h = tanh(M[d]);
        for (int i = 0; i < rows; i++) sum += W[i * columns + d] * behind[i];
        message[d] = sum * (1 - h * h);
    }
}

static void outer(int rows, int columns, const double *behind, const double *in, double *product) {
    for (int i = 0; i < rows * columns; i++) product[i] = behind[i / columns] * in[i % columns];
}

static void squash(int n, const double *M, double *h) {
    for (int i = 0; i < n; i++) h[i] = tanh(M[i]);
}

int main(void) {
    Rng rng = {16};
    double x[D], W1[H1 * D], W2[H2 * H1], W3[H3 * H2], v[H3];
    fill(&rng, x, D);
    fill(&rng, W1, H1 * D);
    fill(&rng, W2, H2 * H1);
    fill(&rng, W3, H3 * H2);
    fill(&rng, v, H3);
    double y, V1[H1], V2[H2], V3[H3], dW1[H1 * D], dW2[H2 * H1], dW3[H3 * H2], dv[H3];
    b06_messages_args a = {.D = D,
                           .H1 = H1,
                           .H2 = H2,
                           .H3 = H3,
                           .x = x,
                           .W1 = W1,
                           .W2 = W2,
                           .W3 = W3,
                           .v = v,
                           .y = &y,
                           .V1 = V1,
                           .V2 = V2,
                           .V3 = V3,
                           .W1_grad = dW1,
                           .W2_grad = dW2,
                           .W3_grad = dW3,
                           .v_grad = dv};
    void *work = sample_workspace(b06_messages_workspace(&a));
    sample_must("b06_messages", b06_messages_value_and_gradient(&a, work));

    double M1[H1], M2[H2], M3[H3], h1[H1], h2[H2], h3[H3], out;
    forward(H1, D, W1, x, M1), squash(H1, M1, h1);
    forward(H2, H1, W2, h1, M2), squash(H2, M2, h2);
    forward(H3, H2, W3, h2, M3), squash(H3, M3, h3);
    forward(1, H3, v, h3, &out);
    double one = 1, t1[H1], t2[H2], t3[H3], g1[H1 * D], g2[H2 * H1], g3[H3 * H2];
    backward(1, H3, v, &one, M3, t3);
    backward(H3, H2, W3, t3, M2, t2);
    backward(H2, H1, W2, t2, M1, t1);
    outer(H1, D, t1, x, g1), outer(H2, H1, t2, h1, g2), outer(H3, H2, t3, h2, g3);

    sample_near("y", y, out);
    sample_near_all("backward message V3", H3, V3, t3);
    sample_near_all("backward message V2", H2, V2, t2);
    sample_near_all("backward message V1", H1, V1, t1);
    sample_near_all("dy/dW1 = V1 x'", H1 * D, dW1, g1);
    sample_near_all("dy/dW2 = V2 h(M1)'", H2 * H1, dW2, g2);
    sample_near_all("dy/dW3 = V3 h(M2)'", H3 * H2, dW3, g3);
    sample_near_all("dy/dv = h(M3)", H3, dv, h3);
    free(work);
    return sample_end();
}
