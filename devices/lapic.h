/* The local APIC of one CPU. Sits between the 8259A's INTR (LINT0) and the CPU's INTR pin. Machine's thread only.
 * Intel SDM vol. 3 chapter 10. */
#ifndef DEVICES_LAPIC_H
#define DEVICES_LAPIC_H

#include "devices/apic_bus.h"
#include "devices/device.h"

enum { LAPIC_PENTIUM = 0x10, LAPIC_P6 = 0x11, LAPIC_PENTIUM4 = 0x14 };      /* version register, bits 0-7 */

struct lapic_pins {
    struct apic_bus *bus;
    uint8_t id;                               /* initial APIC id; 0 is the bootstrap processor */
    uint8_t version;                          /* 0: LAPIC_PENTIUM4 */
    struct clk bus_clock;                     /* what the timer divides: { 100000000, 1 } */
    struct irq_line intr, nmi, smi, init;     /* the CPU's pins: intr is a level, the others pulse */
    void (*sipi)(void *opaque, uint8_t vector);   /* start-up IPI; may be NULL */
    uint8_t (*extint)(void *opaque);          /* interrupt acknowledge cycle to the 8259A */
    void *sipi_opaque, *extint_opaque;
};

struct device *lapic_create(struct board *b, const char *id, const struct lapic_pins *pins);
/* The register page, for cpu_set_apic(); not on the physical map. */
struct region *lapic_region(struct device *d);
/* LINT0 (the 8259A's INTR) and LINT1 (NMI) inputs. */
struct irq_line lapic_lint(struct device *d, unsigned n);
/* A performance counter of the CPU overflowed (rising edge). */
struct irq_line lapic_perf(struct device *d);
/* The CPU's INIT# pin: resets the APIC and passes on to pins.init. */
struct irq_line lapic_init_pin(struct device *d);
/* struct cpu_pins.intack, with the device as opaque. */
uint8_t lapic_intack(void *d);
/* struct cpu_pins.apic_base, with the device as opaque: IA32_APIC_BASE was written. */
void lapic_set_base(void *d, uint64_t msr);

#endif
