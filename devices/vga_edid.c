/* What the monitor says about itself: a VESA Enhanced EDID block, structure 1.3, 128 bytes, in the first bytes of BAR2 (where
 * bochs-drm looks for it). It prefers 1024x768 at 60 Hz and lists the sizes that fit 16 MiB at 32 bits a pixel. */
#include "devices/vga_chip.h"

/* EDID Standard release A, table 3.1. The checksum (the last byte) is added on reading. */
static const uint8_t edid[127] = {
    0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,     /* header */
    0x08, 0xe5,                                         /* maker "BGE": five bits a letter */
    0x01, 0x00, 0x01, 0x00, 0x00, 0x00,                 /* product 1, serial number 1 */
    1, 34,                                              /* week 1 of 2024 */
    1, 3,                                               /* structure 1.3 */
    0x0e, 32, 24, 120, 0x0a,                            /* analogue, separate syncs; 32 x 24 cm; gamma 2.2; RGB, preferred mode */
    0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54,    /* chromaticity of sRGB */
    0x21, 0x08, 0x00,                                   /* 640x480, 800x600 and 1024x768 at 60 Hz */
    0x81, 0x80,                                         /* standard timings at 60 Hz: 1280x1024 (5:4), */
    0x81, 0x40,                                         /* 1280x960 (4:3), */
    0x81, 0x00,                                         /* 1280x800 (16:10), */
    0x95, 0x00,                                         /* 1440x900, */
    0xa9, 0x40,                                         /* 1600x1200 (4:3), */
    0xb3, 0x00,                                         /* 1680x1050, */
    0xd1, 0xc0,                                         /* 1920x1080 (16:9), */
    0xd1, 0x00,                                         /* 1920x1200 */
    /* Detailed timing: 65 MHz; 1024 + 320 blank, 768 + 38 blank; sync 24 + 136 and 3 + 6; 320 x 240 mm; both syncs negative */
    0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 0x18, 0x88, 0x36, 0x00, 0x40, 0xf0, 0x10, 0x00, 0x00, 0x18,
    0x00, 0x00, 0x00, 0xfc, 0x00, 'B', 'e', 'i', 'g', 'e', ' ', 'V', 'G', 'A', '\n', ' ', ' ', ' ',     /* name */
    0x00, 0x00, 0x00, 0xfd, 0x00, 50, 125, 30, 160, 26, 0x00, '\n', ' ', ' ', ' ', ' ', ' ', ' ',      /* limits, Hz and kHz */
    0x00, 0x00, 0x00, 0x10, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                              /* unused */
    0,                                                  /* no extension blocks */
};

uint8_t vga_edid_byte(unsigned n)
{
    if (n < sizeof edid) return edid[n];
    if (n > sizeof edid) return 0;
    unsigned sum = 0;
    for (unsigned i = 0; i < sizeof edid; i++) sum += edid[i];
    return (uint8_t)(0x100 - sum);
}
