/* check_expr: types of expressions, reads, reductions, calls and derivatives; what of them reaches
 * a derivative. In: a unit whose shapes and ranges are known. Out: an ExprInfo on every expression,
 * the notes of reductions and calls. A function that returns NULL or false has said why; whoever
 * asked says nothing more. */
#include "check.h"
#include "kernel.h"
#include "library.h"
#include "ops.h"
#include <string.h>

bool is_reduction(const char *name) {
    for (int k = 0; reduction_names[k]; k++)
        if (!strcmp(reduction_names[k], name)) return true;
    return false;
}

static bool text_is(const Syn *e, const char *text) {
    return !strcmp(e->text, text);
}

/* ---- types
 * -------------------------------------------------------------------------------------------------
 */

static const ExprInfo *typed(Check *c, Syn *e, SynType type, int rank, const Poly **shape) {
    ExprInfo *info = arena_alloc(c->cx->arena, sizeof *info);
    *info = (ExprInfo){type, rank, shape};
    return e->info = info;
}

static const ExprInfo *number_of(Check *c, Syn *e, BaseType base) {
    return typed(c, e, (SynType){base, NULL}, 0, NULL);
}

bool type_is_real(SynType t) {
    return t.base == TYPE_REAL || t.base == TYPE_FLOAT || t.base == TYPE_DOUBLE;
}

/* Of two numbers: int < float < real < double; an index counts as an int. */
SynType type_join(SynType x, SynType y) {
    static const int rank[] = {
        [TYPE_UNKNOWN] = 0, [TYPE_INDEX] = 1, [TYPE_BOOL] = 1,  [TYPE_INT] = 1,
        [TYPE_FLOAT] = 2,   [TYPE_REAL] = 3,  [TYPE_DOUBLE] = 4};
    if (x.base == TYPE_INDEX || x.base == TYPE_BOOL) x = (SynType){TYPE_INT, NULL};
    if (y.base == TYPE_INDEX || y.base == TYPE_BOOL) y = (SynType){TYPE_INT, NULL};
    return rank[x.base] >= rank[y.base] ? x : y;
}

static SynType as_real(SynType t) {
    return type_is_real(t) ? t : (SynType){TYPE_REAL, NULL};
}

static bool same_type(SynType x, SynType y) {
    return x.base == y.base && (x.base != TYPE_INDEX || poly_equal(x.target, y.target));
}

bool type_fits(Check *c, const Syn *e, const ExprInfo *got, SynType want, Env env) {
    SynType t = got->type;
    if (want.base == TYPE_BOOL || t.base == TYPE_BOOL) return want.base == t.base;
    if (want.base == TYPE_INT) return t.base == TYPE_INT || t.base == TYPE_INDEX;
    if (want.base != TYPE_INDEX) return true;
    if (t.base == TYPE_INDEX && check_same(c, t.target, want.target)) return true;
    if (got->rank || type_is_real(t)) return false;
    const Poly *q = check_poly(c, e, env.scope);
    c->trouble = NULL;
    if (q) {
        const Poly *last = poly_sub(c->cx->arena, want.target, poly_int(c->cx->arena, 1));
        return check_prove(c, q, env) && check_prove(c, poly_sub(c->cx->arena, last, q), env);
    }
    if (e->kind != SYN_OP || e->nkids != 3) return false;
    for (int side = 1; side < 3; side++)
        if (!e->kid[side]->info || !type_fits(c, e->kid[side], e->kid[side]->info, want,
                                              env_condition(c, env, e->kid[0], side == 1)))
            return false;
    return true;
}

/* ---- one number
 * -------------------------------------------------------------------------------------------- */

const ExprInfo *check_value(Check *c, Syn *e, Env env) {
    const ExprInfo *info = check_expr(c, e, env);
    if (!info || info->rank == 0) return info;
    error_at(c->cx, e->whole, "%s is an array [%s] where one number is wanted: write its indices",
             source_slice(c->cx, e->whole), shape_text(c, info->rank, info->shape));
    return NULL;
}

const ExprInfo *check_number(Check *c, Syn *e, Env env) {
    const ExprInfo *info = check_value(c, e, env);
    if (!info || info->type.base != TYPE_BOOL) return info;
    error_at(c->cx, e->whole, "a condition is no number; write %s ? 1 : 0",
             source_slice(c->cx, e->whole));
    return NULL;
}

static bool check_condition(Check *c, Syn *e, Env env, const char *what) {
    const ExprInfo *info = check_value(c, e, env);
    if (!info) return false;
    if (info->type.base == TYPE_BOOL) return true;
    error_at(c->cx, e->whole, "%s", what);
    return false;
}

static const ExprInfo *check_literal(Check *c, Syn *e) {
    if (strspn(e->text, "0123456789") == strlen(e->text)) {
        const char *digits = e->text + strspn(e->text, "0");
        if (strlen(digits) <= 18) return number_of(c, e, TYPE_INT);
        error_at(c->cx, e->whole,
                 "this number is too large for an integer; with a point, as in %s.0, it is a real",
                 e->text);
        return NULL;
    }
    return number_of(c, e, TYPE_REAL);
}

/* ---- operators
 * --------------------------------------------------------------------------------------------- */

/* Made of dimensions and numbers alone? */
static bool about_dimensions(Check *c, const Syn *e) {
    if (e->kind == SYN_NAME) {
        const NameInfo *n = check_name(c, e->name);
        return n && n->dim;
    }
    if (e->kind != SYN_OP && e->kind != SYN_NUMBER) return false;
    for (int k = 0; k < e->nkids; k++)
        if (!about_dimensions(c, e->kid[k])) return false;
    return true;
}

static const ExprInfo *check_choice(Check *c, Syn *e, Env env) {
    bool good = check_condition(c, e->kid[0], env, "a condition is wanted before ?");
    Env yes = env_condition(c, env, e->kid[0], true), no = env_condition(c, env, e->kid[0], false);
    yes.fixed = no.fixed = env.fixed || about_dimensions(c, e->kid[0]);
    const ExprInfo *t = check_value(c, e->kid[1], yes), *f = check_value(c, e->kid[2], no);
    if (!good || !t || !f) return NULL;
    if (same_type(t->type, f->type)) return typed(c, e, t->type, 0, NULL);
    if (t->type.base == TYPE_BOOL || f->type.base == TYPE_BOOL) {
        error_at(c->cx, e->whole, "one side is a condition, the other a number");
        return NULL;
    }
    return typed(c, e, type_join(t->type, f->type), 0, NULL);
}

/* An integer to a power that is known, and not negative, is a product of integers. All others are
 * computed as reals. */
static SynType power_type(Check *c, const Syn *e, SynType base, SynType exponent, Env env) {
    int64_t times;
    if (type_is_real(exponent)) return type_join(as_real(base), exponent);
    if (type_is_real(base)) return base;
    const Poly *p = check_poly(c, e->kid[1], env.scope);
    c->trouble = NULL;
    return (SynType){
        p && check_known(c, p, &times) && times >= 0 && times <= 64 ? TYPE_INT : TYPE_REAL, NULL};
}

static const ExprInfo *check_op(Check *c, Syn *e, Env env) {
    if (e->nkids == 3) return check_choice(c, e, env);
    if (text_is(e, "&&") || text_is(e, "||") || text_is(e, "!")) {
        bool good = check_condition(c, e->kid[0], env, "a condition is wanted here, not a number");
        /* The right side is looked at only where the left one decides nothing: its positions may
         * rely on that. */
        Env right = e->nkids == 2 ? env_condition(c, env, e->kid[0], text_is(e, "&&")) : env;
        if (e->nkids == 2)
            good =
                check_condition(c, e->kid[1], right, "a condition is wanted here, not a number") &&
                good;
        return good ? number_of(c, e, TYPE_BOOL) : NULL;
    }
    const ExprInfo *x = check_number(c, e->kid[0], env),
                   *y = e->nkids == 2 ? check_number(c, e->kid[1], env) : x;
    if (!x || !y) return NULL;
    if (e->text[0] == '<' || e->text[0] == '>' || e->text[0] == '=' || e->text[0] == '!') {
        if (x->type.base == TYPE_INDEX && y->type.base == TYPE_INDEX &&
            !check_family(c, x->type.target, y->type.target)) {
            error_at(c->cx, e->whole, "an index into %s is compared with one into %s",
                     size_text(c->cx, x->type.target), size_text(c->cx, y->type.target));
            return NULL;
        }
        return number_of(c, e, TYPE_BOOL);
    }
    SynType t =
        text_is(e, "^") ? power_type(c, e, x->type, y->type, env) : type_join(x->type, y->type);
    if (text_is(e, "/")) {
        t = as_real(t);
        const Poly *below = check_poly(c, e->kid[1], NULL);
        c->trouble = NULL;
        if (below && below->n == 0)
            warning_at(c->cx, "division-by-zero", e->whole, "this divides by zero");
    }
    return typed(c, e, t, 0, NULL);
}

/* ---- reads
 * -------------------------------------------------------------------------------------------------
 */

static const ExprInfo *unknown_name(Check *c, const Syn *e, Env env) {
    NameInfo *n = check_name(c, e->name);
    if (n && n->refused) return NULL;
    if (n) n->refused = true;
    if (check_is_fn(c, e->text)) {
        error_at(c->cx, e->at, "%s is a function: write its arguments in parentheses", e->text);
        return NULL;
    }
    const char *near = check_near(c, e->text, NEAR_VALUES | NEAR_DIMS, env.scope);
    if (e->kind == SYN_NAME && !near[0] && n && n->is_index) {
        n->refused = false; /* about this place only */
        error_at(c->cx, e->at,
                 "the index '%s' is bound neither on the left nor by a reduction around this place",
                 e->text);
    } else {
        error_at(c->cx, e->at, "'%s' is not known%s", e->text, near);
    }
    return NULL;
}

/* Is some array in the term not known? Then it is said. */
static bool says_unknown(Check *c, const Syn *e, Env env) {
    NameInfo *n = e->kind == SYN_AT ? check_name(c, e->name) : NULL;
    if (e->kind == SYN_AT && !(n && (n->array || n->dim || n->is_index))) {
        unknown_name(c, e, env);
        return true;
    }
    for (int k = 0; k < e->nkids; k++)
        if (says_unknown(c, e->kid[k], env)) return true;
    return false;
}

static SynType type_of(Check *c, Value *a);

static bool looks_bool(Check *c, const Syn *e) {
    if (e->kind == SYN_NAME || e->kind == SYN_AT) {
        const NameInfo *n = check_name(c, e->name);
        return n && n->array && type_of(c, n->array).base == TYPE_BOOL;
    }
    if (e->kind == SYN_ENTRY) return looks_bool(c, e->kid[0]);
    if (e->kind == SYN_CALL) {
        const Check *f = check_callee(c, e->name);
        return f && f->unit->result && f->unit->result->type.base == TYPE_BOOL;
    }
    if (e->kind != SYN_OP) return false;
    if (e->nkids == 3) return looks_bool(c, e->kid[1]) || looks_bool(c, e->kid[2]);
    return strchr("<>=!&|", e->text[0]) != NULL;
}

/* Inside its own recurrence an undeclared array is a condition if one of its equations looks like
 * that, else real. */
static SynType type_of(Check *c, Value *a) {
    if (a->typed || a->guessed) return a->v.type;
    a->guessed = true;
    a->v.type.base = TYPE_REAL;
    for (int k = 0; k < a->cases.n; k++)
        if (looks_bool(c, a->cases.at[k]->eq.syn->kid[1])) a->v.type.base = TYPE_BOOL;
    return a->v.type;
}

static const ExprInfo *check_read(Check *c, Syn *e, const Syn *positions, Env env) {
    const NameInfo *n = check_name(c, e->name);
    Value *a = n ? n->array : NULL;
    if (!a) {
        if (n && n->dim && positions) {
            error_at(c->cx, e->at, "'%s' is a dimension: it has no entries", e->text);
            note_at(c->cx, c->unit->dims.at[n->dim - 1].at, "declared here");
            return NULL;
        }
        return unknown_name(c, e, env);
    }
    if (positions && positions->kid[1]->kind != SYN_NONE) {
        error_at(c->cx, positions->kid[1]->whole, "a condition belongs in a reduction");
        return NULL;
    }
    if (!a->sized) return NULL; /* its own equations have said why */
    int npos = positions ? positions->kid[0]->nkids : 0;
    if (npos > a->v.rank) {
        error_at(c->cx, e->at, "%s has %s, not %d", e->text, axes_text(c, a->v.rank), npos);
        note_at(c->cx, a->v.at, "%s", origin_text(&a->v));
        return NULL;
    }
    const Place **place = arena_alloc(c->cx->arena, (size_t)(a->v.rank + 1) * sizeof *place);
    for (int k = 0; k < npos; k++)
        place[k] = check_position(c, positions->kid[0]->kid[k], k, e->text, a->v.shape[k],
                                  a->v.low ? a->v.low[k] : NULL, env);
    for (int k = npos; k < a->v.rank; k++) {
        Place *any = arena_alloc(c->cx->arena, sizeof *any);
        any->env = env;
        place[k] = any;
    }
    if (c->current && a->cases.n && a->v.group == c->current->of->v.group)
        VEC_PUSH(c->cx->arena, c->reads, (Read){c->current, a, place, env, e->at});
    /* A part of an array that does not start at 0 would be read where nothing is. */
    for (int k = npos; k < a->v.rank; k++)
        if (a->v.low && a->v.low[k]->n) {
            error_at(c->cx, e->whole, "%s starts at %s on axis %d: read it entry by entry", e->text,
                     size_text(c->cx, a->v.low[k]), k + 1);
            return NULL;
        }
    return typed(c, e, type_of(c, a), a->v.rank - npos,
                 a->v.rank > npos ? a->v.shape + npos : NULL);
}

static const ExprInfo *check_name_read(Check *c, Syn *e, Env env) {
    const IndexRange *i = env_find(env, e->name);
    if (i) return typed(c, e, (SynType){TYPE_INDEX, i->extent}, 0, NULL);
    const NameInfo *n = check_name(c, e->name);
    if (n && n->dim) return number_of(c, e, TYPE_INT);
    if (e->name == c->all->pi && !(n && n->array)) return number_of(c, e, TYPE_REAL);
    return check_read(c, e, NULL, env);
}

/* ---- reductions
 * -------------------------------------------------------------------------------------------- */

/* The first read of a whole array in a body: likely what the index was meant for. */
static const Syn *whole_array(Check *c, const Syn *e) {
    const NameInfo *n = e->kind == SYN_NAME ? check_name(c, e->name) : NULL;
    if (n && n->array && n->array->sized && n->array->v.rank) return e;
    for (int k = 0; k < e->nkids; k++) {
        const Syn *found = whole_array(c, e->kid[k]);
        if (found) return found;
    }
    return NULL;
}

static bool reads_unsized(Check *c, const Syn *e) {
    const NameInfo *n = e->kind == SYN_NAME || e->kind == SYN_AT ? check_name(c, e->name) : NULL;
    if (n && (n->refused || (n->array && !n->array->sized))) return true;
    const Check *f = e->kind == SYN_CALL ? check_callee(c, e->name) : NULL;
    if (f && f->broken) return true;
    for (int k = 0; k < e->nkids; k++)
        if (reads_unsized(c, e->kid[k])) return true;
    return false;
}

static bool bind_index(Check *c, const Syn *reduce, int item, Env env, IndexRange *out) {
    const Syn *positions = reduce->kid[0], *where = positions->kid[1], *body = reduce->kid[1];
    const Syn *it = positions->kid[0]->kid[item], *name = it->kind == SYN_IN ? it->kid[0] : it;
    if (name->kind != SYN_NAME) {
        error_at(c->cx, name->whole, "a reduction binds plain indices");
        return false;
    }
    const NameInfo *n = check_name(c, name->name);
    if (env_find(env, name->name)) {
        error_at(c->cx, name->at, "the index '%s' is in use around this place; take another name",
                 name->text);
        return false;
    }
    if (n && (n->array || n->dim)) {
        error_at(c->cx, name->at, "'%s' already names a %s", name->text,
                 n->dim ? "dimension" : "value");
        note_at(c->cx, n->dim ? c->unit->dims.at[n->dim - 1].at : n->array->v.at, "%s",
                n->dim ? "declared here" : origin_text(&n->array->v));
        return false;
    }
    if (it->kind == SYN_IN) {
        const Poly *size = check_size(c, it->kid[1]);
        *out = (IndexRange){name->name, size, HOW_SAID, it->whole};
        return size != NULL;
    }
    Uses uses = {0};
    check_uses(c, body, name->name, &uses);
    check_uses(c, where, name->name, &uses);
    if (!syn_mentions(body, name->name) && !syn_mentions(where, name->name)) {
        error_at(c->cx, name->at, "the index '%s' stands nowhere in this %s", name->text,
                 reduce->text);
        const Syn *array = whole_array(c, body);
        if (array) {
            const Value *a = check_name(c, array->name)->array;
            note_at(c->cx, array->at, "%s is an array [%s]: %s[%s]?", array->text,
                    shape_text(c, a->v.rank, (const Poly *const *)a->v.shape), array->text,
                    name->text);
        }
        return false;
    }
    const Use *best = NULL;
    for (int k = 0; k < uses.at.n; k++) {
        const Use *u = &uses.at.at[k];
        if (u->shift == 0 && (!best || (poly_is_number(best->extent, NULL, NULL) &&
                                        !poly_is_number(u->extent, NULL, NULL))))
            best = u;
    }
    if (!best) {
        /* An array that is not known or could not be sized may be where it stands: then that is the
         * mistake. */
        if (says_unknown(c, body, env) || says_unknown(c, where, env)) return false;
        if (!reads_unsized(c, body) && !reads_unsized(c, where))
            error_at(c->cx, name->at, "nothing fixes the range of '%s'; say %s[%s: DIMENSION]",
                     name->text, reduce->text, name->text);
        return false;
    }
    *out = (IndexRange){name->name, best->extent, HOW_USE, best->at->whole};
    return true;
}

bool check_bind(Check *c, Syn *reduce, Env env, Env *inner) {
    Arena *a = c->cx->arena;
    const Syn *items = reduce->kid[0]->kid[0];
    Syn *where = reduce->kid[0]->kid[1];
    Binder *binders = arena_alloc(a, (size_t)items->nkids * sizeof *binders);
    bool good = true;
    *inner = env;
    for (int k = 0; k < items->nkids; k++) {
        IndexRange index;
        if (!bind_index(c, reduce, k, *inner, &index)) {
            good = false;
            continue;
        }
        binders[k] = (Binder){index.name, index.extent};
        *inner =
            env_index(c, *inner, index, poly_int(a, 0), poly_sub(a, index.extent, poly_int(a, 1)));
    }
    if (!good) return false;
    reduce->note = binders;
    if (where->kind == SYN_NONE) return true;
    if (!check_condition(c, where, *inner, "a condition is wanted after if")) return false;
    *inner = env_condition(c, *inner, where, true);
    return true;
}

static const ExprInfo *check_reduce(Check *c, Syn *e, Env env) {
    if (!is_reduction(e->text)) {
        const NameInfo *n = check_name(c, e->name);
        if (n && n->array)
            error_at(c->cx, e->at, "'%s' is an array: no parentheses after its indices", e->text);
        else if (text_is(e, "until"))
            error_at(c->cx, e->at,
                     "until(...) defines a dimension: dim T = until[t](condition, most)");
        else
            error_at(c->cx, e->at, "'%s' is no reduction%s", e->text,
                     check_nearest(c, e->text, reduction_names));
        return NULL;
    }
    if (e->kid[1]->nkids != 1) {
        error_at(c->cx, e->at, "%s[...] takes one expression", e->text);
        return NULL;
    }
    Env inner;
    if (!check_bind(c, e, env, &inner)) return NULL;
    const ExprInfo *body = check_number(c, e->kid[1]->kid[0], inner);
    if (!body) return NULL;
    if (text_is(e, "argmax") || text_is(e, "argmin")) {
        const Binder *b = e->note;
        if (e->kid[0]->kid[0]->nkids == 1)
            return typed(c, e, (SynType){TYPE_INDEX, b->extent}, 0, NULL);
        error_at(c->cx, e->at, "%s takes one index", e->text);
        return NULL;
    }
    bool whole = text_is(e, "sum") || text_is(e, "prod") || text_is(e, "max") || text_is(e, "min");
    SynType t = body->type.base == TYPE_INDEX ? (SynType){TYPE_INT, NULL} : body->type;
    return typed(c, e, whole ? t : as_real(t), 0, NULL);
}

/* ---- derivatives as values
 * --------------------------------------------------------------------------------- */

static const char *thing_text(Check *c, int rank, const Poly *const *shape) {
    return rank ? arena_format(c->cx->arena, "[%s]", shape_text(c, rank, shape)) : "a number";
}

static const ExprInfo *check_derivative(Check *c, Syn *e, Env env) {
    Syn *args = e->kid[0];
    bool forward = text_is(e, "dir");
    if (args->nkids != (forward ? 3 : 2)) {
        error_at(c->cx, e->at,
                 forward ? "dir takes an expression, a name and a direction: dir(e, x, v)"
                         : "grad takes an expression and a name: grad(e, x)");
        return NULL;
    }
    const ExprInfo *of = check_value(c, args->kid[0], env);
    if (of && of->type.base == TYPE_BOOL) {
        error_at(c->cx, args->kid[0]->whole, "a condition has no derivative");
        of = NULL;
    }
    Syn *x = args->kid[1];
    const NameInfo *n =
        x->kind == SYN_NAME && !env_find(env, x->name) ? check_name(c, x->name) : NULL;
    if (!n || !n->array) {
        error_at(c->cx, x->at,
                 "a derivative is taken by a name: an input, a param, an argument, or what an "
                 "equation defines%s",
                 x->kind == SYN_NAME
                     ? check_near(c, x->text, NEAR_VALUES, NULL)
                     : "; for an expression write a function and differentiate by its argument");
        return NULL;
    }
    Value *a = n->array;
    if (!a->sized) return NULL;
    if (c->current && a->cases.n && a->v.group == c->current->of->v.group) {
        error_at(c->cx, x->at,
                 "'%s' is not finished where its derivative is taken: the two are one recurrence; "
                 "write a function of one step and differentiate by "
                 "its argument",
                 x->text);
        note_at(c->cx, a->v.at, "defined here");
        return NULL;
    }
    SynType by = type_of(c, a);
    if (!type_is_real(by)) {
        bool number = by.base == TYPE_INT && !a->v.declared;
        error_at(c->cx, x->at, "'%s' is %s: no derivative by it%s", x->text, type_text(c, by),
                 number ? arena_format(c->cx->arena, "; to make it real, declare it: real %s%s;",
                                       x->text, a->v.rank ? "[SIZE, ...]" : "")
                        : "");
        note_at(c->cx, a->v.at, "%s", origin_text(&a->v));
        return NULL;
    }
    if (a->v.role == ROLE_CONST) {
        error_at(c->cx, x->at, "'%s' is a const: no derivative by it", x->text);
        note_at(c->cx, a->v.at, "declared here");
        return NULL;
    }
    typed(c, x, by, a->v.rank, a->v.shape);
    if (of) check_smooth(c, args->kid[0], a, e->at, NULL);
    SynType t = of ? as_real(type_join(of->type, by)) : by;
    if (!forward) return typed(c, e, t, a->v.rank, a->v.shape);
    const ExprInfo *v = check_expr(c, args->kid[2], env);
    if (!v) return NULL;
    bool fits = v->rank == a->v.rank;
    for (int k = 0; fits && k < v->rank; k++) fits = check_same(c, v->shape[k], a->v.shape[k]);
    if (!fits) {
        error_at(c->cx, args->kid[2]->whole, "the direction is %s, but %s is %s",
                 thing_text(c, v->rank, v->shape), x->text,
                 thing_text(c, a->v.rank, (const Poly *const *)a->v.shape));
        note_at(c->cx, a->v.at, "%s", origin_text(&a->v));
        return NULL;
    }
    if (v->type.base == TYPE_BOOL) {
        error_at(c->cx, args->kid[2]->whole, "a condition is no direction");
        return NULL;
    }
    return typed(c, e, t, 0, NULL);
}

/* ---- calls
 * -------------------------------------------------------------------------------------------------
 */

static const ExprInfo *check_scalar_call(Check *c, Syn *e, Op op, Env env) {
    Syn *args = e->kid[0];
    int arity = op_info[op].arity;
    if (args->nkids != arity) {
        error_at(c->cx, e->at, "%s takes %d argument%s, not %d", e->text, arity,
                 arity == 1 ? "" : "s", args->nkids);
        return NULL;
    }
    bool good = true;
    SynType t = {TYPE_INT, NULL};
    for (int k = 0; k < arity; k++) {
        Syn *x = args->kid[k];
        const ExprInfo *info = check_expr(c, x, env);
        if (!info) {
            good = false;
        } else if (info->rank) {
            const char *over = is_reduction(e->text)
                                   ? arena_format(c->cx->arena, "%s[...]", e->text)
                                   : "a reduction";
            error_at(
                c->cx, x->whole,
                "%s takes a number; %s is an array [%s]: write its indices, or %s over an index",
                e->text, source_slice(c->cx, x->whole), shape_text(c, info->rank, info->shape),
                over);
            good = false;
        } else if (info->type.base == TYPE_BOOL) {
            error_at(c->cx, x->whole, "a condition is no number");
            good = false;
        } else {
            t = type_join(t, info->type);
        }
    }
    if (!good) return NULL;
    switch (op_info[op].typing) {
    case TYPING_NUMBER: return typed(c, e, t, 0, NULL);
    case TYPING_TO_INT: return number_of(c, e, TYPE_INT);
    case TYPING_COMPARE:
    case TYPING_LOGIC: return number_of(c, e, TYPE_BOOL);
    case TYPING_REAL: break;
    }
    return typed(c, e, as_real(t), 0, NULL);
}

typedef struct Bound { /* a dimension of the callee, and what the caller's arguments make of it */
    uint32_t var;
    const Poly *by;
    Span at;
} Bound;
typedef struct Bind {
    VEC(Bound) to;
} Bind;

static const Poly *put_bound(Check *c, const Poly *p, const Bind *b) {
    Arena *a = c->cx->arena;
    uint32_t *var = arena_alloc(a, (size_t)(b->to.n + 1) * sizeof *var);
    const Poly **by = arena_alloc(a, (size_t)(b->to.n + 1) * sizeof *by);
    for (int k = 0; k < b->to.n; k++) {
        var[k] = b->to.at[k].var;
        by[k] = b->to.at[k].by;
    }
    return poly_subst_all(a, p, b->to.n, var, by);
}

static bool bare_size(const Poly *p, uint32_t *var) {
    if (p->n != 1 || p->term[0].nvars != 1 || p->term[0].num != 1 || p->term[0].den != 1)
        return false;
    *var = p->term[0].var[0];
    return true;
}

/* One size of a parameter against the argument's: a bare name is bound, or must agree with what
 * bound it. */
static bool match_bare(Check *c, const Syn *call, const Poly *want, const Poly *got, Span at,
                       Bind *b) {
    uint32_t var;
    if (!bare_size(want, &var)) return true;
    for (int k = 0; k < b->to.n; k++) {
        if (b->to.at[k].var != var) continue;
        if (check_same(c, b->to.at[k].by, got)) return true;
        error_at(c->cx, at, "%s's dimension %s is %s here", call->text, symbol_text(c->cx, var),
                 size_text(c->cx, got));
        note_at(c->cx, b->to.at[k].at, "but %s here", size_text(c->cx, b->to.at[k].by));
        return false;
    }
    VEC_PUSH(c->cx->arena, b->to, (Bound){var, got, at});
    return true;
}

static bool match_rest(Check *c, const Syn *call, const Poly *want, const Poly *got, Span at,
                       const Variable *p, const Bind *b) {
    uint32_t var;
    if (bare_size(want, &var)) return true;
    const Poly *w = put_bound(c, want, b);
    if (check_same(c, w, got)) return true;
    error_at(c->cx, at, "%s wants %s entries here, not %s", call->text, size_text(c->cx, w),
             size_text(c->cx, got));
    if (p) note_at(c->cx, p->at, "declared here");
    return false;
}

static bool match_argument(Check *c, const Syn *call, Syn *x, const ExprInfo *got, int rank,
                           const Poly *const *shape, SynType want, const Variable *p, Bind *b) {
    if (got->rank != rank) {
        error_at(c->cx, x->whole, "%s wants %s here; this %s", call->text,
                 rank ? arena_format(c->cx->arena, "an array of %s", axes_text(c, rank))
                      : "a number",
                 got->rank ? arena_format(c->cx->arena, "has %d", got->rank) : "is a number");
        if (p) note_at(c->cx, p->at, "declared here");
        return false;
    }
    BaseType t = got->type.base;
    bool fits = want.base == TYPE_BOOL || t == TYPE_BOOL ? want.base == t
                : want.base == TYPE_INT                  ? !type_is_real(got->type)
                : want.base == TYPE_INDEX ? t == TYPE_INDEX || (t == TYPE_INT && rank == 0)
                                          : true;
    if (!fits) {
        error_at(c->cx, x->whole, "%s wants %s here, not %s", call->text,
                 want.base == TYPE_INDEX ? "an index" : type_text(c, want),
                 type_text(c, got->type));
        if (p) note_at(c->cx, p->at, "declared here");
        return false;
    }
    bool good = true;
    for (int k = 0; k < rank; k++)
        good = match_bare(c, call, shape[k], got->shape[k], x->whole, b) && good;
    if (want.base == TYPE_INDEX && t == TYPE_INDEX)
        good = match_bare(c, call, want.target, got->type.target, x->whole, b) && good;
    return good;
}

/* The sizes that a function asks for, asked of the caller's; and a recursion must come down. */
static bool check_sizes(Check *c, const Syn *call, Check *f, const Poly **bind, const Bind *b,
                        Env env) {
    Arena *a = c->cx->arena;
    bool good = true, smaller = false, larger = false;
    for (int k = 0; k < f->unit->dims.n; k++) {
        if (!bind[k]) continue;
        const Dim *dim = &f->unit->dims.at[k];
        const char *name = symbol_text(c->cx, dim->name);
        const Poly *room = poly_sub(a, bind[k], poly_int(a, f == c ? 1 : dim->least));
        if (!check_prove(c, room, env) && (f == c || !check_demand(c, room))) {
            error_at(c->cx, call->at,
                     f == c ? "%s calls itself with %s = %s, which may be less than %lld here"
                            : "%s is called with %s = %s; it must be at least %lld",
                     call->text, name, size_text(c->cx, bind[k]),
                     f == c ? 1LL : (long long)dim->least);
            good = false;
        }
        if (f == c) {
            const Poly *step = poly_sub(a, poly_var(a, dim->name), bind[k]);
            if (check_prove(c, poly_sub(a, step, poly_int(a, 1)), env)) smaller = true;
            else if (!check_prove(c, step, env)) larger = true;
            continue;
        }
        if (!f->must_fix[k] || check_known(c, bind[k], NULL)) continue;
        const uint32_t *vars;
        int n = poly_vars(a, bind[k], &vars);
        for (int v = 0; v < n; v++) {
            const NameInfo *info = check_name(c, vars[v]);
            const Dim *open = info && info->dim ? &c->unit->dims.at[info->dim - 1] : NULL;
            if (!open || open->fixed) continue;
            if (c->unit->is_fn && !open->until) {
                c->must_fix[info->dim - 1] = true;
                continue;
            }
            error_at(c->cx, call->at, "%s calls itself, so its sizes must be fixed; %s is open",
                     f->unit->recursive ? call->text
                                        : arena_format(a, "%s needs a function that", call->text),
                     size_text(c->cx, bind[k]));
            note_at(c->cx, open->at, "declared here");
            return false;
        }
    }
    for (int k = 0; k < f->unit->demands.n && f != c; k++) {
        const Poly *asked = put_bound(c, f->unit->demands.at[k], b);
        if (check_prove(c, asked, env) || check_demand(c, asked)) continue;
        error_at(c->cx, call->at, "%s cannot be called with these sizes: %s would be negative",
                 call->text, size_text(c->cx, asked));
        good = false;
    }
    if (f == c && !f->unit->is_extern && good && (!smaller || larger)) {
        error_at(c->cx, call->at, "%s calls itself with no smaller dimension", call->text);
        good = false;
    }
    return good;
}

static const ExprInfo *check_function_call(Check *c, Syn *e, Check *f, Env env) {
    Arena *a = c->cx->arena;
    Syn *args = e->kid[0];
    Unit *u = f->unit;
    if (f->broken) return NULL;
    if (args->nkids != u->params.n) {
        error_at(c->cx, e->at, "%s takes %d argument%s, not %d", e->text, u->params.n,
                 u->params.n == 1 ? "" : "s", args->nkids);
        note_at(c->cx, u->syn->at, "defined here");
        return NULL;
    }
    Bind b = {0};
    bool good = true;
    const ExprInfo **got = arena_alloc(a, (size_t)(args->nkids + 1) * sizeof *got);
    for (int k = 0; k < args->nkids; k++) {
        const Variable *p = u->params.at[k];
        got[k] = check_expr(c, args->kid[k], env);
        good = got[k] &&
               match_argument(c, e, args->kid[k], got[k], p->rank, (const Poly *const *)p->shape,
                              p->type, p, &b) &&
               good;
    }
    if (!good) return NULL;
    for (int k = 0; k < args->nkids; k++) {
        const Variable *p = u->params.at[k];
        Syn *x = args->kid[k];
        for (int i = 0; i < p->rank; i++)
            good = match_rest(c, e, p->shape[i], got[k]->shape[i], x->whole, p, &b) && good;
        if (p->type.base != TYPE_INDEX) continue;
        const Poly *target = put_bound(c, p->type.target, &b);
        if (!good || (got[k]->rank && check_same(c, got[k]->type.target, target))) continue;
        if (got[k]->rank == 0 && type_fits(c, x, got[k], (SynType){TYPE_INDEX, target}, env))
            continue;
        error_at(c->cx, x->whole,
                 got[k]->type.base == TYPE_INDEX
                     ? "%s wants an index into %s here, not %s"
                     : "%s wants an index into %s here; nothing shows that %s lies in it",
                 e->text, size_text(c->cx, target),
                 got[k]->type.base == TYPE_INDEX ? type_text(c, got[k]->type)
                                                 : source_slice(c->cx, x->whole));
        note_at(c->cx, p->at, "declared here");
        good = false;
    }
    if (!good) return NULL;
    Call *call = arena_alloc(a, sizeof *call);
    call->callee = u;
    call->bind = arena_alloc(a, (size_t)(u->dims.n + 1) * sizeof *call->bind);
    for (int k = 0; k < u->dims.n; k++)
        for (int j = 0; j < b.to.n; j++)
            if (b.to.at[j].var == u->dims.at[k].name) call->bind[k] = b.to.at[j].by;
    e->note = call;
    if (f == c && !u->is_extern) {
        u->recursive = true;
        if (!env.fixed) {
            error_at(c->cx, e->at,
                     "%s calls itself without end: only a side of ?: whose condition is about "
                     "dimensions may do that",
                     e->text);
            return NULL;
        }
    }
    if (!check_sizes(c, e, f, call->bind, &b, env)) return NULL;
    const Variable *r = u->result;
    const Poly **shape = arena_alloc(a, (size_t)(r->rank + 1) * sizeof *shape);
    for (int k = 0; k < r->rank; k++) shape[k] = put_bound(c, r->shape[k], &b);
    SynType t = r->type;
    if (t.base == TYPE_INDEX) t.target = put_bound(c, t.target, &b);
    return typed(c, e, t, r->rank, shape);
}

static const ExprInfo *check_kernel_call(Check *c, Syn *e, const Kernel *kernel, Env env) {
    Arena *a = c->cx->arena;
    Syn *args = e->kid[0];
    if (args->nkids != kernel->nargs) {
        error_at(c->cx, e->at, "%s takes %d argument%s, not %d", e->text, kernel->nargs,
                 kernel->nargs == 1 ? "" : "s", args->nkids);
        return NULL;
    }
    const Poly *n = poly_var(a, c->all->kernel_size), *shape[2] = {n, n};
    Bind b = {0};
    SynType t = {TYPE_INT, NULL};
    bool good = true;
    for (int k = 0; k < args->nkids; k++) {
        const ExprInfo *got = check_expr(c, args->kid[k], env);
        good = got &&
               match_argument(c, e, args->kid[k], got, kernel->rank[k], shape,
                              (SynType){TYPE_REAL, NULL}, NULL, &b) &&
               good;
        if (got) t = type_join(t, got->type);
    }
    if (!good) return NULL;
    const Poly **result = arena_alloc(a, 2 * sizeof *result);
    result[0] = result[1] = b.to.at[0].by;
    return typed(c, e, as_real(t), kernel->result, result);
}

static const ExprInfo *check_call(Check *c, Syn *e, Env env) {
    if (text_is(e, "grad") || text_is(e, "dir")) return check_derivative(c, e, env);
    Op op = op_find(e->text);
    if (op != OP_NONE) return check_scalar_call(c, e, op, env);
    const Kernel *kernel = kernel_find(e->text);
    if (kernel) return check_kernel_call(c, e, kernel, env);
    Check *f = check_callee(c, e->name);
    if (f) return check_function_call(c, e, f, env);
    NameInfo *n = check_name(c, e->name);
    if (is_reduction(e->text)) {
        error_at(c->cx, e->at, "a reduction says its index: %s[i](...)", e->text);
    } else if (text_is(e, "until")) {
        error_at(c->cx, e->at, "until(...) defines a dimension: dim T = until[t](condition, most)");
    } else if (n && n->array) {
        error_at(c->cx, e->at, "'%s' is an array: its indices go in brackets", e->text);
    } else if (!n || !n->refused) {
        VEC(const char *) known = {0};
        for (int k = 0; k < c->all->checks.n; k++)
            if (c->all->checks.at[k]->unit->is_fn)
                VEC_PUSH(c->cx->arena, known, symbol_text(c->cx, c->all->checks.at[k]->unit->name));
        const char *const *tables[] = {op_user_names, kernel_names, reduction_names};
        for (int t = 0; t < 3; t++)
            for (int k = 0; tables[t][k]; k++) VEC_PUSH(c->cx->arena, known, tables[t][k]);
        VEC_PUSH(c->cx->arena, known, "grad");
        VEC_PUSH(c->cx->arena, known, "dir");
        VEC_PUSH(c->cx->arena, known, NULL);
        const LibraryFile *has_it = library_with(e->text);
        error_at(c->cx, e->at, "no function '%s'%s", e->text,
                 has_it ? "" : check_nearest(c, e->text, known.at));
        if (has_it) note_at(c->cx, (Span){0}, "the library has it: use \"%s\";", has_it->name);
        if (n) n->refused = true;
    }
    return NULL;
}

static const ExprInfo *check_entry(Check *c, Syn *e, Env env) {
    const ExprInfo *of = check_call(c, e->kid[0], env);
    const Syn *positions = e->kid[1], *items = positions->kid[0];
    if (positions->kid[1]->kind != SYN_NONE) {
        error_at(c->cx, positions->kid[1]->whole, "a condition belongs in a reduction");
        return NULL;
    }
    if (!of) return NULL;
    const char *name = arena_format(c->cx->arena, "%s(...)", e->kid[0]->text);
    if (items->nkids > of->rank) {
        error_at(c->cx, e->kid[0]->at, "%s has %s, not %d", name, axes_text(c, of->rank),
                 items->nkids);
        return NULL;
    }
    for (int k = 0; k < items->nkids; k++)
        check_position(c, items->kid[k], k, name, of->shape[k], NULL, env);
    return typed(c, e, of->type, of->rank - items->nkids,
                 of->rank > items->nkids ? of->shape + items->nkids : NULL);
}

const ExprInfo *check_expr(Check *c, Syn *e, Env env) {
    switch (e->kind) {
    case SYN_NUMBER: return check_literal(c, e);
    case SYN_NAME: return check_name_read(c, e, env);
    case SYN_AT:
        if (env_find(env, e->name)) {
            error_at(c->cx, e->at, "'%s' is an index: it has no entries", e->text);
            return NULL;
        }
        return check_read(c, e, e->kid[0], env);
    case SYN_CONVERT:
        if (!text_is(e, "int")) {
            error_at(c->cx, e->at, "only int(...) converts; real arithmetic is the default");
            return NULL;
        }
        return check_number(c, e->kid[0], env) ? number_of(c, e, TYPE_INT) : NULL;
    case SYN_OP: return check_op(c, e, env);
    case SYN_REDUCE: return check_reduce(c, e, env);
    case SYN_CALL: return check_call(c, e, env);
    case SYN_ENTRY: return check_entry(c, e, env);
    default: break;
    }
    error_at(c->cx, e->whole, "an expression is wanted here");
    return NULL;
}

/* ---- equations and tables
 * ---------------------------------------------------------------------------------- */

void check_equation(Check *c, Case *s, SynType *found) {
    Variable *v = &s->of->v;
    Env env = case_env(c, s);
    *found = (SynType){TYPE_UNKNOWN, NULL};
    c->current = s;
    Syn *right = s->eq.syn->kid[1];
    const ExprInfo *info = check_expr(c, right, env);
    c->current = NULL;
    if (!info) return;
    if (info->rank) {
        error_at(c->cx, right->whole,
                 "%s is an array [%s] where one entry is wanted: write its indices",
                 source_slice(c->cx, right->whole), shape_text(c, info->rank, info->shape));
        return;
    }
    if (s->of->typed && !type_fits(c, right, info, v->type, env)) {
        error_at(c->cx, right->whole, "this is %s, but '%s' is %s%s", type_text(c, info->type),
                 symbol_text(c->cx, v->name), type_text(c, v->type),
                 v->type.base == TYPE_INT && type_is_real(info->type) ? "; write int(...)"
                 : v->type.base == TYPE_INDEX && info->type.base == TYPE_INT
                     ? ", and nothing shows that it lies in that range"
                     : "");
        note_at(c->cx, v->at, "declared here");
        return;
    }
    *found = info->type;
}

static bool check_constant(Check *c, const Syn *e) {
    const NameInfo *n = e->kind == SYN_NAME ? check_name(c, e->name) : NULL;
    if (e->kind == SYN_NUMBER || (e->kind == SYN_NAME && e->name == c->all->pi && !(n && n->array)))
        return true;
    if (n && n->dim && check_known(c, c->unit->dims.at[n->dim - 1].means, NULL)) return true;
    if (e->kind != SYN_OP ||
        !(text_is(e, "neg") || (e->nkids == 2 && strchr("+-*/^", e->text[0])))) {
        error_at(c->cx, e->whole,
                 "a const is made of numbers, pi and fixed dimensions, with + - * / ^");
        return false;
    }
    for (int k = 0; k < e->nkids; k++)
        if (!check_constant(c, e->kid[k])) return false;
    return true;
}

/* False after a mistake of shape: the rest would only repeat it. */
static bool check_values(Check *c, const Value *a, Syn *value, int axis) {
    const Variable *v = &a->v;
    const char *name = symbol_text(c->cx, v->name);
    if (value->kind == SYN_VALUES) {
        if (axis == v->rank) {
            error_at(c->cx, value->whole, "a list where %s wants one number", name);
            note_at(c->cx, v->at, "declared here");
            return false;
        }
        int64_t want;
        if (!check_known(c, v->shape[axis], &want)) return false; /* refused with the declaration */
        if (value->nkids != want) {
            error_at(c->cx, value->whole, "%d value%s where %s has %lld", value->nkids,
                     value->nkids == 1 ? "" : "s", name, (long long)want);
            note_at(c->cx, v->at, "declared here");
            return false;
        }
        for (int k = 0; k < value->nkids; k++)
            if (!check_values(c, a, value->kid[k], axis + 1)) return false;
        return true;
    }
    if (axis < v->rank) {
        int more = v->rank - axis;
        error_at(c->cx, value->whole, "%s has %d more ax%s than this value", name, more,
                 more == 1 ? "is" : "es");
        note_at(c->cx, v->at, "declared here");
        return false;
    }
    if (!check_constant(c, value)) return true;
    const ExprInfo *info = check_expr(c, value, (Env){0});
    if (!info || type_fits(c, value, info, v->type, (Env){0})) return true;
    if (v->type.base == TYPE_INDEX && info->type.base == TYPE_INT) {
        const Poly *p = check_poly(c, value, NULL);
        c->trouble = NULL;
        const Poly *one = poly_int(c->cx->arena, 1);
        const Poly *room =
            p ? poly_sub(c->cx->arena, poly_sub(c->cx->arena, v->type.target, one), p) : NULL;
        if (p && check_prove(c, p, (Env){0}) && check_demand_size(c, room)) return true;
        error_at(c->cx, value->whole, "this is no index into %s", size_text(c->cx, v->type.target));
    } else {
        error_at(c->cx, value->whole, "this is %s, but '%s' is %s", type_text(c, info->type), name,
                 type_text(c, v->type));
    }
    note_at(c->cx, v->at, "declared here");
    return true;
}

void check_constants(Check *c, Value *a) {
    if (a->v.value && a->sized) check_values(c, a, (Syn *)a->v.value, 0);
}

/* ---- differentiability
 * ------------------------------------------------------------------------------------- */

typedef struct Reach { /* a set of arrays, in order of discovery */
    bool *in;
    VEC(int) at;
} Reach;

static Reach reach_new(Check *c) {
    return (Reach){arena_alloc(c->cx->arena, (size_t)(c->arrays.n + 1) * sizeof(bool)), {0}};
}

static void reach_add(Check *c, Reach *r, const Syn *name) {
    const NameInfo *n = check_name(c, name->name);
    if (!n || !n->array || r->in[n->array->number]) return;
    r->in[n->array->number] = true;
    VEC_PUSH(c->cx->arena, r->at, n->array->number);
}

/* What e depends on smoothly: not through positions, conditions, int(), argmax, or operations that
 * are flat. */
static void add_flows(Check *c, const Syn *e, Reach *r) {
    switch (e->kind) {
    case SYN_NAME:
    case SYN_AT: reach_add(c, r, e); return;
    case SYN_ENTRY: add_flows(c, e->kid[0], r); return;
    case SYN_REDUCE:
        if (!text_is(e, "argmax") && !text_is(e, "argmin") && e->kid[1]->nkids)
            add_flows(c, e->kid[1]->kid[0], r);
        return;
    case SYN_OP:
        if (strchr("<>=!&|", e->text[0])) return;
        for (int k = e->nkids == 3; k < e->nkids; k++) add_flows(c, e->kid[k], r);
        return;
    case SYN_CALL: {
        Op op = op_find(e->text);
        if (op != OP_NONE && op_info[op].flat) return;
        const Check *f = op == OP_NONE ? check_callee(c, e->name) : NULL;
        for (int k = 0; k < e->kid[0]->nkids; k++) {
            if (f && f != c && f->carries && k < f->unit->params.n && !f->carries[k]) continue;
            add_flows(c, e->kid[0]->kid[k], r);
        }
        return;
    }
    default: return;
    }
}

static void add_all(Check *c, const Syn *e, Reach *r) {
    if (e->kind == SYN_NAME || e->kind == SYN_AT) reach_add(c, r, e);
    for (int k = 0; k < e->nkids; k++) add_all(c, e->kid[k], r);
}

static void close_reach(Check *c, Reach *r, bool all) {
    for (int next = 0; next < r->at.n; next++) {
        const Value *a = c->arrays.at[r->at.at[next]];
        for (int k = 0; k < a->cases.n; k++) {
            const Syn *right = a->cases.at[k]->eq.syn->kid[1];
            if (all) add_all(c, right, r);
            else add_flows(c, right, r);
        }
        if (c->unit->is_fn && a->v.role == ROLE_RESULT)
            for (int k = 0; k < c->body->nkids; k++)
                if (c->body->kid[k]->kind == SYN_PARTIAL) reach_add(c, r, c->body->kid[k]->kid[1]);
    }
}

static const Syn *find_read(const Syn *e, Symbol name, Span not ) {
    if ((e->kind == SYN_NAME || e->kind == SYN_AT) && e->name == name &&
        (e->at.start != not .start || e->at.file != not .file))
        return e;
    for (int k = 0; k < e->nkids; k++) {
        const Syn *found = find_read(e->kid[k], name, not );
        if (found) return found;
    }
    return NULL;
}

void check_smooth(Check *c, const Syn *e, Value *x, Span at, const bool **known) {
    const bool *in = known ? *known : NULL;
    if (!in) {
        Reach smooth = reach_new(c);
        add_flows(c, e, &smooth);
        close_reach(c, &smooth, false);
        in = smooth.in;
    }
    if (known) *known = in;
    if (in[x->number]) return;
    Reach all = reach_new(c);
    add_all(c, e, &all);
    close_reach(c, &all, true);
    const char *name = symbol_text(c->cx, x->v.name);
    if (!all.in[x->number]) {
        error_at(c->cx, at, "this does not depend on '%s'", name);
        return;
    }
    error_at(c->cx, at,
             "'%s' enters only through a position, a condition, int(...) or argmax: the derivative "
             "is zero everywhere",
             name);
    const Syn *here = find_read(e, x->v.name, at);
    for (int k = 0; k < all.at.n && !here; k++) {
        const Value *a = c->arrays.at[all.at.at[k]];
        for (int i = 0; i < a->cases.n && !here; i++)
            here = find_read(a->cases.at[i]->eq.syn->kid[1], x->v.name, at);
    }
    if (here) note_at(c->cx, here->at, "here");
}

/* Which arguments of a function reach its result smoothly: asked by every call. */
void check_carries(Check *c) {
    const Unit *u = c->unit;
    const NameInfo *n = u->result ? check_name(c, u->result->name) : NULL;
    c->carries = arena_alloc(c->cx->arena, (size_t)(u->params.n + 1) * sizeof *c->carries);
    if (!n || !n->array) return;
    Reach r = reach_new(c);
    r.in[n->array->number] = true;
    VEC_PUSH(c->cx->arena, r.at, n->array->number);
    close_reach(c, &r, false);
    for (int k = 0; k < u->params.n; k++)
        c->carries[k] = r.in[((const Value *)u->params.at[k])->number];
}
