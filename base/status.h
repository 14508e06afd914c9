/* What a call on the host can come back with, and the message that goes with it.
 *
 * Only the host fails this way (docs/conventions: three kinds of error, three means). A guest's mistake is
 * modelled and logged; our own mistake is an assert. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stddef.h>

enum host_status {
    HOST_OK = 0,
    HOST_IO_ERROR,   /* read or write failed, errno says why */
    HOST_NO_SPACE,   /* the disk that holds the file is full */
    HOST_READ_ONLY,  /* the file or the medium may not be written */
    HOST_MISSING,
    HOST_BAD_FORMAT, /* the file is not what it has to be */
    HOST_REFUSED,    /* allowed by the host, refused by us (format-changing write, changed image) */
    HOST_NO_MEMORY,
    HOST_BUSY,       /* port or lock taken by somebody else */
};

/* One sentence for a person: names the file or option, then the cause. Empty where there was no error. */
struct error { char text[512]; };

/* Formats the message; returns `st` so that `return error_set(e, HOST_IO_ERROR, ...)` reads well.
 * `e` may be NULL. Any thread. */
enum host_status error_set(struct error *e, enum host_status st, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A few words for a status, for messages and logs. Never NULL. */
const char *host_status_text(enum host_status st);

#define MUST_CHECK __attribute__((warn_unused_result))

#endif
