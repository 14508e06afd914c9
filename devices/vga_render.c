/* The picture of the VGA, drawn when somebody looks at it.
 *
 * It is what the monitor gets: a column a dot, a row a scan line, so mode 13h is 640x400 here. The scan lines are walked as
 * the CRTC does it: a character address that counts on, a row-scan counter, double scanning, the line compare that starts
 * a second screen at address 0.
 *
 * Nothing is drawn twice without need: a row is drawn again only if a page of video memory it shows was written, if a
 * register that shapes the picture was written, or if the blink phase turned; and it counts as changed only if its pixels
 * differ.
 *
 * Registers that were written while a frame was being shown change the rest of it only (vga_raster.c). Of what is written
 * to video memory, the picture shows what is there when it is drawn.
 *
 * GAP: the border is not drawn. */
#include "devices/vga_chip.h"

#include <string.h>

enum { VGA_PAGES = 4 * VGA_PLANE_SIZE / PAGE_SIZE };    /* what the VGA's own modes can show: 64 pages */
_Static_assert(VGA_PAGES == 64, "a page mask is one word");

/* ---- what the registers say */

static unsigned line_compare(const struct vga *v)
{
    return v->crtc[CR_LINE_COMPARE] | (v->crtc[CR_OVERFLOW] >> 4 & 1u) << 8 | (v->crtc[CR_MAX_SCAN] >> 6 & 1u) << 9;
}

static void shape_linear(struct vga *v, struct vga_scan *s)
{
    s->kind = vbe_planar(v) ? VGA_LINEAR_PLANAR : VGA_LINEAR;
    s->width = v->dispi[DISPI_XRES];
    s->height = v->dispi[DISPI_YRES];
    s->blank = !(v->ac_index & AC_INDEX_PAS) || v->seq[SEQ_CLOCKING] & SEQ_SCREEN_OFF;
}

/* Where blanking begins, and for how long: until the counter's low bits are those of the end register. */
static struct vga_blanking blanking(unsigned from, unsigned end, unsigned mask, unsigned total)
{
    unsigned count = (end - from) & mask;
    return (struct vga_blanking){ .from = from, .count = from >= total ? 0 : count ? count : mask + 1, .total = total };
}

static bool blanked(const struct vga_blanking *b, unsigned n) { return (n + b->total - b->from) % b->total < b->count; }

static void shape_blanking(const struct vga *v, struct vga_scan *s)
{
    unsigned hend = (v->crtc[CR_HBLANK_END] & CR_HBLANK_END_BITS) | (v->crtc[CR_HRETRACE_END] >> 7) << 5;
    unsigned vstart = v->crtc[CR_VBLANK_START] | (v->crtc[CR_OVERFLOW] >> 3 & 1u) << 8 | (v->crtc[CR_MAX_SCAN] >> 5 & 1u) << 9;
    unsigned half = v->crtc[CR_MODE] & CR_MODE_HALF_LINES ? 1 : 0;
    s->hblank = blanking(v->crtc[CR_HBLANK_START], hend, 0x3f, v->timing.htotal);
    s->vblank = blanking(vstart, v->crtc[CR_VBLANK_END], 0xff, v->timing.vtotal >> half);
    s->vblank.from <<= half;
    s->vblank.count <<= half;
    s->vblank.total <<= half;
}

void vga_scan_shape(struct vga *v, struct vga_scan *s)
{
    memset(s, 0, sizeof *s);
    uint64_t frame = vga_frame_count(v);
    s->cursor_phase = !(frame >> 3 & 1);                /* 16 frames a period */
    s->blink_phase = !(frame >> 4 & 1);                 /* 32 frames */
    if (vbe_on(v)) {
        shape_linear(v, s);
        return;
    }
    if (!(v->crtc[CR_MODE] & CR_MODE_RUN)) {            /* no sync: the monitor is dark; the size is that of text */
        *s = (struct vga_scan){ .kind = VGA_NO_SIGNAL, .blank = true, .width = 720, .height = 400 };
        return;
    }
    bool text = !(v->ac[AC_MODE] & AC_MODE_GRAPHICS);
    s->kind = text ? VGA_TEXT : VGA_GRAPHICS;
    s->eight_bit = !text && v->ac[AC_MODE] & AC_MODE_8BIT;
    s->cells = v->timing.hdisplay;
    /* GAP: graphics of 256 colours with 9 dots a character are drawn with 8. */
    s->pixels = s->eight_bit ? 4 : v->seq[SEQ_CLOCKING] & SEQ_8_DOTS ? 8 : 9;
    s->stretch = (v->seq[SEQ_CLOCKING] & SEQ_HALF_CLOCK ? 2 : 1) * (s->eight_bit ? 2 : 1);
    s->width = s->cells * s->pixels * s->stretch;
    s->height = v->timing.vdisplay;
    shape_blanking(v, s);
    s->split = (line_compare(v) + 1) << (v->crtc[CR_MODE] & CR_MODE_HALF_LINES ? 1 : 0);
    s->blank = !(v->ac_index & AC_INDEX_PAS) || v->seq[SEQ_CLOCKING] & SEQ_SCREEN_OFF;
}

void vga_picture(struct device *d, struct vga_picture *p)
{
    struct vga_scan s;
    vga_scan_shape((struct vga *)d, &s);
    p->width = s.width;
    p->height = s.height;
    p->aspect_w = 4;
    p->aspect_h = 3;
    bool linear = s.kind == VGA_LINEAR || s.kind == VGA_LINEAR_PLANAR;
    /* VBE modes have square pixels, but for those that a VGA monitor stretches. */
    if (linear && !(s.width == 320 && s.height == 200) && !(s.width == 640 && s.height == 400)) {
        p->aspect_w = s.width;
        p->aspect_h = s.height;
    }
}

/* ---- colours */

static uint32_t dac_colour(const struct vga *v, uint8_t index)
{
    const uint8_t *c = &v->dac[3 * (index & v->dac_mask)];
    uint32_t rgb = 0;
    for (unsigned i = 0; i < 3; i++) {
        uint8_t level = c[i];
        if (!v->dac_8bit) level = (uint8_t)((level & 0x3f) << 2 | (level & 0x3f) >> 4);    /* 0 to 63 as 0 to 255 */
        rgb = rgb << 8 | level;
    }
    return rgb;
}

/* Through the palette of the attribute controller: bits 5-4 may be replaced, bits 7-6 are added (colour select). */
static uint32_t palette_colour(const struct vga *v, unsigned entry)
{
    unsigned i = v->ac[entry];
    if (v->ac[AC_MODE] & AC_MODE_P54S) i = (i & 0x0f) | (v->ac[AC_COLOUR_SELECT] & 0x03u) << 4;
    return dac_colour(v, (uint8_t)(i | (v->ac[AC_COLOUR_SELECT] & 0x0cu) << 4));
}

void vga_scan_colours(struct vga *v, struct vga_scan *s)
{
    /* In graphics modes blinking turns bit 3 of every pixel over, after the plane enable: IBM's palette for mode 0Fh counts
     * on that. That it also turns over a bit that is set is unverified. */
    bool blink = s->kind == VGA_GRAPHICS && v->ac[AC_MODE] & AC_MODE_BLINK && !s->blink_phase;
    for (unsigned i = 0; i < 256; i++) s->colour256[i] = dac_colour(v, (uint8_t)i);
    for (unsigned i = 0; i < 16; i++)
        s->colour16[i] = palette_colour(v, (i & v->ac[AC_PLANE_ENABLE] & 0x0fu) ^ (blink ? 8 : 0));
}

static uint32_t blank_colour(const struct vga *v)
{
    if (!(v->crtc[CR_MODE] & CR_MODE_RUN) || v->seq[SEQ_CLOCKING] & SEQ_SCREEN_OFF) return 0;
    return dac_colour(v, v->ac[AC_OVERSCAN]);           /* no palette: the border's colour all over */
}

/* ---- the CRTC's walk */

/* Technical Reference, CRTC register 17h: what comes out as memory address bits 15-0 for the counter's bits. */
unsigned vga_crtc_offset(const struct vga *v, unsigned address, unsigned row_scan)
{
    uint8_t mode = v->crtc[CR_MODE];
    unsigned o;
    if (v->crtc[CR_UNDERLINE] & CR_UNDERLINE_DWORD) {
        /* Double-word mode goes with chain 4, whose packed layout (vga_mem.c) undoes the shift. */
        o = v->seq[SEQ_MEMORY_MODE] & SEQ_CHAIN4 ? address : address << 2 | (address >> 12 & 3);
    } else if (!(mode & CR_MODE_BYTE)) {
        o = address << 1 | (address >> (mode & CR_MODE_WRAP15 ? 15 : 13) & 1);
    } else {
        o = address;
    }
    if (!(mode & CR_MODE_SCAN13)) o = (o & ~0x2000u) | (row_scan & 1) << 13;
    if (!(mode & CR_MODE_SCAN14)) o = (o & ~0x4000u) | (row_scan & 2) << 13;
    return o & 0xffff;
}

struct walk { struct vga_line line; unsigned row_address, byte_pan; bool second, lower; };

static void set_panning(const struct vga *v, const struct vga_scan *s, struct walk *w)
{
    unsigned pan = v->ac[AC_PANNING];
    w->byte_pan = v->crtc[CR_PRESET_ROW] >> 5 & 3;
    if (w->lower && v->ac[AC_MODE] & AC_MODE_PPM) {        /* panning compatibility: none below the split */
        pan = s->pixels == 9 ? 8 : 0;
        w->byte_pan = 0;
    }
    if (s->pixels == 9) w->line.pan = pan >= 8 ? 0 : pan + 1;      /* with nine dots, 8 stands for none */
    else w->line.pan = s->eight_bit ? (pan & 7) >> 1 : pan & 7;
    w->line.address = (w->row_address + w->byte_pan) & 0xffff;
}

static struct walk walk_start(const struct vga *v, const struct vga_scan *s)
{
    struct walk w = { .row_address = (unsigned)v->crtc[CR_START_HIGH] << 8 | v->crtc[CR_START_LOW] };
    w.line.row_scan = v->crtc[CR_PRESET_ROW] & 0x1f;
    set_panning(v, s, &w);
    return w;
}

/* On to scan line `next`. */
static void walk_step(const struct vga *v, const struct vga_scan *s, struct walk *w, unsigned next)
{
    if (next == s->split) {
        w->row_address = 0;
        w->line.row_scan = 0;
        w->second = false;
        w->lower = true;
        set_panning(v, s, w);
        return;
    }
    if (v->crtc[CR_MAX_SCAN] & CR_MAX_SCAN_DOUBLE) {
        w->second = !w->second;
        if (w->second) return;
    }
    if (w->line.row_scan != (v->crtc[CR_MAX_SCAN] & 0x1f)) {
        w->line.row_scan = (w->line.row_scan + 1) & 0x1f;
        return;
    }
    w->line.row_scan = 0;
    w->row_address = (w->row_address + 2u * v->crtc[CR_OFFSET]) & 0xffff;
    w->line.address = (w->row_address + w->byte_pan) & 0xffff;
}

/* ---- which pages were written */

static uint64_t written_vga_pages(const struct vga *v)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < VGA_PAGES; i++)
        if (ram_test_clear_dirty(v->w.vram, DIRTY_DISPLAY, (uint64_t)i * PAGE_SIZE, PAGE_SIZE)) mask |= 1ull << i;
    return mask;
}

/* Pages that a scan line of a graphics mode shows. */
static uint64_t pages_of_line(const struct vga *v, const struct vga_scan *s, const struct vga_line *l)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i <= s->cells; i++)
        mask |= 1ull << (4 * vga_crtc_offset(v, (l->address + i) & 0xffff, l->row_scan) / PAGE_SIZE);
    return mask;
}

/* ---- drawing */

/* Puts a drawn line in its place; true if it differs. */
static bool put_row(struct surface *s, unsigned y, const uint32_t *line)
{
    uint32_t *row = s->pixels + (size_t)y * s->stride;
    if (memcmp(row, line, s->width * sizeof *row) == 0) return false;
    memcpy(row, line, s->width * sizeof *row);
    s->dirty_rows[y] = 1;
    return true;
}

static bool fill(struct surface *s, uint32_t colour)
{
    uint32_t line[VGA_LINE_ROOM];
    bool changed = false;
    for (unsigned x = 0; x < s->width; x++) line[x] = colour;
    for (unsigned y = 0; y < s->height; y++) changed |= put_row(s, y, line);
    return changed;
}

/* Nothing is shown of the cells in blanking. */
static void blank_cells(const struct vga_scan *s, uint32_t *out)
{
    if (s->hblank.from >= s->cells && s->hblank.from + s->hblank.count <= s->hblank.total) return;
    unsigned width = s->pixels * s->stretch;
    for (unsigned i = 0; i < s->cells; i++)
        if (blanked(&s->hblank, i)) memset(out + i * width, 0, width * sizeof *out);
}

/* Draws a scan line, cuts off what panning hides and widens the pixels. */
static void widen_line(struct vga *v, const struct vga_scan *s, const struct vga_line *l, uint32_t *out)
{
    uint32_t line[VGA_LINE_ROOM];
    if (s->kind == VGA_TEXT) vga_draw_text(v, s, l, line);
    else vga_draw_graphics(v, s, l, line);
    const uint32_t *pixel = line + l->pan;
    if (s->stretch == 1) {
        memcpy(out, pixel, s->width * sizeof *out);
        return;
    }
    for (unsigned x = 0; x < s->width; x += s->stretch, pixel++)
        for (unsigned i = 0; i < s->stretch; i++) out[x + i] = *pixel;
}

static void draw_line(struct vga *v, const struct vga_scan *s, const struct vga_line *l, unsigned y, uint32_t *out)
{
    if (blanked(&s->vblank, y)) {
        memset(out, 0, s->width * sizeof *out);
    } else {
        widen_line(v, s, l, out);
        blank_cells(s, out);
    }
}

/* The last frame, whose registers changed while it was shown. */
static bool draw_raster(struct vga *v, struct vga *then, struct surface *out)
{
    uint32_t line[VGA_LINE_ROOM];
    struct vga_scan s;
    struct walk w;
    unsigned next = 0;
    bool changed = false;
    for (unsigned y = 0; y < out->height; y++) {
        if (vga_raster_replay(v, then, &next, y) || y == 0) {
            vga_scan_shape(then, &s);
            vga_scan_colours(then, &s);
            if (y == 0) w = walk_start(then, &s);
            else set_panning(then, &s, &w);
        }
        if (y) walk_step(then, &s, &w, y);
        unsigned drawn = 0;
        if (!s.blank) {
            draw_line(then, &s, &w.line, y, line);
            drawn = s.width;
        }
        for (unsigned x = drawn; x < out->width; x++) line[x] = s.blank ? blank_colour(then) : 0;
        changed |= put_row(out, y, line);
    }
    return changed;
}

/* blinked: in text, cursor and blinking characters came or went, which few rows show. */
static bool draw_vga(struct vga *v, const struct vga_scan *s, struct surface *out, bool all, bool blinked)
{
    uint32_t line[VGA_LINE_ROOM];
    bool changed = false, drawn = false;
    uint64_t written = written_vga_pages(v);
    /* Text shows its font too, which lies in the same pages: with any of them written all is looked at. */
    if (s->kind == VGA_TEXT && written) all = true;
    if (!all && !written && !blinked) return false;
    struct walk w = walk_start(v, s);
    struct vga_line last = { .address = ~0u };
    bool dark = false;
    for (unsigned y = 0; y < s->height; y++) {
        if (y) walk_step(v, s, &w, y);
        bool was_dark = dark;
        dark = blanked(&s->vblank, y);
        /* Else it shows the same again (double scanning, tall pixels). */
        if (memcmp(&last, &w.line, sizeof last) != 0 || dark != was_dark) {
            last = w.line;
            drawn = all || (blinked ? vga_text_blinks(v, s, &w.line) : pages_of_line(v, s, &w.line) & written);
            if (drawn) draw_line(v, s, &w.line, y, line);
        }
        if (drawn) changed |= put_row(out, y, line);
    }
    return changed;
}

static bool draw_linear(struct vga *v, const struct vga_scan *s, struct surface *out, bool all)
{
    uint32_t line[VGA_LINE_ROOM];
    bool changed = false;
    struct ram_block *b = v->w.vram;
    uint64_t pitch = vbe_pitch(v), start = vbe_start(v), len = pitch < 4ull * s->width ? pitch : 4ull * s->width;
    uint64_t last = 0;                                  /* the page looked at last, which the next row may share */
    bool last_written = false, seen = false;
    for (unsigned y = 0; y < s->height; y++, start += pitch) {
        bool written = all;
        for (uint64_t page = start / PAGE_SIZE; page <= (start + len - 1) / PAGE_SIZE && page < b->size / PAGE_SIZE; page++) {
            if (!seen || page != last) last_written = ram_test_clear_dirty(b, DIRTY_DISPLAY, page * PAGE_SIZE, PAGE_SIZE);
            last = page;
            seen = true;
            written |= last_written;
        }
        if (!written) continue;
        vga_draw_linear(v, s, (uint32_t)start, line);
        changed |= put_row(out, y, line);
    }
    return changed;
}

bool vga_render(struct device *d, struct surface *out)
{
    struct vga *v = (struct vga *)d;
    struct vga_scan s;
    vga_scan_shape(v, &s);
    if (out->width != s.width || out->height != s.height) return false;

    struct vga_picture p;
    vga_picture(d, &p);
    bool fresh = out->aspect_w == 0 || v->drawn.pixels != out->pixels || v->drawn.generation != out->generation;
    uint32_t phase = s.cursor_phase | s.blink_phase << 1;
    bool blinks = s.kind == VGA_TEXT || (s.kind == VGA_GRAPHICS && v->ac[AC_MODE] & AC_MODE_BLINK);
    bool blinked = blinks && phase != v->drawn.phase, all = fresh || v->drawn.stale || (blinked && s.kind != VGA_TEXT);
    v->drawn = (struct vga_drawn){ .pixels = out->pixels, .generation = out->generation, .phase = phase };
    out->aspect_w = p.aspect_w;
    out->aspect_h = p.aspect_h;
    memset(out->dirty_rows, 0, out->height);

    bool changed, linear = s.kind == VGA_LINEAR || s.kind == VGA_LINEAR_PLANAR;
    struct vga then;
    if (!linear && vga_raster_rewind(v, &then)) {
        changed = draw_raster(v, &then, out);
        v->drawn.stale = true;
    } else if (s.blank) {                                      /* its end is a register write, after which all is drawn */
        changed = (all || blinked) && fill(out, blank_colour(v));
    } else {
        vga_scan_colours(v, &s);
        changed = linear ? draw_linear(v, &s, out, all) : draw_vga(v, &s, out, all, blinked);
    }
    if (fresh) memset(out->dirty_rows, 1, out->height);
    return changed || fresh;
}

/* ---- text, for people and programs that cannot see */

static unsigned text_row_count(const struct vga *v, const struct vga_scan *s)
{
    unsigned height = ((v->crtc[CR_MAX_SCAN] & 0x1f) + 1u) * (v->crtc[CR_MAX_SCAN] & CR_MAX_SCAN_DOUBLE ? 2 : 1);
    return (s->height + height - 1) / height;
}

bool vga_text_cursor(struct device *d, unsigned *col, unsigned *row)
{
    struct vga *v = (struct vga *)d;
    struct vga_scan s;
    vga_scan_shape(v, &s);
    if (s.kind != VGA_TEXT || s.blank || v->crtc[CR_CURSOR_START] & 0x20) return false;
    if ((v->crtc[CR_CURSOR_START] & 0x1f) > (v->crtc[CR_CURSOR_END] & 0x1f)) return false;
    unsigned cursor = (unsigned)v->crtc[CR_CURSOR_HIGH] << 8 | v->crtc[CR_CURSOR_LOW];
    unsigned start = (unsigned)v->crtc[CR_START_HIGH] << 8 | v->crtc[CR_START_LOW];
    unsigned stride = 2u * v->crtc[CR_OFFSET], at = (cursor - start) & 0xffff;
    if (stride == 0 || at % stride >= s.cells || at / stride >= text_row_count(v, &s)) return false;
    *col = at % stride;
    *row = at / stride;
    return true;
}

bool vga_text_page(struct device *d, uint8_t *chars, unsigned max, unsigned *cols, unsigned *rows)
{
    struct vga *v = (struct vga *)d;
    struct vga_scan s;
    vga_scan_shape(v, &s);
    if (s.kind != VGA_TEXT) return false;
    *cols = s.cells;
    *rows = text_row_count(v, &s);
    unsigned address = (unsigned)v->crtc[CR_START_HIGH] << 8 | v->crtc[CR_START_LOW], n = 0;
    for (unsigned r = 0; r < *rows; r++, address += 2u * v->crtc[CR_OFFSET])
        for (unsigned c = 0; c < *cols && n < max; c++)
            chars[n++] = v->w.vram->data[4 * vga_crtc_offset(v, (address + c) & 0xffff, 0)];
    return true;
}
