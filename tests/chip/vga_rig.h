/* The bench with a display adapter on PCI (its retrace interrupt ends in probe 0), and the register values of IBM's modes. */
#ifndef TESTS_CHIP_VGA_RIG_H
#define TESTS_CHIP_VGA_RIG_H

#include "base/bytes.h"
#include "devices/vga.h"
#include "tests/chip/rig.h"
#include "tests/suite.h"

struct vga_rig {
    struct rig rig;
    struct pci_bus *pci;
    struct ram_block *vram, *rom;
    struct device *vga;
    struct surface surface;
};

struct vga_rig *vga_rig_new(void);
void vga_rig_free(struct vga_rig *r);
/* The adapter alone, on somebody's bench. */
struct device *vga_rig_adapter(struct rig *rig, struct pci_bus **pci);

enum { VGA_RIG_SLOT = 2, VGA_RIG_DEVFN = VGA_RIG_SLOT << 3 };

static inline void outb(struct vga_rig *r, uint16_t port, uint8_t val) { port_out(&r->rig.ports, port, val, 1); }
static inline uint8_t inb(struct vga_rig *r, uint16_t port) { return (uint8_t)port_in(&r->rig.ports, port, 1); }
/* Index and data by one word write, as the BIOS does. */
static inline void out_indexed(struct vga_rig *r, uint16_t port, uint8_t index, uint8_t val)
{
    port_out(&r->rig.ports, port, (uint32_t)val << 8 | index, 2);
}
static inline uint8_t in_indexed(struct vga_rig *r, uint16_t port, uint8_t index)
{
    outb(r, port, index);
    return inb(r, (uint16_t)(port + 1));
}
static inline void out_ac(struct vga_rig *r, uint8_t index, uint8_t val)      /* leaves the picture on */
{
    inb(r, 0x3da);
    inb(r, 0x3ba);
    outb(r, 0x3c0, index);
    outb(r, 0x3c0, val);
    outb(r, 0x3c0, 0x20);
}
static inline uint8_t in_ac(struct vga_rig *r, uint8_t index)
{
    inb(r, 0x3da);
    inb(r, 0x3ba);
    outb(r, 0x3c0, index | 0x20);
    uint8_t val = inb(r, 0x3c1);
    inb(r, 0x3da);
    inb(r, 0x3ba);
    return val;
}
static inline void out_dispi(struct vga_rig *r, uint16_t index, uint16_t val)
{
    port_out(&r->rig.ports, 0x1ce, index, 2);
    port_out(&r->rig.ports, 0x1cf, val, 2);
}
static inline uint16_t in_dispi(struct vga_rig *r, uint16_t index)
{
    port_out(&r->rig.ports, 0x1ce, index, 2);
    return (uint16_t)port_in(&r->rig.ports, 0x1cf, 2);
}
static inline void poke8(struct vga_rig *r, uint64_t addr, uint8_t val) { phys_store(&r->rig.mem, addr, val, 1, false); }
static inline uint8_t peek8(struct vga_rig *r, uint64_t addr) { return (uint8_t)phys_load(&r->rig.mem, addr, 1, false); }

/* Time passes, and timers fire on the way. */
void vga_rig_sleep(struct vga_rig *r, vtime span);
/* Renders into the rig's surface, made of the right size first. */
bool vga_rig_render(struct vga_rig *r);
static inline uint32_t vga_rig_pixel(const struct vga_rig *r, unsigned x, unsigned y)
{
    return r->surface.pixels[y * r->surface.stride + x];
}
void vga_rig_set_colour(struct vga_rig *r, uint8_t index, unsigned red, unsigned green, unsigned blue);
/* All 256 DAC entries at random, 6 bits each; rgb[] gets what a monitor shows. */
void vga_rig_random_dac(struct vga_rig *r, uint64_t *seed, uint32_t rgb[256]);
/* Maps BAR0 and BAR2 with memory decoding on. */
enum { VGA_RIG_LFB = 0xe0000000, VGA_RIG_MMIO = 0xf0000000 };
void vga_rig_map_bars(struct vga_rig *r);

/* IBM PS/2 Hardware Interface Technical Reference: values of all registers for a mode. */
struct vga_mode {
    const char *name;
    uint8_t misc, seq[5], crtc[25], ac[20], gc[9];
};
enum { MODE_0, MODE_0_200, MODE_0_350, MODE_3, MODE_3_200, MODE_3_350, MODE_4, MODE_6, MODE_7, MODE_D, MODE_E, MODE_F, MODE_10,
       MODE_11, MODE_12, MODE_13, MODE_X, MODE_132, MODES };
extern const struct vga_mode vga_modes[MODES];
/* Writes them in a BIOS's order and turns the picture on. */
void vga_rig_set_mode(struct vga_rig *r, unsigned mode);
/* Puts a font of 256 characters, 32 bytes each, into plane 2 at 8 KiB * slot. Leaves planes writable as in the mode. */
void vga_rig_load_font(struct vga_rig *r, const struct vga_mode *m, unsigned slot, const uint8_t *font);

#endif
