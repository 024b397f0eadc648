/* json: reads JSON data into the arena, as written, with the place of every value, so that a
 * mistake in a data file is shown like a mistake in a program. Besides the standard: NaN, Infinity
 * and -Infinity, which many programs write. */
#ifndef GRADC_JSON_H
#define GRADC_JSON_H
#include "source.h"

typedef enum JsonKind {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_TEXT,
    JSON_LIST,
    JSON_OBJECT
} JsonKind;

typedef struct Json Json;
struct Json {
    JsonKind kind;
    Span at;
    const char *name; /* of a member of an object, else NULL */
    const char *text; /* JSON_TEXT, escapes resolved */
    double number;    /* JSON_NUMBER; JSON_BOOL: 0 or 1 */
    bool is_whole;    /* the number was written without point and exponent and fits: */
    int64_t whole;
    Json *first, *next; /* first item or member; next of the same list or object */
    int64_t n;          /* items or members */
};

const Json *json_parse(Context *cx, uint32_t file); /* NULL after a mistake, which is in cx */
const Json *json_member(const Json *object, const char *name);
const char *json_kind_text(const Json *value); /* "a list" */
#endif
