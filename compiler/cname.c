/* cname: the names that C, C++, their headers and the runtime keep to themselves.
 * In: a name of the source. Out: whether emitted text may use it, and one like it where it may not.
 */
#include "cname.h"
#include "text.h"
#include <ctype.h>
#include <string.h>

static const char *const taken_words[] = {"alignas",      "alignof",
                                          "and",          "and_eq",
                                          "asm",          "assert",
                                          "auto",         "bitand",
                                          "bitor",        "bool",
                                          "break",        "case",
                                          "catch",        "char",
                                          "class",        "compl",
                                          "concept",      "const",
                                          "const_cast",   "constexpr",
                                          "continue",     "decltype",
                                          "default",      "delete",
                                          "do",           "double",
                                          "dynamic_cast", "else",
                                          "enum",         "errno",
                                          "explicit",     "export",
                                          "extern",       "false",
                                          "float",        "for",
                                          "friend",       "goto",
                                          "if",           "inline",
                                          "int",          "linux",
                                          "long",         "mutable",
                                          "namespace",    "new",
                                          "noexcept",     "not",
                                          "not_eq",       "nullptr",
                                          "operator",     "or",
                                          "or_eq",        "private",
                                          "protected",    "public",
                                          "register",     "reinterpret_cast",
                                          "requires",     "restrict",
                                          "return",       "short",
                                          "signed",       "sizeof",
                                          "static",       "static_assert",
                                          "static_cast",  "struct",
                                          "switch",       "template",
                                          "this",         "thread_local",
                                          "throw",        "true",
                                          "try",          "typedef",
                                          "typeid",       "typename",
                                          "typeof",       "union",
                                          "unix",         "unsigned",
                                          "using",        "virtual",
                                          "void",         "volatile",
                                          "wchar_t",      "while",
                                          "xor",          "xor_eq",
                                          "NULL",         "NAN",
                                          "INFINITY",     "HUGE_VAL",
                                          "HUGE_VALF",    "DOMAIN",
                                          "OVERFLOW",     "UNDERFLOW",
                                          "SING",         "PLOSS",
                                          "TLOSS",        "status",
                                          "INT32_MAX",    "SIZE_MAX",
                                          "int32_t",      "int64_t",
                                          "memcpy",       "memset",
                                          "offsetof",     "size_t",
                                          "uint8_t",      "signgam",
                                          "float_t",      "double_t"};

bool cname_is_word(const char *name) {
    for (size_t k = 0; k < sizeof taken_words / sizeof *taken_words; k++) {
        if (taken_words[k][0] == name[0] && !strcmp(taken_words[k], name)) {
            return true;
        }
    }
    return false;
}

/* Beginnings that belong to others. An underscore at the end makes such a name free, so this is
 * asked of names of the source only. */
static bool is_taken_beginning(const char *name) {
    return !strncmp(name, "gradc_", 6) || !strncmp(name, "GRADC_", 6) || !strncmp(name, "M_", 2) ||
           !strncmp(name, "FP_", 3) || !strncmp(name, "FLT_", 4) || !strncmp(name, "DBL_", 4) ||
           !strncmp(name, "LDBL_", 5) || !strncmp(name, "__", 2) ||
           (name[0] == '_' && isupper((unsigned char)name[1]));
}

bool cname_is_free(const char *name) {
    return !cname_is_word(name) && !is_taken_beginning(name);
}

const char *c_name(Arena *arena, const char *name) {
    bool clash = !cname_is_free(name);
    for (const char *s = name; *s; s++) {
        clash = clash || (unsigned char)*s >= 128;
    }
    if (!clash) {
        return name;
    }
    Text t = text_new(arena);
    for (const char *s = name; *s; s++) { /* beyond ASCII: by its bytes */
        if ((unsigned char)*s < 128) {
            text_char(&t, *s);
        } else {
            text_add(&t, "x%02x", (unsigned char)*s);
        }
    }
    text_char(&t, '_');
    const char *made = text_string(&t);
    return !strncmp(made, "_", 1) ? arena_format(arena, "v%s", made) : made;
}
