/* The inside of an ATAPI CD drive, shared by atapi_cd.c (packets, data, the disc), atapi_mmc.c (what the disc and its
 * tracks are) and atapi_mode.c (what the drive is). Not for others: they use atapi_cd.h. */
#ifndef DEVICES_ATAPI_STATE_H
#define DEVICES_ATAPI_STATE_H

#include "devices/atapi_cd.h"
#include "devices/atapi_sector.h"

enum { PACKET = 12 };
enum { MODE_RECOVERY_LEN = 6, MODE_AUDIO_LEN = 14 };

enum sense_key { SENSE_NONE = 0, SENSE_NOT_READY = 2, SENSE_ILLEGAL_REQUEST = 5, SENSE_UNIT_ATTENTION = 6 };
enum media_event { EVENT_NONE, EVENT_EJECT_REQUEST, EVENT_NEW_MEDIA, EVENT_MEDIA_REMOVAL };
enum { ATTENTION_RESET = 1, ATTENTION_MEDIUM = 2 };
/* Parts of a raw sector, in READ CD's byte 9. */
enum { PART_SYNC = 0x80, PART_HEADER = 0x20, PART_DATA = 0x10, PART_EDC = 0x08 };

enum cd_work { CD_NONE, CD_PACKET, CD_REPLY, CD_READ, CD_SELECT, CD_WORKS };

struct atapi_cd {
    struct ata_drive drive;
    uint64_t data_len;                         /* bytes of the command's data */
    uint64_t moved;                            /* between medium and buffer (or host, with DMA) so far */
    uint32_t lba;                              /* first block of the read */
    uint32_t byte_limit;                       /* largest DRQ block, even */
    uint32_t last_lba;                         /* where the head is */
    uint8_t packet[PACKET];
    uint8_t work;                              /* enum cd_work */
    uint8_t parts;                             /* of each sector that a read wants */
    bool dma;
    uint8_t key, asc, ascq;                    /* sense data of the last command */
    uint8_t attention;
    uint8_t event;                             /* enum media_event */
    bool tray_open, locked;
    bool keep_settings;
    uint8_t transfer_mode;
    uint16_t speed;                            /* kB/s, as SET CD SPEED left it */
    uint8_t recovery[MODE_RECOVERY_LEN];       /* mode page 01h without its header */
    uint8_t audio[MODE_AUDIO_LEN];             /* 0Eh */
    uint8_t unused[6];
};

/* Ends of a packet command; each command does one. */
void atapi_good(struct atapi_cd *c);
void atapi_fail(struct atapi_cd *c, enum sense_key key, uint8_t asc, uint8_t ascq);
/* drive.buf holds len bytes: sends as many as the host allows for. */
void atapi_reply(struct atapi_cd *c, uint32_t len, uint32_t allocated);
/* Takes a parameter list of so many bytes; then the command is called again with drive.buf_len set (work CD_SELECT). */
void atapi_take_parameters(struct atapi_cd *c, uint32_t len);

static inline void atapi_invalid_field(struct atapi_cd *c) { atapi_fail(c, SENSE_ILLEGAL_REQUEST, 0x24, 0); }

/* Blocks of 2048 bytes; 0 without a readable disc. The last may be partial in the image; it ends in zeros. */
uint32_t atapi_blocks(const struct atapi_cd *c);
bool atapi_disc_ready(const struct atapi_cd *c);
/* Larger than any CD: then it is a DVD. */
bool atapi_is_dvd(const struct atapi_cd *c);
uint32_t atapi_part_bytes(uint8_t parts);

/* Commands that answer from what is known; table in atapi_cd.c. */
void cmd_read_toc(struct atapi_cd *c);
void cmd_read_subchannel(struct atapi_cd *c);
void cmd_read_header(struct atapi_cd *c);
void cmd_read_disc_information(struct atapi_cd *c);
void cmd_read_track_information(struct atapi_cd *c);
void cmd_read_dvd_structure(struct atapi_cd *c);
void cmd_inquiry(struct atapi_cd *c);
void cmd_mode_sense(struct atapi_cd *c);
void cmd_mode_select(struct atapi_cd *c);
void cmd_get_configuration(struct atapi_cd *c);
void cmd_get_event_status(struct atapi_cd *c);
void cmd_mechanism_status(struct atapi_cd *c);
void cmd_set_cd_speed(struct atapi_cd *c);

void atapi_identify(const struct atapi_cd *c, uint8_t *buf);
void atapi_mode_defaults(struct atapi_cd *c);

#endif
