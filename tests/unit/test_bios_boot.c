/* Direct boot: what is planned for a good kernel, and what is said of a bad one. */
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "bios/bios.h"
#include "tests/suite.h"

enum { SETUP = 5 * 512, PAYLOAD = 100000, KERNEL = SETUP + PAYLOAD };
enum { KEY_PLAN = 0x8be0, KEY_INITRD = 0x8be1, KEY_ZEROS = 0x8bff };

static char dir[64], kernel_path[80], initrd_path[80];
static uint8_t image[256 << 10];
static struct bios_config config;
static struct bios_items items;
static struct error e;

static void write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, len, f), len);
    fclose(f);
}

static enum host_status build(size_t kernel_len)
{
    write_file(kernel_path, image, kernel_len);
    bios_items_free(&items);
    e.text[0] = 0;
    return bios_build(&config, &items, &e);
}

static const struct bios_item *key(uint16_t k)
{
    for (unsigned i = 0; i < items.len; i++)
        if (!items.item[i].name[0] && items.item[i].key == k) return &items.item[i];
    return NULL;
}

static const uint8_t *plan(void)
{
    const struct bios_item *p = key(KEY_PLAN);
    ck_assert_ptr_nonnull(p);
    ck_assert_int_eq(memcmp(p->data, "BBP1", 4), 0);
    ck_assert_uint_eq(p->len, 32u + 16u * ld16(p->data + 6));
    return p->data;
}

/* The nth load's contents and address. */
static const struct bios_item *load(unsigned n, uint32_t *address, uint32_t *len)
{
    const uint8_t *l = plan() + 32 + 16 * n;
    ck_assert_uint_lt(n, ld16(plan() + 6));
    *len = ld32(l + 8);
    *address = ld32(l + 12);
    return key(ld16(l));
}

/* A bzImage of protocol 2.10. */
static void make_linux(void)
{
    memset(image, 0, sizeof image);
    image[0x1f1] = 4;
    st32(image + 0x1f4, (PAYLOAD + 15) / 16);
    st16(image + 0x1fe, 0xaa55);
    memcpy(image + 0x202, "HdrS", 4);
    st16(image + 0x206, 0x020a);
    image[0x211] = 1;
    st32(image + 0x22c, 0x7fffffff);
    st32(image + 0x238, 255);
    st64(image + 0x258, 0x100000);
    st32(image + 0x260, 0x200000);
    memset(image + SETUP, 0x5a, PAYLOAD);
}

static void make_elf(void)
{
    memset(image, 0, sizeof image);
    memcpy(image, "\177ELF\1\1\1", 7);
    st16(image + 16, 2);
    st16(image + 18, 3);
    st32(image + 24, 0xc0100010);             /* entry: virtual */
    st32(image + 28, 52);
    st16(image + 42, 32);
    st16(image + 44, 1);
    uint8_t *ph = image + 52;
    st32(ph, 1);
    st32(ph + 4, 0x1000);
    st32(ph + 8, 0xc0100000);
    st32(ph + 12, 0x100000);
    st32(ph + 16, 0x800);
    st32(ph + 20, 0x3000);
    st32(image + 0x100, 0x1badb002);
    st32(image + 0x104, 3);
    st32(image + 0x108, -(0x1badb002u + 3));
    memset(image + 0x1000, 0x77, 0x800);
}

static void make_kludge(void)
{
    memset(image, 0, sizeof image);
    uint8_t *h = image + 0x40;
    static const uint32_t words[] = { 0x1badb002, 0x10000, -(0x1badb002u + 0x10000), 0x200040, 0x200000, 0x201000,
                                      0x202000, 0x200080 };
    for (unsigned i = 0; i < 8; i++) st32(h + 4 * i, words[i]);
}

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/beige-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(kernel_path, sizeof kernel_path, "%s/kernel", dir);
    snprintf(initrd_path, sizeof initrd_path, "%s/initrd", dir);
    config = (struct bios_config){ .ram_size = 32 << 20, .cpus = 1, .kernel = kernel_path };
}

static void teardown(void)
{
    bios_items_free(&items);
    remove(kernel_path);
    remove(initrd_path);
    rmdir(dir);
}

START_TEST(linux_is_laid_out_by_its_header)
{
    uint32_t at, len;
    make_linux();
    config.append = "console=ttyS0 vga=0x317";
    ck_assert_int_eq(build(KERNEL), HOST_OK);
    const struct bios_item *s = load(0, &at, &len);
    ck_assert(at == 0x10000 && len == SETUP && s->len == SETUP);
    ck_assert_uint_eq(s->data[0x210], 0xff);
    ck_assert_uint_eq(s->data[0x211], 0x81);
    ck_assert_uint_eq(ld16(s->data + 0x224), 0xde00);
    ck_assert_uint_eq(ld32(s->data + 0x228), 0x20000);
    ck_assert_uint_eq(ld16(s->data + 0x1fa), 0x317);
    ck_assert_str_eq((const char *)load(1, &at, &len)->data, config.append);
    ck_assert_uint_eq(at, 0x20000);
    const struct bios_item *k = load(2, &at, &len);
    ck_assert(at == 0x100000 && len == PAYLOAD && k->data[PAYLOAD - 1] == 0x5a);
    ck_assert_uint_eq(ld16(plan() + 4), 1);
    ck_assert_uint_eq(ld16(plan() + 28), 0x1000);
    ck_assert_uint_eq(ld32(plan() + 24), 0x300000);   /* it unpacks itself up to there */
}
END_TEST

START_TEST(boot_rom_is_a_valid_expansion_rom_and_boots_first)
{
    make_linux();
    ck_assert_int_eq(build(KERNEL), HOST_OK);
    const struct bios_item *rom = NULL, *order = NULL;
    for (unsigned i = 0; i < items.len; i++) {
        if (strcmp(items.item[i].name, "genroms/beige-boot.rom") == 0) rom = &items.item[i];
        if (strcmp(items.item[i].name, "bootorder") == 0) order = &items.item[i];
    }
    ck_assert_ptr_nonnull(rom);
    ck_assert_uint_eq(rom->len, rom->data[2] * 512u);
    uint8_t sum = 0;
    for (uint32_t i = 0; i < rom->len; i++) sum = (uint8_t)(sum + rom->data[i]);
    ck_assert_uint_eq(sum, 0);
    ck_assert_int_eq(memcmp(rom->data + ld16(rom->data + 0x1a), "$PnP", 4), 0);
    ck_assert_str_eq((const char *)order->data, "/rom@genroms/beige-boot.rom");
}
END_TEST

START_TEST(initrd_is_served_and_its_size_told)
{
    uint32_t at, len;
    make_linux();
    write_file(initrd_path, "0123456789", 10);
    config.initrd = initrd_path;
    ck_assert_int_eq(build(KERNEL), HOST_OK);
    ck_assert_uint_eq(key(KEY_INITRD)->len, 10);
    ck_assert_uint_eq(ld32(load(0, &at, &len)->data + 0x21c), 10);
    ck_assert_uint_eq(ld32(plan() + 16), 10);
    ck_assert_uint_eq(ld32(plan() + 20), 0x7fffffff);
    config.initrd = "/nonexistent/initrd";
    ck_assert_int_eq(build(KERNEL), HOST_MISSING);
    ck_assert_ptr_nonnull(strstr(e.text, "/nonexistent/initrd"));
}
END_TEST

START_TEST(old_protocols_keep_the_setup_at_90000)
{
    uint32_t at, len;
    make_linux();
    st16(image + 0x206, 0x0201);
    config.append = "root=/dev/hda1";
    ck_assert_int_eq(build(KERNEL), HOST_OK);
    const struct bios_item *s = load(0, &at, &len);
    ck_assert_uint_eq(at, 0x90000);
    ck_assert_uint_eq(ld16(s->data + 0x20), 0xa33f);
    ck_assert_uint_eq(ld16(s->data + 0x22), 0x9800);
    load(1, &at, &len);
    ck_assert_uint_eq(at, 0x99800);
    image[0x211] = 0;                         /* a zImage */
    ck_assert_int_eq(build(KERNEL), HOST_OK);
    load(2, &at, &len);
    ck_assert_uint_eq(at, 0x10000);
}
END_TEST

START_TEST(bad_linux_images_are_explained)
{
    make_linux();
    ck_assert_int_eq(build(KERNEL - 100), HOST_BAD_FORMAT);
    ck_assert_ptr_nonnull(strstr(e.text, "truncated"));
    ck_assert_int_eq(build(SETUP), HOST_BAD_FORMAT);
    ck_assert_int_eq(build(100), HOST_BAD_FORMAT);
    ck_assert_ptr_nonnull(strstr(e.text, "neither"));
    image[0x1f1] = 255;
    ck_assert_int_eq(build(KERNEL), HOST_BAD_FORMAT);
    make_linux();
    st32(image + 0x260, 64 << 20);
    ck_assert_int_eq(build(KERNEL), HOST_REFUSED);
    ck_assert_ptr_nonnull(strstr(e.text, "-m"));
    make_linux();
    char line[300];
    memset(line, 'x', 256);
    line[256] = 0;
    config.append = line;
    ck_assert_int_eq(build(KERNEL), HOST_BAD_FORMAT);
    ck_assert_ptr_nonnull(strstr(e.text, "255"));
    line[255] = 0;
    ck_assert_int_eq(build(KERNEL), HOST_OK);
}
END_TEST

START_TEST(options_without_a_kernel_are_refused)
{
    config.kernel = NULL;
    config.append = "x";
    ck_assert_int_eq(build(0), HOST_REFUSED);
    config.append = NULL;
    config.initrd = "x";
    ck_assert_int_eq(build(0), HOST_REFUSED);
    config.kernel = "/nonexistent/kernel";
    ck_assert_int_eq(build(0), HOST_MISSING);
}
END_TEST

START_TEST(multiboot_elf_is_loaded_with_its_bss)
{
    uint32_t at, len;
    make_elf();
    config.append = "debug";
    ck_assert_int_eq(build(0x1800), HOST_OK);
    ck_assert_uint_eq(load(0, &at, &len)->data[0], 0x77);
    ck_assert(at == 0x100000 && len == 0x800);
    ck_assert_ptr_null(load(1, &at, &len));   /* zeros */
    ck_assert(at == 0x100800 && len == 0x2800);
    ck_assert_uint_eq(ld32(plan() + 8), 0x100010);    /* the entry's physical address */
    const struct bios_item *info = load(2, &at, &len);
    ck_assert_uint_eq(at, 0x10000);
    ck_assert_uint_eq(ld32(info->data) & 0x4d, 0x4d);
    const char *line = (const char *)info->data + ld32(info->data + 16) - at;
    ck_assert_ptr_nonnull(strstr(line, "kernel debug"));
}
END_TEST

START_TEST(multiboot_modules_lie_on_pages_behind_the_kernel)
{
    uint32_t at, len;
    char both[200];
    make_elf();
    write_file(initrd_path, "module", 6);
    snprintf(both, sizeof both, "%s one,%s two three", initrd_path, initrd_path);
    config.initrd = both;
    ck_assert_int_eq(build(0x1800), HOST_OK);
    load(2, &at, &len);
    ck_assert(at == 0x103000 && len == 6);
    load(3, &at, &len);
    ck_assert(at == 0x104000 && len == 6);
    const struct bios_item *info = load(4, &at, &len);
    ck_assert_uint_eq(ld32(info->data + 20), 2);
    const uint8_t *module = info->data + ld32(info->data + 24) - at;
    ck_assert_uint_eq(ld32(module), 0x103000);
    ck_assert_uint_eq(ld32(module + 4), 0x103006);
    ck_assert_ptr_nonnull(strstr((const char *)info->data + ld32(module + 16 + 8) - at, "two three"));
}
END_TEST

START_TEST(multiboot_header_with_addresses_is_obeyed)
{
    uint32_t at, len;
    make_kludge();
    ck_assert_int_eq(build(0x1000), HOST_OK);
    load(0, &at, &len);
    ck_assert(at == 0x200000 && len == 0x1000);
    load(1, &at, &len);
    ck_assert(at == 0x201000 && len == 0x1000);
    ck_assert_uint_eq(ld32(plan() + 8), 0x200080);
    st32(image + 0x40 + 16, 0x1fff00);        /* the file does not begin that early */
    ck_assert_int_eq(build(0x1000), HOST_BAD_FORMAT);
}
END_TEST

START_TEST(bad_multiboot_kernels_are_explained)
{
    make_elf();
    ck_assert_int_eq(build(0x17ff), HOST_BAD_FORMAT);
    st32(image + 52 + 12, 0xa0000);           /* below 1 MiB */
    ck_assert_int_eq(build(0x1800), HOST_REFUSED);
    make_elf();
    st32(image + 52 + 20, 0x7fffffff);        /* beyond the RAM */
    ck_assert_int_eq(build(0x1800), HOST_REFUSED);
    make_elf();
    st32(image + 0x104, 0x8003);              /* an unknown requirement */
    st32(image + 0x108, -(0x1badb002u + 0x8003));
    ck_assert_int_eq(build(0x1800), HOST_BAD_FORMAT);
    make_elf();
    image[4] = 2;                             /* 64-bit ELF */
    ck_assert_int_eq(build(0x1800), HOST_BAD_FORMAT);
    make_elf();
    st32(image + 28, 0xfffffff0);             /* program headers outside the file */
    ck_assert_int_eq(build(0x1800), HOST_BAD_FORMAT);
}
END_TEST

/* Random damage to a good kernel is refused or planned, within the memory: it never crashes. */
static void damage(void (*make)(void), size_t head, size_t len, uint64_t seed)
{
    for (unsigned round = 0; round < 150; round++) {
        make();
        for (unsigned flips = 1 + random64(&seed) % 6; flips; flips--) {
            size_t at = random64(&seed) % head;
            image[at] = (uint8_t)random64(&seed);
        }
        if (build(random64(&seed) % 8 ? len : random64(&seed) % (len + 1)) != HOST_OK) {
            ck_assert_int_ne(e.text[0], 0);
            continue;
        }
        if (!key(KEY_PLAN)) continue;
        for (unsigned i = 0; i < ld16(plan() + 6); i++) {
            uint32_t at, n;
            load(i, &at, &n);
            ck_assert_uint_le((uint64_t)at + n, config.ram_size);
            ck_assert_uint_ge(at, 0x10000);
        }
    }
}

START_TEST(damaged_kernels_do_no_harm)
{
    damage(make_linux, 0x270, KERNEL, 1);
    damage(make_elf, 0x110, 0x1800, 2);
    damage(make_kludge, 0x60, 0x1000, 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bios_boot");
    TCase *t = tcase_create("boot");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, linux_is_laid_out_by_its_header);
    tcase_add_test(t, boot_rom_is_a_valid_expansion_rom_and_boots_first);
    tcase_add_test(t, initrd_is_served_and_its_size_told);
    tcase_add_test(t, old_protocols_keep_the_setup_at_90000);
    tcase_add_test(t, bad_linux_images_are_explained);
    tcase_add_test(t, options_without_a_kernel_are_refused);
    tcase_add_test(t, multiboot_elf_is_loaded_with_its_bss);
    tcase_add_test(t, multiboot_modules_lie_on_pages_behind_the_kernel);
    tcase_add_test(t, multiboot_header_with_addresses_is_obeyed);
    tcase_add_test(t, bad_multiboot_kernels_are_explained);
    tcase_add_test(t, damaged_kernels_do_no_harm);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    return suite_main(s);
}
