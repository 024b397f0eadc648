/* cname: names of the source as names in C. */
#ifndef GRADC_CNAME_H
#define GRADC_CNAME_H
#include "arena.h"
#include <stdbool.h>

/* A name of the source as a C identifier: words of C and C++ get a final underscore, what is beyond
 * ASCII its bytes. */
const char *c_name(Arena *arena, const char *name);
bool cname_is_word(const char *name); /* of C or C++, or a macro or function that the text uses */
bool cname_is_free(const char *name); /* c_name would leave it as it is */
#endif
