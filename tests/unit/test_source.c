/* Unit test of source, syntax and the parser: places, the text of diagnostics, JSON, names that
 * were meant, the shape of trees, one message per mistake, and limits. Texts are held against what
 * the language's description says, written by hand. */
#include "syntax.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;

#define CHECK(condition) check((condition), #condition, __LINE__)
#define SAME(got, want) same((got), (want), __LINE__)
static void check(bool ok, const char *text, int line) {
    if (ok) {
        passed++;
        return;
    }
    failed++;
    printf("%s:%d: %s\n", __FILE__, line, text);
}
static void same(const char *got, const char *want, int line) {
    if (strcmp(got, want) == 0) {
        passed++;
        return;
    }
    failed++;
    printf("%s:%d: got\n%s\nwanted\n%s\n", __FILE__, line, got, want);
}

/* What a printer writes. */
static char printed[1 << 16];
static FILE *begin(void) {
    FILE *f = tmpfile();
    if (!f) {
        perror("tmpfile");
        exit(1);
    }
    return f;
}
static const char *end(FILE *f) {
    rewind(f);
    size_t n = fread(printed, 1, sizeof printed - 1, f);
    printed[n] = 0;
    fclose(f);
    return printed;
}
static const char *messages(const Context *cx, Colour colour) {
    FILE *f = begin();
    messages_print(cx, f, colour);
    return end(f);
}
static const char *json(const Context *cx) {
    FILE *f = begin();
    messages_print_json(cx, f);
    return end(f);
}

static Context *cx;
static Syn *parse(const char *text) {
    context_free(cx);
    cx = context_new();
    return parse_program(cx, source_add(cx, "t.grad", text, strlen(text)));
}
static const char *tree(const char *text) {
    Syn *s = parse(text);
    if (!s) return "none";
    FILE *f = begin();
    syn_print(s, f);
    return end(f);
}
/* The messages without the lines of source, and how many errors there are. */
static const char *mistakes(const char *text) {
    static char all[1 << 12];
    size_t n = 0;
    all[0] = 0;
    parse(text);
    for (int i = 0; i < cx->messages.n; i++) {
        const Message *m = &cx->messages.at[i];
        int line, column;
        if (m->severity == NOTE) continue;
        source_place(cx, m->at, &line, &column);
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%d:%d %s", n ? "\n" : "", line, column,
                              m->text);
    }
    return all;
}

static void test_places(void) {
    cx = context_new();
    const char *text = "\xEF\xBB\xBF"
                       "ab\r\n\xCE\xB8 \xF0\x9D\x84\x9E\xFFz\n\nend";
    uint32_t f = source_add(cx, "p", text, strlen(text));
    int line, column;
#define PLACE(offset, l, c)                                                                        \
    do {                                                                                           \
        source_place(cx, (Span){f, (offset), (offset)}, &line, &column);                           \
        CHECK(line == (l) && column == (c));                                                       \
    } while (0)
    PLACE(0, 1, 1);  /* the byte order mark */
    PLACE(3, 1, 1);  /* a */
    PLACE(4, 1, 2);  /* b */
    PLACE(7, 2, 1);  /* theta, two bytes */
    PLACE(10, 2, 3); /* the clef, four bytes */
    PLACE(14, 2, 4); /* a byte that is not UTF-8 */
    PLACE(15, 2, 5); /* z */
    PLACE(17, 3, 1); /* the empty line */
    PLACE(21, 4, 4); /* the end */
    SAME(source_slice(cx, (Span){f, 3, 5}), "ab");
    SAME(source_slice(cx, (Span){f, 3, 10}), "ab ...");
    SAME(source_slice(cx, (Span){f, 18, 99}), "end");
    Span j = span_join((Span){f, 7, 9}, (Span){f, 3, 4});
    CHECK(j.file == f && j.start == 3 && j.end == 9);
    CHECK(span_join((Span){0, 0, 0}, j).end == 9);

    CHECK(symbol_of(cx, "") == 0);
    Symbol a = symbol_of(cx, "alpha"), b = symbol(cx, "beta-", 4);
    CHECK(a == 1 && b == 2 && symbol_of(cx, "alpha") == a);
    SAME(symbol_text(cx, b), "beta");
    for (int i = 0; i < 5000; i++) symbol_of(cx, arena_format(cx->arena, "n%d", i));
    CHECK(symbol_of(cx, "n0") == 3 && symbol_of(cx, "n4999") == 5002 &&
          symbol_of(cx, "alpha") == a);

    const char *why = "";
    CHECK(source_read(cx, "/nonexistent/file.grad", &why) == 0 && why[0] != 0);
    context_free(cx);
    cx = NULL;
}

static void test_printing(void) {
    const char *text = "model m {\n\ty = wieght\xE6\xBC\xA2 + 1;\r\n}\n";
    cx = context_new();
    uint32_t f = source_add(cx, "w.grad", text, strlen(text));
    error_at(cx, (Span){f, 15, 21}, "'%s' is not known", "wieght");
    note_at(cx, (Span){f, 25, 28}, "beside");
    note_at(cx, (Span){f, 25, 28}, "beside");
    error_at(cx, (Span){f, 15, 21}, "'%s' is not known", "wieght"); /* dropped, and its note too */
    note_at(cx, (Span){f, 0, 5}, "dropped");
    VEC_PUSH(cx->arena, cx->silenced, "quiet");
    warning_at(cx, "quiet", (Span){f, 0, 5}, "not shown");
    note_at(cx, (Span){f, 0, 5}, "nor this");
    warning_at(cx, "loud", (Span){0, 0, 0}, "shown");
    error_at(cx, (Span){f, 6, 33}, "over lines");
    CHECK(cx->errors == 2);
    SAME(messages(cx, COLOUR_NEVER), "w.grad:2:6: error: 'wieght' is not known\n"
                                     "    2 | \ty = wieght\xE6\xBC\xA2 + 1;\n"
                                     "      | \t    ^~~~~~\n"
                                     "w.grad:2:14: note: beside\n"
                                     "    2 | \ty = wieght\xE6\xBC\xA2 + 1;\n"
                                     "      | \t             ^~~\n"
                                     "gradc: warning: shown [-Wloud]\n"
                                     "w.grad:1:7: error: over lines\n"
                                     "    1 | model m {\n"
                                     "      |       ^~~\n");
    CHECK(strstr(messages(cx, COLOUR_ALWAYS), "\033[1;31merror:\033[0m ") != NULL);
    cx->warnings_are_errors = true;
    warning_at(cx, "loud", (Span){0, 0, 0}, "grave");
    CHECK(cx->errors == 3 &&
          strstr(messages(cx, COLOUR_NEVER), "error: grave [-Werror=loud]") != NULL);
    context_free(cx);

    cx = context_new();
    f = source_add(cx, "n\xFF.grad", "x\n\"\n", 4);
    for (int i = 0; i < 25; i++) error_at(cx, (Span){f, 0, 1}, "number %d", i);
    CHECK(strstr(messages(cx, COLOUR_NEVER), "number 19\n") && !strstr(printed, "number 20\n"));
    CHECK(strstr(printed, "\n5 more errors\n") != NULL);
    context_free(cx);

    cx = context_new();
    SAME(json(cx), "[]\n");
    f = source_add(cx, "n\xFF.grad", "x\n\"\n", 4);
    error_at(cx, (Span){f, 2, 3}, "a \"quote\" \\ \x01 \xCE\xB8 \xC3(");
    note_at(cx, (Span){f, 0, 3}, "here");
    warning_at(cx, "code", (Span){0, 0, 0}, "no place");
    SAME(json(cx), "[\n {\"severity\": \"error\", \"message\": \"a \\\"quote\\\" \\\\ \\u0001 "
                   "\xCE\xB8 \\ufffd(\", "
                   "\"file\": \"n\\ufffd.grad\", \"line\": 2, \"column\": 1, \"endLine\": 2, "
                   "\"endColumn\": 2, \"start\": 2, \"end\": 3, \"notes\": [\n"
                   "   {\"severity\": \"note\", \"message\": \"here\", \"file\": "
                   "\"n\\ufffd.grad\", \"line\": 1, \"column\": 1, "
                   "\"endLine\": 2, \"endColumn\": 2, \"start\": 0, \"end\": 3}]},\n"
                   " {\"severity\": \"warning\", \"message\": \"no place\", \"code\": \"code\", "
                   "\"notes\": []}\n]\n");
    context_free(cx);
    cx = NULL;
}

/* What Python's difflib.get_close_matches(name, known, 1) answers. */
static void test_closest(void) {
    cx = context_new();
#define CLOSEST(name, want, ...)                                                                   \
    do {                                                                                           \
        const char *known[] = {__VA_ARGS__},                                                       \
                   *got = closest(cx, name, known, sizeof known / sizeof *known);                  \
        SAME(got ? got : "none", want);                                                            \
    } while (0)
    CLOSEST("wieght", "weight", "height", "weight", "width");
    CLOSEST("logsumexpr", "logsumexp", "sum", "logsumexp", "prod");
    CLOSEST("ab", "abd", "abc", "abd");
    CLOSEST("tanhh", "tanh", "sinh", "tanh", "atanh", "tan");
    CLOSEST("abcd", "bcde", "bcde");
    CLOSEST("mx", "max", "max", "min", "mean");
    CLOSEST("wat", "what", "what", "wait", "watt");
    CLOSEST("x", "none", "y");
    context_free(cx);
    cx = NULL;
}

static void test_trees(void) {
    SAME(tree("model m { y = -x^2 + a / b * c; }"),
         "file\n  model m\n    body\n      equation\n        name y\n        op +\n          op "
         "neg\n"
         "            op ^\n              name x\n              number 2\n          op *\n"
         "            op /\n              name a\n              name b\n            name c\n");
    SAME(tree("model m { p = a ? b : c ? d : 2^-3^e; }"),
         "file\n  model m\n    body\n      equation\n        name p\n        op ?:\n          name "
         "a\n          name b\n          op ?:\n"
         "            name c\n            name d\n            op ^\n              number 2\n       "
         "       op neg\n                op ^\n"
         "                  number 3\n                  name e\n");
    SAME(tree("model m { input index y[B] : C, z = 1; y[i: N if i < 2] = f(x)[0] + real(sum[j](a, "
              "b)); }"),
         "file\n  model m\n    body\n      declare input\n        type index\n        things\n     "
         "     thing y\n            shape\n"
         "              exprs\n                name B\n            name C\n            none\n      "
         "    thing z\n            shape\n"
         "            none\n            number 1\n      equation\n        at y\n          "
         "positions\n            items\n              in\n"
         "                name i\n                name N\n            op <\n              name i\n "
         "             number 2\n        op +\n"
         "          entry\n            call f\n              exprs\n                name x\n       "
         "     positions\n              items\n"
         "                number 0\n              none\n          convert real\n            reduce "
         "sum\n              positions\n"
         "                items\n                  name j\n                none\n              "
         "exprs\n                name a\n"
         "                name b\n");
    SAME(tree("use \"l.grad\"; fn f(real v[K]) -> real p { dim A, B = 2; output q; derive hvp(a; "
              "b, c); partial(p; v[j]) = 1; }"),
         "file\n  use l.grad\n  fn f\n    args\n      argument v\n        type real\n        "
         "shape\n          exprs\n            name K\n"
         "        none\n    argument p\n      type real\n      shape\n      none\n    body\n      "
         "dims\n        dim A\n        dim B\n"
         "          number 2\n      output\n        names\n          name q\n      derive hvp\n    "
         "    names\n          name a\n"
         "        names\n          name b\n          name c\n      partial\n        name p\n       "
         " at v\n          positions\n"
         "            items\n              name j\n            none\n        number 1\n");
    CHECK(strcmp(tree("\xEF\xBB\xBF// mark\r\nmodel m {\r\n  y /* a ** / */ = 1;\r\n}\r\n"),
                 "none") != 0 &&
          cx->errors == 0);
    SAME(tree(""), "file\n");
}

static void test_mistakes(void) {
    SAME(mistakes("model m {\n  dim N;\n  y = sum[i](x[i]^2;\n  z = 3 * (2 + 1;\n  output y;\n}"),
         "3:20 expected ')' before ';'\n4:17 expected ')' before ';'");
    SAME(mistakes("model m {\n  y = 0 < a < 1;\n}"),
         "2:13 comparisons do not chain; write 0 < a && a < 1");
    SAME(mistakes("model m {\n  dim N\n  y = 2\n}"),
         "2:8 expected ';' before 'y'\n3:8 expected ';' before '}'");
    SAME(mistakes("model m { y = 2 x; z = a = b; }"),
         "1:17 expected an operator before 'x'; a product is written with *\n1:26 expected an "
         "operator before '='; equality is written ==");
    SAME(mistakes("model m {\n  real if;\n  ouput y;\n  derve gradient(y; x);\n}"),
         "2:8 'if' is a word of the language and cannot be a name\n"
         "3:3 no statement starts with 'ouput'; did you mean 'output'?\n"
         "4:3 no statement starts with 'derve'; did you mean 'derive'?");
    SAME(mistakes("model m { y = 1x + 0x1 + 1.5f; }"),
         "1:15 '1x' is no number; a name starts with a letter, and a product is written 1 * x\n"
         "1:20 '0x1' is no number: numbers are decimal\n1:26 '1.5f' is no number: numbers have no "
         "suffix");
    SAME(mistakes("model m {\n /* y = 1;\n}"), "2:2 this comment is not closed");
    SAME(mistakes("use \"a.grad;\nmodel m { y = 1; }"),
         "1:5 this text is not closed: '\"' is missing");
    SAME(mistakes("model m { \xCE\xB8 = 1 @ 2; /* \xFF */ z = \xFF\xFE; }"),
         "1:11 '\xCE\xB8' cannot be a name: names are made of a to z, A to Z, digits and _\n"
         "1:17 stray '@'\n1:34 this byte (0xFF) is not UTF-8");
    SAME(mistakes("model m { const real t[2] = {1, {2, }, 3}; y = 1; }"),
         "1:37 expected an expression or '{' before '}'");
    SAME(mistakes("model m {\n  y = 1;\nfn f(real x) -> real y { y = x; }"),
         "2:9 expected '}' before 'fn'");
    SAME(mistakes("modle m { y = 1; }"),
         "1:1 expected 'use', 'model', 'fn' or 'extern' before 'modle'; did you mean 'model'?");

    /* What a broken statement defines stays defined. */
    SAME(tree("model m { dim N = , M; input real x[N z, w; y[i] = 1 + ; output y z; }"),
         "file\n  model m\n    body\n      dims\n        dim N\n        dim M\n      equation\n    "
         "    name x\n        none\n"
         "      equation\n        at y\n          positions\n            items\n              name "
         "i\n            none\n        none\n"
         "      output\n        names\n          name y\n");
    CHECK(parse("fn f(real x -> real y { y = x; }") == NULL && cx->errors == 1);
}

/* model m { y = BEFORE*n 1 AFTER*n; } */
static int errors_of(const char *before, const char *after, int n) {
    size_t b = strlen(before), a = strlen(after), length = 0;
    char *text = malloc((a + b) * (size_t)n + 64);
    if (!text) exit(1);
    length += (size_t)sprintf(text, "model m { y = ");
    for (int i = 0; i < n; i++, length += b) memcpy(text + length, before, b);
    text[length++] = '1';
    for (int i = 0; i < n; i++, length += a) memcpy(text + length, after, a);
    sprintf(text + length, "; z = 1; }");
    parse(text);
    free(text);
    return cx->errors;
}

static void test_limits(void) {
    static const char *const deep[][2] = {{"(", ")"}, {"f(", ")"},  {"a[", "]"},     {"-", ""},
                                          {"!", ""},  {"a ^ ", ""}, {"a ? b : ", ""}};
    for (size_t i = 0; i < sizeof deep / sizeof *deep; i++) {
        CHECK(errors_of(deep[i][0], deep[i][1], 200) == 0);
        CHECK(errors_of(deep[i][0], deep[i][1], 201) == 1);
        CHECK(errors_of(deep[i][0], deep[i][1], 50000) == 1);
        CHECK(strncmp(cx->messages.at[0].text, "nested too deeply", 17) == 0);
    }
    CHECK(errors_of("a[i] + ", "", 2000) == 0);
    CHECK(errors_of("a + ", "", 100000) == 1);
    CHECK(strncmp(cx->messages.at[0].text, "this expression is too long", 27) == 0);
    CHECK(errors_of("1; y = ", "", 20000) == 0);
    CHECK(errors_of("@ ", "", 20000) == 20000 && cx->messages.n <= 1000);
}

static void test_rules(void) {
    const char *text = "op f(x) \"doc\" number { c `f($0)`; infix \"+\" 70; d x = 1 - r*r; test x "
                       "in [-3, 3]; cheap; }\nrule f(x) * 1 => x loses;";
    cx = context_new();
    Syn *s = parse_rules(cx, source_add(cx, "r", text, strlen(text)));
    FILE *f = begin();
    if (s) syn_print(s, f);
    SAME(end(f), "file\n  oprow f\n    names\n      name x\n    name number\n    declare doc\n     "
                 " name doc\n    declare c\n      name f($0)\n"
                 "    declare infix\n      name +\n      number 70\n    declare d\n      name x\n  "
                 "    op -\n        number 1\n        op *\n"
                 "          name r\n          name r\n    declare test\n      name x\n      op "
                 "neg\n        number 3\n      number 3\n"
                 "    declare flag\n      name cheap\n  rule loses\n    op *\n      call f\n       "
                 " exprs\n          name x\n      number 1\n"
                 "    name x\n");
    const char *wrong = "op f(x) \"doc\" { k `f`; d x = ; }";
    CHECK(parse_rules(cx, source_add(cx, "r", wrong, strlen(wrong))) == NULL && cx->errors == 2);
    context_free(cx);
    cx = NULL;
}

int main(void) {
    test_places();
    test_printing();
    test_closest();
    test_trees();
    test_mistakes();
    test_limits();
    context_free(cx);
    test_rules();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
