/* The real-time clock from its pins (MC146818A datasheet). */
#include <check.h>

#include "devices/mc146818.h"
#include "tests/chip/rig.h"

enum { IRQ, NMI_MASK, WAKE };
enum { SEC = 0, SEC_ALARM, MIN, MIN_ALARM, HOUR, HOUR_ALARM, WEEKDAY, DAY, MONTH, YEAR, A, B, C, D };
#define SECOND 1000000000ull

static struct rig r;
static struct device *rtc;

static struct device *make(struct rig *on)
{
    return mc146818_create(&on->board, "rtc", &(struct mc146818_pins){
        .base = 0x70, .date = 951782399 /* Mon 28 Feb 2000 23:59:59 */, .century = 0x32, .irq = rig_probe(on, IRQ),
        .wake = rig_probe(on, WAKE), .nmi_mask = rig_probe(on, NMI_MASK) });
}

static void setup(void)
{
    rig_init(&r);
    rtc = make(&r);
}

static void teardown(void) { rig_fini(&r); }

static uint8_t get(uint8_t i)
{
    rig_out8(&r, 0x70, i);
    return rig_in8(&r, 0x71);
}

static void set(uint8_t i, uint8_t v)
{
    rig_out8(&r, 0x70, i);
    rig_out8(&r, 0x71, v);
}

static void set_time(uint8_t h, uint8_t m, uint8_t s)
{
    set(HOUR, h);
    set(MIN, m);
    set(SEC, s);
}

static void set_day(uint8_t y, uint8_t m, uint8_t d)
{
    set(YEAR, y);
    set(MONTH, m);
    set(DAY, d);
}

#define ck_time(h, m, s) do { ck_assert_uint_eq(get(HOUR), h); ck_assert_uint_eq(get(MIN), m); \
    ck_assert_uint_eq(get(SEC), s); } while (0)
#define ck_day(y, m, d) do { ck_assert_uint_eq(get(YEAR), y); ck_assert_uint_eq(get(MONTH), m); \
    ck_assert_uint_eq(get(DAY), d); } while (0)

START_TEST(starts_at_the_given_date_in_bcd)
{
    ck_time(0x23, 0x59, 0x59);
    ck_day(0x00, 0x02, 0x28);
    ck_assert_uint_eq(get(WEEKDAY), 2);
    ck_assert_uint_eq(get(0x32), 0x20);
    ck_assert_uint_eq(get(B), 0x02);
    ck_assert_uint_eq(get(D), 0x80);
}
END_TEST

START_TEST(leap_day_follows_28_february_2000)
{
    rig_step_ns(&r, SECOND);
    ck_time(0, 0, 0);
    ck_day(0x00, 0x02, 0x29);
    ck_assert_uint_eq(get(WEEKDAY), 3);
    rig_step_ns(&r, 86400 * SECOND);
    ck_day(0x00, 0x03, 0x01);
}
END_TEST

START_TEST(no_leap_day_in_2001)
{
    set_day(0x01, 0x02, 0x28);
    rig_step_ns(&r, SECOND);
    ck_day(0x01, 0x03, 0x01);
}
END_TEST

START_TEST(century_follows_year_99)
{
    set(0x32, 0x19);
    set_day(0x99, 0x12, 0x31);
    rig_step_ns(&r, SECOND);
    ck_day(0x00, 0x01, 0x01);
    ck_assert_uint_eq(get(0x32), 0x20);
}
END_TEST

START_TEST(years_of_silence_count_right)
{
    /* From Mon 28 Feb 2000 23:59:59, 3653 days and a second later: 28 Feb 2010 is a Sunday, then midnight. */
    rig_step_ns(&r, 3653 * 86400 * SECOND + SECOND);
    ck_time(0, 0, 0);
    ck_day(0x10, 0x03, 0x01);
    ck_assert_uint_eq(get(WEEKDAY), 2);
}
END_TEST

START_TEST(binary_mode_counts_in_binary)
{
    set(B, 0x06);
    set_time(19, 59, 59);
    rig_step_ns(&r, SECOND);
    ck_time(20, 0, 0);
}
END_TEST

START_TEST(twelve_hour_mode_knows_noon_and_midnight)
{
    set(B, 0x00);
    set_time(0x11, 0x59, 0x59);
    rig_step_ns(&r, SECOND);
    ck_time(0x92, 0, 0);                              /* 12 p.m. */
    ck_day(0x00, 0x02, 0x28);
    rig_step_ns(&r, 3600 * SECOND);
    ck_time(0x81, 0, 0);
    set_time(0x91, 0x59, 0x59);
    rig_step_ns(&r, SECOND);
    ck_time(0x12, 0, 0);                              /* 12 a.m. of the next day */
    ck_day(0x00, 0x02, 0x29);
    rig_step_ns(&r, 3600 * SECOND);
    ck_time(0x01, 0, 0);
}
END_TEST

START_TEST(uip_warns_2228_us_ahead)
{
    ck_assert_uint_eq(get(A), 0x26);
    rig_step_ns(&r, SECOND - 2300000);
    ck_assert_uint_eq(get(A), 0x26);
    rig_step_ns(&r, 100000);
    ck_assert_uint_eq(get(A), 0xa6);
    ck_assert_uint_eq(get(SEC), 0x59);
    rig_step_ns(&r, 2200000);
    ck_assert_uint_eq(get(A), 0x26);
    ck_assert_uint_eq(get(SEC), 0x00);
}
END_TEST

START_TEST(uip_shows_for_2228_us_of_each_second)
{
    unsigned seen = 0;
    for (unsigned us = 0; us < 1000000; us += 4) {
        rig_step_ns(&r, 4000);
        seen += get(A) >> 7;
    }
    ck_assert_uint_ge(seen * 4, 2200);
    ck_assert_uint_le(seen * 4, 2260);
}
END_TEST

START_TEST(set_bit_stops_updates_and_clears_uie)
{
    set(B, 0x92);
    ck_assert_uint_eq(get(B), 0x82);
    rig_step_ns(&r, 5 * SECOND);
    ck_assert_uint_eq(get(SEC), 0x59);
    ck_assert_uint_eq(get(A) & 0x80, 0);
    set(B, 0x02);
    rig_step_ns(&r, SECOND);
    ck_assert_uint_eq(get(SEC), 0x00);
}
END_TEST

START_TEST(first_update_comes_half_a_second_after_divider_reset)
{
    set(A, 0x76);
    rig_step_ns(&r, 3 * SECOND);
    ck_assert_uint_eq(get(SEC), 0x59);
    set(A, 0x26);
    rig_step_ns(&r, SECOND / 2 - 100000);
    ck_assert_uint_eq(get(SEC), 0x59);
    rig_step_ns(&r, 200000);
    ck_assert_uint_eq(get(SEC), 0x00);
}
END_TEST

START_TEST(update_ended_interrupt_comes_with_the_new_second)
{
    set(SEC_ALARM, 0x30);
    set(B, 0x12);
    ck_assert(rig_step_until(&r, IRQ, true, 2 * SECOND));
    ck_assert_uint_eq(vtime_ns(r.clock.now), SECOND);
    ck_assert_uint_eq(get(SEC), 0x00);
    ck_assert_uint_eq(get(C), 0xd0);                  /* PF comes along: it is set whether or not PIE is */
    ck_assert(!r.probe[IRQ].level);
    ck_assert(rig_step_until(&r, IRQ, true, 2 * SECOND));
    ck_assert_uint_eq(vtime_ns(r.clock.now), 2 * SECOND);
}
END_TEST

START_TEST(periodic_interrupt_keeps_its_rate)
{
    static const struct { uint8_t rate; unsigned hz; } rows[] = {
        { 1, 256 }, { 2, 128 }, { 3, 8192 }, { 4, 4096 }, { 5, 2048 }, { 6, 1024 }, { 7, 512 }, { 8, 256 }, { 9, 128 },
        { 10, 64 }, { 11, 32 }, { 12, 16 }, { 13, 8 }, { 14, 4 }, { 15, 2 },
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set(A, 0x20 | rows[i].rate);
        set(B, 0x42);
        get(C);
        unsigned rises = r.probe[IRQ].rises;
        vtime end = r.clock.now + VTIME_SEC(1);
        while (rig_step_until(&r, IRQ, true, vtime_ns(end - r.clock.now) + 1)) get(C);
        ck_assert_uint_eq(r.probe[IRQ].rises - rises, rows[i].hz);
        set(B, 0x02);
        if (r.clock.now < end) rig_step_to(&r, end);
    }
}
END_TEST

START_TEST(rate_zero_has_no_periodic_interrupt)
{
    set(A, 0x20);
    set(B, 0x42);
    rig_step_ns(&r, SECOND);
    ck_assert_uint_eq(get(C) & 0x40, 0);
}
END_TEST

START_TEST(unread_interrupt_costs_no_further_event)
{
    set(A, 0x23);
    set(B, 0x42);
    ck_assert(rig_step_until(&r, IRQ, true, SECOND));
    ck_assert(clock_deadline(&r.clock) == VTIME_NEVER);
    rig_step_ns(&r, SECOND);
    ck_assert_uint_eq(get(C) & 0xc0, 0xc0);
}
END_TEST

START_TEST(alarm_interrupts_at_its_time)
{
    set_time(0x10, 0x20, 0x30);
    set(HOUR_ALARM, 0x10);
    set(MIN_ALARM, 0x21);
    set(SEC_ALARM, 0x05);
    set(B, 0x22);
    ck_assert(rig_step_until(&r, IRQ, true, 100 * SECOND));
    ck_assert(r.probe[WAKE].level);
    ck_time(0x10, 0x21, 0x05);
    ck_assert_uint_eq(get(C) & 0xa0, 0xa0);
    ck_assert(!r.probe[WAKE].level);
}
END_TEST

START_TEST(alarm_with_dont_care_matches_every_time)
{
    set_time(0x10, 0x20, 0x30);
    set(HOUR_ALARM, 0xff);
    set(MIN_ALARM, 0xc0);
    set(SEC_ALARM, 0x00);
    set(B, 0x22);
    ck_assert(rig_step_until(&r, IRQ, true, 100 * SECOND));
    ck_time(0x10, 0x21, 0x00);
    get(C);
    ck_assert(rig_step_until(&r, IRQ, true, 100 * SECOND));
    ck_time(0x10, 0x22, 0x00);
}
END_TEST

START_TEST(flags_are_set_without_interrupt_enables)
{
    set(HOUR_ALARM, 0xff);
    set(MIN_ALARM, 0xff);
    set(SEC_ALARM, 0xff);
    rig_step_ns(&r, SECOND);
    ck_assert_uint_eq(get(C), 0x70);
    ck_assert_uint_eq(get(C), 0x00);
    ck_assert_uint_eq(r.probe[IRQ].rises, 0);
}
END_TEST

START_TEST(enabling_after_the_flag_interrupts_at_once)
{
    rig_step_ns(&r, SECOND);
    set(B, 0x12);
    ck_assert(r.probe[IRQ].level);
}
END_TEST

START_TEST(wrong_values_are_stored_and_righted_by_a_carry)
{
    set(SEC, 0x7a);
    ck_assert_uint_eq(get(SEC), 0x7a);
    rig_step_ns(&r, SECOND);
    ck_assert_uint_eq(get(SEC), 0x00);
    set(SEC, 0xff);
    ck_assert_uint_eq(get(SEC) & 0x80, 0);
}
END_TEST

START_TEST(dividers_for_other_crystals_make_the_clock_slow)
{
    static const struct { uint8_t divider; uint64_t second; } rows[] = { { 0x00, 128 * SECOND }, { 0x10, 32 * SECOND },
                                                                         { 0x20, SECOND } };
    for (unsigned i = 0; i < 3; i++) {
        set(A, 0x70);
        set(SEC, 0x10);
        set(A, rows[i].divider);
        rig_step_ns(&r, rows[i].second / 2 - rows[i].second / 4096);
        ck_assert_uint_eq(get(SEC), 0x10);
        ck_assert_uint_eq(get(A), 0x80 | rows[i].divider);
        rig_step_ns(&r, rows[i].second / 4096);
        ck_assert_uint_eq(get(SEC), 0x11);
        ck_assert_uint_eq(get(A), rows[i].divider);
        rig_step_ns(&r, rows[i].second);
        ck_assert_uint_eq(get(SEC), 0x12);
    }
    set(A, 0x11);                                     /* rate 1 is 32 ticks: 1 ms */
    set(B, 0x42);
    get(C);
    rig_step_ns(&r, 900000);
    ck_assert_uint_eq(get(C) & 0x40, 0);
    rig_step_ns(&r, 200000);
    ck_assert_uint_eq(get(C) & 0x40, 0x40);
}
END_TEST

START_TEST(bypassed_divider_stages_make_the_clock_fast)
{
    static const struct { uint8_t divider; uint64_t second; } rows[] = { { 0x30, SECOND / 32 }, { 0x40, SECOND / 1024 },
                                                                         { 0x50, SECOND / 32768 } };
    for (unsigned i = 0; i < 3; i++) {
        set(A, 0x70);
        set_time(0x01, 0x00, 0x00);
        set(A, rows[i].divider);
        rig_step_ns(&r, 10 * rows[i].second + rows[i].second * 3 / 4);
        set(A, 0x70);
        uint8_t seconds = get(SEC);
        ck_assert_msg(seconds >= 0x10 && seconds <= 0x11, "%02x at %02x", seconds, rows[i].divider);
    }
}
END_TEST

START_TEST(daylight_saving_skips_an_hour_in_april_and_repeats_one_in_october)
{
    set(B, 0x03);
    set_day(0x00, 0x04, 0x30);                        /* Sunday, the last */
    set(WEEKDAY, 1);
    set_time(0x01, 0x59, 0x59);
    rig_step_ns(&r, SECOND);
    ck_time(0x03, 0, 0);
    set_day(0x00, 0x04, 0x23);                        /* the one before */
    set_time(0x01, 0x59, 0x59);
    rig_step_ns(&r, SECOND);
    ck_time(0x02, 0, 0);
    set_day(0x00, 0x10, 0x29);
    set_time(0x01, 0x59, 0x59);
    rig_step_ns(&r, SECOND);
    ck_time(0x01, 0, 0);
    rig_step_ns(&r, 3599 * SECOND);
    ck_time(0x01, 0x59, 0x59);
    rig_step_ns(&r, SECOND);
    ck_time(0x02, 0, 0);
    set(B, 0x02);                                     /* and not unless it is enabled */
    set_time(0x01, 0x59, 0x59);
    rig_step_ns(&r, SECOND);
    ck_time(0x02, 0, 0);
}
END_TEST

START_TEST(daylight_saving_is_kept_over_years_of_silence)
{
    set(B, 0x03);
    set_day(0x00, 0x01, 0x01);
    set(WEEKDAY, 7);
    set_time(0x12, 0, 0);
    rig_step_ns(&r, 182 * 86400 * SECOND);            /* to July: an hour ahead */
    ck_time(0x13, 0, 0);
    ck_day(0x00, 0x07, 0x01);
    rig_step_ns(&r, 184 * 86400 * SECOND);
    ck_time(0x12, 0, 0);
    ck_day(0x01, 0x01, 0x01);
}
END_TEST

START_TEST(bit_7_of_the_index_masks_nmi)
{
    ck_assert(r.probe[NMI_MASK].level);
    rig_out8(&r, 0x70, 0x0f);
    ck_assert(!r.probe[NMI_MASK].level);
    rig_out8(&r, 0x70, 0x8f);
    ck_assert(r.probe[NMI_MASK].level);
}
END_TEST

START_TEST(memory_survives_reset_and_enables_do_not)
{
    set(0x0f, 0x5a);
    set(B, 0x72);
    board_reset(&r.board, RESET_HARD);
    ck_assert_uint_eq(get(0x0f), 0x5a);
    ck_assert_uint_eq(get(B), 0x02);
    ck_assert_uint_eq(get(SEC), 0x59);
}
END_TEST

START_TEST(extended_bank_is_apart)
{
    set(0x40, 0x11);
    rig_out8(&r, 0x72, 0x40);
    rig_out8(&r, 0x73, 0x22);
    ck_assert_uint_eq(get(0x40), 0x11);
    ck_assert_uint_eq(rig_in8(&r, 0x73), 0x22);
    ck_assert_uint_eq(mc146818_cmos(rtc, 0xc0), 0x22);
}
END_TEST

START_TEST(checksum_covers_10_to_2d)
{
    for (unsigned i = 0x10; i <= 0x2d; i++) mc146818_set_cmos(rtc, i, 0xff);
    mc146818_set_cmos(rtc, 0x30, 0x77);
    mc146818_set_checksum(rtc);
    ck_assert_uint_eq(get(0x2e) << 8 | get(0x2f), 30 * 0xff);
}
END_TEST

START_TEST(state_is_complete)
{
    set(B, 0x72);
    rig_step_ns(&r, 1234567890);
    rig_check_device(rtc);
}
END_TEST

START_TEST(random_accesses_do_no_harm)
{
    static const struct rig_window w[] = { { .base = 0x70, .count = 4 } };
    rig_fuzz_seeds(make, w, 1, NULL);
}
END_TEST

int main(void)
{
    return rig_run("mc146818", setup, teardown, RIG_TESTS(
        &starts_at_the_given_date_in_bcd,
        &leap_day_follows_28_february_2000,
        &no_leap_day_in_2001,
        &century_follows_year_99,
        &years_of_silence_count_right,
        &binary_mode_counts_in_binary,
        &twelve_hour_mode_knows_noon_and_midnight,
        &uip_warns_2228_us_ahead,
        &uip_shows_for_2228_us_of_each_second,
        &set_bit_stops_updates_and_clears_uie,
        &first_update_comes_half_a_second_after_divider_reset,
        &update_ended_interrupt_comes_with_the_new_second,
        &periodic_interrupt_keeps_its_rate,
        &rate_zero_has_no_periodic_interrupt,
        &unread_interrupt_costs_no_further_event,
        &alarm_interrupts_at_its_time,
        &alarm_with_dont_care_matches_every_time,
        &flags_are_set_without_interrupt_enables,
        &enabling_after_the_flag_interrupts_at_once,
        &wrong_values_are_stored_and_righted_by_a_carry,
        &dividers_for_other_crystals_make_the_clock_slow,
        &bypassed_divider_stages_make_the_clock_fast,
        &daylight_saving_skips_an_hour_in_april_and_repeats_one_in_october,
        &daylight_saving_is_kept_over_years_of_silence,
        &bit_7_of_the_index_masks_nmi,
        &memory_survives_reset_and_enables_do_not,
        &extended_bank_is_apart,
        &checksum_covers_10_to_2d,
        &state_is_complete,
        &random_accesses_do_no_harm));
}
