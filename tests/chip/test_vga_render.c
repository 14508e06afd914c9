/* The picture of the VGA's own modes. What is expected is computed from the mode's definition: which byte of the window holds
 * which pixel, and which palette and DAC entry a value means. */
#include <string.h>

#include "tests/chip/vga_rig.h"

static struct vga_rig *r;
static uint64_t seed;
static uint32_t rgb[256];                     /* what the monitor shows for a DAC entry */

static unsigned dots, lines;                  /* the monitor shows a pixel of the mode as so many dots on so many lines */

static void setup(void)
{
    r = vga_rig_new();
    seed = 11;
    dots = lines = 1;
}
static void teardown(void) { vga_rig_free(r); }

static void start(unsigned mode)
{
    vga_rig_set_mode(r, mode);
    vga_rig_random_dac(r, &seed, rgb);
}

static uint32_t pal(const struct vga_mode *m, unsigned n) { return rgb[m->ac[n & m->ac[0x12]]]; }

static void check_size(unsigned width, unsigned height, unsigned dots_a_pixel, unsigned lines_a_pixel)
{
    dots = dots_a_pixel;
    lines = lines_a_pixel;
    vga_rig_render(r);
    ck_assert_uint_eq(r->surface.width, width * dots);
    ck_assert_uint_eq(r->surface.height, height * lines);
    ck_assert_uint_eq(r->surface.aspect_w * 3, r->surface.aspect_h * 4);
}

/* Check notes each assertion in a file; a quarter of a million of them a picture would take a minute. */
static void check_pixel(const struct vga_mode *m, unsigned x, unsigned y, uint32_t expected)
{
    for (unsigned dy = 0; dy < lines; dy++)
        for (unsigned dx = 0; dx < dots; dx++) {
            uint32_t got = vga_rig_pixel(r, x * dots + dx, y * lines + dy);
            if (got != expected) ck_abort_msg("mode %s at %u,%u: %06x, not %06x", m->name, x, y, got, expected);
        }
}

/* ---- graphics */

START_TEST(mode_4_has_two_bits_a_pixel_in_two_banks_of_lines)
{
    const struct vga_mode *m = &vga_modes[MODE_4];
    static uint8_t memory[0x4000];
    start(MODE_4);
    for (unsigned i = 0; i < 0x4000; i++) poke8(r, 0xb8000 + i, memory[i] = (uint8_t)random64(&seed));
    check_size(320, 200, 2, 2);
    for (unsigned y = 0; y < 200; y++)
        for (unsigned x = 0; x < 320; x++)
            check_pixel(m, x, y, pal(m, memory[(y & 1) * 0x2000 + y / 2 * 80 + x / 4] >> (6 - 2 * (x & 3)) & 3));
}
END_TEST

START_TEST(mode_6_has_one_bit_a_pixel_in_two_banks_of_lines)
{
    const struct vga_mode *m = &vga_modes[MODE_6];
    static uint8_t memory[0x4000];
    start(MODE_6);
    for (unsigned i = 0; i < 0x4000; i++) poke8(r, 0xb8000 + i, memory[i] = (uint8_t)random64(&seed));
    check_size(640, 200, 1, 2);
    for (unsigned y = 0; y < 200; y++)
        for (unsigned x = 0; x < 640; x++)
            check_pixel(m, x, y, pal(m, memory[(y & 1) * 0x2000 + y / 2 * 80 + x / 8] >> (7 - (x & 7)) & 1));
}
END_TEST

static uint8_t plane[4][65536];

static void fill_planes(void)
{
    for (unsigned p = 0; p < 4; p++) {
        out_indexed(r, 0x3c4, 2, (uint8_t)(1 << p));
        for (unsigned i = 0; i < 65536; i += 4) {
            uint32_t n = (uint32_t)random64(&seed);
            phys_store(&r->rig.mem, 0xa0000 + i, n, 4, false);
            st32(&plane[p][i], n);
        }
    }
    out_indexed(r, 0x3c4, 2, 15);
}

static unsigned planar(unsigned offset, unsigned x)
{
    unsigned n = 0;
    for (unsigned p = 0; p < 4; p++) n |= (unsigned)(plane[p][offset & 0xffff] >> (7 - (x & 7)) & 1) << p;
    return n;
}

START_TEST(planar_modes_take_a_bit_of_each_plane)
{
    static const struct { unsigned mode, width, height, dots, lines; } modes[] = {
        { MODE_D, 320, 200, 2, 2 }, { MODE_E, 640, 200, 1, 2 }, { MODE_10, 640, 350, 1, 1 }, { MODE_11, 640, 480, 1, 1 },
        { MODE_12, 640, 480, 1, 1 },
    };
    for (unsigned i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        const struct vga_mode *m = &vga_modes[modes[i].mode];
        start(modes[i].mode);
        fill_planes();
        check_size(modes[i].width, modes[i].height, modes[i].dots, modes[i].lines);
        for (unsigned y = 0; y < modes[i].height; y++)
            for (unsigned x = 0; x < modes[i].width; x++)
                check_pixel(m, x, y, pal(m, planar(y * modes[i].width / 8 + x / 8, x)));
    }
}
END_TEST

/* IBM: in mode Fh plane 0 is video, plane 2 intensity; 01 is normal, 11 intense, 10 blinks. */
START_TEST(mode_f_blinks_where_only_plane_2_is_set)
{
    const struct vga_mode *m = &vga_modes[MODE_F];
    outb(r, 0x3c2, 0xa2);
    vga_rig_set_mode(r, MODE_F);
    vga_rig_random_dac(r, &seed, rgb);
    fill_planes();
    check_size(640, 350, 1, 1);
    for (unsigned phase = 0; phase < 2; phase++) {
        for (unsigned y = 0; y < 350; y++)
            for (unsigned x = 0; x < 640; x++) {
                unsigned n = planar(y * 80 + x / 8, x) & 5;
                check_pixel(m, x, y, rgb[n == 0 ? 0 : n == 1 ? 0x08 : n == 5 ? 0x18 : phase ? 0x00 : 0x18]);
            }
        vga_rig_sleep(r, VTIME_MS(16 * 1000 / 70 + 20));
        ck_assert(vga_rig_render(r));
    }
}
END_TEST

START_TEST(mode_13h_has_a_byte_a_pixel)
{
    const struct vga_mode *m = &vga_modes[MODE_13];
    static uint8_t memory[0x10000];
    start(MODE_13);
    for (unsigned i = 0; i < 0x10000; i++) poke8(r, 0xa0000 + i, memory[i] = (uint8_t)random64(&seed));
    check_size(320, 200, 2, 2);
    for (unsigned y = 0; y < 200; y++)
        for (unsigned x = 0; x < 320; x++) check_pixel(m, x, y, rgb[memory[y * 320 + x]]);
}
END_TEST

START_TEST(pixel_mask_thins_the_dac_index)
{
    const struct vga_mode *m = &vga_modes[MODE_13];
    start(MODE_13);
    for (unsigned x = 0; x < 256; x++) poke8(r, 0xa0000 + x, (uint8_t)x);
    outb(r, 0x3c6, 0x5a);
    check_size(320, 200, 2, 2);
    for (unsigned x = 0; x < 256; x++) check_pixel(m, x, 0u, rgb[x & 0x5a]);
}
END_TEST

START_TEST(mode_x_has_four_pixels_an_address)
{
    const struct vga_mode *m = &vga_modes[MODE_X];
    start(MODE_X);
    fill_planes();
    check_size(320, 240, 2, 2);
    for (unsigned y = 0; y < 240; y++)
        for (unsigned x = 0; x < 320; x++) check_pixel(m, x, y, rgb[plane[x & 3][y * 80 + x / 4]]);
}
END_TEST

START_TEST(mode_x_start_address_and_panning_scroll_by_pixels)
{
    const struct vga_mode *m = &vga_modes[MODE_X];
    start(MODE_X);
    fill_planes();
    out_indexed(r, 0x3d4, 0x13, 50);                    /* a virtual screen of 400 pixels a line */
    check_size(320, 240, 2, 2);
    for (unsigned left = 0; left < 12; left++) {
        unsigned address = 100 * 37 + left / 4;
        out_indexed(r, 0x3d4, 0x0c, (uint8_t)(address >> 8));
        out_indexed(r, 0x3d4, 0x0d, (uint8_t)address);
        out_ac(r, 0x13, (uint8_t)(2 * (left & 3)));
        vga_rig_render(r);
        for (unsigned y = 0; y < 240; y++)
            for (unsigned x = 0; x < 320; x++) {
                unsigned column = left + x;
                check_pixel(m, x, y, rgb[plane[column & 3][(37 + y) * 100 + column / 4]]);
            }
    }
}
END_TEST

START_TEST(start_address_wraps_at_64k)
{
    const struct vga_mode *m = &vga_modes[MODE_12];
    start(MODE_12);
    fill_planes();
    out_indexed(r, 0x3d4, 0x0c, 0xf0);
    out_indexed(r, 0x3d4, 0x0d, 0x01);
    vga_rig_render(r);
    for (unsigned y = 0; y < 480; y++)
        for (unsigned x = 0; x < 640; x += 3) check_pixel(m, x, y, pal(m, planar(0xf001 + y * 80 + x / 8, x)));
}
END_TEST

START_TEST(line_compare_splits_the_screen_and_ppm_keeps_the_lower_part_still)
{
    const struct vga_mode *m = &vga_modes[MODE_12];
    start(MODE_12);
    fill_planes();
    unsigned address = 0x9000, split = 301, pan = 5;
    out_indexed(r, 0x3d4, 0x0c, (uint8_t)(address >> 8));
    out_indexed(r, 0x3d4, 0x0d, (uint8_t)address);
    out_indexed(r, 0x3d4, 0x11, 0x0c);
    out_indexed(r, 0x3d4, 0x18, (uint8_t)(split - 1));
    out_indexed(r, 0x3d4, 0x07, (uint8_t)((m->crtc[7] & ~0x10) | ((split - 1) >> 8 & 1) << 4));
    out_indexed(r, 0x3d4, 0x09, m->crtc[9] & ~0x40);
    out_ac(r, 0x13, (uint8_t)pan);
    for (unsigned ppm = 0; ppm < 2; ppm++) {
        out_ac(r, 0x10, ppm ? 0x21 : 0x01);
        check_size(640, 480, 1, 1);
        for (unsigned y = 0; y < 480; y++)
            for (unsigned x = 0; x < 640; x++) {
                unsigned dx = x + (y < split || !ppm ? pan : 0);
                unsigned offset = y < split ? address + y * 80 : (y - split) * 80;
                check_pixel(m, x, y, pal(m, planar(offset + dx / 8, dx)));
            }
    }
}
END_TEST

START_TEST(split_of_a_double_scanned_mode_shows_every_scan_line)
{
    const struct vga_mode *m = &vga_modes[MODE_13];
    static uint8_t memory[0x10000];
    start(MODE_13);
    for (unsigned i = 0; i < 0x10000; i++) poke8(r, 0xa0000 + i, memory[i] = (uint8_t)random64(&seed));
    out_indexed(r, 0x3d4, 0x0c, 0x20);                  /* 2000h * 4 bytes */
    out_indexed(r, 0x3d4, 0x18, 90);                    /* 91 lines above: the last row is cut in half */
    out_indexed(r, 0x3d4, 0x11, 0x0e);
    out_indexed(r, 0x3d4, 0x07, m->crtc[7] & ~0x10);
    out_indexed(r, 0x3d4, 0x09, m->crtc[9] & ~0x40);
    check_size(320, 400, 2, 1);
    for (unsigned y = 0; y < 400; y++)
        for (unsigned x = 0; x < 320; x++) {
            unsigned row = y < 91 ? y / 2 : (y - 91) / 2;
            check_pixel(m, x, y, rgb[memory[((y < 91 ? 0x8000 : 0) + row * 320 + x) & 0xffff]]);
        }
}
END_TEST

START_TEST(colour_select_replaces_and_adds_palette_bits)
{
    const struct vga_mode *m = &vga_modes[MODE_12];
    start(MODE_12);
    fill_planes();
    for (unsigned select = 0; select < 16; select++)
        for (unsigned p54s = 0; p54s < 2; p54s++) {
            out_ac(r, 0x14, (uint8_t)select);
            out_ac(r, 0x10, p54s ? 0x81 : 0x01);
            vga_rig_render(r);
            for (unsigned x = 0; x < 640; x++) {
                unsigned i = m->ac[planar(x / 8, x)];
                if (p54s) i = (i & 15) | (select & 3) << 4;
                check_pixel(m, x, 0u, rgb[i | (select & 12) << 4]);
            }
        }
}
END_TEST

START_TEST(plane_enable_hides_planes)
{
    const struct vga_mode *m = &vga_modes[MODE_12];
    start(MODE_12);
    fill_planes();
    for (unsigned enable = 0; enable < 16; enable++) {
        out_ac(r, 0x12, (uint8_t)enable);
        vga_rig_render(r);
        for (unsigned x = 0; x < 640; x++) check_pixel(m, x, 7u, rgb[m->ac[planar(7 * 80 + x / 8, x) & enable]]);
    }
}
END_TEST

START_TEST(screen_off_is_black_and_no_palette_is_the_border)
{
    const struct vga_mode *m = &vga_modes[MODE_13];
    start(MODE_13);
    for (unsigned i = 0; i < 64000; i++) poke8(r, 0xa0000 + i, 5);
    check_size(320, 200, 2, 2);
    check_pixel(m, 100u, 100u, rgb[5]);
    out_indexed(r, 0x3c4, 1, 0x21);
    ck_assert(vga_rig_render(r));
    check_pixel(m, 100u, 100u, 0u);
    out_indexed(r, 0x3c4, 1, 0x01);
    out_ac(r, 0x11, 9);
    inb(r, 0x3da);
    outb(r, 0x3c0, 0x00);
    ck_assert(vga_rig_render(r));
    check_pixel(m, 100u, 100u, rgb[9]);
    poke8(r, 0xa0000 + 320 * 100 + 100, 6);
    outb(r, 0x3c0, 0x00);
    outb(r, 0x3c0, 0x20);
    ck_assert(vga_rig_render(r));
    check_pixel(m, 100u, 100u, rgb[6]);
    check_pixel(m, 99u, 100u, rgb[5]);
}
END_TEST

/* ---- text */

static uint8_t font[2][8192], text[0x8000];

static void fill_text(const struct vga_mode *m)
{
    for (unsigned i = 0; i < 8192; i++) {
        font[0][i] = (uint8_t)random64(&seed);
        font[1][i] = (uint8_t)random64(&seed);
    }
    vga_rig_load_font(r, m, 0, font[0]);
    vga_rig_load_font(r, m, 4, font[1]);                /* 8 KiB * 4 = 8000h: character map 2 */
    uint32_t base = m->misc & 1 ? 0xb8000 : 0xb0000;
    for (unsigned i = 0; i < 0x8000; i++) poke8(r, base + i, text[i] = (uint8_t)random64(&seed));
}

struct look {
    unsigned columns, cell_height, cell_width, address;
    bool blink_off, blink, line_graphics, two_fonts;
    int cursor;                               /* cell, or -1 */
    unsigned cursor_from, cursor_to;
};

static uint32_t text_pixel(const struct vga_mode *m, const struct look *k, unsigned x, unsigned y)
{
    unsigned cell = k->address + y / k->cell_height * k->columns + x / k->cell_width;
    unsigned line = y % k->cell_height, column = x % k->cell_width;
    uint8_t ch = text[2 * cell], attr = text[2 * cell + 1];
    const uint8_t *f = font[k->two_fonts && !(attr & 8)];
    unsigned foreground = attr & 15, background = attr >> 4;
    bool lit;
    if (column < 8) lit = f[ch * 32 + line] >> (7 - column) & 1;
    else lit = k->line_graphics && ch >= 0xc0 && ch <= 0xdf && f[ch * 32 + line] & 1;
    if (line == (m->crtc[0x14] & 31) && (attr & 7) == 1 && (attr >> 4 & 7) == 0) lit = true;
    if (k->blink) {
        background &= 7;
        if (attr & 0x80 && k->blink_off) lit = false;
    }
    if ((int)cell == k->cursor && line >= k->cursor_from && line <= k->cursor_to) lit = true;
    return pal(m, lit ? foreground : background);
}

static void check_text(const struct vga_mode *m, const struct look *k)
{
    for (unsigned y = 0; y < r->surface.height / lines; y++)
        for (unsigned x = 0; x < r->surface.width / dots; x++) check_pixel(m, x, y, text_pixel(m, k, x, y));
}

static void put_cursor(const struct vga_mode *m, unsigned cell)
{
    uint16_t crtc = m->misc & 1 ? 0x3d4 : 0x3b4;
    out_indexed(r, crtc, 0x0e, (uint8_t)(cell >> 8));
    out_indexed(r, crtc, 0x0f, (uint8_t)cell);
}

START_TEST(text_modes_draw_characters_attributes_and_the_cursor)
{
    static const struct { unsigned mode, columns, width, height, dots, lines, cell_width, cell_height; } modes[] = {
        { MODE_0, 40, 360, 400, 2, 1, 9, 16 }, { MODE_0_200, 40, 320, 200, 2, 2, 8, 8 },
        { MODE_0_350, 40, 320, 350, 2, 1, 8, 14 }, { MODE_3, 80, 720, 400, 1, 1, 9, 16 },
        { MODE_3_200, 80, 640, 200, 1, 2, 8, 8 }, { MODE_3_350, 80, 640, 350, 1, 1, 8, 14 },
        { MODE_7, 80, 720, 400, 1, 1, 9, 16 }, { MODE_132, 132, 1056, 392, 1, 1, 8, 14 },
    };
    for (unsigned i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        const struct vga_mode *m = &vga_modes[modes[i].mode];
        start(modes[i].mode);
        fill_text(m);
        unsigned cell = modes[i].columns * 3 + 7;
        put_cursor(m, cell);
        struct look k = { .columns = modes[i].columns, .cell_width = modes[i].cell_width, .cell_height = modes[i].cell_height,
                          .blink = true, .line_graphics = m->ac[0x10] & 4, .cursor = (int)cell,
                          .cursor_from = m->crtc[0x0a], .cursor_to = m->crtc[0x0b] };
        check_size(modes[i].width, modes[i].height, modes[i].dots, modes[i].lines);
        check_text(m, &k);
    }
}
END_TEST

START_TEST(cursor_blinks_every_8_frames_and_characters_every_16)
{
    const struct vga_mode *m = &vga_modes[MODE_3];
    start(MODE_3);
    fill_text(m);
    put_cursor(m, 500);
    vtime began = r->rig.clock.now;
    start(MODE_0);                                      /* the counters start anew with the last change of timing */
    began = r->rig.clock.now;
    start(MODE_3);
    put_cursor(m, 500);
    for (unsigned half = 0; half < 9; half++) {
        /* the middle of frame 8 * half + 4; a frame is 449 * 100 * 9 dots */
        vtime target = began + clk_time_of((struct clk){ 28322000, 449 * 100 * 9 }, 8 * half + 4);
        if (target > r->rig.clock.now) rig_step_to(&r->rig, target);
        vga_rig_render(r);
        struct look k = { .columns = 80, .cell_width = 9, .cell_height = 16, .blink = true, .line_graphics = true,
                          .blink_off = half & 2, .cursor = half & 1 ? -1 : 500, .cursor_from = 13, .cursor_to = 14 };
        check_text(m, &k);
    }
}
END_TEST

START_TEST(cursor_can_be_off_and_upside_down)
{
    const struct vga_mode *m = &vga_modes[MODE_3];
    start(MODE_3);
    fill_text(m);
    put_cursor(m, 42);
    struct look k = { .columns = 80, .cell_width = 9, .cell_height = 16, .blink = true, .line_graphics = true, .cursor = -1 };
    out_indexed(r, 0x3d4, 0x0a, 0x2d);
    vga_rig_render(r);
    check_text(m, &k);
    out_indexed(r, 0x3d4, 0x0a, 0x0e);                  /* starts below its end: none, on a VGA */
    out_indexed(r, 0x3d4, 0x0b, 0x0d);
    vga_rig_render(r);
    check_text(m, &k);
    out_indexed(r, 0x3d4, 0x0a, 0x00);
    out_indexed(r, 0x3d4, 0x0b, 0x2f);                  /* a block, skewed by one cell */
    k.cursor = 43;
    k.cursor_to = 15;
    vga_rig_render(r);
    check_text(m, &k);
}
END_TEST

START_TEST(background_is_bright_with_blinking_off)
{
    const struct vga_mode *m = &vga_modes[MODE_3];
    start(MODE_3);
    fill_text(m);
    out_ac(r, 0x10, 0x04);
    out_indexed(r, 0x3d4, 0x0a, 0x20);
    vga_rig_render(r);
    struct look k = { .columns = 80, .cell_width = 9, .cell_height = 16, .line_graphics = true, .cursor = -1 };
    check_text(m, &k);
}
END_TEST

START_TEST(ninth_dot_is_background_without_line_graphics)
{
    const struct vga_mode *m = &vga_modes[MODE_3];
    start(MODE_3);
    fill_text(m);
    out_ac(r, 0x10, 0x08);
    out_indexed(r, 0x3d4, 0x0a, 0x20);
    vga_rig_render(r);
    struct look k = { .columns = 80, .cell_width = 9, .cell_height = 16, .blink = true, .cursor = -1 };
    check_text(m, &k);
}
END_TEST

START_TEST(attribute_bit_3_chooses_between_two_fonts)
{
    const struct vga_mode *m = &vga_modes[MODE_3];
    start(MODE_3);
    fill_text(m);
    out_indexed(r, 0x3d4, 0x0a, 0x20);
    out_indexed(r, 0x3c4, 3, 0x02);                     /* map A (bit 3 set) 0, map B 2 */
    vga_rig_render(r);
    struct look k = { .columns = 80, .cell_width = 9, .cell_height = 16, .blink = true, .line_graphics = true, .cursor = -1,
                      .two_fonts = true };
    check_text(m, &k);
}
END_TEST

START_TEST(all_eight_character_maps_are_found)
{
    static const uint8_t slot[8] = { 0, 2, 4, 6, 1, 3, 5, 7 };    /* 8 KiB units: 0, 16K, 32K, 48K, 8K, 24K, 40K, 56K */
    const struct vga_mode *m = &vga_modes[MODE_3];
    start(MODE_3);
    fill_text(m);
    out_indexed(r, 0x3d4, 0x0a, 0x20);
    static uint8_t other[8192];
    for (unsigned map = 0; map < 8; map++) {
        for (unsigned i = 0; i < 8; i++) vga_rig_load_font(r, m, slot[i], i == map ? font[0] : other);
        unsigned low = map & 3, high = map >> 2;
        out_indexed(r, 0x3c4, 3, (uint8_t)(low | low << 2 | high << 4 | high << 5));
        vga_rig_render(r);
        struct look k = { .columns = 80, .cell_width = 9, .cell_height = 16, .blink = true, .line_graphics = true, .cursor = -1 };
        check_text(m, &k);
    }
}
END_TEST

START_TEST(text_start_address_and_smooth_scrolling)
{
    const struct vga_mode *m = &vga_modes[MODE_3];
    start(MODE_3);
    fill_text(m);
    out_indexed(r, 0x3d4, 0x0a, 0x20);
    out_indexed(r, 0x3d4, 0x0d, 160);
    out_indexed(r, 0x3d4, 0x08, 5);                     /* preset row scan: five lines up */
    out_ac(r, 0x13, 2);                                 /* three dots to the left */
    vga_rig_render(r);
    struct look k = { .columns = 80, .cell_width = 9, .cell_height = 16, .blink = true, .line_graphics = true, .cursor = -1,
                      .address = 160 };
    for (unsigned y = 0; y < 400; y++)
        for (unsigned x = 0; x < 717; x++) check_pixel(m, x, y, text_pixel(m, &k, x + 3, y + 5));
}
END_TEST

START_TEST(cursor_and_text_can_be_read_back)
{
    unsigned col, row, cols, rows;
    uint8_t chars[4000];
    start(MODE_3);
    for (unsigned i = 0; i < 2000; i++) phys_store(&r->rig.mem, 0xb8000 + 2 * i, 0x0700 | (i & 0xff), 2, false);
    put_cursor(&vga_modes[MODE_3], 80 * 24 + 79);
    ck_assert(vga_text_cursor(r->vga, &col, &row));
    ck_assert_uint_eq(col, 79);
    ck_assert_uint_eq(row, 24);
    put_cursor(&vga_modes[MODE_3], 80 * 25);
    ck_assert(!vga_text_cursor(r->vga, &col, &row));
    ck_assert(vga_text_page(r->vga, chars, sizeof chars, &cols, &rows));
    ck_assert_uint_eq(cols, 80);
    ck_assert_uint_eq(rows, 25);
    for (unsigned i = 0; i < 2000; i++) ck_assert_uint_eq(chars[i], i & 0xff);
    start(MODE_12);
    ck_assert(!vga_text_cursor(r->vga, &col, &row));
    ck_assert(!vga_text_page(r->vga, chars, sizeof chars, &cols, &rows));
}
END_TEST

/* ---- drawing what changed, and only that */

static unsigned dirty_rows(void)
{
    unsigned n = 0;
    for (unsigned y = 0; y < r->surface.height; y++) n += r->surface.dirty_rows[y];
    return n;
}

START_TEST(only_rows_that_changed_are_reported)
{
    start(MODE_12);
    fill_planes();
    ck_assert(vga_rig_render(r));
    ck_assert_uint_eq(dirty_rows(), 480);
    ck_assert(!vga_rig_render(r));
    ck_assert_uint_eq(dirty_rows(), 0);
    out_indexed(r, 0x3c4, 2, 1);
    poke8(r, 0xa0000 + 80 * 123 + 4, (uint8_t)~plane[0][80 * 123 + 4]);
    ck_assert(vga_rig_render(r));
    ck_assert_uint_eq(dirty_rows(), 1);
    ck_assert_uint_eq(r->surface.dirty_rows[123], 1);
    poke8(r, 0xa0000 + 80 * 123 + 4, (uint8_t)~plane[0][80 * 123 + 4]);     /* the same again */
    ck_assert(!vga_rig_render(r));
}
END_TEST

START_TEST(another_surface_is_drawn_whole)
{
    start(MODE_13);
    for (unsigned i = 0; i < 64000; i++) poke8(r, 0xa0000 + i, (uint8_t)i);
    vga_rig_render(r);
    struct surface other = { 0 };
    ck_assert(surface_resize(&other, 640, 400));
    ck_assert(vga_render(r->vga, &other));
    ck_assert_mem_eq(other.pixels, r->surface.pixels, 640 * 400 * 4);
    surface_fini(&other);
    memset(&other, 0, sizeof other);
    ck_assert(surface_resize(&other, 640, 400));        /* as likely as not at the same address */
    ck_assert(vga_render(r->vga, &other));
    ck_assert_mem_eq(other.pixels, r->surface.pixels, 640 * 400 * 4);
    surface_fini(&other);
    ck_assert(surface_resize(&other, 100, 100));
    ck_assert(!vga_render(r->vga, &other));
    surface_fini(&other);
}
END_TEST

/* Whatever is drawn bit by bit must be what is drawn at once. */
START_TEST(incremental_drawing_agrees_with_drawing_all)
{
    for (unsigned mode = 0; mode < MODES; mode++) {
        start(mode);
        for (unsigned step = 0; step < 40; step++) {
            for (unsigned i = 0; i < 20; i++) poke8(r, 0xa0000 + random64(&seed) % 0x20000, (uint8_t)random64(&seed));
            uint64_t n = random64(&seed);
            if (n % 5 == 0) out_indexed(r, 0x3d4, (uint8_t)(0x0a + (n >> 8) % 6), (uint8_t)(n >> 16));
            if (n % 7 == 0) vga_rig_set_colour(r, (uint8_t)(n >> 8), n >> 16 & 63, n >> 24 & 63, n >> 32 & 63);
            if (n % 3 == 0) vga_rig_sleep(r, VTIME_MS(n >> 40 & 255));
            vga_rig_render(r);
            if (step % 4) continue;
            struct surface whole = { 0 };
            ck_assert(surface_resize(&whole, r->surface.width, r->surface.height));
            ck_assert(vga_render(r->vga, &whole));
            ck_assert_mem_eq(whole.pixels, r->surface.pixels, 4ul * whole.width * whole.height);
            surface_fini(&whole);
        }
    }
}
END_TEST

START_TEST(rendering_changes_no_state)
{
    start(MODE_3);
    fill_text(&vga_modes[MODE_3]);
    outb(r, 0x3c0, 0x05);                               /* data is due */
    struct state_buf before = { 0 }, after = { 0 };
    state_write(r->vga->class->state, r->vga, &before);
    vga_rig_render(r);
    state_write(r->vga->class->state, r->vga, &after);
    ck_assert_uint_eq(before.len, after.len);
    ck_assert_mem_eq(before.data, after.data, before.len);
    state_buf_fini(&before);
    state_buf_fini(&after);
}
END_TEST

START_TEST(no_sync_is_a_dark_screen)
{
    check_size(720, 400, 1, 1);
    ck_assert_uint_eq(vga_rig_pixel(r, 0, 0), 0);
}
END_TEST

int main(void)
{
    return rig_run("vga picture", setup, teardown, RIG_TESTS(
        &mode_4_has_two_bits_a_pixel_in_two_banks_of_lines, &mode_6_has_one_bit_a_pixel_in_two_banks_of_lines,
        &planar_modes_take_a_bit_of_each_plane, &mode_f_blinks_where_only_plane_2_is_set, &mode_13h_has_a_byte_a_pixel,
        &pixel_mask_thins_the_dac_index, &mode_x_has_four_pixels_an_address,
        &mode_x_start_address_and_panning_scroll_by_pixels, &start_address_wraps_at_64k,
        &line_compare_splits_the_screen_and_ppm_keeps_the_lower_part_still,
        &split_of_a_double_scanned_mode_shows_every_scan_line, &colour_select_replaces_and_adds_palette_bits,
        &plane_enable_hides_planes, &screen_off_is_black_and_no_palette_is_the_border,
        &text_modes_draw_characters_attributes_and_the_cursor, &cursor_blinks_every_8_frames_and_characters_every_16,
        &cursor_can_be_off_and_upside_down, &background_is_bright_with_blinking_off,
        &ninth_dot_is_background_without_line_graphics, &attribute_bit_3_chooses_between_two_fonts,
        &all_eight_character_maps_are_found, &text_start_address_and_smooth_scrolling, &cursor_and_text_can_be_read_back,
        &only_rows_that_changed_are_reported, &another_surface_is_drawn_whole,
        &incremental_drawing_agrees_with_drawing_all, &rendering_changes_no_state, &no_sync_is_a_dark_screen));
}
