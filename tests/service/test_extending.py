"""docs/extending.md: its examples, added from outside, take a tool from its page to its archive."""

from __future__ import annotations

import hashlib
import importlib
import json
import random
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import archive, write_tool
from tests.tools.tables import PAGE, TABLES, filled
from toolsync.adopt.add import propose_tool
from toolsync.attest.check import Check, check_statement
from toolsync.attest.keep import gather
from toolsync.attest.statement import statement
from toolsync.build.backend import Backend
from toolsync.build.backends import BACKENDS
from toolsync.gate.gates import GATES
from toolsync.gate.record import Gate
from toolsync.journal.decisions import APPROVED
from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.maintain.doctor import examine
from toolsync.maintain.service import run_once
from toolsync.model.errors import SetupError
from toolsync.model.release import Outcome
from toolsync.model.values import dump
from toolsync.pipeline.context import Context, opened
from toolsync.pipeline.memory import fingerprint
from toolsync.pipeline.review import decide, waiting
from toolsync.pipeline.survey import check
from toolsync.publish.kind import TargetKind
from toolsync.publish.targets import TARGETS
from toolsync.report.channel import Channel
from toolsync.report.channels import CHANNELS
from toolsync.setup.settings import SettingsTables, load_config
from toolsync.setup.tools import PROOFS, ToolTables, load_tool, load_tools
from toolsync.system.clock import SystemClock
from toolsync.verify.method import Method
from toolsync.verify.methods import METHODS
from toolsync.watch.kind import Kind
from toolsync.watch.kinds import KINDS

if TYPE_CHECKING:
    from toolsync.config.settings import Config

TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.compile(r"```python\n# toolsync/\w+/(\w+)\.py\n(.*?)```", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Extended:
    """The examples of the page, each in a copy of its table."""

    tools: ToolTables
    settings: SettingsTables


@pytest.fixture
def extended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Extended:
    place = tmp_path / "outside"
    place.mkdir()
    for name, code in EXAMPLES.findall(TEXT):
        (place / f"outside_{name}.py").write_text(code)
    monkeypatch.syspath_prepend(place)

    def record(module: str, name: str) -> object:
        return getattr(importlib.import_module(f"outside_{module}"), name)

    kind, target = record("sums", "SUMS"), record("opendepot", "DEPOT")
    backend, channel = record("options", "OPTIONS"), record("spool", "SPOOL")
    method, gate = record("manifest", "MANIFEST"), record("growth", "GROWTH")
    assert isinstance(method, Method)
    assert isinstance(gate, Gate)
    assert isinstance(kind, Kind)
    assert isinstance(target, TargetKind)
    assert isinstance(backend, Backend)
    assert isinstance(channel, Channel)
    return Extended(
        tools=ToolTables(
            kinds={**KINDS, kind.name: kind},
            methods={**PROOFS, method.name: method},
            gates=replace(GATES, files=(*GATES.files, gate)),
        ),
        settings=SettingsTables(
            targets={**TARGETS, target.name: target},
            backends={**BACKENDS, backend.name: backend},
            channels={**CHANNELS, channel.name: channel},
        ),
    )


def configured(rig: Rig, extended: Extended) -> Config:
    rig.file.write_text(
        'target = "depot:stable"\nseries = ["bookworm"]\ntools = ["hello"]\n'
        "[http]\ntimeout = 5\nretries = 1\n"
        f'[depot]\npath = "{rig.root}/depot"\n'
        f'[build]\nbackend = "options"\noptions = "nocheck"\nwork = "{rig.work}"\n'
        "tests = false\nlint = false\n"
        f'[report.spool]\npath = "{rig.root}/spool"\n'
    )
    return load_config(rig.file, rig.state, extended.settings)


def followed(rig: Rig, web: Web) -> Path:
    """Publish two releases beside a checksum file, and follow it."""
    lines = ""
    for version in ("1.0", "1.1"):
        data = archive(version)
        web.serve(f"/files/hello-{version}.tar.gz", data, type="application/gzip")
        lines += f"{hashlib.sha256(data).hexdigest()}  hello-{version}.tar.gz\n"
    web.serve("/SHA256SUMS", lines, type="text/plain")
    web.serve("/manifest-1.1.json", manifest_of("1.1"), type="application/json")
    folder = write_tool(rig.tools, f"{web.url}/SHA256SUMS", "1.0", "1.1")
    toml = (
        (folder / "tool.toml")
        .read_text()
        .replace('kind = "html"\n', f'kind = "sums"\nfiles = "{web.url}/files/"\n')
    )
    proof = f'[verify]\nmethod = "manifest"\nmanifest = "{web.url}/manifest-{{version}}.json"\n'
    toml = re.sub(r"(?s)\[verify\].*?(?=\[license\])", proof, toml)
    (folder / "tool.toml").write_text(toml)
    return folder


def manifest_of(version: str) -> str:
    digest = hashlib.sha256(archive(version)).hexdigest()
    return json.dumps({f"hello-{version}.tar.gz": digest})


@pytest.fixture
def context(rig: Rig, extended: Extended) -> Iterator[Context]:
    with opened(
        configured(rig, extended),
        tell=lambda _: None,
        progress=lambda _: lambda done, total: None,
        clock=SystemClock(),
        purpose="a test",
        targets=extended.settings.targets,
        gates=extended.tools.gates,
    ) as found:
        yield found


def test_a_tool_goes_all_the_way_by_records_from_outside(
    rig: Rig, web: Web, extended: Extended, context: Context
) -> None:
    followed(rig, web)
    tools, faults = load_tools(context.config, tables=extended.tools)
    assert not faults
    (seen,) = check(context, tools, 1)
    assert (seen.status, seen.newest) == ("new", "1.1")
    done = run_once(context, tools, channels=extended.settings.channels)
    assert [(outcome.status, outcome.current) for outcome in done.outcomes] == [
        ("up-to-date", "1.1")
    ]
    (deb,) = (rig.root / "depot/stable/bookworm/hello").glob("1.1-*/hello_*.deb")
    assert deb.stat().st_size
    told = [json.loads(line) for line in (rig.root / "spool").read_text().splitlines()]
    assert [item["kind"] for message in told for item in message["items"]] == ["published"]
    again = run_once(context, tools, channels=extended.settings.channels)
    assert (again.exit_status, again.messages) == (0, 0)


def test_a_gate_from_outside_holds_what_a_person_then_lets_pass(
    rig: Rig, web: Web, extended: Extended, context: Context
) -> None:
    folder = followed(rig, web)

    def once() -> Outcome:
        tools, _ = load_tools(context.config, tables=extended.tools)
        return run_once(context, tools, channels=extended.settings.channels).outcomes[0]

    assert once().status == "up-to-date"
    data = archive("1.2", extra={"more": random.Random(1).randbytes(4000).hex()})
    web.serve("/files/hello-1.2.tar.gz", data, type="application/gzip")
    digest = hashlib.sha256(data).hexdigest()
    web.serve("/SHA256SUMS", f"{digest}  hello-1.2.tar.gz\n", type="text/plain")
    stated = json.dumps({"hello-1.2.tar.gz": digest})
    web.serve("/manifest-1.2.json", stated, type="application/json")
    held = once()
    assert (held.status, held.current) == ("held", "1.1")
    assert "hello_1.2.orig.tar.gz has " in held.message
    tool = load_tool(folder, extended.tools)
    (waits,) = waiting(context.journal, tool)
    assert [question.judged.key.stage for question in waits.questions] == ["growth"]
    decide(context.journal, "hello", "1.2", verdict=APPROVED, who="a person", reason="It is fine.")
    assert (once().status, once().current) == ("up-to-date", "1.2")
    record = gather(context.journal, tool, "1.2")
    assert [*check_statement(statement(record))] == [
        Check(place="predicate", verdict="good", sentence="its parts agree with each other")
    ]
    del record["growth"]
    wrong = [check.place for check in check_statement(statement(record))]
    assert "predicate.series.bookworm.growth" in wrong
    toml = (folder / "tool.toml").read_text()
    (folder / "tool.toml").write_text(toml + "[growth]\ntimes = 0\n")
    with pytest.raises(SetupError, match=r"growth\.times"):
        load_tool(folder, extended.tools)


def test_a_gate_that_came_later_knows_what_was_published_before(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(Journal.open(path, SystemClock())) as old:
        old.releases.see("hello", "1.0", {})
        for stage in GATES.stages[1:]:
            key = Key(tool="hello", version="1.0", stage=stage, scope="")
            old.results.record(key, inputs="", outcome="done", started="")
    later = replace(GATES.packages[0], name="malware")
    gates = replace(GATES, packages=(*GATES.packages, later))
    with closing(Journal.open(path, SystemClock(), gates)) as now:
        assert now.results.cleared("hello") == ["1.0"]
    with closing(Journal.open(path, SystemClock(), replace(GATES, packages=()))) as fewer:
        told = [result.key.stage for result in fewer.results.of("hello")]
        assert told == [*(stage for stage in GATES.stages[1:] if stage != "compat"), "compat"]


def test_what_a_proof_alone_reads_makes_fetch_and_verify_run_again(
    rig: Rig, web: Web, extended: Extended, context: Context
) -> None:
    folder = followed(rig, web)
    toml = (folder / "tool.toml").read_text()
    web.serve("/other-1.1.json", manifest_of("1.0"), type="application/json")

    def again() -> tuple[str, list[str]]:
        asked = len(web.asked)
        tools, _ = load_tools(context.config, tables=extended.tools)
        (outcome,) = run_once(context, tools, channels=extended.settings.channels).outcomes
        return outcome.status, [ask.path for ask in web.asked[asked:]]

    assert again()[0] == "up-to-date"
    assert again() == ("up-to-date", ["/files/hello-1.1.tar.gz", "/SHA256SUMS"])
    (folder / "tool.toml").write_text(toml.replace("/manifest-", "/other-"))
    status, asked = again()
    assert status == "held"  # the other one states another file
    assert "/other-1.1.json" in asked
    (folder / "tool.toml").write_text(toml)
    assert again()[0] == "up-to-date"


def test_doctor_looks_at_what_the_records_need(rig: Rig, web: Web, extended: Extended) -> None:
    followed(rig, web)
    config = configured(rig, extended)
    found = {
        check.subject: check
        for check in examine(
            config, SystemClock(), tools=extended.tools, settings=extended.settings
        )
    }
    assert found["archive depot:stable bookworm"].message == f"in {rig.root}/depot/stable/bookworm"
    assert found["report.spool"].message == f"to {rig.root}/spool"
    assert found["program dpkg-buildpackage"].fine
    assert "program reprepro" not in found  # the local archive's


def test_what_records_need_is_missed_and_their_names_are_told(
    rig: Rig, web: Web, extended: Extended
) -> None:
    folder = followed(rig, web)
    toml = (folder / "tool.toml").read_text()
    (folder / "tool.toml").write_text(re.sub(r"(?m)^(url|files) = .*\n", "", toml))
    with pytest.raises(SetupError, match=r"watch\.url: missing; a page of kind sums needs it"):
        load_tool(folder, extended.tools)
    with pytest.raises(SetupError, match="npm, probe or watch"):
        load_tool(folder)  # the shipped tables do not know it
    rig.file.write_text('target = "depot:stable"\n[depot]\n[build]\nbackend = "options"\n')
    with pytest.raises(SetupError, match=r"depot: 'path' is a required property"):
        load_config(rig.file, rig.state, extended.settings)
    rig.file.write_text('[build]\nbackend = "options"\n')
    with pytest.raises(SetupError, match=r"build\.options: missing; the backend options needs it"):
        load_config(rig.file, rig.state, extended.settings)
    rig.file.write_text('target = "nowhere"\n')
    with pytest.raises(SetupError, match="wanted: local, ppa:OWNER/NAME, or depot:NAME"):
        load_config(rig.file, rig.state, extended.settings)


def test_add_proposes_the_new_kind(
    web: Web, rig: Rig, extended: Extended, context: Context
) -> None:
    followed(rig, web)
    for version in ("1.0", "1.1"):
        web.serve(f"/hello-{version}.tar.gz", archive(version), type="application/gzip")
    proposal = propose_tool(
        context, f"{web.url}/SHA256SUMS", name="", tell=lambda _: None, tables=extended.tools
    )
    assert (proposal.kind, proposal.releases[0].version) == ("sums", "1.1")


def test_a_method_of_verification_joins_by_name_settings_and_needs(rig: Rig, web: Web) -> None:
    added = replace(
        METHODS["pins"],
        name="ticket",
        needs=("ticket",),
        settings={"ticket": {"type": "string", "description": "the ticket's address"}},
    )
    tables = ToolTables(methods={**METHODS, added.name: added})
    folder = write_tool(rig.tools, web.url, toml="[verify]\nmethod = 'ticket'\n")
    with pytest.raises(SetupError, match=r"verify\.ticket: missing; the method ticket needs it"):
        load_tool(folder, tables)
    folder = write_tool(rig.tools, web.url, toml="[verify]\nmethod = 'ticket'\nticket = 'x'\n")
    assert load_tool(folder, tables).verify.own == {"ticket": "x"}


def test_keys_of_a_new_kind_count_and_known_definitions_keep_their_digest(
    rig: Rig, web: Web, extended: Extended
) -> None:
    folder = followed(rig, web)
    first = load_tool(folder, extended.tools).watch
    toml = (folder / "tool.toml").read_text().replace("/files/", "/others/")
    (folder / "tool.toml").write_text(toml)
    second = load_tool(folder, extended.tools).watch
    assert fingerprint(dump(first)) != fingerprint(dump(second))
    assert repr(first) != repr(second)
    assert "record" not in dump(first)


def test_two_records_cannot_say_other_things_of_one_key(extended: Extended) -> None:
    odd = replace(extended.tools.kinds["sums"], settings={"url": {"type": "integer"}})
    tables = ToolTables(kinds={**KINDS, "sums": odd})
    with pytest.raises(ValueError, match="sums says other things of url"):
        assert tables.schema


def test_the_tables_of_the_page_are_the_records() -> None:
    assert filled(TEXT) == TEXT, "write them anew: python3 -m tests.tools.tables"
    for name, records in TABLES.items():
        assert f"<!-- records: {name} -->" in TEXT
        assert all(record.about for record in records.values())
