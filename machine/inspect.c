/* Read-only views of a machine, for the monitor, QMP and the debugger. None changes the state hash. */
#include <inttypes.h>
#include <string.h>
#include "devices/pci.h"
#include "devices/ps2_kbd.h"
#include "devices/ps2_mouse.h"
#include "devices/vga.h"
#include "machine/pc.h"

const struct surface *machine_display(struct machine *m)
{
    struct vga_picture p;
    if (!m->vga) return NULL;
    vga_picture(m->vga, &p);
    if (!surface_resize(&m->display, p.width, p.height)) return NULL;
    vga_render(m->vga, &m->display);
    return &m->display;
}

bool machine_text_cursor(struct machine *m, unsigned *col, unsigned *row)
{
    return m->vga && vga_text_cursor(m->vga, col, row);
}

uint64_t machine_phys_read(struct machine *m, uint64_t addr, void *buf, uint64_t len)
{
    return phys_peek(&m->mem, addr, buf, len);
}

uint64_t machine_virt_read(struct machine *m, uint64_t linear, void *buf, uint64_t len)
{
    return cpu_peek(m->cpu, linear, buf, len);
}

bool machine_translate(struct machine *m, uint64_t linear, uint64_t *phys) { return cpu_translate(m->cpu, linear, phys); }
bool machine_register(struct machine *m, const char *name, uint64_t *value) { return cpu_register(m->cpu, name, value); }
bool machine_print_cpu(struct machine *m, const char *view, FILE *out) { return cpu_print(m->cpu, view, out); }
void machine_print_pci(struct machine *m, FILE *out) { pci_bus_print(m->pci, out); }

bool machine_print_device(struct machine *m, const char *id, FILE *out)
{
    if (!id) {
        for (struct device *d = m->board.devices; d; d = d->next)
            fprintf(out, "%-14s %-14s %s\n", d->id, d->class->name, d->class->title);
        return true;
    }
    struct device *d = board_find(&m->board, id);
    if (!d) return false;
    fprintf(out, "%s: %s, %s\n", d->id, d->class->name, d->class->title);
    state_print(d->class->state, d, out, 2);
    return true;
}

static void print_view(struct machine *m, FILE *out, bool smm, bool write)
{
    const struct phys_view *v = &m->mem.view[smm][write];
    fprintf(out, "%s%s:\n", write ? "writes" : "reads", smm ? " in SMM" : "");
    for (uint32_t i = 0; i < v->len; i++) {
        const struct phys_range *r = &v->ranges[i];
        if (!r->r) continue;
        fprintf(out, "  %010" PRIx64 "-%010" PRIx64 "  %s%s%s\n", r->start, r->end - 1, r->r->name,
                r->r->block ? " -> " : " (chip)", r->r->block ? r->r->block->name : "");
    }
}

void machine_print_map(struct machine *m, FILE *out)
{
    print_view(m, out, false, false);
    print_view(m, out, false, true);
    print_view(m, out, true, false);
    fprintf(out, "ports:\n");
    for (uint32_t i = 0; i < m->ports.len; i++) {
        const struct port_window *w = &m->ports.windows[i];
        fprintf(out, "  %04x-%04x  %s\n", w->base, w->base + w->count - 1, w->name);
    }
}

uint64_t machine_disasm(struct machine *m, uint64_t addr, unsigned count, bool physical, FILE *out)
{
    unsigned mode = cpu_code_mode(m->cpu);
    while (count--) {
        uint8_t code[16];
        char text[128];
        size_t n = physical ? phys_peek(&m->mem, addr, code, sizeof code) : cpu_peek(m->cpu, addr, code, sizeof code);
        if (n == 0) {
            fprintf(out, "0x%08" PRIx64 ":  (not mapped)\n", addr);
            break;
        }
        unsigned len = cpu_disasm(code, n, mode, addr, text, sizeof text);
        fprintf(out, "0x%08" PRIx64 ":  ", addr);
        for (unsigned i = 0; i < 10; i++) i < len ? fprintf(out, "%02x", code[i]) : fprintf(out, "  ");
        fprintf(out, "  %s\n", len ? text : "(bad)");
        addr += len ? len : 1;
    }
    return addr;
}

uint64_t machine_linear_ip(struct machine *m) { return cpu_linear_ip(m->cpu); }
uint8_t machine_kbd_leds(struct machine *m) { return ps2_kbd_leds(m->kbd); }
bool machine_mouse_wanted(struct machine *m) { return ps2_mouse_reporting(m->mouse); }
