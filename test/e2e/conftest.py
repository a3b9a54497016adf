# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: three engines, a manager over them, one more engine to compare
with, the command lines.

$SWARM_BINARY is the program under test (build/swarm), $SWARM_LAB_NAME the lab's name, for test
runs that go on side by side (swarm-e2e); `-n 2 --dist loadfile` is such a run, in which each worker
has a lab of its own. $SWARM_LAB_ENGINES names directories of other engine
programs than those installed, as "DIR" for all nodes or "DIR,,DIR" node by node, and
$SWARM_LAB_MODERN one of newer programs for the tests of pools of both. $SWARM_LAB_KEEP leaves the
lab and the manager's log after a run, for a look at it.
"""

import atexit
import contextlib
import json
import os
import signal

import pytest

from lab import Lab, LabError, Manager, clis, host
from support import Pair, Side, emptied, mended

NODES = 3
CLIS = [path for _, path in clis()]

# The managers that fixtures hold at the moment.
_managers = []


def pytest_configure(config):
    # An end by SIGTERM runs the finalizers too. One by SIGKILL takes the lab's processes along,
    # and the next run clears away the rest.
    def interrupted(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    # What runs in a shell's background ignores SIGINT, and so would the clients that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line('markers', 'slow: takes over 30 s; ./check --all runs it')
    config.addinivalue_line('markers', 'every_cli: runs with each command line even where the '
                            'slow are left out; others with the oldest only')


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        values = item.callspec.params if hasattr(item, 'callspec') else {}
        if values.get('cli', CLIS[0]) != CLIS[0] and not item.get_closest_marker('every_cli'):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """A failed test shows what the managers logged."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for manager in _managers:
            report.sections.append((f'log of the manager at {manager.address}',
                                    host.tail(manager.log, 200)))


def engine_programs(nodes):
    """What $SWARM_LAB_ENGINES asks for, for a lab of that many nodes."""
    named = os.environ.get('SWARM_LAB_ENGINES', '').split(',')
    return named * nodes if len(named) == 1 else named


def started_lab(name, nodes, say, **options):
    """A lab for the whole run, as a generator: taken down when it is closed, whatever happens."""
    made = Lab(name, say)
    owner = made.owner()
    if owner is not None:
        raise LabError(f'another test run (pid {owner}) uses lab {made.name}: '
                       'set SWARM_LAB_NAME to another name')
    made.down()
    kept = bool(os.environ.get('SWARM_LAB_KEEP'))
    if not kept:
        atexit.register(made.down)
    made.up(nodes, tied=not kept, **{'registry': True, 'programs': engine_programs(nodes),
                                     **options})
    yield made
    if not kept:
        made.down()
        atexit.unregister(made.down)


@pytest.fixture(autouse=True)
def none_left_open():
    """After each test the managers that go on have nothing open of it. Those that a test started of
    itself are asked as they end."""
    yield
    for manager in _managers:
        manager.check_descriptors()


@pytest.fixture(scope='session')
def say(request):
    """say(line) shows progress on the way."""
    capture = request.config.pluginmanager.getplugin('capturemanager')

    def shown(line):
        with capture.global_and_fixture_disabled():
            print(f'\n  {line}', end='', flush=True)

    return shown


def lab_name():
    name = os.environ.get('SWARM_LAB_NAME', 'swarm-e2e')
    worker = os.environ.get('PYTEST_XDIST_WORKER')
    return f'{name[:9]}-{worker.removeprefix("gw")}' if worker else name


@pytest.fixture(scope='session')
def lab(say):
    """A lab of three engines and a registry, up for the whole run."""
    yield from started_lab(lab_name(), NODES, say)


@pytest.fixture(scope='session')
def reference_lab(say):
    """One more engine, with a registry of its own, which no manager knows: what a pool answers is
    compared with what it answers."""
    yield from started_lab(f'{lab_name()[:11]}-ref', 1, say)


@pytest.fixture(scope='session')
def tls_lab(say):
    """Two engines that talk TLS only, and verify their clients; see Lab.up."""
    yield from started_lab(f'{lab_name()[:11]}-tls', 2, say, registry=False, tls=True)


@pytest.fixture
def fresh_lab(lab):
    """The lab, every engine of it running, connected and empty but for busybox, before the test
    and after it."""
    mended(lab)
    emptied(lab)
    yield lab
    mended(lab)
    emptied(lab)


def started_manager(lab, directory):
    """A manager over the lab with every node healthy, as a generator: closed, it is stopped."""
    made = Manager(','.join(lab.addresses), str(directory / 'log'), ['--debug'])
    made.start(healthy=len(lab.nodes))
    _managers.append(made)
    yield made
    _managers.remove(made)
    made.finish()


def manager_starter(lab, directory):
    """start(*args, discovery=..., healthy=...) of further managers, as a generator: closed, all
    are finished."""
    made = []

    def start(*args, discovery=None, healthy=len(lab.nodes)):
        log = str(directory / f'manager-{len(made)}.log')
        made.append(Manager(discovery or ','.join(lab.addresses), log, args))
        made[-1].start(healthy=healthy)
        _managers.append(made[-1])
        return made[-1]

    yield start
    with contextlib.ExitStack() as endings:
        for manager in made:
            if manager in _managers:
                _managers.remove(manager)
            endings.callback(manager.finish)


@pytest.fixture(scope='module')
def manager(lab, tmp_path_factory):
    """A manager over the lab, for one module of tests."""
    yield from started_manager(lab, tmp_path_factory.mktemp('manager'))


@pytest.fixture
def start_manager(lab, tmp_path):
    """start_manager(*args, discovery=..., healthy=...): a further manager, stopped afterwards."""
    yield from manager_starter(lab, tmp_path)


@pytest.fixture(scope='module')
def wide_lab(say):
    """Five engines for one module of tests: two disks and three ssds, racks a, a, b, b, a, one GPU
    each, and two containers at most on node-5."""
    yield from started_lab(f'{lab_name()[:11]}-5', 5, say, registry=False,
                           labels={5: {'containerslots': '2'}},
                           engine_args=['--node-generic-resource', 'gpu=1'])


@pytest.fixture(scope='module')
def wide_manager(wide_lab, tmp_path_factory):
    """A manager over the wide lab, for one module of tests."""
    yield from started_manager(wide_lab, tmp_path_factory.mktemp('wide-manager'))


@pytest.fixture
def start_wide_manager(wide_lab, tmp_path):
    """As start_manager, over the wide lab."""
    yield from manager_starter(wide_lab, tmp_path)


@pytest.fixture(scope='module')
def mixed_lab(say):
    """For one module of tests: the installed engine, and two of $SWARM_LAB_MODERN's programs, the
    second with its images in containerd's store."""
    modern = os.environ['SWARM_LAB_MODERN']
    for lab in started_lab(f'{lab_name()[:11]}-mix', 3, say, programs=['', modern, modern]):
        node = lab.node(3)
        node.stop()
        with open(os.path.join(node.directory, 'etc-docker', 'daemon.json'), 'w') as config:
            json.dump({'features': {'containerd-snapshotter': True}}, config)
        node.start()
        lab.load_image()
        yield lab


@pytest.fixture(scope='module')
def mixed_manager(mixed_lab, tmp_path_factory):
    """A manager over the mixed lab, for one module of tests."""
    yield from started_manager(mixed_lab, tmp_path_factory.mktemp('mixed-manager'))


@pytest.fixture(params=CLIS, ids=[version for version, _ in clis()])
def cli(request):
    """Each Docker command line that is installed here, in turn (its path). The oldest one always;
    others too where the test is marked every_cli, or the slow ones run."""
    return request.param


def paired(lab, manager, reference_lab, cli=None):
    """The pool and the engine to compare it with, as a generator: closed, both are empty but for
    busybox."""
    yield Pair(Side('pool', manager.address, lab, cli),
               Side('engine', reference_lab.node(1).address, reference_lab, cli), manager)
    emptied(reference_lab)
    emptied(lab, manager)


@pytest.fixture
def pair(lab, manager, reference_lab, cli):
    """Both, empty but for busybox; see support.Pair."""
    yield from paired(lab, manager, reference_lab, cli)


@pytest.fixture(scope='module')
def shared_pair(lab, manager, reference_lab):
    """Both, for a module of tests that share what is on them: each asks by Pair.by."""
    yield from paired(lab, manager, reference_lab)
