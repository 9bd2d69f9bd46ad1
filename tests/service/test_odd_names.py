"""Names of upstream's files that are not UTF-8: told in ASCII, compared, and no bug of ours."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from tests.support.rig import Rig

MIT = b"MIT License\n\nPermission is hereby granted, free of charge, to any person ...\n"


def tarball(path: Path, option: str, terms: bytes) -> Path:
    files = {
        b"bin/na\xefve": b"#!/usr/bin/python3\nimport argparse\np = argparse.ArgumentParser()\n"
        b'p.add_argument("--' + option.encode() + b'")\np.parse_args()\n',
        b"d\xe9pot/LICENSE": terms,
        b"d\xe9pot/\xff.c": b"int main(void) { return 0; }\n",
        b"LICENSE\xe9": MIT,
        b"README": b"x",
    }
    with tarfile.open(path, "w:gz", format=tarfile.GNU_FORMAT, errors="surrogateescape") as out:
        for name, data in files.items():
            info = tarfile.TarInfo(os.fsdecode(b"p-1/" + name))
            info.size, info.mode = len(data), 0o755
            out.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    ("command", "words"),
    [("license", "the license text d\\xe9pot/LICENSE changed"), ("compat", "na\\xefve --old")],
)
def test_names_in_latin1_are_compared_and_told(
    rig: Rig, command: str, words: str, tmp_path: Path
) -> None:
    old = tarball(tmp_path / "old.tar.gz", "old", MIT)
    new = tarball(tmp_path / "new.tar.gz", "new", b"GNU GENERAL PUBLIC LICENSE, Version 2\n")
    shown = rig.run(command, old, new, status=3).stdout
    assert words in shown
    assert "cannot be read" not in shown
