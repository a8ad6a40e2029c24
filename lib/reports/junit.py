"""What the gate has decided as JUnit XML, which CI systems show beside tests.

The shape is that of Apache Ant's JUnit reports (the schema of Windy Road Technology, kept with the tests): a case for
each decision. What cannot be told is a failure where the policy says so, and skipped where the policy lets it pass.
"""

from __future__ import annotations

import re
from datetime import UTC
from xml.etree import ElementTree

from lib import __version__
from lib.figures.format import NO_BREAK
from lib.figures.gate_view import GateView
from lib.gate import GateResult
from lib.reports.outline import harmless

CLASS_NAME = "marginalia.gate"
CANNOT_TELL = "cannot tell"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no place for, not even as references."""


def render_junit(result: GateResult) -> str:
    """The decisions as one test suite; words from data are escaped."""
    view = GateView.of(result)
    suite = ElementTree.Element("testsuite")
    properties = ElementTree.SubElement(suite, "properties")
    settings = result.settings
    for name, value in (
        ("dataset", result.facts.name),
        ("key", result.facts.key),
        ("baseline", settings.baseline),
        ("candidate", settings.candidate),
        ("margin_target", f"{settings.margin_target:g}"),
        ("product_version", __version__),
    ):
        ElementTree.SubElement(properties, "property", name=name, value=_text(value))
    failures = skipped = 0
    for row in view.rows:
        case = _case(suite, f"{row.limit}: {row.part}")
        told = f"{row.verdict}: {row.number}" + (f" ({row.interval})" if row.interval else "") + f", n = {row.rows}"
        message = told + (f"; {row.remark}" if row.remark else "")
        if not row.lets_pass:
            failures += 1
            ElementTree.SubElement(case, "failure", type=row.verdict, message=_text(message))
        elif row.verdict == CANNOT_TELL:
            skipped += 1
            ElementTree.SubElement(case, "skipped", message=_text(message))
    for finding in result.forbidden:
        failures += 1
        case = _case(suite, f"finding {finding.name}: {finding.title}")
        failure = ElementTree.SubElement(case, "failure", type="finding", message=_text(finding.title))
        failure.text = _text(finding.remedy)
    if not result.forbidden and result.policy.findings is not None:
        _case(suite, "findings: none is forbidden")
    ElementTree.SubElement(suite, "system-out").text = _text(view.answer())
    ElementTree.SubElement(suite, "system-err")
    suite.attrib |= {
        "name": _text(f"Marginalia gate: {result.policy.name}"),
        "timestamp": f"{result.made_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
        "hostname": "localhost",
        "tests": str(len(suite.findall("testcase"))),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(skipped),
        "time": "0",
    }
    ElementTree.indent(suite)
    body = ElementTree.tostring(suite, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _case(suite: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=CLASS_NAME, name=_text(name), time="0")


def _text(text: str) -> str:
    """Text on one line, with plain blanks, without what XML cannot hold."""
    return _NO_XML.sub("", harmless(text.replace(NO_BREAK, " ")))
