/* Scaling of the picture into the window. */
#include <string.h>
#include "frontend/window_show.h"
#include "tests/suite.h"

#define demand(cond) do { if (!(cond)) ck_abort_msg("%s", #cond); } while (0)

START_TEST(picture_is_as_large_as_fits_and_centred)
{
    static const struct { int w, h, x, y, pw, ph; } rows[] = {
        { 720, 540, 0, 0, 720, 540 }, { 900, 400, 183, 0, 533, 400 }, { 400, 600, 0, 150, 400, 300 },
        { 1920, 1080, 240, 0, 1440, 1080 }, { 1, 1, 0, 0, 1, 1 },
    };
    struct surface f = { .width = 720, .height = 400, .aspect_w = 4, .aspect_h = 3 };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SDL_Rect r = show_place(&f, rows[i].w, rows[i].h);
        ck_assert_int_eq(r.x, rows[i].x);
        ck_assert_int_eq(r.y, rows[i].y);
        ck_assert_int_eq(r.w, rows[i].pw);
        ck_assert_int_eq(r.h, rows[i].ph);
    }
    f.aspect_w = f.aspect_h = 0;                          /* square pixels where the chip does not say */
    SDL_Rect r = show_place(&f, 720, 720);
    ck_assert_int_eq(r.h, 400);
}
END_TEST

/* Share of source pixel p in point i of the target, by area. */
static double covers(unsigned from, unsigned to, unsigned p, unsigned i)
{
    double b = (double)i * from / to, e = (double)(i + 1) * from / to, lo = b > p ? b : p, hi = e < p + 1 ? e : p + 1;
    return hi > lo ? (hi - lo) / (e - b) : 0;
}

START_TEST(point_takes_from_each_pixel_what_it_covers)
{
    static const unsigned sizes[][2] = { { 400, 540 }, { 720, 720 }, { 320, 960 }, { 640, 1000 }, { 1, 7 }, { 7, 8 },
        { 720, 3000 } };
    for (unsigned n = 0; n < sizeof sizes / sizeof sizes[0]; n++) {
        unsigned from = sizes[n][0], to = sizes[n][1];
        struct show_axis a = { 0 };
        ck_assert(show_axis_set(&a, from, to));
        for (unsigned i = 0; i < to; i++) {
            unsigned p = a.at[i];
            demand(p < from && (p + 1 < from || a.share[i] == 0));
            double want = p + 1 < from ? covers(from, to, p + 1, i) : 0, got = a.share[i] / 256.0;
            demand(got <= want + 1e-9 && got > want - 1.0 / 256 - 1e-9);
        }
        free(a.at);
        free(a.share);
    }
}
END_TEST

START_TEST(smaller_window_stays_within_the_picture)
{
    for (unsigned from = 1; from < 60; from++)
        for (unsigned to = 1; to < from; to++) {
            struct show_axis a = { 0 };
            ck_assert(show_axis_set(&a, from, to));
            for (unsigned i = 0; i < to; i++) demand(a.at[i] + (a.share[i] != 0) < from && a.share[i] <= 256);
            free(a.at);
            free(a.share);
        }
}
END_TEST

static void scale(const struct surface *f, unsigned w, unsigned h, uint32_t *out)
{
    struct show v = { 0 };
    v.line = malloc(f->width * sizeof *v.line);
    ck_assert(show_axis_set(&v.x, f->width, w) && show_axis_set(&v.y, f->height, h));
    for (unsigned row = 0; row < h; row++) show_row(&v, f, row, out + row * w);
    show_fini(&v);
}

START_TEST(whole_multiples_repeat_pixels_exactly)
{
    uint32_t pixels[6] = { 0xff0000, 0x00ff00, 0x0000ff, 0x123456, 0xffffff, 0 }, out[12 * 6];
    struct surface f = { .pixels = pixels, .width = 3, .height = 2, .stride = 3 };
    scale(&f, 12, 6, out);
    for (unsigned y = 0; y < 6; y++)
        for (unsigned x = 0; x < 12; x++) ck_assert_uint_eq(out[y * 12 + x], pixels[y / 3 * 3 + x / 4]);
}
END_TEST

START_TEST(one_colour_stays_that_colour)
{
    static uint32_t pixels[720 * 4], out[1000 * 9];
    struct surface f = { .pixels = pixels, .width = 720, .height = 4, .stride = 720 };
    for (unsigned i = 0; i < 720 * 4; i++) pixels[i] = 0xe6cfa3;
    scale(&f, 1000, 9, out);
    for (unsigned i = 0; i < 1000 * 9; i++) demand(out[i] == 0xe6cfa3);
}
END_TEST

START_TEST(edge_between_rows_is_blended)
{
    uint32_t pixels[2] = { 0xffffff, 0x000000 }, out[3];
    struct surface f = { .pixels = pixels, .width = 1, .height = 2, .stride = 1 };
    scale(&f, 1, 3, out);
    ck_assert_uint_eq(out[0], 0xffffff);
    ck_assert_uint_eq(out[1], 0x7f7f7f);
    ck_assert_uint_eq(out[2], 0x000000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("window picture");
    TCase *t = tcase_create("scaling");
    tcase_add_test(t, picture_is_as_large_as_fits_and_centred);
    tcase_add_test(t, point_takes_from_each_pixel_what_it_covers);
    tcase_add_test(t, smaller_window_stays_within_the_picture);
    tcase_add_test(t, whole_multiples_repeat_pixels_exactly);
    tcase_add_test(t, one_colour_stays_that_colour);
    tcase_add_test(t, edge_between_rows_is_blended);
    suite_add_tcase(s, t);
    return suite_main(s);
}
