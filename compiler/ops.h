/* ops: what a row of ops.rules becomes. The table, the enum, the evaluator, the partial
 * derivatives, the rewrite rules and the reference page are written by rulec from that one file;
 * nothing here or elsewhere repeats a row. */
#ifndef GRADC_OPS_H
#define GRADC_OPS_H
#include "graph.h"

typedef enum OpTyping {
    TYPING_REAL,    /* reals to real */
    TYPING_NUMBER,  /* all int or all real; the result likewise */
    TYPING_COMPARE, /* two numbers to bool */
    TYPING_LOGIC,   /* bools to bool */
    TYPING_TO_INT   /* real to int */
} OpTyping;

/* A term as straight-line steps; the last one is the root. An argument >= 0 is an earlier step,
 * TEMPLATE_ARG(k) the k-th argument of the operation (or the k-th variable of a rule),
 * TEMPLATE_RESULT the operation's own result. */
#define TEMPLATE_ARG(k) (-1 - (k))
#define TEMPLATE_RESULT (-100)
typedef struct TemplateStep {
    int16_t op; /* an Op: OP_CONST, OP_SELECT or a scalar operation */
    int16_t arg[3];
    double value; /* OP_CONST */
} TemplateStep;
typedef struct Template {
    int n;    /* 0: the term is TEMPLATE_ARG(root) or a lone reference, see root */
    int root; /* index of the last step, or a TEMPLATE_ARG */
    const TemplateStep *step;
} Template;

typedef struct OpInfo {
    const char *name, *doc;
    int arity;
    OpTyping typing;
    const char *c[2];  /* C text with $0 $1 $2 for the arguments: [0] float, [1] double. Between ( ,
                          ) of the text they need no parentheses */
    const char *c_int; /* the same for TYPING_NUMBER on ints, else NULL */
    const char *infix; /* "+" when the language writes it between its arguments ("-" or "!" before
                          one when arity is 1), else NULL */
    int precedence; /* of the C text: 100 a call or an atom, 90 prefix, 80 * /, 70 + -, 60 < >, 50
                       == !=, 40 &&, 30 || */
    bool commutative;
    bool cheap; /* may be computed twice, or where its result is not used: no trap, no call */
    bool alone; /* the runtime has gradc_NAME_alone, for calls that no vector code is made of */
    bool flat;  /* derivative zero by nature (sign, floor, comparisons) */
    const Template *partial; /* arity many; NULL where flat or not real */
    double test[3][2];       /* domain of the finite-difference test; the op is smooth there */
    bool user;      /* callable by name in the source (sigmoid), not only by symbol or from rules */
    uint32_t whole; /* bit k: argument k is an INT whatever the others are (powi, polygamma), and
                       carries no derivative */
} OpInfo;
extern const OpInfo
    op_info[OP_COUNT];        /* entries before OP_FIRST_SCALAR are structural: name only */
Op op_find(const char *name); /* a scalar operation callable by name; OP_NONE when there is none */
Op op_symbol(const char *symbol, int arity); /* "+" with 2, "-" with 1; OP_NONE */
double op_eval(Op op, const double *x);      /* bools as 0 and 1 */
double op_eval_float(Op op, const float *x);

typedef enum RuleMark { RULE_EXACT, RULE_ACCURATE, RULE_LOSES } RuleMark;
typedef struct Rule {
    Template from, to;
    int nvars;
    uint32_t constant; /* bit k: variable k matches constants only (its name is upper case) */
    RuleMark mark;
    const char *text; /* as in ops.rules */
} Rule;
/* Rules by the operation at the root of their left side: op_rules[range.first] ..
 * op_rules[range.end - 1]. */
typedef struct RuleRange {
    int first, end;
} RuleRange;
extern const Rule op_rules[];
extern const int op_rule_count;
extern const RuleRange op_rule_range[OP_COUNT];

/* The reductions, requests and operations by name; NULL-terminated, for lookup and for "did you
 * mean". */
extern const char *const reduction_names[], *const request_names[], *const op_user_names[];
#endif
