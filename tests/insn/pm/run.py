#!/usr/bin/env python3
"""run.py - protected-mode rows on an emulator.

  run.py BINARY [--cpu MODEL]      on Beige; rows that the model lacks something for (models.txt) are left out
  run.py --qemu | --bochs          on the others, if they are installed
  run.py BINARY --qemu --bochs     all
  ... --table                      where QEMU and Bochs differ, by differences.txt, as docs/accuracy.md has it
  options: --rom (Beige without firmware, for --cpu 386), --image FILE (a built image; otherwise nasm makes it), --all (print every row), --from NAME (begin at this row), --timeout S, --keep FILE (the log)

The image is the same everywhere (pm.asm). It prints a line a row on COM1 and "N passed, N failed" last. Status 0 if Beige (or, without
a BINARY, the other) passed every row, 1 if not, 77 if nasm or the emulator is missing.
"""
import argparse, os, re, shutil, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
DISK = 4 * 16 * 63 * 512                                    # whole cylinders, for Bochs


def build(path):
    if not shutil.which('nasm'):
        print('skipped: nasm is not installed')
        sys.exit(77)
    subprocess.check_call(['nasm', '-f', 'bin', '-I', HERE + '/', '-o', path, os.path.join(HERE, 'pm.asm')])


def fields():
    """Offsets of the R_ fields by number, from layout.inc."""
    line = next(l for l in open(os.path.join(HERE, 'layout.inc')) if l.startswith('fields R_'))
    return {4 * n: name.strip() for n, name in enumerate(line.split(',')[1:])}


NAMES = fields()
MODELS = ['386', '486', 'pentium', 'pentium-mmx', 'pentium2', 'pentium3', 'pentium4']
ROW = re.compile(r'ROW (.*?): (?:v=|the machine)')
TOTAL = re.compile(r'\d+ passed, \d+ failed$')


def beige(binary, disk, log, tmp, args):
    rom = []
    if args.rom:
        rom = ['-bios', os.path.join(tmp, 'rom')]
        subprocess.check_call(['nasm', '-f', 'bin', '-o', rom[1], os.path.join(HERE, 'rom.asm')])
    return [binary] + rom + ['-m', '16', '-display', 'none', '-serial', 'file:' + log, '-device', 'isa-debug-exit,iobase=0xf4,iosize=4',
            '-drive', 'file=%s,format=raw,if=ide' % disk] + (['-cpu', args.cpu] if args.cpu else []), False


def qemu(binary, disk, log, tmp, args):
    return ['qemu-system-i386', '-accel', 'tcg', '-cpu', 'pentium3', '-m', '16', '-nodefaults', '-display', 'none', '-vga', 'std', '-serial', 'file:' + log,
            '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-drive', 'file=%s,format=raw,if=ide' % disk], False


def bochs(binary, disk, log, tmp, args):
    rc = os.path.join(tmp, 'bochsrc')
    with open(rc, 'w') as o:
        o.write('config_interface: textconfig\ndisplay_library: term\nromimage: file=/usr/share/bochs/BIOS-bochs-latest\n'
                'vgaromimage: file=/usr/share/vgabios/vgabios.bin\nmegs: 32\nboot: disk\nclock: sync=none, time0=local\n'
                'pci: enabled=1, chipset=i440fx\nata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14\n'
                'ata0-master: type=disk, path="%s", mode=flat, cylinders=4, heads=16, spt=63\n'
                'com1: enabled=1, mode=file, dev=%s\nlog: %s\npanic: action=report\nerror: action=ignore\ninfo: action=ignore\n'
                'debug: action=ignore\nspeaker: enabled=0\n'
                'cpu: model=p3_katmai, count=1, ips=20000000, reset_on_triple_fault=1, ignore_bad_msrs=0\n' % (disk, log, os.path.join(tmp, 'bochs.log')))
    cont = os.path.join(tmp, 'continue')                    # Debian's bochs-bin has the debugger built in
    open(cont, 'w').write('c\n' * 200)
    return ['bochs-bin', '-q', '-f', rc, '-rc', cont], True


ROW_SIZE, TABLE, TABLE_AT, FIRST_ROW = 28, 0x80200, 0x300000, 506        # pm.asm


def names(image):
    """The rows' names, from the image: the first dword of each record points at its name."""
    data, rows, at = open(image, 'rb').read(), [], TABLE
    while True:
        name = TABLE + int.from_bytes(data[at:at + 4], 'little') - TABLE_AT
        if not TABLE < name < len(data):
            return rows
        rows.append(data[name:data.index(b'\0', name)].decode())
        at += ROW_SIZE


def beyond(cpu):
    """Says of a row's name whether it needs a later model."""
    if cpu not in MODELS:
        return lambda row: False
    lines = [l.split(' ; ') for l in open(os.path.join(HERE, 'models.txt')) if not l.startswith('#')]
    later = [rows for first, rows, what in lines if MODELS.index(first) > MODELS.index(cpu)]
    return lambda row: any(re.fullmatch(rows, row) for rows in later)


def run_all(how, binary, image, args):
    """Goes on behind a row that an emulator does not survive, and says which."""
    rows, lines, stuck = names(image), [], []
    left_out = beyond(args.cpu) if how == beige else lambda row: False
    skip = [n for n, row in enumerate(rows) if left_out(row)]
    first = next((n for n, row in enumerate(rows) if row.startswith(args.start)), 0) if args.start else 0
    while True:
        more = run(how, binary, image, args, first, skip)
        if more and not more[-1].endswith((' ok', ' FAILED')) and more[-1].startswith('ROW '):
            more.pop()                                      # cut in the middle
        lines += more
        ran = [ROW.match(l).group(1) for l in more if l.startswith('ROW ')]
        first = rows.index(ran[-1], first) + 1 if ran else first
        while first in skip:
            first += 1
        if any(TOTAL.match(l) for l in more) or first >= len(rows) or len(stuck) > 400:
            return lines, stuck
        stuck.append(rows[first])
        lines.append('ROW %s: the machine stops FAILED' % rows[first])
        first += 1


def run(how, binary, image, args, first=0, skip=()):
    """The lines that the image printed."""
    with tempfile.TemporaryDirectory(prefix='pm-') as tmp:
        disk, log = os.path.join(tmp, 'disk.img'), os.path.join(tmp, 'com1')
        shutil.copy(image, disk)
        os.truncate(disk, DISK)
        with open(disk, 'r+b') as f:
            f.seek(FIRST_ROW)
            f.write(first.to_bytes(4, 'little'))
            for n in skip:                                  # the last byte of its record
                f.seek(TABLE + n * ROW_SIZE + ROW_SIZE - 1)
                f.write(b'\1')
        open(log, 'w').close()
        command, terminal = how(binary, disk, log, tmp, args)
        err = open(os.path.join(tmp, 'err'), 'wb')
        if terminal:
            command = ['script', '-qefc', ' '.join(command), '/dev/null']
        try:
            p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=err, stderr=err, env=dict(os.environ, TERM='xterm', LINES='30', COLUMNS='100'))
            wait(p, log, args)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
        text = open(log, errors='replace').read()
        if args.keep:
            shutil.copy(log, args.keep)
        lines = text.splitlines()
        if not any(l.startswith('ROW') for l in lines):
            sys.stderr.write(open(os.path.join(tmp, 'err'), errors='replace').read()[-2000:] + '\n')
        return lines


def wait(p, log, args):
    """Until it ends, or has printed nothing for a while."""
    size, quiet, end = 0, time.time() + args.stall, time.time() + args.timeout
    while p.poll() is None:
        try:
            p.wait(0.2)
        except subprocess.TimeoutExpired:
            now = os.path.getsize(log)
            if now != size:
                size, quiet = now, time.time() + args.stall
            if time.time() > min(quiet, end):
                raise


def readable(line):
    """Field offsets to names in the complaints of a row."""
    def name(m):
        n = int(m.group(1), 16)
        return ' %s=%s want %s' % (NAMES.get(n, '[%x]' % n), m.group(2), m.group(3))
    return re.sub(r' ([0-9a-f]+)=([0-9a-f]+)!=([0-9a-f]+)', name, line)


def table(wrong):
    """Prints what `wrong` (name of an emulator -> rows) has to do with differences.txt, as a table; rows that it does not know at the end."""
    print('| rows | | what decides (SDM) | what it does |\n|---|---|---|---|')
    left = {who: set(rows) for who, rows in wrong.items()}
    for line in open(os.path.join(HERE, 'differences.txt')):
        if line.startswith('#'):
            continue
        who, rows, manual, what = line.strip().split(' ; ')
        hit = {r for r in left.get(who, ()) if re.fullmatch(rows, r)}
        if hit:
            left[who] -= hit
            print('| `%s`: %d | %s | %s | %s |' % (rows.replace('|', '\\|'), len(hit), who, manual, what))
    unknown = ['%s: %s' % (who, r) for who in left for r in sorted(left[who])]
    if unknown:
        print('\nnot in differences.txt:\n' + '\n'.join(unknown))
    return not unknown


def main():
    a = argparse.ArgumentParser()
    a.add_argument('binary', nargs='?')
    for o in ('--qemu', '--bochs', '--all', '--rom', '--table'):
        a.add_argument(o, action='store_true')
    a.add_argument('--cpu')
    a.add_argument('--image')
    a.add_argument('--keep')
    a.add_argument('--from', dest='start')
    a.add_argument('--timeout', type=float, default=120)
    a.add_argument('--stall', type=float, default=15)
    args = a.parse_args()
    todo = [('Beige', beige)] if args.binary else []
    todo += [('QEMU', qemu)] if args.qemu else []
    todo += [('Bochs', bochs)] if args.bochs else []
    if not todo:
        a.error('nothing to run on')
    known = True
    with tempfile.TemporaryDirectory(prefix='pm-') as tmp:
        image = args.image or os.path.join(tmp, 'pm.img')
        if not args.image:
            build(image)
        seen = {}
        for who, how in todo:
            lines, stuck = run_all(how, args.binary, image, args)
            rows = {ROW.match(l).group(1): l for l in lines if l.startswith('ROW ')}
            wrong = {name: readable(l) for name, l in rows.items() if not l.endswith(' ok')}
            seen[who] = wrong, len(rows)
            for l in rows.values() if args.all else [] if args.table else wrong.values():
                print('%s: %s' % (who, l))
            last = '%d passed, %d failed' % (len(rows) - len(wrong), len(wrong))
            print('%s: %s' % (who, last) if len(todo) > 1 else last)
        if args.table:
            known = table({who: seen[who][0] for who in seen if who != 'Beige'})
    wrong, rows = seen[todo[0][0]]
    return 0 if rows and known and not wrong else 1


sys.exit(main())
