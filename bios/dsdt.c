/* The DSDT: what sits on the board, for the operating system's ACPI interpreter. The comments are the ASL.
 *
 * PCI interrupts go through the PIIX3's four PIRQ links in every mode: with the I/O APIC in use they arrive on the
 * input of the ISA interrupt they are routed to, as the MADT's overrides say. */
#include "bios/items.h"
#include "bios/dsdt.h"

#include <stdio.h>

static void hid(struct aml *a, const char *id)
{
    aml_name(a, "_HID");
    aml_eisa_id(a, id);
}

/* Device (name) { Name (_HID, EisaId (id))  Name (_CRS, ResourceTemplate () { */
static void isa_device(struct aml *a, const char *name, const char *id)
{
    aml_device(a, name);
    hid(a, id);
    aml_name(a, "_CRS");
    aml_resources(a);
}

/* }) } */
static void isa_device_end(struct aml *a)
{
    aml_resources_end(a);
    aml_end(a);
}

static const struct port_row { char name[5]; uint16_t base; uint8_t irq; } serial_ports[4] = {
    { "COM1", 0x3f8, 4 }, { "COM2", 0x2f8, 3 }, { "COM3", 0x3e8, 4 }, { "COM4", 0x2e8, 3 },
}, parallel_ports[3] = {
    { "LPT1", 0x378, 7 }, { "LPT2", 0x278, 5 }, { "LPT3", 0x3bc, 7 },
};

static void isa_ports(struct aml *a, const struct port_row *row, unsigned n, const bool *present, const char *id)
{
    for (unsigned i = 0; i < n; i++) {
        if (!present[i]) continue;
        aml_device(a, row[i].name);
        hid(a, id);
        aml_name_int(a, "_UID", i + 1);
        aml_name(a, "_CRS");
        aml_resources(a);
        aml_res_io(a, row[i].base, row[i].base == 0x3bc ? 4 : 8, row[i].base == 0x3bc ? 4 : 8);
        aml_res_irq(a, row[i].irq);
        isa_device_end(a);
    }
}

static void isa_devices(struct aml *a, const struct bios_config *c)
{
    isa_device(a, "PIC", "PNP0000");
    aml_res_io(a, 0x20, 0, 2);
    aml_res_io(a, 0xa0, 0, 2);
    aml_res_io(a, 0x4d0, 0, 2);
    aml_res_irq(a, 2);
    isa_device_end(a);

    isa_device(a, "TIMR", "PNP0100");
    aml_res_io(a, 0x40, 0, 4);
    if (!c->hpet) aml_res_irq(a, 0);          /* under legacy replacement IRQ0 is the HPET's */
    isa_device_end(a);

    isa_device(a, "DMAC", "PNP0200");
    aml_res_io(a, 0x00, 0, 16);
    aml_res_io(a, 0x81, 0, 15);
    aml_res_io(a, 0xc0, 0, 32);
    aml_res_dma(a, 4);
    isa_device_end(a);

    isa_device(a, "RTC", "PNP0B00");
    aml_res_io(a, 0x70, 0, 2);
    aml_res_irq(a, 8);
    isa_device_end(a);

    isa_device(a, "SPKR", "PNP0800");
    aml_res_io(a, 0x61, 0, 1);
    isa_device_end(a);

    isa_device(a, "FPU", "PNP0C04");
    aml_res_io(a, 0xf0, 0, 16);
    aml_res_irq(a, 13);
    isa_device_end(a);

    isa_device(a, "KBD", "PNP0303");
    aml_res_io(a, 0x60, 1, 1);
    aml_res_io(a, 0x64, 1, 1);
    aml_res_irq(a, 1);
    isa_device_end(a);

    isa_device(a, "MOU", "PNP0F13");
    aml_res_irq(a, 12);
    isa_device_end(a);

    isa_device(a, "FDC0", "PNP0700");
    aml_res_io(a, 0x3f2, 0, 4);
    aml_res_io(a, 0x3f7, 0, 1);
    aml_res_irq(a, 6);
    aml_res_dma(a, 2);
    isa_device_end(a);

    isa_ports(a, serial_ports, 4, c->serial, "PNP0501");
    isa_ports(a, parallel_ports, 3, c->parallel, "PNP0400");
}

/* _PRT: { slot:FFFF, pin, link, 0 } for each slot and pin, rotated as pci.c and SeaBIOS do. */
static void routing_table(struct aml *a)
{
    static const char link_name[4][8] = { "LNKA", "LNKB", "LNKC", "LNKD" };
    enum { SLOTS = 31 };                      /* slots 1 to 31, four pins each: a package holds at most 255 */
    aml_name(a, "_PRT");
    aml_package(a, SLOTS * 4);
    for (unsigned slot = 1; slot <= SLOTS; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            aml_package(a, 4);
            aml_int(a, slot << 16 | 0xffff);
            aml_int(a, pin);
            aml_path(a, link_name[(slot - 1 + pin) & 3]);
            aml_int(a, 0);
            aml_end(a);
        }
    }
    aml_end(a);
}

/* PCI memory begins where SeaBIOS puts it (src/fw/pciinit.c): at 2 GiB, or above the RAM. */
static uint32_t pci_memory_start(uint64_t ram_size)
{
    return ram_size <= 0x80000000u ? 0x80000000u : ram_size <= 0xc0000000u ? 0xc0000000u : 0xe0000000u;
}

static void pci_root(struct aml *a, const struct bios_config *c)
{
    aml_device(a, "PCI0");
    hid(a, "PNP0A03");
    aml_name_int(a, "_UID", 0);
    aml_name(a, "_CRS");
    aml_resources(a);
    aml_res_bus_range(a, 0, 0xff);
    aml_res_io(a, 0xcf8, 1, 8);
    aml_res_io_range(a, 0x0000, 0x0cf7);
    aml_res_io_range(a, 0x0d00, 0xffff);
    aml_res_memory_range(a, 0x000a0000, 0x000bffff);
    aml_res_memory_range(a, pci_memory_start(c->ram_size), 0xfebfffff);
    aml_resources_end(a);
    routing_table(a);

    /* Device (ISA) { Name (_ADR, 0x00010000)  OperationRegion (PIRQ, PCI_Config, 0x60, 4)  Field ... PRQA..PRQD */
    aml_device(a, "ISA");
    aml_name_int(a, "_ADR", 0x00010000);
    aml_op_region(a, "PIRQ", AML_SPACE_PCI_CONFIG, 0x60, 4);
    aml_byte_field(a, "PIRQ");
    aml_field_bits(a, "PRQA", 8);
    aml_field_bits(a, "PRQB", 8);
    aml_field_bits(a, "PRQC", 8);
    aml_field_bits(a, "PRQD", 8);
    aml_end(a);
    isa_devices(a, c);
    aml_end(a);
    aml_end(a);
}

/* A PIRQ router: the operating system chooses among the interrupts the firmware leaves free. */
static void pirq_link(struct aml *a, unsigned n)
{
    static const uint32_t choices[] = { 5, 10, 11 }, none[] = { 0 };
    char name[8], reg[24];
    snprintf(name, sizeof name, "LNK%c", 'A' + (int)n);
    snprintf(reg, sizeof reg, "\\_SB.PCI0.ISA.PRQ%c", 'A' + (int)n);

    aml_device(a, name);
    hid(a, "PNP0C0F");
    aml_name_int(a, "_UID", n + 1);
    aml_name(a, "_PRS");
    aml_resources(a);
    aml_res_interrupt(a, choices, 3);
    aml_resources_end(a);

    /* Method (_STA) { If (And (0x80, PRQx)) { Return (0x09) }  Return (0x0B) } */
    aml_method(a, "_STA", 0);
    aml_if(a);
    aml_op(a, AML_AND);
    aml_int(a, 0x80);
    aml_path(a, reg);
    aml_byte(a, 0);
    aml_op(a, AML_RETURN);
    aml_int(a, 0x09);
    aml_end(a);
    aml_op(a, AML_RETURN);
    aml_int(a, 0x0b);
    aml_end(a);

    /* Method (_DIS) { Or (PRQx, 0x80, PRQx) } */
    aml_method(a, "_DIS", 0);
    aml_op(a, AML_OR);
    aml_path(a, reg);
    aml_int(a, 0x80);
    aml_path(a, reg);
    aml_end(a);

    /* Method (_CRS) { Store (ResourceTemplate () { Interrupt (...) {0} }, Local0)  CreateDWordField (Local0, 5, IRQW)
     *                 If (LLess (PRQx, 0x80)) { Store (PRQx, IRQW) }  Return (Local0) } */
    aml_method(a, "_CRS", 0);
    aml_op(a, AML_STORE);
    aml_resources(a);
    aml_res_interrupt(a, none, 1);
    aml_resources_end(a);
    aml_op(a, AML_LOCAL0);
    aml_op(a, AML_CREATE_DWORD_FIELD);
    aml_op(a, AML_LOCAL0);
    aml_int(a, 5);
    aml_path(a, "IRQW");
    aml_if(a);
    aml_op(a, AML_LLESS);
    aml_path(a, reg);
    aml_int(a, 0x80);
    aml_op(a, AML_STORE);
    aml_path(a, reg);
    aml_path(a, "IRQW");
    aml_end(a);
    aml_op(a, AML_RETURN);
    aml_op(a, AML_LOCAL0);
    aml_end(a);

    /* Method (_SRS, 1) { CreateDWordField (Arg0, 5, IRQW)  Store (IRQW, PRQx) } */
    aml_method(a, "_SRS", 1);
    aml_op(a, AML_CREATE_DWORD_FIELD);
    aml_op(a, AML_ARG0);
    aml_int(a, 5);
    aml_path(a, "IRQW");
    aml_op(a, AML_STORE);
    aml_path(a, "IRQW");
    aml_path(a, reg);
    aml_end(a);
    aml_end(a);
}

void bios_build_dsdt(const struct bios_config *c, struct aml *a)
{
    aml_scope(a, "\\_PR");
    for (unsigned i = 0; i < c->cpus; i++) {
        char name[8];
        snprintf(name, sizeof name, "CP%02X", i & 0xff);
        aml_processor(a, name, (uint8_t)i);
        aml_end(a);
    }
    aml_end(a);

    aml_scope(a, "\\_SB");
    pci_root(a, c);
    for (unsigned n = 0; n < 4; n++) pirq_link(a, n);
    if (c->hpet) {
        aml_device(a, "HPET");
        hid(a, "PNP0103");
        aml_name_int(a, "_UID", 0);
        aml_name(a, "_CRS");
        aml_resources(a);
        aml_res_memory(a, 0xfed00000, 0x400);
        aml_resources_end(a);
        aml_end(a);
    }
    aml_end(a);

    /* Name (\_S5, Package () { 0, 0, 0, 0 }): SUS_TYP 0 of the PIIX4 is soft off. The power button is fixed hardware. */
    aml_name(a, "\\_S5");
    aml_package(a, 4);
    for (unsigned i = 0; i < 4; i++) aml_int(a, 0);
    aml_end(a);
}
