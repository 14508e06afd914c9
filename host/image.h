/* Opening disk images: what the frontend does with -drive and friends. Any thread that owns the image. */
#ifndef HOST_IMAGE_H
#define HOST_IMAGE_H

#include "host/block.h"

struct image_options {
    const char *format;      /* "raw", or NULL: probe, and guard the first sector (see raw.c) */
    bool read_only;
    bool snapshot;           /* writes go to memory and are forgotten */
};

/* Opens an existing file. NULL and *e (one sentence with the file's name) if it is missing, empty, a directory, locked by
 * another process, of another format than raw, or larger than 2^48 sectors. A file that may not be written is opened
 * read-only if o->read_only or o->snapshot says that this will do, and refused otherwise. */
struct blk *image_open(const char *path, const struct image_options *o, struct error *e);
/* Makes a file of size zeros that take no room on the host's disk. HOST_REFUSED if there is a file of that name. */
enum host_status image_create(const char *path, uint64_t size, struct error *e) MUST_CHECK;
/* Bytes that a file takes on the host's disk; 0 if that is not known. */
uint64_t image_allocated(const char *path);

enum image_use { IMAGE_DISK, IMAGE_CD, IMAGE_FLOPPY };
/* False and *e if the file shows signs of having been cut. For images whose format was probed. */
bool image_whole(struct blk *b, enum image_use use, struct error *e);
/* An image in memory with a copy of data; the name stands in for a path. Writes stay in memory. */
struct blk *image_from_memory(const char *name, const void *data, uint64_t size, bool read_only);
/* Puts a memory overlay on base and owns it from then on. NULL only without memory (base is then still the caller's). */
struct blk *overlay_create(struct blk *base);
/* Formats by content: "raw", or the name of a format that this program does not read ("qcow2", "vmdk", ...). */
const char *image_probe(const uint8_t *head, size_t len);

#endif
