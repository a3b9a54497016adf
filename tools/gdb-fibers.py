# SPDX-License-Identifier: Apache-2.0
"""Backtraces of fibers, in gdb on a live process:

    gdb -p PID -x tools/gdb-fibers.py -ex fibers
    fibers          every fiber: name, what it waits for, backtrace
    fibers NAME     those of that name

A parked fiber's registers lie in its ucontext. They are put in place for the backtrace and taken out
again, which a core file does not allow.
"""

import gdb

# Places in gregs of <sys/ucontext.h>.
REGISTERS = {"rsp": 15, "rbp": 10, "rip": 16, "rbx": 11, "r12": 4, "r13": 5, "r14": 6, "r15": 7}
STATES = {0: "ready to run", 1: "running", 2: "parked", 3: "done"}


def all_fibers():
    loop = gdb.parse_and_eval("loop")
    if int(loop) == 0:
        raise gdb.GdbError("no loop runs")
    kind = gdb.lookup_type("struct fiber")
    offset = int([f for f in kind.fields() if f.name == "all"][0].bitpos) // 8
    head = loop["all"].address
    link = loop["all"]["next"]
    while link != head:
        yield gdb.Value(int(link) - offset).cast(kind.pointer())
        link = link["next"]


def backtrace(fiber):
    gregs = fiber["context"]["uc_mcontext"]["gregs"]
    saved = {name: int(gdb.parse_and_eval(f"(unsigned long)${name}")) for name in REGISTERS}
    try:
        for name, place in REGISTERS.items():
            gdb.execute(f"set ${name} = {int(gregs[place]) & (2**64 - 1)}")
        gdb.execute("backtrace")
    finally:
        for name, value in saved.items():
            gdb.execute(f"set ${name} = {value}")


class Fibers(gdb.Command):
    """Backtraces of all fibers, or of those with the name given."""

    def __init__(self):
        super().__init__("fibers", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        gdb.execute("frame 0", to_string=True)
        for fiber in all_fibers():
            name = fiber["name"].string()
            if argument and argument != name:
                continue
            state = int(fiber["state"])
            what = fiber["what"].string() if int(fiber["what"]) else STATES[state]
            print(f"fiber {int(fiber['id'])} {name}: {what}")
            if state != 1:
                backtrace(fiber)


Fibers()
