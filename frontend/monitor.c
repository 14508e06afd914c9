/* The text monitor's commands, spelt as in QEMU. `help` lists them from the table at the end. */
#include "frontend/monitor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct monitor_command monitor_commands[];
enum { TABLES = 2 };
static const struct monitor_command *const tables[TABLES] = { monitor_commands, monitor_memory };

enum { KEYS_MAX = 16, HOLD_MS = 100 };

/* ---- machine ---------------------------------------------------------------------------------------------------------- */

static void cmd_stop(struct monitor_call *c) { session_stop(c->s); }

static void cmd_cont(struct monitor_call *c)
{
    if (c->s->state == RUN_SHUTDOWN) fprintf(c->out, "Error: Resetting the Virtual Machine is required\n");
    else session_cont(c->s);
}

static void cmd_reset(struct monitor_call *c) { session_reset(c->s); }
static void cmd_nmi(struct monitor_call *c) { machine_nmi(c->s->machine); }
static void cmd_quit(struct monitor_call *c) { session_quit(c->s, EXIT_GUEST_OFF, "quit by the monitor"); }

static void cmd_powerdown(struct monitor_call *c)
{
    machine_powerdown(c->s->machine);
    session_event(c->s, "POWERDOWN", NULL);
}

static bool parse_number(struct monitor_call *c, const char *text, int *out)
{
    char *end;
    long v = strtol(text, &end, 0);
    *out = v < -32768 ? -32768 : v > 32767 ? 32767 : (int)v;
    if (!*end && end != text) return true;
    fprintf(c->out, "'%s' is not a number\n", text);
    return false;
}

static void cmd_sendkey(struct monitor_call *c)
{
    enum key keys[KEYS_MAX];
    char bad[32] = "";
    int hold = HOLD_MS;
    if (c->words > 2 && !parse_number(c, c->word[2], &hold)) return;
    unsigned n = session_parse_keys(c->word[1], keys, KEYS_MAX, bad, sizeof bad);
    if (n) session_send_keys(c->s, keys, n, hold > 0 ? (unsigned)hold : 1);
    else fprintf(c->out, "invalid parameter: %s\n", bad);
}

static void cmd_mouse_move(struct monitor_call *c)
{
    int x, y, z = 0;
    if (parse_number(c, c->word[1], &x) && parse_number(c, c->word[2], &y) && (c->words < 4 || parse_number(c, c->word[3], &z)))
        machine_mouse(c->s->machine, x, y, z, c->s->mouse_buttons);
}

static void cmd_mouse_button(struct monitor_call *c)
{
    int mask;
    if (!parse_number(c, c->word[1], &mask)) return;
    c->s->mouse_buttons = (uint32_t)mask & 7;
    machine_mouse(c->s->machine, 0, 0, 0, c->s->mouse_buttons);
}

static void cmd_change(struct monitor_call *c)
{
    struct error e = { "" };
    if (session_change(c->s, c->word[1], c->word[2], c->words > 3 ? c->word[3] : NULL, false, false, &e) != HOST_OK)
        fprintf(c->out, "Error: %s\n", e.text);
}

static void cmd_eject(struct monitor_call *c)
{
    struct error e = { "" };
    bool force = strcmp(c->word[1], "-f") == 0;
    if (force && c->words < 3) fprintf(c->out, "eject: which drive?\n");
    else if (session_eject(c->s, c->word[force ? 2 : 1], force, &e) != HOST_OK) fprintf(c->out, "Error: %s\n", e.text);
}

static void cmd_screendump(struct monitor_call *c)
{
    struct error e = { "" };
    size_t n = strlen(c->word[1]);
    bool png = (c->words > 3 && strcmp(c->word[2], "-f") == 0 && strcmp(c->word[3], "png") == 0) ||
               (n > 4 && strcmp(c->word[1] + n - 4, ".png") == 0);
    if (session_screendump(c->s, c->word[1], png, &e) != HOST_OK) fprintf(c->out, "Error: %s\n", e.text);
}

static void cmd_save(struct monitor_call *c)
{
    struct error e = { "" };
    if (machine_save(c->s->machine, c->word[1], &e) != HOST_OK) fprintf(c->out, "Error: %s\n", e.text);
}

static void cmd_checkpoint(struct monitor_call *c)
{
    struct error e = { "" };
    if (session_checkpoint(c->s, c->words > 1 ? c->word[1] : "last", &e) != HOST_OK) fprintf(c->out, "Error: %s\n", e.text);
}

static void cmd_restore(struct monitor_call *c)
{
    struct error e = { "" };
    enum host_status st = session_restore(c->s, c->words > 1 ? c->word[1] : "last", &e);
    if (st != HOST_OK) fprintf(c->out, "Error: %s\n", e.text);
    if (st != HOST_OK && st != HOST_MISSING && st != HOST_REFUSED)
        session_quit(c->s, EXIT_OURS, "the machine could not be restored: %s", e.text);
}

static void cmd_hash(struct monitor_call *c)
{
    uint8_t h[32];
    machine_hash(c->s->machine, h);
    for (unsigned i = 0; i < 32; i++) fprintf(c->out, "%02x", h[i]);
    fprintf(c->out, " at instruction %" PRIu64 "\n", machine_icount(c->s->machine));
}

/* `info X` for anything that is not in the table prints the state of the chip with that id. */
static void print_chip(void *ctx, const char *word)
{
    const struct monitor_command *k = monitor_infos;
    while (k->name && strcmp(k->name, word) != 0) k++;
    if (!k->name) fprintf(((struct monitor_call *)ctx)->out, " %s", word);
}

static void cmd_info(struct monitor_call *c)
{
    const struct monitor_command *k = monitor_infos;
    if (c->words < 2) {
        for (; k->name; k++) fprintf(c->out, "info %-12s -- %s\n", k->name, k->help);
        fprintf(c->out, "info CHIP         -- state of a chip; their ids:");
        monitor_complete(c->s, "info ", print_chip, c);
        fprintf(c->out, "\n");
        return;
    }
    while (k->name && strcmp(k->name, c->word[1]) != 0) k++;
    if (k->name) k->run(c);
    else if (!machine_print_device(c->s->machine, c->word[1], c->out))
        fprintf(c->out, "unknown command: 'info %s' ('info' lists what there is)\n", c->word[1]);
}

static void cmd_help(struct monitor_call *c)
{
    if (c->words > 1 && strcmp(c->word[1], "info") == 0) {
        c->words = 1;
        cmd_info(c);
        return;
    }
    for (unsigned t = 0; t < TABLES; t++)
        for (const struct monitor_command *k = tables[t]; k->name; k++)
            if (c->words < 2 || strcmp(c->word[1], k->name) == 0)
                fprintf(c->out, "%s%s%s -- %s\n", k->name, *k->args ? " " : "", k->args, k->help);
}

static const struct monitor_command monitor_commands[] = {
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
    { "sendkey", "KEYS [HOLD_MS]", "press keys, e.g. ctrl-alt-f1", 2, cmd_sendkey },
    { "mouse_move", "DX DY [DZ]", "move the mouse", 3, cmd_mouse_move },
    { "mouse_button", "MASK", "press mouse buttons: 1 left, 2 right, 4 middle", 2, cmd_mouse_button },
    { "change", "DRIVE FILE [FORMAT]", "put a medium in a drive", 3, cmd_change },
    { "eject", "[-f] DRIVE", "take the medium out", 2, cmd_eject },
    { "screendump", "FILE [-f png]", "write the screen as PPM, or PNG", 2, cmd_screendump },
    { "savefile", "FILE", "save the whole machine to a file (start with --load FILE)", 2, cmd_save },
    { "checkpoint", "[NAME]", "keep the machine's state in memory; see info checkpoints", 1, cmd_checkpoint },
    { "restore", "[NAME]", "go back to it, at once and any number of times", 1, cmd_restore },
    { "hash", "", "hash of the machine's state", 1, cmd_hash },
    { NULL, NULL, NULL, 0, NULL },
};

/* Words at blanks, "..." holds together. A format stands by itself or touches its command: x/4i $pc, x /4i $pc. */
static void split_words(struct monitor_call *c, char *p)
{
    while (c->words < MONITOR_WORDS) {
        p += strspn(p, " \t\r\n");
        if (!*p) break;
        bool quoted = *p == '"';
        p += quoted;
        c->word[c->words++] = p;
        p += strcspn(p, quoted ? "\"" : " \t\r\n");
        if (*p) *p++ = 0;
    }
    if (!c->words) return;
    char *slash = strchr(c->word[0], '/');
    if (slash) {
        *slash = 0;
        c->format = slash + 1;
    } else if (c->words > 1 && c->word[1][0] == '/' && monitor_takes_format(c->word[0])) {
        c->format = c->word[1] + 1;
        for (unsigned i = 1; i + 1 < c->words; i++) c->word[i] = c->word[i + 1];
        c->words--;
    }
}

static const struct monitor_command *find_command(const char *name)
{
    for (unsigned t = 0; t < TABLES; t++)
        for (const struct monitor_command *k = tables[t]; k->name; k++)
            if (strcmp(k->name, name) == 0) return k;
    return NULL;
}

void monitor_execute(struct session *s, const char *line, FILE *out)
{
    struct monitor_call c = { .s = s, .out = out };
    char *copy = strdup(line);
    if (!copy) return;
    split_words(&c, copy);
    c.rest = line + (c.words > 1 ? (size_t)(c.word[1] - copy) : strlen(line));
    const struct monitor_command *k = c.words ? find_command(c.word[0]) : NULL;
    if (!c.words) {}
    else if (!k) fprintf(out, "unknown command: '%s'\n", c.word[0]);
    else if (c.words < k->min_words) fprintf(out, "%s: usage: %s %s\n", k->name, k->name, k->args);
    else k->run(&c);
    free(copy);
}

char *monitor_answer(struct session *s, const char *line)
{
    char *text = NULL, *lines = NULL;
    size_t len = 0, n = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out) return NULL;
    monitor_execute(s, line, out);
    fclose(out);
    out = open_memstream(&lines, &n);
    for (const char *p = text; out && *p; p++) {
        if (*p == '\n') fputc('\r', out);
        fputc(*p, out);
    }
    if (out) fclose(out);
    free(text);
    return lines;
}

/* ---- completion --------------------------------------------------------------------------------------------------------- */

typedef void add_word(void *ctx, const char *word);

static void add_if(const char *word, const char *begin, add_word *add, void *ctx)
{
    if (strncmp(word, begin, strlen(begin)) == 0) add(ctx, word);
}

/* First word of each line that machine_print_device lists. */
static void add_chips(struct session *s, const char *begin, add_word *add, void *ctx)
{
    char *text = NULL, *save = NULL, name[64];
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out) return;
    machine_print_device(s->machine, NULL, out);
    fclose(out);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if (sscanf(line, "%63s", name) == 1) add_if(name, begin, add, ctx);
    free(text);
}

static void add_drives(struct session *s, const char *begin, add_word *add, void *ctx)
{
    struct machine_block list[MACHINE_IDE + MACHINE_FLOPPIES];
    unsigned n = machine_blocks(s->machine, list, MACHINE_IDE + MACHINE_FLOPPIES);
    for (unsigned i = 0; i < n; i++)
        if (list[i].removable) add_if(list[i].id, begin, add, ctx);
}

void monitor_complete(struct session *s, const char *text, add_word *add, void *ctx)
{
    const char *blank = strrchr(text, ' '), *begin = blank ? blank + 1 : text;
    if (!blank || strncmp(text, "help ", 5) == 0) {
        for (unsigned t = 0; t < TABLES; t++)
            for (const struct monitor_command *k = tables[t]; k->name; k++) add_if(k->name, begin, add, ctx);
    } else if (strncmp(text, "info ", 5) == 0) {
        for (const struct monitor_command *k = monitor_infos; k->name; k++) add_if(k->name, begin, add, ctx);
        add_chips(s, begin, add, ctx);
    } else if (strncmp(text, "eject ", 6) == 0 || strncmp(text, "change ", 7) == 0) {
        add_drives(s, begin, add, ctx);
    } else if (strncmp(text, "sendkey ", 8) == 0) {
        for (unsigned k = 1; k < KEY_COUNT; k++) add_if(key_name((enum key)k), begin, add, ctx);
    }
}
