/* The PS/2 mouse behind its controller: commands, packets, the knock that gives it a wheel. */
#include <check.h>

#include "tests/chip/kbc_rig.h"

static struct rig r;
static struct device *mouse;

static uint8_t status(void) { return rig_in8(&r, 0x64); }
static const char *all(void) { return kbc_all(&r); }
static const char *to_mouse(uint8_t v) { return kbc_to_mouse(&r, v); }

static void setup(void)
{
    rig_init(&r);
    kbc_setup(&r);
    mouse = board_find(&r.board, "mouse");
}

static void teardown(void) { rig_fini(&r); }

START_TEST(mouse_reset_answers_aa_and_identity_0)
{
    unsigned before = r.probe[IRQ12].rises;
    ck_assert_str_eq(to_mouse(0xff), "mfa maa m00");
    ck_assert_uint_eq(r.probe[IRQ12].rises - before, 3);
}
END_TEST

START_TEST(mouse_says_nothing_at_power_on)
{
    board_reset(&r.board, RESET_POWER_ON);
    rig_step_ns(&r, 20000000);
    rig_out8(&r, 0x64, 0xa8);
    ck_assert_str_eq(all(), "");
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

int main(void)
{
    return rig_run("ps2_mouse", setup, teardown, RIG_TESTS(
        &mouse_reset_answers_aa_and_identity_0,
        &mouse_says_nothing_at_power_on,
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
        &wrong_argument_is_refused_once_then_an_error));
}
