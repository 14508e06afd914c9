#!/usr/bin/env python3
"""The window, on an X server of its own: keys, hot keys, shape, title, cost when idle. Skipped (status 77) without Xvfb,
xdotool or ImageMagick.

usage: window.py BEIGE PROBE_ROM [NAME...]
"""
import ctypes, os, re, shutil, subprocess, sys, tempfile, time

BEIGE, ROM = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
PROBE = ['-bios', ROM, '-serial', 'stdio', '--speed', 'real', '-cpu', '486', '-name', 'Under test']


class Failure(Exception):
    pass


def x(*args):
    return subprocess.run(['xdotool'] + [str(a) for a in args], capture_output=True, text=True).stdout.strip()


def ask_to_close(window):
    """What a window manager sends when the close button is pressed: WM_DELETE_WINDOW."""
    class Message(ctypes.Structure):
        _fields_ = [('type', ctypes.c_int), ('serial', ctypes.c_ulong), ('send_event', ctypes.c_int), ('display', ctypes.c_void_p),
                    ('window', ctypes.c_ulong), ('message_type', ctypes.c_ulong), ('format', ctypes.c_int),
                    ('data', ctypes.c_long * 5), ('pad', ctypes.c_long * 16)]
    lib = ctypes.CDLL('libX11.so.6')
    lib.XOpenDisplay.restype = ctypes.c_void_p
    lib.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(lib.XOpenDisplay(None))
    atom = lambda name: lib.XInternAtom(display, name, 0)
    m = Message(type=33, window=window, message_type=atom(b'WM_PROTOCOLS'), format=32)
    m.data[0] = atom(b'WM_DELETE_WINDOW')
    lib.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(m))
    lib.XCloseDisplay(display)


def until(what, test, limit=60):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        value = test()
        if value:
            return value
        time.sleep(0.05)
    raise Failure('no ' + what)


class Window:
    """Beige in a window that has the keyboard."""

    def __init__(self, args):
        self.out = tempfile.TemporaryFile()
        self.err = tempfile.TemporaryFile()
        # SDL and its libraries keep memory that they never free.
        env = dict(os.environ, ASAN_OPTIONS='detect_leaks=0', SDL_RENDER_DRIVER='software')
        self.p = subprocess.Popen([BEIGE] + args, stdin=subprocess.PIPE, stdout=self.out, stderr=self.err, env=env)
        self.id = until('window', lambda: x('search', '--onlyvisible', '--pid', self.p.pid).split('\n')[-1])
        until('focus', lambda: x('windowfocus', self.id) == '' and x('getwindowfocus') == self.id)
        time.sleep(0.3)                                           # SDL hears of it, too

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()

    def text(self, f):
        return os.pread(f.fileno(), 100000, 0).decode()

    def wait_output(self, pattern):
        until('%r in %r' % (pattern, self.text(self.out)), lambda: re.search(pattern, self.text(self.out)))

    def title(self):
        return x('getwindowname', self.id)

    def size(self):
        return tuple(int(n) for n in re.search(r'Geometry: (\d+)x(\d+)', x('getwindowgeometry', self.id)).groups())

    def pixels(self, crop):
        """Colours and their shares in a part of the window (WxH+X+Y)."""
        r = subprocess.run(['import', '-window', self.id, '-crop', crop, '-depth', '8', 'rgb:-'], capture_output=True).stdout
        return [r[i:i + 3] for i in range(0, len(r), 3)]

    def cpu(self):
        with open('/proc/%d/stat' % self.p.pid) as f:
            fields = f.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def ended(self, status, said):
        try:
            got = self.p.wait(20)
        except subprocess.TimeoutExpired:
            raise Failure('did not end')
        if got != status or said not in self.text(self.err):
            raise Failure('status %d: %s' % (got, self.text(self.err)))


def keys_reach_the_guest_by_their_place():
    with Window(PROBE) as w:
        w.wait_output('ready')
        x('key', 'a')
        w.wait_output('k1e k9e')
        x('keydown', 'shift', 'key', 'z', 'keyup', 'shift')
        w.wait_output('k2a k2c kac kaa')
        x('key', 'Right')
        w.wait_output('ke0 k4d ke0 kcd')


def hot_keys_grab_and_quit():
    with Window(PROBE) as w:
        w.wait_output('ready')
        until('keyboard', lambda: x('key', 'F1') + w.text(w.out).partition('k3b')[1])      # SDL knows that it has it
        until('title', lambda: w.title().startswith('Under test'))
        x('key', 'ctrl+alt+g')
        until('grab', lambda: 'Ctrl+Alt+G' in w.title())
        w.wait_output('k1d k38 .*k9d|k38 k1d .*k9d')              # the guest is not left with keys down
        x('key', 'ctrl+alt+g')
        until('release', lambda: 'Ctrl+Alt+G' not in w.title())
        x('key', 'ctrl+alt+q')
        w.ended(0, 'quit by Ctrl+Alt+Q')


def closing_the_window_ends_with_status_0():
    with Window(PROBE) as w:
        w.wait_output('ready')
        ask_to_close(int(w.id))
        w.ended(0, 'the window was closed')


def title_tells_a_stopped_machine():
    with Window(PROBE + ['-S']) as w:
        until('[stopped]', lambda: '[stopped]' in w.title())


def picture_keeps_its_shape():
    with Window([]) as w:                                         # the demonstration: 720x400 dots, 4:3, no black border
        until('picture', lambda: len(set(w.pixels('200x200+260+170'))) > 2, 60)
        if w.size() != (720, 540):
            raise Failure('window of %dx%d' % w.size())
        x('windowsize', '--sync', w.id, 900, 400)                 # wider than 4:3: black at the sides, 533 wide in the middle
        black = {b'\0\0\0'}
        until('black sides', lambda: set(w.pixels('180x400+0+0')) == black and set(w.pixels('180x400+720+0')) == black)
        if set(w.pixels('1x400+186+0')) == black or set(w.pixels('1x400+712+0')) == black:
            raise Failure('the picture is not 533 wide')
        x('windowsize', '--sync', w.id, 400, 600)
        until('black above', lambda: set(w.pixels('400x148+0+0')) == black and set(w.pixels('400x148+0+452')) == black)


def idle_guest_costs_little():
    with Window([]) as w:
        until('picture', lambda: len(set(w.pixels('200x200+260+170'))) > 2, 60)
        time.sleep(2)
        begin, cpu = time.monotonic(), w.cpu()
        time.sleep(4)
        share = (w.cpu() - cpu) / (time.monotonic() - begin)
        limit = 0.03 if os.environ.get('BEIGE_RELEASE') else 0.3  # sanitizers cost
        print('idle in a window: %.1f%% of a core' % (share * 100))
        if share > limit:
            raise Failure('%.1f%% of a core' % (share * 100))


TESTS = [keys_reach_the_guest_by_their_place, hot_keys_grab_and_quit, closing_the_window_ends_with_status_0,
         title_tells_a_stopped_machine, picture_keeps_its_shape, idle_guest_costs_little]


def main():
    missing = [t for t in ('Xvfb', 'xdotool', 'import') if not shutil.which(t)]
    if missing:
        print('skipped: no ' + ', '.join(missing))
        return 77
    read, write = os.pipe()
    server = subprocess.Popen(['Xvfb', '-displayfd', str(write), '-screen', '0', '1024x768x24', '-nolisten', 'tcp', '-noreset'], pass_fds=[write],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.environ['DISPLAY'] = ':' + os.read(read, 20).decode().strip()
    failed = 0
    tests = [t for t in TESTS if not sys.argv[3:] or t.__name__ in sys.argv[3:]]
    try:
        for test in tests:
            try:
                test()
            except Failure as e:
                failed += 1
                print('FAILED %s: %s' % (test.__name__.replace('_', ' '), e))
    finally:
        server.terminate()
        server.wait()
    print('%d passed, %d failed' % (len(tests) - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
