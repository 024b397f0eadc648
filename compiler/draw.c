/* draw: the graph as pictures and as data. In: a graph. Out: text for `dot`, where a node is an
 * array with its equations and an arrow says who reads whom; or JSON with arrays, terms and
 * requests. Both hold what the outputs and the requests need. */
#include "draw.h"
#include "kernel.h"
#include "ops.h"
#include "print.h"
#include <math.h>
#include <string.h>

enum { LABEL_WIDTH = 58, LABEL_LINES = 14 };

static const char *role_text(ArrayRole role) {
    switch (role) {
    case ARRAY_INPUT: return "input";
    case ARRAY_PARAM: return "param";
    case ARRAY_CONST: return "const";
    case ARRAY_INTERNAL: break;
    }
    return "internal";
}

/* ---- dot
 * ----------------------------------------------------------------------------------------------------------
 */

static void add_escaped(Text *out, const char *s, size_t n) {
    for (size_t k = 0; k < n; k++) {
        if (s[k] == '&') text_raw(out, "&amp;");
        else if (s[k] == '<') text_raw(out, "&lt;");
        else if (s[k] == '>') text_raw(out, "&gt;");
        else if (s[k] == ' ' && (k == 0 || s[k - 1] == ' '))
            text_raw(out, "&#160;"); /* indentation survives */
        else text_char(out, s[k]);
    }
}

/* The name and shape in bold, the equations below, set to the left; what would be a page is cut. */
static void add_label(Graph *g, ArrayRef a, Text *out) {
    Text shape = text_new(g->arena), body = text_new(g->arena);
    graph_shape_text(g, a, &shape);
    text_raw(out, "<<b>");
    text_raw(out, ARRAY(g, a)->name);
    add_escaped(out, text_string(&shape), shape.n);
    text_raw(out, "</b>");
    if (ARRAY(g, a)->role == ARRAY_INTERNAL) {
        graph_array_text(g, a, LABEL_WIDTH, &body);
        const char *line = text_string(&body), *end;
        text_raw(out, "<br/><font point-size=\"10\">");
        for (int n = 0; (end = strchr(line, '\n')); n++) {
            if (n == LABEL_LINES) {
                text_raw(out, "...<br align=\"left\"/>");
                break;
            }
            add_escaped(out, line, (size_t)(end - line));
            text_raw(out, "<br align=\"left\"/>");
            line = end + 1;
        }
        text_raw(out, "</font>");
    } else {
        text_add(out, "<br/><font point-size=\"10\">%s</font>", role_text(ARRAY(g, a)->role));
    }
    text_char(out, '>');
}

static bool is_result(const Graph *g, ArrayRef a) {
    for (int k = 0; k < g->requests.n; k++) {
        for (int q = 0; q < g->requests.at[k].result.n; q++) {
            if (g->requests.at[k].result.at[q] == a) return true;
        }
    }
    return false;
}

static void add_node(Graph *g, const Parts *parts, ArrayRef a, Text *out) {
    const Array *array = ARRAY(g, a);
    const char *look = "";
    switch (array->role) {
    case ARRAY_INPUT: look = ", shape=ellipse, fillcolor=\"#d8e8fa\", margin=\"0.02,0.02\""; break;
    case ARRAY_PARAM: look = ", shape=ellipse, fillcolor=\"#dcf2d6\", margin=\"0.02,0.02\""; break;
    case ARRAY_CONST: look = ", shape=ellipse, fillcolor=\"#eeeeee\", margin=\"0.02,0.02\""; break;
    case ARRAY_INTERNAL: look = is_result(g, a) ? ", fillcolor=\"#fbdde0\"" : ""; break;
    }
    text_add(out, "    a%u [label=", a);
    add_label(g, a, out);
    text_raw(out, look);
    if (array->is_output || is_result(g, a)) text_raw(out, ", peripheries=2");
    if (parts->kept[a]) text_raw(out, ", color=\"#d9730d\", penwidth=2.2");
    text_raw(out, "];\n");
}

static void add_cluster(Graph *g, const Parts *parts, GraphPart part, Text *out) {
    text_add(out, "  subgraph cluster_%s {\n", part == PART_FORWARD ? "forward" : "gradient");
    text_add(
        out,
        "    label=\"%s\"; style=\"rounded,filled\"; color=\"#c8c8c8\"; fillcolor=\"#fafafa\";\n",
        part == PART_FORWARD ? "forward" : "gradient");
    for (int k = 0; k < parts->order.n; k++) {
        if (parts->of[parts->order.array[k]] == part)
            add_node(g, parts, parts->order.array[k], out);
    }
    text_raw(out, "  }\n");
}

void draw_dot(Graph *g, Text *out) {
    Parts parts = graph_parts(g);
    bool gradient = false;
    for (int k = 0; k < parts.order.n; k++)
        gradient = gradient || parts.of[parts.order.array[k]] == PART_GRADIENT;
    text_add(out, "digraph %s {\n", g->name);
    text_add(
        out,
        "  label=<<b>%s</b><br/><font point-size=\"10\">blue: input &#160; green: parameter &#160; "
        "double border: output &#160; orange border: kept for the gradient &#160; red: derivative "
        "asked for</font>>;\n",
        g->name);
    text_raw(out, "  labelloc=t; fontname=\"Helvetica\"; nodesep=0.25; ranksep=0.4;\n"
                  "  node [shape=box, style=\"filled\", fillcolor=white, color=\"#555555\", "
                  "fontname=\"Courier\", fontsize=11, margin=\"0.12,0.06\"];\n"
                  "  edge [color=\"#666666\", arrowsize=0.6];\n");
    add_cluster(g, &parts, PART_FORWARD, out);
    if (gradient) add_cluster(g, &parts, PART_GRADIENT, out);
    for (int k = 0; k < parts.order.n; k++) {
        ArrayRef to = parts.order.array[k];
        const ArrayRef *reads;
        int n = graph_array_reads(g, to, &reads);
        for (int q = 0; q < n; q++) {
            bool across = parts.of[to] == PART_GRADIENT && parts.of[reads[q]] == PART_FORWARD;
            const char *look = !across                ? ""
                               : parts.kept[reads[q]] ? " [color=\"#d9730d\"]"
                                                      : " [color=\"#b5b5b5\", style=dashed]";
            text_add(out, "  a%u -> a%u%s;\n", reads[q], to, look);
        }
    }
    text_raw(out, "}\n");
}

/* ---- json
 * ---------------------------------------------------------------------------------------------------------
 */

static const char *structural_text(Op op) {
    switch (op) {
    case OP_CONST: return "const";
    case OP_DIM: return "dim";
    case OP_INDEX: return "index";
    case OP_READ: return "read";
    case OP_REDUCE: return "reduce";
    case OP_SELECT: return "select";
    case OP_CAST: return "cast";
    case OP_CHECKED: return "checked";
    case OP_NONEMPTY: return "nonempty";
    case OP_IDIV: return "idiv";
    case OP_EXTERN: return "extern";
    case OP_KERNEL: return "kernel";
    default: return op_info[op].name;
    }
}

static const char *value_type_text(ValueType type) {
    return type == VALUE_BOOL    ? "bool"
           : type == VALUE_INT   ? "int"
           : type == VALUE_FLOAT ? "float"
                                 : "double";
}

static void add_number(Text *out, ValueType type, double value) {
    bool finite = isfinite(value);
    if (!finite) text_char(out, '"'); /* JSON has no infinity */
    if (type == VALUE_FLOAT) text_float(out, (float)value);
    else text_real(out, value);
    if (!finite) text_char(out, '"');
}

static void add_member(Text *out, const char *name, const char *text) {
    text_add(out, ", \"%s\": ", name);
    text_quoted(out, text);
}

static void add_polys(Graph *g, Text *out, const char *name, int n, const Poly *const *x) {
    text_add(out, ", \"%s\": [", name);
    for (int k = 0; k < n; k++) {
        text_raw(out, k ? ", " : "");
        text_quoted(out, graph_poly_text(g, x[k]));
    }
    text_char(out, ']');
}

static void add_names(Graph *g, Text *out, const char *name, int n, const ArrayRef *arrays) {
    text_add(out, ", \"%s\": [", name);
    for (int k = 0; k < n; k++) {
        text_raw(out, k ? ", " : "");
        text_quoted(out, ARRAY(g, arrays[k])->name);
    }
    text_char(out, ']');
}

/* Nodes that the arrays use, numbered anew in an order in which arguments stand before their users.
 */
static int *number_nodes(Graph *g, const Parts *parts) {
    int *number = arena_alloc(g->arena, (size_t)g->nodes.n * sizeof *number), n = 0;
    for (int k = 0; k < parts->order.n; k++) {
        const Array *a = ARRAY(g, parts->order.array[k]);
        for (int q = 0; q < a->rank; q++) number[a->axis[q]] = 1;
        for (int q = 0; q < a->pieces.n; q++) {
            number[a->pieces.at[q].body] = 1;
            if (a->pieces.at[q].guard) number[a->pieces.at[q].guard] = 1;
            if (a->pieces.at[q].live) number[a->pieces.at[q].live] = 1;
        }
    }
    for (Ref r = (Ref)g->nodes.n - 1; r > 0; r--) {
        for (int k = 0; number[r] && k < NODE(g, r)->nargs; k++) number[ARG(g, r, k)] = 1;
    }
    for (Ref r = 1; r < (Ref)g->nodes.n; r++) {
        if (number[r]) number[r] = ++n;
    }
    return number;
}

static void add_json_node(Graph *g, Text *out, const int *number, Ref r) {
    const Node *n = NODE(g, r);
    text_add(out, "{\"id\": %d", number[r]);
    add_member(out, "op", structural_text((Op)n->op));
    add_member(out, "type", value_type_text((ValueType)n->type));
    switch (n->op) {
    case OP_CONST:
        text_raw(out, ", \"value\": ");
        if (n->type == VALUE_BOOL) text_raw(out, n->value.integer ? "true" : "false");
        else if (n->type == VALUE_INT) text_add(out, "%lld", (long long)n->value.integer);
        else add_number(out, (ValueType)n->type, n->value.real);
        break;
    case OP_DIM: add_member(out, "name", g->dims.at[n->aux].name); break;
    case OP_INDEX:
        add_member(out, "name", g->indices.at[n->aux].name);
        add_member(out, "extent", graph_poly_text(g, g->indices.at[n->aux].extent));
        text_add(out, ", \"bound\": %s", g->indices.at[n->aux].number ? "true" : "false");
        break;
    case OP_READ: add_member(out, "array", ARRAY(g, n->aux)->name); break;
    case OP_EXTERN: add_member(out, "name", g->externs.at[n->aux].name); break;
    case OP_REDUCE: add_member(out, "kind", graph_reduction_text[n->aux]); break;
    case OP_KERNEL: add_member(out, "kind", kernel_info[n->aux].name); break;
    default: break;
    }
    if (n->nargs) {
        text_raw(out, ", \"args\": [");
        for (int k = 0; k < n->nargs; k++)
            text_add(out, "%s%d", k ? ", " : "", number[ARG(g, r, k)]);
        text_char(out, ']');
    }
    text_char(out, '}');
}

static void add_json_array(Graph *g, Text *out, const Parts *parts, const int *number,
                           ArrayRef ref) {
    const Array *a = ARRAY(g, ref);
    const ArrayRef *reads;
    int nreads = graph_array_reads(g, ref, &reads);
    text_raw(out, "{\"name\": ");
    text_quoted(out, a->name);
    add_member(out, "role", role_text(a->role));
    add_member(out, "type", a->target ? "index" : value_type_text(a->type));
    add_polys(g, out, "shape", a->rank, a->extent);
    if (a->target) add_member(out, "target", graph_poly_text(g, a->target));
    add_member(out, "part", parts->of[ref] == PART_FORWARD ? "forward" : "gradient");
    text_add(out, ", \"output\": %s, \"kept\": %s, \"order\": %d", a->is_output ? "true" : "false",
             parts->kept[ref] ? "true" : "false", a->order);
    if (a->adjoint_of) add_member(out, "adjoint_of", ARRAY(g, a->adjoint_of)->name);
    text_raw(out, ", \"axes\": [");
    for (int k = 0; k < a->rank; k++) text_add(out, "%s%d", k ? ", " : "", number[a->axis[k]]);
    text_char(out, ']');
    add_names(g, out, "reads", nreads, reads);
    if (a->role == ARRAY_CONST && a->table) {
        int64_t n = 1, extent;
        for (int k = 0; k < a->rank; k++) n *= poly_is_int(a->extent[k], &extent) ? extent : 1;
        text_raw(out, ", \"table\": [");
        for (int64_t k = 0; k < n; k++) {
            text_raw(out, k ? ", " : "");
            add_number(out, a->type, a->table[k]);
        }
        text_char(out, ']');
    }
    text_raw(out, ", \"pieces\": [");
    for (int k = 0; k < a->pieces.n; k++) {
        const Piece *q = &a->pieces.at[k];
        text_add(out, "%s{\"body\": %d", k ? ", " : "", number[q->body]);
        if (q->guard) text_add(out, ", \"guard\": %d", number[q->guard]);
        if (q->live) text_add(out, ", \"live\": %d", number[q->live]);
        add_polys(g, out, "lo", a->rank, q->lo);
        add_polys(g, out, "hi", a->rank, q->hi);
        text_char(out, '}');
    }
    text_raw(out, "]}");
}

void draw_json(Graph *g, Text *out) {
    Parts parts = graph_parts(g);
    const int *number = number_nodes(g, &parts);
    bool first = true;
    text_raw(out, "{\n\"model\": ");
    text_quoted(out, g->name);
    text_add(out, ",\n\"real\": \"%s\",\n\"dims\": [", value_type_text(g->real));
    for (int k = 1; k < g->dims.n; k++) {
        text_raw(out, k > 1 ? ", {\"name\": " : "{\"name\": ");
        text_quoted(out, g->dims.at[k].name);
        text_add(out, ", \"least\": %lld}", (long long)g->dims.at[k].least);
    }
    text_raw(out, "],\n\"nodes\": [\n");
    for (Ref r = 1; r < (Ref)g->nodes.n; r++) {
        if (!number[r]) continue;
        text_raw(out, first ? "" : ",\n");
        add_json_node(g, out, number, r);
        first = false;
    }
    text_raw(out, "\n],\n\"arrays\": [\n");
    for (int k = 0; k < parts.order.n; k++) {
        text_raw(out, k ? ",\n" : "");
        add_json_array(g, out, &parts, number, parts.order.array[k]);
    }
    text_raw(out, "\n],\n\"requests\": [\n");
    for (int k = 0; k < g->requests.n; k++) {
        const Request *r = &g->requests.at[k];
        text_add(out, "%s{\"kind\": \"%s\"", k ? ",\n" : "", request_names[r->kind]);
        add_member(out, "of", ARRAY(g, r->of)->name);
        add_names(g, out, "by", r->by.n, r->by.at);
        add_names(g, out, "results", r->result.n, r->result.at);
        if (r->colours) text_add(out, ", \"sweeps\": %d, \"patterns\": [", r->colours);
        for (int q = 0; q < r->compressed.n; q++) {
            const Compressed *c = &r->compressed.at[q];
            text_add(out, "%s{\"rows\": %lld, \"columns\": %lld, \"half\": %s", q ? ", " : "",
                     (long long)c->rows, (long long)c->columns, c->half ? "true" : "false");
            for (int side = 0; side < 2; side++) {
                text_add(out, ", \"%s\": [", side ? "column" : "row");
                for (int64_t i = 0; i < c->entries; i++)
                    text_add(out, "%s%ld", i ? ", " : "", (long)(side ? c->column[i] : c->row[i]));
                text_char(out, ']');
            }
            text_char(out, '}');
        }
        if (r->colours) text_char(out, ']');
        text_char(out, '}');
    }
    text_raw(out, g->requests.n ? "\n]\n}\n" : "]\n}\n");
}
