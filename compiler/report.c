/* report: what the emitted C will do, for people who decide whether it fits.
 * In: a plan. Out: for each function and each equation in it, how many operations, how many bytes
 * are read and written, in which loop, where the result lies; the workspace and the stack. All is
 * counted on the statements that are emitted, as polynomials in the sizes that are open. What
 * cannot be known before it runs, such as the side of a condition, is counted as if it were always
 * done: "at most". */
#include "report.h"
#include "kernel.h"
#include "ops.h"
#include "plan.h"
#include "print.h"
#include <string.h>

typedef struct Count {
    const Poly *simple, *calls; /* additions, products and the like; functions such as exp */
    const Poly *read, *written; /* bytes of arrays */
    bool at_most;
} Count;

typedef struct Entry {
    ArrayRef array; /* whose equation; 0: what belongs to none */
    Count count;
} Entry;
typedef VEC(Entry) Entries;

typedef struct Report {
    Graph *g;
    const Plan *plan;
    const Function *f;
    Text *out;
} Report;

/* ---- polynomials ---- */

static Count count_zero(Report *r) {
    const Poly *zero = poly_int(r->g->arena, 0);
    return (Count){zero, zero, zero, zero, false};
}

static void count_add(Report *r, Count *to, const Count *c) {
    Arena *a = r->g->arena;
    to->simple = poly_add(a, to->simple, c->simple);
    to->calls = poly_add(a, to->calls, c->calls);
    to->read = poly_add(a, to->read, c->read);
    to->written = poly_add(a, to->written, c->written);
    to->at_most = to->at_most || c->at_most;
}

static bool is_nothing(const Poly *p) {
    int64_t n;
    return poly_is_int(p, &n) && n == 0;
}

static bool count_is_zero(const Count *c) {
    return is_nothing(c->simple) && is_nothing(c->calls) && is_nothing(c->read) &&
           is_nothing(c->written);
}

static void more(Report *r, const Poly **p, int64_t n) {
    *p = poly_add(r->g->arena, *p, poly_int(r->g->arena, n));
}

static Entry *entry_of(Report *r, Entries *list, ArrayRef a) {
    for (int k = list->n - 1; k >= 0 && k > list->n - 64; k--) {
        if (list->at[k].array == a) return &list->at[k];
    }
    VEC_PUSH(r->g->arena, *list, ((Entry){a, count_zero(r)}));
    return &list->at[list->n - 1];
}

enum { MOST_POWER = 3 };

/* The sum of x^power for x from 0 to n. */
static const Poly *power_sum(Arena *a, const Poly *n, int power) {
    const Poly *one = poly_int(a, 1), *next = poly_add(a, n, one), *square = poly_mul(a, n, next);
    switch (power) {
    case 0: return next;
    case 1: return poly_scale(a, square, 1, 2);
    case 2: return poly_scale(a, poly_mul(a, square, poly_add(a, poly_add(a, n, n), one)), 1, 6);
    default: return poly_scale(a, poly_mul(a, square, square), 1, 4);
    }
}

/* The sum of p over an index from lo to hi; an index that it has to high a power stands at hi. */
static const Poly *sum_over(Report *r, const Poly *p, Ref index, const Poly *lo, const Poly *hi,
                            bool *at_most) {
    Arena *a = r->g->arena;
    const Poly *sum = poly_int(a, 0), *before = poly_sub(a, lo, poly_int(a, 1));
    for (int t = 0; t < p->n; t++) {
        const Monomial *m = &p->term[t];
        const Poly *rest = poly_scale(a, poly_int(a, 1), m->num, m->den);
        int power = 0;
        for (int k = 0; k < m->nvars; k++) {
            if (m->var[k] == index && power < MOST_POWER) power++;
            else rest = poly_mul(a, rest, m->var[k] == index ? hi : poly_var(a, m->var[k]));
            *at_most = *at_most || (m->var[k] == index && power == MOST_POWER);
        }
        const Poly *turns = poly_sub(a, power_sum(a, hi, power), power_sum(a, before, power));
        sum = poly_add(a, sum, poly_mul(a, rest, turns));
    }
    return sum;
}

/* What is left of indices whose range is not a polynomial: their last place. */
static const Poly *over_sizes(Report *r, const Poly *p, bool *at_most) {
    Graph *g = r->g;
    const uint32_t *vars;
    for (int round = 0; round < 8; round++) {
        bool some = false;
        int n = poly_vars(g->arena, p, &vars);
        for (int k = 0; k < n && !some; k++) {
            if (NODE(g, vars[k])->op == OP_INDEX) {
                p = poly_subst(g->arena, p, vars[k], EXTENT(g, vars[k]));
                some = *at_most = true;
            }
        }
        if (!some) break;
    }
    return p;
}

static void settle(Report *r, Count *c) {
    c->simple = over_sizes(r, c->simple, &c->at_most);
    c->calls = over_sizes(r, c->calls, &c->at_most);
    c->read = over_sizes(r, c->read, &c->at_most);
    c->written = over_sizes(r, c->written, &c->at_most);
}

/* ---- statements ---- */

static void count_expr(Report *r, const Expr *e, Count *c) {
    switch (e->kind) {
    case EXPR_LOAD: more(r, &c->read, array_entry_bytes(r->g, e->array)); return;
    case EXPR_OP:
        if (e->type >= VALUE_FLOAT || op_info[e->op].typing == TYPING_COMPARE) {
            more(r, op_info[e->op].cheap ? &c->simple : &c->calls, 1);
        }
        break;
    case EXPR_SELECT: more(r, &c->simple, 1); break;
    case EXPR_FOLD: more(r, &c->simple, LANES); break;
    case EXPR_EXTERN: more(r, &c->calls, 1); break;
    default: break;
    }
    for (int k = 0; k < e->n; k++) count_expr(r, e->arg[k], c);
}

static void times(Report *r, Count *c, const Poly *n) {
    Arena *a = r->g->arena;
    c->simple = poly_mul(a, c->simple, n), c->calls = poly_mul(a, c->calls, n);
    c->read = poly_mul(a, c->read, n), c->written = poly_mul(a, c->written, n);
}

static void count_matmul(Report *r, const Matmul *m, Count *c) {
    Arena *a = r->g->arena;
    const Poly *block = poly_int(a, LANES),
               *size[3] = {m->m ? m->m : block, m->n ? m->n : block, m->k ? m->k : block};
    const Poly *mk = poly_mul(a, size[0], size[2]), *kn = poly_mul(a, size[2], size[1]),
               *mn = poly_mul(a, size[0], size[1]);
    int bytes[3];
    for (int k = 0; k < 3; k++) bytes[k] = array_entry_bytes(r->g, m->array[k]);
    c->simple = poly_add(a, c->simple, poly_scale(a, poly_mul(a, mk, size[1]), 2, 1));
    c->read = poly_add(a, c->read, poly_scale(a, mk, bytes[0], 1));
    c->read = poly_add(a, c->read, poly_scale(a, kn, bytes[1], 1));
    if (m->accumulate) c->read = poly_add(a, c->read, poly_scale(a, mn, bytes[2], 1));
    c->written = poly_add(a, c->written, poly_scale(a, mn, bytes[2], 1));
}

/* Products and sums of the algorithms in the runtime, their leading term. */
static void count_kernel(Report *r, const KernelCall *k, Count *c) {
    Arena *a = r->g->arena;
    const Poly *n = k->n, *m = k->m ? k->m : poly_int(a, 1), *square = poly_mul(a, n, n),
               *cube = poly_mul(a, square, n), *work;
    int bytes = array_entry_bytes(r->g, k->array[1] ? k->array[1] : k->array[0]);
    switch (k->kind) {
    case KERNEL_LU: work = poly_scale(a, cube, 2, 3); break;
    case KERNEL_CHOLESKY: work = poly_scale(a, cube, 1, 3); break;
    case KERNEL_LU_INVERSE: work = poly_scale(a, cube, 2, 1); break;
    case KERNEL_LU_LOGDET: work = n; break;
    case KERNEL_LU_SOLVE:
    case KERNEL_LU_SOLVE_T:
    case KERNEL_CHOLESKY_SOLVE: work = poly_scale(a, poly_mul(a, square, m), 2, 1); break;
    default: work = poly_mul(a, square, m); break;
    }
    c->simple = poly_add(a, c->simple, work);
    c->read = poly_add(a, c->read, poly_scale(a, square, bytes, 1));
    c->written = poly_add(a, c->written, poly_scale(a, poly_mul(a, n, m), bytes, 1));
}

static void count_block(Report *r, const Block *b, ArrayRef *now, Entries *out);

static void count_loop(Report *r, const Stmt *s, ArrayRef *now, Entries *out) {
    Graph *g = r->g;
    Entries inside = {0};
    const Poly *lo = s->value ? plan_poly(g, s->value) : NULL,
               *hi = s->other ? plan_poly(g, s->other) : NULL, *one = poly_int(g->arena, 1);
    bool known = lo && hi;
    if (known) hi = poly_sub(g->arena, hi, one);
    else lo = poly_int(g->arena, 0), hi = poly_sub(g->arena, EXTENT(g, s->index), one);
    count_block(r, &s->body, now, &inside);
    for (int k = 0; k < inside.n; k++) {
        Count c = inside.at[k].count;
        if (s->lanes) {
            times(r, &c, poly_int(g->arena, LANES));
        } else {
            c.at_most = c.at_most || !known;
            c.simple = sum_over(r, c.simple, s->index, lo, hi, &c.at_most);
            c.calls = sum_over(r, c.calls, s->index, lo, hi, &c.at_most);
            c.read = sum_over(r, c.read, s->index, lo, hi, &c.at_most);
            c.written = sum_over(r, c.written, s->index, lo, hi, &c.at_most);
            if (s->step) {
                const Poly *part = poly_scale(g->arena, one, 1, s->step);
                times(r, &c, part);
            }
        }
        count_add(r, &entry_of(r, out, inside.at[k].array)->count, &c);
    }
}

static const Poly *entries_of(Report *r, ArrayRef a) {
    const Store *s = r->f->store[a];
    const Poly *n = poly_int(r->g->arena, 1);
    for (int k = 0; k < store_axes(r->g, s, a); k++) {
        n = poly_mul(r->g->arena, n, store_extent(r->g, s, a, store_axis(s, k)));
    }
    return n;
}

/* The array that a statement computes an entry of; 0: a name for what the next ones use. */
static ArrayRef target_of(Report *r, const Stmt *s) {
    switch (s->kind) {
    case STMT_STORE:
    case STMT_ZERO:
    case STMT_COPY: return s->array;
    case STMT_MATMUL: return s->matmul->array[2];
    case STMT_KERNEL: return s->call->array[1];
    case STMT_LET:
    case STMT_VAR:
    case STMT_SET: {
        const Local *l = &r->f->locals.at[s->local];
        return l->array ? l->array : l->part_of;
    }
    default: return 0;
    }
}

/* before: what was computed for statements to come. */
static void count_stmt(Report *r, const Stmt *s, ArrayRef *now, Count *before, Entries *out) {
    Count c = count_zero(r);
    int bytes = s->array ? array_entry_bytes(r->g, s->array) : 0, first = out->n;
    if (s->kind == STMT_LOOP) {
        count_loop(r, s, now, out);
        if (first < out->n) count_add(r, &out->at[first].count, before);
        *before = first < out->n ? count_zero(r) : *before;
        return;
    }
    if (s->value) count_expr(r, s->value, &c);
    if (s->other) count_expr(r, s->other, &c);
    switch (s->kind) {
    case STMT_SET: more(r, &c.simple, s->op != '='); break;
    case STMT_STORE:
        more(r, &c.simple, s->op != '=');
        more(r, &c.read, s->op != '=' ? bytes : 0);
        more(r, &c.written, bytes);
        break;
    case STMT_ZERO: c.written = poly_scale(r->g->arena, entries_of(r, s->array), bytes, 1); break;
    case STMT_COPY:
        c.read = c.written = poly_scale(r->g->arena, entries_of(r, s->array), bytes, 1);
        break;
    case STMT_MATMUL: count_matmul(r, s->matmul, &c); break;
    case STMT_KERNEL: count_kernel(r, s->call, &c); break;
    default: break;
    }
    ArrayRef to = target_of(r, s);
    count_add(r, before, &c);
    if (to) {
        count_add(r, &entry_of(r, out, to)->count, before);
        *before = count_zero(r);
    }
    Entries inside = {0};
    count_block(r, &s->body, now, &inside);
    count_block(r, &s->otherwise, now, &inside);
    for (int k = 0; k < inside.n; k++) {
        bool always = s->kind == STMT_THREADS || (s->kind == STMT_IF && !s->value);
        inside.at[k].count.at_most = inside.at[k].count.at_most || !always;
        count_add(r, &entry_of(r, out, inside.at[k].array)->count, &inside.at[k].count);
    }
}

/* now: whose equation the statements belong to, as a comment says, where they do not say it. */
static void count_block(Report *r, const Block *b, ArrayRef *now, Entries *out) {
    Count before = count_zero(r);
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_COMMENT) *now = s->array ? s->array : *now;
        else count_stmt(r, s, now, &before, out);
    }
    if (!count_is_zero(&before)) count_add(r, &entry_of(r, out, *now)->count, &before);
}

/* ---- text ---- */

/* What is done once for a block of turns is a part of an operation for each: it is rounded up. */
static const char *size_of(Report *r, const Poly *p) {
    Arena *a = r->g->arena;
    const Poly *sum = poly_int(a, 0);
    for (int t = 0; t < p->n; t++) {
        const Monomial *m = &p->term[t];
        bool part = m->den % LANES == 0 || (m->den > 6 && LANES % m->den == 0);
        const Poly *term = part ? poly_int(a, (m->num + m->den - 1) / m->den)
                                : poly_scale(a, poly_int(a, 1), m->num, m->den);
        for (int k = 0; k < m->nvars; k++) term = poly_mul(a, term, poly_var(a, m->var[k]));
        sum = poly_add(a, sum, term);
    }
    return graph_poly_text(r->g, sum);
}

static void put_count(Report *r, const Count *c) {
    Text *t = r->out;
    const char *between = "";
    text_raw(t, c->at_most ? "at most " : "");
    if (!is_nothing(c->simple)) {
        text_add(t, "%s operations", size_of(r, c->simple)), between = " and ";
    }
    if (!is_nothing(c->calls)) {
        text_add(t, "%s%s function calls", between, size_of(r, c->calls)), between = "; ";
    }
    between = *between ? "; " : "";
    if (!is_nothing(c->read)) {
        text_add(t, "%sreads %s bytes", between, size_of(r, c->read)), between = "; ";
    }
    if (!is_nothing(c->written)) {
        text_add(t, "%swrites %s bytes", between, size_of(r, c->written)), between = "; ";
    }
    text_raw(t, *between ? "\n" : "no operations\n");
}

static void put_place(Report *r, ArrayRef a) {
    const Function *f = r->f;
    const Store *s = f->store[a];
    Text *t = r->out;
    switch (f->place[a]) {
    case PLACE_LOCAL:
        text_raw(t, f->locals.at[f->local[a]].lanes ? "a row on the stack" : "a variable");
        break;
    case PLACE_OUTPUT: text_raw(t, "into the caller's array"); break;
    case PLACE_BUFFER:
        text_raw(t, "workspace");
        for (int k = 0; s && k < ARRAY(r->g, a)->rank; k++) {
            const char *axis = r->g->indices.at[NODE(r->g, ARRAY(r->g, a)->axis[k])->aux].name;
            if (s->window[k] == 1) {
                text_add(t, ", one place of %s", axis);
            } else if (s->window[k] > 1) {
                text_add(t, ", %lld places of %s", (long long)s->window[k], axis);
            } else if (s->window[k] < 0) {
                text_add(t, ", a block of %s between checkpoints", axis);
            }
        }
        break;
    default: text_raw(t, "nowhere"); break;
    }
}

static void put_entries(Report *r, const Entries *list, int indent) {
    for (int k = 0; k < list->n; k++) {
        ArrayRef a = list->at[k].array;
        Count c = list->at[k].count;
        if (count_is_zero(&c)) continue;
        settle(r, &c);
        text_add(r->out, "%*s", indent, "");
        if (a) {
            text_raw(r->out, ARRAY(r->g, a)->name);
            graph_shape_text(r->g, a, r->out);
            text_raw(r->out, ": ");
            put_place(r, a);
        } else {
            text_raw(r->out, "copies and tests");
        }
        text_add(r->out, "\n%*s", indent + 4, "");
        put_count(r, &c);
    }
}

static void put_names(Report *r, const char *what, int n, const ArrayRef *arrays) {
    Text line = text_new(r->g->arena);
    if (!n) return;
    text_add(&line, "  %s: ", what);
    for (int k = 0; k < n; k++)
        text_add(&line, "%s%s", k ? ", " : "", ARRAY(r->g, arrays[k])->name);
    text_char(&line, '\n');
    text_wrap(r->out, text_string(&line), 100, 6);
}

/* Rows on the stack, with one number for each turn of a block; other variables are few. */
static int64_t stack_of_local(const Report *r, int local) {
    const Local *l = &r->f->locals.at[local];
    int64_t entry = l->type == VALUE_FLOAT ? 4 : l->type == VALUE_BOOL ? 1 : 8;
    return l->lanes ? entry * LANES : entry;
}

static int64_t stack_of_stmts(const Report *r, const Stmt *s, const Stmt *end) {
    int64_t bytes = 0;
    for (; s != end; s = s->next) {
        bool declares = s->kind == STMT_LET || s->kind == STMT_VAR;
        bytes += declares ? stack_of_local(r, s->local) : 0;
        bytes +=
            stack_of_stmts(r, s->body.first, NULL) + stack_of_stmts(r, s->otherwise.first, NULL);
    }
    return bytes;
}

static int64_t stack_of(const Report *r) {
    int64_t bytes = 0;
    for (int k = 0; k < r->f->locals.n && !r->f->parts.n; k++) {
        bytes += stack_of_local(r, k);
    }
    for (int k = 0; k < r->f->parts.n; k++) { /* one part at a time */
        const FunctionPart *p = &r->f->parts.at[k];
        int64_t part = stack_of_stmts(r, p->first, p->last->next);
        for (int q = 0; q < p->takes.n; q++) {
            part += stack_of_local(r, p->takes.at[q].local);
        }
        bytes = part > bytes ? part : bytes;
    }
    return bytes;
}

/* Does a function that comes after this one take the array from it? */
static bool is_taken(Report *r, const Function *f, ArrayRef a) {
    for (int k = 0; k < r->plan->functions.n; k++) {
        const Function *o = &r->plan->functions.at[k];
        if (o->layout == f->layout && (o->kind == FN_BACKWARD || o->kind == FN_VJP) &&
            (int)a < o->arrays && o->place[a] != PLACE_NONE && !o->computed[a]) {
            return true;
        }
    }
    return false;
}

static bool is_placed(const Function *f, ArrayRef a) {
    return f->place && (int)a < f->arrays && f->place[a] != PLACE_NONE;
}

typedef VEC(ArrayRef) Names;

/* What forward leaves for a function that comes after; what such a one makes of the value once
 * more. */
static void find_kept(Report *r, const Function *f, Names *kept, Names *again) {
    Graph *g = r->g;
    const Layout *l = &r->plan->layouts.at[f->layout];
    const int *place = layout_places(g, l, f);
    bool *among = arena_alloc(g->arena, (size_t)g->arrays.n + 1);
    bool after = f->kind == FN_BACKWARD || f->kind == FN_VJP;
    for (int k = 0; k < l->kept.n; k++) among[l->kept.at[k]] = true;
    for (ArrayRef a = 1; a < (ArrayRef)f->arrays; a++) {
        bool in_layout = place[a] >= 0 || among[a];
        if (f->kind == FN_FORWARD && f->computed[a] && in_layout && is_taken(r, f, a)) {
            VEC_PUSH(g->arena, *kept, a);
        }
        if (after && f->computed[a] && ARRAY(g, a)->order == 0 && is_placed(f, a)) {
            VEC_PUSH(g->arena, *again, a);
        }
    }
}

/* The loop that a statement is, or takes in parts. */
static const Stmt *loop_in(const Stmt *s) {
    const Stmt *loop = s->kind == STMT_THREADS ? s->body.first : s;
    while (loop && loop->kind != STMT_LOOP && s->kind == STMT_THREADS) loop = loop->next;
    return loop->kind == STMT_LOOP ? loop : NULL;
}

/* Loops that threads share, and why others are not. */
static void put_threads(Report *r, const Function *f) {
    for (int k = 0; k < f->threads_notes.n; k++) {
        const ThreadsNote *note = &f->threads_notes.at[k];
        Text line = text_new(r->g->arena);
        text_add(&line, "  loop over %s%s%s%s: %s\n", note->index, *note->of ? " (" : "", note->of,
                 *note->of ? ")" : "", note->text);
        text_wrap(r->out, text_string(&line), 100, 6);
    }
}

static void report_function(Report *r, const Function *f, const char *prefix) {
    Graph *g = r->g;
    Text *t = r->out, body = text_new(g->arena);
    Count total = count_zero(r);
    Names kept = {0}, again = {0};
    r->f = f;
    r->out = &body;
    ArrayRef now = 0;
    Entries plain = {0};
    Count before = count_zero(r);
    for (const Stmt *s = f->body.first; s; s = s->next) {
        Entries one = {0};
        if (s->kind == STMT_COMMENT) {
            now = s->array ? s->array : now;
            continue;
        }
        count_stmt(r, s, &now, &before, &one);
        for (int k = 0; k < one.n; k++) {
            Count c = one.at[k].count;
            settle(r, &c);
            count_add(r, &total, &c);
        }
        const Stmt *loop = loop_in(s);
        bool shared = loop && (one.n > 1 || loop->step);
        if (shared) {
            put_entries(r, &plain, 2);
            plain = (Entries){0};
            text_add(&body, "  one loop over %s", g->indices.at[NODE(g, loop->index)->aux].name);
            if (loop->step) text_add(&body, ", by blocks of %d turns", loop->step);
            text_raw(&body, loop->down ? ", backwards:\n" : ":\n");
            put_entries(r, &one, 4);
        } else {
            for (int k = 0; k < one.n; k++) {
                count_add(r, &entry_of(r, &plain, one.at[k].array)->count, &one.at[k].count);
            }
        }
    }
    count_add(r, &total, &before);
    put_entries(r, &plain, 2);
    const Layout *l = &r->plan->layouts.at[f->layout];
    const Poly *sum;
    bool at_most = false;
    int64_t exact = layout_bytes(g, l, &sum, &at_most), fixed;
    r->out = t;
    text_add(t, "%s: ", plan_function_name(r->plan, f, prefix));
    put_count(r, &total);
    const char *says = plan_workspace_name(r->plan, f, prefix);
    bool assumes = false;
    for (int k = 1; k < g->dims.n; k++) assumes = assumes || g->dims.at[k].assumed;
    bool exactly = exact >= 0 && !at_most && (sum ? poly_is_int(sum, &fixed) : !assumes);
    if (exactly) {
        text_add(t, "  workspace: %lld bytes, %s\n", (long long)exact, says);
    } else if (sum) {
        text_add(t, "  workspace: %s%s bytes and up to %d for each array, %s\n",
                 at_most ? "at most " : "", size_of(r, sum), WORKSPACE_ALIGN - 1, says);
    } else {
        text_add(t, "  workspace: depends on the states that are kept, %s says\n", says);
    }
    if (exact >= 0 && !exactly && assumes) {
        text_add(t, "  with what is assumed: %s%lld bytes\n", at_most ? "at most " : "",
                 (long long)exact);
    }
    text_add(t, "  stack: about %lld bytes\n", (long long)stack_of(r));
    if (f->parts.n) {
        int64_t slots = 0, bytes = 0;
        for (int type = VALUE_BOOL; type <= VALUE_DOUBLE; type++) {
            slots += f->slots[type];
            bytes += layout_slot_bytes(l, type);
        }
        text_add(t,
                 "  %d parts, each a C function; %lld slots in the workspace, %lld bytes, for "
                 "what goes from one to another\n",
                 f->parts.n, (long long)slots, (long long)bytes);
    }
    find_kept(r, f, &kept, &again);
    put_threads(r, f);
    for (int k = 0; f->edits && f->kind != FN_FORWARD && k < f->edits->again.n; k++) {
        const Again *m = &f->edits->again.at[k];
        put_names(r, arena_format(g->arena, "%s is made again for", ARRAY(g, m->array)->name),
                  m->by.n, m->by.at);
    }
    put_names(r, "in the workspace, for backward too", kept.n, kept.at);
    put_names(r, "of the value, computed again", again.n, again.at);
    text_raw(t, text_string(&body));
}

/* ---- before the plan ---- */

struct ReportBefore {
    int n;
    ArrayRef *array;
    int *nreaders;
    ArrayRef **reader;
};

const ReportBefore *report_before(Graph *g) {
    ReportBefore *b = arena_alloc(g->arena, sizeof *b);
    VEC(ArrayRef) roots = {0};
    for (int k = 0; k < g->outputs.n; k++) VEC_PUSH(g->arena, roots, g->outputs.at[k]);
    for (int k = 0; k < g->requests.n; k++) {
        for (int q = 0; q < g->requests.at[k].result.n; q++) {
            VEC_PUSH(g->arena, roots, g->requests.at[k].result.at[q]);
        }
    }
    Order order = graph_order(g, roots.n, roots.at);
    size_t all = (size_t)g->arrays.n + 1;
    int *place = arena_alloc(g->arena, all * sizeof *place);
    b->n = order.n, b->array = order.array;
    b->nreaders = arena_alloc(g->arena, all * sizeof *b->nreaders);
    b->reader = arena_alloc(g->arena, all * sizeof *b->reader);
    for (int k = 0; k < order.n; k++) place[order.array[k]] = k;
    for (int round = 0; round < 2; round++) { /* count them, then note them */
        for (int k = 0; k < order.n; k++) {
            const ArrayRef *reads;
            int n = graph_array_reads(g, order.array[k], &reads);
            for (int q = 0; q < n; q++) {
                int of = place[reads[q]];
                if (round) b->reader[of][b->nreaders[of]] = order.array[k];
                b->nreaders[of]++;
            }
        }
        for (int k = 0; k < order.n && !round; k++) {
            size_t room = (size_t)b->nreaders[k] + 1;
            b->reader[k] = arena_alloc(g->arena, room * sizeof **b->reader);
            b->nreaders[k] = 0;
        }
    }
    return b;
}

/* Has an equation, which has a name of the source or of a derivative, no place of its own? Then it
 * was written into those that read it. */
static bool is_fused(Report *r, ArrayRef a) {
    bool placed = ARRAY(r->g, a)->role != ARRAY_INTERNAL;
    for (int f = 0; f < r->plan->functions.n && !placed; f++) {
        placed = is_placed(&r->plan->functions.at[f], a);
    }
    return !placed;
}

/* One that is read at several places is computed at each of them: it is said where. */
static void put_fused(Report *r, const ReportBefore *before) {
    Graph *g = r->g;
    VEC(ArrayRef) fused = {0};
    for (int k = 0; k < before->n; k++) {
        if (is_fused(r, before->array[k])) VEC_PUSH(g->arena, fused, before->array[k]);
    }
    put_names(r, "written into the equations that read them", fused.n, fused.at);
    for (int k = 0; k < before->n; k++) {
        if (before->nreaders[k] < 2 || !is_fused(r, before->array[k])) continue;
        const char *what = arena_format(g->arena, "  %s %d times", ARRAY(g, before->array[k])->name,
                                        before->nreaders[k]);
        put_names(r, what, before->nreaders[k], before->reader[k]);
    }
    if (fused.n) text_char(r->out, '\n');
}

void report_plan(const Plan *p, const char *prefix, const ReportBefore *before, Text *out) {
    Report r = {.g = p->g, .plan = p, .out = out};
    Graph *g = p->g;
    text_add(out, "model %s, real is %s", g->name, g->real == VALUE_FLOAT ? "float" : "double");
    for (int k = 1; k < g->dims.n; k++) {
        text_add(out, "%s%s", k == 1 ? ", open sizes " : ", ", g->dims.at[k].name);
    }
    text_raw(out, "\n\n");
    put_fused(&r, before);
    for (int k = 0; k < p->functions.n; k++) {
        const Function *f = &p->functions.at[k];
        if (k) text_char(out, '\n');
        if (f->place) report_function(&r, f, prefix);
        else text_add(out, "%s: forward, then backward\n", plan_function_name(p, f, prefix));
    }
}

/* ---- JSON: the same, see docs/json.md. Names are identifiers: nothing needs a backslash. ---- */

/* A number where it is one, else a polynomial in quotes. */
static void json_size(Report *r, const char *name, const Poly *p) {
    const char *text = size_of(r, p);
    if (strspn(text, "0123456789") == strlen(text)) text_add(r->out, "\"%s\": %s", name, text);
    else text_add(r->out, "\"%s\": \"%s\"", name, text);
}

static void json_names(Report *r, const char *name, int n, const ArrayRef *arrays) {
    text_add(r->out, "\"%s\": [", name);
    for (int k = 0; k < n; k++) {
        text_add(r->out, "%s\"%s\"", k ? ", " : "", ARRAY(r->g, arrays[k])->name);
    }
    text_char(r->out, ']');
}

static void json_count(Report *r, const Count *c) {
    Text *t = r->out;
    json_size(r, "operations", c->simple);
    text_raw(t, ", ");
    json_size(r, "calls", c->calls);
    text_raw(t, ", ");
    json_size(r, "reads", c->read);
    text_raw(t, ", ");
    json_size(r, "writes", c->written);
    text_add(t, ", \"at_most\": %s", c->at_most ? "true" : "false");
}

/* loop: that it shares with others, the function's so many-th such one; NULL: none. */
static void json_entry(Report *r, const Entry *e, const Stmt *loop, int number, bool *some) {
    static const char *const places[] = {"", "given", "table", "variable", "workspace", "caller"};
    Graph *g = r->g;
    Text *t = r->out;
    Count c = e->count;
    ArrayRef a = e->array;
    if (count_is_zero(&c)) return;
    settle(r, &c);
    text_add(t, "%s\n  {\"name\": ", *some ? "," : "");
    *some = true;
    if (a) {
        const Store *s = r->f->store[a];
        bool row = r->f->place[a] == PLACE_LOCAL && r->f->locals.at[r->f->local[a]].lanes;
        text_add(t, "\"%s\", \"order\": %d, \"place\": \"%s\", \"shape\": [", ARRAY(g, a)->name,
                 ARRAY(g, a)->order, row ? "stack" : places[r->f->place[a]]);
        for (int k = 0; k < ARRAY(g, a)->rank; k++) {
            text_add(t, "%s\"%s\"", k ? ", " : "", graph_poly_text(g, ARRAY(g, a)->extent[k]));
        }
        text_raw(t, "], \"window\": [");
        for (int k = 0; k < ARRAY(g, a)->rank; k++) {
            text_add(t, "%s%lld", k ? ", " : "", s ? (long long)s->window[k] : 0);
        }
        text_raw(t, "], ");
    } else {
        text_raw(t, "null, ");
    }
    if (loop) {
        text_add(t, "\"loop\": {\"number\": %d, \"over\": \"%s\", \"block\": %d}, ", number,
                 g->indices.at[NODE(g, loop->index)->aux].name, loop->step);
    } else {
        text_raw(t, "\"loop\": null, ");
    }
    json_count(r, &c);
    text_char(t, '}');
}

static void json_equations(Report *r, Count *total) {
    ArrayRef now = 0;
    Entries plain = {0};
    Count before = count_zero(r);
    bool some = false;
    int number = 0;
    text_raw(r->out, "\"equations\": [");
    for (const Stmt *s = r->f->body.first; s; s = s->next) {
        Entries one = {0};
        if (s->kind == STMT_COMMENT) {
            now = s->array ? s->array : now;
            continue;
        }
        count_stmt(r, s, &now, &before, &one);
        const Stmt *loop = loop_in(s);
        bool shared = loop && (one.n > 1 || loop->step);
        number += shared;
        for (int k = 0; k < one.n; k++) {
            Count c = one.at[k].count;
            settle(r, &c);
            count_add(r, total, &c);
            if (shared) {
                json_entry(r, &one.at[k], loop, number, &some);
            } else {
                count_add(r, &entry_of(r, &plain, one.at[k].array)->count, &one.at[k].count);
            }
        }
    }
    count_add(r, total, &before);
    for (int k = 0; k < plain.n; k++) json_entry(r, &plain.at[k], NULL, 0, &some);
    text_raw(r->out, "]");
}

static void json_workspace(Report *r, const Layout *l, const char *name) {
    const Poly *sum;
    bool at_most = false;
    int64_t bytes = layout_bytes(r->g, l, &sum, &at_most);
    text_add(r->out, "\"workspace\": {\"function\": \"%s\", ", name);
    if (sum) json_size(r, "bytes", sum);
    else text_raw(r->out, "\"bytes\": null");
    if (bytes >= 0) text_add(r->out, ", \"known\": %lld", (long long)bytes);
    text_add(r->out, ", \"at_most\": %s}", at_most ? "true" : "false");
}

static void json_function(Report *r, const Function *f, const char *prefix) {
    Text *t = r->out;
    const Layout *l = &r->plan->layouts.at[f->layout];
    Count total = count_zero(r);
    Names kept = {0}, again = {0};
    r->f = f;
    text_add(t, "{\"name\": \"%s\", ", plan_function_name(r->plan, f, prefix));
    if (!f->place) {
        text_raw(t, "\"is\": [\"forward\", \"backward\"]}");
        return;
    }
    json_equations(r, &total);
    text_raw(t, ",\n  ");
    json_count(r, &total);
    text_raw(t, ",\n  ");
    json_workspace(r, l, plan_workspace_name(r->plan, f, prefix));
    text_add(t, ", \"stack\": %lld,\n  ", (long long)stack_of(r));
    find_kept(r, f, &kept, &again);
    json_names(r, "stored", kept.n, kept.at);
    text_raw(t, ", ");
    json_names(r, "again", again.n, again.at);
    text_raw(t, ", \"again_for\": [");
    const char *between = "";
    for (int k = 0; f->edits && f->kind != FN_FORWARD && k < f->edits->again.n; k++) {
        const Again *m = &f->edits->again.at[k];
        text_add(t, "%s{\"name\": \"%s\", ", between, ARRAY(r->g, m->array)->name);
        json_names(r, "by", m->by.n, m->by.at);
        text_char(t, '}');
        between = ", ";
    }
    text_raw(t, "]}");
}

void report_json(const Plan *p, const char *prefix, const ReportBefore *before, Text *out) {
    Report r = {.g = p->g, .plan = p, .out = out};
    Graph *g = p->g;
    const char *between = "";
    text_add(out, "{\"model\": \"%s\", \"real\": \"%s\", \"sizes\": [", g->name,
             g->real == VALUE_FLOAT ? "float" : "double");
    for (int k = 1; k < g->dims.n; k++) {
        const GraphDim *d = &g->dims.at[k];
        text_add(out, "%s{\"name\": \"%s\"", k > 1 ? ", " : "", d->name);
        if (d->assumed) text_add(out, ", \"assumed\": %lld", (long long)d->assumed);
        text_char(out, '}');
    }
    text_raw(out, "],\n\"fused\": [");
    for (int k = 0; k < before->n; k++) {
        if (!is_fused(&r, before->array[k])) continue;
        text_add(out, "%s\n  {\"name\": \"%s\", ", between, ARRAY(g, before->array[k])->name);
        json_names(&r, "by", before->nreaders[k], before->reader[k]);
        text_char(out, '}');
        between = ",";
    }
    text_raw(out, "],\n\"functions\": [\n");
    for (int k = 0; k < p->functions.n; k++) {
        text_raw(out, k ? ",\n" : "");
        json_function(&r, &p->functions.at[k], prefix);
    }
    text_raw(out, "]}\n");
}
