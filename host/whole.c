/* Signs that an image was cut: a download that broke off, a copy onto a full disk.
 *
 * A raw image has no header of its own, so the guest would find out, long after, by what it cannot read. The structures
 * that nearly every image begins with tell its length: the partition table of a hard disk (one entry is 16 bytes from
 * 1BEh on: status, type at 4, first sector at 8, length at 12) and the volume descriptor of a CD (ECMA-119 8.4: sector 16,
 * volume space size at 80). */
#include <string.h>
#include "base/bytes.h"
#include "host/image.h"

enum { SECTOR = 512, CD_SECTOR = 2048,
       RUN_OUT = 150 };                /* sectors that CD writers may leave away at the end of a track (two seconds) */

static const char advice[] = "the image is truncated (-drive file=,format=raw takes it as it is)";

static bool disk_whole(struct blk *b, struct error *e)
{
    uint8_t mbr[SECTOR];
    if (blk_read(b, 0, mbr, sizeof mbr, e) != HOST_OK) return false;
    if (mbr[510] != 0x55 || mbr[511] != 0xaa) return true;
    for (unsigned i = 0; i < 4; i++)   /* a boot sector without a table has code there */
        if (mbr[0x1be + 16 * i] & 0x7f) return true;
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *p = mbr + 0x1be + 16 * i;
        uint64_t start = ld32(p + 8), end = start + ld32(p + 12);
        bool used = p[4] != 0 && p[4] != 0xee && start != 0 && end != start;     /* EEh: a GPT's, which may say anything */
        if (used && end > b->size / SECTOR) {
            error_set(e, HOST_BAD_FORMAT, "%s: partition %u ends at sector %llu, the file at %llu: %s", b->path, i + 1,
                      (unsigned long long)end, (unsigned long long)(b->size / SECTOR), advice);
            return false;
        }
    }
    return true;
}

static bool cd_whole(struct blk *b, struct error *e)
{
    uint8_t d[CD_SECTOR];
    if (b->size < 17 * CD_SECTOR) return true;
    if (blk_read(b, 16 * CD_SECTOR, d, sizeof d, e) != HOST_OK) return false;
    uint64_t sectors = ld32(d + 80), have = b->size / CD_SECTOR;
    if (d[0] != 1 || memcmp(d + 1, "CD001", 5) != 0 || sectors <= have + RUN_OUT) return true;
    error_set(e, HOST_BAD_FORMAT, "%s: the volume has %llu sectors of 2048 bytes, the file %llu: %s", b->path,
              (unsigned long long)sectors, (unsigned long long)have, advice);
    return false;
}

bool image_whole(struct blk *b, enum image_use use, struct error *e)
{
    unsigned unit = use == IMAGE_CD ? CD_SECTOR : SECTOR;
    if (b->size < unit || (use != IMAGE_CD && b->size % unit)) {
        error_set(e, HOST_BAD_FORMAT, "%s: %llu bytes are no whole number of %u-byte sectors: %s", b->path,
                  (unsigned long long)b->size, unit, advice);
        return false;
    }
    switch (use) {
    case IMAGE_DISK: return disk_whole(b, e);
    case IMAGE_CD: return cd_whole(b, e);
    case IMAGE_FLOPPY: break;          /* a floppy image may leave away its empty end */
    }
    return true;
}
