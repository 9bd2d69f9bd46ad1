"""Read Java archives without running them: class-file versions, WSDL, schema and model dates."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator

from toolsync.compat.files import Tree
from toolsync.compat.surface import Draft

_MAGIC = b"\xca\xfe\xba\xbe"
_OLDEST, _NEWEST = 45, 100
"""Major versions of class files: 45 is Java 1.1, 44 + N is Java N (JVMS 4.1)."""
_MEMBERS = 100_000
_DOCUMENT = 8 * 1024 * 1024
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    ValueError,
    MemoryError,
)
"""What zipfile raises for archives that are damaged, encrypted or lie about themselves."""
_DATED = re.compile(
    rb"(?:targetNamespace|xmlns(?::\w+)?)\s*=\s*[\"']https?://([\w.-]+)/doc/(\d{4}-\d\d-\d\d)/?[\"']"
)

_BOUND = re.compile(r"((?:\w+/){1,5}\w+)/doc/_(\d{4}_\d\d_\d\d)/")
"""The package of classes that were generated from a WSDL of such a namespace."""


def read(tree: Tree, draft: Draft) -> None:
    """Add the Java floor and the API versions of all jars and loose WSDL files."""
    floors: dict[str, int] = {}
    for name in tree.named(r".*\.(jar|war)"):
        try:
            floors[name] = max(_jar(tree, name, draft), default=0)
        except _BROKEN as error:
            draft.gap("runtime", name, f"the jar cannot be read: {error}")
    for name in tree.named(r".*\.class"):
        floors[name] = _major(tree.head(name, 8), name, draft)
    for name in tree.named(r".*\.wsdl"):
        api_dates(tree.read(name) or b"", draft)
    highest = max(floors.values(), default=0)
    if highest:
        draft.add("runtime", "java", f">={max(highest - 44, 1)}")


def _jar(tree: Tree, name: str, draft: Draft) -> Iterator[int]:
    """Yield the class-file versions in a jar; what is for newer Java only does not count."""
    with zipfile.ZipFile(tree.files[name]) as jar:
        members = jar.infolist()
        if len(members) > _MEMBERS:
            raise zipfile.BadZipFile(f"{len(members)} members, more than {_MEMBERS}")
        for member in members:
            inner = f"{name}!{member.filename}"
            if member.filename.startswith("META-INF/versions/"):
                continue
            bound = _BOUND.match(member.filename)
            if bound:
                _newer(".".join(reversed(bound[1].split("/"))), bound[2].replace("_", "-"), draft)
            if member.filename.endswith(".class"):
                with jar.open(member) as file:
                    yield _major(file.read(8), inner, draft)
            elif member.filename.endswith(".wsdl"):
                with jar.open(member) as file:
                    document = file.read(_DOCUMENT + 1)
                if len(document) > _DOCUMENT:
                    draft.gap("api", inner, f"it has more than {_DOCUMENT} bytes")
                api_dates(document, draft)


def _major(head: bytes, name: str, draft: Draft) -> int:
    """Return a class file's major version, 0 (and a gap) for one that lies."""
    major = int.from_bytes(head[6:8], "big")
    if len(head) < 8 or head[:4] != _MAGIC:
        draft.gap("runtime", name, "it is called a class file and is none")
        return 0
    if not _OLDEST <= major <= _NEWEST:
        draft.gap("runtime", name, f"a class file of version {major}, which no Java ever had")
        return 0
    return major


def api_dates(document: bytes, draft: Draft) -> None:
    """Add the dated namespaces of a WSDL, such as ``ec2.amazonaws.com/doc/2013-02-01``."""
    for host, date in _DATED.findall(document):
        _newer(host.decode("ascii", "replace"), date.decode("ascii"), draft)


def _newer(name: str, date: str, draft: Draft) -> None:
    if date > draft.of("api").get(name, ""):
        draft.put("api", name, date)
