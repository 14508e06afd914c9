/* The 8259A pair from its pins (datasheet 231468). */
#include <check.h>
#include <stdlib.h>

#include "devices/i8259.h"
#include "tests/chip/rig.h"

enum { MASTER = 0x20, SLAVE = 0xa0, INT = 0 };

static struct rig r;
static struct device *master, *slave;
static struct irq_line ir[16];

static void make_pair(struct rig *on, struct device **m, struct device **s)
{
    *m = i8259_create(&on->board, "pic0", &(struct i8259_pins){ .base = MASTER, .elcr = 0x4d0, .elcr_mask = 0xf8,
                                                               .master = true, .intr = rig_probe(on, INT) });
    *s = i8259_create(&on->board, "pic1", &(struct i8259_pins){ .base = SLAVE, .elcr = 0x4d1, .elcr_mask = 0xde,
                                                               .intr = i8259_input(*m, 2) });
    i8259_connect_slave(*m, *s);
}

static void words(uint16_t base, uint8_t icw1, uint8_t icw2, uint8_t icw3, uint8_t icw4)
{
    rig_out8(&r, base, icw1);
    rig_out8(&r, base + 1, icw2);
    if (!(icw1 & 2)) rig_out8(&r, base + 1, icw3);
    if (icw1 & 1) rig_out8(&r, base + 1, icw4);
}

/* As an AT's BIOS does it. */
static void at_setup(void)
{
    words(MASTER, 0x11, 0x08, 0x04, 0x01);
    words(SLAVE, 0x11, 0x70, 0x02, 0x01);
}

static void setup(void)
{
    rig_init(&r);
    make_pair(&r, &master, &slave);
    for (unsigned n = 0; n < 16; n++) ir[n] = i8259_input(n < 8 ? master : slave, n & 7);
    at_setup();
}

static void teardown(void) { rig_fini(&r); }

static void raise(unsigned n) { irq_set(&ir[n], true); }
static void lower(unsigned n) { irq_set(&ir[n], false); }
static void pulse(unsigned n) { lower(n); raise(n); }
static bool intr(void) { return r.probe[INT].level; }
static uint8_t intack(void) { return i8259_intack(master); }
static void eoi(uint16_t base) { rig_out8(&r, base, 0x20); }

static uint8_t irr_of(uint16_t base)
{
    rig_out8(&r, base, 0x0a);
    return rig_in8(&r, base);
}

static uint8_t isr_of(uint16_t base)
{
    rig_out8(&r, base, 0x0b);
    return rig_in8(&r, base);
}

START_TEST(uninitialised_chip_never_interrupts)
{
    board_reset(&r.board, RESET_HARD);
    raise(1);
    ck_assert(!intr());
    at_setup();
    ck_assert(!intr());                               /* the edge was before ICW1 */
    pulse(1);
    ck_assert(intr());
}
END_TEST

START_TEST(vector_is_icw2_plus_level)
{
    raise(3);
    ck_assert(intr());
    ck_assert_uint_eq(intack(), 0x0b);
    ck_assert(!intr());
    ck_assert_uint_eq(isr_of(MASTER), 0x08);
}
END_TEST

START_TEST(slave_vector_comes_through_the_cascade)
{
    raise(8);
    ck_assert(intr());
    ck_assert_uint_eq(intack(), 0x70);
    ck_assert_uint_eq(isr_of(MASTER), 0x04);
    ck_assert_uint_eq(isr_of(SLAVE), 0x01);
    eoi(SLAVE);
    eoi(MASTER);
    ck_assert_uint_eq(isr_of(MASTER) | isr_of(SLAVE), 0);
}
END_TEST

START_TEST(lower_level_waits_for_the_eoi_of_a_higher_one)
{
    raise(1);
    ck_assert_uint_eq(intack(), 0x09);
    raise(4);
    ck_assert(!intr());
    eoi(MASTER);
    ck_assert(intr());
    ck_assert_uint_eq(intack(), 0x0c);
}
END_TEST

START_TEST(higher_level_interrupts_a_lower_one)
{
    raise(4);
    intack();
    raise(1);
    ck_assert(intr());
    ck_assert_uint_eq(intack(), 0x09);
    ck_assert_uint_eq(isr_of(MASTER), 0x12);
    eoi(MASTER);                                      /* non-specific: ends the higher one */
    ck_assert_uint_eq(isr_of(MASTER), 0x10);
}
END_TEST

START_TEST(master_line_4_waits_for_slave_line_8)
{
    raise(4);
    raise(8);
    ck_assert_uint_eq(intack(), 0x70);
    ck_assert(!intr());
    eoi(SLAVE);
    ck_assert(!intr());
    eoi(MASTER);
    ck_assert_uint_eq(intack(), 0x0c);
}
END_TEST

START_TEST(masked_line_does_not_interrupt_but_is_remembered)
{
    rig_out8(&r, MASTER + 1, 0x02);
    raise(1);
    ck_assert(!intr());
    ck_assert_uint_eq(irr_of(MASTER), 0x02);
    ck_assert_uint_eq(rig_in8(&r, MASTER + 1), 0x02);
    rig_out8(&r, MASTER + 1, 0);
    ck_assert(intr());
}
END_TEST

START_TEST(edge_triggered_line_held_high_interrupts_once)
{
    raise(5);
    intack();
    eoi(MASTER);
    ck_assert(!intr());
    pulse(5);
    ck_assert(intr());
}
END_TEST

START_TEST(edge_that_falls_before_intack_is_a_spurious_irq7)
{
    raise(5);
    lower(5);
    ck_assert(!intr());
    ck_assert_uint_eq(irr_of(MASTER), 0);
    ck_assert_uint_eq(intack(), 0x0f);
    ck_assert_uint_eq(isr_of(MASTER), 0);
}
END_TEST

START_TEST(masking_before_intack_is_a_spurious_irq15_with_the_cascade_in_service)
{
    raise(12);
    ck_assert(intr());
    rig_out8(&r, SLAVE + 1, 0xff);
    ck_assert(!intr());
    raise(2);                                         /* the CPU has begun INTA for the master's line 2 already */
    ck_assert_uint_eq(intack(), 0x77);
    ck_assert_uint_eq(isr_of(MASTER), 0x04);
    ck_assert_uint_eq(isr_of(SLAVE), 0);
}
END_TEST

START_TEST(level_triggered_line_interrupts_until_it_falls)
{
    rig_out8(&r, 0x4d1, 0x08);
    raise(11);
    ck_assert_uint_eq(intack(), 0x73);
    eoi(SLAVE);
    eoi(MASTER);
    ck_assert(intr());
    ck_assert_uint_eq(intack(), 0x73);
    lower(11);
    eoi(SLAVE);
    eoi(MASTER);
    ck_assert(!intr());
}
END_TEST

START_TEST(elcr_keeps_system_lines_edge_triggered)
{
    rig_out8(&r, 0x4d0, 0xff);
    rig_out8(&r, 0x4d1, 0xff);
    ck_assert_uint_eq(rig_in8(&r, 0x4d0), 0xf8);
    ck_assert_uint_eq(rig_in8(&r, 0x4d1), 0xde);
}
END_TEST

START_TEST(bare_chip_takes_its_trigger_mode_from_ltim)
{
    struct i8259_pins pins = { .base = 0x1a0, .master = true, .intr = rig_probe(&r, 5) };
    struct device *bare = i8259_create(&r.board, "bare", &pins);
    struct irq_line in = i8259_input(bare, 3);
    words(0x1a0, 0x1b, 0x40, 0, 0x01);                /* single, level triggered */
    irq_set(&in, true);
    ck_assert_uint_eq(i8259_intack(bare), 0x43);
    rig_out8(&r, 0x1a0, 0x20);
    ck_assert(r.probe[5].level);
    irq_set(&in, false);
    ck_assert(!r.probe[5].level);
}
END_TEST

START_TEST(ltim_means_nothing_where_there_is_an_elcr)
{
    words(MASTER, 0x19, 0x08, 0x04, 0x01);
    raise(5);
    intack();
    eoi(MASTER);
    ck_assert(!intr());
}
END_TEST

START_TEST(specific_eoi_ends_the_level_it_names)
{
    raise(4);
    intack();
    raise(1);
    intack();
    rig_out8(&r, MASTER, 0x64);
    ck_assert_uint_eq(isr_of(MASTER), 0x02);
}
END_TEST

START_TEST(automatic_eoi_leaves_nothing_in_service)
{
    words(MASTER, 0x11, 0x08, 0x04, 0x03);
    raise(3);
    ck_assert_uint_eq(intack(), 0x0b);
    ck_assert_uint_eq(isr_of(MASTER), 0);
    raise(5);
    ck_assert(intr());
}
END_TEST

START_TEST(rotation_in_automatic_eoi_mode_makes_the_served_line_last)
{
    words(MASTER, 0x11, 0x08, 0x04, 0x03);
    rig_out8(&r, MASTER, 0x80);
    raise(3);
    intack();
    raise(1);
    raise(6);
    ck_assert_uint_eq(intack(), 0x0e);                /* after 3 come 4 5 6 7 0 1 2 */
    rig_out8(&r, MASTER, 0x00);
    ck_assert_uint_eq(intack(), 0x09);
    pulse(0);
    pulse(6);
    ck_assert_uint_eq(intack(), 0x08);                /* the last rotation was after 6: 7 0 1 ... */
}
END_TEST

START_TEST(rotate_on_non_specific_eoi_makes_the_served_line_last)
{
    raise(3);
    intack();
    rig_out8(&r, MASTER, 0xa0);
    raise(1);
    raise(4);
    ck_assert_uint_eq(intack(), 0x0c);
}
END_TEST

START_TEST(rotate_on_specific_eoi_makes_the_named_line_last)
{
    raise(3);
    intack();
    rig_out8(&r, MASTER, 0xe3);
    ck_assert_uint_eq(isr_of(MASTER), 0);
    raise(0);
    raise(7);
    ck_assert_uint_eq(intack(), 0x0f);
}
END_TEST

START_TEST(set_priority_command_changes_the_order_only)
{
    rig_out8(&r, MASTER, 0xc5);                       /* 5 is last, 6 is first */
    raise(5);
    raise(0);
    raise(6);
    ck_assert_uint_eq(intack(), 0x0e);
    ck_assert_uint_eq(isr_of(MASTER), 0x40);
    eoi(MASTER);
    ck_assert_uint_eq(intack(), 0x08);
}
END_TEST

START_TEST(special_mask_mode_lets_lower_levels_through)
{
    raise(3);
    intack();
    raise(6);
    ck_assert(!intr());
    rig_out8(&r, MASTER, 0x68);
    ck_assert(!intr());                               /* level 3 is not masked yet */
    rig_out8(&r, MASTER + 1, 0x08);
    ck_assert(intr());
    ck_assert_uint_eq(intack(), 0x0e);
    eoi(MASTER);                                      /* passes over the masked level 3 */
    ck_assert_uint_eq(isr_of(MASTER), 0x08);
    rig_out8(&r, MASTER, 0x48);                       /* reset special mask mode */
    eoi(MASTER);
    ck_assert_uint_eq(isr_of(MASTER), 0);
}
END_TEST

START_TEST(fully_nested_mode_holds_back_a_second_request_of_the_slave)
{
    raise(12);
    intack();
    raise(9);
    ck_assert(!intr());
}
END_TEST

START_TEST(special_fully_nested_mode_lets_the_slave_interrupt_itself)
{
    words(MASTER, 0x11, 0x08, 0x04, 0x11);
    raise(12);
    ck_assert_uint_eq(intack(), 0x74);
    raise(9);
    ck_assert(intr());
    ck_assert_uint_eq(intack(), 0x71);
    ck_assert_uint_eq(isr_of(SLAVE), 0x12);
    eoi(SLAVE);
    ck_assert_uint_eq(isr_of(SLAVE), 0x10);
}
END_TEST

START_TEST(slave_with_more_pending_gives_the_master_a_new_edge)
{
    words(SLAVE, 0x11, 0x70, 0x02, 0x03);             /* automatic EOI in the slave: its INT would stay high */
    raise(9);
    raise(12);
    ck_assert_uint_eq(intack(), 0x71);
    eoi(MASTER);
    ck_assert(intr());
    ck_assert_uint_eq(intack(), 0x74);
}
END_TEST

START_TEST(poll_acknowledges_and_gives_the_level)
{
    raise(3);
    rig_out8(&r, MASTER, 0x0c);
    ck_assert_uint_eq(rig_in8(&r, MASTER), 0x83);
    ck_assert_uint_eq(isr_of(MASTER), 0x08);
    ck_assert(!intr());
    rig_out8(&r, MASTER, 0x0c);
    ck_assert_uint_eq(rig_in8(&r, MASTER) & 0x80, 0); /* nothing more */
    ck_assert_uint_eq(rig_in8(&r, MASTER), 0x08);     /* one read only: ISR again */
}
END_TEST

START_TEST(slave_answers_to_its_identity_not_to_its_wire)
{
    words(SLAVE, 0x11, 0x70, 0x05, 0x01);             /* wrong identity: wired to 2, says 5 */
    raise(8);
    ck_assert(intr());
    ck_assert_uint_eq(intack(), 0xff);                /* nobody drives the bus */
}
END_TEST

START_TEST(mcs80_mode_gives_the_low_byte_of_a_call_address)
{
    words(MASTER, 0x13 | 0xe4, 0x12, 0, 0x00);        /* single, interval 4, A7-A5 = 111 */
    raise(3);
    ck_assert_uint_eq(intack(), 0xe0 | 3 << 2);
    words(MASTER, 0x13 | 0xc0, 0x12, 0, 0x00);        /* interval 8, A7-A6 = 11 */
    pulse(3);
    ck_assert_uint_eq(intack(), 0xc0 | 3 << 3);
}
END_TEST

START_TEST(without_icw4_its_functions_are_off)
{
    words(MASTER, 0x12, 0x08, 0, 0);
    raise(1);
    ck_assert_uint_eq(intack(), 0x08);                /* MCS-80, interval 8: level 1 */
}
END_TEST

START_TEST(buffered_mode_takes_master_or_slave_from_icw4)
{
    words(SLAVE, 0x11, 0x70, 0x02, 0x09);             /* buffered, slave */
    raise(8);
    ck_assert_uint_eq(intack(), 0x70);
    eoi(SLAVE);
    eoi(MASTER);
    words(SLAVE, 0x11, 0x70, 0x02, 0x0d);             /* buffered, claims to be a master: ignores the CAS lines */
    pulse(8);
    ck_assert_uint_eq(intack(), 0xff);
}
END_TEST

START_TEST(icw1_clears_mask_and_service_and_selects_irr)
{
    rig_out8(&r, MASTER + 1, 0xf0);
    raise(1);
    intack();
    rig_out8(&r, MASTER, 0x0b);
    at_setup();
    ck_assert_uint_eq(rig_in8(&r, MASTER + 1), 0);
    ck_assert_uint_eq(isr_of(MASTER), 0);
    at_setup();
    pulse(1);
    ck_assert_uint_eq(rig_in8(&r, MASTER), 0x02);     /* IRR without asking for it */
}
END_TEST

START_TEST(ocw3_without_rr_keeps_the_register_choice)
{
    raise(1);
    intack();
    rig_out8(&r, MASTER, 0x0b);
    rig_out8(&r, MASTER, 0x08);
    ck_assert_uint_eq(rig_in8(&r, MASTER), 0x02);
}
END_TEST

START_TEST(state_is_complete)
{
    raise(3);
    intack();
    raise(9);
    rig_check_device(master);
    rig_check_device(slave);
}
END_TEST

static struct device *make_for_fuzz(struct rig *on)
{
    struct device *m, *s;
    make_pair(on, &m, &s);
    return m;
}

static void wiggle(struct rig *on, struct device *d, uint64_t random)
{
    struct irq_line in = i8259_input(random & 8 ? board_find(&on->board, "pic1") : d, random & 7);
    in.level = !(random >> 8 & 1);
    irq_set(&in, random >> 8 & 1);
    if (random >> 9 & 1) i8259_intack(d);
}

START_TEST(random_accesses_do_no_harm)
{
    static const struct rig_window w[] = { { .base = MASTER, .count = 2 }, { .base = SLAVE, .count = 2 },
                                           { .base = 0x4d0, .count = 2 } };
    rig_fuzz_seeds(make_for_fuzz, w, 3, wiggle);
}
END_TEST

int main(void)
{
    return rig_run("i8259", setup, teardown, RIG_TESTS(
        &uninitialised_chip_never_interrupts,
        &vector_is_icw2_plus_level,
        &slave_vector_comes_through_the_cascade,
        &lower_level_waits_for_the_eoi_of_a_higher_one,
        &higher_level_interrupts_a_lower_one,
        &master_line_4_waits_for_slave_line_8,
        &masked_line_does_not_interrupt_but_is_remembered,
        &edge_triggered_line_held_high_interrupts_once,
        &edge_that_falls_before_intack_is_a_spurious_irq7,
        &masking_before_intack_is_a_spurious_irq15_with_the_cascade_in_service,
        &level_triggered_line_interrupts_until_it_falls,
        &elcr_keeps_system_lines_edge_triggered,
        &bare_chip_takes_its_trigger_mode_from_ltim,
        &ltim_means_nothing_where_there_is_an_elcr,
        &specific_eoi_ends_the_level_it_names,
        &automatic_eoi_leaves_nothing_in_service,
        &rotation_in_automatic_eoi_mode_makes_the_served_line_last,
        &rotate_on_non_specific_eoi_makes_the_served_line_last,
        &rotate_on_specific_eoi_makes_the_named_line_last,
        &set_priority_command_changes_the_order_only,
        &special_mask_mode_lets_lower_levels_through,
        &fully_nested_mode_holds_back_a_second_request_of_the_slave,
        &special_fully_nested_mode_lets_the_slave_interrupt_itself,
        &slave_with_more_pending_gives_the_master_a_new_edge,
        &poll_acknowledges_and_gives_the_level,
        &slave_answers_to_its_identity_not_to_its_wire,
        &mcs80_mode_gives_the_low_byte_of_a_call_address,
        &without_icw4_its_functions_are_off,
        &buffered_mode_takes_master_or_slave_from_icw4,
        &icw1_clears_mask_and_service_and_selects_irr,
        &ocw3_without_rr_keeps_the_register_choice,
        &state_is_complete,
        &random_accesses_do_no_harm));
}
