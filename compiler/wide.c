/* wide: products of matrices that lie beside each other are one.
 * In: the statements of a function. Out: the same, where a loop of products, `for (g) C[.., g, ..]
 * = A * B[.., g, ..]`, is one product with more columns, or more rows. That is so where the loop's
 * index stands in the product and in one factor alone, and in both of these its axis and the
 * columns (or the rows) are one row of memory: the gates of a recurrent net, or samples that lie
 * behind each other. No entry is made of other terms, or in another order. */
#include "gen.h"

typedef struct Wide {
    Graph *g;
    Function *f;
} Wide;

static const Store *store_of(const Wide *w, ArrayRef a) {
    return w->f->store ? w->f->store[a] : NULL;
}

enum { NOWHERE = -1, OTHERWISE = -2 };
/* The axis at which the index stands alone. */
static int axis_of(const Graph *g, const Matmul *m, int operand, Ref index) {
    int at = NOWHERE;
    for (int k = 0; k < ARRAY(g, m->array[operand])->rank; k++) {
        const Expr *e = m->position[operand][k];
        if (e->kind == EXPR_INDEX && e->ref == index) {
            at = at == NOWHERE ? k : OTHERWISE;
        } else if (gen_expr_has_index(e, index)) {
            at = OTHERWISE;
        }
    }
    return at;
}

/* n places along `inner` are followed by those of the next turn along `outer`. */
static bool follows(const Wide *w, const Matmul *m, int operand, int outer, int inner,
                    const Poly *n) {
    ArrayRef a = m->array[operand];
    const Store *s = store_of(w, a);
    const Poly *far = store_stride(w->g, s, a, outer), *near = store_stride(w->g, s, a, inner);
    return far && near && poly_equal(far, poly_mul(w->g->arena, near, n));
}

static void clear(const Wide *w, Matmul *m, int operand, Ref index) {
    for (int k = 0; k < ARRAY(w->g, m->array[operand])->rank; k++) {
        Expr *e = m->position[operand][k];
        if (e->kind == EXPR_INDEX && e->ref == index) {
            const Expr zero = {.kind = EXPR_CONST, .type = VALUE_INT, .ref = graph_int(w->g, 0)};
            m->position[operand][k] = arena_alloc(w->g->arena, sizeof zero);
            *m->position[operand][k] = zero;
        }
    }
}

/* The product that stands for all turns of the loop; NULL: there is none. */
static Stmt *product_of(const Wide *w, const Stmt *loop) {
    const Stmt *s = loop->body.first;
    const Poly *lo = loop->kind == STMT_LOOP && loop->value ? plan_poly(w->g, loop->value) : NULL,
               *turns =
                   loop->kind == STMT_LOOP && loop->other ? plan_poly(w->g, loop->other) : NULL;
    if (!s || s->next || s->kind != STMT_MATMUL || loop->down || loop->step || loop->lanes ||
        loop->turns || loop->jump || !lo || !turns || !poly_equal(lo, poly_int(w->g->arena, 0)) ||
        !poly_is_known(turns)) {
        return NULL;
    }
    const Matmul *m = s->matmul;
    int in[3];
    for (int k = 0; k < 3; k++) {
        in[k] = axis_of(w->g, m, k, loop->index);
    }
    int side = in[0] == NOWHERE ? 1 : 0; /* the factor that goes along: its columns, or its rows */
    const Poly *n = side ? m->n : m->m;
    if (in[0] == OTHERWISE || in[1] == OTHERWISE || in[2] < 0 || in[side] < 0 ||
        in[1 - side] != NOWHERE || !n || poly_has(n, loop->index) ||
        (m->m && poly_has(m->m, loop->index)) || (m->n && poly_has(m->n, loop->index)) ||
        (m->k && poly_has(m->k, loop->index))) {
        return NULL;
    }
    int at = side ? m->column[1] : m->row[0], to = side ? m->column[2] : m->row[2];
    bool outside = follows(w, m, side, in[side], at, n) && follows(w, m, 2, in[2], to, n),
         inside = follows(w, m, side, at, in[side], turns) && follows(w, m, 2, to, in[2], turns);
    if (!outside && !inside) {
        return NULL;
    }
    Stmt *product = arena_alloc(w->g->arena, sizeof *product);
    Matmul *wide = arena_alloc(w->g->arena, sizeof *wide);
    *product = *s;
    *wide = *m;
    product->matmul = wide;
    clear(w, wide, side, loop->index);
    clear(w, wide, 2, loop->index);
    n = poly_mul(w->g->arena, n, turns);
    *(side ? &wide->n : &wide->m) = n;
    wide->joined[side] |= UINT32_C(1) << (inside ? at : in[side]);
    wide->joined[2] |= UINT32_C(1) << (inside ? to : in[2]);
    if (inside) {
        *(side ? &wide->column[1] : &wide->row[0]) = in[side];
        *(side ? &wide->column[2] : &wide->row[2]) = in[2];
    }
    return product;
}

static void walk(const Wide *w, Block *b) {
    Block out = {0};
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        if (!(s->kind == STMT_LOOP && s->lanes)) {
            walk(w, &s->body);
            walk(w, &s->otherwise);
        }
        Stmt *product = product_of(w, s);
        gen_append(&out, product ? product : s);
    }
    *b = out;
}

void wide_make(Gen *x) {
    const Wide w = {x->g, x->f};
    walk(&w, &x->f->body);
}
