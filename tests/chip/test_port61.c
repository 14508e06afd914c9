/* Ports 61h and 92h from their pins. */
#include <check.h>

#include "devices/i8254.h"
#include "devices/port61.h"
#include "devices/port92.h"
#include "tests/chip/rig.h"

enum { GATE2, NMI, A20, INIT };

static struct rig r;
static struct device *p61, *p92, *pit;

static struct device *make61(struct rig *on)
{
    struct device *timer = i8254_create(&on->board, "pit", &(struct i8254_pins){ .base = 0x40 });
    return port61_create(&on->board, "port61", &(struct port61_pins){
        .base = 0x61, .gate2 = i8254_gate(timer, 2), .nmi = rig_probe(on, NMI), .out2 = i8254_out_sense(timer, 2),
        .refresh = i8254_toggle_sense(timer, 1) });
}

static struct device *make92(struct rig *on)
{
    return port92_create(&on->board, "port92",
                         &(struct port92_pins){ .base = 0x92, .a20 = rig_probe(on, A20), .init = rig_probe(on, INIT) });
}

static void setup(void)
{
    rig_init(&r);
    p61 = make61(&r);
    p92 = make92(&r);
    pit = board_find(&r.board, "pit");
}

static void teardown(void) { rig_fini(&r); }

START_TEST(refresh_bit_toggles_with_every_refresh)
{
    /* Channel 1 counts 18 ticks of 838 ns: 15.085 us. */
    unsigned toggles = 0;
    bool last = rig_in8(&r, 0x61) & 0x10;
    for (unsigned us = 0; us < 15085; us++) {
        rig_step_ns(&r, 1000);
        bool now = rig_in8(&r, 0x61) & 0x10;
        toggles += now != last;
        last = now;
    }
    ck_assert_uint_ge(toggles, 999);
    ck_assert_uint_le(toggles, 1001);
}
END_TEST

START_TEST(bit_5_is_out2_and_bit_0_its_gate)
{
    rig_out8(&r, 0x43, 0xb0);                         /* channel 2, mode 0 */
    rig_out8(&r, 0x42, 100);
    rig_out8(&r, 0x42, 0);
    rig_step_ns(&r, 200000);
    ck_assert_uint_eq(rig_in8(&r, 0x61) & 0x20, 0);   /* gate low: it does not count */
    rig_out8(&r, 0x61, 0x01);
    rig_step_ns(&r, 80000);
    ck_assert_uint_eq(rig_in8(&r, 0x61) & 0x20, 0);
    rig_step_ns(&r, 10000);
    ck_assert_uint_eq(rig_in8(&r, 0x61) & 0x2f, 0x21);
}
END_TEST

START_TEST(only_the_low_four_bits_are_written)
{
    rig_out8(&r, 0x61, 0xff);
    ck_assert_uint_eq(rig_in8(&r, 0x61) & 0xcf, 0x0f);
}
END_TEST

START_TEST(channel_check_raises_nmi_until_its_bit_is_set)
{
    struct irq_line iochk = port61_input(p61, PORT61_IOCHK);
    irq_set(&iochk, true);
    ck_assert(r.probe[NMI].level);
    ck_assert_uint_eq(rig_in8(&r, 0x61) & 0xc0, 0x40);
    irq_set(&iochk, false);
    ck_assert(r.probe[NMI].level);                    /* latched */
    rig_out8(&r, 0x61, 0x08);
    ck_assert(!r.probe[NMI].level);
    irq_set(&iochk, true);
    ck_assert(!r.probe[NMI].level);                   /* switched off */
}
END_TEST

START_TEST(system_error_is_masked_by_port_70)
{
    struct irq_line serr = port61_input(p61, PORT61_SERR), mask = port61_input(p61, PORT61_NMI_MASK);
    irq_set(&mask, true);
    irq_set(&serr, true);
    ck_assert(!r.probe[NMI].level);
    ck_assert_uint_eq(rig_in8(&r, 0x61) & 0xc0, 0x80);
    irq_set(&mask, false);
    ck_assert_uint_eq(r.probe[NMI].rises, 1);
}
END_TEST

START_TEST(port_92_opens_a20)
{
    ck_assert(!r.probe[A20].level);
    rig_out8(&r, 0x92, 0x02);
    ck_assert(r.probe[A20].level);
    ck_assert_uint_eq(rig_in8(&r, 0x92), 0x02);
    rig_out8(&r, 0x92, 0x00);
    ck_assert(!r.probe[A20].level);
}
END_TEST

START_TEST(port_92_resets_on_a_rising_bit_only)
{
    rig_out8(&r, 0x92, 0x01);
    rig_out8(&r, 0x92, 0x01);
    ck_assert_uint_eq(r.probe[INIT].rises, 1);
    ck_assert(!r.probe[INIT].level);
    rig_out8(&r, 0x92, 0x00);
    rig_out8(&r, 0x92, 0x03);
    ck_assert_uint_eq(r.probe[INIT].rises, 2);
}
END_TEST

START_TEST(state_is_complete)
{
    rig_out8(&r, 0x61, 3);
    rig_check_device(p61);
    rig_check_device(p92);
}
END_TEST

START_TEST(random_accesses_do_no_harm)
{
    static const struct rig_window w61[] = { { .base = 0x60, .count = 3 }, { .base = 0x40, .count = 4 } };
    static const struct rig_window w92[] = { { .base = 0x91, .count = 3 } };
    rig_fuzz_seeds(make61, w61, 2, NULL);
    rig_fuzz_seeds(make92, w92, 1, NULL);
}
END_TEST

int main(void)
{
    return rig_run("port61", setup, teardown, RIG_TESTS(
        &refresh_bit_toggles_with_every_refresh,
        &bit_5_is_out2_and_bit_0_its_gate,
        &only_the_low_four_bits_are_written,
        &channel_check_raises_nmi_until_its_bit_is_set,
        &system_error_is_masked_by_port_70,
        &port_92_opens_a20,
        &port_92_resets_on_a_rising_bit_only,
        &state_is_complete,
        &random_accesses_do_no_harm));
}
