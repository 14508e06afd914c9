/* The HPET (IA-PC HPET Specification 1.0a, 2.3). */
#include "devices/hpet.h"
#include "tests/chip/rig.h"

#define BASE 0xfed00000u
enum { CAP = 0, CONF = 0x10, STATUS = 0x20, COUNTER = 0xf0, T0 = 0x100, T1 = 0x120, T2 = 0x140, CMP = 8 };
enum { ENABLE = 1, LEGACY = 2, LEVEL = 2, INT = 4, PERIODIC = 8, VAL_SET = 0x40, BITS32 = 0x100 };
enum { IRQ0 = 8, IRQ8 = 9 };                  /* probes; 0 to 7 are I/O APIC inputs 16 to 23 */

static struct rig r;
static struct device *hpet;

static struct device *make(struct rig *on)
{
    struct hpet_pins pins = { .base = BASE, .irq0 = rig_probe(on, IRQ0), .irq8 = rig_probe(on, IRQ8) };
    for (unsigned i = 0; i < 8; i++) pins.irq[i] = rig_probe(on, i);
    return hpet_create(&on->board, "hpet", &pins);
}

static void setup(void) { rig_init(&r); hpet = make(&r); }
static void teardown(void) { rig_fini(&r); }

static uint64_t get(unsigned reg) { return phys_load(&r.mem, BASE + reg, 8, false); }
static uint32_t get32(unsigned reg) { return (uint32_t)phys_load(&r.mem, BASE + reg, 4, false); }
static void set(unsigned reg, uint64_t v) { phys_store(&r.mem, BASE + reg, v, 8, false); }
static void set32(unsigned reg, uint32_t v) { phys_store(&r.mem, BASE + reg, v, 4, false); }
static uint64_t route(unsigned pin) { return (uint64_t)pin << 9; }

START_TEST(capabilities_agree_with_the_acpi_table)
{
    ck_assert_uint_eq(get32(CAP), 0x8086a201);
    ck_assert_uint_eq(get32(CAP + 4), 10000000);      /* 10 ns in femtoseconds */
    ck_assert_uint_eq(get(T0), 0x00ff0000ull << 32 | 0x30);
}
END_TEST

START_TEST(counter_runs_only_while_enabled)
{
    rig_step_ns(&r, 1000);
    ck_assert_uint_eq(get(COUNTER), 0);
    set(COUNTER, 0x1ffffffff);
    set(CONF, ENABLE);
    rig_step_ns(&r, 1000);
    ck_assert_uint_eq(get(COUNTER), 0x200000063);
    ck_assert_uint_eq(get32(COUNTER + 4), 2);
    set(CONF, 0);
    rig_step_ns(&r, 1000);
    ck_assert_uint_eq(get(COUNTER), 0x200000063);
}
END_TEST

START_TEST(one_shot_interrupts_when_the_counter_equals_it)
{
    set(T0, INT | route(20));
    set(T0 + CMP, 500);
    set(CONF, ENABLE);
    ck_assert(rig_step_until(&r, 4, true, 100000));
    ck_assert(r.probe[4].last_rise == VTIME_NS(5000));
    ck_assert_uint_eq(get(STATUS), 0);                /* edge-triggered: no status */
    rig_step_ns(&r, 1000000);
    ck_assert_uint_eq(r.probe[4].rises, 1);
}
END_TEST

START_TEST(comparator_behind_the_counter_waits_for_the_wrap)
{
    set(COUNTER, 1000);
    set(T2, INT | BITS32 | route(17));
    set(T2 + CMP, 900);
    set(CONF, ENABLE);
    rig_step_ns(&r, 1000000);
    ck_assert_uint_eq(r.probe[1].rises, 0);
    ck_assert(rig_step_until(&r, 1, true, 50000000000u));
    ck_assert(r.probe[1].last_rise == VTIME_NS(((1ull << 32) - 100) * 10));
}
END_TEST

START_TEST(periodic_is_loaded_in_two_writes_as_linux_does)
{
    set(CONF, ENABLE | LEGACY);
    rig_step_ns(&r, 12340);
    set32(T0, INT | PERIODIC | VAL_SET | BITS32);
    set32(T0 + CMP, 1234 + 100000);
    ck_assert_uint_eq(get32(T0) & VAL_SET, 0);
    set32(T0 + CMP, 100000);                          /* 1 ms */
    ck_assert_uint_eq(get32(T0 + CMP), 101234);
    for (unsigned i = 1; i <= 4; i++) {
        rig_step_to(&r, VTIME_NS(12340 + 1000000ull * i));
        ck_assert_uint_eq(r.probe[IRQ0].rises, i);
        ck_assert(r.probe[IRQ0].last_rise == VTIME_NS(12340 + 1000000ull * i));
        ck_assert_uint_eq(get32(T0 + CMP), 1234 + 100000 * (i + 1));
    }
}
END_TEST

START_TEST(silent_periodic_comparator_moves_on_too)
{
    set(T0, PERIODIC | VAL_SET);
    set(T0 + CMP, 1000);
    set(CONF, ENABLE);
    rig_step_ns(&r, 10000 * 7 + 5);
    ck_assert_uint_eq(get(T0 + CMP), 8000);
    ck_assert(!r.probe[IRQ0].level);
}
END_TEST

START_TEST(level_output_stays_until_its_status_is_cleared)
{
    set(T1, INT | LEVEL | route(18));
    set(T1 + CMP, 100);
    set(CONF, ENABLE);
    ck_assert(rig_step_until(&r, 2, true, 100000));
    rig_step_ns(&r, 1000);
    ck_assert(r.probe[2].level);
    ck_assert_uint_eq(get(STATUS), 2);
    set(STATUS, 1);
    ck_assert(r.probe[2].level);
    set(STATUS, 2);
    ck_assert(!r.probe[2].level);
}
END_TEST

START_TEST(legacy_replacement_takes_irq0_and_irq8)
{
    struct irq_line pit = hpet_pit_in(hpet), rtc = hpet_rtc_in(hpet);
    irq_set(&pit, true);
    irq_set(&rtc, true);
    ck_assert(r.probe[IRQ0].level && r.probe[IRQ8].level);
    set(CONF, LEGACY);
    ck_assert(!r.probe[IRQ0].level && !r.probe[IRQ8].level);
    irq_set(&pit, false);
    irq_set(&pit, true);
    ck_assert(!r.probe[IRQ0].level);
    set(CONF, 0);
    ck_assert(r.probe[IRQ0].level);
}
END_TEST

START_TEST(unreachable_routes_do_not_stick)
{
    set(T0, route(17));
    ck_assert_uint_eq(get32(T0) & 0x3e00, route(17));
    set(T0, route(5));
    ck_assert_uint_eq(get32(T0) & 0x3e00, route(17));
    set(T0, 0);
    ck_assert_uint_eq(get32(T0) & 0x3e00, 0);
}
END_TEST

START_TEST(stopping_the_counter_stops_the_timers)
{
    set(T0, INT | route(16));
    set(T0 + CMP, 1000);
    set(CONF, ENABLE);
    rig_step_ns(&r, 5000);
    set(CONF, 0);
    rig_step_ns(&r, 100000);
    ck_assert_uint_eq(r.probe[0].rises, 0);
    set(CONF, ENABLE);
    ck_assert(rig_step_until(&r, 0, true, 100000));
    ck_assert(r.probe[0].last_rise == VTIME_NS(110000));
}
END_TEST

START_TEST(tiny_period_is_served_once_a_microsecond)
{
    set(T0, INT | PERIODIC | VAL_SET | route(16));
    set(T0 + CMP, 1);
    set(CONF, ENABLE);
    rig_step_ns(&r, 100000);
    ck_assert_uint_le(r.probe[0].rises, 100);
    ck_assert_uint_ge(r.probe[0].rises, 90);
    ck_assert_uint_eq(get(T0 + CMP), 10001);
}
END_TEST

START_TEST(saved_timer_goes_on)
{
    struct state_buf saved = { 0 };
    set(T0, INT | PERIODIC | VAL_SET | route(16));
    set(T0 + CMP, 1000);
    set(CONF, ENABLE);
    rig_step_ns(&r, 5000);
    rig_save(hpet, &saved);
    set(CONF, 0);
    rig_load(hpet, &saved);
    ck_assert(rig_step_until(&r, 0, true, 100000));
    ck_assert(r.probe[0].last_rise == VTIME_NS(10000));
    state_buf_fini(&saved);
}
END_TEST

START_TEST(state_is_complete)
{
    set(T0, INT | PERIODIC | VAL_SET | route(16));
    set(T0 + CMP, 1000);
    set(CONF, ENABLE);
    rig_check_device(hpet);
}
END_TEST

static void poke(struct rig *on, struct device *d, uint64_t random)
{
    (void)on;
    struct irq_line l = random & 1 ? hpet_pit_in(d) : hpet_rtc_in(d);
    l.level = !(random & 2);
    irq_set(&l, random & 2);
}

START_TEST(random_accesses_do_no_harm)
{
    const struct rig_window w[] = { { BASE, 0x180, true } };
    rig_fuzz_seeds(make, w, 1, poke);
}
END_TEST

int main(void)
{
    return rig_run("hpet", setup, teardown, RIG_TESTS(
        &capabilities_agree_with_the_acpi_table, &counter_runs_only_while_enabled,
        &one_shot_interrupts_when_the_counter_equals_it, &comparator_behind_the_counter_waits_for_the_wrap,
        &periodic_is_loaded_in_two_writes_as_linux_does, &silent_periodic_comparator_moves_on_too,
        &level_output_stays_until_its_status_is_cleared, &legacy_replacement_takes_irq0_and_irq8,
        &unreachable_routes_do_not_stick, &stopping_the_counter_stops_the_timers, &tiny_period_is_served_once_a_microsecond,
        &saved_timer_goes_on, &state_is_complete, &random_accesses_do_no_harm));
}
