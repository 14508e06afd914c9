/* A machine that runs rom.asm. */
#include "tests/snapshot/busy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const unsigned char busy_rom[];
extern const unsigned long busy_rom_size;

static void busy_send(struct chr *c, const uint8_t *data, size_t len)
{
    struct busy *b = (struct busy *)((char *)c - offsetof(struct busy, serial));
    (void)data;
    b->sent += len;
}

void busy_create(struct busy *b, unsigned slot)
{
    struct machine_config cfg;
    struct error e = { "" };
    char path[64];
    snprintf(path, sizeof path, "/tmp/beige-busy-%ld-%u.rom", (long)getpid(), slot);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(busy_rom, 1, busy_rom_size, f) != busy_rom_size || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
    memset(b, 0, sizeof *b);
    log_init(&b->log, stderr);
    b->serial.send = busy_send;
    b->serial.id = "serial0";
    machine_config_default(&cfg);
    cfg.ram_size = 4 << 20;
    cfg.bios = path;
    cfg.serial[0] = &b->serial;
    cfg.floppy[0].present = true;
    cfg.ide[2] = (struct drive_config){ .present = true, .cdrom = true };
    cfg.log = &b->log;
    b->m = machine_create(&cfg, &e);
    unlink(path);
    if (b->m) return;
    fprintf(stderr, "%s\n", e.text);
    exit(1);
}

void busy_destroy(struct busy *b)
{
    machine_destroy(b->m);
    log_fini(&b->log);
}

void busy_run(struct busy *b, uint64_t until_count)
{
    machine_run(b->m, VTIME_NEVER, until_count, true, NULL);
}

void busy_hash(struct busy *b, char text[65])
{
    uint8_t h[32];
    machine_hash(b->m, h);
    for (unsigned i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", h[i]);
}
