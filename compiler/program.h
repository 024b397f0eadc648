/* program: what the checker makes of the syntax: units (models and functions) with their
 * dimensions, variables, equations, ranges, types and order. Polynomials here are over Symbols: the
 * names of dimensions and, in ranges, of indices. Names that abbreviate other dimensions (dim P = N
 * - K + 1) are expanded everywhere. */
#ifndef GRADC_PROGRAM_H
#define GRADC_PROGRAM_H
#include "poly.h"
#include "syntax.h"

typedef enum BaseType {
    TYPE_UNKNOWN,
    TYPE_REAL,
    TYPE_FLOAT,
    TYPE_DOUBLE,
    TYPE_INT,
    TYPE_BOOL,
    TYPE_INDEX
} BaseType;
typedef struct SynType {
    BaseType base;
    const Poly *target; /* TYPE_INDEX: it lies in 0..target-1 */
} SynType;

/* Of every expression that was checked, positions included. In a position all is whole: there `/`
 * is of TYPE_INT and is the exact quotient, elsewhere it is the real one. `^` is of TYPE_INT only
 * where its exponent cannot be negative. */
typedef struct ExprInfo {
    SynType type;
    int rank; /* 0: one number; else an array, as an argument of a call */
    const Poly **shape;
} ExprInfo;

typedef enum Role {
    ROLE_LOCAL,
    ROLE_INPUT,
    ROLE_PARAM,
    ROLE_CONST,
    ROLE_OUTPUT,
    ROLE_ARGUMENT,
    ROLE_RESULT
} Role;
typedef struct Unit Unit;
typedef struct Equation Equation;

typedef struct Variable {
    Symbol name;
    SynType type;
    int rank;
    const Poly **shape;
    const Poly **low; /* where the box of its entries starts on each axis (0 but for back[t + 1,
                         s]); NULL: all 0 */
    Role role;
    bool declared; /* a declaration gave its shape */
    Span at;
    const Syn *value; /* ROLE_CONST: SYN_VALUES or an expression */
    VEC(Equation *) equations;
    bool is_size;             /* an output that is the size of an until: no equation defines it */
    int group;                /* its place in Unit.groups */
    uint32_t earlier_by_data; /* bit k: a place on axis k that data chooses inside its recurrence is
                                 an earlier one, checked when it runs */
    Unit *unit;
} Variable;

typedef struct LeftPosition { /* one position on the left of an equation */
    Symbol index;             /* 0: a fixed place */
    int64_t shift;            /* the position is index + shift */
    const Poly *lo, *hi; /* range of the POSITION, both ends included; equal for a fixed place */
    const Poly *extent;  /* what the index runs over, as said in messages; NULL for a fixed place */
    Span at;
} LeftPosition;

struct Equation {
    Variable *of;
    const Syn *syn; /* SYN_EQUATION: left, right */
    int n;
    LeftPosition *position;
};

typedef struct Binder { /* of a reduction: note of its SYN_REDUCE, one per index, nkids of the items
                           many */
    Symbol name;
    const Poly *extent;
} Binder;

typedef struct Call { /* note of a SYN_CALL of a function */
    Unit *callee;
    const Poly **bind; /* per callee->dims[k]: its value, in the caller's names; NULL for dims that
                          the callee defines itself */
} Call;

typedef struct Dim {
    Symbol name;
    Span at;
    int64_t fixed;     /* 0: open */
    const Poly *means; /* an abbreviation, or the name itself */
    const Syn *until;  /* SYN_REDUCE of dim T = until[t](cond, most), else NULL */
    const Poly *most;  /* of an until */
    int64_t least; /* smallest size that the positions ask for; at least 1 (of an until: asked of
                      what came out) */
} Dim;

typedef struct Derive {
    const Syn *syn; /* SYN_DERIVE */
    bool sparse;
    VEC(Variable *) of;
    VEC(Variable *) by;
} Derive;

typedef struct Partial { /* partial(p[k]; v[j]) = expr */
    const Syn *syn;
    Variable *argument;
} Partial;

typedef struct Group { /* variables that read each other, or one alone */
    VEC(Variable *) members;
    bool cyclic;
} Group;

struct Unit {
    Symbol name;
    bool is_fn;
    bool is_extern; /* a function whose body is in C: only its partials are here */
    bool recursive;
    const Syn *syn;
    VEC(Dim) dims;             /* in order of appearance; a function's bound ones first */
    VEC(Variable *) variables; /* in order of appearance */
    int *slots;                /* a hash table of 1 + places among these, see unit_place */
    uint32_t nslots;
    VEC(Variable *) params; /* of a function */
    Variable *result;
    VEC(Variable *) outputs; /* of a model, in the order of `output` */
    VEC(Derive) derives;
    VEC(Partial) partials;
    VEC(Group) groups; /* dependencies first */
    VEC(const Poly *)
    demands; /* more that must be >= 0 on entry: over several open dimensions, such as H - K + 1 */
    VEC(const char *) loops; /* the loops of each recurrence, as prototype/check.py prints them */
};

typedef struct Program {
    VEC(Unit *) units; /* functions in an order in which callees come first, and models */
    VEC(Unit *) models;
    VEC(const char *) files; /* every file read, the main one first: for -MD */
} Program;

typedef struct DimFix { /* -D NAME=VALUE: an open dimension of the models is fixed */
    const char *name;
    int64_t value;
} DimFix;

/* Loads `path` with all that it uses, and checks everything. NULL when there were errors. */
Program *check_program(Context *cx, const char *path, int nfix, const DimFix *fix);
void unit_add(Arena *a, Unit *u, Variable *v);
int unit_place(const Unit *u, Symbol name); /* among its variables; -1: it is none */
const Variable *unit_find(const Unit *u, Symbol name);
const Dim *unit_dim(const Unit *u, Symbol name);
const char *size_text(Context *cx, const Poly *p);
#endif
