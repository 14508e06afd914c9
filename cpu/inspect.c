/* What the board may see of a CPU: registers by name, memory as it sees it, its page tables and descriptor tables.
 *
 * For the monitor and for people who write operating systems. Nothing here changes state: no accessed or dirty bit is set,
 * no chip is read. So a page table in a chip's memory is shown as missing. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "cpu/desc.h"

/* ---- addresses */

bool cpu_translate(struct cpu *c, uint64_t linear, uint64_t *phys)
{
    struct xlate x;
    if (!paging_peek(c, linear, &x)) return false;
    *phys = (x.phys & c->a20_mask) | (linear & (PAGE_SIZE - 1));
    return true;
}

size_t cpu_peek(struct cpu *c, uint64_t linear, void *buf, size_t len)
{
    size_t done = 0;
    while (done < len) {
        uint64_t phys, left = PAGE_SIZE - ((linear + done) & (PAGE_SIZE - 1));
        if (!cpu_translate(c, linear + done, &phys)) break;
        if (left > len - done) left = len - done;
        uint64_t n = phys_peek(c->mem, phys, (uint8_t *)buf + done, left);
        done += n;
        if (n < left) break;
    }
    return done;
}

uint64_t cpu_linear_ip(const struct cpu *c) { return (uint32_t)(c->seg[SEG_CS].base + c->rip); }
unsigned cpu_code_mode(const struct cpu *c) { return c->seg[SEG_CS].attr & SEG_D ? 32 : 16; }

/* ---- registers */

static const char *const reg_name[8] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };
static const char *const byte_name[8] = { "al", "cl", "dl", "bl", "ah", "ch", "dh", "bh" };
static const char *const seg_name[SEG_COUNT] = { "es", "cs", "ss", "ds", "fs", "gs" };

static bool general_register(const struct cpu *c, const char *name, uint64_t *v)
{
    for (unsigned n = 0; n < 8; n++) {
        if (name[0] == 'e' && strcmp(name + 1, reg_name[n]) == 0) return *v = reg32(c, n), true;
        if (strcmp(name, reg_name[n]) == 0) return *v = reg16(c, n), true;
        if (strcmp(name, byte_name[n]) == 0) return *v = (n < 4 ? c->r[n] : c->r[n - 4] >> 8) & 0xff, true;
    }
    return false;
}

/* cs, cs.base, cs.limit; part is what follows the register's name. */
static bool segment_part(const struct seg *s, const char *part, uint64_t *v)
{
    if (!*part) return *v = s->sel, true;
    if (strcmp(part, ".base") == 0) return *v = (uint32_t)s->base, true;
    if (strcmp(part, ".limit") == 0) return *v = s->limit, true;
    return false;
}

static bool system_register(const struct cpu *c, const char *name, uint64_t *v)
{
    const struct { const char *name; uint64_t value; } list[] = {
        { "cr0", c->cr0 }, { "cr2", (uint32_t)c->cr2 }, { "cr3", (uint32_t)c->cr3 }, { "cr4", c->cr4 },
        { "dr0", (uint32_t)c->dr[0] }, { "dr1", (uint32_t)c->dr[1] }, { "dr2", (uint32_t)c->dr[2] },
        { "dr3", (uint32_t)c->dr[3] }, { "dr6", (uint32_t)c->dr[6] }, { "dr7", (uint32_t)c->dr[7] },
        { "gdtr.base", (uint32_t)c->gdtr.base }, { "gdtr.limit", c->gdtr.limit },
        { "idtr.base", (uint32_t)c->idtr.base }, { "idtr.limit", c->idtr.limit },
        { "eip", (uint32_t)c->rip }, { "pc", cpu_linear_ip(c) },
    };
    for (unsigned n = 0; n < sizeof list / sizeof list[0]; n++)
        if (strcmp(name, list[n].name) == 0) return *v = list[n].value, true;
    return false;
}

bool cpu_register(struct cpu *c, const char *name, uint64_t *value)
{
    if (general_register(c, name, value) || system_register(c, name, value)) return true;
    if (strcmp(name, "eflags") == 0) return *value = eflags_get(c), true;
    if (strncmp(name, "ldtr", 4) == 0) return segment_part(&c->ldtr, name + 4, value);
    if (strncmp(name, "tr", 2) == 0) return segment_part(&c->tr, name + 2, value);
    for (unsigned n = 0; n < SEG_COUNT; n++)
        if (strncmp(name, seg_name[n], 2) == 0) return segment_part(&c->seg[n], name + 2, value);
    return false;
}

static void print_seg(FILE *out, const char *name, const struct seg *s)
{
    char upper[4] = "";
    for (unsigned n = 0; n < 3 && name[n]; n++) upper[n] = (char)toupper((unsigned char)name[n]);
    fprintf(out, "%-3s=%04x %08x %08x %08x\n", upper, s->sel, (uint32_t)s->base, s->limit, (uint32_t)s->attr << 8);
}

static void print_registers(struct cpu *c, FILE *out)
{
    uint32_t f = eflags_get(c);
    fprintf(out, "EAX=%08x EBX=%08x ECX=%08x EDX=%08x\n", reg32(c, R_AX), reg32(c, R_BX), reg32(c, R_CX), reg32(c, R_DX));
    fprintf(out, "ESI=%08x EDI=%08x EBP=%08x ESP=%08x\n", reg32(c, R_SI), reg32(c, R_DI), reg32(c, R_BP), reg32(c, R_SP));
    fprintf(out, "EIP=%08x EFL=%08x [%c%c%c%c%c%c%c] CPL=%u II=%u A20=%u SMM=%u HLT=%u\n", (uint32_t)c->rip, f,
            f & FL_DF ? 'D' : '-', f & FL_OF ? 'O' : '-', f & FL_SF ? 'S' : '-', f & FL_ZF ? 'Z' : '-',
            f & FL_AF ? 'A' : '-', f & FL_PF ? 'P' : '-', f & FL_CF ? 'C' : '-', c->cpl, c->shadow_sti || c->shadow_ss,
            !c->a20_masked, c->smm, c->activity == ACT_HALTED);
    for (unsigned n = 0; n < SEG_COUNT; n++) print_seg(out, seg_name[n], &c->seg[n]);
    print_seg(out, "ldt", &c->ldtr);
    print_seg(out, "tr", &c->tr);
    fprintf(out, "GDT=     %08x %08x\n", (uint32_t)c->gdtr.base, c->gdtr.limit);
    fprintf(out, "IDT=     %08x %08x\n", (uint32_t)c->idtr.base, c->idtr.limit);
    fprintf(out, "CR0=%08x CR2=%08x CR3=%08x CR4=%08x\n", c->cr0, (uint32_t)c->cr2, (uint32_t)c->cr3, c->cr4);
    fprintf(out, "DR0=%08x DR1=%08x DR2=%08x DR3=%08x \n", (uint32_t)c->dr[0], (uint32_t)c->dr[1], (uint32_t)c->dr[2],
            (uint32_t)c->dr[3]);
    fprintf(out, "DR6=%08x DR7=%08x\n", (uint32_t)c->dr[6], (uint32_t)c->dr[7]);
    fprintf(out, "EFER=%016" PRIx64 "\n", c->efer);
    fprintf(out, "FCW=%04x FSW=%04x [ST=%u] FTW=%02x MXCSR=%08x\n", c->fcw, (unsigned)c->fsw | (unsigned)c->ftop << 11, c->ftop,
            c->ftag, c->mxcsr);
    for (unsigned n = 0; n < 8; n++) {
        const struct f80 *st = &c->st[(c->ftop + n) & 7];
        fprintf(out, "FPR%u=%016" PRIx64 " %04x%c", n, st->mant, (unsigned)st->se, n & 1 ? '\n' : ' ');
    }
    for (unsigned n = 0; n < 8; n++)
        fprintf(out, "XMM%02u=%016" PRIx64 "%016" PRIx64 "%c", n, c->xmm[n].q[1], c->xmm[n].q[0], n & 1 ? '\n' : ' ');
}

/* ---- page tables */

/* The next page that is mapped at or after *linear; false if there is none. */
static bool next_page(struct cpu *c, uint64_t *linear, struct xlate *x)
{
    while (*linear >> 32 == 0) {
        if (paging_peek(c, *linear, x)) return true;
        *linear = (*linear | ((1ull << x->page_shift) - 1)) + 1;
    }
    return false;
}

static bool paging_off(const struct cpu *c, FILE *out)
{
    if (c->cr0 & CR0_PG) return false;
    fprintf(out, "PG disabled\n");
    return true;
}

static void print_stretch(FILE *out, uint64_t start, uint64_t end, const struct xlate *x)
{
    fprintf(out, "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %cr%c\n", start, end, end - start, x->user ? 'u' : '-',
            x->writable ? 'w' : '-');
}

static void print_mem(struct cpu *c, FILE *out)
{
    struct xlate x, open = { .page_shift = 0 };
    uint64_t start = 0, end = 0;
    if (paging_off(c, out)) return;
    for (uint64_t at = 0; next_page(c, &at, &x);) {
        if (at != end || x.user != open.user || x.writable != open.writable) {
            if (end != start) print_stretch(out, start, end, &open);
            start = at;
            open = x;
        }
        at = end = (at | ((1ull << x.page_shift) - 1)) + 1;
    }
    if (end != start) print_stretch(out, start, end, &open);
}

/* The letters are QEMU's: no execution, global, large, dirty, accessed, cache disabled, write-through, user, writable. */
static void print_tlb(struct cpu *c, FILE *out)
{
    struct xlate x;
    if (paging_off(c, out)) return;
    for (uint64_t at = 0; next_page(c, &at, &x); at += 1ull << x.page_shift) {
        static const struct { char letter; unsigned bit; } flag[] = { { 'D', 6 }, { 'A', 5 }, { 'C', 4 }, { 'T', 3 } };
        fprintf(out, "%016" PRIx64 ": %016" PRIx64 " %c%c%c", at, x.phys, x.nx ? 'X' : '-', x.global ? 'G' : '-',
                x.page_shift > 12 ? 'P' : '-');
        for (unsigned n = 0; n < 4; n++) fputc(x.bits >> flag[n].bit & 1 ? flag[n].letter : '-', out);
        fprintf(out, "%c%c\n", x.user ? 'U' : '-', x.writable ? 'W' : '-');
    }
}

/* ---- descriptor tables */

static const char *const system_type[16] = {
    "reserved", "available 16-bit TSS", "LDT", "busy 16-bit TSS", "16-bit call gate", "task gate", "16-bit interrupt gate",
    "16-bit trap gate", "reserved", "available 32-bit TSS", "reserved", "busy 32-bit TSS", "32-bit call gate", "reserved",
    "32-bit interrupt gate", "32-bit trap gate",
};

static bool is_gate(unsigned type) { return (type & 4) != 0 && type != 13; }

static void print_gate(FILE *out, const struct desc *d)
{
    fprintf(out, "%s %04x", system_type[desc_type(d)], gate_sel(d));
    if (desc_type(d) != SYS_TASK_GATE) fprintf(out, ":%08x", gate_offset(d));
    if ((desc_type(d) & 7) == SYS_CALL16) fprintf(out, ", %u words", d->hi & 31);
}

static void print_code_or_data(FILE *out, const struct desc *d)
{
    const bool big = d->attr & SEG_D;
    if (desc_code(d))
        fprintf(out, ", %s-bit code%s%s", big ? "32" : "16", d->attr & SEG_READABLE ? ", readable" : "",
                d->attr & SEG_CONFORMING ? ", conforming" : "");
    else
        fprintf(out, ", %sdata%s%s", d->attr & SEG_WRITABLE ? "" : "read-only ",
                d->attr & SEG_EXPAND_DOWN ? ", expands down" : "", big ? ", 32-bit stack" : "");
    if (d->attr & SEG_ACCESSED) fprintf(out, ", accessed");
}

static void print_descriptor(FILE *out, unsigned name, const char *format, const struct desc *d)
{
    fprintf(out, format, name);
    if (desc_system(d) && is_gate(desc_type(d))) print_gate(out, d);
    else {
        const struct seg s = desc_seg(d, 0);
        fprintf(out, "base %08x limit %08x", (uint32_t)s.base, s.limit);
        if (desc_system(d)) fprintf(out, ", %s", system_type[desc_type(d)]);
        else print_code_or_data(out, d);
    }
    fprintf(out, ", DPL %u%s\n", desc_dpl(d), desc_present(d) ? "" : ", not present");
}

/* Entries of 8 bytes that are not all zero. An entry's name is its number times `step`. */
static void print_table(struct cpu *c, FILE *out, uint64_t base, uint32_t limit, unsigned step, const char *format)
{
    for (uint32_t off = 0; off + 7 <= limit && off < 0x10000; off += 8) {
        uint8_t raw[8];
        if (cpu_peek(c, base + off, raw, 8) != 8) {
            fprintf(out, format, off / 8 * step);
            fprintf(out, "not mapped\n");
            return;
        }
        const struct desc d = { .lo = ld32(raw), .hi = ld32(raw + 4), .attr = ld32(raw + 4) >> 8 & 0xf0ff };
        if (d.lo | d.hi) print_descriptor(out, off / 8 * step, format, &d);
    }
}

static void print_gdt(struct cpu *c, FILE *out) { print_table(c, out, c->gdtr.base, c->gdtr.limit, 8, "%04x: "); }

static void print_ldt(struct cpu *c, FILE *out)
{
    if (sel_null(c->ldtr.sel)) fprintf(out, "LDTR is null\n");
    else print_table(c, out, c->ldtr.base, c->ldtr.limit, 8, "%04x: ");
}

static void print_idt(struct cpu *c, FILE *out)
{
    if (!cpu_real(c)) {
        print_table(c, out, c->idtr.base, c->idtr.limit, 1, "%02x: ");
        return;
    }
    for (unsigned n = 0; n < 256 && n * 4 + 3 <= c->idtr.limit; n++) {
        uint8_t raw[4];
        if (cpu_peek(c, c->idtr.base + n * 4, raw, 4) != 4) break;
        const bool last = n == 255 || n * 4 + 7 > c->idtr.limit;
        fprintf(out, "%02x: %04x:%04x%c", n, ld16(raw + 2), ld16(raw), n % 6 == 5 || last ? '\n' : ' ');
    }
}

static void print_tss(struct cpu *c, FILE *out)
{
    /* SDM vol. 3 fig. 7-2 and 7-10: words for the 16-bit one, dwords for the other, whose I/O map is at byte 66h. */
    static const char *const name16[] = { "link", "SP0", "SS0", "SP1", "SS1", "SP2", "SS2", "IP", "FLAGS", "AX", "CX", "DX", "BX",
                                          "SP", "BP", "SI", "DI", "ES", "CS", "SS", "DS", "LDT" };
    static const char *const name32[] = { "link", "ESP0", "SS0", "ESP1", "SS1", "ESP2", "SS2", "CR3", "EIP", "EFLAGS", "EAX", "ECX",
                                          "EDX", "EBX", "ESP", "EBP", "ESI", "EDI", "ES", "CS", "SS", "DS", "FS", "GS", "LDT" };
    const bool wide = c->tr.attr & SYS_32;
    const unsigned fields = wide ? sizeof name32 / sizeof name32[0] : sizeof name16 / sizeof name16[0], size = wide ? 4 : 2;
    uint8_t raw[0x68];
    const size_t len = wide ? 0x68 : 44;
    fprintf(out, "TR=%04x base %08x limit %08x, %s\n", c->tr.sel, (uint32_t)c->tr.base, c->tr.limit,
            system_type[c->tr.attr & SEG_TYPE]);
    if (sel_null(c->tr.sel)) return;
    if (cpu_peek(c, c->tr.base, raw, len) != len) {
        fprintf(out, "not mapped\n");
        return;
    }
    for (unsigned n = 0; n < fields; n++)
        fprintf(out, "%6s=%0*" PRIx64 "%c", (wide ? name32 : name16)[n], (int)size * 2, ld_size(raw + n * size, size),
                n % 6 == 5 || n == fields - 1 ? '\n' : ' ');
    if (wide) fprintf(out, "I/O map at %04x%s\n", ld16(raw + 0x66), raw[0x64] & 1 ? ", debug trap on switch" : "");
}

bool cpu_print(struct cpu *c, const char *view, FILE *out)
{
    static const struct { const char *name; void (*print)(struct cpu *c, FILE *out); } views[] = {
        { "registers", print_registers }, { "mem", print_mem }, { "tlb", print_tlb }, { "gdt", print_gdt },
        { "ldt", print_ldt }, { "idt", print_idt }, { "tss", print_tss },
    };
    for (unsigned n = 0; n < sizeof views / sizeof views[0]; n++)
        if (strcmp(view, views[n].name) == 0) return views[n].print(c, out), true;
    return false;
}
