/* fw_cfg: a list of named blobs that the board hands to its firmware. QEMU docs/specs/fw_cfg.
 *
 * The guest selects an item by key and reads it byte by byte at port 511h, or lets the device copy it: it writes the
 * big-endian address of a control block to 514h/518h, and the write to 518h does it all at once. Everything about that
 * interface is big-endian, even the registers, whatever the guest.
 *
 * A file may hold something else until the machine is reset for the first time: `-boot once=` is that. Which of the two is
 * visible is state; the directory, which tells lengths, is built anew when it changes.
 *
 * Its oddest corner is reading past the end of an item: ports and DMA both give zeros, for ever, and DMA past the end
 * is a way to clear memory that our own boot ROM uses.
 * GAP: a hostile length must not keep us busy for seconds, so a DMA that asks for more than 64 MiB past the end is refused
 * with the error bit, where QEMU would fill on. */
#include "devices/fw_cfg.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { PORT_BASE = 0x510, DMA_PORT = 0x514 };
enum { REG_SELECTOR = 0, REG_DATA = 1, DMA_HIGH = 0, DMA_LOW = 4 };
enum { ID_TRADITIONAL = 1, ID_DMA = 2 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
enum { WRITABLE_MAX = 256, DIR_ENTRY = 64 };
#define FILL_MAX (64u << 20)

struct item {
    char name[FW_CFG_NAME_MAX + 1];           /* "" for one that is not a file */
    uint8_t *data;                            /* for a writable file: NULL, its bytes are in fw_cfg.writable */
    uint8_t *first;                           /* what it holds until the first reset, or NULL: the same */
    uint32_t len, first_len;
    uint32_t writable_offset;
    uint16_t key;
    bool writable;
};

struct fw_cfg {
    struct device dev;
    struct item *items;
    uint32_t num, cap;
    uint32_t files;
    uint32_t writable_len;
    struct item *selected;                    /* of `selector`, or NULL: no such item */
    uint64_t dma_address;
    uint32_t offset;
    uint16_t selector;
    bool was_reset;                           /* since power-on */
    uint8_t unused;
    uint8_t writable[WRITABLE_MAX];
    uint8_t writable_initial[WRITABLE_MAX];
};

static const struct state_field fw_cfg_fields[] = {
    FIELD_WIRING(struct fw_cfg, dev),
    FIELD_WIRING(struct fw_cfg, items),
    FIELD_WIRING(struct fw_cfg, num),
    FIELD_WIRING(struct fw_cfg, cap),
    FIELD_WIRING(struct fw_cfg, files),
    FIELD_WIRING(struct fw_cfg, writable_len),
    FIELD_DERIVED(struct fw_cfg, selected),
    FIELD(struct fw_cfg, dma_address, "DMA address register, as far as written"),
    FIELD(struct fw_cfg, offset, "next byte of the selected item"),
    FIELD(struct fw_cfg, selector, "selected item"),
    FIELD(struct fw_cfg, was_reset, "the machine was reset since power-on"),
    FIELD_WIRING(struct fw_cfg, unused),
    FIELD_ARRAY(struct fw_cfg, writable, "contents of the files that the guest may write"),
    FIELD_WIRING(struct fw_cfg, writable_initial),
};
static const struct state_desc fw_cfg_state = STATE_DESC(struct fw_cfg, "fw_cfg", fw_cfg_fields);

/* ---- items */

static struct item *find_key(struct fw_cfg *f, uint16_t key)
{
    for (uint32_t i = 0; i < f->num; i++)
        if (f->items[i].key == key) return &f->items[i];
    return NULL;
}

static struct item *find_name(struct fw_cfg *f, const char *name)
{
    for (uint32_t i = 0; i < f->num; i++)
        if (strcmp(f->items[i].name, name) == 0) return &f->items[i];
    return NULL;
}

static struct item *new_item(struct fw_cfg *f, uint16_t key)
{
    if (f->num == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 32;
        f->items = realloc(f->items, f->cap * sizeof *f->items);
        if (!f->items) abort();
    }
    struct item *it = &f->items[f->num++];
    *it = (struct item){ .key = key };
    return it;
}

static uint8_t *copy_of(const void *data, uint32_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy) abort();
    if (len) memcpy(copy, data, len);
    return copy;
}

static void set_data(struct item *it, const void *data, uint32_t len)
{
    uint8_t *copy = copy_of(data, len);
    free(it->data);
    it->data = copy;
    it->len = len;
}

/* What the guest sees of an item now. */
static bool is_first(const struct fw_cfg *f, const struct item *it) { return it->first && !f->was_reset; }

static uint32_t item_len(const struct fw_cfg *f, const struct item *it) { return is_first(f, it) ? it->first_len : it->len; }

static uint8_t *item_data(struct fw_cfg *f, const struct item *it)
{
    if (is_first(f, it)) return it->first;
    return it->writable ? f->writable + it->writable_offset : it->data;
}

static void add_key(struct fw_cfg *f, uint16_t key, const void *data, uint32_t len)
{
    struct item *it = find_key(f, key);
    set_data(it ? it : new_item(f, key), data, len);
    f->selected = find_key(f, f->selector);   /* the array may have moved */
}

/* The file directory: a count, then size, key and name of each file, big-endian. */
static void build_directory(struct fw_cfg *f)
{
    uint32_t len = 4 + f->files * DIR_ENTRY;
    uint8_t *dir = calloc(1, len), *p = dir + 4;
    if (!dir) abort();
    st32be(dir, f->files);
    for (uint32_t i = 0; i < f->num; i++) {
        const struct item *it = &f->items[i];
        if (!it->name[0]) continue;
        st32be(p, item_len(f, it));
        st16be(p + 4, it->key);
        memcpy(p + 8, it->name, sizeof it->name);
        p += DIR_ENTRY;
    }
    add_key(f, FW_CFG_FILE_DIR, dir, len);
    free(dir);
}

static struct item *file_item(struct fw_cfg *f, const char *name)
{
    assert(name[0] && strlen(name) <= FW_CFG_NAME_MAX);
    struct item *it = find_name(f, name);
    if (it) return it;
    it = new_item(f, (uint16_t)(FW_CFG_FILE_FIRST + f->files++));
    memcpy(it->name, name, strlen(name));
    return it;
}

void fw_cfg_add(struct device *d, uint16_t key, const void *data, uint32_t len)
{
    add_key((struct fw_cfg *)d, key, data, len);
}

void fw_cfg_add_u16(struct device *d, uint16_t key, uint16_t val)
{
    uint8_t b[2];
    st16(b, val);
    fw_cfg_add(d, key, b, sizeof b);
}

void fw_cfg_add_u32(struct device *d, uint16_t key, uint32_t val)
{
    uint8_t b[4];
    st32(b, val);
    fw_cfg_add(d, key, b, sizeof b);
}

void fw_cfg_add_u64(struct device *d, uint16_t key, uint64_t val)
{
    uint8_t b[8];
    st64(b, val);
    fw_cfg_add(d, key, b, sizeof b);
}

uint16_t fw_cfg_add_file(struct device *d, const char *name, const void *data, uint32_t len)
{
    struct fw_cfg *f = (struct fw_cfg *)d;
    struct item *it = file_item(f, name);
    set_data(it, data, len);
    uint16_t key = it->key;
    build_directory(f);
    return key;
}

uint16_t fw_cfg_add_writable(struct device *d, const char *name, const void *data, uint32_t len)
{
    struct fw_cfg *f = (struct fw_cfg *)d;
    assert(len <= WRITABLE_MAX - f->writable_len && !find_name(f, name));
    struct item *it = file_item(f, name);
    it->writable = true;
    it->writable_offset = f->writable_len;
    it->len = len;
    memcpy(f->writable + f->writable_len, data, len);
    memcpy(f->writable_initial + f->writable_len, data, len);
    f->writable_len += len;
    uint16_t key = it->key;
    build_directory(f);
    return key;
}

void fw_cfg_until_reset(struct device *d, const char *name, const void *data, uint32_t len)
{
    struct fw_cfg *f = (struct fw_cfg *)d;
    struct item *it = find_name(f, name);
    assert(it && !it->writable);
    free(it->first);
    it->first = copy_of(data, len);
    it->first_len = len;
    build_directory(f);
}

bool fw_cfg_was_reset(struct device *d) { return ((struct fw_cfg *)d)->was_reset; }

void fw_cfg_contents(struct device *d, fw_cfg_visit *visit, void *opaque)
{
    struct fw_cfg *f = (struct fw_cfg *)d;
    for (uint32_t i = 0; i < f->num; i++) {
        const struct item *it = &f->items[i];
        if (it->writable || it->key == FW_CFG_FILE_DIR) continue;
        visit(opaque, it->name, it->key, it->data, it->len);
        if (it->first) visit(opaque, it->name, it->key, it->first, it->first_len);
    }
}

/* ---- access */

static void select_item(struct fw_cfg *f, uint16_t key)
{
    f->selector = key;
    f->selected = find_key(f, key);
    f->offset = 0;
    trace(f->dev.board->log, fw_cfg_select, (uint64_t)key, f->selected ? f->selected->name : "(no such item)");
}

/* Bytes of the selected item that are still to be read. */
static uint32_t remaining(const struct fw_cfg *f)
{
    uint32_t len = f->selected ? item_len(f, f->selected) : 0;
    return f->offset < len ? len - f->offset : 0;
}

static uint8_t next_byte(struct fw_cfg *f)
{
    return remaining(f) ? item_data(f, f->selected)[f->offset++] : 0;
}

/* Copies the next len bytes to memory, zeros after the end. */
static bool dma_copy_out(struct fw_cfg *f, const struct dma_port *port, uint64_t to, uint32_t len)
{
    static const uint8_t zeros[65536];
    uint32_t n = remaining(f) < len ? remaining(f) : len;
    if (len - n > FILL_MAX) return false;
    if (n) dma_write(port, to, item_data(f, f->selected) + f->offset, n);
    f->offset += n;
    for (uint32_t done = n, part; done < len; done += part) {
        part = len - done < sizeof zeros ? len - done : (uint32_t)sizeof zeros;
        dma_write(port, to + done, zeros, part);
    }
    return true;
}

static bool dma_copy_in(struct fw_cfg *f, const struct dma_port *port, uint64_t from, uint32_t len)
{
    if (!f->selected || !f->selected->writable || len > remaining(f)) return false;
    dma_read(port, from, item_data(f, f->selected) + f->offset, len);
    f->offset += len;
    return true;
}

/* Carries out the control block at dma_address: control, length (32 bits each), address (64), big-endian. */
static void run_dma(struct fw_cfg *f)
{
    const struct dma_port port = { f->dev.board->mem, f->dev.id, NULL };
    uint64_t block_at = f->dma_address;
    f->dma_address = 0;
    uint8_t block[16];
    dma_read(&port, block_at, block, sizeof block);
    uint32_t control = ld32be(block), len = ld32be(block + 4);
    uint64_t address = ld64be(block + 8);

    trace(f->dev.board->log, fw_cfg_dma, (uint64_t)control, (uint64_t)len, address);
    if (control & DMA_SELECT) select_item(f, (uint16_t)(control >> 16));
    bool ok = true;
    if (control & DMA_READ) ok = dma_copy_out(f, &port, address, len);
    else if (control & DMA_WRITE) ok = dma_copy_in(f, &port, address, len);
    else if (control & DMA_SKIP) f->offset += remaining(f) < len ? remaining(f) : len;
    if (!ok) log_guest(f->dev.board->log, f->dev.id, "DMA of %u bytes with item %#x refused", len, f->selector);
    st32be(block, ok ? 0 : DMA_ERROR);
    dma_write(&port, block_at, block, 4);
}

/* ---- ports */

static uint64_t port_read(void *dev, uint64_t off, unsigned size)
{
    /* A read of the data register moves to the next byte. */
    if (off == REG_DATA && size == 1) return next_byte(dev);
    return ones(size);
}

static void port_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct fw_cfg *f = dev;
    if (off == REG_SELECTOR && size == 2) select_item(f, (uint16_t)val);
    else log_guest(f->dev.board->log, f->dev.id, "write of %u bytes to port %#x", size, (unsigned)(PORT_BASE + off));
}

static const struct io_ops port_ops = { port_read, port_write, 1, 2 };

static uint64_t dma_port_read(void *dev, uint64_t off, unsigned size)
{
    (void)dev;
    static const uint8_t signature[8 + 4] = "QEMU CFG";
    return off + size <= 8 ? ld_size(signature + off, size) : ones(size);
}

static void dma_port_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct fw_cfg *f = dev;
    uint32_t big_endian = __builtin_bswap32((uint32_t)val);
    if (size == 4 && off == DMA_HIGH) {
        f->dma_address = (uint64_t)big_endian << 32;
    } else if (size == 4 && off == DMA_LOW) {
        f->dma_address |= big_endian;
        run_dma(f);
    } else {
        log_guest(f->dev.board->log, f->dev.id, "write of %u bytes to port %#x", size, (unsigned)(DMA_PORT + off));
    }
}

static const struct io_ops dma_port_ops = { dma_port_read, dma_port_write, 1, 4 };

/* ---- device */

static void set_was_reset(struct fw_cfg *f, bool was)
{
    f->was_reset = was;
    build_directory(f);
}

static void fw_cfg_reset(struct device *d, enum reset_kind kind)
{
    struct fw_cfg *f = (struct fw_cfg *)d;
    set_was_reset(f, kind != RESET_POWER_ON);
    select_item(f, 0);
    f->dma_address = 0;
    memcpy(f->writable, f->writable_initial, sizeof f->writable);
}

static void fw_cfg_loaded(struct device *d)
{
    struct fw_cfg *f = (struct fw_cfg *)d;
    set_was_reset(f, f->was_reset);
    f->selected = find_key(f, f->selector);
}

static void fw_cfg_destroy(struct device *d)
{
    struct fw_cfg *f = (struct fw_cfg *)d;
    for (uint32_t i = 0; i < f->num; i++) {
        free(f->items[i].data);
        free(f->items[i].first);
    }
    free(f->items);
    free(f);
}

static const struct device_class fw_cfg_class = {
    .name = "fw_cfg", .title = "Firmware configuration", .reset = fw_cfg_reset, .loaded = fw_cfg_loaded,
    .destroy = fw_cfg_destroy, .state = &fw_cfg_state,
};

struct device *fw_cfg_create(struct board *b, const char *id)
{
    struct fw_cfg *f = calloc(1, sizeof *f);
    if (!f) abort();
    device_init(&f->dev, &fw_cfg_class, b, id);
    device_claim_ports(&f->dev, PORT_BASE, 2, &port_ops);
    device_claim_ports(&f->dev, DMA_PORT, 8, &dma_port_ops);
    fw_cfg_add(&f->dev, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_u32(&f->dev, FW_CFG_ID, ID_TRADITIONAL | ID_DMA);
    build_directory(f);
    select_item(f, 0);
    return &f->dev;
}
