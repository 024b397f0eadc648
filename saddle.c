/* saddle_ff: made by gradc from saddle.grad. This text, and what it takes from the gradc runtime, may be used without any condition. */
#include "saddle.h"
#include <gradc.h>

static int saddle_ff_check_sizes(const saddle_ff_args *a) {
    (void)a;
    return GRADC_OK;
}

/* Where the arrays of the workspace start; returns its size in bytes, SIZE_MAX when that overflows. */
static size_t saddle_ff_value_layout(const saddle_ff_args *a, size_t *at) {
    size_t n = 0;
    (void)a;
    at[0] = n; /* x[2] */
    n = gradc_size_add(n, gradc_align(gradc_size_mul(sizeof(double), gradc_size(2))));
    return n;
}

size_t saddle_ff_workspace(const saddle_ff_args *a) {
    size_t at[1], n, most = 0;
    if (a == NULL || saddle_ff_check_sizes(a) != GRADC_OK) {
        return SIZE_MAX;
    }
    n = saddle_ff_value_layout(a, at);
    most = n > most ? n : most;
    return most;
}

GRADC_OUTLINE int saddle_ff_value_worker(
        const double *gradc_restrict start,
        double *gradc_restrict x,
        double *gradc_restrict x_out,
        double *gradc_restrict y) {
    int status = GRADC_OK;
    /* real lowest_top_highest_y_i0[100000];
         lowest_top_highest_y_i0[0] = start[0];
         lowest_top_highest_y_i0[k] = lowest_top_highest_good[k - 1] ? lowest_top_highest_next_i0[k - 1]
             : lowest_top_highest_y_i0[k - 1] for 1 <= k while k < lowest_top_highest_K; */

    /* bool lowest_top_highest_good[k: 100000] = lowest_top_highest_f[k] > lowest_top_highest_f_2[k] while k < lowest_top_highest_K; */

    /* lowest_top_highest_f[k: 100000] = sum[i: 2](start[i] * start[i])
           - (lowest_top_highest_next_i0[k] * lowest_top_highest_next_i0[k]
           + lowest_top_highest_next_i1[k] * lowest_top_highest_next_i1[k]) while k < lowest_top_highest_K; */

    /* lowest_top_highest_next_i0[k: 100000] = lowest_top_highest_y_i0[k]
           - 2 * (lowest_top_highest_e[k] * lowest_top_highest_y_i0[k]) while k < lowest_top_highest_K; */

    /* lowest_top_highest_e[k: 100000] = lowest_top_highest_eta[k]
           * (lowest_top_highest_n[k] == 10 ? 2 : 1) while k < lowest_top_highest_K; */

    /* real lowest_top_highest_eta[100000];
         lowest_top_highest_eta[0] = 1e-05;
         lowest_top_highest_eta[k] = lowest_top_highest_e[k - 1] * (lowest_top_highest_good[k - 1] ? 1 : 0.5)
             for 1 <= k while k < lowest_top_highest_K; */

    /* int lowest_top_highest_K = first[k: 100000](_1[k] <= 1e-05 || lowest_top_highest_e[k] * _1[k] <= 1e-05) + 1;
           where _1[k: 100000] = sqrt(4 * (lowest_top_highest_y_i0[k] * lowest_top_highest_y_i0[k]
               + lowest_top_highest_y_i1[k] * lowest_top_highest_y_i1[k])) */

    /* real lowest_top_highest_y_i1[100000];
         lowest_top_highest_y_i1[0] = start[1];
         lowest_top_highest_y_i1[k] = lowest_top_highest_good[k - 1] ? lowest_top_highest_next_i1[k - 1]
             : lowest_top_highest_y_i1[k - 1] for 1 <= k while k < lowest_top_highest_K; */

    /* lowest_top_highest_next_i1[k: 100000] = lowest_top_highest_y_i1[k]
           - 2 * (lowest_top_highest_e[k] * lowest_top_highest_y_i1[k]) while k < lowest_top_highest_K; */

    /* int lowest_top_highest_n[100000];
         lowest_top_highest_n[0] = 0;
         lowest_top_highest_n[k] = lowest_top_highest_good[k - 1]
             ? (lowest_top_highest_n[k - 1] == 10 ? 1 : lowest_top_highest_n[k - 1] + 1) : 0
             for 1 <= k while k < lowest_top_highest_K; */

    /* lowest_top_highest_f_2[k: 100000] = sum[i: 2](start[i] * start[i])
           - (lowest_top_highest_y_i0[k] * lowest_top_highest_y_i0[k]
           + lowest_top_highest_y_i1[k] * lowest_top_highest_y_i1[k]) while k < lowest_top_highest_K; */
    /* One loop, forward over k, until the end of lowest_top_highest_K: lowest_top_highest_y_i0, lowest_top_highest_good, lowest_top_highest_f, lowest_top_highest_next_i0, lowest_top_highest_e, lowest_top_highest_eta, lowest_top_highest_y_i1, lowest_top_highest_next_i1, lowest_top_highest_n, lowest_top_highest_f_2 */
    int64_t lowest_top_highest_K = 0;
    double sum1 = 0.0;
    for (int64_t i = 0; i < 2; i++) {
        sum1 += start[i] * start[i];
    }
    double lowest_top_highest_y_i0_before = 0.0;
    double lowest_top_highest_y_i0 = 0.0;
    int lowest_top_highest_good_before = 0;
    int lowest_top_highest_good = 0;
    double lowest_top_highest_next_i0_before = 0.0;
    double lowest_top_highest_next_i0 = 0.0;
    double lowest_top_highest_e_before = 0.0;
    double lowest_top_highest_e = 0.0;
    double lowest_top_highest_eta = 0.0;
    double lowest_top_highest_y_i1_before = 0.0;
    double lowest_top_highest_y_i1 = 0.0;
    double lowest_top_highest_next_i1_before = 0.0;
    double lowest_top_highest_next_i1 = 0.0;
    int64_t lowest_top_highest_n_before = 0;
    int64_t lowest_top_highest_n = 0;
    for (int64_t k = 0; k < 100000; k++) {
        lowest_top_highest_y_i0_before = lowest_top_highest_y_i0;
        lowest_top_highest_good_before = lowest_top_highest_good;
        lowest_top_highest_next_i0_before = lowest_top_highest_next_i0;
        lowest_top_highest_e_before = lowest_top_highest_e;
        lowest_top_highest_y_i1_before = lowest_top_highest_y_i1;
        lowest_top_highest_next_i1_before = lowest_top_highest_next_i1;
        lowest_top_highest_n_before = lowest_top_highest_n;
        if (k == 0) {
            lowest_top_highest_y_i0 = start[0];
            lowest_top_highest_eta = 1e-05;
            lowest_top_highest_y_i1 = start[1];
            lowest_top_highest_n = 0;
        }
        if (1 <= k) {
            lowest_top_highest_y_i0 = lowest_top_highest_good_before
                    ? lowest_top_highest_next_i0_before : lowest_top_highest_y_i0_before;
            lowest_top_highest_eta = lowest_top_highest_e_before
                    * (lowest_top_highest_good_before ? 1.0 : 0.5);
            lowest_top_highest_y_i1 = lowest_top_highest_good_before
                    ? lowest_top_highest_next_i1_before : lowest_top_highest_y_i1_before;
        }
        const double t1 = gradc_sqrt(4.0
                * (lowest_top_highest_y_i0 * lowest_top_highest_y_i0
                + lowest_top_highest_y_i1 * lowest_top_highest_y_i1));
        if (1 <= k) {
            lowest_top_highest_n = lowest_top_highest_good_before
                    ? (lowest_top_highest_n_before == 10 ? 1
                    : gradc_int_add(lowest_top_highest_n_before, 1, &status)) : 0;
        }
        const double lowest_top_highest_f_2 = sum1
                - (lowest_top_highest_y_i0 * lowest_top_highest_y_i0
                + lowest_top_highest_y_i1 * lowest_top_highest_y_i1);
        lowest_top_highest_e = lowest_top_highest_eta * (lowest_top_highest_n == 10 ? 2.0 : 1.0);
        lowest_top_highest_next_i1 = lowest_top_highest_y_i1
                - 2.0 * (lowest_top_highest_e * lowest_top_highest_y_i1);
        lowest_top_highest_next_i0 = lowest_top_highest_y_i0
                - 2.0 * (lowest_top_highest_e * lowest_top_highest_y_i0);
        const double lowest_top_highest_f = sum1
                - (lowest_top_highest_next_i0 * lowest_top_highest_next_i0
                + lowest_top_highest_next_i1 * lowest_top_highest_next_i1);
        lowest_top_highest_good = lowest_top_highest_f > lowest_top_highest_f_2;
        if (t1 <= 1e-05 || lowest_top_highest_e * t1 <= 1e-05) {
            lowest_top_highest_K = k + 1;
            break;
        }
        if (status != GRADC_OK) {
            return status;
        }
    }
    if (lowest_top_highest_K < 1) {
        gradc_fail(&status, GRADC_NO_END);
        return status;
    }

    /* lowest_top_f = sum[i: 2](start[i] * start[i])
           - (lowest_top_highest_y_i0[lowest_top_highest_K - 1] * lowest_top_highest_y_i0[lowest_top_highest_K - 1]
           + lowest_top_highest_y_i1[lowest_top_highest_K - 1] * lowest_top_highest_y_i1[lowest_top_highest_K - 1]); */
    const double lowest_top_f = sum1 - (lowest_top_highest_y_i0 * lowest_top_highest_y_i0
            + lowest_top_highest_y_i1 * lowest_top_highest_y_i1);

    /* real lowest_x_i0[100000];
         lowest_x_i0[0] = start[0];
         lowest_x_i0[k] = lowest_good[k - 1] ? lowest_next_i0[k - 1] : lowest_x_i0[k - 1]
             for 1 <= k while k < lowest_K; */

    /* bool lowest_good[k: 100000] = lowest_top_f_2[k] < lowest_z[k] while k < lowest_K; */

    /* lowest_top_f_2[k: 100000] = lowest_next_i0[k] * lowest_next_i0[k] + lowest_next_i1[k] * lowest_next_i1[k]
           - (lowest_top_highest_y_2_i0[k, lowest_top_highest_K_2[k] - 1]
           * lowest_top_highest_y_2_i0[k, lowest_top_highest_K_2[k] - 1]
           + lowest_top_highest_y_2_i1[k, lowest_top_highest_K_2[k] - 1]
           * lowest_top_highest_y_2_i1[k, lowest_top_highest_K_2[k] - 1]) while k < lowest_K; */

    /* lowest_next_i0[k: 100000] = lowest_x_i0[k] - lowest_e[k] * lowest_g_i0[k] while k < lowest_K; */

    /* lowest_e[k: 100000] = lowest_eta[k] * (lowest_n[k] == 10 ? 2 : 1) while k < lowest_K; */

    /* real lowest_eta[100000];
         lowest_eta[0] = 1e-05;
         lowest_eta[k] = lowest_e[k - 1] * (lowest_good[k - 1] ? 1 : 0.5) for 1 <= k while k < lowest_K; */

    /* int lowest_K = first[k: 100000](sqrt(lowest_g_i0[k] * lowest_g_i0[k]
           + lowest_g_i1[k] * lowest_g_i1[k]) <= 1e-05
           || lowest_e[k] * sqrt(lowest_g_i0[k] * lowest_g_i0[k] + lowest_g_i1[k] * lowest_g_i1[k]) <= 1e-05) + 1; */

    /* lowest_g_i0[k: 100000] = lowest_fresh[k] == 1 ? 2 * lowest_x_i0[k] : lowest_old_i0[k] while k < lowest_K; */

    /* int lowest_fresh[100000];
         lowest_fresh[0] = 1;
         lowest_fresh[k] = lowest_good[k - 1] ? 1 : 0 for 1 <= k while k < lowest_K; */

    /* real lowest_old_i0[100000];
         lowest_old_i0[0] = 0;
         lowest_old_i0[k] = lowest_g_i0[k - 1] for 1 <= k while k < lowest_K; */

    /* lowest_g_i1[k: 100000] = lowest_fresh[k] == 1 ? 2 * lowest_x_i1[k] : lowest_old_i1[k] while k < lowest_K; */

    /* real lowest_x_i1[100000];
         lowest_x_i1[0] = start[1];
         lowest_x_i1[k] = lowest_good[k - 1] ? lowest_next_i1[k - 1] : lowest_x_i1[k - 1]
             for 1 <= k while k < lowest_K; */

    /* lowest_next_i1[k: 100000] = lowest_x_i1[k] - lowest_e[k] * lowest_g_i1[k] while k < lowest_K; */

    /* real lowest_old_i1[100000];
         lowest_old_i1[0] = 0;
         lowest_old_i1[k] = lowest_g_i1[k - 1] for 1 <= k while k < lowest_K; */

    /* int lowest_n[100000];
         lowest_n[0] = 0;
         lowest_n[k] = lowest_good[k - 1] ? (lowest_n[k - 1] == 10 ? 1 : lowest_n[k - 1] + 1) : 0
             for 1 <= k while k < lowest_K; */

    /* real lowest_top_highest_y_2_i0[100000, 100000];
         lowest_top_highest_y_2_i0[k, 0] = start[0] while k < lowest_K;
         lowest_top_highest_y_2_i0[k, k2] = lowest_top_highest_good_2[k, k2 - 1]
             ? lowest_top_highest_next_2_i0[k, k2 - 1] : lowest_top_highest_y_2_i0[k, k2 - 1]
             for 1 <= k2 while k < lowest_K && k2 < lowest_top_highest_K_2[k]; */

    /* bool lowest_top_highest_good_2[k: 100000, k2: 100000] = lowest_top_highest_f_3[k,
           k2] > lowest_top_highest_f_4[k, k2] while k < lowest_K && k2 < lowest_top_highest_K_2[k]; */

    /* lowest_top_highest_f_3[k: 100000, k2: 100000] = lowest_next_i0[k] * lowest_next_i0[k]
           + lowest_next_i1[k] * lowest_next_i1[k]
           - (lowest_top_highest_next_2_i0[k, k2] * lowest_top_highest_next_2_i0[k, k2]
           + lowest_top_highest_next_2_i1[k, k2] * lowest_top_highest_next_2_i1[k, k2]) while k < lowest_K
           && k2 < lowest_top_highest_K_2[k]; */

    /* lowest_top_highest_next_2_i0[k: 100000, k2: 100000] = lowest_top_highest_y_2_i0[k, k2]
           - 2 * (lowest_top_highest_e_2[k, k2] * lowest_top_highest_y_2_i0[k, k2]) while k < lowest_K
           && k2 < lowest_top_highest_K_2[k]; */

    /* lowest_top_highest_e_2[k: 100000, k2: 100000] = lowest_top_highest_eta_2[k, k2]
           * (lowest_top_highest_n_2[k, k2] == 10 ? 2 : 1) while k < lowest_K && k2 < lowest_top_highest_K_2[k]; */

    /* real lowest_top_highest_eta_2[100000, 100000];
         lowest_top_highest_eta_2[k, 0] = 1e-05 while k < lowest_K;
         lowest_top_highest_eta_2[k, k2] = lowest_top_highest_e_2[k, k2 - 1]
             * (lowest_top_highest_good_2[k, k2 - 1] ? 1 : 0.5) for 1 <= k2 while k < lowest_K
             && k2 < lowest_top_highest_K_2[k]; */

    /* int lowest_top_highest_K_2[k: 100000] = first[k2: 100000](
           lowest_top_highest_length_3[k, k2] <= 1e-05
           || lowest_top_highest_e_2[k, k2] * lowest_top_highest_length_3[k, k2] <= 1e-05) + 1 while k < lowest_K; */

    /* lowest_top_highest_length_3[k: 100000, k2: 100000] = sqrt(4
           * (lowest_top_highest_y_2_i0[k, k2] * lowest_top_highest_y_2_i0[k, k2]
           + lowest_top_highest_y_2_i1[k, k2] * lowest_top_highest_y_2_i1[k, k2])) while k < lowest_K
           && k2 < lowest_top_highest_K_2[k]; */

    /* real lowest_top_highest_y_2_i1[100000, 100000];
         lowest_top_highest_y_2_i1[k, 0] = start[1] while k < lowest_K;
         lowest_top_highest_y_2_i1[k, k2] = lowest_top_highest_good_2[k, k2 - 1]
             ? lowest_top_highest_next_2_i1[k, k2 - 1] : lowest_top_highest_y_2_i1[k, k2 - 1]
             for 1 <= k2 while k < lowest_K && k2 < lowest_top_highest_K_2[k]; */

    /* lowest_top_highest_next_2_i1[k: 100000, k2: 100000] = lowest_top_highest_y_2_i1[k, k2]
           - 2 * (lowest_top_highest_e_2[k, k2] * lowest_top_highest_y_2_i1[k, k2]) while k < lowest_K
           && k2 < lowest_top_highest_K_2[k]; */

    /* int lowest_top_highest_n_2[100000, 100000];
         lowest_top_highest_n_2[k, 0] = 0 while k < lowest_K;
         lowest_top_highest_n_2[k, k2] = lowest_top_highest_good_2[k, k2 - 1]
             ? (lowest_top_highest_n_2[k, k2 - 1] == 10 ? 1 : lowest_top_highest_n_2[k, k2 - 1] + 1) : 0
             for 1 <= k2 while k < lowest_K && k2 < lowest_top_highest_K_2[k]; */

    /* lowest_top_highest_f_4[k: 100000, k2: 100000] = lowest_next_i0[k] * lowest_next_i0[k]
           + lowest_next_i1[k] * lowest_next_i1[k]
           - (lowest_top_highest_y_2_i0[k, k2] * lowest_top_highest_y_2_i0[k, k2]
           + lowest_top_highest_y_2_i1[k, k2] * lowest_top_highest_y_2_i1[k, k2]) while k < lowest_K
           && k2 < lowest_top_highest_K_2[k]; */

    /* real lowest_z[100000];
         lowest_z[0] = lowest_top_f;
         lowest_z[k] = lowest_good[k - 1] ? lowest_top_f_2[k - 1] : lowest_z[k - 1] for 1 <= k while k < lowest_K; */
    /* One loop, forward over k, until the end of lowest_K: lowest_x_i0, lowest_good, lowest_top_f_2, lowest_next_i0, lowest_e, lowest_eta, lowest_g_i0, lowest_fresh, lowest_old_i0, lowest_g_i1, lowest_x_i1, lowest_next_i1, lowest_old_i1, lowest_n, lowest_top_highest_y_2_i0, lowest_top_highest_good_2, lowest_top_highest_f_3, lowest_top_highest_next_2_i0, lowest_top_highest_e_2, lowest_top_highest_eta_2, lowest_top_highest_K_2, lowest_top_highest_length_3, lowest_top_highest_y_2_i1, lowest_top_highest_next_2_i1, lowest_top_highest_n_2, lowest_top_highest_f_4, lowest_z */
    int64_t lowest_K = 0;
    double lowest_x_i0_before = 0.0;
    double lowest_x_i0 = 0.0;
    int lowest_good_before = 0;
    int lowest_good = 0;
    double lowest_top_f_2_before = 0.0;
    double lowest_top_f_2 = 0.0;
    double lowest_next_i0_before = 0.0;
    double lowest_next_i0 = 0.0;
    double lowest_e_before = 0.0;
    double lowest_e = 0.0;
    double lowest_eta = 0.0;
    double lowest_g_i0_before = 0.0;
    double lowest_g_i0 = 0.0;
    int64_t lowest_fresh = 0;
    double lowest_old_i0 = 0.0;
    double lowest_g_i1_before = 0.0;
    double lowest_g_i1 = 0.0;
    double lowest_x_i1_before = 0.0;
    double lowest_x_i1 = 0.0;
    double lowest_next_i1_before = 0.0;
    double lowest_next_i1 = 0.0;
    double lowest_old_i1 = 0.0;
    int64_t lowest_n_before = 0;
    int64_t lowest_n = 0;
    double lowest_z_before = 0.0;
    double lowest_z = 0.0;
    for (int64_t k = 0; k < 100000; k++) {
        lowest_x_i0_before = lowest_x_i0;
        lowest_good_before = lowest_good;
        lowest_top_f_2_before = lowest_top_f_2;
        lowest_next_i0_before = lowest_next_i0;
        lowest_e_before = lowest_e;
        lowest_g_i0_before = lowest_g_i0;
        lowest_g_i1_before = lowest_g_i1;
        lowest_x_i1_before = lowest_x_i1;
        lowest_next_i1_before = lowest_next_i1;
        lowest_n_before = lowest_n;
        lowest_z_before = lowest_z;
        if (k == 0) {
            lowest_x_i0 = start[0];
            lowest_eta = 1e-05;
            lowest_fresh = 1;
            lowest_old_i0 = 0.0;
            lowest_x_i1 = start[1];
            lowest_old_i1 = 0.0;
            lowest_n = 0;
            lowest_z = lowest_top_f;
        }
        if (1 <= k) {
            lowest_x_i0 = lowest_good_before ? lowest_next_i0_before : lowest_x_i0_before;
            lowest_eta = lowest_e_before * (lowest_good_before ? 1.0 : 0.5);
            lowest_fresh = lowest_good_before ? 1 : 0;
            lowest_old_i0 = lowest_g_i0_before;
            lowest_x_i1 = lowest_good_before ? lowest_next_i1_before : lowest_x_i1_before;
            lowest_old_i1 = lowest_g_i1_before;
            lowest_z = lowest_good_before ? lowest_top_f_2_before : lowest_z_before;
        }
        if (1 <= k) {
            lowest_n = lowest_good_before
                    ? (lowest_n_before == 10 ? 1 : gradc_int_add(lowest_n_before, 1, &status)) : 0;
        }
        lowest_e = lowest_eta * (lowest_n == 10 ? 2.0 : 1.0);
        lowest_g_i0 = lowest_fresh == 1 ? 2.0 * lowest_x_i0 : lowest_old_i0;
        lowest_g_i1 = lowest_fresh == 1 ? 2.0 * lowest_x_i1 : lowest_old_i1;
        lowest_next_i1 = lowest_x_i1 - lowest_e * lowest_g_i1;
        lowest_next_i0 = lowest_x_i0 - lowest_e * lowest_g_i0;
        /* One loop, forward over k, until the end of lowest_top_highest_K_2: lowest_top_highest_y_2_i0, lowest_top_highest_good_2, lowest_top_highest_f_3, lowest_top_highest_next_2_i0, lowest_top_highest_e_2, lowest_top_highest_eta_2, lowest_top_highest_length_3, lowest_top_highest_y_2_i1, lowest_top_highest_next_2_i1, lowest_top_highest_n_2, lowest_top_highest_f_4 */
        const double t1 = lowest_next_i0 * lowest_next_i0 + lowest_next_i1 * lowest_next_i1;
        int64_t turns1 = 0;
        double lowest_top_highest_y_2_i0_before = 0.0;
        double lowest_top_highest_y_2_i0 = 0.0;
        int lowest_top_highest_good_2_before = 0;
        int lowest_top_highest_good_2 = 0;
        double lowest_top_highest_next_2_i0_before = 0.0;
        double lowest_top_highest_next_2_i0 = 0.0;
        double lowest_top_highest_e_2_before = 0.0;
        double lowest_top_highest_e_2 = 0.0;
        double lowest_top_highest_eta_2 = 0.0;
        double lowest_top_highest_y_2_i1_before = 0.0;
        double lowest_top_highest_y_2_i1 = 0.0;
        double lowest_top_highest_next_2_i1_before = 0.0;
        double lowest_top_highest_next_2_i1 = 0.0;
        int64_t lowest_top_highest_n_2_before = 0;
        int64_t lowest_top_highest_n_2 = 0;
        for (int64_t k_2 = 0; k_2 < 100000; k_2++) {
            lowest_top_highest_y_2_i0_before = lowest_top_highest_y_2_i0;
            lowest_top_highest_good_2_before = lowest_top_highest_good_2;
            lowest_top_highest_next_2_i0_before = lowest_top_highest_next_2_i0;
            lowest_top_highest_e_2_before = lowest_top_highest_e_2;
            lowest_top_highest_y_2_i1_before = lowest_top_highest_y_2_i1;
            lowest_top_highest_next_2_i1_before = lowest_top_highest_next_2_i1;
            lowest_top_highest_n_2_before = lowest_top_highest_n_2;
            if (k_2 == 0) {
                lowest_top_highest_y_2_i0 = start[0];
                lowest_top_highest_eta_2 = 1e-05;
                lowest_top_highest_y_2_i1 = start[1];
                lowest_top_highest_n_2 = 0;
            }
            if (1 <= k_2) {
                lowest_top_highest_y_2_i0 = lowest_top_highest_good_2_before
                        ? lowest_top_highest_next_2_i0_before : lowest_top_highest_y_2_i0_before;
                lowest_top_highest_eta_2 = lowest_top_highest_e_2_before
                        * (lowest_top_highest_good_2_before ? 1.0 : 0.5);
                lowest_top_highest_y_2_i1 = lowest_top_highest_good_2_before
                        ? lowest_top_highest_next_2_i1_before : lowest_top_highest_y_2_i1_before;
            }
            if (1 <= k_2) {
                lowest_top_highest_n_2 = lowest_top_highest_good_2_before
                        ? (lowest_top_highest_n_2_before == 10 ? 1
                        : gradc_int_add(lowest_top_highest_n_2_before, 1, &status)) : 0;
            }
            const double lowest_top_highest_f_4 = t1
                    - (lowest_top_highest_y_2_i0 * lowest_top_highest_y_2_i0
                    + lowest_top_highest_y_2_i1 * lowest_top_highest_y_2_i1);
            lowest_top_highest_e_2 = lowest_top_highest_eta_2
                    * (lowest_top_highest_n_2 == 10 ? 2.0 : 1.0);
            const double lowest_top_highest_length_3 = gradc_sqrt(4.0
                    * (lowest_top_highest_y_2_i0 * lowest_top_highest_y_2_i0
                    + lowest_top_highest_y_2_i1 * lowest_top_highest_y_2_i1));
            lowest_top_highest_next_2_i1 = lowest_top_highest_y_2_i1
                    - 2.0 * (lowest_top_highest_e_2 * lowest_top_highest_y_2_i1);
            lowest_top_highest_next_2_i0 = lowest_top_highest_y_2_i0
                    - 2.0 * (lowest_top_highest_e_2 * lowest_top_highest_y_2_i0);
            const double lowest_top_highest_f_3 = t1
                    - (lowest_top_highest_next_2_i0 * lowest_top_highest_next_2_i0
                    + lowest_top_highest_next_2_i1 * lowest_top_highest_next_2_i1);
            lowest_top_highest_good_2 = lowest_top_highest_f_3 > lowest_top_highest_f_4;
            if (lowest_top_highest_length_3 <= 1e-05 || lowest_top_highest_e_2 * lowest_top_highest_length_3 <= 1e-05) {
                turns1 = k_2 + 1;
                break;
            }
            if (status != GRADC_OK) {
                return status;
            }
        }
        if (turns1 < 1) {
            gradc_fail(&status, GRADC_NO_END);
            return status;
        }
        const double t2 = gradc_sqrt(lowest_g_i0 * lowest_g_i0 + lowest_g_i1 * lowest_g_i1);
        lowest_top_f_2 = t1 - (lowest_top_highest_y_2_i0 * lowest_top_highest_y_2_i0
                + lowest_top_highest_y_2_i1 * lowest_top_highest_y_2_i1);
        lowest_good = lowest_top_f_2 < lowest_z;
        if (t2 <= 1e-05 || lowest_e * t2 <= 1e-05) {
            lowest_K = k + 1;
            break;
        }
        if (status != GRADC_OK) {
            return status;
        }
    }
    if (lowest_K < 1) {
        gradc_fail(&status, GRADC_NO_END);
        return status;
    }

    /* real x[2];
         x[0] = lowest_x_i0[lowest_K - 1];
         x[1] = lowest_x_i1[lowest_K - 1]; */
    x[0] = lowest_x_i0;
    x[1] = lowest_x_i1;

    /* real highest_y_i0[100000];
         highest_y_i0[0] = start[0];
         highest_y_i0[k] = highest_good[k - 1] ? highest_next_i0[k - 1] : highest_y_i0[k - 1]
             for 1 <= k while k < highest_K; */

    /* bool highest_good[k: 100000] = highest_f[k] > highest_f_2[k] while k < highest_K; */

    /* highest_f[k: 100000] = sum[i: 2](x[i] * x[i])
           - (highest_next_i0[k] * highest_next_i0[k] + highest_next_i1[k] * highest_next_i1[k]) while k < highest_K; */

    /* highest_next_i0[k: 100000] = highest_y_i0[k] - 2 * (highest_e[k] * highest_y_i0[k]) while k < highest_K; */

    /* highest_e[k: 100000] = highest_eta[k] * (highest_n[k] == 10 ? 2 : 1) while k < highest_K; */

    /* real highest_eta[100000];
         highest_eta[0] = 1e-05;
         highest_eta[k] = highest_e[k - 1] * (highest_good[k - 1] ? 1 : 0.5) for 1 <= k while k < highest_K; */

    /* int highest_K = first[k: 100000](_1[k] <= 1e-05 || highest_e[k] * _1[k] <= 1e-05) + 1;
           where _1[k: 100000] = sqrt(4 * (highest_y_i0[k] * highest_y_i0[k] + highest_y_i1[k] * highest_y_i1[k])) */

    /* real highest_y_i1[100000];
         highest_y_i1[0] = start[1];
         highest_y_i1[k] = highest_good[k - 1] ? highest_next_i1[k - 1] : highest_y_i1[k - 1]
             for 1 <= k while k < highest_K; */

    /* highest_next_i1[k: 100000] = highest_y_i1[k] - 2 * (highest_e[k] * highest_y_i1[k]) while k < highest_K; */

    /* int highest_n[100000];
         highest_n[0] = 0;
         highest_n[k] = highest_good[k - 1] ? (highest_n[k - 1] == 10 ? 1 : highest_n[k - 1] + 1) : 0
             for 1 <= k while k < highest_K; */

    /* highest_f_2[k: 100000] = sum[i: 2](x[i] * x[i])
           - (highest_y_i0[k] * highest_y_i0[k] + highest_y_i1[k] * highest_y_i1[k]) while k < highest_K; */
    /* One loop, forward over k, until the end of highest_K: highest_y_i0, highest_good, highest_f, highest_next_i0, highest_e, highest_eta, highest_y_i1, highest_next_i1, highest_n, highest_f_2 */
    int64_t highest_K = 0;
    double sum2 = 0.0;
    for (int64_t i = 0; i < 2; i++) {
        sum2 += x[i] * x[i];
    }
    double highest_y_i0_before = 0.0;
    double highest_y_i0 = 0.0;
    int highest_good_before = 0;
    int highest_good = 0;
    double highest_next_i0_before = 0.0;
    double highest_next_i0 = 0.0;
    double highest_e_before = 0.0;
    double highest_e = 0.0;
    double highest_eta = 0.0;
    double highest_y_i1_before = 0.0;
    double highest_y_i1 = 0.0;
    double highest_next_i1_before = 0.0;
    double highest_next_i1 = 0.0;
    int64_t highest_n_before = 0;
    int64_t highest_n = 0;
    for (int64_t k = 0; k < 100000; k++) {
        highest_y_i0_before = highest_y_i0;
        highest_good_before = highest_good;
        highest_next_i0_before = highest_next_i0;
        highest_e_before = highest_e;
        highest_y_i1_before = highest_y_i1;
        highest_next_i1_before = highest_next_i1;
        highest_n_before = highest_n;
        if (k == 0) {
            highest_y_i0 = start[0];
            highest_eta = 1e-05;
            highest_y_i1 = start[1];
            highest_n = 0;
        }
        if (1 <= k) {
            highest_y_i0 = highest_good_before ? highest_next_i0_before : highest_y_i0_before;
            highest_eta = highest_e_before * (highest_good_before ? 1.0 : 0.5);
            highest_y_i1 = highest_good_before ? highest_next_i1_before : highest_y_i1_before;
        }
        const double t1 = gradc_sqrt(4.0
                * (highest_y_i0 * highest_y_i0 + highest_y_i1 * highest_y_i1));
        if (1 <= k) {
            highest_n = highest_good_before
                    ? (highest_n_before == 10 ? 1 : gradc_int_add(highest_n_before, 1, &status))
                    : 0;
        }
        const double highest_f_2 = sum2
                - (highest_y_i0 * highest_y_i0 + highest_y_i1 * highest_y_i1);
        highest_e = highest_eta * (highest_n == 10 ? 2.0 : 1.0);
        highest_next_i1 = highest_y_i1 - 2.0 * (highest_e * highest_y_i1);
        highest_next_i0 = highest_y_i0 - 2.0 * (highest_e * highest_y_i0);
        const double highest_f = sum2 - (highest_next_i0 * highest_next_i0
                + highest_next_i1 * highest_next_i1);
        highest_good = highest_f > highest_f_2;
        if (t1 <= 1e-05 || highest_e * t1 <= 1e-05) {
            highest_K = k + 1;
            break;
        }
        if (status != GRADC_OK) {
            return status;
        }
    }
    if (highest_K < 1) {
        gradc_fail(&status, GRADC_NO_END);
        return status;
    }

    /* real y[2];
         y[0] = highest_y_i0[highest_K - 1];
         y[1] = highest_y_i1[highest_K - 1]; */
    if (y != NULL) {
        y[0] = highest_y_i0;
        y[1] = highest_y_i1;
    }
    if (x_out != NULL) {
        memcpy(x_out, x, (size_t)(2) * sizeof(double));
    }
    return status;
}

int saddle_ff_value(const saddle_ff_args *a, void *workspace) {
    int status;
    size_t at[1], bytes;
    char nothing[1];
    char *const w = workspace != NULL ? (char *)workspace : nothing;
    if (a == NULL) {
        return GRADC_NULL;
    }
    status = saddle_ff_check_sizes(a);
    if (status != GRADC_OK) {
        return status;
    }
    bytes = saddle_ff_value_layout(a, at);
    if (bytes == SIZE_MAX) {
        return GRADC_OVERFLOW;
    }
    if (bytes > 0 && (workspace == NULL || !gradc_aligned(workspace))) {
        return GRADC_WORKSPACE;
    }
    if (a->start == NULL) {
        return GRADC_NULL;
    }
    return saddle_ff_value_worker(a->start, (double *)(void *)(w + at[0]), a->x, a->y);
}

/* ---- the description of the model ---- */

static size_t saddle_ff_describe_workspace_0(const void *a) {
    return saddle_ff_workspace((const saddle_ff_args *)a);
}
static int saddle_ff_describe_call_0(const void *a, void *workspace) {
    return saddle_ff_value((const saddle_ff_args *)a, workspace);
}
static int64_t saddle_ff_describe_extent(const void *args, int tensor, int axis) {
    const saddle_ff_args *a = (const saddle_ff_args *)args;
    (void)a;
    switch (tensor * 64 + axis) {
    case 0 * 64 + 0: return 2;
    case 1 * 64 + 0: return 2;
    case 2 * 64 + 0: return 2;
    default: return -1;
    }
}
static const gradc_tensor saddle_ff_describe_tensors[] = {
    {"start", GRADC_ROLE_INPUT, GRADC_TYPE_DOUBLE, 1, 0, offsetof(saddle_ff_args, start), -1, -1, NULL},
    {"x", GRADC_ROLE_OUTPUT, GRADC_TYPE_DOUBLE, 1, 0, offsetof(saddle_ff_args, x), -1, -1, NULL},
    {"y", GRADC_ROLE_OUTPUT, GRADC_TYPE_DOUBLE, 1, 0, offsetof(saddle_ff_args, y), -1, -1, NULL},
};
static const gradc_function saddle_ff_describe_functions[] = {
    {"value", saddle_ff_describe_workspace_0, saddle_ff_describe_call_0},
};
const gradc_model saddle_ff_model = {
    "saddle_ff", sizeof(saddle_ff_args), 0, 3, 1, NULL, saddle_ff_describe_tensors,
    saddle_ff_describe_functions, saddle_ff_describe_extent};
