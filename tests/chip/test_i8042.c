/* The keyboard controller with a keyboard and a mouse behind it, as the guest sees them: ports 60h and 64h, two
 * interrupts. */
#include <check.h>
#include <string.h>

#include "tests/chip/kbc_rig.h"

static struct rig r;
static struct device *kbc, *kbd, *mouse;

static void command(uint8_t c) { kbc_write(&r, 0x64, c); }
static void data(uint8_t v) { kbc_write(&r, 0x60, v); }
static uint8_t status(void) { return rig_in8(&r, 0x64); }
static int next(void) { return kbc_next(&r); }
static const char *all(void) { return kbc_all(&r); }

static const char *to_kbd(uint8_t v)
{
    data(v);
    return all();
}

static const char *to_mouse(uint8_t v) { return kbc_to_mouse(&r, v); }

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
    kbc = kbc_setup(&r);
    kbd = board_find(&r.board, "kbd");
    mouse = board_find(&r.board, "mouse");
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

START_TEST(self_test_takes_10_ms)
{
    data(0xff);
    ck_assert_int_eq(next(), 0xfa);
    rig_step_ns(&r, 8000000);
    ck_assert_uint_eq(status() & 1, 0);
    rig_step_ns(&r, 3500000);
    ck_assert_int_eq(rig_in8(&r, 0x60), 0xaa);
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
    rig_fuzz_seeds(kbc_make, w, 2, fiddle);
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
        &self_test_takes_10_ms,
        &disabled_scanning_loses_keys,
        &unknown_command_asks_for_resend_and_resend_repeats,
        &command_in_place_of_an_argument_is_taken_as_one,
        &mouse_and_keyboard_share_the_buffer_without_loss,
        &state_is_complete,
        &random_accesses_do_no_harm));
}
