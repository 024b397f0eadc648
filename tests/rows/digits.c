/* digits: makes a small data set in the format of MNIST, to train samples/mnist on. Each class is a pattern of three soft
 * strokes; an image is its pattern, moved by up to a pixel, with noise.
 *
 *   digits FOLDER TRAIN TEST      writes the four IDX files with TRAIN and TEST examples */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 28, CLASSES = 10, STROKES = 3 };

static uint64_t state = 7;

/* Uniform in 0 .. 1: xorshift64*. */
static double uniform(void) {
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return (double)((state * 0x2545f4914f6cdd1du) >> 11) * 0x1p-53;
}

static void word(FILE *f, uint32_t v) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        fputc((int)(v >> shift & 255), f);
    }
}

/* Ink at (x, y) of the class: a sum of bells around lines. */
static double ink(int class, double x, double y) {
    double most = 0;
    for (int k = 0; k < STROKES; k++) {
        double angle = 0.7 * class + 2.1 * k, cx = 14 + 6 * cos(1.9 * class + k), cy = 14 + 6 * sin(2.3 * class + 1.7 * k);
        double along = (x - cx) * cos(angle) + (y - cy) * sin(angle), across = (y - cy) * cos(angle) - (x - cx) * sin(angle);
        most = fmax(most, exp(-(along * along / 30 + across * across / 4)));
    }
    return most;
}

static void set(const char *folder, const char *name, int n) {
    char path[4096];
    FILE *f[2];
    for (int k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/%s-%s-ubyte", folder, name, k ? "labels-idx1" : "images-idx3");
        f[k] = fopen(path, "wb");
        if (!f[k]) {
            perror(path);
            exit(1);
        }
        word(f[k], k ? 2049 : 2051);
        word(f[k], (uint32_t)n);
    }
    word(f[0], SIDE), word(f[0], SIDE);
    for (int i = 0; i < n; i++) {
        int class = (int)(uniform() * CLASSES);
        double dx = 2 * uniform() - 1, dy = 2 * uniform() - 1;
        for (int p = 0; p < SIDE * SIDE; p++) {
            double v = ink(class, p % SIDE + dx, p / SIDE + dy) + 0.3 * (uniform() - 0.5);
            fputc((int)(255 * fmin(fmax(v, 0), 1)), f[0]);
        }
        fputc(class, f[1]);
    }
    if (fclose(f[0]) || fclose(f[1])) {
        perror(folder);
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: digits FOLDER TRAIN TEST\n");
        return 2;
    }
    set(argv[1], "train", atoi(argv[2]));
    set(argv[1], "t10k", atoi(argv[3]));
    return 0;
}
