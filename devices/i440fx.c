/* Intel 82441FX (440FX PMC) host bridge: which memory answers where.
 * Intel 440FX PCIset datasheet (290549), chapters 3.2 (registers) and 4.1 (memory map).
 *
 *   00000000-0009FFFF  RAM
 *   000A0000-000BFFFF  PCI (the VGA); RAM behind it is SMRAM, seen in SMM, or by all while D_OPEN is set
 *   000C0000-000FFFFF  13 segments, each read from and written to RAM or PCI by its own two bits in PAM0-PAM6
 *   00100000-top       RAM, with a hole at 15 MiB if FDHC asks for one
 *   FFFC0000-FFFFFFFF  firmware ROM (its size), whose last 128 KiB also answers PCI cycles at E0000-FFFFF
 *
 * The oddest behaviour is PAM's halves: "write only" lets the firmware copy itself from ROM to the RAM below it through
 * the same addresses. Each segment is one region over RAM whose read and write sides are switched separately; whatever
 * it does not answer falls through to the ROM or to nobody.
 *
 * GAP: D_CLS (SMRAM closed to data, open to code) is stored, but the map does not tell a fetch from a load.
 * The DRAM row boundaries (DRB) come up as a BIOS would leave them, which no firmware for this board does: all memory is
 * in row 0, and ends where DRB0 says.
 * GAP: ECC and error registers never report an error. */
#include "devices/i440fx.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum {                                        /* registers of its own, datasheet 3.2 */
    PMCCFG = 0x50, DETURBO = 0x52, DBC = 0x53, AXC = 0x54, DRT = 0x55, DRAMC = 0x57, DRAMT = 0x58, PAM0 = 0x59,
    DRB0 = 0x60, FDHC = 0x68, MTT = 0x70, CLT = 0x71, SMRAM = 0x72, ERRCMD = 0x90, ERRSTS = 0x91, TRC = 0x93,
};
enum { PAM_READ = 1, PAM_WRITE = 2 };
enum { G_SMRAME = 0x08, D_LCK = 0x10, D_CLS = 0x20, D_OPEN = 0x40 };
enum { TRC_HARD = 2, TRC_RESET = 4 };
enum { DRB_MAX = 255 /* and all above: the part ends at 1 GiB */ };
enum { FDHC_512K = 0x40, FDHC_15M = 0x80, FDHC_MASK = 0xc0 };

#define KIB 1024ull
#define MIB (1024 * KIB)
#define ROM_WINDOW (128 * KIB)                /* of the ROM below 1 MiB */

enum { RAM_0, RAM_512K, RAM_1M, RAM_15M, RAM_16M, RAM_PARTS };
enum { PAM_SEGMENTS = 13 };

struct i440fx {
    struct pci_function pci;
    struct irq_line init;
    bool trc_reset;                           /* the reset bit as last written: the edge resets */
    uint8_t unused[7];
    struct ram_block *ram, *rom;
    struct region ram_part[RAM_PARTS];
    struct region pam[PAM_SEGMENTS];
    struct region smram_open, smram_smm;
    struct region rom_top, rom_low;
};

static const struct state_field i440fx_fields[] = {
    FIELD_STRUCT(struct i440fx, pci, &pci_function_state, "PCI function"),
    FIELD(struct i440fx, init, "INIT output (soft reset)"),
    FIELD(struct i440fx, trc_reset, "reset bit of TRC"),
    FIELD_WIRING(struct i440fx, unused),
    FIELD_WIRING(struct i440fx, ram),
    FIELD_WIRING(struct i440fx, rom),
    FIELD_WIRING(struct i440fx, ram_part),
    FIELD_WIRING(struct i440fx, pam),
    FIELD_WIRING(struct i440fx, smram_open),
    FIELD_WIRING(struct i440fx, smram_smm),
    FIELD_WIRING(struct i440fx, rom_top),
    FIELD_WIRING(struct i440fx, rom_low),
};
static const struct state_desc i440fx_state = STATE_DESC(struct i440fx, "i440fx", i440fx_fields);

static const struct ram_part { const char *name; uint64_t from, to; } ram_parts[RAM_PARTS] = {
    [RAM_0]    = { "ram",      0,         512 * KIB },
    [RAM_512K] = { "ram.512k", 512 * KIB, 640 * KIB },
    [RAM_1M]   = { "ram.1m",   1 * MIB,   15 * MIB },
    [RAM_15M]  = { "ram.15m",  15 * MIB,  16 * MIB },
    [RAM_16M]  = { "ram.16m",  16 * MIB,  I440FX_RAM_MAX },
};

/* Table 3 of the datasheet: which nibble of which register rules which segment. */
static const struct pam_segment {
    const char *name;
    uint32_t base, size;
    uint8_t reg, shift;
} pam_segments[PAM_SEGMENTS] = {
    { "pam.f0000", 0xf0000, 0x10000, PAM0, 4 },
    { "pam.c0000", 0xc0000, 0x4000, PAM0 + 1, 0 }, { "pam.c4000", 0xc4000, 0x4000, PAM0 + 1, 4 },
    { "pam.c8000", 0xc8000, 0x4000, PAM0 + 2, 0 }, { "pam.cc000", 0xcc000, 0x4000, PAM0 + 2, 4 },
    { "pam.d0000", 0xd0000, 0x4000, PAM0 + 3, 0 }, { "pam.d4000", 0xd4000, 0x4000, PAM0 + 3, 4 },
    { "pam.d8000", 0xd8000, 0x4000, PAM0 + 4, 0 }, { "pam.dc000", 0xdc000, 0x4000, PAM0 + 4, 4 },
    { "pam.e0000", 0xe0000, 0x4000, PAM0 + 5, 0 }, { "pam.e4000", 0xe4000, 0x4000, PAM0 + 5, 4 },
    { "pam.e8000", 0xe8000, 0x4000, PAM0 + 6, 0 }, { "pam.ec000", 0xec000, 0x4000, PAM0 + 6, 4 },
};

/* Register defaults and writable bits that differ from zero (datasheet 3.2). */
static const struct reg { uint8_t off, reset, wmask, w1c; } regs[] = {
    { PMCCFG, 0x00, 0x7f, 0 },      { PMCCFG + 1, 0x00, 0x40, 0 }, { DETURBO, 0x00, 0xff, 0 }, { DBC, 0x80, 0xff, 0 },
    { AXC, 0x00, 0x82, 0 },         { DRT, 0x00, 0xff, 0 },        { DRT + 1, 0x00, 0xff, 0 }, { DRAMC, 0x01, 0xff, 0 },
    { DRAMT, 0x10, 0xff, 0 },       { PAM0, 0x00, 0x30, 0 },       { PAM0 + 1, 0x00, 0x33, 0 },
    { PAM0 + 2, 0x00, 0x33, 0 },    { PAM0 + 3, 0x00, 0x33, 0 },   { PAM0 + 4, 0x00, 0x33, 0 },
    { PAM0 + 5, 0x00, 0x33, 0 },    { PAM0 + 6, 0x00, 0x33, 0 },
    { FDHC, 0x00, FDHC_MASK, 0 },   { MTT, 0x20, 0xf8, 0 },        { CLT, 0x10, 0x1f, 0 },
    { SMRAM, 0x02, 0x78, 0 },       { ERRCMD, 0x00, 0x8f, 0 },     { ERRSTS, 0x00, 0x00, 0x11 }, { TRC, 0x00, 0x0f, 0 },
};

/* Makes the memory map what the registers say. */
static void apply(struct i440fx *h)
{
    struct phys_map *m = h->pci.dev.board->mem;
    const uint8_t *config = h->pci.config;
    phys_begin(m);
    for (unsigned i = 0; i < PAM_SEGMENTS; i++) {
        unsigned bits = config[pam_segments[i].reg] >> pam_segments[i].shift;
        bool reads = bits & PAM_READ, writes = bits & PAM_WRITE;
        if (reads != h->pam[i].reads || writes != h->pam[i].writes)
            trace(h->pci.dev.board->log, i440fx_pam, h->pam[i].name, (uint64_t)reads, (uint64_t)writes);
        region_set_access(m, &h->pam[i], reads, writes);
    }
    uint8_t smram = config[SMRAM];
    bool open = (smram & G_SMRAME) && (smram & D_OPEN);
    bool closed = (smram & G_SMRAME) && !(smram & D_OPEN);
    if (open != h->smram_open.enabled || closed != h->smram_smm.enabled)
        trace(h->pci.dev.board->log, i440fx_smram, (uint64_t)smram, (uint64_t)open, (uint64_t)closed);
    region_set(m, &h->smram_open, open, h->smram_open.base, h->smram_open.size);
    region_set(m, &h->smram_smm, closed, h->smram_smm.base, h->smram_smm.size);
    uint64_t top = config[DRB0] == DRB_MAX ? I440FX_RAM_MAX : config[DRB0] * 8 * MIB;
    for (unsigned i = 0; i < RAM_PARTS; i++) {
        struct region *r = &h->ram_part[i];
        uint64_t from = ram_parts[i].from, fitted = ram_parts[i].to < h->ram->size ? ram_parts[i].to : h->ram->size;
        uint64_t to = fitted < top ? fitted : top;
        bool hole = (i == RAM_512K && (config[FDHC] & FDHC_MASK) == FDHC_512K) ||
                    (i == RAM_15M && (config[FDHC] & FDHC_MASK) == FDHC_15M);
        if (r->size) region_set(m, r, !hole && to > from, from, (to > from ? to : fitted) - from);
    }
    phys_end(m);
    /* D_LCK: it and D_OPEN become read only until reset. */
    h->pci.wmask[SMRAM] = smram & D_LCK ? G_SMRAME | D_CLS : G_SMRAME | D_LCK | D_CLS | D_OPEN;
}

static void i440fx_config_written(struct pci_function *f, unsigned off, unsigned size)
{
    struct i440fx *h = (struct i440fx *)f;
    if (f->config[SMRAM] & D_LCK) f->config[SMRAM] &= (uint8_t)~D_OPEN;
    if (off <= TRC && off + size > TRC) {
        bool reset = f->config[TRC] & TRC_RESET, edge = reset && !h->trc_reset;
        h->trc_reset = reset;
        if (edge && (f->config[TRC] & TRC_HARD)) device_request(&f->dev, BOARD_RESET, 0);
        else if (edge) irq_pulse(&h->init);
    }
    apply(h);
}

static void i440fx_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    struct i440fx *h = (struct i440fx *)d;
    uint8_t *config = h->pci.config;
    pci_function_reset(&h->pci);
    st16(config + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    st16(config + PCI_STATUS, 0x0280);
    for (unsigned i = 0; i < sizeof regs / sizeof regs[0]; i++) config[regs[i].off] = regs[i].reset;
    uint64_t units = (h->ram->size + 8 * MIB - 1) / (8 * MIB);
    for (unsigned i = 0; i < 8; i++) config[DRB0 + i] = (uint8_t)(units > DRB_MAX ? DRB_MAX : units);
    h->trc_reset = false;
    irq_set(&h->init, false);
    apply(h);
}

static void i440fx_loaded(struct device *d)
{
    struct i440fx *h = (struct i440fx *)d;
    pci_function_loaded(&h->pci);
    apply(h);
}

static void i440fx_destroy(struct device *d) { free(d); }

static const struct device_class i440fx_class = {
    .name = "i440fx", .title = "440FX host bridge", .reset = i440fx_reset, .loaded = i440fx_loaded,
    .destroy = i440fx_destroy, .state = &i440fx_state,
};

static void add_memory(struct i440fx *h, struct region *r, const char *name, struct ram_block *block, uint64_t offset,
                       uint64_t base, uint64_t size, int prio)
{
    *r = (struct region){ .name = name, .base = base, .size = size, .prio = prio, .enabled = true, .reads = true,
                          .writes = true, .block = block, .block_offset = offset };
    region_add(h->pci.dev.board->mem, r);
}

struct device *i440fx_create(struct board *b, const char *id, const struct i440fx_pins *pins)
{
    assert(pins->ram->size >= MIB && pins->ram->size <= I440FX_RAM_MAX);
    assert(pins->rom->size >= 64 * KIB && pins->rom->size <= 16 * MIB);
    struct i440fx *h = calloc(1, sizeof *h);
    if (!h) abort();
    (void)b;
    pci_function_init(&h->pci, pins->bus, &i440fx_class, id, 0, 0, 0x8086, 0x1237, 0x060000, 2);
    pci_set_subsystem(&h->pci, 0x1af4, 0x1100);
    h->pci.config_written = i440fx_config_written;
    h->init = pins->init;
    h->ram = pins->ram;
    h->rom = pins->rom;
    st16(h->pci.wmask + PCI_COMMAND, 0x0100); /* memory and bus master are hardwired on, I/O off; SERR# enable */
    h->pci.wmask[PCI_CACHE_LINE] = 0;
    h->pci.wmask[PCI_INT_LINE] = 0;
    h->pci.wmask[PCI_LATENCY] = 0xf8;
    for (unsigned i = 0; i < sizeof regs / sizeof regs[0]; i++) {
        h->pci.wmask[regs[i].off] = regs[i].wmask;
        h->pci.w1c[regs[i].off] = regs[i].w1c;
    }
    for (unsigned i = 0; i < 8; i++) h->pci.wmask[DRB0 + i] = 0xff;

    struct phys_map *m = h->pci.dev.board->mem;
    phys_begin(m);
    for (unsigned i = 0; i < RAM_PARTS; i++) {
        uint64_t to = ram_parts[i].to < h->ram->size ? ram_parts[i].to : h->ram->size;
        if (to > ram_parts[i].from)
            add_memory(h, &h->ram_part[i], ram_parts[i].name, h->ram, ram_parts[i].from, ram_parts[i].from,
                       to - ram_parts[i].from, PRIO_RAM);
    }
    for (unsigned i = 0; i < PAM_SEGMENTS; i++)
        add_memory(h, &h->pam[i], pam_segments[i].name, h->ram, pam_segments[i].base, pam_segments[i].base,
                   pam_segments[i].size, PRIO_PAM);
    add_memory(h, &h->smram_open, "smram.open", h->ram, 0xa0000, 0xa0000, 0x20000, PRIO_SMRAM);
    add_memory(h, &h->smram_smm, "smram", h->ram, 0xa0000, 0xa0000, 0x20000, PRIO_SMRAM);
    h->smram_smm.smm_only = true;
    uint64_t rom_size = h->rom->size, low = rom_size < ROM_WINDOW ? rom_size : ROM_WINDOW;
    add_memory(h, &h->rom_top, "rom", h->rom, 0, (1ull << 32) - rom_size, rom_size, PRIO_ROM);
    add_memory(h, &h->rom_low, "rom.low", h->rom, rom_size - low, 0x100000 - low, low, PRIO_ROM);
    phys_end(m);
    i440fx_reset(&h->pci.dev, RESET_POWER_ON);
    return &h->pci.dev;
}
