/* outline: what the checker found, as text: the sizes of a unit, its arrays, the order of its
 * equations, its loops. */
#include "passes.h"
#include <string.h>

static const char *role_word(Role role) {
    switch (role) {
    case ROLE_INPUT: return "input ";
    case ROLE_PARAM: return "param ";
    case ROLE_CONST: return "const ";
    case ROLE_OUTPUT: return "output ";
    case ROLE_ARGUMENT: return "argument ";
    case ROLE_RESULT: return "result ";
    case ROLE_LOCAL: break;
    }
    return "";
}

static const char *type_word(BaseType type) {
    switch (type) {
    case TYPE_REAL: return "real";
    case TYPE_FLOAT: return "float";
    case TYPE_DOUBLE: return "double";
    case TYPE_INT: return "int";
    case TYPE_BOOL: return "bool";
    case TYPE_INDEX: return "index";
    case TYPE_UNKNOWN: break;
    }
    return "?";
}

static void print_dims(Context *cx, const Unit *u, FILE *out) {
    for (int k = 0; k < u->dims.n; k++) {
        const Dim *d = &u->dims.at[k];
        const char *name = symbol_text(cx, d->name),
                   *means = d->means ? size_text(cx, d->means) : name;
        if (d->fixed) fprintf(out, "  dim %s = %lld\n", name, (long long)d->fixed);
        else if (d->until) fprintf(out, "  dim %s = until\n", name);
        else if (d->least > 1) fprintf(out, "  dim %s >= %lld\n", name, (long long)d->least);
        else if (!strcmp(means, name)) fprintf(out, "  dim %s\n", name);
        else fprintf(out, "  dim %s = %s\n", name, means);
    }
}

static void print_variable(Context *cx, const Variable *v, FILE *out) {
    fprintf(out, "  %s%s %s", role_word(v->role), type_word(v->type.base),
            symbol_text(cx, v->name));
    for (int k = 0; k < v->rank; k++) {
        fprintf(out, "%s%s", k ? ", " : "[", size_text(cx, v->shape[k]));
        if (v->low && v->low[k]->n) fprintf(out, " from %s", size_text(cx, v->low[k]));
    }
    fputs(v->rank ? "]" : "", out);
    if (v->type.target) fprintf(out, " : %s", size_text(cx, v->type.target));
    fputc('\n', out);
}

void outline_print(Context *cx, const Program *p, FILE *out) {
    for (int k = 0; k < p->units.n; k++) {
        const Unit *u = p->units.at[k];
        fprintf(out, "%s %s%s\n", u->is_fn ? "fn" : "model", symbol_text(cx, u->name),
                u->recursive ? " (recursive)" : "");
        print_dims(cx, u, out);
        for (int q = 0; q < u->variables.n; q++) print_variable(cx, u->variables.at[q], out);
        for (int q = 0; q < u->groups.n; q++) {
            const Group *g = &u->groups.at[q];
            if (!g->cyclic) continue;
            fputs("  together:", out);
            for (int r = 0; r < g->members.n; r++)
                fprintf(out, "%s %s", r ? "," : "", symbol_text(cx, g->members.at[r]->name));
            fputc('\n', out);
        }
        for (int q = 0; q < u->loops.n; q++) fprintf(out, "  %s\n", u->loops.at[q]);
    }
}
