/* The 8254 from its pins: what each mode does with OUT, tick by tick (datasheet 231164, "Mode definitions"). */
#include <check.h>
#include <stdlib.h>

#include "devices/i8254.h"
#include "tests/chip/rig.h"

static const struct clk pit_clk = { 13125000, 11 };

static struct rig r;
static struct device *pit;
static struct irq_line gate[3];

static struct device *make(struct rig *on)
{
    struct i8254_pins pins = { .base = 0x40, .out = { rig_probe(on, 0), rig_probe(on, 1), rig_probe(on, 2) } };
    return i8254_create(&on->board, "pit", &pins);
}

static void setup(void)
{
    rig_init(&r);
    pit = make(&r);
    for (unsigned n = 0; n < 3; n++) {
        gate[n] = i8254_gate(pit, n);
        irq_set(&gate[n], true);
    }
}

static void teardown(void) { rig_fini(&r); }

/* Moves to just after the nth tick from now on. */
static void ticks(uint64_t n)
{
    rig_step_to(&r, clk_time_of(pit_clk, clk_ticks_at(pit_clk, r.clock.now) + n));
}

static void control(uint8_t v) { rig_out8(&r, 0x43, v); }

static void count16(unsigned n, uint16_t v)
{
    rig_out8(&r, (uint16_t)(0x40 + n), (uint8_t)v);
    rig_out8(&r, (uint16_t)(0x40 + n), (uint8_t)(v >> 8));
}

static uint16_t read16(unsigned n)
{
    uint8_t low = rig_in8(&r, (uint16_t)(0x40 + n));
    return (uint16_t)(low | rig_in8(&r, (uint16_t)(0x40 + n)) << 8);
}

static uint16_t latched(unsigned n)
{
    control((uint8_t)(n << 6));
    return read16(n);
}

static uint8_t status(unsigned n)
{
    control((uint8_t)(0xe0 | 2 << n));
    return rig_in8(&r, (uint16_t)(0x40 + n));
}

/* OUT of channel n over the next `len` ticks, one character a tick. */
static const char *wave(unsigned n, unsigned len)
{
    static char text[65];
    for (unsigned i = 0; i < len; i++) {
        text[i] = r.probe[n].level ? 'H' : '.';
        ticks(1);
    }
    text[len] = 0;
    return text;
}

START_TEST(mode0_goes_high_n_plus_one_ticks_after_the_write)
{
    control(0x30);
    ck_assert(!r.probe[0].level);
    count16(0, 4);
    ck_assert_str_eq(wave(0, 7), ".....HH");
}
END_TEST

START_TEST(mode0_counts_on_through_ffff)
{
    control(0x30);
    count16(0, 2);
    ticks(3);
    ck_assert_uint_eq(latched(0), 0);
    ticks(1);
    ck_assert_uint_eq(latched(0), 0xffff);
    ck_assert(r.probe[0].level);
}
END_TEST

START_TEST(mode0_gate_low_suspends_counting)
{
    control(0x30);
    count16(0, 5);
    ticks(2);
    ck_assert_uint_eq(latched(0), 4);
    irq_set(&gate[0], false);
    ticks(10);
    ck_assert_uint_eq(latched(0), 4);
    irq_set(&gate[0], true);
    ck_assert_str_eq(wave(0, 6), "....HH");
}
END_TEST

START_TEST(mode0_count_written_with_gate_low_is_still_loaded)
{
    irq_set(&gate[0], false);
    control(0x30);
    count16(0, 3);
    ticks(1);
    ck_assert_uint_eq(status(0) & 0x40, 0);
    irq_set(&gate[0], true);
    ck_assert_str_eq(wave(0, 5), "...HH");
}
END_TEST

START_TEST(mode0_first_byte_of_a_new_count_stops_and_drops_out)
{
    control(0x30);
    count16(0, 2);
    ticks(4);
    ck_assert(r.probe[0].level);
    rig_out8(&r, 0x40, 9);
    ck_assert(!r.probe[0].level);
    uint16_t frozen = latched(0);
    ticks(20);
    ck_assert_uint_eq(latched(0), frozen);
    rig_out8(&r, 0x40, 0);
    ticks(1);
    ck_assert_uint_eq(latched(0), 9);
}
END_TEST

START_TEST(mode1_gives_a_pulse_of_n_ticks_after_the_trigger)
{
    control(0x32);
    ck_assert(r.probe[0].level);
    count16(0, 3);
    ticks(5);
    ck_assert(r.probe[0].level);
    irq_set(&gate[0], false);
    irq_set(&gate[0], true);
    ck_assert_str_eq(wave(0, 6), "H...HH");
}
END_TEST

START_TEST(mode1_retrigger_makes_the_pulse_longer)
{
    control(0x32);
    count16(0, 3);
    irq_set(&gate[0], false);
    irq_set(&gate[0], true);
    ticks(2);
    irq_set(&gate[0], false);
    irq_set(&gate[0], true);
    ck_assert_str_eq(wave(0, 6), "....HH");
}
END_TEST

START_TEST(mode1_new_count_waits_for_the_next_trigger)
{
    control(0x32);
    count16(0, 2);
    irq_set(&gate[0], false);
    irq_set(&gate[0], true);
    ticks(1);
    count16(0, 5);
    ck_assert_uint_eq(status(0) & 0x40, 0x40);
    ck_assert_str_eq(wave(0, 4), "..HH");
    irq_set(&gate[0], false);
    irq_set(&gate[0], true);
    ck_assert_str_eq(wave(0, 8), "H.....HH");
}
END_TEST

START_TEST(mode2_is_low_for_the_last_tick_of_each_period)
{
    control(0x34);
    ck_assert(r.probe[0].level);
    count16(0, 3);
    ck_assert_str_eq(wave(0, 11), "HHH.HH.HH.H");
}
END_TEST

START_TEST(mode2_never_shows_count_zero)
{
    control(0x34);
    count16(0, 3);
    ticks(1);
    static const uint16_t expected[] = { 3, 2, 1, 3, 2, 1, 3 };
    for (unsigned i = 0; i < 7; i++) {
        ck_assert_uint_eq(latched(0), expected[i]);
        ticks(1);
    }
}
END_TEST

START_TEST(mode2_new_count_takes_effect_at_the_end_of_the_period)
{
    control(0x34);
    count16(0, 4);
    ticks(2);
    count16(0, 2);
    ck_assert_str_eq(wave(0, 8), "HH.H.H.H");
}
END_TEST

START_TEST(mode2_gate_low_lifts_out_and_rising_gate_starts_over)
{
    control(0x34);
    count16(0, 3);
    ticks(3);
    ck_assert(!r.probe[0].level);
    irq_set(&gate[0], false);
    ck_assert(r.probe[0].level);
    ticks(7);
    ck_assert(r.probe[0].level);
    irq_set(&gate[0], true);
    ck_assert_str_eq(wave(0, 8), "HHH.HH.H");
}
END_TEST

START_TEST(mode2_with_count_zero_has_a_period_of_65536)
{
    control(0x34);
    count16(0, 0);
    ticks(1);
    unsigned rises = r.probe[0].rises;
    ticks(65536 * 3);
    ck_assert_uint_eq(r.probe[0].rises - rises, 3);
    ck_assert_uint_eq(latched(0), 0);
}
END_TEST

START_TEST(mode2_interrupts_18_2_times_a_second)
{
    control(0x34);
    count16(0, 0);
    unsigned rises = r.probe[0].rises;
    rig_step_ns(&r, 10000000000);
    ck_assert_uint_eq(r.probe[0].rises - rises, 182);
}
END_TEST

START_TEST(mode3_even_count_is_symmetric)
{
    control(0x36);
    count16(0, 4);
    ck_assert_str_eq(wave(0, 11), "HHH..HH..HH");
}
END_TEST

START_TEST(mode3_odd_count_high_is_longer)
{
    control(0x36);
    count16(0, 5);
    ck_assert_str_eq(wave(0, 13), "HHHH..HHH..HH");
}
END_TEST

START_TEST(mode3_counts_down_by_two)
{
    static const uint16_t even[] = { 4, 2, 4, 2, 4 }, odd[] = { 4, 2, 0, 4, 2, 4, 2, 0 };
    control(0x36);
    count16(0, 4);
    for (unsigned i = 0; i < 5; i++) {
        ticks(1);
        ck_assert_uint_eq(latched(0), even[i]);
    }
    control(0x36);
    count16(0, 5);
    for (unsigned i = 0; i < 8; i++) {
        ticks(1);
        ck_assert_uint_eq(latched(0), odd[i]);
    }
}
END_TEST

START_TEST(mode3_new_count_takes_effect_at_the_half_period)
{
    control(0x36);
    count16(0, 8);
    ticks(2);
    count16(0, 4);
    ck_assert_str_eq(wave(0, 9), "HHH..HH..");
}
END_TEST

START_TEST(mode3_gate_low_forces_out_high)
{
    control(0x36);
    count16(0, 4);
    ticks(3);
    ck_assert(!r.probe[0].level);
    irq_set(&gate[0], false);
    ck_assert(r.probe[0].level);
    irq_set(&gate[0], true);
    ck_assert_str_eq(wave(0, 7), "HHH..HH");
}
END_TEST

START_TEST(mode3_illegal_count_of_one_keeps_out_high)
{
    control(0x36);
    count16(0, 1);
    ck_assert_str_eq(wave(0, 6), "HHHHHH");
    count16(0, 4);
    ticks(1);
    ck_assert_str_eq(wave(0, 4), "..HH");
}
END_TEST

START_TEST(mode4_strobes_one_tick_n_plus_one_ticks_after_the_write)
{
    control(0x38);
    count16(0, 3);
    ck_assert_str_eq(wave(0, 8), "HHHH.HHH");
    ticks(70000);                                     /* once round the modulus: no second strobe */
    ck_assert_uint_eq(r.probe[0].falls, 1);
}
END_TEST

START_TEST(mode4_rewriting_the_count_restarts_it)
{
    control(0x38);
    count16(0, 3);
    ticks(3);
    count16(0, 3);
    ck_assert_str_eq(wave(0, 7), "HHHH.HH");
}
END_TEST

START_TEST(mode5_strobes_after_the_trigger_only)
{
    control(0x3a);
    count16(0, 3);
    ck_assert_str_eq(wave(0, 6), "HHHHHH");
    irq_set(&gate[0], false);
    irq_set(&gate[0], true);
    ck_assert_str_eq(wave(0, 7), "HHHH.HH");
}
END_TEST

START_TEST(modes_6_and_7_are_2_and_3)
{
    control(0x3c);
    count16(0, 3);
    ck_assert_str_eq(wave(0, 8), "HHH.HH.H");
    ck_assert_uint_eq(status(0) & 0x3f, 0x3c);
    control(0x3e);
    count16(0, 4);
    ck_assert_str_eq(wave(0, 8), "HHH..HH.");
}
END_TEST

START_TEST(bcd_counts_decimally)
{
    control(0x31);
    count16(0, 0x1000);
    ticks(2);
    ck_assert_uint_eq(latched(0), 0x0999);
    ticks(999);
    ck_assert_uint_eq(latched(0), 0);
    ck_assert(r.probe[0].level);
    ticks(1);
    ck_assert_uint_eq(latched(0), 0x9999);
}
END_TEST

START_TEST(bcd_digits_above_nine_count_down_to_nine_and_borrow_as_ten)
{
    control(0x31);
    count16(0, 0x00bc);                               /* 11 tens and 12: 122 */
    ticks(1);
    ck_assert_uint_eq(latched(0), 0x00bc);
    ticks(2);
    ck_assert_uint_eq(latched(0), 0x00ba);
    ticks(10);
    ck_assert_uint_eq(latched(0), 0x00b0);
    ticks(1);
    ck_assert_uint_eq(latched(0), 0x00a9);
    ticks(9);
    ck_assert_uint_eq(latched(0), 0x00a0);
    ticks(1);
    ck_assert_uint_eq(latched(0), 0x0099);
    ck_assert(!r.probe[0].level);
    ticks(99);
    ck_assert(r.probe[0].level);                      /* 122 ticks after it was loaded */
    ticks(10000 - 120);                               /* round once: plain digits */
    ck_assert_uint_eq(latched(0), 0x0120);
}
END_TEST

START_TEST(bcd_zero_is_ten_thousand)
{
    control(0x35);
    count16(0, 0);
    ticks(1);
    unsigned rises = r.probe[0].rises;
    ticks(30000);
    ck_assert_uint_eq(r.probe[0].rises - rises, 3);
}
END_TEST

START_TEST(one_byte_counts_have_zeros_in_the_other_byte)
{
    control(0x14);                                    /* low byte only */
    rig_out8(&r, 0x40, 0x20);
    ticks(1);
    ck_assert_uint_eq(rig_in8(&r, 0x40), 0x20);
    ck_assert_uint_eq(rig_in8(&r, 0x40), 0x20);
    control(0x24);                                    /* high byte only */
    rig_out8(&r, 0x40, 0x20);
    ticks(1);
    ck_assert_uint_eq(rig_in8(&r, 0x40), 0x20);
    ticks(1);
    ck_assert_uint_eq(rig_in8(&r, 0x40), 0x1f);
}
END_TEST

START_TEST(latched_count_holds_until_both_bytes_are_read)
{
    control(0x34);
    count16(0, 1000);
    ticks(1);
    control(0x00);
    ticks(100);
    control(0x00);                                    /* ignored: the first one was not read */
    ck_assert_uint_eq(read16(0), 1000);
    ck_assert_uint_eq(read16(0), 900);
}
END_TEST

START_TEST(control_word_drops_a_latched_count)
{
    control(0x34);
    count16(0, 1000);
    ticks(1);
    control(0x00);
    control(0x34);
    count16(0, 2000);
    ticks(1);
    ck_assert_uint_eq(read16(0), 2000);
}
END_TEST

START_TEST(read_back_latches_status_before_count)
{
    control(0x34);
    count16(0, 1000);
    ticks(1);
    control(0xc2);                                    /* both, channel 0 */
    ck_assert_uint_eq(rig_in8(&r, 0x40), 0xb4);
    ck_assert_uint_eq(read16(0), 1000);
}
END_TEST

START_TEST(read_back_takes_all_counters_at_one_instant)
{
    for (unsigned n = 0; n < 3; n++) {
        control((uint8_t)(0x34 | n << 6));
        count16(n, 500);
    }
    ticks(101);
    control(0xde);                                    /* counts of all three */
    ticks(50);
    for (unsigned n = 0; n < 3; n++) ck_assert_uint_eq(read16(n), 400);
}
END_TEST

START_TEST(null_count_tells_when_the_count_is_loaded)
{
    control(0x34);
    ck_assert_uint_eq(status(0) & 0x40, 0x40);
    count16(0, 10);
    ck_assert_uint_eq(status(0) & 0x40, 0x40);
    ticks(1);
    ck_assert_uint_eq(status(0) & 0x40, 0);
    count16(0, 20);
    ck_assert_uint_eq(status(0) & 0x40, 0x40);
    ticks(10);
    ck_assert_uint_eq(status(0) & 0x40, 0);
}
END_TEST

START_TEST(reads_and_writes_have_flip_flops_of_their_own)
{
    control(0x34);
    count16(0, 0x1234);
    ticks(1);
    ck_assert_uint_eq(rig_in8(&r, 0x40), 0x34);       /* low byte read, */
    rig_out8(&r, 0x40, 0x78);                         /* low byte written, */
    ck_assert_uint_eq(rig_in8(&r, 0x40), 0x12);       /* high byte read, */
    rig_out8(&r, 0x40, 0x56);                         /* high byte written */
    ticks(0x1234);
    ck_assert_uint_eq(latched(0), 0x5678);
}
END_TEST

START_TEST(unwired_output_reads_the_same_without_a_timer)
{
    struct rig other;
    rig_init(&other);
    struct device *quiet = i8254_create(&other.board, "pit", &(struct i8254_pins){ .base = 0x40 });
    struct irq_sense out = i8254_out_sense(quiet, 0), toggle = i8254_toggle_sense(quiet, 0);
    port_out(&other.ports, 0x43, 0x36, 1);
    port_out(&other.ports, 0x40, 5, 1);
    port_out(&other.ports, 0x40, 0, 1);
    ck_assert(clock_deadline(&other.clock) == VTIME_NEVER);
    bool parity = irq_look(&toggle);
    rig_step_to(&other, clk_time_of(pit_clk, 1000001));
    ck_assert(irq_look(&out));                        /* 1,000,000 = 200,000 periods, and the high half has begun */
    ck_assert(irq_look(&toggle) == parity);
    rig_step_to(&other, clk_time_of(pit_clk, 1000004));
    ck_assert(!irq_look(&out));
    rig_step_to(&other, clk_time_of(pit_clk, 1000006));
    ck_assert(irq_look(&toggle) != parity);
    rig_fini(&other);
}
END_TEST

START_TEST(refresh_runs_from_power_on)
{
    ticks(20);
    unsigned before = r.probe[1].rises;
    ticks(1800);
    ck_assert_uint_eq(r.probe[1].rises - before, 100);
}
END_TEST

START_TEST(lazy_and_stepped_counters_agree)
{
    uint64_t seed = 7;
    struct rig other;
    rig_init(&other);
    struct device *quiet = i8254_create(&other.board, "pit", &(struct i8254_pins){ .base = 0x40 });
    (void)quiet;
    for (unsigned i = 0; i < 3000; i++) {
        uint64_t x = rig_random(&seed);
        uint8_t mode = (uint8_t)(0x30 | (x & 15)), low = (uint8_t)(x >> 8 & 31), high = (uint8_t)((x >> 16 & 7) == 0);
        if (i % 8 == 0) {
            port_out(&r.ports, 0x43, mode, 1);
            port_out(&other.ports, 0x43, mode, 1);
        }
        if (i % 4 == 0) {
            port_out(&r.ports, 0x40, low, 1);
            port_out(&r.ports, 0x40, high, 1);
            port_out(&other.ports, 0x40, low, 1);
            port_out(&other.ports, 0x40, high, 1);
        }
        uint64_t step = x >> 24 & 127;
        for (uint64_t k = 0; k < step; k++) {          /* one looks at every tick, the other only at the end */
            ticks(1);
            port_out(&r.ports, 0x43, 0xe2, 1);
            port_in(&r.ports, 0x40, 1);
        }
        rig_step_to(&other, r.clock.now);
        port_out(&r.ports, 0x43, 0xc2, 1);
        port_out(&other.ports, 0x43, 0xc2, 1);
        for (unsigned k = 0; k < 3; k++) ck_assert_uint_eq(port_in(&r.ports, 0x40, 1), port_in(&other.ports, 0x40, 1));
    }
    rig_fini(&other);
}
END_TEST

START_TEST(state_is_complete)
{
    control(0x36);
    count16(0, 1193);
    rig_step_ns(&r, 12345678);
    rig_check_device(pit);
}
END_TEST

START_TEST(a_loaded_timer_goes_on_where_the_saved_one_stood)
{
    control(0x34);
    count16(0, 100);
    ticks(30);
    struct state_buf saved;
    rig_save(pit, &saved);
    ticks(1);
    rig_load(pit, &saved);
    unsigned rises = r.probe[0].rises;
    ticks(70);
    ck_assert_uint_eq(r.probe[0].rises - rises, 1);
    state_buf_fini(&saved);
}
END_TEST

static void move_gate(struct rig *on, struct device *d, uint64_t random)
{
    (void)on;
    struct irq_line wire = i8254_gate(d, (unsigned)(random % 3));
    if (random >> 8 & 1) irq_set(&wire, true);
}

START_TEST(random_accesses_do_no_harm)
{
    static const struct rig_window w[] = { { .base = 0x40, .count = 4 } };
    rig_fuzz_seeds(make, w, 1, move_gate);
}
END_TEST

int main(void)
{
    return rig_run("i8254", setup, teardown, RIG_TESTS(
        &mode0_goes_high_n_plus_one_ticks_after_the_write,
        &mode0_counts_on_through_ffff,
        &mode0_gate_low_suspends_counting,
        &mode0_count_written_with_gate_low_is_still_loaded,
        &mode0_first_byte_of_a_new_count_stops_and_drops_out,
        &mode1_gives_a_pulse_of_n_ticks_after_the_trigger,
        &mode1_retrigger_makes_the_pulse_longer,
        &mode1_new_count_waits_for_the_next_trigger,
        &mode2_is_low_for_the_last_tick_of_each_period,
        &mode2_never_shows_count_zero,
        &mode2_new_count_takes_effect_at_the_end_of_the_period,
        &mode2_gate_low_lifts_out_and_rising_gate_starts_over,
        &mode2_with_count_zero_has_a_period_of_65536,
        &mode2_interrupts_18_2_times_a_second,
        &mode3_even_count_is_symmetric,
        &mode3_odd_count_high_is_longer,
        &mode3_counts_down_by_two,
        &mode3_new_count_takes_effect_at_the_half_period,
        &mode3_gate_low_forces_out_high,
        &mode3_illegal_count_of_one_keeps_out_high,
        &mode4_strobes_one_tick_n_plus_one_ticks_after_the_write,
        &mode4_rewriting_the_count_restarts_it,
        &mode5_strobes_after_the_trigger_only,
        &modes_6_and_7_are_2_and_3,
        &bcd_counts_decimally,
        &bcd_digits_above_nine_count_down_to_nine_and_borrow_as_ten,
        &bcd_zero_is_ten_thousand,
        &one_byte_counts_have_zeros_in_the_other_byte,
        &latched_count_holds_until_both_bytes_are_read,
        &control_word_drops_a_latched_count,
        &read_back_latches_status_before_count,
        &read_back_takes_all_counters_at_one_instant,
        &null_count_tells_when_the_count_is_loaded,
        &reads_and_writes_have_flip_flops_of_their_own,
        &unwired_output_reads_the_same_without_a_timer,
        &refresh_runs_from_power_on,
        &lazy_and_stepped_counters_agree,
        &state_is_complete,
        &a_loaded_timer_goes_on_where_the_saved_one_stood,
        &random_accesses_do_no_harm));
}
