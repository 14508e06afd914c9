/* Registers of the VGA that change while the picture is shown, and what blanking hides of it. The beam's place is computed
 * from the mode: 13h has 449 lines of 100 characters of 8 dots at 25.175 MHz, of which 400 are shown. */
#include "tests/chip/vga_rig.h"

static struct vga_rig *r;
static vtime zero;                            /* when the beam was at the first line */
static const struct clk line_clock = { 25175000, 800 };
enum { LINES = 449, SHOWN = 400 };

static void setup(void)
{
    r = vga_rig_new();
    vga_rig_set_mode(r, MODE_13);
    zero = r->rig.clock.now;
    vga_rig_set_colour(r, 0, 0, 0, 63);
    for (unsigned i = 0; i < 64000; i++) poke8(r, 0xa0000 + i, 0);
}

static void teardown(void) { vga_rig_free(r); }

/* To the middle of a scan line of a frame. */
static void beam_to(unsigned frame, unsigned line)
{
    vtime t = zero + clk_time_of(line_clock, (uint64_t)frame * LINES + line) + VTIME_US(15);
    vga_rig_sleep(r, t - r->rig.clock.now);
}

static void colour_0(unsigned red, unsigned blue) { vga_rig_set_colour(r, 0, red, 0, blue); }
static uint32_t row(unsigned y) { return vga_rig_pixel(r, 100, y); }

START_TEST(colour_changed_on_a_line_shows_from_the_next_one_on)
{
    for (unsigned frame = 3; frame < 6; frame++) {
        beam_to(frame, 99);
        colour_0(63, 0);
        beam_to(frame, 299);
        colour_0(0, 0);
        beam_to(frame, 420);                  /* not shown: for the next frame */
        colour_0(0, 63);
    }
    beam_to(6, 50);
    ck_assert(vga_rig_render(r));
    for (unsigned y = 0; y < SHOWN; y++) ck_assert_uint_eq(row(y), y < 100 ? 0x0000ff : y < 300 ? 0xff0000 : 0);
    ck_assert(!vga_rig_render(r));            /* the same again */
}
END_TEST

START_TEST(change_that_does_not_come_again_is_shown_whole)
{
    for (unsigned frame = 3; frame < 6; frame++) {
        beam_to(frame, 200);
        colour_0(frame, 0);                   /* the same register in every frame */
        beam_to(frame, 300);
        vga_rig_render(r);
        ck_assert_uint_eq(row(0), row(399));
    }
    beam_to(6, 10);
    vga_rig_render(r);
    ck_assert_uint_ne(row(0), row(399));
    beam_to(7, 10);                           /* and one without */
    ck_assert(vga_rig_render(r));
    ck_assert_uint_eq(row(0), row(399));
}
END_TEST

START_TEST(panning_and_split_can_change_on_the_way)
{
    for (unsigned i = 0; i < 64000; i += 320) poke8(r, 0xa0000 + i, 1);      /* the first column */
    vga_rig_set_colour(r, 1, 63, 63, 63);
    for (unsigned frame = 3; frame < 6; frame++) {
        beam_to(frame, 199);
        out_ac(r, 0x13, 2);                   /* a pixel to the left */
        beam_to(frame, 430);
        out_ac(r, 0x13, 0);
    }
    beam_to(6, 10);
    vga_rig_render(r);
    ck_assert_uint_eq(vga_rig_pixel(r, 0, 199), 0xffffff);
    ck_assert_uint_eq(vga_rig_pixel(r, 0, 200), 0x0000ff);
}
END_TEST

START_TEST(mode_may_be_another_below_a_line)
{
    for (unsigned frame = 3; frame < 6; frame++) {
        beam_to(frame, 99);
        out_indexed(r, 0x3c4, 1, 0x21);       /* screen off */
        beam_to(frame, 199);
        out_indexed(r, 0x3c4, 1, 0x01);
        out_ac(r, 0x10, 0x01);                /* 16 colours: twice as many pixels, the same width */
        beam_to(frame, 430);
        out_ac(r, 0x10, 0x41);
    }
    beam_to(6, 10);
    vga_rig_render(r);
    ck_assert_uint_eq(row(99), 0x0000ff);
    ck_assert_uint_eq(row(100), 0);
    ck_assert_uint_eq(row(199), 0);
    ck_assert_uint_eq(row(200), 0x0000ff);
    ck_assert_uint_eq(r->surface.width, 640);
}
END_TEST

START_TEST(cursor_and_start_address_wait_for_the_next_frame_anyway)
{
    beam_to(3, 99);
    out_indexed(r, 0x3d4, 0x0d, 0x50);        /* a row further */
    poke8(r, 0xa0000 + 320, 7);
    vga_rig_set_colour(r, 7, 63, 63, 63);
    for (unsigned frame = 3; frame < 6; frame++) {
        beam_to(frame, 150);
        out_indexed(r, 0x3d4, 0x0d, 0x00);
        beam_to(frame, 200);
        out_indexed(r, 0x3d4, 0x0d, 0x50);
    }
    beam_to(6, 10);
    vga_rig_render(r);
    for (unsigned y = 0; y < 2; y++) ck_assert_uint_eq(vga_rig_pixel(r, 0, y), 0xffffff);
    ck_assert_uint_eq(vga_rig_pixel(r, 0, 300), 0x0000ff);
}
END_TEST

START_TEST(more_changes_than_fit_are_drawn_as_they_end)
{
    for (unsigned frame = 3; frame < 6; frame++) {
        beam_to(frame, 99);
        for (unsigned i = 0; i < 3000; i++) colour_0(i & 63, 0);
        colour_0(0, 63);
    }
    beam_to(6, 10);
    vga_rig_render(r);
    ck_assert_uint_eq(row(0), 0x0000ff);
    ck_assert_uint_eq(row(399), 0x0000ff);
}
END_TEST

START_TEST(changes_are_forgotten_by_a_load)
{
    for (unsigned frame = 3; frame < 6; frame++) {
        beam_to(frame, 99);
        colour_0(frame == 5 ? 63 : frame, 0);
    }
    beam_to(6, 10);
    struct state_buf saved = { 0 };
    rig_save(r->vga, &saved);
    rig_load(r->vga, &saved);
    state_buf_fini(&saved);
    vga_rig_render(r);
    ck_assert_uint_eq(row(0), 0xff0000);
}
END_TEST

START_TEST(blanking_hides_lines_and_cells)
{
    out_indexed(r, 0x3d4, 0x11, 0x0e);        /* unlock */
    out_indexed(r, 0x3d4, 0x15, 0x64);        /* vertical: from 64h + 100h = 356 */
    out_indexed(r, 0x3d4, 0x16, 0x78);        /* until the low bits are 78h: 376 */
    out_indexed(r, 0x3d4, 0x02, 70);          /* horizontal: from cell 70 to 74 */
    out_indexed(r, 0x3d4, 0x03, 0x80 | (74 & 31));
    out_indexed(r, 0x3d4, 0x05, 0x00);        /* bit 5 of 74 is 0 */
    vga_rig_render(r);
    for (unsigned y = 0; y < SHOWN; y++) ck_assert_uint_eq(row(y), y >= 356 && y < 376 ? 0 : 0x0000ff);
    for (unsigned x = 0; x < 640; x++)
        ck_assert_uint_eq(vga_rig_pixel(r, x, 10), x / 8 >= 70 && x / 8 < 74 ? 0 : 0x0000ff);
}
END_TEST

/* What is not modelled: each of these shows it, and has to change with it. */
START_TEST(border_load_rates_and_extended_memory_have_no_effect)
{
    out_ac(r, 0x11, 5);
    vga_rig_set_colour(r, 5, 63, 63, 63);
    for (unsigned i = 0; i < 640; i++) poke8(r, 0xa0000 + i, (uint8_t)(i * 7));
    vga_rig_render(r);
    ck_assert_uint_eq(r->surface.width, 640);                 /* no border around */
    ck_assert_uint_eq(r->surface.height, 400);
    ck_assert_uint_eq(inb(r, 0x3da) & 0x30, 0x30);            /* bits 0 and 2 of the border's colour, */
    beam_to(2, 100);
    ck_assert_uint_eq(inb(r, 0x3da) & 0x31, 0x30);            /* though a pixel of colour 0 is under the beam */
    uint32_t before[640];
    memcpy(before, r->surface.pixels, sizeof before);
    out_indexed(r, 0x3c4, 1, 0x15);                           /* shift load, shift 4 */
    out_indexed(r, 0x3c4, 4, 0x0c);                           /* 64 KiB */
    vga_rig_render(r);
    ck_assert_mem_eq(before, r->surface.pixels, sizeof before);
    poke8(r, 0xa0000 + 0xfff0, 0x5a);
    ck_assert_uint_eq(peek8(r, 0xa0000 + 0xfff0), 0x5a);
    out_ac(r, 0x10, 0x41);
    out_indexed(r, 0x3c4, 1, 0x00);                           /* 256 colours with nine dots: as with eight */
    vga_rig_render(r);
    ck_assert_uint_eq(r->surface.width, 640);
}
END_TEST

START_TEST(nine_dots_a_character_make_planar_graphics_wider)
{
    vga_rig_set_mode(r, MODE_12);
    vga_rig_set_colour(r, 0, 0, 0, 63);
    vga_rig_set_colour(r, 63, 63, 63, 63);
    for (unsigned i = 0; i < 80; i++) poke8(r, 0xa0000 + i, 0xff);
    out_indexed(r, 0x3c4, 1, 0x00);
    out_ac(r, 0x13, 8);                       /* no panning, with nine dots */
    vga_rig_render(r);
    ck_assert_uint_eq(r->surface.width, 720);
    for (unsigned x = 0; x < 720; x++) ck_assert_uint_eq(vga_rig_pixel(r, x, 0), x % 9 == 8 ? 0x0000ff : 0xffffff);
}
END_TEST

int main(void)
{
    return rig_run("vga raster", setup, teardown, RIG_TESTS(
        &colour_changed_on_a_line_shows_from_the_next_one_on, &change_that_does_not_come_again_is_shown_whole,
        &panning_and_split_can_change_on_the_way, &mode_may_be_another_below_a_line,
        &cursor_and_start_address_wait_for_the_next_frame_anyway, &more_changes_than_fit_are_drawn_as_they_end,
        &changes_are_forgotten_by_a_load, &blanking_hides_lines_and_cells,
        &border_load_rates_and_extended_memory_have_no_effect, &nine_dots_a_character_make_planar_graphics_wider));
}
