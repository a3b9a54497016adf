# SPDX-License-Identifier: Apache-2.0
"""A plain HTTP client for the Docker API, for what the lab itself asks of an engine."""

import http.client
import json


def request(address, method, path, body=None, timeout=10):
    """Returns (status, body as bytes). body may be bytes, an open file or what json takes."""
    host, _, port = address.rpartition(':')
    headers = {}
    if hasattr(body, 'read'):
        headers['Content-Type'] = 'application/x-tar'
    elif body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers['Content-Type'] = 'application/json'
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def get(address, path, timeout=10):
    """The JSON that a GET answers; OSError or ValueError when it answers none."""
    status, body = request(address, 'GET', path, timeout=timeout)
    if status != 200:
        raise ValueError(f'GET {path}: {status} {body[:200].decode(errors="replace")}')
    return json.loads(body)


def answers(address, timeout=2):
    """Whether a Docker API answers there."""
    try:
        return request(address, 'GET', '/_ping', timeout=timeout) == (200, b'OK')
    except (OSError, http.client.HTTPException):
        return False
