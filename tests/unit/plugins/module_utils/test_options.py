# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection options: which values are refused, where they come from, and that they are documented as they are."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.community.amplitude.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.community.amplitude.plugins.module_utils._errors import InputError
from ansible_collections.community.amplitude.plugins.module_utils._options import (
    base_url_from,
    client_from,
    connection_spec,
)
from ansible_collections.community.amplitude.tests.support.modules import patch_module_args, run_module

US = "https://experiment.amplitude.com"
EU = "https://experiment.eu.amplitude.com"
DOCUMENTED = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]


def params(**options):
    """The values of the connection options as a module sees them."""
    args = dict(options, _ansible_remote_tmp="/nonexistent")
    with patch_module_args(args):
        return AnsibleModule(connection_spec()).params


def refusal(call, *args):
    with pytest.raises(InputError) as caught:
        call(*args)
    message = str(caught.value)
    assert re.fullmatch(r"Could not connect to Amplitude: [^\n]*[^.\n]\.", message)
    return message


# base_url


@pytest.mark.parametrize(
    "base_url, region, expected",
    [
        (None, "us", US),
        (None, "eu", EU),
        ("", "us", US),
        ("https://amplitude.example.com", "eu", "https://amplitude.example.com"),
        ("https://amplitude.example.com:8443", "us", "https://amplitude.example.com:8443"),
        ("https://amplitude.example.com/", "us", "https://amplitude.example.com"),
        ("https://amplitude.example.com///", "us", "https://amplitude.example.com"),
        ("https://amplitude.example.com/proxy", "us", "https://amplitude.example.com/proxy"),
        ("https://amplitude.example.com/a/b/", "us", "https://amplitude.example.com/a/b"),
        ("https://amplitude.example.com//a//b", "us", "https://amplitude.example.com/a/b"),
        (US + "/api/1", "us", US),
        (US + "/api/1/", "us", US),
        (US + "/api/1/deployments", "us", US),
        (US + "/api/1/deployments/", "us", US),
        (US + "//api//1//deployments//", "us", US),
        (US + "/proxy/api/1/deployments", "us", US + "/proxy"),
        (US + "/api/10", "us", US + "/api/10"),
        (US + "/api/1/flags", "us", US + "/api/1/flags"),
        ("HTTPS://amplitude.example.com", "us", "https://amplitude.example.com"),
        ("https://192.0.2.1", "us", "https://192.0.2.1"),
        ("https://[2001:db8::1]:8443/", "us", "https://[2001:db8::1]:8443"),
        ("http://127.0.0.1", "us", "http://127.0.0.1"),
        ("http://127.0.0.1:8080/", "us", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/api/1", "us", "http://127.0.0.1:8080"),
        ("http://127.1.2.3:8080", "us", "http://127.1.2.3:8080"),
        ("http://localhost", "us", "http://localhost"),
        ("http://LocalHost:8080", "us", "http://LocalHost:8080"),
        ("http://[::1]", "us", "http://[::1]"),
        ("http://[::1]:8080/x", "us", "http://[::1]:8080/x"),
    ],
)
def test_base_url(base_url, region, expected):
    assert base_url_from(base_url, region) == expected


@pytest.mark.parametrize(
    "base_url, problem",
    [
        ("experiment.amplitude.com", "does not begin with https://"),
        ("experiment.amplitude.com:443", "does not begin with https://"),
        ("//experiment.amplitude.com", "does not begin with https://"),
        ("/api/1", "does not begin with https://"),
        ("us", "does not begin with https://"),
        ("ftp://experiment.amplitude.com", "does not begin with https://"),
        ("file:///etc/passwd", "does not begin with https://"),
        ("https://", "has no host"),
        ("https:///api/1", "has no host"),
        ("https:experiment.amplitude.com", "has no host"),
        ("https://:443", "has no host"),
        ("https://experiment amplitude.com", "characters that no address has"),
        (US + "/a b", "characters that no address has"),
        (US + "\n", "characters that no address has"),
        (US + "\r\nX-Header: 1", "characters that no address has|is not an address"),
        ("https://exp\teriment.amplitude.com", "characters that no address has"),
        (" " + US, "characters that no address has|does not begin"),
        (US + "\x7f", "characters that no address has"),
        ("https://expérience.example.com", "characters that no address has"),
        ("https://amplitude.example.com／", "characters that no address has|is not an address"),
        ("https://amplitude.example.com:port", "is not an address"),
        ("https://amplitude.example.com:65536", "is not an address"),
        ("https://amplitude.example.com:-1", "is not an address"),
        ("https://[::1", "is not an address"),
        (US + "?limit=1", "has a user name, a query or a fragment"),
        (US + "?", "has a user name, a query or a fragment"),
        (US + "#top", "has a user name, a query or a fragment"),
        (US + "#", "has a user name, a query or a fragment"),
        ("https://someone@amplitude.example.com", "has a user name, a query or a fragment"),
        ("https://@amplitude.example.com", "has a user name, a query or a fragment"),
        ("http://localhost:80@amplitude.example.com", "has a user name, a query or a fragment"),
        ("http://experiment.amplitude.com", "is plain http to another machine"),
        ("http://192.168.0.1", "is plain http to another machine"),
        ("http://0.0.0.0", "is plain http to another machine"),
        ("http://[::]", "is plain http to another machine"),
        ("http://[2001:db8::1]", "is plain http to another machine"),
        ("http://127.0.0.1.example.com", "is plain http to another machine"),
        ("http://localhost.example.com", "is plain http to another machine"),
        ("http://localhosts", "is plain http to another machine"),
        ("http://amplitude.localhost", "is plain http to another machine"),
        ("http://128.0.0.1", "is plain http to another machine"),
        ("http://localhost\\.example.com", "is plain http to another machine"),
        ("http://example.com/127.0.0.1", "is plain http to another machine"),
        ("http://127.0.0.1%2eexample.com", "is plain http to another machine"),
    ],
)
def test_base_url_that_is_refused(base_url, problem):
    message = refusal(base_url_from, base_url, "us")
    assert re.search(f"base_url [^;]*({problem})", message)
    assert message.endswith("; use an address like https://experiment.amplitude.com.")


@pytest.mark.parametrize(
    "base_url",
    [
        "https://someone:Passw0rd@amplitude.example.com",
        "http://someone:Passw0rd@localhost:8080/api/1",
        "https://someone:Passw0rd@[::1",
        "https://someone:Passw0rd@amplitude.example.com:port",
        "ftp://someone:Passw0rd@amplitude.example.com",
        "someone:Passw0rd@amplitude.example.com",
        "https://amplitude.example.com?token=Passw0rd",
        "https://someone:Passw0rd @amplitude.example.com",
    ],
)
def test_password_in_base_url_is_not_repeated(base_url):
    assert "Passw0rd" not in refusal(base_url_from, base_url, "us")


# The other options


@pytest.mark.parametrize(
    "key, problem",
    [
        (None, "management_api_key is not set; set the option, or one of the environment variables"),
        ("", "management_api_key is not set; set the option, or one of the environment variables"),
        ("Top-Sec", "management_api_key has fewer than 8 characters"),
        ("\n", "management_api_key has characters that no key has"),
        ("Top-Secret\n", "management_api_key has characters that no key has"),
        ("Top\nSecret", "management_api_key has characters that no key has"),
        ("Top\r\nSecret: 1", "management_api_key has characters that no key has"),
        (" Top-Secret", "management_api_key has characters that no key has"),
        ("Bearer Top-Secret", "management_api_key has characters that no key has"),
        ("Top-Secrét", "management_api_key has characters that no key has"),
        ("Top-Secret\x00", "management_api_key has characters that no key has"),
        ("Top-Secret\x7f", "management_api_key has characters that no key has"),
    ],
)
def test_key_that_is_refused(key, problem):
    message = refusal(client_from, dict(params(management_api_key="management-key"), management_api_key=key))
    assert problem in message
    assert "Top" not in message and "Sec" not in message


@pytest.mark.parametrize(
    "option, value, problem",
    [
        ("timeout", 0, "timeout is 0; use a number of seconds from 0.001 to 86400"),
        ("timeout", -1, "timeout is -1; use"),
        ("timeout", 0.0001, "timeout is 0.0001; use"),
        ("timeout", "nan", "timeout is nan; use"),
        ("timeout", "inf", "timeout is inf; use"),
        ("timeout", "-inf", "timeout is -inf; use"),
        ("retry_timeout", -0.5, "retry_timeout is -0.5; use a number of seconds from 0 to 86400"),
        ("retry_timeout", "nan", "retry_timeout is nan; use"),
        ("retry_timeout", "inf", "retry_timeout is inf; use"),
        ("ca_path", "/nonexistent/ca.pem", "ca_path '/nonexistent/ca.pem' does not exist; set it to"),
        ("ca_path", "/nonexistent/ca\n.pem", r"ca_path '/nonexistent/ca\n.pem' does not exist; set it to"),
        ("base_url", "amplitude.example.com", "base_url does not begin with https://; use"),
    ],
)
def test_value_that_is_refused(option, value, problem):
    assert problem in refusal(client_from, params(management_api_key="management-key", **{option: value}))


@pytest.mark.parametrize(
    "options",
    [
        dict(),
        dict(timeout=0.001, retry_timeout=0),
        dict(timeout="2.5", retry_timeout=86400),
        dict(management_api_key="!~\"'\\/+=&%"),
        dict(ca_path="/"),
        dict(ca_path="/nonexistent/ca.pem", validate_certs=False),
    ],
)
def test_values_that_are_fine(options):
    with client_from(params(**dict(dict(management_api_key="management-key"), **options))) as client:
        assert client.base_url == US
        assert client.patience.left == options.get("retry_timeout", 120)


# Where the values come from

FIRST, SECOND = "AMPLITUDE_MANAGEMENT_API_KEY", "AMPLITUDE_EXPERIMENT_MANAGEMENT_API_KEY"


@pytest.mark.parametrize(
    "environment, options, sent",
    [
        ({FIRST: "first-key"}, {}, "first-key"),
        ({SECOND: "second-key"}, {}, "second-key"),
        ({FIRST: "first-key", SECOND: "second-key"}, {}, "first-key"),
        ({FIRST: "first-key", SECOND: "second-key"}, dict(management_api_key="option-key"), "option-key"),
        ({SECOND: "second-key"}, dict(management_api_key="option-key"), "option-key"),
    ],
)
def test_key_of_the_environment(emulator, monkeypatch, environment, options, sent):
    emulator.reset(dict(keys={"first-key": [], "second-key": [], "option-key": []}))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = run_module("amplitude_deployment_info", base_url=emulator.url, **options)
    assert not result.get("failed"), result["msg"]
    assert [request["key"] for request in emulator.requests()] == [sent]


@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_key_of_the_environment_is_secret_and_checked(emulator, monkeypatch, name):
    monkeypatch.setenv(name, "Top-Secret")
    result = run_module("amplitude_deployment_info", base_url=emulator.url, retry_timeout=0)
    assert "401 Unauthorized" in result["msg"] and "Top-Secret" not in str(result)
    monkeypatch.setenv(name, "Top-Secret\n")
    result = run_module("amplitude_deployment_info", base_url=emulator.url, retry_timeout=0)
    assert f"management_api_key (from the environment variable {name}) has characters" in result[
        "msg"
    ] and "Top-Secret" not in str(result)
    assert len(emulator.requests()) == 1


def test_base_url_of_the_environment(emulator, monkeypatch):
    monkeypatch.setenv("AMPLITUDE_BASE_URL", emulator.url)
    assert not run_module("amplitude_deployment_info", management_api_key="management-key").get("failed")
    monkeypatch.setenv("AMPLITUDE_BASE_URL", "http://amplitude.example.com")
    assert run_module("amplitude_deployment_info", management_api_key="management-key")["failed"]
    options = dict(management_api_key="management-key", base_url=emulator.url)
    assert not run_module("amplitude_deployment_info", **options).get("failed")
    assert len(emulator.requests()) == 2


@pytest.mark.parametrize(
    "environment, options, base_url",
    [
        ({}, {}, US),
        ({}, dict(region="eu"), EU),
        (dict(AMPLITUDE_REGION="eu"), {}, EU),
        (dict(AMPLITUDE_REGION="eu"), dict(region="us"), US),
        (dict(AMPLITUDE_REGION="nowhere"), dict(region="eu"), EU),
        ({}, dict(region="eu", base_url="https://a.example.com"), "https://a.example.com"),
        (dict(AMPLITUDE_BASE_URL="https://b.example.com"), dict(region="eu"), "https://b.example.com"),
        (dict(AMPLITUDE_BASE_URL="https://b.example.com", AMPLITUDE_REGION="eu"), {}, "https://b.example.com"),
        (dict(AMPLITUDE_BASE_URL="nothing"), dict(base_url="https://a.example.com"), "https://a.example.com"),
    ],
)
def test_region_and_base_url_of_the_environment(monkeypatch, environment, options, base_url):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with client_from(params(management_api_key="management-key", **options)) as client:
        assert client.base_url == base_url


#: What is in the environment, and the problem, which says where it comes from.
BAD_ENVIRONMENTS = {
    "region": (
        dict(AMPLITUDE_REGION="nowhere"),
        "region (from the environment variable AMPLITUDE_REGION) is the text 'n",
    ),
    "upper case": (dict(AMPLITUDE_REGION="EU"), "variable AMPLITUDE_REGION) is the text 'EU'; set it to us or eu"),
    "base_url": (
        dict(AMPLITUDE_BASE_URL="http://example.com"),
        "base_url (from the environment variable AMPLITUDE_BASE_URL) is plain http",
    ),
    "key": ({FIRST: "Top Secret"}, f"management_api_key (from the environment variable {FIRST}) has characters"),
    "second key": (
        {SECOND: "Top-Sec"},
        f"management_api_key (from the environment variable {SECOND}) has fewer than 8",
    ),
}


@pytest.mark.parametrize("name", BAD_ENVIRONMENTS)
def test_environment_is_checked(emulator, connection, monkeypatch, name):
    environment, problem = BAD_ENVIRONMENTS[name]
    given = {option: connection[option] for option in connection if option not in name and "key" not in name}
    if "base_url" not in name:
        given["base_url"] = emulator.url
    if "key" not in name:
        given["management_api_key"] = connection["management_api_key"]
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    result = run_module("amplitude_deployment_info", **given)
    assert result["failed"] and problem in result["msg"] and "Sec" not in str(result)
    assert result["failure"]["kind"] == "input" and len(result["problems"]) == 1
    assert emulator.requests() == []


# What is documented


def test_every_option_is_documented():
    assert sorted(DOCUMENTED) == sorted(connection_spec())


@pytest.mark.parametrize("option", connection_spec())
@pytest.mark.parametrize("field", ["type", "required", "default", "choices", "elements"])
def test_option_is_documented_as_it_is(option, field):
    documented, real = DOCUMENTED[option].get(field), connection_spec()[option].get(field)
    if field == "choices":
        documented, real = documented and sorted(documented), real and sorted(real)
    assert (documented or None, type(documented)) == (real or None, type(real))


@pytest.mark.parametrize("option", connection_spec())
def test_environment_variables_are_documented_in_their_order(option):
    text = " ".join(DOCUMENTED[option]["description"])
    dummy, variables = connection_spec()[option].get("fallback", (None, []))
    assert re.findall(r"E\((AMPLITUDE_\w+)\)", text) == variables


def test_region_is_documented_with_its_address():
    for region, text in DOCUMENTED["region"]["choices"].items():
        assert text == f"U({base_url_from(None, region)})"


def test_only_the_key_is_secret():
    assert [option for option, spec in connection_spec().items() if spec.get("no_log")] == ["management_api_key"]
