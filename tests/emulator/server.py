# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A threaded HTTP/1.1 server that leaves nothing behind when it is closed."""

from __future__ import annotations

import email.utils
import socket
import ssl
import sys
import threading
import typing as t

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from .answers import EARLY_HINTS
from .app import create_app
from .control import Control

_HANDSHAKE_TIMEOUT = 10.0
_JOIN_TIMEOUT = 5.0


class _Handler(WSGIRequestHandler):
    """Werkzeug's handler closes the connection after each answer; this one keeps it open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        self.environ = environ = self.make_environ()
        started: list[t.Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: t.Any = None) -> None:
            started[:] = [status, headers]

        chunks = self.server.app(environ, start_response)  # type: ignore[arg-type]
        head: bytes | None = self._head(*started)
        try:
            if environ.get(EARLY_HINTS):
                self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n")
            for chunk in chunks:
                self.wfile.write((head or b"") + chunk)
                head = None
            if head:
                self.wfile.write(head)
        except OSError:
            self.close_connection = True
        finally:
            if hasattr(chunks, "close"):
                chunks.close()

    def _head(self, status: str, headers: list[tuple[str, str]]) -> bytes:
        lines = ["HTTP/1.1 " + status, "Server: emulator", "Date: " + email.utils.formatdate(usegmt=True)]
        lines += ["{}: {}".format(*header) for header in headers]
        if self.close_connection:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def log(self, type: str, message: str, *args: t.Any) -> None:
        """Say nothing."""


class _Server(ThreadedWSGIServer):
    """Knows its open connections, and takes the TLS handshake out of the thread that accepts."""

    daemon_threads = True

    def __init__(self, host: str, port: int, app: t.Any, ssl_context: ssl.SSLContext | None) -> None:
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._connections_lock = threading.Lock()
        super().__init__(host, port, app, _Handler)
        self.ssl_context = ssl_context

    def process_request(self, request: t.Any, client_address: t.Any) -> None:
        thread = threading.Thread(target=self._converse, args=(request, client_address), daemon=True)
        with self._connections_lock:
            self._connections[thread] = request
        thread.start()

    def _converse(self, request: t.Any, client_address: t.Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._connections_lock:
                self._connections.pop(threading.current_thread(), None)

    def finish_request(self, request: t.Any, client_address: t.Any) -> None:
        if self.ssl_context is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(_HANDSHAKE_TIMEOUT)
        with self.ssl_context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as secure:
            with self._connections_lock:
                self._connections[threading.current_thread()] = secure
            secure.do_handshake()
            secure.settimeout(None)
            super().finish_request(secure, client_address)

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """Close the connections that are open, and wait for their threads."""
        with self._connections_lock:
            connections = dict(self._connections)
        for connection in connections.values():
            try:
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in connections:
            thread.join(_JOIN_TIMEOUT)


class Emulator(Control):
    """An emulator in a thread of this process: ``with Emulator(seed=..., ids="string") as emulator: ...``.

    :param seed: the state to begin with, see :class:`.account.Account`; None is two empty projects.
    :param host: address to listen on.
    :param port: port to listen on; 0 is any.
    :param ssl_context: speak TLS.
    :param switches: see :class:`.switches.Switches`.
    """

    def __init__(
        self,
        seed: t.Mapping[str, t.Any] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        **switches: t.Any,
    ) -> None:
        super().__init__(seed, **switches)
        self._address = (host, port)
        self._ssl_context = ssl_context
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.port = port
        self.url = ""

    def start(self) -> None:
        """Listen; :attr:`url` and :attr:`port` say where."""
        host = self._address[0]
        self._server = server = _Server(*self._address, create_app(self), self._ssl_context)
        self.port = server.port
        scheme = "https" if self._ssl_context else "http"
        self.url = "{}://{}:{}".format(scheme, f"[{host}]" if ":" in host else host, self.port)
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and close every connection; no thread is left."""
        if self._server is None or self._thread is None:
            return
        self.world.end()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.hang_up()
        self._server = None

    def __enter__(self) -> Emulator:
        self.start()
        return self

    def __exit__(self, *exc_info: t.Any) -> None:
        self.close()
