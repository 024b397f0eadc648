/* report: what the emitted C will do, in numbers. */
#ifndef GRADC_REPORT_H
#define GRADC_REPORT_H
#include "passes.h"

/* arrays: those that there were before the plan was made; some of them are written into others. */
void report_plan(const Plan *p, const char *prefix, int n, const ArrayRef *arrays, Text *out);
#endif
