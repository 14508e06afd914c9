/* The VGA's registers, its place on the buses, and its state. */
#include <string.h>

#include "tests/chip/vga_rig.h"

static struct vga_rig *r;

static void setup(void) { r = vga_rig_new(); }
static void teardown(void) { vga_rig_free(r); }

START_TEST(sequencer_graphics_and_crtc_registers_read_back_their_bits)
{
    static const uint8_t seq[5] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
    static const uint8_t gc[9] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };
    outb(r, 0x3c2, 0x01);
    for (unsigned i = 0; i < 5; i++) {
        out_indexed(r, 0x3c4, (uint8_t)i, 0xff);
        ck_assert_uint_eq(in_indexed(r, 0x3c4, (uint8_t)i), seq[i]);
    }
    for (unsigned i = 0; i < 9; i++) {
        out_indexed(r, 0x3ce, (uint8_t)i, 0xff);
        ck_assert_uint_eq(in_indexed(r, 0x3ce, (uint8_t)i), gc[i]);
    }
    for (unsigned i = 0; i < 25; i++) {
        if (i == 0x11) continue;                        /* its bit 7 would protect the rest */
        out_indexed(r, 0x3d4, (uint8_t)i, 0x2a);
        ck_assert_uint_eq(in_indexed(r, 0x3d4, (uint8_t)i), i == 0x10 ? 0 : 0x2a);      /* light pen, see below */
    }
}
END_TEST

START_TEST(crtc_answers_at_3d4_in_colour_and_at_3b4_in_mono)
{
    outb(r, 0x3c2, 0x01);
    out_indexed(r, 0x3d4, 0x0f, 0x12);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 0x0f), 0x12);
    ck_assert_uint_eq(in_indexed(r, 0x3b4, 0x0f), 0xff);
    outb(r, 0x3c2, 0x00);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 0x0f), 0xff);
    ck_assert_uint_eq(in_indexed(r, 0x3b4, 0x0f), 0x12);
    ck_assert_uint_eq(inb(r, 0x3cc), 0x00);
}
END_TEST

START_TEST(protect_bit_keeps_crtc_0_to_7_but_line_compare_bit_8)
{
    vga_rig_set_mode(r, MODE_3);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 0x11), 0x8e);
    for (unsigned i = 0; i < 7; i++) {
        out_indexed(r, 0x3d4, (uint8_t)i, (uint8_t)~vga_modes[MODE_3].crtc[i]);
        ck_assert_uint_eq(in_indexed(r, 0x3d4, (uint8_t)i), vga_modes[MODE_3].crtc[i]);
    }
    out_indexed(r, 0x3d4, 7, 0xef);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 7), 0x0f);
    out_indexed(r, 0x3d4, 7, 0x10);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 7), 0x1f);
    out_indexed(r, 0x3d4, 8, 0x05);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 8), 0x05);
}
END_TEST

START_TEST(retrace_registers_read_only_with_light_pen_off)
{
    vga_rig_set_mode(r, MODE_3);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 0x10), 0x9c);
    out_indexed(r, 0x3d4, 0x11, 0x0e);
    out_indexed(r, 0x3d4, 3, 0x02);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 0x10), 0);
    out_indexed(r, 0x3d4, 3, 0x82);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 0x10), 0x9c);
}
END_TEST

START_TEST(attribute_port_flips_between_index_and_data)
{
    outb(r, 0x3c2, 0x01);
    inb(r, 0x3da);
    outb(r, 0x3c0, 0x05);
    outb(r, 0x3c0, 0x2a);
    outb(r, 0x3c0, 0x11);
    outb(r, 0x3c0, 0x7e);
    ck_assert_uint_eq(in_ac(r, 0x05), 0x2a);
    ck_assert_uint_eq(in_ac(r, 0x11), 0x7e);
    /* A status read makes the next write an index, even where data was due. */
    outb(r, 0x3c0, 0x05);
    inb(r, 0x3da);
    outb(r, 0x3c0, 0x06);
    outb(r, 0x3c0, 0x3f);
    ck_assert_uint_eq(in_ac(r, 0x05), 0x2a);
    ck_assert_uint_eq(in_ac(r, 0x06), 0x3f);
    ck_assert_uint_eq(inb(r, 0x3c0), 0x26);
}
END_TEST

START_TEST(crtc_24h_shows_the_flip_flop)
{
    outb(r, 0x3c2, 0x01);
    inb(r, 0x3da);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 0x24), 0);
    outb(r, 0x3c0, 0x05);
    ck_assert_uint_eq(in_indexed(r, 0x3d4, 0x24), 0x80);
}
END_TEST

START_TEST(dac_takes_a_colour_with_its_third_component)
{
    vga_rig_set_colour(r, 7, 1, 2, 3);
    outb(r, 0x3c8, 7);
    outb(r, 0x3c9, 10);
    outb(r, 0x3c9, 20);
    outb(r, 0x3c7, 7);
    ck_assert_uint_eq(inb(r, 0x3c9), 1);
    ck_assert_uint_eq(inb(r, 0x3c9), 2);
    ck_assert_uint_eq(inb(r, 0x3c9), 3);
    outb(r, 0x3c8, 7);
    outb(r, 0x3c9, 10);
    outb(r, 0x3c9, 20);
    outb(r, 0x3c9, 0xff);                               /* six bits are kept */
    outb(r, 0x3c9, 4);                                  /* and the index moves on */
    outb(r, 0x3c9, 5);
    outb(r, 0x3c9, 6);
    outb(r, 0x3c7, 7);
    static const uint8_t expected[6] = { 10, 20, 0x3f, 4, 5, 6 };
    for (unsigned i = 0; i < 6; i++) ck_assert_uint_eq(inb(r, 0x3c9), expected[i]);
}
END_TEST

START_TEST(dac_state_tells_reading_from_writing)
{
    outb(r, 0x3c7, 9);
    ck_assert_uint_eq(inb(r, 0x3c7), 3);
    ck_assert_uint_eq(inb(r, 0x3c8), 10);               /* the colour was fetched already */
    outb(r, 0x3c8, 9);
    ck_assert_uint_eq(inb(r, 0x3c7), 0);
    ck_assert_uint_eq(inb(r, 0x3c8), 9);
}
END_TEST

START_TEST(dac_index_wraps_after_255)
{
    outb(r, 0x3c8, 255);
    for (unsigned i = 0; i < 6; i++) outb(r, 0x3c9, (uint8_t)(30 + i));
    outb(r, 0x3c7, 255);
    for (unsigned i = 0; i < 6; i++) ck_assert_uint_eq(inb(r, 0x3c9), 30 + i);
    outb(r, 0x3c7, 0);
    ck_assert_uint_eq(inb(r, 0x3c9), 33);
}
END_TEST

START_TEST(feature_control_is_written_at_3da_and_read_at_3ca)
{
    outb(r, 0x3c2, 0x01);
    outb(r, 0x3da, 0x03);
    ck_assert_uint_eq(inb(r, 0x3ca), 0x03);
    outb(r, 0x3c2, 0x00);
    outb(r, 0x3ba, 0x01);
    ck_assert_uint_eq(inb(r, 0x3ca), 0x01);
}
END_TEST

START_TEST(subsystem_disable_hides_ports_and_memory)
{
    vga_rig_set_mode(r, MODE_3);
    poke8(r, 0xb8000, 0x41);
    outb(r, 0x3c3, 0);
    ck_assert_uint_eq(inb(r, 0x3cc), 0xff);
    ck_assert_uint_eq(peek8(r, 0xb8000), 0);            /* the bench's RAM */
    outb(r, 0x3c3, 1);
    ck_assert_uint_eq(inb(r, 0x3cc), 0x67);
    ck_assert_uint_eq(peek8(r, 0xb8000), 0x41);
}
END_TEST

/* Mode 3: 28.322 MHz, 9 dots, 100 characters a line, 449 lines: 70.08 Hz. */
START_TEST(status_follows_the_beam_of_mode_3)
{
    vga_rig_set_mode(r, MODE_3);
    struct clk chars = { 28322000, 9 };
    vtime start = r->rig.clock.now;
    uint64_t seed = 3;
    for (unsigned i = 0; i < 5000; i++) {
        vtime target = start + clk_time_of(chars, random64(&seed) % 44900 + 44900ull * (i / 50));
        if (target < r->rig.clock.now) continue;
        clock_skip_to(&r->rig.clock, target);
        uint64_t pos = clk_ticks_at(chars, target - start) % 44900;
        unsigned line = (unsigned)(pos / 100), column = (unsigned)(pos % 100);
        uint8_t status = inb(r, 0x3da);
        ck_assert_uint_eq(status & 1, line >= 400 || column >= 80);
        ck_assert_uint_eq(status >> 3 & 1, line == 412 || line == 413);     /* 19Ch until the low bits are Eh */
    }
}
END_TEST

START_TEST(frame_rates_are_those_of_the_crystals)
{
    static const struct { unsigned mode; unsigned millihertz; } rates[] = {
        { MODE_3, 70086 }, { MODE_13, 70086 }, { MODE_12, 59940 }, { MODE_10, 70086 }, { MODE_0, 70086 }, { MODE_X, 59713 },
    };
    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        vga_rig_set_mode(r, rates[i].mode);
        unsigned frames = 0;
        bool was = true;
        vtime first = 0, last = 0;
        for (unsigned step = 0; step < 20000; step++) {
            vga_rig_sleep(r, VTIME_US(20));
            bool now = inb(r, 0x3da) & 8;
            if (now && !was) {
                if (frames++ == 0) first = r->rig.clock.now;
                last = r->rig.clock.now;
            }
            was = now;
        }
        ck_assert_uint_gt(frames, 20);
        uint64_t period = vtime_ns(last - first) / (frames - 1);
        uint64_t expected = 1000000000000ull / rates[i].millihertz;
        ck_assert_msg(period > expected - 2000 && period < expected + 2000, "mode %s: %llu ns, not %llu",
                      vga_modes[rates[i].mode].name, (unsigned long long)period, (unsigned long long)expected);
    }
}
END_TEST

START_TEST(unchanged_timing_does_not_restart_the_frame)
{
    vga_rig_set_mode(r, MODE_3);
    vga_rig_sleep(r, VTIME_US(5000));
    out_indexed(r, 0x3d4, 0x11, 0x0e);
    out_indexed(r, 0x3d4, 0x00, 0x5f);
    outb(r, 0x3c2, 0x67);
    vga_rig_sleep(r, VTIME_US(8130));                       /* line 413 starts at 13.125 ms */
    ck_assert_uint_eq(inb(r, 0x3da) & 8, 8);
}
END_TEST

START_TEST(sequencer_reset_stops_the_beam)
{
    vga_rig_set_mode(r, MODE_3);
    out_indexed(r, 0x3c4, 0, 1);
    for (unsigned i = 0; i < 2000; i++) {
        vga_rig_sleep(r, VTIME_US(20));
        ck_assert_uint_eq(inb(r, 0x3da) & 9, 1);
    }
}
END_TEST

START_TEST(retrace_interrupt_waits_to_be_cleared)
{
    vga_rig_set_mode(r, MODE_3);
    vga_rig_sleep(r, VTIME_MS(30));
    ck_assert(!r->rig.probe[0].level);                                 /* the BIOS leaves bit 4 clear */
    out_indexed(r, 0x3d4, 0x11, 0x1e);
    ck_assert_uint_eq(inb(r, 0x3c2) & 0x80, 0);
    vga_rig_sleep(r, VTIME_MS(15));
    ck_assert(r->rig.probe[0].level);
    ck_assert_uint_eq(inb(r, 0x3c2) & 0x80, 0x80);
    out_indexed(r, 0x3d4, 0x11, 0x0e);
    ck_assert(!r->rig.probe[0].level);
    ck_assert_uint_eq(inb(r, 0x3c2) & 0x80, 0);
    out_indexed(r, 0x3d4, 0x11, 0x1e);
    vga_rig_sleep(r, VTIME_MS(15));
    ck_assert(r->rig.probe[0].level);
    out_indexed(r, 0x3d4, 0x11, 0x3e);                  /* disabled: pending, but not on the wire */
    ck_assert(!r->rig.probe[0].level);
    ck_assert_uint_eq(inb(r, 0x3c2) & 0x80, 0x80);
}
END_TEST

START_TEST(retrace_interrupt_comes_where_retrace_starts)
{
    vga_rig_set_mode(r, MODE_12);
    vtime start = r->rig.clock.now;
    out_indexed(r, 0x3d4, 0x11, 0x1c);
    struct clk chars = { 25175000, 8 };
    vtime due = start + clk_time_of(chars, 490 * 100);
    vga_rig_sleep(r, due - r->rig.clock.now - 1);
    ck_assert(!r->rig.probe[0].level);
    vga_rig_sleep(r, 1);
    ck_assert(r->rig.probe[0].level);
    ck_assert_uint_eq(inb(r, 0x3da) & 8, 8);
}
END_TEST

START_TEST(pci_header_is_that_of_the_bochs_adapter)
{
    ck_assert_uint_eq(pci_config_read(r->pci, VGA_RIG_DEVFN, PCI_VENDOR_ID, 4), 0x11111234);
    ck_assert_uint_eq(pci_config_read(r->pci, VGA_RIG_DEVFN, PCI_REVISION_ID, 4), 0x03000002);
    ck_assert_uint_eq(pci_config_read(r->pci, VGA_RIG_DEVFN, PCI_SUBSYS_VENDOR, 4), 0x11001af4);
    static const struct { unsigned bar; uint32_t answer; } sizes[] = {
        { PCI_BAR0, 0xff000008 }, { PCI_BAR0 + 4, 0 }, { PCI_BAR0 + 8, 0xfffff000 }, { PCI_ROM_BAR, 0xffff0000 },
    };
    for (unsigned i = 0; i < 4; i++) {
        pci_config_write(r->pci, VGA_RIG_DEVFN, sizes[i].bar, 0xfffffffe, 4);
        ck_assert_uint_eq(pci_config_read(r->pci, VGA_RIG_DEVFN, sizes[i].bar, 4), sizes[i].answer);
    }
}
END_TEST

START_TEST(rom_answers_behind_its_bar)
{
    r->rom->data[0] = 0x55;
    r->rom->data[1] = 0xaa;
    pci_config_write(r->pci, VGA_RIG_DEVFN, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    pci_config_write(r->pci, VGA_RIG_DEVFN, PCI_ROM_BAR, 0xfe000001, 4);
    ck_assert_uint_eq(phys_load(&r->rig.mem, 0xfe000000, 2, false), 0xaa55);
    phys_store(&r->rig.mem, 0xfe000000, 0, 2, false);
    ck_assert_uint_eq(phys_load(&r->rig.mem, 0xfe000000, 2, false), 0xaa55);
}
END_TEST

START_TEST(every_byte_of_the_state_is_named_and_saved)
{
    ck_assert_uint_eq(state_uncovered(r->vga->class->state, stderr), 0);
    vga_rig_set_mode(r, MODE_12);
    rig_check_device(r->vga);
}
END_TEST

static void disturb(uint64_t seed)
{
    vga_rig_set_mode(r, seed % MODES);
    for (unsigned i = 0; i < 200; i++) {
        outb(r, (uint16_t)(0x3c0 + random64(&seed) % 32), (uint8_t)random64(&seed));
        if (i % 50 == 0) vga_rig_sleep(r, VTIME_US(random64(&seed) % 20000));
    }
    peek8(r, 0xa0000 + random64(&seed) % 0x20000);
}

START_TEST(save_load_save_gives_the_same_bytes)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        disturb(seed);
        struct state_buf first = { 0 }, second = { 0 };
        state_write(r->vga->class->state, r->vga, &first);
        struct vga_rig *saved = r, *other = vga_rig_new();
        r = other;
        disturb(seed + 1000);
        clock_skip_to(&other->rig.clock, saved->rig.clock.now > other->rig.clock.now ? saved->rig.clock.now : other->rig.clock.now);
        state_poison(other->vga->class->state, other->vga, 0xa5);
        struct error e;
        size_t used;
        ck_assert_int_eq(state_read(other->vga->class->state, other->vga, first.data, first.len, &used, &e), HOST_OK);
        other->vga->class->loaded(other->vga);
        state_write(other->vga->class->state, other->vga, &second);
        ck_assert_uint_eq(first.len, second.len);
        ck_assert_mem_eq(first.data, second.data, first.len);
        memcpy(other->vram->data, saved->vram->data, VGA_VRAM_SIZE);
        /* And it is the same adapter: same answers, same picture. */
        for (uint32_t a = 0xa0000; a < 0xc0000; a += 0x371) ck_assert_uint_eq(peek8(saved, a), peek8(other, a));
        if (saved->rig.clock.now == other->rig.clock.now) {
            vga_rig_render(saved);
            ck_assert(vga_rig_render(other));
            ck_assert_uint_eq(saved->surface.width, other->surface.width);
            ck_assert_uint_eq(saved->surface.height, other->surface.height);
            ck_assert_mem_eq(saved->surface.pixels, other->surface.pixels,
                             4ul * saved->surface.width * saved->surface.height);
        }
        state_buf_fini(&first);
        state_buf_fini(&second);
        vga_rig_free(other);
        r = saved;
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("vga registers");
    TCase *t = tcase_create("registers");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, sequencer_graphics_and_crtc_registers_read_back_their_bits);
    tcase_add_test(t, crtc_answers_at_3d4_in_colour_and_at_3b4_in_mono);
    tcase_add_test(t, protect_bit_keeps_crtc_0_to_7_but_line_compare_bit_8);
    tcase_add_test(t, retrace_registers_read_only_with_light_pen_off);
    tcase_add_test(t, attribute_port_flips_between_index_and_data);
    tcase_add_test(t, crtc_24h_shows_the_flip_flop);
    tcase_add_test(t, dac_takes_a_colour_with_its_third_component);
    tcase_add_test(t, dac_state_tells_reading_from_writing);
    tcase_add_test(t, dac_index_wraps_after_255);
    tcase_add_test(t, feature_control_is_written_at_3da_and_read_at_3ca);
    tcase_add_test(t, subsystem_disable_hides_ports_and_memory);
    tcase_add_test(t, status_follows_the_beam_of_mode_3);
    tcase_add_test(t, frame_rates_are_those_of_the_crystals);
    tcase_add_test(t, unchanged_timing_does_not_restart_the_frame);
    tcase_add_test(t, sequencer_reset_stops_the_beam);
    tcase_add_test(t, retrace_interrupt_waits_to_be_cleared);
    tcase_add_test(t, retrace_interrupt_comes_where_retrace_starts);
    tcase_add_test(t, pci_header_is_that_of_the_bochs_adapter);
    tcase_add_test(t, rom_answers_behind_its_bar);
    tcase_add_test(t, every_byte_of_the_state_is_named_and_saved);
    tcase_add_test(t, save_load_save_gives_the_same_bytes);
    suite_add_tcase(s, t);
    return suite_main(s);
}
