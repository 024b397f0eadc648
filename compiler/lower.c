/* lower: a checked program becomes a graph.
 * In: one model and the functions it uses. Out: arrays: inputs, equations, what calls made of
 * functions, and every derivative that was asked for. A call is an instance: its arguments and
 * equations become arrays over the caller's indices that they depend on. Arguments are arrays of
 * their own, so that a derivative by an argument is not one by what was passed. */
#include "cname.h"
#include "compose.h"
#include "contract.h"
#include "differentiate.h"
#include "kernel.h"
#include "ops.h"
#include "passes.h"
#include "paths.h"
#include "sparse.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INSTANCES_DEEP = 64 };

/* An array without some of its last indices: array[lead ..., free axes ...]. */
typedef struct View {
    ArrayRef array;
    int nlead;
    const Ref *lead;
} View;

typedef struct Bound { /* a variable of a unit, in one instance */
    View view;         /* lead: the instance's indices that it is over */
    Ref constant;      /* a const without axes */
} Bound;

typedef struct Instance {
    const Unit *unit;
    Scope scope;       /* the caller's indices that arguments depend on, and its conditions */
    const Poly **dim;  /* per unit->dims: its value; of an until, the read of `count` */
    const Poly **room; /* per unit->dims: the most that it can be, over open dimensions */
    ArrayRef *count; /* per unit->dims: of an until, the array of the sizes that it finds, else 0 */
    uint8_t *found;  /* per unit->dims: of an until, 1: its condition is being lowered, 2: it is */
    Bound *bound;    /* per unit->variables */
    int nkey;
    const Ref *key; /* arguments, for finding a call that was made before */
    int depth;
    const char *name; /* prefix of the names of its arrays */
    int next;         /* in Lower.called: 1 + the next one, 0: none */
} Instance;

typedef struct Binding {
    const struct Binding *up;
    Symbol name;
    Ref term;
} Binding;

typedef struct Known { /* a derivative made before */
    Ref of;
    ArrayRef by;
    Ref guard;
    Adjoint adjoint;
} Known;

typedef struct Moved { /* a directional derivative made before */
    Ref of;
    ArrayRef by;
    Ref value, guard, result;
} Moved;

typedef struct Made { /* a kernel array made before */
    KernelKind kind;
    Ref matrix, given, guard;
    View view;
} Made;

typedef struct Field { /* a name of the C arguments that a request adds */
    const char *name;
    ArrayRef array, like; /* like: of a seed, what it has the shape of */
    Span at;
} Field;

typedef struct Lower {
    Context *cx;
    Graph *g;
    bool as_written; /* of LowerOptions */
    VEC(Instance *) instances;
    VEC(int) called; /* a hash table of 1 + the first of these with a key, see Instance.next */
    VEC(const Unit *) externs; /* by Graph.externs */
    VEC(Known) known;
    VEC(Moved) moved;
    VEC(Made) made;
    Instance *in;
    Scope scope; /* all indices in force */
    const Binding *binding;
    const Variable *defining; /* whose equation is being lowered, if it is part of a recurrence */
    const Equation *equation;
    const Ref *place; /* its left positions */
    VEC(Field) fields;
    VEC(int) claimed; /* by Symbol: 1 + the field of this name */
    int requests[8];  /* by kind: how many there are */
    bool broken;
} Lower;

static Ref lower_expr(Lower *l, const Syn *e);
static Bound lower_call(Lower *l, const Syn *e);

static void not_yet(Lower *l, Span at, const char *what) {
    error_at(l->cx, at, "%s: not yet", what);
    l->broken = true;
}

/* ---- names and sizes
 * --------------------------------------------------------------------------------------------------
 */

static void instance_dims(Lower *l, Instance *in) {
    size_t n = (size_t)in->unit->dims.n + 1;
    in->dim = arena_alloc(l->g->arena, n * sizeof *in->dim);
    in->room = arena_alloc(l->g->arena, n * sizeof *in->room);
    in->count = arena_alloc(l->g->arena, n * sizeof *in->count);
    in->found = arena_alloc(l->g->arena, n);
}

static const Poly *lower_size(Lower *l, const Instance *in, const Poly *p) {
    uint32_t *var = arena_alloc(l->g->arena, (size_t)(in->unit->dims.n + 1) * sizeof *var);
    for (int k = 0; k < in->unit->dims.n; k++) {
        var[k] = in->unit->dims.at[k].name;
    }
    return poly_subst_all(l->g->arena, p, in->unit->dims.n, var, in->dim);
}

/* The most that a size can be: the extent of an array, or what an index runs over. */
static const Poly *lower_room(Lower *l, const Instance *in, const Poly *p) {
    uint32_t *var = arena_alloc(l->g->arena, (size_t)(in->unit->dims.n + 1) * sizeof *var);
    for (int k = 0; k < in->unit->dims.n; k++) {
        const Dim *d = &in->unit->dims.at[k];
        var[k] = d->name;
        for (int t = 0; t < p->n; t++) {
            bool has = false;
            for (int v = 0; v < p->term[t].nvars; v++) {
                has = has || p->term[t].var[v] == d->name;
            }
            if (has && p->term[t].num < 0 && !poly_equal(in->dim[k], in->room[k])) {
                error_at(l->cx, d->at,
                         "%s is found while it runs: a size can grow with it, but %s would shrink",
                         symbol_text(l->cx, d->name), size_text(l->cx, p));
                l->broken = true;
            }
        }
    }
    return poly_subst_all(l->g->arena, p, in->unit->dims.n, var, in->room);
}

/* Does the value hold a size that an iteration finds? */
static bool has_count(const Graph *g, const Poly *p) {
    for (int t = 0; t < p->n; t++) {
        for (int v = 0; v < p->term[t].nvars; v++) {
            if (NODE(g, p->term[t].var[v])->op == OP_READ) {
                return true;
            }
        }
    }
    return false;
}

/* index < size; 0 where the range of the index says so. */
static Ref below_count(Graph *g, Ref index, const Poly *size) {
    return has_count(g, size) ? graph_op2(g, OP_lt, index, graph_of_poly(g, size)) : 0;
}

static const char *name_in(Lower *l, const Instance *in, Symbol name) {
    const char *text = symbol_text(l->cx, name);
    if (!in->name) {
        return text;
    }
    if (in->unit->result && in->unit->result->name == name && !in->unit->is_extern) {
        return in->name;
    }
    return arena_format(l->g->arena, "%s_%s", in->name, text);
}

static ValueType value_type(const Lower *l, SynType t) {
    switch (t.base) {
    case TYPE_BOOL: return VALUE_BOOL;
    case TYPE_INT:
    case TYPE_INDEX: return VALUE_INT;
    case TYPE_FLOAT: return VALUE_FLOAT;
    case TYPE_DOUBLE: return VALUE_DOUBLE;
    default: return l->g->real;
    }
}

/* ---- reads
 * ---------------------------------------------------------------------------------------------------------------
 */

static bool is_plain_position(Graph *g, const Poly *p) {
    const uint32_t *vars;
    int n = poly_vars(g->arena, p, &vars);
    for (int k = 0; k < n; k++) {
        const Node *v = NODE(g, vars[k]);
        if (v->op != OP_INDEX && v->op != OP_DIM &&
            !(v->op == OP_READ && ARRAY(g, v->aux)->counts)) {
            return false;
        }
    }
    return true;
}

static Ref lower_quotient(Lower *l, const Syn *e);

/* A position: quotients are whole here; what data says is checked when it runs, unless its type
 * keeps it inside. */
static Ref lower_position(Lower *l, const Syn *e, const Poly *extent, const Ref *before) {
    Graph *g = l->g;
    if (e->kind == SYN_OP && !strcmp(e->text, "?:")) {
        Ref c = lower_expr(l, e->kid[0]);
        if (graph_is_true(g, c) || graph_is_false(g, c)) {
            return lower_position(l, e->kid[graph_is_true(g, c) ? 1 : 2], extent, before);
        }
        Scope outer = l->scope;
        l->scope = scope_copy(g, &outer);
        scope_guard(g, &l->scope, c);
        Ref yes = lower_position(l, e->kid[1], extent, before);
        l->scope = scope_copy(g, &outer);
        scope_guard(g, &l->scope, graph_not(g, c));
        Ref no = lower_position(l, e->kid[2], extent, before);
        l->scope = outer;
        return graph_select(g, c, yes, no);
    }
    Ref r = lower_quotient(l, e);
    if (NODE(g, r)->type != VALUE_INT) {
        bug("a position that is no integer passed the checker");
    }
    if (is_plain_position(g, graph_poly(g, r))) {
        return r;
    }
    bool typed = e->info && e->info->type.base == TYPE_INDEX;
    if (before) {
        return graph_checked(g, r, graph_int(g, 0), *before);
    }
    return typed ? r : graph_checked(g, r, graph_int(g, 0), graph_of_poly(g, extent));
}

/* Integer arithmetic in which / is the exact quotient. */
static Ref lower_quotient(Lower *l, const Syn *e) {
    Graph *g = l->g;
    if (e->kind != SYN_OP || e->nkids > 2 || !strchr("+-*/n", e->text[0])) {
        return lower_expr(l, e);
    }
    Ref x = lower_quotient(l, e->kid[0]), y = e->nkids > 1 ? lower_quotient(l, e->kid[1]) : 0;
    int64_t by;
    if (e->text[0] == '/' && NODE(g, x)->type == VALUE_INT && graph_is_int(g, y, &by) && by != 0) {
        return graph_of_poly(
            g, poly_scale(g->arena, graph_poly(g, x), by < 0 ? -1 : 1, by < 0 ? -by : by));
    }
    return y ? graph_op2(g, op_symbol(e->text, 2), x, y) : graph_op1(g, OP_neg, x);
}

static Ref read_view(Lower *l, View v, int n, const Ref *positions) {
    Graph *g = l->g;
    Ref *all = arena_alloc(g->arena, (size_t)(v.nlead + n + 1) * sizeof *all);
    for (int k = 0; k < v.nlead; k++) {
        all[k] = v.lead[k];
    }
    for (int k = 0; k < n; k++) {
        all[v.nlead + k] = positions[k];
    }
    return graph_read(g, v.array, all);
}

/* The positions of x[...] on an array whose free axes start at `from`. */
static Ref *lower_positions(Lower *l, const Syn *positions, View v, const Variable *of) {
    Graph *g = l->g;
    const Syn *items = positions->kid[0];
    Ref *out = arena_alloc(g->arena, (size_t)(items->nkids + 1) * sizeof *out);
    for (int k = 0; k < items->nkids; k++) {
        bool own = of && l->defining && of->group == l->defining->group &&
                   of->unit == l->defining->unit && k < l->equation->n &&
                   (of->earlier_by_data >> k & 1);
        out[k] = lower_position(l, items->kid[k], ARRAY(g, v.array)->extent[v.nlead + k],
                                own ? &l->place[k] : NULL);
    }
    return out;
}

static const Bound *find_bound(Lower *l, Symbol name, const Variable **of) {
    int k = unit_place(l->in->unit, name);
    if (k < 0) {
        bug("the name '%s' passed the checker and is not known", symbol_text(l->cx, name));
    }
    if (of) {
        *of = l->in->unit->variables.at[k];
    }
    return &l->in->bound[k];
}

static Ref lower_read(Lower *l, const Syn *e) {
    const Variable *of;
    const Bound *b = find_bound(l, e->name, &of);
    if (b->constant) {
        return b->constant;
    }
    if (!b->view.array) {
        return graph_real(l->g, l->g->real, 0); /* its equations were refused */
    }
    Ref *positions = e->kind == SYN_AT ? lower_positions(l, e->kid[0], b->view, of) : NULL;
    return read_view(l, b->view, e->kind == SYN_AT ? e->kid[0]->kid[0]->nkids : 0, positions);
}

/* ---- derivatives as values
 * --------------------------------------------------------------------------------------------------
 */

static View lower_view(Lower *l, const Syn *e);

/* For `gradc check`: `value` is claimed to be the derivative of the term as arrays move. */
static void record_motion(Lower *l, const Scope *scope, Ref of, int n, const Motion *along,
                          Ref value, Span at) {
    Graph *g = l->g;
    value = value ? value : graph_real(g, (ValueType)NODE(g, of)->type, 0);
    Gradient record = {.of = of, .at = at};
    VEC(Ref) terms = {0};
    VEC_PUSH(g->arena, terms, of);
    VEC_PUSH(g->arena, terms, value);
    for (int m = 0; m < n; m++) {
        VEC_PUSH(g->arena, record.along, along[m]);
        VEC_PUSH(g->arena, terms, along[m].value);
        for (int k = 0; k < along[m].nlead; k++) {
            VEC_PUSH(g->arena, terms, along[m].lead[k]);
        }
    }
    Scope context = scope_part(g, scope, terms.n, terms.at);
    for (int k = 0; k < context.n; k++) {
        VEC_PUSH(g->arena, record.context, context.index[k]);
    }
    record.result = graph_array_over(g, "along", &context, value, at, NULL);
    VEC_PUSH(g->arena, g->gradients, record);
}

/* The same for a gradient: `result` has the scope's axes and those of `by`. */
static void record_gradient(Lower *l, const Scope *scope, Ref of, ArrayRef by, ArrayRef result,
                            Span at) {
    Gradient record = {.of = of, .by = by, .result = result, .at = at};
    for (int k = 0; k < scope->n; k++) {
        VEC_PUSH(l->g->arena, record.context, scope->index[k]);
    }
    VEC_PUSH(l->g->arena, l->g->gradients, record);
}

static const Adjoint *lower_adjoint(Lower *l, const Syn *e, const Syn *by, Span at) {
    Graph *g = l->g;
    Ref term = lower_expr(l, e);
    const Bound *b = find_bound(l, by->name, NULL);
    if (NODE(g, term)->type < VALUE_FLOAT) {
        term = graph_cast(g, g->real, term);
    }
    for (int k = 0; k < l->known.n; k++) {
        if (l->known.at[k].of == term && l->known.at[k].by == b->view.array &&
            l->known.at[k].guard == l->scope.guard) {
            return &l->known.at[k].adjoint;
        }
    }
    Known n = {.of = term, .by = b->view.array, .guard = l->scope.guard};
    differentiate(g, term, &l->scope, 1, &b->view.array, &n.adjoint);
    VEC_PUSH(g->arena, l->known, n);
    Scope context = scope_part(g, &l->scope, 1, &term);
    record_gradient(l, &context, term, b->view.array,
                    adjoint_array(g, &l->known.at[l->known.n - 1].adjoint, &context, NULL, at), at);
    return &l->known.at[l->known.n - 1].adjoint;
}

static Ref lower_grad_at(Lower *l, const Syn *call, int n, const Ref *positions) {
    Graph *g = l->g;
    const Syn *args = call->kid[0];
    const Adjoint *adj = lower_adjoint(l, args->kid[0], args->kid[1], call->whole);
    const Bound *b = find_bound(l, args->kid[1]->name, NULL);
    Ref *all = arena_alloc(g->arena, (size_t)(b->view.nlead + n + 1) * sizeof *all);
    for (int k = 0; k < b->view.nlead; k++) {
        all[k] = b->view.lead[k];
    }
    for (int k = 0; k < n; k++) {
        all[b->view.nlead + k] = positions[k];
    }
    return adjoint_at(g, adj, all);
}

/* dir(e, x, v): v is over the axes of x that are left. */
static Ref lower_dir(Lower *l, const Syn *call) {
    Graph *g = l->g;
    const Syn *args = call->kid[0];
    Ref term = lower_expr(l, args->kid[0]);
    const View x = find_bound(l, args->kid[1]->name, NULL)->view;
    if (!x.array) {
        return graph_real(g, g->real, 0); /* its equations were refused */
    }
    int own = ARRAY(g, x.array)->rank - x.nlead;
    ValueType type = ARRAY(g, x.array)->type;
    Ref *index = arena_alloc(g->arena, (size_t)(own + 1) * sizeof *index), value;
    for (int k = 0; k < own; k++) {
        index[k] = graph_axis(g, k, ARRAY(g, x.array)->extent[x.nlead + k]);
    }
    if (own) {
        View v = lower_view(l, args->kid[2]);
        value = v.array ? read_view(l, v, own, index) : graph_real(g, type, 0);
    } else {
        value = lower_expr(l, args->kid[2]);
    }
    if (NODE(g, term)->type < VALUE_FLOAT) {
        term = graph_cast(g, g->real, term);
    }
    Moved n = {
        .of = term, .by = x.array, .value = graph_cast(g, type, value), .guard = l->scope.guard};
    for (int k = 0; k < l->moved.n; k++) {
        const Moved *m = &l->moved.at[k];
        if (m->of == n.of && m->by == n.by && m->value == n.value && m->guard == n.guard) {
            return m->result;
        }
    }
    Motion motion = {
        .of = x.array, .nlead = x.nlead, .lead = x.lead, .index = index, .value = n.value};
    n.result = differentiate_along(g, term, &l->scope, 1, &motion);
    if (!n.result) {
        n.result = graph_real(g, (ValueType)NODE(g, term)->type, 0);
    }
    VEC_PUSH(g->arena, l->moved, n);
    record_motion(l, &l->scope, term, 1, &motion, n.result, call->whole);
    return n.result;
}

/* ---- arrays as arguments
 * ------------------------------------------------------------------------------------------------------
 */

/* One list behind the other; either may be empty. */
static void refs_join(Ref *out, int n, const Ref *x, int m, const Ref *y) {
    for (int k = 0; k < n + m; k++) {
        out[k] = k < n ? x[k] : y[k - n];
    }
}

static View lower_view(Lower *l, const Syn *e) {
    Graph *g = l->g;
    View v = {0};
    if (e->kind == SYN_NAME || e->kind == SYN_AT) {
        const Variable *of;
        v = find_bound(l, e->name, &of)->view;
        if (e->kind == SYN_AT && v.array) {
            int n = e->kid[0]->kid[0]->nkids;
            Ref *p = lower_positions(l, e->kid[0], v, of),
                *lead = arena_alloc(g->arena, (size_t)(v.nlead + n) * sizeof *lead);
            refs_join(lead, v.nlead, v.lead, n, p);
            v.nlead += n;
            v.lead = lead;
        }
    } else if (e->kind == SYN_CALL && !strcmp(e->text, "grad")) {
        const Syn *args = e->kid[0];
        const Adjoint *adj = lower_adjoint(l, args->kid[0], args->kid[1], e->whole);
        const Bound *b = find_bound(l, args->kid[1]->name, NULL);
        const Ref *terms = b->view.lead;
        Scope whole = scope_copy(g, &l->scope), context = {.guard = whole.guard};
        Ref *free =
            arena_alloc(g->arena, (size_t)(adj->ncontext + b->view.nlead + 1) * sizeof *free);
        int n = 0;
        for (int k = 0; k < b->view.nlead; k++) {
            free[n++] = terms[k];
        }
        for (int k = 0; k < adj->ncontext; k++) {
            free[n++] = adj->context[k];
        }
        for (int k = 0; k < ARRAY(g, adj->of)->rank; k++) {
            if (adj->pin[k]) {
                free = memcpy(arena_alloc(g->arena, (size_t)(n + 2) * sizeof *free), free,
                              (size_t)n * sizeof *free);
                free[n++] = adj->pin[k];
            }
        }
        context = scope_part(g, &whole, n, free);
        v.array = adjoint_array(g, adj, &context, NULL, e->whole);
        Ref *lead = arena_alloc(g->arena, (size_t)(context.n + b->view.nlead + 1) * sizeof *lead);
        refs_join(lead, context.n, context.index, b->view.nlead, b->view.lead);
        v.lead = lead, v.nlead = context.n + b->view.nlead;
    } else if (e->kind == SYN_CALL) {
        v = lower_call(l, e).view;
    } else if (e->kind == SYN_ENTRY) {
        View inner = lower_view(l, e->kid[0]);
        int n = e->kid[1]->kid[0]->nkids;
        Ref *p = lower_positions(l, e->kid[1], inner, NULL),
            *lead = arena_alloc(g->arena, (size_t)(inner.nlead + n) * sizeof *lead);
        refs_join(lead, inner.nlead, inner.lead, n, p);
        v = (View){inner.array, inner.nlead + n, lead};
    }
    return v;
}

/* ---- equations
 * --------------------------------------------------------------------------------------------------------------------
 */

typedef struct Body { /* one equation, lowered */
    Scope scope;      /* the instance's, then one index per left position that has one */
    Ref term;
    Ref *place; /* left positions */
    const Poly **lo, **hi;
    /* The same where they depend on the end of an iteration; then lo and hi are as far as they can
     * be, and this is the condition, over the left positions: */
    const Poly **from, **to;
    Ref guard;
    Span at;
} Body;

static Body lower_equation(Lower *l, const Instance *in, const Variable *v, const Equation *q,
                           bool cyclic) {
    Graph *g = l->g;
    Body b = {.at = q->syn->whole};
    const Binding *outer = l->binding;
    Scope outside = l->scope;
    b.scope = scope_copy(g, &in->scope);
    b.place = arena_alloc(g->arena, (size_t)(q->n + 1) * sizeof *b.place);
    b.lo = arena_alloc(g->arena, (size_t)(q->n + 1) * sizeof *b.lo);
    b.hi = arena_alloc(g->arena, (size_t)(q->n + 1) * sizeof *b.hi);
    b.from = arena_alloc(g->arena, (size_t)(q->n + 1) * sizeof *b.from);
    b.to = arena_alloc(g->arena, (size_t)(q->n + 1) * sizeof *b.to);
    l->binding = NULL;
    for (int k = 0; k < q->n; k++) {
        const LeftPosition *p = &q->position[k];
        const Poly *one = poly_int(g->arena, 1), *extent = lower_room(l, in, v->shape[k]);
        b.from[k] = lower_size(l, in, p->lo);
        b.to[k] = lower_size(l, in, p->hi);
        b.lo[k] = has_count(g, b.from[k]) ? poly_int(g->arena, 0) : b.from[k];
        b.hi[k] = has_count(g, b.to[k]) ? poly_sub(g->arena, extent, one) : b.to[k];
        if (p->index) {
            Ref index = graph_index(g, symbol_text(l->cx, p->index), extent);
            b.place[k] = index;
            scope_add(g, &b.scope, index, b.lo[k], b.hi[k]);
            if (has_count(g, b.from[k])) {
                b.guard =
                    graph_both(g, b.guard, graph_op2(g, OP_le, graph_of_poly(g, b.from[k]), index));
            }
            b.guard =
                graph_both(g, b.guard, below_count(g, index, poly_add(g->arena, b.to[k], one)));
            Binding *named = arena_alloc(g->arena, sizeof *named);
            *named = (Binding){l->binding, p->index,
                               graph_op2(g, OP_sub, index, graph_int(g, p->shift))};
            l->binding = named;
        } else {
            b.place[k] = graph_of_poly(g, b.from[k]);
        }
    }
    if (b.guard) {
        scope_guard(g, &b.scope, b.guard);
    }
    l->scope = b.scope;
    if (cyclic) {
        l->defining = v, l->equation = q, l->place = b.place;
    }
    b.term = lower_expr(l, q->syn->kid[1]);
    l->defining = NULL;
    l->binding = outer;
    l->scope = outside;
    return b;
}

/* The array of a variable: axes are the instance's indices in `part`, then its own. */
static ArrayRef variable_array(Lower *l, Instance *in, const Variable *v, const Scope *part,
                               ValueType type) {
    static const char *const letters[] = {"i", "j", "k",
                                          "l", "m", "n"}; /* where no equation names the axis */
    Graph *g = l->g;
    int n = part->n + v->rank;
    const Poly **extent = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *extent);
    const char **names = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *names);
    for (int k = 0; k < part->n; k++) {
        extent[k] = EXTENT(g, part->index[k]);
        names[k] = g->indices.at[NODE(g, part->index[k])->aux].name;
    }
    for (int k = 0; k < v->rank; k++) {
        extent[part->n + k] = lower_room(l, in, v->shape[k]);
        names[part->n + k] = k < 6 ? letters[k] : "i";
        for (int q = 0; q < v->equations.n; q++) {
            if (v->equations.at[q]->n > k && v->equations.at[q]->position[k].index) {
                names[part->n + k] = symbol_text(l->cx, v->equations.at[q]->position[k].index);
            }
        }
    }
    ArrayRef a = graph_array(g, name_in(l, in, v->name), type, n, extent, names);
    if (!in->name) {
        ARRAY(g, a)->name = symbol_text(l->cx, v->name); /* it was reserved for it */
    }
    ARRAY(g, a)->at = v->at;
    ARRAY(g, a)->keep = true;
    if (v->type.base == TYPE_INDEX && v->type.target) {
        ARRAY(g, a)->target = lower_room(l, in, v->type.target);
    }
    Bound *b = &in->bound[unit_place(in->unit, v->name)];
    b->view = (View){a, part->n, part->index};
    return a;
}

/* One piece; condition: 0, or more that must hold, over the axes. */
static void add_piece(Lower *l, ArrayRef a, const Scope *part, const Body *b, Ref condition) {
    Graph *g = l->g;
    int rank = ARRAY(g, a)->rank, own = rank - part->n;
    const Poly **lo = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *lo),
               **hi = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *hi);
    VEC(Ref) from = {0}, to = {0};
    for (int k = 0; k < part->n; k++) {
        lo[k] = part->lo[k], hi[k] = part->hi[k];
        VEC_PUSH(g->arena, from, part->index[k]);
        VEC_PUSH(g->arena, to, ARRAY(g, a)->axis[k]);
    }
    for (int k = 0; k < own; k++) {
        lo[part->n + k] = b->lo[k], hi[part->n + k] = b->hi[k];
        if (NODE(g, b->place[k])->op == OP_INDEX) {
            VEC_PUSH(g->arena, from, b->place[k]);
            VEC_PUSH(g->arena, to, ARRAY(g, a)->axis[part->n + k]);
        }
    }
    Ref guard = graph_both(g, part->guard, b->guard);
    if (graph_piece(g, a, lo, hi, graph_subst(g, b->term, from.n, from.at, to.at), b->at)) {
        guard = guard ? graph_subst(g, guard, from.n, from.at, to.at) : 0;
        ARRAY(g, a)->pieces.at[ARRAY(g, a)->pieces.n - 1].guard = graph_both(g, guard, condition);
    }
}

/* Where the equation stands, as far as the shape does not say so. */
static Ref case_condition(Lower *l, const Instance *in, const Variable *v, const Body *b,
                          const Ref *axis) {
    Graph *g = l->g;
    const Poly *one = poly_int(g->arena, 1);
    Ref c = 0;
    for (int k = 0; k < v->rank; k++) {
        if (poly_equal(b->from[k], b->to[k])) {
            c = graph_both(g, c, graph_op2(g, OP_eq, axis[k], graph_of_poly(g, b->from[k])));
            continue;
        }
        if (!poly_equal(b->from[k], poly_int(g->arena, 0))) {
            c = graph_both(g, c, graph_op2(g, OP_le, graph_of_poly(g, b->from[k]), axis[k]));
        }
        if (!poly_equal(poly_add(g->arena, b->to[k], one), lower_size(l, in, v->shape[k]))) {
            c = graph_both(g, c, graph_op2(g, OP_le, axis[k], graph_of_poly(g, b->to[k])));
        }
    }
    return c;
}

static int fixed_places(const Graph *g, const Body *b, int rank) {
    int n = 0;
    for (int k = 0; k < rank; k++) {
        n += poly_equal(b->from[k], b->to[k]) && NODE(g, b->place[k])->op != OP_INDEX;
    }
    return n;
}

/* The equations of a variable as pieces. A box has corners over sizes that are known before it
 * runs; where a case starts or ends with an iteration, all cases are one piece, which chooses. */
static void add_pieces(Lower *l, Instance *in, const Variable *v, ArrayRef a, const Scope *part,
                       int n, Body *body) {
    Graph *g = l->g;
    const Poly *one = poly_int(g->arena, 1);
    bool chosen = false;
    for (int q = 0; q < n; q++) {
        for (int k = 0; k < v->rank; k++) {
            bool whole =
                poly_equal(poly_add(g->arena, body[q].to[k], one), lower_size(l, in, v->shape[k]));
            chosen =
                chosen || has_count(g, body[q].from[k]) || (has_count(g, body[q].to[k]) && !whole);
        }
    }
    if (!chosen || v->rank == 0) {
        for (int q = 0; q < n; q++) {
            add_piece(l, a, part, &body[q], 0);
        }
        return;
    }
    for (int q = 1; q < n; q++) { /* single places first: the rest is the last case */
        for (int k = q;
             k > 0 && fixed_places(g, &body[k - 1], v->rank) < fixed_places(g, &body[k], v->rank);
             k--) {
            Body t = body[k];
            body[k] = body[k - 1], body[k - 1] = t;
        }
    }
    const Ref *axis = ARRAY(g, a)->axis + part->n;
    Ref term = 0, guard = 0;
    for (int q = n - 1; q >= 0; q--) {
        VEC(Ref) from = {0}, to = {0};
        for (int k = 0; k < part->n; k++) { /* the terms below are over the axes */
            VEC_PUSH(g->arena, from, part->index[k]);
            VEC_PUSH(g->arena, to, ARRAY(g, a)->axis[k]);
        }
        for (int k = 0; k < v->rank; k++) {
            if (NODE(g, body[q].place[k])->op == OP_INDEX) {
                VEC_PUSH(g->arena, from, body[q].place[k]);
                VEC_PUSH(g->arena, to, axis[k]);
            }
        }
        Ref mine = graph_cast(g, ARRAY(g, a)->type, body[q].term);
        mine = graph_subst(g, mine, from.n, from.at, to.at);
        if (!term) {
            term = mine;
            continue;
        }
        Ref c = case_condition(l, in, v, &body[q], axis);
        c = c ? graph_subst(g, c, from.n, from.at, to.at) : graph_bool(g, true);
        term = graph_select(g, c, mine, term);
    }
    Body all = body[0];
    for (int k = 0; k < v->rank; k++) {
        const Poly *low = v->low ? lower_size(l, in, v->low[k]) : poly_int(g->arena, 0);
        const Poly *size = lower_size(l, in, v->shape[k]);
        Ref below = below_count(g, axis[k], size);
        all.lo[k] = has_count(g, low) ? poly_int(g->arena, 0) : low;
        all.hi[k] = poly_sub(g->arena, ARRAY(g, a)->extent[part->n + k], one);
        if (has_count(g, low)) {
            guard = graph_both(g, guard, graph_op2(g, OP_le, graph_of_poly(g, low), axis[k]));
        }
        guard = graph_both(g, guard, below);
        all.place[k] = graph_int(g, 0);
    }
    guard = guard ? graph_subst(g, guard, part->n, part->index, ARRAY(g, a)->axis) : 0;
    all.term = term, all.guard = 0;
    add_piece(l, a, part, &all, guard);
}

static void lower_group(Lower *l, Instance *in, const Group *group) {
    Graph *g = l->g;
    if (group->cyclic) { /* handles first: bodies read them */
        for (int k = 0; k < group->members.n; k++) {
            const Variable *v = group->members.at[k];
            variable_array(l, in, v, &in->scope, value_type(l, v->type));
        }
        for (int k = 0; k < group->members.n; k++) {
            const Variable *v = group->members.at[k];
            ArrayRef a = in->bound[unit_place(in->unit, v->name)].view.array;
            VEC(Body) bodies = {0};
            for (int q = 0; q < v->equations.n; q++) {
                Body b = lower_equation(l, in, v, v->equations.at[q], true);
                VEC_PUSH(g->arena, bodies, b);
            }
            add_pieces(l, in, v, a, &in->scope, bodies.n, bodies.at);
        }
        return;
    }
    const Variable *v = group->members.at[0];
    if (v->equations.n == 0) {
        return;
    }
    VEC(Body) bodies = {0};
    VEC(Ref) terms = {0};
    for (int q = 0; q < v->equations.n; q++) {
        Body b = lower_equation(l, in, v, v->equations.at[q], false);
        VEC_PUSH(g->arena, bodies, b);
        VEC_PUSH(g->arena, terms, b.term);
    }
    for (int k = 0; k < v->rank; k++) {
        VEC_PUSH(g->arena, terms, graph_of_poly(g, lower_size(l, in, v->shape[k])));
    }
    /* With rules of its own, the result depends on all that they read. */
    bool ruled = v == in->unit->result && in->unit->partials.n > 0;
    Scope part = ruled ? scope_copy(g, &in->scope) : scope_part(g, &in->scope, terms.n, terms.at);
    ArrayRef a = variable_array(l, in, v, &part, value_type(l, v->type));
    add_pieces(l, in, v, a, &part, bodies.n, bodies.at);
}

/* ---- iterations until a condition
 * ------------------------------------------------------------------------------------------------
 */

/* The sizes that are found while it runs: arrays, without their equations. Until those are known,
 * each is a leaf, and what runs over the size has `index < T` as a guard. */
static void lower_counts(Lower *l, Instance *in) {
    Graph *g = l->g;
    const Scope *s = &in->scope;
    const Poly **extent = arena_alloc(g->arena, (size_t)(s->n + 1) * sizeof *extent);
    const char **names = arena_alloc(g->arena, (size_t)(s->n + 1) * sizeof *names);
    for (int k = 0; k < s->n; k++) {
        extent[k] = EXTENT(g, s->index[k]);
        names[k] = g->indices.at[NODE(g, s->index[k])->aux].name;
    }
    for (int k = 0; k < in->unit->dims.n && !l->broken; k++) {
        const Dim *d = &in->unit->dims.at[k];
        if (!d->until) {
            continue;
        }
        const Poly *most = lower_room(l, in, d->most), *one = poly_int(g->arena, 1);
        const Poly *enough = poly_sub(g->arena, most, poly_int(g->arena, d->least));
        int64_t num, den;
        if (poly_is_number(enough, &num, &den) && num < 0) {
            error_at(l->cx, d->at, "%s must be at least %lld, and is at most %s",
                     symbol_text(l->cx, d->name), (long long)d->least, size_text(l->cx, d->most));
            l->broken = true;
            return;
        }
        if (!graph_prove(g, enough, 0, NULL)) {
            VEC_PUSH(g->arena, g->demands, enough);
        }
        ArrayRef a = graph_array(g, name_in(l, in, d->name), VALUE_INT, s->n, extent, names);
        Array *array = ARRAY(g, a);
        array->counts = true, array->least = d->least;
        array->target = poly_add(g->arena, most, one);
        array->at = d->at, array->keep = true;
        in->count[k] = a;
        in->room[k] = most;
        in->dim[k] = poly_var(g->arena, graph_read(g, a, s->index));
    }
    for (int k = 0; k < in->unit->dims.n && !l->broken; k++) { /* abbreviations of more turns */
        const Dim *d = &in->unit->dims.at[k];
        bool of_count = false;
        for (int q = 0; q < in->unit->dims.n && d->means && !d->until; q++) {
            const Dim *turns = &in->unit->dims.at[q];
            of_count = of_count || (turns->until && poly_has(d->means, turns->name));
        }
        if (of_count) {
            in->dim[k] = lower_size(l, in, d->means);
            in->room[k] = lower_room(l, in, d->means);
        }
    }
}

/* Those conjuncts that tell entries of a apart. What is left says that there is a second turn at
 * all: what is wanted in every turn but the first, and is the same in all, is computed in any case.
 */
static Ref of_some_turn(Graph *g, ArrayRef a, Ref condition) {
    if (NODE(g, condition)->op == OP_and) {
        Ref x = ARG(g, condition, 0), y = ARG(g, condition, 1);
        x = of_some_turn(g, a, x);
        return graph_both(g, x, of_some_turn(g, a, y));
    }
    const Poly *fact[2];
    int n = graph_facts(g, condition, true, fact, 2);
    for (int k = 0; k < ARRAY(g, a)->rank && n; k++) {
        if (poly_has(fact[0], ARRAY(g, a)->axis[k])) {
            return condition;
        }
    }
    return n ? 0 : condition;
}

/* What the size is found from is computed in turn, up to where the condition holds: there `index <
 * T` is no question. */
static void settle_count(Lower *l, ArrayRef count) {
    Graph *g = l->g;
    Order order = graph_order(g, 1, &count);
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            Piece p = ARRAY(g, a)->pieces.at[q];
            Ref known = graph_part_with_count(g, p.guard, count, true), c = known;
            if (known) {
                p.guard = graph_part_with_count(g, p.guard, count, false);
                p.live = graph_both(g, of_some_turn(g, a, known), p.live); /* outer ones first */
            }
            while (c) { /* conjunct by conjunct, from the back */
                Ref part = NODE(g, c)->op == OP_and ? ARG(g, c, 1) : c, yes = graph_bool(g, true);
                p.body = graph_subst(g, p.body, 1, &part, &yes);
                c = NODE(g, c)->op == OP_and ? ARG(g, c, 0) : 0;
            }
            if (graph_reads(g, p.body, count) || (p.guard && graph_reads(g, p.guard, count))) {
                const char *name = ARRAY(g, count)->name;
                if (a == count) {
                    error_at(l->cx, p.at, "%s is found by a condition that needs it", name);
                } else {
                    error_at(l->cx, p.at.file ? p.at : ARRAY(g, a)->at,
                             "%s is found by a condition that needs '%s', which needs %s", name,
                             ARRAY(g, a)->name, name);
                    note_at(l->cx, ARRAY(g, count)->at, "the iteration");
                }
                l->broken = true;
                return;
            }
            ARRAY(g, a)->pieces.at[q] = p;
        }
    }
}

static void lower_until(Lower *l, Instance *in, int k) {
    Graph *g = l->g;
    const Dim *d = &in->unit->dims.at[k];
    const Syn *e = d->until;
    const Binder *binder = e->note;
    ArrayRef a = in->count[k];
    Scope outside = l->scope;
    const Binding *outer = l->binding;
    Ref index = graph_index(g, symbol_text(l->cx, binder->name), in->room[k]);
    Binding named = {NULL, binder->name, index};
    l->scope = scope_copy(g, &in->scope);
    scope_add(g, &l->scope, index, NULL, NULL);
    scope_guard(g, &l->scope, below_count(g, index, in->dim[k]));
    l->binding = &named;
    Ref condition = lower_expr(l, e->kid[1]->kid[0]);
    l->binding = outer, l->scope = outside;
    if (l->broken) {
        return;
    }
    Ref last = graph_reduce(g, RED_FIRST, index, graph_bool(g, true), condition);
    Body b = {.term = graph_op2(g, OP_add, last, graph_int(g, 1)), .at = d->at};
    add_piece(l, a, &in->scope, &b, 0);
    settle_count(l, a);
}

/* Is this name somewhere in the expression, or does a reduction in it run over it? */
static bool syn_needs(const Syn *e, Symbol name) {
    if (e->kind == SYN_NAME && e->name == name) {
        return true;
    }
    if (e->kind == SYN_REDUCE && e->note) {
        const Binder *binder = e->note;
        for (int k = 0; k < e->kid[0]->kid[0]->nkids; k++) {
            if (poly_has(binder[k].extent, name)) {
                return true;
            }
        }
    }
    for (int k = 0; k < e->nkids; k++) {
        if (syn_needs(e->kid[k], name)) {
            return true;
        }
    }
    return false;
}

static bool variable_needs(const Variable *v, Symbol size) {
    for (int k = 0; k < v->rank; k++) {
        if (poly_has(v->shape[k], size)) {
            return true;
        }
    }
    for (int q = 0; q < v->equations.n; q++) {
        if (syn_needs(v->equations.at[q]->syn, size)) {
            return true;
        }
    }
    return false;
}

static void group_reads(const Unit *u, const Syn *e, bool *wanted) {
    int k = e->kind == SYN_NAME || e->kind == SYN_AT ? unit_place(u, e->name) : -1;
    if (k >= 0 && !u->variables.at[k]->is_size) {
        wanted[u->variables.at[k]->group] = true;
    }
    for (int q = 0; q < e->nkids; q++) {
        group_reads(u, e->kid[q], wanted);
    }
}

static void find_count(Lower *l, Instance *in, int k, bool *done);

static void group_once(Lower *l, Instance *in, int at, bool *done) {
    const Unit *u = in->unit;
    const Group *group = &u->groups.at[at];
    if (done[at] || l->broken) {
        return;
    }
    done[at] = true;
    for (int k = 0; k < u->dims.n; k++) {
        bool needs = false;
        for (int m = 0; m < group->members.n && in->count[k]; m++) {
            needs = needs || variable_needs(group->members.at[m], u->dims.at[k].name);
        }
        if (needs) {
            find_count(l, in, k, done);
        }
    }
    if (!l->broken) {
        lower_group(l, in, group);
    }
}

/* The groups that the condition needs, then the condition. */
static void find_count(Lower *l, Instance *in, int k, bool *done) {
    const Unit *u = in->unit;
    bool *wanted = arena_alloc(l->g->arena, (size_t)u->groups.n + 1);
    if (in->found[k]) {
        return;
    }
    in->found[k] = 1;
    group_reads(u, u->dims.at[k].until, wanted);
    for (int q = u->groups.n - 1; q >= 0; q--) { /* groups stand behind those that they read */
        for (int m = 0; m < u->groups.at[q].members.n && wanted[q]; m++) {
            const Variable *v = u->groups.at[q].members.at[m];
            for (int i = 0; i < v->equations.n; i++) {
                group_reads(u, v->equations.at[i]->syn->kid[1], wanted);
            }
        }
    }
    for (int q = 0; q < u->groups.n; q++) {
        if (wanted[q]) {
            group_once(l, in, q, done);
        }
    }
    if (!l->broken) {
        lower_until(l, in, k);
    }
    in->found[k] = 2;
}

static void lower_constant(Lower *l, Instance *in, const Variable *v) {
    Graph *g = l->g;
    Bound *b = &in->bound[unit_place(in->unit, v->name)];
    const Instance *was = l->in;
    l->in = in;
    if (v->rank == 0) {
        b->constant = graph_cast(g, value_type(l, v->type), lower_expr(l, v->value));
    } else {
        VEC(double) table = {0};
        VEC(const Syn *) stack = {0};
        VEC_PUSH(g->arena, stack, v->value);
        while (stack.n) {
            const Syn *e = stack.at[--stack.n];
            if (e->kind == SYN_VALUES) {
                for (int k = e->nkids - 1; k >= 0; k--) {
                    VEC_PUSH(g->arena, stack, e->kid[k]);
                }
                continue;
            }
            Ref r = lower_expr(l, e);
            double value = 0;
            if (!graph_is_real(g, r, &value)) {
                error_at(l->cx, e->whole,
                         "an entry of a table is a number, made with + - * / alone");
                l->broken = true;
            }
            VEC_PUSH(g->arena, table, value);
        }
        Scope none = {0};
        ArrayRef a = variable_array(l, in, v, &none, value_type(l, v->type));
        ARRAY(g, a)->role = ARRAY_CONST;
        ARRAY(g, a)->table = table.at;
    }
    l->in = (Instance *)was;
}

static void lower_unit(Lower *l, Instance *in) {
    Instance *was = l->in;
    Scope scope = l->scope;
    const Binding *binding = l->binding;
    const Variable *defining = l->defining;
    const Equation *equation = l->equation;
    const Ref *place = l->place;
    l->in = in, l->defining = NULL, l->binding = NULL;
    l->scope = in->scope;
    lower_counts(l, in);
    for (int k = 0; k < in->unit->variables.n; k++) {
        if (in->unit->variables.at[k]->role == ROLE_CONST) {
            lower_constant(l, in, in->unit->variables.at[k]);
        }
    }
    bool *done = arena_alloc(l->g->arena, (size_t)in->unit->groups.n + 1);
    for (int k = 0; k < in->unit->dims.n && !l->broken; k++) {
        if (in->count[k]) {
            find_count(l, in, k, done);
        }
    }
    for (int k = 0; k < in->unit->groups.n && !l->broken; k++) {
        group_once(l, in, k, done);
    }
    l->in = was, l->scope = scope, l->binding = binding;
    l->defining = defining, l->equation = equation, l->place = place;
}

/* ---- rules of one's own
 * ----------------------------------------------------------------------------------------------------
 */

/* While the body is lowered, an argument with a rule is read through `held`, which no derivative
 * passes. */
static void hold_arguments(Lower *l, Instance *in) {
    Graph *g = l->g;
    for (int k = 0; k < in->unit->partials.n; k++) {
        Bound *b = &in->bound[unit_place(in->unit, in->unit->partials.at[k].argument->name)];
        const Array x = *ARRAY(g, b->view.array);
        Scope s = {0};
        for (int q = 0; q < x.rank; q++) {
            scope_add(g, &s, x.axis[q], x.pieces.at[0].lo[q], x.pieces.at[0].hi[q]);
        }
        s.guard = x.pieces.at[0].guard;
        Ref body = graph_op1(g, OP_held, graph_read(g, b->view.array, x.axis));
        b->view.array =
            graph_array_over(g, arena_format(g->arena, "%s_held", x.name), &s, body, x.at, NULL);
    }
    g->holds = true;
}

/* The names on one side of partial(...) become indices of the scope. */
static Ref *bind_side(Lower *l, const Instance *in, const Variable *v, const Syn *side) {
    Graph *g = l->g;
    Ref *index = arena_alloc(g->arena, (size_t)(v->rank + 1) * sizeof *index);
    for (int k = 0; k < v->rank; k++) {
        const Syn *name = side->kid[0]->kid[0]->kid[k];
        if (has_count(g, lower_size(l, in, v->shape[k]))) {
            not_yet(l, name->at, "partial(...) of an array that an iteration makes");
        }
        index[k] = graph_index(g, symbol_text(l->cx, name->name), lower_room(l, in, v->shape[k]));
        scope_add(g, &l->scope, index[k], NULL, NULL);
        Binding *named = arena_alloc(g->arena, sizeof *named);
        *named = (Binding){l->binding, name->name, index[k]};
        l->binding = named;
    }
    return index;
}

static void lower_rule(Lower *l, Instance *in, const Partial *rule) {
    Graph *g = l->g;
    const Unit *u = in->unit;
    const View p = in->bound[unit_place(u, u->result->name)].view,
               v = in->bound[unit_place(u, rule->argument->name)].view;
    l->scope = scope_copy(g, &in->scope);
    l->binding = NULL;
    Ref *own = bind_side(l, in, u->result, rule->syn->kid[0]),
        *index = bind_side(l, in, rule->argument, rule->syn->kid[1]);
    Ref value = graph_cast(g, ARRAY(g, p.array)->type, lower_expr(l, rule->syn->kid[2]));
    VEC(Ref) from = {0};
    for (int k = 0; k < p.nlead; k++) {
        VEC_PUSH(g->arena, from, p.lead[k]);
    }
    for (int k = 0; k < u->result->rank; k++) {
        VEC_PUSH(g->arena, from, own[k]);
    }
    Ref *lead = arena_alloc(g->arena, (size_t)(v.nlead + 1) * sizeof *lead);
    for (int k = 0; k < v.nlead; k++) {
        lead[k] = graph_subst(g, v.lead[k], from.n, from.at, ARRAY(g, p.array)->axis);
    }
    value = graph_subst(g, value, from.n, from.at, ARRAY(g, p.array)->axis);
    Order order = graph_order(g, 1, &p.array);
    bool reached = false;
    for (int k = 0; k < order.n; k++) {
        reached = reached || order.array[k] == v.array;
    }
    if (!reached) {
        error_at(l->cx, rule->syn->whole,
                 "the result does not depend on '%s', so it has no derivative by it",
                 symbol_text(l->cx, rule->argument->name));
        l->broken = true;
    }
    ArrayRule made = {.by = v.array,
                      .nlead = v.nlead,
                      .lead = lead,
                      .index = index,
                      .value = paths_release(g, value)};
    VEC_PUSH(g->arena, ARRAY(g, p.array)->rules, made);
}

/* The body, with what the source says of its derivatives. */
static void lower_ruled_unit(Lower *l, Instance *in) {
    Graph *g = l->g;
    const Unit *u = in->unit;
    size_t room = (size_t)(u->variables.n + 1) * sizeof *in->bound;
    Bound *given = memcpy(arena_alloc(g->arena, room), in->bound, room);
    hold_arguments(l, in);
    lower_unit(l, in);
    ArrayRef result = in->bound[unit_place(u, u->result->name)].view.array;
    ARRAY(g, result)->has_rules = true;
    for (int k = 0; k < u->partials.n;
         k++) { /* from here on what is made of the held arguments has twins, see paths.h */
        int place = unit_place(u, u->partials.at[k].argument->name);
        ARRAY(g, in->bound[place].view.array)->twin = given[place].view.array;
        in->bound[place] = given[place];
    }
    Instance *was = l->in;
    Scope scope = l->scope;
    const Binding *binding = l->binding;
    const Variable *defining = l->defining;
    l->in = in, l->defining = NULL;
    for (int k = 0; k < u->partials.n && !l->broken; k++) {
        lower_rule(l, in, &u->partials.at[k]);
    }
    l->in = was, l->scope = scope, l->binding = binding, l->defining = defining;
}

/* ---- functions of C
 * ------------------------------------------------------------------------------------------------------
 */

/* `real` is double in NAME and float in NAMEf, as in C's own library. */
static const char *extern_c_name(Lower *l, const Unit *u) {
    bool real = u->result->type.base == TYPE_REAL;
    for (int k = 0; k < u->params.n; k++) {
        real = real || u->params.at[k]->type.base == TYPE_REAL;
    }
    return arena_format(l->g->arena, "%s%s", symbol_text(l->cx, u->name),
                        real && l->g->real == VALUE_FLOAT ? "f" : "");
}

/* All extern functions that were read. In C nothing else may have their names. */
static void lower_externs(Lower *l, const Program *p, const Unit *model) {
    Graph *g = l->g;
    for (int i = 0; i < p->units.n; i++) {
        const Unit *u = p->units.at[i];
        if (!u->is_extern) {
            continue;
        }
        int n = u->params.n;
        ValueType *type = arena_alloc(g->arena, (size_t)n * sizeof *type);
        const char **name = arena_alloc(g->arena, (size_t)n * sizeof *name);
        Span *at = arena_alloc(g->arena, (size_t)n * sizeof *at);
        for (int k = 0; k < n; k++) {
            type[k] = value_type(l, u->params.at[k]->type);
            name[k] = symbol_text(l->cx, u->params.at[k]->name);
            at[k] = u->params.at[k]->at;
        }
        const Syn *header = u->syn->kid[3];
        Extern x = {.name = symbol_text(l->cx, u->name),
                    .c_name = extern_c_name(l, u),
                    .header = header->kind == SYN_NONE ? NULL : header->text,
                    .type = value_type(l, u->result->type),
                    .n = n,
                    .arg = type,
                    .arg_name = name,
                    .arg_at = at,
                    .lacks = arena_alloc(g->arena, (size_t)n * sizeof(bool)),
                    .at = u->syn->at};
        Symbol s = symbol_of(l->cx, x.c_name);
        const Variable *variable = unit_find(model, s);
        const Dim *dim = unit_dim(model, s);
        Span other = variable ? variable->at : dim ? dim->at : (Span){0};
        for (int k = 0; k < g->externs.n; k++) {
            other = strcmp(g->externs.at[k].c_name, x.c_name) ? other : g->externs.at[k].at;
        }
        if (other.file || !cname_is_free(x.c_name)) {
            bool same = !strcmp(x.name, x.c_name);
            error_at(l->cx, x.at, "the extern function '%s'%s: %s", x.name,
                     same ? " keeps its name in C"
                          : arena_format(g->arena, " is '%s' in C", x.c_name),
                     other.file ? "nothing else may be named so"
                                : "C or the runtime has this name for itself");
            if (other.file) {
                note_at(l->cx, other, "declared here");
            }
            l->broken = true;
        }
        graph_reserve(g, x.c_name);
        VEC_PUSH(g->arena, g->externs, x);
        VEC_PUSH(g->arena, l->externs, u);
    }
}

typedef struct Later { /* the rules of a call's result are made when a derivative wants them */
    Lower *lower;
    Instance *in;
} Later;

static void make_rules(Graph *g, ArrayRef a, void *user) {
    (void)g, (void)a;
    const Later *later = user;
    Lower *l = later->lower;
    Instance *in = later->in, *was = l->in;
    Scope scope = l->scope;
    const Binding *binding = l->binding;
    const Variable *defining = l->defining;
    l->in = in, l->defining = NULL;
    for (int k = 0; k < in->unit->partials.n && !l->broken; k++) {
        lower_rule(l, in, &in->unit->partials.at[k]);
    }
    l->in = was, l->scope = scope, l->binding = binding, l->defining = defining;
}

/* A call of a function of C: an array for its result. Arguments with a partial are held, so that a
 * derivative goes by the rule; others are not, so that it is noticed where it arrives. */
static void lower_extern(Lower *l, Instance *in, Span at) {
    Graph *g = l->g;
    const Unit *u = in->unit;
    uint32_t number = 0;
    while (l->externs.at[number] != u) {
        number++;
    }
    size_t room = (size_t)(u->variables.n + 1) * sizeof *in->bound;
    Bound *given = memcpy(arena_alloc(g->arena, room), in->bound, room);
    if (u->partials.n) {
        hold_arguments(l, in);
    }
    Ref *arg = arena_alloc(g->arena, (size_t)u->params.n * sizeof *arg);
    for (int k = 0; k < u->params.n; k++) {
        arg[k] = read_view(l, in->bound[unit_place(u, u->params.at[k]->name)].view, 0, NULL);
    }
    Body body = {.term = graph_extern(g, number, arg), .at = at};
    Scope part = scope_copy(g, &in->scope);
    ArrayRef a = variable_array(l, in, u->result, &part, g->externs.at[number].type);
    add_piece(l, a, &part, &body, 0);
    for (int k = 0; k < u->partials.n; k++) {
        int place = unit_place(u, u->partials.at[k].argument->name);
        ARRAY(g, in->bound[place].view.array)->twin = given[place].view.array;
        in->bound[place] = given[place];
    }
    if (u->partials.n) {
        Later *later = arena_alloc(g->arena, sizeof *later);
        *later = (Later){l, in};
        ARRAY(g, a)->has_rules = true;
        ARRAY(g, a)->rules_later = later;
        g->make_rules = make_rules;
    }
}

/* ---- calls
 * -------------------------------------------------------------------------------------------------------------------------
 */

/* What a kernel makes of these arguments, here. */
static View lower_kernel(Lower *l, KernelKind kind, Ref matrix, Ref given, Span at) {
    Graph *g = l->g;
    for (int k = 0; k < l->made.n; k++) {
        const Made *m = &l->made.at[k];
        if (m->kind == kind && m->matrix == matrix && m->given == given &&
            m->guard == l->scope.guard) {
            return m->view;
        }
    }
    Made m = {.kind = kind, .matrix = matrix, .given = given, .guard = l->scope.guard};
    m.view.array = kernel_array(g, &l->scope, kind, matrix, given, at, &m.view.nlead, &m.view.lead);
    VEC_PUSH(g->arena, l->made, m);
    return m.view;
}

/* A matrix that lies in memory row by row: the array itself where it is one, else a copy. */
static Ref lower_matrix(Lower *l, Ref term, Ref row, Ref column, Span at) {
    Graph *g = l->g;
    if (kernel_is_matrix(g, term)) {
        return term;
    }
    Scope s = scope_part(g, &l->scope, 1, &term);
    Ref slot[2] = {row, column}, index[2], read;
    for (int k = 0; k < 2; k++) {
        index[k] = graph_index(g, k ? "j" : "i", EXTENT(g, slot[k]));
        scope_add(g, &s, index[k], NULL, NULL);
    }
    graph_array_over(g, "matrix", &s, graph_subst(g, term, 2, slot, index), at, &read);
    return graph_subst(g, read, 2, index, slot);
}

/* Linear algebra: the factor, if there is one, and what is made of it. */
static Bound lower_algebra(Lower *l, const Syn *e, const Kernel *kernel) {
    Graph *g = l->g;
    const Syn *args = e->kid[0];
    ValueType type = value_type(l, e->info->type);
    Ref term[2] = {0, 0}, row = 0, column = 0;
    for (int k = 0; k < args->nkids; k++) {
        View v = lower_view(l, args->kid[k]);
        if (!v.array || l->broken) {
            l->broken = true;
            return (Bound){.constant = graph_real(g, g->real, 0)};
        }
        const Poly *n = ARRAY(g, v.array)->extent[v.nlead];
        row = graph_slot(g, 0, n), column = graph_slot(g, 1, n);
        Ref slots[2] = {row, column};
        term[k] = graph_cast(g, type, read_view(l, v, kernel->rank[k], slots));
    }
    Ref lower = graph_op2(g, OP_le, column, row), none = graph_real(g, type, 0);
    bool spd = kernel->kind == KERNEL_CHOLESKY || kernel->factor == KERNEL_CHOLESKY;
    if (spd) { /* of a symmetric matrix the lower triangle is looked at, and no more */
        term[0] = graph_select(g, lower, term[0], none);
    }
    if (kernel->kind == KERNEL_CHOLESKY) {
        return (Bound){.view = lower_kernel(l, kernel->kind, 0, term[0], e->whole)};
    }
    if (kernel->factor == KERNEL_COUNT) {
        term[0] = lower_matrix(l, term[0], row, column, e->whole);
    } else {
        View factor = lower_kernel(l, kernel->factor, 0, term[0], e->whole);
        const Array *f = ARRAY(g, factor.array);
        Ref slots[2] = {graph_slot(g, 0, f->extent[f->rank - 2]),
                        graph_slot(g, 1, f->extent[f->rank - 1])};
        term[0] = read_view(l, factor, 2, slots);
    }
    return (Bound){.view = lower_kernel(l, kernel->kind, term[0], term[1], e->whole)};
}

static uint32_t call_hash(const Unit *u, int n, const Ref *key, Ref guard) {
    uint32_t h = u->name * 0x9E3779B1u ^ guard;
    for (int k = 0; k < n; k++) {
        h = (h ^ key[k] ^ h >> 15) * 0x85EBCA6Bu;
    }
    return h ^ h >> 16;
}

/* Where calls with these arguments are. */
static uint32_t called_slot(Lower *l, const Instance *in, int n, const Ref *key) {
    if (l->instances.n * 2 >= l->called.n) {
        int room = l->called.n ? 2 * l->called.n : 64;
        l->called.at = arena_alloc(l->g->arena, (size_t)room * sizeof *l->called.at);
        l->called.n = l->called.room = room;
        for (int k = 0; k < l->instances.n; k++) {
            Instance *o = l->instances.at[k];
            int *first = &l->called.at[call_hash(o->unit, o->nkey, o->key, o->scope.guard) &
                                       (uint32_t)(room - 1)];
            o->next = *first, *first = k + 1;
        }
    }
    return call_hash(in->unit, n, key, l->scope.guard) & (uint32_t)(l->called.n - 1);
}

static Bound lower_call(Lower *l, const Syn *e) {
    Graph *g = l->g;
    const Call *call = e->note;
    const Syn *args = e->kid[0];
    Bound nothing = {.constant = graph_real(g, g->real, 0)};
    const Kernel *kernel = call ? NULL : kernel_find(e->text);
    if (kernel) {
        return lower_algebra(l, e, kernel);
    }
    if (!call) {
        not_yet(l, e->at, e->text);
        return nothing;
    }
    const Unit *u = call->callee;
    if (l->in->depth >= MOST_INSTANCES_DEEP) {
        error_at(l->cx, e->at, "calls are nested more than %d deep", MOST_INSTANCES_DEEP);
        l->broken = true;
        return nothing;
    }
    Instance *in = arena_alloc(g->arena, sizeof *in);
    in->unit = u, in->depth = l->in->depth + 1;
    in->bound = arena_alloc(g->arena, (size_t)(u->variables.n + 1) * sizeof *in->bound);
    instance_dims(l, in);
    VEC(Ref) key = {0}, sizes = {0};
    for (int k = 0; k < u->dims.n; k++) {
        const Dim *d = &u->dims.at[k];
        if (call->bind[k]) {
            in->dim[k] = lower_size(l, l->in, call->bind[k]);
            in->room[k] = lower_room(l, l->in, call->bind[k]);
            VEC_PUSH(g->arena, sizes, graph_of_poly(g, in->dim[k]));
        } else {
            in->dim[k] = in->room[k] =
                d->fixed ? poly_int(g->arena, d->fixed) : poly_var(g->arena, d->name);
        }
    }
    for (int k = 0; k < u->dims.n; k++) { /* other names for what is made of these */
        const Dim *d = &u->dims.at[k];
        if (!call->bind[k] && !d->fixed && d->means && !d->until) {
            in->dim[k] = lower_size(l, in, d->means);
            in->room[k] = lower_room(l, in, d->means);
        }
    }
    for (int k = 0; k < args->nkids; k++) {
        const Variable *p = u->params.at[k];
        if (p->rank == 0) {
            VEC_PUSH(g->arena, key,
                     graph_cast(g, value_type(l, p->type), lower_expr(l, args->kid[k])));
        } else { /* read at fresh indices, so that two views of one thing are one key: the array's
                    own axes serve */
            View v = lower_view(l, args->kid[k]);
            if (!v.array) {
                l->broken = true;
                return nothing;
            }
            VEC_PUSH(g->arena, key, read_view(l, v, p->rank, ARRAY(g, v.array)->axis + v.nlead));
        }
    }
    if (l->broken) {
        return nothing;
    }
    uint32_t slot = called_slot(l, in, key.n, key.at);
    for (int i = l->called.at[slot]; i; i = l->instances.at[i - 1]->next) {
        const Instance *o = l->instances.at[i - 1];
        if (o->unit == u && o->nkey == key.n &&
            !memcmp(o->key, key.at, (size_t)key.n * sizeof(Ref)) &&
            o->scope.guard == l->scope.guard) {
            bool same = true;
            for (int k = 0; k < u->dims.n; k++) {
                same = same && (u->dims.at[k].until || poly_equal(o->dim[k], in->dim[k]));
            }
            if (same) {
                return o->bound[unit_place(u, u->result->name)];
            }
        }
    }
    in->key = key.at, in->nkey = key.n;
    int nkey = key.n;
    for (int k = 0; k < sizes.n; k++) { /* behind the key: what sizes depend on is in force too */
        VEC_PUSH(g->arena, key, sizes.at[k]);
    }
    in->scope = scope_part(g, &l->scope, key.n, key.at);
    key.n = nkey;
    in->name = l->in->name && l->in->unit != u
                   ? arena_format(g->arena, "%s_%s", l->in->name, symbol_text(l->cx, u->name))
                   : symbol_text(l->cx, u->name);
    VEC_PUSH(g->arena, l->instances, in);
    slot = call_hash(u, in->nkey, in->key, in->scope.guard) & (uint32_t)(l->called.n - 1);
    in->next = l->called.at[slot];
    l->called.at[slot] = l->instances.n;
    for (int k = 0; k < args->nkids; k++) {
        const Variable *p = u->params.at[k];
        VEC(Ref) terms = {0};
        VEC_PUSH(g->arena, terms, key.at[k]);
        for (int x = 0; x < p->rank; x++) {
            VEC_PUSH(g->arena, terms, graph_of_poly(g, lower_size(l, in, p->shape[x])));
        }
        Scope part = scope_part(g, &in->scope, terms.n, terms.at);
        Body b = {.term = key.at[k], .at = args->kid[k]->whole};
        Ref place[16];
        const Poly *lo[16], *hi[16];
        if (p->rank > 16) {
            bug("an argument with more than 16 axes");
        }
        for (int x = 0; x < p->rank; x++) {
            place[x] =
                ARG(g, key.at[k], NODE(g, key.at[k])->nargs - (unsigned)p->rank + (unsigned)x);
            lo[x] = poly_int(g->arena, 0);
            hi[x] = poly_sub(g->arena, lower_room(l, in, p->shape[x]), poly_int(g->arena, 1));
            b.guard =
                graph_both(g, b.guard, below_count(g, place[x], lower_size(l, in, p->shape[x])));
        }
        b.place = place, b.lo = lo, b.hi = hi;
        ArrayRef a = variable_array(l, in, p, &part, (ValueType)NODE(g, key.at[k])->type);
        add_piece(l, a, &part, &b, 0);
    }
    if (u->is_extern) {
        lower_extern(l, in, e->whole);
    } else if (u->partials.n) {
        lower_ruled_unit(l, in);
    } else {
        lower_unit(l, in);
    }
    return in->bound[unit_place(u, u->result->name)];
}

static Ref lower_call_value(Lower *l, const Syn *call, const Syn *positions) {
    Graph *g = l->g;
    const Syn *args = call->kid[0];
    if (!strcmp(call->text, "grad")) {
        const Bound *b = find_bound(l, args->kid[1]->name, NULL);
        Ref *p = positions ? lower_positions(l, positions, b->view, NULL) : NULL;
        return lower_grad_at(l, call, positions ? positions->kid[0]->nkids : 0, p);
    }
    if (!strcmp(call->text, "dir")) {
        return lower_dir(l, call);
    }
    Op op = call->note ? OP_NONE : op_find(call->text);
    if (op != OP_NONE) {
        Ref a[3];
        for (int k = 0; k < args->nkids && k < 3; k++) {
            a[k] = lower_expr(l, args->kid[k]);
        }
        return graph_op(g, op, a);
    }
    Bound b = lower_call(l, call);
    if (b.constant || !b.view.array) {
        return b.constant ? b.constant : graph_real(g, g->real, 0);
    }
    Ref *p = positions ? lower_positions(l, positions, b.view, NULL) : NULL;
    return read_view(l, b.view, positions ? positions->kid[0]->nkids : 0, p);
}

/* ---- expressions
 * ----------------------------------------------------------------------------------------------------------------------
 */

static Ref lower_number(Lower *l, const Syn *e) {
    if (!e->text[strspn(e->text, "0123456789")]) {
        errno = 0;
        int64_t v = strtoll(e->text, NULL, 10);
        if (!errno) {
            return graph_int(l->g, v);
        }
    }
    return graph_real(l->g, l->g->real, strtod(e->text, NULL));
}

/* Does the condition hold anywhere along the index? */
static Ref some_where(Graph *g, Ref index, Ref condition) {
    Ref count = graph_reduce(g, RED_SUM, index, condition, graph_int(g, 1)), where = 0;
    const Node n = *NODE(g, count);
    if (n.op == OP_SELECT && ARG(g, count, 2) == graph_int(g, 0)) {
        where = ARG(g, count, 0); /* no matter of this index, for which there are so many */
        count = ARG(g, count, 1);
    }
    const Poly *least = poly_sub(g->arena, graph_poly(g, count), poly_int(g->arena, 1));
    Ref some = graph_prove(g, least, 0, NULL) ? graph_bool(g, true)
                                              : graph_op2(g, OP_gt, count, graph_int(g, 0));
    return where ? graph_and(g, where, some) : some;
}

static Ref lower_reduce(Lower *l, const Syn *e) {
    static const char *const names[RED_COUNT] = {"sum",    "prod",   "max",       "min",
                                                 "argmax", "argmin", "logsumexp", "first of"};
    Graph *g = l->g;
    const Syn *items = e->kid[0]->kid[0], *where = e->kid[0]->kid[1];
    const Binder *binder = e->note;
    const Binding *outer = l->binding;
    Scope outside = l->scope;
    bool mean = !strcmp(e->text, "mean");
    int kind = RED_SUM;
    while (!mean && strcmp(names[kind], e->text)) {
        if (++kind == RED_COUNT) {
            bug("the reduction '%s' passed the checker", e->text);
        }
    }
    Ref *index = arena_alloc(g->arena, (size_t)items->nkids * sizeof *index);
    Ref all = graph_bool(g, true);
    Ref *under = arena_alloc(g->arena, (size_t)items->nkids * sizeof *under);
    l->scope = scope_copy(g, &outside);
    for (int k = 0; k < items->nkids; k++) {
        index[k] = graph_index(g, symbol_text(l->cx, binder[k].name),
                               lower_room(l, l->in, binder[k].extent));
        scope_add(g, &l->scope, index[k], NULL, NULL);
        under[k] = below_count(g, index[k], lower_size(l, l->in, binder[k].extent));
        under[k] = under[k] ? under[k] : all;
        scope_guard(g, &l->scope, under[k]);
        Binding *named = arena_alloc(g->arena, sizeof *named);
        *named = (Binding){l->binding, binder[k].name, index[k]};
        l->binding = named;
    }
    if (where->kind != SYN_NONE) {
        Ref condition = lower_expr(l, where);
        scope_guard(g, &l->scope, condition);
        under[items->nkids - 1] = graph_and(g, under[items->nkids - 1], condition);
    }
    Ref body = lower_expr(l, e->kid[1]->kid[0]), one = graph_int(g, 1), count = one;
    l->scope = outside;
    l->binding = outer;
    if (mean) {
        body = graph_cast(
            g, NODE(g, body)->type < VALUE_FLOAT ? g->real : (ValueType)NODE(g, body)->type, body);
        for (int k = items->nkids - 1; k >= 0; k--) {
            count = graph_reduce(g, RED_SUM, index[k], under[k], count);
        }
    }
    Ref r = body;
    for (int k = items->nkids - 1; k >= 0; k--) {
        r = graph_reduce(g, (Reduction)kind, index[k], under[k], r);
        /* The maximum over one index is wanted only where there is one: a row without any is none.
         */
        if (k > 0 && (kind == RED_MAX || kind == RED_MIN)) {
            under[k - 1] = graph_and(g, under[k - 1], some_where(g, index[k], under[k]));
        }
    }
    r = kind == RED_SUM && !l->as_written ? contract_order(g, r) : r;
    return mean ? graph_op2(g, OP_div, r, graph_nonempty(g, count)) : r;
}

static Ref lower_power(Lower *l, const Syn *e) {
    Graph *g = l->g;
    Ref x = lower_expr(l, e->kid[0]), n = lower_expr(l, e->kid[1]);
    int64_t k;
    if (NODE(g, n)->type != VALUE_INT) {
        return graph_op2(g, OP_pow, x, n);
    }
    if (NODE(g, x)->type == VALUE_INT && graph_is_int(g, n, &k) && k >= 0 && k <= 64) {
        Ref r = graph_int(g, 1);
        while (k-- > 0) {
            r = graph_op2(g, OP_mul, r, x);
        }
        return r;
    }
    return graph_op2(
        g, OP_powi,
        graph_cast(g, NODE(g, x)->type < VALUE_FLOAT ? g->real : (ValueType)NODE(g, x)->type, x),
        n);
}

static Ref lower_op(Lower *l, const Syn *e) {
    Graph *g = l->g;
    if (!strcmp(e->text, "^")) {
        return lower_power(l, e);
    }
    Ref x = lower_expr(l, e->kid[0]);
    if (e->nkids == 1) {
        return graph_op1(g, e->text[0] == '!' ? OP_not : OP_neg, x);
    }
    bool select = e->nkids == 3, and = !strcmp(e->text, "&&"), or = !strcmp(e->text, "||");
    if (select && (graph_is_true(g, x) || graph_is_false(g, x))) {
        return lower_expr(l, e->kid[graph_is_true(g, x) ? 1 : 2]);
    }
    Scope outside = l->scope;
    if (select || and || or) { /* what stands behind a condition is looked at only under it */
        l->scope = scope_copy(g, &outside);
        scope_guard(g, &l->scope, or ? graph_not(g, x) : x);
    }
    Ref y = lower_expr(l, e->kid[1]);
    if (select) {
        l->scope = scope_copy(g, &outside);
        scope_guard(g, &l->scope, graph_not(g, x));
        Ref z = lower_expr(l, e->kid[2]);
        l->scope = outside;
        return graph_select(g, x, y, z);
    }
    l->scope = outside;
    Op op = op_symbol(e->text, 2);
    if (op == OP_NONE) {
        bug("the operator '%s' passed the checker", e->text);
    }
    return graph_op2(g, op, x, y);
}

static Ref lower_expr(Lower *l, const Syn *e) {
    Graph *g = l->g;
    switch (e->kind) {
    case SYN_NUMBER: return lower_number(l, e);
    case SYN_NAME:
        for (const Binding *b = l->binding; b; b = b->up) {
            if (b->name == e->name) {
                return b->term;
            }
        }
        for (int k = 0; k < l->in->unit->dims.n; k++) {
            if (l->in->unit->dims.at[k].name == e->name) {
                return graph_of_poly(g, l->in->dim[k]);
            }
        }
        if (unit_place(l->in->unit, e->name) < 0 && !strcmp(e->text, "pi")) {
            return graph_real(g, g->real, 3.14159265358979323846);
        }
        return lower_read(l, e);
    case SYN_AT: return lower_read(l, e);
    case SYN_CONVERT: {
        Ref x = lower_expr(l, e->kid[0]);
        return NODE(g, x)->type == VALUE_INT ? x : graph_op1(g, OP_trunc, x);
    }
    case SYN_OP: return lower_op(l, e);
    case SYN_CALL: return lower_call_value(l, e, NULL);
    case SYN_ENTRY: return lower_call_value(l, e->kid[0], e->kid[1]);
    case SYN_REDUCE: return lower_reduce(l, e);
    default: bug("an expression of kind %d passed the checker", (int)e->kind);
    }
}

/* ---- a model
 * ------------------------------------------------------------------------------------------------------------------------------
 */

static void lower_dims(Lower *l, Instance *in) {
    Graph *g = l->g;
    const Unit *u = in->unit;
    for (int k = 0; k < u->dims.n; k++) {
        const Dim *d = &u->dims.at[k];
        int64_t fixed = d->fixed;
        const Poly *own = poly_var(g->arena, d->name);
        if (fixed) {
            in->dim[k] = poly_int(g->arena, fixed);
        } else if (d->until) {
            in->dim[k] = own; /* when its array is made */
        } else if (d->means && !poly_equal(d->means, own)) {
            in->dim[k] = NULL; /* below, when those that it is made of are known */
        } else {
            in->dim[k] = poly_var(g->arena, graph_dim(g, symbol_text(l->cx, d->name), d->least));
        }
    }
    for (int k = 0; k < u->dims.n; k++) {
        if (!in->dim[k]) {
            in->dim[k] = poly_var(g->arena, u->dims.at[k].name);
        }
    }
    for (int k = 0; k < u->dims.n; k++) {
        const Dim *d = &u->dims.at[k];
        if (poly_equal(in->dim[k], poly_var(g->arena, d->name)) && d->means && !d->until) {
            in->dim[k] = lower_size(l, in, d->means);
        }
        in->room[k] = in->dim[k];
    }
}

static void lower_inputs(Lower *l, Instance *in) {
    Graph *g = l->g;
    Scope none = {0};
    for (int k = 0; k < in->unit->variables.n; k++) {
        const Variable *v = in->unit->variables.at[k];
        if (v->role != ROLE_INPUT && v->role != ROLE_PARAM) {
            continue;
        }
        ArrayRef a = variable_array(l, in, v, &none, value_type(l, v->type));
        ARRAY(g, a)->role = v->role == ROLE_INPUT ? ARRAY_INPUT : ARRAY_PARAM;
        ARRAY(g, a)->is_int_data = v->type.base == TYPE_INT || v->type.base == TYPE_INDEX;
        VEC_PUSH(g->arena, g->inputs, a);
    }
}

/* ---- requests
 * ----------------------------------------------------------------------------------------------------------------------------
 */

static int request_kind(const Derive *d) {
    int kind = 0;
    while (strcmp(request_names[kind], d->syn->text)) {
        kind++;
    }
    return kind;
}

/* The name of a result by x (and z): x_grad, y_x, f_x_z, y_d, x_bar, x_hd; with several requests of
 * the kind the output's is put in. */
static const char *result_name(Lower *l, RequestKind kind, const char *y, const char *x,
                               const char *z) {
    Arena *arena = l->g->arena;
    const char *in = l->requests[kind] > 1 ? arena_format(arena, "%s_", y) : "";
    switch (kind) {
    case REQUEST_GRADIENT: return arena_format(arena, "%s_%sgrad", x, in);
    case REQUEST_JACOBIAN: return arena_format(arena, "%s_%s", y, x);
    case REQUEST_HESSIAN: return arena_format(arena, "%s_%s_%s", y, x, z ? z : x);
    case REQUEST_JVP: return arena_format(arena, "%s_d", y);
    case REQUEST_VJP: return arena_format(arena, "%s_%sbar", x, in);
    case REQUEST_HVP: return arena_format(arena, "%s_%shd", x, in);
    }
    bug("a request of kind %d", (int)kind);
}

/* Nothing in the graph may take these names: they are those of fields in C. */
static void reserve(Lower *l, const char *name) {
    Graph *g = l->g;
    Symbol s = symbol_of(l->cx, name);
    while ((uint32_t)g->taken.n <= s) {
        VEC_PUSH(g->arena, g->taken, 0);
    }
    g->taken.at[s] = 1;
}

static void reserve_names(Lower *l, const Unit *u) {
    for (int k = 0; k < u->derives.n; k++) {
        l->requests[request_kind(&u->derives.at[k])] += u->derives.at[k].of.n;
    }
    for (int k = 0; k < u->derives.n; k++) {
        const Derive *d = &u->derives.at[k];
        RequestKind kind = (RequestKind)request_kind(d);
        for (int f = 0; f < d->of.n; f++) {
            const char *y = symbol_text(l->cx, d->of.at[f]->name);
            if (kind == REQUEST_VJP) {
                reserve(l, arena_format(l->g->arena, "%s_bar", y));
            }
            for (int i = 0; i < d->by.n; i++) {
                const char *x = symbol_text(l->cx, d->by.at[i]->name);
                for (int j = i; j < d->by.n && kind == REQUEST_HESSIAN; j++) {
                    reserve(l, result_name(l, kind, y, x, symbol_text(l->cx, d->by.at[j]->name)));
                }
                if (kind != REQUEST_HESSIAN) {
                    reserve(l, result_name(l, kind, y, x, NULL));
                }
                if (kind == REQUEST_JVP || kind == REQUEST_HVP) {
                    reserve(l, arena_format(l->g->arena, "%s_d", x));
                }
            }
        }
    }
}

/* Is the name of a field free? An error shows both who want it. */
static bool claim(Lower *l, const Unit *u, const char *name, ArrayRef array, ArrayRef like,
                  Span at) {
    Symbol s = symbol_of(l->cx, name);
    const Variable *variable = unit_find(u, s);
    const Dim *dim = unit_dim(u, s);
    Span other = variable ? variable->at : dim ? dim->at : (Span){0};
    while ((Symbol)l->claimed.n <= s) {
        VEC_PUSH(l->g->arena, l->claimed, 0);
    }
    if (l->claimed.at[s]) {
        other = l->fields.at[l->claimed.at[s] - 1].at;
    }
    bool declared = variable || dim;
    for (int k = 0; k < l->g->externs.n && !declared; k++) {
        if (!strcmp(l->g->externs.at[k].c_name, name)) {
            declared = true, other = l->g->externs.at[k].at;
        }
    }
    if (other.file) {
        error_at(l->cx, at, "this adds '%s' to the C arguments, which is a name already", name);
        note_at(l->cx, other, declared ? "'%s' is declared here" : "'%s' is added here", name);
        l->broken = true;
        return false;
    }
    VEC_PUSH(l->g->arena, l->fields, (Field){name, array, like, at});
    l->claimed.at[s] = l->fields.n;
    return true;
}

/* An input that a request adds, shaped like an array; requests that ask for the same thing share
 * it. */
static ArrayRef seed_like(Lower *l, const Unit *u, ArrayRef like, const char *suffix, Span at) {
    Graph *g = l->g;
    const Array x = *ARRAY(g, like);
    const char *name = arena_format(g->arena, "%s_%s", x.name, suffix);
    for (int k = 0; k < l->fields.n; k++) {
        if (l->fields.at[k].like == like && !strcmp(l->fields.at[k].name, name)) {
            return l->fields.at[k].array;
        }
    }
    const char **names = arena_alloc(g->arena, (size_t)(x.rank + 1) * sizeof *names);
    for (int k = 0; k < x.rank; k++) {
        names[k] = g->indices.at[NODE(g, x.axis[k])->aux].name;
    }
    ArrayRef a = graph_array(g, name, x.type, x.rank, x.extent, names);
    ARRAY(g, a)->name = name;
    ARRAY(g, a)->role = ARRAY_INPUT;
    ARRAY(g, a)->at = at;
    if (claim(l, u, name, a, like, at)) {
        VEC_PUSH(g->arena, g->seeds, a);
    }
    return a;
}

/* Fresh indices for the axes of an array, added to a scope. */
static Ref *axes_of(Lower *l, Scope *s, ArrayRef a) {
    Graph *g = l->g;
    const Array x = *ARRAY(g, a);
    Ref *index = arena_alloc(g->arena, (size_t)(x.rank + 1) * sizeof *index);
    for (int k = 0; k < x.rank; k++) {
        index[k] = graph_index(g, g->indices.at[NODE(g, x.axis[k])->aux].name, x.extent[k]);
        scope_add(g, s, index[k], NULL, NULL);
    }
    return index;
}

/* A result: the term over the scope's indices, or 0 for zeros, under its name. */
static ArrayRef add_result(Lower *l, const Unit *u, Request *r, const Scope *s, Ref term,
                           const char *name) {
    Graph *g = l->g;
    ArrayRef a = term && NODE(g, term)->op == OP_READ ? NODE(g, term)->aux : 0;
    bool whole =
        a && ARRAY(g, a)->role == ARRAY_INTERNAL && !ARRAY(g, a)->keep && ARRAY(g, a)->rank == s->n;
    for (int k = 0; k < s->n && whole; k++) {
        whole = ARG(g, term, k) == s->index[k];
    }
    if (whole) { /* it has the very shape: only the name is another */
        ARRAY(g, a)->name = name;
    } else {
        a = graph_array_over(g, name, s, term ? term : graph_real(g, ARRAY(g, r->of)->type, 0),
                             r->at, NULL);
        ARRAY(g, a)->name = name;
        ARRAY(g, a)->adjoint_of = r->result.n < r->by.n ? r->by.at[r->result.n] : 0;
        ARRAY(g, a)->order = ARRAY(g, r->of)->order + 1;
    }
    ARRAY(g, a)->keep = true;
    if (claim(l, u, name, a, 0, r->at)) {
        VEC_PUSH(g->arena, r->result, a);
    }
    return a;
}

/* The number of entries of arrays. */
static const Poly *entries_of(Graph *g, int n, const ArrayRef *arrays) {
    const Poly *sum = poly_int(g->arena, 0);
    for (int k = 0; k < n; k++) {
        const Poly *product = poly_int(g->arena, 1);
        for (int q = 0; q < ARRAY(g, arrays[k])->rank; q++) {
            product = poly_mul(g->arena, product, ARRAY(g, arrays[k])->extent[q]);
        }
        sum = poly_add(g->arena, sum, product);
    }
    return sum;
}

static int degree_of(const Poly *p) {
    int degree = 0;
    for (int k = 0; k < p->n; k++) {
        degree = p->term[k].nvars > degree ? p->term[k].nvars : degree;
    }
    return degree;
}

/* Forward mode where there are provably fewer columns than rows, or where only the rows grow faster
 * with the open sizes. */
static bool forward_is_less(Graph *g, const Request *r) {
    const Poly *rows = entries_of(g, 1, &r->of), *columns = entries_of(g, r->by.n, r->by.at);
    const Poly *more = poly_sub(g->arena, rows, columns);
    if (graph_prove(g, poly_sub(g->arena, more, poly_int(g->arena, 1)), 0, NULL)) {
        return true;
    }
    return !graph_prove(g, poly_neg(g->arena, more), 0, NULL) &&
           degree_of(rows) > degree_of(columns);
}

/* How an array moves along a seed. */
static Motion along_seed(Lower *l, ArrayRef x, ArrayRef seed) {
    Graph *g = l->g;
    int rank = ARRAY(g, x)->rank;
    Ref *index = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *index);
    for (int k = 0; k < rank; k++) {
        index[k] = graph_axis(g, k, ARRAY(g, x)->extent[k]);
    }
    return (Motion){.of = x, .index = index, .value = graph_read(g, seed, index)};
}

/* How an array moves when one of its entries does. */
static Motion along_unit(Lower *l, ArrayRef x, const Ref *entry) {
    Graph *g = l->g;
    int rank = ARRAY(g, x)->rank;
    Ref *index = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *index),
        here = graph_bool(g, true);
    ValueType type = ARRAY(g, x)->type;
    for (int k = 0; k < rank; k++) {
        index[k] = graph_axis(g, k, ARRAY(g, x)->extent[k]);
        here = graph_and(g, here, graph_op2(g, OP_eq, index[k], entry[k]));
    }
    return (Motion){.of = x,
                    .index = index,
                    .value = graph_select(g, here, graph_real(g, type, 1), graph_real(g, type, 0))};
}

/* Reverse mode from y, or from the sum of y times its cotangent. */
static void request_reverse(Lower *l, const Unit *u, Request *r) {
    Graph *g = l->g;
    Scope s = {0}, none = {0};
    Ref *index = axes_of(l, &s, r->of), term = graph_read(g, r->of, index);
    const Scope *over = r->kind == REQUEST_JACOBIAN ? &s : &none;
    Adjoint *adj = arena_alloc(g->arena, (size_t)(r->by.n + 1) * sizeof *adj);
    if (r->kind == REQUEST_VJP) {
        term = graph_op2(g, OP_mul, graph_read(g, r->seed.at[0], index), term);
        for (int k = s.n - 1; k >= 0; k--) {
            term = graph_reduce(g, RED_SUM, index[k], graph_bool(g, true), term);
        }
    }
    differentiate(g, term, over, r->by.n, r->by.at, adj);
    for (int q = 0; q < r->by.n; q++) {
        const char *name =
            result_name(l, r->kind, ARRAY(g, r->of)->name, ARRAY(g, r->by.at[q])->name, NULL);
        Scope all = scope_copy(g, over);
        Ref *entry = axes_of(l, &all, r->by.at[q]);
        ArrayRef result = add_result(l, u, r, &all, adjoint_at(g, &adj[q], entry), name);
        if (r->kind == REQUEST_VJP) {
            record_gradient(l, over, term, r->by.at[q], result, r->at);
        }
    }
}

static void request_forward(Lower *l, const Unit *u, Request *r) {
    Graph *g = l->g;
    Scope s = {0};
    Ref term = graph_read(g, r->of, axes_of(l, &s, r->of));
    const char *y = ARRAY(g, r->of)->name;
    if (r->kind == REQUEST_JVP) {
        Motion *along = arena_alloc(g->arena, (size_t)(r->by.n + 1) * sizeof *along);
        for (int q = 0; q < r->by.n; q++) {
            along[q] = along_seed(l, r->by.at[q], r->seed.at[q]);
        }
        Ref value = differentiate_along(g, term, &s, r->by.n, along);
        add_result(l, u, r, &s, value, result_name(l, r->kind, y, NULL, NULL));
        record_motion(l, &s, term, r->by.n, along, value, r->at);
        return;
    }
    for (int q = 0; q < r->by.n; q++) {
        Scope all = scope_copy(g, &s);
        Motion along = along_unit(l, r->by.at[q], axes_of(l, &all, r->by.at[q]));
        add_result(l, u, r, &all, differentiate_along(g, term, &all, 1, &along),
                   result_name(l, r->kind, y, ARRAY(g, r->by.at[q])->name, NULL));
    }
}

/* Second derivatives: the gradient in reverse mode, then forward along the seeds or along each
 * entry. */
static void request_second(Lower *l, const Unit *u, Request *r) {
    Graph *g = l->g;
    Scope none = {0};
    const char *f = ARRAY(g, r->of)->name;
    Adjoint *adj = arena_alloc(g->arena, (size_t)(r->by.n + 1) * sizeof *adj);
    Motion *along = arena_alloc(g->arena, (size_t)(r->by.n + 1) * sizeof *along);
    for (int q = 0; q < r->seed.n; q++) {
        along[q] = along_seed(l, r->by.at[q], r->seed.at[q]);
    }
    differentiate(g, graph_read(g, r->of, NULL), &none, r->by.n, r->by.at, adj);
    for (int q = 0; q < r->by.n; q++) {
        Scope s = {0};
        Ref *entry = axes_of(l, &s, r->by.at[q]), term = adjoint_at(g, &adj[q], entry);
        const char *x = ARRAY(g, r->by.at[q])->name;
        record_gradient(l, &none, graph_read(g, r->of, NULL), r->by.at[q],
                        graph_array_over(g, "first", &s, term, r->at, NULL), r->at);
        if (r->kind == REQUEST_HVP) {
            Ref value = differentiate_along(g, term, &s, r->by.n, along);
            add_result(l, u, r, &s, value, result_name(l, r->kind, f, x, NULL));
            record_motion(l, &s, term, r->by.n, along, value, r->at);
        }
        for (int p = q; p < r->by.n && r->kind == REQUEST_HESSIAN; p++) {
            Scope all = scope_copy(g, &s);
            Motion unit = along_unit(l, r->by.at[p], axes_of(l, &all, r->by.at[p]));
            Ref value = differentiate_along(g, term, &all, 1, &unit);
            ArrayRef result = add_result(
                l, u, r, &all, value, result_name(l, r->kind, f, x, ARRAY(g, r->by.at[p])->name));
            record_gradient(l, &s, term, r->by.at[p], result, r->at);
        }
    }
}

/* ---- sparse requests
 * ----------------------------------------------------------------------------------------------------------------------------
 */

static int64_t count_of(const Graph *g, ArrayRef a) {
    int64_t n = 1, extent = 1;
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (!poly_is_int(ARRAY(g, a)->extent[k], &extent)) {
            bug("'%s' has a size that is open", ARRAY(g, a)->name);
        }
        n *= extent;
    }
    return n;
}

/* A table of whole numbers below `target`, with the shape of an array or, for 0, one axis. */
static ArrayRef whole_table(Lower *l, const char *name, ArrayRef like, int64_t n, int64_t target,
                            const int32_t *values, const char *seen_as) {
    Graph *g = l->g;
    int rank = like ? ARRAY(g, like)->rank : 1;
    const Poly **extent = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *extent);
    const char **names = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *names);
    double *table = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *table);
    for (int k = 0; k < rank; k++) {
        extent[k] = like ? ARRAY(g, like)->extent[k] : poly_int(g->arena, n);
        names[k] = like ? g->indices.at[NODE(g, ARRAY(g, like)->axis[k])->aux].name : "e";
    }
    for (int64_t k = 0; k < n; k++) {
        table[k] = values[k];
    }
    ArrayRef a = graph_array(g, name, VALUE_INT, rank, extent, names);
    ARRAY(g, a)->role = ARRAY_CONST;
    ARRAY(g, a)->table = table;
    ARRAY(g, a)->target = poly_int(g->arena, target);
    ARRAY(g, a)->is_int_data = true;
    ARRAY(g, a)->table_name = seen_as;
    return a;
}

/* The places in an array that entry e stands at, by a table for each axis. place: flat ones. */
static Ref *places_of(Lower *l, const char *name, ArrayRef of, Ref e, int64_t n,
                      const int32_t *place, const char *seen_as) {
    Graph *g = l->g;
    int rank = ARRAY(g, of)->rank;
    Ref *out = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *out);
    int64_t below = 1, extent = 1;
    for (int k = rank - 1; k >= 0; k--) {
        int32_t *at = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *at);
        poly_is_int(ARRAY(g, of)->extent[k], &extent);
        for (int64_t q = 0; q < n; q++) {
            at[q] = (int32_t)(place[q] / below % extent);
        }
        below *= extent;
        const char *own = rank == 1 ? name : arena_format(g->arena, "%s%d", name, k);
        out[k] =
            graph_read(g, whole_table(l, own, 0, n, extent, at, rank == 1 ? seen_as : NULL), &e);
    }
    return out;
}

/* Is this entry of an array of the k-th colour? */
static Ref has_colour(Graph *g, ArrayRef colour, const Ref *entry, Ref k) {
    return graph_op2(g, OP_eq, graph_read(g, colour, entry), k);
}

/* The term over the scope as an array, so that its entries can be read elsewhere. */
static ArrayRef array_of(Graph *g, const char *name, const Scope *s, Ref term, ValueType type,
                         Span at) {
    return graph_array_over(g, name, s, term ? term : graph_real(g, type, 0), at, NULL);
}

typedef struct Sweeps { /* sums of columns, or rows, of one colour each */
    Pattern pattern;
    int32_t *colour;
    ArrayRef *table; /* the colours, by array that they colour */
    int64_t *first;  /* of each such array, in `colour` */
    int n;
    Ref k; /* the colour at work */
    Scope scope;
} Sweeps;

static void sweeps_start(Lower *l, Sweeps *w, int n, const ArrayRef *coloured) {
    Graph *g = l->g;
    w->table = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *w->table);
    w->first = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *w->first);
    for (int q = 0; q < n; q++) {
        int64_t count = count_of(g, coloured[q]);
        w->table[q] =
            whole_table(l, arena_format(g->arena, "%s_colour", ARRAY(g, coloured[q])->name),
                        coloured[q], count, w->n, w->colour + w->first[q], NULL);
        w->first[q + 1] = w->first[q] + count;
    }
    w->k = graph_index(g, "k", poly_int(g->arena, w->n));
    scope_add(g, &w->scope, w->k, NULL, NULL);
}

/* All entries of the colour at work move. */
static Motion *along_colour(Lower *l, const Sweeps *w, int n, const ArrayRef *by) {
    Graph *g = l->g;
    Motion *along = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *along);
    for (int q = 0; q < n; q++) {
        int rank = ARRAY(g, by[q])->rank;
        ValueType type = ARRAY(g, by[q])->type;
        Ref *index = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *index);
        for (int k = 0; k < rank; k++) {
            index[k] = graph_axis(g, k, ARRAY(g, by[q])->extent[k]);
        }
        Ref mine = has_colour(g, w->table[q], index, w->k);
        along[q] = (Motion){
            .of = by[q],
            .index = index,
            .value = graph_select(g, mine, graph_real(g, type, 1), graph_real(g, type, 0))};
    }
    return along;
}

/* One block of the matrix: rows of an array, columns of another. */
typedef struct Blocks {
    ArrayRef row, column;
    Compressed c;
    bool none; /* nothing but zeros */
    Ref e;
    Scope scope;
    const char *name;
    Ref *row_place, *column_place;
} Blocks;

/* The entries of a pattern whose rows and columns lie in two arrays; of a square one, only those on
 * the diagonal and below. */
static Blocks block_of(Lower *l, const Pattern *p, const char *name, ArrayRef row,
                       int64_t first_row, ArrayRef column, int64_t first_column, bool half) {
    Graph *g = l->g;
    Blocks b = {.row = row, .column = column, .name = name};
    int64_t rows = count_of(g, row), columns = count_of(g, column), n = 0;
    int32_t *at_row = NULL, *at_column = NULL;
    for (int pass = 0; pass < 2; pass++) {
        n = 0;
        for (int64_t i = 0; i < rows; i++) {
            for (int64_t e = p->start[first_row + i]; e < p->start[first_row + i + 1]; e++) {
                int64_t j = p->column[e] - first_column;
                if (j < 0 || j >= columns || (half && j > i)) {
                    continue;
                }
                if (pass) {
                    at_row[n] = (int32_t)i, at_column[n] = (int32_t)j;
                }
                n++;
            }
        }
        if (!pass) {
            at_row = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *at_row);
            at_column = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *at_column);
        }
    }
    b.none = n == 0; /* C has no arrays without entries: one that is 0 */
    n = b.none ? 1 : n;
    b.c = (Compressed){rows, columns, n, half, at_row, at_column};
    b.e = graph_index(g, "e", poly_int(g->arena, n));
    scope_add(g, &b.scope, b.e, NULL, NULL);
    const char *row_name = arena_format(g->arena, "%s_row", name),
               *column_name = arena_format(g->arena, "%s_column", name);
    b.row_place = places_of(l, row_name, row, b.e, n, at_row, row_name);
    b.column_place = places_of(l, column_name, column, b.e, n, at_column, column_name);
    return b;
}

/* A table over the entries of a block. */
static Ref block_table(Lower *l, const Blocks *b, const char *what, int64_t target,
                       const int32_t *values) {
    return graph_read(l->g,
                      whole_table(l, arena_format(l->g->arena, "%s_%s", b->name, what), 0,
                                  b->c.entries, target, values, NULL),
                      &b->e);
}

/* array[k, place ...] */
static Ref read_swept(Graph *g, ArrayRef array, Ref k, int rank, const Ref *place) {
    Ref *position = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *position);
    position[0] = k;
    memcpy(position + 1, place, (size_t)rank * sizeof *place);
    return graph_read(g, array, position);
}

static void add_compressed(Lower *l, const Unit *u, Request *r, const Blocks *b, Ref value) {
    VEC_PUSH(l->g->arena, r->compressed, b->c);
    add_result(l, u, r, &b->scope, b->none ? 0 : value, b->name);
}

/* For `gradc check`: the matrix that the result stands for, as the derivative of a term over the
 * scope, which is that of its rows. */
static void record_compressed(Lower *l, Request *r, const Blocks *b, const Scope *rows,
                              const Ref *row, Ref of, bool symmetric) {
    Graph *g = l->g;
    Scope all = scope_copy(g, rows);
    Ref *column = axes_of(l, &all, b->column);
    Ref e = graph_index(g, "e", poly_int(g->arena, b->c.entries));
    Ref here = graph_bool(g, true), there = graph_bool(g, true);
    for (int k = 0; k < ARRAY(g, b->row)->rank; k++) {
        Ref i = graph_subst(g, b->row_place[k], 1, &b->e, &e);
        here = graph_and(g, here, graph_op2(g, OP_eq, i, row[k]));
        there = symmetric ? graph_and(g, there, graph_op2(g, OP_eq, i, column[k])) : there;
    }
    for (int k = 0; k < ARRAY(g, b->column)->rank; k++) {
        Ref j = graph_subst(g, b->column_place[k], 1, &b->e, &e);
        here = graph_and(g, here, graph_op2(g, OP_eq, j, column[k]));
        there = symmetric ? graph_and(g, there, graph_op2(g, OP_eq, j, row[k])) : there;
    }
    Ref which = symmetric ? graph_op2(g, OP_or, here, there) : here;
    Ref value =
        graph_reduce(g, RED_SUM, e, which, graph_read(g, r->result.at[r->result.n - 1], &e));
    ArrayRef matrix = graph_array_over(g, "matrix", &all, value, r->at, NULL);
    record_gradient(l, rows, of, b->column, matrix, r->at);
}

static void request_sparse_jacobian(Lower *l, const Unit *u, Request *r) {
    Graph *g = l->g;
    Arena *arena = g->arena;
    Sweeps w = {0};
    if (!sparse_pattern(g, r->of, r->by.n, r->by.at, r->at, &w.pattern)) {
        l->broken = true;
        return;
    }
    const Pattern *p = &w.pattern, across = sparse_transpose(arena, p);
    int32_t *by_column = arena_alloc(arena, (size_t)(p->columns + 1) * sizeof *by_column),
            *by_row = arena_alloc(arena, (size_t)(p->rows + 1) * sizeof *by_row);
    int columns = sparse_colour(arena, p, by_column), rows = sparse_colour(arena, &across, by_row);
    r->forward = columns <= rows;
    r->colours = w.n = r->forward ? columns : rows;
    w.colour = r->forward ? by_column : by_row;
    sweeps_start(l, &w, r->forward ? r->by.n : 1, r->forward ? r->by.at : &r->of);
    const char *y = ARRAY(g, r->of)->name;
    ArrayRef *swept = arena_alloc(arena, (size_t)(r->by.n + 1) * sizeof *swept);
    Scope s = {0};
    Ref term, *index;
    if (r->forward) {
        s = scope_copy(g, &w.scope);
        index = axes_of(l, &s, r->of);
        term = differentiate_along(g, graph_read(g, r->of, index), &s, r->by.n,
                                   along_colour(l, &w, r->by.n, r->by.at));
        swept[0] =
            array_of(g, arena_format(arena, "%s_swept", y), &s, term, ARRAY(g, r->of)->type, r->at);
    } else {
        Adjoint *adj = arena_alloc(arena, (size_t)(r->by.n + 1) * sizeof *adj);
        Scope one = {0};
        index = axes_of(l, &one, r->of);
        term = graph_select(g, has_colour(g, w.table[0], index, w.k), graph_read(g, r->of, index),
                            graph_real(g, ARRAY(g, r->of)->type, 0));
        for (int k = one.n - 1; k >= 0; k--) {
            term = graph_reduce(g, RED_SUM, index[k], graph_bool(g, true), term);
        }
        differentiate(g, term, &w.scope, r->by.n, r->by.at, adj);
        for (int q = 0; q < r->by.n; q++) {
            Scope all = scope_copy(g, &w.scope);
            Ref *entry = axes_of(l, &all, r->by.at[q]);
            swept[q] = array_of(g, arena_format(arena, "%s_swept", ARRAY(g, r->by.at[q])->name),
                                &all, adjoint_at(g, &adj[q], entry), ARRAY(g, r->of)->type, r->at);
        }
    }
    for (int64_t q = 0, first = 0; q < r->by.n && !l->broken; q++) {
        ArrayRef x = r->by.at[q];
        const char *name = result_name(l, r->kind, y, ARRAY(g, x)->name, NULL);
        Blocks b = block_of(l, p, name, r->of, 0, x, first, false);
        int32_t *k = arena_alloc(arena, (size_t)(b.c.entries + 1) * sizeof *k);
        for (int64_t e = 0; e < b.c.entries; e++) {
            k[e] = r->forward ? w.colour[first + b.c.column[e]] : w.colour[b.c.row[e]];
        }
        Ref colour = block_table(l, &b, "colour", w.n, k);
        Ref value = r->forward ? read_swept(g, swept[0], colour, ARRAY(g, r->of)->rank, b.row_place)
                               : read_swept(g, swept[q], colour, ARRAY(g, x)->rank, b.column_place);
        add_compressed(l, u, r, &b, value);
        Scope out = {0};
        Ref *row = axes_of(l, &out, r->of);
        record_compressed(l, r, &b, &out, row, graph_read(g, r->of, row), false);
        first += count_of(g, x);
    }
}

/* The gradient in reverse mode, then forward along all entries of a colour at once. */
static void request_sparse_hessian(Lower *l, const Unit *u, Request *r) {
    Graph *g = l->g;
    Arena *arena = g->arena;
    Scope none = {0};
    int n = r->by.n;
    const char *f = ARRAY(g, r->of)->name;
    Adjoint *adj = arena_alloc(arena, (size_t)(n + 1) * sizeof *adj);
    Pattern *part = arena_alloc(arena, (size_t)(n + 1) * sizeof *part), all = {0};
    differentiate(g, graph_read(g, r->of, NULL), &none, n, r->by.at, adj);
    int64_t entries = 0;
    for (int q = 0; q < n; q++) {
        Scope s = {0};
        Ref *entry = axes_of(l, &s, r->by.at[q]);
        ArrayRef first =
            array_of(g, "first", &s, adjoint_at(g, &adj[q], entry), ARRAY(g, r->of)->type, r->at);
        record_gradient(l, &none, graph_read(g, r->of, NULL), r->by.at[q], first, r->at);
        if (!sparse_pattern(g, first, n, r->by.at, r->at, &part[q])) {
            l->broken = true;
            return;
        }
        all.rows += part[q].rows;
        entries += part[q].start[part[q].rows];
    }
    all.columns = all.rows;
    all.start = arena_alloc(arena, (size_t)(all.rows + 1) * sizeof *all.start);
    all.column = arena_alloc(arena, (size_t)(entries + 1) * sizeof *all.column);
    entries = 0;
    for (int64_t q = 0, row = 0; q < n; q++) {
        for (int64_t i = 0; i < part[q].rows; i++) {
            for (int64_t e = part[q].start[i]; e < part[q].start[i + 1]; e++) {
                all.column[entries++] = part[q].column[e];
            }
            all.start[++row] = entries;
        }
    }
    Sweeps w = {.pattern = sparse_symmetric(arena, &all)};
    const Pattern *p = &w.pattern;
    w.colour = arena_alloc(arena, (size_t)(p->rows + 1) * sizeof *w.colour);
    r->colours = w.n = sparse_colour_symmetric(arena, p, w.colour);
    sweeps_start(l, &w, n, r->by.at);
    const Motion *along = along_colour(l, &w, n, r->by.at);
    ArrayRef *swept = arena_alloc(arena, (size_t)(n + 1) * sizeof *swept);
    for (int q = 0; q < n; q++) {
        Scope s = scope_copy(g, &w.scope);
        Ref *entry = axes_of(l, &s, r->by.at[q]);
        Ref value = differentiate_along(g, adjoint_at(g, &adj[q], entry), &s, n, along);
        swept[q] = array_of(g, arena_format(arena, "%s_swept", ARRAY(g, r->by.at[q])->name), &s,
                            value, ARRAY(g, r->of)->type, r->at);
    }
    for (int q = 0; q < n; q++) {
        ArrayRef x = r->by.at[q];
        for (int o = q; o < n && !l->broken; o++) {
            ArrayRef z = r->by.at[o];
            const char *name = result_name(l, r->kind, f, ARRAY(g, x)->name, ARRAY(g, z)->name);
            Blocks b = block_of(l, p, name, x, w.first[q], z, w.first[o], o == q);
            int32_t *k = arena_alloc(arena, (size_t)(b.c.entries + 1) * sizeof *k),
                    *mirror = arena_alloc(arena, (size_t)(b.c.entries + 1) * sizeof *mirror);
            bool some = false;
            for (int64_t e = 0; e < b.c.entries; e++) {
                int64_t i = w.first[q] + b.c.row[e], j = w.first[o] + b.c.column[e];
                mirror[e] = !sparse_shows(p, w.colour, i, j);
                if (mirror[e] && !b.none && !sparse_shows(p, w.colour, j, i)) {
                    bug("entry %lld %lld shows nowhere", (long long)i, (long long)j);
                }
                k[e] = w.colour[mirror[e] ? i : j];
                some = some || mirror[e];
            }
            Ref colour = block_table(l, &b, "colour", w.n, k);
            Ref value = read_swept(g, swept[q], colour, ARRAY(g, x)->rank, b.row_place);
            if (some) {
                Ref other = read_swept(g, swept[o], colour, ARRAY(g, z)->rank, b.column_place);
                Ref mirrored =
                    graph_op2(g, OP_eq, block_table(l, &b, "mirrored", 2, mirror), graph_int(g, 1));
                value = graph_select(g, mirrored, other, value);
            }
            add_compressed(l, u, r, &b, value);
            Scope rows = {0};
            Ref *row = axes_of(l, &rows, x);
            record_compressed(l, r, &b, &rows, row, adjoint_at(g, &adj[q], row), o == q);
        }
    }
}

static void lower_request(Lower *l, Instance *in, const Derive *d) {
    Graph *g = l->g;
    for (int k = 0; k < d->of.n; k++) {
        Request r = {.at = d->syn->whole, .kind = (RequestKind)request_kind(d)};
        r.of = in->bound[unit_place(in->unit, d->of.at[k]->name)].view.array;
        for (int q = 0; q < g->requests.n; q++) {
            if (g->requests.at[q].kind == r.kind && g->requests.at[q].of == r.of) {
                error_at(l->cx, d->syn->whole, "a second %s of '%s': name all that it is by in one",
                         d->syn->text, ARRAY(g, r.of)->name);
                note_at(l->cx, g->requests.at[q].at, "the first");
                l->broken = true;
                return;
            }
        }
        for (int q = 0; q < d->by.n; q++) {
            VEC_PUSH(g->arena, r.by, in->bound[unit_place(in->unit, d->by.at[q]->name)].view.array);
        }
        if (r.kind == REQUEST_JVP || r.kind == REQUEST_HVP) {
            for (int q = 0; q < r.by.n; q++) {
                VEC_PUSH(g->arena, r.seed, seed_like(l, in->unit, r.by.at[q], "d", r.at));
            }
        } else if (r.kind == REQUEST_VJP) {
            VEC_PUSH(g->arena, r.seed, seed_like(l, in->unit, r.of, "bar", r.at));
        }
        if (l->broken) {
            return;
        }
        r.forward = r.kind == REQUEST_JVP || (r.kind == REQUEST_JACOBIAN && forward_is_less(g, &r));
        if (d->sparse && r.kind == REQUEST_JACOBIAN) {
            request_sparse_jacobian(l, in->unit, &r);
        } else if (d->sparse) {
            request_sparse_hessian(l, in->unit, &r);
        } else if (r.kind == REQUEST_HESSIAN || r.kind == REQUEST_HVP) {
            request_second(l, in->unit, &r);
        } else if (r.forward) {
            request_forward(l, in->unit, &r);
        } else {
            request_reverse(l, in->unit, &r);
        }
        VEC_PUSH(g->arena, g->requests, r);
    }
}

/* When all derivatives are made: twins have the values of what they are twins of, and `held` is its
 * argument. */
static Ref read_original(Graph *g, void *user, ArrayRef array, const Ref *positions) {
    (void)user;
    const Array *a = ARRAY(g, array);
    if (a->pieces.n == 1 && NODE(g, a->pieces.at[0].body)->op == OP_held) {
        return graph_subst(g, ARG(g, a->pieces.at[0].body, 0), a->rank, a->axis, positions);
    }
    return a->copy_of ? graph_read(g, a->copy_of, positions) : 0;
}

static void let_go(Graph *g) {
    for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            Ref body = graph_rewrite_reads(g, ARRAY(g, a)->pieces.at[q].body, read_original, NULL),
                guard = ARRAY(g, a)->pieces.at[q].guard;
            ARRAY(g, a)->pieces.at[q].body = body;
            guard = guard ? graph_rewrite_reads(g, guard, read_original, NULL) : 0;
            ARRAY(g, a)->pieces.at[q].guard = guard;
            Ref live = ARRAY(g, a)->pieces.at[q].live;
            live = live ? graph_rewrite_reads(g, live, read_original, NULL) : 0;
            ARRAY(g, a)->pieces.at[q].live = live;
        }
    }
    for (int k = 0; k < g->gradients.n; k++) {
        Gradient *d = &g->gradients.at[k];
        d->of = graph_rewrite_reads(g, d->of, read_original, NULL);
        for (int q = 0; q < d->along.n; q++) {
            d->along.at[q].value =
                graph_rewrite_reads(g, d->along.at[q].value, read_original, NULL);
        }
    }
}

/* What an iteration makes has its C array as large as it can be, with zeros behind the end; and the
 * end itself can be asked for. */
static void lower_output(Lower *l, Instance *in, const Variable *v) {
    Graph *g = l->g;
    Bound *b = &in->bound[unit_place(in->unit, v->name)];
    Scope s = {0};
    Ref value = 0, all = graph_bool(g, true), before = all;
    if (v->is_size) {
        for (int k = 0; k < in->unit->dims.n; k++) {
            value = in->unit->dims.at[k].name == v->name ? graph_of_poly(g, in->dim[k]) : value;
        }
    } else {
        const Array x = *ARRAY(g, b->view.array);
        for (int k = 0; k < v->rank; k++) {
            Ref below = below_count(g, x.axis[k], lower_size(l, in, v->shape[k]));
            scope_add(g, &s, x.axis[k], NULL, NULL);
            before = below ? graph_and(g, before, below) : before;
        }
        if (before == all) {
            return;
        }
        value = graph_select(g, before, graph_read(g, b->view.array, x.axis),
                             x.type == VALUE_BOOL  ? graph_bool(g, false)
                             : x.type == VALUE_INT ? graph_int(g, 0)
                                                   : graph_real(g, x.type, 0));
    }
    const char *name = symbol_text(l->cx, v->name);
    ArrayRef a = graph_array_over(g, name, &s, value, v->at, NULL);
    Array *made = ARRAY(g, a);
    if (!v->is_size) {
        ARRAY(g, b->view.array)->name = made->name;
        made->target = ARRAY(g, b->view.array)->target;
    }
    made->name = name, made->keep = true;
    b->view = (View){a, 0, NULL};
}

/* Recurrences in fewer stages, where no derivative is asked for by one of them. */
static void compose(Lower *l, Instance *in) {
    Graph *g = l->g;
    VEC(ArrayRef) roots = {0};
    bool *stays = arena_alloc(g->arena, (size_t)g->arrays.n + 1);
    for (int k = 0; k < g->outputs.n; k++) {
        VEC_PUSH(g->arena, roots, g->outputs.at[k]);
    }
    for (int k = 0; k < in->unit->derives.n; k++) {
        const Derive *d = &in->unit->derives.at[k];
        for (int q = 0; q < d->of.n; q++) {
            VEC_PUSH(g->arena, roots,
                     in->bound[unit_place(in->unit, d->of.at[q]->name)].view.array);
        }
        for (int q = 0; q < d->by.n; q++) {
            stays[in->bound[unit_place(in->unit, d->by.at[q]->name)].view.array] = true;
        }
    }
    for (int k = 0; k < g->gradients.n; k++) {
        stays[g->gradients.at[k].by] = true;
        for (int q = 0; q < g->gradients.at[k].along.n; q++) {
            stays[g->gradients.at[k].along.at[q].of] = true;
        }
    }
    if (!g->holds) {
        compose_steps(g, roots.n, roots.at, stays);
    }
}

Graph *lower_program(Context *cx, const Program *p, const Unit *model, const LowerOptions *o) {
    Lower *l = arena_alloc(cx->arena, sizeof *l);
    Instance *in = arena_alloc(cx->arena, sizeof *in);
    l->cx = cx;
    l->g = graph_new(cx, symbol_text(cx, model->name), o->real);
    l->as_written = o->as_written;
    in->unit = model;
    instance_dims(l, in);
    in->bound = arena_alloc(cx->arena, (size_t)(model->variables.n + 1) * sizeof *in->bound);
    reserve_names(l, model);
    lower_externs(l, p, model);
    lower_dims(l, in);
    for (int k = 0; k < model->variables.n; k++) {
        graph_reserve(l->g, symbol_text(cx, model->variables.at[k]->name));
    }
    lower_inputs(l, in);
    for (int k = 0; k < model->demands.n; k++) {
        const Poly *demand = lower_size(l, in, model->demands.at[k]);
        if (!graph_prove(l->g, demand, 0, NULL)) {
            VEC_PUSH(cx->arena, l->g->demands, demand);
        }
    }
    lower_unit(l, in);
    if (l->broken || cx->errors) {
        return NULL;
    }
    Graph *g = l->g;
    for (int k = 0; k < model->outputs.n; k++) {
        lower_output(l, in, model->outputs.at[k]);
        ArrayRef a = in->bound[unit_place(model, model->outputs.at[k]->name)].view.array;
        ARRAY(g, a)->is_output = true;
        VEC_PUSH(g->arena, g->outputs, a);
    }
    if (!l->as_written) {
        compose(l, in);
    }
    for (int k = 0; k < model->derives.n; k++) {
        lower_request(l, in, &model->derives.at[k]);
    }
    if (g->holds) {
        let_go(g);
    }
    return l->broken || cx->errors ? NULL : g;
}
