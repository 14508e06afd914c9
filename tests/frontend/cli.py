#!/usr/bin/env python3
"""The command line, as rows of data: arguments, exit status, and what the one line on standard error says.

usage: cli.py BEIGE PROBE_ROM [NAME...]

Whatever goes wrong, a user gets one line that begins with "beige: " and names the file or option and the cause; the status
is 2 for a wrong command line and 1 for everything else. PROBE_ROM is made from probe.asm.
"""
import json, os, re, resource, socket, subprocess, sys, tempfile, time

BEIGE, ROM = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
PROBE = ['-bios', ROM, '-display', 'none', '--speed', '1']
SHORT = ['-display', 'none', '--limit-insns', '1000']
SERIAL = PROBE + ['-serial', 'stdio', '--limit-time', '2']
EXIT = ['-device', 'isa-debug-exit,iobase=0x501']


def mbr(partition_end):
    sector = bytearray(512)
    sector[0x1be:0x1ce] = bytes([0x80, 0, 1, 0, 0x83, 0, 1, 0]) + (1).to_bytes(4, 'little') + (partition_end - 1).to_bytes(4, 'little')
    sector[510:] = b'\x55\xaa'
    return bytes(sector)


def iso(sectors):
    return bytes(16 * 2048) + b'\x01CD001\x01' + bytes(73) + sectors.to_bytes(4, 'little') + bytes(2048 - 84) + bytes(2048)


# Files in the folder where each command runs. None: a folder.
FILES = {
    'empty': b'', 'tiny': b'x' * 100, 'odd.img': bytes(100000), 'disk.img': bytes(1 << 20), 'floppy.img': bytes(1474560),
    'big.img': bytes(3000320), 'folder': None, 'q.qcow2': b'QFI\xfb' + bytes(65532),
    'cut.img': mbr(4096) + bytes(512 * 2047), 'cut4.img': mbr(40960) + bytes((4 << 20) - 512), 'cut.iso': iso(5000), 'whole.iso': iso(18), 'rom65537': bytes(65537), 'rom100': b'x' * 100,
    'text': b'hello\n', 'in.time': b'soon key a\n', 'in.action': b'# a comment\n\n1.0 key a\n2 keyy b\n', 'in.quote': b'1 type "abc\n',
    'in.key': b'1 key ctrl-nokey\n', 'in.mouse': b'1 mouse 5\n', 'in.port': b'1 serial3 "x"\n', 'in.long': b'1 type "' + b'a' * 5000 + b'"\n',
    'in.umlaut': '1 type "\u00e4"\n'.encode(), 'in.reset': b'1 reset now\n', 'in.change': b'0.01 change ide1-cd0 nowhere.iso\n',
    'in.E': b'0.01 serial0 "E"\n', 'in.T': b'0.01 serial0 "T"\n', 'in.P': b'0.01 serial0 "P"\n', 'in.R': b'0.01 serial0 "R"\n',
    'in.F': b'0.01 serial0 "F"\n', 'in.H': b'0.01 serial0 "H"\n', 'in.quit': b'0.01 quit\n', 'in.dump': b'0.01 screendump no/where.png\n', 'in.W': b'0.01 serial0 "W"\n',
    'in.keys': b'0.02 serial0 "one "\n0.02 serial0 "two\\x21\\n"\n0.1 key shift-a\n0.3 type "b\\t"\n0.3 type "c"\n',
}

# name, arguments, status, regular expression for the last line of standard error (after "beige: ")
ROWS = [
    # ---- images
    ('image missing', ['-hda', 'nowhere.img'], 1, r'nowhere\.img: No such file or directory'),
    ('image missing, by itself', ['nowhere.img'], 1, r'nowhere\.img: No such file or directory'),
    ('image empty', ['-hda', 'empty'], 1, 'empty: the image is empty'),
    ('image that is a folder', ['-hda', 'folder'], 1, 'folder: a directory, not a disk image'),
    ('image of another format', ['-hda', 'q.qcow2'], 1, r'q\.qcow2: a qcow2 image; only raw images .*'),
    ('image of another format, by itself', ['q.qcow2'], 1, r'q\.qcow2: a qcow2 image; only raw images .*'),
    ('disk cut within a sector', ['-hda', 'odd.img'], 1, r'odd\.img: 100000 bytes are no whole number of 512-byte sectors: .*truncated.*'),
    ('disk cut within a partition', ['-hda', 'cut.img'], 1, r'cut\.img: partition 1 ends at sector 4096, the file at 2048: .*truncated.*'),
    ('disk that is cut may be asked for', ['-drive', 'file=cut.img,format=raw'] + SHORT, 4, 'the limit of 1000 instructions was reached'),
    ('CD cut', ['-cdrom', 'cut.iso'], 1, r'cut\.iso: the volume has 5000 sectors of 2048 bytes, the file 18: .*truncated.*'),
    ('CD whole', ['whole.iso'] + SHORT, 4, 'the limit .*'),
    ('floppy shorter than a sector', ['-fda', 'tiny'], 1, 'tiny: 100 bytes are no whole number .*'),
    ('floppy too large', ['-fda', 'big.img'] + SHORT, 1, r'big\.img: 3000320 bytes is larger than any floppy disk'),
    ('image used twice', ['-hda', 'disk.img', '-hdb', 'disk.img'], 1, r'disk\.img: in use by another process or drive; -snapshot .*'),
    ('image shared by -snapshot', ['-hda', 'disk.img', '-hdb', 'disk.img', '-snapshot'] + SHORT, 4, 'the limit .*'),
    ('drive named twice', ['-hda', 'disk.img', '-drive', 'file=disk.img,index=0'], 2, '-drive: ide drive 0 is named twice'),
    ('too many CDs', ['-drive', 'media=cdrom'] * 5, 2, r'-drive: this board has 4 ide drives \(index 0 to 3\)'),
    ('format that is not built', ['-drive', 'file=disk.img,format=qcow2'], 1, r'disk\.img: format=qcow2 is not supported; only raw .*'),
    ('image verb without a word', ['image'], 2, 'image: create, info, convert or check; .*'),
    ('image verb that is none', ['image', 'resize', 'disk.img'], 2, 'image: create, info, convert or check; .*'),
    ('image create without a size', ['image', 'create', 'new.img'], 2, 'image: beige image create FILE SIZE'),
    ('image create with a word too many', ['image', 'create', 'new.img', '1M', 'x'], 2, "image: 'x' is one too many for create"),
    ('image create of another format', ['image', 'create', '-f', 'qcow2', 'new.img', '1M'], 2, 'image: -f qcow2: raw is the only format'),
    ('image create of no size', ['image', 'create', 'new.img', '1X'], 2, "'1X' is not a size; .*"),
    ('image create of half a sector', ['image', 'create', 'new.img', '100'], 2, '100 bytes are no whole number of 512-byte sectors'),
    ('image create over another', ['image', 'create', 'disk.img', '1M'], 1, r'disk\.img: exists already'),
    ('image create in no folder', ['image', 'create', 'no/new.img', '1M'], 1, 'no/new.img: cannot create: No such file or directory'),
    ('image info of nothing', ['image', 'info', 'nowhere'], 1, 'nowhere: No such file or directory'),
    ('image info of another format', ['image', 'info', 'q.qcow2'], 1, r'q\.qcow2: a qcow2 image; .*'),
    ('image check of a cut disk', ['image', 'check', 'cut4.img'], 1, r'cut4\.img: partition 1 ends at sector 40960, .*'),
    ('image check of a cut CD', ['image', 'check', 'cut.iso'], 1, r'cut\.iso: the volume has 5000 sectors .*'),
    ('image convert over another', ['image', 'convert', 'disk.img', 'floppy.img'], 1, r'floppy\.img: exists already'),
    # ---- firmware and kernels
    ('ROM missing', ['-bios', 'nowhere'] + SHORT, 1, r'nowhere: not found here, or in .*'),
    ('ROM empty', ['-bios', 'empty'] + SHORT, 1, 'empty: .*empty.*'),
    ('ROM too short', ['-bios', 'rom100'] + SHORT, 1, 'rom100: 100 bytes; a system ROM has .*'),
    ('ROM of a wrong size', ['-bios', 'rom65537'] + SHORT, 1, 'rom65537: 65537 bytes; a system ROM has .*'),
    ('kernel missing', ['-kernel', 'nowhere'] + SHORT, 1, '.*nowhere: No such file or directory'),
    ('kernel that is none', ['-kernel', 'disk.img'] + SHORT, 1, r'.*disk\.img: neither a Linux kernel .* nor a multiboot 1 kernel'),
    ('initrd without a kernel', ['-initrd', 'text'] + SHORT, 2, '-initrd needs -kernel'),
    ('command line without a kernel', ['-append', 'quiet'] + SHORT, 2, '-append needs -kernel'),
    # ---- options
    ('unknown option', ['-snapshut'], 2, "unknown option '-snapshut'; the nearest is '-snapshot'"),
    ('unknown long option', ['--limit-insn', '5'], 2, "unknown option '--limit-insn'; the nearest is '-limit-insns'"),
    ('hardware virtualization', ['-enable-kvm'], 2, "-enable-kvm: 'kvm': guests run in software only, .*"),
    ('option without its value', ['-hda'], 2, "option '-hda' needs a value: -hda FILE"),
    ('option with a value it has not', ['-S=1'], 2, "option '-S' takes no value"),
    ('two files', ['a', 'b'], 2, "one FILE only .*"),
    ('unknown CPU', ['-cpu', 'pentum'] + SHORT, 2, '-cpu: unknown model .*pentum.*pentium.*'),
    ('unknown CPU feature', ['-cpu', 'pentium,+foo'] + SHORT, 2, '-cpu: unknown feature .*foo.*'),
    ('unknown device', ['-device', 'isa-debugcom'], 2, r"-device: unknown device 'isa-debugcom'; the nearest is 'isa-debugcon' .*"),
    ('unknown property', ['-device', 'isa-debug-exit,iobse=1'], 2, "-device: unknown property 'iobse'; the nearest is 'iobase'"),
    ('property out of range', ['-device', 'isa-debug-exit,iobase=65536'], 2, '-device: iobase=65536 is not between 0 and 65535'),
    ('device without its chardev', ['-device', 'isa-debugcon'], 2, '-device: isa-debugcon wants chardev=ID'),
    ('unknown drive property', ['-drive', 'file=disk.img,fmt=raw'], 2, "-drive: unknown property 'fmt'; the nearest is .*"),
    ('disk without a file', ['-drive', 'if=ide'], 2, '-drive: a disk wants file='),
    ('interface not built', ['-drive', 'file=disk.img,if=virtio'], 2, r'-drive: if=virtio is not built \(ide, floppy\)'),
    ('memory that is no size', ['-m', 'lots'], 2, r"-m: 'lots' is not a size .*"),
    ('no memory', ['-m', '0'] + SHORT, 2, '-m: this board takes 1 to .* MiB of RAM'),
    ('too much memory', ['-m', '64G'] + SHORT, 2, '-m: this board takes 1 to .* MiB of RAM'),
    ('virtualization', ['-accel', 'kvm'], 2, "-accel: 'kvm': guests run in software only, .*"),
    ('virtualization, otherwise', ['-machine', 'pc,accel=kvm:tcg'], 2, "-machine: 'kvm': guests run in software only, .*"),
    ('board not built', ['-M', 'q35'], 2, r"-machine: 'q35' is not built \(pc\)"),
    ('several CPUs', ['-smp', '2'], 2, '-smp: more than one CPU is not built'),
    ('several CPUs, otherwise', ['-smp', 'cpus=1,cores=2'], 2, '-smp: more than one CPU is not built'),
    ('one CPU, the long way', ['-smp', '1,maxcpus=1,sockets=1,cores=1,threads=1'] + SHORT, 4, 'the limit .*'),
    ('one CPU, spelt wrong', ['-smp', '1,core=1'], 2, "-smp: unknown property 'core'; the nearest is 'cores'"),
    ('debug exit twice', EXIT + EXIT, 2, '-device: isa-debug-exit: there is one already'),
    ('debug exit on a port of another chip', ['-device', 'isa-debug-exit,iobase=0x60'] + SHORT, 2, '-device isa-debug-exit: port 60h belongs to kbc'),
    ('debug exit beyond the last port', ['-device', 'isa-debug-exit,iobase=0xffff'] + SHORT, 2, '-device isa-debug-exit: ports ffffh to 10000h: .*'),
    ('two consoles on one port', ['-debugcon', 'null'] * 2 + SHORT, 2, '-device isa-debugcon: port e9h belongs to debugcon0'),
    ('disk without a name', ['-hda', ''], 2, '-hda: wants FILE'),
    ('CPU without a name', ['-cpu', ''], 2, '-cpu: wants MODEL'),
    ('save without a name', ['--save', ''], 2, '-save: wants FILE'),
    ('network', ['-nic', 'user'], 2, r'-nic: networking is not built \(none\)'),
    ('VNC', ['-vnc', ':1'], 2, "option '-vnc' is not built yet"),
    ('display not built', ['-display', 'gtk'], 2, r"-display: 'gtk' is not built \(sdl, none\)"),
    ('adapter not built', ['-vga', 'cirrus'], 2, r"-vga: 'cirrus' is not built \(std, none\)"),
    ('boot order', ['-boot', 'x'], 2, "-boot: 'x' is no boot order; letters are .*"),
    ('date', ['-rtc', 'base=tomorrow'] + SHORT, 2, '-rtc base=tomorrow: utc, localtime, or a date like .*'),
    ('UUID', ['-uuid', 'x'] + SHORT, 2, '-uuid x: not a UUID'),
    ('UUID that is too long', ['-uuid', '12345678-1234-1234-1234-123456789abc0'] + SHORT, 2, '-uuid .*: not a UUID'),
    ('UUID with its dashes elsewhere', ['-uuid', '1234567-81234-1234-1234-123456789abc'] + SHORT, 2, '-uuid .*: not a UUID'),
    ('speed', ['--speed', 'fast'], 2, "-speed: 'fast': max, real, or .*"),
    ('limit', ['--limit-insns', 'many'], 2, "-limit-insns: 'many' is not a number"),
    ('timeout', ['--timeout', '-1'], 2, "-timeout: '-1' is not a number of seconds"),
    ('log item', ['-d', 'everything'], 2, r"-d: unknown item 'everything' .*"),
    ('trace event', ['-trace', 'nothing*'], 2, r"-trace: no trace event matches 'nothing\*'"),
    ('log file', ['-D', 'no/where'], 2, '-D: no/where: No such file or directory'),
    ('pid file', ['-pidfile', 'no/where'] + SHORT, 1, 'no/where: No such file or directory'),
    ('help on nothing', ['help', 'nothing'], 2, "there is no help on 'nothing'; .*"),
    # ---- character devices
    ('unknown character device', ['-serial', 'foo'], 2, r"-serial: 'foo' is no character device \(.*"),
    ('unknown monitor device', ['-qmp', 'foo'], 2, r"-qmp: 'foo' is no character device \(.*"),
    ('unknown chardev kind', ['-chardev', 'bogus,id=a'], 2, r"-chardev: unknown kind 'bogus' \(.*"),
    ('chardev without id', ['-chardev', 'null'], 2, '-chardev: null wants id='),
    ('chardev twice', ['-chardev', 'null,id=a', '-chardev', 'null,id=a'], 2, '-chardev: id=a is named twice'),
    ('chardev that is missing', ['-serial', 'chardev:a'] + SHORT, 2, r'-chardev: there is none with id=a \(for serial0\)'),
    ('chardev with two users', ['-chardev', 'null,id=a', '-serial', 'chardev:a', '-parallel', 'chardev:a'] + SHORT, 2,
     "-chardev: 'a' cannot serve parallel0, it has a user already"),
    ('file in no folder', ['-serial', 'file:no/where'] + SHORT, 1, 'serial0: no/where: No such file or directory'),
    ('socket without an address', ['-chardev', 'socket,id=a'], 2, '-chardev: a socket wants path=, or host= and port='),
    ('socket without a name', ['-qmp', 'unix:,server,nowait'], 2, "-qmp: 'unix:,server,nowait': unix wants PATH"),
    ('socket without a name, otherwise', ['-chardev', 'socket,id=a,path='], 2, '-chardev: a socket wants path=, or host= and port='),
    ('port that there is not', ['-serial', 'tcp:localhost:99999'] + SHORT, 1, 'tcp:localhost:99999: ports go up to 65535'),
    ('nobody listens', ['-serial', 'unix:nobody'] + SHORT, 1, 'unix:nobody: cannot connect: No such file or directory'),
    ('name of a file for a socket', ['-qmp', 'unix:text,server,nowait'] + SHORT, 1, 'unix:text: there is a file of that name, .*'),
    ('stdio twice', ['-serial', 'stdio', '-monitor', 'stdio'] + SHORT, 1, 'compat_monitor0: stdio is taken by another character device .*'),
    # ---- input files
    ('inputs missing', ['--input', 'nowhere'] + SHORT, 1, 'nowhere: No such file or directory'),
    ('inputs from a folder', ['--input', 'folder'] + SHORT, 1, 'folder: Is a directory'),
    ('time', ['--input', 'in.time'] + SHORT, 1, r'in\.time:1: a line begins with a time in seconds and a blank'),
    ('action', ['--input', 'in.action'] + SHORT, 1, r"in\.action:4: unknown action 'keyy'; the nearest is 'key'"),
    ('text not closed', ['--input', 'in.quote'] + SHORT, 1, r'in\.quote:1: type wants: type "TEXT"'),
    ('unknown key', ['--input', 'in.key'] + SHORT, 1, r"in\.key:1: unknown key 'nokey'"),
    ('half a movement', ['--input', 'in.mouse'] + SHORT, 1, r'in\.mouse:1: mouse wants: mouse DX DY \[DZ\]'),
    ('port that is not there', ['--input', 'in.port'] + SHORT, 1, r'in\.port:1: this machine has no serial port 3'),
    ('line too long', ['--input', 'in.long'] + SHORT, 1, r'in\.long:1: longer than 4094 characters'),
    ('no key for it', ['--input', 'in.umlaut'] + SHORT, 1, r'in\.umlaut:1: a US keyboard has no key for a character of the text'),
    ('argument too many', ['--input', 'in.reset'] + SHORT, 1, r'in\.reset:1: reset takes no arguments'),
    ('medium missing at its time', PROBE + ['--input', 'in.change', '--limit-time', '1'], 1, r'--input: nowhere\.iso: No such file or directory'),
    ('picture in no folder', PROBE + ['--input', 'in.dump', '--limit-time', '1'], 1,
     r'--input: no/where\.png: cannot write the picture: No such file or directory'),
    # ---- saves
    ('save missing', ['--load', 'nowhere'] + SHORT, 1, 'nowhere: cannot load: No such file or directory'),
    ('save that is none', ['--load', 'text'] + SHORT, 1, 'text: not a saved machine'),
    ('save empty', ['--load', 'empty'] + SHORT, 1, 'empty: not a saved machine'),
    ('save in no folder', PROBE + ['--save', 'no/where', '--limit-insns', '1000'], 1, 'no/where: cannot save: No such file or directory'),
    # ---- devices and files for the guest
    ('device as JSON', SERIAL + ['-device', '{"driver":"isa-debug-exit","iobase":1281,"iosize":4}', '--input', 'in.E'], 33, 'the guest wrote 16 .*'),
    ('device as bad JSON', ['-device', '{"driver":"isa-debug-exit","iobase":[1]}'], 2, r"-device: '\{.*\}' is no JSON object .*"),
    ('device as no JSON', ['-device', '{"driver"'], 2, r"-device: '\{.*' is no JSON object .*"),
    ('file for the guest, name', ['-fw_cfg', 'name=etc/x,string=y'], 2, r"-fw_cfg: 'etc/x': a name begins with opt/ .*"),
    ('file for the guest, missing', ['-fw_cfg', 'opt/x,file=nowhere'], 1, 'nowhere: No such file or directory'),
    ('file for the guest, nothing', ['-fw_cfg', 'opt/x'], 2, '-fw_cfg: wants .*'),
    ('file for the guest, twice', ['-fw_cfg', 'opt/x,string=a', '-fw_cfg', 'opt/x,string=a'], 2, "-fw_cfg: 'opt/x' is given twice"),
    # ---- exit statuses
    ('power off', SERIAL + ['--input', 'in.P'], 0, 'the guest powered off'),
    ('quit', SERIAL + ['--input', 'in.quit'], 0, '--input asked to quit'),
    ('triple fault', SERIAL + ['-no-reboot', '--input', 'in.T'], 3, 'the guest crashed: .*triple fault.*'),
    ('reset', SERIAL + ['-no-reboot', '--input', 'in.R'], 0, r'the guest asked for a reset \(-no-reboot\)'),
    ('debug exit', SERIAL + EXIT + ['--input', 'in.E'], 33, 'the guest wrote 16 to the debug-exit port'),
    ('limit of instructions', PROBE + ['--limit-insns', '12345'], 4, 'the limit of 12345 instructions was reached'),
    ('limit of virtual time', PROBE + ['--limit-time', '0.5'], 4, r'the limit of 0\.500000 virtual seconds was reached'),
    ('limit of time', PROBE + ['--speed', 'real', '--timeout', '0.2'], 4, r'the timeout of 0\.2 seconds was reached'),
    ('limit of time, stopped', PROBE + ['-S', '--timeout', '0.2'], 4, r'the timeout of 0\.2 seconds was reached'),
]

# name, arguments, regular expressions that standard output must match
TELLS = [
    ('--help', ['--help'], ['usage: beige', '-hda FILE', '--?limit-insns', 'beige help TOPIC']),
    ('-h', ['-h'], ['usage: beige']),
    ('help', ['help'], ['usage: beige']),
    ('help on an option', ['help', '-drive'], ['-drive PROP=VALUE', 'readonly=on']),
    ('help on input files', ['help', 'input'], ['serialN "TEXT"', 'screendump FILE']),
    ('--version', ['--version'], [r'^beige \d+\.\d+\.\d+$']),
    ('-cpu help', ['-cpu', 'help'], ['8086 ', '486 ', r'pentium4 .* \(default\)']),
    ('-device help', ['-device', 'help'], ['isa-debugcon', 'isa-debug-exit']),
    ('-device NAME,help', ['-device', 'isa-debug-exit,help'], ['iobase=', 'iosize=']),
    ('-machine help', ['-machine', 'help'], ['^pc ']),
    ('-trace help', ['-trace', 'help'], [r'\w+']),
    ('image --help', ['image', '--help'], ['^beige image create FILE SIZE', '^beige image check FILE']),
    ('image info --help', ['image', 'info', '--help'], ['^    beige image info disk.img']),
    ('help images', ['help', 'images'], ['beige image create disk.img 2G']),
    ('--man', ['--man'], [r'^\.TH beige 1', r'^\.SH INPUT FILES', r'limit\\-insns']),
]


def run(args, **more):
    return subprocess.run([BEIGE] + args, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, **more)


def said(result):
    lines = [x for x in result.stderr.decode().split('\n') if x]
    return lines[-1] if lines else '', lines


def check_row(args, status, pattern):
    r = run(args)
    last, lines = said(r)
    if r.returncode != status:
        return 'status %d, not %d: %s' % (r.returncode, status, ' | '.join(lines)[:1000])
    if not re.fullmatch('beige: ' + pattern, last):
        return 'said %r' % last
    if status in (1, 2) and len([x for x in lines if x.startswith('beige: ')]) > 1 and not lines[0].endswith('image'):
        return 'said more than one line: %r' % lines
    return None


def check_tells(args, patterns):
    r = run(args)
    out = r.stdout.decode()
    if r.returncode or r.stderr:
        return 'status %d, %r' % (r.returncode, r.stderr)
    missing = [p for p in patterns if not re.search(p, out, re.M)]
    return 'does not tell %s' % missing if missing else None


# ---- what needs more than arguments

def limit_files(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def save_on_a_full_disk():
    r = run(PROBE + ['--save', 'machine.sav', '--limit-insns', '5000'], preexec_fn=limit_files(100))
    if r.returncode != 1 or not re.fullmatch(r'beige: machine\.sav: cannot save: .*', said(r)[0]):
        return '%d %r' % (r.returncode, said(r))
    return 'half a save is left over' if os.path.exists('machine.sav') else None


def serial_file_on_a_full_disk():
    r = run(PROBE + ['-serial', 'file:out', '--input', 'in.W', '--limit-time', '2'], preexec_fn=limit_files(1000))
    if r.returncode != 4 or os.path.getsize('out') != 1000:
        return '%d, %d bytes: %r' % (r.returncode, os.path.getsize('out'), said(r))
    lost = [x for x in said(r)[1] if 'output is lost' in x]
    return None if len(lost) == 1 else 'said %r' % lost


def port_in_use():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen()
        port = s.getsockname()[1]
        for option in '-qmp', '-serial', '-monitor':
            r = run([option, 'tcp:127.0.0.1:%d,server,nowait' % port] + SHORT)
            want = 'beige: tcp:127.0.0.1:%d: cannot listen: Address already in use' % port
            if r.returncode != 1 or said(r)[0] != want:
                return '%s: %d %r' % (option, r.returncode, said(r))
    return None


def read_only_image():
    os.chmod('disk.img', 0o444)
    try:
        for args, status, want in [
                (['-hda', 'disk.img'], 1, r'beige: disk\.img: may not be written \(Permission denied\); use -snapshot or readonly=on'),
                (['-fda', 'disk.img'] + SHORT, 4, 'beige: the limit .*'), (['-hda', 'disk.img', '-snapshot'] + SHORT, 4, 'beige: the limit .*'),
                (['-drive', 'file=disk.img,readonly=on'] + SHORT, 4, 'beige: the limit .*')]:
            drop = {'user': 65534, 'group': 65534, 'extra_groups': []} if os.geteuid() == 0 else {}
            # Leaks cannot be looked for by a process that changed its user.
            r = run(args, env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'), **drop)
            if r.returncode != status or not re.fullmatch(want, said(r)[0]):
                return '%s: %d %r' % (args, r.returncode, said(r))
    finally:
        os.chmod('disk.img', 0o644)
    return None


def boot_once_leaves_the_cmos_at_the_first_reset():
    """A BIOS of the user's own finds the order in CMOS 3Dh: 1 is the floppy, 2 the disk, 3 the CD. Later it is the guest's."""
    look = 'o /b 0x70 0x3d\ni /b 0x71\n'
    lines = look + 'system_reset\n' + look + 'o /b 0x70 0x3d\no /b 0x71 0x31\nsystem_reset\n' + look + 'quit\n'
    r = subprocess.run([BEIGE] + PROBE + ['-S', '-monitor', 'stdio', '-boot', 'order=c,once=da'], input=lines.encode(), capture_output=True,
                       timeout=120)
    got = re.findall(r'= (0x\w\w)', r.stdout.decode())
    return None if got == ['0x13', '0x02', '0x31'] else repr(got)


def full_standard_output():
    with open('/dev/full', 'wb') as full:
        r = subprocess.run([BEIGE] + PROBE + ['--limit-insns', '1000', '--state-hash'], stdin=subprocess.DEVNULL, stdout=full,
                           stderr=subprocess.PIPE, timeout=120)
    want = 'beige: --state-hash: cannot write to standard output: No space left on device'
    return None if r.returncode == 1 and said(r)[0] == want else '%d %r' % (r.returncode, said(r))


def waiting_for_a_connection_ends_at_a_signal():
    import signal
    p = subprocess.Popen([BEIGE] + PROBE + ['-serial', 'unix:waited,server'], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = p.stderr.readline()
    p.send_signal(signal.SIGINT)
    _, err = p.communicate(timeout=30)
    return None if p.returncode == 1 and err == b'beige: interrupted\n' and b'waiting' in said else '%d %r %r' % (p.returncode, said, err)


def an_address_may_stand_in_brackets():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen()
        port = s.getsockname()[1]
        r = run(PROBE + ['-serial', 'tcp:[127.0.0.1]:%d' % port, '--limit-insns', '1000'])
    return None if r.returncode == 4 else '%d %r' % (r.returncode, said(r))


def no_display():
    env = {k: v for k, v in os.environ.items() if k not in ('DISPLAY', 'WAYLAND_DISPLAY', 'SDL_VIDEODRIVER')}
    r = run(['--limit-insns', '1000'], env=env)
    return None if r.returncode == 1 and re.search('-display none|no window', said(r)[0]) else '%d %r' % (r.returncode, said(r))


def signals_ask_to_quit():
    import signal
    for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        p = subprocess.Popen([BEIGE] + PROBE + ['-serial', 'stdio', '--speed', 'real'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        p.stdout.read(5)
        p.send_signal(number)
        out, err = p.communicate(timeout=30)
        if p.returncode or not re.search(rb'beige: asked to quit by signal %d ' % number, err):
            return '%d %r' % (p.returncode, err)
    return None


def checkpoints_bring_the_state_back():
    p = subprocess.Popen([BEIGE] + PROBE + ['-S', '-monitor', 'stdio'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in 'hash', 'checkpoint a', 'cont', None, 'stop', 'hash', 'restore a', 'hash', 'restore b', 'info checkpoints', 'quit':
        if line is None:
            time.sleep(0.5)
        else:
            p.stdin.write(line.encode() + b'\n')
            p.stdin.flush()
    out, err = p.communicate(timeout=60)
    hashes = re.findall(r'([0-9a-f]{64}) at instruction (\d+)', out.decode())
    good = len(hashes) == 3 and hashes[0] == hashes[2] != hashes[1] and hashes[0][1] == '0' != hashes[1][1]
    text = out.decode()
    return None if good and "no checkpoint 'b'" in text and re.search(r'^a +0\.0+ s, 0 instructions', text, re.M) else '%r %r' % (out, err)


def image_verb_makes_copies_and_tells():
    """What is not zero arrives, what is zero takes no room, and nothing is left over from a copy that failed."""
    made = run(['image', 'create', '-f', 'raw', 'new.img', '1.44M'])
    if made.returncode or made.stdout != b'new.img: raw, 1.4 MiB, empty\n' or open('new.img', 'rb').read() != bytes(1474560):
        return repr(made)
    data = mbr(40960) + bytes(9 << 20) + b'end' + bytes((20 << 20) - (9 << 20) - 512 - 3)
    with open('from.img', 'wb') as f:
        f.write(data)
    copied = run(['image', 'convert', '-O', 'raw', 'from.img', 'to.img'])
    if copied.returncode or open('to.img', 'rb').read() != data or os.stat('to.img').st_blocks * 512 > 4 << 20:
        return '%r, %d blocks' % (copied, os.stat('to.img').st_blocks)
    told = run(['image', 'info', 'to.img']).stdout.decode()
    if not re.fullmatch(r'to\.img: raw, hard disk, 20 MiB \(20971520 bytes\), .* on the host\'s disk\n'
                        r'  partition 1: type 83h, sectors 1 to 40959, 20\.0 MiB, active\n', told):
        return repr(told)
    if json.loads(run(['image', 'info', '--output=json', 'to.img']).stdout)['virtual-size'] != 20 << 20:
        return 'no JSON'
    if b"volume '', does not boot" not in run(['image', 'info', 'whole.iso']).stdout:
        return repr(run(['image', 'info', 'whole.iso']).stdout)
    if run(['image', 'check', 'to.img']).stdout != b'to.img: hard disk, no errors found\n':
        return 'check: %r' % run(['image', 'check', 'to.img'])
    full = run(['image', 'convert', 'from.img', 'full.img'], preexec_fn=limit_files(1 << 20))
    if full.returncode != 1 or not re.search(r'full\.img: cannot (make|write)', said(full)[0]) or os.path.exists('full.img'):
        return repr(full)
    return None


def input_gives_the_same_run_whatever_interrupts_it():
    """Keys and bytes at their times: the same output and state in one go, and with a save in the middle of a text."""
    common = PROBE + ['-serial', 'stdio', '--input', 'in.keys', '--state-hash']
    whole = run(common + ['--limit-time', '1'])
    text = whole.stdout.decode()
    if 'one two!' not in text or not re.search(r'k2a k1e k9e kaa .*k30 kb0 k0f k8f k2e kae', text.replace('\n', ' ')):
        return 'the guest saw %r' % text
    for at in '0.0215', '0.0231', '0.12', '0.35', '0.42':
        first = run(common + ['--limit-time', at, '--save', 'middle.sav'])
        rest = run(common + ['--limit-time', '1', '--load', 'middle.sav'])
        # The hash and the count come last; what the guest said before the save is in the first half.
        if rest.stdout.split()[-2:] != whole.stdout.split()[-2:] or first.stdout.split()[-2:] == whole.stdout.split()[-2:]:
            return 'saved at %s: %r, in one go %r' % (at, rest.stdout[-120:], whole.stdout[-120:])
    return None


def files_reach_the_guest():
    r = run(SERIAL + ['--input', 'in.F', '-fw_cfg', 'name=opt/org.beige/a,file=text', '-fw_cfg', 'opt/b,string=one,,two'])
    return None if b'pt/org.beige/a=hello\n\0\0\npt/b=one,two\0\n' in r.stdout.replace(b'\r', b'') else repr(r.stdout)


def a_saved_machine_wants_the_media_it_had():
    """Changes by --input are made again; another, a changed, a missing and a surplus image are refused."""
    with open('other.img', 'wb') as f:
        f.write(bytes(737280))
    with open('in.media', 'w') as f:
        f.write('0.01 change floppy0 other.img\n0.02 button left down\n0.3 mouse 5 5\n')
    for mode in [], ['-snapshot']:
        common = PROBE + ['-fda', 'floppy.img', '--input', 'in.media', '--state-hash'] + mode
        whole = run(common + ['--limit-time', '0.5'])
        for at in '0.005', '0.015', '0.2':
            run(common + ['--limit-time', at, '--save', 'media.sav'])
            rest = run(common + ['--limit-time', '0.5', '--load', 'media.sav'])
            if rest.stdout != whole.stdout or not whole.stdout:
                return '%s saved at %s: %r, in one go %r' % (mode, at, said(rest), whole.stdout)
        load = PROBE + mode + ['--load', 'media.sav', '--limit-time', '0.5']
        for drives, why in (['-fda', 'floppy.img'], r'media\.sav: .*floppy0.*'), ([], r'media\.sav: .*floppy0.*'), \
                (['-fda', 'other.img', '-fdb', 'floppy.img'], r'media\.sav: floppy1 was empty when the machine was saved'):
            refused = run(load + drives)
            if refused.returncode != 1 or not re.search(why, said(refused)[0]):
                return '%s %s: %d %s' % (mode, drives, refused.returncode, said(refused)[0])
        with open('other.img', 'r+b') as f:
            f.write(b'changed' + bytes([len(mode)]))
        refused = run(load + ['-fda', 'other.img'])
        if refused.returncode != 1 or not re.search('changed since', said(refused)[0]):
            return '%s changed: %d %s' % (mode, refused.returncode, said(refused)[0])
    return None


def a_saved_machine_wants_what_it_was_given():
    """ROMs, kernel and files for the guest are no part of a save: others are refused, whichever way they differ."""
    with open('other.rom', 'wb') as f, open(ROM, 'rb') as rom:
        f.write(bytes(1) + rom.read()[1:])
    given = ['-fw_cfg', 'opt/a,file=given', '-name', 'one', '-boot', 'order=c,once=a']
    with open('given', 'w') as f:
        f.write('what the guest may read')
    r = run(PROBE + given + ['--limit-time', '0.01', '--save', 'given.sav'])
    if r.returncode != 4:
        return '%d %r' % (r.returncode, said(r))
    end = ['--limit-time', '0.02', '--load', 'given.sav']
    if run(PROBE + given + end).returncode != 4:
        return 'the same options are refused'
    for args, what in ((['-fw_cfg', 'opt/a,string=other'] + given[2:], '-fw_cfg opt/a'), (given[2:], '-fw_cfg opt/a'),
                       (['-fw_cfg', 'opt/a,string=what the guest may read'] + given[2:], None),
                       (given + ['-fw_cfg', 'opt/b,string='], '-fw_cfg opt/b'), (['-fw_cfg', 'opt/0,string='] + given, '-fw_cfg opt/0'),
                       (given[:2] + given[4:], '-name, -uuid or -cpu'), (given[:5] + ['order=c'], '-boot'), (given[:5] + ['order=d,once=a'], '-boot'),
                       (given + ['-uuid', '12345678-1234-1234-1234-123456789abc'], '-uuid'),
                       (given + ['-bios', 'other.rom'], 'system firmware (-bios, -L)')):
        r = run(PROBE + args + end)
        want = (1, 'beige: given.sav: was saved with another %s: give the same options and files' % what) if what else \
            (4, 'beige: the limit of 0.020000 virtual seconds was reached')
        if (r.returncode, said(r)[0]) != want:
            return '%s: %d %r' % (args, r.returncode, said(r)[0])
    with open('given', 'a') as f:
        f.write('.')
    r = run(PROBE + given + end)
    return None if r.returncode == 1 and 'another -fw_cfg opt/a:' in said(r)[0] else repr(said(r)[0])


def the_demonstration_is_saved_and_loaded():
    """No option names its floppy: it is there again without one."""
    first = run(['-display', 'none', '--limit-insns', '100000', '--save', 'demo.sav'])
    rest = run(['-display', 'none', '--limit-insns', '120000', '--load', 'demo.sav'])
    return None if first.returncode == rest.returncode == 4 else '%r, %r' % (said(first), said(rest))


SPECIAL = [checkpoints_bring_the_state_back, image_verb_makes_copies_and_tells, files_reach_the_guest, a_saved_machine_wants_the_media_it_had, a_saved_machine_wants_what_it_was_given,
           the_demonstration_is_saved_and_loaded, save_on_a_full_disk, serial_file_on_a_full_disk, port_in_use, read_only_image,
           boot_once_leaves_the_cmos_at_the_first_reset, full_standard_output, waiting_for_a_connection_ends_at_a_signal, an_address_may_stand_in_brackets, no_display, signals_ask_to_quit,
           input_gives_the_same_run_whatever_interrupts_it]


def main():
    tests = [(n, lambda a=a, s=s, p=p: check_row(a, s, p)) for n, a, s, p in ROWS]
    tests += [(n, lambda a=a, p=p: check_tells(a, p)) for n, a, p in TELLS]
    tests += [(f.__name__.replace('_', ' '), f) for f in SPECIAL]
    if sys.argv[3:]:
        tests = [t for t in tests if t[0] in sys.argv[3:]]
    failed = 0
    with tempfile.TemporaryDirectory(prefix='beige-cli-') as folder:
        os.chmod(folder, 0o755)
        os.chdir(folder)
        for name, data in FILES.items():
            if data is None:
                os.mkdir(name)
            else:
                with open(name, 'wb') as f:
                    f.write(data)
        for name, test in tests:
            try:
                why = test()
            except subprocess.TimeoutExpired:
                why = 'did not end'
            if why:
                failed += 1
                print('FAILED %s: %s' % (name, why))
        os.chdir('/')
    print('%d passed, %d failed' % (len(tests) - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
