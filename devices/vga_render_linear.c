/* One row of a VBE mode: pixels of 8 to 32 bits one after the other, or four planes of a bit.
 *
 * Wide pixels are little-endian, or big-endian where BAR2's byte order register says so (for guests of that kind on other
 * boards). 15 and 16 bits have 5 (green of 16 bits: 6) bits a component, stretched so that all ones is full intensity. */
#include "devices/vga_chip.h"

static inline uint32_t from_555(unsigned p)
{
    unsigned r = p >> 10 & 31, g = p >> 5 & 31, b = p & 31;
    return (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2);
}

static inline uint32_t from_565(unsigned p)
{
    unsigned r = p >> 11 & 31, g = p >> 5 & 63, b = p & 31;
    return (r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 | (b << 3 | b >> 2);
}

static inline uint32_t from_24(const uint8_t *p, bool big)
{
    return big ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void draw_planes(const struct vga_scan *s, const uint8_t *b, uint32_t *out)
{
    for (unsigned x = 0; x < s->width; x += 8, b += 4) {
        uint64_t dots = vga_planar_dots(b);
        for (unsigned i = 0; i < 8; i++) *out++ = s->colour16[dots >> (56 - 8 * i) & 0x0f];
    }
}

/* vbe_fixup keeps every row that is shown within the memory. */
void vga_draw_linear(const struct vga *v, const struct vga_scan *s, uint32_t offset, uint32_t *out)
{
    const uint8_t *b = v->w.vram->data + offset;
    bool big = v->big_endian;
    unsigned n = s->width;
    switch (v->dispi[DISPI_BPP]) {
    case 4:
        draw_planes(s, b, out);
        return;
    case 8:
        for (unsigned x = 0; x < n; x++) out[x] = s->colour256[b[x]];
        return;
    case 15:
        for (unsigned x = 0; x < n; x++) out[x] = from_555(big ? ld16be(b + 2 * x) : ld16(b + 2 * x));
        return;
    case 16:
        for (unsigned x = 0; x < n; x++) out[x] = from_565(big ? ld16be(b + 2 * x) : ld16(b + 2 * x));
        return;
    case 24:
        for (unsigned x = 0; x < n; x++) out[x] = from_24(b + 3 * x, big);
        return;
    default:
        for (unsigned x = 0; x < n; x++) out[x] = (big ? ld32be(b + 4 * x) : ld32(b + 4 * x)) & 0xffffff;
        return;
    }
}
