/* npz: arrays of floats in a file that numpy.load() reads: an uncompressed zip of .npy files.
 * What is wrong with a file is printed on stderr, with its name. */
#ifndef SAMPLES_NPZ_H
#define SAMPLES_NPZ_H
#include <stdbool.h>
#include <stdint.h>

typedef struct Tensor {
    const char *name;
    int rank; /* at most 4 */
    int64_t shape[4];
    float *data; /* row-major */
} Tensor;

bool npz_write(const char *path, int n, const Tensor *tensor);
/* Fills the data of every tensor; each must be in the file, with the same shape. */
bool npz_read(const char *path, int n, const Tensor *tensor);
#endif
