/* ops: looking operations up by their names and symbols in the table that rulec made, and the names
 * of what is no scalar operation. The order of reductions is that of the enum Reduction, with mean,
 * a sum and a quotient, behind them. */
#include "ops.h"
#include <string.h>

Op op_find(const char *name) {
    for (int op = OP_FIRST_SCALAR; op < OP_COUNT; op++) {
        if (op_info[op].user && !strcmp(op_info[op].name, name)) {
            return (Op)op;
        }
    }
    return OP_NONE;
}

Op op_symbol(const char *symbol, int arity) {
    for (int op = OP_FIRST_SCALAR; op < OP_COUNT; op++) {
        if (op_info[op].infix && op_info[op].arity == arity && !strcmp(op_info[op].infix, symbol)) {
            return (Op)op;
        }
    }
    return OP_NONE;
}

const char *const reduction_names[] = {
    [RED_SUM] = "sum",
    [RED_PROD] = "prod",
    [RED_MAX] = "max",
    [RED_MIN] = "min",
    [RED_ARGMAX] = "argmax",
    [RED_ARGMIN] = "argmin",
    [RED_LOGSUMEXP] = "logsumexp",
    [RED_LOGSUMEXP + 1] = "mean", /* no reduction of the graph */
    NULL,
};
const char *const request_names[] = {"gradient", "jacobian", "hessian", "jvp", "vjp", "hvp", NULL};
