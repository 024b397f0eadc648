/* emit: what the printing of C shares with nobody else but tests. */
#ifndef GRADC_EMIT_H
#define GRADC_EMIT_H
#include "passes.h"
#include "plan.h"

/* A name of the source as a C identifier: words of C and C++ get a final underscore, what is beyond
 * ASCII its bytes. */
const char *c_name(Arena *arena, const char *name);
#endif
