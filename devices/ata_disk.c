/* An ATA hard disk: its commands, and the way of the data between image, buffer and host. ATA-6 (T13/1410D), with the
 * CHS commands of ATA-1 to ATA-5 that old systems use.
 *
 * The oddest behaviour: a PIO read interrupts before each block and not at the end (the host knows that it has read the
 * last one), a PIO write interrupts after each block and not before the first, and a DMA command interrupts once. So a
 * block of PIO data is offered with an interrupt on reads, and without one only for the first block of a write.
 *
 * Writes to a read-only image end in error with ABRT and WP. A range that runs off the end moves what is there, then
 * reports IDNF with the address of the first sector that is not.
 * GAP: what does not fill a sector at the end of an image is not shown. */
#include "devices/ata_disk_state.h"

#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"

enum disk_work { WORK_NONE, WORK_READ, WORK_WRITE, WORK_READ_DMA, WORK_WRITE_DMA, WORK_VERIFY, WORK_FLUSH, WORK_BUFFER,
                 WORKS };
enum { READY = ATA_DRDY | ATA_DSC };
enum { PIO_SECTORS = ATA_BUFFER / SECTOR };            /* read at once, before the first block is offered */

#define TIME_SEEK    VTIME_US(20)
#define TIME_SECTOR  VTIME_US(5)                       /* 100 MB/s */
#define TIME_BLOCK   VTIME_US(1)                       /* between blocks that are in the buffer */
#define TIME_FLUSH   VTIME_US(100)

static const struct state_field disk_fields[] = {
    FIELD_STRUCT(struct ata_disk, drive, &ata_drive_state, "task file and buffer"),
    FIELD_WIRING(struct ata_disk, sectors),
    FIELD_WIRING(struct ata_disk, default_cylinders),
    FIELD_WIRING(struct ata_disk, default_heads),
    FIELD_WIRING(struct ata_disk, default_sectors),
    FIELD_RANGE(struct ata_disk, current_heads, 1, 16, "heads of the current translation"),
    FIELD_RANGE(struct ata_disk, current_sectors, 1, 255, "its sectors a track"),
    FIELD(struct ata_disk, current_cylinders, "its cylinders"),
    FIELD(struct ata_disk, lba, "next sector of the command"),
    FIELD_RANGE(struct ata_disk, left, 0, 65536, "sectors still to move"),
    FIELD_RANGE(struct ata_disk, dma_len, 0, 65536u * SECTOR, "bytes of the DMA transfer"),
    FIELD_RANGE(struct ata_disk, moved, 0, 65536u * SECTOR, "bytes of it that are done"),
    FIELD(struct ata_disk, last_use, "last access to the medium"),
    FIELD_RANGE(struct ata_disk, multiple, 0, MULTIPLE_MAX, "sectors a block of READ/WRITE MULTIPLE"),
    FIELD(struct ata_disk, transfer_mode, "PIO 08h+n, multiword DMA 20h+n, Ultra DMA 40h+n"),
    FIELD_RANGE(struct ata_disk, power, POWER_ACTIVE, POWER_STANDBY, "0 active, 1 idle, 2 standby"),
    FIELD(struct ata_disk, standby_timer, "period code of the standby timer"),
    FIELD(struct ata_disk, write_cache, "write cache enabled"),
    FIELD(struct ata_disk, look_ahead, "read look-ahead enabled"),
    FIELD(struct ata_disk, smart, "SMART enabled"),
    FIELD(struct ata_disk, smart_autosave, "SMART attribute autosave enabled"),
    FIELD(struct ata_disk, keep_settings, "SRST keeps the settings"),
    FIELD_RANGE(struct ata_disk, work, 0, WORKS - 1,
                "0 none, 1 read, 2 write, 3 read DMA, 4 write DMA, 5 verify, 6 flush, 7 buffer"),
    FIELD_WIRING(struct ata_disk, serial),
    FIELD_ARRAY(struct ata_disk, buffer, "what WRITE BUFFER left for READ BUFFER"),
    FIELD_WIRING(struct ata_disk, unused),
};
static const struct state_desc disk_state = STATE_DESC(struct ata_disk, "ata_disk", disk_fields);

/* ---- ends of commands */

static void finish(struct ata_disk *k, uint8_t error, bool irq)
{
    k->work = WORK_NONE;
    ata_drive_finish(&k->drive, READY, error, irq);
}

static void succeed(struct ata_disk *k)
{
    finish(k, 0, true);
}

static void fail(struct ata_disk *k, uint8_t error)
{
    finish(k, error, true);
}

/* ---- addresses */

static bool is_ext(uint8_t command)
{
    switch (command) {
    case 0x24: case 0x25: case 0x27: case 0x29: case 0x34: case 0x35: case 0x39: case 0x42: case 0xea: return true;
    default: return false;
    }
}

static bool is_standby(uint8_t command)
{
    return command == 0x94 || command == 0x96 || command == 0xe0 || command == 0xe2;
}

/* Writes an address into the registers in the form the command used. */
static void put_address(struct ata_disk *k, uint64_t lba)
{
    struct ata_drive *d = &k->drive;
    bool ext = is_ext(d->command);
    if (ext || (d->device & ATA_DEV_LBA)) {
        d->lba_low.cur = (uint8_t)lba;
        d->lba_mid.cur = (uint8_t)(lba >> 8);
        d->lba_high.cur = (uint8_t)(lba >> 16);
    } else {
        uint64_t track = lba / k->current_sectors, cylinder = track / k->current_heads;
        d->lba_low.cur = (uint8_t)(lba % k->current_sectors + 1);
        d->lba_mid.cur = (uint8_t)cylinder;
        d->lba_high.cur = (uint8_t)(cylinder >> 8);
        d->device = (uint8_t)((d->device & 0xf0) | track % k->current_heads);
    }
    if (ext) {
        d->lba_low.prev = (uint8_t)(lba >> 24);
        d->lba_mid.prev = (uint8_t)(lba >> 32);
        d->lba_high.prev = (uint8_t)(lba >> 40);
    } else if (d->device & ATA_DEV_LBA) {
        d->device = (uint8_t)((d->device & 0xf0) | ((lba >> 24) & 0xf));
    }
}

/* Reads address and count of the command into lba and left. False: no such first sector. */
static bool take_address(struct ata_disk *k)
{
    struct ata_drive *d = &k->drive;
    uint32_t low = d->lba_low.cur | (uint32_t)d->lba_mid.cur << 8 | (uint32_t)d->lba_high.cur << 16;
    if (is_ext(d->command)) {
        uint32_t high = d->lba_low.prev | (uint32_t)d->lba_mid.prev << 8 | (uint32_t)d->lba_high.prev << 16;
        k->lba = low | (uint64_t)high << 24;
        k->left = d->count.cur | (uint32_t)d->count.prev << 8;
        if (k->left == 0) k->left = 65536;
    } else {
        k->left = d->count.cur ? d->count.cur : 256;
        if (d->device & ATA_DEV_LBA) {
            k->lba = low | (uint64_t)(d->device & 0xf) << 24;
        } else {
            uint32_t cylinder = low >> 8, head = d->device & 0xf, sector = d->lba_low.cur;
            if (sector == 0 || sector > k->current_sectors || head >= k->current_heads ||
                cylinder >= k->current_cylinders)
                return false;
            k->lba = ((uint64_t)cylinder * k->current_heads + head) * k->current_sectors + sector - 1;
        }
    }
    return k->lba < k->sectors;
}

/* The command has moved what it could: ends it, with an error if the disk was too short. */
static void end_of_range(struct ata_disk *k, bool irq)
{
    k->drive.count.cur = (uint8_t)k->left;
    if (is_ext(k->drive.command)) k->drive.count.prev = (uint8_t)(k->left >> 8);
    if (k->left) {
        put_address(k, k->lba);
        fail(k, ATA_IDNF);
        return;
    }
    if (k->lba) put_address(k, k->lba - 1);
    finish(k, 0, irq);
}

/* ---- the medium */

static uint32_t at_most(const struct ata_disk *k, uint32_t n)
{
    uint64_t there = k->lba < k->sectors ? k->sectors - k->lba : 0;
    if (n > k->left) n = k->left;
    return n < there ? n : (uint32_t)there;
}

static void touch_medium(struct ata_disk *k)
{
    k->power = POWER_ACTIVE;
    k->last_use = clock_now(k->drive.dev.board->clock);
}

static uint32_t block_bytes(const struct ata_disk *k)
{
    switch (k->drive.command) {
    case 0xc4: case 0xc5: case 0x29: case 0x39: return (k->multiple ? k->multiple : 1u) * SECTOR;
    default: return SECTOR;
    }
}

/* Offers the next block of a read; fills the buffer first if it is used up. */
static void work_read(struct ata_disk *k)
{
    struct ata_drive *d = &k->drive;
    struct error e = { "" };
    if (d->block_end == d->buf_len) {
        uint32_t n = at_most(k, PIO_SECTORS);
        if (n == 0) {
            end_of_range(k, true);
            return;
        }
        enum host_status st = blk_read(d->blk, k->lba * SECTOR, d->buf, (uint64_t)n * SECTOR, &e);
        if (st != HOST_OK) {
            ata_drive_host_failed(d, st, &e);
            return;
        }
        k->lba += n;
        k->left -= n;
        d->buf_len = n * SECTOR;
        d->block_end = 0;
    }
    uint32_t from = d->block_end, rest = d->buf_len - from, block = block_bytes(k);
    ata_drive_pio(d, ATA_PIO_IN, from, from + (rest < block ? rest : block), true);
}

static void offer_write_block(struct ata_disk *k, bool irq)
{
    uint32_t block = block_bytes(k) / SECTOR;
    k->drive.buf_len = (k->left < block ? k->left : block) * SECTOR;
    ata_drive_pio(&k->drive, ATA_PIO_OUT, 0, k->drive.buf_len, irq);
}

static void work_write(struct ata_disk *k)
{
    struct ata_drive *d = &k->drive;
    struct error e = { "" };
    uint32_t n = at_most(k, d->buf_len / SECTOR);
    if (n) {
        enum host_status st = blk_write(d->blk, k->lba * SECTOR, d->buf, (uint64_t)n * SECTOR, &e);
        if (st != HOST_OK) {
            ata_drive_host_failed(d, st, &e);
            return;
        }
    }
    bool short_block = n < d->buf_len / SECTOR;
    k->lba += n;
    k->left -= n;
    if (k->left && n && !short_block) offer_write_block(k, true);
    else end_of_range(k, true);
}

static enum host_status move_in(struct ata_drive *d, void *p, uint64_t done, uint32_t len, struct error *e)
{
    struct ata_disk *k = (struct ata_disk *)d;
    return blk_read(d->blk, k->lba * SECTOR + done, p, len, e);
}

static enum host_status move_out(struct ata_drive *d, void *p, uint64_t done, uint32_t len, struct error *e)
{
    struct ata_disk *k = (struct ata_disk *)d;
    return blk_write(d->blk, k->lba * SECTOR + done, p, len, e);
}

static void work_dma(struct ata_disk *k, bool to_memory)
{
    if (!ata_drive_dma(&k->drive, to_memory, k->dma_len, &k->moved, to_memory ? move_in : move_out)) return;
    k->lba += k->dma_len / SECTOR;
    k->left -= k->dma_len / SECTOR;
    end_of_range(k, true);
}

static void work_verify(struct ata_disk *k)
{
    uint32_t n = at_most(k, k->left);
    k->lba += n;
    k->left -= n;
    end_of_range(k, true);
}

static void disk_work(struct ata_drive *d)
{
    struct ata_disk *k = (struct ata_disk *)d;
    struct error e = { "" };
    touch_medium(k);
    switch ((enum disk_work)k->work) {
    case WORK_READ: work_read(k); return;
    case WORK_WRITE: work_write(k); return;
    case WORK_READ_DMA: work_dma(k, true); return;
    case WORK_WRITE_DMA: work_dma(k, false); return;
    case WORK_VERIFY: work_verify(k); return;
    case WORK_FLUSH: {
        enum host_status st = blk_flush(d->blk, &e);
        if (st != HOST_OK) {
            ata_drive_host_failed(d, st, &e);
            return;
        }
        if (is_standby(d->command)) k->power = POWER_STANDBY;
        succeed(k);
        return;
    }
    case WORK_BUFFER:
        memcpy(k->buffer, d->buf, SECTOR);
        succeed(k);
        return;
    case WORK_NONE: case WORKS: fail(k, ATA_ABRT); return;
    }
}

static void disk_block_done(struct ata_drive *d)
{
    struct ata_disk *k = (struct ata_disk *)d;
    if (d->phase == ATA_PIO_OUT)
        ata_drive_work_after(d, ATA_MEDIUM, TIME_SECTOR * (d->buf_len / SECTOR));
    else if (d->block_end < d->buf_len)
        ata_drive_work_after(d, ATA_MEDIUM, TIME_BLOCK);
    else if (k->left)
        ata_drive_work_after(d, ATA_MEDIUM, TIME_SECTOR * at_most(k, PIO_SECTORS));
    else if (k->work == WORK_READ)
        end_of_range(k, false);
    else
        finish(k, 0, false);
}

/* ---- commands: data */

static void cmd_read(struct ata_disk *k)
{
    if (!take_address(k)) { fail(k, ATA_IDNF); return; }
    k->work = WORK_READ;
    ata_drive_work_after(&k->drive, ATA_MEDIUM, TIME_SEEK + TIME_SECTOR * at_most(k, PIO_SECTORS));
}

static void cmd_write(struct ata_disk *k)
{
    if (k->drive.blk->read_only) { fail(k, ATA_ABRT | ATA_WP); return; }
    if (!take_address(k)) { fail(k, ATA_IDNF); return; }
    k->work = WORK_WRITE;
    offer_write_block(k, false);
}

static void cmd_read_multiple(struct ata_disk *k)
{
    if (k->multiple) cmd_read(k);
    else fail(k, ATA_ABRT);
}

static void cmd_write_multiple(struct ata_disk *k)
{
    if (k->multiple) cmd_write(k);
    else fail(k, ATA_ABRT);
}

static void start_dma(struct ata_disk *k, enum disk_work work)
{
    if (!take_address(k)) { fail(k, ATA_IDNF); return; }
    uint32_t n = at_most(k, k->left);
    k->work = (uint8_t)work;
    k->dma_len = n * SECTOR;
    k->moved = 0;
    ata_drive_work_after(&k->drive, ATA_DMA, TIME_SEEK + TIME_SECTOR * n);
}

static void cmd_read_dma(struct ata_disk *k)
{
    start_dma(k, WORK_READ_DMA);
}

static void cmd_write_dma(struct ata_disk *k)
{
    if (k->drive.blk->read_only) fail(k, ATA_ABRT | ATA_WP);
    else start_dma(k, WORK_WRITE_DMA);
}

static void cmd_verify(struct ata_disk *k)
{
    if (!take_address(k)) { fail(k, ATA_IDNF); return; }
    k->work = WORK_VERIFY;
    ata_drive_work_after(&k->drive, ATA_MEDIUM, TIME_SEEK + TIME_SECTOR * k->left);
}

static void cmd_flush(struct ata_disk *k)
{
    k->work = WORK_FLUSH;
    ata_drive_work_after(&k->drive, ATA_MEDIUM, TIME_FLUSH);
}

/* Offers 512 bytes that have just been put into the buffer. */
static void offer_sector(struct ata_disk *k)
{
    k->drive.buf_len = SECTOR;
    ata_drive_pio(&k->drive, ATA_PIO_IN, 0, SECTOR, true);
}

static void cmd_read_buffer(struct ata_disk *k)
{
    memcpy(k->drive.buf, k->buffer, SECTOR);
    offer_sector(k);
}

static void cmd_write_buffer(struct ata_disk *k)
{
    k->work = WORK_BUFFER;
    k->drive.buf_len = SECTOR;
    ata_drive_pio(&k->drive, ATA_PIO_OUT, 0, SECTOR, false);
}

static void cmd_identify(struct ata_disk *k)
{
    ata_disk_identify(k, k->drive.buf);
    offer_sector(k);
}

/* ---- commands: position and translation */

static void cmd_recalibrate(struct ata_disk *k)
{
    k->drive.lba_mid.cur = k->drive.lba_high.cur = 0;
    succeed(k);
}

static void cmd_seek(struct ata_disk *k)
{
    if (take_address(k)) succeed(k);
    else fail(k, ATA_IDNF);
}

static void cmd_initialize_parameters(struct ata_disk *k)
{
    if (k->drive.count.cur == 0) { fail(k, ATA_ABRT); return; }
    k->current_sectors = k->drive.count.cur;
    k->current_heads = (uint8_t)((k->drive.device & 0xf) + 1);
    k->current_cylinders = (uint16_t)ata_disk_cylinders(k, k->current_heads, k->current_sectors);
    succeed(k);
}

static void cmd_read_native_max(struct ata_disk *k)
{
    uint64_t last = k->sectors ? k->sectors - 1 : 0;
    if (!is_ext(k->drive.command)) {
        k->drive.device |= ATA_DEV_LBA;
        if (last > 0x0fffffff - 1) last = 0x0fffffff - 1;
    }
    put_address(k, last);
    succeed(k);
}

static void cmd_set_multiple(struct ata_disk *k)
{
    uint8_t n = k->drive.count.cur;
    if (n > MULTIPLE_MAX || (n & (n - 1))) { fail(k, ATA_ABRT); return; }
    k->multiple = n;
    succeed(k);
}

/* ---- commands: settings */

static bool set_transfer_mode(struct ata_disk *k, uint8_t v)
{
    uint8_t mode = v & 7;
    switch (v >> 3) {
    case 0: if (mode > 1) return false; break;         /* PIO default, with or without IORDY */
    case 1: if (mode > 4) return false; break;         /* PIO 0-4 */
    case 4: if (mode > 2) return false; break;         /* multiword DMA 0-2 */
    case 8: if (mode > 5) return false; break;         /* Ultra DMA 0-5 */
    default: return false;
    }
    /* PIO has a setting of its own that only IORDY timing knows; the DMA mode stays as it is. */
    if (v >> 3 >= 4) k->transfer_mode = v;
    return true;
}

static void cmd_set_features(struct ata_disk *k)
{
    bool ok = true;
    switch (k->drive.features.cur) {
    case 0x02: k->write_cache = true; break;
    case 0x82: k->write_cache = false; break;
    case 0x03: ok = set_transfer_mode(k, k->drive.count.cur); break;
    case 0x55: k->look_ahead = false; break;
    case 0xaa: k->look_ahead = true; break;
    case 0x66: k->keep_settings = true; break;
    case 0xcc: k->keep_settings = false; break;
    default: ok = false; break;
    }
    if (ok) succeed(k);
    else fail(k, ATA_ABRT);
}

/* ---- commands: power (ATA-6 6.10). Time to standby is looked up when asked for: nobody can see it pass. */

static vtime standby_period(uint8_t code)
{
    if (code == 0) return VTIME_NEVER;
    if (code <= 240) return VTIME_SEC(5) * code;
    if (code <= 251) return VTIME_SEC(1800) * (code - 240u);
    if (code == 252) return VTIME_SEC(21 * 60);
    if (code == 253) return VTIME_SEC(8 * 3600);
    return VTIME_SEC(21 * 60 + 15);
}

static void cmd_standby(struct ata_disk *k)
{
    if (k->drive.command == 0xe2 || k->drive.command == 0x96) k->standby_timer = k->drive.count.cur;
    cmd_flush(k);                                      /* what is in the cache goes to the medium first */
}

static void cmd_idle(struct ata_disk *k)
{
    if (k->drive.command == 0xe3 || k->drive.command == 0x97) k->standby_timer = k->drive.count.cur;
    touch_medium(k);
    k->power = POWER_IDLE;
    succeed(k);
}

static void cmd_check_power(struct ata_disk *k)
{
    if (k->power != POWER_STANDBY && k->standby_timer &&
        clock_now(k->drive.dev.board->clock) - k->last_use >= standby_period(k->standby_timer))
        k->power = POWER_STANDBY;
    k->drive.count.cur = k->power == POWER_ACTIVE ? 0xff : k->power == POWER_IDLE ? 0x80 : 0x00;
    succeed(k);
}

static void cmd_sleep(struct ata_disk *k)
{
    succeed(k);
    k->drive.asleep = true;
}

/* ---- SMART: the command needs C24Fh in the cylinder registers, against accidents */

static void cmd_smart(struct ata_disk *k)
{
    struct ata_drive *d = &k->drive;
    if (d->lba_mid.cur != 0x4f || d->lba_high.cur != 0xc2 || (!k->smart && d->features.cur != 0xd8)) {
        fail(k, ATA_ABRT);
        return;
    }
    switch (d->features.cur) {
    case 0xd0:
        ata_disk_smart_data(k, d->buf);
        offer_sector(k);
        return;
    case 0xd1:
        ata_disk_smart_thresholds(d->buf);
        offer_sector(k);
        return;
    case 0xd2: k->smart_autosave = d->count.cur != 0; succeed(k); return;
    case 0xd3: succeed(k); return;                     /* save attributes */
    case 0xd4: succeed(k); return;                     /* off-line immediate: over at once, nothing found */
    case 0xd8: k->smart = true; succeed(k); return;
    case 0xd9: k->smart = false; succeed(k); return;
    case 0xda: succeed(k); return;                     /* status: C24Fh left in place means healthy */
    default: fail(k, ATA_ABRT); return;
    }
}

/* ---- the table: a command that is not here is aborted (ATA-6 8: NOP and everything optional that word 82 to 84 deny)
 */

static void (*const commands[256])(struct ata_disk *) = {
    [0x10 ... 0x1f] = cmd_recalibrate,
    [0x20] = cmd_read, [0x21] = cmd_read, [0x24] = cmd_read, [0x25] = cmd_read_dma, [0x27] = cmd_read_native_max,
    [0x29] = cmd_read_multiple,
    [0x30] = cmd_write, [0x31] = cmd_write, [0x34] = cmd_write, [0x35] = cmd_write_dma, [0x39] = cmd_write_multiple,
    [0x40] = cmd_verify, [0x41] = cmd_verify, [0x42] = cmd_verify,
    [0x70 ... 0x7f] = cmd_seek,
    [0x91] = cmd_initialize_parameters,
    [0x94] = cmd_standby, [0x95] = cmd_idle, [0x96] = cmd_standby, [0x97] = cmd_idle, [0x98] = cmd_check_power,
    [0x99] = cmd_sleep,
    [0xb0] = cmd_smart,
    [0xc4] = cmd_read_multiple, [0xc5] = cmd_write_multiple, [0xc6] = cmd_set_multiple,
    [0xc8] = cmd_read_dma, [0xc9] = cmd_read_dma, [0xca] = cmd_write_dma, [0xcb] = cmd_write_dma,
    [0xe0] = cmd_standby, [0xe1] = cmd_idle, [0xe2] = cmd_standby, [0xe3] = cmd_idle, [0xe4] = cmd_read_buffer,
    [0xe5] = cmd_check_power, [0xe6] = cmd_sleep, [0xe7] = cmd_flush, [0xe8] = cmd_write_buffer, [0xea] = cmd_flush,
    [0xec] = cmd_identify, [0xef] = cmd_set_features, [0xf8] = cmd_read_native_max,
};

static void disk_command(struct ata_drive *d)
{
    struct ata_disk *k = (struct ata_disk *)d;
    k->left = 0;
    k->work = WORK_NONE;
    if (commands[d->command]) {
        commands[d->command](k);
        return;
    }
    if (d->command != 0) log_unimp(d->dev.board->log, d->dev.id, d->command, "command %02x is aborted", d->command);
    fail(k, ATA_ABRT);
}

/* ---- class and create */

static void disk_reset(struct ata_drive *d, bool hard)
{
    struct ata_disk *k = (struct ata_disk *)d;
    k->left = 0;
    k->work = WORK_NONE;
    k->lba = 0;
    k->dma_len = 0;
    k->moved = 0;
    if (hard) {
        k->keep_settings = false;
        k->smart = k->smart_autosave = true;
        k->transfer_mode = 0;
        k->standby_timer = 0;
    }
    touch_medium(k);
    if (k->keep_settings) return;
    k->multiple = 0;
    k->write_cache = k->look_ahead = true;
    k->current_heads = k->default_heads;
    k->current_sectors = k->default_sectors;
    k->current_cylinders = k->default_cylinders;
}

static const struct ata_drive_ops disk_ops = {
    .command = disk_command, .work = disk_work, .block_done = disk_block_done, .reset = disk_reset, .packet = false,
};

static void disk_loaded(struct device *dev)
{
    struct ata_disk *k = (struct ata_disk *)dev;
    struct ata_drive *d = &k->drive;
    ata_drive_loaded(d);
    d->buf_len -= d->buf_len % SECTOR;                 /* whole sectors, whatever a hostile file says */
    d->block_end -= d->block_end % SECTOR;
    if (d->buf_pos > d->block_end) d->buf_pos = d->block_end;
    if (k->work == WORK_READ_DMA || k->work == WORK_WRITE_DMA) {
        uint32_t most = at_most(k, k->left) * SECTOR;
        if (k->dma_len > most) k->dma_len = most;
        k->dma_len -= k->dma_len % SECTOR;
        if (k->moved > k->dma_len) k->moved = k->dma_len;
    }
}

static void disk_destroy(struct device *dev)
{
    struct ata_disk *k = (struct ata_disk *)dev;
    ata_drive_fini(&k->drive);
    free(k);
}

static const struct device_class disk_class = {
    .name = "ata_disk", .title = "ATA hard disk", .reset = ata_drive_reset, .loaded = disk_loaded,
    .destroy = disk_destroy, .state = &disk_state,
};

struct device *ata_disk_create(struct board *b, const char *id, struct ata_channel *c, unsigned unit, struct blk *blk,
                               const char *serial)
{
    struct ata_disk *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    (void)b;
    ata_drive_init(&k->drive, &disk_class, &disk_ops, id, c, unit, blk);
    k->sectors = blk->size / SECTOR;
    if (k->sectors >> 48) k->sectors = 1ull << 48;
    k->default_heads = 16;
    k->default_sectors = 63;
    k->default_cylinders = (uint16_t)ata_disk_cylinders(k, 16, 63);
    if (k->default_cylinders == 0) k->default_cylinders = 1;
    if (serial) memcpy(k->serial, serial, strnlen(serial, sizeof k->serial));
    ata_drive_reset(&k->drive.dev, RESET_POWER_ON);
    return &k->drive.dev;
}

void ata_disk_geometry(struct device *disk, unsigned *cylinders, unsigned *heads, unsigned *sectors)
{
    const struct ata_disk *k = (const struct ata_disk *)disk;
    *cylinders = k->default_cylinders;
    *heads = k->default_heads;
    *sectors = k->default_sectors;
}
