# SPDX-License-Identifier: Apache-2.0
"""The command line `lab`."""

import argparse
import os
import re
import signal
import sys

from .host import LabError
from .pool import Lab

TIMES = {'': 1, 's': 1, 'ms': 0.001}
SIZES = {'': 1, 'K': 1024, 'M': 1024 ** 2, 'G': 1024 ** 3}


def quantity(units):
    """A parser for numbers with one of these units behind them."""
    def parse(text):
        match = re.fullmatch(r'(\d+(?:\.\d+)?)([a-zA-Z]*)', text)
        if not match or match.group(2) not in units:
            known = ', '.join(unit for unit in units if unit)
            raise argparse.ArgumentTypeError(f'{text!r}: a number, with {known} or nothing')
        return float(match.group(1)) * units[match.group(2)]
    return parse


def node_label(text):
    match = re.fullmatch(r'(\d+):([^=]+)=(.*)', text)
    if not match:
        raise argparse.ArgumentTypeError(f'{text!r}: INDEX:NAME=VALUE')
    return int(match.group(1)), match.group(2), match.group(3)


def node_programs(text):
    match = re.fullmatch(r'(?:(\d+):)?(/.*)', text)
    if not match:
        raise argparse.ArgumentTypeError(f'{text!r}: INDEX:DIRECTORY, or DIRECTORY for all')
    return match.group(1) and int(match.group(1)), match.group(2)


def parser():
    top = argparse.ArgumentParser(prog='lab', description='Real Docker Engines on this machine.')
    top.add_argument('--name', default=os.environ.get('SWARM_LAB_NAME', 'swarm-lab'),
                     help='which lab ($SWARM_LAB_NAME, else swarm-lab)')
    commands = top.add_subparsers(dest='command', required=True, metavar='COMMAND')
    up = commands.add_parser('up', help='start N engines')
    up.add_argument('count', type=int, metavar='N')
    up.add_argument('--registry', action='store_true', help='and a registry beside them')
    up.add_argument('--label', type=node_label, action='append', default=[],
                    metavar='I:NAME=VALUE', help='a label of engine I')
    up.add_argument('--engine-arg', action='append', default=[], metavar='ARG',
                    help='a further argument of every dockerd, as --engine-arg=--live-restore')
    up.add_argument('--programs', type=node_programs, action='append', default=[],
                    metavar='[I:]DIR', help='where dockerd and containerd of engine I are (of'
                    ' all, without I); a program that is not there is the installed one')
    commands.add_parser('down', help='end everything and leave nothing')
    commands.add_parser('status', help='show every node')
    commands.add_parser('addresses', help="print the engines' addresses, joined by commas")
    load = commands.add_parser('load-image', help='load an image into all engines')
    load.add_argument('archive', nargs='?', help='as docker save writes it (busybox)')
    for name, text in [('cut', 'pull the cable of node I'), ('heal', 'put it back'),
                       ('stop', 'stop engine I'), ('start', 'start it'),
                       ('kill', 'kill engine I; its containers live on'),
                       ('slow', 'delay and limit what engine I says and hears'),
                       ('unslow', 'let it be fast again')]:
        command = commands.add_parser(name, help=text)
        command.add_argument('index', type=int, metavar='I')
    slow = commands.choices['slow']
    slow.add_argument('--delay', type=quantity(TIMES), default=0, help='each way, as 50ms')
    slow.add_argument('--rate', type=quantity(SIZES), default=0, help='bytes a second, as 1M')
    slow.add_argument('--keep', action='store_true', help='do not reset what is connected')
    return top


def labels_of(triples):
    labels = {}
    for index, name, value in triples:
        labels.setdefault(index, {})[name] = value
    return labels


def programs_of(pairs, count):
    common = next((directory for index, directory in pairs if index is None), '')
    own = dict(pairs)
    return [own.get(index, common) for index in range(1, count + 1)]


def show(lab):
    if not lab.nodes:
        print(f'lab {lab.name} is not up')
        return
    for node in lab.nodes:
        state = 'running' if node.is_running() else 'stopped'
        link = 'cut' if node.is_cut() else 'connected'
        labels = ' '.join(f'{name}={value}' for name, value in node.labels.items())
        print(f'{node.name}  {node.address}  {state}  {link}'
              f'{"  slow" if node.is_slow() else ""}  {labels}'
              f'{"  " + node.programs if node.programs else ""}')
    if lab.registry:
        print(f'registry  {lab.registry}')


def execute(options):
    lab = Lab(options.name, say=lambda line: print(line, flush=True))
    if options.command == 'up':
        lab.up(options.count, labels_of(options.label), options.registry, options.engine_arg,
               programs=programs_of(options.programs, options.count))
    elif options.command == 'down':
        lab.down()
    elif options.command == 'status':
        show(lab)
    elif options.command == 'addresses':
        print(','.join(lab.addresses))
    elif options.command == 'load-image':
        lab.load_image(options.archive)
    elif options.command == 'slow':
        lab.node(options.index).slow(options.delay, options.rate, options.keep)
    else:
        getattr(lab.node(options.index), options.command)()


def interrupted(number, frame):
    raise KeyboardInterrupt


def main():
    options = parser().parse_args()
    signal.signal(signal.SIGTERM, interrupted)
    try:
        execute(options)
    except LabError as error:
        print(f'lab: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('lab: interrupted', file=sys.stderr)
        return 130
    return 0
