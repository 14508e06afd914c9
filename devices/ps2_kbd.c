/* PS/2 keyboard: IBM Enhanced Keyboard, 101/102 keys (IBM PS/2 Hardware Interface Technical Reference, "Keyboards").
 *
 * Keys come in by position; scan codes of the set that the host chose go out. Its oddest behaviour is a lie told for
 * the sake of old programs: the grey Insert, Home, arrows and so on share their codes with the number pad, so with
 * Num Lock on, or a shift key held, the keyboard wraps them in presses and releases of shift that never happened (E0
 * 12, E0 F0 12), to make the pad's meaning come out right whatever the program does. Print Screen and Pause are
 * histories of their own: see make_codes.
 *
 * Sixteen bytes fit into its buffer. A sequence that does not fit is lost and marked by one overrun code. Answers to
 * commands are kept apart and go first.
 *
 * GAP: the self-test takes 10 ms where a real one takes 300 to 500, so that firmware does not spend its boot in
 * waiting. */
#include "devices/ps2_kbd.h"

#include <stdlib.h>
#include <string.h>

#include "base/fifo.h"

#define BAT_TIME VTIME_MS(10)
static const struct clk typematic_unit = { 240, 1 };      /* 4.17 ms, of which all rates are multiples */

enum {                                            /* commands */
    CMD_LEDS = 0xed, CMD_ECHO = 0xee, CMD_SCAN_SET = 0xf0, CMD_IDENTIFY = 0xf2, CMD_TYPEMATIC = 0xf3, CMD_ENABLE = 0xf4,
    CMD_DISABLE = 0xf5, CMD_DEFAULTS = 0xf6, CMD_ALL_TYPEMATIC = 0xf7, CMD_ALL_MAKE_BREAK = 0xf8, CMD_ALL_MAKE = 0xf9,
    CMD_ALL_TYPEMATIC_MAKE_BREAK = 0xfa, CMD_KEY_TYPEMATIC = 0xfb, CMD_KEY_MAKE_BREAK = 0xfc, CMD_KEY_MAKE = 0xfd,
    CMD_RESEND = 0xfe, CMD_RESET = 0xff,
};
enum { REPLY_BAT_OK = 0xaa, REPLY_ACK = 0xfa, REPLY_RESEND = 0xfe, ID_FIRST = 0xab, ID_SECOND = 0x83 };
enum { LED_NUM = 0x02, TYPEMATIC_DEFAULT = 0x2b /* 500 ms, then 10.9 a second */ };
enum { KEY_REPEATS = 1, KEY_BREAKS = 2 };         /* what a key does in set 3 */
enum { BUFFER = 16, OVERRUN_SET_1 = 0xff, OVERRUN = 0x00 };
enum { NO_KEY = 0xffff };

enum { M = 0, T = KEY_REPEATS, B = KEY_BREAKS };
struct key_row { uint16_t set1, set2; uint8_t set3, kind; };
#define KEY(name, qcode, one, two, three, kind) [KEY_##name] = { one, two, three, kind },
static const struct key_row rows[KEY_COUNT] = {
#include "base/key.def"
};
#undef KEY

struct ps2_kbd {
    struct device dev;
    struct ps2_port *port;
    uint16_t repeat_key;                          /* number (see `down`) of the key that repeats, or NO_KEY */
    uint8_t scan_set;
    uint8_t leds;
    uint8_t typematic;
    uint8_t expects;                              /* command that waits for its argument, 0: none */
    uint8_t last_sent;
    bool scanning;
    struct timer repeat, bat;
    struct fifo replies, keys;
    uint8_t down[64];                             /* a bit for each key: set 2 code, + 256 if prefixed */
    uint8_t kind[256];                            /* set 3: KEY_REPEATS | KEY_BREAKS, by set 3 code */
    bool overrun;
    uint8_t unused[7];
};

static const struct state_field ps2_kbd_fields[] = {
    FIELD_WIRING(struct ps2_kbd, dev),
    FIELD_WIRING(struct ps2_kbd, port),
    FIELD(struct ps2_kbd, repeat_key, "key that repeats"),
    FIELD_RANGE(struct ps2_kbd, scan_set, 1, 3, "scan code set"),
    FIELD_RANGE(struct ps2_kbd, leds, 0, 7, "lamps: scroll, num, caps"),
    FIELD_RANGE(struct ps2_kbd, typematic, 0, 0x7f, "typematic delay and rate"),
    FIELD(struct ps2_kbd, expects, "command waiting for its argument"),
    FIELD(struct ps2_kbd, last_sent, "byte to resend"),
    FIELD(struct ps2_kbd, scanning, "keys are reported"),
    FIELD(struct ps2_kbd, repeat, "next typematic repeat"),
    FIELD(struct ps2_kbd, bat, "end of self-test"),
    FIELD_STRUCT(struct ps2_kbd, replies, &fifo_state, "answers to send"),
    FIELD_STRUCT(struct ps2_kbd, keys, &fifo_state, "scan codes to send"),
    FIELD_ARRAY(struct ps2_kbd, down, "keys held, a bit each"),
    FIELD_ARRAY_RANGE(struct ps2_kbd, kind, 0, 3, "set 3 behaviour by code"),
    FIELD(struct ps2_kbd, overrun, "buffer overran"),
    FIELD_WIRING(struct ps2_kbd, unused),
};
static const struct state_desc ps2_kbd_state = STATE_DESC(struct ps2_kbd, "ps2_kbd", ps2_kbd_fields);

/* ---- sending ---- */

static void reply(struct ps2_kbd *k, uint8_t byte)
{
    fifo_push(&k->replies, byte);
}

/* A sequence of scan codes in the making: goes out whole or not at all. */
struct sequence { uint8_t byte[24]; unsigned len; };

static void add(struct sequence *s, uint8_t byte)
{
    s->byte[s->len++] = byte;
}

/* One code of set 1 or 2 with its prefix, as make or break. */
static void add_code(const struct ps2_kbd *k, struct sequence *s, uint16_t set1, uint16_t set2, bool release)
{
    uint16_t code = k->scan_set == 1 ? set1 : set2;
    if (code >> 8) add(s, (uint8_t)(code >> 8));
    if (release && k->scan_set == 2) add(s, 0xf0);
    add(s, (uint8_t)(code | (release && k->scan_set == 1 ? 0x80 : 0)));
}

static void queue(struct ps2_kbd *k, const struct sequence *s)
{
    if (s->len == 0) return;
    if (k->keys.len + s->len <= BUFFER) {
        for (unsigned i = 0; i < s->len; i++) fifo_push(&k->keys, s->byte[i]);
    } else if (!k->overrun) {
        k->overrun = true;
        fifo_push(&k->keys, k->scan_set == 1 ? OVERRUN_SET_1 : OVERRUN);
    }
    ps2_ready(k->port);
}

static bool kbd_pending(void *dev)
{
    const struct ps2_kbd *k = dev;
    return !fifo_empty(&k->replies) || !fifo_empty(&k->keys);
}

static bool kbd_take(void *dev, uint8_t *byte)
{
    struct ps2_kbd *k = dev;
    if (!kbd_pending(k)) return false;
    if (!fifo_empty(&k->replies)) {
        *byte = fifo_pop(&k->replies);
    } else {
        *byte = fifo_pop(&k->keys);
        k->overrun = k->overrun && !fifo_empty(&k->keys);
    }
    k->last_sent = *byte;
    return true;
}

static void clear_keys(struct ps2_kbd *k)
{
    fifo_clear(&k->keys);
    k->overrun = false;
    k->repeat_key = NO_KEY;
    timer_disarm(&k->repeat);
}

/* ---- keys ---- */

static unsigned number_of(enum key key)
{
    return (rows[key].set2 & 0xffu) | (rows[key].set2 > 0xff ? 0x100 : 0);
}

static bool is_down(const struct ps2_kbd *k, enum key key)
{
    unsigned n = number_of(key);
    return k->down[n / 8] >> n % 8 & 1;
}

static bool any_down(const struct ps2_kbd *k, enum key a, enum key b)
{
    return is_down(k, a) || is_down(k, b);
}

/* The ten grey keys that the enhanced keyboard doubled from the number pad. */
static bool is_grey(enum key key)
{
    switch (key) {
    case KEY_INSERT: case KEY_HOME: case KEY_PGUP: case KEY_DELETE: case KEY_END: case KEY_PGDN:
    case KEY_UP: case KEY_DOWN: case KEY_LEFT: case KEY_RIGHT:
        return true;
    default:
        return false;
    }
}

/* Pretends that the shift keys which are held were let go (release) or pressed again. */
static void add_real_shifts(const struct ps2_kbd *k, struct sequence *s, bool release)
{
    if (is_down(k, KEY_SHIFT)) add_code(k, s, 0xe02a, 0xe012, release);
    if (is_down(k, KEY_SHIFT_R)) add_code(k, s, 0xe036, 0xe059, release);
}

/* What surrounds a grey key or the pad's divide, before the make (press) or after the break. */
static void add_fake_shifts(const struct ps2_kbd *k, struct sequence *s, enum key key, bool press)
{
    bool shifted = any_down(k, KEY_SHIFT, KEY_SHIFT_R), num = k->leds & LED_NUM;
    if (!is_grey(key) && key != KEY_KP_DIVIDE) return;
    if (shifted && !(num && is_grey(key))) add_real_shifts(k, s, press);
    else if (num && !shifted && is_grey(key)) add_code(k, s, 0xe02a, 0xe012, !press);
}

/* Print Screen: with Alt it is SysRq, alone it comes as Shift + the pad's asterisk. */
static void print_codes(const struct ps2_kbd *k, struct sequence *s, bool down, bool repeated)
{
    if (any_down(k, KEY_ALT, KEY_ALT_R)) {
        add_code(k, s, rows[KEY_SYSRQ].set1, rows[KEY_SYSRQ].set2, !down);
        return;
    }
    bool bare = any_down(k, KEY_CTRL, KEY_CTRL_R) || any_down(k, KEY_SHIFT, KEY_SHIFT_R) || repeated;
    if (down && !bare) add_code(k, s, 0xe02a, 0xe012, false);
    add_code(k, s, rows[KEY_PRINT].set1, rows[KEY_PRINT].set2, !down);
    if (!down && !bare) add_code(k, s, 0xe02a, 0xe012, true);
}

/* Pause: make and break in one when pressed, nothing when let go. It comes as Ctrl + Num Lock behind E1, and with
 * Ctrl held as the Break that Ctrl + Scroll Lock once was. */
static void pause_codes(const struct ps2_kbd *k, struct sequence *s)
{
    if (any_down(k, KEY_CTRL, KEY_CTRL_R)) {
        add_code(k, s, 0xe046, 0xe07e, false);
        add_code(k, s, 0xe046, 0xe07e, true);
        return;
    }
    for (unsigned release = 0; release < 2; release++) {
        add(s, 0xe1);
        add_code(k, s, 0x1d, 0x14, release);
        add_code(k, s, 0x45, 0x77, release);
    }
}

static void set3_codes(const struct ps2_kbd *k, struct sequence *s, enum key key, bool down)
{
    uint8_t code = rows[key].set3;
    if (code == 0 || (!down && !(k->kind[code] & KEY_BREAKS))) return;
    if (!down) add(s, 0xf0);
    add(s, code);
}

static void send_key(struct ps2_kbd *k, enum key key, bool down, bool repeated)
{
    struct sequence s = { .len = 0 };
    if (k->scan_set == 3) {
        set3_codes(k, &s, key, down);
    } else if (key == KEY_PAUSE) {
        if (down) pause_codes(k, &s);
    } else if (key == KEY_PRINT) {
        print_codes(k, &s, down, repeated);
    } else {
        if (down && !repeated) add_fake_shifts(k, &s, key, true);
        add_code(k, &s, rows[key].set1, rows[key].set2, !down);
        if (!down) add_fake_shifts(k, &s, key, false);
    }
    queue(k, &s);
}

static bool repeats(const struct ps2_kbd *k, enum key key)
{
    if (k->scan_set == 3) return k->kind[rows[key].set3] & KEY_REPEATS;
    return key != KEY_PAUSE;
}

/* Technical Reference, F3h: delay = (1 + bits 6-5) * 250 ms, period = (8 + bits 2-0) * 2^(bits 4-3) * 4.17 ms. */
static vtime typematic_delay(const struct ps2_kbd *k)
{
    return VTIME_MS(250) * (1u + (k->typematic >> 5 & 3));
}

static vtime typematic_period(const struct ps2_kbd *k)
{
    return clk_time_of(typematic_unit, (8ull + (k->typematic & 7)) << (k->typematic >> 3 & 3));
}

static void repeat_due(void *opaque, vtime due)
{
    struct ps2_kbd *k = opaque;
    for (unsigned key = KEY_NONE + 1; key < KEY_COUNT; key++) {
        if (number_of((enum key)key) != k->repeat_key) continue;
        send_key(k, (enum key)key, true, true);
        timer_arm(&k->repeat, due + typematic_period(k));
        return;
    }
}

void ps2_kbd_key(struct device *d, enum key key, bool down)
{
    struct ps2_kbd *k = (struct ps2_kbd *)d;
    if (key <= KEY_NONE || key >= KEY_COUNT || is_down(k, key) == down) return;
    unsigned n = number_of(key);
    trace(k->dev.board->log, ps2_kbd_key, (uint64_t)key, (uint64_t)down);
    bool talking = k->scanning && !timer_armed(&k->bat);
    k->down[n / 8] = (uint8_t)(k->down[n / 8] ^ 1u << n % 8);
    if (talking) send_key(k, key, down, false);
    if (down && talking && repeats(k, key)) {
        k->repeat_key = (uint16_t)n;
        timer_arm(&k->repeat, k->dev.board->clock->now + typematic_delay(k));
    } else if (down || k->repeat_key == n) {       /* only the last key pressed repeats */
        k->repeat_key = NO_KEY;
        timer_disarm(&k->repeat);
    }
}

uint8_t ps2_kbd_leds(struct device *d)
{
    return ((struct ps2_kbd *)d)->leds;
}

/* ---- commands ---- */

static void set_all_kinds(struct ps2_kbd *k, uint8_t kind)
{
    memset(k->kind, kind, sizeof k->kind);
}

static void set_defaults(struct ps2_kbd *k)
{
    k->typematic = TYPEMATIC_DEFAULT;
    set_all_kinds(k, 0);
    for (unsigned key = KEY_NONE + 1; key < KEY_COUNT; key++) k->kind[rows[key].set3] |= rows[key].kind;
    k->kind[0] = 0;
    clear_keys(k);
}

static void start_bat(struct ps2_kbd *k)
{
    set_defaults(k);
    fifo_clear(&k->replies);
    k->scan_set = 2;
    k->leds = 0;
    k->expects = 0;
    k->scanning = true;
    timer_arm(&k->bat, k->dev.board->clock->now + BAT_TIME);
}

static void bat_done(void *opaque, vtime due)
{
    struct ps2_kbd *k = opaque;
    (void)due;
    reply(k, REPLY_BAT_OK);
    ps2_ready(k->port);
}

/* The argument of a command. */
static void run_argument(struct ps2_kbd *k, uint8_t command, uint8_t v)
{
    switch (command) {
    case CMD_LEDS:
        k->leds = v & 7;
        reply(k, REPLY_ACK);
        break;
    case CMD_TYPEMATIC:
        k->typematic = v & 0x7f;
        reply(k, REPLY_ACK);
        break;
    case CMD_SCAN_SET:
        if (v > 3) {
            k->expects = command;
            reply(k, REPLY_RESEND);
            break;
        }
        reply(k, REPLY_ACK);
        if (v == 0) {
            reply(k, k->scan_set);
        } else {
            k->scan_set = v;
            clear_keys(k);
        }
        break;
    default:                                       /* FBh-FDh: a list of set 3 codes that any command ends */
        k->kind[v] = command == CMD_KEY_TYPEMATIC ? KEY_REPEATS : command == CMD_KEY_MAKE_BREAK ? KEY_BREAKS : 0;
        k->expects = command;
        reply(k, REPLY_ACK);
        break;
    }
}

static void run_command(struct ps2_kbd *k, uint8_t v)
{
    switch (v) {
    case CMD_LEDS:
    case CMD_SCAN_SET:
    case CMD_TYPEMATIC:
    case CMD_KEY_TYPEMATIC:
    case CMD_KEY_MAKE_BREAK:
    case CMD_KEY_MAKE:
        k->expects = v;
        break;
    case CMD_ECHO:
        reply(k, CMD_ECHO);
        return;
    case CMD_IDENTIFY:
        reply(k, REPLY_ACK);
        reply(k, ID_FIRST);
        reply(k, ID_SECOND);
        return;
    case CMD_ENABLE:
        clear_keys(k);
        k->scanning = true;
        break;
    case CMD_DISABLE:
        set_defaults(k);
        k->scanning = false;
        break;
    case CMD_DEFAULTS:
        set_defaults(k);
        break;
    case CMD_ALL_TYPEMATIC:
        set_all_kinds(k, KEY_REPEATS);
        break;
    case CMD_ALL_MAKE_BREAK:
        set_all_kinds(k, KEY_BREAKS);
        break;
    case CMD_ALL_MAKE:
        set_all_kinds(k, 0);
        break;
    case CMD_ALL_TYPEMATIC_MAKE_BREAK:
        set_all_kinds(k, KEY_REPEATS | KEY_BREAKS);
        break;
    case CMD_RESEND:
        reply(k, k->last_sent);
        return;
    case CMD_RESET:
        start_bat(k);
        break;
    default:
        reply(k, REPLY_RESEND);
        return;
    }
    reply(k, REPLY_ACK);
}

/* A byte from the host. A command that comes where an argument is due takes its place. */
static void kbd_command(void *dev, uint8_t byte)
{
    struct ps2_kbd *k = dev;
    uint8_t command = k->expects;
    k->expects = 0;
    trace(k->dev.board->log, ps2_kbd_command, (uint64_t)byte);
    if (command && byte < CMD_LEDS) run_argument(k, command, byte);
    else run_command(k, byte);
    ps2_ready(k->port);
}

/* ---- class and create ---- */

/* No reset line runs through the cable: only power starts it anew, with a self-test. */
static void ps2_kbd_reset(struct device *d, enum reset_kind kind)
{
    struct ps2_kbd *k = (struct ps2_kbd *)d;
    if (kind != RESET_POWER_ON) return;
    memset(k->down, 0, sizeof k->down);
    k->last_sent = 0;
    start_bat(k);
}

static void ps2_kbd_destroy(struct device *d)
{
    struct ps2_kbd *k = (struct ps2_kbd *)d;
    timer_fini(&k->repeat);
    timer_fini(&k->bat);
    free(k);
}

static const struct device_class ps2_kbd_class = {
    .name = "ps2_kbd", .title = "PS/2 keyboard", .reset = ps2_kbd_reset, .destroy = ps2_kbd_destroy,
    .state = &ps2_kbd_state,
};

struct device *ps2_kbd_create(struct board *b, const char *id, const struct ps2_kbd_pins *pins)
{
    struct ps2_kbd *k = calloc(1, sizeof *k);
    if (!k) abort();
    device_init(&k->dev, &ps2_kbd_class, b, id);
    k->port = pins->port;
    k->port->dev = k;
    k->port->take = kbd_take;
    k->port->pending = kbd_pending;
    k->port->command = kbd_command;
    fifo_init(&k->replies, 8);
    fifo_init(&k->keys, BUFFER + 1);
    timer_init(&k->repeat, b->clock, "ps2_kbd repeat", repeat_due, k);
    timer_init(&k->bat, b->clock, "ps2_kbd self-test", bat_done, k);
    ps2_kbd_reset(&k->dev, RESET_POWER_ON);
    return &k->dev;
}
