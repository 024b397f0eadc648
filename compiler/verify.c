/* verify: in, a graph with its requests and recorded gradients; out, a table of how well each
 * derivative agrees.
 *
 * What is checked is a *subject*: rows (entries of an array, or a term at several places of its
 * indices), columns (entries of the array they are differentiated by) and the array of the graph
 * that claims to be the matrix of derivatives. At each point the claim is compared with dual
 * numbers, which share no rule with differentiation, and with central differences extrapolated to
 * step 0, which share nothing at all. A subject with many entries is sampled. Points at which the
 * model gives a status or no number are drawn again. */
#include "verify.h"
#include "interp.h"
#include "json.h"
#include "ops.h"
#include "print.h"
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    POINTS = 3,
    ATTEMPTS = 400, /* at one point */
    SIZE_ATTEMPTS = 60,
    ROWS = 8, /* looked at, of a subject */
    COLUMNS = 48,
    MOST_MOVED = 1 << 20, /* entries of what moves */
    LEVELS = 8,           /* of differences, each with half the step of the one before */
    AXES = 32
};
static const double WORK = 3e7; /* evaluated nodes for one subject, over all points, by dual
                                   numbers, and as many for differences */
static const double DUAL_TOLERANCE = 1e-9, DIFFERENCE_TOLERANCE = 1e-6;

/* ---- random numbers: splitmix64 (Steele, Lea, Flood 2014)
 * -------------------------------------------------------------- */

typedef struct Random {
    uint64_t state;
} Random;

static uint64_t random_bits(Random *r) {
    uint64_t z = r->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static double random_unit(Random *r) { /* in [0, 1) */
    return (double)(random_bits(r) >> 11) * 0x1p-53;
}

static int64_t random_below(Random *r, int64_t n) { /* the bias of n / 2^64 is no matter here */
    return (int64_t)(random_bits(r) % (uint64_t)n);
}

static double random_normal(Random *r) { /* Marsaglia's polar method */
    for (;;) {
        double x = 2 * random_unit(r) - 1, y = 2 * random_unit(r) - 1, s = x * x + y * y;
        if (s > 0 && s < 1) return x * sqrt(-2 * log(s) / s);
    }
}

/* ---- what is given and what is drawn
 * -------------------------------------------------------------------------------------- */

typedef enum DrawKind { DRAW_DEFAULT, DRAW_UNIFORM, DRAW_NORMAL, DRAW_VALUE, DRAW_DATA } DrawKind;

/* How numbers are drawn when nothing is said. Reals: around zero, or positive. Wholes: any, rising
 * (offsets), or with entry k at most k (parents that stand before their children). */
typedef enum Habit {
    HABIT_ANY,
    HABIT_POSITIVE,
    HABIT_RISING = HABIT_POSITIVE,
    HABIT_EARLIER,
    HABIT_COUNT
} Habit;

typedef struct Input {
    ArrayRef array;
    DrawKind kind;
    double a, b;
    const Json *json;
    Habit habit;
    int64_t count, target; /* target: -1 where there is none */
    double *real;
    int64_t *whole;
} Input;

typedef struct Check {
    Graph *g;
    Context *cx;
    Arena *arena;
    const VerifyOptions *o;
    FILE *out;
    Random random;
    int64_t *dims;
    bool *dim_given;
    Input *input;
    int ninputs, points;
    Interp *in;
    int64_t redrawn;
    char reason[400]; /* of the first redraw */
    bool *outside;    /* by array: it calls a function of C, or reads what does */
} Check;

static bool is_real(const Array *a) {
    return a->type >= VALUE_FLOAT;
}

static Input *input_named(Check *c, const char *name) {
    for (int k = 0; k < c->ninputs; k++) {
        if (!strcmp(ARRAY(c->g, c->input[k].array)->name, name)) return &c->input[k];
    }
    return NULL;
}

static int dim_named(const Check *c, const char *name) {
    for (int k = 1; k < c->g->dims.n; k++) {
        if (!strcmp(c->g->dims.at[k].name, name)) return k;
    }
    return 0;
}

static const char *nearest_name(Check *c, const char *name) {
    VEC(const char *) known = {0};
    for (int k = 0; k < c->ninputs; k++)
        VEC_PUSH(c->arena, known, ARRAY(c->g, c->input[k].array)->name);
    for (int k = 1; k < c->g->dims.n; k++) VEC_PUSH(c->arena, known, c->g->dims.at[k].name);
    const char *near = closest(c->cx, name, known.at, known.n);
    return near ? arena_format(c->arena, "; did you mean '%s'?", near) : "";
}

/* A number at *text, which moves behind it and behind spaces. */
static bool take_number(const char **text, double *value) {
    char *end;
    *value = strtod(*text, &end);
    if (end == *text) return false;
    while (*end == ' ') end++;
    *text = end;
    return true;
}

/* The two numbers of "(a, b)", with nothing behind. */
static bool take_pair(const char *text, double *a, double *b) {
    if (*text++ != '(' || !take_number(&text, a) || *text++ != ',' || !take_number(&text, b))
        return false;
    return !strcmp(text, ")");
}

/* One --set. */
static bool read_set(Check *c, const char *text) {
    const char *equals = strchr(text, '=');
    const char *name = arena_text(c->arena, text, equals ? (size_t)(equals - text) : strlen(text));
    const char *what = equals ? equals + 1 : "", *rest = what;
    double a = 0, b = 0;
    DrawKind kind = DRAW_DEFAULT;
    if (!strncmp(what, "uniform", 7) && take_pair(what + 7, &a, &b) && a <= b && isfinite(b - a))
        kind = DRAW_UNIFORM;
    else if (!strncmp(what, "normal", 6) && take_pair(what + 6, &a, &b) && b >= 0 && isfinite(a) &&
             isfinite(b))
        kind = DRAW_NORMAL;
    else if (take_number(&rest, &a) && !*rest) kind = DRAW_VALUE;
    Input *input = input_named(c, name);
    int dim = dim_named(c, name);
    if (!equals || kind == DRAW_DEFAULT) {
        error_at(c->cx, (Span){0},
                 "--set %s: write NAME=uniform(a,b), NAME=normal(m,s) or NAME=number", text);
    } else if (!input && !dim) {
        error_at(c->cx, (Span){0},
                 "--set %s: the model has no input, param or open dimension '%s'%s", text, name,
                 nearest_name(c, name));
    } else if (dim) {
        if (kind != DRAW_VALUE || a != floor(a) || !(a >= 1 && a < 1e15)) {
            error_at(c->cx, (Span){0}, "--set %s: a dimension is a whole number, at least 1", text);
        } else {
            c->dims[dim] = (int64_t)a;
            c->dim_given[dim] = true;
            return true;
        }
    } else if (!is_real(ARRAY(c->g, input->array)) &&
               (kind == DRAW_NORMAL || a != floor(a) || b != floor(b) || fabs(a) > 1e15 ||
                fabs(b) > 1e15)) {
        error_at(c->cx, (Span){0}, "--set %s: '%s' takes whole numbers", text, name);
    } else {
        input->kind = kind, input->a = a, input->b = b;
        return true;
    }
    return false;
}

/* A size from the data: given, or the length of a list. */
static void learn_dim(Check *c, int dim, int64_t size, Span at) {
    const GraphDim *d = &c->g->dims.at[dim];
    if (c->dim_given[dim] && c->dims[dim] != size) {
        error_at(c->cx, at, "this makes '%s' %" PRId64 ", but it is %" PRId64, d->name, size,
                 c->dims[dim]);
    } else if (size < d->least || size < 1) {
        error_at(c->cx, at, "'%s' is %" PRId64 ", but must be at least %" PRId64, d->name, size,
                 d->least < 1 ? 1 : d->least);
    }
    c->dims[dim] = size;
    c->dim_given[dim] = true;
}

/* Sizes that the lists of an array's data tell: where the extent is a dimension alone. */
static void learn_from_lists(Check *c, const Array *a, const Json *v) {
    for (int k = 0; k < a->rank && v && v->kind == JSON_LIST; k++, v = v->first) {
        const Poly *e = a->extent[k];
        if (e->n == 1 && e->term[0].nvars == 1 && e->term[0].num == 1 && e->term[0].den == 1) {
            learn_dim(c, (int)NODE(c->g, e->term[0].var[0])->aux, v->n, v->at);
        }
    }
}

static void read_data(Check *c, const char *path) {
    const char *why;
    uint32_t file = source_read(c->cx, path, &why);
    if (!file) {
        error_at(c->cx, (Span){0}, "cannot read '%s': %s", path, why);
        return;
    }
    const Json *data = json_parse(c->cx, file);
    if (!data) return;
    if (data->kind != JSON_OBJECT) {
        error_at(c->cx, data->at, "the data are an object of inputs by name, not %s",
                 json_kind_text(data));
        return;
    }
    for (const Json *m = data->first; m; m = m->next) {
        Input *input = input_named(c, m->name);
        int dim = dim_named(c, m->name);
        if (input && input->json) {
            error_at(c->cx, m->at, "'%s' is given twice", m->name);
        } else if (input) {
            input->kind = DRAW_DATA;
            input->json = m;
            learn_from_lists(c, ARRAY(c->g, input->array), m);
        } else if (dim && m->kind == JSON_NUMBER && m->is_whole) {
            learn_dim(c, dim, m->whole, m->at);
        } else if (dim) {
            error_at(c->cx, m->at, "'%s' is a dimension: a whole number", m->name);
        } else {
            error_at(c->cx, m->at, "the model has no input, param or open dimension '%s'%s",
                     m->name, nearest_name(c, m->name));
        }
    }
}

/* The data of one array, list in list; entries in order. */
static bool fill_from_json(Check *c, Input *input, const Json *v, int axis, int64_t *entry) {
    const Array *a = ARRAY(c->g, input->array);
    if (axis < a->rank) {
        int64_t n = interp_extent(c->in, input->array, axis);
        if (v->kind != JSON_LIST || v->n != n) {
            error_at(c->cx, v->at, "axis %d of '%s' has %" PRId64 " entries; here is %s%s", axis,
                     a->name, n, json_kind_text(v),
                     v->kind == JSON_LIST ? arena_format(c->arena, " of %" PRId64, v->n) : "");
            return false;
        }
        for (const Json *item = v->first; item; item = item->next) {
            if (!fill_from_json(c, input, item, axis + 1, entry)) return false;
        }
        return true;
    }
    if (v->kind != JSON_NUMBER && !(v->kind == JSON_BOOL && a->type == VALUE_BOOL)) {
        error_at(c->cx, v->at, "an entry of '%s' is a number; here is %s", a->name,
                 json_kind_text(v));
        return false;
    }
    if (is_real(a)) {
        input->real[(*entry)++] = v->number;
        return true;
    }
    int64_t top = a->type == VALUE_BOOL ? 2 : input->target;
    if (!v->is_whole || (top >= 0 && (v->whole < 0 || v->whole >= top))) {
        if (top >= 0)
            error_at(c->cx, v->at, "an entry of '%s' lies in 0..%" PRId64, a->name, top - 1);
        else error_at(c->cx, v->at, "an entry of '%s' is a whole number", a->name);
        return false;
    }
    input->whole[(*entry)++] = v->whole;
    return true;
}

/* ---- sizes
 * --------------------------------------------------------------------------------------------------------------------
 */

/* The smallest extent of any array at these sizes; -1 when one is negative. */
static int64_t smallest_extent(Check *c) {
    Interp *in = interp_new(c->g, c->dims);
    int64_t least = INT64_MAX;
    for (ArrayRef a = 1; a < (ArrayRef)c->g->arrays.n; a++) {
        for (int k = 0; k < ARRAY(c->g, a)->rank; k++) {
            int64_t n = interp_extent(in, a, k);
            if (n < least) least = n;
        }
    }
    interp_free(in);
    return least;
}

/* Small sizes, different from each other, falling in the order of the source; others where that
 * leaves an array empty. */
static bool choose_sizes(Check *c) {
    int ndims = c->g->dims.n, open = 0;
    int64_t *best = arena_alloc(c->arena, (size_t)(ndims + 1) * sizeof *best), best_least = -1;
    for (int k = 1; k < ndims; k++) open += !c->dim_given[k];
    for (int attempt = 0; attempt < SIZE_ATTEMPTS; attempt++) {
        int64_t next = open + 2;
        for (int k = 1; k < ndims; k++) {
            if (c->dim_given[k]) continue;
            int64_t size = attempt == 0 ? next-- : 2 + random_below(&c->random, open + 3);
            int64_t least = c->g->dims.at[k].least;
            c->dims[k] = size > least ? size : least;
        }
        int64_t least = smallest_extent(c);
        if (least > best_least) {
            best_least = least;
            memcpy(best, c->dims, (size_t)ndims * sizeof *best);
        }
        if (least >= 1 || open == 0) break;
    }
    memcpy(c->dims, best, (size_t)ndims * sizeof *best);
    return best_least >= 0;
}

/* Fixed data are read, room is made for what is drawn. */
static bool make_inputs(Check *c) {
    for (int k = 0; k < c->ninputs; k++) {
        Input *input = &c->input[k];
        const Array *a = ARRAY(c->g, input->array);
        int64_t entry = 0;
        input->count = interp_entries(c->in, input->array);
        input->target = -1;
        if (a->target && !interp_size(c->in, a->target, &input->target)) {
            error_at(c->cx, a->at, "the range of '%s' makes no sense at these sizes", a->name);
            return false;
        }
        if (is_real(a)) {
            input->real = arena_alloc(c->arena, (size_t)(input->count + 1) * sizeof *input->real);
            interp_bind_real(c->in, input->array, input->real);
        } else {
            input->whole = arena_alloc(c->arena, (size_t)(input->count + 1) * sizeof *input->whole);
            interp_bind_int(c->in, input->array, input->whole);
        }
        if (input->kind == DRAW_DATA && !fill_from_json(c, input, input->json, 0, &entry))
            return false;
    }
    return true;
}

/* ---- points
 * ----------------------------------------------------------------------------------------------------------------------
 */

static double draw_real(Check *c, const Input *input) {
    double u;
    switch (input->kind) {
    case DRAW_UNIFORM: u = random_unit(&c->random); return input->a + (input->b - input->a) * u;
    case DRAW_NORMAL: return input->a + input->b * random_normal(&c->random);
    case DRAW_VALUE: return input->a;
    default:
        u = random_unit(&c->random);
        return input->habit == HABIT_POSITIVE ? 0.1 + 0.9 * u : 2 * u - 1;
    }
}

static int64_t draw_whole(Check *c, const Input *input) {
    int64_t top = ARRAY(c->g, input->array)->type == VALUE_BOOL ? 2
                  : input->target >= 0                          ? input->target
                                                                : 3;
    switch (input->kind) {
    case DRAW_UNIFORM:
        return (int64_t)input->a + random_below(&c->random, (int64_t)(input->b - input->a) + 1);
    case DRAW_VALUE: return (int64_t)input->a;
    default: return top > 0 ? random_below(&c->random, top) : 0;
    }
}

static int compare_whole(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void draw_inputs(Check *c) {
    for (int k = 0; k < c->ninputs; k++) {
        Input *input = &c->input[k];
        for (int64_t e = 0; e < input->count && input->kind != DRAW_DATA; e++) {
            if (input->real) {
                input->real[e] = draw_real(c, input);
                continue;
            }
            input->whole[e] = draw_whole(c, input);
            if (input->kind == DRAW_DEFAULT && input->habit == HABIT_EARLIER)
                input->whole[e] %= e + 1;
        }
        if (input->whole && input->kind == DRAW_DEFAULT && input->habit == HABIT_RISING) {
            qsort(input->whole, (size_t)input->count, sizeof *input->whole, compare_whole);
        }
    }
    interp_reset(c->in);
}

/* ---- what calls functions of C, which nobody can call here
 * ---------------------------------------------------------------------------------------------
 */

static bool is_outside(Check *c, Ref term) {
    Graph *g = c->g;
    bool outside = false;
    Walk walk = walk_start(g, term);
    for (Ref r; !outside && (r = walk_next(walk));) {
        outside = NODE(g, r)->op == OP_EXTERN ||
                  (NODE(g, r)->op == OP_READ && c->outside[NODE(g, r)->aux]);
        walk_into(walk, r);
    }
    return outside;
}

static void find_outside(Check *c) {
    const Graph *g = c->g;
    c->outside = arena_alloc(c->arena, (size_t)g->arrays.n * sizeof *c->outside);
    for (bool again = g->externs.n > 0; again;) { /* arrays may read later ones */
        again = false;
        for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
            for (int q = 0; q < ARRAY(g, a)->pieces.n && !c->outside[a]; q++) {
                const Piece p = ARRAY(g, a)->pieces.at[q];
                if (is_outside(c, p.body) || (p.guard && is_outside(c, p.guard)))
                    c->outside[a] = again = true;
            }
        }
    }
}

/* When drawing around zero does not do, perhaps some arrays must be positive: logarithms, square
 * roots, variances. */
static void change_habits(Check *c, int attempt) {
    for (int k = 0; k < c->ninputs; k++) {
        Habit *h = &c->input[k].habit;
        if (attempt < 3) return;
        *h = attempt < 6 ? HABIT_POSITIVE : (Habit)random_below(&c->random, HABIT_COUNT);
    }
}

static bool from_data(InterpStatus s) {
    return s >= INTERP_RANGE && s <= INTERP_SIZE;
}

typedef enum PointState { POINT_GOOD, POINT_PARTLY, POINT_UNDEFINED, POINT_BROKEN } PointState;

/* Does every entry that the outputs' equations define have a value, those too that no output reads?
 * Emitted code computes whole arrays, and the derivatives may look at all of them. */
static bool all_defined(Check *c, char *why, size_t room) {
    const Order order = graph_order(c->g, c->g->outputs.n, c->g->outputs.at);
    for (int k = 0; k < order.n; k++) {
        if (c->outside[order.array[k]]) continue;
        int64_t count = interp_entries(c->in, order.array[k]), step = 1 + count / 4096;
        for (int64_t e = 0; e < count; e += step) {
            Number x;
            if (!interp_entry(c->in, order.array[k], e, &x) && from_data(interp_status(c->in))) {
                snprintf(why, room, "%s", interp_message(c->in));
                return false;
            }
        }
    }
    return true;
}

/* Is the model defined here? Every output is asked for, and what requests differentiate is finite.
 */
static PointState point_state(Check *c, char *why, size_t room) {
    const Graph *g = c->g;
    for (int pass = 0; pass < 2; pass++) {
        int n = pass ? g->requests.n : g->outputs.n;
        for (int k = 0; k < n; k++) {
            ArrayRef a = pass ? g->requests.at[k].of : g->outputs.at[k];
            if (c->outside[a]) continue;
            int64_t count = interp_entries(c->in, a), step = 1 + count / 4096;
            for (int64_t e = 0; e < count; e += step) {
                Number x = {0};
                if (!interp_entry(c->in, a, e, &x)) {
                    snprintf(why, room, "%s", interp_message(c->in));
                    return from_data(interp_status(c->in)) ? POINT_UNDEFINED : POINT_BROKEN;
                }
                if (isnan(x.v) || (pass && isinf(x.v))) {
                    snprintf(why, room, "%s is %s", ARRAY(g, a)->name,
                             isnan(x.v) ? "not a number" : "infinite");
                    return POINT_UNDEFINED;
                }
            }
        }
    }
    return all_defined(c, why, room) ? POINT_GOOD : POINT_PARTLY;
}

/* Draws until the model is defined. */
static bool find_point(Check *c) {
    bool drawn = false;
    for (int k = 0; k < c->ninputs; k++)
        drawn = drawn || (c->input[k].kind != DRAW_DATA && c->input[k].kind != DRAW_VALUE);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        char why[400];
        change_habits(c, attempt);
        draw_inputs(c);
        PointState s = point_state(c, why, sizeof why);
        if (s == POINT_GOOD || (s == POINT_PARTLY && (!drawn || attempt > ATTEMPTS / 2)))
            return true;
        if (s == POINT_BROKEN) {
            fprintf(c->out, "  the model cannot be evaluated: %s\n", why);
            return false;
        }
        if (!c->redrawn++) memcpy(c->reason, why, sizeof why);
        if (!drawn) {
            fprintf(c->out, "  the model is not defined at the given data: %s\n", why);
            return false;
        }
    }
    fprintf(c->out,
            "  no point was found in %d draws at which the model is defined (%s).\n"
            "  Say how inputs are to be drawn, --set NAME=uniform(a,b), or give them, --data "
            "FILE.json\n",
            ATTEMPTS, c->reason);
    return false;
}

/* ---- subjects
 * ----------------------------------------------------------------------------------------------------------------------
 */

typedef struct Tally { /* over all points */
    int64_t entries, compared, tried, at_kink, unclear, undefined, unasked, failed;
    double dual, difference, one_sided; /* worst, relative */
    double badness;                     /* of the entry shown */
    bool some;                          /* an entry was not 0 */
    char shown[300];
    char broken[400];
} Tally;

typedef struct Subject {
    ArrayRef of; /* rows are its entries, or */
    Ref term;    /* the values of a term over these indices: */
    int ncontext;
    const Ref *context;
    ArrayRef by, result;
    int nalong; /* of a directional derivative: what moves; it has one column, and no `by` */
    const Motion *along;
    bool outside; /* it calls a function of C */
    bool vast;    /* what moves has too many entries to be held here */
    bool stops;   /* there is a stop_gradient on the way: differences do not know of it */
    int64_t row_extent[AXES];
    int nrow_axes;
    Tally tally;
} Subject;

typedef struct Matrix { /* what was found at one point, by sampled rows and columns */
    int nrows, ncols;
    int64_t row[ROWS], col[COLUMNS];
    bool tried[COLUMNS]; /* by differences; by dual numbers all are */
    double base[ROWS];   /* values of the rows; NaN: not defined */
    double *claim, *dual, *difference, *error, *one_sided; /* [row * ncols + col] */
    bool *kink;
} Matrix;

/* n different numbers below `count`, ascending; all of them if they are no more (Floyd's sampling).
 */
static int sample(Random *r, int64_t count, int n, int64_t *out) {
    if (count <= n) {
        for (int k = 0; k < (int)count; k++) out[k] = k;
        return (int)count;
    }
    for (int k = 0; k < n; k++) {
        int64_t top = count - n + k, x = random_below(r, top + 1);
        int at = 0;
        for (int j = 0; j < k; j++) {
            if (out[j] == x) x = top;
        }
        for (at = k; at > 0 && out[at - 1] > x; at--) out[at] = out[at - 1];
        out[at] = x;
    }
    return n;
}

static void unflatten(int64_t entry, int n, const int64_t *extent, int64_t *position) {
    for (int k = n; k-- > 0;) {
        position[k] = extent[k] ? entry % extent[k] : 0;
        entry = extent[k] ? entry / extent[k] : 0;
    }
}

static bool row_value(Check *c, const Subject *s, int64_t row, Number *out) {
    if (!s->term) return interp_entry(c->in, s->of, row, out);
    int64_t position[AXES];
    unflatten(row, s->nrow_axes, s->row_extent, position);
    return interp_term(c->in, s->term, s->ncontext, s->context, position, out);
}

/* Extents of the rows, and whether the claimed matrix has the shape it must have. */
static bool shape_fits(Check *c, Subject *s) {
    const Array *of = s->of ? ARRAY(c->g, s->of) : NULL, *by = ARRAY(c->g, s->by),
                *result = ARRAY(c->g, s->result);
    int by_rank = s->nalong ? 0 : by->rank;
    s->nrow_axes = of ? of->rank : s->ncontext;
    if (s->nrow_axes > AXES || by_rank > AXES || result->rank != s->nrow_axes + by_rank)
        return false;
    for (int k = 0; k < s->nrow_axes; k++) {
        s->row_extent[k] = interp_extent(c->in, s->result, k);
        if (of && s->row_extent[k] != interp_extent(c->in, s->of, k)) return false;
    }
    for (int k = 0; k < by_rank; k++) {
        if (interp_extent(c->in, s->by, k) != interp_extent(c->in, s->result, s->nrow_axes + k))
            return false;
    }
    return true;
}

static double larger(double x, double y) {
    return x > y ? x : y;
}

typedef struct Moving { /* numbers that move together: *x[k] = at[k] + h by[k] */
    int n;
    double **x, *at, *by;
} Moving;

/* Moves them by h and returns by how much the first one really moved, as a multiple of its
 * direction. */
static double move(Check *c, const Moving *v, double h) {
    for (int k = 0; k < v->n; k++) *v->x[k] = v->at[k] + h * v->by[k];
    interp_reset(c->in);
    volatile double moved =
        v->n ? *v->x[0] - v->at[0] : 0; /* volatile: the step that is really made */
    return v->n == 1 ? moved / v->by[0] : h;
}

/* Central differences of some rows as numbers move, extrapolated to step 0 (Ridders 1982), with an
 * estimate of the error. */
static void differences(Check *c, const Subject *s, Matrix *m, int col, int first_row, int end_row,
                        const Moving *x) {
    double high[LEVELS][ROWS], low[LEVELS][ROWS], step[LEVELS];
    double h = 1.0 / 128, size = 0;
    for (int k = 0; k < x->n; k++) size = larger(size, fabs(x->at[k]));
    if (size > 0.25) h = size / 32;
    for (int k = 0; k < LEVELS; k++, h /= 2) {
        step[k] = 0;
        for (int side = 0; side < 2; side++) {
            step[k] += move(c, x, side ? -h : h) / (side ? -2 : 2);
            for (int r = first_row; r < end_row; r++) {
                Number v = {0};
                bool defined = !isnan(m->base[r]) && row_value(c, s, m->row[r], &v);
                (side ? low : high)[k][r] = defined ? v.v : NAN;
            }
        }
    }
    double once = move(c, x, larger(size, 1) * 0x1p-26);
    for (int r = first_row; r < end_row; r++) {
        Number v = {0};
        bool defined = !isnan(m->base[r]) && row_value(c, s, m->row[r], &v);
        m->one_sided[r * m->ncols + col] = defined ? (v.v - m->base[r]) / once : NAN;
    }
    for (int k = 0; k < x->n; k++) *x->x[k] = x->at[k];
    for (int r = first_row; r < end_row; r++) {
        double t[LEVELS][LEVELS], best = NAN, error = INFINITY, gap[LEVELS], noise = 0;
        int first = 0;
        for (int k = 0; k < LEVELS; k++) {
            if (!isfinite(high[k][r]) || !isfinite(low[k][r]))
                first = k + 1; /* only smaller steps count */
        }
        for (int k = first; k < LEVELS; k++) {
            double factor = 4, height = larger(fabs(high[k][r]), fabs(low[k][r])),
                   grain = 4 * DBL_EPSILON * height / step[k];
            t[k][0] = (high[k][r] - low[k][r]) / (2 * step[k]);
            gap[k] = fabs(high[k][r] - 2 * m->base[r] + low[k][r]) / step[k];
            noise = grain;
            for (int j = 1; j <= k - first; j++, factor *= 4) {
                t[k][j] = t[k][j - 1] + (t[k][j - 1] - t[k - 1][j - 1]) / (factor - 1);
                double e =
                    larger(fabs(t[k][j] - t[k][j - 1]), fabs(t[k][j] - t[k - 1][j - 1])) + grain;
                if (e < error) error = e, best = t[k][j];
            }
        }
        int e = r * m->ncols + col, last = LEVELS - 1;
        m->difference[e] = best, m->error[e] = error;
        /* Where the slopes to both sides differ by h f'', the gap halves with h; at a kink it
         * stays, at a jump it grows. */
        m->kink[e] = first <= last - 2 && gap[last] > 4 * noise &&
                     gap[last] > 1e-5 * (fabs(best) + gap[last - 2]) &&
                     gap[last] > 0.6 * gap[last - 2];
    }
    interp_reset(c->in);
}

static void matrix_room(Check *c, Matrix *m) {
    size_t n = (size_t)(m->nrows * m->ncols + 1);
    m->claim = arena_alloc(c->arena, n * sizeof *m->claim);
    m->dual = arena_alloc(c->arena, n * sizeof *m->dual);
    m->difference = arena_alloc(c->arena, n * sizeof *m->difference);
    m->error = arena_alloc(c->arena, n * sizeof *m->error);
    m->one_sided = arena_alloc(c->arena, n * sizeof *m->one_sided);
    m->kink = arena_alloc(c->arena, n * sizeof *m->kink);
}

/* Of the side of a choice that is not taken nobody asks for a derivative: then it is not there. */
static bool is_asked_for(Check *c, ArrayRef a, int64_t entry) {
    const Array *x = ARRAY(c->g, a);
    int64_t extent[AXES], place[AXES];
    for (int k = 0; k < x->rank && x->rank <= AXES; k++) extent[k] = interp_extent(c->in, a, k);
    if (x->rank > AXES || x->pieces.n == 0) return true;
    unflatten(entry, x->rank, extent, place);
    for (int q = 0; q < x->pieces.n; q++) {
        Number v = {0};
        Ref guard = x->pieces.at[q].guard;
        if (!guard || !interp_term(c->in, guard, x->rank, x->axis, place, &v) || v.i) return true;
    }
    return false;
}

/* What the graph says, for rows and columns of an array with so many columns. */
static bool read_claims(Check *c, Subject *s, Matrix *m, int64_t columns) {
    for (int r = 0; r < m->nrows; r++) {
        for (int k = 0; k < m->ncols && !isnan(m->base[r]); k++) {
            Number v = {0};
            int64_t entry = m->row[r] * columns + m->col[k];
            if (!is_asked_for(c, s->result, entry)) {
                s->tally.unasked += m->ncols;
                m->base[r] = NAN;
                break;
            }
            if (!interp_entry(c->in, s->result, entry, &v)) {
                snprintf(s->tally.broken, sizeof s->tally.broken, "no value: %s",
                         interp_message(c->in));
                return false;
            }
            m->claim[r * m->ncols + k] = v.v;
        }
    }
    return true;
}

/* Values of the chosen rows; whether there is any. */
static bool row_bases(Check *c, const Subject *s, Matrix *m) {
    bool some = false;
    for (int r = 0; r < m->nrows; r++) {
        Number v = {0};
        m->base[r] = row_value(c, s, m->row[r], &v) ? v.v : NAN;
        some = some || !isnan(m->base[r]);
    }
    return some;
}

/* The derivatives at this point in three ways; `data` are the entries of s->by, bound while rows
 * are evaluated. */
static bool measure(Check *c, Subject *s, Matrix *m, double *data, bool internal) {
    int64_t rows = 1, columns = interp_entries(c->in, s->by);
    for (int k = 0; k < s->nrow_axes; k++) rows *= s->row_extent[k];
    m->nrows = sample(&c->random, rows, ROWS, m->row);
    s->tally.entries = rows * columns;
    if (internal) interp_bind_real(c->in, s->by, data);
    interp_reset(c->in);
    int64_t before = interp_steps(c->in);
    bool some = row_bases(c, s, m);
    if (!some) { /* those far out may lie behind the end of an iteration */
        for (int r = 0; r < m->nrows; r++) m->row[r] = r;
        row_bases(c, s, m);
    }
    double work = (double)(interp_steps(c->in) - before), limit = WORK / c->points;
    int ncols = COLUMNS, stride = 1;
    while (ncols > INTERP_WIDTH && ncols / INTERP_WIDTH * work > limit) ncols /= 2;
    m->ncols = sample(&c->random, columns, ncols, m->col);
    for (int k = 0; k < m->ncols && !some; k++) m->col[k] = k;
    while (stride < m->ncols && m->ncols / stride * work * (2 * LEVELS + 1) > limit) stride *= 2;
    matrix_room(c, m);
    for (int at = 0; at < m->ncols; at += INTERP_WIDTH) {
        interp_reset(c->in);
        for (int w = 0; w < INTERP_WIDTH && at + w < m->ncols; w++)
            interp_seed(c->in, s->by, m->col[at + w], w);
        for (int r = 0; r < m->nrows; r++) {
            Number v = {0};
            bool defined = !isnan(m->base[r]) && row_value(c, s, m->row[r], &v);
            for (int w = 0; w < INTERP_WIDTH && at + w < m->ncols; w++) {
                m->dual[r * m->ncols + at + w] = defined ? v.d[w] : NAN;
            }
        }
    }
    for (int k = 0; k < m->ncols; k++) {
        m->tried[k] = k % stride == 0 && !s->stops;
        double *x = &data[m->col[k]], at = *x, by = 1;
        if (m->tried[k]) differences(c, s, m, k, 0, m->nrows, &(Moving){1, &x, &at, &by});
    }
    if (internal) interp_bind_real(c->in, s->by, NULL);
    interp_reset(c->in);
    return read_claims(c, s, m, columns);
}

/* The direction of one motion in one row; others than the entries [lead ..., index ...] stand
 * still. */
static bool direction(Check *c, const Subject *s, int64_t row, const Motion *v, double *by) {
    int64_t count = interp_entries(c->in, v->of), lead[AXES], extent[AXES], place[2 * AXES];
    int rank = ARRAY(c->g, v->of)->rank;
    Ref index[2 * AXES];
    if (rank > AXES) return false;
    unflatten(row, s->nrow_axes, s->row_extent, place);
    for (int k = 0; k < s->ncontext; k++) index[k] = s->context[k];
    for (int k = 0; k < rank; k++) extent[k] = interp_extent(c->in, v->of, k);
    for (int k = 0; k < v->nlead; k++) {
        Number at = {0};
        if (!interp_term(c->in, v->lead[k], s->ncontext, index, place, &at)) return false;
        lead[k] = at.i;
    }
    for (int k = v->nlead; k < rank; k++)
        index[s->ncontext + k - v->nlead] = v->index[k - v->nlead];
    for (int64_t e = 0; e < count; e++) {
        int64_t position[AXES];
        Number x = {0};
        bool here = true;
        unflatten(e, rank, extent, position);
        for (int k = 0; k < v->nlead; k++) here = here && position[k] == lead[k];
        for (int k = v->nlead; k < rank; k++) place[s->ncontext + k - v->nlead] = position[k];
        if (here && !interp_term(c->in, v->value, s->ncontext + rank - v->nlead, index, place, &x))
            return false;
        by[e] = here ? x.v : 0;
    }
    return true;
}

/* The numbers of one array, and whether they have to be bound: it is held as a variable of its own.
 */
static double *entries_of(Check *c, ArrayRef a, bool *internal) {
    for (int k = 0; k < c->ninputs; k++) {
        if (c->input[k].array == a) {
            *internal = false;
            return c->input[k].real;
        }
    }
    int64_t count = interp_entries(c->in, a);
    double *data = arena_alloc(c->arena, (size_t)(count + 1) * sizeof *data);
    for (int64_t e = 0; e < count;
         e++) { /* as they come out here; an entry without a value is needed nowhere */
        Number v = {0};
        data[e] = interp_entry(c->in, a, e, &v) ? v.v : NAN;
    }
    *internal = true;
    return data;
}

/* The same for a directional derivative: one column, a direction for each row. */
static bool measure_along(Check *c, Subject *s, Matrix *m) {
    int n = s->nalong;
    double **data = arena_alloc(c->arena, (size_t)(n + 1) * sizeof *data),
           **by = arena_alloc(c->arena, (size_t)(n + 1) * sizeof *by);
    bool *internal = arena_alloc(c->arena, (size_t)n + 1), *known;
    int64_t rows = 1, total = 0;
    for (int k = 0; k < s->nrow_axes; k++) rows *= s->row_extent[k];
    m->nrows = sample(&c->random, rows, ROWS, m->row);
    m->ncols = 1, m->tried[0] = !s->stops;
    s->tally.entries = rows;
    matrix_room(c, m);
    known = arena_alloc(c->arena, (size_t)m->nrows + 1);
    for (int k = 0; k < n; k++) {
        int64_t count = interp_entries(c->in, s->along[k].of);
        total += count;
        data[k] = entries_of(c, s->along[k].of, &internal[k]);
        by[k] = arena_alloc(c->arena, (size_t)(count * m->nrows + 1) * sizeof **by);
    }
    for (int r = 0; r < m->nrows;
         r++) { /* before anything is bound: a direction may be made of what moves */
        known[r] = true;
        for (int k = 0; k < n; k++) {
            known[r] = known[r] && direction(c, s, m->row[r], &s->along[k],
                                             by[k] + r * interp_entries(c->in, s->along[k].of));
        }
    }
    for (int k = 0; k < n; k++) {
        if (internal[k]) interp_bind_real(c->in, s->along[k].of, data[k]);
    }
    Moving x = {0};
    x.x = arena_alloc(c->arena, (size_t)(total + 1) * sizeof *x.x);
    x.at = arena_alloc(c->arena, (size_t)(total + 1) * sizeof *x.at);
    x.by = arena_alloc(c->arena, (size_t)(total + 1) * sizeof *x.by);
    for (int r = 0; r < m->nrows; r++) {
        Number v = {0};
        x.n = 0;
        interp_reset(c->in);
        for (int k = 0; k < n; k++) {
            int64_t count = interp_entries(c->in, s->along[k].of);
            const double *row = by[k] + r * count;
            interp_move(c->in, s->along[k].of, row);
            for (int64_t e = 0; e < count; e++) {
                if (row[e] != 0) {
                    x.x[x.n] = &data[k][e];
                    x.at[x.n] = data[k][e];
                    x.by[x.n++] = row[e];
                }
            }
        }
        bool defined = known[r] && row_value(c, s, m->row[r], &v);
        for (int k = 0; k < n; k++) interp_move(c->in, s->along[k].of, NULL);
        m->base[r] = defined ? v.v : NAN;
        m->dual[r] = defined ? v.d[0] : NAN;
        if (defined && m->tried[0]) differences(c, s, m, 0, r, r + 1, &x);
    }
    for (int k = 0; k < n; k++) {
        if (internal[k]) interp_bind_real(c->in, s->along[k].of, NULL);
    }
    interp_reset(c->in);
    return read_claims(c, s, m, 1);
}

static void say_position(Check *c, const Subject *s, int64_t row, int64_t col, char *text,
                         size_t room) {
    int64_t position[2 * AXES], extent[AXES];
    int rank = s->nalong ? 0 : ARRAY(c->g, s->by)->rank;
    for (int k = 0; k < rank; k++) extent[k] = interp_extent(c->in, s->by, k);
    unflatten(row, s->nrow_axes, s->row_extent, position);
    unflatten(col, rank, extent, position + s->nrow_axes);
    size_t n = 0;
    text[0] = 0;
    for (int k = 0; k < s->nrow_axes + rank && n < room; k++) {
        n += (size_t)snprintf(text + n, room - n, "%s%" PRId64, k ? ", " : "[", position[k]);
    }
    if (n > 0 && n < room) snprintf(text + n, room - n, "]");
}

/* Adds a point's findings. Differences are relative to the largest entry; below the rounding of the
 * rows nothing can be told. */
static void compare(Check *c, Subject *s, const Matrix *m) {
    Tally *t = &s->tally;
    double scale = 0, grain = 0;
    double dual_limit = c->o->tolerance > 0 ? c->o->tolerance : DUAL_TOLERANCE,
           limit = larger(DIFFERENCE_TOLERANCE, dual_limit);
    for (int r = 0; r < m->nrows; r++) {
        if (isnan(m->base[r])) continue;
        grain = larger(grain, 1e-14 * fabs(m->base[r]));
        for (int k = 0; k < m->ncols; k++) {
            double d = fabs(m->dual[r * m->ncols + k]);
            if (isfinite(d)) scale = larger(scale, d);
        }
    }
    double unit = larger(scale, 1e8 * grain); /* 1e-6 of the rows */
    if (unit == 0) unit = 1;
    for (int r = 0; r < m->nrows; r++) {
        if (isnan(m->base[r])) {
            t->undefined += m->ncols;
            continue;
        }
        for (int k = 0; k < m->ncols; k++) {
            int e = r * m->ncols + k;
            double claim = m->claim[e], dual = m->dual[e];
            bool same = (isnan(claim) && isnan(dual)) || claim == dual;
            double by_dual = same ? 0
                             : isfinite(claim) && isfinite(dual)
                                 ? larger(0, fabs(claim - dual) - grain) / unit
                                 : INFINITY;
            double by_difference = 0, share = 0;
            bool comparable = m->tried[k] && isfinite(m->difference[e]) && isfinite(claim) &&
                              !m->kink[e] && m->error[e] <= 1e-3 * unit;
            if (comparable) {
                by_difference = larger(0, fabs(claim - m->difference[e]) - grain) / unit;
                share = by_difference / larger(limit, 32 * m->error[e] / unit);
                t->difference = larger(t->difference, by_difference);
                if (isfinite(m->one_sided[e]))
                    t->one_sided = larger(t->one_sided, fabs(claim - m->one_sided[e]) / unit);
            } else if (m->kink[e]) {
                t->at_kink++;
            } else {
                t->unclear += m->tried[k];
            }
            t->tried += m->tried[k];
            t->dual = larger(t->dual, by_dual);
            t->some = t->some || claim != 0 || dual != 0;
            t->compared++;
            double badness = larger(by_dual / dual_limit, share);
            t->failed += badness > 1;
            if (badness > t->badness || !t->shown[0]) {
                char place[120], differences_text[40] = "not taken";
                t->badness = badness;
                say_position(c, s, m->row[r], m->col[k], place, sizeof place);
                if (m->tried[k])
                    snprintf(differences_text, sizeof differences_text, "%.10g", m->difference[e]);
                snprintf(t->shown, sizeof t->shown, "%s: %.10g, duals %.10g, differences %s",
                         place[0] ? place : "value", claim, dual, differences_text);
            }
        }
    }
}

/* Arrays inside of iterations inside of iterations have room for more entries than ever are. */
static bool is_vast(Check *c, const Subject *s) {
    bool vast = !s->nalong && interp_entries(c->in, s->by) > MOST_MOVED;
    for (int k = 0; k < s->nalong; k++)
        vast = vast || interp_entries(c->in, s->along[k].of) > MOST_MOVED;
    return vast;
}

static void check_subject(Check *c, Subject *s) {
    Matrix m = {0};
    if (s->tally.broken[0]) return;
    s->vast = is_vast(c, s);
    if (s->vast) return;
    if (!shape_fits(c, s)) {
        snprintf(s->tally.broken, sizeof s->tally.broken,
                 "the array of derivatives has another shape");
        return;
    }
    if (s->nalong) {
        if (measure_along(c, s, &m)) compare(c, s, &m);
        return;
    }
    bool internal;
    double *data = entries_of(c, s->by, &internal);
    if (measure(c, s, &m, data, internal)) compare(c, s, &m);
}

/* ---- the table
 * --------------------------------------------------------------------------------------------------------------------------
 */

static bool subject_fails(const Subject *s) {
    return s->tally.broken[0] || s->tally.failed > 0;
}

static void print_row(Check *c, const char *name, const Subject *s) {
    const Tally *t = &s->tally;
    if (s->outside) {
        fprintf(c->out, "    %-20s        -        0  calls a function of C: not compared\n", name);
        return;
    }
    if (t->broken[0]) {
        fprintf(c->out, "    %-20s %s\n", name, t->broken);
        return;
    }
    if (s->vast) {
        fprintf(c->out, "    %-20s        -        0  too many entries: not compared\n", name);
        return;
    }
    if (!t->compared) {
        fprintf(c->out, "    %-20s %8" PRId64 "        0  %s\n", name, t->entries,
                t->unasked ? "nobody asks for it" : "defined at no point");
        return;
    }
    fprintf(c->out, "    %-20s %8" PRId64 " %8" PRId64 "  %8.1e  %8.1e  %8.1e  %s\n", name,
            t->entries, t->compared, t->dual, t->difference, t->one_sided, t->shown);
    if (t->failed)
        fprintf(c->out, "      DIFFERS at %" PRId64 " of %" PRId64 "\n", t->failed, t->compared);
    if (t->tried < t->compared && !s->stops)
        fprintf(c->out, "      differences at %" PRId64 " of these\n", t->tried);
    if (!t->some)
        fprintf(c->out, "      0 wherever it was looked at: other sizes or data may tell more\n");
    if (t->at_kink)
        fprintf(c->out,
                "      %" PRId64
                " at a kink: no derivative there, so not compared with differences\n",
                t->at_kink);
    if (t->unclear)
        fprintf(c->out, "      %" PRId64 " where differences are too rough to tell anything\n",
                t->unclear);
    if (s->stops)
        fprintf(c->out, "      with stop_gradient, of which differences do not know: compared with "
                        "duals alone\n");
    if (t->undefined > t->unasked)
        fprintf(c->out, "      %" PRId64 " where the expression has no value\n",
                t->undefined - t->unasked);
    if (t->unasked)
        fprintf(c->out, "      %" PRId64 " that nobody asks for\n", t->unasked);
}

static void print_head(Check *c, const char *title) {
    fprintf(c->out, "  %s\n    %-20s %8s %8s  %8s  %8s  %8s  worst entry\n", title, "by", "entries",
            "compared", "duals", "central", "one side");
}

static const char *name_and_shape(Check *c, ArrayRef a) {
    Text t = text_new(c->arena);
    text_raw(&t, ARRAY(c->g, a)->name);
    graph_shape_text(c->g, a, &t);
    return text_string(&t);
}

static const char *names_of(Check *c, const Gradient *d) {
    Text t = text_new(c->arena);
    for (int k = 0; k < d->along.n; k++)
        text_add(&t, "%s%s", k ? ", " : "along ", ARRAY(c->g, d->along.at[k].of)->name);
    return text_string(&t);
}

static const char *gradient_title(Check *c, const Gradient *d) {
    int line, column;
    if (!d->at.file) return "a grad in an equation";
    source_place(c->cx, d->at, &line, &column);
    const char *text = source_slice(c->cx, d->at);
    size_t n = strlen(text);
    return arena_format(c->arena, "%.*s, line %d", (int)(n && text[n - 1] == ';' ? n - 1 : n), text,
                        line);
}

/* The other kinds are recorded among the gradients, by what they are made of. */
static bool is_checked(const Request *q) {
    return q->kind == REQUEST_GRADIENT || (q->kind == REQUEST_JACOBIAN && !q->colours);
}

typedef VEC(ArrayRef) ArrayList;

/* Is a stop_gradient in the term? The arrays that it reads are added to the list. */
static bool has_stop(Check *c, Ref term, ArrayList *reads) {
    Graph *g = c->g;
    bool stop = false;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        stop = stop || NODE(g, r)->op == OP_stop_gradient;
        if (NODE(g, r)->op == OP_READ) VEC_PUSH(c->arena, *reads, NODE(g, r)->aux);
        walk_into(walk, r);
    }
    return stop;
}

/* Is one in what the rows are made of? */
static bool stops(Check *c, const Subject *s) {
    ArrayList roots = {0}, more = {0};
    bool stop = s->term ? has_stop(c, s->term, &roots) : false;
    if (!s->term) VEC_PUSH(c->arena, roots, s->of);
    Order order = graph_order(c->g, roots.n, roots.at);
    for (int k = 0; k < order.n && !stop; k++) {
        for (int q = 0; q < ARRAY(c->g, order.array[k])->pieces.n; q++) {
            stop = stop || has_stop(c, ARRAY(c->g, order.array[k])->pieces.at[q].body, &more);
        }
    }
    return stop;
}

/* Requests first, then each grad inside an equation. */
static int list_subjects(Check *c, Subject **subjects) {
    const Graph *g = c->g;
    VEC(Subject) list = {0};
    for (int k = 0; k < g->requests.n; k++) {
        const Request *q = &g->requests.at[k];
        for (int j = 0; is_checked(q) && j < q->by.n && j < q->result.n; j++) {
            VEC_PUSH(c->arena, list,
                     (Subject){.of = q->of, .by = q->by.at[j], .result = q->result.at[j]});
        }
    }
    for (int k = 0; k < g->gradients.n; k++) {
        const Gradient *d = &g->gradients.at[k];
        VEC_PUSH(c->arena, list,
                 (Subject){.term = d->of,
                           .ncontext = d->context.n,
                           .context = d->context.at,
                           .by = d->by,
                           .result = d->result,
                           .nalong = d->along.n,
                           .along = d->along.at});
    }
    for (int k = 0; k < list.n; k++) {
        Subject *s = &list.at[k];
        s->stops = stops(c, s);
        s->outside =
            c->outside[s->result] || (s->term ? is_outside(c, s->term) : c->outside[s->of]);
        for (int m = 0; m < s->nalong; m++)
            s->outside = s->outside || is_outside(c, s->along[m].value);
    }
    *subjects = list.at;
    return list.n;
}

/* At given data the value is shown, to be compared with other programs. */
static const char *value_text(Check *c, ArrayRef of) {
    Number v;
    bool shown = c->points == 1 && !c->outside[of] && ARRAY(c->g, of)->rank == 0 &&
                 interp_entry(c->in, of, 0, &v);
    return shown ? arena_format(c->arena, " = %.15g", v.v) : "";
}

static int print_table(Check *c, const Subject *s) {
    const Graph *g = c->g;
    int failed = 0, next = 0;
    for (int k = 0; k < g->requests.n; k++) {
        const Request *q = &g->requests.at[k];
        const char *title = arena_format(c->arena, "%s of %s%s", request_names[q->kind],
                                         ARRAY(g, q->of)->name, value_text(c, q->of));
        if (!is_checked(q)) continue;
        print_head(c, title);
        for (int j = 0; j < q->by.n && j < q->result.n; j++, next++) {
            print_row(c, name_and_shape(c, q->by.at[j]), &s[next]);
            failed += subject_fails(&s[next]);
        }
    }
    for (int k = 0; k < g->gradients.n; k++, next++) {
        const Gradient *d = &g->gradients.at[k];
        print_head(c, gradient_title(c, d));
        print_row(c, d->along.n ? names_of(c, d) : name_and_shape(c, d->by), &s[next]);
        failed += subject_fails(&s[next]);
    }
    return failed;
}

static void print_sizes(Check *c) {
    fprintf(c->out, "%s:", c->g->name);
    for (int k = 1; k < c->g->dims.n; k++) {
        fprintf(c->out, "%s %s = %" PRId64, k > 1 ? "," : "", c->g->dims.at[k].name, c->dims[k]);
    }
    fprintf(c->out, "%s %d point%s, seed %" PRIu64 "\n", c->g->dims.n > 1 ? ";" : "", c->points,
            c->points == 1 ? "" : "s", c->o->seed);
}

static void print_externs(Check *c) {
    const Graph *g = c->g;
    fprintf(c->out, "  not compared: what calls");
    for (int k = 0; k < g->externs.n; k++)
        fprintf(c->out, "%s %s",
                k == 0                  ? ""
                : k == g->externs.n - 1 ? " or"
                                        : ",",
                g->externs.at[k].name);
    fprintf(c->out, ": here is no C to call; compare the compiled functions with differences\n");
}

int verify_run(Graph *g, const VerifyOptions *o, FILE *out) {
    Arena *arena = arena_new();
    Check check = {.g = g, .cx = g->cx, .arena = arena, .o = o, .out = out}, *c = &check;
    Subject *subjects;
    int result = VERIFY_DIFFERS, n, points = o->points > 0 ? o->points : POINTS;
    bool given = true;

    c->random.state = o->seed;
    c->dims = arena_alloc(arena, (size_t)(g->dims.n + 1) * sizeof *c->dims);
    c->dim_given = arena_alloc(arena, (size_t)(g->dims.n + 1) * sizeof *c->dim_given);
    c->input = arena_alloc(arena, (size_t)(g->inputs.n + g->seeds.n + 1) * sizeof *c->input);
    c->ninputs = g->inputs.n + g->seeds.n;
    for (int k = 0; k < c->ninputs; k++) {
        c->input[k].array = k < g->inputs.n ? g->inputs.at[k] : g->seeds.at[k - g->inputs.n];
    }
    for (int k = 0; k < o->nsets; k++) {
        if (!read_set(c, o->set[k])) result = VERIFY_WRONG_USE;
    }
    if (o->data && !g->cx->errors) read_data(c, o->data);
    if (g->cx->errors) goto done;
    if (!choose_sizes(c)) {
        fprintf(out,
                "%s: no sizes were found at which no array has a negative extent; give them with "
                "--set or --data\n",
                g->name);
        goto done;
    }
    c->in = interp_new(g, c->dims);
    find_outside(c);
    if (!make_inputs(c)) goto done;
    for (int k = 0; k < c->ninputs; k++)
        given = given && (c->input[k].kind == DRAW_DATA || c->input[k].kind == DRAW_VALUE);
    if (given) points = 1;
    c->points = points;

    print_sizes(c);
    n = list_subjects(c, &subjects);
    for (int p = 0; p < points; p++) {
        if (!find_point(c)) goto done;
        for (int k = 0; k < n; k++)
            if (!subjects[k].outside) check_subject(c, &subjects[k]);
    }
    int failed = print_table(c, subjects), outside = 0, vast = 0;
    for (int k = 0; k < n; k++) {
        outside += subjects[k].outside;
        vast += subjects[k].vast;
    }
    if (c->redrawn)
        fprintf(out, "  redrawn %" PRId64 " time%s, first because: %s\n", c->redrawn,
                c->redrawn == 1 ? "" : "s", c->reason);
    if (n == 0) fprintf(out, "  nothing to compare: no gradient, no jacobian, no grad\n");
    else if (failed) fprintf(out, "  %d of %d differ\n", failed, n);
    else if (!outside && !vast) fprintf(out, "  all agree\n");
    else if (outside + vast < n) fprintf(out, "  all others agree\n");
    if (outside) print_externs(c);
    result = failed ? VERIFY_DIFFERS : VERIFY_AGREES;
done:
    if (c->in) interp_free(c->in);
    arena_free(arena);
    return result;
}
