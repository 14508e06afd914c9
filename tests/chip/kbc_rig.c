/* A keyboard controller and what hangs on it, as the guest drives them: it waits for the input buffer to be empty before
 * it writes again. */
#include "tests/chip/kbc_rig.h"

struct device *kbc_make(struct rig *r)
{
    struct device *c = i8042_create(&r->board, "kbc", &(struct i8042_pins){
        .data = 0x60, .command = 0x64, .irq_kbd = rig_probe(r, IRQ1), .irq_aux = rig_probe(r, IRQ12),
        .a20 = rig_probe(r, A20), .init = rig_probe(r, INIT) });
    ps2_kbd_create(&r->board, "kbd", &(struct ps2_kbd_pins){ .port = i8042_port(c, 0) });
    ps2_mouse_create(&r->board, "mouse", &(struct ps2_mouse_pins){ .port = i8042_port(c, 1) });
    return c;
}

struct device *kbc_setup(struct rig *r)
{
    struct device *c = kbc_make(r);
    kbc_write(r, 0x64, 0x60);
    kbc_write(r, 0x60, 0x47);
    kbc_all(r);
    return c;
}

void kbc_write(struct rig *r, uint16_t port, uint8_t v)
{
    rig_out8(r, port, v);
    ck_assert_uint_eq(rig_in8(r, 0x64) & 2, 2);
    rig_step_ns(r, 10000);
}

int kbc_next(struct rig *r)
{
    for (unsigned i = 0; i < 200 && !(rig_in8(r, 0x64) & 1); i++) rig_step_ns(r, 100000);
    uint8_t status = rig_in8(r, 0x64);
    if (!(status & 1)) return -1;
    return (status & 0x20 ? 0x100 : 0) | rig_in8(r, 0x60);
}

const char *kbc_all(struct rig *r)
{
    static char text[512];
    size_t len = 0;
    text[0] = 0;
    for (int v; (v = kbc_next(r)) >= 0 && len < sizeof text - 8;)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s%02x", len ? " " : "", v & 0x100 ? "m" : "",
                                v & 0xff);
    return text;
}

const char *kbc_to_mouse(struct rig *r, uint8_t v)
{
    kbc_write(r, 0x64, 0xd4);
    kbc_write(r, 0x60, v);
    return kbc_all(r);
}
