/* C8: a conditional random field on a general graph, by mean field: each node's belief is updated
 * from its neighbours' beliefs, T times, and the loss is that of the last beliefs. The gradient
 * goes back through all updates.
 *
 * It learns to clean a picture: blots of three colours (labels) on a grid, with some edges between
 * places that are far apart but have the same colour; what is seen of a node is its colour with
 * normal noise. Made with seed 38; one picture to learn, another one to test. */
#include "c08_mean_field.h"
#include "common/minimise.h"
#include "common/rng.h"

enum {
    SIDE = 20,
    N = SIDE * SIDE,
    FAR = 100,
    E = 2 * SIDE * (SIDE - 1) + FAR,
    K = 3,
    D = K + 1,
    T = 8,
    LONG = 2000,
    SIZE = K * D + K * K
};

static const double PACE = 0.5; /* at 1 neighbours may change places for ever */

typedef struct Picture {
    double x[N][D];
    int32_t y[N], a[E], b[E];
} Picture;

static void make(Rng *rng, Picture *p) {
    double cx[8], cy[8];
    int e = 0;
    for (int c = 0; c < 8; c++)
        cx[c] = rng_uniform(rng, 0, SIDE), cy[c] = rng_uniform(rng, 0, SIDE);
    for (int i = 0; i < N; i++) { /* the colour of the nearest of eight places */
        double least = INFINITY;
        for (int c = 0; c < 8; c++) {
            double far = hypot(i / SIDE - cx[c], i % SIDE - cy[c]);
            if (far < least) least = far, p->y[i] = c % K;
        }
        for (int d = 0; d < K; d++) p->x[i][d] = (p->y[i] == d) + rng_normal(rng);
        p->x[i][K] = 1;
        if (i % SIDE + 1 < SIDE) p->a[e] = i, p->b[e++] = i + 1;
        if (i / SIDE + 1 < SIDE) p->a[e] = i, p->b[e++] = i + SIDE;
    }
    while (e < E) {
        int32_t i = (int32_t)rng_below(rng, N), j = (int32_t)rng_below(rng, N);
        if (i != j && p->y[i] == p->y[j]) p->a[e] = i, p->b[e++] = j;
    }
}

static void softmax(const double *s, double *q) {
    double sum = 0;
    for (int k = 0; k < K; k++) sum += q[k] = exp(s[k]);
    for (int k = 0; k < K; k++) q[k] /= sum;
}

/* The beliefs after `turns` updates, by hand. */
static void by_hand(const Picture *p, const double *W, const double *P, int turns, double q[N][K]) {
    static double u[N][K], s[N][K];
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < K; k++) {
            u[i][k] = 0;
            for (int d = 0; d < D; d++) u[i][k] += W[k * D + d] * p->x[i][d];
        }
        softmax(u[i], q[i]);
    }
    for (int t = 0; t < turns; t++) {
        memcpy(s, u, sizeof s);
        for (int e = 0; e < E; e++) {
            for (int k = 0; k < K; k++) {
                for (int l = 0; l < K; l++) {
                    s[p->a[e]][k] += P[k * K + l] * q[p->b[e]][l];
                    s[p->b[e]][l] += P[k * K + l] * q[p->a[e]][k];
                }
            }
        }
        for (int i = 0; i < N; i++) {
            double to[K];
            softmax(s[i], to);
            for (int k = 0; k < K; k++) q[i][k] += PACE * (to[k] - q[i][k]);
        }
    }
}

static double percent(const Picture *p, double q[N][K]) {
    int right = 0;
    for (int i = 0; i < N; i++) {
        int best = 0;
        for (int k = 1; k < K; k++) best = q[i][k] > q[i][best] ? k : best;
        right += best == p->y[i];
    }
    return 100.0 * right / N;
}

int main(void) {
    static Picture learn, test;
    static double belief[N][K], want[N][K];
    Rng rng = {38};
    make(&rng, &learn);
    make(&rng, &test);
    double p[SIZE], g[SIZE], moved[LONG];
    c08_mean_field_args a = {.T = LONG,
                             .N = N,
                             .E = E,
                             .K = K,
                             .D = D,
                             .pace = PACE,
                             .decay = 0.02,
                             .x = &learn.x[0][0],
                             .y = learn.y,
                             .a = learn.a,
                             .b = learn.b,
                             .belief = &belief[0][0],
                             .moved = moved};
    Flat flat =
        flat_new(&c08_mean_field_model, &a, "loss"); /* a workspace for up to LONG updates */
    const double *W = p, *P = p + K * D;

    /* Against the same by hand, and differences, somewhere. */
    a.T = T;
    for (int i = 0; i < SIZE; i++) p[i] = 0.3 * rng_normal(&rng);
    flat_call(&flat, p, g);
    by_hand(&learn, W, P, T, want);
    sample_near_all("beliefs after 8 updates", N * K, &belief[0][0], &want[0][0]);
    double difference[SIZE];
    for (int i = 0; i < SIZE; i++) {
        double keep = p[i], up;
        p[i] = keep + 1e-5, up = flat_call(&flat, p, NULL);
        p[i] = keep - 1e-5, difference[i] = (up - flat_call(&flat, p, NULL)) / 2e-5;
        p[i] = keep;
    }
    sample_within(1e-7, "gradient, by differences", SIZE, g, difference);

    /* Learning, from no scores at all. */
    int status;
    memset(p, 0, sizeof p);
    double before = flat_call(&flat, p, NULL), after = minimise(&flat, p, 1e-3, &status);
    printf("  L-BFGS: loss %.4f, after %lld evaluations %.4f\n", before, (long long)flat.calls,
           after);
    sample_true("L-BFGS came to the end", status == 0);
    sample_near("loss without scores: log 3", before, log(K));

    /* The other picture. */
    a.x = &test.x[0][0], a.y = test.y, a.a = test.a, a.b = test.b;
    flat_call(&flat, p, NULL);
    double with = percent(&test, belief);
    by_hand(&test, W, P, T, want);
    sample_near_all("beliefs", N * K, &belief[0][0], &want[0][0]);
    double alone = 0;
    for (int i = 0; i < N; i++) memcpy(want[i], test.x[i], sizeof want[i]);
    alone = percent(&test, want); /* the brightest colour of each node */
    printf("  test: %.1f %% right, without neighbours %.1f %%\n", with, alone);
    for (int row = 0; row < SIDE; row += 2) {
        printf("    ");
        for (int kind = 0; kind < 3; kind++) {
            for (int i = row * SIDE; i < (row + 1) * SIDE; i++) {
                const double *v = kind == 1 ? test.x[i] : belief[i];
                int best = kind ? (v[1] > v[0]   ? (v[2] > v[1] ? 2 : 1)
                                   : v[2] > v[0] ? 2
                                                 : 0)
                                : test.y[i];
                putchar(".+#"[best]);
            }
            printf("   ");
        }
        printf("\n");
    }
    sample_true("more than 90 % right", with > 90);
    sample_true("20 points more than without neighbours", with > alone + 20);

    /* With more updates the beliefs come to rest, where each is what its neighbours say. */
    a.T = LONG;
    flat_call(&flat, p, NULL);
    printf("  the beliefs moved by %.1e, %.1e and %.1e in updates 1, 8 and %d\n", moved[0],
           moved[7], moved[LONG - 1], (int)LONG);
    sample_true("they come to rest", moved[LONG - 1] < 1e-8);
    by_hand(&test, W, P, LONG + 1, want);
    sample_within(1e-7, "one more update changes nothing", N * K, &belief[0][0], &want[0][0]);
    flat_free(&flat);
    return sample_end();
}
