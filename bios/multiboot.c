/* Planning the boot of a Multiboot 1 kernel (Multiboot Specification 0.6.96).
 *
 * The header lies in the first 8 KiB, on a dword. If bit 16 of its flags is set, it says where to load the file (the
 * "a.out kludge"); otherwise the file is ELF for the 386. Everything in it may be wrong: each range is checked against
 * the file and the memory before it is used. Modules follow the kernel, each on a page.
 *
 * GAP: a kernel that asks for a video mode gets text mode, which the specification lets it find out; the information block
 * has no ELF section table. */
#include "bios/bootplan.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define MAGIC 0x1badb002u
enum { SEARCH = 8192, FLAG_VIDEO = 0x04, FLAG_KNOWN = 0x0007, FLAG_REQUIRED_MASK = 0xffff, FLAG_ADDRESSES = 0x10000 };
enum { INFO_ADDRESS = 0x10000, INFO_SIZE = 116, INFO_ROOM = 0x10000, MODULE_ENTRY = 16, MODULES_MAX = 64 };
enum { INFO_MEMORY = 0x001, INFO_CMDLINE = 0x004, INFO_MODULES = 0x008, INFO_MMAP = 0x040, INFO_LOADER_NAME = 0x200 };
enum { LOW_LIMIT = 0x100000 };
enum { ELF_HEADER = 52, ELF_PHDR = 32, ELF_386 = 3, PT_LOAD = 1, SEGMENTS_MAX = 64 };

/* Offset of the header, or -1. */
static long find_header(const struct boot_file *k)
{
    size_t end = k->len < SEARCH ? k->len : SEARCH;
    for (size_t i = 0; i + 12 <= end; i += 4)
        if (ld32(k->data + i) == MAGIC && MAGIC + ld32(k->data + i + 4) + ld32(k->data + i + 8) == 0) return (long)i;
    return -1;
}

bool boot_is_multiboot(const struct boot_file *k) { return find_header(k) >= 0; }

/* Plans one piece of the kernel and keeps its end. */
static enum host_status place(const struct bios_config *c, const struct boot_file *k, struct boot_plan *p,
                              uint64_t offset, uint64_t file_len, uint64_t address, uint64_t total, struct error *e)
{
    if (offset + file_len > k->len)
        return error_set(e, HOST_BAD_FORMAT, "kernel %s: truncated (a part ends at byte %llu)", c->kernel,
                         (unsigned long long)(offset + file_len));
    if (total < file_len) total = file_len;
    if (address < LOW_LIMIT || address + total > boot_memory_top(c))
        return error_set(e, HOST_REFUSED,
                         "kernel %s: a part belongs at %llxh-%llxh, outside the memory from 1 MiB to %llu MiB",
                         c->kernel, (unsigned long long)address, (unsigned long long)(address + total - 1),
                         (unsigned long long)(boot_memory_top(c) >> 20));
    if (!boot_plan_load(p, k->data + offset, (uint32_t)file_len, (uint32_t)address, (uint32_t)total))
        return error_set(e, HOST_BAD_FORMAT, "kernel %s: too many parts", c->kernel);
    if (address + total > p->kernel_end) p->kernel_end = (uint32_t)(address + total);
    return HOST_OK;
}

static enum host_status plan_by_header(const struct bios_config *c, const struct boot_file *k, long at,
                                       struct boot_plan *p, struct error *e)
{
    if ((size_t)at + 32 > k->len) return error_set(e, HOST_BAD_FORMAT, "kernel %s: truncated multiboot header",
                                                   c->kernel);
    const uint8_t *h = k->data + at;
    uint64_t header = ld32(h + 12), load = ld32(h + 16), load_end = ld32(h + 20), bss_end = ld32(h + 24);
    if (load > header || header - load > (uint64_t)at)
        return error_set(e, HOST_BAD_FORMAT, "kernel %s: multiboot load address %llxh does not fit the file", c->kernel,
                         (unsigned long long)load);
    uint64_t offset = (uint64_t)at - (header - load);
    uint64_t file_len = load_end ? load_end - load : k->len - offset;
    if (load_end && load_end < load)
        return error_set(e, HOST_BAD_FORMAT, "kernel %s: multiboot load range ends before it begins", c->kernel);
    if (bss_end && bss_end < load + file_len)
        return error_set(e, HOST_BAD_FORMAT, "kernel %s: multiboot bss ends before the data does", c->kernel);
    p->entry = ld32(h + 28);
    return place(c, k, p, offset, file_len, load, bss_end ? bss_end - load : file_len, e);
}

static enum host_status plan_elf(const struct bios_config *c, const struct boot_file *k, struct boot_plan *p,
                                 struct error *e)
{
    const uint8_t *d = k->data;
    if (k->len < ELF_HEADER || memcmp(d, "\177ELF\1\1", 6) != 0 || ld16(d + 18) != ELF_386)
        return error_set(e, HOST_BAD_FORMAT,
                         "kernel %s: multiboot, but neither ELF for the 386 nor with load addresses", c->kernel);
    uint32_t table = ld32(d + 28), count = ld16(d + 44), entry = ld32(d + 24);
    if (ld16(d + 42) != ELF_PHDR || count == 0 || count > SEGMENTS_MAX || (uint64_t)table + count * ELF_PHDR > k->len)
        return error_set(e, HOST_BAD_FORMAT, "kernel %s: bad ELF program header table", c->kernel);
    p->entry = entry;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *ph = d + table + i * ELF_PHDR;
        uint32_t vaddr = ld32(ph + 8), paddr = ld32(ph + 12), file_len = ld32(ph + 16), total = ld32(ph + 20);
        if (ld32(ph) != PT_LOAD || total == 0) continue;
        if (file_len > total) return error_set(e, HOST_BAD_FORMAT,
                                               "kernel %s: ELF segment larger in the file than in memory", c->kernel);
        enum host_status st = place(c, k, p, ld32(ph + 4), file_len, paddr, total, e);
        if (st != HOST_OK) return st;
        /* A kernel linked to run elsewhere gives its entry as a virtual address. */
        if (vaddr != paddr && entry >= vaddr && entry - vaddr < total) p->entry = entry - vaddr + paddr;
    }
    if (p->kernel_end == 0) return error_set(e, HOST_BAD_FORMAT, "kernel %s: ELF file with nothing to load", c->kernel);
    return HOST_OK;
}

/* ---- the information structure, with its strings and module list behind it */

struct info { uint8_t data[INFO_ROOM]; uint32_t len; };

/* Adds a string; its address, or 0 if there is no room. */
static uint32_t info_string(struct info *n, const char *s, size_t len)
{
    if (len + 1 > sizeof n->data - n->len) return 0;
    uint32_t at = INFO_ADDRESS + n->len;
    memcpy(n->data + n->len, s, len);
    n->data[n->len + len] = 0;
    n->len += (uint32_t)len + 1;
    return at;
}

/* -initrd "file args,file args": each is a module, with the whole text as its string. */
static enum host_status add_modules(const struct bios_config *c, struct boot_plan *p, struct info *n, struct error *e)
{
    unsigned count = 0;
    n->len = INFO_SIZE + MODULES_MAX * MODULE_ENTRY;
    for (const char *at = c->initrd; at && *at;) {
        size_t len = strcspn(at, ",");
        char path[1024];
        size_t path_len = strcspn(at, " ,");
        if (path_len >= sizeof path || path_len == 0 || count == MODULES_MAX)
            return error_set(e, HOST_REFUSED, "-initrd: at most %d modules, each \"file arguments\"", MODULES_MAX);
        memcpy(path, at, path_len);
        path[path_len] = 0;
        struct boot_file f;
        enum host_status st = boot_file_read(path, "module", &f, e);
        if (st != HOST_OK) return st;
        uint32_t start = (p->kernel_end + 0xfff) & ~0xfffu, string = info_string(n, at, len);
        bool fits = string && start + (uint64_t)f.len <= boot_memory_top(c) &&
                    boot_plan_load(p, f.data, (uint32_t)f.len, start, (uint32_t)f.len);
        if (fits) {
            uint8_t *m = n->data + INFO_SIZE + count++ * MODULE_ENTRY;
            st32(m, start);
            st32(m + 4, start + (uint32_t)f.len);
            st32(m + 8, string);
            p->kernel_end = start + (uint32_t)f.len;
        }
        free(f.data);
        if (!fits) return error_set(e, HOST_REFUSED, "module %s: does not fit into %llu MiB of RAM; give more with -m",
                                    path,
                                    (unsigned long long)(c->ram_size >> 20));
        at += len + (at[len] == ',');
    }
    st32(n->data + 20, count);
    st32(n->data + 24, INFO_ADDRESS + INFO_SIZE);
    return HOST_OK;
}

static enum host_status add_info(const struct bios_config *c, struct boot_plan *p, struct error *e)
{
    struct info *n = calloc(1, sizeof *n);
    if (!n) return error_set(e, HOST_NO_MEMORY, "kernel %s: not enough memory", c->kernel);
    enum host_status st = add_modules(c, p, n, e);
    if (st != HOST_OK) goto out;
    const char *append = c->append ? c->append : "";
    size_t kernel_len = strlen(c->kernel), append_len = strlen(append);
    char *line = malloc(kernel_len + append_len + 2);
    if (!line) abort();
    memcpy(line, c->kernel, kernel_len);
    line[kernel_len] = ' ';
    memcpy(line + kernel_len + 1, append, append_len + 1);
    uint32_t cmdline = info_string(n, line, kernel_len + (append_len ? append_len + 1 : 0));
    free(line);
    uint32_t name = info_string(n, "Beige", 5);
    /* Memory sizes and the map are filled in by the boot ROM. */
    st32(n->data, INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MMAP | INFO_LOADER_NAME);
    st32(n->data + 16, cmdline);
    st32(n->data + 64, name);
    p->info = INFO_ADDRESS;
    if (!cmdline || !name) st = error_set(e, HOST_REFUSED, "kernel %s: command line too long", c->kernel);
    else if (!boot_plan_load(p, n->data, n->len, INFO_ADDRESS, n->len))
        st = error_set(e, HOST_BAD_FORMAT, "kernel %s: too many parts", c->kernel);
out:
    free(n);
    return st;
}

enum host_status boot_multiboot(const struct bios_config *c, const struct boot_file *kernel, struct boot_plan *p,
                                struct error *e)
{
    long at = find_header(kernel);
    uint32_t flags = ld32(kernel->data + at + 4);
    if (flags & FLAG_REQUIRED_MASK & ~(uint32_t)FLAG_KNOWN)
        return error_set(e, HOST_BAD_FORMAT, "kernel %s: asks for unknown multiboot features (flags %08x)", c->kernel,
                         flags);
    if (flags & FLAG_VIDEO) log_line(c->log, LOG_INFO, "bios", "kernel %s asks for a video mode; it gets 80x25 text",
                                     c->kernel);
    p->kind = BOOT_MULTIBOOT;
    enum host_status st = flags & FLAG_ADDRESSES ? plan_by_header(c, kernel, at, p, e) : plan_elf(c, kernel, p, e);
    return st == HOST_OK ? add_info(c, p, e) : st;
}
