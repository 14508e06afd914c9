/* Intel 82093AA I/O APIC. Datasheet 290566, chapter 3.
 *
 * Each of 24 inputs has a redirection entry that says which message an interrupt becomes. A level-triggered input sends
 * once and then waits, remembered in its remote IRR bit, until the EOI message of its vector comes back; if it is still
 * asserted it sends again. An edge on a masked input is lost, as the datasheet says of the mask bit.
 *
 * Wires here carry "asserted", not a voltage. Which voltage that is depends on the wire: ISA's interrupts are active
 * high, those of inputs 16 to 23 active low, as PCI's are. An entry with the other polarity sees the input inverted.
 *
 * GAP: messages arrive at once: delivery status is idle. */
#include "devices/ioapic_82093.h"

#include <stdlib.h>

enum { IOREGSEL = 0x00, IOWIN = 0x10 };
enum { INDEX_ID = 0x00, INDEX_VERSION = 0x01, INDEX_ARBITRATION = 0x02, INDEX_TABLE = 0x10 };
enum { VERSION = (IOAPIC_PINS - 1) << 16 | 0x11 };
#define ACTIVE_LOW       0xff0000u            /* inputs whose wires are */
#define ENTRY_LOW        0x2000ull
#define ENTRY_REMOTE_IRR 0x4000ull
#define ENTRY_LEVEL      0x8000ull
#define ENTRY_MASKED     0x10000ull
#define ENTRY_WRITABLE   0xff0000000001afffull

struct ioapic {
    struct device dev;
    struct apic_bus *bus;
    struct region region;
    uint64_t entry[IOAPIC_PINS];
    uint32_t inputs;                          /* a bit per asserted input */
    uint8_t id, select;
    uint8_t unused[2];
};

static const struct state_field ioapic_fields[] = {
    FIELD_WIRING(struct ioapic, dev),
    FIELD_WIRING(struct ioapic, bus),
    FIELD_WIRING(struct ioapic, region),
    FIELD_ARRAY(struct ioapic, entry, "redirection table"),
    FIELD_RANGE(struct ioapic, inputs, 0, (1u << IOAPIC_PINS) - 1, "asserted inputs"),
    FIELD(struct ioapic, id, "I/O APIC id"),
    FIELD(struct ioapic, select, "register select"),
    FIELD_WIRING(struct ioapic, unused),
};
static const struct state_desc ioapic_state = STATE_DESC(struct ioapic, "ioapic_82093", ioapic_fields);

static bool send(struct ioapic *a, unsigned pin)
{
    uint64_t e = a->entry[pin];
    const struct apic_message m = {
        .dest = (uint8_t)(e >> 56), .logical = e >> 11 & 1, .mode = e >> 8 & 7, .vector = (uint8_t)e,
        .level = e & ENTRY_LEVEL,
    };
    trace(a->dev.board->log, ioapic_send, (uint64_t)pin, e);
    return apic_bus_send(a->bus, &m);
}

/* NMI, SMI, INIT and ExtINT are edges whatever the entry says (3.2.4). */
static bool is_level(uint64_t e)
{
    unsigned mode = e >> 8 & 7;
    return (e & ENTRY_LEVEL) && (mode == APIC_FIXED || mode == APIC_LOWEST);
}

/* The input as its entry's polarity bit sees it. */
static bool active(const struct ioapic *a, unsigned pin)
{
    bool inverted = (a->entry[pin] & ENTRY_LOW) != 0;
    return ((a->inputs ^ ACTIVE_LOW) >> pin & 1) != inverted;
}

static void serve_level(struct ioapic *a, unsigned pin)
{
    uint64_t *e = &a->entry[pin];
    if (!is_level(*e) || (*e & (ENTRY_MASKED | ENTRY_REMOTE_IRR)) || !active(a, pin)) return;
    if (send(a, pin)) *e |= ENTRY_REMOTE_IRR;
}

static void input_changed(void *opaque, unsigned pin, bool level)
{
    struct ioapic *a = opaque;
    bool was = active(a, pin);
    if (level) a->inputs |= 1u << pin;
    else a->inputs &= ~(1u << pin);
    if (is_level(a->entry[pin])) serve_level(a, pin);
    else if (!was && active(a, pin) && !(a->entry[pin] & ENTRY_MASKED)) send(a, pin);
}

struct irq_line ioapic_input(struct device *d, unsigned n) { return IRQ_LINE(input_changed, d, n % IOAPIC_PINS); }

static void ioapic_eoi(void *opaque, uint8_t vector)
{
    struct ioapic *a = opaque;
    for (unsigned i = 0; i < IOAPIC_PINS; i++) {
        if ((uint8_t)a->entry[i] != vector || !(a->entry[i] & ENTRY_REMOTE_IRR)) continue;
        a->entry[i] &= ~ENTRY_REMOTE_IRR;
        serve_level(a, i);
    }
}

static uint32_t read_register(struct ioapic *a)
{
    switch (a->select) {
    case INDEX_ID: case INDEX_ARBITRATION: return (uint32_t)a->id << 24;
    case INDEX_VERSION: return VERSION;
    default: break;
    }
    unsigned pin = (unsigned)(a->select - INDEX_TABLE) / 2;
    if (a->select < INDEX_TABLE || pin >= IOAPIC_PINS) return 0xffffffffu;
    return (uint32_t)(a->select & 1 ? a->entry[pin] >> 32 : a->entry[pin]);
}

static void write_register(struct ioapic *a, uint32_t val)
{
    if (a->select == INDEX_ID) a->id = val >> 24 & 0x0f;
    unsigned pin = (unsigned)(a->select - INDEX_TABLE) / 2;
    if (a->select < INDEX_TABLE || pin >= IOAPIC_PINS) return;
    uint64_t *e = &a->entry[pin];
    uint64_t whole = a->select & 1 ? (*e & 0xffffffffu) | (uint64_t)val << 32 : (*e & ~0xffffffffull) | val;
    *e = (whole & ENTRY_WRITABLE) | (*e & ENTRY_REMOTE_IRR);
    /* An edge-triggered entry has no remote IRR: operating systems clear it this way. */
    if (!(*e & ENTRY_LEVEL)) *e &= ~ENTRY_REMOTE_IRR;
    trace(a->dev.board->log, ioapic_entry, (uint64_t)pin, *e);
    serve_level(a, pin);
}

static uint64_t ioapic_read(void *dev, uint64_t off, unsigned size)
{
    (void)size;
    struct ioapic *a = dev;
    if (off == IOREGSEL) return a->select;
    if (off == IOWIN) return read_register(a);
    return 0;
}

static void ioapic_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    (void)size;
    struct ioapic *a = dev;
    if (off == IOREGSEL) a->select = (uint8_t)val;
    else if (off == IOWIN) write_register(a, (uint32_t)val);
}

static const struct io_ops ioapic_ops = { ioapic_read, ioapic_write, 4, 4 };

static void ioapic_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    struct ioapic *a = (struct ioapic *)d;
    for (unsigned i = 0; i < IOAPIC_PINS; i++) a->entry[i] = ENTRY_MASKED;
    a->id = a->select = 0;
}

static void ioapic_destroy(struct device *d) { free(d); }

static const struct device_class ioapic_class = {
    .name = "ioapic_82093", .title = "I/O APIC", .reset = ioapic_reset, .destroy = ioapic_destroy,
    .state = &ioapic_state,
};

struct device *ioapic_create(struct board *b, const char *id, const struct ioapic_pins *pins)
{
    struct ioapic *a = calloc(1, sizeof *a);
    if (!a) abort();
    device_init(&a->dev, &ioapic_class, b, id);
    a->bus = pins->bus;
    a->region = (struct region){ .name = id, .base = pins->base, .size = PAGE_SIZE, .prio = PRIO_MMIO, .enabled = true,
                                 .reads = true, .writes = true, .io = &ioapic_ops, .dev = a };
    region_add(b->mem, &a->region);
    apic_bus_join_ioapic(pins->bus, a, ioapic_eoi);
    ioapic_reset(&a->dev, RESET_POWER_ON);
    return &a->dev;
}
