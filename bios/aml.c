/* The AML encoder. Nothing here knows what is described; see dsdt.c. */
#include "bios/aml.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum {                                        /* ACPI 6.4, 20.3 */
    OP_NAME = 0x08, OP_BYTE = 0x0a, OP_WORD = 0x0b, OP_DWORD = 0x0c, OP_STRING = 0x0d, OP_QWORD = 0x0e, OP_SCOPE = 0x10,
    OP_BUFFER = 0x11, OP_PACKAGE = 0x12, OP_METHOD = 0x14, DUAL_NAME = 0x2e, MULTI_NAME = 0x2f, EXT = 0x5b, OP_IF = 0xa0,
    EXT_OP_REGION = 0x80, EXT_FIELD = 0x81, EXT_DEVICE = 0x82, EXT_PROCESSOR = 0x83,
};
enum { SERIALIZED = 8, FIELD_BYTE_ACC = 1 };

void aml_bytes(struct aml *a, const void *p, size_t n)
{
    if (a->len + n > a->cap) {
        a->cap = (a->len + n) * 2;
        a->data = realloc(a->data, a->cap);
        if (!a->data) abort();
    }
    if (n) memcpy(a->data + a->len, p, n);
    a->len += n;
}

void aml_byte(struct aml *a, uint8_t b) { aml_bytes(a, &b, 1); }
void aml_op(struct aml *a, enum aml_op op) { aml_byte(a, (uint8_t)op); }

static void word(struct aml *a, uint16_t v)
{
    uint8_t b[2];
    st16(b, v);
    aml_bytes(a, b, sizeof b);
}

static void dword(struct aml *a, uint32_t v)
{
    uint8_t b[4];
    st32(b, v);
    aml_bytes(a, b, sizeof b);
}

static void open_package(struct aml *a)
{
    assert(a->depth < AML_DEPTH);
    a->open[a->depth++] = a->len;
}

/* PkgLength (20.2.4): counts itself. One byte below 64; otherwise four bits and up to three more bytes. */
void aml_end(struct aml *a)
{
    assert(a->depth > 0);
    size_t start = a->open[--a->depth], body = a->len - start;
    uint8_t enc[4];
    unsigned n = body + 1 < 0x40 ? 1 : body + 2 < 0x1000 ? 2 : body + 3 < 0x100000 ? 3 : 4;
    size_t total = body + n;
    if (n == 1) {
        enc[0] = (uint8_t)total;
    } else {
        enc[0] = (uint8_t)((n - 1) << 6 | (total & 0x0f));
        for (unsigned i = 1; i < n; i++) enc[i] = (uint8_t)(total >> (4 + 8 * (i - 1)));
    }
    aml_bytes(a, enc, n);                     /* makes room; moved to its place next */
    memmove(a->data + start + n, a->data + start, body);
    memcpy(a->data + start, enc, n);
}

static void segment(struct aml *a, const char *s, size_t n)
{
    char seg[4] = { '_', '_', '_', '_' };
    assert(n >= 1 && n <= 4);
    memcpy(seg, s, n);
    aml_bytes(a, seg, 4);
}

void aml_path(struct aml *a, const char *path)
{
    for (; *path == '\\' || *path == '^'; path++) aml_byte(a, (uint8_t)*path);
    unsigned segments = *path ? 1 : 0;
    for (const char *p = path; *p; p++) segments += *p == '.';
    if (segments == 0) aml_byte(a, 0);        /* NullName */
    else if (segments == 2) aml_byte(a, DUAL_NAME);
    else if (segments > 2) {
        aml_byte(a, MULTI_NAME);
        aml_byte(a, (uint8_t)segments);
    }
    while (*path) {
        size_t n = strcspn(path, ".");
        segment(a, path, n);
        path += n + (path[n] == '.');
    }
}

void aml_int(struct aml *a, uint64_t v)
{
    if (v <= 1) {
        aml_byte(a, (uint8_t)v);
    } else if (v <= 0xff) {
        aml_byte(a, OP_BYTE);
        aml_byte(a, (uint8_t)v);
    } else if (v <= 0xffff) {
        aml_byte(a, OP_WORD);
        word(a, (uint16_t)v);
    } else if (v <= 0xffffffff) {
        aml_byte(a, OP_DWORD);
        dword(a, (uint32_t)v);
    } else {
        aml_byte(a, OP_QWORD);
        dword(a, (uint32_t)v);
        dword(a, (uint32_t)(v >> 32));
    }
}

void aml_string(struct aml *a, const char *s)
{
    aml_byte(a, OP_STRING);
    aml_bytes(a, s, strlen(s) + 1);
}

static unsigned hex_digit(char c) { return c >= 'A' ? (unsigned)(c - 'A') + 10 : (unsigned)(c - '0'); }

/* Three letters of five bits and four hexadecimal digits, big-endian in a dword constant (19.3.4). */
void aml_eisa_id(struct aml *a, const char *id)
{
    assert(strlen(id) == 7);
    uint32_t v = (uint32_t)(id[0] & 0x1f) << 26 | (uint32_t)(id[1] & 0x1f) << 21 | (uint32_t)(id[2] & 0x1f) << 16;
    for (unsigned i = 0; i < 4; i++) v |= hex_digit(id[3 + i]) << (12 - 4 * i);
    aml_byte(a, OP_DWORD);
    dword(a, __builtin_bswap32(v));
}

void aml_name(struct aml *a, const char *path)
{
    aml_byte(a, OP_NAME);
    aml_path(a, path);
}

void aml_name_int(struct aml *a, const char *path, uint64_t v)
{
    aml_name(a, path);
    aml_int(a, v);
}

void aml_op_region(struct aml *a, const char *path, uint8_t space, uint64_t offset, uint64_t len)
{
    aml_byte(a, EXT);
    aml_byte(a, EXT_OP_REGION);
    aml_path(a, path);
    aml_byte(a, space);
    aml_int(a, offset);
    aml_int(a, len);
}

void aml_scope(struct aml *a, const char *path)
{
    aml_byte(a, OP_SCOPE);
    open_package(a);
    aml_path(a, path);
}

void aml_device(struct aml *a, const char *path)
{
    aml_byte(a, EXT);
    aml_byte(a, EXT_DEVICE);
    open_package(a);
    aml_path(a, path);
}

void aml_processor(struct aml *a, const char *path, uint8_t id)
{
    aml_byte(a, EXT);
    aml_byte(a, EXT_PROCESSOR);
    open_package(a);
    aml_path(a, path);
    aml_byte(a, id);
    dword(a, 0);                              /* no processor register block */
    aml_byte(a, 0);
}

void aml_method(struct aml *a, const char *path, unsigned args)
{
    aml_byte(a, OP_METHOD);
    open_package(a);
    aml_path(a, path);
    aml_byte(a, (uint8_t)(args | SERIALIZED));
}

void aml_package(struct aml *a, uint8_t elements)
{
    aml_byte(a, OP_PACKAGE);
    open_package(a);
    aml_byte(a, elements);
}

void aml_if(struct aml *a)
{
    aml_byte(a, OP_IF);
    open_package(a);
}

void aml_byte_field(struct aml *a, const char *region)
{
    aml_byte(a, EXT);
    aml_byte(a, EXT_FIELD);
    open_package(a);
    aml_path(a, region);
    aml_byte(a, FIELD_BYTE_ACC);
}

void aml_field_bits(struct aml *a, const char *name, unsigned bits)
{
    assert(bits < 0x40);                      /* a PkgLength of one byte */
    if (name) segment(a, name, strlen(name));
    else aml_byte(a, 0);
    aml_byte(a, (uint8_t)bits);
}

/* ---- resource descriptors (6.4) */

/* A buffer's size is an AML integer in front of its bytes; a word constant, filled in at the end, fits every template. */
void aml_resources(struct aml *a)
{
    aml_byte(a, OP_BUFFER);
    open_package(a);
    aml_byte(a, OP_WORD);
    word(a, 0);
}

void aml_resources_end(struct aml *a)
{
    aml_byte(a, 0x79);                        /* end tag; checksum 0: not computed */
    aml_byte(a, 0);
    size_t start = a->open[a->depth - 1];
    st16(a->data + start + 1, (uint16_t)(a->len - start - 3));
    aml_end(a);
}

void aml_res_io(struct aml *a, uint16_t base, uint8_t align, uint8_t len)
{
    aml_byte(a, 0x47);
    aml_byte(a, 1);                           /* decodes 16 address bits */
    word(a, base);
    word(a, base);
    aml_byte(a, align);
    aml_byte(a, len);
}

void aml_res_irq(struct aml *a, unsigned irq)
{
    aml_byte(a, 0x22);
    word(a, (uint16_t)(1u << irq));
}

void aml_res_dma(struct aml *a, unsigned channel)
{
    aml_byte(a, 0x2a);
    aml_byte(a, (uint8_t)(1u << channel));
    aml_byte(a, 0);
}

void aml_res_interrupt(struct aml *a, const uint32_t *irq, uint8_t count)
{
    aml_byte(a, 0x89);
    word(a, (uint16_t)(2 + 4 * count));
    aml_byte(a, 0x09);                        /* consumer, level, active high, shared */
    aml_byte(a, count);
    for (unsigned i = 0; i < count; i++) dword(a, irq[i]);
}

void aml_res_memory(struct aml *a, uint32_t base, uint32_t len)
{
    aml_byte(a, 0x86);
    word(a, 9);
    aml_byte(a, 1);                           /* read-write */
    dword(a, base);
    dword(a, len);
}

enum { RANGE_MEMORY = 0, RANGE_IO = 1, RANGE_BUS = 2, RANGE_FIXED = 0x0c };

static void word_range(struct aml *a, uint8_t type, uint8_t type_flags, uint16_t first, uint16_t last)
{
    aml_byte(a, 0x88);
    word(a, 13);
    aml_byte(a, type);
    aml_byte(a, RANGE_FIXED);
    aml_byte(a, type_flags);
    word(a, 0);                               /* granularity */
    word(a, first);
    word(a, last);
    word(a, 0);                               /* translation */
    word(a, (uint16_t)(last - first + 1));
}

void aml_res_bus_range(struct aml *a, uint16_t first, uint16_t last) { word_range(a, RANGE_BUS, 0, first, last); }
void aml_res_io_range(struct aml *a, uint16_t first, uint16_t last) { word_range(a, RANGE_IO, 3, first, last); }

void aml_res_memory_range(struct aml *a, uint32_t first, uint32_t last)
{
    aml_byte(a, 0x87);
    word(a, 23);
    aml_byte(a, RANGE_MEMORY);
    aml_byte(a, RANGE_FIXED);
    aml_byte(a, 1);                           /* read-write, not cacheable */
    dword(a, 0);
    dword(a, first);
    dword(a, last);
    dword(a, 0);
    dword(a, last - first + 1);
}
