# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""HTTP and nothing else: authentication, TLS, timeouts, retries, paging, and failures in one sentence each."""

from __future__ import annotations

import datetime
import html
import http.client
import json
import re
import ssl
import threading
import traceback
import typing as t
from urllib.parse import quote

from .._errors import AnswerLost, ApiError, ConnectionFailed, RequestFailed, UnexpectedAnswer
from .._version import VERSION
from .deadline import Deadline, DeadlineAdapter
from .retry import Pace, Patience, backoff, may_retry, retry_after_seconds
from .waits import Waits

REQUESTS_IMPORT_ERROR: str | None
try:
    import requests
    import urllib3
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

#: The largest page the API serves ("limit: capped at 1000"). The default size is not documented, so it is always sent.
PAGE_SIZE = 1000
#: A page of 1,000 deployments takes about 200 kB; an answer beyond this is not one that the API would send.
LARGEST_ANSWER = 8 * 1024 * 1024
#: A cursor becomes part of an address, which servers take only up to a few thousand characters.
LONGEST_CURSOR = 4096
#: What is read at once: compressed, one chunk can grow a thousandfold.
CHUNK = 16 * 1024
#: Documented: 100 requests a second in a project. A little less, since requests do not arrive as evenly as they leave.
REQUESTS_PER_SECOND = 95
#: Ten million rows. A list that goes on beyond this has no end.
MOST_PAGES = 10000

#: As much of an answer as is looked at for its message.
LONGEST_MESSAGE = 4096

SECRET = "********"
#: The keys of client and server deployments, and that of a default deployment, which is an API key of Amplitude.
_DEPLOYMENT_KEY = re.compile(r"(client|server)-[A-Za-z0-9]{16,}|[0-9a-fA-F]{32,}")

Json = t.Any


class BearerAuth:
    """Sends the management API key.

    An auth object rather than a plain header: requests lets a ``.netrc`` entry for the host replace the latter.
    """

    def __init__(self, management_api_key: str) -> None:
        self._management_api_key = management_api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = "Bearer " + self._management_api_key
        return request


class Client:
    """Speaks HTTP with one Amplitude Experiment Management API.

    :param base_url: scheme, host and port, and the path under which ``/api/1`` is found; no trailing slash.
    :param management_api_key: printable ASCII without spaces.
    :param verify: True: the usual authorities; False: no TLS verification; or the path of a file or directory with
        the certificates of authorities.
    :param timeout: seconds for one request.
    :param retry_timeout: seconds that may be spent waiting and retrying in the whole life of the client.

    Every method raises :class:`RequestFailed` and its kinds, and nothing else. ``doing`` is what a request is for, as
    in "Could not <doing>".
    """

    def __init__(
        self,
        base_url: str,
        management_api_key: str,
        verify: bool | str = True,
        timeout: float = 30.0,
        retry_timeout: float = 120.0,
        waits: Waits = Waits(),
    ) -> None:
        self.base_url = base_url
        self.waits = waits
        self.patience = Patience(retry_timeout, waits.sleep, waits.now)
        self._management_api_key = management_api_key
        self._auth = BearerAuth(management_api_key)
        self._verify = verify
        self._timeout = timeout
        # The key must not travel in the clear through a proxy; only loopback addresses are spoken to without TLS.
        self._proxies: t.Any = None if base_url.startswith("https:") else {"http": None, "all": None}
        self._pace = Pace(waits.requests_per_second)
        self._thread = threading.local()
        self._sessions: list[requests.Session] = []
        if verify is False:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    @property
    def _session(self) -> requests.Session:
        """The session of this thread: those of requests are not made to be shared."""
        session: requests.Session | None = getattr(self._thread, "session", None)
        if session is None:
            session = self._thread.session = self._new_session()
            self._sessions.append(session)
        return session

    @staticmethod
    def _new_session() -> requests.Session:
        session = requests.Session()
        for scheme in ("https://", "http://"):
            session.mount(scheme, DeadlineAdapter())
        # Even if told not to follow a redirect, requests reads the whole of it to find out where it leads.
        session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        session.headers.update({"Accept": "application/json", "User-Agent": "ansible-community.amplitude/" + VERSION})
        return session

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *dummy: t.Any) -> None:
        for session in self._sessions:
            session.close()

    def get(self, path: str, doing: str, params: t.Mapping[str, t.Any] | None = None) -> Json:
        """GET a JSON document."""
        return self._json(self._request("GET", path, doing, params=params), doing)

    def post(self, path: str, doing: str, body: t.Mapping[str, t.Any]) -> Json:
        """POST a JSON document and return the JSON of the answer."""
        return self._json(self._request("POST", path, doing, body=body), doing)

    def patch(self, path: str, doing: str, body: t.Mapping[str, t.Any]) -> None:
        """PATCH with a JSON document. Documented: the answer is the plain text ``OK``."""
        answer = self._request("PATCH", path, doing, body=body)
        if answer.strip() not in (b"OK", b'"OK"'):
            raise self.unexpected(doing, f"that is not OK ({self._quote(answer)})")

    def pages(
        self, path: str, rows: str, doing: str, params: t.Mapping[str, t.Any] | None = None
    ) -> t.Iterator[list[dict[str, Json]]]:
        """Yield the rows of each page of a list, as far as it goes.

        :param rows: the field of the answer that holds the rows.

        Documented: a list goes on from ``nextCursor``, passed as ``cursor``. How its end is told is not: a cursor that
        is missing, null or empty, and a page without rows are all taken for the end.
        """
        seen: set[str] = set()
        query = dict(params or {}, limit=PAGE_SIZE)
        for dummy in range(MOST_PAGES):
            page = self.get(path, doing, query)
            found = page.get(rows) if isinstance(page, dict) else None
            if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
                raise self.unexpected(doing, f"without a list of {rows}")
            if not found:
                return
            yield found
            cursor = page.get("nextCursor")
            if cursor is None or cursor == "":
                return
            if isinstance(cursor, bool) or not isinstance(cursor, (str, int)) or not _is_text(str(cursor)):
                raise self.unexpected(doing, "whose nextCursor is neither text nor a number")
            if len(str(cursor)) > LONGEST_CURSOR:
                raise self.unexpected(doing, f"whose nextCursor is longer than {LONGEST_CURSOR} characters")
            if str(cursor) in seen:
                raise self.unexpected(doing, "with a nextCursor that it had sent before, so the list would never end")
            seen.add(str(cursor))
            query["cursor"] = cursor
        raise self.unexpected(doing, f"with yet another page after {MOST_PAGES}")

    def unexpected(self, doing: str, what: str) -> UnexpectedAnswer:
        """The error for an answer that says success and is not what the API's documentation promises."""
        return UnexpectedAnswer(
            doing,
            f"{self.base_url} sent an answer {what}",
            "check that base_url or region leads to the Amplitude Experiment Management API and not to something else",
        )

    def _json(self, answer: bytes, doing: str) -> Json:
        try:
            return json.loads(answer.decode("utf-8"))
        except (ValueError, RecursionError):
            raise self.unexpected(doing, f"that is not JSON ({self._quote(answer)})") from None

    def _request(
        self,
        verb: str,
        path: str,
        doing: str,
        params: t.Mapping[str, t.Any] | None = None,
        body: t.Mapping[str, t.Any] | None = None,
    ) -> bytes:
        attempt = 0
        unknown = False
        while True:
            started = self.patience.now()
            try:
                return self._send_once(verb, path, doing, params, body)
            except RequestFailed as failure:
                self.patience.spend(started, self.patience.now())
                # What an attempt may have brought about is not undone by the refusal of a later one.
                unknown = failure.outcome_unknown = failure.outcome_unknown or unknown
                if not may_retry(verb, failure) or not self.patience.wait(
                    backoff(attempt, failure.retry_after, self.waits.chance)
                ):
                    raise
            attempt += 1

    def _send_once(
        self,
        verb: str,
        path: str,
        doing: str,
        params: t.Mapping[str, t.Any] | None,
        body: t.Mapping[str, t.Any] | None,
    ) -> bytes:
        self._pace.wait()
        deadline = Deadline(self._timeout)
        try:
            # verify goes with the request, not with the session: there REQUESTS_CA_BUNDLE would win over it.
            with deadline, self._session.request(
                verb,
                self.base_url + path,
                params=params,
                json=body,
                auth=self._auth,
                verify=self._verify,
                timeout=(self._timeout, self._timeout),
                proxies=self._proxies,
                allow_redirects=False,
                stream=True,
            ) as response:
                success = 200 <= response.status_code < 300
                answer = self._read(response, doing, deadline) if success else self._read_error(response)
                if success and deadline.expired:
                    raise self._lost(doing, self._no_answer())
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, TypeError) as error:
            if deadline.expired:
                raise self._lost(doing, self._no_answer()) from None
            # The text of such an error can hold the address of a proxy with its password: it is never passed on.
            raise self._connection_problem(doing, error, deadline.connected) from None
        if not success:
            raise self._refusal(doing, response, answer)
        return answer

    def _read(self, response: requests.Response, doing: str, deadline: Deadline) -> bytes:
        """The whole body of an answer of success."""
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_content(CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > LARGEST_ANSWER:
                raise self.unexpected(doing, f"of more than {LARGEST_ANSWER // 1024**2} MiB")
        if _is_cut_off(response) and not deadline.expired:
            raise self._lost(doing, "was cut off in the middle of its answer")
        return b"".join(chunks)

    @staticmethod
    def _read_error(response: requests.Response) -> bytes:
        """The body of an error, or its beginning; the status tells what has happened even without it."""
        answer = b""
        try:
            for chunk in response.iter_content(LONGEST_MESSAGE):
                answer += t.cast(bytes, chunk)
                if len(answer) > LONGEST_MESSAGE:
                    return answer
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError):
            return b""
        return b"" if _is_cut_off(response) else answer

    def _no_answer(self) -> str:
        return f"brought no whole answer within {self._timeout:g} seconds"

    def _lost(self, doing: str, what: str, transient: bool = True) -> AnswerLost:
        return AnswerLost(
            doing,
            f"the connection to {self.base_url} {what}",
            "check the network, and run this again: it goes on from what it finds",
            transient,
        )

    def _connection_problem(self, doing: str, error: BaseException, connected: bool) -> RequestFailed:
        """What an exception of requests means for the request: never carried, or lost on the way.

        :param connected: whether there was a connection. With a proxy, urllib3 blames the proxy for whatever happens.
        """
        causes = list(_causes(error))

        def caused_by(*kinds: type) -> BaseException | None:
            return next((cause for cause in causes if isinstance(cause, kinds)), None)

        def not_connected(problem: str, advice: str, transient: bool = True) -> ConnectionFailed:
            return ConnectionFailed(doing, problem, advice, transient)

        words = str(error)
        if re.search("NO_CERTIFICATE_OR_CRL_FOUND|NO_START_LINE|PEM lib|CA certificate bundle", words):
            return not_connected(
                "the file or directory with the certificates of the authorities to trust cannot be used",
                "correct ca_path, or the environment variable REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE",
                transient=False,
            )
        untrusted = caused_by(ssl.SSLCertVerificationError)
        if untrusted or re.search("CERTIFICATE_VERIFY_FAILED|doesn't match", words):
            reason = getattr(untrusted, "verify_message", "") or "verification failed"
            return not_connected(
                f"the TLS certificate of {self.base_url} is not trusted ({reason})",
                "give the certificate of its authority with ca_path, or correct base_url",
                transient=False,
            )
        if caused_by(requests.exceptions.SSLError) and not caused_by(ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return self._lost(doing, "broke off with a TLS error", transient=False)
        if caused_by(requests.exceptions.ProxyError, urllib3.exceptions.ProxyError) and not connected:
            return not_connected(
                f"the proxy did not connect to {self.base_url}{_reason(causes)}",
                "check the proxy variables of the environment (HTTPS_PROXY, NO_PROXY)",
                transient="Tunnel connection failed: 407" not in words,
            )
        refused = caused_by(urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
        if (refused or caused_by(requests.exceptions.ConnectTimeout)) and not connected:
            return not_connected(
                f"no connection to {self.base_url} came about{_reason(causes)}",
                "check base_url or region, the network and the proxy variables of the environment",
            )
        if caused_by(urllib3.exceptions.DecodeError):
            return self.unexpected(doing, "whose content encoding is wrong")
        if caused_by(requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
            return self._lost(doing, self._no_answer())
        never_sent = (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            urllib3.exceptions.LocationValueError,
            # What requests makes of a proxy variable that is no address.
            UnicodeEncodeError,
            TypeError,
        )
        # The last is what requests 2.25 passes on from urllib.parse.
        if isinstance(error, never_sent) or words == "Invalid IPv6 URL":
            return not_connected(
                f"no request to {self.base_url} could be made ({type(error).__name__})",
                "check base_url, ca_path and the proxy variables of the environment",
                transient=False,
            )
        return self._lost(
            doing, "was closed before the whole answer was there", transient=not isinstance(error, ValueError)
        )

    def _refusal(self, doing: str, response: requests.Response, answer: bytes) -> ApiError:
        status = response.status_code
        problem = "{0} answered {1} {2} ({3})".format(
            self.base_url, status, http.client.responses.get(status, ""), self._quote(answer)
        ).replace("  ", " ")
        retry_after = retry_after_seconds(response.headers.get("Retry-After"))
        return ApiError(doing, problem, self._advice(status, retry_after), status, retry_after)

    def _advice(self, status: int, retry_after: float | None) -> str:
        if status == 401:
            return (
                "check that management_api_key is a valid management API key that was not revoked, and that region "
                "(or base_url) is the one its organisation is in: a key of the other region gets this answer too"
            )
        if status == 403:
            return "give the management API key access to this project, or use a key that has it"
        if status == 404:
            return "check base_url and region, and run this again in case what it is about has changed meanwhile"
        if status == 429:
            if retry_after is not None and retry_after + 1 > self.patience.left:
                reset = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=min(retry_after, 1e9))
                return f"the quota is reset at {reset:%Y-%m-%d %H:%M:%S} UTC: run this again then"
            return (
                "run this again later: the API allows 100 requests a second and 100,000 a day in a project, and the "
                "day's quota is reset at midnight UTC"
            )
        if 300 <= status < 400:
            return "set base_url to the address of the API itself: redirects are not followed"
        if status >= 500:
            return "run this again later: it goes on from what it finds"
        return "correct what the answer complains about"

    def _quote(self, answer: bytes) -> str:
        """What an answer says, in one short line without secrets."""
        key = self._management_api_key
        if len(answer) > LONGEST_MESSAGE:
            # The cut must not go through a key, whose beginning nobody would recognise, however it is spelled.
            answer = answer[: max(0, LONGEST_MESSAGE - 6 * max(len(key), 64))]
        text = _gist(answer.decode("utf-8", "replace"))
        for spelling in (key, json.dumps(key)[1:-1], key.replace("/", "\\/"), html.escape(key), quote(key, safe="")):
            text = text.replace(spelling, SECRET)
        text = _DEPLOYMENT_KEY.sub(SECRET, text)
        text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
        if not text:
            return "with an empty body"
        return '"{0}"'.format(text if len(text) <= 200 else text[:199] + "…")


def _gist(text: str) -> str:
    """The message in the body of an answer, whose form is not documented: JSON, HTML, text or nothing."""
    try:
        document = json.loads(text)
        while isinstance(document, dict):
            inner = [document[name] for name in ("message", "error", "errors", "detail") if document.get(name)]
            if not inner:
                break
            document = inner[0]
        return document if isinstance(document, str) else json.dumps(document)
    except (ValueError, RecursionError):
        return html.unescape(re.sub(r"<[^<>]*>", " ", re.sub(r"(?is)<(script|style)\b.*?</\1>", " ", text)))


def _is_text(text: str) -> bool:
    """Whether a string can be sent at all: JSON can spell halves of characters."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_cut_off(response: requests.Response) -> bool:
    """Whether a body is shorter than was announced, which urllib3 1.26 takes for the end."""
    announced = response.headers.get("Content-Length", "")
    return re.fullmatch("[0-9]+", announced) is not None and response.raw.tell() < int(announced)


def _causes(error: t.Any) -> t.Iterator[BaseException]:
    """An exception and all that is wrapped in it, outermost first, but not what it happened in the wake of."""
    seen: set[int] = set()
    waiting: list[t.Any] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and not isinstance(cause, RequestFailed) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [getattr(cause, "reason", None), cause.__cause__, cause.__context__]
            waiting += cause.args


def _reason(causes: t.Iterable[BaseException]) -> str:
    """The operating system's or the proxy's word for what went wrong, in parentheses, or nothing."""
    for cause in causes:
        refused = re.search(r"Tunnel connection failed: (\d{3} [\w ]*)", str(cause))
        words = refused.group(1) if refused else getattr(cause, "strerror", None)
        if isinstance(words, str) and words:
            return f" ({words})"
    return ""
