/* flat: all parameters of a model as one vector of doubles, which is what optimisers want. It works
 * for any model, by its description (gradc_model.h). Nothing is copied but numbers: the pointers of
 * the arguments are set into the optimiser's own vectors. */
#ifndef SAMPLES_FLAT_H
#define SAMPLES_FLAT_H
#include "gradc_model.h"
#include "sample.h"

#include <string.h>

typedef struct Flat {
    const gradc_model *model;
    char *args;    /* the model's NAME_args, with dimensions and inputs set */
    int of;        /* the number of the output that is minimised */
    double value;  /* its value after flat_call */
    int64_t n;     /* how many numbers the parameters have in all */
    int64_t calls; /* how often they were evaluated */
    int (*value_and_gradient)(const void *args, void *work);
    void *work;
} Flat;

/* The number of entries of a tensor. */
static inline int64_t flat_entries(const Flat *f, int tensor) {
    int64_t n = 1;
    for (int axis = 0; axis < f->model->tensors[tensor].rank; axis++) {
        n *= f->model->extent(f->args, tensor, axis);
    }
    return n;
}

/* For `derive gradient(OF; ...)` of the model; `args` stays the caller's. */
static inline Flat flat_new(const gradc_model *model, void *args, const char *of) {
    Flat f = {.model = model, .args = args, .of = -1};
    char name[2][128];
    snprintf(name[0], sizeof name[0], "value_and_gradient"); /* of a model with one gradient */
    snprintf(name[1], sizeof name[1], "gradient_%s_value_and_gradient", of);
    for (int i = 0; i < model->ntensors; i++) {
        const gradc_tensor *t = &model->tensors[i];
        if (t->role == GRADC_ROLE_OUTPUT && !strcmp(t->name, of)) f.of = i;
        if (t->role == GRADC_ROLE_PARAM) f.n += flat_entries(&f, i);
    }
    for (int i = 0; i < model->nfunctions; i++) {
        const gradc_function *function = &model->functions[i];
        if (!strcmp(function->name, name[0]) || !strcmp(function->name, name[1])) {
            f.value_and_gradient = function->call;
            f.work = sample_workspace(function->workspace(args));
        }
    }
    if (f.of < 0 || !f.value_and_gradient) {
        fprintf(stderr, "%s has no gradient of an output %s\n", model->name, of);
        exit(1);
    }
    return f;
}

static inline void flat_free(Flat *f) {
    free(f->work);
}

/* The value at x, and the gradient in g unless that is NULL. */
static inline double flat_call(Flat *f, const double *x, double *g) {
    const gradc_tensor *t = f->model->tensors;
    int64_t at = 0;
    *(double **)(void *)(f->args + t[f->of].field) = &f->value;
    for (int i = 0; i < f->model->ntensors; i++) {
        if (t[i].role != GRADC_ROLE_PARAM) continue;
        if (t[i].by_value) *(double *)(void *)(f->args + t[i].field) = x[at];
        else *(const double **)(void *)(f->args + t[i].field) = x + at;
        for (int k = 0; k < f->model->ntensors; k++) { /* where its gradient goes */
            if (t[k].role == GRADC_ROLE_DERIVATIVE && t[k].of == f->of && t[k].by == i) {
                *(double **)(void *)(f->args + t[k].field) = g ? g + at : NULL;
            }
        }
        at += flat_entries(f, i);
    }
    sample_must(f->model->name, f->value_and_gradient(f->args, f->work));
    f->calls++;
    return f->value;
}
#endif
