/* check: what the parts of the checker share, and nobody else sees. One Check is one unit at work;
 * the Unit inside is what comes out. The parts: check.c loads files and collects what is declared;
 * check_ranges.c finds positions, ranges, coverage; check_expr.c types expressions and follows
 * derivatives; check_order.c finds what depends on what, and the loops. */
#ifndef GRADC_CHECK_H
#define GRADC_CHECK_H
#include "program.h"

typedef enum IndexHow {
    HOW_SAID,      /* a range stated in a reduction */
    HOW_SAID_LEFT, /* a range stated on the left */
    HOW_LEFT,      /* the array on the left */
    HOW_BARE,      /* on the left, by a bare use on the right */
    HOW_USE        /* in a reduction, by a bare use */
} IndexHow;

typedef struct IndexRange {
    Symbol name;
    const Poly *extent;
    IndexHow how;
    Span at; /* what fixed it */
} IndexRange;

/* What is known at a place: lists that share their tails, innermost first. */
typedef struct Frame Frame;
struct Frame {
    const Frame *up;
    IndexRange index;
};
typedef struct Known Known;
struct Known {
    const Known *up;
    const Poly *fact; /* >= 0 */
};
typedef struct Env {
    const Frame *scope;
    const Known *known;
    bool fixed; /* in a side of ?: whose condition is about dimensions only */
} Env;

typedef struct Left { /* one position on the left, as it is being found out */
    const Syn *syn;
    bool is_index;
    Symbol name;
    int64_t shift;
    const Poly *place; /* of a position without an index */
    const Poly *said;  /* the stated range, or NULL */
    bool settled;
    const Poly *lo, *hi; /* of the position */
    IndexRange index;
} Left;

typedef struct Value Value;
typedef struct Case { /* an equation; the public part first, so that one is the other */
    Equation eq;
    Value *of;
    const Poly **position; /* the left positions as polynomials */
    int n;
    Left *left;
    bool broken; /* its left side was refused */
} Case;

struct Value {
    Variable v;        /* first, as above */
    int number;        /* place in Check.arrays */
    bool sized;        /* rank and shape are known */
    bool typed;        /* v.type is said, or found */
    bool guessed;      /* v.type was guessed: read inside its own recurrence */
    bool broken;       /* something of it was refused: say no more about it */
    bool used;         /* read by something other than its own equations */
    const Poly **axis; /* sizes found so far, NULL where not */
    VEC(Case *) cases;
    VEC(int) reads; /* arrays that its equations name, in order of appearance */
};

/* A position of a recurrence's read: polynomials (several: the sides of ?:), data, or anything at
 * all. */
typedef enum PlaceKind { PLACE_ANY, PLACE_DATA, PLACE_POLY } PlaceKind;
typedef struct Place Place;
struct Place {
    PlaceKind kind;
    const Poly *poly;
    Env env;
    const Place *other; /* the other side */
};
typedef struct Read {
    Case *by;
    Value *of;
    const Place **place;
    Env env;
    Span at;
} Read;

typedef struct NameInfo { /* what a Symbol is in this unit */
    Value *array;
    int dim;       /* 1 + place in Unit.dims */
    bool is_index; /* some reduction or left side binds it */
    bool refused;  /* unknown, and said so */
    bool dim_used;
} NameInfo;

typedef struct Checker Checker;
typedef struct Check {
    Context *cx;
    Checker *all;
    Unit *unit;
    const Syn *body;
    NameInfo *names;
    uint32_t nnames;
    VEC(Value *) arrays;
    VEC(Read) reads; /* inside recurrences */
    int nfixed;
    uint32_t *fixed; /* dimensions of known size, and these sizes */
    const Poly **fixed_by;
    Case *current;
    bool broken; /* the head of a function was refused: calls say nothing */
    bool checked;
    bool *carries; /* of a function: does the derivative by this parameter reach the result? */
    const bool **reached; /* by array: what it depends on smoothly; when all equations are known */
    bool *must_fix;       /* per dimension: a recursion needs its size */
    const char *trouble;  /* why poly_of gave nothing, when the reason is a mistake */
    const Syn *trouble_at;
} Check;

struct Checker {
    Context *cx;
    Program *program;
    VEC(Check *) checks; /* in the order of the files */
    Check **functions;   /* by Symbol */
    uint32_t nnames;
    Symbol pi, kernel_size;
    int nfix;
    const DimFix *fix;
};

/* ---- check.c */
NameInfo *check_name(Check *c, Symbol s);
bool check_is_fn(const Check *c, const char *name); /* the user's or built in */
Check *check_callee(const Check *c, Symbol s);
typedef enum Near { NEAR_VALUES = 1, NEAR_DIMS = 2 } Near;
const char *check_near(Check *c, const char *name, int among,
                       const Frame *scope); /* "; did you mean 'x'?" or "" */
const char *check_nearest(Check *c, const char *name, const char *const *known);
const char *type_text(Check *c, SynType t); /* "a real", "an index into K" */
const char *role_text(Role role);           /* "an input" */
const char *origin_text(const Variable *v); /* "declared here" or "defined here" */
const char *axes_text(Check *c, int n);     /* "1 axis", "2 axes" */
const char *shape_text(Check *c, int rank, const Poly *const *shape); /* "N, K" */
bool syn_mentions(const Syn *s, Symbol name);

/* ---- check_ranges.c */
Env env_fact(Check *c, Env env, const Poly *fact);
Env env_index(Check *c, Env env, IndexRange index, const Poly *lo, const Poly *hi);
const IndexRange *env_find(Env env, Symbol name);
Env env_condition(Check *c, Env env, const Syn *condition, bool yes);
const Poly *check_poly(Check *c, const Syn *e,
                       const Frame *scope);     /* NULL: not a polynomial, or trouble is set */
bool check_trouble(Check *c);                   /* was there trouble? then it is said */
const Poly *check_size(Check *c, const Syn *e); /* NULL: refused, and said */
bool check_known(Check *c, const Poly *p,
                 int64_t *value); /* a whole number, fixed dimensions put in */
bool check_whole(Check *c, const Poly *p);
bool check_same(Check *c, const Poly *x, const Poly *y);
bool check_family(Check *c, const Poly *x, const Poly *y);
bool check_prove(Check *c, const Poly *p, Env env);
bool check_demand(Check *c,
                  const Poly *p); /* p >= 0 asked of the sizes; false if no size makes it so */
bool check_demand_size(Check *c, const Poly *p); /* the same, of one open size only */
typedef struct Use {                             /* a place where an index stands */
    int64_t shift;
    const Poly *extent;
    const Syn *at;
} Use;
typedef struct Uses {
    VEC(Use) at;
} Uses;
void check_uses(Check *c, const Syn *body, Symbol name, Uses *uses);
bool check_rank_shape(Check *c, const Syn *e, int *rank,
                      const Poly *const **shape); /* without ranges; false: not known */
Env case_env(Check *c, const Case *s);            /* the indices of a left side, and their ranges */
void check_ranges(Check *c);
void check_coverage(Check *c);
const Place *check_position(Check *c, const Syn *p, int axis, const char *name, const Poly *extent,
                            const Poly *low, Env env);

/* ---- check_expr.c */
bool is_reduction(const char *name);
const ExprInfo *check_expr(Check *c, Syn *e, Env env);   /* NULL: refused, and said */
const ExprInfo *check_value(Check *c, Syn *e, Env env);  /* one number or condition */
const ExprInfo *check_number(Check *c, Syn *e, Env env); /* no condition */
bool check_bind(Check *c, Syn *reduce, Env env, Env *inner);
void check_constants(Check *c, Value *a);
void check_equation(Check *c, Case *s, SynType *found);
bool type_fits(Check *c, const Syn *e, const ExprInfo *got, SynType want,
               Env env); /* may e's value go into that? */
SynType type_join(SynType x, SynType y);
bool type_is_real(SynType t); /* real, float or double */
/* known: where the arrays that e depends on smoothly are kept from call to call; or NULL. */
void check_smooth(Check *c, const Syn *e, Value *x, Span at, const bool **known);
void check_carries(Check *c);

/* ---- check_order.c */
/* Strongly connected components of 0..n-1, dependencies first, each in ascending order: order[]
 * holds the members, the result says where component k starts; returns how many. */
typedef struct Links {
    VEC(int) to;
} Links;
int components(Arena *a, int n, const Links *links, int **order, int **start);
void check_dependencies(Check *c);
void check_loops(Check *c);
#endif
