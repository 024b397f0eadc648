/* B3: a net of single numbers, phi = s(u x + c), mu = s(w phi + b), with the Bernoulli cost. The
 * gradients by w, b, u, c are (mu - y) times phi, 1, w phi (1 - phi) x, w phi (1 - phi). */
#include "b03_scalar_net.h"
#include "common/sample.h"

int main(void) {
    double cost, dw, db, du, dc;
    b03_scalar_net_args a = {.x = 0.8,
                             .u = -1.3,
                             .c = 0.4,
                             .w = 2.1,
                             .b = -0.7,
                             .cost = &cost,
                             .w_grad = &dw,
                             .b_grad = &db,
                             .u_grad = &du,
                             .c_grad = &dc};
    void *work = sample_workspace(b03_scalar_net_workspace(&a));

    for (int y = 0; y < 2; y++) {
        a.y = (uint8_t)y;
        sample_must("b03_scalar_net", b03_scalar_net_value_and_gradient(&a, work));
        double phi = 1 / (1 + exp(-(a.u * a.x + a.c)));
        double mu = 1 / (1 + exp(-(a.w * phi + a.b)));
        double back = (mu - y) * a.w * phi * (1 - phi);
        printf("  y = %d\n", y);
        sample_near("cost", cost, y ? -log(mu) : -log(1 - mu));
        sample_near("by w: (mu - y) phi", dw, (mu - y) * phi);
        sample_near("by b: mu - y", db, mu - y);
        sample_near("by u: (mu - y) w phi (1 - phi) x", du, back * a.x);
        sample_near("by c: (mu - y) w phi (1 - phi)", dc, back);
    }
    free(work);
    return sample_end();
}
