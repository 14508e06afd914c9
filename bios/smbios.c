/* SMBIOS 2.8 (DSP0134): what dmidecode shows. The firmware adds its own type 0, places the tables and mends the anchor.
 *
 * A structure is a fixed part, then its strings, each ended by a NUL, and one more NUL; the fixed part refers to
 * strings by number from 1. A structure without strings still ends in two NULs. */
#include "bios/items.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { STRUCTURE_MAX = 256, HEADER = 4 };

struct tables {
    uint8_t *data;
    size_t len;
    unsigned count, largest;
};

struct structure {
    uint8_t fixed[64];
    uint8_t len;
    char strings[STRUCTURE_MAX - 64];
    size_t strings_len;
    unsigned num;
};

static void begin(struct structure *s, uint8_t type, uint8_t len, uint16_t handle)
{
    memset(s, 0, sizeof *s);
    assert(len >= HEADER && len <= sizeof s->fixed);
    s->len = len;
    s->fixed[0] = type;
    s->fixed[1] = len;
    st16(s->fixed + 2, handle);
}

/* Puts the number of a new string at `off`. */
static void string(struct structure *s, unsigned off, const char *text)
{
    size_t room = sizeof s->strings - 2 - s->strings_len;
    size_t n = strlen(text);
    if (n == 0) return;
    if (n > room - 1) n = room - 1;
    memcpy(s->strings + s->strings_len, text, n);
    s->strings_len += n + 1;
    s->fixed[off] = (uint8_t)++s->num;
}

static void end(struct tables *t, struct structure *s)
{
    size_t strings = s->strings_len ? s->strings_len + 1 : 2, len = s->len + strings;
    t->data = realloc(t->data, t->len + len);
    if (!t->data) abort();
    memcpy(t->data + t->len, s->fixed, s->len);
    memcpy(t->data + t->len + s->len, s->strings, strings);
    t->len += len;
    t->count++;
    if (len > t->largest) t->largest = (unsigned)len;
}

enum { HANDLE_SYSTEM = 0x100, HANDLE_CHASSIS = 0x300, HANDLE_CPU = 0x400, HANDLE_MEMORY = 0x1000,
       HANDLE_MODULE = 0x1100,
       HANDLE_MAPPED = 0x1300, HANDLE_BOOT = 0x2000, HANDLE_END = 0x7f00 };

static void add_system(struct tables *t, const struct bios_config *c)
{
    struct structure s;
    begin(&s, 1, 27, HANDLE_SYSTEM);
    string(&s, 4, "Beige");
    string(&s, 5, c->name ? c->name : "PC (i440FX + PIIX)");
    string(&s, 6, "pc");
    if (c->uuid) {                            /* the first three fields are little-endian (7.2.1) */
        static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
        for (unsigned i = 0; i < 16; i++) s.fixed[8 + i] = c->uuid[order[i]];
    }
    s.fixed[24] = 6;                          /* woken by the power switch */
    end(t, &s);

    begin(&s, 3, 22, HANDLE_CHASSIS);
    string(&s, 4, "Beige");
    s.fixed[5] = 3;                           /* desktop */
    s.fixed[9] = s.fixed[10] = s.fixed[11] = 3;   /* boot-up, power, thermal state: safe */
    s.fixed[12] = 2;                          /* security status: unknown */
    end(t, &s);
}

static void add_processor(struct tables *t, const struct bios_config *c, unsigned n)
{
    struct structure s;
    char socket[16];
    begin(&s, 4, 42, (uint16_t)(HANDLE_CPU + n));
    snprintf(socket, sizeof socket, "CPU %u", n);
    string(&s, 4, socket);
    s.fixed[5] = 3;                           /* central processor */
    s.fixed[6] = 1;                           /* family: other */
    string(&s, 7, "Beige");
    st32(s.fixed + 8, c->cpu_signature);
    st32(s.fixed + 12, c->cpu_features);
    string(&s, 16, c->cpu_name ? c->cpu_name : "");
    st16(s.fixed + 20, (uint16_t)(c->cpu_mhz > 0xffff ? 0xffff : c->cpu_mhz));
    st16(s.fixed + 22, (uint16_t)(c->cpu_mhz > 0xffff ? 0xffff : c->cpu_mhz));
    s.fixed[24] = 0x41;                       /* populated, enabled */
    s.fixed[25] = 1;                          /* upgrade: other */
    st16(s.fixed + 26, 0xffff);               /* no cache information */
    st16(s.fixed + 28, 0xffff);
    st16(s.fixed + 30, 0xffff);
    s.fixed[35] = s.fixed[36] = s.fixed[37] = 1;  /* cores, enabled cores, threads */
    st16(s.fixed + 40, 1);                    /* family 2: other */
    end(t, &s);
}

static void add_memory(struct tables *t, const struct bios_config *c)
{
    struct structure s;
    uint32_t kib = (uint32_t)(c->ram_size / 1024), mib = kib / 1024;
    begin(&s, 16, 23, HANDLE_MEMORY);
    s.fixed[4] = 3;                           /* on the main board */
    s.fixed[5] = 3;                           /* system memory */
    s.fixed[6] = 3;                           /* no error correction */
    st32(s.fixed + 7, kib);
    st16(s.fixed + 11, 0xfffe);               /* no error information */
    st16(s.fixed + 13, 1);                    /* devices */
    end(t, &s);

    begin(&s, 17, 40, HANDLE_MODULE);
    st16(s.fixed + 4, HANDLE_MEMORY);
    st16(s.fixed + 6, 0xfffe);
    st16(s.fixed + 8, 64);                    /* total and data width */
    st16(s.fixed + 10, 64);
    st16(s.fixed + 12, (uint16_t)(mib < 0x7fff ? mib : 0x7fff));
    s.fixed[14] = 9;                          /* form factor: DIMM */
    string(&s, 16, "DIMM 0");
    s.fixed[18] = 0x0f;                       /* SDRAM, synchronous */
    st16(s.fixed + 19, 0x80);
    string(&s, 23, "Beige");
    end(t, &s);

    begin(&s, 19, 31, HANDLE_MAPPED);
    st32(s.fixed + 4, 0);
    st32(s.fixed + 8, kib ? kib - 1 : 0);
    st16(s.fixed + 12, HANDLE_MEMORY);
    s.fixed[14] = 1;                          /* partition width */
    end(t, &s);
}

static void add_ends(struct tables *t)
{
    struct structure s;
    begin(&s, 32, 11, HANDLE_BOOT);           /* boot status 0: no errors detected */
    end(t, &s);
    begin(&s, 127, HEADER, HANDLE_END);
    end(t, &s);
}

static uint8_t checksum(const uint8_t *p, size_t n)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < n; i++) sum = (uint8_t)(sum + p[i]);
    return (uint8_t)-sum;
}

void bios_add_smbios(const struct bios_config *c, struct bios_items *out)
{
    struct tables t = { .data = NULL };
    add_system(&t, c);
    for (unsigned i = 0; i < c->cpus; i++) add_processor(&t, c, i);
    add_memory(&t, c);
    add_ends(&t);

    uint8_t anchor[31] = "_SM_";
    anchor[5] = sizeof anchor;
    anchor[6] = 2;
    anchor[7] = 8;
    st16(anchor + 8, (uint16_t)t.largest);
    memcpy(anchor + 16, "_DMI_", 5);
    st16(anchor + 22, (uint16_t)t.len);       /* the address at 24 is the firmware's to fill in */
    st16(anchor + 28, (uint16_t)t.count);
    anchor[30] = 0x28;
    anchor[21] = checksum(anchor + 16, 15);
    anchor[4] = checksum(anchor, sizeof anchor);
    bios_add_file(out, "etc/smbios/smbios-tables", t.data, t.len);
    bios_add_file(out, "etc/smbios/smbios-anchor", anchor, sizeof anchor);
    free(t.data);
}
