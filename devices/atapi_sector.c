/* Raw CD sectors: sync, header, error detection and error correction around 2048 bytes. ECMA-130, clause 14 and annex
 * A.
 *
 * The oddest behaviour: the error correction is a product code over 16-bit words, high and low bytes coded apart.
 * Header, data and EDC are laid out as 24 rows of 43 words; P parity covers the columns, Q parity the diagonals of the
 * 26 rows that this makes, wrapping around. The code is over GF(2^8) with x^8+x^4+x^3+x^2+1 and roots 1 and alpha, so
 * two parity bytes a column follow from two sums. */
#include "devices/atapi_sector.h"

#include <string.h>
#include "base/bytes.h"

static uint8_t times_alpha(uint8_t v)
{
    return (uint8_t)(v << 1 ^ (v & 0x80 ? 0x1d : 0));
}

static uint8_t gf_mul(uint8_t a, uint8_t b)
{
    uint8_t r = 0;
    for (; b; b >>= 1, a = times_alpha(a))
        if (b & 1) r ^= a;
    return r;
}

/* Two parity bytes that make the sums of c[i] and of c[i] * alpha^(n-1-i) vanish over one line of the product code. */
static void line_parity(const uint8_t *base, unsigned start, unsigned step, unsigned n, unsigned wrap, uint8_t *p0,
                        uint8_t *p1)
{
    const uint8_t inverse_of_1_plus_alpha = 0xf4;
    uint8_t weighted = 0, sum = 0;
    for (unsigned i = 0, at = start; i < n; i++, at = (at + step) % wrap) {
        weighted = times_alpha(weighted ^ base[at]);
        sum ^= base[at];
    }
    *p0 = gf_mul(times_alpha(weighted) ^ sum, inverse_of_1_plus_alpha);
    *p1 = *p0 ^ sum;
}

/* CRC with x^32+x^31+x^16+x^15+x^4+x^3+x+1, least significant bit first (ECMA-130 14.3). */
static uint32_t edc(const uint8_t *p, unsigned n)
{
    uint32_t v = 0;
    while (n--) {
        v ^= *p++;
        for (unsigned i = 0; i < 8; i++) v = v >> 1 ^ (v & 1 ? 0xd8018001u : 0);
    }
    return v;
}

static uint8_t bcd(unsigned v)
{
    return (uint8_t)((v / 10 % 10) << 4 | v % 10);
}

void cd_msf(uint32_t lba, uint8_t msf[3])
{
    uint64_t frame = (uint64_t)lba + 150;
    msf[0] = (uint8_t)(frame / (75 * 60));
    msf[1] = (uint8_t)(frame / 75 % 60);
    msf[2] = (uint8_t)(frame % 75);
}

void cd_sector_complete(uint8_t raw[CD_RAW], uint32_t lba)
{
    uint8_t msf[3], *coded = raw + CD_HEADER_AT;
    enum { P_AT = 2076 - CD_HEADER_AT, Q_AT = 2248 - CD_HEADER_AT, ROW = 86, P_BYTES = 24 * ROW, Q_BYTES = 26 * ROW };
    memset(raw + 1, 0xff, 10);
    raw[0] = raw[11] = 0;
    cd_msf(lba, msf);
    for (unsigned i = 0; i < 3; i++) raw[12 + i] = bcd(msf[i]);
    raw[15] = 1;                                         /* mode 1 */
    st32(raw + CD_EDC_AT, edc(raw, CD_EDC_AT));
    memset(raw + 2068, 0, 8);
    for (unsigned i = 0; i < ROW; i++)
        line_parity(coded, i, ROW, 24, P_BYTES, &coded[P_AT + i], &coded[P_AT + ROW + i]);
    for (unsigned i = 0; i < 52; i++)
        line_parity(coded, (i / 2) * ROW + i % 2, ROW + 2, 43, Q_BYTES, &coded[Q_AT + i], &coded[Q_AT + 52 + i]);
}
