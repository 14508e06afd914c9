#!/usr/bin/env python3
"""Beige on a terminal: the monitor's line editing, the escape key of -nographic, and the terminal's state afterwards.

usage: terminal.py BEIGE PROBE_ROM [NAME...]
"""
import fcntl, os, pty, re, select, signal, subprocess, sys, termios, time

BEIGE, ROM = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
PROBE = ['-bios', ROM, '-cpu', '486', '-display', 'none']


class Failure(Exception):
    pass


class Terminal:
    """A process on a terminal of its own."""

    def __init__(self, args):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.p = subprocess.Popen([BEIGE] + args, stdin=self.slave, stdout=self.slave, stderr=self.slave, preexec_fn=own_terminal)
        self.text = ''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()
        os.close(self.master)
        os.close(self.slave)

    def read(self, limit):
        if select.select([self.master], [], [], limit)[0]:
            self.text = re.sub(r'\r+\n', '\r\n', self.text + os.read(self.master, 65536).decode('latin1'))

    def wait(self, pattern, limit=60):
        """Until the text has come that was not waited for yet; returns the match."""
        end = time.monotonic() + limit
        while True:
            m = re.search(pattern, self.text)
            if m:
                self.text = self.text[m.end():]
                return m
            if time.monotonic() > end:
                raise Failure('no %r in %r' % (pattern, self.text))
            self.read(0.1)

    def send(self, text):
        os.write(self.master, text.encode('latin1'))

    def raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def restored(self):
        return termios.tcgetattr(self.slave)[:4] == self.before[:4]

    def ended(self, status):
        end = time.monotonic() + 20
        while self.p.poll() is None and time.monotonic() < end:
            self.read(0.05)
        self.read(0)
        if self.p.poll() != status:
            raise Failure('status %s: %r' % (self.p.poll(), self.text))
        if not self.restored():
            raise Failure('the terminal was not given back')


def monitor_edits_completes_and_remembers():
    with Terminal(PROBE + ['-S', '-monitor', 'stdio']) as t:
        t.wait(r"monitor - type 'help' .*\n\(beige\) ")
        t.send('info sta\t\r')
        t.wait(r'info status \r\nVM status: paused \(prelaunch\)\r\n\(beige\) ')
        t.send('print 7\x1b[D1\x1b[C\x7f5\r')                         # cursor keys, insert, backspace: print 15
        t.wait(r'0xf\r\n\(beige\) ')
        t.send('nonsense\x15print 9\r')                              # Ctrl-U
        t.wait(r'0x9\r\n')
        t.send('\x1b[A\x1b[A\r')                                     # the line before the last
        t.wait(r'0xf\r\n')
        t.send('pri\t 3\r')
        t.wait(r'0x3\r\n')
        t.send('info \t')
        t.wait(r'\r\n.*registers .*\r\n\(beige\) info ')
        t.send('\x03')                                               # Ctrl-C gives the line up and does not end us
        t.wait(r'\^C\r\n\(beige\) ')
        t.send('quit\r')
        t.wait(r'beige: quit by the monitor')
        t.ended(0)


def each_chip_shows_its_state():
    with Terminal(PROBE + ['-S', '-monitor', 'stdio', '-parallel', 'null', '-device', 'isa-debug-exit']) as t:
        t.wait(r'\(beige\) ')
        t.send('info qtree\r')
        chips = re.findall(r'^(\S+) +(\S+) +\S.*\r$', t.wait(r'info qtree\r\n((?:.|\n)*?)\(beige\) ')[1], re.M)
        if len(chips) < 20:
            raise Failure('only %d chips: %r' % (len(chips), chips))
        for chip, part in chips:
            t.send('info %s\r' % chip)
            answer = t.wait(r'info %s\r\n((?:.|\n)*?)\(beige\) ' % re.escape(chip))[1]
            if not answer.startswith('%s: %s, ' % (chip, part)) or (' = ' not in answer and part != 'debug_exit'):
                raise Failure('info %s: %r' % (chip, answer))


def nographic_shares_the_terminal():
    with Terminal(['-bios', ROM, '-cpu', '486', '-nographic']) as t:
        t.wait('kaa ')                                               # the keyboard has tested itself: nothing more comes
        t.send('abc\x03')                                            # Ctrl-C is the guest's
        t.wait('abc\x03')
        t.send('\x01h')
        t.wait('Ctrl-A x  quit')
        t.send('\x01c')
        t.wait(r'\(beige\) ')
        t.send('info status\r')
        t.wait(r'VM status: running\r\n\(beige\) ')
        t.send('stop\rinfo status\r')
        t.wait(r'VM status: paused\r\n\(beige\) ')
        t.send('cont\r')
        t.wait(r'cont\r\n\(beige\) ')
        t.send('\x01c')
        time.sleep(0.2)
        t.send('back\x01a')
        t.wait('back\x01')
        t.send('\x01x')
        t.wait('beige: quit by Ctrl-A x')
        t.ended(0)


def a_long_paste_arrives_whole():
    with Terminal(['-bios', ROM, '-cpu', '486', '-nographic']) as t:
        t.wait('kaa ')
        text = ''.join('%04d ' % i for i in range(700))               # 3500 bytes into a FIFO of 16
        t.send(text)
        end = time.monotonic() + 30
        while len(t.text) < len(text) and time.monotonic() < end:
            t.read(0.1)
        if t.text != text:
            raise Failure('got %d of %d bytes: ...%r' % (len(t.text), len(text), t.text[-80:]))


def interrupt_key_ends_a_serial_port_on_stdio():
    with Terminal(PROBE + ['-serial', 'stdio']) as t:
        t.wait('ready')
        if not t.raw():
            raise Failure('the terminal is not raw')
        t.send('\x03')
        t.wait('beige: asked to quit by signal 2')
        t.ended(0)


def terminal_is_given_back_on_every_way_out():
    for number, status in (signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 0):
        with Terminal(['-bios', ROM, '-cpu', '486', '-nographic']) as t:
            t.wait('ready')
            t.p.send_signal(number)
            t.ended(status)
    with Terminal(['-bios', ROM, '-cpu', '486', '-nographic', '--limit-insns', '100000']) as t:
        t.ended(4)
    with Terminal(PROBE + ['-serial', 'stdio', '-monitor', 'file:no/where']) as t:      # an error after it was made raw
        t.wait('beige: compat_monitor0: no/where')
        t.ended(1)


def stopping_gives_the_terminal_back_meanwhile():
    with Terminal(PROBE + ['-serial', 'stdio']) as t:
        t.wait('ready')
        t.p.send_signal(signal.SIGTSTP)
        os.waitpid(t.p.pid, os.WUNTRACED)
        if not t.restored():
            raise Failure('raw while stopped')
        t.p.send_signal(signal.SIGCONT)
        end = time.monotonic() + 10
        while not t.raw() and time.monotonic() < end:
            time.sleep(0.05)
        t.send('again')
        t.wait('again')


TESTS = [monitor_edits_completes_and_remembers, each_chip_shows_its_state, nographic_shares_the_terminal,
         a_long_paste_arrives_whole, interrupt_key_ends_a_serial_port_on_stdio, terminal_is_given_back_on_every_way_out,
         stopping_gives_the_terminal_back_meanwhile]


def main():
    failed = 0
    tests = [t for t in TESTS if not sys.argv[3:] or t.__name__ in sys.argv[3:]]
    for test in tests:
        try:
            test()
        except Failure as e:
            failed += 1
            print('FAILED %s: %s' % (test.__name__.replace('_', ' '), e))
    print('%d passed, %d failed' % (len(tests) - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
