# ruff: noqa: T201 (a program for the terminal)
"""Replay a folder of watch, verify and repack cases through the command line: ``make cases``.

    python -m tests.tools.cases FOLDER [--only WORD] [--jobs N] [--least PERCENT]

Each case is served by the folder's own tools/replay.py and run in both forms of its watch file;
what toolsync answers is compared with what the case wants. Printed are the agreement per
category, beside what the recorded builds of uscan reached, and then every difference.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from tests.support.rig import environment

_OUTCOMES = {"new": "newer", "up-to-date": "up-to-date", "recalled": "older"}
_FORMS = ("v4", "v5")


@dataclass(frozen=True)
class Run:
    """One case in one form."""

    case: dict[str, Any]
    form: str
    folder: Path
    """Where the cases are."""

    @property
    def name(self) -> str:
        return f"{self.case['id']} ({self.form})"


@dataclass(frozen=True)
class Seen:
    """What toolsync did."""

    row: dict[str, Any]
    output: Path
    root: Path
    requests: list[dict[str, Any]]


def main() -> int:
    """Replay, print, and return 1 where less than the wanted share agrees."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", type=Path)
    words.add_argument("--only", default="", help="only cases whose id or category holds this")
    words.add_argument("--jobs", type=int, default=2)
    words.add_argument("--least", type=float, default=99.0)
    given = words.parse_args()
    cases = [json.loads(path.read_text()) for path in sorted(given.folder.glob("json/*.json"))]
    runs = [
        Run(case, form, given.folder)
        for case in cases
        if given.only in case["id"] or given.only == case["category"]
        for form in _FORMS
        if form in case["watch"]
    ]
    if not runs:
        sys.exit(f"{given.folder} holds no such case; wanted: json/*.json")
    with ThreadPoolExecutor(given.jobs) as pool:
        faults = list(pool.map(replay, runs))
    share = _table(runs, faults)
    for run, found in zip(runs, faults, strict=True):
        for fault in found:
            print(f"  {run.name}: {fault}")
    return 0 if share >= given.least else 1


def replay(run: Run) -> list[str]:
    """Return how toolsync's answer differs from what the case wants."""
    kit = _kit(run.folder)
    with tempfile.TemporaryDirectory(prefix="toolsync-case-") as place:
        root = Path(place)
        try:
            return list(_differences(run, _seen(run, root), kit))
        except (subprocess.TimeoutExpired, ValueError) as error:
            return [f"no answer: {str(error)[:300]}"]


def _seen(run: Run, root: Path) -> Seen:
    case, work = run.case, root / "work"
    output, settings = root / "work" / "out", root / "toolsync.toml"
    work.mkdir()
    settings.write_text(f"[http]\ntimeout = {case.get('timeout', 5)}\n")
    with _served(run, work) as (server, requests):
        folder = work / case["package"]
        words = [word.replace("{{BASE}}", server["base"]) for word in case.get("args", [])]
        argv = [sys.executable, "-m", "toolsync", "--config", settings, "--state", root / "state"]
        argv += _command(case, folder, output, words)
        row: dict[str, Any] = {}
        for _ in range(case.get("runs", 1)):
            done = subprocess.run(
                list(map(str, argv)), capture_output=True, text=True, timeout=60, env=environment()
            )
            if "Traceback" in done.stderr:
                raise ValueError(done.stderr[-1500:])
            found = json.loads(done.stdout) if done.stdout.strip() else {"status": "error"}
            row = found[0] if isinstance(found, list) else found
            row.setdefault("message", done.stderr.strip())
    return Seen(row, output, root, requests)


def _command(case: dict[str, Any], folder: Path, output: Path, words: list[str]) -> list[Any]:
    """Return the command line that means what the case's words mean to uscan."""
    kept: list[str] = []
    given = iter(words)
    current = case["current_debian_version"]
    for word in given:
        if word == "--download-version":
            kept += ["--version", next(given)]
        elif word in ("--download-debversion", "--download-current-version"):
            version = current if word.endswith("current-version") else next(given)
            kept += ["--version", version.rpartition(":")[2].rpartition("-")[0]]
        else:
            kept.append(word)
    if case["mode"] == "report" and not kept:
        return ["check", folder, "--json"]
    return ["fetch", folder, "--output", output, "--json", *kept]


@contextmanager
def _served(run: Run, work: Path) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Serve the case for the block; at its end the list holds the requests."""
    requests: list[dict[str, Any]] = []
    tool = run.folder.absolute() / "tools" / "replay.py"
    argv = [sys.executable, str(tool), run.case["id"], "--dir", str(work), "--format", run.form]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout
        yield json.loads(server.stdout.readline()), requests
        rest, _ = server.communicate(timeout=10)
        requests += json.loads(rest)["requests"]


def _differences(run: Run, seen: Seen, kit: ModuleType) -> Iterator[str]:
    wanted, row = run.case["expect"], seen.row
    refused = wanted.get("accept") is False
    outcome = _OUTCOMES.get(row["status"], "error")
    answers = {"outcome": outcome, "version": row.get("version") or row.get("newest")}
    if run.case["mode"] == "download":
        answers |= {
            "accept": row.get("accepted", False),
            "verify": row.get("verify"),
            "orig": row.get("orig"),
            "downloaded": row.get("file"),
        }
    for key, found in answers.items():
        unsaid = refused and key in ("version", "outcome") and not row.get("version")
        if key in wanted and wanted[key] != found and not (unsaid and wanted["outcome"] != "error"):
            yield f"{key}: wanted {wanted[key]!r}, got {found!r}: {row.get('message', '')[:200]}"
    if "version_regex" in wanted:
        import re

        if not re.search(wanted["version_regex"], str(answers["version"])):
            yield f"version: wanted {wanted['version_regex']}, got {answers['version']!r}"
    if "url" in wanted and row.get("url") and not refused:
        parts = urlsplit(row["url"])
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        path += f"#{parts.fragment}" if parts.fragment else ""
        if path != wanted["url"]:
            yield f"url: wanted {wanted['url']}, got {path}"
    if run.case["mode"] == "download":
        yield from _files(wanted, seen, kit)


def _files(wanted: dict[str, Any], seen: Seen, kit: ModuleType) -> Iterator[str]:
    row, output = seen.row, seen.output
    outside = [p for p in seen.root.rglob("*evil*") if output not in p.parents]
    if wanted.get("writes_outside") is False and outside:
        yield f"wrote outside: {outside}"
    left = [p.name for p in output.glob("*orig*")] if output.is_dir() else []
    if wanted.get("accept") is False and left:
        yield f"left behind: {left}"
    if not row.get("accepted") or not row.get("orig"):
        return
    orig = output / row["orig"]
    if not orig.is_file():
        yield f"{row['orig']} is not in the folder"
        return
    if "orig_as_is" in wanted:
        same = _digest(orig) == _digest(output / row["file"])
        if same != wanted["orig_as_is"]:
            yield f"orig_as_is: wanted {wanted['orig_as_is']}, got {same}"
    members = {m["name"].rstrip("/").removeprefix("./"): m for m in kit.members(str(orig))}
    if "members" in wanted and sorted(wanted["members"]) != sorted(members):
        yield f"members: wanted {wanted['members']}, got {sorted(members)}"
    for name, facts in wanted.get("member_facts", {}).items():
        found = {key: members.get(name, {}).get(key) for key in facts}
        if found != facts:
            yield f"{name}: wanted {facts}, got {found}"
    for name in wanted.get("component_origs", []):
        if name not in row["components"] or not (output / name).is_file():
            yield f"component {name} is missing: {row['components']}"
    if "no_header_on" in wanted:
        path, header = wanted["no_header_on"]
        asked = [r for r in seen.requests if r["path"] == path]
        if any(header in map(str.lower, r["headers"]) for r in asked):
            yield f"the header {header} went to {path}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _table(runs: list[Run], faults: list[list[str]]) -> float:
    """Print the agreement per category and return the whole one in percent."""
    total, good = Counter[str](), Counter[str]()
    theirs: dict[str, Counter[str]] = {}
    for run, found in zip(runs, faults, strict=True):
        for category in (run.case["category"], "all"):
            total[category] += 1
            good[category] += not found
            for build, record in run.case.get("recorded", {}).items():
                counts = theirs.setdefault(build, Counter())
                if build.endswith("-v5") == (run.form == "v5"):
                    counts[f"{category} of"] += 1
                    counts[category] += not record.get("differences_from_expect")
    print(f"{'category':<12}{'toolsync':>12}" + "".join(f"{b:>22}" for b in theirs))
    for category in sorted(total, key=lambda name: (name == "all", name)):
        rows = [(good[category], total[category])]
        rows += [(counts[category], counts[f"{category} of"]) for counts in theirs.values()]
        cells = [f"{a}/{b}" for a, b in rows]
        print(f"{category:<12}{cells[0]:>12}" + "".join(f"{cell:>22}" for cell in cells[1:]))
    share = 100 * good["all"] / total["all"]
    print(f"{share:.1f} % of {total['all']} runs agree")
    return share


def _kit(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("casekit", folder / "tools" / "casekit.py")
    assert spec is not None
    assert spec.loader is not None
    kit = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kit)
    return kit


if __name__ == "__main__":
    sys.exit(main())
