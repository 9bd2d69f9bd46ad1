"""Every proof against good, tampered, foreign, expired and misplaced ones, by real programs."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from tests.servers.git import Repository
from tests.support import sigstorage
from tests.support.keys import Keys, throwaway_keys
from tests.support.signers import MAKERS
from tests.support.tiny import write_tool
from toolsync.config.settings import Limits
from toolsync.model.errors import Unverified
from toolsync.model.release import Fetched, Release
from toolsync.setup.tools import load_tool
from toolsync.system.store import Store
from toolsync.verify.stage import verify

COLUMNS = ("good", "tampered", "other key", "expired", "other file")
NAME, OLD = "foo-2.0.tar.gz", "foo-1.0.tar.gz"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NONE = "(it has none)"

_MASKS = (
    (r"\b[0-9A-F]{40}\b|\bRW[A-Za-z0-9+/]{54}|SHA256:[A-Za-z0-9+/]{43}", "KEY"),
    (r"\b[0-9A-F]{12,16}\b", "ID"),
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"\b[0-9a-f]{40}\b", "COMMIT"),
    (r"(?<=other bytes than these) \(.*\)", ""),
    (r"https://github\.com/o/foo/[^\s,;]*", "WORKFLOW"),
    (r"timestamp:\d+", "timestamp:…"),
    (r"/\S*/(?=keys\b)", "…/"),
    (r"(?<=\(Tagger\) on )\d{4}-\d\d-\d\d", "DAY"),
)
"""What differs each time, or by the version of a program, and what stands for it in the table."""

Row = dict[str, str]


@dataclass(frozen=True)
class Files:
    """A folder with the release, an older one, and a tampered copy."""

    folder: Path

    def __post_init__(self) -> None:
        for name, data in self.data.items():
            (self.folder / name).mkdir(parents=True)
            (self.folder / name / (OLD if name == "old" else NAME)).write_bytes(data)

    @property
    def data(self) -> Mapping[str, bytes]:
        return {"good": b"the release\n", "old": b"the old release\n", "tampered": b"the relaese\n"}

    def file(self, which: str) -> Path:
        return self.folder / which / (OLD if which == "old" else NAME)

    def judged(
        self,
        toml: str,
        which: str = "good",
        *,
        keyring: Path | None = None,
        root: Path | None = None,
        archive: Path | None = None,
        stated: str = "",
        tag: str = "",
        kind: str = "html",
        proofs: Mapping[str, Path] = MappingProxyType({}),
    ) -> str:
        """Return the statement of a proof by ``toml``, or the sentence that refuses it."""
        place = Path(tempfile.mkdtemp(dir=self.folder))
        folder = write_tool(place, "https://vendor.test/", name="foo", toml=f"[verify]\n{toml}")
        if kind == "git":
            text = (folder / "tool.toml").read_text()
            (folder / "tool.toml").write_text(text.replace('kind = "html"', 'kind = "git"'))
        for given, name in ((keyring, "vendor.asc"), (root, "trusted_root.json")):
            if given:
                (folder / "keys").mkdir(exist_ok=True)
                shutil.copy(given, folder / "keys" / name)
        store = Store(place / "store")
        release = Release(
            tool="foo", version="2.0", raw_version="2.0", url=f"https://vendor.test/{NAME}",
            filename=NAME, page="https://vendor.test/", tag=tag, sha256=stated,
        )  # fmt: skip
        item = Fetched(
            release=release,
            archive=store.add_file(archive or self.file(which), NAME),
            final_url="",
            extras=tuple(store.add_file(path, role) for role, path in proofs.items()),
        )
        tool = load_tool(folder)
        try:
            said = verify(item, tool=tool, store=store, now=NOW, limits=Limits()).statement
        except Unverified as error:
            said = str(error) if error.resolution else "nothing to do next"
        for pattern, mask in _MASKS:
            said = re.sub(pattern, mask, said)
        return said


def table(folder: Path) -> dict[str, Row]:
    """Return what is said of each method's proofs, by column."""
    files = Files(folder)
    with throwaway_keys() as keys:
        return {
            "`openpgp`": openpgp(files, keys),
            "`openpgp`, by a subkey": subkey(files, keys),
            "`checksums`, signed": checksums(files, keys),
            "`tag`": tag(files, keys),
            **{f"`{method}`": plain(files, method) for method in MAKERS},
            **sigstore(files),
            "`pins`": pins(files),
            "`index`": index(files),
        }


def pinned(method: str, key: str) -> str:
    return f'method = "{method}"\nsignature = "{{url}}.asc"\nkeys = ["{key}"]\n'


def openpgp(files: Files, keys: Keys) -> Row:
    ours, theirs = keys.make("Ours"), keys.make("Theirs")
    ended = keys.make("Ended", expire="2025-01-01")
    ring = keys.export(files.folder / "all.asc", ours, theirs, ended)

    def by(signer: str, of: str = "good", file: str = "good", pin: str = ours) -> str:
        proof = keys.sign(files.file(of), files.folder / "proof.asc", signer)
        return files.judged(pinned("openpgp", pin), file, keyring=ring, proofs={"signature": proof})

    return _row(
        by(ours), by(ours, file="tampered"), by(theirs), by(ended, pin=ended), by(ours, "old")
    )


def subkey(files: Files, keys: Keys) -> Row:
    ours, theirs, ended = keys.make("Main"), keys.make("Foreign"), keys.make("Old Main")
    keys.add_subkey(ours)
    keys.add_subkey(theirs)
    keys.add_subkey(ended, expire="2025-01-01")
    ring = keys.export(files.folder / "sub.asc", ours, theirs, ended)

    def by(signer: str, of: str = "good", file: str = "good", pin: str = ours) -> str:
        proof = keys.sign(files.file(of), files.folder / "proof.asc", signer)
        return files.judged(pinned("openpgp", pin), file, keyring=ring, proofs={"signature": proof})

    return _row(
        by(ours), by(ours, file="tampered"), by(theirs), by(ended, pin=ended), by(ours, "old")
    )


def checksums(files: Files, keys: Keys) -> Row:
    ours, theirs = keys.make("List"), keys.make("Other List")
    ended = keys.make("Ended List", expire="2025-01-01")
    ring = keys.export(files.folder / "list.asc", ours, theirs, ended)
    sums = files.folder / "SHA256SUMS"

    def by(signer: str, of: str = "good", file: str = "good", pin: str = ours) -> str:
        path = files.file(of)
        sums.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
        proof = keys.sign(sums, files.folder / "list.proof", signer)
        toml = (
            f'method = "checksums"\nchecksums = "{{dir}}/SHA256SUMS"\n'
            f'checksums_signature = "{{checksums}}.asc"\nkeys = ["{pin}"]\n'
        )
        proofs = {"checksums": sums, "checksums-signature": proof}
        return files.judged(toml, file, keyring=ring, proofs=proofs)

    return _row(
        by(ours), by(ours, file="tampered"), by(theirs), by(ended, pin=ended), by(ours, "old")
    )


def tag(files: Files, keys: Keys) -> Row:
    ours, theirs = keys.make("Tagger"), keys.make("Other Tagger")
    ended = keys.make("Ended Tagger", expire="2099-01-01")
    (files.folder / "repo").mkdir()
    repo = Repository(files.folder / "repo")
    for name, signer in (("v1.0", ours), ("v2.0", ours), ("v2.1", theirs), ("v2.2", ended)):
        repo.release(name, keys=keys, signer=signer)
    keys.extend(ended, expire="2025-01-01", at="20240601T000000")
    ring = keys.export(files.folder / "tag.asc", ours, theirs, ended)

    def by(name: str, archive_of: str = "", called: str = "", pin: str = ours) -> str:
        tar = files.folder / "tree.tar"
        repo.git("archive", f"--output={tar}", "--prefix=foo-2.0/", archive_of or name)
        text, mark, signature = repo.git("cat-file", "tag", name).partition("-----BEGIN PGP")
        (files.folder / "tag.txt").write_text(text)
        (files.folder / "tag.sig").write_text(mark + signature + "\n")
        return files.judged(
            f'method = "tag"\nkeys = ["{pin}"]\n',
            keyring=ring,
            archive=tar,
            tag=called or name,
            kind="git",
            proofs={"tag": files.folder / "tag.txt", "signature": files.folder / "tag.sig"},
        )

    return _row(
        by("v2.0"), by("v2.0", "v1.0"), by("v2.1"), by("v2.2", pin=ended), by("v1.0", called="v2.0")
    )


def plain(files: Files, method: str) -> Row:
    for side in ("a", "b"):
        (files.folder / method / side).mkdir(parents=True)
    ours, theirs = (MAKERS[method](files.folder / method / side) for side in ("a", "b"))
    toml = f'method = "{method}"\nsignature = "{{url}}.x"\n{method} = ["{ours.pin}"]\n'

    def by(owner: object, of: str = "good", file: str = "good") -> str:
        proof = files.folder / method / "proof"
        proof.unlink(missing_ok=True)
        (ours if owner is ours else theirs).sign(files.file(of), proof)
        return files.judged(toml, file, proofs={"signature": proof})

    return _row(by(ours), by(ours, file="tampered"), by(theirs), NONE, by(ours, "old"))


def sigstore(files: Files) -> dict[str, Row]:
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.data.items()}
    folder = files.folder / "sigstore"
    folder.mkdir()
    orders: list[dict[str, object]] = []
    for form in ("sig", "stated"):

        def over(which: str, form: str = form) -> dict[str, object]:
            name = OLD if which == "old" else NAME
            stated: dict[str, object] = {"statement": sigstorage.statement(name, digests[which])}
            return stated if form == "stated" else {"sha256": digests[which]}

        orders += [
            {"name": f"{form}-good", **over("good")},
            {"name": f"{form}-other", "identity": "somebody@else.test", **over("good")},
            {"name": f"{form}-expired", "ended": 3600, **over("good")},
            {"name": f"{form}-old", **over("old")},
        ]
    sigstorage.make(folder, orders)
    toml = (
        'method = "sigstore"\nsignature = "{url}.sigstore.json"\n'
        f'identity = ["{sigstorage.IDENTITY}"]\nissuer = "{sigstorage.ISSUER}"\n'
    )

    def by(proof: str, file: str = "good") -> str:
        root = folder / "ours.trusted_root.json"
        return files.judged(toml, file, root=root, proofs={"signature": folder / f"{proof}.json"})

    return {
        title: _row(
            by(f"{form}-good"), by(f"{form}-good", "tampered"), by(f"{form}-other"),
            by(f"{form}-expired"), by(f"{form}-old"),
        )
        for title, form in (("`sigstore`", "sig"), ("`sigstore`, a statement", "stated"))
    }  # fmt: skip


def pins(files: Files) -> Row:
    digest = hashlib.sha256(files.data["good"]).hexdigest()
    toml = f'method = "pins"\n[verify.pins]\n"2.0" = "{digest}"\n'
    return _row(
        files.judged(toml), files.judged(toml, "tampered"), NONE, NONE, files.judged(toml, "old")
    )


def index(files: Files) -> Row:
    digest = hashlib.sha256(files.data["good"]).hexdigest()
    toml = 'method = "index"\n'
    said = {file: files.judged(toml, file, stated=digest) for file in files.data}
    return _row(said["good"], said["tampered"], NONE, NONE, said["old"])


def _row(*cells: str) -> Row:
    return dict(zip(COLUMNS, cells, strict=True))


def lines(found: Mapping[str, Row]) -> Iterator[str]:
    """Yield a Markdown table."""
    yield f"| proof | {' | '.join(COLUMNS)} |"
    yield "|---" * (len(COLUMNS) + 1) + "|"
    for name, row in found.items():
        cells = (row[column].replace("|", "\\|") for column in COLUMNS)
        yield f"| {name} | {' | '.join(cells)} |"
