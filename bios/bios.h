/* What the firmware is and what it is told: the ROM image, and the items that fw_cfg serves.
 *
 * Nothing here knows the fw_cfg chip: bios_build fills a list, and the machine hands its items to fw_cfg_add and
 * fw_cfg_add_file one by one. Called once, while the machine is built; any thread. */
#ifndef BIOS_BIOS_H
#define BIOS_BIOS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/log.h"
#include "base/status.h"

/* ---- ROM images (firmware.c) */
struct bios_image { uint8_t *data; uint32_t size; char path[512]; };

/* The system firmware: `path` (-bios; also looked for in lib_dir and the system folders if it has no slash), or
 * bios-256k.bin, bios.bin where path is NULL. 64, 128 or 256 KiB. */
enum host_status bios_load_firmware(const char *path, const char *lib_dir, struct bios_image *out,
                                    struct error *e) MUST_CHECK;
/* An expansion ROM ("vgabios-stdvga.bin"): checks signature and length, pads to 512 bytes. */
enum host_status bios_load_option_rom(const char *path, const char *lib_dir, struct bios_image *out,
                                      struct error *e) MUST_CHECK;
void bios_image_free(struct bios_image *i);

/* ---- items for fw_cfg */
struct bios_item {
    uint16_t key;                             /* for an item without a name */
    char name[56];                            /* file name, or "" */
    uint8_t *data;
    uint32_t len;
    bool until_reset;                         /* what the file of that name, listed before, holds until the first reset */
};
struct bios_items { struct bios_item *item; unsigned len, cap; };

void bios_items_free(struct bios_items *l);
/* Copies the data. */
void bios_add_file(struct bios_items *l, const char *name, const void *data, size_t len);
void bios_add_key(struct bios_items *l, uint16_t key, const void *data, size_t len);

struct bios_config {
    uint64_t ram_size;                        /* bytes, all below I440FX_RAM_MAX */
    unsigned cpus;                            /* 1 */
    uint32_t cpu_signature;                   /* CPUID.1:EAX, EDX; for SMBIOS type 4 */
    uint32_t cpu_features;
    uint32_t cpu_mhz;                         /* for SMBIOS */
    const char *cpu_name;                     /* for SMBIOS */
    bool apic, hpet;                          /* local and I/O APIC, HPET are on the board: MADT and HPET tables */
    const char *boot_order;                   /* "acdn" subset; NULL: "cad" */
    const char *boot_once;                    /* the same, until the first reset; NULL: boot_order */
    bool boot_menu;
    bool ide[4];                              /* a drive is attached: channel n / 2, drive n & 1 */
    bool ide_cdrom[4];
    bool floppy[2];
    bool serial[4], parallel[3];              /* ports that are there */
    bool nographic;                           /* no display: SeaBIOS copies its screen to the first serial port */
    const uint8_t *uuid;                      /* 16 bytes, or NULL */
    const char *name;                         /* machine name, or NULL */
    const char *kernel, *initrd, *append;     /* direct boot, or NULL */
    struct log *log;
};

/* Everything the firmware is told, in a fixed order. Fails only where a kernel or initrd cannot be read or used. */
enum host_status bios_build(const struct bios_config *c, struct bios_items *out, struct error *e) MUST_CHECK;

#endif
