#!/usr/bin/env python3
"""Every video mode of the BIOS gives the right picture.

usage: modes.py BINARY [--only TEXT] [--all] [--keep DIR]

A floppy (modes.asm) turns the guest into a remote control. Each case here sets a mode through the video BIOS, fills the
video memory with a pattern and the DAC with known colours, and compares every pixel of a screendump with the picture
computed from the definition of the mode: IBM's "Personal System/2 Hardware Interface Technical Reference" (video
subsystem) and VESA's "VBE Core Functions 3.0". The computation shares nothing with the emulator: it knows modes, not
registers. Characters come from the font that INT 10h AX=1130h points at, or from a font that the case has made.

--only runs the cases whose names contain TEXT, --all each VBE mode through bank switching as well as linearly, --keep
leaves what differs in DIR. The last line is `N passed, N failed`.

BINARY may be QEMU, as a second opinion on the expected pictures. Where QEMU 7.2 is known to show something else than the
adapter it emulates, the expectation is changed, so that everything else is still compared; QUIRKS says how and why.
"""
import argparse, os, struct, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from driver import Failure
from screens import (Case, Colours, Guest, PALETTE, RGBI, cga_line, ega_rows, indexed, linear_rows, pattern, repeated,
                     text_pattern, vbe_rows)


CASES = []


def case(name, *arguments):
    def add(function):
        CASES.append((name, function, arguments))
        return function
    return add


def text_mode(c, mode, cols, segment, palette, all_phases):
    g, crtc = c.g, 0x3b4 if mode == 7 else 0x3d4
    g.mode(mode)
    g.ask('t', segment, 0x4000, mode)
    g.bios(0x0200, 0, 0, 5 << 8 | 17)                   # the cursor: row 5, column 17, lines 3 to 12
    g.put(crtc, 0x0a, 3)
    g.put(crtc, 0x0b, 12)
    if mode == 7:                                       # where IBM's 9x14 characters have it; the BIOS leaves it at 31
        g.put(crtc, 0x14, 13)
    c.text(text_pattern(0x4000, mode), cols, g.font(16), palette, all_phases, cursor=(5 * cols + 17, 3, 12),
           underline=13 if mode == 7 else None)


for number, columns in ((0, 40), (1, 40), (2, 80), (3, 80)):
    case('text mode %d' % number, number, columns, 0xb800, PALETTE['text'], number == 3)(text_mode)
case('text mode 7', 7, 80, 0xb000, PALETTE['mono-text'], True)(text_mode)


def text_setup(c, salt, mode=3):
    """80x25 without a cursor, all of memory filled."""
    c.g.mode(mode)
    c.g.ask('t', 0xb800, 0x4000, salt)
    c.g.crtc(0x0a, 0x20)
    return text_pattern(0x4000, salt)


@case('text mode 3, colours of the BIOS')
def text_colours(c):
    c.g.out(0x3c2, 0x67)
    c.g.bios(3)                                         # RGBI: a third of full intensity for each half
    c.g.ask('t', 0xb800, 0x4000, 1)
    c.g.crtc(0x0a, 0x20)
    wide = [0, 170, 85, 255] if not c.quirk('dac-low-bits') else [0, 168, 87, 255]
    colours = []
    for i in range(16):
        half = wide[2] if i & 8 else 0
        colours.append([half + wide[1] if i & bit else half for bit in (4, 2, 1)])
    colours = [bytes(255 if v > 250 else v for v in rgb) for rgb in colours]
    colours[6] = bytes((wide[1], wide[2], wide[0]))
    c.text(text_pattern(0x4000, 1), 80, c.g.font(16), None, colours=colours)


@case('text pages')
def text_pages(c):
    cells = text_setup(c, 2)
    for page in (1, 7, 3, 0):                           # 4 KiB each
        c.g.bios(0x0500 | page)
        c.text(cells, 80, c.g.font(16), RGBI, start=page * 2048)


@case('text 80x50')
def text_50(c):
    c.g.mode(3)
    c.g.bios(0x1112)
    c.g.crtc(0x0a, 0x20)
    c.g.ask('t', 0xb800, 0x4000, 3)
    c.text(text_pattern(0x4000, 3), 80, c.g.font(8), RGBI, height=8)


@case('text 80x28')
def text_28(c):
    c.g.mode(3)
    c.g.bios(0x1111)
    c.g.crtc(0x0a, 0x20)
    c.g.ask('t', 0xb800, 0x4000, 4)
    c.text(text_pattern(0x4000, 4), 80, c.g.font(14), RGBI, height=14)


@case('text with 8 dots')
def text_8(c):
    cells = text_setup(c, 5)
    c.g.seq(1, 1)
    c.text(cells, 80, c.g.font(16), RGBI, dots=8)


@case('text with sixteen backgrounds')
def text_backgrounds(c):
    cells = text_setup(c, 6)
    c.g.bios(0x1003, 0)
    c.text(cells, 80, c.g.font(16), RGBI, blink=False)


@case('text without line graphics')
def text_no_line_graphics(c):
    cells = text_setup(c, 7)
    c.g.attribute(0x10, 0x08)
    c.text(cells, 80, c.g.font(16), RGBI, line_graphics=False)


@case('text fonts')
def text_fonts(c):
    """All of plane 2 is a font; each of the eight maps, for bit 3 of the attribute set and clear."""
    g = c.g
    text_setup(c, 8)
    g.seq(2, 4), g.seq(4, 6), g.gc(5, 0), g.gc(6, 4)
    g.window(0xa000, 0x10000, 0, 0x5a)
    g.seq(2, 3), g.seq(4, 2), g.gc(5, 0x10), g.gc(6, 0x0e)
    g.ask('t', 0xb800, 0x4000, 8)
    plane = pattern(0x10000, 0x5a)

    def font(number):                                   # 0-3 are 16 KiB apart, 4-7 lie between them
        at = number % 4 * 0x4000 + number // 4 * 0x2000
        return [plane[at + 32 * ch:at + 32 * ch + 32] for ch in range(256)]
    for a, b in ((0, 0), (1, 4), (6, 3), (7, 2), (5, 5)):
        g.seq(3, (b & 3) | (a & 3) << 2 | (b >> 2) << 4 | (a >> 2) << 5)
        c.text(text_pattern(0x4000, 8), 80, (font(b), font(a)), RGBI)


@case('text colour select')
def text_colour_select(c):
    """Bits 7-6 of a colour from the colour select register, then bits 5-4 too; then some bits masked."""
    cells = text_setup(c, 9)
    c.g.attribute(0x14, 0x0b)
    dac = c.colours.dac
    c.text(cells, 80, c.g.font(16), None, colours=[dac[p | 0x80] for p in RGBI])
    c.g.attribute(0x10, 0x8c)
    c.text(cells, 80, c.g.font(16), None, colours=[dac[p & 15 | 0xb0] for p in RGBI])
    c.g.out(0x3c6, 0x93)
    mask = 0xff if c.quirk('no-dac-mask') else 0x93
    c.text(cells, 80, c.g.font(16), None, colours=[dac[(p & 15 | 0xb0) & mask] for p in RGBI])


@case('text scrolled')
def text_scrolled(c):
    """Start address, a memory row of 100 cells, smooth scrolling by 5 lines and 3 dots."""
    cells = text_setup(c, 10)
    c.g.crtc(0x0c, 0x12), c.g.crtc(0x0d, 0x34)
    c.g.crtc(0x13, 50)
    c.text(cells, 80, c.g.font(16), RGBI, start=0x1234, pitch=100)
    c.g.crtc(0x08, 5)
    c.g.attribute(0x13, 2)                              # with nine dots: 8 is none, 0 is one, 2 is three
    c.text(cells, 80, c.g.font(16), RGBI, start=0x1234, pitch=100, pan=3, first=5)


def line_compare(g, line):
    g.crtc(0x11, g.get(0x3d4, 0x11) & 0x7f)
    g.crtc(0x18, line & 255)
    g.crtc(0x07, g.get(0x3d4, 0x07) & 0xef | (line >> 8 & 1) << 4)
    g.crtc(0x09, g.get(0x3d4, 0x09) & 0xbf | (line >> 9 & 1) << 6)


@case('text split')
def text_split(c):
    cells = text_setup(c, 11)
    c.g.crtc(0x0c, 0x20), c.g.crtc(0x0d, 0x00)
    line_compare(c.g, 16 * 9 + 6)                       # in the middle of a row: the lower screen starts with a whole one
    c.text(cells, 80, c.g.font(16), RGBI, start=0x2000, split=16 * 9 + 7)


# ---- graphics modes of the BIOS

@case('mode 4', 4, 320)
@case('mode 5', 5, 320)
@case('mode 6', 6, 640)
def cga(c, mode, width):
    """Even rows from 0, odd ones from 2000h; 200 rows, two scan lines each."""
    c.g.mode(mode)
    c.g.window(0xb800, 0x4000, 0, mode)
    memory = pattern(0x4000, mode)
    colours = c.colours.through(PALETTE[4 if width == 320 else 6])
    bits = 640 // width
    rows = [indexed(cga_line(memory, (y & 1) * 0x2000 + y // 2 * 80, 80, bits), colours, bits) for y in range(200)]
    c.same(repeated(rows, 2))


EGA = {                                                 # width, rows, palette, scan lines a row
    0x0d: (320, 200, PALETTE[0x0d], 2), 0x0e: (640, 200, PALETTE[0x0d], 2), 0x10: (640, 350, RGBI, 1),
    0x11: (640, 480, PALETTE[0x11], 1), 0x12: (640, 480, RGBI, 1),
}


@case('mode 0Dh', 0x0d)
@case('mode 0Eh', 0x0e)
@case('mode 10h', 0x10)
@case('mode 11h', 0x11)
@case('mode 12h', 0x12)
def ega(c, mode):
    width, height, palette, times = EGA[mode]
    c.g.mode(mode)
    planes = c.g.planes(0x10000, [mode * 7] * 4 if mode == 0x11 else [mode, mode + 51, mode + 102, mode + 203])
    c.same(repeated(ega_rows(planes, width, height, c.colours.through(palette)), times))


@case('mode 0Fh')
def ega_mono(c):
    """SeaVGABIOS shows plane 0 alone. IBM's BIOS also takes plane 2 (lit, blinking, bright) and lets bit 3 blink, for which
    the palette of both is made."""
    c.g.mode(0x0f)
    planes = c.g.planes(0x10000, [15, 66, 117, 218])
    c.same(ega_rows(planes, 640, 350, c.colours.through(PALETTE[0x0f], 1)))
    c.g.attribute(0x10, 0x0b), c.g.attribute(0x12, 0x05)
    flips = (0,) if c.quirk('no-graphics-blink') else (0, 8)
    c.blinks({flip: ega_rows(planes, 640, 350, c.colours.through(PALETTE[0x0f], 5, flip)) for flip in flips}, True)


@case('mode 0Dh pages')
def ega_pages(c):
    c.g.mode(0x0d)
    planes = c.g.planes(0x10000, [1, 2, 3, 4])
    for page in (3, 7, 0):                              # 8 KiB a plane each
        c.g.bios(0x0500 | page)
        c.same(repeated(ega_rows(planes, 320, 200, c.colours.through(PALETTE[0x0d]), page * 0x2000), 2))


@case('mode 0Dh scrolled and split')
def ega_scrolled(c):
    g = c.g
    g.mode(0x0d)
    planes = g.planes(0x10000, [9, 8, 7, 6])
    colours = c.colours.through(PALETTE[0x0d])
    g.crtc(0x0c, 0x43), g.crtc(0x0d, 0x21)
    g.crtc(0x13, 32)                                    # a memory row is 64 bytes
    c.same(repeated(ega_rows(planes, 320, 200, colours, 0x4321, 64), 2))
    g.attribute(0x13, 3)
    pan = 0 if c.quirk('no-panning') else 3
    upper = ega_rows(planes, 320, 120, colours, 0x4321, 64, pan)
    c.same(repeated(ega_rows(planes, 320, 200, colours, 0x4321, 64, pan), 2))
    line_compare(g, 239)                                # the last line of the upper part
    c.same(repeated(upper + ega_rows(planes, 320, 80, colours, 0, 64, pan), 2))
    g.attribute(0x10, 0x21)                             # panning compatibility: the lower part stands still
    c.same(repeated(upper + ega_rows(planes, 320, 80, colours, 0, 64, 0), 2))


@case('mode 13h')
def mode_13(c):
    c.g.mode(0x13)
    c.g.window(0xa000, 0x10000, 0, 13)
    c.same(repeated(linear_rows(pattern(0x10000, 13), 320, 200, c.colours.dac), 2))
    c.g.out(0x3c6, 0x3c)
    mask = 0xff if c.quirk('no-dac-mask') else 0x3c
    c.same(repeated(linear_rows(pattern(0x10000, 13), 320, 200, [c.colours.dac[i & mask] for i in range(256)]), 2))


@case('mode 13h, first colours of the BIOS')
def mode_13_colours(c):
    """The sixteen of text, then sixteen greys, as IBM's BIOS has them."""
    c.g.bios(0x13)
    c.g.window(0xa000, 0x10000, 0, 0)
    got = c.g.dump()
    memory = pattern(0x10000, 0)
    grey = [0, 5, 8, 0x0b, 0x0e, 0x11, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x2d, 0x32, 0x38, 0x3f]
    half = [(0x2a if i & 4 else 0, 0x2a if i & 2 else 0, 0x2a if i & 1 else 0) for i in range(8)]
    levels = half + [tuple(v + 0x15 for v in rgb) for rgb in half] + [(v, v, v) for v in grey]
    levels[6] = (0x2a, 0x15, 0)
    for y in range(200):
        for x in range(320):
            i = memory[y * 320 + x]
            if i < 32 and tuple(v >> 2 for v in got.at(2 * x, 2 * y)) != levels[i]:
                raise Failure('colour %d is %s, not %s of 63' % (i, got.at(2 * x, 2 * y), levels[i]))


# Michael Abrash, "Graphics Programming Black Book", chapter 47: 320x240; the others follow from the same registers.
LINES_480 = {                                           # in this order: 11h closes 00h to 07h again
    0x06: 0x0d, 0x07: 0x3e, 0x10: 0xea, 0x11: 0xac, 0x12: 0xdf, 0x15: 0xe7, 0x16: 0x06,
}
MODE_X = {                                              # width, rows, scan lines a row, miscellaneous output, CRTC
    '320x200': (320, 200, 2, None, {}),
    '320x240': (320, 240, 2, 0xe3, {**LINES_480, 0x09: 0x41}),
    '320x400': (320, 400, 1, None, {0x09: 0x40}),
    '360x480': (360, 480, 1, 0xe7, {0x00: 0x6b, 0x01: 0x59, 0x02: 0x5a, 0x03: 0x8e, 0x04: 0x5e, 0x05: 0x8a, 0x13: 0x2d,
                                    **LINES_480, 0x09: 0x40}),
}


@case('mode X 320x200', '320x200')
@case('mode X 320x240', '320x240')
@case('mode X 320x400', '320x400')
@case('mode X 360x480', '360x480')
def mode_x(c, name):
    """Pixel x of a row is byte x / 4 of plane x % 4."""
    width, height, times, misc, registers = MODE_X[name]
    g = c.g
    g.mode(0x13)
    g.seq(4, 6)
    if misc:
        g.seq(0, 1), g.out(0x3c2, misc), g.seq(0, 3)
    g.crtc(0x11, g.get(0x3d4, 0x11) & 0x7f)
    for index, value in registers.items():
        g.crtc(index, value)
    g.crtc(0x14, 0), g.crtc(0x17, 0xe3)
    planes = g.planes(0x10000, [11, 22, 33, 44])
    memory = bytearray(0x40000)
    for p in range(4):
        memory[p::4] = planes[p]
    memory = bytes(memory)
    c.same(repeated(linear_rows(memory, width, height, c.colours.dac), times))
    g.crtc(0x0c, 0x01), g.crtc(0x0d, 0x23)
    c.same(repeated(linear_rows(memory, width, height, c.colours.dac, 0x123 * 4), times))
    if name == '320x240':                               # a split at scan line 400, where row 200 would be
        line_compare(g, 399)
        upper = linear_rows(memory, 320, 200, c.colours.dac, 0x123 * 4)
        c.same(repeated(upper + linear_rows(memory, 320, 40, c.colours.dac), 2))
        line_compare(g, 1023)
        g.attribute(0x13, 2)                            # in half pixels
        pan = 0 if c.quirk('no-panning') else 1
        c.same(repeated(linear_rows(memory, 320, 240, c.colours.dac, 0x123 * 4 + pan), 2))


# The BIOS draws characters itself in graphics modes.
LETTERS = {                                             # width, rows, colours, lines of a character, scan lines a row
    4: (320, 200, PALETTE[4], 8, 2), 6: (640, 200, PALETTE[6], 8, 2), 0x0d: (320, 200, PALETTE[0x0d], 8, 2),
    0x10: (640, 350, RGBI, 14, 1), 0x12: (640, 480, RGBI, 16, 1), 0x13: (320, 200, None, 8, 2),
}


@case('letters in mode 4', 4)
@case('letters in mode 6', 6)
@case('letters in mode 0Dh', 0x0d)
@case('letters in mode 10h', 0x10)
@case('letters in mode 12h', 0x12)
@case('letters in mode 13h', 0x13)
def letters(c, mode):
    width, rows, palette, lines, times = LETTERS[mode]
    g = c.g
    g.mode(mode)
    font = g.font(lines)
    inks = {4: 3, 6: 1}.get(mode, 15)
    g.bios(0x0200, 0, 0, 2 << 8 | 3)
    text = b'Beige \xdb 12'
    picture = [bytearray(width) for _ in range(rows)]
    for n, ch in enumerate(text):
        ink = n % inks + 1
        g.bios(0x0e00 | ch, ink)
        for y in range(lines):
            for x in range(8):
                if font[ch][y] >> (7 - x) & 1:
                    picture[2 * lines + y][(3 + n) * 8 + x] = ink
    colours = c.colours.through(palette) if palette else c.colours.dac
    c.same(repeated([indexed(row, colours, 640 // width) for row in picture], times))


# ---- VBE

VESA = {                                                # VBE Core Functions 3.0, p. 17: width, height, bits
    0x100: (640, 400, 8), 0x101: (640, 480, 8), 0x102: (800, 600, 4), 0x103: (800, 600, 8), 0x104: (1024, 768, 4),
    0x105: (1024, 768, 8), 0x106: (1280, 1024, 4), 0x107: (1280, 1024, 8), 0x10d: (320, 200, 15), 0x10e: (320, 200, 16),
    0x10f: (320, 200, 24), 0x110: (640, 480, 15), 0x111: (640, 480, 16), 0x112: (640, 480, 24), 0x113: (800, 600, 15),
    0x114: (800, 600, 16), 0x115: (800, 600, 24), 0x116: (1024, 768, 15), 0x117: (1024, 768, 16), 0x118: (1024, 768, 24),
    0x119: (1280, 1024, 15), 0x11a: (1280, 1024, 16), 0x11b: (1280, 1024, 24),
}


class VbeMode:
    def __init__(self, g, number):
        self.number = number
        if g.bios(0x4f01, 0, number)['ax'] != 0x4f:
            raise Failure('mode %xh is not known' % number)
        b = g.memory(0x20000, 256)
        self.pitch, self.width, self.height = struct.unpack_from('<HHH', b, 16)
        self.bits = b[25]
        self.lfb = struct.unpack_from('<I', b, 40)[0] if b[0] & 0x80 else 0
        if number in VESA and VESA[number] != (self.width, self.height, self.bits):
            raise Failure('mode %xh is %dx%dx%d' % (number, self.width, self.height, self.bits))


def vbe_fill(g, mode, linear, length, salt):
    if linear:
        g.ask('l', mode.lfb, length, salt)
    else:
        g.ask('b', length, salt)
    return pattern(length, salt)


def vbe_mode(c, number, linear):
    g = c.g
    mode = VbeMode(g, number)
    g.vbe(number, 0x4000 if linear else 0)
    salt = number & 255
    if mode.bits == 4:
        planes = []
        for p in range(4):
            g.seq(2, 1 << p)
            planes.append(vbe_fill(g, mode, False, mode.pitch * mode.height, salt + p * 51))
        g.seq(2, 15)
        planes = [p + bytes(8) for p in planes]
        if c.quirk('no-planar-vbe'):
            return
        c.same(ega_rows(planes, mode.width, mode.height, c.colours.through(RGBI), 0, mode.pitch))
        return
    c.same(vbe_rows(vbe_fill(g, mode, linear, mode.pitch * mode.height, salt), mode, c.colours))


def vbe_list(g):
    """What INT 10h AX=4F00h lists, up to 1600x1200."""
    g.bios(0x4f00)
    info = g.memory(0x20000, 512)
    if info[:4] != b'VESA':
        raise Failure('no VBE')
    offset, segment = struct.unpack_from('<HH', info, 14)
    numbers = []
    for (n,) in struct.iter_unpack('<H', g.memory(segment * 16 + offset, 512)):
        if n == 0xffff:
            break
        numbers.append(n)
    modes = [VbeMode(g, n) for n in numbers if n >= 0x100]
    missing = set(VESA) - set(numbers)
    if missing:
        raise Failure('modes of VESA that the BIOS does not list: ' + ' '.join('%xh' % n for n in sorted(missing)))
    return [m for m in modes if m.width <= 1600 and m.height <= 1200]


@case('VBE scrolled')
def vbe_scrolled(c):
    """A virtual screen of 1000 pixels, looked at from 37,41."""
    g = c.g
    mode = VbeMode(g, 0x103)
    g.vbe(0x103, 0x4000)
    r = g.bios(0x4f06, 0, 1000)
    memory = vbe_fill(g, mode, True, r['bx'] * 700, 77)
    g.bios(0x4f07, 0, 37, 41)
    if r['bx'] < 1000:
        raise Failure('a row is %d bytes' % r['bx'])
    x = 36 if c.quirk('start-of-4-bytes') else 37
    c.same(vbe_rows(memory, mode, c.colours, r['bx'], 41 * r['bx'] + x))


@case('VBE with 8 bits a colour')
def vbe_8bit_dac(c):
    g = c.g
    mode = VbeMode(g, 0x101)
    g.vbe(0x101, 0x4000)
    r = g.bios(0x4f08, 0x0800)
    if r['bx'] >> 8 != 8:
        raise Failure('AX=4F08h: BX=%04xh' % r['bx'])
    g.colours()
    c.same(vbe_rows(vbe_fill(g, mode, True, mode.pitch * mode.height, 5), mode, Colours(bits=8)))


@case('VBE keeps memory, and text comes back')
def vbe_and_back(c):
    g = c.g
    mode = VbeMode(g, 0x111)
    g.vbe(0x111, 0x4000)
    memory = vbe_fill(g, mode, True, mode.pitch * mode.height, 6)
    g.vbe(0x111, 0xc000)                                # bit 15: do not clear
    c.same(vbe_rows(memory, mode, c.colours))
    g.vbe(0x111, 0x4000)
    c.same([bytes(640 * 3)] * 480)
    text_mode(c, 3, 80, 0xb800, RGBI, False)


# ---- running them

def run(binary, only='', everything=False, keep=None, report=print):
    """Runs the cases; the numbers of those that passed and failed."""
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix='modes-') as tmp:
        floppy = os.path.join(tmp, 'modes.img')
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'modes.asm')
        subprocess.run(['nasm', '-f', 'bin', '-o', floppy, source], check=True)
        os.truncate(floppy, 1474560)
        with Guest(binary, floppy, 600) as g:
            cases = list(CASES)
            for m in vbe_list(g):
                ways = [False] if not m.lfb or m.bits == 4 else [False, True] if everything else [m.number % 2 == 0]
                for linear in ways:
                    name = 'VBE %xh %dx%dx%d %s' % (m.number, m.width, m.height, m.bits, 'linear' if linear else 'banked')
                    cases.append((name, vbe_mode, (m.number, linear)))
            for name, play, arguments in cases:
                if only not in name:
                    continue
                start, why = time.monotonic(), ''
                try:
                    play(Case(g, name, keep), *arguments)
                    passed += 1
                except Failure as e:
                    failed, why = failed + 1, '\n    ' + str(e)
                report('%-38s %s %5.2f s%s' % (name, 'FAIL' if why else 'pass', time.monotonic() - start, why))
    return passed, failed


def main():
    ap = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    ap.add_argument('binary')
    ap.add_argument('--only', default='')
    ap.add_argument('--all', action='store_true')
    ap.add_argument('--keep')
    a = ap.parse_args()
    passed, failed = run(a.binary, a.only, a.all, a.keep, lambda line: print(line, flush=True))
    print('%d passed, %d failed' % (passed, failed))
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
