/* The minor of the last m rows and of those columns that the list `next` still holds, which begins at next[L]:
 * expanded by its first row. Rows and columns are not moved, only taken out of the list and put back. */
static REAL minor(const REAL *A, int m, int *next) {
    const REAL *row = A + (L - m) * L;
    int before = L, column = next[L];
    if (m == 1) return row[column];
    REAL sum = 0;
    for (int j = 0; j < m; j++) {
        next[before] = next[column];
        const REAL term = row[column] * minor(A, m - 1, next);
        next[before] = column;
        if (j % 2 == 0) sum += term;
        else sum -= term;
        before = column;
        column = next[column];
    }
    return sum;
}
static void naive_value(const REAL *p, REAL *value) {
    int next[L + 1];
    for (int j = 0; j < L; j++) next[j] = j + 1;
    next[L] = 0;
    value[0] = minor(p, L, next);
}
