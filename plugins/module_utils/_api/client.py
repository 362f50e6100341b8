# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""HTTP and nothing else: authentication, TLS, timeouts, retries, and paging.

What a failure means is told by failures and quotes. They are imported where a request has failed, since most do not: see
_module.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import traceback
import typing as t

from .._errors import AnswerTooLarge, ApiError, RequestFailed, UnexpectedAnswer
from .._version import VERSION
from .deadline import Deadline, DeadlineAdapter
from .limits import LONGEST_MESSAGE, PAGE_SIZE, CutOff, Limits
from .pace import Gate
from .retry import Patience, backoff, may_retry, retry_after_seconds
from .waits import Waits, spell

REQUESTS_IMPORT_ERROR: str | None
try:
    import requests
    import urllib3
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

#: What is read at once: compressed, one chunk can grow a thousandfold.
CHUNK = 16 * 1024

Json = t.Any
Params = t.Mapping[str, t.Any]


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
    :param waits: the pace of requests, the pauses before they are sent again, and the clock for both.
    :param limits: how much is read.

    Each verb has a method for each form that its answer can have: ``…_json`` returns a JSON document, ``…_ok`` makes sure
    that the answer is the plain text ``OK``. Every method raises :class:`RequestFailed` and its kinds, and nothing else.
    ``doing`` is what a request is for, as in "Could not <doing>".
    """

    def __init__(
        self,
        base_url: str,
        management_api_key: str,
        verify: bool | str = True,
        timeout: float = 30.0,
        retry_timeout: float = 120.0,
        waits: Waits = Waits(),
        *,
        limits: Limits = Limits(),
    ) -> None:
        self.base_url = base_url
        self.waits = waits
        self.patience = Patience(retry_timeout, waits=waits)
        self._limits = limits
        self._management_api_key = management_api_key
        self._auth = BearerAuth(management_api_key)
        self._verify = verify
        self._timeout = timeout
        # The key must not travel in the clear through a proxy; only loopback addresses are spoken to without TLS.
        self._proxies: t.Any = None if base_url.startswith("https:") else {"http": None, "all": None}
        self._gate = Gate(waits)
        self._page_sizes: dict[str, int] = {}
        self._sessions: list[requests.Session] = []
        self._idle: list[requests.Session] = []
        if verify is False:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    @contextlib.contextmanager
    def _session(self) -> t.Iterator[requests.Session]:
        """A session that no other thread uses meanwhile: those of requests are not meant to be shared.

        The last one that was used goes first, so that there are no more connections than requests under way.
        """
        try:
            session = self._idle.pop()
        except IndexError:
            session = self._new_session()
            self._sessions.append(session)
        try:
            yield session
        finally:
            self._idle.append(session)

    @staticmethod
    def _new_session() -> requests.Session:
        session = requests.Session()
        for scheme in ("https://", "http://"):
            session.mount(scheme, DeadlineAdapter())
        # Even if told not to follow a redirect, requests reads all of it to find out where it leads.
        session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        session.headers.update({"Accept": "application/json", "User-Agent": "ansible-community.amplitude/" + VERSION})
        return session

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *dummy: t.Any) -> None:
        for session in self._sessions:
            session.close()

    def get_json(self, path: str, doing: str, params: Params | None = None, keep: frozenset[str] | None = None) -> Json:
        """GET a JSON document.

        :param keep: the fields of objects that are wanted, wherever in the document they are (None: all). The others are
            thrown away while the document is read, so that they take no memory.
        """
        return self._json(self._request("GET", path, doing, params=params), doing, keep)

    def post_json(self, path: str, doing: str, body: Params) -> Json:
        """POST a JSON document and return the JSON of the answer."""
        return self._json(self._request("POST", path, doing, body=body), doing)

    def post_ok(self, path: str, doing: str, body: Params) -> None:
        """POST a JSON document where the answer is ``OK``."""
        self._ok(self._request("POST", path, doing, body=body), doing)

    def patch_ok(self, path: str, doing: str, body: Params) -> None:
        """PATCH with a JSON document where the answer is ``OK``."""
        self._ok(self._request("PATCH", path, doing, body=body), doing)

    def delete_ok(self, path: str, doing: str) -> None:
        """DELETE where the answer is ``OK``."""
        self._ok(self._request("DELETE", path, doing), doing)

    def pages(
        self,
        path: str,
        rows: str,
        doing: str,
        params: Params | None = None,
        keep: frozenset[str] | None = None,
    ) -> t.Iterator[list[dict[str, Json]]]:
        """Yield the rows of each page of a list, to its end; an empty page at the end counts as a page.

        :param rows: the field of the answer that holds the rows.
        :param keep: the fields of rows that are wanted; see :meth:`get_json`.

        Documented: a list continues from ``nextCursor``, passed as ``cursor``. How its end is marked is not: a cursor
        that is missing, null, empty, false or 0, and a page without rows are all taken as the end. (0 cannot continue a
        list: one that is counted by its rows or pages begins there.)
        """
        seen: set[str] = set()
        query = dict(params or {}, limit=PAGE_SIZE)
        wanted = None if keep is None else keep | {rows, "nextCursor"}
        asked = 0
        for number in itertools.count():
            if asked >= self._limits.most_pages * PAGE_SIZE:
                raise self.unexpected(doing, f"with yet another page after {number}")
            page, size = self._page(path, rows, doing, query, wanted)
            asked += size
            found = page.get(rows) if isinstance(page, dict) else None
            if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
                raise self.unexpected(doing, f"without a list of {rows}")
            yield found
            if not found:
                return
            cursor = self._cursor(page.get("nextCursor"), doing)
            if cursor is None:
                return
            if cursor in seen:
                raise self.unexpected(doing, "with a nextCursor that it had sent before, so the list would never end")
            seen.add(cursor)
            query["cursor"] = cursor

    def _page(self, path: str, rows: str, doing: str, query: Params, keep: frozenset[str] | None) -> tuple[Json, int]:
        """A page of a list, and how many rows were asked for: so few that the answer is not too large."""
        while True:
            size = self._page_sizes.get(path, PAGE_SIZE)
            try:
                return self.get_json(path, doing, dict(query, limit=size), keep), size
            except AnswerTooLarge:
                if size == 1:
                    from .failures import row_too_large

                    raise row_too_large(doing, self.base_url, self._limits.largest_answer, rows) from None
                self._page_sizes[path] = max(1, size // 4)

    def _cursor(self, cursor: Json, doing: str) -> str | None:
        """The cursor of the next page, or None if there is none."""
        if cursor is None or cursor is False or cursor == "" or (cursor == 0 and isinstance(cursor, int)):
            return None
        if isinstance(cursor, bool) or not isinstance(cursor, (str, int)) or not _is_text(str(cursor)):
            raise self.unexpected(doing, "whose nextCursor is neither text nor a number")
        if len(str(cursor)) > self._limits.longest_cursor:
            raise self.unexpected(doing, f"whose nextCursor is longer than {self._limits.longest_cursor} characters")
        return str(cursor)

    def unexpected(self, doing: str, what: str) -> UnexpectedAnswer:
        """The error for an answer that reports success but is not what the API's documentation promises."""
        from .failures import unexpected

        return unexpected(doing, self.base_url, what)

    def _unexpected_text(self, doing: str, what: str, answer: bytes) -> UnexpectedAnswer:
        """The same with what can be quoted of the answer."""
        from .quotes import quote_unknown

        return self.unexpected(doing, f"that is not {what} ({quote_unknown(answer, self._management_api_key)})")

    def _json(self, answer: bytearray, doing: str, keep: frozenset[str] | None = None) -> Json:
        def kept(row: dict[str, Json]) -> dict[str, Json]:
            return row if keep is None else {name: row[name] for name in row if name in keep}

        try:
            # Some servers begin JSON with a byte order mark, which Python's parser does not take.
            text = answer.decode("utf-8-sig")
            answer.clear()
            return json.loads(text, object_hook=None if keep is None else kept)
        except (ValueError, RecursionError):
            raise self._unexpected_text(doing, "JSON", bytes(answer) or text.encode()) from None

    def _ok(self, answer: bytearray, doing: str) -> None:
        if bytes(answer).strip() not in (b"OK", b'"OK"'):
            raise self._unexpected_text(doing, "OK", bytes(answer))

    def _request(
        self, verb: str, path: str, doing: str, params: Params | None = None, body: Params | None = None
    ) -> bytearray:
        unknown = False
        begun = self.patience.now()
        for attempt in itertools.count():
            started = self.patience.now()
            try:
                return self._send_once(verb, path, doing, params, body)
            except RequestFailed as failure:
                self.patience.spend(started, self.patience.now())
                # What an attempt may have brought about is not undone by the refusal of a later one.
                unknown = failure.outcome_unknown = failure.outcome_unknown or unknown
                pause = backoff(attempt, failure.retry_after, self.waits)
                passed = self.patience.now() - begun
                hopeless = failure.rarely_passes and passed + pause > self.waits.rarely_passes
                if hopeless or not may_retry(verb, failure) or not self.patience.wait(pause):
                    if attempt:
                        failure.problem += f", in the last of {attempt + 1} attempts within {spell(passed)}"
                    raise
        raise AssertionError("the numbers have come to an end")

    def _send_once(self, verb: str, path: str, doing: str, params: Params | None, body: Params | None) -> bytearray:
        turn = self._gate.wait()
        deadline = Deadline(self._timeout, lambda: self._gate.carried(turn))
        status = None
        try:
            with self._session() as session:
                # verify goes with the request, not with the session: there REQUESTS_CA_BUNDLE would win over it.
                with deadline, session.request(
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
                    status = response.status_code
                    success = 200 <= status < 300
                    answer = self._read(response, doing, deadline) if success else self._read_error(response, deadline)
                    if success and deadline.expired:
                        raise CutOff
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, TypeError) as error:
            raise self._connection_problem(doing, error, deadline) from None
        finally:
            self._gate.ended(turn, status)
        if not success:
            raise self._refusal(doing, response, answer)
        return answer

    def _read(self, response: requests.Response, doing: str, deadline: Deadline) -> bytearray:
        """The whole body of an answer of success."""
        answer = bytearray()
        if _announced(response) > self._limits.largest_answer:
            raise self._too_large(doing)
        for chunk in response.iter_content(CHUNK):
            answer += chunk
            if len(answer) > self._limits.largest_answer:
                raise self._too_large(doing)
            if deadline.expired:
                break
        if _is_cut_off(response):
            raise CutOff
        return answer

    def _too_large(self, doing: str) -> AnswerTooLarge:
        from .failures import too_large

        return too_large(doing, self.base_url, self._limits.largest_answer)

    @staticmethod
    def _read_error(response: requests.Response, deadline: Deadline) -> bytearray:
        """The body of an error, or its beginning; the status tells what has happened even without it."""
        answer = bytearray()
        try:
            for chunk in response.iter_content(LONGEST_MESSAGE):
                answer += chunk
                if len(answer) > LONGEST_MESSAGE or deadline.expired:
                    return answer
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError):
            return bytearray()
        return bytearray() if _is_cut_off(response) else answer

    def _connection_problem(self, doing: str, error: BaseException, deadline: Deadline) -> RequestFailed:
        from .failures import Broken, of_exception

        return of_exception(doing, Broken(self.base_url, self._timeout, error, deadline.connected, deadline.expired))

    def _refusal(self, doing: str, response: requests.Response, answer: bytearray) -> ApiError:
        from .failures import Answered, of_status
        from .quotes import quote

        retry_after = retry_after_seconds(response.headers.get("Retry-After"))
        answered = Answered(response.status_code, retry_after, self.patience.left)
        return of_status(doing, self.base_url, answered, quote(bytes(answer), self._management_api_key))


def _is_text(text: str) -> bool:
    """Whether a string can be sent at all: JSON can spell halves of characters."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _announced(response: requests.Response) -> int:
    """The bytes that a body is said to have before it is unpacked; 0 if that is not said."""
    announced = response.headers.get("Content-Length", "")
    return int(announced) if re.fullmatch("[0-9]{1,18}", announced) else 0


def _is_cut_off(response: requests.Response) -> bool:
    """Whether a body is shorter than was announced, which urllib3 1.26 takes for the end."""
    announced = response.headers.get("Content-Length", "")
    return re.fullmatch("[0-9]+", announced) is not None and response.raw.tell() < float(announced)
