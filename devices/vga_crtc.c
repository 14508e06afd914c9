/* The beam of the VGA: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem", CRT controller registers.
 *
 * A guest sees the CRTC's counters only through input status 1 (display enable, vertical retrace), the retrace interrupt
 * and the rate at which things blink. So no timer runs: the position is computed when somebody looks, from the time since
 * the counters were last at zero (`epoch`) and the exact character clock. Programs that write timing registers see the frame
 * start anew if its shape changed, and not otherwise.
 *
 * In a VBE mode the CRTC registers say nothing about the picture (a monitor would show 60 frames a second of the mode the
 * DISPI registers name), so the frame is made up from the number of lines. */
#include "devices/vga_chip.h"

#include <string.h>

/* 25.175 MHz and 28.322 MHz; the two external inputs of the clock switch carry the first one too. */
static const uint64_t dot_clock[4] = { 25175000, 28322000, 25175000, 25175000 };

static uint32_t overflow_bits(const struct vga *v, unsigned bit8, unsigned bit9)
{
    uint8_t o = v->crtc[CR_OVERFLOW];
    return (uint32_t)(o >> bit8 & 1) << 8 | (uint32_t)(o >> bit9 & 1) << 9;
}

static struct vga_timing timing_of(const struct vga *v)
{
    struct vga_timing t;
    memset(&t, 0, sizeof t);                            /* compared as bytes */
    if (vbe_on(v)) {
        t.vdisplay = v->dispi[DISPI_YRES];
        t.vtotal = t.vdisplay + 45;                     /* the vertical blanking of 640x480 at 60 Hz */
        t.hdisplay = 80;
        t.htotal = 100;
        t.retrace_start = t.vdisplay + 10;
        t.retrace_lines = 2;
        t.clk = (struct clk){ 60ull * t.htotal * t.vtotal, 1 };
        t.running = true;
        return t;
    }
    t.htotal = v->crtc[CR_HTOTAL] + 5u;
    t.hdisplay = v->crtc[CR_HDISPLAY_END] + 1u;
    t.vtotal = (v->crtc[CR_VTOTAL] | overflow_bits(v, 0, 5)) + 2;
    t.vdisplay = (v->crtc[CR_VDISPLAY_END] | overflow_bits(v, 1, 6)) + 1;
    t.retrace_start = v->crtc[CR_VRETRACE_START] | overflow_bits(v, 2, 7);
    t.retrace_lines = (v->crtc[CR_VRETRACE_END] - t.retrace_start) & 15;
    if (t.retrace_lines == 0) t.retrace_lines = 16;     /* the comparison of four bits comes true a turn later */
    if (v->crtc[CR_MODE] & CR_MODE_HALF_LINES) {        /* the vertical counter steps every other line */
        t.vtotal *= 2;
        t.vdisplay *= 2;
        t.retrace_start *= 2;
        t.retrace_lines *= 2;
    }
    unsigned dots = v->seq[SEQ_CLOCKING] & SEQ_8_DOTS ? 8 : 9;
    if (v->seq[SEQ_CLOCKING] & SEQ_HALF_CLOCK) dots *= 2;
    t.clk = (struct clk){ dot_clock[(v->misc & MISC_CLOCK) >> 2], dots };
    t.running = (v->seq[SEQ_RESET] & SEQ_RUNNING) == SEQ_RUNNING && v->crtc[CR_MODE] & CR_MODE_RUN;
    return t;
}

void vga_timing_derive(struct vga *v)
{
    v->timing = timing_of(v);
}

void vga_timing_update(struct vga *v)
{
    struct vga_timing old = v->timing;
    struct vga_timing new = timing_of(v);
    v->timing = new;
    if (memcmp(&old, &new, sizeof old) != 0) vga_raster_forget(v);
    if (old.clk.num != new.clk.num || old.clk.den != new.clk.den || old.htotal != new.htotal || old.vtotal != new.vtotal ||
        old.running != new.running) {
        v->epoch = clock_now(v->pci.dev.board->clock);
        trace(v->pci.dev.board->log, vga_timing, (uint64_t)new.htotal, (uint64_t)new.vtotal, (uint64_t)new.hdisplay,
              (uint64_t)new.vdisplay, new.clk.num, new.clk.den);
    }
    vga_retrace_irq_update(v);
}

/* Characters since the counters started; 0 while they stand still. */
static uint64_t ticks(struct vga *v)
{
    return v->timing.running ? clk_ticks_at(v->timing.clk, clock_now(v->pci.dev.board->clock) - v->epoch) : 0;
}

uint64_t vga_beam(struct vga *v, uint32_t *line)
{
    const struct vga_timing *t = &v->timing;
    uint32_t hidden = t->vtotal > t->vdisplay ? t->vtotal - t->vdisplay : 0;
    uint64_t frame = (uint64_t)t->htotal * t->vtotal, pos = ticks(v) + (uint64_t)hidden * t->htotal;
    uint32_t at = (uint32_t)(pos % frame / t->htotal);
    *line = at < hidden ? 0 : at - hidden + 1;
    return pos / frame;
}

uint64_t vga_frame_count(struct vga *v)
{
    return ticks(v) / ((uint64_t)v->timing.htotal * v->timing.vtotal);
}

uint8_t vga_status1(struct vga *v)
{
    const struct vga_timing *t = &v->timing;
    /* Two of the eight bits that leave the attribute controller come back in bits 4 and 5 (plane enable register).
     * GAP: they are those of the border at any time; chips show the pixel under the beam. */
    static const uint8_t seen[4][2] = { { 0, 2 }, { 4, 5 }, { 1, 3 }, { 6, 7 } };
    const uint8_t *mux = seen[v->ac[AC_PLANE_ENABLE] >> 4 & 3];
    uint8_t border = v->ac[AC_OVERSCAN];
    uint8_t s = (uint8_t)((border >> mux[0] & 1) << 4 | (border >> mux[1] & 1) << 5);
    if (!t->running) return s | 0x01;

    uint64_t pos = ticks(v) % ((uint64_t)t->htotal * t->vtotal);
    uint32_t line = (uint32_t)(pos / t->htotal), column = (uint32_t)(pos % t->htotal);
    if (line >= t->vdisplay || column >= t->hdisplay) s |= 0x01;                      /* display enable, inverted */
    if (line >= t->retrace_start && line - t->retrace_start < t->retrace_lines) s |= 0x08;
    return s;
}

/* The interrupt flip-flop is set where vertical retrace starts, if bit 4 of the retrace end register lets it; bit 5 keeps
 * it from the bus. */
void vga_retrace_irq_update(struct vga *v)
{
    const struct vga_timing *t = &v->timing;
    uint8_t control = v->crtc[CR_VRETRACE_END];
    if (!(control & CR_VRETRACE_END_KEEP_IRQ)) v->retrace_pending = false;
    irq_set(&v->irq, v->retrace_pending && !(control & CR_VRETRACE_END_NO_IRQ));
    bool wanted = control & CR_VRETRACE_END_KEEP_IRQ && !(control & CR_VRETRACE_END_NO_IRQ) && !v->retrace_pending &&
                  t->running && t->retrace_start < t->vtotal;
    if (!wanted) {
        timer_disarm(&v->retrace);
        return;
    }
    uint64_t frame = (uint64_t)t->htotal * t->vtotal, now = ticks(v);
    uint64_t target = now - now % frame + (uint64_t)t->retrace_start * t->htotal;
    if (target <= now) target += frame;
    timer_arm(&v->retrace, v->epoch + clk_time_of(t->clk, target));
}

void vga_retrace_fire(void *opaque, vtime due)
{
    struct vga *v = opaque;
    (void)due;
    v->retrace_pending = true;
    irq_set(&v->irq, !(v->crtc[CR_VRETRACE_END] & CR_VRETRACE_END_NO_IRQ));
}
