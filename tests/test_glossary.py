"""Every name that a person may meet is in the glossary: metrics, losses, checks, roles, problems and JSON keys."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.checks import CHECKS, Severity, Status
from lib.checks.embeddings import EMBEDDING_CHECKS
from lib.grid import RESOLUTIONS
from lib.metrics.catalogue import METRICS
from lib.metrics.index_consistency import SENTENCES
from lib.metrics.loss_functions import LOSSES
from lib.scan import PROBLEMS, STRUCTURAL
from lib.schema import SINGLE_ROLES, ScoreKind

ROOT = Path(__file__).resolve().parents[1]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
NAMES = set(re.findall(r"`([^`\n]+)`", GLOSSARY))
TERMS = re.findall(r"^\*\*(.+?)\*\*", GLOSSARY, re.MULTILINE)


def json_keys(path: Path) -> Iterator[str]:
    """Keys that a module of reports writes: those of its dict displays, and those that it assigns one by one."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Dict):
            yield from text_keys(node)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            yield from (str(each.value) for each in [node.slice] if isinstance(each, ast.Constant))


def evidence_keys(path: Path) -> Iterator[str]:
    """Keys of the evidence that a check gives with what it answers."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"Finding", "Passed", "Seen"}
        ):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Dict):
                    yield from text_keys(inner)


def text_keys(node: ast.Dict) -> Iterator[str]:
    yield from (key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def all_keys() -> set[str]:
    reports, checks = ROOT / "lib" / "reports", ROOT / "lib" / "checks"
    names = {path.name for path in reports.glob("*json.py")}
    names |= {"numbers.py", "training.py", "thresholds.py", "slices.py", "monitoring.py"}
    keys = {key for name in names for key in json_keys(reports / name)}
    keys |= {key for path in checks.rglob("*.py") for key in evidence_keys(path)}
    return {key.removesuffix("_ci") for key in keys}


KEYS = all_keys()


def test_keys_are_found() -> None:
    assert {"format_version", "deltas", "excess", "share_missing", "violation_rate_by_class", "n_by_metric"} <= KEYS


@pytest.mark.parametrize("key", sorted(KEYS))
def test_json_key_is_explained(key: str) -> None:
    assert key in NAMES


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_metric_is_explained(metric) -> None:
    assert metric.name in NAMES


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_loss_is_explained(loss) -> None:
    assert loss.name in NAMES


@pytest.mark.parametrize("check", [*CHECKS, *EMBEDDING_CHECKS], ids=lambda check: check.name)
def test_check_is_explained_with_its_code(check) -> None:
    assert f"check `{check.name}`, {check.code}" in GLOSSARY


@pytest.mark.parametrize(
    "name",
    [
        *(role.value for role in SINGLE_ROLES),
        *(kind.value for kind in ScoreKind),
        *(status.value for status in Status),
        *(severity.value for severity in Severity),
        *(resolution.name for resolution in RESOLUTIONS),
        *PROBLEMS,
        STRUCTURAL,
        *SENTENCES,
    ],
)
def test_name_is_explained(name: str) -> None:
    assert name in NAMES


def test_terms_are_in_alphabetical_order_once_each() -> None:
    def order(term: str) -> str:
        return re.sub(r"[^a-z0-9 ]", " ", term.casefold()).strip()

    assert sorted(TERMS, key=order) == TERMS
    assert len(set(TERMS)) == len(TERMS) > 50


def test_keys_of_the_table_are_in_alphabetical_order() -> None:
    firsts = re.findall(r"^\| `([^`]+)`", GLOSSARY, re.MULTILINE)
    assert sorted(firsts) == firsts
