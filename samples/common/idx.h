/* idx: reads the files of MNIST and of its relatives: images (magic 2051) and labels (magic 2049),
 * plain or gzipped. Whatever is wrong with a file is printed on stderr, with its name. */
#ifndef SAMPLES_IDX_H
#define SAMPLES_IDX_H
#include <stdbool.h>
#include <stdint.h>

enum { IDX_SIDE = 28, IDX_PIXELS = IDX_SIDE * IDX_SIDE, IDX_CLASSES = 10 };

typedef struct Examples {
    int n;
    uint8_t *image; /* [n, 28, 28], 0 is background, 255 is ink */
    uint8_t *label; /* [n], each below 10 */
} Examples;

/* Reads DIR/SET-images-idx3-ubyte and DIR/SET-labels-idx1-ubyte, or the same with .gz behind;
 * `set` is "train" or "t10k". False after a message. */
bool idx_read(const char *dir, const char *set, Examples *e);
void idx_free(Examples *e);
#endif
