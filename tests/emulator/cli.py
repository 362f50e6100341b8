# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator as a program."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import signal
import ssl
import sys
import time
import typing as t

from .errors import Invalid
from .server import Emulator
from .switches import Switches


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM, SIGINT or the end of the parent; the answer is the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if bool(options.tls_cert) != bool(options.tls_key):
        parser.error("--tls-cert and --tls-key go together")
    try:
        seed = _read_seed(options.seed)
        emulator = Emulator(
            seed=seed,
            host=options.host,
            port=options.port,
            ssl_context=_tls(options.tls_cert, options.tls_key) if options.tls_cert else None,
        )
        emulator.switch(**_switches(options.switch))
        emulator.start()
    except (Invalid, OSError) as error:
        parser.error(str(error))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        if options.port_file:
            _write_atomically(options.port_file, f"{emulator.port}\n")
        print(f"Amplitude Experiment emulator listening on {emulator.url}", flush=True)
        print(HINT.format(url=emulator.url, key=next(iter(seed.get("keys") or {"management-key": None}))), flush=True)
        while options.parent_pid is None or _is_running(options.parent_pid):
            time.sleep(1)
    finally:
        emulator.close()
    return 0


#: What it begins with.
EXAMPLE = pathlib.Path(__file__).with_name("example.yml")

HINT = """\
For playbooks in another terminal:
  export AMPLITUDE_BASE_URL={url}
  export AMPLITUDE_MANAGEMENT_API_KEY={key}
Ctrl-C ends it, and discards everything that was created in it."""

SEED_HELP = """\
seed, JSON or YAML; without one, the two projects of example.yml:
  keys: {management-key: ["1"]}                                       # a management API key and its projects
  deployments: [{projectId: "1", label: web, type: client}]           # also id, key, deleted; type null: the default one
  flags: [{projectId: "1", key: new-checkout, deployments: ["10001"]}]  # also id, name, enabled, archived,
  # evaluationMode (remote or local); experiments: the same

"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emulator",
        description="A stateful server of the Amplitude Experiment Management API, for tests.",
        epilog=SEED_HELP + "switches:\n" + Switches.describe(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port to listen on; 0 is any (%(default)s)")
    parser.add_argument("--port-file", type=pathlib.Path, metavar="FILE", help="write the port here once listening")
    parser.add_argument(
        "--seed", type=pathlib.Path, default=EXAMPLE, metavar="FILE", help="state to begin with, see below"
    )
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE", help="see below")
    parser.add_argument("--tls-cert", metavar="FILE", help="speak TLS with this certificate chain")
    parser.add_argument("--tls-key", metavar="FILE", help="private key of the certificate")
    parser.add_argument("--parent-pid", type=int, metavar="PID", help="exit when this process is gone")
    return parser


def _port(text: str) -> int:
    if not 0 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError("it is a number from 0 to 65535")
    return int(text)


def _stop(*_signal: t.Any) -> t.NoReturn:
    sys.exit(0)


def _read_seed(path: pathlib.Path) -> t.Mapping[str, t.Any]:
    seed = _parsed(path)
    if not isinstance(seed, t.Mapping):
        raise Invalid(f"{path} does not contain a seed: see --help")
    return seed


def _parsed(path: pathlib.Path) -> t.Any:
    text = path.read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except ValueError as error:
        try:
            import yaml
        except ImportError:
            raise Invalid(f"{path} is not JSON, and PyYAML is not installed to read it: {error}") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Invalid(f"{path} is neither JSON nor YAML: {error}") from error


def _switches(given: list[str]) -> t.Mapping[str, str]:
    pairs = [text.partition("=") for text in given]
    for name, equals, _value in pairs:
        if not equals:
            raise Invalid(f"--switch is NAME=VALUE, not {name}")
    return {name: value for name, _equals, value in pairs}


def _tls(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def _write_atomically(path: pathlib.Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    os.replace(str(partial), str(path))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return status.rpartition(")")[2].split()[0] != "Z"
