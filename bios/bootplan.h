/* A boot plan: what the boot ROM (optionrom/beige-boot.asm) is to copy where, and how the kernel is entered.
 * linuxboot.c and multiboot.c make one from a kernel image; bootplan.c writes it out. Private to bios/. */
#ifndef BIOS_BOOTPLAN_H
#define BIOS_BOOTPLAN_H

#include "bios/items.h"

enum boot_kind { BOOT_LINUX = 1, BOOT_MULTIBOOT = 2 };
enum { BOOT_LOADS_MAX = 512 };

struct boot_load { uint16_t key; uint32_t len, address; };

struct boot_plan {
    enum boot_kind kind;
    uint32_t entry, info;                     /* multiboot: entry point, address of the information structure */
    uint32_t initrd_size, initrd_max, kernel_end;   /* Linux: see beige-boot.asm */
    uint16_t setup_seg, setup_sp;
    unsigned loads, blobs;
    struct boot_load load[BOOT_LOADS_MAX];
    struct bios_items *items;                 /* blobs go here at once */
};

/* A file in memory. */
struct boot_file { uint8_t *data; size_t len; };
enum host_status boot_file_read(const char *path, const char *what, struct boot_file *f, struct error *e) MUST_CHECK;

/* Plans to put data[0..len) at address, followed by zeros up to total (>= len). False if the plan is full. */
bool boot_plan_load(struct boot_plan *p, const void *data, uint32_t len, uint32_t address, uint32_t total) MUST_CHECK;

/* Top of the memory a kernel may be loaded to: the firmware keeps some RAM at the end for its tables. */
uint32_t boot_memory_top(const struct bios_config *c);

/* linuxboot.c */
bool boot_is_linux(const struct boot_file *kernel);
enum host_status boot_linux(const struct bios_config *c, const struct boot_file *kernel, struct boot_plan *p,
                            struct error *e)
    MUST_CHECK;
/* multiboot.c */
bool boot_is_multiboot(const struct boot_file *kernel);
enum host_status boot_multiboot(const struct bios_config *c, const struct boot_file *kernel, struct boot_plan *p,
                                struct error *e) MUST_CHECK;

#endif
