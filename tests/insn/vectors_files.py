#!/usr/bin/env python3
"""The files that `vectors` reads: forms of the MOO format that the sets at hand do not have, and damaged ones.

    vectors_files.py PROGRAM

Each file is made here, from the format's description. What is not right must be told with status 2, and never crash."""
import gzip, os, struct, subprocess, sys, tempfile

WIDE = "cr0 cr3 eax ebx ecx edx esi edi ebp esp cs ds es fs gs ss eip eflags dr6 dr7".split()
NARROW = "ax bx cx dx cs ss ds es sp bp si di ip flags".split()
passed = failed = 0


def chunk(name, payload):
    return name.encode() + struct.pack("<I", len(payload)) + payload


def registers(values, wide, mask=False):
    names, code = (WIDE, "I") if wide else (NARROW, "H")
    given = sum(1 << n for n, r in enumerate(names) if r in values)
    name = {(0, 0): "REGS", (0, 1): "RMSK", (1, 0): "RG32", (1, 1): "RM32"}[wide, mask]
    return chunk(name, struct.pack("<" + code, given) + b"".join(struct.pack("<" + code, values[r]) for r in names if r in values))


def memory(cells):
    return chunk("RAM ", struct.pack("<I", len(cells)) + b"".join(struct.pack("<IB", *c) for c in cells.items()))


def moo(cpu, code, before, after, cells, mask=None, excp=None, count=1, extra=b"", more=None):
    """One test, of the instruction at 0100:0000."""
    wide = int(cpu == "386E")
    names = WIDE if wide else NARROW
    start = dict.fromkeys(names, 0)
    start.update({"cs": 0x100, "eflags" if wide else "flags": 0xFFFC0002 if wide else 0xF002})
    if wide:
        start.update({"cr0": 0x7FFEFFF0, "dr6": 0xFFFF0FF0})
    start.update(before)
    ram = {0x1000 + n: b for n, b in enumerate(code)}
    ram.update(more or {})
    parts = [chunk("NAME", struct.pack("<I", 4) + b"test"), chunk("BYTS", struct.pack("<I", len(code)) + bytes(code)),
             chunk("INIT", registers(start, wide) + memory(ram) + chunk("EA32", bytes(23))),
             chunk("FINA", registers(after, wide) + (registers(mask, wide, True) if mask else b"") + memory(cells)),
             chunk("CYCL", struct.pack("<I", 0)), chunk("HASH", bytes(20))]
    if excp:
        parts.append(chunk("EXCP", struct.pack("<BI", *excp)))
    return (chunk("MOO ", bytes([1, 1, 0, 0]) + struct.pack("<I", count) + cpu.ljust(4).encode()) + chunk("META", bytes(30)) + extra +
            chunk("TEST", struct.pack("<I", 0) + b"".join(parts)))


def expect(what, data, status, text, args=(), suffix=".MOO", beside=None):
    global passed, failed
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "6601" + suffix), "wb") as f:
            f.write(data)
        for name, content in (beside or {}).items():
            with open(os.path.join(folder, name), "w") as f:
                f.write(content)
        run = subprocess.run(prefix + [program, folder, *args], capture_output=True, text=True)
        out = run.stdout + run.stderr
    if run.returncode == status and text in out:
        passed += 1
    else:
        failed += 1
        print(f"{what}: status {run.returncode}, expected {status} and \"{text}\":\n{out}")


prefix, program = sys.argv[1:-1], sys.argv[-1]
add = [0x66, 0x01, 0xD8, 0xF4]
good = moo("386E", add, {"eax": 0xFFFFFFFF, "ebx": 1}, {"eax": 0, "eip": 4, "eflags": 0xFFFC0057}, {})
expect("a 32-bit test", good, 0, "1 passed, 0 failed")
expect("a compressed one", gzip.compress(good), 0, "1 passed, 0 failed", suffix=".MOO.gz")
expect("reserved bits are not compared", moo("386E", [0xF4], {}, {"eip": 1, "cr0": 0x60000010, "dr6": 0}, {}), 0, "1 passed, 0 failed")
wrong = {"eax": 5, "eip": 4, "eflags": 0xFFFC0057}
expect("a wrong result", moo("386E", add, {"eax": 0xFFFFFFFF, "ebx": 1}, wrong, {}), 1, "eax is 00000000, the chip has 00000005")
wrong["eax"] = 0
expect("a mask in the test", moo("386E", add, {"eax": 7, "ebx": 1}, wrong, {}, {"eax": 0, "eflags": 0}), 0, "1 passed, 0 failed")
expect("a mask in the file", moo("386E", add, {"eax": 7, "ebx": 1}, wrong, {}, extra=registers({"eax": 0, "eflags": 0}, 1, True)), 0,
       "1 passed, 0 failed")
off = {"eax": 0, "eip": 4, "eflags": 0xFFFC0847}
table = "op,g,ex,mnemonic,f_umask\n01,,,ADD,%s\n"
expect("a mask of 80386.csv", moo("386E", add, {"eax": 0xFFFFFFFF, "ebx": 1}, off, {}), 0, "1 passed", beside={"80386.csv": table % "F7EF"})
expect("the same as bits", moo("386E", add, {"eax": 0xFFFFFFFF, "ebx": 1}, off, {}), 0, "1 passed", beside={"80386.csv": table % "0810"})
pushed = {0x200F8: 0, 0x200F9: 0, 0x200FA: 0, 0x200FB: 1, 0x200FC: 0xFF, 0x200FD: 0}
fault = {"before": {"esp": 0xFE, "ss": 0x2000}, "after": {"esp": 0xF8, "cs": 0, "eip": 0x501}, "cells": pushed, "excp": (0, 0x200FC),
         "more": {0: 0, 1: 5, 0x500: 0xF4}}
expect("an exception's pushed FLAGS", moo("386E", [0xF7, 0xF3], mask={"eflags": 0xFFFFF700}, **fault), 0, "1 passed, 0 failed")
expect("the same without a mask", moo("386E", [0xF7, 0xF3], **fault), 1, "byte 200fc")
plain = moo("8088", [0x40], {"ax": 0xFFFF}, {"ax": 0, "ip": 1, "flags": 0xF056}, {})
expect("a 16-bit test without HLT", plain, 0, "1 passed, 0 failed")
expect("a register's name", moo("8086", [0x40], {"ax": 1}, {"ax": 1, "ip": 1}, {}), 1, "ax is 0002, the chip has 0001")
expect("a chip without a model", moo("V20", [0x40], {}, {"ip": 1}, {}), 2, "no model of the chip \"V20\"; try --cpu")
expect("such a chip with --cpu", moo("V20", [0x40], {}, {"ax": 1, "ip": 1}, {}), 0, "1 passed", ("--cpu", "8086"))
expect("an unknown chip", moo("Z80", [0x40], {}, {"ip": 1}, {}), 2, "no model of the chip")
expect("another count", moo("8086", [0x90], {}, {"ip": 1}, {}, count=2), 2, "has 1 tests, and says 2")
expect("no MOO file", b"hello", 2, "is not a MOO file")
expect("an empty file", b"", 2, "is not a MOO file")
expect("another version", good[:8] + b"\2" + good[9:], 2, "version 2.1")
expect("damaged gzip", gzip.compress(good)[:-20], 2, "gzip", suffix=".MOO.gz")
for n in range(0, len(good), 3):
    expect(f"cut off at {n}", good[:n], 2, "")
for n in range(0, len(good) - 4, 2):                     # lengths and counts that are too large
    run = good[:n] + b"\xff\xff\xff\x7f" + good[n + 4:]
    with tempfile.NamedTemporaryFile(suffix=".MOO") as f:
        f.write(run)
        f.flush()
        status = subprocess.run(prefix + [program, f.name], capture_output=True).returncode
        if status in (0, 1, 2):
            passed += 1
        else:
            failed += 1
            print(f"overwritten at {n}: status {status}")
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
