/* The 82077AA floppy disk controller with two drives. Machine's thread only. */
#ifndef DEVICES_I82077_H
#define DEVICES_I82077_H

#include "devices/device.h"
#include "host/block.h"

struct isa_dma;

enum { I82077_DRIVES = 2 };

struct i82077_pins {
    uint16_t base;                              /* 3F0h: claims base..base+5 and base+7 */
    struct irq_line irq;                        /* IRQ6 */
    struct isa_dma *dma;
    unsigned dma_channel;                       /* 2 */
    bool lenient;                               /* 500 kbit/s and implied seeks at first: a BIOS made for emulators sets neither */
    bool ps2;                                   /* IDENT strapped low: PS/2 mode, status registers A and B answer */
    struct { bool present; struct blk *blk; } drive[I82077_DRIVES];   /* blk NULL: empty. Owned from here on */
};
/* Whether an image of so many bytes can be a floppy (ask before create). A size that is no format's counts as a cut-off
 * 1.44M disk, or 2.88M if it is larger. */
bool i82077_medium_fits(uint64_t bytes);
struct device *i82077_create(struct board *b, const char *id, const struct i82077_pins *pins);

/* What CMOS register 10h says of a drive: 0 none, 1 360K, 2 1.2M, 3 720K, 4 1.44M, 5 2.88M. Chosen at create by the
 * medium in it (1.44M when empty). */
unsigned i82077_drive_type(struct device *fdc, unsigned drive);
/* Puts in another disk, or takes it out (NULL); the change line tells the guest. The old one is closed. HOST_BAD_FORMAT
 * (blk stays the caller's) if it is larger than any floppy. */
enum host_status i82077_change(struct device *fdc, unsigned drive, struct blk *blk);
struct blk *i82077_blk(struct device *fdc, unsigned drive);

#endif
