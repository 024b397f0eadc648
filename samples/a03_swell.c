/* A3: derivatives of f = exp(u) + sin(u), u = e^x + e^2x, up to the third, without swell. */
#include "a03_swell.h"
#include "common/sample.h"

int main(void) {
    double f, d1, d2, d3;
    a03_swell_args a = {.f = &f, .d1 = &d1, .d2 = &d2, .d3 = &d3};
    void *work = sample_workspace(a03_swell_workspace(&a));

    for (double x = -1; x <= 0.5; x += 0.75) {
        a.x = x;
        sample_must("a03_swell_value", a03_swell_value(&a, work));
        /* u and its derivatives by x, then the formula of Faa di Bruno */
        double e = exp(x), u = e + e * e, u1 = e + 2 * e * e, u2 = e + 4 * e * e,
               u3 = e + 8 * e * e;
        double g1 = exp(u) + cos(u), g2 = exp(u) - sin(u), g3 = exp(u) - cos(u);
        printf("  x = %g\n", x);
        sample_near("f", f, exp(u) + sin(u));
        sample_near("first derivative", d1, g1 * u1);
        sample_near("second derivative", d2, g2 * u1 * u1 + g1 * u2);
        sample_near("third derivative", d3, g3 * u1 * u1 * u1 + 3 * g2 * u1 * u2 + g1 * u3);
    }
    free(work);
    return sample_end();
}
