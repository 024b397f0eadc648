/* Unit test of verify and json: right derivatives pass, wrong ones do not, kinks are told apart,
 * data are read with care. */
#define _POSIX_C_SOURCE 200809L
#include "../../compiler/json.h"
#include "../../compiler/ops.h"
#include "../../compiler/verify.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int passed, failed;

#define CHECK(condition) check((condition), #condition, __LINE__)
static void check(bool ok, const char *text, int line) {
    if (ok) {
        passed++;
        return;
    }
    failed++;
    printf("%s:%d: %s\n", __FILE__, line, text);
}

/* ---- json ---- */

static const Json *parse(Context *cx, const char *text) {
    return json_parse(cx, source_add(cx, "data.json", text, strlen(text)));
}

static void test_json(void) {
    Context *cx = context_new();
    const Json *v = parse(cx, " {\"x\": [1, -2.5e1, 0.5], \"n\": 12345678901234567, "
                              "\"t\\u00e9\\n\": \"\\ud83d\\ude00\", \"e\": [], \"o\": {},"
                              " \"y\": true, \"z\": null, \"inf\": -Infinity, \"nan\": NaN} ");
    CHECK(v && v->kind == JSON_OBJECT && v->n == 9 && !cx->errors);
    if (v) {
        const Json *x = json_member(v, "x"), *n = json_member(v, "n"),
                   *t = json_member(v, "t\xC3\xA9\n");
        CHECK(x && x->kind == JSON_LIST && x->n == 3 && x->first->is_whole &&
              x->first->whole == 1 && x->first->next->number == -25);
        CHECK(n && n->is_whole && n->whole == 12345678901234567);
        CHECK(t && !strcmp(t->text, "\xF0\x9F\x98\x80"));
        CHECK(json_member(v, "e")->n == 0 && json_member(v, "o")->kind == JSON_OBJECT &&
              json_member(v, "y")->whole == 1);
        CHECK(json_member(v, "z")->kind == JSON_NULL &&
              json_member(v, "inf")->number == -INFINITY && isnan(json_member(v, "nan")->number));
        CHECK(!json_member(v, "w"));
    }
    v = parse(cx, "99999999999999999999");
    CHECK(v && !v->is_whole && v->number == 1e20);
    context_free(cx);
    static const char *const wrong[] = {
        "",         "[1, 2",       "[1,]",  "{\"a\" 1}", "{a: 1}",      "01",        "1.",    "1e",
        "-",        "+1",          "\"abc", "\"\\q\"",   "\"\\ud800\"", "\"\\u12\"", "[1] 2", "tru",
        "\"a\nb\"", "{\"a\": 1,}", "[",     "{",         "\"\\",        "nul",       ".5",    "-e"};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        cx = context_new();
        bool refused = !parse(cx, wrong[k]) && cx->errors == 1;
        if (!refused) printf("taken: %s\n", wrong[k]);
        CHECK(refused);
        context_free(cx);
    }
    char deep[2002];
    memset(deep, '[', 1001), memset(deep + 1001, ']', 1000), deep[2001] = 0;
    cx = context_new();
    CHECK(!parse(cx, deep) && cx->errors == 1);
    context_free(cx);
}

/* ---- a model: f = sum over i < N of g(x[i]), with a claimed gradient ---- */

static char report[8000];

typedef Ref Maker(Graph *g, Ref x);

static int run_model(Maker *body, Maker *claim, VerifyOptions o, int *errors) {
    Context *cx = context_new();
    Graph *g = graph_new(cx, "m", VALUE_DOUBLE);
    const Poly *n = poly_var(g->arena, graph_dim(g, "N", 1));
    static const char *const axes[] = {"i"};
    ArrayRef x = graph_array(g, "x", VALUE_DOUBLE, 1, &n, axes),
             f = graph_array(g, "f", VALUE_DOUBLE, 0, NULL, NULL);
    ArrayRef grad = graph_array(g, "x_grad", VALUE_DOUBLE, 1, &n, axes);
    ARRAY(g, x)->role = ARRAY_INPUT;
    VEC_PUSH(g->arena, g->inputs, x);
    Ref i = graph_index(g, "k", n);
    graph_piece(g, f, NULL, NULL,
                graph_reduce(g, RED_SUM, i, graph_bool(g, true), body(g, graph_read(g, x, &i))),
                (Span){0});
    Ref at = ARRAY(g, grad)->axis[0];
    graph_piece(g, grad, NULL, NULL, claim(g, graph_read(g, x, &at)), (Span){0});
    VEC_PUSH(g->arena, g->outputs, f);
    Request q = {.of = f};
    while (strcmp(request_names[q.kind], "gradient")) q.kind++;
    VEC_PUSH(g->arena, q.by, x);
    VEC_PUSH(g->arena, q.result, grad);
    VEC_PUSH(g->arena, g->requests, q);
    FILE *out = tmpfile();
    int result = verify_run(g, &o, out);
    rewind(out);
    report[fread(report, 1, sizeof report - 1, out)] = 0;
    fclose(out);
    if (errors) *errors = cx->errors;
    context_free(cx);
    return result;
}

static Ref cube(Graph *g, Ref x) {
    return graph_op2(g, OP_mul, x, graph_op2(g, OP_mul, x, x));
}
static Ref cube_slope(Graph *g, Ref x) {
    return graph_op2(g, OP_mul, graph_real(g, VALUE_DOUBLE, 3), graph_op2(g, OP_mul, x, x));
}
static Ref cube_almost(Graph *g, Ref x) {
    return graph_op2(g, OP_mul, graph_real(g, VALUE_DOUBLE, 3.00000001),
                     graph_op2(g, OP_mul, x, x));
}
static Ref rectified(Graph *g, Ref x) {
    return graph_op1(g, OP_relu, x);
}
static Ref step(Graph *g, Ref x) {
    Ref zero = graph_real(g, VALUE_DOUBLE, 0), one = graph_real(g, VALUE_DOUBLE, 1);
    return graph_select(g, graph_op2(g, OP_gt, x, zero), one, zero);
}
static Ref wrong_step(Graph *g, Ref x) {
    Ref zero = graph_real(g, VALUE_DOUBLE, 0), one = graph_real(g, VALUE_DOUBLE, 1);
    return graph_select(g, graph_op2(g, OP_ge, x, zero), one, zero);
}
static Ref logarithm(Graph *g, Ref x) {
    return graph_op1(g, OP_log, x);
}
static Ref reciprocal(Graph *g, Ref x) {
    return graph_op2(g, OP_div, graph_real(g, VALUE_DOUBLE, 1), x);
}
static Ref undefined(Graph *g, Ref x) {
    return graph_op2(g, OP_add, reciprocal(g, x), logarithm(g, graph_real(g, VALUE_DOUBLE, -1)));
}
static Ref root(Graph *g, Ref x) {
    return graph_op1(g, OP_sqrt, graph_op2(g, OP_sub, x, graph_real(g, VALUE_DOUBLE, 1e6)));
}

static void test_verdicts(void) {
    char first[sizeof report];
    CHECK(run_model(cube, cube_slope, (VerifyOptions){.seed = 1}, NULL) == VERIFY_AGREES &&
          strstr(report, "all agree"));
    strcpy(first, report);
    CHECK(run_model(cube, cube_slope, (VerifyOptions){.seed = 1}, NULL) == VERIFY_AGREES &&
          !strcmp(first, report));
    CHECK(run_model(cube, cube_slope, (VerifyOptions){.seed = 2}, NULL) == VERIFY_AGREES &&
          strcmp(first, report));
    CHECK(run_model(cube, cube_almost, (VerifyOptions){.seed = 1}, NULL) == VERIFY_DIFFERS &&
          strstr(report, "DIFFERS"));
    CHECK(run_model(cube, cube_almost, (VerifyOptions){.seed = 1, .tolerance = 1e-7}, NULL) ==
          VERIFY_AGREES);
    CHECK(run_model(logarithm, reciprocal, (VerifyOptions){.seed = 1}, NULL) == VERIFY_AGREES &&
          strstr(report, "redrawn"));
    CHECK(run_model(logarithm, undefined, (VerifyOptions){.seed = 1}, NULL) == VERIFY_DIFFERS);
    CHECK(run_model(root, reciprocal, (VerifyOptions){.seed = 1}, NULL) == VERIFY_DIFFERS &&
          strstr(report, "--set"));
}

static void test_sets(void) {
    static const char *const at_zero[] = {"x=0", "N=5"}, *const far[] = {"x=uniform(3,4)"},
                             *const odd[] = {"y=1"}, *const no_size[] = {"N=0"};
    static const char *const no_text[] = {"x"}, *const no_range[] = {"x=uniform(2,1)"},
                             *const behind[] = {"x=normal(0,1) "};
    int errors;
    CHECK(run_model(rectified, step, (VerifyOptions){.seed = 1, .nsets = 2, .set = at_zero},
                    NULL) == VERIFY_AGREES);
    CHECK(strstr(report, "5 at a kink") && strstr(report, "1 point,") && strstr(report, "N = 5"));
    CHECK(run_model(rectified, wrong_step, (VerifyOptions){.seed = 1, .nsets = 2, .set = at_zero},
                    NULL) == VERIFY_DIFFERS);
    CHECK(run_model(rectified, step, (VerifyOptions){.seed = 1}, NULL) == VERIFY_AGREES &&
          !strstr(report, "kink"));
    CHECK(run_model(logarithm, reciprocal, (VerifyOptions){.seed = 1, .nsets = 1, .set = far},
                    NULL) == VERIFY_AGREES);
    CHECK(!strstr(report, "redrawn"));
    CHECK(run_model(cube, cube_slope, (VerifyOptions){.seed = 1, .nsets = 1, .set = odd},
                    &errors) == VERIFY_WRONG_USE &&
          errors == 1);
    CHECK(run_model(cube, cube_slope, (VerifyOptions){.seed = 1, .nsets = 1, .set = no_size},
                    &errors) == VERIFY_WRONG_USE &&
          errors == 1);
    CHECK(run_model(cube, cube_slope, (VerifyOptions){.seed = 1, .nsets = 1, .set = no_text},
                    &errors) == VERIFY_WRONG_USE &&
          errors == 1);
    CHECK(run_model(cube, cube_slope, (VerifyOptions){.seed = 1, .nsets = 1, .set = no_range},
                    &errors) == VERIFY_WRONG_USE &&
          errors == 1);
    CHECK(run_model(cube, cube_slope, (VerifyOptions){.seed = 1, .nsets = 1, .set = behind},
                    &errors) == VERIFY_WRONG_USE &&
          errors == 1);
}

static int run_data(const char *text, int *errors) {
    char path[] = "test_verify_XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file) return -1;
    fputs(text, file);
    fclose(file);
    int result = run_model(cube, cube_slope, (VerifyOptions){.seed = 1, .data = path}, errors);
    unlink(path);
    return result;
}

static void test_data(void) {
    static const char *const wrong[] = {"[]",
                                        "{\"x\": 1}",
                                        "{\"x\": [[1]]}",
                                        "{\"x\": [true]}",
                                        "{\"x\": [1, \"a\"]}",
                                        "{\"y\": [1]}",
                                        "{\"x\": [1], \"x\": [1]}",
                                        "{\"x\": [1], \"N\": 2}",
                                        "{\"N\": 1.5}",
                                        "{\"N\": 0}",
                                        "{\"x\": []}",
                                        "{\"x\""};
    int errors;
    CHECK(run_data("{\"x\": [4]}", &errors) == VERIFY_AGREES && !errors &&
          strstr(report, "N = 1;") && strstr(report, ": 48, duals 48"));
    CHECK(run_data("{\"N\": 2, \"x\": [1, 2]}", &errors) == VERIFY_AGREES && !errors);
    CHECK(run_data("{\"N\": 7}", &errors) == VERIFY_AGREES && !errors && strstr(report, "N = 7;"));
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        int result = run_data(wrong[k], &errors);
        if (result != VERIFY_DIFFERS || errors == 0) printf("taken: %s\n", wrong[k]);
        CHECK(result == VERIFY_DIFFERS && errors > 0);
    }
    CHECK(run_model(cube, cube_slope, (VerifyOptions){.seed = 1, .data = "no such file"},
                    &errors) == VERIFY_DIFFERS &&
          errors == 1);
}

int main(void) {
    test_json();
    test_verdicts();
    test_sets();
    test_data();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
