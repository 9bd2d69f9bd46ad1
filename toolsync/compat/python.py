"""Read Python sources without running them: options, subcommands, environment, imports.

Options come from calls whose first arguments are strings such as ``"--long"``: argparse,
optparse, click, and wrappers of these. A file that today's parser refuses (Python 2) is read by
its tokens' shape instead.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from toolsync.compat.options import Option, spellings, tamed

_CALLS = frozenset(
    ("add_argument", "add_option", "make_option", "option", "Option", "Arg", "Argument", "arg")
)
_FLAGS = ("store_true", "store_false", "store_const", "count", "append_const", "help", "version")
_OLD_CALL = re.compile(
    r"\b(?:add_argument|add_option|make_option|Arg)\(\s*((?:[ru]?(['\"])-[\w-]+\2\s*,?\s*)+)"
)
_OLD_IMPORT = re.compile(r"(?m)^[ \t]*(?:import\s+([\w., ]+)|from\s+([\w.]+)\s+import\s+([\w, ]+))")
_OLD_ENVIRON = re.compile(r"(?:environ(?:\.get\(|\[)|getenv\()\s*['\"](\w+)['\"]")


@dataclass(slots=True)
class Source:
    """What one Python file tells; options by scope (a subcommand, or empty)."""

    options: dict[str, list[Option]] = field(default_factory=dict)
    environment: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    """Dotted names; a name from ``from a import b`` is given as ``a`` and ``a.b``."""
    subcommands: set[str] = field(default_factory=set)
    apis: dict[str, str] = field(default_factory=dict)
    """API versions by the name of the service's class."""
    modern: bool = True
    """Whether Python 3 can read it."""


def parse(text: str) -> ast.Module | None:
    """Return the tree of Python 3 source, None if it is none, whatever the parser thinks of it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@lru_cache(maxsize=4096)
def read(text: str, package: str = "") -> Source:
    """Return what a source tells; ``package`` is its dotted package, for relative imports."""
    tree = parse(text)
    if tree is None:
        return _read_old(text)
    found = Source()
    scopes: dict[str, str] = {}
    try:
        for node in ast.walk(tree):
            _look(node, found, scopes, package)
        _options(tree, found, scopes)
    except RecursionError:
        return _read_old(text)
    return found


def _read_old(text: str) -> Source:
    """Read a source of Python 2 by its shape: options, imports, environment, APIs."""
    text, found = tamed(text), Source(modern=False)
    for match in _OLD_CALL.finditer(text):
        for name in spellings(re.sub(r"['\"]", " ", match[1])):
            found.options.setdefault("", []).append(Option(name=name))
    for match in _OLD_IMPORT.finditer(text):
        if match[1]:
            found.imports |= {part.split()[0] for part in match[1].split(",") if part.strip()}
        else:
            names = [part.split()[0] for part in match[3].split(",") if part.strip()]
            found.imports |= {match[2], *(f"{match[2]}.{name}" for name in names)}
    found.environment |= set(_OLD_ENVIRON.findall(text))
    for part in re.split(r"(?m)^class\s+", text)[1:]:
        named = re.search(r"(?m)^\s+NAME\s*=\s*['\"]([\w.-]+)['\"]", part)
        version = re.search(r"(?m)^\s+API_VERSION\s*=\s*['\"](\d{4}-\d\d-\d\d)['\"]", part)
        if version:
            found.apis[named[1] if named else part.split("(")[0].split(":")[0]] = version[1]
    return found


def _look(node: ast.AST, found: Source, scopes: dict[str, str], package: str) -> None:
    """Note imports, environment and the variables that hold a subcommand's parser."""
    if isinstance(node, ast.Import):
        found.imports |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(node, package)
        found.imports |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
        name = _subparser(node.value)
        if name:
            found.subcommands.add(name)
            for target in node.targets:
                scopes[ast.unparse(target)] = name
    elif isinstance(node, ast.Call):
        name = _subparser(node)
        if name:
            found.subcommands.add(name)
        if _called(node) in ("getenv", "get") and "env" in ast.unparse(node.func):
            found.environment |= set(_strings(node.args[:1]))
    elif isinstance(node, ast.Subscript) and _called(node.value) == "environ":
        found.environment |= set(_strings([node.slice]))


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _subparser(call: ast.Call) -> str:
    if _called(call) != "add_parser":
        return ""
    return next(iter(_strings(call.args[:1])), "")


def _called(node: ast.AST) -> str:
    """Return the last name of what is called or read: ``c`` of ``a.b.c(…)``."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _strings(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _options(tree: ast.Module, found: Source, scopes: dict[str, str]) -> None:
    """Note the options of every call, under the subcommand whose parser or function has them."""
    inside: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            scope = _click_command(node)
            if scope:
                found.subcommands.add(scope)
            inside |= {id(call): scope for call in node.decorator_list}
        elif isinstance(node, ast.ClassDef):
            _table(node, found)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in _CALLS:
            holder = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            scope = inside.get(id(node), scopes.get(holder, ""))
            found.options.setdefault(scope, []).extend(_of_call(node))


def _click_command(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the subcommand that a click function is; empty for a command of its own."""
    for decorator in function.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if not isinstance(target, ast.Attribute) or target.attr not in ("command", "group"):
            continue
        if isinstance(target.value, ast.Name) and target.value.id in ("click", "typer"):
            return ""
        named = list(_strings(decorator.args[:1])) if isinstance(decorator, ast.Call) else []
        return named[0] if named else function.name.replace("_", "-")
    return ""


def _of_call(call: ast.Call) -> Iterator[Option]:
    """Yield the options that a call such as ``add_argument("--long")`` declares."""
    words = list(_strings(call.args))
    named = [name for word in words if word.startswith("-") for name in spellings(word)]
    if not named:
        return
    keywords = {k.arg: k.value for k in call.keywords if k.arg}
    action = next(iter(_strings([keywords["action"]])), "") if "action" in keywords else ""
    flag = action in _FLAGS or _true(keywords.get("is_flag"))
    known = action or call.keywords or len(words) == len(call.args)
    for name in named:
        yield Option(
            name=name,
            takes="flag" if flag else "value" if known else "",
            required=_true(keywords.get("required")),
            hidden=_hidden(keywords),
            choices=_choices(keywords.get("choices")),
        )


def _true(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _hidden(keywords: dict[str, ast.expr]) -> bool:
    text = ast.unparse(keywords["help"]) if "help" in keywords else ""
    return text.endswith(("SUPPRESS", "SUPPRESS_HELP")) or _true(keywords.get("hidden"))


def _choices(node: ast.AST | None) -> tuple[str, ...]:
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        return ()
    given = [str(part.value) for part in node.elts if isinstance(part, ast.Constant)]
    plain = len(given) == len(node.elts) and not any(c in "".join(given) for c in ", \t\n")
    return tuple(sorted(given)) if plain else ()


def _table(node: ast.ClassDef, found: Source) -> None:
    """Note a class with API_VERSION; and NAME with ARG_TABLE, as the AWS CLI's commands are."""
    fields = {
        target.id: item.value
        for item in node.body
        if isinstance(item, ast.Assign)
        for target in item.targets
        if isinstance(target, ast.Name)
    }
    name = next(iter(_strings([fields["NAME"]])), "") if "NAME" in fields else ""
    for version in _strings([fields["API_VERSION"]] if "API_VERSION" in fields else []):
        if re.fullmatch(r"\d{4}-\d\d-\d\d", version):
            found.apis[name or node.name] = version
    table = fields.get("ARG_TABLE")
    if not name or not isinstance(table, ast.List):
        return
    found.subcommands.add(name)
    for row in (part for part in table.elts if isinstance(part, ast.Dict)):
        cells = {
            k.value: v
            for k, v in zip(row.keys, row.values, strict=True)
            if isinstance(k, ast.Constant)
        }
        for word in _strings([cells["name"]] if "name" in cells else []):
            found.options.setdefault(name, []).append(
                Option(name=f"--{word}", required=_true(cells.get("required")))
            )
