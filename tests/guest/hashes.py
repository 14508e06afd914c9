#!/usr/bin/env python3
"""The same state on every build and host: short runs of real guests, and the hash of all state at their ends.

usage: hashes.py GUESTS_DIR COMMAND...

COMMAND starts Beige, perhaps under another program (qemu-s390x -L ... build/beige). Prints a line a run: its name, the
SHA-256 of the state and the instruction count. Two builds agree if they print the same text. Guests that are not there
(made by images/*.sh under GUESTS_DIR) are left out, and named on standard error.
"""
import concurrent.futures, os, subprocess, sys, tempfile

# name, file under GUESTS_DIR it needs (or None), options, millions of instructions, inputs
RUNS = [
    ('demo', None, [], 40, '1.5 key 3\n2.0 mouse 7 -3\n'),
    ('demo on a 486', None, ['-cpu', '486', '-m', '8'], 30, '1.5 key 2\n'),
    ('grub-floppy', 'grub-floppy/grub-floppy.img', ['-cpu', '486', '-fda'], 70, '0.9 type "ls\\n"\n'),
    ('memtest', 'memtest/memtest.bin', ['-m', '32', '-kernel'], 40, ''),
    ('linux', 'linux/disk.img', ['-m', '64', '-hda'], 60, ''),
]


def run(command, guests, tmp, name, needs, options, millions, inputs):
    """Status, the line to print and what to say on standard error."""
    path = needs and os.path.join(guests, needs)
    if path and not os.path.exists(path):
        return 0, '', 'no guest ' + needs
    keys = os.path.join(tmp, name)
    with open(keys, 'w') as f:
        f.write(inputs)
    r = subprocess.run(command + ['-display', 'none', '-snapshot'] + options + ([path] if path else []) +
                       ['--input', keys, '--limit-insns', '%d000000' % millions, '--state-hash'],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True)
    failed = r.returncode != 4 or not r.stdout                    # 4: the limit was reached
    return failed, name + ': ' + r.stdout.strip(), '%s: status %d: %s' % (name, r.returncode, r.stderr) if failed else ''


def main():
    guests, command = os.path.abspath(sys.argv[1]), sys.argv[2:]
    command[-1] = os.path.abspath(command[-1])
    status = 0
    with tempfile.TemporaryDirectory(prefix='hashes-') as tmp, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for failed, line, problem in pool.map(lambda row: run(command, guests, tmp, *row), RUNS):
            if line:
                print(line, flush=True)
            if problem:
                print(problem, file=sys.stderr)
            status |= failed
    return status


if __name__ == '__main__':
    sys.exit(main())
