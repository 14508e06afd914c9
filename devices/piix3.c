/* Intel 82371SB (PIIX3) PCI-to-ISA bridge: routes PCI interrupts to ISA ones and resets the board.
 * 82371FB/82371SB datasheet (290550), chapters 3.1 (registers of function 0) and 3.4.1 (RST_CNT).
 *
 * The ISA parts of the chip (interrupt controllers, timers, DMA, ports 61h and 92h) are chips of their own here. What
 * is left is small: four PIRQ inputs, each routed to one ISA interrupt or none, where several may share one; and port
 * CF9h. PIRQs are level-triggered by nature: the firmware sets the 8259A's ELCR to match.
 *
 * GAP: the SMI registers A0h-AEh and the ISA chip-select enables of XBCS are held but have no effect: SMIs come from
 * the PIIX4 power management function, and the firmware ROM always answers at E0000h. */
#include "devices/piix3.h"

#include <stdlib.h>

#include "base/bytes.h"

enum {
    IORT = 0x4c, XBCS = 0x4e, PIRQRCA = 0x60, TOM = 0x69, MSTAT = 0x6a, MBIRQ0 = 0x70, MBDMA0 = 0x76, PCSC = 0x78,
    APICBASE = 0x80, DLC = 0x82, SMICNTL = 0xa0, SMIEN = 0xa2, SEE = 0xa4, FTMR = 0xa8, SMIREQ = 0xaa, CTLTMR = 0xac,
    CTHTMR = 0xae,
};
enum { PIRQ_DISABLED = 0x80, PIRQ_IRQ = 0x0f };
enum { RST_HARD = 2, RST_CPU = 4 };

struct piix3 {
    struct pci_function pci;
    struct irq_line irq[16];
    struct irq_line init;
    bool pirq[4];
    uint8_t rst_cnt;
    uint8_t unused[3];
};

static const struct state_field piix3_fields[] = {
    FIELD_STRUCT(struct piix3, pci, &pci_function_state, "PCI function"),
    FIELD_ARRAY(struct piix3, irq, "ISA interrupts driven by PIRQs"),
    FIELD(struct piix3, init, "INIT output (soft reset)"),
    FIELD_ARRAY(struct piix3, pirq, "PIRQA# to PIRQD#, asserted"),
    FIELD(struct piix3, rst_cnt, "reset control register (CF9h)"),
    FIELD_WIRING(struct piix3, unused),
};
static const struct state_desc piix3_state = STATE_DESC(struct piix3, "piix3", piix3_fields);

static const struct reg { uint8_t off, reset, wmask, w1c; } regs[] = {
    { IORT, 0x4d, 0x7f, 0 },        { XBCS, 0x03, 0xff, 0 },     { XBCS + 1, 0x00, 0x03, 0 },
    { PIRQRCA, 0x80, 0x8f, 0 },     { PIRQRCA + 1, 0x80, 0x8f, 0 }, { PIRQRCA + 2, 0x80, 0x8f, 0 },
    { PIRQRCA + 3, 0x80, 0x8f, 0 }, { TOM, 0x02, 0xfe, 0 },      { MSTAT, 0x00, 0x01, 0 }, { MSTAT + 1, 0x00, 0x80, 0 },
    { MBIRQ0, 0x80, 0xef, 0 },      { MBDMA0, 0x04, 0x87, 0 },   { MBDMA0 + 1, 0x04, 0x87, 0 },
    { PCSC, 0x02, 0xff, 0 },        { PCSC + 1, 0x00, 0xff, 0 }, { APICBASE, 0x00, 0x7f, 0 }, { DLC, 0x00, 0x0f, 0 },
    { SMICNTL, 0x08, 0x1f, 0 },     { SMIEN, 0x00, 0xff, 0 },    { SMIEN + 1, 0x00, 0x01, 0 },
    { SEE, 0x00, 0xff, 0 },         { SEE + 1, 0x00, 0xff, 0 },  { SEE + 2, 0x00, 0xff, 0 }, { SEE + 3, 0x00, 0xf0, 0 },
    { FTMR, 0x0f, 0xff, 0 },        { SMIREQ, 0x00, 0xff, 0 },   { SMIREQ + 1, 0x00, 0x01, 0 },
    { CTLTMR, 0x00, 0xff, 0 },      { CTHTMR, 0x00, 0xff, 0 },
};

/* ISA interrupts a PIRQ may be routed to; the others are reserved values that route it nowhere (3.1.10). */
#define ROUTABLE 0xdef8u                      /* 3-7, 9-12, 14, 15 */

static void update_irqs(struct piix3 *p)
{
    unsigned driven = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t route = p->pci.config[PIRQRCA + i];
        if (p->pirq[i] && !(route & PIRQ_DISABLED)) driven |= 1u << (route & PIRQ_IRQ);
    }
    driven &= ROUTABLE;
    for (unsigned i = 0; i < 16; i++) irq_set(&p->irq[i], driven >> i & 1);
}

static void pirq_changed(void *opaque, unsigned pin, bool level)
{
    struct piix3 *p = opaque;
    p->pirq[pin & 3] = level;
    trace(p->pci.dev.board->log, piix3_pirq, (uint64_t)pin, (uint64_t)level, (uint64_t)p->pci.config[PIRQRCA + (pin & 3)]);
    update_irqs(p);
}

struct irq_line piix3_pirq(struct device *d, unsigned n) { return IRQ_LINE(pirq_changed, d, n); }

static void piix3_config_written(struct pci_function *f, unsigned off, unsigned size)
{
    if (off < PIRQRCA + 4 && off + size > PIRQRCA) update_irqs((struct piix3 *)f);
}

/* RST_CNT: the reset happens as bit 2 goes from 0 to 1; bit 1 then says which (3.4.1). */
static uint64_t rst_cnt_read(void *dev, uint64_t off, unsigned size)
{
    (void)off, (void)size;
    return ((struct piix3 *)dev)->rst_cnt;
}

static void rst_cnt_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    (void)off, (void)size;
    struct piix3 *p = dev;
    bool edge = (val & RST_CPU) && !(p->rst_cnt & RST_CPU);
    p->rst_cnt = (uint8_t)(val & (RST_HARD | RST_CPU));
    if (edge && (val & RST_HARD)) device_request(&p->pci.dev, BOARD_RESET, 0);
    else if (edge) irq_pulse(&p->init);
}

static const struct io_ops rst_cnt_ops = { rst_cnt_read, rst_cnt_write, 1, 1 };

static void piix3_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    struct piix3 *p = (struct piix3 *)d;
    pci_function_reset(&p->pci);
    st16(p->pci.config + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    st16(p->pci.config + PCI_STATUS, 0x0200);
    for (unsigned i = 0; i < sizeof regs / sizeof regs[0]; i++) p->pci.config[regs[i].off] = regs[i].reset;
    p->rst_cnt = 0;
    irq_set(&p->init, false);
    update_irqs(p);                           /* the inputs are other chips' outputs: they keep their levels */
}

static void piix3_loaded(struct device *d) { pci_function_loaded(&((struct piix3 *)d)->pci); }

static void piix3_destroy(struct device *d) { free(d); }

static const struct device_class piix3_class = {
    .name = "piix3", .title = "PIIX3 PCI-to-ISA bridge", .reset = piix3_reset, .loaded = piix3_loaded,
    .destroy = piix3_destroy, .state = &piix3_state,
};

struct device *piix3_create(struct board *b, const char *id, const struct piix3_pins *pins)
{
    (void)b;
    struct piix3 *p = calloc(1, sizeof *p);
    if (!p) abort();
    pci_function_init(&p->pci, pins->bus, &piix3_class, id, 1, 0, 0x8086, 0x7000, 0x060100, 0);
    pci_set_subsystem(&p->pci, 0x1af4, 0x1100);
    p->pci.config_written = piix3_config_written;
    st16(p->pci.wmask + PCI_COMMAND, 0x0108); /* special cycle and SERR# enables; the rest is hardwired on */
    p->pci.wmask[PCI_CACHE_LINE] = p->pci.wmask[PCI_LATENCY] = p->pci.wmask[PCI_INT_LINE] = 0;
    for (unsigned i = 0; i < sizeof regs / sizeof regs[0]; i++) p->pci.wmask[regs[i].off] = regs[i].wmask;
    for (unsigned i = 0; i < 16; i++) p->irq[i] = pins->irq[i];
    p->init = pins->init;
    struct irq_line pirq[4];
    for (unsigned i = 0; i < 4; i++) pirq[i] = piix3_pirq(&p->pci.dev, i);
    pci_bus_set_irq(pins->bus, pirq);
    pci_set_cf9(pins->bus, &rst_cnt_ops, p);
    piix3_reset(&p->pci.dev, RESET_POWER_ON);
    return &p->pci.dev;
}
