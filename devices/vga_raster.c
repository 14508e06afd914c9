/* What programs do to the picture while it is being shown: copper bars, palettes split by lines, panning that sways.
 *
 * The picture is drawn when somebody looks, long after such a frame has gone by. So every write that changes a register of
 * the picture is noted with the scan line it comes before, for the frame that is on the monitor and some before it. If the
 * last whole one was changed on its way, the renderer takes the registers back to its beginning and walks down with the
 * notes. An effect is what comes again: the same register, three frames in a row. What changes once, as in setting a mode,
 * is shown as it is afterwards, rather than half of it for a seventieth of a second.
 * A program that writes registers in the vertical retrace leaves notes for line 0 only, and is drawn from the registers
 * as they are, at no cost. So is one that moves the cursor or the start address, which the CRTC takes over once a frame.
 *
 * A frame begins here where the last line of the one before has been shown. The notes are the host's: what the guest sees
 * does not depend on them, and a saved machine has none. */
#include "devices/vga_chip.h"

#include <stdlib.h>
#include <string.h>

enum { CHANGES = 2048, FRAMES = 4 };                    /* of a frame; one that has more is drawn as it ends */

struct change { uint16_t line, at; uint8_t old, new; };       /* `at`: the register's offset in struct vga */

struct frame {
    uint64_t number;
    unsigned count;
    bool lost;                                /* there were more than fit */
    struct change change[CHANGES];
};

struct vga_raster { struct frame frame[FRAMES]; };      /* by the low bits of their number */

struct vga_raster *vga_raster_new(void)
{
    return calloc(1, sizeof(struct vga_raster));
}

void vga_raster_forget(struct vga *v)
{
    for (unsigned i = 0; i < FRAMES; i++) v->w.raster->frame[i].count = v->w.raster->frame[i].lost = 0;
}

void vga_raster_note(struct vga *v, const uint8_t *reg, uint8_t val)
{
    if (vbe_on(v) || (reg >= &v->crtc[CR_CURSOR_START] && reg <= &v->crtc[CR_CURSOR_LOW])) return;
    uint32_t line;
    uint64_t number = vga_beam(v, &line);
    struct frame *f = &v->w.raster->frame[number % FRAMES];
    if (f->number != number) {
        f->number = number;
        f->count = f->lost = 0;
    }
    if (f->count == CHANGES) {
        f->lost = true;
        return;
    }
    f->change[f->count++] = (struct change){ .line = (uint16_t)(line > UINT16_MAX ? UINT16_MAX : line),
                                             .at = (uint16_t)(reg - (const uint8_t *)v), .old = *reg, .new = val };
}

static void undo(struct vga *then, const struct frame *f)
{
    for (unsigned i = f->count; i-- > 0;) ((uint8_t *)then)[f->change[i].at] = f->change[i].old;
}

/* Drops from `same`, a flag a byte of struct vga, what did not change on the way through that frame; false if nothing is
 * left. */
static bool keep_common(const struct vga *v, uint64_t number, uint8_t same[sizeof(struct vga)])
{
    const struct frame *f = &v->w.raster->frame[number % FRAMES];
    uint8_t here[sizeof(struct vga)] = { 0 };
    bool any = false;
    if (f->number != number || f->lost) return false;
    for (unsigned i = 0; i < f->count; i++) {
        const struct change *c = &f->change[i];
        if (c->line == 0 || c->line >= v->timing.vdisplay || !same[c->at]) continue;
        here[c->at] = 1;
        any = true;
    }
    memcpy(same, here, sizeof here);
    return any;
}

bool vga_raster_rewind(struct vga *v, struct vga *then)
{
    uint32_t line;
    uint64_t number = vga_beam(v, &line);
    const struct frame *now = &v->w.raster->frame[number % FRAMES], *last = &v->w.raster->frame[(number - 1) % FRAMES];
    uint8_t same[sizeof(struct vga)];
    if (number < FRAMES || last->count == 0 || (now->number == number && now->lost)) return false;
    memset(same, 1, sizeof same);
    for (unsigned i = 1; i < FRAMES; i++)
        if (!keep_common(v, number - i, same)) return false;
    memcpy(then, v, sizeof *then);
    if (now->number == number) undo(then, now);
    undo(then, last);
    return true;
}

bool vga_raster_replay(struct vga *v, struct vga *then, unsigned *next, unsigned line)
{
    uint32_t beam;
    const struct frame *last = &v->w.raster->frame[(vga_beam(v, &beam) - 1) % FRAMES];
    unsigned first = *next;
    for (; *next < last->count && last->change[*next].line <= line; ++*next)
        ((uint8_t *)then)[last->change[*next].at] = last->change[*next].new;
    return *next != first;
}
