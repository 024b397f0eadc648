/* source: texts and places in, messages out. Names are interned in a hash table that is numbered by
 * first appearance. Messages are collected in the order in which they are found; only the printers
 * turn byte offsets into lines and columns. Texts are UTF-8, but nothing relies on it: a byte that
 * is not is one column wide and printed as U+FFFD. */
#include "source.h"
#include <errno.h>
#include <string.h>

enum {
    FILE_LIMIT = 64 * 1024 * 1024, /* bytes of one source */
    ERRORS_SHOWN = 20,
    MESSAGES_KEPT = 1000, /* after so many, errors are counted only */
    LINE_SHOWN =
        140, /* columns of a source line beside its number; of a longer one only a part is shown */
    NAME_LIMIT = 100 /* bytes of a name that closest compares */
};

/* ---- UTF-8 ---- */

/* Reads one code point from s[0..n-1], n > 0; returns its bytes. *code is U+FFFD where the bytes
 * are not UTF-8. */
static uint32_t decode(const char *s, uint32_t n, uint32_t *code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)s[0];
    uint32_t bytes = first < 0x80                    ? 1
                     : first >= 0xC0 && first < 0xE0 ? 2
                     : first >= 0xE0 && first < 0xF0 ? 3
                     : first >= 0xF0 && first < 0xF8 ? 4
                                                     : 0;
    if (bytes == 1) {
        *code = first;
        return 1;
    }
    *code = 0xFFFD;
    if (bytes == 0 || bytes > n) return 1;
    uint32_t c = first & (0x7Fu >> bytes);
    for (uint32_t i = 1; i < bytes; i++) {
        unsigned char next = (unsigned char)s[i];
        if ((next & 0xC0) != 0x80) return 1;
        c = c << 6 | (next & 0x3F);
    }
    if (c < least[bytes] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return 1;
    *code = c;
    return bytes;
}

static bool is_control(uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

/* Cells that a code point takes on a terminal: marks none, the scripts of East Asia and pictographs
 * two. */
static int cells(uint32_t code) {
    static const struct {
        uint32_t low, high;
        int cells;
    } wide[] = {{0x300, 0x36F, 0},     {0x1100, 0x115F, 2},   {0x200B, 0x200F, 0},
                {0x20D0, 0x20FF, 0},   {0x2E80, 0x303E, 2},   {0x3041, 0xA4CF, 2},
                {0xAC00, 0xD7A3, 2},   {0xF900, 0xFAFF, 2},   {0xFE00, 0xFE0F, 0},
                {0xFE30, 0xFE6F, 2},   {0xFF00, 0xFF60, 2},   {0xFFE0, 0xFFE6, 2},
                {0x1F300, 0x1F64F, 2}, {0x1F900, 0x1F9FF, 2}, {0x20000, 0x3FFFD, 2}};
    for (size_t i = 0; i < sizeof wide / sizeof *wide && code >= wide[i].low; i++)
        if (code <= wide[i].high) return wide[i].cells;
    return 1;
}

/* ---- contexts and names ---- */

Context *context_new(void) {
    Arena *arena = arena_new();
    Context *cx = arena_alloc(arena, sizeof *cx);
    cx->arena = arena;
    VEC_PUSH(arena, cx->sources, (Source){.path = "", .text = ""});
    VEC_PUSH(arena, cx->names, "");
    return cx;
}

void context_free(Context *cx) {
    if (cx) arena_free(cx->arena);
}

static uint32_t hash(const char *text, size_t length) {
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) h = (h ^ (unsigned char)text[i]) * 16777619u;
    return h;
}

/* The slot of a name: the one that holds it, or the free one where it belongs. */
static uint32_t *slot_of(const Context *cx, const char *text, size_t length) {
    uint32_t i = hash(text, length) & (cx->name_room - 1);
    for (;; i = (i + 1) & (cx->name_room - 1)) {
        Symbol s = cx->name_slots[i];
        if (s == 0 || (strncmp(cx->names.at[s], text, length) == 0 && cx->names.at[s][length] == 0))
            return &cx->name_slots[i];
    }
}

Symbol symbol(Context *cx, const char *text, size_t length) {
    if (length == 0) return 0;
    if ((uint32_t)cx->names.n * 2 >= cx->name_room) {
        cx->name_room = cx->name_room ? cx->name_room * 2 : 256;
        cx->name_slots = arena_alloc(cx->arena, cx->name_room * sizeof *cx->name_slots);
        for (int i = 1; i < cx->names.n; i++)
            *slot_of(cx, cx->names.at[i], strlen(cx->names.at[i])) = (Symbol)i;
    }
    uint32_t *slot = slot_of(cx, text, length);
    if (*slot == 0) {
        *slot = (Symbol)cx->names.n;
        VEC_PUSH(cx->arena, cx->names, arena_text(cx->arena, text, length));
    }
    return *slot;
}

Symbol symbol_of(Context *cx, const char *text) {
    return symbol(cx, text, strlen(text));
}

const char *symbol_text(const Context *cx, Symbol s) {
    if (s >= (Symbol)cx->names.n) bug("symbol %u of %d", s, cx->names.n);
    return cx->names.at[s];
}

/* ---- sources and places ---- */

uint32_t source_add(Context *cx, const char *path, const char *text, size_t length) {
    if (length > FILE_LIMIT) bug("a source of %zu bytes", length);
    Source s = {.path = arena_text(cx->arena, path, strlen(path)),
                .text = arena_text(cx->arena, text, length),
                .length = (uint32_t)length};
    VEC_PUSH(cx->arena, s.lines, 0);
    for (uint32_t i = 0; i < s.length; i++)
        if (s.text[i] == '\n') VEC_PUSH(cx->arena, s.lines, i + 1);
    VEC_PUSH(cx->arena, cx->sources, s);
    return (uint32_t)cx->sources.n - 1;
}

/* The whole of a stream, or NULL with *why. */
static const char *read_stream(Context *cx, FILE *in, size_t *length, const char **why) {
    char *text = NULL;
    int room = 0;
    size_t n = 0, got;
    do {
        if (n == (size_t)room) text = arena_grow(cx->arena, text, &room, (int)n, 1);
        got = fread(text + n, 1, (size_t)room - n, in);
        n += got;
        if (n > FILE_LIMIT) {
            *why = "it has more than 64 MiB";
            return NULL;
        }
    } while (got > 0);
    if (ferror(in)) {
        *why = arena_format(cx->arena, "%s", strerror(errno));
        return NULL;
    }
    const char *zero = memchr(text, 0, n);
    if (zero) {
        *why = arena_format(cx->arena, "it is no text: byte %zu is 0", (size_t)(zero - text));
        return NULL;
    }
    *length = n;
    return text;
}

uint32_t source_read(Context *cx, const char *path, const char **why) {
    bool standard = strcmp(path, "-") == 0;
    size_t length = 0;
    FILE *in = standard ? stdin : fopen(path, "rb");
    if (!in) {
        *why = arena_format(cx->arena, "%s", strerror(errno));
        return 0;
    }
    const char *text = read_stream(cx, in, &length, why);
    if (!standard) fclose(in);
    return text ? source_add(cx, standard ? "<stdin>" : path, text, length) : 0;
}

static const Source *source_of(const Context *cx, Span at) {
    if (at.file == 0 || at.file >= (uint32_t)cx->sources.n)
        bug("file %u of %d", at.file, cx->sources.n);
    return &cx->sources.at[at.file];
}

/* Where the text of a line starts: a byte order mark is no part of it. */
static uint32_t line_start(const Source *s, int line) {
    uint32_t start = s->lines.at[line];
    return line == 0 && s->length >= 3 && memcmp(s->text, "\xEF\xBB\xBF", 3) == 0 ? 3 : start;
}

static uint32_t line_end(const Source *s, int line) {
    uint32_t end = line + 1 < s->lines.n ? s->lines.at[line + 1] - 1 : s->length;
    if (end > s->lines.at[line] && s->text[end - 1] == '\r') end--;
    return end;
}

/* The line that holds a byte, from 0. */
static int line_of(const Source *s, uint32_t offset) {
    int low = 0, high = s->lines.n - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (s->lines.at[middle] <= offset) low = middle;
        else high = middle - 1;
    }
    return low;
}

void source_place(const Context *cx, Span at, int *line, int *column) {
    *line = *column = 0;
    if (at.file == 0) return;
    const Source *s = source_of(cx, at);
    uint32_t offset = at.start < s->length ? at.start : s->length, code;
    int found = line_of(s, offset), count = 1;
    for (uint32_t i = line_start(s, found); i < offset; count++)
        i += decode(s->text + i, s->length - i, &code);
    *line = found + 1;
    *column = count;
}

const char *source_slice(Context *cx, Span at) {
    if (at.file == 0) return "";
    const Source *s = source_of(cx, at);
    uint32_t end = at.end < s->length ? at.end : s->length;
    uint32_t start = at.start < end ? at.start : end;
    const char *text = s->text + start, *stop = memchr(text, '\n', end - start);
    size_t length = stop ? (size_t)(stop - text) : end - start;
    while (length > 0 && strchr(" \t\r", text[length - 1])) length--;
    return arena_format(cx->arena, "%.*s%s", (int)length, text, stop ? " ..." : "");
}

Span span_join(Span a, Span b) {
    if (a.file == 0) return b;
    if (b.file == 0) return a;
    return (Span){a.file, a.start < b.start ? a.start : b.start, a.end > b.end ? a.end : b.end};
}

/* ---- collecting messages ---- */

static bool same_message(const Message *a, const Message *b) {
    return a->severity == b->severity && a->at.file == b->at.file && a->at.start == b->at.start &&
           a->at.end == b->at.end && strcmp(a->text, b->text) == 0;
}

static void keep(Context *cx, Message m) {
    cx->dropped = true;
    for (int i = 0; i < cx->messages.n; i++)
        if (same_message(&cx->messages.at[i], &m)) return;
    if (m.severity == ERROR) cx->errors++;
    if (cx->messages.n >= MESSAGES_KEPT) return;
    cx->dropped = false;
    VEC_PUSH(cx->arena, cx->messages, m);
}

void error_at(Context *cx, Span at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    keep(cx, (Message){ERROR, at, arena_vformat(cx->arena, format, args), NULL});
    va_end(args);
}

void warning_at(Context *cx, const char *code, Span at, const char *format, ...) {
    for (int i = 0; i < cx->silenced.n; i++)
        if (strcmp(cx->silenced.at[i], code) == 0) {
            cx->dropped = true;
            return;
        }
    va_list args;
    va_start(args, format);
    keep(cx, (Message){cx->warnings_are_errors ? ERROR : WARNING, at,
                       arena_vformat(cx->arena, format, args), code});
    va_end(args);
}

void note_at(Context *cx, Span at, const char *format, ...) {
    if (cx->dropped) return;
    va_list args;
    va_start(args, format);
    Message m = {NOTE, at, arena_vformat(cx->arena, format, args), NULL};
    va_end(args);
    /* The same note twice under one message says nothing new; under another message it does. */
    for (int i = cx->messages.n - 1; i >= 0 && cx->messages.at[i].severity == NOTE; i--)
        if (same_message(&cx->messages.at[i], &m)) return;
    VEC_PUSH(cx->arena, cx->messages, m);
}

/* ---- printing for people ---- */

static const char *const severity_names[] = {
    [NOTE] = "note", [WARNING] = "warning", [ERROR] = "error"};

typedef struct Paint {
    const char *bold, *severity[3], *caret, *off;
} Paint;
static const Paint plain = {"", {"", "", ""}, "", ""};
static const Paint coloured = {
    "\033[1m", {"\033[1;36m", "\033[1;35m", "\033[1;31m"}, "\033[1;32m", "\033[0m"};

/* One source line and the line with the caret below it. Tabs are kept in both, so that they agree
 * at any tab width. */
static void print_line(FILE *out, const Source *s, Span at, const Paint *paint) {
    int line = line_of(s, at.start < s->length ? at.start : s->length);
    uint32_t start = line_start(s, line), end = line_end(s, line), code;
    uint32_t from = at.start < start ? start : at.start > end ? end : at.start;
    uint32_t to = at.end > end ? end : at.end;
    bool head = false, tail = false; /* cut at the front, at the end */

    if (end - start > LINE_SHOWN) { /* keep the caret in view */
        if (from - start > LINE_SHOWN / 2) {
            uint32_t first = from - LINE_SHOWN / 2;
            while (first < from && (s->text[first] & 0xC0) == 0x80) first++;
            start = first;
            head = true;
        }
        if (end - start > LINE_SHOWN) {
            uint32_t last = start + LINE_SHOWN;
            while (last > from && last > start && (s->text[last] & 0xC0) == 0x80) last--;
            end = last;
            tail = true;
        }
        if (to > end) to = end;
    }
    fprintf(out, "%5d | %s", line + 1, head ? "..." : "");
    for (uint32_t i = start, n; i < end; i += n) {
        n = decode(s->text + i, end - i, &code);
        if (code == '\t' || (code != 0xFFFD && !is_control(code))) fwrite(s->text + i, 1, n, out);
        else fputs("\xEF\xBF\xBD", out);
    }
    fprintf(out, "%s\n      | %s", tail ? "..." : "", head ? "   " : "");
    uint32_t i = start;
    while (i < from) {
        i += decode(s->text + i, end - i, &code);
        if (code == '\t') fputc('\t', out);
        else
            for (int k = is_control(code) ? 1 : cells(code); k > 0; k--) fputc(' ', out);
    }
    fprintf(out, "%s^", paint->caret);
    for (bool first = true; i < to; first = false) {
        i += decode(s->text + i, end - i, &code);
        for (int k = (is_control(code) ? 1 : cells(code)) - first; k > 0; k--) fputc('~', out);
    }
    fprintf(out, "%s\n", paint->off);
}

static void print_message(const Context *cx, FILE *out, const Message *m, const Paint *paint) {
    int line, column;
    if (m->at.file) {
        source_place(cx, m->at, &line, &column);
        fprintf(out, "%s%s:%d:%d:%s ", paint->bold, source_of(cx, m->at)->path, line, column,
                paint->off);
    } else {
        fprintf(out, "%sgradc:%s ", paint->bold, paint->off);
    }
    fprintf(out, "%s%s:%s ", paint->severity[m->severity], severity_names[m->severity], paint->off);
    uint32_t length = (uint32_t)strlen(m->text), code;
    for (uint32_t i = 0, n; i < length;
         i += n) { /* a message may quote the source: nothing in it may drive the terminal */
        n = decode(m->text + i, length - i, &code);
        if (code == '\n' || !is_control(code))
            fwrite(m->text + i, 1, code == 0xFFFD && n == 1 ? 0 : n, out);
        if ((code == 0xFFFD && n == 1) || (code != '\n' && is_control(code)))
            fputs("\xEF\xBF\xBD", out);
    }
    if (m->code) fprintf(out, m->severity == ERROR ? " [-Werror=%s]" : " [-W%s]", m->code);
    fputc('\n', out);
    if (m->at.file) print_line(out, source_of(cx, m->at), m->at, paint);
}

void messages_print(const Context *cx, FILE *out, Colour colour) {
    const Paint *paint = colour == COLOUR_ALWAYS ? &coloured : &plain;
    int shown = 0;
    bool show = true;
    for (int i = 0; i < cx->messages.n; i++) {
        const Message *m = &cx->messages.at[i];
        if (m->severity != NOTE) show = m->severity == WARNING || shown < ERRORS_SHOWN;
        if (!show) continue;
        shown += m->severity == ERROR;
        print_message(cx, out, m, paint);
    }
    if (cx->errors > shown)
        fprintf(out, "%d more error%s\n", cx->errors - shown, cx->errors - shown == 1 ? "" : "s");
}

/* ---- printing for programs ---- */

static void json_text(FILE *out, const char *text) {
    uint32_t length = (uint32_t)strlen(text), code;
    fputc('"', out);
    for (uint32_t i = 0, n; i < length; i += n) {
        n = decode(text + i, length - i, &code);
        if (code == '"' || code == '\\') fprintf(out, "\\%c", (char)code);
        else if (code == '\n') fputs("\\n", out);
        else if (code == '\t') fputs("\\t", out);
        else if (code == 0xFFFD || is_control(code)) fprintf(out, "\\u%04x", code);
        else fwrite(text + i, 1, n, out);
    }
    fputc('"', out);
}

/* The members of a message without its braces. */
static void json_message(const Context *cx, FILE *out, const Message *m) {
    fprintf(out, "\"severity\": \"%s\", \"message\": ", severity_names[m->severity]);
    json_text(out, m->text);
    if (m->code) {
        fputs(", \"code\": ", out);
        json_text(out, m->code);
    }
    if (m->at.file) {
        int line, column;
        source_place(cx, m->at, &line, &column);
        fputs(", \"file\": ", out);
        json_text(out, source_of(cx, m->at)->path);
        fprintf(out, ", \"line\": %d, \"column\": %d", line, column);
        source_place(cx, (Span){m->at.file, m->at.end, m->at.end}, &line, &column);
        fprintf(out, ", \"endLine\": %d, \"endColumn\": %d, \"start\": %u, \"end\": %u", line,
                column, m->at.start, m->at.end);
    }
}

void messages_print_json(const Context *cx, FILE *out) {
    fputc('[', out);
    for (int i = 0; i < cx->messages.n;) {
        fputs(i ? ",\n {" : "\n {", out);
        json_message(cx, out, &cx->messages.at[i++]);
        fputs(", \"notes\": [", out);
        for (bool first = true; i < cx->messages.n && cx->messages.at[i].severity == NOTE;
             i++, first = false) {
            fputs(first ? "\n   {" : ",\n   {", out);
            json_message(cx, out, &cx->messages.at[i]);
            fputc('}', out);
        }
        fputs("]}", out);
    }
    fputs(cx->messages.n ? "\n]\n" : "]\n", out);
}

/* ---- names that were meant ---- */

/* Characters in common as difflib counts them (Ratcliff and Obershelp): the longest block that
 * a[0..n-1] and b[0..m-1] share, the first one in a and then in b, and the same again on both sides
 * of it. Depth is at most NAME_LIMIT. */
static int in_common(const char *a, int n, const char *b, int m) {
    int best = 0, in_a = 0, in_b = 0;
    int before[NAME_LIMIT + 1] = {
        0}; /* before[j + 1]: length of the block that ends at a[i - 1], b[j] */
    for (int i = 0; i < n; i++) {
        int diagonal = 0;
        for (int j = 0; j < m; j++) {
            int length = a[i] == b[j] ? diagonal + 1 : 0;
            diagonal = before[j + 1];
            before[j + 1] = length;
            if (length > best) {
                best = length;
                in_a = i - length + 1;
                in_b = j - length + 1;
            }
        }
    }
    if (best == 0) return 0;
    return best + in_common(a, in_a, b, in_b) +
           in_common(a + in_a + best, n - in_a - best, b + in_b + best, m - in_b - best);
}

const char *closest(Context *cx, const char *name, const char *const *known, int n) {
    const char *found = NULL;
    int found_common = 0, found_total = 1;
    size_t length = strlen(name);
    (void)cx;
    if (length > NAME_LIMIT) return NULL;
    for (int i = 0; i < n; i++) {
        size_t other = strlen(known[i]);
        if (other > NAME_LIMIT || length + other == 0) continue;
        int common = 2 * in_common(known[i], (int)other, name, (int)length),
            total = (int)(length + other);
        if (common * 5 < total * 3) continue; /* a ratio below 0.6 */
        int better = common * found_total - found_common * total;
        if (!found || better > 0 || (better == 0 && strcmp(known[i], found) > 0)) {
            found = known[i];
            found_common = common;
            found_total = total;
        }
    }
    return found;
}
