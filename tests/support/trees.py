"""Vendor zips and bucket listings for tests, made here and not fetched.

The zips have the layout of the EC2 tools' own, so that they go through the
packaging under ``conf/tools`` as the genuine ones do, and what is in them
runs: ``ec2-ami-tools-version`` with Ruby, ``ec2-version`` with a JRE. Every
text is this project's own. The same version gives the same bytes.
"""

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

from tests.support import jvm

S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
API_DATE = "2013-02-01"
MANIFEST_DATE = "20071010"
JAVA_PACKAGE = "com.amazon.aes.webservices.client.cmd"

LICENSE = """Sample Software License

1. You may copy and distribute this sample with a complete copy of this text.

2. The sample does nothing of use and comes without any warranty.
"""
NOTICE = "A sample tree for the tests of toolsync. Its terms are in license.txt.\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nc2FtcGxl\n-----END CERTIFICATE-----\n"

# Up to 1.4 the wrappers refuse to start without a home and split arguments at
# blanks; from 1.5 on they look for their home themselves.
AMI_WRAPPER_OLD = """#!/bin/bash

home=${EC2_AMITOOL_HOME:-${EC2_HOME:?neither EC2_AMITOOL_HOME nor EC2_HOME is set}}
ruby -I $home/lib ${home}/lib/ec2/amitools/@MAIN@.rb $*
"""
AMI_WRAPPER = """#!/bin/bash

if [ ! -e "${EC2_AMITOOL_HOME:=${EC2_HOME}}/lib/ec2/amitools/@MAIN@.rb" ]; then
    EC2_AMITOOL_HOME=$(dirname "$(dirname "$(readlink -e "$0")")")
fi
export EC2_AMITOOL_HOME
ruby -I ${EC2_AMITOOL_HOME}/lib ${EC2_AMITOOL_HOME}/lib/ec2/amitools/@MAIN@.rb "$@"
"""
AMI_VERSION = """module EC2Version
  PKG_NAME = 'ec2-ami-tools'
  PKG_VERSION = '@VERSION@'
  PKG_RELEASE = '@RELEASE@'

  def self.version_copyright_string()
    "#{PKG_VERSION}@SEPARATOR@#{PKG_RELEASE} @DATE@\\n\\nA sample for tests.\\n"
  end
end
"""
AMI_SHOW = """require 'ec2/amitools/version'
require 'ec2/oem/home'
Home.check
puts EC2Version::version_copyright_string()
"""
AMI_HOME = """# Gone in Ruby 3.2: File.exists? and Dir.exists?
module Home
  def self.check
    home = ENV['EC2_AMITOOL_HOME'] || ENV['EC2_HOME']
    mapping = File.join(home.to_s, 'etc/ec2/amitools/mappings.csv')
    STDERR.puts "no file #{mapping}" unless File.exists? mapping
    STDERR.puts "no folder #{home}" unless Dir::exists?(home.to_s)
  end
end
"""
AMI_REGION = """puts 'usage: ec2-sample-region [--help] REGION'
"""
API_WRAPPER = """#!/usr/bin/env bash

: "${EC2_HOME:?EC2_HOME is not set}"
"${EC2_HOME}"/bin/ec2-cmd @MAIN@ "$@"
"""
API_LAUNCHER = """#!/usr/bin/env bash

LIBDIR="${EC2_HOME:?EC2_HOME is not set}/lib"
JAVA_HOME=${JAVA_HOME:?JAVA_HOME is not set}
for jar in "${LIBDIR}"/*.jar ; do
	CP="${CP}:${jar}"
done
CMD=$1
shift
"${JAVA_HOME}/bin/java" ${EC2_JVM_ARGS} -classpath "${CP}" "@PACKAGE@.${CMD}" "$@"
"""
API_HELP = (
    "  SYNOPSIS",
    "     ec2dre ([ec2-describe-regions])",
    "  DESCRIPTION",
    "     List the regions of the sample.",
)


def ami_zip(version: str, *, license_text: str = LICENSE) -> bytes:
    """Return ``ec2-ami-tools-VERSION.zip``; ``version`` is upstream's (1.5.3 or 1.3-57419)."""
    parts = re.fullmatch(r"(\d+\.\d+)([.-])(.+)", version)
    if parts is None:
        raise ValueError(f"{version!r} is no version of the AMI tools; 1.5.3 or 1.3-57419 is one")
    main, separator, release = parts.groups()
    old = tuple(map(int, main.split("."))) < (1, 5)
    wrapper = AMI_WRAPPER_OLD if old else AMI_WRAPPER
    filled = _fill(
        AMI_VERSION, VERSION=main, RELEASE=release, SEPARATOR=separator, DATE=MANIFEST_DATE
    )
    files = {
        "bin/ec2-ami-tools-version": _fill(wrapper, MAIN="showversion"),
        "bin/ec2-sample-region": _fill(wrapper, MAIN="region"),
        "etc/ec2/amitools/cert-ec2.pem": CERTIFICATE,
        "etc/ec2/amitools/cert-ec2-gov.pem": CERTIFICATE,
        "etc/ec2/amitools/mappings.csv": "eu-west-1,us-east-1,manifest\n",
        "lib/ec2/amitools/region.rb": AMI_REGION,
        "lib/ec2/amitools/showversion.rb": AMI_SHOW,
        "lib/ec2/amitools/version.rb": filled,
        "lib/ec2/oem/LICENSE.txt": "The sample's one foreign file is under the sample's terms.\n",
        "lib/ec2/oem/home.rb": AMI_HOME.replace("\n", "\r\n"),
        "license.txt": license_text,
        "notice.txt": NOTICE,
        "readme-install.txt": "Unpack the zip and set EC2_HOME to the folder.\n",
    }
    return _zip(f"ec2-ami-tools-{version}", files)


def api_zip(version: str, *, license_text: str = LICENSE) -> bytes:
    """Return ``ec2-api-tools-VERSION.zip``; ``version`` is upstream's (1.6.7.1 or 1.3-57419)."""
    commands = {
        "ec2-version": "ShowVersion",
        "ec2ver": "ShowVersion",
        "ec2-describe-regions": "DescribeRegions",
        "ec2dre": "DescribeRegions",
    }
    files: dict[str, str | bytes] = {
        "bin/ec2-cmd": _fill(API_LAUNCHER, PACKAGE=JAVA_PACKAGE),
        "bin/ec2-cmd.cmd": "@echo off\r\nrem the sample has no Windows side\r\n",
    }
    for name, main in commands.items():
        files[f"bin/{name}"] = _fill(API_WRAPPER, MAIN=main)
        files[f"bin/{name}.cmd"] = f'@echo off\r\n"%EC2_HOME%/bin/ec2-cmd" {main} %*\r\n'
    files[f"lib/ec2-api-tools-{version}.jar"] = jvm.jar(
        {
            f"{JAVA_PACKAGE}.ShowVersion": (f"{version} {API_DATE}",),
            f"{JAVA_PACKAGE}.DescribeRegions": API_HELP,
        }
    )
    files["lib/sample-runtime-1.0.jar"] = jvm.jar({"sample.Runtime": ("sample",)})
    files["license.txt"] = license_text
    files["notice.txt"] = NOTICE
    files["THIRDPARTYLICENSE.TXT"] = "%% sample-runtime-1.0.jar is under the sample's terms.\n"
    return _zip(f"ec2-api-tools-{version}", files)


def listing(
    objects: Iterable[tuple[str, bytes]],
    *,
    max_keys: int = 1000,
    marker: str | None = None,
    token: str | None = None,
    version: int = 1,
    name: str = "ec2-downloads",
) -> bytes:
    """Return one page of a bucket as S3's ListObjects (1) or ListObjectsV2 (2) writes it.

    Keys come in byte order. ``marker`` (1) is the last key of the page before:
    S3 sends NextMarker only where a delimiter was asked for, so none is here.
    ``token`` (2) is the NextContinuationToken of the page before; giving one
    makes the page a page of version 2.
    """
    after = _key_of(token) if token is not None else marker or ""
    rest = [item for item in sorted(objects, key=_by_bytes) if item[0].encode() > after.encode()]
    page, truncated = rest[:max_keys], len(rest) > max_keys
    head = f"<Name>{escape(name)}</Name><Prefix></Prefix>"
    if version == 2 or token is not None:
        head += f"<ContinuationToken>{token}</ContinuationToken>" if token is not None else ""
        if truncated:
            head += f"<NextContinuationToken>{_token_of(page[-1][0])}</NextContinuationToken>"
        head += f"<KeyCount>{len(page)}</KeyCount>"
    else:
        head += f"<Marker>{escape(marker or '')}</Marker>"
    head += f"<MaxKeys>{max_keys}</MaxKeys><IsTruncated>{str(truncated).lower()}</IsTruncated>"
    body = "".join(_contents(key, data) for key, data in page)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<ListBucketResult xmlns="{S3_NAMESPACE}">{head}{body}</ListBucketResult>'
    ).encode()


def _contents(key: str, data: bytes) -> str:
    digest = hashlib.md5(data).hexdigest()
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>2015-09-08T17:06:29.000Z</LastModified>"
        f"<ETag>&quot;{digest}&quot;</ETag><Size>{len(data)}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )


def _by_bytes(item: tuple[str, bytes]) -> bytes:
    return item[0].encode()


def _token_of(key: str) -> str:
    return base64.b64encode(key.encode()).decode()


def _key_of(token: str) -> str:
    return base64.b64decode(token, validate=True).decode()


def _fill(template: str, **values: str) -> str:
    """Return ``template`` with each @NAME@ replaced: shell and Ruby need their braces."""
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template


def _zip(top: str, files: Mapping[str, str | bytes]) -> bytes:
    """Return a zip with ``files`` under the folder ``top``, as Unix zip writes it."""
    folders = {"/".join(path.split("/")[:n]) for path in files for n in range(path.count("/") + 1)}
    members: dict[str, str | bytes] = {f"{top}/{path}": data for path, data in files.items()}
    members |= {f"{top}/{folder}/" if folder else f"{top}/": b"" for folder in folders}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(members):
            script = path.startswith(f"{top}/bin/") and not path.endswith(".cmd")
            mode = 0o40755 if path.endswith("/") else 0o100755 if script else 0o100644
            info = zipfile.ZipInfo(path, jvm.EPOCH)
            info.create_system = 3
            info.external_attr = (mode << 16) | (0x10 if path.endswith("/") else 0)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, members[path])
    return buffer.getvalue()
