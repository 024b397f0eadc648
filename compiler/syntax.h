/* syntax: the tree that the grammar builds: a kind, a text, a place and children. It knows no
 * operation:
 * `+`, `sum`, `tanh` and `grad` are texts. What the checker finds out about a node is written
 * beside it. */
#ifndef GRADC_SYNTAX_H
#define GRADC_SYNTAX_H
#include "source.h"

typedef enum SynKind {
    SYN_NONE,      /* nothing stands here */
    SYN_FILE,      /* use, model, fn ... */
    SYN_USE,       /* text: the file name, without its quotes */
    SYN_MODEL,     /* name; body */
    SYN_FN,        /* name; args, argument (the result), body */
    SYN_EXTERN,    /* name; args, argument (the result), body, the header as a SYN_USE or NONE */
    SYN_BODY,      /* statements */
    SYN_DIMS,      /* dim ... */
    SYN_DIM,       /* name; [expr] */
    SYN_DECLARE,   /* text: input param const local; type, things */
    SYN_TYPE,      /* text: real float double int bool index */
    SYN_THINGS,    /* thing ... */
    SYN_THING,     /* name; shape, target or NONE, value or NONE */
    SYN_ARGS,      /* argument ... */
    SYN_ARGUMENT,  /* name; type, shape, target or NONE */
    SYN_SHAPE,     /* [exprs] */
    SYN_VALUES,    /* { value, ... } */
    SYN_OUTPUT,    /* names */
    SYN_DERIVE,    /* text: the request; names, names, and a word before it if there is one */
    SYN_PARTIAL,   /* left, left, expr */
    SYN_EQUATION,  /* left, expr */
    SYN_NAMES,     /* name ... */
    SYN_NAME,      /* text */
    SYN_AT,        /* name; positions */
    SYN_POSITIONS, /* items, condition or NONE */
    SYN_ITEMS,     /* expr or in ... */
    SYN_IN,        /* expr, range */
    SYN_EXPRS,     /* expr ... */
    SYN_NUMBER,    /* text */
    SYN_CONVERT,   /* text: the type; expr */
    SYN_OP,        /* text: neg ! ^ * / + - < > <= >= == != && || ?: ; 1 to 3 exprs */
    SYN_CALL,      /* name; exprs */
    SYN_ENTRY,     /* call, positions */
    SYN_REDUCE,    /* name; positions, exprs */
    SYN_OPROW,
    SYN_RULE /* in the rule file only */
} SynKind;

typedef struct Syn Syn;
struct Syn {
    SynKind kind;
    const char *text; /* "" where there is none */
    Symbol name;      /* of text */
    Span at;    /* of the name for declarations, reads and calls; of the whole for operators and
                   equations */
    Span whole; /* from the first to the last byte */
    Syn **kid;
    int nkids, room;
    int height; /* 1 for a leaf; the parser refuses what would be deeper than a fixed limit */
    /* Written by the checker: */
    struct ExprInfo *info; /* type and shape of an expression, see program.h */
    void *note; /* SYN_REDUCE: Binder *; SYN_CALL: Call *; SYN_EQUATION: Equation *; SYN_DIM: Until
                 * */
};

Syn *syn_new(Context *cx, SynKind kind, const char *text, Span at, Span whole, int nkids, ...);
Syn *syn_join(Context *cx, Syn *list,
              Syn *more);                /* appends a child, widens the place; returns list */
void syn_print(const Syn *s, FILE *out); /* the tree as text, two spaces a level */

/* Parses source number `file`; NULL after a mistake that left nothing to check (messages are in
 * cx). */
Syn *parse_program(Context *cx, uint32_t file);
Syn *parse_rules(Context *cx, uint32_t file);
#endif
