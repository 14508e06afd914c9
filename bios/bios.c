/* The list of items, and what goes into it: one function of each file here adds its own. */
#include "bios/bios.h"
#include "bios/items.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum {                                        /* fw_cfg keys of items that are not files */
    KEY_UUID = 0x02, KEY_RAM_SIZE = 0x03, KEY_NOGRAPHIC = 0x04, KEY_NB_CPUS = 0x05, KEY_BOOT_MENU = 0x0e, KEY_MAX_CPUS = 0x0f,
};

void bios_items_free(struct bios_items *l)
{
    for (unsigned i = 0; i < l->len; i++) free(l->item[i].data);
    free(l->item);
    *l = (struct bios_items){ .item = NULL };
}

static void add(struct bios_items *l, uint16_t key, const char *name, const void *data, size_t len)
{
    assert(strlen(name) < sizeof l->item[0].name && len <= UINT32_MAX);
    if (l->len == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 32;
        l->item = realloc(l->item, l->cap * sizeof *l->item);
        if (!l->item) abort();
    }
    struct bios_item *it = &l->item[l->len++];
    *it = (struct bios_item){ .key = key, .len = (uint32_t)len };
    memcpy(it->name, name, strlen(name));
    it->data = malloc(len ? len : 1);
    if (!it->data) abort();
    if (len) memcpy(it->data, data, len);
}

void bios_add_file(struct bios_items *l, const char *name, const void *data, size_t len) { add(l, 0, name, data, len); }

void bios_add_key(struct bios_items *l, uint16_t key, const void *data, size_t len) { add(l, key, "", data, len); }

static void add_int(struct bios_items *l, uint16_t key, uint64_t val, unsigned size)
{
    uint8_t b[8];
    st64(b, val);
    bios_add_key(l, key, b, size);
}

enum host_status bios_build(const struct bios_config *c, struct bios_items *out, struct error *e)
{
    *out = (struct bios_items){ .item = NULL };
    if (c->uuid) bios_add_key(out, KEY_UUID, c->uuid, 16);
    add_int(out, KEY_RAM_SIZE, c->ram_size, 8);
    add_int(out, KEY_NOGRAPHIC, c->nographic, 2);
    add_int(out, KEY_NB_CPUS, c->cpus, 2);
    add_int(out, KEY_MAX_CPUS, c->cpus, 2);
    add_int(out, KEY_BOOT_MENU, c->boot_menu, 2);
    bios_add_e820(c, out);
    bios_add_acpi(c, out);
    bios_add_smbios(c, out);
    enum host_status st = bios_add_direct_boot(c, out, e);
    if (st == HOST_OK) bios_add_boot_order(c, out);
    else bios_items_free(out);
    return st;
}
