# SPDX-License-Identifier: Apache-2.0
"""Processes and namespaces of this machine.

Every process that a lab starts carries the lab's state directory and a role in its environment.
That mark, and being inside a process namespace whose init carries it, is the only proof of
ownership there is: nothing else is ever signalled, and no record can go stale.
"""

import os
import select
import signal
import subprocess
import time

MARK = 'SWARM_LAB'
ROLE = 'SWARM_LAB_ROLE'
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

_children = []


class LabError(Exception):
    """Says in its text what failed, and shows the log of it where there is one."""


def wait_until(condition, timeout, what, poll=0.05):
    """Returns the first true answer of condition(); LabError after timeout seconds."""
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise LabError(f'not within {timeout:g} s: {what}')
        time.sleep(poll)


def run(*argv, timeout=30, check=True):
    """Runs a command and returns its output; LabError with its stderr when it fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, env={**os.environ, 'PATH': PATH})
    except FileNotFoundError:
        raise LabError(f'{argv[0]} is not installed') from None
    except subprocess.TimeoutExpired:
        raise LabError(f'not within {timeout:g} s: {" ".join(argv)}') from None
    if check and done.returncode:
        raise LabError(f'{" ".join(argv)}: {done.stderr.strip() or done.stdout.strip()}')
    return done.stdout


def tail(path, lines=25):
    """The last lines of a log, indented, or a word that there is none."""
    try:
        with open(path, errors='replace') as log:
            kept = log.read().splitlines()[-lines:]
    except OSError:
        kept = []
    return '\n'.join('    ' + line for line in kept or ['(nothing logged)'])


class Process:
    """A process seen in /proc: its pid together with its start time, so that a pid that is
    used again is never taken for it."""

    def __init__(self, pid):
        self.pid = int(pid)
        self.start = self._stat()[19]

    def _stat(self):
        # The command may hold spaces and brackets; what follows its last bracket does not.
        with open(f'/proc/{self.pid}/stat') as stat:
            return stat.read().rpartition(')')[2].split()

    def alive(self):
        try:
            stat = self._stat()
        except (OSError, IndexError):
            return False
        return stat[19] == self.start and stat[0] not in 'ZX'

    def kill(self, number=signal.SIGKILL):
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    def command(self):
        """The kernel's name for it: at most 15 characters of the program's file name."""
        return self._read('comm').strip()

    def environment(self):
        pairs = (entry.partition('=') for entry in self._read('environ').split('\0'))
        return {name: value for name, _, value in pairs}

    def namespace(self, kind):
        """The identity of its namespace of that kind, or None when it is gone."""
        try:
            return os.readlink(f'/proc/{self.pid}/ns/{kind}')
        except OSError:
            return None

    def is_init(self):
        """Whether it is process 1 of a namespace below this one."""
        for line in self._read('status').splitlines():
            if line.startswith('NSpid:'):
                pids = line.split()[1:]
                return len(pids) > 1 and pids[-1] == '1'
        return False

    def _read(self, name):
        try:
            with open(f'/proc/{self.pid}/{name}', errors='replace') as file:
                return file.read()
        except OSError:
            return ''


def processes():
    """All processes of this machine that are no zombies."""
    found = []
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                process = Process(entry)
            except (OSError, IndexError):
                continue
            if process.alive():
                found.append(process)
    return found


def marked(state, role=None):
    """The processes that carry a lab's mark, or one role of it."""
    found = []
    for process in processes():
        environment = process.environment()
        if environment.get(MARK) == state and role in (None, environment.get(ROLE)):
            found.append(process)
    return found


def path_of(programs):
    """Where a process finds programs: in the directory of that name first, where there is one."""
    return f'{programs}:{PATH}' if programs else PATH


def environment(state, role, programs=None):
    """A fresh environment with the mark: no proxy and no setting of the caller gets in."""
    return {'PATH': path_of(programs), 'HOME': '/nonexistent', 'LANG': 'C.UTF-8', MARK: state,
            ROLE: role}


def start(argv, state, role, log, programs=None):
    """Starts a marked process in the background, its output appended to the file log. programs is
    a directory of path_of()."""
    reap()
    with open(log, 'ab') as output:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                 env=environment(state, role, programs),
                                 start_new_session=True)
    _children.append(child)
    return child


def start_namespace(state, role, script, log, tied):
    """Makes a host: new network, name, mount and process namespaces, in which the shell script
    runs and then an init that reaps. Returns the init. Killing it ends all that is in there,
    and with the last process the kernel takes away its mounts and links. Tied: it also dies
    with the caller (to be called from its main thread)."""
    reap()
    argv = ['unshare', '--net', '--uts', '--mount', '--propagation', 'private', '--pid', '--fork',
            '--kill-child', '--mount-proc', 'sh', '-euc',
            f'{script}\necho ready\nexec docker-init -- sleep infinity >/dev/null']
    if tied:
        argv = ['setpriv', '--pdeathsig', 'KILL'] + argv
    with open(log, 'ab') as errors:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=errors, env=environment(state, role),
                                 start_new_session=True)
    _children.append(child)
    with child.stdout:
        readable, _, _ = select.select([child.stdout], [], [], 20)
        said = os.read(child.stdout.fileno(), 64) if readable else b''
    if said != b'ready\n':
        raise LabError(f'{role}: its namespaces cannot be made\n{tail(log)}')
    return wait_until(lambda: find_init(state, role), 10, f'the init process of {role}')


def find_init(state, role):
    """The init process of one of the lab's hosts, or None."""
    return next((process for process in marked(state, role) if process.is_init()), None)


def inside(init, *argv, kinds=('net', 'uts', 'mount', 'pid')):
    """The command that runs argv within namespaces of that init process."""
    return ['nsenter', f'--target={init.pid}', *(f'--{kind}' for kind in kinds), '--', *argv]


def reap():
    """Collects those children of this process that have ended."""
    _children[:] = [child for child in _children if child.poll() is None]


def end_marked(state, timeout=20):
    """Kills all that carries the mark and all in their namespaces, and waits until it is gone.
    Returns whether there was anything."""
    spaces = {process.namespace('pid') for process in marked(state) if process.is_init()}

    def remaining():
        reap()
        left = [process for process in processes()
                if process.environment().get(MARK) == state or process.namespace('pid') in spaces]
        for process in left:
            process.kill()
        return left

    found = False
    deadline = time.monotonic() + timeout
    while left := remaining():
        found = True
        if time.monotonic() > deadline:
            names = ', '.join(f'{process.pid} {process.command()}' for process in left)
            raise LabError(f'these processes do not die: {names}')
        time.sleep(0.05)
    reap()
    return found
