/* line: made by gradc from line.grad. This text, and what it takes from the gradc runtime, may be used without any condition. */
/* line: made by gradc from line.grad. It may be used without any condition. */
#ifndef GRADC_MODEL_LINE_H
#define GRADC_MODEL_LINE_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Set by name; what is not used may stay 0. Arrays are row-major and may not overlap what is written.
 * An output that is NULL is not written. Functions return 0, or what went wrong:
 * 1 a dimension is too small, 2 a size overflows, 3 an index from data is out of range, 4 a maximum, minimum or mean over
 * nothing, 8 an input is NULL, 9 the workspace is NULL or not aligned to 64 bytes. Outputs are unspecified then. */
typedef struct line_args {
    int64_t N;                   /* dimension, at least 1 */
    const double *x;             /* [N] input */
    const double *y;             /* [N] input */
    double a;                    /* param */
    double b;                    /* param */
    double *loss;                /* output */
    double *a_grad;              /* d loss / d a */
    double *b_grad;              /* d loss / d b */
} line_args;

/* Bytes of workspace that each function needs, given the dimensions; SIZE_MAX when they are not possible. It starts at a multiple of
 * 64 bytes, and 0 bytes may be NULL. */
size_t line_workspace(const line_args *a);
/* The outputs alone. */
int line_value(const line_args *a, void *workspace);
/* The outputs; the workspace keeps what backward reads. */
int line_forward(const line_args *a, void *workspace);
/* The gradient. The same arguments and workspace as forward, which came before; reads no output. */
int line_backward(const line_args *a, void *workspace);
/* The outputs and the gradient at once. */
int line_value_and_gradient(const line_args *a, void *workspace);

#ifdef __cplusplus
}
#endif
#endif
#include <gradc.h>

static int line_check_sizes(const line_args *a) {
    (void)a;
    if (a->N < 1) {
        return GRADC_BAD_SIZE;
    }
    if (a->N > INT32_MAX) {
        return GRADC_OVERFLOW;
    }
    return GRADC_OK;
}

size_t line_workspace(const line_args *a) {
    return a == NULL || line_check_sizes(a) != GRADC_OK ? SIZE_MAX : 0;
}

static int line_value_worker(
        int64_t N,
        double a,
        const double *gradc_restrict x,
        double b,
        const double *gradc_restrict y,
        double *gradc_restrict loss_out) {

    /* loss_sum = sum[i: N]((a * x[i] + b - y[i]) * (a * x[i] + b - y[i])); */
    double sum1 = 0.0;
    GRADC_SUM(sum1)
    for (int64_t i = 0; i < N; i++) {
        const double t1 = a * x[i] + b - y[i];
        sum1 += t1 * t1;
    }
    const double loss_sum = sum1;

    /* loss = 0.5 * loss_sum; */
    const double loss = 0.5 * loss_sum;
    if (loss_out != NULL) {
        *loss_out = loss;
    }
    return GRADC_OK;
}

int line_value(const line_args *a, void *workspace) {
    int status;
    if (a == NULL) {
        return GRADC_NULL;
    }
    status = line_check_sizes(a);
    if (status != GRADC_OK) {
        return status;
    }
    (void)workspace;
    if (a->x == NULL || a->y == NULL) {
        return GRADC_NULL;
    }
    return line_value_worker(a->N, a->a, a->x, a->b, a->y, a->loss);
}

static int line_forward_worker(
        int64_t N,
        double a,
        const double *gradc_restrict x,
        double b,
        const double *gradc_restrict y,
        double *gradc_restrict loss_out) {

    /* loss_sum = sum[i: N]((a * x[i] + b - y[i]) * (a * x[i] + b - y[i])); */
    double sum1 = 0.0;
    GRADC_SUM(sum1)
    for (int64_t i = 0; i < N; i++) {
        const double t1 = a * x[i] + b - y[i];
        sum1 += t1 * t1;
    }
    const double loss_sum = sum1;

    /* loss = 0.5 * loss_sum; */
    const double loss = 0.5 * loss_sum;
    if (loss_out != NULL) {
        *loss_out = loss;
    }
    return GRADC_OK;
}

int line_forward(const line_args *a, void *workspace) {
    int status;
    if (a == NULL) {
        return GRADC_NULL;
    }
    status = line_check_sizes(a);
    if (status != GRADC_OK) {
        return status;
    }
    (void)workspace;
    if (a->x == NULL || a->y == NULL) {
        return GRADC_NULL;
    }
    return line_forward_worker(a->N, a->a, a->x, a->b, a->y, a->loss);
}

static int line_backward_worker(
        int64_t N,
        double a,
        const double *gradc_restrict x,
        double b,
        const double *gradc_restrict y,
        double *gradc_restrict a_grad_out,
        double *gradc_restrict b_grad_out) {

    /* a_grad = sum[i: N]((a * x[i] + b - y[i]) * x[i]); */
    double sum1 = 0.0;
    GRADC_SUM(sum1)
    for (int64_t i = 0; i < N; i++) {
        sum1 += (a * x[i] + b - y[i]) * x[i];
    }
    const double a_grad = sum1;

    /* b_grad = sum[i: N](a * x[i] + b - y[i]); */
    double sum2 = 0.0;
    GRADC_SUM(sum2)
    for (int64_t i = 0; i < N; i++) {
        sum2 += a * x[i] + b - y[i];
    }
    const double b_grad = sum2;
    if (a_grad_out != NULL) {
        *a_grad_out = a_grad;
    }
    if (b_grad_out != NULL) {
        *b_grad_out = b_grad;
    }
    return GRADC_OK;
}

int line_backward(const line_args *a, void *workspace) {
    int status;
    if (a == NULL) {
        return GRADC_NULL;
    }
    status = line_check_sizes(a);
    if (status != GRADC_OK) {
        return status;
    }
    (void)workspace;
    if (a->x == NULL || a->y == NULL) {
        return GRADC_NULL;
    }
    return line_backward_worker(a->N, a->a, a->x, a->b, a->y, a->a_grad, a->b_grad);
}

int line_value_and_gradient(const line_args *a, void *workspace) {
    const int status = line_forward(a, workspace);
    return status != GRADC_OK ? status : line_backward(a, workspace);
}

