#!/usr/bin/env python3
"""Makes the pictures of the README again: docs/pictures/NAME.png, as the emulator shows the guests.

usage: pictures.py BINARY GUESTS_DIR [--out DIR] [--only NAME,...]

Each guest runs in the emulator, is brought to where it is worth a look, and its screen is saved dot by dot. Guests are made by
images/*.sh. Colours are stored as a palette, so that a text screen is a few kilobytes.
"""
import argparse, os, struct, sys, time, zlib
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from driver import Failure, Machine


def png(picture):
    """A PNG of up to 256 colours, as few bits a pixel as they need; of more colours, 24 bits."""
    pixels, w, h = picture.pixels, picture.width, picture.height
    triples = [pixels[i:i + 3] for i in range(0, len(pixels), 3)]
    colours = sorted(set(triples))
    bits = next((b for b in (1, 2, 4, 8) if len(colours) <= 1 << b), 24)
    if bits == 24:
        rows = [pixels[y * w * 3:(y + 1) * w * 3] for y in range(h)]
    else:
        number = {c: i for i, c in enumerate(colours)}
        each, rows = 8 // bits, []
        for y in range(h):
            row = [number[c] for c in triples[y * w:(y + 1) * w]] + [0] * (-w % each)
            rows.append(bytes(sum(v << (8 - bits * (i + 1)) for i, v in enumerate(row[x:x + each]))
                              for x in range(0, len(row), each)))

    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    header = struct.pack('>IIBBBBB', w, h, 8 if bits == 24 else bits, 2 if bits == 24 else 3, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + (chunk(b'PLTE', b''.join(colours)) if bits < 24 else b'') +
            chunk(b'IDAT', zlib.compress(b''.join(b'\0' + row for row in rows), 9)) + chunk(b'IEND', b''))


def demo_menu(m):
    m.wait('beige-demo ready', 'serial')
    m.wait('Keyboard', 'screen')


def demo_picture(m):
    m.wait('beige-demo ready', 'serial')
    m.key('3')
    time.sleep(5)


def linux(m):
    m.wait('guest#', 'screen')
    for line in ('uname -a', 'cat /proc/cpuinfo | head -9', 'free', 'mount | tail -3', 'ls /'):
        m.type(line + '\n')
        time.sleep(1)


def memtest(m):
    m.wait(r'Memtest86\+', 'screen')
    m.wait(r'Test *#?[2-9]', 'screen')


def grub(m):
    m.wait('GNU GRUB', 'screen')
    m.key('c')
    m.wait('grub>', 'screen')
    m.type('ls\n')
    m.wait(r'\(fd0\)', 'screen')
    m.type('lspci\n')
    time.sleep(2)


def hdt(m):
    m.wait('Main Menu', 'screen')
    m.key('ret')
    m.wait(r'Host bridge', 'screen')
    time.sleep(1)


def invaders(m):
    m.wait(r'-\*-', 'screen')
    for key in ('right', 'right', 'right', 'spc', 'right', 'right', 'spc'):
        m.key(key, 80)
        time.sleep(0.2)


def installer(m):
    while True:                                         # until there is a list, which is white
        p = m.picture()
        if p.at(p.width // 2, p.height * 3 // 4) == (255, 255, 255):
            break
        time.sleep(2)
    time.sleep(2)


PICTURES = {             # what it shows: options (@ stands for the guests' folder), what to do
    'demo-menu': ([], demo_menu),
    'demo-picture': ([], demo_picture),
    'linux': (['-m', '128', '-hda', '@/linux/disk.img', '-snapshot'], linux),
    'memtest': (['-m', '32', '-kernel', '@/memtest/memtest.bin'], memtest),
    'grub-floppy': (['-fda', '@/grub-floppy/grub-floppy.img', '-snapshot'], grub),
    'hdt': (['-fda', '@/hdt/hdt.img', '-snapshot'], hdt),
    'installer': (['-m', '1024', '-kernel', '@/installer/vmlinuz', '-initrd', '@/installer/initrd.gz', '-append', 'quiet'], installer),
    'invaders': (['-cdrom', '@/invaders/invaders.iso', '-boot', 'd'], invaders),
}


def main():
    ap = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    ap.add_argument('binary')
    ap.add_argument('guests')
    ap.add_argument('--out', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../docs/pictures'))
    ap.add_argument('--only', default=','.join(PICTURES))
    a = ap.parse_args()
    failed = 0
    for name in a.only.split(','):
        options, play = PICTURES[name]
        try:
            with Machine(os.path.abspath(a.binary), [o.replace('@', a.guests, 1) for o in options], 900) as m:
                play(m)
                data = png(m.picture())
            with open(os.path.join(a.out, name + '.png'), 'wb') as f:
                f.write(data)
            print('%-14s %d bytes' % (name, len(data)))
        except Failure as e:
            failed += 1
            print('%-14s %s' % (name, e))
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
