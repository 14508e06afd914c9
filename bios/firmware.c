/* Finding and reading ROM images.
 *
 * A firmware image is 64, 128 or 256 KiB; it ends at 4 GiB, where the CPU starts, and its reset vector must hold
 * something. An expansion ROM begins with 55 AA and its length in units of 512 bytes; real ROM files are often padded
 * or, being built to be patched, shorter than that length says: the former is cut, the latter refused. */
#include "bios/bios.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where distributions put SeaBIOS. */
static const char *const folders[] = {
    "/usr/share/seabios", "/usr/share/qemu", "/usr/local/share/qemu", "/usr/share/qemu/firmware",
};
enum { FOLDERS = sizeof folders / sizeof folders[0] };

#define FIRMWARE_MAX (256 * 1024u)
#define OPTION_ROM_MAX (128 * 1024u)

void bios_image_free(struct bios_image *i)
{
    free(i->data);
    *i = (struct bios_image){ .data = NULL };
}

/* Reads a whole file of at most max bytes. HOST_MISSING where there is none, so that a search can go on. */
static enum host_status read_file(const char *path, uint32_t max, struct bios_image *out, struct error *e)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        enum host_status st = errno == ENOENT || errno == ENOTDIR ? HOST_MISSING : HOST_IO_ERROR;
        return error_set(e, st, "%s: %s", path, strerror(errno));
    }
    enum host_status st = HOST_OK;
    out->data = malloc((size_t)max + 1);
    if (!out->data) {
        st = error_set(e, HOST_NO_MEMORY, "%s: not enough memory to read it", path);
        goto out_close;
    }
    size_t n = fread(out->data, 1, (size_t)max + 1, f);
    if (ferror(f)) st = error_set(e, HOST_IO_ERROR, "%s: %s", path, strerror(errno));
    else if (n > max) st = error_set(e, HOST_BAD_FORMAT, "%s: larger than %u KiB, so not a ROM image", path,
                                     max / 1024);
    else if (n == 0) st = error_set(e, HOST_BAD_FORMAT, "%s: empty file", path);
    out->size = (uint32_t)n;
    snprintf(out->path, sizeof out->path, "%s", path);
    if (st != HOST_OK) bios_image_free(out);
out_close:
    fclose(f);
    return st;
}

/* A name with a slash is a path; another is also looked for in lib_dir and in the system's folders. */
static enum host_status find_file(const char *name, const char *lib_dir, bool cwd, uint32_t max, struct bios_image *out,
                                  struct error *e)
{
    if (strchr(name, '/')) return read_file(name, max, out, e);
    enum host_status st = HOST_MISSING;
    if (cwd) st = read_file(name, max, out, e);
    for (int i = -1; st == HOST_MISSING && i < FOLDERS; i++) {
        const char *folder = i < 0 ? lib_dir : folders[i];
        char path[512];
        if (!folder) continue;
        if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path) continue;
        st = read_file(path, max, out, e);
    }
    if (st == HOST_MISSING)
        error_set(e, st,
                  "%s: not found here, %s%sor in /usr/share/seabios and /usr/share/qemu (Debian: package seabios)",
                  name,
                  lib_dir ? lib_dir : "", lib_dir ? ", " : "");
    return st;
}

enum host_status bios_load_firmware(const char *path, const char *lib_dir, struct bios_image *out, struct error *e)
{
    *out = (struct bios_image){ .data = NULL };
    enum host_status st;
    if (path) {
        st = find_file(path, lib_dir, true, FIRMWARE_MAX, out, e);
    } else {
        st = find_file("bios-256k.bin", lib_dir, false, FIRMWARE_MAX, out, e);
        if (st == HOST_MISSING) st = find_file("bios.bin", lib_dir, false, FIRMWARE_MAX, out, e);
    }
    if (st != HOST_OK) return st;
    if (out->size != 64 * 1024 && out->size != 128 * 1024 && out->size != 256 * 1024) {
        st = error_set(e, HOST_BAD_FORMAT, "%s: %u bytes; a system ROM has 64, 128 or 256 KiB", out->path, out->size);
        bios_image_free(out);
    }
    return st;
}

enum host_status bios_load_option_rom(const char *path, const char *lib_dir, struct bios_image *out, struct error *e)
{
    *out = (struct bios_image){ .data = NULL };
    enum host_status st = find_file(path, lib_dir, true, OPTION_ROM_MAX, out, e);
    if (st != HOST_OK) return st;
    uint32_t size = out->size;
    if (size < 3 || out->data[0] != 0x55 || out->data[1] != 0xaa)
        st = error_set(e, HOST_BAD_FORMAT, "%s: not an expansion ROM (it does not begin with 55 AA)", out->path);
    else if (out->data[2] == 0 || out->data[2] * 512u > size)
        st = error_set(e, HOST_BAD_FORMAT, "%s: an expansion ROM of %u bytes, but the file has %u", out->path,
                       out->data[2] * 512u, size);
    if (st != HOST_OK) {
        bios_image_free(out);
        return st;
    }
    out->size = out->data[2] * 512u;
    return HOST_OK;
}
