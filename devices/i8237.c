/* Two Intel 8237A DMA controllers (datasheet 231466) and the page registers of the PC/AT, as chipsets combine them.
 *
 * Controller 0 serves channels 0-3 in bytes; controller 1 serves 5-7 in words, its address counters shifted left by
 * one, and its channel 4 is the way by which controller 0 reaches the bus: unless it is in cascade mode and
 * unmasked, channels 0-3 are dead. A counter has 16 bits, so the oddest behaviour: a transfer that runs over the end
 * of its 64 KiB page (128 KiB for words) goes on at the start of the same page, and the page register above never
 * counts.
 *
 * The controller does not act by itself. Real cycles are paced by the chip that raises DREQ, so here that chip asks
 * for the bytes when they are due (isa_dma.h) and the demand, single and block modes come to the same thing. Only a
 * software request, which no chip paces, runs at once to its terminal count. Priority, fixed or rotating, decides where
 * requests meet: several by software that wait for the controller to be enabled. */
#include "devices/i8237.h"

#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 4, CONTROLLERS = 2, PAGES = 16, UNIT_MAX = 0x10000 };

enum {                                            /* register offsets; 0-7 are address and count of each channel */
    REG_COMMAND_STATUS = 8, REG_REQUEST, REG_SINGLE_MASK, REG_MODE, REG_CLEAR_FLIP_FLOP, REG_CLEAR_TEMPORARY,
    REG_CLEAR_MASK, REG_ALL_MASK,
};
enum { COMMAND_MEMORY_TO_MEMORY = 0x01, COMMAND_HOLD_SOURCE = 0x02, COMMAND_DISABLE = 0x04,
       COMMAND_ROTATE = 0x10, COMMAND_DREQ_LOW = 0x40 };
enum {
    MODE_TRANSFER = 0x0c, MODE_VERIFY = 0x00, MODE_WRITE = 0x04, MODE_READ = 0x08,
    MODE_AUTO_INIT = 0x10, MODE_DECREMENT = 0x20, MODE_KIND = 0xc0, MODE_CASCADE = 0xc0,
};

/* PC/AT Technical Reference, "page registers": which port from 80h holds the page of channel 0-3, refresh (4) and
 * 5-7. */
static const uint8_t page_index[2 * CHANNELS] = { 0x7, 0x3, 0x1, 0x2, 0xf, 0xb, 0x9, 0xa };

struct channel {
    uint16_t base_address, base_count;
    uint16_t address, count;
    uint8_t mode;
    uint8_t unused;
};

struct controller {
    struct channel ch[CHANNELS];
    uint8_t command;
    uint8_t terminal_count;                       /* status bits 0-3 */
    uint8_t dreq;                                 /* levels of the DREQ wires */
    uint8_t request;                              /* software requests */
    uint8_t mask;
    uint8_t temporary;
    bool high_byte;                               /* the flip-flop: next access is the high byte */
    uint8_t number;
    uint8_t lowest;                               /* channel served last: rotating priority puts it last */
    uint8_t unused;
};

struct i8237 {
    struct device dev;
    struct controller ctl[CONTROLLERS];
    uint8_t page[PAGES];
    uint8_t unused[4];
    struct dma_port memory;
    struct isa_dma bus;
};

static const struct state_field channel_fields[] = {
    FIELD(struct channel, base_address, "address to reload"),
    FIELD(struct channel, base_count, "count to reload"),
    FIELD(struct channel, address, "current address"),
    FIELD(struct channel, count, "transfers left less one"),
    FIELD(struct channel, mode, "mode register"),
    FIELD_WIRING(struct channel, unused),
};
static const struct state_desc channel_state = STATE_DESC(struct channel, "i8237 channel", channel_fields);

static const struct state_field controller_fields[] = {
    FIELD_STRUCTS(struct controller, ch, &channel_state, "channels"),
    FIELD(struct controller, command, "command register"),
    FIELD_RANGE(struct controller, terminal_count, 0, 15, "channels that reached terminal count"),
    FIELD_RANGE(struct controller, dreq, 0, 15, "DREQ levels"),
    FIELD_RANGE(struct controller, request, 0, 15, "software requests"),
    FIELD_RANGE(struct controller, mask, 0, 15, "masked channels"),
    FIELD(struct controller, temporary, "last byte of a memory-to-memory transfer"),
    FIELD(struct controller, high_byte, "flip-flop"),
    FIELD_WIRING(struct controller, number),
    FIELD_RANGE(struct controller, lowest, 0, 3, "channel served last"),
    FIELD_WIRING(struct controller, unused),
};
static const struct state_desc controller_state = STATE_DESC(struct controller, "i8237 controller", controller_fields);

static const struct state_field i8237_fields[] = {
    FIELD_WIRING(struct i8237, dev),
    FIELD_STRUCTS(struct i8237, ctl, &controller_state, "controllers"),
    FIELD_ARRAY(struct i8237, page, "page registers 80h-8Fh"),
    FIELD_WIRING(struct i8237, unused),
    FIELD_WIRING(struct i8237, memory),
    FIELD_WIRING(struct i8237, bus),
};
static const struct state_desc i8237_state = STATE_DESC(struct i8237, "i8237", i8237_fields);

/* ---- addresses and counts ---- */

/* Bytes a transfer cycle moves. */
static unsigned unit(const struct controller *c)
{
    return c->number ? 2 : 1;
}

/* Where the channel's current address lies in memory: 24 bits. A word channel ignores bit 0 of its page. */
static uint64_t memory_address(const struct i8237 *d, const struct controller *c, unsigned n)
{
    uint64_t page = d->page[page_index[c->number * CHANNELS + n]];
    return c->number ? (page & 0xfe) << 16 | (uint64_t)c->ch[n].address << 1 : page << 16 | c->ch[n].address;
}

/* Cycles that can be done in one stretch of rising memory addresses, up to `wanted`. */
static unsigned stretch(const struct channel *ch, unsigned wanted)
{
    unsigned n = ch->count + 1u;
    if (n > wanted) n = wanted;
    if (ch->mode & MODE_DECREMENT) return 1;
    unsigned to_wrap = UNIT_MAX - ch->address;
    return n < to_wrap ? n : to_wrap;
}

/* Datasheet, "Auto initialize" and "TC": the count passes zero; the channel reloads, or masks itself. */
static bool step(struct i8237 *d, struct controller *c, unsigned n, unsigned cycles)
{
    struct channel *ch = &c->ch[n];
    bool tc = cycles > ch->count;
    ch->address = (uint16_t)(ch->mode & MODE_DECREMENT ? ch->address - cycles : ch->address + cycles);
    ch->count = (uint16_t)(ch->count - cycles);
    if (!tc) return false;
    trace(d->dev.board->log, dma_terminal_count, (uint64_t)c->number, (uint64_t)n);
    c->terminal_count |= (uint8_t)(1u << n);
    c->request &= (uint8_t)~(1u << n);
    if (ch->mode & MODE_AUTO_INIT) {
        ch->address = ch->base_address;
        ch->count = ch->base_count;
    } else {
        c->mask |= (uint8_t)(1u << n);
    }
    return true;
}

/* ---- what chips on the bus ask for ---- */

static bool granted(const struct controller *c, unsigned n)
{
    return !(c->command & COMMAND_DISABLE) && !(c->mask >> n & 1);
}

static bool channel_ready(void *dma, unsigned channel)
{
    const struct i8237 *d = dma;
    const struct controller *c = &d->ctl[channel >> 2 & 1], *upper = &d->ctl[1];
    if (!granted(c, channel & 3)) return false;
    return c == upper || (granted(upper, 0) && (upper->ch[0].mode & MODE_KIND) == MODE_CASCADE);
}

/* Moves up to len bytes between buf and memory, in whichever direction the chip asked for. A channel programmed for
 * another transfer drives the wrong strobes: its counter runs, no data moves, and the chip reads an empty bus. */
static unsigned transfer(struct i8237 *d, unsigned channel, uint8_t *in, const uint8_t *out, unsigned len, bool *tc)
{
    struct controller *c = &d->ctl[channel >> 2 & 1];
    unsigned n = channel & 3, width = unit(c), moved = 0;
    struct channel *ch = &c->ch[n];
    bool ended = false;
    if (tc) *tc = false;
    if (!channel_ready(d, channel) || (ch->mode & MODE_KIND) == MODE_CASCADE) return 0;
    while (!ended && len - moved >= width) {
        unsigned cycles = stretch(ch, (len - moved) / width), bytes = cycles * width;
        uint64_t at = memory_address(d, c, n);
        if (in && (ch->mode & MODE_TRANSFER) == MODE_READ) dma_read(&d->memory, at, in + moved, bytes);
        else if (in) memset(in + moved, 0xff, bytes);
        else if ((ch->mode & MODE_TRANSFER) == MODE_WRITE) dma_write(&d->memory, at, out + moved, bytes);
        moved += bytes;
        c->lowest = (uint8_t)n;
        ended = step(d, c, n, cycles);
    }
    if (tc) *tc = ended;
    return moved;
}

static unsigned bus_read(void *dma, unsigned channel, void *buf, unsigned len, bool *tc)
{
    return transfer(dma, channel, buf, NULL, len, tc);
}

static unsigned bus_write(void *dma, unsigned channel, const void *buf, unsigned len, bool *tc)
{
    return transfer(dma, channel, NULL, buf, len, tc);
}

static void bus_request(void *dma, unsigned channel, bool dreq)
{
    struct i8237 *d = dma;
    struct controller *c = &d->ctl[channel >> 2 & 1];
    uint8_t bit = (uint8_t)(1u << (channel & 3));
    c->dreq = (uint8_t)(dreq ? c->dreq | bit : c->dreq & ~bit);
}

/* ---- software requests ---- */

/* Datasheet, "Memory-to-memory": channel 0 reads, channel 1 writes and counts. */
static void memory_to_memory(struct i8237 *d, struct controller *c)
{
    bool ended = false;
    for (unsigned i = 0; i < UNIT_MAX && !ended; i++) {
        dma_read(&d->memory, memory_address(d, c, 0), &c->temporary, 1);
        dma_write(&d->memory, memory_address(d, c, 1), &c->temporary, 1);
        ended = step(d, c, 1, 1);
        uint16_t source = c->ch[0].address;
        if (!ended || !(c->ch[0].mode & MODE_AUTO_INIT)) {
            c->ch[0].address = (uint16_t)(c->ch[0].mode & MODE_DECREMENT ? source - 1 : source + 1);
            c->ch[0].count--;
        } else {
            c->ch[0].address = c->ch[0].base_address;
            c->ch[0].count = c->ch[0].base_count;
        }
        if (c->command & COMMAND_HOLD_SOURCE) c->ch[0].address = source;
    }
    c->request &= (uint8_t)~1u;
}

/* A request that no chip made: the cycles run until terminal count; whatever is read from the bus is empty. Software
 * requests cannot be masked. */
static void serve_requests(struct i8237 *d, struct controller *c)
{
    static const uint8_t empty[2] = { 0xff, 0xff };
    if (c->command & COMMAND_DISABLE) return;
    if (c->number == 0 && c->request & 1 && c->command & COMMAND_MEMORY_TO_MEMORY) memory_to_memory(d, c);
    unsigned first = c->command & COMMAND_ROTATE ? c->lowest + 1u : 0;
    for (unsigned i = 0; i < CHANNELS; i++) {
        unsigned n = (first + i) % CHANNELS;
        struct channel *ch = &c->ch[n];
        if (!(c->request >> n & 1) || (ch->mode & MODE_KIND) == MODE_CASCADE) continue;
        c->lowest = (uint8_t)n;
        for (bool ended = false; !ended;) {            /* at most 65,536: the count reaches zero */
            if ((ch->mode & MODE_TRANSFER) == MODE_WRITE)
                dma_write(&d->memory, memory_address(d, c, n), empty, unit(c));
            ended = step(d, c, n, 1);
        }
    }
}

/* ---- registers ---- */

static void master_clear(struct controller *c)
{
    c->command = c->terminal_count = c->request = c->temporary = 0;
    c->high_byte = false;
    c->mask = 0x0f;
    c->lowest = CHANNELS - 1;
}

static uint8_t status(struct controller *c)
{
    uint8_t requests = c->command & COMMAND_DREQ_LOW ? c->dreq ^ 0x0f : c->dreq;
    uint8_t v = (uint8_t)((requests | c->request) << 4 | c->terminal_count);
    c->terminal_count = 0;                             /* reading forgets them */
    return v;
}

static uint8_t register_read(struct controller *c, unsigned reg)
{
    if (reg < REG_COMMAND_STATUS) {
        struct channel *ch = &c->ch[reg >> 1];
        uint16_t v = reg & 1 ? ch->count : ch->address;
        bool high = c->high_byte;
        c->high_byte = !high;
        return (uint8_t)(high ? v >> 8 : v);
    }
    switch (reg) {
    case REG_COMMAND_STATUS: return status(c);
    case REG_CLEAR_TEMPORARY: return c->temporary;
    case REG_ALL_MASK: return c->mask | 0xf0;          /* 82371SB; not readable in the 8237A */
    default: return 0xff;
    }
}

static uint16_t replace_byte(uint16_t old, bool high, uint8_t v)
{
    return (uint16_t)(high ? (old & 0x00ff) | v << 8 : (old & 0xff00) | v);
}

static void register_write(struct i8237 *d, struct controller *c, unsigned reg, uint8_t v)
{
    uint8_t bit = (uint8_t)(1u << (v & 3));
    if (reg < REG_COMMAND_STATUS) {                    /* base and current together */
        struct channel *ch = &c->ch[reg >> 1];
        uint16_t *base = reg & 1 ? &ch->base_count : &ch->base_address, *now = reg & 1 ? &ch->count : &ch->address;
        *base = replace_byte(*base, c->high_byte, v);
        *now = replace_byte(*now, c->high_byte, v);
        c->high_byte = !c->high_byte;
        return;
    }
    switch (reg) {
    case REG_COMMAND_STATUS:
        c->command = v;
        serve_requests(d, c);
        break;
    case REG_REQUEST:
        c->request = (uint8_t)(v & 4 ? c->request | bit : c->request & ~bit);
        serve_requests(d, c);
        break;
    case REG_SINGLE_MASK:
        c->mask = (uint8_t)(v & 4 ? c->mask | bit : c->mask & ~bit);
        break;
    case REG_MODE:
        c->ch[v & 3].mode = v;
        trace(d->dev.board->log, dma_mode, (uint64_t)c->number, (uint64_t)(v & 3), (uint64_t)v);
        break;
    case REG_CLEAR_FLIP_FLOP:
        c->high_byte = false;
        break;
    case REG_CLEAR_TEMPORARY:
        master_clear(c);
        break;
    case REG_CLEAR_MASK:
        c->mask = 0;
        break;
    default:
        c->mask = v & 0x0f;
        break;
    }
}

/* Controller 1 does not see address line 0: its registers are two ports apart. */
static uint64_t read8(void *dev, uint64_t off, unsigned size)
{
    (void)size;
    return register_read(&((struct i8237 *)dev)->ctl[0], (unsigned)off);
}

static void write8(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8237 *d = dev;
    (void)size;
    register_write(d, &d->ctl[0], (unsigned)off, (uint8_t)val);
}

static uint64_t read16(void *dev, uint64_t off, unsigned size)
{
    (void)size;
    return register_read(&((struct i8237 *)dev)->ctl[1], (unsigned)off >> 1);
}

static void write16(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8237 *d = dev;
    (void)size;
    register_write(d, &d->ctl[1], (unsigned)off >> 1, (uint8_t)val);
}

/* Sixteen latches. Eight are wired to a channel; 80h, which is not, takes the firmware's progress codes. */
static uint64_t page_read(void *dev, uint64_t off, unsigned size)
{
    (void)size;
    return ((struct i8237 *)dev)->page[off];
}

static void page_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8237 *d = dev;
    (void)size;
    d->page[off] = (uint8_t)val;
    if (off == 0) trace(d->dev.board->log, post_code, (uint64_t)(uint8_t)val);
}

static const struct io_ops ops8 = { read8, write8, 1, 1 };
static const struct io_ops ops16 = { read16, write16, 1, 1 };
static const struct io_ops page_ops = { page_read, page_write, 1, 1 };

/* ---- class and create ---- */

static void i8237_reset(struct device *dev, enum reset_kind kind)
{
    struct i8237 *d = (struct i8237 *)dev;
    for (unsigned i = 0; i < CONTROLLERS; i++) {
        if (kind == RESET_POWER_ON) memset(d->ctl[i].ch, 0, sizeof d->ctl[i].ch);
        master_clear(&d->ctl[i]);
    }
    if (kind == RESET_POWER_ON) memset(d->page, 0, sizeof d->page);
}

static void i8237_destroy(struct device *dev)
{
    free(dev);
}

static const struct device_class i8237_class = {
    .name = "i8237", .title = "8237A DMA controllers", .reset = i8237_reset, .destroy = i8237_destroy,
    .state = &i8237_state,
};

struct device *i8237_create(struct board *b, const char *id, const struct i8237_pins *pins)
{
    struct i8237 *d = calloc(1, sizeof *d);
    if (!d) abort();
    device_init(&d->dev, &i8237_class, b, id);
    d->ctl[1].number = 1;
    d->memory = (struct dma_port){ .map = b->mem, .who = id };
    d->bus = (struct isa_dma){ .read = bus_read, .write = bus_write, .request = bus_request, .ready = channel_ready,
                               .dma = d };
    device_claim_ports(&d->dev, pins->base8, 16, &ops8);
    device_claim_ports(&d->dev, pins->base16, 32, &ops16);
    device_claim_ports(&d->dev, pins->pages, PAGES, &page_ops);
    i8237_reset(&d->dev, RESET_POWER_ON);
    return &d->dev;
}

struct isa_dma *i8237_bus(struct device *d)
{
    return &((struct i8237 *)d)->bus;
}
