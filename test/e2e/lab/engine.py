# SPDX-License-Identifier: Apache-2.0
"""An HTTP client for the Docker API, for what the lab itself asks of an engine."""

import http.client
import json
import os
import ssl


def settings(folder):
    """The TLS settings of a client that has ca.pem, cert.pem and key.pem in that folder."""
    made = ssl.create_default_context(cafile=os.path.join(folder, 'ca.pem'))
    made.load_cert_chain(os.path.join(folder, 'cert.pem'), os.path.join(folder, 'key.pem'))
    return made


def request(address, method, path, body=None, timeout=10, certs=None):
    """Returns (status, body as bytes). body may be bytes, an open file or what json takes. certs
    is a folder of settings(): TLS then."""
    host, _, port = address.rpartition(':')
    headers = {}
    if hasattr(body, 'read'):
        headers['Content-Type'] = 'application/x-tar'
    elif body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers['Content-Type'] = 'application/json'
    if certs:
        connection = http.client.HTTPSConnection(host, int(port), timeout=timeout,
                                                 context=settings(certs))
    else:
        connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def get(address, path, timeout=10, certs=None):
    """The JSON that a GET answers; OSError or ValueError when it answers none."""
    status, body = request(address, 'GET', path, timeout=timeout, certs=certs)
    if status != 200:
        raise ValueError(f'GET {path}: {status} {body[:200].decode(errors="replace")}')
    return json.loads(body)


def answers(address, timeout=2, certs=None):
    """Whether a Docker API answers there."""
    try:
        return request(address, 'GET', '/_ping', timeout=timeout, certs=certs) == (200, b'OK')
    except (OSError, http.client.HTTPException):
        return False
