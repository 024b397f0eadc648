/* B10: a network learns two classes by gradient descent, by stochastic gradient descent, and by
 * L-BFGS (liblbfgs, by Okazaki after Nocedal) from many starts.
 *
 * The data are made here, with seed 10: two half circles of radius 1, one upside down and moved by
 * (1, 0.5), each point with normal noise of deviation 0.15. 200 points to learn, 2000 to test. */
#include "b10_training.h"
#include "common/minimise.h"
#include "common/rng.h"

enum { N = 200, TEST = 2000, D = 2, H = 8, SIZE = H * D + H + H + 1, STARTS = 20, BATCH = 10 };

static double x[N][D], tx[TEST][D], score[TEST];
static uint8_t y[N], ty[TEST];

static void moons(Rng *rng, int n, double points[][D], uint8_t *label) {
    for (int i = 0; i < n; i++) {
        double angle = rng_uniform(rng, 0, 3.141592653589793);
        label[i] = (uint8_t)rng_below(rng, 2);
        points[i][0] = label[i] ? 1 - cos(angle) : cos(angle);
        points[i][1] = label[i] ? 0.5 - sin(angle) : sin(angle);
        for (int d = 0; d < D; d++) points[i][d] += 0.15 * rng_normal(rng);
    }
}

static double percent_right(Flat *flat, b10_training_args *a, const double *p) {
    int right = 0;
    a->N = TEST, a->x = &tx[0][0], a->y = ty, a->score = score; /* one struct, other data */
    flat_call(flat, p, NULL);
    for (int n = 0; n < TEST; n++) right += (score[n] > 0) == ty[n];
    a->N = N, a->x = &x[0][0], a->y = y, a->score = NULL;
    return 100.0 * right / TEST;
}

static void start(Rng *rng, double *p) {
    for (int i = 0; i < SIZE; i++) p[i] = rng_normal(rng);
}

static int ascending(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

int main(void) {
    Rng rng = {10};
    moons(&rng, N, x, y);
    moons(&rng, TEST, tx, ty);
    b10_training_args a = {
        .N = TEST, .D = D, .H = H, .x = &tx[0][0], .y = ty, .decay = 1e-3}; /* the largest N */
    Flat flat = flat_new(&b10_training_model, &a, "risk");
    a.N = N, a.x = &x[0][0], a.y = y;
    sample_true("the parameters are one vector", flat.n == SIZE);
    double p[SIZE], g[SIZE], right;

    /* Gradient descent: with steps that are small enough the risk falls in each of them. */
    start(&rng, p);
    double first = flat_call(&flat, p, g), before = first;
    int rises = 0;
    for (int step = 0; step < 2000; step++) {
        for (int i = 0; i < SIZE; i++) p[i] -= 0.2 * g[i];
        double now = flat_call(&flat, p, g);
        rises += now > before;
        before = now;
    }
    right = percent_right(&flat, &a, p);
    printf("  gradient descent: risk %.4f, after 2000 steps %.4f, %.2f %% right\n", first, before,
           right);
    sample_true("the risk falls in each step", rises == 0 && before < first);
    sample_true("more than 90 % right", right > 90);

    /* Stochastic gradient descent: a batch is a pointer into the data, which are in random order.
     */
    start(&rng, p);
    first = flat_call(&flat, p, NULL);
    for (int step = 0; step < 200 * N / BATCH; step++) {
        int at = step * BATCH % N;
        a.N = BATCH, a.x = x[at], a.y = y + at;
        flat_call(&flat, p, g);
        for (int i = 0; i < SIZE; i++) p[i] -= 0.1 * g[i];
    }
    a.N = N, a.x = &x[0][0], a.y = y;
    before = flat_call(&flat, p, NULL);
    right = percent_right(&flat, &a, p);
    printf("  stochastic: risk %.4f, after 200 rounds in batches of %d %.4f, %.2f %% right\n",
           first, BATCH, before, right);
    sample_true("more than 95 % right", right > 95);

    /* L-BFGS from many starts: not all end in the same place, and the best is taken. */
    double q[SIZE], risk[STARTS], best[SIZE], least = INFINITY;
    int ended = 0;
    int64_t calls = 0;
    for (int s = 0; s < STARTS; s++) {
        int status;
        start(&rng, q);
        risk[s] = minimise(&flat, q, 1e-6, &status);
        ended += status == 0;
        calls += flat.calls;
        if (risk[s] < least) least = risk[s], memcpy(best, q, sizeof best);
    }
    qsort(risk, STARTS, sizeof *risk, ascending);
    right = percent_right(&flat, &a, best);
    printf("  L-BFGS, %d starts, %lld evaluations: risk %.6f %.6f %.6f .. %.6f\n", STARTS,
           (long long)calls, risk[0], risk[1], risk[2], risk[STARTS - 1]);
    printf("  the best is %.2f %% right\n", right);
    sample_true("each ended at a flat place", ended == STARTS);
    sample_true("lower than both descents", least < before);
    sample_true("more than 97 % right", right > 97);

    /* There the gradient is 0; half way to the first weights it is what differences say. */
    double difference[SIZE], most = 0;
    flat_call(&flat, best, g);
    for (int i = 0; i < SIZE; i++) most = fmax(most, fabs(g[i]));
    sample_true("the gradient is below 1e-5 at the best", most < 1e-5);
    for (int i = 0; i < SIZE; i++) best[i] = (best[i] + p[i]) / 2;
    for (int i = 0; i < SIZE; i++) {
        double keep = best[i], up;
        best[i] = keep + 1e-5, up = flat_call(&flat, best, NULL);
        best[i] = keep - 1e-5, difference[i] = (up - flat_call(&flat, best, NULL)) / 2e-5;
        best[i] = keep;
    }
    flat_call(&flat, best, g);
    sample_within(1e-7, "gradient elsewhere, by differences", SIZE, g, difference);
    flat_free(&flat);
    return sample_end();
}
