"""Templates of watch files, version 5: a forge or registry named in two words, written out.

Their addresses follow from what the maintainer names (Dist, Owner and Project), and for
registries from what this machine is set up for, or from the package's own homepage, where that is
the registry; nothing here names one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from toolsync.model.errors import SetupError
from toolsync.watch.pipindex import index_url
from toolsync.watchfile.faults import fault

_FORMS = {"": "@ANY_VERSION@", "any": "@ANY_VERSION@", "semantic": "@SEMANTIC_VERSION@",
          "stable": "@STABLE_VERSION@"}  # fmt: skip

FIELDS = ("template", "dist", "owner", "project", "package", "versiontype", "customversion",
          "releaseonly")  # fmt: skip
"""What only a template reads."""


def expanded(fields: dict[str, str], homepage: str = "") -> dict[str, str]:
    """Return a paragraph's fields with its template written out; its own fields win.

    ``homepage`` is the package's own, empty if unknown. Raises SetupError for a template that is
    not known, or that lacks what it needs.
    """
    name = fields.get("template", "").lower()
    if not name:
        return dict(fields)
    template = _TEMPLATES.get(name)
    if template is None:
        raise fault(
            f"uses the template {fields['template']}, which is not known",
            f"Known are {', '.join(sorted(_TEMPLATES))}; or write Source and Matching-Pattern out",
        )
    made = template(fields | {"homepage": homepage})
    return made | {key: value for key, value in fields.items() if key not in FIELDS}


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


def _metacpan(fields: dict[str, str]) -> dict[str, str]:
    name = _named(fields, "dist").replace("::", "-")
    api = _registry(fields, "METACPAN_API", "metacpan", "https://fastapi.{}")
    return {
        "source": f"{api}/v1/release/_search?q=distribution:{name}"
        "&fields=version,download_url&size=500",
        "searchmode": "plain",
        "matchingpattern": rf"https?://[^\"\s]*/{re.escape(name)}{_form(fields)}@ARCHIVE_EXT@",
        "pgpmode": "none",
    }


def _cran(fields: dict[str, str]) -> dict[str, str]:
    name = _named(fields, "package")
    mirror = _registry(fields, "R_CRAN_WEB", "cran", "https://{}")
    return {
        "source": f"{mirror}/package={name}",
        "matchingpattern": rf".*/{re.escape(name)}_{_form(fields)}\.tar\.gz",
    }


def _bioconductor(fields: dict[str, str]) -> dict[str, str]:
    name = _named(fields, "package")
    mirror = _registry(fields, "BIOCONDUCTOR_MIRROR", "bioconductor", "https://{}")
    return {
        "source": f"{mirror}/packages/{name}",
        "matchingpattern": rf"(?:.*/)?{re.escape(name)}_{_form(fields)}\.tar\.gz",
        "downloadurlmangle": f"s%.*/src/contrib/%{mirror}/packages/release/bioc/src/contrib/%",
        "compression": "xz",
        "dversionmangle": r"s/\+dfsg[0-9]*//g",
        "repacksuffix": "+dfsg",
    }


def _named(fields: Mapping[str, str], key: str) -> str:
    name = fields.get(key) or fields.get("dist") or fields.get("project") or ""
    if not name:
        raise _lacking("names no project", key.capitalize())
    return name


def _registry(fields: Mapping[str, str], variable: str, name: str, form: str) -> str:
    """Return a registry's address: the machine's, or that of the package's homepage there."""
    host = urlsplit(fields["homepage"]).hostname or ""
    address = os.environ.get(variable) or (form.format(host) if name in host else "")
    if not address:
        raise _lacking(
            "needs the address of its registry",
            f"{variable} in the environment, or a Homepage at {name} in debian/control",
        )
    return address.rstrip("/")


def _lacking(found: str, wanted: str) -> SetupError:
    return fault(f"has a template that {found}", f"Wanted: {wanted}")


_TEMPLATES: Mapping[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "bioconductor": _bioconductor,
    "cran": _cran,
    "github": _github,
    "gitlab": _gitlab,
    "metacpan": _metacpan,
    "npmregistry": _npm,
    "pypi": _pypi,
}
