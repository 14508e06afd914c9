/* The PCI bus of the board: configuration mechanism 1 (CF8h/CFCh), slots, BARs and INTx routing.
 * Functions on the bus include this header; the bus itself is in pci.c. PCI Local Bus Specification 2.1. */
#ifndef DEVICES_PCI_H
#define DEVICES_PCI_H

#include "devices/device.h"

enum {                                          /* configuration header, type 0 */
    PCI_VENDOR_ID = 0x00, PCI_DEVICE_ID = 0x02, PCI_COMMAND = 0x04, PCI_STATUS = 0x06, PCI_REVISION_ID = 0x08,
    PCI_CLASS_PROG = 0x09, PCI_SUBCLASS = 0x0a, PCI_CLASS = 0x0b, PCI_CACHE_LINE = 0x0c, PCI_LATENCY = 0x0d,
    PCI_HEADER_TYPE = 0x0e, PCI_BAR0 = 0x10, PCI_SUBSYS_VENDOR = 0x2c, PCI_SUBSYS_ID = 0x2e, PCI_ROM_BAR = 0x30,
    PCI_CAP_PTR = 0x34, PCI_INT_LINE = 0x3c, PCI_INT_PIN = 0x3d,
};
enum { PCI_COMMAND_IO = 1, PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4 };

/* A base address register. Port BARs use `ports`; memory BARs use `region` (the function's; the bus moves it). */
struct pci_bar {
    uint32_t size;                              /* power of two; 0: not there */
    bool io;
    bool prefetch;
    const struct io_ops *ops;                   /* port BARs: off is relative to the BAR */
    struct region *region;                      /* memory BARs */
};

/* First member of a PCI function's struct, in place of struct device. */
struct pci_function {
    struct device dev;
    struct pci_bus *bus;
    uint8_t config[256];                        /* STATE: as the guest reads it */
    uint8_t wmask[256];                         /* WIRING: bits the guest may write; fill in create */
    uint8_t w1c[256];                           /* WIRING: bits that a written 1 clears */
    struct pci_bar bar[6];                      /* WIRING */
    struct pci_bar rom;                         /* WIRING: expansion ROM (region) */
    uint32_t mapped[7];                         /* HOST: what the maps hold now (0xffffffff: nothing) */
    uint8_t devfn;
    bool intx;                                  /* STATE: level of this function's INTx output */
    bool master;                                /* DERIVED: PCI_COMMAND_MASTER; what dma_port.enabled points at */
    uint8_t unused[1];
    /* Called after the guest changed config bytes [off, off+size). The function acts on its own registers; may be NULL. */
    void (*config_written)(struct pci_function *f, unsigned off, unsigned size);
    /* Called when the guest reads; may refresh f->config first. May be NULL. */
    void (*config_read)(struct pci_function *f, unsigned off, unsigned size);
};

/* Table for `struct pci_function` as a member: FIELD_STRUCT(struct X, pci, &pci_function_state, "PCI function"). */
extern const struct state_desc pci_function_state;

struct pci_pins {
    struct irq_line inta[4];                    /* the router's PIRQA#..PIRQD# inputs (PIIX3), level, active = true */
};
/* The bus is a device ("pci"); it claims CF8h-CFFh (CF9h belongs to PIIX3, which the bus lets through: see
 * pci_set_cf9). */
struct pci_bus *pci_bus_create(struct board *b, const char *id, const struct pci_pins *pins);
struct device *pci_bus_device(struct pci_bus *bus);
/* Connects the router after it has been created (it is on the bus itself). */
void pci_bus_set_irq(struct pci_bus *bus, const struct irq_line inta[4]);
/* Byte accesses to CF9h go here (PIIX3's reset control register). */
void pci_set_cf9(struct pci_bus *bus, const struct io_ops *ops, void *dev);

/* Puts a function at device:function. Calls device_init, writes ids and class into config, sets the standard wmask. */
void pci_function_init(struct pci_function *f, struct pci_bus *bus, const struct device_class *class, const char *id,
                       unsigned device, unsigned function, uint16_t vendor, uint16_t device_id, uint32_t class_code,
                       uint8_t revision);
void pci_set_subsystem(struct pci_function *f, uint16_t vendor, uint16_t id);
/* Declares BAR n (0-5), or 6 for the expansion ROM. Unmapped until the guest enables decoding. */
void pci_set_bar(struct pci_function *f, unsigned n, const struct pci_bar *bar);
/* Drives INTx (pin from config[PCI_INT_PIN], 1 = INTA#). The bus swizzles: (device - 1 + pin - 1) mod 4, as on the
 * 440FX board and in SeaBIOS's tables. */
void pci_set_intx(struct pci_function *f, bool level);
/* Common part of reset: command 0, BARs 0, INTx low. The function's own reset calls it. */
void pci_function_reset(struct pci_function *f);
/* Common part of loaded(): re-applies the BAR mappings. */
void pci_function_loaded(struct pci_function *f);
/* Re-applies mappings (a function that gates its own decoding calls it after changing config). */
void pci_update_mappings(struct pci_function *f);
/* Lists the functions, their class, ids and where their BARs are. */
void pci_bus_print(struct pci_bus *bus, FILE *out);
/* Raw config access as the bus does it, for tests. */
uint32_t pci_config_read(struct pci_bus *bus, unsigned devfn, unsigned off, unsigned size);
void pci_config_write(struct pci_bus *bus, unsigned devfn, unsigned off, uint32_t val, unsigned size);

#endif
