/* options: the command line. In: argv. Out: Options, or what is wrong with it. */
#ifndef GRADC_OPTIONS_H
#define GRADC_OPTIONS_H
#include "graph.h"
#include "program.h"

typedef enum Emit { EMIT_C, EMIT_GRAPH, EMIT_GRADIENT, EMIT_DOT, EMIT_SVG, EMIT_JSON } Emit;
typedef enum Dump {
    DUMP_NONE,
    DUMP_PARSE,
    DUMP_CHECK,
    DUMP_LOWER,
    DUMP_SIMPLIFY,
    DUMP_PLAN,
    DUMP_COUNTS
} Dump;

typedef VEC(DimFix) SizeList; /* by name, of the command line */

typedef struct Options {
    const char *file; /* "-" is standard input */
    const char *out;  /* -o; NULL: by the name of the file; "-" is standard output */
    Emit emit;
    Dump dump; /* print what this pass made, and stop there */
    ValueType real;
    const char *model, *prefix;
    bool report; /* what the C would do, instead of the C */
    bool report_json;
    bool standalone;
    int checkpoint; /* a CheckpointKind */
    long long checkpoint_count;
    bool openmp;
    long long max_workspace; /* in bytes; -1: no limit */
    SizeList sizes;
    SizeList assumed;          /* sizes that decisions are made by, and nothing else */
    bool depend;               /* -MD */
    bool depend_phony;         /* -MP */
    const char *depend_file;   /* -MF; NULL: by the name of the output */
    VEC(const char *) targets; /* -MT and -MQ, as they stand in the file */
    Colour colour;
    bool json_messages;
    bool check; /* `gradc check`, with the options below */
    uint64_t seed;
    int points;       /* 0: as many as by default */
    double tolerance; /* 0: the default */
    const char *data;
    VEC(const char *) sets;
} Options;

typedef enum OptionsResult { OPTIONS_GO, OPTIONS_DONE, OPTIONS_WRONG } OptionsResult;

/* DONE: help or version was asked for and printed. WRONG: the reason is on standard error. */
OptionsResult options_read(Context *cx, int argc, char **argv, Options *o);

/* "gradc: ..." and where help is, on standard error. */
void options_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A path as it stands in a rule of make. */
const char *make_quote(Arena *arena, const char *path);
#endif
