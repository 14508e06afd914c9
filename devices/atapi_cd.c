/* An ATAPI CD/DVD drive: packets, their data, and the disc. ATA-6 (T13/1410D) 9.8 and 8.25; SFF-8020i rev 2.6; MMC-3
 * (T10/1363D) for the commands in the packets.
 *
 * The oddest behaviour: the task file changes its meaning. The host writes into the cylinder registers how many bytes
 * it will take at a time; the drive cuts its data into blocks of at most that and writes each block's size there. The
 * sector count becomes the interrupt reason: command or data, to host or to drive. And unlike a disk's PIO read there
 * is one more interrupt after the last block, with the status.
 *
 * Sense data outlive the command that failed, until the next packet; unit attention (the drive was reset, the disc was
 * changed) stays until a command that may not ignore it has failed with it. An image that is no multiple of 2048 bytes
 * ends in a block filled up with zeros.
 *
 * GAP: a disc is one data track: no audio, no C2 pointers, no sub-channels. */
#include "devices/atapi_state.h"

#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"

enum { REASON_COMMAND = 1, REASON_TO_HOST = 2 };         /* interrupt reason: C/D, I/O */
enum { FEATURE_DMA = 1, FEATURE_OVERLAP = 2 };
enum { READY = ATA_DRDY | ATA_DSC };
enum { CD_MAX_BLOCKS = 900 * 512 };                     /* 900 MiB: over-long CDs are still CDs */

#define TIME_PACKET  VTIME_US(10)
#define TIME_BLOCK   VTIME_US(1)
#define TIME_SEEK    VTIME_US(200)
#define TIME_READ    VTIME_US(60)                        /* a block: 34 MB/s */

static const struct state_field cd_fields[] = {
    FIELD_STRUCT(struct atapi_cd, drive, &ata_drive_state, "task file and buffer"),
    FIELD(struct atapi_cd, data_len, "bytes of the command's data"),
    FIELD(struct atapi_cd, moved, "bytes of them moved"),
    FIELD(struct atapi_cd, lba, "first block of the read"),
    FIELD_RANGE(struct atapi_cd, byte_limit, 2, 65534, "largest DRQ block"),
    FIELD(struct atapi_cd, last_lba, "block under the head"),
    FIELD_ARRAY(struct atapi_cd, packet, "last packet"),
    FIELD_RANGE(struct atapi_cd, work, 0, CD_WORKS - 1, "0 none, 1 packet, 2 reply, 3 read, 4 parameter list"),
    FIELD(struct atapi_cd, parts, "of raw sectors to read: sync 80h, header 20h, data 10h, EDC and ECC 08h"),
    FIELD(struct atapi_cd, dma, "data by DMA"),
    FIELD_RANGE(struct atapi_cd, key, 0, 15, "sense key"),
    FIELD(struct atapi_cd, asc, "additional sense code"),
    FIELD(struct atapi_cd, ascq, "its qualifier"),
    FIELD_RANGE(struct atapi_cd, attention, 0, 3, "unit attention: reset 1, disc changed 2"),
    FIELD_RANGE(struct atapi_cd, event, 0, EVENT_MEDIA_REMOVAL, "1 eject request, 2 new disc, 3 removal"),
    FIELD(struct atapi_cd, tray_open, "tray open"),
    FIELD(struct atapi_cd, locked, "tray locked by PREVENT MEDIUM REMOVAL"),
    FIELD(struct atapi_cd, keep_settings, "SRST keeps the settings"),
    FIELD(struct atapi_cd, transfer_mode, "multiword DMA 20h+n, Ultra DMA 40h+n"),
    FIELD(struct atapi_cd, speed, "kB/s"),
    FIELD_ARRAY(struct atapi_cd, recovery, "mode page 01h"),
    FIELD_ARRAY(struct atapi_cd, audio, "mode page 0Eh"),
    FIELD_WIRING(struct atapi_cd, unused),
};
static const struct state_desc cd_state = STATE_DESC(struct atapi_cd, "atapi_cd", cd_fields);

/* ---- the disc */

bool atapi_disc_ready(const struct atapi_cd *c)
{
    return c->drive.blk && !c->tray_open;
}

uint32_t atapi_blocks(const struct atapi_cd *c)
{
    if (!atapi_disc_ready(c)) return 0;
    uint64_t n = c->drive.blk->size / CD_DATA + (c->drive.blk->size % CD_DATA != 0);
    return n > 0xffffffffu ? 0xffffffffu : (uint32_t)n;
}

bool atapi_is_dvd(const struct atapi_cd *c)
{
    return atapi_blocks(c) > CD_MAX_BLOCKS;
}

/* Any stretch of user data; zeros beyond the image. */
static enum host_status disc_read(struct atapi_cd *c, uint64_t off, uint8_t *p, uint64_t len, struct error *e)
{
    uint64_t size = c->drive.blk ? c->drive.blk->size : 0;
    uint64_t there = off >= size ? 0 : size - off < len ? size - off : len;
    if (there) {
        enum host_status st = blk_read(c->drive.blk, off, p, there, e);
        if (st != HOST_OK) return st;
    }
    memset(p + there, 0, len - there);
    return HOST_OK;
}

uint32_t atapi_part_bytes(uint8_t parts)
{
    return (parts & PART_SYNC ? 12u : 0) + (parts & PART_HEADER ? 4u : 0) + (parts & PART_DATA ? 2048u : 0) +
           (parts & PART_EDC ? 288u : 0);
}

/* The wanted parts of one sector, one after the other. */
static enum host_status sector_parts(struct atapi_cd *c, uint32_t lba, uint8_t out[CD_RAW], struct error *e)
{
    uint8_t raw[CD_RAW], *p = out;
    enum host_status st = disc_read(c, (uint64_t)lba * CD_DATA, raw + CD_DATA_AT, CD_DATA, e);
    if (st != HOST_OK) return st;
    cd_sector_complete(raw, lba);
    if (c->parts & PART_SYNC) memcpy(p, raw + CD_SYNC_AT, 12), p += 12;
    if (c->parts & PART_HEADER) memcpy(p, raw + CD_HEADER_AT, 4), p += 4;
    if (c->parts & PART_DATA) memcpy(p, raw + CD_DATA_AT, CD_DATA), p += CD_DATA;
    if (c->parts & PART_EDC) memcpy(p, raw + CD_EDC_AT, 288);
    return HOST_OK;
}

/* Bytes [done, done+len) of the command's data, to the host. */
static enum host_status move_in(struct ata_drive *d, void *to, uint64_t done, uint32_t len, struct error *e)
{
    struct atapi_cd *c = (struct atapi_cd *)d;
    uint8_t *p = to, sector[CD_RAW];
    if (c->work != CD_READ) {
        uint32_t there = done < d->buf_len ? d->buf_len - (uint32_t)done : 0;
        if (there > len) there = len;
        memcpy(p, d->buf + (there ? done : 0), there);
        memset(p + there, 0, len - there);
        return HOST_OK;
    }
    if (c->parts == PART_DATA) return disc_read(c, (uint64_t)c->lba * CD_DATA + done, p, len, e);
    uint32_t size = atapi_part_bytes(c->parts);
    while (len && size) {
        uint32_t at = (uint32_t)(done % size), n = size - at < len ? size - at : len;
        enum host_status st = sector_parts(c, c->lba + (uint32_t)(done / size), sector, e);
        if (st != HOST_OK) return st;
        memcpy(p, sector + at, n);
        p += n;
        done += n;
        len -= n;
    }
    return HOST_OK;
}

static enum host_status move_out(struct ata_drive *d, void *from, uint64_t done, uint32_t len, struct error *e)
{
    (void)e;
    if (done + len <= d->buf_len) memcpy(d->buf + done, from, len);
    return HOST_OK;
}

/* ---- ends and data of a packet command */

void atapi_good(struct atapi_cd *c)
{
    c->work = CD_NONE;
    c->drive.count.cur = REASON_COMMAND | REASON_TO_HOST;
    ata_drive_finish(&c->drive, READY, 0, true);
}

void atapi_fail(struct atapi_cd *c, enum sense_key key, uint8_t asc, uint8_t ascq)
{
    c->key = key;
    c->asc = asc;
    c->ascq = ascq;
    c->work = CD_NONE;
    trace(c->drive.dev.board->log, atapi_sense, c->drive.dev.id, (uint64_t)key, (uint64_t)asc, (uint64_t)ascq);
    c->drive.count.cur = REASON_COMMAND | REASON_TO_HOST;
    ata_drive_finish(&c->drive, READY, (uint8_t)(key << 4 | ATA_ABRT), true);
}

/* The next DRQ block of the buffer. */
static void offer(struct atapi_cd *c, enum ata_phase phase)
{
    struct ata_drive *d = &c->drive;
    uint32_t from = d->block_end, n = d->buf_len - from, limit = c->byte_limit & ~1u;
    if (n > limit) n = limit;
    d->count.cur = phase == ATA_PIO_IN ? REASON_TO_HOST : 0;
    d->lba_mid.cur = (uint8_t)n;
    d->lba_high.cur = (uint8_t)(n >> 8);
    ata_drive_pio(d, phase, from, from + n, true);
}

static void start_data(struct atapi_cd *c, enum cd_work work, uint64_t len, vtime delay)
{
    c->work = (uint8_t)work;
    c->data_len = len;
    c->moved = 0;
    c->drive.buf_pos = c->drive.block_end = 0;
    ata_drive_work_after(&c->drive, c->dma ? ATA_DMA : ATA_MEDIUM, delay);
}

void atapi_reply(struct atapi_cd *c, uint32_t len, uint32_t allocated)
{
    c->drive.buf_len = len < allocated ? len : allocated;
    if (c->drive.buf_len) start_data(c, CD_REPLY, c->drive.buf_len, TIME_BLOCK);
    else atapi_good(c);
}

void atapi_take_parameters(struct atapi_cd *c, uint32_t len)
{
    c->drive.buf_len = len;
    memset(c->drive.buf, 0, len);
    start_data(c, CD_SELECT, len, TIME_BLOCK);
}

/* Blocks to read, with an address check; the medium is known to be there. */
static void start_read(struct atapi_cd *c, uint32_t lba, uint32_t blocks, uint8_t parts)
{
    uint32_t size = atapi_part_bytes(parts), all = atapi_blocks(c);
    if (lba > all || blocks > all - lba) {
        atapi_fail(c, SENSE_ILLEGAL_REQUEST, 0x21, 0);   /* logical block address out of range */
        return;
    }
    if (blocks == 0 || size == 0) {
        atapi_good(c);
        return;
    }
    vtime seek = lba == c->last_lba ? 0 : TIME_SEEK;
    c->lba = lba;
    c->last_lba = lba + blocks;
    c->parts = parts;
    c->drive.buf_len = 0;
    start_data(c, CD_READ, (uint64_t)blocks * size, seek + (c->dma ? TIME_READ * blocks : TIME_READ));
}

/* ---- commands in packets */

static void cmd_test_unit_ready(struct atapi_cd *c)
{
    atapi_good(c);
}

static void cmd_request_sense(struct atapi_cd *c)
{
    uint8_t *buf = c->drive.buf;
    if (c->key == SENSE_NONE && c->attention) {
        c->key = SENSE_UNIT_ATTENTION;
        c->asc = c->attention & ATTENTION_RESET ? 0x29 : 0x28;
        c->ascq = 0;
        c->attention &= (uint8_t)(c->attention & ATTENTION_RESET ? ~ATTENTION_RESET : ~ATTENTION_MEDIUM);
    }
    memset(buf, 0, 18);
    buf[0] = 0x70;
    buf[2] = c->key;
    buf[7] = 10;
    buf[12] = c->asc;
    buf[13] = c->ascq;
    c->key = c->asc = c->ascq = 0;
    atapi_reply(c, 18, c->packet[4]);
}

static void tray(struct atapi_cd *c, bool open)
{
    if (c->tray_open == open) return;
    c->tray_open = open;
    trace(c->drive.dev.board->log, atapi_tray, c->drive.dev.id, (uint64_t)open, (uint64_t)(c->drive.blk != NULL));
    if (!c->drive.blk) return;
    c->event = open ? EVENT_MEDIA_REMOVAL : EVENT_NEW_MEDIA;
    if (!open) c->attention |= ATTENTION_MEDIUM;
}

static void cmd_start_stop(struct atapi_cd *c)
{
    bool start = c->packet[4] & 1, load_eject = c->packet[4] & 2;
    if (c->packet[4] & 0xf0) {                           /* a power condition: nothing to spin down */
        atapi_good(c);
        return;
    }
    if (load_eject && !start && c->locked) {
        /* medium removal prevented */
        atapi_fail(c, atapi_disc_ready(c) ? SENSE_ILLEGAL_REQUEST : SENSE_NOT_READY, 0x53, 0x02);
        return;
    }
    if (load_eject) tray(c, !start);
    if (start && !atapi_disc_ready(c)) atapi_fail(c, SENSE_NOT_READY, 0x3a, c->tray_open ? 2 : 1);
    else atapi_good(c);
}

static void cmd_prevent_removal(struct atapi_cd *c)
{
    c->locked = c->packet[4] & 1;
    atapi_good(c);
}

static void cmd_read_capacity(struct atapi_cd *c)
{
    st32be(c->drive.buf, atapi_blocks(c) - 1);
    st32be(c->drive.buf + 4, CD_DATA);
    atapi_reply(c, 8, 8);
}

static void cmd_read(struct atapi_cd *c)
{
    uint32_t blocks = c->packet[0] == 0xa8 ? ld32be(c->packet + 6) : ld16be(c->packet + 7);
    start_read(c, ld32be(c->packet + 2), blocks, PART_DATA);
}

/* SEEK and VERIFY: the address is checked, nothing moves. */
static void cmd_seek(struct atapi_cd *c)
{
    uint32_t lba = ld32be(c->packet + 2), all = atapi_blocks(c);
    uint32_t blocks = c->packet[0] == 0x2f ? ld16be(c->packet + 7) : 0;
    if (lba >= all || blocks > all - lba) {
        atapi_fail(c, SENSE_ILLEGAL_REQUEST, 0x21, 0);
        return;
    }
    c->last_lba = lba;
    atapi_good(c);
}

/* READ CD and READ CD MSF. Mode 1 has no subheader; C2 pointers and sub-channels are not on a disc image. */
static void cmd_read_cd(struct atapi_cd *c)
{
    const uint8_t *k = c->packet;
    uint8_t type = k[1] >> 2 & 7, parts = k[9] & (PART_SYNC | PART_HEADER | PART_DATA | PART_EDC);
    uint32_t lba = ld32be(k + 2), blocks = ld32be(k + 5) & 0xffffff;
    if (k[0] == 0xb9) {
        uint32_t start = (k[3] * 60u + k[4]) * 75u + k[5], end = (k[6] * 60u + k[7]) * 75u + k[8];
        if (start < 150 || end < start) {
            atapi_invalid_field(c);
            return;
        }
        lba = start - 150;
        blocks = end - start;
    } else {
        blocks = (uint32_t)k[6] << 16 | ld16be(k + 7);
    }
    if ((k[9] & 0x06) || (k[10] & 7)) {
        atapi_invalid_field(c);
        return;
    }
    if (type != 0 && type != 2) {
        atapi_fail(c, SENSE_ILLEGAL_REQUEST, 0x64, 0);   /* illegal mode for this track */
        return;
    }
    start_read(c, lba, blocks, parts);
}

enum { NEEDS_DISC = 1, KEEPS_ATTENTION = 2 };
static const struct { void (*run)(struct atapi_cd *); uint8_t flags; } packets[256] = {
    [0x00] = { cmd_test_unit_ready, NEEDS_DISC },
    [0x03] = { cmd_request_sense, KEEPS_ATTENTION },
    [0x12] = { cmd_inquiry, KEEPS_ATTENTION },
    [0x15] = { cmd_mode_select, 0 },
    [0x1a] = { cmd_mode_sense, 0 },
    [0x1b] = { cmd_start_stop, 0 },
    [0x1e] = { cmd_prevent_removal, 0 },
    [0x25] = { cmd_read_capacity, NEEDS_DISC },
    [0x28] = { cmd_read, NEEDS_DISC },
    [0x2b] = { cmd_seek, NEEDS_DISC },
    [0x2f] = { cmd_seek, NEEDS_DISC },
    [0x42] = { cmd_read_subchannel, NEEDS_DISC },
    [0x43] = { cmd_read_toc, NEEDS_DISC },
    [0x44] = { cmd_read_header, NEEDS_DISC },
    [0x46] = { cmd_get_configuration, KEEPS_ATTENTION },
    [0x4a] = { cmd_get_event_status, KEEPS_ATTENTION },
    [0x51] = { cmd_read_disc_information, NEEDS_DISC },
    [0x52] = { cmd_read_track_information, NEEDS_DISC },
    [0x55] = { cmd_mode_select, 0 },
    [0x5a] = { cmd_mode_sense, 0 },
    [0xa8] = { cmd_read, NEEDS_DISC },
    [0xad] = { cmd_read_dvd_structure, NEEDS_DISC },
    [0xb9] = { cmd_read_cd, NEEDS_DISC },
    [0xbb] = { cmd_set_cd_speed, 0 },
    [0xbd] = { cmd_mechanism_status, 0 },
    [0xbe] = { cmd_read_cd, NEEDS_DISC },
};

static void run_packet(struct atapi_cd *c)
{
    uint8_t op = c->packet[0], flags = packets[op].flags;
    trace(c->drive.dev.board->log, atapi_packet, c->drive.dev.id, (uint64_t)op, (uint64_t)c->packet[1],
          (uint64_t)ld32be(c->packet + 2));
    if (op != 0x03) c->key = c->asc = c->ascq = 0;
    if (c->attention && !(flags & KEEPS_ATTENTION)) {
        bool reset = c->attention & ATTENTION_RESET;
        c->attention &= (uint8_t)(reset ? ~ATTENTION_RESET : ~ATTENTION_MEDIUM);
        atapi_fail(c, SENSE_UNIT_ATTENTION, reset ? 0x29 : 0x28, 0);
        return;
    }
    if (!packets[op].run) {
        log_unimp(c->drive.dev.board->log, c->drive.dev.id, 0x100u + op, "packet command %02x is not supported", op);
        atapi_fail(c, SENSE_ILLEGAL_REQUEST, 0x20, 0);   /* invalid command operation code */
        return;
    }
    if ((flags & NEEDS_DISC) && !atapi_disc_ready(c)) {
        atapi_fail(c, SENSE_NOT_READY, 0x3a, c->tray_open ? 2 : 1);      /* medium not present */
        return;
    }
    packets[op].run(c);
}

/* ---- the drive at work */

static void data_moved(struct atapi_cd *c)
{
    if (c->work == CD_SELECT) cmd_mode_select(c);
    else atapi_good(c);
}

/* PIO: fills the buffer when it is used up, and offers the next block. */
static void work_pio(struct atapi_cd *c)
{
    struct ata_drive *d = &c->drive;
    struct error e = { "" };
    if (d->block_end < d->buf_len) {
        offer(c, c->work == CD_SELECT ? ATA_PIO_OUT : ATA_PIO_IN);
        return;
    }
    uint32_t size = atapi_part_bytes(c->parts);
    if (c->work != CD_READ || c->moved >= c->data_len || size == 0) {
        data_moved(c);
        return;
    }
    uint32_t n = ATA_BUFFER - ATA_BUFFER % size;
    if (n > c->data_len - c->moved) n = (uint32_t)(c->data_len - c->moved);
    enum host_status st = move_in(d, d->buf, c->moved, n, &e);
    if (st != HOST_OK) {
        ata_drive_host_failed(d, st, &e);
        return;
    }
    c->moved += n;
    d->buf_len = n;
    d->block_end = 0;
    offer(c, ATA_PIO_IN);
}

static void cd_work(struct ata_drive *d)
{
    struct atapi_cd *c = (struct atapi_cd *)d;
    bool out = c->work == CD_SELECT;
    switch ((enum cd_work)c->work) {
    case CD_PACKET:
        run_packet(c);
        return;
    case CD_REPLY:
    case CD_READ:
    case CD_SELECT:
        if (d->phase != ATA_DMA) work_pio(c);
        else if (ata_drive_dma(d, !out, c->data_len, &c->moved, out ? move_out : move_in)) data_moved(c);
        return;
    case CD_NONE:
    case CD_WORKS:
        ata_drive_finish(d, READY, ATA_ABRT, true);
        return;
    }
}

static void cd_block_done(struct ata_drive *d)
{
    struct atapi_cd *c = (struct atapi_cd *)d;
    switch ((enum cd_work)c->work) {
    case CD_PACKET:
        memcpy(c->packet, d->buf, PACKET);
        ata_drive_work_after(d, ATA_MEDIUM, TIME_PACKET);
        return;
    case CD_NONE:                                        /* IDENTIFY PACKET DEVICE ends as on a disk */
        ata_drive_finish(d, READY, 0, false);
        return;
    default:
        ata_drive_work_after(d, ATA_MEDIUM, d->block_end < d->buf_len || c->work != CD_READ ? TIME_BLOCK : TIME_READ);
        return;
    }
}

/* ---- commands in the command register */

static void start_packet(struct atapi_cd *c)
{
    struct ata_drive *d = &c->drive;
    uint32_t limit = d->lba_mid.cur | (uint32_t)d->lba_high.cur << 8;
    if (d->features.cur & FEATURE_OVERLAP) {
        ata_drive_finish(d, READY, ATA_ABRT, true);
        return;
    }
    c->dma = d->features.cur & FEATURE_DMA;
    /* ATA-6 8.25.7: FFFFh means FFFEh, an odd limit is for one last block only. 0 with data to come is the host's
     * mistake; drives take it as the maximum, and some hosts rely on that when they expect no data. */
    c->byte_limit = limit < 2 || limit == 0xffff ? 0xfffe : limit & ~1u;
    c->work = CD_PACKET;
    d->count.cur = REASON_COMMAND;
    d->buf_len = PACKET;
    ata_drive_pio(d, ATA_PIO_OUT, 0, PACKET, false);
}

static bool set_features(struct atapi_cd *c)
{
    uint8_t v = c->drive.count.cur;
    switch (c->drive.features.cur) {
    case 0x03:
        if (v >> 3 > 1 && !(v >> 3 == 4 && (v & 7) <= 2) && !(v >> 3 == 8 && (v & 7) <= 5)) return false;
        if ((v >> 3 == 1 && (v & 7) > 4) || (v >> 3 == 0 && (v & 7) > 1)) return false;
        if (v >> 3 >= 4) c->transfer_mode = v;
        return true;
    case 0x66: c->keep_settings = true; return true;
    case 0xcc: c->keep_settings = false; return true;
    default: return false;
    }
}

static void cd_command(struct ata_drive *d)
{
    struct atapi_cd *c = (struct atapi_cd *)d;
    bool ok = true;
    c->work = CD_NONE;
    switch (d->command) {
    case 0xa0:
        start_packet(c);
        return;
    case 0xa1:
        atapi_identify(c, d->buf);
        d->buf_len = 512;
        ata_drive_pio(d, ATA_PIO_IN, 0, 512, true);
        return;
    case 0x20:                                           /* READ SECTOR(S), IDENTIFY DEVICE: abort and show the */
    case 0xec:                                           /* signature, so that the host asks a packet device */
        ata_drive_signature(d);
        ok = false;
        break;
    case 0xef:
        ok = set_features(c);
        break;
    case 0xe0:                                           /* standby and idle immediate */
    case 0xe1:
        break;
    case 0xe5:
        d->count.cur = 0xff;
        break;
    case 0xe6:
        ata_drive_finish(d, READY, 0, true);
        d->asleep = true;
        return;
    default:
        if (d->command) log_unimp(d->dev.board->log, d->dev.id, d->command, "command %02x is aborted", d->command);
        ok = false;
        break;
    }
    ata_drive_finish(d, READY, ok ? 0 : ATA_ABRT, true);
}

/* ---- class and create */

static void cd_reset(struct ata_drive *d, bool hard)
{
    struct atapi_cd *c = (struct atapi_cd *)d;
    c->work = CD_NONE;
    c->data_len = c->moved = 0;
    c->byte_limit = 0xfffe;
    if (hard) {
        memset(c->packet, 0, sizeof c->packet);
        c->key = c->asc = c->ascq = 0;
        c->attention = ATTENTION_RESET;
        c->event = EVENT_NONE;
        c->locked = c->keep_settings = c->dma = false;
        c->transfer_mode = c->parts = 0;
        c->lba = c->last_lba = 0;
    }
    if (!c->keep_settings) atapi_mode_defaults(c);
}

static const struct ata_drive_ops cd_ops = {
    .command = cd_command, .work = cd_work, .block_done = cd_block_done, .reset = cd_reset, .packet = true,
};

static void cd_loaded(struct device *dev)
{
    struct atapi_cd *c = (struct atapi_cd *)dev;
    struct ata_drive *d = &c->drive;
    ata_drive_loaded(d);
    /* Against hostile files: only the last block of the buffer ends at an odd byte, and replies are in the buffer. */
    if (d->block_end < d->buf_len) d->block_end &= ~1u;
    if (c->work != CD_READ && c->data_len > d->buf_len) c->data_len = d->buf_len;
    if (c->moved > c->data_len) c->moved = c->data_len;
    if (c->work == CD_PACKET && d->phase == ATA_PIO_OUT && d->buf_len < PACKET) c->work = CD_NONE;
}

static void cd_destroy(struct device *dev)
{
    struct atapi_cd *c = (struct atapi_cd *)dev;
    ata_drive_fini(&c->drive);
    free(c);
}

static const struct device_class cd_class = {
    .name = "atapi_cd", .title = "ATAPI CD/DVD drive", .reset = ata_drive_reset, .loaded = cd_loaded,
    .destroy = cd_destroy, .state = &cd_state,
};

struct device *atapi_cd_create(struct board *b, const char *id, struct ata_channel *ch, unsigned unit, struct blk *blk)
{
    struct atapi_cd *c = calloc(1, sizeof *c);
    (void)b;
    if (!c) return NULL;
    ata_drive_init(&c->drive, &cd_class, &cd_ops, id, ch, unit, blk);
    ata_drive_reset(&c->drive.dev, RESET_POWER_ON);
    return &c->drive.dev;
}

enum host_status atapi_cd_change(struct device *cd, struct blk *blk, bool force)
{
    struct atapi_cd *c = (struct atapi_cd *)cd;
    if (c->locked && !c->tray_open && !force) {
        c->event = EVENT_EJECT_REQUEST;                  /* as the button on the drive does */
        return HOST_BUSY;
    }
    tray(c, true);
    blk_close(c->drive.blk);
    c->drive.blk = blk;
    if (!blk) return HOST_OK;
    tray(c, false);
    return HOST_OK;
}

bool atapi_cd_locked(struct device *cd)
{
    return ((struct atapi_cd *)cd)->locked;
}

bool atapi_cd_tray_open(struct device *cd)
{
    return ((struct atapi_cd *)cd)->tray_open;
}
