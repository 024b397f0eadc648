/* What no emitted C may have: so that tests/rows.sh knows that it would see it. */
#include <stdlib.h>

static int calls;

double there(double x, int n);
double back(double x, int n);
double again(double x, int n);
float wide(float x);
double *room(int n);
int pile(int n);

__attribute__((noinline)) double there(double x, int n) {
    return n ? back(x * 2, n - 1) + 1 : x;
}
__attribute__((noinline)) double back(double x, int n) {
    return n ? there(x / 3, n - 1) * 2 : x;
}
__attribute__((noinline)) double again(double x, int n) {
    return n > 0 ? again(x / 3, n - 1) * 2 + again(x, n - 2) : x;
}
float wide(float x) {
    return (float)((double)x * 1.1);
}
double *room(int n) {
    calls++;
    return malloc((size_t)n);
}
int pile(int n) {
    volatile char a[n];
    a[0] = 1, a[n - 1] = (char)calls;
    return a[0];
}
