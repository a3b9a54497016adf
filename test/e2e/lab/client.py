# SPDX-License-Identifier: Apache-2.0
"""The Docker command lines that are installed here, and how to run one."""

import functools
import os
import re
import shutil
import subprocess

from .host import LabError, PATH

# The command line keeps its settings here: a place that does not exist means none.
NO_CONFIG = '/nonexistent/docker'
# Where the command line finds its plugins, beside the settings.
PLUGINS = ('/usr/local/lib/docker/cli-plugins', '/usr/local/libexec/docker/cli-plugins',
           '/usr/lib/docker/cli-plugins', '/usr/libexec/docker/cli-plugins')


class Result:
    """What a command did: code, stdout, stderr (str, or bytes where binary was asked for)."""

    def __init__(self, argv, code, stdout, stderr):
        self.argv = argv
        self.code = code
        self.stdout = stdout
        self.stderr = stderr

    def __repr__(self):
        return (f'{" ".join(self.argv)}\n  exit code {self.code}'
                f'\n  stdout {self.stdout[:2000]!r}\n  stderr {self.stderr[:2000]!r}')

    def ok(self):
        """Itself when the command succeeded; else LabError, with all that it said."""
        if self.code:
            raise LabError(repr(self))
        return self

    @property
    def lines(self):
        return self.stdout.splitlines()


@functools.cache
def clis():
    """The command lines installed here, as (version, path), the oldest first: Debian's, and a
    current one where somebody put it on the path."""
    found = {}
    for directory in PATH.split(':'):
        path = shutil.which('docker', path=directory)
        if path and os.path.realpath(path) not in found:
            said = subprocess.run([path, '--version'], capture_output=True, text=True, timeout=20)
            version = re.search(r'\d+\.\d+\.\d+', said.stdout)
            if version:
                found[os.path.realpath(path)] = (version.group(), path)
    return sorted(found.values(), key=lambda pair: [int(part) for part in pair[0].split('.')])


@functools.cache
def plugin(name):
    """The settings folder of a command line that has this plugin ("compose", "buildx"), and that
    command line: of $SWARM_DOCKER_DIR, which holds bin/docker and config/cli-plugins, or of what is
    installed for all. None where neither has it."""
    own = os.environ.get('SWARM_DOCKER_DIR')
    if own and os.access(f'{own}/config/cli-plugins/docker-{name}', os.X_OK):
        return f'{own}/config', f'{own}/bin/docker'
    for folder in PLUGINS:
        if os.access(f'{folder}/docker-{name}', os.X_OK):
            return NO_CONFIG, clis()[-1][1]
    return None


def environment(address, extra=None):
    """The environment in which a command line talks to address, and to nothing else."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith('DOCKER_') and not name.lower().endswith('_proxy')}
    return {**kept, 'PATH': PATH, 'DOCKER_HOST': f'tcp://{address}', 'DOCKER_CONFIG': NO_CONFIG,
            **(extra or {})}


def secured(certs):
    """The environment that makes a command line use TLS with the files of that folder."""
    return {'DOCKER_TLS_VERIFY': '1', 'DOCKER_CERT_PATH': certs} if certs else {}


def docker(address, *args, cli=None, input=None, timeout=60, env=None, binary=False, certs=None):
    """Runs `docker args...` against address ("host:port") and returns its Result. cli is a path
    of clis(), the oldest by default; input is str or bytes; certs is a folder of make-certs:
    TLS then. LabError when it takes longer than timeout seconds (it is killed then)."""
    if cli is None:
        if not clis():
            raise LabError('no docker command line is installed')
        cli = clis()[0][1]
    argv = [cli, *map(str, args)]
    data = input.encode() if isinstance(input, str) else input
    feed = {'stdin': subprocess.DEVNULL} if data is None else {'input': data}
    try:
        done = subprocess.run(argv, capture_output=True, timeout=timeout,
                              env=environment(address, {**secured(certs), **(env or {})}),
                              **feed)
    except subprocess.TimeoutExpired as late:
        result = Result(argv, None, late.stdout or b'', late.stderr or b'')
        raise LabError(f'not within {timeout:g} s: {result!r}') from None
    if binary:
        return Result(argv, done.returncode, done.stdout, done.stderr)
    return Result(argv, done.returncode, done.stdout.decode(errors='replace'),
                  done.stderr.decode(errors='replace'))
