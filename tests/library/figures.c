/* figures: do the functions of the library compute what tests/library/figures.py says? All models
 * are linked into this program; each has a file of cases:
 *
 *   model NAME
 *   case [double]              only in double, where float does not reach
 *   K 3                        a size
 *   v 1 2 3                    an argument
 *   = e 2.4:1.7                a result, and its condition: how much it changes when arguments are
 *                              off by their own size
 *   ulps 8 2                   the error that is allowed, in units of the last place of the result,
 *                              and in those of its condition
 *   status empty               this status is expected
 *   hessian 0.2 1.5            the smallest and the largest entry of the Hessian that is not 0: where
 *                              one underflows, second derivatives need only be finite, and where one
 *                              overflows they are not looked at
 *
 * Usage: figures FILE ... */
#include "models.h"
#include "gradc.h"
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 256 };
typedef struct Want {
    int tensor, n;
    long double *value, *condition;
} Want;
typedef struct Case {
    const gradc_model *model;
    char *args;
    void *owned[64];
    Want want[16];
    int nowned, nwant, status, second;
    long double ulps, more, hessian[2];
} Case;

static long passed, failed;
static char where[4 * WORD];

static void fail(const char *text, long at, long double got, long double want) {
    if (failed++ < 40)
        printf("  %s: %s[%ld] is %.17Lg, but should be %.17Lg\n", where, text, at, got, want);
}

static void stop(const char *text) {
    printf("  %s: %s\n0 passed, 1 failed\n", where, text);
    exit(1);
}

static void *owned(Case *c, size_t bytes) {
    if (c->nowned == 64) stop("more than 64 arrays");
    return c->owned[c->nowned++] = calloc(bytes + 1, 1);
}

static int tensor_find(const gradc_model *m, const char *name) {
    for (int k = 0; k < m->ntensors; k++)
        if (!strcmp(m->tensors[k].name, name)) return k;
    printf("  %s: no tensor %s\n", where, name);
    stop("the model and its cases do not fit");
    return -1;
}

static long entries(const Case *c, int tensor) {
    long n = 1;
    for (int k = 0; k < c->model->tensors[tensor].rank; k++)
        n *= (long)c->model->extent(c->args, tensor, k);
    return n;
}

static size_t size_of(gradc_type type) {
    return type == GRADC_TYPE_FLOAT    ? sizeof(float)
           : type == GRADC_TYPE_DOUBLE ? sizeof(double)
           : type == GRADC_TYPE_INT32  ? sizeof(int32_t)
           : type == GRADC_TYPE_INT64  ? sizeof(int64_t)
                                       : sizeof(uint8_t);
}

static void put(char *at, gradc_type type, const char *text) {
    char *end;
    double x = strtod(text, &end);
    if (*end) stop("not a number");
    if (type == GRADC_TYPE_FLOAT) {
        float f = (float)x;
        memcpy(at, &f, sizeof f);
    } else if (type == GRADC_TYPE_DOUBLE) {
        memcpy(at, &x, sizeof x);
    } else if (type == GRADC_TYPE_INT32) {
        int32_t i = (int32_t)x;
        memcpy(at, &i, sizeof i);
    } else {
        *at = (char)(x != 0);
    }
}

static long double get(const char *at, gradc_type type) {
    float f;
    double d;
    int64_t i;
    switch (type) {
    case GRADC_TYPE_FLOAT: memcpy(&f, at, sizeof f); return f;
    case GRADC_TYPE_DOUBLE: memcpy(&d, at, sizeof d); return d;
    case GRADC_TYPE_INT64: memcpy(&i, at, sizeof i); return (long double)i;
    default: return *at;
    }
}

/* One line of a case; `text` is cut into words. */
static void read_line(Case *c, char *text) {
    char *word = strtok(text, " \n");
    int wanted = !strcmp(word, "=");
    if (!strcmp(word, "ulps")) {
        c->ulps = strtold(strtok(NULL, " \n"), NULL);
        c->more = strtold(strtok(NULL, " \n"), NULL);
        return;
    }
    if (!strcmp(word, "hessian")) {
        for (int k = 0; k < 2; k++) c->hessian[k] = strtold(strtok(NULL, " \n"), NULL);
        return;
    }
    if (!strcmp(word, "status")) {
        word = strtok(NULL, " \n");
        c->status = !strcmp(word, "empty")                   ? GRADC_EMPTY
                    : !strcmp(word, "not_positive_definite") ? GRADC_NOT_POSITIVE_DEFINITE
                                                             : -1;
        return;
    }
    if (wanted) word = strtok(NULL, " \n");
    for (int k = 0; k < c->model->ndims && !wanted; k++) {
        if (strcmp(c->model->dims[k].name, word)) continue;
        int64_t size = atoll(strtok(NULL, " \n"));
        memcpy(c->args + c->model->dims[k].field, &size, sizeof size);
        return;
    }
    int tensor = tensor_find(c->model, word);
    const gradc_tensor *t = &c->model->tensors[tensor];
    long n = entries(c, tensor);
    char *data = c->args + t->field;
    Want *w = &c->want[c->nwant];
    if (wanted) {
        *w = (Want){tensor, (int)n, owned(c, (size_t)n * sizeof *w->value),
                    owned(c, (size_t)n * sizeof *w->value)};
        c->nwant++;
        size_t length = strlen(word);
        c->second |= length > 3 && !strcmp(word + length - 3, "_hd");
    }
    if (!t->by_value) {
        data = owned(c, (size_t)n * size_of(t->type));
        memcpy(c->args + t->field, &data, sizeof data);
    }
    for (long k = 0; k < n; k++) {
        char *value = strtok(NULL, " \n"), *colon;
        if (!value) stop("too few entries");
        if (wanted) {
            w->value[k] = strtold(value, &colon);
            w->condition[k] = strtold(colon + 1, NULL);
        } else {
            put(data + (size_t)k * size_of(t->type), t->type, value);
        }
    }
    if (strtok(NULL, " \n")) stop("too many entries");
}

static const gradc_function *function(const Case *c, const char *name) {
    for (int k = 0; k < c->model->nfunctions; k++)
        if (!strcmp(c->model->functions[k].name, name)) return &c->model->functions[k];
    return NULL;
}

static int call(Case *c, const char *name) {
    const gradc_function *f = function(c, name);
    if (!f) stop("a function is missing");
    size_t bytes = f->workspace(c->args);
    if (bytes == SIZE_MAX) stop("sizes that cannot be");
    void *workspace = aligned_alloc(64, bytes + 64 - bytes % 64);
    memset(workspace, 255, bytes);
    int status = f->call(c->args, workspace);
    free(workspace);
    if (status != c->status) fail("status", 0, status, c->status);
    else passed += status != 0;
    return status;
}

static void run(Case *c, int single) {
    const gradc_model *m = c->model;
    int status = call(c, function(c, "value_and_gradient") ? "value_and_gradient" : "value");
    long double most = single ? FLT_MAX : DBL_MAX, least = single ? FLT_MIN : DBL_MIN;
    int second = c->second && c->hessian[1] <= most;
    if (!status && second) status = call(c, "hvp");
    for (int k = 0; k < c->nwant && !status; k++) {
        const gradc_tensor *t = &m->tensors[c->want[k].tensor];
        const char *data;
        size_t length = strlen(t->name);
        int curve = length > 3 && !strcmp(t->name + length - 3, "_hd");
        if (curve && !second) continue;
        memcpy(&data, c->args + t->field, sizeof data);
        long double eps = single ? FLT_EPSILON : DBL_EPSILON;
        for (long j = 0; j < c->want[k].n; j++) {
            long double got = get(data + (size_t)j * size_of(t->type), t->type), want = c->want[k].value[j];
            /* Of what is made of numbers below the normal ones, nothing is said. */
            long double off = (c->ulps * fabsl(want) + c->more * c->want[k].condition[j]) * eps + least;
            long double rounded = single ? (long double)(float)want : (long double)(double)want;
            if (curve && c->hessian[0] < least) off = LDBL_MAX;
            if (isinf(rounded) ? got == rounded : fabsl(got - want) <= off) passed++;
            else fail(t->name, j, got, want);
        }
    }
}

static void end(Case *c, int single) {
    if (!c->model) return;
    run(c, single);
    for (int k = 0; k < c->nowned; k++) free(c->owned[k]);
    free(c->args);
    c->model = NULL;
}

/* All cases of a file, in float or in double; returns how many. */
static int run_file(const char *path, int single) {
    static char line[65536];
    char name[WORD] = "";
    const gradc_model *model = NULL;
    Case c = {0};
    FILE *in = fopen(path, "r");
    int number = 0;
    snprintf(where, sizeof where, "%s", path);
    if (!in) stop("cannot be read");
    while (fgets(line, sizeof line, in)) {
        if (line[0] == '#' || line[0] == '\n') continue;
        if (!strchr(line, '\n')) stop("a line is too long");
        if (sscanf(line, "model %200s", name) == 1) {
            for (int k = 0; models[k].name; k++)
                if (!strcmp(models[k].name, name) && models[k].single == single) model = models[k].model;
            if (!model) stop("there is no such model");
        } else if (!strncmp(line, "case", 4)) {
            end(&c, single);
            number++;
            if (single && strstr(line, "double")) continue;
            c = (Case){.model = model, .args = calloc(model->args_size, 1)};
            snprintf(where, sizeof where, "%s in %s, case %d", name, single ? "float" : "double", number);
        } else if (c.model) {
            read_line(&c, line);
        }
    }
    end(&c, single);
    fclose(in);
    return number;
}

int main(int argc, char **argv) {
    int number = 0;
    for (int k = 1; k < argc; k++)
        for (int single = 0; single < 2; single++) number += run_file(argv[k], single);
    printf("%d cases\n%ld passed, %ld failed\n", number, passed, failed);
    return failed != 0;
}
