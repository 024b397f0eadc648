/* letters: an English text as numbers: 0 is whatever stands between words, 1 to 26 are a to z,
 * small or capital; and mistakes in typing. The text is the file named on the command line, else
 * one that every Debian has: the GNU General Public License, 5600 words. A sample that finds no
 * text ends with the status 77.
 */
#ifndef SAMPLES_LETTERS_H
#define SAMPLES_LETTERS_H
#include "rng.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS_FILE "/usr/share/common-licenses/GPL-3"
enum { LETTERS = 27 };

/* At most `most` of them in `letter`; how many. */
static inline int64_t letters_read(int argc, char **argv, int32_t *letter, int64_t most) {
    const char *name = argc > 1 ? argv[1] : LETTERS_FILE;
    FILE *file = fopen(name, "r");
    int64_t n = 0;
    if (!file) {
        printf("%s cannot be read; name a text on the command line\n", name);
        exit(77);
    }
    for (int c; n < most && (c = getc(file)) != EOF;) {
        int32_t now = c >= 'a' && c <= 'z' ? c - 'a' + 1 : c >= 'A' && c <= 'Z' ? c - 'A' + 1 : 0;
        if (now || (n && letter[n - 1])) letter[n++] = now; /* one gap between words */
    }
    fclose(file);
    return n;
}

/* The letter whose key is to the left or the right of this one's; a gap stays a gap. */
static inline int32_t letters_beside(Rng *rng, int32_t letter) {
    static const char *const rows[] = {"qwertyuiop", "asdfghjkl", "zxcvbnm"};
    for (int row = 0; row < 3 && letter; row++) {
        const char *at = strchr(rows[row], 'a' + letter - 1);
        if (at) {
            int left = at > rows[row], right = at[1] != 0;
            return at[left && (!right || rng_below(rng, 2)) ? -1 : 1] - 'a' + 1;
        }
    }
    return letter;
}
#endif
