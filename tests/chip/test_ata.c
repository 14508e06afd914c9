/* ATA disks from the cable: the task file, PIO and DMA commands, addresses, errors, interrupts, resets. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "devices/ata_disk.h"
#include "tests/chip/memory_blk.h"
#include "tests/chip/rig.h"

enum { DATA = 0x1f0, ERROR, COUNT, LOW, MID, HIGH, DEVICE, STATUS, FEATURES = ERROR, COMMAND = STATUS,
       CONTROL = 0x3f6 };
enum { SECTORS = 5000, IRQ = 14 };

struct bench {
    struct rig r;
    struct ata_channel *channel;
    struct device *disk[2];
    struct memory_blk *image[2];
    /* The adapter of these tests: memory as one flat list of what may still be moved. */
    bool dma_on;
    uint32_t dma_room;
    uint8_t dma_memory[256 * 512];
};

static void no_intrq(void *host, unsigned channel, bool level)
{
    (void)host;
    (void)channel;
    (void)level;
}

static enum ata_dma_result flat_dma(void *host, unsigned channel, struct ata_drive *d, bool to_memory, uint32_t len,
                                    ata_dma_mover *mover, uint64_t *moved, struct error *e)
{
    struct bench *b = host;
    (void)channel;
    (void)to_memory;
    if (!b->dma_on) return ATA_DMA_WAIT;
    uint32_t n = len < b->dma_room ? len : b->dma_room;
    if (n && mover(d, b->dma_memory + *moved, *moved, n, e) != HOST_OK) return ATA_DMA_HOST_FAILED;
    *moved += n;
    b->dma_room -= n;
    return n < len ? ATA_DMA_WAIT : ATA_DMA_DONE;
}

static const struct ata_host_ops flat_host = { .intrq = no_intrq, .dma = flat_dma };

static struct bench *bench_create(unsigned drives, uint64_t bytes)
{
    static const char *const ids[] = { "ide0-hd0", "ide0-hd1" };
    struct bench *b = calloc(1, sizeof *b);
    rig_init(&b->r);
    b->channel = ata_channel_create(&b->r.board, "ide0", &(struct ata_pins){ 0x1f0, 0x3f6, rig_probe(&b->r, IRQ) });
    ata_channel_set_host(b->channel, &flat_host, b, 0);
    for (unsigned i = 0; i < drives; i++) {
        b->image[i] = memory_blk_create(bytes);
        b->disk[i] = ata_disk_create(&b->r.board, ids[i], b->channel, i, &b->image[i]->blk, "BG00001");
    }
    board_reset(&b->r.board, RESET_POWER_ON);
    ata_channel_decode(b->channel, true);
    rig_step_ns(&b->r, 3000000);
    return b;
}

static void bench_free(struct bench *b)
{
    rig_fini(&b->r);
    free(b);
}

static struct bench *bench;
static void setup(void) { bench = bench_create(1, SECTORS * 512u); }
static void teardown(void) { bench_free(bench); }

static uint8_t in(uint16_t port) { return rig_in8(&bench->r, port); }
static void out(uint16_t port, uint8_t v) { rig_out8(&bench->r, port, v); }

/* Until not BSY; true if an interrupt came. Does not acknowledge. */
static bool wait_done(void)
{
    for (unsigned i = 0; i < 2000 && (in(CONTROL) & ATA_BSY); i++) rig_step_ns(&bench->r, 100000);
    ck_assert_msg(!(in(CONTROL) & ATA_BSY), "still busy");
    return bench->r.probe[IRQ].level;
}

static void lba28(uint8_t command, uint32_t lba, uint8_t count)
{
    out(DEVICE, (uint8_t)(0xe0 | lba >> 24));
    out(COUNT, count);
    out(LOW, (uint8_t)lba);
    out(MID, (uint8_t)(lba >> 8));
    out(HIGH, (uint8_t)(lba >> 16));
    out(COMMAND, command);
}

static void lba48(uint8_t command, uint64_t lba, uint16_t count)
{
    out(DEVICE, 0xe0);
    out(COUNT, (uint8_t)(count >> 8));
    out(COUNT, (uint8_t)count);
    for (unsigned i = 0; i < 3; i++) out((uint16_t)(LOW + i), (uint8_t)(lba >> (24 + 8 * i)));
    for (unsigned i = 0; i < 3; i++) out((uint16_t)(LOW + i), (uint8_t)(lba >> 8 * i));
    out(COMMAND, command);
}

static void chs(uint8_t command, unsigned c, unsigned h, unsigned s, uint8_t count)
{
    out(DEVICE, (uint8_t)(0xa0 | h));
    out(COUNT, count);
    out(LOW, (uint8_t)s);
    out(MID, (uint8_t)c);
    out(HIGH, (uint8_t)(c >> 8));
    out(COMMAND, command);
}

static void read_words(uint8_t *buf, unsigned words)
{
    for (unsigned i = 0; i < words; i++) st16(buf + 2 * i, rig_in16(&bench->r, DATA));
}

static void write_words(const uint8_t *buf, unsigned words)
{
    for (unsigned i = 0; i < words; i++) rig_out16(&bench->r, DATA, ld16(buf + 2 * i));
}

static const uint8_t *sector(uint64_t n) { return bench->image[0]->data + n * 512; }

static void identify(uint8_t *buf)
{
    out(DEVICE, 0xa0);
    out(COMMAND, 0xec);
    ck_assert(wait_done());
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC | ATA_DRQ);
    read_words(buf, 256);
}

START_TEST(power_on_leaves_the_signature_of_a_disk)
{
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert_uint_eq(in(ERROR), 1);
    ck_assert_uint_eq(in(COUNT), 1);
    ck_assert_uint_eq(in(LOW), 1);
    ck_assert_uint_eq(in(MID), 0);
    ck_assert_uint_eq(in(HIGH), 0);
    ck_assert_uint_eq(in(DEVICE), 0xa0);
}
END_TEST

START_TEST(drive_0_answers_for_an_absent_drive_1_with_status_0)
{
    out(DEVICE, 0xb0);
    out(COUNT, 0x55);
    out(LOW, 0xaa);
    ck_assert_uint_eq(in(STATUS), 0);
    ck_assert_uint_eq(in(COUNT), 0x55);
    ck_assert_uint_eq(in(LOW), 0xaa);
    ck_assert_uint_eq(in(DEVICE), 0xb0);
    out(COMMAND, 0xec);
    rig_step_ns(&bench->r, 1000000);
    ck_assert_uint_eq(in(STATUS), 0);
    ck_assert(!bench->r.probe[IRQ].level);
}
END_TEST

START_TEST(cable_without_drives_floats_with_dd7_low)
{
    struct bench *b = bench_create(0, 0);
    for (uint16_t p = 0x1f1; p < 0x1f8; p++) ck_assert_uint_eq(rig_in8(&b->r, p), 0x7f);
    ck_assert_uint_eq(rig_in8(&b->r, CONTROL), 0x7f);
    ck_assert_uint_eq(rig_in16(&b->r, DATA), 0xff7f);
    bench_free(b);
}
END_TEST

START_TEST(part_of_a_sector_at_the_end_cannot_be_reached)
{
    struct bench *whole = bench;
    uint8_t id[512];
    bench = bench_create(1, SECTORS * 512u + 300);
    identify(id);
    ck_assert_uint_eq(ld32(id + 120), SECTORS);
    lba28(0x20, SECTORS, 1);
    ck_assert(wait_done());
    ck_assert_uint_eq(in(STATUS) & 1, 1);
    ck_assert_uint_eq(in(ERROR), 0x10);               /* IDNF */
    bench_free(bench);
    bench = whole;
}
END_TEST

START_TEST(identify_has_text_capacity_and_a_checksum)
{
    uint8_t id[512], sum = 0;
    identify(id);
    ck_assert_mem_eq(id + 54, "EBGI EAHDRIDKS  ", 16);
    ck_assert_mem_eq(id + 20, "GB0000 1", 8);
    ck_assert_uint_eq(ld16(id + 2 * 1), 4);                  /* 5000 / (16 * 63) */
    ck_assert_uint_eq(ld32(id + 2 * 4), 512 << 16 | 512 * 63);
    ck_assert_uint_eq(ld32(id + 2 * 60), SECTORS);
    ck_assert_uint_eq(ld64(id + 2 * 100), SECTORS);
    ck_assert_uint_eq(ld16(id + 2 * 83) & 0x0400, 0x0400);
    for (unsigned i = 0; i < 512; i++) sum = (uint8_t)(sum + id[i]);
    ck_assert_uint_eq(sum, 0);
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert(!bench->r.probe[IRQ].level);
}
END_TEST

START_TEST(read_sectors_interrupts_before_each_block_and_not_after_the_last)
{
    uint8_t buf[512];
    lba28(0x20, 17, 3);
    ck_assert_uint_eq(in(CONTROL) & ATA_BSY, ATA_BSY);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(wait_done());
        ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC | ATA_DRQ);
        ck_assert(!bench->r.probe[IRQ].level);                       /* reading the status acknowledged it */
        read_words(buf, 256);
        ck_assert_mem_eq(buf, sector(17 + i), 512);
    }
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    rig_step_ns(&bench->r, 1000000);
    ck_assert_uint_eq(bench->r.probe[IRQ].rises, 3);
    ck_assert_uint_eq(in(LOW), 19);                          /* last sector moved */
    ck_assert_uint_eq(in(COUNT), 0);
    ck_assert_uint_eq(bench->image[0]->reads, 1);
}
END_TEST

START_TEST(count_zero_reads_256_sectors)
{
    uint8_t buf[512];
    lba28(0x20, 1000, 0);
    for (unsigned i = 0; i < 256; i++) {
        wait_done();
        ck_assert_uint_eq(in(STATUS) & ATA_DRQ, ATA_DRQ);
        read_words(buf, 256);
        ck_assert_mem_eq(buf, sector(1000 + i), 512);
    }
    wait_done();
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert_uint_eq(bench->image[0]->reads, 2);            /* 64 KiB at once */
}
END_TEST

START_TEST(data_register_takes_32_bit_accesses_as_two_words)
{
    lba28(0x20, 3, 1);
    wait_done();
    for (unsigned i = 0; i < 128; i++) ck_assert_uint_eq(rig_in32(&bench->r, DATA), ld32(sector(3) + 4 * i));
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
}
END_TEST

START_TEST(chs_uses_the_translation_the_host_set)
{
    uint8_t buf[512];
    chs(0x20, 2, 5, 63, 1);
    wait_done();
    read_words(buf, 256);
    ck_assert_uint_eq(ld32(buf), (2 * 16 + 5) * 63 + 62);
    out(DEVICE, 0xa7);                                       /* 8 heads */
    out(COUNT, 32);
    out(COMMAND, 0x91);
    ck_assert(wait_done());
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    chs(0x20, 18, 7, 32, 2);
    wait_done();
    read_words(buf, 256);
    ck_assert_uint_eq(ld32(buf), (18 * 8 + 7) * 32 + 31);
    wait_done();
    read_words(buf, 256);
    ck_assert_uint_eq(in(MID), 19);                          /* the next track: cylinder 19, head 0, sector 1 */
    ck_assert_uint_eq(in(DEVICE) & 0xf, 0);
    ck_assert_uint_eq(in(LOW), 1);
    identify(buf);
    ck_assert_uint_eq(ld16(buf + 2 * 55), 8);
    ck_assert_uint_eq(ld16(buf + 2 * 54), SECTORS / 256);
    ck_assert_uint_eq(ld16(buf + 2 * 3), 16);                /* the default stays */
}
END_TEST

START_TEST(addresses_off_the_disk_are_idnf)
{
    static const struct { unsigned c, h, s; } bad[] = { { 0, 0, 0 }, { 0, 0, 64 }, { 4, 0, 1 }, { 65535, 15, 63 } };
    for (unsigned i = 0; i < 4; i++) {
        chs(0x20, bad[i].c, bad[i].h, bad[i].s, 1);
        ck_assert(wait_done());
        ck_assert_uint_eq(in(ERROR), ATA_IDNF);
        ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC | ATA_ERR);
    }
    lba28(0x20, SECTORS, 1);
    wait_done();
    ck_assert_uint_eq(in(ERROR), ATA_IDNF);
    lba48(0x24, 1ull << 40, 1);
    wait_done();
    ck_assert_uint_eq(in(ERROR), ATA_IDNF);
}
END_TEST

START_TEST(range_off_the_end_moves_what_is_there_then_names_the_first_missing_sector)
{
    uint8_t buf[512];
    lba28(0x20, SECTORS - 2, 5);
    for (unsigned i = 0; i < 2; i++) {
        wait_done();
        ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC | ATA_DRQ);
        read_words(buf, 256);
    }
    ck_assert(wait_done());
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC | ATA_ERR);
    ck_assert_uint_eq(in(ERROR), ATA_IDNF);
    ck_assert_uint_eq(in(LOW) | in(MID) << 8, SECTORS);
    ck_assert_uint_eq(in(COUNT), 3);
}
END_TEST

START_TEST(write_sectors_interrupts_after_each_block)
{
    uint8_t buf[1024];
    for (unsigned i = 0; i < sizeof buf; i++) buf[i] = (uint8_t)(i * 7);
    lba28(0x30, 40, 2);
    ck_assert(!wait_done());                                 /* the first block is asked for without an interrupt */
    ck_assert_uint_eq(in(CONTROL), ATA_DRDY | ATA_DSC | ATA_DRQ);
    write_words(buf, 256);
    ck_assert_uint_eq(in(CONTROL) & (ATA_BSY | ATA_DRQ), ATA_BSY);
    ck_assert(wait_done());
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC | ATA_DRQ);
    write_words(buf + 512, 256);
    ck_assert(wait_done());
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert_mem_eq(sector(40), buf, 1024);
    ck_assert_uint_eq(ld32(sector(42)), 42);
}
END_TEST

START_TEST(multiple_moves_blocks_of_the_size_that_was_set)
{
    uint8_t buf[4096];
    lba28(0xc4, 0, 4);
    wait_done();
    ck_assert_uint_eq(in(ERROR), ATA_ABRT);                  /* not set yet */
    out(COUNT, 3);
    out(COMMAND, 0xc6);
    wait_done();
    ck_assert_uint_eq(in(ERROR), ATA_ABRT);
    out(COUNT, 8);
    out(COMMAND, 0xc6);
    wait_done();
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    unsigned edges = bench->r.probe[IRQ].rises;
    lba28(0xc4, 100, 11);
    wait_done();
    in(STATUS);
    read_words(buf, 8 * 256);
    ck_assert_mem_eq(buf, sector(100), 4096);
    wait_done();
    in(STATUS);
    read_words(buf, 3 * 256);
    ck_assert_mem_eq(buf, sector(108), 3 * 512);
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert_uint_eq(bench->r.probe[IRQ].rises, edges + 2);
    memset(buf, 0x5a, sizeof buf);
    lba48(0x39, 200, 8);
    ck_assert(!wait_done());
    write_words(buf, 8 * 256);
    ck_assert(wait_done());
    ck_assert_mem_eq(sector(200), buf, 4096);
}
END_TEST

START_TEST(registers_are_two_deep_and_hob_shows_the_older_byte)
{
    out(COUNT, 0x12);
    out(COUNT, 0x34);
    out(LOW, 0x56);
    out(LOW, 0x78);
    ck_assert_uint_eq(in(COUNT), 0x34);
    out(CONTROL, ATA_CTL_HOB);
    ck_assert_uint_eq(in(COUNT), 0x12);
    ck_assert_uint_eq(in(LOW), 0x56);
    out(MID, 0);                                             /* a write to the command block clears HOB */
    ck_assert_uint_eq(in(COUNT), 0x34);
}
END_TEST

START_TEST(dma_reads_and_writes_with_one_interrupt)
{
    bench->dma_on = true;
    bench->dma_room = sizeof bench->dma_memory;
    lba48(0x25, 300, 128);
    ck_assert(wait_done());
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert_mem_eq(bench->dma_memory, sector(300), 128 * 512);
    ck_assert_uint_eq(bench->image[0]->largest_read, 128 * 512);     /* straight into memory, in one go */
    bench->dma_room = sizeof bench->dma_memory;
    lba28(0xca, 900, 4);
    ck_assert(wait_done());
    ck_assert_mem_eq(sector(900), sector(300), 2048);
    ck_assert_uint_eq(bench->r.probe[IRQ].rises, 2);
}
END_TEST

START_TEST(dma_waits_for_the_bus_master_and_goes_on_where_its_list_ended)
{
    lba28(0xc8, 50, 2);
    rig_step_ns(&bench->r, 50000000);
    ck_assert_uint_eq(in(CONTROL) & ATA_BSY, ATA_BSY);
    bench->dma_on = true;
    bench->dma_room = 700;
    ata_channel_dma_started(bench->channel);
    rig_step_ns(&bench->r, 50000000);
    ck_assert_uint_eq(in(CONTROL) & ATA_BSY, ATA_BSY);
    rig_check_device(bench->disk[0]);
    bench->dma_room = 4096;
    ata_channel_dma_started(bench->channel);
    ck_assert(wait_done());
    ck_assert_mem_eq(bench->dma_memory, sector(50), 1024);
}
END_TEST

START_TEST(host_failure_stops_the_machine_and_the_guest_sees_a_slow_drive)
{
    uint8_t buf[512] = { 1, 2, 3 };
    bench->dma_on = true;
    bench->dma_room = 4096;
    bench->image[0]->fail = 2;
    lba28(0xc8, 60, 2);
    rig_step_ns(&bench->r, 200000);
    ck_assert_uint_eq(bench->r.requests, 1);
    ck_assert_str_eq(bench->r.board.host_error.text, "made to fail");
    ck_assert_uint_eq(in(CONTROL) & ATA_BSY, ATA_BSY);
    ck_assert(wait_done());
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert_uint_eq(bench->r.requests, 2);
    ck_assert_mem_eq(bench->dma_memory, sector(60), 1024);
    lba28(0x30, 61, 1);
    wait_done();
    bench->image[0]->fail = 1;
    write_words(buf, 256);
    ck_assert(wait_done());
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert_mem_eq(sector(61), buf, 512);
    bench->image[0]->fail = 1;
    out(COMMAND, 0xe7);
    ck_assert(wait_done());
    ck_assert_uint_eq(bench->image[0]->flushes, 1);
    ck_assert_uint_eq(bench->r.requests, 4);
}
END_TEST

START_TEST(read_only_image_refuses_writes)
{
    bench->image[0]->blk.read_only = true;
    lba28(0x30, 1, 1);
    ck_assert(wait_done());
    ck_assert_uint_eq(in(ERROR), ATA_ABRT | ATA_WP);
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC | ATA_ERR);
    bench->dma_on = true;
    lba48(0x35, 1, 1);
    ck_assert(wait_done());
    ck_assert_uint_eq(in(ERROR), ATA_ABRT | ATA_WP);
}
END_TEST

START_TEST(nien_keeps_the_interrupt_off_the_cable)
{
    out(CONTROL, ATA_CTL_NIEN);
    lba28(0x40, 1, 1);
    ck_assert(!wait_done());
    out(CONTROL, 0);
    ck_assert(bench->r.probe[IRQ].level);                            /* it was pending in the drive */
    in(STATUS);
    ck_assert(!bench->r.probe[IRQ].level);
}
END_TEST

START_TEST(unknown_and_refused_commands_abort)
{
    static const uint8_t codes[] = { 0x00, 0x01, 0x08, 0x22, 0x32, 0x50, 0x92, 0xa0, 0xa1, 0xf1, 0xf2, 0xf6, 0xff };
    for (unsigned i = 0; i < sizeof codes; i++) {
        out(DEVICE, 0xa0);
        out(COMMAND, codes[i]);
        ck_assert(wait_done());
        ck_assert_uint_eq(in(ERROR), ATA_ABRT);
        ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC | ATA_ERR);
    }
}
END_TEST

START_TEST(set_features_selects_transfer_modes_and_the_cache)
{
    static const struct { uint8_t mode; bool ok; } modes[] = {
        { 0x0c, true }, { 0x0d, false }, { 0x22, true }, { 0x23, false }, { 0x10, false },
        { 0x45, true }, { 0x46, false } };
    uint8_t id[512];
    for (unsigned i = 0; i < 7; i++) {
        out(FEATURES, 3);
        out(COUNT, modes[i].mode);
        out(COMMAND, 0xef);
        wait_done();
        ck_assert_uint_eq(in(STATUS) & ATA_ERR, modes[i].ok ? 0 : ATA_ERR);
    }
    out(FEATURES, 0x82);
    out(COMMAND, 0xef);
    wait_done();
    identify(id);
    ck_assert_uint_eq(ld16(id + 2 * 88), 0x203f);
    ck_assert_uint_eq(ld16(id + 2 * 63), 0x0007);
    ck_assert_uint_eq(ld16(id + 2 * 85) & 0x20, 0);
}
END_TEST

START_TEST(power_mode_is_active_idle_or_standby)
{
    static const struct { uint8_t command, answer; } steps[] = { { 0xe1, 0x80 }, { 0xe0, 0x00 }, { 0x40, 0xff } };
    for (unsigned i = 0; i < 3; i++) {
        lba28(steps[i].command, 0, 1);
        wait_done();
        out(COMMAND, 0xe5);
        wait_done();
        ck_assert_uint_eq(in(COUNT), steps[i].answer);
    }
    out(COUNT, 1);                                           /* standby 5 s after the last use */
    out(COMMAND, 0xe3);
    wait_done();
    rig_step_ns(&bench->r, 5000000000);
    out(COMMAND, 0xe5);
    wait_done();
    ck_assert_uint_eq(in(COUNT), 0);
    out(COMMAND, 0xe6);                                      /* SLEEP: only a reset wakes it */
    ck_assert(wait_done());
    in(STATUS);
    out(COMMAND, 0xec);
    rig_step_ns(&bench->r, 1000000);
    ck_assert(!bench->r.probe[IRQ].level);
    out(CONTROL, ATA_CTL_SRST);
    out(CONTROL, 0);
    wait_done();
    uint8_t id[512];
    identify(id);
}
END_TEST

START_TEST(smart_needs_its_key_and_reports_health)
{
    uint8_t buf[512], sum = 0;
    out(FEATURES, 0xd0);
    out(MID, 0);
    out(HIGH, 0);
    out(COMMAND, 0xb0);
    wait_done();
    ck_assert_uint_eq(in(ERROR), ATA_ABRT);
    out(FEATURES, 0xda);
    out(MID, 0x4f);
    out(HIGH, 0xc2);
    out(COMMAND, 0xb0);
    wait_done();
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert_uint_eq(in(MID), 0x4f);
    ck_assert_uint_eq(in(HIGH), 0xc2);
    out(FEATURES, 0xd0);
    out(COMMAND, 0xb0);
    wait_done();
    read_words(buf, 256);
    for (unsigned i = 0; i < 512; i++) sum = (uint8_t)(sum + buf[i]);
    ck_assert_uint_eq(sum, 0);
    ck_assert_uint_eq(buf[2], 1);
}
END_TEST

START_TEST(native_max_is_the_last_sector)
{
    out(DEVICE, 0xe0);
    out(COMMAND, 0xf8);
    wait_done();
    ck_assert_uint_eq(in(LOW) | in(MID) << 8 | in(HIGH) << 16 | (in(DEVICE) & 0xf) << 24, SECTORS - 1);
    out(COMMAND, 0x27);
    wait_done();
    ck_assert_uint_eq(in(LOW) | in(MID) << 8, SECTORS - 1);
    out(CONTROL, ATA_CTL_HOB);
    ck_assert_uint_eq(in(LOW), 0);
}
END_TEST

START_TEST(srst_ends_a_transfer_and_selects_drive_0)
{
    lba28(0x20, 5, 4);
    wait_done();
    rig_in16(&bench->r, DATA);
    out(CONTROL, ATA_CTL_SRST);
    ck_assert_uint_eq(in(CONTROL), ATA_BSY);
    rig_step_ns(&bench->r, 10000000);
    ck_assert_uint_eq(in(CONTROL), ATA_BSY);
    out(CONTROL, 0);
    wait_done();
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert_uint_eq(in(COUNT), 1);
    ck_assert_uint_eq(in(DEVICE), 0xa0);
    ck_assert(!bench->r.probe[IRQ].level);
}
END_TEST

START_TEST(settings_survive_srst_only_after_feature_66)
{
    uint8_t id[512];
    for (unsigned keep = 0; keep < 2; keep++) {
        out(FEATURES, keep ? 0x66 : 0xcc);
        out(COMMAND, 0xef);
        wait_done();
        out(COUNT, 4);
        out(COMMAND, 0xc6);
        wait_done();
        out(CONTROL, ATA_CTL_SRST);
        out(CONTROL, 0);
        wait_done();
        identify(id);
        ck_assert_uint_eq(ld16(id + 2 * 59), keep ? 0x0104 : 0);
    }
}
END_TEST

START_TEST(diagnostic_runs_on_both_drives_and_drive_0_speaks)
{
    struct bench *saved = bench;
    bench = bench_create(2, 1 << 20);
    out(DEVICE, 0xb0);
    out(COMMAND, 0x90);
    ck_assert(wait_done());
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert_uint_eq(in(ERROR), 1);
    ck_assert_uint_eq(in(DEVICE), 0xa0);
    out(DEVICE, 0xb0);
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert(!bench->r.probe[IRQ].level);
    bench_free(bench);
    bench = saved;
}
END_TEST

START_TEST(two_drives_listen_and_the_selected_one_works)
{
    struct bench *saved = bench;
    uint8_t buf[512];
    bench = bench_create(2, 1 << 20);
    bench->image[1]->data[512] = 0xee;
    out(DEVICE, 0xe0);
    out(COUNT, 1);
    out(LOW, 1);
    out(MID, 0);
    out(HIGH, 0);
    out(DEVICE, 0xf0);                                       /* the others were latched by both */
    out(COMMAND, 0x20);
    wait_done();
    out(DEVICE, 0xe0);
    ck_assert(!bench->r.probe[IRQ].level);                           /* only the selected drive drives INTRQ */
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    out(DEVICE, 0xf0);
    ck_assert(bench->r.probe[IRQ].level);
    read_words(buf, 256);
    ck_assert_uint_eq(buf[0], 0xee);
    bench_free(bench);
    bench = saved;
}
END_TEST

START_TEST(buffer_commands_keep_a_sector)
{
    uint8_t buf[512], back[512];
    for (unsigned i = 0; i < 512; i++) buf[i] = (uint8_t)(255 - i);
    out(DEVICE, 0xa0);
    out(COMMAND, 0xe8);
    wait_done();
    write_words(buf, 256);
    wait_done();
    rig_check_device(bench->disk[0]);
    out(COMMAND, 0xe4);
    wait_done();
    read_words(back, 256);
    ck_assert_mem_eq(buf, back, 512);
}
END_TEST

START_TEST(undecoded_channel_reads_ones)
{
    ata_channel_decode(bench->channel, false);
    ck_assert_uint_eq(in(STATUS), 0xff);
    ck_assert_uint_eq(in(CONTROL), 0xff);
}
END_TEST

START_TEST(state_survives_in_the_middle_of_a_block)
{
    uint8_t buf[512];
    lba28(0x20, 70, 2);
    wait_done();
    read_words(buf, 100);
    rig_check_device(bench->disk[0]);
    rig_check_device(ata_channel_device(bench->channel));
    ata_channel_decode(bench->channel, true);
    read_words(buf + 200, 156);
    ck_assert_mem_eq(buf, sector(70), 512);
    wait_done();
    read_words(buf, 256);
    ck_assert_mem_eq(buf, sector(71), 512);
}
END_TEST

static void start_bus_master(struct rig *r, struct device *d, uint64_t random)
{
    (void)r;
    (void)d;
    bench->dma_on = random & 1;
    bench->dma_room = (uint32_t)(random >> 8) % sizeof bench->dma_memory;
    ata_channel_decode(bench->channel, true);
    if (bench->dma_on) ata_channel_dma_started(bench->channel);
}

START_TEST(random_accesses_never_crash)
{
    static const struct rig_window windows[] = { { 0x1f0, 8, false }, { 0x3f6, 1, false } };
    for (unsigned long seed = 0; seed < rig_seeds(); seed++) {
        ata_channel_decode(bench->channel, true);
        rig_fuzz(&bench->r, bench->disk[0], windows, 2, seed, 10000, start_bus_master);
        rig_check_device(ata_channel_device(bench->channel));
    }
}
END_TEST

START_TEST(hostile_state_is_refused_or_runs)
{
    static const struct rig_window windows[] = { { 0x1f0, 8, false }, { 0x3f6, 1, false } };
    uint8_t buf[512];
    lba28(0x20, 10, 9);                                      /* in the middle of a PIO read, */
    wait_done();
    read_words(buf, 100);
    rig_fuzz_state(&bench->r, bench->disk[0], windows, 2, 1, 1000);
    out(CONTROL, ATA_CTL_SRST);
    out(CONTROL, 0);
    rig_step_ns(&bench->r, 3000000);
    bench->dma_room = 300;
    bench->dma_on = true;
    lba28(0xca, 10, 9);                                      /* and of a DMA write */
    rig_step_ns(&bench->r, 5000000);
    bench->dma_room = sizeof bench->dma_memory;
    rig_fuzz_state(&bench->r, bench->disk[0], windows, 2, 2, 1000);
}
END_TEST

int main(void)
{
    return rig_run("ata", setup, teardown, RIG_TESTS(
        &power_on_leaves_the_signature_of_a_disk,
        &drive_0_answers_for_an_absent_drive_1_with_status_0,
        &cable_without_drives_floats_with_dd7_low,
        &part_of_a_sector_at_the_end_cannot_be_reached,
        &identify_has_text_capacity_and_a_checksum,
        &read_sectors_interrupts_before_each_block_and_not_after_the_last,
        &count_zero_reads_256_sectors,
        &data_register_takes_32_bit_accesses_as_two_words,
        &chs_uses_the_translation_the_host_set,
        &addresses_off_the_disk_are_idnf,
        &range_off_the_end_moves_what_is_there_then_names_the_first_missing_sector,
        &write_sectors_interrupts_after_each_block,
        &multiple_moves_blocks_of_the_size_that_was_set,
        &registers_are_two_deep_and_hob_shows_the_older_byte,
        &dma_reads_and_writes_with_one_interrupt,
        &dma_waits_for_the_bus_master_and_goes_on_where_its_list_ended,
        &host_failure_stops_the_machine_and_the_guest_sees_a_slow_drive,
        &read_only_image_refuses_writes,
        &nien_keeps_the_interrupt_off_the_cable,
        &unknown_and_refused_commands_abort,
        &set_features_selects_transfer_modes_and_the_cache,
        &power_mode_is_active_idle_or_standby,
        &smart_needs_its_key_and_reports_health,
        &native_max_is_the_last_sector,
        &srst_ends_a_transfer_and_selects_drive_0,
        &settings_survive_srst_only_after_feature_66,
        &diagnostic_runs_on_both_drives_and_drive_0_speaks,
        &two_drives_listen_and_the_selected_one_works,
        &buffer_commands_keep_a_sector,
        &undecoded_channel_reads_ones,
        &state_survives_in_the_middle_of_a_block,
        &random_accesses_never_crash,
        &hostile_state_is_refused_or_runs));
}
