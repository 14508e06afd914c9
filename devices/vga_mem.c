/* The VGA's window at A0000h-BFFFFh: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem", graphics
 * controller and sequencer registers.
 *
 * Four planes of 64 KiB lie behind it. Plane p, offset o, is byte 4 * o + p of video memory, so the four bytes that one
 * access reaches are one 32-bit word, which is also the form of the latches. In chain-4 mode address bits 1-0 choose the
 * plane and the others the offset, which makes the window linear in video memory; then, while no write mode, mask or
 * logic stands between the CPU and the memory, the window is mapped as plain memory and costs nothing. The same is done
 * for the banks of VBE modes. (IBM's chip puts chain-4 offset o at 4 * o of each plane; like most later chips this one
 * packs them, which shows only to a program that writes in one mode and reads in another.)
 *
 * GAP: reads of the directly mapped window do not load the latches; a program would have to leave chain-4 and use
 * them without a read in between to notice. */
#include "devices/vga_chip.h"

/* Four bits to four bytes. */
static inline uint32_t planes(unsigned bits)
{
    return (bits & 1) * 0xffu | (bits >> 1 & 1) * 0xff00u | (bits >> 2 & 1) * 0xff0000u | (bits >> 3 & 1) * 0xff000000u;
}

static inline uint32_t all_planes(uint8_t byte) { return byte * 0x01010101u; }

static inline uint8_t rotate_right(uint8_t b, unsigned n) { return (uint8_t)(b >> n | b << (8 - n)); }

/* ---- addressing */

struct place { uint32_t offset; uint8_t planes; };      /* in a plane; the ones that the address selects */

/* Odd/even: address bit 0 selects the plane of each pair, and in its place goes A16 in the 128 KiB window, or the page
 * bit of the miscellaneous output register (1: the lower page). */
static uint32_t chained(const struct vga *v, uint32_t a)
{
    if (!(v->gc[GC_MISC] & GC_MISC_CHAIN)) return a;
    unsigned low = (v->gc[GC_MISC] & 0x0c) == 0 ? a >> 16 & 1 : !(v->misc & MISC_PAGE);
    return (a & ~1u) | low;
}

/* The word of video memory, or all ones for one that does not exist (VBE banks past the end). */
static inline uint32_t locate(const struct vga *v, uint32_t a, bool write, uint8_t *select)
{
    *select = 0x0f;
    if (vbe_on(v)) return (uint32_t)v->dispi[DISPI_BANK] << 16 | (a & 0xffff);
    if (v->seq[SEQ_MEMORY_MODE] & SEQ_CHAIN4) {
        *select = (uint8_t)(1u << (a & 3));
        return a >> 2 & 0xffff;
    }
    bool odd_even = write ? !(v->seq[SEQ_MEMORY_MODE] & SEQ_SEQUENTIAL) : v->gc[GC_MODE] & GC_MODE_ODD_EVEN;
    if (odd_even) *select = a & 1 ? 0x0a : 0x05;
    return chained(v, a) & 0xffff;
}

/* ---- one byte */

static uint8_t read_byte(struct vga *v, uint32_t a)
{
    uint8_t select;
    uint64_t at = 4ull * locate(v, a, false, &select);
    if (at + 4 > v->w.vram->size) return 0xff;
    v->latch = ld32(v->w.vram->data + at);
    if (v->gc[GC_MODE] & GC_MODE_READ) {
        /* Read mode 1: a bit is 1 where every plane that is cared for has the colour that is looked for. */
        uint32_t differ = (v->latch ^ planes(v->gc[GC_COLOUR_COMPARE])) & planes(v->gc[GC_DONT_CARE]);
        differ |= differ >> 16;
        return (uint8_t)~(differ | differ >> 8);
    }
    unsigned plane = v->gc[GC_READ_MAP];
    if (select == 0x05 || select == 0x0a) plane = (plane & 2) | (a & 1);
    else if (select != 0x0f) plane = a & 3;
    return (uint8_t)(v->latch >> 8 * plane);
}

/* The logic unit between the data and the latches. */
static inline uint32_t combine(const struct vga *v, uint32_t data)
{
    switch (v->gc[GC_ROTATE] >> 3) {
    case 0: return data;
    case 1: return data & v->latch;
    case 2: return data | v->latch;
    default: return data ^ v->latch;
    }
}

static void write_byte(struct vga *v, uint32_t a, uint8_t val)
{
    uint8_t select;
    uint64_t at = 4ull * locate(v, a, true, &select);
    uint32_t enabled = planes(select & v->seq[SEQ_MAP_MASK]);
    if (!enabled || at + 4 > v->w.vram->size) return;

    uint32_t data, mask = all_planes(v->gc[GC_BIT_MASK]);
    uint32_t set_reset = planes(v->gc[GC_SET_RESET]);
    switch (v->gc[GC_MODE] & GC_MODE_WRITE) {
    case 0: {
        uint32_t forced = planes(v->gc[GC_ENABLE_SET_RESET]);
        data = all_planes(rotate_right(val, v->gc[GC_ROTATE] & 7));
        data = combine(v, (data & ~forced) | (set_reset & forced));
        break;
    }
    case 1:
        data = v->latch;
        mask = ~0u;
        break;
    case 2:
        data = combine(v, planes(val));
        break;
    default:
        mask &= all_planes(rotate_right(val, v->gc[GC_ROTATE] & 7));
        data = combine(v, set_reset);
        break;
    }
    data = (data & mask) | (v->latch & ~mask);
    uint8_t *word = v->w.vram->data + at;
    st32(word, (ld32(word) & ~enabled) | (data & enabled));
    if (!ram_page_quiet(v->w.vram, at)) ram_written(v->w.vram, at, 4);
}

/* ---- the region: wider accesses are bytes in ascending order, as on the chip's 8-bit bus */

static uint64_t legacy_read(void *dev, uint64_t off, unsigned size)
{
    struct vga *v = dev;
    uint64_t val = 0;
    for (unsigned i = 0; i < size; i++) val |= (uint64_t)read_byte(v, (uint32_t)off + i) << 8 * i;
    return val;
}

/* The byte without loading the latches. */
uint8_t vga_legacy_peek(void *dev, uint64_t off)
{
    struct vga *v = dev;
    uint32_t latch = v->latch;
    uint8_t val = read_byte(v, (uint32_t)off);
    v->latch = latch;
    return val;
}

static void legacy_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct vga *v = dev;
    for (unsigned i = 0; i < size; i++) write_byte(v, (uint32_t)off + i, (uint8_t)(val >> 8 * i));
}

const struct io_ops vga_legacy_ops = { legacy_read, legacy_write, 1, 8 };

/* ---- what answers */

/* Nothing between the CPU and the memory? */
static bool transparent(const struct vga *v)
{
    return v->seq[SEQ_MEMORY_MODE] & SEQ_CHAIN4 && v->seq[SEQ_MAP_MASK] == 0x0f &&
           !(v->gc[GC_MODE] & (GC_MODE_WRITE | GC_MODE_READ)) && v->gc[GC_ENABLE_SET_RESET] == 0 &&
           v->gc[GC_ROTATE] == 0 && v->gc[GC_BIT_MASK] == 0xff;
}

void vga_mem_update(struct vga *v)
{
    static const struct { uint32_t base, size; } maps[4] = {    /* bits 3-2 of the graphics controller's register 6 */
        { 0xa0000, 0x20000 }, { 0xa0000, 0x10000 }, { 0xb0000, 0x8000 }, { 0xb8000, 0x8000 },
    };
    struct phys_map *m = v->pci.dev.board->mem;
    unsigned map = v->gc[GC_MISC] >> 2 & 3;
    bool on = v->awake && v->misc & MISC_RAM, direct;
    uint64_t offset = 0;
    if (vbe_on(v)) {
        map = 1;
        direct = !vbe_planar(v);
        offset = (uint64_t)v->dispi[DISPI_BANK] << 16;
    } else {
        direct = transparent(v);
    }
    struct region *w = &v->w.window, *l = &v->w.legacy;
    bool legacy = on && !direct, window = on && direct;
    if (l->enabled == legacy && w->enabled == window && w->block_offset == offset &&
        (!on || (window ? w->base == maps[map].base && w->size == maps[map].size
                        : l->base == maps[map].base && l->size == maps[map].size)))
        return;
    phys_begin(m);
    region_set(m, l, legacy, maps[map].base, maps[map].size);
    if (w->block_offset != offset) {                    /* the map learns of it by the region's going and coming */
        region_set(m, w, false, w->base, w->size);
        w->block_offset = offset;
    }
    region_set(m, w, window, maps[map].base, maps[map].size);
    phys_end(m);
}
