/* text: growing strings. Numbers come out the same on every machine: the program never sets a
 * locale, and the shortest decimals are found by trying. */
#include "text.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Text text_new(Arena *arena) {
    return (Text){.arena = arena};
}

/* Room for `more` bytes and the final 0. Doubling: the stale copies cost no more than the text
 * itself. */
static void text_reserve(Text *t, size_t more) {
    if (t->n + more + 1 <= t->room) return;
    size_t room = t->room ? t->room : 64;
    while (room < t->n + more + 1) room *= 2;
    char *at = arena_alloc(t->arena, room);
    if (t->n) memcpy(at, t->at, t->n);
    t->at = at;
    t->room = room;
}

void text_bytes(Text *t, const char *bytes, size_t n) {
    text_reserve(t, n);
    if (n) memcpy(t->at + t->n, bytes, n);
    t->n += n;
    t->at[t->n] = 0;
}

void text_raw(Text *t, const char *bytes) {
    text_bytes(t, bytes, strlen(bytes));
}

void text_char(Text *t, char c) {
    text_bytes(t, &c, 1);
}

void text_indent(Text *t, int levels) {
    for (int k = 0; k < levels; k++) text_bytes(t, "    ", 4);
}

void text_add(Text *t, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) bug("a format that cannot be printed: %s", format);
    text_reserve(t, (size_t)n);
    vsnprintf(t->at + t->n, (size_t)n + 1, format, again);
    va_end(again);
    t->n += (size_t)n;
}

static bool text_special(Text *t, double value) {
    if (isnan(value)) text_raw(t, "nan");
    else if (isinf(value)) text_raw(t, value < 0 ? "-inf" : "inf");
    else return false;
    return true;
}

/* In the form that reads best: %g alone would write 100000 as 1e+05 as soon as one digit is enough.
 */
static void text_digits(Text *t, double value, int digits) {
    if (value == floor(value) && fabs(value) < 1e15) text_add(t, "%.0f", value);
    else text_add(t, "%.*g", digits, value);
}

void text_real(Text *t, double value) {
    if (text_special(t, value)) return;
    char digits[40];
    int n = 1;
    while (n < 17 &&
           (snprintf(digits, sizeof digits, "%.*g", n, value), strtod(digits, NULL) != value))
        n++;
    text_digits(t, value, n);
}

void text_float(Text *t, float value) {
    if (text_special(t, (double)value)) return;
    char digits[40];
    int n = 1;
    while (n < 9 && (snprintf(digits, sizeof digits, "%.*g", n, (double)value),
                     strtof(digits, NULL) != value))
        n++;
    text_digits(t, (double)value, n);
}

void text_quoted(Text *t, const char *s) {
    text_char(t, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') text_add(t, "\\%c", c);
        else if (c == '\n') text_raw(t, "\\n");
        else if (c < 32) text_add(t, "\\u%04x", c);
        else text_char(t, *s);
    }
    text_char(t, '"');
}

const char *text_string(const Text *t) {
    return t->at ? t->at : "";
}

/* How well the line breaks at this space, small is good; -1 when not at all. Looser operators break
 * before tighter ones. */
static int break_cost(const char *space, bool after_comma) {
    const char *word = space + 1;
    size_t n = strcspn(word, " ");
    if (!strncmp(word, "for ", 4) || !strncmp(word, "if ", 3) || !strncmp(word, "&& ", 3) ||
        !strncmp(word, "|| ", 3))
        return 0;
    if (after_comma) return 0;
    if (n != 1 || !word[1]) return -1;
    return strchr("+-?:", *word) ? 0 : strchr("*/", *word) ? 1 : -1;
}

/* Where to break so that the first part fits: the least nested place, of these the last; 0 when
 * none will do. A place is a space, or the start of what a reduction reduces: sum[...](HERE. Square
 * brackets are torn apart last. */
static size_t break_at(const char *line, size_t from, size_t width) {
    size_t best = 0;
    int depth = 0, best_cost = 0;
    for (size_t k = 0; line[k] && k <= width; k++) {
        char c = line[k];
        int own = -1, around = depth;
        size_t at = k;
        if (c == '[') depth += 3;
        if (c == ']') depth -= 3;
        if (c == '(' || c == '{') depth++;
        if (c == ')' || c == '}') depth--;
        if (k > from && c == ' ') own = break_cost(line + k, line[k - 1] == ',');
        else if (k > from && c == '(' && line[k - 1] == ']' && k < width) own = 1, at = k + 1;
        int cost = 2 * around + own;
        /* Far to the left a break wins little, so nesting is forgiven there. */
        if (own >= 0 && (!best || cost <= best_cost || best < from + (width - from) / 3))
            best = at, best_cost = cost;
    }
    return best;
}

void text_wrap(Text *t, const char *line, int width, int indent) {
    size_t room = (size_t)width, from = 8;
    while (strlen(line) > room) {
        size_t cut = break_at(line, from, room);
        if (!cut) {
            const char *space = strchr(line + (room < from ? from : room), ' ');
            if (!space) break;
            cut = (size_t)(space - line);
        }
        text_bytes(t, line, cut);
        text_add(t, "\n%*s", indent, "");
        line += cut + (line[cut] == ' ');
        room = (size_t)(width > indent + 20 ? width - indent : 20);
        from = 0;
    }
    text_raw(t, line);
}
