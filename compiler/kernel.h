/* kernel: linear algebra as arrays. All entries of one matrix or vector are made at once, by an
 * algorithm that nobody differentiates through: a *kernel*. An array is a kernel array when the
 * body of its one piece is an OP_KERNEL node: leading axes number matrices or right sides (the
 * batch), the last ones are the entries. The node's arguments are
 *
 *     position ...   of the entry, one for each axis of the result: the array's own axes
 *     matrix         a read whose last two positions are slot 0 and slot 1: a factor, or a
 * triangle, that lies in memory row by row given          a term over slot 0 (and slot 1): what the
 * result starts as, in place
 *
 * The slots are indices that the node binds. Whatever rewrites terms sees plain terms; what needs
 * to know of kernels asks here. */
#ifndef GRADC_KERNEL_H
#define GRADC_KERNEL_H
#include "graph.h"

typedef enum KernelKind {
    KERNEL_LU,             /* [N + 1, N]: A = P L U, the last row says which rows were exchanged */
    KERNEL_LU_SOLVE,       /* A x = b, of lu(A) */
    KERNEL_LU_SOLVE_T,     /* A' x = b */
    KERNEL_LU_INVERSE,     /* A^-1 */
    KERNEL_LU_LOGDET,      /* log |det A| */
    KERNEL_CHOLESKY,       /* A = L L' of the lower triangle of A, 0 above the diagonal */
    KERNEL_CHOLESKY_SOLVE, /* A x = b, of cholesky(A) */
    KERNEL_LOWER_SOLVE,    /* L x = b; what stands above the diagonal is not looked at */
    KERNEL_LOWER_SOLVE_T,  /* L' x = b */
    KERNEL_UPPER_SOLVE,    /* U x = b; what stands below the diagonal is not looked at */
    KERNEL_UPPER_SOLVE_T,  /* U' x = b */
    KERNEL_COUNT
} KernelKind;

typedef struct KernelInfo {
    const char *name; /* in dumps and, as gradc_NAME, in C */
    int result;       /* axes of the result */
    bool matrix;      /* has a matrix argument */
    int given;        /* slots of the given argument; 0: there is none */
    bool fails;       /* the C function returns a status */
} KernelInfo;
extern const KernelInfo kernel_info[KERNEL_COUNT];

/* What the language calls: solve(A, b) is KERNEL_LU_SOLVE of KERNEL_LU of A. */
typedef struct Kernel {
    const char *name;
    int nargs, rank[2], result; /* all sizes are the same */
    KernelKind factor;          /* KERNEL_COUNT: none, the matrix is the argument itself */
    KernelKind kind;
} Kernel;
const Kernel *kernel_find(const char *name);
extern const char *const kernel_names[]; /* NULL-terminated */

/* Looking. */
bool kernel_is(const Graph *g, ArrayRef a);      /* a kernel array? */
int kernel_batch(const Graph *g, ArrayRef a);    /* its leading axes that number matrices */
Ref kernel_matrix(const Graph *g, Ref kernel);   /* 0: none */
Ref kernel_given(const Graph *g, Ref kernel);    /* 0: none */
bool kernel_is_matrix(const Graph *g, Ref read); /* can this read be the matrix argument? */
const Poly *kernel_size(Graph *g, Ref kernel, ArrayRef a); /* N; a: the array that it makes */
/* The matrix behind the matrix argument, over slots 0 and 1: of a factor, what it was made of. */
Ref kernel_source(Graph *g, Ref kernel);

/* Making. The array stands over those of the scope's indices that the arguments need, under its
 * guard: what that says of other indices becomes "for some of them". Returned is the array; lead
 * gets the scope's indices that its batch axes are. */
ArrayRef kernel_array(Graph *g, const Scope *s, KernelKind kind, Ref matrix, Ref given, Span at,
                      int *nlead, const Ref **lead);
/* Entry [position] of it, as a term over the scope's indices. */
Ref kernel_entry(Graph *g, ArrayRef a, int nlead, const Ref *lead, const Ref *position);
#endif
