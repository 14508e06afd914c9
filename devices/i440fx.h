/* Intel 82441FX (440FX) host bridge: the memory map of the board. PCI function 00:00.0. Machine's thread only. */
#ifndef DEVICES_I440FX_H
#define DEVICES_I440FX_H

#include "devices/pci.h"

#define I440FX_RAM_MAX 0xe0000000u            /* RAM ends here at most: PCI memory and the APICs lie above */

struct i440fx_pins {
    struct pci_bus *bus;
    struct ram_block *ram;                    /* offset = physical address; 1 MiB to I440FX_RAM_MAX bytes */
    struct ram_block *rom;                    /* 64 to 256 KiB: ends at 4 GiB; its last 128 KiB also at 1 MiB */
    struct irq_line init;                     /* the CPU's INIT pin: soft reset by the turbo reset register */
};

/* Maps RAM and ROM; PAM (C0000-FFFFF) and SMRAM (A0000-BFFFF) follow the configuration registers. */
struct device *i440fx_create(struct board *b, const char *id, const struct i440fx_pins *pins);

#endif
