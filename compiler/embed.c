/* embed: build tool. In: a name and a text file. Out: C that holds its lines as an array of strings
 * that ends in NULL. (One string would be longer than the C standard grants.) */
#include <stdio.h>

static void put(int c, FILE *out) {
    if (c == '"' || c == '\\') fprintf(out, "\\%c", c);
    else if (c == '?') fputs("\\?", out); /* no trigraphs */
    else if (c >= 32 && c < 127) fputc(c, out);
    else fprintf(out, "\\%03o", (unsigned)c);
}

int main(int argc, char **argv) {
    FILE *in = argc == 4 ? fopen(argv[2], "rb") : NULL;
    FILE *out = in ? fopen(argv[3], "wb") : NULL;
    int c, at_start = 1;
    if (!out) {
        fputs("usage: embed NAME IN OUT\n", stderr);
        return 2;
    }
    fprintf(out, "extern const char *const %s[];\nconst char *const %s[] = {\n", argv[1], argv[1]);
    while ((c = fgetc(in)) != EOF) {
        if (at_start) fputs("    \"", out);
        at_start = c == '\n';
        if (at_start) fputs("\",\n", out);
        else put(c, out);
    }
    fputs(at_start ? "    0\n};\n" : "\",\n    0\n};\n", out);
    fclose(in);
    return fclose(out) ? 1 : 0;
}
