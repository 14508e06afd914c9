/* The identity of what a machine was given besides its drives' images.
 *
 * The ROMs and the items of fw_cfg are not state: a saved machine does not hold them, as it does not hold images, and the
 * guest would read something else after the load if they had changed. So the file tells length and SHA-256 of each, and
 * the load compares. Files that the guest may write are state, and are not listed. */
#include "machine/given.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "devices/fw_cfg.h"

struct list { struct given *item; unsigned count, cap; bool failed; };

static void add(struct list *l, const char *name, const void *data, uint64_t len)
{
    struct sha256_ctx sha;
    if (l->count == l->cap) {
        unsigned cap = l->cap ? l->cap * 2 : 64;
        struct given *item = realloc(l->item, cap * sizeof *item);
        if (!item) {
            l->failed = true;
            return;
        }
        l->item = item;
        l->cap = cap;
    }
    struct given *g = &l->item[l->count++];
    snprintf(g->name, sizeof g->name, "%s", name);
    st64(g->id, len);
    sha256_init(&sha);
    sha256_update(&sha, len, data);
    sha256_digest(&sha, 32, g->id + 8);
}

static void add_item(void *opaque, const char *name, uint16_t key, const void *data, uint32_t len)
{
    char text[16];
    if (strcmp(name, "bootorder") == 0) return;       /* it follows the media too, which may be changed while the machine runs */
    snprintf(text, sizeof text, "key %04x", key);
    add(opaque, name[0] ? name : text, data, len);
}

struct given *given_list(struct machine *m, unsigned *count)
{
    struct list l = { 0 };
    char boot[64];
    for (struct ram_block *b = m->ram.blocks; b; b = b->next)
        if (b->rom) add(&l, b->name, b->data, b->size);
    snprintf(boot, sizeof boot, "%s,%s", m->cfg.boot_order ? m->cfg.boot_order : "", m->cfg.boot_once ? m->cfg.boot_once : "");
    add(&l, "boot", boot, strlen(boot));
    fw_cfg_contents(m->fw_cfg, add_item, &l);
    *count = l.count;
    if (!l.failed) return l.item;
    free(l.item);
    return NULL;
}

const char *given_option(const char *name)
{
    static const struct { const char *start, *option; } from[] = {
        { "bios", "system firmware (-bios, -L)" }, { "vgabios", "video BIOS (-L)" },
        { "key 0002", "-uuid" }, { "key 000e", "-boot" }, { "boot", "-boot" }, { "etc/boot-", "-boot" },
        { "key 8be1", "-initrd" }, { "key 8", "-kernel, -initrd or -append" }, { "genroms/", "-kernel" },
        { "etc/smbios/", "-name, -uuid or -cpu" }, { "etc/", "configuration, or version of Beige," },
        { "key ", "configuration, or version of Beige," },
    };
    for (unsigned i = 0; i < sizeof from / sizeof from[0]; i++)
        if (strncmp(name, from[i].start, strlen(from[i].start)) == 0) return from[i].option;
    return "-fw_cfg";
}
