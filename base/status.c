/* Messages for what fails on the host. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

enum host_status error_set(struct error *e, enum host_status st, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(e->text, sizeof e->text, fmt, ap);
        va_end(ap);
    }
    return st;
}

const char *host_status_text(enum host_status st)
{
    switch (st) {
    case HOST_OK: return "no error";
    case HOST_IO_ERROR: return "input/output error";
    case HOST_NO_SPACE: return "no space left on the host's disk";
    case HOST_READ_ONLY: return "read-only";
    case HOST_MISSING: return "not found";
    case HOST_BAD_FORMAT: return "not in the expected format";
    case HOST_REFUSED: return "refused";
    case HOST_NO_MEMORY: return "out of memory";
    case HOST_BUSY: return "in use";
    }
    return "unknown error";
}
