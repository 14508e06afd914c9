/* Pictures as files: PPM (what screendump writes by default, as in QEMU) and PNG by libpng. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

typedef bool picture_encode(const struct surface *s, FILE *f);

/* False with errno (0: the encoder did not say). */
static bool encode_to(const struct surface *s, const char *path, bool temporary, picture_encode *encode)
{
    FILE *f = fopen(path, "wb");
    if (!f) return false;
    errno = 0;
    bool ok = encode(s, f);
    int cause = errno;
    if (fclose(f) != 0) {
        ok = false;
        cause = errno;
    }
    if (!ok && temporary) remove(path);
    errno = cause;
    return ok;
}

/* A regular file appears all at once, by renaming; /dev/stdout and named pipes are written to. */
static enum host_status picture_write(const struct surface *s, const char *path, struct error *e, picture_encode *encode)
{
    struct stat st;
    bool direct = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    char *tmp = malloc(strlen(path) + 5);
    if (!tmp) return error_set(e, HOST_NO_MEMORY, "%s: out of memory", path);
    sprintf(tmp, "%s.tmp", path);
    bool ok = encode_to(s, direct ? path : tmp, !direct, encode) && (direct || rename(tmp, path) == 0);
    int cause = errno;
    free(tmp);
    if (ok) return HOST_OK;
    return error_set(e, cause == ENOSPC || cause == EFBIG ? HOST_NO_SPACE : HOST_IO_ERROR, "%s: cannot write the picture%s%s",
                     path, cause ? ": " : "", cause ? strerror(cause) : "");
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
