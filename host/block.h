/* A disk image, as a drive sees it: bytes at an offset. Chips include this file and nothing else of host/.
 * Calls are synchronous: a drive calls when its timer is due, and virtual time waits. Only the machine's thread. */
#ifndef HOST_BLOCK_H
#define HOST_BLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"

struct blk;

/* Told every changed stretch by blk_changes: off and len in bytes. Stops when it returns false. */
typedef bool blk_change_fn(void *opaque, uint64_t off, const uint8_t *data, uint32_t len);

struct blk_ops {
    const char *name;                                       /* "raw" */
    enum host_status (*read)(struct blk *b, uint64_t off, void *buf, uint64_t len, struct error *e);
    enum host_status (*write)(struct blk *b, uint64_t off, const void *buf, uint64_t len, struct error *e);
    enum host_status (*flush)(struct blk *b, struct error *e);   /* to the disk, not only the page cache; may be NULL */
    void (*close)(struct blk *b);
    /* What was written since the image was opened under -snapshot, in rising order; NULL where writes go to the file. */
    bool (*changes)(struct blk *b, blk_change_fn *fn, void *opaque);
    void (*forget)(struct blk *b);                          /* them all; NULL where changes is */
};

struct blk {
    const struct blk_ops *ops;
    uint64_t size;                                          /* bytes */
    bool read_only;
    char *path;                                             /* for messages and `info block`; owned */
    const char *format;                                     /* "raw" */
};

/* [off, off+len) must lie inside the image; a chip checks its own addresses first (they are the guest's). */
static inline enum host_status blk_read(struct blk *b, uint64_t off, void *buf, uint64_t len, struct error *e)
{
    return b->ops->read(b, off, buf, len, e);
}

static inline enum host_status blk_write(struct blk *b, uint64_t off, const void *buf, uint64_t len, struct error *e)
{
    return b->read_only ? error_set(e, HOST_READ_ONLY, "%s: the image is read-only", b->path)
                        : b->ops->write(b, off, buf, len, e);
}

static inline enum host_status blk_flush(struct blk *b, struct error *e)
{
    return b->ops->flush ? b->ops->flush(b, e) : HOST_OK;
}

/* NULL is allowed. Does not sync: blk_flush first, and look at what it says. */
static inline void blk_close(struct blk *b)
{
    if (b) b->ops->close(b);
}

#endif
