/* plan: the loop tree between the graph and the C text: which arrays are stored and where, and for
 * each entry function the statements, loops and kernels that compute them. emit only prints it;
 * speed is decided here. */
#ifndef GRADC_PLAN_H
#define GRADC_PLAN_H
#include "graph.h"

typedef enum ExprKind {
    EXPR_CONST,  /* ref: a constant node */
    EXPR_DIM,    /* ref: a dimension */
    EXPR_INDEX,  /* ref: an index that a loop around binds */
    EXPR_LOCAL,  /* local */
    EXPR_LOAD,   /* array at arg[] */
    EXPR_OP,     /* op of arg[] */
    EXPR_SELECT, /* arg[0] ? arg[1] : arg[2] */
    EXPR_CAST,   /* arg[0] as type */
    EXPR_CHECKED,
    EXPR_NONEMPTY,
    EXPR_IDIV,
    EXPR_EXTERN, /* the call of a C function, in ref, of arg[] */
    EXPR_KERNEL /* a number that a kernel finds: see KernelCall */
} ExprKind;

typedef struct Expr Expr;
typedef struct KernelCall { /* of a kernel of linear algebra */
    int kind;         /* KernelKind */
    const Poly *n;    /* the size of its matrices */
    const Poly *m;    /* how many right sides lie behind each other; NULL: it takes one thing alone */
    ArrayRef array[2]; /* the matrix, 0: none; the result */
    Expr **position[2]; /* of the first entry */
} KernelCall;
struct Expr {
    ExprKind kind;
    Op op;
    ValueType type;
    Ref ref;
    ArrayRef array;
    int local;
    bool checked; /* integer arithmetic that may overflow: then a status */
    int n;
    Expr **arg;
    const KernelCall *call; /* EXPR_KERNEL */
};

typedef enum StmtKind {
    STMT_COMMENT, /* text, or the equations of the array */
    STMT_LOOP,    /* index from value up to, not including, other; body */
    STMT_IF,      /* value, body, otherwise */
    STMT_LET,     /* local = value, never changed */
    STMT_VAR,     /* local = value (or none yet), changed later */
    STMT_SET,     /* local op= value */
    STMT_STORE,   /* array[position] op= value */
    STMT_ZERO,    /* all of the array is 0 */
    STMT_MATMUL,  /* see Matmul */
    STMT_KERNEL,  /* call */
    STMT_COPY,    /* an output that was computed in a buffer */
    STMT_BREAK,   /* out of the loop around */
    STMT_RETURN,  /* with the status; op '?': if there is one already */
    STMT_FAIL     /* status = the code in text */
} StmtKind;

typedef enum LoopHint { HINT_NONE, HINT_LANES, HINT_SUM, HINT_MAX, HINT_MIN } LoopHint;

typedef struct Matmul { /* c[i, j] (+)= sum over p of a[i, p] b[p, j] */
    ArrayRef array[3];  /* a, b, c */
    Expr **position[3]; /* of its first entry: 0 on the two axes below */
    int row[3], column[3];
    const Poly *m, *n, *k;
    bool accumulate;
} Matmul;

typedef struct Stmt Stmt;
typedef struct Block {
    Stmt *first, *last;
} Block;
struct Stmt {
    StmtKind kind;
    Stmt *next;
    Ref index;
    bool down; /* the loop runs from other, included, down to value */
    LoopHint hint;
    int hint_local;
    int local;
    ArrayRef array;
    int n;
    Expr **position;
    Expr *value, *other;
    char op;      /* '=' '+' '*' */
    bool checked; /* of an integer that may overflow */
    Block body, otherwise;
    const char *text;
    Matmul *matmul;
    const KernelCall *call;
};

typedef struct Local {
    const char *hint;
    ValueType type;
    ArrayRef array; /* it is this array without axes, else 0 */
    bool changes;
} Local;

typedef enum Place {
    PLACE_NONE,
    PLACE_INPUT,
    PLACE_TABLE,
    PLACE_LOCAL,  /* without axes: a variable of the function */
    PLACE_BUFFER, /* in the workspace */
    PLACE_OUTPUT  /* straight into the caller's array */
} Place;

/* How the entries of an array lie in memory, where that is not all of them row by row. */
typedef struct Store {
    const int64_t *window; /* by axis: 0 for all its entries; else the last so many, a power of two,
                              entry t at t & (window - 1); 1: there is no such axis in memory */
    int n;
    const int *axis; /* those that have a place, the last one contiguous */
} Store;

/* One loop of a recurrence, as one of its arrays sees it: turn t computes its entries t - off. */
typedef struct LoopPlace {
    ArrayRef array;
    int loop; /* its number in the function */
    int axis, off;
    bool down; /* turns fall */
} LoopPlace;

/* What a turn of a loop adds to an array, in place of one of its pieces. */
typedef struct Pushed {
    ArrayRef to;
    int piece, loop;
    Ref turn, term, condition; /* condition: 0, none */
} Pushed;

typedef enum FunctionKind {
    FN_VALUE,
    FN_FORWARD,
    FN_BACKWARD,
    FN_VALUE_AND_GRADIENT, /* forward, then backward */
    FN_VJP,                /* as backward, of another request */
    FN_DERIVATIVE          /* all that a jacobian, hessian, jvp or hvp needs, at once */
} FunctionKind;

typedef struct Function {
    FunctionKind kind;
    int request;          /* -1: none */
    int layout;           /* of its workspace, in Plan.layouts */
    Place *place;         /* by array */
    int *local;           /* by array, PLACE_LOCAL */
    const Store **store;  /* by array; NULL: all entries, row by row */
    VEC(LoopPlace) places; /* the loops of recurrences, outer ones first */
    int loops;
    VEC(Pushed) pushed;
    bool *scattered; /* by array: written at places that data chooses */
    VEC(ArrayRef) reads;  /* inputs that it uses */
    VEC(ArrayRef) writes; /* outputs and results of the caller that it sets */
    VEC(ArrayRef) buffers;
    VEC(ArrayRef) saved; /* arrays without axes that come from the workspace, or go there */
    VEC(Local) locals;
    Block body;
} Function;

typedef struct Buffer {
    ArrayRef array;
    const Store *store;
} Buffer;

typedef struct Layout { /* the workspace of one request, or of the value alone; a gradient may share
                           it with a vjp */
    int request;        /* -1: the value alone */
    VEC(Buffer) buffers; /* in the order in which they lie there */
    VEC(ArrayRef)
    kept; /* arrays without axes that forward keeps; behind the buffers, together by type */
} Layout;

typedef struct Plan {
    Graph *g;
    VEC(Function) functions;
    VEC(Layout) layouts; /* the value's first */
} Plan;

int layout_place(const Graph *g, const Layout *l, const Function *f,
                 ArrayRef a); /* the number of its buffer; -1: none */
const char *function_word(FunctionKind kind); /* "forward" */
#endif
