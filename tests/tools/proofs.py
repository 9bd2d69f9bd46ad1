"""Write the table of docs/reference/proofs.md anew: ``python3 -m tests.tools.proofs``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.support.proofs import lines, table
from tests.support.sigstorage import BIN

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "proofs.md"
MARK = "<!-- table -->\n"


def page(text: str) -> str:
    """Return the page with its table made anew."""
    os.environ["PATH"] += f":{BIN}"
    with tempfile.TemporaryDirectory(prefix="toolsync-proofs-") as folder:
        found = "\n".join(lines(table(Path(folder))))
    return f"{text.partition(MARK)[0]}{MARK}{found}\n"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
