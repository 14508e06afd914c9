/* The DMA lines of the ISA bus: what a floppy controller or a sound card sees of the two 8237s.
 *
 * A chip raises DREQ when it wants service. Whoever moves the data is the chip itself, when its own timing says that
 * the bytes are due: it asks for up to `len` bytes and gets what the controller grants. The controller then does
 * what it was programmed for: direction, address, count, auto-initialisation, terminal count. Channels 0-3 move
 * bytes, 5-7 words (len is in bytes and even; an odd rest is not moved). Only the machine's thread. */
#ifndef DEVICES_ISA_DMA_H
#define DEVICES_ISA_DMA_H

#include <stdbool.h>

struct isa_dma {
    unsigned (*read)(void *dma, unsigned channel, void *buf, unsigned len, bool *tc);
    unsigned (*write)(void *dma, unsigned channel, const void *buf, unsigned len, bool *tc);
    void (*request)(void *dma, unsigned channel, bool dreq);
    bool (*ready)(void *dma, unsigned channel);
    void *dma;
};

/* Memory to chip. Returns the bytes moved: fewer than len at terminal count (*tc is set then, else cleared; tc may be
 * NULL) and 0 while the channel is masked or the controller disabled. A channel programmed for verify, or for the other
 * direction, counts but moves no data: the chip reads FFh. Does not look at DREQ: asking is requesting. */
static inline unsigned isa_dma_read(struct isa_dma *bus, unsigned channel, void *buf, unsigned len, bool *tc)
{
    return bus->read(bus->dma, channel, buf, len, tc);
}

/* Chip to memory. As isa_dma_read. */
static inline unsigned isa_dma_write(struct isa_dma *bus, unsigned channel, const void *buf, unsigned len, bool *tc)
{
    return bus->write(bus->dma, channel, buf, len, tc);
}

/* Level of the DREQ line; the guest sees it in the status register. */
static inline void isa_dma_request(struct isa_dma *bus, unsigned channel, bool dreq)
{
    bus->request(bus->dma, channel, dreq);
}

/* Would a request be granted now? Controller enabled, channel unmasked, and for 0-3 the cascade channel 4 too. */
static inline bool isa_dma_ready(struct isa_dma *bus, unsigned channel)
{
    return bus->ready(bus->dma, channel);
}

#endif
