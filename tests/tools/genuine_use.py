"""Add the archive to a clean machine, see that this changes nothing, and use the tools there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.ec2ages import answering_in_any_version
from tests.servers.moto import moto
from tests.slow.test_clean import served
from tests.support.chroots import Instance
from tests.support.rig import Rig
from tests.tools.eucamoto import Step, ran

USES = Path(__file__).with_name("genuine.uses")
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_PAGER": "",
}
_INSTALLED = "dpkg-query -W -f '${Package} ${Version}\\n'"


@dataclass(kw_only=True)
class Used:
    """What was seen on a machine of one series."""

    series: str
    before: list[str] = field(default_factory=list)
    """What the distribution has under the names of our packages, and was there before."""
    changes: list[str] = field(default_factory=list)
    """What `apt full-upgrade` changed once the archive was added; nothing should be here."""
    installed: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Give what there is to tell."""
        yield f"On a clean {self.series}, beside {', '.join(self.before) or 'nothing of ours'}:"
        yield f"  apt-get full-upgrade with the archive added: {self._changed()}"
        yield f"  the printed command installs {', '.join(self.installed) or 'nothing'}"
        yield from (f"  {answer}" for answer in self.answers)
        yield from (f"  WRONG {fault}" for fault in self.faults)

    def _changed(self) -> str:
        return "; ".join(self.changes) or "nothing changes"


def used(rig: Rig, series: str, tools: Sequence[str], place: Path) -> Used:
    """Install what was published from the printed stanza alone, and use each tool."""
    found = Used(series=series)
    names = rig.run("archive", "packages", *tools).stdout.split()
    machine = Instance(place, series)
    (machine.root / "etc/apt/apt.conf.d/yes").write_text('APT::Get::Assume-Yes "true";\n')
    machine.run("apt-get update -q && apt-get full-upgrade -q")
    for name in {*names, *tools}:
        if "Candidate: (none)" in (said := machine.run(f"apt-cache policy {name}")) or not said:
            continue
        machine.run(f"apt-get install -q --no-install-recommends {name}")
        found.before.append(machine.run(f"dpkg-query -W {name}").strip().replace("\t", " "))
    with served(rig.archive) as address:
        stanza = rig.run("archive", "sources", "--series", series, "--url", address).stdout
        before = machine.run(_INSTALLED).splitlines()
        machine.add_archive(stanza)
        machine.run("apt-get full-upgrade -q")
        after = machine.run(_INSTALLED).splitlines()
        found.changes = sorted(set(before) ^ set(after))
        machine.run(stanza.strip().splitlines()[-1].removeprefix("# "))
        found.installed = machine.run(f"{_INSTALLED} {' '.join(names)}").splitlines()
        found.faults += [f"{one}: is older than ours" for one in found.installed if _old(rig, one)]
    _use(machine, tools, found)
    return found


def _old(rig: Rig, installed: str) -> bool:
    """Say whether a name and version are behind the archive's; a distribution may be as new."""
    name, version = installed.split()
    debs = [file.split("_") for file in rig.pool() if file.endswith(".deb")]
    ours = [parts[1] for parts in debs if parts[0] == name]
    words = ["dpkg", "--compare-versions", version, "lt"]
    return any(subprocess.run([*words, one], check=False).returncode == 0 for one in ours)


def _use(machine: Instance, tools: Sequence[str], found: Used) -> None:
    with moto() as address, answering_in_any_version(address) as ec2:
        for tool, step in uses():
            if tool not in tools:
                continue
            command = step.command.replace("{moto}", address).replace("{ec2}", ec2)
            said = machine.run(command, ok=False, **CREDENTIALS)
            told = said.strip().splitlines()[-1][:100] if said.strip() else "(nothing)"
            if re.search(step.pattern, said, re.MULTILINE):
                found.answers.append(f"{step.command}  →  {told}")
            else:
                text = said.strip()[-600:]
                found.faults.append(f"{step.command}: said {text!r}, wanted {step.pattern!r}")
        if "euca2ools" in tools:
            _use_euca2ools(machine, address, found)


def _use_euca2ools(machine: Instance, address: str, found: Used) -> None:
    machine.run("apt-get install -q openssh-client")  # for the steps' own keys
    tally = ran(machine.entry(), address, {})
    parts = ", ".join(f"{k} {tally.right.get(k, 0)} of {n}" for k, n in tally.total.items())
    found.answers.append(f"euca2ools against moto: {sum(tally.right.values())} steps: {parts}")
    found.faults += tally.faults


def uses() -> Iterator[tuple[str, Step]]:
    """Give tool and step of every line."""
    for line in USES.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            tool, command, pattern = re.split(r"\s+(?<!\\)\|\s+", line, maxsplit=2)
            yield tool, Step(tool, command.replace(r"\|", "|"), pattern)
