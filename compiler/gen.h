/* gen: what the parts of the planner share: the state while statements are made for one function.
 */
#ifndef GRADC_GEN_H
#define GRADC_GEN_H
#include "plan.h"

typedef struct Frame {
    Block *block;
    Ref index;          /* bound by the loop that this is the body of; 0: none */
    bool guard;         /* nothing from inside may be computed outside */
    bool expression;    /* one C expression: nothing is named */
    bool narrowed;      /* conditions narrow the range of this loop: its body may need them to read
                           safely */
    const bool *writes; /* by array: changed inside this loop; NULL: nothing that is read here */
    uint32_t serial;
} Frame;

typedef struct Gen {
    Plan *plan;
    Graph *g;
    Function *f;
    VEC(Frame) frames;
    int top;
    uint32_t serials;
    VEC(Expr *) known;      /* by node: its value, if the frame that holds it is still open */
    VEC(uint32_t) known_in; /* serial of that frame */
    VEC(int) known_level;
    VEC(int) uses;     /* by node, in the term at work */
    Ref turn;          /* of the loop around that goes by blocks; 0: none */
    const bool *asked; /* by array: all of it is for a caller, or for functions after this one */
} Gen;

typedef struct Range {
    VEC(Ref) lo, hi; /* both ends included; all must hold */
} Range;

typedef struct Fixed { /* axes of an array that loops around have fixed already */
    Ref *at;           /* by axis: 0, or the place, over indices in force */
    const bool *writes;
    bool zeroed; /* all of the array was set to 0 before these loops */
    int turns;   /* of an array that counts: the local that holds how many there were */
    Ref known;   /* what the bounds of these loops say; 0: nothing that conditions ask for */
} Fixed;

/* A sum at the root of a piece, opened. */
typedef struct Scatter {
    VEC(Ref) index; /* summed over */
    Ref condition;  /* 0: none */
    Ref term;
} Scatter;

typedef struct Lag { /* a read, and where it happens */
    ArrayRef by, of;
    int piece;
    Ref read;      /* over by's axes and opened indices */
    Ref condition; /* what holds there; 0: nothing */
    Ref turn;      /* read by what this turn of a loop adds to a sum; else 0 */
    Ref live;      /* an iteration has not come to its end at this turn, or `by` would not be
                      computed: then `read` is that of how many turns it has; else 0 */
} Lag;
typedef VEC(Lag) Lags;

/* An array that says how far others go has its turns as a last axis, without entries. */
int turn_axes(const Graph *g, ArrayRef a);
Ref turn_axis(const Graph *g, ArrayRef a, int axis);
Ref lag_place(const Graph *g, const Lag *l, int axis); /* 0: it has none there */

/* lag: the reads of some arrays, and how far back they look. */
void lags_find(Graph *g, const bool *of, ArrayRef by, Lags *lags); /* all in by's pieces */
void lags_find_piece(Graph *g, const bool *of, ArrayRef by, int piece, Lags *lags);
void lags_find_in(Graph *g, const bool *of, ArrayRef by, int piece, Ref term, Ref condition,
                  Lags *lags);
bool lag_prove(Graph *g, const Lag *l, const Poly *p); /* p >= 0 where the read happens? */
/* The largest k in 4..-3 with sign * (place - read) >= k wherever the read happens; LAG_UNKNOWN:
 * none is proved. */
enum { LAG_UNKNOWN = -100, LAG_MOST = 63 };
int lag_least(Graph *g, const Lag *l, int axis_by, int axis_of, int sign);
/* In i < T + c, for the axis i and the turns T of an iteration: T + c - 1; NULL: it is not such. */
const Poly *lag_last(Graph *g, Ref condition, Ref axis);
/* Does the read stand at a fixed distance from the place? */
bool lag_in_step(Graph *g, const Lag *l, int axis_by, int axis_of);
/* Is the read at one of the last entries that a loop computes? */
bool lag_at_end(Graph *g, const Lag *l, int axis_of, int sign, int64_t entries);
bool lag_is_end(Graph *g, const Lag *l, int axis_of, int sign); /* by its form, for all sizes? */

/* storage: how much of each array that the function computes is kept in memory. */
void storage_decide(Graph *g, Function *f, const bool *computed, const bool *carried);

/* scalars: arrays of a few entries become names. */
void scalars_make(Graph *g, int n, const ArrayRef *roots);

/* within: which derivatives nobody reads where no piece says more. */
void within_mark(Graph *g, int n, const ArrayRef *roots);

/* turned: what a recurrence computes in one turn lies together in memory. */
void turned_make(Graph *g, int n, const ArrayRef *roots);

/* fuse: how much work a term is (counted up to the budget: 1 an addition, 20 a function, 1000 a
 * reduction), and what is read in place. */
int term_cost(const Graph *g, Ref r, int budget);
int term_node_cost(const Graph *g, Ref r);       /* without its arguments */
bool term_is_contraction(const Graph *g, Ref r); /* sum[p](a[...] * b[...]) */
enum { LEAST_SIDE = 4 }; /* of a product of matrices that the runtime is asked for */
void fuse_arrays(Graph *g, int n, const ArrayRef *roots);
bool fuse_is_one_piece(Graph *g, ArrayRef a);    /* may its only term stand for any read of it? */
bool fuse_is_result(const Graph *g, ArrayRef a); /* given, or asked for by a caller */

/* keep: dear terms that several equations compute become arrays; the edits are shown then. */
void keep_dear(Graph *g, int n, const ArrayRef *roots, Edits *edits);

/* cut: arrays of the value that the derivative reads copies of, since a byte is worth so many
 * operations. bytes: by array, what it takes now. Returns how many; they are in edits->again. */
int cut_derivative(Graph *g, int n, const ArrayRef *roots, const bool *value, const double *bytes,
                   double weight, Edits *edits);

/* The functions of a request, and those of `also` (-1: none) that share its workspace. Returns how
 * many recurrences keep checkpoints. */
int plan_request(Plan *plan, const PlanOptions *options, int request, int also, const Edits *edits);
void plan_value(Plan *plan, const PlanOptions *options, const Edits *edits);

/* budget: --max-workspace. Of the ways to plan a request (-1: the value alone) the fastest that
 * fits; else an error; of value_and_gradient no error, and NULL. `edits`: by which it is planned if
 * it fits so. */
const Edits *budget_choose(Graph *g, PlanOptions *options, int request, int also, int nroots,
                           const ArrayRef *roots, const Edits *edits);

/* value: expressions, statements, loops. What is opened is added to the block around when it is
 * closed. */
Expr *gen_expr(Gen *x, ExprKind kind, ValueType type, int n);
Expr *gen_local_expr(Gen *x, int local);
int gen_local(Gen *x, const char *hint, ValueType type, bool changes);
Stmt *gen_stmt(Gen *x, StmtKind kind);
void gen_append(Block *b, Stmt *s);
void gen_add(Gen *x, Stmt *s);
void gen_push(Gen *x, Block *block, Ref index, bool guard, const bool *writes);
void gen_pop(Gen *x);
void gen_count_uses(Gen *x, Ref root);   /* before gen_value: what is used twice gets a name */
bool gen_is_choice(const Gen *x, Ref r); /* counted: is it a choice that is one C expression? */
Expr *gen_name(Gen *x, Expr *e, const char *hint);
Expr *gen_value(Gen *x, Ref r); /* its statements are added where they belong */
Ref gen_take_bounds(Gen *x, Ref condition, Ref index, Range *range, const Ref *later, int nlater);
Ref gen_tightest(Gen *x, Ref start, const Ref *bound, int n, bool largest);
Expr *gen_bound(Gen *x, Ref r);
Stmt *gen_loop_open(Gen *x, Ref index, const Poly *lo, const Poly *hi, Ref *condition,
                    const Ref *later, int nlater, const bool *writes);
void gen_loop_close(Gen *x, Stmt *s);
Ref gen_take_ready(Gen *x, Ref *condition, const Ref *later, int nlater, const bool *writes);
Stmt *gen_if_open(Gen *x, Ref condition);
void gen_if_close(Gen *x, Stmt *s);
bool gen_is_straight(const Block *b); /* names and one statement: fit for lanes */
bool gen_may_fail(const Block *b);
bool gen_expr_may_fail(const Expr *e);
int gen_expr_cost(const Expr *e);                 /* as term_cost */
bool gen_expr_same(const Expr *a, const Expr *b); /* the same text? */
bool gen_expr_reads(const Expr *e, ArrayRef a);   /* an entry of it? */
bool gen_expr_has_index(const Expr *e, Ref index);
bool gen_expr_has_load(const Expr *e); /* or a call: something that is not known before it runs */
/* How often each array is met, stores and calls included. */
void gen_count_arrays(const Block *b, int *n);
void gen_append_all(Block *to, const Block *b); /* its statements, one by one */
bool gen_safe_anywhere(Gen *x, Ref r);          /* may it be computed whatever conditions hold? */
Stmt *gen_set(Gen *x, int local, char op, Expr *e);
void gen_stop_if(Gen *x, Expr *condition, const char *text); /* returns with that status */
Expr *gen_below(Gen *x, int local, int64_t bound);           /* local < bound */

/* nest: the loops of one array, at the places that loops around have fixed. */
Ref nest_place_axes(Graph *g, ArrayRef a, Ref term, const Fixed *fixed);
bool nest_open_sums(Graph *g, Ref body, Scatter *s);
Ref nest_scatter_place(Graph *g, Ref condition, Ref axis, Ref *rest);
bool nest_add_entries(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed, Scatter s);
void nest_store(Gen *x, ArrayRef a, const Ref *position, char op, Expr *e);
void nest_check_count(Gen *x, ArrayRef a, Expr *turns); /* a status where they are too few */
bool nest_may_lack_turns(Graph *g, ArrayRef a);
Ref nest_due(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed);
void nest_zero(Gen *x, ArrayRef a, const Fixed *fixed);
Ref nest_zero_of(Graph *g, ValueType type);
void nest_comment(Gen *x, ArrayRef a);
Ref nest_given(Graph *g, ArrayRef a);        /* what a kernel array starts as, over its axes */
Expr *nest_kernel_value(Gen *x, Ref kernel); /* of a kernel whose result is one number */
void nest_pieces(Gen *x, ArrayRef a, const Fixed *fixed, const bool *take);
void nest_add_piece(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed); /* to what is there */
void nest_array(Gen *x, ArrayRef a);

/* A piece that turns of a loop add to: a sum over turns, or one at places that data chooses. */
typedef struct Push {
    ArrayRef to;
    int piece;
    Scatter sum;
    Ref source; /* the summed index that is the turn */
    int shift;  /* it is turn - shift */
} Push;

/* What one loop of a recurrence computes: arrays that read each other; others that are computed in
 * step with them, so that nobody needs their history; and sums over all turns. */
typedef struct LoopGroup {
    VEC(ArrayRef) member;
    int *axis; /* by array, of members: along which the loop runs; NULL: not known yet */
    int sign;
    VEC(ArrayRef) sum;
    bool map; /* no turn asks another one for anything */
} LoopGroup;

/* circle: the loops of arrays that read each other. */
bool circle_axes(Graph *g, int n, const ArrayRef *members, int *axis, int *off, int *sign);
bool circle_push(Graph *g, ArrayRef to, int piece, const bool *in, const int *axis, const int *off,
                 int sign, Push *p); /* may this piece be added turn by turn? */
bool circle_push_by_data(Graph *g, ArrayRef to, int piece, const bool *in, const int *axis,
                         const int *off, int sign, Push *p); /* to places that data choose? */
void circle_arrays(Gen *x, const LoopGroup *group);

/* along: arrays behind an iteration that its loop computes too. by array: `late` needs the
 * iteration within one turn of the loops around; `asked` is wanted as a whole. Returns those that
 * may go, by array, or NULL. */
typedef struct Along {
    ArrayRef count;   /* the iteration's end */
    const bool *ring; /* by array: what it is found from */
    const bool *late, *asked, *computed;
    int n;
    const ArrayRef *candidate;
    const Lags *lags; /* what these read */
} Along;
bool *along_find(Graph *g, const Along *given);
/* Their guards become what is live, while the function is planned: Function.moved. */
void along_move(Graph *g, Function *f, ArrayRef count, const bool *in);
void along_back(Graph *g, Function *f, int from); /* all but the first so many are as they were */

/* stream: what joins the loop of a recurrence. By array: the number of its group + 1, 0: none.
 * products: sums over turns that are products of matrices are made behind the loop. */
typedef VEC(LoopGroup) LoopGroups;
int *stream_groups(Graph *g, const Order *order, const bool *computed, const bool *whole,
                   const bool *history, bool products, LoopGroups *groups);

/* checkpoint: which recurrences of forward can do without their history. */
typedef VEC(Checkpoint *) Checkpoints;
void checkpoint_extend(Graph *g, Checkpoint *c); /* to arrays that were made since */
void checkpoint_find(Graph *g, CheckpointKind kind, int64_t count, const Function *forward,
                     const bool *carried, int nafter, const Function *const *after,
                     Checkpoints *found);

/* group: arrays and sums that share a loop over an axis, where there is no recurrence. */
void group_arrays(Graph *g, const Order *order, const bool *computed, const bool *whole, int *owner,
                  LoopGroups *groups);

/* weave: the loops of one turn of a recurrence, joined; its first and last turns apart. `carried`,
 * by array: kept for functions after this one. */
void weave_make(Gen *x, const bool *carried);
/* Neighbours under one condition stand under it together: when all passes are done. */
void weave_guards(Gen *x);
/* The body of a loop that goes by blocks of turns: loops that read the same become one. */
void weave_runs(Gen *x, Ref turn, Block *b);

/* Once it is known where rows end: sums that rows are added to, outside of recurrences. */
void weave_sums(Gen *x);

/* lanes: loops of such groups by blocks, once it is decided what is stored. */
void lanes_make(Gen *x);

/* pair: in such blocks, two turns of a loop around a sum at a time. */
void pair_make(Gen *x);
void pair_rows(Gen *x); /* outside of blocks, four; threads take none of these */

/* wide: products beside each other are one. */
void wide_make(Gen *x);

/* jam: several turns of a recurrence at a time. */
void jam_make(Gen *x);

/* best: places of extremes by blocks. */
void best_make(Gen *x);

/* steps: marks for loops whose turns go one after the other. */
void steps_mark(Gen *x);

/* pad: short rows of recurrences have room for whole vectors. */
void pad_rows(Gen *x);

/* split: a function of very many statements becomes several. */
void split_function(Gen *x);

/* carry: entries that a recurrence takes from turn to turn are variables. `carried` as above. */
void carry_names(Gen *x, const bool *carried);

/* threads: loops in parts, for --openmp; the last thing that is done to a function. */
void threads_make(Gen *x);
#endif
