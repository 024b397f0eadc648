/* emitted: is the emitted C right? Each model is compiled to C, that C by a C compiler to a shared
 * object, and what it computes is compared with the interpreter of the graph as the source has it:
 * no rewriting, no plan, no C.
 *
 *   emitted --runtime DIR --work DIR [--sanitize] [--openmp] [--thorough] [--keep] [--jobs N]
 * [--config PART]
 *   [--only NAME] MODEL.grad ...
 *
 * Random data, several sizes. Every array lies against a page that may not be touched, once with
 * its end and once with its start; the workspace has exactly the bytes that were asked for, and
 * they are NaN. Besides values: the same bits twice, inputs as they were, outputs that are NULL,
 * and the statuses of wrong sizes, wrong indices, missing pointers. One process a model, so that a
 * crash is one failure.
 *
 * --sanitize: this program and the C run under the address sanitizer, so arrays come from malloc.
 * --openmp: loops in parts, however short, on several threads and the last part first.
 * --thorough: with more C compilers and options. --keep leaves the C in the work folder; --config,
 * --only: one C compiler, one model. */
#define _GNU_SOURCE
#include "cname.h"
#include "interp.h"
#include "passes.h"
#include "plan.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNROLL = 4 }; /* as main has it */
enum { USUAL = 4, SIZES = 5, DATA = 3, FUNCTIONS = 64, TIME = 900 };
enum {
    OK,
    BAD_SIZE,
    OVERFLOWS,
    BAD_INDEX,
    EMPTY,
    NOT_POSITIVE_DEFINITE,
    SINGULAR,
    NO_END = 7,
    NIL = 8,
    WORKSPACE = 9
}; /* gradc_status, written down a second time */

static const char *runtime, *work;
static const char *config_part; /* only configurations whose name holds this */
static bool sanitized, thorough, keeps, openmp;
static long passed, failed, skipped;
static const char *about = ""; /* what is being tested, for messages */

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void fail(const char *format, ...) {
    va_list args;
    if (failed++ < 12) {
        printf("  %s: ", about);
        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        printf("\n");
    }
}

static void expect(bool good, const char *what) {
    if (good) passed++;
    else fail("%s", what);
}

/* ---- random numbers: splitmix64
 * --------------------------------------------------------------------------------------- */

static uint64_t random_state;

static uint64_t random_bits(void) {
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double random_unit(void) {
    return (double)(random_bits() >> 11) * 0x1p-53;
}

static int64_t random_below(int64_t n) {
    return n < 1 ? 0 : (int64_t)(random_bits() % (uint64_t)n);
}

/* ---- arrays against forbidden pages
 * ------------------------------------------------------------------------------------ */

enum { FILL = 0xA5 };

typedef struct Box {
    unsigned char *map, *at; /* the mapping, and the array in it */
    size_t mapped, bytes;
} Box;

static size_t page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* side 0: the array ends where the pages end; side 1: it starts where they start. */
static Box box_new(size_t bytes, int side, size_t align) {
    Box b = {.bytes = bytes};
    if (sanitized) {
        b.map = b.at =
            aligned_alloc(align, (bytes + align - 1) / align * align + (bytes == 0 ? align : 0));
        if (bytes %
            align) { /* what aligned_alloc gives too much would hide a byte beyond the end */
            free(b.map);
            b.map = b.at = malloc(bytes);
        }
        return b;
    }
    size_t page = page_size(), inner = (bytes + page) / page * page;
    b.mapped = inner + 2 * page;
    b.map = mmap(NULL, b.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b.map == MAP_FAILED || mprotect(b.map + page, inner, PROT_READ | PROT_WRITE)) {
        perror("emitted: mmap");
        exit(2);
    }
    memset(b.map + page, FILL, inner);
    b.at = b.map + page + (side ? 0 : (inner - bytes) / align * align);
    return b;
}

/* Are the bytes before and after the array as they were? */
static bool box_intact(const Box *b) {
    if (sanitized || !b->map) return true;
    size_t page = page_size();
    for (const unsigned char *p = b->map + page; p < b->at; p++) {
        if (*p != FILL) return false;
    }
    for (const unsigned char *p = b->at + b->bytes; p < b->map + b->mapped - page; p++) {
        if (*p != FILL) return false;
    }
    return true;
}

static void box_free(Box *b) {
    if (sanitized) free(b->map);
    else if (b->map) munmap(b->map, b->mapped);
    *b = (Box){0};
}

/* ---- a model, its data and what the interpreter makes of them
 * ----------------------------------------------------------- */

typedef struct Field { /* one member of the struct of arguments that is not a dimension */
    ArrayRef array;
    const char *name;
    bool is_input, by_value;
    int request; /* of a derivative; -1 for others */
    ValueType type;
    size_t entry; /* bytes */
    bool is_int32;
} Field;

typedef struct Model {
    const char *path, *name; /* of the file, of the model */
    Context *cx;
    Graph *g;
    int nfields;
    Field *field;
} Model;

/* What to draw for inputs that not every number fits. Positions in the condition of a loop are data
 * too. */
typedef struct Special {
    const char *model, *input;
    enum {
        DRAW_RISING,
        DRAW_EARLIER,
        DRAW_SMALL,
        DRAW_SUBSET_SIZE,
        DRAW_SUBSET_MEMBER,
        DRAW_SUBSET_LESS
    } how;
} Special;
static const Special specials[] = {
    {"b07_acyclic", "first", DRAW_RISING}, /* 0 = first[0] <= first[1] <= ... <= E */
    {"b07_acyclic", "from", DRAW_EARLIER}, /* from[e] < i where first[i] <= e < first[i + 1] */
    {"d06_gmm", "m", DRAW_SMALL},
    {"d04_det_subsets", "size", DRAW_SUBSET_SIZE},
    {"d04_det_subsets", "col", DRAW_SUBSET_MEMBER},
    {"d04_det_subsets", "less", DRAW_SUBSET_LESS},
    {"gmm", "m", DRAW_SMALL},
    {"det", "size", DRAW_SUBSET_SIZE},
    {"det", "col", DRAW_SUBSET_MEMBER},
    {"det", "less", DRAW_SUBSET_LESS},
};

typedef struct Case { /* sizes, data, and what comes out; arrays are by field */
    int64_t *dims;    /* by Graph.dims */
    bool sizes_good;
    int64_t *count;
    double **real; /* inputs; and results of the interpreter */
    int64_t **whole;
    int *status;  /* of a result: what the function that gives it returns */
    double *sway; /* how far the entries move when everything is rounded to a float */
    const char *label;
    bool poisoned; /* with NaN, infinities and huge numbers */
} Case;

/* A first line "// gradc: -D NAME=VALUE ..." says at which sizes a file is to be compiled, as in
 * tests/golden: a model that unrolls itself has none that are open. */
enum { MOST_FIXED = 64 };
static int fixed_by_file(Arena *arena, const char *path, DimFix *fix) {
    static const char head[] = "// gradc:";
    char line[256] = "", name[64];
    int n = 0;
    FILE *in = fopen(path, "r");
    if (in && !fgets(line, sizeof line, in)) line[0] = '\0';
    if (in) fclose(in);
    if (strncmp(line, head, sizeof head - 1) != 0) return 0;
    for (const char *p = line; n < MOST_FIXED && (p = strstr(p, "-D ")); p += 3) {
        long long value;
        if (sscanf(p, "-D %63[A-Za-z0-9_]=%lld", name, &value) == 2)
            fix[n++] = (DimFix){arena_format(arena, "%s", name), value};
    }
    return n;
}

static bool load(Model *m, const char *path, const char *name, ValueType real, int nfix,
                 const DimFix *fix, bool as_written) {
    *m = (Model){.path = path, .name = name, .cx = context_new()};
    Program *p = check_program(m->cx, path, nfix, fix);
    for (int k = 0; p && k < p->models.n; k++) {
        if (!strcmp(symbol_text(m->cx, p->models.at[k]->name), name)) {
            m->g = lower_program(
                m->cx, p, p->models.at[k],
                &(LowerOptions){
                    .real = real, .nsizes = nfix, .sizes = fix, .as_written = as_written});
        }
    }
    if (m->cx->errors) m->g = NULL;
    return m->g != NULL;
}

static size_t entry_bytes(const Field *f) {
    return f->type == VALUE_BOOL    ? 1
           : f->type == VALUE_INT   ? (f->is_int32 ? 4 : 8)
           : f->type == VALUE_FLOAT ? 4
                                    : 8;
}

static void add_field(Model *m, ArrayRef a, bool is_input, int request) {
    const Array *x = ARRAY(m->g, a);
    Field f = {.array = a,
               .name = c_name(m->g->arena, x->name),
               .is_input = is_input,
               .by_value = is_input && x->rank == 0,
               .request = request,
               .type = x->type};
    f.is_int32 = x->type == VALUE_INT && (x->is_int_data || (x->is_output && x->target));
    f.entry = entry_bytes(&f);
    m->field[m->nfields++] = f;
}

/* The order: inputs, outputs, directions, derivatives by request. It does not depend on rewriting.
 */
static void list_fields(Model *m) {
    Graph *g = m->g;
    int n = g->inputs.n + g->outputs.n + g->seeds.n;
    for (int k = 0; k < g->requests.n; k++) n += g->requests.at[k].result.n;
    m->field = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *m->field);
    m->nfields = 0;
    for (int k = 0; k < g->inputs.n; k++) add_field(m, g->inputs.at[k], true, -1);
    for (int k = 0; k < g->outputs.n; k++) add_field(m, g->outputs.at[k], false, -1);
    for (int k = 0; k < g->seeds.n; k++) add_field(m, g->seeds.at[k], true, -1);
    for (int k = 0; k < g->requests.n; k++) {
        for (int q = 0; q < g->requests.at[k].result.n; q++)
            add_field(m, g->requests.at[k].result.at[q], false, k);
    }
}

static int64_t least_of(const Graph *g, int dim) {
    return g->dims.at[dim].least > 1 ? g->dims.at[dim].least : 1;
}

/* The least extent of an array, where no extent is negative; else -1. */
static int64_t least_extent(const Model *m, const int64_t *dims) {
    Interp *in = interp_new(m->g, dims);
    int64_t least = INT64_MAX;
    for (ArrayRef a = 1; a < (ArrayRef)m->g->arrays.n; a++) {
        for (int k = 0; k < ARRAY(m->g, a)->rank; k++) {
            int64_t n = interp_extent(in, a, k);
            least = n < least ? n : least;
        }
    }
    interp_free(in);
    return least < -1 ? -1 : least;
}

static bool extents_good(const Model *m, const int64_t *dims) {
    return least_extent(m, dims) >= 0;
}

/* The last set: sizes at which some array has no entries, if there are any. */
static void choose_sizes(const Model *m, Case *c, int set) {
    static const int64_t primes[SIZES - 1][7] = {{1, 1, 1, 1, 1, 1, 1},
                                                 {3, 2, 5, 7, 4, 3, 2},
                                                 {2, 5, 3, 4, 7, 6, 1},
                                                 {9, 11, 6, 17, 5, 8, 10}};
    const Graph *g = m->g;
    c->dims = arena_alloc(g->arena, (size_t)(g->dims.n + 1) * sizeof *c->dims);
    for (int k = 1; k < g->dims.n; k++) {
        int64_t least = least_of(g, k), n = primes[set % (SIZES - 1)][(k - 1) % 7];
        c->dims[k] = n < least ? least : n;
    }
    if ((!strcmp(m->name, "d04_det_subsets") || !strcmp(m->name, "det")) && g->dims.n > 2) {
        static const int64_t rows[SIZES] = {1, 3, 2, 5, 4};
        c->dims[1] = rows[set], c->dims[2] = (int64_t)1 << rows[set];
    }
    bool empty = set == SIZES - 1;
    int64_t least = empty ? -1 : least_extent(m, c->dims);
    for (int turn = 0; turn < 200 && (least < 0 || (empty && least > 0)); turn++) {
        for (int k = 1; k < g->dims.n; k++)
            c->dims[k] = least_of(g, k) + random_below(empty ? 4 : 9);
        least = least_extent(m, c->dims);
    }
    c->sizes_good = empty ? least == 0 : least >= 0;
}

static int count_bits(int64_t s) {
    int n = 0;
    for (; s; s &= s - 1) n++;
    return n;
}

static int64_t special_entry(const Model *m, const Case *c, const Special *s, int64_t e,
                             int64_t target) {
    switch (s->how) {
    case DRAW_SMALL: return random_below(3);
    case DRAW_RISING: { /* the last one is E */
        int64_t n = c->dims[1];
        return e == n ? c->dims[2] : e * c->dims[2] / (n + 1);
    }
    case DRAW_EARLIER: {
        int64_t n = c->dims[1], i = 0;
        while (i < n && !(i * c->dims[2] / (n + 1) <= e &&
                          e < (i + 1 == n ? c->dims[2] : (i + 1) * c->dims[2] / (n + 1))))
            i++;
        return random_below(i);
    }
    case DRAW_SUBSET_SIZE: return count_bits(e);
    case DRAW_SUBSET_MEMBER:
    case DRAW_SUBSET_LESS: { /* the set e / L, as bits; its member number e % L */
        int64_t set = e / c->dims[1], k = e % c->dims[1];
        for (int bit = 0; bit < c->dims[1]; bit++) {
            if (set >> bit & 1 && k-- == 0)
                return s->how == DRAW_SUBSET_MEMBER ? bit : set & ~((int64_t)1 << bit);
        }
        return 0;
    }
    }
    (void)m, (void)target;
    return 0;
}

/* All reals are floats, so that the float model gets the same data. kind 0: positive, and so small
 * that no sum of a few saturates a tanh, where a float cannot tell 1 - tanh^2 from 0; 1: of both
 * signs; 2: the same, and a few that are no ordinary numbers. */
static void draw(const Model *m, Case *c, Interp *in, int kind) {
    for (int f = 0; f < m->nfields; f++) {
        const Field *x = &m->field[f];
        if (!x->is_input) continue;
        c->count[f] = interp_entries(in, x->array);
        c->real[f] = arena_alloc(m->g->arena, (size_t)(c->count[f] + 1) * sizeof(double));
        c->whole[f] = arena_alloc(m->g->arena, (size_t)(c->count[f] + 1) * sizeof(int64_t));
        const Poly *target = ARRAY(m->g, x->array)->target;
        int64_t most = 0;
        if (target && !interp_size(in, target, &most)) fail("no range for %s", x->name);
        const Special *special = NULL;
        for (size_t k = 0; k < sizeof specials / sizeof *specials; k++) {
            if (!strcmp(specials[k].model, m->name) && !strcmp(specials[k].input, x->name))
                special = &specials[k];
        }
        for (int64_t e = 0; e < c->count[f]; e++) {
            static const double odd[] = {NAN, INFINITY, -INFINITY, 1e30, -1e30, 0, -0.0, 1e-40};
            double v = kind == 0 ? 0.05 + 0.5 * random_unit() : 2 * random_unit() - 1;
            if (kind == 2 && random_below(6) == 0) v = odd[random_below(8)];
            c->real[f][e] = (float)v;
            c->whole[f][e] = special                 ? special_entry(m, c, special, e, most)
                             : target                ? random_below(most)
                             : x->type == VALUE_BOOL ? random_below(2)
                                                     : random_below(7) - 3;
        }
        if (x->type >= VALUE_FLOAT) interp_bind_real(in, x->array, c->real[f]);
        else interp_bind_int(in, x->array, c->whole[f]);
    }
}

/* The status of emitted code for what stopped the interpreter; -1: it is its own limit, or a
 * mistake of the compiler. */
static int status_of(Interp *in) {
    switch (interp_status(in)) {
    case INTERP_OK: return OK;
    case INTERP_RANGE: return BAD_INDEX;
    case INTERP_EMPTY: return EMPTY;
    case INTERP_NOT_POSITIVE_DEFINITE: return NOT_POSITIVE_DEFINITE;
    case INTERP_SINGULAR: return SINGULAR;
    case INTERP_NO_END: return NO_END;
    case INTERP_TOO_FEW: return BAD_SIZE;
    case INTERP_OVERFLOW: return OVERFLOWS;
    default: return -1;
    }
}

/* Every entry of every result. False when there is no use in comparing. */
static bool evaluate(const Model *m, Case *c, Interp *in) {
    for (int f = 0; f < m->nfields; f++) {
        const Field *x = &m->field[f];
        if (x->is_input) continue;
        c->count[f] = interp_entries(in, x->array);
        if (c->count[f] < 0) {
            fail("%s: the interpreter: %s", x->name, interp_message(in));
            return false;
        }
        c->real[f] = arena_alloc(m->g->arena, (size_t)(c->count[f] + 1) * sizeof(double));
        c->whole[f] = arena_alloc(m->g->arena, (size_t)(c->count[f] + 1) * sizeof(int64_t));
        for (int64_t e = 0; e < c->count[f] && c->status[f] == OK; e++) {
            Number v = {0};
            if (!interp_entry(in, x->array, e, &v)) {
                c->status[f] = status_of(in);
                if (c->status[f] < 0) {
                    fail("%s: the interpreter: %s", x->name, interp_message(in));
                    return false;
                }
            }
            c->real[f][e] = v.v;
            c->whole[f][e] = v.i;
        }
    }
    return true;
}

/* Entries of an array, each moved by at most the last place of a float. What has no value here is
 * needed nowhere. */
static double *moved(const Model *m, Interp *in, ArrayRef a, int64_t n, const double *from) {
    double *to = arena_alloc(m->g->arena, (size_t)(n + 1) * sizeof *to);
    for (int64_t e = 0; e < n; e++) {
        Number v = {0};
        to[e] = from ? from[e] : interp_entry(in, a, e, &v) ? v.v : NAN;
        to[e] *= 1 + (random_below(2) ? 1 : -1) * 0x1p-23;
    }
    return to;
}

/* The float model is compared with double arithmetic. It may be off as far as the results move when
 * the data and every array on the way are moved by a rounding: the interpreter is given all of
 * them, one after another, dependencies first. */
static void measure_sway(const Model *m, Case *c, Interp *in, const Order *order) {
    for (int turn = 0; turn < 2; turn++) {
        double **to = arena_alloc(m->g->arena, (size_t)(m->g->arrays.n + 1) * sizeof *to);
        for (int f = 0; f < m->nfields; f++) {
            const Field *x = &m->field[f];
            if (!x->is_input || x->type < VALUE_FLOAT) continue;
            to[x->array] = moved(m, in, x->array, c->count[f], c->real[f]);
            interp_bind_real(in, x->array, to[x->array]);
        }
        interp_reset(in);
        for (int k = 0; k < order->n;) {
            int end = k;
            for (; end < order->n && order->component[end] == order->component[k]; end++) {
                ArrayRef a = order->array[end];
                int64_t n = interp_entries(in, a);
                if (ARRAY(m->g, a)->role == ARRAY_INTERNAL && ARRAY(m->g, a)->type >= VALUE_FLOAT &&
                    n > 0)
                    to[a] = moved(m, in, a, n, NULL);
            }
            for (; k < end; k++) { /* its own equation is no longer looked at */
                if (ARRAY(m->g, order->array[k])->role == ARRAY_INTERNAL && to[order->array[k]]) {
                    interp_bind_real(in, order->array[k], to[order->array[k]]);
                }
            }
        }
        for (int f = 0; f < m->nfields; f++) {
            const Field *x = &m->field[f];
            for (int64_t e = 0;
                 !x->is_input && to[x->array] && c->status[f] == OK && e < c->count[f]; e++) {
                double d = fabs(to[x->array][e] - c->real[f][e]);
                if (d > c->sway[f]) c->sway[f] = d;
            }
        }
        for (int k = 0; k < order->n; k++) {
            if (ARRAY(m->g, order->array[k])->role == ARRAY_INTERNAL)
                interp_bind_real(in, order->array[k], NULL);
        }
    }
}

/* Is there an iteration until a condition? How many turns it takes depends on rounding, so that the
 * float model has other results; they are not compared. */
static bool has_counts(const Model *m) {
    for (ArrayRef a = 1; a < (ArrayRef)m->g->arrays.n; a++) {
        if (ARRAY(m->g, a)->counts) return true;
    }
    return false;
}

static Case *make_case(const Model *m, int set, int kind) {
    Arena *arena = m->g->arena;
    Case *c = arena_alloc(arena, sizeof *c);
    size_t n = (size_t)m->nfields + 1;
    c->count = arena_alloc(arena, n * sizeof *c->count);
    c->real = arena_alloc(arena, n * sizeof *c->real);
    c->whole = arena_alloc(arena, n * sizeof *c->whole);
    c->status = arena_alloc(arena, n * sizeof *c->status);
    c->sway = arena_alloc(arena, n * sizeof *c->sway);
    random_state = (uint64_t)set + strlen(m->name);
    choose_sizes(m, c, set);
    random_state += 1000003 * (uint64_t)(kind + 1);
    if (!c->sizes_good && set == SIZES - 1) return NULL;
    if (!c->sizes_good) {
        fail("no sizes found at which every array has a size");
        return NULL;
    }
    Text label = text_new(arena);
    for (int k = 1; k < m->g->dims.n; k++)
        text_add(&label, "%s%s=%lld", k > 1 ? " " : "", m->g->dims.at[k].name,
                 (long long)c->dims[k]);
    text_add(&label, "%s%s", m->g->dims.n > 1 ? ", " : "",
             kind == 0   ? "positive data"
             : kind == 1 ? "data of both signs"
                         : "odd data");
    c->label = text_string(&label);
    c->poisoned = kind == 2;
    ArrayRef *roots = arena_alloc(arena, n * sizeof *roots);
    int nroots = 0;
    for (int f = 0; f < m->nfields; f++) {
        if (!m->field[f].is_input) roots[nroots++] = m->field[f].array;
    }
    Order order = graph_order(m->g, nroots, roots);
    Interp *in = interp_new(m->g, c->dims);
    draw(m, c, in, kind);
    bool good = c->poisoned;
    for (int f = 0; f < m->nfields; f++) {
        if (c->poisoned && !m->field[f].is_input)
            c->count[f] = interp_entries(in, m->field[f].array);
    }
    if (!c->poisoned) {
        good = evaluate(m, c, in);
        if (good && !has_counts(m)) measure_sway(m, c, in, &order);
    }
    interp_free(in);
    return good ? c : NULL;
}

/* ---- the emitted code
 * -------------------------------------------------------------------------------------------------------
 */

typedef struct Config {
    const char *name, *compiler, *flags;
    ValueType real;
    bool standalone, fixed; /* fixed: all dimensions by -D */
    /* for most models, and for most of those with a long text; NULL: the same, and not at all */
    const char *quick, *quick_long;
} Config;

typedef int Callee(const void *args, void *workspace);
typedef size_t SizeOf(const void *args);
typedef struct Entry {
    FunctionKind kind;
    int request, layout;
    int before; /* the entry that must be called first, -1: none */
    const char *name;
    Callee *call;
} Entry;

typedef struct Code {
    const Model *m;
    Config config;
    void *library;
    const size_t *offset; /* size of the struct; then of every dimension and field */
    SizeOf **size;        /* by layout of the plan */
    int nlayouts;
    int n;
    Entry entry[FUNCTIONS];
} Code;

static bool write_text(const char *path, const char *text) {
    FILE *out = fopen(path, "w");
    return out && fputs(text, out) >= 0 && fclose(out) == 0;
}

static void *function_of(Code *c, const char *name) {
    void *at = dlsym(c->library, name);
    if (!at) fail("there is no function %s", name);
    return at;
}

/* "m" for the only gradient or the only vjp, "m_hvp" for another only one of its kind, else
 * "m_gradient_loss". */
static const char *stem_of(const Model *m, int request) {
    static const char *const kinds[] = {"gradient", "jacobian", "hessian", "jvp", "vjp", "hvp"};
    const Graph *g = m->g;
    int same = 0;
    if (request < 0) return m->name;
    RequestKind kind = g->requests.at[request].kind;
    for (int k = 0; k < g->requests.n; k++) same += g->requests.at[k].kind == kind;
    if (same == 1 && (kind == REQUEST_GRADIENT || kind == REQUEST_VJP)) return m->name;
    const char *stem = arena_format(g->arena, "%s_%s", m->name, kinds[kind]);
    return same == 1
               ? stem
               : arena_format(g->arena, "%s_%s", stem, ARRAY(g, g->requests.at[request].of)->name);
}

static const char *entry_name(const Model *m, const Function *f) {
    static const char *const words[] = {"value", "forward", "backward", "value_and_gradient",
                                        "vjp"};
    const char *stem = stem_of(m, f->request);
    bool whole = f->kind == FN_DERIVATIVE || (f->kind == FN_VJP && strcmp(stem, m->name));
    return whole ? stem : arena_format(m->g->arena, "%s_%s", stem, words[f->kind]);
}

#define CLANG_CHECKS                                                                               \
    "-fsanitize=undefined,float-cast-overflow -fsanitize-trap=undefined,float-cast-overflow"
#define GCC_CHECKS                                                                                 \
    "-fsanitize=undefined,float-cast-overflow,bounds-strict -fsanitize-undefined-trap-on-error"
static const Config configs[] = {
    {"double, gcc -O3", "gcc", "-O3 -march=native -fopenmp-simd", VALUE_DOUBLE, false, false,
     "clang -O2", "clang -O2"},
    {"float, clang -O2, standalone", "clang", "-O2", VALUE_FLOAT, true, false, "clang -O0",
     "clang -O0 " CLANG_CHECKS},
    {"double, gcc, undefined behaviour", "gcc", "-O1 " GCC_CHECKS, VALUE_DOUBLE, false, false,
     "clang -O0 " CLANG_CHECKS, NULL},
    {"float, gcc -O2, sizes fixed", "gcc", "-O2", VALUE_FLOAT, false, true, "gcc -Og", "gcc -Og"},
    /* The rest with --thorough: */
    {"double, clang -O3, standalone, sizes fixed", "clang", "-O3", VALUE_DOUBLE, true, true, NULL,
     NULL},
    {"double, gcc -O2", "gcc", "-O2 -fopenmp-simd", VALUE_DOUBLE, false, false, NULL, NULL},
    {"float, gcc -O3, standalone", "gcc", "-O3 -march=native -fopenmp-simd", VALUE_FLOAT, true,
     false, NULL, NULL},
    {"float, clang, undefined behaviour", "clang", "-O2 " CLANG_CHECKS, VALUE_FLOAT, false, false,
     NULL, NULL},
};
/* Nearly all time goes to C compilers, and most of it to what they do to make code fast. So every
 * model is compiled and compared in double and in float, by gcc and by clang, with sizes open and
 * fixed, with the runtime and standalone, with loops as vectors and with the checks of undefined
 * behaviour; but the options above are for one model in ONE_OF each, by the letters of its name (of
 * those with a LONG text for one in four of these), and the quick ones for the others. A long text
 * is checked for undefined behaviour once, in float. --thorough and --config: all as above. False:
 * this one is left out. */
enum { ONE_OF = 8, LONG = 100000 };
static bool choose_options(Arena *arena, Config *c, const char *name, size_t length) {
    static size_t first; /* of the first text of this model; a standalone one has the runtime too */
    if (sanitized || openmp || thorough || config_part) return true;
    first = first ? first : length;
    uint32_t hash = 2166136261u;
    for (const char *p = name; *p; p++) hash = (hash ^ (unsigned char)*p) * 16777619u;
    bool is_long = first > LONG;
    uint32_t turn = (hash >> 16) % (is_long ? 4 * ONE_OF : ONE_OF);
    for (int k = 0; k < USUAL; k++) {
        if (!strcmp(configs[k].name, c->name) && turn == (uint32_t)k) return true;
    }
    const char *quick = is_long ? c->quick_long : c->quick;
    if (!quick) return false;
    c->compiler = quick, c->flags = "";
    c->name = arena_format(arena, "%s; here %s", c->name, quick);
    return true;
}

#define DIALECT "-std=c99 -Wall -Wextra -Werror -fPIC"
/* tests/matrix.sh asks gcc, g++ and clang++ for these. */
#define CLANG_DIALECT "-Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Wmissing-prototypes"
static char heads[PATH_MAX]; /* the start of the names of folders with runtimes, made once each */

/* Most of these texts begin with the runtime, which takes longer to read than many of them: each
 * compiler reads it once with the same flags. The first one to want that makes it, and those that
 * come before it is made read the text. Not with gcc, whose ready headers forget which warnings the
 * text turns off. A standalone file is read as a user's compiler does. */
static const char *read_before(Arena *arena, const Config *config) {
    uint32_t hash = 2166136261u;
    if (config->standalone || !strstr(config->compiler, "clang")) return "";
    const char *how = arena_format(arena, "%s %s " CLANG_DIALECT, config->compiler, config->flags);
    for (const char *p = how; *p; p++) hash = (hash ^ (unsigned char)*p) * 16777619u;
    const char *folder = arena_format(arena, "%s%08x", heads, (unsigned)hash);
    if (!mkdir(folder, 0700)) {
        const char *command = arena_format(arena,
                                           "cp %s/gradc.h %s && %s " DIALECT
                                           " -x c-header -o %s/made %s/gradc.h 2>&1 && "
                                           "mv %s/made %s/gradc.h.gch",
                                           runtime, folder, how, folder, folder, folder, folder);
        fflush(stdout);
        if (system(command)) fail("the C compiler refuses the runtime: %s", command);
    }
    if (access(arena_format(arena, "%s/gradc.h.gch", folder), R_OK)) return "";
    return arena_format(arena, "-include %s/gradc.h -I%s ", folder, folder);
}

/* m is lowered anew for this: planning rewrites the graph. */
static bool compile(Code *c, Model *m, Config *config) {
    Graph *g = m->g;
    simplify_graph(g, false);
    list_fields(m);
    Plan *plan =
        plan_graph(g, &(PlanOptions){.unroll = UNROLL, .openmp = openmp, .openmp_always = openmp});
    if (!plan) {
        fail("no plan is found");
        messages_print(m->cx, stdout, COLOUR_NEVER);
        return false;
    }
    Text header = text_new(g->arena), source = text_new(g->arena), adapter = text_new(g->arena);
    static int libraries;
    const char *base =
        arena_format(g->arena, "%s/%s_%d_%d", work, m->name, (int)getpid(), libraries++);
    const char *header_name = strrchr(base, '/') + 1;
    emit_c(plan,
           &(EmitOptions){.prefix = m->name,
                          .source_name = m->name,
                          .header_name = arena_format(g->arena, "%s.h", header_name),
                          .standalone = config->standalone},
           &header, &source);
    if (!choose_options(g->arena, config, m->name, source.n)) return false;
    about = config->name;
    text_add(&adapter,
             "extern const size_t test_offset[];\nconst size_t test_offset[] = {sizeof(%s_args)",
             m->name);
    for (int k = 1; k < g->dims.n; k++)
        text_add(&adapter, ", offsetof(%s_args, %s)", m->name,
                 c_name(g->arena, g->dims.at[k].name));
    for (int k = 0; k < m->nfields; k++)
        text_add(&adapter, ", offsetof(%s_args, %s)", m->name, m->field[k].name);
    text_raw(&adapter, "};\n");
    const char *library = arena_format(g->arena, "%s.so", base);
    text_raw(&source, text_string(&adapter));
    if (!write_text(arena_format(g->arena, "%s.c", base), text_string(&source)) ||
        !write_text(arena_format(g->arena, "%s.h", base), text_string(&header))) {
        fail("cannot write to %s", work);
        return false;
    }
    const char *command = arena_format(
        g->arena, "%s %s %s " DIALECT " -shared %s-I%s -o %s %s.c -lm 2>&1", config->compiler,
        config->flags, strstr(config->compiler, "clang") ? CLANG_DIALECT : "",
        read_before(g->arena, config), runtime, library, base);
    fflush(stdout);
    if (system(command)) {
        fail("the C compiler refuses what was emitted: %s", command);
        return false;
    }
    /* The threads of a library outlive it. */
    int how = RTLD_NOW | RTLD_LOCAL | (openmp ? RTLD_NODELETE : 0);
    *c = (Code){.m = m, .config = *config, .library = dlopen(library, how)};
    if (!c->library) {
        fail("%s", dlerror());
        return false;
    }
    long before = failed;
    c->offset = function_of(c, "test_offset");
    c->size = arena_alloc(g->arena, (size_t)(plan->layouts.n + 1) * sizeof *c->size);
    c->nlayouts = plan->layouts.n;
    for (int k = 0; k < plan->layouts.n; k++) {
        *(void **)&c->size[k] = function_of(
            c, arena_format(g->arena, "%s_workspace", stem_of(m, plan->layouts.at[k].request)));
    }
    for (int k = 0; k < plan->functions.n && c->n < FUNCTIONS; k++) {
        const Function *f = &plan->functions.at[k];
        Entry *e = &c->entry[c->n++];
        *e = (Entry){.kind = f->kind,
                     .request = f->request,
                     .layout = f->layout,
                     .before = -1,
                     .name = entry_name(m, f)};
        *(void **)&e->call = function_of(c, e->name);
        for (int q = 0; q < k && (f->kind == FN_BACKWARD || f->kind == FN_VJP); q++) {
            if (c->entry[q].kind == FN_FORWARD && c->entry[q].layout == f->layout) e->before = q;
        }
    }
    for (int k = 0; !keeps && k < 3; k++) {
        static const char *const ends[] = {".c", ".h", ".so"};
        unlink(arena_format(g->arena, "%s%s", base, ends[k]));
    }
    return failed == before;
}

/* ---- calling it
 * ---------------------------------------------------------------------------------------------------------------
 */

typedef struct Frame { /* a struct of arguments, and all that it points to */
    const Code *c;
    const Case *data;
    unsigned char *args;
    Box *box; /* by field */
    int side;
} Frame;

static void put(const Frame *f, int slot, const void *from, size_t bytes) {
    memcpy(f->args + f->c->offset[slot], from, bytes);
}

static int slot_of(const Frame *f, int field) {
    return f->c->m->g->dims.n + field;
}

static void set_dim(const Frame *f, int k, int64_t value) {
    put(f, k, &value, sizeof value);
}

static void set_pointer(const Frame *f, int field, void *to) {
    put(f, slot_of(f, field), &to, sizeof to);
}

static void write_entry(const Field *x, unsigned char *at, int64_t e, double real, int64_t whole) {
    unsigned char *to = at + (size_t)e * x->entry;
    if (x->type == VALUE_DOUBLE) memcpy(to, &real, 8);
    else if (x->type == VALUE_FLOAT) memcpy(to, &(float){(float)real}, 4);
    else if (x->type == VALUE_BOOL) memcpy(to, &(uint8_t){(uint8_t)whole}, 1);
    else if (x->is_int32) memcpy(to, &(int32_t){(int32_t)whole}, 4);
    else memcpy(to, &whole, 8);
}

static double read_real(const Field *x, const unsigned char *at, int64_t e) {
    float f;
    double d;
    at += (size_t)e * x->entry;
    if (x->type == VALUE_FLOAT) {
        memcpy(&f, at, 4);
        return (double)f;
    }
    memcpy(&d, at, 8);
    return d;
}

static int64_t read_whole(const Field *x, const unsigned char *at, int64_t e) {
    int32_t narrow;
    int64_t wide;
    at += (size_t)e * x->entry;
    if (x->type == VALUE_BOOL) return *at;
    if (x->is_int32) {
        memcpy(&narrow, at, 4);
        return narrow;
    }
    memcpy(&wide, at, 8);
    return wide;
}

static void write_input(const Frame *f, int k) {
    const Field *x = &f->c->m->field[k];
    for (int64_t e = 0; e < f->data->count[k]; e++)
        write_entry(x, f->box[k].at, e, f->data->real[k][e], f->data->whole[k][e]);
    if (x->by_value) put(f, slot_of(f, k), f->box[k].at, x->entry);
    else set_pointer(f, k, f->box[k].at);
}

/* Where a crash happened: a child tells before it ends. Nothing here needs to be safe after that.
 */
static const Frame *running;
static const char *running_name;

static void crashed(int signal, siginfo_t *info, void *context) {
    const unsigned char *at = info->si_addr;
    (void)context;
    printf("  %s: %s: signal %d", about, running ? running_name : "outside of emitted code",
           signal);
    if (running) {
        for (int k = 0; k < running->c->m->nfields; k++) {
            const Box *b = &running->box[k];
            if (signal == SIGSEGV && b->map && at >= b->map && at < b->map + b->mapped) {
                printf(", %s at byte %lld of %zu", running->c->m->field[k].name,
                       (long long)(at - b->at), b->bytes);
            }
        }
    }
    printf("\n");
    fflush(stdout);
    _exit(1);
}

static Frame frame_new(const Code *c, const Case *data, int side) {
    const Model *m = c->m;
    Frame f = {.c = c, .data = data, .side = side};
    f.args = calloc(1, c->offset[0]);
    f.box = calloc((size_t)m->nfields + 1, sizeof *f.box);
    for (int k = 1; k < m->g->dims.n; k++) set_dim(&f, k, data->dims[k]);
    for (int k = 0; k < m->nfields; k++) {
        f.box[k] = box_new((size_t)data->count[k] * m->field[k].entry, side, m->field[k].entry);
        if (m->field[k].is_input) write_input(&f, k);
        else set_pointer(&f, k, f.box[k].at);
    }
    return f;
}

static void frame_free(Frame *f) {
    for (int k = 0; k < f->c->m->nfields; k++) box_free(&f->box[k]);
    free(f->box);
    free(f->args);
}

/* Every result is NaN, or -1. */
static void frame_clear(const Frame *f) {
    for (int k = 0; k < f->c->m->nfields; k++) {
        if (!f->c->m->field[k].is_input) memset(f->box[k].at, 0xFF, f->box[k].bytes);
    }
}

static bool frame_intact(const Frame *f) {
    for (int k = 0; k < f->c->m->nfields; k++) {
        if (!box_intact(&f->box[k])) {
            fail("bytes beside %s were written", f->c->m->field[k].name);
            return false;
        }
    }
    return true;
}

static bool inputs_unchanged(const Frame *f) {
    for (int k = 0; k < f->c->m->nfields; k++) {
        const Field *x = &f->c->m->field[k];
        unsigned char entry[8];
        for (int64_t e = 0; x->is_input && e < f->data->count[k]; e++) {
            write_entry(x, entry, 0, f->data->real[k][e], f->data->whole[k][e]);
            if (memcmp(entry, f->box[k].at + (size_t)e * x->entry, x->entry)) {
                fail("the input %s was changed", x->name);
                return false;
            }
        }
    }
    return true;
}

static size_t size_of(const Frame *f, int layout) {
    return f->c->size[layout](f->args);
}

/* Calls a function in a fresh workspace of NaN (or in the given one), and looks whether it stayed
 * in its bounds. */
static int call(const Frame *f, const Entry *e, Box *kept) {
    Box own = {0}, *w = kept;
    if (!w || !w->map) {
        size_t bytes = size_of(f, e->layout);
        if (bytes == SIZE_MAX || bytes > (size_t)1 << 30) {
            fail("%s needs a workspace of %zu bytes", e->name, bytes);
            return -1;
        }
        own = box_new(bytes, f->side, 64);
        memset(own.at, 0xFF, own.bytes);
        if (w) *w = own;
        else w = &own;
    }
    running = f, running_name = e->name;
    int status = e->call(f->args, w->at);
    running = NULL;
    if (!box_intact(w)) fail("%s writes beside the workspace", e->name);
    else passed++;
    frame_intact(f);
    if (w == &own) box_free(&own);
    return status;
}

static bool is_result_of(const Field *x, const Entry *e) {
    bool value = !x->is_input && x->request < 0,
         derivative = !x->is_input && x->request == e->request && x->request >= 0;
    return e->kind == FN_VALUE || e->kind == FN_FORWARD ? value
           : e->kind == FN_VALUE_AND_GRADIENT           ? value || derivative
                                                        : derivative;
}

/* What the interpreter lets expect of a function: OK, or any of the failures of its results. */
static bool is_status_right(const Frame *f, const Entry *e, int status) {
    const Model *m = f->c->m;
    bool any = false;
    for (int k = 0; k < m->nfields; k++) {
        if (!is_result_of(&m->field[k], e) || f->data->status[k] == OK) continue;
        if (status == f->data->status[k]) return true;
        any = true;
    }
    return !any && status == OK;
}

/* Is there an array of floats, whatever `real` is? Then some of the arithmetic is theirs. */
static bool has_floats(const Model *m) {
    for (ArrayRef a = 1; a < (ArrayRef)m->g->arrays.n; a++) {
        if (ARRAY(m->g, a)->type == VALUE_FLOAT) return true;
    }
    return false;
}

static void compare(const Frame *f, const Entry *e) {
    const Model *m = f->c->m;
    for (int k = 0; k < m->nfields; k++) {
        const Field *x = &m->field[k];
        if (!is_result_of(x, e)) continue;
        int64_t n = f->data->count[k], worst = -1;
        const double *want = f->data->real[k];
        double scale = 0, most = 0;
        for (int64_t i = 0; i < n && x->type >= VALUE_FLOAT; i++) {
            if (isfinite(want[i]) && fabs(want[i]) > scale) scale = fabs(want[i]);
        }
        double limit = f->c->config.real == VALUE_DOUBLE && !has_floats(m)
                           ? 1e-11 * scale
                           : 2e-5 * scale + 16 * f->data->sway[k];
        for (int64_t i = 0; i < n; i++) {
            if (x->type < VALUE_FLOAT) {
                if (read_whole(x, f->box[k].at, i) != f->data->whole[k][i]) {
                    fail("%s: %s[%lld] is %lld, not %lld", e->name, x->name, (long long)i,
                         (long long)read_whole(x, f->box[k].at, i),
                         (long long)f->data->whole[k][i]);
                    worst = -2;
                    break;
                }
                continue;
            }
            double got = read_real(x, f->box[k].at, i);
            double off = got == want[i] || (isnan(got) && isnan(want[i])) ? 0
                         : isfinite(got) && isfinite(want[i])             ? fabs(got - want[i])
                                                                          : INFINITY;
            if (off > most) most = off, worst = i;
        }
        if (worst >= 0 && most > limit) {
            fail("%s: %s[%lld] is %.17g, not %.17g (off by %.2g of %.2g)", e->name, x->name,
                 (long long)worst, read_real(x, f->box[k].at, worst), want[worst], most, scale);
        } else if (worst != -2) {
            passed++;
        }
    }
}

/* ---- the tests
 * ------------------------------------------------------------------------------------------------------------------
 */

typedef struct Bits { /* what came out, by function and field. Two functions may add a sum in two
                         orders; one does it always in the same. */
    unsigned char **at[FUNCTIONS];
} Bits;

static void bits_keep(const Frame *f, Bits *b, const Entry *e) {
    const Model *m = f->c->m;
    unsigned char **at = arena_alloc(m->g->arena, (size_t)(m->nfields + 1) * sizeof *at);
    b->at[e - f->c->entry] = at;
    for (int k = 0; k < m->nfields; k++) {
        if (!is_result_of(&m->field[k], e)) continue;
        at[k] = arena_alloc(m->g->arena, f->box[k].bytes + 1);
        memcpy(at[k], f->box[k].at, f->box[k].bytes);
    }
}

static void bits_same(const Frame *f, const Bits *b, const Entry *e, const char *what, int but) {
    const Model *m = f->c->m;
    unsigned char *const *at = b->at[e - f->c->entry];
    for (int k = 0; k < m->nfields; k++) {
        if (!is_result_of(&m->field[k], e) || !at || !at[k] || k == but) continue;
        if (memcmp(at[k], f->box[k].at, f->box[k].bytes))
            fail("%s: %s has other bits %s", e->name, m->field[k].name, what);
        else passed++;
    }
}

/* Runs a function; backward after its forward, in one workspace, its outputs destroyed in between.
 */
static int run(const Frame *f, const Entry *e) {
    frame_clear(f);
    if (e->before < 0) return call(f, e, NULL);
    Box workspace = {0};
    int status = call(f, &f->c->entry[e->before], &workspace);
    if (status == OK) {
        frame_clear(f);
        status = call(f, e, &workspace);
        for (int k = 0; k < f->c->m->nfields; k++) {
            const Field *x = &f->c->m->field[k];
            for (size_t i = 0; !x->is_input && x->request < 0 && i < f->box[k].bytes; i++) {
                if (f->box[k].at[i] != 0xFF) {
                    fail("%s writes the output %s", e->name, x->name);
                    break;
                }
            }
        }
    }
    if (workspace.map) box_free(&workspace);
    return status;
}

/* Values of all functions, on both sides. */
static void test_values(const Code *c, const Case *data, Bits *bits) {
    bool all_good = true;
    for (int side = 0; side < 2; side++) {
        Frame f = frame_new(c, data, side);
        for (int k = 0; k < c->n; k++) {
            const Entry *e = &c->entry[k];
            int status = run(&f, e);
            if (data->poisoned) {
                expect(status >= 0 && status <= WORKSPACE, "a status without meaning");
            } else if (!is_status_right(&f, e, status) && /* forward may be as far as it comes */
                       !(status != OK && e->before >= 0 &&
                         is_status_right(&f, &c->entry[e->before], status))) {
                fail("%s returns %d", e->name, status);
                all_good = false;
            } else {
                passed++;
            }
            if (status != OK || data->poisoned) continue;
            if (side == 0) {
                compare(&f, e);
                bits_keep(&f, bits, e);
            } else {
                bits_same(&f, bits, e, "in a second run", -1);
            }
        }
        inputs_unchanged(&f);
        if (!all_good) side = 2;
        frame_free(&f);
    }
}

/* NULL for every output, and for each alone. */
static void test_null_outputs(const Code *c, const Case *data, const Bits *bits) {
    Frame f = frame_new(c, data, 0);
    int n = c->m->nfields;
    for (int k = 0; k < n; k++) {
        if (!c->m->field[k].is_input) set_pointer(&f, k, NULL);
    }
    for (int k = 0; k < c->n; k++)
        expect(run(&f, &c->entry[k]) == OK, "NULL for every output is refused");
    for (int q = 0; q < n; q++) {
        if (c->m->field[q].is_input) continue;
        for (int k = 0; k < n; k++) {
            if (!c->m->field[k].is_input) set_pointer(&f, k, k == q ? NULL : f.box[k].at);
        }
        for (int k = 0; k < c->n; k++) {
            if (!is_result_of(&c->m->field[q], &c->entry[k])) continue;
            expect(run(&f, &c->entry[k]) == OK, "NULL for one output is refused");
            bits_same(&f, bits, &c->entry[k], "when another output is NULL", q);
        }
    }
    frame_free(&f);
}

/* All functions after something was spoilt: this status, or what was spoilt is not looked at and
 * all is as it was. At least one function must notice. */
static void expect_status(const Frame *f, const Bits *bits, int want, const char *what) {
    int noticed = 0;
    for (int k = 0; k < f->c->n; k++) {
        const Entry *e = &f->c->entry[k];
        int status = run(f, e);
        if (status != want && status != OK) fail("%s: %s returns %d", what, e->name, status);
        else passed++;
        if (status == OK) bits_same(f, bits, e, what, -1);
        noticed += status == want;
    }
    if (!noticed) fail("%s is not noticed by any function", what);
}

static void test_indices(const Code *c, const Case *data, const Bits *bits) {
    Frame f = frame_new(c, data, 0);
    Arena *arena = c->m->g->arena;
    for (int k = 0; k < c->m->nfields; k++) {
        const Field *x = &c->m->field[k];
        const Poly *target = ARRAY(c->m->g, x->array)->target;
        int64_t top = 0;
        if (!x->is_input || !target || data->count[k] == 0) continue;
        Interp *in = interp_new(c->m->g, data->dims);
        interp_size(in, target, &top);
        interp_free(in);
        int64_t values[] = {-1, top, INT32_MAX, INT32_MIN};
        for (int v = 0; v < 4; v++) {
            int64_t e = v == 0 ? 0 : v == 1 ? data->count[k] - 1 : random_below(data->count[k]);
            write_entry(x, f.box[k].at, e, 0, values[v]);
            if (x->by_value) put(&f, slot_of(&f, k), f.box[k].at, x->entry);
            expect_status(&f, bits, BAD_INDEX,
                          arena_format(arena, "%s[%lld] = %lld", x->name, (long long)e,
                                       (long long)values[v]));
            write_input(&f, k);
        }
    }
    frame_free(&f);
}

static void test_null_inputs(const Code *c, const Case *data, const Bits *bits) {
    Frame f = frame_new(c, data, 0);
    for (int k = 0; k < c->m->nfields; k++) {
        const Field *x = &c->m->field[k];
        if (!x->is_input || x->by_value) continue;
        set_pointer(&f, k, NULL);
        expect_status(&f, bits, NIL, arena_format(c->m->g->arena, "%s = NULL", x->name));
        set_pointer(&f, k, f.box[k].at);
    }
    for (int k = 0; k < c->n; k++)
        expect(c->entry[k].call(NULL, NULL) == NIL, "no arguments at all are accepted");
    expect(c->size[0](NULL) == SIZE_MAX, "the workspace of no arguments has a size");
    frame_free(&f);
}

static void test_sizes(const Code *c, const Case *data) {
    Frame f = frame_new(c, data, 0);
    const Graph *g = c->m->g;
    for (int k = 1; k < g->dims.n; k++) {
        int64_t values[] = {least_of(g, k) - 1,     0,        -1, INT64_MIN,
                            (int64_t)INT32_MAX + 1, INT64_MAX};
        for (int v = 0; v < 6; v++) {
            set_dim(&f, k, values[v]);
            int want = values[v] < least_of(g, k) ? BAD_SIZE : OVERFLOWS;
            for (int q = 0; q < c->n; q++) {
                int status = c->entry[q].call(f.args, NULL);
                if (status != want)
                    fail("%s = %lld: %s returns %d", g->dims.at[k].name, (long long)values[v],
                         c->entry[q].name, status);
                else passed++;
            }
            for (int r = 0; r < c->nlayouts; r++) {
                if (size_of(&f, r) != SIZE_MAX)
                    fail("%s = %lld: a workspace of %zu bytes", g->dims.at[k].name,
                         (long long)values[v], size_of(&f, r));
                else passed++;
            }
        }
        set_dim(&f, k, data->dims[k]);
    }
    for (int k = 1; k < g->dims.n; k++)
        set_dim(&f, k, INT32_MAX); /* nothing overflows on the way */
    for (int r = 0; r < c->nlayouts; r++)
        expect(size_of(&f, r) % 64 == 0 || size_of(&f, r) == SIZE_MAX,
               "a workspace of a fraction of 64 bytes");
    /* Sizes that are good one by one, but not together: BAD_SIZE wherever an extent is negative,
     * and nowhere else. */
    int64_t *dims = arena_alloc(g->arena, (size_t)(g->dims.n + 1) * sizeof *dims);
    for (int turn = 0; turn < 20 && g->dims.n > 1; turn++) {
        for (int k = 1; k < g->dims.n; k++) {
            dims[k] = least_of(g, k) + random_below(5);
            set_dim(&f, k, dims[k]);
        }
        bool good = extents_good(c->m, dims);
        if (good != (c->size[0](f.args) != SIZE_MAX))
            fail("sizes that are %s get a workspace of %zu bytes", good ? "good" : "bad",
                 c->size[0](f.args));
        else passed++;
        for (int k = 0; k < c->n && !good; k++)
            expect(c->entry[k].call(f.args, NULL) == BAD_SIZE, "a negative extent is not noticed");
    }
    frame_free(&f);
}

static void test_workspace(const Code *c, const Case *data, const Bits *bits) {
    Frame f = frame_new(c, data, 0);
    for (int how = 0; how < 2; how++) {
        int noticed = 0;
        size_t most = 0;
        for (int k = 0; k < c->n; k++) {
            const Entry *e = &c->entry[k];
            if (e->before >= 0) continue;
            size_t bytes = size_of(&f, e->layout);
            Box w = box_new(bytes + 64, 1, 64);
            most = bytes > most ? bytes : most;
            frame_clear(&f);
            int status = e->call(f.args, how ? w.at + 8 : NULL);
            if (status != OK && status != WORKSPACE)
                fail("%s returns %d for a workspace that is %s", e->name, status,
                     how ? "not aligned" : "NULL");
            else passed++;
            if (bytes == 0 && how == 0) expect(status == OK, "a workspace of 0 bytes may be NULL");
            if (status == OK) bits_same(&f, bits, e, "for want of a workspace", -1);
            noticed += status == WORKSPACE;
            box_free(&w);
        }
        if (most > 0 && !noticed) fail("no function wants its workspace");
    }
    frame_free(&f);
}

/* ---- one model
 * --------------------------------------------------------------------------------------------------------------------
 */

static const Config sanitized_configs[] = {
    {"double, sanitized by gcc", "LD_PRELOAD= gcc",
     "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all", VALUE_DOUBLE, false, false, NULL,
     NULL},
    {"float, sanitized by gcc", "LD_PRELOAD= gcc",
     "-O1 -fsanitize=address,undefined -fno-sanitize-recover=all", VALUE_FLOAT, true, true, NULL,
     NULL},
    {"double, sanitized by clang", "LD_PRELOAD= clang",
     "-O1 -shared-libasan -fsanitize=address,undefined -fsanitize-trap=undefined", VALUE_DOUBLE,
     true, false, NULL, NULL},
};
static const Config openmp_configs[] = {
    {"double, gcc, in parts", "gcc", "-O2 -fopenmp -DGRADC_PARTS_FEWEST=3", VALUE_DOUBLE, false,
     false, NULL, NULL},
    {"float, clang, parts backwards, standalone", "clang",
     "-O1 -DGRADC_PARTS_FEWEST=5 -DGRADC_PARTS_BACKWARDS", VALUE_FLOAT, true, false, NULL, NULL},
    {"double, gcc, parts backwards, sizes fixed", "gcc",
     "-O1 -DGRADC_PARTS_FEWEST=4 -DGRADC_PARTS_BACKWARDS", VALUE_DOUBLE, false, true, NULL, NULL},
};
enum {
    OPENMP = sizeof openmp_configs / sizeof *openmp_configs,
    CONFIGS = sizeof configs / sizeof *configs,
    SANITIZED = sizeof sanitized_configs / sizeof *sanitized_configs
};

static void test_config(const char *path, const char *name, const Config *config,
                        Case *const *cases, const Model *oracle) {
    int open = config->fixed && cases[DATA] ? oracle->g->dims.n - 1 : 0;
    DimFix *fix = arena_alloc(oracle->g->arena, (size_t)(open + MOST_FIXED) * sizeof *fix);
    int nfix = fixed_by_file(oracle->g->arena, path, fix);
    for (int k = 0; k < open; k++)
        fix[nfix++] = (DimFix){oracle->g->dims.at[k + 1].name, cases[DATA]->dims[k + 1]};
    Model m;
    Code code;
    Config own = *config;
    about = own.name;
    if (!load(&m, path, name, config->real, nfix, fix, false)) {
        fail("the second time it is refused");
        messages_print(m.cx, stdout, COLOUR_NEVER);
        return;
    }
    if (!compile(&code, &m, &own)) return;
    for (int k = 0; k < SIZES * DATA; k++) {
        if (!cases[k] || (config->fixed && k / DATA != 1)) continue;
        Bits bits = {0};
        Case c = *cases[k];
        c.poisoned = c.poisoned || (config->real == VALUE_FLOAT && has_counts(&m));
        bool good = !c.poisoned;
        about = arena_format(m.g->arena, "%s; %s", own.name, c.label);
        test_values(&code, &c, &bits);
        for (int f = 0; f < m.nfields; f++) good = good && cases[k]->status[f] == OK;
        if (good && k / DATA != 1) test_workspace(&code, cases[k], &bits);
        if (!good || k / DATA != 1) continue;
        test_null_outputs(&code, cases[k], &bits);
        test_null_inputs(&code, cases[k], &bits);
        test_workspace(&code, cases[k], &bits);
        test_indices(&code, cases[k], &bits);
        if (!config->fixed) test_sizes(&code, cases[k]);
    }
    dlclose(code.library);
    context_free(m.cx);
}

static void test_model(const char *path, const char *name) {
    Model oracle;
    Case *cases[SIZES * DATA] = {0};
    Context *own = context_new();
    DimFix fix[MOST_FIXED];
    about = "the interpreter";
    if (!load(&oracle, path, name, VALUE_DOUBLE, fixed_by_file(own->arena, path, fix), fix, true)) {
        bool not_yet = false;
        for (int k = 0; k < oracle.cx->messages.n; k++)
            not_yet = not_yet || strstr(oracle.cx->messages.at[k].text, "not yet");
        if (not_yet) {
            skipped++;
            printf("  skipped: %s\n", oracle.cx->messages.at[0].text);
        } else {
            fail("refused");
            messages_print(oracle.cx, stdout, COLOUR_NEVER);
        }
        return;
    }
    list_fields(&oracle);
    for (int k = 0; k < SIZES * DATA; k++) {
        if (k && k / DATA > 0 && oracle.g->dims.n < 2 && k / DATA != 1)
            continue; /* no sizes to vary */
        cases[k] = make_case(&oracle, k / DATA, k % DATA);
    }
    const Config *list = sanitized ? sanitized_configs : openmp ? openmp_configs : configs;
    int n = sanitized ? SANITIZED : openmp ? OPENMP : thorough ? CONFIGS : USUAL;
    for (int k = 0; k < n; k++) {
        if (config_part && !strstr(list[k].name, config_part)) continue;
        if (list[k].fixed && oracle.g->dims.n < 2) continue;
        test_config(path, name, &list[k], cases, &oracle);
    }
    context_free(oracle.cx);
    context_free(own);
}

/* ---- all models, some at a time
 * ------------------------------------------------------------------------------------------------------
 */

typedef struct Job {
    pid_t pid;
    const char *path, *name;
    char log[PATH_MAX];
} Job;

static long total_passed, total_failed, total_skipped;

static void finish(Job *jobs, int n) {
    int status;
    pid_t pid = wait(&status);
    for (int k = 0; k < n; k++) {
        if (jobs[k].pid != pid) continue;
        char line[4096];
        long p = 0, f = 0, s = 0;
        bool sum = false;
        FILE *in = fopen(jobs[k].log, "r");
        Context *cx = context_new();
        Text text = text_new(cx->arena);
        while (in && fgets(line, sizeof line, in)) {
            if (sscanf(line, "sum %ld %ld %ld", &p, &f, &s) == 3) sum = true;
            else text_raw(&text, line);
        }
        if (in) fclose(in);
        unlink(jobs[k].log);
        if (!sum || status) {
            text_add(&text, "  ended by %s %d\n", WIFSIGNALED(status) ? "signal" : "status",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            f++;
        }
        if (text.n) printf("%s (%s)\n%s", jobs[k].name, jobs[k].path, text_string(&text));
        fflush(stdout);
        context_free(cx);
        total_passed += p, total_failed += f, total_skipped += s;
        jobs[k].pid = 0;
    }
}

static void start(Job *jobs, int n, const char *path, const char *name) {
    int k = 0;
    for (;;) {
        for (k = 0; k < n && jobs[k].pid; k++) {
        }
        if (k < n) break;
        finish(jobs, n);
    }
    static int number;
    jobs[k].path = path, jobs[k].name = name;
    snprintf(jobs[k].log, sizeof jobs[k].log, "%s/log.%d.%d", work, (int)getpid(), number++);
    fflush(stdout);
    jobs[k].pid = fork();
    if (jobs[k].pid) return;
    int out = open(jobs[k].log, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    dup2(out, 1);
    dup2(out, 2);
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(TIME);
    if (!sanitized) {
        struct sigaction action = {.sa_sigaction = crashed, .sa_flags = SA_SIGINFO};
        static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
        for (int q = 0; q < 5; q++) sigaction(signals[q], &action, NULL);
    }
    passed = failed = skipped = 0;
    test_model(path, name);
    if (failed > 12) printf("  ... %ld failures in all\n", failed);
    printf("sum %ld %ld %ld\n", passed, failed, skipped);
    fflush(stdout);
    _exit(0);
}

int main(int argc, char **argv) {
    enum { MOST_JOBS = 64 };
    Job jobs[MOST_JOBS] = {0};
    int njobs = 2;
    const char *only = NULL;
    Context *all = context_new();
    for (int k = 1; k < argc; k++) {
        if (!strcmp(argv[k], "--runtime") && k + 1 < argc) runtime = argv[++k];
        else if (!strcmp(argv[k], "--work") && k + 1 < argc) work = argv[++k];
        else if (!strcmp(argv[k], "--only") && k + 1 < argc) only = argv[++k];
        else if (!strcmp(argv[k], "--config") && k + 1 < argc) config_part = argv[++k];
        else if (!strcmp(argv[k], "--jobs") && k + 1 < argc) {
            njobs = atoi(argv[++k]);
            njobs = njobs < 1 ? 1 : njobs > MOST_JOBS ? MOST_JOBS : njobs;
        } else if (!strcmp(argv[k], "--keep")) keeps = true;
        else if (!strcmp(argv[k], "--sanitize")) sanitized = true;
        else if (!strcmp(argv[k], "--thorough")) thorough = true;
        else if (!strcmp(argv[k], "--openmp")) {
            openmp = true;
            setenv("OMP_WAIT_POLICY", "passive", 0); /* there are many short loops */
        } else if (runtime && work) {
            if (!heads[0]) snprintf(heads, sizeof heads, "%s/runtime.%d.", work, (int)getpid());
            /* A file that cannot be checked is a failure in the end: its models are not known, so
             * its name stands for them. */
            Context *cx = context_new();
            DimFix fix[MOST_FIXED];
            int nfix = fixed_by_file(cx->arena, argv[k], fix);
            Program *p = check_program(cx, argv[k], nfix, fix);
            if (!p) {
                printf("%s\n", argv[k]);
                messages_print(cx, stdout, COLOUR_NEVER);
                total_failed++;
            }
            for (int q = 0; p && q < p->models.n; q++) {
                const char *name = symbol_text(cx, p->models.at[q]->name);
                if (!only || !strcmp(name, only))
                    start(jobs, njobs, argv[k], arena_format(all->arena, "%s", name));
            }
            context_free(cx);
        }
    }
    if (!runtime || !work) {
        fprintf(stderr,
                "usage: emitted --runtime DIR --work DIR [--sanitize] [--openmp] [--thorough] "
                "[--keep] [--jobs N] [--config PART] [--only NAME] MODEL.grad ...\n");
        return 2;
    }
    for (;;) {
        bool busy = false;
        for (int k = 0; k < njobs; k++) busy = busy || jobs[k].pid;
        if (!busy) break;
        finish(jobs, njobs);
    }
    if (heads[0] && !keeps && system(arena_format(all->arena, "rm -rf %s*", heads))) total_failed++;
    context_free(all);
    printf("%ld passed, %ld failed, %ld skipped\n", total_passed, total_failed, total_skipped);
    return total_failed != 0;
}
