# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What an answer says, in one short line without secrets: pure decisions.

A secret is recognised however its characters are spelled and whatever stands between them. Where one stands as it is, it
is replaced; where it is hidden in any other way, nothing of the answer is quoted.
"""

from __future__ import annotations

import base64
import html
import json
import re
import typing as t
import unicodedata
from urllib.parse import unquote

from .limits import LONGEST_MESSAGE

SECRET = "********"

LONGEST_QUOTE = 200
#: So many letters and digits of a management key, one after the other, count as the key: they are more than a chance.
PART = 12

NOTHING = f'"{SECRET}", which replaces all of it, since it may hold a key'
EMPTY = "with an empty body"

#: The keys of client and server deployments, and that of a default deployment, which is an API key of Amplitude.
DEPLOYMENT_KEY = re.compile(
    r"(client|server)-(?:[A-Za-z0-9]{16,}|(?=[\w-]*[0-9])[\w-]{8,})|[0-9a-fA-F]{32,}", re.ASCII | re.IGNORECASE
)
#: The value of a field that holds a key, in JSON that may be cut off.
_KEY_FIELD = re.compile(r'("key"\s*:\s*")(?:[^"\\]|\\.)*', re.IGNORECASE)


def quote(answer: bytes, management_api_key: str) -> str:
    """What the body of an error says."""
    text = answer.decode("utf-8", "replace").replace(management_api_key, SECRET)
    if hides(text, management_api_key):
        return NOTHING
    if len(answer) > LONGEST_MESSAGE:
        # The cut must not go through a key, whose beginning alone nobody would recognise, however it is spelled.
        text = text[: LONGEST_MESSAGE - 6 * max(len(management_api_key), 64)]
    gist = _gist(text).replace(management_api_key, SECRET)
    return _line(DEPLOYMENT_KEY.sub(SECRET, _KEY_FIELD.sub(r"\g<1>" + SECRET, gist)))


def quote_unknown(answer: bytes, management_api_key: str) -> str:
    """What an answer of success says that is not understood: it could be a list with the keys of deployments.

    Only plain words are quoted, such as the greeting of a login page.
    """
    text = answer[:LONGEST_MESSAGE].decode("utf-8", "replace")
    if not text.strip():
        return EMPTY
    gist = _gist(text)
    plain = all(re.fullmatch(r"[^\W\d_]{1,16}|[0-9]{1,3}", word) for word in re.findall(r"[\w/+=-]+", gist))
    suspicious = text.lstrip("\ufeff \t\r\n")[:1] in tuple('{["') or re.search(r"(?i)client\W|server\W", gist)
    if not plain or suspicious or hides(text, management_api_key):
        return NOTHING
    return _line(gist)


def hides(text: str, management_api_key: str) -> bool:
    """Whether a text holds a part of the management key, however it is spelled and whatever stands in between."""
    parts = _parts_of(management_api_key)
    return bool(parts) and any(
        part in skeleton for skeleton in map(_skeleton, _readings(text)) for part in parts if len(part) <= len(skeleton)
    )


def _parts_of(key: str) -> set[str]:
    """What is looked for: the key, in hexadecimal digits, and in base64 at each place that it can have in there."""
    heart = _skeleton(key)
    if len(heart) < 4:
        return set()
    spelled = [(heart, PART), (key.encode().hex(), 2 * PART), (key.encode().hex().upper(), 2 * PART)]
    for before in range(3):
        code = base64.b64encode(b"\0" * before + key.encode()).decode()
        spelled.append((_skeleton(code[-(-before * 8 // 6) : (before + len(key)) * 8 // 6]), PART))
    return {
        word[start : start + size]
        for word, size in spelled
        for start in range(max(1, len(word) - size + 1))
        if len(word) >= 4
    }


def _skeleton(text: str) -> str:
    return re.sub("[^A-Za-z0-9]+", "", text)


def _readings(text: str, most: int = 64) -> t.Collection[str]:
    """A text, and what it becomes once it is decoded in any of the usual ways, several times and in any order."""
    found = {text: None}
    waiting = [text]
    while waiting and len(found) < most:
        reading = waiting.pop(0)
        for decode in _DECODERS:
            decoded = decode(reading)
            if decoded not in found:
                found[decoded] = None
                waiting.append(decoded)
    return found


def _without_tags(text: str) -> str:
    return re.sub(r"<[^<>]*>", "", text)


def _without_backslashes(text: str) -> str:
    def character(match: t.Match[str]) -> str:
        return chr(int(match.group(1) or match.group(2), 16)) if match.group(1) or match.group(2) else ""

    return re.sub(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|[nrtbfv])|\\", character, text)


def _without_printable_quotes(text: str) -> str:
    return re.sub("=([0-9A-F]{2})", lambda match: chr(int(match.group(1), 16)), text)


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


_DECODERS: tuple[t.Callable[[str], str], ...] = (
    unquote,
    html.unescape,
    _without_backslashes,
    _without_tags,
    _without_printable_quotes,
    _compatible,
)


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


def _line(text: str) -> str:
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if not text:
        return EMPTY
    return f'"{text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"}"'
