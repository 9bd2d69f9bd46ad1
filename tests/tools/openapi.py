"""Write docs/reference/openapi.json anew: ``python3 -m tests.tools.openapi``."""

from __future__ import annotations

import json
from pathlib import Path

from toolsync.web.openapi import description

FILE = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"


def written() -> str:
    """Return what the file must hold."""
    return json.dumps(description(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
