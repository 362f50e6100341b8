# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is quoted of an answer, without HTTP: never a secret, however it is spelled and whatever stands in between."""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote as percent

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.community.amplitude.plugins.module_utils._api.quotes import (
    EMPTY,
    LONGEST_MESSAGE,
    NOTHING,
    SECRET,
    quote,
    quote_unknown,
)

KEY = "aZ3+kd9/Qm4LsT7xWv0=pe5R2u=="

# The management key

BETWEEN = ["\n", "\r\n   ", "<wbr>", "</b><b class=x>", " ", "\u200b", "\u00ad", "\\n", "-", "&#8203;", "%0A", "\0"]
EACH = {
    "as it is": lambda char: char,
    "percent": lambda char: f"%{ord(char):02X}",
    "lower percent": lambda char: f"%{ord(char):02x}",
    "double percent": lambda char: f"%25{ord(char):02x}",
    "percent of signs": lambda char: percent(char, safe=""),
    "JSON": lambda char: f"\\u{ord(char):04x}",
    "JSON in JSON": lambda char: f"\\\\u{ord(char):04X}",
    "a string of a language": lambda char: f"\\x{ord(char):02x}",
    "HTML": lambda char: f"&#{ord(char)};",
    "hexadecimal HTML": lambda char: f"&#x{ord(char):X};",
    "full width": lambda char: chr(ord(char) + 0xFEE0),
}
BODIES = [
    "{0}",
    "Bearer {0} is not valid",
    '{{"error": "the key {0} is wrong"}}',
    "<p>{0}</p>",
    '{{"errors": [{{"a": "{0}',
]


@given(
    key=st.text("ABCXYZabcxyz0123456789", min_size=12, max_size=40).flatmap(
        lambda text: st.sampled_from([text, text + "==", text[:5] + "+/" + text[5:], text[:9] + "-_" + text[9:]])
    ),
    spelling=st.lists(st.tuples(st.sampled_from(sorted(EACH)), st.sampled_from(["", "", *BETWEEN])), min_size=1),
    body=st.sampled_from(BODIES),
)
@example(key=KEY, spelling=[("as it is", "")], body=BODIES[0])
@example(key=KEY, spelling=[("percent of signs", "")], body=BODIES[0])
def test_management_key_is_recognised_in_any_spelling(key, spelling, body):
    spelled = ""
    for number, char in enumerate(key):
        each, between = spelling[number % len(spelling)]
        spelled += EACH[each](char) + between
    said = body.format(spelled)
    quoted = quote(said.encode(), key)
    assert quoted == NOTHING or (key in said and quoted == quote(body.format(SECRET).encode(), key))
    assert quote_unknown(said.encode(), key) == NOTHING


WHOLE = {
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 for addresses": lambda key: base64.urlsafe_b64encode(key.encode()).decode(),
    "base64 of a header": lambda key: base64.b64encode(f"Authorization: Bearer {key}\r\n".encode()).decode(),
    "base64 of a name and it": lambda key: base64.b64encode(f"a:{key}".encode()).decode(),
    "base64 in lines": lambda key: base64.encodebytes(b"x" * 50 + key.encode()).decode(),
    "hexadecimal digits": lambda key: key.encode().hex(),
    "high hexadecimal digits": lambda key: key.encode().hex().upper(),
    "quoted-printable": lambda key: key.replace("=", "=3D"),
    "escaped twice": lambda key: percent(percent(key, safe=""), safe=""),
    "percent in HTML in JSON": lambda key: json.dumps(html.escape(percent(key, safe=""))),
    "list of characters": lambda key: json.dumps(list(key)),
    "part of it": lambda key: key[:18],
    "end of it": lambda key: key[-18:],
}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("body", BODIES[:2] + BODIES[3:4])
def test_management_key_is_recognised_as_a_whole(name, body):
    assert quote(body.format(WHOLE[name](KEY)).encode(), KEY) == NOTHING


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_management_key_in_another_encoding(encoding):
    assert quote(f"the key {KEY} is wrong".encode(encoding), KEY) == NOTHING
    assert quote_unknown(f"the key {KEY} is wrong".encode(encoding), KEY) == NOTHING


@pytest.mark.parametrize("length", range(LONGEST_MESSAGE - 700, LONGEST_MESSAGE + 60, 37))
@pytest.mark.parametrize("each", EACH)
def test_management_key_at_the_cut_of_a_long_body(each, length):
    spelled = "".join(map(EACH[each], KEY))
    # Styles are no part of the message, so that what comes after them is what would be quoted.
    start = "<style>" + "." * (length - 15) + "</style>"
    body = (start + spelled + " is wrong" + "." * 8000).encode()
    quoted = quote(body[: LONGEST_MESSAGE * 2], KEY)
    shown = re.sub(r"[^A-Za-z0-9]", "", quoted.replace(SECRET, ""))
    assert quoted == NOTHING or (spelled[:10] not in quoted and KEY[:2] + KEY[4:8] not in shown)


@pytest.mark.parametrize(
    "said",
    [
        "management API key is not valid",
        "Amplitude Experiment",
        "a key",
        "=" * 50,
        "G" * 100,
        "0" * 31,
        "%%%",
        "\\",
        "&#;",
    ],
)
def test_what_holds_no_key_is_quoted(said):
    assert SECRET not in quote(said.encode(), KEY)


@pytest.mark.parametrize(
    "key", ["a", "k3y", "a+b", "++++++++++++", "%41%42%43%44%45%46", "<b></b><i></i>", "\\u0041\\u0042\\u0043"]
)
def test_key_of_another_form(key):
    """Such keys are not those of Amplitude, but nobody checks that."""
    quoted = quote(f"the key '{key}' is wrong".encode(), key)
    assert quoted == NOTHING or f"'{key}'" not in quoted


# The keys of deployments


@pytest.mark.parametrize("kind", ["client-", "server-", "Server-"])
@pytest.mark.parametrize("end", ["aB3" * 10, "abcdefghijklmnop", "abc_def-123", "12345678", "a1-b2-c3-d4"])
@pytest.mark.parametrize("body", ["no {0}", '{{"error": "{0}"}}', "/flags?key={0}&x=1", "<p>{0}</p>"])
def test_key_of_a_deployment_in_an_error(kind, end, body):
    assert end not in quote(body.format(kind + end).encode(), KEY)


@given(
    kind=st.sampled_from(["client-", "server-", "CLIENT-", ""]),
    end=st.text("abcdef0123456789", min_size=32, max_size=32) | st.text("aZ3_-x9", min_size=1, max_size=20),
    cut=st.integers(1, 100),
    body=st.sampled_from(
        [
            '{{"deployments": [{{"id": 1, "label": "l", "key": "{0}',
            '{{"deployments": [{{"key": "{0}", "id": 1}}]}} trailer',
            "\ufeff\ufeff[{0}",
            '"{0}',
            "id;key\n1;{0}\n",
            "<table><td>{0}</td></table>",
            "<td>{0}",
        ]
    ),
)
def test_nothing_of_a_key_in_an_answer_that_is_not_understood(kind, end, cut, body):
    if re.fullmatch("[0-9]{0,3}|[A-Za-z]*", end[:cut]) and not kind:
        return  # that could be any word
    said = (
        body.partition("{0}")[0].replace("{{", "{") + (kind + end)[:cut]
        if cut < len(kind + end)
        else body.format(kind + end)
    )
    quoted = quote_unknown(said.encode(), KEY)
    assert quoted in (NOTHING, EMPTY) or (kind + end)[: min(cut, len(kind) + 2)] not in quoted or cut <= len(kind)


@pytest.mark.parametrize(
    "said, quoted",
    [
        ("", EMPTY),
        (" \n ", EMPTY),
        ("hello", '"hello"'),
        ("<html><title>Welcome</title><p>Please log in.</p></html>", '"Welcome Please log in."'),
        ("<h1>502 Bad Gateway</h1>", '"502 Bad Gateway"'),
        ("OK then", '"OK then"'),
        ("client-1", NOTHING),
        ("server-abc", NOTHING),
        ("0123456789abcdef", NOTHING),
        ("0123 4567 89ab cdef", NOTHING),
        ("server-<b>ab</b>", NOTHING),
        ('{"deployments": [', NOTHING),
        ("a" * 17, NOTHING),
        ("a_b", NOTHING),
        ("token: x1", NOTHING),
    ],
)
def test_answer_that_is_not_understood(said, quoted):
    assert quote_unknown(said.encode(), KEY) == quoted
