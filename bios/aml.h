/* Writing AML, the byte code of ACPI's DSDT (ACPI specification 6.4, chapter 20).
 *
 * Calls come in the order of the ASL source: aml_device(a, "PCI0"); ...contents...; aml_end(a). A construct whose byte
 * length stands before its contents (scope, device, method, package, buffer, field) is opened by its function and
 * closed by aml_end, which puts the length in front. Operands follow operators, as in AML itself. Private to bios/. */
#ifndef BIOS_AML_H
#define BIOS_AML_H

#include <stddef.h>
#include <stdint.h>

enum { AML_DEPTH = 16 };
struct aml {
    uint8_t *data;                            /* free() it */
    size_t len, cap;
    size_t open[AML_DEPTH];                   /* where the contents of open constructs begin */
    unsigned depth;
};

enum aml_op {                                 /* operators and objects that need no length */
    AML_ZERO = 0x00, AML_ONE = 0x01, AML_LOCAL0 = 0x60, AML_LOCAL1 = 0x61, AML_ARG0 = 0x68, AML_STORE = 0x70,
    AML_AND = 0x7b, AML_OR = 0x7d, AML_CREATE_DWORD_FIELD = 0x8a, AML_LLESS = 0x95, AML_RETURN = 0xa4,
};
enum { AML_SPACE_IO = 1, AML_SPACE_PCI_CONFIG = 2 };

void aml_byte(struct aml *a, uint8_t b);
void aml_bytes(struct aml *a, const void *p, size_t n);
void aml_op(struct aml *a, enum aml_op op);
/* A name path: segments of up to four characters (padded with '_') between dots, with '\' or '^' in front. */
void aml_path(struct aml *a, const char *path);
void aml_int(struct aml *a, uint64_t v);
void aml_string(struct aml *a, const char *s);
/* EisaId("PNP0A03") */
void aml_eisa_id(struct aml *a, const char *id);

void aml_name(struct aml *a, const char *path);              /* Name (path, <next object>) */
void aml_name_int(struct aml *a, const char *path, uint64_t v);
void aml_op_region(struct aml *a, const char *path, uint8_t space, uint64_t offset, uint64_t len);

/* These are closed by aml_end. */
void aml_scope(struct aml *a, const char *path);
void aml_device(struct aml *a, const char *path);
void aml_processor(struct aml *a, const char *path, uint8_t id);
void aml_method(struct aml *a, const char *path, unsigned args);   /* Serialized */
void aml_package(struct aml *a, uint8_t elements);
void aml_if(struct aml *a);                                   /* followed by the predicate */
void aml_byte_field(struct aml *a, const char *region);       /* ByteAcc, NoLock, Preserve; then aml_field_bits */
void aml_end(struct aml *a);
void aml_field_bits(struct aml *a, const char *name, unsigned bits);   /* name NULL: skip; fewer than 64 bits */

/* ResourceTemplate () { ... }: descriptors between these two. */
void aml_resources(struct aml *a);
void aml_resources_end(struct aml *a);
void aml_res_io(struct aml *a, uint16_t base, uint8_t align, uint8_t len);
void aml_res_irq(struct aml *a, unsigned irq);                /* edge, active high, exclusive: an ISA interrupt */
void aml_res_dma(struct aml *a, unsigned channel);            /* compatible timing, 8-bit transfers */
void aml_res_interrupt(struct aml *a, const uint32_t *irq, uint8_t count);    /* level, active high, shared */
void aml_res_memory(struct aml *a, uint32_t base, uint32_t len);              /* fixed, read-write */
void aml_res_bus_range(struct aml *a, uint16_t first, uint16_t last);
void aml_res_io_range(struct aml *a, uint16_t first, uint16_t last);
void aml_res_memory_range(struct aml *a, uint32_t first, uint32_t last);

#endif
