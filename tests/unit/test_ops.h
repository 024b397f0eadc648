/* What rulec writes into ops_test.gen.c for test_ops.c: formulas of ops.rules as C functions,
 * without the templates of the table. */
#ifndef GRADC_TEST_OPS_H
#define GRADC_TEST_OPS_H
#include "ops.h"

typedef struct PartialTest {
    Op op;
    int k; /* by this argument */
    double (*d)(const double *a, double r);
} PartialTest;
extern const PartialTest partial_tests[];
extern const int partial_test_count;

typedef struct RuleTest {
    double (*from)(const double *a), (*to)(const double *a);
    const char *vars; /* a letter each: c condition, n number, w whole number, K constant */
    const char *text;
} RuleTest;
extern const RuleTest rule_tests[];
extern const int rule_test_count;
#endif
