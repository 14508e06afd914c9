/* The 82077AA's execution phase: READ, WRITE, FORMAT, VERIFY, SCAN and READ ID. Datasheet chapter 5.1.
 *
 * The oddest behaviour: the length of a transfer is not in the command. The controller goes on from sector to sector
 * until the DMA controller signals terminal count, or until it has done the sector whose number is EOT: then it ends
 * "abnormally" with End of Cylinder, which is how every transfer without DMA ends. With terminal count in the middle of
 * a sector the rest of it is still read, or written with zeros.
 *
 * A disk image knows data of standard sectors only. Which of them have a deleted data mark is kept as long as the disk is
 * in the drive.
 * GAP: FORMAT with other than the image's own sectors leaves the image alone. GAP: the FIFO never overruns or runs dry; a
 * host without DMA may take its time. */
#include "devices/i82077_state.h"

#include <string.h>
#include "base/bytes.h"

enum scan_order { SCAN_SAME, SCAN_DISK_LOWER, SCAN_DISK_HIGHER };
enum { DMA_TRIES = 2000 };                               /* 200 ms: one turn of the disk */
enum { SIZE_512 = 2, ID_BYTES = 4 };

#define TIME_SECTOR VTIME_US(300)
#define TIME_DMA    VTIME_US(100)
#define TIME_BURST  VTIME_US(2)
#define TIME_RETRY  VTIME_MS(1)                          /* after a host failure */

static unsigned opcode(const struct i82077 *f)
{
    return f->command[0] & 0x1f;
}

bool fdc_data_to_host(const struct i82077 *f)
{
    unsigned op = opcode(f);
    return op == CMD_READ || op == CMD_READ_DELETED || op == CMD_READ_TRACK;
}

static bool is_write(const struct i82077 *f)
{
    return opcode(f) == CMD_WRITE || opcode(f) == CMD_WRITE_DELETED;
}

static bool is_scan(const struct i82077 *f)
{
    return opcode(f) == CMD_SCAN_EQUAL || opcode(f) == CMD_SCAN_LOW || opcode(f) == CMD_SCAN_HIGH;
}

static void wait_in(struct i82077 *f, enum fdc_phase phase, vtime time)
{
    f->phase = phase;
    timer_arm(&f->timer, clock_now(f->dev.board->clock) + time);
}

static void request_dma(struct i82077 *f, bool on)
{
    if (f->dma) isa_dma_request(f->dma, f->dma_channel, on);
}

/* ---- ends */

static void finish(struct i82077 *f, uint8_t st0, uint8_t st1, uint8_t st2)
{
    f->st0 = (uint8_t)((f->st0 & ~0x04) | f->head << 2 | st0);
    f->st1 |= st1;
    f->st2 |= st2;
    request_dma(f, false);
    trace(f->dev.board->log, i82077_result, f->dev.id, (uint64_t)f->st0, (uint64_t)f->st1, (uint64_t)f->st2, (uint64_t)f->c,
          (uint64_t)f->h, (uint64_t)f->r);
    const uint8_t r[7] = { f->st0, f->st1, f->st2, f->c, f->h, f->r, SIZE_512 };
    memcpy(f->result, r, sizeof r);
    if (opcode(f) != CMD_READ_ID && opcode(f) != CMD_FORMAT) f->result[6] = f->command[5];
    fdc_result(f, 7, true);
}

static void host_failed(struct i82077 *f, enum host_status st, const struct error *e)
{
    wait_in(f, (enum fdc_phase)f->phase, TIME_RETRY);
    device_host_failed(&f->dev, st, e);
}

/* The ID after the present one: what the result phase tells (datasheet table 5-6), and where a multi-track command goes
 * on. */
static void advance_id(struct i82077 *f, uint8_t eot)
{
    if (f->r != eot) {
        f->r++;
        return;
    }
    f->r = 1;
    if (f->command[0] & CMD_MT) {
        f->h ^= 1;
        if (f->head == 1) f->c++;
    } else {
        f->c++;
    }
}

/* ---- the disk */

static struct floppy_drive *turning_disk(struct i82077 *f)
{
    struct floppy_drive *d = fdc_drive(f, f->unit);
    return d && d->blk && fdc_motor_on(f, f->unit) ? d : NULL;
}

/* Do ID marks come by under this head at this rate? *track is what they say. */
static bool marks(struct i82077 *f, struct floppy_drive *d, unsigned *track)
{
    enum floppy_rate rate;
    return (f->command[0] & CMD_MFM) && f->head < d->geometry.heads &&
           floppy_track_at(&d->geometry, d->type, d->cylinder, track, &rate) && (unsigned)rate == f->rate;
}

static uint64_t offset_of(const struct i82077 *f, const struct floppy_drive *d, unsigned track, unsigned number)
{
    return (((uint64_t)track * d->geometry.heads + f->head) * d->geometry.sectors + number - 1) * FDC_SECTOR;
}

/* Looks for the wanted ID. 0, or what ST1 says; *off is the place in the image. */
static uint8_t find_sector(struct i82077 *f, struct floppy_drive *d, uint64_t *off)
{
    unsigned track;
    if (!marks(f, d, &track)) return ST1_MA;
    if (opcode(f) == CMD_READ_TRACK) {                   /* whatever comes by, from the index hole on */
        unsigned n = (unsigned)(f->command[6] - f->left) % d->geometry.sectors + 1;
        if (f->c != track || f->h != f->head || f->r != n) f->st1 |= ST1_ND;
        *off = offset_of(f, d, track, n);
        return 0;
    }
    if (f->c != track) f->st2 |= ST2_WC;
    if (f->c != track || f->h != f->head || f->r == 0 || f->r > d->geometry.sectors || f->command[5] != SIZE_512)
        return ST1_ND;
    *off = offset_of(f, d, track, f->r);
    /* The image was cut off: what is missing reads as zeros and cannot be written. */
    return is_write(f) && *off + FDC_SECTOR > d->blk->size ? ST1_ND : 0;
}

/* The data mark of the sector at that place of the image. */
static bool deleted(const struct floppy_drive *d, uint64_t off)
{
    uint64_t n = off / FDC_SECTOR;
    return n < FDC_SECTORS_MAX && d->deleted[n / 8] >> (n % 8) & 1;
}

static void set_mark(struct floppy_drive *d, uint64_t off, bool on)
{
    uint64_t n = off / FDC_SECTOR;
    if (n >= FDC_SECTORS_MAX) return;
    uint8_t bit = (uint8_t)(1u << n % 8);
    d->deleted[n / 8] = (uint8_t)(on ? d->deleted[n / 8] | bit : d->deleted[n / 8] & ~bit);
}

static enum host_status read_sector(struct i82077 *f, struct floppy_drive *d, uint64_t off, struct error *e)
{
    uint64_t there = off >= d->blk->size ? 0 : d->blk->size - off;
    if (there > FDC_SECTOR) there = FDC_SECTOR;
    memset(f->buf, 0, sizeof f->buf);
    return there ? blk_read(d->blk, off, f->buf, there, e) : HOST_OK;
}

/* ---- from sector to sector */

static void search(struct i82077 *f)
{
    wait_in(f, FDC_SEARCH, TIME_SECTOR);
}

static void sector_done(struct i82077 *f)
{
    unsigned op = opcode(f);
    uint8_t eot = f->command[6];
    unsigned stride = is_scan(f) && f->command[8] == 2 ? 2 : 1;
    f->len = f->pos = f->burst_end = 0;
    if (op == CMD_FORMAT || op == CMD_READ_TRACK) {
        if (f->left) f->left--;
        if (op == CMD_READ_TRACK) f->r++;
        bool end_of_track = op == CMD_READ_TRACK && !f->tc;
        if (f->tc || f->left == 0) finish(f, end_of_track ? ST0_ABNORMAL : 0, end_of_track ? ST1_EN : 0, 0);
        else search(f);
        return;
    }
    if (f->st2 & ST2_CM && !(f->command[0] & CMD_SK) && !is_write(f)) {
        finish(f, 0, 0, 0);                              /* one sector with the wrong mark, address not incremented */
        return;
    }
    bool counted = op == CMD_VERIFY && (f->command[1] & 0x80);
    if (counted && f->left) f->left--;
    if (f->tc || (counted && f->left == 0)) {
        advance_id(f, eot);
        finish(f, 0, 0, 0);
    } else if (f->r + stride - 1 >= eot && f->r <= eot) {
        bool other_side = (f->command[0] & CMD_MT) && f->head == 0;
        f->r = eot;
        advance_id(f, eot);
        if (other_side) {
            f->head = 1;
            search(f);
        } else {
            bool normal = is_scan(f) || (op == CMD_VERIFY && !counted);
            finish(f, normal ? 0 : ST0_ABNORMAL, normal ? 0 : ST1_EN, 0);
        }
    } else {
        f->r = (uint8_t)(f->r + stride);
        search(f);
    }
}

static bool scan_satisfied(const struct i82077 *f)
{
    return f->scan == SCAN_SAME || (opcode(f) == CMD_SCAN_LOW && f->scan == SCAN_DISK_LOWER) ||
           (opcode(f) == CMD_SCAN_HIGH && f->scan == SCAN_DISK_HIGHER);
}

/* All bytes of a sector (or ID) are over, or terminal count cut them off. */
static void transfer_done(struct i82077 *f)
{
    if (is_write(f) || opcode(f) == CMD_FORMAT) {
        memset(f->buf + f->pos, 0, sizeof f->buf - f->pos);
        wait_in(f, FDC_COMMIT, TIME_SECTOR);
        return;
    }
    if (is_scan(f)) {
        if (scan_satisfied(f)) {
            f->st2 &= (uint8_t)~ST2_SN;
            finish(f, 0, 0, f->scan == SCAN_SAME ? ST2_SH : 0);
            return;
        }
        f->st2 |= ST2_SN;
    }
    sector_done(f);
}

/* FORMAT TRACK got the four bytes of an ID: C, H, R, N. */
static enum host_status format_sector(struct i82077 *f, struct floppy_drive *d, struct error *e)
{
    unsigned track = 0;
    enum floppy_rate rate;
    const uint8_t *id = f->buf;
    bool here = floppy_track_at(&d->geometry, d->type, d->cylinder, &track, &rate) && (unsigned)rate == f->rate &&
                f->head < d->geometry.heads;
    if (!here || id[0] != track || id[1] != f->head || id[3] != SIZE_512 || id[2] == 0 || id[2] > d->geometry.sectors) {
        log_unimp(f->dev.board->log, f->dev.id, 0xf0d, "FORMAT TRACK with sectors that the image cannot hold");
        return HOST_OK;
    }
    uint8_t filler[FDC_SECTOR];
    uint64_t off = offset_of(f, d, track, id[2]);
    memset(filler, f->command[5], sizeof filler);
    set_mark(d, off, false);
    return off + FDC_SECTOR > d->blk->size ? HOST_OK : blk_write(d->blk, off, filler, sizeof filler, e);
}

static void commit(struct i82077 *f)
{
    struct floppy_drive *d = turning_disk(f);
    struct error e = { "" };
    uint64_t off = 0;
    enum host_status st;
    if (!d || d->blk->read_only) {                       /* taken out, or exchanged, while its data were on the way */
        finish(f, ST0_ABNORMAL, ST1_NW, 0);
        return;
    }
    if (opcode(f) == CMD_FORMAT) {
        st = format_sector(f, d, &e);
    } else {
        uint8_t st1 = find_sector(f, d, &off);
        if (st1) {
            finish(f, ST0_ABNORMAL, st1, 0);
            return;
        }
        st = blk_write(d->blk, off, f->buf, FDC_SECTOR, &e);
        if (st == HOST_OK) set_mark(d, off, opcode(f) == CMD_WRITE_DELETED);
    }
    if (st != HOST_OK) host_failed(f, st, &e);
    else sector_done(f);
}

/* ---- between the buffer and the host */

static void take_from_host(struct i82077 *f, const uint8_t *p, unsigned n)
{
    if (!is_scan(f)) {
        memcpy(f->buf + f->pos, p, n);
        return;
    }
    for (unsigned i = 0; i < n; i++) {                   /* FFh on either side matches all (8272A datasheet, SCAN) */
        uint8_t disk = f->buf[f->pos + i];
        if (f->scan == SCAN_SAME && disk != p[i] && disk != 0xff && p[i] != 0xff)
            f->scan = disk < p[i] ? SCAN_DISK_LOWER : SCAN_DISK_HIGHER;
    }
}

static void dma_step(struct i82077 *f)
{
    uint8_t host[FDC_SECTOR];
    bool tc = false;
    unsigned n = 0, want = (unsigned)(f->len - f->pos);
    if (f->dma && ((f->dor & DOR_DMAGATE) || f->ps2)) {
        if (fdc_data_to_host(f)) {
            n = isa_dma_write(f->dma, f->dma_channel, f->buf + f->pos, want, &tc);
        } else {
            n = isa_dma_read(f->dma, f->dma_channel, host, want, &tc);
            if (n > want) n = want;
            take_from_host(f, host, n);
        }
    }
    f->pos = (uint16_t)(f->pos + (n < want ? n : want));
    f->tc |= tc;
    if (f->pos == f->len || tc) {
        request_dma(f, false);
        transfer_done(f);
        return;
    }
    f->tries = n ? 0 : (uint16_t)(f->tries + 1);
    if (f->tries >= DMA_TRIES) finish(f, ST0_ABNORMAL, ST1_OR, 0);
    else wait_in(f, FDC_DMA, TIME_DMA);
}

static void start_transfer(struct i82077 *f, unsigned len)
{
    f->len = (uint16_t)len;
    f->pos = f->burst_end = 0;
    f->tries = 0;
    f->scan = SCAN_SAME;
    if (f->specify[1] & SPECIFY_NON_DMA) {
        wait_in(f, FDC_PIO_GAP, TIME_BURST);
        return;
    }
    f->phase = FDC_DMA;
    request_dma(f, true);
    dma_step(f);
}

/* The FIFO asks for service when it is filled to its threshold; without the FIFO every byte is asked for. */
static void start_burst(struct i82077 *f)
{
    if (f->pos >= f->len) {
        transfer_done(f);
        return;
    }
    unsigned n = f->config & CONFIG_EFIFO ? 1 : 16u - (f->config & CONFIG_THRESHOLD);
    f->burst_end = (uint16_t)(f->pos + n < f->len ? f->pos + n : f->len);
    f->phase = FDC_PIO;
    fdc_set_interrupt(f, true);
}

static void pio_moved(struct i82077 *f)
{
    if (++f->pos < f->burst_end) return;
    fdc_set_interrupt(f, false);
    wait_in(f, FDC_PIO_GAP, TIME_BURST);
}

uint8_t fdc_pio_read(struct i82077 *f)
{
    uint8_t v = f->buf[f->pos];
    pio_moved(f);
    return v;
}

void fdc_pio_write(struct i82077 *f, uint8_t v)
{
    take_from_host(f, &v, 1);
    pio_moved(f);
}

/* ---- the sector comes round */

static void read_id(struct i82077 *f, struct floppy_drive *d)
{
    unsigned track;
    if (!marks(f, d, &track)) {
        finish(f, ST0_ABNORMAL, ST1_MA, 0);
        return;
    }
    f->c = (uint8_t)track;
    f->h = f->head;
    f->r = (uint8_t)(clock_now(f->dev.board->clock) / TIME_SECTOR % d->geometry.sectors + 1);   /* the disk turns */
    finish(f, 0, 0, 0);
}

static void sector_arrives(struct i82077 *f)
{
    struct floppy_drive *d = turning_disk(f);
    struct error e = { "" };
    uint64_t off = 0;
    unsigned op = opcode(f);
    if (!d) {
        f->phase = FDC_NO_INDEX;
        return;
    }
    if (op == CMD_READ_ID) {
        read_id(f, d);
        return;
    }
    if ((is_write(f) || op == CMD_FORMAT) && d->blk->read_only) {
        finish(f, ST0_ABNORMAL, ST1_NW, 0);
        return;
    }
    if (op == CMD_FORMAT) {
        start_transfer(f, ID_BYTES);
        return;
    }
    uint8_t st1 = find_sector(f, d, &off);
    if (st1) {
        finish(f, ST0_ABNORMAL, st1, 0);
        return;
    }
    if (is_write(f)) {
        start_transfer(f, FDC_SECTOR);
        return;
    }
    enum host_status st = read_sector(f, d, off, &e);
    if (st != HOST_OK) {
        host_failed(f, st, &e);
        return;
    }
    /* Not the mark that the command is for: with SK it is skipped, else it is the last (datasheet tables 5-3, 5-4). */
    bool wrong = op != CMD_READ_TRACK && deleted(d, off) != (op == CMD_READ_DELETED);
    if (wrong) f->st2 |= ST2_CM;
    if (op == CMD_VERIFY || (wrong && f->command[0] & CMD_SK)) sector_done(f);
    else start_transfer(f, FDC_SECTOR);
}

/* ---- starts */

static void begin(struct i82077 *f)
{
    f->unit = f->dor & 3;
    f->head = f->command[1] >> 2 & 1;
    f->st0 = f->command[1] & 7;
    f->st1 = f->st2 = 0;
    f->tc = false;
    f->tries = f->left = 0;
    f->len = f->pos = f->burst_end = 0;
}

void fdc_start_read_id(struct i82077 *f)
{
    begin(f);
    f->c = f->h = f->r = 0;
    search(f);
}

void fdc_start_data(struct i82077 *f)
{
    unsigned op = opcode(f), n = f->command[1] & 3;
    begin(f);
    if (op == CMD_FORMAT) {
        f->c = f->seek[n].pcn;
        f->h = f->head;
        f->r = 1;
        f->left = f->last_eot = f->command[3];
        if (f->left) search(f);
        else finish(f, 0, 0, 0);
        return;
    }
    f->c = f->command[2];
    f->h = f->command[3];
    f->r = f->command[4];
    f->last_eot = f->command[6];
    if (op == CMD_READ_TRACK) f->left = f->command[6];
    if (op == CMD_VERIFY) f->left = f->command[8];
    if ((f->config & CONFIG_EIS) && f->c != f->seek[n].pcn)
        wait_in(f, FDC_IMPLIED_SEEK, fdc_step(f, f->unit, f->c - f->seek[n].pcn));
    else
        search(f);
}

void fdc_index_may_come(struct i82077 *f)
{
    if (f->phase == FDC_NO_INDEX && turning_disk(f)) search(f);
}

void fdc_data_timer(struct i82077 *f)
{
    switch ((enum fdc_phase)f->phase) {
    case FDC_IMPLIED_SEEK:
        f->seek[f->command[1] & 3].pcn = f->c;
        search(f);
        return;
    case FDC_SEARCH: sector_arrives(f); return;
    case FDC_DMA: dma_step(f); return;
    case FDC_PIO_GAP: start_burst(f); return;
    case FDC_COMMIT: commit(f); return;
    default: return;                                     /* a state file may arm the timer in any phase */
    }
}
