/* Wires: joins, splits and edges. */
#include <stdlib.h>

#include "base/irq.h"
#include "base/state.h"
#include "tests/suite.h"

struct probe { unsigned calls; bool level; unsigned pin; };

static void probe_set(void *opaque, unsigned pin, bool level)
{
    struct probe *p = opaque;
    p->calls++;
    p->level = level;
    p->pin = pin;
}

START_TEST(same_level_is_not_told_twice)
{
    struct probe p = { 0 };
    struct irq_line l = IRQ_LINE(probe_set, &p, 5);
    irq_set(&l, false);
    ck_assert_uint_eq(p.calls, 0);
    irq_set(&l, true);
    irq_set(&l, true);
    ck_assert_uint_eq(p.calls, 1);
    ck_assert_uint_eq(p.pin, 5);
    irq_pulse(&l);                       /* already high: only the falling edge remains */
    ck_assert_uint_eq(p.calls, 2);
    ck_assert(!p.level);
    irq_pulse(&l);
    ck_assert_uint_eq(p.calls, 4);
}
END_TEST

START_TEST(unconnected_wire_remembers_its_level)
{
    struct irq_line l = { 0 };
    irq_set(&l, true);
    ck_assert(l.level);
}
END_TEST

START_TEST(join_is_high_while_any_source_is)
{
    struct probe p = { 0 };
    struct irq_or o = { .out = IRQ_LINE(probe_set, &p, 0) };
    struct irq_line a = irq_or_input(&o, 0), b = irq_or_input(&o, 63);
    irq_set(&a, true);
    irq_set(&b, true);
    ck_assert_uint_eq(p.calls, 1);
    irq_set(&a, false);
    ck_assert(p.level);
    ck_assert_uint_eq(o.sources, 1ull << 63);
    irq_set(&b, false);
    ck_assert(!p.level);
    ck_assert_uint_eq(p.calls, 2);
}
END_TEST

START_TEST(split_drives_every_branch)
{
    struct probe p[2] = { { 0 } };
    struct irq_split s = { .out = { IRQ_LINE(probe_set, &p[0], 3), IRQ_LINE(probe_set, &p[1], 7) } };
    struct irq_line in = irq_split_input(&s);
    irq_set(&in, true);
    ck_assert(p[0].level && p[1].level);
    ck_assert_uint_eq(p[0].pin, 3);
    ck_assert_uint_eq(p[1].pin, 7);
    irq_set(&in, false);
    ck_assert(!p[0].level && !p[1].level);
}
END_TEST

START_TEST(tables_name_every_byte)
{
    ck_assert_uint_eq(state_uncovered(&irq_or_state, stderr), 0);
    ck_assert_uint_eq(state_uncovered(&irq_split_state, stderr), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("irq");
    TCase *t = tcase_create("wires");
    tcase_add_test(t, same_level_is_not_told_twice);
    tcase_add_test(t, unconnected_wire_remembers_its_level);
    tcase_add_test(t, join_is_high_while_any_source_is);
    tcase_add_test(t, split_drives_every_branch);
    tcase_add_test(t, tables_name_every_byte);
    suite_add_tcase(s, t);
    return suite_main(s);
}
