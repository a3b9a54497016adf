# SPDX-License-Identifier: Apache-2.0
"""Backtraces of parked fibers, in a live process or a core file:

    gdb -x tools/gdb-fibers.py -p PID
    (gdb) fibers            one line each: id, name, state, what it waits for, since when
    (gdb) fibers bt         all with their stacks
    (gdb) fibers bt 12      that one

A fiber notes where it parked (`top`). From there the chain of frame pointers, which the whole
program is built with, leads up its stack; nothing in the process is touched.
"""

import gdb

MOST_FRAMES = 100


def fibers():
    """Every fiber of the loop, oldest first."""
    loop = gdb.parse_and_eval("loop")
    if int(loop) == 0:
        raise gdb.GdbError("no loop runs")
    kind = gdb.lookup_type("struct fiber")
    offset = next(field.bitpos // 8 for field in kind.fields() if field.name == "all")

    head = loop["all"].address
    link = loop["all"]["next"]
    while int(link) and link != head:
        fiber = gdb.Value(int(link) - offset).cast(kind.pointer())
        yield fiber.dereference()
        link = link["next"]


def text(pointer):
    return pointer.string(errors="replace") if int(pointer) else ""


def describe(fiber):
    state = str(fiber["state"]).removeprefix("FIBER_").lower()
    seconds = (int(gdb.parse_and_eval("loop->now")) - int(fiber["since"])) / 1e9
    what = text(fiber["what"])
    return (f"{int(fiber['id'])} {text(fiber['name'])}: {state}{', waits for ' + what if what else ''}, "
            f"for {seconds:.3f} s")


def counters(fiber):
    """Where each frame of a parked fiber goes on, innermost first."""
    frame = int(fiber["top"])
    low = int(fiber["stack"]["low"])
    high = low + int(fiber["stack"]["size"])
    word = gdb.lookup_type("unsigned long").pointer()

    for _ in range(MOST_FRAMES):
        if not low <= frame < high - 16 or frame % 8:
            return
        slots = gdb.Value(frame).cast(word)
        above, pc = int(slots[0]), int(slots[1])
        yield pc
        if above <= frame:
            return
        frame = above


def names(pc):
    """The function at pc, behind those that are inlined into it there."""
    block = gdb.block_for_pc(pc)
    found = []
    while block is not None and not block.is_static:
        if block.function is not None:
            found.append(block.function.print_name)
        block = block.superblock
    return found or ["?"]


def backtrace(fiber):
    for number, pc in enumerate(counters(fiber)):
        at = pc - 1  # the call may have been its function's last code
        line = gdb.find_pc_line(at)
        where = f" at {line.symtab.filename}:{line.line}" if line.symtab else ""
        found = names(at)
        if "fiber_main" in found:
            return
        print(f"    #{number:<2} {pc:#014x} {' < '.join(found)}{where}")


class Fibers(gdb.Command):
    """fibers [bt [ID]]: the program's fibers, and what each is doing."""

    def __init__(self):
        super().__init__("fibers", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if words and words[0] != "bt" or len(words) > 2:
            raise gdb.GdbError("fibers [bt [ID]]")
        wanted = int(words[1]) if len(words) > 1 else None

        for fiber in fibers():
            if wanted is not None and int(fiber["id"]) != wanted:
                continue
            print(describe(fiber))
            if words and str(fiber["state"]) == "FIBER_RUNNING":
                print("    running: see bt")
            elif words:
                backtrace(fiber)


Fibers()
