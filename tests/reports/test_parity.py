"""Text, Markdown and JSON show the same numbers: every one of them, on every sample.

The tables of the Markdown are read back cell by cell and compared with what the JSON says, written the same way; the
text has the same cells; and no number stands anywhere that JSON does not have.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from lib.figures.format import format_change, format_count, format_interval, format_p, format_value
from lib.metrics.catalogue import METRICS, Unit, metric_named
from lib.reports import Report, render_json, render_markdown, render_text

Row = dict[str, str]
NUMBER = re.compile(r"[−+±]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[−+]?\d+)?")
NAN = float("nan")
OVERVIEW = {
    "Hinge loss": "average_hinge_loss",
    "Median margin": "median_margin",
    "ROC AUC": "roc_auc",
    "Accuracy": "accuracy",
    "Log loss": "log_loss",
    "Logistic loss": "average_logistic_loss",
}


def unescaped(text: str) -> str:
    text = re.sub(r"\\([\\`*_\[\]|~$=+#.)-])", r"\1", text)
    for entity, sign in (("&#58;", ":"), ("&#46;", "."), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return text


def tables_of(markdown: str) -> dict[str, list[Row]]:
    """Heading to the rows of its table, by column title."""
    tables: dict[str, list[Row]] = {}
    heading, titles = "", list[str]()
    for line in markdown.splitlines():
        if line.startswith("## "):
            heading, titles = unescaped(line[3:]), []
        elif line.startswith("| "):
            cells = [unescaped(cell) for cell in re.split(r" \| ", line.removeprefix("| ").removesuffix(" |"))]
            if not titles:
                titles = cells
            elif not line.startswith(("| :-", "| -")):
                assert len(cells) == len(titles), line
                tables.setdefault(heading, []).append(dict(zip(titles, cells, strict=True)))
    return tables


def shown(value: float | None, metric: str) -> str:
    return format_value(NAN if value is None else value, metric_named(metric).unit)


def with_interval(value: float | None, ci: list[float | None] | None, metric: str) -> str:
    if value is None:
        return "undefined"
    low, high = (NAN if each is None else each for each in ci or (None, None))
    around = format_interval(low, high, metric_named(metric).unit)
    return shown(value, metric) + (f" ({around})" if around else "")


def violations(numbers: dict[str, Any]) -> str:
    return with_interval(numbers["violation_rate"], numbers["violation_rate_ci"], "violation_rate")


@pytest.fixture
def document(report: Report) -> dict[str, Any]:
    return json.loads(render_json(report))


@pytest.fixture
def tables(report: Report) -> dict[str, list[Row]]:
    return tables_of(render_markdown(report))


def test_versions(document: dict[str, Any], tables: dict[str, list[Row]]) -> None:
    rows = tables["Versions"]
    assert [row["Version"] for row in rows] == list(document["versions"])
    for row in rows:
        numbers = document["versions"][row["Version"]]
        assert row["Rows"] == format_count(numbers["n"])
        assert row["Without label"] == format_count(numbers["n_unlabelled"])
        assert row["Violation rate and 95 % interval"] == violations(numbers)
        metrics = {title: name for title, name in OVERVIEW.items() if title in row}
        assert len(metrics) == 5
        for title, name in metrics.items():
            assert row[title] == shown(numbers[name], name)


def test_change(document: dict[str, Any], tables: dict[str, list[Row]]) -> None:
    comparison = document["comparison"]
    before, after = comparison["baseline"], comparison["candidate"]
    rows = {row["Metric"]: row for row in tables[f"Change from {before} to {after}"]}
    for metric in METRICS:
        delta = comparison["deltas"][metric.name]
        if metric.label not in rows:
            assert delta["value"] is None
            continue
        row = rows[metric.label]
        assert row[before] == shown(document["versions"][before][metric.name], metric.name)
        assert row[after] == shown(document["versions"][after][metric.name], metric.name)
        value, low, high = (
            format_change(each, metric.unit).removesuffix("points").rstrip() for each in (delta["value"], *delta["ci"])
        )
        unit = "\N{NO-BREAK SPACE}points" if metric.unit == "share" else ""
        assert (
            row[next(name for name in row if name.startswith("Change and 95 % interval, "))]
            == f"{value}{unit} ({low} to {high})"
        )


def test_classes_and_splits(document: dict[str, Any], tables: dict[str, list[Row]]) -> None:
    rows = tables.get("By class") or tables["By class and split"]
    assert len(rows) == sum(2 + len(each["splits"]) for each in document["versions"].values())
    for row in rows:
        version, part = document["versions"][row["Version"]], row["Part"]
        if part.startswith("class"):
            label = {"class −1": "-1", "class +1": "1"}[part]
            rate, ci = (version[f"violation_rate_by_class{end}"][label] for end in ("", "_ci"))
            assert row["Rows"] == format_count(version["violation_rate_by_class_n"][label])
            assert row["Violation rate and 95 % interval"] == with_interval(rate, ci, "violation_rate")
        else:
            split = version["splits"][part.removeprefix("split ")]
            assert row["Rows"] == format_count(split["n"])
            assert row["Violation rate and 95 % interval"] == violations(split)
            assert row["Hinge loss"] == shown(split["average_hinge_loss"], "average_hinge_loss")


def test_cohorts(document: dict[str, Any], tables: dict[str, list[Row]]) -> None:
    by_name = {(f"{each['column']} = {each['value']}", each["version"]): each for each in document["cohorts"]}
    rows = tables["Worst cohorts"]
    lower = [by_name[row["Cohort"], row["Version"]]["excess_ci"][0] for row in rows]
    assert lower == sorted(lower, reverse=True)
    for row in rows:
        each = by_name[row["Cohort"], row["Version"]]
        assert row["Rows"] == format_count(each["n"])
        assert row["Violation rate and 95 % interval"] == violations(each)
        assert row["Rest"] == shown(each["rest"], "violation_rate")
        assert row["Excess over the rest at least"] == format_change(each["excess_ci"][0], "share")
        assert row["Adjusted p"] == format_p(each["p_adjusted"])


def test_inputs_and_rejected_rows(document: dict[str, Any], tables: dict[str, list[Row]]) -> None:
    for row, each in zip(tables["Inputs"], document["inputs"], strict=True):
        assert row["Input"] == each["name"]
        assert row["Records"] == format_count(each["rows"])
        assert row["Rejected"] == format_count(each["rows_rejected"])
        assert each["sha256"].startswith(row["SHA-256"])
    rejected = {row["Problem"]: row["Rows"] for row in tables.get("Rows with a problem", [])}
    assert rejected == {code: format_count(n) for code, n in document["settings"]["n_rejected"].items()}


def test_the_text_has_the_cells_of_the_markdown(report: Report, tables: dict[str, list[Row]]) -> None:
    lines = " ".join(render_text(report, 200).split(" "))
    for rows in tables.values():
        for row in rows:
            for cell in row.values():
                assert cell in lines


def test_findings_are_said_in_the_words_of_json(report: Report, document: dict[str, Any]) -> None:
    text, markdown = squeezed(render_text(report)), squeezed(unescaped(render_markdown(report)))
    for check in document["checks"]:
        for sentence in (check["title"], *(check["evidence"].get("consequences") or [])):
            assert squeezed(sentence) in text
            assert squeezed(sentence) in markdown
        if check["status"] in {"fail", "warn"}:
            assert squeezed(check["explanation"]) in text
            assert squeezed(check["remedy"]) in markdown


def squeezed(text: str) -> str:
    """Without blanks, and so without line breaks."""
    return re.sub(r"\s", "", text)


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def test_no_number_stands_anywhere_that_json_does_not_have(report: Report, document: dict[str, Any]) -> None:
    found = list(leaves(document))
    words = sorted({each for each in found if isinstance(each, str) and each}, key=len, reverse=True)
    allowed = {"95"}  # the level of the intervals
    for value in found:
        if isinstance(value, int | float) and not isinstance(value, bool):
            texts = [format_count(value), format_p(value), f"{value:g}"]
            texts += [format_value(value, unit) for unit in get_args(Unit)]
            texts += [format_change(value, unit) for unit in get_args(Unit)]
            allowed |= {token for text in texts for token in NUMBER.findall(text)}
    allowed |= {token for each in words for token in NUMBER.findall(each)}
    allowed |= {format_count(len(document[name])) for name in ("versions", "cohorts")}
    for rendered in (render_text(report), unescaped(render_markdown(report))):
        # Names and sentences from JSON may break over lines; what they hold is not of this test.
        rest = re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d UTC)?|SHA-256|[0-9a-f]{16}|H-F\d+|[Cc]lass [−+]1", " ", rendered)
        unknown = {
            token for token in NUMBER.findall(rest) if token not in allowed and token.lstrip("−+±") not in allowed
        }
        assert unknown - shown_counts(report) == set()


def shown_counts(report: Report) -> set[str]:
    """Counts of cohorts, which are lengths of parts of JSON."""
    small = sum(each.is_small for each in report.cohorts)
    rest = len(report.cohorts) - small
    return {str(number) for number in range(min(rest, 10) + 1)} | {str(small)} | {str(n) for n in range(rest)}
