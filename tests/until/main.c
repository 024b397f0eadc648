/* Iterations until a condition, against what is known of doubling: in n turns a start becomes start 2^(n - 1), which is its
 * derivative too. How often `twice` is called tells that nothing is done behind the end, or twice. */
#include "count.h"
#include "last_alone.h"
#include "rows.h"
#include <gradc.h>
#include <stdio.h>
#include <stdlib.h>

static int failed, calls;

double twice(double x);
double twice(double x) {
    calls++;
    return 2 * x;
}

static void expect(int good, const char *what, int line) {
    if (!good) {
        printf("main.c:%d: %s\n", line, what);
        failed++;
    }
}
#define EXPECT(c) expect(c, #c, __LINE__)

static void *room(size_t bytes) {
    void *p = NULL;
    if (bytes == SIZE_MAX || posix_memalign(&p, GRADC_ALIGN, bytes + 64)) {
        printf("no workspace\n");
        exit(1);
    }
    return p;
}

static void counts(void) {
    static double x[1000];
    double last = 0, slope = 0;
    int64_t turns = 0;
    count_args a = {0};
    a.most = 20, a.start = 1, a.end = 100, a.last = &last, a.T = &turns, a.x = x, a.start_grad = &slope;
    void *w = room(count_workspace(&a));
    for (int k = 0; k < 20; k++) x[k] = -7;
    calls = 0;
    EXPECT(count_value(&a, w) == GRADC_OK);
    EXPECT(last == 128 && turns == 8 && calls == 7);
    EXPECT(x[0] == 1 && x[3] == 8 && x[7] == 128 && x[8] == 0 && x[19] == 0);
    calls = 0, turns = 0;
    EXPECT(count_forward(&a, w) == GRADC_OK && turns == 8 && calls == 7);
    EXPECT(count_backward(&a, w) == GRADC_OK && slope == 128 && calls == 7);
    /* Entry 0 is the end already. */
    a.start = 200, calls = 0;
    EXPECT(count_value_and_gradient(&a, w) == GRADC_OK);
    EXPECT(last == 200 && turns == 1 && slope == 1 && calls == 0 && x[0] == 200 && x[1] == 0);
    /* The last turn that there may be, and one less. */
    a.start = 1, a.most = 8;
    EXPECT(count_value_and_gradient(&a, w) == GRADC_OK && turns == 8 && slope == 128);
    a.most = 7, calls = 0;
    EXPECT(count_value(&a, w) == GRADC_NO_END && calls == 6);
    EXPECT(count_forward(&a, w) == GRADC_NO_END);
    EXPECT(count_value_and_gradient(&a, w) == GRADC_NO_END);
    /* NaN is never beyond the end. */
    a.start = a.end - a.end, a.start /= a.start, a.most = 20;
    EXPECT(count_value(&a, w) == GRADC_NO_END);
    a.start = 1, a.most = 0;
    EXPECT(count_value(&a, w) == GRADC_BAD_SIZE);
    free(w);
}

static void memory(void) {
    double last, before;
    last_alone_args a = {0};
    a.start = 1, a.end = 100, a.last = &last, a.before = &before;
    a.most = 10;
    size_t few = last_alone_workspace(&a);
    a.most = 1000000;
    EXPECT(last_alone_workspace(&a) == few); /* the history is not kept */
    void *w = room(few);
    EXPECT(last_alone_value(&a, w) == GRADC_OK && last == 128 && before == 64);
    a.start = 100; /* one turn has no entry before the last */
    EXPECT(last_alone_value(&a, w) == GRADC_BAD_SIZE);
    a.most = 1;
    EXPECT(last_alone_value(&a, w) == GRADC_BAD_SIZE);
    free(w);
    count_args c = {0};
    c.most = 1000;
    size_t small = count_workspace(&c);
    c.most = 2000; /* the way back keeps at most `most` states and their adjoints */
    EXPECT(count_workspace(&c) - small <= 1000 * 2 * sizeof(double));
}

static void each(void) {
    double start[4] = {1, 64, 100, 3}, y[4], by[4], z, f, by_b;
    rows_args a = {0};
    a.N = 4, a.a = start, a.end = 100, a.b = 50, a.y = y, a.z = &z, a.f = &f, a.a_grad = by, a.b_grad = &by_b;
    void *w = room(rows_workspace(&a));
    calls = 0;
    EXPECT(rows_value(&a, w) == GRADC_OK && calls == 7 + 1 + 0 + 6 + 1);
    EXPECT(y[0] == 128 && y[1] == 128 && y[2] == 100 && y[3] == 192 && z == 100 && f == 648);
    EXPECT(rows_value_and_gradient(&a, w) == GRADC_OK);
    EXPECT(by[0] == 128 && by[1] == 2 && by[2] == 1 && by[3] == 64 && by_b == 2);
    a.b = -1, calls = 0; /* would not end, and is not asked for */
    EXPECT(rows_value(&a, w) == GRADC_OK && calls == 14 && z == -1);
    EXPECT(rows_value_and_gradient(&a, w) == GRADC_OK && by_b == 1 && by[3] == 64);
    start[1] = 0; /* never ends */
    EXPECT(rows_value(&a, w) == GRADC_NO_END);
    free(w);
}

int main(void) {
    counts();
    memory();
    each();
    return failed != 0;
}
