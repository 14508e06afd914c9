/* The 82441FX host bridge: what answers in each part of memory (datasheet 290549, 3.2 and 4.1). */
#include <string.h>

#include "devices/i440fx.h"
#include "tests/chip/rig.h"

enum { RAM_SIZE = 20 << 20, ROM_SIZE = 256 << 10 };
enum { PAM0 = 0x59, DRB0 = 0x60, FDHC = 0x68, SMRAM = 0x72, TRC = 0x93 };

static struct rig r;
static struct pci_bus *bus;
static struct device *host;
static struct ram_block *ram, *rom;

static struct device *make(struct rig *on)
{
    region_remove(&on->mem, &on->region);
    struct pci_pins pci_pins = { .inta = { { .set = NULL } } };
    bus = pci_bus_create(&on->board, "pci", &pci_pins);
    ram = ram_create(&on->ram, "main", RAM_SIZE, false, true);
    rom = ram_create(&on->ram, "rom", ROM_SIZE, true, false);
    for (unsigned i = 0; i < ROM_SIZE; i += 0x1000) memset(rom->data + i, 0x80 | i >> 12, 0x1000);
    struct i440fx_pins pins = { .bus = bus, .ram = ram, .rom = rom, .init = rig_probe(on, 0) };
    return i440fx_create(&on->board, "host", &pins);
}

static void setup(void) { rig_init(&r); host = make(&r); }
static void teardown(void) { rig_fini(&r); }

static uint8_t get(uint64_t a) { return (uint8_t)phys_load(&r.mem, a, 1, false); }
static uint8_t get_smm(uint64_t a) { return (uint8_t)phys_load(&r.mem, a, 1, true); }
static void put(uint64_t a, uint8_t v) { phys_store(&r.mem, a, v, 1, false); }
static uint8_t reg(unsigned off) { return (uint8_t)pci_config_read(bus, 0, off, 1); }
static void set_reg(unsigned off, uint8_t v) { pci_config_write(bus, 0, off, v, 1); }

START_TEST(identity_is_the_one_seabios_knows)
{
    ck_assert_uint_eq(pci_config_read(bus, 0, 0, 4), 0x12378086);
    ck_assert_uint_eq(pci_config_read(bus, 0, 8, 4), 0x06000002);
    ck_assert_uint_eq(pci_config_read(bus, 0, 0x2c, 4), 0x11001af4);
    ck_assert_uint_eq(pci_config_read(bus, 0, 4, 2), 0x0006);
}
END_TEST

START_TEST(rom_ends_at_4_gib_and_its_last_128k_at_1_mib)
{
    ck_assert_uint_eq(get(0xffffffff), 0x80 | 63);
    ck_assert_uint_eq(get(0xfffc0000), 0x80);
    ck_assert_uint_eq(get(0xfffff), 0x80 | 63);
    ck_assert_uint_eq(get(0xe0000), 0x80 | 32);
    ck_assert_uint_eq(get(0xdffff), 0xff);
    put(0xf0000, 0x11);
    ck_assert_uint_eq(get(0xf0000), 0x80 | 48);
    ck_assert_uint_eq(ram->data[0xf0000], 0);
}
END_TEST

START_TEST(ram_ends_where_it_ends)
{
    put(0x9ffff, 1);
    put(0x100000, 2);
    put(RAM_SIZE - 1, 3);
    put(RAM_SIZE, 4);
    ck_assert_uint_eq(ram->data[0x9ffff], 1);
    ck_assert_uint_eq(ram->data[0x100000], 2);
    ck_assert_uint_eq(ram->data[RAM_SIZE - 1], 3);
    ck_assert_uint_eq(get(RAM_SIZE), 0xff);
    ck_assert_uint_eq(get(0xa0000), 0xff);
}
END_TEST

START_TEST(each_pam_nibble_rules_its_segment)
{
    static const struct { uint32_t base; uint8_t reg, shift; } seg[] = {
        { 0xf0000, 0x59, 4 }, { 0xc0000, 0x5a, 0 }, { 0xc4000, 0x5a, 4 }, { 0xc8000, 0x5b, 0 }, { 0xcc000, 0x5b, 4 },
        { 0xd0000, 0x5c, 0 }, { 0xd4000, 0x5c, 4 }, { 0xd8000, 0x5d, 0 }, { 0xdc000, 0x5d, 4 }, { 0xe0000, 0x5e, 0 },
        { 0xe4000, 0x5e, 4 }, { 0xe8000, 0x5f, 0 }, { 0xec000, 0x5f, 4 },
    };
    for (unsigned i = 0; i < sizeof seg / sizeof seg[0]; i++) {
        uint8_t outside = get(seg[i].base);
        ram->data[seg[i].base] = 0x42;
        set_reg(seg[i].reg, (uint8_t)(2 << seg[i].shift));     /* write only */
        put(seg[i].base, 0x43);
        ck_assert_uint_eq(ram->data[seg[i].base], 0x43);
        ck_assert_uint_eq(get(seg[i].base), outside);
        set_reg(seg[i].reg, (uint8_t)(1 << seg[i].shift));     /* read only */
        ck_assert_uint_eq(get(seg[i].base), 0x43);
        put(seg[i].base, 0x44);
        ck_assert_uint_eq(ram->data[seg[i].base], 0x43);
        set_reg(seg[i].reg, 0);
        ck_assert_uint_eq(get(seg[i].base), outside);
    }
}
END_TEST

START_TEST(firmware_copies_itself_through_one_address)
{
    set_reg(PAM0, 0x20);
    for (uint32_t a = 0xf0000; a < 0x100000; a += 0x1000) put(a, get(a));
    set_reg(PAM0, 0x10);
    for (uint32_t a = 0xf0000; a < 0x100000; a += 0x1000) ck_assert_uint_eq(get(a), ram->data[a]);
    ck_assert_uint_eq(ram->data[0xff000], 0x80 | 63);
}
END_TEST

START_TEST(smram_is_seen_in_smm_only_unless_open)
{
    ram->data[0xa8000] = 0x77;
    ck_assert_uint_eq(get_smm(0xa8000), 0xff);                 /* G_SMRAME is off */
    set_reg(SMRAM, 0x08);
    ck_assert_uint_eq(get(0xa8000), 0xff);
    ck_assert_uint_eq(get_smm(0xa8000), 0x77);
    set_reg(SMRAM, 0x48);
    ck_assert_uint_eq(get(0xa8000), 0x77);
    ck_assert_uint_eq(get_smm(0xa8000), 0x77);
    ck_assert_uint_eq(reg(SMRAM), 0x4a);                       /* C_BASE_SEG is hardwired */
}
END_TEST

START_TEST(locked_smram_cannot_be_opened_until_reset)
{
    set_reg(SMRAM, 0x58);
    ck_assert_uint_eq(reg(SMRAM), 0x1a);                       /* D_LCK clears D_OPEN */
    set_reg(SMRAM, 0x48);
    ck_assert_uint_eq(reg(SMRAM), 0x1a);
    ck_assert_uint_eq(get(0xa8000), 0xff);
    board_reset(&r.board, RESET_HARD);
    ck_assert_uint_eq(reg(SMRAM), 0x02);
    set_reg(SMRAM, 0x48);
    ck_assert_uint_eq(reg(SMRAM), 0x4a);
}
END_TEST

START_TEST(smram_closed_to_data_is_still_read_in_smm)
{
    ram->data[0xa1234] = 0x77;
    set_reg(SMRAM, 0x2a);                     /* G_SMRAME, D_CLS: a GAP, fetches and loads are not told apart */
    ck_assert_uint_eq(get_smm(0xa1234), 0x77);
    ck_assert_uint_eq(reg(SMRAM), 0x2a);
}
END_TEST

START_TEST(row_boundary_cuts_memory_off)
{
    put(RAM_SIZE - 1, 0x12);
    ck_assert_uint_eq(reg(DRB0), 3);          /* 20 MiB in units of 8 */
    set_reg(DRB0, 2);
    ck_assert_uint_eq(get(RAM_SIZE - 1), 0xff);
    ck_assert_uint_eq(get(0x1000000), 0xff);
    put(0xffffff, 0x34);
    ck_assert_uint_eq(get(0xffffff), 0x34);
    set_reg(DRB0, 1);
    ck_assert_uint_eq(get(0xffffff), 0xff);
    ck_assert_uint_eq(get(0x7fffff), 0);
    set_reg(DRB0, 255);
    ck_assert_uint_eq(get(RAM_SIZE - 1), 0x12);
    ck_assert_uint_eq(get(0xffffff), 0x34);
}
END_TEST

START_TEST(fixed_hole_moves_memory_to_the_bus)
{
    ram->data[15 << 20] = 0x15;
    ram->data[512 << 10] = 0x05;
    set_reg(FDHC, 0x80);
    ck_assert_uint_eq(get(15 << 20), 0xff);
    ck_assert_uint_eq(get((16 << 20)), 0);
    ck_assert_uint_eq(get(512 << 10), 0x05);
    set_reg(FDHC, 0x40);
    ck_assert_uint_eq(get(15 << 20), 0x15);
    ck_assert_uint_eq(get(512 << 10), 0xff);
    set_reg(FDHC, 0);
    ck_assert_uint_eq(get(512 << 10), 0x05);
}
END_TEST

START_TEST(turbo_reset_acts_on_the_edge)
{
    set_reg(TRC, 0x02);
    ck_assert_uint_eq(r.requests, 0);
    set_reg(TRC, 0x06);
    ck_assert_uint_eq(r.requests, 1);
    ck_assert_int_eq(r.request, BOARD_RESET);
    set_reg(TRC, 0x06);
    ck_assert_uint_eq(r.requests, 1);
    set_reg(TRC, 0);
    set_reg(TRC, 0x04);                                        /* soft: INIT */
    ck_assert_uint_eq(r.requests, 1);
    ck_assert_uint_eq(r.probe[0].rises, 1);
}
END_TEST

START_TEST(reset_shows_the_rom_again)
{
    set_reg(PAM0, 0x30);
    ck_assert_uint_eq(get(0xf0000), 0);
    board_reset(&r.board, RESET_HARD);
    ck_assert_uint_eq(get(0xf0000), 0x80 | 48);
}
END_TEST

START_TEST(load_restores_the_map)
{
    struct state_buf saved = { 0 };
    ram->data[0xc0000] = 0x11;
    ram->data[0xa0000] = 0x22;
    set_reg(0x5a, 0x33);
    set_reg(SMRAM, 0x18);
    rig_save(host, &saved);
    board_reset(&r.board, RESET_HARD);
    ck_assert_uint_eq(get(0xc0000), 0xff);
    rig_load(host, &saved);
    ck_assert_uint_eq(get(0xc0000), 0x11);
    ck_assert_uint_eq(get_smm(0xa0000), 0x22);
    set_reg(SMRAM, 0x48);
    ck_assert_uint_eq(get(0xa0000), 0xff);                     /* still locked */
    state_buf_fini(&saved);
}
END_TEST

START_TEST(state_is_complete) { rig_check_device(host); }
END_TEST

START_TEST(random_accesses_do_no_harm)
{
    const struct rig_window w[] = { { 0xcf8, 8, false }, { 0xa0000, 0x60000, true } };
    rig_fuzz_seeds(make, w, 2, NULL);
}
END_TEST

int main(void)
{
    return rig_run("i440fx", setup, teardown, RIG_TESTS(
        &identity_is_the_one_seabios_knows, &rom_ends_at_4_gib_and_its_last_128k_at_1_mib, &ram_ends_where_it_ends,
        &each_pam_nibble_rules_its_segment, &firmware_copies_itself_through_one_address,
        &smram_is_seen_in_smm_only_unless_open, &locked_smram_cannot_be_opened_until_reset,
        &smram_closed_to_data_is_still_read_in_smm, &row_boundary_cuts_memory_off,
        &fixed_hole_moves_memory_to_the_bus, &turbo_reset_acts_on_the_edge, &reset_shows_the_rom_again, &load_restores_the_map,
        &state_is_complete, &random_accesses_do_no_harm));
}
