"""License texts by the SPDX matching guidelines; and what must never be taken for a plain one."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import mutations
from toolsync.config.licensing import Classes, LicensePolicy
from toolsync.license.identify import identify, templates
from toolsync.license.policy import Policy, check_first, check_main_texts
from toolsync.license.scan import scan

COMMON = mutations.COMMON
MIT = mutations.MIT
GPL2 = (COMMON / "GPL-2").read_text()
LGPL = (COMMON / "LGPL-2.1").read_text()
BSD = (COMMON / "BSD").read_text()
APACHE = (COMMON / "Apache-2.0").read_text()
OLD_STREET = "59 Temple Place, Suite 330, Boston, MA  02111-1307  USA"
TWO_CLAUSES = re.sub(r"(?s)\n3\. Neither.*?permission\.\n", "\n", BSD)
NOTICE = """\
This program is free software; you can redistribute it and/or modify it under the terms of the
GNU General Public License as published by the Free Software Foundation; either version 2 of the
License, or (at your option) any later version.

This program is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without
even the implied warranty of MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
General Public License for more details.

You should have received a copy of the GNU General Public License along with this program; if not,
write to the Free Software Foundation, Inc., 675 Mass Ave, Cambridge, MA 02139, USA.
"""


def old_street(text: str) -> str:
    return re.sub(
        r"51 Franklin Street, Fifth Floor,\s+Boston, MA 02110-1301,? USA", OLD_STREET, text
    )


def feeds(text: str) -> str:
    return "".join(
        f"{line}\n^L\n" if n % 50 == 49 else f"{line}\n" for n, line in enumerate(text.splitlines())
    )


READ = {
    "the old street": (old_street(GPL2), "GPL-2.0"),
    "form feeds as two signs": (feeds(LGPL), "LGPL-2.1"),
    "without its appendix": (GPL2.partition("END OF TERMS AND CONDITIONS")[0], "GPL-2.0"),
    "Library for Lesser": (GPL2.replace("GNU Lesser General", "GNU Library General"), "GPL-2.0"),
    "a line of preamble": (f"Less License\n------------\n\n{TWO_CLAUSES}", "BSD-2-Clause"),
    "a sentence above": (f"Less is licensed under the BSD license.\n{TWO_CLAUSES}", "BSD-2-Clause"),
    "a letter for a number": (TWO_CLAUSES.replace("1. ", "a) "), "BSD-2-Clause"),
    "spellings": (APACHE.replace("License", "Licence"), "Apache-2.0"),
    "two texts": (f"{MIT}\n{'-' * 60}\n\n{BSD}", "BSD-3-Clause AND MIT"),
    "the same twice": (f"{MIT}\n{'=' * 60}\nless:\n{MIT}", "MIT"),
    "a notice": (NOTICE, "GPL-2.0-or-later"),
    "a notice, this version alone": (
        re.sub(r"either version 2(?s:.*?)any later version", "version 2", NOTICE),
        "GPL-2.0-only",
    ),
    "an address of the web": (f"{MIT}\nhttps://opensource.org/licenses/MIT\n", "MIT"),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_a_text_is_read_as_its_readers_do(name: str) -> None:
    text, wanted = READ[name]
    assert identify(text, work="less") == wanted


ATTACKS: dict[str, Callable[[str], str]] = {
    "Commons"
    " Clause": lambda text: f'{text}\n"Commons Clause" License Condition v1.0\n\nThe Software is '
    "provided to you by the Licensor under the License, as defined below, subject to the following "
    "condition. Without limiting other conditions in the License, the grant of"
    " rights under the License "
    "will not include, and the License does not grant to you, the right to Sell the Software.\n",
    "its name alone": lambda text: f"Commons Clause\n\n{text}",
    "not for evil": lambda text: f"{text}\nThe Software shall be used for Good, not Evil.\n",
    "a clause above": lambda text: f"For evaluation only.\n\n{text}",
    "a clause in the statement": lambda text: re.sub(
        r"(?m)^(\s*Copyright .*)$", r"\1 No commercial use.", text, count=1
    ),
    "another license's title": lambda text: f"Business Source License\n\n{text}",
    "a wrong title": lambda text: f"Mozilla Public License 2.0\n\n{text}",
    "claims more"
    " terms": lambda text: f"Licensed under the following license and the Acme terms.\n\n{text}",
    "padded before": lambda text: f"{'lorem ipsum dolor sit amet ' * 40}\n\n{text}",
    "padded after": lambda text: f"{text}\n\n{'the software ' * 200}",
    "cut": lambda text: text[: int(len(text) * 0.7)],
    "a holder who"
    " forbids": lambda text: text.replace("COPYRIGHT HOLDERS", "HOLDERS EXCEPT FOR RESALE"),
    "in a mail address": lambda text: f"{text}\nno commercial use <a@b.example>\n",
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_says_more_is_not_the_plain_license(attack: str) -> None:
    for text in (MIT, BSD, GPL2, LGPL, APACHE):
        changed = ATTACKS[attack](text)
        assert changed == text or identify(changed, work="less") == "", text[:60]


WEIGHTY = r"(?i)\b(?:not|no|only|must|may|without|except|provided|shall|unless|all|any|free)\b"


@pytest.mark.parametrize(
    "text", [MIT, BSD, TWO_CLAUSES, NOTICE], ids=["MIT", "BSD-3", "BSD-2", "notice"]
)
def test_a_weighty_word_more_or_less_and_it_is_another_text(text: str) -> None:
    assert identify(text)
    found = list(re.finditer(WEIGHTY, text))
    rng = random.Random(7)
    for word in rng.sample(found, min(len(found), 15)):
        gone = text[: word.start()] + text[word.end() :]
        more = f"{text[: word.start()]}not {text[word.start() :]}"
        for changed in (gone, more):
            name = identify(changed)
            assert not name, text[word.start() - 40 : word.end() + 40]


def test_every_template_is_met_by_its_own_words() -> None:
    assert len(templates()) > 150
    for name in ("GPL-1", "GPL-2", "GPL-3", "LGPL-2", "LGPL-2.1", "LGPL-3", "CC0-1.0", "MPL-2.0"):
        found = identify((COMMON / name).read_text())
        assert found.removesuffix(".0") in (name, name.removesuffix(".0"))


DEP5 = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2019 Jane Doe
License: {synopsis}

License: GPL-2+
 {notice}
 .
 On Debian systems, the complete text of the GNU General Public License version 2 can be found
 in "/usr/share/common-licenses/GPL-2".

License: MIT
 {mit}
"""


def dep5(synopsis: str, mit: str = MIT, more: str = "") -> str:
    body = mit.partition("Doe\n")[2].strip()
    text = DEP5.format(
        synopsis=synopsis,
        notice=NOTICE.strip().replace("\n\n", "\n.\n").replace("\n", "\n "),
        mit=body.replace("\n\n", "\n\n ").replace(
            "\n", "\n "
        ),  # blank lines amid it, as in liburing's
    )
    return text.replace("License: " + synopsis, f"License: {synopsis}{more}", 1)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (dep5("GPL-2+ or MIT"), "GPL-2.0-or-later OR MIT"),
        (dep5("GPL-2+ / MIT"), "GPL-2.0-or-later OR MIT"),
        (dep5("GPL-2+, MIT"), "GPL-2.0-or-later AND MIT"),
        (dep5("GPL-2+"), "GPL-2.0-or-later"),
        (dep5("BSD-3-clause"), ""),
        (dep5("MIT", mit=MIT.replace("without limitation", "with limitation")), ""),
        (dep5("MIT", more="\nComment: Not for commercial use."), ""),
        (dep5("MIT", more="\nX-Terms: Pay first."), ""),
    ],
)  # fmt: skip
def test_a_machine_readable_copyright_is_what_it_names_and_holds(
    text: str, wanted: str, tmp_path: Path
) -> None:
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "copyright").write_text(text)
    (tmp_path / "LICENSE").write_text(MIT)
    (found,) = scan(tmp_path).terms.nested
    assert found.id == wanted
    assert found.said == ("GPL-2+ / MIT" if "GPL-2+ / MIT" in text else "")


def test_a_slash_is_judged_by_its_gravest_part_and_said(tmp_path: Path) -> None:
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "copyright").write_text(dep5("GPL-2+ / MIT"))
    (tmp_path / "LICENSE").write_text(MIT)
    terms = scan(tmp_path).terms
    lenient = Policy(tool=LicensePolicy(), classes=Classes())
    assert not list(check_first(terms, lenient))
    strict = Policy(
        tool=LicensePolicy(), classes=Classes(allowed=("MIT",), denied=("GPL-2.0-only",))
    )
    (change,) = check_first(terms, strict)
    assert change.verdict == "block"
    assert 'reading "GPL-2+ / MIT" as a choice' in change.message


def test_licensecheck_is_asked_where_a_top_text_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "COPYING").write_text(GPL2 + "\nThe Software shall be used for Good, not Evil.\n")
    seen = scan(tmp_path)
    (digest,) = seen.unexplained
    terms = seen.explained({digest: ("GPL-2.0",)})
    (change,) = check_main_texts(terms, Policy(tool=LicensePolicy(), classes=Classes()))
    assert change.verdict == "review"
    assert "not known" in change.message
    assert "licensecheck takes them for GPL-2.0" in change.message
    assert terms.digest == seen.terms.digest
