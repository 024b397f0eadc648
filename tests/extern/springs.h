#ifndef SPRINGS_H
#define SPRINGS_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
double bend(double x, int64_t n, int stiff);
double bend_dx(double x, int64_t n, int stiff);
float bendf(float x, int64_t n, int stiff);
float bend_dxf(float x, int64_t n, int stiff);
#ifdef __cplusplus
}
#endif
#endif
