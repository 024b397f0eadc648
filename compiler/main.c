/* main: options, then the list of passes. */
#define _POSIX_C_SOURCE 200809L
#include "draw.h"
#include "options.h"
#include "output.h"
#include "passes.h"
#include "print.h"
#include "report.h"
#include "verify.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { EXIT_GOOD = 0, EXIT_SOURCE = 1, EXIT_USE = 2 }; /* the exit status */
enum { UNROLL = 4 };

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The path with another ending in place of its own. */
static const char *with_ending(Arena *arena, const char *path, const char *ending) {
    const char *dot = strrchr(base_name(path), '.');
    size_t n = dot && dot != base_name(path) ? (size_t)(dot - path) : strlen(path);
    return arena_format(arena, "%.*s%s", (int)n, path, ending);
}

static bool has_ending(const char *path, const char *ending) {
    size_t n = strlen(path), m = strlen(ending);
    return n > m && !strcmp(path + n - m, ending);
}

/* NULL: standard output. */
static const char *output_path(Context *cx, const Options *o) {
    if (o->out) return strcmp(o->out, "-") ? o->out : NULL;
    if (o->emit != EMIT_C || !strcmp(o->file, "-")) return NULL;
    return with_ending(cx->arena, base_name(o->file), ".c");
}

/* Wrong use that only shows when all options are known. */
static bool options_fit(Context *cx, const Options *o) {
    struct stat in, out;
    const char *path = o->check ? NULL : output_path(cx, o);
    if (strcmp(o->file, "-")) {
        FILE *file = fopen(o->file, "rb");
        if (!file) {
            options_complain("cannot read '%s': %s", o->file, strerror(errno));
            return false;
        }
        fclose(file);
    }
    if (path && o->emit == EMIT_C && has_ending(path, ".h")) {
        options_complain("-o names the C file; its header stands beside it");
        return false;
    }
    if (path && !stat(o->file, &in) && !stat(path, &out) && in.st_dev == out.st_dev &&
        in.st_ino == out.st_ino) {
        options_complain("'%s' is the model file: it would be overwritten", path);
        return false;
    }
    if (o->depend && !path && (!o->depend_file || !o->targets.n)) {
        options_complain("-MD to standard output needs -MF and -MT");
        return false;
    }
    return true;
}

static const Unit *choose_model(Context *cx, const Options *o, const Program *p) {
    const char **names = arena_alloc(cx->arena, (size_t)(p->models.n + 1) * sizeof *names);
    Text all = text_new(cx->arena);
    for (int k = 0; k < p->models.n; k++) {
        names[k] = symbol_text(cx, p->models.at[k]->name);
        text_add(&all, "%s%s", k ? ", " : "", names[k]);
        if (o->model && !strcmp(o->model, names[k])) return p->models.at[k];
    }
    if (p->models.n == 0) {
        options_complain("'%s' holds no model", o->file);
    } else if (o->model) {
        const char *near = closest(cx, o->model, names, p->models.n);
        options_complain("'%s' holds no model %s%s", o->file, o->model,
                         near ? arena_format(cx->arena, "; did you mean '%s'?", near) : "");
    } else if (p->models.n > 1) {
        options_complain("'%s' holds several models: choose one of %s with --model", o->file,
                         text_string(&all));
    } else {
        return p->models.at[0];
    }
    return NULL;
}

/* A rule of make: the outputs depend on every file that was read. */
static Output dependencies(Context *cx, const Options *o, const Program *p, const char *path) {
    Text t = text_new(cx->arena);
    for (int k = 0; k < o->targets.n; k++) text_add(&t, "%s%s", k ? " " : "", o->targets.at[k]);
    if (!o->targets.n) {
        text_raw(&t, make_quote(cx->arena, path));
        if (o->emit == EMIT_C)
            text_add(&t, " %s", make_quote(cx->arena, with_ending(cx->arena, path, ".h")));
    }
    text_char(&t, ':');
    for (int k = 0; k < p->files.n; k++)
        text_add(&t, " \\\n  %s", make_quote(cx->arena, p->files.at[k]));
    text_char(&t, '\n');
    for (int k = 1; o->depend_phony && k < p->files.n; k++)
        text_add(&t, "\n%s:\n", make_quote(cx->arena, p->files.at[k]));
    const char *name = o->depend_file ? o->depend_file : with_ending(cx->arena, path, ".d");
    return (Output){name, text_string(&t), t.n, true};
}

static PlanOptions options_of_plan(const Options *o, const Graph *g) {
    return (PlanOptions){.unroll = UNROLL,
                         .checkpoint = (CheckpointKind)o->checkpoint,
                         .checkpoint_count = o->checkpoint_count,
                         .openmp = o->openmp,
                         .bounded = o->max_workspace >= 0,
                         .max_workspace = o->max_workspace,
                         .prefix = o->prefix ? o->prefix : g->name};
}

/* --assume is of sizes that are open in this model. */
static bool assume_sizes(Graph *g, const Options *o) {
    for (int k = 0; k < o->assumed.n; k++) {
        const DimFix *fix = &o->assumed.at[k];
        int found = 0;
        for (int d = 1; d < g->dims.n; d++) {
            if (!strcmp(g->dims.at[d].name, fix->name)) found = d;
        }
        if (!found) {
            options_complain("--assume %s=%lld: '%s' is no open dimension of model '%s'", fix->name,
                             (long long)fix->value, fix->name, g->name);
            return false;
        }
        if (fix->value < g->dims.at[found].least) {
            options_complain("--assume %s=%lld: '%s' is at least %lld", fix->name,
                             (long long)fix->value, fix->name, (long long)g->dims.at[found].least);
            return false;
        }
        g->dims.at[found].assumed = fix->value;
    }
    return true;
}

/* The C text of a graph: a header and a source, or both in one where there is no file to hold a
 * header. */
static int write_c(Context *cx, const Options *o, Graph *g, const char *path, Output *files) {
    struct stat st;
    bool alone = !path || (!stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode));
    const char *header_path = alone ? NULL : with_ending(cx->arena, path, ".h");
    const PlanOptions plan_options = options_of_plan(o, g);
    Plan *plan = plan_graph(g, &plan_options);
    if (!plan) return 0;
    Text header = text_new(cx->arena), source = text_new(cx->arena);
    emit_c(
        plan,
        &(EmitOptions){.prefix = o->prefix ? o->prefix : g->name,
                       .source_name = strcmp(o->file, "-") ? base_name(o->file) : "standard input",
                       .header_name = header_path ? base_name(header_path) : NULL,
                       .standalone = o->standalone},
        &header, &source);
    files[0] = (Output){path, text_string(&source), source.n, false};
    files[1] = (Output){header_path, text_string(&header), header.n, false};
    return alone ? 1 : 2;
}

/* The graph itself, as text, a drawing or data. */
static Output write_graph(Context *cx, const Options *o, Graph *g, const char *path,
                          const char **wrong) {
    Text t = text_new(cx->arena);
    if (o->emit == EMIT_GRAPH) graph_part_text(g, PART_FORWARD, &t);
    else if (o->emit == EMIT_GRADIENT) graph_part_text(g, PART_GRADIENT, &t);
    else if (o->emit == EMIT_JSON) draw_json(g, &t);
    else draw_dot(g, &t);
    Output file = {path, text_string(&t), t.n, false};
    if (o->emit == EMIT_SVG) {
        static const char *const command[] = {"dot", "-Tsvg", NULL};
        file.bytes = output_filter(cx->arena, command, text_string(&t), t.n, &file.n, wrong);
        if (!file.bytes)
            *wrong = arena_format(cx->arena, "--emit=svg is drawn by graphviz: %s", *wrong);
        else *wrong = NULL;
    }
    return file;
}

static int write_outputs(Context *cx, const Options *o, const Program *p, Graph *g) {
    const char *path = output_path(cx, o), *wrong = NULL;
    Output files[3];
    int n = 1;
    if (o->emit == EMIT_C) n = write_c(cx, o, g, path, files);
    else files[0] = write_graph(cx, o, g, path, &wrong);
    if (cx->errors) return EXIT_SOURCE;
    if (!wrong && !path) wrong = output_print(cx->arena, files[0].bytes, files[0].n), n = 0;
    if (o->depend) files[n++] = dependencies(cx, o, p, path);
    if (!wrong) wrong = output_write(cx->arena, n, files);
    if (wrong) fprintf(stderr, "gradc: %s\n", wrong);
    return wrong ? EXIT_USE : EXIT_GOOD;
}

static int check_derivatives(Graph *g, const Options *o) {
    int result = verify_run(g,
                            &(VerifyOptions){.seed = o->seed,
                                             .points = o->points,
                                             .tolerance = o->tolerance,
                                             .data = o->data,
                                             .nsets = o->sets.n,
                                             .set = o->sets.at},
                            stdout);
    return result == VERIFY_AGREES ? EXIT_GOOD : result == VERIFY_DIFFERS ? EXIT_SOURCE : EXIT_USE;
}

/* What the C will do, instead of the C. */
static int write_report(const Options *o, Graph *g, Arena *arena) {
    const ReportBefore *before = report_before(g);
    const PlanOptions plan_options = options_of_plan(o, g);
    Plan *plan = plan_graph(g, &plan_options);
    if (!plan) return EXIT_SOURCE;
    Text t = text_new(arena);
    (o->report_json ? report_json : report_plan)(plan, o->prefix ? o->prefix : g->name, before, &t);
    fputs(text_string(&t), stdout);
    return EXIT_GOOD;
}

static int compile(Context *cx, const Options *o) {
    if (o->dump == DUMP_PARSE) {
        const char *why;
        uint32_t file = source_read(cx, o->file, &why);
        Syn *tree = file ? parse_program(cx, file) : NULL;
        if (tree) syn_print(tree, stdout);
        return cx->errors ? EXIT_SOURCE : EXIT_GOOD;
    }
    const Program *p = check_program(cx, o->file, o->sizes.n, o->sizes.at);
    if (!p) return EXIT_SOURCE;
    if (o->dump == DUMP_CHECK) {
        outline_print(cx, p, stdout);
        return EXIT_GOOD;
    }
    const Unit *model = choose_model(cx, o, p);
    if (!model) return EXIT_USE;

    Graph *g = lower_program(
        cx, p, model, &(LowerOptions){.real = o->real, .nsizes = o->sizes.n, .sizes = o->sizes.at});
    if (!g || cx->errors) return EXIT_SOURCE;
    if (!assume_sizes(g, o)) return EXIT_USE;
    graph_check(g);
    if (o->dump == DUMP_LOWER) {
        graph_print(g, stdout);
        return EXIT_GOOD;
    }
    simplify_graph(g, o->check);
    graph_check(g);
    if (o->dump == DUMP_SIMPLIFY) {
        graph_print(g, stdout);
        return EXIT_GOOD;
    }
    if (o->check) return check_derivatives(g, o);
    if (o->dump == DUMP_COUNTS) {
        printf("nodes %d\narrays %d\n", g->nodes.n, g->arrays.n);
        return EXIT_GOOD;
    }
    if (o->report) return write_report(o, g, cx->arena);
    if (o->dump == DUMP_PLAN) {
        const PlanOptions plan_options = options_of_plan(o, g);
        Plan *plan = plan_graph(g, &plan_options);
        if (plan) plan_print(plan, stdout);
        return cx->errors ? EXIT_SOURCE : EXIT_GOOD;
    }
    return write_outputs(cx, o, p, g);
}

int main(int argc, char **argv) {
    Context *cx = context_new();
    Options o;
    int status = EXIT_USE;
    switch (options_read(cx, argc, argv, &o)) {
    case OPTIONS_DONE: status = EXIT_GOOD; break;
    case OPTIONS_WRONG: break;
    case OPTIONS_GO:
        if (!options_fit(cx, &o)) break;
        status = compile(cx, &o);
        if (o.json_messages) messages_print_json(cx, stderr);
        else messages_print(cx, stderr, o.colour);
        break;
    }
    context_free(cx);
    return fflush(stdout) ? EXIT_USE : status;
}
