/* The disassembler. */
#include "cpu/decode.h"
#include "cpu/cpu.h"
unsigned cpu_disasm(const uint8_t *buf, size_t len, unsigned mode, uint64_t ip, char *text, size_t text_size)
{ (void)buf;(void)len;(void)mode;(void)ip; snprintf(text,text_size,"?"); return 1; }
