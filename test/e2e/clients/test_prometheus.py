# SPDX-License-Identifier: Apache-2.0
"""Prometheus finds its targets among the containers (docker_sd_configs)."""

import http.client
import json
import subprocess

from lab import engine, wait_until
from lab.manager import free_port

CONFIG = '''
global: {{scrape_interval: 1h}}
scrape_configs:
  - job_name: containers
    docker_sd_configs:
      - host: tcp://{address}
        refresh_interval: 1s
'''
IDLE = ['sleep', '1000']


def targets(address):
    """The labels of what was found, by container and port; None before there is an answer."""
    try:
        found = engine.get(address, '/api/v1/targets?state=active')['data']['activeTargets']
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return sorted((target['discoveredLabels'] for target in found), key=json.dumps)


def found_by_prometheus(side, play, count):
    config = play.file('prometheus.yml', CONFIG.format(address=side.address))
    address = f'127.0.0.1:{free_port()}'
    with open(play.folder / 'log', 'wb') as log:
        process = subprocess.Popen(
            ['prometheus', f'--config.file={config}', f'--web.listen-address={address}',
             f'--storage.tsdb.path={play.folder}/data'], cwd=play.folder, env=play.env,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until(lambda: len(targets(address) or []) >= count, 60,
                   f'Prometheus has found {count} targets of the {side.name}')
        return targets(address)
    finally:
        process.terminate()
        process.wait(30)


def test_discovery(pair, tool):
    def story(side):
        side.start('web', *IDLE, Labels={'tier': 'front'}, ExposedPorts={'80/tcp': {}},
                   HostConfig={'PortBindings': {'80/tcp': [{'HostPort': '18080'}]}})
        side.docker('network', 'create', '--label', 'of=shop', 'net').ok()
        side.start('db', *IDLE, HostConfig={'NetworkMode': 'net'}, ExposedPorts={'5432/tcp': {}})
        side.start('host', *IDLE, HostConfig={'NetworkMode': 'host'})
        side.create('idle', *IDLE)
        told = []
        for labels in found_by_prometheus(side, tool(side), 3):
            kept = {name: value for name, value in labels.items()
                    if name.startswith('__meta_docker_')}
            swarm_id = kept.pop('__meta_docker_container_label_com_docker_swarm_id', '')
            assert len(swarm_id) == (64 if side.name == 'pool' else 0)
            for name in ('container_id', 'network_id'):
                assert len(kept.pop(f'__meta_docker_{name}')) == 64
            kept['__meta_docker_network_ip'] = bool(kept.get('__meta_docker_network_ip'))
            # Every node has a bridge, so the pool names it with its node.
            network = kept['__meta_docker_network_name']
            kept['__meta_docker_network_name'] = network.rpartition('/')[2]
            told.append(side.neutral.value(kept))
        return sorted(told, key=json.dumps)

    told = pair.tell(story)
    ports = {entry['__meta_docker_container_name']: entry.get('__meta_docker_port_public')
             for entry in told}
    assert ports == {'/web': '18080', '/db': None, '/host': None}, told
    label = '__meta_docker_network_label_of'
    assert [entry[label] for entry in told if label in entry] == ['shop']
