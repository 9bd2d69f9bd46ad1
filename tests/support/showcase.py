"""An archive with a tool in each of the eight statuses, a release to review, and many more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tests.support.archives import Item, tar
from tests.support.gallery import Story
from tests.support.served import Site
from toolsync.journal.key import Key
from toolsync.journal.pages import Looked
from toolsync.license.terms import LicenseText, Terms, to_json
from toolsync.model.judgment import Judgment
from toolsync.model.release import Blob, Finding, dump
from toolsync.pipeline.memory import fingerprint
from toolsync.setup.tools import load_tools
from toolsync.system.store import Store
from toolsync.watch import kept
from toolsync.watch.look import Sighting

HELD, VERSION = "ec2-ami-tools", "1.5.20"
_PPA = "ppa:cloud/tools"
_PLAIN = ((_PPA, "jammy"), (_PPA, "noble"))
_HEAD = f'target = "{_PPA}"\nseries = ["jammy", "noble"]'
TERMS = (
    "Amazon Software License\n\n1. Definitions\n\n“Licensor” means any person or entity that"
    " distributes its Work.\n\n2. License Grants\n\nSubject to the terms and conditions of this"
    " License, each Licensor grants to you a perpetual, worldwide, non-exclusive, royalty-free,"
    " copyright license to reproduce, prepare derivative works of, publicly display, publicly"
    " perform, sublicense and distribute its Work and any resulting derivative works in any"
    " form.\n\n3. Limitations\n\n3.1 Redistribution. You may reproduce or distribute the Work only"
    " if you do so under this License and include a complete copy of this License with your"
    " distribution.\n\n3.3 Use Limitation. The Work and any derivative works thereof only may be"
    " used or intended for use with the web services provided by the Licensor.\n"
)
OLD = {
    "LICENSE.txt": TERMS,
    "lib/ec2/bundle.rb": "def bundle(image)\n  split(image)\n  sign(image)\nend\n",
    "lib/ec2/platform.rb": "LINUX = 'linux'\n",
    "bin/ec2-bundle-image": '#!/bin/sh\nexec ruby bundle.rb "$@"\n',
    "README": "The tools bundle, upload and register machine images.\n",
}
NEW = {
    "LICENSE.txt": TERMS.replace("perpetual, worldwide", "worldwide, revocable").replace(
        "the web services provided by the Licensor.",
        "the web services provided by the Licensor, for evaluation only.",
    ),
    "lib/ec2/bundle.rb": "def bundle(image, key:)\n  split(image)\n  encrypt(image, key)\n"
    "  sign(image)\nend\n",
    "lib/ec2/linux.rb": "LINUX = 'linux'\n",
    "lib/ec2/regions.rb": "".join(f"REGIONS << 'region-{n}'\n" for n in range(600)),
    "bin/ec2-bundle-image": '#!/bin/sh\nset -e\nexec ruby bundle.rb "$@"\n',
    "doc/logo.png": "\x89PNG\0\0picture",
}
STORIES = (
    Story(
        name="awscli",
        summary="Amazon's command line, version 1",
        versions=[f"1.46.{n}" for n in range(24)],
        lags=[3, 2, 2.5, 40, 2, 1.5, 3, 2, 2, 9, 2, 1, 2, 2.2, 3, 190, 2, 1.2, 2, 2, 1, 2, 1.5, 2],
        series=_PLAIN,
    ),
    Story(
        name="aws-sam-cli",
        summary="build and test serverless applications",
        versions=["1.140.0", "1.141.0", "1.142.1"],
        lags=[4, 6],
        series=_PLAIN,
    ),
    Story(
        name=HELD,
        summary="bundle, upload and register machine images",
        versions=["1.5.18", "1.5.19", VERSION],
        lags=[30, 26],
        held="license terms: the main text LICENSE.txt changed (compared with 1.5.19)",
        diff="== LICENSE.txt\n… grants to you a [-perpetual-] worldwide {+revocable+} license …\n",
        series=_PLAIN,
    ),
    Story(
        name="euca2ools",
        summary="Eucalyptus's command line",
        versions=["3.4.1", "3.4.2"],
        lags=[100, 51],
        down="https://downloads.example/ answered 503 Service Unavailable",
        series=_PLAIN,
    ),
    Story(
        name="ec2-api-tools",
        summary="the first command line of EC2",
        versions=["1.7.5.0", "1.7.5.1", "1.7.5.2"],
        lags=[9, 9, 9],
        series=_PLAIN,
    ),
    Story(
        name="s3cmd",
        summary="command line for object stores",
        versions=["2.4.0", "2.4.1"],
        lags=[12, 5],
        series=_PLAIN,
    ),
    Story(
        name="cloud-utils",
        summary="helpers for cloud images",
        versions=["0.32", "0.33"],
        lags=[20, 8],
        series=_PLAIN,
    ),
    Story(
        name="ssm-agent",
        summary="agent of Systems Manager",
        versions=["3.3.1"],
        lags=[7],
        series=_PLAIN,
    ),
)
"""One for each status."""


def showcase(folder: Path, more: int = 0) -> Site:
    """Return a set-up with all of that, and so many tools besides."""
    site = Site(folder, [*STORIES, *(_one_of_many(number) for number in range(more))], head=_HEAD)
    store = Store(site.folder / "state" / "store")
    with closing(site.journal()) as journal:
        _review(site, store)
        tools = {tool.name: tool for tool in load_tools(site.load())[0]}
        looks = []
        for name in ("ec2-api-tools", "s3cmd"):
            row = journal.pages.of(name)
            assert row is not None
            assert row.sighting is not None
            releases = kept.unpack(row.sighting, whole=True).releases
            if name == "s3cmd":
                journal.releases.accept(name, "2.4.1", "1" * 64)
                data = journal.releases.of(name)[-1].data
                journal.releases.see(name, "2.4.1", {**data, "sha256": "1" * 64})
                # The page states other bytes than were accepted.
                releases = (releases[0]._replace(sha256="2" * 64), *releases[1:])
            else:
                releases = releases[1:]
            sighting = Sighting(releases=releases, page="https://vendor.example/")
            looks.append(
                Looked(
                    tool=name,
                    definition=fingerprint(dump(tools[name].watch)),
                    sighting=kept.pack(sighting),
                    answered=True,
                    status="answered",
                )
            )
        looks.append(
            Looked(
                tool="cloud-utils",
                definition=fingerprint(dump(tools["cloud-utils"].watch)),
                sighting=None,
                answered=False,
                status="drifted",
                message="https://vendor.example/ names no release any more; it named 0.33 before",
                resolution="Look at the page, and mend watch.pattern in the overlay.",
                exit_status=3,
            )
        )
        journal.pages.remember(looks)
    toml = site.folder / "tools" / "ssm-agent" / "tool.toml"
    toml.write_text(toml.read_text().replace("kind = 'html'", "kind = 'htlm'"))
    return site


def _one_of_many(number: int) -> Story:
    names = ("net", "disk", "auth", "image", "queue", "trace", "build", "event")
    return Story(
        name=f"{names[number % 8]}-tool-{number:04}",
        summary="one of many tools for a cloud",
        versions=["1.2.0", "1.2.1"],
        lags=(3.5 + number % 11, 41 + number / 10)[: 1 if number % 9 == 4 else 2],
        series=_PLAIN,
    )


def _review(site: Site, store: Store) -> None:
    """Let the license gate hold a release that the store has, with its predecessor."""
    with closing(site.journal()) as journal:
        for version, files in (("1.5.19", OLD), (VERSION, NEW)):
            packed = _packed(f"{HELD}-{version}", files)
            orig = store.add_bytes(packed, f"{HELD}_{version}.orig.tar")
            key = Key(tool=HELD, version=version, stage="unpack")
            data = {"orig": dump(orig), "components": []}
            journal.results.record(key, inputs="", outcome="done", started="", data=data)
            said = _said(store, version, files["LICENSE.txt"])
            journal.judgments.keep(replace(key, stage="license"), "inputs", said)
        control = {"control": f"Source: {HELD}\n\nPackage: {HELD}2\nArchitecture: all\n"}
        debian = store.add_bytes(_packed("debian", control), f"{HELD}_1.5.19-1.debian.tar.xz")
        journal.results.record(
            Key(tool=HELD, version="1.5.19", stage="package", scope="noble/1"),
            inputs="",
            outcome="done",
            started="",
            data={"files": [dump(debian)]},
        )
        key = Key(tool=HELD, version=VERSION, stage="license")
        held = journal.results.get(key)
        assert held is not None
        report = store.add_bytes(STORIES[2].diff.encode(), "license.txt")
        journal.results.record(
            key,
            inputs="",
            outcome="held",
            started="",
            data={"log": dump(report)},
            message=held.message,
            resolution=held.resolution,
            kind="GateClosed",
        )


def _said(store: Store, version: str, text: str) -> Judgment:
    main = LicenseText(path="LICENSE.txt", file="LICENSE.txt", fingerprint=text[-40:], words=text)
    new = version == VERSION
    told: Sequence[tuple[str, str, str]] = (
        ("main-changed", "breaking", "the main text LICENSE.txt changed; nobody has accepted it"),
        ("bundled-in-main-file", "risky", "“evaluation only” was not in the terms before"),
        ("file-license", "info", "2 files have contents that were not there before"),
    )
    findings = tuple(
        Finding(stage="license", code=code, severity=severity, message=message)
        for code, severity, message in told
    )
    report: Blob | None = store.add_bytes(STORIES[2].diff.encode(), "license.txt") if new else None
    return Judgment(
        stage="license",
        verdict="block" if new else "silent",
        summary="license terms: the main text LICENSE.txt changed, and 1 more"
        " (compared with 1.5.19)",
        findings=findings if new else (),
        subject=version.rjust(64, "0"),
        kept=store.add_bytes(to_json(Terms(mains=(main,))), "terms.json"),
        report=report,
        before="1.5.19" if new else "",
    )


def _packed(top: str, files: Mapping[str, str]) -> bytes:
    items = [Item(name=f"{top}/{name}", data=text.encode()) for name, text in files.items()]
    return tar([replace(i, mode=0o755) if "/bin/" in i.name else i for i in items])
