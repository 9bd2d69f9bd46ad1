"""Settings and tools: every fault at once, by file and key; nothing passes by a typing error."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from debian.deb822 import Deb822

from tests.support.tiny import write_tool
from toolsync.config.settings import Local, shipped
from toolsync.model.errors import SetupError, UsageError
from toolsync.publish.targets import TARGETS
from toolsync.setup.settings import load_config
from toolsync.setup.tools import load_tool, load_tools
from toolsync.verify.methods import METHODS
from toolsync.watch.kinds import KINDS


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    config = load_config(write(tmp_path / "toolsync.toml", ""), tmp_path / "state")
    system = Deb822(Path("/etc/os-release").read_text().replace("=", ": "))
    own = system.get("VERSION_CODENAME", "bookworm").strip('"')
    assert (config.target, config.series, config.build.backend) == ("local", (own,), "sbuild")
    assert config.archive == tmp_path / "state" / "archive"
    assert (config.jobs, config.per_host) == (64, 4)


def test_settings_pass_to_a_process_that_shares_nothing(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text('target = "ppa:me/tools"\n')
    config = load_config(tmp_path / "t.toml", tmp_path)
    assert pickle.loads(pickle.dumps(config)).ppa == config.ppa


def test_records_pass_to_a_process_that_shares_nothing() -> None:
    """A tool and the settings hold some of them."""
    for record in (*KINDS.values(), *METHODS.values(), *TARGETS.values()):
        assert pickle.dumps(record)


def test_all_faults_are_told_at_once_with_file_and_key(tmp_path: Path) -> None:
    text = (
        'target = "ftp"\nseries = []\nspeed = 3\n[http]\ntimeout = "long"\n[build]\nbackend = 1\n'
    )
    file = write(tmp_path / "toolsync.toml", text)
    with pytest.raises(SetupError) as caught:
        load_config(file, None)
    told = str(caught.value)
    assert str(file) in told
    assert "6 faults" in told
    for key in ("target", "series", "speed", "http.timeout", "build.backend"):
        assert key in told
    assert "local, or ppa:OWNER/NAME" in told  # what was wanted
    assert caught.value.exit_status == 5


def test_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    file = write(tmp_path / "toolsync.toml", "target = 'local'\n\nseries = = 1\n")
    with pytest.raises(SetupError, match=r"not TOML.*line 3"):
        load_config(file, None)


def test_a_missing_file_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        load_config(tmp_path / "none.toml", None)
    assert "--config" in caught.value.resolution


def test_all_faults_of_a_tool_are_told_at_once(tmp_path: Path) -> None:
    toml = (
        'summary = 1\n[watch]\nkind = "gopher"\npatern = "x"\n'
        '[verify]\nkeys = ["ABCD"]\n[verify.pins]\n"1" = "short"\n'
    )
    write(tmp_path / "thing" / "tool.toml", toml)
    with pytest.raises(SetupError) as caught:
        load_tool(tmp_path / "thing")
    told = str(caught.value)
    for key in ("summary", "homepage", "watch.kind", "patern", "verify.keys.0", "verify.pins.1"):
        assert key in told
    assert "full fingerprints" in told


def test_faults_that_a_schema_cannot_see_are_told_together(tmp_path: Path) -> None:
    toml = (
        'summary = "x"\nhomepage = "https://x.example"\n[watch]\nkind = "s3"\npattern = "a(b"\n'
        '[verify]\nmethod = "openpgp"\n'
    )
    write(tmp_path / "thing" / "tool.toml", toml)
    with pytest.raises(SetupError) as caught:
        load_tool(tmp_path / "thing")
    told = str(caught.value)
    for part in (
        "watch.url: missing",
        "no regular expression",
        "verify.signature",
        "debian/control",
    ):
        assert part in told


def test_a_pattern_without_a_version_is_a_fault(tmp_path: Path) -> None:
    folder = write_tool(tmp_path, "http://x.example/", "1.0")
    text = (folder / "tool.toml").read_text()
    (folder / "tool.toml").write_text(text.replace("(?P<version>", "("))
    with pytest.raises(SetupError, match=r"no group \(\?P<version>"):
        load_tool(folder)


def test_a_list_that_nobody_signs_needs_a_reason_and_no_key(tmp_path: Path) -> None:
    sums = '[verify]\nmethod = "checksums"\nchecksums = "{dir}/SUMS"\nunsigned = true\n'
    folder = write_tool(tmp_path, "http://x.example/", toml=sums + 'reason = "why"\n')
    assert load_tool(folder).verify.own == {"unsigned": True, "reason": "why"}
    for more, words in {
        "": "verify.reason: missing",
        'reason = " "\n': "verify.reason: missing",
        f'reason = "why"\nkeys = ["{"A" * 40}"]\n': "verify.unsigned: contradicts verify.keys",
    }.items():
        folder = write_tool(tmp_path, "http://x.example/", toml=sums + more)
        with pytest.raises(SetupError, match=words):
            load_tool(folder)


def test_words_in_braces_that_mean_nothing_are_told(tmp_path: Path) -> None:
    for given, words in {
        'signature = "{file}.asc"': r"verify.signature: nothing is put in the place of \{file\}",
        'signature = "{url.asc"': "verify.signature: '{url.asc' has braces that mean nothing",
        'checksums_signature = "{0}"': r"known are \{url\}, .* \{sha256\}, \{checksums\}",
    }.items():
        toml = f'[verify]\nmethod = "pins"\n{given}\n'
        with pytest.raises(SetupError, match=words):
            load_tool(write_tool(tmp_path, "http://x.example/", toml=toml))


def test_the_faults_of_several_tools_are_told_and_the_others_go_on(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / "tools" / name / "tool.toml", "summary = 1\n")
    config = load_config(write(tmp_path / "toolsync.toml", ""), tmp_path)
    tools, faults = load_tools(config, ("one", "two", "awscli"))
    assert [tool.name for tool in tools] == ["awscli"]
    assert set(faults) == {"one", "two"}
    assert "one/tool.toml" in str(faults["one"])


def test_the_operators_tool_wins_over_the_shipped_one(tmp_path: Path) -> None:
    write_tool(tmp_path / "tools", "http://mine.example/", "1.0", name="awscli")
    config = load_config(write(tmp_path / "toolsync.toml", ""), tmp_path)
    (tool,), _ = load_tools(config, ("awscli",))
    assert tool.watch.url == "http://mine.example/"


def test_an_unknown_tool_lists_those_that_exist(tmp_path: Path) -> None:
    config = load_config(write(tmp_path / "toolsync.toml", ""), tmp_path)
    with pytest.raises(UsageError, match=r"no tool named nosuch.*awscli"):
        load_tools(config, ("nosuch",))


def test_every_shipped_tool_is_whole() -> None:
    tools = sorted(path.parent for path in (shipped() / "tools").glob("*/tool.toml"))
    names = {tool.name for tool in tools}
    assert names >= {
        *("awscli", "aws-cli", "ec2-ami-tools", "ec2-api-tools", "euca2ools"),
        *("amazon-ec2-utils", "ec2-instance-connect", "amazon-efs-utils"),
    }
    for folder in tools:
        tool = load_tool(folder)
        assert tool.verify.method, f"{tool.name} declares no verification"
        assert len(tool.verify.keys) <= len(tool.keyring), f"{tool.name} pins a key it lacks"
        for name in ("control", "rules", "copyright", "source/format", "tests/control"):
            assert (tool.debian / name).is_file(), f"{tool.name}: debian/{name}"
        assert not (tool.debian / "changelog").exists(), "toolsync writes the changelog"


def test_the_packaging_digest_sees_contents_names_and_modes(tmp_path: Path) -> None:
    folder = write_tool(tmp_path, "http://x.example/", "1.0")
    first = load_tool(folder).packaging_digest()
    assert load_tool(folder).packaging_digest() == first
    (folder / "debian" / "install").chmod(0o755)
    second = load_tool(folder).packaging_digest()
    (folder / "debian" / "extra").write_text("")
    third = load_tool(folder).packaging_digest()
    assert len({first, second, third}) == 3


def test_architectures_are_such_as_dpkg_knows(tmp_path: Path) -> None:
    def local(text: str) -> Local:
        path = write(tmp_path / "toolsync.toml", f"[local]\n{text}\n")
        return load_config(path, tmp_path / "state").local

    assert local("").architectures == ()
    assert local('architectures = ["amd64", "i386"]').architectures == ("amd64", "i386")
    assert local('architectures = ["arm64"]\ntogether = true').together
    for wrong in ("x86", "all", "any", "source"):
        with pytest.raises(SetupError, match=f"'{wrong}' is no architecture that dpkg knows"):
            local(f'architectures = ["amd64", "{wrong}"]')
    with pytest.raises(SetupError, match="one is named twice"):
        local('architectures = ["amd64", "amd64"]')
