/* The DMA controllers from both sides: the guest's registers and the chip that asks for data (datasheet 231466). */
#include <check.h>
#include <string.h>

#include "devices/i8237.h"
#include "tests/chip/rig.h"

static struct rig r;
static struct device *dma;
static struct isa_dma *bus;
static uint8_t *ram;

static struct device *make(struct rig *on)
{
    return i8237_create(&on->board, "dma", &(struct i8237_pins){ .base8 = 0x00, .base16 = 0xc0, .pages = 0x80 });
}

/* Programs a channel as a BIOS does: mode, address, page, count, unmask. */
static void program(unsigned ch, uint8_t mode, uint8_t page, uint16_t address, uint16_t count)
{
    static const uint8_t pages[8] = { 0x87, 0x83, 0x81, 0x82, 0x8f, 0x8b, 0x89, 0x8a };
    uint16_t base = ch < 4 ? 0 : 0xc0, shift = ch < 4 ? 0 : 1, n = ch & 3;
    rig_out8(&r, base + (0xa << shift), (uint8_t)(4 | n));
    rig_out8(&r, base + (0xc << shift), 0);
    rig_out8(&r, base + (0xb << shift), (uint8_t)(mode | n));
    rig_out8(&r, (uint16_t)(base + (n * 2 << shift)), (uint8_t)address);
    rig_out8(&r, (uint16_t)(base + (n * 2 << shift)), (uint8_t)(address >> 8));
    rig_out8(&r, (uint16_t)(base + ((n * 2 + 1) << shift)), (uint8_t)count);
    rig_out8(&r, (uint16_t)(base + ((n * 2 + 1) << shift)), (uint8_t)(count >> 8));
    rig_out8(&r, pages[ch], page);
    rig_out8(&r, base + (0xa << shift), (uint8_t)n);
}

static void setup(void)
{
    rig_init(&r);
    dma = make(&r);
    bus = i8237_bus(dma);
    ram = r.block->data;
    program(4, 0xc0, 0, 0, 0);                        /* the cascade */
}

static void teardown(void) { rig_fini(&r); }

static uint16_t current(uint16_t port)
{
    rig_out8(&r, 0x0c, 0);
    uint8_t low = rig_in8(&r, port);
    return (uint16_t)(low | rig_in8(&r, port) << 8);
}

START_TEST(write_transfer_puts_bytes_into_memory)
{
    bool tc = true;
    program(2, 0x44, 0x01, 0x2345, 511);
    ck_assert_uint_eq(isa_dma_write(bus, 2, "abc", 3, &tc), 3);
    ck_assert(!tc);
    ck_assert_mem_eq(ram + 0x12345, "abc", 3);
    ck_assert_uint_eq(current(0x04), 0x2348);
    ck_assert_uint_eq(current(0x05), 508);
}
END_TEST

START_TEST(read_transfer_takes_bytes_from_memory)
{
    char buf[4] = "";
    memcpy(ram + 0x12345, "xyz", 3);
    program(2, 0x48, 0x01, 0x2345, 511);
    ck_assert_uint_eq(isa_dma_read(bus, 2, buf, 3, NULL), 3);
    ck_assert_str_eq(buf, "xyz");
}
END_TEST

START_TEST(terminal_count_comes_after_count_plus_one_and_masks_the_channel)
{
    bool tc = false;
    program(2, 0x44, 0, 0x1000, 3);
    ck_assert_uint_eq(isa_dma_write(bus, 2, "abcdefgh", 8, &tc), 4);
    ck_assert(tc);
    ck_assert(!isa_dma_ready(bus, 2));
    ck_assert_uint_eq(isa_dma_write(bus, 2, "x", 1, &tc), 0);
    ck_assert(!tc);
    ck_assert_uint_eq(rig_in8(&r, 0x08), 0x04);
    ck_assert_uint_eq(rig_in8(&r, 0x08), 0x00);       /* reading the status forgets it */
    ck_assert_uint_eq(ram[0x1004], 0);
    ck_assert_uint_eq(current(0x05), 0xffff);
}
END_TEST

START_TEST(auto_init_reloads_address_and_count)
{
    bool tc = false;
    program(1, 0x54, 0, 0x1000, 3);
    ck_assert_uint_eq(isa_dma_write(bus, 1, "abcdefgh", 8, &tc), 4);
    ck_assert(tc);
    ck_assert(isa_dma_ready(bus, 1));
    ck_assert_uint_eq(current(0x02), 0x1000);
    ck_assert_uint_eq(isa_dma_write(bus, 1, "ef", 2, &tc), 2);
    ck_assert_mem_eq(ram + 0x1000, "efcd", 4);
}
END_TEST

START_TEST(address_wraps_within_its_page)
{
    program(2, 0x44, 0x01, 0xfffe, 511);
    isa_dma_write(bus, 2, "abcd", 4, NULL);
    ck_assert_mem_eq(ram + 0x1fffe, "ab", 2);
    ck_assert_mem_eq(ram + 0x10000, "cd", 2);
    ck_assert_uint_eq(ram[0x20000], 0);
}
END_TEST

START_TEST(decrement_counts_downwards)
{
    program(2, 0x64, 0, 0x1003, 511);
    isa_dma_write(bus, 2, "abcd", 4, NULL);
    ck_assert_mem_eq(ram + 0x1000, "dcba", 4);
}
END_TEST

START_TEST(word_channel_shifts_its_address_and_ignores_page_bit_0)
{
    program(5, 0x44, 0x03, 0x8001, 99);               /* page 02, byte address 0x10002 in it */
    ck_assert_uint_eq(isa_dma_write(bus, 5, "abcd", 4, NULL), 4);
    ck_assert_mem_eq(ram + 0x30002, "abcd", 4);
    ck_assert_uint_eq(isa_dma_write(bus, 5, "e", 1, NULL), 0);
}
END_TEST

START_TEST(word_channel_wraps_at_128_kib)
{
    program(6, 0x44, 0x02, 0xffff, 99);
    isa_dma_write(bus, 6, "abcd", 4, NULL);
    ck_assert_mem_eq(ram + 0x3fffe, "ab", 2);
    ck_assert_mem_eq(ram + 0x20000, "cd", 2);
}
END_TEST

START_TEST(verify_counts_but_moves_nothing)
{
    bool tc = false;
    char buf[4] = { 0 };
    program(2, 0x40, 0, 0x1000, 3);
    ck_assert_uint_eq(isa_dma_write(bus, 2, "abcd", 4, &tc), 4);
    ck_assert(tc);
    ck_assert_uint_eq(ram[0x1000], 0);
    program(2, 0x40, 0, 0x1000, 3);
    isa_dma_read(bus, 2, buf, 4, &tc);
    ck_assert_mem_eq(buf, "\xff\xff\xff\xff", 4);
}
END_TEST

START_TEST(wrong_direction_moves_nothing)
{
    program(2, 0x48, 0, 0x1000, 3);
    ck_assert_uint_eq(isa_dma_write(bus, 2, "abcd", 4, NULL), 4);
    ck_assert_uint_eq(ram[0x1000], 0);
}
END_TEST

START_TEST(nothing_moves_without_the_cascade_channel)
{
    program(2, 0x44, 0, 0x1000, 3);
    program(5, 0x44, 0, 0x1000, 3);
    rig_out8(&r, 0xd4, 4);                            /* mask channel 4 */
    ck_assert(!isa_dma_ready(bus, 2));
    ck_assert(isa_dma_ready(bus, 5));
    ck_assert_uint_eq(isa_dma_write(bus, 2, "a", 1, NULL), 0);
    rig_out8(&r, 0xd4, 0);
    ck_assert(isa_dma_ready(bus, 2));
}
END_TEST

START_TEST(disabled_controller_grants_nothing)
{
    program(2, 0x44, 0, 0x1000, 3);
    rig_out8(&r, 0x08, 0x04);
    ck_assert(!isa_dma_ready(bus, 2));
    rig_out8(&r, 0x08, 0x00);
    ck_assert(isa_dma_ready(bus, 2));
}
END_TEST

START_TEST(status_shows_dreq)
{
    isa_dma_request(bus, 2, true);
    ck_assert_uint_eq(rig_in8(&r, 0x08), 0x40);
    isa_dma_request(bus, 2, false);
    ck_assert_uint_eq(rig_in8(&r, 0x08), 0x00);
    isa_dma_request(bus, 6, true);
    ck_assert_uint_eq(rig_in8(&r, 0xd0), 0x40);
}
END_TEST

START_TEST(flip_flop_alternates_until_cleared)
{
    rig_out8(&r, 0x0c, 0);
    rig_out8(&r, 0x00, 0x34);
    rig_out8(&r, 0x0c, 0);
    rig_out8(&r, 0x00, 0x78);
    rig_out8(&r, 0x00, 0x12);
    ck_assert_uint_eq(current(0x00), 0x1278);
}
END_TEST

START_TEST(master_clear_masks_all_channels)
{
    program(2, 0x44, 0, 0x1000, 3);
    rig_out8(&r, 0x0d, 0);
    ck_assert(!isa_dma_ready(bus, 2));
    ck_assert_uint_eq(rig_in8(&r, 0x0f), 0xff);
    rig_out8(&r, 0x0e, 0);
    ck_assert_uint_eq(rig_in8(&r, 0x0f), 0xf0);
    rig_out8(&r, 0x0f, 0x05);
    ck_assert_uint_eq(rig_in8(&r, 0x0f), 0xf5);
}
END_TEST

START_TEST(memory_to_memory_copies_channel_0_to_channel_1)
{
    memcpy(ram + 0x1000, "hello", 5);
    program(0, 0x88, 0, 0x1000, 4);
    program(1, 0x84, 0, 0x2000, 4);
    rig_out8(&r, 0x08, 0x01);
    rig_out8(&r, 0x09, 0x04);
    ck_assert_mem_eq(ram + 0x2000, "hello", 5);
    ck_assert_uint_eq(ram[0x2005], 0);
    ck_assert_uint_eq(rig_in8(&r, 0x0d), 'o');
    ck_assert_uint_eq(rig_in8(&r, 0x08), 0x02);
}
END_TEST

START_TEST(memory_to_memory_with_held_source_fills)
{
    ram[0x1000] = 0x5a;
    program(0, 0x88, 0, 0x1000, 15);
    program(1, 0x84, 0, 0x2000, 15);
    rig_out8(&r, 0x08, 0x03);
    rig_out8(&r, 0x09, 0x04);
    for (unsigned i = 0; i < 16; i++) ck_assert_uint_eq(ram[0x2000 + i], 0x5a);
}
END_TEST

START_TEST(software_request_runs_to_terminal_count)
{
    program(3, 0x80, 0, 0x1000, 0x1fff);
    rig_out8(&r, 0x09, 0x07);
    ck_assert_uint_eq(rig_in8(&r, 0x08), 0x08);
    ck_assert_uint_eq(current(0x06), 0x3000);
}
END_TEST

/* Both channels write one byte to the same place; the word stays that of the last. */
static void request_both(uint8_t command)
{
    rig_out8(&r, 0x08, 0x04);                         /* wait */
    for (unsigned n = 1; n <= 2; n++) program(n, 0x84, 0, (uint16_t)(0x1000 * n), 0);
    rig_out8(&r, 0x09, 0x05);
    rig_out8(&r, 0x09, 0x06);
    rig_out8(&r, 0x08, command);
}

START_TEST(rotating_priority_puts_the_channel_served_last_at_the_end)
{
    request_both(0x10);                               /* after reset 0 comes first, as with fixed priority */
    ck_assert_uint_eq(rig_state(dma, "ctl[0].lowest"), 2);
    program(1, 0x44, 0, 0x1000, 9);
    isa_dma_write(bus, 1, "x", 1, NULL);
    request_both(0x10);                               /* 2, 3, 0, 1 */
    ck_assert_uint_eq(rig_state(dma, "ctl[0].lowest"), 1);
    isa_dma_write(bus, 1, "x", 1, NULL);
    request_both(0x00);
    ck_assert_uint_eq(rig_state(dma, "ctl[0].lowest"), 2);
}
END_TEST

START_TEST(page_registers_hold_what_is_written)
{
    for (unsigned i = 0; i < 16; i++) rig_out8(&r, (uint16_t)(0x80 + i), (uint8_t)(0xa0 + i));
    for (unsigned i = 0; i < 16; i++) ck_assert_uint_eq(rig_in8(&r, (uint16_t)(0x80 + i)), 0xa0 + i);
}
END_TEST

START_TEST(state_is_complete)
{
    program(2, 0x44, 1, 0x2345, 511);
    isa_dma_request(bus, 2, true);
    rig_check_device(dma);
}
END_TEST

static void ask(struct rig *on, struct device *d, uint64_t random)
{
    uint8_t buf[64] = { 0 };
    bool tc;
    (void)on;
    isa_dma_request(i8237_bus(d), random & 7, random >> 3 & 1);
    if (random >> 4 & 1) isa_dma_read(i8237_bus(d), random & 7, buf, random >> 8 & 63, &tc);
    else isa_dma_write(i8237_bus(d), random & 7, buf, random >> 8 & 63, &tc);
}

START_TEST(random_accesses_do_no_harm)
{
    static const struct rig_window w[] = { { .base = 0, .count = 16 }, { .base = 0xc0, .count = 32 },
                                           { .base = 0x80, .count = 16 } };
    rig_fuzz_seeds(make, w, 3, ask);
}
END_TEST

int main(void)
{
    return rig_run("i8237", setup, teardown, RIG_TESTS(
        &write_transfer_puts_bytes_into_memory,
        &read_transfer_takes_bytes_from_memory,
        &terminal_count_comes_after_count_plus_one_and_masks_the_channel,
        &auto_init_reloads_address_and_count,
        &address_wraps_within_its_page,
        &decrement_counts_downwards,
        &word_channel_shifts_its_address_and_ignores_page_bit_0,
        &word_channel_wraps_at_128_kib,
        &verify_counts_but_moves_nothing,
        &wrong_direction_moves_nothing,
        &nothing_moves_without_the_cascade_channel,
        &disabled_controller_grants_nothing,
        &status_shows_dreq,
        &flip_flop_alternates_until_cleared,
        &master_clear_masks_all_channels,
        &memory_to_memory_copies_channel_0_to_channel_1,
        &memory_to_memory_with_held_source_fills,
        &software_request_runs_to_terminal_count,
        &rotating_priority_puts_the_channel_served_last_at_the_end,
        &page_registers_hold_what_is_written,
        &state_is_complete,
        &random_accesses_do_no_harm));
}
