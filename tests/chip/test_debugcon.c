/* The debug console and the debug exit port. */
#include <check.h>
#include <string.h>

#include "devices/debug_exit.h"
#include "devices/debugcon.h"
#include "tests/chip/rig.h"

static struct rig r;
static struct device *con;
static struct rig_cable far_end;

static struct device *make(struct rig *on)
{
    return debugcon_create(&on->board, "debugcon",
                           &(struct debugcon_pins){ .iobase = 0xe9, .readback = 0xe9, .chr = &far_end.chr });
}

static struct device *make_exit(struct rig *on)
{
    return debug_exit_create(&on->board, "exit", &(struct debug_exit_pins){ .iobase = 0x501, .iosize = 2 });
}

static void setup(void)
{
    rig_init(&r);
    rig_cable_init(&far_end);
    con = make(&r);
}

static void teardown(void) { rig_fini(&r); }

START_TEST(written_bytes_are_sent)
{
    for (const char *p = "Hello"; *p; p++) rig_out8(&r, 0xe9, (uint8_t)*p);
    ck_assert_str_eq(far_end.sent, "Hello");
    ck_assert_uint_eq(rig_state(con, "bytes"), 5);
}
END_TEST

START_TEST(a_read_tells_that_the_port_is_there)
{
    ck_assert_uint_eq(rig_in8(&r, 0xe9), 0xe9);
    ck_assert_uint_eq(rig_in8(&r, 0xea), 0xff);
}
END_TEST

START_TEST(a_word_write_reaches_one_port_only)
{
    rig_out16(&r, 0xe9, 'B' << 8 | 'A');
    ck_assert_str_eq(far_end.sent, "A");
}
END_TEST

START_TEST(nobody_at_the_far_end_is_no_error)
{
    debugcon_create(&r.board, "quiet", &(struct debugcon_pins){ .iobase = 0x402, .readback = 0x55 });
    rig_out8(&r, 0x402, 'x');
    ck_assert_uint_eq(rig_in8(&r, 0x402), 0x55);
}
END_TEST

START_TEST(debug_exit_asks_the_machine_with_the_value)
{
    make_exit(&r);
    rig_out8(&r, 0x501, 0x10);
    ck_assert_uint_eq(r.requests, 1);
    ck_assert_uint_eq(r.request, BOARD_DEBUG_EXIT);
    ck_assert_uint_eq(r.request_value, 0x10);
    rig_out16(&r, 0x501, 0x1234);
    ck_assert_uint_eq(r.requests, 2);
    ck_assert_uint_eq(r.request_value, 0x1234);
}
END_TEST

START_TEST(state_is_complete)
{
    rig_out8(&r, 0xe9, 'x');
    rig_check_device(con);
    rig_check_device(make_exit(&r));
}
END_TEST

START_TEST(random_accesses_do_no_harm)
{
    static const struct rig_window w[] = { { .base = 0xe8, .count = 3 } }, w_exit[] = { { .base = 0x500, .count = 4 } };
    rig_fuzz_seeds(make, w, 1, NULL);
    rig_fuzz_seeds(make_exit, w_exit, 1, NULL);
}
END_TEST

int main(void)
{
    return rig_run("debugcon", setup, teardown, RIG_TESTS(
        &written_bytes_are_sent,
        &a_read_tells_that_the_port_is_there,
        &a_word_write_reaches_one_port_only,
        &nobody_at_the_far_end_is_no_error,
        &debug_exit_asks_the_machine_with_the_value,
        &state_is_complete,
        &random_accesses_do_no_harm));
}
