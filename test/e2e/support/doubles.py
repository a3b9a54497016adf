# SPDX-License-Identifier: Apache-2.0
"""Servers that say one thing to everybody, for what needs no real one."""

import contextlib
import socket
import threading


@contextlib.contextmanager
def engine_double():
    """Answers every request with a 200, as a ping is answered."""
    with answering(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nApi-Version: 1.41\r\n\r\nOK') as address:
        yield address


@contextlib.contextmanager
def answering(answer, tls=None, port=0):
    """A server that says the same to everybody, over TLS where it has an ssl.SSLContext; yields its
    address. port 0: one that is free."""
    server = socket.create_server(('127.0.0.1', port))
    over = threading.Event()

    def talk(connection):
        with contextlib.ExitStack() as opened, contextlib.suppress(OSError):
            opened.enter_context(connection)
            if tls:
                connection.settimeout(5)
                connection = opened.enter_context(tls.wrap_socket(connection, server_side=True))
            connection.settimeout(1)
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(65536):
                        return
                    connection.sendall(answer)

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f'127.0.0.1:{server.getsockname()[1]}'
    finally:
        over.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
