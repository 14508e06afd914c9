/* Motorola MC146818A real-time clock plus RAM, with the second bank of RAM that the 82371 family has at ports
 * 72h/73h.
 *
 * The chip divides a 32,768 Hz crystal. Once a second the divider starts an update: time registers step, the alarm
 * is compared, and UIP warns of it 244 us ahead and throughout, 2,228 us in all (datasheet, "Update cycle"). The
 * registers are what the guest wrote and nothing cleaner: BCD or binary, 12 or 24 hours, valid or not. A switch of
 * format converts nothing, and a wrong value counts on until a carry puts it right. So the bytes themselves are the
 * state, and mc146818_sync steps them by the seconds that have passed since anybody looked. A timer runs only while
 * an interrupt is enabled and not yet pending.
 *
 * Its oddest behaviour: taking the divider out of reset makes the first update come half a second later, which is
 * how an operating system sets the clock to the split second. `chain` holds that phase.
 *
 * The crystal is what it is, whatever divider the guest selects: the settings for 4 MHz and 1 MHz crystals make the
 * clock 128 or 32 times slow, and those that bypass stages of the divider (82371AB datasheet, register A) make it fast. */
#include "devices/mc146818.h"

#include <assert.h>
#include <stdlib.h>

static const struct clk crystal = { 32768, 1 };

enum { CRYSTAL_TICKS = 32768, UIP_TICKS = 73 /* 2,228 us */, BANK = 128, DAY_SECONDS = 86400 };
/* Years have two digits and every fourth is a leap year, so the calendar with its century byte repeats after this. */
#define CALENDAR_DAYS (4u * 36525u)

enum {                                            /* registers */
    RTC_SECONDS, RTC_SECONDS_ALARM, RTC_MINUTES, RTC_MINUTES_ALARM, RTC_HOURS, RTC_HOURS_ALARM, RTC_WEEKDAY, RTC_DAY,
    RTC_MONTH, RTC_YEAR, RTC_A, RTC_B, RTC_C, RTC_D, RTC_REGISTERS,
    CMOS_SUM_FIRST = 0x10, CMOS_SUM_LAST = 0x2d, CMOS_SUM_HIGH = 0x2e, CMOS_SUM_LOW = 0x2f,
};
enum { A_RATE = 0x0f, A_DIVIDER = 0x70, A_DIVIDER_1MHZ = 0x10, A_DIVIDER_32KHZ = 0x20, A_DIVIDER_RESET = 0x60, A_UIP = 0x80 };
enum { B_DAYLIGHT = 0x01, B_24_HOURS = 0x02, B_BINARY = 0x04, B_SQUARE_WAVE = 0x08, B_UPDATE = 0x10, B_ALARM = 0x20,
       B_PERIODIC = 0x40, B_SET = 0x80 };
enum { C_UPDATE = 0x10, C_ALARM = 0x20, C_PERIODIC = 0x40, C_FLAGS = 0x70, C_IRQ = 0x80 };
enum { SUNDAY = 1, SATURDAY = 7, APRIL = 4, OCTOBER = 10 };
enum { D_VALID = 0x80 };
enum { HOUR_PM = 0x80, ALARM_ANY = 0xc0, INDEX_NMI_MASK = 0x80 };

struct mc146818 {
    struct device dev;
    struct irq_line irq, wake, nmi_mask;
    uint64_t chain;                               /* updates come at this tick plus whole seconds */
    struct timer event;                           /* next tick that may interrupt */
    uint64_t seen;                                /* registers and flags are as of this tick */
    uint8_t ram[2 * BANK];                        /* 0-13 are the clock's registers */
    uint8_t index[2];                             /* written to 70h and 72h */
    uint8_t century;
    bool fell_back;                               /* daylight saving has ended: the hour after 1 a.m. comes a second time */
    uint8_t unused[4];
};

static const struct state_field mc146818_fields[] = {
    FIELD_WIRING(struct mc146818, dev),
    FIELD(struct mc146818, irq, "IRQ output"),
    FIELD(struct mc146818, wake, "IRQ output to the power management"),
    FIELD(struct mc146818, nmi_mask, "bit 7 of port 70h"),
    FIELD(struct mc146818, event, "next interrupt"),
    FIELD(struct mc146818, chain, "phase of the divider, in crystal ticks"),
    FIELD(struct mc146818, seen, "crystal tick of this state"),
    FIELD_ARRAY(struct mc146818, ram, "clock registers and CMOS memory"),
    FIELD_ARRAY_RANGE(struct mc146818, index, 0, BANK - 1, "index registers 70h, 72h"),
    FIELD_WIRING(struct mc146818, century),
    FIELD(struct mc146818, fell_back, "the hour at the end of daylight saving runs a second time"),
    FIELD_WIRING(struct mc146818, unused),
};
static const struct state_desc mc146818_state = STATE_DESC(struct mc146818, "mc146818", mc146818_fields);

/* ---- calendar ---- */

static unsigned decode(const struct mc146818 *m, uint8_t v)
{
    return m->ram[RTC_B] & B_BINARY ? v : (v >> 4) * 10u + (v & 15);
}

static uint8_t encode(const struct mc146818 *m, unsigned v)
{
    return (uint8_t)(m->ram[RTC_B] & B_BINARY ? v : v / 10 << 4 | v % 10);
}

/* Counts a register from `first` to `last`; true when it starts over. */
static bool count(struct mc146818 *m, unsigned reg, unsigned first, unsigned last)
{
    unsigned v = decode(m, m->ram[reg]);
    m->ram[reg] = encode(m, v >= last ? first : v + 1);
    return v >= last;
}

static unsigned month_days(const struct mc146818 *m)
{
    static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned month = decode(m, m->ram[RTC_MONTH]);
    if (month == 2 && decode(m, m->ram[RTC_YEAR]) % 4 == 0) return 29;
    return month >= 1 && month <= 12 ? days[month - 1] : 31;
}

/* Datasheet, "Daylight savings enable": on the last Sunday of April 1:59:59 a.m. is followed by 3:00:00, and on the last
 * Sunday of October, the first time, by 1:00:00. */
static bool daylight_day(const struct mc146818 *m)
{
    unsigned month = decode(m, m->ram[RTC_MONTH]);
    return m->ram[RTC_B] & B_DAYLIGHT && m->ram[RTC_WEEKDAY] == SUNDAY && (month == APRIL || month == OCTOBER)
           && decode(m, m->ram[RTC_DAY]) + 7 > month_days(m);
}

static void count_daylight(struct mc146818 *m)
{
    if (m->ram[RTC_HOURS] & HOUR_PM || decode(m, m->ram[RTC_HOURS]) != 2 || !daylight_day(m)) {
        m->fell_back = false;
    } else if (decode(m, m->ram[RTC_MONTH]) == APRIL) {
        m->ram[RTC_HOURS] = encode(m, 3);
    } else {
        if (!m->fell_back) m->ram[RTC_HOURS] = encode(m, 1);
        m->fell_back = !m->fell_back;
    }
}

/* True at midnight. In 12-hour form the hours run 12, 1, ..., 11 and bit 7 means p.m. */
static bool count_hour(struct mc146818 *m)
{
    if (m->ram[RTC_B] & B_24_HOURS) return count(m, RTC_HOURS, 0, 23);
    uint8_t pm = m->ram[RTC_HOURS] & HOUR_PM;
    unsigned h = decode(m, m->ram[RTC_HOURS] & (uint8_t)~HOUR_PM);
    bool half_day = h == 11;
    if (half_day) pm ^= HOUR_PM;
    m->ram[RTC_HOURS] = encode(m, h >= 12 ? 1 : h + 1) | pm;
    return half_day && !pm;
}

static void count_day(struct mc146818 *m)
{
    count(m, RTC_WEEKDAY, 1, 7);
    if (!count(m, RTC_DAY, 1, month_days(m))) return;
    if (!count(m, RTC_MONTH, 1, 12)) return;
    if (count(m, RTC_YEAR, 0, 99) && m->century) count(m, m->century, 0, 99);
}

static bool alarm_matches(const struct mc146818 *m, unsigned reg)
{
    uint8_t alarm = m->ram[reg + 1];
    return (alarm & ALARM_ANY) == ALARM_ANY || alarm == m->ram[reg];
}

/* One update cycle. */
static void count_second(struct mc146818 *m)
{
    if (count(m, RTC_SECONDS, 0, 59) && count(m, RTC_MINUTES, 0, 59)) {
        if (count_hour(m)) count_day(m);
        count_daylight(m);
    }
    if (alarm_matches(m, RTC_SECONDS) && alarm_matches(m, RTC_MINUTES) && alarm_matches(m, RTC_HOURS))
        m->ram[RTC_C] |= C_ALARM;
}

/* 24 hours in one step, unless daylight saving may begin or end in them. */
static void skip_day(struct mc146818 *m)
{
    unsigned month = decode(m, m->ram[RTC_MONTH]), weekday = m->ram[RTC_WEEKDAY];
    bool uneven = m->ram[RTC_B] & B_DAYLIGHT && (month == APRIL || month == OCTOBER)
                  && (weekday == SATURDAY || weekday == SUNDAY) && decode(m, m->ram[RTC_DAY]) + 8 > month_days(m);
    if (!uneven) count_day(m);
    for (unsigned i = 0; uneven && i < DAY_SECONDS; i++) count_second(m);
}

/* After a day of single steps every time of day has been compared with the alarm, and whole days can be counted as
 * such. */
static void count_seconds(struct mc146818 *m, uint64_t seconds)
{
    uint64_t single = seconds < DAY_SECONDS ? seconds : DAY_SECONDS;
    seconds -= single;
    for (uint64_t i = 0; i < single; i++) count_second(m);
    for (uint64_t i = 0; i < seconds / DAY_SECONDS % CALENDAR_DAYS; i++) skip_day(m);
    for (uint64_t i = 0; i < seconds % DAY_SECONDS; i++) count_second(m);
}

/* Seconds since 1970 as the registers' bytes. The day number arithmetic is the proleptic Gregorian calendar's,
 * counted from 1 March 0000 so that the leap day is a year's last. */
static void set_date(struct mc146818 *m, int64_t date)
{
    int64_t days = date / DAY_SECONDS, seconds = date % DAY_SECONDS;
    if (seconds < 0) {
        seconds += DAY_SECONDS;
        days--;
    }
    int64_t from_march = days + 719468;
    int64_t era = (from_march >= 0 ? from_march : from_march - 146096) / 146097;
    int64_t day_of_era = from_march - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    m->ram[RTC_SECONDS] = encode(m, (unsigned)(seconds % 60));
    m->ram[RTC_MINUTES] = encode(m, (unsigned)(seconds / 60 % 60));
    m->ram[RTC_HOURS] = encode(m, (unsigned)(seconds / 3600));
    m->ram[RTC_WEEKDAY] = encode(m, (unsigned)(((days + 4) % 7 + 7) % 7 + 1));    /* 1 January 1970 was a Thursday, 5 */
    m->ram[RTC_DAY] = encode(m, (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1));
    m->ram[RTC_MONTH] = encode(m, (unsigned)month);
    m->ram[RTC_YEAR] = encode(m, (unsigned)((year % 100 + 100) % 100));
    if (m->century) m->ram[m->century] = encode(m, (unsigned)((year / 100 % 100 + 100) % 100));
}

/* ---- time ---- */

/* Ticks of the crystal that the divider makes a second of, 0: held in reset. */
static uint64_t second_ticks(const struct mc146818 *m)
{
    static const uint32_t ticks[8] = {
        CRYSTAL_TICKS * 128, CRYSTAL_TICKS * 32,                            /* 4.194304 MHz, 1.048576 MHz */
        CRYSTAL_TICKS,
        CRYSTAL_TICKS >> 5, CRYSTAL_TICKS >> 10, CRYSTAL_TICKS >> 15,       /* stages bypassed */
        0, 0,
    };
    return ticks[(m->ram[RTC_A] & A_DIVIDER) >> 4];
}

static bool running(const struct mc146818 *m)
{
    return second_ticks(m) != 0;
}

/* Ticks between periodic interrupts, 0: none. Datasheet table 5: with the 32 kHz crystal rates 1 and 2 repeat 8 and 9. */
static uint64_t period(const struct mc146818 *m)
{
    unsigned rate = m->ram[RTC_A] & A_RATE;
    if (rate == 0) return 0;
    if (rate <= 2 && (m->ram[RTC_A] & A_DIVIDER) > A_DIVIDER_1MHZ) rate += 7;
    uint64_t ticks = second_ticks(m) << (rate - 1) >> 15;
    return ticks ? ticks : 1;
}

/* Ticks before the end of a second during which UIP warns of the update: 2,228 us with a 32 kHz crystal, 492 with the
 * others, which here are slow. */
static uint64_t uip_ticks(const struct mc146818 *m)
{
    uint64_t second = second_ticks(m);
    if (second > CRYSTAL_TICKS) return second / 2048;
    return second < UIP_TICKS ? second : UIP_TICKS;
}

/* How many multiples of `step` (a power of two) the divider has passed since m->seen. */
static uint64_t passed(const struct mc146818 *m, uint64_t now, uint64_t step)
{
    return (((m->seen - m->chain) & (step - 1)) + (now - m->seen)) / step;
}

static uint64_t next_multiple(const struct mc146818 *m, uint64_t step)
{
    return m->seen + step - ((m->seen - m->chain) & (step - 1));
}

static void update_irq(struct mc146818 *m)
{
    bool on = m->ram[RTC_C] & m->ram[RTC_B] & C_FLAGS;     /* enable and flag bits have the same places */
    m->ram[RTC_C] = (uint8_t)((m->ram[RTC_C] & C_FLAGS) | (on ? C_IRQ : 0));
    if (on && !m->irq.level) trace(m->dev.board->log, rtc_interrupt, (uint64_t)m->ram[RTC_C]);
    irq_set(&m->irq, on);
    irq_set(&m->wake, on);
}

static void mc146818_sync(struct mc146818 *m)
{
    uint64_t now = clk_ticks_at(crystal, m->dev.board->clock->now);
    if (now <= m->seen) return;
    if (running(m)) {
        uint64_t step = period(m), seconds = passed(m, now, second_ticks(m));
        if (step && passed(m, now, step)) m->ram[RTC_C] |= C_PERIODIC;
        if (seconds && !(m->ram[RTC_B] & B_SET)) {
            count_seconds(m, seconds);
            m->ram[RTC_C] |= C_UPDATE;
        }
    }
    m->seen = now;
    update_irq(m);
}

/* Arms the timer for the next tick that can raise the interrupt. While it is raised there is nothing to wait for. */
static void arm(struct mc146818 *m)
{
    uint8_t waiting = m->ram[RTC_B] & (uint8_t)~m->ram[RTC_C] & C_FLAGS;
    uint64_t next = UINT64_MAX;
    if (running(m) && !(m->ram[RTC_C] & C_IRQ)) {
        if (waiting & C_PERIODIC && period(m)) next = next_multiple(m, period(m));
        if (waiting & (C_UPDATE | C_ALARM) && !(m->ram[RTC_B] & B_SET)) {
            uint64_t update = next_multiple(m, second_ticks(m));
            if (update < next) next = update;
        }
    }
    if (next == UINT64_MAX) timer_disarm(&m->event);
    else timer_arm(&m->event, clk_time_of(crystal, next));
}

static void event_due(void *opaque, vtime due)
{
    struct mc146818 *m = opaque;
    (void)due;
    mc146818_sync(m);
    arm(m);
}

static bool update_in_progress(const struct mc146818 *m)
{
    uint64_t second = second_ticks(m);
    return second && !(m->ram[RTC_B] & B_SET) && ((m->seen - m->chain) & (second - 1)) >= second - uip_ticks(m);
}

/* ---- registers ---- */

/* Time registers read during the update show the old time; the datasheet leaves that open. */
static uint8_t read_byte(struct mc146818 *m, unsigned index)
{
    mc146818_sync(m);
    switch (index) {
    case RTC_A:
        return (uint8_t)(m->ram[RTC_A] | (update_in_progress(m) ? A_UIP : 0));
    case RTC_C: {                                          /* a read clears all flags and releases IRQ */
        uint8_t v = m->ram[RTC_C];
        m->ram[RTC_C] = 0;
        update_irq(m);
        arm(m);
        return v;
    }
    case RTC_D:
        return D_VALID;
    default:
        return m->ram[index];
    }
}

static void write_byte(struct mc146818 *m, unsigned index, uint8_t v)
{
    mc146818_sync(m);
    switch (index) {
    case RTC_SECONDS:
        m->ram[index] = v & 0x7f;                          /* bit 7 is read-only 0 */
        break;
    case RTC_A: {
        bool was_reset = (m->ram[RTC_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET;
        m->ram[RTC_A] = v & (uint8_t)~A_UIP;
        if (was_reset && running(m)) m->chain = m->seen - second_ticks(m) / 2;
        break;
    }
    case RTC_B:
        m->ram[RTC_B] = v & B_SET ? v & (uint8_t)~B_UPDATE : v;
        update_irq(m);
        break;
    case RTC_C:
    case RTC_D:
        break;
    default:
        m->ram[index] = v;
        break;
    }
    if (index < RTC_REGISTERS) arm(m);
}

/* 70h and 72h choose, 71h and 73h hold the byte. The index ports cannot be read back. */
static uint64_t mc146818_read(void *dev, uint64_t off, unsigned size)
{
    struct mc146818 *m = dev;
    (void)size;
    if (!(off & 1)) return 0xff;
    unsigned index = off == 1 ? m->index[0] : BANK + m->index[1];
    uint8_t v = read_byte(m, index);
    trace(m->dev.board->log, rtc_read, (uint64_t)index, (uint64_t)v);
    return v;
}

static void mc146818_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct mc146818 *m = dev;
    (void)size;
    switch (off) {
    case 0:
        m->index[0] = (uint8_t)val & (BANK - 1);
        irq_set(&m->nmi_mask, val & INDEX_NMI_MASK);
        break;
    case 2:
        m->index[1] = (uint8_t)val & (BANK - 1);
        break;
    default: {
        unsigned index = off == 1 ? m->index[0] : BANK + m->index[1];
        trace(m->dev.board->log, rtc_write, (uint64_t)index, val);
        write_byte(m, index, (uint8_t)val);
        break;
    }
    }
}

static const struct io_ops mc146818_ops = { mc146818_read, mc146818_write, 1, 1 };

/* ---- for the board ---- */

void mc146818_set_cmos(struct device *d, unsigned index, uint8_t value)
{
    assert(index < 2 * BANK);
    write_byte((struct mc146818 *)d, index, value);
}

uint8_t mc146818_cmos(struct device *d, unsigned index)
{
    assert(index < 2 * BANK);
    return ((struct mc146818 *)d)->ram[index];
}

void mc146818_set_checksum(struct device *d)
{
    struct mc146818 *m = (struct mc146818 *)d;
    unsigned sum = 0;
    for (unsigned i = CMOS_SUM_FIRST; i <= CMOS_SUM_LAST; i++) sum += m->ram[i];
    m->ram[CMOS_SUM_HIGH] = (uint8_t)(sum >> 8);
    m->ram[CMOS_SUM_LOW] = (uint8_t)sum;
}

/* ---- class and create ---- */

/* Datasheet, "RESET": interrupt enables and flags go; time, alarm and memory are the battery's. The AT's board masks
 * NMI. */
static void mc146818_reset(struct device *d, enum reset_kind kind)
{
    struct mc146818 *m = (struct mc146818 *)d;
    (void)kind;
    mc146818_sync(m);
    m->ram[RTC_B] &= (uint8_t)~(B_PERIODIC | B_ALARM | B_UPDATE | B_SQUARE_WAVE);
    m->ram[RTC_C] = 0;
    m->index[0] = m->index[1] = 0;
    update_irq(m);
    irq_set(&m->nmi_mask, true);
    arm(m);
}

static void mc146818_destroy(struct device *d)
{
    struct mc146818 *m = (struct mc146818 *)d;
    timer_fini(&m->event);
    free(m);
}

static const struct device_class mc146818_class = {
    .name = "mc146818", .title = "MC146818 real-time clock", .reset = mc146818_reset, .destroy = mc146818_destroy,
    .state = &mc146818_state,
};

struct device *mc146818_create(struct board *b, const char *id, const struct mc146818_pins *pins)
{
    struct mc146818 *m = calloc(1, sizeof *m);
    if (!m) abort();
    device_init(&m->dev, &mc146818_class, b, id);
    m->irq = pins->irq;
    m->wake = pins->wake;
    m->nmi_mask = pins->nmi_mask;
    m->century = pins->century;
    timer_init(&m->event, b->clock, "mc146818 event", event_due, m);
    m->seen = clk_ticks_at(crystal, b->clock->now);
    m->chain = m->seen;
    m->ram[RTC_A] = A_DIVIDER_32KHZ | 6;                   /* as an AT's BIOS leaves it: 1,024 Hz */
    m->ram[RTC_B] = B_24_HOURS;
    m->ram[RTC_D] = D_VALID;
    set_date(m, pins->date);
    device_claim_ports(&m->dev, pins->base, 4, &mc146818_ops);
    mc146818_reset(&m->dev, RESET_POWER_ON);
    return &m->dev;
}
