/* Random guests: whatever they write, nothing crashes, and every picture has a sane size and can be drawn. */
#include "tests/chip/vga_rig.h"

static struct surface surface;

static void look(struct device *vga)
{
    struct vga_picture p;
    vga_picture(vga, &p);
    ck_assert(p.width >= 1 && p.width <= 4608 && p.height >= 1 && p.height <= 2400);
    ck_assert(p.aspect_w > 0 && p.aspect_h > 0);
    ck_assert(surface_resize(&surface, p.width, p.height));
    vga_render(vga, &surface);
    unsigned col, row, cols, rows;
    uint8_t chars[4096];
    vga_text_cursor(vga, &col, &row);
    vga_text_page(vga, chars, sizeof chars, &cols, &rows);
}

/* Random ports alone hardly ever reach a mode that shows something: start from a mode, bend registers, draw. */
START_TEST(bent_modes_can_always_be_drawn)
{
    uint64_t seed = 77;
    struct vga_rig *r = vga_rig_new();
    for (unsigned i = 0; i < 400; i++) {
        uint64_t n = random64(&seed);
        if (i % 10 == 0) {
            vga_rig_set_mode(r, n % MODES);
            out_indexed(r, 0x3d4, 0x11, (uint8_t)(n >> 8 & 0x7f));
        }
        switch (n >> 16 & 7) {
        case 0: out_indexed(r, 0x3c4, n >> 20 & 7, (uint8_t)(n >> 24 | 3)); break;
        case 1: out_indexed(r, 0x3ce, n >> 20 & 15, (uint8_t)(n >> 24)); break;
        case 2: out_ac(r, n >> 20 & 31, (uint8_t)(n >> 24)); break;
        case 3:
            out_dispi(r, n >> 20 & 15, (uint16_t)(n >> 24));
            out_dispi(r, 4, n >> 40 & 7 ? 0 : 1);
            break;
        case 4: outb(r, 0x3c2, (uint8_t)(n >> 24)); break;
        default: out_indexed(r, 0x3d4, (uint8_t)((n >> 20) % 25), (uint8_t)(n >> 24 | ((n >> 20) % 25 == 0x17 ? 0x80 : 0))); break;
        }
        for (unsigned j = 0; j < 50; j++) {
            uint64_t a = random64(&seed);
            phys_store(&r->rig.mem, 0xa0000 + a % 0x1fff8, random64(&seed), 1u << (a >> 32 & 3), false);
            phys_load(&r->rig.mem, 0xa0000 + (a >> 24) % 0x1fff8, 1u << (a >> 34 & 3), false);
        }
        look(r->vga);
        vga_rig_sleep(r, VTIME_US(n >> 48));
    }
    vga_rig_free(r);
}
END_TEST

/* A saved state is as hostile as a guest: any value that the reader lets through must do no harm. */
START_TEST(damaged_states_can_be_drawn)
{
    uint64_t seed = 99;
    for (unsigned i = 0; i < 60; i++) {
        struct vga_rig *r = vga_rig_new();
        vga_rig_set_mode(r, random64(&seed) % MODES);
        struct state_buf b = { 0 };
        state_write(r->vga->class->state, r->vga, &b);
        for (unsigned j = 0; j < 8; j++) b.data[random64(&seed) % b.len] ^= (uint8_t)(1 + random64(&seed) % 255);
        struct error e;
        size_t used;
        if (state_read(r->vga->class->state, r->vga, b.data, b.len, &used, &e) == HOST_OK) {
            r->vga->class->loaded(r->vga);
            for (unsigned j = 0; j < 200; j++) {
                outb(r, (uint16_t)(0x3b0 + random64(&seed) % 48), (uint8_t)random64(&seed));
                inb(r, (uint16_t)(0x3b0 + random64(&seed) % 48));
                poke8(r, 0xa0000 + random64(&seed) % 0x20000, 1);
            }
            look(r->vga);
            vga_rig_sleep(r, VTIME_MS(20));
        }
        state_buf_fini(&b);
        vga_rig_free(r);
    }
}
END_TEST

static struct device *make(struct rig *rig)
{
    struct pci_bus *pci;
    struct device *d = vga_rig_adapter(rig, &pci);
    pci_config_write(pci, VGA_RIG_DEVFN, PCI_BAR0, (uint32_t)VGA_RIG_LFB, 4);
    pci_config_write(pci, VGA_RIG_DEVFN, PCI_BAR0 + 8, (uint32_t)VGA_RIG_MMIO, 4);
    pci_config_write(pci, VGA_RIG_DEVFN, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, 2);
    return d;
}

static void poke(struct rig *rig, struct device *d, uint64_t random)
{
    (void)rig;
    if (random % 50 == 0) look(d);
}

START_TEST(random_ports_and_memory_do_no_harm)
{
    static const struct rig_window windows[] = {
        { 0x3b0, 48, false }, { 0x1ce, 4, false }, { 0xcf8, 8, false }, { 0xa0000, 0x20000, true },
        { (uint32_t)VGA_RIG_MMIO, 0x1000, true }, { (uint32_t)VGA_RIG_LFB, 0x100000, true },
    };
    rig_fuzz_seeds(make, windows, sizeof windows / sizeof windows[0], poke);
}
END_TEST

static void teardown(void) { surface_fini(&surface); }

int main(void)
{
    return rig_run("vga fuzz", NULL, teardown, RIG_TESTS(&bent_modes_can_always_be_drawn, &damaged_states_can_be_drawn,
                                                         &random_ports_and_memory_do_no_harm));
}
