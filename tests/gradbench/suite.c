/* suite: the program `gradbench` beside figures that it has not made.
 *
 *   suite GRADBENCH WORK [CASE.json ...]
 *
 * The own cases: inputs drawn here, outputs by the formulas of each eval written down plainly in long
 * double, derivatives by central differences of sixth order, which share nothing with the compiler. The
 * other cases are files: {"eval", "case", "input", "outputs": {function: output}}. All functions of an
 * eval go through the protocol, one session an eval. Numbers must agree to 1e-9 of the largest one of
 * their array, and the shapes must be the same. The last line is "N passed, N failed". */
#define _POSIX_C_SOURCE 200809L
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef long double Num;

static int passed, failed;

/* ---- random numbers: the last bits of a 64-bit congruence are thrown away */

static uint64_t state = 7;
static double uniform(double low, double high) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (double)(state >> 11) / 9007199254740992.0;
}

/* ---- sessions */

typedef struct Wanted {
    char title[160];
    const json_t *output;
} Wanted;

typedef struct Session {
    const char *program, *work, *eval;
    FILE *messages;
    char in[1024], out[1024];
    Wanted *wanted;
    int n, room;
} Session;

static void must(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "suite: %s\n", what);
    exit(2);
}

static void send_message(Session *s, json_t *message) {
    json_object_set_new(message, "id", json_integer(s->n));
    must(json_dumpf(message, s->messages, JSON_COMPACT | JSON_REAL_PRECISION(17)) == 0, "a message cannot be written");
    putc('\n', s->messages);
    json_decref(message);
    if (s->n == s->room) {
        s->room = s->room ? 2 * s->room : 16;
        s->wanted = realloc(s->wanted, (size_t)s->room * sizeof *s->wanted);
        must(s->wanted != NULL, "no memory");
    }
    memset(&s->wanted[s->n++], 0, sizeof *s->wanted);
}

static void begin(Session *s, const char *eval) {
    s->eval = eval;
    s->n = 0;
    snprintf(s->in, sizeof s->in, "%s/%s.messages", s->work, eval);
    snprintf(s->out, sizeof s->out, "%s/%s.answers", s->work, eval);
    s->messages = fopen(s->in, "w");
    must(s->messages != NULL, "no file for the messages");
    send_message(s, json_pack("{s:s, s:s}", "kind", "start", "eval", eval));
    send_message(s, json_pack("{s:s, s:s}", "kind", "define", "module", eval));
}

static void ask(Session *s, const char *name, const char *function, json_t *input, const json_t *output) {
    send_message(s, json_pack("{s:s, s:s, s:s, s:O}", "kind", "evaluate", "module", s->eval, "function", function,
                              "input", input));
    Wanted *w = &s->wanted[s->n - 1];
    snprintf(w->title, sizeof w->title, "%s %s %s", s->eval, name, function);
    w->output = output;
}

/* Largest number, and largest difference, over one array, however it is nested. */
static bool compare(const json_t *got, const json_t *want, double *scale, double *off) {
    if (json_is_number(want)) {
        if (!json_is_number(got)) return false;
        const double w = json_number_value(want), d = fabs(json_number_value(got) - w);
        if (fabs(w) > *scale) *scale = fabs(w);
        if (!(d <= *off)) *off = d;
        return true;
    }
    if (!json_is_array(want) || json_array_size(got) != json_array_size(want)) return false;
    for (size_t i = 0; i < json_array_size(want); i++) {
        if (!compare(json_array_get(got, i), json_array_get(want, i), scale, off)) return false;
    }
    return true;
}

static bool agree(const char *title, const json_t *got, const json_t *want) {
    if (json_is_object(want)) {
        bool good = json_object_size(got) == json_object_size(want);
        if (!good) printf("%s: other keys\n", title);
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)want, key, value) {
            good = agree(title, json_object_get(got, key), value) && good;
        }
        return good;
    }
    double scale = 0, off = 0;
    const bool shape = compare(got, want, &scale, &off);
    if (!shape) printf("%s: another shape\n", title);
    else if (!(off <= 1e-9 * scale)) printf("%s: off by %.2g of %.2g\n", title, off, scale);
    return shape && off <= 1e-9 * scale;
}

static void end(Session *s) {
    char command[4096];
    must(fclose(s->messages) == 0, "the messages cannot be written");
    snprintf(command, sizeof command, "'%s' <'%s' >'%s'", s->program, s->in, s->out);
    const int status = system(command);
    FILE *answers = fopen(s->out, "r");
    must(answers != NULL, "there are no answers");
    char *line = NULL;
    size_t room = 0;
    if (status != 0) printf("%s: the session ended badly\n", s->eval);
    bool good = status == 0;
    for (int i = 0; i < s->n; i++) {
        const ssize_t n = getline(&line, &room, answers);
        json_t *answer = n > 0 ? json_loadb(line, (size_t)n, 0, NULL) : NULL;
        const Wanted *w = &s->wanted[i];
        const bool fits = json_is_object(answer) && json_integer_value(json_object_get(answer, "id")) == i;
        if (!fits) printf("%s: message %d has no answer\n", s->eval, i);
        if (i == 1) good = good && fits && json_is_true(json_object_get(answer, "success"));
        if (w->output) {
            const json_t *error = json_object_get(answer, "error");
            bool right = fits && json_is_true(json_object_get(answer, "success"));
            if (!right) printf("%s: %s\n", w->title, error ? json_string_value(error) : "no success");
            right = right && agree(w->title, json_object_get(answer, "output"), w->output);
            const json_t *times = json_object_get(answer, "timings");
            const json_t *time = json_object_get(json_array_get(times, 0), "nanoseconds");
            if (right && !(json_is_integer(time) && json_integer_value(time) > 0)) {
                printf("%s: no time\n", w->title);
                right = false;
            }
            passed += right;
            failed += !right;
        } else {
            good = good && fits;
        }
        json_decref(answer);
    }
    if (getline(&line, &room, answers) > 0) {
        printf("%s: more answers than messages\n", s->eval);
        good = false;
    }
    passed += good;
    failed += !good;
    free(line);
    fclose(answers);
}

/* ---- cases that are drawn here */

typedef void System(const void *with, const Num *x, Num *y);

enum { MOST = 400 };

/* J[i * n + j] = d y_i / d x_j, by six values around x_j. */
static void differences(System *f, const void *with, const Num *x, int n, int m, Num *J) {
    static const Num weight[3] = {0.75L, -0.15L, 1.0L / 60};
    const Num h = 1e-3L;
    Num at[MOST], up[MOST], down[MOST];
    must(n <= MOST && m <= MOST, "a case is too large");
    memcpy(at, x, (size_t)n * sizeof *x);
    for (int j = 0; j < n; j++) {
        for (int i = 0; i < m; i++) J[i * n + j] = 0;
        for (int k = 0; k < 3; k++) {
            at[j] = x[j] + (Num)(k + 1) * h;
            f(with, at, up);
            at[j] = x[j] - (Num)(k + 1) * h;
            f(with, at, down);
            for (int i = 0; i < m; i++) J[i * n + j] += weight[k] * (up[i] - down[i]) / h;
        }
        at[j] = x[j];
    }
}

static json_t *list(const Num *x, int n) {
    json_t *a = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(a, json_real((double)x[i]));
    return a;
}

static json_t *matrix(const Num *x, int m, int n) {
    json_t *a = json_array();
    for (int i = 0; i < m; i++) json_array_append_new(a, list(x + i * n, n));
    return a;
}

static json_t *real(Num x) {
    return json_real((double)x);
}

static void draw(Num *x, int n, double low, double high) {
    for (int i = 0; i < n; i++) x[i] = (Num)uniform(low, high);
}

/* The case lives until the session ends; what it holds is not freed, the program is short. */
static void hello(Session *s) {
    static const double x[] = {0.75, -1e-3, 0, 3};
    for (int i = 0; i < 4; i++) {
        ask(s, "own", "square", json_real(x[i]), json_real(x[i] * x[i]));
        ask(s, "own", "double", json_real(x[i]), json_real(2 * x[i]));
    }
    ask(s, "own integer", "square", json_integer(7), json_integer(49));
}

typedef struct Sizes {
    int n, m, k;
    const Num *p, *q; /* what is held */
} Sizes;

static void llsq(const void *with, const Num *x, Num *y) {
    const Sizes *s = with;
    *y = 0;
    for (int i = 0; i < s->n; i++) {
        const Num t = -1 + 2 * (Num)i / (s->n - 1);
        Num r = (Num)(t > 0) - (Num)(t < 0), power = 1;
        for (int j = 0; j < s->m; j++) {
            r -= x[j] * power;
            power *= t;
        }
        *y += r * r / 2;
    }
}

static void lse(const void *with, const Num *x, Num *y) {
    const Sizes *s = with;
    Num sum = 0;
    for (int i = 0; i < s->n; i++) sum += expl(x[i]);
    *y = logl(sum);
}

/* the sum over all permutations */
static Num leibniz(int n, const Num *A, int row, unsigned used) {
    if (row == n) return 1;
    Num sum = 0;
    for (int c = 0; c < n; c++) {
        if (used >> c & 1) continue;
        int inversions = 0; /* columns before that are right of this one */
        for (int d = c + 1; d < n; d++) inversions += (used >> d & 1) != 0;
        sum += (inversions % 2 ? -1 : 1) * A[row * n + c] * leibniz(n, A, row + 1, used | 1u << c);
    }
    return sum;
}

static void det(const void *with, const Num *x, Num *y) {
    *y = leibniz(((const Sizes *)with)->n, x, 0, 0);
}

static void slopes(int n, const Num *x, const Num *y, Num *v) {
    v[0] = x[0];
    for (int i = 1; i < n; i++) v[i] = x[i] * y[i - 1];
}

static void ode(const void *with, const Num *x, Num *y) {
    const Sizes *s = with;
    const Num h = 2 / (Num)s->m;
    Num k[4][MOST], z[MOST];
    for (int i = 0; i < s->n; i++) y[i] = 0;
    for (int t = 0; t < s->m; t++) {
        slopes(s->n, x, y, k[0]);
        for (int stage = 1; stage < 4; stage++) {
            for (int i = 0; i < s->n; i++) z[i] = y[i] + (stage < 3 ? h / 2 : h) * k[stage - 1][i];
            slopes(s->n, x, z, k[stage]);
        }
        for (int i = 0; i < s->n; i++) y[i] += h / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
    }
}

/* n points in m coordinates, k parts; x: alpha, mu, q, l */
static void gmm(const void *with, const Num *x, Num *y) {
    const Sizes *s = with;
    const int n = s->n, d = s->m, parts = s->k, low = d * (d - 1) / 2;
    const Num *alpha = x, *mu = alpha + parts, *q = mu + parts * d, *l = q + parts * d;
    const Num gamma = s->q[0], m = s->q[1], pi = acosl(-1);
    Num total = 0, prior = 0;
    for (int k = 0; k < parts; k++) total += expl(alpha[k]);
    *y = 0;
    for (int i = 0; i < n; i++) {
        Num density = 0;
        for (int k = 0; k < parts; k++) {
            Num Q[20][20] = {{0}}, determinant = 1, square = 0;
            int at = k * low;
            for (int c = 0; c < d; c++) {
                Q[c][c] = expl(q[k * d + c]);
                determinant *= Q[c][c];
                for (int r = c + 1; r < d; r++) Q[r][c] = l[at++];
            }
            for (int r = 0; r < d; r++) {
                Num z = 0;
                for (int c = 0; c < d; c++) z += Q[r][c] * (s->p[i * d + c] - mu[k * d + c]);
                square += z * z;
            }
            density += expl(alpha[k]) / total * determinant * powl(2 * pi, -(Num)d / 2) * expl(-square / 2);
        }
        *y += logl(density);
    }
    for (int k = 0; k < parts; k++) {
        Num norm = 0, diagonal = 0;
        for (int c = 0; c < d; c++) {
            norm += expl(2 * q[k * d + c]);
            diagonal += q[k * d + c];
        }
        for (int c = 0; c < low; c++) norm += l[k * low + c] * l[k * low + c];
        prior += m * diagonal - gamma * gamma / 2 * norm;
    }
    const Num wishart = d + m + 1;
    Num multi = (Num)d * (d - 1) / 4 * logl(pi);
    for (int j = 1; j <= d; j++) multi += lgammal(wishart / 2 + (1 - (Num)j) / 2);
    *y += prior + parts * (wishart * d * (logl(gamma) - logl(2) / 2) - multi);
}

/* k layers, n steps of m bits; x: main, extra; p: state, q: sequence */
static void lstm(const void *with, const Num *x, Num *y) {
    const Sizes *s = with;
    const int b = s->m, layers = s->k;
    const Num *extra = x + 8 * layers * b;
    Num h[8][16], c[8][16];
    for (int l = 0; l < layers; l++) {
        for (int i = 0; i < b; i++) {
            h[l][i] = s->p[2 * l * b + i];
            c[l][i] = s->p[(2 * l + 1) * b + i];
        }
    }
    *y = 0;
    for (int t = 0; t + 1 < s->n; t++) {
        Num u[16], sum = 2;
        for (int i = 0; i < b; i++) u[i] = s->q[t * b + i] * extra[i];
        for (int l = 0; l < layers; l++) {
            const Num *w = x + 8 * l * b, *bias = w + 4 * b;
            for (int i = 0; i < b; i++) {
                const Num forget = 1 / (1 + expl(-(u[i] * w[i] + bias[i])));
                const Num enter = 1 / (1 + expl(-(h[l][i] * w[b + i] + bias[b + i])));
                const Num leave = 1 / (1 + expl(-(u[i] * w[2 * b + i] + bias[2 * b + i])));
                c[l][i] = c[l][i] * forget + enter * tanhl(h[l][i] * w[3 * b + i] + bias[3 * b + i]);
                h[l][i] = leave * tanhl(c[l][i]);
                u[i] = h[l][i];
            }
        }
        for (int i = 0; i < b; i++) sum += expl(u[i] * extra[b + i] + extra[2 * b + i]);
        for (int i = 0; i < b; i++) {
            *y -= s->q[(t + 1) * b + i] * (u[i] * extra[b + i] + extra[2 * b + i] - logl(sum)) / ((s->n - 1) * b);
        }
    }
}

/* n points p in m coordinates, k centres x */
static void kmeans(const void *with, const Num *x, Num *y) {
    const Sizes *s = with;
    *y = 0;
    for (int i = 0; i < s->n; i++) {
        Num least = HUGE_VALL;
        for (int k = 0; k < s->k; k++) {
            Num d = 0;
            for (int c = 0; c < s->m; c++) d += powl(s->p[i * s->m + c] - x[k * s->m + c], 2);
            if (d < least) least = d;
        }
        *y += least;
    }
}

static void kmeans_slope(const void *with, const Num *x, Num *y) {
    const Sizes *s = with;
    differences(kmeans, with, x, s->k * s->m, 1, y);
}

/* v turned by |r| about r, with the matrix exp([r]) as its series */
static void turned(const Num *r, const Num *v, Num *w) {
    Num term[3] = {v[0], v[1], v[2]};
    for (int i = 0; i < 3; i++) w[i] = v[i];
    for (int k = 1; k < 60; k++) {
        const Num next[3] = {(r[1] * term[2] - r[2] * term[1]) / k, (r[2] * term[0] - r[0] * term[2]) / k,
                             (r[0] * term[1] - r[1] * term[0]) / k};
        for (int i = 0; i < 3; i++) {
            term[i] = next[i];
            w[i] += next[i];
        }
    }
}

/* one observation: x is camera 11, point 3, weight 1; p the feature */
static void ba(const void *with, const Num *x, Num *y) {
    const Sizes *s = with;
    const Num d[3] = {x[11] - x[3], x[12] - x[4], x[13] - x[5]};
    Num v[3];
    turned(x, d, v);
    const Num a = v[0] / v[2], b = v[1] / v[2], r = a * a + b * b, c = 1 + x[9] * r + x[10] * r * r;
    y[0] = x[14] * (x[6] * a * c + x[7] - s->p[0]);
    y[1] = x[14] * (x[6] * b * c + x[8] - s->p[1]);
}

/* ---- the hand of ht, in another way than the model: rotations by the exponential series */

enum { BONES = 22, VERTICES = 9, FACES = 4, POINTS = 5 };
typedef struct Hand {
    int parent[BONES], face[FACES][3], which[POINTS];
    Num base[BONES][16], inverse[BONES][16], position[VERTICES][4], weight[VERTICES][BONES], point[POINTS][3];
    bool complicated, mirrored;
} Hand;

static void times(const Num *A, const Num *B, Num *C) { /* 4 by 4; C may be A or B */
    Num sum[16];
    for (int i = 0; i < 16; i++) {
        sum[i] = 0;
        for (int k = 0; k < 4; k++) sum[i] += A[i / 4 * 4 + k] * B[4 * k + i % 4];
    }
    memcpy(C, sum, sizeof sum);
}

static void about(int axis, Num angle, Num *R) { /* 4 by 4 */
    const Num r[3] = {axis == 0 ? angle : 0, axis == 1 ? angle : 0, axis == 2 ? angle : 0};
    memset(R, 0, 16 * sizeof *R);
    R[15] = 1;
    for (int j = 0; j < 3; j++) {
        const Num unit[3] = {j == 0, j == 1, j == 2};
        Num w[3];
        turned(r, unit, w);
        for (int i = 0; i < 3; i++) R[4 * i + j] = w[i];
    }
}

/* x: theta 26, then us for each point */
static void hand(const void *with, const Num *x, Num *y) {
    const Hand *h = with;
    Num angle[BONES][3] = {{0}}, A[BONES][16], X[VERTICES][3];
    int next = 6;
    for (int finger = 0; finger < 5; finger++) { /* three joints of each; the first also bends sideways */
        for (int joint = 0; joint < 3; joint++) {
            angle[2 + 4 * finger + joint][0] = x[next++];
            if (joint == 0) angle[2 + 4 * finger][1] = x[next++];
        }
    }
    for (int b = 0; b < BONES; b++) {
        Num R[16];
        memcpy(A[b], h->base[b], sizeof A[b]);
        about(2, angle[b][1], R);
        times(A[b], R, A[b]);
        about(1, angle[b][2], R);
        times(A[b], R, A[b]);
        about(0, angle[b][0], R);
        times(A[b], R, A[b]);
        if (h->parent[b] >= 0) times(A[h->parent[b]], A[b], A[b]);
    }
    for (int v = 0; v < VERTICES; v++) {
        Num at[3] = {0};
        for (int b = 0; b < BONES; b++) {
            Num T[16];
            times(A[b], h->inverse[b], T);
            for (int i = 0; i < 3; i++) {
                for (int k = 0; k < 4; k++) at[i] += h->weight[v][b] * T[4 * i + k] * h->position[v][k];
            }
        }
        if (h->mirrored) at[0] = -at[0];
        turned(x, at, X[v]);
        for (int i = 0; i < 3; i++) X[v][i] += x[3 + i];
    }
    for (int c = 0; c < POINTS; c++) {
        for (int i = 0; i < 3; i++) {
            const int *f = h->face[h->which[c] % FACES];
            const Num *u = x + 26 + 2 * c;
            const Num at = !h->complicated ? X[h->which[c]][i]
                                           : u[0] * X[f[0]][i] + u[1] * X[f[1]][i] + (1 - u[0] - u[1]) * X[f[2]][i];
            y[3 * c + i] = h->point[c][i] - at;
        }
    }
}

static void ask_hand(Session *s, const char *name, bool complicated, bool mirrored, double turn) {
    static Hand h;
    static Num x[26 + 2 * POINTS], y[3 * POINTS], J[3 * POINTS * (26 + 2 * POINTS)];
    json_t *names = json_array(), *parents = json_array(), *base = json_array(), *inverse = json_array();
    json_t *faces = json_array(), *which = json_array();
    const int n = 26 + (complicated ? 2 * POINTS : 0);
    h.complicated = complicated;
    h.mirrored = mirrored;
    for (int b = 0; b < BONES; b++) {
        h.parent[b] = b == 0 ? -1 : b == 1 || b % 4 == 2 ? 0 : b - 1; /* the wrist, and five fingers from it */
        draw(h.base[b], 12, -1, 1);
        draw(h.inverse[b], 12, -1, 1);
        for (int k = 0; k < 4; k++) h.base[b][12 + k] = h.inverse[b][12 + k] = k == 3;
        json_array_append_new(names, json_sprintf("bone%d", b));
        json_array_append_new(parents, json_integer(h.parent[b]));
        json_array_append_new(base, matrix(h.base[b], 4, 4));
        json_array_append_new(inverse, matrix(h.inverse[b], 4, 4));
    }
    for (int v = 0; v < VERTICES; v++) {
        draw(h.position[v], 3, -1, 1);
        h.position[v][3] = 1;
        for (int b = 0; b < BONES; b++) h.weight[v][b] = uniform(0, 1) < 0.3 ? (Num)uniform(0, 1) : 0;
    }
    for (int f = 0; f < FACES; f++) {
        for (int k = 0; k < 3; k++) h.face[f][k] = (2 * f + 3 * k) % VERTICES;
        json_array_append_new(faces, json_pack("[i,i,i]", h.face[f][0], h.face[f][1], h.face[f][2]));
    }
    for (int c = 0; c < POINTS; c++) {
        h.which[c] = complicated ? (3 * c + 1) % FACES : (4 * c + 2) % VERTICES;
        json_array_append_new(which, json_integer(h.which[c]));
    }
    draw(h.point[0], 3 * POINTS, -1, 1);
    draw(x, 26 + 2 * POINTS, -1, 1);
    for (int i = 0; i < 3; i++) x[i] *= turn;
    json_t *model = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "bone_count", BONES, "bone_names", names,
                              "parents", parents, "base_relatives", base, "inverse_base_absolutes", inverse,
                              "base_positions", matrix(h.position[0], VERTICES, 4), "weights",
                              matrix(h.weight[0], VERTICES, BONES), "triangles", faces, "is_mirrored", mirrored);
    json_t *input = json_pack("{s:o, s:{s:o, s:o, s:o}, s:o}", "theta", list(x, 26), "data", "model", model,
                              "correspondences", which, "points", matrix(h.point[0], POINTS, 3), "us",
                              complicated ? matrix(x + 26, POINTS, 2) : json_array());
    hand(&h, x, y);
    differences(hand, &h, x, n, 3 * POINTS, J);
    json_t *rows = json_array();
    for (int r = 0; r < 3 * POINTS; r++) {
        json_t *row = json_array();
        for (int k = 0; complicated && k < 2; k++) json_array_append_new(row, real(J[r * n + 26 + 2 * (r / 3) + k]));
        for (int k = 0; k < 26; k++) json_array_append_new(row, real(J[r * n + k]));
        json_array_append_new(rows, row);
    }
    ask(s, name, "objective", input, list(y, 3 * POINTS));
    ask(s, name, "jacobian", input, rows);
}

/* Gradient descent as GradBench has it: steps of eta times the slope; eta is doubled after ten that went
 * down, and halved after one that did not, which is not taken. */
static void descend(System *value, System *slope, const void *with, int n, Num *x) {
    const Num enough = (Num)1e-5;
    Num eta = enough, g[4], next[4], before, after;
    int good = 0;
    must(n <= 4, "a point is too large");
    for (;;) {
        Num size = 0;
        slope(with, x, g);
        for (int i = 0; i < n; i++) size += g[i] * g[i];
        size = sqrtl(size);
        if (good == 10) {
            eta *= 2;
            good = 0;
        }
        if (size <= enough || eta * size <= enough) return;
        for (int i = 0; i < n; i++) next[i] = x[i] - eta * g[i];
        value(with, x, &before);
        value(with, next, &after);
        if (after < before) {
            memcpy(x, next, (size_t)n * sizeof *x);
            good++;
        } else {
            eta /= 2;
            good = 0;
        }
    }
}

/* The flight with the force written out, until the charge is below the axis or, where n > 0 is held, for n
 * points. Returns their number. */
static int fly(Num w, int n, Num *y) {
    Num x[2] = {0, 8}, v[2] = {0.75L, 0}, last[2] = {0, 0}, fast[2] = {0, 0};
    int t = 1;
    for (; n > 0 ? t < n : x[1] > 0; t++) {
        must(t < 10000, "a flight has no end");
        const Num dx = x[0] - 10, up = x[1] - 10 + w, high = x[1];
        const Num far = powl(dx * dx + up * up, -1.5L), near = powl(dx * dx + high * high, -1.5L);
        const Num force[2] = {dx * (far + near), up * far + high * near};
        for (int i = 0; i < 2; i++) {
            last[i] = x[i];
            fast[i] = v[i];
            x[i] += 0.1L * v[i];
            v[i] += 0.1L * force[i];
        }
    }
    const Num at = last[0] - last[1] / fast[1] * fast[0];
    *y = at * at;
    return t;
}

static void particle(const void *with, const Num *x, Num *y) {
    (void)fly(*x, with ? *(const int *)with : 0, y);
}

static void particle_slope(const void *with, const Num *x, Num *y) {
    const int points = fly(*x, 0, y); /* how long it flies is no function that could be differentiated */
    (void)with;
    differences(particle, &points, x, 1, 1, y);
}

static void saddle_inner(const void *with, const Num *y, Num *z) { /* with: x; what is to fall is -f */
    const Num *x = with;
    *z = y[0] * y[0] + y[1] * y[1] - x[0] * x[0] - x[1] * x[1];
}

static void saddle_inner_slope(const void *with, const Num *y, Num *g) {
    differences(saddle_inner, with, y, 2, 1, g);
}

static void saddle(const void *with, const Num *x, Num *z) { /* with: the start */
    Num y[2];
    memcpy(y, with, sizeof y);
    descend(saddle_inner, saddle_inner_slope, x, 2, y);
    saddle_inner(x, y, z);
    *z = -*z;
}

static void saddle_slope(const void *with, const Num *x, Num *g) {
    differences(saddle, with, x, 2, 1, g);
}

static void descents(Session *s) {
    static const char *const modes[] = {"rr", "ff", "fr", "rf"};
    static const double starts[] = {0, 0.5, 0.1, 0.21}, points[][2] = {{1, 1}, {0.5, -0.25}, {-3, 0.01}, {0, 0}};
    begin(s, "particle");
    for (int k = 0; k < 4; k++) {
        Num w = starts[k], m, dm;
        particle(NULL, &w, &m);
        particle_slope(NULL, &w, &dm);
        json_t *in = json_pack("{s:f}", "w", starts[k]);
        ask(s, "own", "value_r", in, real(m));
        ask(s, "own", "value_f", in, real(m));
        for (int mode = 0; mode < 4; mode++) {
            char name[8];
            snprintf(name, sizeof name, "d_%s", modes[mode]);
            ask(s, "own", name, in, real(dm));
        }
        descend(particle, particle_slope, NULL, 1, &w);
        for (int mode = 0; mode < 4; mode++) ask(s, "own", modes[mode], in, real(w));
    }
    end(s);

    begin(s, "saddle");
    for (int k = 0; k < 4; k++) {
        const Num start[2] = {points[k][0], points[k][1]};
        Num x[4] = {start[0], start[1], start[0], start[1]};
        descend(saddle, saddle_slope, start, 2, x);
        descend(saddle_inner, saddle_inner_slope, x, 2, x + 2);
        json_t *in = json_pack("{s:[f,f]}", "start", points[k][0], points[k][1]);
        for (int mode = 0; mode < 4; mode++) ask(s, "own", modes[mode], in, list(x, 4));
    }
    end(s);
}

static void own(Session *s) {
    static Num x[MOST], y[MOST], J[MOST * 8], p[MOST], q[MOST];
    begin(s, "hello");
    hello(s);
    end(s);

    begin(s, "llsq");
    for (int m = 1; m < 12; m += 5) {
        const Sizes z = {.n = 2 * m + 3, .m = m};
        draw(x, m, -1, 1);
        llsq(&z, x, y);
        differences(llsq, &z, x, m, 1, J);
        json_t *in = json_pack("{s:o, s:i}", "x", list(x, m), "n", z.n);
        ask(s, "own", "primal", in, real(*y));
        ask(s, "own", "gradient", in, list(J, m));
    }
    end(s);

    begin(s, "lse");
    for (int n = 1; n < 100; n += 33) {
        const Sizes z = {.n = n};
        draw(x, n, n == 34 ? -3000 : -5, n == 34 ? -2990 : 5); /* below where double underflows, too */
        lse(&z, x, y);
        differences(lse, &z, x, n, 1, J);
        json_t *in = json_pack("{s:o}", "x", list(x, n));
        ask(s, "own", "primal", in, real(*y));
        ask(s, "own", "gradient", in, list(J, n));
    }
    end(s);

    begin(s, "det");
    for (int n = 1; n < 8; n++) {
        const Sizes z = {.n = n};
        draw(x, n * n, -1, 1);
        if (n == 3) x[4] = 0;
        det(&z, x, y);
        differences(det, &z, x, n * n, 1, J);
        json_t *in = json_pack("{s:o, s:i}", "A", list(x, n * n), "ell", n);
        ask(s, "own", "primal", in, real(*y));
        ask(s, "own", "gradient", in, list(J, n * n));
    }
    end(s);

    begin(s, "ode");
    for (int n = 1; n < 12; n += 3) {
        static Num rows[20 * 20];
        const Sizes z = {.n = n, .m = n == 1 ? 1 : 5};
        draw(x, n, 0.2, 2);
        ode(&z, x, y);
        differences(ode, &z, x, n, n, rows);
        json_t *in = json_pack("{s:o, s:i}", "x", list(x, n), "s", z.m);
        ask(s, "own", "primal", in, list(y, n));
        ask(s, "own", "gradient", in, list(rows + (n - 1) * n, n));
    }
    end(s);

    begin(s, "gmm");
    for (int d = 1; d < 5; d++) {
        const int k = 3, low = d * (d - 1) / 2, n = k + 2 * k * d + k * low;
        const Num wishart[2] = {0.8L + 0.1L * d, d % 3};
        const Sizes z = {.n = 12, .m = d, .k = k, .p = p, .q = wishart};
        draw(p, z.n * d, -2, 2);
        draw(x, n, -1, 1);
        gmm(&z, x, y);
        differences(gmm, &z, x, n, 1, J);
        json_t *in = json_pack("{s:i, s:i, s:i, s:o, s:i, s:f, s:o, s:o, s:o, s:o}", "d", d, "k", k, "n", z.n, "x",
                               matrix(p, z.n, d), "m", d % 3, "gamma", (double)wishart[0], "alpha", list(x, k), "mu",
                               matrix(x + k, k, d), "q", matrix(x + k + k * d, k, d), "l",
                               matrix(x + k + 2 * k * d, k, low));
        ask(s, "own", "objective", in, real(*y));
        ask(s, "own", "jacobian", in,
            json_pack("{s:o, s:o, s:o, s:o}", "alpha", list(J, k), "mu", matrix(J + k, k, d), "q",
                      matrix(J + k + k * d, k, d), "l", matrix(J + k + 2 * k * d, k, low)));
    }
    end(s);

    begin(s, "lstm");
    for (int layers = 1; layers < 4; layers++) {
        const int b = 3, n = 8 * layers * b + 3 * b;
        const Sizes z = {.n = layers == 1 ? 2 : 7, .m = b, .k = layers, .p = p, .q = q};
        draw(x, n, -1, 1);
        draw(p, 2 * layers * b, -1, 1);
        draw(q, z.n * b, 0, 2);
        for (int i = 0; i < z.n * b; i++) q[i] = floorl(q[i]);
        lstm(&z, x, y);
        differences(lstm, &z, x, n, 1, J);
        json_t *in = json_pack("{s:o, s:o, s:o, s:o}", "main_params", matrix(x, 2 * layers, 4 * b), "extra_params",
                               matrix(x + 8 * layers * b, 3, b), "state", matrix(p, 2 * layers, b), "sequence",
                               matrix(q, z.n, b));
        ask(s, "own", "objective", in, real(*y));
        ask(s, "own", "jacobian", in, list(J, n));
    }
    end(s);

    begin(s, "kmeans");
    for (int k = 1; k < 6; k += 2) {
        const int d = 3, n = k * d;
        static Num H[MOST * MOST];
        const Sizes z = {.n = 20, .m = d, .k = k, .p = p};
        draw(p, z.n * d, -1, 1);
        memcpy(x, p + (z.n - k) * d, (size_t)n * sizeof *x); /* the last points, a bit away from them */
        for (int i = 0; i < n; i++) x[i] += 0.01L * (i % 3);
        kmeans(&z, x, y);
        kmeans_slope(&z, x, J);
        differences(kmeans_slope, &z, x, n, n, H);
        for (int i = 0; i < n; i++) {
            q[i] = H[i * n + i];
            y[1 + i] = J[i] / q[i];
        }
        json_t *in = json_pack("{s:o, s:o}", "points", matrix(p, z.n, d), "centroids", matrix(x, k, d));
        ask(s, "own", "cost", in, real(*y));
        ask(s, "own", "dir", in, matrix(y + 1, k, d));
        ask(s, "own", "gradient", in, matrix(J, k, d));
        ask(s, "own", "hessian_diagonal", in, matrix(q, k, d));
    }
    end(s);

    begin(s, "ba");
    for (int turn = 0; turn < 2; turn++) { /* turned, and not at all; several blocks of observations */
        const int n = 3, m = 4, count = turn ? 5 : 600;
        const Sizes z = {.p = p};
        draw(x, 15, -0.5, 0.5);
        for (int i = 0; turn == 0 && i < 3; i++) x[i] = 0;
        x[13] += 4; /* the point is before the camera */
        draw(p, 2, -1, 1);
        ba(&z, x, y);
        differences(ba, &z, x, 15, 2, J);
        json_t *rows = json_array(), *cols = json_array(), *vals = json_array();
        for (int i = 0; i < 30; i++) {
            const int c = i % 15;
            json_array_append_new(cols, json_integer(c < 11 ? c : c < 14 ? 11 * n + c - 11 : 11 * n + 3 * m));
            json_array_append_new(vals, real(J[i]));
        }
        for (int i = 0; i < (3 * count + 1 < 30 ? 3 * count + 1 : 30); i++) {
            json_array_append_new(rows, json_integer(i <= 2 * count ? 15 * i : 30 * count + i - 2 * count));
        }
        if (json_array_size(rows) == 30) json_array_append_new(rows, json_integer(31 * count));
        json_array_append_new(cols, json_integer(11 * n + 3 * m + count - 1));
        json_array_append_new(vals, real(-2 * x[14]));
        json_t *in = json_pack("{s:i, s:i, s:i, s:o, s:o, s:o, s:o}", "n", n, "m", m, "p", count, "cam", list(x, 11), "x",
                               list(x + 11, 3), "w", real(x[14]), "feat", list(p, 2));
        ask(s, turn ? "own" : "own, not turned", "objective", in,
            json_pack("{s:{s:o, s:i}, s:{s:o, s:i}}", "reproj_error", "elements", list(y, 2), "repeated", count, "w_err",
                      "element", real(1 - x[14] * x[14]), "repeated", count));
        ask(s, turn ? "own" : "own, not turned", "jacobian", in,
            json_pack("{s:o, s:o, s:o}", "rows", rows, "cols", cols, "vals", vals));
    }
    end(s);

    begin(s, "ht");
    ask_hand(s, "own", false, false, 1);
    ask_hand(s, "own, complicated", true, false, 1);
    ask_hand(s, "own, mirrored", true, true, 2);
    end(s);
    descents(s);
}

/* ---- cases from files: each eval is one session */

static void files(Session *s, int n, char **path) {
    bool *done = calloc((size_t)n + 1, sizeof *done);
    must(done != NULL, "no memory");
    for (int first = 0; first < n; first++) {
        json_t *head = done[first] ? NULL : json_load_file(path[first], 0, NULL);
        must(done[first] || json_is_object(head), path[first]);
        if (done[first]) continue;
        const char *eval = json_string_value(json_object_get(head, "eval"));
        must(eval != NULL, "a case without its eval");
        begin(s, eval);
        for (int i = first; i < n; i++) {
            json_t *c = done[i] ? NULL : json_load_file(path[i], 0, NULL);
            const char *name = json_string_value(json_object_get(c, "eval"));
            if (done[i] || !name || strcmp(name, eval) != 0) continue;
            const char *function;
            json_t *output;
            json_object_foreach(json_object_get(c, "outputs"), function, output) {
                ask(s, json_string_value(json_object_get(c, "case")), function, json_object_get(c, "input"), output);
            }
            done[i] = true;
        }
        end(s);
    }
    free(done);
}

int main(int argc, char **argv) {
    must(argc > 2, "GRADBENCH WORK [CASE.json ...]");
    Session s = {.program = argv[1], .work = argv[2]};
    own(&s);
    files(&s, argc - 3, argv + 3);
    free(s.wanted);
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
