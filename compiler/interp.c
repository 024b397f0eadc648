/* interp: in, a graph, sizes and data; out, values of entries and of terms.
 *
 * An entry is the sum of the pieces whose boxes contain it. It is computed when it is first asked
 * for and kept. The bodies of an array are listed once as *cells*, arguments first; to evaluate an
 * entry a *frame* holds the indices and a slot for each cell, so that a shared term is evaluated
 * once. A slot is stale when an index that the cell depends on has moved.
 *
 * An entry may need a chain of a hundred thousand others. The C stack never grows with that: beyond
 * a fixed depth the whole evaluation is dropped, the entry that was wanted there is computed first,
 * from the bottom of the stack, and then what was dropped is begun again and finds it. Each restart
 * completes a whole stack's worth of entries. */
#include "interp.h"
#include "kernel.h"
#include "ops.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEPTH_TO_DEFER = 1500, /* nested evaluations of cells; about 400 bytes of stack each */
    DEPTH_LIMIT = 5000,
    MASK_BITS = 64
};
static const int64_t ENTRY_LIMIT = (int64_t)1 << 24; /* of entries of an array that are computed */
static const int64_t TABLE_LIMIT = (int64_t)1 << 20; /* larger arrays are looked up by hash */

/* ---- what an operation does, by its name
 * ----------------------------------------------------------------------------- */

typedef enum Formula {
    F_OTHER, /* value by its row, derivative by differences */
    F_ADD,
    F_SUB,
    F_MUL,
    F_DIV,
    F_NEG,
    F_POW,
    F_SQUARE,
    F_RECIP,
    F_SQRT,
    F_RSQRT,
    F_CBRT,
    F_EXP,
    F_EXP2,
    F_EXPM1,
    F_LOG,
    F_LOG2,
    F_LOG10,
    F_LOG1P,
    F_SIN,
    F_COS,
    F_TAN,
    F_ASIN,
    F_ACOS,
    F_ATAN,
    F_ATAN2,
    F_HYPOT,
    F_SINH,
    F_COSH,
    F_TANH,
    F_ASINH,
    F_ACOSH,
    F_ATANH,
    F_SIGMOID,
    F_SOFTPLUS,
    F_LOGSIGMOID,
    F_RELU,
    F_ABS,
    F_MAX,
    F_MIN,
    F_LGAMMA,
    F_DIGAMMA,
    F_TRIGAMMA,
    F_ERF,
    F_ERFC,
    F_LOGADDEXP,
    F_LOG1MEXP,
    F_WEIGHT,
    F_POLYGAMMA,
    F_MOD,
    F_TRUNC,
    F_FLAT,
    F_NOT,
    F_AND,
    F_OR,
    F_EQ,
    F_NE,
    F_LT,
    F_LE,
    F_GT,
    F_GE
} Formula;

static const struct {
    const char *name;
    Formula formula;
} formulas[] = {
    {"add", F_ADD},
    {"sub", F_SUB},
    {"mul", F_MUL},
    {"div", F_DIV},
    {"neg", F_NEG},
    {"pow", F_POW},
    {"powi", F_POW},
    {"square", F_SQUARE},
    {"recip", F_RECIP},
    {"sqrt", F_SQRT},
    {"rsqrt", F_RSQRT},
    {"cbrt", F_CBRT},
    {"exp", F_EXP},
    {"exp2", F_EXP2},
    {"expm1", F_EXPM1},
    {"log", F_LOG},
    {"log2", F_LOG2},
    {"log10", F_LOG10},
    {"log1p", F_LOG1P},
    {"sin", F_SIN},
    {"cos", F_COS},
    {"tan", F_TAN},
    {"asin", F_ASIN},
    {"acos", F_ACOS},
    {"atan", F_ATAN},
    {"atan2", F_ATAN2},
    {"hypot", F_HYPOT},
    {"sinh", F_SINH},
    {"cosh", F_COSH},
    {"tanh", F_TANH},
    {"asinh", F_ASINH},
    {"acosh", F_ACOSH},
    {"atanh", F_ATANH},
    {"sigmoid", F_SIGMOID},
    {"softplus", F_SOFTPLUS},
    {"logsigmoid", F_LOGSIGMOID},
    {"relu", F_RELU},
    {"abs", F_ABS},
    {"max", F_MAX},
    {"min", F_MIN},
    {"lgamma", F_LGAMMA},
    {"digamma", F_DIGAMMA},
    {"trigamma", F_TRIGAMMA},
    {"erf", F_ERF},
    {"erfc", F_ERFC},
    {"logaddexp", F_LOGADDEXP},
    {"log1mexp", F_LOG1MEXP},
    {"weight", F_WEIGHT},
    {"polygamma", F_POLYGAMMA},
    {"mod", F_MOD},
    {"sign", F_FLAT},
    {"floor", F_FLAT},
    {"ceil", F_FLAT},
    {"round", F_FLAT},
    {"stop_gradient", F_FLAT},
    {"held", F_FLAT},
    {"trunc", F_TRUNC},
    {"not", F_NOT},
    {"and", F_AND},
    {"or", F_OR},
    {"eq", F_EQ},
    {"ne", F_NE},
    {"lt", F_LT},
    {"le", F_LE},
    {"gt", F_GT},
    {"ge", F_GE},
};

/* The n-th derivative of digamma: upwards by the recurrence, then the asymptotic series (Abramowitz
 * and Stegun, 6.3.18 and 6.4.11, with 6.4.6). */
static double polygamma(int n, double x) {
    static const double bernoulli[] = {1.0 / 6,  -1.0 / 30,     1.0 / 42, -1.0 / 30,
                                       5.0 / 66, -691.0 / 2730, 7.0 / 6,  -3617.0 / 510};
    double r = 0, sign = n % 2 ? 1 : -1, factorial = 1; /* (n - 1)!, of n = 0: 1 */
    if (!(x > -1e4) || (x <= 0 && x == floor(x)) || n > 50) {
        return NAN;
    }
    for (int k = 2; k < n; k++) {
        factorial *= k;
    }
    double whole = n ? factorial * n : 1; /* n! */
    for (; x < 16 + n; x += 1) {
        r += sign * whole / pow(x, n + 1);
    }
    r += n ? sign * factorial / pow(x, n) : log(x);
    r += sign * whole / (2 * pow(x, n + 1));
    double ratio = n ? factorial : 1; /* (2k + n - 1)! / (2k)! */
    for (int k = 1; k <= 8; k++) {
        ratio =
            n ? ratio * (2 * k + n - 1) * (2 * k + n - 2) / (2.0 * k * (2 * k - 1)) : 1 / (2.0 * k);
        r += sign * bernoulli[k - 1] * ratio / pow(x, 2 * k + n);
    }
    return r;
}

/* The derivative of op at x by its k-th argument, by central differences extrapolated to step 0
 * (Ridders 1982). */
static double difference(Op op, const double *x, int arity, int k) {
    enum { STEPS = 8 };
    double at[3] = {x[0], arity > 1 ? x[1] : 0, arity > 2 ? x[2] : 0}, t[STEPS][STEPS], best = NAN,
           error = INFINITY;
    double h = 0.125 * (fabs(x[k]) > 0.5 ? fabs(x[k]) : 0.5);
    for (int i = 0; i < STEPS; i++, h /= 2) {
        volatile double up = x[k] + h, down = x[k] - h; /* volatile: the step that is really made */
        at[k] = up;
        double high = op_eval(op, at);
        at[k] = down;
        double low = op_eval(op, at), factor = 4;
        t[i][0] = (high - low) / (up - down);
        for (int j = 1; j <= i; j++, factor *= 4) {
            t[i][j] = t[i][j - 1] + (t[i][j - 1] - t[i - 1][j - 1]) / (factor - 1);
            double e = fmax(fabs(t[i][j] - t[i][j - 1]), fabs(t[i][j] - t[i - 1][j - 1]));
            if (e < error) {
                error = e, best = t[i][j];
            }
        }
    }
    return best;
}

static double logistic(double x) {
    double e = exp(-fabs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/* The partial derivative of an operation with value r at x, by its k-th argument. Kinks: section 8
 * of the language. */
static double partial(Formula how, Op op, int arity, const double *a, double r, int k) {
    const double pi = 3.14159265358979323846;
    double x = a[0], y = arity > 1 ? a[1] : 0;
    switch (how) {
    case F_ADD: return 1;
    case F_SUB: return k == 0 ? 1 : -1;
    case F_MUL: return k == 0 ? y : x;
    case F_DIV: return k == 0 ? 1 / y : -x / y / y;
    case F_NEG: return -1;
    case F_POW:
        if (k == 0) {
            return y == 0 ? 0 : y * pow(x, y - 1);
        }
        return x > 0 ? log(x) * r : 0;
    case F_SQUARE: return x + x;
    case F_RECIP: return -1 / x / x;
    case F_SQRT: return 0.5 / sqrt(x);
    case F_RSQRT: return -0.5 / (x * sqrt(x));
    case F_CBRT: return 1 / (3 * cbrt(x) * cbrt(x));
    case F_EXP: return exp(x);
    case F_EXP2: return log(2) * exp2(x);
    case F_EXPM1: return exp(x);
    case F_LOG: return 1 / x;
    case F_LOG2: return 1 / (x * log(2));
    case F_LOG10: return 1 / (x * log(10));
    case F_LOG1P: return 1 / (1 + x);
    case F_SIN: return cos(x);
    case F_COS: return -sin(x);
    case F_TAN: return 1 / (cos(x) * cos(x));
    case F_ASIN: return 1 / sqrt((1 - x) * (1 + x));
    case F_ACOS: return -1 / sqrt((1 - x) * (1 + x));
    case F_ATAN: return 1 / (1 + x * x);
    case F_ATAN2: return x == 0 && y == 0 ? 0 : (k == 0 ? y : -x) / (x * x + y * y);
    case F_HYPOT: return r == 0 ? 0 : (k == 0 ? x : y) / hypot(x, y);
    case F_SINH: return cosh(x);
    case F_COSH: return sinh(x);
    case F_TANH: return 1 / (cosh(x) * cosh(x));
    case F_ASINH: return 1 / sqrt(x * x + 1);
    case F_ACOSH: return 1 / sqrt((x - 1) * (x + 1));
    case F_ATANH: return 1 / ((1 - x) * (1 + x));
    case F_SIGMOID: return logistic(x) * logistic(-x);
    case F_SOFTPLUS: return logistic(x);
    case F_LOGSIGMOID: return logistic(-x);
    case F_RELU: return x > 0;
    case F_ABS: return (x > 0) - (x < 0);
    case F_MAX: return (x >= y) == (k == 0);
    case F_MIN: return (x <= y) == (k == 0);
    case F_LGAMMA: return polygamma(0, x);
    case F_DIGAMMA: return polygamma(1, x);
    case F_TRIGAMMA: return polygamma(2, x);
    case F_ERF: return 2 / sqrt(pi) * exp(-x * x);
    case F_ERFC: return -2 / sqrt(pi) * exp(-x * x);
    case F_LOGADDEXP: return logistic(k == 0 ? x - y : y - x);
    case F_LOG1MEXP: return exp(x) / expm1(x);
    case F_WEIGHT: return k == 0 ? r : -r;
    case F_POLYGAMMA: return polygamma((int)x + 1, y);
    case F_MOD: return k == 0 ? 1 : -floor(x / y);
    case F_OTHER: return op_info[op].flat ? 0 : difference(op, a, arity, k);
    default: return 0; /* conditions and steps */
    }
}

/* ---- data
 * --------------------------------------------------------------------------------------------------------------
 */

typedef struct Cell {
    uint16_t op;
    uint8_t type, nargs;
    uint32_t aux;
    const int *arg;     /* cells; of OP_REDUCE: index, condition, body */
    Number constant;    /* OP_CONST, OP_DIM */
    int place;          /* OP_INDEX: its place in Frame.index */
    const Poly *extent; /* OP_REDUCE */
    int slot[4];        /* OP_KERNEL: places of the indices of its matrix, then of what is given, in
                           Frame.index; -1: not used */
    int64_t fixed;      /* the extent, when it is a number; else -1 */
    uint64_t depends; /* on which indices that move within a frame: bits as index_bit gives them */
} Cell;

typedef struct Frame Frame;
typedef struct Body {        /* the terms that are evaluated together */
    int n, nindices, nfixed; /* indices 0 .. nfixed - 1 stand still within a frame: axes, or what
                                interp_term is given */
    const Ref *node;         /* ascending; cell k is node[k] */
    const Cell *cell;
    Frame *idle;
} Body;

typedef struct Slot {
    Number number;
    uint64_t stamp;
} Slot;
struct Frame {
    Body *body;
    int64_t *index;
    Slot *slot;
    uint64_t born, moved[MASK_BITS];
    Number *work; /* of a kernel */
    Frame *next;
};

typedef enum EntryState { ENTRY_OPEN, ENTRY_WAITING, ENTRY_DONE } EntryState;
typedef struct Entry {
    Number number;
    int64_t at;     /* which one, of those that are found by hash */
    uint32_t epoch; /* its state counts while this is Interp.epoch */
    EntryState state;
} Entry;

typedef struct Table { /* of an array */
    bool known;        /* sizes were found */
    InterpStatus bad;  /* why there are none */
    int64_t *extent, count;
    int64_t *lo, *hi; /* piece by piece */
    const double *real, *moves;
    const int64_t *whole;
    bool listed;
    Body body;
    const int *root, *guard; /* cells of each piece's body and guard; -1: no guard */
    Entry *entry;            /* by entry; of a very large array by hash, NULL: none yet */
    Entry **slot;
    int64_t nslots, used;
} Table;

typedef struct Open { /* what is being evaluated */
    ArrayRef array;   /* 0: a term */
    int64_t entry;
    Frame *frame;
} Open;

typedef struct Term {
    Ref term;
    int n;
    const Ref *index;
    Body body;
    int root;
} Term;

struct Interp {
    Graph *g;
    Arena *arena;
    int64_t *dims;
    Table *table;
    VEC(Term *) terms;
    uint8_t formula[OP_COUNT];
    struct {
        ArrayRef array;
        int64_t entry;
    } seed[INTERP_WIDTH];
    int directions;
    uint32_t epoch;
    uint64_t clock;
    int64_t steps;
    int depth;
    VEC(Open) open;
    VEC(Open) waiting; /* each needs the next */
    Open wanted;
    jmp_buf escape;
    bool running;
    InterpStatus status;
    char message[400];
    uint32_t *mark, *local; /* by node, while a body is listed */
    uint32_t marks;
};
enum { ESCAPE_STATUS = 1, ESCAPE_DEFER };

/* ---- failing
 * -----------------------------------------------------------------------------------------------------------
 */

static void say_entry(const Interp *in, char *text, size_t room, ArrayRef a, int64_t entry) {
    const Array *array = ARRAY(in->g, a);
    const Table *t = &in->table[a];
    int64_t position[16], rest = entry;
    size_t n = (size_t)snprintf(text, room, "%s", array->name);
    for (int k = array->rank; k-- > 0;) {
        if (k < 16) {
            position[k] = t->extent[k] ? rest % t->extent[k] : 0;
        }
        rest = t->extent[k] ? rest / t->extent[k] : 0;
    }
    for (int k = 0; k < array->rank && k < 16 && n < room; k++) {
        n += (size_t)snprintf(text + n, room - n, "%s%lld", k ? ", " : "[", (long long)position[k]);
    }
    if (array->rank && n < room) {
        snprintf(text + n, room - n, "]");
    }
}

__attribute__((format(printf, 3, 4))) static void set_status(Interp *in, InterpStatus status,
                                                             const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(in->message, sizeof in->message, format, args);
    va_end(args);
    in->status = status;
    if (in->open.n && in->open.at[in->open.n - 1].array && n >= 0 &&
        (size_t)n + 8 < sizeof in->message) {
        const Open *o = &in->open.at[in->open.n - 1];
        n += snprintf(in->message + n, sizeof in->message - (size_t)n, ", in ");
        say_entry(in, in->message + n, sizeof in->message - (size_t)n, o->array, o->entry);
    }
}
#define fail(in, ...) (set_status(in, __VA_ARGS__), escape_with_status(in))

static _Noreturn void escape_with_status(Interp *in) {
    if (!in->running) {
        bug("the interpreter fails outside an evaluation: %s", in->message);
    }
    longjmp(in->escape, ESCAPE_STATUS);
}

/* ---- sizes
 * ---------------------------------------------------------------------------------------------------------------
 */

static void eval(Interp *in, Frame *f, int c, Number *out);

static int cell_of(const Body *s, Ref node) {
    int lo = 0, hi = s->n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (s->node[mid] < node) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    if (lo == s->n || s->node[lo] != node) {
        bug("node %u is not among the terms of its array", node);
    }
    return lo;
}

static int64_t gcd(int64_t a, int64_t b) {
    while (b) {
        int64_t r = a % b;
        a = b, b = r;
    }
    return a < 0 ? -a : a;
}

/* The value of a polynomial; false when it overflows or is not whole. Indices and reads are looked
 * up in f. */
static bool poly_value(Interp *in, Frame *f, const Poly *p, int64_t *value) {
    int64_t scale = 1, sum = 0;
    for (int k = 0; k < p->n; k++) {
        if (__builtin_mul_overflow(scale, p->term[k].den / gcd(scale, p->term[k].den), &scale)) {
            return false;
        }
    }
    for (int k = 0; k < p->n; k++) {
        const Monomial *m = &p->term[k];
        int64_t product;
        if (__builtin_mul_overflow(m->num, scale / m->den, &product)) {
            return false;
        }
        for (int j = 0; j < m->nvars; j++) {
            const Node *n = NODE(in->g, m->var[j]);
            int64_t factor;
            if (n->op == OP_DIM) {
                factor = in->dims[n->aux];
            } else if (f) {
                Number number;
                eval(in, f, cell_of(f->body, m->var[j]), &number);
                factor = number.i;
            } else {
                bug("a size depends on more than dimensions");
            }
            if (__builtin_mul_overflow(product, factor, &product)) {
                return false;
            }
        }
        if (__builtin_add_overflow(sum, product, &sum)) {
            return false;
        }
    }
    *value = sum / scale;
    return sum % scale == 0;
}

/* Sizes and boxes of an array; Table.bad when they make no sense. */
static Table *table_of(Interp *in, ArrayRef a) {
    Table *t = &in->table[a];
    if (t->known) {
        return t;
    }
    const Array *array = ARRAY(in->g, a);
    size_t rank = (size_t)array->rank, pieces = (size_t)array->pieces.n;
    t->known = true;
    t->extent = arena_alloc(in->arena, (rank + 1) * sizeof *t->extent);
    t->lo = arena_alloc(in->arena, (rank * pieces + 1) * sizeof *t->lo);
    t->hi = arena_alloc(in->arena, (rank * pieces + 1) * sizeof *t->hi);
    t->count = 1;
    for (size_t k = 0; k < rank; k++) {
        if (!poly_value(in, NULL, array->extent[k], &t->extent[k]) || t->extent[k] < 0) {
            t->extent[k] = -1;
            t->bad = INTERP_SIZE;
        } else if (__builtin_mul_overflow(t->count, t->extent[k], &t->count)) {
            t->bad = INTERP_SIZE; /* each size makes sense, all together are too many */
        }
    }
    if (t->bad) {
        return t;
    }
    for (size_t p = 0; p < pieces; p++) {
        for (size_t k = 0; k < rank; k++) {
            const Piece *piece = &array->pieces.at[p];
            if (!poly_value(in, NULL, piece->lo[k], &t->lo[p * rank + k]) ||
                !poly_value(in, NULL, piece->hi[k], &t->hi[p * rank + k])) {
                t->bad = INTERP_SIZE;
            }
        }
    }
    return t;
}

static void say_bad_size(Interp *in, ArrayRef a) {
    set_status(in, INTERP_SIZE, "%s has a negative extent, or one that is too large",
               ARRAY(in->g, a)->name);
}

/* ---- listing terms as cells
 * ------------------------------------------------------------------------------------------------
 */

static int compare_refs(const void *a, const void *b) {
    Ref x = *(const Ref *)a, y = *(const Ref *)b;
    return (x > y) - (x < y);
}

static uint64_t index_bit(const Body *s, int place) {
    int k = place - s->nfixed;
    return k < 0 ? 0
                 : (uint64_t)1 << (k < MASK_BITS - 1
                                       ? k
                                       : MASK_BITS -
                                             1); /* the last bit stands for all further ones */
}

/* Lists all that the roots are made of. fixed: the indices that a frame is made for. */
static void body_list(Interp *in, Body *s, int nroots, const Ref *roots, int nfixed,
                      const Ref *fixed) {
    Graph *g = in->g;
    VEC(Ref) found = {0};
    in->marks++;
    for (int k = -nfixed; k < nroots; k++) {
        Ref r = k < 0 ? fixed[nfixed + k] : roots[k];
        if (in->mark[r] != in->marks) {
            in->mark[r] = in->marks;
            VEC_PUSH(in->arena, found, r);
        }
    }
    for (int k = 0; k < found.n; k++) {
        const Node *n = NODE(g, found.at[k]);
        const uint32_t *vars = NULL;
        int nvars =
            n->op == OP_REDUCE ? poly_vars(in->arena, EXTENT(g, ARG(g, found.at[k], 0)), &vars) : 0;
        for (int j = 0; j < n->nargs + nvars; j++) {
            Ref r = j < n->nargs ? ARG(g, found.at[k], j) : vars[j - n->nargs];
            if (in->mark[r] != in->marks) {
                in->mark[r] = in->marks;
                VEC_PUSH(in->arena, found, r);
            }
        }
    }
    qsort(found.at, (size_t)found.n, sizeof *found.at, compare_refs);
    Cell *cells = arena_alloc(in->arena, ((size_t)found.n + 1) * sizeof *cells);
    s->n = found.n, s->node = found.at, s->cell = cells, s->nfixed = nfixed, s->nindices = nfixed;
    for (int k = 0; k < found.n; k++) {
        in->local[found.at[k]] = (uint32_t)k;
        cells[k].place = -1;
    }
    for (int k = 0; k < nfixed; k++) {
        cells[in->local[fixed[k]]].place = k;
    }
    for (int k = 0; k < found.n; k++) {
        if (NODE(g, found.at[k])->op == OP_REDUCE) {
            Cell *index = &cells[in->local[ARG(g, found.at[k], 0)]];
            if (index->place < 0) {
                index->place = s->nindices++;
            }
        } else if (NODE(g, found.at[k])->op == OP_KERNEL) {
            Ref r = found.at[k], matrix = kernel_matrix(g, r), slot[4] = {0, 0, 0, 0};
            const Poly *size =
                EXTENT(g, matrix ? ARG(g, matrix, NODE(g, matrix)->nargs - 1) : ARG(g, r, 1));
            for (int j = 0; j < 4; j++) {
                slot[j] = j >= 2   ? graph_slot(g, j - 2, size)
                          : matrix ? ARG(g, matrix, NODE(g, matrix)->nargs - 2 + j)
                                   : 0;
                bool listed = slot[j] && in->mark[slot[j]] == in->marks;
                Cell *index = listed ? &cells[in->local[slot[j]]] : NULL;
                if (listed && index->place < 0) {
                    index->place = s->nindices++;
                }
                cells[k].slot[j] = listed ? index->place : -1;
            }
        }
    }
    for (int k = 0; k < found.n; k++) {
        Ref r = found.at[k];
        const Node *n = NODE(g, r);
        Cell *c = &cells[k];
        int *arg = arena_alloc(in->arena, ((size_t)n->nargs + 1) * sizeof *arg);
        c->op = n->op, c->type = n->type, c->nargs = n->nargs, c->aux = n->aux, c->arg = arg;
        for (int j = 0; j < n->nargs; j++) {
            arg[j] = (int)in->local[ARG(g, r, j)];
            if (n->op != OP_REDUCE) {
                c->depends |= cells[arg[j]].depends;
            }
        }
        if (n->op == OP_CONST) {
            if (n->type >= VALUE_FLOAT) {
                c->constant.v = n->value.real;
            } else {
                c->constant.i = n->value.integer;
            }
        } else if (n->op == OP_DIM) {
            c->constant.i = in->dims[n->aux];
        } else if (n->op == OP_INDEX) {
            if (c->place < 0) {
                bug("the index %s is free in a term that is evaluated", g->indices.at[n->aux].name);
            }
            c->depends = index_bit(s, c->place);
        } else if (n->op == OP_REDUCE) {
            uint64_t own = cells[arg[0]].depends, keep = (uint64_t)1 << (MASK_BITS - 1);
            const uint32_t *vars;
            c->extent = EXTENT(g, ARG(g, r, 0));
            if (!poly_is_int(c->extent, &c->fixed)) {
                c->fixed = -1;
            }
            c->depends = (cells[arg[1]].depends | cells[arg[2]].depends) & ~(own & ~keep);
            for (int j = 0, nvars = poly_vars(in->arena, c->extent, &vars); j < nvars; j++) {
                c->depends |= cells[in->local[vars[j]]].depends;
            }
        }
    }
}

static Frame *frame_open(Interp *in, Body *s, ArrayRef a, int64_t entry) {
    Frame *f = s->idle;
    if (f) {
        s->idle = f->next;
    } else {
        f = arena_alloc(in->arena, sizeof *f);
        f->body = s;
        f->index = arena_alloc(in->arena, ((size_t)s->nindices + 1) * sizeof *f->index);
        f->slot = arena_alloc(in->arena, ((size_t)s->n + 1) * sizeof *f->slot);
    }
    f->born = ++in->clock; /* no slot is as young */
    VEC_PUSH(in->arena, in->open, (Open){a, entry, f});
    return f;
}

static void frame_close(Interp *in) {
    Frame *f = in->open.at[--in->open.n].frame;
    f->next = f->body->idle;
    f->body->idle = f;
}

/* ---- evaluating
 * --------------------------------------------------------------------------------------------------------------
 */

static bool is_real(unsigned type) {
    return type >= VALUE_FLOAT;
}

/* An integer operation, exactly. */
static int64_t whole_value(Interp *in, Formula how, Op op, int nargs, const int64_t *x) {
    int64_t r = 0, a = x[0], b = nargs > 1 ? x[1] : 0;
    bool over = false;
    switch (how) {
    case F_ADD: over = __builtin_add_overflow(a, b, &r); break;
    case F_SUB: over = __builtin_sub_overflow(a, b, &r); break;
    case F_MUL: over = __builtin_mul_overflow(a, b, &r); break;
    case F_SQUARE: over = __builtin_mul_overflow(a, a, &r); break;
    case F_NEG: over = __builtin_sub_overflow((int64_t)0, a, &r); break;
    case F_ABS: over = a < 0 ? __builtin_sub_overflow((int64_t)0, a, &r) : (r = a, false); break;
    case F_RELU: r = a > 0 ? a : 0; break;
    case F_MAX: r = a >= b ? a : b; break;
    case F_MIN: r = a <= b ? a : b; break;
    case F_NOT: r = !a; break;
    case F_EQ: r = a == b; break;
    case F_NE: r = a != b; break;
    case F_LT: r = a < b; break;
    case F_LE: r = a <= b; break;
    case F_GT: r = a > b; break;
    case F_GE: r = a >= b; break;
    default: {
        double y[3];
        for (int k = 0; k < nargs; k++) {
            y[k] = (double)x[k];
        }
        double v = op_eval(op, y);
        over = !(fabs(v) < 9007199254740992.0) || v != floor(v);
        r = over ? 0 : (int64_t)v;
    }
    }
    if (over) {
        fail(in, INTERP_OVERFLOW, "an integer overflows in %s", op_info[op].name);
    }
    return r;
}

static int64_t whole_of(Interp *in, double v) {
    if (!(v > -9223372036854775808.0 && v < 9223372036854775808.0)) {
        fail(in, INTERP_RANGE, "%g is no integer", v);
    }
    return (int64_t)v;
}

static void eval_scalar(Interp *in, Frame *f, const Cell *c, Number *out) {
    Formula how = (Formula)in->formula[c->op];
    Op op = (Op)c->op;
    if (how == F_AND || how == F_OR) {
        eval(in, f, c->arg[0], out);
        if ((out->i != 0) == (how == F_AND)) {
            eval(in, f, c->arg[1], out);
        }
        out->i = out->i != 0;
        return;
    }
    Number a[3];
    double x[3] = {0, 0, 0};
    int64_t whole[3] = {0, 0, 0};
    bool real = false;
    for (int k = 0; k < c->nargs; k++) {
        eval(in, f, c->arg[k], &a[k]);
        real = real || is_real(f->body->cell[c->arg[k]].type);
        whole[k] = a[k].i;
    }
    if (!real && !is_real(c->type)) {
        out->i = whole_value(in, how, op, c->nargs, whole);
        return;
    }
    for (int k = 0; k < c->nargs; k++) {
        x[k] = is_real(f->body->cell[c->arg[k]].type) ? a[k].v : (double)a[k].i;
    }
    double r = op_eval(op, x);
    if (!is_real(c->type)) { /* a conversion must not saturate */
        out->i = c->type == VALUE_BOOL ? r != 0 : whole_of(in, how == F_TRUNC ? x[0] : r);
        return;
    }
    out->v = r;
    for (int k = 0; k < c->nargs; k++) {
        /* What does not depend on a direction is left out, not multiplied by 0: x^2 asks for no
         * log(x). */
        double p = 0;
        bool have = false;
        for (int w = 0; w < in->directions; w++) {
            if (a[k].d[w] != 0) {
                if (!have) {
                    p = partial(how, op, c->nargs, x, r, k);
                    have = true;
                }
                out->d[w] += p == 0 ? 0 : p * a[k].d[w];
            }
        }
    }
}

static bool reduce_extreme(int kind) {
    return kind == RED_MAX || kind == RED_MIN || kind == RED_ARGMAX || kind == RED_ARGMIN;
}

static void eval_reduce(Interp *in, Frame *f, const Cell *c, Number *out) {
    const Cell *cell = f->body->cell;
    int kind = (int)c->aux, place = cell[c->arg[0]].place;
    bool real = is_real(cell[c->arg[2]].type), some = false;
    int64_t n = c->fixed;
    if (n < 0 && (!poly_value(in, f, c->extent, &n) || n < 0)) {
        fail(in, INTERP_SIZE, "a range of negative length, or too large");
    }
    Number best = {0};
    double scale = 0; /* logsumexp: sum of exp(x - best.v) */
    int bit = place - f->body->nfixed < MASK_BITS - 1 ? place - f->body->nfixed : MASK_BITS - 1;
    if (kind == RED_PROD) {
        best.v = 1, best.i = 1;
    } else if (kind == RED_LOGSUMEXP) {
        best.v = -INFINITY;
    }
    for (int64_t i = 0; i < n; i++) {
        Number x;
        f->index[place] = i;
        f->moved[bit] = ++in->clock;
        eval(in, f, c->arg[1], &x);
        if (!x.i) {
            continue;
        }
        eval(in, f, c->arg[2], &x);
        if (kind == RED_FIRST) {
            if (x.i) {
                out->i = i;
                return;
            }
            continue;
        }
        bool over = false;
        switch (kind) {
        case RED_SUM:
            over = !real && __builtin_add_overflow(best.i, x.i, &best.i);
            best.v += x.v;
            for (int w = 0; w < in->directions; w++) {
                best.d[w] += x.d[w];
            }
            break;
        case RED_PROD:
            over = !real && __builtin_mul_overflow(best.i, x.i, &best.i);
            for (int w = 0; w < in->directions; w++) {
                best.d[w] =
                    (best.d[w] == 0 ? 0 : best.d[w] * x.v) + (x.d[w] == 0 ? 0 : best.v * x.d[w]);
            }
            best.v *= x.v;
            break;
        case RED_LOGSUMEXP:
            if (x.v == -INFINITY) {
                break; /* weight 0 */
            }
            if (x.v >
                best.v) { /* x is the new scale; best.d is the weighted sum of derivatives so far */
                double less = exp(best.v - x.v);
                scale = less == 0 && !isnan(scale) ? 0 : scale * less; /* a NaN stays */
                for (int w = 0; w < in->directions; w++) {
                    best.d[w] = less == 0 ? 0 : best.d[w] * less;
                }
                best.v = x.v;
            }
            {
                double weight = x.v == best.v ? 1 : exp(x.v - best.v);
                scale += weight;
                for (int w = 0; w < in->directions; w++) {
                    best.d[w] += weight == 0 ? 0 : weight * x.d[w];
                }
            }
            break;
        default: { /* the first extreme */
            bool up = kind == RED_MAX || kind == RED_ARGMAX;
            if (!some ||
                (real ? (up ? x.v > best.v : x.v < best.v) : (up ? x.i > best.i : x.i < best.i))) {
                best = x;
                out->i = i;
            }
        }
        }
        if (over) {
            fail(in, INTERP_OVERFLOW, "an integer overflows in a reduction");
        }
        some = true;
    }
    if (kind == RED_FIRST) {
        fail(in, INTERP_NO_END, "the condition of an iteration holds nowhere in %lld turns",
             (long long)n);
    }
    if (!some && reduce_extreme(kind)) {
        fail(in, INTERP_EMPTY, "%s over nothing", reduction_names[kind]);
    }
    if (kind == RED_ARGMAX || kind == RED_ARGMIN) {
        return; /* out->i is set */
    }
    if (kind == RED_LOGSUMEXP && scale != 0) {
        best.v += log(scale);
        for (int w = 0; w < in->directions; w++) {
            best.d[w] /= scale;
        }
    }
    *out = best;
}

static void demand(Interp *in, ArrayRef a, int64_t entry, Number *out);
static Entry *entry_of(Interp *in, Table *t, int64_t entry);

static void eval_read(Interp *in, Frame *f, const Cell *c, Number *out) {
    ArrayRef a = c->aux;
    const Table *t = table_of(in, a);
    int64_t entry = 0;
    if (t->bad) {
        say_bad_size(in, a);
        escape_with_status(in);
    }
    for (int k = 0; k < c->nargs; k++) {
        Number at;
        eval(in, f, c->arg[k], &at);
        if (at.i < 0 || at.i >= t->extent[k]) {
            fail(in, INTERP_BROKEN, "%s is read at %lld on axis %d, outside 0..%lld",
                 ARRAY(in->g, a)->name, (long long)at.i, k, (long long)t->extent[k] - 1);
        }
        entry = entry * t->extent[k] + at.i;
    }
    demand(in, a, entry, out);
}

/* ---- kernels, by elimination with numbers that carry their derivatives
 * ------------------------------------------------------- */

static void number_subtract_product(const Interp *in, Number *to, const Number *a,
                                    const Number *b) {
    to->v -= a->v * b->v;
    for (int w = 0; w < in->directions; w++) {
        to->d[w] -= a->d[w] * b->v + a->v * b->d[w];
    }
}

static void number_divide(const Interp *in, Number *a, const Number *by) {
    a->v /= by->v;
    for (int w = 0; w < in->directions; w++) {
        a->d[w] = (a->d[w] - a->v * by->d[w]) / by->v;
    }
}

/* a [n, n], x [n, m]: solves a x = x by Gauss' elimination, the largest pivot first; a becomes
 * triangular. */
static void eliminate(Interp *in, int64_t n, int64_t m, Number *a, Number *x) {
    for (int64_t k = 0; k < n; k++) {
        int64_t best = k;
        for (int64_t i = k + 1; i < n; i++) {
            best = fabs(a[i * n + k].v) > fabs(a[best * n + k].v) ? i : best;
        }
        if (a[best * n + k].v == 0) {
            fail(in, INTERP_SINGULAR, "a matrix is singular");
        }
        for (int64_t j = 0; j < n && best != k; j++) {
            Number t = a[k * n + j];
            a[k * n + j] = a[best * n + j], a[best * n + j] = t;
        }
        for (int64_t j = 0; j < m && best != k; j++) {
            Number t = x[k * m + j];
            x[k * m + j] = x[best * m + j], x[best * m + j] = t;
        }
        for (int64_t i = k + 1; i < n; i++) {
            Number factor = a[i * n + k];
            number_divide(in, &factor, &a[k * n + k]);
            for (int64_t j = k; j < n; j++) {
                number_subtract_product(in, &a[i * n + j], &factor, &a[k * n + j]);
            }
            for (int64_t j = 0; j < m; j++) {
                number_subtract_product(in, &x[i * m + j], &factor, &x[k * m + j]);
            }
        }
    }
    for (int64_t i = n; i-- > 0;) {
        for (int64_t j = 0; j < m; j++) {
            for (int64_t k = i + 1; k < n; k++) {
                number_subtract_product(in, &x[i * m + j], &a[i * n + k], &x[k * m + j]);
            }
            number_divide(in, &x[i * m + j], &a[i * n + i]);
        }
    }
}

/* T x = x for a triangle, [row, column] at a[row * rows + column * columns]; lower: from the top.
 */
static void substitute(Interp *in, int64_t n, const Number *a, int64_t rows, int64_t columns,
                       bool lower, Number *x) {
    for (int64_t q = 0; q < n; q++) {
        int64_t i = lower ? q : n - 1 - q;
        if (a[i * rows + i * columns].v == 0) {
            fail(in, INTERP_SINGULAR, "a matrix is singular");
        }
        for (int64_t k = lower ? 0 : i + 1; k < (lower ? i : n); k++) {
            number_subtract_product(in, &x[i], &a[i * rows + k * columns], &x[k]);
        }
        number_divide(in, &x[i], &a[i * rows + i * columns]);
    }
}

/* a becomes L of a = L L', of its lower triangle. */
static void factor(Interp *in, int64_t n, Number *a) {
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = 0; i < n; i++) {
            Number *x = &a[i * n + j];
            if (i < j) {
                *x = (Number){0};
                continue;
            }
            for (int64_t k = 0; k < j; k++) {
                number_subtract_product(in, x, &a[i * n + k], &a[j * n + k]);
            }
            if (i > j) {
                number_divide(in, x, &a[j * n + j]);
                continue;
            }
            if (!(x->v > 0)) {
                fail(in, INTERP_NOT_POSITIVE_DEFINITE, "a matrix is not positive definite");
            }
            x->v = sqrt(x->v);
            for (int w = 0; w < in->directions; w++) {
                x->d[w] /= 2 * x->v;
            }
        }
    }
}

/* An argument of a kernel, row by row. */
static void kernel_argument(Interp *in, Frame *f, int cell, const int *slot, int64_t rows,
                            int64_t columns, Number *out) {
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) {
            int64_t at[2] = {i, j};
            for (int k = 0; k < 2; k++) {
                if (slot[k] >= 0) {
                    int bit = slot[k] - f->body->nfixed;
                    f->index[slot[k]] = at[k];
                    f->moved[bit < MASK_BITS - 1 ? bit : MASK_BITS - 1] = ++in->clock;
                }
            }
            eval(in, f, cell, out++);
        }
    }
}

/* All entries of the result at once; those beside the one that is asked for are kept too. To this
 * evaluation lu(A) is A itself: what is solved with it is solved from the beginning. */
static void eval_kernel(Interp *in, Frame *f, const Cell *c, Number *out) {
    const KernelInfo *info = &kernel_info[c->aux];
    const Open *o = &in->open.at[in->open.n - 1];
    ArrayRef own = o->array;
    int64_t entry = o->entry;
    const int matrix = info->matrix ? c->arg[info->result] : -1,
              given = info->given ? c->arg[info->result + info->matrix] : -1;
    ArrayRef sized = matrix >= 0 ? f->body->cell[matrix].aux : own;
    const Table *t = table_of(in, sized);
    int rank = ARRAY(in->g, sized)->rank;
    if (t->bad) {
        say_bad_size(in, sized);
        escape_with_status(in);
    }
    int64_t n = t->extent[rank - 1], entries = info->result == 0   ? 1
                                               : info->result == 1 ? n
                                                                   : n * n;
    if (!f->work) {
        f->work = arena_alloc(in->arena, (size_t)(2 * n * n + 2 * n + 1) * sizeof *f->work);
    }
    Number *a = f->work, *x = f->work + n * n;
    if (matrix >= 0) {
        kernel_argument(in, f, matrix, c->slot, n, n, a);
    }
    if (given >= 0) {
        kernel_argument(in, f, given, c->slot + 2, n, info->given == 2 ? n : 1, x);
    }
    switch ((KernelKind)c->aux) {
    case KERNEL_LU:
        memset(x + entries, 0, (size_t)n * sizeof *x);
        entries += n;
        break;
    case KERNEL_LU_SOLVE_T:
        for (int64_t i = 0; i < n; i++) {
            for (int64_t j = 0; j < i; j++) {
                Number y = a[i * n + j];
                a[i * n + j] = a[j * n + i], a[j * n + i] = y;
            }
        }
        eliminate(in, n, 1, a, x);
        break;
    case KERNEL_LU_SOLVE: eliminate(in, n, 1, a, x); break;
    case KERNEL_LU_INVERSE:
        memset(x, 0, (size_t)(n * n) * sizeof *x);
        for (int64_t i = 0; i < n; i++) {
            x[i * n + i].v = 1;
        }
        eliminate(in, n, n, a, x);
        break;
    case KERNEL_LU_LOGDET:
        eliminate(in, n, 0, a, x);
        *x = (Number){0};
        for (int64_t i = 0; i < n; i++) {
            x->v += log(fabs(a[i * n + i].v));
            for (int w = 0; w < in->directions; w++) {
                x->d[w] += a[i * n + i].d[w] / a[i * n + i].v;
            }
        }
        break;
    case KERNEL_CHOLESKY: factor(in, n, x); break;
    case KERNEL_CHOLESKY_SOLVE:
        substitute(in, n, a, n, 1, true, x);
        substitute(in, n, a, 1, n, false, x);
        break;
    case KERNEL_LOWER_SOLVE: substitute(in, n, a, n, 1, true, x); break;
    case KERNEL_LOWER_SOLVE_T: substitute(in, n, a, 1, n, false, x); break;
    case KERNEL_UPPER_SOLVE: substitute(in, n, a, n, 1, false, x); break;
    case KERNEL_UPPER_SOLVE_T: substitute(in, n, a, 1, n, true, x); break;
    case KERNEL_COUNT: bug("no such kernel");
    }
    int64_t first = entry - entry % entries;
    for (int64_t k = 0; k < entries; k++) {
        Entry *e = first + k != entry ? entry_of(in, &in->table[own], first + k) : NULL;
        if (e && e->epoch != in->epoch) {
            e->number = x[k], e->epoch = in->epoch, e->state = ENTRY_DONE;
        }
    }
    *out = x[entry - first];
}

static void eval_cell(Interp *in, Frame *f, const Cell *c, Number *out) {
    const Cell *cell = f->body->cell;
    Number x, y;
    switch (c->op) {
    case OP_READ: eval_read(in, f, c, out); break;
    case OP_REDUCE: eval_reduce(in, f, c, out); break;
    case OP_KERNEL: eval_kernel(in, f, c, out); break;
    case OP_SELECT:
        eval(in, f, c->arg[0], &x);
        eval(in, f, c->arg[x.i ? 1 : 2], out);
        break;
    case OP_CAST: {
        bool from = is_real(cell[c->arg[0]].type), to = is_real(c->type);
        eval(in, f, c->arg[0], &x);
        if (from && to) {
            *out = x;
        } else if (to) {
            out->v = (double)x.i;
        } else {
            out->i = from ? whole_of(in, x.v) : x.i;
            if (c->type == VALUE_BOOL) {
                out->i = from ? x.v != 0 : x.i != 0;
            }
        }
        break;
    }
    case OP_CHECKED:
        eval(in, f, c->arg[0], out);
        eval(in, f, c->arg[1], &x);
        eval(in, f, c->arg[2], &y);
        if (out->i < x.i || out->i >= y.i) {
            fail(in, INTERP_RANGE, "position %lld outside %lld..%lld", (long long)out->i,
                 (long long)x.i, (long long)y.i - 1);
        }
        break;
    case OP_NONEMPTY:
        eval(in, f, c->arg[0], out);
        if (out->i == 0) {
            fail(in, INTERP_EMPTY, "mean over nothing");
        }
        break;
    case OP_IDIV:
        eval(in, f, c->arg[0], &x);
        eval(in, f, c->arg[1], &y);
        if (y.i == 0 || (y.i == -1 && x.i == INT64_MIN) || x.i % y.i != 0) {
            fail(in, INTERP_BROKEN, "%lld / %lld is not whole", (long long)x.i, (long long)y.i);
        }
        out->i = x.i / y.i;
        break;
    case OP_EXTERN:
        fail(in, INTERP_BROKEN, "%s is a function of C and cannot be called here",
             in->g->externs.at[c->aux].name);
        break;
    default: eval_scalar(in, f, c, out); break;
    }
}

static bool slot_is_fresh(const Frame *f, const Slot *s, uint64_t depends) {
    if (s->stamp < f->born) {
        return false;
    }
    for (int k = 0; depends; k++, depends >>= 1) {
        if ((depends & 1) && s->stamp < f->moved[k]) {
            return false;
        }
    }
    return true;
}

static void eval(Interp *in, Frame *f, int c, Number *out) {
    const Cell *cell = &f->body->cell[c];
    Slot *slot = &f->slot[c];
    switch (cell->op) {
    case OP_CONST:
    case OP_DIM: *out = cell->constant; return;
    case OP_INDEX: *out = (Number){.i = f->index[cell->place]}; return;
    default: break;
    }
    if (slot_is_fresh(f, slot, cell->depends)) {
        *out = slot->number;
        return;
    }
    in->steps++;
    if (++in->depth > DEPTH_LIMIT) {
        fail(in, INTERP_DEEP, "a term is nested too deeply to be evaluated");
    }
    *out = (Number){0};
    eval_cell(in, f, cell, out);
    in->depth--;
    slot->number = *out;
    slot->stamp = in->clock;
}

/* The value of a given entry: of data or of a table in the source. */
static bool given(const Interp *in, const Table *t, ArrayRef a, int64_t entry, Number *out) {
    const Array *array = ARRAY(in->g, a);
    *out = (Number){0};
    if (t->real) {
        out->v = t->real[entry];
        for (int w = 0; w < in->directions; w++) {
            if (in->seed[w].array == a && in->seed[w].entry == entry) {
                out->d[w] = 1;
            }
        }
        if (t->moves && in->directions > 0) {
            out->d[0] = t->moves[entry];
        }
    } else if (t->whole) {
        out->i = t->whole[entry];
    } else if (array->role == ARRAY_CONST && array->table) {
        if (is_real(array->type)) {
            out->v = array->table[entry];
        } else {
            out->i = (int64_t)array->table[entry];
        }
    } else {
        return false;
    }
    return true;
}

static void array_list(Interp *in, ArrayRef a) {
    Table *t = &in->table[a];
    const Array *array = ARRAY(in->g, a);
    size_t n = (size_t)array->pieces.n;
    Ref *term = arena_alloc(in->arena, (2 * n + 1) * sizeof *term);
    int *root = arena_alloc(in->arena, (n + 1) * sizeof *root),
        *guard = arena_alloc(in->arena, (n + 1) * sizeof *guard);
    int nterms = 0;
    for (size_t p = 0; p < n; p++) {
        const Piece *piece = &array->pieces.at[p];
        term[nterms++] = piece->body;
        if (piece->guard) {
            term[nterms++] = piece->guard;
        }
    }
    body_list(in, &t->body, nterms, term, array->rank, array->axis);
    for (size_t p = 0; p < n; p++) {
        const Piece *piece = &array->pieces.at[p];
        root[p] = cell_of(&t->body, piece->body);
        guard[p] = piece->guard ? cell_of(&t->body, piece->guard) : -1;
    }
    t->root = root, t->guard = guard;
    t->listed = true;
}

static size_t entry_slot(const Table *t, int64_t entry) {
    uint64_t h = (uint64_t)entry * 0x9E3779B97F4A7C15u;
    size_t k = (size_t)(h >> 20) & (size_t)(t->nslots - 1);
    while (t->slot[k] && t->slot[k]->at != entry) {
        k = (k + 1) & (size_t)(t->nslots - 1);
    }
    return k;
}

/* Where the entry is kept. NULL: there are too many. */
static Entry *entry_of(Interp *in, Table *t, int64_t entry) {
    if (t->count <= TABLE_LIMIT) {
        if (!t->entry) {
            t->entry = arena_alloc(in->arena, (size_t)(t->count + 1) * sizeof *t->entry);
        }
        return &t->entry[entry];
    }
    if (t->used * 2 >= t->nslots) {
        Table old = *t;
        t->nslots = old.nslots ? old.nslots * 2 : 1024;
        t->slot = arena_alloc(in->arena, (size_t)t->nslots * sizeof *t->slot);
        for (int64_t k = 0; k < old.nslots; k++) {
            if (old.slot[k]) {
                t->slot[entry_slot(t, old.slot[k]->at)] = old.slot[k];
            }
        }
    }
    size_t k = entry_slot(t, entry);
    if (!t->slot[k]) {
        if (t->used++ >= ENTRY_LIMIT) {
            return NULL;
        }
        t->slot[k] = arena_alloc(in->arena, sizeof **t->slot);
        t->slot[k]->at = entry;
    }
    return t->slot[k];
}

/* An entry: known, given, or the sum of the pieces around it. */
static void demand(Interp *in, ArrayRef a, int64_t entry, Number *out) {
    Table *t = &in->table[a];
    const Array *array = ARRAY(in->g, a);
    if (given(in, t, a, entry, out)) {
        return;
    }
    if (array->role == ARRAY_INPUT || array->role == ARRAY_PARAM) {
        fail(in, INTERP_NO_DATA, "%s was given no data", array->name);
    }
    Entry *e = entry_of(in, t, entry);
    if (!e) {
        fail(in, INTERP_SIZE, "%s is too large to be evaluated here", array->name);
    }
    if (e->epoch == in->epoch) {
        if (e->state != ENTRY_DONE) {
            fail(in, INTERP_CIRCLE, "%s needs itself", array->name);
        }
        *out = e->number;
        return;
    }
    if (in->depth > DEPTH_TO_DEFER && in->open.n > 0) {
        in->wanted = (Open){a, entry, NULL};
        longjmp(in->escape, ESCAPE_DEFER);
    }
    if (!t->listed) {
        array_list(in, a);
    }
    e->epoch = in->epoch, e->state = ENTRY_OPEN;
    Frame *f = frame_open(in, &t->body, a, entry);
    int64_t rest = entry;
    for (int k = array->rank; k-- > 0;) {
        f->index[k] = rest % t->extent[k];
        rest /= t->extent[k];
    }
    Number sum = {0};
    int pieces = 0;
    for (int p = 0; p < array->pieces.n; p++) {
        bool inside = true;
        for (int k = 0; k < array->rank && inside; k++) {
            int64_t at = f->index[k];
            inside = t->lo[p * array->rank + k] <= at && at <= t->hi[p * array->rank + k];
        }
        if (!inside) {
            continue;
        }
        Number x;
        if (t->guard[p] >= 0) {
            eval(in, f, t->guard[p], &x);
            if (!x.i) {
                fail(in, INTERP_GUARDED, "an entry that nobody should read is read");
            }
        }
        eval(in, f, t->root[p], &x);
        sum.v += x.v;
        sum.i = x.i;
        for (int w = 0; w < in->directions; w++) {
            sum.d[w] += x.d[w];
        }
        if (++pieces > 1 && !is_real(array->type)) {
            fail(in, INTERP_BROKEN, "%s is no real and has two pieces at one entry", array->name);
        }
    }
    if (array->counts && pieces && sum.i < array->least) {
        fail(in, INTERP_TOO_FEW, "an iteration ends after %lld turns, before %lld",
             (long long)sum.i, (long long)array->least);
    }
    frame_close(in);
    e->number = sum, e->state = ENTRY_DONE;
    *out = sum;
}

/* ---- asking
 * -------------------------------------------------------------------------------------------------------------------
 */

/* Drops what is being evaluated. */
static void unwind(Interp *in) {
    while (in->open.n > 0) {
        const Open *o = &in->open.at[in->open.n - 1];
        if (o->array) {
            entry_of(in, &in->table[o->array], o->entry)->epoch = 0;
        }
        frame_close(in);
    }
    in->depth = 0;
}

static void forget_waiting(Interp *in) {
    for (int k = 0; k < in->waiting.n; k++) {
        Entry *e = entry_of(in, &in->table[in->waiting.at[k].array], in->waiting.at[k].entry);
        if (e->epoch == in->epoch && e->state == ENTRY_WAITING) {
            e->epoch = 0;
        }
    }
    in->waiting.n = 0;
}

/* Evaluates entry `entry` of a, or the term t; restarts for each entry that had to be deferred. */
static bool drive(Interp *in, ArrayRef a, int64_t entry, Term *t, const int64_t *value,
                  Number *out) {
    in->running = true;
    for (;;) {
        int why = setjmp(in->escape);
        if (why == 0) {
            while (in->waiting.n > 0) {
                const Open o = in->waiting.at[in->waiting.n - 1];
                Number ignored;
                entry_of(in, &in->table[o.array], o.entry)->epoch = 0; /* no longer waiting */
                demand(in, o.array, o.entry, &ignored);
                in->waiting.n--;
            }
            if (a) {
                demand(in, a, entry, out);
            } else {
                Frame *f = frame_open(in, &t->body, 0, 0);
                for (int k = 0; k < t->n; k++) {
                    f->index[k] = value[k];
                }
                eval(in, f, t->root, out);
                frame_close(in);
            }
            in->running = false;
            return true;
        }
        unwind(in);
        if (why == ESCAPE_STATUS) {
            forget_waiting(in);
            in->running = false;
            return false;
        }
        /* What was being computed from the bottom waits for what is wanted now. */
        if (in->waiting.n > 0) {
            const Open o = in->waiting.at[in->waiting.n - 1];
            Entry *e = entry_of(in, &in->table[o.array], o.entry);
            e->epoch = in->epoch, e->state = ENTRY_WAITING;
        }
        VEC_PUSH(in->arena, in->waiting, in->wanted);
    }
}

/* Is the entry one that an iteration comes to? Asked of those that are wanted from outside: what
 * reads them inside of the graph comes to no others. */
static bool is_live(Interp *in, ArrayRef a, int64_t entry) {
    const Table *t = table_of(in, a);
    const Array *array = ARRAY(in->g, a);
    int64_t position[16], rest = entry;
    if (array->rank > 16 || t->real || t->whole) {
        return true;
    }
    for (int k = array->rank; k-- > 0;) {
        position[k] = rest % t->extent[k];
        rest /= t->extent[k];
    }
    for (int p = 0; p < array->pieces.n; p++) {
        bool inside = array->pieces.at[p].live != 0;
        Number x;
        for (int k = 0; k < array->rank && inside; k++) {
            inside = t->lo[p * array->rank + k] <= position[k] &&
                     position[k] <= t->hi[p * array->rank + k];
        }
        if (inside &&
            !interp_term(in, array->pieces.at[p].live, array->rank, array->axis, position, &x)) {
            return false;
        }
        if (inside && !x.i) {
            set_status(in, INTERP_GUARDED, "an entry behind the end of an iteration is asked for");
            return false;
        }
    }
    return true;
}

bool interp_entry(Interp *in, ArrayRef a, int64_t entry, Number *out) {
    const Table *t = table_of(in, a);
    if (t->bad) {
        say_bad_size(in, a);
        return false;
    }
    if (entry < 0 || entry >= t->count) {
        set_status(in, INTERP_BROKEN, "%s has no entry %lld", ARRAY(in->g, a)->name,
                   (long long)entry);
        return false;
    }
    return is_live(in, a, entry) && drive(in, a, entry, NULL, NULL, out);
}

bool interp_value(Interp *in, ArrayRef a, const int64_t *position, Number *out) {
    const Table *t = table_of(in, a);
    int64_t entry = 0;
    for (int k = 0; k < ARRAY(in->g, a)->rank && !t->bad; k++) {
        if (position[k] < 0 || position[k] >= t->extent[k]) {
            set_status(in, INTERP_BROKEN, "%s has no position %lld on axis %d",
                       ARRAY(in->g, a)->name, (long long)position[k], k);
            return false;
        }
        entry = entry * t->extent[k] + position[k];
    }
    return interp_entry(in, a, entry, out);
}

bool interp_term(Interp *in, Ref term, int n, const Ref *index, const int64_t *value, Number *out) {
    Term *t = NULL;
    for (int k = 0; k < in->terms.n && !t; k++) {
        Term *o = in->terms.at[k];
        if (o->term == term && o->n == n &&
            (n == 0 || !memcmp(o->index, index, (size_t)n * sizeof *index))) {
            t = o;
        }
    }
    if (!t) {
        Ref *own = arena_alloc(in->arena, ((size_t)n + 1) * sizeof *own);
        for (int k = 0; k < n; k++) {
            own[k] = index[k];
        }
        t = arena_alloc(in->arena, sizeof *t);
        t->term = term, t->n = n, t->index = own;
        body_list(in, &t->body, 1, &term, n, own);
        t->root = cell_of(&t->body, term);
        VEC_PUSH(in->arena, in->terms, t);
    }
    return drive(in, 0, 0, t, value, out);
}

Interp *interp_new(Graph *g, const int64_t *dims) {
    Arena *arena = arena_new();
    Interp *in = arena_alloc(arena, sizeof *in);
    size_t ndims = (size_t)g->dims.n, nodes = (size_t)g->nodes.n;
    in->g = g, in->arena = arena, in->epoch = 1;
    in->dims = arena_alloc(arena, (ndims + 1) * sizeof *in->dims);
    for (size_t k = 1; k < ndims; k++) {
        in->dims[k] = dims[k];
    }
    in->table = arena_alloc(arena, (size_t)g->arrays.n * sizeof *in->table);
    in->mark = arena_alloc(arena, nodes * sizeof *in->mark);
    in->local = arena_alloc(arena, nodes * sizeof *in->local);
    for (int op = OP_FIRST_SCALAR; op < OP_COUNT; op++) {
        for (size_t k = 0; k < sizeof formulas / sizeof *formulas; k++) {
            if (!strcmp(op_info[op].name, formulas[k].name)) {
                in->formula[op] = (uint8_t)formulas[k].formula;
            }
        }
    }
    return in;
}

void interp_free(Interp *in) {
    arena_free(in->arena);
}

bool interp_size(Interp *in, const Poly *p, int64_t *value) {
    if (!poly_value(in, NULL, p, value)) {
        set_status(in, INTERP_SIZE, "a size is not whole, or too large");
        return false;
    }
    return true;
}

int64_t interp_extent(Interp *in, ArrayRef a, int axis) {
    const Table *t = table_of(in, a);
    if (t->extent[axis] < 0) {
        say_bad_size(in, a);
        return -1;
    }
    return t->extent[axis];
}

int64_t interp_entries(Interp *in, ArrayRef a) {
    const Table *t = table_of(in, a);
    if (t->bad) {
        say_bad_size(in, a);
        return -1;
    }
    return t->count;
}

void interp_bind_real(Interp *in, ArrayRef a, const double *data) {
    in->table[a].real = data;
}

void interp_bind_int(Interp *in, ArrayRef a, const int64_t *data) {
    in->table[a].whole = data;
}

void interp_seed(Interp *in, ArrayRef a, int64_t entry, int k) {
    if (k < 0 || k >= INTERP_WIDTH) {
        bug("there is no direction %d", k);
    }
    in->seed[k].array = a, in->seed[k].entry = entry;
    if (in->directions <= k) {
        in->directions = k + 1;
    }
}

void interp_move(Interp *in, ArrayRef a, const double *by) {
    in->table[a].moves = by;
    if (in->directions < 1) {
        in->directions = 1;
    }
}

void interp_reset(Interp *in) {
    memset(in->seed, 0, sizeof in->seed);
    in->directions = 0;
    in->epoch++;
}

InterpStatus interp_status(const Interp *in) {
    return in->status;
}

const char *interp_message(const Interp *in) {
    return in->message;
}

int64_t interp_steps(const Interp *in) {
    return in->steps;
}
