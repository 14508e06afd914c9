/* Disk images in memory that count what is done to them and can be made to fail. */
#ifndef TESTS_CHIP_MEMORY_BLK_H
#define TESTS_CHIP_MEMORY_BLK_H

#include "host/block.h"

struct memory_blk {
    struct blk blk;
    uint8_t *data;
    unsigned fail;                         /* so many calls fail from now on */
    unsigned reads, writes, flushes;
    uint64_t largest_read;                 /* bytes of the longest read call */
};

/* Every 512-byte sector n starts with n as a 32-bit number; byte i of the rest is (uint8_t)(n + i). Closed by
 * blk_close. */
struct memory_blk *memory_blk_create(uint64_t size);

#endif
