/* What the firmware is told: the test plays SeaBIOS's table loader and checks the memory that comes out of it. */
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "bios/aml.h"
#include "bios/bios.h"
#include "tests/suite.h"

enum { MEMORY = 1 << 20, HIGH = 0x40000, FSEG = 0xf0000 };

static struct bios_config config;
static struct bios_items items;
static uint8_t memory[MEMORY];
static uint32_t placed[2];                    /* where the tables and the RSDP went */

static const struct bios_item *item(const char *name)
{
    for (unsigned i = 0; i < items.len; i++)
        if (strcmp(items.item[i].name, name) == 0) return &items.item[i];
    return NULL;
}

static void build(void)
{
    struct error e;
    bios_items_free(&items);
    ck_assert_int_eq(bios_build(&config, &items, &e), HOST_OK);
}

static void setup(void)
{
    config = (struct bios_config){ .ram_size = 128 << 20, .cpus = 1, .apic = true, .hpet = true,
                                   .cpu_name = "Pentium III",
                                   .cpu_mhz = 500, .serial = { true }, .parallel = { true } };
    build();
}

static void teardown(void) { bios_items_free(&items); }

static uint32_t address_of(const char *file)
{
    return placed[strcmp(file, "etc/acpi/rsdp") == 0];
}

/* Carries out etc/table-loader on memory[]. */
static void load(void)
{
    const struct bios_item *script = item("etc/table-loader");
    ck_assert_ptr_nonnull(script);
    ck_assert_uint_eq(script->len % 128, 0);
    memset(memory, 0, sizeof memory);
    placed[0] = placed[1] = 0;
    for (uint32_t at = 0; at < script->len; at += 128) {
        const uint8_t *c = script->data + at, *arg = c + 60;
        const char *file = (const char *)c + 4;
        const struct bios_item *f = item(file);
        ck_assert_ptr_nonnull(f);
        switch (ld32(c)) {
        case 1: {
            uint32_t align = ld32(arg), base = arg[4] == 2 ? FSEG : HIGH;
            ck_assert(align && (align & (align - 1)) == 0 && base % align == 0);
            ck_assert_uint_eq(address_of(file), 0);
            placed[strcmp(file, "etc/acpi/rsdp") == 0] = base;
            memcpy(memory + base, f->data, f->len);
            break;
        }
        case 2: {
            uint32_t offset = ld32(c + 116), to = address_of((const char *)arg);
            ck_assert_uint_eq(c[120], 4);
            ck_assert(to && address_of(file) && offset + 4 <= f->len);
            uint8_t *p = memory + address_of(file) + offset;
            ck_assert_uint_lt(ld32(p), item((const char *)arg)->len);
            st32(p, ld32(p) + to);
            break;
        }
        case 3: {
            uint32_t offset = ld32(arg), start = ld32(arg + 4), len = ld32(arg + 8);
            uint8_t sum = 0;
            ck_assert(start + len <= f->len && offset >= start && offset < start + len);
            for (uint32_t i = 0; i < len; i++) sum = (uint8_t)(sum + memory[address_of(file) + start + i]);
            memory[address_of(file) + offset] = (uint8_t)(memory[address_of(file) + offset] - sum);
            break;
        }
        default: ck_abort_msg("unknown loader command");
        }
    }
}

static uint8_t sum(uint32_t at, uint32_t len)
{
    uint8_t s = 0;
    while (len--) s = (uint8_t)(s + memory[at++]);
    return s;
}

/* The table of that signature through RSDP and RSDT, its checksum verified; 0 if there is none. */
static uint32_t table(const char *signature)
{
    ck_assert_int_eq(memcmp(memory + FSEG, "RSD PTR ", 8), 0);
    ck_assert_uint_eq(sum(FSEG, 20), 0);
    uint32_t rsdt = ld32(memory + FSEG + 16), found = 0;
    ck_assert_int_eq(memcmp(memory + rsdt, "RSDT", 4), 0);
    ck_assert_uint_eq(sum(rsdt, ld32(memory + rsdt + 4)), 0);
    for (uint32_t i = 36; i < ld32(memory + rsdt + 4); i += 4) {
        uint32_t t = ld32(memory + rsdt + i);
        ck_assert_uint_eq(sum(t, ld32(memory + t + 4)), 0);
        if (memcmp(memory + t, signature, 4) == 0) found = t;
    }
    return found;
}

START_TEST(loader_makes_valid_tables)
{
    load();
    ck_assert_uint_ne(table("FACP"), 0);
    ck_assert_uint_ne(table("APIC"), 0);
    ck_assert_uint_ne(table("HPET"), 0);
}
END_TEST

START_TEST(fadt_points_to_facs_dsdt_and_the_piix4)
{
    load();
    uint32_t fadt = table("FACP"), facs = ld32(memory + fadt + 36), dsdt = ld32(memory + fadt + 40);
    ck_assert_int_eq(memcmp(memory + facs, "FACS", 4), 0);
    ck_assert_uint_eq(facs % 64, 0);
    ck_assert_int_eq(memcmp(memory + dsdt, "DSDT", 4), 0);
    ck_assert_uint_eq(sum(dsdt, ld32(memory + dsdt + 4)), 0);
    ck_assert_uint_eq(ld16(memory + fadt + 46), 9);
    ck_assert_uint_eq(ld32(memory + fadt + 56), 0x600);
    ck_assert_uint_eq(ld32(memory + fadt + 64), 0x604);
    ck_assert_uint_eq(ld32(memory + fadt + 76), 0x608);
}
END_TEST

START_TEST(madt_lists_cpu_ioapic_and_overrides)
{
    load();
    uint32_t madt = table("APIC"), end = madt + ld32(memory + madt + 4);
    unsigned counts[5] = { 0 };
    ck_assert_uint_eq(ld32(memory + madt + 36), 0xfee00000);
    for (uint32_t at = madt + 44; at < end; at += memory[at + 1]) {
        ck_assert_uint_ge(memory[at + 1], 6);
        ck_assert_uint_lt(memory[at], 5);
        counts[memory[at]]++;
        if (memory[at] == 2 && memory[at + 3] == 0) ck_assert_uint_eq(ld32(memory + at + 4), 2);
    }
    ck_assert(counts[0] == 1 && counts[1] == 1 && counts[2] == 5 && counts[4] == 1);
}
END_TEST

START_TEST(absent_chips_have_no_tables)
{
    config.apic = config.hpet = false;
    build();
    load();
    ck_assert_uint_eq(table("APIC"), 0);
    ck_assert_uint_eq(table("HPET"), 0);
    ck_assert_uint_ne(table("FACP"), 0);
}
END_TEST

START_TEST(dsdt_is_what_iasl_can_read)
{
    if (system("command -v iasl > /dev/null") != 0) return;   /* acpica-tools is not needed otherwise */
    char dir[] = "/tmp/beige-test-XXXXXX", path[64], command[256];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    load();
    uint32_t dsdt = ld32(memory + table("FACP") + 40);
    snprintf(path, sizeof path, "%s/dsdt.dat", dir);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    fwrite(memory + dsdt, 1, ld32(memory + dsdt + 4), f);
    fclose(f);
    snprintf(command, sizeof command,
             "cd %s && iasl -d dsdt.dat >log 2>&1 && iasl dsdt.dsl >>log 2>&1 && grep -q ' 0 Errors' log", dir);
    int disassembled = system(command);
    snprintf(command, sizeof command,
             "grep -q 'PRQA' %s/dsdt.dsl && grep -q 'PNP0A03' %s/dsdt.dsl && ! grep -q 'COM2' %s/dsdt.dsl",
             dir, dir, dir);
    int contents = system(command);
    snprintf(command, sizeof command, "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(disassembled, 0);
    ck_assert_int_eq(contents, 0);
}
END_TEST

START_TEST(package_lengths_take_one_to_three_bytes)
{
    static const struct { unsigned body, prefix; } sizes[] = { { 10, 1 }, { 62, 1 }, { 63, 2 }, { 4093, 2 },
                                                               { 4094, 3 }, { 70000, 3 } };
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct aml a = { .data = NULL };
        aml_if(&a);
        for (unsigned n = 0; n < sizes[i].body; n++) aml_byte(&a, 0xa3);
        aml_end(&a);
        ck_assert_uint_eq(a.len, 1 + sizes[i].prefix + sizes[i].body);
        uint32_t len = a.data[1] >> 6 ? a.data[1] & 0x0fu : a.data[1];
        for (unsigned b = 0; b < a.data[1] >> 6; b++) len |= (uint32_t)a.data[2 + b] << (4 + 8 * b);
        ck_assert_uint_eq(a.data[1] >> 6, sizes[i].prefix - 1);
        ck_assert_uint_eq(len, sizes[i].prefix + sizes[i].body);
        free(a.data);
    }
}
END_TEST

START_TEST(names_and_numbers_are_encoded_as_the_specification_says)
{
    struct aml a = { .data = NULL };
    aml_path(&a, "\\_SB.PCI0.ISA");
    aml_path(&a, "A.B");
    aml_int(&a, 1);
    aml_int(&a, 0x80);
    aml_int(&a, 0x1234);
    aml_eisa_id(&a, "PNP0A03");
    static const char expected[] = "\\\x2f\x03_SB_PCI0ISA_" "\x2e" "A___B___" "\x01" "\x0a\x80" "\x0b\x34\x12"
                                   "\x0c\x41\xd0\x0a\x03";
    ck_assert_uint_eq(a.len, sizeof expected - 1);
    ck_assert_int_eq(memcmp(a.data, expected, a.len), 0);
    free(a.data);
}
END_TEST

START_TEST(smbios_structures_form_a_chain)
{
    static const uint8_t uuid[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc,
                                      0xdd, 0xee, 0xff };
    config.uuid = uuid;
    build();
    const struct bios_item *t = item("etc/smbios/smbios-tables"), *anchor = item("etc/smbios/smbios-anchor");
    static const uint8_t types[] = { 1, 3, 4, 16, 17, 19, 32, 127 };
    unsigned n = 0;
    for (uint32_t at = 0; at < t->len; n++) {
        const uint8_t *s = t->data + at;
        ck_assert_uint_lt(n, sizeof types);
        ck_assert_uint_eq(s[0], types[n]);
        if (s[0] == 1) ck_assert_uint_eq(s[8], 0x33);         /* first UUID field little-endian */
        at += s[1];
        while (t->data[at] || t->data[at + 1]) at++;
        at += 2;
        ck_assert_uint_le(at, t->len);
    }
    ck_assert_uint_eq(n, sizeof types);
    ck_assert_uint_eq(anchor->len, 31);
    ck_assert_uint_eq(ld16(anchor->data + 22), t->len);
    ck_assert_uint_eq(ld16(anchor->data + 28), n);
    uint8_t whole = 0, inner = 0;
    for (unsigned i = 0; i < 31; i++) whole = (uint8_t)(whole + anchor->data[i]);
    for (unsigned i = 16; i < 31; i++) inner = (uint8_t)(inner + anchor->data[i]);
    ck_assert(whole == 0 && inner == 0);
}
END_TEST

START_TEST(e820_is_the_ram)
{
    const struct bios_item *t = item("etc/e820");
    ck_assert_uint_eq(t->len, 20);
    ck_assert_uint_eq(ld64(t->data), 0);
    ck_assert_uint_eq(ld64(t->data + 8), 128 << 20);
    ck_assert_uint_eq(ld32(t->data + 16), 1);
}
END_TEST

START_TEST(boot_order_follows_the_letters)
{
    config.ide[0] = config.ide[2] = config.floppy[0] = true;
    config.ide_cdrom[2] = true;
    config.boot_order = "dca";
    build();
    ck_assert_str_eq((char *)item("bootorder")->data, "/pci@i0cf8/ide@1,1/drive@1/disk@0\n"
                     "/pci@i0cf8/ide@1,1/drive@0/disk@0\n/pci@i0cf8/isa@1/fdc@03f0/floppy@0");
    config.boot_order = "a";
    build();
    ck_assert_str_eq((char *)item("bootorder")->data, "/pci@i0cf8/isa@1/fdc@03f0/floppy@0");
}
END_TEST

START_TEST(boot_once_is_a_second_order_that_lasts_until_the_reset)
{
    config.ide[0] = config.floppy[0] = true;
    config.boot_order = "c";
    config.boot_once = "a";
    build();
    const struct bios_item *later = item("bootorder"), *first = later + 1;
    ck_assert(!later->until_reset && first->until_reset);
    ck_assert_str_eq((char *)later->data, "/pci@i0cf8/ide@1,1/drive@0/disk@0");
    ck_assert_str_eq(first->name, "bootorder");
    ck_assert_str_eq((char *)first->data, "/pci@i0cf8/isa@1/fdc@03f0/floppy@0");
    config.boot_once = NULL;
    build();
    for (unsigned i = 0; i < items.len; i++) ck_assert(!items.item[i].until_reset);
}
END_TEST

START_TEST(same_configuration_gives_the_same_bytes)
{
    struct bios_items again;
    struct error e;
    ck_assert_int_eq(bios_build(&config, &again, &e), HOST_OK);
    ck_assert_uint_eq(again.len, items.len);
    for (unsigned i = 0; i < items.len; i++) {
        ck_assert_uint_eq(again.item[i].len, items.item[i].len);
        ck_assert_int_eq(memcmp(again.item[i].data, items.item[i].data, items.item[i].len), 0);
    }
    bios_items_free(&again);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bios_tables");
    TCase *t = tcase_create("tables");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, loader_makes_valid_tables);
    tcase_add_test(t, fadt_points_to_facs_dsdt_and_the_piix4);
    tcase_add_test(t, madt_lists_cpu_ioapic_and_overrides);
    tcase_add_test(t, absent_chips_have_no_tables);
    tcase_add_test(t, dsdt_is_what_iasl_can_read);
    tcase_add_test(t, package_lengths_take_one_to_three_bytes);
    tcase_add_test(t, names_and_numbers_are_encoded_as_the_specification_says);
    tcase_add_test(t, smbios_structures_form_a_chain);
    tcase_add_test(t, e820_is_the_ram);
    tcase_add_test(t, boot_order_follows_the_letters);
    tcase_add_test(t, boot_once_is_a_second_order_that_lasts_until_the_reset);
    tcase_add_test(t, same_configuration_gives_the_same_bytes);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    return suite_main(s);
}
