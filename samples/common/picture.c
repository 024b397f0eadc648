/* picture: what is drawn is blended into one array of bytes, which libpng writes. */
#include "picture.h"

#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Picture picture_new(int width, int height, Colour background) {
    Picture p = {width, height, malloc((size_t)width * (size_t)height * 3)};
    if (!p.rgb) {
        fprintf(stderr, "no memory for a picture of %d x %d\n", width, height);
        exit(1);
    }
    picture_fill(&p, 0, 0, width, height, background);
    return p;
}

void picture_free(Picture *p) {
    free(p->rgb);
    p->rgb = NULL;
}

bool picture_write(const Picture *p, const char *path) {
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.width = (png_uint_32)p->width;
    image.height = (png_uint_32)p->height;
    image.format = PNG_FORMAT_RGB;
    if (png_image_write_to_file(&image, path, 0, p->rgb, 0, NULL)) return true;
    fprintf(stderr, "%s: %s\n", path, image.message);
    return false;
}

static uint8_t mix(uint8_t from, uint8_t to, double share) {
    return (uint8_t)lround(from + share * (to - from));
}

static void blend(Picture *p, int x, int y, Colour c, double share) {
    if (x < 0 || y < 0 || x >= p->width || y >= p->height || share <= 0) return;
    uint8_t *at = p->rgb + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
    at[0] = mix(at[0], c.r, share);
    at[1] = mix(at[1], c.g, share);
    at[2] = mix(at[2], c.b, share);
}

void picture_fill(Picture *p, int x, int y, int width, int height, Colour c) {
    for (int j = y; j < y + height; j++) {
        for (int i = x; i < x + width; i++) blend(p, i, j, c, 1);
    }
}

/* Each pixel takes as much of the colour as its distance from the line says: smooth edges. */
void picture_line(Picture *p, double x0, double y0, double x1, double y1, double width, Colour c) {
    double dx = x1 - x0, dy = y1 - y0, length2 = dx * dx + dy * dy, reach = width / 2 + 1;
    int left = (int)floor(fmin(x0, x1) - reach), right = (int)ceil(fmax(x0, x1) + reach);
    int top = (int)floor(fmin(y0, y1) - reach), bottom = (int)ceil(fmax(y0, y1) + reach);
    for (int y = top; y <= bottom; y++) {
        for (int x = left; x <= right; x++) {
            double px = x + 0.5 - x0, py = y + 0.5 - y0;
            double t = length2 > 0 ? fmin(1, fmax(0, (px * dx + py * dy) / length2)) : 0;
            double distance = hypot(px - t * dx, py - t * dy);
            blend(p, x, y, c, fmin(1, width / 2 + 0.5 - distance));
        }
    }
}

/* Seven rows of five dots each, the highest bit to the left. */
static const struct {
    char name;
    uint8_t row[7];
} font[] = {
    {'0', {0x0E, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0E}},
    {'1', {0x04, 0x0C, 0x04, 0x04, 0x04, 0x04, 0x0E}},
    {'2', {0x0E, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1F}},
    {'3', {0x1F, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0E}},
    {'4', {0x02, 0x06, 0x0A, 0x12, 0x1F, 0x02, 0x02}},
    {'5', {0x1F, 0x10, 0x1E, 0x01, 0x01, 0x11, 0x0E}},
    {'6', {0x06, 0x08, 0x10, 0x1E, 0x11, 0x11, 0x0E}},
    {'7', {0x1F, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08}},
    {'8', {0x0E, 0x11, 0x11, 0x0E, 0x11, 0x11, 0x0E}},
    {'9', {0x0E, 0x11, 0x11, 0x0F, 0x01, 0x02, 0x0C}},
    {'-', {0x00, 0x00, 0x00, 0x1F, 0x00, 0x00, 0x00}},
    {'.', {0x00, 0x00, 0x00, 0x00, 0x00, 0x0C, 0x0C}},
};

void picture_text(Picture *p, int x, int y, int dot, const char *text, Colour c) {
    for (; *text; text++, x += 6 * dot) {
        for (size_t g = 0; g < sizeof font / sizeof font[0]; g++) {
            if (font[g].name != *text) continue;
            for (int i = 0; i < 35; i++) {
                if (font[g].row[i / 5] >> (4 - i % 5) & 1) {
                    picture_fill(p, x + i % 5 * dot, y + i / 5 * dot, dot, dot, c);
                }
            }
        }
    }
}

int picture_text_width(int dot, const char *text) {
    return (6 * (int)strlen(text) - 1) * dot;
}

/* The ends are dark, so that the strongest entries stand out on white. */
Colour colour_diverging(double x) {
    static const Colour white = {250, 250, 250}, half[2] = {{90, 155, 212}, {238, 117, 85}},
                        full[2] = {{9, 52, 120}, {134, 8, 30}};
    int side = x > 0;
    double t = 2 * fmin(1, fabs(x));
    Colour from = t < 1 ? white : half[side], to = t < 1 ? half[side] : full[side];
    if (t >= 1) t -= 1;
    return (Colour){mix(from.r, to.r, t), mix(from.g, to.g, t), mix(from.b, to.b, t)};
}
