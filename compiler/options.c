/* options: the command line. One table holds every option: its names, its argument and its line of
 * the help. */
#define _POSIX_C_SOURCE 200809L
#include "options.h"
#include "library.h"
#include "passes.h"
#include "text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef GRADC_VERSION
#error GRADC_VERSION comes from the build
#endif

typedef enum OptionId {
    OPT_OUT,
    OPT_SIZE,
    OPT_REAL,
    OPT_EMIT,
    OPT_MODEL,
    OPT_PREFIX,
    OPT_STANDALONE,
    OPT_REPORT,
    OPT_CHECKPOINT,
    OPT_OPENMP,
    OPT_MAX_WORKSPACE,
    OPT_ASSUME,
    OPT_INCLUDE,
    OPT_LIBRARY,
    OPT_DEPEND,
    OPT_DEPEND_FILE,
    OPT_TARGET,
    OPT_TARGET_QUOTED,
    OPT_PHONY,
    OPT_WARN,
    OPT_WARN_NOT,
    OPT_WERROR,
    OPT_WALL,
    OPT_COLOUR,
    OPT_DIAGNOSTICS,
    OPT_DUMP,
    OPT_SEED,
    OPT_POINTS,
    OPT_TOLERANCE,
    OPT_DATA,
    OPT_SET,
    OPT_HELP,
    OPT_VERSION
} OptionId;

typedef enum Use {
    USE_COMPILE = 1,
    USE_CHECK = 2,
    USE_BOTH = 3
} Use; /* by `gradc` or by `gradc check` */

typedef struct Option {
    OptionId id;
    const char *name, *other; /* --long, or -X; another spelling or NULL */
    const char *argument;     /* NULL: it takes none; [NAME]: or one behind `=` */
    Use use;
    const char *help; /* further lines after '\n' */
} Option;

static const Option options[] = {
    {OPT_OUT, "-o", NULL, "OUT.c", USE_COMPILE,
     "write OUT.c and, beside it, OUT.h; - is standard output\n(default: the name of FILE, in the "
     "current folder)"},
    {OPT_SEED, "--seed", NULL, "N", USE_CHECK, "another seed, other points (default: 1)"},
    {OPT_POINTS, "--points", NULL, "N", USE_CHECK, "how many points are drawn"},
    {OPT_TOLERANCE, "--tolerance", NULL, "X", USE_CHECK,
     "how far a derivative may be off, relative to the largest entry"},
    {OPT_DATA, "--data", NULL, "FILE", USE_CHECK,
     "inputs, params and sizes by name, from a JSON object"},
    {OPT_SET, "--set", NULL, "X=HOW", USE_CHECK,
     "how X is drawn: x=uniform(a,b), x=normal(m,s), x=1.5, N=5"},
    {OPT_SIZE, "-D", NULL, "NAME=SIZE", USE_BOTH, "fix an open dimension"},
    {OPT_REAL, "--real", NULL, "TYPE", USE_BOTH, "what `real` is: float or double (default)"},
    {OPT_EMIT, "--emit", NULL, "KIND", USE_COMPILE,
     "c (default); graph, gradient: their equations as text;\ndot, svg: a drawing; json: "
     "everything"},
    {OPT_MODEL, "--model", NULL, "NAME", USE_BOTH, "which model, where FILE holds several"},
    {OPT_PREFIX, "--prefix", NULL, "NAME", USE_COMPILE,
     "what the C names begin with (default: the model's name)"},
    {OPT_STANDALONE, "--standalone", NULL, NULL, USE_COMPILE,
     "copy what is used of the runtime into OUT.c"},
    {OPT_REPORT, "--report", NULL, "[json]", USE_COMPILE,
     "print what the C would do, and stop: of each equation\nits operations, bytes, loop and "
     "place; "
     "workspace, stack"},
    {OPT_CHECKPOINT, "--checkpoint", NULL, "HOW", USE_COMPILE,
     "keep some states of a recurrence for the gradient,\nand compute the rest again: every:K, "
     "before every\nK-th step; sqrt, as many as there are steps between;\nbinomial:S, S of them"},
    {OPT_OPENMP, "--openmp", NULL, NULL, USE_COMPILE,
     "loops in parts, for several threads where the C is compiled\nwith -fopenmp; the same bits "
     "for any number of them"},
    {OPT_MAX_WORKSPACE, "--max-workspace", NULL, "BYTES", USE_COMPILE,
     "no function may need more: store less and compute\nmore again, or say what the least is"},
    {OPT_ASSUME, "--assume", NULL, "NAME=SIZE", USE_COMPILE,
     "decide as if an open dimension had this size; the C\nis right for all sizes"},
    {OPT_INCLUDE, "-I", NULL, "DIR", USE_BOTH, "search DIR for files named by `use`"},
    {OPT_LIBRARY, "--library", NULL, "[NAME]", USE_COMPILE,
     "list the functions that come with gradc, or print\nthe file or the function NAME of them"},
    {OPT_DEPEND, "-MD", NULL, NULL, USE_COMPILE, "also write a dependency file for make and ninja"},
    {OPT_DEPEND_FILE, "-MF", NULL, "FILE", USE_COMPILE, "its name (default: OUT.d)"},
    {OPT_TARGET, "-MT", NULL, "TARGET", USE_COMPILE, "its target, as given (default: OUT.c OUT.h)"},
    {OPT_TARGET_QUOTED, "-MQ", NULL, "TARGET", USE_COMPILE, "its target, quoted for make"},
    {OPT_PHONY, "-MP", NULL, NULL, USE_COMPILE,
     "an empty rule for each file, so that one may vanish"},
    {OPT_WALL, "-Wall", NULL, NULL, USE_BOTH, "all warnings, as is the default"},
    {OPT_WARN_NOT, "-Wno-NAME", NULL, NULL, USE_BOTH, "not this warning; -WNAME: this one again"},
    {OPT_WERROR, "-Werror", NULL, NULL, USE_BOTH, "warnings are errors"},
    {OPT_COLOUR, "--color", "--colour", "WHEN", USE_BOTH, "auto (default), always or never"},
    {OPT_DIAGNOSTICS, "--diagnostics", NULL, "FORM", USE_BOTH, "text (default) or json"},
    {OPT_DUMP, "--dump", NULL, "PASS", USE_COMPILE,
     "print what PASS makes, and stop: parse, check, lower,\nsimplify, plan, or counts: of nodes "
     "and arrays"},
    {OPT_HELP, "--help", "-h", NULL, USE_BOTH, "print this"},
    {OPT_VERSION, "--version", NULL, NULL, USE_BOTH, "print the version"},
};
enum { OPTION_COUNT = sizeof options / sizeof options[0] };

static const char *const warning_names[] = {
    /* the codes of warning_at */
    "unused-input",    "unused-argument",  "unused-local", "unused-dim",
    "unused-function", "division-by-zero", "checkpoint",   NULL,
};

void options_complain(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("gradc: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("\ngradc: `gradc --help` lists what can be given\n", stderr);
}

static bool is_optional(const Option *o) {
    return o->argument && o->argument[0] == '[';
}

static void print_help(bool check) {
    fputs(check ? "usage: gradc check [options] FILE.grad\n\n"
                  "Compares every derivative that a model asks for, at points that are drawn, with "
                  "dual numbers and with\n"
                  "differences, and prints a table.\n\n"
                : "usage: gradc [options] FILE.grad\n"
                  "       gradc check [options] FILE.grad\n\n"
                  "Compiles a model of indexed equations into C: the function, its gradient and "
                  "other derivatives.\n"
                  "`gradc check` tries a model's derivatives against differences; `gradc check "
                  "--help` tells more.\n\n",
          stdout);
    for (int k = 0; k < OPTION_COUNT; k++) {
        const Option *o = &options[k];
        char left[40];
        if (!(o->use & (check ? USE_CHECK : USE_COMPILE))) continue;
        const char *between = !o->argument ? "" : o->name[1] == '-' ? "=" : " ";
        if (is_optional(o)) snprintf(left, sizeof left, "%s[=%s", o->name, o->argument + 1);
        else
            snprintf(left, sizeof left, "%s%s%s", o->name, between, o->argument ? o->argument : "");
        const char *line = o->help;
        while (line) {
            const char *end = strchr(line, '\n');
            printf("  %-20s %.*s\n", left, end ? (int)(end - line) : (int)strlen(line), line);
            left[0] = 0;
            line = end ? end + 1 : NULL;
        }
    }
    fputs(check ? "\nExit status: 0 when all agrees, 1 for a difference or a mistake in the "
                  "source, 2 for wrong use.\n"
                : "\nExit status: 0 when all is well, 1 for a mistake in the source, 2 for wrong "
                  "use or a file that\n"
                  "cannot be read or written; nothing is written then.\n",
          stdout);
}

/* "; did you mean 'x'?" or "". */
static const char *hint(Context *cx, const char *name, const char *const *known, int n) {
    const char *near = closest(cx, name, known, n);
    return near ? arena_format(cx->arena, "; did you mean '%s'?", near) : "";
}

/* The number of the word in the list; -1 when it is none of them, and said so. */
static int choose(Context *cx, const char *option, const char *word, const char *const *known,
                  int n) {
    for (int k = 0; k < n; k++) {
        if (!strcmp(word, known[k])) return k;
    }
    Text all = text_new(cx->arena);
    for (int k = 0; k < n; k++)
        text_add(&all, "%s%s", k == 0 ? "" : k == n - 1 ? " or " : ", ", known[k]);
    options_complain("%s cannot be '%s': it is %s%s", option, word, text_string(&all),
                     hint(cx, word, known, n));
    return -1;
}

static bool is_identifier(const char *s) {
    if (!*s || (*s >= '0' && *s <= '9')) return false;
    for (; *s; s++) {
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
              *s == '_'))
            return false;
    }
    return true;
}

static bool read_size(Context *cx, SizeList *sizes, const char *option, const char *text) {
    const char *equals = strchr(text, '=');
    char *end = NULL;
    errno = 0;
    long long value = equals ? strtoll(equals + 1, &end, 10) : 0;
    const char *name = equals ? arena_text(cx->arena, text, (size_t)(equals - text)) : "";
    if (!equals || !is_identifier(name)) {
        options_complain("%s wants a dimension and a size, as in %s N=10, not '%s'", option, option,
                         text);
        return false;
    }
    if (end == equals + 1 || *end || errno || value < 1) {
        options_complain("%s %s: the size must be a whole number, at least 1", option, text);
        return false;
    }
    for (int k = 0; k < sizes->n; k++) {
        if (!strcmp(sizes->at[k].name, name)) {
            options_complain("%s %s: the size of %s is given twice", option, text, name);
            return false;
        }
    }
    VEC_PUSH(cx->arena, *sizes, (DimFix){name, value});
    return true;
}

const char *make_quote(Arena *arena, const char *path) {
    Text t = text_new(arena);
    for (; *path; path++) {
        if (*path == '$') text_char(&t, '$');
        if (*path == ' ' || *path == '#') text_char(&t, '\\');
        text_char(&t, *path);
    }
    return text_string(&t);
}

/* -Wname and -Wno-name: the list of silenced ones changes in the order of the command line. */
static bool read_warning(Context *cx, const char *text) {
    bool no = !strncmp(text, "no-", 3);
    const char *name = no ? text + 3 : text;
    int known = 0, kept = 0;
    while (warning_names[known]) known++;
    bool found = false;
    for (int k = 0; k < known; k++) found = found || !strcmp(name, warning_names[k]);
    if (!found) {
        options_complain("there is no warning '%s'%s", name, hint(cx, name, warning_names, known));
        return false;
    }
    for (int k = 0; k < cx->silenced.n; k++) {
        if (strcmp(cx->silenced.at[k], name)) cx->silenced.at[kept++] = cx->silenced.at[k];
    }
    cx->silenced.n = kept;
    if (no) VEC_PUSH(cx->arena, cx->silenced, name);
    return true;
}

static bool read_count(const char *option, const char *text, long long least, long long most,
                       long long *value) {
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    if (end != text && !*end && !errno && *value >= least && *value <= most) return true;
    options_complain("%s=%s: a whole number is wanted, at least %lld", option, text, least);
    return false;
}

static bool read_checkpoint(Options *o, const char *text) {
    static const struct {
        const char *word;
        CheckpointKind kind;
        long long most;
    } ways[] = {{"every:", CHECKPOINT_EVERY, 1000000000}, {"binomial:", CHECKPOINT_BINOMIAL, 1000}};
    if (!strcmp(text, "sqrt")) {
        o->checkpoint = CHECKPOINT_ROOT;
        return true;
    }
    for (int k = 0; k < 2; k++) {
        size_t n = strlen(ways[k].word);
        char *end;
        if (strncmp(text, ways[k].word, n) != 0) {
            continue;
        }
        errno = 0;
        o->checkpoint = ways[k].kind;
        o->checkpoint_count = strtoll(text + n, &end, 10);
        if (text[n] >= '0' && text[n] <= '9' && !*end && !errno && o->checkpoint_count >= 1 &&
            o->checkpoint_count <= ways[k].most) {
            return true;
        }
    }
    options_complain(
        "--checkpoint=%s: wanted is every:K with K from 1 to %lld, sqrt, or binomial:S "
        "with S from 1 to %lld",
        text, ways[0].most, ways[1].most);
    return false;
}

static bool read_tolerance(Options *o, const char *text) {
    char *end;
    o->tolerance = strtod(text, &end);
    if (end != text && !*end && o->tolerance > 0) return true;
    options_complain("--tolerance=%s: a positive number is wanted", text);
    return false;
}

static bool apply(Context *cx, Options *o, OptionId id, const char *value) {
    static const char *const reals[] = {"float", "double"},
                             *const whens[] = {"auto", "always", "never"},
                             *const forms[] = {"text", "json"};
    static const char *const kinds[] = {"c", "graph", "gradient", "dot", "svg", "json"};
    static const char *const passes[] = {"parse", "check", "lower", "simplify", "plan", "counts"};
    int choice = 0;
    long long count;
    switch (id) {
    case OPT_SEED:
        if (!read_count("--seed", value, 0, INT64_MAX, &count)) return false;
        o->seed = (uint64_t)count;
        break;
    case OPT_POINTS:
        if (!read_count("--points", value, 1, 1000000, &count)) return false;
        o->points = (int)count;
        break;
    case OPT_TOLERANCE: return read_tolerance(o, value);
    case OPT_DATA: o->data = value; break;
    case OPT_SET: VEC_PUSH(cx->arena, o->sets, value); break;
    case OPT_OUT: o->out = value; break;
    case OPT_SIZE: return read_size(cx, &o->sizes, "-D", value);
    case OPT_ASSUME: return read_size(cx, &o->assumed, "--assume", value);
    case OPT_MAX_WORKSPACE:
        return read_count("--max-workspace", value, 0, INT64_MAX, &o->max_workspace);
    case OPT_REAL:
        choice = choose(cx, "--real", value, reals, 2);
        o->real = choice == 0 ? VALUE_FLOAT : VALUE_DOUBLE;
        break;
    case OPT_EMIT:
        choice = choose(cx, "--emit", value, kinds, 6);
        o->emit = choice < 0 ? EMIT_C : (Emit)choice;
        break;
    case OPT_DUMP:
        choice = choose(cx, "--dump", value, passes, 6);
        o->dump = (Dump)(choice + 1);
        break;
    case OPT_MODEL: o->model = value; break;
    case OPT_PREFIX:
        if (!is_identifier(value)) {
            options_complain("--prefix=%s is no name of C", value);
            return false;
        }
        o->prefix = value;
        break;
    case OPT_CHECKPOINT: return read_checkpoint(o, value);
    case OPT_OPENMP: o->openmp = true; break;
    case OPT_REPORT:
        choice = value ? choose(cx, "--report", value, forms, 2) : 0;
        o->report = true, o->report_json = choice == 1;
        break;
    case OPT_STANDALONE: o->standalone = true; break;
    case OPT_INCLUDE: VEC_PUSH(cx->arena, cx->include, value); break;
    case OPT_DEPEND: o->depend = true; break;
    case OPT_DEPEND_FILE: o->depend = true, o->depend_file = value; break;
    case OPT_TARGET: VEC_PUSH(cx->arena, o->targets, value); break;
    case OPT_TARGET_QUOTED: VEC_PUSH(cx->arena, o->targets, make_quote(cx->arena, value)); break;
    case OPT_PHONY: o->depend_phony = true; break;
    case OPT_WALL: cx->silenced.n = 0; break;
    case OPT_WERROR: cx->warnings_are_errors = true; break;
    case OPT_WARN:
    case OPT_WARN_NOT: return read_warning(cx, value);
    case OPT_COLOUR: {
        const char *term = getenv("TERM"), *none = getenv("NO_COLOR");
        choice = choose(cx, "--color", value, whens, 3);
        bool able = isatty(2) && !(none && *none) && !(term && !strcmp(term, "dumb"));
        o->colour = choice == 1 || (choice == 0 && able) ? COLOUR_ALWAYS : COLOUR_NEVER;
        break;
    }
    case OPT_DIAGNOSTICS:
        choice = choose(cx, "--diagnostics", value, forms, 2);
        o->json_messages = choice == 1;
        break;
    case OPT_LIBRARY:
    case OPT_HELP:
    case OPT_VERSION: break;
    }
    return choice >= 0;
}

/* The option of which `word` is a use: alone, with =value, or with the value right behind a single
 * letter. */
static const Option *find_option(const char *word, bool check, const char **value) {
    *value = NULL;
    for (int k = 0; k < OPTION_COUNT; k++) {
        const Option *o = &options[k];
        if (!(o->use & (check ? USE_CHECK : USE_COMPILE))) continue;
        for (const char *name = o->name; name; name = name == o->name ? o->other : NULL) {
            size_t n = strlen(name);
            bool is_long = name[1] == '-';
            if (!strcmp(word, name)) return o;
            if (strncmp(word, name, n)) continue;
            if (is_long && word[n] == '=') {
                *value = word + n + 1;
                return o;
            }
            if (!is_long && n == 2 && o->argument) {
                *value = word + n;
                return o;
            }
        }
    }
    return NULL;
}

static void complain_unknown(Context *cx, bool check, const char *word) {
    const char *value;
    if (find_option(word, !check, &value)) {
        options_complain(check ? "'%s' is no option of `gradc check`"
                               : "'%s' is an option of `gradc check` alone",
                         word);
        return;
    }
    const char *known[2 * OPTION_COUNT];
    const char *equals = strchr(word, '=');
    const char *name = equals ? arena_text(cx->arena, word, (size_t)(equals - word)) : word;
    int n = 0;
    for (int k = 0; k < OPTION_COUNT; k++) {
        if (!(options[k].use & (check ? USE_CHECK : USE_COMPILE))) continue;
        known[n++] = options[k].name;
        if (options[k].other) known[n++] = options[k].other;
    }
    options_complain("unknown option '%s'%s", name, hint(cx, name, known, n));
}

OptionsResult options_read(Context *cx, int argc, char **argv, Options *o) {
    bool only_files = false;
    *o = (Options){.real = VALUE_DOUBLE, .seed = 1, .max_workspace = -1};
    o->check = argc > 1 && !strcmp(argv[1], "check");
    apply(cx, o, OPT_COLOUR, "auto");
    for (int k = o->check ? 2 : 1; k < argc; k++) {
        const char *word = argv[k], *value;
        if (only_files || word[0] != '-' || !word[1]) {
            if (o->file) {
                options_complain("one model file at a time: '%s' and '%s' are given", o->file,
                                 word);
                return OPTIONS_WRONG;
            }
            o->file = word;
            continue;
        }
        if (!strcmp(word, "--")) {
            only_files = true;
            continue;
        }
        const Option *option = find_option(word, o->check, &value);
        OptionId id = option ? option->id : OPT_WARN;
        if (!option && word[1] == 'W' && word[2]) {
            value = word + 2;
        } else if (!option) {
            complain_unknown(cx, o->check, word);
            return OPTIONS_WRONG;
        } else if (id == OPT_HELP) {
            print_help(o->check);
            return OPTIONS_DONE;
        } else if (id == OPT_VERSION) {
            puts("gradc " GRADC_VERSION);
            return OPTIONS_DONE;
        } else if (id == OPT_LIBRARY) {
            if (library_print(value, stdout)) return OPTIONS_DONE;
            options_complain("the library has no file or function '%s'", value);
            return OPTIONS_WRONG;
        } else if (!option->argument && value) {
            options_complain("%s takes no value", option->name);
            return OPTIONS_WRONG;
        } else if (option->argument && option->argument[0] != '[' && !value) {
            if (k + 1 == argc) {
                options_complain("%s wants %s behind it", word, option->argument);
                return OPTIONS_WRONG;
            }
            value = argv[++k];
        }
        if (!apply(cx, o, id, value)) return OPTIONS_WRONG;
    }
    if (!o->file) {
        options_complain("no model file is given");
        return OPTIONS_WRONG;
    }
    return OPTIONS_GO;
}
