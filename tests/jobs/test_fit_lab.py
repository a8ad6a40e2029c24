"""The fit lab's work, with real processes: the answer, what is held, who cancels, what is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from lib.errors import Cancelled, MarginaliaError
from lib.jobs import Pool, fit_lab
from lib.jobs.fit_lab import LabRequest, held_lab, is_slow
from lib.metrics.fit_lab import LabSettings
from lib.scan import Scan
from lib.scan.drawing import DrawQuery
from lib.sources import Answers, Run, build_dataset, infer_mapping, read_table


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    folder, generator, n = tmp_path_factory.mktemp("lab"), np.random.default_rng(0), 3_000
    label = generator.integers(0, 2, n)
    frame = pd.DataFrame({"y_true": label, "decision_score": generator.normal(2 * label - 1, 1)})
    for place in range(3):
        frame[f"x{place}"] = generator.normal(0.5 * label, 1)
    frame.to_parquet(folder / "rows.parquet")
    table = read_table(folder / "rows.parquet", "rows.parquet", folder)
    return Scan(build_dataset([table], infer_mapping([table], Answers(score_kind="decision")).mapping), folder)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    made = Pool(1)
    monkeypatch.setattr(fit_lab, "shared_pool", lambda: made)
    yield made
    made.close()


def asked(scan: Scan, columns: tuple[str, ...] = ("x0", "x1", "x2"), **settings: object) -> LabRequest:
    return LabRequest(DrawQuery(columns, scan.facts.versions[0]), dataclasses.replace(LabSettings(), **settings))


def test_an_answer_comes_from_a_process_and_is_held(scan: Scan, pool: Pool) -> None:
    told: list[tuple[float, str]] = []
    request = asked(scan, c=0.5)
    assert held_lab(scan, request) is None
    answer = fit_lab.fit_lab(scan, request, Run(), lambda share, words: told.append((share, words)))
    assert [share for share, _words in told] == sorted(share for share, _words in told)
    assert {"Drawing rows", "Fitting hinge loss", "Fitting logistic loss"} <= {words for _share, words in told}
    assert answer.lab.logistic.metrics(1.0)["roc_auc"].value > 0.7
    assert len(answer.lab.fits.hinge.score) == answer.drawn.n_all == 3_000
    told.clear()
    assert fit_lab.fit_lab(scan, request, Run(), lambda share, words: told.append((share, words))) is answer
    assert told == []
    other = fit_lab.fit_lab(scan, asked(scan, c=5.0), Run(), lambda share, words: told.append((share, words)))
    assert other.drawn is answer.drawn
    assert other.lab.fits.rows is answer.lab.fits.rows is answer.drawn.rows
    assert "Drawing rows" not in {words for _share, words in told}
    assert is_slow(scan, request) is (answer.lab.seconds > 2 or other.lab.seconds > 2)


def test_cancelling_ends_the_process_and_holds_nothing(scan: Scan, pool: Pool) -> None:
    run, request = Run(), asked(scan, kernel="rbf", c=1000.0)

    def cancel(_share: float, words: str) -> None:
        if words == "Fitting hinge loss":
            run.cancel()

    with pytest.raises(Cancelled):
        fit_lab.fit_lab(scan, request, run, cancel)
    assert pool._all == set()  # pyright: ignore[reportPrivateUsage]
    assert held_lab(scan, request) is None


def test_what_is_refused_is_a_sentence(scan: Scan, pool: Pool) -> None:
    with pytest.raises(MarginaliaError, match="two features at least"):
        fit_lab.fit_lab(scan, asked(scan, ("x0",)), Run(), lambda _share, _words: None)
