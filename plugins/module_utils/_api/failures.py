# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What an exception or an answer means, as one sentence: two tables, of which the first row that applies counts."""

from __future__ import annotations

import datetime
import http.client
import re
import socket
import ssl
import typing as t
from urllib.parse import urlsplit

from .._errors import (
    AnswerLost,
    AnswerTooLarge,
    ApiError,
    ConnectionFailed,
    ProxyLibraryMissing,
    RequestFailed,
    UnexpectedAnswer,
)
from .addresses import is_loopback
from .limits import CutOff

try:
    import requests
    import urllib3
except ImportError:
    # client says that requests is missing.
    pass

RUN_AGAIN = "check the network, and run this again: it continues from what it finds"
CHECK_ADDRESS = (
    "check that base_url or region leads to the Amplitude Experiment Management API and not to something else"
)


#: What getaddrinfo() says of a host that does not exist. It says EAI_AGAIN where it cannot ask.
UNKNOWN_HOST = [getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)]


class Broken(t.NamedTuple):
    """A request that ended with an exception, or not in time.

    :param url: where it was sent.
    :param seconds: the time that it had.
    :param error: the exception.
    :param connected: whether there was a connection. With a proxy, urllib3 blames the proxy for whatever happens.
    :param expired: whether the time was over.
    """

    url: str
    seconds: float
    error: BaseException | None = None
    connected: bool = False
    expired: bool = False

    def is_a(self, *kinds: type) -> bool:
        return isinstance(self.error, kinds)

    def cause(self, *kinds: type) -> BaseException | None:
        """The outermost exception of these kinds among all that are wrapped in this one."""
        return next((cause for cause in causes(self.error) if isinstance(cause, kinds)), None)

    def says(self, pattern: str) -> bool:
        return re.search(pattern, str(self.error)) is not None

    @property
    def reason(self) -> str:
        """The operating system's or the proxy's word for what went wrong, in parentheses, or nothing."""
        for cause in causes(self.error):
            refused = re.search(r"Tunnel connection failed: (\d{3} [\w ]*)", str(cause))
            words = refused.group(1) if refused else getattr(cause, "strerror", None)
            if isinstance(words, str) and words:
                return f" ({words})"
        return ""

    @property
    def is_handshake(self) -> bool:
        """Whether TLS was not established, so no request was sent."""
        return not self.connected and self.cause(requests.exceptions.SSLError, ssl.SSLError) is not None

    @property
    def is_unknown_host(self) -> bool:
        """Whether the host does not exist, as opposed to a failed lookup."""
        error = self.cause(socket.gaierror)
        return error is not None and t.cast(OSError, error).errno in UNKNOWN_HOST

    @property
    def is_refused_here(self) -> bool:
        """Whether nothing listens at an address of this machine, and no SOCKS proxy was used."""
        if any(type(cause).__module__ == "socks" for cause in causes(self.error)):
            return False
        return self.cause(ConnectionRefusedError) is not None and is_loopback(urlsplit(self.url).hostname or "")

    @property
    def distrust(self) -> str:
        """Why a certificate is not trusted."""
        return getattr(self.cause(ssl.SSLCertVerificationError), "verify_message", "") or "verification failed"


class Meaning(t.NamedTuple):
    """A row of the table of exceptions.

    :param problem: with the fields of :func:`of_exception`.
    :param transient: whether trying again can help.
    """

    applies: t.Callable[[Broken], t.Any]
    kind: type[RequestFailed]
    problem: str
    advice: str
    transient: bool = True


#: The text of such an exception can hold the address of a proxy with its password: none of it is passed on.
EXCEPTIONS: tuple[Meaning, ...] = (
    Meaning(
        lambda it: it.expired and not it.connected,
        ConnectionFailed,
        "no connection to {url} could be established within {time}",
        "raise timeout if that is too short, or check base_url or region, the network and the proxy "
        "environment variables",
    ),
    Meaning(
        lambda it: it.expired,
        AnswerLost,
        "the connection to {url} sent no complete answer within {time}",
        "raise timeout if that is too short, or check the network, and run this again: it continues from what it finds",
    ),
    Meaning(
        lambda it: it.is_a(CutOff),
        AnswerLost,
        "the connection to {url} was cut off in the middle of its answer",
        RUN_AGAIN,
    ),
    Meaning(
        lambda it: it.says("NO_CERTIFICATE_OR_CRL_FOUND|NO_START_LINE|PEM lib|CA certificate bundle"),
        ConnectionFailed,
        "the file or directory with the CA certificates to trust cannot be used",
        "correct ca_path, or the environment variable REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE",
        transient=False,
    ),
    Meaning(
        lambda it: it.cause(ssl.SSLCertVerificationError) or it.says("CERTIFICATE_VERIFY_FAILED|doesn't match"),
        ConnectionFailed,
        "the TLS certificate of {url} is not trusted ({distrust})",
        "pass the certificate of its authority in ca_path, or correct base_url",
        transient=False,
    ),
    Meaning(
        lambda it: it.says("Missing dependencies for SOCKS"),
        ProxyLibraryMissing,
        "the proxy in the environment is a SOCKS proxy, for which the library PySocks is not installed",
        "install it where the module runs (pip install PySocks), or correct the proxy environment variables",
        transient=False,
    ),
    Meaning(
        lambda it: it.is_handshake and not it.cause(ssl.SSLEOFError, ssl.SSLZeroReturnError),
        ConnectionFailed,
        "the connection to {url} broke off with a TLS error before anything was sent",
        "check the scheme and the port of base_url: the server there does not speak TLS, or shares no TLS version "
        "with this machine",
        transient=False,
    ),
    Meaning(
        lambda it: it.is_handshake,
        ConnectionFailed,
        "the connection to {url} was closed before TLS was established",
        "check the scheme and the port of base_url, the network and the proxy environment variables",
    ),
    Meaning(
        lambda it: it.cause(requests.exceptions.SSLError) and not it.cause(ssl.SSLEOFError, ssl.SSLZeroReturnError),
        AnswerLost,
        "the connection to {url} broke off with a TLS error",
        "check the network, and run this again: it continues from what it finds",
        transient=False,
    ),
    Meaning(
        lambda it: (
            not it.connected
            and it.cause(requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)
            and it.says("Tunnel connection failed: 407")
        ),
        ConnectionFailed,
        "the proxy did not connect to {url}{reason}",
        "check the proxy environment variables (HTTPS_PROXY, NO_PROXY)",
        transient=False,
    ),
    Meaning(
        lambda it: not it.connected and it.cause(requests.exceptions.ProxyError, urllib3.exceptions.ProxyError),
        ConnectionFailed,
        "the proxy did not connect to {url}{reason}",
        "check the proxy environment variables (HTTPS_PROXY, NO_PROXY)",
    ),
    Meaning(
        lambda it: not it.connected and it.is_unknown_host,
        ConnectionFailed,
        "no connection to {url} could be established{reason}",
        "check the host name in base_url, and whether this machine can resolve other host names",
    ),
    Meaning(
        lambda it: not it.connected and it.is_refused_here,
        ConnectionFailed,
        "no connection to {url} could be established{reason}",
        "check base_url: nothing listens on that port of this machine",
    ),
    Meaning(
        lambda it: (
            not it.connected
            and it.cause(
                urllib3.exceptions.NewConnectionError,
                urllib3.exceptions.ConnectTimeoutError,
                requests.exceptions.ConnectTimeout,
            )
        ),
        ConnectionFailed,
        "no connection to {url} could be established{reason}",
        "check base_url or region, the network and the proxy environment variables",
    ),
    Meaning(
        lambda it: it.cause(urllib3.exceptions.DecodeError),
        UnexpectedAnswer,
        "{url} sent an answer whose content encoding is wrong",
        CHECK_ADDRESS,
        transient=False,
    ),
    Meaning(
        lambda it: it.cause(requests.exceptions.Timeout, urllib3.exceptions.TimeoutError),
        AnswerLost,
        "the connection to {url} sent no complete answer within {time}",
        "raise timeout if that is too short, or check the network, and run this again: it continues from what it finds",
    ),
    Meaning(
        # The last two are what requests makes of a proxy variable that is not an address.
        lambda it: it.is_a(
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            urllib3.exceptions.LocationValueError,
            UnicodeEncodeError,
            TypeError,
        ),
        ConnectionFailed,
        "no request to {url} could be made ({name})",
        "check base_url, ca_path and the proxy environment variables",
        transient=False,
    ),
    Meaning(
        # What requests 2.25 passes on from urllib.parse.
        lambda it: str(it.error) == "Invalid IPv6 URL",
        ConnectionFailed,
        "no request to {url} could be made ({name})",
        "check base_url, ca_path and the proxy environment variables",
        transient=False,
    ),
    Meaning(
        lambda it: it.is_a(ValueError),
        AnswerLost,
        "the connection to {url} was closed before the complete answer had arrived",
        RUN_AGAIN,
        transient=False,
    ),
    Meaning(
        lambda it: True,
        AnswerLost,
        "the connection to {url} was closed before the complete answer had arrived",
        RUN_AGAIN,
    ),
)


class Answered(t.NamedTuple):
    """An answer with an error status.

    :param retry_after: seconds after which the service asked to be called again, or None.
    :param patience: seconds that are left for waiting.
    """

    status: int
    retry_after: float | None
    patience: float

    @property
    def reset(self) -> datetime.datetime:
        """When the service asked to be called again."""
        return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
            seconds=min(self.retry_after or 0, 1e9)
        )


#: Whether a row applies, and what to do next.
STATUSES: tuple[tuple[t.Callable[[Answered], bool], str], ...] = (
    (
        lambda it: it.status == 401,
        "check that management_api_key is a valid management API key that has not been revoked, and that region "
        "(or base_url) is that of its organisation: a key from the other region gets this answer too",
    ),
    (
        lambda it: it.status == 403,
        "give the management API key access to this project, or use a key that has it",
    ),
    (
        lambda it: it.status == 404,
        "check base_url and region, and run this again in case something has changed in the meantime",
    ),
    (
        lambda it: it.status == 429 and it.retry_after is not None and it.retry_after + 1 > it.patience,
        "the quota is reset at {reset:%Y-%m-%d %H:%M:%S} UTC: run this again after that",
    ),
    (
        lambda it: it.status == 429,
        "run this again later: the API allows 100 requests a second and 100,000 a day per project, and the "
        "daily quota is reset at midnight UTC",
    ),
    (
        lambda it: 300 <= it.status < 400,
        "set base_url to the address of the API itself: redirects are not followed",
    ),
    (
        lambda it: it.status in (408, 425) or it.status >= 500,
        "run this again later: it continues from what it finds",
    ),
    (
        lambda it: True,
        "correct what the answer complains about",
    ),
)


def of_exception(doing: str, broken: Broken) -> RequestFailed:
    """What an exception means for a request: never carried, or lost on the way."""
    row = next(row for row in EXCEPTIONS if row.applies(broken))
    problem = row.problem.format(
        url=broken.url,
        time=f"{broken.seconds:g} second{'s' * (broken.seconds != 1)}",
        reason=broken.reason,
        distrust=broken.distrust,
        name=type(broken.error).__name__,
    )
    failure = row.kind(doing, problem, row.advice, row.transient)
    if row.transient and row.kind is ConnectionFailed:
        failure.rarely_passes = broken.is_unknown_host or broken.is_refused_here or broken.is_handshake
    return failure


def of_status(doing: str, url: str, answered: Answered, quoted: str) -> ApiError:
    """What an error status means.

    :param quoted: what the answer says.
    """
    advice = next(advice for applies, advice in STATUSES if applies(answered))
    name = http.client.responses.get(answered.status, "")
    problem = f"{url} answered {answered.status} {name} ({quoted})".replace("  ", " ")
    return ApiError(doing, problem, advice.format(reset=answered.reset), answered.status, answered.retry_after)


def unexpected(doing: str, url: str, what: str) -> UnexpectedAnswer:
    """An answer of success that is not what the API's documentation promises."""
    return UnexpectedAnswer(doing, f"{url} sent an answer {what}", CHECK_ADDRESS)


def too_large(doing: str, url: str, most: int) -> AnswerTooLarge:
    """An answer of success that is larger than what is read."""
    return AnswerTooLarge(doing, f"{url} sent an answer of more than {_mebibytes(most)}", CHECK_ADDRESS)


def row_too_large(doing: str, url: str, most: int, rows: str) -> AnswerTooLarge:
    """A page that is too large although no more than one row was asked for."""
    return AnswerTooLarge(
        doing,
        f"{url} sent an answer of more than {_mebibytes(most)} when asked for only one of the {rows}",
        f"look for the largest of the {rows} in Amplitude and make it smaller, for example by targeting a cohort instead "
        "of individual users, or check that base_url leads to the Amplitude Experiment Management API",
    )


def _mebibytes(size: int) -> str:
    return f"{size / 1024**2:g} MiB"


def causes(error: t.Any) -> t.Iterator[BaseException]:
    """An exception and all that is wrapped in it, outermost first, but not what happened before it."""
    seen: set[int] = set()
    waiting: list[t.Any] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and not isinstance(cause, RequestFailed) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [getattr(cause, "reason", None), cause.__cause__, cause.__context__]
            waiting += cause.args
