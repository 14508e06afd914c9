/* One scan line of a mode that the VGA itself makes: text cells with fonts, or dots from four planes.
 *
 * Each fetch brings one byte of each plane. In text the planes are character, attribute and font; in graphics the shift
 * registers turn the 32 bits into eight dots of four bits in one of three orders (IBM Technical Reference, graphics
 * controller register 5): one bit of each plane; two bits of planes 0 and 2, then of 1 and 3 (CGA); the nibbles of plane 0, 1,
 * 2, 3. The last, with two dots joined to one pixel by the attribute controller, makes 256 colours.
 *
 * The odd one is the ninth dot of a character: it is background, but for characters C0h-DFh, where line graphics may
 * repeat the eighth. In graphics the shift registers are empty by then, and it is colour 0 (unverified). */
#include "devices/vga_chip.h"

static unsigned counted(const struct vga *v, unsigned cell)
{
    /* The address counter may be clocked by every second or fourth character only.
     * GAP: the serialisers are loaded with each of them all the same (clocking mode bits 2 and 4 are not modelled). */
    if (v->crtc[CR_UNDERLINE] & CR_UNDERLINE_COUNT4) return cell >> 2;
    return v->crtc[CR_MODE] & CR_MODE_COUNT2 ? cell >> 1 : cell;
}

/* ---- text */

/* Character map select: three bits choose one of eight fonts of 8 KiB; even ones come first. Bit 3 of an attribute selects
 * map A, its absence map B. */
static unsigned font_offset(const struct vga *v, bool map_a)
{
    uint8_t r = v->seq[SEQ_CHARACTER_MAP];
    unsigned n = map_a ? (r >> 2 & 3) | (r >> 5 & 1) << 2 : (r & 3) | (r >> 4 & 1) << 2;
    return (n & 3) * 0x4000 + (n >> 2) * 0x2000;
}

static bool cursor_line(const struct vga *v, const struct vga_scan *s, unsigned row_scan)
{
    uint8_t start = v->crtc[CR_CURSOR_START], end = v->crtc[CR_CURSOR_END] & 0x1f;
    return s->cursor_phase && !(start & 0x20) && row_scan >= (start & 0x1fu) && row_scan <= end;
}

bool vga_text_blinks(const struct vga *v, const struct vga_scan *s, const struct vga_line *l)
{
    unsigned cursor = (unsigned)v->crtc[CR_CURSOR_HIGH] << 8 | v->crtc[CR_CURSOR_LOW], skew = v->crtc[CR_CURSOR_END] >> 5 & 3;
    for (unsigned i = 0; i <= s->cells; i++) {
        unsigned address = (l->address + counted(v, i)) & 0xffff;
        if (address == ((cursor + skew) & 0xffff)) return true;
        if (v->ac[AC_MODE] & AC_MODE_BLINK && v->w.vram->data[4 * vga_crtc_offset(v, address, l->row_scan) + 1] & 0x80) return true;
    }
    return false;
}

void vga_draw_text(const struct vga *v, const struct vga_scan *s, const struct vga_line *l, uint32_t *out)
{
    const uint8_t *vram = v->w.vram->data;
    unsigned font[2] = { font_offset(v, false), font_offset(v, true) };
    bool blink = v->ac[AC_MODE] & AC_MODE_BLINK, line_graphics = v->ac[AC_MODE] & AC_MODE_LINE_GRAPHICS;
    bool underline_here = l->row_scan == (v->crtc[CR_UNDERLINE] & 0x1fu), cursor_here = cursor_line(v, s, l->row_scan);
    unsigned cursor = (unsigned)v->crtc[CR_CURSOR_HIGH] << 8 | v->crtc[CR_CURSOR_LOW], skew = v->crtc[CR_CURSOR_END] >> 5 & 3;

    for (unsigned i = 0; i <= s->cells; i++) {
        unsigned address = (l->address + counted(v, i)) & 0xffff;
        const uint8_t *cell = vram + 4 * vga_crtc_offset(v, address, l->row_scan);
        uint8_t ch = cell[0], attr = cell[1];
        unsigned dots = vram[4 * (size_t)(font[attr >> 3 & 1] + 32 * ch + l->row_scan) + 2] << 1;
        if (line_graphics && (ch & 0xe0) == 0xc0) dots |= dots >> 1 & 1;
        /* Underlined are attributes of foreground 1 or 9 on 0, as on the monochrome adapter. */
        if (underline_here && (attr & 0x77) == 0x01) dots = 0x1ff;
        unsigned foreground = attr & 0x0f, background = attr >> 4;
        if (blink) {
            background &= 7;
            if (attr & 0x80 && !s->blink_phase) dots = 0;
        }
        if (cursor_here && address == ((cursor + skew) & 0xffff)) dots = 0x1ff;
        uint32_t colour[2] = { s->colour16[background], s->colour16[foreground] };
        for (unsigned bit = 0; bit < s->pixels; bit++) *out++ = colour[dots >> (8 - bit) & 1];
    }
}

/* ---- graphics */

/* Eight dots of four bits, the leftmost first. */
static void serialise(const struct vga *v, const uint8_t *b, uint8_t *dot)
{
    if (v->gc[GC_MODE] & GC_MODE_256) {
        for (unsigned i = 0; i < 4; i++) {
            dot[2 * i] = b[i] >> 4;
            dot[2 * i + 1] = b[i] & 0x0f;
        }
    } else if (v->gc[GC_MODE] & GC_MODE_INTERLEAVE) {
        for (unsigned i = 0; i < 4; i++) {
            unsigned shift = 6 - 2 * i;
            dot[i] = (uint8_t)((b[0] >> shift & 3) | (b[2] >> shift & 3) << 2);
            dot[i + 4] = (uint8_t)((b[1] >> shift & 3) | (b[3] >> shift & 3) << 2);
        }
    } else {
        uint64_t dots = vga_planar_dots(b);
        for (unsigned i = 0; i < 8; i++) dot[i] = (uint8_t)(dots >> (56 - 8 * i));
    }
}

void vga_draw_graphics(const struct vga *v, const struct vga_scan *s, const struct vga_line *l, uint32_t *out)
{
    const uint8_t *vram = v->w.vram->data;
    bool bytes = s->eight_bit && v->gc[GC_MODE] & GC_MODE_256;
    for (unsigned i = 0; i <= s->cells; i++) {
        unsigned address = (l->address + counted(v, i)) & 0xffff;
        const uint8_t *b = vram + 4 * vga_crtc_offset(v, address, l->row_scan);
        if (bytes) {                                    /* the common case: the nibbles meet again */
            for (unsigned p = 0; p < 4; p++) *out++ = s->colour256[b[p]];
            continue;
        }
        uint8_t dot[8];
        serialise(v, b, dot);
        if (s->eight_bit)
            for (unsigned p = 0; p < 8; p += 2) *out++ = s->colour256[dot[p] << 4 | dot[p + 1]];
        else
            for (unsigned p = 0; p < s->pixels; p++) *out++ = s->colour16[p < 8 ? dot[p] : 0];
    }
}
