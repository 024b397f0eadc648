/* A10: two of the three ways to build a differentiable program: blocks, which are functions that
 * know their derivative (`partial`), and primitives, whose derivative is derived. Both give the
 * same, in first and in second order. (The third way, a tape that records what a program does while
 * it runs, is not what gradc is for: it compiles equations.)
 *
 * f = softplus(sum p^2) + root, p = softmax(v), root^3 + c root = p_0, c = exp(a). A block is worth
 * it where mathematics knows more than the computation: the root does not depend on the way to it,
 * so its derivative, 1 / (3 root^2 + c) by p_0, needs no step of the iteration. */
#include "a10_blocks.h"
#include "common/rng.h"
#include "common/sample.h"

enum { K = 5 };

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

/* f at v and a, and its gradient g, by v and then by a. */
static double by_hand(const double *v, double a, double *g) {
    double p[K], total = 0, square = 0, bar[K], mean = 0, c = exp(a);
    for (int k = 0; k < K; k++) total += p[k] = exp(v[k]);
    for (int k = 0; k < K; k++) p[k] /= total, square += p[k] * p[k];
    /* the root in closed form: with sinh(3 u) = 3 sinh u + 4 sinh^3 u */
    double scale = 2 * sqrt(c / 3),
           root = scale * sinh(asinh(4 * p[0] / (scale * scale * scale)) / 3);
    for (int k = 0; k < K; k++) {
        bar[k] = 2 * sigmoid(square) * p[k] + (k == 0) / (3 * root * root + c);
        mean += p[k] * bar[k];
    }
    for (int k = 0; k < K; k++) g[k] = p[k] * (bar[k] - mean);
    g[K] = -root / (3 * root * root + c) * c;
    return log1p(exp(square)) + root;
}

int main(void) {
    Rng rng = {20};
    double v[K], d[K + 1], g[2][K + 1], Hd[2][K + 1], f[2], want[K + 1];
    for (int k = 0; k < K; k++) v[k] = rng_normal(&rng);
    for (int k = 0; k <= K; k++) d[k] = rng_normal(&rng);
    a10_blocks_args a = {.K = K,
                         .v = v,
                         .a = 0.3,
                         .blocks = &f[0],
                         .plain = &f[1],
                         .v_blocks_grad = g[0],
                         .a_blocks_grad = &g[0][K],
                         .v_plain_grad = g[1],
                         .a_plain_grad = &g[1][K],
                         .v_d = d,
                         .a_d = d[K],
                         .v_blocks_hd = Hd[0],
                         .a_blocks_hd = &Hd[0][K],
                         .v_plain_hd = Hd[1],
                         .a_plain_hd = &Hd[1][K]};
    const size_t sizes[] = {
        a10_blocks_gradient_blocks_workspace(&a), a10_blocks_gradient_plain_workspace(&a),
        a10_blocks_hvp_blocks_workspace(&a), a10_blocks_hvp_plain_workspace(&a)};
    size_t most = 0;
    for (int i = 0; i < 4; i++) most = sizes[i] > most ? sizes[i] : most;
    void *work = sample_workspace(most);
    sample_must("blocks", a10_blocks_gradient_blocks_value_and_gradient(&a, work));
    sample_must("plain", a10_blocks_gradient_plain_value_and_gradient(&a, work));
    sample_must("blocks", a10_blocks_hvp_blocks(&a, work));
    sample_must("plain", a10_blocks_hvp_plain(&a, work));

    double value = by_hand(v, a.a, want), up[K + 1], down[K + 1], moved[K];
    sample_near("f, of blocks", f[0], value);
    sample_near("f, of primitives", f[1], value);
    sample_near_all("gradient, of blocks", K + 1, g[0], want);
    sample_near_all("gradient, of primitives", K + 1, g[1], want);
    sample_near_all("H d, of blocks as of primitives", K + 1, Hd[0], Hd[1]);
    for (int k = 0; k < K; k++) moved[k] = v[k] + 1e-5 * d[k];
    by_hand(moved, a.a + 1e-5 * d[K], up);
    for (int k = 0; k < K; k++) moved[k] = v[k] - 1e-5 * d[k];
    by_hand(moved, a.a - 1e-5 * d[K], down);
    for (int k = 0; k <= K; k++) want[k] = (up[k] - down[k]) / 2e-5;
    sample_within(1e-8, "H d, by differences", K + 1, Hd[0], want);
    printf("  workspace of the gradient: %zu bytes of blocks, %zu of primitives\n", sizes[0],
           sizes[1]);
    sample_true("a block keeps less", sizes[0] < sizes[1]);
    free(work);
    return sample_end();
}
