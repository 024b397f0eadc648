/* check: the static checker. In: a file, and what it uses. Out: a Program whose every name, size,
 * range, type and order is known, or messages. One unit after another, functions before those that
 * call them: declarations are collected, then dependencies, ranges, coverage, types, and last the
 * loops of recurrences. A mistake is said once; what rests on it is not looked at further,
 * everything else is. */
#define _XOPEN_SOURCE 700
#include "check.h"
#include "cname.h"
#include "kernel.h"
#include "library.h"
#include "ops.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_AXES = 32, MOST_USE_DEPTH = 64 };

/* ---- names and texts
 * --------------------------------------------------------------------------------------- */

static const char *name_text(const void *user, uint32_t var) {
    return symbol_text(user, var);
}

const char *size_text(Context *cx, const Poly *p) {
    return poly_text(cx->arena, p, name_text, cx);
}

static int *unit_slot(const Unit *u, Symbol name) {
    uint32_t mask = u->nslots - 1, h = name * 0x9E3779B1u & mask;
    while (u->slots[h] && u->variables.at[u->slots[h] - 1]->name != name) h = (h + 1) & mask;
    return &u->slots[h];
}

void unit_add(Arena *a, Unit *u, Variable *v) {
    if (2 * (uint32_t)u->variables.n >= u->nslots) {
        u->nslots = u->nslots ? 2 * u->nslots : 16;
        u->slots = arena_alloc(a, u->nslots * sizeof *u->slots);
        for (int k = u->variables.n - 1; k >= 0; k--)
            *unit_slot(u, u->variables.at[k]->name) = k + 1;
    }
    int *slot = unit_slot(u, v->name);
    VEC_PUSH(a, u->variables, v);
    if (!*slot) *slot = u->variables.n; /* of one name the first */
}

int unit_place(const Unit *u, Symbol name) {
    return u->variables.n ? *unit_slot(u, name) - 1 : -1;
}

const Variable *unit_find(const Unit *u, Symbol name) {
    int k = unit_place(u, name);
    return k < 0 ? NULL : u->variables.at[k];
}

const Dim *unit_dim(const Unit *u, Symbol name) {
    for (int k = 0; k < u->dims.n; k++)
        if (u->dims.at[k].name == name) return &u->dims.at[k];
    return NULL;
}

NameInfo *check_name(Check *c, Symbol s) {
    return s < c->nnames ? &c->names[s] : NULL;
}

Check *check_callee(const Check *c, Symbol s) {
    return s < c->all->nnames ? c->all->functions[s] : NULL;
}

static bool is_built_in(const char *name) {
    return op_find(name) != OP_NONE || kernel_find(name) || is_reduction(name) ||
           !strcmp(name, "grad") || !strcmp(name, "dir") || !strcmp(name, "until");
}

bool check_is_fn(const Check *c, const char *name) {
    if (op_find(name) != OP_NONE || kernel_find(name)) return true;
    for (int k = 0; k < c->all->checks.n; k++)
        if (c->all->checks.at[k]->unit->is_fn &&
            !strcmp(symbol_text(c->cx, c->all->checks.at[k]->unit->name), name))
            return true;
    return false;
}

static const char *did_you_mean(Context *cx, const char *name, const char *const *known, int n) {
    const char *near = n ? closest(cx, name, known, n) : NULL;
    return near ? arena_format(cx->arena, "; did you mean '%s'?", near) : "";
}

const char *check_nearest(Check *c, const char *name, const char *const *known) {
    int n = 0;
    while (known[n]) n++;
    return did_you_mean(c->cx, name, known, n);
}

const char *check_near(Check *c, const char *name, int among, const Frame *scope) {
    Arena *a = c->cx->arena;
    VEC(const char *) known = {0};
    if (among & NEAR_VALUES)
        for (int k = 0; k < c->arrays.n; k++)
            VEC_PUSH(a, known, symbol_text(c->cx, c->arrays.at[k]->v.name));
    for (; scope; scope = scope->up) VEC_PUSH(a, known, symbol_text(c->cx, scope->index.name));
    if (among & NEAR_DIMS)
        for (int k = 0; k < c->unit->dims.n; k++)
            VEC_PUSH(a, known, symbol_text(c->cx, c->unit->dims.at[k].name));
    return did_you_mean(c->cx, name, known.at, known.n);
}

const char *type_text(Check *c, SynType t) {
    switch (t.base) {
    case TYPE_REAL: return "a real";
    case TYPE_FLOAT: return "a float";
    case TYPE_DOUBLE: return "a double";
    case TYPE_INT: return "an int";
    case TYPE_BOOL: return "a condition";
    case TYPE_INDEX:
        return arena_format(c->cx->arena, "an index into %s", size_text(c->cx, t.target));
    case TYPE_UNKNOWN: break;
    }
    return "of no type";
}

const char *role_text(Role role) {
    switch (role) {
    case ROLE_INPUT: return "an input";
    case ROLE_PARAM: return "a param";
    case ROLE_CONST: return "a const";
    case ROLE_ARGUMENT: return "an argument";
    case ROLE_OUTPUT: return "an output";
    case ROLE_RESULT: return "the result";
    case ROLE_LOCAL: break;
    }
    return "a local";
}

const char *origin_text(const Variable *v) {
    return v->declared ? "declared here" : "defined here";
}

const char *axes_text(Check *c, int n) {
    return arena_format(c->cx->arena, "%d ax%s", n, n == 1 ? "is" : "es");
}

const char *shape_text(Check *c, int rank, const Poly *const *shape) {
    const char *text = "";
    for (int k = 0; k < rank; k++)
        text =
            arena_format(c->cx->arena, "%s%s%s", text, k ? ", " : "", size_text(c->cx, shape[k]));
    return text;
}

bool syn_mentions(const Syn *s, Symbol name) {
    if (s->kind == SYN_NAME && s->name == name) return true;
    for (int k = 0; k < s->nkids; k++)
        if (syn_mentions(s->kid[k], name)) return true;
    return false;
}

static bool runs_free(const Role role) /* given from outside: no equation may define it */
{
    return role == ROLE_INPUT || role == ROLE_PARAM || role == ROLE_CONST || role == ROLE_ARGUMENT;
}

/* ---- declarations
 * ------------------------------------------------------------------------------------------ */

static bool is_taken(Check *c, const Syn *s) {
    const NameInfo *n = check_name(c, s->name);
    if (!n->dim && !n->array) return false;
    error_at(c->cx, s->at, "'%s' is declared twice", s->text);
    note_at(c->cx, n->dim ? c->unit->dims.at[n->dim - 1].at : n->array->v.at, "first here");
    return true;
}

static Dim *add_dim(Check *c, const Syn *s) {
    VEC_PUSH(
        c->cx->arena, c->unit->dims,
        (Dim){.name = s->name, .at = s->at, .means = poly_var(c->cx->arena, s->name), .least = 1});
    check_name(c, s->name)->dim = c->unit->dims.n;
    return &c->unit->dims.at[c->unit->dims.n - 1];
}

static void fix_dim(Check *c, Dim *dim, int64_t value) {
    dim->fixed = value;
    c->fixed[c->nfixed] = dim->name;
    c->fixed_by[c->nfixed++] = poly_int(c->cx->arena, value);
}

static Value *add_array(Check *c, const Syn *s, Role role) {
    Value *a = arena_alloc(c->cx->arena, sizeof *a);
    a->v.name = s->name;
    a->v.at = s->at;
    a->v.role = role;
    a->v.unit = c->unit;
    a->number = c->arrays.n;
    VEC_PUSH(c->cx->arena, c->arrays, a);
    unit_add(c->cx->arena, c->unit, &a->v);
    check_name(c, s->name)->array = a;
    return a;
}

static BaseType base_type(const char *text) {
    static const struct {
        const char *text;
        BaseType base;
    } types[] = {{"real", TYPE_REAL}, {"float", TYPE_FLOAT}, {"double", TYPE_DOUBLE},
                 {"int", TYPE_INT},   {"bool", TYPE_BOOL},   {"index", TYPE_INDEX}};
    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
        if (!strcmp(types[k].text, text)) return types[k].base;
    bug("the type '%s'", text);
}

/* Sizes that are found while it runs cannot shape what comes from outside; a table needs fixed
 * ones. */
static bool size_suits(Check *c, const Syn *e, const Poly *p, const Syn *of, Role role) {
    const uint32_t *vars;
    int n = poly_vars(c->cx->arena, p, &vars);
    for (int k = 0; k < n; k++) {
        const NameInfo *info = check_name(c, vars[k]);
        const Dim *dim = &c->unit->dims.at[info->dim - 1];
        bool found_late = dim->until && (role == ROLE_INPUT || role == ROLE_PARAM);
        if (!found_late && (role != ROLE_CONST || dim->fixed)) continue;
        if (found_late)
            error_at(c->cx, e->whole, "%s is found while it runs: %s cannot have this size",
                     symbol_text(c->cx, dim->name), role_text(role));
        else
            error_at(c->cx, e->whole,
                     "the sizes of a const are fixed; %s is open: '%s' cannot have this size",
                     symbol_text(c->cx, dim->name), of->text);
        note_at(c->cx, dim->at, "declared here");
        return false;
    }
    return true;
}

static Value *declare(Check *c, const Syn *s, const char *type, const Syn *shape, const Syn *target,
                      Role role) {
    if (is_taken(c, s)) return NULL;
    Value *a = add_array(c, s, role);
    a->v.type.base = base_type(type);
    a->v.declared = a->typed = a->sized = true;
    bool good = true;
    if (a->v.type.base == TYPE_INDEX) {
        if (target->kind == SYN_NONE)
            error_at(c->cx, s->at, "an index says what it points into: index %s : DIMENSION",
                     s->text);
        else a->v.type.target = check_size(c, target);
        good = a->v.type.target != NULL;
    } else if (target->kind != SYN_NONE) {
        error_at(c->cx, target->whole, "only an index points into a dimension: index %s : %s",
                 s->text, source_slice(c->cx, target->whole));
        good = false;
    }
    const Syn *sizes = shape->nkids ? shape->kid[0] : shape;
    if (sizes->nkids > MOST_AXES) {
        error_at(c->cx, s->at, "'%s' has %d axes; %d are the most", s->text, sizes->nkids,
                 MOST_AXES);
        good = false;
    }
    a->v.shape = arena_alloc(c->cx->arena, (size_t)(sizes->nkids + 1) * sizeof *a->v.shape);
    for (int k = 0; k < sizes->nkids && good; k++) {
        a->v.shape[k] = check_size(c, sizes->kid[k]);
        good = a->v.shape[k] && size_suits(c, sizes->kid[k], a->v.shape[k], s, role);
        if (good && !check_demand(c, a->v.shape[k])) {
            error_at(c->cx, sizes->kid[k]->whole, "a size is at least 1");
            good = false;
        }
    }
    a->v.rank = sizes->nkids;
    if (!good) {
        a->broken = true;
        a->sized = false;
    }
    return a;
}

static void declare_dim(Check *c, const Syn *s) {
    if (is_taken(c, s)) return;
    if (s->nkids == 0) {
        if (c->unit->is_fn) {
            error_at(c->cx, s->at, "a function's open sizes come with its arguments");
            return;
        }
        Dim *dim = add_dim(c, s);
        for (int k = 0; k < c->all->nfix; k++)
            if (!strcmp(c->all->fix[k].name, s->text)) fix_dim(c, dim, c->all->fix[k].value);
        return;
    }
    const Syn *e = s->kid[0];
    if (e->kind == SYN_REDUCE && !strcmp(e->text, "until")) {
        add_dim(c, s)->until = e;
        return;
    }
    const Poly *size = check_size(c, e);
    int64_t value;
    Dim *dim = add_dim(c, s);
    if (!size) {
        check_name(c, s->name)->dim =
            0; /* a name that means nothing: its uses say nothing either */
        check_name(c, s->name)->refused = true;
        c->unit->dims.n--;
    } else if (poly_is_int(size, &value)) {
        fix_dim(c, dim, value);
    } else {
        dim->means = size;
    }
}

static void declare_things(Check *c, const Syn *s) {
    static const char *const words[] = {"input", "param", "const", "local"};
    static const Role roles[] = {ROLE_INPUT, ROLE_PARAM, ROLE_CONST, ROLE_LOCAL};
    int k = 0;
    while (k < 3 && strcmp(words[k], s->text)) k++;
    Role role = roles[k];
    if (c->unit->is_fn && k < 2) {
        error_at(c->cx, s->whole, "'%s' belongs in a model; a function has arguments", s->text);
        for (int i = 0; i < s->kid[1]->nkids; i++)
            check_name(c, s->kid[1]->kid[i]->name)->refused = true;
        return;
    }
    for (int i = 0; i < s->kid[1]->nkids; i++) {
        const Syn *thing = s->kid[1]->kid[i], *value = thing->kid[2];
        Value *a = declare(c, thing, s->kid[0]->text, thing->kid[0], thing->kid[1], role);
        if (!a) continue;
        if (role != ROLE_CONST) {
            if (value->kind == SYN_NONE) continue;
            error_at(c->cx, value->whole,
                     role == ROLE_LOCAL
                         ? "a value here belongs to a const; otherwise write an equation: %s = ...;"
                         : "'%s' gets its value from the caller",
                     thing->text);
            a->broken = true;
            continue;
        }
        if (a->v.type.base == TYPE_BOOL) {
            error_at(
                c->cx, thing->at,
                "a const is real, float, double, int or index; a condition can compare such a one");
            a->broken = true;
            a->sized = false;
            continue;
        }
        if (value->kind != SYN_NONE) a->v.value = value;
        else error_at(c->cx, thing->at, "a const has a value: const real %s = ...", thing->text);
        if (!a->v.value) a->broken = true;
    }
}

static void add_equation(Check *c, const Syn *s) {
    const Syn *left = s->kid[0];
    NameInfo *n = check_name(c, left->name);
    if (n->dim) {
        error_at(c->cx, left->at, "'%s' is a dimension", left->text);
        note_at(c->cx, c->unit->dims.at[n->dim - 1].at, "declared here");
        return;
    }
    if (n->array && runs_free(n->array->v.role)) {
        error_at(c->cx, left->at, "'%s' is %s: no equation may define it", left->text,
                 role_text(n->array->v.role));
        note_at(c->cx, n->array->v.at, "declared here");
        return;
    }
    Value *a = n->array ? n->array : add_array(c, left, ROLE_LOCAL);
    Case *made = arena_alloc(c->cx->arena, sizeof *made);
    made->eq.of = &a->v;
    made->eq.syn = s;
    made->of = a;
    ((Syn *)s)->note = &made->eq;
    VEC_PUSH(c->cx->arena, a->cases, made);
    VEC_PUSH(c->cx->arena, a->v.equations, &made->eq);
}

/* Every name that some left side or reduction binds: for a better message where it stands
 * elsewhere. */
static void note_indices(Check *c, const Syn *s, bool left) {
    if (s->kind == SYN_NAME && left) check_name(c, s->name)->is_index = true;
    if (s->kind == SYN_EQUATION && s->kid[0]->kind == SYN_AT)
        note_indices(c, s->kid[0]->kid[0]->kid[0], true);
    if (s->kind == SYN_REDUCE) {
        const Syn *items = s->kid[0]->kid[0];
        for (int k = 0; k < items->nkids; k++) {
            const Syn *it = items->kid[k]->kind == SYN_IN ? items->kid[k]->kid[0] : items->kid[k];
            if (it->kind == SYN_NAME) check_name(c, it->name)->is_index = true;
        }
    }
    for (int k = 0; k < s->nkids; k++) note_indices(c, s->kid[k], left);
}

static void note_dims(Check *c, const Syn *s) {
    if (s->kind == SYN_NAME) check_name(c, s->name)->dim_used = true;
    for (int k = 0; k < s->nkids; k++) note_dims(c, s->kid[k]);
}

static void note_used(Check *c, const Syn *s) {
    const NameInfo *n = s->kind == SYN_NAME || s->kind == SYN_AT ? check_name(c, s->name) : NULL;
    if (n && n->array) n->array->used = true;
    for (int k = 0; k < s->nkids; k++) note_used(c, s->kid[k]);
}

/* A size that is found while it runs can be an output. */
static void add_size_output(Check *c, const Syn *o) {
    for (int k = 0; k < c->unit->outputs.n; k++) {
        const Variable *v = c->unit->outputs.at[k];
        if (v->name != o->name) continue;
        error_at(c->cx, o->at, "'%s' is an output already", o->text);
        note_at(c->cx, v->at, "here");
        return;
    }
    Variable *v = arena_alloc(c->cx->arena, sizeof *v);
    *v = (Variable){.name = o->name, .type = {TYPE_INT, NULL}, .role = ROLE_OUTPUT, .at = o->at};
    v->unit = c->unit;
    v->is_size = true;
    unit_add(c->cx->arena, c->unit, v);
    VEC_PUSH(c->cx->arena, c->unit->outputs, v);
}

static void add_outputs(Check *c, const Syn *s) {
    if (c->unit->is_fn) {
        error_at(c->cx, s->whole, "'output' belongs in a model; a function has one result");
        return;
    }
    for (int k = 0; k < s->kid[0]->nkids; k++) {
        const Syn *o = s->kid[0]->kid[k];
        const NameInfo *n = check_name(c, o->name);
        if (!n->array && n->dim && c->unit->dims.at[n->dim - 1].until) {
            add_size_output(c, o);
            continue;
        }
        if (!n->array) {
            if (!n->refused)
                error_at(c->cx, o->at, "nothing defines the output '%s'%s", o->text,
                         check_near(c, o->text, NEAR_VALUES, NULL));
            continue;
        }
        Variable *v = &n->array->v;
        if (v->role == ROLE_OUTPUT || runs_free(v->role)) {
            error_at(c->cx, o->at,
                     v->role == ROLE_OUTPUT ? "'%s' is %s already"
                                            : "'%s' is %s: it cannot be an output",
                     o->text, role_text(v->role));
            note_at(c->cx, v->at, "%s", origin_text(v));
            continue;
        }
        v->role = ROLE_OUTPUT;
        n->array->used = true;
        VEC_PUSH(c->cx->arena, c->unit->outputs, v);
    }
}

/* C functions take and give numbers and conditions. The name is C's too. */
static void check_extern_head(Check *c) {
    const Unit *u = c->unit;
    const Syn *args = u->syn->kid[0], *result = u->syn->kid[1];
    for (int k = 0; k <= args->nkids; k++) {
        const Syn *s = k < args->nkids ? args->kid[k] : result;
        if (s->kid[1]->nkids) {
            error_at(c->cx, s->kid[1]->whole,
                     "'%s' has axes: an extern function takes and gives single values", s->text);
        } else if (base_type(s->kid[0]->text) == TYPE_INDEX) {
            error_at(c->cx, s->kid[0]->whole,
                     k < args->nkids ? "an extern function takes an index as an int: int %s"
                                     : "an extern function gives no index but an int: int %s; as a "
                                       "position it is tested when it runs",
                     s->text);
        }
    }
    c->carries = arena_alloc(c->cx->arena, (size_t)(args->nkids + 1) * sizeof *c->carries);
    for (int k = 0; k < u->params.n && u->result; k++)
        c->carries[k] = type_is_real(u->params.at[k]->type) && type_is_real(u->result->type);
    const char *name = symbol_text(c->cx, u->name);
    if (!cname_is_free(name))
        error_at(c->cx, u->syn->at, "'%s' is a name that C or the runtime keeps to itself", name);
}

/* The head of a function: its dimensions are the names in its shapes, and each must be fixed by
 * some argument. */
static void collect_head(Check *c) {
    const Syn *args = c->unit->syn->kid[0], *result = c->unit->syn->kid[1];
    int before = c->cx->errors;
    for (int k = 0; k <= args->nkids; k++) {
        const Syn *s = k < args->nkids ? args->kid[k] : result;
        for (int part = 1; part < 3; part++) {
            VEC(const Syn *) todo = {0};
            VEC_PUSH(c->cx->arena, todo, s->kid[part]);
            while (todo.n) {
                const Syn *e = todo.at[--todo.n];
                if (e->kind == SYN_NAME && !check_name(c, e->name)->dim) add_dim(c, e);
                for (int i = e->nkids - 1; i >= 0; i--) VEC_PUSH(c->cx->arena, todo, e->kid[i]);
            }
        }
    }
    for (int k = 0; k < args->nkids; k++) {
        Value *a = declare(c, args->kid[k], args->kid[k]->kid[0]->text, args->kid[k]->kid[1],
                           args->kid[k]->kid[2], ROLE_ARGUMENT);
        if (a) VEC_PUSH(c->cx->arena, c->unit->params, &a->v);
    }
    Value *r =
        declare(c, result, result->kid[0]->text, result->kid[1], result->kid[2], ROLE_RESULT);
    if (r) {
        c->unit->result = &r->v;
        r->used = true;
    }
    if (c->unit->is_extern) check_extern_head(c);
    for (int d = 0; d < c->unit->dims.n && c->cx->errors == before; d++) {
        const Dim *dim = &c->unit->dims.at[d];
        bool bound = false;
        for (int k = 0; k < c->unit->params.n; k++) {
            const Variable *p = c->unit->params.at[k];
            for (int i = 0; i < p->rank; i++) bound = bound || poly_equal(p->shape[i], dim->means);
            bound = bound || (p->type.base == TYPE_INDEX && poly_equal(p->type.target, dim->means));
        }
        if (bound) continue;
        error_at(c->cx, dim->at, "no argument fixes the dimension '%s' of %s",
                 symbol_text(c->cx, dim->name), symbol_text(c->cx, c->unit->name));
        break;
    }
    c->broken = c->cx->errors > before;
}

static void collect_body(Check *c) {
    const Syn *body = c->body;
    for (int k = 0; k < body->nkids; k++)
        if (body->kid[k]->kind == SYN_DIMS)
            for (int i = 0; i < body->kid[k]->nkids; i++) declare_dim(c, body->kid[k]->kid[i]);
    for (int k = 0; k < body->nkids; k++)
        if (body->kid[k]->kind == SYN_DECLARE) declare_things(c, body->kid[k]);
    for (int k = 0; k < body->nkids; k++)
        if (body->kid[k]->kind == SYN_EQUATION) add_equation(c, body->kid[k]);
    for (int k = 0; k < body->nkids; k++)
        if (body->kid[k]->kind == SYN_OUTPUT) add_outputs(c, body->kid[k]);
    note_indices(c, body, false);
    note_dims(c, body);
}

/* ---- what follows the equations
 * ---------------------------------------------------------------------------- */

/* An undeclared array has the type of its right sides; in a recurrence a number is real. */
static void infer_type(Check *c, Value *a, int n, const SynType *found, bool cyclic) {
    if (a->typed) return;
    a->typed = true;
    const char *name = symbol_text(c->cx, a->v.name);
    if (n == 0) {
        if (!a->guessed) a->v.type = (SynType){TYPE_REAL, NULL};
        return;
    }
    bool same = true, some_bool = false, all_bool = true;
    SynType t = found[0];
    for (int k = 0; k < n; k++) {
        same = same && found[k].base == found[0].base &&
               (found[0].base != TYPE_INDEX || poly_equal(found[k].target, found[0].target));
        some_bool = some_bool || found[k].base == TYPE_BOOL;
        all_bool = all_bool && found[k].base == TYPE_BOOL;
        t = type_join(t, found[k]);
    }
    if (some_bool && !all_bool) {
        error_at(c->cx, a->v.at, "'%s' is a condition in one equation, a number in another", name);
        return;
    }
    if (same) t = found[0];
    if (cyclic && !some_bool && !type_is_real(t)) t = (SynType){TYPE_REAL, NULL};
    if (!a->guessed) {
        a->v.type = t;
    } else if (all_bool != (a->v.type.base == TYPE_BOOL)) {
        error_at(c->cx, a->v.at,
                 "the type of the recurrence '%s' cannot be seen: declare it, as in %s %s%s;", name,
                 all_bool ? "bool" : "real", name, a->v.rank ? "[SIZE, ...]" : "");
    }
}

static void check_equations(Check *c) {
    for (int g = 0; g < c->unit->groups.n; g++) {
        const Group *group = &c->unit->groups.at[g];
        for (int m = 0; m < group->members.n; m++) {
            Value *a = (Value *)group->members.at[m];
            VEC(SynType) found = {0};
            for (int k = 0; k < a->cases.n; k++) {
                Case *s = a->cases.at[k];
                SynType t;
                if (s->broken || !a->sized) continue;
                check_equation(c, s, &t);
                if (t.base != TYPE_UNKNOWN) VEC_PUSH(c->cx->arena, found, t);
            }
            infer_type(c, a, found.n, found.at, group->cyclic);
            check_constants(c, a);
        }
    }
}

static bool reads_over(Check *c, const Syn *e, const Poly *size) {
    const NameInfo *n = e->kind == SYN_AT ? check_name(c, e->name) : NULL;
    if (n && n->array) {
        if (!n->array->sized) return true; /* said elsewhere */
        int64_t more; /* entries than turns: states between them and around them */
        for (int k = 0; k < n->array->v.rank; k++)
            if (poly_is_int(poly_sub(c->cx->arena, n->array->v.shape[k], size), &more)) return true;
    }
    for (int k = 0; k < e->nkids; k++)
        if (reads_over(c, e->kid[k], size)) return true;
    return false;
}

static void check_until(Check *c, Dim *dim) {
    Syn *e = (Syn *)dim->until;
    Arena *a = c->cx->arena;
    const Syn *items = e->kid[0]->kid[0];
    if (e->kid[1]->nkids != 2 || items->nkids != 1 || items->kid[0]->kind != SYN_NAME ||
        e->kid[0]->kid[1]->kind != SYN_NONE) {
        error_at(c->cx, dim->at, "an iteration is written dim %s = until[t](condition, most)",
                 symbol_text(c->cx, dim->name));
        return;
    }
    const Syn *t = items->kid[0];
    const NameInfo *n = check_name(c, t->name);
    if (n->array || n->dim) {
        error_at(c->cx, t->at, "'%s' already names a %s", t->text, n->dim ? "dimension" : "value");
        note_at(c->cx, n->dim ? c->unit->dims.at[n->dim - 1].at : n->array->v.at, "%s",
                n->dim ? "declared here" : origin_text(&n->array->v));
        return;
    }
    Binder *binder = arena_alloc(a, sizeof *binder);
    *binder = (Binder){t->name, dim->means};
    e->note = binder;
    IndexRange index = {t->name, dim->means, HOW_LEFT, t->at};
    Env env =
        env_index(c, (Env){0}, index, poly_int(a, 0), poly_sub(a, dim->means, poly_int(a, 1)));
    Syn *condition = e->kid[1]->kid[0], *most = e->kid[1]->kid[1];
    note_used(c, condition);
    const ExprInfo *info = check_value(c, condition, env);
    if (info && info->type.base != TYPE_BOOL) {
        error_at(c->cx, condition->whole, "until wants a condition");
        info = NULL;
    }
    const Poly *bound = check_size(c, most);
    dim->most = bound;
    const uint32_t *vars;
    int nvars = bound ? poly_vars(a, bound, &vars) : 0;
    for (int k = 0; k < nvars; k++) {
        const Dim *other = &c->unit->dims.at[check_name(c, vars[k])->dim - 1];
        if (!other->until) continue;
        error_at(c->cx, most->whole, "the most is known before it runs; %s is not",
                 symbol_text(c->cx, other->name));
        note_at(c->cx, other->at, "declared here");
        break;
    }
    if (bound) check_value(c, most, (Env){0});
    if (info && !reads_over(c, condition, dim->means))
        error_at(c->cx, dim->at, "the condition reads nothing that runs over %s",
                 symbol_text(c->cx, dim->name));
}

static bool partial_side(Check *c, const Syn *side, const Variable *v, Env *env) {
    const Syn *items = side->kind == SYN_AT ? side->kid[0]->kid[0] : NULL;
    int n = items ? items->nkids : 0;
    if (n != v->rank) {
        error_at(c->cx, side->at, "%s has %s", side->text, axes_text(c, v->rank));
        note_at(c->cx, v->at, "declared here");
        return false;
    }
    for (int k = 0; k < n; k++) {
        const Syn *i = items->kid[k];
        const NameInfo *info = i->kind == SYN_NAME ? check_name(c, i->name) : NULL;
        if (!info || info->array || info->dim) {
            error_at(c->cx, i->whole, "the positions in partial(...) are plain indices");
            return false;
        }
        if (env_find(*env, i->name)) {
            error_at(c->cx, i->at, "two indices of one name in partial(...)");
            return false;
        }
        const Poly *one = poly_int(c->cx->arena, 1), *zero = poly_int(c->cx->arena, 0);
        *env = env_index(c, *env, (IndexRange){i->name, v->shape[k], HOW_LEFT, i->at}, zero,
                         poly_sub(c->cx->arena, v->shape[k], one));
    }
    return true;
}

static void check_partial(Check *c, const Syn *s) {
    if (!c->unit->is_fn) {
        error_at(c->cx, s->at, "partial(...) belongs in a function");
        return;
    }
    Unit *u = c->unit;
    const Syn *of = s->kid[0], *by = s->kid[1];
    Syn *right = s->kid[2];
    note_used(c, right);
    if (of->name != u->result->name) {
        error_at(c->cx, of->at, "the first is the result '%s'",
                 symbol_text(c->cx, u->result->name));
        return;
    }
    Variable *argument = NULL;
    for (int k = 0; k < u->params.n; k++)
        if (u->params.at[k]->name == by->name) argument = u->params.at[k];
    if (!argument) {
        VEC(const char *) known = {0};
        for (int k = 0; k < u->params.n; k++)
            VEC_PUSH(c->cx->arena, known, symbol_text(c->cx, u->params.at[k]->name));
        VEC_PUSH(c->cx->arena, known, NULL);
        error_at(c->cx, by->at, "'%s' is no argument of %s%s", by->text,
                 symbol_text(c->cx, u->name), check_nearest(c, by->text, known.at));
        return;
    }
    if (!type_is_real(u->result->type)) {
        error_at(c->cx, of->at, "'%s' is %s: no derivative of it", of->text,
                 type_text(c, u->result->type));
        note_at(c->cx, u->result->at, "declared here");
        return;
    }
    if (!type_is_real(argument->type)) {
        error_at(c->cx, by->at, "'%s' is %s: no derivative by it", by->text,
                 type_text(c, argument->type));
        note_at(c->cx, argument->at, "declared here");
        return;
    }
    for (int k = 0; k < u->partials.n; k++)
        if (u->partials.at[k].argument == argument) {
            error_at(c->cx, by->at, "a second rule for '%s'", by->text);
            note_at(c->cx, u->partials.at[k].syn->kid[1]->at, "the first");
            return;
        }
    VEC_PUSH(c->cx->arena, u->partials, (Partial){s, argument});
    Env env = {0};
    if (!partial_side(c, of, u->result, &env) || !partial_side(c, by, argument, &env)) return;
    check_number(c, right, env);
}

static void check_derive(Check *c, const Syn *s) {
    if (c->unit->is_fn) {
        error_at(c->cx, s->at, "derive belongs in a model; in a function write grad(e, x)");
        return;
    }
    int kind = 0;
    while (request_names[kind] && strcmp(request_names[kind], s->text)) kind++;
    if (!request_names[kind]) {
        error_at(c->cx, s->at, "no derivative '%s'%s", s->text,
                 check_nearest(c, s->text, request_names));
        return;
    }
    static const char *const words[] = {"sparse", NULL};
    bool sparse = s->nkids > 2;
    if (sparse && strcmp(s->kid[2]->text, words[0])) {
        error_at(c->cx, s->kid[2]->at, "no kind '%s' of %s%s", s->kid[2]->text, s->text,
                 check_nearest(c, s->kid[2]->text, words));
        return;
    }
    if (sparse && strcmp(s->text, "jacobian") && strcmp(s->text, "hessian")) {
        error_at(c->cx, s->kid[2]->at,
                 "a jacobian or a hessian can be sparse; a %s has no zeros to "
                 "leave out",
                 s->text);
        return;
    }
    bool of_number =
        !strcmp(s->text, "gradient") || !strcmp(s->text, "hessian") || !strcmp(s->text, "hvp");
    Derive d = {.syn = s, .sparse = sparse};
    const Syn *whole =
        NULL; /* a left side of ints: said if nothing else is wrong, as the right side may be why */
    int before = c->cx->errors;
    note_used(c, s->kid[0]);
    for (int side = 0; side < 2; side++)
        for (int k = 0; k < s->kid[side]->nkids; k++) {
            const Syn *x = s->kid[side]->kid[k];
            const NameInfo *n = check_name(c, x->name);
            Value *a = n ? n->array : NULL;
            if (!a) {
                if (!n || !n->refused)
                    error_at(c->cx, x->at, "'%s' is not known%s", x->text,
                             check_near(c, x->text, NEAR_VALUES, NULL));
                continue;
            }
            if (!a->sized) continue;
            bool twice = false;
            for (int j = 0; j < k; j++) twice = twice || s->kid[side]->kid[j]->name == x->name;
            if (twice) {
                error_at(c->cx, x->at, "'%s' stands twice in this %s", x->text, s->text);
            } else if (side == 0 && runs_free(a->v.role)) {
                error_at(c->cx, x->at, "'%s' is %s: a derivative is taken of what equations define",
                         x->text, role_text(a->v.role));
                note_at(c->cx, a->v.at, "declared here");
            } else if (side == 0 && a->v.rank && of_number) {
                error_at(
                    c->cx, x->at,
                    "%s is for one number; '%s' is an array [%s]: ask for jacobian, jvp or vjp",
                    s->text, x->text, shape_text(c, a->v.rank, (const Poly *const *)a->v.shape));
                note_at(c->cx, a->v.at, "%s", origin_text(&a->v));
            } else if (a->v.type.base == TYPE_INT && side == 0) {
                whole = x;
            } else if (!type_is_real(a->v.type)) {
                error_at(c->cx, x->at, "'%s' is %s: no derivative %s it", x->text,
                         type_text(c, a->v.type), side ? "by" : "of");
                note_at(c->cx, a->v.at, "%s", origin_text(&a->v));
            } else if (a->v.role == ROLE_CONST) {
                error_at(c->cx, x->at, "'%s' is a const: no derivative by it", x->text);
                note_at(c->cx, a->v.at, "declared here");
            } else {
                if (side == 0) VEC_PUSH(c->cx->arena, d.of, &a->v);
                else VEC_PUSH(c->cx->arena, d.by, &a->v);
                for (int j = 0; j < s->kid[0]->nkids && side; j++) {
                    const NameInfo *y = check_name(c, s->kid[0]->kid[j]->name);
                    const Value *v = y ? y->array : NULL;
                    if (v && v->sized && !runs_free(v->v.role) && v->v.type.base != TYPE_BOOL &&
                        v->v.type.base != TYPE_INDEX)
                        check_smooth(c, s->kid[0]->kid[j], a, x->at, &c->reached[v->number]);
                }
            }
        }
    if (whole && c->cx->errors == before) {
        const Variable *v = &check_name(c, whole->name)->array->v;
        error_at(c->cx, whole->at, "'%s' is %s: no derivative of it", whole->text,
                 type_text(c, v->type));
        note_at(c->cx, v->at, "%s", origin_text(v));
    }
    VEC_PUSH(c->cx->arena, c->unit->derives, d);
}

/* ---- warnings
 * ---------------------------------------------------------------------------------------------- */

static void warn_unused(Check *c) {
    for (int k = 0; k < c->unit->dims.n; k++) {
        const Dim *d = &c->unit->dims.at[k];
        if (!c->unit->is_fn && !check_name(c, d->name)->dim_used)
            warning_at(c->cx, "unused-dim", d->at, "the dimension '%s' is never used",
                       symbol_text(c->cx, d->name));
    }
    for (int k = 0; k < c->arrays.n; k++) {
        const Value *a = c->arrays.at[k];
        const char *name = symbol_text(c->cx, a->v.name);
        if (a->used || c->unit->is_extern) continue;
        if (a->v.role == ROLE_INPUT || a->v.role == ROLE_PARAM)
            warning_at(c->cx, "unused-input", a->v.at, "the %s '%s' is never read",
                       a->v.role == ROLE_INPUT ? "input" : "param", name);
        else if (a->v.role == ROLE_ARGUMENT)
            warning_at(c->cx, "unused-argument", a->v.at, "the argument '%s' is never read", name);
        else
            warning_at(c->cx, "unused-local", a->v.at,
                       a->v.role == ROLE_CONST
                           ? "the const '%s' is never read"
                           : "'%s' is computed, but nothing reads it and it is no output",
                       name);
    }
}

static void find_calls(Checker *all, const Syn *s, bool *called, Links *links) {
    if (s->kind == SYN_CALL && s->name < all->nnames && all->functions[s->name]) {
        for (int k = 0; k < all->checks.n; k++)
            if (all->checks.at[k] == all->functions[s->name] && !called[k]) {
                called[k] = true;
                VEC_PUSH(all->cx->arena, links->to, k);
            }
    }
    for (int k = 0; k < s->nkids; k++) find_calls(all, s->kid[k], called, links);
}

/* A function in the main file, beside a model, that nothing calls. */
static void warn_uncalled(Checker *all, const Links *links) {
    bool has_model = false;
    for (int k = 0; k < all->checks.n; k++)
        has_model = has_model ||
                    (!all->checks.at[k]->unit->is_fn && all->checks.at[k]->unit->syn->at.file == 1);
    for (int k = 0; k < all->checks.n && has_model; k++) {
        const Unit *u = all->checks.at[k]->unit;
        bool called = false;
        for (int j = 0; j < all->checks.n; j++)
            for (int i = 0; i < links[j].to.n; i++)
                called = called || (links[j].to.at[i] == k && j != k);
        if (u->is_fn && u->syn->at.file == 1 && !called)
            warning_at(all->cx, "unused-function", u->syn->at, "nothing calls the function '%s'",
                       symbol_text(all->cx, u->name));
    }
}

/* ---- units
 * -------------------------------------------------------------------------------------------------
 */

/* Only partials, and they have no derivatives inside: an argument stands for itself there. */
static bool check_extern_body(Check *c) {
    int before = c->cx->errors;
    for (int k = 0; k < c->body->nkids; k++) {
        if (c->body->kid[k]->kind == SYN_PARTIAL) continue;
        error_at(
            c->cx, c->body->kid[k]->whole,
            "what an extern function computes is written in C: here stands partial(...) alone");
        note_at(c->cx, c->unit->syn->at, "'%s' is extern", symbol_text(c->cx, c->unit->name));
        break;
    }
    return c->cx->errors == before;
}

static void check_unit(Check *c) {
    Unit *u = c->unit;
    Context *cx = c->cx;
    int before = cx->errors;
    if (u->is_extern && !check_extern_body(c)) return;
    collect_body(c);
    c->must_fix = arena_alloc(cx->arena, (size_t)(u->dims.n + 1) * sizeof *c->must_fix);
    check_dependencies(c);
    check_ranges(c);
    check_coverage(c);
    check_equations(c);
    for (int k = 0; k < u->dims.n; k++)
        if (u->dims.at[k].until) check_until(c, &u->dims.at[k]);
    c->reached = arena_alloc(c->cx->arena, (size_t)(c->arrays.n + 1) * sizeof *c->reached);
    for (int k = 0; k < c->body->nkids; k++) {
        if (c->body->kid[k]->kind == SYN_PARTIAL) check_partial(c, c->body->kid[k]);
        if (c->body->kid[k]->kind == SYN_DERIVE) check_derive(c, c->body->kid[k]);
    }
    check_loops(c);
    if (!u->is_fn && u->outputs.n == 0 && u->derives.n == 0 && cx->errors == before)
        error_at(cx, u->syn->at, "the model '%s' gives nothing: it has no output",
                 symbol_text(cx, u->name));
    if (u->is_fn && !u->is_extern) check_carries(c);
    for (int k = 0; k < u->dims.n && u->recursive; k++) c->must_fix[k] = true;
    if (cx->errors == before) warn_unused(c);
}

static void add_unit(Checker *all, const Syn *s) {
    Context *cx = all->cx;
    bool is_extern = s->kind == SYN_EXTERN, is_fn = s->kind == SYN_FN || is_extern;
    for (int k = 0; k < all->checks.n; k++) {
        const Unit *u = all->checks.at[k]->unit;
        if (u->is_fn != is_fn || u->name != s->name) continue;
        error_at(cx, s->at, "'%s' is declared twice", s->text);
        note_at(cx, u->syn->at, "first here");
        return;
    }
    if (is_fn && is_built_in(s->text)) {
        error_at(cx, s->at, "'%s' is built in", s->text);
        return;
    }
    Check *c = arena_alloc(cx->arena, sizeof *c);
    c->cx = cx;
    c->all = all;
    c->unit = arena_alloc(cx->arena, sizeof *c->unit);
    c->unit->name = s->name;
    c->unit->is_fn = is_fn;
    c->unit->is_extern = is_extern;
    c->unit->syn = s;
    c->body = s->kid[is_fn ? 2 : 0];
    c->nnames = all->nnames;
    c->names = arena_alloc(cx->arena, (size_t)c->nnames * sizeof *c->names);
    size_t room = 1;
    for (int k = 0; k < c->body->nkids; k++)
        if (c->body->kid[k]->kind == SYN_DIMS) room += (size_t)c->body->kid[k]->nkids;
    c->fixed = arena_alloc(cx->arena, room * sizeof *c->fixed);
    c->fixed_by = arena_alloc(cx->arena, room * sizeof *c->fixed_by);
    VEC_PUSH(cx->arena, all->checks, c);
    if (is_fn) all->functions[s->name] = c;
}

/* Callees before callers. Functions that call each other in a circle have no end that could be
 * seen. */
static void check_units(Checker *all) {
    Context *cx = all->cx;
    int n = all->checks.n, *order, *start;
    Links *links = arena_alloc(cx->arena, (size_t)(n + 1) * sizeof *links);
    for (int k = 0; k < n; k++)
        find_calls(all, all->checks.at[k]->body, arena_alloc(cx->arena, (size_t)n * sizeof(bool)),
                   &links[k]);
    int comps = components(cx->arena, n, links, &order, &start);
    for (int g = 0; g < comps; g++) {
        int many = start[g + 1] - start[g];
        bool ends = true; /* partials of extern functions are followed only as far as is asked */
        for (int k = start[g]; k < start[g + 1]; k++)
            ends = ends && all->checks.at[order[k]]->unit->is_extern;
        if (many > 1 && !ends) {
            const char *names = "";
            for (int k = start[g]; k < start[g + 1]; k++) {
                Check *c = all->checks.at[order[k]];
                names = arena_format(cx->arena, "%s%s%s", names, k == start[g] ? "" : " and ",
                                     symbol_text(cx, c->unit->name));
                c->broken = c->checked = true;
            }
            error_at(cx, all->checks.at[order[start[g]]]->unit->syn->at,
                     "%s call each other; only a function that calls itself with smaller sizes may",
                     names);
        }
    }
    for (int pass = 0; pass < 2; pass++) /* functions, then models */
        for (int g = 0; g < comps; g++)
            for (int k = start[g]; k < start[g + 1]; k++) {
                Check *c = all->checks.at[order[k]];
                if (c->unit->is_fn != (pass == 0) || c->checked) continue;
                c->checked = true;
                if (!c->broken) check_unit(c);
                VEC_PUSH(cx->arena, all->program->units, c->unit);
            }
    for (int k = 0; k < n; k++)
        if (!all->checks.at[k]->unit->is_fn)
            VEC_PUSH(cx->arena, all->program->models, all->checks.at[k]->unit);
    if (cx->errors == 0) warn_uncalled(all, links);
}

/* -D names an open dimension of a model; what it cannot fix is refused here, before anything rests
 * on it. */
static void check_fixes(Checker *all) {
    Context *cx = all->cx;
    for (int f = 0; f < all->nfix; f++) {
        const DimFix *fix = &all->fix[f];
        VEC(const char *) open = {0};
        bool known = false;
        if (fix->value < 1) {
            error_at(cx, (Span){0}, "-D %s=%lld: a size is at least 1", fix->name,
                     (long long)fix->value);
            continue;
        }
        for (int k = 0; k < all->checks.n; k++) {
            const Check *c = all->checks.at[k];
            for (int s = 0; s < c->body->nkids && !c->unit->is_fn; s++)
                for (int d = 0; d < c->body->kid[s]->nkids && c->body->kid[s]->kind == SYN_DIMS;
                     d++) {
                    const Syn *dim = c->body->kid[s]->kid[d];
                    if (dim->nkids == 0) VEC_PUSH(cx->arena, open, dim->text);
                    if (strcmp(dim->text, fix->name)) continue;
                    known = true;
                    if (dim->nkids == 0) continue;
                    if (dim->kid[0]->kind == SYN_NUMBER && atoll(dim->kid[0]->text) == fix->value)
                        continue;
                    error_at(cx, (Span){0}, "-D %s=%lld: the source fixes this dimension: %s = %s",
                             fix->name, (long long)fix->value, dim->text,
                             source_slice(cx, dim->kid[0]->whole));
                }
        }
        if (!known)
            error_at(cx, (Span){0}, "-D %s=%lld: no model has such a dimension%s", fix->name,
                     (long long)fix->value, did_you_mean(cx, fix->name, open.at, open.n));
    }
}

/* ---- files
 * -------------------------------------------------------------------------------------------------
 */

typedef struct Loader {
    Checker *all;
    VEC(const char *) seen; /* real paths */
    VEC(const Syn *) tops;  /* models and functions, used files first */
} Loader;

/* The real path of a file that exists, else NULL. */
static const char *identity(Context *cx, const char *path) {
    char *real = realpath(path, NULL);
    if (!real) return NULL;
    const char *kept = arena_text(cx->arena, real, strlen(real));
    free(real);
    return kept;
}

static const char *beside(Context *cx, const char *file, const char *name) {
    const char *slash = strrchr(file, '/');
    if (name[0] == '/' || !slash) return name;
    return arena_format(cx->arena, "%.*s/%s", (int)(slash - file), file, name);
}

static bool seen(Loader *l, const char *identity) {
    for (int k = 0; k < l->seen.n; k++)
        if (!strcmp(l->seen.at[k], identity)) return true;
    VEC_PUSH(l->all->cx->arena, l->seen, identity);
    return false;
}

static bool too_deep(Loader *l, const Syn *use, int depth) {
    if (depth < MOST_USE_DEPTH) return false;
    error_at(l->all->cx, use->at, "files use each other more than %d deep", MOST_USE_DEPTH);
    return true;
}

static void load(Loader *l, const char *path, uint32_t file, int depth);

/* A name with LIBRARY_PREFIX is never looked for on the disk, nor the other way round, so that a
 * model means the same wherever it is compiled. */
static void load_library(Loader *l, const Syn *use, int depth) {
    Context *cx = l->all->cx;
    const LibraryFile *file = library_find(use->text);
    if (file) {
        if (!seen(l, file->name) && !too_deep(l, use, depth))
            load(l, file->name, library_read(cx, file), depth + 1);
        return;
    }
    error_at(cx, use->at, "the library has no file '%s'%s", use->text,
             did_you_mean(cx, use->text, library_names(cx), library_file_count));
    note_at(cx, (Span){0},
            "names that begin with \"" LIBRARY_PREFIX
            "\" are the library's, which is a part of gradc: `gradc --library` lists it");
}

static void load_use(Loader *l, const char *file, const Syn *use, int depth) {
    Context *cx = l->all->cx;
    if (library_name(use->text)) {
        load_library(l, use, depth);
        return;
    }
    const char *path = beside(cx, file, use->text), *real = identity(cx, path), *why = NULL;
    for (int k = 0; k < cx->include.n && !real && use->text[0] != '/'; k++) {
        path = arena_format(cx->arena, "%s/%s", cx->include.at[k], use->text);
        real = identity(cx, path);
    }
    if (!real) {
        error_at(cx, use->at, "no file '%s'", use->text);
        note_at(cx, (Span){0},
                cx->include.n ? "looked for beside this file and in the folders of -I"
                              : "looked for beside this file; -I adds folders");
        return;
    }
    if (seen(l, real) || too_deep(l, use, depth)) return;
    uint32_t number = source_read(cx, path, &why);
    if (number) VEC_PUSH(cx->arena, l->all->program->files, path);
    if (number) load(l, path, number, depth + 1);
    else error_at(cx, use->at, "cannot read '%s': %s", path, why ? why : "unknown reason");
}

/* Parses a source and loads what it uses. `path`: where the names of its `use` begin. */
static void load(Loader *l, const char *path, uint32_t file, int depth) {
    Context *cx = l->all->cx;
    const Syn *tree = parse_program(cx, file);
    for (int k = 0; tree && k < tree->nkids; k++)
        if (tree->kid[k]->kind == SYN_USE) load_use(l, path, tree->kid[k], depth);
    for (int k = 0; tree && k < tree->nkids; k++)
        if (tree->kid[k]->kind == SYN_MODEL || tree->kid[k]->kind == SYN_FN ||
            tree->kid[k]->kind == SYN_EXTERN)
            VEC_PUSH(cx->arena, l->tops, tree->kid[k]);
}

Program *check_program(Context *cx, const char *path, int nfix, const DimFix *fix) {
    Checker all = {
        .cx = cx, .program = arena_alloc(cx->arena, sizeof *all.program), .nfix = nfix, .fix = fix};
    Loader l = {.all = &all};
    const char *real = identity(cx, path), *why = NULL;
    if (real) VEC_PUSH(cx->arena, l.seen, real);
    int before = cx->errors;
    uint32_t file = source_read(cx, path, &why);
    if (!file) {
        error_at(cx, (Span){0}, "cannot read '%s': %s", path, why ? why : "unknown reason");
        return NULL;
    }
    VEC_PUSH(cx->arena, all.program->files, path);
    load(&l, path, file, 0);
    if (cx->errors > before)
        return NULL; /* a text that could not be read would only make more of them */
    all.pi = symbol_of(cx, "pi");
    all.kernel_size = symbol_of(cx, "N");
    all.nnames = (uint32_t)cx->names.n;
    all.functions = arena_alloc(cx->arena, (size_t)all.nnames * sizeof *all.functions);
    for (int k = 0; k < l.tops.n; k++) add_unit(&all, l.tops.at[k]);
    check_fixes(&all);
    if (cx->errors > before) return NULL;
    for (int k = 0; k < all.checks.n; k++)
        if (all.checks.at[k]->unit->is_fn) collect_head(all.checks.at[k]);
    check_units(&all);
    return cx->errors > before ? NULL : all.program;
}
