/* C3: a small Bayes net, A and B are parents of C, given by conditional probability tables. The
 * joint is a look-up, so its gradient by a table has one entry that is not 0; marginals are sums;
 * their Jacobian by the tables is one function call. */
#include "c03_tables.h"
#include "common/rng.h"
#include "common/sample.h"

enum { KA = 2, KB = 3, KC = 4 };

static void table(Rng *rng, double *p, int n) {
    double total = 0;
    for (int i = 0; i < n; i++) total += p[i] = rng_uniform(rng, 0.1, 1);
    for (int i = 0; i < n; i++) p[i] /= total;
}

int main(void) {
    Rng rng = {33};
    double PA[KA], PB[KB], PC[KA][KB][KC];
    table(&rng, PA, KA);
    table(&rng, PB, KB);
    for (int i = 0; i < KA * KB; i++) table(&rng, PC[i / KB][i % KB], KC);
    double p, marginal[KC], given, dPA[KA], dPB[KB], dPC[KA][KB][KC];
    double jPA[KC][KA], jPB[KC][KB], jPC[KC][KA][KB][KC];
    c03_tables_args args = {
        .KA = KA,
        .KB = KB,
        .KC = KC,
        .PA = PA,
        .PB = PB,
        .PC = &PC[0][0][0],
        .p = &p,
        .marginal = marginal,
        .given = &given,
        .PA_grad = dPA,
        .PB_grad = dPB,
        .PC_grad = &dPC[0][0][0],
        .marginal_PA = &jPA[0][0],
        .marginal_PB = &jPB[0][0],
        .marginal_PC = &jPC[0][0][0][0],
    };
    double t_marginal[KC] = {0}, tPA[KC][KA] = {{0}}, tPB[KC][KB] = {{0}};
    static double tPC[KC][KA][KB][KC];
    for (int i = 0; i < KA; i++) {
        for (int j = 0; j < KB; j++) {
            for (int k = 0; k < KC; k++) {
                t_marginal[k] += PA[i] * PB[j] * PC[i][j][k];
                tPA[k][i] += PB[j] * PC[i][j][k];
                tPB[k][j] += PA[i] * PC[i][j][k];
                tPC[k][i][j][k] = PA[i] * PB[j];
            }
        }
    }
    void *work = sample_workspace(c03_tables_workspace(&args));
    double sum = 0;
    for (int e = 0; e < KA * KB * KC; e++) { /* every event (a, b, c) */
        int a = e / (KB * KC), b = e / KC % KB, c = e % KC;
        args.a = a, args.b = b, args.c = c;
        sample_must("c03_tables", c03_tables_value_and_gradient(&args, work));
        sum += p;
        if (e % 7) continue; /* some of them closely */
        double gPA[KA] = {0}, gPB[KB] = {0}, gPC[KA][KB][KC] = {{{0}}};
        gPA[a] = PB[b] * PC[a][b][c];
        gPB[b] = PA[a] * PC[a][b][c];
        gPC[a][b][c] = PA[a] * PB[b];
        printf("  a = %d, b = %d, c = %d\n", a, b, c);
        sample_near("p(a, b, c)", p, PA[a] * PB[b] * PC[a][b][c]);
        sample_near("p(a, b | c)", given, PA[a] * PB[b] * PC[a][b][c] / t_marginal[c]);
        sample_near_all("dp / d table of A", KA, dPA, gPA);
        sample_near_all("dp / d table of B", KB, dPB, gPB);
        sample_near_all("dp / d table of C", KA * KB * KC, &dPC[0][0][0], &gPC[0][0][0]);
    }
    free(work);
    sample_near("sum of p over all events", sum, 1);
    sample_near_all("p(c)", KC, marginal, t_marginal);

    work = sample_workspace(c03_tables_jacobian_workspace(&args));
    sample_must("c03_tables_jacobian", c03_tables_jacobian(&args, work));
    sample_near_all("dp(c) / d table of A", KC * KA, &jPA[0][0], &tPA[0][0]);
    sample_near_all("dp(c) / d table of B", KC * KB, &jPB[0][0], &tPB[0][0]);
    sample_near_all("dp(c) / d table of C", KC * KA * KB * KC, &jPC[0][0][0][0], &tPC[0][0][0][0]);
    free(work);
    return sample_end();
}
