"""Keep vendors' cloud tools in sync in an apt archive, with proof of every step."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as _installed_version

try:
    __version__ = _installed_version("toolsync")
except PackageNotFoundError:  # a bare source tree on sys.path
    __version__ = "0+unknown"
