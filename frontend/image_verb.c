/* beige image create|info|convert|check: disk images without a machine. The words are qemu-img's.
 *
 * Raw is the one format there is, so far: an image is as long as its disk, and stretches of zeros that nobody wrote take no
 * room on the host. What can be wrong with one is that it was cut, or that the host cannot read it; check looks for both. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/bytes.h"
#include "frontend/setup.h"
#include "host/image.h"

enum { SECTOR = 512, CD_SECTOR = 2048, COPY = 1 << 20, ARGS = 2 };

struct verb {
    const char *name;
    unsigned args;
    const char *help;
    int (*run)(char *const arg[], bool json, struct error *e);
};

/* ---- sizes, as people read them */

static const char *size_text(uint64_t bytes, char out[32])
{
    static const char *const unit[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
    double n = (double)bytes;
    unsigned u = 0;
    while (n >= 1024 && u < 4) n /= 1024, u++;
    snprintf(out, 32, n == (double)(uint64_t)n ? "%.0f %s" : "%.1f %s", n, unit[u]);
    return out;
}

/* 2G, 500M, 1474560; and the megabytes of floppies, which have 1,024,000 bytes. */
static bool parse_image_size(const char *text, uint64_t *size)
{
    static const struct { const char *name; uint64_t size; } floppy[] = {
        { "1.2M", 1228800 }, { "1.44M", 1474560 }, { "2.88M", 2949120 },
    };
    for (unsigned i = 0; i < sizeof floppy / sizeof floppy[0]; i++)
        if (strcmp(text, floppy[i].name) == 0) return *size = floppy[i].size, true;
    return parse_size(text, 1, size);
}

/* ---- create */

static int create(char *const arg[], bool json, struct error *e)
{
    (void)json;
    uint64_t size;
    char text[32];
    if (!parse_image_size(arg[1], &size)) {
        error_set(e, HOST_REFUSED, "'%s' is not a size; 500M, 2G, or a floppy's: 360K, 720K, 1.2M, 1.44M, 2.88M", arg[1]);
        return EXIT_USAGE;
    }
    if (size % SECTOR) {
        error_set(e, HOST_REFUSED, "%" PRIu64 " bytes are no whole number of %d-byte sectors", size, SECTOR);
        return EXIT_USAGE;
    }
    if (image_create(arg[0], size, e) != HOST_OK) return EXIT_OURS;
    printf("%s: raw, %s, empty\n", arg[0], size_text(size, text));
    return EXIT_GUEST_OFF;
}

/* ---- info */

static const char *content_text(enum content c)
{
    switch (c) {
    case CONTENT_CD: return "CD-ROM, ISO 9660";
    case CONTENT_LINUX: return "Linux kernel";
    case CONTENT_MULTIBOOT: return "multiboot kernel";
    case CONTENT_FLOPPY: return "floppy disk";
    case CONTENT_DISK: break;
    }
    return "hard disk";
}

/* The first bytes, for content_of; NULL and *e. */
static uint8_t *read_head(struct blk *b, size_t *len, struct error *e)
{
    *len = b->size < CONTENT_BYTES ? (size_t)b->size : CONTENT_BYTES;
    uint8_t *head = calloc(1, CONTENT_BYTES);
    if (!head) error_set(e, HOST_NO_MEMORY, "out of memory");
    else if (blk_read(b, 0, head, *len, e) == HOST_OK) return head;
    free(head);
    return NULL;
}

/* The partition table of a hard disk: four entries of 16 bytes from 1BEh on. */
static void print_partitions(const uint8_t *head)
{
    char size[32];
    if (head[510] != 0x55 || head[511] != 0xaa) {
        puts("  no boot record");
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *p = head + 0x1be + 16 * i;
        uint64_t start = ld32(p + 8), count = ld32(p + 12);
        if (!p[4] || !count) continue;
        printf("  partition %u: type %02Xh, sectors %" PRIu64 " to %" PRIu64 ", %s%s\n", i + 1, p[4], start, start + count - 1,
               size_text(count * SECTOR, size), p[0] & 0x80 ? ", active" : "");
    }
}

/* ECMA-119: the primary volume descriptor is sector 16, its volume identifier at 40; El Torito's record is sector 17. */
static void print_volume(const uint8_t *head, size_t len)
{
    const uint8_t *d = head + 16 * CD_SECTOR, *boot = d + CD_SECTOR;
    int n = 32;
    while (n && (d[40 + n - 1] == ' ' || !d[40 + n - 1])) n--;
    fputs("  volume '", stdout);
    for (int i = 0; i < n; i++) putchar(d[40 + i] >= ' ' && d[40 + i] < 0x7f ? d[40 + i] : '?');
    bool boots = len >= 18 * CD_SECTOR && memcmp(boot + 7, "EL TORITO SPECIFICATION", 23) == 0;
    puts(boots ? "', boots (El Torito)" : "', does not boot");
}

static void print_json(const struct blk *b, enum content c)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "virtual-size", (double)b->size);
    cJSON_AddStringToObject(o, "filename", b->path);
    cJSON_AddStringToObject(o, "format", b->format);
    cJSON_AddNumberToObject(o, "actual-size", (double)image_allocated(b->path));
    cJSON_AddStringToObject(o, "content", content_text(c));
    char *text = cJSON_Print(o);
    if (text) puts(text);
    cJSON_free(text);
    cJSON_Delete(o);
}

static int info(char *const arg[], bool json, struct error *e)
{
    const struct image_options o = { .read_only = true };
    char size[32], room[32];
    size_t len;
    struct blk *b = image_open(arg[0], &o, e);
    uint8_t *head = b ? read_head(b, &len, e) : NULL;
    if (head) {
        enum content c = content_of(head, len, b->size);
        if (json) print_json(b, c);
        else {
            printf("%s: %s, %s, %s (%" PRIu64 " bytes), %s on the host's disk\n", b->path, b->format, content_text(c),
                   size_text(b->size, size), b->size, size_text(image_allocated(b->path), room));
            if (c == CONTENT_DISK) print_partitions(head);
            if (c == CONTENT_CD) print_volume(head, len);
        }
    }
    blk_close(b);
    free(head);
    return head ? EXIT_GUEST_OFF : EXIT_OURS;
}

/* ---- convert and check: both read all of it */

/* Reads `from` to its end, and writes what is not zero to `to` if there is one. */
static bool copy(struct blk *from, struct blk *to, struct error *e)
{
    uint8_t *buf = malloc(COPY);
    bool ok = buf != NULL;
    if (!ok) error_set(e, HOST_NO_MEMORY, "out of memory");
    for (uint64_t at = 0; ok && at < from->size; at += COPY) {
        size_t len = from->size - at < COPY ? (size_t)(from->size - at) : COPY;
        ok = blk_read(from, at, buf, len, e) == HOST_OK;
        if (ok && to && !bytes_are_zero(buf, len)) ok = blk_write(to, at, buf, len, e) == HOST_OK;
    }
    free(buf);
    return ok && (!to || blk_flush(to, e) == HOST_OK);
}

static int convert(char *const arg[], bool json, struct error *e)
{
    (void)json;
    const struct image_options read = { .read_only = true }, write = { .format = "raw" };
    struct blk *from = image_open(arg[0], &read, e);
    bool made = from && image_create(arg[1], from->size, e) == HOST_OK;
    struct blk *to = made ? image_open(arg[1], &write, e) : NULL;
    bool ok = to && copy(from, to, e);
    blk_close(from);
    blk_close(to);
    if (made && !ok) unlink(arg[1]);
    return ok ? EXIT_GUEST_OFF : EXIT_OURS;
}

static int check(char *const arg[], bool json, struct error *e)
{
    (void)json;
    const struct image_options o = { .read_only = true };
    size_t len;
    struct blk *b = image_open(arg[0], &o, e);
    uint8_t *head = b ? read_head(b, &len, e) : NULL;
    bool ok = head;
    if (ok) {
        enum content c = content_of(head, len, b->size);
        bool kernel = c == CONTENT_LINUX || c == CONTENT_MULTIBOOT;
        enum image_use use = c == CONTENT_CD ? IMAGE_CD : c == CONTENT_FLOPPY ? IMAGE_FLOPPY : IMAGE_DISK;
        ok = (kernel || image_whole(b, use, e)) && copy(b, NULL, e);
        if (ok) printf("%s: %s, no errors found\n", b->path, content_text(c));
    }
    blk_close(b);
    free(head);
    return ok ? EXIT_GUEST_OFF : EXIT_OURS;
}

/* ---- the command line */

static const struct verb verbs[] = {
    { "create", 2, "beige image create FILE SIZE\n\n"
      "Makes an empty disk. It takes no room on the host until the guest writes to it.\n\n"
      "    beige image create disk.img 2G\n"
      "    beige image create floppy.img 1.44M\n", create },
    { "info", 1, "beige image info [--output=json] FILE\n\n"
      "Tells what a file is, how large, and what is on it.\n\n"
      "    beige image info disk.img\n", info },
    { "convert", 2, "beige image convert FROM TO\n\n"
      "Copies an image. Zeros take no room in the copy.\n\n"
      "    beige image convert disk.img copy.img\n", convert },
    { "check", 1, "beige image check FILE\n\n"
      "Reads all of an image, and sees whether it is as long as its partition table or volume descriptor says.\n\n"
      "    beige image check disk.img\n", check },
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static int usage(const struct error *e)
{
    fprintf(stderr, "beige: image: %s\n", e->text);
    return EXIT_USAGE;
}

/* Sorts the arguments behind the verb: options to *json and *help, the rest to arg. False and *e. */
static bool sort_args(const struct verb *v, int argc, char **argv, char *arg[ARGS], bool *json, bool *help, struct error *e)
{
    unsigned n = 0;
    for (int i = 0; i < argc; i++) {
        bool format = strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "-O") == 0;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) *help = true;
        else if (strcmp(argv[i], "--output=json") == 0 && v->run == info) *json = true;
        else if (strcmp(argv[i], "--output=human") == 0 && v->run == info) *json = false;
        else if (format && i + 1 < argc && strcmp(argv[i + 1], "raw") == 0) i++;
        else if (argv[i][0] != '-' && n < v->args) arg[n++] = argv[i];
        else {
            if (format) error_set(e, HOST_REFUSED, "%s %s: raw is the only format", argv[i], i + 1 < argc ? argv[i + 1] : "");
            else if (argv[i][0] == '-') error_set(e, HOST_REFUSED, "unknown option '%s'", argv[i]);
            else error_set(e, HOST_REFUSED, "'%s' is one too many for %s", argv[i], v->name);
            return false;
        }
    }
    if (n == v->args || *help) return true;
    error_set(e, HOST_REFUSED, "%.*s", (int)strcspn(v->help, "\n"), v->help);
    return false;
}

int image_verb(int argc, char **argv)
{
    struct error e = { "create, info, convert or check; beige image create --help has an example" };
    const struct verb *v = NULL;
    char *arg[ARGS];
    bool json = false, help = argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0);
    for (unsigned i = 0; i < VERBS; i++) {
        if (help) printf("%s%s", i ? "\n" : "", verbs[i].help);
        else if (argc && strcmp(argv[0], verbs[i].name) == 0) v = &verbs[i];
    }
    if (help) return EXIT_GUEST_OFF;
    if (!v || !sort_args(v, argc - 1, argv + 1, arg, &json, &help, &e)) return usage(&e);
    if (help) {
        fputs(v->help, stdout);
        return EXIT_GUEST_OFF;
    }
    int status = v->run(arg, json, &e);
    if (status != EXIT_GUEST_OFF) fprintf(stderr, "beige: %s\n", e.text);
    return status;
}
