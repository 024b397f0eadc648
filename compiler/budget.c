/* budget: how much workspace a plan takes, and --max-workspace.
 * In: the graph, and the ways to plan the functions of a request. Out: the edits and options of the
 * fastest plan that fits, or an error with the least that would do and where it goes.
 *
 * Tried are, until one fits: the plan that is fastest; cuts between what is stored and what is made
 * again (cut.c), the more so the more operations a byte is worth; then products of matrices turn by
 * turn, in the loops that use them; then checkpoints of recurrences, which make each step once
 * more, or several times. What a plan takes is asked of the plan, not guessed. */
#include "gen.h"
#include "print.h"
#include "sizes.h"

enum { MOST_STATES = 64, MOST_NAMED = 3 };

/* ---- how much */

typedef struct Bytes {
    int64_t known;   /* -1: not */
    const Poly *sum; /* NULL: it depends on states */
} Bytes;

/* How many states a checkpoint keeps, as gradc_states has it. */
static bool states_of(Graph *g, const Checkpoint *c, int64_t *n) {
    int64_t length;
    *n = c->count;
    if (c->kind == CHECKPOINT_BINOMIAL) {
        return true;
    }
    if (c->kind != CHECKPOINT_EVERY ||
        !sizes_assumed(g, poly_sub(g->arena, c->end, c->first), &length)) {
        return false;
    }
    *n = length <= c->count ? 1 : 1 + (length - 1) / c->count;
    return true;
}

static Bytes bytes_of(Graph *g, const Buffer *b) {
    const Checkpoint *c = b->states;
    const Poly *size = poly_int(g->arena, array_entry_bytes(g, b->array));
    int64_t known, states = 1;
    bool counted = true;
    if (c && b->part == PART_FRESH) {
        return (Bytes){8, poly_int(g->arena, 8)};
    }
    if (c) {
        size = poly_scale(g->arena, size, b->turns, 1);
        counted = b->part != PART_STATES || states_of(g, c, &states);
    }
    if (b->sums || b->own.n) {
        size = poly_scale(g->arena, size, b->sums ? THREADS_PARTS - 1 : THREADS_PARTS, 1);
    }
    for (int q = c ? 1 : 0; q < store_axes(g, b->store, b->array); q++) {
        int axis = store_axis(b->store, q);
        const Poly *extent = store_extent(g, b->store, b->array, axis);
        int64_t row = b->store ? b->store->row : 0, length;
        if (row && q + 1 == store_axes(g, b->store, b->array)) {
            extent = sizes_assumed(g, extent, &length)
                         ? poly_int(g->arena, (length + row - 1) / row * row)
                         : poly_add(g->arena, extent, poly_int(g->arena, row - 1));
        }
        if (b->store && b->store->window[axis] < 0) {
            int64_t span = checkpoint_span(b->store->checkpoint);
            counted = counted && span > 0;
            extent = poly_int(g->arena, span);
        }
        size = poly_mul(g->arena, size, extent);
    }
    bool fixed = counted && sizes_assumed(g, size, &known);
    return (Bytes){fixed ? known * states : -1, counted && !c ? size : NULL};
}

static int64_t aligned(int64_t bytes) {
    return (bytes + WORKSPACE_ALIGN - 1) / WORKSPACE_ALIGN * WORKSPACE_ALIGN;
}

int64_t layout_slot_bytes(const Layout *l, int type) {
    static const int bytes[] = {sizeof(int), 8, 4, 8}; /* of variables, by ValueType */
    return (int64_t)l->slots[type] * bytes[type];
}

int64_t layout_bytes(Graph *g, const Layout *l, const Poly **sum, bool *at_most) {
    int64_t all = 0;
    const Poly *total = poly_int(g->arena, 0);
    *at_most = false;
    for (int k = 0; k < l->buffers.n; k++) {
        Bytes b = bytes_of(g, &l->buffers.at[k]);
        *at_most = *at_most || l->buffers.at[k].sums || l->buffers.at[k].own.n ||
                   (l->buffers.at[k].store && l->buffers.at[k].store->row);
        total = total && b.sum ? poly_add(g->arena, total, b.sum) : NULL;
        all = all < 0 || b.known < 0 ? -1 : all + aligned(b.known);
    }
    for (int type = VALUE_BOOL; type <= VALUE_DOUBLE; type++) {
        int64_t bytes = 0;
        for (int k = 0; k < l->kept.n; k++) {
            ArrayRef a = l->kept.at[k];
            bytes += (int)ARRAY(g, a)->type == type ? array_entry_bytes(g, a) : 0;
        }
        int64_t slots = layout_slot_bytes(l, type);
        total = total ? poly_add(g->arena, total, poly_int(g->arena, bytes + slots)) : NULL;
        all = all < 0 ? -1 : all + aligned(bytes) + aligned(slots);
    }
    *sum = total;
    return all;
}

/* ---- which plan */

typedef struct Trial {
    Plan plan;
    int64_t bytes; /* of its largest workspace; -1: not known */
    int worst;     /* that layout */
    const Edits *edits;
    PlanOptions options;
} Trial;

static Trial try_plan(Graph *g, const PlanOptions *options, int request, int also,
                      const Edits *edits) {
    Trial t = {.plan = {.g = g}, .bytes = 0, .edits = edits, .options = *options};
    t.options.trial = true;
    if (request < 0) {
        plan_value(&t.plan, &t.options, edits);
    } else {
        plan_request(&t.plan, &t.options, request, also, edits);
    }
    for (int k = 0; k < t.plan.layouts.n; k++) {
        const Poly *sum;
        bool at_most;
        int64_t bytes = layout_bytes(g, &t.plan.layouts.at[k], &sum, &at_most);
        if (t.bytes >= 0 && (bytes < 0 || bytes > t.bytes)) {
            t.bytes = bytes, t.worst = k;
        }
    }
    t.options.trial = false;
    return t;
}

static bool is_less(int64_t bytes, int64_t than) {
    return bytes >= 0 && (than < 0 || bytes < than);
}

/* By array: what the functions of the plan store of it. */
static double *stored_bytes(Graph *g, const Plan *plan) {
    const Sizes *sizes = sizes_of(g);
    double *bytes = arena_alloc(g->arena, ((size_t)g->arrays.n + 1) * sizeof *bytes);
    for (int k = 0; k < plan->layouts.n; k++) {
        const Layout *l = &plan->layouts.at[k];
        for (int i = 0; i < l->buffers.n; i++) {
            const Buffer *b = &l->buffers.at[i];
            double size = array_entry_bytes(g, b->array);
            for (int q = 0; q < store_axes(g, b->store, b->array) && !b->states; q++) {
                int axis = store_axis(b->store, q);
                size *= sizes_best(sizes, store_extent(g, b->store, b->array, axis));
            }
            bytes[b->array] = size > bytes[b->array] ? size : bytes[b->array];
        }
    }
    return bytes;
}

/* Of the value: what its outputs need, as the edits have it. */
static bool *of_value(Graph *g, const Order *order) {
    bool *value = arena_alloc(g->arena, (size_t)g->arrays.n + 1);
    Order outputs = graph_order_needs(g, g->outputs.n, g->outputs.at);
    for (int k = 0; k < outputs.n; k++) {
        value[outputs.array[k]] = true;
    }
    for (int k = 0; k < order->n; k++) {
        value[order->array[k]] = value[order->array[k]] || ARRAY(g, order->array[k])->order == 0;
    }
    return value;
}

static void say_where(Graph *g, const Trial *t, Span at) {
    const Layout *l = &t->plan.layouts.at[t->worst];
    bool *said = arena_alloc(g->arena, (size_t)l->buffers.n + 1);
    for (int n = 0; n < MOST_NAMED; n++) {
        int best = -1;
        Bytes most = {0};
        for (int k = 0; k < l->buffers.n; k++) {
            Bytes b = bytes_of(g, &l->buffers.at[k]);
            if (!said[k] && (best < 0 || b.known < 0 || b.known > most.known) && most.known >= 0) {
                best = k, most = b;
            }
        }
        if (best < 0) {
            return;
        }
        said[best] = true;
        ArrayRef a = l->buffers.at[best].array;
        Text shape = text_new(g->arena);
        graph_shape_text(g, a, &shape);
        const char *bytes = most.known >= 0 ? arena_format(g->arena, "%lld", (long long)most.known)
                            : most.sum      ? graph_poly_text(g, most.sum)
                                            : "a number of";
        note_at(g->cx, ARRAY(g, a)->at.start || ARRAY(g, a)->at.end ? ARRAY(g, a)->at : at,
                "%s bytes of it for %s%s%s", bytes, ARRAY(g, a)->name, text_string(&shape),
                l->buffers.at[best].states ? ", states" : "");
    }
}

/* The function that needs most, and how much. */
static void refuse(Graph *g, const PlanOptions *options, const Trial *least, Span at) {
    const Layout *l = &least->plan.layouts.at[least->worst];
    const Function *f = NULL;
    const Poly *sum;
    bool at_most;
    for (int k = 0; k < least->plan.functions.n && !f; k++) {
        f = least->plan.functions.at[k].layout == least->worst ? &least->plan.functions.at[k]
                                                               : NULL;
    }
    const char *name = f ? plan_function_name(&least->plan, f, options->prefix) : g->name;
    layout_bytes(g, l, &sum, &at_most);
    if (least->bytes >= 0) {
        error_at(g->cx, at,
                 "%s needs a workspace of at least %lld bytes, and --max-workspace is %lld", name,
                 (long long)least->bytes, (long long)options->max_workspace);
    } else if (sum) {
        error_at(g->cx, at,
                 "%s needs a workspace of about %s bytes: say what the sizes are, with -D or "
                 "--assume, to compare that with --max-workspace=%lld",
                 name, graph_poly_text(g, sum), (long long)options->max_workspace);
    } else {
        error_at(g->cx, at,
                 "the workspace of %s depends on how many states are kept, which is known when it "
                 "runs: --max-workspace needs --checkpoint=every:K or binomial:S",
                 name);
    }
    say_where(g, least, at);
}

/* The search, which keeps the best so far. */
typedef struct Search {
    Graph *g;
    PlanOptions *options;
    int request, also;
    Trial least;
} Search;

/* Does it fit so? Then that is how it is planned. */
static bool try_way(Search *s, const PlanOptions *how, const Edits *edits) {
    Trial t = try_plan(s->g, how, s->request, s->also, edits);
    if (is_less(t.bytes, s->least.bytes)) {
        s->least = t;
    }
    if (t.bytes >= 0 && t.bytes <= s->options->max_workspace) {
        *s->options = t.options;
        return true;
    }
    return false;
}

const Edits *budget_choose(Graph *g, PlanOptions *options, int request, int also, int nroots,
                           const ArrayRef *roots, const Edits *edits) {
    static const double weights[] = {0.125, 0.5, 2, 8, 64, 1024, 1e9};
    static const int lengths[] = {4096, 1024, 256, 128, 64, 32, 16, 8, 4, 2};
    enum { WEIGHTS = sizeof weights / sizeof *weights, LENGTHS = sizeof lengths / sizeof *lengths };
    PlanOptions how = *options;
    Search s = {.g = g, .options = options, .request = request, .also = also};
    s.least = try_plan(g, &how, request, also, edits);
    if (try_way(&s, &how, edits)) {
        return edits;
    }
    const double *bytes = stored_bytes(g, &s.least.plan);
    const Edits *last = edits;
    int most = 0;
    for (int k = 0; k < WEIGHTS && request >= 0; k++) {
        Edits *cut = arena_alloc(g->arena, sizeof *cut);
        cut->below = edits;
        edits_show(g, edits, true);
        Order order = graph_order(g, nroots, roots);
        const bool *value = of_value(g, &order);
        int made = cut_derivative(g, nroots, roots, value, bytes, weights[k], cut);
        edits_show(g, cut, false);
        if (made <= most) { /* the same as before */
            continue;
        }
        most = made, last = cut;
        if (try_way(&s, &how, cut)) {
            return cut;
        }
    }
    RequestKind kind = request >= 0 ? g->requests.at[request].kind : REQUEST_JACOBIAN;
    bool backward = kind == REQUEST_GRADIENT || kind == REQUEST_VJP,
         free = backward && options->checkpoint == CHECKPOINT_NONE && options->parts != PARTS_JOINT;
    for (int k = 0; k < (free ? LENGTHS + 8 : 1); k++) { /* first without checkpoints, but lean */
        int states = k > LENGTHS ? MOST_STATES >> (k - LENGTHS - 1) : 0;
        how.lean = true;
        if (k > 0) {
            how.checkpoint = states ? CHECKPOINT_BINOMIAL : CHECKPOINT_EVERY;
            how.checkpoint_count = states ? states : lengths[k - 1];
        }
        for (int with = 0; with < (last == edits ? 1 : 2); with++) {
            if (try_way(&s, &how, with ? last : edits)) {
                return with ? last : edits;
            }
        }
    }
    if (options->parts == PARTS_JOINT) {
        return NULL;
    }
    Span at = request >= 0 ? g->requests.at[request].at : ARRAY(g, g->outputs.at[0])->at;
    refuse(g, options, &s.least, at);
    return edits;
}
