# ruff: noqa: T201 (a program for the terminal)
"""Run euca2ools' commands against moto, and say which answered as they should.

By hand, where a genuine euca2ools is installed in a clean root (docs/reference/euca2ools.md):
nothing of upstream's is in this tree. Each step is a command as a user types it and a pattern
that its output must have; what a pattern names is at hand for later steps.

    python3 -m tests.tools.eucamoto --address http://127.0.0.1:5000 -- chroot /srv/bookworm
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

USER = "us-east-1::{address}/"
STEPS = Path(__file__).with_name("euca2ools.steps")
SERVICES = (
    *("EC2_URL", "AWS_IAM_URL", "AWS_ELB_URL", "AWS_AUTO_SCALING_URL", "AWS_CLOUDWATCH_URL"),
    *("AWS_CLOUDFORMATION_URL", "S3_URL", "TOKEN_URL"),
)

PREPARE = """
rm -rf /tmp/way.* && mkdir -p /tmp/way.d /tmp/way.e /tmp/way.f
ssh-keygen -q -t rsa -N '' -f /tmp/way && mv /tmp/way /tmp/way.ssh
printf '\\000\\377\\376binary' > /tmp/way.bin
head -c 12000000 /dev/urandom > /tmp/way.img
openssl req -quiet -x509 -newkey rsa:2048 -nodes -keyout /tmp/way.key -out /tmp/way.crt \
    -subj /CN=way -days 30 2>/dev/null || openssl req -x509 -newkey rsa:2048 -nodes \
    -keyout /tmp/way.key -out /tmp/way.crt -subj /CN=way -days 30 2>/dev/null
printf '{"Version": "2012-10-17", "Statement": [%s]}' \
    '{"Effect": "Allow", "Action": "*", "Resource": "*"}' > /tmp/way.policy
echo '{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}' > /tmp/way.json
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One command; what its output must have; with ``!`` it must fail, saying so."""

    family: str
    command: str
    pattern: str


def steps() -> tuple[Step, ...]:
    """Return the steps in their order."""
    lines = STEPS.read_text(encoding="utf-8").splitlines()
    rows = [line.split(" | ") for line in lines if not line.startswith("#")]
    return tuple(Step(*(word.strip() for word in row)) for row in rows)


def run(prefix: list[str], script: str, variables: Mapping[str, str]) -> tuple[int, str, str]:
    """Run a shell script behind ``prefix``; return status, stdout and stderr."""
    env = ["env", "-i", *(f"{key}={value}" for key, value in variables.items())]
    done = subprocess.run([*prefix, *env, "sh", "-c", script], capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def judge(step: Step, code: int, out: str, err: str, known: dict[str, str]) -> str:
    """Return what is wrong with an answer, nothing if it is right; add to what is known."""
    if "Traceback" in err:
        return err.strip().splitlines()[-1]
    if step.pattern.startswith("!"):
        right = code != 0 and re.search(step.pattern[1:], err)
        return "" if right else f"status {code}, said {err[-200:]!r}, wanted {step.pattern[1:]!r}"
    found = re.search(step.pattern.format(**known), out, re.MULTILINE)
    if code or not found:
        return f"status {code}, said {(out + err)[-300:]!r}, wanted {step.pattern!r}"
    known.update({key: value for key, value in found.groupdict().items() if value})
    return ""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many steps of each family there are, how many were right, and what was wrong."""

    total: dict[str, int]
    right: dict[str, int]
    faults: list[str]


def ran(prefix: list[str], address: str, variables: Mapping[str, str]) -> Tally:
    """Run all steps behind ``prefix``, against the server at an address."""
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/tmp",
        "LC_ALL": "C.UTF-8",
        "AWS_ACCESS_KEY": "AKIDEXAMPLE",
        "AWS_SECRET_KEY": "not-a-secret",
        **{name: USER.format(address=address) for name in SERVICES},
        **variables,
    }
    code, _, err = run(prefix, PREPARE, variables)
    if code:
        raise SystemExit(f"cannot prepare: {err}")
    known: dict[str, str] = {}
    found = Tally({}, {}, [])
    for step in steps():
        found.total[step.family] = found.total.get(step.family, 0) + 1
        command = step.command
        try:
            command = step.command.format(**known)
            fault = judge(step, *run(prefix, command, variables), known)
        except KeyError as error:
            fault = f"no earlier step gave {error}"
        if fault:
            found.faults.append(f"{step.family}: {command}: {fault}")
        else:
            found.right[step.family] = found.right.get(step.family, 0) + 1
    return found


def main() -> int:
    """Run all steps; print a line for each that failed and a table of families."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--path", default="/usr/bin:/bin")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("prefix", nargs="*")
    words = parser.parse_args()
    given = dict(pair.split("=", 1) for pair in words.set)
    found = ran(words.prefix, words.address, {"PATH": words.path, **given})
    print(*found.faults, sep="\n")
    for family, count in found.total.items():
        print(f"{family:12}{found.right.get(family, 0):3} of {count}")
    print(f"{'all':12}{sum(found.right.values()):3} of {sum(found.total.values())}")
    return 0 if found.right == found.total else 3


if __name__ == "__main__":
    sys.exit(main())
