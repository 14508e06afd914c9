/* The PIIX3's IDE function: decoding, the bus master's list, and what its status bits say about who ended first. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "devices/ata_disk.h"
#include "devices/piix_ide.h"
#include "tests/chip/memory_blk.h"
#include "tests/chip/rig.h"

enum { DEVFN = 1 << 3 | 1, BM = 0xc000, TABLE = 0x1000, BUFFER = 0x20000, IRQ = 14 };
enum { BM_COMMAND = BM, BM_STATUS = BM + 2, BM_TABLE = BM + 4 };
enum { ACTIVE = 1, ERROR = 2, INTERRUPT = 4, LAST = 0x80000000u };

struct bench {
    struct rig r;
    struct pci_bus *bus;
    struct ata_channel *channel[2];
    struct device *ide, *disk;
    struct memory_blk *image;
};

static struct bench *b;
static bool always;

static void config(unsigned off, uint32_t v, unsigned size) { pci_config_write(b->bus, DEVFN, off, v, size); }

static void enable(void)
{
    config(0x20, BM, 4);
    config(0x40, 0x8000, 2);
    config(0x42, 0x8000, 2);
    config(PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER, 2);
}

static void setup(void)
{
    b = calloc(1, sizeof *b);
    rig_init(&b->r);
    b->bus = pci_bus_create(&b->r.board, "pci", &(struct pci_pins){ 0 });
    b->channel[0] = ata_channel_create(&b->r.board, "ide0", &(struct ata_pins){ 0x1f0, 0x3f6, rig_probe(&b->r, 14) });
    b->channel[1] = ata_channel_create(&b->r.board, "ide1", &(struct ata_pins){ 0x170, 0x376, rig_probe(&b->r, 15) });
    b->image = memory_blk_create(1 << 20);
    b->disk = ata_disk_create(&b->r.board, "ide0-hd0", b->channel[0], 0, &b->image->blk, "X");
    b->ide = piix_ide_create(b->bus, "piix-ide", &(struct piix_ide_pins){ 1, 1, { b->channel[0], b->channel[1] }, always });
    board_reset(&b->r.board, RESET_POWER_ON);
    rig_step_ns(&b->r, 3000000);
    enable();
}

static void teardown(void)
{
    rig_fini(&b->r);
    free(b);
}

static uint8_t in(uint16_t port) { return rig_in8(&b->r, port); }
static void out(uint16_t port, uint8_t v) { rig_out8(&b->r, port, v); }

static void entry(unsigned n, uint32_t addr, uint32_t count_and_flags)
{
    st32(b->r.block->data + TABLE + 8 * n, addr);
    st32(b->r.block->data + TABLE + 8 * n + 4, count_and_flags);
}

static void command(uint8_t code, uint32_t lba, uint8_t count)
{
    out(0x1f6, (uint8_t)(0xe0 | lba >> 24));
    out(0x1f2, count);
    out(0x1f3, (uint8_t)lba);
    out(0x1f4, (uint8_t)(lba >> 8));
    out(0x1f5, (uint8_t)(lba >> 16));
    out(0x1f7, code);
}

static void start(uint8_t direction)
{
    rig_out32(&b->r, BM_TABLE, TABLE);
    out(BM_STATUS, ERROR | INTERRUPT);
    out(BM_COMMAND, direction);
    out(BM_COMMAND, direction | 1);
}

static void settle(void) { rig_step_ns(&b->r, 20000000); }

START_TEST(configuration_space_is_the_82371sb_function_1)
{
    ck_assert_uint_eq(pci_config_read(b->bus, DEVFN, 0, 4), 0x70108086);
    ck_assert_uint_eq(pci_config_read(b->bus, DEVFN, 9, 2), 0x0180);
    ck_assert_uint_eq(pci_config_read(b->bus, DEVFN, 0x0b, 1), 0x01);
    ck_assert_uint_eq(pci_config_read(b->bus, DEVFN, PCI_STATUS, 2), 0x0280);
    config(PCI_COMMAND, 0xffff, 2);
    ck_assert_uint_eq(pci_config_read(b->bus, DEVFN, PCI_COMMAND, 2), 5);
    config(0x20, 0xffffffff, 4);
    ck_assert_uint_eq(pci_config_read(b->bus, DEVFN, 0x20, 4), 0xfffffff1);
    config(0x40, 0xffff, 2);
    ck_assert_uint_eq(pci_config_read(b->bus, DEVFN, 0x40, 2), 0xf3ff);
}
END_TEST

START_TEST(legacy_ports_answer_only_while_decoded)
{
    ck_assert_uint_eq(in(0x1f7), 0x50);
    config(0x40, 0, 2);
    ck_assert_uint_eq(in(0x1f7), 0xff);
    config(0x40, 0x8000, 2);
    config(PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    ck_assert_uint_eq(in(0x1f7), 0xff);
    enable();
    ck_assert_uint_eq(in(0x1f7), 0x50);
    ck_assert_uint_eq(in(0x177), 0x7f);
    board_reset(&b->r.board, RESET_HARD);
    ck_assert_uint_eq(in(0x1f7), 0xff);
}
END_TEST

START_TEST(legacy_ports_always_answer_a_bios_from_before_pci)
{
    teardown();
    always = true;
    setup();
    board_reset(&b->r.board, RESET_HARD);
    rig_step_ns(&b->r, 3000000);
    ck_assert_uint_eq(in(0x1f7), 0x50);
}
END_TEST

START_TEST(list_of_the_same_length_ends_with_interrupt_alone)
{
    entry(0, BUFFER, 512);
    entry(1, BUFFER + 0x10000, 510);                        /* a sector straddles two regions */
    entry(2, BUFFER + 0x20000, LAST | 514);
    start(8);
    command(0xc8, 10, 3);
    ck_assert_uint_eq(in(BM_STATUS) & 7, ACTIVE);
    settle();
    ck_assert_uint_eq(in(BM_STATUS) & 7, INTERRUPT);
    ck_assert(b->r.probe[IRQ].level);
    ck_assert_mem_eq(b->r.block->data + BUFFER, b->image->data + 5120, 512);
    ck_assert_mem_eq(b->r.block->data + BUFFER + 0x10000, b->image->data + 5632, 510);
    ck_assert_mem_eq(b->r.block->data + BUFFER + 0x20000, b->image->data + 5632 + 510, 514);
    out(BM_COMMAND, 8);
    out(BM_STATUS, INTERRUPT);
    ck_assert_uint_eq(in(BM_STATUS) & 7, 0);
    ck_assert_uint_eq(in(0x1f7), 0x50);
    ck_assert(!b->r.probe[IRQ].level);
}
END_TEST

START_TEST(longer_list_leaves_active_and_interrupt)
{
    entry(0, BUFFER, LAST | 0);                             /* 0: 64 KiB */
    start(8);
    command(0xc8, 0, 2);
    settle();
    ck_assert_uint_eq(in(BM_STATUS) & 7, ACTIVE | INTERRUPT);
    out(BM_COMMAND, 0);
    ck_assert_uint_eq(in(BM_STATUS) & 7, INTERRUPT);
}
END_TEST

START_TEST(shorter_list_leaves_neither_and_the_drive_waits)
{
    entry(0, BUFFER, LAST | 512);
    start(8);
    command(0xc8, 0, 2);
    settle();
    ck_assert_uint_eq(in(BM_STATUS) & 7, 0);
    ck_assert(!b->r.probe[IRQ].level);
    ck_assert_uint_eq(in(0x1f7) & 0x80, 0x80);
    out(BM_COMMAND, 8);
    entry(0, BUFFER + 512, LAST | 512);
    start(8);
    settle();
    ck_assert_uint_eq(in(BM_STATUS) & 7, INTERRUPT);
    ck_assert_mem_eq(b->r.block->data + BUFFER, b->image->data, 1024);
}
END_TEST

START_TEST(writes_go_from_memory_to_the_image)
{
    memset(b->r.block->data + BUFFER, 0x77, 1024);
    entry(0, BUFFER, LAST | 1024);
    command(0xca, 100, 2);
    settle();                                               /* the drive waits for the bus master */
    ck_assert_uint_eq(b->image->writes, 0);
    start(0);
    settle();
    ck_assert_uint_eq(in(BM_STATUS) & 7, INTERRUPT);
    ck_assert_mem_eq(b->image->data + 51200, b->r.block->data + BUFFER, 1024);
    ck_assert_uint_eq(ld32(b->image->data + 52224), 102);
}
END_TEST

START_TEST(wrong_direction_or_no_bus_master_enable_moves_nothing)
{
    entry(0, BUFFER, LAST | 512);
    config(PCI_COMMAND, PCI_COMMAND_IO, 2);
    start(8);
    command(0xc8, 9, 1);
    settle();
    ck_assert_uint_eq(in(BM_STATUS) & 7, ACTIVE);
    config(PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER, 2);
    settle();
    ck_assert_uint_eq(in(BM_STATUS) & 7, INTERRUPT);
    ck_assert_mem_eq(b->r.block->data + BUFFER, b->image->data + 9 * 512, 512);
    in(0x1f7);
    out(BM_COMMAND, 0);
    start(0);
    command(0xc8, 10, 1);
    settle();
    ck_assert_uint_eq(in(BM_STATUS) & 7, ACTIVE);
}
END_TEST

START_TEST(table_wraps_within_64_kib_and_an_endless_one_ends_with_the_command)
{
    /* No end-of-table anywhere: the list runs through the whole 64 KiB and starts again. */
    for (unsigned n = 0; n < 8192; n++) {
        st32(b->r.block->data + 0x10000 + 8 * n, BUFFER);
        st32(b->r.block->data + 0x10000 + 8 * n + 4, 2);
    }
    rig_out32(&b->r, BM_TABLE, 0x1fff8);
    out(BM_COMMAND, 8);
    out(BM_COMMAND, 9);
    command(0xc8, 0, 64);
    settle();
    ck_assert_uint_eq(in(BM_STATUS) & 7, ACTIVE | INTERRUPT);
    ck_assert_uint_eq(ld16(b->r.block->data + BUFFER), ld16(b->image->data + 64 * 512 - 2));
}
END_TEST

START_TEST(memory_that_is_not_there_is_a_master_abort)
{
    entry(0, 0x7f000000, 512);
    entry(1, BUFFER, LAST | 512);
    start(8);
    command(0xc8, 5, 2);
    settle();
    ck_assert_uint_eq(in(BM_STATUS) & 7, ERROR);      /* the drive still asks */
    ck_assert_uint_eq(in(0x1f7) & 0x80, 0x80);
    ck_assert_uint_eq(pci_config_read(b->bus, DEVFN, PCI_STATUS, 2), 0x2280);
    config(PCI_STATUS, 0x2000, 2);
    ck_assert_uint_eq(pci_config_read(b->bus, DEVFN, PCI_STATUS, 2), 0x0280);
    out(BM_COMMAND, 0);
    entry(0, BUFFER, LAST | 1024);                    /* started anew, it takes what is left */
    start(8);
    settle();
    ck_assert_uint_eq(in(BM_STATUS) & 7, INTERRUPT);
    ck_assert_mem_eq(b->r.block->data + BUFFER, b->image->data + 5 * 512, 1024);
}
END_TEST

START_TEST(list_that_is_not_there_is_a_master_abort)
{
    start(8);
    rig_out32(&b->r, BM_TABLE, 0x7f000000);
    out(BM_COMMAND, 0);
    out(BM_COMMAND, 9);
    command(0xc8, 5, 1);
    settle();
    ck_assert_uint_eq(in(BM_STATUS) & 7, ERROR);
}
END_TEST

START_TEST(interrupt_bit_follows_pio_interrupts_too)
{
    command(0x40, 0, 1);
    settle();
    ck_assert_uint_eq(in(BM_STATUS) & 7, INTERRUPT);
    out(BM_STATUS, INTERRUPT);
    ck_assert_uint_eq(in(BM_STATUS) & 7, 0);
    ck_assert(b->r.probe[IRQ].level);                               /* the wire is the drive's */
    out(BM_STATUS, 0x60);
    ck_assert_uint_eq(in(BM_STATUS), 0x60);
}
END_TEST

START_TEST(host_failure_in_the_middle_of_a_list_is_tried_again_from_there)
{
    entry(0, BUFFER, 512);
    entry(1, BUFFER + 512, LAST | 512);
    start(8);
    command(0xc8, 30, 2);
    b->image->fail = 3;
    rig_step_ns(&b->r, 500000);
    ck_assert_uint_eq(b->r.requests, 1);
    rig_check_device(b->disk);
    rig_check_device(b->ide);
    settle();
    ck_assert_uint_eq(b->r.requests, 3);
    ck_assert_uint_eq(in(BM_STATUS) & 7, INTERRUPT);
    ck_assert_mem_eq(b->r.block->data + BUFFER, b->image->data + 30 * 512, 1024);
}
END_TEST

static void scramble_lists(struct rig *r, struct device *d, uint64_t random)
{
    (void)d;
    for (unsigned i = 0; i < 64; i++) {
        uint64_t at = rig_random(&random) & 0x1fff8;
        st64(r->block->data + at, rig_random(&random) & 0x8000ffff001fffffull);
    }
    enable();
    rig_out32(r, BM_TABLE, (uint32_t)random & 0x1ffff);
}

START_TEST(random_accesses_never_crash)
{
    static const struct rig_window windows[] = { { 0x1f0, 8, false }, { 0x3f6, 1, false }, { BM, 16, false },
                                                 { 0x170, 8, false }, { 0xcf8, 8, false } };
    for (unsigned long seed = 0; seed < rig_seeds(); seed++) {
        rig_fuzz(&b->r, b->ide, windows, seed % 3 == 2 ? 5 : 4, seed, 10000, scramble_lists);
        rig_check_device(b->disk);
    }
}
END_TEST

START_TEST(hostile_state_is_refused_or_runs)
{
    static const struct rig_window windows[] = { { 0x1f0, 8, false }, { 0x3f6, 1, false }, { BM, 16, false },
                                                 { 0x170, 8, false }, { 0xcf8, 8, false } };
    entry(0, BUFFER, 700);
    entry(1, BUFFER, LAST | 700);
    start(8);
    command(0xc8, 10, 9);
    settle();
    rig_fuzz_state(&b->r, b->ide, windows, 5, 1, 1000);
}
END_TEST

int main(void)
{
    return rig_run("piix_ide", setup, teardown, RIG_TESTS(
        &configuration_space_is_the_82371sb_function_1,
        &legacy_ports_answer_only_while_decoded,
        &legacy_ports_always_answer_a_bios_from_before_pci,
        &list_of_the_same_length_ends_with_interrupt_alone,
        &longer_list_leaves_active_and_interrupt,
        &shorter_list_leaves_neither_and_the_drive_waits,
        &writes_go_from_memory_to_the_image,
        &wrong_direction_or_no_bus_master_enable_moves_nothing,
        &table_wraps_within_64_kib_and_an_endless_one_ends_with_the_command,
        &memory_that_is_not_there_is_a_master_abort, &list_that_is_not_there_is_a_master_abort,
        &interrupt_bit_follows_pio_interrupts_too,
        &host_failure_in_the_middle_of_a_list_is_tried_again_from_there,
        &random_accesses_never_crash,
        &hostile_state_is_refused_or_runs));
}
