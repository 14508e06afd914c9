#!/usr/bin/env python3
"""Whole-machine tests: real guests, each a row of data.

usage: guests.py BINARY GUESTS_DIR [--only NAME,...] [--jobs N] [--list]

A row names the guest's files (made by images/*.sh under GUESTS_DIR), the options, a time limit and the function that
plays it. Prints a line a test and, last, `N passed, N failed`.
"""
import argparse, concurrent.futures, os, re, shutil, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from driver import Failure, Machine, png_rows
import modes


class Context:
    def __init__(self, binary, guests, tmp):
        self.binary, self.guests, self.tmp = binary, guests, tmp

    def path(self, name):
        return os.path.join(self.guests, name)

    def copy(self, name):
        """A private copy, for tests that write."""
        dst = os.path.join(self.tmp, os.path.basename(name))
        shutil.copyfile(self.path(name), dst)
        return dst

    def boot(self, *args, timeout=900):
        return Machine(self.binary, list(args), timeout)


def check(what, why):
    if not what:
        raise Failure(why)


KERNEL = ['-kernel', 'linux/vmlinuz', '-initrd', 'linux/initrd.gz', '-append', 'console=tty0 console=ttyS0 quiet cryptomgr.notests']


def kernel_args(c):
    return [c.path(a) if a.startswith('linux/') else a for a in KERNEL]


def shell_answers(m):
    """A command by serial and one by keyboard; the shell computes, so an echo of what was typed cannot pass."""
    m.wait('GUEST-UP', 'serial')
    m.wait('GUEST-UP', 'screen')
    m.wait('guest# ', 'serial')
    m.send('echo serial-$((6*7))\n')
    m.wait('serial-42', 'serial')
    m.type('echo keys-$((6*9))\n')
    m.wait('keys-54', 'screen')


def power_off(m):
    m.send('poweroff\n')
    status = m.wait_exit()
    check(status == 0, 'status %d after poweroff' % status)


def linux_kernel(c):
    with c.boot('-m', '128', *kernel_args(c)) as m:
        shell_answers(m)
        power_off(m)


def fs_of(disk, tmp, start, sectors):
    part = os.path.join(tmp, 'part.img')
    with open(disk, 'rb') as f, open(part, 'wb') as o:
        f.seek(start * 512)
        o.write(f.read(sectors * 512))
    return part


def run(*cmd):
    r = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ, PATH=os.environ['PATH'] + ':/sbin:/usr/sbin'))
    return r.returncode, r.stdout.decode('latin1')


def linux_disk(c):
    """Boots by SeaBIOS and SYSLINUX; what it wrote to FAT and ext4 is there afterwards, and the host's fsck agrees."""
    disk = c.copy('linux/disk.img')
    with c.boot('-m', '128', '-hda', disk) as m:
        m.wait('GUEST-UP', 'serial')
        m.wait('guest# ', 'serial')
        m.send('seq 1 20000 | md5sum > /mnt/ext4/sum.txt; cp /mnt/ext4/sum.txt /mnt/fat/sum.txt; '
               'dd if=/bin/busybox of=/mnt/ext4/copy bs=64k 2>/dev/null; cmp /bin/busybox /mnt/ext4/copy && echo same-$((3*5))\n')
        m.wait('same-15', 'serial')
        power_off(m)
    want = subprocess.run('seq 1 20000 | md5sum', shell=True, stdout=subprocess.PIPE).stdout
    fat = fs_of(disk, c.tmp, 2048, 65536)
    code, text = run('fsck.fat', '-n', fat)
    check(code == 0, 'fsck.fat: ' + text)
    check(subprocess.run(['mtype', '-i', fat, '::sum.txt'], stdout=subprocess.PIPE).stdout == want, 'FAT: wrong contents')
    ext = fs_of(disk, c.tmp, 67584, 63488)
    code, text = run('e2fsck', '-fn', ext)
    check(code == 0, 'e2fsck: ' + text)
    code, text = run('debugfs', '-R', 'cat sum.txt', ext)
    check(want.decode() in text, 'ext4: wrong contents: ' + text)


def linux_cd(c):
    with c.boot('-m', '128', '-cdrom', c.path('linux/linux.iso'), '-boot', 'd') as m:
        m.wait('GUEST-UP', 'serial')
        m.wait('guest# ', 'serial')
        m.send('ls /mnt/cd; md5sum < /mnt/cd/isolinux/vmlinuz\n')
        want = subprocess.run(['md5sum'], stdin=open(c.path('linux/vmlinuz'), 'rb'), stdout=subprocess.PIPE).stdout.split()[0].decode()
        m.wait(want, 'serial')


def memtest(c):
    # Its last test waits ten minutes in a loop that reads the TSC: a slow processor has less to do in that time.
    with c.boot('-m', '32', '--speed', '5', '-kernel', c.path('memtest/memtest.bin')) as m:
        m.wait(r'Memtest86\+', 'screen')
        m.wait(r'Pass:\s+1\b', 'screen')
        check(re.search(r'Errors:\s+0\b', m.screen()), 'errors: ' + m.screen()[:2000])


def grub_floppy(c):
    with c.boot('-fda', c.path('grub-floppy/grub-floppy.img'), '-snapshot') as m:
        m.wait('GNU GRUB', 'screen')
        m.key('c')
        m.wait('grub>', 'screen')
        m.type('ls\n')
        m.wait(r'\(fd0\)', 'screen')


def hdt(c):
    """The PCI list names the board's bridges."""
    with c.boot('-fda', c.path('hdt/hdt.img'), '-snapshot') as m:
        m.wait('Main Menu', 'screen')
        m.key('ret')
        m.wait(r'Host bridge.*ID:8086:1237', 'screen', 20)
        m.key('down')
        m.wait(r'ISA bridge.*ID:8086:7000', 'screen', 5)
        m.key('down')
        m.wait(r'IDE interface.*ID:8086:7010', 'screen', 5)


def boot_once(c):
    """The floppy resets the board, and the disk is next: `once` ends with the first reset. Without it the floppy comes again."""
    def sector(name, *code):
        with open(os.path.join(c.tmp, name), 'wb') as f:
            f.write(bytes(code).ljust(510, b'\0') + b'\x55\xaa' + bytes(1474560 - 512))
        return f.name
    floppy = sector('floppy.img', 0xb0, ord('A'), 0xe6, 0xe9, 0xba, 0xf9, 0x0c, 0xb0, 6, 0xee, 0xf4)     # A to port E9h, 6 to port CF9h
    disk = sector('disk.img', 0xb0, ord('C'), 0xe6, 0xe9, 0xba, 0x01, 0x05, 0xb0, 0, 0xee, 0xf4)           # C to port E9h, exit
    for order, want in (('order=c,once=a', 'AC'), ('once=a,order=c', 'AC'), ('once=a', 'AC'), ('c', 'C'), ('order=a', 'AAA')):
        r = subprocess.run([c.binary, '-display', 'none', '-debugcon', 'stdio', '-device', 'isa-debug-exit,iobase=0x501', '--speed', 'max',
                            '-fda', floppy, '-hda', disk, '-boot', order, '--limit-time', '0.5'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=300)
        got = r.stdout.decode()
        check(got == want if 'C' in want else got.startswith(want), '-boot %s: booted %r, not %s: %s' % (order, got, want, r.stderr.decode()))


def invaders(c):
    """The ship moves to the right under the cursor key."""
    def ship(m):
        return max((row.find('/ \\') for row in m.screen().split('\n')[-4:]), default=-1)
    with c.boot('-cdrom', c.path('invaders/invaders.iso'), '-boot', 'd') as m:
        m.wait(r'-\*-', 'screen')
        before, start = m.picture(), ship(m)
        for _ in range(8):
            m.key('right', 60)
            time.sleep(0.1)
        moved = ship(m)
        check(start >= 0 and moved > start, 'the ship stood at %d and is at %d' % (start, moved))
        check(before != m.picture(), 'the picture did not change')


def demo(c):
    with c.boot() as m:
        m.wait('beige-demo ready', 'serial')
        m.wait('Keyboard', 'screen')


def same_every_time(c):
    """Two boots with the same scripted input end in one state, though one of them was saved and loaded on the way. (--all: and
    a third that was not.)"""
    script = os.path.join(c.tmp, 'input.txt')
    with open(script, 'w') as f:
        f.write('18 serial0 "echo hello > /mnt/ext4/f; sync\\n"\n19 type "ls -l /\\n"\n19.5 mouse 5 -3\n')
    base = [c.binary, '-m', '96', '-display', 'none', '-serial', 'null', '-hda', c.path('linux/disk.img'), '-snapshot',
            '--input', script, '--speed', 'max', '--state-hash']
    total, part = '5500000000', '3123456789'

    def once(*extra):
        r = subprocess.run(base + list(extra), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        check(r.returncode == 4, 'status %d: %s' % (r.returncode, r.stderr.decode()[-300:]))
        return r.stdout.decode().strip().split('\n')[-1]
    save = os.path.join(c.tmp, 'machine.beige')
    first = once('--limit-insns', total)
    second = once('--limit-insns', total) if os.environ.get('BEIGE_TEST_ALL') else first
    once('--limit-insns', part, '--save', save)
    third = once('--limit-insns', total, '--load', save)
    check(first == second, 'two runs differ: %s %s' % (first, second))
    check(first == third, 'saved and loaded: %s %s' % (first, third))


def models(c):
    """Each model boots what its system supports, and each guest finds the processor that was asked for."""
    refused = r'not present on the CPU:\s+%s\b'
    for cpu, says in (('pentium2', None), ('pentium3', None), ('pentium4', None), ('pentium', refused % 'cmov'), ('pentium-mmx', refused % 'cmov'),
                      ('pentium3,-cmov', refused % 'cmov'), ('pentium3,-cx8', refused % 'cx8'), ('486', 'only detected an i486 CPU')):
        with c.boot('-cpu', cpu, '-m', '96', *kernel_args(c)) as m:
            if says:
                m.wait(says, 'screen')
            else:
                m.wait('GUEST-UP', 'serial')
    for cpu, name in (('486', None), ('pentium', r'Pentium\b'), ('pentium-mmx', 'Pentium-MMX'), ('pentium2', r'Pentium II\b'),
                      ('pentium3', 'Pentium III'), ('pentium4', r'Pentium\(R\) 4')):
        with c.boot('-cpu', cpu, '-m', '32') as m:
            m.wait('beige-demo ready', 'serial')
        with c.boot('-cpu', cpu, '-m', '32', '-fda', c.path('grub-floppy/grub-floppy.img'), '-snapshot') as m:
            m.wait('GNU GRUB', 'screen')
        if name:         # memtest86+ 6 needs a TSC
            with c.boot('-cpu', cpu, '-m', '32', '--speed', '5', '-kernel', c.path('memtest/memtest.bin')) as m:
                m.wait(r'Memtest86\+.*' + name, 'screen')
                m.wait(r'Test\s+\d+%', 'screen')
                check(re.search(r'Errors:\s+0\b', m.screen()), 'errors: ' + m.screen()[:2000])


def video_modes(c):
    lines = []
    _, failed = modes.run(c.binary, report=lines.append)
    check(not failed, '\n'.join(line for line in lines if ' FAIL ' in line))


def installer(c):
    """Debian's graphical installer: its logo, dot by dot as in its file, a pointer that moves, a list that obeys the keys."""
    logo = png_rows(c.path('installer/logo.png'))
    with c.boot('-m', '1024', '-kernel', c.path('installer/vmlinuz'), '-initrd', c.path('installer/initrd.gz'), '-append', 'quiet') as m:
        def shown():
            p = m.picture()
            side = (p.width * 3 - len(logo[0])) // 2
            return p, side >= 0 and all(p.pixels[y * p.width * 3 + side:][:len(row)] == row for y, row in enumerate(logo))

        def until(what, why):
            while not what(m.picture()):
                check(time.monotonic() < m.end, why)
                time.sleep(2)
        until(lambda p: shown()[1], 'there is no logo')
        until(lambda p: p.at(p.width // 2, p.height * 3 // 4) == (255, 255, 255), 'the list does not come')
        time.sleep(2)
        before = m.picture()
        m.monitor('mouse_move -60 -40')
        until(lambda p: 0 < sum(a != b for a, b in zip(p.pixels, before.pixels)) < 5000, 'the pointer does not move')
        for key in 'down', 'ret':
            m.key(key)
            time.sleep(1)
        until(lambda p: sum(a != b for a, b in zip(p.pixels, before.pixels)) > 50000, 'the keys have no effect')
        check(shown()[1], 'the logo is gone')


TESTS = [                # name, guests it needs, function, seconds
    ('demo', [], demo),
    ('boot-once', [], boot_once),
    ('grub-floppy', ['grub-floppy'], grub_floppy),
    ('hdt', ['hdt'], hdt),
    ('installer', ['installer'], installer),
    ('invaders', ['invaders'], invaders),
    ('linux-kernel', ['linux'], linux_kernel),
    ('linux-disk', ['linux'], linux_disk),
    ('linux-cd', ['linux'], linux_cd),
    ('memtest', ['memtest'], memtest),
    ('models', ['linux', 'memtest', 'grub-floppy'], models),
    ('same-every-time', ['linux'], same_every_time),
    ('video-modes', [], video_modes),
]

LONG = {'installer'}     # only where every count is run (BEIGE_TEST_ALL), or by name


def main():
    ap = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    ap.add_argument('binary')
    ap.add_argument('guests')
    ap.add_argument('--only', default='')
    ap.add_argument('--list', action='store_true')
    ap.add_argument('--jobs', type=int, default=1, help='tests at a time')
    a = ap.parse_args()
    if a.list:
        for name, needs, _ in TESTS:
            if name not in LONG or os.environ.get('BEIGE_TEST_ALL'):
                print(name, *needs)
        return 0
    only = [n for n in a.only.split(',') if n]
    unknown = set(only) - {t[0] for t in TESTS}
    if unknown:
        sys.exit('no such test: ' + ', '.join(sorted(unknown)))
    def judge(test):
        name, _, play = test
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix='guest-') as tmp:
            try:
                play(Context(os.path.abspath(a.binary), os.path.abspath(a.guests), tmp))
                verdict, why = 'pass', ''
            except (Failure, OSError, subprocess.SubprocessError) as e:
                verdict, why = 'FAIL', '\n' + str(e)
        print('%-18s %s  %5.1f s%s' % (name, verdict, time.monotonic() - start, why), flush=True)
        return verdict == 'pass'

    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        passed = list(pool.map(judge, [t for t in TESTS if not only or t[0] in only]))
    print('%d passed, %d failed' % (sum(passed), len(passed) - sum(passed)))
    return not all(passed)


if __name__ == '__main__':
    sys.exit(main())
