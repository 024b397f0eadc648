/* gradc_model.h: the description of a model, for code that serves any model: save parameters, check gradients, drive an optimiser.
 *
 * Every emitted header holds these types too (under the same guard) and declares `extern const gradc_model NAME_model;`. The
 * arguments of a model are its NAME_args struct, passed as void *; the tables say where its fields lie. */
#ifndef GRADC_MODEL_TYPES
#define GRADC_MODEL_TYPES
#include <stddef.h>
#include <stdint.h>

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
