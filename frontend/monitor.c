/* The text monitor's commands, spelt as in QEMU. `help` lists them from the table at the end. */
#include "frontend/monitor.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"

enum { WORDS_MAX = 8 };

struct call {
    struct session *s;
    FILE *out;
    char *word[WORDS_MAX];         /* word[0] is the command, without /FORMAT */
    unsigned words;
    const char *format;            /* "/8xb" without the slash, or NULL */
};

struct command { const char *name, *args, *help; unsigned min_words; void (*run)(struct call *c); };
extern const struct command commands[];

/* ---- memory ----------------------------------------------------------------------------------------------------------- */

/* Numbers as the monitor takes them: decimal, 0x hex, and $eip for the instruction pointer (linear). */
static bool parse_address(struct call *c, const char *text, uint64_t *out)
{
    char *end;
    if (strcmp(text, "$eip") == 0 || strcmp(text, "$pc") == 0 || strcmp(text, "$rip") == 0) {
        *out = machine_linear_ip(c->s->machine);
        return true;
    }
    *out = strtoull(text, &end, 0);
    if (*end || end == text) fprintf(c->out, "'%s' is not an address\n", text);
    return !*end && end != text;
}

static void dump_memory(struct call *c, bool physical)
{
    unsigned count = 0, size = 4;
    char kind = 'x';
    uint64_t addr;
    uint8_t b[8];
    for (const char *p = c->format ? c->format : ""; *p; p++) {
        if (isdigit((unsigned char)*p)) count = count < 100000 ? count * 10 + (unsigned)(*p - '0') : count;
        else if (*p == 'b') size = 1;
        else if (*p == 'h') size = 2;
        else if (*p == 'w') size = 4;
        else if (*p == 'g') size = 8;
        else if (strchr("xduoci", *p)) kind = *p;
        else {
            fprintf(c->out, "invalid char in format: '%c'\n", *p);
            return;
        }
    }
    if (!parse_address(c, c->word[1], &addr)) return;
    if (!count) count = 1;
    if (kind == 'i') {
        machine_disasm(c->s->machine, addr, count, physical, c->out);
        return;
    }
    if (kind == 'c') size = 1;
    unsigned per_line = 16 / size;
    for (unsigned i = 0; i < count; i++, addr += size) {
        uint64_t got = physical ? machine_phys_read(c->s->machine, addr, b, size) : machine_virt_read(c->s->machine, addr, b, size);
        if (i % per_line == 0) fprintf(c->out, "%s%016" PRIx64 ":", i ? "\n" : "", addr);
        if (got < size) {
            fprintf(c->out, " Cannot access memory");
            break;
        }
        uint64_t v = ld_size(b, size);
        int64_t sv = (int64_t)(v << (64 - 8 * size)) >> (64 - 8 * size);
        switch (kind) {
        case 'd': fprintf(c->out, " %*" PRId64, (int)(size * 5 / 2 + 1), sv); break;
        case 'u': fprintf(c->out, " %*" PRIu64, (int)(size * 5 / 2), v); break;
        case 'o': fprintf(c->out, " 0%0*" PRIo64, (int)(size * 8 + 2) / 3, v); break;
        case 'c': fprintf(c->out, v >= 32 && v < 127 ? " '%c'" : " '\\x%02x'", (int)v); break;
        default: fprintf(c->out, " 0x%0*" PRIx64, (int)size * 2, v); break;
        }
    }
    fprintf(c->out, "\n");
}

static void cmd_x(struct call *c) { dump_memory(c, false); }
static void cmd_xp(struct call *c) { dump_memory(c, true); }

/* ---- machine ---------------------------------------------------------------------------------------------------------- */

static void cmd_stop(struct call *c) { session_stop(c->s); }
static void cmd_cont(struct call *c) { session_cont(c->s); }
static void cmd_reset(struct call *c) { session_reset(c->s); }
static void cmd_nmi(struct call *c) { machine_nmi(c->s->machine); }
static void cmd_quit(struct call *c) { session_quit(c->s, EXIT_GUEST_OFF, "quit by the monitor"); }

static void cmd_powerdown(struct call *c)
{
    machine_powerdown(c->s->machine);
    session_event(c->s, "POWERDOWN", NULL);
}

static void cmd_sendkey(struct call *c)
{
    enum key keys[16];
    char bad[32];
    unsigned n = session_parse_keys(c->word[1], keys, 16, bad, sizeof bad);
    int hold = c->words > 2 ? atoi(c->word[2]) : 100;
    if (n) session_send_keys(c->s, keys, n, hold > 0 ? (unsigned)hold : 1);
    else fprintf(c->out, "invalid parameter: %s\n", bad);
}

static void cmd_mouse_move(struct call *c)
{
    machine_mouse(c->s->machine, atoi(c->word[1]), atoi(c->word[2]), c->words > 3 ? atoi(c->word[3]) : 0, c->s->mouse_buttons);
}

static void cmd_mouse_button(struct call *c)
{
    c->s->mouse_buttons = (uint32_t)atoi(c->word[1]) & 7;
    machine_mouse(c->s->machine, 0, 0, 0, c->s->mouse_buttons);
}

static void cmd_change(struct call *c)
{
    struct error e = { "" };
    if (session_change(c->s, c->word[1], c->word[2], c->words > 3 ? c->word[3] : NULL, false, false, &e) != HOST_OK)
        fprintf(c->out, "Error: %s\n", e.text);
}

static void cmd_eject(struct call *c)
{
    struct error e = { "" };
    bool force = strcmp(c->word[1], "-f") == 0;
    if (force && c->words < 3) fprintf(c->out, "eject: which drive?\n");
    else if (machine_change_medium(c->s->machine, c->word[force ? 2 : 1], NULL, force, &e) != HOST_OK)
        fprintf(c->out, "Error: %s\n", e.text);
}

static void cmd_screendump(struct call *c)
{
    struct error e = { "" };
    size_t n = strlen(c->word[1]);
    bool png = (c->words > 3 && strcmp(c->word[2], "-f") == 0 && strcmp(c->word[3], "png") == 0) ||
               (n > 4 && strcmp(c->word[1] + n - 4, ".png") == 0);
    if (session_screendump(c->s, c->word[1], png, &e) != HOST_OK) fprintf(c->out, "Error: %s\n", e.text);
}

static void cmd_save(struct call *c)
{
    struct error e = { "" };
    if (machine_save(c->s->machine, c->word[1], &e) != HOST_OK) fprintf(c->out, "Error: %s\n", e.text);
}

static void cmd_hash(struct call *c)
{
    uint8_t h[32];
    machine_hash(c->s->machine, h);
    for (unsigned i = 0; i < 32; i++) fprintf(c->out, "%02x", h[i]);
    fprintf(c->out, " at instruction %" PRIu64 "\n", machine_icount(c->s->machine));
}

/* ---- info ------------------------------------------------------------------------------------------------------------- */

static void info_status(struct call *c)
{
    fprintf(c->out, "VM status: %s%s%s\n", c->s->state == RUN_RUNNING ? "running" : "paused",
            c->s->state == RUN_RUNNING || c->s->state == RUN_PAUSED ? "" : " (",
            c->s->state == RUN_RUNNING || c->s->state == RUN_PAUSED ? "" : session_state_name(c->s));
    if (c->s->state != RUN_RUNNING && c->s->state != RUN_PAUSED) fprintf(c->out, ")\n");
}

static void info_registers(struct call *c) { machine_print_cpu(c->s->machine, c->out); }
static void info_qtree(struct call *c) { machine_print_device(c->s->machine, NULL, c->out); }
static void info_mtree(struct call *c) { machine_print_map(c->s->machine, c->out); }
static void info_version(struct call *c) { fprintf(c->out, "Beige %s\n", BEIGE_VERSION); }
static void info_name(struct call *c) { if (c->s->config.name) fprintf(c->out, "%s\n", c->s->config.name); }

static void info_block(struct call *c)
{
    struct machine_block list[MACHINE_IDE + MACHINE_FLOPPIES];
    unsigned n = machine_blocks(c->s->machine, list, MACHINE_IDE + MACHINE_FLOPPIES);
    for (unsigned i = 0; i < n; i++) {
        if (list[i].blk) fprintf(c->out, "%s: %s (%s%s)\n", list[i].id, list[i].blk->path, list[i].blk->format,
                                 list[i].blk->read_only ? ", read-only" : "");
        else fprintf(c->out, "%s: [not inserted]\n", list[i].id);
        if (list[i].removable) fprintf(c->out, "    Removable device: %slocked, tray %s\n", list[i].locked ? "" : "not ",
                                       list[i].tray_open ? "open" : "closed");
    }
}

static void info_chardev(struct call *c)
{
    for (unsigned i = 0; i < c->s->chardev_count; i++)
        fprintf(c->out, "%s: filename=%s\n", chardev_id(c->s->chardevs[i]), chardev_filename(c->s->chardevs[i]));
}

static void info_clock(struct call *c)
{
    uint64_t ns = vtime_ns(machine_time(c->s->machine));
    fprintf(c->out, "virtual time %" PRIu64 ".%09" PRIu64 " s, %" PRIu64 " instructions, speed %.2f\n", ns / 1000000000,
            ns % 1000000000, machine_icount(c->s->machine), pace_speed(&c->s->pace));
}

static const struct command infos[] = {
    { "status", "", "running or paused", 0, info_status },
    { "registers", "", "the CPU's registers", 0, info_registers },
    { "qtree", "", "all chips: id, part, title", 0, info_qtree },
    { "mtree", "", "the memory and port map", 0, info_mtree },
    { "block", "", "drives and their media", 0, info_block },
    { "chardev", "", "character devices", 0, info_chardev },
    { "clock", "", "virtual time and instruction count", 0, info_clock },
    { "version", "", "version", 0, info_version },
    { "name", "", "name of the machine", 0, info_name },
};

/* `info X` for anything that is not in the table prints the state of the chip with that id. */
static void cmd_info(struct call *c)
{
    unsigned n = sizeof infos / sizeof infos[0];
    if (c->words < 2) {
        for (unsigned i = 0; i < n; i++) fprintf(c->out, "info %-12s -- %s\n", infos[i].name, infos[i].help);
        fprintf(c->out, "info CHIP         -- state of a chip (ids: info qtree)\n");
        return;
    }
    for (unsigned i = 0; i < n; i++)
        if (strcmp(infos[i].name, c->word[1]) == 0) {
            infos[i].run(c);
            return;
        }
    if (!machine_print_device(c->s->machine, c->word[1], c->out))
        fprintf(c->out, "info: there is no '%s'; 'info' lists what there is, 'info qtree' the chips\n", c->word[1]);
}

static void cmd_help(struct call *c)
{
    for (const struct command *k = commands; k->name; k++)
        if (c->words < 2 || strcmp(c->word[1], k->name) == 0)
            fprintf(c->out, "%s%s%s -- %s\n", k->name, *k->args ? " " : "", k->args, k->help);
}

const struct command commands[] = {
    { "help", "[COMMAND]", "this list", 1, cmd_help },
    { "info", "[ITEM|CHIP]", "show something; without an argument: what there is", 1, cmd_info },
    { "stop", "", "pause the machine", 1, cmd_stop },
    { "cont", "", "let it go on", 1, cmd_cont },
    { "c", "", "the same", 1, cmd_cont },
    { "quit", "", "end the emulator", 1, cmd_quit },
    { "q", "", "the same", 1, cmd_quit },
    { "system_reset", "", "press the reset button", 1, cmd_reset },
    { "system_powerdown", "", "press the power button", 1, cmd_powerdown },
    { "nmi", "", "pulse the NMI line", 1, cmd_nmi },
    { "x", "[/FORMAT] ADDR", "dump virtual memory: /COUNT, x d u o c i, b h w g", 2, cmd_x },
    { "xp", "[/FORMAT] ADDR", "dump physical memory", 2, cmd_xp },
    { "sendkey", "KEYS [HOLD_MS]", "press keys, e.g. ctrl-alt-f1", 2, cmd_sendkey },
    { "mouse_move", "DX DY [DZ]", "move the mouse", 3, cmd_mouse_move },
    { "mouse_button", "MASK", "press mouse buttons: 1 left, 2 right, 4 middle", 2, cmd_mouse_button },
    { "change", "DRIVE FILE [FORMAT]", "put a medium in a drive", 3, cmd_change },
    { "eject", "[-f] DRIVE", "take the medium out", 2, cmd_eject },
    { "screendump", "FILE [-f png]", "write the screen as PPM, or PNG", 2, cmd_screendump },
    { "savefile", "FILE", "save the whole machine to a file (start with --load FILE)", 2, cmd_save },
    { "hash", "", "hash of the machine's state", 1, cmd_hash },
    { NULL, NULL, NULL, 0, NULL },
};

void monitor_execute(struct session *s, const char *line, FILE *out)
{
    struct call c = { .s = s, .out = out };
    char *copy = strdup(line), *p = copy;
    while (p && c.words < WORDS_MAX) {
        p += strspn(p, " \t\r\n");
        if (!*p) break;
        if (*p == '"') {
            c.word[c.words++] = ++p;
            p += strcspn(p, "\"");
        } else {
            c.word[c.words++] = p;
            p += strcspn(p, " \t\r\n");
        }
        if (*p) *p++ = 0;
    }
    if (c.words == 0) goto out;
    /* The format of x and xp may stand by itself or touch the command: "x /4i $eip", "x/4i $eip". */
    char *slash = strchr(c.word[0], '/');
    if (slash) {
        *slash = 0;
        c.format = slash + 1;
    } else if (c.words > 1 && c.word[1][0] == '/' && c.word[0][0] == 'x') {
        c.format = c.word[1] + 1;
        for (unsigned i = 1; i + 1 < c.words; i++) c.word[i] = c.word[i + 1];
        c.words--;
    }
    const struct command *k = commands;
    while (k->name && strcmp(k->name, c.word[0]) != 0) k++;
    if (!k->name) fprintf(out, "unknown command: '%s'\n", c.word[0]);
    else if (c.words < k->min_words) fprintf(out, "%s: usage: %s %s\n", k->name, k->name, k->args);
    else k->run(&c);
out:
    free(copy);
}
