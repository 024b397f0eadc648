/* check_ranges: positions as polynomials, what conditions say about them, the range of every index
 * on the left, the shape of what is not declared, and whether the cases of an array cover it once.
 * In: a unit whose names are collected and whose dependencies are known. Out: shapes, ranges, lows;
 * messages where nothing or two things fix a range. */
#include "check.h"
#include "kernel.h"
#include <string.h>

/* ---- what is known at a place
 * ------------------------------------------------------------------------------ */

Env env_fact(Check *c, Env env, const Poly *fact) {
    Known *known = arena_alloc(c->cx->arena, sizeof *known);
    *known = (Known){env.known, fact};
    env.known = known;
    return env;
}

/* The index and its range, both ends included. */
Env env_index(Check *c, Env env, IndexRange index, const Poly *lo, const Poly *hi) {
    Arena *a = c->cx->arena;
    Frame *scope = arena_alloc(a, sizeof *scope);
    *scope = (Frame){env.scope, index};
    env.scope = scope;
    const Poly *i = poly_var(a, index.name);
    env = env_fact(c, env, poly_sub(a, i, lo));
    return env_fact(c, env, poly_sub(a, hi, i));
}

const IndexRange *env_find(Env env, Symbol name) {
    for (const Frame *s = env.scope; s; s = s->up)
        if (s->index.name == name) return &s->index;
    return NULL;
}

/* ---- polynomials of expressions
 * ---------------------------------------------------------------------------- */

static const Poly *troubled(Check *c, const Syn *e, const char *why) {
    if (!c->trouble) {
        c->trouble = why;
        c->trouble_at = e;
    }
    return NULL;
}

static const Poly *put_fixed(Check *c, const Poly *p) {
    return poly_subst_all(c->cx->arena, p, c->nfixed, c->fixed, c->fixed_by);
}

bool check_whole(Check *c, const Poly *p) {
    return poly_whole(c->cx->arena, put_fixed(c, p));
}

static const Poly *poly_of(Check *c, const Syn *e, const Frame *scope) {
    Arena *a = c->cx->arena;
    if (e->kind == SYN_NUMBER) {
        int64_t value = 0;
        for (const char *s = e->text; *s; s++) {
            if (*s < '0' || *s > '9') return NULL;
            if (value > (INT64_MAX - 9) / 10)
                return troubled(c, e, "this number is too large for a size or a position");
            value = value * 10 + (*s - '0');
        }
        return poly_int(a, value);
    }
    if (e->kind == SYN_NAME) {
        if (env_find((Env){scope, NULL, false}, e->name)) return poly_var(a, e->name);
        const NameInfo *n = check_name(c, e->name);
        return n && n->dim ? c->unit->dims.at[n->dim - 1].means : NULL;
    }
    if (e->kind != SYN_OP || e->nkids > 2) return NULL;
    const Poly *x = poly_of(c, e->kid[0], scope),
               *y = e->nkids == 2 ? poly_of(c, e->kid[1], scope) : NULL, *r = NULL;
    if (!x || (e->nkids == 2 && !y)) return NULL;
    int64_t num, den;
    if (!strcmp(e->text, "neg")) {
        r = poly_neg(a, x);
    } else if (!y) {
        return NULL;
    } else if (!strcmp(e->text, "+")) {
        r = poly_add(a, x, y);
    } else if (!strcmp(e->text, "-")) {
        r = poly_sub(a, x, y);
    } else if (!strcmp(e->text, "*")) {
        r = poly_mul(a, x, y);
    } else if (!strcmp(e->text, "^")) {
        if (!poly_is_int(y, &num) || num < 0 || num > 8) return NULL;
        for (r = poly_int(a, 1); num > 0; num--) r = poly_mul(a, r, x);
    } else if (!strcmp(e->text, "/")) {
        if (!poly_is_number(put_fixed(c, y), &num, &den)) return NULL;
        if (num == 0) return troubled(c, e, "this divides by zero");
        r = poly_scale(a, x, den, num);
        /* Each quotient on its own: so every intermediate value is whole, also in C. */
        if (poly_is_known(r) && !check_whole(c, r))
            return troubled(
                c, e,
                arena_format(a, "must be whole: %s is not for every value", size_text(c->cx, r)));
    } else {
        return NULL;
    }
    if (!poly_is_known(r)) return troubled(c, e, "this is too large to compute with");
    return r;
}

const Poly *check_poly(Check *c, const Syn *e, const Frame *scope) {
    c->trouble = NULL;
    return poly_of(c, e, scope);
}

static bool say_trouble(Check *c, const char *what) {
    if (!c->trouble) return false;
    bool quotient = !strncmp(c->trouble, "must", 4);
    error_at(c->cx, c->trouble_at->whole, "%s%s%s%s", quotient ? "the quotient in a " : "",
             quotient ? what : "", quotient ? " " : "", c->trouble);
    c->trouble = NULL;
    return true;
}

bool check_trouble(Check *c) {
    return say_trouble(c, "position");
}

/* The first name in a size that is no dimension: that is the mistake. */
static const Syn *not_a_dimension(Check *c, const Syn *e) {
    if (e->kind != SYN_NAME && e->kind != SYN_OP && e->kind != SYN_NUMBER) return e;
    if (e->kind == SYN_NAME) {
        const NameInfo *n = check_name(c, e->name);
        return n && n->dim ? NULL : e;
    }
    for (int k = 0; k < e->nkids; k++) {
        const Syn *found = not_a_dimension(c, e->kid[k]);
        if (found) return found;
    }
    return NULL;
}

const Poly *check_size(Check *c, const Syn *e) {
    const Poly *p = check_poly(c, e, NULL);
    int64_t value;
    if (p) {
        if (poly_is_number(put_fixed(c, p), &value, NULL) && value < 1) {
            error_at(c->cx, e->whole, "a size is at least 1; this is %s",
                     size_text(c->cx, put_fixed(c, p)));
            return NULL;
        }
        return p;
    }
    if (say_trouble(c, "size")) return NULL;
    const Syn *wrong = not_a_dimension(c, e);
    if (!wrong || wrong->kind != SYN_NAME) {
        error_at(c->cx, wrong ? wrong->whole : e->whole,
                 "a size is made of dimensions and numbers");
        return NULL;
    }
    const NameInfo *n = check_name(c, wrong->name);
    if (n && n->refused) return NULL;
    if (n && n->array) {
        error_at(c->cx, wrong->at, "a size is made of dimensions and numbers; '%s' is a value",
                 wrong->text);
        note_at(c->cx, n->array->v.at, "%s", origin_text(&n->array->v));
    } else {
        error_at(c->cx, wrong->at,
                 "a size is made of dimensions and numbers; '%s' is no dimension%s", wrong->text,
                 check_near(c, wrong->text, NEAR_DIMS, NULL));
    }
    return NULL;
}

bool check_known(Check *c, const Poly *p, int64_t *value) {
    return poly_is_int(put_fixed(c, p), value);
}

/* A bare number fits any dimension of that size; otherwise two names are two things. */
bool check_same(Check *c, const Poly *x, const Poly *y) {
    if (poly_equal(x, y)) return true;
    int64_t s, t;
    if (!poly_is_number(x, NULL, NULL) && !poly_is_number(y, NULL, NULL)) return false;
    return check_known(c, x, &s) && check_known(c, y, &t) && s == t;
}

/* T and T + 1 are one family; a number goes with anything of known size. */
bool check_family(Check *c, const Poly *x, const Poly *y) {
    bool xn = poly_is_number(x, NULL, NULL), yn = poly_is_number(y, NULL, NULL);
    if (xn == yn && poly_is_number(poly_sub(c->cx->arena, x, y), NULL, NULL)) return true;
    return (xn || yn) && check_known(c, x, NULL) && check_known(c, y, NULL);
}

/* ---- proofs
 * ------------------------------------------------------------------------------------------------
 */

static bool is_index(const void *user, uint32_t var) {
    const Check *c = user;
    return var >= c->nnames || !c->names[var].dim;
}

bool check_prove(Check *c, const Poly *p, Env env) {
    Arena *a = c->cx->arena;
    p = put_fixed(c, p);
    int64_t num;
    if (poly_is_number(p, &num, NULL) && num >= 0) return true;
    VEC(const Poly *) facts = {0};
    for (const Known *k = env.known; k; k = k->up) VEC_PUSH(a, facts, put_fixed(c, k->fact));
    for (int d = 0; d < c->unit->dims.n; d++) {
        const Dim *dim = &c->unit->dims.at[d];
        if (dim->least > 1)
            VEC_PUSH(a, facts, poly_sub(a, poly_var(a, dim->name), poly_int(a, dim->least)));
    }
    return poly_prove(a, p, facts.at, facts.n, is_index, c);
}

/* p >= 0 as a least size of the one open dimension in it. */
bool check_demand_size(Check *c, const Poly *p) {
    Arena *a = c->cx->arena;
    p = put_fixed(c, p);
    const uint32_t *vars;
    const Poly *rest;
    int64_t num, den;
    if (poly_vars(a, p, &vars) != 1 || !poly_linear(a, p, vars[0], &num, &den, &rest) || num <= 0)
        return false;
    const NameInfo *n = check_name(c, vars[0]);
    if (!n || !n->dim || !poly_is_number(poly_scale(a, rest, -den, num), &num, &den)) return false;
    int64_t least = num / den + (num % den > 0);
    Dim *dim = &c->unit->dims.at[n->dim - 1];
    if (least > dim->least) dim->least = least;
    return true;
}

bool check_demand(Check *c, const Poly *p) {
    Arena *a = c->cx->arena;
    int64_t num;
    if (check_prove(c, p, (Env){0})) return true;
    if (!poly_is_known(p) || poly_is_number(put_fixed(c, p), &num, NULL)) return false;
    if (check_demand_size(c, p)) return true;
    const uint32_t *vars;
    int n = poly_vars(a, p, &vars);
    for (int k = 0; k < n; k++) {
        const NameInfo *info = check_name(c, vars[k]);
        if (!info || !info->dim || c->unit->dims.at[info->dim - 1].until)
            return true; /* known only when it runs */
    }
    for (int k = 0; k < c->unit->demands.n; k++)
        if (poly_equal(c->unit->demands.at[k], p)) return true;
    VEC_PUSH(a, c->unit->demands, p);
    return true;
}

/* ---- conditions as facts
 * ----------------------------------------------------------------------------------- */

static bool has_quotient(const Syn *e) {
    if (e->kind == SYN_OP && !strcmp(e->text, "/")) return true;
    for (int k = 0; k < e->nkids; k++)
        if (has_quotient(e->kid[k])) return true;
    return false;
}

Env env_condition(Check *c, Env env, const Syn *e, bool yes) {
    if (e->kind != SYN_OP) return env;
    if (!strcmp(e->text, "!")) return env_condition(c, env, e->kid[0], !yes);
    if (!strcmp(e->text, "&&") || !strcmp(e->text, "||")) {
        if ((e->text[0] == '&') != yes) return env;
        return env_condition(c, env_condition(c, env, e->kid[0], yes), e->kid[1], yes);
    }
    static const char *const op[] = {"<", ">", "<=", ">=", "==", "!="}, *const opposite[] = {
                                                                            ">=", "<=", ">",
                                                                            "<",  "!=", "=="};
    int k = 0;
    while (k < 6 && strcmp(e->text, op[k])) k++;
    /* A quotient in a condition is rounded: it says nothing that is exact. */
    if (k == 6 || has_quotient(e)) return env;
    const Poly *x = check_poly(c, e->kid[0], env.scope),
               *y = x ? check_poly(c, e->kid[1], env.scope) : NULL;
    if (!x || !y) return env;
    Arena *a = c->cx->arena;
    const Poly *up = poly_sub(a, y, x), *down = poly_sub(a, x, y), *one = poly_int(a, 1);
    const char *is = yes ? op[k] : opposite[k];
    if (!strcmp(is, "<")) return env_fact(c, env, poly_sub(a, up, one));
    if (!strcmp(is, ">")) return env_fact(c, env, poly_sub(a, down, one));
    if (!strcmp(is, "<=")) return env_fact(c, env, up);
    if (!strcmp(is, ">=")) return env_fact(c, env, down);
    if (!strcmp(is, "==")) return env_fact(c, env_fact(c, env, up), down);
    /* Different, and known to be on one side: then beyond it. */
    if (check_prove(c, up, env)) return env_fact(c, env, poly_sub(a, up, one));
    if (check_prove(c, down, env)) return env_fact(c, env, poly_sub(a, down, one));
    return env;
}

/* ---- where an index stands
 * --------------------------------------------------------------------------------- */

/* Is e the index `name` plus a number? */
static bool shift_of(Check *c, const Syn *e, Symbol name, int64_t *shift) {
    if (!syn_mentions(e, name)) return false;
    Frame scope = {NULL, {name, NULL, HOW_USE, e->at}};
    const Poly *p = check_poly(c, e, &scope);
    c->trouble = NULL; /* said where the position is checked */
    return p && poly_has(p, name) &&
           poly_is_int(poly_sub(c->cx->arena, p, poly_var(c->cx->arena, name)), shift);
}

/* The shape of an expression as far as it is known before ranges are; false: not known, or nothing
 * sensible. */
bool check_rank_shape(Check *c, const Syn *e, int *rank, const Poly *const **shape) {
    Arena *a = c->cx->arena;
    *rank = 0;
    *shape = NULL;
    if (e->kind == SYN_NAME || e->kind == SYN_AT) {
        const NameInfo *n = check_name(c, e->name);
        if (!n || !n->array) return true;
        if (!n->array->sized) return false;
        int taken = e->kind == SYN_AT ? e->kid[0]->kid[0]->nkids : 0;
        *rank = n->array->v.rank > taken ? n->array->v.rank - taken : 0;
        *shape = *rank ? (const Poly *const *)n->array->v.shape + taken : NULL;
        return true;
    }
    if (e->kind == SYN_ENTRY) {
        if (!check_rank_shape(c, e->kid[0], rank, shape)) return false;
        int taken = e->kid[1]->kid[0]->nkids;
        *rank = *rank > taken ? *rank - taken : 0;
        *shape = *rank ? *shape + taken : NULL;
        return true;
    }
    if (e->kind != SYN_CALL) return true;
    const Syn *args = e->kid[0];
    if (!strcmp(e->text, "grad"))
        return args->nkids < 2 || check_rank_shape(c, args->kid[1], rank, shape);
    const Kernel *kernel = kernel_find(e->text);
    const Check *f = check_callee(c, e->name);
    if (kernel) {
        int r;
        const Poly *const *s;
        if (!check_rank_shape(c, args->kid[0], &r, &s)) return false;
        if (r < 1) return true;
        const Poly **both = arena_alloc(a, 2 * sizeof *both);
        both[0] = both[1] = s[0];
        *rank = kernel->result;
        *shape = both;
        return true;
    }
    if (!f || !f->unit->result) return true;
    VEC(uint32_t) var = {0};
    VEC(const Poly *) by = {0};
    for (int k = 0; k < args->nkids && k < f->unit->params.n; k++) {
        const Variable *p = f->unit->params.at[k];
        int r;
        const Poly *const *s;
        if (!check_rank_shape(c, args->kid[k], &r, &s)) return false;
        for (int i = 0; i < r && i < p->rank; i++)
            if (p->shape[i]->n == 1 &&
                poly_equal(
                    p->shape[i],
                    poly_var(a, p->shape[i]->term[0].nvars ? p->shape[i]->term[0].var[0] : 0))) {
                VEC_PUSH(a, var, p->shape[i]->term[0].var[0]);
                VEC_PUSH(a, by, s[i]);
            }
        const NameInfo *n = args->kid[k]->kind == SYN_NAME || args->kid[k]->kind == SYN_AT
                                ? check_name(c, args->kid[k]->name)
                                : NULL;
        if (p->type.base == TYPE_INDEX && n && n->array && n->array->v.type.base == TYPE_INDEX &&
            p->type.target->n == 1 && p->type.target->term[0].nvars == 1) {
            VEC_PUSH(a, var, p->type.target->term[0].var[0]);
            VEC_PUSH(a, by, n->array->v.type.target);
        }
    }
    const Variable *result = f->unit->result;
    const Poly **out = arena_alloc(a, (size_t)(result->rank + 1) * sizeof *out);
    for (int k = 0; k < result->rank; k++) {
        if (!result->shape[k]) return false; /* that size is a mistake of its own */
        out[k] = poly_subst_all(a, result->shape[k], var.n, var.at, by.at);
    }
    *rank = result->rank;
    *shape = out;
    return true;
}

static void add_use(Check *c, const Syn *at, Symbol name, const Poly *extent, Uses *uses) {
    int64_t shift;
    if (shift_of(c, at, name, &shift)) VEC_PUSH(c->cx->arena, uses->at, (Use){shift, extent, at});
}

void check_uses(Check *c, const Syn *body, Symbol name, Uses *uses) {
    const Syn *read = NULL, *positions = NULL;
    if (body->kind == SYN_AT) {
        const NameInfo *n = check_name(c, body->name);
        if (n && n->array) read = body;
        positions = body->kid[0];
    } else if (body->kind == SYN_ENTRY) {
        read = body->kid[0];
        positions = body->kid[1];
    }
    int rank;
    const Poly *const *shape;
    if (read && body->kind == SYN_AT) {
        const Value *a = check_name(c, body->name)->array;
        if (!a->sized) read = NULL;
        rank = a->v.rank;
        shape = (const Poly *const *)a->v.shape;
    } else if (read && !check_rank_shape(c, read, &rank, &shape)) {
        read = NULL;
    }
    if (read) {
        const Syn *items = positions->kid[0];
        for (int k = 0; k < items->nkids && k < rank; k++) {
            const Syn *p = items->kid[k];
            add_use(c, p, name, shape[k], uses);
            if (p->kind == SYN_OP && p->nkids == 3)
                for (int side = 1; side < 3; side++) add_use(c, p->kid[side], name, shape[k], uses);
        }
    }
    for (int k = 0; k < body->nkids; k++) check_uses(c, body->kid[k], name, uses);
}

/* ---- ranges of the left's indices
 * -------------------------------------------------------------------------- */

static const char left_rule[] =
    "a position on the left is an index, an index plus or minus a number, or a size";

/* The names in a left position that are no dimension: how many, and the first; an array read in it
 * is refused. */
static bool free_names(Check *c, const Syn *e, const Syn **first, int *count) {
    if (e->kind == SYN_NAME) {
        const NameInfo *n = check_name(c, e->name);
        if (n && n->dim) return true;
        if (n && n->array) {
            error_at(c->cx, e->at, "'%s' is not an index here: it names a value", e->text);
            note_at(c->cx, n->array->v.at, "%s", origin_text(&n->array->v));
            return false;
        }
        if (!*first) *first = e;
        ++*count;
        return true;
    }
    if (e->kind != SYN_OP && e->kind != SYN_NUMBER) {
        error_at(c->cx, e->at, "%s", left_rule);
        return false;
    }
    for (int k = 0; k < e->nkids; k++)
        if (!free_names(c, e->kid[k], first, count)) return false;
    return true;
}

static bool read_position(Check *c, const Syn *item, Left *left) {
    *left = (Left){.syn = item};
    if (item->kind == SYN_IN) {
        left->said = check_size(c, item->kid[1]);
        left->syn = item->kid[0];
        if (!left->said) return false;
    }
    const Syn *e = left->syn, *name = NULL;
    int count = 0;
    if (!free_names(c, e, &name, &count)) return false;
    if (count == 0) {
        left->place = check_poly(c, e, NULL);
        if (check_trouble(c)) return false;
        if (!left->place) error_at(c->cx, e->whole, "%s", left_rule);
        if (left->place && left->said) {
            error_at(c->cx, item->whole, "only an index has a range; %s is one place",
                     source_slice(c->cx, e->whole));
            return false;
        }
        return left->place != NULL;
    }
    left->is_index = true;
    left->name = name->name;
    if (count > 1 || !shift_of(c, e, left->name, &left->shift)) {
        error_at(c->cx, e->whole, "%s", left_rule);
        return false;
    }
    return true;
}

/* Reads the left side; false when it is refused. */
static bool read_left(Check *c, Case *s) {
    const Syn *left = s->eq.syn->kid[0];
    if (left->kind != SYN_AT) return true;
    const Syn *items = left->kid[0]->kid[0], *where = left->kid[0]->kid[1];
    if (where->kind != SYN_NONE) {
        error_at(c->cx, where->whole,
                 "a condition belongs in a reduction, or write cond ? a : b on the right");
        return false;
    }
    if (items->nkids > 32) {
        error_at(c->cx, left->at, "'%s' has %d axes; 32 are the most", left->text, items->nkids);
        return false;
    }
    s->left = arena_alloc(c->cx->arena, (size_t)items->nkids * sizeof *s->left);
    bool good = true;
    for (int k = 0; k < items->nkids; k++) {
        if (!read_position(c, items->kid[k], &s->left[k])) {
            good = false;
            continue;
        }
        for (int j = 0; j < k && s->left[k].is_index; j++)
            if (s->left[j].is_index && s->left[j].name == s->left[k].name) {
                error_at(c->cx, s->left[k].syn->whole,
                         "the index '%s' stands twice on the left; write a condition on the right",
                         symbol_text(c->cx, s->left[k].name));
                note_at(c->cx, s->left[j].syn->whole, "first here");
                good = false;
            }
    }
    s->n = items->nkids;
    return good;
}

static bool same_rank(Check *c, Case *s) {
    Value *a = s->of;
    if (a->sized && s->n != a->v.rank) {
        error_at(c->cx, s->eq.syn->kid[0]->at, "%s has %s, not %d", symbol_text(c->cx, a->v.name),
                 axes_text(c, a->v.rank), s->n);
        note_at(c->cx, a->v.at, "declared here");
        return false;
    }
    for (int k = 0; k < a->cases.n && a->cases.at[k] != s; k++) {
        const Case *other = a->cases.at[k];
        if (other->broken || other->n == s->n) continue;
        error_at(c->cx, s->eq.syn->kid[0]->at, "%s has %s here", symbol_text(c->cx, a->v.name),
                 axes_text(c, s->n));
        note_at(c->cx, other->eq.syn->kid[0]->at, "and %d here", other->n);
        return false;
    }
    return true;
}

typedef VEC(Case *) Cases;
typedef struct Settled { /* decided in one round, entered after it */
    Left *left;
    const Poly *lo, *hi; /* of the index */
    IndexRange index;
} Settled;

/* One round over what is still open, in three stages of readiness: by what is said or declared; by
 * bare uses on the right; by the left expression itself. True if something moved. */
static bool settle(Check *c, const Cases *todo, int stage) {
    Arena *a = c->cx->arena;
    VEC(Settled) found = {0};
    bool moved = false;
    const Poly *one = poly_int(a, 1);
    for (int i = 0; i < todo->n; i++) {
        Case *s = todo->at[i];
        for (int k = 0; k < s->n; k++) {
            Left *l = &s->left[k];
            if (l->settled) continue;
            if (!l->is_index) {
                l->lo = l->hi = l->place;
                l->settled = moved = true;
                continue;
            }
            const Poly *lo = poly_int(a, l->shift < 0 ? -l->shift : 0);
            const Poly *ahead = poly_int(a, l->shift > 0 ? l->shift : 0);
            const Poly *extent = s->of->sized  ? s->of->v.shape[k]
                                 : s->of->axis ? s->of->axis[k]
                                               : NULL;
            if (l->said) {
                IndexRange index = {l->name, l->said, HOW_SAID_LEFT, l->syn->whole};
                VEC_PUSH(a, found, (Settled){l, lo, poly_sub(a, l->said, one), index});
            } else if (extent) {
                IndexRange index = {l->name, extent, HOW_LEFT, l->syn->whole};
                VEC_PUSH(a, found,
                         (Settled){l, lo, poly_sub(a, poly_sub(a, extent, one), ahead), index});
            } else if (stage > 0) {
                Uses uses = {0};
                check_uses(c, s->eq.syn->kid[1], l->name, &uses);
                const Use *bare = NULL, *whole = NULL;
                for (int u = 0; u < uses.at.n; u++) {
                    const Use *x = &uses.at.at[u];
                    if (x->shift == l->shift && !whole) whole = x;
                    if (x->shift) continue;
                    /* Of one family the shortest. */
                    if (!bare || (!poly_equal(x->extent, bare->extent) &&
                                  check_family(c, x->extent, bare->extent) &&
                                  check_prove(c, poly_sub(a, bare->extent, x->extent), (Env){0})))
                        bare = x;
                }
                if (bare) {
                    IndexRange index = {l->name, bare->extent, HOW_BARE, bare->at->whole};
                    VEC_PUSH(a, found, (Settled){l, lo, poly_sub(a, bare->extent, one), index});
                } else if (stage > 1 && whole) {
                    IndexRange index = {l->name, whole->extent, HOW_LEFT, whole->at->whole};
                    const Poly *last =
                        poly_sub(a, poly_sub(a, whole->extent, one), poly_int(a, l->shift));
                    VEC_PUSH(a, found, (Settled){l, lo, last, index});
                }
            }
        }
    }
    for (int i = 0; i < found.n; i++) {
        Left *l = found.at[i].left;
        l->lo = poly_add(a, found.at[i].lo, poly_int(a, l->shift));
        l->hi = poly_add(a, found.at[i].hi, poly_int(a, l->shift));
        l->index = found.at[i].index;
        l->settled = true;
    }
    return moved || found.n > 0;
}

/* The axes of an undeclared array that its settled cases now fix: it ends after the last entry
 * defined. */
static bool grow(Check *c, Value *a) {
    Arena *arena = c->cx->arena;
    const Case *first = NULL;
    for (int i = 0; i < a->cases.n && !first; i++)
        if (!a->cases.at[i]->broken) first = a->cases.at[i];
    if (a->sized || !first) return false;
    if (!a->axis) a->axis = arena_alloc(arena, (size_t)(first->n + 1) * sizeof *a->axis);
    bool grew = false;
    int known = 0;
    for (int k = 0; k < first->n; k++) {
        if (a->axis[k]) {
            known++;
            continue;
        }
        bool full = true, by_index = false;
        const Poly *top = NULL;
        for (int i = 0; i < a->cases.n; i++) {
            const Case *s = a->cases.at[i];
            if (s->broken) continue;
            if (!s->left[k].settled) {
                full = false;
                continue;
            }
            by_index = by_index || s->left[k].is_index;
            if (!top || check_prove(c, poly_sub(arena, s->left[k].hi, top), (Env){0}))
                top = s->left[k].hi;
        }
        if (!top || (!full && !by_index)) continue;
        a->axis[k] = poly_add(arena, top, poly_int(arena, 1));
        grew = true;
        known++;
    }
    if (known == first->n) {
        a->v.rank = known;
        a->v.shape = a->axis;
        a->sized = true;
        grew = true;
    }
    return grew;
}

Env case_env(Check *c, const Case *s) {
    Arena *a = c->cx->arena;
    Env env = {0};
    for (int k = 0; k < s->n; k++) {
        const Left *l = &s->left[k];
        const Poly *shift = poly_int(a, l->shift);
        if (l->is_index)
            env = env_index(c, env, l->index, poly_sub(a, l->lo, shift), poly_sub(a, l->hi, shift));
    }
    return env;
}

static void publish(Check *c, Case *s) {
    s->eq.n = s->n;
    s->eq.position = arena_alloc(c->cx->arena, (size_t)(s->n + 1) * sizeof *s->eq.position);
    s->position = arena_alloc(c->cx->arena, (size_t)(s->n + 1) * sizeof *s->position);
    for (int k = 0; k < s->n; k++) {
        const Left *l = &s->left[k];
        s->eq.position[k] = (LeftPosition){l->is_index ? l->name : 0,
                                           l->shift,
                                           l->lo,
                                           l->hi,
                                           l->is_index ? l->index.extent : NULL,
                                           l->syn->whole};
        s->position[k] = l->is_index ? poly_add(c->cx->arena, poly_var(c->cx->arena, l->name),
                                                poly_int(c->cx->arena, l->shift))
                                     : l->place;
    }
}

void check_ranges(Check *c) {
    Unit *u = c->unit;
    for (int g = 0; g < u->groups.n; g++) {
        const Group *group = &u->groups.at[g];
        Cases todo = {0};
        for (int m = 0; m < group->members.n; m++) {
            Value *a = (Value *)group->members.at[m];
            for (int i = 0; i < a->cases.n; i++) {
                Case *s = a->cases.at[i];
                s->broken = !read_left(c, s) || !same_rank(c, s);
                if (s->broken) a->broken = true;
                else VEC_PUSH(c->cx->arena, todo, s);
            }
        }
        for (int stage = 0; stage < 3;) {
            bool moved = settle(c, &todo, stage);
            for (int m = 0; m < group->members.n; m++) {
                Value *a = (Value *)group->members.at[m];
                if (grow(c, a)) moved = true;
            }
            stage = moved ? 0 : stage + 1;
        }
        for (int i = 0; i < todo.n; i++) {
            Case *s = todo.at[i];
            Value *a = s->of;
            for (int k = 0; k < s->n && !s->broken; k++) {
                const Left *l = &s->left[k];
                if (l->settled) continue;
                s->broken = true;
                if (a->broken) continue;
                a->broken = true;
                const char *index = symbol_text(c->cx, l->name),
                           *name = symbol_text(c->cx, a->v.name);
                if (l->shift == 0 && !group->cyclic)
                    error_at(c->cx, l->syn->whole,
                             "nothing fixes the range of '%s'; say %s[%s: DIMENSION]", index, name,
                             index);
                else
                    error_at(
                        c->cx, l->syn->whole,
                        "nothing fixes the range of '%s'; declare the array: real %s[SIZE, ...];",
                        index, name);
            }
            if (!s->broken) publish(c, s);
        }
        for (int m = 0; m < group->members.n; m++) {
            Value *a = (Value *)group->members.at[m];
            if (a->broken && !a->v.declared)
                a->sized = false; /* what is known of it may be wrong: reads say nothing */
            for (int k = 0; k < a->v.rank && a->sized && !a->v.declared; k++)
                if (!check_demand(c, a->v.shape[k])) {
                    error_at(c->cx, a->v.at, "axis %d of '%s' would have %s entries", k + 1,
                             symbol_text(c->cx, a->v.name),
                             size_text(c->cx, put_fixed(c, a->v.shape[k])));
                    a->sized = false;
                }
        }
    }
}

/* ---- coverage
 * ---------------------------------------------------------------------------------------------- */

static bool apart(Check *c, const Case *s, const Case *t) {
    Arena *a = c->cx->arena;
    for (int k = 0; k < s->n; k++) {
        const Left *x = &s->left[k], *y = &t->left[k];
        int64_t p, q;
        if (poly_is_int(x->lo, &p) && poly_is_int(x->hi, NULL) && poly_is_int(y->hi, &q) &&
            poly_is_int(y->lo, NULL) && p > q)
            return true;
        if (poly_is_int(y->lo, &p) && poly_is_int(x->hi, &q) && p > q) return true;
        if (poly_is_int(x->lo, &p) && poly_equal(x->lo, x->hi) && poly_equal(x->lo, y->lo) &&
            poly_equal(y->lo, y->hi))
            continue;
        const Poly *one = poly_int(a, 1);
        if (check_prove(c, poly_sub(a, poly_sub(a, y->lo, x->hi), one), (Env){0}) ||
            check_prove(c, poly_sub(a, poly_sub(a, x->lo, y->hi), one), (Env){0}))
            return true;
    }
    return false;
}

static const char *box_text(Check *c, const Value *a, const Case *s) {
    Arena *arena = c->cx->arena;
    const char *text = arena_format(arena, "%s[", symbol_text(c->cx, a->v.name));
    for (int k = 0; k < s->n; k++) {
        const Left *l = &s->left[k];
        text = poly_equal(l->lo, l->hi)
                   ? arena_format(arena, "%s%s%s", text, k ? ", " : "", size_text(c->cx, l->lo))
                   : arena_format(arena, "%s%s%s..%s", text, k ? ", " : "", size_text(c->cx, l->lo),
                                  size_text(c->cx, l->hi));
    }
    return arena_format(arena, "%s]", text);
}

static void say_hole(Check *c, const Value *a) {
    Arena *arena = c->cx->arena;
    const char *given = "", *whole = "";
    for (int i = 0; i < a->cases.n; i++) {
        if (i == 8) {
            given = arena_format(arena, "%s and %d more", given, a->cases.n - i);
            break;
        }
        given =
            arena_format(arena, "%s%s%s", given, i ? " and " : "", box_text(c, a, a->cases.at[i]));
    }
    for (int k = 0; k < a->v.rank; k++)
        whole = arena_format(arena, "%s%s0..%s", whole, k ? ", " : "",
                             size_text(c->cx, poly_sub(arena, a->v.shape[k], poly_int(arena, 1))));
    error_at(c->cx, a->cases.at[0]->eq.syn->kid[0]->at,
             "the equations of '%s' leave entries undefined: they give %s of %s[%s]",
             symbol_text(c->cx, a->v.name), given, symbol_text(c->cx, a->v.name), whole);
    if (a->v.declared) note_at(c->cx, a->v.at, "declared here");
}

/* Boxes that do not overlap, and whose volumes add up to the volume of the whole, cover it. */
static void cover(Check *c, Value *a) {
    Arena *arena = c->cx->arena;
    const Poly *one = poly_int(arena, 1), *zero = poly_int(arena, 0);
    for (int i = 0; i < a->cases.n; i++)
        for (int j = 0; j < i; j++)
            if (!apart(c, a->cases.at[i], a->cases.at[j])) {
                const char *name = symbol_text(c->cx, a->v.name);
                error_at(c->cx, a->cases.at[i]->eq.syn->kid[0]->at,
                         a->v.rank ? "two equations for the same entries of '%s'"
                                   : "two equations for '%s'",
                         name);
                note_at(c->cx, a->cases.at[j]->eq.syn->kid[0]->at, "the other");
                a->broken = true;
                return;
            }
    const Poly **low = arena_alloc(arena, (size_t)(a->v.rank + 1) * sizeof *low), *total = zero,
               *want = one;
    bool all = a->v.declared || a->v.role == ROLE_OUTPUT || a->v.role == ROLE_RESULT, zeros = true;
    for (int k = 0; k < a->v.rank; k++) {
        for (int i = 0; i < a->cases.n; i++) {
            const Poly *lo = a->cases.at[i]->left[k].lo;
            if (i == 0 || check_prove(c, poly_sub(arena, low[k], lo), (Env){0})) low[k] = lo;
        }
        if (all) want = poly_mul(arena, want, a->v.shape[k]);
        else want = poly_mul(arena, want, poly_sub(arena, a->v.shape[k], low[k]));
        zeros = zeros && poly_equal(low[k], zero);
    }
    for (int i = 0; i < a->cases.n; i++) {
        const Poly *volume = one;
        for (int k = 0; k < a->v.rank; k++) {
            const Left *l = &a->cases.at[i]->left[k];
            volume = poly_mul(arena, volume, poly_add(arena, poly_sub(arena, l->hi, l->lo), one));
        }
        total = poly_add(arena, total, volume);
    }
    const Poly *missing = put_fixed(c, poly_sub(arena, want, total));
    if (!poly_is_known(missing)) {
        error_at(c->cx, a->v.at, "'%s' is too large to compute with",
                 symbol_text(c->cx, a->v.name));
        a->broken = true;
    } else if (missing->n) {
        say_hole(c, a);
        a->broken = true;
    }
    a->v.low = zeros ? NULL : low;
}

/* Every position on the left lies inside its axis. */
static void check_left(Check *c, Case *s) {
    const Variable *v = &s->of->v;
    Env env = case_env(c, s);
    for (int k = 0; k < s->n; k++) {
        const Poly *room =
            poly_sub(c->cx->arena, poly_sub(c->cx->arena, v->shape[k], poly_int(c->cx->arena, 1)),
                     s->position[k]);
        const Poly *sides[2] = {room, s->position[k]};
        bool inside = true;
        for (int side = 0; side < 2; side++)
            inside = inside && (check_prove(c, sides[side], env) ||
                                (!s->left[k].is_index && check_demand_size(c, sides[side])));
        if (inside) continue;
        error_at(c->cx, s->left[k].syn->whole, "%s leaves axis %d of %s, which is %s",
                 source_slice(c->cx, s->left[k].syn->whole), k + 1, symbol_text(c->cx, v->name),
                 size_text(c->cx, v->shape[k]));
        note_at(c->cx, v->at, "%s", origin_text(v));
        s->of->broken = true;
    }
}

void check_coverage(Check *c) {
    for (int i = 0; i < c->arrays.n; i++)
        for (int k = 0; k < c->arrays.at[i]->cases.n; k++)
            if (c->arrays.at[i]->sized && !c->arrays.at[i]->cases.at[k]->broken)
                check_left(c, c->arrays.at[i]->cases.at[k]);
    for (int i = 0; i < c->arrays.n; i++) {
        Value *a = c->arrays.at[i];
        if (a->v.role == ROLE_INPUT || a->v.role == ROLE_PARAM || a->v.role == ROLE_CONST ||
            a->v.role == ROLE_ARGUMENT)
            continue;
        if (a->cases.n == 0) {
            if (!a->broken && !c->unit->is_extern)
                error_at(c->cx, a->v.at, "'%s' is declared but no equation defines it",
                         symbol_text(c->cx, a->v.name));
            continue;
        }
        bool whole = a->sized && !a->broken;
        for (int k = 0; k < a->cases.n; k++) whole = whole && !a->cases.at[k]->broken;
        if (whole) cover(c, a);
    }
}

/* ---- positions
 * --------------------------------------------------------------------------------------------- */

static const Place *place(Check *c, PlaceKind kind, const Poly *p, Env env) {
    Place *out = arena_alloc(c->cx->arena, sizeof *out);
    *out = (Place){kind, p, env, NULL};
    return out;
}

static void annotate(Check *c, Syn *e, Env env) {
    ExprInfo *info = arena_alloc(c->cx->arena, sizeof *info);
    info->type.base = TYPE_INT;
    const IndexRange *i = e->kind == SYN_NAME ? env_find(env, e->name) : NULL;
    if (i) info->type = (SynType){TYPE_INDEX, i->extent};
    e->info = info;
    for (int k = 0; k < e->nkids; k++) annotate(c, e->kid[k], env);
}

static void note_origins(Check *c, const Syn *p, const char *array) {
    const NameInfo *n = p->kind == SYN_NAME || p->kind == SYN_AT ? check_name(c, p->name) : NULL;
    if (n && n->array) note_at(c->cx, n->array->v.at, "%s", origin_text(&n->array->v));
    for (int i = 0; i < c->arrays.n; i++) {
        const Variable *v = &c->arrays.at[i]->v;
        if (!strcmp(symbol_text(c->cx, v->name), array))
            note_at(c->cx, v->at, "%s", origin_text(v));
    }
}

/* Why a position may leave its axis, for the end of the message. */
static const char *hint_of(Check *c, const Syn *p, const Poly *q, Env env, int nvars,
                           const uint32_t *vars, bool beyond, const char *name, const Poly *extent,
                           const Poly *low) {
    Arena *a = c->cx->arena;
    const IndexRange *i = nvars == 1 ? env_find(env, vars[0]) : NULL;
    if (nvars && low && low->n && !beyond)
        return arena_format(a, "; %s starts at %s", name, size_text(c->cx, low));
    if (i) {
        const char *text = arena_format(a, "; '%s' runs over %s", symbol_text(c->cx, i->name),
                                        size_text(c->cx, i->extent));
        if (!beyond) return text;
        const char *e = source_slice(c->cx, p->whole);
        if (i->how == HOW_USE || i->how == HOW_SAID)
            return arena_format(a, "%s: add \"if %s < %s\" to the reduction", text, e,
                                size_text(c->cx, extent));
        if (i->how == HOW_SAID_LEFT)
            return arena_format(a, "%s: write %s < %s ? ... : ... on the right", text, e,
                                size_text(c->cx, extent));
        if (i->how == HOW_BARE && c->current) {
            const Value *left = c->current->of;
            const char *sizes = "";
            for (int k = 0; k < left->v.rank; k++)
                sizes = arena_format(a, "%s%sSIZE", sizes, k ? ", " : "");
            return arena_format(
                a, "%s; if the equation stops earlier, declare what it defines: real %s[%s];", text,
                symbol_text(c->cx, left->v.name), sizes);
        }
        return text;
    }
    int64_t known;
    if (nvars == 0 && beyond && !poly_is_number(extent, NULL, NULL) &&
        check_known(c, extent, &known))
        return arena_format(a, "; %s is %lld", size_text(c->cx, extent), (long long)known);
    if (nvars < 2 || !beyond) return "";
    const Poly *top = q, *rest;
    const char *by = "";
    for (int k = 0; k < nvars; k++) {
        int64_t num, den;
        i = env_find(env, vars[k]);
        if (!i || !poly_linear(a, q, vars[k], &num, &den, &rest) || den != 1) return "";
        top = poly_subst(a, top, vars[k],
                         num > 0 ? poly_sub(a, i->extent, poly_int(a, 1)) : poly_int(a, 0));
    }
    /* In alphabetical order, as polynomials are printed. */
    const char *last = "";
    for (int k = 0; k < nvars; k++) {
        const IndexRange *next = NULL;
        for (int j = 0; j < nvars; j++) {
            const char *s = symbol_text(c->cx, vars[j]);
            if (strcmp(s, last) > 0 && (!next || strcmp(s, symbol_text(c->cx, next->name)) < 0))
                next = env_find(env, vars[j]);
        }
        last = symbol_text(c->cx, next->name);
        by = arena_format(a, "%s%s'%s' runs over %s", by, k ? " and " : "", last,
                          size_text(c->cx, next->extent));
    }
    return arena_format(a, "; its largest value is %s, as %s", size_text(c->cx, top), by);
}

/* A position that is a polynomial: inside the axis, or refused. */
static void check_inside(Check *c, const Syn *p, const Poly *q, int axis, const char *name,
                         const Poly *extent, const Poly *low, Env env) {
    Arena *a = c->cx->arena;
    const uint32_t *all;
    int nall = poly_vars(a, q, &all), n = 0;
    uint32_t *vars = arena_alloc(a, (size_t)(nall + 1) * sizeof *vars);
    for (int k = 0; k < nall; k++)
        if (env_find(env, all[k])) vars[n++] = all[k];
    const IndexRange *i = n == 1 ? env_find(env, vars[0]) : NULL;
    if (i && poly_is_number(poly_sub(a, q, poly_var(a, i->name)), NULL, NULL)) {
        const char *index = symbol_text(c->cx, i->name), *here = size_text(c->cx, extent),
                   *there = size_text(c->cx, i->extent);
        bool bare = poly_equal(q, poly_var(a, i->name));
        if (!check_family(c, i->extent, extent)) {
            error_at(c->cx, p->whole, "'%s' runs over %s here, but over %s elsewhere", index, here,
                     there);
            note_at(c->cx, i->at, "%s by this", there);
            return;
        }
        if (i->how == HOW_USE && bare && !check_same(c, i->extent, extent)) {
            bool shorter = check_prove(c, poly_sub(a, i->extent, extent), env);
            error_at(c->cx, p->whole,
                     "'%s' runs over %s here, but over %s elsewhere; say which, as in %s: %s",
                     index, here, there, index, shorter ? here : there);
            note_at(c->cx, i->at, "%s by this", there);
            return;
        }
    }
    const Poly *from = low ? low : poly_int(a, 0), *last = poly_sub(a, extent, poly_int(a, 1));
    for (int beyond = 0; beyond < 2; beyond++) {
        const Poly *room = beyond ? poly_sub(a, last, q) : poly_sub(a, q, from);
        if (check_prove(c, room, env) || (n == 0 && check_demand_size(c, room))) continue;
        error_at(c->cx, p->whole, "%s may reach %s %s, axis %d of %s%s",
                 source_slice(c->cx, p->whole), beyond ? "beyond" : "below",
                 size_text(c->cx, beyond ? last : from), axis + 1, name,
                 hint_of(c, p, q, env, n, vars, beyond, name, extent, low));
        if (i && (i->at.file != p->whole.file || i->at.start != p->whole.start))
            note_at(c->cx, i->at, "by this");
        return;
    }
}

const Place *check_position(Check *c, const Syn *said, int axis, const char *name,
                            const Poly *extent, const Poly *low, Env env) {
    Syn *p = (Syn *)said;
    if (p->kind == SYN_IN) {
        error_at(c->cx, p->whole,
                 "a range is said where an index is introduced: on the left or in a reduction");
        return place(c, PLACE_ANY, NULL, env);
    }
    if (p->kind == SYN_OP && p->nkids == 3) {
        const ExprInfo *condition = check_value(c, p->kid[0], env);
        if (condition && condition->type.base != TYPE_BOOL)
            error_at(c->cx, p->kid[0]->whole, "a condition is wanted before ?");
        ExprInfo *info = arena_alloc(c->cx->arena, sizeof *info);
        info->type.base = TYPE_INT;
        p->info = info;
        const Place *yes = check_position(c, p->kid[1], axis, name, extent, low,
                                          env_condition(c, env, p->kid[0], true));
        const Place *no = check_position(c, p->kid[2], axis, name, extent, low,
                                         env_condition(c, env, p->kid[0], false));
        Place *both = (Place *)yes; /* fresh: nobody else holds it */
        while (both->other) both = (Place *)both->other;
        both->other = no;
        return yes;
    }
    const Poly *q = check_poly(c, p, env.scope);
    if (check_trouble(c)) return place(c, PLACE_ANY, NULL, env);
    if (q) {
        annotate(c, p, env);
        check_inside(c, p, q, axis, name, extent, low, env);
        return place(c, PLACE_POLY, q, env);
    }
    const ExprInfo *info = check_expr(c, p, env);
    if (!info) return place(c, PLACE_ANY, NULL, env);
    SynType t = info->type;
    if (info->rank) {
        error_at(c->cx, p->whole, "a position is one number, not an array");
    } else if (t.base == TYPE_INDEX && !check_same(c, t.target, extent)) {
        error_at(c->cx, p->whole, "%s is an index into %s, but axis %d of %s is %s",
                 source_slice(c->cx, p->whole), size_text(c->cx, t.target), axis + 1, name,
                 size_text(c->cx, extent));
        note_origins(c, p, name);
    } else if (t.base != TYPE_INDEX && t.base != TYPE_INT) {
        error_at(c->cx, p->whole, "a position must be an integer; this is %s",
                 t.base == TYPE_BOOL ? "a condition" : "real; write int(...)");
    } else if (low && low->n) {
        error_at(
            c->cx, p->whole,
            "data chooses this entry, but axis %d of %s starts at %s: define what comes before",
            axis + 1, name, size_text(c->cx, low));
    }
    return place(c, PLACE_DATA, NULL, env);
}
