/* Delivery on the APIC bus. Lowest-priority arbitration takes the unit with the lowest priority number, and of equals
 * the first that joined: fixed, so that a run repeats (hardware rotates among equals). */
#include "devices/apic_bus.h"

#include <assert.h>
#include <stddef.h>

void apic_bus_join(struct apic_bus *b, const struct apic_unit *u)
{
    assert(b->units < APIC_BUS_UNITS);
    b->unit[b->units++] = *u;
}

void apic_bus_join_ioapic(struct apic_bus *b, void *ioapic, void (*eoi)(void *ioapic, uint8_t vector))
{
    assert(b->ioapics < APIC_BUS_IOAPICS);
    b->ioapic[b->ioapics].ioapic = ioapic;
    b->ioapic[b->ioapics++].eoi = eoi;
}

bool apic_bus_send(struct apic_bus *b, const struct apic_message *m)
{
    const struct apic_unit *lowest = NULL;
    bool sent = false;
    for (unsigned i = 0; i < b->units; i++) {
        const struct apic_unit *u = &b->unit[i];
        if (!u->matches(u->apic, m->dest, m->logical)) continue;
        if (m->mode != APIC_LOWEST) {
            u->accept(u->apic, m);
            sent = true;
        } else if (!lowest || u->priority(u->apic) < lowest->priority(lowest->apic)) {
            lowest = u;
        }
    }
    if (lowest) {
        lowest->accept(lowest->apic, m);
        sent = true;
    }
    return sent;
}

void apic_bus_send_to(struct apic_bus *b, void *apic, const struct apic_message *m)
{
    for (unsigned i = 0; i < b->units; i++)
        if (b->unit[i].apic == apic) b->unit[i].accept(apic, m);
}

void apic_bus_send_all(struct apic_bus *b, void *except, const struct apic_message *m)
{
    for (unsigned i = 0; i < b->units; i++)
        if (b->unit[i].apic != except) b->unit[i].accept(b->unit[i].apic, m);
}

void apic_bus_eoi(struct apic_bus *b, uint8_t vector)
{
    for (unsigned i = 0; i < b->ioapics; i++) b->ioapic[i].eoi(b->ioapic[i].ioapic, vector);
}
