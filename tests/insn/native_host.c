/* The host's side of `native`: runs cases on the processor itself. A process of its own, because a case may jump and
 * write anywhere below 4 GiB.
 *
 *   native_host MEMORY COMMANDS ANSWERS      (file descriptors: struct batch, a byte in, a byte out)
 *
 * A case is entered by IRETQ into a 32-bit (or, through the LDT, 16-bit) code segment with TF set, so that the trap comes
 * after exactly one instruction. Trap and faults alike arrive as signals, whose context has all registers, the vector, the
 * error code and CR2. The handler runs on a stack of its own and leaves by a jump, never by sigreturn. The oddest part is
 * that IRETQ to a 16-bit stack segment leaves bits 16 to 31 of its own RSP in ESP: the frame stands at an address with the
 * same bits there as the window. */
#define _GNU_SOURCE
#include "tests/insn/native.h"

#include <asm/ldt.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define FRAME_PAGE (0x100000000ull + WINDOW)       /* bits 16 to 31 as in WINDOW */
enum { FL_TF = 0x100, STACK = 65536 };

/* What enter_case and catch_signal address from assembly. */
struct entry { uint64_t rsp, fs_base; struct image *in; uint16_t seg[6]; };
struct entry judge_entry __attribute__((visibility("hidden")));
static struct image *judge_out;

void enter_case(uint64_t *frame_end) __attribute__((visibility("hidden")));
void catch_signal(int sig, siginfo_t *info, void *context) __attribute__((visibility("hidden")));
void leave_case(void) __attribute__((visibility("hidden"), noreturn));
void signal_body(int sig, siginfo_t *info, ucontext_t *u) __attribute__((visibility("hidden"), noreturn, used));

#define OFF_R 512
_Static_assert(offsetof(struct image, r) == OFF_R, "enter_case knows the layout");
_Static_assert(offsetof(struct image, seg) == 552, "enter_case knows the layout");
__asm__(
    ".text\n"
    "enter_case:\n"
    "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "  mov %rsp, judge_entry(%rip)\n"
    "  mov judge_entry+16(%rip), %r8\n"
    "  fxrstor (%r8)\n"
    "  mov %rdi, %rsp\n"                          /* EIP, CS, EFLAGS, ESP, SS */
    "  mov 552(%r8), %es\n  mov 558(%r8), %ds\n  mov 560(%r8), %fs\n  mov 562(%r8), %gs\n"
    "  mov 512(%r8), %eax\n  mov 516(%r8), %ecx\n  mov 520(%r8), %edx\n  mov 524(%r8), %ebx\n"
    "  mov 532(%r8), %ebp\n  mov 536(%r8), %esi\n  mov 540(%r8), %edi\n"
    "  iretq\n"
    "leave_case:\n"
    "  mov judge_entry(%rip), %rsp\n"
    "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "  cld\n"
    "  ret\n"
    "catch_signal:\n"
    "  pushfq; andl $~0x44000, (%rsp); popfq\n"    /* AC and NT are still the case's */
    "  mov %es, judge_entry+24(%rip)\n  mov %ds, judge_entry+30(%rip)\n"
    "  mov %fs, judge_entry+32(%rip)\n  mov %gs, judge_entry+34(%rip)\n"
    "  xor %eax, %eax\n  mov %eax, %ds\n  mov %eax, %es\n  mov %eax, %fs\n  mov %eax, %gs\n"
    "  mov judge_entry+8(%rip), %rax\n"
    "  wrfsbase %rax\n"
    "  and $-16, %rsp\n"
    "  call signal_body\n");
_Static_assert(offsetof(struct entry, fs_base) == 8 && offsetof(struct entry, in) == 16 && offsetof(struct entry, seg) == 24,
               "the assembly knows the layout");

void signal_body(int sig, siginfo_t *info, ucontext_t *u)
{
    static const uint8_t gpr[8] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI };
    const greg_t *g = u->uc_mcontext.gregs;
    struct image *o = judge_out;
    (void)info;
    if (sig == SIGALRM || !o) _exit(3);
    memcpy(o->fx, u->uc_mcontext.fpregs, sizeof o->fx);
    for (unsigned n = 0; n < 8; n++) o->r[n] = (uint32_t)g[gpr[n]];
    o->eip = (uint32_t)g[REG_RIP];
    o->eflags = (uint32_t)g[REG_EFL];
    memcpy(o->seg, judge_entry.seg, sizeof o->seg);
    o->seg[N_CS] = (uint16_t)g[REG_CSGSFS];
    o->seg[N_SS] = (uint16_t)(g[REG_CSGSFS] >> 48);
    o->vector = (uint32_t)g[REG_TRAPNO];
    o->error = o->vector == 14 || (o->vector >= 10 && o->vector <= 13) ? (uint32_t)g[REG_ERR] : 0;
    o->cr2 = o->vector == 14 ? (uint32_t)g[REG_CR2] : 0;
    if (o->vector == 1) o->vector = NO_VECTOR;
    leave_case();
}

struct host {
    struct batch *b;
    uint8_t *window, *code;                       /* code: where the code pages can be written */
    uint8_t *data;
    uint64_t *frame;
};

static void *map(uint64_t at, size_t size, int prot, int flags, int fd, off_t off)
{
    void *p = mmap((void *)at, size, prot, flags, fd, off);
    if (p == MAP_FAILED) _exit(4);
    return p;
}

static void build_window(struct host *h)
{
    int fd = memfd_create("window", 0);
    if (fd < 0 || ftruncate(fd, WINDOW_SIZE)) _exit(4);
    const int here = MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE;
    h->data = map(WINDOW + DATA, DATA_SIZE, PROT_READ | PROT_WRITE, here, fd, DATA);
    map(WINDOW + CONSTANT, PAGE, PROT_READ, here, fd, CONSTANT);
    map(WINDOW + CODE, CODE_SIZE, PROT_READ | PROT_EXEC, here, fd, CODE);
    h->window = map(0, WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    h->code = h->window + CODE;
    h->frame = map(FRAME_PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE,
                   -1, 0);
    memset(h->code, 0x90, CODE_SIZE);
    memcpy(h->data, h->b->data, DATA_SIZE);
    memcpy(h->window + CONSTANT, h->b->constant, PAGE);
}

static bool build_ldt(struct batch *b)
{
    static const struct ldt_row rows[LDT_COUNT] = LDT_ROWS;
    for (unsigned n = 0; n < LDT_COUNT; n++) {
        struct user_desc d = { .entry_number = n, .base_addr = rows[n].base, .limit = rows[n].limit,
                               .seg_32bit = rows[n].d, .contents = rows[n].contents, .read_exec_only = rows[n].read_exec_only,
                               .limit_in_pages = rows[n].pages, .seg_not_present = rows[n].absent };
        if (syscall(SYS_modify_ldt, 0x11, &d, sizeof d)) return false;
    }
    for (unsigned n = 0; n < 32; n++) {
        uint32_t access = 0, limit = 0, sel = n << 3 | 3;
        __asm__("lar %1, %0" : "+r"(access) : "r"(sel));
        __asm__("lsl %1, %0" : "+r"(limit) : "r"(sel));
        b->access[n] = access;
        b->limit[n] = limit;
    }
    return true;
}

static void run_case(struct host *h, struct test_case *t)
{
    struct image *in = &t->in;
    uint8_t *code = h->code + (in->eip + (in->seg[N_CS] == SEL_CODE ? 0 : WINDOW) - WINDOW - CODE);
    unsigned room = (unsigned)(h->code + CODE_SIZE - code), len = t->len < room ? t->len : room;
    for (unsigned n = 0; n < PATCHES; n++) memcpy(h->data + t->patch[n].at, t->patch[n].bytes, t->patch[n].len);
    memcpy(code, t->bytes, len);

    uint64_t *f = h->frame + 256;
    f[0] = in->eip;
    f[1] = in->seg[N_CS];
    f[2] = in->eflags | FL_TF;
    f[3] = in->r[4];
    f[4] = in->seg[N_SS];
    judge_entry.in = in;
    judge_out = &t->host.image;
    enter_case(f);
    judge_out = NULL;

    memset(code, 0x90, len);
    struct outcome *o = &t->host;
    o->changes = 0;
    for (unsigned n = 0; n < PATCHES; n++) memcpy(h->b->data + t->patch[n].at, t->patch[n].bytes, t->patch[n].len);
    for (unsigned k = 0; k < DATA_SIZE; k += 64) {
        if (!memcmp(h->data + k, h->b->data + k, 64)) continue;
        for (unsigned j = k; j < k + 64; j += 4) {
            struct change c = { j, *(uint32_t *)(h->b->data + j), *(uint32_t *)(h->data + j) };
            if (c.value == c.before) continue;
            if (o->changes < CHANGES) o->change[o->changes] = c;
            o->changes++;
        }
    }
}

int main(int argc, char **argv)
{
    struct host h;
    if (argc != 4) return 2;
    int answers = atoi(argv[3]), commands = atoi(argv[2]);
    h.b = map(0, sizeof *h.b, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[1]), 0);
    uint8_t *original = malloc(DATA_SIZE);
    memcpy(original, h.b->data, DATA_SIZE);
    build_window(&h);
    cpu_set_t one;                            /* GDT entry 15 holds the number of the CPU */
    CPU_ZERO(&one);
    CPU_SET((unsigned)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
    bool ldt = build_ldt(h.b);

    void *stack = map(0, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    stack_t ss = { .ss_sp = stack, .ss_size = STACK };
    sigaltstack(&ss, NULL);
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGALRM };
    struct sigaction a = { .sa_sigaction = catch_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    for (unsigned n = 0; n < sizeof signals / sizeof signals[0]; n++) sigaction(signals[n], &a, NULL);
    __asm__("rdfsbase %0" : "=r"(judge_entry.fs_base));

    char c = ldt ? 'r' : 'n';
    if (write(answers, &c, 1) != 1) return 1;
    while (read(commands, &c, 1) == 1) {
        alarm(20);
        for (; h.b->next < h.b->count; h.b->next++) {
            struct test_case *t = &h.b->test[h.b->next];
            run_case(&h, t);
            /* Memory as it was, here and in the shared copy that the patches changed. */
            for (unsigned n = 0; n < PATCHES; n++) memcpy(h.b->data + t->patch[n].at, original + t->patch[n].at, t->patch[n].len);
            memcpy(h.data, original, DATA_SIZE);
        }
        alarm(0);
        if (write(answers, &c, 1) != 1) return 1;
    }
    return 0;
}
