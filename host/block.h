/* A disk image, as a drive sees it: bytes at an offset. Chips include this file and nothing else of host/.
 * Calls are synchronous: a drive calls when its timer is due, and virtual time waits. Only the machine's thread. */
#ifndef HOST_BLOCK_H
#define HOST_BLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"

struct blk;

struct blk_ops {
    const char *name;                                       /* "raw" */
    enum host_status (*read)(struct blk *b, uint64_t off, void *buf, uint64_t len, struct error *e);
    enum host_status (*write)(struct blk *b, uint64_t off, const void *buf, uint64_t len, struct error *e);
    enum host_status (*flush)(struct blk *b, struct error *e);   /* to the disk, not only the page cache */
    void (*close)(struct blk *b);
};

struct blk {
    const struct blk_ops *ops;
    uint64_t size;                                          /* bytes */
    bool read_only;
    char *path;                                             /* for messages and `info block`; owned */
    const char *format;                                     /* "raw" */
};

static inline enum host_status blk_read(struct blk *b, uint64_t off, void *buf, uint64_t len, struct error *e)
{ return b->ops->read(b, off, buf, len, e); }
static inline enum host_status blk_write(struct blk *b, uint64_t off, const void *buf, uint64_t len, struct error *e)
{ return b->read_only ? HOST_READ_ONLY : b->ops->write(b, off, buf, len, e); }
static inline enum host_status blk_flush(struct blk *b, struct error *e)
{ return b->ops->flush ? b->ops->flush(b, e) : HOST_OK; }

#endif
