# SPDX-License-Identifier: Apache-2.0
"""Ansible's community.docker: modules that look at what there is, and change what differs."""

import json

import pytest

DOCKERFILE = 'FROM busybox\nARG WHO\nRUN echo "for $WHO" > /who\n'
SETTINGS = {'ANSIBLE_STDOUT_CALLBACK': 'json', 'ANSIBLE_LOCALHOST_WARNING': 'false',
            'ANSIBLE_INVENTORY_UNPARSED_WARNING': 'false', 'ANSIBLE_PIPELINING': 'true',
            'LC_ALL': 'C.UTF-8'}


@pytest.mark.slow
def test_playbook(pair, tool):
    def story(side):
        play = tool(side)
        play.file('app/Dockerfile', DOCKERFILE)
        said, _ = play.run('ansible-playbook', '-e', f'folder={play.folder}/app',
                           '-e', 'ansible_python_interpreter=/usr/bin/python3',
                           play.shipped('playbook.yml'), timeout=300,
                           env={**SETTINGS, 'ANSIBLE_HOME': f'{play.folder}/ansible',
                                'ANSIBLE_LOCAL_TEMP': f'{play.folder}/local',
                                'ANSIBLE_REMOTE_TEMP': f'{play.folder}/remote'})
        told = json.loads(said[said.index('{'):])
        return side.neutral.value([
            (task['task']['name'], result['changed'], result.get('msg'))
            for task in told['plays'][0]['tasks'] for result in task['hosts'].values()])

    told = {name: (changed, message) for name, changed, message in pair.tell(story)}
    assert told['front'][0] and not told['front again'][0] and told['front with more memory'][0]
    assert told['told'][1][:3] == ['written\n', 'for you 0', f'front {96 << 20}'], told
