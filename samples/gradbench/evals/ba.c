/* ba: N cameras, M points, P observations. GradBench sends one camera, point, weight and feature, to
 * be repeated; `cams`, `X`, `w`, `feats` and `obs` in the plural are taken as they are, and all is
 * printed then. The Jacobian is a CSR matrix: two rows of 15 entries for each observation, by its
 * camera, its point and its weight, and one row of one entry for each weight. The model writes the
 * values in that order; rows and columns are set here, each time.
 *
 * An observation needs none of the others, and the models keep some hundred numbers for each; so the
 * emitted functions are called for BLOCK of them at a time, and the workspace stays in cache. */
#include "../bench.h"
#include "ba.h"
#include "ba_jacobian.h"
#include <string.h>

enum { BLOCK = 256, CAMERA = 11, ROW = CAMERA + 3 + 1 };

typedef struct Ba {
    bool full; /* not GradBench's form, which is short */
    int64_t n, m, p;
    const double *cams, *points, *w, *feats;
    const int32_t *camera, *point;
    double *err, *werr, *vals;
    int64_t *rows, *cols;
} Ba;

static const double *repeated(Bench *b, const double *one, int64_t size, int64_t times) {
    double *all = bench_alloc(b, size * times, sizeof *all);
    if (b->error[0]) return all;
    for (int64_t i = 0; i < times; i++) memcpy(all + i * size, one, (size_t)size * sizeof *all);
    return all;
}

static Ba *read_ba(Bench *b) {
    Ba *s = b->own = bench_alloc(b, 1, sizeof *s);
    s->full = bench_find(b, "cams") != NULL;
    s->n = bench_integer(b, "n", 1, INT32_MAX);
    s->m = bench_integer(b, "m", 1, INT32_MAX);
    s->p = bench_integer(b, "p", 1, INT32_MAX);
    int32_t *camera = bench_alloc(b, s->p, sizeof *camera), *point = bench_alloc(b, s->p, sizeof *point);
    if (s->full) {
        int64_t shape[5][2] = {{s->n, CAMERA}, {s->m, 3}, {s->p, 0}, {s->p, 2}, {s->p, 2}};
        s->cams = bench_numbers(b, "cams", 2, shape[0]);
        s->points = bench_numbers(b, "X", 2, shape[1]);
        s->w = bench_numbers(b, "w", 1, shape[2]);
        s->feats = bench_numbers(b, "feats", 2, shape[3]);
        const int32_t *obs = bench_integers(b, "obs", 2, shape[4]);
        for (int64_t i = 0; !b->error[0] && i < s->p; i++) {
            camera[i] = obs[2 * i];
            point[i] = obs[2 * i + 1];
            if (camera[i] < 0 || camera[i] >= s->n || point[i] < 0 || point[i] >= s->m) {
                bench_fail(b, "obs[%d] is no camera and point", (int)i);
            }
        }
    } else {
        int64_t eleven = CAMERA, three = 3, two = 2;
        const double w = bench_number(b, "w");
        s->cams = repeated(b, bench_numbers(b, "cam", 1, &eleven), CAMERA, s->n);
        s->points = repeated(b, bench_numbers(b, "x", 1, &three), 3, s->m);
        s->w = repeated(b, &w, 1, s->p);
        s->feats = repeated(b, bench_numbers(b, "feat", 1, &two), 2, s->p);
        for (int64_t i = 0; !b->error[0] && i < s->p; i++) {
            camera[i] = (int32_t)(i % s->n);
            point[i] = (int32_t)(i % s->m);
        }
    }
    s->camera = camera;
    s->point = point;
    return s;
}

static int64_t block(const Ba *s, int64_t from) {
    return s->p - from < BLOCK ? s->p - from : BLOCK;
}

/* ---- objective */

static void prepare_objective(Bench *b) {
    Ba *s = read_ba(b);
    ba_args *a = b->args = bench_alloc(b, 1, sizeof *a);
    s->err = bench_result(b, 2 * s->p);
    s->werr = bench_result(b, s->p);
    *a = (ba_args){.N = s->n, .M = s->m, .P = block(s, 0), .cam = s->cams, .X = s->points};
}

static int run_objective(Bench *b, const gradc_function *f, void *workspace) {
    const Ba *s = b->own;
    ba_args a = *(ba_args *)b->args;
    int status = 0;
    for (int64_t i = 0; i < s->p && status == 0; i += BLOCK) {
        a.P = block(s, i);
        a.w = s->w + i;
        a.feat = s->feats + 2 * i;
        a.c = s->camera + i;
        a.x = s->point + i;
        a.err = s->err + 2 * i;
        a.werr = s->werr + i;
        status = f->call(&a, workspace);
    }
    return status;
}

static void print_objective(const Bench *b, FILE *out) {
    const Ba *s = b->own;
    if (s->full) {
        fputs("{\"reproj_err\":", out);
        print_numbers(out, s->err, 1, (const int64_t[]){2 * s->p});
        fputs(",\"w_err\":", out);
        print_numbers(out, s->werr, 1, &s->p);
        putc('}', out);
    } else {
        fputs("{\"reproj_error\":{\"elements\":", out);
        print_numbers(out, s->err, 1, (const int64_t[]){2});
        fprintf(out, ",\"repeated\":%lld},\"w_err\":{\"element\":", (long long)s->p);
        print_number(out, s->werr[0]);
        fprintf(out, ",\"repeated\":%lld}}", (long long)s->p);
    }
}

/* ---- Jacobian */

static void prepare_jacobian(Bench *b) {
    Ba *s = read_ba(b);
    ba_jacobian_args *a = b->args = bench_alloc(b, 1, sizeof *a);
    const int64_t entries = (2 * ROW + 1) * s->p;
    s->vals = bench_result(b, entries);
    s->cols = bench_alloc(b, entries, sizeof *s->cols);
    s->rows = bench_alloc(b, 3 * s->p + 1, sizeof *s->rows);
    *a = (ba_jacobian_args){.N = s->n, .M = s->m, .P = block(s, 0), .cam = s->cams, .X = s->points};
}

static int run_jacobian(Bench *b, const gradc_function *f, void *workspace) {
    const Ba *s = b->own;
    const int64_t p = s->p, points = CAMERA * s->n, weights = points + 3 * s->m;
    ba_jacobian_args a = *(ba_jacobian_args *)b->args;
    int status = 0;
    for (int64_t i = 0; i < p && status == 0; i += BLOCK) {
        a.P = block(s, i);
        a.w = s->w + i;
        a.feat = s->feats + 2 * i;
        a.c = s->camera + i;
        a.x = s->point + i;
        a.J = s->vals + 2 * ROW * i;
        a.Jw = s->vals + 2 * ROW * p + i;
        status = f->call(&a, workspace);
    }
    for (int64_t i = 0; i < p; i++) {
        int64_t *col = s->cols + 2 * ROW * i;
        for (int64_t k = 0; k < CAMERA; k++) col[k] = CAMERA * s->camera[i] + k;
        for (int64_t k = 0; k < 3; k++) col[CAMERA + k] = points + 3 * s->point[i] + k;
        col[ROW - 1] = weights + i;
        memcpy(col + ROW, col, ROW * sizeof *col);
        s->cols[2 * ROW * p + i] = weights + i;
    }
    for (int64_t i = 0; i < 2 * p; i++) s->rows[i] = ROW * i;
    for (int64_t i = 0; i <= p; i++) s->rows[2 * p + i] = 2 * ROW * p + i;
    return status;
}

/* The first 30 numbers and the last one, of a list that has at least as many. */
static void print_ends_integers(FILE *out, const int64_t *x, int64_t n) {
    int64_t ends[2 * ROW + 1];
    memcpy(ends, x, 2 * ROW * sizeof *ends);
    ends[2 * ROW] = x[n - 1];
    print_integers(out, ends, 2 * ROW + 1);
}

static void print_jacobian(const Bench *b, FILE *out) {
    const Ba *s = b->own;
    const int64_t n = (2 * ROW + 1) * s->p, rows = 3 * s->p + 1;
    if (s->full) {
        fprintf(out, "{\"nrows\":%lld,\"ncols\":%lld,\"rows\":", (long long)(rows - 1),
                (long long)(CAMERA * s->n + 3 * s->m + s->p));
        print_integers(out, s->rows, rows);
        fputs(",\"cols\":", out);
        print_integers(out, s->cols, n);
        fputs(",\"vals\":", out);
        print_numbers(out, s->vals, 1, &n);
    } else {
        double ends[2 * ROW + 1];
        memcpy(ends, s->vals, 2 * ROW * sizeof *ends);
        ends[2 * ROW] = s->vals[n - 1];
        fputs("{\"rows\":", out);
        if (rows > 2 * ROW) print_ends_integers(out, s->rows, rows);
        else print_integers(out, s->rows, rows);
        fputs(",\"cols\":", out);
        print_ends_integers(out, s->cols, n);
        fputs(",\"vals\":", out);
        print_numbers(out, ends, 1, (const int64_t[]){2 * ROW + 1});
    }
    putc('}', out);
}

const Eval eval_ba = {
    "ba",
    (const BenchFunction[]){
        {"objective", &ba_model, "value", prepare_objective, run_objective, print_objective},
        {"jacobian", &ba_jacobian_model, "value", prepare_jacobian, run_jacobian, print_jacobian},
        {0},
    }};
