/* The physical map: priorities, directions, SMM, chips of any width, bus masters. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mem/phys.h"
#include "tests/suite.h"

/* A chip that answers each byte with its offset and notes every call. */
struct chip { struct region r; char log[512]; };

static uint64_t chip_read(void *dev, uint64_t off, unsigned size)
{
    struct chip *c = dev;
    size_t n = strlen(c->log);
    snprintf(c->log + n, sizeof c->log - n, "r%u@%llx ", size, (unsigned long long)off);
    uint64_t v = 0;
    for (unsigned i = 0; i < size; i++) v |= (uint64_t)(uint8_t)(off + i) << (8 * i);
    return v;
}

static void chip_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct chip *c = dev;
    size_t n = strlen(c->log);
    snprintf(c->log + n, sizeof c->log - n, "w%u@%llx=%llx ", size, (unsigned long long)off, (unsigned long long)val);
}

static const struct io_ops ops_1_8 = { chip_read, chip_write, 1, 8 }, ops_1_1 = { chip_read, chip_write, 1, 1 },
                           ops_4_4 = { chip_read, chip_write, 4, 4 }, ops_2_4 = { chip_read, chip_write, 2, 4 };

struct change { uint64_t base, size; };
struct pc {
    struct ram_space space;
    struct phys_map map;
    struct log log;
    FILE *out;
    char *text;
    size_t text_len;
    struct ram_block *ram, *rom, *vram;
    struct region low, bios, smram, lfb;
    struct chip vga, apic;
    struct phys_listener listener;
    struct change change[64];
    unsigned changes;
    struct ram_listener code;
    char code_log[256];
};

static void note_change(void *opaque, uint64_t base, uint64_t size)
{
    struct pc *p = opaque;
    if (p->changes < 64) p->change[p->changes] = (struct change){ base, size };
    p->changes++;
}

static void note_code(void *opaque, struct ram_block *b, uint64_t offset, uint64_t len)
{
    struct pc *p = opaque;
    size_t n = strlen(p->code_log);
    snprintf(p->code_log + n, sizeof p->code_log - n, "%s+%llx,%llx ", b->name, (unsigned long long)offset,
             (unsigned long long)len);
}

/* 1 MiB RAM, VGA over A0000, ROM at F0000 (not enabled: PAM), SMRAM over A0000, a chip at FEE00000, video memory. */
static struct pc *pc_new(void)
{
    struct pc *p = calloc(1, sizeof *p);
    p->out = open_memstream(&p->text, &p->text_len);
    log_init(&p->log, p->out);
    p->log.enabled[LOG_UNIMP] = p->log.enabled[LOG_GUEST] = true;
    ram_space_init(&p->space);
    phys_init(&p->map, &p->space, &p->log, 0xffffffffu);
    p->ram = ram_create(&p->space, "ram", 1 << 20, false, true);
    p->rom = ram_create(&p->space, "rom", 0x10000, true, false);
    p->vram = ram_create(&p->space, "vram", 0x10000, false, true);
    memset(p->rom->data, 0x52, p->rom->size);
    p->low = (struct region){ .name = "ram", .size = 1 << 20, .prio = PRIO_RAM, .enabled = true, .reads = true, .writes = true,
                              .block = p->ram };
    p->vga.r = (struct region){ .name = "vga", .base = 0xa0000, .size = 0x20000, .prio = PRIO_VGA, .enabled = true, .reads = true,
                                .writes = true, .io = &ops_1_1, .dev = &p->vga };
    p->bios = (struct region){ .name = "bios", .base = 0xf0000, .size = 0x10000, .prio = PRIO_PAM, .reads = true, .block = p->rom };
    p->smram = (struct region){ .name = "smram", .base = 0xa0000, .size = 0x20000, .prio = PRIO_SMRAM, .enabled = true,
                                .reads = true, .writes = true, .smm_only = true, .block = p->ram, .block_offset = 0xa0000 };
    p->apic.r = (struct region){ .name = "apic", .base = 0xfee00000, .size = 0x1000, .prio = PRIO_MMIO, .enabled = true,
                                 .reads = true, .writes = true, .io = &ops_4_4, .dev = &p->apic };
    p->lfb = (struct region){ .name = "lfb", .base = 0xe0000000, .size = 0x10000, .prio = PRIO_MMIO, .enabled = true, .reads = true,
                              .writes = true, .block = p->vram, .coalesce = true };
    phys_begin(&p->map);
    struct region *all[] = { &p->low, &p->vga.r, &p->bios, &p->smram, &p->apic.r, &p->lfb };
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) region_add(&p->map, all[i]);
    phys_end(&p->map);
    p->listener = (struct phys_listener){ .map_changed = note_change, .opaque = p };
    phys_add_listener(&p->map, &p->listener);
    p->code = (struct ram_listener){ .code_written = note_code, .opaque = p };
    ram_add_listener(&p->space, &p->code);
    return p;
}

static const char *pc_log(struct pc *p)
{
    fflush(p->out);
    return p->text;
}

static void pc_free(struct pc *p)
{
    phys_fini(&p->map);
    ram_space_fini(&p->space);
    fclose(p->out);
    log_fini(&p->log);
    free(p->text);
    free(p);
}

/* ---- who answers */

START_TEST(highest_priority_answers)
{
    struct pc *p = pc_new();
    ck_assert_ptr_eq(phys_lookup(&p->map, 0x9ffff, false, false).region, &p->low);
    ck_assert_ptr_eq(phys_lookup(&p->map, 0xa0000, false, false).region, &p->vga.r);
    ck_assert_ptr_eq(phys_lookup(&p->map, 0xbffff, false, true).region, &p->vga.r);
    struct phys_hit hit = phys_lookup(&p->map, 0xc0010, false, false);
    ck_assert_ptr_eq(hit.block, p->ram);
    ck_assert_uint_eq(hit.offset, 0xc0010);
    ck_assert_uint_eq(hit.left, 0x100000 - 0xc0010);
    ck_assert_ptr_null(phys_lookup(&p->map, 0x100000, false, false).region);
    ck_assert_uint_eq(phys_lookup(&p->map, 0x100000, false, false).left, 0xe0000000u - 0x100000);
    ck_assert_uint_eq(phys_lookup(&p->map, 0xffffffff, false, false).left, 1);
    pc_free(p);
}
END_TEST

/* 82441FX datasheet, PAM: reads may come from ROM while writes go to the RAM under it, in every combination. */
START_TEST(pam_reads_rom_and_writes_ram)
{
    struct pc *p = pc_new();
    region_set(&p->map, &p->bios, true, 0xf0000, 0x10000);
    ck_assert_uint_eq(phys_load(&p->map, 0xf1000, 1, false), 0x52);
    phys_store(&p->map, 0xf1000, 0x99, 1, false);
    ck_assert_uint_eq(phys_load(&p->map, 0xf1000, 1, false), 0x52);
    ck_assert_uint_eq(p->ram->data[0xf1000], 0x99);
    region_set_access(&p->map, &p->bios, false, false);
    ck_assert_uint_eq(phys_load(&p->map, 0xf1000, 1, false), 0x99);
    region_set_access(&p->map, &p->bios, true, true);     /* the ROM now takes the write, and ignores it */
    phys_store(&p->map, 0xf1000, 0x77, 1, false);
    ck_assert_uint_eq(phys_load(&p->map, 0xf1000, 1, false), 0x52);
    ck_assert_uint_eq(p->ram->data[0xf1000], 0x99);
    pc_free(p);
}
END_TEST

START_TEST(smram_answers_only_in_smm)
{
    struct pc *p = pc_new();
    phys_store(&p->map, 0xa0000, 0x1234, 2, true);
    ck_assert_uint_eq(p->ram->data[0xa0000], 0x34);
    ck_assert_str_eq(p->vga.log, "");
    ck_assert_uint_eq(phys_load(&p->map, 0xa0000, 2, true), 0x1234);
    phys_load(&p->map, 0xa0000, 1, false);
    ck_assert_str_eq(p->vga.log, "r1@0 ");
    pc_free(p);
}
END_TEST

START_TEST(of_equal_priorities_the_last_added_answers)
{
    struct pc *p = pc_new();
    struct chip second = { .r = p->vga.r };
    second.r.dev = &second;
    region_add(&p->map, &second.r);
    ck_assert_ptr_eq(phys_lookup(&p->map, 0xa0000, false, false).region, &second.r);
    region_remove(&p->map, &second.r);
    ck_assert_ptr_eq(phys_lookup(&p->map, 0xa0000, false, false).region, &p->vga.r);
    region_remove(&p->map, &second.r);                    /* absent: nothing happens */
    pc_free(p);
}
END_TEST

START_TEST(region_in_the_middle_splits_the_one_below)
{
    struct pc *p = pc_new();
    struct chip bar = { .r = { .name = "bar", .base = 0x40000, .size = 0x1000, .prio = PRIO_MMIO, .enabled = true, .reads = true,
                               .writes = true, .io = &ops_1_8, .dev = &bar } };
    region_add(&p->map, &bar.r);
    ck_assert_uint_eq(phys_lookup(&p->map, 0, false, false).left, 0x40000);
    ck_assert_uint_eq(phys_lookup(&p->map, 0x40800, false, false).offset, 0x800);
    struct phys_hit above = phys_lookup(&p->map, 0x41000, false, false);
    ck_assert_ptr_eq(above.block, p->ram);
    ck_assert_uint_eq(above.offset, 0x41000);
    pc_free(p);
}
END_TEST

/* Random regions against the plain rule, address by address. */
START_TEST(views_agree_with_the_rule_over_random_maps)
{
    enum { REGIONS = 24, PAGES = 64 };
    uint64_t seed = 6;
    for (unsigned round = 0; round < 60; round++) {
        struct ram_space space;
        struct phys_map map;
        struct region r[REGIONS];
        ram_space_init(&space);
        phys_init(&map, &space, NULL, PAGES * PAGE_SIZE - 1);
        for (unsigned i = 0; i < REGIONS; i++) {
            uint64_t x = random64(&seed);
            r[i] = (struct region){ .base = (x & 63) * PAGE_SIZE, .size = (x >> 8 & 31) * PAGE_SIZE, .prio = (int)(x >> 16 & 3),
                                    .enabled = x >> 20 & 1, .reads = x >> 21 & 1, .writes = x >> 22 & 1, .smm_only = x >> 23 & 1,
                                    .io = &ops_1_8 };
            region_add(&map, &r[i]);
        }
        for (unsigned i = 0; i < REGIONS; i++) {          /* change some of them afterwards */
            uint64_t x = random64(&seed);
            if (x & 1) region_set(&map, &r[i], x >> 1 & 1, (x >> 8 & 63) * PAGE_SIZE, (x >> 16 & 31) * PAGE_SIZE);
            if (x & 2) region_set_access(&map, &r[i], x >> 3 & 1, x >> 4 & 1);
        }
        for (unsigned page = 0; page < PAGES; page++)
            for (unsigned way = 0; way < 4; way++) {
                uint64_t addr = page * PAGE_SIZE + (random64(&seed) & (PAGE_SIZE - 1));
                bool smm = way & 1, write = way & 2;
                struct region *expect = NULL;
                for (unsigned i = 0; i < REGIONS; i++)
                    if (r[i].enabled && (write ? r[i].writes : r[i].reads) && (smm || !r[i].smm_only) && addr >= r[i].base &&
                        addr - r[i].base < r[i].size && (!expect || r[i].prio >= expect->prio))
                        expect = &r[i];
                struct phys_hit hit = phys_lookup(&map, addr, smm, write);
                ck_assert_ptr_eq(hit.region, expect);
                if (expect) ck_assert_uint_eq(hit.offset, addr - expect->base);
                ck_assert_uint_gt(hit.left, 0);
                ck_assert_uint_le(hit.left, map.addr_mask + 1 - addr);
                if (expect) ck_assert_uint_le(hit.left, expect->base + expect->size - addr);
            }
        phys_fini(&map);
        ram_space_fini(&space);
    }
}
END_TEST

START_TEST(addresses_wrap_at_the_mask)
{
    struct pc *p = pc_new();
    p->ram->data[5] = 0xab;
    ck_assert_uint_eq(phys_load(&p->map, 0x100000005u, 1, false), 0xab);
    uint8_t two[2];
    phys_read(&p->map, 0xffffffffu, two, 2, false);
    ck_assert_uint_eq(two[0], 0xff);
    ck_assert_uint_eq(two[1], p->ram->data[0]);
    pc_free(p);
}
END_TEST

START_TEST(bar_at_the_end_of_the_address_space_does_not_wrap)
{
    struct pc *p = pc_new();
    region_set(&p->map, &p->vga.r, true, UINT64_MAX - 0xfff, 0x20000);
    ck_assert_ptr_eq(phys_lookup(&p->map, 0, false, false).region, &p->low);
    region_set(&p->map, &p->vga.r, true, 0xffff0000u, 0x20000);
    ck_assert_ptr_eq(phys_lookup(&p->map, 0xffffffffu, false, false).region, &p->vga.r);
    ck_assert_ptr_eq(phys_lookup(&p->map, 0, false, false).region, &p->low);
    pc_free(p);
}
END_TEST

/* ---- telling */

START_TEST(change_names_old_and_new_place_once)
{
    struct pc *p = pc_new();
    region_set(&p->map, &p->apic.r, true, 0xfee10000u, 0x1000);
    ck_assert_uint_eq(p->changes, 1);
    ck_assert_uint_eq(p->change[0].base, 0xfee00000u);
    ck_assert_uint_eq(p->change[0].size, 0x11000);
    region_set(&p->map, &p->apic.r, true, 0xfee10000u, 0x1000);
    region_set_access(&p->map, &p->apic.r, true, true);
    ck_assert_uint_eq(p->changes, 1);
    region_set(&p->map, &p->bios, false, 0xe0000, 0x10000);   /* was off and stays off */
    ck_assert_uint_eq(p->changes, 1);
    pc_free(p);
}
END_TEST

START_TEST(batch_tells_once_at_its_end)
{
    struct pc *p = pc_new();
    phys_begin(&p->map);
    phys_begin(&p->map);
    region_set(&p->map, &p->bios, true, 0xf0000, 0x10000);
    region_set(&p->map, &p->vga.r, false, 0xa0000, 0x20000);
    phys_end(&p->map);
    ck_assert_uint_eq(p->changes, 0);
    phys_end(&p->map);
    ck_assert_uint_eq(p->changes, 1);
    ck_assert_uint_eq(p->change[0].base, 0xa0000);
    ck_assert_uint_eq(p->change[0].size, 0x60000);
    phys_begin(&p->map);
    phys_end(&p->map);
    ck_assert_uint_eq(p->changes, 1);
    pc_free(p);
}
END_TEST

/* ---- accesses */

START_TEST(unclaimed_memory_reads_ones_and_is_logged_once_a_page)
{
    struct pc *p = pc_new();
    ck_assert_uint_eq(phys_load(&p->map, 0x200000, 4, false), 0xffffffff);
    ck_assert_uint_eq(phys_load(&p->map, 0x200ffc, 2, false), 0xffff);
    phys_store(&p->map, 0x201000, 1, 8, false);
    uint8_t buf[16] = { 0 };
    phys_read(&p->map, 0x202000, buf, 16, false);
    for (unsigned i = 0; i < 16; i++) ck_assert_uint_eq(buf[i], 0xff);
    unsigned lines = 0;
    for (const char *s = pc_log(p); *s; s++) lines += *s == '\n';
    ck_assert_uint_eq(lines, 3);
    ck_assert_ptr_nonnull(strstr(p->text, "memory write: not modelled: nothing answers at 0x201000"));
    pc_free(p);
}
END_TEST

static const char *loaded(struct chip *c, const struct io_ops *ops, uint64_t off, unsigned size, uint64_t *value)
{
    c->r = (struct region){ .io = ops, .dev = c, .size = 0x1000 };
    c->log[0] = '\0';
    *value = region_load(&c->r, off, size);
    return c->log;
}

static const char *stored(struct chip *c, const struct io_ops *ops, uint64_t off, unsigned size, uint64_t value)
{
    c->r = (struct region){ .io = ops, .dev = c, .size = 0x1000 };
    c->log[0] = '\0';
    region_store(&c->r, off, value, size);
    return c->log;
}

START_TEST(wide_access_to_a_narrow_chip_is_split_low_first)
{
    struct chip c;
    uint64_t v;
    ck_assert_str_eq(loaded(&c, &ops_1_1, 0x10, 4, &v), "r1@10 r1@11 r1@12 r1@13 ");
    ck_assert_uint_eq(v, 0x13121110);
    ck_assert_str_eq(stored(&c, &ops_1_1, 0x10, 2, 0xabcd), "w1@10=cd w1@11=ab ");
    ck_assert_str_eq(stored(&c, &ops_4_4, 0x10, 8, 0x1122334455667788u), "w4@10=55667788 w4@14=11223344 ");
}
END_TEST

START_TEST(narrow_access_to_a_wide_chip_is_widened)
{
    struct chip c;
    uint64_t v;
    ck_assert_str_eq(loaded(&c, &ops_4_4, 0x12, 1, &v), "r4@10 ");
    ck_assert_uint_eq(v, 0x12);
    ck_assert_str_eq(loaded(&c, &ops_4_4, 0x12, 2, &v), "r4@10 ");
    ck_assert_uint_eq(v, 0x1312);
    ck_assert_str_eq(stored(&c, &ops_4_4, 0x13, 1, 0x1ee), "w4@10=ee000000 ");
}
END_TEST

START_TEST(unaligned_access_arrives_in_aligned_pieces)
{
    struct chip c;
    uint64_t v;
    ck_assert_str_eq(loaded(&c, &ops_1_8, 1, 8, &v), "r1@1 r2@2 r4@4 r1@8 ");
    ck_assert_uint_eq(v, 0x0807060504030201u);
    ck_assert_str_eq(loaded(&c, &ops_2_4, 3, 2, &v), "r2@2 r2@4 ");
    ck_assert_uint_eq(v, 0x0403);
    ck_assert_str_eq(stored(&c, &ops_1_8, 3, 4, 0x44332211), "w1@3=11 w2@4=3322 w1@6=44 ");
}
END_TEST

START_TEST(fitting_access_is_one_call_cut_to_its_size)
{
    struct chip c;
    uint64_t v;
    ck_assert_str_eq(loaded(&c, &ops_1_8, 8, 8, &v), "r8@8 ");
    ck_assert_str_eq(stored(&c, &ops_1_8, 8, 2, 0x123456), "w2@8=3456 ");
    static const struct io_ops none = { NULL, NULL, 1, 4 };
    ck_assert_str_eq(loaded(&c, &none, 0, 4, &v), "");
    ck_assert_uint_eq(v, 0xffffffff);
    ck_assert_str_eq(stored(&c, &none, 0, 4, 1), "");
}
END_TEST

START_TEST(long_copies_cross_memory_chips_and_nothing)
{
    struct pc *p = pc_new();
    uint8_t buf[0x30];
    memset(p->ram->data + 0x9fff0, 0x11, 16);
    phys_read(&p->map, 0x9fff0, buf, sizeof buf, false);
    ck_assert_uint_eq(buf[15], 0x11);
    ck_assert_uint_eq(buf[16], 0);                        /* the chip's offsets */
    ck_assert_uint_eq(buf[0x2f], 0x1f);
    for (unsigned i = 0; i < sizeof buf; i++) buf[i] = (uint8_t)(i + 1);
    phys_write(&p->map, 0xfffe0, buf, sizeof buf, false);
    ck_assert_mem_eq(p->ram->data + 0xfffe0, buf, 0x20);
    p->apic.log[0] = '\0';
    phys_write(&p->map, 0xfee00002u, buf, 6, false);
    ck_assert_str_eq(p->apic.log, "w4@0=2010000 w4@4=6050403 ");
    pc_free(p);
}
END_TEST

START_TEST(memory_is_little_endian_and_may_be_unaligned)
{
    struct pc *p = pc_new();
    phys_store(&p->map, 0x101, 0x8877665544332211u, 8, false);
    ck_assert_uint_eq(p->ram->data[0x101], 0x11);
    ck_assert_uint_eq(phys_load(&p->map, 0x103, 4, false), 0x66554433);
    ck_assert_uint_eq(phys_load(&p->map, 0x101, 8, false), 0x8877665544332211u);
    pc_free(p);
}
END_TEST

START_TEST(region_that_ends_within_a_page_is_joined_bytewise)
{
    struct pc *p = pc_new();
    struct chip bar = { .r = { .name = "bar", .base = 0x40000, .size = 0x10, .prio = PRIO_MMIO, .enabled = true, .reads = true,
                               .writes = true, .io = &ops_1_8, .dev = &bar } };
    region_add(&p->map, &bar.r);
    p->ram->data[0x40010] = 0xaa;
    ck_assert_uint_eq(phys_load(&p->map, 0x4000f, 2, false), 0xaa0f);
    phys_store(&p->map, 0x4000f, 0xbbcc, 2, false);
    ck_assert_uint_eq(p->ram->data[0x40010], 0xbb);
    ck_assert_ptr_nonnull(strstr(bar.log, "w1@f=cc "));
    pc_free(p);
}
END_TEST

START_TEST(store_tells_code_only_where_a_line_is_hit)
{
    struct pc *p = pc_new();
    p->ram->code_lines[1] = 1u << 2;                      /* bytes 1100h to 117Fh */
    phys_store(&p->map, 0x10fc, 1, 4, false);
    phys_store(&p->map, 0x1180, 1, 4, false);
    ck_assert_str_eq(p->code_log, "");
    phys_store(&p->map, 0x117f, 1, 1, false);
    phys_store(&p->map, 0x10fd, 1, 4, false);
    ck_assert_str_eq(p->code_log, "ram+117f,1 ram+10fd,4 ");
    pc_free(p);
}
END_TEST

START_TEST(loaders_reach_memory_only_and_write_rom)
{
    struct pc *p = pc_new();
    uint8_t buf[32];
    memset(buf, 0x33, sizeof buf);
    region_set(&p->map, &p->bios, true, 0xf0000, 0x10000);
    ck_assert_uint_eq(phys_poke(&p->map, 0xf0000, buf, 32), 32);
    ck_assert_uint_eq(p->rom->data[31], 0x33);
    ck_assert_uint_eq(p->ram->data[0xf0000], 0);
    ck_assert_uint_eq(phys_peek(&p->map, 0x9fff8, buf, 32), 8);
    ck_assert_uint_eq(phys_peek(&p->map, 0xfee00000u, buf, 4), 0);
    ck_assert_uint_eq(phys_poke(&p->map, 0x200000, buf, 4), 0);
    ck_assert_str_eq(p->vga.log, "");
    pc_free(p);
}
END_TEST

/* ---- bus masters */

START_TEST(bus_master_reaches_memory_only)
{
    struct pc *p = pc_new();
    struct dma_port d = { .map = &p->map, .who = "hda" };
    uint8_t buf[64];
    memset(buf, 0x44, sizeof buf);
    dma_write(&d, 0x9ffe0, buf, 64);                      /* RAM, then VGA's window */
    ck_assert_uint_eq(p->ram->data[0x9ffff], 0x44);
    ck_assert_uint_eq(p->ram->data[0xa0000], 0);
    dma_read(&d, 0x9ffe0, buf, 64);
    ck_assert_uint_eq(buf[31], 0x44);
    ck_assert_uint_eq(buf[32], 0xff);
    dma_write(&d, 0xe0000000u, buf, 32);
    ck_assert_uint_eq(p->vram->data[31], 0x44);
    region_set(&p->map, &p->bios, true, 0xf0000, 0x10000);
    region_set_access(&p->map, &p->bios, true, true);
    dma_write(&d, 0xf0000, buf, 32);
    ck_assert_uint_eq(p->rom->data[0], 0x52);
    ck_assert_str_eq(p->vga.log, "");
    ck_assert_ptr_nonnull(strstr(pc_log(p), "hda: guest error: bus master aims at 0xa0000"));
    pc_free(p);
}
END_TEST

START_TEST(bus_master_that_is_off_moves_nothing)
{
    struct pc *p = pc_new();
    bool on = false;
    struct dma_port d = { .map = &p->map, .who = "hda", .enabled = &on };
    uint8_t buf[4] = { 1, 2, 3, 4 };
    uint64_t len = 4;
    dma_write(&d, 0x1000, buf, 4);
    ck_assert_uint_eq(p->ram->data[0x1000], 0);
    dma_read(&d, 0x1000, buf, 4);
    ck_assert_uint_eq(buf[3], 0xff);
    ck_assert_ptr_null(dma_map(&d, 0x1000, &len, false));
    on = true;
    ck_assert_ptr_eq(dma_map(&d, 0x1000, &len, false), p->ram->data + 0x1000);
    pc_free(p);
}
END_TEST

START_TEST(dma_marks_pages_and_tells_code)
{
    struct pc *p = pc_new();
    struct dma_port d = { .map = &p->map, .who = "hda" };
    uint8_t buf[0x1800] = { 0 };
    ram_watch(p->ram, DIRTY_SNAPSHOT, true);
    p->ram->code_lines[3] = 1;
    dma_write(&d, 0x2000, buf, sizeof buf);
    ck_assert_str_eq(p->code_log, "ram+3000,800 ");
    ck_assert(!ram_test_clear_dirty(p->ram, DIRTY_SNAPSHOT, 0, 0x2000));
    ck_assert(ram_test_clear_dirty(p->ram, DIRTY_SNAPSHOT, 0x3000, 1));
    ck_assert(!ram_test_clear_dirty(p->ram, DIRTY_SNAPSHOT, 0x4000, 0x4000));
    pc_free(p);
}
END_TEST

START_TEST(mapped_span_is_cut_where_ram_ends)
{
    struct pc *p = pc_new();
    struct dma_port d = { .map = &p->map, .who = "hda" };
    uint64_t len = 0x4000;
    uint8_t *span = dma_map(&d, 0x9f000, &len, true);
    ck_assert_uint_eq(len, 0x1000);
    p->ram->code_lines[0x9f] = 1;
    memset(span, 0x66, len);
    dma_unmap(&d, 0x9f000, len);
    ck_assert_str_eq(p->code_log, "ram+9f000,1000 ");
    dma_unmap(&d, 0x9f000, 0);
    ck_assert_uint_eq(phys_load(&p->map, 0x9ffff, 1, false), 0x66);
    len = 16;
    ck_assert_ptr_null(dma_map(&d, 0xa0000, &len, false));
    ck_assert_ptr_null(dma_map(&d, 0x300000, &len, false));
    region_set(&p->map, &p->bios, true, 0xf0000, 0x10000);
    ck_assert_ptr_nonnull(dma_map(&d, 0xf0000, &len, false));
    region_set_access(&p->map, &p->bios, true, true);
    ck_assert_ptr_null(dma_map(&d, 0xf0000, &len, true));
    pc_free(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("phys");
    TCase *t = tcase_create("who answers");
    tcase_add_test(t, highest_priority_answers);
    tcase_add_test(t, pam_reads_rom_and_writes_ram);
    tcase_add_test(t, smram_answers_only_in_smm);
    tcase_add_test(t, of_equal_priorities_the_last_added_answers);
    tcase_add_test(t, region_in_the_middle_splits_the_one_below);
    tcase_add_test(t, views_agree_with_the_rule_over_random_maps);
    tcase_add_test(t, addresses_wrap_at_the_mask);
    tcase_add_test(t, bar_at_the_end_of_the_address_space_does_not_wrap);
    suite_add_tcase(s, t);
    t = tcase_create("telling");
    tcase_add_test(t, change_names_old_and_new_place_once);
    tcase_add_test(t, batch_tells_once_at_its_end);
    suite_add_tcase(s, t);
    t = tcase_create("accesses");
    tcase_add_test(t, unclaimed_memory_reads_ones_and_is_logged_once_a_page);
    tcase_add_test(t, wide_access_to_a_narrow_chip_is_split_low_first);
    tcase_add_test(t, narrow_access_to_a_wide_chip_is_widened);
    tcase_add_test(t, unaligned_access_arrives_in_aligned_pieces);
    tcase_add_test(t, fitting_access_is_one_call_cut_to_its_size);
    tcase_add_test(t, long_copies_cross_memory_chips_and_nothing);
    tcase_add_test(t, memory_is_little_endian_and_may_be_unaligned);
    tcase_add_test(t, region_that_ends_within_a_page_is_joined_bytewise);
    tcase_add_test(t, store_tells_code_only_where_a_line_is_hit);
    tcase_add_test(t, loaders_reach_memory_only_and_write_rom);
    suite_add_tcase(s, t);
    t = tcase_create("bus masters");
    tcase_add_test(t, bus_master_reaches_memory_only);
    tcase_add_test(t, bus_master_that_is_off_moves_nothing);
    tcase_add_test(t, dma_marks_pages_and_tells_code);
    tcase_add_test(t, mapped_span_is_cut_where_ram_ends);
    suite_add_tcase(s, t);
    return suite_main(s);
}
