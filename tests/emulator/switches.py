# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every behaviour that the API does not document, and the limits that tests want to move."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from .errors import Invalid, check_fields, field_names

_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _switch(default: t.Any, text: str, *choices: t.Any, minimum: int = 0) -> t.Any:
    metadata = {"text": text, "choices": choices, "minimum": minimum}
    return dataclasses.field(default=default, metadata=metadata)  # pylint: disable=invalid-field-call


@dataclasses.dataclass(frozen=True)
class Switches:
    """The switches; the defaults are the likeliest behaviour of the real API."""

    ids: str = _switch("number", "JSON type of ids and project ids", "number", "string")
    opaque_ids: bool = _switch(False, "new ids are random hexadecimal strings, and every id is a string")
    deployment_ids_in_flags: str = _switch(
        "same", "JSON type of the ids of deployments in flags and experiments; same as other ids",
        "same", "string", "number",
    )  # fmt: skip
    default_page_size: int = _switch(100, "rows of a page when no limit is sent", minimum=1)
    max_page_size: int = _switch(1000, "cap on the limit", minimum=1)
    last_page: str = _switch(
        "omit",
        "how a list ends: nextCursor is left out, null, an empty string, 0, false, or leads to an empty page"
        " (which may carry a fresh nextCursor itself)",
        "omit",
        "null",
        "empty_string",
        "zero",
        "false",
        "empty_page",
        "empty_page_with_cursor",
    )
    cursor: str = _switch("offset", "cursors are numbers or opaque strings", "offset", "opaque")
    pages: str = _switch(
        "live", "what the later pages of a list are cut from: what is visible when each is asked for, so that rows shift"
        " under their reader, or the list as it was when its first page was asked for",
        "live", "snapshot",
    )  # fmt: skip
    cursor_repeats: bool = _switch(False, "the cursor of the last page leads to that page again")
    endless_pages: bool = _switch(False, "after the last row come pages with one made-up row each, for ever")
    order: str = _switch(
        "oldest_first", "order of the list of deployments; flags and experiments come newest first",
        "oldest_first", "newest_first", "label", "shuffled",
    )  # fmt: skip
    unique_labels: str = _switch(
        "none", "rows of a project among which labels are unique when one is created, renamed or restored",
        "none", "active", "all",
    )  # fmt: skip
    labels_ignore_case: bool = _switch(False, "labels that differ only in case are not unique")
    longest_label: int = _switch(0, "characters that a label may have when it is sent, else a 400; 0 = no limit")
    label_and_archive: str = _switch(
        "both", "what is carried out of an edit with label and archive together", "both", "label", "archive"
    )
    duplicate_status: int = _switch(400, "status that answers a label that is taken", 400, 409)
    fields_of_post: str = _switch(
        "body", "where the fields of a new deployment are read: in the body, in the query, or in the body, and a 400 is what"
        " a query gets",
        "body", "query", "body_alone",
    )  # fmt: skip
    fields_of_patch: str = _switch(
        "body", "where those of an edit are read; one that has none there is OK and does nothing",
        "body", "query", "body_alone",
    )  # fmt: skip
    archive_in_use: str = _switch(
        "allowed", "what becomes of the archiving of a deployment that a flag or experiment uses, unless that is archived"
        " itself; refused is a 400",
        "allowed", "refused",
    )  # fmt: skip
    assigning: str = _switch(
        "adds", "what a POST with deployments does to a flag or experiment: it adds them, or they replace those that are"
        " there, of both kinds or of one",
        "adds", "replaces", "replaces_in_flags", "replaces_in_experiments",
    )  # fmt: skip
    assigned_again_status: int = _switch(
        200, "status that answers the assignment of a deployment that is there already, unless all are replaced",
        200, 400, 409,
    )  # fmt: skip
    archived_deployment_status: int = _switch(
        200, "status that answers the assignment of an archived deployment", 200, 400
    )
    missing_deployment_status: int = _switch(
        400, "status that answers the assignment of a deployment that does not exist", 400, 404
    )
    refused_assignment: str = _switch(
        "nothing", "what is carried out of a POST with several deployments if one of them is refused", "nothing", "rest"
    )
    removed_again_status: int = _switch(
        404, "status that answers the removal of a deployment that a flag or experiment does not have", 200, 404
    )
    last_deployment_status: int = _switch(
        200, "status that answers the removal of the last deployment of an enabled flag or experiment", 200, 400
    )
    archived_flag_status: int = _switch(
        200, "status that answers what is to change the deployments of an archived flag or experiment", 200, 400, 404
    )
    archived_field: str = _switch(
        "none", "boolean field of flags and experiments listed with includeArchived=true that tells which are archived",
        "none", "archived", "deleted",
    )  # fmt: skip
    error_body: str = _switch("json", "shape of errors", "json", "json_nested", "text", "html", "empty")
    stale_lists: int = _switch(
        0, "how many lists of its kind that are begun after a write do not show it yet; that of the deployments of a flag"
        " is one of flags",
    )  # fmt: skip
    stale_seconds: float = _switch(
        0.0, "for how many seconds after a write the lists begun, and live pages asked for, hide it"
    )
    late_keys: int = _switch(0, "how many lists of deployments begun after a create show its key as null")
    late_key_seconds: float = _switch(0.0, "for how many seconds after a create pages show its key as null")
    row_padding: int = _switch(0, "bytes of variants and segments in each flag and experiment, or a few more")
    deployment_padding: int = _switch(0, "bytes of such fields, which are not documented, in each deployment")
    extra_fields: bool = _switch(False, "rows, lists and created ids carry fields that are not documented")
    omit_deleted: bool = _switch(False, "active rows have no field deleted")
    latency: float = _switch(0.0, "seconds before each answer is sent")
    rate_limit: int = _switch(100, "requests a second for one management key, 0 = no limit")
    daily_limit: int = _switch(100000, "requests for one management key until midnight UTC, 0 = no limit")
    retry_after: str = _switch("none", "what a 429 says about when to come back", "none", "seconds", "date")
    gzip: bool = _switch(False, "JSON is compressed for clients that accept it")
    byte_order_mark: bool = _switch(False, "JSON begins with a byte order mark")
    early_hints: bool = _switch(False, "103 Early Hints is sent before each answer with status 200")

    def changed(self, changes: t.Mapping[str, t.Any]) -> Switches:
        """These switches with some changed; values may be strings, as from a command line.

        :raises Invalid: for an unknown switch or value.
        """
        check_fields("switches", changes, field_names(Switches))
        fields = {field.name: field for field in dataclasses.fields(self)}
        values = {name: _value(fields[name], value) for name, value in changes.items()}
        return dataclasses.replace(self, **values)

    def as_dict(self) -> dict[str, t.Any]:
        """The switches as a JSON object."""
        return dataclasses.asdict(self)

    @staticmethod
    def describe() -> str:
        """One line for each switch: name, values (default first) and meaning."""
        lines = []
        for field in dataclasses.fields(Switches):
            others = [choice for choice in field.metadata["choices"] if choice != field.default]
            values = " | ".join(str(value) for value in [field.default] + others)
            lines.append("  {} = {}: {}".format(field.name, values, field.metadata["text"]))
        return "\n".join(lines)


def _value(field: t.Any, given: t.Any) -> t.Any:
    choices = field.metadata["choices"]
    kind = type(field.default)
    value = given
    if given is None:  # null, none and false are words here, but not in JSON and YAML
        value = next((word for word in ("null", "none") if word in choices), None)
    elif given is False and "false" in choices:
        value = "false"
    elif kind is bool:
        value = given if isinstance(given, bool) else _BOOLEANS.get(str(given).lower())
    elif kind in (int, float) and not isinstance(given, bool):
        try:
            value = kind(given)
        except (TypeError, ValueError, OverflowError):
            value = None
        if isinstance(given, float) and value != given:
            value = None
    if value.__class__ is not kind or (choices and value not in choices):
        raise Invalid(f"switch {field.name} cannot be {given!r}; it is {choices or kind.__name__}")
    if kind in (int, float) and not (math.isfinite(value) and value >= field.metadata["minimum"]):
        raise Invalid(
            "switch {} cannot be {!r}; it is at least {}".format(field.name, given, field.metadata["minimum"])
        )
    return value
