/* The 82077AA floppy disk controller: registers, seeks, and the commands that move no data. Intel 82077AA datasheet
 * (order 290166), called "datasheet" here. PC/AT mode; PS/2 mode by a pin.
 *
 * The oddest behaviour: the controller does not know whether a disk is in the drive, or whether it turns. It has no
 * READY input; it waits for the index pulse, and a command on an empty drive or with the motor off waits until the host
 * resets the controller. That is what a BIOS times out on, and why the change line is there. The model waits too, and
 * goes on if a disk is put in or the motor starts.
 *
 * After a reset the chip polls four drives, finds all "changed" to ready, and owes a SENSE INTERRUPT STATUS for each,
 * though it interrupts once. Drive numbers in commands only choose the cylinder counter and go into ST0: which drive
 * steps and turns is up to the select bits of the digital output register.
 *
 * Times are short (a step 100 us, a sector 300 us): they order events, drivers have upper limits only.
 * Of an image that ends within a track, what is missing reads as zeros, and a write there as a sector not found (ND).
 * In power-down (DSR bit 6) the clock stands still and nothing answers but the registers themselves, until a reset.
 * Write precompensation changes nothing that could be seen. */
#include "devices/i82077_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"

enum { SRA, SRB, DOR, TDR, MSR, FIFO, DIR = 7, DSR = MSR, CCR = DIR };
enum { MSR_RQM = 0x80, MSR_DIO = 0x40, MSR_NON_DMA = 0x20, MSR_BUSY = 0x10 };
enum { DSR_RESET = 0x80, DSR_POWER_DOWN = 0x40, DSR_RATE = 0x03 };
enum { PERPENDICULAR_OVERWRITE = 0x80, PERPENDICULAR_DRIVES = 0x3c, PERPENDICULAR_GAP_WGATE = 0x03 };
enum { CYLINDERS_MAX = 84, RECALIBRATE_STEPS = 79 };

#define TIME_STEP   VTIME_US(100)
#define TIME_SETTLE VTIME_US(200)
#define TIME_POLL   VTIME_US(100)

/* ---- state tables */

static const struct state_field drive_fields[] = {
    FIELD_HOST(struct floppy_drive, blk),
    FIELD_DERIVED(struct floppy_drive, geometry),
    FIELD_WIRING(struct floppy_drive, present),
    FIELD_WIRING(struct floppy_drive, type),
    FIELD_RANGE(struct floppy_drive, cylinder, 0, CYLINDERS_MAX - 1, "cylinder under the head"),
    FIELD(struct floppy_drive, changed, "DSKCHG"),
    FIELD_ARRAY(struct floppy_drive, deleted, "deleted data marks, a bit a sector"),
    FIELD_WIRING(struct floppy_drive, unused),
};
static const struct state_desc drive_state = STATE_DESC(struct floppy_drive, "floppy_drive", drive_fields);

static const struct state_field seek_fields[] = {
    FIELD(struct fdc_seek, timer, "end of the seek"),
    FIELD(struct fdc_seek, pcn, "present cylinder number"),
    FIELD(struct fdc_seek, target, "PCN at the end of the seek"),
    FIELD(struct fdc_seek, st0, "for SENSE INTERRUPT STATUS"),
    FIELD(struct fdc_seek, pending, "not yet fetched"),
    FIELD(struct fdc_seek, busy, "seeking"),
    FIELD_WIRING(struct fdc_seek, unused),
};
static const struct state_desc seek_state = STATE_DESC(struct fdc_seek, "fdc_seek", seek_fields);

static const struct state_field fdc_fields[] = {
    FIELD_WIRING(struct i82077, dev),
    FIELD_WIRING(struct i82077, dma),
    FIELD_WIRING(struct i82077, dma_channel),
    FIELD_WIRING(struct i82077, ps2),
    FIELD_WIRING(struct i82077, lenient),
    FIELD_WIRING(struct i82077, unused),
    FIELD(struct i82077, irq, "IRQ6"),
    FIELD_STRUCTS(struct i82077, drive, &drive_state, "drives"),
    FIELD(struct i82077, timer, "next step of the execution phase"),
    FIELD(struct i82077, poll, "drive polling after reset"),
    FIELD_STRUCTS(struct i82077, seek, &seek_state, "cylinder counters"),
    FIELD(struct i82077, dor, "digital output: motors F0h, DMAGATE 08h, not reset 04h, drive 03h"),
    FIELD_RANGE(struct i82077, tdr, 0, 3, "tape drive"),
    FIELD(struct i82077, dsr, "data rate select"),
    FIELD_RANGE(struct i82077, rate, 0, 3, "0 500, 1 300, 2 250, 3 1000 kbit/s"),
    FIELD(struct i82077, interrupt, "INT before DMAGATE"),
    FIELD_RANGE(struct i82077, phase, 0, FDC_PHASES - 1,
                "0 command, 1 result, 2 implied seek, 3 search, 4 no index, 5 DMA, 6 PIO, 7 PIO gap, 8 commit"),
    FIELD_ARRAY(struct i82077, command, "command bytes"),
    FIELD_RANGE(struct i82077, command_len, 0, 9, "wanted"),
    FIELD_RANGE(struct i82077, command_pos, 0, 9, "received"),
    FIELD_ARRAY(struct i82077, result, "result bytes"),
    FIELD_RANGE(struct i82077, result_len, 0, 10, "to give"),
    FIELD_RANGE(struct i82077, result_pos, 0, 10, "given"),
    FIELD_ARRAY(struct i82077, specify, "SPECIFY: SRT and HUT, HLT and ND"),
    FIELD(struct i82077, config, "CONFIGURE: EIS 40h, EFIFO 20h, POLL 10h, FIFOTHR 0Fh"),
    FIELD(struct i82077, precompensation_track, "PRETRK"),
    FIELD(struct i82077, perpendicular, "D3-D0 3Ch, GAP 02h, WGATE 01h"),
    FIELD(struct i82077, last_eot, "EOT or SC of the last command"),
    FIELD(struct i82077, lock, "LOCK"),
    FIELD(struct i82077, st0, "ST0"),
    FIELD(struct i82077, st1, "ST1"),
    FIELD(struct i82077, st2, "ST2"),
    FIELD(struct i82077, c, "cylinder of the sector ID"),
    FIELD(struct i82077, h, "its head"),
    FIELD(struct i82077, r, "its number"),
    FIELD_RANGE(struct i82077, head, 0, 1, "side"),
    FIELD_RANGE(struct i82077, unit, 0, 3, "drive"),
    FIELD(struct i82077, tc, "terminal count"),
    FIELD_RANGE(struct i82077, scan, 0, 2, "SCAN so far: 0 equal, 1 disk lower, 2 disk higher"),
    FIELD(struct i82077, left, "sectors to come"),
    FIELD(struct i82077, tries, "DMA requests not granted"),
    FIELD_RANGE(struct i82077, len, 0, FDC_SECTOR, "bytes of the buffer in use"),
    FIELD_RANGE(struct i82077, pos, 0, FDC_SECTOR, "bytes moved"),
    FIELD_RANGE(struct i82077, burst_end, 0, FDC_SECTOR, "end of the FIFO burst"),
    FIELD_WIRING(struct i82077, unused2),
    FIELD_ARRAY(struct i82077, buf, "sector data, or an ID of FORMAT"),
};
static const struct state_desc fdc_state = STATE_DESC(struct i82077, "i82077", fdc_fields);

/* ---- interrupt, drives, steps */

static vtime now(struct i82077 *f)
{
    return clock_now(f->dev.board->clock);
}

/* In AT mode DMAGATE turns off the INT and DRQ pins (datasheet 2.1.3). */
static void update_irq(struct i82077 *f)
{
    irq_set(&f->irq, f->interrupt && ((f->dor & DOR_DMAGATE) || f->ps2));
}

void fdc_set_interrupt(struct i82077 *f, bool on)
{
    f->interrupt = on;
    update_irq(f);
}

struct floppy_drive *fdc_drive(struct i82077 *f, unsigned unit)
{
    return unit < I82077_DRIVES && f->drive[unit].present ? &f->drive[unit] : NULL;
}

bool fdc_motor_on(const struct i82077 *f, unsigned unit)
{
    return f->dor & (0x10 << unit);
}

vtime fdc_step(struct i82077 *f, unsigned unit, int steps)
{
    struct floppy_drive *d = fdc_drive(f, unit);
    if (d && steps) {
        int to = d->cylinder + steps;
        d->cylinder = (uint8_t)(to < 0 ? 0 : to >= CYLINDERS_MAX ? CYLINDERS_MAX - 1 : to);
        if (d->blk) d->changed = false;
    }
    return TIME_SETTLE + TIME_STEP * (unsigned)abs(steps);
}

void fdc_result(struct i82077 *f, unsigned len, bool irq)
{
    timer_disarm(&f->timer);
    f->phase = FDC_RESULT;
    f->result_len = (uint8_t)len;
    f->result_pos = 0;
    f->command_pos = f->command_len = 0;
    f->len = f->pos = f->burst_end = 0;
    if (irq) fdc_set_interrupt(f, true);
}

static void end_command(struct i82077 *f)
{
    f->phase = FDC_COMMAND;
    f->command_pos = f->command_len = 0;
    f->result_pos = f->result_len = 0;
}

/* ---- commands without data */

static void result1(struct i82077 *f, uint8_t v)
{
    f->result[0] = v;
    fdc_result(f, 1, false);
}

static void cmd_invalid(struct i82077 *f)
{
    result1(f, ST0_INVALID);
}

static void cmd_specify(struct i82077 *f)
{
    memcpy(f->specify, f->command + 1, 2);
    end_command(f);
}

static void cmd_sense_drive(struct i82077 *f)
{
    struct floppy_drive *d = fdc_drive(f, f->dor & 3);
    uint8_t st3 = 0x28 | (f->command[1] & 7);            /* ready and two-sided: no such inputs, they read 1 */
    if (d && d->cylinder == 0) st3 |= 0x10;
    if (d && d->blk && d->blk->read_only) st3 |= 0x40;
    result1(f, st3);
}

static void start_seek(struct i82077 *f, unsigned n, uint8_t target, uint8_t st0, vtime time)
{
    struct fdc_seek *s = &f->seek[n];
    s->target = target;
    s->st0 = st0;
    s->busy = true;
    s->pending = false;
    timer_arm(&s->timer, now(f) + time);
    end_command(f);
}

/* Steps outward until TRK0, at most 79 times: a head that was further in needs two recalibrates (datasheet 5.2.1). */
static void cmd_recalibrate(struct i82077 *f)
{
    unsigned n = f->command[1] & 3, unit = f->dor & 3;
    struct floppy_drive *d = fdc_drive(f, unit);
    int steps = d && d->cylinder < RECALIBRATE_STEPS ? d->cylinder : RECALIBRATE_STEPS;
    vtime time = fdc_step(f, unit, -steps);
    bool found = d && d->cylinder == 0;
    start_seek(f, n, 0, (uint8_t)(n | ST0_SEEK_END | (found ? 0 : ST0_ABNORMAL | ST0_EQUIPMENT)), time);
}

static void cmd_seek(struct i82077 *f)
{
    unsigned n = f->command[1] & 3;
    vtime time = fdc_step(f, f->dor & 3, f->command[2] - f->seek[n].pcn);
    start_seek(f, n, f->command[2], (uint8_t)(ST0_SEEK_END | (f->command[1] & 7)), time);
}

static void cmd_relative_seek(struct i82077 *f)
{
    unsigned n = f->command[1] & 3;
    int steps = f->command[0] & 0x40 ? f->command[2] : -f->command[2];
    vtime time = fdc_step(f, f->dor & 3, steps);
    start_seek(f, n, (uint8_t)(f->seek[n].pcn + steps), (uint8_t)(ST0_SEEK_END | (f->command[1] & 7)), time);
}

static void seek_fire(struct i82077 *f, unsigned n)
{
    struct fdc_seek *s = &f->seek[n];
    s->pcn = s->target;
    s->busy = false;
    s->pending = true;
    trace(f->dev.board->log, i82077_seek, f->dev.id, (uint64_t)n, (uint64_t)s->pcn, (uint64_t)s->st0);
    fdc_set_interrupt(f, true);
}

static void seek0_fire(void *f, vtime due) { (void)due; seek_fire(f, 0); }
static void seek1_fire(void *f, vtime due) { (void)due; seek_fire(f, 1); }
static void seek2_fire(void *f, vtime due) { (void)due; seek_fire(f, 2); }
static void seek3_fire(void *f, vtime due) { (void)due; seek_fire(f, 3); }

static void cmd_sense_interrupt(struct i82077 *f)
{
    bool again = false;
    struct fdc_seek *s = NULL;
    for (unsigned n = 0; n < 4; n++) {
        if (!f->seek[n].pending) continue;
        if (!s) s = &f->seek[n];
        else if (f->seek[n].st0 & ST0_SEEK_END) again = true;      /* another seek has ended: it interrupts anew */
    }
    fdc_set_interrupt(f, false);
    if (!s) {
        cmd_invalid(f);
        return;
    }
    s->pending = false;
    f->result[0] = s->st0;
    f->result[1] = s->pcn;
    fdc_result(f, 2, again);
}

static void cmd_dumpreg(struct i82077 *f)
{
    for (unsigned n = 0; n < 4; n++) f->result[n] = f->seek[n].pcn;
    f->result[4] = f->specify[0];
    f->result[5] = f->specify[1];
    f->result[6] = f->last_eot;
    f->result[7] = (uint8_t)((f->lock ? 0x80 : 0) | f->perpendicular);
    f->result[8] = f->config;
    f->result[9] = f->precompensation_track;
    fdc_result(f, 10, false);
}

static void cmd_version(struct i82077 *f)
{
    result1(f, 0x90);                                    /* an enhanced controller */
}

static void cmd_configure(struct i82077 *f)
{
    f->config = f->command[2] & (CONFIG_EIS | CONFIG_EFIFO | CONFIG_POLL | CONFIG_THRESHOLD);
    f->precompensation_track = f->command[3];
    end_command(f);
}

static void cmd_lock(struct i82077 *f)
{
    f->lock = f->command[0] & 0x80;
    result1(f, f->lock ? 0x10 : 0);
}

static void cmd_perpendicular(struct i82077 *f)
{
    uint8_t v = f->command[1], drives = v & PERPENDICULAR_OVERWRITE ? v : f->perpendicular;
    f->perpendicular = (uint8_t)((drives & PERPENDICULAR_DRIVES) | (v & PERPENDICULAR_GAP_WGATE));
    end_command(f);
}

/* ---- the command table, datasheet table 5-1. mask: bits that choose the command; the others are its options. */

static const struct fdc_command { uint8_t mask, value, len; void (*run)(struct i82077 *); } commands[] = {
    { 0x1f, CMD_READ, 9, fdc_start_data },
    { 0x3f, CMD_WRITE, 9, fdc_start_data },
    { 0x1f, CMD_READ_DELETED, 9, fdc_start_data },
    { 0x3f, CMD_WRITE_DELETED, 9, fdc_start_data },
    { 0x9f, CMD_READ_TRACK, 9, fdc_start_data },
    { 0x1f, CMD_VERIFY, 9, fdc_start_data },
    { 0x1f, CMD_SCAN_EQUAL, 9, fdc_start_data },
    { 0x1f, CMD_SCAN_LOW, 9, fdc_start_data },
    { 0x1f, CMD_SCAN_HIGH, 9, fdc_start_data },
    { 0xbf, CMD_FORMAT, 6, fdc_start_data },
    { 0xbf, CMD_READ_ID, 2, fdc_start_read_id },
    { 0xff, CMD_RECALIBRATE, 2, cmd_recalibrate },
    { 0xff, CMD_SENSE_INTERRUPT, 1, cmd_sense_interrupt },
    { 0xff, CMD_SPECIFY, 3, cmd_specify },
    { 0xff, CMD_SENSE_DRIVE, 2, cmd_sense_drive },
    { 0xff, CMD_SEEK, 3, cmd_seek },
    { 0xbf, 0x80 | CMD_SEEK, 3, cmd_relative_seek },
    { 0xff, CMD_DUMPREG, 1, cmd_dumpreg },
    { 0xff, CMD_VERSION, 1, cmd_version },
    { 0xff, CMD_CONFIGURE, 4, cmd_configure },
    { 0x7f, CMD_LOCK, 1, cmd_lock },
    { 0xff, CMD_PERPENDICULAR, 2, cmd_perpendicular },
    { 0x00, 0, 1, cmd_invalid },                         /* anything else, PART ID (18h) of the 82078 too */
};

static const struct fdc_command *find_command(uint8_t first)
{
    const struct fdc_command *c = commands;
    while ((first & c->mask) != c->value) c++;
    return c;
}

static void take_command_byte(struct i82077 *f, uint8_t v)
{
    if (f->command_pos == 0) f->command_len = find_command(v)->len;
    f->command[f->command_pos++] = v;
    if (f->command_pos < f->command_len) return;
    trace(f->dev.board->log, i82077_command, f->dev.id, (uint64_t)f->command[0], (uint64_t)f->command[1],
          (uint64_t)f->command[2], (uint64_t)f->command[3], (uint64_t)f->command[4]);
    find_command(f->command[0])->run(f);
}

/* ---- reset */

static void enter_reset(struct i82077 *f)
{
    f->dsr &= (uint8_t)~DSR_POWER_DOWN;
    timer_disarm(&f->timer);
    timer_disarm(&f->poll);
    for (unsigned n = 0; n < 4; n++) {
        timer_disarm(&f->seek[n].timer);
        f->seek[n].pcn = f->seek[n].target = 0;
        f->seek[n].st0 = 0;
        f->seek[n].busy = f->seek[n].pending = false;
    }
    end_command(f);
    f->len = f->pos = f->burst_end = f->left = f->tries = 0;
    f->tc = false;
    f->scan = 0;
    if (f->dma) isa_dma_request(f->dma, f->dma_channel, false);
    fdc_set_interrupt(f, false);
    /* Datasheet 5.2.7: LOCK keeps FIFO and precompensation settings over a software reset. */
    if (f->lock) {
        f->config &= CONFIG_EFIFO | CONFIG_THRESHOLD;
    } else {
        f->config = CONFIG_EFIFO | (f->lenient ? CONFIG_EIS : 0);
        f->precompensation_track = 0;
    }
    f->perpendicular &= PERPENDICULAR_DRIVES;
}

static void leave_reset(struct i82077 *f)
{
    trace(f->dev.board->log, i82077_reset, f->dev.id);
    for (unsigned n = 0; n < 4; n++) {
        f->seek[n].pending = true;
        f->seek[n].st0 = (uint8_t)(ST0_POLLED | n);
    }
    timer_arm(&f->poll, now(f) + TIME_POLL);
}

static void poll_fire(void *opaque, vtime due)
{
    struct i82077 *f = opaque;
    (void)due;
    for (unsigned n = 0; n < 4; n++)
        if (f->seek[n].pending) fdc_set_interrupt(f, true);
}

static void data_fire(void *opaque, vtime due)
{
    (void)due;
    fdc_data_timer(opaque);
}

/* ---- registers */

static bool in_reset(const struct i82077 *f)
{
    return !(f->dor & DOR_RESET);
}

static bool stopped(const struct i82077 *f)
{
    return in_reset(f) || f->dsr & DSR_POWER_DOWN;
}

/* Datasheet 4.1, "Power down": the oscillator is off; what was going on does not end. */
static void power_down(struct i82077 *f)
{
    timer_disarm(&f->timer);
    timer_disarm(&f->poll);
    for (unsigned n = 0; n < 4; n++) timer_disarm(&f->seek[n].timer);
}

static uint8_t msr(const struct i82077 *f)
{
    uint8_t v = 0;
    if (stopped(f)) return 0;
    for (unsigned n = 0; n < 4; n++)
        if (f->seek[n].busy) v |= (uint8_t)(1 << n);
    switch ((enum fdc_phase)f->phase) {
    case FDC_COMMAND: return (uint8_t)(v | MSR_RQM | (f->command_pos ? MSR_BUSY : 0));
    case FDC_RESULT: return v | MSR_RQM | MSR_DIO | MSR_BUSY;
    case FDC_PIO: return (uint8_t)(v | MSR_RQM | MSR_NON_DMA | MSR_BUSY | (fdc_data_to_host(f) ? MSR_DIO : 0));
    default: return (uint8_t)(v | MSR_BUSY | (f->specify[1] & SPECIFY_NON_DMA ? MSR_NON_DMA : 0));
    }
}

static uint8_t fifo_read(struct i82077 *f)
{
    if (stopped(f)) return 0xff;
    if (f->phase == FDC_PIO) return fdc_data_to_host(f) ? fdc_pio_read(f) : 0xff;
    if (f->phase != FDC_RESULT) {
        log_guest(f->dev.board->log, f->dev.id, "FIFO read with nothing in it");
        return 0xff;
    }
    if (f->result_pos == 0 && f->result_len == 7) fdc_set_interrupt(f, false);
    uint8_t v = f->result[f->result_pos++];
    if (f->result_pos >= f->result_len) end_command(f);
    return v;
}

static void fifo_write(struct i82077 *f, uint8_t v)
{
    if (stopped(f)) return;
    if (f->phase == FDC_COMMAND) take_command_byte(f, v);
    else if (f->phase == FDC_PIO && !fdc_data_to_host(f)) fdc_pio_write(f, v);
    else log_guest(f->dev.board->log, f->dev.id, "FIFO write of %02x that nobody expects", v);
}

static uint8_t dir(struct i82077 *f)
{
    struct floppy_drive *d = fdc_drive(f, f->dor & 3);
    bool changed = d && d->changed && d->type != DRIVE_360K;       /* those have no such line */
    if (!f->ps2) return changed ? 0xff : 0x7f;                     /* AT mode: the other bits float */
    bool high = f->rate == RATE_500K || f->rate == RATE_1M;
    return (uint8_t)((changed ? 0x80 : 0) | 0x78 | f->rate << 1 | (high ? 0 : 1));
}

/* Status registers A and B: lines of the drive interface, PS/2 mode (datasheet 2.1.1, 2.1.2). */
static uint8_t sra(struct i82077 *f)
{
    struct floppy_drive *d = fdc_drive(f, f->dor & 3);
    bool track0 = d && d->cylinder == 0, protected = d && d->blk && d->blk->read_only;
    return (uint8_t)((f->interrupt ? 0x80 : 0) | (f->drive[1].present ? 0 : 0x40) | (track0 ? 0 : 0x10) |
                     (f->head ? 0x08 : 0) | 0x04 | (protected ? 0 : 0x02));
}

static uint8_t srb(const struct i82077 *f)
{
    return (uint8_t)(0xc0 | (f->dor & 1) << 5 | (f->dor >> 4 & 3));
}

static uint64_t fdc_read(void *dev, uint64_t off, unsigned size)
{
    struct i82077 *f = dev;
    (void)size;
    switch (off) {
    case SRA: return f->ps2 ? sra(f) : 0xff;
    case SRB: return f->ps2 ? srb(f) : 0xff;
    case DOR: return f->dor;
    case TDR: return (uint8_t)(0xfc | f->tdr);
    case MSR: return msr(f);
    case FIFO: return fifo_read(f);                      /* takes the byte out */
    default: return 0xff;
    }
}

static void write_dor(struct i82077 *f, uint8_t v)
{
    uint8_t changed = f->dor ^ v;
    if ((changed & DOR_RESET) && !(v & DOR_RESET)) enter_reset(f);
    f->dor = v;
    if ((changed & DOR_RESET) && (v & DOR_RESET)) leave_reset(f);
    update_irq(f);
    if (!stopped(f)) fdc_index_may_come(f);
}

static void fdc_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i82077 *f = dev;
    uint8_t v = (uint8_t)val;
    (void)size;
    switch (off) {
    case DOR:
        write_dor(f, v);
        break;
    case TDR:
        f->tdr = v & 3;
        break;
    case DSR:
        f->dsr = (v & (uint8_t)~DSR_RESET) | (f->dsr & DSR_POWER_DOWN);
        f->rate = v & DSR_RATE;
        if ((v & DSR_RESET) && !in_reset(f)) {           /* clears itself */
            enter_reset(f);
            leave_reset(f);
        }
        if (f->dsr & DSR_POWER_DOWN) power_down(f);
        break;
    case FIFO:
        fifo_write(f, v);
        break;
    default:                                             /* status registers A and B cannot be written */
        break;
    }
}

static uint64_t dir_read(void *dev, uint64_t off, unsigned size)
{
    (void)off;
    (void)size;
    return dir(dev);
}

static void ccr_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i82077 *f = dev;
    (void)off;
    (void)size;
    f->rate = val & DSR_RATE;
}

static const struct io_ops fdc_io = { .read = fdc_read, .write = fdc_write, .min_size = 1, .max_size = 1 };
static const struct io_ops dir_io = { .read = dir_read, .write = ccr_write, .min_size = 1, .max_size = 1 };

/* ---- class, create, media */

static void fdc_reset(struct device *dev, enum reset_kind kind)
{
    struct i82077 *f = (struct i82077 *)dev;
    (void)kind;
    f->lock = false;
    f->dor = 0;                                          /* held in reset until the host writes DOR */
    f->tdr = 0;
    f->dsr = f->rate = f->lenient ? RATE_500K : RATE_250K;
    enter_reset(f);
    memset(f->specify, 0, sizeof f->specify);
    memset(f->command, 0, sizeof f->command);
    memset(f->result, 0, sizeof f->result);
    memset(f->buf, 0, sizeof f->buf);
    f->perpendicular = f->last_eot = 0;
    f->st0 = f->st1 = f->st2 = f->c = f->h = f->r = f->head = f->unit = 0;
}

static void set_medium(struct floppy_drive *d, struct blk *blk)
{
    d->blk = blk;
    memset(&d->geometry, 0, sizeof d->geometry);
    if (blk) floppy_geometry_of(blk->size, &d->geometry);
}

static void fdc_loaded(struct device *dev)
{
    struct i82077 *f = (struct i82077 *)dev;
    for (unsigned i = 0; i < I82077_DRIVES; i++) set_medium(&f->drive[i], f->drive[i].blk);
    /* Against hostile files: command and result bytes in step with each other. */
    f->config &= CONFIG_EIS | CONFIG_EFIFO | CONFIG_POLL | CONFIG_THRESHOLD;
    if (f->phase == FDC_COMMAND && f->command_pos >= f->command_len) f->command_pos = f->command_len = 0;
    if (f->phase == FDC_RESULT && f->result_pos >= f->result_len) f->phase = FDC_COMMAND;
    if (f->pos > f->len) f->pos = f->len;
    if (f->burst_end > f->len) f->burst_end = f->len;
    if (f->phase == FDC_PIO && f->pos >= f->burst_end) f->phase = FDC_COMMAND;
}

static void fdc_destroy(struct device *dev)
{
    struct i82077 *f = (struct i82077 *)dev;
    timer_fini(&f->timer);
    timer_fini(&f->poll);
    for (unsigned n = 0; n < 4; n++) timer_fini(&f->seek[n].timer);
    for (unsigned i = 0; i < I82077_DRIVES; i++) blk_close(f->drive[i].blk);
    free(f);
}

static const struct device_class fdc_class = {
    .name = "i82077", .title = "Floppy disk controller", .reset = fdc_reset, .loaded = fdc_loaded,
    .destroy = fdc_destroy, .state = &fdc_state,
};

bool i82077_medium_fits(uint64_t bytes)
{
    struct floppy_geometry g;
    return floppy_geometry_of(bytes, &g);
}

struct device *i82077_create(struct board *b, const char *id, const struct i82077_pins *pins)
{
    static void (*const seek_fires[4])(void *, vtime) = { seek0_fire, seek1_fire, seek2_fire, seek3_fire };
    static const char *const seek_names[4] = { "fdc.seek0", "fdc.seek1", "fdc.seek2", "fdc.seek3" };
    struct i82077 *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    device_init(&f->dev, &fdc_class, b, id);
    f->irq = pins->irq;
    f->dma = pins->dma;
    f->dma_channel = pins->dma_channel;
    f->ps2 = pins->ps2;
    f->lenient = pins->lenient;
    timer_init(&f->timer, b->clock, "fdc.data", data_fire, f);
    timer_init(&f->poll, b->clock, "fdc.poll", poll_fire, f);
    for (unsigned n = 0; n < 4; n++) timer_init(&f->seek[n].timer, b->clock, seek_names[n], seek_fires[n], f);
    for (unsigned i = 0; i < I82077_DRIVES; i++) {
        struct floppy_drive *d = &f->drive[i];
        d->present = pins->drive[i].present;
        if (!d->present) continue;
        set_medium(d, pins->drive[i].blk);
        assert(!d->blk || d->geometry.sectors);
        d->type = (uint8_t)(d->blk ? floppy_drive_for(&d->geometry) : DRIVE_1440K);
        d->changed = true;
    }
    device_claim_ports(&f->dev, pins->base, 6, &fdc_io);
    device_claim_ports(&f->dev, (uint16_t)(pins->base + 7), 1, &dir_io);
    fdc_reset(&f->dev, RESET_POWER_ON);
    return &f->dev;
}

unsigned i82077_drive_type(struct device *fdc, unsigned drive)
{
    struct floppy_drive *d = fdc_drive((struct i82077 *)fdc, drive);
    return d ? d->type : DRIVE_NONE;
}

struct blk *i82077_blk(struct device *fdc, unsigned drive)
{
    struct floppy_drive *d = fdc_drive((struct i82077 *)fdc, drive);
    return d ? d->blk : NULL;
}

enum host_status i82077_change(struct device *fdc, unsigned drive, struct blk *blk)
{
    struct i82077 *f = (struct i82077 *)fdc;
    struct floppy_drive *d = fdc_drive(f, drive);
    if (!d) return HOST_MISSING;
    if (blk && !i82077_medium_fits(blk->size)) return HOST_BAD_FORMAT;
    blk_close(d->blk);
    set_medium(d, blk);
    memset(d->deleted, 0, sizeof d->deleted);
    d->changed = true;
    if (!stopped(f)) fdc_index_may_come(f);
    return HOST_OK;
}
