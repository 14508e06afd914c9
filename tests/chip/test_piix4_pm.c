/* The PIIX4's power management function (datasheet 290562, 7.1 to 7.3, 11). */
#include "devices/piix4_pm.h"
#include "tests/chip/rig.h"

enum { DEVFN = 1 << 3 | 3, PM = 0x600, SMB = 0x700, SCI = 0, SMI = 1 };
enum { PMSTS = 0, PMEN = 2, PMCNTRL = 4, PMTMR = 8, GLBSTS = 0x18, GLBEN = 0x20, GLBCTL = 0x28 };
enum { TMROF = 1, GBL = 0x20, PWRBTN = 0x100 };

static struct rig r;
static struct pci_bus *bus;
static struct device *pm;

static void config(unsigned off, uint32_t v, unsigned size) { pci_config_write(bus, DEVFN, off, v, size); }

static struct device *make(struct rig *on)
{
    struct pci_pins pci_pins = { .inta = { { .set = NULL } } };
    bus = pci_bus_create(&on->board, "pci", &pci_pins);
    struct piix4_pm_pins pins = { .bus = bus, .sci = rig_probe(on, SCI), .smi = rig_probe(on, SMI) };
    struct device *d = piix4_pm_create(&on->board, "pm", &pins);
    /* As SeaBIOS does it. */
    config(0x40, PM | 1, 4);
    config(0x80, 1, 1);
    config(0x90, SMB | 1, 4);
    config(0xd2, 0x09, 1);
    config(0x04, 1, 2);
    return d;
}

static void setup(void) { rig_init(&r); pm = make(&r); }
static void teardown(void) { rig_fini(&r); }

static const struct clk pm_clock = { 39375000, 11 };

START_TEST(blocks_answer_where_their_bases_say)
{
    ck_assert_uint_eq(rig_in32(&r, PM), 0);
    config(0x40, 0x1000, 4);
    ck_assert_uint_eq(rig_in32(&r, PM), 0xffffffff);
    ck_assert_uint_eq(rig_in32(&r, 0x1000), 0);
    ck_assert_uint_eq(pci_config_read(bus, DEVFN, 0x40, 4), 0x1001);   /* the I/O indicator is hardwired */
    config(0x80, 0, 1);
    ck_assert_uint_eq(rig_in32(&r, 0x1000), 0xffffffff);
    ck_assert_uint_eq(rig_in8(&r, SMB), 0);
    config(0xd2, 0x08, 1);
    ck_assert_uint_eq(rig_in8(&r, SMB), 0xff);
}
END_TEST

START_TEST(timer_counts_3_58_mhz_in_24_bits)
{
    rig_step_to(&r, clk_time_of(pm_clock, 1000));
    ck_assert_uint_eq(rig_in32(&r, PM + PMTMR), 1000);
    rig_step_to(&r, clk_time_of(pm_clock, 0xffffff));
    ck_assert_uint_eq(rig_in32(&r, PM + PMTMR), 0xffffff);
    rig_step_to(&r, clk_time_of(pm_clock, 0x1000005));
    ck_assert_uint_eq(rig_in32(&r, PM + PMTMR), 5);
    ck_assert_uint_eq(rig_in8(&r, PM + PMTMR + 1), 0);
}
END_TEST

START_TEST(overflow_status_sets_each_time_the_top_bit_changes)
{
    rig_step_to(&r, clk_time_of(pm_clock, 0x7fffff));
    ck_assert_uint_eq(rig_in16(&r, PM + PMSTS) & TMROF, 0);
    rig_step_to(&r, clk_time_of(pm_clock, 0x800000));
    ck_assert_uint_eq(rig_in16(&r, PM + PMSTS) & TMROF, TMROF);
    rig_out16(&r, PM + PMSTS, TMROF);
    ck_assert_uint_eq(rig_in16(&r, PM + PMSTS) & TMROF, 0);
    rig_step_to(&r, clk_time_of(pm_clock, 0x1000000));
    ck_assert_uint_eq(rig_in16(&r, PM + PMSTS) & TMROF, TMROF);
    ck_assert(!r.probe[SCI].level);
}
END_TEST

START_TEST(overflow_interrupts_at_the_very_tick)
{
    rig_out16(&r, PM + PMCNTRL, 1);
    rig_out16(&r, PM + PMEN, TMROF);
    ck_assert(rig_step_until(&r, SCI, true, 3000000000u));
    ck_assert(r.probe[SCI].last_rise == clk_time_of(pm_clock, 0x800000));
    rig_out16(&r, PM + PMSTS, TMROF);
    ck_assert(!r.probe[SCI].level);
    ck_assert(rig_step_until(&r, SCI, true, 3000000000u));
    ck_assert(r.probe[SCI].last_rise == clk_time_of(pm_clock, 0x1000000));
}
END_TEST

START_TEST(power_button_raises_sci_when_enabled)
{
    rig_out16(&r, PM + PMCNTRL, 1);
    piix4_pm_power_button(pm);
    ck_assert(!r.probe[SCI].level);
    ck_assert_uint_eq(rig_in16(&r, PM + PMSTS), PWRBTN);
    rig_out16(&r, PM + PMEN, PWRBTN);
    ck_assert(r.probe[SCI].level);
    rig_out16(&r, PM + PMSTS, PWRBTN);
    ck_assert(!r.probe[SCI].level);
}
END_TEST

START_TEST(real_time_clock_raises_sci_when_enabled)
{
    rig_out16(&r, PM + PMCNTRL, 1);
    piix4_pm_rtc(pm);
    ck_assert(!r.probe[SCI].level);
    ck_assert_uint_eq(rig_in16(&r, PM + PMSTS), 0x400);
    rig_out16(&r, PM + PMEN, 0x400);
    ck_assert(r.probe[SCI].level);
    rig_out16(&r, PM + PMSTS, 0x400);
    ck_assert(!r.probe[SCI].level);
}
END_TEST

START_TEST(events_call_smm_while_acpi_is_off)
{
    rig_out16(&r, PM + PMEN, PWRBTN);
    rig_out32(&r, PM + GLBCTL, 1);
    piix4_pm_power_button(pm);
    ck_assert(!r.probe[SCI].level);
    ck_assert_uint_eq(r.probe[SMI].rises, 1);
}
END_TEST

START_TEST(sleep_type_0_powers_off)
{
    rig_out16(&r, PM + PMCNTRL, 0x0001);
    ck_assert_uint_eq(r.requests, 0);
    rig_out16(&r, PM + PMCNTRL, 0x2001);
    ck_assert_uint_eq(r.requests, 1);
    ck_assert_int_eq(r.request, BOARD_POWER_OFF);
    ck_assert_uint_eq(rig_in16(&r, PM + PMCNTRL), 0x0001);     /* SUS_EN reads as 0 */
}
END_TEST

START_TEST(other_sleep_types_do_not_power_off)
{
    rig_out16(&r, PM + PMCNTRL, 0x2400);
    ck_assert_uint_eq(r.requests, 0);
    ck_assert_uint_eq(rig_in16(&r, PM + PMCNTRL), 0x0400);
}
END_TEST

START_TEST(sleep_enable_in_the_high_byte_alone_works)
{
    rig_out8(&r, PM + PMCNTRL + 1, 0x20);
    ck_assert_uint_eq(r.requests, 1);
}
END_TEST

START_TEST(apmc_write_raises_smi_if_enabled)
{
    rig_out8(&r, 0xb3, 0x01);
    rig_out8(&r, 0xb2, 0x00);
    ck_assert_uint_eq(r.probe[SMI].rises, 0);
    config(0x58, 1u << 25, 4);
    rig_out8(&r, 0xb2, 0x5a);
    ck_assert_uint_eq(r.probe[SMI].rises, 1);
    rig_out8(&r, 0xb2, 0x5a);
    ck_assert_uint_eq(r.probe[SMI].rises, 2);
    ck_assert_uint_eq(rig_in8(&r, 0xb2), 0x5a);
    ck_assert_uint_eq(rig_in8(&r, 0xb3), 0x01);
    ck_assert_uint_eq(rig_in16(&r, PM + GLBSTS) & 0x20, 0x20);
}
END_TEST

START_TEST(acpi_commands_switch_sci_enable)
{
    rig_out8(&r, 0xb2, 0xf1);
    ck_assert_uint_eq(rig_in16(&r, PM + PMCNTRL) & 1, 1);
    rig_out8(&r, 0xb2, 0xf0);
    ck_assert_uint_eq(rig_in16(&r, PM + PMCNTRL) & 1, 0);
}
END_TEST

START_TEST(global_lock_releases_signal_the_other_side)
{
    rig_out16(&r, PM + PMCNTRL, 1);
    rig_out16(&r, PM + PMEN, GBL);
    rig_out32(&r, PM + GLBCTL, 3);            /* BIOS_RLS: tell ACPI */
    ck_assert(r.probe[SCI].level);
    ck_assert_uint_eq(rig_in32(&r, PM + GLBCTL) & 2, 0);
    rig_out16(&r, PM + GLBEN, 2);
    rig_out16(&r, PM + PMCNTRL, 5);           /* GBL_RLS: tell the BIOS */
    ck_assert_uint_eq(r.probe[SMI].rises, 1);
}
END_TEST

START_TEST(smbus_address_is_not_acknowledged)
{
    rig_out8(&r, SMB + 4, 0xa1);
    rig_out8(&r, SMB + 2, 0x48);
    ck_assert_uint_eq(rig_in8(&r, SMB), 0x01);                 /* busy */
    rig_step_ns(&r, 1000000);
    ck_assert_uint_eq(rig_in8(&r, SMB), 0x04);                 /* device error */
    ck_assert(!r.probe[SCI].level);
    rig_out8(&r, SMB, 0x04);
    ck_assert_uint_eq(rig_in8(&r, SMB), 0);
}
END_TEST

START_TEST(smbus_error_interrupts_as_configured)
{
    rig_out8(&r, SMB + 2, 0x49);
    rig_step_ns(&r, 1000000);
    ck_assert(r.probe[SCI].level);            /* INTRSEL 100: IRQ9 */
    rig_out8(&r, SMB, 0x1e);
    ck_assert(!r.probe[SCI].level);
    config(0xd2, 0x01, 1);                    /* INTRSEL 000: SMI# */
    rig_out8(&r, SMB + 2, 0x49);
    rig_step_ns(&r, 1000000);
    ck_assert(!r.probe[SCI].level);
    ck_assert_uint_eq(r.probe[SMI].rises, 1);
}
END_TEST

START_TEST(smbus_kill_ends_the_transaction_as_failed)
{
    rig_out8(&r, SMB + 2, 0x40);
    rig_out8(&r, SMB + 2, 0x02);
    ck_assert_uint_eq(rig_in8(&r, SMB), 0x10);
    rig_step_ns(&r, 1000000);
    ck_assert_uint_eq(rig_in8(&r, SMB), 0x10);
}
END_TEST

START_TEST(reset_takes_everything_back)
{
    piix4_pm_power_button(pm);
    rig_out16(&r, PM + PMEN, PWRBTN);
    rig_out16(&r, PM + PMCNTRL, 1);
    board_reset(&r.board, RESET_HARD);
    ck_assert(!r.probe[SCI].level);
    ck_assert_uint_eq(rig_in32(&r, PM), 0xffffffff);
    ck_assert_uint_eq(pci_config_read(bus, DEVFN, 0x58, 4), 0);
}
END_TEST

START_TEST(state_is_complete)
{
    rig_out16(&r, PM + PMEN, TMROF);
    rig_out8(&r, SMB + 2, 0x40);
    rig_check_device(pm);
}
END_TEST

static void poke(struct rig *on, struct device *d, uint64_t random)
{
    (void)on;
    if (random & 1) piix4_pm_power_button(d);
    config(0x40, PM, 2);
    config(0x90, SMB, 2);
    config(0x80, random >> 1 & 1, 1);
    config(0xd2, random >> 2 & 0x0f, 1);
}

START_TEST(random_accesses_do_no_harm)
{
    const struct rig_window w[] = { { PM, 64, false }, { SMB, 16, false }, { 0xb2, 2, false }, { 0xcf8, 8, false } };
    rig_fuzz_seeds(make, w, 4, poke);
}
END_TEST

int main(void)
{
    return rig_run("piix4_pm", setup, teardown, RIG_TESTS(
        &blocks_answer_where_their_bases_say, &timer_counts_3_58_mhz_in_24_bits,
        &overflow_status_sets_each_time_the_top_bit_changes, &overflow_interrupts_at_the_very_tick,
        &power_button_raises_sci_when_enabled, &real_time_clock_raises_sci_when_enabled,
        &events_call_smm_while_acpi_is_off, &sleep_type_0_powers_off,
        &other_sleep_types_do_not_power_off, &sleep_enable_in_the_high_byte_alone_works, &apmc_write_raises_smi_if_enabled,
        &acpi_commands_switch_sci_enable, &global_lock_releases_signal_the_other_side, &smbus_address_is_not_acknowledged,
        &smbus_error_interrupts_as_configured, &smbus_kill_ends_the_transaction_as_failed, &reset_takes_everything_back,
        &state_is_complete, &random_accesses_do_no_harm));
}
