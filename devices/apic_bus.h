/* The APIC bus: three wires that carry interrupt messages between the I/O APIC and the local APICs.
 *
 * A message is delivered at once, so the bus has no state of its own. The machine owns the struct (all zero to begin
 * with); APICs join it in create. Machine's thread only. Intel SDM vol. 3 chapter 10; 82093AA datasheet. */
#ifndef DEVICES_APIC_BUS_H
#define DEVICES_APIC_BUS_H

#include <stdbool.h>
#include <stdint.h>

enum apic_mode {                              /* delivery mode field of ICR, LVT and redirection entries */
    APIC_FIXED = 0, APIC_LOWEST = 1, APIC_SMI = 2, APIC_REMOTE_READ = 3, APIC_NMI = 4, APIC_INIT = 5, APIC_STARTUP = 6,
    APIC_EXTINT = 7,
};

struct apic_message {
    uint8_t dest;                             /* physical id or logical mask */
    bool logical;
    uint8_t mode;                             /* enum apic_mode */
    uint8_t vector;
    bool level;                               /* trigger mode: level */
};

/* What a local APIC offers to the bus. */
struct apic_unit {
    void *apic;
    bool (*matches)(void *apic, uint8_t dest, bool logical);
    uint8_t (*priority)(void *apic);          /* arbitration priority, for lowest-priority delivery */
    void (*accept)(void *apic, const struct apic_message *m);
};

#define APIC_BUS_UNITS 16
#define APIC_BUS_IOAPICS 2
struct apic_bus {
    struct apic_unit unit[APIC_BUS_UNITS];
    unsigned units;
    struct { void *ioapic; void (*eoi)(void *ioapic, uint8_t vector); } ioapic[APIC_BUS_IOAPICS];
    unsigned ioapics;
};

void apic_bus_join(struct apic_bus *b, const struct apic_unit *u);
void apic_bus_join_ioapic(struct apic_bus *b, void *ioapic, void (*eoi)(void *ioapic, uint8_t vector));
/* Sends to every unit the destination names (lowest priority: to one of them). False if nobody accepted. */
bool apic_bus_send(struct apic_bus *b, const struct apic_message *m);
/* To one unit in particular (the shorthand "self"), or to all, with or without one (`except` may be NULL). */
void apic_bus_send_to(struct apic_bus *b, void *apic, const struct apic_message *m);
void apic_bus_send_all(struct apic_bus *b, void *except, const struct apic_message *m);
/* EOI message of a level-triggered vector. */
void apic_bus_eoi(struct apic_bus *b, uint8_t vector);

#endif
