"""The description of the API (OpenAPI 3.1), served, and kept in docs/reference/openapi.json.

A test holds it to the table of routes, and schemathesis to what the server answers.
"""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from toolsync.gate.gates import GATES
from toolsync.journal.states import ORDER, SORTS
from toolsync.maintain.errands import ACTS
from toolsync.web.api import as_json
from toolsync.web.entry import DONE, FAILED, GOES, WAITS
from toolsync.web.lists import MOST

_Schema = dict[str, object]
_STATUSES = sorted(filter(None, ORDER))


def served() -> ResponseReturnValue:
    """Return the description."""
    return as_json(description())


def description() -> dict[str, object]:
    """Return the description as OpenAPI 3.1 has it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "toolsync",
            "version": "1",
            "description": "Where every tool stands, what waits for a person, and decisions over"
            " it. A token of `toolsync user token` is sent as Authorization: Bearer TOKEN.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": {f"/api/v1{path}": found for path, found in _paths().items()},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
            "responses": {"problem": _answer("What is wrong (RFC 9457)", "Problem", problem=True)},
        },
    }


def _paths() -> dict[str, _Schema]:
    name = [_in_path("name", "a tool's name")]
    release = [*name, _in_path("version", "an upstream version")]
    return {
        "/openapi.json": {"get": _asks("openapi", "This description", {"type": "object"})},
        "/tools": {"get": _asks("listTools", "Tools, a page at a time", "Tools", _queries())},
        "/tools/{name}": {"get": _asks("getTool", "One tool", "ToolWaiting", name)},
        "/tools/{name}/log": {
            "get": _asks(
                "getLog",
                "The last lines of its log, newest first",
                "Log",
                [*name, _query("most", "how many", _whole(1, 1000))],
            )
        },
        "/tools/{name}/look": {
            "post": _asks("look", "Have its page looked at", "Looking", name, status=202)
        },
        "/reviews": {"get": _asks("listReviews", "Releases that wait for a person", "Reviews")},
        "/reviews/{name}/{version}": {
            "get": _asks("getReview", "A release that waits for a person", "Review", release),
            "post": _asks(
                "decide",
                "Approve or reject it: exactly what `shown` was given with",
                "Decisions",
                release,
                status=201,
                body="Verdict",
            ),
        },
        "/asked": {
            "get": _asks("listAsked", "What was asked for here, newest first", "AskedAll"),
            "post": _asks(
                "ask", "Have something done: see `act`", "Asked", status=202, body="Question"
            ),
        },
        "/asked/{number}": {
            "get": _asks(
                "getAsked", "How far it has come", "Asked", [_in_path("number", "its own")]
            )
        },
        "/retired": {
            "get": _asks("listRetired", "What was taken out of the plan, latest first", "Retired")
        },
        "/now": {"get": _asks("getNow", "What is under way", "Now")},
        "/health": {"get": _asks("getHealth", "What the doctor says", "Health")},
    }


def _queries() -> list[_Schema]:
    text: _Schema = {"type": "string", "maxLength": 200}
    chosen: _Schema = {"enum": [*_STATUSES, "none", "waiting"]}
    return [
        _query("q", "what a name, a summary, a version or a message must hold", text),
        _query("status", "`none`: never looked at; `waiting`: all that want a person", chosen),
        _query("series", "where it is published", text),
        _query("area", "by its terms", text),
        _query("holder", "the stage that holds its newest release", text),
        _query("sort", "by what", {"enum": list(filter(None, SORTS))}),
        _query("first", "how many are passed over", _whole(0, 10_000_000)),
        _query("most", "how many at most", _whole(1, MOST)),
    ]


def _asks(
    operation: str,
    about: str,
    gives: str | _Schema,
    parameters: list[_Schema] | None = None,
    *,
    status: int = 200,
    body: str = "",
) -> _Schema:
    found: _Schema = {
        "operationId": operation,
        "summary": about,
        "responses": {
            str(status): _answer(about, gives),
            **({"304": {"description": "As the ETag says"}} if status == 200 else {}),
            "default": {"$ref": "#/components/responses/problem"},
        },
    }
    if parameters:
        found["parameters"] = parameters
    if body:
        found["requestBody"] = {"required": True, "content": _content(_ref(body))}
    return found


def _answer(about: str, gives: str | _Schema, *, problem: bool = False) -> _Schema:
    schema = _ref(gives) if isinstance(gives, str) else gives
    return {"description": about, "content": _content(schema, problem=problem)}


def _content(schema: _Schema, *, problem: bool = False) -> _Schema:
    return {"application/problem+json" if problem else "application/json": {"schema": schema}}


def _ref(name: str) -> _Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _in_path(name: str, about: str) -> _Schema:
    schema = {"type": "string", "minLength": 1, "pattern": "^[^/]+$"}
    return {"name": name, "in": "path", "required": True, "description": about, "schema": schema}


def _query(name: str, about: str, schema: _Schema) -> _Schema:
    return {"name": name, "in": "query", "description": about, "schema": schema}


def _whole(least: int, most: int) -> _Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _object(required: str, optional: str = "", /, **fields: object) -> _Schema:
    """Return the schema of an object: its fields by name, a text where nothing else is said."""
    names = [*required.split(), *optional.split()]
    properties = {name: fields.get(name, {"type": "string"}) for name in names}
    return {"type": "object", "properties": properties, "required": required.split()}


def _list(item: _Schema) -> _Schema:
    return {"type": "array", "items": item}


def _maybe(kind: str = "string") -> _Schema:
    return {"type": [kind, "null"]}


_NUMBER: _Schema = {"type": "integer"}
_FORM: _Schema = {"const": 1, "description": "of the answer's form"}


def _tool_fields() -> dict[str, object]:
    names = "current newest url message resolution since holder area looked"
    told = _object("happened matters todo")
    place = _object("target series version since")
    return {
        **{name: _maybe() for name in names.split()},
        "status": {"enum": [*_STATUSES, None]},
        "lag": _maybe("integer") | {"description": "seconds from upstream's release to apt"},
        "published": _list(place),
        "sentence": {"oneOf": [told, {"type": "null"}]},
    }


_TOOL = (
    "tool current newest status url message resolution sentence since holder lag summary area"
    " looked published"
)


def _question() -> _Schema:
    """Return the schema of what can be asked for, one act beside the other."""
    line: _Schema = {"type": "string", "minLength": 1, "maxLength": 2000}
    fields = {
        "url": line | {"pattern": "^https?://"},
        "shown": line | {"pattern": "^[0-9a-f]{64}$"},
    }
    texts = {name: line for act in ACTS.values() for name in act.needs} | fields
    return {
        "oneOf": [
            _object(" ".join(("act", *act.needs)), "", **(texts | {"act": {"const": name}}))
            for name, act in ACTS.items()
        ],
        "description": "`early` promotes before the time in staging is over; `name` calls the tool"
        " of an address, `shown` is the digest of the definition that was found there.",
    }


def _schemas() -> dict[str, _Schema]:
    problem = _object("type title status", "detail", status=_NUMBER)
    return {"Problem": problem, **_of_tools(), **_of_reviews(), **_of_errands(), **_of_now()}


def _of_tools() -> dict[str, _Schema]:
    tool = _tool_fields()
    counts = {"type": "object", "additionalProperties": _NUMBER}
    line = _object("at tool version scope stage event message")
    gone = _object("tool source part act removes who at reason", removes={"type": "boolean"})
    return {
        "Tool": _object(_TOOL, "", **tool),
        "Tools": _object(
            "version total counts tools",
            "next",
            version=_FORM,
            total=_NUMBER,
            counts=counts,
            tools=_list(_ref("Tool")),
        ),
        "ToolWaiting": _object(
            f"version {_TOOL} waiting approved",
            "",
            version=_FORM,
            waiting=_list({"type": "string"}),
            approved=_list(_object("version who at reason shown")),
            **tool,
        ),
        "Retired": _object("version retired", version=_FORM, retired=_list(gone)),
        "Log": _object("version lines", version=_FORM, lines=_list(line)),
        "Looking": _object("version tools", version=_FORM, tools=_list({"type": "string"})),
    }


def _of_reviews() -> dict[str, _Schema]:
    verdict = {"enum": ["approved", "rejected"]}
    gate = _object(
        "stage verdict summary findings subject before text",
        stage={"type": "string", "examples": list(GATES.names)},
        findings=_list(_object("stage code severity message matters todo")),
    )
    decision = _object("tool version stage verdict subject summary who at reason", verdict=verdict)
    return {
        "Reviews": _object(
            "version reviews", version=_FORM, reviews=_list(_object("tool version since"))
        ),
        "Review": _object(
            "form tool version since page url gates shown", form=_FORM, gates=_list(gate)
        ),
        "Verdict": _object(
            "verdict reason shown",
            verdict=verdict,
            reason={"type": "string", "minLength": 1, "maxLength": 2000},
            shown={"type": "string", "pattern": "^[0-9a-f]{64}$"},
        ),
        "Decisions": _object("version decisions", version=_FORM, decisions=_list(decision)),
    }


def _of_errands() -> dict[str, _Schema]:
    asked = _object(
        "number asked at state lines came",
        number=_NUMBER,
        asked={"type": "object"},
        state={"enum": [WAITS, GOES, DONE, FAILED]},
        lines=_list({"type": "string"}),
        came={"oneOf": [{"type": "object"}, {"type": "null"}]},
    )
    return {
        "Asked": asked,
        "AskedAll": _object("version asked", version=_FORM, asked=_list(asked)),
        "Question": _question(),
    }


def _of_now() -> dict[str, _Schema]:
    step = _object("label seconds words", seconds=_NUMBER)
    process = _object("process purpose steps", process=_maybe("integer"), steps=_list(step))
    check = _object("subject fine message resolution", fine={"type": "boolean"})
    return {
        "Now": _object(
            "version processes waiting",
            version=_FORM,
            processes=_list(process),
            waiting=_list({"type": "string"}),
        ),
        "Health": _object(
            "version at busy fault checks",
            version=_FORM,
            at=_maybe(),
            busy={"type": "boolean"},
            fault=_maybe(),
            checks=_list(check),
        ),
    }
