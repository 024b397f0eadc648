/* rulec: the build tool that reads ops.rules. In: the rows and rules, parsed by the compiler's own
 * grammar. Out, one file each: ops.gen.h       an enum entry for each row ops.gen.c       the table
 * op_info, partials and rules as templates, the evaluator operations.md   the reference page
 *   ops_test.gen.c  every partial and both sides of every rule again, as C expressions that share
 * nothing with the templates Usage: rulec ops.rules ops.gen.h ops.gen.c operations.md
 * ops_test.gen.c */
#include "syntax.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS = 3, VARS = 8 };

/* What stands at a place of an expression. A whole number may stand where a number is wanted. */
typedef enum Kind { KIND_NONE, CONDITION, NUMBER, WHOLE } Kind;

typedef struct Term { /* a Template: steps[first .. first + n - 1] */
    int first, n;
    const char *root;
} Term;

typedef struct Row {
    const char *name, *doc, *typing, *symbol;
    const char *c, *c_float, *c_int; /* as given */
    int arity, precedence;
    Symbol arg[ARGS];
    const Syn *d[ARGS], *test[ARGS], *names;
    Term partial[ARGS];
    bool commutative, cheap, alone, flat, hidden;
} Row;

typedef struct Pattern { /* a rule */
    const Syn *syn;
    Term from, to;
    int root; /* row number, -1 for a choice */
    int nvars;
    Symbol var[VARS];
    Kind kind[VARS];
    const char *text;
} Pattern;

typedef struct Rules {
    Context *cx;
    VEC(Row) rows;
    VEC(Pattern) patterns;
    VEC(const char *) steps; /* initialisers of TemplateStep */
    int first;               /* of the term being built */
    Symbol result;           /* `r`, in partials */
    Symbol n;                /* the argument name of whole numbers */
    Row *row;                /* the row or the rule being built */
    Pattern *pattern;
    bool new_names; /* the left side of a rule may bring in variables */
} Rules;

static const char *numbered(Rules *z, const char *form, int k) {
    return arena_format(z->cx->arena, form, k);
}

static int row_find(const Rules *z, const char *name) {
    for (int k = 0; k < z->rows.n; k++) {
        if (!strcmp(z->rows.at[k].name, name)) {
            return k;
        }
    }
    return -1;
}

static int row_of_symbol(const Rules *z, const char *symbol, int arity) {
    for (int k = 0; k < z->rows.n; k++) {
        if (z->rows.at[k].symbol && z->rows.at[k].arity == arity &&
            !strcmp(z->rows.at[k].symbol, symbol)) {
            return k;
        }
    }
    return -1;
}

static bool whole_text(const char *digits) {
    return strspn(digits, "0123456789") == strlen(digits);
}

/* The operation that an expression names: a row, -1 for a choice, -2 after a mistake. Its operands
 * go to kids. */
static int operation(Rules *z, const Syn *e, Syn *const **kids, int *n) {
    *kids = e->kid, *n = e->nkids;
    int op;
    if (e->kind == SYN_CALL) {
        *kids = e->kid[0]->kid, *n = e->kid[0]->nkids;
        op = row_find(z, e->text);
    } else if (e->kind != SYN_OP) {
        error_at(z->cx, e->whole, "this stands in no rule");
        return -2;
    } else if (!strcmp(e->text, "?:")) {
        return -1;
    } else if (!strcmp(e->text, "^") && e->kid[1]->kind == SYN_NUMBER &&
               whole_text(e->kid[1]->text)) {
        op = row_find(z, "powi");
    } else {
        op = row_of_symbol(z, !strcmp(e->text, "neg") ? "-" : e->text, e->nkids);
    }
    if (op < 0) {
        error_at(z->cx, e->at, "no row of this file is called '%s'", e->text);
        return -2;
    }
    if (*n != z->rows.at[op].arity) {
        error_at(z->cx, e->at, "'%s' takes %d, not %d", e->text, z->rows.at[op].arity, *n);
        return -2;
    }
    return op;
}

static Kind operand_kind(const Rules *z, int op, int k, Kind want) {
    const Row *row = op < 0 ? NULL : &z->rows.at[op];
    if (!row) {
        return k == 0 ? CONDITION : want;
    }
    if (!strcmp(row->typing, "logic")) {
        return CONDITION;
    }
    return row->arg[k] == z->n || (want == WHOLE && !strcmp(row->typing, "number")) ? WHOLE
                                                                                    : NUMBER;
}

static Kind result_kind(const Rules *z, int op, Kind want) {
    const char *typing = op < 0 ? "" : z->rows.at[op].typing;
    if (op < 0) {
        return want;
    }
    return !strcmp(typing, "compare") || !strcmp(typing, "logic")                      ? CONDITION
           : !strcmp(typing, "to_int") || (!strcmp(typing, "number") && want == WHOLE) ? WHOLE
                                                                                       : NUMBER;
}

static const char *const kind_text[] = {"", "a condition", "a number", "a whole number"};

/* A name: TEMPLATE_ARG(k), TEMPLATE_RESULT, or NULL after a mistake. */
static const char *variable(Rules *z, const Syn *e, Kind want) {
    if (z->row) {
        for (int k = 0; k < z->row->arity; k++) {
            if (z->row->arg[k] == e->name &&
                (want == NUMBER || (want == WHOLE && e->name == z->n))) {
                return numbered(z, "TEMPLATE_ARG(%d)", k);
            }
        }
        if (e->name == z->result && want == NUMBER) {
            return "TEMPLATE_RESULT";
        }
    }
    for (int k = 0; z->pattern && k <= z->pattern->nvars && k < VARS; k++) {
        Pattern *p = z->pattern;
        if (k == p->nvars && z->new_names) {
            p->var[p->nvars++] = e->name;
            p->kind[k] = want;
        }
        if (k < p->nvars && p->var[k] == e->name) {
            if ((p->kind[k] == CONDITION) != (want == CONDITION)) {
                error_at(z->cx, e->at, "'%s' is %s here and %s elsewhere", e->text, kind_text[want],
                         kind_text[p->kind[k]]);
            }
            p->kind[k] = want == WHOLE ? WHOLE : p->kind[k];
            return numbered(z, "TEMPLATE_ARG(%d)", k);
        }
    }
    error_at(z->cx, e->at, "'%s' is not known here as %s", e->text, kind_text[want]);
    return NULL;
}

static const char *step(Rules *z, const char *initialiser) {
    VEC_PUSH(z->cx->arena, z->steps, initialiser);
    return numbered(z, "%d", z->steps.n - 1 - z->first);
}

/* Appends the steps of e; returns how later steps call it, NULL after a mistake. */
static const char *build(Rules *z, const Syn *e, Kind want) {
    const char *arg[ARGS] = {"0", "0", "0"};
    const Syn *minus = e->kind == SYN_OP && !strcmp(e->text, "neg") && e->kid[0]->kind == SYN_NUMBER
                           ? e->kid[0]
                           : NULL;
    if ((e->kind == SYN_NUMBER || minus) && want != CONDITION &&
        (want != WHOLE || whole_text(minus ? minus->text : e->text))) {
        return step(z, arena_format(z->cx->arena, "{OP_CONST, {0, 0, 0}, %s%s}", minus ? "-" : "",
                                    minus ? minus->text : e->text));
    }
    if (e->kind == SYN_NUMBER) {
        error_at(z->cx, e->at, "%s is wanted here", kind_text[want]);
        return NULL;
    }
    if (e->kind == SYN_NAME) {
        return variable(z, e, want);
    }
    Syn *const *kids;
    int n, op = operation(z, e, &kids, &n);
    bool fits = op > -2;
    if (fits && result_kind(z, op, want) != want && result_kind(z, op, want) != WHOLE) {
        error_at(z->cx, e->whole, "this is %s; %s is wanted", kind_text[result_kind(z, op, want)],
                 kind_text[want]);
        fits = false;
    }
    for (int k = 0; fits && k < n; k++) {
        arg[k] = build(z, kids[k], operand_kind(z, op, k, want));
        fits = arg[k] != NULL;
    }
    return !fits ? NULL
                 : step(z, arena_format(z->cx->arena, "{OP_%s, {%s, %s, %s}, 0}",
                                        op < 0 ? "SELECT" : z->rows.at[op].name, arg[0], arg[1],
                                        arg[2]));
}

static Term term(Rules *z, const Syn *e, Kind want) {
    Term t = {.first = z->first = z->steps.n};
    const char *root = build(z, e, want);
    t.n = z->steps.n - t.first;
    t.root = root ? root : "0";
    return t;
}

/* ---- reading rows and rules
 * ---------------------------------------------------------------------------------------- */

static void read_clause(Rules *z, Row *row, const Syn *c) {
    const char *what = c->text, *value = c->kid[0]->text;
    int k = 0;
    while (k < row->arity && row->arg[k] != c->kid[0]->name) {
        k++;
    }
    bool again = false;
    if (!strcmp(what, "doc")) {
        row->doc = value;
    } else if (!strcmp(what, "c")) {
        again = row->c, row->c = value;
    } else if (!strcmp(what, "float")) {
        again = row->c_float, row->c_float = value;
    } else if (!strcmp(what, "int")) {
        again = row->c_int, row->c_int = value;
    } else if (!strcmp(what, "infix") || !strcmp(what, "prefix")) {
        again = row->symbol, row->symbol = value;
        row->precedence = atoi(c->kid[1]->text);
        if (row->arity != (what[0] == 'p' ? 1 : 2)) {
            error_at(z->cx, c->at, "'%s' does not go with %d arguments", what, row->arity);
        }
    } else if (!strcmp(what, "flag")) {
        bool *flag = !strcmp(value, "commutative") ? &row->commutative
                     : !strcmp(value, "cheap")     ? &row->cheap
                     : !strcmp(value, "alone")     ? &row->alone
                     : !strcmp(value, "flat")      ? &row->flat
                     : !strcmp(value, "hidden")    ? &row->hidden
                                                   : NULL;
        if (!flag) {
            error_at(z->cx, c->at, "no flag is called '%s'", value);
        } else {
            again = *flag, *flag = true;
        }
    } else if (k == row->arity) {
        error_at(z->cx, c->kid[0]->at, "'%s' has no argument '%s'", row->name, value);
    } else if (!strcmp(what, "d")) {
        again = row->d[k], row->d[k] = c->kid[1];
    } else if (!strcmp(what, "test")) {
        again = row->test[k], row->test[k] = c;
    }
    if (again) {
        error_at(z->cx, c->at, "'%s' says this twice", row->name);
    }
}

static void read_row(Rules *z, const Syn *s) {
    Row row = {.name = s->text,
               .names = s->kid[0],
               .typing = s->kid[1]->kind == SYN_NONE ? "real" : s->kid[1]->text,
               .precedence = 100};
    static const char *const typings = " real number compare logic to_int ";
    if (!strstr(typings, arena_format(z->cx->arena, " %s ", row.typing))) {
        error_at(z->cx, s->kid[1]->at,
                 "no typing is called '%s'; there are: real, number, compare, logic, to_int",
                 row.typing);
        row.typing = "real";
    }
    if (row_find(z, row.name) >= 0) {
        error_at(z->cx, s->at, "a second row '%s'", row.name);
    }
    if (row.names->nkids > ARGS) {
        error_at(z->cx, row.names->whole, "at most %d arguments", ARGS);
        return;
    }
    row.arity = row.names->nkids;
    for (int k = 0; k < row.arity; k++) {
        row.arg[k] = row.names->kid[k]->name;
        for (int j = 0; j < k; j++) {
            if (row.arg[j] == row.arg[k]) {
                error_at(z->cx, row.names->kid[k]->at, "two arguments '%s'",
                         row.names->kid[k]->text);
            }
        }
        if (row.arg[k] == z->result) {
            error_at(z->cx, row.names->kid[k]->at, "'r' is the result");
        }
    }
    for (int k = 2; k < s->nkids; k++) {
        read_clause(z, &row, s->kid[k]);
    }
    if (!row.c) {
        error_at(z->cx, s->at, "'%s' has no C text", row.name);
        row.c = "";
    }
    VEC_PUSH(z->cx->arena, z->rows, row);
}

static bool differentiable(const Row *row) {
    return !row->flat && (!strcmp(row->typing, "real") || !strcmp(row->typing, "number"));
}

/* The next name in C text; *before is what stands in front of it. NULL at the end, where *before is
 * the rest. */
static const char *next_name(Rules *z, const char **text, const char **before) {
    const char *start = *text;
    while (*start && !isalpha((unsigned char)*start) && *start != '_') {
        start +=
            isdigit((unsigned char)*start) ? strspn(start, "0123456789.abcdefABCDEFxXlLuU") : 1;
    }
    const char *end = start;
    while (isalnum((unsigned char)*end) || *end == '_') {
        end++;
    }
    *before = arena_text(z->cx->arena, *text, (size_t)(start - *text));
    *text = end;
    return end == start ? NULL : arena_text(z->cx->arena, start, (size_t)(end - start));
}

/* C text with its arguments replaced and, for float, an f after the names of the runtime. */
static const char *c_text(Rules *z, const Row *row, const char *text, bool is_float,
                          const char *const *arg) {
    const char *out = "", *before, *name;
    while ((name = next_name(z, &text, &before)) != NULL) {
        const char *with = is_float && !strncmp(name, "gradc_", 6)
                               ? arena_format(z->cx->arena, "%sf", name)
                               : name;
        for (int k = 0; k < row->arity; k++) {
            with = !strcmp(name, row->names->kid[k]->text) ? arg[k] : with;
        }
        out = arena_format(z->cx->arena, "%s%s%s", out, before, with);
    }
    return arena_format(z->cx->arena, "%s%s", out, before);
}

static void check_row(Rules *z, Row *row) {
    for (int k = 0; k < row->arity; k++) {
        const Syn *name = row->names->kid[k];
        const char *text = row->c, *before, *found;
        while ((found = next_name(z, &text, &before)) != NULL && strcmp(found, name->text)) {
        }
        if (!found) {
            error_at(z->cx, name->at, "the C text of '%s' does not use '%s'", row->name,
                     name->text);
        }
        bool carries = differentiable(row) && name->name != z->n;
        if (carries && !row->d[k]) {
            error_at(z->cx, name->at,
                     "'%s' has no derivative by '%s'; where it is 0 by nature, say `flat`",
                     row->name, name->text);
        } else if (!carries && row->d[k]) {
            error_at(z->cx, row->d[k]->whole, "'%s' carries no derivative by '%s'", row->name,
                     name->text);
        } else if (carries) {
            row->partial[k] = term(z, row->d[k], NUMBER);
        }
    }
    if (row->c_int && strcmp(row->typing, "number")) {
        error_at(z->cx, row->names->at, "'%s' never works on ints", row->name);
    }
}

static void read_rule(Rules *z, const Syn *s) {
    Pattern p = {.syn = s, .root = -2, .text = source_slice(z->cx, s->whole)};
    Syn *const *kids;
    int n;
    if (strcmp(s->text, "") && strcmp(s->text, "accurate") && strcmp(s->text, "loses")) {
        error_at(z->cx, s->at, "no mark is called '%s'", s->text);
    }
    if (s->kid[0]->kind == SYN_NAME || s->kid[0]->kind == SYN_NUMBER) {
        error_at(z->cx, s->kid[0]->whole, "the left side of a rule is an operation");
        return;
    }
    p.root = operation(z, s->kid[0], &kids, &n);
    if (p.root == -2) {
        return;
    }
    z->pattern = &p;
    z->new_names = true;
    Kind kind = result_kind(z, p.root, NUMBER);
    p.from = term(z, s->kid[0], kind);
    z->new_names = false;
    p.to = term(z, s->kid[1], kind);
    z->pattern = NULL;
    VEC_PUSH(z->cx->arena, z->patterns, p);
}

/* ---- writing
 * ---------------------------------------------------------------------------------------------------------
 */

static void write_header(const Rules *z, FILE *out) {
    fputs("/* Written by rulec from ops.rules. */\n", out);
    for (int k = 0; k < z->rows.n; k++) {
        fprintf(out, "OP_%s,\n", z->rows.at[k].name);
    }
}

static void write_string(FILE *out, const char *s) {
    fputc('"', out);
    for (; *s; s++) {
        fprintf(out, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
    }
    fputc('"', out);
}

static void write_template(FILE *out, Term t) {
    fprintf(out, "{%d, %s, steps + %d}", t.n, t.root, t.first);
}

static const char *test_bound(const Rules *z, const Syn *e) {
    bool minus = e->kind == SYN_OP && e->nkids == 1 && e->kid[0]->kind == SYN_NUMBER;
    if (!minus && e->kind != SYN_NUMBER) {
        error_at(z->cx, e->whole, "a test runs over numbers");
    }
    return minus ? arena_format(z->cx->arena, "-%s", e->kid[0]->text) : e->text;
}

static void write_info(Rules *z, FILE *out) {
    static const char *const dollars[] = {"$0", "$1", "$2"};
    fputs("const OpInfo op_info[OP_COUNT] = {\n", out);
    static const char *const structural[] = {"CONST",    "DIM",    "INDEX", "READ",
                                             "REDUCE",   "SELECT", "CAST",  "CHECKED",
                                             "NONEMPTY", "IDIV",   "EXTERN"};
    for (size_t k = 0; k < sizeof structural / sizeof *structural; k++) {
        fprintf(out, "    [OP_%s] = {.name = \"%s\"},\n", structural[k], structural[k]);
    }
    for (int i = 0; i < z->rows.n; i++) {
        const Row *row = &z->rows.at[i];
        fprintf(out, "    [OP_%s] = {\n        .name = \"%s\", .doc = ", row->name, row->name);
        write_string(out, row->doc);
        fprintf(out, ",\n        .arity = %d, .typing = TYPING_", row->arity);
        for (const char *c = row->typing; *c; c++) {
            fputc(toupper((unsigned char)*c), out);
        }
        fputs(",\n        .c = {", out);
        write_string(out, row->c_float ? c_text(z, row, row->c_float, false, dollars)
                                       : c_text(z, row, row->c, true, dollars));
        fputs(", ", out);
        write_string(out, c_text(z, row, row->c, false, dollars));
        fprintf(out, "}, .precedence = %d,", row->precedence);
        if (!strcmp(row->typing, "number")) {
            fputs("\n        .c_int = ", out);
            write_string(out, c_text(z, row, row->c_int ? row->c_int : row->c, false, dollars));
            fputc(',', out);
        }
        if (row->symbol) {
            fprintf(out, "\n        .infix = \"%s\",", row->symbol);
        }
        fprintf(out, "\n        .commutative = %d, .cheap = %d, .alone = %d, .flat = %d, .user = %d,",
                row->commutative, row->cheap, row->alone, !differentiable(row),
                !row->hidden && !row->symbol);
        if (differentiable(row)) {
            fprintf(out, "\n        .partial = partials_%s,", row->name);
        }
        fputs("\n        .test = {", out);
        uint32_t whole = 0;
        for (int k = 0; k < row->arity; k++) {
            const Syn *t = row->test[k];
            fprintf(out, "{%s, %s}, ", t ? test_bound(z, t->kid[1]) : "-3",
                    t ? test_bound(z, t->kid[2]) : "3");
            whole |= (uint32_t)(row->arg[k] == z->n) << k;
        }
        fprintf(out, "},\n        .whole = %u,\n    },\n", (unsigned)whole);
    }
    fputs("};\n\n", out);
}

static void write_rules(Rules *z, FILE *out) {
    fputs("const Rule op_rules[] = {\n", out);
    int n = 0, *end = arena_alloc(z->cx->arena,
                                  (size_t)(z->rows.n + 1) * sizeof *end); /* entry 0: choices */
    for (int root = -1; root < z->rows.n; root++) {
        for (int i = 0; i < z->patterns.n; i++) {
            const Pattern *p = &z->patterns.at[i];
            if (p->root != root) {
                continue;
            }
            uint32_t constant = 0;
            for (int k = 0; k < p->nvars; k++) {
                constant |=
                    (uint32_t)(isupper((unsigned char)symbol_text(z->cx, p->var[k])[0]) != 0) << k;
            }
            fputs("    {", out);
            write_template(out, p->from);
            fputs(", ", out);
            write_template(out, p->to);
            fprintf(out, ", %d, %u, RULE_%s,\n     ", p->nvars, (unsigned)constant,
                    p->syn->text[0] == 'a'   ? "ACCURATE"
                    : p->syn->text[0] == 'l' ? "LOSES"
                                             : "EXACT");
            write_string(out, p->text);
            fputs("},\n", out);
            n++;
        }
        end[root + 1] = n;
    }
    fprintf(out,
            "};\nconst int op_rule_count = %d;\nconst RuleRange op_rule_range[OP_COUNT] = {\n    "
            "[OP_SELECT] = {0, %d},\n",
            n, end[0]);
    for (int k = 0; k < z->rows.n; k++) {
        if (end[k] < end[k + 1]) {
            fprintf(out, "    [OP_%s] = {%d, %d},\n", z->rows.at[k].name, end[k], end[k + 1]);
        }
    }
    fputs("};\n\n", out);
}

static void write_evaluator(Rules *z, FILE *out, bool is_float) {
    const char *type = is_float ? "float" : "double";
    fprintf(out, "%s op_eval%s(Op op, const %s *x) {\n    switch ((int)op) {\n", "double",
            is_float ? "_float" : "", type);
    for (int i = 0; i < z->rows.n; i++) {
        const Row *row = &z->rows.at[i];
        const char *arg[ARGS], *form = strcmp(row->typing, "logic") ? "x[%d]" : "(x[%d] != 0)";
        for (int k = 0; k < row->arity; k++) {
            arg[k] = numbered(z, row->arg[k] == z->n ? "(int64_t)x[%d]" : form, k);
        }
        const char *text = is_float && row->c_float ? c_text(z, row, row->c_float, false, arg)
                                                    : c_text(z, row, row->c, is_float, arg);
        bool plain = !is_float && (!strcmp(row->typing, "real") || !strcmp(row->typing, "number"));
        fprintf(out,
                plain ? "    case OP_%s: return %s;\n" : "    case OP_%s: return (double)(%s);\n",
                row->name, text);
    }
    fputs("    default: bug(\"operation %d has no value\", (int)op);\n    }\n}\n\n", out);
}

static void write_table(Rules *z, FILE *out) {
    fputs("/* Written by rulec from ops.rules. */\n#include \"ops.h\"\n#include "
          "\"gradc.h\"\n\nstatic const TemplateStep steps[] = {\n",
          out);
    for (int k = 0; k < z->steps.n; k++) {
        fprintf(out, "    %s,\n", z->steps.at[k]);
    }
    fputs("};\n\n", out);
    for (int i = 0; i < z->rows.n; i++) {
        const Row *row = &z->rows.at[i];
        if (differentiable(row)) {
            fprintf(out, "static const Template partials_%s[] = {", row->name);
            for (int k = 0; k < row->arity; k++) {
                Term none = {.root = "0"};
                write_template(out, row->d[k] ? row->partial[k] : none);
                fputs(k + 1 < row->arity ? ", " : "};\n", out);
            }
        }
    }
    fputc('\n', out);
    write_info(z, out);
    write_rules(z, out);
    fputs("const char *const op_user_names[] = {\n", out);
    for (int i = 0; i < z->rows.n; i++) {
        if (!z->rows.at[i].hidden && !z->rows.at[i].symbol) {
            fprintf(out, "    \"%s\",\n", z->rows.at[i].name);
        }
    }
    fputs("    NULL,\n};\n\n", out);
    write_evaluator(z, out, false);
    write_evaluator(z, out, true);
}

/* In a cell of a table, where | ends the cell. */
static void write_code(FILE *out, const char *text) {
    fputc('`', out);
    for (; *text; text++) {
        fprintf(out, *text == '|' ? "\\%c" : "%c", *text);
    }
    fputc('`', out);
}

static void write_rows(Rules *z, FILE *out, const char *title, const char *intro,
                       const char *typings, bool hidden) {
    fprintf(out, "\n## %s\n\n%s\n\n| operation | what it is | derivatives |\n|---|---|---|\n",
            title, intro);
    for (int i = 0; i < z->rows.n; i++) {
        const Row *row = &z->rows.at[i];
        const char *call = arena_format(z->cx->arena, "%s(", row->name),
                   *first = row->names->kid[0]->text;
        if (!strstr(typings, row->typing) || (hidden != row->hidden && !row->symbol)) {
            continue;
        }
        for (int k = 0; k < row->arity; k++) {
            call = arena_format(z->cx->arena, "%s%s%s", call, row->names->kid[k]->text,
                                k + 1 < row->arity ? ", " : ")");
        }
        if (row->symbol) {
            call = row->arity == 1 ? arena_format(z->cx->arena, "%s%s", row->symbol, first)
                                   : arena_format(z->cx->arena, "%s %s %s", first, row->symbol,
                                                  row->names->kid[1]->text);
        }
        fputs("| ", out);
        write_code(out, call);
        fprintf(out, " | %s |", row->doc);
        for (int k = 0; k < row->arity; k++) {
            if (row->d[k]) {
                fprintf(out, " d%s: ", row->names->kid[k]->text);
                write_code(out, source_slice(z->cx, row->d[k]->whole));
            }
        }
        fprintf(out, "%s |\n", !strcmp(row->typing, "real") && row->flat ? " 0 by nature" : "");
    }
}

static void write_page(Rules *z, FILE *out) {
    fputs("# Operations\n\nThis page is made from `compiler/ops.rules` when gradc is built. In a "
          "derivative, `r` is the result of the operation, "
          "and the names of the last section stand for operations that only the compiler makes.\n",
          out);
    write_rows(z, out, "Numbers",
               "These work on ints, in 64 bits, and on reals; `/` and `^` always on reals.",
               "number", false);
    write_rows(z, out, "Functions of reals",
               "A whole constant exponent makes of `x ^ n` a repeated product, safe at 0 and for "
               "negative x.",
               "real", false);
    write_rows(z, out, "Conditions",
               "They carry no derivative. A comparison with NaN is false, but for `!=`. In `c ? x "
               ": y` one side is evaluated and differentiated.",
               "compare logic", false);
    write_rows(z, out, "Made by the compiler", "", "real to_int", true);
    fputs("\n## Rewriting\n\nTerms take these simpler or more stable forms wherever they are "
          "built, before and after differentiation. A name in upper "
          "case stands for a constant.\n\n| rule | |\n|---|---|\n",
          out);
    for (int i = 0; i < z->patterns.n; i++) {
        const Pattern *p = &z->patterns.at[i];
        fputs("| ", out);
        write_code(out, arena_format(z->cx->arena, "%s => %s",
                                     source_slice(z->cx, p->syn->kid[0]->whole),
                                     source_slice(z->cx, p->syn->kid[1]->whole)));
        fprintf(out, " | %s |\n", p->syn->text[0] ? p->syn->text : "exact");
    }
    fputs("\n*exact*: the same number bit for bit, for infinities and NaN too. *accurate*: the "
          "same in mathematics and nearer to it in "
          "floating point, for instance finite where the left side overflows or cancels. *loses*: "
          "the same in mathematics, rounded otherwise.\n",
          out);
}

/* ---- the test file: expressions in C, where an argument is a[k]
 * --------------------------------------------------------- */

static const char *test_text(Rules *z, const Syn *e, const Row *row, const Pattern *p) {
    if (e->kind == SYN_NUMBER) {
        return strpbrk(e->text, ".e") ? e->text : arena_format(z->cx->arena, "%s.0", e->text);
    }
    if (e->kind == SYN_NAME) {
        for (int k = 0; k < (row ? row->arity : p->nvars); k++) {
            if ((row ? row->arg[k] : p->var[k]) == e->name) {
                return numbered(z, p && p->kind[k] == CONDITION ? "a[%d] != 0" : "a[%d]", k);
            }
        }
        return "r";
    }
    Syn *const *kids;
    const char *arg[ARGS];
    int n, op = operation(z, e, &kids, &n);
    for (int k = 0; k < n; k++) {
        bool whole = op >= 0 && z->rows.at[op].arg[k] == z->n;
        arg[k] = arena_format(z->cx->arena, whole ? "(int64_t)(%s)" : "(%s)",
                              test_text(z, kids[k], row, p));
    }
    return op < 0 ? arena_format(z->cx->arena, "%s ? %s : %s", arg[0], arg[1], arg[2])
                  : c_text(z, &z->rows.at[op], z->rows.at[op].c, false, arg);
}

static void write_tests(Rules *z, FILE *out) {
    fputs(
        "/* Written by rulec from ops.rules. */\n#include \"test_ops.h\"\n#include \"gradc.h\"\n\n",
        out);
    for (int i = 0; i < z->rows.n; i++) {
        const Row *row = &z->rows.at[i];
        for (int k = 0; k < row->arity; k++) {
            if (row->d[k]) {
                const char *text = test_text(z, row->d[k], row, NULL);
                fprintf(out,
                        "static double d_%s_%d(const double *a, double r) {\n    (void)a, "
                        "(void)r;\n    return %s;\n}\n",
                        row->name, k, text);
            }
        }
    }
    for (int i = 0; i < z->patterns.n; i++) {
        const Pattern *p = &z->patterns.at[i];
        for (int side = 0; side < 2; side++) {
            fprintf(
                out,
                "static double rule_%d_%s(const double *a) {\n    (void)a;\n    return %s;\n}\n", i,
                side ? "to" : "from", test_text(z, p->syn->kid[side], NULL, p));
        }
    }
    fputs("\nconst PartialTest partial_tests[] = {\n", out);
    for (int i = 0; i < z->rows.n; i++) {
        for (int k = 0; k < z->rows.at[i].arity; k++) {
            if (z->rows.at[i].d[k]) {
                fprintf(out, "    {OP_%s, %d, d_%s_%d},\n", z->rows.at[i].name, k,
                        z->rows.at[i].name, k);
            }
        }
    }
    fputs("};\nconst int partial_test_count = sizeof partial_tests / sizeof "
          "*partial_tests;\n\nconst RuleTest rule_tests[] = {\n",
          out);
    for (int i = 0; i < z->patterns.n; i++) {
        const Pattern *p = &z->patterns.at[i];
        fprintf(out, "    {rule_%d_from, rule_%d_to, \"", i, i);
        for (int k = 0; k < p->nvars; k++) {
            bool upper = isupper((unsigned char)symbol_text(z->cx, p->var[k])[0]);
            fputc(p->kind[k] == CONDITION ? 'c'
                  : p->kind[k] == WHOLE   ? 'w'
                  : upper                 ? 'K'
                                          : 'n',
                  out);
        }
        fputs("\", ", out);
        write_string(out, p->text);
        fputs("},\n", out);
    }
    fputs("};\nconst int rule_test_count = sizeof rule_tests / sizeof *rule_tests;\n", out);
}

typedef void Writer(Rules *z, FILE *out);
static void write_enum(Rules *z, FILE *out) {
    write_header(z, out);
}

static void write_file(Rules *z, const char *path, Writer *writer) {
    FILE *out = fopen(path, "w");
    if (out) {
        writer(z, out);
    }
    if (!out || ferror(out) || fclose(out)) {
        error_at(z->cx, (Span){0}, "cannot write %s", path);
    }
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fputs("usage: rulec ops.rules ops.gen.h ops.gen.c operations.md ops_test.gen.c\n", stderr);
        return 2;
    }
    Context *cx = context_new();
    const char *why = NULL;
    uint32_t file = source_read(cx, argv[1], &why);
    if (!file) {
        error_at(cx, (Span){0}, "cannot read %s: %s", argv[1], why);
    }
    Syn *tree = file ? parse_rules(cx, file) : NULL;
    Rules z = {.cx = cx, .result = symbol_of(cx, "r"), .n = symbol_of(cx, "n")};
    for (int k = 0; tree && k < tree->nkids; k++) {
        if (tree->kid[k]->kind == SYN_OPROW) {
            read_row(&z, tree->kid[k]);
        }
    }
    for (int k = 0; k < z.rows.n; k++) {
        z.row = &z.rows.at[k];
        check_row(&z, z.row);
    }
    z.row = NULL;
    for (int k = 0; tree && k < tree->nkids; k++) {
        if (tree->kid[k]->kind == SYN_RULE) {
            read_rule(&z, tree->kid[k]);
        }
    }
    static Writer *const writers[] = {write_enum, write_table, write_page, write_tests};
    for (int k = 0; k < 4 && !cx->errors; k++) {
        write_file(&z, argv[2 + k], writers[k]);
    }
    messages_print(cx, stderr, COLOUR_NEVER);
    int failed = cx->errors != 0;
    context_free(cx);
    return failed;
}
