/* Intel 8042 keyboard controller as programmed for the PC/AT and PS/2 (IBM PS/2 Hardware Interface Technical
 * Reference, "Keyboard and auxiliary device controller").
 *
 * It stands between the guest and two serial connectors. One byte at a time travels: while the output buffer is
 * full, or a port is disabled, the controller holds that port's clock low and the device keeps its bytes. A byte
 * needs about 0.7 ms on the cable (11 bits at 15.7 kHz), which is what `receive` waits for. A byte that the host writes
 * lies in the input buffer until the controller's program has seen to it: `process`. Real ones take anything from five
 * to a hundred microseconds; a host that does not wait for the input buffer hurries the program along instead of losing
 * the byte.
 *
 * Its oddest behaviour is what else ended up in it for want of other pins: the A20 gate and the reset line of the
 * CPU hang on its output port, and a command that pulses that port is how an AT is rebooted. The second oddity is
 * the translation, which turns the keyboard's scan code set 2 into the set 1 that software of the PC knows, byte by
 * byte: F0h vanishes and sets bit 7 of the byte after it.
 *
 * The third is a lock: with a password set and enabled, what is typed goes no further than the controller until it
 * matches. Scan codes are compared in set 1, without break codes. */
#include "devices/i8042.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BYTE_TIME VTIME_US(700)
#define PROGRAM_TIME VTIME_US(10)

enum { KBD, AUX, PORTS, NO_PORT = PORTS };

enum {                                            /* status register, 64h read */
    STATUS_OBF = 0x01, STATUS_IBF = 0x02, STATUS_SYSTEM = 0x04, STATUS_COMMAND = 0x08, STATUS_UNLOCKED = 0x10,
    STATUS_AUX_OBF = 0x20, STATUS_TIMEOUT = 0x40, STATUS_HIGH = 0xf0,
};
enum {                                            /* command byte: byte 0 of the controller's RAM */
    CTR_KBD_INT = 0x01, CTR_AUX_INT = 0x02, CTR_SYSTEM = 0x04, CTR_KBD_OFF = 0x10, CTR_AUX_OFF = 0x20,
    CTR_TRANSLATE = 0x40,
};
enum {                                            /* commands, 64h write */
    CMD_READ_RAM = 0x20, CMD_READ_RAM_LAST = 0x3f, CMD_WRITE_RAM = 0x60, CMD_WRITE_RAM_LAST = 0x7f,
    CMD_TEST_PASSWORD = 0xa4, CMD_LOAD_PASSWORD = 0xa5, CMD_ENABLE_PASSWORD = 0xa6,
    CMD_AUX_OFF = 0xa7, CMD_AUX_ON = 0xa8, CMD_AUX_TEST = 0xa9, CMD_SELF_TEST = 0xaa,
    CMD_KBD_TEST = 0xab, CMD_KBD_OFF = 0xad, CMD_KBD_ON = 0xae, CMD_READ_INPUT = 0xc0, CMD_POLL_LOW = 0xc1,
    CMD_POLL_HIGH = 0xc2, CMD_READ_OUTPUT = 0xd0,
    CMD_WRITE_OUTPUT = 0xd1, CMD_WRITE_KBD_BUFFER = 0xd2, CMD_WRITE_AUX_BUFFER = 0xd3, CMD_WRITE_AUX = 0xd4,
    CMD_A20_OFF = 0xdd, CMD_A20_ON = 0xdf, CMD_READ_TEST = 0xe0, CMD_PULSE = 0xf0,
};
enum {                                            /* output port */
    OUT_RUN = 0x01 /* low: CPU reset */, OUT_A20 = 0x02, OUT_IRQ_KBD = 0x10, OUT_IRQ_AUX = 0x20, OUT_HIGH = 0xcf,
};
enum { INPUT_PORT = 0xb3 /* not locked, colour display, no manufacturing jumper, both data lines high */ };
enum { SELF_TEST_PASSED = 0x55, INTERFACE_OK = 0x00, PASSWORD = 0xfa, NO_PASSWORD = 0xf1, RESEND = 0xfe,
       BREAK_PREFIX = 0xf0, BREAK = 0x80 };
enum {                                            /* controller RAM that the password commands use */
    RAM_SECURITY_ON = 0x13, RAM_SECURITY_OFF = 0x14, RAM_DISCARD_1 = 0x16, RAM_DISCARD_2 = 0x17,
};
enum { PASSWORD_MAX = 8 /* the null byte at its end included */ };

/* PS/2 Technical Reference, "Keyboard scan code set 2 to set 1 translation": the controller's own table. From 80h on
 * all codes but the two listed pass unchanged. */
static const uint8_t translation[128] = {
    /*       0     1     2     3     4     5     6     7     8     9     a     b     c     d     e     f */
    /* 0 */ 0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    /* 1 */ 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    /* 2 */ 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    /* 3 */ 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    /* 4 */ 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    /* 5 */ 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    /* 6 */ 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    /* 7 */ 0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

static uint8_t translated(uint8_t code)
{
    switch (code) {
    case 0x83: return 0x41;                       /* F7 */
    case 0x84: return 0x54;                       /* SysRq */
    default: return code < 128 ? translation[code] : code;
    }
}

struct i8042 {
    struct device dev;
    struct irq_line irq_kbd, irq_aux, a20, init;
    struct ps2_port port[PORTS];
    struct timer receive;                         /* a byte is on the cable */
    struct timer process;                         /* the program is at the input buffer's byte */
    uint8_t ram[32];                              /* byte 0 is the command byte */
    uint8_t output;                               /* output buffer */
    uint8_t output_port;
    uint8_t expects;                              /* command that waits for its data byte, 0: none */
    uint8_t receiving;                            /* port whose byte is on the cable, or NO_PORT */
    uint8_t reply;                                /* the controller's own answer, while the buffer is full */
    bool reply_waits, reply_aux;
    bool obf, aux_obf;                            /* buffer full; with a byte from the auxiliary port */
    bool last_was_command;
    bool timeout;
    bool breaking;                                /* translation swallowed an F0h */
    uint8_t input;                                /* input buffer, full while `process` is armed */
    uint8_t polling;                              /* C1h or C2h while the input port shows in the status register */
    uint8_t password[PASSWORD_MAX];               /* make codes of set 1, the rest 0 */
    uint8_t password_at;                          /* loading: next byte; locked: next key to match */
    bool locked;
    uint8_t unused[8];
};

static const struct state_field i8042_fields[] = {
    FIELD_WIRING(struct i8042, dev),
    FIELD(struct i8042, irq_kbd, "IRQ1"),
    FIELD(struct i8042, irq_aux, "IRQ12"),
    FIELD(struct i8042, a20, "A20 gate"),
    FIELD(struct i8042, init, "CPU reset pulse"),
    FIELD_WIRING(struct i8042, port),
    FIELD(struct i8042, receive, "byte on the cable"),
    FIELD(struct i8042, process, "input buffer being seen to"),
    FIELD_ARRAY(struct i8042, ram, "controller RAM; byte 0 is the command byte"),
    FIELD(struct i8042, output, "output buffer"),
    FIELD(struct i8042, output_port, "output port"),
    FIELD(struct i8042, expects, "command waiting for its data"),
    FIELD_RANGE(struct i8042, receiving, KBD, NO_PORT, "port being received"),
    FIELD(struct i8042, reply, "answer waiting for the buffer"),
    FIELD(struct i8042, reply_waits, "there is one"),
    FIELD(struct i8042, reply_aux, "it goes to the auxiliary buffer"),
    FIELD(struct i8042, obf, "output buffer full"),
    FIELD(struct i8042, aux_obf, "with a byte of the auxiliary device"),
    FIELD(struct i8042, last_was_command, "last write was to 64h"),
    FIELD(struct i8042, timeout, "a device did not answer"),
    FIELD(struct i8042, breaking, "translation has seen F0h"),
    FIELD(struct i8042, input, "input buffer"),
    FIELD(struct i8042, polling, "command that polls the input port"),
    FIELD_ARRAY(struct i8042, password, "password in scan code set 1"),
    FIELD_RANGE(struct i8042, password_at, 0, PASSWORD_MAX - 1, "its byte to load or to match next"),
    FIELD(struct i8042, locked, "keys are compared with the password"),
    FIELD_WIRING(struct i8042, unused),
};
static const struct state_desc i8042_state = STATE_DESC(struct i8042, "i8042", i8042_fields);

/* ---- output buffer ---- */

static void update_irqs(struct i8042 *k)
{
    irq_set(&k->irq_kbd, k->obf && !k->aux_obf && k->ram[0] & CTR_KBD_INT);
    irq_set(&k->irq_aux, k->obf && k->aux_obf && k->ram[0] & CTR_AUX_INT);
}

static void fill(struct i8042 *k, uint8_t byte, bool aux)
{
    k->output = byte;
    k->obf = true;
    k->aux_obf = aux;
    trace(k->dev.board->log, i8042_byte, (uint64_t)byte, (uint64_t)aux);
    update_irqs(k);
}

static bool can_receive(const struct i8042 *k, unsigned n)
{
    const struct ps2_port *p = &k->port[n];
    return !(k->ram[0] & (n == KBD ? CTR_KBD_OFF : CTR_AUX_OFF)) && p->pending && p->pending(p->dev);
}

/* The buffer is free or a port has woken: the next byte may come. The keyboard is asked first. */
static void proceed(struct i8042 *k)
{
    if (k->obf) return;
    if (k->reply_waits) {
        k->reply_waits = false;
        fill(k, k->reply, k->reply_aux);
        return;
    }
    if (k->receiving != NO_PORT) return;
    k->receiving = can_receive(k, KBD) ? KBD : can_receive(k, AUX) ? AUX : NO_PORT;
    if (k->receiving != NO_PORT) timer_arm(&k->receive, k->dev.board->clock->now + BYTE_TIME);
}

/* A key's code while the lock is on. Technical Reference, "Enable password": codes in RAM 16h and 17h (the shift keys)
 * are passed over, any other that does not match starts the comparison anew, and the match is told by RAM 14h. */
static void compare_password(struct i8042 *k, uint8_t code)
{
    if (code & BREAK || code == k->ram[RAM_DISCARD_1] || code == k->ram[RAM_DISCARD_2]) return;
    if (code != k->password[k->password_at]) k->password_at = 0;
    if (code == k->password[k->password_at]) k->password_at++;
    if (k->password_at < PASSWORD_MAX - 1 && k->password[k->password_at]) return;
    if (!k->password_at) return;
    k->locked = false;
    k->password_at = 0;
    if (k->ram[RAM_SECURITY_OFF]) fill(k, k->ram[RAM_SECURITY_OFF], false);
}

/* From the keyboard. */
static void received_code(struct i8042 *k, uint8_t byte)
{
    if (!(k->ram[0] & CTR_TRANSLATE) && !k->locked) {
        fill(k, byte, false);
    } else if (byte == BREAK_PREFIX) {
        k->breaking = true;
    } else {
        uint8_t code = (uint8_t)(translated(byte) | (k->breaking ? BREAK : 0));
        k->breaking = false;
        if (k->locked) compare_password(k, code);
        else fill(k, code, false);
    }
}

/* A byte has come through. If the buffer was filled or the port switched off meanwhile, the device was stopped in
 * the middle and sends it again later. */
static void received(void *opaque, vtime due)
{
    struct i8042 *k = opaque;
    unsigned n = k->receiving;
    uint8_t byte;
    (void)due;
    k->receiving = NO_PORT;
    if (n != NO_PORT && !k->obf && can_receive(k, n) && k->port[n].take(k->port[n].dev, &byte)) {
        k->timeout = false;
        if (n == AUX) fill(k, byte, true);
        else received_code(k, byte);
    }
    proceed(k);
}

static void device_ready(void *host, unsigned n)
{
    (void)n;
    proceed(host);
}

/* The controller's own answer. It does not overwrite a byte that has not been read. */
static void answer(struct i8042 *k, uint8_t byte, bool aux)
{
    k->reply = byte;
    k->reply_aux = aux;
    k->reply_waits = true;
    proceed(k);
}

/* ---- what hangs on the output port ---- */

static void reset_cpu(struct i8042 *k)
{
    irq_pulse(&k->init);
}

static void set_output_port(struct i8042 *k, uint8_t v)
{
    k->output_port = v;
    irq_set(&k->a20, v & OUT_A20);
    if (!(v & OUT_RUN)) reset_cpu(k);
}

static uint8_t read_output_port(const struct i8042 *k)
{
    uint8_t v = k->output_port & (uint8_t)~(OUT_IRQ_KBD | OUT_IRQ_AUX);
    if (k->obf) v |= k->aux_obf ? OUT_IRQ_AUX : OUT_IRQ_KBD;
    return v;
}

/* F0h-FFh: each of bits 0-3 that is 0 pulls the output port's bit low for 6 us. FEh is the AT's way to reboot. */
static void pulse_output_port(struct i8042 *k, uint8_t command)
{
    if (!(command & OUT_A20) && k->output_port & OUT_A20) {
        irq_set(&k->a20, false);
        irq_set(&k->a20, true);
    }
    if (!(command & OUT_RUN)) reset_cpu(k);
}

/* ---- commands ---- */

/* To a device; nobody there is a timeout (Technical Reference: status bit 6, and FEh in the buffer). */
static void send(struct i8042 *k, unsigned n, uint8_t byte)
{
    struct ps2_port *p = &k->port[n];
    k->ram[0] &= (uint8_t)~(n == KBD ? CTR_KBD_OFF : CTR_AUX_OFF);
    k->timeout = !p->command;
    if (p->command) p->command(p->dev, byte);
    else answer(k, RESEND, n == AUX);
    proceed(k);
}

static void set_ctr(struct i8042 *k, uint8_t v)
{
    k->ram[0] = v;
    if (!(v & CTR_TRANSLATE)) k->breaking = false;
    update_irqs(k);
    proceed(k);
}

static void run_command(struct i8042 *k, uint8_t c)
{
    k->expects = 0;
    if (c >= CMD_READ_RAM && c <= CMD_READ_RAM_LAST) {
        answer(k, k->ram[c & 31], false);
        return;
    }
    if (c >= CMD_WRITE_RAM && c <= CMD_WRITE_RAM_LAST) {
        k->expects = c;
        return;
    }
    if (c >= CMD_PULSE) {
        pulse_output_port(k, c);
        return;
    }
    switch (c) {
    case CMD_WRITE_OUTPUT:
    case CMD_WRITE_KBD_BUFFER:
    case CMD_WRITE_AUX_BUFFER:
    case CMD_WRITE_AUX:
        k->expects = c;
        break;
    case CMD_TEST_PASSWORD:
        answer(k, k->password[0] ? PASSWORD : NO_PASSWORD, false);
        break;
    case CMD_LOAD_PASSWORD:                       /* its bytes follow, up to a null byte */
        k->expects = c;
        k->locked = false;
        k->password_at = 0;
        memset(k->password, 0, sizeof k->password);
        break;
    case CMD_ENABLE_PASSWORD:                     /* without one there is nothing to enable */
        if (!k->password[0]) break;
        k->locked = true;
        k->password_at = 0;
        if (k->ram[RAM_SECURITY_ON]) answer(k, k->ram[RAM_SECURITY_ON], false);
        break;
    case CMD_AUX_OFF:
        set_ctr(k, k->ram[0] | CTR_AUX_OFF);
        break;
    case CMD_AUX_ON:
        set_ctr(k, k->ram[0] & (uint8_t)~CTR_AUX_OFF);
        break;
    case CMD_KBD_OFF:
        set_ctr(k, k->ram[0] | CTR_KBD_OFF);
        break;
    case CMD_KBD_ON:
        set_ctr(k, k->ram[0] & (uint8_t)~CTR_KBD_OFF);
        break;
    case CMD_SELF_TEST:                           /* passing sets the system flag; other bits stay (unverified) */
        k->ram[0] |= CTR_SYSTEM;
        answer(k, SELF_TEST_PASSED, false);
        break;
    case CMD_AUX_TEST:
    case CMD_KBD_TEST:
        answer(k, INTERFACE_OK, false);
        break;
    case CMD_READ_INPUT:
        answer(k, INPUT_PORT, false);
        break;
    case CMD_POLL_LOW:
    case CMD_POLL_HIGH:
        k->polling = c;
        break;
    case CMD_READ_OUTPUT:
        answer(k, read_output_port(k), false);
        break;
    case CMD_READ_TEST:                           /* T0 and T1: the clock lines, low while held */
        answer(k, (uint8_t)((k->ram[0] & CTR_KBD_OFF ? 0 : 1) | (k->ram[0] & CTR_AUX_OFF ? 0 : 2)), false);
        break;
    case CMD_A20_OFF:
        set_output_port(k, k->output_port & (uint8_t)~OUT_A20);
        break;
    case CMD_A20_ON:
        set_output_port(k, k->output_port | OUT_A20);
        break;
    default:
        log_unimp(k->dev.board->log, k->dev.id, c, "command %02xh", c);
        break;
    }
}

static void load_password(struct i8042 *k, uint8_t v)
{
    if (k->password_at < PASSWORD_MAX - 1) k->password[k->password_at++] = v;
    if (v) k->expects = CMD_LOAD_PASSWORD;
    else k->password_at = 0;
}

static void run_data(struct i8042 *k, uint8_t v)
{
    uint8_t c = k->expects;
    k->expects = 0;
    trace(k->dev.board->log, i8042_data, (uint64_t)v, (uint64_t)c);
    if (c >= CMD_WRITE_RAM && c <= CMD_WRITE_RAM_LAST) {
        if (c == CMD_WRITE_RAM) set_ctr(k, v);
        else k->ram[c & 31] = v;
        return;
    }
    switch (c) {
    case CMD_WRITE_OUTPUT:
        set_output_port(k, v);
        break;
    case CMD_WRITE_KBD_BUFFER:
    case CMD_WRITE_AUX_BUFFER:
        answer(k, v, c == CMD_WRITE_AUX_BUFFER);
        break;
    case CMD_WRITE_AUX:
        send(k, AUX, v);
        break;
    case CMD_LOAD_PASSWORD:
        load_password(k, v);
        break;
    default:
        send(k, KBD, v);
        break;
    }
}

/* The program takes the byte out of the input buffer. Whatever it is ends a poll of the input port. */
static void process(void *opaque, vtime due)
{
    struct i8042 *k = opaque;
    (void)due;
    k->polling = 0;
    if (k->last_was_command) run_command(k, k->input);
    else run_data(k, k->input);
}

static void write_input(struct i8042 *k, uint8_t v, bool command)
{
    if (timer_armed(&k->process)) {
        timer_disarm(&k->process);
        process(k, k->dev.board->clock->now);
    }
    k->input = v;
    k->last_was_command = command;
    timer_arm(&k->process, k->dev.board->clock->now + PROGRAM_TIME);
}

/* ---- ports ---- */

/* Reading empties the buffer and lets the next byte come; an empty buffer reads as it last was. */
static uint64_t data_read(void *dev, uint64_t off, unsigned size)
{
    struct i8042 *k = dev;
    uint8_t v = k->output;
    (void)off;
    (void)size;
    if (k->obf) {
        k->obf = false;
        update_irqs(k);
        proceed(k);
    }
    return v;
}

static void data_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8042 *k = dev;
    (void)off;
    (void)size;
    write_input(k, (uint8_t)val, false);
}

static uint64_t status_read(void *dev, uint64_t off, unsigned size)
{
    const struct i8042 *k = dev;
    uint8_t v = STATUS_UNLOCKED;
    (void)off;
    (void)size;
    if (k->obf) v |= k->aux_obf ? STATUS_OBF | STATUS_AUX_OBF : STATUS_OBF;
    if (k->ram[0] & CTR_SYSTEM) v |= STATUS_SYSTEM;
    if (k->last_was_command) v |= STATUS_COMMAND;
    if (k->timeout) v |= STATUS_TIMEOUT;
    if (timer_armed(&k->process)) v |= STATUS_IBF;
    if (!k->polling) return v;
    return (v & (uint8_t)~STATUS_HIGH) | (k->polling == CMD_POLL_LOW ? INPUT_PORT << 4 & STATUS_HIGH : INPUT_PORT & STATUS_HIGH);
}

static void command_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8042 *k = dev;
    (void)off;
    (void)size;
    trace(k->dev.board->log, i8042_command, (uint64_t)(uint8_t)val);
    write_input(k, (uint8_t)val, true);
}

static const struct io_ops data_ops = { data_read, data_write, 1, 1 };
static const struct io_ops command_ops = { status_read, command_write, 1, 1 };

/* ---- class and create ---- */

/* After reset both ports are held and no interrupt is enabled until firmware writes the command byte; A20 is open. */
static void i8042_reset(struct device *d, enum reset_kind kind)
{
    struct i8042 *k = (struct i8042 *)d;
    (void)kind;
    for (unsigned i = 0; i < sizeof k->ram; i++) k->ram[i] = 0;
    k->ram[0] = CTR_KBD_OFF | CTR_AUX_OFF;
    k->output = k->expects = k->reply = 0;
    k->reply_waits = k->reply_aux = k->obf = k->aux_obf = k->last_was_command = k->timeout = k->breaking = false;
    k->input = k->polling = k->password_at = 0;
    k->locked = false;
    memset(k->password, 0, sizeof k->password);
    k->receiving = NO_PORT;
    timer_disarm(&k->receive);
    timer_disarm(&k->process);
    k->output_port = OUT_HIGH;
    irq_set(&k->a20, true);
    irq_set(&k->init, false);
    update_irqs(k);
}

static void i8042_destroy(struct device *d)
{
    struct i8042 *k = (struct i8042 *)d;
    timer_fini(&k->receive);
    timer_fini(&k->process);
    free(k);
}

static const struct device_class i8042_class = {
    .name = "i8042", .title = "8042 keyboard controller", .reset = i8042_reset, .destroy = i8042_destroy,
    .state = &i8042_state,
};

struct device *i8042_create(struct board *b, const char *id, const struct i8042_pins *pins)
{
    struct i8042 *k = calloc(1, sizeof *k);
    if (!k) abort();
    device_init(&k->dev, &i8042_class, b, id);
    k->irq_kbd = pins->irq_kbd;
    k->irq_aux = pins->irq_aux;
    k->a20 = pins->a20;
    k->init = pins->init;
    for (unsigned n = 0; n < PORTS; n++) k->port[n] = (struct ps2_port){ .ready = device_ready, .host = k, .n = n };
    timer_init(&k->receive, b->clock, "i8042 receive", received, k);
    timer_init(&k->process, b->clock, "i8042 process", process, k);
    device_claim_ports(&k->dev, pins->data, 1, &data_ops);
    device_claim_ports(&k->dev, pins->command, 1, &command_ops);
    i8042_reset(&k->dev, RESET_POWER_ON);
    return &k->dev;
}

struct ps2_port *i8042_port(struct device *d, unsigned n)
{
    assert(n < PORTS);
    return &((struct i8042 *)d)->port[n];
}
