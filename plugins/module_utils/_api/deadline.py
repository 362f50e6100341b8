# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""Bounds the time of a whole request, and passes over interim answers.

The timeouts of requests bound the time between two bytes, so an answer that trickles in can take for ever.
"""

from __future__ import annotations

import functools
import http.client
import socket
import threading
import time
import typing as t

try:
    from requests.adapters import HTTPAdapter
except ImportError:
    # client says that requests is missing.
    HTTPAdapter = object  # type: ignore[misc,assignment]

_current = threading.local()


class Deadline:
    """Hangs up the connection that this thread uses within a ``with`` block once the seconds are over.

    Works for connections of a session that has mounted a :class:`DeadlineAdapter`.

    That takes a thread. Where none can be started, the timeouts of requests remain, and ``expired`` is looked at between
    two pieces of an answer.

    ``expired``: whether the seconds are over. ``connected``: whether there was a connection to the service, through the
    proxy if there is one, so that the request may have been sent.

    :param on_use: called when there is a connection, right before the request is sent.
    """

    def __init__(self, seconds: float, on_use: t.Callable[[], None] = lambda: None) -> None:
        self.connected = False
        self._on_use = on_use
        self._seconds = seconds
        self._end = float("inf")
        self._expired = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        _current.deadline = self
        self._end = time.monotonic() + self._seconds
        try:
            self._timer.start()
        except RuntimeError:
            pass  # "can't start new thread", such as in a container that limits its processes
        return self

    @property
    def expired(self) -> bool:
        return self._expired or time.monotonic() > self._end

    def __exit__(self, *dummy: t.Any) -> None:
        self._timer.cancel()
        _current.deadline = None

    def use(self, connection: t.Any) -> None:
        """Take note of the connection that now carries the request."""
        self.connected = True
        self._socket = connection.sock
        self._on_use()
        if self.expired:
            self._hang_up()

    def _expire(self) -> None:
        self._expired = True
        self._hang_up()

    def _hang_up(self) -> None:
        if self._socket is not None:
            try:
                # Not the method of an SSLSocket: that one would go on without encryption.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            except (OSError, TypeError):
                # It is closed already, or not a socket of the system: TLS within the TLS of a proxy.
                pass


class _Response(http.client.HTTPResponse):
    """Passes over any number of interim answers, such as 103 Early Hints, as HTTP demands.

    http.client does so with 100 only.
    """

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, http.client.CONTINUE if 101 < status < 200 else status, reason


@functools.lru_cache(maxsize=None)
def _watched(pool_class: t.Any) -> t.Any:
    """A class of connection pools whose connections tell the deadline of their thread that they are in use."""
    if hasattr(pool_class.ConnectionCls, "tell_deadline"):
        return pool_class

    class Connection(pool_class.ConnectionCls):  # type: ignore[misc]
        response_class = _Response

        def connect(self) -> None:
            super().connect()
            self.tell_deadline()

        def request(self, *args: t.Any, **kwargs: t.Any) -> None:
            if self.sock is not None:
                self.tell_deadline()
            super().request(*args, **kwargs)

        def tell_deadline(self) -> None:
            deadline = getattr(_current, "deadline", None)
            if deadline is not None:
                deadline.use(self)

    class Pool(pool_class):  # type: ignore[misc]
        ConnectionCls = Connection

    return Pool


class DeadlineAdapter(HTTPAdapter):
    """The transport of requests, with connections that a :class:`Deadline` can hang up."""

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        return self._watch(super().proxy_manager_for(*args, **kwargs))

    def send(self, request: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        if kwargs.get("verify") == "":
            kwargs["verify"] = True  # requests 2.25 takes an empty CURL_CA_BUNDLE as a request not to verify
        return super().send(request, *args, **kwargs)

    @staticmethod
    def _watch(manager: t.Any) -> t.Any:
        # Those of a SOCKS proxy differ from the usual ones.
        pool_classes = manager.pool_classes_by_scheme
        manager.pool_classes_by_scheme = {scheme: _watched(pool_classes[scheme]) for scheme in pool_classes}
        return manager
