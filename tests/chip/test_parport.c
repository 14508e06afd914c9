/* The parallel port from its registers and its plug. */
#include <check.h>

#include "devices/parport.h"
#include "tests/chip/rig.h"

enum { IRQ };
enum { DATA = 0x378, STATUS, CONTROL };

static struct rig r;
static struct device *port;
static struct rig_cable printer;

static struct device *make(struct rig *on)
{
    return parport_create(&on->board, "lpt1",
                          &(struct parport_pins){ .base = DATA, .irq = rig_probe(on, IRQ), .chr = &printer.chr });
}

static void setup(void)
{
    rig_init(&r);
    rig_cable_init(&printer);
    port = make(&r);
}

static void teardown(void) { rig_fini(&r); }

static void print(char c, uint8_t control)
{
    rig_out8(&r, DATA, (uint8_t)c);
    rig_out8(&r, CONTROL, control | 1);
    rig_out8(&r, CONTROL, control);
}

START_TEST(strobe_sends_the_byte_once)
{
    print('A', 0x0c);
    ck_assert_str_eq(printer.sent, "A");
    rig_step_ns(&r, 20000);
    rig_out8(&r, CONTROL, 0x0d);
    rig_out8(&r, CONTROL, 0x0d);
    ck_assert_str_eq(printer.sent, "AA");
}
END_TEST

START_TEST(printer_is_busy_then_acknowledges)
{
    ck_assert_uint_eq(rig_in8(&r, STATUS), 0xdf);
    print('A', 0x0c);
    ck_assert_uint_eq(rig_in8(&r, STATUS), 0x5f);
    rig_step_ns(&r, 11000);
    ck_assert_uint_eq(rig_in8(&r, STATUS), 0x1f);
    rig_step_ns(&r, 5000);
    ck_assert_uint_eq(rig_in8(&r, STATUS), 0xdf);
}
END_TEST

START_TEST(strobe_while_busy_is_lost)
{
    print('A', 0x0c);
    print('B', 0x0c);
    ck_assert_str_eq(printer.sent, "A");
}
END_TEST

START_TEST(acknowledge_interrupts_until_status_is_read)
{
    print('A', 0x1c);
    ck_assert(!r.probe[IRQ].level);
    ck_assert(rig_step_until(&r, IRQ, true, 20000));
    ck_assert_uint_eq(rig_in8(&r, STATUS), 0xdb);
    ck_assert(!r.probe[IRQ].level);
    ck_assert_uint_eq(rig_in8(&r, STATUS), 0xdf);
}
END_TEST

START_TEST(each_byte_has_an_edge_though_status_is_never_read)
{
    print('A', 0x1c);
    rig_step_ns(&r, 20000);
    print('B', 0x1c);
    rig_step_ns(&r, 20000);
    ck_assert_uint_eq(r.probe[IRQ].rises, 2);
}
END_TEST

START_TEST(no_interrupt_without_its_enable_bit)
{
    print('A', 0x0c);
    rig_step_ns(&r, 20000);
    ck_assert_uint_eq(r.probe[IRQ].rises, 0);
}
END_TEST

START_TEST(nothing_plugged_in_reads_7f)
{
    parport_create(&r.board, "lpt2", &(struct parport_pins){ .base = 0x278 });
    ck_assert_uint_eq(rig_in8(&r, 0x279), 0x7f);
}
END_TEST

START_TEST(data_register_reads_back_unless_turned_round)
{
    rig_out8(&r, DATA, 0x5a);
    ck_assert_uint_eq(rig_in8(&r, DATA), 0x5a);
    rig_out8(&r, CONTROL, 0x2c);
    ck_assert_uint_eq(rig_in8(&r, DATA), 0xff);
    ck_assert_uint_eq(rig_in8(&r, CONTROL), 0xec);
    rig_out8(&r, CONTROL, 0x0c);
    ck_assert_uint_eq(rig_in8(&r, DATA), 0x5a);
}
END_TEST

START_TEST(epp_registers_are_not_there)
{
    ck_assert_uint_eq(rig_in8(&r, 0x37b), 0xff);
    ck_assert_ptr_null(port_owner(&r.ports, 0x37b));
}
END_TEST

START_TEST(state_is_complete)
{
    print('A', 0x1c);
    rig_check_device(port);
    ck_assert(rig_step_until(&r, IRQ, true, 20000));
}
END_TEST

START_TEST(random_accesses_do_no_harm)
{
    static const struct rig_window w[] = { { .base = DATA, .count = 4 } };
    rig_fuzz_seeds(make, w, 1, NULL);
}
END_TEST

int main(void)
{
    return rig_run("parport", setup, teardown, RIG_TESTS(
        &strobe_sends_the_byte_once,
        &printer_is_busy_then_acknowledges,
        &strobe_while_busy_is_lost,
        &acknowledge_interrupts_until_status_is_read,
        &each_byte_has_an_edge_though_status_is_never_read,
        &no_interrupt_without_its_enable_bit,
        &nothing_plugged_in_reads_7f,
        &data_register_reads_back_unless_turned_round,
        &epp_registers_are_not_there,
        &state_is_complete,
        &random_accesses_do_no_harm));
}
