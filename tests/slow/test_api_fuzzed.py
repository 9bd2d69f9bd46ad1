"""The API as schemathesis tries it: examples from its own description, by a real server."""

from __future__ import annotations

import logging
import re
import subprocess
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.service.test_serve import log_in, serving
from tests.support.rig import ROOT, Rig
from tests.support.tiny import LICENSE, accepted, publish, write_tool

pytestmark = pytest.mark.slow

PROGRAM = ROOT / ".venv" / "schemathesis" / "bin" / "schemathesis"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,negative_data_rejection,ignored_auth"
)


def test_nothing_that_its_description_allows_or_forbids_breaks_it(
    rig: Rig, web: Web, tmp_path: Path
) -> None:
    assert PROGRAM.is_file(), "make .venv/.schemathesis"
    rig.configure('tools = ["hello"]\n' + rig.settings)
    publish(web, "1.0")
    file = write_tool(rig.tools, web.url + "/dl/", "1.0") / "tool.toml"
    file.write_text(file.read_text().replace(accepted(LICENSE), "[license]\n"))
    rig.run("sync", "hello", status=3)
    (tmp_path / "schemathesis.toml").write_text(
        '[parameters]\n"path.name" = "hello"\n"path.version" = "1.0"\n'
    )
    with serving(rig) as (_, place):
        log_in(rig, place)
        token = rig.run("user", "token", "ann", "ci", "--role", "reviewer").stdout.strip()
        done = subprocess.run(
            [
                *(str(PROGRAM), "run", f"http://{place}/api/v1/openapi.json"),
                *("--header", f"Authorization: Bearer {token}", "--checks", CHECKS),
                *("--max-examples", "15", "--seed", "1", "--phases", "examples,coverage,fuzzing"),
                *("--request-timeout", "10", "--no-color"),
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=300,
            check=False,
        )
    told = re.findall(r"(?m)^.*(?:generated|passed|operations|seconds|in \d).*$", done.stdout)
    logging.info("%s", "\n".join(told))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
