/* Unit test of print and text: terms and equations as text, against what one would write by hand.
 */
#include "ops.h"
#include "print.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static int passed, failed;
static Graph *g;

#define SAME(got, want) same((got), (want), __LINE__)
static void same(const char *got, const char *want, int line) {
    if (!strcmp(got, want)) {
        passed++;
        return;
    }
    failed++;
    printf("%s:%d: expected\n%s\nbut got\n%s\n", __FILE__, line, want, got);
}

static const Poly *var(Ref r) {
    return poly_var(g->arena, r);
}

static const Poly *number(int64_t n) {
    return poly_int(g->arena, n);
}

static const char *digits(double x) {
    Text t = text_new(g->arena);
    text_real(&t, x);
    return text_string(&t);
}

static const char *wrapped(const char *line, int width) {
    Text t = text_new(g->arena);
    text_wrap(&t, line, width, 4);
    return text_string(&t);
}

static const char *equations(ArrayRef a) {
    Text t = text_new(g->arena);
    graph_array_text(g, a, 100, &t);
    return text_string(&t);
}

static void test_text(void) {
    SAME(digits(0.1), "0.1");
    SAME(digits(100000), "100000");
    SAME(digits(1e300), "1e+300");
    SAME(digits(-2.5e-7), "-2.5e-07");
    SAME(digits(1.0 / 3), "0.3333333333333333");
    SAME(digits(HUGE_VAL), "inf");
    SAME(wrapped("short", 10), "short");
    SAME(wrapped("y[i: N] = f(a + b, c) + g(d + e, f)", 26),
         "y[i: N] = f(a + b, c)\n    + g(d + e, f)");
}

int main(void) {
    Context *cx = context_new();
    g = graph_new(cx, "sample", VALUE_DOUBLE);
    test_text();

    Ref n = graph_dim(g, "N", 2), d = graph_dim(g, "D", 1);
    const Poly *nd[] = {var(n), var(d)}, *one_n[] = {var(n)},
               *minus = poly_sub(g->arena, var(n), number(1));
    const char *const names[] = {"i", "j"};
    ArrayRef x = graph_array(g, "x", VALUE_DOUBLE, 2, nd, names),
             v = graph_array(g, "v", VALUE_DOUBLE, 1, one_n, names);
    ArrayRef s = graph_array(g, "s", VALUE_DOUBLE, 0, NULL, NULL);
    ARRAY(g, x)->role = ARRAY_INPUT, ARRAY(g, v)->role = ARRAY_PARAM;
    SAME(equations(x), "input real x[N, D];\n");
    SAME(equations(v), "param real v[N];\n");

    /* Precedence: as few brackets as the grammar needs. */
    Ref p = graph_read(g, s, NULL), i = ARRAY(g, x)->axis[0], j = ARRAY(g, x)->axis[1];
    Ref vi = graph_read(g, v, &i), ij[] = {i, j}, xij = graph_read(g, x, ij);
    SAME(graph_term_text(g, graph_op2(g, OP_mul, graph_op2(g, OP_add, p, vi), xij)),
         "(s + v[i]) * x[i, j]");
    SAME(graph_term_text(g, graph_op2(g, OP_sub, p, graph_op2(g, OP_sub, vi, xij))),
         "s - (v[i] - x[i, j])");
    SAME(graph_term_text(g, graph_op2(g, OP_sub, graph_op2(g, OP_sub, p, vi), xij)),
         "s - v[i] - x[i, j]");
    SAME(graph_term_text(g, graph_op1(g, OP_neg, graph_op2(g, OP_add, p, vi))), "-(s + v[i])");
    SAME(graph_term_text(
             g, graph_op1(g, OP_tanh, graph_op2(g, OP_div, p, graph_op2(g, OP_mul, vi, xij)))),
         "tanh(s / (v[i] * x[i, j]))");
    Ref less = graph_op2(g, OP_lt, p, vi);
    SAME(graph_term_text(g, graph_select(g, less, p, xij)), "s < v[i] ? s : x[i, j]");

    /* Integers are polynomials. */
    Ref next = graph_op2(g, OP_add, i, graph_int(g, 1)), last = graph_op2(g, OP_sub, n, next);
    SAME(graph_term_text(g, graph_read(g, v, &next)), "v[i + 1]");
    SAME(graph_term_text(g, graph_read(g, v, &last)), "v[N - i - 1]");
    SAME(graph_poly_text(g, poly_scale(g->arena, poly_mul(g->arena, var(n), minus), 1, 2)),
         "(N * N - N) / 2");

    /* Reductions bind: an index gets another name where its own is in use. */
    Ref k = graph_index(g, "i", var(n)), vk = graph_read(g, v, &k), yes = graph_bool(g, true);
    SAME(graph_term_text(g, graph_reduce(g, RED_SUM, k, yes, vk)), "sum[i: N](v[i])");
    SAME(graph_term_text(g, graph_op2(g, OP_mul, vi,
                                      graph_reduce(g, RED_MAX, k, graph_op2(g, OP_lt, k, i), vk))),
         "v[i] * max[i2: N if i2 < i](v[i2])");

    /* Equations: whole, in cases, and sums of contributions. */
    ArrayRef h = graph_array(g, "h", VALUE_DOUBLE, 1, one_n, names);
    Ref hi = ARRAY(g, h)->axis[0];
    graph_piece(g, h, NULL, NULL, graph_op1(g, OP_exp, graph_read(g, v, &hi)), (Span){0});
    SAME(equations(h), "h[i: N] = exp(v[i]);\n");

    ArrayRef a = graph_array(g, "a", VALUE_DOUBLE, 1, one_n, names);
    Ref ai = ARRAY(g, a)->axis[0], before = graph_op2(g, OP_sub, ai, graph_int(g, 1));
    const Poly *zero[] = {number(0)}, *one[] = {number(1)}, *to[] = {minus};
    graph_piece(g, a, zero, zero, graph_read(g, v, &ai), (Span){0});
    graph_piece(g, a, one, to,
                graph_op2(g, OP_mul, graph_read(g, a, &before), graph_read(g, v, &ai)), (Span){0});
    SAME(equations(a), "real a[N];\n  a[0] = v[0];\n  a[i] = a[i - 1] * v[i] for 1 <= i;\n");

    ArrayRef b = graph_array(g, "b", VALUE_DOUBLE, 1, one_n, names);
    Ref bi = ARRAY(g, b)->axis[0];
    graph_piece(g, b, NULL, NULL, graph_read(g, v, &bi), (Span){0});
    graph_piece(g, b, one, to, graph_read(g, h, &bi), (Span){0});
    SAME(equations(b), "real b[N];\n  b[i] += v[i];\n  b[i] += h[i] for 1 <= i;\n");

    /* A deep term is cut into named parts; nothing recurses as deep as it is. */
    Ref deep = p;
    for (int q = 0; q < 3000; q++) deep = graph_op1(g, OP_tanh, graph_op2(g, OP_add, deep, vi));
    const char *text = graph_term_text(g, deep);
    int wheres = 0;
    for (const char *at = text; (at = strstr(at, "where _")); at++) wheres++;
    if (wheres > 50 && strlen(text) < 100000) passed++;
    else failed++, printf("a deep term makes %zu bytes with %d names\n", strlen(text), wheres);

    /* So is what is shared: the text of 40 doublings would have 2^40 leaves. */
    Ref twice = p;
    for (int q = 0; q < 40; q++)
        twice = graph_op1(
            g, OP_sin,
            graph_op2(g, OP_mul, graph_op1(g, OP_cos, twice), graph_op1(g, OP_exp, twice)));
    text = graph_term_text(g, twice);
    if (strlen(text) < 5000) passed++;
    else failed++, printf("a shared term makes %zu bytes\n", strlen(text));

    context_free(cx);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
