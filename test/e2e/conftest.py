# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: three engines, a manager over them, the command lines.

$SWARM_BINARY is the program under test (build/swarm), $SWARM_LAB_NAME the lab's name, for test
runs that go on side by side (swarm-e2e). $SWARM_LAB_KEEP leaves the lab and the manager's log
after a run, for a look at it.
"""

import atexit
import json
import os
import signal

import pytest

from lab import Lab, LabError, Manager, clis, host

NODES = 3

# The managers that fixtures hold at the moment.
_managers = []


def pytest_configure(config):
    # An end by SIGTERM runs the finalizers too. One by SIGKILL takes the lab's processes along,
    # and the next run clears away the rest.
    def interrupted(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    config.addinivalue_line('markers', 'slow: takes over 30 s; ./check --all runs it')


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """A failed test shows what the managers logged."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for manager in _managers:
            report.sections.append((f'log of the manager at {manager.address}',
                                    host.tail(manager.log, 200)))


@pytest.fixture(scope='session')
def lab(request):
    """A lab of three engines and a registry, up for the whole run."""
    capture = request.config.pluginmanager.getplugin('capturemanager')

    def say(line):
        with capture.global_and_fixture_disabled():
            print(f'\n  {line}', end='', flush=True)

    made = Lab(os.environ.get('SWARM_LAB_NAME', 'swarm-e2e'), say)
    owner = made.owner()
    if owner is not None:
        raise LabError(f'another test run (pid {owner}) uses lab {made.name}: '
                       'set SWARM_LAB_NAME to another name')
    made.down()
    kept = bool(os.environ.get('SWARM_LAB_KEEP'))
    if not kept:
        atexit.register(made.down)
    made.up(NODES, registry=True, tied=not kept)
    yield made
    if not kept:
        made.down()
        atexit.unregister(made.down)


@pytest.fixture
def fresh_lab(lab):
    """The lab, every engine of it running, connected and empty but for busybox, before the test
    and after it."""
    tidy(lab)
    yield lab
    tidy(lab)


@pytest.fixture(scope='module')
def manager(lab, tmp_path_factory):
    """A manager over the lab, for one module of tests, with every node healthy."""
    made = Manager(','.join(lab.addresses), str(tmp_path_factory.mktemp('manager') / 'log'))
    made.start(healthy=len(lab.nodes))
    _managers.append(made)
    yield made
    _managers.remove(made)
    made.stop()


@pytest.fixture
def start_manager(lab, tmp_path):
    """start_manager(*args, discovery=..., healthy=...): a further manager, stopped afterwards."""
    made = []

    def start(*args, discovery=None, healthy=NODES):
        log = str(tmp_path / f'manager-{len(made)}.log')
        made.append(Manager(discovery or ','.join(lab.addresses), log, args))
        made[-1].start(healthy=healthy)
        _managers.append(made[-1])
        return made[-1]

    yield start
    for manager in made:
        if manager in _managers:
            _managers.remove(manager)
        manager.stop()


@pytest.fixture(params=[path for _, path in clis()], ids=[version for version, _ in clis()])
def cli(request):
    """Each Docker command line that is installed here, in turn (its path)."""
    return request.param


def tidy(lab):
    """Mends every node and removes what tests made on it."""
    for node in lab.nodes:
        node.heal()
        node.unslow()
        node.launch()
    for node in lab.nodes:
        node.wait_answer()
        for container in listed(node, '/containers/json?all=1'):
            removed(node, f'/containers/{container["Id"]}?force=1&v=1')
        for volume in listed(node, '/volumes')['Volumes'] or []:
            removed(node, f'/volumes/{volume["Name"]}?force=1')
        for network in listed(node, '/networks'):
            if network['Name'] not in ('bridge', 'host', 'none'):
                removed(node, f'/networks/{network["Id"]}')
        for image in listed(node, '/images/json'):
            for tag in image['RepoTags'] or [image['Id']]:
                if tag != 'busybox:latest':
                    removed(node, f'/images/{tag if tag != "<none>:<none>" else image["Id"]}'
                                  '?force=1')
        if not any('busybox:latest' in (image['RepoTags'] or [])
                   for image in listed(node, '/images/json')):
            lab.load_image()


def listed(node, path):
    status, body = node.api('GET', path)
    assert status == 200, body
    return json.loads(body)


def removed(node, path):
    # 404: it went by itself, as a container with --rm does. 409: that is under way.
    status, body = node.api('DELETE', path, timeout=60)
    assert status in (200, 204, 404, 409), body
