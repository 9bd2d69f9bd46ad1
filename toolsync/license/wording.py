"""A license text's words as the SPDX matching guidelines compare them.

Folded further than what is compared between releases (`normalise`): spellings that the guidelines
call equivalent, the Free Software Foundation's addresses, a form feed that was written as two
signs. What a text is follows from these words; what has changed in it does not.
"""

from __future__ import annotations

import re

from toolsync.license.normalise import words_of

_EQUIVALENT = """
acknowledgement acknowledgment  analogue analog  analyse analyze  artefact artifact
authorisation authorization  authorised authorized  cancelled canceled
capitalisations capitalizations  catalogue catalog  categorise categorize  centre center
emphasised emphasized  favour favor  favourite favorite  fulfil fulfill  fulfilment fulfillment
initialise initialize  judgment judgement  labelling labeling  labour labor  maximise maximize
merchantibility merchantability  modelled modeled  modelling modeling  offence offense
optimise optimize  organisation organization  organise organize  practise practice
programme program  realise realize  recognise recognize  signalling signaling
utilisation utilization  whilst while  wilful wilfull  owner holder  owners holders
noninfringment noninfringement  contributers contributors
"""
"""SPDX License List, equivalentwords.txt, and two usual slips; the second word of each is kept."""
_WORDS = _EQUIVALENT.split()
_SPELLED = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))
_JOINED = re.compile(r"\b(?:sub licens|per cent\b|non (?:commercial|infringement|exclusive)\b)")
_STREET = (
    r"(?:675 mass(?:achusetts)? ave(?:nue)?|59 temple pl(?:ace)?(?: suite 330)?"
    r"|51 franklin st(?:reet)?(?: (?:5th|fifth) floor| suite 500)?|31 milk st(?:reet)? 960789)"
)
_CITY = r"(?: (?:boston|cambridge))?(?: ma(?:ssachusetts)?)?(?: 02\d{3}(?: ?\d{4})?)?(?: usa?\b)?"
_ADDRESS = re.compile(rf"\b(?:{_STREET}{_CITY}|http (?:www )?fsf org)(?= |$)")
"""Where the Free Software Foundation was and is, as words."""
_GNU = re.compile(r"(?<=www gnu org )(?:copyleft|philosophy)\b")
_LEFT_OUT = re.compile(
    r"^[ \t]*+\^L|\$[A-Z][A-Za-z]{1,9}: [\w./-]{1,99},v [\d.]++ [\d/-]++ [\d:]++ \w++ \w++ \$"
    r"|^[-#/* \t]{0,8}(?:vile|vim?|ex):[ \t]?(?:set?"
    r" )?(?:(?:[a-z]{1,16}=\w{1,16}|[a-z]{1,12}mode)[ :\t]*){1,8}$"
    r"|<?[\w.+-]{1,64}+@[\w-]{1,64}(?:\.[\w-]{1,64}){1,5}>?",
    re.MULTILINE,
)
"""A form feed as two signs; what a version control or an editor reads; a mail address."""


def wording(text: str) -> list[str]:
    """Return a text's words without statements of copyright and addresses."""
    joined = " ".join(_SPELLED.get(word, word) for word in words_of(_LEFT_OUT.sub("", text)))
    joined = _JOINED.sub(lambda found: found[0].replace(" ", ""), joined)
    return _ADDRESS.sub("", _GNU.sub("licenses", joined)).split()
