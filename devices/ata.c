/* An ATA channel: the task file, selection, PIO data, interrupts and resets that every drive on the cable shares.
 * AT Attachment with Packet Interface - 6 (T13/1410D rev 3b), called ATA-6 here.
 *
 * The oddest behaviour: the cable is a bus on which both drives listen. A write to the task file goes into the
 * registers of both, whichever is selected; each drive keeps a set of its own and only the selected one answers reads.
 * If there is no drive 1, drive 0 answers for it: its own registers, but a status of 00h (ATA-6 9.16.1), which is how
 * software finds out. If nobody answers, the lines float high but for DD7, which the host pulls down so that BSY reads
 * 0: 7Fh.
 *
 * What a drive does takes time: every step (decoding, the medium, a DMA burst) ends when the drive's timer fires, so
 * the host sees BSY in between. The times are short: they order events, they do not imitate a mechanism. */
#include "devices/ata.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"

enum { REG_DATA, REG_ERROR, REG_COUNT, REG_LBA_LOW, REG_LBA_MID, REG_LBA_HIGH, REG_DEVICE, REG_STATUS,
       REG_FEATURES = REG_ERROR, REG_COMMAND = REG_STATUS };
enum { CMD_DEVICE_RESET = 0x08, CMD_EXECUTE_DIAGNOSTIC = 0x90 };
enum { FLOATING = 0x7f };
enum { DMA_AT_ONCE = 16 << 20 };          /* bytes between two looks at the other timers */

#define TIME_DECODE   VTIME_US(4)
#define TIME_RESET    VTIME_US(500)
#define TIME_POWER_ON VTIME_MS(2)
#define TIME_RETRY    VTIME_MS(1)         /* after a host failure */

struct ata_channel {
    struct device dev;
    uint16_t command_base, control_base;
    uint32_t host_channel;
    struct irq_line intrq;
    struct ata_drive *drive[2];
    const struct ata_host_ops *host_ops;
    void *host;
    uint8_t control;
    uint8_t selected;
    bool decoded;
    uint8_t unused[5];
};

static const struct state_field channel_fields[] = {
    FIELD_WIRING(struct ata_channel, dev),
    FIELD_WIRING(struct ata_channel, command_base),
    FIELD_WIRING(struct ata_channel, control_base),
    FIELD_WIRING(struct ata_channel, host_channel),
    FIELD(struct ata_channel, intrq, "INTRQ on the cable"),
    FIELD_WIRING(struct ata_channel, drive),
    FIELD_WIRING(struct ata_channel, host_ops),
    FIELD_WIRING(struct ata_channel, host),
    FIELD(struct ata_channel, control, "device control: HOB 80h, SRST 04h, nIEN 02h"),
    FIELD_RANGE(struct ata_channel, selected, 0, 1, "DEV: the drive that answers"),
    FIELD_DERIVED(struct ata_channel, decoded),
    FIELD_WIRING(struct ata_channel, unused),
};
static const struct state_desc channel_state = STATE_DESC(struct ata_channel, "ata_channel", channel_fields);

static const struct state_field reg_fields[] = {
    FIELD(struct ata_reg, cur, "last written"),
    FIELD(struct ata_reg, prev, "written before (read with HOB)"),
};
static const struct state_desc reg_state = STATE_DESC(struct ata_reg, "ata_reg", reg_fields);

static const struct state_field drive_fields[] = {
    FIELD_WIRING(struct ata_drive, dev),
    FIELD_WIRING(struct ata_drive, ops),
    FIELD_WIRING(struct ata_drive, channel),
    FIELD_HOST(struct ata_drive, blk),
    FIELD_WIRING(struct ata_drive, unit),
    FIELD_RANGE(struct ata_drive, phase, 0, ATA_PHASES - 1,
                "0 idle, 1 decoding, 2 medium, 3 PIO in, 4 PIO out, 5 DMA, 6 DMA stopped, 7 resetting"),
    FIELD(struct ata_drive, timer, "end of the present step"),
    FIELD_STRUCT(struct ata_drive, features, &reg_state, "features"),
    FIELD_STRUCT(struct ata_drive, count, &reg_state, "sector count"),
    FIELD_STRUCT(struct ata_drive, lba_low, &reg_state, "LBA low, sector number"),
    FIELD_STRUCT(struct ata_drive, lba_mid, &reg_state, "LBA mid, cylinder low"),
    FIELD_STRUCT(struct ata_drive, lba_high, &reg_state, "LBA high, cylinder high"),
    FIELD(struct ata_drive, device, "device: LBA 40h, DEV 10h, head or LBA 27:24"),
    FIELD(struct ata_drive, command, "last command"),
    FIELD(struct ata_drive, status, "BSY 80h DRDY 40h DF 20h DSC 10h DRQ 08h CORR 04h IDX 02h ERR 01h"),
    FIELD(struct ata_drive, error, "ICRC 80h UNC 40h MC 20h IDNF 10h MCR 08h ABRT 04h NM 02h AMNF 01h"),
    FIELD(struct ata_drive, intrq, "interrupt pending in the drive"),
    FIELD(struct ata_drive, asleep, "in SLEEP"),
    FIELD_RANGE(struct ata_drive, buf_len, 0, ATA_BUFFER, "bytes in the buffer"),
    FIELD_RANGE(struct ata_drive, buf_pos, 0, ATA_BUFFER, "next byte the host moves"),
    FIELD_RANGE(struct ata_drive, block_end, 0, ATA_BUFFER, "end of the DRQ block"),
    FIELD_WIRING(struct ata_drive, unused),
    FIELD_COUNTED(struct ata_drive, buf, buf_len, "data between host and medium"),
};
const struct state_desc ata_drive_state = STATE_DESC(struct ata_drive, "ata_drive", drive_fields);

/* ---- interrupt and selection */

static struct ata_drive *selected(struct ata_channel *c)
{
    return c->drive[c->selected];
}

static void update_intrq(struct ata_channel *c)
{
    struct ata_drive *d = selected(c);
    bool level = d && d->intrq && !(c->control & ATA_CTL_NIEN);
    if (level == c->intrq.level) return;
    irq_set(&c->intrq, level);
    if (c->host_ops) c->host_ops->intrq(c->host, c->host_channel, level);
}

static void set_intrq(struct ata_drive *d, bool pending)
{
    d->intrq = pending;
    update_intrq(d->channel);
}

static vtime now(struct ata_drive *d)
{
    return clock_now(d->dev.board->clock);
}

/* ---- what drives call */

void ata_drive_work_after(struct ata_drive *d, enum ata_phase phase, vtime delay)
{
    d->status = (uint8_t)((d->status & ~(ATA_DRQ | ATA_ERR)) | ATA_BSY);
    d->phase = phase;
    timer_arm(&d->timer, now(d) + delay);
}

void ata_drive_pio(struct ata_drive *d, enum ata_phase phase, uint32_t from, uint32_t end, bool irq)
{
    assert(from < end && end <= d->buf_len && d->buf_len <= ATA_BUFFER && !(from & 1));
    d->buf_pos = from;
    d->block_end = end;
    d->phase = phase;
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    trace(d->dev.board->log, ata_data, d->dev.id, (uint64_t)(end - from), (uint64_t)(phase == ATA_PIO_IN));
    if (irq) set_intrq(d, true);
}

void ata_drive_finish(struct ata_drive *d, uint8_t status, uint8_t error, bool irq)
{
    timer_disarm(&d->timer);
    d->phase = ATA_IDLE;
    d->buf_len = d->buf_pos = d->block_end = 0;
    d->status = status | (error ? ATA_ERR : 0);
    d->error = error;
    trace(d->dev.board->log, ata_finish, d->dev.id, (uint64_t)d->status, (uint64_t)error);
    if (irq) set_intrq(d, true);
}

bool ata_drive_dma(struct ata_drive *d, bool to_memory, uint64_t len, uint64_t *moved, ata_dma_mover *mover)
{
    struct ata_channel *c = d->channel;
    struct error e = { "" };
    if (*moved >= len) return true;
    uint32_t n = len - *moved < DMA_AT_ONCE ? (uint32_t)(len - *moved) : DMA_AT_ONCE;
    enum ata_dma_result r = ATA_DMA_WAIT;
    if (c->host_ops) r = c->host_ops->dma(c->host, c->host_channel, d, to_memory, n, mover, moved, &e);
    switch (r) {
    case ATA_DMA_DONE:
        if (*moved >= len) return true;
        ata_drive_work_after(d, ATA_DMA, VTIME_US(1));
        break;
    case ATA_DMA_WAIT:
        d->phase = ATA_DMA_STOPPED;
        d->status = ATA_BSY | ATA_DRDY | ATA_DSC;
        break;
    case ATA_DMA_AGAIN:
        ata_drive_work_after(d, ATA_DMA, VTIME_US(1));
        break;
    case ATA_DMA_HOST_FAILED:
        ata_drive_host_failed(d, HOST_IO_ERROR, &e);
        break;
    }
    return false;
}

void ata_drive_host_failed(struct ata_drive *d, enum host_status st, const struct error *e)
{
    timer_arm(&d->timer, now(d) + TIME_RETRY);
    device_host_failed(&d->dev, st, e);
}

/* ATA-6 9.12: what the registers hold after a reset, a diagnostic, or an IDENTIFY of the wrong kind. */
void ata_drive_signature(struct ata_drive *d)
{
    d->count = d->lba_low = (struct ata_reg){ 1, 0 };
    d->lba_mid = (struct ata_reg){ d->ops->packet ? 0x14 : 0, 0 };
    d->lba_high = (struct ata_reg){ d->ops->packet ? 0xeb : 0, 0 };
    d->device &= ATA_DEV_DEV;
}

/* ---- resets */

static void drive_begin_reset(struct ata_drive *d)
{
    trace(d->dev.board->log, ata_reset, d->dev.id);
    timer_disarm(&d->timer);
    d->phase = ATA_RESETTING;
    d->status = ATA_BSY;
    d->asleep = false;
    d->command = 0;
    d->buf_len = d->buf_pos = d->block_end = 0;
    d->intrq = false;
}

static void drive_end_reset(struct ata_drive *d)
{
    bool diagnostic = d->command == CMD_EXECUTE_DIAGNOSTIC;
    d->device = 0;
    ata_drive_signature(d);
    /* ATA-6 9.1: a packet device leaves DRDY at 0, so that software that knows only disks leaves it alone. */
    ata_drive_finish(d, d->ops->packet ? 0 : ATA_DRDY | ATA_DSC, 0, false);
    d->error = 1;                                    /* diagnostic code: no error, and drive 1 passed or is absent */
    if (diagnostic && d->unit == 0) set_intrq(d, true);
}

void ata_drive_device_reset(struct ata_drive *d)
{
    uint8_t dev = d->device & ATA_DEV_DEV;
    drive_begin_reset(d);
    d->ops->reset(d, false);
    ata_drive_signature(d);
    ata_drive_finish(d, 0, 0, false);
    d->device = dev;
    d->error = 1;
    update_intrq(d->channel);
}

void ata_drive_reset(struct device *dev, enum reset_kind kind)
{
    struct ata_drive *d = (struct ata_drive *)dev;
    drive_begin_reset(d);
    d->features = d->count = d->lba_low = d->lba_mid = d->lba_high = (struct ata_reg){ 0, 0 };
    d->device = d->error = 0;
    d->ops->reset(d, true);
    update_intrq(d->channel);
    timer_arm(&d->timer, now(d) + (kind == RESET_POWER_ON ? TIME_POWER_ON : TIME_RESET));
}

static void drive_fire(void *opaque, vtime due)
{
    struct ata_drive *d = opaque;
    (void)due;
    switch (d->phase) {
    case ATA_COMMAND: d->ops->command(d); break;
    case ATA_MEDIUM:
    case ATA_DMA: d->ops->work(d); break;
    case ATA_RESETTING: drive_end_reset(d); break;
    default: break;                                  /* a state file may arm it in any phase */
    }
}

/* ---- commands */

static void start_command(struct ata_drive *d, uint8_t command)
{
    d->command = command;
    d->buf_len = d->buf_pos = d->block_end = 0;
    d->error = 0;
    set_intrq(d, false);
    trace(d->dev.board->log, ata_command, d->dev.id, (uint64_t)command, (uint64_t)d->device,
          (uint64_t)d->lba_high.cur << 16 | (uint64_t)d->lba_mid.cur << 8 | d->lba_low.cur, (uint64_t)d->count.cur);
    ata_drive_work_after(d, ATA_COMMAND, TIME_DECODE);
}

/* ATA-6 8.9: both drives run it, whichever is selected, and drive 0 speaks for both. */
static void execute_diagnostic(struct ata_channel *c)
{
    for (unsigned i = 0; i < 2; i++) {
        struct ata_drive *d = c->drive[i];
        if (!d || d->asleep) continue;
        drive_begin_reset(d);
        d->command = CMD_EXECUTE_DIAGNOSTIC;
        timer_arm(&d->timer, now(d) + TIME_RESET);
    }
    c->selected = 0;
    update_intrq(c);
}

static void write_command(struct ata_channel *c, uint8_t command)
{
    struct ata_drive *d = selected(c);
    if (command == CMD_EXECUTE_DIAGNOSTIC && (!d || !(d->status & ATA_BSY))) {
        execute_diagnostic(c);
        return;
    }
    if (!d || d->asleep || (c->control & ATA_CTL_SRST)) return;
    if (command == CMD_DEVICE_RESET && d->ops->packet && d->phase != ATA_RESETTING) {
        ata_drive_device_reset(d);                   /* the one command that BSY does not keep out */
        return;
    }
    if (d->status & ATA_BSY) {
        log_guest(d->dev.board->log, d->dev.id, "command %02x written while BSY", command);
        return;
    }
    start_command(d, command);
}

/* ---- the data register */

static bool data_phase(const struct ata_drive *d, enum ata_phase phase)
{
    return d && d->phase == phase && d->buf_pos < d->block_end;
}

static void data_moved(struct ata_drive *d)
{
    d->buf_pos += 2;
    if (d->buf_pos < d->block_end) return;
    d->buf_pos = d->block_end;
    d->status = (uint8_t)((d->status & ~ATA_DRQ) | ATA_BSY);
    d->ops->block_done(d);
}

static uint16_t data_read(struct ata_channel *c)
{
    struct ata_drive *d = selected(c);
    if (!d) return c->drive[0] ? 0 : 0xff00 | FLOATING;
    if (!data_phase(d, ATA_PIO_IN)) {
        log_guest(d->dev.board->log, d->dev.id, "data register read without DRQ");
        return 0xffff;
    }
    uint16_t v = d->buf_pos + 1 < d->block_end ? ld16(d->buf + d->buf_pos) : d->buf[d->buf_pos];
    data_moved(d);
    return v;
}

static void data_write(struct ata_channel *c, uint16_t v)
{
    struct ata_drive *d = selected(c);
    if (!data_phase(d, ATA_PIO_OUT)) {
        if (d) log_guest(d->dev.board->log, d->dev.id, "data register written without DRQ");
        return;
    }
    d->buf[d->buf_pos] = (uint8_t)v;
    if (d->buf_pos + 1 < d->block_end) d->buf[d->buf_pos + 1] = (uint8_t)(v >> 8);
    data_moved(d);
}

/* ---- the other registers */

static uint8_t status_read(struct ata_channel *c, bool clear_interrupt)
{
    struct ata_drive *d = selected(c);
    if (!d) return c->drive[0] ? 0 : FLOATING;
    if (clear_interrupt) set_intrq(d, false);
    return d->status;
}

static uint8_t reg_read(struct ata_channel *c, unsigned reg)
{
    if (reg == REG_STATUS) return status_read(c, true);      /* reading it acknowledges the interrupt */
    struct ata_drive *d = selected(c) ? selected(c) : c->drive[0];
    if (!d) return FLOATING;
    /* ATA-1 7.1: while BSY, any register of the command block reads as status. */
    if (d->status & ATA_BSY) return d == selected(c) ? d->status : 0;
    bool hob = c->control & ATA_CTL_HOB;
    switch (reg) {
    case REG_ERROR: return d->error;
    case REG_COUNT: return hob ? d->count.prev : d->count.cur;
    case REG_LBA_LOW: return hob ? d->lba_low.prev : d->lba_low.cur;
    case REG_LBA_MID: return hob ? d->lba_mid.prev : d->lba_mid.cur;
    case REG_LBA_HIGH: return hob ? d->lba_high.prev : d->lba_high.cur;
    default: return (uint8_t)(d->device | ATA_DEV_OBSOLETE);
    }
}

static void reg_push(struct ata_reg *r, uint8_t v)
{
    r->prev = r->cur;
    r->cur = v;
}

static void reg_write(struct ata_channel *c, unsigned reg, uint8_t v)
{
    c->control &= (uint8_t)~ATA_CTL_HOB;             /* ATA-6 6.20: a write to the command block clears HOB */
    if (reg == REG_COMMAND) {
        write_command(c, v);
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct ata_drive *d = c->drive[i];
        if (!d || (d->status & ATA_BSY)) continue;
        switch (reg) {
        case REG_FEATURES: reg_push(&d->features, v); break;
        case REG_COUNT: reg_push(&d->count, v); break;
        case REG_LBA_LOW: reg_push(&d->lba_low, v); break;
        case REG_LBA_MID: reg_push(&d->lba_mid, v); break;
        case REG_LBA_HIGH: reg_push(&d->lba_high, v); break;
        case REG_DEVICE: d->device = v; break;
        default: break;
        }
    }
    if (reg == REG_DEVICE) {
        if (((v & ATA_DEV_DEV) != 0) != c->selected)
            trace(c->dev.board->log, ata_select, c->dev.id, (uint64_t)!c->selected);
        c->selected = (v & ATA_DEV_DEV) != 0;
        update_intrq(c);
    }
}

static void control_write(struct ata_channel *c, uint8_t v)
{
    uint8_t changed = c->control ^ v;
    c->control = v & (ATA_CTL_HOB | ATA_CTL_SRST | ATA_CTL_NIEN);
    if (changed & ATA_CTL_SRST) {
        for (unsigned i = 0; i < 2; i++) {
            struct ata_drive *d = c->drive[i];
            if (!d) continue;
            if (v & ATA_CTL_SRST) {
                drive_begin_reset(d);
                d->ops->reset(d, false);
            } else {
                timer_arm(&d->timer, now(d) + TIME_RESET);
            }
        }
        c->selected = 0;
    }
    update_intrq(c);
}

/* ---- ports */

/* Only the data register is wider than a byte; the adapter makes two 16-bit cycles of a 32-bit one. */
static uint64_t command_block_read(void *dev, uint64_t off, unsigned size)
{
    struct ata_channel *c = dev;
    uint64_t v = 0;
    if (!c->decoded) return ones(size);
    if (off == REG_DATA) {
        v = data_read(c);
        if (size == 4) v |= (uint64_t)data_read(c) << 16;
        return v & ones(size);
    }
    for (unsigned i = 0; i < size; i++) v |= (uint64_t)reg_read(c, (unsigned)off + i) << (8 * i);
    return v;
}

static void command_block_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct ata_channel *c = dev;
    if (!c->decoded) return;
    if (off == REG_DATA) {
        data_write(c, (uint16_t)val);
        if (size == 4) data_write(c, (uint16_t)(val >> 16));
        return;
    }
    for (unsigned i = 0; i < size; i++) reg_write(c, (unsigned)off + i, (uint8_t)(val >> (8 * i)));
}

static uint64_t control_block_read(void *dev, uint64_t off, unsigned size)
{
    struct ata_channel *c = dev;
    (void)off;
    return c->decoded ? status_read(c, false) : ones(size);
}

static void control_block_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct ata_channel *c = dev;
    (void)off;
    (void)size;
    if (c->decoded) control_write(c, (uint8_t)val);
}

static const struct io_ops command_block_io = {
    .read = command_block_read, .write = command_block_write, .min_size = 1, .max_size = 4,
};
static const struct io_ops control_block_io = {
    .read = control_block_read, .write = control_block_write, .min_size = 1, .max_size = 1,
};

/* ---- class and create */

static void channel_reset(struct device *dev, enum reset_kind kind)
{
    struct ata_channel *c = (struct ata_channel *)dev;
    (void)kind;
    c->control = 0;
    c->selected = 0;
    c->decoded = !c->host_ops;
    update_intrq(c);
}

static void channel_loaded(struct device *dev)
{
    struct ata_channel *c = (struct ata_channel *)dev;
    c->decoded = !c->host_ops;                       /* the adapter, loaded after its cables, says otherwise */
}

static void channel_destroy(struct device *dev)
{
    free(dev);
}

static const struct device_class channel_class = {
    .name = "ata", .title = "ATA channel", .reset = channel_reset, .loaded = channel_loaded,
    .destroy = channel_destroy, .state = &channel_state,
};

struct ata_channel *ata_channel_create(struct board *b, const char *id, const struct ata_pins *pins)
{
    struct ata_channel *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    device_init(&c->dev, &channel_class, b, id);
    c->command_base = pins->command_base;
    c->control_base = pins->control_base;
    c->intrq = pins->intrq;
    c->decoded = true;
    device_claim_ports(&c->dev, c->command_base, 8, &command_block_io);
    device_claim_ports(&c->dev, c->control_base, 1, &control_block_io);
    return c;
}

struct device *ata_channel_device(struct ata_channel *c)
{
    return &c->dev;
}

void ata_channel_set_host(struct ata_channel *c, const struct ata_host_ops *ops, void *host, unsigned channel)
{
    c->host_ops = ops;
    c->host = host;
    c->host_channel = channel;
    c->decoded = false;
}

void ata_channel_decode(struct ata_channel *c, bool command_block)
{
    c->decoded = command_block;
}

void ata_channel_dma_started(struct ata_channel *c)
{
    for (unsigned i = 0; i < 2; i++) {
        struct ata_drive *d = c->drive[i];
        if (d && d->phase == ATA_DMA_STOPPED) ata_drive_work_after(d, ATA_DMA, VTIME_US(1));
    }
}

void ata_drive_init(struct ata_drive *d, const struct device_class *class, const struct ata_drive_ops *ops,
                    const char *id, struct ata_channel *c, unsigned unit, struct blk *blk)
{
    assert(unit < 2 && !c->drive[unit]);
    device_init(&d->dev, class, c->dev.board, id);
    timer_init(&d->timer, c->dev.board->clock, id, drive_fire, d);
    d->ops = ops;
    d->channel = c;
    d->unit = unit;
    d->blk = blk;
    c->drive[unit] = d;
}

void ata_drive_fini(struct ata_drive *d)
{
    timer_fini(&d->timer);
    blk_close(d->blk);
}

void ata_drive_loaded(struct ata_drive *d)
{
    if (d->block_end > d->buf_len) d->block_end = d->buf_len;
    if (d->buf_pos > d->block_end) d->buf_pos = d->block_end;
    d->buf_pos &= ~1u;
}

struct blk *ata_blk(struct device *drive)
{
    return ((struct ata_drive *)drive)->blk;
}
