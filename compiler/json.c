/* json: one pass over the text, one function per kind of value. Nesting is limited, numbers are
 * checked against the grammar of JSON before they are converted, and the first mistake ends the
 * reading. */
#include "json.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 200 };

typedef struct Reader {
    Context *cx;
    uint32_t file;
    const char *text;
    uint32_t at, end;
    int depth;
} Reader;

static Span span_here(const Reader *r) {
    return (Span){r->file, r->at, r->at < r->end ? r->at + 1 : r->at};
}

static Json *fail(Reader *r, const char *what) {
    error_at(r->cx, span_here(r), "%s", what);
    return NULL;
}

static void skip_space(Reader *r) {
    while (r->at < r->end && strchr(" \t\r\n", r->text[r->at]) && r->text[r->at]) {
        r->at++;
    }
}

static bool take(Reader *r, char c) {
    if (r->at < r->end && r->text[r->at] == c) {
        r->at++;
        return true;
    }
    return false;
}

static bool take_word(Reader *r, const char *word) {
    size_t n = strlen(word);
    if (r->end - r->at >= n && !memcmp(r->text + r->at, word, n)) {
        r->at += (uint32_t)n;
        return true;
    }
    return false;
}

static bool take_digits(Reader *r) {
    uint32_t start = r->at;
    while (r->at < r->end && r->text[r->at] >= '0' && r->text[r->at] <= '9') {
        r->at++;
    }
    return r->at > start;
}

static Json *value_new(Reader *r, JsonKind kind, uint32_t start) {
    Json *v = arena_alloc(r->cx->arena, sizeof *v);
    v->kind = kind;
    v->at = (Span){r->file, start, r->at};
    return v;
}

static Json *read_number(Reader *r) {
    uint32_t start = r->at;
    bool negative = take(r, '-'), whole = true;
    if (take_word(r, "Infinity")) {
        Json *v = value_new(r, JSON_NUMBER, start);
        v->number = negative ? -INFINITY : INFINITY;
        return v;
    }
    if (!take(r, '0') && !take_digits(r)) {
        return fail(r, "a digit is missing here");
    }
    if (take(r, '.')) {
        whole = false;
        if (!take_digits(r)) {
            return fail(r, "a digit is missing after the point");
        }
    }
    if (take(r, 'e') || take(r, 'E')) {
        whole = false;
        if (!take(r, '+')) {
            take(r, '-');
        }
        if (!take_digits(r)) {
            return fail(r, "a digit is missing in the exponent");
        }
    }
    Json *v = value_new(r, JSON_NUMBER, start);
    const char *text = arena_text(r->cx->arena, r->text + start, r->at - start);
    v->number = strtod(text, NULL);
    if (whole) {
        errno = 0;
        long long i = strtoll(text, NULL, 10);
        v->is_whole = errno == 0;
        v->whole = v->is_whole ? (int64_t)i : 0;
    }
    return v;
}

static bool read_hex4(Reader *r, uint32_t *code) {
    *code = 0;
    for (int k = 0; k < 4; k++) {
        char c = r->at < r->end ? r->text[r->at] : 0;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            fail(r, "four hexadecimal digits must follow \\u");
            return false;
        }
        *code = *code * 16 + (uint32_t)digit;
        r->at++;
    }
    return true;
}

static size_t put_utf8(char *out, uint32_t code) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t k = n - 1; k > 0; k--) {
        out[k] = (char)(0x80u | (code & 0x3Fu));
        code >>= 6;
    }
    out[0] = (char)((n == 2 ? 0xC0u : n == 3 ? 0xE0u : 0xF0u) | code);
    return n;
}

/* The text between quotes; NULL after a mistake. */
static const char *read_text(Reader *r) {
    uint32_t limit = ++r->at; /* behind the quote */
    while (limit < r->end && r->text[limit] != '"') {
        limit += r->text[limit] == '\\' && limit + 1 < r->end ? 2 : 1;
    }
    char *out =
        arena_alloc(r->cx->arena, (size_t)(limit - r->at) +
                                      2); /* an escape is never shorter than what it means */
    size_t n = 0;
    while (r->at < r->end && r->text[r->at] != '"') {
        char c = r->text[r->at];
        if ((unsigned char)c < 0x20) {
            return fail(r, "this text has no closing quote on its line"), NULL;
        }
        r->at++;
        if (c != '\\') {
            out[n++] = c;
            continue;
        }
        const char *from = "\"\\/bfnrt", *to = "\"\\/\b\f\n\r\t";
        c = r->at < r->end ? r->text[r->at] : 0;
        const char *known = c ? strchr(from, c) : NULL;
        if (known) {
            out[n++] = to[known - from];
            r->at++;
        } else if (c == 'u') {
            uint32_t code, low;
            r->at++;
            if (!read_hex4(r, &code)) {
                return NULL;
            }
            if (code >= 0xD800 && code < 0xDC00) {
                if (!take_word(r, "\\u") || !read_hex4(r, &low) || low < 0xDC00 || low >= 0xE000) {
                    return fail(r, "half of a surrogate pair"), NULL;
                }
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            } else if (code == 0 || (code >= 0xDC00 && code < 0xE000)) {
                return fail(r, "this is no character"), NULL;
            }
            n += put_utf8(out + n, code);
        } else {
            return fail(r, "an escape that JSON does not know"), NULL;
        }
    }
    if (!take(r, '"')) {
        return fail(r, "the text ends before the closing quote"), NULL;
    }
    return out;
}

static Json *read_value(Reader *r);

/* Items up to `close`, the opening bracket being taken already. */
static Json *read_items(Reader *r, JsonKind kind, char close, uint32_t start) {
    Json *first = NULL, **tail = &first;
    int64_t n = 0;
    skip_space(r);
    if (!take(r, close)) {
        do {
            const char *name = NULL;
            skip_space(r);
            if (kind == JSON_OBJECT) {
                if (r->at >= r->end || r->text[r->at] != '"') {
                    return fail(r, "a name in quotes is missing here");
                }
                name = read_text(r);
                if (!name) {
                    return NULL;
                }
                skip_space(r);
                if (!take(r, ':')) {
                    return fail(r, "\":\" is missing here");
                }
            }
            Json *item = read_value(r);
            if (!item) {
                return NULL;
            }
            item->name = name;
            *tail = item;
            tail = &item->next;
            n++;
            skip_space(r);
        } while (take(r, ','));
        if (!take(r, close)) {
            return fail(r, close == ']' ? "\",\" or \"]\" is missing here"
                                        : "\",\" or \"}\" is missing here");
        }
    }
    Json *v = value_new(r, kind, start);
    v->first = first, v->n = n;
    return v;
}

static Json *read_value(Reader *r) {
    skip_space(r);
    if (r->at >= r->end) {
        return fail(r, "the data end here, before a value");
    }
    uint32_t start = r->at;
    char c = r->text[r->at];
    if (c == '[' || c == '{') {
        if (r->depth == DEEPEST) {
            return fail(r, "the data are nested too deeply");
        }
        r->depth++;
        r->at++;
        Json *v = read_items(r, c == '[' ? JSON_LIST : JSON_OBJECT, c == '[' ? ']' : '}', start);
        r->depth--;
        return v;
    }
    if (c == '"') {
        const char *text = read_text(r);
        Json *v = text ? value_new(r, JSON_TEXT, start) : NULL;
        if (v) {
            v->text = text;
        }
        return v;
    }
    if (take_word(r, "null")) {
        return value_new(r, JSON_NULL, start);
    }
    if (take_word(r, "NaN")) {
        Json *v = value_new(r, JSON_NUMBER, start);
        v->number = NAN;
        return v;
    }
    bool yes = take_word(r, "true");
    if (yes || take_word(r, "false")) {
        Json *v = value_new(r, JSON_BOOL, start);
        v->number = yes;
        v->is_whole = true;
        v->whole = yes;
        return v;
    }
    if (c == '-' || c == 'I' || (c >= '0' && c <= '9')) {
        return read_number(r);
    }
    return fail(r, "this is no JSON value");
}

const Json *json_parse(Context *cx, uint32_t file) {
    const Source *s = &cx->sources.at[file];
    Reader r = {.cx = cx, .file = file, .text = s->text, .end = s->length};
    take_word(&r, "\xEF\xBB\xBF"); /* a byte order mark */
    Json *v = read_value(&r);
    skip_space(&r);
    if (v && r.at < r.end) {
        return fail(&r, "nothing may follow the value");
    }
    return v;
}

const Json *json_member(const Json *object, const char *name) {
    for (const Json *m = object->kind == JSON_OBJECT ? object->first : NULL; m; m = m->next) {
        if (!strcmp(m->name, name)) {
            return m;
        }
    }
    return NULL;
}

const char *json_kind_text(const Json *value) {
    static const char *const text[] = {"null",   "a truth value", "a number",
                                       "a text", "a list",        "an object"};
    return text[value->kind];
}
