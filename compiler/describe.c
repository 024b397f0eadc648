/* describe: tables that tell code which does not know a model its tensors, dimensions and
 * functions. In: the graph and the C names that emit gave. Out: `const gradc_model NAME_model` and
 * what it points to. Functions are called through thunks, since a function of another type may not
 * be called through a cast pointer. */
#include "describe.h"
#include <string.h>

typedef struct Tensors {
    int *place; /* by array: 1 + the first tensor that it is */
    VEC(ArrayRef) array;
    VEC(const char *) role;
    VEC(int) of, by;
} Tensors;

static int tensor_of(const Tensors *t, ArrayRef a) {
    return t->place[a] - 1;
}

static void tensor_add(Graph *g, Tensors *t, ArrayRef a, const char *role, int of, int by) {
    VEC_PUSH(g->arena, t->array, a);
    t->place[a] = t->place[a] ? t->place[a] : t->array.n;
    VEC_PUSH(g->arena, t->role, role);
    VEC_PUSH(g->arena, t->of, of);
    VEC_PUSH(g->arena, t->by, by);
}

static Tensors tensors_of(Graph *g) {
    Tensors t = {0};
    t.place = arena_alloc(g->arena, ((size_t)g->arrays.n + 1) * sizeof *t.place);
    for (int k = 0; k < g->inputs.n; k++) {
        tensor_add(g, &t, g->inputs.at[k],
                   ARRAY(g, g->inputs.at[k])->role == ARRAY_PARAM ? "PARAM" : "INPUT", -1, -1);
    }
    for (int k = 0; k < g->outputs.n; k++) {
        if (tensor_of(&t, g->outputs.at[k]) < 0) {
            tensor_add(g, &t, g->outputs.at[k], "OUTPUT", -1, -1);
        }
    }
    for (int k = 0; k < g->requests.n; k++) {
        const Request *r = &g->requests.at[k];
        for (int q = 0; q < r->seed.n; q++) {
            if (tensor_of(&t, r->seed.at[q]) < 0) {
                tensor_add(g, &t, r->seed.at[q], "SEED",
                           tensor_of(&t, r->kind == REQUEST_VJP ? r->of : r->by.at[q]), -1);
            }
        }
        for (int q = 0; q < r->result.n; q++) {
            bool matrix = r->kind == REQUEST_GRADIENT || r->kind == REQUEST_JACOBIAN;
            tensor_add(g, &t, r->result.at[q], "DERIVATIVE", tensor_of(&t, r->of),
                       matrix ? tensor_of(&t, r->by.at[q]) : -1);
        }
    }
    return t;
}

void describe_header(const Graph *g, const Description *d, Text *out) {
    bool inside = false;
    (void)g;
    text_raw(out, "\n/* The description of the model for code that serves any model. */\n");
    for (int k = 0; model_types_lines[k]; k++) {
        inside = inside || !strncmp(model_types_lines[k], "#ifndef", 7);
        if (inside && strncmp(model_types_lines[k], "#include", 8)) {
            text_add(out, "%s\n", model_types_lines[k]);
        }
    }
    text_add(out, "extern const gradc_model %s_model;\n", d->prefix);
}

static const char *type_constant(const char *entry) {
    return !strcmp(entry, "float")     ? "FLOAT"
           : !strcmp(entry, "double")  ? "DOUBLE"
           : !strcmp(entry, "int32_t") ? "INT32"
           : !strcmp(entry, "int64_t") ? "INT64"
                                       : "BOOL";
}

/* Functions that share a workspace function share its thunk: that of the first. */
static int workspace_thunk(const Description *d, int function) {
    int k = 0;
    while (strcmp(d->functions[k].workspace, d->functions[function].workspace)) {
        k++;
    }
    return k;
}

static bool has_pattern(const Graph *g, ArrayRef a) {
    bool yes = false;
    for (int k = 0; k < g->requests.n; k++) {
        for (int q = 0; q < g->requests.at[k].compressed.n; q++) {
            yes = yes || g->requests.at[k].result.at[q] == a;
        }
    }
    return yes;
}

void describe_source(Graph *g, const Description *d, Text *out) {
    const char *m = d->prefix;
    Tensors t = tensors_of(g);
    int axes = 0;
    text_raw(out, "/* ---- the description of the model ---- */\n\n");
    for (int k = 0; k < d->nfunctions; k++) {
        if (workspace_thunk(d, k) == k) {
            text_add(out,
                     "static size_t %s_describe_workspace_%d(const void *a) {\n    return "
                     "%s((const %s_args *)a);\n}\n",
                     m, k, d->functions[k].workspace, m);
        }
        text_add(out,
                 "static int %s_describe_call_%d(const void *a, void *workspace) {\n    return "
                 "%s((const %s_args *)a, workspace);\n}\n",
                 m, k, d->functions[k].name, m);
    }
    text_add(out,
             "static int64_t %s_describe_extent(const void *args, int tensor, int axis) {\n    "
             "const %s_args *a = (const %s_args *)args;\n",
             m, m, m);
    text_raw(out, "    (void)a;\n    switch (tensor * 64 + axis) {\n");
    for (int k = 0; k < t.array.n; k++) {
        for (int q = 0; q < ARRAY(g, t.array.at[k])->rank; q++, axes++) {
            text_add(out, "    case %d * 64 + %d: return ", k, q);
            d->size(d->user, ARRAY(g, t.array.at[k])->extent[q], out);
            text_raw(out, ";\n");
        }
    }
    text_raw(out, "    default: return -1;\n    }\n}\n");
    if (g->dims.n > 1) {
        text_add(out, "static const gradc_dim %s_describe_dims[] = {\n", m);
        for (int k = 1; k < g->dims.n; k++) {
            int64_t least = g->dims.at[k].least > 1 ? g->dims.at[k].least : 1;
            text_add(out, "    {\"%s\", offsetof(%s_args, %s), %lld},\n", g->dims.at[k].name, m,
                     d->dim(d->user, k), (long long)least);
        }
        text_raw(out, "};\n");
    }
    for (int k = 0; k < g->requests.n; k++) {
        const Request *r = &g->requests.at[k];
        for (int q = 0; q < r->compressed.n; q++) {
            const Compressed *c = &r->compressed.at[q];
            const char *name = ARRAY(g, r->result.at[q])->name;
            text_add(out,
                     "static const gradc_pattern %s_describe_pattern_%d = {%lld, %lld, %lld, %d, "
                     "%d, %s_%s_row, %s_%s_column, %s_%s_start};\n",
                     m, tensor_of(&t, r->result.at[q]), (long long)c->rows, (long long)c->columns,
                     (long long)c->entries, c->half, r->colours, m, name, m, name, m, name);
        }
    }
    text_add(out, "static const gradc_tensor %s_describe_tensors[] = {\n", m);
    for (int k = 0; k < t.array.n; k++) {
        ArrayRef a = t.array.at[k];
        bool given = ARRAY(g, a)->role != ARRAY_INTERNAL;
        text_add(
            out,
            "    {\"%s\", GRADC_ROLE_%s, GRADC_TYPE_%s, %d, %d, offsetof(%s_args, %s), %d, %d, "
            "%s},\n",
            ARRAY(g, a)->name, t.role.at[k], type_constant(d->entry(d->user, a)), ARRAY(g, a)->rank,
            given && ARRAY(g, a)->rank == 0, m, d->field(d->user, a), t.of.at[k], t.by.at[k],
            has_pattern(g, a) ? arena_format(g->arena, "&%s_describe_pattern_%d", m, k) : "NULL");
    }
    text_raw(out,
             t.array.n
                 ? "};\n"
                 : "    {\"\", GRADC_ROLE_INPUT, GRADC_TYPE_BOOL, 0, 0, 0, -1, -1, NULL},\n};\n");
    text_add(out, "static const gradc_function %s_describe_functions[] = {\n", m);
    for (int k = 0; k < d->nfunctions; k++) {
        const char *name = d->functions[k].name +
                           (!strncmp(d->functions[k].name, m, strlen(m)) ? strlen(m) + 1 : 0);
        text_add(out, "    {\"%s\", %s_describe_workspace_%d, %s_describe_call_%d},\n", name, m,
                 workspace_thunk(d, k), m, k);
    }
    text_raw(out, "};\n");
    text_add(out, "const gradc_model %s_model = {\n    \"%s\", sizeof(%s_args), %d, %d, %d, ", m,
             g->name, m, g->dims.n - 1, t.array.n, d->nfunctions);
    if (g->dims.n > 1) {
        text_add(out, "%s_describe_dims, ", m);
    } else {
        text_raw(out, "NULL, ");
    }
    text_add(out, "%s_describe_tensors,\n    %s_describe_functions, %s_describe_extent};\n", m, m,
             m);
}
