#!/usr/bin/env python3
"""Checks that no compiler makes: lint.py TREE prints one line a finding and exits 1 if there is any.

Each rule is a function of one file (RULES) or of the whole tree (TREE_RULES). Who may include whose headers is the table
of docs/tour.md, as data below.
`lint.py --self-test` shows to each rule a line that it must refuse and one that it must let pass.
"""
import os
import re
import sys

FOLDERS = ["base", "mem", "cpu", "devices", "bios", "host", "machine", "frontend", "images", "tests"]

# Who may include whose headers. Its own folder is always allowed; "host/*.h" below is interfaces only.
ARROWS = {
    "base": [],
    "mem": ["base"],
    "host": ["base"],
    "cpu": ["mem", "base"],
    "bios": ["mem", "base"],
    "devices": ["mem", "base", "host/block.h", "host/char.h", "host/net.h", "host/audio.h", "host/surface.h"],
    "machine": ["cpu", "devices", "bios", "host", "mem", "base"],
    "frontend": ["machine", "host", "base"],
    "images": [],
    "tests": FOLDERS,
}

# A chip includes device.h and the bus it sits on, never another chip's header.
BUSES = ["device.h", "pci.h", "ata.h", "atapi.h", "isa_dma.h", "ps2.h", "apic_bus.h"]

# Chips that are one piece of silicon with another: the Bochs VBE registers sit in the VGA.
SAME_CHIP = {"vbe": "vga"}

# What the machine sees of the CPU.
CPU_PUBLIC = ["cpu/cpu.h", "cpu/model.h", "cpu/disasm.h"]

# C11 that every host has. Anything else means threads, sockets, time or a library.
PLAIN_C = """assert.h ctype.h errno.h float.h inttypes.h iso646.h limits.h math.h setjmp.h stdalign.h stdarg.h stdbool.h
             stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h""".split()
FREE = ["host/", "frontend/", "machine/pace.c", "tests/"]         # may include any system header
LIBRARIES = {"machine": ["zlib.h", "nettle/sha2.h", "nettle/sha.h"]}

LINES_MAX = 800
TABLES = re.compile(r"\.(def|inc)$|optable|_table\.[ch]$|_font\.[ch]$")   # exempt from the length of a file
COLUMNS_MAX = 132                                   # 120 is the aim; a table row or a message may hang over

# File-scope data that is not const, at the left margin. (A prototype or definition of a function has a parenthesis first.)
MUTABLE = re.compile(r"^(?:(?:static|extern|_Thread_local|_Atomic|__thread|volatile)\s+)*"
                     r"(?:unsigned|signed|struct\s+\w+|enum\s+\w+|union\s+\w+|\w+_t|bool|char|int|long|short|float|double|"
                     r"vtime|FILE|size_t)[\w\s*]*\b\w+\s*(?:\[[^\]]*\]\s*)*(?:=|;)")
LOCAL_STATIC = re.compile(r"^\s+static\s+(?!const\b|inline\b|_Noreturn\b)[\w\s*]*?\b\w+\s*(?:\[[^\]]*\]\s*)*(?:=|;)")
WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK|[Ss]tub|[Pp]laceholder|for now|not (?:yet )?implemented)\b")


def strip_comments(text):
    """Blanks comments and string contents, keeping the line structure."""
    def blank(match):
        kept = match.group(0)
        if kept[0] in "\"'":
            return kept[0] + kept[0]
        return "".join(c if c == "\n" else " " for c in kept)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def folder_of(path):
    return path.split("/")[0]


def check_includes(path, text):
    folder, name = folder_of(path), os.path.basename(path)
    for n, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        quoted, header = match.group(1) == '"', match.group(2)
        if not quoted:
            if header in PLAIN_C or any(path.startswith(f) for f in FREE) or header in LIBRARIES.get(folder, []):
                continue
            yield n, "<%s> belongs in host/, frontend/ or machine/pace.c" % header
            continue
        if "/" not in header:                      # a file beside this one, or a generated one
            continue
        target = folder_of(header)
        if target not in FOLDERS or folder not in ARROWS:
            continue
        allowed = ARROWS[folder]
        if target != folder and target not in allowed and header not in allowed:
            yield n, '"%s": %s may not use %s' % (header, folder, target)
        if folder == "devices" and target == "devices" and not related(name, os.path.basename(header)):
            yield n, '"%s": a chip never includes another chip\'s header' % header
        if folder == "machine" and target == "cpu" and header not in CPU_PUBLIC:
            yield n, '"%s": not a public header of the CPU' % header


def related(name, header):
    """Same chip (vga_regs.c and vga.h), or the bus it sits on."""
    if header in BUSES:
        return True
    stem, other = re.split(r"[_.]", name)[0], re.split(r"[_.]", header)[0]
    return stem == other or SAME_CHIP.get(stem) == other


def check_state(path, text):
    """Two machines in one process: no mutable data outside an object."""
    if not path.endswith((".c", ".h")) or folder_of(path) == "tests":
        return
    for n, line in enumerate(strip_comments(text).split("\n"), 1):
        if re.search(r"\bconst\b|\btypedef\b|\bvolatile sig_atomic_t\b", line.split("=")[0]):
            continue                               # (a signal handler has no object to write to)
        if MUTABLE.match(line) or LOCAL_STATIC.match(line):
            yield n, "mutable data at file scope: " + line.strip()


def check_form(path, text):
    if not TABLES.search(path) and text.count("\n") > LINES_MAX:
        yield LINES_MAX, "longer than %d lines: split by hardware block" % LINES_MAX
    for n, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            yield n, "a tab"
        if line.endswith((" ", "\r")):
            yield n, "trailing blanks"
        if len(line) > COLUMNS_MAX and not TABLES.search(path):
            yield n, "longer than %d columns" % COLUMNS_MAX
        match = WORDS.search(line)
        if match:
            yield n, "unfinished: " + match.group(1)
        if re.match(r"\s*#\s*if\s+0\b", line):
            yield n, "#if 0"
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no newline at the end"
    if path.endswith((".c", ".h")) and not text.startswith("/*"):
        yield 1, "the first comment says what the part is"


def check_trace(path, text):
    """Calls give each event of base/trace.def as many arguments as its format takes: no compiler sees that."""
    if not path.endswith(".c") or not EVENTS:
        return
    for match in TRACE_CALL.finditer(text):
        arguments = split_arguments(text, match.end())
        line = text.count("\n", 0, match.start()) + 1
        if len(arguments) < 2:
            continue
        name = arguments[1]
        if name not in EVENTS:
            yield line, "no event %s in base/trace.def" % name
        elif len(arguments) - 2 != EVENTS[name].count("%"):
            yield line, "%s takes %d arguments" % (name, EVENTS[name].count("%"))


def split_arguments(text, at):
    """The arguments of a call whose parenthesis was just opened at `at`."""
    depth, start, found = 1, at, []
    for i in range(at, len(text)):
        if text[i] in "([{":
            depth += 1
        elif text[i] in ")]}":
            depth -= 1
        if depth == 0 or (depth == 1 and text[i] == ","):
            found.append(text[start:i].strip())
            start = i + 1
        if depth == 0:
            break
    return found


TRACE_CALL = re.compile(r"(?<![>.\w])trace\(")
EVENTS = {}                                         # name -> format, from base/trace.def of the tree that is checked
RULES = [check_includes, check_state, check_form, check_trace]


def check_gaps(files):
    """A known inaccuracy is told where the reader of the documentation finds it."""
    accuracy = files.get("docs/accuracy.md", "")
    for path, text in files.items():
        if GAP.search(text) and path.startswith(CODE) and path not in accuracy:
            line = text.count("\n", 0, GAP.search(text).start()) + 1
            yield path, line, "a GAP, but docs/accuracy.md does not name the file"
    for path in sorted(set(re.findall(r"`((?:%s)/[\w./-]+\.(?:c|h|def|asm))`" % "|".join(f.rstrip("/") for f in CODE), accuracy))):
        if path not in files:
            yield "docs/accuracy.md", 1, "names %s, which does not exist" % path


def check_events_used(files):
    """An event that nothing tells is no event."""
    told = set()
    for path, text in files.items():
        if path.endswith(".c") and path.startswith(CODE):
            for match in TRACE_CALL.finditer(text):
                told.update(split_arguments(text, match.end())[1:2])
    for name in sorted(set(EVENTS) - told):
        yield "base/trace.def", 1, "no code tells " + name


GAP = re.compile(r"\bGAP: ")
CODE = ("base/", "mem/", "cpu/", "devices/", "bios/", "host/", "machine/", "frontend/")
TREE_RULES = [check_gaps, check_events_used]


def sources(tree):
    for folder in FOLDERS:
        for where, folders, files in os.walk(os.path.join(tree, folder)):
            folders.sort()
            for name in sorted(files):
                if name.endswith((".c", ".h", ".def", ".asm")):
                    yield os.path.relpath(os.path.join(where, name), tree)


def findings(path, text):
    for rule in RULES:
        for line, what in rule(path, text):
            yield "%s:%d: %s" % (path, line, what)


# rule, path, a line it must refuse, a line it must let pass
SELF_TESTS = [
    ("cpu/a.c", '#include "devices/i8254.h"', '#include "mem/phys.h"'),
    ("devices/i8254.c", '#include "devices/i8259.h"', '#include "devices/i8254.h"'),
    ("devices/i8254.c", '#include "host/socket.h"', '#include "host/block.h"'),
    ("devices/vga_regs.c", '#include "cpu/cpu.h"', '#include "devices/vga.h"'),
    ("machine/pc.c", '#include "cpu/tlb.h"', '#include "cpu/cpu.h"'),
    ("machine/run.c", "#include <time.h>", "#include <nettle/sha2.h>"),
    ("base/a.c", "#include <unistd.h>", "#include <string.h>"),
    ("base/a.c", "static int count;", "static int count(void);"),
    ("base/a.c", "struct pit pit = { 0 };", "struct pit { int a; };"),
    ("base/a.c", "static struct pit *pits[4];", "static const struct pit pits[4] = {"),
    ("base/a.c", "    static char line[80];", "    static const char line[80];"),
    ("base/a.c", "char *name = 0;", "static const char *const name = 0;"),
    ("base/a.c", "int x; /* a */", "    int x; /* a */"),
    ("base/a.c", "\tx();", "    x();"),
    ("base/a.c", "x(); ", "    x();"),
    ("base/a.c", "/* TO" + "DO: more */", "/* done */"),
    ("base/a.c", "#if 0", "#if HOST"),
    ("cpu/a.c", "    trace(l, self_test_event, (uint64_t)f(a, b));", "    trace(l, self_test_event, (uint64_t)f(a, b), name);"),
    ("cpu/a.c", "    trace(l, no_such_event);", "    x->trace(l, a.b);"),
]


# rule, a tree that it must refuse, one that it must let pass
TREE_SELF_TESTS = [
    (check_gaps, {"cpu/a.c": "/* GAP: rounds down */", "docs/accuracy.md": "none"},
     {"cpu/a.c": "/* GAP: rounds down */", "docs/accuracy.md": "| rounds down | `cpu/a.c` | no test |"}),
    (check_gaps, {"docs/accuracy.md": "| rounds down | `cpu/gone.c` | no test |"}, {"docs/accuracy.md": "`docs/x.md`"}),
    (check_events_used, {"cpu/a.c": "trace(l, other, x);"}, {"cpu/a.c": "trace(l, self_test_event, x, y);"}),
]


def self_test():
    EVENTS["self_test_event"] = "%llx %s"
    for rule, wrong, right in TREE_SELF_TESTS:
        assert list(rule(wrong)), "%s let pass %s" % (rule.__name__, wrong)
        assert not list(rule(right)), "%s refused %s" % (rule.__name__, right)
    for path, wrong, right in SELF_TESTS:
        head = "/* A file. */\n"
        assert list(findings(path, head + wrong + "\n")), "let pass in %s: %s" % (path, wrong)
        found = list(findings(path, head + right + "\n"))
        assert not found, "refused in %s: %s" % (path, found)
    EVENTS.clear()


def main():
    self_test()
    if sys.argv[1:] == ["--self-test"]:
        return 0
    tree = sys.argv[1] if len(sys.argv) > 1 else "."
    files = {}
    for path in list(sources(tree)) + ["docs/accuracy.md"]:
        with open(os.path.join(tree, path), encoding="utf-8") as f:
            files[path] = f.read()
    EVENTS.update(re.findall(r'^TRACE_EVENT\((\w+), "(.*)"\)', files["base/trace.def"], flags=re.M))
    found = ["%s:%d: %s" % finding for rule in TREE_RULES for finding in rule(files)]
    for path in sources(tree):
        found.extend(findings(path, files[path]))
    for finding in found:
        print(finding)
    count = len(found)
    print("%d findings" % count)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
