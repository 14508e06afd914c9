"""Drives an emulator that speaks QMP: starts it, waits for text, types, looks at the screen.

Works with QEMU too (binary name with "qemu" in it), so that a test can be tried on the original.
"""
import json, os, re, shutil, socket, struct, subprocess, tempfile, threading, time, zlib

SHIFTED = dict(zip('!@#$%^&*()_+{}|:"~<>?', '1234567890-=[]\\;\'`,./'))
NAMES = {' ': 'spc', '\n': 'ret', '-': 'minus', '=': 'equal', '.': 'dot', ',': 'comma', '/': 'slash', ';': 'semicolon',
         "'": 'apostrophe', '\\': 'backslash', '[': 'bracket_left', ']': 'bracket_right', '`': 'grave_accent', '\t': 'tab'}


class Failure(Exception):
    """The guest did not do what the test expects."""


class Picture:
    """A PPM screendump."""

    def __init__(self, path):
        with open(path, 'rb') as f:
            data = f.read()
        head = re.match(rb'P6\s+(\d+)\s+(\d+)\s+255\s', data)
        self.width, self.height = int(head[1]), int(head[2])
        self.pixels = data[head.end():]

    def at(self, x, y):
        i = (y * self.width + x) * 3
        return tuple(self.pixels[i:i + 3])

    def __eq__(self, other):
        return (self.width, self.height, self.pixels) == (other.width, other.height, other.pixels)


def png_rows(path):
    """The rows of a PNG of 24 bits a dot, without interlace: bytes of red, green and blue (W3C PNG, ch. 9.2: filters)."""
    with open(path, 'rb') as f:
        data = f.read()
    width, height, depth, colour, _, _, interlace = struct.unpack('>IIBBBBB', data[16:29])
    if (depth, colour, interlace) != (8, 2, 0):
        raise Failure('%s: a PNG of another kind' % path)
    packed, at = b'', 8
    while at < len(data):
        n, kind = struct.unpack('>I4s', data[at:at + 8])
        packed += data[at + 8:at + 8 + n] if kind == b'IDAT' else b''
        at += 12 + n
    lines, above, rows = zlib.decompress(packed), bytearray(width * 3), []

    def paeth(a, b, c):
        return min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
    for y in range(height):
        line = lines[y * (width * 3 + 1):(y + 1) * (width * 3 + 1)]
        row = bytearray()
        for x in range(width * 3):
            a, b, c = (row[x - 3], above[x], above[x - 3]) if x >= 3 else (0, above[x], 0)
            row.append((line[x + 1] + (0, a, b, (a + b) // 2, paeth(a, b, c))[line[0]]) & 0xff)
        rows.append(bytes(row))
        above = row
    return rows


class Machine:
    """One run of an emulator. Use as a context manager: it never leaves a process behind."""

    def __init__(self, binary, args, timeout=900, log=None):
        self.tmp = tempfile.mkdtemp(prefix='guest-')
        self.end = time.monotonic() + timeout
        self.serial = b''
        self.seen = 0
        qmp, ser = self.tmp + '/qmp', self.tmp + '/serial'
        cmd = [binary] + (['-accel', 'tcg'] if 'qemu' in os.path.basename(binary) else []) + [
            '-display', 'none', '-monitor', 'none', '-qmp', 'unix:%s,server,nowait' % qmp,
            '-chardev', 'socket,id=ser0,path=%s,server=on,wait=off' % ser, '-serial', 'chardev:ser0', '-no-reboot', '-S'] + args
        self.err_path = self.tmp + '/stderr'
        self.err = open(self.err_path, 'w')
        self.process = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=self.err, stderr=self.err)
        self.qmp = self._connect(qmp).makefile('rw')
        self.qmp.readline()
        self.events = []
        self.command('qmp_capabilities')
        self.serial_socket = self._connect(ser)
        threading.Thread(target=self._read_serial, daemon=True).start()
        if '-S' not in args:                            # only now does the guest run: a port with nobody there loses bytes
            self.command('cont')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.err.close()
        shutil.rmtree(self.tmp, ignore_errors=True)

    def _connect(self, path):
        s = socket.socket(socket.AF_UNIX)
        for _ in range(400):
            try:
                s.connect(path)
                return s
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise Failure('the emulator did not start: ' + self.stderr())

    def _read_serial(self):
        while True:
            try:
                d = self.serial_socket.recv(4096)
            except OSError:
                return
            if not d:
                return
            self.serial += d

    def stderr(self):
        self.err.flush()
        with open(self.err_path) as f:
            return f.read().strip()

    def command(self, name, **args):
        self.qmp.write(json.dumps({'execute': name, 'arguments': args} if args else {'execute': name}) + '\n')
        self.qmp.flush()
        while True:
            line = self.qmp.readline()
            if not line:
                raise Failure('the emulator ended: ' + self.stderr())
            r = json.loads(line)
            if 'event' in r:
                self.events.append(r)
            elif 'error' in r:
                raise Failure('%s: %s' % (name, r['error']['desc']))
            elif 'return' in r:
                return r['return']

    def monitor(self, line):
        return self.command('human-monitor-command', **{'command-line': line})

    def screen(self):
        """The text screen: all 32 KiB of it, since Linux scrolls by moving the start address."""
        path = self.tmp + '/b8000'
        self.command('pmemsave', val=0xb8000, size=0x8000, filename=path)
        with open(path, 'rb') as f:
            b = f.read()
        rows = []
        for r in range(204):
            row = b[r * 160:r * 160 + 160:2]
            rows.append(''.join(chr(c) if 32 <= c < 127 else ' ' if c in (0, 255) else '#' for c in row).rstrip())
        return '\n'.join(rows).rstrip()

    def wait(self, pattern, where='both', limit=None):
        """Until the text is on the screen or on the serial port (bytes that came after the last match there)."""
        rx = re.compile(pattern)
        end = min(self.end, time.monotonic() + limit) if limit else self.end
        while True:
            if where in ('both', 'serial'):
                m = rx.search(self.serial[self.seen:].decode('latin1'))
                if m:
                    self.seen += m.end()
                    return
            if where in ('both', 'screen') and rx.search(self.screen()):
                return
            if self.process.poll() is not None:
                raise Failure('the emulator ended while waiting for %r: %s' % (pattern, self.stderr()))
            if time.monotonic() > end:
                raise Failure('no %r (%s).\n--- screen\n%s\n--- serial\n%s' % (
                    pattern, where, self.screen()[-2000:], self.serial[-1500:].decode('latin1')))
            time.sleep(0.1)

    def key(self, combo, hold=40):
        self.command('send-key', keys=[{'type': 'qcode', 'data': k} for k in combo.split('-')], **{'hold-time': hold})

    def type(self, text):
        for ch in text:
            if ch in SHIFTED:
                self.key('shift-' + NAMES.get(SHIFTED[ch], SHIFTED[ch]))
            elif ch.isupper():
                self.key('shift-' + ch.lower())
            else:
                self.key(NAMES.get(ch, ch))
            time.sleep(0.03)

    def send(self, text):
        self.serial_socket.sendall(text.encode())

    def picture(self, keep=None):
        path = self.tmp + '/screen.ppm'
        self.command('screendump', filename=path)
        for _ in range(50):                         # QEMU writes it in the background
            if os.path.exists(path) and os.path.getsize(path) > 20:
                break
            time.sleep(0.05)
        time.sleep(0.05)
        p = Picture(path)
        if keep:
            shutil.copy(path, keep)
        os.unlink(path)
        return p

    def wait_exit(self, limit=300):
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise Failure('the emulator did not end: ' + self.screen()[-800:])

    def quit(self):
        try:
            self.command('quit')
        except Failure:
            pass
        return self.wait_exit()
