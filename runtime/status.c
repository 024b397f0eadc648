/* status: the part of the runtime that is a library, for callers that cannot include gradc.h (other languages, or C that
 * sees only an emitted header). In: a status. Out: words. All else is in gradc.h, compiled with the caller's own flags. */
#define gradc_status_text gradc_status_words
#include "gradc.h"
#undef gradc_status_text

/* As in gradc.h, with external linkage. */
const char *gradc_status_text(int status);
const char *gradc_status_text(int status)
{
    return gradc_status_words(status);
}
