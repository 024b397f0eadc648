/* passes: the way from a checked program to C, one function each, in the order in which main calls
 * them. */
#ifndef GRADC_PASSES_H
#define GRADC_PASSES_H
#include "graph.h"
#include "program.h"
#include "text.h"

typedef struct LowerOptions {
    ValueType real; /* of `real`: VALUE_FLOAT or VALUE_DOUBLE */
    int nsizes;
    const DimFix *sizes; /* of -D; the checker has put them into the dimensions of the models too */
    bool as_written;     /* sums and recurrences as the source has them: to compare with */
} LowerOptions;

/* What the checker found, as text: sizes, arrays, the order of equations and the loops of
 * recurrences. */
void outline_print(Context *cx, const Program *p, FILE *out);

/* One model as a graph: functions inlined, derivatives and requests expanded. NULL when there were
 * errors. */
Graph *lower_program(Context *cx, const Program *p, const Unit *model, const LowerOptions *o);

/* Sharing, folding, stable forms; dead arrays are dropped. Where the derivatives inside of
 * equations are to be checked, what they are taken by stays; else it is like any other array. */
void simplify_graph(Graph *g, bool to_check);

/* The loop tree: nests, buffers, lanes, and which values the forward function keeps for the
 * backward one. */
typedef struct Plan Plan;
typedef enum CheckpointKind { /* of recurrences whose history is not kept for backward */
                              CHECKPOINT_NONE,
                              CHECKPOINT_EVERY,   /* the state before every count-th turn is kept */
                              CHECKPOINT_ROOT,    /* the same, blocks as long as there are states */
                              CHECKPOINT_BINOMIAL /* count states, placed for the least number of
                                                     turns done again */
} CheckpointKind;
typedef enum PlanParts { /* of the functions of a request */
                         PARTS_ALL,
                         PARTS_PAIR,     /* forward and those after it */
                         PARTS_JOINT,    /* value_and_gradient, with a plan of its own */
                         PARTS_FOLLOWING /* forward and those after it, and value_and_gradient is
                                            one after the other */
} PlanParts;
typedef struct PlanOptions {
    int unroll; /* fixed loops of at most so many turns are unrolled */
    CheckpointKind checkpoint;
    int64_t checkpoint_count;
    bool openmp;           /* loops in parts that several threads take */
    bool openmp_always;    /* for tests: also those that are too short for it */
    bool bounded;          /* no function may need more than this: */
    int64_t max_workspace; /* in bytes */
    PlanParts parts;
    bool lean;          /* products of matrices turn by turn, where that takes less */
    const char *prefix; /* of functions that messages name */
    bool trial;         /* nothing is said */
} PlanOptions;
Plan *plan_graph(Graph *g, const PlanOptions *o);
void plan_print(const Plan *p, FILE *out);

typedef struct EmitOptions {
    const char *prefix; /* of every public name; the model's name unless --prefix says otherwise */
    const char *source_name; /* base name of the model file, for the comment on top */
    const char *
        header_name; /* what the C file includes; NULL: no header file, its text opens the C file */
    bool standalone; /* the runtime parts that are used are copied into the C file */
} EmitOptions;
void emit_c(const Plan *p, const EmitOptions *o, Text *header, Text *source);

extern const char *const runtime_lines[]; /* the lines of runtime/gradc.h, NULL at the end: for
                                             --standalone (runtime.gen.c) */
#endif
