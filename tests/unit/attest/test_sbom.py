"""The bill of materials: valid by CycloneDX's own schema, the same bytes, all that is bundled."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from toolsync.attest.sbom import sbom
from toolsync.license.scan import scan
from toolsync.license.terms import Terms

SCHEMAS = Path(__file__).parents[2] / "data" / "cyclonedx-1.5.json.xz"
MIT = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software"
    ' and associated documentation files (the "Software"), to deal in the Software without'
    " restriction, including without limitation the rights to use, copy, modify, merge, publish,"
    " distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the"
    " Software is furnished to do so, subject to the following conditions:\n\nThe above copyright"
    " notice and this permission notice shall be included in all copies or substantial portions of"
    ' the Software.\n\nTHE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR'
    " IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A"
    " PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE"
    " LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR"
    " OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER"
    " DEALINGS IN THE SOFTWARE.\n"
)
TREE = {
    "LICENSE": f"MIT License\n\nCopyright (c) 2026 Tiny\n\n{MIT}",
    "hello/__init__.py": '__version__ = "1.0"\n',
    "hello/_vendor/six/LICENSE": f"Copyright (c) 2010 Somebody\n\n{MIT}",
    "hello/_vendor/six/__init__.py": "# SPDX-License-Identifier: MIT\n__version__ = '1.16'\n",
    "hello/_vendor/odd/__init__.py": "# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause\n",
    "hello/cacert.pem": "certificates\n",
    "lib/commons-io-2.11.jar": "PK\x03\x04 a jar\n",
}


def blob(name: str) -> dict[str, Any]:
    return {"name": name, "sha256": name.encode().hex().ljust(64, "0")[:64], "size": 7}


RECORD: dict[str, Any] = {
    "tool": "hello",
    "version": "1.0+b~1",
    "release": {
        "url": "https://github.com/Tiny/Hello/releases/download/v1.0/hello-1.0.tar.gz",
        "tag": "v1.0",
    },
    "accepted": {"at": "2026-11-27T03:48:32+00:00"},
    "fetch": {
        "archive": blob("hello-1.0.tar.gz"),
        "components": [{"component": "docs", "archive": blob("docs.tar.gz")}],
    },
    "unpack": {"orig": blob("hello_1.0.orig.tar.gz")},
    "policy": {"source": "hello", "license": {"expression": ""}},
    "series": {
        "bookworm": {
            "package": {"files": [blob("hello_1.0-1.dsc"), blob("hello_1.0-1.debian.tar.xz")]},
            "build": {"files": [blob("hello_1.0-1.dsc"), blob("hello_1.0-1_all.deb")]},
        },
        "noble": {"build": {"files": [blob("libhello1_1.0-1_amd64.deb")]}},
    },
    "uploads": [{"series": "bookworm", "version": "2:1.0-1"}],
}


def validator() -> Draft7Validator:
    """Return what judges by the schemas that CycloneDX publishes, joined into one."""
    schemas = json.loads(lzma.decompress(SCHEMAS.read_bytes()))
    whole = schemas["bom-1.5.schema.json"]

    def join(part: Any) -> Any:
        if isinstance(part, list):
            return [join(item) for item in part]
        if not isinstance(part, dict):
            return part
        match part.get("$ref", ""):
            case str(ref) if ref.startswith("spdx."):
                return {"$ref": "#/definitions/spdx"}
            case str(ref) if ref.startswith("jsf-"):
                return False  # nothing here is signed within
        return {name: join(item) for name, item in part.items()}

    joined = join(whole)
    joined["definitions"]["spdx"] = {"enum": schemas["spdx.schema.json"]["enum"]}
    Draft7Validator.check_schema(joined)
    return Draft7Validator(joined)


@pytest.fixture
def terms(tmp_path: Path) -> Terms:
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return scan(tmp_path, before=None).explained({})


def test_it_names_all_that_is_in_a_release_and_is_valid(terms: Terms) -> None:
    data = sbom(RECORD, terms)
    assert data == sbom(json.loads(json.dumps(RECORD)), terms)  # the same bytes
    bill = json.loads(data)
    judge = validator()
    assert list(judge.iter_errors(bill)) == []
    assert not judge.is_valid({**bill, "components": [{"name": "of no type"}]})

    main = bill["metadata"]["component"]
    assert (main["name"], main["version"]) == ("hello", "1.0+b~1")
    assert main["purl"] == "pkg:github/tiny/hello@v1.0"
    assert main["licenses"] == [{"expression": "MIT"}]
    assert main["hashes"] == [{"alg": "SHA-256", "content": RECORD["fetch"]["archive"]["sha256"]}]
    parts = {part["bom-ref"]: part for part in bill["components"]}
    assert len(parts) == len(bill["components"])
    assert parts["bookworm:hello_1.0-1_all.deb"]["purl"] == (
        "pkg:deb/debian/hello@2:1.0-1?arch=all&distro=bookworm"
    )
    assert parts["bookworm:hello_1.0-1.dsc"]["purl"].endswith("?arch=source&distro=bookworm")
    assert parts["noble:libhello1_1.0-1_amd64.deb"]["purl"] == (
        "pkg:deb/ubuntu/libhello1@1.0-1?arch=amd64&distro=noble"
    )
    assert (
        parts["orig:hello_1.0.orig.tar.gz"]["hashes"][0]["content"]
        == (RECORD["unpack"]["orig"]["sha256"])
    )
    assert parts["component:docs.tar.gz"]["purl"].startswith("pkg:generic/hello-docs@1.0%2Bb~1?")

    bundled = {ref: part for ref, part in parts.items() if ref.startswith("bundled:")}
    assert {ref: part["name"] for ref, part in bundled.items()} == {
        "bundled:hello/_vendor/six": "six",
        "bundled:hello/_vendor/odd": "odd",
        "bundled:hello/cacert.pem": "cacert.pem",
        "bundled:lib/commons-io-2.11.jar": "commons-io",
    }
    assert bundled["bundled:hello/_vendor/six"]["licenses"] == [{"expression": "MIT"}]
    assert len(bundled["bundled:lib/commons-io-2.11.jar"]["hashes"][0]["content"]) == 64
    (needs,) = bill["dependencies"]
    assert needs == {"ref": "main", "dependsOn": sorted(bundled)}


def test_what_is_not_known_is_not_claimed() -> None:
    """A release that was never judged, from elsewhere, of a series that nobody knows."""
    bare: dict[str, Any] = {
        **RECORD,
        "release": {"url": "https://tiny.example/dl/hello 1.tgz?a=b&c", "tag": ""},
        "accepted": {"at": ""},
        "series": {"gone": RECORD["series"]["bookworm"]},
        "unpack": {},
        "policy": {"source": "hello", "license": {"expression": "LicenseRef-tiny"}},
    }
    bill = json.loads(sbom(bare, None))
    bill.pop("serialNumber")
    main = bill["metadata"]["component"]
    assert main["purl"] == (
        f"pkg:generic/hello@1.0%2Bb~1?checksum=sha256:{bare['fetch']['archive']['sha256']}"
        "&download_url=https:%2F%2Ftiny.example%2Fdl%2Fhello%201.tgz%3Fa%3Db%26c"
    )
    assert main["licenses"] == [{"expression": "LicenseRef-tiny"}]
    assert "timestamp" not in bill["metadata"]
    assert bill["dependencies"] == [{"ref": "main", "dependsOn": []}]
