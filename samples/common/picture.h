/* picture: an RGB picture to draw rectangles, lines and numbers on, and to write as PNG. */
#ifndef SAMPLES_PICTURE_H
#define SAMPLES_PICTURE_H
#include <stdbool.h>
#include <stdint.h>

typedef struct Colour {
    uint8_t r, g, b;
} Colour;

typedef struct Picture {
    int width, height;
    uint8_t *rgb; /* [height, width, 3] */
} Picture;

Picture picture_new(int width, int height, Colour background);
void picture_free(Picture *p);
bool picture_write(const Picture *p, const char *path); /* false after a message */

/* Whatever lies outside the picture is cut off. */
void picture_fill(Picture *p, int x, int y, int width, int height, Colour c);
void picture_line(Picture *p, double x0, double y0, double x1, double y1, double width, Colour c);
/* The text, of the characters 0 to 9, minus and point; each is 5 x 7 dots and a gap of one. */
void picture_text(Picture *p, int x, int y, int dot, const char *text, Colour c);
int picture_text_width(int dot, const char *text);

/* From blue (-1) over white (0) to red (1). */
Colour colour_diverging(double x);
#endif
