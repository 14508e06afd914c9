/* The Bochs VBE extension ("DISPI"): the interface of the Bochs project's VBE display, docs "VBE Display API", as
 * SeaVGABIOS, Linux's bochs-drm and many small systems program it.
 *
 * An index register at 1CEh and a 16-bit data register at the odd port 1CFh (again at 1D0h for hosts of other buses that
 * cannot make the unaligned access). Sizes are written first, then bit 0 of the enable register turns the mode on: then the
 * virtual screen becomes as wide as the picture, panning and bank go to 0, and video memory is cleared unless bit 7 forbids
 * it. While it is on the CRTC registers do not shape the picture; they are left alone, so turning it off brings the former
 * VGA mode back. With bit 1 set the size registers read as their maxima.
 *
 * While the mode is on, whatever is written is made to fit the memory at once, so what can be read back is what is shown. */
#include "devices/vga_chip.h"

#include <string.h>

enum { DISPI_ID_FIRST = 0xb0c0, DISPI_ID_LAST = 0xb0c5 };

static uint32_t pitch_of(unsigned width, unsigned bpp)
{
    if (bpp == 4) return (width + 7) / 8 * 4;           /* four planes of a bit a pixel */
    return width * ((bpp + 7) / 8);
}

uint32_t vbe_pitch(const struct vga *v)
{
    return pitch_of(v->dispi[DISPI_VIRT_WIDTH], v->dispi[DISPI_BPP]);
}

/* Where pixel x of a row starts. A planar row can start at every eighth pixel only. */
static uint32_t column(const struct vga *v, unsigned x)
{
    unsigned bpp = v->dispi[DISPI_BPP];
    return bpp == 4 ? x / 8 * 4 : x * ((bpp + 7) / 8);
}

uint64_t vbe_start(const struct vga *v)
{
    return (uint64_t)v->dispi[DISPI_Y_OFFSET] * vbe_pitch(v) + column(v, v->dispi[DISPI_X_OFFSET]);
}

static uint16_t clamp(uint32_t val, uint32_t low, uint32_t high)
{
    return (uint16_t)(val < low ? low : val > high ? high : val);
}

static void fit_screen(struct vga *v, uint64_t memory)
{
    uint16_t *r = v->dispi;
    unsigned bpp = r[DISPI_BPP];
    uint64_t rows = memory / pitch_of(r[DISPI_XRES], bpp);
    if (r[DISPI_YRES] > rows) r[DISPI_YRES] = (uint16_t)rows;

    if (r[DISPI_VIRT_WIDTH] < r[DISPI_XRES]) r[DISPI_VIRT_WIDTH] = r[DISPI_XRES];
    if ((uint64_t)vbe_pitch(v) * r[DISPI_YRES] > memory) r[DISPI_VIRT_WIDTH] = r[DISPI_XRES];
    rows = memory / vbe_pitch(v);
    r[DISPI_VIRT_HEIGHT] = (uint16_t)(rows > 0xffff ? 0xffff : rows);

    /* The last row shown must end within the memory; rather no panning than half a picture. */
    uint64_t shown = (uint64_t)(r[DISPI_YRES] - 1) * vbe_pitch(v) + pitch_of(r[DISPI_XRES], bpp);
    if (vbe_start(v) + shown > memory) r[DISPI_Y_OFFSET] = 0;
    if (vbe_start(v) + shown > memory) r[DISPI_X_OFFSET] = 0;
}

void vbe_fixup(struct vga *v)
{
    uint16_t *r = v->dispi;
    uint64_t memory = v->w.vram->size;
    switch (r[DISPI_BPP]) {
    case 4: case 8: case 15: case 16: case 24: case 32: break;
    default: r[DISPI_BPP] = 8; break;                   /* 0 means 8; the others are not there */
    }
    r[DISPI_XRES] = clamp(r[DISPI_XRES], 1, DISPI_MAX_XRES);
    r[DISPI_YRES] = clamp(r[DISPI_YRES], 1, DISPI_MAX_YRES);
    uint32_t banks = (uint32_t)(memory >> 16) / (r[DISPI_BPP] == 4 ? 4 : 1);
    if (r[DISPI_BANK] >= banks) r[DISPI_BANK] %= banks;
    r[DISPI_MEMORY_64K] = (uint16_t)(memory >> 16);
    if (vbe_on(v)) fit_screen(v, memory);               /* while it is off sizes come one by one, in any order */
}

uint16_t vbe_read(struct vga *v, unsigned index)
{
    if (index >= DISPI_REGS) {
        log_unimp(v->pci.dev.board->log, v->pci.dev.id, 0x1000000 | index, "no DISPI register %u", index);
        return 0;
    }
    if (v->dispi[DISPI_ENABLE] & DISPI_ENABLE_GETCAPS) {
        switch (index) {
        case DISPI_XRES: return DISPI_MAX_XRES;
        case DISPI_YRES: return DISPI_MAX_YRES;
        case DISPI_BPP: return DISPI_MAX_BPP;
        default: break;
        }
    }
    return v->dispi[index];
}

static void write_enable(struct vga *v, uint16_t val)
{
    uint16_t *r = v->dispi;
    bool was_on = vbe_on(v);
    r[DISPI_ENABLE] = val & (DISPI_ENABLE_ON | DISPI_ENABLE_GETCAPS | DISPI_ENABLE_8BIT_DAC | DISPI_ENABLE_LFB |
                             DISPI_ENABLE_NOCLEAR);
    v->dac_8bit = val & DISPI_ENABLE_8BIT_DAC;
    trace(v->pci.dev.board->log, vbe_mode, (uint64_t)r[DISPI_XRES], (uint64_t)r[DISPI_YRES], (uint64_t)r[DISPI_BPP],
          (uint64_t)r[DISPI_ENABLE]);
    if (!vbe_on(v)) {
        r[DISPI_BANK] = 0;
        return;
    }
    if (was_on) return;
    r[DISPI_VIRT_WIDTH] = r[DISPI_XRES];
    r[DISPI_X_OFFSET] = r[DISPI_Y_OFFSET] = r[DISPI_BANK] = 0;
    vbe_fixup(v);
    if (val & DISPI_ENABLE_NOCLEAR) return;
    uint64_t shown = (uint64_t)vbe_pitch(v) * r[DISPI_YRES];
    memset(v->w.vram->data, 0, shown);
    ram_written(v->w.vram, 0, shown);
}

void vbe_write(struct vga *v, unsigned index, uint16_t val)
{
    switch (index) {
    case DISPI_ID:
        if (val >= DISPI_ID_FIRST && val <= DISPI_ID_LAST) v->dispi[index] = val;
        return;
    case DISPI_BANK:                                    /* nothing else changes: banked drawing writes it a lot */
        v->dispi[index] = val;
        vbe_fixup(v);
        vga_mem_update(v);
        return;
    case DISPI_ENABLE:
        write_enable(v, val);
        break;
    case DISPI_XRES:
    case DISPI_YRES:
    case DISPI_BPP:
    case DISPI_VIRT_WIDTH:
    case DISPI_X_OFFSET:
    case DISPI_Y_OFFSET:
        v->dispi[index] = val;
        break;
    case DISPI_VIRT_HEIGHT:                             /* follows from the width and the memory */
    case DISPI_MEMORY_64K:
        return;
    default:
        log_unimp(v->pci.dev.board->log, v->pci.dev.id, 0x1000000 | index, "no DISPI register %u", index);
        return;
    }
    vbe_fixup(v);
    v->drawn.stale = true;
    vga_timing_update(v);
    vga_mem_update(v);
}

void vbe_reset(struct vga *v)
{
    memset(v->dispi, 0, sizeof v->dispi);
    v->dispi[DISPI_ID] = DISPI_ID_LAST;
    v->dispi_index = 0;
    vbe_fixup(v);
}

/* ---- ports 1CEh-1D1h: two 16-bit registers, the second at two odd addresses */

static uint64_t port_read(void *dev, uint64_t off, unsigned size)
{
    struct vga *v = dev;
    (void)size;                                         /* a byte access sees the low half */
    return off == 0 ? v->dispi_index : vbe_read(v, v->dispi_index);
}

static void port_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct vga *v = dev;
    (void)size;
    if (off == 0) v->dispi_index = (uint16_t)val;
    else vbe_write(v, v->dispi_index, (uint16_t)val);
}

const struct io_ops vbe_port_ops = { port_read, port_write, 1, 2 };
