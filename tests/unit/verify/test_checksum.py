"""Checksum files in every form that upstreams write, and those that prove nothing."""

from __future__ import annotations

import hashlib
import json
import string
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolsync.model.errors import Unverified
from toolsync.verify.checksum import match, names_at, read_list
from toolsync.verify.refusal import MissingProof
from toolsync.verify.sumlines import Sum, parse_sums

DATA = b"the release's bytes\n"
NAME = "foo-2.0.tar.gz"
MD5, SHA1, SHA256, SHA512 = (
    hashlib.new(name, DATA).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")
)
SEPARATORS = "\v\f\r\x1c\x1d\x1e\x85\u2028\u2029\xa0\u3000"
OTHER = hashlib.sha256(b"other").hexdigest()


def printed(name: str, digest: str) -> str:
    """Return a digest as gpg --print-md writes it, over several lines."""
    groups = [digest[at : at + 8].upper() for at in range(0, len(digest), 8)]
    lines = [" ".join(groups[at : at + 5]) for at in range(0, len(groups), 5)]
    return name + ("\n" + " " * len(name)).join(lines) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "blob"
    path.write_bytes(DATA)
    return path


@pytest.mark.parametrize(
    ("text", "used"),
    [
        (f"{SHA256}  {NAME}\n", "sha256"),
        (f"{SHA256} *{NAME}\n", "sha256"),
        (f"{SHA256} {NAME}\n", "sha256"),
        (f"{SHA256}  ./{NAME}\r\n", "sha256"),
        (f"{SHA256.upper()}  {NAME}", "sha256"),
        (f"{SHA512}  {NAME}\n", "sha512"),
        (f"SHA256 ({NAME}) = {SHA256}\n", "sha256"),
        (f"SHA2-256({NAME})= {SHA256}\n", "sha256"),
        (f"SHA512({NAME})= {SHA512}\n", "sha512"),
        (f"{SHA256}\n", "sha256"),
        (f"{SHA256}  -\n", "sha256"),
        (f"\ufeff# sums\n\n{OTHER}  foo-1.0.tar.gz\n{SHA256}  {NAME}\n", "sha256"),
        (f"{MD5}  {NAME}\n{SHA256}  {NAME}\n{SHA512}  {NAME}\n", "sha256 and sha512"),
        (f"{SHA256}  {NAME}\n{SHA256}  {NAME}\n", "sha256"),
        (f"SHA3-256 ({NAME}) = {OTHER}\nSHA256 ({NAME}) = {SHA256}\n", "sha256"),
        (f"{SHA256}  {NAME}\n{OTHER}  old/{NAME}\n", "sha256"),
        (f"{NAME}:{SHA256}\n", "sha256"),
        (f"{OTHER[:4]}.tar: {OTHER}\n{NAME}: {SHA256}\n", "sha256"),
        (f"{NAME} {SHA256}\n", "sha256"),
        (f"{NAME} {SHA512.upper()}\n", "sha512"),
        (f"foo-1.0.tar.gz\t{OTHER}\n{NAME}\t{SHA256.upper()}\n", "sha256"),
        (f"{NAME} = {SHA256}\n", "sha256"),
        (f"{NAME} sha256:{SHA256}\n", "sha256"),
        (f"./{NAME}: SHA256 {SHA256}\n", "sha256"),
        (f"{SHA256}\t{NAME}\n", "sha256"),
        (f"{SHA256}     {NAME}\n", "sha256"),
        (f"sha256:{SHA256}  {NAME}\n", "sha256"),
        (f"sha256:{SHA256}\n", "sha256"),
        (printed(f"{NAME}: ", SHA256), "sha256"),
        (printed(f"{NAME}: ", SHA512), "sha512"),
        (f"SHA256 hash of {NAME}:\n{SHA256}\nCertUtil: completed successfully.\n", "sha256"),
        (
            "\nAlgorithm       Hash                   Path\n---------       ----\n"
            f"SHA256          {SHA256.upper()}       C:\\release\\{NAME}\n",
            "sha256",
        ),
        (
            f"\nAlgorithm : SHA256\nHash      : {SHA256.upper()}\nPath      : D:\\x y\\{NAME}\n",
            "sha256",
        ),
        (f"{NAME}: sha256:{SHA256}\n", "sha256"),
        (f"SHA256 {NAME} = {SHA256}\n", "sha256"),
        (f"  {SHA256}  {NAME}\n", "sha256"),
        (f"- {SHA256}  {NAME}\n* `{NAME}`: `{SHA256}`\n", "sha256"),
        (f'{SHA256}  "{NAME}"\n', "sha256"),
        (f"'{NAME}': '{SHA256}'\n\"{NAME}\" = \"{SHA256}\"\n", "sha256"),
        (f"Files:\n {MD5} 20 {NAME}\nChecksums-Sha256:\n {SHA256} 20 {NAME}\n", "sha256"),
        (f"{NAME} 20 {SHA256}\n", "sha256"),
        (f"### foo-1.0.tar.gz\nSHA256: {OTHER}\n### {NAME}\n\nSHA256: {SHA256}\n", "sha256"),
        (f"foo-1.0.tar.gz\n{OTHER}\n{NAME}\n{SHA256}\n", "sha256"),
        (f"{NAME}:\n  md5: {MD5}\n  sha256: {SHA256}\n", "sha256"),
        (printed(f"{NAME}: SHA256 = ", SHA256), "sha256"),
    ],
)
def test_forms(file: Path, text: str, used: str) -> None:
    assert match(text, file, [NAME]).used == used


@pytest.mark.parametrize(
    "form",
    [
        "{0},{1}\n", "{1},{0}\n", '"{0}","{1}"\n', "{0};20;{1}\n", "{0}|{1}\n", "{0} => {1}\n",
        "{0}\t20\t{1}\n", "{0},sha256,{1}\n", "| {0} | {1} |\n", "| `{1}` | `{0}` | 2026-11-03 |\n",
        "| Linux | [{0}](https://vendor.example/{0}) | 2 MiB | sha256:{1} |\n",
    ],
)  # fmt: skip
def test_tables(file: Path, form: str) -> None:
    text = "| File | SHA-256 |\n|---|:---|\nfile,size,sha256\n"
    text += form.format("foo-1.0.tar.gz", OTHER) + form.format(NAME, SHA256)
    assert match(text, file, [NAME]).used == "sha256"


@pytest.mark.parametrize(
    "data",
    [
        {NAME: SHA256, "foo-1.0.tar.gz": OTHER},
        {NAME: f"sha256:{SHA256}"},
        {NAME: {"sha256": SHA256, "md5": MD5, "sha3-256": OTHER, "blake3": OTHER}},
        [{"name": "foo-1.0.tar.gz", "sha256": OTHER}, {"name": NAME, "sha256": SHA256}],
        {"version": "2.0", "files": [{"filename": NAME, "hashes": {"sha256": SHA256}}]},
        {"sha256": {"foo-1.0.tar.gz": OTHER, NAME: SHA256}},
        {"assets": [{"url": f"https://vendor.example/{NAME}", "digest": f"sha256:{SHA256}"}]},
        {"name": "foo", "files": {NAME: {"checksum": SHA256}}},
    ],
)
def test_json(file: Path, data: object) -> None:
    names = names_at(f"https://vendor.example/{NAME}", NAME)
    assert match(json.dumps(data), file, names).used == "sha256"
    other = names_at("https://vendor.example/bar-1.tar.gz", "bar-1.tar.gz")
    with pytest.raises(MissingProof):
        match(json.dumps(data), file, other)


def test_a_path_in_json_is_for_the_file_there(file: Path) -> None:
    text = json.dumps([{"name": NAME, "path": f"old/{NAME}", "sha256": SHA256}])
    with pytest.raises(MissingProof, match="which is a file at another path"):
        match(text, file, [NAME])
    assert match(text, file, names_at(f"http://vendor.example/old/{NAME}", NAME)).name == (
        f"old/{NAME}"
    )


def test_a_list_may_name_the_address(file: Path) -> None:
    url = f"https://vendor.example/dl/{NAME}"
    assert match(f"{SHA256}  {url}\n", file, names_at(url, NAME)).used == "sha256"
    with pytest.raises(MissingProof):
        match(f"{SHA256}  {url}\n", file, names_at(f"https://vendor.example/old/{NAME}", NAME))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{OTHER}  {NAME}\n", "does not match"),
        (f"{SHA256}  {NAME}\n{'0' * 128}  {NAME}\n", "sha512 is"),
        (f"{MD5}  {NAME}\n", "weak hash for foo-2.0.tar.gz: MD5"),
        (f"{SHA1}\n", "weak hash"),
        (f"SHA1 ({NAME}) = {SHA1}\n", "weak hash"),
        (f"{SHA256}  {NAME}\n{OTHER}  {NAME}\n", "more than once"),
        (f"{OTHER}\n", "does not match"),
    ],
)
def test_refusals(file: Path, text: str, words: str) -> None:
    with pytest.raises(Unverified, match=words) as caught:
        match(text, file, [NAME])
    assert not isinstance(caught.value, MissingProof)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>not found</html>",
        f"{SHA256}  foo-1.0.tar.gz\n",
        f"{SHA256}  {NAME}.asc\n",
        f"{SHA256}  x{NAME}\n",
        f"{SHA256}\n{OTHER}\n",
        f"BLAKE2b ({NAME}) = {SHA512}\n",
        f"SHA512 ({NAME}) = {SHA256}\n",
        f"{SHA256[:-1]}  {NAME}\n",
        f"{SHA256}  old/{NAME}\n",
        f"{SHA256}  a/{NAME}\n{OTHER}  b/{NAME}\n",
        f"{SHA256}  /{NAME}\n",
        f"SHA256 (old/{NAME}) = {SHA256}\n",
        f"{NAME}: SHA3-256 = {' '.join(SHA256[at : at + 8] for at in range(0, 64, 8))}\n",
        f"{NAME}: RMD160 = {' '.join(SHA1[at : at + 4] for at in range(0, 40, 4))}\n",
        f"| old/{NAME} | {SHA256} |\n",
        f"| {NAME}.asc | {SHA256} |\n",
        f"x{NAME},{SHA256}\n",
        f"foo-1.0.tar.gz\n{SHA256}\n{NAME}\n",
    ],
)
def test_not_listed(file: Path, text: str) -> None:
    with pytest.raises(MissingProof, match="does not list"):
        match(text, file, [NAME])


@pytest.mark.parametrize("separator", SEPARATORS)
def test_only_a_newline_ends_a_line_or_a_name(file: Path, separator: str) -> None:
    """Signed are the sums of odd names, which end, or begin anew, in the name that is wanted."""
    for text in (
        f"{OTHER}  x{separator}{SHA256}  {NAME}\n",
        f"{SHA256}  {NAME}{separator}.\n",
        f"{SHA256}  {NAME}.{separator}\n",
        f"{SHA256}  {separator}{NAME}\n",
        f"{NAME}{separator} {SHA256}\n",
        f"{separator}{NAME} {SHA256}\n",
        f"{NAME}:{separator}{SHA256}\n",
        f"x{separator}\n{NAME}{separator}:\n{SHA256}\n",
        f"SHA256 (x{separator}SHA256 ({NAME}) = {SHA256}\n",
        f"{SHA256}  {NAME}{separator}{separator}\n",
    ):
        with pytest.raises(MissingProof, match="does not list"):
            match(text, file, [NAME])


def test_a_line_with_a_folder_is_for_the_file_at_that_path(file: Path) -> None:
    text = f"{SHA256}  old/{NAME}\n"
    for url, filename in (
        (f"http://vendor.example/dl/{NAME}", NAME),
        (f"http://vendor.example/bold/{NAME}", NAME),
        (f"http://vendor.example/old%2F{NAME}", NAME),
        (f"http://vendor.example/dl?file=old/{NAME}", NAME),
    ):
        with pytest.raises(MissingProof, match=f"it lists 'old/{NAME}', which is a file at"):
            match(text, file, names_at(url, filename))
    there = names_at(f"http://vendor.example/dl/old/{NAME}", NAME)
    assert match(text, file, there).name == f"old/{NAME}"
    assert match(f"{SHA256}  {NAME}\n{OTHER}  old/{NAME}\n", file, [NAME]).name == NAME


def test_escaped_names_of_coreutils() -> None:
    assert parse_sums(f"\\{SHA256}  a\\\\b\\nc\nx\n") == (
        Sum(name="a\\b\nc", algorithm="sha256", digest=SHA256),
    )


@pytest.mark.parametrize("line", ["{1}  {0}", "{0} {1}"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"])
@pytest.mark.parametrize("first", ["", "校验和\n"])
def test_lists_in_utf16_are_read(
    file: Path, tmp_path: Path, code: str, end: str, line: str, first: str
) -> None:
    sums = tmp_path / "sums"
    rows = [("foo-1.0.tar.gz", OTHER), (NAME, SHA256)]
    text = first + "".join(line.format(*row) + end for row in rows)
    sums.write_bytes(text.encode(code))
    text, _ = read_list(sums, None, (), None, "the list")
    assert match(text, file, [NAME]).used == "sha256"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        ("<!DOCTYPE html><html>not found</html>", "it is an HTML or XML page"),
        (f"{NAME} has {SHA256} so\n", f"no line of it has a form that is known: '{NAME} has"),
        ("see the wiki\nfor sums\n", "of its 2 lines none is a checksum; the first is 'see the"),
        (f"{OTHER}  foo-1.0.tar.gz\n", "a list of other files: 'foo-1.0.tar.gz'"),
        (f"{OTHER}  a\n{OTHER}  b\n{OTHER}  c\n", "a list of other files: 'a' and 2 more"),
        (f"{OTHER}  {NAME}.asc\n", f"a list of other files: '{NAME}.asc'"),
        (f"{OTHER}  x-{NAME}\n", f"a list of other files: 'x-{NAME}'"),
        (f"SHA3-256 {SHA256} {NAME}\n", "no line of it has a form that is known"),
    ],
)
def test_what_was_read_is_said(file: Path, text: str, words: str) -> None:
    with pytest.raises(MissingProof) as caught:
        match(text, file, [NAME])
    assert words in str(caught.value)


def test_a_hostile_list_costs_little(file: Path) -> None:
    begun = time.process_time()
    for line in (" " * 2_000_000, ": " * 1_000_000, "a " * 1_000_000, "a: " * 600_000 + "x"):
        for text in (line, f"x{line}y", f"n:\n{line}z"):
            with pytest.raises(MissingProof):
                match(text, file, [NAME])
    assert time.process_time() - begun < 20


@given(
    st.lists(
        st.text(string.ascii_letters + "-._", min_size=1).filter(lambda n: n[0] != "."),
        min_size=2,
        unique=True,
    )
)
def test_what_is_written_is_read(names: list[str]) -> None:
    digests = {name: hashlib.sha256(name.encode()).hexdigest() for name in names}
    for form in ("{1}  {0}", "{1} *{0}", "SHA256 ({0}) = {1}", "{0}:{1}", "{0} {1}"):
        text = "".join(form.format(*pair) + "\n" for pair in digests.items())
        assert {entry.name: entry.digest for entry in parse_sums(text)} == digests


@given(st.text())
def test_any_text_is_read_without_harm(text: str) -> None:
    for entry in parse_sums(text):
        assert len(entry.digest) >= 32
