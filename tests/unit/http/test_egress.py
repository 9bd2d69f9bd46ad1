"""A page's words lead neither into this machine nor into its network."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.servers.web import Answer, Web
from tests.support.island import on_island
from tests.support.watching import tool_with
from toolsync.http.addresses import kind_of, literal
from toolsync.http.client import Http
from toolsync.model.errors import Hostile, Unreachable
from toolsync.watch.named import named_by

OUTSIDE = "http://203.0.113.5/dl/"


@pytest.fixture
def http() -> Iterator[Http]:
    gateway = Http(user_agent="test", timeout=3, retries=0)
    yield gateway
    gateway.close()


def named(http: Http, *pages: str, others: tuple[str, ...] = ()) -> Http:
    return http.dressed(named=lambda: (pages, others))


def body(http: Http, url: str) -> bytes | None:
    return http.page(url, limit=1000, seconds=5).body


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        *[(a, "loopback") for a in ("127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1")],
        *[(a, "loopback") for a in ("64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1")],
        *[(a, "link-local") for a in ("169.254.0.1", "fe80::1", "fe80::1%lo", "::ffff:a9fe:1")],
        *[(a, "private") for a in ("10.0.0.1", "172.31.255.1", "192.168.1.1", "100.64.0.1")],
        *[(a, "private") for a in ("100.127.255.255", "fd00::1", "fec0::1", "64:ff9b::a00:1")],
        *[(a, "private") for a in ("64:ff9b:1::808:808", "198.18.0.1", "2002:c0a8:101::1")],
        *[(a, "cloud-metadata") for a in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200")],
        *[(a, "cloud-metadata") for a in ("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe")],
        *[(a, "special-purpose") for a in ("0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "ff02::1")],
        *[(a, "special-purpose") for a in ("255.255.255.255", "240.0.0.1", "192.0.0.8")],
        *[(a, "") for a in ("1.1.1.1", "203.0.113.5", "100.128.0.1", "172.32.0.1", "11.0.0.1")],
        *[(a, "") for a in ("2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1")],
    ],
)  # fmt: skip
def test_addresses_are_told_by_their_registries(address: str, kind: str) -> None:
    assert kind_of(address) == kind


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1."]
)
def test_a_page_outside_does_not_lead_to_loopback_however_it_is_written(
    http: Http, web: Web, host: str
) -> None:
    web.serve("/", "secret")
    url = web.url.replace("127.0.0.1", host) + "/"
    with pytest.raises(Hostile, match=rf"203\.0\.113\.5/dl/ leads to {host.rstrip('.')}.*loopback"):
        body(named(http, OUTSIDE), url)
    assert web.asked == []
    assert literal(host) == "127.0.0.1"


@pytest.mark.parametrize("host", ["localhost", "x.localhost", "localhost."])
def test_a_page_outside_does_not_lead_to_localhost(http: Http, web: Web, host: str) -> None:
    web.serve("/", "secret")
    with pytest.raises(Hostile, match="loopback address"):
        body(named(http, OUTSIDE), web.url.replace("127.0.0.1", host) + "/")
    assert web.asked == []


def test_a_page_on_loopback_may_lead_to_loopback_and_no_further(http: Http, web: Web) -> None:
    with Web("127.0.0.2") as other:
        other.serve("/f", "here")
        web.redirect("/", other.url + "/f")
        assert body(named(http, web.url + "/page"), web.url + "/") == b"here"
    for address in ("169.254.169.254", "10.0.0.1", "[fd00:ec2::254]", "0.0.0.0", "[::ffff:a00:1]"):
        web.redirect("/", f"http://{address}/latest/meta-data/")
        with pytest.raises(Hostile, match=f"leads to .*{address.strip('[]')[:8]}"):
            body(named(http, web.url + "/page"), web.url + "/")
        with pytest.raises(Hostile, match="leads to"):  # nor where nobody named a page
            body(http, web.url + "/")


def test_a_download_and_a_conditional_page_are_judged_too(http: Http, web: Web) -> None:
    web.serve("/f", "secret", etag='"1"')
    with pytest.raises(Hostile, match="leads to"):
        named(http, OUTSIDE).download(
            web.url + "/f", lambda _: pytest.fail("written"), limit=10, seconds=5
        )
    assert web.asked == []


def test_a_connection_of_another_definition_is_judged_anew(http: Http, web: Web) -> None:
    """It was opened for one that may come here, and lies open for all."""
    web.serve("/", "secret")
    assert body(named(http, web.url), web.url + "/") == b"secret"
    with pytest.raises(Hostile, match="leads to"):
        body(named(http, OUTSIDE), web.url + "/")
    assert len(web.asked) == 1


def test_what_a_mirror_or_the_definition_names_is_allowed(web: Web) -> None:
    web.serve("/f", "here")
    http = Http(user_agent="test", retries=0, mirrors={"https://files.example/": web.url + "/"})
    assert body(named(http, "https://vendor.example/"), "https://files.example/f") == b"here"
    http.close()
    http = Http(user_agent="test", retries=0)
    assert body(named(http, "https://v.example/", others=(web.url,)), web.url + "/f") == b"here"
    http.close()


def test_a_page_on_https_does_not_link_to_http(http: Http, web: Web) -> None:
    page, link = "https://vendor.example/dl/", "http://me:secret@files.example/hello-1.tar.gz"
    with pytest.raises(Hostile, match=r"vendor\.example/dl/ leads from https to plain http"):
        body(named(http, page), link)
    with pytest.raises(Hostile, match=r": http://files.example/hello-1.tar.gz"):
        body(named(http, page), link)
    web.serve("/f", "here")
    assert body(named(http, page, others=(web.url + "/{version}",)), web.url + "/f") == b"here"


def test_with_a_proxy_figures_are_judged_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with Web() as proxy:
        proxy.serve_rest(lambda asked: Answer("by proxy"))
        proxy.serve_by(
            "http://vendor.example/away",
            lambda asked: Answer(status=302, headers={"Location": "http://127.0.0.1/admin"}),
        )
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        http = Http(user_agent="test", timeout=3, retries=0)
        outside = named(http, "http://vendor.example/")
        assert body(outside, "http://vendor.example/") == b"by proxy"  # the operator's own
        for url in ("http://vendor.example/away", "http://10.0.0.1/", "http://0x7f.1/"):
            with pytest.raises(Hostile, match=r"http://vendor.example/\S* leads to"):
                body(outside, url)
        assert [asked.path for asked in proxy.asked] == [
            "http://vendor.example/",
            "http://vendor.example/away",
        ]
        http.close()


def test_a_definition_names_its_own_addresses() -> None:
    tool = tool_with(
        kind="html", url="https://v.example/dl/", file_url="http://f.example/{version}"
    )
    assert [list(each) for each in named_by(tool)] == [
        ["https://v.example/dl/"],
        ["http://f.example/{version}"],
    ]
    text = "version=4\nopts=x=s,a,http://m.example/b, \\\n https://w.example/d/ w-(.+)\\.gz\n"
    assert list(named_by(tool_with(kind="watch", text=text))[0])[:2] == [
        "http://m.example/b",
        "https://w.example/d/",
    ]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_that_does_not_resolve_is_said_in_words_alone(http: Http, scheme: str) -> None:
    with pytest.raises(Unreachable) as failed:
        body(http, f"{scheme}://no-such-host.invalid/")
    said = str(failed.value)
    assert "could not be reached: Failed to resolve 'no-such-host.invalid'" in said
    assert "(host=" not in said
    assert "object at" not in said


def test_a_port_that_nobody_serves_is_said_in_words_alone(http: Http) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(Unreachable, match=r"could not be reached: [^(]*: \[Errno 111\]"):
            body(http, url)


# with names and addresses that are really outside

PRELUDE = """
from tests.servers.web import Web
from tests.support.island import *
from toolsync.http.client import Http
from toolsync.model.errors import ToolsyncError

http = Http(user_agent="test", timeout=3, retries=0)

def ask(url, *pages):
    client = http.dressed(named=lambda: (pages, ())) if pages else http
    try:
        print((client.page(url, limit=1000, seconds=5).body or b"").decode())
    except ToolsyncError as error:
        print(type(error).__name__, error)
"""


def test_a_page_that_is_really_outside_leads_nowhere_inside() -> None:
    said = on_island(
        PRELUDE
        + """
with Web(PUBLIC) as page, Web(ELSEWHERE) as other:
    other.serve("/", "elsewhere")
    page.redirect("/", other.url + "/")
    ask(page.url + "/", page.url)
    for address in ("127.0.0.1", OFFICE, METADATA, "100.64.0.9"):
        with Web(address) as inside:
            inside.serve("/", "secret")
            page.redirect("/", inside.url + "/")
            ask(page.url + "/")
            ask(inside.url + "/", page.url)
            assert inside.asked == []
with Web(OFFICE) as page, Web("100.64.0.9") as other:
    other.serve("/", "the office's")
    ask(other.url + "/", page.url)
"""
    ).splitlines()
    assert said[0] == "elsewhere"
    assert said[-1] == "the office's"
    assert len(said) == 10
    assert all(line.startswith("Hostile http://203.0.113.5:") for line in said[1:-1])


def test_a_name_that_changes_its_address_does_not_get_inside() -> None:
    said = on_island(
        PRELUDE
        + """
names = Names(page_example=[PUBLIC], evil_example=[PUBLIC, "127.0.0.1"],
              page2_example=[PUBLIC, OFFICE], inner_example=["127.0.0.1"], corp_example=[OFFICE])
with Web(PUBLIC) as page, Web("0.0.0.0") as inside:
    page.serve("/", "public")
    inside.serve("/", "secret")
    outer = page.url.rpartition(":")[2]
    inner = inside.url.rpartition(":")[2]
    home = f"http://page.example:{outer}/"
    ask(home, home)
    ask(f"http://evil.example:{outer}/", home)          # public at the first question
    ask(f"http://evil.example:{inner}/", home)          # loopback at the second
    ask(f"http://inner.example:{inner}/", home)
    ask(f"http://inner.example:{inner}/", f"http://inner.example:{inner}/")  # DNS says loopback
    home = f"http://page2.example:{outer}/"
    ask(home, home)
    ask(f"http://page2.example:{inner}/", home)         # the page's own name, turned inside
    assert inside.asked == [], inside.asked
    home = f"http://corp.example:{inner}/"
    ask(home, home)                                     # an office's own mirror
"""
    ).splitlines()
    assert [said[0], said[1], said[5], said[7]] == ["public", "public", "public", "secret"]
    assert "leads to evil.example, which is 127.0.0.1 here: a loopback address" in said[2]
    assert "leads to inner.example, which is 127.0.0.1 here" in said[3]
    assert "leads to inner.example, which is 127.0.0.1 here" in said[4]
    assert "leads to page2.example, which is 10.9.9.9 here: a private address" in said[6]


VENDOR = """
from pathlib import Path
from tempfile import TemporaryDirectory
from tests.servers.web import Answer
from tests.support.rig import Rig
from tests.support.tiny import archive, write_tool

def release(page, name):
    data = archive("1.0")
    page.serve(f"/{name}/", f'<a href="{page.url}/{name}/hello-1.0.tar.gz">hello</a>')
    page.serve(f"/{name}/hello-1.0.tar.gz", data)
    return data

def fetched(toml, url):
    with TemporaryDirectory() as folder:
        rig = Rig(Path(folder))
        write_tool(rig.tools, url, "1.0", toml=toml)
        done = rig.run("fetch", "hello", "-o", folder + "/out", status=None)
        print(done.returncode, " ".join((done.stdout + done.stderr).split()))
        assert not list(Path(folder).glob("out/*")) or done.returncode == 0

OPENPGP = '[verify]\\nmethod = "openpgp"\\nsignature = "{url}.asc"\\nkeys = ["' + "A" * 40 + '"]\\n'
SUMS = '[verify]\\nmethod = "checksums"\\nchecksums = "{dir}/SHA256SUMS"\\n'
"""


def test_no_file_of_a_release_is_taken_from_inside() -> None:
    said = on_island(
        PRELUDE
        + VENDOR
        + """
with Web(PUBLIC) as page, Web("127.0.0.1") as inside, Web(OFFICE) as office:
    release(page, "fine")
    fetched("", page.url + "/fine/")
    for other in (inside, office):
        data = release(other, "link")
        page.serve("/link/", f'<a href="{other.url}/link/hello-1.0.tar.gz">hello</a>')
        fetched("", page.url + "/link/")
        release(page, "moved")
        page.redirect("/moved/hello-1.0.tar.gz", other.url + "/link/hello-1.0.tar.gz")
        fetched("", page.url + "/moved/")
        release(page, "signed")
        other.serve("/hello-1.0.tar.gz.asc", "secret")
        page.redirect("/signed/hello-1.0.tar.gz.asc", other.url + "/hello-1.0.tar.gz.asc")
        fetched(OPENPGP, page.url + "/signed/")
        release(page, "sums")
        other.serve("/SHA256SUMS", "secret")
        page.redirect("/sums/SHA256SUMS", other.url + "/SHA256SUMS")
        fetched(SUMS, page.url + "/sums/")
        page.redirect("/page/", other.url + "/link/")
        fetched("", page.url + "/page/")
        assert other.asked == [], other.asked
"""
    ).splitlines()
    assert said[0].startswith("0 ")
    assert len(said) == 11
    for line in said[1:]:
        assert line.startswith("3 "), line
        assert "leads to" in line


def test_a_repository_that_has_moved_inside_is_not_asked_there() -> None:
    said = on_island(
        PRELUDE
        + """
from pathlib import Path
from tempfile import TemporaryDirectory
from tests.servers.git import Repository
from tests.servers.web import Answer
from toolsync.fetch.stage import fetch
from toolsync.config.settings import Limits
from toolsync.model.plan import Plan
from toolsync.model.release import Release
from toolsync.system.store import Store

with TemporaryDirectory() as folder, Web(PUBLIC) as page, Web(OFFICE) as inside:
    place = Path(folder, "hello")
    place.mkdir()
    repository = Repository(place, "v1.0")
    good, bad = repository.serve_smart(page), repository.serve_smart(inside)
    def moved(asked, to):
        return Answer(status=301, headers={"Location": to + asked.path.removeprefix("/" + asked.path.split("/")[1])})
    page.serve_rest(lambda asked: moved(asked, bad if asked.path.startswith("/bad") else good))
    for url in (good, page.url + "/old", page.url + "/bad"):
        release = Release(tool="hello", version="1.0", raw_version="1.0", url=url,
                          filename="hello-1.0.tar", page=url, tag="v1.0")
        try:
            got = fetch(release, [Plan()], source="hello", tree=True, limits=Limits(),
                        http=http.dressed(named=lambda: ((page.url,), ())), store=Store(Path(folder, "store")))
            print("fetched", got.archive.name)
        except ToolsyncError as error:
            print(type(error).__name__, error)
    assert inside.asked == []
"""  # noqa: E501
    ).splitlines()
    assert said[:2] == ["fetched hello-1.0.tar"] * 2
    assert "leads to 10.9.9.9: a private address" in said[2]


def test_ftp_leads_nowhere_inside_either(http: Http) -> None:
    heard: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1)
        url = f"ftp://127.0.0.1:{server.getsockname()[1]}/dl/"
        for outside in (named(http, "ftp://ftp.vendor.example/"), named(http, OUTSIDE)):
            with pytest.raises(Hostile, match="leads to 127"):
                body(outside, url)
        with pytest.raises(TimeoutError):
            heard.append(str(server.accept()))
    assert heard == []
