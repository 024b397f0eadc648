/* compose: steps of a linear recurrence that are made in stages, in one stage.
 * In: the equations of a function, before derivatives are made. Out: the same values, where a
 * recurrence that is linear in its state has one term for each entry of the state that it reads.
 *
 * A step of Runge and Kutta for y' = A y goes over the state eight times: four slopes, three states
 * between, and the sum. If no coefficient changes from turn to turn, and all entries are read at
 * fixed distances, then a step is y[t, i] = sum of c[d][i] * y[t - 1, i - d] for a few d, and the
 * c[d] are computed once.
 * So each array of the recurrence is a *form*: a list of such terms, and one without the state. The
 * coefficients follow the equations: what reads k2 at i - 1 has k2's coefficients at i - 1. They
 * are arrays over the axes that are not turns, with the boxes of the pieces that they come from.
 * Where an entry beyond the ends of the state would be read, a coefficient is 0; so the state has a
 * margin of zeros, and one term serves all places. Were a coefficient 0 for an entry that is there,
 * as at a boundary that does not move, an infinity could come through; that is left alone.
 *
 * Arrays with entries before the recurrence runs are its *states*, all others are written into
 * them. It is done where a turn then is a quarter less work, and only for recurrences that may be
 * long. As in other sums that change their order, the last bits differ. */
#include "compose.h"
#include "kernel.h"
#include "ops.h"
#include "sizes.h"

enum {
    MOST_AXES = 8,
    MOST_MEMBERS = 64, /* arrays of a recurrence */
    MOST_TERMS = 32,   /* of a form */
    MOST_PIECES = 16,
    MOST_DEEP = 64, /* height and size of a term that is looked into */
    MOST_NODES = 256,
    MOST_HOLES = 64,
    MOST_SHIFT = 16, /* distance of an entry that is read */
    LEAST_TURNS = 16,
    LEAST_NAMED = 3 /* size of a factor that need not have a name */
};

typedef struct Box { /* by axis, both ends included; no matter at the turn's */
    const Poly *lo[MOST_AXES], *hi[MOST_AXES];
} Box;

typedef VEC(Box) Boxes;

typedef struct Term { /* factor * of[t - lag, i + shift] */
    ArrayRef of;      /* 0: nothing of the state is read */
    int lag;
    int shift[MOST_AXES]; /* by axis; 0 at the turn's */
    Ref factor;           /* over the axes of the array that has the form */
    Boxes holes;          /* places of that array where nothing is read, and the factor is 0 */
} Term;
typedef VEC(Term) Form;

typedef enum Progress { NEW, AT_WORK, DONE } Progress;

typedef struct Member {
    ArrayRef array;
    bool state;
    const Poly *first; /* the turn at which it begins to run */
    Form form;         /* made when it is first asked for */
    Progress progress;
    int margin[2][MOST_AXES]; /* of a state: places to add before and behind, by axis */
    ArrayRef wide;            /* the state with its margin */
} Member;

typedef struct Compose {
    Graph *g;
    int n;
    Member *member;
    int *number; /* by array: of the member + 1; 0: none */
    int rank, turn, sign;
    ValueType type;
    bool look; /* only find out: no array is made */
    int setup; /* terms of all forms */
} Compose;

static Member *member_of(const Compose *c, ArrayRef a) {
    return c->number[a] ? &c->member[c->number[a] - 1] : NULL;
}

/* ---- terms
 * -----------------------------------------------------------------------------------------------------
 */

static bool reads_members(const Compose *c, Ref term) {
    Graph *g = c->g;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_READ && c->number[NODE(g, r)->aux]) {
            return true;
        }
        walk_into(walk, r);
    }
    return false;
}

/* How far from the place of `a` a read of it or of another member is, by axis. Where a piece has
 * one place alone, this is the place. */
static bool distances(const Compose *c, ArrayRef a, const Piece *p, Ref read, int *distance) {
    Graph *g = c->g;
    for (int k = 0; k < c->rank; k++) {
        int64_t d;
        const Poly *place = graph_poly(g, ARG(g, read, k)),
                   *own = graph_poly(g, ARRAY(g, a)->axis[k]);
        if (k != c->turn && poly_equal(p->lo[k], p->hi[k])) {
            place = poly_subst(g->arena, place, ARRAY(g, a)->axis[k], p->lo[k]);
            own = p->lo[k];
        }
        if (!poly_is_int(poly_sub(g->arena, place, own), &d) || d > MOST_SHIFT || d < -MOST_SHIFT) {
            return false;
        }
        distance[k] = (int)d;
    }
    return true;
}

/* Operations and reads of what is done anew for each entry. */
static int work_of(const Compose *c, Ref term) {
    Graph *g = c->g;
    int work = 0;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Ref *free;
        if (graph_free(g, r, &free) > 0) {
            work += NODE(g, r)->type >= VALUE_FLOAT;
            if (NODE(g, r)->op != OP_READ) {
                walk_into(walk, r);
            }
        }
    }
    return work;
}

/* ---- forms
 * -----------------------------------------------------------------------------------------------------
 */

static bool same_place(const Compose *c, const Term *x, const Term *y) {
    bool same = x->of == y->of && x->lag == y->lag;
    for (int k = 0; k < c->rank && same; k++) {
        same = x->shift[k] == y->shift[k];
    }
    return same;
}

/* What two boxes have in common, or more where that is not known; false: nothing. */
static bool in_common(const Compose *c, const Box *x, const Box *y, Box *both) {
    Graph *g = c->g;
    *both = *x;
    for (int k = 0; k < c->rank; k++) {
        const Poly *gap = poly_sub(g->arena, y->lo[k], x->hi[k]),
                   *other = poly_sub(g->arena, x->lo[k], y->hi[k]), *one = poly_int(g->arena, 1);
        if (k == c->turn) {
            continue;
        }
        if (graph_prove(g, poly_sub(g->arena, gap, one), 0, NULL) ||
            graph_prove(g, poly_sub(g->arena, other, one), 0, NULL)) {
            return false;
        }
        if (graph_prove(g, poly_sub(g->arena, y->lo[k], x->lo[k]), 0, NULL)) {
            both->lo[k] = y->lo[k];
        }
        if (graph_prove(g, poly_sub(g->arena, x->hi[k], y->hi[k]), 0, NULL)) {
            both->hi[k] = y->hi[k];
        }
    }
    return true;
}

static Boxes holes_of_both(const Compose *c, const Boxes *x, const Boxes *y) {
    Boxes both = {0};
    for (int k = 0; k < x->n; k++) {
        for (int q = 0; q < y->n && both.n <= MOST_HOLES; q++) {
            Box b;
            if (in_common(c, &x->at[k], &y->at[q], &b)) {
                VEC_PUSH(c->g->arena, both, b);
            }
        }
    }
    return both;
}

static bool form_add(const Compose *c, Form *to, Term t) {
    for (int k = 0; k < to->n; k++) {
        if (same_place(c, &to->at[k], &t)) {
            to->at[k].factor = graph_op2(c->g, OP_add, to->at[k].factor, t.factor);
            to->at[k].holes = holes_of_both(c, &to->at[k].holes, &t.holes);
            return to->at[k].holes.n <= MOST_HOLES;
        }
    }
    VEC_PUSH(c->g->arena, *to, t);
    return to->n <= MOST_TERMS;
}

static bool is_free_of_state(const Form *f) {
    return f->n == 0 || (f->n == 1 && !f->at[0].of);
}

static Form *form_of(Compose *c, Member *m);

static Ref zero_of(const Compose *c) {
    return graph_real(c->g, c->type, 0);
}

/* The places from which a read at that distance comes to the box. */
static Box moved(const Compose *c, const Box *box, const int *distance) {
    Arena *a = c->g->arena;
    Box b = {{0}, {0}};
    for (int k = 0; k < c->rank; k++) {
        b.lo[k] = poly_sub(a, box->lo[k], poly_int(a, distance[k]));
        b.hi[k] = poly_sub(a, box->hi[k], poly_int(a, distance[k]));
    }
    return b;
}

/* What stands for a read: the state itself, or the terms of an array that is no state. */
static bool form_of_read(Compose *c, const Member *by, const Piece *p, Ref read, Form *to) {
    Graph *g = c->g;
    Member *of = member_of(c, NODE(g, read)->aux);
    int64_t early;
    int distance[MOST_AXES];
    if (!distances(c, by->array, p, read, distance)) {
        return false;
    }
    Term t = {.of = of->array, .lag = -c->sign * distance[c->turn]};
    for (int k = 0; k < c->rank; k++) {
        t.shift[k] = k == c->turn ? 0 : distance[k];
    }
    t.factor = graph_real(g, c->type, 1);
    if (t.lag < 0) {
        return false;
    }
    /* does it run already at the first turn that is asked for? */
    const Poly *since = poly_scale(g->arena, poly_sub(g->arena, by->first, of->first), c->sign, 1);
    bool runs = poly_is_int(since, &early) && early >= t.lag;
    if (of->state && (t.lag > 0 || !runs)) {
        return form_add(c, to, t);
    }
    if (!runs) {
        return false;
    }
    const Form *form = form_of(c, of);
    if (!form) {
        return false;
    }
    Ref at[MOST_AXES], from[MOST_AXES];
    int n = 0;
    for (int k = 0; k < c->rank; k++) {
        if (k != c->turn) {
            from[n] = ARRAY(g, of->array)->axis[k], at[n++] = ARG(g, read, k);
        }
    }
    for (int k = 0; k < form->n; k++) {
        Term u = {.of = form->at[k].of, .lag = form->at[k].lag};
        u.factor = graph_subst(g, form->at[k].factor, n, from, at);
        for (int q = 0; q < form->at[k].holes.n; q++) {
            VEC_PUSH(g->arena, u.holes, moved(c, &form->at[k].holes.at[q], distance));
        }
        u.lag += u.of ? t.lag : 0;
        for (int q = 0; q < c->rank; q++) {
            u.shift[q] = u.of ? form->at[k].shift[q] + t.shift[q] : 0;
            if (u.shift[q] > MOST_SHIFT || u.shift[q] < -MOST_SHIFT) {
                return false;
            }
        }
        if (!form_add(c, to, u)) {
            return false;
        }
    }
    return true;
}

/* The form of a term of `by`; terms are no higher than MOST_DEEP. */
static bool form_of_term(Compose *c, const Member *by, const Piece *p, Ref r, Form *to) {
    Graph *g = c->g;
    const Node n = *NODE(g, r);
    Form x = {0}, y = {0};
    if (!reads_members(c, r)) {
        Term t = {.factor = r};
        return !n.fails && n.type == c->type &&
               !graph_has_index(g, r, ARRAY(g, by->array)->axis[c->turn]) && form_add(c, to, t);
    }
    switch (n.op) {
    case OP_READ: return form_of_read(c, by, p, r, to);
    case OP_neg:
        if (!form_of_term(c, by, p, ARG(g, r, 0), &x)) {
            return false;
        }
        for (int k = 0; k < x.n; k++) {
            x.at[k].factor = graph_op1(g, OP_neg, x.at[k].factor);
            if (!form_add(c, to, x.at[k])) {
                return false;
            }
        }
        return true;
    case OP_add:
    case OP_sub:
    case OP_mul:
    case OP_div:
        if (!form_of_term(c, by, p, ARG(g, r, 0), &x) ||
            !form_of_term(c, by, p, ARG(g, r, 1), &y)) {
            return false;
        }
        break;
    default: return false;
    }
    bool first = n.op == OP_mul && is_free_of_state(&x); /* the constant factor comes first */
    const Form *of = first ? &y : &x, *by_what = first ? &x : &y;
    bool scales = n.op == OP_mul || n.op == OP_div;
    if (scales && !is_free_of_state(by_what)) {
        return false;
    }
    for (int k = 0; k < of->n; k++) {
        Term t = of->at[k];
        if (scales) {
            Ref factor = by_what->n ? by_what->at[0].factor : zero_of(c);
            t.factor = first ? graph_op2(g, OP_mul, factor, t.factor)
                             : graph_op2(g, (Op)n.op, t.factor, factor);
        }
        if (!form_add(c, to, t)) {
            return false;
        }
    }
    for (int k = 0; k < by_what->n && !scales; k++) {
        Term t = by_what->at[k];
        t.factor = n.op == OP_sub ? graph_op1(g, OP_neg, t.factor) : t.factor;
        if (!form_add(c, to, t)) {
            return false;
        }
    }
    return true;
}

static bool is_running(const Compose *c, const Array *a, const Piece *p) {
    Graph *g = c->g;
    const Poly *last = poly_sub(g->arena, a->extent[c->turn], poly_int(g->arena, 1));
    return c->sign > 0 ? poly_equal(p->hi[c->turn], last)
                       : poly_equal(p->lo[c->turn], poly_int(g->arena, 0));
}

/* Has the piece all places of each turn? */
static bool has_all_places(const Compose *c, const Array *a, const Piece *p) {
    Graph *g = c->g;
    for (int k = 0; k < c->rank; k++) {
        const Poly *last = poly_sub(g->arena, a->extent[k], poly_int(g->arena, 1));
        if (k != c->turn &&
            (!poly_equal(p->lo[k], poly_int(g->arena, 0)) || !poly_equal(p->hi[k], last))) {
            return false;
        }
    }
    return true;
}

/* An array of factors over the places of a member (`flat`: one for all), and the read of it there.
 */
static ArrayRef factors_new(const Compose *c, ArrayRef a, const Term *t, bool flat, Ref *read) {
    Graph *g = c->g;
    const Poly *extent[MOST_AXES];
    const char *name[MOST_AXES];
    Ref at[MOST_AXES];
    int n = 0;
    for (int k = 0; k < c->rank && !flat; k++) {
        if (k != c->turn) {
            Ref axis = ARRAY(g, a)->axis[k];
            extent[n] = ARRAY(g, a)->extent[k], at[n] = axis;
            name[n++] = g->indices.at[NODE(g, axis)->aux].name;
        }
    }
    const char *what =
        t->of ? arena_format(g->arena, "%s_per_%s", ARRAY(g, a)->name, ARRAY(g, t->of)->name)
              : arena_format(g->arena, "%s_alone", ARRAY(g, a)->name);
    ArrayRef f = graph_array(g, what, c->type, n, extent, name);
    ARRAY(g, f)->at = ARRAY(g, a)->at, ARRAY(g, f)->order = ARRAY(g, a)->order;
    *read = graph_read(g, f, at);
    return f;
}

static void factors_piece(const Compose *c, ArrayRef f, ArrayRef a, const Piece *p, Ref factor) {
    Graph *g = c->g;
    const Poly *lo[MOST_AXES], *hi[MOST_AXES];
    Ref from[MOST_AXES];
    int n = 0;
    for (int k = 0; k < c->rank && ARRAY(g, f)->rank > 0; k++) {
        if (k != c->turn) {
            from[n] = ARRAY(g, a)->axis[k], lo[n] = p->lo[k], hi[n++] = p->hi[k];
        }
    }
    graph_piece(g, f, lo, hi, graph_subst(g, factor, n, from, ARRAY(g, f)->axis), p->at);
}

/* A factor that nobody knows yet. */
static Ref some_factor(const Compose *c, ArrayRef a) {
    return graph_cast(c->g, c->type, ARRAY(c->g, a)->axis[c->turn == 0 ? c->rank - 1 : 0]);
}

static const Term *term_like(const Compose *c, const Form *f, const Term *t) {
    for (int k = 0; k < f->n; k++) {
        if (same_place(c, &f->at[k], t)) {
            return &f->at[k];
        }
    }
    return NULL;
}

/* Where a piece does not have the term (`in` is NULL), or has it with holes. */
static void add_holes(const Compose *c, Term *t, const Term *in, const Piece *p) {
    Box piece = {{0}, {0}}, b;
    for (int k = 0; k < c->rank; k++) {
        piece.lo[k] = p->lo[k], piece.hi[k] = p->hi[k];
    }
    for (int k = 0; in && k < in->holes.n; k++) {
        if (in_common(c, &in->holes.at[k], &piece, &b)) {
            VEC_PUSH(c->g->arena, t->holes, b);
        }
    }
    if (!in) {
        VEC_PUSH(c->g->arena, t->holes, piece);
    }
}

/* Each piece has a form; together they are one whose factors are arrays. */
static bool join_pieces(Compose *c, Member *m, int n, const Piece *piece, const Form *form) {
    Graph *g = c->g;
    bool whole = n == 1 && has_all_places(c, ARRAY(g, m->array), &piece[0]);
    for (int q = 0; q < n; q++) {
        for (int k = 0; k < form[q].n; k++) {
            Term t = form[q].at[k];
            const Ref *free;
            bool known = false, flat = whole && graph_free(g, t.factor, &free) == 0;
            for (int j = 0; j < m->form.n && !known; j++) {
                known = same_place(c, &m->form.at[j], &t);
            }
            if (known) {
                continue;
            }
            const Term *in[MOST_PIECES];
            t.holes = (Boxes){0};
            for (int p = 0; p < n; p++) {
                in[p] = term_like(c, &form[p], &t);
                add_holes(c, &t, in[p], &piece[p]);
            }
            if (t.holes.n > MOST_HOLES) {
                return false;
            }
            if (!flat || NODE(g, t.factor)->size > LEAST_NAMED) {
                if (c->look) {
                    t.factor = flat ? t.factor : some_factor(c, m->array);
                } else {
                    ArrayRef f = factors_new(c, m->array, &t, flat, &t.factor);
                    for (int p = 0; p < n; p++) {
                        factors_piece(c, f, m->array, &piece[p],
                                      in[p] ? in[p]->factor : zero_of(c));
                    }
                }
            }
            VEC_PUSH(g->arena, m->form, t);
        }
    }
    return m->form.n <= MOST_TERMS;
}

/* NULL: it has none. Members are fewer than MOST_MEMBERS: that bounds the recursion. */
static Form *form_of(Compose *c, Member *m) {
    Graph *g = c->g;
    VEC(Piece) piece = {0};
    VEC(Form) form = {0};
    if (m->progress != NEW) {
        return m->progress == DONE ? &m->form : NULL;
    }
    m->progress = AT_WORK;
    for (int q = 0; q < ARRAY(g, m->array)->pieces.n; q++) {
        const Piece p = ARRAY(g, m->array)->pieces.at[q];
        Form f = {0};
        if (!is_running(c, ARRAY(g, m->array), &p)) {
            continue;
        }
        if (NODE(g, p.body)->height > MOST_DEEP || NODE(g, p.body)->size > MOST_NODES ||
            !form_of_term(c, m, &p, p.body, &f)) {
            return NULL;
        }
        VEC_PUSH(g->arena, piece, p);
        VEC_PUSH(g->arena, form, f);
    }
    if (piece.n > MOST_PIECES || !join_pieces(c, m, piece.n, piece.at, form.at)) {
        return NULL;
    }
    m->progress = DONE;
    return &m->form;
}

/* ---- recurrences
 * ------------------------------------------------------------------------------------------------
 */

static bool may_take_part(const Graph *g, ArrayRef a, int rank, ValueType type) {
    const Array *x = &g->arrays.at[a];
    bool may = x->role == ARRAY_INTERNAL && x->type == type && type >= VALUE_FLOAT &&
               x->rank == rank && rank <= MOST_AXES && !x->target && !x->counts && !x->has_rules &&
               x->order == 0;
    for (int q = 0; q < x->pieces.n && may; q++) {
        const Piece *p = &x->pieces.at[q];
        may = !p->guard && !p->live && NODE(g, p->body)->op != OP_KERNEL;
    }
    return may;
}

/* In which direction turns go along that axis: 1, -1; 0: it is no axis of turns. */
static int direction(const Compose *c) {
    Graph *g = c->g;
    int sign = 0;
    for (int k = 0; k < c->n; k++) {
        const Array x = *ARRAY(g, c->member[k].array);
        for (int q = 0; q < x.pieces.n; q++) {
            Walk walk = walk_start(g, x.pieces.at[q].body);
            for (Ref r; (r = walk_next(walk));) {
                int distance[MOST_AXES];
                if (NODE(g, r)->op == OP_READ && c->number[NODE(g, r)->aux]) {
                    if (!distances(c, c->member[k].array, &x.pieces.at[q], r, distance) ||
                        distance[c->turn] * sign > 0) {
                        return 0;
                    }
                    sign = distance[c->turn] < 0 ? 1 : distance[c->turn] > 0 ? -1 : sign;
                }
                walk_into(walk, r);
            }
        }
    }
    return sign;
}

/* Have all entries a piece? Cases of an equation have no entry in common, so their numbers tell. */
static bool is_covered(Graph *g, ArrayRef a) {
    const Poly *one = poly_int(g->arena, 1), *left = one;
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        left = poly_mul(g->arena, left, ARRAY(g, a)->extent[k]);
    }
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece *p = &ARRAY(g, a)->pieces.at[q];
        const Poly *size = one;
        for (int k = 0; k < ARRAY(g, a)->rank; k++) {
            size = poly_mul(g->arena, size,
                            poly_add(g->arena, poly_sub(g->arena, p->hi[k], p->lo[k]), one));
        }
        left = poly_sub(g->arena, left, size);
    }
    return poly_equal(left, poly_int(g->arena, 0));
}

/* Which members are states, and when do they begin to run? */
static bool find_states(Compose *c) {
    Graph *g = c->g;
    bool some = false;
    for (int k = 0; k < c->n; k++) {
        Member *m = &c->member[k];
        const Array x = *ARRAY(g, m->array);
        m->first = NULL, m->state = false;
        for (int q = 0; q < x.pieces.n; q++) {
            const Piece *p = &x.pieces.at[q];
            const Poly *first = c->sign > 0 ? p->lo[c->turn] : p->hi[c->turn];
            if (is_running(c, &x, p)) {
                if (m->first && !poly_equal(m->first, first)) {
                    return false;
                }
                m->first = first;
            } else if (reads_members(c, p->body)) {
                return false;
            }
        }
        for (int q = 0; q < x.pieces.n; q++) {
            const Piece *p = &x.pieces.at[q];
            const Poly *last = c->sign > 0 ? p->hi[c->turn] : p->lo[c->turn];
            int64_t gap;
            if (!m->first) {
                return false;
            }
            if (!is_running(c, &x, p)) {
                last = poly_scale(g->arena, poly_sub(g->arena, m->first, last), c->sign, 1);
                if (!poly_is_int(last, &gap) || gap < 1) {
                    return false;
                }
                m->state = true;
            }
        }
        if (m->state && !is_covered(g, m->array)) {
            return false;
        }
        some = some || m->state;
    }
    return some;
}

static bool make_forms(Compose *c) {
    c->setup = 0;
    for (int k = 0; k < c->n; k++) {
        c->member[k].progress = NEW;
        c->member[k].form = (Form){0};
    }
    for (int k = 0; k < c->n; k++) {
        const Form *f = c->member[k].state ? form_of(c, &c->member[k]) : &c->member[k].form;
        if (!f) {
            return false;
        }
        for (int j = 0; j < f->n && c->member[k].state; j++) {
            if (f->at[j].of && f->at[j].lag == 0) {
                return false;
            }
        }
    }
    for (int k = 0; k < c->n; k++) {
        c->setup += c->member[k].form.n;
    }
    return true;
}

/* What is beyond the ends of a state that another one reads. */
static bool find_margins(Compose *c) {
    Graph *g = c->g;
    for (int k = 0; k < c->n; k++) {
        const Member *m = &c->member[k];
        for (int j = 0; j < m->form.n && m->state; j++) {
            const Term *t = &m->form.at[j];
            for (int q = 0; q < c->rank && t->of; q++) {
                int64_t more = 0;
                const Poly *own = ARRAY(g, m->array)->extent[q],
                           *there = ARRAY(g, t->of)->extent[q];
                if (q == c->turn) {
                    continue;
                }
                if (!poly_is_int(poly_sub(g->arena, own, there), &more) || more > MOST_SHIFT ||
                    more < -MOST_SHIFT) {
                    return false;
                }
                int before = -t->shift[q], behind = t->shift[q] + (int)more;
                int *margin[2] = {&member_of(c, t->of)->margin[0][q],
                                  &member_of(c, t->of)->margin[1][q]};
                *margin[0] = before > *margin[0] ? before : *margin[0];
                *margin[1] = behind > *margin[1] ? behind : *margin[1];
            }
        }
    }
    return true;
}

/* Are all places where a term has a coefficient of 0 such that it reads a margin there? */
static bool holes_are_margins(const Compose *c) {
    Graph *g = c->g;
    for (int k = 0; k < c->n; k++) {
        const Member *m = &c->member[k];
        for (int j = 0; j < m->form.n && m->state; j++) {
            const Term *t = &m->form.at[j];
            for (int h = 0; h < t->holes.n && t->of; h++) {
                const Box *b = &t->holes.at[h];
                bool out = false;
                for (int q = 0; q < c->rank && !out; q++) {
                    const Poly *shift = poly_int(g->arena, t->shift[q] + 1),
                               *before = poly_neg(g->arena, poly_add(g->arena, b->hi[q], shift)),
                               *behind = poly_sub(g->arena, poly_add(g->arena, b->lo[q], shift),
                                                  poly_add(g->arena, ARRAY(g, t->of)->extent[q],
                                                           poly_int(g->arena, 1)));
                    out = q != c->turn &&
                          (graph_prove(g, before, 0, NULL) || graph_prove(g, behind, 0, NULL));
                }
                if (!out) {
                    return false;
                }
            }
        }
    }
    return true;
}

/* Is a turn less work then, over as many turns as there may be? */
static bool pays(const Compose *c) {
    Graph *g = c->g;
    int64_t turns;
    int before = 0, behind = 0;
    for (int k = 0; k < c->n; k++) {
        const Member *m = &c->member[k];
        int most = 0;
        for (int q = 0; q < ARRAY(g, m->array)->pieces.n; q++) {
            int work = work_of(c, ARRAY(g, m->array)->pieces.at[q].body);
            most = work > most ? work : most;
        }
        before += most + 1;
        for (int j = 0; j < m->form.n && m->state; j++) {
            const Term *t = &m->form.at[j];
            const Ref *free;
            double one;
            bool alone = graph_is_real(g, t->factor, &one) && one * one == 1;
            behind += 1 + (t->of != 0) + (t->of && !alone) + (graph_free(g, t->factor, &free) > 0);
        }
        behind += m->state;
    }
    if (sizes_assumed(g, ARRAY(g, c->member[0].array)->extent[c->turn], &turns) &&
        (turns < LEAST_TURNS || turns * (before - behind) < 8 * c->setup)) {
        return false;
    }
    return 4 * behind <= 3 * before;
}

/* ---- the new equations
 * ------------------------------------------------------------------------------------------ */

static bool has_margin(const Compose *c, const Member *m) {
    bool has = false;
    for (int k = 0; k < c->rank; k++) {
        has = has || m->margin[0][k] || m->margin[1][k];
    }
    return has;
}

static ArrayRef wide_new(const Compose *c, const Member *m) {
    Graph *g = c->g;
    const Poly *extent[MOST_AXES];
    const char *name[MOST_AXES];
    const Array a = *ARRAY(g, m->array);
    for (int k = 0; k < c->rank; k++) {
        extent[k] =
            poly_add(g->arena, a.extent[k], poly_int(g->arena, m->margin[0][k] + m->margin[1][k]));
        name[k] = g->indices.at[NODE(g, a.axis[k])->aux].name;
    }
    ArrayRef w =
        graph_array(g, arena_format(g->arena, "%s_wide", a.name), a.type, c->rank, extent, name);
    ARRAY(g, w)->at = a.at, ARRAY(g, w)->order = a.order;
    return w;
}

/* Its margins are zeros in all turns: by axis, those before and behind, where the axes before this
 * one are within. */
static void add_margins(const Compose *c, const Member *m) {
    Graph *g = c->g;
    const Array w = *ARRAY(g, m->wide);
    for (int k = 0; k < 2 * c->rank; k++) {
        const Poly *lo[MOST_AXES], *hi[MOST_AXES];
        int at = k / 2, size = m->margin[k % 2][at];
        if (!size) {
            continue;
        }
        for (int q = 0; q < c->rank; q++) {
            int in = q < at ? m->margin[0][q] : 0, out = q < at ? m->margin[1][q] : 0;
            lo[q] = poly_int(g->arena, in);
            hi[q] = poly_sub(g->arena, w.extent[q], poly_int(g->arena, out + 1));
        }
        if (k % 2) {
            lo[at] = poly_sub(g->arena, w.extent[at], poly_int(g->arena, size));
        } else {
            hi[at] = poly_int(g->arena, size - 1);
        }
        graph_piece(g, m->wide, lo, hi, zero_of(c), w.at);
    }
}

/* A piece of the state, moved to its places behind the margins. */
static void add_moved(const Compose *c, const Member *m, const Piece *p) {
    Graph *g = c->g;
    const Array a = *ARRAY(g, m->array), w = *ARRAY(g, m->wide);
    const Poly *lo[MOST_AXES], *hi[MOST_AXES];
    Ref to[MOST_AXES];
    for (int k = 0; k < c->rank; k++) {
        const Poly *margin = poly_int(g->arena, m->margin[0][k]);
        lo[k] = poly_add(g->arena, p->lo[k], margin);
        hi[k] = poly_add(g->arena, p->hi[k], margin);
        to[k] = graph_op2(g, OP_sub, w.axis[k], graph_int(g, m->margin[0][k]));
    }
    graph_piece(g, m->wide, lo, hi, graph_subst(g, p->body, c->rank, a.axis, to), p->at);
}

static Ref body_of(const Compose *c, const Member *m) {
    Graph *g = c->g;
    Ref sum = 0;
    for (int last = 0; last < 2; last++) { /* what reads no state comes last */
        for (int k = 0; k < m->form.n; k++) {
            const Term *t = &m->form.at[k];
            Ref value = t->factor, at[MOST_AXES];
            if ((t->of == 0) != last) {
                continue;
            }
            for (int q = 0; q < c->rank && t->of; q++) {
                int64_t move = q == c->turn ? -c->sign * t->lag
                                            : t->shift[q] + member_of(c, t->of)->margin[0][q];
                at[q] = graph_op2(g, OP_add, ARRAY(g, m->array)->axis[q], graph_int(g, move));
            }
            if (t->of) {
                value =
                    graph_op2(g, OP_mul, t->factor, graph_read(g, member_of(c, t->of)->wide, at));
            }
            sum = sum ? graph_op2(g, OP_add, sum, value) : value;
        }
    }
    return sum ? sum : zero_of(c);
}

static void rewrite(const Compose *c) {
    Graph *g = c->g;
    for (int k = 0; k < c->n; k++) {
        Member *m = &c->member[k];
        m->wide = m->state && has_margin(c, m) ? wide_new(c, m) : m->array;
    }
    for (int k = 0; k < c->n; k++) {
        const Member *m = &c->member[k];
        VEC(Piece) old = {0};
        Piece run = {0};
        if (!m->state) {
            continue;
        }
        for (int q = 0; q < ARRAY(g, m->array)->pieces.n; q++) {
            Piece p = ARRAY(g, m->array)->pieces.at[q];
            if (!is_running(c, ARRAY(g, m->array), &p)) {
                VEC_PUSH(g->arena, old, p);
            } else {
                run = p;
            }
        }
        const Array a = *ARRAY(g, m->array);
        run.lo = arena_alloc(g->arena, MOST_AXES * sizeof *run.lo);
        run.hi = arena_alloc(g->arena, MOST_AXES * sizeof *run.hi);
        for (int q = 0; q < c->rank; q++) {
            run.lo[q] = poly_int(g->arena, 0);
            run.hi[q] = poly_sub(g->arena, a.extent[q], poly_int(g->arena, 1));
        }
        *(c->sign > 0 ? &run.lo[c->turn] : &run.hi[c->turn]) = m->first;
        run.body = body_of(c, m);
        VEC_PUSH(g->arena, old, run);
        ARRAY(g, m->array)->pieces.n = 0;
        if (m->wide != m->array) {
            add_margins(c, m);
            Ref at[MOST_AXES];
            for (int q = 0; q < c->rank; q++) {
                at[q] = graph_op2(g, OP_add, a.axis[q], graph_int(g, m->margin[0][q]));
            }
            graph_piece(g, m->array, NULL, NULL, graph_read(g, m->wide, at), run.at);
        }
        for (int q = 0; q < old.n; q++) {
            if (m->wide != m->array) {
                add_moved(c, m, &old.at[q]);
            } else {
                VEC_PUSH(g->arena, ARRAY(g, m->array)->pieces, old.at[q]);
            }
        }
    }
}

/* Do others read arrays that would be no part of the recurrence any more? */
static bool is_read_by_others(const Compose *c, const Order *order) {
    Graph *g = c->g;
    for (int k = 0; k < order->n; k++) {
        const ArrayRef *reads;
        int n = c->number[order->array[k]] ? 0 : graph_array_reads(g, order->array[k], &reads);
        for (int q = 0; q < n; q++) {
            const Member *m = member_of(c, reads[q]);
            if (m && !m->state) {
                return true;
            }
        }
    }
    return false;
}

static void compose_circle(Compose *c, const Order *order) {
    for (c->turn = 0; c->turn < c->rank; c->turn++) {
        c->sign = direction(c);
        c->look = true;
        if (c->sign && find_states(c) && make_forms(c) && find_margins(c) && holes_are_margins(c) &&
            pays(c) && !is_read_by_others(c, order)) {
            c->look = false;
            if (make_forms(c)) {
                rewrite(c);
            }
            return;
        }
    }
}

void compose_steps(Graph *g, int n, const ArrayRef *roots, const bool *stays) {
    Order order = graph_order(g, n, roots);
    int *number = arena_alloc(g->arena, (size_t)(g->arrays.n + 1) * sizeof *number);
    for (int from = 0, to; from < order.n; from = to) {
        Compose c = {.g = g,
                     .number = number,
                     .rank = ARRAY(g, order.array[from])->rank,
                     .type = ARRAY(g, order.array[from])->type};
        bool may = true;
        for (to = from; to < order.n && order.component[to] == order.component[from]; to++) {
            ArrayRef a = order.array[to];
            may = may && !stays[a] && may_take_part(g, a, c.rank, c.type);
        }
        c.n = to - from;
        if (!may || c.rank == 0 || c.n > MOST_MEMBERS ||
            (c.n == 1 && !graph_reads_itself(g, order.array[from]))) {
            continue;
        }
        c.member = arena_alloc(g->arena, (size_t)c.n * sizeof *c.member);
        for (int k = 0; k < c.n; k++) {
            c.member[k].array = order.array[from + k];
            number[order.array[from + k]] = k + 1;
        }
        compose_circle(&c, &order);
        for (int k = 0; k < c.n; k++) {
            number[order.array[from + k]] = 0;
        }
    }
}
