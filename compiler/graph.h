/* graph: the one representation of a function and of all its derivatives.
 *
 * An *array* is an equation: axes and pieces. A piece is a box and a scalar term over the axes; the
 * value of an entry is the SUM of the pieces whose boxes contain it, 0 where there is none. So the
 * cases of a recurrence (disjoint boxes) and the contributions to an adjoint (boxes that overlap)
 * are one thing. Arrays are handles: an array may read itself.
 *
 * A *term* is a DAG of hash-consed nodes: equal terms are the same Ref. Arguments stand before
 * their users (smaller Refs). Free indices are unique (each array owns its axes); the index bound
 * by a reduction is numbered 1 + the largest number bound inside, so that terms equal but for names
 * are equal. To look under a binder, open it with a fresh index.
 *
 * Integer terms are kept as canonical polynomials in indices, dimensions and data reads: (t + 1) -
 * 1 is t. */
#ifndef GRADC_GRAPH_H
#define GRADC_GRAPH_H
#include "poly.h"
#include "source.h"

typedef uint32_t Ref;      /* a node; 0 is none */
typedef uint32_t ArrayRef; /* an array; 0 is none */

typedef enum Op {
    OP_NONE,
    OP_CONST,    /* value or integer */
    OP_DIM,      /* an open dimension: aux is its number in Graph.dims */
    OP_INDEX,    /* aux is its number in Graph.indices */
    OP_READ,     /* array aux at positions arg[] (INT) */
    OP_REDUCE,   /* aux is a Reduction; arg: index, condition (BOOL), body */
    OP_SELECT,   /* arg: condition, value if true, value if false; one side alone is evaluated and
                    differentiated */
    OP_CAST,     /* arg[0] as this node's type (int or bool to real, float to double and back) */
    OP_CHECKED,  /* arg: position, lower bound, upper bound: the position, a status unless lower <=
                    position < upper */
    OP_NONEMPTY, /* arg: count: the count, a status if it is 0 */
    OP_IDIV,     /* arg[0] / arg[1] of INTs, known to be whole */
    OP_EXTERN,   /* C function aux of Graph.externs, of arg[]; no derivative passes it but by the
                    rules of the array that holds it */
    OP_KERNEL, /* an entry of what a kernel of linear algebra makes: see kernel.h. aux is its kind;
                  only the body of a piece is such a node */
    OP_FIRST_SCALAR,
    OP_BEFORE_SCALARS = OP_FIRST_SCALAR - 1,
#include "ops.gen.h" /* OP_add, OP_sub, OP_tanh ...: one for each row of ops.rules */
    OP_COUNT
} Op;

typedef enum ValueType { VALUE_BOOL, VALUE_INT, VALUE_FLOAT, VALUE_DOUBLE } ValueType;
typedef enum Reduction {
    RED_SUM,
    RED_PROD,
    RED_MAX,
    RED_MIN,
    RED_ARGMAX,
    RED_ARGMIN,
    RED_LOGSUMEXP,
    RED_FIRST, /* the least index at which the body, a condition, holds; none: a status. What
                  comes after it is not looked at */
    RED_COUNT
} Reduction;

typedef struct Node {
    uint16_t op;
    uint8_t type; /* ValueType */
    uint8_t nargs;
    uint32_t aux;
    uint32_t first;  /* arguments are Graph.args[first .. first + nargs - 1] */
    uint32_t next;   /* chain of the hash table */
    uint32_t free;   /* set of free indices, see set_... */
    uint32_t depth;  /* largest number bound inside */
    uint16_t height; /* of the term as a tree of operations; 65535: that, or more */
    uint16_t size;   /* of that tree, the same */
    uint8_t terms;   /* of the sum that it is, and factors of the product; 255: that, or more */
    uint8_t factors;
    bool wide;  /* an INT that nothing bounds: arithmetic on it is checked for overflow */
    bool fails; /* evaluating it may set a status: it must not be moved to where it was not
                   evaluated */
    union {
        double real;
        int64_t integer;
    } value; /* OP_CONST */
} Node;

typedef struct Index {
    const char *name;   /* of the source, for printing */
    const Poly *extent; /* it lies in 0 .. extent - 1 (pieces may narrow that) */
    uint32_t number;    /* 0: free and unique; else bound, see above */
    Ref node;
} Index;

typedef struct GraphDim {
    const char *name;
    int64_t least;   /* checked on entry */
    int64_t assumed; /* by --assume, to decide by and for nothing else; 0: nothing */
    Ref node;
} GraphDim;

typedef struct Piece {
    const Poly **lo, **hi; /* per axis, both ends included; over dimensions only */
    Ref body;              /* over Array.axis */
    Ref guard; /* 0, or a condition over Array.axis: nobody reads entries where it is false, so they
                  are not computed */
    Ref live;  /* 0, or the same, where it is not asked but true by the order of things: entries
                  before the end of an iteration, which is found from them */
    Span at;   /* the equation it comes from */
} Piece;

/* A derivative that the source states: d array[axes] / d by[lead ..., index ...] = value. It takes
 * the place of what the body says: there `by` stands in OP_held. */
typedef struct ArrayRule {
    ArrayRef by;
    int nlead;
    const Ref *lead;  /* terms over Array.axis */
    const Ref *index; /* one per other axis of `by` */
    Ref value;        /* over Array.axis and index */
} ArrayRule;

typedef struct Extern {        /* a function of the user's, in C */
    const char *name, *c_name; /* of the source; in C, where `real` chooses between two */
    const char *header;        /* that declares it; NULL: its prototype is emitted */
    ValueType type;
    int n;
    const ValueType *arg;
    const char *const *arg_name;
    const Span *arg_at;
    bool *lacks; /* by argument: that it has no partial by it was said */
    Span at;
} Extern;

typedef enum ArrayRole { ARRAY_INTERNAL, ARRAY_INPUT, ARRAY_PARAM, ARRAY_CONST } ArrayRole;
typedef struct Array {
    const char *name; /* unique in the graph, a C identifier */
    ValueType type;
    int rank;
    Ref *axis; /* OP_INDEX nodes, this array's own */
    const Poly **extent;
    ArrayRole role;
    VEC(Piece) pieces;
    VEC(ArrayRule) rules; /* of differentiation alone */
    bool has_rules;       /* these, or those that are still to be made: */
    void
        *rules_later; /* who makes them when they are first wanted, see graph_need_rules; or NULL */
    ArrayRef twin; /* for an array made from what is held: the same values, made from what is not;
                      else 0 */
    ArrayRef copy_of;    /* a twin: of that array */
    ArrayRef rules_of;   /* a twin: the array that has its rules, which are still to be made */
    const double *table; /* ARRAY_CONST: its values, row-major */
    const char
        *table_name;    /* of a table that callers see too: behind the model's name; else NULL */
    const Poly *target; /* data of type index: entries lie in 0 .. target - 1, checked on entry */
    bool is_int_data;   /* ARRAY_INPUT of type int or index: int32_t in the C arguments */
    bool counts;        /* the number of turns of an iteration: a size that is found, from least to
                           target - 1; its one piece is 1 + first[..](..) */
    int64_t least;
    Ref turn, ends; /* the planner's, where arrays go as far as this one says: the index of its
                       first[..], and the condition over it */
    bool is_output;
    bool asked;          /* by somebody outside: of use when derivatives are expanded */
    bool derived;        /* made by differentiation: nothing else knows it */
    bool keep;           /* it has a name of the source, or is asked for: its identity matters until
                            derivatives are expanded */
    ArrayRef adjoint_of; /* it is the adjoint (or tangent) of that array */
    int order;           /* 0: primal; 1: made by the first differentiation ... */
    bool within;         /* the planner's: a derivative that nobody reads outside of its pieces */
    const void *edited;  /* the planner's, see Edits: the last ones that its equation is in */
    Span at;
} Array;

typedef enum RequestKind {
    REQUEST_GRADIENT,
    REQUEST_JACOBIAN,
    REQUEST_HESSIAN,
    REQUEST_JVP,
    REQUEST_VJP,
    REQUEST_HVP
} RequestKind;

typedef struct Compressed { /* of a sparse result: which entry of the matrix each of its own is */
    int64_t rows, columns, entries;
    bool half;                   /* symmetric: on the diagonal and below */
    const int32_t *row, *column; /* ascending by row, then column */
} Compressed;

typedef struct Request { /* one `derive` */
    RequestKind kind;    /* also the index in request_names */
    ArrayRef of;
    VEC(ArrayRef) by;
    VEC(ArrayRef) seed; /* jvp, hvp: the directions, like by; vjp: the cotangent of `of` */
    VEC(ArrayRef)
    result; /* like by; jvp: one, like `of`; hessian: by[0] by[0], by[0] by[1] ... by[1] by[1] ...,
               each pair once */
    bool forward; /* jacobian: made in forward mode */
    int colours;  /* of a sparse jacobian or hessian: how many sweeps it takes; else 0 */
    VEC(Compressed) compressed; /* then: like result */
    Span at;
} Request;

/* One array moves. Its entry [lead ..., index ...] has the derivative `value`, a term over the
 * indices around and `index`; entries at other places of the leading axes stand still. */
typedef struct Motion {
    ArrayRef of;
    int nlead;
    const Ref *lead;  /* terms over the indices around */
    const Ref *index; /* one per other axis */
    Ref value;
} Motion;

typedef struct Gradient { /* a grad(e, x) or dir(e, x, v) that became arrays: for `gradc check` */
    Ref of;               /* e, over the indices of context */
    ArrayRef by, result;  /* result has the axes context ..., axes of by ...; of dir: context ... */
    VEC(Ref) context;
    VEC(Motion) along; /* of dir: what moves (by is 0 then) */
    Span at;
} Gradient;

typedef struct RowRoom { /* the planner's: `of` entries, rounded up */
    Ref room;            /* stands for that many */
    int multiple;
    const Poly *of;
} RowRoom;

typedef struct Graph Graph;
struct Graph {
    Context *cx;
    Arena *arena;
    const char *name; /* of the model */
    ValueType real;   /* VALUE_FLOAT or VALUE_DOUBLE */
    VEC(Node) nodes;
    VEC(Ref) args;
    uint32_t *slots;
    uint32_t nslots;
    VEC(Index) indices;
    VEC(GraphDim) dims;
    VEC(Array) arrays;         /* entry 0 unused */
    VEC(const Poly *) demands; /* over dimensions: checked to be >= 0 on entry */
    VEC(ArrayRef) inputs;      /* inputs and params in the order of the source */
    VEC(ArrayRef) outputs;
    VEC(Extern) externs;
    VEC(RowRoom) rows;
    bool lean;  /* the planner's: products of matrices turn by turn, where that takes less memory */
    bool holds; /* some arrays have rules of their own */
    void (*make_rules)(Graph *g, ArrayRef a, void *later);
    VEC(ArrayRef) seeds; /* ARRAY_INPUT too, but of requests alone: x_d, y_bar */
    VEC(Request) requests;
    VEC(Gradient) gradients;
    VEC(int) taken;     /* by Symbol, of names in use: the number to try next with it */
    VEC(uint32_t) seen; /* by Ref: the last walk that met it, see Walk */
    VEC(uint32_t) read; /* by array: the last walk that met a read of it */
    VEC(Ref) stack;     /* of the walk at work, */
    VEC(Ref) later;     /* and what it comes to at its end */
    bool late;
    uint32_t walks;
    VEC(uint32_t) bound; /* a hash table of the indices with a number */
    int nbound;
    struct SetTable *sets;
    struct PolyMemo *polys;
    struct Memo *memos; /* of terms that were rebuilt, for the next ones to use again */
};

/* Sums that grow stop here, so that who walks down a term needs no more than that, and the height
 * of one equation of the source; what is left is another piece. And so large a part of an equation
 * may be an array of its own: the work of passes, and of a C compiler, grows faster than a
 * statement. */
enum { MOST_HEIGHT = 256, MOST_SIZE = 512 };

Graph *graph_new(Context *cx, const char *name, ValueType real);
#define NODE(g, r) (&(g)->nodes.at[r])
#define ARG(g, r, k) ((g)->args.at[NODE(g, r)->first + (uint32_t)(k)])
#define ARRAY(g, a) (&(g)->arrays.at[a])
#define EXTENT(g, i) ((g)->indices.at[NODE(g, i)->aux].extent)

/* Making terms. Each simplifies as it builds (ops.rules, and what is structural), so the result may
 * be any node. */
Ref graph_int(Graph *g, int64_t value);
Ref graph_real(Graph *g, ValueType type, double value);
Ref graph_bool(Graph *g, bool value);
Ref graph_dim(Graph *g, const char *name, int64_t least);
Ref graph_index(Graph *g, const char *name, const Poly *extent); /* a fresh one */
Ref graph_axis(Graph *g, int k,
               const Poly *extent); /* one and the same for all arrays: to compare them */
Ref graph_op(Graph *g, Op op, const Ref *args); /* converts arguments to their common type */
Ref graph_op1(Graph *g, Op op, Ref x);
Ref graph_op2(Graph *g, Op op, Ref x, Ref y);
Ref graph_select(Graph *g, Ref condition, Ref yes, Ref no);
Ref graph_cast(Graph *g, ValueType type, Ref x);
Ref graph_read(Graph *g, ArrayRef array, const Ref *positions);
Ref graph_reduce(Graph *g, Reduction kind, Ref index, Ref condition,
                 Ref body); /* index: fresh; it is bound and renumbered */
Ref graph_checked(Graph *g, Ref position, Ref lower, Ref upper);
Ref graph_nonempty(Graph *g, Ref count);
Ref graph_extern(Graph *g, uint32_t number, const Ref *args);
Ref graph_kernel(Graph *g, int kind, ValueType type, int n, const Ref *args);
Ref graph_slot(Graph *g, int k, const Poly *extent); /* an index that OP_KERNEL binds */
bool graph_is_slot(const Graph *g, Ref r);
Ref graph_of_poly(Graph *g, const Poly *p); /* INT; variables are Refs */
Ref graph_and(Graph *g, Ref x, Ref y);
Ref graph_not(Graph *g, Ref x);

/* The bound index of a reduction replaced by a fresh one. */
Ref graph_open(Graph *g, Ref reduce, Ref *condition, Ref *body); /* returns the fresh index */
/* from[k] (indices, or any other nodes) becomes to[k], all at once. */
Ref graph_subst(Graph *g, Ref term, int n, const Ref *from, const Ref *to);
/* The same for many terms and ever more nodes, none of which is a leaf: a term that was rebuilt
 * stays as it was when a node is added, so what is in others comes first. */
typedef struct Subst Subst;
Subst *graph_subst_start(Graph *g);
void graph_subst_add(Subst *s, Ref from, Ref to);
Ref graph_subst_all(Subst *s, Ref term);
void graph_subst_end(Subst *s);
/* Every read of a for which `with` returns a Ref becomes that; positions are already rewritten when
 * it is called. */
typedef Ref ReadRewriter(Graph *g, void *user, ArrayRef array, const Ref *positions);
Ref graph_rewrite_reads(Graph *g, Ref term, ReadRewriter *with, void *user);

/* Indices in force at a place, with their ranges, and what is known to hold there. */
typedef struct Scope {
    int n, room;
    Ref *index;
    const Poly **lo, **hi;
    Ref guard; /* 0: nothing */
    Ref live;  /* as of a Piece; 0: nothing */
} Scope;
void scope_add(Graph *g, Scope *s, Ref index, const Poly *lo, const Poly *hi);
Scope scope_copy(Graph *g, const Scope *s);
Scope scope_of_piece(Graph *g, ArrayRef a, const Piece *p);
void scope_guard(Graph *g, Scope *s, Ref condition);
/* The part of a scope that a term needs: its free indices, and what the guard says of them. Where
 * that cannot be told apart from other indices, these come along. */
Scope scope_part(Graph *g, const Scope *s, int n, const Ref *terms);
/* An array over a scope's indices (its ranges and guard become those of the piece), and the read of
 * it at them. */
ArrayRef graph_array_over(Graph *g, const char *name, const Scope *s, Ref body, Span at, Ref *read);

/* The rules of an array, if they are still to be made. They may name functions that have rules in
 * their turn, without end; so each derivative makes those that it needs. */
void graph_need_rules(Graph *g, ArrayRef a);
/* Which functions of C do arrays call, those that they read included? By Graph.externs. */
const bool *graph_calls(Graph *g, int n, const ArrayRef *roots);

/* Looking at terms. */
const Poly *graph_poly(Graph *g,
                       Ref term); /* of an INT; what is no polynomial is a variable of its own */
/* at = sign * index + shift, with a shift made of sizes; where it is no such place, and where it is
 * NULL: 1 and 0, and false. */
bool graph_place(Graph *g, const Poly *at, Ref index, int8_t *sign, const Poly **shift);
bool graph_is_whole(Graph *g, ArrayRef a, int axis); /* all pieces have all of the axis */
bool graph_is_int(const Graph *g, Ref r, int64_t *value);
bool graph_is_real(const Graph *g, Ref r, double *value); /* a constant of any numeric type */
bool graph_reads(Graph *g, Ref term, ArrayRef a);
bool graph_reads_count(Graph *g, Ref term); /* of any iteration */
/* Both of two conditions, 0 standing for none. */
Ref graph_both(Graph *g, Ref x, Ref y);
/* What is left of a condition where another is known to hold; 0: nothing. */
Ref graph_given(Graph *g, Ref condition, Ref known);
/* The conjuncts of a condition that these facts do not prove; 0: none. */
Ref graph_beside(Graph *g, Ref condition, int nfacts, const Poly *const *facts);
/* The conjuncts of a condition with (or without) the size that some iteration found, or that of
 * `count` alone; 0: none. */
Ref graph_part_with_count(Graph *g, Ref condition, ArrayRef count, bool with);
/* The conjuncts that have no other free indices than these; 0: none. */
Ref graph_part_over(Graph *g, Ref condition, int n, const Ref *indices);
bool graph_is_true(const Graph *g, Ref r);
bool graph_is_false(const Graph *g, Ref r);
bool graph_has_index(const Graph *g, Ref term, Ref index);
int graph_free(const Graph *g, Ref term, const Ref **indices); /* ascending; returns how many */
bool graph_free_within(const Graph *g, Ref term,
                       Ref bound); /* any free index whatever? (used by asserts) */
/* Is p >= 0, with 0 <= index <= extent - 1 for every index in it, sizes >= their least, and these
 * facts? */
bool graph_prove(Graph *g, const Poly *p, int nfacts, const Poly *const *facts);
int graph_facts(Graph *g, Ref condition, bool yes, const Poly **facts,
                int room); /* what a condition says, as polynomials >= 0 */

/* Arrays. */
ArrayRef graph_array(Graph *g, const char *name, ValueType type, int rank,
                     const Poly *const *extent, const char *const *axis_names);
void graph_reserve(Graph *g,
                   const char *name); /* no array is given this name: it belongs to the source */
/* Adds a piece; lo, hi NULL: everywhere. An empty box of fixed sizes is no piece: then false. */
bool graph_piece(Graph *g, ArrayRef a, const Poly *const *lo, const Poly *const *hi, Ref body,
                 Span at);
/* By piece: may some entry be in another piece too? */
const bool *graph_pieces_meet(Graph *g, ArrayRef a);
/* A walk over terms: each node once, a node before its arguments, the last of these first.
 *     Walk walk = walk_start(g, term);
 *     for (Ref r; (r = walk_next(walk));) {
 *         ... what r is ...; walk_into(walk, r);
 *     }
 * One at a time: the marks are the graph's, and who goes on with an earlier one has a bug. */
typedef struct Walk {
    Graph *g;
    uint32_t number;
} Walk;
Walk walk_start(Graph *g, Ref root); /* 0: none yet */
void walk_add(Walk walk, Ref root);  /* met next, if it was not met before */
void walk_later(Walk walk, Ref r);   /* met when nothing else is left; */
bool walk_is_late(Walk walk);        /* has that begun? */
Ref walk_next(Walk walk);            /* 0: there is no other */
void walk_into(Walk walk, Ref r);    /* adds the arguments */
bool walk_first(Walk walk, Ref r);   /* marks it: was it not met? For another order than this */
/* The arrays that an array reads, each once, in order of first appearance. */
int graph_array_reads(Graph *g, ArrayRef a, const ArrayRef **reads);
/* The same with those that say how far it goes, so that an iteration and its end are one circle. */
int graph_array_needs(Graph *g, ArrayRef a, const ArrayRef **needs);
/* Arrays reachable from roots in strongly connected components, dependencies first; component[k]
 * numbers order[k]'s. */
typedef struct Order {
    int n;
    ArrayRef *array;
    int *component;
} Order;
Order graph_order(Graph *g, int n, const ArrayRef *roots);
Order graph_order_needs(Graph *g, int n, const ArrayRef *roots); /* by graph_array_needs */
/* And what they have rules by, which a derivative comes to. */
Order graph_order_of_rules(Graph *g, int n, const ArrayRef *roots);
bool graph_reads_itself(Graph *g, ArrayRef a);
void graph_check(Graph *g); /* asserts what always holds, through bug() */

/* As text that a test can hold: one array after another, dependencies first, in the notation of the
 * language. */
const char *graph_term_text(Graph *g, Ref term);
void graph_print(Graph *g, FILE *out);
void graph_print_arrays(Graph *g, int n, const ArrayRef *arrays, FILE *out);
#endif
