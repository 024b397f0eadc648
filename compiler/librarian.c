/* librarian: the build tool that reads the library. In: compiler/library/NAME.grad, parsed by the
 * compiler's own grammar. Out: library.gen.c, the texts as a table, and library.md, the reference
 * page.
 *
 * What a file must look like, or the build stops with the line:
 *   - it opens with a comment: a line that is its title, an empty one, and then Markdown, in which
 * a block of code is an example that tests/docs.sh compiles;
 *   - above each function stands a comment, without an empty line between them: a sentence or more,
 *     then `formula:`, `source:` and `domain:`, and, where there is something to say, `kinks:` (the
 *     convention for the derivative there) and `extremes:`. Further lines of a part are indented;
 *   - `use` names other files of the library, and there is no model.
 *
 * Usage: librarian library.gen.c library.md FILE.grad ... */
#include "library.h"
#include "syntax.h"
#include <string.h>

enum { SUMMARY, FORMULA, SOURCE, DOMAIN, KINKS, EXTREMES, PARTS };
static const char *const part_names[] = {"", "formula", "source", "domain", "kinks", "extremes"};

typedef struct Line {
    const char *text;
    uint32_t start; /* offset in the source */
} Line;

typedef struct Function {
    const char *name, *head;
    const char *part[PARTS];
    int first, last; /* lines */
} Function;

typedef struct File {
    uint32_t source;
    const char *name, *title; /* without the ending, for the C names and the page */
    VEC(Line) lines;
    int opening; /* lines of the comment that opens it */
    VEC(Function) functions;
} File;

typedef struct Files {
    Context *cx;
    VEC(File) all;
} Files;

static bool is_comment(const char *line) {
    return !strncmp(line, "//", 2);
}

/* What a comment line says, without the mark and one blank. */
static const char *said(const char *line) {
    return line[2] == ' ' ? line + 3 : line + 2;
}

static Span span_of(const File *f, int line) {
    uint32_t start = f->lines.at[line].start;
    return (Span){f->source, start, start + (uint32_t)strlen(f->lines.at[line].text)};
}

static int line_at(const File *f, uint32_t offset) {
    int found = 0;
    for (int k = 0; k < f->lines.n; k++)
        if (f->lines.at[k].start <= offset) found = k;
    return found;
}

static void split(Context *cx, File *f) {
    const char *text = cx->sources.at[f->source].text, *at = text;
    while (*at) {
        size_t n = strcspn(at, "\n");
        VEC_PUSH(cx->arena, f->lines, (Line){arena_text(cx->arena, at, n), (uint32_t)(at - text)});
        for (size_t k = 0; k < n; k++)
            if (at[k] < ' ' || at[k] > '~')
                error_at(cx, span_of(f, f->lines.n - 1), "only ASCII, and no tabs");
        at += n + (at[n] == '\n');
    }
}

/* One line of source: blanks and line ends are one blank. */
static const char *flat(Context *cx, const char *text, size_t n) {
    char *out = arena_alloc(cx->arena, n + 1);
    size_t used = 0;
    for (size_t k = 0; k < n; k++) {
        bool blank = text[k] == ' ' || text[k] == '\n';
        if (!blank) out[used++] = text[k];
        else if (used && out[used - 1] != ' ') out[used++] = ' ';
    }
    while (used && out[used - 1] == ' ') used--;
    out[used] = 0;
    return out;
}

static void read_comment(Context *cx, File *f, Function *fn) {
    int part = SUMMARY;
    for (int k = fn->first; is_comment(f->lines.at[k].text); k++) {
        const char *text = said(f->lines.at[k].text);
        for (int p = FORMULA; p < PARTS; p++) {
            size_t n = strlen(part_names[p]);
            if (strncmp(text, part_names[p], n) || text[n] != ':') continue;
            if (p <= part) error_at(cx, span_of(f, k), "'%s' twice or out of order", part_names[p]);
            part = p;
            text += n + 1;
            break;
        }
        const char *more = flat(cx, text, strlen(text));
        fn->part[part] = fn->part[part] && *fn->part[part]
                             ? arena_format(cx->arena, "%s %s", fn->part[part], more)
                             : more;
    }
    for (int p = SUMMARY; p <= DOMAIN; p++)
        if (!fn->part[p] || !*fn->part[p])
            error_at(cx, span_of(f, fn->last), "the comment of '%s' lacks its %s", fn->name,
                     p == SUMMARY ? "first sentence" : part_names[p]);
}

static void read_function(Context *cx, File *f, const Syn *s) {
    const char *text = cx->sources.at[f->source].text;
    uint32_t start = s->at.start, open = s->kid[2]->whole.start;
    Function fn = {.name = s->text, .head = flat(cx, text + start, open - start)};
    int line = line_at(f, s->whole.start);
    fn.last = line_at(f, s->whole.end);
    for (fn.first = line; fn.first > 0 && is_comment(f->lines.at[fn.first - 1].text);) fn.first--;
    if (fn.first == line) error_at(cx, s->at, "no comment stands above '%s'", s->text);
    else read_comment(cx, f, &fn);
    if (line_at(f, start) != line) error_at(cx, s->at, "the name stands on another line than fn");
    VEC_PUSH(cx->arena, f->functions, fn);
}

static void read_file(Files *z, const char *path) {
    Context *cx = z->cx;
    const char *why = NULL, *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    File f = {.source = source_read(cx, path, &why),
              .name = arena_text(cx->arena, name, strcspn(name, "."))};
    if (!f.source) {
        error_at(cx, (Span){0}, "cannot read %s: %s", path, why);
        return;
    }
    split(cx, &f);
    while (f.opening < f.lines.n && is_comment(f.lines.at[f.opening].text)) f.opening++;
    if (f.opening < 2 || *said(f.lines.at[1].text)) {
        error_at(cx, (Span){f.source, 0, 1}, "a library opens with its title and an empty comment");
        return;
    }
    f.title = said(f.lines.at[0].text);
    Syn *tree = parse_program(cx, f.source);
    for (int k = 0; tree && k < tree->nkids; k++) {
        const Syn *s = tree->kid[k];
        if (s->kind == SYN_FN) read_function(cx, &f, s);
        else if (s->kind != SYN_USE) error_at(cx, s->at, "a library holds functions only");
        else if (strncmp(s->text, LIBRARY_PREFIX, strlen(LIBRARY_PREFIX)))
            error_at(cx, s->at, "only other files of the library");
    }
    VEC_PUSH(cx->arena, z->all, f);
}

/* ---- the table
 * -------------------------------------------------------------------------------------------------
 */

static void write_string(FILE *out, const char *s) {
    fputc('"', out);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\' || *s == '?') fputc('\\', out); /* no trigraphs */
        fputc(*s, out);
    }
    fputc('"', out);
}

static void write_table(const Files *z, FILE *out) {
    fputs("/* Written by librarian from compiler/library. */\n#include \"library.h\"\n", out);
    for (int k = 0; k < z->all.n; k++) {
        const File *f = &z->all.at[k];
        fprintf(out, "\nstatic const char *const %s_lines[] = {\n", f->name);
        for (int j = 0; j < f->lines.n; j++) {
            fputs("    ", out);
            write_string(out, f->lines.at[j].text);
            fputs(",\n", out);
        }
        fprintf(out, "    NULL};\nstatic const LibraryFunction %s_functions[] = {\n", f->name);
        for (int j = 0; j < f->functions.n; j++) {
            const Function *fn = &f->functions.at[j];
            fputs("    {", out);
            write_string(out, fn->name);
            fputs(", ", out);
            write_string(out, fn->head);
            fputs(", ", out);
            write_string(out, fn->part[SUMMARY]);
            fprintf(out, ", %d, %d},\n", fn->first, fn->last);
        }
        fputs("};\n", out);
    }
    fputs("\nconst LibraryFile library_files[] = {\n", out);
    for (int k = 0; k < z->all.n; k++) {
        const File *f = &z->all.at[k];
        fprintf(out, "    {LIBRARY_PREFIX \"%s.grad\", ", f->name);
        write_string(out, f->title);
        fprintf(out, ", %s_lines, %s_functions, %d},\n", f->name, f->name, f->functions.n);
    }
    fprintf(out, "};\nconst int library_file_count = %d;\n", z->all.n);
}

/* ---- the page
 * -------------------------------------------------------------------------------------------------
 */

/* A heading as GitHub links to it: small letters, blanks are '-', other signs vanish. */
static void write_anchor(FILE *out, const char *s) {
    for (; *s; s++) {
        if (*s == ' ') fputc('-', out);
        else if (*s >= 'A' && *s <= 'Z') fputc(*s + 'a' - 'A', out);
        else if ((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '_' || *s == '-')
            fputc(*s, out);
    }
}

static void write_file_page(const File *f, FILE *out) {
    fprintf(out, "\n## %s\n\n`use \"" LIBRARY_PREFIX "%s.grad\";`\n\n", f->title, f->name);
    for (int k = 2; k < f->opening; k++) fprintf(out, "%s\n", said(f->lines.at[k].text));
    for (int k = 0; k < f->functions.n; k++) {
        const Function *fn = &f->functions.at[k];
        fprintf(out, "\n### %s\n\n`%s`\n\n%s\n\n- formula: `%s`\n", fn->name, fn->head,
                fn->part[SUMMARY], fn->part[FORMULA]);
        for (int p = SOURCE; p < PARTS; p++)
            if (fn->part[p]) fprintf(out, "- %s: %s\n", part_names[p], fn->part[p]);
    }
}

static void write_page(const Files *z, FILE *out) {
    fputs("# The library\n\n"
          "Functions that come with gradc, written in its own language. This page is made from "
          "`compiler/library` when gradc\nis built. `gradc --library` lists the functions, and "
          "`gradc --library=NAME` prints one of them, or a whole file.\n\n"
          "The files are part of the compiler: `use \"" LIBRARY_PREFIX "losses.grad\";` finds "
          "them from any folder. Names that\nbegin with `" LIBRARY_PREFIX "` are the library's "
          "alone, so no file of yours is taken for one of them, nor one of them\nfor yours; write "
          "`./" LIBRARY_PREFIX "x.grad` for a file in a folder of your own that is called so. "
          "To change a function, save\nwhat `gradc --library=losses.grad` prints under another "
          "name. Messages give places in these files as in any\nother. Dependency files "
          "(`-MD`) do not name them, since they change only with the compiler.\n\n"
          "An installed gradc has the same files to read in `share/gradc/library`.\n\n"
          "Conventions:\n\n"
          "- Every function is defined, and has derivatives without NaN, on the whole of its "
          "domain as it is given here. Outside,\n  nothing is said. Where `real` is float, "
          "the domain is the same as far as float reaches.\n"
          "- A *log density* keeps its constants, so that its exponential sums or integrates "
          "to 1.\n"
          "- Losses are of one example; the mean over a batch is written by the caller, for "
          "instance\n  `mean[n](cross_entropy(v[n], y[n]))`.\n"
          "- Functions from a row to a row are read by an entry: `softmax(v[n])[k]`.\n"
          "- Where a kink is named, its derivative is the stated one, in values and in all "
          "requests.\n"
          "- Second derivatives are right wherever the entries of the Hessian neither overflow "
          "nor underflow. Where one is\n  small beside what it is a difference of, as in the "
          "tails of an activation, its error is some units in the last\n  place of those.\n\n",
          out);
    for (int k = 0; k < z->all.n; k++) {
        const File *f = &z->all.at[k];
        fprintf(out, "- [%s](#", f->title);
        write_anchor(out, f->title);
        fputs("):", out);
        for (int j = 0; j < f->functions.n; j++) {
            fprintf(out, "%s[%s](#", j ? ", " : " ", f->functions.at[j].name);
            write_anchor(out, f->functions.at[j].name);
            fputc(')', out);
        }
        fputc('\n', out);
    }
    for (int k = 0; k < z->all.n; k++) write_file_page(&z->all.at[k], out);
}

typedef void Writer(const Files *z, FILE *out);
static void write_file(Context *cx, const Files *z, const char *path, Writer *writer) {
    FILE *out = fopen(path, "w");
    if (out) writer(z, out);
    if (!out || ferror(out) || fclose(out)) error_at(cx, (Span){0}, "cannot write %s", path);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fputs("usage: librarian library.gen.c library.md FILE.grad ...\n", stderr);
        return 2;
    }
    Context *cx = context_new();
    Files z = {.cx = cx};
    for (int k = 3; k < argc; k++) read_file(&z, argv[k]);
    for (int k = 0; k < z.all.n; k++)
        for (int j = 0; j < z.all.at[k].functions.n; j++)
            for (int i = 0; i <= k; i++)
                for (int h = 0; h < z.all.at[i].functions.n && (i < k || h < j); h++)
                    if (!strcmp(z.all.at[i].functions.at[h].name, z.all.at[k].functions.at[j].name))
                        error_at(cx, span_of(&z.all.at[k], z.all.at[k].functions.at[j].first),
                                 "'%s' stands in %s.grad too", z.all.at[k].functions.at[j].name,
                                 z.all.at[i].name);
    if (!cx->errors) write_file(cx, &z, argv[1], write_table);
    if (!cx->errors) write_file(cx, &z, argv[2], write_page);
    messages_print(cx, stderr, COLOUR_NEVER);
    int failed = cx->errors != 0;
    context_free(cx);
    return failed;
}
