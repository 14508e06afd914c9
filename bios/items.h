/* The parts that bios_build puts together; each in the file named in its comment. Private to bios/. */
#ifndef BIOS_ITEMS_H
#define BIOS_ITEMS_H

#include "bios/bios.h"

#define BIOS_PM_BASE 0x600u                   /* where SeaBIOS puts the PIIX4's ACPI registers; the FADT says so */
#define BIOS_BOOT_ROM "genroms/beige-boot.rom"

void bios_add_e820(const struct bios_config *c, struct bios_items *out);           /* e820.c: RAM map */
void bios_add_acpi(const struct bios_config *c, struct bios_items *out);           /* acpi.c: tables and their loader */
void bios_add_smbios(const struct bios_config *c, struct bios_items *out);         /* smbios.c */
void bios_add_boot_order(const struct bios_config *c, struct bios_items *out);     /* bootorder.c: order, menu, waits */
/* bootplan.c: the kernel with its boot ROM, if one was asked for. */
enum host_status bios_add_direct_boot(const struct bios_config *c, struct bios_items *out, struct error *e) MUST_CHECK;

#endif
