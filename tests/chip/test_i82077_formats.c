/* The floppy controller with every kind of disk: formats, double stepping, images that are cut off. */
#include "base/bytes.h"
#include "tests/chip/fdc_rig.h"

static void setup(void)
{
    create(1474560, false);
    start(RATE_500K, true);
}

static void seek(uint8_t cylinder)
{
    SEND(0x0f, 0, cylinder);
    ck_assert(wait_irq());
    SEND(0x08);
    EXPECT(0x20, cylinder);
}

START_TEST(every_format_is_read_at_its_rate_and_to_its_last_sector)
{
    static const struct { unsigned kib; uint8_t c, h, s, rate, type; } formats[] = {
        { 160, 40, 1, 8, RATE_250K, 1 }, { 180, 40, 1, 9, RATE_250K, 1 }, { 320, 40, 2, 8, RATE_250K, 1 },
        { 360, 40, 2, 9, RATE_250K, 1 }, { 720, 80, 2, 9, RATE_250K, 4 }, { 1200, 80, 2, 15, RATE_500K, 2 },
        { 1440, 80, 2, 18, RATE_500K, 4 }, { 1680, 80, 2, 21, RATE_500K, 4 }, { 1722, 82, 2, 21, RATE_500K, 4 },
        { 2880, 80, 2, 36, RATE_1M, 5 },
    };
    for (unsigned i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        uint8_t c = formats[i].c - 1, h = formats[i].h - 1, s = formats[i].s;
        teardown();
        create(formats[i].kib * 1024, false);
        ck_assert_uint_eq(i82077_drive_type(b->fdc, 0), formats[i].type);
        ck_assert_uint_eq(i82077_drive_type(b->fdc, 1), 0);
        start(formats[i].rate, true);
        seek(c);
        dma_program(512);
        SEND(MFM | READ, (uint8_t)(h << 2), c, h, s, 2, s, 0x1b, 0xff);
        ck_assert(wait_irq());
        EXPECT((uint8_t)(h << 2), 0, 0, (uint8_t)(c + 1), h, 1, 2);
        ck_assert_uint_eq(ld32(b->memory), formats[i].kib * 2 - 1);
        SEND(MFM | READ, (uint8_t)(h << 2), c, h, (uint8_t)(s + 1), 2, 99, 0x1b, 0xff);
        ck_assert(wait_irq());
        EXPECT((uint8_t)(h << 2 | 0x40), 0x04, 0, c, h, (uint8_t)(s + 1), 2);
    }
}
END_TEST

START_TEST(forty_tracks_lie_under_every_second_step_of_a_96_tpi_drive)
{
    teardown();
    create(1228800, false);
    start(RATE_300K, true);
    struct memory_blk *disk = memory_blk_create(368640);
    ck_assert_int_eq(i82077_change(b->fdc, 0, &disk->blk), HOST_OK);
    seek(20);
    dma_program(512);
    SEND(MFM | READ, 0, 10, 0, 1, 2, 9, 0x1b, 0xff);
    ck_assert(wait_irq());
    EXPECT(0, 0, 0, 10, 0, 2, 2);
    ck_assert_uint_eq(ld32(b->memory), 10 * 18);
    seek(21);
    SEND(MFM | 0x0a, 0);
    ck_assert(wait_irq());
    EXPECT(0x40, 0x01, 0, 0, 0, 0, 2);
}
END_TEST

START_TEST(cut_off_image_reads_zeros_and_refuses_writes_there)
{
    teardown();
    create(100 * 512 + 100, false);                                /* counts as 1.44M */
    start(RATE_500K, true);
    seek(2);
    dma_program(1024);
    SEND(MT | MFM | READ, 4, 2, 1, 11, 2, 18, 0x1b, 0xff);         /* sector 100 and 101 */
    ck_assert(wait_irq());
    EXPECT(0x04, 0, 0, 2, 1, 13, 2);
    ck_assert_mem_eq(b->memory, b->image[0]->data + 51200, 100);
    for (unsigned i = 100; i < 1024; i++) ck_assert_uint_eq(b->memory[i], 0);
    dma_program(512);
    SEND(MT | MFM | WRITE, 4, 2, 1, 11, 2, 18, 0x1b, 0xff);
    ck_assert(wait_irq());
    EXPECT(0x44, 0x04, 0, 2, 1, 11, 2);
}
END_TEST

START_TEST(sizes_beyond_any_floppy_do_not_fit)
{
    ck_assert(i82077_medium_fits(512));
    ck_assert(i82077_medium_fits(2949120));
    ck_assert(!i82077_medium_fits(2949121));
    ck_assert(!i82077_medium_fits(0));
    struct memory_blk *big = memory_blk_create(3000000);
    ck_assert_int_eq(i82077_change(b->fdc, 0, &big->blk), HOST_BAD_FORMAT);
    blk_close(&big->blk);
}
END_TEST

int main(void)
{
    return rig_run("i82077 formats", setup, teardown, RIG_TESTS(
        &every_format_is_read_at_its_rate_and_to_its_last_sector,
        &forty_tracks_lie_under_every_second_step_of_a_96_tpi_drive,
        &cut_off_image_reads_zeros_and_refuses_writes_there,
        &sizes_beyond_any_floppy_do_not_fit));
}
