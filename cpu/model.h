/* CPU models: rows of data. A feature selects handlers at decode time, so a quirk costs nothing in the hot path. */
#ifndef CPU_MODEL_H
#define CPU_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include "cpu/state.h"

enum cpu_level { LEVEL_8086, LEVEL_286, LEVEL_386, LEVEL_486, LEVEL_586, LEVEL_686, LEVEL_P4, LEVEL_X64 };

/* IA32_MISC_ENABLE, from the Pentium 4 on. */
enum { MISC_FAST_STRINGS = 1, MISC_NO_BTS = 1 << 11, MISC_NO_PEBS = 1 << 12, MISC_LIMIT_CPUID = 1 << 22 };

enum feature { /* what the instruction set and system registers have; names as CPUID flags where one exists */
    F_FPU, F_VME, F_DE, F_PSE, F_TSC, F_MSR, F_PAE, F_MCE, F_CX8, F_APIC, F_SEP, F_MTRR, F_PGE, F_MCA, F_CMOV, F_PAT,
    F_PSE36, F_CLFLUSH, F_MMX, F_FXSR, F_SSE, F_SSE2, F_SSE3, F_SYSCALL, F_NX, F_LM,
    F_CPUID, F_RDPMC, F_NOPL, F_UCODE, F_SMM, F_COUNT
};

struct model {
    const char *name, *title;
    enum cpu_level level;
    uint64_t features;                        /* 1 << enum feature */
    uint32_t family_model_stepping;           /* CPUID 1 EAX, and EDX at reset */
    const char *vendor;                       /* 12 characters */
    const char *brand;                        /* CPUID 80000002h.., or NULL */
    uint32_t cpuid_max;
    uint8_t phys_bits;                        /* 20, 24, 32, 36 */
    uint64_t tsc_hz;
    uint64_t rate;                            /* instructions a second */
    const uint32_t *cache_desc;               /* CPUID 2 words, or NULL */
    uint32_t brand_index;                     /* CPUID 1 EBX, low byte */
    uint32_t ucode;                           /* microcode revision, BIOS_SIGN_ID */
    uint32_t flags_fixed_one, flags_mask;     /* EFLAGS bits that exist and those that always read 1 */
};

/* Fills c->features from c->model: what the row has and the engine implements. At create and after a load. */
void model_derive(struct cpu *c);
/* CPUID 1 EDX (0) and ECX (1) for the features. */
uint32_t model_cpuid_bits(const struct cpu *c, unsigned word);

static inline bool cpu_has(const struct cpu *c, enum feature f) { return c->features[0] >> f & 1; }
static inline enum cpu_level cpu_level(const struct cpu *c) { return c->model->level; }
/* Bit 10 of DR7 is always 1 from the 486 on (captured from a 386EX: 0). */
static inline uint32_t dr7_fixed(const struct cpu *c) { return cpu_level(c) >= LEVEL_486 ? 0x400 : 0; }

/* Parses "pentium3,+sse2,-apic". The result is the static row, or a copy (*own, to be freed) if it was changed.
 * NULL and *e for an unknown name (names the nearest). */
const struct model *model_find(const char *spec, struct model **own, struct error *e);
extern const struct model models[];
extern const unsigned models_count;
#define MODEL_DEFAULT CPU_MODEL_DEFAULT

#endif
