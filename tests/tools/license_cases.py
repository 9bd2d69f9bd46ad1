"""Replay pairs of real releases, and mutations of license texts, through the license gate.

``python -m tests.tools.license_cases FOLDER --cache DIR`` reads ``pairs.json`` and
``mutations.json``. Archives come by name and version through ``pip download`` and ``npm pack``,
once, and count only with the sha256 that the case states. Ends with
status 1 unless every case is as wanted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tests.support import mutations
from toolsync.config.settings import Limits
from toolsync.license.trees import compare_trees
from toolsync.system.work import Workshop


class Told(NamedTuple):
    """What became of one case."""

    name: str
    level: str
    wanted: str
    verdict: str
    findings: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether it is as wanted; a mutation is caught when it is not silent."""
        return self.verdict != "silent" if self.wanted == "caught" else self.verdict == self.wanted


def main() -> int:
    """Replay all and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    pairs = json.loads((given.folder / "pairs.json").read_text())["pairs"]
    missing = [text for pair in pairs for text in _fetched(pair, given.cache)]
    if missing:
        sys.stderr.write("\n".join(missing) + "\n")
        return 1
    began = time.monotonic()
    with ProcessPoolExecutor(2) as pool:
        told = list(pool.map(_pair, pairs, [given.cache] * len(pairs)))
    told += _mutations(json.loads((given.folder / "mutations.json").read_text()), given.cache)
    _print(told, given.verbose)
    good = sum(case.good for case in told)
    seconds = time.monotonic() - began
    sys.stdout.write(f"\n{good} of {len(told)} as wanted, in {seconds:.1f} s\n")
    return 0 if good == len(told) else 1


def _fetched(pair: Mapping[str, Any], cache: Path) -> Iterator[str]:
    """Bring a pair's archives into ``cache``; give what went wrong."""
    for which in ("old", "new"):
        archive = pair[f"{which}_archive"]
        place = cache / archive["file"]
        if not _is(place, archive["sha256"]):
            argv = _command(pair["registry"], pair["name"], pair[which], archive["file"], cache)
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600)
            if not _is(place, archive["sha256"]):
                yield f"{archive['file']} did not come as stated: {done.stderr[-300:]}"


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _command(registry: str, name: str, version: str, file: str, cache: Path) -> list[str]:
    """Return how an ordinary client downloads exactly this file."""
    if registry == "npm":
        npm = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(cache)]
        return [*npm, f"{name}@{version}"]
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(cache)]
    if not file.endswith(".whl"):
        return [*pip, "--no-binary", ":all:", f"{name}=={version}"]
    python, _, platforms = file.removesuffix(".whl").split("-")[-3:]
    pip += ["--only-binary", ":all:", "--implementation", "cp"]
    pip += ["--python-version", python[2:] if python.startswith("cp") else "3.11"]
    for platform in platforms.split("."):
        pip += ["--platform", platform]
    return [*pip, f"{name}=={version}"]


def _pair(pair: Mapping[str, Any], cache: Path) -> Told:
    found = compare_trees(
        cache / pair["old_archive"]["file"],
        cache / pair["new_archive"]["file"],
        workshop=Workshop(cache),
        limits=Limits(),
    )
    return Told(
        name=f"{pair['name']} {pair['old']} → {pair['new']}",
        level=", ".join(pair["levels"]) or "none",
        wanted=pair["expected_verdict"],
        verdict=found.verdict,
        findings=tuple(f"{change.code}: {change.message}" for change in found.changes),
    )


def _mutations(stated: Mapping[str, list[str]], cache: Path) -> Iterator[Told]:
    """Try each mutation on each text that it changes; those stated must be among them."""
    wanted = {"must_be_caught": "caught", "must_stay_silent": "silent"}
    assert set(stated) == set(wanted)
    texts = mutations.texts()
    for level, table in (("caught", mutations.CAUGHT), ("silent", mutations.SILENT)):
        for name, mutate in table.items():
            for text, content in texts.items():
                yield _mutation(f"{text}: {name}", level, content, mutate(content), cache)
    for name, mutate in mutations.TITLES.items():
        yield _mutation(f"MIT: {name}", "silent", mutations.MIT, mutate(mutations.MIT), cache)


def _mutation(name: str, wanted: str, old: str, new: str | bytes, cache: Path) -> Told:
    with tempfile.TemporaryDirectory() as root:
        for which, content in (("old", old), ("new", new)):
            (Path(root) / which).mkdir()
            (Path(root) / which / "LICENSE").write_bytes(mutations.as_bytes(content))
        found = compare_trees(
            Path(root) / "old", Path(root) / "new", workshop=Workshop(cache), limits=Limits()
        )
    findings = tuple(change.message for change in found.changes)
    return Told(name, "mutation", wanted, found.verdict, findings)


def _print(told: list[Told], verbose: bool) -> None:
    for case in told:
        if case.level != "mutation" or verbose or not case.good:
            mark = "ok " if case.good else "BAD"
            sys.stdout.write(
                f"{mark} {case.verdict:<6} (wanted {case.wanted:<6}) {case.name}  [{case.level}]\n"
            )
            for line in case.findings if verbose or not case.good else ():
                sys.stdout.write(f"      {line[:160]}\n")
    sys.stdout.write("\nas wanted, by level:\n")
    count = Counter((case.level, case.wanted) for case in told)
    good = Counter((case.level, case.wanted) for case in told if case.good)
    for (level, wanted), number in sorted(count.items()):
        sys.stdout.write(f"  {level:<28} {wanted:<7} {good[level, wanted]:>3} of {number}\n")


if __name__ == "__main__":
    sys.exit(main())
