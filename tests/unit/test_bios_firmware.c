/* Finding and checking ROM images: each wrong file gets one clear message (bios/firmware.c). */
#include <string.h>
#include <unistd.h>

#include "bios/bios.h"
#include "tests/suite.h"

static char dir[64];
static struct bios_image image;
static struct error e;

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static const char *file(const char *name, size_t size, const void *head, size_t head_len)
{
    const char *path = path_of(name);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    for (size_t i = 0; i < size; i++) fputc(i < head_len ? ((const unsigned char *)head)[i] : 0x90, f);
    fclose(f);
    return path;
}

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/beige-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
    static const char *const names[] = { "a.bin", "bios-256k.bin", "bios.bin" };
    bios_image_free(&image);
    for (unsigned i = 0; i < 3; i++) remove(path_of(names[i]));
    rmdir(dir);
}

START_TEST(roms_of_64_128_and_256_kib_load)
{
    for (unsigned kib = 64; kib <= 256; kib *= 2) {
        ck_assert_int_eq(bios_load_firmware(file("a.bin", kib << 10, "x", 1), NULL, &image, &e), HOST_OK);
        ck_assert_uint_eq(image.size, kib << 10);
        ck_assert_uint_eq(image.data[0], 'x');
        bios_image_free(&image);
    }
}
END_TEST

START_TEST(other_sizes_are_refused_by_name_and_size)
{
    static const unsigned sizes[] = { 1, 65535, 65537, 192 << 10, 262143 };
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ck_assert_int_eq(bios_load_firmware(file("a.bin", sizes[i], "", 0), NULL, &image, &e), HOST_BAD_FORMAT);
        ck_assert_ptr_nonnull(strstr(e.text, "a.bin"));
        ck_assert_ptr_nonnull(strstr(e.text, "64, 128 or 256 KiB"));
        ck_assert_ptr_null(image.data);
    }
    ck_assert_int_eq(bios_load_firmware(file("a.bin", 262145, "", 0), NULL, &image, &e), HOST_BAD_FORMAT);
    ck_assert_ptr_nonnull(strstr(e.text, "larger"));
    ck_assert_int_eq(bios_load_firmware(file("a.bin", 0, "", 0), NULL, &image, &e), HOST_BAD_FORMAT);
    ck_assert_ptr_nonnull(strstr(e.text, "empty"));
}
END_TEST

START_TEST(missing_rom_is_named)
{
    ck_assert_int_eq(bios_load_firmware(path_of("none.bin"), NULL, &image, &e), HOST_MISSING);
    ck_assert_ptr_nonnull(strstr(e.text, "none.bin"));
    ck_assert_int_eq(bios_load_firmware("beige-has-no-such-rom.bin", dir, &image, &e), HOST_MISSING);
    ck_assert_ptr_nonnull(strstr(e.text, "seabios"));
    ck_assert_int_ne(bios_load_firmware(dir, NULL, &image, &e), HOST_OK);   /* a directory */
}
END_TEST

START_TEST(library_folder_goes_first_and_falls_back_to_the_small_rom)
{
    file("bios.bin", 131072, "small", 5);
    file("bios-256k.bin", 262144, "large", 5);
    ck_assert_int_eq(bios_load_firmware(NULL, dir, &image, &e), HOST_OK);
    ck_assert_int_eq(memcmp(image.data, "large", 5), 0);
    bios_image_free(&image);
    ck_assert_int_eq(bios_load_firmware("bios.bin", dir, &image, &e), HOST_OK);
    ck_assert_int_eq(memcmp(image.data, "small", 5), 0);
}
END_TEST

START_TEST(expansion_rom_needs_signature_and_its_whole_length)
{
    ck_assert_int_eq(bios_load_option_rom(file("a.bin", 1024, "\x55\xaa\x02", 3), NULL, &image, &e), HOST_OK);
    ck_assert_uint_eq(image.size, 1024);
    bios_image_free(&image);
    ck_assert_int_eq(bios_load_option_rom(file("a.bin", 5000, "\x55\xaa\x02", 3), NULL, &image, &e), HOST_OK);
    ck_assert_uint_eq(image.size, 1024);              /* padding is cut */
    bios_image_free(&image);
    ck_assert_int_eq(bios_load_option_rom(file("a.bin", 1023, "\x55\xaa\x02", 3), NULL, &image, &e), HOST_BAD_FORMAT);
    ck_assert_int_eq(bios_load_option_rom(file("a.bin", 1024, "\x55\xaa\x00", 3), NULL, &image, &e), HOST_BAD_FORMAT);
    ck_assert_int_eq(bios_load_option_rom(file("a.bin", 1024, "\xaa\x55\x02", 3), NULL, &image, &e), HOST_BAD_FORMAT);
    ck_assert_int_eq(bios_load_option_rom(file("a.bin", 2, "\x55\xaa", 2), NULL, &image, &e), HOST_BAD_FORMAT);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bios_firmware");
    TCase *t = tcase_create("roms");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, roms_of_64_128_and_256_kib_load);
    tcase_add_test(t, other_sizes_are_refused_by_name_and_size);
    tcase_add_test(t, missing_rom_is_named);
    tcase_add_test(t, library_folder_goes_first_and_falls_back_to_the_small_rom);
    tcase_add_test(t, expansion_rom_needs_signature_and_its_whole_length);
    suite_add_tcase(s, t);
    return suite_main(s);
}
