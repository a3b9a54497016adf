# SPDX-License-Identifier: Apache-2.0
"""Every subcommand of `docker`, as docs/api.md lists them: what works on one engine works on the
pool, and what is refused says why. What each does in full is in the tests beside this folder."""

import functools
import json
import os
import re
import subprocess

import pytest

from lab import clis, client

DOCUMENT = os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', '..', '..', 'docs',
                        'api.md')
# The last two are the command line's own words: for a 404, and for what /info says.
REASONS = ('this pool is not a swarm-mode cluster', 'plugins are managed on the nodes',
           'no such plugin: x', 'this node is not a swarm manager')


@pytest.fixture(params=[path for _, path in clis()], ids=[version for version, _ in clis()])
def cli(request):
    return request.param


def documented():
    """{subcommand: who answers it}"""
    with open(DOCUMENT) as file:
        text = file.read()
    table = text[text.index('| `docker` |'):text.index('<!-- The end of the list. -->')]
    rows = [line.strip('| ').split(' | ') for line in table.splitlines()[2:]]
    return {name: row[1] for row in rows for name in re.findall('`([^`]+)`', row[0])}


@functools.cache
def subcommands(cli, words=()):
    """The commands without further subcommands, as `docker help` tells."""
    said = subprocess.run([cli, *words, '--help'], capture_output=True, text=True, timeout=30,
                          stdin=subprocess.DEVNULL, env=client.environment('127.0.0.1:1')).stdout
    found, heading = [], ''
    for line in said.splitlines():
        if line and not line.startswith(' '):
            heading = line.lower()
        elif re.match(r'  \S', line) and heading.endswith('commands:'):
            name = line.split()[0].rstrip('*')
            # Each start of a command line takes long: only these headings are of groups.
            if heading.startswith(('management', 'swarm')):
                found += subcommands(cli, (*words, name))
            else:
                found.append(' '.join((*words, name)))
    return found or [' '.join(words)]


@pytest.mark.every_cli
def test_all_are_listed(cli):
    assert set(subcommands(cli)) <= set(documented())


# With arguments that get past the command line's own checks. A file is written as {file}.
REFUSED = '''
config create x {file}; config inspect x; config ls; config rm x
node promote node-1; node update --availability drain node-1; node ps node-1
node rm node-1
plugin create x {folder}; plugin disable x; plugin enable x; plugin inspect x; plugin push x
plugin rm x; plugin set x A=1
secret create x {file}; secret inspect x; secret ls; secret rm x
service create busybox; service inspect x; service ps x; service rollback x; service scale x=1
service update x; service logs x; service ls; service rm x
stack deploy -c {file} x; stack ls; stack ps x; stack rm x; stack services x
swarm ca; swarm join-token worker; swarm update --autolock; swarm init; swarm join 10.0.0.1:2377
swarm leave; swarm unlock-key
'''
# It asks on the terminal first, or a registry; the request itself is another one's in this table.
NOT_TRIED = {'swarm unlock', 'plugin install', 'plugin upgrade', 'volume update'}


def lines_of(text):
    return [line.strip() for line in text.replace('\n', ';').split(';') if line.strip()]


@pytest.mark.every_cli
def test_what_is_refused_says_why(pair, cli, tmp_path):
    told = documented()
    refused = {name for name, who in told.items() if who == 'refused'}
    lines = lines_of(REFUSED)
    assert refused - {' '.join(line.split()[:2]) for line in lines} == NOT_TRIED
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'folder' / 'config.json').write_text('{}')
    (tmp_path / 'folder' / 'rootfs').mkdir()
    (tmp_path / 'file').write_text('version: "3.7"\nservices: {x: {image: busybox}}\n')
    silent = []
    for line in lines:
        words = line.format(file=tmp_path / 'file', folder=tmp_path / 'folder').split()
        done = pair.pool.docker(*words)
        said = ' '.join((done.stdout + done.stderr).lower().split())
        if done.code == 0 or not any(reason in said for reason in REASONS):
            silent.append(f'{line}: {done}')
    assert not silent, '\n'.join(silent)


# In this order, each with one outcome on both. ~: in words of the pool's own. !: it must fail.
WORKS = '''
~version; ~info; ~system info; ~system df
run -d --name c1 -p 18060:80 busybox sleep 1000; container run --rm busybox echo here
create --name d1 busybox true; container create --name e1 busybox true
!attach d1; !container attach d1; start d1; container start e1; wait d1; container wait e1
logs d1; container logs d1; ps -a; container ls
~cp {file} c1:/copied; ~container cp c1:/copied -; exec c1 cat /copied; container exec c1 true
diff c1; container diff c1; ~top c1 -o pid,comm; ~container top c1 -o pid,comm
~stats --no-stream c1; ~container stats --no-stream c1; ~port c1; ~container port c1 80
inspect -f {{.Name}} c1; container inspect -f {{.Path}} c1
pause c1; unpause c1; container pause c1; container unpause c1
update --pids-limit 40 c1; container update --pids-limit 50 c1
rename d1 d2; container rename d2 d1; restart -t 0 c1; container restart -t 0 c1
~commit c1 made:1; ~container commit c1 made:2
export -o {out} c1; container export -o {out} c1
stop -t 0 c1; start c1; kill c1; container stop c1; start c1; container kill c1
tag made:1 also:1; image tag made:1 also:2
~images --format {{.Repository}}:{{.Tag}}; ~image ls -q also:1
~history busybox; ~image history busybox; ~image inspect -f {{.RepoTags}} also:1
save -o {out} also:1; image save -o {out} also:1; rmi also:1; image rm also:2
~load -i {out}; ~image load -q -i {out}; ~import {out} in:1; ~image import {out} in:2
tag busybox {registry}/b:1; ~push {registry}/b:1; ~image push {registry}/b:1
~pull -q {registry}/b:1; ~image pull -q {registry}/b:1; ~login -u a -p b {registry}
logout {registry}; ~!search nothing
~build -t built:1 {folder}; ~image build {folder}; ~builder build {folder}; ~builder prune -f
network create net; network ls -q -f name=net; network inspect -f {{.Driver}} net
run -d --name n1 --network net busybox sleep 1000; network disconnect net n1
network connect net n1; rm -f n1; network rm net; network prune -f
volume create data; volume ls -q; volume inspect -f {{.Driver}} data; volume rm data
volume prune -f; plugin ls; events --since 1 --until 2; system events --since 1 --until 2
rm d1; container rm e1; ~container prune -f; ~image prune -f; ~system prune -f
'''


@pytest.mark.slow
def test_what_works(pair, cli, tmp_path):
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'folder' / 'Dockerfile').write_text('FROM busybox\nRUN echo made > /made\n')
    (tmp_path / 'file').write_text('copied\n')
    known = documented()
    tried = set()
    for line in lines_of(WORKS):
        marks, words = re.match('[~!]*', line).group(), line.lstrip('~!').split()
        name = ' '.join(words[:2])
        tried.add(name if name in known else words[0])

        def story(side):
            values = {'{registry}': side.lab.registry, '{folder}': str(tmp_path / 'folder'),
                      '{file}': str(tmp_path / 'file'), '{out}': str(tmp_path / side.name)}
            filled = [re.sub(r'\{\w+\}', lambda found: values[found.group()], word)
                      for word in words]
            side.neutral.seen.clear()
            code, stdout, stderr = side.said(*filled, env={
                'DOCKER_CONFIG': str(tmp_path / f'config-{side.name}'), 'DOCKER_BUILDKIT': '0'})
            assert (code != 0) == ('!' in marks), f'{line} over the {side.name}: {stdout} {stderr}'
            return code if '~' in marks else (code, stdout, stderr)

        pair.tell(story, f'docker {line}')
    # Of the pool alone.
    assert pair.pool.docker('node', 'ls').ok().lines[1:]
    assert json.loads(pair.pool.docker('node', 'inspect', 'node-1').ok().stdout)
    assert 'is already a worker' in pair.pool.docker('node', 'demote', 'node-1').ok().stdout
    tried |= {'node ls', 'node inspect', 'node demote'}
    others = {name for name, who in known.items() if who in ('the command line itself', 'refused')}
    assert set(subcommands(cli)) - tried - others == set()
