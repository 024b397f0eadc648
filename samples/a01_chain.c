/* A1: z = y^4 with y = x^2 + 3; by the chain rule dz/dx = 8 x (x^2 + 3)^3. */
#include "a01_chain.h"
#include "common/sample.h"

int main(void) {
    const double at[] = {-2, -0.5, 0, 1, 3};
    double z, dz;
    a01_chain_args a = {.z = &z, .dz = &dz};
    void *work = sample_workspace(a01_chain_workspace(&a));

    for (int i = 0; i < 5; i++) {
        char what[40];
        double x = at[i], y = x * x + 3;
        a.x = x;
        sample_must("a01_chain_value", a01_chain_value(&a, work));
        snprintf(what, sizeof what, "z at %g", x);
        sample_near(what, z, y * y * y * y);
        snprintf(what, sizeof what, "dz/dx at %g: 8 x (x^2 + 3)^3", x);
        sample_near(what, dz, 8 * x * y * y * y);
    }
    free(work);
    return sample_end();
}
