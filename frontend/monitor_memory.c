/* The monitor's commands about memory, ports and values: x, xp, print, i, o, sum, gva2gpa; and the expressions they take. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "frontend/monitor.h"

enum { COUNT_MAX = 100000, DEPTH_MAX = 32, NAME_MAX_LENGTH = 16, VIRTUAL_DIGITS = 8, PHYSICAL_DIGITS = 16 };

/* ---- expressions ------------------------------------------------------------------------------------------------------ */

struct expression {
    struct monitor_call *c;
    const char *p;
    unsigned depth;              /* of parentheses and signs: the text may be a client's */
    bool bad;                    /* said so already */
};

static uint64_t fail(struct expression *x, const char *why)
{
    if (!x->bad && *x->p) fprintf(x->c->out, "%s at '%s'\n", why, x->p);
    else if (!x->bad) fprintf(x->c->out, "%s at the end\n", why);
    x->bad = true;
    return 0;
}

static char look(struct expression *x)
{
    x->p += strspn(x->p, " \t");
    return *x->p;
}

static uint64_t parse_register(struct expression *x)
{
    char name[NAME_MAX_LENGTH];
    uint64_t value;
    size_t n = 0;
    while (isalnum((unsigned char)x->p[1 + n]) || x->p[1 + n] == '.') n++;
    if (n == 0 || n >= sizeof name) return fail(x, "unknown register");
    memcpy(name, x->p + 1, n);
    name[n] = 0;
    if (!machine_register(x->c->s->machine, name, &value)) return fail(x, "unknown register");
    x->p += 1 + n;
    return value;
}

static uint64_t parse_sum(struct expression *x);

static uint64_t parse_unary(struct expression *x)
{
    const char ch = look(x);
    uint64_t v = 0;
    if (x->bad || ++x->depth > DEPTH_MAX) return fail(x, "too deep");
    if (ch == '-' || ch == '+' || ch == '~') {
        x->p++;
        v = parse_unary(x);
        v = ch == '-' ? -v : ch == '~' ? ~v : v;
    } else if (ch == '(') {
        x->p++;
        v = parse_sum(x);
        if (look(x) != ')') fail(x, "')' expected");
        else x->p++;
    } else if (ch == '\'' && x->p[1] && x->p[2] == '\'') {
        v = (uint8_t)x->p[1];
        x->p += 3;
    } else if (ch == '$') v = parse_register(x);
    else if (isdigit((unsigned char)ch)) {
        char *end;
        v = strtoull(x->p, &end, 0);
        if (isalnum((unsigned char)*end)) fail(x, "not a number");
        x->p = end;
    } else fail(x, "a number or $register expected");
    x->depth--;
    return v;
}

static uint64_t parse_product(struct expression *x)
{
    uint64_t v = parse_unary(x);
    for (char op = look(x); !x->bad && (op == '*' || op == '/' || op == '%'); op = look(x)) {
        x->p++;
        const uint64_t by = parse_unary(x);
        if (op == '*') v *= by;
        else if (by == 0) fail(x, "division by zero");
        else v = op == '/' ? v / by : v % by;
    }
    return v;
}

static uint64_t parse_logic(struct expression *x)
{
    uint64_t v = parse_product(x);
    for (char op = look(x); !x->bad && (op == '&' || op == '|' || op == '^'); op = look(x)) {
        x->p++;
        const uint64_t by = parse_product(x);
        v = op == '&' ? v & by : op == '|' ? v | by : v ^ by;
    }
    return v;
}

static uint64_t parse_sum(struct expression *x)
{
    uint64_t v = parse_logic(x);
    for (char op = look(x); !x->bad && (op == '+' || op == '-'); op = look(x)) {
        x->p++;
        const uint64_t by = parse_logic(x);
        v = op == '+' ? v + by : v - by;
    }
    return v;
}

bool monitor_value(struct monitor_call *c, const char *text, uint64_t *value)
{
    struct expression x = { .c = c, .p = text };
    *value = parse_sum(&x);
    if (!x.bad && look(&x)) fail(&x, "unexpected text");
    return !x.bad;
}

/* ---- formats ---------------------------------------------------------------------------------------------------------- */

struct format { unsigned count, size; char kind; };

/* "8xb": how many, as what, of which size. The defaults are QEMU's. */
static bool parse_format(struct monitor_call *c, struct format *f)
{
    *f = (struct format){ .count = 1, .size = 4, .kind = 'x' };
    const char *p = c->format ? c->format : "";
    if (isdigit((unsigned char)*p)) {
        unsigned long n = strtoul(p, (char **)(uintptr_t)&p, 10);
        f->count = n < COUNT_MAX ? (unsigned)n : COUNT_MAX;
    }
    for (; *p; p++) {
        static const char sizes[] = "bhwg";
        const char *size = strchr(sizes, *p);
        if (size) {
            f->size = 1u << (size - sizes);
        } else if (strchr("xduoci", *p)) {
            f->kind = *p;
        } else {
            fprintf(c->out, "invalid char in format: '%c'\n", *p);
            return false;
        }
    }
    if (f->kind == 'c') f->size = 1;
    return true;
}

/* Columns as wide as the largest value of the size. */
static void print_value(FILE *out, const struct format *f, uint64_t v)
{
    unsigned bits = 8 * f->size, digits = (bits * 10 + 32) / 33;
    int64_t sv = (int64_t)(v << (64 - bits)) >> (64 - bits);
    switch (f->kind) {
    case 'd': fprintf(out, "%*" PRId64, (int)digits, sv); break;
    case 'u': fprintf(out, "%*" PRIu64, (int)digits, v); break;
    case 'o': fprintf(out, "%#*" PRIo64, (int)(bits + 2) / 3, v); break;
    case 'c': fprintf(out, v >= 32 && v < 127 ? "'%c'" : "'\\x%02x'", (int)v); break;
    default: fprintf(out, "0x%0*" PRIx64, (int)f->size * 2, v); break;
    }
}

/* ---- commands --------------------------------------------------------------------------------------------------------- */

static void dump_memory(struct monitor_call *c, bool physical)
{
    struct machine *m = c->s->machine;
    struct format f;
    uint64_t addr;
    uint8_t b[8];
    if (!parse_format(c, &f) || !monitor_value(c, c->rest, &addr)) return;
    if (!physical) addr = (uint32_t)addr;
    if (f.kind == 'i') {
        machine_disasm(m, addr, f.count, physical, c->out);
        return;
    }
    for (unsigned i = 0; i < f.count; i++, addr += f.size) {
        uint64_t got = physical ? machine_phys_read(m, addr, b, f.size) : machine_virt_read(m, addr, b, f.size);
        if (i % (16 / f.size) == 0)
            fprintf(c->out, "%s%0*" PRIx64 ":", i ? "\n" : "", physical ? PHYSICAL_DIGITS : VIRTUAL_DIGITS, addr);
        if (got < f.size) {
            fprintf(c->out, " Cannot access memory");
            break;
        }
        fputc(' ', c->out);
        print_value(c->out, &f, ld_size(b, f.size));
    }
    fprintf(c->out, "\n");
}

static void cmd_x(struct monitor_call *c) { dump_memory(c, false); }
static void cmd_xp(struct monitor_call *c) { dump_memory(c, true); }

static void cmd_print(struct monitor_call *c)
{
    struct format f;
    uint64_t v;
    if (!parse_format(c, &f) || !monitor_value(c, c->rest, &v)) return;
    switch (f.kind) {
    case 'd': fprintf(c->out, "%" PRId64, (int64_t)v); break;
    case 'u': fprintf(c->out, "%" PRIu64, v); break;
    case 'o': fprintf(c->out, "%#" PRIo64, v); break;
    case 'c': print_value(c->out, &f, v & 0xff); break;
    default: fprintf(c->out, "%#" PRIx64, v); break;
    }
    fprintf(c->out, "\n");
}

static void cmd_gva2gpa(struct monitor_call *c)
{
    uint64_t linear, phys;
    if (!monitor_value(c, c->rest, &linear)) return;
    if (machine_translate(c->s->machine, (uint32_t)linear, &phys)) fprintf(c->out, "gpa: %#" PRIx64 "\n", phys);
    else fprintf(c->out, "Unmapped\n");
}

/* The checksum that BSD's sum computes: rotate to the right by one, add. */
static void cmd_sum(struct monitor_call *c)
{
    uint64_t addr, len;
    uint16_t sum = 0;
    uint8_t b;
    if (!monitor_value(c, c->word[1], &addr) || !monitor_value(c, c->word[2], &len)) return;
    if (len > machine_ram_size(c->s->machine)) len = machine_ram_size(c->s->machine);
    for (uint64_t i = 0; i < len && machine_phys_read(c->s->machine, addr + i, &b, 1); i++)
        sum = (uint16_t)((sum >> 1 | sum << 15) + b);
    fprintf(c->out, "%05u\n", sum);
}

static bool port_format(struct monitor_call *c, struct format *f, uint64_t *port)
{
    if (!parse_format(c, f) || !monitor_value(c, c->word[1], port)) return false;
    if (!c->format) f->size = 1;
    if (*port <= 0xffff && f->size <= 4) return true;
    fprintf(c->out, "ports are 0 to 0xffff, of 1, 2 or 4 bytes\n");
    return false;
}

static void cmd_in(struct monitor_call *c)
{
    struct format f;
    uint64_t port;
    if (!port_format(c, &f, &port)) return;
    fprintf(c->out, "port%c[0x%04x] = 0x%0*" PRIx32 "\n", "?bw?l"[f.size], (unsigned)port, (int)f.size * 2,
            machine_port_in(c->s->machine, (uint16_t)port, f.size));
}

static void cmd_out(struct monitor_call *c)
{
    struct format f;
    uint64_t port, v;
    if (port_format(c, &f, &port) && monitor_value(c, c->word[2], &v))
        machine_port_out(c->s->machine, (uint16_t)port, (uint32_t)v, f.size);
}

const struct monitor_command monitor_memory[] = {
    { "x", "[/FORMAT] ADDR", "dump virtual memory: /COUNT, x d u o c i, b h w g", 2, cmd_x },
    { "xp", "[/FORMAT] ADDR", "dump physical memory", 2, cmd_xp },
    { "print", "[/FORMAT] VALUE", "compute: numbers, $registers (eax, cs.base, pc), + - ~ * / % & | ^ ( )", 2, cmd_print },
    { "p", "[/FORMAT] VALUE", "the same", 2, cmd_print },
    { "gva2gpa", "ADDR", "where the page tables map a virtual address", 2, cmd_gva2gpa },
    { "sum", "ADDR SIZE", "checksum of physical memory", 3, cmd_sum },
    { "i", "[/FORMAT] PORT", "read a port: b, h or w", 2, cmd_in },
    { "o", "[/FORMAT] PORT VALUE", "write a port", 3, cmd_out },
    { NULL, NULL, NULL, 0, NULL },
};

bool monitor_takes_format(const char *command)
{
    static const char *const list[] = { "x", "xp", "print", "p", "i", "o" };
    for (unsigned n = 0; n < sizeof list / sizeof list[0]; n++)
        if (strcmp(command, list[n]) == 0) return true;
    return false;
}
