/* What the board tells firmware that is not its own: CMOS, the video BIOS at C0000h, drives that answer without PCI. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/block.h"
#include "machine/pc.h"
#include "tests/suite.h"

/* A disk of zeros. */
static enum host_status zeros(struct blk *b, uint64_t off, void *buf, uint64_t len, struct error *e)
{
    (void)b, (void)off, (void)e;
    memset(buf, 0, len);
    return HOST_OK;
}
static void nothing(struct blk *b) { (void)b; }
static const struct blk_ops zero_ops = { .name = "zeros", .read = zeros, .close = nothing };

static struct log lg;
static struct blk disk = { .ops = &zero_ops, .read_only = true, .format = "raw" };

static struct machine *build(uint64_t disk_size, const char *order)
{
    struct machine_config cfg;
    struct error e = { "" };
    uint8_t rom[65536];
    char path[64];
    memset(rom, 0xf4, sizeof rom);
    snprintf(path, sizeof path, "/tmp/beige-pc-%ld.rom", (long)getpid());
    FILE *f = fopen(path, "wb");
    ck_assert(f && fwrite(rom, 1, sizeof rom, f) == sizeof rom && fclose(f) == 0);
    log_init(&lg, stderr);
    machine_config_default(&cfg);
    cfg.ram_size = 4 << 20;
    cfg.bios = path;
    cfg.cpu = "386";
    cfg.boot_order = order;
    cfg.log = &lg;
    disk.size = disk_size;
    if (disk_size) cfg.ide[0] = (struct drive_config){ .present = true, .blk = &disk };
    struct machine *m = machine_create(&cfg, &e);
    unlink(path);
    ck_assert_msg(m != NULL, "%s", e.text);
    return m;
}

static void scrap(struct machine *m)
{
    machine_destroy(m);
    log_fini(&lg);
}

static uint8_t cmos(struct machine *m, uint8_t index)
{
    port_out(&m->ports, 0x70, index, 1);
    return (uint8_t)port_in(&m->ports, 0x71, 1);
}

START_TEST(cmos_tells_a_disks_geometry_and_translation)
{
    static const struct { uint64_t bytes; uint16_t cylinders; uint8_t translation; } rows[] = {
        { 63ull * 16 * 512 * 1024, 1024, 0 }, { 63ull * 16 * 512 * 1025, 1025, 1 }, { 20ull << 30, 16383, 1 },
    };
    for (unsigned n = 0; n < 3; n++) {
        struct machine *m = build(rows[n].bytes, NULL);
        ck_assert_uint_eq(cmos(m, 0x12), 0xf0);
        ck_assert_uint_eq(cmos(m, 0x19), 47);
        ck_assert_uint_eq(cmos(m, 0x1b) | cmos(m, 0x1c) << 8, rows[n].cylinders);
        ck_assert_uint_eq(cmos(m, 0x1d), 16);
        ck_assert_uint_eq(cmos(m, 0x23), 63);
        ck_assert_uint_eq(cmos(m, 0x39), rows[n].translation);
        scrap(m);
    }
}
END_TEST

START_TEST(cmos_tells_a_foreign_bios_the_boot_order)
{
    static const struct { const char *order; uint8_t first, third; } rows[] = {
        { NULL, 0x12, 0x31 }, { "a", 0x01, 0x01 }, { "dc", 0x23, 0x01 }, { "ndac", 0x34, 0x11 },
    };
    for (unsigned n = 0; n < 4; n++) {
        struct machine *m = build(0, rows[n].order);
        ck_assert_uint_eq(cmos(m, 0x3d), rows[n].first);
        ck_assert_uint_eq(cmos(m, 0x38), rows[n].third);
        scrap(m);
    }
}
END_TEST

START_TEST(a_foreign_bios_reaches_the_disk_without_pci)
{
    struct machine *m = build(1 << 20, NULL);
    ck_assert_uint_eq(port_in(&m->ports, 0x1f7, 1), 0x80);   /* busy since power-on, not FF */
    scrap(m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("machine pc");
    TCase *t = tcase_create("foreign firmware");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, cmos_tells_a_disks_geometry_and_translation);
    tcase_add_test(t, cmos_tells_a_foreign_bios_the_boot_order);
    tcase_add_test(t, a_foreign_bios_reaches_the_disk_without_pci);
    suite_add_tcase(s, t);
    return suite_main(s);
}
