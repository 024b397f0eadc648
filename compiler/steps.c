/* steps: what C compilers do to loops whose turns go one after the other.
 * In: the statements of a function, when all other passes are through. Out: the same, marked for
 * the text. Two things are said that no C compiler finds out.
 * A choice by a decision: `good[t - 1] ? next[t - 1] : x[t - 1]`, where `good` is found in the same
 * loop of a recurrence. As a jump it is guessed, and the turn goes on before the decision is known;
 * as a choice between two numbers, or two places, the turn waits for all that the decision is made
 * of. Descents, and other iterations that accept or refuse a step, are such chains. A condition of
 * data that is there already, or of numbers compared in place, is no decision: a C compiler sees
 * both sides.
 * A loop inside that looks up positions: each turn has a jump in it, so there will be no vector
 * code, and turns side by side only take registers. */
#include "gen.h"

typedef struct Steps {
    Gen *x;
    int *local, *array; /* by number: the recurrence's loop that sets it, as a number; 0: none */
    int loop, loops;    /* the recurrence around, 0: none; how many there were */
} Steps;

static void note_decisions(Steps *p, const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_STORE && ARRAY(p->x->g, s->array)->type == VALUE_BOOL) {
            p->array[s->array] = p->loop;
        } else if ((s->kind == STMT_LET || s->kind == STMT_SET) &&
                   p->x->f->locals.at[s->local].type == VALUE_BOOL) {
            p->local[s->local] = p->loop;
        }
        note_decisions(p, &s->body);
        note_decisions(p, &s->otherwise);
    }
}

static bool has_decision(const Steps *p, const Expr *e) {
    bool has = (e->kind == EXPR_LOAD && p->array[e->array] == p->loop) ||
               (e->kind == EXPR_LOCAL && p->local[e->local] == p->loop);
    for (int k = 0; k < e->n && !has; k++) {
        has = has_decision(p, e->arg[k]);
    }
    return has;
}

static void mark_choices(const Steps *p, Expr *e) {
    e->guessed = e->kind == EXPR_SELECT && has_decision(p, e->arg[0]);
    for (int k = 0; k < e->n; k++) {
        mark_choices(p, e->arg[k]);
    }
}

static bool looks_up(const Expr *e) {
    bool does = e->kind == EXPR_CHECKED;
    for (int k = 0; k < e->n && !does; k++) {
        does = looks_up(e->arg[k]);
    }
    return does;
}

/* No loop inside, and a position that may be wrong? */
static bool is_look_up(const Block *b) {
    bool does = false;
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->body.first || s->otherwise.first || s->kind == STMT_KERNEL ||
            s->kind == STMT_MATMUL) {
            return false;
        }
        does = does || (s->value && looks_up(s->value));
        for (int k = 0; k < s->n && s->position; k++) {
            does = does || looks_up(s->position[k]);
        }
    }
    return does;
}

static void walk(Steps *p, Block *b) {
    for (Stmt *s = b->first; s; s = s->next) {
        int around = p->loop;
        if (s->kind == STMT_LOOP && s->turns) {
            p->loop = ++p->loops;
            note_decisions(p, &s->body);
            note_decisions(p, &s->otherwise);
        } else if (s->kind == STMT_LOOP) { /* its turns are no chain of the recurrence around */
            p->loop = 0;
            s->in_steps = s->hint == HINT_NONE && !s->map && !s->lanes && !s->step && !s->jam &&
                          !s->jump && is_look_up(&s->body);
        }
        if (p->loop && s->value && s->kind != STMT_LOOP) {
            mark_choices(p, s->value);
        }
        walk(p, &s->body);
        walk(p, &s->otherwise);
        p->loop = around;
    }
}

void steps_mark(Gen *x) {
    Steps p = {.x = x};
    p.local = arena_alloc(x->g->arena, (size_t)(x->f->locals.n + 1) * sizeof *p.local);
    p.array = arena_alloc(x->g->arena, (size_t)(x->g->arrays.n + 1) * sizeof *p.array);
    walk(&p, &x->f->body);
}
