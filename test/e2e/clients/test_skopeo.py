# SPDX-License-Identifier: Apache-2.0
"""skopeo's docker-daemon transport: images out of a daemon and into it."""

import json


def test_copies(pair, tool):
    def story(side):
        work = tool(side)
        host = f'http://{side.address}'
        loose = ['skopeo', '--insecure-policy']
        shown = work.json(*loose, 'inspect', '--daemon-host', host, 'docker-daemon:busybox:latest')
        config = work.json(*loose, 'inspect', '--config', '--daemon-host', host,
                           'docker-daemon:busybox:latest')
        work.run(*loose, 'copy', '--src-daemon-host', host, 'docker-daemon:busybox:latest',
                 f'dir:{work.folder}/out')
        manifest = json.loads((work.folder / 'out' / 'manifest.json').read_text())
        # Into the daemon under another name, where it runs at once.
        work.run(*loose, 'copy', '--dest-daemon-host', host, f'dir:{work.folder}/out',
                 'docker-daemon:copied:1')
        ran = side.said('run', '--rm', 'copied:1', 'echo', 'hello')
        # From the daemon to a registry, and from there by a pull.
        name = f'{side.lab.registry}/copied'
        work.run(*loose, 'copy', '--src-daemon-host', host, '--dest-tls-verify=false',
                 'docker-daemon:copied:1', f'docker://{name}:2')
        pulled = side.docker('pull', '-q', f'{name}:2').ok().stdout
        # The words are the engine's or the pool's own.
        work.run(*loose, 'inspect', '--daemon-host', host, 'docker-daemon:none:1', code=1)
        return [shown, config, len(manifest['layers']), ran, side.neutral.text(pulled),
                side.said('image', 'inspect', '-f', '{{.RepoTags}}', f'{name}:2')]

    told = pair.tell(story)
    assert told[3] == (0, 'hello\n', '') and told[5][0] == 0
