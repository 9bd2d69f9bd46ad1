"""The part of Launchpad's API (version devel) that is used here, as one table.

It says which attributes, links and operations each type of resource has, by the names of
Launchpad's API documentation; `launchpad_wadl` makes the WADL of it. What is not there is not
there in Launchpad either: how full a PPA is (its ``estimated_size``) is shown on its page alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

POCKETS = ("Release", "Security", "Updates", "Proposed", "Backports")
PUBLICATION_STATES = ("Pending", "Published", "Superseded", "Deleted", "Obsolete")
SERIES_STATES = (
    *("Experimental", "Active Development", "Pre-release Freeze", "Current Stable Release"),
    *("Supported", "Obsolete", "Future"),
)
BUILD_STATES = (
    "Needs building",
    "Successfully built",
    "Failed to build",
    "Dependency wait",
    "Chroot problem",
    "Build for superseded Source",
    "Currently building",
    "Failed to upload",
    "Uploading build",
    "Cancelling build",
    "Cancelled build",
    "Gathering build output",
)
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "pocket": POCKETS,
    "status": PUBLICATION_STATES,
    "build_state": BUILD_STATES,
}


@dataclass(frozen=True)
class Operation:
    """A named operation; parameters that end with * are required."""

    params: str = ""
    returns: str = ""
    """A type for an entry, TYPE-page for a collection, empty for plain JSON."""
    method: str = "GET"

    def names(self) -> dict[str, bool]:
        """Return the parameters, each with whether it is required."""
        return {word.rstrip("*"): word.endswith("*") for word in self.params.split()}


@dataclass(frozen=True)
class Kind:
    """A type of entry: plain attributes, links to entries (NAME:TYPE), to collections, operations.

    Attributes whose names start or end with ``date`` are moments.
    """

    attributes: str
    links: str = ""
    collections: str = ""
    operations: Mapping[str, Operation] | None = None
    page: bool = True
    """Whether people can look at it: whether there is a ``web_link``."""

    def operation(self, name: str) -> Operation | None:
        return (self.operations or {}).get(name)


_PUBLICATION = (
    "component_name date_created date_made_pending date_published date_removed"
    " date_superseded display_name pocket removal_comment scheduled_deletion_date section_name"
    " source_package_name source_package_version status"
)
_SPPH, _BPPH = "source_package_publishing_history", "binary_package_publishing_history"
_ORDER = "created_since_date component_name order_by_date order_by_date_ascending"
_COPY = (
    "from_archive* to_pocket* to_series include_binaries sponsored unembargo auto_approve"
    " silent from_series"
)

KINDS: Mapping[str, Kind] = {
    "person": Kind(
        "name display_name is_team is_valid private",
        collections="gpg_keys:gpg_key ppas:archive",
        operations={"getPPAByName": Operation("distribution name*", "archive")},
    ),
    "team": Kind(
        "name display_name is_team is_valid private",
        collections="gpg_keys:gpg_key ppas:archive members:person",
        operations={"getPPAByName": Operation("distribution name*", "archive")},
    ),
    "gpg_key": Kind("fingerprint keyid"),
    "archive": Kind(
        "authorized_size build_debug_symbols description displayname name"
        " permit_obsolete_series_uploads private publish reference require_virtualized"
        " signing_key_fingerprint status",
        links="distribution:distribution owner:person",
        collections="processors:processor",
        operations={
            "getPublishedSources": Operation(
                "source_name version status distro_series pocket exact_match " + _ORDER,
                f"{_SPPH}-page",
            ),
            "getPublishedBinaries": Operation(
                "binary_name version status distro_arch_series pocket exact_match ordered "
                + _ORDER,
                f"{_BPPH}-page",
            ),
            "getBuildRecords": Operation("source_name build_state pocket", "build-page"),
            "getBuildSummariesForSourceIds": Operation("source_ids*"),
            "getBuildCounters": Operation("include_needsbuild"),
            "getSigningKeyData": Operation(),
            "checkUpload": Operation(
                "person* distroseries* sourcepackagename* component* pocket* strict_component"
            ),
            "getUploadersForPackage": Operation("source_package_name*", "archive_permission-page"),
            "getPermissionsForPerson": Operation("person*", "archive_permission-page"),
            "copyPackage": Operation(
                f"source_name* version* {_COPY} from_pocket phased_update_percentage move",
                method="POST",
            ),
            "copyPackages": Operation(f"source_names* {_COPY}", method="POST"),
        },
    ),
    "archive_permission": Kind(
        "permission component_name source_package_name package_set_name pocket date_created",
        links="archive:archive person:person",
        page=False,
    ),
    _SPPH: Kind(
        _PUBLICATION,
        links="archive:archive distro_series:distro_series package_signer:person"
        " copied_from_archive:archive creator:person",
        operations={
            "getBuilds": Operation(returns="build-page"),
            "getPublishedBinaries": Operation("active_binaries_only", f"{_BPPH}-page"),
            "sourceFileUrls": Operation("include_meta"),
            "binaryFileUrls": Operation(),
            "changesFileUrl": Operation(),
            "requestDeletion": Operation("removal_comment", method="POST"),
        },
        page=False,
    ),
    _BPPH: Kind(
        _PUBLICATION + " architecture_specific binary_package_name binary_package_version"
        " is_debug phased_update_percentage priority_name",
        links="archive:archive distro_arch_series:distro_arch_series build:build"
        " copied_from_archive:archive creator:person",
        operations={"binaryFileUrls": Operation("include_meta")},
        page=False,
    ),
    "build": Kind(
        "arch_tag build_log_url buildstate can_be_cancelled can_be_rescored can_be_retried"
        " changesfile_url datebuilt date_first_dispatched datecreated dependencies pocket score"
        " source_package_name source_package_version title upload_log_url",
        links=f"archive:archive distribution:distribution current_source_publication:{_SPPH}",
    ),
    "distribution": Kind(
        "name display_name active",
        collections="series:distro_series archives:archive",
        links="main_archive:archive current_series:distro_series",
        operations={
            "getSeries": Operation("name_or_version*", "distro_series"),
            "getArchive": Operation("name*", "archive"),
        },
    ),
    "distro_series": Kind(
        "active date_created datereleased displayname fullseriesname name status supported"
        " title version",
        links="distribution:distribution nominatedarchindep:distro_arch_series",
        collections="architectures:distro_arch_series",
    ),
    "distro_arch_series": Kind(
        "architecture_tag display_name enabled is_nominated_arch_indep official"
        " supports_virtualized",
        links="distroseries:distro_series processor:processor",
    ),
    "processor": Kind("name title description build_by_default restricted", page=False),
}
ROOT = "people:people distributions:distributions archives:archives"
SETS: Mapping[str, tuple[str, Mapping[str, Operation]]] = {
    "people": ("person", {}),
    "distributions": ("distribution", {}),
    "archives": ("archive", {"getByReference": Operation("reference*", "archive")}),
}
"""The collections at the root: what each holds, and its own operations."""
