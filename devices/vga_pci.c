/* The display adapter as a board knows it: a PCI function (1234:1111, revision 2, class 0300h) with three BARs.
 *
 *   BAR0   16 MiB, prefetchable: video memory
 *   BAR2    4 KiB of registers:
 *            000h  the monitor's EDID
 *            400h  VGA ports 3C0h-3DFh, a byte each
 *            500h  DISPI registers, a word each
 *            600h  size of this block (8); 604h: byte order of the picture's pixels, 1E1E1E1Eh little, BEBEBEBEh big
 *   ROM    64 KiB: the video BIOS
 *
 * The VGA's own ports and its window at A0000h answer from power-on and do not heed the PCI command register, as on a
 * board where the adapter is the one that the firmware starts with: programs that run without a PCI BIOS see a screen. */
#include "devices/vga_chip.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MMIO_PORTS = 0x400, MMIO_DISPI = 0x500, MMIO_EXTENDED = 0x600, MMIO_BYTE_ORDER = 0x604, MMIO_SIZE = 0x1000 };
#define ORDER_LITTLE 0x1e1e1e1eu
#define ORDER_BIG    0xbebebebeu

/* ---- BAR2 */

static uint32_t extended_read(const struct vga *v, uint64_t reg)
{
    switch (reg) {
    case MMIO_EXTENDED: return 8;
    case MMIO_BYTE_ORDER: return v->big_endian ? ORDER_BIG : ORDER_LITTLE;
    default: return 0;
    }
}

static uint8_t mmio_read_byte(struct vga *v, uint64_t off)
{
    if (off < MMIO_PORTS) return vga_edid_byte((unsigned)off);
    if (off < MMIO_PORTS + 0x20) return vga_port_read(v, (uint16_t)(off - MMIO_PORTS + 0x3c0));
    if (off >= MMIO_DISPI && off < MMIO_DISPI + 2 * DISPI_REGS)
        return (uint8_t)(vbe_read(v, (unsigned)(off - MMIO_DISPI) / 2) >> 8 * (off & 1));
    if (off >= MMIO_EXTENDED && off < MMIO_EXTENDED + 8) return (uint8_t)(extended_read(v, off & ~3ull) >> 8 * (off & 3));
    log_unimp(v->pci.dev.board->log, v->pci.dev.id, 0x2000000 | off, "no register at BAR2 + %03Xh", (unsigned)off);
    return 0;
}

static uint64_t mmio_read(void *dev, uint64_t off, unsigned size)
{
    uint64_t val = 0;
    for (unsigned i = 0; i < size; i++) val |= (uint64_t)mmio_read_byte(dev, off + i) << 8 * i;
    return val;
}

static void mmio_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct vga *v = dev;
    if (off >= MMIO_PORTS && off < MMIO_PORTS + 0x20) {
        for (unsigned i = 0; i < size && off + i < MMIO_PORTS + 0x20; i++)
            vga_port_write(v, (uint16_t)(off + i - MMIO_PORTS + 0x3c0), (uint8_t)(val >> 8 * i));
    } else if (off >= MMIO_DISPI && off < MMIO_DISPI + 2 * DISPI_REGS && size >= 2 && !(off & 1)) {
        for (unsigned i = 0; i < size; i += 2)
            if (off + i < MMIO_DISPI + 2 * DISPI_REGS)
                vbe_write(v, (unsigned)(off + i - MMIO_DISPI) / 2, (uint16_t)(val >> 8 * i));
    } else if (off == MMIO_BYTE_ORDER && size == 4) {
        if (val != ORDER_BIG && val != ORDER_LITTLE) return;
        v->big_endian = val == ORDER_BIG;
        v->drawn.stale = true;
    } else {
        log_unimp(v->pci.dev.board->log, v->pci.dev.id, 0x3000000 | off, "BAR2 + %03Xh takes no write of %u bytes",
                  (unsigned)off, size);
    }
}

static const struct io_ops mmio_ops = { mmio_read, mmio_write, 1, 4 };

/* ---- state */

static const struct state_field vga_fields[] = {
    FIELD_STRUCT(struct vga, pci, &pci_function_state, "PCI function"),
    FIELD_WIRING(struct vga, align),
    FIELD(struct vga, retrace, "due time of the retrace interrupt, while it is enabled"),
    FIELD(struct vga, epoch, "when the CRTC's counters were last at zero"),
    FIELD(struct vga, irq, "vertical retrace interrupt"),
    FIELD(struct vga, latch, "graphics controller's latches, plane 0 in the low byte"),
    FIELD(struct vga, dispi_index, "DISPI index (1CEh)"),
    FIELD_ARRAY(struct vga, dispi, "DISPI: id, xres, yres, bpp, enable, bank, virtual size, offsets, memory"),
    FIELD_ARRAY(struct vga, crtc, "CRT controller"),
    FIELD_ARRAY(struct vga, seq, "sequencer"),
    FIELD_ARRAY(struct vga, gc, "graphics controller"),
    FIELD_ARRAY(struct vga, ac, "attribute controller"),
    FIELD(struct vga, crtc_index, "3D4h/3B4h"),
    FIELD(struct vga, seq_index, "3C4h"),
    FIELD(struct vga, gc_index, "3CEh"),
    FIELD(struct vga, ac_index, "3C0h; bit 5: the picture is on"),
    FIELD(struct vga, misc, "miscellaneous output (3C2h)"),
    FIELD(struct vga, feature, "feature control (3DAh)"),
    FIELD_RANGE(struct vga, awake, 0, 1, "video subsystem enable (3C3h)"),
    FIELD_ARRAY(struct vga, dac, "256 colours: red, green, blue"),
    FIELD_ARRAY(struct vga, dac_latch, "components read or written so far"),
    FIELD(struct vga, dac_index, "colour that is accessed next"),
    FIELD_RANGE(struct vga, dac_component, 0, 2, "component that is accessed next"),
    FIELD(struct vga, dac_mask, "pixel mask (3C6h)"),
    FIELD(struct vga, dac_reading, "a read index was written last"),
    FIELD(struct vga, dac_8bit, "8 bits a component"),
    FIELD(struct vga, ac_data_next, "the next write to 3C0h is data"),
    FIELD(struct vga, retrace_pending, "retrace interrupt flip-flop"),
    FIELD(struct vga, big_endian, "pixels of the picture are big-endian"),
    FIELD_WIRING(struct vga, unused),
    FIELD_WIRING(struct vga, w),
    FIELD_DERIVED(struct vga, timing),
    FIELD_HOST(struct vga, drawn),
};
static const struct state_desc vga_state = STATE_DESC(struct vga, "vga", vga_fields);

static void vga_reset(struct device *d, enum reset_kind kind)
{
    struct vga *v = (struct vga *)d;
    (void)kind;                                         /* video memory keeps what it holds */
    pci_function_reset(&v->pci);
    vga_raster_forget(v);
    vga_regs_reset(v);
    vbe_reset(v);
    v->epoch = clock_now(d->board->clock);
    vga_timing_update(v);
    vga_mem_update(v);
}

static void vga_loaded(struct device *d)
{
    struct vga *v = (struct vga *)d;
    pci_function_loaded(&v->pci);
    vga_regs_sanitise(v);
    vbe_fixup(v);
    vga_timing_derive(v);
    vga_raster_forget(v);
    vga_mem_update(v);
    v->drawn.stale = true;
}

static void vga_destroy(struct device *d)
{
    struct vga *v = (struct vga *)d;
    timer_fini(&v->retrace);
    struct region *regions[] = { &v->w.legacy, &v->w.window, &v->w.lfb, &v->w.mmio, &v->w.rom };
    for (unsigned i = 0; i < sizeof regions / sizeof regions[0]; i++) region_remove(d->board->mem, regions[i]);
    if (v->w.vram) ram_watch(v->w.vram, DIRTY_DISPLAY, false);
    free(v->w.raster);
    free(v);
}

static const struct device_class vga_class = {
    .name = "vga", .title = "VGA with Bochs VBE extension", .reset = vga_reset, .loaded = vga_loaded, .destroy = vga_destroy,
    .state = &vga_state,
};

/* ---- create */

static void put_on_pci(struct vga *v, const struct vga_pins *pins)
{
    struct vga_wiring *w = &v->w;
    pci_set_subsystem(&v->pci, 0x1af4, 0x1100);

    w->lfb = (struct region){ .name = "vga.lfb", .size = w->vram->size, .prio = PRIO_MMIO, .reads = true, .writes = true,
                              .block = w->vram, .coalesce = true };
    w->mmio = (struct region){ .name = "vga.mmio", .size = MMIO_SIZE, .prio = PRIO_MMIO, .reads = true, .writes = true,
                               .io = &mmio_ops, .dev = v };
    pci_set_bar(&v->pci, 0, &(struct pci_bar){ .size = (uint32_t)w->vram->size, .prefetch = true, .region = &w->lfb });
    pci_set_bar(&v->pci, 2, &(struct pci_bar){ .size = MMIO_SIZE, .region = &w->mmio });
    if (pins->rom) {
        w->rom = (struct region){ .name = "vga.rom", .size = pins->rom->size, .prio = PRIO_MMIO, .reads = true,
                                  .block = pins->rom };
        pci_set_bar(&v->pci, 6, &(struct pci_bar){ .size = (uint32_t)pins->rom->size, .region = &w->rom });
    }
}

struct device *vga_create(struct board *b, const char *id, const struct vga_pins *pins)
{
    /* The window is as wide as 128 KiB, and BARs are powers of two. */
    assert(pins->vram->size >= 0x40000 && (pins->vram->size & (pins->vram->size - 1)) == 0);
    struct vga *v = calloc(1, sizeof *v);
    if (!v) return NULL;
    struct vga_wiring *w = &v->w;
    pci_function_init(&v->pci, pins->bus, &vga_class, id, pins->slot, 0, 0x1234, 0x1111, 0x030000, 2);
    w->vram = pins->vram;
    w->raster = vga_raster_new();
    if (!w->raster) abort();
    v->irq = pins->irq;
    timer_init(&v->retrace, b->clock, "vga.retrace", vga_retrace_fire, v);
    put_on_pci(v, pins);

    w->legacy = (struct region){ .name = "vga.planes", .base = 0xa0000, .size = 0x20000, .prio = PRIO_VGA, .reads = true,
                                 .writes = true, .io = &vga_legacy_ops, .dev = v, .peek = vga_legacy_peek };
    w->window = (struct region){ .name = "vga.window", .base = 0xa0000, .size = 0x20000, .prio = PRIO_VGA, .reads = true,
                                 .writes = true, .block = w->vram, .coalesce = true };
    region_add(b->mem, &w->legacy);
    region_add(b->mem, &w->window);
    device_claim_ports(&v->pci.dev, 0x3b0, 12, &vga_mono_ops);
    device_claim_ports(&v->pci.dev, 0x3c0, 32, &vga_colour_ops);
    device_claim_ports(&v->pci.dev, 0x1ce, 4, &vbe_port_ops);
    ram_watch(w->vram, DIRTY_DISPLAY, true);
    vga_reset(&v->pci.dev, RESET_POWER_ON);
    return &v->pci.dev;
}
