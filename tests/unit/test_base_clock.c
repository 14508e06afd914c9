/* Crystals, the clock and its timers. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/state.h"
#include "tests/suite.h"

/* ---- crystals */

/* floor(t * num / (den * 10^9 * 2^32)) by long division, one bit at a time, in 256 bits: slow and plainly right. */
static bool reference_ticks(struct clk c, vtime t, uint64_t *ticks)
{
    uint32_t product[8] = { 0 };                        /* t * num, low word first */
    for (unsigned i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (unsigned j = 0; j < 2; j++) {
            uint64_t sum = (uint64_t)(uint32_t)(t >> (32 * i)) * (uint32_t)(c.num >> (32 * j)) + product[i + j] + carry;
            product[i + j] = (uint32_t)sum;
            carry = sum >> 32;
        }
        product[i + 2] = (uint32_t)carry;
    }
    vtime divisor = ((vtime)c.den * 1000000000u) << 32, rest = 0, quotient = 0;
    bool fits = true;
    for (int bit = 255; bit >= 0; bit--) {
        rest = rest << 1 | ((product[bit / 32] >> (bit % 32)) & 1);
        if (quotient >> 127) fits = false;
        quotient <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= 1;
        }
    }
    *ticks = (uint64_t)quotient;
    return fits && !(quotient >> 64);
}

/* Below 1 GHz; numerators up to 2^62, denominators up to 2^32. */
static struct clk random_clk(uint64_t *seed)
{
    for (;;) {
        struct clk c = { .num = random_bits(seed) >> 2, .den = random_bits(seed) >> 32 };
        if (c.num && c.den && c.num / 1000000000u < c.den) return c;
    }
}

START_TEST(time_of_a_tick_gives_that_tick_back)
{
    uint64_t seed = 1;
    for (unsigned i = 0; i < 20000; i++) {
        struct clk c = random_clk(&seed);
        uint64_t n = random_bits(&seed);
        vtime t = clk_time_of(c, n);
        if (t == VTIME_NEVER) continue;
        ck_assert_uint_eq(clk_ticks_at(c, t), n);
        if (n) ck_assert_uint_eq(clk_ticks_at(c, t - 1), n - 1);
    }
}
END_TEST

START_TEST(ticks_agree_with_long_division)
{
    uint64_t seed = 2;
    for (unsigned i = 0; i < 5000; i++) {
        struct clk c = random_clk(&seed);
        vtime t = (vtime)random_bits(&seed) << (random64(&seed) % 64) | random_bits(&seed);
        uint64_t expect;
        if (!reference_ticks(c, t, &expect)) expect = UINT64_MAX;
        ck_assert_uint_eq(clk_ticks_at(c, t), expect);
    }
}
END_TEST

START_TEST(crystals_of_a_pc_are_exact)
{
    struct clk pit = { 13125000, 11 }, rtc = { 32768, 1 }, pm = { 39375000, 11 };
    ck_assert_uint_eq(clk_ticks_at(pit, VTIME_SEC(11)), 13125000);
    ck_assert_uint_eq(clk_ticks_at(pit, VTIME_SEC(11) - 1), 13124999);
    ck_assert(clk_time_of(pit, 13125000) == VTIME_SEC(11));
    ck_assert_uint_eq(vtime_ns(clk_time_of(pit, 1)), 838);
    ck_assert(clk_time_of(rtc, 32768) == VTIME_SEC(1));
    ck_assert(clk_time_of(rtc, 1) == VTIME_SEC(1) / 32768 + (VTIME_SEC(1) % 32768 != 0));
    ck_assert_uint_eq(clk_ticks_at(pm, VTIME_SEC(11)), 39375000);
    ck_assert(clk_time_of(pit, 0) == 0);
}
END_TEST

START_TEST(times_and_ticks_out_of_range_saturate)
{
    struct clk slow = { 1, 1000 }, fast = { 999999999, 1 }, odd = { UINT64_MAX, UINT64_MAX };
    ck_assert(clk_time_of(slow, UINT64_MAX) == VTIME_NEVER);
    ck_assert_uint_eq(clk_ticks_at(fast, VTIME_NEVER - 1), UINT64_MAX);
    ck_assert_uint_eq(clk_ticks_at(odd, VTIME_SEC(5)), 5);
    ck_assert(clk_time_of(odd, 5) == VTIME_SEC(5));
    ck_assert_uint_eq(clk_ticks_at(fast, clk_time_of(fast, UINT64_MAX - 1)), UINT64_MAX - 1);
}
END_TEST

/* ---- the clock */

START_TEST(instructions_until_a_time_end_at_or_just_after_it)
{
    uint64_t seed = 3;
    for (unsigned i = 0; i < 5000; i++) {
        struct clock c;
        clock_init(&c, 1 + random_bits(&seed) % 10000000000u);
        c.now = random_bits(&seed);
        vtime t = c.now + ((vtime)random_bits(&seed) << (random64(&seed) % 32));
        uint64_t n = clock_insns_until(&c, t);
        if (n == UINT64_MAX) continue;
        if (t <= c.now) ck_assert_uint_eq(n, 0);
        vtime now = c.now;
        clock_advance(&c, n);
        ck_assert(c.now >= t);
        ck_assert_uint_eq(c.icount, n);
        if (n) ck_assert(now + (vtime)(n - 1) * c.step < t);     /* one fewer starts before t */
        clock_fini(&c);
    }
}
END_TEST

START_TEST(instructions_until_never_saturate)
{
    struct clock c;
    clock_init(&c, 10000000000u);
    ck_assert_uint_eq(clock_insns_until(&c, VTIME_NEVER), UINT64_MAX);
    ck_assert_uint_eq(clock_insns_until(&c, 0), 0);
    ck_assert_uint_eq(clock_insns_until(&c, 1), 1);
    clock_fini(&c);
}
END_TEST

START_TEST(time_never_goes_back)
{
    struct clock c;
    clock_init(&c, 1000000);
    clock_skip_to(&c, VTIME_US(5));
    clock_skip_to(&c, VTIME_US(3));
    ck_assert(clock_now(&c) == VTIME_US(5));
    ck_assert_uint_eq(c.icount, 0);
    clock_fini(&c);
}
END_TEST

/* ---- timers */

enum { TIMERS = 100 };
struct board {
    struct clock clock;
    struct timer t[TIMERS];
    unsigned fired[4096], num;
    vtime due[4096];
    vtime period;
};

static void record(void *opaque, vtime due)
{
    struct timer *t = opaque;
    struct board *b = (struct board *)(void *)t->clock;   /* the clock is the board's first member */
    ck_assert(!timer_armed(t));
    if (b->num < 4096) {
        b->fired[b->num] = t->order;
        b->due[b->num] = due;
    }
    b->num++;
}

static void record_and_rearm(void *opaque, vtime due)
{
    struct timer *t = opaque;
    record(opaque, due);
    timer_arm(t, due + ((struct board *)(void *)t->clock)->period);
}

static struct board *board_new(void (*fire)(void *, vtime))
{
    struct board *b = calloc(1, sizeof *b);
    clock_init(&b->clock, 1000000000);
    for (unsigned i = 0; i < TIMERS; i++) timer_init(&b->t[i], &b->clock, "t", fire, &b->t[i]);
    return b;
}

static void board_free(struct board *b)
{
    for (unsigned i = 0; i < TIMERS; i++) timer_fini(&b->t[i]);
    ck_assert_ptr_null(b->clock.timers);
    clock_fini(&b->clock);
    free(b);
}

START_TEST(timers_fire_by_due_then_by_creation)
{
    uint64_t seed = 4;
    for (unsigned round = 0; round < 50; round++) {
        struct board *b = board_new(record);
        for (unsigned i = 0; i < 400; i++) {              /* arm, re-arm and disarm at random; many equal times */
            struct timer *t = &b->t[random64(&seed) % TIMERS];
            if (random64(&seed) % 4) timer_arm(t, VTIME_NS(random64(&seed) % 20));
            else timer_disarm(t);
        }
        unsigned armed = 0;
        vtime first = VTIME_NEVER;
        for (unsigned i = 0; i < TIMERS; i++) {
            armed += timer_armed(&b->t[i]);
            if (b->t[i].due < first) first = b->t[i].due;
        }
        ck_assert(clock_deadline(&b->clock) == first);
        clock_skip_to(&b->clock, VTIME_NS(10));
        clock_run_due(&b->clock);
        for (unsigned i = 0; i < b->num; i++) ck_assert(b->due[i] <= VTIME_NS(10));
        clock_skip_to(&b->clock, VTIME_NS(20));
        clock_run_due(&b->clock);
        ck_assert_uint_eq(b->num, armed);
        for (unsigned i = 1; i < b->num; i++)
            ck_assert(b->due[i] > b->due[i - 1] || (b->due[i] == b->due[i - 1] && b->fired[i] > b->fired[i - 1]));
        ck_assert(clock_deadline(&b->clock) == VTIME_NEVER);
        board_free(b);
    }
}
END_TEST

START_TEST(periodic_timer_catches_up_in_one_call)
{
    struct board *b = board_new(record_and_rearm);
    b->period = VTIME_US(1);
    timer_arm(&b->t[0], VTIME_US(1));
    clock_skip_to(&b->clock, VTIME_US(100));
    clock_run_due(&b->clock);
    ck_assert_uint_eq(b->num, 100);
    ck_assert(b->due[99] == VTIME_US(100));
    ck_assert(clock_deadline(&b->clock) == VTIME_US(101));
    board_free(b);
}
END_TEST

START_TEST(period_of_zero_does_not_hang)
{
    struct board *b = board_new(record_and_rearm);
    clock_skip_to(&b->clock, VTIME_US(7));
    timer_arm(&b->t[0], VTIME_US(7));
    timer_arm(&b->t[1], VTIME_US(6));
    clock_run_due(&b->clock);
    ck_assert_uint_le(b->num, 2048);
    ck_assert(timer_armed(&b->t[0]) && timer_armed(&b->t[1]));
    ck_assert(clock_deadline(&b->clock) == VTIME_US(8));   /* a microsecond later, so that instructions run in between */
    board_free(b);
}
END_TEST

START_TEST(period_below_the_step_is_bounded)
{
    struct board *b = board_new(record_and_rearm);
    b->period = 1;                                         /* 2^-32 ns */
    timer_arm(&b->t[0], 1);
    clock_skip_to(&b->clock, VTIME_SEC(1));
    clock_run_due(&b->clock);
    ck_assert_uint_eq(b->num, 65536);
    ck_assert(clock_deadline(&b->clock) > clock_now(&b->clock));
    board_free(b);
}
END_TEST

static void count_calls(void *opaque) { ++*(unsigned *)opaque; }

START_TEST(cpu_is_told_of_an_earlier_timer_only)
{
    struct board *b = board_new(record);
    unsigned calls = 0;
    b->clock.earlier = count_calls;
    b->clock.earlier_opaque = &calls;
    timer_arm(&b->t[0], VTIME_US(10));
    ck_assert_uint_eq(calls, 1);
    timer_arm(&b->t[1], VTIME_US(20));
    ck_assert_uint_eq(calls, 1);
    timer_arm(&b->t[1], VTIME_US(5));
    ck_assert_uint_eq(calls, 2);
    timer_disarm(&b->t[1]);
    ck_assert_uint_eq(calls, 2);
    board_free(b);
}
END_TEST

START_TEST(finished_timer_leaves_the_queue)
{
    struct board *b = board_new(record);
    struct timer untouched = { .due = 0 }, late;
    timer_fini(&untouched);
    for (unsigned i = 0; i < TIMERS; i++) timer_arm(&b->t[i], VTIME_NS(TIMERS - i));
    timer_fini(&b->t[50]);
    timer_fini(&b->t[TIMERS - 1]);                         /* the list's last: the next one goes behind the right end */
    timer_init(&late, &b->clock, "late", record, &late);
    timer_arm(&late, 0);
    ck_assert_uint_gt(late.order, b->t[TIMERS - 2].order);
    clock_skip_to(&b->clock, VTIME_US(1));
    clock_run_due(&b->clock);
    ck_assert_uint_eq(b->num, TIMERS - 1);
    ck_assert_uint_eq(b->fired[0], late.order);
    timer_fini(&late);
    timer_fini(&late);
    board_free(b);
}
END_TEST

START_TEST(arming_at_never_disarms)
{
    struct board *b = board_new(record);
    timer_arm(&b->t[0], 5);
    timer_arm(&b->t[0], VTIME_NEVER);
    ck_assert(!timer_armed(&b->t[0]));
    ck_assert_uint_eq(b->clock.heap_len, 0);
    board_free(b);
}
END_TEST

START_TEST(clock_table_names_every_byte_and_loads)
{
    ck_assert_uint_eq(state_uncovered(&clock_state, stderr), 0);
    struct clock a, b;
    clock_init(&a, 123456789);
    clock_advance(&a, 987654321);
    clock_init(&b, 1);
    struct state_buf buf = { 0 };
    state_write(&clock_state, &a, &buf);
    ck_assert_int_eq(state_read(&clock_state, &b, buf.data, buf.len, NULL, NULL), HOST_OK);
    ck_assert(a.now == b.now && a.icount == b.icount && a.step == b.step);
    state_buf_fini(&buf);
    clock_fini(&a);
    clock_fini(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("clock");
    TCase *t = tcase_create("crystals");
    tcase_add_test(t, time_of_a_tick_gives_that_tick_back);
    tcase_add_test(t, ticks_agree_with_long_division);
    tcase_add_test(t, crystals_of_a_pc_are_exact);
    tcase_add_test(t, times_and_ticks_out_of_range_saturate);
    suite_add_tcase(s, t);
    t = tcase_create("clock");
    tcase_add_test(t, instructions_until_a_time_end_at_or_just_after_it);
    tcase_add_test(t, instructions_until_never_saturate);
    tcase_add_test(t, time_never_goes_back);
    tcase_add_test(t, clock_table_names_every_byte_and_loads);
    suite_add_tcase(s, t);
    t = tcase_create("timers");
    tcase_add_test(t, timers_fire_by_due_then_by_creation);
    tcase_add_test(t, periodic_timer_catches_up_in_one_call);
    tcase_add_test(t, period_of_zero_does_not_hang);
    tcase_add_test(t, period_below_the_step_is_bounded);
    tcase_add_test(t, cpu_is_told_of_an_earlier_timer_only);
    tcase_add_test(t, finished_timer_leaves_the_queue);
    tcase_add_test(t, arming_at_never_disarms);
    suite_add_tcase(s, t);
    return suite_main(s);
}
