/* The Bochs VBE registers, the linear framebuffer, BAR2, and the pictures of VBE modes. */
#include <string.h>

#include "tests/chip/vga_rig.h"

enum { ID, XRES, YRES, BPP, ENABLE, BANK, VIRT_WIDTH, VIRT_HEIGHT, X_OFFSET, Y_OFFSET, MEMORY_64K };
enum { ON = 0x01, GETCAPS = 0x02, DAC8 = 0x20, LFB = 0x40, NOCLEAR = 0x80 };

static struct vga_rig *r;
static uint64_t seed;

static void setup(void)
{
    r = vga_rig_new();
    vga_rig_map_bars(r);
    vga_rig_set_mode(r, MODE_3);
    seed = 5;
}
static void teardown(void) { vga_rig_free(r); }

static void set_vbe(unsigned width, unsigned height, unsigned bpp, unsigned flags)
{
    out_dispi(r, ENABLE, 0);
    out_dispi(r, XRES, (uint16_t)width);
    out_dispi(r, YRES, (uint16_t)height);
    out_dispi(r, BPP, (uint16_t)bpp);
    out_dispi(r, ENABLE, (uint16_t)(ON | flags));
    inb(r, 0x3da);
    outb(r, 0x3c0, 0x20);
}

#define CHECK_PIXEL(x, y, expected) do { \
        uint32_t want_ = (expected), got_ = vga_rig_pixel(r, x, y); \
        if (got_ != want_) ck_abort_msg("%u,%u: %06x, not %06x", x, y, got_, want_); \
    } while (0)

START_TEST(id_register_takes_the_known_versions_only)
{
    ck_assert_uint_eq(in_dispi(r, ID), 0xb0c5);
    for (uint16_t id = 0xb0c0; id <= 0xb0c5; id++) {
        out_dispi(r, ID, id);
        ck_assert_uint_eq(in_dispi(r, ID), id);
    }
    out_dispi(r, ID, 0xb0c6);
    ck_assert_uint_eq(in_dispi(r, ID), 0xb0c5);
    ck_assert_uint_eq(in_dispi(r, MEMORY_64K), 256);
}
END_TEST

START_TEST(data_answers_at_1cf_and_1d0)
{
    port_out(&r->rig.ports, 0x1ce, XRES, 2);
    port_out(&r->rig.ports, 0x1d0, 1234, 2);
    ck_assert_uint_eq(port_in(&r->rig.ports, 0x1cf, 2), 1234);
    ck_assert_uint_eq(port_in(&r->rig.ports, 0x1ce, 2), XRES);
}
END_TEST

START_TEST(getcaps_shows_the_maxima_and_changes_nothing)
{
    set_vbe(800, 600, 16, 0);
    out_dispi(r, ENABLE, ON | GETCAPS);
    ck_assert_uint_ge(in_dispi(r, XRES), 2560);
    ck_assert_uint_ge(in_dispi(r, YRES), 1600);
    ck_assert_uint_eq(in_dispi(r, BPP), 32);
    out_dispi(r, ENABLE, ON);
    ck_assert_uint_eq(in_dispi(r, XRES), 800);
    ck_assert_uint_eq(in_dispi(r, BPP), 16);
}
END_TEST

START_TEST(turning_on_clears_memory_unless_told_not_to)
{
    memset(r->vram->data, 0x55, VGA_VRAM_SIZE);
    set_vbe(640, 480, 32, NOCLEAR);
    ck_assert_uint_eq(r->vram->data[0], 0x55);
    out_dispi(r, ENABLE, ON);                           /* on already: no edge */
    ck_assert_uint_eq(r->vram->data[0], 0x55);
    set_vbe(640, 480, 32, 0);
    for (unsigned i = 0; i < 640 * 480 * 4; i += 997) ck_assert_uint_eq(r->vram->data[i], 0);
    ck_assert_uint_eq(r->vram->data[640 * 480 * 4], 0x55);
}
END_TEST

START_TEST(turning_on_resets_panning_and_virtual_size)
{
    set_vbe(1024, 768, 8, 0);
    out_dispi(r, VIRT_WIDTH, 2048);
    out_dispi(r, X_OFFSET, 100);
    out_dispi(r, Y_OFFSET, 50);
    out_dispi(r, BANK, 3);
    ck_assert_uint_eq(in_dispi(r, VIRT_HEIGHT), VGA_VRAM_SIZE / 2048);
    set_vbe(640, 480, 8, 0);
    ck_assert_uint_eq(in_dispi(r, VIRT_WIDTH), 640);
    ck_assert_uint_eq(in_dispi(r, VIRT_HEIGHT), VGA_VRAM_SIZE / 640);
    ck_assert_uint_eq(in_dispi(r, X_OFFSET), 0);
    ck_assert_uint_eq(in_dispi(r, Y_OFFSET), 0);
    ck_assert_uint_eq(in_dispi(r, BANK), 0);
}
END_TEST

START_TEST(what_does_not_fit_the_memory_is_made_to_fit)
{
    set_vbe(4096, 2400, 32, 0);
    ck_assert_uint_le((uint32_t)in_dispi(r, YRES) * in_dispi(r, XRES) * 4, VGA_VRAM_SIZE);
    set_vbe(1600, 1200, 32, 0);
    ck_assert_uint_eq(in_dispi(r, XRES), 1600);
    ck_assert_uint_eq(in_dispi(r, YRES), 1200);
    out_dispi(r, Y_OFFSET, 60000);
    ck_assert_uint_eq(in_dispi(r, Y_OFFSET), 0);
    set_vbe(64, 64, 32, 0);
    out_dispi(r, VIRT_WIDTH, 0x8001);                   /* 131076 bytes a row: times 32767 it wraps round in 32 bits */
    for (unsigned y = 32700; y < 32800; y++) {
        out_dispi(r, Y_OFFSET, (uint16_t)y);
        ck_assert_uint_eq(in_dispi(r, Y_OFFSET), 0);
    }
    out_dispi(r, BANK, 256);
    ck_assert_uint_eq(in_dispi(r, BANK), 0);
    out_dispi(r, BANK, 255);
    ck_assert_uint_eq(in_dispi(r, BANK), 255);
    set_vbe(2560, 1600, 32, 0);
    ck_assert_uint_eq(in_dispi(r, XRES), 2560);
    ck_assert_uint_eq(in_dispi(r, YRES), 1600);
}
END_TEST

START_TEST(sizes_may_be_written_in_any_order_while_off)
{
    set_vbe(4096, 1024, 32, 0);
    out_dispi(r, ENABLE, 0);
    out_dispi(r, YRES, 1600);
    out_dispi(r, XRES, 1000);
    out_dispi(r, BPP, 8);
    out_dispi(r, ENABLE, ON);
    ck_assert_uint_eq(in_dispi(r, YRES), 1600);
    ck_assert_uint_eq(in_dispi(r, VIRT_WIDTH), 1000);
}
END_TEST

static uint32_t wide(unsigned bpp, uint32_t p)
{
    unsigned red, green, blue;
    if (bpp >= 24) return p & 0xffffff;
    if (bpp == 16) {
        red = p >> 11 & 31, green = p >> 5 & 63, blue = p & 31;
        return (red * 8 + red / 4) << 16 | (green * 4 + green / 16) << 8 | (blue * 8 + blue / 4);
    }
    red = p >> 10 & 31, green = p >> 5 & 31, blue = p & 31;
    return (red * 8 + red / 4) << 16 | (green * 8 + green / 4) << 8 | (blue * 8 + blue / 4);
}

START_TEST(wide_pixels_are_drawn_from_the_linear_framebuffer)
{
    static const struct { unsigned width, height, bpp; } modes[] = {
        { 640, 480, 15 }, { 800, 600, 16 }, { 1024, 768, 24 }, { 1600, 1200, 32 }, { 1366, 768, 32 }, { 320, 200, 16 },
    };
    for (unsigned i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        unsigned bytes = (modes[i].bpp + 7) / 8, pitch = modes[i].width * bytes;
        set_vbe(modes[i].width, modes[i].height, modes[i].bpp, LFB);
        for (unsigned a = 0; a < pitch * modes[i].height; a += 8)
            phys_store(&r->rig.mem, (uint32_t)VGA_RIG_LFB + a, random64(&seed), 8, false);
        vga_rig_render(r);
        ck_assert_uint_eq(r->surface.width, modes[i].width);
        ck_assert_uint_eq(r->surface.height, modes[i].height);
        for (unsigned y = 0; y < modes[i].height; y += 7)
            for (unsigned x = 0; x < modes[i].width; x++) {
                uint32_t p = 0;
                phys_peek(&r->rig.mem, (uint32_t)VGA_RIG_LFB + y * pitch + x * bytes, &p, bytes);
                CHECK_PIXEL(x, y, wide(modes[i].bpp, ld32(&p)));
            }
    }
}
END_TEST

START_TEST(eight_bits_go_through_the_dac_of_six_or_eight_bits)
{
    set_vbe(640, 480, 8, LFB);
    for (unsigned i = 0; i < 256; i++) phys_store(&r->rig.mem, (uint32_t)VGA_RIG_LFB + i, i, 1, false);
    uint32_t rgb[256];
    vga_rig_random_dac(r, &seed, rgb);
    vga_rig_render(r);
    for (unsigned x = 0; x < 256; x++) CHECK_PIXEL(x, 0u, rgb[x]);
    out_dispi(r, ENABLE, ON | LFB | DAC8 | NOCLEAR);
    for (unsigned i = 0; i < 256; i++) vga_rig_set_colour(r, (uint8_t)i, i, 255 - i, i ^ 0x55);
    vga_rig_render(r);
    for (unsigned x = 0; x < 256; x++) CHECK_PIXEL(x, 0u, x << 16 | (255 - x) << 8 | (x ^ 0x55));
    outb(r, 0x3c7, 200);
    ck_assert_uint_eq(inb(r, 0x3c9), 200);
}
END_TEST

START_TEST(four_bits_are_planes_seen_through_banks)
{
    const struct vga_mode *m = &vga_modes[MODE_12];
    uint32_t rgb[256];
    vga_rig_set_mode(r, MODE_12);
    vga_rig_random_dac(r, &seed, rgb);
    set_vbe(1280, 1024, 4, 0);                          /* 160 bytes a row and plane: 163840 of them */
    static uint8_t plane[4][163840];
    for (unsigned p = 0; p < 4; p++) {
        out_indexed(r, 0x3c4, 2, (uint8_t)(1 << p));
        for (unsigned i = 0; i < sizeof plane[0]; i++) {
            if (i % 65536 == 0) out_dispi(r, BANK, (uint16_t)(i / 65536));
            poke8(r, 0xa0000 + i % 65536, plane[p][i] = (uint8_t)random64(&seed));
        }
    }
    vga_rig_render(r);
    ck_assert_uint_eq(r->surface.width, 1280);
    for (unsigned y = 0; y < 1024; y++)
        for (unsigned x = 0; x < 1280; x++) {
            unsigned n = 0;
            for (unsigned p = 0; p < 4; p++) n |= (unsigned)(plane[p][y * 160 + x / 8] >> (7 - x % 8) & 1) << p;
            CHECK_PIXEL(x, y, rgb[m->ac[n]]);
        }
    out_dispi(r, BANK, 2);                              /* and they read back */
    out_indexed(r, 0x3ce, 4, 3);
    ck_assert_uint_eq(peek8(r, 0xa0010), plane[3][0x20010]);
}
END_TEST

START_TEST(banks_and_framebuffer_are_one_memory)
{
    set_vbe(1024, 768, 8, LFB);
    for (unsigned bank = 0; bank < 256; bank += 5) {
        out_dispi(r, BANK, (uint16_t)bank);
        poke8(r, 0xa0123, (uint8_t)(bank + 1));
        ck_assert_uint_eq(peek8(r, (uint32_t)VGA_RIG_LFB + bank * 0x10000 + 0x123), (uint8_t)(bank + 1));
        poke8(r, (uint32_t)VGA_RIG_LFB + bank * 0x10000 + 0x124, 0x99);
        ck_assert_uint_eq(peek8(r, 0xa0124), 0x99);
    }
}
END_TEST

START_TEST(virtual_screen_pans)
{
    set_vbe(640, 480, 32, LFB);
    out_dispi(r, VIRT_WIDTH, 1000);
    for (unsigned y = 0; y < 700; y++)
        for (unsigned x = 0; x < 1000; x++) st32(r->vram->data + 4 * (y * 1000 + x), x << 12 | y);
    out_dispi(r, X_OFFSET, 123);
    out_dispi(r, Y_OFFSET, 200);
    vga_rig_render(r);
    for (unsigned y = 0; y < 480; y++)
        for (unsigned x = 0; x < 640; x++) CHECK_PIXEL(x, y, (x + 123) << 12 | (y + 200));
}
END_TEST

START_TEST(turning_off_brings_the_vga_mode_back)
{
    vga_rig_set_mode(r, MODE_3);
    set_vbe(1024, 768, 32, LFB | NOCLEAR);
    vga_rig_render(r);
    ck_assert_uint_eq(r->surface.width, 1024);
    ck_assert_uint_eq(r->surface.aspect_w * 3, r->surface.aspect_h * 4);
    out_dispi(r, ENABLE, 0);
    vga_rig_render(r);
    ck_assert_uint_eq(r->surface.width, 720);
    ck_assert_uint_eq(phys_lookup(&r->rig.mem, 0xb8000, false, true).region->io != NULL, 1);
}
END_TEST

START_TEST(retrace_goes_on_in_vbe_modes)
{
    set_vbe(1600, 1200, 32, LFB);
    unsigned frames = 0;
    bool was = true;
    for (unsigned i = 0; i < 100000; i++) {
        vga_rig_sleep(r, VTIME_US(10));
        bool now = inb(r, 0x3da) & 8;
        frames += now && !was;
        was = now;
    }
    ck_assert_uint_eq(frames, 60);
}
END_TEST

START_TEST(bar2_mirrors_vga_and_dispi_registers)
{
    uint32_t mmio = (uint32_t)VGA_RIG_MMIO;
    vga_rig_set_mode(r, MODE_3);
    phys_store(&r->rig.mem, mmio + 0x500 + 2 * XRES, 1152, 2, false);
    ck_assert_uint_eq(in_dispi(r, XRES), 1152);
    ck_assert_uint_eq(phys_load(&r->rig.mem, mmio + 0x500, 4, false), 1152u << 16 | 0xb0c5);
    phys_store(&r->rig.mem, mmio + 0x414, 0x770e, 2, false);            /* CRTC index 0Eh, data 77h */
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 0x0e), 0x77);
    ck_assert_uint_eq(phys_load(&r->rig.mem, mmio + 0x40c, 1, false), 0x67);
    ck_assert_uint_eq(phys_load(&r->rig.mem, mmio + 0x600, 4, false), 8);
}
END_TEST

START_TEST(byte_order_register_turns_pixels_over)
{
    uint32_t order = (uint32_t)VGA_RIG_MMIO + 0x604;
    set_vbe(640, 480, 32, LFB);
    phys_store(&r->rig.mem, (uint32_t)VGA_RIG_LFB, 0x00112233, 4, false);
    vga_rig_render(r);
    CHECK_PIXEL(0u, 0u, 0x112233u);
    ck_assert_uint_eq(phys_load(&r->rig.mem, order, 4, false), 0x1e1e1e1e);
    phys_store(&r->rig.mem, order, 0xbebebebe, 4, false);
    ck_assert_uint_eq(phys_load(&r->rig.mem, order, 4, false), 0xbebebebe);
    vga_rig_render(r);
    CHECK_PIXEL(0u, 0u, 0x221100u);
}
END_TEST

START_TEST(edid_is_valid_and_prefers_1024x768)
{
    uint8_t e[256];
    for (unsigned i = 0; i < 256; i++) e[i] = peek8(r, (uint32_t)VGA_RIG_MMIO + i);
    static const uint8_t header[8] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
    ck_assert_mem_eq(e, header, 8);
    unsigned sum = 0;
    for (unsigned i = 0; i < 128; i++) sum += e[i];
    ck_assert_uint_eq(sum & 0xff, 0);
    ck_assert_uint_eq(e[126], 0);
    const uint8_t *t = e + 54;
    unsigned clock = ld16(t), width = t[2] | (t[4] & 0xf0) << 4, hblank = t[3] | (t[4] & 0x0f) << 8;
    unsigned height = t[5] | (t[7] & 0xf0) << 4, vblank = t[6] | (t[7] & 0x0f) << 8;
    ck_assert_uint_eq(width, 1024);
    ck_assert_uint_eq(height, 768);
    ck_assert_uint_eq(clock * 10000u / (width + hblank) / (height + vblank), 60);
    for (unsigned i = 128; i < 256; i++) ck_assert_uint_eq(e[i], 0);
}
END_TEST

START_TEST(only_rows_of_written_pages_are_drawn)
{
    set_vbe(1024, 768, 32, LFB);
    vga_rig_render(r);
    ck_assert(!vga_rig_render(r));
    phys_store(&r->rig.mem, (uint32_t)VGA_RIG_LFB + 4 * (500 * 1024 + 3), 0xffffff, 4, false);
    ck_assert(vga_rig_render(r));
    for (unsigned y = 0; y < 768; y++) ck_assert_uint_eq(r->surface.dirty_rows[y], y == 500);
}
END_TEST

START_TEST(every_state_field_is_saved_in_a_vbe_mode)
{
    set_vbe(800, 600, 16, LFB);
    rig_check_device(r->vga);
}
END_TEST

int main(void)
{
    return rig_run("vga vbe", setup, teardown, RIG_TESTS(
        &id_register_takes_the_known_versions_only, &data_answers_at_1cf_and_1d0,
        &getcaps_shows_the_maxima_and_changes_nothing, &turning_on_clears_memory_unless_told_not_to,
        &turning_on_resets_panning_and_virtual_size, &what_does_not_fit_the_memory_is_made_to_fit,
        &sizes_may_be_written_in_any_order_while_off,
        &wide_pixels_are_drawn_from_the_linear_framebuffer, &eight_bits_go_through_the_dac_of_six_or_eight_bits,
        &four_bits_are_planes_seen_through_banks, &banks_and_framebuffer_are_one_memory, &virtual_screen_pans,
        &turning_off_brings_the_vga_mode_back, &retrace_goes_on_in_vbe_modes, &bar2_mirrors_vga_and_dispi_registers,
        &byte_order_register_turns_pixels_over, &edid_is_valid_and_prefers_1024x768, &only_rows_of_written_pages_are_drawn,
        &every_state_field_is_saved_in_a_vbe_mode));
}
