/* The ACPI tables, revision 1.0, and the list of commands by which the firmware puts them into memory.
 *
 * All tables but the RSDP are one file. Pointers in it hold offsets into the file they point to; the loader's
 * ADD_POINTER adds the address at which that file was placed, and ADD_CHECKSUM then mends the sums. ACPI specification
 * 1.0b and 6.4 (MADT 5.2.12); IA-PC HPET specification 3.2.4; loader: SeaBIOS src/fw/romfile_loader.h. */
#include "bios/items.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bios/dsdt.h"

#define TABLES_FILE "etc/acpi/tables"
#define RSDP_FILE   "etc/acpi/rsdp"
#define LOADER_FILE "etc/table-loader"

enum { HEADER = 36, CHECKSUM = 9 };           /* of a table; offset of its checksum */
enum { FADT_SIZE = 116, FACS_SIZE = 64, RSDP_SIZE = 20, HPET_SIZE = 56 };

/* ---- loader commands: 128 bytes each */

enum { CMD_SIZE = 128, CMD_ALLOCATE = 1, CMD_ADD_POINTER = 2, CMD_ADD_CHECKSUM = 3, NAME_SIZE = 56 };
enum { ZONE_HIGH = 1, ZONE_FSEG = 2 };

static uint8_t *command(struct aml *script, uint32_t cmd, const char *file)
{
    uint8_t entry[CMD_SIZE] = { 0 };
    st32(entry, cmd);
    memcpy(entry + 4, file, strlen(file));
    aml_bytes(script, entry, sizeof entry);
    return script->data + script->len - CMD_SIZE;
}

static void cmd_allocate(struct aml *script, const char *file, uint32_t align, uint8_t zone)
{
    uint8_t *e = command(script, CMD_ALLOCATE, file);
    st32(e + 4 + NAME_SIZE, align);
    e[8 + NAME_SIZE] = zone;
}

/* The four bytes at `offset` of `file` point into TABLES_FILE. */
static void cmd_add_pointer(struct aml *script, const char *file, size_t offset)
{
    uint8_t *e = command(script, CMD_ADD_POINTER, file);
    memcpy(e + 4 + NAME_SIZE, TABLES_FILE, sizeof TABLES_FILE);
    st32(e + 4 + 2 * NAME_SIZE, (uint32_t)offset);
    e[8 + 2 * NAME_SIZE] = 4;
}

static void cmd_add_checksum(struct aml *script, const char *file, size_t at, size_t start, size_t len)
{
    uint8_t *e = command(script, CMD_ADD_CHECKSUM, file);
    st32(e + 4 + NAME_SIZE, (uint32_t)at);
    st32(e + 8 + NAME_SIZE, (uint32_t)start);
    st32(e + 12 + NAME_SIZE, (uint32_t)len);
}

/* ---- tables: a byte buffer that grows, the same as AML's */

struct tables { struct aml out, script; };

static void zeros(struct aml *b, size_t n)
{
    static const uint8_t zero[256];
    while (n) {
        size_t part = n < sizeof zero ? n : sizeof zero;
        aml_bytes(b, zero, part);
        n -= part;
    }
}

static void align(struct aml *b, size_t to) { zeros(b, (to - b->len % to) % to); }

/* Begins a table; its length is filled in by end_table. */
static size_t begin_table(struct tables *t, const char *signature, uint8_t revision)
{
    align(&t->out, 8);
    size_t start = t->out.len;
    uint8_t h[HEADER] = { 0 };
    memcpy(h, signature, 4);
    h[8] = revision;
    memcpy(h + 10, "BEIGE ", 6);
    memcpy(h + 16, "BEIGEPC ", 8);
    st32(h + 24, 1);
    memcpy(h + 28, "BEIG", 4);
    st32(h + 32, 1);
    aml_bytes(&t->out, h, sizeof h);
    return start;
}

static void end_table(struct tables *t, size_t start)
{
    size_t len = t->out.len - start;
    st32(t->out.data + start + 4, (uint32_t)len);
    cmd_add_checksum(&t->script, TABLES_FILE, start + CHECKSUM, start, len);
}

static void pointer(struct tables *t, size_t at, size_t to)
{
    st32(t->out.data + at, (uint32_t)to);
    cmd_add_pointer(&t->script, TABLES_FILE, at);
}

static size_t add_facs(struct tables *t)
{
    align(&t->out, 64);
    size_t start = t->out.len;
    zeros(&t->out, FACS_SIZE);
    memcpy(t->out.data + start, "FACS", 4);
    st32(t->out.data + start + 4, FACS_SIZE);
    return start;
}

static size_t add_dsdt(struct tables *t, const struct bios_config *c)
{
    size_t start = begin_table(t, "DSDT", 1);
    bios_build_dsdt(c, &t->out);
    end_table(t, start);
    return start;
}

enum { FADT_WBINVD = 0x01, FADT_PROC_C1 = 0x04, FADT_NO_SLEEP_BUTTON = 0x20, FADT_RTC_NOT_FIXED = 0x40 };

static size_t add_fadt(struct tables *t, size_t facs, size_t dsdt)
{
    size_t start = begin_table(t, "FACP", 1);
    zeros(&t->out, FADT_SIZE - HEADER);
    uint8_t *f = t->out.data + start;
    f[44] = 1;                                /* INT_MODEL: 8259A pair beside the I/O APIC */
    st16(f + 46, 9);                          /* SCI_INT */
    st32(f + 48, 0xb2);                       /* SMI_CMD, with the values that piix4_pm knows */
    f[52] = 0xf1;                             /* ACPI_ENABLE */
    f[53] = 0xf0;                             /* ACPI_DISABLE */
    st32(f + 56, BIOS_PM_BASE + 0x00);        /* PM1a_EVT_BLK */
    st32(f + 64, BIOS_PM_BASE + 0x04);        /* PM1a_CNT_BLK */
    st32(f + 76, BIOS_PM_BASE + 0x08);        /* PM_TMR_BLK */
    st32(f + 80, BIOS_PM_BASE + 0x0c);        /* GPE0_BLK */
    f[88] = 4;                                /* lengths of these */
    f[89] = 2;
    f[91] = 4;
    f[92] = 4;
    st16(f + 96, 0x0fff);                     /* latencies: no C2, no C3 */
    st16(f + 98, 0x0fff);
    f[108] = 0x32;                            /* CENTURY: RTC RAM */
    st32(f + 112, FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLEEP_BUTTON | FADT_RTC_NOT_FIXED);
    pointer(t, start + 36, facs);
    pointer(t, start + 40, dsdt);
    end_table(t, start);
    return start;
}

static void madt_override(struct aml *b, uint8_t irq, uint8_t gsi, uint16_t flags)
{
    uint8_t e[10] = { 2, 10, 0, irq };
    st32(e + 4, gsi);
    st16(e + 8, flags);
    aml_bytes(b, e, sizeof e);
}

static size_t add_madt(struct tables *t, const struct bios_config *c)
{
    enum { LEVEL_ACTIVE_HIGH = 0x0d };
    size_t start = begin_table(t, "APIC", 1);
    uint8_t fixed[8];
    st32(fixed, 0xfee00000);
    st32(fixed + 4, 1);                       /* PCAT_COMPAT: the 8259As are there too */
    aml_bytes(&t->out, fixed, sizeof fixed);
    for (unsigned i = 0; i < c->cpus; i++) {
        uint8_t cpu[8] = { 0, 8, (uint8_t)i, (uint8_t)i, 1 };
        aml_bytes(&t->out, cpu, sizeof cpu);
    }
    uint8_t ioapic[12] = { 1, 12, 0, 0 };
    st32(ioapic + 4, 0xfec00000);
    aml_bytes(&t->out, ioapic, sizeof ioapic);
    madt_override(&t->out, 0, 2, 0);          /* the 8254 is on input 2 */
    static const uint8_t pci_irqs[] = { 5, 9, 10, 11 };
    for (unsigned i = 0; i < sizeof pci_irqs; i++) madt_override(&t->out, pci_irqs[i], pci_irqs[i], LEVEL_ACTIVE_HIGH);
    static const uint8_t nmi[6] = { 4, 6, 0xff, 0, 0, 1 };   /* LINT1 of every CPU */
    aml_bytes(&t->out, nmi, sizeof nmi);
    end_table(t, start);
    return start;
}

static size_t add_hpet(struct tables *t)
{
    size_t start = begin_table(t, "HPET", 1);
    zeros(&t->out, HPET_SIZE - HEADER);
    uint8_t *h = t->out.data + start;
    st32(h + 36, 0x8086a201);                 /* as the chip's capabilities register has it */
    st32(h + 44, 0xfed00000);                 /* generic address: memory space */
    end_table(t, start);
    return start;
}

void bios_add_acpi(const struct bios_config *c, struct bios_items *out)
{
    struct tables t = { .out = { .data = NULL } };
    cmd_allocate(&t.script, RSDP_FILE, 16, ZONE_FSEG);
    cmd_allocate(&t.script, TABLES_FILE, 64, ZONE_HIGH);

    size_t entry[3], entries = 0;
    size_t facs = add_facs(&t), dsdt = add_dsdt(&t, c);
    entry[entries++] = add_fadt(&t, facs, dsdt);
    if (c->apic) entry[entries++] = add_madt(&t, c);
    if (c->hpet) entry[entries++] = add_hpet(&t);
    size_t rsdt = begin_table(&t, "RSDT", 1);
    zeros(&t.out, 4 * entries);
    for (size_t i = 0; i < entries; i++) pointer(&t, rsdt + HEADER + 4 * i, entry[i]);
    end_table(&t, rsdt);

    uint8_t rsdp[RSDP_SIZE] = "RSD PTR ";
    memcpy(rsdp + 9, "BEIGE ", 6);            /* byte 8 is the checksum, byte 15 revision 0 */
    st32(rsdp + 16, (uint32_t)rsdt);
    cmd_add_pointer(&t.script, RSDP_FILE, 16);
    cmd_add_checksum(&t.script, RSDP_FILE, 8, 0, RSDP_SIZE);

    bios_add_file(out, TABLES_FILE, t.out.data, t.out.len);
    bios_add_file(out, RSDP_FILE, rsdp, sizeof rsdp);
    bios_add_file(out, LOADER_FILE, t.script.data, t.script.len);
    free(t.out.data);
    free(t.script.data);
}
