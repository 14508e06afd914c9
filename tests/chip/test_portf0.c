/* The coprocessor error logic from its pins. */
#include "devices/portf0.h"
#include "tests/chip/rig.h"

enum { IRQ13, IGNNE };

static struct rig r;
static struct device *chip;
static struct irq_line ferr;

static struct device *make(struct rig *on)
{
    return portf0_create(&on->board, "portf0",
                         &(struct portf0_pins){ .base = 0xf0, .irq = rig_probe(on, IRQ13), .ignne = rig_probe(on, IGNNE) });
}

static void setup(void)
{
    rig_init(&r);
    chip = make(&r);
    ferr = portf0_ferr(chip);
}

static void teardown(void) { rig_fini(&r); }

START_TEST(an_error_is_latched_as_irq13)
{
    irq_set(&ferr, true);
    ck_assert(r.probe[IRQ13].level && !r.probe[IGNNE].level);
    irq_set(&ferr, false);
    ck_assert(r.probe[IRQ13].level);
    rig_out8(&r, 0xf0, 0);
    ck_assert(!r.probe[IRQ13].level && !r.probe[IGNNE].level);      /* nothing is wrong any more */
}
END_TEST

START_TEST(a_write_takes_the_interrupt_back_and_lets_the_processor_go_on)
{
    irq_set(&ferr, true);
    rig_out8(&r, 0xf0, 0x55);
    ck_assert(!r.probe[IRQ13].level && r.probe[IGNNE].level);
    irq_set(&ferr, false);
    ck_assert(!r.probe[IGNNE].level);
    irq_set(&ferr, true);                                            /* the next error interrupts again */
    ck_assert(r.probe[IRQ13].level && !r.probe[IGNNE].level);
    ck_assert_uint_eq(r.probe[IRQ13].rises, 2);
}
END_TEST

START_TEST(without_an_error_a_write_does_nothing)
{
    rig_out8(&r, 0xf0, 0);
    ck_assert(!r.probe[IRQ13].level && !r.probe[IGNNE].level);
    irq_set(&ferr, true);
    ck_assert(r.probe[IRQ13].level && !r.probe[IGNNE].level);
}
END_TEST

START_TEST(reset_takes_both_outputs_back)
{
    irq_set(&ferr, true);
    board_reset(&r.board, RESET_HARD);
    ck_assert(!r.probe[IRQ13].level);
    rig_out8(&r, 0xf0, 0);
    ck_assert(r.probe[IGNNE].level);                                 /* the processor's pin did not fall */
    board_reset(&r.board, RESET_HARD);
    ck_assert(!r.probe[IGNNE].level);
}
END_TEST

START_TEST(state_is_complete)
{
    irq_set(&ferr, true);
    rig_check_device(chip);
}
END_TEST

START_TEST(random_accesses_do_no_harm)
{
    static const struct rig_window window[] = { { .base = 0xef, .count = 3 } };
    rig_fuzz_seeds(make, window, 1, NULL);
}
END_TEST

int main(void)
{
    return rig_run("portf0", setup, teardown, RIG_TESTS(
        &an_error_is_latched_as_irq13,
        &a_write_takes_the_interrupt_back_and_lets_the_processor_go_on,
        &without_an_error_a_write_does_nothing,
        &reset_takes_both_outputs_back,
        &state_is_complete,
        &random_accesses_do_no_harm));
}
