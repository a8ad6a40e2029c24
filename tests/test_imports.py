"""The import rules of the design, as code: what each room may know, and what nobody may do.

The rules read syntax trees, so imports inside functions and under TYPE_CHECKING count like any others. Every rule is
also shown to fail, on small trees written for the purpose.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# `grid` (the bins of the cells) and, for embeddings, `vectors` (what cells are to predictions), `neighbours` (vectors
# to graphs, as `scan` is rows to cells), `projection` (graphs to layouts) and `embeddings` (the diagnosis of vectors)
# are rooms that the design does not name.
# From the ground up. A room may import what is below it and, within a line, what stands to its left.
ORDER = (
    ("errors", "schema", "grid", "cells", "vectors"),
    ("sources", "metrics"),
    ("scan", "neighbours", "recall_drop", "projection", "jobs"),
    ("settings", "features", "calibrations", "thresholds", "slices", "monitoring"),
    ("diagnose", "comparisons", "embeddings"),
    ("checks", "policy", "gate"),
    ("figures",),
    ("reports",),
    ("workspace",),
    ("ui", "cli"),
    ("__main__",),
    ("pages",),
    ("app",),
)
RANK = {room: (row, column) for row, line in enumerate(ORDER) for column, room in enumerate(line)}
# Neighbours on a line that nevertheless must not know each other: numbers need no files, the command line no page.
STRANGERS = {("metrics", "sources"), ("cli", "ui"), ("__main__", "ui")}

STREAMLIT_ROOMS = {"ui", "pages", "app"}
PLOTLY_ROOMS = {room for room, rank in RANK.items() if rank >= RANK["figures"]}
# package -> the rooms that may import it; packages not named here are free.
PACKAGES = {
    "streamlit": STREAMLIT_ROOMS,
    "starlette": {"ui"},
    "uvicorn": {"ui"},
    "plotly": PLOTLY_ROOMS,
    "kaleido": PLOTLY_ROOMS,
    "ibis": {"scan"},
    "duckdb": {"sources", "scan"},
    "faiss": {"neighbours"},
    "umap": set(),
    "numba": {"projection"},
    **{name: set() for name in ("pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve")},
}
NUMERIC = {"math", "statistics", "numpy", "pandas", "pyarrow", "scipy", "sklearn"}
FILES = {"pathlib", "os", "io", "shutil", "tempfile", "glob", "urllib", "http", "requests", "sqlite3", "pyarrow"}
# Rooms that may not import these at all.
FORBIDDEN = {
    "grid": FILES | {"pandas", "scipy", "sklearn"},
    "cells": FILES | {"pandas", "scipy", "sklearn"},
    "vectors": FILES | {"pandas", "scipy", "sklearn"},
    "metrics": FILES,
    "pages": NUMERIC,
    "app": NUMERIC,
}
FILE_CALLS = re.compile(
    r"^(open|fromfile|tofile|loadtxt|savetxt|genfromtxt|memmap|read_(csv|parquet|json|table|text|bytes)|to_(csv|parquet))$"
)
PAGE_LINES = 120
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)
UNSAFE_SETTINGS = {"unsafe_allow_html", "unsafe_allow_javascript", "allow_pickle"}
UNSAFE_CALLS = {"eval", "exec", "read_pickle", "to_pickle"}
SQL = re.compile(r"\bSELECT\b.*\bFROM\b", re.DOTALL)


def find_violations(root: Path) -> list[str]:
    """Every broken rule below `root`, as "file:line: sentence"."""
    found: list[str] = []
    for path in sorted([*root.glob("lib/**/*.py"), *root.glob("pages/**/*.py"), *root.glob("app.py")]):
        relative = path.relative_to(root)
        text = path.read_text("utf-8")
        room = room_of(relative)
        if room is None:
            found.append(f"{relative}:1: is in no room of the design; give it a place in ORDER")
            continue
        tree = ast.parse(text)
        problems = [*import_problems(tree, relative, room), *safety_problems(tree)]
        if room in {"pages", "app"}:
            problems += page_problems(tree)
            if len(text.splitlines()) > PAGE_LINES:
                problems.append((1, f"has more than {PAGE_LINES} lines"))
        if room in {"grid", "cells", "metrics"}:
            problems += file_problems(tree, room)
        found += [f"{relative}:{line}: {sentence}" for line, sentence in sorted(problems)]
    return found


def room_of(relative: Path) -> str | None:
    """The room that a file belongs to; "" for lib/__init__.py, None for one that the design does not know."""
    parts = relative.with_suffix("").parts
    if parts[0] != "lib":
        return parts[0]
    if parts == ("lib", "__init__"):
        return ""
    return parts[1] if parts[1] in RANK else None


def imported_modules(tree: ast.AST, relative: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of everything that a module imports, wherever in it."""
    package = relative.with_suffix("").parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join([*base, *([node.module] if node.module else [])])
            # `from lib import cells` imports lib.cells; everywhere else the room is in the stem.
            names = {f"lib.{alias.name}" for alias in node.names} if stem == "lib" else {stem}
            yield from ((node.lineno, name) for name in sorted(names))
        elif isinstance(node, ast.Call) and called_name(node) in {"import_module", "__import__"}:
            for argument in node.args[:1]:
                known = argument.value if isinstance(argument, ast.Constant) else "?"
                yield node.lineno, str(known)


def import_problems(tree: ast.AST, relative: Path, room: str) -> Iterator[tuple[int, str]]:
    for line, name in imported_modules(tree, relative):
        top, *rest = name.split(".")
        if name == "lib.__version__":
            continue  # the product's version, known to everyone
        if name == "?":
            yield line, "imports a module whose name only shows when it runs"
        elif top in {"lib", "pages", "app"}:
            target = rest[0] if top == "lib" and rest else top
            if target == "lib" or (top == "lib" and target not in RANK):
                yield line, f"imports {name}, which is in no room of the design"
            elif not may_import(room, target):
                yield line, f"imports {name}: {room or 'lib'} may not know {target}"
        elif top in {"tests", "benchmarks", "scripts", "sample_data"}:
            yield line, f"imports {name}, which is not part of the product"
        elif room not in PACKAGES.get(top, {room}) or top in FORBIDDEN.get(room, set()):
            yield line, f"imports {name}: {room or 'lib'} may not know {top}"


def may_import(room: str, target: str) -> bool:
    if room == target:
        return True
    return room in RANK and RANK[target] < RANK[room] and (room, target) not in STRANGERS


def called_name(call: ast.Call) -> str:
    """`f` of f(…) and of x.f(…)."""
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def safety_problems(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if called_name(node) in UNSAFE_CALLS:
                yield node.lineno, f"calls {called_name(node)}"
            for keyword in node.keywords:
                off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                if keyword.arg in UNSAFE_SETTINGS and not off:
                    yield node.lineno, f"sets {keyword.arg}"
        elif isinstance(node, ast.Constant) and node.value in UNSAFE_SETTINGS:
            yield node.lineno, f"names {node.value} in a roundabout way"


def page_problems(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ARITHMETIC):
            if not (is_text(node.left) or is_text(node.right)):
                yield node.lineno, f"calculates: {ast.unparse(node)}"
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ARITHMETIC):
            if not is_text(node.value):
                yield node.lineno, f"calculates: {ast.unparse(node)}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"sum", "round"}:
            yield node.lineno, f"calculates: {ast.unparse(node)}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
            yield node.lineno, "speaks SQL"


def is_text(node: ast.expr) -> bool:
    """Whether an operand is visibly text or a list of things, which may be joined."""
    if isinstance(node, ast.BinOp):
        return is_text(node.left) or is_text(node.right)
    return isinstance(node, ast.JoinedStr | ast.List | ast.ListComp | ast.Tuple) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def file_problems(tree: ast.AST, room: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        numpy_file = ast.unparse(node.func) in {"np.load", "np.save", "np.savez", "numpy.load", "numpy.save"}
        if numpy_file or FILE_CALLS.match(called_name(node)):
            yield node.lineno, f"calls {ast.unparse(node.func)}: {room} may not know files"


def test_the_product_keeps_the_rules() -> None:
    assert find_violations(ROOT) == []


def test_the_rules_look_at_the_whole_product() -> None:
    assert {"lib", "errors"} <= {p.stem if p.parent.name == "lib" else "lib" for p in ROOT.glob("lib/**/*.py")}


BROKEN = [
    # order
    ("lib/errors.py", "from lib.cells import Cells", "errors may not know cells"),
    ("lib/errors.py", "from .cells import Cells", "errors may not know cells"),
    ("lib/errors.py", "from lib import schema", "errors may not know schema"),
    ("lib/metrics/margins.py", "def f():\n    import lib.scan.engine", "metrics may not know scan"),
    ("lib/metrics/margins.py", "from ..sources import read", "metrics may not know sources"),
    ("lib/metrics/deep/er.py", "from ...figures.margins import plot", "metrics may not know figures"),
    ("lib/scan/__init__.py", "from lib.jobs import run", "scan may not know jobs"),
    ("lib/checks/flip.py", "from lib.policy import gate", "checks may not know policy"),
    ("lib/reports/html.py", "from lib.workspace import save", "reports may not know workspace"),
    ("lib/__main__.py", "import lib.ui.server", "__main__ may not know ui"),
    ("lib/cli/check.py", "from lib.ui import state", "cli may not know ui"),
    ("lib/ui/cards.py", "import pages.home", "ui may not know pages"),
    ("lib/ui/cards.py", "from lib.__main__ import main", "ui may not know __main__"),
    ("lib/__init__.py", "from lib.errors import MarginaliaError", "lib may not know errors"),
    ("lib/utils.py", "", "is in no room of the design"),
    ("lib/cells.py", "from lib.helpers import x", "in no room of the design"),
    ("lib/cells.py", "import lib", "in no room of the design"),
    ("lib/cells.py", "if TYPE_CHECKING:\n    from lib.scan import x", "cells may not know scan"),
    ("lib/cells.py", "import importlib\nimportlib.import_module('lib.scan')", "cells may not know scan"),
    ("lib/cells.py", "__import__(name)", "only shows when it runs"),
    ("lib/reports/json.py", "from tests.oracle import x", "not part of the product"),
    # packages
    ("lib/figures/margins.py", "import streamlit as st", "figures may not know streamlit"),
    ("lib/checks/flip.py", "def f():\n    from plotly import graph_objects", "checks may not know plotly"),
    ("lib/metrics/auc.py", "import ibis", "metrics may not know ibis"),
    ("lib/metrics/auc.py", "from duckdb import sql", "metrics may not know duckdb"),
    ("lib/metrics/auc.py", "from pathlib import Path", "metrics may not know pathlib"),
    ("lib/metrics/auc.py", "open('x')", "metrics may not know files"),
    ("lib/metrics/auc.py", "np.load('x')", "metrics may not know files"),
    ("lib/metrics/auc.py", "pd.read_csv('x')", "metrics may not know files"),
    ("lib/cells.py", "import pandas", "cells may not know pandas"),
    ("lib/sources/read.py", "import ibis.expr", "sources may not know ibis"),
    ("lib/diagnose.py", "import duckdb", "diagnose may not know duckdb"),
    # pages
    ("pages/home.py", "import numpy as np", "pages may not know numpy"),
    ("pages/home.py", "x = a + b", "calculates: a + b"),
    ("pages/home.py", "x = f(n) / 2", "calculates: f(n) / 2"),
    ("pages/home.py", "x = 1 - rate", "calculates: 1 - rate"),
    ("pages/home.py", "n += 1", "calculates: n += 1"),
    ("pages/home.py", "x = sum(ns)", "calculates: sum(ns)"),
    ("pages/home.py", "q = 'SELECT n FROM cells'", "speaks SQL"),
    ("pages/home.py", "\n" * 121, "more than 120 lines"),
    ("app.py", "x = 2 * 3", "calculates"),
    # safety
    ("pages/home.py", "st.markdown(t, unsafe_allow_html=True)", "sets unsafe_allow_html"),
    ("app.py", "st.markdown(t, unsafe_allow_html=flag)", "sets unsafe_allow_html"),
    ("lib/ui/cards.py", "st.markdown(t, **{'unsafe_allow_html': True})", "in a roundabout way"),
    ("lib/ui/cards.py", "st.html(t, unsafe_allow_javascript=True)", "sets unsafe_allow_javascript"),
    ("lib/sources/npy.py", "np.load(p, allow_pickle=True)", "sets allow_pickle"),
    ("lib/sources/npy.py", "import pickle", "sources may not know pickle"),
    ("lib/jobs.py", "from joblib import load", "jobs may not know joblib"),
    ("lib/policy.py", "eval('1')", "calls eval"),
    ("lib/policy.py", "pd.eval('1')", "calls eval"),
    ("lib/sources/read.py", "pd.read_pickle(p)", "calls read_pickle"),
]


@pytest.mark.parametrize(("path", "source", "sentence"), BROKEN, ids=lambda value: str(value)[:40])
def test_a_broken_rule_is_found(tmp_path: Path, path: str, source: str, sentence: str) -> None:
    write(tmp_path, path, source)
    (found,) = find_violations(tmp_path)
    assert found.startswith(f"{path}:")
    assert sentence in found


SOUND = [
    ("lib/errors.py", "import json"),
    ("lib/schema.py", "from lib.errors import DataError"),
    ("lib/cells.py", "import numpy as np\nfrom lib.schema import Role\nfrom lib.errors import DataError"),
    (
        "lib/metrics/margins.py",
        "import numpy, scipy.stats, sklearn.metrics\nfrom lib.metrics.losses import x\nimport lib.cells",
    ),
    ("lib/scan/query.py", "import ibis\nimport duckdb\nfrom lib.sources.dataset import Dataset\nfrom . import grid"),
    ("lib/policy.py", "from lib.checks import x"),
    ("lib/figures/margins.py", "import plotly.graph_objects as go\nfrom lib.metrics.margins import x"),
    ("lib/ui/server.py", "import streamlit as st\nfrom starlette.routing import Route\nfrom lib.workspace import x"),
    ("lib/__main__.py", "from lib.reports import x\nimport pathlib"),
    (
        "pages/home.py",
        "import streamlit as st\nfrom lib.ui.cards import x\nt = 'a' + name + '%s' % b\nu: int | None = -1",
    ),
    ("app.py", "import streamlit as st\nfrom lib.ui import state"),
    ("lib/sources/npy.py", "np.load(p, allow_pickle=False)\nmodel.evaluate()"),
    ("tests/anything.py", "import pickle"),
]


@pytest.mark.parametrize(("path", "source"), SOUND, ids=[path for path, _ in SOUND])
def test_what_the_design_allows_passes(tmp_path: Path, path: str, source: str) -> None:
    write(tmp_path, path, source)
    assert find_violations(tmp_path) == []


def write(root: Path, path: str, source: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(source, "utf-8")
