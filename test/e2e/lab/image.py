# SPDX-License-Identifier: Apache-2.0
"""Makes the lab's image from Debian's busybox-static.

It is written as an archive that `docker load` takes, the same to the byte each time, so that all
engines of all labs on a machine hold one image with one ID. An import would make a new ID on
every engine.
"""

import hashlib
import io
import json
import os
import platform
import subprocess
import tarfile
import time

from .host import LabError

BUSYBOX = '/bin/busybox'
FILES = {
    'etc/passwd': b'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
    'etc/group': b'root:x:0:\nnogroup:x:65534:\n',
}
DIRECTORIES = {'bin': 0o755, 'dev': 0o755, 'etc': 0o755, 'home': 0o755, 'proc': 0o755,
               'root': 0o700, 'sys': 0o755, 'tmp': 0o1777, 'usr': 0o755, 'usr/bin': 0o755,
               'var': 0o755}
MACHINES = {'x86_64': 'amd64', 'aarch64': 'arm64'}


def _add(archive, name, kind=tarfile.REGTYPE, mode=0o644, data=b'', link=''):
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size, entry.linkname = kind, mode, len(data), link
    archive.addfile(entry, io.BytesIO(data))


def _layer():
    applets = subprocess.run([BUSYBOX, '--list'], capture_output=True, text=True, check=True,
                             timeout=20).stdout.split()
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode='w') as archive:
        for name, mode in DIRECTORIES.items():
            _add(archive, name, tarfile.DIRTYPE, mode)
        with open(BUSYBOX, 'rb') as program:
            _add(archive, 'bin/busybox', mode=0o755, data=program.read())
        for applet in sorted(set(applets) - {'busybox'}):
            _add(archive, f'bin/{applet}', tarfile.SYMTYPE, 0o777, link='busybox')
        _add(archive, 'usr/bin/env', tarfile.SYMTYPE, 0o777, link='/bin/busybox')
        for name, data in FILES.items():
            _add(archive, name, data=data)
    return layer.getvalue()


def build(path, tag='busybox:latest'):
    """Writes the archive to path. Returns the image's ID."""
    if not os.path.exists(BUSYBOX):
        raise LabError(f'{BUSYBOX} is not there: install busybox-static')
    layer = _layer()
    created = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(os.stat(BUSYBOX).st_mtime))
    config = json.dumps({
        'architecture': MACHINES.get(platform.machine(), platform.machine()),
        'os': 'linux',
        'created': created,
        'config': {'Env': ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
                   'Cmd': ['sh']},
        'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(layer).hexdigest()]},
        'history': [{'created': created, 'created_by': "Debian's busybox-static"}],
    }).encode()
    identity = hashlib.sha256(config).hexdigest()
    manifest = [{'Config': f'{identity}.json', 'RepoTags': [tag], 'Layers': ['layer.tar']}]
    with tarfile.open(path + '.new', 'w') as archive:
        _add(archive, 'layer.tar', data=layer)
        _add(archive, f'{identity}.json', data=config)
        _add(archive, 'manifest.json', data=json.dumps(manifest).encode())
    os.rename(path + '.new', path)
    return 'sha256:' + identity
