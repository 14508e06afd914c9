/* What an ATA disk says of itself: IDENTIFY DEVICE and SMART READ DATA. ATA-6 (T13/1410D) 8.15 and 8.41.
 *
 * The oddest behaviour: text is stored with the two characters of each word swapped, because the word's high byte holds
 * the first one. */
#include "devices/ata_disk_state.h"

#include <string.h>
#include "base/bytes.h"

static void put_word(uint8_t *buf, unsigned word, unsigned v)
{
    st16(buf + 2 * word, (uint16_t)v);
}

/* Pads with spaces; first character in the high byte. */
static void put_text(uint8_t *buf, unsigned word, unsigned chars, const char *text, size_t len)
{
    for (unsigned i = 0; i < chars; i++) buf[2 * word + (i ^ 1)] = i < len && text[i] ? (uint8_t)text[i] : ' ';
}

static uint8_t checksum(const uint8_t *buf)
{
    uint8_t sum = 0;
    for (unsigned i = 0; i < SECTOR - 1; i++) sum = (uint8_t)(sum + buf[i]);
    return (uint8_t)-sum;
}

/* CHS reaches 16383 * 16 * 63 sectors at most, in any translation (ATA-5 6.2). */
unsigned ata_disk_cylinders(const struct ata_disk *k, unsigned heads, unsigned sectors)
{
    uint64_t reachable = k->sectors < 16514064 ? k->sectors : 16514064;
    uint64_t n = heads && sectors ? reachable / (heads * sectors) : 0;
    return n > 65535 ? 65535 : (unsigned)n;
}

void ata_disk_identify(const struct ata_disk *k, uint8_t *buf)
{
    const uint32_t current = (uint32_t)k->current_cylinders * k->current_heads * k->current_sectors;
    const uint32_t lba28 = k->sectors > 0x0fffffff ? 0x0fffffff : (uint32_t)k->sectors;
    const unsigned mode = k->transfer_mode & 7;
    memset(buf, 0, SECTOR);
    put_word(buf, 0, 0x0040);                            /* ATA, not removable */
    put_word(buf, 1, k->default_cylinders);
    put_word(buf, 2, 0xc837);                            /* IDENTIFY is complete, no SET FEATURES needed to spin up */
    put_word(buf, 3, k->default_heads);
    put_word(buf, 4, SECTOR * k->default_sectors);       /* ATA-1: bytes of a track, of a sector, which Bochs' BIOS takes as true */
    put_word(buf, 5, SECTOR);
    put_word(buf, 6, k->default_sectors);
    put_text(buf, 10, 20, k->serial, sizeof k->serial);
    put_word(buf, 20, 3);                                /* dual ported buffer with look-ahead */
    put_word(buf, 21, ATA_BUFFER / SECTOR);
    put_word(buf, 22, 4);
    put_text(buf, 23, 8, "1.0", 3);
    put_text(buf, 27, 40, "BEIGE HARDDISK", 14);
    put_word(buf, 47, 0x8000 | MULTIPLE_MAX);
    put_word(buf, 49, 0x2f00);                           /* standby timer, IORDY (may be disabled), LBA, DMA */
    put_word(buf, 50, 0x4000);
    put_word(buf, 51, 0x0200);                           /* PIO mode 2 timing without IORDY */
    put_word(buf, 52, 0x0200);
    put_word(buf, 53, 0x0007);                           /* words 54-58, 64-70 and 88 are valid */
    put_word(buf, 54, k->current_cylinders);
    put_word(buf, 55, k->current_heads);
    put_word(buf, 56, k->current_sectors);
    put_word(buf, 57, current & 0xffff);
    put_word(buf, 58, current >> 16);
    put_word(buf, 59, k->multiple ? 0x0100u | k->multiple : 0);
    put_word(buf, 60, lba28 & 0xffff);
    put_word(buf, 61, lba28 >> 16);
    put_word(buf, 63, 0x0007u | ((k->transfer_mode & 0xf8) == 0x20 ? 0x0100u << mode : 0));   /* multiword DMA 0-2 */
    put_word(buf, 64, 0x0003);                           /* PIO modes 3 and 4 */
    for (unsigned w = 65; w <= 68; w++) put_word(buf, w, 120);    /* cycle times in ns */
    put_word(buf, 80, 0x007e);                           /* ATA-1 to ATA/ATAPI-6 */
    /* NOP, READ BUFFER, WRITE BUFFER, look-ahead, write cache, power management, SMART */
    put_word(buf, 82, 0x7069);
    put_word(buf, 83, 0x7400);                           /* FLUSH CACHE (EXT), 48-bit addresses */
    put_word(buf, 84, 0x4000);
    put_word(buf, 85, 0x7008u | (k->look_ahead ? 0x40 : 0) | (k->write_cache ? 0x20 : 0) | (k->smart ? 1 : 0));
    put_word(buf, 86, 0x3400);
    put_word(buf, 87, 0x4000);
    put_word(buf, 88, 0x003fu | ((k->transfer_mode & 0xf8) == 0x40 ? 0x0100u << mode : 0));   /* Ultra DMA 0-5 */
    /* 80-wire cable seen; number set by jumper; diagnostics passed; drive 1 also says that it asserted PDIAG- */
    put_word(buf, 93, k->drive.unit ? 0x6b00 : 0x600b);
    for (unsigned i = 0; i < 4; i++) put_word(buf, 100 + i, (unsigned)(k->sectors >> (16 * i)) & 0xffff);
    buf[510] = 0xa5;
    buf[511] = checksum(buf);
}

/* Attributes: id, flags, threshold. Values are normalised so that 100 is new and the threshold is worn out. */
static const struct { uint8_t id; uint16_t flags; uint8_t threshold; } attributes[] = {
    { 1, 0x0003, 6 },                                    /* read error rate */
    { 5, 0x0003, 36 },                                   /* reallocated sectors */
    { 9, 0x0002, 0 },                                    /* power-on hours */
    { 12, 0x0002, 20 },                                  /* power cycles */
    { 194, 0x0002, 0 },                                  /* temperature */
};
enum { ATTRIBUTES = sizeof attributes / sizeof attributes[0] };

void ata_disk_smart_data(const struct ata_disk *k, uint8_t *buf)
{
    const uint64_t hours = vtime_ns(clock_now(k->drive.dev.board->clock)) / 3600000000000ull;
    memset(buf, 0, SECTOR);
    put_word(buf, 0, 0x0010);                            /* structure revision */
    for (unsigned i = 0; i < ATTRIBUTES; i++) {
        uint8_t *a = buf + 2 + 12 * i;
        a[0] = attributes[i].id;
        st16(a + 1, attributes[i].flags);
        a[3] = a[4] = 100;                               /* value, worst value */
        if (attributes[i].id == 9) st32(a + 5, (uint32_t)hours);
        if (attributes[i].id == 12) a[5] = 1;
        if (attributes[i].id == 194) a[5] = 31;
    }
    buf[362] = k->smart_autosave ? 0x82 : 0x02;          /* off-line collection completed, automatic or not */
    put_word(buf, 184, 0x0003);                          /* SMART saves before power mode changes, and on its own */
    buf[511] = checksum(buf);
}

void ata_disk_smart_thresholds(uint8_t *buf)
{
    memset(buf, 0, SECTOR);
    put_word(buf, 0, 0x0010);
    for (unsigned i = 0; i < ATTRIBUTES; i++) {
        buf[2 + 12 * i] = attributes[i].id;
        buf[3 + 12 * i] = attributes[i].threshold;
    }
    buf[511] = checksum(buf);
}
