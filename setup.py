"""Build toolsync; conf/ travels as data so that a wheel and a .deb carry the shipped tools."""

import os
from pathlib import Path

from setuptools import find_packages, setup


def data_files() -> list[tuple[str, list[str]]]:
    found = []
    for folder, _, names in os.walk("conf"):
        target = os.path.normpath(os.path.join("share/toolsync", os.path.relpath(folder, "conf")))
        found.append((target, [os.path.join(folder, name) for name in sorted(names)]))
    return found


setup(
    name="toolsync",
    version="0.1.0",
    description="Keep vendors' cloud tools in sync in an apt archive, with proof of every step",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="GPL-3.0-or-later",
    python_requires=">=3.11",
    packages=find_packages(include=["toolsync", "toolsync.*"]),
    package_data={
        "toolsync": ["py.typed"],
        "toolsync.config": ["*.json"],
        "toolsync.license": ["*.json"],
        "toolsync.report": ["*.j2", "*.css", "*.js"],
        "toolsync.web": ["templates/*.j2", "static/*.css", "static/*.js"],
    },
    data_files=data_files(),
    entry_points={"console_scripts": ["toolsync = toolsync.cli.main:main"]},
    install_requires=[
        "click>=8.1",
        "jmespath>=1.0",
        "jinja2>=3.1",
        "jsonschema>=4.10",
        "license-expression>=30.1",
        "lxml>=4.9",
        "prometheus-client>=0.16",
        "python-debian>=0.1.49",
        "regex>=2022.10.31",
        "requests>=2.28",
        "rich>=13.3",
        "urllib3>=1.26",
        "zstandard>=0.20",
    ],
    extras_require={
        "ppa": ["launchpadlib>=1.11"],
        "fleet": ["boto3>=1.26", "celery>=5.2", "psycopg>=3.1", "redis>=4.3"],
        "sigstore": ["sigstore>=4"],
        "web": ["flask>=2.2", "waitress>=2.1"],
        "test": [
            "aiosmtpd",
            "boto3>=1.26",
            "celery>=5.2",
            "flask>=2.2",
            "hypothesis",
            "mypy",
            "psycopg>=3.1",
            "pytest",
            "pytest-xdist",
            "python-gnupg>=0.4.9",
            "redis>=4.3",
            "ruff",
            "types-requests",
            "types-waitress",
            "vulture",
            "waitress>=2.1",
        ],
    },
)
