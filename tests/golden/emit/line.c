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
/* The workspace of line_value alone. */
size_t line_value_workspace(const line_args *a);
/* The outputs alone. */
int line_value(const line_args *a, void *workspace);
/* The outputs; the workspace keeps what backward reads. */
int line_forward(const line_args *a, void *workspace);
/* The gradient. The same arguments and workspace as forward, which came before; reads no output. */
int line_backward(const line_args *a, void *workspace);
/* The workspace of line_value_and_gradient alone. */
size_t line_value_and_gradient_workspace(const line_args *a);
/* The outputs and the gradient at once. */
int line_value_and_gradient(const line_args *a, void *workspace);

/* The description of the model for code that serves any model. */
#ifndef GRADC_MODEL_TYPES
#define GRADC_MODEL_TYPES

typedef enum gradc_role {
    GRADC_ROLE_INPUT,
    GRADC_ROLE_PARAM,     /* to be learned */
    GRADC_ROLE_OUTPUT,
    GRADC_ROLE_DERIVATIVE, /* of tensor `of` by tensor `by`; by is -1 in a result of hessian, jvp, vjp or hvp */
    GRADC_ROLE_SEED        /* a direction or a cotangent that jvp, vjp or hvp takes, shaped like tensor `of` */
} gradc_role;

typedef enum gradc_type { GRADC_TYPE_FLOAT, GRADC_TYPE_DOUBLE, GRADC_TYPE_INT32, GRADC_TYPE_INT64, GRADC_TYPE_BOOL /* uint8_t */ } gradc_type;

typedef struct gradc_dim {
    const char *name;
    size_t field;         /* offset of its int64_t in the args struct */
    int64_t least;
} gradc_dim;

typedef struct gradc_pattern { /* which entries of a sparse jacobian or hessian there are */
    int64_t rows, columns, entries;
    int half;             /* 1: it is symmetric, and has those on the diagonal and below */
    int sweeps;           /* how many it takes to compute them all */
    const int32_t *row, *column; /* of each entry, ascending */
    const int32_t *start; /* of each row, and behind the last: its first entry */
} gradc_pattern;

typedef struct gradc_tensor {
    const char *name;     /* of the source */
    gradc_role role;
    gradc_type type;
    int rank;
    int by_value;         /* 1: the field is the number itself (an input without axes); 0: it is a pointer */
    size_t field;         /* offset in the args struct */
    int of, by;           /* numbers of tensors, see gradc_role; else -1 */
    const gradc_pattern *pattern; /* of a sparse derivative, which has one axis, its entries; else NULL */
} gradc_tensor;

typedef struct gradc_function {
    const char *name;     /* "value", "forward", "gradient_loss_backward" ...: the C name without NAME_ */
    size_t (*workspace)(const void *args);            /* bytes; SIZE_MAX when the sizes are not possible */
    int (*call)(const void *args, void *workspace);   /* a status */
} gradc_function;

typedef struct gradc_model {
    const char *name;
    size_t args_size;     /* sizeof(NAME_args) */
    int ndims, ntensors, nfunctions;
    const gradc_dim *dims;
    const gradc_tensor *tensors;
    const gradc_function *functions;
    /* Extent of one axis of a tensor, for the dimensions set in args; -1 for a number that there is not. */
    int64_t (*extent)(const void *args, int tensor, int axis);
} gradc_model;
#endif
extern const gradc_model line_model;

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

size_t line_value_workspace(const line_args *a) {
    return a == NULL || line_check_sizes(a) != GRADC_OK ? SIZE_MAX : 0;
}

size_t line_value_and_gradient_workspace(const line_args *a) {
    return a == NULL || line_check_sizes(a) != GRADC_OK ? SIZE_MAX : 0;
}

GRADC_OUTLINE int line_value_worker(
        int64_t N,
        double a,
        const double *gradc_restrict x,
        double b,
        const double *gradc_restrict y,
        double *gradc_restrict loss_out) {
    /* loss_sum = sum[i: N]((a * x[i] + b - y[i]) * (a * x[i] + b - y[i])); */
    double sum1 = 0.0;
    double sum1_row[8] = {0};
    for (int64_t i0 = 0; i0 < N / 8 * 8; i0 += 8) {
        GRADC_ROW
        for (int place = 0; place < gradc_places(8); place++) {
            const int64_t i = i0 + place;
            const double t1 = a * x[i] + b - y[i];
            sum1_row[place] += t1 * t1;
        }
    }
    sum1 += gradc_sum_row(sum1_row);
    for (int64_t i = N / 8 * 8; i < N; i++) {
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

GRADC_OUTLINE int line_forward_worker(
        int64_t N,
        double a,
        const double *gradc_restrict x,
        double b,
        const double *gradc_restrict y,
        double *gradc_restrict loss_out) {
    /* loss_sum = sum[i: N]((a * x[i] + b - y[i]) * (a * x[i] + b - y[i])); */
    double sum1 = 0.0;
    double sum1_row[8] = {0};
    for (int64_t i0 = 0; i0 < N / 8 * 8; i0 += 8) {
        GRADC_ROW
        for (int place = 0; place < gradc_places(8); place++) {
            const int64_t i = i0 + place;
            const double t1 = a * x[i] + b - y[i];
            sum1_row[place] += t1 * t1;
        }
    }
    sum1 += gradc_sum_row(sum1_row);
    for (int64_t i = N / 8 * 8; i < N; i++) {
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

GRADC_OUTLINE int line_backward_worker(
        int64_t N,
        double a,
        const double *gradc_restrict x,
        double b,
        const double *gradc_restrict y,
        double *gradc_restrict a_grad_out,
        double *gradc_restrict b_grad_out) {
    /* a_grad = sum[i: N]((a * x[i] + b - y[i]) * x[i]); */
    double sum1 = 0.0;

    /* b_grad = sum[i: N](a * x[i] + b - y[i]); */
    double sum2 = 0.0;
    double sum1_row[8] = {0};
    double sum2_row[8] = {0};
    for (int64_t i0 = 0; i0 < N / 8 * 8; i0 += 8) {
        GRADC_ROW
        for (int place = 0; place < gradc_places(8); place++) {
            const int64_t i = i0 + place;
            sum1_row[place] += (a * x[i] + b - y[i]) * x[i];
            sum2_row[place] += a * x[i] + b - y[i];
        }
    }
    sum1 += gradc_sum_row(sum1_row);
    sum2 += gradc_sum_row(sum2_row);
    for (int64_t i = N / 8 * 8; i < N; i++) {
        sum1 += (a * x[i] + b - y[i]) * x[i];
        sum2 += a * x[i] + b - y[i];
    }
    const double a_grad = sum1;
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

GRADC_OUTLINE int line_value_and_gradient_worker(
        int64_t N,
        double a,
        const double *gradc_restrict x,
        double b,
        const double *gradc_restrict y,
        double *gradc_restrict loss_out,
        double *gradc_restrict a_grad_out,
        double *gradc_restrict b_grad_out) {
    /* loss_sum = sum[i: N]((a * x[i] + b - y[i]) * (a * x[i] + b - y[i])); */
    double sum1 = 0.0;

    /* a_grad = sum[i: N]((a * x[i] + b - y[i]) * x[i]); */
    double sum2 = 0.0;

    /* b_grad = sum[i: N](a * x[i] + b - y[i]); */
    double sum3 = 0.0;
    double sum1_row[8] = {0};
    double sum2_row[8] = {0};
    double sum3_row[8] = {0};
    for (int64_t i0 = 0; i0 < N / 8 * 8; i0 += 8) {
        GRADC_ROW
        for (int place = 0; place < gradc_places(8); place++) {
            const int64_t i = i0 + place;
            const double t1 = a * x[i] + b - y[i];
            sum1_row[place] += t1 * t1;
            sum2_row[place] += (a * x[i] + b - y[i]) * x[i];
            sum3_row[place] += a * x[i] + b - y[i];
        }
    }
    sum1 += gradc_sum_row(sum1_row);
    sum2 += gradc_sum_row(sum2_row);
    sum3 += gradc_sum_row(sum3_row);
    for (int64_t i = N / 8 * 8; i < N; i++) {
        const double t1 = a * x[i] + b - y[i];
        sum1 += t1 * t1;
        sum2 += (a * x[i] + b - y[i]) * x[i];
        sum3 += a * x[i] + b - y[i];
    }
    const double loss_sum = sum1;

    /* loss = 0.5 * loss_sum; */
    const double loss = 0.5 * loss_sum;
    const double a_grad = sum2;
    const double b_grad = sum3;
    if (loss_out != NULL) {
        *loss_out = loss;
    }
    if (a_grad_out != NULL) {
        *a_grad_out = a_grad;
    }
    if (b_grad_out != NULL) {
        *b_grad_out = b_grad;
    }
    return GRADC_OK;
}

int line_value_and_gradient(const line_args *a, void *workspace) {
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
    return line_value_and_gradient_worker(a->N, a->a, a->x, a->b, a->y, a->loss, a->a_grad,
            a->b_grad);
}

/* ---- the description of the model ---- */

static size_t line_describe_workspace_0(const void *a) {
    return line_value_workspace((const line_args *)a);
}
static int line_describe_call_0(const void *a, void *workspace) {
    return line_value((const line_args *)a, workspace);
}
static size_t line_describe_workspace_1(const void *a) {
    return line_workspace((const line_args *)a);
}
static int line_describe_call_1(const void *a, void *workspace) {
    return line_forward((const line_args *)a, workspace);
}
static int line_describe_call_2(const void *a, void *workspace) {
    return line_backward((const line_args *)a, workspace);
}
static size_t line_describe_workspace_3(const void *a) {
    return line_value_and_gradient_workspace((const line_args *)a);
}
static int line_describe_call_3(const void *a, void *workspace) {
    return line_value_and_gradient((const line_args *)a, workspace);
}
static int64_t line_describe_extent(const void *args, int tensor, int axis) {
    const line_args *a = (const line_args *)args;
    (void)a;
    switch (tensor * 64 + axis) {
    case 0 * 64 + 0: return a->N;
    case 1 * 64 + 0: return a->N;
    default: return -1;
    }
}
static const gradc_dim line_describe_dims[] = {
    {"N", offsetof(line_args, N), 1},
};
static const gradc_tensor line_describe_tensors[] = {
    {"x", GRADC_ROLE_INPUT, GRADC_TYPE_DOUBLE, 1, 0, offsetof(line_args, x), -1, -1, NULL},
    {"y", GRADC_ROLE_INPUT, GRADC_TYPE_DOUBLE, 1, 0, offsetof(line_args, y), -1, -1, NULL},
    {"a", GRADC_ROLE_PARAM, GRADC_TYPE_DOUBLE, 0, 1, offsetof(line_args, a), -1, -1, NULL},
    {"b", GRADC_ROLE_PARAM, GRADC_TYPE_DOUBLE, 0, 1, offsetof(line_args, b), -1, -1, NULL},
    {"loss", GRADC_ROLE_OUTPUT, GRADC_TYPE_DOUBLE, 0, 0, offsetof(line_args, loss), -1, -1, NULL},
    {"a_grad", GRADC_ROLE_DERIVATIVE, GRADC_TYPE_DOUBLE, 0, 0, offsetof(line_args, a_grad), 4, 2, NULL},
    {"b_grad", GRADC_ROLE_DERIVATIVE, GRADC_TYPE_DOUBLE, 0, 0, offsetof(line_args, b_grad), 4, 3, NULL},
};
static const gradc_function line_describe_functions[] = {
    {"value", line_describe_workspace_0, line_describe_call_0},
    {"forward", line_describe_workspace_1, line_describe_call_1},
    {"backward", line_describe_workspace_1, line_describe_call_2},
    {"value_and_gradient", line_describe_workspace_3, line_describe_call_3},
};
const gradc_model line_model = {
    "line", sizeof(line_args), 1, 7, 4, line_describe_dims, line_describe_tensors,
    line_describe_functions, line_describe_extent};
