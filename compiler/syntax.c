/* syntax: building the tree and printing it. The grammar calls syn_new and syn_join; everybody else
 * only reads. A list is a node whose children are joined one by one, so that a list of any length
 * is flat. */
#include "syntax.h"
#include <stdarg.h>
#include <string.h>

static const char *const kind_names[] = {
    [SYN_NONE] = "none",       [SYN_FILE] = "file",
    [SYN_USE] = "use",         [SYN_MODEL] = "model",
    [SYN_FN] = "fn",           [SYN_BODY] = "body",
    [SYN_DIMS] = "dims",       [SYN_DIM] = "dim",
    [SYN_DECLARE] = "declare", [SYN_TYPE] = "type",
    [SYN_THINGS] = "things",   [SYN_THING] = "thing",
    [SYN_ARGS] = "args",       [SYN_ARGUMENT] = "argument",
    [SYN_SHAPE] = "shape",     [SYN_VALUES] = "values",
    [SYN_OUTPUT] = "output",   [SYN_DERIVE] = "derive",
    [SYN_PARTIAL] = "partial", [SYN_EQUATION] = "equation",
    [SYN_NAMES] = "names",     [SYN_NAME] = "name",
    [SYN_AT] = "at",           [SYN_POSITIONS] = "positions",
    [SYN_ITEMS] = "items",     [SYN_IN] = "in",
    [SYN_EXPRS] = "exprs",     [SYN_NUMBER] = "number",
    [SYN_CONVERT] = "convert", [SYN_OP] = "op",
    [SYN_CALL] = "call",       [SYN_ENTRY] = "entry",
    [SYN_REDUCE] = "reduce",   [SYN_OPROW] = "oprow",
    [SYN_RULE] = "rule",       [SYN_EXTERN] = "extern",
};

Syn *syn_new(Context *cx, SynKind kind, const char *text, Span at, Span whole, int nkids, ...) {
    Syn *s = arena_alloc(cx->arena, sizeof *s);
    s->kind = kind;
    s->text = text;
    s->name = symbol_of(cx, text);
    s->at = at;
    s->whole = whole;
    s->height = 1;
    s->kid = nkids ? arena_alloc(cx->arena, (size_t)nkids * sizeof *s->kid) : NULL;
    s->nkids = s->room = nkids;
    va_list kids;
    va_start(kids, nkids);
    for (int i = 0; i < nkids; i++) {
        Syn *k = va_arg(kids, Syn *);
        if (!k) bug("child %d of a node '%s' is missing", i, kind_names[kind]);
        s->kid[i] = k;
        if (k->height >= s->height) s->height = k->height + 1;
    }
    va_end(kids);
    return s;
}

Syn *syn_join(Context *cx, Syn *list, Syn *more) {
    list->whole = list->nkids || list->whole.start < list->whole.end
                      ? span_join(list->whole, more->whole)
                      : more->whole;
    list->at = list->whole;
    if (list->nkids == list->room)
        list->kid = arena_grow(cx->arena, list->kid, &list->room, list->nkids, sizeof *list->kid);
    list->kid[list->nkids++] = more;
    if (more->height >= list->height) list->height = more->height + 1;
    return list;
}

/* As deep as the tree, which the parser keeps below a limit. */
static void print_node(const Syn *s, int level, FILE *out) {
    fprintf(out, "%*s%s", 2 * level, "", kind_names[s->kind]);
    if (s->text[0]) fprintf(out, " %s", s->text);
    fputc('\n', out);
    for (int i = 0; i < s->nkids; i++) print_node(s->kid[i], level + 1, out);
}

void syn_print(const Syn *s, FILE *out) {
    print_node(s, 0, out);
}
