/* The boot order: a list of Open Firmware paths, one a line, that SeaBIOS compares with the devices it finds.
 *
 * The paths name the bus position, so they must be those of machine/pc.c: PIIX IDE at 01.1, the floppy controller on
 * the ISA bridge at 01.0. With a kernel to boot directly, our boot ROM goes first. What is not listed comes after. */
#include "bios/items.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum { LIST_MAX = 2048 };

static void append(char *list, const char *path)
{
    size_t n = strlen(list);
    if (n) n += (size_t)snprintf(list + n, LIST_MAX - n, "\n");
    snprintf(list + n, LIST_MAX - n, "%s", path);
}

static void append_ide(const struct bios_config *c, char *list, bool cdrom)
{
    for (unsigned i = 0; i < 4; i++) {
        char path[64];
        if (!c->ide[i] || c->ide_cdrom[i] != cdrom) continue;
        snprintf(path, sizeof path, "/pci@i0cf8/ide@1,1/drive@%u/disk@%u", i / 2, i & 1);
        append(list, path);
    }
}

static void append_floppies(const struct bios_config *c, char *list)
{
    for (unsigned i = 0; i < 2; i++) {
        char path[64];
        if (!c->floppy[i]) continue;
        snprintf(path, sizeof path, "/pci@i0cf8/isa@1/fdc@03f0/floppy@%u", i);
        append(list, path);
    }
}

static void add_list(const struct bios_config *c, const char *order, struct bios_items *out)
{
    char list[LIST_MAX] = "";
    if (c->kernel) append(list, "/rom@" BIOS_BOOT_ROM);
    for (const char *p = order; *p; p++) {
        if (*p == 'a') append_floppies(c, list);
        else if (*p == 'c') append_ide(c, list, false);
        else if (*p == 'd') append_ide(c, list, true);
        else if (*p == 'n') append(list, "/pci@i0cf8/ethernet@3");
    }
    /* The last line ends the list with a NUL: SeaBIOS reads it as one string. */
    bios_add_file(out, "bootorder", list, strlen(list) + 1);
}

void bios_add_boot_order(const struct bios_config *c, struct bios_items *out)
{
    uint8_t wait[8];
    add_list(c, c->boot_order ? c->boot_order : "cad", out);
    if (c->boot_once) {
        add_list(c, c->boot_once, out);
        out->item[out->len - 1].until_reset = true;
    }
    st64(wait, c->boot_menu ? 2500 : 0);      /* ms that "Press ESC for boot menu" is shown */
    if (c->boot_menu) bios_add_file(out, "etc/boot-menu-wait", wait, sizeof wait);
    st32(wait, 0xffffffff);                   /* no boot device: say so and stay, rather than reboot every minute */
    bios_add_file(out, "etc/boot-fail-wait", wait, 4);
}
