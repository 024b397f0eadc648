/* B7: a network of any acyclic shape. Who reads whom is data: the parents of node i are
 * from[first[i]] .. from[first[i + 1] - 1]. The gradient is scattered over the edges, from the last
 * node to the first. Shape, kinds and weights are drawn with seed 27. */
#include "b07_acyclic.h"
#include "common/rng.h"
#include "common/sample.h"
#include "gradc.h" /* the names of statuses */

enum { N = 400, ROOTS = 12, MOST = N * 8 };

static int32_t first[N + 1], from[MOST], kind[N];
static double x[N], w[MOST], v[N], dw[MOST], dx[N], tv[N], tw[MOST], tx[N];

/* The same by hand: each node, and then each edge backwards. */
static void by_hand(void) {
    double bar[N] = {0};
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int e = first[i]; e < first[i + 1]; e++) sum += w[e] * tv[from[e]];
        tv[i] = first[i] == first[i + 1] ? x[i]
                : kind[i] == 0           ? tanh(sum)
                : kind[i] == 1           ? fmax(sum, 0)
                                         : sum;
    }
    bar[N - 1] = 1;
    for (int i = N - 1; i >= 0; i--) {
        if (first[i] == first[i + 1]) tx[i] = bar[i];
        double slope = kind[i] == 0 ? 1 - tv[i] * tv[i] : kind[i] == 1 ? tv[i] > 0 : 1;
        for (int e = first[i]; e < first[i + 1]; e++) {
            tw[e] = bar[i] * slope * tv[from[e]];
            bar[from[e]] += bar[i] * slope * w[e];
        }
    }
}

int main(void) {
    Rng rng = {27};
    int edges = 0;
    for (int i = 0; i < N; i++) { /* up to eight parents, anywhere before */
        int parents = i < ROOTS ? 0 : 1 + (int)rng_below(&rng, 8);
        first[i] = edges;
        for (int k = 0; k < parents; k++) from[edges++] = (int32_t)rng_below(&rng, (uint32_t)i);
        kind[i] = i + 1 < N ? (int32_t)rng_below(&rng, 3) : 2;
        x[i] = rng_normal(&rng);
    }
    first[N] = edges;
    for (int e = 0; e < edges; e++) w[e] = rng_normal(&rng) / 2;

    double y;
    b07_acyclic_args a = {.N = N,
                          .E = edges,
                          .first = first,
                          .from = from,
                          .kind = kind,
                          .x = x,
                          .w = w,
                          .v = v,
                          .y = &y,
                          .w_grad = dw,
                          .x_grad = dx};
    void *work = sample_workspace(b07_acyclic_workspace(&a));
    sample_must("b07_acyclic", b07_acyclic_value_and_gradient(&a, work));
    by_hand();
    int used = 0;
    for (int e = 0; e < edges; e++) used += dw[e] != 0;
    printf("  %d nodes, %d edges, %d of them matter\n", N, edges, used);
    sample_true("a tenth of them at least", used > edges / 10);
    sample_near_all("all nodes", N, v, tv);
    sample_near_all("by the weights", edges, dw, tw);
    sample_near_all("by the roots", N, dx, tx);

    /* A parent has to come earlier. */
    from[first[N - 1]] = N - 1;
    sample_true("a node that reads itself is refused",
                b07_acyclic_value_and_gradient(&a, work) == GRADC_BAD_INDEX);
    free(work);
    return sample_end();
}
