/* Pictures as files: PPM (what screendump writes by default, as in QEMU) and PNG by libpng. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "host/png.h"
#ifndef BEIGE_MINIMAL
#include <png.h>
#endif

static void row_rgb(const struct surface *s, unsigned y, uint8_t *out)
{
    const uint32_t *p = s->pixels + (size_t)y * s->stride;
    for (unsigned x = 0; x < s->width; x++) {
        *out++ = (uint8_t)(p[x] >> 16);
        *out++ = (uint8_t)(p[x] >> 8);
        *out++ = (uint8_t)p[x];
    }
}

static enum host_status picture_write(const struct surface *s, const char *path, struct error *e,
                                      bool (*encode)(const struct surface *, FILE *))
{
    size_t n = strlen(path) + 5;
    char *tmp = malloc(n);
    if (!tmp) return error_set(e, HOST_NO_MEMORY, "out of memory");
    snprintf(tmp, n, "%s.tmp", path);
    FILE *f = fopen(tmp, "wb");
    bool ok = f && encode(s, f);
    if (f && fclose(f) != 0) ok = false;
    if (ok && rename(tmp, path) != 0) ok = false;
    enum host_status st = ok ? HOST_OK : error_set(e, HOST_IO_ERROR, "%s: cannot write the picture: %s", path, strerror(errno));
    if (!ok && f) remove(tmp);
    free(tmp);
    return st;
}

static bool encode_ppm(const struct surface *s, FILE *f)
{
    uint8_t *row = malloc((size_t)s->width * 3);
    bool ok = row && fprintf(f, "P6\n%u %u\n255\n", s->width, s->height) > 0;
    for (unsigned y = 0; ok && y < s->height; y++) {
        row_rgb(s, y, row);
        ok = fwrite(row, 3, s->width, f) == s->width;
    }
    free(row);
    return ok;
}

enum host_status picture_write_ppm(const struct surface *s, const char *path, struct error *e)
{
    return picture_write(s, path, e, encode_ppm);
}

#ifndef BEIGE_MINIMAL
static bool encode_png(const struct surface *s, FILE *f)
{
    png_image im = { .version = PNG_IMAGE_VERSION, .width = s->width, .height = s->height, .format = PNG_FORMAT_RGB };
    uint8_t *all = malloc((size_t)s->width * s->height * 3);
    if (!all) return false;
    for (unsigned y = 0; y < s->height; y++) row_rgb(s, y, all + (size_t)y * s->width * 3);
    bool ok = png_image_write_to_stdio(&im, f, 0, all, (png_int_32)(s->width * 3), NULL);
    free(all);
    return ok;
}

enum host_status picture_write_png(const struct surface *s, const char *path, struct error *e)
{
    return picture_write(s, path, e, encode_png);
}
#else
enum host_status picture_write_png(const struct surface *s, const char *path, struct error *e)
{
    (void)s;
    return error_set(e, HOST_REFUSED, "%s: this build has no PNG support; write a .ppm", path);
}
#endif
