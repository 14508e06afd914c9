/* What a CD drive says of its disc: table of contents, sub-channel, disc, tracks, DVD structures. MMC-3 (T10/1363D);
 * SFF-8020i rev 2.6 where old drivers want it.
 *
 * The oddest behaviour: an image is only the data of one track, so everything here follows from its length: one
 * session, one data track from block 0 to the lead-out. Anything longer than a CD is a DVD-ROM, and also answers READ
 * TOC, because drivers ask for it without looking at the kind of disc. */
#include "devices/atapi_state.h"

#include <string.h>
#include "base/bytes.h"

enum { CONTROL_DATA = 0x14, LEAD_OUT = 0xaa };          /* ADR 1, data track, digital copy prohibited */

/* Block address in the form the host asked for: binary, or minute-second-frame. */
static void put_address(uint8_t *p, uint32_t lba, bool msf)
{
    if (!msf) {
        st32be(p, lba);
        return;
    }
    p[0] = 0;
    cd_msf(lba, p + 1);
}

static uint8_t *put_toc_entry(uint8_t *p, uint8_t track, uint32_t lba, bool msf)
{
    p[0] = 0;
    p[1] = CONTROL_DATA;
    p[2] = track;
    p[3] = 0;
    put_address(p + 4, lba, msf);
    return p + 8;
}

/* One line of the lead-in's Q sub-channel, as READ TOC format 2 gives it. */
static uint8_t *put_raw_entry(uint8_t *p, uint8_t point, uint8_t m, uint8_t s, uint8_t f)
{
    const uint8_t e[11] = { 1, CONTROL_DATA, 0, point, 0, 0, 0, 0, m, s, f };
    memcpy(p, e, sizeof e);
    return p + sizeof e;
}

void cmd_read_toc(struct atapi_cd *c)
{
    uint8_t *buf = c->drive.buf, *p = buf + 4, out[3];
    bool msf = c->packet[1] & 2;
    /* SFF-8020i had the format in the top bits of byte 9, where old drivers still put it. */
    unsigned format = c->packet[2] & 0xf ? c->packet[2] & 0xf : c->packet[9] >> 6;
    uint8_t track = c->packet[6];
    buf[2] = buf[3] = 1;                                 /* first and last track (or session) */
    switch (format) {
    case 0:
        if (track > 1 && track != LEAD_OUT) {
            atapi_invalid_field(c);
            return;
        }
        if (track <= 1) p = put_toc_entry(p, 1, 0, msf);
        p = put_toc_entry(p, LEAD_OUT, atapi_blocks(c), msf);
        break;
    case 1:
        p = put_toc_entry(p, 1, 0, msf);
        break;
    case 2:
        cd_msf(atapi_blocks(c), out);
        p = put_raw_entry(p, 0xa0, 1, 0, 0);             /* first track; disc type CD-ROM */
        p = put_raw_entry(p, 0xa1, 1, 0, 0);             /* last track */
        p = put_raw_entry(p, 0xa2, out[0], out[1], out[2]);
        p = put_raw_entry(p, 1, 0, 2, 0);
        break;
    default:                                             /* PMA, ATIP, CD-TEXT: not on a pressed data disc */
        atapi_invalid_field(c);
        return;
    }
    st16be(buf, (uint16_t)(p - buf - 2));
    atapi_reply(c, (uint32_t)(p - buf), ld16be(c->packet + 7));
}

void cmd_read_subchannel(struct atapi_cd *c)
{
    uint8_t *buf = c->drive.buf;
    bool msf = c->packet[1] & 2;
    uint32_t len = 4;
    memset(buf, 0, 24);
    buf[1] = 0x15;                                       /* no audio status */
    if (c->packet[2] & 0x40) {
        buf[4] = c->packet[3];
        switch (c->packet[3]) {
        case 1:                                          /* current position */
            buf[5] = CONTROL_DATA;
            buf[6] = buf[7] = 1;
            put_address(buf + 8, c->last_lba, msf);
            put_address(buf + 12, c->last_lba, msf);
            if (msf) {                                   /* in the track, which starts at 00:00:00 */
                buf[13] = (uint8_t)(c->last_lba / (75 * 60));
                buf[14] = (uint8_t)(c->last_lba / 75 % 60);
                buf[15] = (uint8_t)(c->last_lba % 75);
            }
            len = 16;
            break;
        case 2:                                          /* catalogue number, ISRC: none recorded */
        case 3:
            if (c->packet[3] == 3) {
                buf[5] = CONTROL_DATA;
                buf[6] = 1;
            }
            len = 24;
            break;
        default:
            atapi_invalid_field(c);
            return;
        }
    }
    st16be(buf + 2, (uint16_t)(len - 4));
    atapi_reply(c, len, ld16be(c->packet + 7));
}

void cmd_read_header(struct atapi_cd *c)
{
    uint8_t *buf = c->drive.buf;
    uint32_t lba = ld32be(c->packet + 2);
    if (lba >= atapi_blocks(c)) {
        atapi_fail(c, SENSE_ILLEGAL_REQUEST, 0x21, 0);
        return;
    }
    memset(buf, 0, 8);
    buf[0] = 1;                                          /* data mode 1 */
    put_address(buf + 4, lba, c->packet[1] & 2);
    atapi_reply(c, 8, ld16be(c->packet + 7));
}

void cmd_read_disc_information(struct atapi_cd *c)
{
    uint8_t *buf = c->drive.buf;
    memset(buf, 0, 34);
    st16be(buf, 32);
    buf[2] = 0x0e;                                       /* complete session on a complete disc */
    buf[3] = buf[4] = buf[5] = buf[6] = 1;               /* first track, sessions, first and last track of the last */
    buf[7] = 0x20;                                       /* unrestricted use */
    memset(buf + 17, 0xff, 7);                           /* no lead-in and lead-out to be written */
    atapi_reply(c, 34, ld16be(c->packet + 7));
}

void cmd_read_track_information(struct atapi_cd *c)
{
    uint8_t *buf = c->drive.buf;
    uint32_t which = ld32be(c->packet + 2), blocks = atapi_blocks(c);
    bool ok;
    switch (c->packet[1] & 3) {
    case 0: ok = which < blocks; break;                  /* the track that holds a block */
    case 1: case 2: ok = which == 1; break;              /* a track, the first track of a session */
    default: ok = false; break;
    }
    if (!ok) {
        atapi_invalid_field(c);
        return;
    }
    memset(buf, 0, 36);
    st16be(buf, 34);
    buf[2] = buf[3] = 1;
    buf[5] = 0x04;                                       /* data track */
    buf[6] = 0x01;                                       /* mode 1 */
    st32be(buf + 24, blocks);
    atapi_reply(c, 36, ld16be(c->packet + 7));
}

/* Physical format, MMC-3 table 279. Data starts at physical sector 30000h. */
static void put_dvd_physical(const struct atapi_cd *c, uint8_t *p)
{
    uint32_t last = 0x030000 + atapi_blocks(c) - 1;
    memset(p, 0, 2048);
    p[0] = 0x01;                                         /* DVD-ROM book, version 1 */
    p[1] = 0x0f;                                         /* 120 mm, no maximum rate given */
    p[2] = 0x01;                                         /* one layer, read-only */
    p[5] = 0x03;
    p[9] = (uint8_t)(last >> 16);
    p[10] = (uint8_t)(last >> 8);
    p[11] = (uint8_t)last;
}

void cmd_read_dvd_structure(struct atapi_cd *c)
{
    uint8_t *buf = c->drive.buf;
    uint32_t len;
    if (!atapi_is_dvd(c)) {
        atapi_fail(c, SENSE_ILLEGAL_REQUEST, 0x30, 0x02);   /* cannot read medium: incompatible format */
        return;
    }
    memset(buf, 0, 4 + 2048);
    switch (c->packet[7]) {
    case 0x00:
        put_dvd_physical(c, buf + 4);
        len = 4 + 2048;
        break;
    case 0x01:                                           /* copyright: no protection, every region */
        len = 4 + 4;
        break;
    case 0x04:                                           /* manufacturing */
        len = 4 + 2048;
        break;
    default:
        atapi_invalid_field(c);
        return;
    }
    if (c->packet[6]) {                                  /* the disc has one layer */
        atapi_invalid_field(c);
        return;
    }
    st16be(buf, (uint16_t)(len - 2));
    atapi_reply(c, len, ld16be(c->packet + 8));
}
