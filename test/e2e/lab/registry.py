# SPDX-License-Identifier: Apache-2.0
"""Debian's docker-registry on a lab's switch, where all of its engines reach it."""

from . import engine, host, network
from .host import LabError

PORT = 5000
PRIVATE_PORT = 5001


def start(lab, role, port, users=None):
    """Starts one, which ends with the lab, and returns its address. users is the text of an htpasswd
    file (of bcrypt): who alone may use it."""
    address = f'{network.switch_of(lab.prefix)}:{port}'
    auth = ''
    if users:
        listed = lab.path(f'{role}.users')
        with open(listed, 'w') as file:
            file.write(users)
        auth = f'auth: {{htpasswd: {{realm: lab, path: {listed}}}}}\n'
    config, log = lab.path(f'{role}.yml'), lab.path(f'{role}.log')
    with open(config, 'w') as file:
        file.write(f'version: 0.1\nlog: {{level: warn}}\nhttp: {{addr: "{address}"}}\n'
                   f'storage: {{filesystem: {{rootdirectory: {lab.path(role)}}},'
                   f' delete: {{enabled: true}}}}\n{auth}')
    host.start(host.inside(lab.switch(), 'setsid', '--fork', 'docker-registry', 'serve', config),
               lab.state, role, log)

    def listening():
        try:
            return engine.request(address, 'GET', '/v2/', timeout=2)[0] in (200, 401)
        except OSError:
            return False

    try:
        host.wait_until(listening, 30, f'the registry {address} answers')
    except LabError as late:
        raise LabError(f'{late}\n{host.tail(log)}') from None
    lab.say(f'registry {address} answers')
    return address
