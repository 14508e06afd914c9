/* Saved machines: all state in one file, and the hash of all state.
 *
 * File: a header of 96 bytes, then a zlib stream. The stream is a sequence of sections, each a 4-character tag, a name,
 * a 64-bit length and that many bytes:
 *
 *   CONF what the machine was built as; a load into a differently built machine is refused
 *   GIVN size and SHA-256 of a ROM or of something that fw_cfg serves, such as the kernel (given.c); the same goes for those
 *   TIME the clock               CPU0 the processor, by its state table
 *   DEVI one chip, by its table  RAMB pages of one memory block that are not all zero
 *   IMGC blocks written under -snapshot            IMGH size and SHA-256 of what the guest reads from an image
 *   DONE
 *
 * The header carries the SHA-256 of the whole stream before compression, length and CRC of it after, the virtual time (for
 * who must know it before the load), and a CRC of itself,
 * so damage is told apart from another version. The file is hostile all the same: whoever can write it can make the sums
 * fit, so every section is checked as if the sums did not exist. See docs/snapshot.md. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "base/bytes.h"
#include "machine/given.h"

enum { HEADER_SIZE = 96, FORMAT_VERSION = 2, IO_CHUNK = 1 << 16, NAME_MAX_LEN = 255, SECTION_MAX = 64 << 20 };
static const char file_magic[8] = "BEIGEVM";

/* ---- writing ---------------------------------------------------------------------------------------------------------- */

/* Where bytes of state go: into the hash always, into a compressed file if there is one. */
struct sink {
    struct sha256_ctx sha;
    uint64_t len;
    FILE *file;
    z_stream z;
    bool failed;
    uint32_t packed_crc;
    uint64_t packed_len;
    uint8_t out[IO_CHUNK];
};

static void sink_deflate(struct sink *s, int flush)
{
    do {
        s->z.next_out = s->out;
        s->z.avail_out = sizeof s->out;
        int r = deflate(&s->z, flush);
        assert(r != Z_STREAM_ERROR);
        (void)r;
        size_t n = sizeof s->out - s->z.avail_out;
        if (n && fwrite(s->out, 1, n, s->file) != n) s->failed = true;
        s->packed_crc = (uint32_t)crc32(s->packed_crc, s->out, (uInt)n);
        s->packed_len += n;
    } while (s->z.avail_out == 0);
}

static void sink_put(struct sink *s, const void *p, size_t n)
{
    sha256_update(&s->sha, n, p);
    s->len += n;
    if (!s->file || s->failed) return;
    s->z.next_in = (Bytef *)(uintptr_t)p;
    s->z.avail_in = (uInt)n;
    sink_deflate(s, Z_NO_FLUSH);
}

static void sink_section(struct sink *s, const char tag[4], const char *name, uint64_t len)
{
    uint8_t head[4 + 1 + NAME_MAX_LEN + 8];
    size_t n = strlen(name);
    assert(n <= NAME_MAX_LEN);
    memcpy(head, tag, 4);
    head[4] = (uint8_t)n;
    memcpy(head + 5, name, n);
    st64(head + 5 + n, len);
    sink_put(s, head, 13 + n);
}

static void sink_table(struct sink *s, const char tag[4], const char *name, const struct state_desc *d, const void *obj)
{
    struct state_buf b = { 0 };
    state_write(d, obj, &b);
    sink_section(s, tag, name, b.len);
    sink_put(s, b.data, b.len);
    state_buf_fini(&b);
}

static void sink_ram(struct sink *s, const struct ram_block *b)
{
    uint64_t pages = b->size >> PAGE_SHIFT, used = 0;
    for (uint64_t i = 0; i < pages; i++) used += !bytes_are_zero(b->data + (i << PAGE_SHIFT), PAGE_SIZE);
    sink_section(s, "RAMB", b->name, used * (8 + PAGE_SIZE));
    for (uint64_t i = 0; i < pages; i++) {
        const uint8_t *p = b->data + (i << PAGE_SHIFT);
        uint8_t index[8];
        if (bytes_are_zero(p, PAGE_SIZE)) continue;
        st64(index, i);
        sink_put(s, index, 8);
        sink_put(s, p, PAGE_SIZE);
    }
}

struct change_count { uint64_t bytes; };

static bool change_count(void *opaque, uint64_t off, const uint8_t *data, uint32_t len)
{
    (void)off, (void)data;
    ((struct change_count *)opaque)->bytes += 12 + len;
    return true;
}

static bool change_put(void *opaque, uint64_t off, const uint8_t *data, uint32_t len)
{
    uint8_t head[12];
    st64(head, off);
    st32(head + 8, len);
    sink_put(opaque, head, sizeof head);
    sink_put(opaque, data, len);
    return !((struct sink *)opaque)->failed;
}

static enum host_status image_hash(struct blk *b, uint8_t out[32], struct error *e)
{
    struct sha256_ctx sha;
    uint8_t *buf = malloc(1 << 20);
    enum host_status st = buf ? HOST_OK : error_set(e, HOST_NO_MEMORY, "out of memory");
    sha256_init(&sha);
    for (uint64_t off = 0; st == HOST_OK && off < b->size;) {
        uint64_t n = b->size - off < 1 << 20 ? b->size - off : 1 << 20;
        st = blk_read(b, off, buf, n, e);
        if (st == HOST_OK) sha256_update(&sha, n, buf);
        off += n;
    }
    sha256_digest(&sha, 32, out);
    free(buf);
    return st;
}

/* What was written under -snapshot is state of the machine; the image itself is the host's, and only its identity is kept
 * (in a file, not in the hash: two runs of one guest on one image must hash alike while it changes). */
static enum host_status sink_images(struct sink *s, struct machine *m, struct error *e)
{
    struct machine_block list[MACHINE_IDE + MACHINE_FLOPPIES];
    unsigned n = machine_blocks(m, list, MACHINE_IDE + MACHINE_FLOPPIES);
    for (unsigned i = 0; i < n; i++) {
        struct blk *b = list[i].blk;
        if (!b) continue;
        if (b->ops->changes) {
            struct change_count c = { 0 };
            b->ops->changes(b, change_count, &c);
            sink_section(s, "IMGC", list[i].id, 8 + c.bytes);
            uint8_t size[8];
            st64(size, b->size);
            sink_put(s, size, 8);
            b->ops->changes(b, change_put, s);
        }
        if (s->file) {
            uint8_t id[40];
            st64(id, b->size);
            enum host_status st = image_hash(b, id + 8, e);
            if (st != HOST_OK) return st;
            sink_section(s, "IMGH", list[i].id, sizeof id);
            sink_put(s, id, sizeof id);
        }
    }
    return HOST_OK;
}

static void config_text(struct machine *m, char *text, size_t size)
{
    snprintf(text, size, "cpu=%s ram=%" PRIu64 " vga=%d serials=%d%d%d%d parallels=%d%d%d debugcons=%u debug_exit=%d:%x:%x",
             m->cpu_model, m->cfg.ram_size, m->cfg.vga, !!m->cfg.serial[0], !!m->cfg.serial[1], !!m->cfg.serial[2],
             !!m->cfg.serial[3], !!m->cfg.parallel[0], !!m->cfg.parallel[1], !!m->cfg.parallel[2], m->cfg.debugcons,
             m->cfg.debug_exit, m->cfg.debug_exit_iobase, m->cfg.debug_exit_iosize);
}

/* In a file, not in the hash, as with images. */
static enum host_status sink_given(struct sink *s, struct machine *m, struct error *e)
{
    unsigned n;
    struct given *g = given_list(m, &n);
    if (!g) return error_set(e, HOST_NO_MEMORY, "out of memory");
    for (unsigned i = 0; i < n; i++) {
        sink_section(s, "GIVN", g[i].name, GIVEN_BYTES);
        sink_put(s, g[i].id, GIVEN_BYTES);
    }
    free(g);
    return HOST_OK;
}

static enum host_status sink_machine(struct sink *s, struct machine *m, struct error *e)
{
    char conf[512];
    uint8_t t[40];
    config_text(m, conf, sizeof conf);
    sink_section(s, "CONF", "pc", strlen(conf));
    sink_put(s, conf, strlen(conf));
    enum host_status st = s->file ? sink_given(s, m, e) : HOST_OK;
    if (st != HOST_OK) return st;
    st64(t, (uint64_t)m->clock.now);
    st64(t + 8, (uint64_t)(m->clock.now >> 64));
    st64(t + 16, m->clock.icount);
    st64(t + 24, m->clock.step);
    sink_section(s, "TIME", "clock", 32);
    sink_put(s, t, 32);
    cpu_canonical(m->cpu);
    sink_table(s, "CPU0", "cpu", &cpu_state, cpu_state_object(m->cpu));
    for (struct device *d = m->board.devices; d; d = d->next) sink_table(s, "DEVI", d->id, d->class->state, d);
    for (struct ram_block *b = m->ram.blocks; b; b = b->next)
        if (b->saved) sink_ram(s, b);
    st = sink_images(s, m, e);
    sink_section(s, "DONE", "", 0);
    return st;
}

void machine_hash(struct machine *m, uint8_t sha256[32])
{
    struct sink *s = calloc(1, sizeof *s);
    assert(s);
    struct error ignored;
    sha256_init(&s->sha);
    sink_machine(s, m, &ignored);
    sha256_digest(&s->sha, 32, sha256);
    free(s);
}

struct header { uint64_t body_len, packed_len; uint32_t packed_crc; uint8_t sha[32]; vtime now; };

static void header_write(uint8_t h[HEADER_SIZE], const struct header *v)
{
    memset(h, 0, HEADER_SIZE);
    memcpy(h, file_magic, 8);
    st32(h + 8, FORMAT_VERSION);
    st32(h + 12, HEADER_SIZE);
    st64(h + 16, v->body_len);
    memcpy(h + 24, v->sha, 32);
    st64(h + 56, v->packed_len);
    st32(h + 64, v->packed_crc);
    st64(h + 68, (uint64_t)v->now);
    st64(h + 76, (uint64_t)(v->now >> 64));
    st32(h + HEADER_SIZE - 4, (uint32_t)crc32(0, h, HEADER_SIZE - 4));
}

enum host_status machine_save(struct machine *m, const char *path, struct error *e)
{
    size_t n = strlen(path);
    char *tmp = malloc(n + 5);
    struct sink *s = calloc(1, sizeof *s);
    uint8_t head[HEADER_SIZE] = { 0 };
    struct header h;
    enum host_status st = HOST_OK;
    assert(tmp && s);
    memcpy(tmp, path, n);
    memcpy(tmp + n, ".tmp", 5);          /* renamed when whole: a full disk leaves the old save as it was */
    sha256_init(&s->sha);
    s->file = fopen(tmp, "wb");
    if (!s->file) {
        st = error_set(e, HOST_IO_ERROR, "%s: cannot save: %s", path, strerror(errno));
        goto out;
    }
    if (deflateInit(&s->z, 1) != Z_OK) {
        st = error_set(e, HOST_NO_MEMORY, "%s: out of memory", path);
        goto out_close;
    }
    if (fwrite(head, 1, sizeof head, s->file) != sizeof head) s->failed = true;
    st = sink_machine(s, m, e);
    sink_deflate(s, Z_FINISH);
    deflateEnd(&s->z);
    h = (struct header){ .body_len = s->len, .packed_len = s->packed_len, .packed_crc = s->packed_crc,
                         .now = m->clock.now };
    sha256_digest(&s->sha, 32, h.sha);
    header_write(head, &h);
    if (fseek(s->file, 0, SEEK_SET) != 0 || fwrite(head, 1, sizeof head, s->file) != sizeof head) s->failed = true;
out_close:
    if (fclose(s->file) != 0) s->failed = true;
    if (st == HOST_OK && s->failed)
        st = error_set(e, errno == ENOSPC ? HOST_NO_SPACE : HOST_IO_ERROR, "%s: cannot save: %s", path, strerror(errno));
    if (st == HOST_OK && rename(tmp, path) != 0)
        st = error_set(e, HOST_IO_ERROR, "%s: cannot save: %s", path, strerror(errno));
    if (st != HOST_OK) remove(tmp);
out:
    free(s);
    free(tmp);
    return st;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

struct source {
    FILE *file;
    const char *path;
    z_stream z;
    struct sha256_ctx sha;
    uint64_t len, expect;
    struct given *given;                 /* what this machine has, and how much of it the file has named so far */
    unsigned givens, given_next;
    struct ram_block *next_block;        /* memory comes in order, each block once */
    unsigned changed, hashed;            /* drives whose changes were read, whose image was compared: each once */
    unsigned drives;                     /* whose images the file names: a bit each, in the order of machine_blocks */
    uint8_t in[IO_CHUNK];
};

static void source_fill(struct source *s)
{
    s->z.next_in = s->in;
    s->z.avail_in = (uInt)fread(s->in, 1, sizeof s->in, s->file);
}

static enum host_status source_get(struct source *s, void *p, size_t n, struct error *e)
{
    s->z.next_out = p;
    s->z.avail_out = (uInt)n;
    while (s->z.avail_out) {
        if (s->z.avail_in == 0) source_fill(s);
        uInt before = s->z.avail_out;
        int r = inflate(&s->z, Z_NO_FLUSH);
        if (r == Z_STREAM_END && s->z.avail_out == 0) break;
        if (r != Z_OK || (s->z.avail_in == 0 && s->z.avail_out == before && feof(s->file)))
            return error_set(e, HOST_BAD_FORMAT, "%s: the saved machine is damaged or cut short", s->path);
    }
    sha256_update(&s->sha, n, p);
    s->len += n;
    if (s->len > s->expect) return error_set(e, HOST_BAD_FORMAT, "%s: the saved machine is longer than it says", s->path);
    return HOST_OK;
}

/* After the last section: the stream and the file end here, and zlib's own sum agrees. */
static enum host_status source_end(struct source *s, struct error *e)
{
    uint8_t more;
    int r;
    s->z.next_out = &more;
    s->z.avail_out = 1;
    do {
        if (s->z.avail_in == 0) source_fill(s);
        r = inflate(&s->z, Z_NO_FLUSH);
    } while (r == Z_OK && s->z.avail_out && !feof(s->file));
    if (s->z.avail_in == 0) source_fill(s);
    if (r == Z_STREAM_END && s->z.avail_out && s->z.avail_in == 0) return HOST_OK;
    return error_set(e, HOST_BAD_FORMAT, "%s: the saved machine is damaged at its end", s->path);
}

/* Pages that are zero already are only looked at: the host gives memory to those that are written. */
static void clear_pages(struct ram_block *b, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        if (!bytes_are_zero(b->data + (i << PAGE_SHIFT), PAGE_SIZE)) memset(b->data + (i << PAGE_SHIFT), 0, PAGE_SIZE);
}

static enum host_status load_ram(struct source *s, const char *name, uint64_t len, struct error *e)
{
    struct ram_block *b = s->next_block;
    while (b && (!b->saved || strcmp(b->name, name) != 0)) b = b->next;
    if (!b || len % (8 + PAGE_SIZE))
        return error_set(e, HOST_BAD_FORMAT, "%s: memory '%s' does not fit this machine", s->path, name);
    s->next_block = b->next;
    uint64_t next = 0;
    for (; len; len -= 8 + PAGE_SIZE) {
        uint8_t index[8];
        enum host_status st = source_get(s, index, 8, e);
        if (st != HOST_OK) return st;
        uint64_t i = ld64(index);
        if (i < next || i >= b->size >> PAGE_SHIFT)
            return error_set(e, HOST_BAD_FORMAT, "%s: memory '%s': page %" PRIu64 " is out of place", s->path, name, i);
        clear_pages(b, next, i);
        next = i + 1;
        st = source_get(s, b->data + (i << PAGE_SHIFT), PAGE_SIZE, e);
        if (st != HOST_OK) return st;
    }
    clear_pages(b, next, b->size >> PAGE_SHIFT);
    ram_written(b, 0, b->size);
    return HOST_OK;
}

/* The image in drive `id`; NULL if it is empty or there is no such drive. Marks the drive as named by the file, with its bit
 * in *seen too; NULL if that is set already. */
static struct blk *load_find_image(struct source *s, struct machine *m, const char *id, unsigned *seen)
{
    struct machine_block list[MACHINE_IDE + MACHINE_FLOPPIES];
    unsigned n = machine_blocks(m, list, MACHINE_IDE + MACHINE_FLOPPIES);
    for (unsigned i = 0; i < n; i++)
        if (strcmp(list[i].id, id) == 0 && !(*seen >> i & 1)) {
            s->drives |= 1u << i;
            *seen |= 1u << i;
            return list[i].blk;
        }
    return NULL;
}

static enum host_status load_changes(struct source *s, struct machine *m, const char *id, uint64_t len, struct error *e)
{
    struct blk *b = load_find_image(s, m, id, &s->changed);
    uint8_t head[12], *data;
    enum host_status st;
    if (!b || !b->ops->changes)
        return error_set(e, HOST_REFUSED, "%s: was saved with -snapshot and an image in %s: give the same options", s->path, id);
    if (len < 8) return error_set(e, HOST_BAD_FORMAT, "%s: %s: section too short", s->path, id);
    if ((st = source_get(s, head, 8, e)) != HOST_OK) return st;
    if (ld64(head) != b->size)
        return error_set(e, HOST_REFUSED, "%s: another image was in %s when the machine was saved", s->path, id);
    data = malloc(PAGE_SIZE);
    if (!data) return error_set(e, HOST_NO_MEMORY, "out of memory");
    for (len -= 8; len && st == HOST_OK;) {
        if (len < 12 || (st = source_get(s, head, 12, e)) != HOST_OK) break;
        uint64_t off = ld64(head), n = ld32(head + 8);
        if (n > PAGE_SIZE || n > len - 12 || off > b->size || n > b->size - off) break;
        if ((st = source_get(s, data, n, e)) == HOST_OK) st = b->ops->write(b, off, data, n, e);
        len -= 12 + n;
    }
    free(data);
    if (st == HOST_OK && len) st = error_set(e, HOST_BAD_FORMAT, "%s: %s: changed data out of place", s->path, id);
    return st;
}

static enum host_status load_image_identity(struct source *s, struct machine *m, const char *id, uint64_t len, struct error *e)
{
    struct blk *b = load_find_image(s, m, id, &s->hashed);
    uint8_t want[40], have[32];
    enum host_status st;
    if (len != sizeof want) return error_set(e, HOST_BAD_FORMAT, "%s: %s: section has a wrong size", s->path, id);
    if ((st = source_get(s, want, sizeof want, e)) != HOST_OK) return st;
    if (!b) return error_set(e, HOST_REFUSED, "%s: was saved with an image in %s, and there is none", s->path, id);
    if (ld64(want) == b->size && (st = image_hash(b, have, e)) != HOST_OK) return st;
    if (ld64(want) != b->size || memcmp(want + 8, have, 32) != 0)
        return error_set(e, HOST_REFUSED, "%s: %s is another image than was in %s when the machine was saved, or was changed since",
                         s->path, b->path, id);
    return HOST_OK;
}

/* A drive that was empty must be empty. */
static enum host_status check_empty_drives(struct source *s, struct machine *m, struct error *e)
{
    struct machine_block list[MACHINE_IDE + MACHINE_FLOPPIES];
    unsigned n = machine_blocks(m, list, MACHINE_IDE + MACHINE_FLOPPIES);
    for (unsigned i = 0; i < n; i++)
        if (list[i].blk && !(s->drives >> i & 1))
            return error_set(e, HOST_REFUSED, "%s: %s was empty when the machine was saved", s->path, list[i].id);
    return HOST_OK;
}

static enum host_status load_table(struct source *s, const struct state_desc *d, void *obj, const char *name, uint64_t len,
                                   struct error *e)
{
    if (len > SECTION_MAX) return error_set(e, HOST_BAD_FORMAT, "%s: %s: section too long", s->path, name);
    uint8_t *data = malloc(len ? len : 1);
    if (!data) return error_set(e, HOST_NO_MEMORY, "out of memory");
    size_t used = 0;
    struct error why = { "" };
    enum host_status st = source_get(s, data, len, e);
    if (st == HOST_OK && (st = state_read(d, obj, data, len, &used, &why)) != HOST_OK)
        error_set(e, st, "%s: %s: %s", s->path, name, why.text);
    if (st == HOST_OK && used != len) st = error_set(e, HOST_BAD_FORMAT, "%s: %s: bytes left over", s->path, name);
    free(data);
    return st;
}

static enum host_status load_time(struct source *s, struct machine *m, uint64_t len, struct error *e)
{
    uint8_t t[32];
    enum host_status st;
    if (len != sizeof t) return error_set(e, HOST_BAD_FORMAT, "%s: clock: section has a wrong size", s->path);
    if ((st = source_get(s, t, sizeof t, e)) != HOST_OK) return st;
    vtime now = (vtime)ld64(t + 8) << 64 | ld64(t);
    uint64_t step = ld64(t + 24);
    /* A year of virtual time is 2^87 units; beyond 2^100 sums could overflow. */
    if (now >> 100 || ld64(t + 16) >> 62 || step == 0 || step >> 62)
        return error_set(e, HOST_BAD_FORMAT, "%s: clock: impossible time", s->path);
    m->clock.now = now;
    m->clock.icount = ld64(t + 16);
    m->clock.step = step;
    return HOST_OK;
}

/* Names from the file go into messages: nothing in them may act on a terminal. */
static void make_printable(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~') *text = '?';
}

static enum host_status load_config(struct source *s, struct machine *m, uint64_t len, struct error *e)
{
    char want[512], have[513];
    enum host_status st;
    config_text(m, want, sizeof want);
    if (len >= sizeof have) return error_set(e, HOST_BAD_FORMAT, "%s: configuration too long", s->path);
    if ((st = source_get(s, have, len, e)) != HOST_OK) return st;
    have[len] = 0;
    make_printable(have);
    if (strcmp(want, have) != 0)
        return error_set(e, HOST_REFUSED, "%s: was saved on another machine (%s); this one is (%s)", s->path, have, want);
    return HOST_OK;
}

static enum host_status other_given(struct source *s, const char *name, struct error *e)
{
    const char *option = given_option(name);
    return error_set(e, HOST_REFUSED, "%s: was saved with another %s%s%s: give the same options and files", s->path, option,
                     strcmp(option, "-fw_cfg") == 0 ? " " : "", strcmp(option, "-fw_cfg") == 0 ? name : "");
}

/* Both lists are in one order, so the first difference tells who has more. */
static enum host_status load_given(struct source *s, const char *name, uint64_t len, struct error *e)
{
    uint8_t id[GIVEN_BYTES];
    enum host_status st;
    if (len != sizeof id) return error_set(e, HOST_BAD_FORMAT, "%s: '%s': section has a wrong size", s->path, name);
    if ((st = source_get(s, id, sizeof id, e)) != HOST_OK) return st;
    const struct given *g = s->given_next < s->givens ? &s->given[s->given_next++] : NULL;
    if (g && strcmp(g->name, name) == 0 && memcmp(g->id, id, sizeof id) == 0) return HOST_OK;
    for (unsigned i = 0; g && i < s->givens; i++)
        if (strcmp(s->given[i].name, name) == 0) {
            if (&s->given[i] > g) name = g->name;     /* ours comes first: the saved machine had none */
            break;
        }
    return other_given(s, name, e);
}

static bool tag_is(const uint8_t *h, const char tag[5]) { return memcmp(h, tag, 4) == 0; }

/* Sections come in the order in which sink_machine writes them, each once. */
static enum host_status load_sections(struct source *s, struct machine *m, struct error *e)
{
    struct device *next = m->board.devices;
    bool config = false, time = false, cpu = false;
    s->next_block = m->ram.blocks;
    if (!(s->given = given_list(m, &s->givens))) return error_set(e, HOST_NO_MEMORY, "out of memory");
    for (;;) {
        uint8_t h[5], l[8];
        char name[NAME_MAX_LEN + 1];
        enum host_status st = source_get(s, h, 5, e);
        if (st == HOST_OK) st = source_get(s, name, h[4], e);
        if (st == HOST_OK) st = source_get(s, l, 8, e);
        if (st != HOST_OK) return st;
        name[h[4]] = 0;
        make_printable(name);
        uint64_t len = ld64(l);
        if (len > s->expect - s->len) return error_set(e, HOST_BAD_FORMAT, "%s: a section is longer than the file", s->path);
        if (tag_is(h, "CONF") && !config) {
            config = true;
            st = load_config(s, m, len, e);
        } else if (!config) {
            st = error_set(e, HOST_BAD_FORMAT, "%s: the configuration is missing", s->path);
        } else if (tag_is(h, "GIVN") && !time) {
            st = load_given(s, name, len, e);
        } else if (s->given_next < s->givens) {
            st = other_given(s, s->given[s->given_next].name, e);
        } else if (tag_is(h, "TIME") && !time) {
            time = true;
            st = load_time(s, m, len, e);
        } else if (tag_is(h, "CPU0") && time && !cpu) {
            cpu = true;
            st = load_table(s, &cpu_state, cpu_state_object(m->cpu), "cpu", len, e);
        } else if (tag_is(h, "DEVI") && cpu && next && strcmp(name, next->id) == 0) {
            st = load_table(s, next->class->state, next, name, len, e);
            next = next->next;
        } else if (tag_is(h, "RAMB")) {
            st = load_ram(s, name, len, e);
        } else if (tag_is(h, "IMGC")) {
            st = load_changes(s, m, name, len, e);
        } else if (tag_is(h, "IMGH")) {
            st = load_image_identity(s, m, name, len, e);
        } else if (tag_is(h, "DONE") && cpu && !next && len == 0) {
            return check_empty_drives(s, m, e);
        } else {
            st = error_set(e, HOST_BAD_FORMAT, "%s: section '%s' is out of place", s->path, name);
        }
        if (st != HOST_OK) return st;
    }
}

static enum host_status header_read(struct source *s, struct header *v, struct error *e)
{
    uint8_t h[HEADER_SIZE], want[HEADER_SIZE];
    if (fread(h, 1, sizeof h, s->file) != sizeof h || memcmp(h, file_magic, 8) != 0)
        return error_set(e, HOST_BAD_FORMAT, "%s: not a saved machine", s->path);
    if (ld32(h + 8) != FORMAT_VERSION)
        return error_set(e, HOST_BAD_FORMAT, "%s: saved in format %u; this program reads format %d", s->path, ld32(h + 8),
                         FORMAT_VERSION);
    *v = (struct header){ .body_len = ld64(h + 16), .packed_len = ld64(h + 56), .packed_crc = ld32(h + 64),
                            .now = (vtime)ld64(h + 76) << 64 | ld64(h + 68) };
    memcpy(v->sha, h + 24, 32);
    s->expect = v->body_len;
    header_write(want, v);
    if (memcmp(h, want, sizeof h) != 0) return error_set(e, HOST_BAD_FORMAT, "%s: the header is damaged", s->path);
    return HOST_OK;
}

enum host_status machine_saved_time(const char *path, vtime *t, struct error *e)
{
    struct source *s = calloc(1, sizeof *s);
    struct header h;
    assert(s);
    s->path = path;
    s->file = fopen(path, "rb");
    enum host_status st = s->file ? header_read(s, &h, e)
                                  : error_set(e, HOST_MISSING, "%s: cannot load: %s", path, strerror(errno));
    if (st == HOST_OK) *t = h.now;
    if (s->file) fclose(s->file);
    free(s);
    return st;
}

/* Damage that chance did is found before anything of the machine is touched. Leaves the file where the stream begins. */
static enum host_status check_sums(struct source *s, const struct header *want, struct error *e)
{
    uint32_t crc = 0;
    uint64_t len = 0;
    size_t n;
    while ((n = fread(s->in, 1, sizeof s->in, s->file)) > 0) {
        crc = (uint32_t)crc32(crc, s->in, (uInt)n);
        len += n;
    }
    if (ferror(s->file) || fseek(s->file, HEADER_SIZE, SEEK_SET) != 0)
        return error_set(e, HOST_IO_ERROR, "%s: cannot load: %s", s->path, strerror(errno));
    if (len == want->packed_len && crc == want->packed_crc) return HOST_OK;
    return error_set(e, HOST_BAD_FORMAT, "%s: the saved machine is %s", s->path, len < want->packed_len ? "cut short" : "damaged");
}

enum host_status machine_load(struct machine *m, const char *path, struct error *e)
{
    uint8_t have[32];
    struct header want;
    struct source *s = calloc(1, sizeof *s);
    assert(s);
    s->path = path;
    enum host_status st;
    s->file = fopen(path, "rb");
    if (!s->file) {
        st = error_set(e, HOST_MISSING, "%s: cannot load: %s", path, strerror(errno));
        goto out;
    }
    if ((st = header_read(s, &want, e)) != HOST_OK || (st = check_sums(s, &want, e)) != HOST_OK) goto out_close;
    if (inflateInit(&s->z) != Z_OK) {
        st = error_set(e, HOST_NO_MEMORY, "%s: out of memory", path);
        goto out_close;
    }
    sha256_init(&s->sha);
    st = load_sections(s, m, e);
    if (st == HOST_OK) st = source_end(s, e);
    free(s->given);
    inflateEnd(&s->z);
    sha256_digest(&s->sha, 32, have);
    if (st == HOST_OK && (s->len != s->expect || memcmp(want.sha, have, 32) != 0))
        st = error_set(e, HOST_BAD_FORMAT, "%s: the saved machine is damaged", path);
    if (st != HOST_OK) goto out_close;
    for (struct device *d = m->board.devices; d; d = d->next)
        if (d->class->loaded) d->class->loaded(d);
    struct error why = { "" };
    if ((st = cpu_loaded(m->cpu, &why)) != HOST_OK) error_set(e, st, "%s: cpu: %s", path, why.text);
out_close:
    fclose(s->file);
out:
    free(s);
    return st;
}
