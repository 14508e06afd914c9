/* The registers of the VGA at 3B0h-3DFh: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem".
 *
 * Five register files hide behind index/data pairs. The attribute controller has one port for both: each write to 3C0h
 * flips between index and data, and a read of input status 1 sets it back to index (a read with a side effect, as all
 * DAC data reads are). The CRTC and input status 1 answer at 3Bxh or 3Dxh by bit 0 of the miscellaneous output register.
 *
 * The DAC latches three bytes: a colour changes when its third component is written, and a read index fetches a colour at
 * once and moves on. It holds 6 bits a component, or 8 where the DISPI register says so.
 *
 * GAP: the sequencer's "extended memory" bit is kept but video memory is always 256 KiB; the light pen does not exist (its
 * registers read 0). */
#include "devices/vga_chip.h"

#include <string.h>

/* Bits that exist; the others read 0. */
static const uint8_t crtc_mask[VGA_CRTC_REGS] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0x3f, 0x7f, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xef, 0xff,
};
static const uint8_t seq_mask[VGA_SEQ_REGS] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
static const uint8_t gc_mask[VGA_GC_REGS] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };
static const uint8_t ac_mask[VGA_AC_REGS] = {
    0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
    0xef, 0xff, 0x3f, 0x0f, 0x0f,
};

/* Stores a register that shapes the picture; true if it changed. */
static bool store(struct vga *v, uint8_t *reg, uint8_t val)
{
    if (*reg == val) return false;
    vga_raster_note(v, reg, val);
    *reg = val;
    v->drawn.stale = true;
    return true;
}

static void unknown(struct vga *v, uint16_t port, uint8_t index)
{
    log_unimp(v->pci.dev.board->log, v->pci.dev.id, (uint64_t)port << 8 | index, "no register at port %03Xh index %02Xh",
              port, index);
}

/* ---- CRTC */

static uint8_t crtc_read(struct vga *v)
{
    uint8_t i = v->crtc_index;
    switch (i) {
    case CR_LATCH: return (uint8_t)(v->latch >> 8 * v->gc[GC_READ_MAP]);
    case CR_FLIP_FLOP: return v->ac_data_next ? 0x80 : 0;
    case CR_AC_INDEX: return v->ac_index;
    case CR_VRETRACE_START:
    case CR_VRETRACE_END:                               /* bit 7 of the horizontal blanking end: light pen here instead */
        return v->crtc[CR_HBLANK_END] & 0x80 ? v->crtc[i] : 0;
    default:
        if (i < VGA_CRTC_REGS) return v->crtc[i];
        unknown(v, 0x3d5, i);
        return 0;
    }
}

static void crtc_write(struct vga *v, uint8_t val)
{
    uint8_t i = v->crtc_index;
    if (i >= VGA_CRTC_REGS) {
        unknown(v, 0x3d5, i);
        return;
    }
    val &= crtc_mask[i];
    if (v->crtc[CR_VRETRACE_END] & CR_VRETRACE_END_PROTECT && i <= CR_OVERFLOW) {
        if (i != CR_OVERFLOW) return;
        val = (uint8_t)((v->crtc[i] & ~0x10) | (val & 0x10));    /* bit 8 of line compare stays writable */
    }
    bool changed = store(v, &v->crtc[i], val);
    switch (i) {
    case CR_VRETRACE_END:
        vga_timing_update(v);                           /* whether it changed or not: bit 4 acts on each write */
        return;
    case CR_HTOTAL:
    case CR_HDISPLAY_END:
    case CR_VTOTAL:
    case CR_OVERFLOW:
    case CR_VRETRACE_START:
    case CR_VDISPLAY_END:
    case CR_MODE:
        if (changed) vga_timing_update(v);
        return;
    default:
        return;
    }
}

/* ---- sequencer, graphics controller */

static void seq_write(struct vga *v, uint8_t val)
{
    uint8_t i = v->seq_index;
    if (i >= VGA_SEQ_REGS) {
        unknown(v, 0x3c5, i);
        return;
    }
    if (i == SEQ_MAP_MASK) {                            /* written between pixels: not part of the picture */
        v->seq[i] = val & seq_mask[i];
        vga_mem_update(v);
        return;
    }
    if (!store(v, &v->seq[i], val & seq_mask[i])) return;
    if (i == SEQ_RESET || i == SEQ_CLOCKING) vga_timing_update(v);
    if (i == SEQ_MEMORY_MODE) vga_mem_update(v);
}

static void gc_write(struct vga *v, uint8_t val)
{
    uint8_t i = v->gc_index;
    if (i >= VGA_GC_REGS) {
        unknown(v, 0x3cf, i);
        return;
    }
    val &= gc_mask[i];
    if (i == GC_MODE || i == GC_MISC) store(v, &v->gc[i], val);
    else v->gc[i] = val;
    vga_mem_update(v);
}

/* ---- attribute controller */

static void ac_write(struct vga *v, uint8_t val)
{
    bool data = v->ac_data_next;
    v->ac_data_next = !data;
    if (!data) {
        if ((v->ac_index ^ val) & AC_INDEX_PAS) store(v, &v->ac_index, val & 0x3f);
        else v->ac_index = val & 0x3f;
        return;
    }
    uint8_t i = v->ac_index & 0x1f;
    if (i >= VGA_AC_REGS) unknown(v, 0x3c0, i);
    else store(v, &v->ac[i], val & ac_mask[i]);
}

static uint8_t ac_read(struct vga *v)
{
    uint8_t i = v->ac_index & 0x1f;
    if (i < VGA_AC_REGS) return v->ac[i];
    unknown(v, 0x3c1, i);
    return 0;
}

/* ---- DAC (an INMOS IMSG171 at heart) */

static void dac_fetch(struct vga *v)
{
    memcpy(v->dac_latch, &v->dac[3 * v->dac_index], 3);
    v->dac_index++;
}

static uint8_t dac_read(struct vga *v)                  /* moves on to the next component, and colour */
{
    uint8_t val = v->dac_latch[v->dac_component];
    if (++v->dac_component == 3) {
        v->dac_component = 0;
        if (v->dac_reading) dac_fetch(v);
        else v->dac_index++;
    }
    return v->dac_8bit ? val : val & 0x3f;
}

static void dac_write(struct vga *v, uint8_t val)
{
    v->dac_latch[v->dac_component] = v->dac_8bit ? val : val & 0x3f;
    if (++v->dac_component < 3) return;
    v->dac_component = 0;
    uint8_t *colour = &v->dac[3 * v->dac_index];
    for (unsigned i = 0; i < 3; i++) store(v, &colour[i], v->dac_latch[i]);
    v->dac_index++;
}

/* Input status 0. Bit 4 is the comparator on the DAC's outputs, by which a BIOS finds out whether a monitor loads them: low
 * where a colour is bright. Of the picture's colours the first stands for all. The limit is unverified. */
static uint8_t status0(const struct vga *v)
{
    unsigned shift = v->dac_8bit ? 2 : 0;
    unsigned sum = (unsigned)((v->dac[0] >> shift) + (v->dac[1] >> shift) + (v->dac[2] >> shift));
    return (uint8_t)((v->retrace_pending ? 0x80 : 0) | (sum >= 0x4e ? 0 : 0x10));
}

/* ---- ports */

/* Does the other half of the CRTC's two homes answer now? */
static bool hidden(const struct vga *v, uint16_t port)
{
    if (port >= 0x3c0 && port < 0x3d0) return false;
    return (port >= 0x3d0) != ((v->misc & MISC_COLOUR) != 0);
}

uint8_t vga_port_read(struct vga *v, uint16_t port)
{
    if (port == 0x3c3) return v->awake;
    if (!v->awake || hidden(v, port)) return 0xff;
    switch (port) {
    case 0x3b4:
    case 0x3d4: return v->crtc_index;
    case 0x3b5:
    case 0x3d5: return crtc_read(v);
    case 0x3ba:
    case 0x3da:                                         /* sets the attribute controller back to index */
        v->ac_data_next = false;
        return vga_status1(v);
    case 0x3c0: return v->ac_index;
    case 0x3c1: return ac_read(v);
    case 0x3c2: return status0(v);
    case 0x3c4: return v->seq_index;
    case 0x3c5: return v->seq_index < VGA_SEQ_REGS ? v->seq[v->seq_index] : 0;
    case 0x3c6: return v->dac_mask;
    case 0x3c7: return v->dac_reading ? 3 : 0;
    case 0x3c8: return v->dac_index;
    case 0x3c9: return dac_read(v);
    case 0x3ca: return v->feature;
    case 0x3cc: return v->misc;
    case 0x3ce: return v->gc_index;
    case 0x3cf: return v->gc_index < VGA_GC_REGS ? v->gc[v->gc_index] : 0;
    default:
        unknown(v, port, 0);
        return 0xff;
    }
}

void vga_port_write(struct vga *v, uint16_t port, uint8_t val)
{
    if (port == 0x3c3) {                                /* video subsystem enable: bit 0 */
        v->awake = val & 1;
        vga_mem_update(v);
        return;
    }
    if (!v->awake || hidden(v, port)) return;
    switch (port) {
    case 0x3b4:
    case 0x3d4: v->crtc_index = val & 0x3f; return;
    case 0x3b5:
    case 0x3d5: crtc_write(v, val); return;
    case 0x3ba:
    case 0x3da: v->feature = val & 0x0b; return;
    case 0x3c0: ac_write(v, val); return;
    case 0x3c2:
        store(v, &v->misc, val & 0xef);
        vga_mem_update(v);
        vga_timing_update(v);
        return;
    case 0x3c4: v->seq_index = val & 0x07; return;
    case 0x3c5: seq_write(v, val); return;
    case 0x3c6: store(v, &v->dac_mask, val); return;
    case 0x3c7:                                         /* read index */
        v->dac_index = val;
        v->dac_component = 0;
        v->dac_reading = true;
        dac_fetch(v);
        return;
    case 0x3c8:                                         /* write index */
        v->dac_index = val;
        v->dac_component = 0;
        v->dac_reading = false;
        return;
    case 0x3c9: dac_write(v, val); return;
    case 0x3ce: v->gc_index = val & 0x0f; return;
    case 0x3cf: gc_write(v, val); return;
    default:
        unknown(v, port, 0);
        return;
    }
}

static uint64_t mono_read(void *dev, uint64_t off, unsigned size)
{
    (void)size;
    return vga_port_read(dev, (uint16_t)(0x3b0 + off));
}

static void mono_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    (void)size;
    vga_port_write(dev, (uint16_t)(0x3b0 + off), (uint8_t)val);
}

static uint64_t colour_read(void *dev, uint64_t off, unsigned size)
{
    (void)size;
    return vga_port_read(dev, (uint16_t)(0x3c0 + off));
}

static void colour_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    (void)size;
    vga_port_write(dev, (uint16_t)(0x3c0 + off), (uint8_t)val);
}

const struct io_ops vga_mono_ops = { mono_read, mono_write, 1, 1 };          /* 3B0h-3BBh */
const struct io_ops vga_colour_ops = { colour_read, colour_write, 1, 1 };    /* 3C0h-3DFh */

void vga_regs_reset(struct vga *v)
{
    memset(v->crtc, 0, sizeof v->crtc);
    memset(v->seq, 0, sizeof v->seq);
    memset(v->gc, 0, sizeof v->gc);
    memset(v->ac, 0, sizeof v->ac);
    memset(v->dac, 0, sizeof v->dac);
    memset(v->dac_latch, 0, sizeof v->dac_latch);
    v->crtc_index = v->seq_index = v->gc_index = v->ac_index = 0;
    v->misc = v->feature = 0;
    v->awake = 1;
    v->dac_index = v->dac_component = 0;
    v->dac_mask = 0xff;
    v->dac_reading = v->dac_8bit = v->ac_data_next = v->retrace_pending = v->big_endian = false;
    v->latch = 0;
    v->drawn.stale = true;
}

void vga_regs_sanitise(struct vga *v)
{
    for (unsigned i = 0; i < VGA_CRTC_REGS; i++) v->crtc[i] &= crtc_mask[i];
    for (unsigned i = 0; i < VGA_SEQ_REGS; i++) v->seq[i] &= seq_mask[i];
    for (unsigned i = 0; i < VGA_GC_REGS; i++) v->gc[i] &= gc_mask[i];
    for (unsigned i = 0; i < VGA_AC_REGS; i++) v->ac[i] &= ac_mask[i];
    v->misc &= 0xef;
}
