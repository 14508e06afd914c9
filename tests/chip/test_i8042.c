/* The keyboard controller with a keyboard and a mouse behind it, as the guest sees them: ports 60h and 64h, two
 * interrupts. */
#include <check.h>
#include <string.h>

#include "devices/i8042.h"
#include "devices/ps2_kbd.h"
#include "devices/ps2_mouse.h"
#include "tests/chip/rig.h"

enum { IRQ1, IRQ12, A20, INIT };

static struct rig r;
static struct device *kbc, *kbd, *mouse;

static struct device *make(struct rig *on)
{
    struct device *c = i8042_create(&on->board, "kbc", &(struct i8042_pins){
        .data = 0x60, .command = 0x64, .irq_kbd = rig_probe(on, IRQ1), .irq_aux = rig_probe(on, IRQ12),
        .a20 = rig_probe(on, A20), .init = rig_probe(on, INIT) });
    ps2_kbd_create(&on->board, "kbd", &(struct ps2_kbd_pins){ .port = i8042_port(c, 0) });
    ps2_mouse_create(&on->board, "mouse", &(struct ps2_mouse_pins){ .port = i8042_port(c, 1) });
    return c;
}

/* Writes, and waits until the controller has taken the byte out of its input buffer. */
static void write_and_wait(uint16_t port, uint8_t v)
{
    rig_out8(&r, port, v);
    ck_assert_uint_eq(rig_in8(&r, 0x64) & 2, 2);
    rig_step_ns(&r, 10000);
}

static void command(uint8_t c) { write_and_wait(0x64, c); }
static void data(uint8_t v) { write_and_wait(0x60, v); }
static uint8_t status(void) { return rig_in8(&r, 0x64); }

/* The next byte, waiting up to 20 ms; -1: none came. Mouse bytes have bit 8 set. */
static int next(void)
{
    for (unsigned i = 0; i < 200 && !(status() & 1); i++) rig_step_ns(&r, 100000);
    if (!(status() & 1)) return -1;
    int aux = status() & 0x20 ? 0x100 : 0;
    return aux | rig_in8(&r, 0x60);
}

/* Everything that comes, as hex text: "e0 48", mouse bytes as "m08". */
static const char *all(void)
{
    static char text[512];
    size_t len = 0;
    text[0] = 0;
    for (int v; (v = next()) >= 0 && len < sizeof text - 8;)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s%02x", len ? " " : "", v & 0x100 ? "m" : "",
                                v & 0xff);
    return text;
}

static const char *to_kbd(uint8_t v)
{
    data(v);
    return all();
}

static const char *to_mouse(uint8_t v)
{
    command(0xd4);
    data(v);
    return all();
}

static void press(enum key k) { ps2_kbd_key(kbd, k, true); }
static void let_go(enum key k) { ps2_kbd_key(kbd, k, false); }

static const char *tap(enum key k)
{
    press(k);
    let_go(k);
    return all();
}

/* As a PC's BIOS leaves it: both ports on, interrupts on, translation on. */
static void setup(void)
{
    rig_init(&r);
    kbc = make(&r);
    kbd = board_find(&r.board, "kbd");
    mouse = board_find(&r.board, "mouse");
    command(0x60);
    data(0x47);
    all();
}

static void raw_set_2(void)
{
    command(0x60);
    data(0x07);
}

static void teardown(void) { rig_fini(&r); }

/* ---- controller ---- */

START_TEST(self_test_answers_55_and_sets_the_system_flag)
{
    board_reset(&r.board, RESET_HARD);
    ck_assert_uint_eq(status() & 0x04, 0);
    command(0xaa);
    ck_assert_int_eq(next(), 0x55);
    ck_assert_uint_eq(status() & 0x04, 0x04);
}
END_TEST

START_TEST(interface_tests_answer_0)
{
    command(0xab);
    ck_assert_int_eq(next(), 0x00);
    command(0xa9);
    ck_assert_int_eq(next(), 0x00);
    command(0xa4);
    ck_assert_int_eq(next(), 0xf1);
}
END_TEST

START_TEST(command_byte_reads_as_written)
{
    command(0x20);
    ck_assert_int_eq(next(), 0x47);
    command(0x6a);
    data(0x99);
    command(0x2a);
    ck_assert_int_eq(next(), 0x99);
}
END_TEST

START_TEST(disable_and_enable_commands_show_in_the_command_byte)
{
    command(0xad);
    command(0xa7);
    command(0x20);
    ck_assert_int_eq(next(), 0x77);
    command(0xae);
    command(0xa8);
    command(0x20);
    ck_assert_int_eq(next(), 0x47);
}
END_TEST

START_TEST(status_tells_command_from_data)
{
    command(0xae);
    ck_assert_uint_eq(status() & 0x08, 0x08);
    data(0xf4);
    ck_assert_uint_eq(status() & 0x08, 0);
    ck_assert_uint_eq(status() & 0x10, 0x10);
}
END_TEST

START_TEST(input_buffer_is_full_until_the_program_has_read_it)
{
    rig_out8(&r, 0x64, 0xdd);
    ck_assert_uint_eq(status() & 0x0a, 0x0a);
    ck_assert(r.probe[A20].level);
    rig_step_ns(&r, 10000);
    ck_assert_uint_eq(status() & 0x02, 0);
    ck_assert(!r.probe[A20].level);
    rig_out8(&r, 0x64, 0xdf);                         /* who does not wait loses nothing, */
    rig_out8(&r, 0x64, 0x60);
    ck_assert(r.probe[A20].level);
    rig_out8(&r, 0x60, 0x74);
    rig_out8(&r, 0x64, 0x20);
    ck_assert_uint_eq(status() & 0x02, 0x02);         /* but the last byte takes its time */
    ck_assert_int_eq(next(), 0x74);
}
END_TEST

START_TEST(input_port_is_polled_until_the_next_command)
{
    command(0xc0);
    ck_assert_int_eq(next(), 0xb3);
    command(0xc1);
    ck_assert_uint_eq(status() & 0xf0, 0x30);
    command(0xc2);
    ck_assert_uint_eq(status() & 0xf0, 0xb0);
    command(0xae);
    ck_assert_uint_eq(status() & 0xf0, 0x10);
}
END_TEST

static void load_password(const char *codes)
{
    command(0xa5);
    while (*codes) data((uint8_t)*codes++);
    data(0);
}

START_TEST(password_locks_the_keyboard_until_it_is_typed)
{
    command(0xa6);                                    /* none is set: no lock */
    ck_assert_str_eq(tap(KEY_A), "1e 9e");
    load_password("\x1e\x30");                        /* A, B */
    command(0xa4);
    ck_assert_int_eq(next(), 0xfa);
    ck_assert_str_eq(tap(KEY_C), "2e ae");            /* loaded, not enabled yet */
    command(0x73);                                    /* RAM 13h: what tells that the lock is on */
    data(0x11);
    command(0x74);                                    /* and off */
    data(0x22);
    command(0x76);                                    /* the left shift key does not count */
    data(0x2a);
    command(0xa6);
    ck_assert_str_eq(all(), "11");
    ck_assert_str_eq(tap(KEY_A), "");
    ck_assert_str_eq(tap(KEY_C), "");                 /* wrong: anew */
    ck_assert_str_eq(tap(KEY_B), "");
    ck_assert_str_eq(tap(KEY_A), "");
    ck_assert_str_eq(tap(KEY_SHIFT), "");
    ck_assert_str_eq(tap(KEY_B), "22 b0");            /* what was typed is swallowed up to the match */
    ck_assert_str_eq(tap(KEY_C), "2e ae");
}
END_TEST

START_TEST(password_that_is_too_long_is_cut_off)
{
    load_password("\x1e\x1e\x1e\x1e\x1e\x1e\x1e\x30\x30\x30");
    command(0x20);
    ck_assert_int_eq(next(), 0x47);
    command(0xa6);
    for (unsigned i = 0; i < 6; i++) ck_assert_str_eq(tap(KEY_A), "");
    ck_assert_str_eq(tap(KEY_A), "9e");
    ck_assert_str_eq(tap(KEY_B), "30 b0");
}
END_TEST

START_TEST(a20_hangs_on_output_port_bit_1)
{
    ck_assert(r.probe[A20].level);
    command(0xd1);
    data(0xdd);
    ck_assert(!r.probe[A20].level);
    command(0xd0);
    ck_assert_int_eq(next() & 0x03, 0x01);
    command(0xd1);
    data(0xdf);
    ck_assert(r.probe[A20].level);
    command(0xdd);
    ck_assert(!r.probe[A20].level);
    command(0xdf);
    ck_assert(r.probe[A20].level);
}
END_TEST

START_TEST(output_port_shows_the_interrupt_lines)
{
    command(0xd2);
    data(0x55);
    command(0xd0);                                    /* the answer waits behind the unread byte, */
    ck_assert_int_eq(next(), 0x55);
    ck_assert_int_eq(next() & 0x30, 0x10);            /* but was taken while it stood there */
}
END_TEST

START_TEST(command_fe_pulses_the_reset_line)
{
    command(0xfe);
    ck_assert_uint_eq(r.probe[INIT].rises, 1);
    ck_assert(!r.probe[INIT].level);
    command(0xff);
    ck_assert_uint_eq(r.probe[INIT].rises, 1);
    command(0xd1);
    data(0xde);
    ck_assert_uint_eq(r.probe[INIT].rises, 2);
}
END_TEST

START_TEST(d2_and_d3_write_the_output_buffers)
{
    command(0xd2);
    data(0x1c);
    ck_assert(r.probe[IRQ1].level);
    ck_assert_int_eq(next(), 0x1c);
    ck_assert(!r.probe[IRQ1].level);
    command(0xd3);
    data(0xa5);
    ck_assert(r.probe[IRQ12].level);
    ck_assert_int_eq(next(), 0x1a5);
    ck_assert(!r.probe[IRQ12].level);
}
END_TEST

START_TEST(interrupts_need_their_enable_bits)
{
    command(0x60);
    data(0x44);
    press(KEY_A);
    rig_step_ns(&r, 5000000);
    ck_assert_uint_eq(status() & 1, 1);
    ck_assert(!r.probe[IRQ1].level);
    command(0x60);
    data(0x45);
    ck_assert(r.probe[IRQ1].level);
}
END_TEST

START_TEST(each_byte_has_an_edge_of_its_own)
{
    unsigned before = r.probe[IRQ1].rises;
    press(KEY_UP);
    ck_assert_str_eq(all(), "e0 48");
    ck_assert_uint_eq(r.probe[IRQ1].rises - before, 2);
}
END_TEST

START_TEST(a_byte_takes_time_to_arrive)
{
    press(KEY_A);
    ck_assert_uint_eq(status() & 1, 0);
    rig_step_ns(&r, 600000);
    ck_assert_uint_eq(status() & 1, 0);
    rig_step_ns(&r, 200000);
    ck_assert_uint_eq(status() & 1, 1);
}
END_TEST

START_TEST(disabled_keyboard_keeps_its_bytes)
{
    command(0xad);
    press(KEY_A);
    ck_assert_int_eq(next(), -1);
    command(0xae);
    ck_assert_int_eq(next(), 0x1e);
}
END_TEST

START_TEST(writing_to_the_keyboard_enables_it)
{
    command(0xad);
    ck_assert_str_eq(to_kbd(0xee), "ee");
    command(0x20);
    ck_assert_int_eq(next(), 0x47);
}
END_TEST

START_TEST(nobody_on_the_port_is_a_timeout)
{
    struct rig bare;
    rig_init(&bare);
    i8042_create(&bare.board, "kbc", &(struct i8042_pins){ .data = 0x60, .command = 0x64 });
    rig_out8(&bare, 0x60, 0xff);
    rig_step_ns(&bare, 10000);
    ck_assert_uint_eq(rig_in8(&bare, 0x64) & 0x41, 0x41);
    ck_assert_uint_eq(rig_in8(&bare, 0x60), 0xfe);
    rig_fini(&bare);
}
END_TEST

/* ---- keyboard ---- */

#define KEY(name, qcode, set1, set2, set3, kind) { KEY_##name, set1, set2 },
static const struct { enum key key; uint16_t set1, set2; } keys[] = {
#include "base/key.def"
};
#undef KEY

START_TEST(every_key_comes_through_translation_as_its_set_1_code)
{
    for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char expected[32];
        uint8_t code = (uint8_t)keys[i].set1;
        if (keys[i].key == KEY_PRINT || keys[i].key == KEY_PAUSE) continue;
        if (keys[i].set1 >> 8) snprintf(expected, sizeof expected, "e0 %02x e0 %02x", code, code | 0x80);
        else snprintf(expected, sizeof expected, "%02x %02x", code, code | 0x80);
        const char *got = tap(keys[i].key);
        ck_assert_msg(strcmp(got, expected) == 0, "%s: %s, not %s", key_name(keys[i].key), got, expected);
    }
}
END_TEST

START_TEST(every_key_has_a_code_of_its_own_and_a_name_that_finds_it)
{
    for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        ck_assert_int_eq(key_from_name(key_name(keys[i].key)), keys[i].key);
        for (unsigned j = 0; j < i; j++) {
            ck_assert_uint_ne(keys[i].set1, keys[j].set1);
            ck_assert_uint_ne(keys[i].set2, keys[j].set2);
        }
    }
    ck_assert_int_eq(key_from_name("asterisk"), KEY_KP_MULTIPLY);
    ck_assert_int_eq(key_from_name("nonsense"), KEY_NONE);
    ck_assert_str_eq(key_name(KEY_NONE), "unmapped");
    ck_assert_str_eq(key_name((enum key)100000), "unmapped");
}
END_TEST

START_TEST(set_2_has_f0_before_a_release)
{
    raw_set_2();
    ck_assert_str_eq(tap(KEY_A), "1c f0 1c");
    ck_assert_str_eq(tap(KEY_CTRL_R), "e0 14 e0 f0 14");
    ck_assert_str_eq(tap(KEY_F7), "83 f0 83");
}
END_TEST

START_TEST(set_1_without_translation_sets_bit_7)
{
    raw_set_2();
    ck_assert_str_eq(to_kbd(0xf0), "fa");
    ck_assert_str_eq(to_kbd(0x01), "fa");
    ck_assert_str_eq(tap(KEY_A), "1e 9e");
    ck_assert_str_eq(tap(KEY_UP), "e0 48 e0 c8");
}
END_TEST

START_TEST(set_3_has_one_byte_a_key_and_breaks_for_some)
{
    raw_set_2();
    to_kbd(0xf0);
    to_kbd(0x03);
    ck_assert_str_eq(tap(KEY_A), "1c");
    ck_assert_str_eq(tap(KEY_SHIFT), "12 f0 12");
    ck_assert_str_eq(tap(KEY_UP), "63");
    ck_assert_str_eq(tap(KEY_PAUSE), "62");
    ck_assert_str_eq(to_kbd(0xfa), "fa");             /* all keys typematic, make and break */
    ck_assert_str_eq(tap(KEY_A), "1c f0 1c");
    ck_assert_str_eq(to_kbd(0xfd), "fa");             /* these make only: */
    ck_assert_str_eq(to_kbd(0x1c), "fa");
    ck_assert_str_eq(to_kbd(0xf4), "fa");
    ck_assert_str_eq(tap(KEY_A), "1c");
    ck_assert_str_eq(tap(KEY_S), "1b f0 1b");
    to_kbd(0xf0);
    ck_assert_str_eq(to_kbd(0x00), "fa 03");
}
END_TEST

START_TEST(pause_is_make_and_break_at_once)
{
    raw_set_2();
    press(KEY_PAUSE);
    ck_assert_str_eq(all(), "e1 14 77 e1 f0 14 f0 77");
    let_go(KEY_PAUSE);
    ck_assert_str_eq(all(), "");
    press(KEY_CTRL);
    all();
    ck_assert_str_eq(tap(KEY_PAUSE), "e0 7e e0 f0 7e");
    let_go(KEY_CTRL);
    all();
    command(0x60);
    data(0x47);
    ck_assert_str_eq(tap(KEY_PAUSE), "e1 1d 45 e1 9d c5");
}
END_TEST

START_TEST(print_screen_depends_on_the_modifiers)
{
    raw_set_2();
    ck_assert_str_eq(tap(KEY_PRINT), "e0 12 e0 7c e0 f0 7c e0 f0 12");
    press(KEY_CTRL);
    all();
    ck_assert_str_eq(tap(KEY_PRINT), "e0 7c e0 f0 7c");
    let_go(KEY_CTRL);
    press(KEY_ALT);
    all();
    ck_assert_str_eq(tap(KEY_PRINT), "84 f0 84");
}
END_TEST

START_TEST(grey_keys_hide_shift)
{
    raw_set_2();
    press(KEY_SHIFT);
    all();
    ck_assert_str_eq(tap(KEY_HOME), "e0 f0 12 e0 6c e0 f0 6c e0 12");
    press(KEY_SHIFT_R);
    all();
    press(KEY_LEFT);
    ck_assert_str_eq(all(), "e0 f0 12 e0 f0 59 e0 6b");
    let_go(KEY_LEFT);
    ck_assert_str_eq(all(), "e0 f0 6b e0 12 e0 59");
}
END_TEST

START_TEST(grey_keys_pretend_shift_under_num_lock)
{
    raw_set_2();
    to_kbd(0xed);
    ck_assert_str_eq(to_kbd(0x02), "fa");
    ck_assert_uint_eq(ps2_kbd_leds(kbd), 2);
    ck_assert_str_eq(tap(KEY_HOME), "e0 12 e0 6c e0 f0 6c e0 f0 12");
    press(KEY_SHIFT);
    all();
    ck_assert_str_eq(tap(KEY_HOME), "e0 6c e0 f0 6c");
    ck_assert_str_eq(tap(KEY_KP_ENTER), "e0 5a e0 f0 5a");
    ck_assert_str_eq(tap(KEY_KP_DIVIDE), "e0 f0 12 e0 4a e0 f0 4a e0 12");
}
END_TEST

START_TEST(typematic_starts_after_500_ms_and_repeats_10_9_times_a_second)
{
    press(KEY_A);
    ck_assert_int_eq(next(), 0x1e);
    unsigned before = r.probe[IRQ1].rises;
    rig_step_ns(&r, 490000000);
    ck_assert_uint_eq(r.probe[IRQ1].rises, before);
    unsigned codes = 0;
    vtime end = r.clock.now + VTIME_SEC(2);
    while (r.clock.now < end) {
        rig_step_ns(&r, 1000000);
        if (status() & 1) {
            ck_assert_uint_eq(rig_in8(&r, 0x60), 0x1e);
            codes++;
        }
    }
    ck_assert_uint_ge(codes, 21);
    ck_assert_uint_le(codes, 23);
    let_go(KEY_A);
    ck_assert_str_eq(all(), "9e");
    rig_step_ns(&r, 1000000000);
    ck_assert_int_eq(next(), -1);
}
END_TEST

START_TEST(typematic_follows_the_last_key_pressed)
{
    to_kbd(0xf3);
    ck_assert_str_eq(to_kbd(0x00), "fa");             /* 250 ms, 30 a second */
    press(KEY_A);
    press(KEY_B);
    all();
    rig_step_ns(&r, 300000000);
    ck_assert_int_eq(next(), 0x30);
    let_go(KEY_B);                                    /* A does not take over */
    while (next() >= 0) { }
    rig_step_ns(&r, 500000000);
    ck_assert_int_eq(next(), -1);
}
END_TEST

START_TEST(buffer_overrun_ends_with_00)
{
    raw_set_2();
    command(0xad);
    for (unsigned i = 0; i < 20; i++) {
        press(KEY_A);
        let_go(KEY_A);
    }
    command(0xae);
    /* Five taps make fifteen bytes, one more make fits, its release does not. */
    ck_assert_str_eq(all(), "1c f0 1c 1c f0 1c 1c f0 1c 1c f0 1c 1c f0 1c 1c 00");
    ck_assert_str_eq(tap(KEY_S), "1b f0 1b");
}
END_TEST

START_TEST(keyboard_identifies_itself)
{
    ck_assert_str_eq(to_kbd(0xf2), "fa ab 41");       /* 83 through translation */
    raw_set_2();
    ck_assert_str_eq(to_kbd(0xf2), "fa ab 83");
}
END_TEST

START_TEST(keyboard_reset_reports_its_self_test)
{
    ck_assert_str_eq(to_kbd(0xff), "fa aa");
    ck_assert_str_eq(tap(KEY_A), "1e 9e");
}
END_TEST

START_TEST(power_on_sends_the_self_test_result)
{
    board_reset(&r.board, RESET_POWER_ON);
    rig_step_ns(&r, 20000000);
    command(0xae);
    ck_assert_str_eq(all(), "aa");
}
END_TEST

START_TEST(disabled_scanning_loses_keys)
{
    ck_assert_str_eq(to_kbd(0xf5), "fa");
    ck_assert_str_eq(tap(KEY_A), "");
    ck_assert_str_eq(to_kbd(0xf4), "fa");
    ck_assert_str_eq(tap(KEY_A), "1e 9e");
}
END_TEST

START_TEST(unknown_command_asks_for_resend_and_resend_repeats)
{
    ck_assert_str_eq(to_kbd(0xef), "fe");
    ck_assert_str_eq(to_kbd(0xee), "ee");
    ck_assert_str_eq(to_kbd(0xfe), "ee");
    to_kbd(0xf0);
    ck_assert_str_eq(to_kbd(0x07), "fe");
}
END_TEST

START_TEST(command_in_place_of_an_argument_is_taken_as_one)
{
    ck_assert_str_eq(to_kbd(0xed), "fa");
    ck_assert_str_eq(to_kbd(0xf2), "fa ab 41");
    ck_assert_uint_eq(ps2_kbd_leds(kbd), 0);
}
END_TEST

/* ---- mouse ---- */

START_TEST(mouse_reset_answers_aa_and_identity_0)
{
    unsigned before = r.probe[IRQ12].rises;
    ck_assert_str_eq(to_mouse(0xff), "mfa maa m00");
    ck_assert_uint_eq(r.probe[IRQ12].rises - before, 3);
}
END_TEST

START_TEST(mouse_reports_movement_once_enabled)
{
    ck_assert(!ps2_mouse_reporting(mouse));
    ps2_mouse_move(mouse, 5, 5, 0, 0);
    ck_assert_str_eq(all(), "");
    ck_assert_str_eq(to_mouse(0xf4), "mfa");
    ck_assert(ps2_mouse_reporting(mouse));
    ps2_mouse_move(mouse, 5, 3, 0, 0);
    ck_assert_str_eq(all(), "m28 m05 mfd");           /* down the screen is negative */
    ps2_mouse_move(mouse, -1, -2, 0, 5);
    ck_assert_str_eq(all(), "m1d mff m02");           /* left and middle */
    ps2_mouse_move(mouse, 0, 0, 0, 0);
    ck_assert_str_eq(all(), "m08 m00 m00");
    ps2_mouse_move(mouse, 0, 0, 0, 0);
    ck_assert_str_eq(all(), "");
}
END_TEST

START_TEST(fast_movement_is_summed_and_spread_over_packets)
{
    to_mouse(0xf4);
    ps2_mouse_move(mouse, 1, 0, 0, 0);
    for (unsigned i = 0; i < 6; i++) ps2_mouse_move(mouse, 100, 0, 0, 0);
    ck_assert_str_eq(all(), "m08 m01 m00 m08 mff m00 m08 mff m00 m08 m5a m00");
}
END_TEST

START_TEST(packets_keep_to_the_sample_rate)
{
    to_mouse(0xf3);
    ck_assert_str_eq(to_mouse(20), "mfa");
    to_mouse(0xf4);
    unsigned bytes = 0;
    vtime end = r.clock.now + VTIME_SEC(1);
    while (r.clock.now < end) {
        ps2_mouse_move(mouse, 1, 0, 0, 0);
        rig_step_ns(&r, 500000);
        while (status() & 1) {
            rig_in8(&r, 0x60);
            bytes++;
        }
    }
    ck_assert_uint_ge(bytes / 3, 19);
    ck_assert_uint_le(bytes / 3, 21);
}
END_TEST

static void knock(uint8_t a, uint8_t b, uint8_t c)
{
    uint8_t rates[3] = { a, b, c };
    for (unsigned i = 0; i < 3; i++) {
        to_mouse(0xf3);
        ck_assert_str_eq(to_mouse(rates[i]), "mfa");
    }
}

START_TEST(wheel_comes_after_rates_200_100_80)
{
    ck_assert_str_eq(to_mouse(0xf2), "mfa m00");
    knock(200, 100, 80);
    ck_assert_str_eq(to_mouse(0xf2), "mfa m03");
    to_mouse(0xf4);
    ps2_mouse_move(mouse, 0, 0, 1, 0);
    ck_assert_str_eq(all(), "m08 m00 m00 m01");
    ps2_mouse_move(mouse, 0, 0, -2, 0);
    ck_assert_str_eq(all(), "m08 m00 m00 mfe");
}
END_TEST

START_TEST(five_buttons_come_after_rates_200_200_80)
{
    knock(200, 200, 80);
    ck_assert_str_eq(to_mouse(0xf2), "mfa m00");      /* only a wheel mouse has them */
    knock(200, 100, 80);
    knock(200, 200, 80);
    ck_assert_str_eq(to_mouse(0xf2), "mfa m04");
    to_mouse(0xf4);
    ps2_mouse_move(mouse, 0, 0, -1, 0x18);
    ck_assert_str_eq(all(), "m08 m00 m00 m3f");
}
END_TEST

START_TEST(plain_mouse_ignores_wheel_and_side_buttons)
{
    to_mouse(0xf4);
    ps2_mouse_move(mouse, 0, 0, 1, 0x18);
    ck_assert_str_eq(all(), "");
}
END_TEST

START_TEST(remote_mode_reports_when_asked)
{
    ck_assert_str_eq(to_mouse(0xf0), "mfa");
    ps2_mouse_move(mouse, 7, -1, 0, 1);
    ck_assert_str_eq(all(), "");
    ck_assert_str_eq(to_mouse(0xeb), "mfa m09 m07 m01");
    ck_assert_str_eq(to_mouse(0xeb), "mfa m09 m00 m00");
    to_mouse(0xea);
    to_mouse(0xf4);
    ps2_mouse_move(mouse, 1, 0, 0, 1);
    ck_assert_str_eq(all(), "m09 m01 m00");
}
END_TEST

START_TEST(wrap_mode_echoes)
{
    to_mouse(0xee);
    ck_assert_str_eq(to_mouse(0xf4), "mf4");
    ck_assert_str_eq(to_mouse(0x12), "m12");
    ck_assert_str_eq(to_mouse(0xec), "mfa");
    ck_assert_str_eq(to_mouse(0xf2), "mfa m00");
}
END_TEST

START_TEST(status_request_tells_settings)
{
    ck_assert_str_eq(to_mouse(0xe9), "mfa m00 m02 m64");
    to_mouse(0xe8);
    ck_assert_str_eq(to_mouse(3), "mfa");
    to_mouse(0xe7);
    to_mouse(0xf4);
    ps2_mouse_move(mouse, 0, 0, 0, 7);
    all();
    ck_assert_str_eq(to_mouse(0xe9), "mfa m37 m03 m64");
    to_mouse(0xf6);
    ck_assert_str_eq(to_mouse(0xe9), "mfa m07 m02 m64");
}
END_TEST

START_TEST(scaling_2_1_accelerates)
{
    to_mouse(0xe7);
    to_mouse(0xf4);
    ps2_mouse_move(mouse, 2, 4, 0, 0);
    ck_assert_str_eq(all(), "m28 m01 mfa");
    ps2_mouse_move(mouse, 10, 0, 0, 0);
    ck_assert_str_eq(all(), "m08 m14 m00");
}
END_TEST

START_TEST(resolution_scales_what_is_counted)
{
    static const struct { uint8_t code; const char *packet; } rows[] = {
        { 0, "m08 m05 m00" }, { 1, "m08 m0a m00" }, { 2, "m08 m14 m00" }, { 3, "m08 m28 m00" },
    };
    to_mouse(0xf4);
    for (unsigned i = 0; i < 4; i++) {
        to_mouse(0xe8);
        ck_assert_str_eq(to_mouse(rows[i].code), "mfa");
        ps2_mouse_move(mouse, 20, 0, 0, 0);
        ck_assert_str_eq(all(), rows[i].packet);
    }
    to_mouse(0xe8);
    to_mouse(0);
    for (unsigned i = 0; i < 3; i++) {                /* less than a millimetre is kept until it is one */
        ps2_mouse_move(mouse, 0, -1, 0, 0);
        ck_assert_str_eq(all(), "");
    }
    ps2_mouse_move(mouse, 0, -1, 0, 0);
    ck_assert_str_eq(all(), "m08 m00 m01");
}
END_TEST

START_TEST(wrong_argument_is_refused_once_then_an_error)
{
    to_mouse(0xf3);
    ck_assert_str_eq(to_mouse(99), "mfe");
    ck_assert_str_eq(to_mouse(99), "mfc");
    ck_assert_str_eq(to_mouse(0xe1), "mfe");
    to_mouse(0xf3);
    ck_assert_str_eq(to_mouse(99), "mfe");
    ck_assert_str_eq(to_mouse(0xe9), "mfa m00 m02 m64");      /* a new command instead of the argument */
    ck_assert_str_eq(to_mouse(0xfe), "mfa m00 m02 m64");
}
END_TEST

START_TEST(mouse_and_keyboard_share_the_buffer_without_loss)
{
    to_mouse(0xf4);
    ps2_mouse_move(mouse, 1, 0, 0, 0);
    press(KEY_A);
    const char *got = all();
    ck_assert_msg(strstr(got, "1e") && strstr(got, "m08") && strstr(got, "m01 "), "%s", got);
}
END_TEST

START_TEST(state_is_complete)
{
    press(KEY_UP);
    ps2_mouse_move(mouse, 1, 2, 3, 4);
    rig_step_ns(&r, 1000000);
    rig_check_device(kbc);
    rig_check_device(kbd);
    rig_check_device(mouse);
}
END_TEST

static void fiddle(struct rig *on, struct device *d, uint64_t random)
{
    (void)d;
    ps2_kbd_key(board_find(&on->board, "kbd"), (enum key)(random & 255), random >> 8 & 1);
    ps2_mouse_move(board_find(&on->board, "mouse"), (int)(random >> 9), (int)(random >> 20), (int)(random >> 31),
                   (unsigned)(random >> 40));
}

START_TEST(random_accesses_do_no_harm)
{
    static const struct rig_window w[] = { { .base = 0x60, .count = 1 }, { .base = 0x64, .count = 1 } };
    rig_fuzz_seeds(make, w, 2, fiddle);
}
END_TEST

int main(void)
{
    return rig_run("i8042", setup, teardown, RIG_TESTS(
        &self_test_answers_55_and_sets_the_system_flag,
        &interface_tests_answer_0,
        &command_byte_reads_as_written,
        &disable_and_enable_commands_show_in_the_command_byte,
        &status_tells_command_from_data,
        &input_buffer_is_full_until_the_program_has_read_it,
        &input_port_is_polled_until_the_next_command,
        &password_locks_the_keyboard_until_it_is_typed,
        &password_that_is_too_long_is_cut_off,
        &a20_hangs_on_output_port_bit_1,
        &output_port_shows_the_interrupt_lines,
        &command_fe_pulses_the_reset_line,
        &d2_and_d3_write_the_output_buffers,
        &interrupts_need_their_enable_bits,
        &each_byte_has_an_edge_of_its_own,
        &a_byte_takes_time_to_arrive,
        &disabled_keyboard_keeps_its_bytes,
        &writing_to_the_keyboard_enables_it,
        &nobody_on_the_port_is_a_timeout,
        &every_key_comes_through_translation_as_its_set_1_code,
        &every_key_has_a_code_of_its_own_and_a_name_that_finds_it,
        &set_2_has_f0_before_a_release,
        &set_1_without_translation_sets_bit_7,
        &set_3_has_one_byte_a_key_and_breaks_for_some,
        &pause_is_make_and_break_at_once,
        &print_screen_depends_on_the_modifiers,
        &grey_keys_hide_shift,
        &grey_keys_pretend_shift_under_num_lock,
        &typematic_starts_after_500_ms_and_repeats_10_9_times_a_second,
        &typematic_follows_the_last_key_pressed,
        &buffer_overrun_ends_with_00,
        &keyboard_identifies_itself,
        &keyboard_reset_reports_its_self_test,
        &power_on_sends_the_self_test_result,
        &disabled_scanning_loses_keys,
        &unknown_command_asks_for_resend_and_resend_repeats,
        &command_in_place_of_an_argument_is_taken_as_one,
        &mouse_reset_answers_aa_and_identity_0,
        &mouse_reports_movement_once_enabled,
        &fast_movement_is_summed_and_spread_over_packets,
        &packets_keep_to_the_sample_rate,
        &wheel_comes_after_rates_200_100_80,
        &five_buttons_come_after_rates_200_200_80,
        &plain_mouse_ignores_wheel_and_side_buttons,
        &remote_mode_reports_when_asked,
        &wrap_mode_echoes,
        &status_request_tells_settings,
        &scaling_2_1_accelerates,
        &resolution_scales_what_is_counted,
        &wrong_argument_is_refused_once_then_an_error,
        &mouse_and_keyboard_share_the_buffer_without_loss,
        &state_is_complete,
        &random_accesses_do_no_harm));
}
