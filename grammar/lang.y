/* lang.y: the grammar of gradc. A source comes in through the scanner, a tree of Syn goes out. It knows no operation:
 * sum, tanh, grad and solve are names. Two languages share the rules for expressions; the scanner says which one
 * is read by a pseudo token that it delivers first:
 *
 *   START_PROGRAM   the language itself, docs/language.md
 *   START_RULES     the rows of compiler/ops.rules:
 *       op NAME(x, y) "doc string" [typing] { clause ... }      typing: real number compare logic to_int
 *       rule expr => expr [mark];
 *     A clause is one of
 *       c `text`;   float `text`;   int `text`;      the C text
 *       infix "+" 70;   prefix "-" 90;               how the language writes it, precedence of the C text
 *       d x = expr;                                  a partial derivative
 *       test x in [expr, expr];                      where the partials are tested
 *       word;                                        a flag: commutative, cheap, flat, ...
 *     The tree:
 *       SYN_FILE     rows in their order
 *       SYN_OPROW    text: the name; kids: SYN_NAMES of SYN_NAME, the typing as SYN_NAME or SYN_NONE, and the clauses:
 *                    SYN_DECLARE "doc"                       SYN_NAME the text
 *                    SYN_DECLARE "c" "float" "int"           SYN_NAME the text
 *                    SYN_DECLARE "infix" "prefix"            SYN_NAME the symbol, SYN_NUMBER
 *                    SYN_DECLARE "d"                         SYN_NAME the argument, expr
 *                    SYN_DECLARE "test"                      SYN_NAME the argument, expr, expr
 *                    SYN_DECLARE "flag"                      SYN_NAME the word
 *       SYN_RULE     text: the mark or ""; kids: expr, expr
 *
 * After a mistake the parser goes on behind the next `;` or `}`. What the broken statement was to define is then
 * defined by an equation whose right side is SYN_NONE (or, for `dim`, as an open dimension), so that one mistake
 * makes one message and a later pass, if it goes on, finds every name known. */
%define api.pure full
%define api.prefix {lang_}
%define api.token.prefix {TOK_}
%define api.value.type union
%define api.location.type {Span}
%define parse.error custom
%define parse.lac full
%expect 0
%locations
%param {Parser *p}

%code top {
#if defined(__GNUC__) /* the skeleton is not ours */
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#endif
}

%code requires {
#include "syntax.h"

typedef struct Open { /* a bracket that waits for its partner */
    int token;
    Span at;
} Open;

typedef struct Token {
    int token;
    const char *text; /* of names, numbers, texts and words */
    Span at;
} Token;

typedef struct Parser {
    Context *cx;
    uint32_t file;
    Syn *tree;       /* SYN_FILE */
    bool broken;     /* the head of a model or function is lost: the tree is not fit to be checked */
    int nest;        /* brackets and right-hand operators around this place */

    /* the scanner's part */
    void *scanner;
    int start;       /* the pseudo token, until it is delivered */
    bool rules;
    uint32_t offset; /* of the first byte after the token */
    uint32_t mark;   /* where the open comment starts; where the last stray byte ended */

    /* between the two */
    Token last, before; /* the token delivered last and the one before it */
    bool pending;    /* `last` may be a bracket that is not in `open` yet */
    int insert;      /* a token that the source lacks: delivered next, and then `again` */
    Token again;
    VEC(Open) open;
    bool inside;     /* of the braces of a model or function */

    /* the statement at hand, for recovery */
    Token first;     /* token 0: it has none yet */
    int assigns;     /* its = so far */
    bool failed;     /* a mistake was found: the parser looks for its `;` */
    bool soft;       /* the next `;` inside of its parentheses does not end the recovery */
    VEC(Token) named; /* what it declares, as far as it can be told from the tokens */
} Parser;
}

%code provides {
/* In the scanner: */
void scan_open(Parser *p);
void scan_close(Parser *p);
int scan_token(LANG_STYPE *value, LANG_LTYPE *at, void *scanner);
}

%code {
#include <string.h>

enum {
    NEST_LIMIT = 200,    /* levels of nesting in one expression */
    HEIGHT_LIMIT = 2500, /* of the tree of one expression: more than 2000 operators in a row */
    LEXEME_SHOWN = 40    /* bytes of a token that a message quotes */
};
#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))
#define YYMAXDEPTH 20000 /* several times what NEST_LIMIT lets through */

#define YYLLOC_DEFAULT(all, part, n)                                                                              \
    ((all) = (n) ? (Span){YYRHSLOC(part, 1).file, YYRHSLOC(part, 1).start, YYRHSLOC(part, n).end}                 \
                 : (Span){YYRHSLOC(part, 0).file, YYRHSLOC(part, 0).end, YYRHSLOC(part, 0).end})

static int lang_lex(LANG_STYPE *value, LANG_LTYPE *at, Parser *p);
static void lang_error(const Span *at, Parser *p, const char *message);

#define NODE0(kind, text, at, whole)          syn_new(p->cx, kind, text, at, whole, 0)
#define NODE1(kind, text, at, whole, a)       syn_new(p->cx, kind, text, at, whole, 1, a)
#define NODE2(kind, text, at, whole, a, b)    syn_new(p->cx, kind, text, at, whole, 2, a, b)
#define NODE3(kind, text, at, whole, a, b, c) syn_new(p->cx, kind, text, at, whole, 3, a, b, c)
#define JOIN(list, more)                      syn_join(p->cx, list, more)
#define NONE(at)                              NODE0(SYN_NONE, "", at, at)

static void begin(Parser *p, int open);
static void salvage(Parser *p, Syn *body);
static Syn *binary(Parser *p, const char *op, Span at, Syn *left, Span left_at, Syn *right, Span op_at);
static Syn *compare(Parser *p, const char *op, Span at, Syn *left, Span left_at, Syn *right, Span op_at);
static Syn *clause(Parser *p, Span at, const char *form, const char *word, Span word_at, Syn *a, Syn *b, Syn *c);

/* Nothing below may be deeper than its user can walk. */
#define BINARY(make, result, op, at, a, a_at, b, op_at)                                                           \
    do {                                                                                                          \
        (result) = make(p, op, at, a, a_at, b, op_at);                                                            \
        if (!(result)) {                                                                                          \
            p->failed = true;                                                                                     \
            YYERROR;                                                                                              \
        }                                                                                                         \
    } while (0)
}

%token START_PROGRAM START_RULES
%token YYEOF 0 "the end of the file"
%token MODEL "model" FN "fn" EXTERN "extern" DIM "dim" USE "use" OUTPUT "output" DERIVE "derive" PARTIAL "partial" IF "if"
%token <const char *> NAME "a name" NUMBER "a number" STRING "a text in quotes" ROLE "a role" TYPE "a type"
%token ARROW "->" LE "<=" GE ">=" EQ "==" NE "!=" AND "&&" OR "||"
%token BANG 33 "!" LPAREN 40 "(" RPAREN 41 ")" STAR 42 "*" PLUS 43 "+" COMMA 44 "," MINUS 45 "-" SLASH 47 "/"
%token COLON 58 ":" SEMI 59 ";" LT 60 "<" ASSIGN 61 "=" GT 62 ">" QUESTION 63 "?"
%token LBRACKET 91 "[" RBRACKET 93 "]" POWER 94 "^" LBRACE 123 "{" RBRACE 125 "}"
/* In rule files only. */
%token OP "op" RULE "rule" BECOMES "=>"
%token <const char *> QUOTED "a text in back quotes"

%nterm <Syn *> top header partials body statements statement dims dim things thing args shape target start value values names name
%nterm <Syn *> left positions items item where exprs expr product call row typing clauses clause
%nterm <const char *> mark

%right      "?" ":"
%left       "||"
%left       "&&"
%left       "<" ">" "<=" ">=" "==" "!="
%left       "+" "-"
%left       "*" "/"
%precedence NEGATE "!"
%right      "^"

%initial-action { @$ = (Span){p->file, 0, 0}; }
%%
input:      START_PROGRAM file
          | START_RULES rows
          ;
file:       %empty                                      { p->tree = NODE0(SYN_FILE, "", @$, @$); begin(p, 0); }
          | file top                                    { if ($2) JOIN(p->tree, $2); begin(p, 0); p->inside = false; }
          ;
top:        "use" STRING ";"                            { $$ = NODE0(SYN_USE, $2, @2, @$); }
          | "use" STRING error ";"                      { $$ = NODE0(SYN_USE, $2, @2, @$); yyerrok; }
          | "use" error ";"                             { $$ = NULL; p->broken = true; yyerrok; }
          | "model" NAME body                           { $$ = NODE1(SYN_MODEL, $2, @2, @$, $3); }
          | "model" error body                          { $$ = NULL; p->broken = true; }
          | "fn" NAME "(" args ")" "->" thing body      { $$ = NODE3(SYN_FN, $2, @2, @$, $4, $7, $8); }
          | "fn" error body                             { $$ = NULL; p->broken = true; }
          | "extern" header "fn" NAME "(" args ")" "->" thing partials {
                $$ = NODE3(SYN_EXTERN, $4, @4, @$, $6, $9, $10);
                JOIN($$, $2);
                $$->at = @4;
                $$->whole = @$;
            }
          | "extern" error body                         { $$ = NULL; p->broken = true; }
          | "extern" error ";"                          { $$ = NULL; p->broken = true; yyerrok; }
          | error "}"                                   { $$ = NULL; p->broken = true; }
          ;
header:     %empty                                      { $$ = NONE(@$); }
          | STRING                                      { $$ = NODE0(SYN_USE, $1, @1, @1); }
          ;
partials:   ";"                                         { $$ = NODE0(SYN_BODY, "", @$, @$); }
          | body                                        { $$ = $1; }
          ;
body:       "{" statements "}"                          { $$ = $2; $$->at = $$->whole = @$; }
          ;
statements: %empty                                      { $$ = NODE0(SYN_BODY, "", @$, @$); begin(p, 0); p->inside = true; }
          | statements statement                        { $$ = JOIN($1, $2); begin(p, 1); }
          | statements error ";"                        { $$ = $1; salvage(p, $$); begin(p, 1); yyerrok; }
          ;
statement:  "dim" dims ";"                              { $$ = $2; $$->whole = @$; }
          | ROLE TYPE things ";"                        { $$ = NODE2(SYN_DECLARE, $1, @$, @$, NODE0(SYN_TYPE, $2, @2, @2), $3); }
          | TYPE things ";"                             { $$ = NODE2(SYN_DECLARE, "local", @$, @$, NODE0(SYN_TYPE, $1, @1, @1), $2); }
          | "output" names ";"                          { $$ = NODE1(SYN_OUTPUT, "", @$, @$, $2); }
          | "derive" NAME "(" names ";" names ")" ";"   { $$ = NODE2(SYN_DERIVE, $2, @2, @$, $4, $6); }
          | "derive" NAME NAME "(" names ";" names ")" ";" {
                $$ = NODE3(SYN_DERIVE, $3, @3, @$, $5, $7, NODE0(SYN_NAME, $2, @2, @2));
            }
          | "partial" "(" left ";" left ")" "=" expr ";" { $$ = NODE3(SYN_PARTIAL, "", @1, @$, $3, $5, $8); }
          | left "=" expr ";"                           { $$ = NODE2(SYN_EQUATION, "", span_join(@1, @3), @$, $1, $3); }
          | left "=" error ";"                          { $$ = NODE2(SYN_EQUATION, "", span_join(@1, @2), @$, $1, NONE(@2)); yyerrok; }
          ;

dims:       dim                                         { $$ = NODE1(SYN_DIMS, "", @$, @$, $1); }
          | dims "," dim                                { $$ = JOIN($1, $3); }
          ;
dim:        NAME                                        { $$ = NODE0(SYN_DIM, $1, @1, @$); }
          | NAME "=" expr                               { $$ = NODE1(SYN_DIM, $1, @1, @$, $3); }
          ;
things:     NAME shape target start                     { $$ = NODE1(SYN_THINGS, "", @$, @$, NODE3(SYN_THING, $1, @1, @$, $2, $3, $4)); }
          | things "," NAME shape target start          {
                $$ = JOIN($1, NODE3(SYN_THING, $3, @3, span_join(@3, @6), $4, $5, $6));
            }
          ;
args:       thing                                       { $$ = NODE1(SYN_ARGS, "", @$, @$, $1); }
          | args "," thing                              { $$ = JOIN($1, $3); }
          ;
thing:      TYPE NAME shape target                      { $$ = NODE3(SYN_ARGUMENT, $2, @2, @$, NODE0(SYN_TYPE, $1, @1, @1), $3, $4); }
          ;
shape:      %empty                                      { $$ = NODE0(SYN_SHAPE, "", @$, @$); }
          | "[" down exprs "]"                          { $$ = NODE1(SYN_SHAPE, "", @$, @$, $3); p->nest--; }
          ;
target:     %empty                                      { $$ = NONE(@$); }
          | ":" expr                                    { $$ = $2; }
          ;
start:      %empty                                      { $$ = NONE(@$); }
          | "=" value                                   { $$ = $2; }
          ;
value:      expr                                        { $$ = $1; }
          | "{" down values "}"                         { $$ = $3; $$->at = $$->whole = @$; p->nest--; }
          ;
values:     value                                       { $$ = NODE1(SYN_VALUES, "", @$, @$, $1); }
          | values "," value                            { $$ = JOIN($1, $3); }
          ;
names:      name                                        { $$ = NODE1(SYN_NAMES, "", @$, @$, $1); }
          | names "," name                              { $$ = JOIN($1, $3); }
          ;
name:       NAME                                        { $$ = NODE0(SYN_NAME, $1, @1, @1); }
          ;

left:       name                                        { $$ = $1; }
          | NAME positions                              { $$ = NODE1(SYN_AT, $1, @1, @$, $2); }
          ;
positions:  "[" down items where "]"                    { $$ = NODE2(SYN_POSITIONS, "", @$, @$, $3, $4); p->nest--; }
          ;
items:      item                                        { $$ = NODE1(SYN_ITEMS, "", @$, @$, $1); }
          | items "," item                              { $$ = JOIN($1, $3); }
          ;
item:       expr                                        { $$ = $1; }
          | expr ":" expr                               { $$ = NODE2(SYN_IN, "", @$, @$, $1, $3); }
          ;
where:      %empty                                      { $$ = NONE(@$); }
          | "if" expr                                   { $$ = $2; }
          ;

exprs:      expr                                        { $$ = NODE1(SYN_EXPRS, "", @$, @$, $1); }
          | exprs "," expr                              { $$ = JOIN($1, $3); }
          ;
expr:       product                                     { $$ = $1; }
          | "-" down expr %prec NEGATE                  { $$ = NODE1(SYN_OP, "neg", @$, @$, $3); p->nest--; }
          | "!" down expr                               { $$ = NODE1(SYN_OP, "!", @$, @$, $3); p->nest--; }
          | expr "^" down expr                          { $$ = NODE2(SYN_OP, "^", @$, @$, $1, $4); p->nest--; }
          | expr "*" expr                               { BINARY(binary, $$, "*", @$, $1, @1, $3, @2); }
          | expr "/" expr                               { BINARY(binary, $$, "/", @$, $1, @1, $3, @2); }
          | expr "+" expr                               { BINARY(binary, $$, "+", @$, $1, @1, $3, @2); }
          | expr "-" expr                               { BINARY(binary, $$, "-", @$, $1, @1, $3, @2); }
          | expr "<" expr                               { BINARY(compare, $$, "<", @$, $1, @1, $3, @2); }
          | expr ">" expr                               { BINARY(compare, $$, ">", @$, $1, @1, $3, @2); }
          | expr "<=" expr                              { BINARY(compare, $$, "<=", @$, $1, @1, $3, @2); }
          | expr ">=" expr                              { BINARY(compare, $$, ">=", @$, $1, @1, $3, @2); }
          | expr "==" expr                              { BINARY(compare, $$, "==", @$, $1, @1, $3, @2); }
          | expr "!=" expr                              { BINARY(compare, $$, "!=", @$, $1, @1, $3, @2); }
          | expr "&&" expr                              { BINARY(binary, $$, "&&", @$, $1, @1, $3, @2); }
          | expr "||" expr                              { BINARY(binary, $$, "||", @$, $1, @1, $3, @2); }
          | expr "?" down expr ":" expr                 { $$ = NODE3(SYN_OP, "?:", @$, @$, $1, $4, $6); p->nest--; }
          ;
product:    NUMBER                                      { $$ = NODE0(SYN_NUMBER, $1, @1, @1); }
          | "(" down expr ")"                           { $$ = $3; p->nest--; }
          | TYPE "(" down expr ")"                      { $$ = NODE1(SYN_CONVERT, $1, @1, @$, $4); p->nest--; }
          | left                                        { $$ = $1; }
          | call                                        { $$ = $1; }
          | call positions                              { $$ = NODE2(SYN_ENTRY, "", $1->at, @$, $1, $2); }
          | NAME positions "(" down exprs ")"           { $$ = NODE2(SYN_REDUCE, $1, @1, @$, $2, $5); p->nest--; }
          ;
call:       NAME "(" down exprs ")"                     { $$ = NODE1(SYN_CALL, $1, @1, @$, $4); p->nest--; }
          ;
down:       %empty                                      {
                if (++p->nest > NEST_LIMIT) {
                    error_at(p->cx, p->last.at, "nested too deeply: more than %d levels; give a part of it a name of its own",
                             NEST_LIMIT);
                    p->failed = true;
                    YYERROR;
                }
            }
          ;

rows:       %empty                                      { p->tree = NODE0(SYN_FILE, "", @$, @$); begin(p, 0); }
          | rows row                                    { if ($2) JOIN(p->tree, $2); begin(p, 0); }
          ;
row:        "op" NAME "(" names ")" STRING typing "{" clauses "}" {
                $$ = NODE2(SYN_OPROW, $2, @2, @$, $4, $7);
                JOIN($$, clause(p, @6, "doc", "doc", @6, NODE0(SYN_NAME, $6, @6, @6), NULL, NULL));
                for (int i = 0; i < $9->nkids; i++) JOIN($$, $9->kid[i]);
                $$->at = @2;
                $$->whole = @$;
            }
          | "rule" expr "=>" expr mark ";"              { $$ = NODE2(SYN_RULE, $5, @$, @$, $2, $4); }
          | error ";"                                   { $$ = NULL; yyerrok; }
          | error "}"                                   { $$ = NULL; yyerrok; }
          ;
typing:     %empty                                      { $$ = NONE(@$); }
          | NAME                                        { $$ = NODE0(SYN_NAME, $1, @1, @1); }
          | TYPE                                        { $$ = NODE0(SYN_NAME, $1, @1, @1); }
          ;
mark:       %empty                                      { $$ = ""; }
          | NAME                                        { $$ = $1; }
          ;
clauses:    %empty                                      { $$ = NODE0(SYN_FILE, "", @$, @$); }
          | clauses clause ";"                          { $$ = JOIN($1, $2); p->nest = 0; }
          | clauses error ";"                           { $$ = $1; p->nest = 0; yyerrok; }
          ;
clause:     NAME                                        { $$ = clause(p, @$, "flag", "flag", @1, NODE0(SYN_NAME, $1, @1, @1), NULL, NULL); }
          | NAME QUOTED                                 { $$ = clause(p, @$, "c", $1, @1, NODE0(SYN_NAME, $2, @2, @2), NULL, NULL); }
          | TYPE QUOTED                                 { $$ = clause(p, @$, "float int", $1, @1, NODE0(SYN_NAME, $2, @2, @2), NULL, NULL); }
          | NAME STRING NUMBER                          {
                $$ = clause(p, @$, "infix prefix", $1, @1, NODE0(SYN_NAME, $2, @2, @2), NODE0(SYN_NUMBER, $3, @3, @3), NULL);
            }
          | NAME name "=" expr                          { $$ = clause(p, @$, "d", $1, @1, $2, $4, NULL); }
          | NAME name NAME "[" expr "," expr "]"        {
                if (strcmp($3, "in") != 0) error_at(p->cx, @3, "expected 'in' before '%s'", $3);
                $$ = clause(p, @$, "test", $1, @1, $2, $5, $7);
            }
          ;
%%

/* ---- building ---- */

static Syn *binary(Parser *p, const char *op, Span at, Syn *left, Span left_at, Syn *right, Span op_at) {
    (void)left_at;
    Syn *s = NODE2(SYN_OP, op, at, at, left, right);
    if (s->height <= HEIGHT_LIMIT) return s;
    error_at(p->cx, op_at, "this expression is too long: more than 2000 operators in a row; split it into several equations");
    return NULL;
}

static bool is_order(const char *op) {
    return op[0] == '<' || op[0] == '>';
}

static const char *operand(Parser *p, const Syn *s, bool parentheses) {
    return arena_format(p->cx->arena, parentheses ? "(%s)" : "%s", source_slice(p->cx, s->whole));
}

/* `a < b < c` is reported and then taken as the `a < b && b < c` that it says in mathematics. Parentheses are no
 * part of a node's place, so an operand that starts where its node starts has none around it. */
static Syn *compare(Parser *p, const char *op, Span at, Syn *left, Span left_at, Syn *right, Span op_at) {
    bool bare = left->kind == SYN_OP && left->nkids == 2 && left_at.start == left->whole.start && left_at.end == left->whole.end;
    bool chained = bare && strcmp(left->text, "&&") == 0; /* only the repair below puts a bare && here */
    const Syn *link = chained ? left->kid[1] : left;
    if (!bare || link->kind != SYN_OP || link->nkids != 2 || !(chained || strchr("<>=!", left->text[0])))
        return binary(p, op, at, left, left_at, right, op_at);
    const Syn *first = link->kid[0];
    Syn *middle = link->kid[1];
    if (!chained) {
        const char *a = operand(p, first, first->whole.start > link->whole.start);
        const char *b = operand(p, middle, middle->whole.end < link->whole.end);
        const char *c = operand(p, right, right->whole.end < at.end);
        if (is_order(link->text) != is_order(op) || op[0] == '!' || link->text[0] == '!')
            error_at(p->cx, op_at, "comparisons do not chain; put one of them in parentheses");
        else if (strlen(a) + 2 * strlen(b) + strlen(c) > 80)
            error_at(p->cx, op_at, "comparisons do not chain; write a %s b && b %s c", link->text, op);
        else
            error_at(p->cx, op_at, "comparisons do not chain; write %s %s %s && %s %s %s", a, link->text, b, b, op, c);
    }
    Syn *second = binary(p, op, (Span){at.file, middle->whole.start, at.end}, middle, middle->whole, right, op_at);
    return second ? binary(p, "&&", at, left, left_at, second, op_at) : NULL;
}

/* One clause of a row; `form` lists the words that stand before operands like these. */
static Syn *clause(Parser *p, Span at, const char *form, const char *word, Span word_at, Syn *a, Syn *b, Syn *c) {
    const char *found = strstr(form, word);
    size_t n = strlen(word);
    if (!found || (found != form && found[-1] != ' ') || (found[n] != 0 && found[n] != ' '))
        error_at(p->cx, word_at, "no clause '%s' looks like this; one that does starts with: %s", word, form);
    Syn *s = NODE1(SYN_DECLARE, word, word_at, at, a);
    if (b) JOIN(s, b);
    if (c) JOIN(s, c);
    s->at = word_at;
    s->whole = at;
    return s;
}

/* ---- mistakes ---- */

/* A new statement or item begins here, inside of `open` braces. */
static void begin(Parser *p, int open) {
    p->nest = 0;
    p->first = (Token){0};
    p->assigns = 0;
    p->failed = p->soft = false;
    p->named.n = 0;
    if (p->open.n > open) p->open.n = open;
}

static int partner(int bracket) {
    switch (bracket) {
    case TOK_LPAREN: return TOK_RPAREN;
    case TOK_LBRACKET: return TOK_RBRACKET;
    case TOK_LBRACE: return TOK_RBRACE;
    case TOK_RPAREN: return TOK_LPAREN;
    case TOK_RBRACKET: return TOK_LBRACKET;
    case TOK_RBRACE: return TOK_LBRACE;
    default: return 0;
    }
}

/* What is left of the statement at hand after a mistake in it: the names that it was to define. */
static void salvage(Parser *p, Syn *body) {
    Syn *list = NULL;
    int kind = p->first.token;
    for (int i = 0; i < p->named.n; i++) {
        const Token *t = &p->named.at[i];
        if (kind == TOK_DIM) {
            Syn *dim = NODE0(SYN_DIM, t->text, t->at, t->at);
            list = list ? JOIN(list, dim) : NODE1(SYN_DIMS, "", t->at, t->at, dim);
            continue;
        }
        Syn *name = NODE0(SYN_NAME, t->text, t->at, t->at);
        if (kind == TOK_OUTPUT)
            list = list ? JOIN(list, name) : NODE1(SYN_NAMES, "", t->at, t->at, name);
        else
            JOIN(body, NODE2(SYN_EQUATION, "", t->at, t->at, name, NONE(t->at)));
    }
    if (list) JOIN(body, kind == TOK_DIM ? list : NODE1(SYN_OUTPUT, "", list->at, list->at, list));
}

static bool is_word(int token) {
    return token == TOK_MODEL || token == TOK_FN || token == TOK_EXTERN || token == TOK_DIM || token == TOK_USE || token == TOK_OUTPUT || token == TOK_DERIVE
        || token == TOK_PARTIAL || token == TOK_IF || token == TOK_ROLE || token == TOK_TYPE || token == TOK_OP || token == TOK_RULE;
}

static bool starts_statement(int token) {
    return token == TOK_NAME || token == TOK_DIM || token == TOK_ROLE || token == TOK_TYPE || token == TOK_OUTPUT || token == TOK_DERIVE
        || token == TOK_PARTIAL;
}

static bool starts_top(int token) {
    return token == TOK_MODEL || token == TOK_FN || token == TOK_EXTERN || token == TOK_USE;
}

/* Does t, behind the token `before`, begin a line? And one that is not indented deeper than the statement at hand? */
static bool begins_line(Parser *p, const Token *t, const Token *before) {
    const char *text = p->cx->sources.at[p->file].text;
    return t->at.start > before->at.end && memchr(text + before->at.end, '\n', t->at.start - before->at.end);
}

static bool begins_statement(Parser *p, const Token *t, const Token *before) {
    int line, column, first_column;
    if (!p->inside || !starts_statement(t->token) || !begins_line(p, t, before)) return false;
    source_place(p->cx, t->at, &line, &column);
    source_place(p->cx, p->first.at, &line, &first_column);
    return column <= first_column;
}

/* Follows the brackets. A closing one without partner changes nothing. */
static void follow(Parser *p, const Token *t) {
    if (t->token == TOK_LPAREN || t->token == TOK_LBRACKET || t->token == TOK_LBRACE)
        VEC_PUSH(p->cx->arena, p->open, (Open){t->token, t->at});
    else if (p->open.n && p->open.at[p->open.n - 1].token == partner(t->token))
        p->open.n--;
}

/* Is this `}` the end of the body, whatever is open in the statement at hand, or the end of values in it? */
static bool ends_body(Parser *p) {
    int i = p->open.n - 1;
    while (i > 0 && p->open.at[i].token != TOK_LBRACE) i--;
    return i <= 0;
}

/* A token that was scanned while the parser looks for the `;` of a broken statement. Where the statement has none,
 * but plainly ends here, it gets one; a `}` or `;` inside of the statement's own brackets does not end it. */
static Token sift(Parser *p, Token t) {
    const Span behind = {p->file, p->last.at.end, p->last.at.end};
    if (!p->inside || !p->failed) return t;
    if (t.token == TOK_SEMI && p->soft && p->open.n >= 2) {
        p->soft = false;
        return (Token){TOK_COMMA, "", t.at};
    }
    if (t.token == TOK_RBRACE && !ends_body(p)) {
        while (p->open.at[p->open.n - 1].token != TOK_LBRACE) p->open.n--;
        p->open.n--;
        return (Token){TOK_COMMA, "", t.at};
    }
    if (t.token == TOK_RBRACE || starts_top(t.token) || begins_statement(p, &t, &p->last)) {
        p->again = t;
        return (Token){TOK_SEMI, "", behind};
    }
    return t;
}

/* Between the scanner and the parser: delivers the start, then the tokens; follows brackets and declared names. */
static int lang_lex(LANG_STYPE *value, LANG_LTYPE *at, Parser *p) {
    Token t = {0};
    if (p->pending) follow(p, &p->last);
    p->pending = true;
    if (p->start) {
        t = (Token){p->start, "", {p->file, 0, 0}};
        p->start = 0;
    } else if (p->insert) {
        t = (Token){p->insert, "", {p->file, p->last.at.end, p->last.at.end}};
        p->insert = 0;
    } else if (p->again.token) {
        t = p->again;
        p->again = (Token){0};
    } else {
        value->TOK_NAME = "";
        t.token = scan_token(value, at, p->scanner);
        t.text = value->TOK_NAME;
        t.at = *at;
        t = sift(p, t);
    }
    *at = t.at;
    value->TOK_NAME = t.text;
    p->before = p->last;
    p->last = t;
    if (t.token == TOK_START_PROGRAM || t.token == TOK_START_RULES) return t.token;

    if (!p->first.token) p->first = t;
    if (t.token == TOK_LANG_error) p->failed = true;
    if (t.token == TOK_ASSIGN) p->assigns++;
    if (t.token == TOK_NAME && p->inside && p->open.n == 1) {
        int kind = p->first.token, left = p->before.token;
        bool declares = kind == TOK_DIM || kind == TOK_ROLE || kind == TOK_TYPE || kind == TOK_OUTPUT;
        bool follows = left == TOK_COMMA || left == TOK_DIM || left == TOK_TYPE || left == TOK_OUTPUT;
        if (p->first.at.start == t.at.start || (declares && follows)) VEC_PUSH(p->cx->arena, p->named, t);
    }
    return t.token;
}

/* What stands at a place, as a message shows it. */
static const char *lexeme(Parser *p, const Token *t) {
    if (t->token == TOK_YYEOF) return "the end of the file";
    const char *text = source_slice(p->cx, t->at);
    if (strlen(text) <= LEXEME_SHOWN) return arena_format(p->cx->arena, "'%s'", text);
    size_t n = LEXEME_SHOWN;
    while (n > 0 && (text[n] & 0xC0) == 0x80) n--;
    return arena_format(p->cx->arena, "'%.*s...'", (int)n, text);
}

/* A list "a, b or c" of at most a few expected things; what belongs together is one thing. */
static const char *expected_list(Parser *p, const bool *can) {
    static const struct {
        yysymbol_kind_t token;
        int class; /* 1: begins an expression, 2: stands between two, 4: begins a statement, 0: itself */
    } order[] = {
        {YYSYMBOL_NUMBER, 1},   {YYSYMBOL_NAME, 1 | 4},  {YYSYMBOL_TYPE, 1 | 4},  {YYSYMBOL_MINUS, 1 | 2}, {YYSYMBOL_BANG, 1},
        {YYSYMBOL_LPAREN, 1 | 2}, {YYSYMBOL_LBRACKET, 2}, {YYSYMBOL_STAR, 2},     {YYSYMBOL_SLASH, 2},     {YYSYMBOL_PLUS, 2},
        {YYSYMBOL_POWER, 2},    {YYSYMBOL_LT, 2},        {YYSYMBOL_GT, 2},        {YYSYMBOL_LE, 2},        {YYSYMBOL_GE, 2},
        {YYSYMBOL_EQ, 2},       {YYSYMBOL_NE, 2},        {YYSYMBOL_AND, 2},       {YYSYMBOL_OR, 2},        {YYSYMBOL_QUESTION, 2},
        {YYSYMBOL_DIM, 4},      {YYSYMBOL_ROLE, 4},      {YYSYMBOL_OUTPUT, 4},    {YYSYMBOL_DERIVE, 4},    {YYSYMBOL_PARTIAL, 4},
        {YYSYMBOL_STRING, 0},   {YYSYMBOL_QUOTED, 0},    {YYSYMBOL_USE, 0},       {YYSYMBOL_MODEL, 0},     {YYSYMBOL_FN, 0},
        {YYSYMBOL_EXTERN, 0},
        {YYSYMBOL_OP, 0},       {YYSYMBOL_RULE, 0},      {YYSYMBOL_ARROW, 0},     {YYSYMBOL_BECOMES, 0},   {YYSYMBOL_ASSIGN, 0},
        {YYSYMBOL_LBRACE, 0},   {YYSYMBOL_COLON, 0},     {YYSYMBOL_IF, 0},        {YYSYMBOL_COMMA, 0},     {YYSYMBOL_RPAREN, 0},
        {YYSYMBOL_RBRACKET, 0}, {YYSYMBOL_SEMI, 0},      {YYSYMBOL_RBRACE, 0},
    };
    enum { PLACES = sizeof order / sizeof *order };
    const char *list[PLACES + 3];
    int n = 0, folded = 0;
    if (can[YYSYMBOL_OUTPUT] && can[YYSYMBOL_DERIVE]) folded = 4, list[n++] = "a statement";
    else if (can[YYSYMBOL_STAR]) folded = 2, list[n++] = "an operator";
    else if (can[YYSYMBOL_NUMBER] && can[YYSYMBOL_LPAREN]) folded = 1, list[n++] = "an expression";
    for (int i = 0; i < PLACES; i++) {
        if (!can[order[i].token] || (order[i].class & folded)) continue;
        const char *name = yysymbol_name(order[i].token);
        bool described = name[0] == 'a' && name[1] == ' ';
        list[n++] = described ? name : arena_format(p->cx->arena, "'%s'", name);
    }
    if (n == 0 && can[YYSYMBOL_YYEOF]) list[n++] = "the end of the file";
    const char *text = n ? list[0] : "something else";
    for (int i = 1; i < n; i++) text = arena_format(p->cx->arena, "%s%s%s", text, i == n - 1 ? " or " : ", ", list[i]);
    return text;
}

static int yyreport_syntax_error(const yypcontext_t *context, Parser *p) {
    static const char *const tops[] = {"model", "fn", "use", "extern"};
    static const char *const statements[] = {"dim", "output", "derive", "partial", "input", "param", "const",
                                             "real", "float", "double", "int", "bool", "index"};
    Context *cx = p->cx;
    yysymbol_kind_t expected[YYNTOKENS];
    bool can[YYNTOKENS] = {false};
    int n = yypcontext_expected_tokens(context, expected, YYNTOKENS);
    for (int i = 0; i < n; i++) can[expected[i]] = true;

    const Token t = p->last, before = p->before;
    const char *found = lexeme(p, &t);
    const bool between = can[YYSYMBOL_STAR], statement = can[YYSYMBOL_OUTPUT] && can[YYSYMBOL_DERIVE], top = can[YYSYMBOL_MODEL];
    const bool new_line = t.token == TOK_YYEOF || begins_line(p, &t, &before);
    const bool new_statement = begins_statement(p, &t, &before);
    const bool stops = t.token == TOK_SEMI || t.token == TOK_RBRACE || t.token == TOK_RPAREN || t.token == TOK_RBRACKET
        || t.token == TOK_YYEOF || t.token == TOK_ASSIGN || t.token == TOK_ARROW || starts_top(t.token)
        || (new_line && (is_word(t.token) || new_statement));
    /* Something is missing behind the token before rather than wrong with this one. */
    const Span behind = new_line ? (Span){p->file, before.at.end, before.at.end} : t.at;
    int closer = 0;
    if (p->open.n) closer = partner(p->open.at[p->open.n - 1].token);
    bool closes = (closer == TOK_RPAREN && can[YYSYMBOL_RPAREN]) || (closer == TOK_RBRACKET && can[YYSYMBOL_RBRACKET])
        || (closer == TOK_RBRACE && can[YYSYMBOL_RBRACE]);
    /* In `a = b = c` the second = is more likely meant as a comparison. */
    const bool equality = t.token == TOK_ASSIGN && between && p->first.token == TOK_NAME && p->assigns > 1;
    /* `ouput y;`: two names in a row at the start of a statement. */
    const bool words = !p->rules && !new_line && p->open.n == 1 && before.token == TOK_NAME && before.at.start == p->first.at.start
        && (t.token == TOK_NAME || t.token == TOK_TYPE);
    const char *misspelt = words ? closest(cx, before.text, statements, LENGTH(statements)) : NULL;
    const bool unclosed = statement ? t.token == TOK_YYEOF || starts_top(t.token) : !can[YYSYMBOL_NUMBER];

    if (closes && stops && !equality && unclosed) {
        const Open *o = &p->open.at[p->open.n - 1];
        error_at(cx, behind, "expected '%c' before %s", closer, found);
        note_at(cx, o->at, "to match this '%c'", o->token);
    } else if (can[YYSYMBOL_SEMI] && (new_statement || t.token == TOK_RBRACE || t.token == TOK_YYEOF || (new_line && starts_top(t.token)))) {
        error_at(cx, behind, "expected ';' before %s", found);
    } else if (is_word(t.token) && can[YYSYMBOL_NAME] && !statement && !top && !new_line) {
        error_at(cx, t.at, "%s is a word of the language and cannot be a name", found);
    } else if (t.token == TOK_ASSIGN && is_word(before.token) && before.at.start == p->first.at.start) {
        error_at(cx, before.at, "%s is a word of the language and cannot be a name", lexeme(p, &before));
    } else if (misspelt) {
        error_at(cx, before.at, "no statement starts with %s; did you mean '%s'?", lexeme(p, &before), misspelt);
    } else if (top && t.token == TOK_NAME && closest(cx, t.text, tops, LENGTH(tops))) {
        error_at(cx, t.at, "expected %s before %s; did you mean '%s'?", expected_list(p, can), found, closest(cx, t.text, tops, LENGTH(tops)));
    } else if (equality) {
        error_at(cx, t.at, "expected an operator before '='; equality is written ==");
    } else if (between && !new_line && (!closes || before.token == TOK_NUMBER)
               && (t.token == TOK_NAME || t.token == TOK_NUMBER || t.token == TOK_LPAREN)) {
        error_at(cx, t.at, "expected an operator before %s; a product is written with *", found);
    } else {
        error_at(cx, t.token == TOK_YYEOF ? behind : t.at, "expected %s before %s", expected_list(p, can), found);
    }

    /* Of `derive gradient(y z; x);` the first ; is not the end. */
    p->soft = t.token != TOK_SEMI && (misspelt || p->first.token == TOK_DERIVE || p->first.token == TOK_PARTIAL);

    /* Go on as if the token that ends the statement, or the body, had been there. */
    p->failed = true;
    if (p->again.token || p->rules) return 0;
    const bool left = p->inside && statement && starts_top(t.token);
    const bool ended = p->inside && !left && (starts_top(t.token) || (t.token == TOK_RBRACE && ends_body(p)));
    if (left || ended || (new_statement && !statement) || (!p->inside && can[YYSYMBOL_SEMI] && starts_top(t.token))) {
        p->insert = left ? TOK_RBRACE : TOK_SEMI;
        p->again = t;
        p->last = before;
        p->pending = false;
    }
    return 0;
}

static void lang_error(const Span *at, Parser *p, const char *message) {
    (void)message; /* the parser itself says no more than that its stack is full */
    error_at(p->cx, *at, "nested too deeply");
}

/* ---- entry ---- */

static Syn *parse(Context *cx, uint32_t file, bool rules) {
    Parser p = {.cx = cx, .file = file, .rules = rules, .start = rules ? TOK_START_RULES : TOK_START_PROGRAM};
    int errors = cx->errors;
    scan_open(&p);
    int failed = lang_parse(&p);
    scan_close(&p);
    if (failed && cx->errors == errors) bug("the parser gave up without a message");
    return failed || p.broken ? NULL : p.tree;
}

Syn *parse_program(Context *cx, uint32_t file) {
    return parse(cx, file, false);
}

Syn *parse_rules(Context *cx, uint32_t file) {
    int errors = cx->errors;
    Syn *tree = parse(cx, file, true);
    return cx->errors == errors ? tree : NULL;
}
