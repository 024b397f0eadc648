/* report: what the emitted C will do, in numbers. */
#ifndef GRADC_REPORT_H
#define GRADC_REPORT_H
#include "passes.h"

/* The graph before it was planned: some of its arrays are written into those that read them. */
typedef struct ReportBefore ReportBefore;
const ReportBefore *report_before(Graph *g);

void report_plan(const Plan *p, const char *prefix, const ReportBefore *before, Text *out);
void report_json(const Plan *p, const char *prefix, const ReportBefore *before, Text *out);
#endif
