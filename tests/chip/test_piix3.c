/* The PIIX3: PIRQ routing and the reset control register (datasheet 290550, 3.1.10, 3.4.1). */
#include "devices/piix3.h"
#include "tests/chip/rig.h"

enum { DEVFN = 1 << 3, PIRQRCA = 0x60 };

static struct rig r;
static struct pci_bus *bus;
static struct device *piix3;

static struct device *make(struct rig *on)
{
    struct pci_pins pci_pins = { .inta = { { .set = NULL } } };
    bus = pci_bus_create(&on->board, "pci", &pci_pins);
    struct piix3_pins pins = { .bus = bus, .init = rig_probe(on, 16) };
    for (unsigned i = 0; i < 16; i++) pins.irq[i] = rig_probe(on, i);
    return piix3_create(&on->board, "piix3", &pins);
}

static void setup(void) { rig_init(&r); piix3 = make(&r); }
static void teardown(void) { rig_fini(&r); }

static void route(unsigned pirq, uint8_t v) { pci_config_write(bus, DEVFN, PIRQRCA + pirq, v, 1); }

static void drive(unsigned pirq, bool level)
{
    struct irq_line l = piix3_pirq(piix3, pirq);
    l.level = !level;
    irq_set(&l, level);
}

START_TEST(identity)
{
    ck_assert_uint_eq(pci_config_read(bus, DEVFN, 0, 4), 0x70008086);
    ck_assert_uint_eq(pci_config_read(bus, DEVFN, 8, 4) >> 8, 0x060100);
    ck_assert_uint_eq(pci_config_read(bus, DEVFN, PIRQRCA, 4), 0x80808080);
    ck_assert_uint_eq(pci_config_read(bus, DEVFN, 4, 2) & 7, 7);
}
END_TEST

START_TEST(pirq_drives_the_interrupt_it_is_routed_to)
{
    drive(0, true);
    for (unsigned i = 0; i < 16; i++) ck_assert(!r.probe[i].level);   /* disabled at reset */
    route(0, 10);
    ck_assert(r.probe[10].level);
    route(0, 11);
    ck_assert(!r.probe[10].level && r.probe[11].level);
    route(0, 0x80 | 11);
    ck_assert(!r.probe[11].level);
}
END_TEST

START_TEST(two_pirqs_share_one_interrupt)
{
    route(0, 10);
    route(1, 10);
    drive(0, true);
    drive(1, true);
    drive(0, false);
    ck_assert(r.probe[10].level);
    drive(1, false);
    ck_assert(!r.probe[10].level);
}
END_TEST

START_TEST(reserved_interrupts_cannot_be_routed_to)
{
    static const uint8_t reserved[] = { 0, 1, 2, 8, 13 };
    drive(2, true);
    for (unsigned i = 0; i < sizeof reserved; i++) {
        route(2, reserved[i]);
        ck_assert(!r.probe[reserved[i]].level);
    }
}
END_TEST

START_TEST(cf9_resets_on_the_edge_of_bit_2)
{
    rig_out8(&r, 0xcf9, 0x02);
    ck_assert_uint_eq(r.requests, 0);
    ck_assert_uint_eq(rig_in8(&r, 0xcf9), 0x02);
    rig_out8(&r, 0xcf9, 0x06);
    ck_assert_uint_eq(r.requests, 1);
    ck_assert_int_eq(r.request, BOARD_RESET);
    rig_out8(&r, 0xcf9, 0x06);
    ck_assert_uint_eq(r.requests, 1);
    rig_out8(&r, 0xcf9, 0x00);
    rig_out8(&r, 0xcf9, 0x04);
    ck_assert_uint_eq(r.requests, 1);
    ck_assert_uint_eq(r.probe[16].rises, 1);
}
END_TEST

START_TEST(smi_and_chip_select_registers_are_held)
{
    static const struct { uint8_t off, reset, set; } rows[] = {
        { 0x4e, 0x03, 0xff }, { 0xa0, 0x08, 0x1f }, { 0xa2, 0x00, 0xff }, { 0xa8, 0x0f, 0xff }, { 0xaa, 0x00, 0xff },
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_uint_eq(pci_config_read(bus, DEVFN, rows[i].off, 1), rows[i].reset);
        pci_config_write(bus, DEVFN, rows[i].off, 0xff, 1);
        ck_assert_uint_eq(pci_config_read(bus, DEVFN, rows[i].off, 1), rows[i].set);
    }
    rig_step_ns(&r, 1000000000);              /* a GAP: nothing comes of it, not from the fast-off timer either */
    ck_assert_uint_eq(pci_config_read(bus, DEVFN, 0xa8, 1), 0xff);
}
END_TEST

START_TEST(cf9_is_not_the_configuration_address)
{
    rig_out32(&r, 0xcf8, 0x80000800);
    rig_out8(&r, 0xcf9, 0x02);
    ck_assert_uint_eq(rig_in32(&r, 0xcf8), 0x80000800);
    ck_assert_uint_eq(rig_in32(&r, 0xcfc), 0x70008086);
}
END_TEST

START_TEST(state_is_complete) { rig_check_device(piix3); }
END_TEST

static void poke(struct rig *on, struct device *d, uint64_t random)
{
    (void)on;
    struct irq_line l = piix3_pirq(d, random & 3);
    l.level = !(random & 4);
    irq_set(&l, random & 4);
}

START_TEST(random_accesses_do_no_harm)
{
    const struct rig_window w[] = { { 0xcf8, 8, false } };
    rig_fuzz_seeds(make, w, 1, poke);
}
END_TEST

int main(void)
{
    return rig_run("piix3", setup, teardown, RIG_TESTS(
        &identity, &pirq_drives_the_interrupt_it_is_routed_to, &two_pirqs_share_one_interrupt,
        &reserved_interrupts_cannot_be_routed_to, &cf9_resets_on_the_edge_of_bit_2, &cf9_is_not_the_configuration_address,
        &smi_and_chip_select_registers_are_held, &state_is_complete, &random_accesses_do_no_harm));
}
