/* The PCI bus: configuration mechanism 1, base address registers, INTx wires.
 * PCI Local Bus Specification 2.1, chapters 3.2.2.3 (mechanism 1), 6 (configuration space); 82441FX datasheet 3.1.
 *
 * Its oddest corner is port CF8h: only a dword access reaches the configuration address register. Narrower ones are
 * plain I/O cycles, and the byte at CF9h in its middle is the PIIX3's reset control register. So the bus claims all
 * eight ports and hands a byte access at CF9h on; every other narrow access to CF8h-CFBh finds nobody, as on the board.
 *
 * A BAR answers only while its decoding is enabled in the command register and its address is one that a board would
 * really use: address 0 and the all-ones pattern of a sizing probe map nothing. Two functions on one address are
 * resolved by the maps (later wins), not by an error: that is the guest's doing. */
#include "devices/pci.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { CONFIG_ADDRESS = 0, RESET_CONTROL = 1, CONFIG_DATA = 4 };  /* offsets from CF8h */
enum { ADDRESS_ENABLE = 0x80000000u, ADDRESS_BITS = 0x80fffffcu };
enum { ROM_BAR = 6, BARS = 7 };
enum { BAR_IO = 1, BAR_PREFETCH = 8, ROM_ENABLE = 1 };
#define UNMAPPED 0xffffffffu

struct pci_bus {
    struct device dev;
    struct irq_line pirq[4];
    uint32_t address;
    uint8_t unused[4];
    const struct io_ops *cf9_ops;
    void *cf9_dev;
    struct pci_function *function[256];
};

static const struct state_field pci_bus_fields[] = {
    FIELD_WIRING(struct pci_bus, dev),
    FIELD_ARRAY(struct pci_bus, pirq, "PIRQA# to PIRQD#, asserted"),
    FIELD(struct pci_bus, address, "configuration address register (CF8h)"),
    FIELD_WIRING(struct pci_bus, unused),
    FIELD_WIRING(struct pci_bus, cf9_ops),
    FIELD_WIRING(struct pci_bus, cf9_dev),
    FIELD_WIRING(struct pci_bus, function),
};
static const struct state_desc pci_bus_state = STATE_DESC(struct pci_bus, "pci", pci_bus_fields);

static const struct state_field pci_function_fields[] = {
    FIELD_WIRING(struct pci_function, dev),
    FIELD_WIRING(struct pci_function, bus),
    FIELD_ARRAY(struct pci_function, config, "configuration space"),
    FIELD_WIRING(struct pci_function, wmask),
    FIELD_WIRING(struct pci_function, w1c),
    FIELD_WIRING(struct pci_function, bar),
    FIELD_WIRING(struct pci_function, rom),
    FIELD_HOST(struct pci_function, mapped),
    FIELD_WIRING(struct pci_function, devfn),
    FIELD(struct pci_function, intx, "INTx asserted"),
    FIELD_DERIVED(struct pci_function, master),
    FIELD_WIRING(struct pci_function, unused),
    FIELD_WIRING(struct pci_function, config_written),
    FIELD_WIRING(struct pci_function, config_read),
};
const struct state_desc pci_function_state = STATE_DESC(struct pci_function, "pci_function", pci_function_fields);

/* ---- interrupts */

/* The 440FX board rotates the four wires by the slot: INTA# of device 1 is PIRQA#, of device 2 PIRQB#. */
static unsigned pirq_of(const struct pci_function *f)
{
    unsigned pin = f->config[PCI_INT_PIN];
    unsigned device = f->devfn >> 3;
    return (device + pin + 2) & 3;            /* (device - 1) + (pin - 1), kept positive */
}

static void update_pirq(struct pci_bus *bus, unsigned pirq)
{
    bool level = false;
    for (unsigned i = 0; i < 256; i++) {
        const struct pci_function *f = bus->function[i];
        if (f && f->intx && f->config[PCI_INT_PIN] && pirq_of(f) == pirq) level = true;
    }
    irq_set(&bus->pirq[pirq], level);
}

void pci_set_intx(struct pci_function *f, bool level)
{
    if (f->intx == level || f->config[PCI_INT_PIN] == 0) return;
    f->intx = level;
    update_pirq(f->bus, pirq_of(f));
}

void pci_bus_set_irq(struct pci_bus *bus, const struct irq_line inta[4])
{
    for (unsigned i = 0; i < 4; i++) bus->pirq[i] = inta[i];
}

/* ---- base address registers */

static unsigned bar_offset(unsigned n) { return n == ROM_BAR ? PCI_ROM_BAR : PCI_BAR0 + 4 * n; }

static struct pci_bar *bar_at(struct pci_function *f, unsigned n) { return n == ROM_BAR ? &f->rom : &f->bar[n]; }

/* Where the registers say that the BAR answers. */
static uint32_t bar_address(struct pci_function *f, unsigned n)
{
    const struct pci_bar *bar = bar_at(f, n);
    if (bar->size == 0) return UNMAPPED;
    uint32_t value = ld32(f->config + bar_offset(n));
    uint16_t command = ld16(f->config + PCI_COMMAND);
    uint32_t base = value & ~(bar->size - 1);
    uint64_t end = (uint64_t)base + bar->size;
    if (bar->io) {
        if (!(command & PCI_COMMAND_IO)) return UNMAPPED;
        base &= ~3u;
        if (base == 0 || end > 0x10000) return UNMAPPED;
        return base;
    }
    if (!(command & PCI_COMMAND_MEMORY)) return UNMAPPED;
    if (n == ROM_BAR && !(value & ROM_ENABLE)) return UNMAPPED;
    if (base == 0 || end > 0xffffffffu) return UNMAPPED;
    return base;
}

static void map_ports(struct pci_function *f, unsigned n, uint32_t to)
{
    struct pci_bar *bar = bar_at(f, n);
    struct port_map *ports = f->dev.board->ports;
    if (f->mapped[n] != UNMAPPED) port_release(ports, (uint16_t)f->mapped[n], bar->size, f);
    f->mapped[n] = UNMAPPED;
    if (to == UNMAPPED) return;
    struct port_window w = { .name = f->dev.id, .base = (uint16_t)to, .count = bar->size, .ops = bar->ops, .dev = f,
                             .shared = true };
    struct error e = { "" };
    if (port_claim(ports, &w, &e) == 0) f->mapped[n] = to;
    else log_guest(f->dev.board->log, f->dev.id, "BAR %u cannot be placed: %s", n, e.text);
}

static void map_memory(struct pci_function *f, unsigned n, uint32_t to)
{
    struct pci_bar *bar = bar_at(f, n);
    f->mapped[n] = to;
    region_set(f->dev.board->mem, bar->region, to != UNMAPPED, to != UNMAPPED ? to : bar->region->base, bar->size);
}

void pci_update_mappings(struct pci_function *f)
{
    f->master = ld16(f->config + PCI_COMMAND) & PCI_COMMAND_MASTER;
    phys_begin(f->dev.board->mem);
    for (unsigned n = 0; n < BARS; n++) {
        struct pci_bar *bar = bar_at(f, n);
        uint32_t to = bar_address(f, n);
        if (bar->size == 0 || to == f->mapped[n]) continue;
        trace(f->dev.board->log, pci_bar, f->dev.id, (uint64_t)n, (uint64_t)to);
        if (bar->io) map_ports(f, n, to);
        else map_memory(f, n, to);
    }
    phys_end(f->dev.board->mem);
}

void pci_set_bar(struct pci_function *f, unsigned n, const struct pci_bar *bar)
{
    assert(n < BARS && bar->size >= 4 && (bar->size & (bar->size - 1)) == 0);
    assert(bar->io ? bar->ops != NULL : bar->region != NULL);
    *bar_at(f, n) = *bar;
    unsigned off = bar_offset(n);
    uint32_t mask = ~(bar->size - 1);
    if (n == ROM_BAR) st32(f->wmask + off, (mask & 0xfffff800u) | ROM_ENABLE);
    else st32(f->wmask + off, mask & (bar->io ? 0xfffffffcu : 0xfffffff0u));
    if (n != ROM_BAR) st32(f->config + off, bar->io ? BAR_IO : bar->prefetch ? BAR_PREFETCH : 0);
    if (!bar->io) {
        bar->region->size = bar->size;
        bar->region->enabled = false;
        region_add(f->dev.board->mem, bar->region);
    }
}

/* ---- functions */

void pci_function_init(struct pci_function *f, struct pci_bus *bus, const struct device_class *class, const char *id,
                       unsigned device, unsigned function, uint16_t vendor, uint16_t device_id, uint32_t class_code,
                       uint8_t revision)
{
    assert(device < 32 && function < 8);
    device_init(&f->dev, class, bus->dev.board, id);
    f->bus = bus;
    f->devfn = (uint8_t)(device << 3 | function);
    assert(!bus->function[f->devfn]);
    bus->function[f->devfn] = f;
    for (unsigned n = 0; n < BARS; n++) f->mapped[n] = UNMAPPED;
    st16(f->config + PCI_VENDOR_ID, vendor);
    st16(f->config + PCI_DEVICE_ID, device_id);
    f->config[PCI_REVISION_ID] = revision;
    f->config[PCI_CLASS_PROG] = (uint8_t)class_code;
    f->config[PCI_SUBCLASS] = (uint8_t)(class_code >> 8);
    f->config[PCI_CLASS] = (uint8_t)(class_code >> 16);
    /* Multi-function devices say so in function 0 (6.2.1); the functions know nothing of each other. */
    struct pci_function *first = bus->function[f->devfn & ~7u];
    for (unsigned i = 1; first && i < 8; i++)
        if (bus->function[(f->devfn & ~7u) | i]) first->config[PCI_HEADER_TYPE] |= 0x80;

    st16(f->wmask + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | 0x0140 /* PERR, SERR */);
    st16(f->w1c + PCI_STATUS, 0xf900);        /* error bits: written 1 clears (6.2.3) */
    f->wmask[PCI_CACHE_LINE] = 0xff;
    f->wmask[PCI_LATENCY] = 0xff;
    f->wmask[PCI_INT_LINE] = 0xff;
}

void pci_set_subsystem(struct pci_function *f, uint16_t vendor, uint16_t id)
{
    st16(f->config + PCI_SUBSYS_VENDOR, vendor);
    st16(f->config + PCI_SUBSYS_ID, id);
}

void pci_function_reset(struct pci_function *f)
{
    for (unsigned i = PCI_COMMAND; i < PCI_COMMAND + 2; i++) f->config[i] &= (uint8_t)~f->wmask[i];
    for (unsigned i = PCI_STATUS; i < PCI_STATUS + 2; i++) f->config[i] &= (uint8_t)~f->w1c[i];
    f->config[PCI_CACHE_LINE] = f->config[PCI_LATENCY] = f->config[PCI_INT_LINE] = 0;
    for (unsigned n = 0; n < BARS; n++)
        for (unsigned i = 0; i < 4; i++) f->config[bar_offset(n) + i] &= (uint8_t)~f->wmask[bar_offset(n) + i];
    pci_set_intx(f, false);
    pci_update_mappings(f);
}

void pci_function_loaded(struct pci_function *f)
{
    pci_update_mappings(f);
}

/* ---- configuration accesses */

uint32_t pci_config_read(struct pci_bus *bus, unsigned devfn, unsigned off, unsigned size)
{
    struct pci_function *f = bus->function[devfn & 0xff];
    if (!f || off + size > 256) return (uint32_t)ones(size);
    if (f->config_read) f->config_read(f, off, size);
    uint32_t val = (uint32_t)ld_size(f->config + off, size);
    trace(f->dev.board->log, pci_config_read, f->dev.id, (uint64_t)off, (uint64_t)size, (uint64_t)val);
    return val;
}

static bool touches(unsigned off, unsigned size, unsigned first, unsigned last)
{
    return off <= last && off + size > first;
}

void pci_config_write(struct pci_bus *bus, unsigned devfn, unsigned off, uint32_t val, unsigned size)
{
    struct pci_function *f = bus->function[devfn & 0xff];
    if (!f || off + size > 256) return;
    trace(f->dev.board->log, pci_config_write, f->dev.id, (uint64_t)off, (uint64_t)size, (uint64_t)val);
    for (unsigned i = 0; i < size; i++) {
        uint8_t b = (uint8_t)(val >> (8 * i)), *c = &f->config[off + i];
        *c = (uint8_t)((*c & ~f->wmask[off + i]) | (b & f->wmask[off + i]));
        *c &= (uint8_t)~(b & f->w1c[off + i]);
    }
    if (touches(off, size, PCI_COMMAND, PCI_COMMAND + 1) || touches(off, size, PCI_BAR0, PCI_BAR0 + 23) ||
        touches(off, size, PCI_ROM_BAR, PCI_ROM_BAR + 3))
        pci_update_mappings(f);
    if (f->config_written) f->config_written(f, off, size);
}

/* ---- ports CF8h-CFFh */

/* True if the address register selects a function on bus 0; nothing else is behind this bridge. */
static bool selected(const struct pci_bus *bus)
{
    return (bus->address & ADDRESS_ENABLE) && (bus->address & 0x00ff0000u) == 0;
}

static uint64_t pci_port_read(void *dev, uint64_t off, unsigned size)
{
    struct pci_bus *bus = dev;
    if ((off & 3) + size > 4) {               /* the CPU splits an access that crosses a dword */
        uint64_t v = 0;
        for (unsigned i = 0; i < size; i++) v |= pci_port_read(dev, off + i, 1) << (8 * i);
        return v;
    }
    if (off == CONFIG_ADDRESS && size == 4) return bus->address;
    if (off == RESET_CONTROL && size == 1 && bus->cf9_ops) return bus->cf9_ops->read(bus->cf9_dev, 0, 1);
    if (off < CONFIG_DATA || !selected(bus)) return ones(size);
    return pci_config_read(bus, (bus->address >> 8) & 0xff, (bus->address & 0xfc) | (off & 3), size);
}

static void pci_port_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct pci_bus *bus = dev;
    if ((off & 3) + size > 4) {
        for (unsigned i = 0; i < size; i++) pci_port_write(dev, off + i, (val >> (8 * i)) & 0xff, 1);
        return;
    }
    if (off == CONFIG_ADDRESS && size == 4) bus->address = (uint32_t)val & ADDRESS_BITS;
    else if (off == RESET_CONTROL && size == 1 && bus->cf9_ops) bus->cf9_ops->write(bus->cf9_dev, 0, val, 1);
    else if (off >= CONFIG_DATA && selected(bus))
        pci_config_write(bus, (bus->address >> 8) & 0xff, (bus->address & 0xfc) | (off & 3), (uint32_t)val, size);
}

static const struct io_ops pci_ports = { pci_port_read, pci_port_write, 1, 4 };

void pci_set_cf9(struct pci_bus *bus, const struct io_ops *ops, void *dev)
{
    bus->cf9_ops = ops;
    bus->cf9_dev = dev;
}

/* ---- the bus as a device */

static void pci_bus_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    struct pci_bus *bus = (struct pci_bus *)d;
    bus->address = 0;
}

static void pci_bus_destroy(struct device *d) { free(d); }

static const struct device_class pci_bus_class = {
    .name = "pci", .title = "PCI bus", .reset = pci_bus_reset, .destroy = pci_bus_destroy, .state = &pci_bus_state,
};

struct pci_bus *pci_bus_create(struct board *b, const char *id, const struct pci_pins *pins)
{
    struct pci_bus *bus = calloc(1, sizeof *bus);
    if (!bus) abort();
    device_init(&bus->dev, &pci_bus_class, b, id);
    pci_bus_set_irq(bus, pins->inta);
    device_claim_ports(&bus->dev, 0xcf8, 8, &pci_ports);
    return bus;
}

struct device *pci_bus_device(struct pci_bus *bus) { return &bus->dev; }

/* ---- info pci */

static const char *class_title(const struct pci_function *f)
{
    static const struct { uint16_t code; const char *title; } list[] = {
        { 0x0101, "IDE controller" }, { 0x0300, "VGA controller" }, { 0x0600, "Host bridge" }, { 0x0601, "ISA bridge" },
        { 0x0680, "Bridge" },
    };
    for (unsigned i = 0; i < sizeof list / sizeof list[0]; i++)
        if (list[i].code == ld16(f->config + PCI_SUBCLASS)) return list[i].title;
    return "Other";
}

static void print_bar(const struct pci_function *f, unsigned n, FILE *out)
{
    const struct pci_bar *bar = n == ROM_BAR ? &f->rom : &f->bar[n];
    const uint32_t at = f->mapped[n];
    const unsigned digits = bar->io ? 4 : 8;
    if (bar->size == 0) return;
    fprintf(out, "      BAR%u: %s", n, bar->io ? "I/O" : bar->prefetch ? "32 bit prefetchable memory" : "32 bit memory");
    if (at == UNMAPPED) fprintf(out, ", 0x%x bytes, not mapped\n", bar->size);
    else fprintf(out, " at 0x%0*x [0x%0*x]\n", (int)digits, at, (int)digits, at + bar->size - 1);
}

void pci_bus_print(struct pci_bus *bus, FILE *out)
{
    for (unsigned i = 0; i < 256; i++) {
        const struct pci_function *f = bus->function[i];
        if (!f) continue;
        fprintf(out, "  Bus  0, device %3u, function %u:\n    %s: PCI device %04x:%04x\n", i >> 3, i & 7, class_title(f),
                ld16(f->config + PCI_VENDOR_ID), ld16(f->config + PCI_DEVICE_ID));
        if (ld16(f->config + PCI_SUBSYS_VENDOR))
            fprintf(out, "      PCI subsystem %04x:%04x\n", ld16(f->config + PCI_SUBSYS_VENDOR), ld16(f->config + PCI_SUBSYS_ID));
        if (f->config[PCI_INT_PIN])
            fprintf(out, "      IRQ %u, pin %c\n", f->config[PCI_INT_LINE], 'A' + f->config[PCI_INT_PIN] - 1);
        for (unsigned n = 0; n < BARS; n++) print_bar(f, n, out);
        fprintf(out, "      id \"%s\"\n", f->dev.id);
    }
}
