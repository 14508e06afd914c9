/* The 82093AA (datasheet 290566, 3.1, 3.2). */
#include "devices/ioapic_82093.h"
#include "tests/chip/rig.h"

#define BASE 0xfec00000u

static struct rig r;
static struct apic_bus bus;
static struct device *ioapic;
static struct apic_message last;
static unsigned messages;
static bool present;

static bool matches(void *apic, uint8_t dest, bool logical) { (void)apic, (void)dest, (void)logical; return present; }
static uint8_t priority(void *apic) { (void)apic; return 0; }
static void accept_message(void *apic, const struct apic_message *m) { (void)apic; last = *m; messages++; }

static struct device *make(struct rig *on)
{
    bus = (struct apic_bus){ .units = 0 };
    apic_bus_join(&bus, &(struct apic_unit){ &bus, matches, priority, accept_message });
    return ioapic_create(&on->board, "ioapic", &(struct ioapic_pins){ .bus = &bus, .base = BASE });
}

static void setup(void)
{
    rig_init(&r);
    messages = 0;
    present = true;
    ioapic = make(&r);
}

static void teardown(void) { rig_fini(&r); }

static uint32_t get(uint8_t index)
{
    phys_store(&r.mem, BASE, index, 4, false);
    return (uint32_t)phys_load(&r.mem, BASE + 0x10, 4, false);
}

static void set(uint8_t index, uint32_t v)
{
    phys_store(&r.mem, BASE, index, 4, false);
    phys_store(&r.mem, BASE + 0x10, v, 4, false);
}

static void entry(unsigned pin, uint32_t low, uint32_t high)
{
    set((uint8_t)(0x11 + 2 * pin), high);
    set((uint8_t)(0x10 + 2 * pin), low);
}

static void drive(unsigned pin, bool level)
{
    struct irq_line l = ioapic_input(ioapic, pin);
    l.level = !level;
    irq_set(&l, level);
}

START_TEST(identity_and_reset_state)
{
    ck_assert_uint_eq(get(1), 0x00170011);
    set(0, 0x0a000000);
    ck_assert_uint_eq(get(0), 0x0a000000);
    set(0, 0xffffffff);
    ck_assert_uint_eq(get(0), 0x0f000000);
    for (unsigned i = 0; i < IOAPIC_PINS; i++) ck_assert_uint_eq(get((uint8_t)(0x10 + 2 * i)), 0x10000);
    phys_store(&r.mem, BASE, 0x13, 4, false);
    ck_assert_uint_eq(phys_load(&r.mem, BASE, 4, false), 0x13);
}
END_TEST

START_TEST(edge_sends_the_entrys_message_once)
{
    entry(4, 0x00000931, 0x02000000);         /* lowest priority, logical */
    drive(4, true);
    ck_assert_uint_eq(messages, 1);
    ck_assert_uint_eq(last.vector, 0x31);
    ck_assert_uint_eq(last.mode, APIC_LOWEST);
    ck_assert(last.logical && !last.level);
    ck_assert_uint_eq(last.dest, 2);
    drive(4, true);
    ck_assert_uint_eq(messages, 1);
    drive(4, false);
    drive(4, true);
    ck_assert_uint_eq(messages, 2);
}
END_TEST

START_TEST(edge_on_a_masked_input_is_lost)
{
    entry(4, 0x00010031, 0);
    drive(4, true);
    entry(4, 0x00000031, 0);
    ck_assert_uint_eq(messages, 0);
}
END_TEST

START_TEST(level_waits_for_eoi_and_repeats_while_asserted)
{
    entry(10, 0x00008051, 0);
    drive(10, true);
    ck_assert_uint_eq(messages, 1);
    ck_assert(last.level);
    ck_assert_uint_eq(get(0x24), 0x0000c051); /* remote IRR */
    apic_bus_eoi(&bus, 0x50);
    ck_assert_uint_eq(messages, 1);
    apic_bus_eoi(&bus, 0x51);
    ck_assert_uint_eq(messages, 2);
    drive(10, false);
    apic_bus_eoi(&bus, 0x51);
    ck_assert_uint_eq(messages, 2);
    ck_assert_uint_eq(get(0x24), 0x00008051);
}
END_TEST

START_TEST(level_asserted_while_masked_is_sent_on_unmasking)
{
    entry(10, 0x00018051, 0);
    drive(10, true);
    ck_assert_uint_eq(messages, 0);
    entry(10, 0x00008051, 0);
    ck_assert_uint_eq(messages, 1);
}
END_TEST

START_TEST(wrong_polarity_sees_the_input_inverted)
{
    entry(10, 0x0000a051, 0);                         /* active low on an ISA interrupt, which idles low */
    ck_assert_uint_eq(messages, 1);
    drive(10, true);
    apic_bus_eoi(&bus, 0x51);
    ck_assert_uint_eq(messages, 1);
    drive(10, false);
    ck_assert_uint_eq(messages, 2);
    entry(4, 0x00002031, 0);                          /* an edge comes when the line is let go */
    drive(4, true);
    ck_assert_uint_eq(messages, 2);
    drive(4, false);
    ck_assert_uint_eq(messages, 3);
}
END_TEST

START_TEST(inputs_from_16_up_are_active_low)
{
    entry(16, 0x0000a061, 0);
    ck_assert_uint_eq(messages, 0);
    drive(16, true);
    ck_assert_uint_eq(messages, 1);
    entry(17, 0x00008062, 0);
    ck_assert_uint_eq(messages, 2);
}
END_TEST

START_TEST(switching_to_edge_clears_remote_irr)
{
    entry(10, 0x00008051, 0);
    drive(10, true);
    entry(10, 0x00012051, 0);
    ck_assert_uint_eq(get(0x24), 0x00012051);
    entry(10, 0x00008051, 0);
    ck_assert_uint_eq(messages, 2);
}
END_TEST

START_TEST(remote_irr_needs_somebody_who_accepted)
{
    present = false;
    entry(10, 0x00008051, 0);
    drive(10, true);
    ck_assert_uint_eq(get(0x24), 0x00008051);
}
END_TEST

START_TEST(status_bits_cannot_be_written)
{
    entry(3, 0x00015031, 0);
    ck_assert_uint_eq(get(0x16), 0x00010031);
}
END_TEST

START_TEST(unused_indexes_are_inert)
{
    set(0x40, 0);
    ck_assert_uint_eq(get(0x40), 0xffffffff);
    ck_assert_uint_eq(get(0x0f), 0xffffffff);
    ck_assert_uint_eq(get(0xff), 0xffffffff);
}
END_TEST

START_TEST(state_is_complete)
{
    entry(10, 0x00008051, 0);
    drive(10, true);
    rig_check_device(ioapic);
}
END_TEST

static void poke(struct rig *on, struct device *d, uint64_t random)
{
    (void)on;
    struct irq_line l = ioapic_input(d, (random >> 8) % IOAPIC_PINS);
    l.level = !(random & 1);
    irq_set(&l, random & 1);
    apic_bus_eoi(&bus, (uint8_t)(random >> 16));
}

START_TEST(random_accesses_do_no_harm)
{
    const struct rig_window w[] = { { BASE, 0x20, true } };
    rig_fuzz_seeds(make, w, 1, poke);
}
END_TEST

int main(void)
{
    return rig_run("ioapic_82093", setup, teardown, RIG_TESTS(
        &identity_and_reset_state, &edge_sends_the_entrys_message_once, &edge_on_a_masked_input_is_lost,
        &level_waits_for_eoi_and_repeats_while_asserted, &level_asserted_while_masked_is_sent_on_unmasking,
        &wrong_polarity_sees_the_input_inverted, &inputs_from_16_up_are_active_low,
        &switching_to_edge_clears_remote_irr, &remote_irr_needs_somebody_who_accepted, &status_bits_cannot_be_written,
        &unused_indexes_are_inert, &state_is_complete, &random_accesses_do_no_harm));
}
