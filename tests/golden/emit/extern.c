/* falling: made by gradc from extern.grad. This text, and what it takes from the gradc runtime, may be used without any condition. */
/* falling: made by gradc from extern.grad. It may be used without any condition. */
#ifndef GRADC_MODEL_FALLING_H
#define GRADC_MODEL_FALLING_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Set by name; what is not used may stay 0. Arrays are row-major and may not overlap what is written.
 * An output that is NULL is not written. Functions return 0, or what went wrong:
 * 1 a dimension is too small, 2 a size overflows, 3 an index from data is out of range, 4 a maximum, minimum or mean over
 * nothing, 8 an input is NULL, 9 the workspace is NULL or not aligned to 64 bytes. Outputs are unspecified then. */
typedef struct falling_args {
    int64_t N;                   /* dimension, at least 1 */
    const double *v;             /* [N] input */
    const int32_t *n;            /* [N] input */
    double *f;                   /* [N] output */
    double *loss;                /* output */
    double *v_grad;              /* [N] d loss / d v */
} falling_args;

/* Bytes of workspace that each function needs, given the dimensions; SIZE_MAX when they are not possible. It starts at a multiple of
 * 64 bytes, and 0 bytes may be NULL. */
size_t falling_workspace(const falling_args *a);
/* The workspace of falling_value alone. */
size_t falling_value_workspace(const falling_args *a);
/* The outputs alone. */
int falling_value(const falling_args *a, void *workspace);
/* The outputs; the workspace keeps what backward reads. */
int falling_forward(const falling_args *a, void *workspace);
/* The gradient. The same arguments and workspace as forward, which came before; reads no output. */
int falling_backward(const falling_args *a, void *workspace);
/* The workspace of falling_value_and_gradient alone. */
size_t falling_value_and_gradient_workspace(const falling_args *a);
/* The outputs and the gradient at once. */
int falling_value_and_gradient(const falling_args *a, void *workspace);

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
extern const gradc_model falling_model;

#ifdef __cplusplus
}
#endif
#endif
#include <gradc.h>

#include "slopes.h"

/* To be linked. */
#ifdef __cplusplus
extern "C" {
#endif
double drag(double v, int64_t n);
int open(double v);
#ifdef __cplusplus
}
#endif

static int falling_check_sizes(const falling_args *a) {
    (void)a;
    if (a->N < 1) {
        return GRADC_BAD_SIZE;
    }
    if (a->N > INT32_MAX) {
        return GRADC_OVERFLOW;
    }
    return GRADC_OK;
}

/* Where the arrays of the workspace start; returns its size in bytes, SIZE_MAX when that overflows. */
static size_t falling_value_layout(const falling_args *a, size_t *at) {
    size_t n = 0;
    (void)a;
    at[0] = n; /* f[N] */
    n = gradc_size_add(n, gradc_align(gradc_size_mul(sizeof(double), gradc_size(a->N))));
    return n;
}

/* Where the arrays of the workspace start; returns its size in bytes, SIZE_MAX when that overflows. */
static size_t falling_layout(const falling_args *a, size_t *at) {
    size_t n = 0;
    (void)a;
    at[0] = n; /* open_yes[N] */
    n = gradc_size_add(n, gradc_align(gradc_size_mul(sizeof(uint8_t), gradc_size(a->N))));
    at[1] = n; /* f[N] */
    n = gradc_size_add(n, gradc_align(gradc_size_mul(sizeof(double), gradc_size(a->N))));
    return n;
}

/* Where the arrays of the workspace start; returns its size in bytes, SIZE_MAX when that overflows. */
static size_t falling_value_and_gradient_layout(const falling_args *a, size_t *at) {
    size_t n = 0;
    (void)a;
    at[0] = n; /* f[N] */
    n = gradc_size_add(n, gradc_align(gradc_size_mul(sizeof(double), gradc_size(a->N))));
    return n;
}

size_t falling_workspace(const falling_args *a) {
    size_t at[2], n, most = 0;
    if (a == NULL || falling_check_sizes(a) != GRADC_OK) {
        return SIZE_MAX;
    }
    n = falling_value_layout(a, at);
    most = n > most ? n : most;
    n = falling_layout(a, at);
    most = n > most ? n : most;
    n = falling_value_and_gradient_layout(a, at);
    most = n > most ? n : most;
    return most;
}

size_t falling_value_workspace(const falling_args *a) {
    size_t at[1], n, most = 0;
    if (a == NULL || falling_check_sizes(a) != GRADC_OK) {
        return SIZE_MAX;
    }
    n = falling_value_layout(a, at);
    most = n > most ? n : most;
    return most;
}

size_t falling_value_and_gradient_workspace(const falling_args *a) {
    size_t at[1], n, most = 0;
    if (a == NULL || falling_check_sizes(a) != GRADC_OK) {
        return SIZE_MAX;
    }
    n = falling_value_and_gradient_layout(a, at);
    most = n > most ? n : most;
    return most;
}

GRADC_OUTLINE int falling_value_worker(
        int64_t N,
        const double *gradc_restrict v,
        const int32_t *gradc_restrict n,
        double *gradc_restrict f,
        double *gradc_restrict f_out,
        double *gradc_restrict loss_out) {
    double loss = 0.0;
    /* One loop, forward over i: open_yes, f; sums loss */
    double loss_lanes1[64] = {0};
    for (int64_t i0 = 0; i0 < N; i0 += 64) {
        const int64_t width = gradc_width(N - i0);
        for (int64_t lane = 0; lane < width; lane++) {
            const int64_t i = i0 + lane;
            /* bool open_yes[i: N] = open(v[i]); */
            const int open_yes = (open(v[i]) != 0);
            /* f[i: N] = open_yes[i] ? drag(v[i], n[i]) : 0; */
            f[i] = open_yes ? drag(v[i], n[i]) : 0.0;
            /* loss = sum[i: N](f[i] * f[i]); */
            loss_lanes1[lane] += f[i] * f[i];
        }
    }
    loss += gradc_fold(loss_lanes1, 64);
    if (f_out != NULL) {
        memcpy(f_out, f, (size_t)(N) * sizeof(double));
    }
    if (loss_out != NULL) {
        *loss_out = loss;
    }
    return GRADC_OK;
}

int falling_value(const falling_args *a, void *workspace) {
    int status;
    size_t at[1], bytes;
    char nothing[1];
    char *const w = workspace != NULL ? (char *)workspace : nothing;
    if (a == NULL) {
        return GRADC_NULL;
    }
    status = falling_check_sizes(a);
    if (status != GRADC_OK) {
        return status;
    }
    bytes = falling_value_layout(a, at);
    if (bytes == SIZE_MAX) {
        return GRADC_OVERFLOW;
    }
    if (bytes > 0 && (workspace == NULL || !gradc_aligned(workspace))) {
        return GRADC_WORKSPACE;
    }
    if (a->v == NULL || a->n == NULL) {
        return GRADC_NULL;
    }
    return falling_value_worker(a->N, a->v, a->n, (double *)(void *)(w + at[0]), a->f, a->loss);
}

GRADC_OUTLINE int falling_forward_worker(
        int64_t N,
        const double *gradc_restrict v,
        const int32_t *gradc_restrict n,
        uint8_t *gradc_restrict open_yes,
        double *gradc_restrict f,
        double *gradc_restrict f_out,
        double *gradc_restrict loss_out) {
    /* bool open_yes[i: N] = open(v[i]); */
    for (int64_t i = 0; i < N; i++) {
        open_yes[i] = (uint8_t)(open(v[i]) != 0);
    }

    /* f[i: N] = open_yes[i] ? drag(v[i], n[i]) : 0; */
    for (int64_t i = 0; i < N; i++) {
        f[i] = open_yes[i] ? drag(v[i], n[i]) : 0.0;
    }

    /* loss = sum[i: N](f[i] * f[i]); */
    double sum1 = 0.0;
    double sum1_row[8] = {0};
    for (int64_t i0 = 0; i0 < N / 8 * 8; i0 += 8) {
        GRADC_ROW
        for (int place = 0; place < gradc_places(8); place++) {
            const int64_t i = i0 + place;
            sum1_row[place] += f[i] * f[i];
        }
    }
    sum1 += gradc_sum_row(sum1_row);
    for (int64_t i = N / 8 * 8; i < N; i++) {
        sum1 += f[i] * f[i];
    }
    const double loss = sum1;
    if (f_out != NULL) {
        memcpy(f_out, f, (size_t)(N) * sizeof(double));
    }
    if (loss_out != NULL) {
        *loss_out = loss;
    }
    return GRADC_OK;
}

int falling_forward(const falling_args *a, void *workspace) {
    int status;
    size_t at[2], bytes;
    char nothing[1];
    char *const w = workspace != NULL ? (char *)workspace : nothing;
    if (a == NULL) {
        return GRADC_NULL;
    }
    status = falling_check_sizes(a);
    if (status != GRADC_OK) {
        return status;
    }
    bytes = falling_layout(a, at);
    if (bytes == SIZE_MAX) {
        return GRADC_OVERFLOW;
    }
    if (bytes > 0 && (workspace == NULL || !gradc_aligned(workspace))) {
        return GRADC_WORKSPACE;
    }
    if (a->v == NULL || a->n == NULL) {
        return GRADC_NULL;
    }
    return falling_forward_worker(a->N, a->v, a->n, (uint8_t *)(void *)(w + at[0]),
            (double *)(void *)(w + at[1]), a->f, a->loss);
}

GRADC_OUTLINE int falling_backward_worker(
        int64_t N,
        const double *gradc_restrict v,
        const int32_t *gradc_restrict n,
        uint8_t *gradc_restrict open_yes,
        double *gradc_restrict f,
        double *gradc_restrict v_grad) {
    /* v_grad[i: N] = open_yes[i] ? 2 * (f[i] * drag_dv(v[i], n[i])) : 0; */
    if (v_grad != NULL) {
        for (int64_t i = 0; i < N; i++) {
            v_grad[i] = open_yes[i] ? 2.0 * (f[i] * drag_dv(v[i], n[i])) : 0.0;
        }
    }
    return GRADC_OK;
}

int falling_backward(const falling_args *a, void *workspace) {
    int status;
    size_t at[2], bytes;
    char nothing[1];
    char *const w = workspace != NULL ? (char *)workspace : nothing;
    if (a == NULL) {
        return GRADC_NULL;
    }
    status = falling_check_sizes(a);
    if (status != GRADC_OK) {
        return status;
    }
    bytes = falling_layout(a, at);
    if (bytes == SIZE_MAX) {
        return GRADC_OVERFLOW;
    }
    if (bytes > 0 && (workspace == NULL || !gradc_aligned(workspace))) {
        return GRADC_WORKSPACE;
    }
    if (a->v == NULL || a->n == NULL) {
        return GRADC_NULL;
    }
    return falling_backward_worker(a->N, a->v, a->n, (uint8_t *)(void *)(w + at[0]),
            (double *)(void *)(w + at[1]), a->v_grad);
}

GRADC_OUTLINE int falling_value_and_gradient_worker(
        int64_t N,
        const double *gradc_restrict v,
        const int32_t *gradc_restrict n,
        double *gradc_restrict f,
        double *gradc_restrict f_out,
        double *gradc_restrict loss_out,
        double *gradc_restrict v_grad) {
    double loss = 0.0;
    /* One loop, forward over i: open_yes, f, v_grad; sums loss */
    double loss_lanes1[64] = {0};
    for (int64_t i0 = 0; i0 < N; i0 += 64) {
        const int64_t width = gradc_width(N - i0);
        int open_yes[64];
        for (int64_t lane = 0; lane < width; lane++) {
            const int64_t i = i0 + lane;
            /* bool open_yes[i: N] = open(v[i]); */
            open_yes[lane] = (open(v[i]) != 0);
            /* f[i: N] = open_yes[i] ? drag(v[i], n[i]) : 0; */
            f[i] = open_yes[lane] ? drag(v[i], n[i]) : 0.0;
        }

        /* v_grad[i: N] = open_yes[i] ? 2 * (f[i] * drag_dv(v[i], n[i])) : 0; */
        if (v_grad != NULL) {
            for (int64_t lane = 0; lane < width; lane++) {
                const int64_t i = i0 + lane;
                v_grad[i] = open_yes[lane] ? 2.0 * (f[i] * drag_dv(v[i], n[i])) : 0.0;
            }
        }
        GRADC_LANES
        for (int64_t lane = 0; lane < width; lane++) {
            const int64_t i = i0 + lane;
            /* loss = sum[i: N](f[i] * f[i]); */
            loss_lanes1[lane] += f[i] * f[i];
        }
    }
    loss += gradc_fold(loss_lanes1, 64);
    if (f_out != NULL) {
        memcpy(f_out, f, (size_t)(N) * sizeof(double));
    }
    if (loss_out != NULL) {
        *loss_out = loss;
    }
    return GRADC_OK;
}

int falling_value_and_gradient(const falling_args *a, void *workspace) {
    int status;
    size_t at[1], bytes;
    char nothing[1];
    char *const w = workspace != NULL ? (char *)workspace : nothing;
    if (a == NULL) {
        return GRADC_NULL;
    }
    status = falling_check_sizes(a);
    if (status != GRADC_OK) {
        return status;
    }
    bytes = falling_value_and_gradient_layout(a, at);
    if (bytes == SIZE_MAX) {
        return GRADC_OVERFLOW;
    }
    if (bytes > 0 && (workspace == NULL || !gradc_aligned(workspace))) {
        return GRADC_WORKSPACE;
    }
    if (a->v == NULL || a->n == NULL) {
        return GRADC_NULL;
    }
    return falling_value_and_gradient_worker(a->N, a->v, a->n, (double *)(void *)(w + at[0]), a->f,
            a->loss, a->v_grad);
}

/* ---- the description of the model ---- */

static size_t falling_describe_workspace_0(const void *a) {
    return falling_value_workspace((const falling_args *)a);
}
static int falling_describe_call_0(const void *a, void *workspace) {
    return falling_value((const falling_args *)a, workspace);
}
static size_t falling_describe_workspace_1(const void *a) {
    return falling_workspace((const falling_args *)a);
}
static int falling_describe_call_1(const void *a, void *workspace) {
    return falling_forward((const falling_args *)a, workspace);
}
static int falling_describe_call_2(const void *a, void *workspace) {
    return falling_backward((const falling_args *)a, workspace);
}
static size_t falling_describe_workspace_3(const void *a) {
    return falling_value_and_gradient_workspace((const falling_args *)a);
}
static int falling_describe_call_3(const void *a, void *workspace) {
    return falling_value_and_gradient((const falling_args *)a, workspace);
}
static int64_t falling_describe_extent(const void *args, int tensor, int axis) {
    const falling_args *a = (const falling_args *)args;
    (void)a;
    switch (tensor * 64 + axis) {
    case 0 * 64 + 0: return a->N;
    case 1 * 64 + 0: return a->N;
    case 2 * 64 + 0: return a->N;
    case 4 * 64 + 0: return a->N;
    default: return -1;
    }
}
static const gradc_dim falling_describe_dims[] = {
    {"N", offsetof(falling_args, N), 1},
};
static const gradc_tensor falling_describe_tensors[] = {
    {"v", GRADC_ROLE_INPUT, GRADC_TYPE_DOUBLE, 1, 0, offsetof(falling_args, v), -1, -1, NULL},
    {"n", GRADC_ROLE_INPUT, GRADC_TYPE_INT32, 1, 0, offsetof(falling_args, n), -1, -1, NULL},
    {"f", GRADC_ROLE_OUTPUT, GRADC_TYPE_DOUBLE, 1, 0, offsetof(falling_args, f), -1, -1, NULL},
    {"loss", GRADC_ROLE_OUTPUT, GRADC_TYPE_DOUBLE, 0, 0, offsetof(falling_args, loss), -1, -1, NULL},
    {"v_grad", GRADC_ROLE_DERIVATIVE, GRADC_TYPE_DOUBLE, 1, 0, offsetof(falling_args, v_grad), 3, 0, NULL},
};
static const gradc_function falling_describe_functions[] = {
    {"value", falling_describe_workspace_0, falling_describe_call_0},
    {"forward", falling_describe_workspace_1, falling_describe_call_1},
    {"backward", falling_describe_workspace_1, falling_describe_call_2},
    {"value_and_gradient", falling_describe_workspace_3, falling_describe_call_3},
};
const gradc_model falling_model = {
    "falling", sizeof(falling_args), 1, 5, 4, falling_describe_dims, falling_describe_tensors,
    falling_describe_functions, falling_describe_extent};
