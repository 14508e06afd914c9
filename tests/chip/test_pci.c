/* The PCI bus: configuration mechanism 1, BARs, INTx (PCI Local Bus Specification 2.1, chapters 3.2.2.3, 6.2). */
#include <stdlib.h>

#include "base/bytes.h"
#include "devices/pci.h"
#include "tests/chip/rig.h"

struct card {                                 /* a function with a port BAR, a memory BAR and a ROM */
    struct pci_function pci;
    struct region memory, rom;
    unsigned reads, writes;
    uint32_t last, unused;
};

static const struct state_field card_fields[] = {
    FIELD_STRUCT(struct card, pci, &pci_function_state, "PCI function"),
    FIELD_WIRING(struct card, memory), FIELD_WIRING(struct card, rom), FIELD_WIRING(struct card, reads),
    FIELD_WIRING(struct card, writes), FIELD_WIRING(struct card, last), FIELD_WIRING(struct card, unused),
};
static const struct state_desc card_state = STATE_DESC(struct card, "card", card_fields);

static void card_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    pci_function_reset((struct pci_function *)d);
}


static void card_loaded(struct device *d) { pci_function_loaded((struct pci_function *)d); }
static void card_destroy(struct device *d) { free(d); }
static const struct device_class card_class = { "card", "Test card", card_reset, card_loaded, card_destroy,
                                                &card_state };

static uint64_t card_read(void *dev, uint64_t off, unsigned size)
{
    struct card *c = dev;
    c->reads++;
    return (0x50 + off) & ones(size);
}

static void card_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct card *c = dev;
    (void)off, (void)size;
    c->writes++;
    c->last = (uint32_t)val;
}

static const struct io_ops card_ops = { card_read, card_write, 1, 4 };

static struct rig r;
static struct pci_bus *bus;
static struct card *card;

static struct card *make_card(unsigned device, unsigned function, const char *id)
{
    struct card *c = calloc(1, sizeof *c);
    pci_function_init(&c->pci, bus, &card_class, id, device, function, 0x1234, 0x5678, 0x020000, 7);
    pci_set_subsystem(&c->pci, 0xabcd, 0xef01);
    c->pci.config[PCI_INT_PIN] = 1;
    c->memory = (struct region){ .name = id, .prio = PRIO_MMIO, .reads = true, .writes = true, .io = &card_ops,
                                 .dev = c };
    c->rom = (struct region){ .name = id, .prio = PRIO_ROM, .reads = true, .writes = true, .io = &card_ops, .dev = c };
    pci_set_bar(&c->pci, 0, &(struct pci_bar){ .size = 32, .io = true, .ops = &card_ops });
    pci_set_bar(&c->pci, 1, &(struct pci_bar){ .size = 0x4000, .region = &c->memory, .prefetch = true });
    pci_set_bar(&c->pci, 6, &(struct pci_bar){ .size = 0x8000, .region = &c->rom });
    return c;
}

static void setup(void)
{
    rig_init(&r);
    struct pci_pins pins = { .inta = { rig_probe(&r, 0), rig_probe(&r, 1), rig_probe(&r, 2), rig_probe(&r, 3) } };
    bus = pci_bus_create(&r.board, "pci", &pins);
    card = make_card(3, 0, "card");
}

static void teardown(void) { rig_fini(&r); }

static void address(unsigned device, unsigned function, unsigned reg)
{
    rig_out32(&r, 0xcf8, 0x80000000u | device << 11 | function << 8 | (reg & 0xfc));
}

static uint32_t config32(unsigned device, unsigned reg) { address(device, 0, reg); return rig_in32(&r, 0xcfc); }
static void config32_write(unsigned device, unsigned reg, uint32_t v)
{
    address(device, 0, reg);
    rig_out32(&r, 0xcfc, v);
}

START_TEST(address_register_needs_a_dword_access)
{
    rig_out32(&r, 0xcf8, 0x80001804);
    ck_assert_uint_eq(rig_in32(&r, 0xcf8), 0x80001804);
    rig_out8(&r, 0xcf8, 0x55);
    rig_out16(&r, 0xcfa, 0x5555);
    ck_assert_uint_eq(rig_in32(&r, 0xcf8), 0x80001804);
    ck_assert_uint_eq(rig_in8(&r, 0xcf8), 0xff);
    rig_out32(&r, 0xcf8, 0xffffffff);
    ck_assert_uint_eq(rig_in32(&r, 0xcf8), 0x80fffffc);
}
END_TEST

START_TEST(identity_is_read_by_byte_word_and_dword)
{
    ck_assert_uint_eq(config32(3, 0), 0x56781234);
    ck_assert_uint_eq(rig_in16(&r, 0xcfe), 0x5678);
    ck_assert_uint_eq(rig_in8(&r, 0xcfd), 0x12);
    ck_assert_uint_eq(config32(3, 8), 0x02000007);
    ck_assert_uint_eq(config32(3, 0x2c), 0xef01abcd);
}
END_TEST

START_TEST(absent_functions_read_all_ones)
{
    ck_assert_uint_eq(config32(4, 0), 0xffffffff);
    address(3, 1, 0);
    ck_assert_uint_eq(rig_in32(&r, 0xcfc), 0xffffffff);
    rig_out32(&r, 0xcf8, 0x80011800);         /* bus 1 */
    ck_assert_uint_eq(rig_in32(&r, 0xcfc), 0xffffffff);
    rig_out32(&r, 0xcf8, 0x00001800);         /* enable bit clear */
    ck_assert_uint_eq(rig_in32(&r, 0xcfc), 0xffffffff);
}
END_TEST

START_TEST(read_only_bits_stay)
{
    config32_write(3, 0, 0xdeadbeef);
    ck_assert_uint_eq(config32(3, 0), 0x56781234);
    config32_write(3, 4, 0xffffffff);
    ck_assert_uint_eq(config32(3, 4) & 0xffff, 0x0147);
    config32_write(3, 0x3c, 0xffffff0b);
    ck_assert_uint_eq(config32(3, 0x3c) & 0xffff, 0x010b);   /* the pin is hardwired */
}
END_TEST

START_TEST(bar_size_is_found_by_writing_ones)
{
    config32_write(3, 0x10, 0xffffffff);
    ck_assert_uint_eq(config32(3, 0x10), 0xffffffe1);
    config32_write(3, 0x14, 0xffffffff);
    ck_assert_uint_eq(config32(3, 0x14), 0xffffc008);
    config32_write(3, 0x30, 0xfffffffe);
    ck_assert_uint_eq(config32(3, 0x30), 0xffff8000);
    config32_write(3, 0x18, 0xffffffff);
    ck_assert_uint_eq(config32(3, 0x18), 0);
}
END_TEST

START_TEST(port_bar_answers_only_where_and_while_enabled)
{
    config32_write(3, 0x10, 0xc000);
    ck_assert_uint_eq(rig_in8(&r, 0xc004), 0xff);
    config32_write(3, 4, PCI_COMMAND_IO);
    ck_assert_uint_eq(rig_in8(&r, 0xc004), 0x54);
    ck_assert_uint_eq(rig_in8(&r, 0xc020), 0xff);
    config32_write(3, 0x10, 0xd000);
    ck_assert_uint_eq(rig_in8(&r, 0xc004), 0xff);
    ck_assert_uint_eq(rig_in8(&r, 0xd01f), 0x6f);
    config32_write(3, 4, 0);
    ck_assert_uint_eq(rig_in8(&r, 0xd01f), 0xff);
}
END_TEST

START_TEST(memory_bar_answers_only_where_and_while_enabled)
{
    config32_write(3, 0x14, 0xe0000000);
    ck_assert_uint_eq(phys_load(&r.mem, 0xe0000010, 4, false), 0xffffffff);
    config32_write(3, 4, PCI_COMMAND_MEMORY);
    ck_assert_uint_eq(phys_load(&r.mem, 0xe0000010, 4, false), 0x60);
    phys_store(&r.mem, 0xe0000010, 0x12345678, 4, false);
    ck_assert_uint_eq(card->last, 0x12345678);
    config32_write(3, 0x14, 0xe0100000);
    ck_assert_uint_eq(phys_load(&r.mem, 0xe0000010, 4, false), 0xffffffff);
    ck_assert_uint_eq(phys_load(&r.mem, 0xe0100010, 4, false), 0x60);
}
END_TEST

START_TEST(sizing_a_live_bar_maps_nothing)
{
    config32_write(3, 4, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    config32_write(3, 0x10, 0xffffffff);
    config32_write(3, 0x14, 0xffffffff);
    ck_assert_uint_eq(rig_in8(&r, 0xffe0), 0xff);
    ck_assert_uint_eq(phys_load(&r.mem, 0xffffc000, 4, false), 0xffffffff);
    config32_write(3, 0x10, 0);
    config32_write(3, 0x14, 0);
    ck_assert_uint_ne(phys_load(&r.mem, 0x10, 4, false), 0x60);
    ck_assert_uint_eq(card->reads, 0);
}
END_TEST

START_TEST(rom_needs_both_enables)
{
    config32_write(3, 0x30, 0xf0000000);
    config32_write(3, 4, PCI_COMMAND_MEMORY);
    ck_assert_uint_eq(phys_load(&r.mem, 0xf0000000, 1, false), 0xff);
    config32_write(3, 0x30, 0xf0000001);
    ck_assert_uint_eq(phys_load(&r.mem, 0xf0000000, 1, false), 0x50);
}
END_TEST

START_TEST(interrupt_pins_rotate_with_the_slot)
{
    pci_set_intx(&card->pci, true);           /* device 3, INTA#: PIRQC# */
    ck_assert(r.probe[2].level && !r.probe[0].level && !r.probe[1].level && !r.probe[3].level);
    pci_set_intx(&card->pci, false);
    ck_assert(!r.probe[2].level);
    struct card *other = make_card(1, 0, "card1");
    pci_set_intx(&other->pci, true);          /* device 1, INTA#: PIRQA# */
    ck_assert(r.probe[0].level);
}
END_TEST

START_TEST(shared_interrupt_is_high_until_the_last_lets_go)
{
    struct card *other = make_card(7, 0, "card7");   /* also PIRQC# */
    pci_set_intx(&card->pci, true);
    pci_set_intx(&other->pci, true);
    pci_set_intx(&card->pci, false);
    ck_assert(r.probe[2].level);
    pci_set_intx(&other->pci, false);
    ck_assert(!r.probe[2].level);
}
END_TEST

START_TEST(second_function_makes_the_first_multifunction)
{
    ck_assert_uint_eq(config32(3, 0x0c) >> 16 & 0x80, 0);
    make_card(3, 1, "card.1");
    ck_assert_uint_eq(config32(3, 0x0c) >> 16 & 0x80, 0x80);
}
END_TEST

START_TEST(reset_unmaps_and_lowers_the_interrupt)
{
    config32_write(3, 0x10, 0xc000);
    config32_write(3, 4, PCI_COMMAND_IO);
    pci_set_intx(&card->pci, true);
    board_reset(&r.board, RESET_HARD);
    ck_assert(!r.probe[2].level);
    ck_assert_uint_eq(rig_in8(&r, 0xc004), 0xff);
    ck_assert_uint_eq(config32(3, 0x10), 1);
}
END_TEST

START_TEST(load_moves_bars_to_where_the_state_has_them)
{
    struct state_buf saved = { 0 };
    config32_write(3, 0x10, 0xc000);
    config32_write(3, 0x14, 0xe0000000);
    config32_write(3, 4, 7);
    rig_save(&card->pci.dev, &saved);
    config32_write(3, 0x10, 0xd000);
    config32_write(3, 4, PCI_COMMAND_IO);
    rig_load(&card->pci.dev, &saved);
    ck_assert_uint_eq(rig_in8(&r, 0xc000), 0x50);
    ck_assert_uint_eq(rig_in8(&r, 0xd000), 0xff);
    ck_assert_uint_eq(phys_load(&r.mem, 0xe0000000, 1, false), 0x50);
    ck_assert(card->pci.master);
    state_buf_fini(&saved);
}
END_TEST

START_TEST(state_is_complete)
{
    rig_check_device(pci_bus_device(bus));
    rig_check_device(&card->pci.dev);
}
END_TEST

static struct device *make_bus(struct rig *on)
{
    struct pci_pins pins = { .inta = { rig_probe(on, 0), rig_probe(on, 1), rig_probe(on, 2), rig_probe(on, 3) } };
    bus = pci_bus_create(&on->board, "pci", &pins);
    make_card(0, 0, "card");
    return pci_bus_device(bus);
}

START_TEST(random_accesses_do_no_harm)
{
    const struct rig_window w[] = { { 0xcf8, 8, false } };
    rig_fuzz_seeds(make_bus, w, 1, NULL);
}
END_TEST

int main(void)
{
    return rig_run("pci", setup, teardown, RIG_TESTS(
        &address_register_needs_a_dword_access, &identity_is_read_by_byte_word_and_dword,
        &absent_functions_read_all_ones,
        &read_only_bits_stay, &bar_size_is_found_by_writing_ones, &port_bar_answers_only_where_and_while_enabled,
        &memory_bar_answers_only_where_and_while_enabled, &sizing_a_live_bar_maps_nothing, &rom_needs_both_enables,
        &interrupt_pins_rotate_with_the_slot, &shared_interrupt_is_high_until_the_last_lets_go,
        &second_function_makes_the_first_multifunction, &reset_unmaps_and_lowers_the_interrupt,
        &load_moves_bars_to_where_the_state_has_them, &state_is_complete, &random_accesses_do_no_harm));
}
