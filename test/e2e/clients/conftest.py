# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of real clients share: each runs over the pool and straight over one engine."""

import json
import os
import subprocess

import pytest

from lab import LabError, client, clis

FOLDER = os.path.dirname(os.path.realpath(__file__))


@pytest.fixture
def cli():
    """What sets a scenario up is done with one command line; test_docker.py has its own."""
    return clis()[0][1]


class Tool:
    """A client's program, run against one side."""

    def __init__(self, folder, side):
        self.folder = folder
        self.side = side
        self.env = client.environment(side.address)

    @staticmethod
    def shipped(name):
        """The path of a file beside this one."""
        return os.path.join(FOLDER, name)

    def file(self, name, text):
        """A file in the scenario's own folder; returns its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run(self, *argv, code=0, timeout=120, env=None):
        """Returns (stdout, stderr); LabError, with all that was said, for another exit code."""
        argv = [str(word) for word in argv]
        try:
            done = subprocess.run(argv, cwd=self.folder, env={**self.env, **(env or {})},
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=timeout)
        except subprocess.TimeoutExpired as late:
            raise LabError(f'{argv} over the {self.side.name}: not within {timeout} s\n'
                           f'{late.stdout}\n{late.stderr}') from None
        if code is not None and done.returncode != code:
            raise LabError(f'{argv} over the {self.side.name}: exit code {done.returncode}\n'
                           f'{done.stdout}\n{done.stderr}')
        return done.stdout, done.stderr

    def json(self, *argv, **options):
        """What it printed, as JSON, made comparable."""
        return self.side.neutral.value(json.loads(self.run(*argv, **options)[0]))


@pytest.fixture
def tool(tmp_path):
    """tool(side): a client's program, in a folder of its own."""
    def make(side):
        folder = tmp_path / side.name
        folder.mkdir(exist_ok=True)
        return Tool(folder, side)

    return make
