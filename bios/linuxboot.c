/* Planning the boot of a Linux kernel by the Linux/x86 boot protocol, 2.00 to 2.15 (Documentation/x86/boot.rst).
 *
 * The image begins with a real-mode part of (setup_sects + 1) sectors with a header at 1F1h, which tells the rest:
 * whether the protected-mode part goes to 100000h (bzImage) or 10000h (zImage), where the initrd may lie, how long the
 * command line may be. From 2.02 on the real-mode part may lie anywhere below 640 KiB; before, it must be at 90000h.
 *
 * GAP: kernels older than protocol 2.00 (before Linux 1.3.73) are refused. The initrd is put where the machine's memory
 * ends, whatever a mem= on the command line says. */
#include "bios/bootplan.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum {                                        /* header fields */
    SETUP_SECTS = 0x1f1, SYSSIZE = 0x1f4, VID_MODE = 0x1fa, BOOT_FLAG = 0x1fe, MAGIC = 0x202, VERSION = 0x206,
    TYPE_OF_LOADER = 0x210, LOADFLAGS = 0x211, SETUP_MOVE_SIZE = 0x212, RAMDISK_SIZE = 0x21c, HEAP_END_PTR = 0x224,
    CMD_LINE_PTR = 0x228, INITRD_ADDR_MAX = 0x22c, CMDLINE_SIZE = 0x238, PREF_ADDRESS = 0x258, INIT_SIZE = 0x260,
    HEADER_END = 0x264,
};
enum { LOADED_HIGH = 0x01, CAN_USE_HEAP = 0x80, LOADER_UNDEFINED = 0xff };
enum { OLD_CMD_LINE_MAGIC = 0x20, OLD_CMD_LINE_OFFSET = 0x22, OLD_CMD_LINE_VALUE = 0xa33f };
enum { HIGH_ADDRESS = 0x100000, LOW_ADDRESS = 0x10000, OLD_SETUP = 0x90000, NEW_SETUP = 0x10000, SETUP_MAX = 0x8000 };
enum { VGA_NORMAL = 0xffff, VGA_EXTENDED = 0xfffe, VGA_ASK = 0xfffd };

bool boot_is_linux(const struct boot_file *k)
{
    return k->len >= HEADER_END && ld16(k->data + BOOT_FLAG) == 0xaa55 && memcmp(k->data + MAGIC, "HdrS", 4) == 0 &&
           ld16(k->data + VERSION) >= 0x0200;
}

/* "vga=" is for the boot loader: a number, or one of three words. */
static uint16_t video_mode(const char *append)
{
    for (const char *p = append; p && *p; p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL) {
        if (strncmp(p, "vga=", 4) != 0) continue;
        p += 4;
        if (strncmp(p, "normal", 6) == 0) return VGA_NORMAL;
        if (strncmp(p, "ext", 3) == 0) return VGA_EXTENDED;
        if (strncmp(p, "ask", 3) == 0) return VGA_ASK;
        return (uint16_t)strtoul(p, NULL, 0);
    }
    return VGA_NORMAL;
}

struct layout { uint32_t setup, heap_end, cmdline, kernel; };

/* Where the parts go, by protocol version and image kind. */
static struct layout choose_layout(uint16_t version, bool high)
{
    if (high && version >= 0x0202)
        return (struct layout){ .setup = NEW_SETUP, .heap_end = 0xe000, .cmdline = NEW_SETUP + 0x10000,
                                .kernel = HIGH_ADDRESS };
    return (struct layout){ .setup = OLD_SETUP, .heap_end = 0x9800, .cmdline = OLD_SETUP + 0x9800,
                            .kernel = high ? HIGH_ADDRESS : LOW_ADDRESS };
}

static void fill_header(uint8_t *h, const struct layout *at, const struct bios_config *c, uint16_t version,
                        uint32_t initrd_size)
{
    st16(h + VID_MODE, video_mode(c->append));
    h[TYPE_OF_LOADER] = LOADER_UNDEFINED;
    st32(h + RAMDISK_SIZE, initrd_size);
    if (version >= 0x0201) {
        h[LOADFLAGS] |= CAN_USE_HEAP;
        st16(h + HEAP_END_PTR, (uint16_t)(at->heap_end - 0x200));
    }
    if (version >= 0x0202) {
        st32(h + CMD_LINE_PTR, at->cmdline);
    } else {
        st16(h + OLD_CMD_LINE_MAGIC, OLD_CMD_LINE_VALUE);
        st16(h + OLD_CMD_LINE_OFFSET, (uint16_t)(at->cmdline - at->setup));
        st16(h + SETUP_MOVE_SIZE, (uint16_t)(at->cmdline - at->setup + 0x100));
    }
}

enum host_status boot_linux(const struct bios_config *c, const struct boot_file *kernel, struct boot_plan *p,
                            struct error *e)
{
    const uint8_t *h = kernel->data;
    uint16_t version = ld16(h + VERSION);
    bool high = h[LOADFLAGS] & LOADED_HIGH;
    uint32_t setup_size = ((h[SETUP_SECTS] ? h[SETUP_SECTS] : 4u) + 1) * 512;
    if (setup_size > SETUP_MAX)
        return error_set(e, HOST_BAD_FORMAT, "kernel %s: setup code of %u bytes is too long", c->kernel, setup_size);
    if (setup_size >= kernel->len) return error_set(e, HOST_BAD_FORMAT, "kernel %s: truncated", c->kernel);
    uint32_t payload = (uint32_t)kernel->len - setup_size;
    /* In units of 16 bytes; the last one may be incomplete. 16 bits wide before 2.04. */
    uint64_t paragraphs = version >= 0x0204 ? ld32(h + SYSSIZE) : ld16(h + SYSSIZE);
    if ((payload + 15ull) / 16 < paragraphs)
        return error_set(e, HOST_BAD_FORMAT, "kernel %s: truncated: %llu bytes are missing", c->kernel,
                         (unsigned long long)(paragraphs * 16 - payload));

    struct layout at = choose_layout(version, high);
    const char *append = c->append ? c->append : "";
    size_t cmdline_max = version >= 0x0206 && ld32(h + CMDLINE_SIZE) ? ld32(h + CMDLINE_SIZE) : 255;
    if (cmdline_max > 0xefff) cmdline_max = 0xefff;
    if (strlen(append) > cmdline_max)
        return error_set(e, HOST_BAD_FORMAT, "kernel %s: takes a command line of %zu characters, -append has %zu",
                         c->kernel,
                         cmdline_max, strlen(append));

    uint64_t end = (uint64_t)at.kernel + payload;
    if (version >= 0x020a) {                  /* room to unpack itself, from its preferred address on */
        uint64_t preferred = ld64(h + PREF_ADDRESS);
        uint64_t unpacked = (preferred > at.kernel ? preferred : at.kernel) + ld32(h + INIT_SIZE);
        if (preferred > UINT32_MAX) return error_set(e, HOST_BAD_FORMAT, "kernel %s: wants to lie above 4 GiB",
                                                     c->kernel);
        if (unpacked > end) end = unpacked;
    }
    if (!high && end > OLD_SETUP) return error_set(e, HOST_BAD_FORMAT, "kernel %s: too large for a zImage", c->kernel);
    uint64_t need = (high ? end : HIGH_ADDRESS) + p->initrd_size + 0xfff;
    if (need > boot_memory_top(c))
        return error_set(e, HOST_REFUSED, "kernel %s: needs %llu MiB of RAM%s; give it more with -m", c->kernel,
                         (unsigned long long)(need >> 20) + 2, c->initrd ? " with its initrd" : "");

    p->kind = BOOT_LINUX;
    p->setup_seg = (uint16_t)(at.setup >> 4);
    p->setup_sp = (uint16_t)at.heap_end;
    p->kernel_end = high ? (uint32_t)end : HIGH_ADDRESS;
    p->initrd_max = version >= 0x0203 ? ld32(h + INITRD_ADDR_MAX) : 0x37ffffff;
    uint8_t *setup = malloc(setup_size);
    if (!setup) return error_set(e, HOST_NO_MEMORY, "kernel %s: not enough memory", c->kernel);
    memcpy(setup, h, setup_size);
    fill_header(setup, &at, c, version, p->initrd_size);
    bool fits = boot_plan_load(p, setup, setup_size, at.setup, setup_size) &&
                boot_plan_load(p, append, (uint32_t)strlen(append) + 1, at.cmdline, (uint32_t)strlen(append) + 1) &&
                boot_plan_load(p, h + setup_size, payload, at.kernel, payload);
    free(setup);
    return fits ? HOST_OK : error_set(e, HOST_BAD_FORMAT, "kernel %s: too many parts", c->kernel);
}
