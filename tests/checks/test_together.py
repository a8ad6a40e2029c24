"""What is said of cohort values that the searches do not see one by one, and of values too long for a sentence."""

import dataclasses

import numpy as np
import pytest

from lib.checks import Status, run_checks
from lib.checks.words import LONGEST
from tests.checks.tables import diagnose


@pytest.mark.parametrize("name", ["label-flip", "margin-collapse", "missing-telemetry", "cohort-disparity"])
def test_a_pass_says_which_values_were_looked_at_only_together(world, check, name):
    diagnosis = diagnose(world(6_000), ("language",))
    diagnosis.tables.facts = dataclasses.replace(diagnosis.facts, gathered={"tenant": 801})
    (result,) = [each for each in run_checks(diagnosis) if each.name == name]
    assert result.status is Status.PASS
    assert "801 rarer values of tenant only together" in result.title
    (result,) = check(world(6_000), name)
    assert "together" not in result.title


def test_a_long_value_is_cut_in_the_sentence_and_whole_in_the_evidence(world, check):
    frame = world(8_000)
    name = "L" * 600
    frame["language"] = frame["language"].replace("pt", name)
    here = frame["language"] == name
    frame["score"] = np.where(here, 1 - frame["score"], frame["score"])
    (found,) = check(frame, "label-flip")
    assert found.where.cohort == {"language": name}
    assert "L" * (LONGEST - 1) + "…" in found.title
    assert "L" * LONGEST not in found.title
