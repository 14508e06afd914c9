/* PIIX3 IDE: the PCI function that decodes the two ATA cables and masters the bus for them.
 * 82371SB (PIIX3) datasheet, order 290550, 2.3 and 2.7; Programming Interface for Bus Master IDE Controller, rev 1.0.
 *
 * The oddest behaviour: nothing tells the bus master how long a transfer is. The drive asks for data as long as its
 * command wants; the bus master follows its list until an entry says end-of-table. Whichever ends first waits. Active
 * and Interrupt together say which it was: list longer than the command (both 1), equal (Interrupt alone), list too
 * short (neither: the drive still asks, and its interrupt never comes). All three fall out of the model: the drive
 * pulls its bytes through `dma`, which hands out spans of guest memory along the list and answers "wait" where the list
 * ends.
 *
 * The legacy ports answer only with IDETIM's decode bit and the I/O space enable, as on the chip; firmware sets both.
 * An address that nobody claims, in the list or of it, ends in a master abort: the bus master sets Error and stops. */
#include "devices/piix_ide.h"

#include <stdlib.h>
#include "base/bytes.h"

enum { IDETIM = 0x40, SIDETIM = 0x44 };
enum { IDETIM_DECODE = 0x8000 };
enum { BM_COMMAND = 0, BM_STATUS = 2, BM_TABLE = 4, BM_CHANNEL = 8 };     /* bytes from the BAR */
enum { BM_START = 0x01, BM_TO_MEMORY = 0x08 };                            /* command */
enum { BM_ACTIVE = 0x01, BM_ERROR = 0x02, BM_INTERRUPT = 0x04, BM_CAPABLE = 0x60 };   /* status */
enum { STATUS_MASTER_ABORT = 0x2000 };                                    /* PCI status: received */
enum { ENTRIES_AT_ONCE = 1024, BOUNCE = 4096 };

struct bus_master {
    uint8_t command, status;
    bool last;                                     /* the present entry had end-of-table */
    uint8_t unused[5];
    uint32_t table;                                /* register */
    uint32_t entry;                                /* address of the next entry */
    uint32_t address;                              /* what is left of the present one */
    uint32_t left;
};

static const struct state_field bus_master_fields[] = {
    FIELD(struct bus_master, command, "start 01h, to memory 08h"),
    FIELD(struct bus_master, status, "active 01h, error 02h, interrupt 04h, drives capable 60h"),
    FIELD(struct bus_master, last, "the present entry ends the table"),
    FIELD_WIRING(struct bus_master, unused),
    FIELD(struct bus_master, table, "descriptor table address"),
    FIELD(struct bus_master, entry, "next descriptor"),
    FIELD(struct bus_master, address, "next byte of the present region"),
    FIELD_RANGE(struct bus_master, left, 0, 65536, "bytes left in it"),
};
static const struct state_desc bus_master_state = STATE_DESC(struct bus_master, "bus_master", bus_master_fields);

struct piix_ide {
    struct pci_function pci;
    struct ata_channel *channel[2];
    struct dma_port port;
    struct bus_master bm[2];
    bool always;
    uint8_t unused[7];
};

static const struct state_field piix_ide_fields[] = {
    FIELD_STRUCT(struct piix_ide, pci, &pci_function_state, "PCI function"),
    FIELD_WIRING(struct piix_ide, channel),
    FIELD_WIRING(struct piix_ide, port),
    FIELD_STRUCTS(struct piix_ide, bm, &bus_master_state, "bus masters: primary, secondary"),
    FIELD_WIRING(struct piix_ide, always),
    FIELD_WIRING(struct piix_ide, unused),
};
static const struct state_desc piix_ide_state = STATE_DESC(struct piix_ide, "piix_ide", piix_ide_fields);

/* ---- the transfer */

/* The bus master's cycle to that address: false if nobody claims it, which stops the transfer as if the list had ended. */
static bool claimed(struct piix_ide *p, struct bus_master *m, uint32_t address, bool write)
{
    struct phys_hit hit = phys_lookup(p->port.map, address, false, write);
    if (hit.block || hit.region) return true;
    uint8_t *status = p->pci.config + PCI_STATUS;
    st16(status, ld16(status) | STATUS_MASTER_ABORT);
    m->status = (uint8_t)((m->status & ~BM_ACTIVE) | BM_ERROR);
    m->left = 0;
    m->last = true;
    return false;
}

/* Next entry of the list. Only the low 16 bits of the address count: a table may not cross 64 KiB (Bus Master IDE 1.2).
 */
static void fetch_entry(struct piix_ide *p, struct bus_master *m)
{
    uint8_t prd[8];
    dma_read(&p->port, m->entry, prd, sizeof prd);
    m->entry = (m->entry & 0xffff0000u) | ((m->entry + 8) & 0xffff);
    m->address = ld32(prd) & ~1u;
    m->left = ld16(prd + 4) & 0xfffe;
    if (m->left == 0) m->left = 65536;
    m->last = prd[7] & 0x80;
}

static enum host_status bounce(struct piix_ide *p, struct bus_master *m, struct ata_drive *d, bool to_memory,
                               uint32_t n, ata_dma_mover *mover, uint64_t moved, struct error *e)
{
    uint8_t buf[BOUNCE];
    if (!to_memory) dma_read(&p->port, m->address, buf, n);
    enum host_status st = mover(d, buf, moved, n, e);
    if (st == HOST_OK && to_memory) dma_write(&p->port, m->address, buf, n);
    return st;
}

/* One span: into guest RAM directly, or through a buffer where there is none. *n is shortened to what was moved. */
static enum host_status move_span(struct piix_ide *p, struct bus_master *m, struct ata_drive *d, bool to_memory,
                                  uint32_t *n, ata_dma_mover *mover, uint64_t moved, struct error *e)
{
    uint64_t span = *n;
    void *ram = dma_map(&p->port, m->address, &span, to_memory);
    if (!ram || span == 0) {
        if (*n > BOUNCE) *n = BOUNCE;
        return bounce(p, m, d, to_memory, *n, mover, moved, e);
    }
    *n = (uint32_t)span;
    enum host_status st = mover(d, ram, moved, *n, e);
    dma_unmap(&p->port, m->address, to_memory ? span : 0);
    return st;
}

static enum ata_dma_result piix_ide_dma(void *host, unsigned channel, struct ata_drive *d, bool to_memory, uint32_t len,
                                        ata_dma_mover *mover, uint64_t *moved, struct error *e)
{
    struct piix_ide *p = host;
    struct bus_master *m = &p->bm[channel];
    if (!(m->command & BM_START) || !p->pci.master || to_memory != !!(m->command & BM_TO_MEMORY)) return ATA_DMA_WAIT;
    for (unsigned steps = 0; len; steps++) {
        if (steps == ENTRIES_AT_ONCE) return ATA_DMA_AGAIN;
        if (m->left == 0 && m->last) {
            m->status &= (uint8_t)~BM_ACTIVE;
            return ATA_DMA_WAIT;
        }
        if (m->left == 0) {
            if (!claimed(p, m, m->entry, false)) return ATA_DMA_WAIT;
            fetch_entry(p, m);
        }
        if (!claimed(p, m, m->address, to_memory)) return ATA_DMA_WAIT;
        uint32_t n = len < m->left ? len : m->left;
        if (move_span(p, m, d, to_memory, &n, mover, *moved, e) != HOST_OK) return ATA_DMA_HOST_FAILED;
        *moved += n;
        len -= n;
        m->address += n;
        m->left -= n;
    }
    if (m->left == 0 && m->last) m->status &= (uint8_t)~BM_ACTIVE;
    return ATA_DMA_DONE;
}

/* The Interrupt bit follows the rising edge of INTRQ, DMA or not. */
static void piix_ide_intrq(void *host, unsigned channel, bool level)
{
    struct piix_ide *p = host;
    if (level) p->bm[channel].status |= BM_INTERRUPT;
}

static const struct ata_host_ops host_ops = { .intrq = piix_ide_intrq, .dma = piix_ide_dma };

/* ---- bus master registers */

static uint64_t bm_read(void *dev, uint64_t off, unsigned size)
{
    struct piix_ide *p = dev;
    uint64_t v = 0;
    for (unsigned i = 0; i < size; i++) {
        struct bus_master *m = &p->bm[((off + i) / BM_CHANNEL) & 1];
        unsigned reg = (off + i) % BM_CHANNEL;
        uint8_t b = 0;
        if (reg == BM_COMMAND) b = m->command;
        else if (reg == BM_STATUS) b = m->status;
        else if (reg >= BM_TABLE) b = (uint8_t)(m->table >> (8 * (reg - BM_TABLE)));
        v |= (uint64_t)b << (8 * i);
    }
    return v;
}

static void write_bm_command(struct piix_ide *p, unsigned channel, uint8_t v)
{
    struct bus_master *m = &p->bm[channel];
    bool was_started = m->command & BM_START;
    m->command = v & (BM_START | BM_TO_MEMORY);
    if (!(v & BM_START)) {
        if (was_started)
            trace(p->pci.dev.board->log, ata_dma_stop, p->pci.dev.id, (uint64_t)channel, (uint64_t)m->status);
        m->status &= (uint8_t)~BM_ACTIVE;                /* stopping forgets the place in the list */
        m->left = 0;
        m->last = false;
        return;
    }
    if (was_started) return;
    m->entry = m->table;
    m->left = 0;
    m->last = false;
    m->status |= BM_ACTIVE;
    trace(p->pci.dev.board->log, ata_dma_start, p->pci.dev.id, (uint64_t)channel, (uint64_t)m->table,
          (uint64_t)!!(v & BM_TO_MEMORY));
    ata_channel_dma_started(p->channel[channel]);
}

static void bm_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct piix_ide *p = dev;
    for (unsigned i = 0; i < size; i++) {
        unsigned channel = ((off + i) / BM_CHANNEL) & 1, reg = (off + i) % BM_CHANNEL;
        struct bus_master *m = &p->bm[channel];
        uint8_t v = (uint8_t)(val >> (8 * i));
        if (reg == BM_COMMAND) {
            write_bm_command(p, channel, v);
        } else if (reg == BM_STATUS) {
            m->status = (m->status & ~BM_CAPABLE & ~(v & (BM_ERROR | BM_INTERRUPT))) | (v & BM_CAPABLE);
        } else if (reg >= BM_TABLE) {
            unsigned shift = 8 * (reg - BM_TABLE);
            m->table = ((m->table & ~(0xffu << shift)) | (uint32_t)v << shift) & ~3u;
        }
    }
}

static const struct io_ops bm_io = { .read = bm_read, .write = bm_write, .min_size = 1, .max_size = 4 };

/* ---- configuration */

static void apply_decode(struct piix_ide *p)
{
    bool io = p->pci.config[PCI_COMMAND] & PCI_COMMAND_IO;
    for (unsigned i = 0; i < 2; i++)
        ata_channel_decode(p->channel[i], p->always || (io && (ld16(p->pci.config + IDETIM + 2 * i) & IDETIM_DECODE)));
}

static void piix_ide_config_written(struct pci_function *f, unsigned off, unsigned size)
{
    struct piix_ide *p = (struct piix_ide *)f;
    (void)size;
    apply_decode(p);
    if (off > PCI_COMMAND + 1 || !f->master) return;
    for (unsigned i = 0; i < 2; i++)                     /* a bus master that waited for the enable bit goes on */
        if (p->bm[i].command & BM_START) ata_channel_dma_started(p->channel[i]);
}

static void piix_ide_reset(struct device *d, enum reset_kind kind)
{
    struct piix_ide *p = (struct piix_ide *)d;
    (void)kind;
    pci_function_reset(&p->pci);
    st16(p->pci.config + PCI_STATUS, 0x0280);            /* medium DEVSEL, fast back-to-back */
    p->pci.config[PCI_LATENCY] = 0;
    st32(p->pci.config + IDETIM, 0);
    p->pci.config[SIDETIM] = 0;
    for (unsigned i = 0; i < 2; i++) p->bm[i] = (struct bus_master){ .status = 0 };
    apply_decode(p);
}

static void piix_ide_loaded(struct device *d)
{
    struct piix_ide *p = (struct piix_ide *)d;
    pci_function_loaded(&p->pci);
    for (unsigned i = 0; i < 2; i++) {
        p->bm[i].table &= ~3u;
        p->bm[i].command &= BM_START | BM_TO_MEMORY;
        p->bm[i].status &= BM_ACTIVE | BM_ERROR | BM_INTERRUPT | BM_CAPABLE;
    }
    apply_decode(p);
}

static void piix_ide_destroy(struct device *d)
{
    free(d);
}

static const struct device_class piix_ide_class = {
    .name = "piix_ide", .title = "PIIX3 IDE controller", .reset = piix_ide_reset, .loaded = piix_ide_loaded,
    .destroy = piix_ide_destroy, .state = &piix_ide_state,
};

struct device *piix_ide_create(struct pci_bus *bus, const char *id, const struct piix_ide_pins *pins)
{
    struct piix_ide *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    pci_function_init(&p->pci, bus, &piix_ide_class, id, pins->device, pins->function, 0x8086, 0x7010, 0x010180, 0x00);
    p->pci.config_written = piix_ide_config_written;
    p->always = pins->always;
    p->port = (struct dma_port){ .map = p->pci.dev.board->mem, .who = id, .enabled = &p->pci.master };
    st16(p->pci.wmask + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
    st16(p->pci.w1c + PCI_STATUS, 0x3800);               /* master abort, target aborts */
    p->pci.wmask[PCI_LATENCY] = 0xf0;
    p->pci.wmask[PCI_INT_LINE] = 0;                      /* the drives interrupt by IRQ14 and IRQ15 */
    p->pci.wmask[PCI_CACHE_LINE] = 0;
    st16(p->pci.wmask + IDETIM, 0xf3ff);
    st16(p->pci.wmask + IDETIM + 2, 0xf3ff);
    p->pci.wmask[SIDETIM] = 0xff;
    pci_set_bar(&p->pci, 4, &(struct pci_bar){ .size = 16, .io = true, .ops = &bm_io });
    for (unsigned i = 0; i < 2; i++) {
        p->channel[i] = pins->channel[i];
        ata_channel_set_host(p->channel[i], &host_ops, p, i);
    }
    piix_ide_reset(&p->pci.dev, RESET_POWER_ON);
    return &p->pci.dev;
}
