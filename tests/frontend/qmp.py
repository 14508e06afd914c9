#!/usr/bin/env python3
"""QMP as a client of QEMU 7.2 sees it: requests and the shape of their answers, as rows of data.

usage: qmp.py EMULATOR [PROBE_ROM] [-v]

The rows were written from the answers of qemu-system-i386 7.2, and it passes them, too (rows marked OURS are left out):
qmp.py /usr/bin/qemu-system-i386. For Beige the second argument is the ROM made from probe.asm. In a shape, a type stands for any value of it, Text(RE) for a string that matches, Has(...) for an object with at
least these members, Each([SHAPE]) for a list whose elements are all like it, Some([SHAPES]) for one that has them among
others; everything else must be equal.
"""
import json, os, re, select, socket, subprocess, sys, tempfile, time

EMULATOR = os.path.abspath(sys.argv[1])
ROM = os.path.abspath(sys.argv[2]) if sys.argv[2:] else ''
QEMU = 'qemu' in os.path.basename(EMULATOR)


class Text(str):
    def match(self, v):
        return isinstance(v, str) and re.fullmatch(self, v)


class Has(dict):
    pass


class Each(list):
    pass


class Some(list):
    pass


def like(shape, v):
    if isinstance(shape, type):
        return type(v) is shape or (shape is float and type(v) is int)
    if isinstance(shape, Text):
        return bool(shape.match(v))
    if isinstance(shape, dict):
        return (isinstance(v, dict) and (isinstance(shape, Has) or set(v) == set(shape)) and
                all(k in v and like(s, v[k]) for k, s in shape.items()))
    if isinstance(shape, Each):
        return isinstance(v, list) and v and all(like(shape[0], e) for e in v)
    if isinstance(shape, Some):
        return isinstance(v, list) and all(any(like(s, e) for e in v) for s in shape)
    if isinstance(shape, list):
        return isinstance(v, list) and len(v) == len(shape) and all(like(s, e) for s, e in zip(shape, v))
    return type(v) is type(shape) and v == shape


def error(desc, kind='GenericError', **more):
    return dict({'error': {'class': kind, 'desc': desc}}, **more)


def returns(value, **more):
    return dict({'return': value}, **more)


def event(name, data=None):
    e = {'event': name, 'timestamp': {'seconds': int, 'microseconds': int}}
    return dict(e, data=data) if data is not None else e


def do(command, **arguments):
    a = {k.replace('_', '-'): v for k, v in arguments.items()}
    return dict({'execute': command}, **({'arguments': a} if a else {}))


def missing(name):
    return error("Parameter '%s' is missing" % name)


def wrong_type(name, want):
    return error("Invalid parameter type for '%s', expected: %s" % (name, want))


def not_a(name, value):
    return error("Parameter '%s' does not accept value '%s'" % (name, value))


def key(data, kind='qcode'):
    return {'type': kind, 'data': data}


def tray(is_open):
    return event('DEVICE_TRAY_MOVED', {'device': 'ide1-cd0', 'tray-open': is_open, 'id': Text('/machine/.*')})


OK = returns({})
OURS = 'not a row for QEMU'
NEGOTIATE = error("Expecting capabilities negotiation with 'qmp_capabilities'", 'CommandNotFound')
STATUS = lambda status, running: returns({'status': status, 'singlestep': False, 'running': running})
IMAGE = Has({'file': str, 'drv': 'raw', 'ro': bool, 'encrypted': False, 'backing_file_depth': 0, 'detect_zeroes': 'off', 'iops': 0,
             'bps': 0, 'write_threshold': 0, 'cache': {'writeback': True, 'direct': False, 'no-flush': False},
             'image': Has({'filename': str, 'format': 'raw', 'virtual-size': int, 'actual-size': int})})
DRIVE = lambda name, removable, **more: Has(dict({'device': name, 'type': 'unknown', 'removable': removable, 'locked': False,
                                                  'qdev': str, 'inserted': IMAGE}, **more))
DRIVES = Some([DRIVE('floppy0', True), DRIVE('ide0-hd0', False, **{'io-status': 'ok'}),
               DRIVE('ide1-cd0', True, tray_open=False, **{'io-status': 'ok'})])

# What is sent (an object, or text as it is), and the messages that come back, in order.
ROWS = [
    # ---- before negotiation
    (do('query-status'), [NEGOTIATE]),
    ({'execute': 'nonsense', 'id': 1}, [error(NEGOTIATE['error']['desc'], 'CommandNotFound', id=1)]),
    ({'execute': 'qmp_capabilities', 'id': 'abc'}, [returns({}, id='abc')]),
    (do('qmp_capabilities'), [error('Capabilities negotiation is already complete, command ignored', 'CommandNotFound')]),
    # ---- envelope
    ({'execute': 'nonsense', 'id': {'a': [1, 2]}}, [error('The command nonsense has not been found', 'CommandNotFound', id={'a': [1, 2]})]),
    ({'execute': 'query-status', 'id': [1, None, 1.5]}, [dict(STATUS('prelaunch', False), id=[1, None, 1.5])]),
    ({'execute': 'query-status', 'bogus': 1}, [error("QMP input member 'bogus' is unexpected")]),
    ({'execute': 'query-status', 'arguments': []}, [error("QMP input member 'arguments' must be an object")]),
    ({'execute': 1}, [error("QMP input member 'execute' must be a string")]),
    ({'id': 4}, [error("QMP input lacks member 'execute'", id=4)]),
    (do('query-status', x=1), [error("Parameter 'x' is unexpected")]),
    # ---- framing
    ('[]', [error('QMP input must be a JSON object')]),
    ('"text"', [error('QMP input must be a JSON object')]),
    ('12', [error('QMP input must be a JSON object')]),
    ('{"execute": }', [error('JSON parse error, expecting value')]),
    ('garbage', [error("JSON parse error, invalid keyword 'garbage'")]),
    ("{'execute': 'query-status'}", [STATUS('prelaunch', False)]),
    ('{"execute": "query-status"}{"execute": "query-name"}', [STATUS('prelaunch', False), returns({'name': 'tester'})]),
    ('{"execute":\n "query-\\u0073tatus"\n\n}', [STATUS('prelaunch', False)]),
    # ---- queries
    (do('query-version'), [returns({'qemu': {'micro': int, 'minor': 2, 'major': 7}, 'package': str})]),
    (do('query-kvm'), [returns({'enabled': False, 'present': bool})]),
    (do('query-uuid'), [returns({'UUID': '00000000-0000-0000-0000-000000000000'})]),
    (do('query-target'), [returns({'arch': 'i386'})]),
    (do('query-mice'), [returns([{'index': int, 'name': str, 'current': True, 'absolute': False}])]),
    (do('query-cpus-fast'), [returns([{'thread-id': int, 'props': {'core-id': 0, 'thread-id': 0, 'socket-id': 0}, 'qom-path': str,
                                       'cpu-index': 0, 'target': 'i386'}])]),
    (do('query-memory-size-summary'), [returns({'base-memory': 64 << 20, 'plugged-memory': 0})]),
    (do('query-commands'), [returns(Each([{'name': str}]))]),
    (do('query-machines'), [returns(Each([Has({'name': str, 'cpu-max': int, 'hotpluggable-cpus': bool, 'deprecated': bool,
                                               'numa-mem-supported': bool})]))]),
    (do('query-cpu-definitions'), [returns(Each([Has({'name': str, 'typename': str, 'static': bool, 'migration-safe': bool,
                                                      'deprecated': bool, 'unavailable-features': list})]))]),
    (do('query-command-line-options', option='drive'), [returns([{'option': 'drive', 'parameters': list}])]),
    (do('query-chardev'), [returns(Each([{'frontend-open': bool, 'filename': str, 'label': str}]))]),
    (do('query-block'), [returns(DRIVES)]),
    (do('query-block-jobs'), [returns([])]),
    (do('query-jobs'), [returns([])]),
    (do('query-iothreads'), [returns([])]),
    (do('query-migrate'), [returns({})]),
    (do('query-balloon'), [error('No balloon device has been activated', 'DeviceNotActive')]),
    (do('query-display-options'), [returns({'type': 'none'})]),
    # ---- keys and mouse
    (do('send-key'), [missing('keys')]),
    (do('send-key', keys=1), [wrong_type('keys', 'array')]),
    (do('send-key', keys=[1]), [wrong_type('keys[0]', 'object')]),
    (do('send-key', keys=[key('a'), {}]), [missing('keys[1].type')]),
    (do('send-key', keys=[{'type': 'qcode'}]), [missing('keys[0].data')]),
    (do('send-key', keys=[key('nokey')]), [not_a('data', 'nokey')]),
    (do('send-key', keys=[key('a', 'x')]), [not_a('type', 'x')]),
    (do('send-key', keys=[key('30', 'number')]), [wrong_type('keys[0].data', 'integer')]),
    (do('send-key', keys=[], hold_time='x'), [wrong_type('hold-time', 'integer')]),
    (do('send-key', keys=[key(30, 'number'), key('ret')], hold_time=10), [OK]),
    (do('input-send-event'), [missing('events')]),
    (do('input-send-event', events=[{'type': 'rel', 'data': {'axis': 'z', 'value': 1}}]), [not_a('axis', 'z')]),
    (do('input-send-event', events=[{'type': 'btn', 'data': {'button': 'knob', 'down': True}}]), [not_a('button', 'knob')]),
    (do('input-send-event', events=[{'type': 'touchy', 'data': {}}]), [not_a('type', 'touchy')]),
    (do('input-send-event', events=[{'type': 'rel'}]), [missing('events[0].data')]),
    (do('input-send-event', events=[{'type': 'rel', 'data': {'axis': 'x'}}]), [missing('events[0].data.value')]),
    (do('input-send-event', events=[{'type': 'key', 'data': {'key': key('a'), 'down': True}}]), [error('VM not running')]),
    # ---- files
    (do('screendump'), [missing('filename')]),
    (do('screendump', filename=1), [wrong_type('filename', 'string')]),
    (do('screendump', filename='s', format='jpg'), [not_a('format', 'jpg')]),
    (do('screendump', filename='s', head=0), [error("'head' must be specified together with 'device'")]),
    (do('screendump', filename='no/where'), [error(str)]),
    (do('screendump', filename='s.ppm'), [OK]),
    (do('screendump', filename='s.png', format='png'), [OK]),
    (do('pmemsave', val=0, size=16), [missing('filename')]),
    (do('pmemsave', val='a', size=16, filename='m'), [wrong_type('val', 'integer')]),
    (do('pmemsave', val=0.5, size=16, filename='m'), [wrong_type('val', 'integer')]),
    (do('pmemsave', val=0, size=16, filename='no/where'), [error("Could not open 'no/where': No such file or directory")]),
    (do('pmemsave', val=0xffff0, size=16, filename='m'), [OK]),
    (do('memsave', val=0, size=16, filename='v'), [OK]),
    (do('memsave', val=0, size=16, filename='v', cpu_index=3), [error("Parameter 'cpu-index' expects a CPU number")]),
    # ---- monitor
    (do('human-monitor-command'), [missing('command-line')]),
    (do('human-monitor-command', command_line='info status'), [returns('VM status: paused (prelaunch)\r\n')]),
    (do('human-monitor-command', command_line=''), [returns('')]),
    (do('human-monitor-command', command_line='nonsense'), [returns("unknown command: 'nonsense'\r\n")]),
    (do('human-monitor-command', command_line='xp /2hx 0xffff0'), [returns(Text('[0f]+ffff0: 0x[0-9a-f]{4} 0x[0-9a-f]{4}\r\n'))]),
    (do('human-monitor-command', command_line='print 17'), [returns('0x11\r\n')]),
    (do('human-monitor-command', command_line='xp /3xb 0xfffffff0'), [returns(Text('0{8}fffffff0:( 0x[0-9a-f]{2}){3}\r\n'))]),
    (do('human-monitor-command', command_line='xp /2dh 0x100000'), [returns('0000000000100000:     0     0\r\n')]),
    (do('human-monitor-command', command_line='xp /1ow 0x100000'), [returns('0000000000100000:           0\r\n')]),
    (do('human-monitor-command', command_line='xp /2ub 0x100000'), [returns('0000000000100000:   0   0\r\n')]),
    (do('human-monitor-command', command_line='x /1xg 0x100000'), [returns('00100000: 0x0000000000000000\r\n')]),
    (do('human-monitor-command', command_line='print 1 + 2*3 - (4 | 3 & 2) %5'), [returns('0x5\r\n')]),
    (do('human-monitor-command', command_line='p/d -7'), [returns('-7\r\n')]),
    (do('human-monitor-command', command_line="print /x ~0xf0 & 0xff ^ 'a'"), [returns('0x6e\r\n')]),
    (do('human-monitor-command', command_line='print $eip'), [returns('0xfff0\r\n')]),
    (do('human-monitor-command', command_line='print $pc & 0xffffffff'), [returns('0xfffffff0\r\n')]),
    (do('human-monitor-command', command_line='print $cs.base + $cs'), [returns('0xfffffffffffff000\r\n' if QEMU else '0xfffff000\r\n')]),
    (do('human-monitor-command', command_line='sum 0x100000 16'), [returns('00000\r\n')]),
    (do('human-monitor-command', command_line='gva2gpa 0x1234'), [returns('gpa: 0x1234\r\n')]),
    (do('human-monitor-command', command_line='info mem'), [returns('PG disabled\r\n')]),
    (do('human-monitor-command', command_line='info tlb'), [returns('PG disabled\r\n')]),
    (do('human-monitor-command', command_line='o /b 0x70 0x0f'), [returns('')]),
    (do('human-monitor-command', command_line='i /b 0x71'), [returns('portb[0x0071] = 0x00\r\n')]),
    (do('human-monitor-command', command_line='info pci'), [returns(Text(r'(pci: .*\r\n(  .*\r\n)*)?  Bus  0, device   0, function 0:\r\n    Host bridge: PCI device 8086:1237'
                                                                       r'\r\n      PCI subsystem 1af4:1100\r\n(.*\r\n)*'))]),
    (do('human-monitor-command', command_line='info name'), [returns('tester\r\n')]),
    # ---- drives
    (do('eject'), [error("Need exactly one of 'device' and 'id'")]),
    (do('eject', device='zip'), [error("Device 'zip' not found", 'DeviceNotFound')]),
    (do('eject', id='zip'), [error("Device 'zip' not found", 'DeviceNotFound')]),
    (do('eject', device='ide0-hd0'), [error("Device 'ide0-hd0' is not removable")]),
    (do('eject', device='ide1-cd0'), [tray(True), OK]),
    (do('blockdev-change-medium'), [missing('filename')]),
    (do('blockdev-change-medium', device='zip', filename='f.img'), [error("Device 'zip' not found", 'DeviceNotFound')]),
    (do('blockdev-change-medium', device='ide0-hd0', filename='f.img'), [error("Device 'ide0-hd0' is not removable")]),
    (do('blockdev-change-medium', device='ide1-cd0', filename='no/where'), [error(Text('.*no/where.*No such file or directory'))]),
    (do('blockdev-change-medium', device='ide1-cd0', filename='c.iso'), [tray(False), OK]),
    (do('blockdev-change-medium', device='ide1-cd0', filename='c.iso', force=True), [tray(True), tray(False), OK]),
    (do('blockdev-change-medium', device='floppy0', filename='f.img', format='noformat'), [error("Unknown driver 'noformat'")]),
    (do('blockdev-change-medium', device='floppy0', filename='f.img', read_only_mode='x'), [not_a('read-only-mode', 'x')]),
    (do('blockdev-change-medium', device='floppy0', filename='f.img', format='raw', read_only_mode='read-only'), [OK]),
    (do('eject', device='floppy0'), [OK]),
    (do('eject', device='floppy0'), [OK]),
    # ---- running
    (do('stop'), [OK]),
    (do('query-status'), [STATUS('prelaunch', False)]),
    (do('cont'), [event('RESUME'), OK]),
    (do('cont'), [OK]),
    (do('query-status'), [STATUS('running', True)]),
    (do('input-send-event', events=[{'type': 'rel', 'data': {'axis': 'x', 'value': 5}}, {'type': 'rel', 'data': {'axis': 'y', 'value': -5}}]), [OK]),
    (do('input-send-event', events=[{'type': 'btn', 'data': {'button': 'left', 'down': d}} for d in (True, False)]), [OK]),
    (do('input-send-event', events=[{'type': 'abs', 'data': {'axis': 'x', 'value': 1}}]), [error('Input handler not found for event type abs')]),
    (do('input-send-event', device='tablet', events=[]), [error("Device 'tablet' not found", 'DeviceNotFound')]),
    (do('inject-nmi'), [OK]),
    (do('stop'), [event('STOP'), OK]),
    (do('query-status'), [STATUS('paused', False)]),
    (do('system_powerdown'), [event('POWERDOWN'), OK]),
    (do('system_reset'), [event('RESET', {'guest': False, 'reason': 'host-qmp-system-reset'}), OK]),
    (do('cont'), [event('RESUME'), OK], OURS),           # QEMU's reset is a little later
    ('serial:R', [event('RESET', {'guest': True, 'reason': 'guest-reset'})], OURS),
    ('serial:P', [event('SHUTDOWN', {'guest': True, 'reason': 'guest-shutdown'}), event('STOP')], OURS),
    (do('query-status'), [STATUS('shutdown', False)], OURS),
    (do('cont'), [error('Resetting the Virtual Machine is required')], OURS),
    (do('system_reset'), [event('RESET', {'guest': False, 'reason': 'host-qmp-system-reset'}), OK], OURS),
    (do('cont'), [event('RESUME'), OK], OURS),
    (do('quit'), [event('SHUTDOWN', {'guest': False, 'reason': 'host-qmp-quit'}), OK]),
]


class Client:
    def __init__(self, path, process):
        for _ in range(400):
            self.s = socket.socket(socket.AF_UNIX)
            try:
                self.s.connect(path)
                break
            except OSError:
                if process.poll() is not None:
                    sys.exit('the emulator did not start: ' + process.stderr.read().decode())
                time.sleep(0.05)
        self.buf = b''

    def message(self, limit):
        """The next one, or None."""
        while b'\n' not in self.buf:
            if not select.select([self.s], [], [], limit)[0]:
                return None
            data = self.s.recv(65536)
            if not data:
                return None
            self.buf += data
        line, self.buf = self.buf.split(b'\n', 1)
        if b'": ' not in line or b'":"' in line.replace(b'\\":\\"', b''):
            raise ValueError('not written as QEMU writes: %r' % line)
        return json.loads(line)


def expect(client, wanted, verbose):
    got = []
    for shape in wanted:
        m = client.message(30)
        got.append(m)
        if verbose:
            print('   ', json.dumps(m)[:300])
        if not like(shape, m):
            return 'got %s' % json.dumps(got)
    extra = client.message(0)
    return 'and also %s' % json.dumps(extra) if extra else None


def main():
    verbose = '-v' in sys.argv
    folder = tempfile.TemporaryDirectory(prefix='beige-qmp-')
    os.chdir(folder.name)
    for name, size in ('f.img', 1474560), ('h.img', 4 << 20), ('c.iso', 4 << 20):
        with open(name, 'wb') as f:
            f.truncate(size)
    args = ['-accel', 'tcg'] if QEMU else ['-bios', ROM, '--speed', '1']
    drives = [a for n, i in (('f.img', 'floppy'), ('h.img', 'ide')) for a in ('-drive', 'file=%s,format=raw,if=%s' % (n, i))]
    p = subprocess.Popen([EMULATOR] + args + drives + [
        '-cdrom', 'c.iso', '-m', '64', '-name', 'guest=tester', '-display', 'none', '-monitor', 'none', '-S', '-no-shutdown',
        '-chardev', 'socket,id=mon0,path=qmp,server=on,wait=off', '-mon', 'chardev=mon0,id=monitor,mode=control',
        '-chardev', 'socket,id=ser0,path=serial,server=on,wait=off', '-serial', 'chardev:ser0'], stderr=subprocess.PIPE)
    failed = 0
    try:
        c = Client('qmp', p)
        serial = socket.socket(socket.AF_UNIX)
        serial.connect('serial')
        why = expect(c, [{'QMP': {'version': {'qemu': {'micro': int, 'minor': 2, 'major': 7}, 'package': str}, 'capabilities': list}}], verbose)
        rows = [r for r in ROWS if not QEMU or OURS not in r]
        for sent, wanted in [r[:2] for r in rows]:
            if verbose:
                print(sent)
            if why:
                print('FAILED greeting: ' + why)
            if isinstance(sent, str) and sent.startswith('serial:'):
                time.sleep(0.3)                          # the guest says "ready" first
                serial.sendall(sent[7:].encode())
            else:
                c.s.sendall((sent if isinstance(sent, str) else json.dumps(sent)).encode() + b'\n')
            why = expect(c, wanted, verbose)
            if why:
                failed += 1
                print('FAILED %s\n  %s' % (json.dumps(sent), why))
                while c.message(1):                      # get back in step
                    pass
                why = None
        if p.wait(20) != 0:
            failed += 1
            print('FAILED exit status %d' % p.returncode)
        for name, head in ('s.ppm', b'P6\n'), ('s.png', b'\x89PNG'), ('m', b''), ('v', b''):
            with open(name, 'rb') as f:
                data = f.read()
            if not data.startswith(head) or (not head and len(data) != 16):
                failed += 1
                print('FAILED file %s: %r' % (name, data[:20]))
    finally:
        p.kill()
        p.wait()
        os.chdir('/')
    print('%d passed, %d failed' % (len(rows) + 5 - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
