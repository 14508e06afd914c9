/* The inside of the display adapter: its registers, and what its files offer each other.
 *
 *   vga_regs.c   ports 3B0h-3DFh: miscellaneous, sequencer, graphics controller, CRTC, attribute controller, DAC
 *   vga_crtc.c   the beam: where it is at an instant, status bits, retrace interrupt
 *   vga_mem.c    A0000h-BFFFFh: planes, latches, write and read modes, direct mapping
 *   vga_dispi.c  the Bochs VBE registers
 *   vga_render.c, vga_render_cells.c, vga_render_linear.c   the picture
 *   vga_raster.c changes of registers while the picture is shown
 *   vga_edid.c   the monitor's description
 *   vga_pci.c    BARs, state table, reset, create
 *
 * Only those files include this header. */
#ifndef DEVICES_VGA_CHIP_H
#define DEVICES_VGA_CHIP_H

#include "base/bytes.h"
#include "devices/vga.h"

enum { VGA_CRTC_REGS = 25, VGA_SEQ_REGS = 5, VGA_GC_REGS = 9, VGA_AC_REGS = 21, VGA_PLANE_SIZE = 64 << 10 };

enum {                                        /* miscellaneous output, written at 3C2h, read at 3CCh */
    MISC_COLOUR = 0x01, MISC_RAM = 0x02, MISC_CLOCK = 0x0c, MISC_PAGE = 0x20,
};
enum {                                        /* sequencer, index at 3C4h */
    SEQ_RESET, SEQ_CLOCKING, SEQ_MAP_MASK, SEQ_CHARACTER_MAP, SEQ_MEMORY_MODE,
    SEQ_RUNNING = 0x03,
    SEQ_8_DOTS = 0x01, SEQ_HALF_CLOCK = 0x08, SEQ_SCREEN_OFF = 0x20,
    SEQ_SEQUENTIAL = 0x04, SEQ_CHAIN4 = 0x08,
};
enum {                                        /* graphics controller, index at 3CEh */
    GC_SET_RESET, GC_ENABLE_SET_RESET, GC_COLOUR_COMPARE, GC_ROTATE, GC_READ_MAP, GC_MODE, GC_MISC, GC_DONT_CARE, GC_BIT_MASK,
    GC_MODE_WRITE = 0x03, GC_MODE_READ = 0x08, GC_MODE_ODD_EVEN = 0x10, GC_MODE_INTERLEAVE = 0x20, GC_MODE_256 = 0x40,
    GC_MISC_GRAPHICS = 0x01, GC_MISC_CHAIN = 0x02,
};
enum {                                        /* CRT controller, index at 3D4h or 3B4h */
    CR_HTOTAL, CR_HDISPLAY_END, CR_HBLANK_START, CR_HBLANK_END, CR_HRETRACE_START, CR_HRETRACE_END, CR_VTOTAL, CR_OVERFLOW,
    CR_PRESET_ROW, CR_MAX_SCAN, CR_CURSOR_START, CR_CURSOR_END, CR_START_HIGH, CR_START_LOW, CR_CURSOR_HIGH, CR_CURSOR_LOW,
    CR_VRETRACE_START, CR_VRETRACE_END, CR_VDISPLAY_END, CR_OFFSET, CR_UNDERLINE, CR_VBLANK_START, CR_VBLANK_END, CR_MODE,
    CR_LINE_COMPARE,
    CR_LATCH = 0x22, CR_FLIP_FLOP = 0x24, CR_AC_INDEX = 0x26,     /* read-only, in no manual of IBM's, in every clone */
    CR_VRETRACE_END_PROTECT = 0x80, CR_VRETRACE_END_NO_IRQ = 0x20, CR_VRETRACE_END_KEEP_IRQ = 0x10,
    CR_MAX_SCAN_DOUBLE = 0x80, CR_HBLANK_END_BITS = 0x1f,
    CR_UNDERLINE_DWORD = 0x40, CR_UNDERLINE_COUNT4 = 0x20,
    CR_MODE_SCAN13 = 0x01, CR_MODE_SCAN14 = 0x02, CR_MODE_HALF_LINES = 0x04, CR_MODE_COUNT2 = 0x08, CR_MODE_WRAP15 = 0x20,
    CR_MODE_BYTE = 0x40, CR_MODE_RUN = 0x80,
};
enum {                                        /* attribute controller, index and data at 3C0h */
    AC_MODE = 0x10, AC_OVERSCAN, AC_PLANE_ENABLE, AC_PANNING, AC_COLOUR_SELECT,
    AC_INDEX_PAS = 0x20,                      /* palette address source: the picture is on */
    AC_MODE_GRAPHICS = 0x01, AC_MODE_LINE_GRAPHICS = 0x04, AC_MODE_BLINK = 0x08, AC_MODE_PPM = 0x20, AC_MODE_8BIT = 0x40,
    AC_MODE_P54S = 0x80,
};
enum {                                        /* DISPI */
    DISPI_ID, DISPI_XRES, DISPI_YRES, DISPI_BPP, DISPI_ENABLE, DISPI_BANK, DISPI_VIRT_WIDTH, DISPI_VIRT_HEIGHT, DISPI_X_OFFSET,
    DISPI_Y_OFFSET, DISPI_MEMORY_64K, DISPI_REGS,
    DISPI_ENABLE_ON = 0x01, DISPI_ENABLE_GETCAPS = 0x02, DISPI_ENABLE_8BIT_DAC = 0x20, DISPI_ENABLE_LFB = 0x40,
    DISPI_ENABLE_NOCLEAR = 0x80,
    DISPI_MAX_XRES = 4096, DISPI_MAX_YRES = 2400, DISPI_MAX_BPP = 32,
};

/* Structs that are one field of the state table are aligned, so that no byte lies between them. */

/* What the CRTC counts, from its registers; see vga_crtc.c. */
struct vga_timing {
    _Alignas(16) struct clk clk;                           /* character clock */
    uint32_t htotal, hdisplay;                /* characters a scan line, and how many of them are shown */
    uint32_t vtotal, vdisplay;                /* scan lines likewise */
    uint32_t retrace_start, retrace_lines;    /* vertical retrace */
    bool running;
};

/* What the last render drew; the host's, not the guest's. */
struct vga_drawn {
    _Alignas(16) const uint32_t *pixels;
    uint64_t generation;
    uint32_t phase;                           /* of cursor and blinking */
    bool stale;                               /* a register that shapes the picture was written since */
};

struct vga_wiring {
    _Alignas(16) struct ram_block *vram;
    struct region legacy, window;             /* A0000h-BFFFFh answered by us, or by video memory itself */
    struct region lfb, mmio, rom;             /* behind BAR0, BAR2, ROM BAR */
    struct vga_raster *raster;                /* the host's, not the guest's */
};

struct vga {
    struct pci_function pci;
    uint8_t align[16 - sizeof(struct pci_function) % 16];
    struct timer retrace;                     /* armed only while the retrace interrupt is enabled and not pending */
    vtime epoch;                              /* the CRTC's counters were at zero */
    struct irq_line irq;
    uint32_t latch;                           /* plane p in bits 8p to 8p+7 */
    uint16_t dispi_index;
    uint16_t dispi[DISPI_REGS];
    uint8_t crtc[VGA_CRTC_REGS], seq[VGA_SEQ_REGS], gc[VGA_GC_REGS], ac[VGA_AC_REGS];
    uint8_t crtc_index, seq_index, gc_index, ac_index;
    uint8_t misc, feature, awake;
    uint8_t dac[768], dac_latch[3];
    uint8_t dac_index, dac_component, dac_mask;
    bool dac_reading, dac_8bit;
    bool ac_data_next;
    bool retrace_pending;
    bool big_endian;
    uint8_t unused[14];
    struct vga_wiring w;
    struct vga_timing timing;                 /* DERIVED */
    struct vga_drawn drawn;                   /* HOST */
};

static inline bool vbe_on(const struct vga *v) { return v->dispi[DISPI_ENABLE] & DISPI_ENABLE_ON; }
static inline bool vbe_planar(const struct vga *v) { return v->dispi[DISPI_BPP] == 4; }

/* vga_regs.c: byte registers by their address in 3B0h to 3DFh. */
extern const struct io_ops vga_mono_ops, vga_colour_ops;
uint8_t vga_port_read(struct vga *v, uint16_t port);
void vga_port_write(struct vga *v, uint16_t port, uint8_t val);
void vga_regs_reset(struct vga *v);
void vga_regs_sanitise(struct vga *v);        /* after a load: clears the bits that no register has */

/* vga_crtc.c */
void vga_timing_update(struct vga *v);        /* after a write: counters start anew if the frame's shape changed */
void vga_timing_derive(struct vga *v);        /* after a load: the counters go on */
uint8_t vga_status1(struct vga *v);           /* 3DAh */
/* The frame whose lines are being shown, or will be next; a frame begins where the last line of the one before ends. *line
 * is the first that a register written now can change: 0 while none is shown. */
uint64_t vga_beam(struct vga *v, uint32_t *line);
uint64_t vga_frame_count(struct vga *v);      /* frames since the counters started */
void vga_retrace_irq_update(struct vga *v);   /* after a write to the vertical retrace end register */
void vga_retrace_fire(void *opaque, vtime due);

/* vga_mem.c */
uint8_t vga_legacy_peek(void *dev, uint64_t off);     /* a byte of the window, without loading the latches */
extern const struct io_ops vga_legacy_ops;
void vga_mem_update(struct vga *v);           /* after a change of any register that maps memory */

/* vga_dispi.c */
extern const struct io_ops vbe_port_ops;
uint16_t vbe_read(struct vga *v, unsigned index);
void vbe_write(struct vga *v, unsigned index, uint16_t val);
void vbe_reset(struct vga *v);
void vbe_fixup(struct vga *v);                /* makes every register fit the memory; after a load too */
uint32_t vbe_pitch(const struct vga *v);      /* bytes a row of the virtual screen, all planes together */
uint64_t vbe_start(const struct vga *v);      /* byte offset in video memory of the first pixel shown */

/* vga_raster.c */
struct vga_raster *vga_raster_new(void);
void vga_raster_forget(struct vga *v);        /* the frame starts anew */
void vga_raster_note(struct vga *v, const uint8_t *reg, uint8_t val);     /* before a register of the picture changes */
/* Was the last whole frame changed on its way? Then `then` is the adapter as it was before that frame's first line. */
bool vga_raster_rewind(struct vga *v, struct vga *then);
/* Goes on to scan line `line` of it; *next is 0 at first. True if a register changed. */
bool vga_raster_replay(struct vga *v, struct vga *then, unsigned *next, unsigned line);

/* vga_edid.c: byte n of the monitor's description, 0 beyond it. */
uint8_t vga_edid_byte(unsigned n);

/* vga_render*.c */
enum vga_kind { VGA_NO_SIGNAL, VGA_TEXT, VGA_GRAPHICS, VGA_LINEAR, VGA_LINEAR_PLANAR };
struct vga_scan {                             /* what is drawn: computed for each render */
    enum vga_kind kind;
    bool blank;                               /* one colour all over */
    bool eight_bit;                           /* two 4-bit dots make an 8-bit pixel */
    unsigned width, height;                   /* of the picture: a column a dot, a row a scan line */
    unsigned cells, pixels;                   /* fetches a line, and pixels each gives */
    unsigned stretch;                         /* dots a pixel is wide */
    unsigned split;                           /* first scan line of the lower screen */
    struct vga_blanking { unsigned from, count, total; } hblank, vblank;     /* cells, lines: wraps at total */
    bool cursor_phase, blink_phase;           /* cursor is shown; blinking characters are shown */
    uint32_t colour16[16], colour256[256];
};
struct vga_line {                             /* one scan line */
    unsigned address, row_scan, pan;          /* character address of its first cell; line of the cell; pixels cut off left */
};
void vga_scan_shape(struct vga *v, struct vga_scan *s);      /* all but the colours */
void vga_scan_colours(struct vga *v, struct vga_scan *s);
/* Plane offset that the CRTC puts out for a character address. */
unsigned vga_crtc_offset(const struct vga *v, unsigned address, unsigned row_scan);
/* Does the line show the cursor or a blinking character, now or half a period later? */
bool vga_text_blinks(const struct vga *v, const struct vga_scan *s, const struct vga_line *l);
/* Draws one line, unstretched: s->cells cells and one more, of which panning shows a part. */
void vga_draw_text(const struct vga *v, const struct vga_scan *s, const struct vga_line *l, uint32_t *out);
void vga_draw_graphics(const struct vga *v, const struct vga_scan *s, const struct vga_line *l, uint32_t *out);
void vga_draw_linear(const struct vga *v, const struct vga_scan *s, uint32_t offset, uint32_t *out);
/* Eight dots of four bits from a byte of each plane, a byte a dot, the leftmost in the highest. */
static inline uint64_t vga_planar_dots(const uint8_t b[4])
{
    uint64_t dots = 0;
    for (unsigned p = 0; p < 4; p++) {
        /* Bit n of the byte to byte n, then to 0 or 1: adding 7Fh carries into bit 7 unless all are 0. */
        uint64_t bits = (b[p] * 0x0101010101010101ull) & 0x8040201008040201ull;
        dots |= ((bits + 0x7f7f7f7f7f7f7f7full) >> 7 & 0x0101010101010101ull) << p;
    }
    return dots;
}
/* The longest line: 256 cells and one more, of 9 pixels and 2 dots each. VBE rows are shorter. */
#define VGA_LINE_ROOM (257 * 9 * 2)
_Static_assert(VGA_LINE_ROOM > DISPI_MAX_XRES, "a VBE row fits");

#endif
