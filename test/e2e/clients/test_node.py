# SPDX-License-Identifier: Apache-2.0
"""npm's dockerode. Debian has it not: where there is no npm, or no registry of npm's answers, the
scenario is left out."""

import os
import shutil
import subprocess

import pytest

FOLDER = os.path.dirname(os.path.realpath(__file__))


@pytest.fixture(scope='module')
def modules(tmp_path_factory):
    """A folder with dockerode and the scenario in it."""
    if not shutil.which('npm') or not shutil.which('node'):
        pytest.skip('npm is not installed')
    folder = tmp_path_factory.mktemp('node')
    for name in ('package.json', 'package-lock.json', 'scenario.js'):
        shutil.copy(os.path.join(FOLDER, name), folder)
    done = subprocess.run(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], cwd=folder,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    if done.returncode and 'network' in done.stderr:
        pytest.skip(f'npm cannot be reached: {done.stderr.strip().splitlines()[0]}')
    assert done.returncode == 0, done.stderr
    return folder


def test_scenario(pair, tool, modules):
    def story(side):
        return tool(side).json('node', modules / 'scenario.js')

    told = pair.tell(story)
    assert [['typed\n', 'err\n'], 3] == told[4:6]
