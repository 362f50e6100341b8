# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that no framework would let be: one sends whatever bytes it is told to, one passes bytes on and counts."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import ssl
import threading
import typing as t

Pieces = bytes | t.Iterable[bytes]


def http(status: str, body: str | bytes = b"", *headers: str) -> bytes:
    """An answer with a Content-Length."""
    content = body.encode() if isinstance(body, str) else body
    head = ("HTTP/1.1 " + status, f"Content-Length: {len(content)}") + headers
    return "\r\n".join(head + ("", "")).encode() + content


class _Listener:
    """Serves each connection to a loopback port in a thread, and leaves neither when it is closed."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._ssl_context = ssl_context
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._address = self._socket.getsockname()
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._ending = threading.Event()
        self.port: int = self._address[1]
        self.url = "{0}://127.0.0.1:{1}".format("https" if ssl_context else "http", self.port)
        self.connections = 0
        self.closed = threading.Event()

    def __enter__(self: _Self) -> _Self:
        self.listen()
        return self

    def __exit__(self, *dummy: t.Any) -> None:
        self._ending.set()
        with contextlib.suppress(OSError):
            socket.create_connection(self._address).close()  # ends the accept()
        for thread in self._threads[:1]:
            thread.join(5)
        self._socket.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def listen(self, *dummy: t.Any) -> None:
        """Accept connections from now on."""
        self._socket.listen()
        self._start(self._accept)

    def _start(self, function: t.Callable[..., None], *arguments: t.Any) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            connection = self._socket.accept()[0]
            if self._ending.is_set():
                connection.close()
                return
            self.connections += 1
            with contextlib.suppress(OSError):
                if self._ssl_context is not None:
                    connection = self._ssl_context.wrap_socket(
                        connection, server_side=True, do_handshake_on_connect=False
                    )
                self._open.add(connection)
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            self._converse(connection)
        self._open.discard(connection)
        self.closed.set()

    def _converse(self, connection: socket.socket) -> None:
        raise NotImplementedError


_Self = t.TypeVar("_Self", bound=_Listener)


class RawServer(_Listener):
    """Gives every request the same answer, or what a function makes of the request, and keeps what it sees.

    :param answer: bytes, or pieces of them that are sent one after the other.
    :param closes: whether the connection is closed after an answer.
    :param pause: seconds after each piece.
    """

    def __init__(
        self,
        answer: Pieces | t.Callable[[bytes], Pieces] = b"",
        closes: bool = False,
        pause: float = 0.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(ssl_context)
        self._answer = answer if callable(answer) else lambda dummy: answer
        self._closes = closes
        self._pause = pause
        self.requests: list[bytes] = []

    def _converse(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            for request in iter(lambda: self._read(stream), b""):
                self.requests.append(request)
                answer = self._answer(request)
                for piece in [answer] if isinstance(answer, bytes) else answer:
                    connection.sendall(piece)
                    if self._ending.wait(self._pause):
                        return
                if self._closes:
                    return

    @staticmethod
    def _read(stream: t.BinaryIO) -> bytes:
        head = b"".join(itertools.takewhile(bytes.strip, stream))
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        return head and head + b"\r\n" + stream.read(int(length.group(1)) if length else 0)


class Relay(_Listener):
    """Passes everything on to another port of this machine, and keeps what its clients send."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self.sent = b""

    def _converse(self, connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._port)) as target:
            self._open.add(target)
            self._start(self._pass_on, target, connection)
            self._pass_on(connection, target, keep=True)

    def _pass_on(self, source: socket.socket, target: socket.socket, keep: bool = False) -> None:
        with contextlib.suppress(OSError):
            for data in iter(lambda: source.recv(65536), b""):
                if keep:
                    self.sent += data
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
