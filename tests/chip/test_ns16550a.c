/* The UART from its registers and its wire (datasheet PC16550D). */
#include <check.h>
#include <string.h>

#include "devices/ns16550a.h"
#include "tests/chip/rig.h"

enum { IRQ };
enum { DATA = 0x3f8, IER, IIR, LCR, MCR, LSR, MSR, SCR };
#define BYTE_115200 86806                             /* ns for ten bits */

static struct rig r;
static struct device *uart;
static struct rig_cable far_end;

static struct device *make(struct rig *on)
{
    return ns16550a_create(&on->board, "com1",
                           &(struct ns16550a_pins){ .base = DATA, .irq = rig_probe(on, IRQ), .chr = &far_end.chr });
}

static void out(uint16_t port, uint8_t v) { rig_out8(&r, port, v); }
static uint8_t in(uint16_t port) { return rig_in8(&r, port); }

/* 115200 8N1, OUT2 open. */
static void setup(void)
{
    rig_init(&r);
    rig_cable_init(&far_end);
    uart = make(&r);
    out(LCR, 0x83);
    out(DATA, 1);
    out(IER, 0);
    out(LCR, 0x03);
    out(MCR, 0x0b);
}

static void teardown(void) { rig_fini(&r); }

static void arrive(const char *s) { rig_arrive(&far_end, s); }

START_TEST(reset_state_is_the_datasheets)
{
    board_reset(&r.board, RESET_HARD);
    ck_assert_uint_eq(in(IER), 0);
    ck_assert_uint_eq(in(IIR), 0x01);
    ck_assert_uint_eq(in(LCR), 0);
    ck_assert_uint_eq(in(MCR), 0);
    ck_assert_uint_eq(in(LSR), 0x60);
    ck_assert_uint_eq(in(MSR), 0xb0);
}
END_TEST

START_TEST(a_character_takes_ten_bit_times)
{
    out(DATA, 'x');
    ck_assert_uint_eq(in(LSR), 0x20);                 /* moved to the shift register at once */
    rig_step_ns(&r, BYTE_115200 - 1000);
    ck_assert_uint_eq(far_end.sent_len, 0);
    rig_step_ns(&r, 2000);
    ck_assert_str_eq(far_end.sent, "x");
    ck_assert_uint_eq(in(LSR), 0x60);
}
END_TEST

START_TEST(slow_rates_and_long_characters_take_longer)
{
    out(LCR, 0x9f);                                   /* 8 bits, parity, 2 stop bits: 12 bit times */
    out(DATA, 0x80);                                  /* divisor 384: 300 baud */
    out(IER, 0x01);
    out(LCR, 0x1f);
    out(DATA, 'x');
    rig_step_ns(&r, 39000000);
    ck_assert_uint_eq(far_end.sent_len, 0);
    rig_step_ns(&r, 2000000);
    ck_assert_uint_eq(far_end.sent_len, 1);
}
END_TEST

START_TEST(five_bit_characters_are_cut_and_have_one_and_a_half_stop_bits)
{
    out(LCR, 0x04);                                   /* 7.5 bit times: 65.1 us */
    out(DATA, 0xff);
    rig_step_ns(&r, 64000);
    ck_assert_uint_eq(far_end.sent_len, 0);
    rig_step_ns(&r, 2000);
    ck_assert_uint_eq((uint8_t)far_end.sent[0], 0x1f);
}
END_TEST

START_TEST(second_character_waits_in_the_holding_register)
{
    out(DATA, 'a');
    out(DATA, 'b');
    ck_assert_uint_eq(in(LSR), 0x00);
    rig_step_ns(&r, BYTE_115200 + 1000);
    ck_assert_str_eq(far_end.sent, "a");
    ck_assert_uint_eq(in(LSR), 0x20);
    rig_step_ns(&r, BYTE_115200);
    ck_assert_str_eq(far_end.sent, "ab");
}
END_TEST

START_TEST(without_fifo_a_third_character_overwrites_the_second)
{
    out(DATA, 'a');
    out(DATA, 'b');
    out(DATA, 'c');
    rig_step_ns(&r, 1000000);
    ck_assert_str_eq(far_end.sent, "ac");
}
END_TEST

START_TEST(transmit_fifo_takes_sixteen)
{
    out(IIR, 0x01);
    for (char c = 'a'; c < 'a' + 20; c++) out(DATA, (uint8_t)c);    /* one shifting, sixteen waiting, three lost */
    rig_step_ns(&r, 20 * BYTE_115200);
    ck_assert_str_eq(far_end.sent, "abcdefghijklmnopq");
}
END_TEST

START_TEST(enabling_the_transmitter_interrupt_while_empty_raises_it)
{
    out(IER, 0x02);
    ck_assert(r.probe[IRQ].level);
    ck_assert_uint_eq(in(IIR), 0x02);
    ck_assert(!r.probe[IRQ].level);                   /* reading IIR takes it back */
    ck_assert_uint_eq(in(IIR), 0x01);
    out(IER, 0x00);
    out(IER, 0x02);
    ck_assert(r.probe[IRQ].level);
}
END_TEST

START_TEST(transmitter_interrupt_comes_when_the_holding_register_empties)
{
    out(IER, 0x02);
    in(IIR);
    out(DATA, 'a');                                   /* straight into the shift register: empty again */
    ck_assert(r.probe[IRQ].level);
    out(DATA, 'b');
    ck_assert(!r.probe[IRQ].level);
    rig_step_ns(&r, BYTE_115200 + 1000);
    ck_assert(r.probe[IRQ].level);
}
END_TEST

START_TEST(received_byte_interrupts_until_read)
{
    out(IER, 0x01);
    arrive("A");
    ck_assert(r.probe[IRQ].level);
    ck_assert_uint_eq(in(IIR), 0x04);
    ck_assert_uint_eq(in(LSR), 0x61);
    ck_assert_uint_eq(in(DATA), 'A');
    ck_assert(!r.probe[IRQ].level);
    ck_assert_uint_eq(in(LSR), 0x60);
}
END_TEST

START_TEST(room_is_one_without_fifo_and_sixteen_with)
{
    ck_assert_uint_eq(far_end.chr.room(far_end.chr.dev), 1);
    arrive("A");
    ck_assert_uint_eq(far_end.chr.room(far_end.chr.dev), 0);
    out(IIR, 0x01);
    ck_assert_uint_eq(far_end.chr.room(far_end.chr.dev), 16);
    arrive("ABC");
    ck_assert_uint_eq(far_end.chr.room(far_end.chr.dev), 13);
}
END_TEST

START_TEST(overrun_is_reported_and_replaces_the_single_byte)
{
    arrive("A");
    arrive("B");
    ck_assert_uint_eq(in(LSR), 0x63);
    ck_assert_uint_eq(in(LSR), 0x61);
    ck_assert_uint_eq(in(DATA), 'B');
}
END_TEST

START_TEST(overrun_keeps_what_the_fifo_has)
{
    out(IIR, 0x01);
    arrive("0123456789abcdefX");
    ck_assert_uint_eq(in(LSR) & 0x02, 0x02);
    ck_assert_uint_eq(in(DATA), '0');
    for (unsigned i = 0; i < 14; i++) in(DATA);
    ck_assert_uint_eq(in(DATA), 'f');
    ck_assert_uint_eq(in(LSR), 0x60);
}
END_TEST

START_TEST(fifo_interrupts_at_its_trigger_level)
{
    static const struct { uint8_t fcr; unsigned level; } rows[] = {
        { 0x01, 1 }, { 0x41, 4 }, { 0x81, 8 }, { 0xc1, 14 },
    };
    out(IER, 0x01);
    for (unsigned i = 0; i < 4; i++) {
        out(IIR, rows[i].fcr | 0x06);
        for (unsigned n = 1; n < rows[i].level; n++) arrive("x");
        ck_assert(!r.probe[IRQ].level);
        arrive("x");
        ck_assert(r.probe[IRQ].level);
        ck_assert_uint_eq(in(IIR), 0xc4);
        in(DATA);
        ck_assert(!r.probe[IRQ].level);
    }
}
END_TEST

START_TEST(timeout_interrupt_comes_after_four_character_times)
{
    out(IIR, 0xc1);
    out(IER, 0x01);
    arrive("ab");
    rig_step_ns(&r, 4 * BYTE_115200 - 5000);
    ck_assert(!r.probe[IRQ].level);
    rig_step_ns(&r, 10000);
    ck_assert(r.probe[IRQ].level);
    ck_assert_uint_eq(in(IIR), 0xcc);
    ck_assert_uint_eq(in(DATA), 'a');
    ck_assert(!r.probe[IRQ].level);
    rig_step_ns(&r, 4 * BYTE_115200 + 5000);
    ck_assert(r.probe[IRQ].level);                    /* one byte is still there */
    ck_assert_uint_eq(in(DATA), 'b');
    rig_step_ns(&r, 10 * BYTE_115200);
    ck_assert(!r.probe[IRQ].level);
}
END_TEST

START_TEST(line_status_beats_data_beats_transmitter_beats_modem)
{
    out(IER, 0x0f);
    out(MCR, 0x18);                                   /* loopback on and off: modem deltas */
    out(MCR, 0x0b);
    arrive("A");
    arrive("B");
    ck_assert_uint_eq(in(IIR), 0x06);
    in(LSR);
    ck_assert_uint_eq(in(IIR), 0x04);
    in(DATA);
    ck_assert_uint_eq(in(IIR), 0x02);
    ck_assert_uint_eq(in(IIR), 0x00);
    in(MSR);
    ck_assert_uint_eq(in(IIR), 0x01);
}
END_TEST

START_TEST(break_is_a_zero_with_its_bit)
{
    out(IIR, 0x01);
    out(IER, 0x04);
    arrive("A");
    far_end.chr.event(far_end.chr.dev, CHR_BREAK);
    arrive("B");
    ck_assert_uint_eq(in(LSR), 0xe1);                 /* an error is in the FIFO, but not at its head */
    ck_assert(!r.probe[IRQ].level);
    ck_assert_uint_eq(in(DATA), 'A');
    ck_assert(r.probe[IRQ].level);
    ck_assert_uint_eq(in(LSR), 0xf1);
    ck_assert_uint_eq(in(LSR), 0x61);
    ck_assert_uint_eq(in(DATA), 0);
    ck_assert_uint_eq(in(DATA), 'B');
}
END_TEST

START_TEST(break_reaches_the_far_end_and_drowns_characters)
{
    out(LCR, 0x43);
    out(LCR, 0x43);
    out(DATA, 'x');
    rig_step_ns(&r, 1000000);
    out(LCR, 0x03);
    out(DATA, 'y');
    rig_step_ns(&r, 1000000);
    ck_assert_str_eq(far_end.sent, "[]y");
    out(LCR, 0x43);
    board_reset(&r.board, RESET_HARD);                /* the line idles again */
    ck_assert_str_eq(far_end.sent, "[]y[]");
}
END_TEST

START_TEST(break_in_loopback_reaches_the_receiver_alone)
{
    out(MCR, 0x10);
    out(LCR, 0x43);
    ck_assert_uint_eq(in(LSR) & 0x1f, 0x11);
    ck_assert_uint_eq(in(DATA), 0);
    out(LCR, 0x03);
    ck_assert_uint_eq(in(LSR) & 0x1f, 0);
    ck_assert_str_eq(far_end.sent, "");
}
END_TEST

START_TEST(fifo_transmitter_interrupt_waits_after_a_single_character)
{
    out(IIR, 0x01);
    out(IER, 0x02);
    ck_assert_uint_eq(in(IIR), 0xc2);                 /* enabled while empty */
    out(DATA, 'a');                                   /* moves on at once: */
    ck_assert_uint_eq(in(LSR) & 0x20, 0x20);
    ck_assert_uint_eq(in(IIR), 0xc1);                 /* no interrupt until nine of its ten bits are out */
    rig_step_ns(&r, BYTE_115200 * 9 / 10 - 100);
    ck_assert(!r.probe[IRQ].level);
    rig_step_ns(&r, 200);
    ck_assert(r.probe[IRQ].level);
    ck_assert_uint_eq(in(IIR), 0xc2);
    rig_step_ns(&r, BYTE_115200);
    for (unsigned i = 0; i < 3; i++) out(DATA, 'b');  /* two in the FIFO at one time: as soon as it is empty */
    ck_assert(!r.probe[IRQ].level);
    rig_step_ns(&r, 2 * BYTE_115200 + 100);
    ck_assert(r.probe[IRQ].level);
}
END_TEST

START_TEST(loopback_returns_characters_and_modem_lines)
{
    out(MCR, 0x10);
    ck_assert_uint_eq(in(MSR) & 0xf0, 0x00);
    out(MCR, 0x1a);
    ck_assert_uint_eq(in(MSR), 0x99);                 /* OUT2 -> DCD, RTS -> CTS, both changed */
    out(MCR, 0x15);
    ck_assert_uint_eq(in(MSR) & 0xf0, 0x60);          /* OUT1 -> RI, DTR -> DSR */
    out(MCR, 0x11);
    ck_assert_uint_eq(in(MSR), 0x24);                 /* RI went away */
    out(DATA, 0x5a);
    rig_step_ns(&r, BYTE_115200 + 1000);
    ck_assert_uint_eq(in(DATA), 0x5a);
    ck_assert_uint_eq(far_end.sent_len, 0);
    ck_assert_uint_eq(far_end.chr.room(far_end.chr.dev), 0);
}
END_TEST

START_TEST(out2_gates_the_interrupt)
{
    out(IER, 0x01);
    arrive("A");
    ck_assert(r.probe[IRQ].level);
    out(MCR, 0x03);
    ck_assert(!r.probe[IRQ].level);
    ck_assert_uint_eq(in(IIR), 0x04);
    out(MCR, 0x0b);
    ck_assert(r.probe[IRQ].level);
}
END_TEST

START_TEST(nothing_plugged_in_shows_no_modem_lines)
{
    ns16550a_create(&r.board, "com2", &(struct ns16550a_pins){ .base = 0x2f8 });
    ck_assert_uint_eq(in(0x2fe), 0);
    out(0x2f8, 'x');
    rig_step_ns(&r, 20000000);
    ck_assert_uint_eq(in(0x2fd), 0x60);
}
END_TEST

START_TEST(hurried_characters_leave_at_once)
{
    struct rig_cable other;
    rig_cable_init(&other);
    ns16550a_create(&r.board, "com2", &(struct ns16550a_pins){ .base = 0x2f8, .chr = &other.chr, .hurry = true });
    out(0x2f8, 'x');
    rig_step_ns(&r, 1001);
    ck_assert_uint_eq(other.sent_len, 1);
}
END_TEST

START_TEST(dlab_shows_the_divisor)
{
    out(LCR, 0x83);
    out(DATA, 0x34);
    out(IER, 0x12);
    ck_assert_uint_eq(in(DATA), 0x34);
    ck_assert_uint_eq(in(IER), 0x12);
    out(LCR, 0x03);
    ck_assert_uint_eq(in(IER), 0x00);
}
END_TEST

START_TEST(scratch_and_unused_bits)
{
    out(SCR, 0xa5);
    ck_assert_uint_eq(in(SCR), 0xa5);
    out(IER, 0xff);
    ck_assert_uint_eq(in(IER), 0x0f);
    out(MCR, 0xff);
    ck_assert_uint_eq(in(MCR), 0x1f);
    out(IIR, 0xc0);                                   /* trigger bits without the enable bit are not taken */
    ck_assert_uint_eq(in(IIR) & 0xc0, 0x00);
    out(IIR, 0x01);
    ck_assert_uint_eq(in(IIR) & 0xc0, 0xc0);
}
END_TEST

START_TEST(clearing_a_fifo_empties_it)
{
    out(IIR, 0x01);
    arrive("abc");
    out(IIR, 0x03);
    ck_assert_uint_eq(in(LSR) & 0x01, 0);
    out(DATA, 'x');
    out(DATA, 'y');
    out(IIR, 0x05);
    rig_step_ns(&r, 1000000);
    ck_assert_str_eq(far_end.sent, "x");                      /* the shift register finishes */
}
END_TEST

START_TEST(state_is_complete)
{
    out(IIR, 0xc1);
    arrive("ab");
    out(DATA, 'x');
    out(DATA, 'y');
    rig_check_device(uart);
    rig_step_ns(&r, 1000000);
    ck_assert_str_eq(far_end.sent, "xy");
}
END_TEST

static void type(struct rig *on, struct device *d, uint64_t random)
{
    uint8_t bytes[16];
    (void)on;
    (void)d;
    memcpy(bytes, &random, 8);
    memcpy(bytes + 8, &random, 8);
    size_t room = far_end.chr.room(far_end.chr.dev), len = random & 15;
    far_end.chr.received(far_end.chr.dev, bytes, len < room ? len : room);
    if (random >> 60 == 0) far_end.chr.event(far_end.chr.dev, CHR_BREAK);
}

START_TEST(random_accesses_do_no_harm)
{
    static const struct rig_window w[] = { { .base = DATA, .count = 8 } };
    rig_fuzz_seeds(make, w, 1, type);
}
END_TEST

int main(void)
{
    return rig_run("ns16550a", setup, teardown, RIG_TESTS(
        &reset_state_is_the_datasheets,
        &a_character_takes_ten_bit_times,
        &slow_rates_and_long_characters_take_longer,
        &five_bit_characters_are_cut_and_have_one_and_a_half_stop_bits,
        &second_character_waits_in_the_holding_register,
        &without_fifo_a_third_character_overwrites_the_second,
        &transmit_fifo_takes_sixteen,
        &enabling_the_transmitter_interrupt_while_empty_raises_it,
        &transmitter_interrupt_comes_when_the_holding_register_empties,
        &received_byte_interrupts_until_read,
        &room_is_one_without_fifo_and_sixteen_with,
        &overrun_is_reported_and_replaces_the_single_byte,
        &overrun_keeps_what_the_fifo_has,
        &fifo_interrupts_at_its_trigger_level,
        &timeout_interrupt_comes_after_four_character_times,
        &line_status_beats_data_beats_transmitter_beats_modem,
        &break_is_a_zero_with_its_bit,
        &break_reaches_the_far_end_and_drowns_characters,
        &break_in_loopback_reaches_the_receiver_alone,
        &fifo_transmitter_interrupt_waits_after_a_single_character,
        &loopback_returns_characters_and_modem_lines,
        &out2_gates_the_interrupt,
        &nothing_plugged_in_shows_no_modem_lines,
        &hurried_characters_leave_at_once,
        &dlab_shows_the_divisor,
        &scratch_and_unused_bits,
        &clearing_a_fifo_empties_it,
        &state_is_complete,
        &random_accesses_do_no_harm));
}
