"""Settings of a look: their defaults, and what they refuse."""

import pandas as pd
import pytest

from lib.errors import SettingsError
from lib.scan.facts import Facts
from lib.settings import Settings
from tests.checks.tables import FrameTables


@pytest.fixture(scope="module")
def facts() -> Facts:
    return FrameTables(pd.DataFrame({"score": [0.2, 0.4, 0.8], "version": ["v1", "v2", "v10"]})).facts


def test_baseline_is_the_first_version_and_candidate_the_last(facts: Facts) -> None:
    settings = Settings.choose(facts)
    assert (settings.baseline, settings.candidate) == (facts.versions[0], facts.versions[-1])
    assert settings.baseline != settings.candidate


def test_a_version_that_is_not_there_is_refused_with_those_that_are(facts: Facts) -> None:
    with pytest.raises(SettingsError, match=r"There is no version 'v11'; there are .* Did you mean"):
        Settings.choose(facts, baseline="v11")
