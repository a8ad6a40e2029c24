"""Writes docs/checks.md from the table of checks and the measured rates.

python scripts/make_checks_doc.py             write the page
python scripts/make_checks_doc.py --measure   measure the rates first (a few minutes), into tests/checks/rates.csv
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lib.checks import ALARM_RATE, CHECKS  # noqa: E402
from lib.checks.embeddings import EMBEDDING_CHECKS  # noqa: E402

PAGE = ROOT / "docs" / "checks.md"
RATES = ROOT / "tests" / "checks" / "rates.csv"
N_CLEAN, N_FAULTY = 400, 60
CLEAN, RESCALED, SEVERAL = "clean", "clean, rescaled", "clean, several classes"


def measure(n_clean: int = N_CLEAN, n_faulty: int = N_FAULTY) -> pd.DataFrame:
    """Per check and kind of data: data sets, those in which the check fired, those in which it named the right part."""
    from sample_data.faults import CHECKS as CHECK_OF
    from tests.checks.class_worlds import measure_classes
    from tests.checks.crossing_worlds import measure_crossings
    from tests.checks.feature_worlds import measure_features
    from tests.checks.hinge_worlds import measure_support_vectors
    from tests.checks.rates import CASES, false_alarms, measure_case, measure_clean
    from tests.checks.training_worlds import measure_training
    from tests.checks.vector_faults import measure_vectors

    rows: list[tuple[str, str, int, int, int]] = []
    for data, rescaled, number in ((CLEAN, False, n_clean), (RESCALED, True, n_clean // 2)):
        alarms = dict.fromkeys((check.name for check in CHECKS), 0)
        for _seed, world, found in measure_clean(range(number), rescaled=rescaled):
            for name in false_alarms(world, found):
                alarms[name] += 1
        rows += [(name, data, number, count, 0) for name, count in alarms.items()]
    for case in CASES:
        outcomes = list(measure_case(case, range(n_faulty)))
        fired, named = (sum(getattr(each, what) for each in outcomes) for what in ("fired", "named"))
        rows.append((CHECK_OF[case.fault], case.name, n_faulty, fired, named))
    own = [
        *measure_features(n_clean, n_faulty),
        *measure_support_vectors(n_clean, n_faulty),
        *measure_training(n_clean, n_faulty),
        *measure_vectors(n_clean // 2, n_faulty // 2),
    ]
    rows = [row for row in rows if row[0] not in {each[0] for each in own}] + own
    rows += measure_classes(n_clean // 2, n_faulty)
    rows += measure_crossings(n_clean // 2, n_faulty)
    return pd.DataFrame(rows, columns=["check", "data", "n_sets", "fired", "named"])


def render(rates: pd.DataFrame) -> str:
    """The page."""
    lines = [
        "# Checks",
        "",
        "Made by `scripts/make_checks_doc.py` from the tables in `lib/checks/table.py` and",
        "`lib/checks/embeddings/table.py`; do not edit.",
        "",
        "Each check tells a finding from chance (significance) and from what is too small to matter (minimum effect);",
        f"both are needed. On a clean file each check may fire with a probability of {100 * ALARM_RATE:g} %, over all",
        "that it looks at in that file. A part is a version, a cohort value, a run of adjacent windows, or several of",
        "these together; of the parts that explain the same rows the fewest and coarsest are named.",
        "",
        "| code | check | minimum effect | severity | alarms on clean data | and versions on other scales "
        "| and several classes |",
        "|---|---|---|---|---:|---:|---:|",
    ]
    clean = {data: rates[rates["data"] == data].set_index("check") for data in (CLEAN, RESCALED, SEVERAL)}
    for check in (*CHECKS, *EMBEDDING_CHECKS):
        alarms = " | ".join(
            f"{of.loc[check.name, 'fired']} of {of.loc[check.name, 'n_sets']}" if check.name in of.index else "–"
            for of in clean.values()
        )
        lines.append(f"| {check.code} | `{check.name}` | {check.minimum_effect} | {check.severity} | {alarms} |")
    for check in (*CHECKS, *EMBEDDING_CHECKS):
        lines += ["", f"## `{check.name}` ({check.code})", "", check.cause, "", f"*What to do.* {check.remedy}", ""]
        lines += [f"*Method.* {check.reference}.", "", f"*Minimum effect.* {check.minimum_effect}.", ""]
        faulty = rates[(rates["check"] == check.name) & ~rates["data"].isin(clean)]
        what = {"training": "in curves", "embeddings": "300 to 2,500 vectors"}.get(check.over, "5,000 rows")
        lines += [f"| injected fault ({what}) | data sets | found | right part named |", "|---|---:|---:|---:|"]
        lines += [f"| {row.data} | {row.n_sets} | {row.fired} | {row.named} |" for row in faulty.itertuples()]
    lines += [
        "",
        "Clean data sets of the two checks of support vectors are fitted: linear and radial machines with C of 1 to 10",
        "on 300 to 700 training rows of 4 to 19 features, classes that overlap by 2 to 15 %, and 600 test rows.",
        "",
        "Other clean data sets go through balanced and 2 % positive classes, good models and useless ones, with and",
        "without missing labels and weights, one to three versions one after the other, side by side or all on the",
        "same rows,",
        "daily rhythms, and 1,000 to 20,000 rows; that `class-imbalance` fires at 2 % positives and `small-sample` at",
        "a thousand rows is no false alarm. Faults are those of `sample_data/faults.py` at their default strength; one",
        "that is confined to a time covers at least one whole window, and a gap is in a file of two weeks or more (in",
        "a shorter one, a day off may be a weekend). Versions on other scales are decision scores that each later",
        "version multiplies by 0.05 to 20, half of them squeezed besides: ranks and decisions stay. Drifts are in one",
        "or two versions of models of AUC 0.92, slower and dearer candidates in versions one after the other. What is",
        "counted over all rows (`duplicate-ids`, `leaky-split`, `missing-deploy-context`) leaves nothing to chance:",
        "there the rates say that the minimum effect is met.",
        "",
        "Several classes are three, four, ten and fifty, even and with rare ones, one of which is never answered, of",
        "good, weak and useless models, in probabilities and decision scores, of 2,000 to 10,000 rows; there",
        "`class-imbalance` and `small-sample` fire rightly. Exchanged are two classes, three or all, of three, four or",
        "ten, by their scores or by their labels; the right part is named with what each class is answered as.",
        "",
        "Checks of training histories look at curves instead: healthy ones of 1 to 120 epochs or 300 to 3,000 batches",
        "fall as an exponential or a power of time from ln 2, ln 10 or ln 100, with noise that remembers itself, large",
        "noise of batches, warm-up, warm restarts of a cosine schedule, few epochs or one, and as fine-tuning; on",
        "other scales they are a mean squared error in a unit of its own. Faults are in 16 to 100 epochs.",
        "",
        "Checks of vectors (E-F) are run by `python -m lib embed`, and behind the pages of vectors. What came with the",
        "candidate and follows from a fall of recall, a collapse or duplicates stands under that finding. Clean",
        "worlds are two seeds of one model, a tuned model, halves of one version, queries drawn anew, and times",
        "without a season (few rows at night and at the week's end, bursts, gaps, a course that wanders): 150 to",
        "5,000 vectors of 16 to 384 dimensions in classes of 4, 10 or 30, under both distances, with cohorts and",
        "sensitive columns dealt at random, three of eight with a recall at its ceiling; there no fall that",
        "recall hides was told. A copy loses its tie to the row that it is a copy of: copies alone take few answers",
        "away.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write docs/checks.md.")
    parser.add_argument("--measure", action="store_true", help="measure the rates first")
    if parser.parse_args().measure:
        measure().to_csv(RATES, index=False, lineterminator="\n")
    PAGE.write_text(render(pd.read_csv(RATES)), encoding="utf-8")


if __name__ == "__main__":
    main()
