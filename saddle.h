/* saddle_ff: made by gradc from saddle.grad. It may be used without any condition. */
#ifndef GRADC_MODEL_SADDLE_FF_H
#define GRADC_MODEL_SADDLE_FF_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Set by name; what is not used may stay 0. Arrays are row-major and may not overlap what is written.
 * An output that is NULL is not written. Functions return 0, or what went wrong:
 * 1 a dimension is too small, 2 a size overflows, 3 an index from data is out of range, 4 a maximum, minimum or mean over
 * nothing, 8 an input is NULL, 9 the workspace is NULL or not aligned to 64 bytes. Outputs are unspecified then. */
typedef struct saddle_ff_args {
    const double *start;         /* [2] input */
    double *x;                   /* [2] output */
    double *y;                   /* [2] output */
} saddle_ff_args;

/* Bytes of workspace that saddle_ff_value needs, given the dimensions; SIZE_MAX when they are not possible. It starts at a multiple of
 * 64 bytes, and 0 bytes may be NULL. */
size_t saddle_ff_workspace(const saddle_ff_args *a);
/* The outputs alone. */
int saddle_ff_value(const saddle_ff_args *a, void *workspace);

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
extern const gradc_model saddle_ff_model;

#ifdef __cplusplus
}
#endif
#endif
