"""Where a cohort's fault lies: in one value of another column, in all of its values but some, or in the cohort."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from lib.checks import run_checks
from lib.checks.crossings import find_crossed
from tests.checks.crossed import BACK, DAY, DEPLOYED, START
from tests.checks.tables import diagnose

CLIENTS = ("web", "android", "ios")
COHORTS = ("locale", "client")


def world(hit: tuple[str, ...], *, seed: int = 0, n: int = 24_000) -> pd.DataFrame:
    """A month; while v2 serves, seven of ten scores of locale pl on these clients are turned round."""
    rng = np.random.default_rng(seed)
    second = START + np.sort(rng.integers(0, 30 * DAY, n))
    locale = rng.choice(["en", "de", "pl"], n, p=[0.6, 0.3, 0.1])
    client = rng.choice(CLIENTS, n, p=[0.35, 0.25, 0.4])
    label = rng.random(n) < 0.35
    served = (second >= DEPLOYED) & (second < BACK)
    logit = np.where(label, 1.6, -1.6) + rng.normal(0, 1.1, n)
    turned = served & (locale == "pl") & np.isin(client, hit) & (rng.random(n) < 0.7)
    return pd.DataFrame(
        {
            "time": pd.to_datetime(second, unit="s", utc=True),
            "version": np.where(served, "v2", "v1"),
            "label": label.astype(float),
            "score": expit(np.where(turned, -logit, logit)),
            "locale": locale,
            "client": client,
        }
    )


@pytest.mark.parametrize("seed", range(4))
def test_of_several_values_those_that_are_sound_are_left_out(seed: int) -> None:
    data = world(("web", "android"), seed=seed)
    diagnosis = diagnose(data, COHORTS)
    findings = [each for each in run_checks(diagnosis) if each.is_finding]
    (found,) = (each for each in findings if each.name == "label-flip")
    assert found.where.cohort == {"locale": "pl"}
    assert found.version == "v2"
    assert "locale = pl in version v2 apart from client = ios (AUC" in found.title
    assert found.evidence["apart"] == {"column": "client", "values": ["ios"]}
    assert found.evidence["n"] == ((data.locale == "pl") & (data.client != "ios") & (data.version == "v2")).sum()
    assert "when v2 was deployed" in found.explanation
    assert not [each for each in findings if each.name in ("noisy-labels", "cohort-disparity")], (
        "one cause, one finding"
    )


def test_one_value_is_named_and_none_left_out() -> None:
    (crossed,) = find_crossed(diagnose(world(("web",)), COHORTS))
    assert crossed.crossing.cohort == {"locale": "pl", "client": "web"}
    assert crossed.crossing.apart.words == ""


def test_where_all_values_are_hit_it_is_the_cohort() -> None:
    assert find_crossed(diagnose(world(CLIENTS), COHORTS)) == []


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_crossed_on_clean_data(seed: int) -> None:
    assert find_crossed(diagnose(world((), seed=seed), COHORTS)) == []
