# SPDX-License-Identifier: Apache-2.0
"""What clients send that cannot be installed here, request by request as they do."""

import base64
import gzip
import io
import json
import tarfile

from support import frames

AUTH = base64.urlsafe_b64encode(json.dumps({
    'username': 'builder', 'password': 'secret', 'serveraddress': 'registry'}).encode()).decode()
IDLE = ['sh', '-c', 'while :; do sleep 0.1; done']


class Sequence:
    """Requests of one version with the headers that a client always sends."""

    def __init__(self, side, version, headers):
        self.side = side
        self.version = version
        self.headers = headers

    def ask(self, method, path, body=None, **headers):
        return self.side.http(method, f'/v{self.version}{path}', body,
                              {**self.headers, **{name.replace('_', '-'): value
                                                  for name, value in headers.items()}})

    def json(self, method, path, body=None, status=200, **headers):
        reply = self.ask(method, path, body, **headers)
        assert reply.status == status, f'{method} {path}: {reply!r}'
        return reply.json() if reply.body else None

    def hijacked(self, path, body, sent, **headers):
        """What came after the switch of protocols, to the end: {kind: bytes}."""
        with self.side.wire() as wire:
            wire.request('POST', f'/v{self.version}{path}',
                         {**self.headers, 'Connection': 'Upgrade', 'Upgrade': 'tcp', **headers},
                         body)
            status, reason, _ = wire.head()
            assert (status, reason) == (101, 'UPGRADED')
            wire.send(sent)
            wire.end_output()
            pieces = {}
            for kind, piece in frames(wire.rest()):
                pieces[kind] = pieces.get(kind, b'') + piece
            return pieces


def packed(name, data):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode='w') as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return raw.getvalue()


def pushed_agent(side):
    """The agent's image in the registry, and on no engine."""
    name = f'{side.lab.registry}/agent'
    side.docker('tag', 'busybox', f'{name}:latest').ok()
    side.docker('push', f'{name}:latest').ok()
    side.docker('rmi', f'{name}:latest').ok()
    return name


AGENT = {
    'Hostname': '', 'User': '', 'Tty': False, 'OpenStdin': False, 'StdinOnce': False,
    'Env': ['JENKINS=yes'], 'Cmd': IDLE, 'ExposedPorts': {'22/tcp': {}}, 'Volumes': {},
    'Labels': {'com.nirima.jenkins.plugins.docker.TemplateName': 'agent',
               'com.nirima.jenkins.plugins.docker.JenkinsServerUrl': 'http://jenkins/'},
}
AGENT_HOST = {
    'Binds': [], 'VolumesFrom': ['tools:rw'], 'PublishAllPorts': True, 'Privileged': False,
    'PortBindings': {'22/tcp': [{'HostIp': '0.0.0.0', 'HostPort': ''}]}, 'Links': [],
    'Memory': 64 << 20, 'CpuShares': 512, 'Dns': [], 'ExtraHosts': None, 'NetworkMode': None,
    'CapAdd': None, 'SecurityOpt': None,
}


def test_jenkins(pair):
    """docker-plugin over docker-java, API 1.32: an agent from its image to its end."""
    def story(side):
        java = Sequence(side, '1.32', {'Accept': 'application/json', 'User-Agent': 'docker-java'})
        told = [java.ask('GET', '/_ping').body, java.json('GET', '/version')['ApiVersion'],
                java.json('GET', '/info')['OSType']]
        name = pushed_agent(side)
        side.start('tools', *IDLE, Volumes={'/tools': {}})

        count = json.dumps({'label': ['com.nirima.jenkins.plugins.docker.TemplateName=agent']})
        listing = f'/containers/json?all=false&limit=-1&filters={count}'.replace(' ', '%20') \
            .replace('"', '%22')
        told.append(java.json('GET', listing))
        pulled = java.ask('POST', f'/images/create?fromImage={name}&tag=latest',
                          X_Registry_Auth=AUTH)
        lines = [json.loads(line) for line in pulled.body.splitlines()]
        told.append((pulled.status, any('error' in line for line in lines)))
        told.append(java.json('GET', f'/images/{name}:latest/json')['RepoTags'])

        made = java.json('POST', '/containers/create?name=agent', {
            **AGENT, 'Image': f'{name}:latest', 'HostConfig': AGENT_HOST}, status=201)
        told.append(made['Warnings'])
        agent = f'/containers/{made["Id"]}'
        upload = java.ask('PUT', f'{agent}/archive?path=/&noOverwriteDirNonDir=false',
                          iter([gzip.compress(packed('agent.jar', b'jar'))]),
                          Content_Type='application/x-tar')
        told.append((upload.status, java.ask('POST', f'{agent}/start').status))
        shown = java.json('GET', f'{agent}/json')
        port, = shown['NetworkSettings']['Ports']['22/tcp'][:1]
        told += [shown['State']['Running'], port['HostIp'], int(port['HostPort']) > 0,
                 shown['HostConfig']['VolumesFrom'], shown['HostConfig']['CpuShares'],
                 [entry['Names'][0] for entry in java.json('GET', listing)]]

        run = java.json('POST', f'{agent}/exec', {
            'AttachStdin': True, 'AttachStdout': True, 'AttachStderr': True, 'Tty': False,
            'Cmd': ['sh', '-c', 'cat agent.jar; cat; echo log >&2; exit 5']}, status=201)
        said = java.hijacked(f'/exec/{run["Id"]}/start', b'{"Detach":false,"Tty":false}',
                             b'remoting', **{'Content-Type': 'application/json'})
        # Either kind may come first, on one engine too.
        told.append(sorted(said.items()))
        ended = java.json('GET', f'/exec/{run["Id"]}/json')
        told += [ended['ExitCode'], ended['Running']]
        told += [java.ask('POST', f'{agent}/stop?t=0').status,
                 java.ask('POST', f'{agent}/stop?t=0').status,
                 java.ask('DELETE', f'{agent}?v=true&force=true').status,
                 java.ask('DELETE', f'{agent}?v=true&force=true').status,
                 java.json('GET', listing)]
        return side.neutral.value([repr(value) for value in told])

    told = pair.tell(story)
    assert "[(1, b'jarremoting'), (2, b'log\\n')]" in told and "['/agent']" in told


def test_version_1_24(pair):
    """A command line of Docker 1.12: it asks for no version, pulls what is missing, and sends what
    later versions have dropped."""
    def story(side):
        old = Sequence(side, '1.24', {'User-Agent': 'Docker-Client/1.12.6 (linux)'})
        plain = {'Content_Type': 'text/plain'}
        name = pushed_agent(side)
        config = {
            'Hostname': '', 'AttachStdin': True, 'AttachStdout': True, 'AttachStderr': True,
            'OpenStdin': True, 'StdinOnce': True, 'Env': [], 'Volumes': {}, 'OnBuild': None,
            'Image': name, 'Cmd': ['sh', '-c', 'cat; echo done >&2; exit 6'], 'Labels': {},
            'HostConfig': {'Binds': None, 'NetworkMode': 'default', 'VolumeDriver': '',
                           'CpuShares': 1024, 'KernelMemory': 0, 'DiskQuota': 0,
                           'RestartPolicy': {'Name': 'no', 'MaximumRetryCount': 0},
                           'LogConfig': {'Type': '', 'Config': {}}, 'OomKillDisable': False,
                           'MemorySwappiness': -1, 'Isolation': '', 'ShmSize': 0},
            'NetworkingConfig': {'EndpointsConfig': {}}}
        missing = old.ask('POST', '/containers/create?name=first', config)
        told = [missing.status, side.neutral.text(missing.message()),
                old.ask('POST', f'/images/create?fromImage={name}&tag=latest', **plain).status]
        made = old.json('POST', '/containers/create?name=first', config, status=201)
        first = f'/containers/{made["Id"]}'
        with side.wire() as wire:
            wire.request('POST', f'/v1.24{first}/attach?stderr=1&stdin=1&stdout=1&stream=1',
                         {'Connection': 'Upgrade', 'Upgrade': 'tcp', 'Content-Type': 'text/plain'})
            told.append(wire.head()[:2])
            told.append(old.ask('POST', f'{first}/start', **plain).status)
            wire.send(b'typed\n')
            wire.end_output()
            told.append(sorted(frames(wire.rest())))
        told.append(old.json('POST', f'{first}/wait', **plain)['StatusCode'])
        shown = old.json('GET', f'{first}/json')
        told += [shown['State']['Status'], shown['State']['ExitCode'], shown['Name'],
                 sorted(shown['HostConfig'])]

        listed, = old.json('GET', '/containers/json?all=1&filters=%7B%22status%22%3A%7B'
                           '%22exited%22%3Atrue%7D%7D')
        told += [sorted(listed), listed['Names'][0], listed['State']]
        images = old.json('GET', '/images/json?filter=busybox')
        told += [[image['RepoTags'] for image in images],
                 [image['VirtualSize'] == image['Size'] for image in images]]
        told.append(old.json('GET', '/volumes')['Volumes'] or [])
        told.append(sorted(network['Driver'] for network in
                           old.json('GET', '/networks?filters=%7B%22name%22%3A%7B%22bridge%22%3A'
                                    'true%7D%7D'))[:1])
        told.append(old.ask('POST', '/containers/first/copy',
                            {'Resource': '/etc/passwd'}).status)
        told.append(old.ask('DELETE', f'{first}?v=1').status)
        told.append(old.ask('GET', f'{first}/json').status)
        return side.neutral.value([repr(value) for value in told])

    told = pair.tell(story)
    assert "[(1, b'typed\\n'), (2, b'done\\n')]" in told and told[-2:] == ['204', '404']
