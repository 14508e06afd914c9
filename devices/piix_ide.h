/* The IDE function of the PIIX3 (82371SB): two channels at their legacy ports, and a bus master. Machine's thread only.
 */
#ifndef DEVICES_PIIX_IDE_H
#define DEVICES_PIIX_IDE_H

#include "devices/ata.h"
#include "devices/pci.h"

struct piix_ide_pins {
    unsigned device, function;                  /* 1, 1 on the board */
    struct ata_channel *channel[2];             /* primary, secondary; created before */
    bool always;                                /* the legacy ports answer as an ISA adapter's do: for a BIOS from before PCI */
};
struct device *piix_ide_create(struct pci_bus *bus, const char *id, const struct piix_ide_pins *pins);

#endif
