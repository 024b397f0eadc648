/* What a user brings: functions of C, in double and, with an f behind the name, in float. */
#include "springs.h"
#include <math.h>
#include <stdlib.h>

double friction(double v, double mu);
double friction_dv(double v, double mu);
double friction_dvv(double v, double mu);
float frictionf(float v, float mu);
float friction_dvf(float v, float mu);
float friction_dvvf(float v, float mu);
double mixed(float a, double b, double c);
double mixedf(float a, double b, float c);
int64_t level(double x);
int64_t levelf(float x);
int taken(int64_t n);
double root(double x);
float rootf(float x);
double bessel(int64_t n, double x);
float besself(int64_t n, float x);
double wave(double x);
float wavef(float x);
double ripple(double x);
float ripplef(float x);
extern int bends; /* how often bend was called */
int bends;

double friction(double v, double mu) { return mu * tanh(2 * v); }
double friction_dv(double v, double mu) { return 2 * mu / cosh(2 * v) / cosh(2 * v); }
double friction_dvv(double v, double mu) {
    return -8 * mu * tanh(2 * v) / cosh(2 * v) / cosh(2 * v);
}
float frictionf(float v, float mu) { return (float)friction((double)v, (double)mu); }
float friction_dvf(float v, float mu) { return (float)friction_dv((double)v, (double)mu); }
float friction_dvvf(float v, float mu) { return (float)friction_dvv((double)v, (double)mu); }

double bend(double x, int64_t n, int stiff) {
    bends++;
    return stiff ? (double)n * x * x : x * x;
}
double bend_dx(double x, int64_t n, int stiff) { return 2 * (stiff ? (double)n * x : x); }
float bendf(float x, int64_t n, int stiff) { return (float)bend((double)x, n, stiff); }
float bend_dxf(float x, int64_t n, int stiff) { return (float)bend_dx((double)x, n, stiff); }

double mixed(float a, double b, double c) { return (double)a * b + 0 * c; }
double mixedf(float a, double b, float c) { return mixed(a, b, (double)c); }
int64_t level(double x) { return x < 0 ? 0 : x < 1 ? 1 : 2; }
int64_t levelf(float x) { return level((double)x); }
int taken(int64_t n) { return n > 1 ? 2 : 0; } /* any number but 0 means yes */
double root(double x) {
    if (x < 0) abort();
    return sqrt(x);
}
float rootf(float x) { return (float)root((double)x); }
/* J_n by the series: enough for the arguments here */
double bessel(int64_t n, double x) {
    int64_t order = n < 0 ? -n : n;
    double term = 1, sum = 0;
    for (int64_t k = 1; k <= order; k++) term *= x / 2 / (double)k;
    for (int64_t k = 0; k < 30; k++) {
        sum += term;
        term *= -x * x / 4 / (double)(k + 1) / (double)(k + 1 + order);
    }
    return n < 0 && order % 2 ? -sum : sum;
}
float besself(int64_t n, float x) { return (float)bessel(n, (double)x); }
double wave(double x) { return sin(x); }
float wavef(float x) { return (float)sin((double)x); }
double ripple(double x) { return cos(x); }
float ripplef(float x) { return (float)cos((double)x); }
