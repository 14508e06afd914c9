/* The local APIC from its pins and its bus (SDM vol. 3, chapter 10). */
#include "devices/lapic.h"
#include "tests/chip/rig.h"

enum { INTR = 0, NMI = 1, SMI = 2, INIT = 3 };
enum { ID = 0x20, VERSION = 0x30, TPR = 0x80, PPR = 0xa0, EOI = 0xb0, LDR = 0xd0, DFR = 0xe0, SVR = 0xf0, ISR = 0x100,
       TMR = 0x180, IRR = 0x200, ESR = 0x280, ICR = 0x300, ICR_HIGH = 0x310, LVT_TIMER = 0x320, LVT_PERF = 0x340, LINT0 = 0x350,
       LINT1 = 0x360, LVT_ERROR = 0x370, INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0 };
static const struct clk bus_clock = { 100000000, 1 };

static struct rig r;
static struct apic_bus bus;
static struct device *apic;
static unsigned intacks, sipi_vector, sipis, eois;

static uint8_t extint(void *opaque) { (void)opaque; intacks++; return 0x08; }
static void sipi(void *opaque, uint8_t vector) { (void)opaque; sipis++; sipi_vector = vector; }
static void eoi(void *opaque, uint8_t vector) { (void)opaque; eois = eois << 8 | vector; }

static struct device *make(struct rig *on)
{
    bus = (struct apic_bus){ .units = 0 };
    struct lapic_pins pins = {
        .bus = &bus, .id = 0, .bus_clock = bus_clock, .intr = rig_probe(on, INTR), .nmi = rig_probe(on, NMI),
        .smi = rig_probe(on, SMI), .init = rig_probe(on, INIT), .sipi = sipi, .extint = extint,
    };
    struct device *d = lapic_create(&on->board, "lapic", &pins);
    apic_bus_join_ioapic(&bus, NULL, eoi);
    region_add(&on->mem, lapic_region(d));    /* the CPU overlays it; here it lies on the map */
    return d;
}

static uint32_t get(unsigned reg) { return (uint32_t)region_load(lapic_region(apic), reg, 4); }
static void set(unsigned reg, uint32_t v) { region_store(lapic_region(apic), reg, v, 4); }

static void setup(void)
{
    rig_init(&r);
    intacks = sipis = eois = 0;
    apic = make(&r);
    set(SVR, 0x1ff);
}

static void teardown(void) { rig_fini(&r); }

static void send(uint8_t dest, uint8_t mode, uint8_t vector, bool logical, bool level)
{
    apic_bus_send(&bus, &(struct apic_message){ dest, logical, mode, vector, level });
}

static void fixed(uint8_t vector) { send(0, APIC_FIXED, vector, false, false); }

START_TEST(registers_after_reset)
{
    board_reset(&r.board, RESET_HARD);
    ck_assert_uint_eq(get(ID), 0);
    ck_assert_uint_eq(get(VERSION), 0x50014);
    ck_assert_uint_eq(get(SVR), 0xff);
    ck_assert_uint_eq(get(DFR), 0xffffffff);
    for (unsigned reg = LVT_TIMER; reg <= LVT_ERROR; reg += 0x10) ck_assert_uint_eq(get(reg), 0x10000);
    ck_assert_uint_eq(get(CURRENT), 0);
}
END_TEST

START_TEST(request_service_and_end)
{
    fixed(0x41);
    ck_assert(r.probe[INTR].level);
    ck_assert_uint_eq(get(IRR + 0x20), 2);
    ck_assert_uint_eq(lapic_intack(apic), 0x41);
    ck_assert(!r.probe[INTR].level);
    ck_assert_uint_eq(get(IRR + 0x20), 0);
    ck_assert_uint_eq(get(ISR + 0x20), 2);
    ck_assert_uint_eq(get(PPR), 0x40);
    set(EOI, 0);
    ck_assert_uint_eq(get(ISR + 0x20), 0);
    ck_assert_uint_eq(eois, 0);               /* edge-triggered: no EOI message */
}
END_TEST

START_TEST(higher_class_preempts_lower_class_waits)
{
    fixed(0x41);
    ck_assert_uint_eq(lapic_intack(apic), 0x41);
    fixed(0x4f);                              /* the same class waits */
    ck_assert(!r.probe[INTR].level);
    fixed(0x51);
    ck_assert(r.probe[INTR].level);
    ck_assert_uint_eq(lapic_intack(apic), 0x51);
    set(EOI, 0);
    ck_assert(!r.probe[INTR].level);
    set(EOI, 0);
    ck_assert_uint_eq(lapic_intack(apic), 0x4f);
}
END_TEST

START_TEST(task_priority_holds_back_its_class)
{
    set(TPR, 0x50);
    fixed(0x5f);
    ck_assert(!r.probe[INTR].level);
    fixed(0x60);
    ck_assert(r.probe[INTR].level);
    lapic_intack(apic);
    set(EOI, 0);
    set(TPR, 0x4f);
    ck_assert(r.probe[INTR].level);
    ck_assert_uint_eq(get(PPR), 0x4f);
}
END_TEST

START_TEST(withdrawn_request_gives_the_spurious_vector)
{
    fixed(0x41);
    set(TPR, 0xf0);
    ck_assert_uint_eq(lapic_intack(apic), 0xff);
    ck_assert_uint_eq(get(ISR + 0x70), 0);
}
END_TEST

START_TEST(level_message_sends_eoi)
{
    send(0, APIC_FIXED, 0x61, false, true);
    ck_assert_uint_eq(get(TMR + 0x30), 2);
    lapic_intack(apic);
    set(EOI, 0);
    ck_assert_uint_eq(eois, 0x61);
}
END_TEST

START_TEST(pic_passes_through_until_the_apic_is_enabled)
{
    board_reset(&r.board, RESET_HARD);
    struct irq_line lint0 = lapic_lint(apic, 0), lint1 = lapic_lint(apic, 1);
    irq_set(&lint0, true);
    irq_pulse(&lint1);
    ck_assert(r.probe[INTR].level);
    ck_assert_uint_eq(r.probe[NMI].rises, 1);
    ck_assert_uint_eq(lapic_intack(apic), 0x08);
    set(SVR, 0x1ff);                          /* LINT0 is masked still */
    ck_assert(!r.probe[INTR].level);
    set(LINT0, 0x700);                        /* virtual wire */
    ck_assert(r.probe[INTR].level);
    ck_assert_uint_eq(lapic_intack(apic), 0x08);
    ck_assert_uint_eq(intacks, 2);
    set(LINT0, 0x10700);
    ck_assert(!r.probe[INTR].level);
}
END_TEST

START_TEST(globally_disabled_apic_is_not_there)
{
    lapic_set_base(apic, 0xfee00100);
    struct irq_line lint0 = lapic_lint(apic, 0), lint1 = lapic_lint(apic, 1);
    irq_set(&lint0, true);
    ck_assert(r.probe[INTR].level);
    ck_assert_uint_eq(lapic_intack(apic), 0x08);
    irq_set(&lint1, true);
    ck_assert_uint_eq(r.probe[NMI].rises, 1);
    fixed(0x41);
    irq_set(&lint0, false);
    ck_assert(!r.probe[INTR].level);
    ck_assert(!lapic_region(apic)->enabled);
    lapic_set_base(apic, 0xfee01900);
    ck_assert_uint_eq(lapic_region(apic)->base, 0xfee01000);
    ck_assert_uint_eq(get(SVR), 0xff);        /* as after reset */
}
END_TEST

START_TEST(lint_entries_deliver_nmi_smi_and_edges)
{
    struct irq_line lint1 = lapic_lint(apic, 1);
    set(LINT1, 0x400);
    irq_pulse(&lint1);
    ck_assert_uint_eq(r.probe[NMI].rises, 1);
    set(LINT1, 0x200);
    irq_pulse(&lint1);
    ck_assert_uint_eq(r.probe[SMI].rises, 1);
    set(LINT1, 0x045);
    irq_pulse(&lint1);
    ck_assert_uint_eq(lapic_intack(apic), 0x45);
}
END_TEST

START_TEST(level_lint_repeats_after_eoi_while_asserted)
{
    struct irq_line lint0 = lapic_lint(apic, 0);
    set(LINT0, 0x8045);
    irq_set(&lint0, true);
    ck_assert_uint_eq(get(LINT0), 0xc045);    /* remote IRR */
    ck_assert_uint_eq(lapic_intack(apic), 0x45);
    ck_assert(!r.probe[INTR].level);
    set(EOI, 0);
    ck_assert(r.probe[INTR].level);
    lapic_intack(apic);
    irq_set(&lint0, false);
    set(EOI, 0);
    ck_assert(!r.probe[INTR].level);
    ck_assert_uint_eq(get(LINT0), 0x8045);
}
END_TEST

START_TEST(logical_destinations_flat_and_cluster)
{
    set(LDR, 0x02000000);
    send(0x02, APIC_FIXED, 0x41, true, false);
    ck_assert(r.probe[INTR].level);
    lapic_intack(apic);
    set(EOI, 0);
    send(0x04, APIC_FIXED, 0x41, true, false);
    ck_assert(!r.probe[INTR].level);
    set(DFR, 0x0fffffff);
    set(LDR, 0x32000000);
    send(0x23, APIC_FIXED, 0x41, true, false);
    ck_assert(!r.probe[INTR].level);
    send(0x33, APIC_FIXED, 0x41, true, false);
    ck_assert(r.probe[INTR].level);
}
END_TEST

START_TEST(icr_sends_to_self_and_refuses_low_vectors)
{
    set(ICR, 0x00040033);                     /* self, fixed */
    ck_assert_uint_eq(lapic_intack(apic), 0x33);
    set(EOI, 0);
    set(ICR, 0x0004000f);
    set(ESR, 0);
    ck_assert_uint_eq(get(ESR), 0x20);        /* send illegal vector */
    set(ESR, 0);
    ck_assert_uint_eq(get(ESR), 0);
    set(ICR, 0x000c0044);                     /* all but self: nobody */
    ck_assert(!r.probe[INTR].level);
    set(ICR, 0x00080044);                     /* all */
    ck_assert(r.probe[INTR].level);
}
END_TEST

START_TEST(icr_reaches_the_other_processor)
{
    struct lapic_pins pins = { .bus = &bus, .id = 1, .bus_clock = bus_clock, .intr = rig_probe(&r, 8),
                               .nmi = rig_probe(&r, 9), .init = rig_probe(&r, 10), .sipi = sipi };
    struct device *other = lapic_create(&r.board, "lapic1", &pins);
    set(ICR_HIGH, 0x01000000);
    set(ICR, 0x00004500);                     /* INIT */
    ck_assert_uint_eq(r.probe[10].rises, 1);
    ck_assert_uint_eq(r.probe[INIT].rises, 0);
    set(ICR, 0x0000469f);                     /* STARTUP at 9F000h */
    ck_assert_uint_eq(sipis, 1);
    ck_assert_uint_eq(sipi_vector, 0x9f);
    set(ICR, 0x00008500);                     /* INIT level de-assert: nothing */
    ck_assert_uint_eq(r.probe[10].rises, 1);
    set(ICR, 0x000c4400);                     /* NMI to all but self */
    ck_assert_uint_eq(r.probe[9].rises, 1);
    ck_assert_uint_eq(r.probe[NMI].rises, 0);
    region_store(lapic_region(other), SVR, 0x1ff, 4);
    region_store(lapic_region(other), TPR, 0x20, 4);
    send(0xff, APIC_LOWEST, 0x55, true, false);
    ck_assert(r.probe[INTR].level && !r.probe[8].level);
    send(0xff, APIC_LOWEST, 0x66, true, false);
    ck_assert(r.probe[8].level);              /* 55h waits at the first: now the second is the less busy */
    ck_assert_uint_eq(lapic_intack(other), 0x66);
}
END_TEST

START_TEST(extint_message_asks_the_pic)
{
    send(0, APIC_EXTINT, 0, false, false);
    ck_assert(r.probe[INTR].level);
    ck_assert_uint_eq(lapic_intack(apic), 0x08);
    ck_assert(!r.probe[INTR].level);
}
END_TEST

START_TEST(one_shot_timer_interrupts_once_at_zero)
{
    set(DIVIDE, 0x0b);                        /* by 1 */
    set(LVT_TIMER, 0x40);
    rig_step_ns(&r, 1000);
    set(INITIAL, 1000);
    rig_step_ns(&r, 4000);
    ck_assert_uint_eq(get(CURRENT), 600);
    ck_assert(rig_step_until(&r, INTR, true, 100000));
    ck_assert(r.probe[INTR].last_rise == VTIME_NS(11000));
    ck_assert_uint_eq(get(CURRENT), 0);
    lapic_intack(apic);
    set(EOI, 0);
    ck_assert(!rig_step_until(&r, INTR, true, 100000));
}
END_TEST

START_TEST(periodic_timer_keeps_its_phase)
{
    set(DIVIDE, 0x03);                        /* by 16: 6.25 MHz */
    set(LVT_TIMER, 0x20040);
    set(INITIAL, 625);                        /* 100 us */
    for (unsigned i = 1; i <= 5; i++) {
        ck_assert(rig_step_until(&r, INTR, true, 1000000));
        ck_assert(r.probe[INTR].last_rise == VTIME_US(100 * i));
        rig_step_ns(&r, 1234);                /* service late */
        lapic_intack(apic);
        set(EOI, 0);
    }
    ck_assert_uint_le(get(CURRENT), 625);
}
END_TEST

START_TEST(masked_timer_counts_and_does_not_interrupt)
{
    set(DIVIDE, 0x0b);
    set(LVT_TIMER, 0x30040);
    set(INITIAL, 1000);
    rig_step_ns(&r, 12500);
    ck_assert_uint_eq(get(CURRENT), 750);
    ck_assert(!timer_armed(r.clock.timers));
    set(LVT_TIMER, 0x20040);
    ck_assert(rig_step_until(&r, INTR, true, 100000));
    ck_assert(r.probe[INTR].last_rise == VTIME_US(20));
}
END_TEST

START_TEST(initial_count_zero_stops_the_timer)
{
    set(LVT_TIMER, 0x20040);
    set(INITIAL, 1000);
    set(INITIAL, 0);
    ck_assert_uint_eq(get(CURRENT), 0);
    ck_assert(!rig_step_until(&r, INTR, true, 1000000));
}
END_TEST

START_TEST(tiny_period_does_not_flood)
{
    set(DIVIDE, 0x0b);
    set(LVT_TIMER, 0x20040);
    set(INITIAL, 1);
    rig_step_ns(&r, 100000);
    ck_assert(r.probe[INTR].level);
    ck_assert_uint_eq(get(CURRENT), 1);
}
END_TEST

START_TEST(divisors)
{
    static const struct { uint8_t code, by; } d[] = { { 0, 2 }, { 1, 4 }, { 2, 8 }, { 3, 16 }, { 8, 32 }, { 9, 64 },
                                                      { 10, 128 }, { 11, 1 } };
    for (unsigned i = 0; i < 8; i++) {
        set(DIVIDE, d[i].code);
        set(INITIAL, 100000);
        rig_step_ns(&r, 12800);               /* 1280 clocks */
        ck_assert_uint_eq(get(CURRENT), 100000 - 1280 / d[i].by);
    }
}
END_TEST

START_TEST(software_disable_masks_the_local_vectors)
{
    set(LVT_TIMER, 0x40);
    set(SVR, 0x0ff);
    ck_assert_uint_eq(get(LVT_TIMER), 0x10040);
    set(LVT_TIMER, 0x40);
    ck_assert_uint_eq(get(LVT_TIMER), 0x10040);
    fixed(0x41);
    ck_assert(!r.probe[INTR].level);
}
END_TEST

START_TEST(errors_interrupt)
{
    set(LVT_ERROR, 0x70);
    fixed(0x05);                              /* receive illegal vector */
    ck_assert_uint_eq(lapic_intack(apic), 0x70);
    set(EOI, 0);
    set(ESR, 0);
    ck_assert_uint_eq(get(ESR), 0x40);
    get(0x3f0);                               /* no such register */
    ck_assert_uint_eq(lapic_intack(apic), 0x70);
    set(LVT_ERROR, 0x05);                     /* an error vector that is illegal itself must not recurse */
    set(ESR, 0);
    fixed(0x06);
    set(ESR, 0);
    ck_assert_uint_eq(get(ESR), 0x40);
}
END_TEST

START_TEST(init_message_resets_but_keeps_the_id)
{
    set(ID, 0x05000000);
    set(TPR, 0x77);
    send(5, APIC_INIT, 0, false, false);
    ck_assert_uint_eq(r.probe[INIT].rises, 1);
    ck_assert_uint_eq(get(ID), 0x05000000);
    ck_assert_uint_eq(get(TPR), 0);
    ck_assert_uint_eq(get(SVR), 0xff);
}
END_TEST

START_TEST(init_pin_resets_like_the_message)
{
    struct irq_line pin = lapic_init_pin(apic);
    set(ID, 0x05000000);
    set(TPR, 0x77);
    fixed(0x91);
    irq_pulse(&pin);
    ck_assert_uint_eq(r.probe[INIT].rises, 1);
    ck_assert(!r.probe[INTR].level);
    ck_assert_uint_eq(get(ID), 0x05000000);
    ck_assert_uint_eq(get(TPR), 0);
    ck_assert_uint_eq(get(SVR), 0xff);
}
END_TEST

START_TEST(version_tells_how_many_entries_there_are)
{
    static const struct { uint8_t version; uint32_t shown; bool perf, thermal; } rows[] = {
        { LAPIC_PENTIUM, 0x30010, false, false }, { LAPIC_P6, 0x40011, true, false }, { LAPIC_PENTIUM4, 0x50014, true, true },
    };
    static const char *const ids[] = { "lapic.5", "lapic.6", "lapic.15" };
    for (unsigned i = 0; i < 3; i++) {
        struct apic_bus alone = { .units = 0 };
        apic = lapic_create(&r.board, ids[i], &(struct lapic_pins){ .bus = &alone, .id = 1, .bus_clock = bus_clock,
                            .version = rows[i].version });
        set(SVR, 0x1ff);
        ck_assert_uint_eq(get(VERSION), rows[i].shown);
        ck_assert_uint_eq(get(0x330), rows[i].thermal ? 0x10000 : 0);
        ck_assert_uint_eq(get(0x340), rows[i].perf ? 0x10000 : 0);
        set(ESR, 0);
        ck_assert_uint_eq(get(ESR), rows[i].thermal ? 0 : 0x80);      /* no such register */
    }
}
END_TEST

/* What is not modelled: this shows it, and has to change with it. */
START_TEST(counter_overflow_fires_its_entry_once)
{
    struct irq_line perf = lapic_perf(apic);
    irq_pulse(&perf);
    ck_assert(!r.probe[INTR].level && !r.probe[NMI].level);
    set(LVT_PERF, 0x61);
    irq_pulse(&perf);
    ck_assert(r.probe[INTR].level);
    ck_assert_uint_eq(get(LVT_PERF), 0x10061);                       /* 10.5.1: masks itself */
    ck_assert_uint_eq(lapic_intack(apic), 0x61);
    set(EOI, 0);
    irq_pulse(&perf);
    ck_assert(!r.probe[INTR].level);
    set(LVT_PERF, 0x400);
    irq_pulse(&perf);
    ck_assert_uint_eq(r.probe[NMI].rises, 1);
}
END_TEST

START_TEST(messages_arrive_before_their_status_can_be_read)
{
    set(0x340, 0x44);                         /* counters and heat: nothing drives these entries */
    set(0x330, 0x45);
    set(ICR_HIGH, 0);
    set(ICR, 0x41);
    ck_assert_uint_eq(get(ICR) & 0x1000, 0);
    ck_assert(r.probe[INTR].level);
    rig_step_ns(&r, 1000000000);
    ck_assert_uint_eq(get(IRR + 0x20), 2);
    ck_assert_uint_eq(get(0x340), 0x44);
    ck_assert_uint_eq(get(0x330), 0x45);
}
END_TEST

START_TEST(state_is_complete)
{
    set(LVT_TIMER, 0x20040);
    set(INITIAL, 1000);
    fixed(0x55);
    rig_check_device(apic);
}
END_TEST

static void poke(struct rig *on, struct device *d, uint64_t random)
{
    (void)on;
    struct irq_line l = lapic_lint(d, random & 1);
    l.level = !(random & 2);
    irq_set(&l, random & 2);
    send((uint8_t)(random >> 8), random >> 4 & 7, (uint8_t)(random >> 16), random & 4, random & 8);
    lapic_intack(d);
}

START_TEST(random_accesses_do_no_harm)
{
    const struct rig_window w[] = { { 0xfee00000, 0x1000, true } };
    rig_fuzz_seeds(make, w, 1, poke);
}
END_TEST

int main(void)
{
    return rig_run("lapic", setup, teardown, RIG_TESTS(
        &registers_after_reset, &request_service_and_end, &higher_class_preempts_lower_class_waits,
        &task_priority_holds_back_its_class, &withdrawn_request_gives_the_spurious_vector, &level_message_sends_eoi,
        &pic_passes_through_until_the_apic_is_enabled, &globally_disabled_apic_is_not_there,
        &lint_entries_deliver_nmi_smi_and_edges, &level_lint_repeats_after_eoi_while_asserted,
        &logical_destinations_flat_and_cluster, &icr_sends_to_self_and_refuses_low_vectors,
        &icr_reaches_the_other_processor,
        &extint_message_asks_the_pic, &one_shot_timer_interrupts_once_at_zero, &periodic_timer_keeps_its_phase,
        &masked_timer_counts_and_does_not_interrupt, &initial_count_zero_stops_the_timer, &tiny_period_does_not_flood,
        &divisors, &software_disable_masks_the_local_vectors, &errors_interrupt, &init_message_resets_but_keeps_the_id,
        &init_pin_resets_like_the_message, &version_tells_how_many_entries_there_are,
        &counter_overflow_fires_its_entry_once,
        &messages_arrive_before_their_status_can_be_read, &state_is_complete, &random_accesses_do_no_harm));
}
