/* Images in memory for the tests of drives: see memory_blk.h. */
#include "tests/chip/memory_blk.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"


static bool fails(struct memory_blk *m)
{
    if (!m->fail) return false;
    m->fail--;
    return true;
}

static enum host_status memory_read(struct blk *b, uint64_t off, void *buf, uint64_t len, struct error *e)
{
    struct memory_blk *m = (struct memory_blk *)b;
    ck_assert_msg(off <= b->size && len <= b->size - off, "read outside the image");
    if (fails(m)) return error_set(e, HOST_IO_ERROR, "made to fail");
    m->reads++;
    if (len > m->largest_read) m->largest_read = len;
    memcpy(buf, m->data + off, len);
    return HOST_OK;
}

static enum host_status memory_write(struct blk *b, uint64_t off, const void *buf, uint64_t len, struct error *e)
{
    struct memory_blk *m = (struct memory_blk *)b;
    ck_assert_msg(off <= b->size && len <= b->size - off, "write outside the image");
    if (fails(m)) return error_set(e, HOST_NO_SPACE, "made to fail");
    m->writes++;
    memcpy(m->data + off, buf, len);
    return HOST_OK;
}

static enum host_status memory_flush(struct blk *b, struct error *e)
{
    struct memory_blk *m = (struct memory_blk *)b;
    if (fails(m)) return error_set(e, HOST_IO_ERROR, "made to fail");
    m->flushes++;
    return HOST_OK;
}

static void memory_close(struct blk *b)
{
    struct memory_blk *m = (struct memory_blk *)b;
    free(m->data);
    free(m);
}

static const struct blk_ops memory_ops = {
    .name = "memory", .read = memory_read, .write = memory_write, .flush = memory_flush, .close = memory_close,
};

struct memory_blk *memory_blk_create(uint64_t size)
{
    struct memory_blk *m = calloc(1, sizeof *m);
    m->blk = (struct blk){ .ops = &memory_ops, .size = size, .path = "memory", .format = "raw" };
    m->data = malloc(size + 512);
    for (uint64_t n = 0; n * 512 < size; n++) {
        for (unsigned i = 0; i < 512; i++) m->data[n * 512 + i] = (uint8_t)(n + i);
        st32(m->data + n * 512, (uint32_t)n);
    }
    return m;
}
