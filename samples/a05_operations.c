/* A5: every scalar operation in one sum; its gradient against the table of derivatives. The
 * operations with a kink stand in a sum of their own, which is also tried at the kinks. */
#include "a05_operations.h"
#include "common/sample.h"

/* The derivative of lgamma, and that derivative's own: recurrence up to 20, then the asymptotic
 * series (Abramowitz and Stegun, 6.3.18 and 6.4.12). */
static double digamma(double x) {
    double s = 0;
    for (; x < 20; x++) s -= 1 / x;
    double z = 1 / (x * x);
    return s + log(x) - 1 / (2 * x) - z / 12 * (1 - z / 10 * (1 - z * 10 / 21 * (1 - z * 21 / 20)));
}

static double trigamma(double x) {
    double s = 0;
    for (; x < 20; x++) s += 1 / (x * x);
    double z = 1 / (x * x);
    return s + 1 / x + z / 2 + z / x / 6 * (1 - z / 5 * (1 - z * 5 / 7 * (1 - z * 7 / 5)));
}

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

int main(void) {
    double smooth, kinked, dx, dy;
    a05_operations_args a = {.smooth = &smooth, .kinked = &kinked};
    size_t size = a05_operations_gradient_smooth_workspace(&a);
    size_t other = a05_operations_gradient_kinked_workspace(&a);
    void *work = sample_workspace(size > other ? size : other);

    a.x_smooth_grad = &dx;
    a.y_smooth_grad = &dy;
    for (int i = 0; i < 4; i++) {
        double x = -0.8 + 0.5 * i, y = 0.5 + 0.7 * i;
        a.x = x, a.y = y;
        sample_must("a05_operations", a05_operations_gradient_smooth_value_and_gradient(&a, work));
        double value = exp(x) + log(y) + log1p(y) + expm1(x) + sin(x) + cos(x) + tan(x) + asin(x) +
                       acos(x) + atan(x) + atan2(y, x) + sinh(x) + cosh(x) + tanh(x) + sqrt(y) +
                       x * y - x / y + x * x * x + pow(y, x) + sigmoid(x) + log1p(exp(x)) +
                       lgamma(y) + digamma(y) + erf(x);
        double c = cos(x), t = tanh(x), r2 = x * x + y * y, s = sigmoid(x);
        double by_x = exp(x) + exp(x) + cos(x) - sin(x) + 1 / (c * c) /* asin' + acos' = 0 */
                      + 1 / (1 + x * x) - y / r2 + cosh(x) + sinh(x) + 1 - t * t + y - 1 / y +
                      3 * x * x + log(y) * pow(y, x) + s * (1 - s) + s +
                      2 / sqrt(acos(-1)) * exp(-x * x);
        double by_y = 1 / y + 1 / (1 + y) + x / r2 + 1 / (2 * sqrt(y)) + x + x / (y * y) +
                      x * pow(y, x - 1) + digamma(y) + trigamma(y);
        printf("  x = %g, y = %g\n", x, y);
        sample_near("all smooth operations", smooth, value);
        sample_near("by x", dx, by_x);
        sample_near("by y", dy, by_y);
    }

    /* At the kinks: abs'(0) = relu'(0) = sign = 0; a tie of max or min counts for the first. */
    const struct {
        double x, y, value, by_x, by_y;
    } kink[] = {
        /* in the order abs, relu, max, min, sign(x) x */
        {0.50, 0.25, 0.50 + 0.50 + 0.50 + 0.25 + 0.50, 1 + 1 + 1 + 0 + 1, 0 + 1},
        {0.25, 0.75, 0.25 + 0.25 + 0.75 + 0.25 + 0.25, 1 + 1 + 0 + 1 + 1, 1 + 0},
        {-0.50, 0.25, 0.50 + 0.00 + 0.25 - 0.50 + 0.50, -1 + 0 + 0 + 1 - 1, 1 + 0},
        {0.00, 0.25, 0.00 + 0.00 + 0.25 + 0.00 + 0.00, 0 + 0 + 0 + 1 + 0, 1 + 0},
        {0.50, 0.50, 0.50 + 0.50 + 0.50 + 0.50 + 0.50, 1 + 1 + 1 + 1 + 1, 0 + 0},
    };
    a.x_kinked_grad = &dx;
    a.y_kinked_grad = &dy;
    for (int i = 0; i < 5; i++) {
        a.x = kink[i].x, a.y = kink[i].y;
        sample_must("a05_operations", a05_operations_gradient_kinked_value_and_gradient(&a, work));
        printf("  x = %g, y = %g\n", a.x, a.y);
        sample_near("operations with a kink", kinked, kink[i].value);
        sample_near("by x", dx, kink[i].by_x);
        sample_near("by y", dy, kink[i].by_y);
    }
    free(work);
    return sample_end();
}
