"""What each status, hold and finding means: why it matters, and what to do; said here alone.

Terminal, page, mail and API take their sentences from here (`report.sentences` puts them together);
docs/reference/sentences.md is made of these tables, and a test holds both to the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What something means for a person."""

    what: str
    """What has happened, in general; a sentence of the moment says it of the tool at hand."""
    matters: str
    """Why that matters, empty where nothing does."""
    todo: str
    """What to do where nothing more particular is known."""


def _m(what: str, matters: str, todo: str = "") -> Meaning:
    return Meaning(what=what, matters=matters, todo=todo)


STATUSES: Mapping[str, Meaning] = {
    "up-to-date": _m("The newest release that may be taken is published.", "", "Nothing."),
    "new": _m(
        "A release is there that is not published yet.",
        "Nobody can install it yet.",
        "The next run takes it.",
    ),
    "held": _m(
        "A release waits for a person.",
        "Nobody gets it until somebody has looked.",
        "See what was found, and decide or mend it.",
    ),
    "recalled": _m(
        "Upstream has withdrawn a release that is published.",
        "It may be broken or unsafe, and machines have it.",
        "Ask upstream why.",
    ),
    "replaced": _m(
        "A version that was accepted is offered with other bytes.",
        "A version's bytes never change honestly without a word: this is how an attack looks.",
        "Treat it as an attack until upstream explains it.",
    ),
    "drifted": _m(
        "The release page is no longer what its reader understands.",
        "New releases cannot be seen until that is mended.",
        "Look at the page, and mend the tool's definition.",
    ),
    "unreachable": _m(
        "The release page does not answer.",
        "New releases cannot be seen meanwhile; it is tried again by itself.",
        "There is nothing to do unless it lasts for days.",
    ),
    "error": _m(
        "The set-up or the tool's definition is wrong, or a program failed.",
        "The tool is not worked on until that is mended.",
        "Mend what is told.",
    ),
}
"""By the status's word."""

HOLDS: Mapping[str, Meaning] = {
    "fetch": _m(
        "What was downloaded is not what the page promised.",
        "A file that is cut short or exchanged must not be built.",
        "Compare it with upstream's page.",
    ),
    "verify": _m(
        "Nothing proves that these are upstream's own bytes.",
        "Anybody between upstream and here could have made them.",
        "See whether upstream has changed its key or forgotten to sign, and ask it.",
    ),
    "unpack": _m(
        "The archive cannot be unpacked as an honest one can.",
        "It could write outside of its folder, or fill the disk.",
        "Look at it by hand, and ask upstream.",
    ),
    "binding": _m(
        "The files say that they are another version.",
        "An old release under a new name brings its good signature along.",
        "Look at what they say, and approve or reject it.",
    ),
    "license": _m(
        "The terms may not pass by themselves.",
        "Whoever ships it accepts them for everybody who installs it.",
        "Read what changed in them, and approve or reject it.",
    ),
    "package": _m(
        "The source package cannot be made.",
        "A patch or the packaging does not fit this release.",
        "Mend the tool's debian/.",
    ),
    "build": _m(
        "It does not build, or its checks or tests fail.",
        "What fails here would fail for whoever installs it.",
        "Read the end of the log, and mend the packaging or tell upstream.",
    ),
    "compat": _m(
        "Users would miss something, or nobody can tell whether they would.",
        "Scripts and services that rely on it would break at their next upgrade.",
        "Look at what changed, and approve or reject it.",
    ),
    "publish": _m(
        "The target does not take it.",
        "It is built, and nobody can install it.",
        "Read what the target says.",
    ),
    "confirm": _m(
        "The target does not serve what was sent.",
        "Whoever installs gets something else, or nothing.",
        "Compare the target with the journal: toolsync doctor.",
    ),
}
"""By the stage that holds a release."""

FINDINGS: Mapping[str, Mapping[str, Meaning]] = {
    "verify": {
        "checksums-unsigned": _m(
            "The checksums that prove it are not signed.",
            "Who can change the file on the server can change its sums.",
            "Ask upstream for signatures.",
        ),
        "key-expires-soon": _m(
            "The key that signed it ends soon.",
            "Releases after that will be held.",
            "Get the renewed key from where you trust it.",
        ),
        "signed-in-future": _m(
            "The signature is dated in the future.",
            "A clock is wrong, here or at upstream.",
            "Check this machine's time.",
        ),
    },
    "unpack": {
        "unused-pattern": _m(
            "A pattern of Files-Excluded matches nothing.",
            "What it left out may lie elsewhere now.",
            "Look for it in the tree, or remove the pattern.",
        ),
        "macos-metadata": _m("Files that macOS added were left out.", "", ""),
    },
    "binding": {
        "index": _m("The index names these bytes for this version.", "", ""),
        "pin": _m("A pin names these bytes for this version.", "", ""),
        "tag": _m("A signed tag names this version.", "", ""),
        "signed-list": _m(
            "The signed list gives the file a name with a version.",
            "Where that is another version, these are other bytes than the page claims.",
            "Compare with upstream's page.",
        ),
        "top-folder": _m(
            "The archive's top folder has a version in its name.",
            "Where that is another version, this may be an old release under a new name.",
            "Compare with upstream's page.",
        ),
        "member": _m(
            "A file in the archive states the version.",
            "Where that is another version, this may be an old release under a new name.",
            "Look at that file.",
        ),
        "date": _m(
            "It was signed before an older release was.",
            "Old bytes may be offered as new.",
            "Ask upstream when it was made.",
        ),
        "bytes": _m(
            "A component has the bytes of another version of it.",
            "Old bytes may be offered as new.",
            "Compare the component with upstream's own.",
        ),
        "none": _m(
            "Nothing that was proved names the version.",
            "It cannot be told whether the bytes are of this version.",
            "Nothing; the evidence says so.",
        ),
    },
    "license": {
        "main-changed": _m(
            "The license itself has other words.",
            "Everybody who installs it would be under them.",
            "Read the words that changed.",
        ),
        "main-added": _m(
            "A license text is there that was not.",
            "Other terms may hold for all of it, or a part.",
            "Read it, and see what it is for.",
        ),
        "main-removed": _m(
            "A license text is gone.",
            "What may be done with it is then not said any more.",
            "Look for the terms elsewhere in the tree.",
        ),
        "main-gone": _m(
            "The license is gone, with nearly everything else.",
            "This is hardly a release.",
            "Compare with upstream's page; reject it.",
        ),
        "main-found": _m("A license text is there now, where none was.", "", ""),
        "other-wording": _m("The same license stands there in other words.", "", ""),
        "no-license-file": _m(
            "No license text is in it.",
            "Without one nobody may pass it on.",
            "Ask upstream under which terms it is.",
        ),
        "unknown-terms": _m(
            "Terms stand there that are not known.",
            "Nobody has said yet that they are acceptable.",
            "Read them; accept them in tool.toml if they are.",
        ),
        "denied": _m(
            "Its license is one that toolsync.toml denies.",
            "You have said that it must never be shipped.",
            "Reject it, or change the setting.",
        ),
        "needs-acceptance": _m(
            "Its license is one that wants a person's word for each tool.",
            "Its conditions may not fit your use.",
            "Read it; accept it in tool.toml, or reject the release.",
        ),
        "never-automatic": _m(
            "You have asked to see every release of this tool.", "", "Look, and decide."
        ),
        "accepted": _m("A person has accepted these terms for this tool.", "", ""),
        "must-ship-missing": _m(
            "A file that every package must hold is not in the tree.",
            "Its license may forbid to ship the rest without it.",
            "Find where it went, or correct tool.toml.",
        ),
        "notice-changed": _m(
            "A notice that must be passed on has other words.",
            "Packages must carry what it says now.",
            "Read the words that changed.",
        ),
        "notice-removed": _m(
            "A notice is gone.", "It may have stated somebody's rights.", "See why it went."
        ),
        "file-license": _m(
            "Files state terms of their own that were not among the known.",
            "A part of it may be under other terms than the whole.",
            "Look at these files.",
        ),
        "metadata-changed": _m(
            "The metadata declare another license than before.",
            "Upstream may have changed the terms.",
            "Compare with the license text.",
        ),
        "metadata-disagrees": _m(
            "The metadata declare another license than the text is.",
            "One of the two is wrong.",
            "The text counts; tell upstream.",
        ),
        "bundled-license": _m(
            "Somebody else's license lies in it that was not there before.",
            "That work's terms hold for what you ship, too.",
            "Read it.",
        ),
        "bundled-license-removed": _m("A bundled work's license is gone.", "", ""),
        "bundled-denied": _m(
            "It bundles a work under a license that toolsync.toml denies.",
            "You have said that it must never be shipped.",
            "Reject it, or leave that part out by Files-Excluded.",
        ),
        "bundled-in-main-file": _m(
            "The license text tells of bundled works that were not there before.",
            "Their terms hold for what you ship, too.",
            "Read what was added.",
        ),
        "bundled-*": _m(
            "Other people's work is in it that was not there before.",
            "Its terms and its security faults come along.",
            "See what it is, and under which terms.",
        ),
        "carries": _m("It carries other people's work.", "", ""),
        "copyright-lacks": _m(
            "debian/copyright does not tell of everything in it.",
            "The package completes it by itself.",
            "",
        ),
        "copyright-unreadable": _m(
            "debian/copyright is not in the machine-readable form.",
            "It cannot be compared with the tree.",
            "Write it in that form.",
        ),
        "gutted": _m(
            "Most of the files are gone.",
            "This is hardly a release.",
            "Compare with upstream's page.",
        ),
        "detector": _m(
            "The license detector could not look.",
            "What it would have found is not known.",
            "Mend what it says, and run again.",
        ),
        "no-detector": _m("No license detector is installed.", "", "apt install licensecheck"),
        "unreadable": _m(
            "A file or archive could not be read.",
            "What it says of terms is not known.",
            "Look at it by hand.",
        ),
        "too-much": _m(
            "Looking took more time or memory than it may.",
            "What it would have found is not known.",
            "Look at it by hand; raise [limits] if it is honest.",
        ),
        "approved": _m("A person has approved exactly this.", "", ""),
        "approved-earlier": _m("A person has approved the same in an earlier release.", "", ""),
    },
    "package": {
        "known-orig": _m("The target has this orig tarball already; that one is used.", "", ""),
        "patch-upstream": _m("Upstream has taken a patch; it was left out.", "", ""),
        "patch-refreshed": _m("A patch applies at another place; it was refreshed.", "", ""),
        "patches-later": _m(
            "Patches do not apply; those of a later packaging are used.",
            "They were written for another release.",
            "See that they do here what they are for.",
        ),
        "build-floor": _m(
            "It is built with the series' own dpkg-dev, older than asked for.", "", ""
        ),
        "build-system": _m("It is built in another way than its packaging knew.", "", ""),
        "mended": _m("The adopted packaging was mended as a person has said.", "", ""),
        "patch-conflict": _m(
            "A patch does not apply any more.",
            "What it mends would be broken again.",
            "Write the patch anew for this release.",
        ),
    },
    "build": {
        "old-chroot": _m(
            "The chroot could not be renewed.",
            "It was built with older packages than users have.",
            "See that the mirror answers.",
        ),
        "lintian:*": _m(
            "lintian finds something in the package.",
            "It may not behave as packages should.",
            "lintian-explain-tags tells what the tag means.",
        ),
        "autopkgtest-*": _m(
            "Not all of its tests were run, or some are weak.",
            "Less is known of it than of a package whose tests pass.",
            "Look at the tests.",
        ),
    },
    "compat": {
        "command": _m(
            "A command is there no longer, or is new.",
            "Scripts that call it would fail.",
            "See what takes its place.",
        ),
        "subcommand": _m(
            "A subcommand changed.", "Scripts that call it would fail.", "Look at its help."
        ),
        "option": _m(
            "An option changed.",
            "Scripts that give it would fail, or do another thing.",
            "Look at its help.",
        ),
        "argument": _m("Arguments changed.", "Scripts would call it wrongly.", "Look at its help."),
        "exit-code": _m(
            "A command ends with another status.", "Scripts that test it would go wrong.", ""
        ),
        "version-output": _m("It tells its version in another form.", "Scripts may read it.", ""),
        "api": _m("A name that programs import changed.", "Programs would fail to start.", ""),
        "service": _m("A service of the cloud changed.", "Calls of it would fail.", ""),
        "operation": _m("An operation of a service changed.", "Calls of it would fail.", ""),
        "runtime": _m(
            "It needs another version of its language.",
            "It may not run where it ran before.",
            "See that each series has it.",
        ),
        "dependency": _m(
            "It depends on something else.", "Something new is installed along with it.", ""
        ),
        "environment": _m("A variable that it reads changed.", "Set-ups may rely on it.", ""),
        "package": _m("A package is gone or new.", "Upgrades may remove something.", ""),
        "library": _m(
            "A shared library has another name.", "Programs linked to it would not start.", ""
        ),
        "symbol": _m("A symbol of a library changed.", "Programs linked to it may crash.", ""),
        "header": _m("A header changed.", "Programs may not compile any more.", ""),
        "type": _m("A type of a library's interface changed.", "Programs may crash.", ""),
        "pkg-config": _m("What pkg-config says changed.", "Builds may not find it.", ""),
        "alternative": _m("An alternative changed.", "Another program may be run.", ""),
        "conffile": _m("A configuration file changed.", "People may have edited it.", ""),
        "path": _m("A file is gone or new.", "Something may rely on where it lies.", ""),
        "tree": _m(
            "What it installs could not be compared.",
            "Nobody can tell what users would miss.",
            "Look at the differences of its source.",
        ),
        "first-release": _m("It is the first: nothing can be missed.", "", ""),
        "more": _m("There are more changes, none graver.", "", "See the report."),
        "approved": _m("A person has approved exactly this.", "", ""),
        "approved-earlier": _m("A person has approved the same in an earlier release.", "", ""),
    },
}
"""By the stage that found it, then by its code; ``*`` stands for any end."""

_NOTHING = _m("", "", "")


def of_finding(stage: str, code: str) -> Meaning:
    """Return what a finding means; nothing is said of one that others have added."""
    known = FINDINGS.get(stage, {})
    found = known.get(code)
    if found is not None:
        return found
    begun = (m for c, m in known.items() if c.endswith("*") and code.startswith(c[:-1]))
    return next(begun, _NOTHING)
