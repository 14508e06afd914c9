/* A floppy controller with two drives and a DMA channel that the test plays, for the tests of the 82077AA. */
#ifndef TESTS_CHIP_FDC_RIG_H
#define TESTS_CHIP_FDC_RIG_H

#include <stdlib.h>
#include <string.h>

#include "devices/i82077.h"
#include "devices/i82077_formats.h"
#include "devices/isa_dma.h"
#include "tests/chip/memory_blk.h"
#include "tests/chip/rig.h"

enum { DOR = 0x3f2, TDR, MSR, FIFO, DIR = 0x3f7, DSR = MSR, CCR = DIR, IRQ = 6 };
enum { RQM = 0x80, DIO = 0x40, NON_DMA = 0x20, BUSY = 0x10 };
enum { MFM = 0x40, MT = 0x80, SK = 0x20, READ = 0x06, WRITE = 0x05 };

struct bench {
    struct rig r;
    struct device *fdc;
    struct memory_blk *image[2];
    struct isa_dma bus;
    uint8_t memory[65536];                     /* what DMA channel 2 points at */
    unsigned at, count;                        /* next byte, bytes to terminal count */
    bool granted, dreq;
};

static struct bench *b;                       /* one for each test program */
static bool lenient;                          /* the next one's pin */

static inline unsigned dma_take(void *opaque, unsigned len, bool *tc)
{
    struct bench *bench = opaque;
    unsigned n = bench->granted ? len < bench->count ? len : bench->count : 0;
    *tc = n && n == bench->count;
    bench->count -= n;
    bench->at += n;
    return n;
}

static inline unsigned dma_to_chip(void *opaque, unsigned channel, void *buf, unsigned len, bool *tc)
{
    ck_assert_uint_eq(channel, 2);
    unsigned n = dma_take(opaque, len, tc);
    memcpy(buf, b->memory + b->at - n, n);
    return n;
}

static inline unsigned dma_from_chip(void *opaque, unsigned channel, const void *buf, unsigned len, bool *tc)
{
    ck_assert_uint_eq(channel, 2);
    unsigned n = dma_take(opaque, len, tc);
    memcpy(b->memory + b->at - n, buf, n);
    return n;
}

static inline void dma_request(void *opaque, unsigned channel, bool dreq)
{
    (void)channel;
    ((struct bench *)opaque)->dreq = dreq;
}

static inline bool dma_ready(void *opaque, unsigned channel)
{
    (void)channel;
    return ((struct bench *)opaque)->granted;
}

static inline void dma_program(unsigned count)
{
    b->at = 0;
    b->count = count;
    b->granted = true;
}

static inline void create(uint64_t bytes0, bool second)
{
    b = calloc(1, sizeof *b);
    rig_init(&b->r);
    b->bus = (struct isa_dma){ dma_to_chip, dma_from_chip, dma_request, dma_ready, b };
    struct i82077_pins pins = { .base = 0x3f0, .irq = rig_probe(&b->r, IRQ), .dma = &b->bus, .dma_channel = 2 };
    b->image[0] = bytes0 ? memory_blk_create(bytes0) : NULL;
    pins.drive[0].present = true;
    pins.lenient = lenient;
    pins.drive[0].blk = bytes0 ? &b->image[0]->blk : NULL;
    pins.drive[1].present = second;
    b->fdc = i82077_create(&b->r.board, "fdc", &pins);
    board_reset(&b->r.board, RESET_POWER_ON);
}

static inline void teardown(void)
{
    rig_fini(&b->r);
    free(b);
}

static inline uint8_t in(uint16_t port) { return rig_in8(&b->r, port); }
static inline void out(uint16_t port, uint8_t v) { rig_out8(&b->r, port, v); }
static inline bool irq(void) { return b->r.probe[IRQ].level; }
static inline bool wait_irq(void) { return rig_step_until(&b->r, IRQ, true, 1000000000); }

static inline void send(const uint8_t *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ck_assert_uint_eq(in(MSR) & (RQM | DIO), RQM);
        out(FIFO, p[i]);
    }
}
#define SEND(...) send((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static inline unsigned receive(uint8_t *p)
{
    unsigned n = 0;
    while ((in(MSR) & (RQM | DIO | BUSY)) == (RQM | DIO | BUSY) && n < 16) p[n++] = in(FIFO);
    return n;
}

static inline void expect(const uint8_t *p, unsigned n)
{
    uint8_t got[16];
    ck_assert_uint_eq(receive(got), n);
    ck_assert_mem_eq(got, p, n);
}
#define EXPECT(...) expect((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* As a BIOS does: out of reset with the motor of drive 0 on, four times SENSE INTERRUPT, SPECIFY, rate, home. */
static inline void start(uint8_t rate, bool dma)
{
    out(DOR, 0x1c);
    ck_assert(wait_irq());
    for (uint8_t n = 0; n < 4; n++) {
        SEND(0x08);
        EXPECT((uint8_t)(0xc0 | n), 0);
    }
    out(CCR, rate);
    SEND(0x03, 0xdf, dma ? 0x02 : 0x03);
    SEND(0x07, 0);
    ck_assert(wait_irq());
    SEND(0x08);
    EXPECT(0x20, 0);
}

#endif
