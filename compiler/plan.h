/* plan: the loop tree between the graph and the C text: which arrays are stored and where, and for
 * each entry function the statements, loops and kernels that compute them. emit only prints it;
 * speed is decided here. */
#ifndef GRADC_PLAN_H
#define GRADC_PLAN_H
#include "passes.h"

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
    EXPR_FOLD,   /* the sum of the row of numbers in local; checked: all, else those of the block */
    EXPR_EXTERN, /* the call of a C function, in ref, of arg[] */
    EXPR_KERNEL  /* a number that a kernel finds: see KernelCall */
} ExprKind;

typedef struct Expr Expr;
typedef struct KernelCall { /* of a kernel of linear algebra */
    int kind;               /* KernelKind */
    const Poly *n;          /* the size of its matrices */
    const Poly *m; /* how many right sides lie behind each other; NULL: it takes one thing alone */
    ArrayRef array[2];  /* the matrix, 0: none; the result */
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
    bool guessed; /* EXPR_SELECT: by a decision of the recurrence around, see steps.c */
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
    STMT_FAIL,    /* status = the code in text */
    STMT_SPAN,    /* the length of a checkpoint's window, where it is known at run time only */
    STMT_STATES,  /* before the loop of a recurrence whose states are kept */
    STMT_STATE,   /* first in such a loop: this turn's state, where it is due */
    STMT_THREADS, /* threads: body, a loop in parts that several threads take */
    STMT_REPLAY   /* backward: body, a loop that computes turns again; otherwise, the loop that uses
                     them */
} StmtKind;

enum { MOST_COPIES = 64 }; /* arrays of a function that hold a block of another one, turned */
enum { JAM = 4 };          /* turns of a short loop around the turns of a block, taken together */
enum { LANES = 64 };       /* turns of a loop that go by blocks, see lanes.c; a power of two */

typedef enum LoopHint {
    HINT_NONE,
    HINT_TURNED, /* copies a column of a block to a row */
    HINT_LANES,
    HINT_SUM,
    HINT_MAX,
    HINT_MIN
} LoopHint;

typedef struct Matmul { /* c[i, j] (+)= sum over p of a[i, p] b[p, j] */
    ArrayRef array[3];  /* a, b, c */
    Expr **position[3]; /* of its first entry: 0 on the two axes below */
    int row[3], column[3];
    uint32_t joined[3];    /* by axis, a bit: rows or columns go along it too, see wide.c */
    const Poly *m, *n, *k; /* NULL: the turns of a block */
    bool accumulate;
} Matmul;

enum {
    REPLAY_FROM,
    REPLAY_TO,
    REPLAY_LO,
    REPLAY_HI,
    REPLAY_STATE,
    REPLAY_AT,
    REPLAY_DONE,
    REPLAY_START,
    REPLAY_LOCALS
};
enum { REPLAY_STARTS_LATE = 1, REPLAY_ENDS_EARLY = 2 };
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
    int *sums, nsums; /* HINT_SUM: other locals that it adds up, beside hint_local */
    int number;       /* of the loop in its function, or of the run in its block */
    bool map;         /* no turn of the loop asks another one for anything */
    bool turns;       /* its turns ask each other: those of a recurrence */
    int step;         /* the loop goes by blocks of so many turns; else 0 */
    bool lanes;       /* it runs over the turns of a block; index is that of the block's loop */
    bool one_by_one;  /* and is none for vector code */
    bool flat;        /* its turns are those of two loops, along what lies in one row */
    const Poly *room; /* it goes on to here, through the room behind its row; NULL: it does not */
    bool jam;         /* JAM turns of the loop are one: the run inside makes them together */
    bool in_steps;    /* its turns look up positions, and go one after the other */
    int jump; /* so many turns of the loop are one, as `otherwise` says; body: a turn of the rest */
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
    const struct Checkpoint *checkpoint;
    const struct Threads *threads; /* of STMT_THREADS, and of the loop in it */
    int locals[REPLAY_LOCALS];
};

typedef struct Local {
    const char *hint;
    ValueType type;
    ArrayRef array;   /* it is this array without axes, else 0 */
    ArrayRef part_of; /* it is the first part of this array's value; 0: no part */
    int back;         /* or what the array part_of was so many turns before; else 0 */
    bool changes;
    bool lanes; /* a row of numbers, one for each turn of a block */
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
                              entry t at t & (window - 1); 1: there is no such axis in memory; -1:
                              as many as the checkpoint says */
    const struct Checkpoint *checkpoint;
    int n;
    const int *axis; /* those that have a place, the last one contiguous */
    int row; /* along the last one there is room for a multiple of so many entries; 0: for its own
              */
} Store;

/* One loop of a recurrence, as one of its arrays sees it: turn t computes its entries t - off. */
typedef struct LoopPlace {
    ArrayRef array;
    int loop; /* its number in the function */
    int axis, off;
    bool down; /* turns fall */
} LoopPlace;

typedef enum FunctionKind {
    FN_VALUE,
    FN_FORWARD,
    FN_BACKWARD,
    FN_VALUE_AND_GRADIENT, /* both at once, in loops that they share */
    FN_VJP,                /* as backward, of another request */
    FN_DERIVATIVE          /* all that a jacobian, hessian, jvp or hvp needs, at once */
} FunctionKind;

typedef struct LoopRange { /* of an outermost loop: its first turn, and the one behind its last */
    Ref first, end;
} LoopRange;

/* A recurrence whose history is not kept for backward. Forward keeps its state before some turns;
 * backward takes them from the last to the first, computes a block of turns again, and runs its own
 * loop over that block. A state is what later turns read: the last entries of some arrays. */
typedef struct State {
    ArrayRef array;
    int turns; /* so many of its last entries */
} State;
typedef struct CheckpointAfter { /* a function that takes the states */
    FunctionKind kind;
    int group;          /* the loop that uses the history, among the function's */
    int least;          /* it reads what turn + least computed, and later ones */
    const bool *before; /* by array: to be computed before that loop: they read the last state */
} CheckpointAfter;
typedef struct Checkpoint {
    CheckpointKind kind;
    int64_t count;
    int number; /* among those of the layout */
    int group;  /* the recurrence, among the groups of forward */
    const struct LoopGroup *loop;
    ArrayRef seed; /* one of its arrays */
    int arrays;    /* those by number that the tables by array know; see checkpoint_extend */
    const Poly *first, *end; /* its turns */
    const bool *again;       /* by array: computed again by backward */
    const bool *window; /* by array: of these, read by backward's loop: a block of them is held */
    const int *axis, *off;
    const Store **store; /* by array: of forward, without checkpoints */
    VEC(State) states;
    VEC(State) ends; /* what backward reads of the state behind the last turn, before its loop */
    int reach;       /* backward's loop reads so many turns beyond a block */
    int64_t least;   /* of the window's length */
    CheckpointAfter after[2];
    int nafter;
} Checkpoint;
enum { MOST_CHECKPOINTS = 8 };
int64_t checkpoint_span(const Checkpoint *c);   /* the window's length; -1: known at run time */
ArrayRef checkpoint_array(const Checkpoint *c); /* one of those that it is about */
bool checkpoint_is_for(const Checkpoint *c, FunctionKind kind); /* does this function use it? */

/* Equations that are others for the functions of one request than in the graph. */
typedef struct Edit {
    ArrayRef array;
    int n; /* pieces */
    Piece *before, *after;
} Edit;
typedef struct Again { /* an array of the value that the derivative makes again */
    ArrayRef array;
    VEC(ArrayRef) by; /* the arrays of the derivative that read it */
} Again;
typedef struct Edits {
    const struct Edits *below; /* that these were made on top of; NULL: none */
    VEC(Edit) list;
    VEC(Again) again;
} Edits;
void edits_begin(Graph *g, Edits *e, ArrayRef a);    /* before pieces of the array are changed */
void edits_show(Graph *g, const Edits *e, bool yes); /* the graph with them, or as it was */

/* What a turn of a loop adds to an array, in place of one of its pieces. */
typedef struct Pushed {
    ArrayRef to;
    int piece, loop;
    Ref turn, term, condition; /* condition: 0, none */
} Pushed;

/* A run of a large function's statements, which is a C function of its own: see split.c. What goes
 * from one to a later one lies in the workspace: with the numbers that are kept for backward, if it
 * is one of them, or in a slot. */
typedef struct Handed {
    int local;
    const Stmt *at; /* taken before this statement, or left behind it */
    bool changes;   /* in this part */
} Handed;
typedef struct FunctionPart {
    Stmt *first, *last; /* among the function's */
    bool outside;       /* they stay in the function: it may end there */
    VEC(Handed) takes;  /* from parts before, in the order of the statements */
    VEC(Handed) leaves; /* for parts that follow, likewise */
} FunctionPart;

/* A loop that goes in parts, each of which is a function that a thread may call, see threads.c. A
 * part is the turns from local `from` up to, not including, local `to`. */
typedef struct Gathered { /* a number to which all turns contribute */
    int local;
    char how; /* '+' their sum, '>' the largest, '<' the smallest */
} Gathered;
typedef struct Threads {
    int number, function; /* the loop's among those of its function; the function's in the plan */
    Ref index;
    const Expr *lo, *hi; /* all turns */
    int step;            /* parts begin at whole blocks of so many turns */
    int from, to;
    VEC(int) takes; /* locals from outside */
    VEC(Gathered) gathered;
    VEC(ArrayRef) own;    /* buffers of which each part has a copy */
    VEC(ArrayRef) summed; /* that each part but the first adds to a copy of */
    bool leaves;          /* a part may end with a status before its last turn */
    /* What the number of parts follows from, over sizes: turns; operations; entries that are read
     * or written turn by turn, and of what is summed. */
    const Poly *turns, *work, *data, *weight;
} Threads;
enum { THREADS_PARTS = 64, THREADS_WORK = 32768, THREADS_ROOM = 65536 }; /* see gradc_parts */
typedef struct ThreadsNote {       /* for people: of a loop, whether it goes in parts, or why not */
    const char *index, *of, *text; /* of: the arrays that it computes */
} ThreadsNote;

typedef struct Moved { /* what the conditions of a piece were */
    ArrayRef array;
    int piece;
    Ref guard, live;
} Moved;

typedef struct Function {
    FunctionKind kind;
    int request;           /* -1: none */
    int layout;            /* of its workspace, in Plan.layouts */
    const Edits *edits;    /* in the graph that it was planned from; NULL: none */
    int arrays;            /* that it knows of: what is by array ends there */
    Place *place;          /* by array */
    int *local;            /* by array, PLACE_LOCAL */
    const Store **store;   /* by array; NULL: all entries, row by row */
    VEC(LoopPlace) places; /* the loops of recurrences, outer ones first */
    int loops;
    int copies; /* arrays of the planner's own, see lanes.c */
    VEC(Pushed) pushed;
    VEC(LoopRange) ranges; /* by number of the loop; 0, 0 for loops inside */
    bool *computed;        /* by array: here, and not given */
    const int *owner;      /* by array: the number of its group + 1, 0: none */
    const struct LoopGroup *groups;
    int ngroups;
    VEC(const Checkpoint *) checkpoints;
    int span[MOST_CHECKPOINTS]; /* by number of the checkpoint: a local */
    bool *scattered;            /* by array: written at places that data chooses */
    VEC(ArrayRef) reads;        /* inputs that it uses */
    VEC(ArrayRef) writes;       /* outputs and results of the caller that it sets */
    VEC(ArrayRef) buffers;
    VEC(ArrayRef) saved; /* arrays without axes that come from the workspace, or go there */
    VEC(Local) locals;
    VEC(const Threads *) threads;
    VEC(ThreadsNote) threads_notes;
    int nthreads;
    VEC(Moved) moved; /* conditions in the graph that are others while it is planned */
    Block body;
    VEC(FunctionPart) parts; /* all of the body, in order; none: it is one function */
    int *slot; /* by local: of those that go from one part to another, among those of a type */
    int slots[VALUE_DOUBLE + 1]; /* by type: how many there are */
} Function;

typedef enum KeptPart {
    PART_STATES, /* the states, of so many turns each */
    PART_ENDS,   /* its last so many entries, while backward goes through the blocks */
    PART_FRESH,  /* one integer: are the states as forward left them? */
    PART_SUMS    /* what parts of a loop add to it, but for the first one */
} KeptPart;
typedef struct Buffer {
    ArrayRef array;
    const Store *store;
    const Checkpoint *states; /* not the array itself, but this of it */
    KeptPart part;
    int turns;                /* of PART_STATES and PART_ENDS */
    const Threads *sums;      /* of PART_SUMS; else NULL */
    VEC(const Threads *) own; /* loops in parts of which each has a copy */
} Buffer;

typedef struct Layout { /* the workspace of one request, or of the value alone; a gradient may share
                           it with a vjp */
    int request;        /* -1: the value alone */
    bool joint;         /* of value_and_gradient, not of forward and those after it */
    VEC(Buffer) buffers; /* in the order in which they lie there */
    VEC(ArrayRef)
    kept; /* arrays without axes that forward keeps; behind the buffers, together by type */
    int slots[VALUE_DOUBLE + 1]; /* behind them, by type: enough for the parts of each function */
} Layout;

typedef struct PlanNote { /* said of a forward function */
    int layout;
    const char *text;
} PlanNote;

typedef struct Plan {
    Graph *g;
    bool products; /* over the turns of a recurrence are made behind its loop */
    VEC(Function) functions;
    VEC(Layout) layouts; /* the value's first */
    VEC(PlanNote) notes;
    bool in_threads, in_threads_always; /* loops go in parts: --openmp */
    bool tight;                         /* no memory but what it needs: --max-workspace */
} Plan;

/* By array: the number of its buffer; -1: none. */
const int *layout_places(const Graph *g, const Layout *l, const Function *f);
int layout_part(const Layout *l, const Checkpoint *c, KeptPart part, ArrayRef a); /* the same */
const char *checkpoint_text(Graph *g, const Layout *l, const Checkpoint *c);      /* its memory */
/* The bytes of a workspace at the sizes that are fixed and assumed; -1: not known. *sum: without
 * the rounding of each array, over all sizes; NULL: it depends on states that are kept. *at_most
 * becomes true where loops may go in parts, each with arrays of its own. */
int64_t layout_bytes(Graph *g, const Layout *l, const Poly **sum, bool *at_most);
int64_t layout_slot_bytes(const Layout *l, int type); /* of what goes from part to part */
bool array_is_narrow(const Graph *g, ArrayRef a);     /* integers of 32 bits in memory */
int array_entry_bytes(const Graph *g, ArrayRef a);
/* How an array lies in memory: how many axes have a place there, the k-th of them, and how many
 * entries there are along an axis (-1: as many as the checkpoint says). s: NULL, all of them. */
int store_axes(const Graph *g, const Store *s, ArrayRef a);
int store_axis(const Store *s, int k);
/* A bound or a position as a polynomial in sizes and indices of loops around; NULL: it is none. */
const Poly *plan_poly(Graph *g, const Expr *e);
const Poly *store_extent(const Graph *g, const Store *s, ArrayRef a, int axis);
/* With the room behind rows: what neighbours are apart. Where a size is open it has a variable of
 * its own, one of Graph.rows. */
const Poly *store_room(Graph *g, const Store *s, ArrayRef a, int axis);
/* How far neighbours along an axis lie apart, in entries; NULL: not all of them are there. */
const Poly *store_stride(Graph *g, const Store *s, ArrayRef a, int axis);
enum { WORKSPACE_ALIGN = 64 }; /* where arrays of the workspace start, as gradc_align has it */
const char *plan_function_name(const Plan *p, const Function *f, const char *prefix); /* in C */
const char *plan_workspace_name(const Plan *p, const Function *f, const char *prefix);
const char *function_word(FunctionKind kind); /* "forward" */
#endif
