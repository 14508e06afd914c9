/* The display adapter of the board: a VGA with the Bochs VBE extension (DISPI) on PCI, id 1234:1111.
 *
 * The machine creates its memory and hands it in; the picture is drawn when somebody wants to look, from the state as it
 * is then. Only the machine's thread may call these. */
#ifndef DEVICES_VGA_H
#define DEVICES_VGA_H

#include "devices/device.h"
#include "devices/pci.h"
#include "host/surface.h"

enum { VGA_VRAM_SIZE = 16 << 20, VGA_ROM_SIZE = 64 << 10 };

struct vga_pins {
    struct pci_bus *bus;
    unsigned slot;                    /* PCI device number; the function is 0 */
    struct ram_block *vram;           /* "vram": ram_create(space, "vram", VGA_VRAM_SIZE, false, true) */
    struct ram_block *rom;            /* video BIOS behind the ROM BAR, VGA_ROM_SIZE bytes, rom = true; NULL: none */
    struct irq_line irq;              /* vertical retrace interrupt (IRQ 9 where a board wires it); may be left out */
};

/* Claims 3B4h-3DAh and 1CEh-1D1h, answers A0000h-BFFFFh, and puts BAR0 (16 MiB of video memory), BAR2 (4 KiB of registers)
 * and the ROM on the bus. */
struct device *vga_create(struct board *b, const char *id, const struct vga_pins *pins);

/* Size of the picture the adapter shows now, in dots and scan lines (modes 13h and 4: 640x400, 3: 720x400), and its shape on
 * a monitor (4:3 for what the VGA itself makes). */
struct vga_picture { unsigned width, height, aspect_w, aspect_h; };
void vga_picture(struct device *d, struct vga_picture *p);

/* Draws the picture into s, which the caller has made of vga_picture()'s size (surface_resize), and sets dirty_rows[y] to
 * 1 for each row that changed, 0 for the others, and the aspect. Where s is the surface of the last call, only what was
 * written since is drawn. Returns true if any row changed; false, with s as it was, if the size does not fit. Changes
 * nothing that the guest can see. */
bool vga_render(struct device *d, struct surface *s);

/* Column and row of the hardware cursor on the visible text page. False in graphics modes, or if it is off the page or
 * switched off. */
bool vga_text_cursor(struct device *d, unsigned *col, unsigned *row);

/* A copy of the text page: up to max characters, row by row, as bytes of code page 437. Sets the size; false in graphics
 * modes. For the monitor and tests. */
bool vga_text_page(struct device *d, uint8_t *chars, unsigned max, unsigned *cols, unsigned *rows);

#endif
