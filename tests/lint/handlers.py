#!/usr/bin/env python3
"""Looks at the code that the compiler made of the hot handlers: handlers.py ARCHIVE OBJDUMP.

A fast handler has no frame and calls nothing: it ends in a jump to the next one (docs/cpu.md). One variable too many and the
compiler saves registers in every one of a family, which no test of results would show. Prints a line a finding and exits
1 if there is any; 77 where the archive is not x86-64 code.
"""
import re
import subprocess
import sys

HOT = re.compile(r"""^(
    \w+_then_\w+ |                                              # several instructions in one (fast_seq.h)
    (add|or|and|sub|xor|cmp|test)_(rr|ri|rm|mr|mi)q?_(8|16|32)[fb]? |
    (inc|dec)q?_(8|16|32) | (inc|dec)_m_32[fb] | not_32 | neg_32 |
    (rol|ror|shl|shr|sar)_riq_32 | (rol|ror|shr|sar|shl)_ri_32 | imul_rr | imul_rri | imul_rm[fb] |
    mov_(rr|ri)_(8|16|32) | (load|store|store_imm)_(8|16|32)[fb] | mov[sz]x_r[rm]_(8|16)[fb]? | lea_any | lea_base |
    (push_r|push_i|pop_r|ret)32f | call_near32f | leave_32f | jmp_near | jmp_r | loop_near |
    (cmp|test)_(rr|ri|rm|mr|mi)8?(_[fb])?_(near|far)_\d+ | dec_near_\d+
)$""", re.X)
FRAME = re.compile(r"\t(push|call|sub +\$0x[0-9a-f]+,%rsp)")
JUMP = re.compile(r"\tjmp +(\*|[0-9a-f]+ <(?!run_)[\w.]+>$)")   # to where the next record says, or into a handler that does so
LEAST = 1000                                        # so many there are; fewer: the names have changed


def main():
    archive, objdump = sys.argv[1], sys.argv[2]
    text = subprocess.run([objdump, "-d", "--no-show-raw-insn", archive], stdout=subprocess.PIPE, text=True, check=True).stdout
    if "file format elf64-x86-64" not in text:
        print("not x86-64")
        return 77
    name, found, jumps = None, set(), {}
    for line in text.split("\n"):
        head = re.match(r"[0-9a-f]+ <(\w+)>:", line)
        if head:
            name = head.group(1) if HOT.match(head.group(1)) else None
            if name:
                jumps[name] = False
        elif name:
            jumps[name] = jumps[name] or JUMP.search(line) is not None
            if FRAME.search(line):
                found.add("%s: %s" % (name, line.split("\t", 1)[1]))
    found.update("%s: no jump to the next handler" % n for n, has in jumps.items() if not has)
    seen = len(jumps)
    for line in sorted(found):
        print(line)
    if seen < LEAST:
        print("only %d handlers found" % seen)
    print("%d handlers, %d findings" % (seen, len(found)))
    return 1 if found or seen < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
