"""Write down what debian/ does not say: the tool.toml of adopted packaging."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from debian.deb822 import Deb822

from toolsync.adopt.packaging import Packaging
from toolsync.adopt.vouched import Vouched
from toolsync.adopt.written import digest_of_packaging
from toolsync.config.definition import Tool
from toolsync.pipeline.context import Context


def definition_of(
    packaging: Packaging,
    tool: Tool,
    lintian: Sequence[str],
    pins: Mapping[str, str],
    proof: Vouched,
    accepted: Sequence[str],
) -> str:
    """Return the tool.toml: what debian/ does not say."""
    control = (packaging.debian / "control").read_text(encoding="utf-8", errors="replace")
    parts = [*Deb822.iter_paragraphs(control)]
    first = parts[0] if parts else Deb822()
    package = parts[1] if len(parts) > 1 else Deb822()
    summary = str(package.get("Description", packaging.package.name)).splitlines()[0]
    address = urlsplit(tool.watch.url)
    home = str(first.get("Homepage", "")).strip()
    if not home.startswith(("http://", "https://")):
        scheme = address.scheme if address.scheme in ("http", "https") else "https"
        home = f"{scheme}://{address.netloc.rpartition('@')[2] or 'unknown.invalid'}/"
    lines = [
        f"summary = {json.dumps(summary, ensure_ascii=False)}",
        f"homepage = {json.dumps(home)}",
        "",
        "[watch]",
        'kind = "watch"',
        "",
        "[package]",
        f"adopted = {json.dumps(f'{packaging.said} {packaging.package.version}')}",
        f'digest = "{digest_of_packaging(packaging.debian)}"',
    ]
    if packaging.passed:
        lines += [f"nearer = {json.dumps('; '.join(packaging.passed), ensure_ascii=False)}"]
    if packaging.dsc:
        lines += [f'dsc = "{packaging.digest}"']
    if proof.main:
        lines += [f"in_main = {json.dumps(proof.version)}"]
        lines += [f"main_packages = {json.dumps(sorted(proof.packages))}"]
    if lintian:
        lines += ["lintian = [", *(f"    {json.dumps(error)}," for error in lintian), "]"]
    lines += accepted
    if not tool.keyring:
        lines += ["", "[verify]", 'method = "pins"']
    if pins or not tool.keyring:
        lines += ["", f"# {' '.join(proof.said.split())}"] if pins and proof.digest else []
        lines += ["[verify.pins]"]
        lines += [f'"{version}" = "{digest}"' for version, digest in pins.items()]
    return "\n".join(lines) + "\n"


def accepted_terms(proof: Vouched, texts: Sequence[str], context: Context) -> Sequence[str]:
    """Return the lines of tool.toml by which terms pass that a distribution has in its main."""
    if not texts:
        return ()
    return (
        "",
        "[[license.accepted]]",
        'expression = "LicenseRef-in-main"',
        'by = "the review of the distribution\'s archive"',
        f'when = "{context.clock.now():%Y-%m-%d}"',
        f"why = {json.dumps(f'{proof.main} has this very release in its component main')}",
        "fingerprints = [",
        *(f'    "{text}",' for text in texts),
        "]",
    )
