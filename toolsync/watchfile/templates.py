"""Templates of watch files, version 5: a forge or registry named in two words, written out.

Their addresses follow from what the maintainer names (Dist, Owner and Project), and for
registries from what this machine is set up for; nothing here names a registry.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

from toolsync.model.errors import SetupError
from toolsync.watch.pipindex import index_url

_FORMS = {"": "@ANY_VERSION@", "any": "@ANY_VERSION@", "semantic": "@SEMANTIC_VERSION@",
          "stable": "@STABLE_VERSION@"}  # fmt: skip


def expanded(fields: dict[str, str]) -> dict[str, str]:
    """Return a paragraph's fields with its template written out; its own fields win.

    Raises SetupError for a template that is not known, or that lacks what it needs.
    """
    name = fields.get("template", "").lower()
    if not name:
        return dict(fields)
    template = _TEMPLATES.get(name)
    if template is None:
        raise SetupError(
            f"debian/watch uses the template {fields['template']!r}; known are "
            f"{', '.join(sorted(_TEMPLATES))}",
            resolution="Write Source and Matching-Pattern out instead.",
        )
    made = template(fields)
    used = ("template", "dist", "owner", "project", "versiontype", "customversion", "releaseonly")
    return made | {key: value for key, value in fields.items() if key not in used}


def _form(fields: Mapping[str, str]) -> str:
    kind = fields.get("versiontype", "").lower().removesuffix("_version")
    form = fields.get("customversion") or _FORMS.get(kind)
    if form is None:
        raise _lacking(
            f"has Version-Type {kind!r}", "ANY_VERSION, SEMANTIC_VERSION or STABLE_VERSION"
        )
    return form.replace("[-_]?", "")


def _forge(fields: Mapping[str, str], host: str) -> tuple[str, str, str]:
    """Return host, owner and project as Dist or Owner and Project name them."""
    dist = fields.get("dist", "").strip().rstrip("/").removesuffix(".git")
    match = re.fullmatch(r"(?:https?://)?(?:([\w.:-]+\.[\w.:-]+)/)?([\w./-]+)/([\w.-]+)", dist)
    if match:
        return match[1] or host, match[2], match[3]
    owner, project = fields.get("owner", ""), fields.get("project", "")
    if not owner:
        raise _lacking("names no project", "Dist, or Owner and Project")
    return host, owner, project or "@PACKAGE@"


def _github(fields: dict[str, str]) -> dict[str, str]:
    host, owner, project = _forge(fields, "github.com")
    named = {
        "filenamemangle": r"s%.*?@ANY_VERSION@(?:\.tar\.gz)?$%@PACKAGE@-$1.tar.gz%",
        "pgpmode": "none",
        "uversionmangle": "auto",
    }
    api = f"https://api.{host}/repos/{owner}/{project}"
    if fields.get("releaseonly", "").lower() in ("yes", "true", "1"):
        return named | {
            "source": f"{api}/releases",
            "searchmode": "plain",
            "matchingpattern": rf"{api}/tarball/(?:[^\"/]*?[-_])?{_form(fields)}(?=\")",
        }
    return named | {
        "source": f"{api}/git/matching-refs/tags/",
        "searchmode": "plain",
        "matchingpattern": rf"{api}/git/refs/tags/(?:[^\"/]*?[-_])?{_form(fields)}(?=\")",
        "downloadurlmangle": "s%/git/refs/%/tarball/refs/%",
    }


def _gitlab(fields: dict[str, str]) -> dict[str, str]:
    host, owner, project = _forge(fields, "gitlab.com")
    path = f"{owner}/{project}".replace("/", "%2F")
    return {
        "source": f"https://{host}/api/v4/projects/{path}/repository/tags?per_page=100",
        "searchmode": "plain",
        "matchingpattern": rf"(?<=\"name\":\")(?:[^\"/]*?[-_])?{_form(fields)}(?=\")",
        "downloadurlmangle": rf"s%^.*/([^/]+)$%https://{host}/{owner}/{project}/-/archive/"
        rf"$1/{project}-$1.tar.gz%",
        "filenamemangle": r"s%^.*?@ANY_VERSION@$%@PACKAGE@-$1.tar.gz%",
        "pgpmode": "none",
        "uversionmangle": "auto",
    }


def _pypi(fields: dict[str, str]) -> dict[str, str]:
    project = fields.get("dist") or fields.get("project") or "@PACKAGE@"
    name = re.sub(r"[-_.]+", "[-_.]+", project)
    plain = re.sub(r"[-_.]+", "-", project).lower()
    return {
        "source": f"{index_url()}{plain}/",
        "matchingpattern": rf"(?i:.*/)?(?i:{name}){_form(fields)}(?:\.tar\.gz|\.zip)(?:#.*)?",
        "uversionmangle": "auto",
        "pgpmode": "none",
    }


def _npm(fields: dict[str, str]) -> dict[str, str]:
    name = fields.get("dist") or fields.get("project") or "@PACKAGE@"
    registry = os.environ.get("NPM_CONFIG_REGISTRY", "").rstrip("/")
    if not registry:
        raise _lacking("needs a registry", "NPM_CONFIG_REGISTRY in the environment")
    leaf = name.rpartition("/")[2]
    return {
        "source": f"{registry}/{name.replace('/', '%2F') if name[0] == '@' else name}",
        "searchmode": "plain",
        "matchingpattern": rf"https?://[^\"\s]*/{leaf}-{_form(fields)}\.tgz",
        "uversionmangle": "auto",
        "pgpmode": "none",
    }


def _lacking(found: str, wanted: str) -> SetupError:
    return SetupError(
        f"debian/watch: the template {found}; wanted: {wanted}",
        resolution="Add it to the paragraph of the template.",
    )


_TEMPLATES: Mapping[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "github": _github,
    "gitlab": _gitlab,
    "npmregistry": _npm,
    "pypi": _pypi,
}
