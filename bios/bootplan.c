/* Direct boot: reads the kernel, has it planned by its kind, and hands plan, contents and boot ROM to fw_cfg.
 *
 * The items have keys of our own, outside the range of files: the ROM need not search the directory. */
#include "bios/bootplan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* ORDER PLAN */
enum { KEY_PLAN = 0x8be0, KEY_INITRD = 0x8be1, KEY_ZEROS = 0x8bff, KEY_BLOBS = 0x8c00, BLOBS_MAX = 0x200 };
enum { PLAN_HEADER = 32, PLAN_LOAD = 16 };
#define FILE_MAX (1u << 30)
#define FILL_CHUNK (32u << 20)                /* fw_cfg fills at most 64 MiB of zeros in one go */
#define FIRMWARE_KEEPS (1u << 20)

extern const unsigned char boot_rom[];        /* optionrom/beige-boot.asm */
extern const unsigned long boot_rom_size;

enum host_status boot_file_read(const char *path, const char *what, struct boot_file *f, struct error *e)
{
    *f = (struct boot_file){ .data = NULL };
    FILE *in = fopen(path, "rb");
    if (!in) return error_set(e, errno == ENOENT ? HOST_MISSING : HOST_IO_ERROR, "%s %s: %s", what, path,
                              strerror(errno));
    enum host_status st = HOST_OK;
    size_t cap = 0, n = 1;
    while (n) {
        if (f->len == cap) {
            cap = cap ? cap * 2 : 1 << 20;
            uint8_t *data = realloc(f->data, cap);
            if (!data) {
                st = error_set(e, HOST_NO_MEMORY, "%s %s: not enough memory to read it", what, path);
                break;
            }
            f->data = data;
        }
        n = fread(f->data + f->len, 1, cap - f->len, in);
        f->len += n;
        if (f->len > FILE_MAX) {
            st = error_set(e, HOST_BAD_FORMAT, "%s %s: larger than 1 GiB", what, path);
            break;
        }
    }
    if (st == HOST_OK && ferror(in)) st = error_set(e, HOST_IO_ERROR, "%s %s: %s", what, path, strerror(errno));
    if (st == HOST_OK && f->len == 0) st = error_set(e, HOST_BAD_FORMAT, "%s %s: empty file", what, path);
    fclose(in);
    if (st != HOST_OK) {
        free(f->data);
        f->data = NULL;
    }
    return st;
}

uint32_t boot_memory_top(const struct bios_config *c) { return (uint32_t)c->ram_size - FIRMWARE_KEEPS; }

static bool add_load(struct boot_plan *p, uint16_t key, uint32_t len, uint32_t address)
{
    if (p->loads == BOOT_LOADS_MAX) return false;
    p->load[p->loads++] = (struct boot_load){ key, len, address };
    return true;
}

bool boot_plan_load(struct boot_plan *p, const void *data, uint32_t len, uint32_t address, uint32_t total)
{
    if (len) {
        if (p->blobs == BLOBS_MAX) return false;
        uint16_t key = (uint16_t)(KEY_BLOBS + p->blobs++);
        bios_add_key(p->items, key, data, len);
        if (!add_load(p, key, len, address)) return false;
    }
    for (uint32_t done = len, part; done < total; done += part) {
        part = total - done < FILL_CHUNK ? total - done : FILL_CHUNK;
        if (!add_load(p, KEY_ZEROS, part, address + done)) return false;
    }
    return true;
}

static void add_plan(struct boot_plan *p)
{
    uint8_t out[PLAN_HEADER + PLAN_LOAD * BOOT_LOADS_MAX] = "BBP1";
    st16(out + 4, (uint16_t)p->kind);
    st16(out + 6, (uint16_t)p->loads);
    st32(out + 8, p->entry);
    st32(out + 12, p->info);
    st32(out + 16, p->initrd_size);
    st32(out + 20, p->initrd_max);
    st32(out + 24, p->kernel_end);
    st16(out + 28, p->setup_seg);
    st16(out + 30, p->setup_sp);
    for (unsigned i = 0; i < p->loads; i++) {
        uint8_t *l = out + PLAN_HEADER + PLAN_LOAD * i;
        st16(l, p->load[i].key);
        st32(l + 8, p->load[i].len);
        st32(l + 12, p->load[i].address);
    }
    bios_add_key(p->items, KEY_PLAN, out, PLAN_HEADER + PLAN_LOAD * p->loads);
}

/* The ROM's bytes add up to 0 mod 256. */
static enum host_status add_rom(struct bios_items *out, struct error *e)
{
    uint8_t *rom = malloc(boot_rom_size);
    if (!rom) return error_set(e, HOST_NO_MEMORY, "not enough memory for the boot ROM");
    memcpy(rom, boot_rom, boot_rom_size);
    uint8_t sum = 0;
    for (unsigned long i = 0; i < boot_rom_size; i++) sum = (uint8_t)(sum + rom[i]);
    rom[boot_rom_size - 1] = (uint8_t)(rom[boot_rom_size - 1] - sum);
    bios_add_file(out, BIOS_BOOT_ROM, rom, boot_rom_size);
    free(rom);
    return HOST_OK;
}

static enum host_status add_initrd(const struct bios_config *c, struct boot_plan *p, struct error *e)
{
    struct boot_file f;
    enum host_status st = boot_file_read(c->initrd, "initrd", &f, e);
    if (st != HOST_OK) return st;
    p->initrd_size = (uint32_t)f.len;
    bios_add_key(p->items, KEY_INITRD, f.data, f.len);
    free(f.data);
    return HOST_OK;
}

enum host_status bios_add_direct_boot(const struct bios_config *c, struct bios_items *out, struct error *e)
{
    if (!c->kernel) {
        if (c->initrd) return error_set(e, HOST_REFUSED, "-initrd needs -kernel");
        if (c->append) return error_set(e, HOST_REFUSED, "-append needs -kernel");
        return HOST_OK;
    }
    struct boot_plan *p = calloc(1, sizeof *p);
    if (!p) return error_set(e, HOST_NO_MEMORY, "not enough memory for the boot plan");
    p->items = out;
    struct boot_file kernel;
    enum host_status st = boot_file_read(c->kernel, "kernel", &kernel, e);
    if (st != HOST_OK) goto out_plan;
    if (boot_is_linux(&kernel)) {
        if (c->initrd) st = add_initrd(c, p, e);
        if (st == HOST_OK) st = boot_linux(c, &kernel, p, e);
    } else if (boot_is_multiboot(&kernel)) {
        st = boot_multiboot(c, &kernel, p, e);
    } else {
        st = error_set(e, HOST_BAD_FORMAT,
                       "kernel %s: neither a Linux kernel (protocol 2.00 or later) nor a multiboot 1 kernel",
                       c->kernel);
    }
    if (st == HOST_OK) st = add_rom(out, e);
    if (st == HOST_OK) add_plan(p);
    free(kernel.data);
out_plan:
    free(p);
    return st;
}
