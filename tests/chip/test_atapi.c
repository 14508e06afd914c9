/* The ATAPI CD drive from the cable: packets, byte counts, interrupt reasons, sense, the disc and what is said of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "devices/atapi_cd.h"
#include "devices/atapi_sector.h"
#include "tests/chip/memory_blk.h"
#include "tests/chip/rig.h"

enum { DATA = 0x170, ERROR, REASON, LOW, LIMIT_LOW, LIMIT_HIGH, DEVICE, STATUS, FEATURES = ERROR, COMMAND = STATUS,
       CONTROL = 0x376, IRQ = 15 };
enum { BLOCKS = 300 };

struct bench {
    struct rig r;
    struct ata_channel *channel;
    struct device *cd;
    struct memory_blk *image;
    bool dma_on;
    uint32_t dma_room;
    uint8_t dma_memory[1 << 17];
};

static struct bench *b;

static void no_intrq(void *host, unsigned channel, bool level)
{
    (void)host;
    (void)channel;
    (void)level;
}

static enum ata_dma_result flat_dma(void *host, unsigned channel, struct ata_drive *d, bool to_memory, uint32_t len,
                                    ata_dma_mover *mover, uint64_t *moved, struct error *e)
{
    (void)host;
    (void)channel;
    (void)to_memory;
    if (!b->dma_on || *moved >= sizeof b->dma_memory) return ATA_DMA_WAIT;
    uint32_t n = len < b->dma_room ? len : b->dma_room;
    if (n > sizeof b->dma_memory - *moved) n = (uint32_t)(sizeof b->dma_memory - *moved);
    if (n && mover(d, b->dma_memory + *moved, *moved, n, e) != HOST_OK) return ATA_DMA_HOST_FAILED;
    *moved += n;
    b->dma_room -= n;
    return n < len ? ATA_DMA_WAIT : ATA_DMA_DONE;
}

static const struct ata_host_ops flat_host = { .intrq = no_intrq, .dma = flat_dma };

static void create(uint64_t bytes)
{
    b = calloc(1, sizeof *b);
    rig_init(&b->r);
    b->channel = ata_channel_create(&b->r.board, "ide1", &(struct ata_pins){ 0x170, 0x376, rig_probe(&b->r, IRQ) });
    ata_channel_set_host(b->channel, &flat_host, b, 1);
    b->image = bytes ? memory_blk_create(bytes) : NULL;
    b->cd = atapi_cd_create(&b->r.board, "ide1-cd0", b->channel, 0, bytes ? &b->image->blk : NULL);
    board_reset(&b->r.board, RESET_POWER_ON);
    ata_channel_decode(b->channel, true);
    rig_step_ns(&b->r, 3000000);
}

static void teardown(void)
{
    rig_fini(&b->r);
    free(b);
}

static uint8_t in(uint16_t port) { return rig_in8(&b->r, port); }
static void out(uint16_t port, uint8_t v) { rig_out8(&b->r, port, v); }

static bool wait_done(void)
{
    for (unsigned i = 0; i < 2000 && (in(CONTROL) & ATA_BSY); i++) rig_step_ns(&b->r, 100000);
    ck_assert_msg(!(in(CONTROL) & ATA_BSY), "still busy");
    return b->r.probe[IRQ].level;
}

static void send_packet(const uint8_t *p, uint16_t limit, bool dma)
{
    out(DEVICE, 0xa0);
    out(FEATURES, dma);
    out(LIMIT_LOW, (uint8_t)limit);
    out(LIMIT_HIGH, (uint8_t)(limit >> 8));
    out(COMMAND, 0xa0);
    ck_assert(!wait_done());                             /* DRQ for the packet comes without an interrupt */
    ck_assert_uint_eq(in(STATUS) & (ATA_DRQ | ATA_ERR), ATA_DRQ);
    ck_assert_uint_eq(in(REASON), 1);                    /* command, to the drive */
    for (unsigned i = 0; i < 12; i += 2) rig_out16(&b->r, DATA, ld16(p + i));
}

/* Runs a packet by PIO. Data to the host go to buf; returns their length, or -1 - sense key. *blocks counts DRQ blocks.
 */
static int run(const uint8_t *p, uint8_t *buf, uint16_t limit, unsigned *blocks)
{
    int len = 0;
    send_packet(p, limit, false);
    for (unsigned n = 0;; n++) {
        ck_assert(wait_done());
        uint8_t status = in(STATUS);
        ck_assert(!b->r.probe[IRQ].level);
        if (!(status & ATA_DRQ)) {
            ck_assert_uint_eq(in(REASON), 3);            /* status: command, to the host */
            if (blocks) *blocks = n;
            return status & ATA_ERR ? -1 - (in(ERROR) >> 4) : len;
        }
        ck_assert_uint_eq(in(REASON), 2);
        unsigned bytes = in(LIMIT_LOW) | (unsigned)in(LIMIT_HIGH) << 8;
        ck_assert_uint_le(bytes, limit);
        for (unsigned i = 0; i < bytes; i += 2) {
            uint16_t w = rig_in16(&b->r, DATA);
            buf[len++] = (uint8_t)w;
            if (i + 1 < bytes) buf[len++] = (uint8_t)(w >> 8);
        }
    }
}

static void take_attention(void)
{
    uint8_t p[12] = { 0 }, buf[32];
    ck_assert_int_eq(run(p, buf, 2048, NULL), -1 - 6);
}

static void setup(void)
{
    create(BLOCKS * 2048u - 700);                        /* the last block is partial */
    take_attention();
}

static void read10(uint8_t *p, uint32_t lba, uint16_t blocks)
{
    memset(p, 0, 12);
    p[0] = 0x28;
    st32be(p + 2, lba);
    st16be(p + 7, blocks);
}

START_TEST(signature_and_status_tell_a_packet_device)
{
    teardown();
    create(1 << 20);
    ck_assert_uint_eq(in(STATUS), 0);
    ck_assert_uint_eq(in(ERROR), 1);
    ck_assert_uint_eq(in(LIMIT_LOW), 0x14);
    ck_assert_uint_eq(in(LIMIT_HIGH), 0xeb);
    out(LIMIT_LOW, 0);
    out(COMMAND, 0xec);
    ck_assert(wait_done());
    ck_assert_uint_eq(in(STATUS) & ATA_ERR, ATA_ERR);
    ck_assert_uint_eq(in(ERROR), ATA_ABRT);
    ck_assert_uint_eq(in(LIMIT_LOW), 0x14);
}
END_TEST

START_TEST(identify_packet_device_has_one_block_and_no_status_interrupt)
{
    uint8_t id[512], sum = 0;
    out(COMMAND, 0xa1);
    ck_assert(wait_done());
    in(STATUS);
    for (unsigned i = 0; i < 512; i += 2) st16(id + i, rig_in16(&b->r, DATA));
    for (unsigned i = 0; i < 512; i++) sum = (uint8_t)(sum + id[i]);
    ck_assert_uint_eq(sum, 0);
    ck_assert_uint_eq(ld16(id), 0x85c0);
    rig_step_ns(&b->r, 1000000);
    ck_assert(!b->r.probe[IRQ].level);
    ck_assert_uint_eq(in(STATUS) & (ATA_DRQ | ATA_BSY | ATA_ERR), 0);
}
END_TEST

START_TEST(attention_after_power_on_is_reported_once)
{
    uint8_t p[12] = { 0 }, buf[64];
    teardown();
    create(1 << 20);
    uint8_t inquiry[12] = { 0x12, 0, 0, 0, 36 };
    ck_assert_int_eq(run(inquiry, buf, 2048, NULL), 36);           /* INQUIRY leaves it */
    ck_assert_uint_eq(buf[0], 5);
    ck_assert_mem_eq(buf + 8, "BEIGE   DVD-ROM ", 16);
    ck_assert_int_eq(run(p, buf, 2048, NULL), -1 - 6);
    uint8_t sense[12] = { 0x03, 0, 0, 0, 18 };
    ck_assert_int_eq(run(sense, buf, 2048, NULL), 18);
    ck_assert_uint_eq(buf[2], 6);
    ck_assert_uint_eq(buf[12], 0x29);
    ck_assert_int_eq(run(p, buf, 2048, NULL), 0);
    ck_assert_int_eq(run(sense, buf, 2048, NULL), 18);
    ck_assert_uint_eq(buf[2], 0);
}
END_TEST

START_TEST(read_is_cut_into_blocks_of_the_byte_count)
{
    uint8_t p[12], *buf = malloc(1 << 17);
    unsigned blocks;
    read10(p, 16, 4);
    ck_assert_int_eq(run(p, buf, 2048, &blocks), 8192);
    ck_assert_uint_eq(blocks, 4);
    ck_assert_mem_eq(buf, b->image->data + 16 * 2048, 8192);
    ck_assert_int_eq(run(p, buf, 3001, &blocks), 8192);            /* an odd limit counts down to an even one */
    ck_assert_uint_eq(blocks, 3);
    ck_assert_mem_eq(buf, b->image->data + 16 * 2048, 8192);
    read10(p, 100, 40);                                            /* more than the drive's buffer */
    ck_assert_int_eq(run(p, buf, 0xfffe, &blocks), 40 * 2048);
    ck_assert_uint_eq(blocks, 3);
    ck_assert_mem_eq(buf, b->image->data + 100 * 2048, 40 * 2048);
    free(buf);
}
END_TEST

START_TEST(last_block_of_an_odd_image_ends_in_zeros)
{
    uint8_t p[12], buf[4096], cap[12] = { 0x25 };
    ck_assert_int_eq(run(cap, buf, 8, NULL), 8);
    ck_assert_uint_eq(ld32be(buf), BLOCKS - 1);
    ck_assert_uint_eq(ld32be(buf + 4), 2048);
    read10(p, BLOCKS - 1, 1);
    ck_assert_int_eq(run(p, buf, 2048, NULL), 2048);
    ck_assert_mem_eq(buf, b->image->data + (BLOCKS - 1) * 2048, 2048 - 700);
    for (unsigned i = 2048 - 700; i < 2048; i++) ck_assert_uint_eq(buf[i], 0);
}
END_TEST

START_TEST(read_off_the_end_is_an_illegal_request)
{
    uint8_t p[12], buf[64], sense[12] = { 0x03, 0, 0, 0, 18 };
    read10(p, BLOCKS - 1, 2);
    ck_assert_int_eq(run(p, buf, 2048, NULL), -1 - 5);
    ck_assert_int_eq(run(sense, buf, 2048, NULL), 18);
    ck_assert_uint_eq(buf[12], 0x21);
    read10(p, 0xffffffff, 1);
    ck_assert_int_eq(run(p, buf, 2048, NULL), -1 - 5);
    uint8_t none[12] = { 0xc7 };
    ck_assert_int_eq(run(none, buf, 2048, NULL), -1 - 5);
    ck_assert_int_eq(run(sense, buf, 2048, NULL), 18);
    ck_assert_uint_eq(buf[12], 0x20);
}
END_TEST

START_TEST(dma_moves_all_and_interrupts_once)
{
    uint8_t p[12];
    unsigned before;
    b->dma_on = true;
    b->dma_room = sizeof b->dma_memory;
    read10(p, 5, 32);
    before = b->r.probe[IRQ].rises;
    send_packet(p, 0, true);
    ck_assert(wait_done());
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert_uint_eq(in(REASON), 3);
    ck_assert_mem_eq(b->dma_memory, b->image->data + 5 * 2048, 65536);
    ck_assert_uint_eq(b->r.probe[IRQ].rises, before + 1);
    ck_assert_uint_eq(b->image->largest_read, 65536);
}
END_TEST

START_TEST(dma_is_resumed_after_the_list_ended_and_after_a_host_failure)
{
    uint8_t p[12];
    b->dma_on = true;
    b->dma_room = 3000;
    read10(p, 5, 2);
    send_packet(p, 0, true);
    rig_step_ns(&b->r, 5000000);
    ck_assert_uint_eq(in(CONTROL) & ATA_BSY, ATA_BSY);
    rig_check_device(b->cd);
    b->image->fail = 1;
    b->dma_room = 3000;
    ata_channel_dma_started(b->channel);
    ck_assert(wait_done());
    ck_assert_uint_eq(b->r.requests, 1);
    ck_assert_mem_eq(b->dma_memory, b->image->data + 5 * 2048, 4096);
}
END_TEST

START_TEST(toc_has_one_data_track_and_the_lead_out)
{
    uint8_t p[12] = { 0x43, 0, 0, 0, 0, 0, 0, 0, 64 }, buf[64];
    ck_assert_int_eq(run(p, buf, 2048, NULL), 20);
    static const uint8_t binary[20] = { 0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0, 1, 44 };
    ck_assert_mem_eq(buf, binary, 20);
    p[1] = 2;
    ck_assert_int_eq(run(p, buf, 2048, NULL), 20);
    static const uint8_t msf[20] = { 0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 2, 0, 0, 0x14, 0xaa, 0, 0, 0, 6, 0 };
    ck_assert_mem_eq(buf, msf, 20);
    p[6] = 0xaa;
    ck_assert_int_eq(run(p, buf, 2048, NULL), 12);
    p[6] = 2;
    ck_assert_int_eq(run(p, buf, 2048, NULL), -1 - 5);
    p[6] = 0;
    p[2] = 1;
    p[1] = 0;
    ck_assert_int_eq(run(p, buf, 2048, NULL), 12);
    ck_assert_uint_eq(buf[6], 1);
    p[2] = 2;
    ck_assert_int_eq(run(p, buf, 2048, NULL), 48);
    ck_assert_uint_eq(buf[4 + 22 + 3], 0xa2);
    ck_assert_uint_eq(buf[4 + 22 + 9], 6);                         /* lead-out at 00:06:00 */
    p[8] = 4;                                                      /* cut to what the host allows for */
    ck_assert_int_eq(run(p, buf, 2048, NULL), 4);
    ck_assert_uint_eq(ld16be(buf), 46);
}
END_TEST

START_TEST(read_cd_gives_raw_sectors_with_valid_codes)
{
    uint8_t p[12] = { 0xbe, 0, 0, 0, 0, 20, 0, 0, 2, 0xf8 }, buf[5000];
    ck_assert_int_eq(run(p, buf, 0xfffe, NULL), 2 * 2352);
    static const uint8_t head[16] = { 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0x00, 0x02, 0x20, 1 };
    ck_assert_mem_eq(buf, head, 16);
    ck_assert_mem_eq(buf + 16, b->image->data + 20 * 2048, 2048);
    ck_assert_mem_eq(buf + 2352 + 16, b->image->data + 21 * 2048, 2048);
    p[9] = 0x10;
    ck_assert_int_eq(run(p, buf, 0xfffe, NULL), 4096);
    p[9] = 0x30;                                                   /* header and data */
    ck_assert_int_eq(run(p, buf, 0xfffe, NULL), 2 * 2052);
    ck_assert_uint_eq(buf[3], 1);
    p[9] = 0;
    ck_assert_int_eq(run(p, buf, 0xfffe, NULL), 0);
    p[9] = 0x10;
    p[1] = 1 << 2;                                                 /* audio: not on this disc */
    ck_assert_int_eq(run(p, buf, 0xfffe, NULL), -1 - 5);
    uint8_t msf[12] = { 0xb9, 0, 0, 0, 2, 5, 0, 2, 6, 0x10 };
    ck_assert_int_eq(run(msf, buf, 0xfffe, NULL), 2048);
    ck_assert_mem_eq(buf, b->image->data + 5 * 2048, 2048);
}
END_TEST

/* a * 2^n in the field of the CD's code. */
static uint8_t weighted(uint8_t a, unsigned n)
{
    while (n--) a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1d : 0));
    return a;
}

START_TEST(raw_sector_satisfies_the_parity_equations)
{
    uint8_t raw[CD_RAW];
    uint32_t crc = 0;
    uint64_t seed = 1;
    for (unsigned i = 0; i < CD_DATA; i++) raw[CD_DATA_AT + i] = (uint8_t)rig_random(&seed);
    cd_sector_complete(raw, 123456);
    for (unsigned i = 0; i < 2068; i++) {                          /* ECMA-130: the remainder over data and EDC is 0 */
        crc ^= raw[i];
        for (unsigned k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xd8018001u : 0);
    }
    ck_assert_uint_eq(crc, 0);
    for (unsigned col = 0; col < 86; col++) {                      /* P: 26 bytes a column */
        uint8_t s0 = 0, s1 = 0;
        for (unsigned row = 0; row < 26; row++) {
            uint8_t v = raw[12 + row * 86 + col];
            s0 ^= v;
            s1 ^= weighted(v, 25 - row);
        }
        ck_assert_uint_eq(s0 | s1, 0);
    }
    for (unsigned q = 0; q < 26; q++)                              /* Q: 43 bytes a diagonal, and two */
        for (unsigned plane = 0; plane < 2; plane++) {
            uint8_t s0 = 0, s1 = 0;
            for (unsigned i = 0; i < 45; i++) {
                unsigned word = i < 43 ? (q * 43 + i * 44) % 1118 : 1118 + (i - 43) * 26 + q;
                uint8_t v = raw[12 + 2 * word + plane];
                s0 ^= v;
                s1 ^= weighted(v, 44 - i);
            }
            ck_assert_uint_eq(s0 | s1, 0);
        }
}
END_TEST

START_TEST(empty_drive_says_medium_not_present)
{
    uint8_t p[12] = { 0 }, buf[64], sense[12] = { 0x03, 0, 0, 0, 18 };
    teardown();
    create(0);
    take_attention();
    ck_assert_int_eq(run(p, buf, 2048, NULL), -1 - 2);
    ck_assert_int_eq(run(sense, buf, 2048, NULL), 18);
    ck_assert_uint_eq(buf[12], 0x3a);
    ck_assert_ptr_null(ata_blk(b->cd));
    struct memory_blk *disc = memory_blk_create(1 << 20);
    ck_assert_int_eq(atapi_cd_change(b->cd, &disc->blk, false), HOST_OK);
    ck_assert_int_eq(run(p, buf, 2048, NULL), -1 - 6);             /* the disc was changed */
    ck_assert_int_eq(run(p, buf, 2048, NULL), 0);
}
END_TEST

START_TEST(disc_change_raises_attention_and_an_event)
{
    uint8_t p[12] = { 0 }, buf[64], event[12] = { 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8 }, sense[12] = { 0x03, 0, 0, 0, 18 };
    ck_assert_int_eq(run(event, buf, 2048, NULL), 8);
    ck_assert_uint_eq(buf[4], 0);
    ck_assert_uint_eq(buf[5], 2);
    ck_assert_int_eq(atapi_cd_change(b->cd, NULL, false), HOST_OK);
    ck_assert(atapi_cd_tray_open(b->cd));
    ck_assert_int_eq(run(event, buf, 2048, NULL), 8);
    ck_assert_uint_eq(buf[4], 3);                                  /* removal */
    ck_assert_uint_eq(buf[5], 1);
    ck_assert_int_eq(run(p, buf, 2048, NULL), -1 - 2);
    struct memory_blk *disc = memory_blk_create(1 << 20);
    ck_assert_int_eq(atapi_cd_change(b->cd, &disc->blk, false), HOST_OK);
    ck_assert_int_eq(run(p, buf, 2048, NULL), -1 - 6);
    ck_assert_int_eq(run(sense, buf, 2048, NULL), 18);
    ck_assert_uint_eq(buf[12], 0x28);
    ck_assert_int_eq(run(event, buf, 2048, NULL), 8);
    ck_assert_uint_eq(buf[4], 2);
    ck_assert_int_eq(run(event, buf, 2048, NULL), 8);
    ck_assert_uint_eq(buf[4], 0);                                  /* once */
}
END_TEST

START_TEST(locked_tray_opens_for_nobody_but_force)
{
    uint8_t lock[12] = { 0x1e, 0, 0, 0, 1 }, eject[12] = { 0x1b, 0, 0, 0, 2 }, load[12] = { 0x1b, 0, 0, 0, 3 }, buf[64];
    uint8_t event[12] = { 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8 };
    ck_assert_int_eq(run(lock, buf, 2048, NULL), 0);
    ck_assert(atapi_cd_locked(b->cd));
    ck_assert_int_eq(run(eject, buf, 2048, NULL), -1 - 5);
    ck_assert_int_eq(atapi_cd_change(b->cd, NULL, false), HOST_BUSY);
    ck_assert_int_eq(run(event, buf, 2048, NULL), 8);
    ck_assert_uint_eq(buf[4], 1);                                  /* eject request */
    lock[4] = 0;
    ck_assert_int_eq(run(lock, buf, 2048, NULL), 0);
    ck_assert_int_eq(run(eject, buf, 2048, NULL), 0);
    ck_assert(atapi_cd_tray_open(b->cd));
    ck_assert_ptr_nonnull(ata_blk(b->cd));                         /* the disc lies in the tray */
    ck_assert_int_eq(run(load, buf, 2048, NULL), 0);
    take_attention();
    lock[4] = 1;
    run(lock, buf, 2048, NULL);
    ck_assert_int_eq(atapi_cd_change(b->cd, NULL, true), HOST_OK);
    ck_assert_ptr_null(ata_blk(b->cd));
}
END_TEST

START_TEST(mode_pages_are_read_and_set)
{
    uint8_t sense10[12] = { 0x5a, 0, 0x3f, 0, 0, 0, 0, 1, 0 }, buf[256];
    uint8_t select[12] = { 0x55, 0x10, 0, 0, 0, 0, 0, 0, 24 };
    int n = run(sense10, buf, 2048, NULL);
    ck_assert_int_eq(n, 8 + 8 + 8 + 16 + 20);
    ck_assert_uint_eq(ld16be(buf), n - 2);
    sense10[2] = 0x2a;
    ck_assert_int_eq(run(sense10, buf, 2048, NULL), 28);
    ck_assert_uint_eq(buf[8], 0x2a);
    sense10[2] = 0x0e;
    ck_assert_int_eq(run(sense10, buf, 2048, NULL), 24);
    buf[8 + 9] = 0x40;                                             /* volume of port 0 */
    send_packet(select, 10, false);
    for (unsigned at = 0; at < 24;) {
        ck_assert(wait_done());
        ck_assert_uint_eq(in(STATUS) & ATA_DRQ, ATA_DRQ);
        ck_assert_uint_eq(in(REASON), 0);                          /* data, to the drive */
        unsigned bytes = in(LIMIT_LOW);
        ck_assert_uint_le(bytes, 10);
        for (unsigned i = 0; i < bytes; i += 2, at += 2) rig_out16(&b->r, DATA, ld16(buf + at));
    }
    ck_assert(wait_done());
    ck_assert_uint_eq(in(STATUS), ATA_DRDY | ATA_DSC);
    ck_assert_int_eq(run(sense10, buf, 2048, NULL), 24);
    ck_assert_uint_eq(buf[17], 0x40);
    sense10[2] = 0x8e;
    run(sense10, buf, 2048, NULL);
    ck_assert_uint_eq(buf[17], 0xff);                              /* the default */
    sense10[2] = 0xce;
    ck_assert_int_eq(run(sense10, buf, 2048, NULL), -1 - 5);
    uint8_t sense6[12] = { 0x1a, 0, 0x01, 0, 255 };
    ck_assert_int_eq(run(sense6, buf, 2048, NULL), 12);
}
END_TEST

START_TEST(configuration_names_the_profile_of_the_disc)
{
    uint8_t p[12] = { 0x46, 0, 0, 0, 0, 0, 0, 1, 0 }, buf[256];
    int n = run(p, buf, 2048, NULL);
    ck_assert_uint_eq(ld32be(buf), (unsigned)n - 4);
    ck_assert_uint_eq(ld16be(buf + 6), 0x0008);
    p[1] = 2;
    p[3] = 0x1e;
    ck_assert_int_eq(run(p, buf, 2048, NULL), 12);
    ck_assert_uint_eq(buf[10] & 1, 1);
}
END_TEST

START_TEST(other_questions_about_the_disc_are_answered)
{
    uint8_t buf[256];
    uint8_t disc[12] = { 0x51, 0, 0, 0, 0, 0, 0, 0, 34 }, track[12] = { 0x52, 1, 0, 0, 0, 1, 0, 0, 36 };
    uint8_t sub[12] = { 0x42, 2, 0x40, 1, 0, 0, 0, 0, 16 }, header[12] = { 0x44, 0, 0, 0, 0, 9, 0, 0, 8 };
    uint8_t mechanism[12] = { 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8 }, dvd[12] = { 0xad, 0, 0, 0, 0, 0, 0, 0, 8, 4 };
    uint8_t seek[12] = { 0x2b, 0, 0, 0, 0, 50 }, speed[12] = { 0xbb, 0, 0, 176 };
    ck_assert_int_eq(run(disc, buf, 2048, NULL), 34);
    ck_assert_uint_eq(buf[2], 0x0e);
    ck_assert_int_eq(run(track, buf, 2048, NULL), 36);
    ck_assert_uint_eq(ld32be(buf + 24), BLOCKS);
    ck_assert_int_eq(run(seek, buf, 2048, NULL), 0);
    ck_assert_int_eq(run(sub, buf, 2048, NULL), 16);
    ck_assert_uint_eq(buf[11], 50);                                /* frame 50 of 00:02 */
    ck_assert_uint_eq(buf[10], 2);
    ck_assert_uint_eq(buf[14], 0);                                 /* relative: 00:00:50 */
    ck_assert_int_eq(run(header, buf, 2048, NULL), 8);
    ck_assert_uint_eq(buf[7], 9);
    ck_assert_int_eq(run(mechanism, buf, 2048, NULL), 8);
    ck_assert_int_eq(run(dvd, buf, 2048, NULL), -1 - 5);           /* not a DVD */
    ck_assert_int_eq(run(speed, buf, 2048, NULL), 0);
}
END_TEST

START_TEST(device_reset_works_while_busy)
{
    uint8_t p[12];
    read10(p, 0, 32);
    send_packet(p, 2048, false);
    ck_assert_uint_eq(in(CONTROL) & ATA_BSY, ATA_BSY);
    out(COMMAND, 0x08);
    ck_assert_uint_eq(in(CONTROL), 0);
    ck_assert_uint_eq(in(LIMIT_HIGH), 0xeb);
    rig_step_ns(&b->r, 10000000);
    ck_assert(!b->r.probe[IRQ].level);
}
END_TEST

START_TEST(state_survives_between_blocks)
{
    uint8_t p[12], w[2];
    read10(p, 7, 2);
    send_packet(p, 2048, false);
    wait_done();
    for (unsigned i = 0; i < 500; i++) rig_in16(&b->r, DATA);
    rig_check_device(b->cd);
    for (unsigned i = 500; i < 1024; i++) {
        st16(w, rig_in16(&b->r, DATA));
        ck_assert_mem_eq(w, b->image->data + 7 * 2048 + 2 * i, 2);
    }
    wait_done();
    ck_assert_uint_eq(rig_in16(&b->r, DATA), ld16(b->image->data + 8 * 2048));
}
END_TEST

/* Valid packets with random contents, and changes of the disc. */
static void poke(struct rig *r, struct device *d, uint64_t random)
{
    static const uint8_t ops[] = { 0x00, 0x03, 0x12, 0x15, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x2b, 0x2f, 0x42, 0x43, 0x44,
                                   0x46, 0x4a, 0x51, 0x52, 0x55, 0x5a, 0xa8, 0xad, 0xb9, 0xbb, 0xbd, 0xbe };
    uint64_t seed = random;
    b->dma_on = random & 1;
    b->dma_room = (uint32_t)(random >> 20) & 0xffff;
    ata_channel_decode(b->channel, true);
    ata_channel_dma_started(b->channel);
    if ((random & 0x3e) == 0) {
        struct memory_blk *disc = random & 0x40 ? memory_blk_create(random >> 40 & 0xfffff) : NULL;
        if (atapi_cd_change(d, disc ? &disc->blk : NULL, random & 0x80) != HOST_OK && disc) blk_close(&disc->blk);
    }
    out(FEATURES, random & 0x100 ? 1 : 0);
    out(LIMIT_HIGH, (uint8_t)(random >> 9));
    out(COMMAND, 0xa0);
    rig_step_ns(r, 10000);
    uint64_t word = rig_random(&seed);
    rig_out16(r, DATA, (uint16_t)(ops[word % sizeof ops] | (word & 0xff00)));
    uint16_t bits = random & 0x200 ? 0xffff : 0x1f00;
    for (unsigned i = 1; i < 6; i++) rig_out16(r, DATA, (uint16_t)rig_random(&seed) & bits);
}

START_TEST(random_accesses_never_crash)
{
    static const struct rig_window windows[] = { { 0x170, 8, false }, { 0x376, 1, false } };
    for (unsigned long seed = 0; seed < rig_seeds(); seed++) {
        ata_channel_decode(b->channel, true);
        rig_fuzz(&b->r, b->cd, windows, 2, seed, 10000, poke);
    }
}
END_TEST

START_TEST(hostile_state_is_refused_or_runs)
{
    static const struct rig_window windows[] = { { 0x170, 8, false }, { 0x376, 1, false } };
    uint8_t p[12] = { 0xbe, 0, 0, 0, 0, 20, 0, 0, 9, 0xf8 };
    send_packet(p, 3000, false);
    wait_done();
    rig_in16(&b->r, DATA);
    rig_fuzz_state(&b->r, b->cd, windows, 2, 1, 1000);
    out(CONTROL, ATA_CTL_SRST);
    out(CONTROL, 0);
    rig_step_ns(&b->r, 3000000);
    b->dma_on = true;
    b->dma_room = 5000;
    send_packet(p, 3000, true);
    rig_step_ns(&b->r, 5000000);
    b->dma_room = sizeof b->dma_memory;
    rig_fuzz_state(&b->r, b->cd, windows, 2, 2, 1000);
}
END_TEST

int main(void)
{
    return rig_run("atapi", setup, teardown, RIG_TESTS(
        &signature_and_status_tell_a_packet_device,
        &identify_packet_device_has_one_block_and_no_status_interrupt,
        &attention_after_power_on_is_reported_once,
        &read_is_cut_into_blocks_of_the_byte_count,
        &last_block_of_an_odd_image_ends_in_zeros,
        &read_off_the_end_is_an_illegal_request,
        &dma_moves_all_and_interrupts_once,
        &dma_is_resumed_after_the_list_ended_and_after_a_host_failure,
        &toc_has_one_data_track_and_the_lead_out,
        &read_cd_gives_raw_sectors_with_valid_codes,
        &raw_sector_satisfies_the_parity_equations,
        &empty_drive_says_medium_not_present,
        &disc_change_raises_attention_and_an_event,
        &locked_tray_opens_for_nobody_but_force,
        &mode_pages_are_read_and_set,
        &configuration_names_the_profile_of_the_disc,
        &other_questions_about_the_disc_are_answered,
        &device_reset_works_while_busy,
        &state_survives_between_blocks,
        &random_accesses_never_crash,
        &hostile_state_is_refused_or_runs));
}
