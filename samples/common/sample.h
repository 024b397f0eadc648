/* sample: what every sample's main needs: memory for the workspace, a look at the status, and
 * comparisons that print what they compare. The emitted C needs none of this. */
#ifndef SAMPLES_SAMPLE_H
#define SAMPLES_SAMPLE_H
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int sample_compared, sample_off;

/* Memory for `bytes` bytes of workspace, with the alignment of a cache line. */
static inline void *sample_workspace(size_t bytes) {
    void *p = bytes < SIZE_MAX - 64 ? aligned_alloc(64, bytes / 64 * 64 + 64) : NULL;
    if (!p) {
        fprintf(stderr, "no memory for a workspace of %zu bytes\n", bytes);
        exit(1);
    }
    return p;
}

/* Ends the program if an emitted function did not return GRADC_OK, which is 0. */
static inline void sample_must(const char *what, int status) {
    if (status) {
        fprintf(stderr, "%s: status %d\n", what, status);
        exit(1);
    }
}

/* Compares n numbers with their closed forms; the difference may be `tolerance` times the largest
 * of these, or times 0.001 if all are smaller. */
static inline void sample_within(double tolerance, const char *what, int64_t n, const double *got,
                                 const double *want) {
    int64_t worst = 0;
    double scale = 1e-3, most = 0;
    for (int64_t i = 0; i < n; i++) {
        double off = fabs(got[i] - want[i]);
        scale = fmax(scale, fabs(want[i]));
        if (!(off <= most) && most == most) { /* a NaN is the worst of all */
            most = off;
            worst = i;
        }
    }
    int wrong = !(most <= tolerance * scale);
    if (n == 1) printf("  %-36s %18.12g", what, got[0]);
    else printf("  %-36s %10lld numbers", what, (long long)n);
    printf("   off by %.1e%s\n", most / scale, wrong ? "   WRONG" : "");
    if (wrong) {
        printf("    entry %lld is %.17g, expected %.17g\n", (long long)worst, got[worst],
               want[worst]);
    }
    sample_compared++;
    sample_off += wrong;
}

static inline void sample_near_all(const char *what, int64_t n, const double *got,
                                   const double *want) {
    sample_within(1e-11, what, n, got, want);
}

static inline void sample_near(const char *what, double got, double want) {
    sample_within(1e-11, what, 1, &got, &want);
}

static inline void sample_true(const char *what, int holds) {
    printf("  %-36s %18s\n", what, holds ? "yes" : "no   WRONG");
    sample_compared++;
    sample_off += !holds;
}

/* The exit status of main. */
static inline int sample_end(void) {
    if (sample_off) printf("  %d of %d comparisons are off\n", sample_off, sample_compared);
    return sample_off || !sample_compared ? EXIT_FAILURE : EXIT_SUCCESS;
}
#endif
