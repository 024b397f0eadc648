/* Two models that were compiled from the same text in two ways, A and B: the same bits?
 *
 *   compare NAME=SIZE ... [index=N] [only=value] [sums=any]
 *
 * The arguments are drawn, and every workspace has the size that is asked for and is filled with NaN. The outputs of value and
 * forward of each must be equal, and all outputs and derivatives of A and B, after one call of backward and of vjp and after a
 * second one. sums=any: sums are added in other orders, so numbers that are near 1 may differ by 1e-13, and others relative to
 * that. Prints the bytes of the workspaces of value and forward of both. */
#include <gradc_model.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const gradc_model first_model, second_model;
static const gradc_model *const models[2] = {&first_model, &second_model};
enum { TENSORS = 100 };
static void *data[TENSORS], *result[2][2][TENSORS]; /* by model, by way, by tensor */
static size_t bytes[TENSORS];
static unsigned long long state = 88172645463325252ull;
static int indices = 2, any_order;

static double draw(void) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0 * 2 - 1;
}

static void *room(size_t n) {
    void *p = aligned_alloc(64, n ? n : 64);
    if (!p) {
        exit(2);
    }
    memset(p, 0xff, n);
    return p;
}

static void fill(const gradc_tensor *t, void *at, size_t n) {
    for (size_t k = 0; k < n; k++) {
        double v = draw();
        switch (t->type) {
        case GRADC_TYPE_FLOAT: ((float *)at)[k] = (float)v; break;
        case GRADC_TYPE_DOUBLE: ((double *)at)[k] = v; break;
        case GRADC_TYPE_INT32: ((int32_t *)at)[k] = (int32_t)((v + 1) / 2 * indices) % indices; break;
        case GRADC_TYPE_INT64: ((int64_t *)at)[k] = 1; break;
        case GRADC_TYPE_BOOL: ((uint8_t *)at)[k] = v > 0; break;
        }
    }
}

static int differ(const gradc_tensor *t, const void *a, const void *b, size_t n) {
    if (!any_order || t->type != GRADC_TYPE_DOUBLE) {
        return memcmp(a, b, n) != 0;
    }
    for (size_t k = 0; k < n / sizeof(double); k++) {
        double x = ((const double *)a)[k], y = ((const double *)b)[k], most = x < 0 ? -x : x;
        double gap = x < y ? y - x : x - y;
        if (!(gap <= 1e-13 * (most > 1 ? most : 1))) {
            return 1;
        }
    }
    return 0;
}

static const gradc_function *find(const gradc_model *m, const char *name) {
    for (int k = 0; k < m->nfunctions; k++) {
        if (!strcmp(m->functions[k].name, name)) {
            return &m->functions[k];
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    static const size_t sizes[] = {sizeof(float), sizeof(double), sizeof(int32_t), sizeof(int64_t), 1};
    const gradc_model *m = &first_model;
    char *args = calloc(1, m->args_size);
    int only_value = 0, wrong = 0;
    if (!args || m->args_size != models[1]->args_size || m->ntensors != models[1]->ntensors || m->ntensors > TENSORS) {
        puts("these are two models");
        return 2;
    }
    for (int k = 1; k < argc; k++) {
        const char *equals = strchr(argv[k], '=');
        size_t n = equals ? (size_t)(equals - argv[k]) : 0;
        int64_t value = equals ? strtoll(equals + 1, NULL, 10) : 0;
        for (int d = 0; d < m->ndims; d++) {
            if (strlen(m->dims[d].name) == n && !strncmp(m->dims[d].name, argv[k], n)) {
                memcpy(args + m->dims[d].field, &value, sizeof value);
            }
        }
        indices = !strncmp(argv[k], "index=", 6) ? (int)value : indices;
        only_value = only_value || !strcmp(argv[k], "only=value");
        any_order = any_order || !strcmp(argv[k], "sums=any");
    }
    for (int k = 0; k < m->ntensors; k++) {
        const gradc_tensor *t = &m->tensors[k];
        size_t n = 1;
        for (int q = 0; q < t->rank; q++) {
            n *= (size_t)m->extent(args, k, q);
        }
        bytes[k] = n * sizes[t->type];
        if (t->role == GRADC_ROLE_OUTPUT || t->role == GRADC_ROLE_DERIVATIVE) {
            for (int i = 0; i < 4; i++) {
                result[i / 2][i % 2][k] = room(((bytes[k] + 63) / 64) * 64);
            }
            continue;
        }
        data[k] = room(((bytes[k] + 63) / 64) * 64);
        fill(t, data[k], n);
        if (t->by_value) {
            memcpy(args + t->field, data[k], bytes[k]);
        } else {
            memcpy(args + t->field, &data[k], sizeof data[k]);
        }
    }
    for (int i = 0; i < 2; i++) {
        static const char *const ways[2][5] = {{"value"}, {"forward", "backward", "vjp", "backward", "vjp"}};
        for (int way = 0; way < 2 - only_value; way++) {
            const gradc_function *first = find(models[i], ways[way][0]);
            if (!first) {
                puts("no forward");
                return 2;
            }
            for (int k = 0; k < m->ntensors; k++) {
                if (result[i][way][k]) {
                    memcpy(args + m->tensors[k].field, &result[i][way][k], sizeof(void *));
                }
            }
            size_t n = first->workspace(args);
            void *w = room(n);
            printf("%s%zu", i + way ? " " : "", n);
            for (int k = 0; k < 5 && ways[way][k]; k++) {
                for (int q = 0; q < m->ntensors && k == 3; q++) { /* once more */
                    if (result[i][way][q] && m->tensors[q].role == GRADC_ROLE_DERIVATIVE) {
                        memcpy(result[i][0][q], result[i][way][q], bytes[q]);
                        memset(result[i][way][q], 0xff, bytes[q]);
                    }
                }
                const gradc_function *f = find(models[i], ways[way][k]);
                int status = f ? f->call(args, w) : 0;
                if (status) {
                    printf("%s: status %d\n", ways[way][k], status);
                    return 1;
                }
            }
            free(w);
        }
    }
    puts("");
    for (int k = 0; k < m->ntensors && !only_value; k++) {
        const gradc_tensor *t = &m->tensors[k];
        if (t->role == GRADC_ROLE_OUTPUT && (differ(t, result[0][0][k], result[0][1][k], bytes[k]) ||
                                             differ(t, result[1][0][k], result[1][1][k], bytes[k]))) {
            printf("%s: value and forward differ: %g %g, %g %g\n", t->name, *(double*)result[0][0][k], *(double*)result[0][1][k], *(double*)result[1][0][k], *(double*)result[1][1][k]);
            wrong = 1;
        }
        if ((t->role == GRADC_ROLE_OUTPUT || t->role == GRADC_ROLE_DERIVATIVE) &&
            differ(t, result[0][1][k], result[1][1][k], bytes[k])) {
            printf("%s: A and B differ\n", t->name);
            wrong = 1;
        }
    }
    for (int k = 0; k < m->ntensors && !only_value; k++) {
        for (int i = 0; i < 2 && m->tensors[k].role == GRADC_ROLE_DERIVATIVE; i++) {
            if (memcmp(result[i][0][k], result[i][1][k], bytes[k])) {
                printf("%s: two calls of %c differ\n", m->tensors[k].name, "AB"[i]);
                wrong = 1;
            }
        }
    }
    for (int k = 0; k < m->ntensors; k++) {
        free(data[k]);
        for (int i = 0; i < 4; i++) {
            free(result[i / 2][i % 2][k]);
        }
    }
    free(args);
    return wrong;
}
