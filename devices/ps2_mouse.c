/* PS/2 mouse (IBM PS/2 Hardware Interface Technical Reference, "Mouse") that can become a Microsoft IntelliMouse
 * with a wheel or an IntelliMouse Explorer with five buttons.
 *
 * Its oddest behaviour is how it changes: there is no command for it. A host that sets the sample rate to 200, 100,
 * 80 in a row gets identity 3 and packets of four bytes from then on; 200, 200, 80 after that gives identity 4.
 * Drivers for the plain mouse never do that. `knock` remembers the last rates.
 *
 * Movement is summed until the next packet may leave: one a sample period, and not before the one before it is gone.
 * What does not fit into nine bits stays in the sum for the next packet, so the overflow bits are never needed. The
 * wheel's direction: towards the user is positive. A step of the host's pointer is a quarter of a millimetre, that is,
 * one count at the resolution that the mouse starts with.
 *
 * GAP: the self-test takes 10 ms where a real one takes 300 to 500. */
#include "devices/ps2_mouse.h"

#include <stdlib.h>
#include <string.h>

#include "base/fifo.h"

#define BAT_TIME VTIME_MS(10)

enum {                                            /* commands */
    CMD_SCALE_1_1 = 0xe6, CMD_SCALE_2_1 = 0xe7, CMD_RESOLUTION = 0xe8, CMD_STATUS = 0xe9, CMD_STREAM = 0xea,
    CMD_READ_DATA = 0xeb, CMD_UNWRAP = 0xec, CMD_WRAP = 0xee, CMD_REMOTE = 0xf0, CMD_IDENTIFY = 0xf2, CMD_RATE = 0xf3,
    CMD_ENABLE = 0xf4, CMD_DISABLE = 0xf5, CMD_DEFAULTS = 0xf6, CMD_RESEND = 0xfe, CMD_RESET = 0xff,
};
enum { REPLY_BAT_OK = 0xaa, REPLY_ACK = 0xfa, REPLY_ERROR = 0xfc, REPLY_RESEND = 0xfe };
enum { ID_PLAIN = 0, ID_WHEEL = 3, ID_EXPLORER = 4 };
enum { BUTTON_LEFT = 1, BUTTON_RIGHT = 2, BUTTON_MIDDLE = 4, BUTTONS_PLAIN = 7, BUTTONS_ALL = 31 };
enum {                                            /* first byte of a packet */
    PACKET_ALWAYS = 0x08, PACKET_X_SIGN = 0x10, PACKET_Y_SIGN = 0x20,
};
enum {                                            /* first byte of the status report */
    STATUS_RIGHT = 0x01, STATUS_MIDDLE = 0x02, STATUS_LEFT = 0x04, STATUS_SCALE_2_1 = 0x10, STATUS_ENABLED = 0x20,
    STATUS_REMOTE = 0x40,
};
enum { RATE_DEFAULT = 100, RESOLUTION_DEFAULT = 2, MOVE_MAX = 255, QUARTERS = 4, SUM_MAX = 1 << 20, WHEEL_MAX = 7 };

struct ps2_mouse {
    struct device dev;
    struct ps2_port *port;
    int32_t dx, dy;                               /* quarters of a count since the last packet; dy upwards */
    struct timer sample, bat;
    struct fifo out;
    int32_t dz;                                   /* wheel, towards the user */
    uint8_t buttons, buttons_sent;
    uint8_t knock[2];                             /* the last two sample rates set */
    uint8_t last[8];                              /* what resend sends */
    uint8_t last_len;
    uint8_t id;
    uint8_t rate, resolution;
    uint8_t expects;                              /* command that waits for its argument, 0: none */
    bool scale_2_1, enabled, remote, wrap, failed;
    uint8_t unused[2];
};

static const struct state_field ps2_mouse_fields[] = {
    FIELD_WIRING(struct ps2_mouse, dev),
    FIELD_WIRING(struct ps2_mouse, port),
    FIELD(struct ps2_mouse, dx, "quarter counts moved right"),
    FIELD(struct ps2_mouse, dy, "quarter counts moved up"),
    FIELD(struct ps2_mouse, sample, "end of the sample period"),
    FIELD(struct ps2_mouse, bat, "end of self-test"),
    FIELD_STRUCT(struct ps2_mouse, out, &fifo_state, "bytes to send"),
    FIELD(struct ps2_mouse, dz, "wheel towards the user"),
    FIELD_RANGE(struct ps2_mouse, buttons, 0, BUTTONS_ALL, "buttons held"),
    FIELD(struct ps2_mouse, buttons_sent, "buttons as last reported"),
    FIELD_ARRAY(struct ps2_mouse, knock, "last sample rates set"),
    FIELD_ARRAY(struct ps2_mouse, last, "last answer or packet"),
    FIELD_RANGE(struct ps2_mouse, last_len, 0, 8, "its length"),
    FIELD_RANGE(struct ps2_mouse, id, 0, ID_EXPLORER, "identity: 0 plain, 3 wheel, 4 five buttons"),
    FIELD_RANGE(struct ps2_mouse, rate, 10, 200, "samples a second"),
    FIELD_RANGE(struct ps2_mouse, resolution, 0, 3, "resolution code"),
    FIELD(struct ps2_mouse, expects, "command waiting for its argument"),
    FIELD(struct ps2_mouse, scale_2_1, "scaling 2:1"),
    FIELD(struct ps2_mouse, enabled, "data reporting"),
    FIELD(struct ps2_mouse, remote, "remote mode"),
    FIELD(struct ps2_mouse, wrap, "wrap mode"),
    FIELD(struct ps2_mouse, failed, "last command was not understood"),
    FIELD_WIRING(struct ps2_mouse, unused),
};
static const struct state_desc ps2_mouse_state = STATE_DESC(struct ps2_mouse, "ps2_mouse", ps2_mouse_fields);

/* ---- sending ---- */

/* Queues bytes that belong together and remembers them for a resend. */
static void put(struct ps2_mouse *m, const uint8_t *bytes, unsigned len)
{
    for (unsigned i = 0; i < len; i++) fifo_push(&m->out, bytes[i]);
    memset(m->last, 0, sizeof m->last);
    memcpy(m->last, bytes, len);
    m->last_len = (uint8_t)len;
}

static bool mouse_pending(void *dev)
{
    const struct ps2_mouse *m = dev;
    return !fifo_empty(&m->out);
}

static bool mouse_take(void *dev, uint8_t *byte)
{
    struct ps2_mouse *m = dev;
    if (fifo_empty(&m->out)) return false;
    *byte = fifo_pop(&m->out);
    return true;
}

/* ---- movement ---- */

static bool moved(const struct ps2_mouse *m)
{
    uint8_t seen = m->id == ID_EXPLORER ? BUTTONS_ALL : BUTTONS_PLAIN;
    return m->dx / QUARTERS || m->dy / QUARTERS || (m->id != ID_PLAIN && m->dz) || (m->buttons & seen) != (m->buttons_sent & seen);
}

static void forget_movement(struct ps2_mouse *m)
{
    m->dx = m->dy = m->dz = 0;
    m->buttons_sent = m->buttons;
}

/* Takes up to `max` whole units in either direction out of a sum of parts of them. */
static int take_some(int32_t *sum, int parts, int max)
{
    int whole = *sum / parts, v = whole > max ? max : whole < -max ? -max : whole;
    *sum -= v * parts;
    return v;
}

/* Technical Reference, scaling 2:1: 0 1 2 3 4 5 become 0 1 1 3 6 9, more is doubled. Stream mode only. */
static int scaled(const struct ps2_mouse *m, int v)
{
    static const uint8_t table[6] = { 0, 1, 1, 3, 6, 9 };
    if (!m->scale_2_1 || m->remote) return v;
    int size = v < 0 ? -v : v;
    size = size < 6 ? table[size] : 2 * size;
    return v < 0 ? -size : size;
}

/* Appends the packet of everything since the last one to p; returns its length. */
static unsigned make_packet(struct ps2_mouse *m, uint8_t *p)
{
    int max = m->scale_2_1 && !m->remote ? MOVE_MAX / 2 : MOVE_MAX;
    int x = scaled(m, take_some(&m->dx, QUARTERS, max)), y = scaled(m, take_some(&m->dy, QUARTERS, max));
    int z = take_some(&m->dz, 1, WHEEL_MAX);
    p[0] = (uint8_t)(PACKET_ALWAYS | (m->buttons & BUTTONS_PLAIN));
    if (x < 0) p[0] |= PACKET_X_SIGN;
    if (y < 0) p[0] |= PACKET_Y_SIGN;
    p[1] = (uint8_t)x;
    p[2] = (uint8_t)y;
    m->buttons_sent = m->buttons;
    switch (m->id) {
    case ID_WHEEL:
        p[3] = (uint8_t)z;
        return 4;
    case ID_EXPLORER:                              /* buttons 4 and 5 above four bits of wheel */
        p[3] = (uint8_t)((z & 0x0f) | (m->buttons >> 3 & 3) << 4);
        return 4;
    default:
        return 3;
    }
}

static bool streaming(const struct ps2_mouse *m)
{
    return m->enabled && !m->remote && !m->wrap && !timer_armed(&m->bat);
}

/* Sends a packet if there is something to tell and the sample period is over. */
static void report(struct ps2_mouse *m)
{
    if (!streaming(m) || timer_armed(&m->sample) || !moved(m)) return;
    if (fifo_empty(&m->out)) {
        uint8_t packet[4];
        unsigned len = make_packet(m, packet);
        put(m, packet, len);
        ps2_ready(m->port);
    }
    timer_arm(&m->sample, m->dev.board->clock->now + VTIME_SEC(1) / m->rate);
}

static void sample_due(void *opaque, vtime due)
{
    (void)due;
    report(opaque);
}

static void add(int32_t *sum, int v, int factor)
{
    int64_t s = *sum + (int64_t)v * factor;
    *sum = (int32_t)(s > SUM_MAX ? SUM_MAX : s < -SUM_MAX ? -SUM_MAX : s);
}

void ps2_mouse_move(struct device *d, int dx, int dy, int dz, unsigned buttons)
{
    struct ps2_mouse *m = (struct ps2_mouse *)d;
    trace(m->dev.board->log, ps2_mouse_move, (int64_t)dx, (int64_t)dy, (int64_t)dz, (uint64_t)buttons);
    m->buttons = buttons & BUTTONS_ALL;
    if (!m->enabled && !m->remote) return;         /* reporting off: movement is not even counted */
    int factor = 1 << m->resolution;               /* Technical Reference, "Set resolution": 1, 2, 4, 8 counts a millimetre */
    add(&m->dx, dx, factor);
    add(&m->dy, dy, -factor);
    add(&m->dz, dz, 1);
    report(m);
}

bool ps2_mouse_reporting(struct device *d)
{
    return streaming((struct ps2_mouse *)d);
}

/* ---- commands ---- */

static void set_defaults(struct ps2_mouse *m)
{
    m->rate = RATE_DEFAULT;
    m->resolution = RESOLUTION_DEFAULT;
    m->scale_2_1 = m->enabled = m->remote = m->wrap = false;
    timer_disarm(&m->sample);
    forget_movement(m);
}

static void start_bat(struct ps2_mouse *m)
{
    set_defaults(m);
    m->id = ID_PLAIN;
    m->knock[0] = m->knock[1] = 0;
    m->expects = 0;
    m->failed = false;
    timer_arm(&m->bat, m->dev.board->clock->now + BAT_TIME);
}

static void bat_done(void *opaque, vtime due)
{
    struct ps2_mouse *m = opaque;
    (void)due;
    put(m, (const uint8_t[]){ REPLY_BAT_OK, ID_PLAIN }, 2);
    ps2_ready(m->port);
}

static bool set_rate(struct ps2_mouse *m, uint8_t rate)
{
    switch (rate) {
    case 10: case 20: case 40: case 60: case 80: case 100: case 200: break;
    default: return false;
    }
    if (rate == 80 && m->knock[0] == 200 && m->knock[1] == 100) m->id = ID_WHEEL;
    if (rate == 80 && m->knock[0] == 200 && m->knock[1] == 200 && m->id == ID_WHEEL) m->id = ID_EXPLORER;
    m->knock[0] = m->knock[1];
    m->knock[1] = rate;
    m->rate = rate;
    return true;
}

/* Not understood: the host is asked to send it again, and told of an error if it does no better. */
static uint8_t refuse(struct ps2_mouse *m)
{
    uint8_t answer = m->failed ? REPLY_ERROR : REPLY_RESEND;
    m->failed = !m->failed;
    return answer;
}

static void run_argument(struct ps2_mouse *m, uint8_t command, uint8_t v)
{
    bool ok = command == CMD_RATE ? set_rate(m, v) : v <= 3;
    if (ok && command == CMD_RESOLUTION) m->resolution = v;
    if (ok) m->failed = false;
    else m->expects = m->failed ? 0 : command;
    uint8_t answer = ok ? REPLY_ACK : refuse(m);
    put(m, &answer, 1);
}

static void send_status(struct ps2_mouse *m)
{
    uint8_t s = 0;
    if (m->buttons & BUTTON_RIGHT) s |= STATUS_RIGHT;
    if (m->buttons & BUTTON_MIDDLE) s |= STATUS_MIDDLE;
    if (m->buttons & BUTTON_LEFT) s |= STATUS_LEFT;
    if (m->scale_2_1) s |= STATUS_SCALE_2_1;
    if (m->enabled) s |= STATUS_ENABLED;
    if (m->remote) s |= STATUS_REMOTE;
    put(m, (const uint8_t[]){ REPLY_ACK, s, m->resolution, m->rate }, 4);
}

static void run_command(struct ps2_mouse *m, uint8_t v)
{
    uint8_t answer[8] = { REPLY_ACK };
    unsigned len = 1;
    switch (v) {
    case CMD_SCALE_1_1:
    case CMD_SCALE_2_1:
        m->scale_2_1 = v == CMD_SCALE_2_1;
        break;
    case CMD_RESOLUTION:
    case CMD_RATE:
        m->expects = v;
        break;
    case CMD_STATUS:
        send_status(m);
        return;
    case CMD_STREAM:
    case CMD_REMOTE:
        m->remote = v == CMD_REMOTE;
        forget_movement(m);
        break;
    case CMD_READ_DATA:
        len += make_packet(m, answer + 1);
        break;
    case CMD_WRAP:
        m->wrap = true;
        break;
    case CMD_UNWRAP:
        m->wrap = false;
        break;
    case CMD_IDENTIFY:
        answer[len++] = m->id;
        break;
    case CMD_ENABLE:
    case CMD_DISABLE:
        m->enabled = v == CMD_ENABLE;
        forget_movement(m);
        break;
    case CMD_DEFAULTS:
        set_defaults(m);
        break;
    case CMD_RESEND:
        memcpy(answer, m->last, sizeof answer);
        len = m->last_len;
        break;
    case CMD_RESET:
        start_bat(m);
        break;
    default:
        answer[0] = refuse(m);
        put(m, answer, 1);
        return;
    }
    m->failed = false;
    put(m, answer, len);
}

/* A byte from the host ends whatever was being sent. In wrap mode all but two commands come back as they are. A command
 * that comes where an argument is due, or due again, takes its place: no argument is that large. */
static void mouse_command(void *dev, uint8_t byte)
{
    struct ps2_mouse *m = dev;
    uint8_t command = m->expects;
    trace(m->dev.board->log, ps2_mouse_command, (uint64_t)byte);
    fifo_clear(&m->out);
    m->expects = 0;
    if (m->wrap && byte != CMD_UNWRAP && byte != CMD_RESET) put(m, &byte, 1);
    else if (command && byte < CMD_SCALE_1_1) run_argument(m, command, byte);
    else run_command(m, byte);
    if (!fifo_empty(&m->out)) ps2_ready(m->port);
    report(m);
}

/* ---- class and create ---- */

/* No reset line runs through the cable: only power starts it anew. It does not announce itself then (AA 00), as a mouse plugged in
 * would: firmware that reads its two bytes as the keyboard's, as that of Bochs does, gives up. */
static void ps2_mouse_reset(struct device *d, enum reset_kind kind)
{
    struct ps2_mouse *m = (struct ps2_mouse *)d;
    if (kind != RESET_POWER_ON) return;
    fifo_clear(&m->out);
    m->buttons = 0;
    m->last_len = 0;
    memset(m->last, 0, sizeof m->last);
    start_bat(m);
    timer_disarm(&m->bat);
}

static void ps2_mouse_destroy(struct device *d)
{
    struct ps2_mouse *m = (struct ps2_mouse *)d;
    timer_fini(&m->sample);
    timer_fini(&m->bat);
    free(m);
}

static const struct device_class ps2_mouse_class = {
    .name = "ps2_mouse", .title = "PS/2 wheel mouse", .reset = ps2_mouse_reset, .destroy = ps2_mouse_destroy,
    .state = &ps2_mouse_state,
};

struct device *ps2_mouse_create(struct board *b, const char *id, const struct ps2_mouse_pins *pins)
{
    struct ps2_mouse *m = calloc(1, sizeof *m);
    if (!m) abort();
    device_init(&m->dev, &ps2_mouse_class, b, id);
    m->port = pins->port;
    m->port->dev = m;
    m->port->take = mouse_take;
    m->port->pending = mouse_pending;
    m->port->command = mouse_command;
    fifo_init(&m->out, 16);
    timer_init(&m->sample, b->clock, "ps2_mouse sample", sample_due, m);
    timer_init(&m->bat, b->clock, "ps2_mouse self-test", bat_done, m);
    ps2_mouse_reset(&m->dev, RESET_POWER_ON);
    return &m->dev;
}
