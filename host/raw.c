/* Raw images: byte n of the disk is byte n of the file.
 *
 * A write reaches the host's page cache before the guest sees its end, so a crash of this program loses nothing; FLUSH
 * CACHE and exit reach the disk. Files are locked (open file description locks, as QEMU does), so that two machines do
 * not write one image.
 *
 * The oddest behaviour: a raw image whose format was probed refuses a write to its first sector that would make the next
 * probe see another format. Otherwise a guest could write a header that names a file of the host's as its backing file and
 * have the host read it at the next start. Name format=raw to allow such writes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/fs.h>
#include "host/image.h"

static const uint64_t size_max = 1ull << 57;       /* 2^48 sectors: what an ATA drive can address */

struct raw {
    struct blk blk;
    int fd;
    bool guard;          /* format was probed */
};

static const struct { const char *name; unsigned off, len; const char *magic; } magics[] = {
    { "qcow2", 0, 4, "QFI\xfb" },
    { "vmdk", 0, 4, "KDMV" },
    { "vmdk", 0, 4, "COWD" },
    { "vmdk", 0, 21, "# Disk DescriptorFile" },
    { "vhdx", 0, 8, "vhdxfile" },
    { "vpc", 0, 8, "conectix" },
    { "vdi", 64, 4, "\x7f\x10\xda\xbe" },
    { "qed", 0, 4, "QED\0" },
    { "parallels", 0, 16, "WithoutFreeSpace" },
    { "parallels", 0, 16, "WithouFreSpacExt" },
    { "luks", 0, 6, "LUKS\xba\xbe" },
};

const char *image_probe(const uint8_t *head, size_t len)
{
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if (magics[i].off + magics[i].len <= len && memcmp(head + magics[i].off, magics[i].magic, magics[i].len) == 0)
            return magics[i].name;
    return "raw";
}

/* EFBIG: the process's own limit (ulimit -f), which main turns from a signal into an error. */
static bool no_space(int err) { return err == ENOSPC || err == EDQUOT || err == EFBIG; }

static enum host_status raw_read(struct blk *b, uint64_t off, void *buf, uint64_t len, struct error *e)
{
    struct raw *r = (struct raw *)b;
    uint8_t *p = buf;
    while (len) {
        ssize_t n = pread(r->fd, p, len, (off_t)off);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return error_set(e, HOST_IO_ERROR, "%s: cannot read at byte %llu: %s", b->path,
                                    (unsigned long long)off, strerror(errno));
        if (n == 0) {                  /* somebody cut the file, or its size is no multiple of 512 */
            memset(p, 0, len);
            return HOST_OK;
        }
        p += n;
        off += (uint64_t)n;
        len -= (uint64_t)n;
    }
    return HOST_OK;
}

static bool raw_write_would_change_format(struct raw *r, uint64_t off, const void *buf, uint64_t len)
{
    uint8_t head[512];
    struct error ignored;
    if (!r->guard || off >= sizeof head || raw_read(&r->blk, 0, head, sizeof head, &ignored) != HOST_OK) return false;
    uint64_t n = sizeof head - off < len ? sizeof head - off : len;
    memcpy(head + off, buf, n);
    return strcmp(image_probe(head, sizeof head), "raw") != 0;
}

static enum host_status raw_write(struct blk *b, uint64_t off, const void *buf, uint64_t len, struct error *e)
{
    struct raw *r = (struct raw *)b;
    const uint8_t *p = buf;
    if (raw_write_would_change_format(r, off, buf, len))
        return error_set(e, HOST_REFUSED, "%s: the guest's write to the first sector would make this raw image look like "
                         "another format; name format=raw to allow it", b->path);
    while (len) {
        ssize_t n = pwrite(r->fd, p, len, (off_t)off);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return error_set(e, no_space(errno) ? HOST_NO_SPACE : HOST_IO_ERROR,
                                    "%s: cannot write at byte %llu: %s", b->path, (unsigned long long)off, strerror(errno));
        p += n;
        off += (uint64_t)n;
        len -= (uint64_t)n;
    }
    return HOST_OK;
}

static enum host_status raw_flush(struct blk *b, struct error *e)
{
    struct raw *r = (struct raw *)b;
    if (!b->read_only && fdatasync(r->fd) < 0 && errno != EINVAL && errno != EROFS)
        return error_set(e, no_space(errno) ? HOST_NO_SPACE : HOST_IO_ERROR, "%s: cannot sync to disk: %s", b->path,
                         strerror(errno));
    return HOST_OK;
}

static void raw_close(struct blk *b)
{
    struct raw *r = (struct raw *)b;
    close(r->fd);
    free(b->path);
    free(r);
}

static const struct blk_ops raw_ops = {
    .name = "raw", .read = raw_read, .write = raw_write, .flush = raw_flush, .close = raw_close,
};

/* Locks the whole file: shared for readers, exclusive for a writer. A filesystem without locks is no reason to fail. */
static bool raw_lock(int fd, bool exclusive)
{
    struct flock l = { .l_type = (short)(exclusive ? F_WRLCK : F_RDLCK), .l_whence = SEEK_SET };
    return fcntl(fd, F_OFD_SETLK, &l) == 0 || (errno != EAGAIN && errno != EACCES);
}

/* A descriptor of an existing, locked, non-empty file or disk; -1 and *e. */
static int raw_open_file(const char *path, bool read_only, uint64_t *size, struct error *e)
{
    struct stat st;
    /* O_NONBLOCK: a named pipe must be refused, not waited for. */
    int fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        if (!read_only && (errno == EACCES || errno == EROFS || errno == EPERM))
            error_set(e, HOST_READ_ONLY, "%s: may not be written (%s); use -snapshot or readonly=on", path, strerror(errno));
        else if (errno == EISDIR)
            error_set(e, HOST_BAD_FORMAT, "%s: a directory, not a disk image", path);
        else
            error_set(e, errno == ENOENT ? HOST_MISSING : HOST_IO_ERROR, "%s: %s", path, strerror(errno));
        return -1;
    }
    bool known = fstat(fd, &st) == 0;
    *size = known ? (uint64_t)st.st_size : 0;
    if (known && S_ISDIR(st.st_mode))
        error_set(e, HOST_BAD_FORMAT, "%s: a directory, not a disk image", path);
    else if (!known || !(S_ISREG(st.st_mode) || (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, size) == 0)))
        error_set(e, HOST_BAD_FORMAT, "%s: neither a file nor a disk", path);
    else if (*size == 0)
        error_set(e, HOST_BAD_FORMAT, "%s: the image is empty", path);
    else if (*size > size_max)
        error_set(e, HOST_BAD_FORMAT, "%s: larger than 2^48 sectors", path);
    else if (!raw_lock(fd, !read_only))
        error_set(e, HOST_BUSY, "%s: in use by another process or drive%s", path,
                  read_only ? " that writes to it" : "; -snapshot shares an image that nobody writes to");
    else
        return fd;
    close(fd);
    return -1;
}

/* Sets the format and whether it was probed; false and *e if it is not raw. */
static bool raw_check_format(struct raw *r, const char *format, struct error *e)
{
    uint8_t head[512];
    r->guard = !format;
    if (raw_read(&r->blk, 0, head, sizeof head, e) != HOST_OK) return false;
    if (!format) format = image_probe(head, sizeof head);
    if (strcmp(format, "raw") == 0) return true;
    if (r->guard)
        error_set(e, HOST_BAD_FORMAT, "%s: a %s image; only raw images are supported (qemu-img convert -O raw makes one, "
                  "format=raw takes the file as it is)", r->blk.path, format);
    else
        error_set(e, HOST_BAD_FORMAT, "%s: format=%s is not supported; only raw images are", r->blk.path, format);
    return false;
}

struct blk *image_open(const char *path, const struct image_options *o, struct error *e)
{
    uint64_t size;
    bool read_only = o->read_only || o->snapshot;
    int fd = raw_open_file(path, read_only, &size, e);
    if (fd < 0) return NULL;
    struct raw *r = calloc(1, sizeof *r);
    char *name = strdup(path);
    if (!r || !name) {
        error_set(e, HOST_NO_MEMORY, "%s: out of memory", path);
        close(fd);
        free(name);
        free(r);
        return NULL;
    }
    r->fd = fd;
    r->blk = (struct blk){ .ops = &raw_ops, .size = size, .read_only = read_only, .path = name, .format = "raw" };
    if (!raw_check_format(r, o->format, e)) goto out_close;
    if (!o->snapshot) return &r->blk;
    struct blk *overlay = overlay_create(&r->blk);
    if (overlay) {
        overlay->read_only = o->read_only;
        return overlay;
    }
    error_set(e, HOST_NO_MEMORY, "%s: out of memory", path);
out_close:
    raw_close(&r->blk);
    return NULL;
}

enum host_status image_create(const char *path, uint64_t size, struct error *e)
{
    if (size == 0 || size > size_max)
        return error_set(e, HOST_REFUSED, "%s: an image has 1 byte to 2^48 sectors", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST) return error_set(e, HOST_REFUSED, "%s: exists already", path);
    if (fd < 0) return error_set(e, HOST_IO_ERROR, "%s: cannot create: %s", path, strerror(errno));
    int err = ftruncate(fd, (off_t)size) < 0 ? errno : 0;
    close(fd);
    if (!err) return HOST_OK;
    unlink(path);
    return error_set(e, no_space(err) ? HOST_NO_SPACE : HOST_IO_ERROR, "%s: cannot make %llu bytes: %s", path,
                     (unsigned long long)size, strerror(err));
}

uint64_t image_allocated(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}
