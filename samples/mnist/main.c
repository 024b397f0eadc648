/* Trains the network of mnist.grad on handwritten digits, with the C that gradc emits from it and
 * nothing else: plain stochastic gradient descent, all 60,000 examples in each epoch.
 *
 *     mnist DATA OUT      DATA: the folder with the four IDX files, plain or gzipped
 *                         OUT:  gets mnist.npz (the parameters), hidden_units.png, digits.png
 *
 * Ends with 0 if the accuracy on the test set is what it should be. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, isatty */
#include "mnist.h"

#include "../common/idx.h"
#include "../common/npz.h"
#include "../common/picture.h"
#include "../common/rng.h"
#include "../common/sample.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h> /* crc32 */

enum { D = IDX_PIXELS, H = 72, C = IDX_CLASSES };
enum { BATCH = 50, EPOCHS = 12, TEST_BATCH = 500 };
static const double RATE = 0.5, LAST_RATE = 0.02; /* of the first epoch and of the last one */

/* All parameters in one vector, so that the step of descent is one loop. */
enum { V = 0, BV = V + H * D, W = BV + H, BW = W + C * H, PARAMETERS = BW + C };

/* One batch in the layout that the emitted functions want, and their arguments. */
typedef struct Batch {
    int room;
    float *x;       /* [room, D], 0 to 1 */
    int32_t *y;     /* [room] */
    float *f;       /* [room, C], the scores */
    int32_t *guess; /* [room] */
    float loss;
    void *workspace; /* enough for `room` examples */
    mnist_args a;
} Batch;

static void *get(size_t n, size_t size) {
    void *p = calloc(n, size);
    if (!p) {
        fprintf(stderr, "mnist: out of memory\n");
        exit(1);
    }
    return p;
}

static void batch_new(Batch *b, int room, const float *theta, float *gradient) {
    memset(b, 0, sizeof *b);
    b->room = room;
    b->x = get((size_t)room * D, sizeof *b->x);
    b->y = get((size_t)room, sizeof *b->y);
    b->f = get((size_t)room * C, sizeof *b->f);
    b->guess = get((size_t)room, sizeof *b->guess);
    mnist_args *a = &b->a;
    a->B = room;
    a->x = b->x, a->y = b->y;
    a->V = theta + V, a->bV = theta + BV, a->W = theta + W, a->bW = theta + BW;
    a->loss = &b->loss, a->f = b->f, a->guess = b->guess;
    if (gradient) {
        a->V_grad = gradient + V, a->bV_grad = gradient + BV;
        a->W_grad = gradient + W, a->bW_grad = gradient + BW;
    }
    b->workspace = sample_workspace(mnist_workspace(a));
}

static void batch_free(Batch *b) {
    free(b->x), free(b->y), free(b->f), free(b->guess), free(b->workspace);
}

/* Takes the examples which[0..n-1], or first, first + 1, .. if there is no list. */
static void batch_fill(Batch *b, const Examples *e, const int *which, int first, int n) {
    b->a.B = n;
    for (int i = 0; i < n; i++) {
        int k = which ? which[first + i] : first + i;
        const uint8_t *pixel = e->image + (size_t)k * D;
        for (int d = 0; d < D; d++) b->x[i * D + d] = (float)pixel[d] * (1.0f / 255);
        b->y[i] = e->label[k];
    }
}

static int smaller(int a, int b) {
    return a < b ? a : b;
}

static int batch_right(const Batch *b) {
    int right = 0;
    for (int i = 0; i < b->a.B; i++) right += b->guess[i] == b->y[i];
    return right;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* On a terminal one line that is overwritten; else each line once, and only if `lasting`. */
static void say(int lasting, const char *format, ...) {
    int terminal = isatty(STDOUT_FILENO);
    if (!terminal && !lasting) return;
    va_list rest;
    va_start(rest, format);
    if (terminal) printf("\r\033[K");
    vprintf(format, rest);
    if (lasting) putchar('\n');
    fflush(stdout);
    va_end(rest);
}

/* Weights uniform about 0, offsets 0. The spread of W keeps the size of sums (Glorot and Bengio,
 * 2010); that of V is smaller than this rule wants: it leaves the picture to what was learned. */
static void start(float *theta, Rng *rng) {
    double v = 0.05, w = sqrt(6.0 / (H + C));
    memset(theta, 0, PARAMETERS * sizeof *theta);
    for (int i = 0; i < H * D; i++) theta[V + i] = (float)rng_uniform(rng, -v, v);
    for (int i = 0; i < C * H; i++) theta[W + i] = (float)rng_uniform(rng, -w, w);
}

static void train(float *theta, const Examples *e, Rng *rng) {
    float *gradient = get(PARAMETERS, sizeof *gradient);
    int *order = get((size_t)e->n, sizeof *order);
    Batch b;
    batch_new(&b, BATCH, theta, gradient);
    for (int i = 0; i < e->n; i++) order[i] = i;

    double begin = seconds(), shown = begin;
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        /* The rate falls by the same factor from epoch to epoch. */
        float rate = (float)(RATE * pow(LAST_RATE / RATE, (double)epoch / (EPOCHS - 1)));
        for (int i = e->n - 1; i > 0; i--) { /* Fisher and Yates */
            int k = (int)rng_below(rng, (uint32_t)i + 1), keep = order[i];
            order[i] = order[k], order[k] = keep;
        }
        double loss = 0, epoch_begin = seconds();
        int right = 0;
        for (int done = 0; done < e->n;) {
            int n = smaller(BATCH, e->n - done);
            batch_fill(&b, e, order, done, n);
            sample_must("mnist_value_and_gradient", mnist_value_and_gradient(&b.a, b.workspace));
            for (int i = 0; i < PARAMETERS; i++) theta[i] -= rate * gradient[i];

            loss += (double)b.loss * n;
            right += batch_right(&b);
            done += n;
            double now = seconds();
            if (now - shown > 0.1 || done == e->n) {
                double all = ((double)epoch * e->n + done) / ((double)EPOCHS * e->n);
                double left = (now - begin) / all * (1 - all);
                say(done == e->n,
                    "epoch %2d/%d  %3.0f %%  loss %.4f  right %5.2f %%  %6.0f examples/s  %.0f s "
                    "left",
                    epoch + 1, EPOCHS, 100.0 * done / e->n, loss / done, 100.0 * right / done,
                    done / (now - epoch_begin), left);
                shown = now;
            }
        }
    }
    printf("trained in %.1f s\n", seconds() - begin);
    batch_free(&b);
    free(order);
    free(gradient);
}

/* How many of the examples are guessed right; scores and guesses are kept where asked for. */
static int test(const float *theta, const Examples *e, float *scores, int32_t *guesses) {
    Batch b;
    int right = 0;
    batch_new(&b, TEST_BATCH, theta, NULL);
    for (int done = 0; done < e->n; done += (int)b.a.B) {
        batch_fill(&b, e, NULL, done, smaller(TEST_BATCH, e->n - done));
        sample_must("mnist_value", mnist_value(&b.a, b.workspace));
        right += batch_right(&b);
        size_t n = (size_t)b.a.B, at = (size_t)done;
        if (scores) memcpy(scores + at * C, b.f, n * C * sizeof *scores);
        if (guesses) memcpy(guesses + at, b.guess, n * sizeof *guesses);
    }
    batch_free(&b);
    return right;
}

static int up(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* What each hidden unit looks at: its 784 weights as an image, red for ink that drives it up. */
static bool draw_units(const float *theta, const char *path) {
    enum { ACROSS = 9, DOWN = 8, ZOOM = 4, SIDE = IDX_SIDE * ZOOM, GAP = 8, LEGEND = 44 };
    const Colour ground = {255, 255, 255}, ink = {60, 60, 60};
    float *size = get((size_t)H * D, sizeof *size);
    for (int i = 0; i < H * D; i++) size[i] = fabsf(theta[V + i]);
    qsort(size, (size_t)H * D, sizeof *size, up);
    double full = size[H * D - H * D / 500]; /* the colours end where 99.8 % of the weights do */
    free(size);

    int width = ACROSS * (SIDE + GAP) + GAP, height = DOWN * (SIDE + GAP) + GAP;
    Picture p = picture_new(width, height + LEGEND, ground);
    for (int j = 0; j < H; j++) {
        int left = GAP + j % ACROSS * (SIDE + GAP), top = GAP + j / ACROSS * (SIDE + GAP);
        for (int i = 0; i < D; i++) {
            picture_fill(&p, left + i % IDX_SIDE * ZOOM, top + i / IDX_SIDE * ZOOM, ZOOM, ZOOM,
                         colour_diverging(theta[V + j * D + i] / full));
        }
    }
    enum { BAR = 400 };
    for (int i = 0; i < BAR; i++) {
        picture_fill(&p, (width - BAR) / 2 + i, height + 4, 1, 14,
                     colour_diverging(2.0 * i / (BAR - 1) - 1));
    }
    for (int i = -1; i <= 1; i++) {
        char text[16];
        snprintf(text, sizeof text, i ? "%.2f" : "0", i * full);
        picture_text(&p, width / 2 + i * BAR / 2 - picture_text_width(2, text) / 2, height + 24, 2,
                     text, ink);
    }
    bool good = picture_write(&p, path);
    picture_free(&p);
    return good;
}

/* One test digit: the image, a tick or a cross, and a bar for each score, up from 0 or down. */
static void draw_digit(Picture *p, int x, int y, const uint8_t *image, int label, int guess,
                       const float *score, double most) {
    enum { ZOOM = 3, SIDE = IDX_SIDE * ZOOM, STEP = 15, BAR = 11, HALF = SIDE / 2 };
    const Colour right = {38, 139, 75}, wrong = {200, 40, 40}, plain = {170, 178, 188},
                 ink = {60, 60, 60}, missed = {40, 90, 170};
    bool good = label == guess;
    for (int i = 0; i < D; i++) {
        uint8_t v = (uint8_t)(255 - image[i]);
        picture_fill(p, x + i % IDX_SIDE * ZOOM, y + i / IDX_SIDE * ZOOM, ZOOM, ZOOM,
                     (Colour){v, v, v});
    }
    double mx = x + 10, my = y + SIDE + 14; /* the mark stands under the image */
    if (good) {
        picture_line(p, mx - 6, my, mx - 2, my + 5, 3, right);
        picture_line(p, mx - 2, my + 5, mx + 7, my - 6, 3, right);
    } else {
        picture_line(p, mx - 5, my - 5, mx + 5, my + 5, 3, wrong);
        picture_line(p, mx - 5, my + 5, mx + 5, my - 5, 3, wrong);
    }
    int left = x + SIDE + 10, zero = y + HALF;
    picture_fill(p, left - 2, zero, C * STEP, 1, (Colour){205, 205, 205});
    for (int c = 0; c < C; c++) {
        int length = (int)lround(fabs(score[c]) / most * HALF);
        Colour colour = c == guess ? (good ? right : wrong) : c == label ? missed : plain;
        picture_fill(p, left + c * STEP, score[c] > 0 ? zero - length : zero, BAR, length, colour);
        char text[2] = {(char)('0' + c), 0};
        picture_text(p, left + c * STEP + 1, y + SIDE + 7, 2, text,
                     c == guess || c == label ? colour : ink);
    }
}

/* The first test digits, and below a rule the first ones that are guessed wrong. */
static bool draw_digits(const Examples *e, const float *scores, const int32_t *guesses,
                        const char *path) {
    enum { ACROSS = 4, PLAIN = 16, WRONG = 8, WIDTH = 272, HEIGHT = 132, EDGE = 20, RULE = 24 };
    int shown[PLAIN + WRONG], n = 0;
    for (int i = 0; i < e->n && n < PLAIN; i++) shown[n++] = i;
    int plain = n;
    for (int i = 0; i < e->n && n < plain + WRONG; i++) {
        if (guesses[i] != e->label[i]) shown[n++] = i;
    }
    double most = 1;
    for (int k = 0; k < n * C; k++) {
        most = fmax(most, fabs(scores[(size_t)shown[k / C] * C + (size_t)(k % C)]));
    }
    int rows = (plain + ACROSS - 1) / ACROSS + (n - plain + ACROSS - 1) / ACROSS;
    Picture p =
        picture_new(ACROSS * WIDTH + EDGE, rows * HEIGHT + EDGE + RULE, (Colour){255, 255, 255});
    for (int k = 0; k < n; k++) {
        int row = k / ACROSS, i = shown[k];
        int y = EDGE + row * HEIGHT + (k >= plain ? RULE : 0);
        draw_digit(&p, EDGE + k % ACROSS * WIDTH, y, e->image + (size_t)i * D, e->label[i],
                   guesses[i], scores + (size_t)i * C, most);
    }
    picture_fill(&p, EDGE, EDGE + plain / ACROSS * HEIGHT - 2, ACROSS * WIDTH - EDGE, 2,
                 (Colour){205, 205, 205});
    bool good = picture_write(&p, path);
    picture_free(&p);
    return good;
}

static bool reload(const char *path, float *theta, bool write) {
    Tensor t[] = {{"V", 2, {H, D}, theta + V},
                  {"bV", 1, {H}, theta + BV},
                  {"W", 2, {C, H}, theta + W},
                  {"bW", 1, {C}, theta + BW}};
    return write ? npz_write(path, 4, t) : npz_read(path, 4, t);
}

/* The data sets look alike; the labels of their training sets tell which one it is. */
static const struct {
    uint32_t labels; /* crc32 */
    const char *name;
    double least; /* per cent: the accuracy on the test set that this network must exceed */
} known[] = {
    {0xba07e8efu, "MNIST", 97},
    {0x2ed6e46au, "Fashion-MNIST (clothes, harder than digits)", 86},
    {0, "an unknown set of 28 x 28 images", 0},
};

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: mnist DATA OUT\n");
        return 2;
    }
    const char *data = argv[1], *out = argv[2];
    char parameters[4096], units[4096], digits[4096];
    snprintf(parameters, sizeof parameters, "%s/mnist.npz", out);
    snprintf(units, sizeof units, "%s/hidden_units.png", out);
    snprintf(digits, sizeof digits, "%s/digits.png", out);

    Examples training, tests;
    if (!idx_read(data, "train", &training) || !idx_read(data, "t10k", &tests)) return 1;
    uint32_t sum = (uint32_t)crc32(0, training.label, (uInt)training.n);
    int set = 0;
    while (known[set].labels && known[set].labels != sum) set++;
    printf("%s: %d examples to train with, %d to test\n", known[set].name, training.n, tests.n);

    Rng rng = {20240229};
    float *theta = get(PARAMETERS, sizeof *theta);
    start(theta, &rng);
    train(theta, &training, &rng);

    float *scores = get((size_t)tests.n * C, sizeof *scores);
    int32_t *guesses = get((size_t)tests.n, sizeof *guesses);
    int right = test(theta, &tests, scores, guesses);
    double accuracy = 100.0 * right / tests.n;
    printf("test accuracy: %.2f %%\n", accuracy);

    /* The file must hold the same network: erase it, read it back, test again. */
    bool good = reload(parameters, theta, true);
    memset(theta, 0, PARAMETERS * sizeof *theta);
    good = good && reload(parameters, theta, false);
    int again = good ? test(theta, &tests, NULL, NULL) : -1;
    if (good)
        printf("read back from mnist.npz: %d of %d right, %s\n", again, tests.n,
               again == right ? "as before" : "BUT IT WAS MORE OR LESS BEFORE");
    good = good && again == right;

    good = draw_units(theta, units) && draw_digits(&tests, scores, guesses, digits) && good;
    if (accuracy <= known[set].least) {
        printf("the accuracy should be above %.0f %%\n", known[set].least);
        good = false;
    }
    if (good) printf("written: %s %s %s\n", parameters, units, digits);
    idx_free(&training), idx_free(&tests);
    free(theta), free(scores), free(guesses);
    return good ? 0 : 1;
}
