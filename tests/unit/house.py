"""The plan of the house: every package of toolsync, what it may import, and its modules.

Imports run one way, from the bottom of this table to its top; a stage never imports another.
A module that is not named here fails the test of boundaries: say where a new one belongs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Package:
    """A folder of toolsync."""

    may_import: str
    """The other packages that its modules may import, by name."""
    modules: str
    """All of its modules, by name."""


PACKAGES = {
    "model": Package(
        "",
        "engine errors judgment linear meanings patterns plan release text values versions words",
    ),
    "system": Package(
        "model",
        "account activated apt architectures board bucket builder cachestore clock confined "
        "deadline distro door dput effort fence fleetstore forks git gitclone gpg gpghome gpgkeys "
        "gpgpackets gpgstatus "
        "headers isolation journald launchpad launchpadhttp launchpadlogin launchpadvalues "
        "lock mail memory mirror private programs promise readable reader remote run sandbox "
        "seccomp secret signing space ssh stop store subreaper testproxy underway user work",
    ),
    "config": Package(
        "model system",
        "asking consistency definition keys later licensing mended packaging plainschema record "
        "schema series settings supported",
    ),
    "archives": Package(
        "model system config",
        "body compare differ entries extract guard lzip member streams tarball tree zipball "
        "zipdirectory",
    ),
    "gate": Package(
        "model system config archives",
        "binding compat gates license record",
    ),
    "journal": Package(
        "model system config gate",
        "accounts ahead connections copying database decisions evidence followed identity imports "
        "journal judgments key keydates leases leaves log messages migrations noted origins pages "
        "postgres postgresschema publications redate releases results rows runs sqlite states "
        "statuses uploads",
    ),
    "http": Package(
        "model system",
        "addresses answer client download egress failures ftp hosts quotas redirects retries "
        "statuses translation transport",
    ),
    "watch": Package(
        "model system config http archives",
        "addresses candidates feed forge git github graphql html index jsonpage kept kind kinds "
        "listing look named naming npm ordering pages pipindex probe reading s3 selecting text "
        "together told",
    ),
    "watchfile": Package(
        "model system config http watch",
        "bundle entries faults folder kind lines locate pages parse perl plans rules source "
        "templates words",
    ),
    "fetch": Package(
        "model system config http",
        "partial stage",
    ),
    "verify": Package(
        "model system config archives",
        "alone beside bundles checksum digests file method methods minisign openpgp pins refusal "
        "signify sigstore ssh stage sumlines sumtables tag trust watch",
    ),
    "unpack": Package(
        "model system config archives",
        "choice compress doubles exclusions orig repack stage stated",
    ),
    "binding": Package(
        "model system config gate",
        "gate stated",
    ),
    "license": Package(
        "model system config archives gate",
        "bundled change compare components dep5 detect found gate hints identify known "
        "machinereadable metadata names normalise notice policy reading report scan shortnames "
        "sidebyside spdx template terms texts titles trees walk wording worddiff",
    ),
    "scaffold": Package(
        "model system config license",
        "compiled go libraries metadata node perl python ready ruby rust system systems terms tree "
        "write",
    ),
    "package": Package(
        "model system config",
        "changelog continued floors hunks mended needless patches placeholders pyproject settler "
        "stage wording workspace",
    ),
    "build": Package(
        "model system config",
        "again archives autopkgtest backend backends chroot chrootdoctor complaint difference "
        "foreign host job keyrings lint mapping needs packages relations sbuild stage variation",
    ),
    "compat": Package(
        "model system config archives gate",
        "archives change commands compare compiled deb examine files further gate golang helptext "
        "java metadata models options policy probe python reading ruby runtimes shell surface "
        "transition verdict",
    ),
    "publish": Package(
        "model system config http archives",
        "archivekeys byhash changes checked copying distributions follow generations index "
        "inspector intact keyring kind local openlocal openppa origs ppa ppadoctor ppapackage "
        "ppastate preflight rebuild reprepro sending served settling snapshots "
        "sourceupload target targets",
    ),
    "git": Package(
        "model system config http",
        "answers bringing forge forgejo forges github gitlab importer place proposing text",
    ),
    "attest": Package(
        "model system config journal archives gate verify unpack binding license",
        "again audit check envelope inclusion keep logaudit logged logserved merkle note record "
        "sbom statement tiles",
    ),
    "fleet": Package(
        "model system config http archives watch license build compat",
        "broker build built changes checks contents coordinator givenup kind kinds look overview "
        "politeness scan surface termbounds worker",
    ),
    "pipeline": Package(
        "model system config journal http archives gate watch watchfile fetch verify unpack "
        "binding license package build compat publish git attest fleet",
        "accepted ahead archivekey asked asserved belonging bringing building changes context "
        "approvals deliver dispatch earlier "
        "eligible elsewhere gates imports keydates leasing locate loghead memory nearer obtain "
        "origins outcome places promote proposals rebuilds recalls review road schedule scheduler "
        "sources stages status survey sync transparency work workers workspace",
    ),
    "report": Package(
        "model system config journal http attest pipeline",
        "channel channels chart columns feed lag listing mail message metrics news page post "
        "sentences site toolpage uploads webhook why",
    ),
    "setup": Package(
        "model system config gate watch watchfile verify build publish report",
        "cachefile kept settings tools",
    ),
    "adopt": Package(
        "model system config http archives watch watchfile fetch verify unpack license "
        "scaffold package build compat pipeline setup",
        "add adopt adoption bases contained definition finding follow inside lintian nearest "
        "offered opened packaging propose successor trial vouched written",
    ),
    "maintain": Package(
        "model system config journal verify build publish git attest fleet pipeline report "
        "setup adopt",
        "backup doctor errand errands forpages gc keeping keylife listed overview plan proposing "
        "repair restore retire scrub scrubbed secretfiles service standingsfile work",
    ),
    "web": Package(
        "model system config gate journal archives watchfile unpack verify license build compat "
        "publish attest pipeline report setup adopt maintain",
        "acting api app asking bringing comparing diffs doctoring entry errands guard health "
        "hearing history hooks lists login now openapi overview people problems request retired "
        "review routes server setup tool words",
    ),
    "cli": Package(
        "model system config gate journal archives watchfile unpack verify license build compat "
        "publish attest fleet pipeline report setup adopt maintain web",
        "add adopt approve archive audit backup check compat completion decision differences "
        "doctor errand evidence fetch fleet gc journal keep key launchpad license log main manual "
        "page progress promote reject render repack restore retire review run scrub series serve "
        "session status sync user verify why worker workspace",
    ),
}

ALLOWED_BESIDES = {
    ("model.engine", "system"): "what matching may take is counted by the clock",
    ("gate.binding", "binding"): "a gate's record holds its function",
    ("gate.license", "license"): "a gate's record holds its function",
    ("gate.compat", "compat"): "a gate's record holds its function",
    ("watch.kinds", "watchfile"): "the table of kinds of pages holds its record",
}
"""Single modules that may import one package more, each with the reason."""

PRIVATE: set[tuple[str, str]] = set()
"""What is imported of the standard library's private modules."""

WORLD = {
    "network, programs and keys": (
        {
            "boto3",
            "botocore",
            "requests",
            "urllib3",
            "subprocess",
            "socket",
            "ssl",
            "gnupg",
            "http",
            "smtplib",
        },
        {"system", "http"},
    ),
    "the clock": ({"time"}, {"system", "http"}),
    "SQL": ({"sqlite3", "psycopg"}, {"journal"}),
    "the terminal": ({"click", "rich"}, {"cli"}),
    "a web application": ({"flask", "waitress", "werkzeug"}, {"web"}),
}
"""Outside modules that only some packages may import."""
