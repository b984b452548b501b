"""The house rules: who may import whom, what a lock file holds, and what never stands in a file of the project."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from t1data.cli import cli

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "t1data"

# Imports point down. Every module or folder of the package has its place here; a new one is given one.
LAYERS: list[set[str]] = [
    {"errors", "words"},
    {"body", "client", "config", "door", "keyrings", "lock", "management", "tables", "transport", "writing"},
    {"journal", "bulk"},
    {"profiles", "audiences", "referrals", "coupons", "sessions", "inventories", "erasure", "exports"},
    {"history"},  # lists the runs of all jobs, and hands each to its own job to be resumed
    {"plots"},
    {"cli", "forms"},
]
LAYER = {part: number for number, parts in enumerate(LAYERS) for part in parts}
JOBS, SHELLS = 3, 6
ISLANDS = {"", "sandbox"}  # the package's root, which loads all on first use, and the local Talon.One

# Packages that only some modules may know. `lines`, under `transport`, reads from the connection itself.
KNOWN_TO = {
    "requests": {"transport"},
    "urllib3": {"transport"},
    "httptools": {"transport"},
    "matplotlib": {"plots"},
    "ipywidgets": {"forms"},
    "IPython": {"forms"},
    "click": {"cli"},
    "xlsxwriter": {"exports"},
    "phonenumbers": {"exports"},
    "starlette": {"sandbox"},
    "uvicorn": {"sandbox"},
    "sqlite3": {"journal", "transport", "sandbox"},
}
HEAVY = {
    *("pandas", "numpy", "pyarrow", "duckdb", "requests", "urllib3", "matplotlib", "ipywidgets", "IPython"),
    *("starlette", "uvicorn", "tqdm", "sqlite3", "ssl", "importlib.metadata"),
}

LONGEST_FILE, LONGEST_FUNCTION = 300, 40
LARGEST_FILE, LARGEST_SAMPLE_DATA = 4_000_000, 8_000_000


@dataclass(frozen=True)
class Module:
    path: Path
    name: str  # "t1data.tables.encode"
    tree: ast.Module
    lines: int

    @property
    def part(self) -> str:
        """The module or folder of the package that this belongs to; empty for the package's root."""
        return self.name.removeprefix("t1data").strip(".").split(".")[0]

    def at(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{node.lineno}"


@cache
def modules() -> list[Module]:
    return [read_module(path) for path in sorted(PACKAGE.rglob("*.py"))]


def read_module(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return Module(path, name, ast.parse(text), len(text.splitlines()))


def imports(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Every import of a module by its full name, wherever it stands, and also those by `import_module`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = absolute(module, node)
            yield from ((node, f"{source}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "__import__"):
            yield from ((node, arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant))


def absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    up = node.level - (module.path.name == "__init__.py")
    package = module.name.split(".")[: -up or None]
    return ".".join([*package, *([node.module] if node.module else [])])


def called(node: ast.Call) -> str:
    """The last name of what is called: `yaml.load(...)` is `load`."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def own_imports(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """The parts of t1data that a module imports; the empty name is the package's root."""
    for node, name in imports(module):
        if name.split(".")[0] == "t1data":
            part = name.split(".")[1] if "." in name else ""
            yield node, part if (PACKAGE / part).is_dir() or (PACKAGE / f"{part}.py").is_file() else ""


def may_import(part: str, other: str) -> bool:
    if part in ("", other):
        return True
    if part in ISLANDS or other in ISLANDS:
        return part == "cli"
    mine, others = LAYER.get(part, -1), LAYER.get(other, -1)
    if mine == others and ("tables" in (part, other) or mine in (JOBS, SHELLS)):
        return False  # files and frames know nothing of the network; no job and no shell knows another
    return others <= mine


def project_files() -> list[Path]:
    """All files that are or may come under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    names = listed.stdout.decode().split("\0")
    return [path for name in sorted(filter(None, names)) if (path := ROOT / name).is_file()]


def text_lines() -> Iterator[tuple[str, str]]:
    """Every line of every text file of the project, with its place."""
    for path in project_files():
        content = path.read_bytes()
        if b"\0" not in content:
            for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
                yield f"{path.relative_to(ROOT)}:{number}", line


def report(offenders: list[str]) -> str:
    return "\n" + "\n".join(sorted(offenders))


# --- imports ----------------------------------------------------------------------------------------------


def test_every_module_has_its_place_in_the_layers():
    strangers = [module.name for module in modules() if module.part not in LAYER.keys() | ISLANDS]
    assert not strangers, f"{report(strangers)}\nGive them a place in LAYERS."


def test_imports_point_down():
    offenders = [
        f"{module.at(node)}: {module.part or 't1data'} imports {other or 'the package root'}"
        for module in modules()
        for node, other in own_imports(module)
        if module.part in LAYER.keys() | ISLANDS and not may_import(module.part, other)
    ]
    assert not offenders, report(offenders)


def test_no_two_parts_import_each_other():
    graph = {module.part: set() for module in modules()}
    for module in modules():
        graph[module.part] |= {other for _, other in own_imports(module)} - {"", module.part}
    graph.pop("", None)  # the root imports all, on first use
    while done := [part for part, others in graph.items() if not others & graph.keys()]:
        for part in done:
            del graph[part]
    assert not graph, f"these import each other in a circle: {sorted(graph)}"


def test_a_package_is_imported_only_where_it_belongs():
    offenders = [
        f"{module.at(node)}: {package} belongs in {sorted(KNOWN_TO[package])}"
        for module in modules()
        for node, name in imports(module)
        if module.part not in KNOWN_TO.get(package := name.split(".")[0], {module.part})
    ]
    assert not offenders, report(offenders)


LIGHT = {
    "import t1data": "import t1data",
    "t1data --help": (
        "import sys\n"
        "from t1data.cli import main\n"
        "sys.argv = ['t1data', '--help']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
    ),
}


@pytest.mark.parametrize("program", LIGHT.values(), ids=LIGHT.keys())
def test_nothing_heavy_is_loaded_before_it_is_used(program: str):
    program += "\nimport sys; print('loaded:', *sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    loaded = ended.stdout.rpartition("loaded:")[2].split()
    assert "t1data" in loaded
    assert not HEAVY.intersection(loaded)
    assert not {f"t1data.cli.{name}" for name in cli.commands}.intersection(loaded)


@pytest.mark.parametrize("job", ["upsert_profiles", "apply_audience", "update_sessions", "track_events"])
def test_a_job_that_reads_a_file_loads_no_pandas(job: str):
    program = f"import sys, t1data; t1data.{job}; sys.exit('pandas' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_the_list_of_commands_says_of_each_what_it_says_itself():
    said = {name: command.get_short_help_str(limit=200).rstrip(".") for name, command in cli.commands.items()}
    assert {name: sentence.rstrip(".") for name, sentence in cli.commands.sentences.items()} == said


# --- what never stands in the package ---------------------------------------------------------------------


def forbidden(node: ast.AST) -> str | None:
    """Say what is wrong with a piece of code, if it is one of the things that this package never does."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec", "compile"):
            return f"{node.func.id}()"
        if re.fullmatch(r"(yaml\.(unsafe_|full_)?load(_all)?|os\.(system|popen))", ast.unparse(node.func)):
            return f"{ast.unparse(node.func)}()"
        if called(node) in ("read_pickle", "to_pickle"):
            return called(node)
    if isinstance(node, ast.keyword | ast.Assign):
        return forbidden_setting(node)
    return None


def forbidden_setting(node: ast.keyword | ast.Assign) -> str | None:
    """Find `shell=True` and `verify=False`, as an argument or as an attribute that is set."""
    value = node.value.value if isinstance(node.value, ast.Constant) else None
    targets = [node] if isinstance(node, ast.keyword) else node.targets
    names = {target.arg if isinstance(target, ast.keyword) else getattr(target, "attr", "") for target in targets}
    for name, bad in (("shell", True), ("verify", False), ("allow_pickle", True), ("check_hostname", False)):
        if name in names and value is bad:
            return f"{name}={bad}"
    return None


def test_the_package_never_runs_text_as_code_nor_switches_checks_off():
    offenders = [
        f"{module.at(node if hasattr(node, 'lineno') else module.tree.body[0])}: {wrong}"
        for module in modules()
        for node in ast.walk(module.tree)
        if (wrong := forbidden(node))
    ]
    assert not offenders, report(offenders)


def test_the_package_never_imports_a_pickle():
    pickles = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
    offenders = [
        f"{module.at(node)}: {name}"
        for module in modules()
        for node, name in imports(module)
        if name.split(".")[0] in pickles
    ]
    assert not offenders, report(offenders)


# --- size -------------------------------------------------------------------------------------------------


def body_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its first statement on; the signature and the docstring do not count."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_files_and_functions_are_short():
    offenders = [
        f"{module.path.relative_to(ROOT)}: {module.lines} lines, {LONGEST_FILE} are the most"
        for module in modules()
        if module.lines > LONGEST_FILE
    ]
    offenders += [
        f"{module.at(node)}: {node.name} has {body_length(node)} lines, {LONGEST_FUNCTION} are the most"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and body_length(node) > LONGEST_FUNCTION
    ]
    assert not offenders, report(offenders)


def test_no_file_is_large():
    sizes = {str(path.relative_to(ROOT)): path.stat().st_size for path in project_files()}
    offenders = [f"{name}: {size:,} bytes" for name, size in sizes.items() if size > LARGEST_FILE]
    assert not offenders, report(offenders)
    assert sum(size for name, size in sizes.items() if name.startswith("sample_data/")) < LARGEST_SAMPLE_DATA


# --- lock files -------------------------------------------------------------------------------------------

LOCKS = sorted(ROOT.glob("*.lock"))


def requirements(lock: Path) -> list[str]:
    """One text a requirement, its continued lines joined; comments left out."""
    text = re.sub(r"^\s*#.*\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def test_there_is_a_lock_for_users_for_developers_and_of_the_oldest_versions():
    assert [lock.name for lock in LOCKS] == ["requirements-dev.lock", "requirements-oldest.lock", "requirements.lock"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_no_address(lock: Path):
    offenders = [line for line in lock.read_text(encoding="utf-8").splitlines() if "://" in line or "@" in line]
    assert not offenders, report(offenders)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_in_a_lock_is_one_version_with_hashes(lock: Path):
    form = re.compile(r"[a-z0-9][a-z0-9.-]*==[\w.+!]+( ; [^\\]*?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    offenders = [line.split("--hash")[0] for line in requirements(lock) if not form.fullmatch(line)]
    assert not offenders, report(offenders)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_every_package_that_the_project_needs(lock: Path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[<>=!~; \[]", text)[0].lower() for text in project["dependencies"]}
    assert needed <= {line.split("==")[0] for line in requirements(lock)}


# --- words that belong to one machine ---------------------------------------------------------------------


def offending_lines(pattern: str) -> list[str]:
    return [f"{place}: {line.strip()[:120]}" for place, line in text_lines() if re.search(pattern, line)]


def test_no_file_names_a_path_of_one_machine():
    folders = r"(?<![\w.)}\]/-])/(?:work|home|root|Users|opt|mnt|media|srv|workspace)/[\w.]"
    offenders = offending_lines(folders + r"|\b[A-Z]:\\\\?Users\b")
    assert not offenders, report(offenders)


def test_no_file_names_where_packages_come_from():
    offenders = offending_lines(r"pypi\.(?:org|python)|pythonhosted\.|/simple[/]|index[-_]url|find[-_]links\b")
    assert not offenders, report(offenders)
