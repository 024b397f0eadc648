/* A model with sparse derivatives beside the same with dense ones, by their descriptions: what the
 * pattern has is the same number, what it has not is 0 in the dense matrix. Prints for each how many
 * entries it has and how many sweeps it takes. */
#include <gradc.h>
#include <gradc_model.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const gradc_model sparse_model, dense_model;
static int failed;

static void wrong(const char *name, const char *what, long at, double got, double want) {
    printf("%s: %s at %ld: %.17g, not %.17g\n", name, what, at, got, want);
    failed = 1;
}

static void *room(size_t n) {
    void *p = NULL;
    if (posix_memalign(&p, 64, n + 64)) exit(2);
    memset(p, 0xA5, n + 64);
    return p;
}

static int64_t entries(const gradc_model *m, const void *args, int tensor) {
    int64_t n = 1;
    for (int k = 0; k < m->tensors[tensor].rank; k++) n *= m->extent(args, tensor, k);
    return n;
}

/* Arguments with inputs that are the same for both models, and room for all results. */
static char *arguments(const gradc_model *m) {
    char *args = calloc(1, m->args_size);
    if (args == NULL) exit(2);
    for (int k = 0; k < m->ntensors; k++) {
        const gradc_tensor *t = &m->tensors[k];
        double *data = room((size_t)entries(m, args, k) * sizeof *data);
        if (t->type != GRADC_TYPE_DOUBLE || t->by_value) exit(3);
        for (int64_t i = 0; t->role == GRADC_ROLE_INPUT && i < entries(m, args, k); i++)
            data[i] = sin(1.7 * (double)i + (double)t->name[0]) + 0.2;
        memcpy(args + t->field, &data, sizeof data);
    }
    return args;
}

static const double *data_of(const gradc_model *m, const char *args, int tensor) {
    const double *data;
    memcpy(&data, args + m->tensors[tensor].field, sizeof data);
    return data;
}

static void release(const gradc_model *m, char *args) {
    for (int k = 0; k < m->ntensors; k++) {
        void *data;
        memcpy(&data, args + m->tensors[k].field, sizeof data);
        free(data);
    }
    free(args);
}

static void call_all(const gradc_model *m, char *args) {
    for (int k = 0; k < m->nfunctions; k++) {
        size_t bytes = m->functions[k].workspace(args);
        void *w = bytes == SIZE_MAX ? NULL : room(bytes);
        int status = w ? m->functions[k].call(args, w) : -1;
        if (status != GRADC_OK) {
            printf("%s %s: status %d\n", m->name, m->functions[k].name, status);
            exit(1);
        }
        free(w);
        if (m->functions[k].call(NULL, NULL) != GRADC_NULL) exit(4);
    }
}

static void compare(const char *name, const gradc_pattern *p, const double *value,
                    const double *matrix) {
    char *met = calloc((size_t)(p->rows * p->columns), 1);
    if (met == NULL) exit(2);
    for (int64_t r = 0, e = 0; r < p->rows; r++) {
        if (p->start[r] != e) wrong(name, "start", (long)r, p->start[r], (double)e);
        for (; e < p->start[r + 1]; e++) {
            int64_t c = p->column[e];
            if (p->row[e] != r) wrong(name, "row", (long)e, p->row[e], (double)r);
            if (e > p->start[r] && c <= p->column[e - 1]) wrong(name, "order", (long)e, 0, 0);
            if (p->half && c > r) wrong(name, "half", (long)e, 0, 0);
            double want = matrix[r * p->columns + c];
            met[r * p->columns + c] = 1;
            if (p->half) met[c * p->columns + r] = 1;
            if (!(fabs(value[e] - want) <= 1e-12 * (1 + fabs(want))))
                wrong(name, "entry", (long)e, value[e], want);
        }
    }
    for (int64_t i = 0; i < p->rows * p->columns; i++)
        if (!met[i] && matrix[i] != 0) wrong(name, "left out", (long)i, 0, matrix[i]);
    printf("%s %ld of %ld x %ld, %d sweeps\n", name, (long)p->entries, (long)p->rows,
           (long)p->columns, p->sweeps);
    free(met);
}

int main(void) {
    char *a = arguments(&sparse_model), *b = arguments(&dense_model);
    call_all(&sparse_model, a);
    call_all(&dense_model, b);
    for (int k = 0; k < sparse_model.ntensors; k++) {
        const gradc_tensor *t = &sparse_model.tensors[k];
        int other = 0;
        while (strcmp(dense_model.tensors[other].name, t->name)) other++;
        const double *x = data_of(&sparse_model, a, k), *y = data_of(&dense_model, b, other);
        if (t->pattern == NULL) {
            for (int64_t i = 0; i < entries(&sparse_model, a, k); i++)
                if (x[i] != y[i] && t->role != GRADC_ROLE_DERIVATIVE)
                    wrong(t->name, "value", (long)i, x[i], y[i]);
            continue;
        }
        if (t->rank != 1 || entries(&sparse_model, a, k) != t->pattern->entries) exit(5);
        if (entries(&dense_model, b, other) != t->pattern->rows * t->pattern->columns) exit(6);
        compare(t->name, t->pattern, x, y);
    }
    release(&sparse_model, a);
    release(&dense_model, b);
    return failed;
}
