"""What the cases of modes.py are made of: the remote-controlled guest, the patterns that it fills in, and pictures as the
definitions of the modes have them. Nothing here knows how an emulator draws.

A picture is a list of rows, each bytes of red, green, blue.
"""
import functools, os, re, struct, sys, time
from array import array
from driver import Failure, Machine, Picture

# What QEMU 7.2 (hw/display/vga.c) shows differently, measured with this test, and where the manuals side with us.
QUIRKS = {
    'dac-low-bits':      'a 6-bit level is widened by repeating its lowest bit instead of its highest two',
    '15-bit-low-bits':   'the 5 bits of a 15-bit pixel are not widened at all: white is F8h; those of 16 bits are',
    'no-dac-mask':       'the pixel mask register has no effect',
    '16-dot-columns':    'a 40-column character is 16 dots wide; a 9-dot character at half the dot clock is 18 (640 for 720)',
    'ninth-dot-from-b0': 'the ninth dot repeats the eighth from character B0h on, not C0h',
    'whole-rows':        'a last row of characters that does not fit is left out: 28 rows of 14 lines make 392 lines, not 400',
    'no-blink':          'attribute bit 7 is background intensity even while blinking is enabled',
    'no-underline':      'the underline of monochrome text is not drawn',
    'text-split-at-row': 'in text modes the lower screen starts with the next whole row of characters',
    'no-planar-vbe':     'while VBE is on chain 4 is forced, so the planes of 4-bit VBE modes cannot be written: not compared',
    'start-of-4-bytes':  'the picture of a VBE mode starts at a multiple of 4 bytes',
    'no-text-panning':   'text modes ignore panning and the preset row scan',
    'no-panning':        'pixel panning is ignored in graphics modes',
    'no-graphics-blink': 'in graphics modes bit 3 never blinks',
}


# ---- the guest

class Guest(Machine):
    """The remote control."""

    def __init__(self, binary, floppy, timeout):
        super().__init__(binary, ['-fda', floppy, '-snapshot', '-vga', 'std'], timeout)
        self.is_qemu = 'qemu' in os.path.basename(binary)
        self.read_to = 0
        self._line()                                    # "modes ready"
        self.fonts = {}

    def _line(self):
        while True:
            end = self.serial.find(b'\n', self.read_to)
            if end >= 0:
                line, self.read_to = self.serial[self.read_to:end], end + 1
                return line.decode('latin1')
            if time.monotonic() > self.end:
                raise Failure('the guest does not answer')
            if self.process.poll() is not None:
                raise Failure('the emulator ended: ' + self.stderr())
            time.sleep(0.0005)

    def ask(self, letter, *numbers):
        self.send(letter + ''.join(' %x' % n for n in numbers) + '\n')
        answer = self._line()
        if answer == '?':
            raise Failure('the guest does not know ' + letter)
        return answer

    def bios(self, ax, bx=0, cx=0, dx=0):
        return dict(zip(('ax', 'bx', 'cx', 'dx', 'es', 'bp'), (int(w, 16) for w in self.ask('i', ax, bx, cx, dx).split())))

    def out(self, port, value): self.ask('o', port, value)
    def put(self, port, index, value): self.ask('x', port, index, value)
    def get(self, port, index): return int(self.ask('r', port, index), 16)
    def seq(self, index, value): self.put(0x3c4, index, value)
    def gc(self, index, value): self.put(0x3ce, index, value)
    def crtc(self, index, value): self.put(0x3d4, index, value)
    def attribute(self, index, value): self.ask('a', index | 0x20, value)
    def colours(self): self.ask('d')
    def window(self, seg, length, at=0, salt=0): self.ask('w', seg, length, at, salt)

    def memory(self, address, length):
        path = self.tmp + '/memory'
        self.command('pmemsave', val=address, size=length, filename=path)
        with open(path, 'rb') as f:
            return f.read()

    def mode(self, number):
        """SeaVGABIOS reads input status 1 at 3DAh even where the adapter has it at 3BAh, and so loses step with the
        attribute controller: it needs 3Dxh when it starts, and palette register 0 corrected when it ends on mode 7."""
        self.out(0x3c2, 0x67)
        self.bios(number)
        if number == 7:
            self.attribute(0, 0)
        self.colours()

    def vbe(self, number, flags=0):
        r = self.bios(0x4f02, number | flags)
        if r['ax'] != 0x4f:
            raise Failure('mode %xh: AX=%04xh' % (number, r['ax']))
        self.colours()

    def font(self, height):
        """The BIOS's font of 8, 14 or 16 lines: 256 glyphs."""
        if height not in self.fonts:
            def of(which, count):
                r = self.bios(0x1130, which << 8)
                return self.memory(r['es'] * 16 + r['bp'], count * height)
            self.fonts[height] = of(3, 128) + of(4, 128) if height == 8 else of({14: 2, 16: 6}[height], 256)
        return [self.fonts[height][c * height:(c + 1) * height] for c in range(256)]

    def planes(self, length, salts):
        """Fills each plane with the pattern, through A0000h and the map mask."""
        for p, salt in enumerate(salts):
            self.seq(2, 1 << p)
            self.window(0xa000, length, 0, salt)
        self.seq(2, 15)
        return [pattern(length, salt) for salt in salts]

    def dump(self):
        path = self.tmp + '/dump.ppm'
        self.command('screendump', filename=path)
        for _ in range(400):                            # QEMU writes it in the background
            if os.path.exists(path):
                with open(path, 'rb') as f:
                    head = re.match(rb'P6\s+(\d+)\s+(\d+)\s+255\s', f.read(40))
                if head and os.path.getsize(path) == head.end() + int(head[1]) * int(head[2]) * 3:
                    break
            time.sleep(0.01)
        p = Picture(path)
        os.unlink(path)
        return p


# ---- what the guest filled in

XOR = [bytes(a ^ c for a in range(256)) for c in range(256)]


def pattern(length, salt, start=0):
    return b''.join(XOR[((a >> 8) * 93 + (a >> 16) * 39 + salt) & 255] for a in range(start, start + length, 256))[:length]


def text_pattern(count, salt):
    out = bytearray()
    for n in range(count):
        out += bytes(((n + salt) & 255, (n * 37 + (n >> 8) + salt) & 255))
    return bytes(out)


# ---- colours, as bytes of red, green, blue

class Colours:
    """The DAC as the command "d" sets it, seen through what lies before it."""

    def __init__(self, quirks=(), bits=6):
        def wide(level):
            if bits == 8:
                return level
            return level << 2 | ((level & 1) * 3 if 'dac-low-bits' in quirks else level >> 4)
        self.dac = [bytes((wide(21 * i & 63), wide((11 * i + 7) & 63), wide(i >> 2))) for i in range(256)]
        self.widens_15 = '15-bit-low-bits' not in quirks

    def through(self, palette, enable=15, flip=0):
        """16 colours: the attribute controller's palette and plane enable."""
        return [self.dac[palette[(i & enable) ^ flip]] for i in range(16)]


RGBI = [0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f]       # 6 is brown, not dark yellow
PALETTE = {                                             # Technical Reference, "Video modes": palette registers 0-15
    'text': RGBI,
    'mono-text': [0] + [8] * 7 + [0x10] + [0x18] * 7,
    4: [0, 0x13, 0x15, 0x17, 2, 4, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17],
    6: [0] + [0x17] * 15,
    0x0d: list(range(8)) + list(range(0x10, 0x18)),
    0x0f: [0, 8, 0, 0, 0x18, 0x18, 0, 0, 0, 8, 0, 0, 0, 0x18, 0, 0],
    0x10: RGBI,
    0x11: [0] + [0x3f] * 15,
}


# ---- pictures

def repeated(rows, times):
    return [row for row in rows for _ in range(times)]


def indexed(line, colours, stretch=1):
    table = [c * stretch for c in colours]
    return b''.join(map(table.__getitem__, line))


SPREAD = [int.from_bytes(bytes(b >> (7 - i) & 1 for i in range(8)), 'big') for b in range(256)]


def planar_line(planes, at, count):
    """4-bit pixels of `count` bytes of four planes, from byte `at` on; planes end where 64 KiB end."""
    out = []
    for a in range(at, at + count):
        b = [SPREAD[p[a & 0xffff if len(p) == 65536 else a]] for p in planes]
        out.append((b[0] | b[1] << 1 | b[2] << 2 | b[3] << 3).to_bytes(8, 'big'))
    return b''.join(out)


def cga_line(memory, at, count, bits):
    mask = (1 << bits) - 1
    return bytes(b >> shift & mask for b in memory[at:at + count] for shift in range(8 - bits, -1, -bits))


def ega_rows(planes, width, height, colours, start=0, pitch=None, pan=0):
    at, out, stretch = start, [], 640 // width if width <= 640 else 1
    for _ in range(height):
        line = planar_line(planes, at, width // 8 + 1)
        out.append(indexed(line[pan:pan + width], colours, stretch))
        at += pitch or width // 8
    return out


def linear_rows(memory, width, height, colours, start=0, stretch=2):
    memory += memory[:width]
    return [indexed(memory[at:at + width], colours, stretch) for at in range(start, start + width * height, width)]


class Text:
    """A text screen. Cells are characters and attributes as the CPU sees them, 16384 of them (fewer are black)."""

    def __init__(self, cells, cols, font, colours, lines=400, height=16, dots=9, stretch=1, **more):
        self.cells, self.cols, self.fonts, self.colours = cells, cols, font if isinstance(font, tuple) else (font, font), colours
        self.lines, self.height, self.dots, self.stretch = lines, height, dots, stretch
        self.start = more.get('start', 0)               # first cell shown
        self.pitch = more.get('pitch', cols)            # cells from one row to the next
        self.blink = more.get('blink', True)            # bit 7 blinks, else is a background colour
        self.cursor = more.get('cursor')                # (cell, first line, last line)
        self.line_graphics = more.get('line_graphics', True)
        self.underline = more.get('underline')          # on which line
        self.pan = more.get('pan', 0)                   # dots
        self.first = more.get('first', 0)               # line of the first row that is at the top
        self.split = more.get('split')                  # scan line where cell 0 is shown again
        self.ninth = more.get('ninth', 0xc0)            # first of the characters that are line graphics

    def cell_line(self, cell, line, blink_on, cursor_on):
        ch, attr = self.cells[2 * cell:2 * cell + 2]
        bits = self.fonts[attr >> 3 & 1][ch][line] << 1
        if self.line_graphics and self.ninth <= ch < 0xe0:    # the ninth dot of line graphics repeats the eighth
            bits |= bits >> 1 & 1
        if line == self.underline and attr & 0x77 == 1:
            bits = 0x1ff
        ink, paper = attr & 15, attr >> 4
        if self.blink:
            paper &= 7
            if attr & 0x80 and not blink_on:
                bits = 0
        if self.cursor and cursor_on and self.cursor[0] == cell and self.cursor[1] <= line <= self.cursor[2]:
            bits = 0x1ff
        return bytes(ink if bits >> (8 - d) & 1 else paper for d in range(self.dots))

    def row(self, first, line, pan, blink_on, cursor_on):
        dots = b''.join(self.cell_line((first + c) & 0x3fff, line, blink_on, cursor_on) for c in range(self.cols + 1))
        return indexed(dots[pan:pan + self.cols * self.dots], self.colours, self.stretch)

    def rows(self, blink_on, cursor_on):
        out, first, line, pan = [], self.start, self.first, self.pan
        for y in range(self.lines):
            if y == self.split:
                first, line = 0, 0
            out.append(self.row(first, line, pan, blink_on, cursor_on))
            line += 1
            if line == self.height:
                first, line = first + self.pitch, 0
        return out

    def phases(self):
        return {(b, c): self.rows(b, c) for b in ((True, False) if self.blink else (True,))
                for c in ((True, False) if self.cursor else (True,))}


def five(v): return v << 3 | v >> 2
def six(v): return v << 2 | v >> 4


@functools.lru_cache(None)
def direct_colours(bits, widened):
    """What the 65536 values of a word look like."""
    if bits == 16:
        return [bytes((five(v >> 11), six(v >> 5 & 63), five(v & 31))) for v in range(65536)]
    wide = five if widened else lambda v: v << 3
    return [bytes((wide(v >> 10 & 31), wide(v >> 5 & 31), wide(v & 31))) for v in range(65536)]


def vbe_row(line, bits, colours):
    """One row of memory as red, green, blue."""
    if bits == 8:
        return indexed(line, colours.dac)
    if bits in (15, 16):
        words = array('H', line)
        if sys.byteorder == 'big':
            words.byteswap()
        return b''.join(map(direct_colours(bits, colours.widens_15).__getitem__, words))
    size = bits // 8
    out = bytearray(len(line) // size * 3)
    out[0::3], out[1::3], out[2::3] = line[2::size], line[1::size], line[0::size]
    return bytes(out)


def vbe_rows(memory, mode, colours, pitch=None, start=0):
    pitch = pitch or mode.pitch
    length = mode.width * ((mode.bits + 7) // 8)
    return [vbe_row(memory[at:at + length], mode.bits, colours) for at in range(start, start + mode.height * pitch, pitch)]


# ---- comparing

class Case:
    """What a case has at hand: the guest, and the means to compare."""

    def __init__(self, guest, name, keep):
        self.g, self.name, self.keep = guest, name, keep
        self.quirks = QUIRKS if guest.is_qemu else ()
        self.colours = Colours(self.quirks)

    def quirk(self, name):
        assert name in QUIRKS
        return name in self.quirks

    def differs(self, got, rows):
        width, height = len(rows[0]) // 3, len(rows)
        if (got.width, got.height) != (width, height):
            return 'the picture is %dx%d, not %dx%d' % (got.width, got.height, width, height)
        want = b''.join(rows)
        if want == got.pixels:
            return ''
        wrong = [i // 3 for i in range(0, len(want), 3) if want[i:i + 3] != got.pixels[i:i + 3]]
        x, y = wrong[0] % width, wrong[0] // width
        if self.keep:
            for what, pixels in (('got', got.pixels), ('want', want)):
                with open(os.path.join(self.keep, '%s-%s.ppm' % (self.name.replace(' ', '-').replace('/', '-'), what)), 'wb') as f:
                    f.write(b'P6\n%d %d\n255\n' % (width, height) + pixels)
        return '%d of %d pixels differ, the first at %d,%d: %s, not %s' % (
            len(wrong), width * height, x, y, got.at(x, y), tuple(want[wrong[0] * 3:wrong[0] * 3 + 3]))

    def same(self, rows):
        why = self.differs(self.g.dump(), rows)
        if why:
            raise Failure(why)

    def blinks(self, phases, all_phases=False):
        """The picture is one of the phases, always; with all_phases each of them is seen within two virtual seconds."""
        want = {b''.join(rows): phase for phase, rows in phases.items()}
        seen, end = set(), time.monotonic() + 10
        while True:
            got = self.g.dump()
            phase = want.get(got.pixels)
            if phase is None:
                whys = [self.differs(got, rows) for rows in phases.values()]
                raise Failure(min(whys, key=lambda why: int(re.search(r'\d+', why)[0])))
            seen.add(phase)
            if not all_phases or len(seen) == len(phases):
                return
            if time.monotonic() > end:
                raise Failure('of %d phases of blinking only these were seen: %s' % (len(phases), seen))
            time.sleep(0.02)

    def text(self, cells, cols, font, palette, all_phases=False, **more):
        if self.quirk('no-blink'):
            more['blink'] = False
        if self.quirk('no-underline'):
            more.pop('underline', None)
        if 'split' in more and self.quirk('text-split-at-row'):
            more['split'] = (more['split'] + 15) // 16 * 16
        if self.quirk('no-text-panning'):
            more.pop('pan', None), more.pop('first', None)
        if self.quirk('ninth-dot-from-b0'):
            more['ninth'] = 0xb0
        if self.quirk('whole-rows'):
            more['lines'] = 400 // more.get('height', 16) * more.get('height', 16)
        if cols == 40:
            more['stretch'] = 2
            if self.quirk('16-dot-columns'):
                more['dots'] = 8
        colours = more.pop('colours', None) or self.colours.through(palette)
        self.blinks(Text(cells, cols, font, colours, **more).phases(), all_phases)
