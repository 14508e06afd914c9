/* What the processor tells about the program it runs: branch records, stepping by branches, performance counters. */
#include "tests/unit/cpu_rig.h"

enum { DEBUGCTL = 0x1d9, LER_FROM = 0x1d7, TOS = 0x1da, BRANCH_FROM = 0x1db, BRANCH_TO = 0x1dc, INT_FROM = 0x1dd, INT_TO = 0x1de,
       FROM_16 = 0x680, TO_16 = 0x6c0, PERFCTR = 0xc1, EVNTSEL = 0x186, CESR = 0x11, CTR = 0x12, HANDLER = 0x7000 };
enum { USER = 1 << 16, SYSTEM = 1 << 17, INTERRUPT = 1 << 20, ENABLE = 1 << 22 };

/* Flat code at RIG_CODE; every gate leads to two NOPs and a HLT. */
static struct rig *program(const char *model, unsigned cpl, const uint8_t *code, unsigned len)
{
    struct rig *r = rig_create(model);
    memcpy(rig_at(r, RIG_CODE), code, len);
    for (unsigned v = 0; v < 256; v++) rig_gate(r, RIG_IDT + 8 * v, K_CODE, HANDLER, A_INT32 | 0x60, 0);
    memcpy(rig_at(r, HANDLER), "\x90\x90\xf4", 3);
    rig_protected(r, cpl);
    return r;
}
#define PROGRAM(model, cpl, ...) program(model, cpl, (const uint8_t[]){ __VA_ARGS__ }, sizeof (const uint8_t[]){ __VA_ARGS__ })

static uint64_t msr(struct rig *r, uint32_t index)
{
    uint64_t v = ~0ull;
    ck_assert(msr_read(r->c, index, &v));
    return v;
}

START_TEST(the_p6_keeps_the_last_branch_and_the_one_before_an_interrupt)
{
    struct rig *r = PROGRAM("pentium3", 0, 0xeb, 2, 0xf4, 0xf4, 0x74, 0, 0x90, 0xcd, 0x40);   /* jmp +2; jz, not taken; nop; int */
    msr_write(r->c, DEBUGCTL, 1);
    cpu_run(r->c, 1);
    ck_assert_uint_eq(msr(r, BRANCH_FROM), RIG_CODE);
    ck_assert_uint_eq(msr(r, BRANCH_TO), RIG_CODE + 4);
    cpu_run(r->c, 100);
    ck_assert_uint_eq(msr(r, INT_FROM), RIG_CODE);
    ck_assert_uint_eq(msr(r, INT_TO), RIG_CODE + 4);
    ck_assert_uint_eq(msr(r, BRANCH_FROM), RIG_CODE + 7);
    ck_assert_uint_eq(msr(r, BRANCH_TO), HANDLER);
    ck_assert(!msr_write(r->c, BRANCH_FROM, 0));
    rig_destroy(r);
}
END_TEST

START_TEST(without_lbr_nothing_is_recorded)
{
    struct rig *r = PROGRAM("pentium3", 0, 0xeb, 2, 0xf4, 0xf4, 0xcd, 0x40);
    cpu_run(r->c, 100);
    ck_assert_uint_eq(msr(r, BRANCH_FROM) | msr(r, BRANCH_TO) | msr(r, INT_FROM), 0);
    rig_destroy(r);
}
END_TEST

START_TEST(the_pentium_4_keeps_a_ring_of_linear_addresses)
{
    struct rig *r = PROGRAM("pentium4", 0, 0xe2, 0xfe, 0x0f, 0x0b);                       /* loop $; ud2 */
    r->c->r[R_CX] = 20;
    r->c->seg[SEG_CS].base = 0x1000;
    r->c->rip = RIG_CODE - 0x1000;
    cpu_mode_changed(r->c);
    msr_write(r->c, DEBUGCTL, 1);
    cpu_run(r->c, 19);
    ck_assert_uint_eq(msr(r, TOS), 19 % 16);
    for (unsigned n = 0; n < 16; n++) ck_assert_uint_eq(msr(r, FROM_16 + n), RIG_CODE);
    ck_assert_uint_eq(msr(r, TO_16 + 3), RIG_CODE);
    cpu_run(r->c, 2);                                                                     /* falls through; #UD */
    ck_assert_uint_eq(msr(r, TOS), 4);
    ck_assert_uint_eq(msr(r, FROM_16 + 4), RIG_CODE + 2);
    ck_assert_uint_eq(msr(r, TO_16 + 4), HANDLER);
    ck_assert_uint_eq(msr(r, LER_FROM), RIG_CODE);
    uint64_t v;
    ck_assert(!msr_read(r->c, BRANCH_FROM, &v));                                          /* the P6's places */
    rig_destroy(r);
}
END_TEST

START_TEST(a_debug_exception_is_not_recorded_and_ends_the_recording)
{
    struct rig *r = PROGRAM("pentium3", 0, 0xeb, 0, 0xf1, 0xf4);                          /* jmp +0; icebp */
    msr_write(r->c, DEBUGCTL, 1);
    cpu_run(r->c, 100);
    ck_assert_uint_eq(msr(r, DEBUGCTL), 0);
    ck_assert_uint_eq(msr(r, BRANCH_FROM), RIG_CODE);
    ck_assert_uint_eq(msr(r, BRANCH_TO), RIG_CODE + 2);
    ck_assert_uint_eq(msr(r, INT_FROM), 0);
    rig_destroy(r);
}
END_TEST

START_TEST(btf_steps_by_taken_branches)
{
    struct rig *r = PROGRAM("pentium3", 0, 0x40, 0x74, 0, 0x40, 0x75, 0, 0x40, 0xf4);     /* inc; jz +0; inc; jnz +0; inc; hlt */
    eflags_set(r->c, eflags_get(r->c) | FL_TF);
    msr_write(r->c, DEBUGCTL, 2);
    cpu_run(r->c, 100);
    ck_assert_uint_eq(r->c->r[R_AX], 2);
    ck_assert_uint_eq(r->c->dr[6] & 0xe00f, 0x4000);
    ck_assert_uint_eq(rig_r32(r, (uint32_t)r->c->r[R_SP]), RIG_CODE + 6);
    ck_assert_uint_eq(msr(r, DEBUGCTL), 0);                                               /* from here on by instructions */
    rig_destroy(r);
}
END_TEST

START_TEST(counters_count_at_the_levels_that_are_selected)
{
    struct rig *r = PROGRAM("pentium3", 3, 0x40, 0x40, 0x40, 0xcd, 0x40);  /* three of level 3; INT n and three more of 0 */
    msr_write(r->c, EVNTSEL, 0xc0 | USER | ENABLE);
    msr_write(r->c, EVNTSEL + 1, 0xc0 | SYSTEM);
    cpu_run(r->c, 2);
    ck_assert_uint_eq(msr(r, PERFCTR), 2);
    ck_assert_uint_eq(msr(r, PERFCTR + 1), 0);
    cpu_run(r->c, 100);
    ck_assert_uint_eq(msr(r, PERFCTR), 3);
    ck_assert_uint_eq(msr(r, PERFCTR + 1), 4);
    rig_destroy(r);
}
END_TEST

START_TEST(other_events_stay_where_they_are)
{
    struct rig *r = PROGRAM("pentium3", 0, 0x40, 0x40, 0x40, 0xf4);
    msr_write(r->c, PERFCTR, 7);
    msr_write(r->c, EVNTSEL, 0xc4 | USER | SYSTEM | ENABLE);                              /* branches */
    msr_write(r->c, EVNTSEL + 1, 0xc0 | USER | SYSTEM | 1u << 24);                        /* clocks with an instruction */
    cpu_run(r->c, 100);
    ck_assert_uint_eq(msr(r, PERFCTR), 7);
    ck_assert_uint_eq(msr(r, PERFCTR + 1), 0);
    rig_destroy(r);
}
END_TEST

static void count_pulse(void *opaque, unsigned pin, bool level)
{
    (void)pin;
    *(unsigned *)opaque += level;
}

START_TEST(an_overflow_pulses_at_its_instruction)
{
    struct rig *r = PROGRAM("pentium3", 0, 0x40, 0xeb, 0xfd);                             /* inc eax; jmp */
    unsigned pulses = 0;
    cpu_wire(r->c, (struct irq_line){ 0 }, IRQ_LINE(count_pulse, &pulses, 0));
    msr_write(r->c, PERFCTR, (uint32_t)-1000);
    msr_write(r->c, EVNTSEL, 0xc0 | USER | SYSTEM | INTERRUPT | ENABLE);
    ck_assert_uint_eq(clock_insns_until(&r->clock, clock_deadline(&r->clock)), 1000);
    cpu_run(r->c, 999);
    clock_run_due(&r->clock);
    ck_assert_uint_eq(pulses, 0);
    cpu_run(r->c, 1);
    clock_run_due(&r->clock);
    ck_assert_uint_eq(pulses, 1);
    ck_assert_uint_eq(msr(r, PERFCTR), 0);
    msr_write(r->c, PERFCTR, (uint32_t)-10);
    msr_write(r->c, EVNTSEL, 0xc0 | USER | SYSTEM | ENABLE);                              /* not asked for */
    cpu_run(r->c, 20);
    clock_run_due(&r->clock);
    ck_assert_uint_eq(pulses, 1);
    ck_assert_uint_eq(msr(r, PERFCTR), 10);
    rig_destroy(r);
}
END_TEST

static uint8_t vector(void *opaque)
{
    struct irq_line intr = cpu_pin(opaque, CPU_PIN_INTR);
    intr.level = true;
    irq_set(&intr, false);
    return 0x40;
}

START_TEST(the_pentium_counts_instructions_and_interrupts)
{
    struct rig *r = PROGRAM("pentium", 0, 0x40, 0x40, 0x40, 0xf4);
    r->c->pins.intack = vector;
    r->c->pins.intack_opaque = r->c;
    eflags_set(r->c, eflags_get(r->c) | FL_IF);
    msr_write(r->c, CESR, 0x16 | 1 << 6 | (uint64_t)(0x27 | 3 << 6) << 16);               /* level 0 to 2; any */
    msr_write(r->c, CTR + 1, 5);
    cpu_run(r->c, 3);
    struct irq_line intr = cpu_pin(r->c, CPU_PIN_INTR);
    irq_set(&intr, true);
    cpu_run(r->c, 1);                                                                     /* the delivery counts one */
    ck_assert_uint_eq(msr(r, CTR), 4);
    ck_assert_uint_eq(msr(r, CTR + 1), 6);
    msr_write(r->c, CESR, 0x16 | 2 << 6);                                                 /* level 3 only */
    cpu_run(r->c, 2);
    ck_assert_uint_eq(msr(r, CTR), 4);
    rig_destroy(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu monitor");
    TCase *t = tcase_create("branches and counters");
    tcase_add_test(t, the_p6_keeps_the_last_branch_and_the_one_before_an_interrupt);
    tcase_add_test(t, without_lbr_nothing_is_recorded);
    tcase_add_test(t, the_pentium_4_keeps_a_ring_of_linear_addresses);
    tcase_add_test(t, a_debug_exception_is_not_recorded_and_ends_the_recording);
    tcase_add_test(t, btf_steps_by_taken_branches);
    tcase_add_test(t, counters_count_at_the_levels_that_are_selected);
    tcase_add_test(t, other_events_stay_where_they_are);
    tcase_add_test(t, an_overflow_pulses_at_its_instruction);
    tcase_add_test(t, the_pentium_counts_instructions_and_interrupts);
    suite_add_tcase(s, t);
    return suite_main(s);
}
