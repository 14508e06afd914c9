/* Bytes, and integers in guest byte order. The guest is little-endian and may be unaligned; the host may be neither.
 * All are pure and may be called from any thread. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define HOST_BIG_ENDIAN 1
static inline uint16_t bytes_le16(uint16_t v) { return __builtin_bswap16(v); }
static inline uint32_t bytes_le32(uint32_t v) { return __builtin_bswap32(v); }
static inline uint64_t bytes_le64(uint64_t v) { return __builtin_bswap64(v); }
#else
#define HOST_BIG_ENDIAN 0
static inline uint16_t bytes_le16(uint16_t v) { return v; }
static inline uint32_t bytes_le32(uint32_t v) { return v; }
static inline uint64_t bytes_le64(uint64_t v) { return v; }
#endif

static inline uint16_t ld16(const void *p) { uint16_t v; memcpy(&v, p, 2); return bytes_le16(v); }
static inline uint32_t ld32(const void *p) { uint32_t v; memcpy(&v, p, 4); return bytes_le32(v); }
static inline uint64_t ld64(const void *p) { uint64_t v; memcpy(&v, p, 8); return bytes_le64(v); }
static inline void st16(void *p, uint16_t v) { v = bytes_le16(v); memcpy(p, &v, 2); }
static inline void st32(void *p, uint32_t v) { v = bytes_le32(v); memcpy(p, &v, 4); }
static inline void st64(void *p, uint64_t v) { v = bytes_le64(v); memcpy(p, &v, 8); }

static inline uint16_t ld16be(const void *p) { return __builtin_bswap16(ld16(p)); }
static inline uint32_t ld32be(const void *p) { return __builtin_bswap32(ld32(p)); }
static inline uint64_t ld64be(const void *p) { return __builtin_bswap64(ld64(p)); }
static inline void st16be(void *p, uint16_t v) { st16(p, __builtin_bswap16(v)); }
static inline void st32be(void *p, uint32_t v) { st32(p, __builtin_bswap32(v)); }
static inline void st64be(void *p, uint64_t v) { st64(p, __builtin_bswap64(v)); }

/* Little-endian integer of `size` (1, 2, 4 or 8) bytes. */
static inline uint64_t ld_size(const void *p, unsigned size)
{
    switch (size) {
    case 1: return *(const uint8_t *)p;
    case 2: return ld16(p);
    case 4: return ld32(p);
    default: return ld64(p);
    }
}

static inline void st_size(void *p, uint64_t v, unsigned size)
{
    switch (size) {
    case 1: *(uint8_t *)p = (uint8_t)v; return;
    case 2: st16(p, (uint16_t)v); return;
    case 4: st32(p, (uint32_t)v); return;
    default: st64(p, v); return;
    }
}

/* All ones in the low `size` (1 to 8) bytes: what an unclaimed bus cycle reads. */
static inline uint64_t ones(unsigned size) { return size >= 8 ? ~0ull : (1ull << (8 * size)) - 1; }

/* Nothing but zeros; so are no bytes at all. */
static inline bool bytes_are_zero(const uint8_t *p, size_t len)
{
    return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

#endif
