/* sparse: which entries of a derivative can be other than zero, and which of them can be computed
 * together. */
#ifndef GRADC_SPARSE_H
#define GRADC_SPARSE_H
#include "graph.h"

/* Rows are the entries of an array, columns those of the arrays that it is differentiated by, one
 * array behind the other. Row r has the columns column[start[r]] .. column[start[r + 1] - 1],
 * ascending. */
typedef struct Pattern {
    int64_t rows, columns;
    int64_t *start;
    int32_t *column;
} Pattern;

/* The pattern of d of / d by. False where it is not known when compiling; then it has been said
 * why, at the request or at the equation. */
bool sparse_pattern(Graph *g, ArrayRef of, int nby, const ArrayRef *by, Span at, Pattern *out);
Pattern sparse_transpose(Arena *arena, const Pattern *p);
Pattern sparse_symmetric(Arena *arena, const Pattern *p); /* with the transpose of a square one */

/* Columns that share no row may have one colour: the sum of such columns shows each of their
 * entries. Returns how many colours. */
int sparse_colour(Arena *arena, const Pattern *p, int32_t *colour);
/* The same for a symmetric pattern, where an entry may show in its own row or in that of its mirror
 * image: a star colouring. */
int sparse_colour_symmetric(Arena *arena, const Pattern *p, int32_t *colour);
/* Does entry (row, column) show in the sum of the columns of its colour? Else its mirror image
 * does. */
bool sparse_shows(const Pattern *p, const int32_t *colour, int64_t row, int64_t column);
#endif
