"""Wordings of licenses that the SPDX License List does not have: notices, and usual variants.

Each is a template of `toolsync.license.template`. What stands here must grant no more than the
license whose id it has, and restrict no more either: whoever adds one says where it is found.
"""

from __future__ import annotations

from collections.abc import Iterator

_IT = "{ program | software | library | package | file | project | script | tool | code | module }"
_THIS = f"{{ this {_IT} | it | ~ }}"
_KINDS = {
    "GPL": ("general", ("1", "2", "3")),
    "LGPL": ("{ lesser | library } general", ("2", "2 1", "3")),
    "AGPL": ("affero general", ("3",)),
}
_LATER = "[ either ] version {v} [ of the license ] or at your option any later version"
_ONLY = "version {v} [ of the license ] [ only ]"
_WARRANTY = (
    f"[ [ and ] {_THIS} is distributed in the hope that it will be useful but without any warranty"
    " without even the implied warranty of merchantability or fitness for a particular purpose"
    " [ see the gnu {kind} public license for more details ] ]"
    " [ you should have received a copy of the gnu {kind} public license along with"
    f" {{{{ this | the }}}} {{{{ {_IT[2:-2]} | debian package | ~ }}}} [ see the file"
    f" [ named ] copying ]"
    " [ if not"
    " { see http www gnu org licenses [ gpl [ 2 | 3 ] 0 [ html | txt ] ] | write to"
    " the free software"
    " foundation inc } ] ]"
)
_DEBIAN = (
    "[ [ # ] on debian [ gnu linux ] [ based ] systems the { complete | full } text"
    " of [ version {v}"
    " of ] the gnu {kind} public license [ version {v} ] [ can be found | is ] in [ the file ]"
    " usr share commonlicenses {file} ]"
)


def wordings() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield an SPDX id or expression, and its templates."""
    for family, (kind, versions) in _KINDS.items():
        for version in versions:
            yield from _notices(family, kind, version)
    yield "BSD-2-Clause", (_BSD_2,)
    yield "BSD-3-Clause", (_BSD_3_LBL, _BSD_3)
    yield "Artistic-1.0-Perl OR GPL-1.0-or-later", (_PERL,)
    yield "Apache-2.0", (_APACHE,)
    yield "NCSA", (_IPERF,)
    yield "MPL-2.0", (_MPL,)
    yield "CC-BY-3.0", (_JQ,)


def _notices(family: str, kind: str, version: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    name = f"{family}-{'.'.join(version.split()) if ' ' in version else version + '.0'}"
    short = f"{family.lower()}{version.replace(' ', ' ')}"
    file = f"{{ {family.lower()} | {short} }}"
    dotted = version if " " in version else f"{version} [ 0 ]"
    for which, how in (("or-later", _LATER), ("only", _ONLY)):
        yield (
            f"{name}-{which}",
            (
                " ".join(
                    (
                        f"{_THIS} is free software [ licensed under ] {{ you can | you may }}"
                        " redistribute it and or modify it under the terms of the gnu",
                        f"{kind} public license as published by the free software foundation",
                        how.replace("{v}", dotted),
                        _filled(_WARRANTY, kind, dotted, file),
                        _filled(_DEBIAN, kind, dotted, file),
                    )
                ),
            ),
        )


def _filled(text: str, kind: str, version: str, file: str) -> str:
    text = text.replace("{{", "{").replace("}}", "}")
    return text.replace("{kind}", kind).replace("{v}", version).replace("{file}", file)


_DISCLAIMER = (
    "this { software | program } is provided @ as is and any { express | expressed } or implied"
    " warranties including but not limited to the implied warranties of merchantability and fitness"
    " for a particular purpose are disclaimed in no event shall @ be liable for any direct indirect"
    " incidental special exemplary or consequential damages including but not"
    " limited to procurement"
    " of substitute goods or services loss of use data or profits or business interruption however"
    " caused and on any theory of liability whether in contract strict liability or tort including"
    " negligence or otherwise arising in any way out of the use of this { software | program } even"
    " if advised of the possibility of such damage"
)
_BSD_2 = (
    "redistribution and use in source and binary forms with or without modification are permitted"
    " provided that the following conditions are met # redistributions of source code must retain"
    " the above copyright notice this list of conditions and the following disclaimer #"
    " redistributions in binary form must reproduce the above copyright notice in the documentation"
    f" and or other materials provided with the distribution {_DISCLAIMER}"
)
"""less and dos2unix: the second clause asks for the notice alone."""
_BSD_3_LBL = (
    "redistribution and use in source and binary forms with or without modification are permitted"
    " provided that the following conditions are met # redistributions of source code must retain"
    " the above copyright notice this list of conditions and the following disclaimer #"
    " redistributions in binary form must reproduce the above copyright notice this list of"
    " conditions and the following disclaimer in the documentation and or other materials provided"
    " with the distribution # the names of the authors may not be used to endorse or promote"
    " products derived from this software without specific prior written permission this software"
    " is provided as is and without any express or implied warranties including without limitation"
    " the implied warranties of merchantability and fitness for a particular purpose"
)
"""libpcap and tcpdump."""
_BSD_3 = (
    "redistribution and use in source and binary forms with or without modification are permitted"
    " provided that the following conditions are met # redistributions of source code must retain"
    " the above copyright notice this list of conditions and the following disclaimer #"
    " redistributions in binary form must reproduce the above copyright notice this list of"
    " conditions and the following disclaimer in the documentation and or other materials provided"
    " with the distribution # the { name | names } of [ the ] { author | authors | copyright holder"
    " | copyright holders | @ } { may | must } not be used to endorse or promote products derived"
    f" from this software without [ specific ] prior [ written ] permission {_DISCLAIMER}"
)
"""libzip, and many whose holders are persons."""
_PERL = (
    "[ this ] { software | library | module | program | is free software } [ is free software ] you"
    " { can | may } redistribute it and or modify it under the same terms as { the perl 5"
    " programming language system itself | perl itself } [ terms of the perl programming language"
    " system itself # the gnu general public license as published by the free software foundation"
    " either version 1 or at your option any later version or # the artistic license ]"
)
"""What Dist::Zilla writes for Perl's own terms (perlartistic, perlgpl)."""
_APACHE = (
    "licensed under the apache license version 2 0 the license you may not use { this | these }"
    " { file | files | software | work } except in compliance with the license you"
    " may obtain a copy"
    " of the license at http www apache org licenses license2 0 [ txt ] unless required by"
    " applicable law or agreed to in writing software distributed under the license"
    " is distributed on"
    " an as is basis without warranties or conditions of any kind either express or implied see the"
    " license for the specific language governing permissions and limitations under the license"
    " [ on debian systems the { complete | full } text of the apache license version 2 0"
    " { can be found | is } in [ the file ] usr share commonlicenses apache2 0 ]"
)
_MPL = (
    "this source code form is subject to the terms of the mozilla public license v 2 0 if a copy of"
    " the mpl was not distributed with this file you can obtain one at http { www | } mozilla org"
    " mpl 2 0"
)
_JQ = (
    "jqs documentation everything found under the docs subdirectory in the source tree is licensed"
    " under the creative commons cc by 3 0 license which can be found at http creativecommons org"
    " licenses by 3 0 [ the documentation website includes a copy of twitters {"
    " boostrap | bootstrap }"
    " and relies on bonsai liquid templates and various other projects look them up for detailed"
    " licensing conditions ]"
)
"""jq; what its website relies on is not in its tarball."""
_IPERF = (
    "[ iperf performance test @ [ @ ] http www ncsa uiuc edu ] permission is hereby"
    " granted free of charge to any person obtaining a copy of this software"
    " iperf and associated documentation files the software to deal in the software without"
    " restriction including without limitation the rights to use copy modify merge"
    " publish distribute"
    " sublicense and or sell copies of the software and to permit persons to whom the software is"
    " furnished to do so subject to the following conditions redistributions of source code must"
    " retain the above copyright notice this list of conditions and the following disclaimers"
    " redistributions in binary form must reproduce the above copyright notice this list of"
    " conditions and the following disclaimers in the documentation and or other materials provided"
    " with the distribution neither the names of @ nor the names of its contributors may be used to"
    " endorse or promote products derived from this software without specific prior written"
    " permission the software is provided as is without warranty of any kind express or implied"
    " including but not limited to the warranties of merchantability fitness for a particular"
    " purpose and noninfringement in no event shall the { contibutors | contributors } or copyright"
    " { holders | holder } be liable for any claim damages or other liability"
    " whether in an action of"
    " contract tort or otherwise arising from out of or in connection with the software or the use"
    " or other dealings in the software"
)
CREATIVE_COMMONS = (
    "creative commons corporation creative commons is not a law firm and does not provide legal "
    "services or legal advice distribution of creative commons public licenses does not create a "
    "lawyerclient or other relationship creative commons makes its licenses and related "
    "information available on an asis basis creative commons gives no warranties regarding its "
    "licenses any material licensed under their terms and conditions or any related information "
    "creative commons disclaims all liability for damages resulting from their use to the fullest "
    "extent possible using creative commons public licenses creative commons public licenses "
    "provide a standard set of terms and conditions that creators and other rights holders may "
    "use to share original works of authorship and other material subject to copyright and "
    "certain other rights specified in the public license below the following considerations are "
    "for informational purposes only are not exhaustive and do not form part of our licenses "
    "considerations for licensors our public licenses are intended for use by those authorized to "
    "give the public permission to use material in ways otherwise restricted by copyright and "
    "certain other rights our licenses are irrevocable licensors should read and understand the "
    "terms and conditions of the license they choose before applying it licensors should also "
    "secure all rights necessary before applying our licenses so that the public can reuse the "
    "material as expected licensors should clearly mark any material not subject to the license "
    "this includes other cclicensed material or material used under an exception or limitation to "
    "copyright more considerations for licensors wiki creativecommons org considerations for "
    "licensors considerations for the public by using one of our public licenses a licensor "
    "grants the public permission to use the licensed material under specified terms and "
    "conditions if the licensors permission is not necessary for any reasonfor example because of "
    "any applicable exception or limitation to copyrightthen that use is not regulated by the "
    "license our licenses grant only permissions under copyright and certain other rights that a "
    "licensor has authority to grant use of the licensed material may still be restricted for "
    "other reasons including because others have copyright or other rights in the material a "
    "licensor may make special requests such as asking that all changes be marked or described "
    "although not required by our licenses you are encouraged to respect those requests where "
    "reasonable more considerations for the public wiki creativecommons org considerations for "
    "licensees "
)
"""What stands above Creative Commons' own plain texts, by which nothing is licensed."""
