/* Pictures as files, and the surface they come from. */
#ifndef BEIGE_MINIMAL
#include <png.h>
#endif
#include "host/png.h"
#include "tests/unit/host_rig.h"

enum { W = 37, H = 21, STRIDE = 41 };                    /* odd on purpose, and rows apart */

static uint32_t pixels[STRIDE * H];
static struct surface s = { .pixels = pixels, .width = W, .height = H, .stride = STRIDE };
static struct error e;

static void fill(void)
{
    uint64_t seed = 7;
    for (unsigned i = 0; i < STRIDE * H; i++) pixels[i] = (uint32_t)random64(&seed);    /* the top byte means nothing */
}

static void check_rgb(const uint8_t *rgb)
{
    for (unsigned y = 0; y < H; y++)
        for (unsigned x = 0; x < W; x++) {
            const uint8_t *p = rgb + (y * W + x) * 3;
            ck_assert_uint_eq((uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2], pixels[y * STRIDE + x] & 0xffffff);
        }
}

START_TEST(ppm_comes_back_as_it_was)
{
    uint8_t file[W * H * 3 + 100];
    fill();
    ck_assert_int_eq(picture_write_ppm(&s, "a.ppm", &e), HOST_OK);
    size_t n = rig_read("a.ppm", file, sizeof file);
    static const char head[] = "P6\n37 21\n255\n";
    ck_assert_uint_eq(n, sizeof head - 1 + W * H * 3);
    ck_assert_mem_eq(file, head, sizeof head - 1);
    check_rgb(file + sizeof head - 1);
}
END_TEST

START_TEST(png_comes_back_as_it_was)
{
    fill();
#ifndef BEIGE_MINIMAL
    ck_assert_int_eq(picture_write_png(&s, "a.png", &e), HOST_OK);
    png_image im = { .version = PNG_IMAGE_VERSION };
    uint8_t rgb[W * H * 3];
    ck_assert(png_image_begin_read_from_file(&im, "a.png"));
    ck_assert_uint_eq(im.width, W);
    ck_assert_uint_eq(im.height, H);
    im.format = PNG_FORMAT_RGB;
    ck_assert(png_image_finish_read(&im, NULL, rgb, W * 3, NULL));
    check_rgb(rgb);
#else
    ck_assert_int_eq(picture_write_png(&s, "a.png", &e), HOST_REFUSED);
#endif
}
END_TEST

START_TEST(folder_that_is_missing_is_told)
{
    ck_assert_int_eq(picture_write_ppm(&s, "no/a.ppm", &e), HOST_IO_ERROR);
    ck_assert_str_eq(e.text, "no/a.ppm: cannot write the picture: No such file or directory");
}
END_TEST

START_TEST(full_disk_leaves_the_old_picture)
{
    char old[16] = "";
    rig_file("a.ppm", "old", 3);
    rig_full_disk_beyond(100);
    ck_assert_int_eq(picture_write_ppm(&s, "a.ppm", &e), HOST_NO_SPACE);
    ck_assert_contains(e.text, "a.ppm: cannot write the picture: ");
    rig_read("a.ppm", old, sizeof old);
    ck_assert_str_eq(old, "old");
    ck_assert_int_ne(access("a.ppm.tmp", F_OK), 0);
}
END_TEST

START_TEST(device_is_written_to_and_not_replaced)
{
    struct stat st;
    ck_assert_int_eq(symlink("/dev/null", "nowhere"), 0);
    ck_assert_int_eq(picture_write_ppm(&s, "nowhere", &e), HOST_OK);
    ck_assert_int_eq(stat("nowhere", &st), 0);
    ck_assert(S_ISCHR(st.st_mode));
}
END_TEST

START_TEST(surface_grows_and_tells_that_it_changed)
{
    struct surface f = { 0 };
    ck_assert(surface_resize(&f, 640, 400));
    uint64_t first = f.generation;
    ck_assert(surface_resize(&f, 640, 400));
    ck_assert_uint_eq(f.generation, first);
    ck_assert(surface_resize(&f, 1600, 1200));
    ck_assert_uint_gt(f.generation, first);
    ck_assert_uint_eq(f.stride, 1600);
    f.pixels[1600 * 1200 - 1] = 1;
    for (unsigned y = 0; y < 1200; y++) ck_assert_uint_eq(f.dirty_rows[y], 1);
    ck_assert(surface_resize(&f, 320, 200));
    surface_fini(&f);
    ck_assert_ptr_null(f.pixels);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host picture");
    TCase *t = tcase_create("pictures");
    tcase_add_checked_fixture(t, rig_enter, rig_leave);
    tcase_add_test(t, ppm_comes_back_as_it_was);
    tcase_add_test(t, png_comes_back_as_it_was);
    tcase_add_test(t, folder_that_is_missing_is_told);
    tcase_add_test(t, full_disk_leaves_the_old_picture);
    tcase_add_test(t, device_is_written_to_and_not_replaced);
    tcase_add_test(t, surface_grows_and_tells_that_it_changed);
    suite_add_tcase(suite, t);
    return suite_main(suite);
}
