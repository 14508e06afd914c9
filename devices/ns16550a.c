/* National NS16550A UART (datasheet PC16550D) on the PC's serial card: 1.8432 MHz crystal, interrupt gated by OUT2.
 *
 * A character moves between FIFO and wire in its own time: start, data, parity and stop bits at the programmed rate.
 * `shift` is armed while the transmitter's shift register is busy. Received bytes are inputs of the machine and
 * appear when it says.
 *
 * Its oddest behaviour is the transmitter's interrupt. It is an event, not a condition: raised when the holding
 * register empties, or when it is enabled while empty, and taken back by reading IIR or by writing a character,
 * though the register is still empty. Drivers poke at that to restart a stalled transmitter, so `thre_event` is kept
 * apart from the LSR bit. With FIFOs on and only one character written since they ran empty, it comes one character
 * less the last stop bit later, so that a driver is not called for every character (`thre_delay`).
 *
 * Modem lines: a far end that is plugged in holds CTS, DSR and DCD. In loopback the four outputs feed the four
 * inputs, and the pins themselves are inactive, OUT2 included, so that no interrupt reaches the board.
 *
 * A break is told to the far end when it begins and when it ends; the characters shifted out meanwhile are lost. In
 * loopback it reaches the receiver like any character. */
#include "devices/ns16550a.h"

#include <stdlib.h>
#include <string.h>

#include "base/fifo.h"

static const struct clk crystal = { 1843200, 1 };
static const vtime hurry_time = VTIME_US(1);

enum { FIFO_SIZE = 16, DIVISOR_POWER_ON = 12 /* 9600 */ };

enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR, REGISTERS };

enum { IER_RECEIVED = 0x01, IER_THRE = 0x02, IER_LINE = 0x04, IER_MODEM = 0x08, IER_ALL = 0x0f };
enum { IIR_NONE = 0x01, IIR_MODEM = 0x00, IIR_THRE = 0x02, IIR_RECEIVED = 0x04, IIR_LINE = 0x06, IIR_TIMEOUT = 0x0c,
       IIR_FIFO = 0xc0 };
enum { FCR_ENABLE = 0x01, FCR_CLEAR_RX = 0x02, FCR_CLEAR_TX = 0x04, FCR_KEPT = 0xc9 };
enum { LCR_LENGTH = 0x03, LCR_STOP = 0x04, LCR_PARITY = 0x08, LCR_BREAK = 0x40, LCR_DLAB = 0x80 };
enum { MCR_DTR = 0x01, MCR_RTS = 0x02, MCR_OUT1 = 0x04, MCR_OUT2 = 0x08, MCR_LOOP = 0x10, MCR_ALL = 0x1f };
enum { LSR_READY = 0x01, LSR_OVERRUN = 0x02, LSR_BREAK = 0x10, LSR_ERRORS = 0x1e, LSR_THRE = 0x20, LSR_TEMT = 0x40,
       LSR_FIFO_ERROR = 0x80 };
enum { MSR_DELTAS = 0x0f, MSR_TERI = 0x04, MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80 };

struct ns16550a {
    struct device dev;
    struct chr *chr;
    uint16_t divisor;
    uint8_t ier, fcr, lcr, mcr, msr, scr;
    struct timer shift;                           /* end of the character being sent */
    struct timer idle;                            /* receiver timeout: four character times without a byte */
    struct timer thre_delay;                      /* holds the transmitter interrupt back after a single character */
    struct irq_line irq;
    struct fifo tx, rx;
    struct fifo rx_errors;                        /* LSR bits that belong to each byte of rx */
    uint8_t lsr_errors;                           /* revealed in LSR and not read yet */
    uint8_t shifting;                             /* character in the transmitter's shift register */
    bool thre_event;
    bool timed_out;
    bool hurry;
    bool single;                                  /* the transmitter FIFO has not held two since it was empty */
    uint8_t unused[6];
};

static const struct state_field ns16550a_fields[] = {
    FIELD_WIRING(struct ns16550a, dev),
    FIELD_WIRING(struct ns16550a, chr),
    FIELD(struct ns16550a, divisor, "baud rate divisor"),
    FIELD_RANGE(struct ns16550a, ier, 0, IER_ALL, "interrupt enable"),
    FIELD(struct ns16550a, fcr, "FIFO control: trigger level, enable"),
    FIELD(struct ns16550a, lcr, "line control"),
    FIELD_RANGE(struct ns16550a, mcr, 0, MCR_ALL, "modem control"),
    FIELD(struct ns16550a, msr, "modem status"),
    FIELD(struct ns16550a, scr, "scratch"),
    FIELD(struct ns16550a, shift, "end of the character being sent"),
    FIELD(struct ns16550a, idle, "receiver timeout"),
    FIELD(struct ns16550a, thre_delay, "delay of the transmitter interrupt"),
    FIELD(struct ns16550a, irq, "interrupt behind the OUT2 gate"),
    FIELD_STRUCT(struct ns16550a, tx, &fifo_state, "to send"),
    FIELD_STRUCT(struct ns16550a, rx, &fifo_state, "received"),
    FIELD_STRUCT(struct ns16550a, rx_errors, &fifo_state, "errors of the bytes received"),
    FIELD(struct ns16550a, lsr_errors, "error bits of LSR"),
    FIELD(struct ns16550a, shifting, "character being sent"),
    FIELD(struct ns16550a, thre_event, "transmitter interrupt pending"),
    FIELD(struct ns16550a, timed_out, "receiver timeout pending"),
    FIELD_WIRING(struct ns16550a, hurry),
    FIELD(struct ns16550a, single, "one character since the FIFO was empty"),
    FIELD_WIRING(struct ns16550a, unused),
};
static const struct state_desc ns16550a_state = STATE_DESC(struct ns16550a, "ns16550a", ns16550a_fields);

static bool fifos_on(const struct ns16550a *u)
{
    return u->fcr & FCR_ENABLE;
}

static unsigned depth(const struct ns16550a *u)
{
    return fifos_on(u) ? FIFO_SIZE : 1;
}

static uint8_t data_mask(const struct ns16550a *u)
{
    return (uint8_t)(0xff >> (3 - (u->lcr & LCR_LENGTH)));
}

static vtime half_bit_times(const struct ns16550a *u, unsigned n)
{
    uint32_t divisor = u->divisor ? u->divisor : 65536;
    return clk_time_of(crystal, 8ull * divisor * n);
}

/* Time of one character. In half bits, because five data bits go with one and a half stop bits. */
static vtime character_time(const struct ns16550a *u)
{
    if (u->hurry) return hurry_time;
    unsigned length = 5 + (u->lcr & LCR_LENGTH);
    unsigned half_bits = 2 * (1 + length + (u->lcr & LCR_PARITY ? 1 : 0)) + 2;
    if (u->lcr & LCR_STOP) half_bits += length == 5 ? 1 : 2;
    return half_bit_times(u, half_bits);
}

/* ---- interrupts ---- */

static bool trigger_reached(const struct ns16550a *u)
{
    static const uint8_t levels[4] = { 1, 4, 8, 14 };
    return u->rx.len >= (fifos_on(u) ? levels[u->fcr >> 6] : 1);
}

/* Datasheet table 4: the source of highest priority. */
static uint8_t interrupt_source(const struct ns16550a *u)
{
    if (u->ier & IER_LINE && u->lsr_errors) return IIR_LINE;
    if (u->ier & IER_RECEIVED && trigger_reached(u)) return IIR_RECEIVED;
    if (u->ier & IER_RECEIVED && u->timed_out) return IIR_TIMEOUT;
    if (u->ier & IER_THRE && u->thre_event) return IIR_THRE;
    if (u->ier & IER_MODEM && u->msr & MSR_DELTAS) return IIR_MODEM;
    return IIR_NONE;
}

static void update_irq(struct ns16550a *u)
{
    bool gate = u->mcr & MCR_OUT2 && !(u->mcr & MCR_LOOP);
    irq_set(&u->irq, gate && interrupt_source(u) != IIR_NONE);
}

/* ---- receiver ---- */

/* Errors show in LSR when their byte reaches the head of the FIFO. */
static void reveal_errors(struct ns16550a *u)
{
    u->lsr_errors |= fifo_peek(&u->rx_errors) & LSR_ERRORS;
}

static void receive(struct ns16550a *u, uint8_t byte, uint8_t errors)
{
    trace(u->dev.board->log, uart_receive, u->dev.id, (uint64_t)byte, (uint64_t)errors);
    if (u->rx.len >= depth(u)) {                   /* a FIFO keeps what it has; the single register is overwritten */
        u->lsr_errors |= LSR_OVERRUN;
        if (!fifos_on(u)) {
            fifo_clear(&u->rx);
            fifo_clear(&u->rx_errors);
        }
    }
    if (u->rx.len < depth(u)) {
        fifo_push(&u->rx, byte & data_mask(u));
        fifo_push(&u->rx_errors, errors);
        if (u->rx.len == 1) reveal_errors(u);
    }
    u->timed_out = false;
    if (fifos_on(u)) timer_arm(&u->idle, u->dev.board->clock->now + 4 * character_time(u));
    update_irq(u);
}

static void idle_due(void *opaque, vtime due)
{
    struct ns16550a *u = opaque;
    (void)due;
    u->timed_out = fifos_on(u) && !fifo_empty(&u->rx);
    update_irq(u);
}

static uint8_t read_data(struct ns16550a *u)
{
    uint8_t v = fifo_pop(&u->rx);
    fifo_pop(&u->rx_errors);
    if (!fifo_empty(&u->rx)) reveal_errors(u);
    u->timed_out = false;
    if (fifos_on(u) && !fifo_empty(&u->rx)) timer_arm(&u->idle, u->dev.board->clock->now + 4 * character_time(u));
    else timer_disarm(&u->idle);
    update_irq(u);
    return v;
}

static void clear_rx(struct ns16550a *u)
{
    fifo_clear(&u->rx);
    fifo_clear(&u->rx_errors);
    u->timed_out = false;
    timer_disarm(&u->idle);
}

/* ---- the far end ---- */

static size_t chr_room(void *dev)
{
    const struct ns16550a *u = dev;
    return u->mcr & MCR_LOOP || u->rx.len >= depth(u) ? 0 : depth(u) - u->rx.len;
}

static void chr_received(void *dev, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) receive(dev, data[i], 0);
}

static void chr_event(void *dev, int what)
{
    struct ns16550a *u = dev;
    if (what == CHR_BREAK && !(u->mcr & MCR_LOOP)) receive(u, 0, LSR_BREAK);
}

/* ---- transmitter ---- */

/* Datasheet, "FIFO interrupt mode operation": the indication is delayed one character time minus the last stop bit if
 * there have not been two bytes in the FIFO at one time since it was empty. */
static void holding_register_empty(struct ns16550a *u)
{
    if (fifos_on(u) && u->single && !u->hurry)
        timer_arm(&u->thre_delay, u->dev.board->clock->now + character_time(u) - half_bit_times(u, 2));
    else
        u->thre_event = true;
    u->single = true;
}

static void thre_delay_due(void *opaque, vtime due)
{
    struct ns16550a *u = opaque;
    (void)due;
    u->thre_event = true;
    update_irq(u);
}

/* The next character moves into the shift register. */
static void start_shifting(struct ns16550a *u)
{
    if (timer_armed(&u->shift) || fifo_empty(&u->tx)) return;
    u->shifting = fifo_pop(&u->tx);
    timer_arm(&u->shift, u->dev.board->clock->now + character_time(u));
    if (fifo_empty(&u->tx)) holding_register_empty(u);
}

static void shift_due(void *opaque, vtime due)
{
    struct ns16550a *u = opaque;
    uint8_t byte = u->shifting & data_mask(u);
    (void)due;
    trace(u->dev.board->log, uart_send, u->dev.id, (uint64_t)byte);
    if (u->lcr & LCR_BREAK) byte = 0;               /* drowned in the break */
    else if (u->mcr & MCR_LOOP) receive(u, byte, 0);
    else chr_send(u->chr, &byte, 1);
    start_shifting(u);
    update_irq(u);
}

/* A full FIFO takes no more; the single register is overwritten. */
static void write_data(struct ns16550a *u, uint8_t v)
{
    if (!fifos_on(u)) fifo_clear(&u->tx);
    if (u->tx.len < depth(u)) fifo_push(&u->tx, v);
    if (u->tx.len > 1) u->single = false;
    u->thre_event = false;
    timer_disarm(&u->thre_delay);
    start_shifting(u);
    update_irq(u);
}

/* The line is held low from now on, or let go. The receiver sees a break once, as one character of zeros. */
static void set_break(struct ns16550a *u, bool on)
{
    if (u->mcr & MCR_LOOP) {
        if (on) receive(u, 0, LSR_BREAK);
    } else {
        chr_signal(u->chr, on ? CHR_BREAK : CHR_BREAK_END);
    }
}

/* ---- registers ---- */

static uint8_t modem_inputs(const struct ns16550a *u)
{
    if (!(u->mcr & MCR_LOOP)) return u->chr ? MSR_CTS | MSR_DSR | MSR_DCD : 0;
    return (uint8_t)((u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0)
                     | (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

/* Changed inputs set their delta bits; RI only when it goes away. */
static void update_modem(struct ns16550a *u)
{
    uint8_t now = modem_inputs(u), before = u->msr & (uint8_t)~MSR_DELTAS;
    uint8_t deltas = (uint8_t)((now ^ before) >> 4);
    if (now & MSR_RI) deltas &= (uint8_t)~MSR_TERI;
    u->msr = (uint8_t)(now | (u->msr & MSR_DELTAS) | deltas);
}

static uint8_t read_iir(struct ns16550a *u)
{
    uint8_t source = interrupt_source(u);
    if (source == IIR_THRE) {                      /* reading it takes the event back */
        u->thre_event = false;
        update_irq(u);
    }
    return (uint8_t)(source | (fifos_on(u) ? IIR_FIFO : 0));
}

static uint8_t read_lsr(struct ns16550a *u)
{
    uint8_t v = u->lsr_errors;
    if (!fifo_empty(&u->rx)) v |= LSR_READY;
    if (fifo_empty(&u->tx)) v |= timer_armed(&u->shift) ? LSR_THRE : LSR_THRE | LSR_TEMT;
    if (fifos_on(u))
        for (unsigned i = 0; i < u->rx_errors.len; i++)
            if (u->rx_errors.data[i]) v |= LSR_FIFO_ERROR;
    u->lsr_errors = 0;
    u->rx_errors.data[0] = 0;                      /* the head's errors have been told */
    update_irq(u);
    return v;
}

static void write_fcr(struct ns16550a *u, uint8_t v)
{
    bool switched = (v ^ u->fcr) & FCR_ENABLE;
    if (switched || (v & FCR_ENABLE && v & FCR_CLEAR_RX)) clear_rx(u);
    if (switched || (v & FCR_ENABLE && v & FCR_CLEAR_TX)) {
        if (!fifo_empty(&u->tx)) u->thre_event = true;
        fifo_clear(&u->tx);
        timer_disarm(&u->thre_delay);
        u->single = true;
    }
    u->fcr = v & FCR_ENABLE ? v & FCR_KEPT : 0;    /* the other bits are only taken together with bit 0 */
    update_irq(u);
}

static void write_ier(struct ns16550a *u, uint8_t v)
{
    bool enabled = v & IER_THRE && !(u->ier & IER_THRE);
    u->ier = v & IER_ALL;
    if (enabled && fifo_empty(&u->tx)) u->thre_event = true;
    update_irq(u);
}

static void trace_config(struct ns16550a *u)
{
    trace(u->dev.board->log, uart_config, u->dev.id, (uint64_t)u->divisor, (uint64_t)u->lcr, (uint64_t)u->mcr, (uint64_t)u->fcr);
}

static uint64_t ns16550a_read(void *dev, uint64_t off, unsigned size)
{
    struct ns16550a *u = dev;
    (void)size;
    switch (off) {
    case REG_DATA:                                 /* a read takes the byte out */
        return u->lcr & LCR_DLAB ? u->divisor & 0xff : read_data(u);
    case REG_IER:
        return u->lcr & LCR_DLAB ? u->divisor >> 8 : u->ier;
    case REG_IIR_FCR:
        return read_iir(u);
    case REG_LCR:
        return u->lcr;
    case REG_MCR:
        return u->mcr;
    case REG_LSR:                                  /* a read clears the error bits */
        return read_lsr(u);
    case REG_MSR: {                                /* a read clears the delta bits */
        uint8_t v = u->msr;
        u->msr &= (uint8_t)~MSR_DELTAS;
        update_irq(u);
        return v;
    }
    default:
        return u->scr;
    }
}

static void ns16550a_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct ns16550a *u = dev;
    uint8_t v = (uint8_t)val;
    (void)size;
    switch (off) {
    case REG_DATA:
        if (u->lcr & LCR_DLAB) u->divisor = (uint16_t)((u->divisor & 0xff00) | v);
        else write_data(u, v);
        break;
    case REG_IER:
        if (u->lcr & LCR_DLAB) u->divisor = (uint16_t)((u->divisor & 0x00ff) | v << 8);
        else write_ier(u, v);
        break;
    case REG_IIR_FCR:
        write_fcr(u, v);
        trace_config(u);
        break;
    case REG_LCR: {
        bool turned = (v ^ u->lcr) & LCR_BREAK;
        u->lcr = v;
        trace_config(u);
        if (turned) set_break(u, v & LCR_BREAK);
        break;
    }
    case REG_MCR:
        u->mcr = v & MCR_ALL;
        trace_config(u);
        update_modem(u);
        update_irq(u);
        break;
    case REG_LSR:                                  /* read only, but for factory tests */
    case REG_MSR:
        break;
    default:
        u->scr = v;
        break;
    }
}

static const struct io_ops ns16550a_ops = { ns16550a_read, ns16550a_write, 1, 1 };

/* ---- class and create ---- */

/* Datasheet table 1, "Reset configuration": the divisor, scratch and buffers are not touched by MR; power leaves
 * some value. */
static void ns16550a_reset(struct device *d, enum reset_kind kind)
{
    struct ns16550a *u = (struct ns16550a *)d;
    if (kind == RESET_POWER_ON) {
        u->divisor = DIVISOR_POWER_ON;
        u->scr = 0;
    }
    if (u->lcr & LCR_BREAK) set_break(u, false);
    u->ier = u->fcr = u->lcr = u->mcr = u->lsr_errors = u->shifting = 0;
    u->thre_event = false;
    u->single = true;
    clear_rx(u);
    fifo_clear(&u->tx);
    timer_disarm(&u->shift);
    timer_disarm(&u->thre_delay);
    u->msr = modem_inputs(u);
    update_irq(u);
}

static void ns16550a_destroy(struct device *d)
{
    struct ns16550a *u = (struct ns16550a *)d;
    timer_fini(&u->shift);
    timer_fini(&u->idle);
    timer_fini(&u->thre_delay);
    free(u);
}

static const struct device_class ns16550a_class = {
    .name = "ns16550a", .title = "NS16550A serial port", .reset = ns16550a_reset, .destroy = ns16550a_destroy,
    .state = &ns16550a_state,
};

struct device *ns16550a_create(struct board *b, const char *id, const struct ns16550a_pins *pins)
{
    struct ns16550a *u = calloc(1, sizeof *u);
    if (!u) abort();
    device_init(&u->dev, &ns16550a_class, b, id);
    u->chr = pins->chr;
    u->irq = pins->irq;
    u->hurry = pins->hurry;
    if (u->chr) {
        u->chr->room = chr_room;
        u->chr->received = chr_received;
        u->chr->event = chr_event;
        u->chr->dev = u;
    }
    fifo_init(&u->tx, FIFO_SIZE);
    fifo_init(&u->rx, FIFO_SIZE);
    fifo_init(&u->rx_errors, FIFO_SIZE);
    timer_init(&u->shift, b->clock, "ns16550a shift", shift_due, u);
    timer_init(&u->idle, b->clock, "ns16550a timeout", idle_due, u);
    timer_init(&u->thre_delay, b->clock, "ns16550a transmitter delay", thre_delay_due, u);
    device_claim_ports(&u->dev, pins->base, REGISTERS, &ns16550a_ops);
    ns16550a_reset(&u->dev, RESET_POWER_ON);
    return &u->dev;
}
