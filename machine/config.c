/* Creating a machine, changing its media, feeding it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "devices/atapi_cd.h"
#include "devices/i82077.h"
#include "devices/i440fx.h"
#include "devices/piix4_pm.h"
#include "devices/ps2_kbd.h"
#include "devices/ps2_mouse.h"
#include "machine/pc.h"

void machine_config_default(struct machine_config *c)
{
    *c = (struct machine_config){ .ram_size = 128u << 20, .vga = true, .rtc_base = 946684800 };   /* 2000-01-01 */
}

static void config_close_images(struct machine_config *c)
{
    for (unsigned i = 0; i < MACHINE_IDE; i++) blk_close(c->ide[i].blk);
    for (unsigned i = 0; i < MACHINE_FLOPPIES; i++) blk_close(c->floppy[i].blk);
}

static bool config_check(const struct machine_config *c, struct error *e)
{
    if (c->ram_size < 1 << 20 || c->ram_size > I440FX_RAM_MAX || c->ram_size % PAGE_SIZE) {
        error_set(e, HOST_REFUSED, "-m: this board takes 1 to %u MiB of RAM", I440FX_RAM_MAX >> 20);
        return false;
    }
    for (unsigned i = 0; i < MACHINE_FLOPPIES; i++)
        if (c->floppy[i].blk && !i82077_medium_fits(c->floppy[i].blk->size)) {
            error_set(e, HOST_BAD_FORMAT, "%s: %llu bytes is larger than any floppy disk", c->floppy[i].blk->path,
                      (unsigned long long)c->floppy[i].blk->size);
            return false;
        }
    return true;
}

struct machine *machine_create(const struct machine_config *cfg, struct error *e)
{
    struct machine *m = calloc(1, sizeof *m);
    assert(m);
    m->cfg = *cfg;
    m->log = cfg->log;
    m->cpu_model = strdup(cfg->cpu ? cfg->cpu : CPU_MODEL_DEFAULT);
    clock_init(&m->clock, 1000000);
    ram_space_init(&m->ram);
    phys_init(&m->mem, &m->ram, m->log, 0xfffffffff);   /* until the CPU is there and says */
    port_init(&m->ports, m->log);
    m->board = (struct board){ .clock = &m->clock, .log = m->log, .mem = &m->mem, .ports = &m->ports };
    if (m->log) m->log->clock = &m->clock;
    if (m->cpu_model && config_check(&m->cfg, e) && pc_build(m, e)) return m;
    machine_destroy(m);
    return NULL;
}

void machine_destroy(struct machine *m)
{
    if (!m) return;
    board_destroy(&m->board);
    config_close_images(&m->cfg);                 /* those that no drive has taken */
    cpu_destroy(m->cpu);
    port_fini(&m->ports);
    phys_fini(&m->mem);
    ram_space_fini(&m->ram);
    clock_fini(&m->clock);
    if (m->log) m->log->clock = NULL;
    surface_fini(&m->display);
    free(m->cpu_model);
    free(m);
}

/* ---- inputs ----------------------------------------------------------------------------------------------------------- */

void machine_key(struct machine *m, enum key k, bool down) { ps2_kbd_key(m->kbd, k, down); }

void machine_mouse(struct machine *m, int dx, int dy, int dz, unsigned buttons)
{
    ps2_mouse_move(m->mouse, dx, dy, dz, buttons);
}

size_t machine_chr_room(struct machine *m, struct chr *c)
{
    (void)m;
    return c->room ? c->room(c->dev) : 0;
}

void machine_chr_input(struct machine *m, struct chr *c, const uint8_t *data, size_t len)
{
    size_t room = machine_chr_room(m, c);
    if (len > room) len = room;
    if (len) c->received(c->dev, data, len);
}

void machine_chr_event(struct machine *m, struct chr *c, int event)
{
    (void)m;
    if (c->event) c->event(c->dev, event);
}

void machine_powerdown(struct machine *m) { piix4_pm_power_button(m->pm); }

void machine_nmi(struct machine *m)
{
    struct irq_line nmi = cpu_pin(m->cpu, CPU_PIN_NMI);
    irq_pulse(&nmi);
}

uint32_t machine_port_in(struct machine *m, uint16_t port, unsigned size) { return port_in(&m->ports, port, size); }
void machine_port_out(struct machine *m, uint16_t port, uint32_t val, unsigned size) { port_out(&m->ports, port, val, size); }

/* ---- drives ----------------------------------------------------------------------------------------------------------- */

static const char *const floppy_ids[MACHINE_FLOPPIES] = { "floppy0", "floppy1" };

unsigned machine_blocks(struct machine *m, struct machine_block *out, unsigned max)
{
    unsigned n = 0;
    for (unsigned i = 0; i < MACHINE_IDE && n < max; i++) {
        struct device *d = m->ide_drive[i];
        if (!d) continue;
        bool cd = m->cfg.ide[i].cdrom;
        out[n++] = (struct machine_block){ .id = d->id, .removable = cd, .locked = cd && atapi_cd_locked(d),
                                           .tray_open = cd && atapi_cd_tray_open(d), .blk = ata_blk(d) };
    }
    for (unsigned i = 0; i < MACHINE_FLOPPIES && n < max; i++)
        if (m->cfg.floppy[i].present) {
            struct blk *b = i82077_blk(m->fdc, i);
            out[n++] = (struct machine_block){ .id = floppy_ids[i], .removable = true, .tray_open = !b, .blk = b };
        }
    return n;
}

enum host_status machine_change_medium(struct machine *m, const char *drive, struct blk *blk, bool force, struct error *e)
{
    enum host_status st = error_set(e, HOST_MISSING, "there is no drive '%s'", drive);
    for (unsigned i = 0; i < MACHINE_FLOPPIES; i++)
        if (m->cfg.floppy[i].present && strcmp(drive, floppy_ids[i]) == 0) {
            st = i82077_change(m->fdc, i, blk);
            if (st != HOST_OK) error_set(e, st, "%s: larger than any floppy disk", blk->path);
        }
    for (unsigned i = 0; i < MACHINE_IDE; i++) {
        struct device *d = m->ide_drive[i];
        if (!d || strcmp(drive, d->id) != 0) continue;
        if (!m->cfg.ide[i].cdrom) {
            st = error_set(e, HOST_REFUSED, "Device '%s' is not removable", drive);
        } else {
            st = atapi_cd_change(d, blk, force);
            if (st == HOST_BUSY)
                error_set(e, st, "Device '%s' is locked and force was not specified, wait for tray to open and try again", drive);
        }
    }
    if (st != HOST_OK) blk_close(blk);
    return st;
}

enum host_status machine_flush(struct machine *m, struct error *e)
{
    struct machine_block list[MACHINE_IDE + MACHINE_FLOPPIES];
    unsigned n = machine_blocks(m, list, MACHINE_IDE + MACHINE_FLOPPIES);
    enum host_status first = HOST_OK;
    for (unsigned i = 0; i < n; i++) {
        struct error why = { "" };
        struct blk *b = list[i].blk;
        enum host_status st = b ? blk_flush(b, &why) : HOST_OK;
        if (st == HOST_OK || first != HOST_OK) continue;
        first = st;
        if (e) *e = why;
    }
    return first;
}
