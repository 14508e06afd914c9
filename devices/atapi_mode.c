/* What a CD drive says of itself: IDENTIFY PACKET DEVICE, INQUIRY, mode pages, features, events. MMC-3 (T10/1363D),
 * SPC-2, ATA-6 8.16.
 *
 * The oddest behaviour: there are three ways to ask what a drive can do, each from another decade: mode page 2Ah, GET
 * CONFIGURATION, and the signature with IDENTIFY. Systems use all three and believe the one they know, so they must
 * agree. */
#include "devices/atapi_state.h"

#include <string.h>
#include "base/bytes.h"

enum { SPEED_MAX = 8467 };                               /* kB/s: 48 times 176.4 */

static const char vendor[8] = "BEIGE   ", product[16] = "DVD-ROM         ", revision[4] = "1.0 ";

static void put_swapped(uint8_t *buf, unsigned word, unsigned chars, const char *text, size_t len)
{
    for (unsigned i = 0; i < chars; i++) buf[2 * word + (i ^ 1)] = i < len ? (uint8_t)text[i] : ' ';
}

void atapi_identify(const struct atapi_cd *c, uint8_t *buf)
{
    static const char model[] = "BEIGE DVD-ROM";
    const unsigned mode = c->transfer_mode & 7;
    memset(buf, 0, 512);
    st16(buf, 0x85c0);                  /* packet device, CD-ROM, removable, DRQ 50 us after PACKET, 12-byte packets */
    put_swapped(buf, 10, 20, "BG-CD", 5);
    put_swapped(buf, 23, 8, revision, sizeof revision);
    put_swapped(buf, 27, 40, model, sizeof model - 1);
    st16(buf + 2 * 49, 0x0f00);         /* IORDY (may be disabled), LBA, DMA */
    st16(buf + 2 * 50, 0x4000);
    st16(buf + 2 * 51, 0x0200);
    st16(buf + 2 * 53, 0x0006);         /* words 64-70 and 88 are valid */
    st16(buf + 2 * 63, (uint16_t)(0x0007 | ((c->transfer_mode & 0xf8) == 0x20 ? 0x0100u << mode : 0)));
    st16(buf + 2 * 64, 0x0003);
    for (unsigned w = 65; w <= 68; w++) st16(buf + 2 * w, 120);
    st16(buf + 2 * 71, 30);             /* us from PACKET to bus release, and from SERVICE: never released */
    st16(buf + 2 * 72, 30);
    st16(buf + 2 * 80, 0x0078);         /* ATA/ATAPI-3 to -6 */
    st16(buf + 2 * 82, 0x0218);         /* DEVICE RESET, PACKET, power management */
    st16(buf + 2 * 83, 0x4000);
    st16(buf + 2 * 84, 0x4000);
    st16(buf + 2 * 85, 0x0218);
    st16(buf + 2 * 87, 0x4000);
    st16(buf + 2 * 88, (uint16_t)(0x003f | ((c->transfer_mode & 0xf8) == 0x40 ? 0x0100u << mode : 0)));
    st16(buf + 2 * 93, c->drive.unit ? 0x6b00 : 0x600b);
    buf[510] = 0xa5;
    uint8_t sum = 0;
    for (unsigned i = 0; i < 511; i++) sum = (uint8_t)(sum + buf[i]);
    buf[511] = (uint8_t)-sum;
}

void cmd_inquiry(struct atapi_cd *c)
{
    uint8_t *buf = c->drive.buf;
    if ((c->packet[1] & 1) || c->packet[2]) {            /* no vital product data */
        atapi_invalid_field(c);
        return;
    }
    memset(buf, 0, 36);
    buf[0] = 0x05;                                       /* CD/DVD */
    buf[1] = 0x80;                                       /* removable */
    buf[3] = 0x21;                                       /* ATAPI version 2, response format 1 */
    buf[4] = 31;
    memcpy(buf + 8, vendor, sizeof vendor);
    memcpy(buf + 16, product, sizeof product);
    memcpy(buf + 32, revision, sizeof revision);
    atapi_reply(c, 36, ld16be(c->packet + 3));
}

/* ---- mode pages */

static const uint8_t default_recovery[MODE_RECOVERY_LEN] = { 0, 5 };             /* retries */
/* Immediate; 75 blocks a second; port 0 is the left channel and port 1 the right, at full volume. */
static const uint8_t default_audio[MODE_AUDIO_LEN] = { 0x04, 0, 0, 0, 0, 75, 1, 0xff, 2, 0xff };

void atapi_mode_defaults(struct atapi_cd *c)
{
    memcpy(c->recovery, default_recovery, sizeof c->recovery);
    memcpy(c->audio, default_audio, sizeof c->audio);
    c->speed = SPEED_MAX;
}

enum { VALUES_CURRENT, VALUES_CHANGEABLE, VALUES_DEFAULT, VALUES_SAVED };

static uint8_t *put_capabilities(const struct atapi_cd *c, uint8_t *p, unsigned values)
{
    memset(p, 0, 20);
    p[0] = 0x2a;
    p[1] = 18;
    if (values == VALUES_CHANGEABLE) return p + 20;
    p[2] = 0x3f;                                         /* reads CD-R, CD-RW, method 2, DVD-ROM, DVD-R, DVD-RAM */
    p[4] = 0x70;                                         /* mode 2 form 1 and 2, multisession */
    p[6] = (uint8_t)(0x29 | (c->locked ? 0x02 : 0));     /* tray, ejects, locks */
    st16be(p + 8, SPEED_MAX);
    st16be(p + 12, 512);                                 /* KiB of buffer */
    st16be(p + 14, c->speed);
    return p + 20;
}

/* Appends one page; p unchanged if there is no such page. */
static uint8_t *put_page(const struct atapi_cd *c, uint8_t *p, unsigned page, unsigned values)
{
    switch (page) {
    case 0x01:
        p[0] = 0x01;
        p[1] = MODE_RECOVERY_LEN;
        if (values == VALUES_CHANGEABLE) memset(p + 2, 0xff, MODE_RECOVERY_LEN);
        else memcpy(p + 2, values == VALUES_DEFAULT ? default_recovery : c->recovery, MODE_RECOVERY_LEN);
        return p + 2 + MODE_RECOVERY_LEN;
    case 0x0e:
        p[0] = 0x0e;
        p[1] = MODE_AUDIO_LEN;
        if (values == VALUES_CHANGEABLE) {
            memset(p + 2, 0, MODE_AUDIO_LEN);
            memset(p + 8, 0xff, 4);                      /* channels and volumes of two ports */
        } else {
            memcpy(p + 2, values == VALUES_DEFAULT ? default_audio : c->audio, MODE_AUDIO_LEN);
        }
        return p + 2 + MODE_AUDIO_LEN;
    case 0x0d:                                           /* CD: 60 seconds, 75 frames */
        memset(p, 0, 8);
        p[0] = 0x0d;
        p[1] = 6;
        if (values != VALUES_CHANGEABLE) {
            p[5] = 60;
            p[7] = 75;
        }
        return p + 8;
    case 0x2a:
        return put_capabilities(c, p, values);
    default:
        return p;
    }
}

void cmd_mode_sense(struct atapi_cd *c)
{
    static const uint8_t pages[] = { 0x01, 0x0d, 0x0e, 0x2a };
    bool ten = c->packet[0] == 0x5a;
    uint8_t *buf = c->drive.buf, *start = buf + (ten ? 8 : 4), *p = start;
    unsigned page = c->packet[2] & 0x3f, values = c->packet[2] >> 6;
    if (values == VALUES_SAVED) {
        atapi_fail(c, SENSE_ILLEGAL_REQUEST, 0x39, 0);   /* saving parameters not supported */
        return;
    }
    for (unsigned i = 0; i < sizeof pages; i++)
        if (page == 0x3f || page == pages[i]) p = put_page(c, p, pages[i], values);
    if (p == start) {
        atapi_invalid_field(c);
        return;
    }
    memset(buf, 0, (size_t)(start - buf));
    uint8_t medium = c->tray_open ? 0x71 : atapi_disc_ready(c) ? 0x01 : 0x70;
    if (ten) {
        st16be(buf, (uint16_t)(p - buf - 2));
        buf[2] = medium;
    } else {
        buf[0] = (uint8_t)(p - buf - 1);
        buf[1] = medium;
    }
    atapi_reply(c, (uint32_t)(p - buf), ten ? ld16be(c->packet + 7) : c->packet[4]);
}

/* Takes the pages of a parameter list; false if one is unknown or of a wrong length. */
static bool select_pages(struct atapi_cd *c, const uint8_t *p, uint32_t len)
{
    while (len >= 2) {
        uint32_t n = 2u + p[1];
        if (n > len) return false;
        switch (p[0] & 0x3f) {
        case 0x01:
            if (p[1] < MODE_RECOVERY_LEN) return false;
            memcpy(c->recovery, p + 2, MODE_RECOVERY_LEN);
            break;
        case 0x0e:
            if (p[1] != MODE_AUDIO_LEN) return false;
            memcpy(c->audio + 6, p + 8, 4);
            break;
        case 0x0d:
        case 0x2a:
            break;                                       /* nothing in them can be changed */
        default:
            return false;
        }
        p += n;
        len -= n;
    }
    return len == 0;
}

void cmd_mode_select(struct atapi_cd *c)
{
    const uint8_t *buf = c->drive.buf;
    bool ten = c->packet[0] == 0x55;
    uint32_t len = ten ? ld16be(c->packet + 7) : c->packet[4], header = ten ? 8 : 4;
    if (c->packet[1] & 1) {                              /* save pages */
        atapi_invalid_field(c);
        return;
    }
    if (c->work != CD_SELECT) {
        if (len) atapi_take_parameters(c, len);
        else atapi_good(c);
        return;
    }
    len = c->drive.buf_len;
    if (len < header) {
        atapi_fail(c, SENSE_ILLEGAL_REQUEST, 0x1a, 0);   /* parameter list length error */
        return;
    }
    uint32_t skip = header + (ten ? ld16be(buf + 6) : buf[3]);      /* block descriptors */
    if (skip > len || !select_pages(c, buf + skip, len - skip)) atapi_fail(c, SENSE_ILLEGAL_REQUEST, 0x26, 0);
    else atapi_good(c);
}

/* ---- features */

struct feature { uint16_t code; bool persistent, current; uint8_t len; uint8_t data[8]; };

static uint8_t *put_feature(uint8_t *p, const struct feature *f)
{
    st16be(p, f->code);
    p[2] = (uint8_t)((f->persistent ? 2 : 0) | (f->current ? 1 : 0));
    p[3] = f->len;
    memcpy(p + 4, f->data, f->len);
    return p + 4 + f->len;
}

void cmd_get_configuration(struct atapi_cd *c)
{
    uint8_t *buf = c->drive.buf, *p = buf + 8;
    unsigned start = ld16be(c->packet + 2), type = c->packet[1] & 3;
    bool disc = atapi_disc_ready(c), dvd = disc && atapi_is_dvd(c), cd = disc && !dvd;
    const uint8_t blocking = dvd ? 16 : 1;
    const struct feature features[] = {
        { 0x0000, true, true, 8, { 0x00, 0x10, dvd, 0, 0x00, 0x08, cd, 0 } },     /* profiles: DVD-ROM, CD-ROM */
        { 0x0001, true, true, 4, { 0, 0, 0, 2 } },                                /* core: ATAPI */
        { 0x0002, true, true, 4, { 0 } },                                         /* morphing: polled events */
        { 0x0003, true, true, 4, { 0x29, 0, 0, 0 } },                             /* tray, ejects, locks */
        { 0x0010, false, disc, 8, { 0, 0, 0x08, 0, 0, blocking, 0, 0 } },         /* random readable, 2048 */
        { 0x001e, false, cd, 0, { 0 } },                                          /* CD read */
        { 0x001f, false, dvd, 0, { 0 } },                                         /* DVD read */
        { 0x0100, true, true, 0, { 0 } },                                         /* power management */
        { 0x0105, true, true, 0, { 0 } },                                         /* time-out */
    };
    if (type == 3) {
        atapi_invalid_field(c);
        return;
    }
    for (unsigned i = 0; i < sizeof features / sizeof features[0]; i++) {
        bool wanted = type == 2 ? features[i].code == start
                                : features[i].code >= start && (type == 0 || features[i].current);
        if (wanted) p = put_feature(p, &features[i]);
    }
    st32be(buf, (uint32_t)(p - buf - 4));
    st16be(buf + 4, 0);
    st16be(buf + 6, dvd ? 0x0010 : cd ? 0x0008 : 0);     /* current profile */
    atapi_reply(c, (uint32_t)(p - buf), ld16be(c->packet + 7));
}

/* ---- events and the mechanism */

void cmd_get_event_status(struct atapi_cd *c)
{
    enum { CLASS_MEDIA = 4 };
    uint8_t *buf = c->drive.buf;
    if (!(c->packet[1] & 1)) {                           /* asynchronous operation is not supported */
        atapi_invalid_field(c);
        return;
    }
    memset(buf, 0, 8);
    buf[3] = 1 << CLASS_MEDIA;                           /* classes there are */
    if (!(c->packet[4] & 1 << CLASS_MEDIA)) {
        st16be(buf, 2);
        buf[2] = 0x80;                                   /* no event of the classes asked for */
        atapi_reply(c, 4, ld16be(c->packet + 7));
        return;
    }
    st16be(buf, 6);
    buf[2] = CLASS_MEDIA;
    buf[4] = c->event;
    buf[5] = (uint8_t)((c->tray_open ? 1 : 0) | (atapi_disc_ready(c) ? 2 : 0));
    if (ld16be(c->packet + 7) > 4) c->event = EVENT_NONE;    /* reading it takes it away */
    atapi_reply(c, 8, ld16be(c->packet + 7));
}

void cmd_mechanism_status(struct atapi_cd *c)
{
    uint8_t *buf = c->drive.buf;
    memset(buf, 0, 8);
    buf[1] = c->tray_open ? 0x10 : 0;
    buf[2] = (uint8_t)(c->last_lba >> 16);
    buf[3] = (uint8_t)(c->last_lba >> 8);
    buf[4] = (uint8_t)c->last_lba;
    atapi_reply(c, 8, ld16be(c->packet + 8));
}

void cmd_set_cd_speed(struct atapi_cd *c)
{
    uint16_t speed = ld16be(c->packet + 2);
    c->speed = speed > SPEED_MAX || speed == 0 ? SPEED_MAX : speed;
    atapi_good(c);
}
