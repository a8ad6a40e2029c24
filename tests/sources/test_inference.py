"""What columns mean: each rule, each ambiguity, each sentence, on files small enough to read."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.errors import AmbiguityError, DataError, SettingsError
from lib.schema import LabelEncoding, Mapping, Role, ScoreKind, TimeFormat
from lib.sources import Answers, build_dataset, compute_shape, infer_mapping, read_table
from lib.sources.columns import describe_unread, unite_columns


def csv(**columns: Sequence[object]) -> str:
    rows = zip(*columns.values(), strict=True)
    return ";".join(columns) + "\n" + "".join(";".join(str(cell) for cell in row) + "\n" for row in rows)


def labelled(labels: Sequence[object], **more: Sequence[object]) -> str:
    scores = [round(0.7 * (k - 1.5), 3) for k in range(len(labels))]
    return csv(label=labels, score=scores, **more)


def evidence(inference, topic: str):
    return next(item for item in inference.evidence if item.topic == topic)


def test_a_full_file(read):
    n = 60
    table = read(
        csv(
            request_id=[f"r{k}" for k in range(n)],
            y_true=[int(k % 3 == 0) for k in range(n)],
            decision_function=[k / 7 - 4 for k in range(n)],
            model_version=[f"v{k % 2}" for k in range(n)],
            split=["train" if k % 2 else "test" for k in range(n)],
            created_at=[f"2026-03-{1 + k % 28:02d} 10:00:00" for k in range(n)],
            sample_weight=[1 + k % 2 for k in range(n)],
            latency_ms=[10 + k / 3 for k in range(n)],
            cost_usd=[0.001 * k for k in range(n)],
            language=["de" if k % 2 else "en" for k in range(n)],
            stars=[k % 5 for k in range(n)],
            age=[20 + k for k in range(n)],
            comment=[f"free text number {k}" for k in range(n)],
        )
    )
    inference = infer_mapping([table])
    assert inference.questions == ()
    assert inference.mapping == Mapping(
        score="decision_function",
        score_kind=ScoreKind.DECISION,
        label="y_true",
        label_encoding=LabelEncoding(("1",), ("0",)),
        id="request_id",
        version="model_version",
        split="split",
        time="created_at",
        time_format=TimeFormat("iso", "UTC"),
        weight="sample_weight",
        latency="latency_ms",
        cost="cost_usd",
        cohorts=("language", "stars"),
        features=("age",),
    )
    assert evidence(inference, "label").sentence == "Named y_true; 2 distinct values: 0 (66.7 %), 1 (33.3 %)."
    assert evidence(inference, "score_kind").sentence == "Its name speaks of a decision score; values from -4 to 4.429."
    assert evidence(inference, "timezone").sentence == "Times carry no zone and are read as UTC."
    assert evidence(inference, "time_format").examples[0] == "2026-03-01 10:00:00"
    assert inference.roles["comment"] is Role.IGNORED
    assert inference.roles["request_id"] is Role.ID
    for item in inference.evidence:
        assert len(item.sentence.split()) <= 30
        assert len(item.examples) <= 5


@pytest.mark.parametrize(
    ("name", "low", "high", "kind"),
    [
        ("y_prob", 0, 1, "probability"),
        ("proba", 0, 1, "probability"),
        ("Probability", 0, 1, "probability"),
        ("predictedProbability", 0, 1, "probability"),
        ("confidence", 0.1, 0.9, "probability"),
        ("p", 0, 1, "probability"),
        ("wahrscheinlichkeit", 0, 1, "probability"),
        ("logit", -3, 3, "logit"),
        ("logit", 0, 1, "logit"),
        ("log_odds", -3, 3, "logit"),
        ("score", -3, 3, "decision"),
        ("y_score", -1, 1, "decision"),
        ("decision_function", 0, 1, "decision"),
        ("margin", -2, 2, "decision"),
        ("pred", -1, 2, "decision"),
        ("score", 0, 1, None),
        ("pred", 0, 1, None),
        ("y_score", 0.2, 0.8, None),
        ("y_prob", 0, 1.5, None),
    ],
)
def test_score_kind(read, name, low, high, kind):
    values = [low + (high - low) * k / 40 for k in range(41)]
    inference = infer_mapping([read(csv(label=[0, 1] * 20 + [1], **{name: values}))])
    if kind is None:
        (question,) = inference.questions
        assert question.topic == "score_kind"
        with pytest.raises(AmbiguityError, match=r"What is it|a probability or a raw decision score"):
            _ = inference.mapping
    else:
        assert inference.mapping.score == name
        assert inference.mapping.score_kind == kind


def test_a_probability_outside_its_range_is_counted(read):
    table = read(csv(label=[0, 1] * 50, y_prob=[k / 80 for k in range(100)]))
    (question,) = infer_mapping([table]).questions
    assert "19 of 100 values (19.0 %) lie outside 0 to 1" in question.sentence
    settled = infer_mapping([table], Answers(score_kind="probability"))
    assert settled.mapping.score_kind is ScoreKind.PROBABILITY
    assert "19 values of 100 outside 0 to 1 cannot be used" in evidence(settled, "score_kind").sentence


@pytest.mark.parametrize(
    ("labels", "positive", "negative"),
    [
        ([0, 1], ("1",), ("0",)),
        ([-1, 1], ("1",), ("-1",)),
        (["-1", "+1"], ("1",), ("-1",)),
        (["0.0", "1.0"], ("1",), ("0",)),
        (["true", "false"], ("true",), ("false",)),
        (["TRUE", "True", "False"], ("TRUE", "True"), ("False",)),
        (["yes", "no"], ("yes",), ("no",)),
        (["Y", "N"], ("Y",), ("N",)),
        (["t", "f"], ("t",), ("f",)),
        (["positive", "negative"], ("positive",), ("negative",)),
        (["pos", "neg"], ("pos",), ("neg",)),
        (["spam", "ham"], ("spam",), ("ham",)),
        (["fraud", "legit"], ("fraud",), ("legit",)),
        (["toxic", "not toxic"], ("toxic",), ("not toxic",)),
        (["relevant", "non-relevant"], ("relevant",), ("non-relevant",)),
        (["M", "B"], None, None),
        ([1, 2], None, None),
        (["good", "bad"], None, None),
        (["cat", "dog"], None, None),
    ],
)
def test_label_encodings(read, labels, positive, negative):
    inference = infer_mapping([read(labelled(labels * 6))])
    if positive is None:
        (question,) = inference.questions
        assert question.topic == "pos_label"
        assert {value for value, _ in question.options} == {str(label) for label in labels}
        assert "50.0 % of labels" in question.options[0][1]
        settled = infer_mapping([read(labelled(labels * 6))], Answers(pos_label=str(labels[1])))
        assert settled.mapping.label_encoding == LabelEncoding((str(labels[1]),), (str(labels[0]),))
        return
    encoding = inference.mapping.label_encoding
    assert encoding is not None
    assert set(encoding.positive) == set(positive)
    assert set(encoding.negative) == set(negative)


@pytest.mark.parametrize(("declared", "positive", "negative"), [("1", "1", "0"), ("0", "0", "1")])
def test_a_declared_positive_leaves_faulty_labels_out(read, declared, positive, negative):
    table = read(labelled([0, 1] * 100 + ["maybe"]))
    inference = infer_mapping([table], Answers(pos_label=declared))
    assert inference.mapping.label_encoding == LabelEncoding((positive,), (negative,))
    assert evidence(inference, "pos_label").sentence == (
        f"{positive} was declared positive, {negative} is negative. 1 other label cannot be used: maybe."
    )


def test_declared_positive_turns_a_known_pair_round(read):
    inference = infer_mapping([read(labelled([0, 1, 1, 0]))], Answers(pos_label="0"))
    assert inference.mapping.label_encoding == LabelEncoding(("0",), ("1",))


def test_one_class_only(read):
    known = infer_mapping([read(labelled([0, 0, 0]))])
    assert known.mapping.label_encoding == LabelEncoding(("1",), ("0",))
    assert evidence(known, "pos_label").sentence == "Every label is 0: all rows are negative."
    table = read(labelled(["cat"] * 3))
    (question,) = infer_mapping([table]).questions
    assert [value for value, _ in question.options] == ["cat", "not cat"]
    for answer, encoding in (("cat", (("cat",), ())), ("not cat", (("not cat",), ("cat",)))):
        settled = infer_mapping([table], Answers(pos_label=answer)).mapping
        assert settled.label_encoding is not None
        assert settled.label_encoding.positive == encoding[0]
        build_dataset([table], settled)


def test_labels_are_united_over_files(read):
    only_yes, only_no = read(labelled(["yes"] * 4), "a.csv"), read(labelled(["no"] * 4), "b.csv")
    mapping = infer_mapping([only_yes, only_no]).mapping
    assert mapping.label_encoding == LabelEncoding(("yes",), ("no",))
    numbers = read(labelled([0, 1, 0, 1]), "c.csv")
    mixed = infer_mapping([numbers, only_yes]).mapping
    assert mixed.label_encoding == LabelEncoding(("1", "yes"), ("0",))


def test_unlabelled(read):
    missing = infer_mapping([read(labelled(["", "", ""]))])
    assert missing.mapping.label == "label"
    assert evidence(missing, "pos_label").sentence == "Every label is missing: all rows are unlabelled."
    absent = infer_mapping([read(csv(decision=[1.5, 2.5, -0.5], city=["x", "y", "z"]))])
    assert absent.mapping.label is None
    assert "unlabelled" in evidence(absent, "label").sentence


def test_more_than_two_classes(read):
    table = read(labelled(["cat", "dog", "cow"] * 4))
    (question,) = infer_mapping([table]).questions
    assert question.topic == "pos_label"
    assert question.sentence == (
        "label has 3 classes: cat (33.3 %), cow (33.3 %), dog (33.3 %). Which one is the positive class, with all "
        "others as negative?"
    )
    assert [value for value, _ in question.options] == ["cat", "cow", "dog"]
    settled = infer_mapping([table], Answers(pos_label="dog"))
    assert settled.mapping.label_encoding == LabelEncoding(("dog",), ("cat", "cow"))
    assert "all 2 other classes together are negative" in evidence(settled, "pos_label").sentence
    (question,) = infer_mapping([table], Answers(pos_label="horse")).questions
    assert question.sentence.startswith("label has no label horse. label has 3 classes: cat")
    assert infer_mapping([table], Answers(roles={"label": ""})).mapping.label is None


def test_files_that_encode_labels_differently_are_asked(read):
    numbers = read(labelled([0, 1] * 400), "a.csv")
    signs = read(labelled([-1, 1] * 4), "b.csv")
    (question,) = infer_mapping([numbers, signs]).questions
    assert question.topic == "pos_label"
    assert "a.csv holds 0 (50.0 %), 1 (50.0 %); b.csv holds -1 (50.0 %), 1 (50.0 %)" in question.sentence
    assert {value for value, _ in question.options} == {"1", "0", "-1"}
    settled = infer_mapping([numbers, signs], Answers(pos_label="1")).mapping
    assert settled.label_encoding == LabelEncoding(("1",), ("0", "-1"))


def test_only_labels_that_are_there_are_named(read):
    for labels, choice in ((["no"], ""), (["yes"], "yes"), (["", ""], ""), (["no", "Yes"], "Yes")):
        inference = infer_mapping([read(labelled(labels * 6))])
        assert evidence(inference, "pos_label").choice == choice


def test_a_few_bad_labels_are_no_class(read):
    inference = infer_mapping([read(labelled([0, 1] * 100 + ["maybe"]))])
    assert inference.mapping.label_encoding == LabelEncoding(("1",), ("0",))
    assert "1 other label cannot be used: maybe" in evidence(inference, "pos_label").sentence


def test_several_labels_are_asked(read):
    table = read(csv(label=[0, 1, 1], target=[1, 1, 0], score=[-1.5, 2.5, 3.5]))
    (question,) = infer_mapping([table]).questions
    assert question.topic == "label"
    assert [value for value, _ in question.options] == ["label", "target", ""]
    assert infer_mapping([table], Answers(roles={"label": "target"})).mapping.label == "target"
    assert infer_mapping([table], Answers(roles={"label": ""})).mapping.label is None


def test_unnamed_label_is_asked(read):
    table = read(csv(churned=["yes", "no", "no"], score=[-1.5, 2.5, 3.5], city=["a", "b", "a"]))
    (question,) = infer_mapping([table]).questions
    assert question.topic == "label"
    assert [value for value, _ in question.options] == ["churned", ""]


def test_hard_predictions_are_no_label_no_score_and_no_cohort(read):
    table = read(csv(y=[0, 1, 1, 0], y_pred=[0, 1, 0, 0], y_score=[-1.5, 2.5, 3.5, 0.25]))
    inference = infer_mapping([table])
    assert (inference.mapping.label, inference.mapping.score) == ("y", "y_score")
    assert inference.roles["y_pred"] is Role.IGNORED
    assert inference.unused == (("y_pred", "named like a prediction, and another column is the score"),)


def test_several_scores_are_asked(read):
    table = read(csv(label=[0, 1, 1], y_prob=[0.5, 0.25, 0.75], logit=[0, -1.1, 1.1]))
    (question,) = infer_mapping([table]).questions
    assert question.topic == "score"
    settled = infer_mapping([table], Answers(roles={"score": "logit"})).mapping
    assert (settled.score, settled.score_kind, settled.features) == ("logit", ScoreKind.LOGIT, ("y_prob",))


def test_no_score_is_asked_or_said(read):
    table = read(csv(label=[0, 1, 1], age=[30, 40, 50], size=[1, 2, 3]))
    (question,) = infer_mapping([table]).questions
    assert question.topic == "score"
    with pytest.raises(DataError, match=r"no column of numbers that could be the score; there is city"):
        infer_mapping([read(csv(city=["a", "b", "c"]))])


def test_score_with_bad_cells_is_still_the_score(read):
    table = read(labelled([0, 1] * 30 + [1]).replace("0.7;", "0.7").replace(";-0.35\n", ";oops\n"))
    inference = infer_mapping([table])
    assert inference.mapping.score == "score"
    assert "1 value no number" in evidence(inference, "score").sentence


@pytest.mark.parametrize(
    ("times", "pattern"),
    [
        (["2026-03-04", "2026-04-05"], "iso"),
        (["2026-03-04T10:00:00Z", "2026-04-05T10:00:00+02:00"], "iso"),
        (["2026-03-04 10:00:00.123", "2026-04-05 10:00:00"], "iso"),
        ([1772600000, 1772700000], "epoch_seconds"),
        ([1772600000000, 1772700000000], "epoch_milliseconds"),
        ([1772600000000000, 1772700000000000], "epoch_microseconds"),
        ([1772600000000000000, 1772700000000000000], "epoch_nanoseconds"),
        (["1772600000.5", "1772700000.25"], "epoch_seconds"),
        ([20260304, 20260405], "%Y%m%d"),
        (["13/04/2026", "03/04/2026"], "%d/%m/%Y"),
        (["04/13/2026", "04/03/2026"], "%m/%d/%Y"),
        (["13.4.26", "3.4.26"], "%d.%m.%y"),
        (["13-04-2026 7:05", "03-04-2026 17:05"], "%d-%m-%Y %H:%M"),
        (["4/13/2026 1:05:09 PM", "4/3/2026 11:05:09 AM"], "%m/%d/%Y %I:%M:%S %p"),
        (["2026/03/04 10:00:00", "2026/03/05 10:00:00"], "%Y/%m/%d %H:%M:%S"),
        (["13/04/2026 10:00:00.250", "03/04/2026 10:00:00.250"], "%d/%m/%Y %H:%M:%S.%f"),
    ],
)
def test_time_formats(read, times, pattern):
    inference = infer_mapping([read(labelled([0, 1] * 4, time=times * 4))])
    assert inference.mapping.time == "time"
    assert inference.mapping.time_format == TimeFormat(pattern, "UTC")


def test_day_and_month_are_settled_by_one_value_far_down(read):
    times = ["03/04/2026"] * 30_000 + ["25/04/2026"] + ["05/04/2026"] * 100
    inference = infer_mapping([read(labelled([0, 1] * 15_050 + [1], time=times))])
    assert inference.mapping.time_format == TimeFormat("%d/%m/%Y")
    assert evidence(inference, "time_format").sentence == (
        "Day before month: 30,101 values of 30,101 can be read so, 30,100 the other way round."
    )


def test_undecidable_dates_are_asked(read):
    table = read(labelled([0, 1] * 2, time=["04/04/2026", "03/04/2026", "05/06/2026", "01/02/2026"]))
    inference = infer_mapping([table])
    (question,) = inference.questions
    assert question.topic == "date_format"
    assert question.options == (
        ("%d/%m/%Y", "03/04/2026 is 3 April 2026"),
        ("%m/%d/%Y", "03/04/2026 is 4 March 2026"),
    )
    settled = infer_mapping([table], Answers(time_pattern="%m/%d/%Y", timezone="Europe/Berlin"))
    assert settled.mapping.time_format == TimeFormat("%m/%d/%Y", "Europe/Berlin")
    assert evidence(settled, "timezone").sentence == "Declared: times without a zone are Europe/Berlin."


def test_times_that_cannot_be_read_are_said(read):
    table = read(labelled([0, 1] * 3, time=["2026-03-04"] * 5 + ["yesterday"]))
    assert "1 value of 6 cannot be read so" in evidence(infer_mapping([table]), "time_format").sentence
    for pattern, sentence in (
        ("%d.%m.%Y", "No value of time can be read as %d.%m.%Y, for example 2026-03-04"),
        ("german", "german is no date format"),
        ("%Q", "%Q is no date format"),
    ):
        (question,) = infer_mapping([table], Answers(time_pattern=pattern)).questions
        assert question.topic == "date_format"
        assert question.sentence.startswith(sentence)
    with pytest.raises(DataError, match="There is no time zone Europe/Nowhere"):
        infer_mapping([table], Answers(timezone="Europe/Nowhere"))


def test_a_time_name_over_something_else_is_no_time(read):
    inference = infer_mapping([read(labelled([0, 1] * 3, time=[3, 1, 4, 1, 5, 9], date=["a", "b"] * 3))])
    assert inference.mapping.time is None
    asked = infer_mapping([read(labelled([0, 1] * 3, date=["a", "b"] * 3))], Answers(roles={"time": "date"}))
    (question,) = asked.questions
    assert question.topic == "date_format"
    assert question.sentence.startswith("date cannot be read as the time, for example a and b")
    assert asked.roles["date"] is Role.TIME


@pytest.mark.parametrize(
    ("times", "options"),
    [
        (
            ["2026-03-04"] * 35 + ["04/13/2026"] * 40 + ["soon"] * 25,
            [("%m/%d/%Y", "40 values of 100 can be read so"), ("iso", "35 values of 100 can be read so")],
        ),
        (["2026-03-04"] * 2 + ["soon", "later"] * 3, [("iso", "2 values of 8 can be read so")]),
        ([0] * 5 + [1772600000], [("epoch_seconds", "the latest is 2026-03-04")]),
    ],
)
def test_times_half_of_which_cannot_be_read_are_asked(read, times, options):
    table = read(labelled([0, 1] * (len(times) // 2), ts=times))
    inference = infer_mapping([table])
    (question,) = inference.questions
    assert (question.topic, inference.roles["ts"]) == ("date_format", Role.TIME)
    assert question.sentence.startswith("ts cannot be read as the time, for example ")
    assert list(question.options) == options
    settled = infer_mapping([table], Answers(time_pattern=options[0][0])).mapping
    assert (settled.time, settled.time_format) == ("ts", TimeFormat(options[0][0]))
    assert infer_mapping([table], Answers(roles={"time": ""})).mapping.time is None


def test_the_true_reason_why_a_column_is_not_the_time(read):
    n = 300
    texts = [f"about {k} o'clock" for k in range(n)]
    days = [f"2026-03-04 10:{k % 60:02d}:{k // 60:02d}" for k in range(n)]
    inference = infer_mapping([read(labelled([0, 1] * 150, ts=texts, created_at=days, updated_at=days))])
    assert inference.mapping.time == "created_at"
    unused = dict(inference.unused)
    assert unused["ts"].startswith("its values cannot be read as times, for example about 0 o'clock and about ")
    assert unused["updated_at"] == "dates or times, and it is not the time column"


@pytest.mark.parametrize("pattern", ["epoch_seconds", "epoch_milliseconds"])
def test_a_unit_in_which_no_value_is_a_time_is_refused(read, pattern):
    table = read(labelled([0, 1] * 3, time=[1772600000000000 + k for k in range(6)]))
    (question,) = infer_mapping([table], Answers(time_pattern=pattern)).questions
    assert question.sentence == (
        f"No value of time can be read as {pattern}, for example 1772600000000000 and 1772600000000001."
    )


def test_the_dates_of_a_column_of_any_name_are_settled_by_the_answer(read):
    table = read(labelled([0, 1] * 30, when=[f"{1 + k % 9:02d}/03/2026" for k in range(60)]))
    (question,) = infer_mapping([table]).questions
    assert question.topic == "date_format"
    settled = infer_mapping([table], Answers(time_pattern="%d/%m/%Y")).mapping
    assert (settled.time, settled.time_format) == ("when", TimeFormat("%d/%m/%Y"))


def test_answers_of_another_file_are_credited_to_it(read):
    table = read(labelled(["A", "B"] * 30, when=[f"{1 + k % 9:02d}/03/2026" for k in range(60)]))
    first = infer_mapping([table], Answers(pos_label="B", time_pattern="%d/%m/%Y", score_kind="logit"))
    inference = infer_mapping([table], Answers.of_mapping(first.mapping, "monday.csv"))
    assert inference.mapping == first.mapping
    said = {each.topic: each.sentence for each in inference.evidence}
    assert said["pos_label"] == "B is positive as for monday.csv, A is negative."
    assert said["score_kind"].startswith("As for monday.csv; values from ")
    assert said["split"] == "As for monday.csv: no column is the split."
    changed = dataclasses.replace(Answers.of_mapping(first.mapping, "monday.csv"), given=frozenset({"score_kind"}))
    said = {each.topic: each.sentence for each in infer_mapping([table], changed).evidence}
    assert said["score_kind"].startswith("Declared; values from ")


def test_files_of_one_shape_have_the_same_columns(read):
    first = compute_shape([read(labelled([0, 1] * 3, city=["a", "b"] * 3))])
    assert compute_shape([read(labelled([0.5, 1] * 3, city=["c", "d"] * 3))]) == first
    assert compute_shape([read(labelled([0, 1] * 3, town=["a", "b"] * 3))]) != first
    assert compute_shape([read(labelled([0, 1] * 3, city=[1, 2] * 3))]) != first


def test_cohorts_are_bounded_and_the_rest_said(read):
    many = {f"c{k:02d}": ["a", "b"] * 3 for k in range(15)}
    inference = infer_mapping([read(labelled([0, 1] * 3, **many))])
    assert len(inference.mapping.cohorts) == 12
    assert "Above the bound of 12: c12, c13 and c14" in evidence(inference, "cohorts").sentence
    declared = infer_mapping([read(labelled([0, 1] * 3, **many))], Answers(cohorts=("c13",), features=()))
    assert declared.mapping.cohorts == ("c13",)


@pytest.mark.parametrize("distinct", [1_600, 3_000])
def test_a_cohort_of_nearly_all_values_is_refused(read, distinct):
    table = read(labelled([0, 1] * 1_500, town=[f"t{k % distinct}" for k in range(3_000)]))
    (question,) = infer_mapping([table], Answers(cohorts=("town",))).questions
    assert question.topic == "cohorts"
    assert question.sentence == (
        f"town cannot be a cohort: it has {distinct:,} distinct values in 3,000 rows, which is free text or a key."
    )
    with pytest.raises(DataError, match="town cannot be a cohort"):
        build_dataset([table], Mapping(score="score", score_kind=ScoreKind.DECISION, cohorts=("town",)))
    often = read(labelled([0, 1] * 1_500, town=[f"t{k % 1_400}" for k in range(3_000)]), "often.csv")
    inference = infer_mapping([often], Answers(cohorts=("town",)))
    assert inference.mapping.cohorts == ("town",)
    assert evidence(inference, "cohorts").sentence == (
        "Declared: town. town has 1,400 distinct values: tables hold the 199 most frequent and the others together, "
        "and each is found by its name."
    )
    unasked = dict(infer_mapping([often]).unused)["town"]
    assert unasked.endswith("at most 200 make a cohort column unasked; as a cohort column each is found by its name")


@pytest.mark.parametrize("role", ["label", "time", "version", "weight"])
def test_a_cohort_that_takes_a_role_away_is_asked(read, role):
    columns = {
        "time": ["2026-03-04", "2026-03-05"] * 30,
        "version": ["a", "b"] * 30,
        "weight": [1, 2] * 30,
        "city": ["x", "y", "z"] * 20,
    }
    table = read(labelled([0, 1] * 30, **columns))
    (question,) = infer_mapping([table], Answers(cohorts=(role, "city"))).questions
    assert (question.topic, question.options) == (role, (("", f"no column is the {role}"),))
    assert question.sentence.startswith(f"{role} was named as a cohort, which takes it from the {role}")
    settled = infer_mapping([table], Answers(cohorts=(role, "city"), roles={role: ""})).mapping
    assert settled.cohorts == (role, "city")
    assert settled.roles().get(role) is None


def test_same_ids_in_two_versions_of_one_file(read):
    table = read(
        csv(
            id=[f"a{k % 100}" for k in range(200)],
            label=[0, 1] * 100,
            logit=[k / 10 for k in range(200)],
            version=["v1"] * 100 + ["v2"] * 100,
        )
    )
    assert infer_mapping([table]).mapping.id == "id"


def test_repeated_user_ids_are_no_id(read):
    table = read(labelled([0, 1] * 50, user_id=[k % 30 for k in range(100)]))
    inference = infer_mapping([table])
    assert inference.mapping.id is None
    assert inference.roles["user_id"] is Role.IGNORED
    assert inference.unused == (("user_id", "whole numbers that name things"),)


def test_a_version_of_few_numbers_is_a_version(read, tmp_path):
    for kind in (pa.float64(), pa.float32()):
        path = tmp_path / f"{kind}.parquet"
        columns = {"version": pa.array([1.0, 1.1] * 30, kind), "label": [0, 1] * 30, "margin": [0.5, -1.5] * 30}
        pq.write_table(pa.table(columns), path)
        inference = infer_mapping([read_table(path, path.name, tmp_path / "store")])
        assert inference.mapping.version == "version"
        assert inference.unused == ()


def test_every_column_has_a_role_or_a_reason(read, tmp_path):
    n = 500
    path = tmp_path / "odd.parquet"
    columns = {
        "label": [k % 2 for k in range(n)],
        "margin": [k / 7 for k in range(n)],
        "version": [f"v{k % 201}" for k in range(n)],
        "town": [f"town {k % 201}" for k in range(n)],
        "comment": [f"free text {k}" for k in range(n)],
        "short": [f"t {k % 7}" for k in range(n)],
        "empty": [""] * n,
        "one": ["x"] * n,
        "pred": [k % 2 for k in range(n)],
        "price": [f"{k},5" for k in range(n)],
        "user_id": list(range(n)),
        "age": [k % 90 for k in range(n)],
        "first": [datetime.datetime(2026, 3, 1 + k % 28, tzinfo=datetime.UTC) for k in range(n)],
        "second": [datetime.date(2026, 3, 1 + k % 28) for k in range(n)],
        "vector": [[1.0, 2.0]] * n,
    }
    pq.write_table(pa.table(columns), path)
    table = read_table(path, path.name, tmp_path / "store")
    inference = infer_mapping([table])
    reasons = {
        "version": "version cannot be the version: it has 201 distinct values, and at most 100 are compared",
        "town": "201 distinct values, and at most 200 make a cohort column unasked; as a cohort column each is found "
        "by its name",
        "comment": "500 distinct values, and at most 200 make a cohort column unasked",
        "empty": "all 500 values are missing",
        "one": "one value only",
        "pred": "named like a prediction, and another column is the score",
        "price": "its numbers are written with a comma (0,5); write them with a point (0.5)",
        "second": "dates or times, and it is not the time column",
        "vector": "a list, a structure or bytes",
    }
    assert dict(inference.unused) == reasons
    assert evidence(inference, "version").sentence == (
        "version cannot be the version: it has 201 distinct values, and at most 100 are compared. No version column: "
        "each file is a version (odd)."
    )
    mapping = inference.mapping
    assert mapping.unused == inference.unused
    held = {*mapping.roles().values(), *mapping.cohorts, *mapping.features, *reasons}
    assert held == set(columns)
    assert Mapping.from_json(json.loads(json.dumps(mapping.as_json()))).unused == mapping.unused
    assert dataclasses.replace(mapping, unused=()).fingerprint == mapping.fingerprint
    declared = infer_mapping([table], Answers(cohorts=("town",), features=()))
    assert dict(declared.unused)["short"] == "not chosen as a cohort"
    assert dict(declared.unused)["age"] == "not chosen as a feature"
    # What was read before says the same.
    assert read_table(path, path.name, tmp_path / "store").unusable == ("vector",)


def test_numbers_with_a_comma_that_cannot_be_read_are_said(read):
    commas = [f"1,{k:03d}" for k in range(41)]
    only = read(csv(label=[0, 1] * 20 + [1], prob=commas))
    with pytest.raises(
        DataError,
        match=r"could be the score.*prob: .* commas \(1,000, which may be 1000 or 1.000\); write them without",
    ):
        infer_mapping([only])
    beside = read(csv(label=[0, 1] * 20 + [1], prob=commas, age=[k / 3 for k in range(41)]))
    (question,) = infer_mapping([beside]).questions
    assert question.topic == "score"
    assert question.sentence.startswith("prob is named like the score, but its numbers are written with commas (1,000")
    assert [value for value, _ in question.options] == ["age"]
    (question,) = infer_mapping([beside], Answers(roles={"score": "prob"})).questions
    assert question.sentence.startswith("prob cannot be the score: its numbers are written with commas (1,000")
    settled = infer_mapping([beside], Answers(roles={"score": "age"}))
    assert dict(settled.unused)["prob"].startswith("its numbers are written with commas")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["0,5", "n.a.", "0,7"], "with a comma (0,5), and not all are (n.a.); write them with a point (0.5)"),
        (["0,5", "0.5", "0,7"], "with a comma (0,5), and not all are (0.5); write them with a point (0.5)"),
        (["1,234", "12,345"], "with commas (1,234, which may be 1234 or 1.234); write them without, and fractions"),
        (["1,234,567", "x", "12,345"], "with commas (1,234,567), and not all are (x); write them without"),
    ],
)
def test_what_to_write_for_a_comma_is_never_another_number(read, values, said):
    values = [values[0], *values] * 4
    with pytest.raises(DataError) as caught:
        infer_mapping([read(csv(city=["a", "b"] * (len(values) // 2), prob=values))])
    assert f"prob: its numbers are written {said}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "low", "high", "kind"),
    [
        ("score", 0, 100, None),
        ("fraud_score", 0.08, 99.52, None),
        ("score", 3, 5, None),
        ("prob", 0, 100, None),
        ("score", 0, 1.2, ""),
        ("prob", 0, 1.2, ""),
        ("score", -0.01, 100, "decision"),
        ("score", 0, 850, "decision"),
        ("decision_function", 0, 100, "decision"),
        ("logit", 0, 100, "logit"),
    ],
)
def test_a_score_in_per_cent_is_asked(read, name, low, high, kind):
    scores = [low + (high - low) * k / 99 for k in range(100)]
    table = read(csv(label=[k % 2 for k in range(100)], **{name: scores}))
    inference = infer_mapping([table])
    if kind:
        assert inference.mapping.score_kind == kind
        return
    (question,) = inference.questions
    assert question.topic == "score_kind"
    if kind == "":
        assert "per cent by" not in question.sentence
        return
    assert "Divide per cent by 100 and load the file again. What is it?" in question.sentence
    assert {value for value, _ in question.options} == {"decision", "logit", "probability"}
    assert infer_mapping([table], Answers(score_kind="decision")).mapping.score_kind == "decision"
    said = evidence(infer_mapping([table], Answers(score_kind="probability")), "score_kind").sentence
    assert "cannot be used. Divide per cent by 100 and load the file again." in said


PERCENT = [f"{k * 2.5:.2f} %" for k in range(41)]


def test_a_score_with_a_per_cent_sign_is_said_and_no_other_column_is_taken(read):
    label = [0, 1] * 20 + [1]
    latency = [k / 3 for k in range(41)]
    for heads in ({"fraud_score": PERCENT}, {"risk": PERCENT}, {"p": [text.replace(" %", "%") for text in PERCENT]}):
        (name,) = heads
        beside = read(csv(label=label, **heads, latency_ms=latency))
        inference = infer_mapping([beside])
        (question,) = inference.questions
        assert (question.topic, question.options) == ("score", ())
        assert question.sentence.startswith(f"{name} ")
        assert re.search(r"per cent sign \(10\.00 ?%\); write them as 0 to 1 \(0\.10\)", question.sentence)
        assert inference.roles["latency_ms"] is Role.LATENCY
        assert (
            name
            not in infer_mapping(
                [beside], Answers(roles={"score": "latency_ms"}, score_kind="decision")
            ).mapping.cohorts
        )
    # Another column may be it, which a person says.
    third = read(csv(label=label, fraud_score=PERCENT, amount=latency, latency_ms=latency))
    (question,) = infer_mapping([third]).questions
    assert [value for value, _ in question.options] == ["amount"]
    settled = infer_mapping([third], Answers(roles={"score": "amount"}, score_kind="decision")).mapping
    assert dict(settled.unused)["fraud_score"].startswith("its numbers are written with a per cent sign (10.00 %)")
    (question,) = infer_mapping([third], Answers(roles={"score": "fraud_score"})).questions
    assert question.sentence.startswith("fraud_score cannot be the score: its numbers are written with a per cent sign")
    with pytest.raises(DataError, match=r"no column of numbers that could be the score.*per cent sign"):
        infer_mapping([read(csv(label=label, fraud_score=PERCENT))])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["8.88 %", "76.67 %"], "(8.88 %); write them as 0 to 1 (0.0888)"),
        (["8,88%", "76,67%"], "(8,88%); write them as 0 to 1 (0.0888)"),
        (["-5 %", "n.a.", "7 %"], "(-5 %), and not all are (n.a.); write them as 0 to 1 (-0.05)"),
        ([".5\u00a0%", "100\u202f%"], "); write them as 0 to 1 (0.005)"),
    ],
)
def test_what_to_write_for_a_per_cent_sign_is_the_same_number(read, values, said):
    column = unite_columns([read(csv(prob=[values[0], *values] * 4, n=[1] * 4 * (len(values) + 1)))])["prob"]
    assert column.is_percent
    assert describe_unread(column).endswith(said)


@pytest.mark.parametrize("name", ["latency_ms", "price", "duration_s", "inference_cost", "Latenz"])
def test_what_a_prediction_took_or_cost_is_no_score_unless_it_is_said(read, name):
    values = [k / 3 for k in range(41)]
    alone = read(csv(label=[0, 1] * 20 + [1], **{name: values}))
    (question,) = infer_mapping([alone]).questions
    assert question.topic == "score"
    assert infer_mapping([alone], Answers(roles={"score": name}, score_kind="decision")).mapping.score == name
    beside = read(csv(label=[0, 1] * 20 + [1], **{name: values}, risk=[k / 3 - 4 for k in range(41)]))
    assert infer_mapping([beside]).mapping.score == "risk"


def test_a_decimal_comma_is_evidence(read):
    commas = [f"{k / 40:.2f}".replace(".", ",") for k in range(41)]
    inference = infer_mapping([read(csv(label=[0, 1] * 20 + [1], prob=commas))])
    assert inference.mapping.score_kind is ScoreKind.PROBABILITY
    assert evidence(inference, "score").sentence == (
        "Named prob; numbers from 0 to 1, written with a decimal comma (0,00)."
    )


def test_a_file_whose_commas_are_clear_does_not_vouch_for_another(read):
    clear = read(csv(label=[0, 1] * 20, margin=[f"{k},5" for k in range(40)]), "a.csv")
    doubtful = read(csv(label=[0, 1], margin=["1,234", "2,345"]), "b.csv")
    (question,) = infer_mapping([clear, doubtful]).questions
    assert question.topic == "score"
    assert question.sentence.startswith("margin cannot be the score: its numbers are written with commas (1,234, which")


def test_missing_scores_are_said(read):
    inference = infer_mapping([read(csv(label=[0, 1] * 20, score=[""] * 40, age=range(40)))])
    assert inference.mapping.score == "score"
    assert evidence(inference, "score").sentence == "Named score; all 40 values are missing."


@pytest.mark.parametrize(
    ("role", "column", "sentence"),
    [
        (
            "version",
            "number",
            "number cannot be the version: it has 300 distinct values, and at most 100 are compared.",
        ),
        ("split", "age", "age cannot be the split: it has 30 distinct values, and at most 20 are compared."),
        ("label", "key", "key cannot be the label: it has 1,500 distinct values, for example k0, "),
        ("weight", "key", "key cannot be the weight: its values are no numbers, for example k0, "),
        ("score", "key", "key cannot be the score: its values are no numbers, for example k0, "),
        (
            "version",
            "score",
            "score cannot be the version: it has 1,500 distinct values, and at most 100 are compared.",
        ),
        ("score", "", "There is no analysis without a score: is it score, number or age?"),
    ],
)
def test_an_answer_that_does_not_fit_is_asked_again(read, role, column, sentence):
    n = 1_500
    table = read(
        labelled(
            [0, 1] * (n // 2), key=[f"k{k}" for k in range(n)], number=[k % 300 for k in range(n)],
            age=[k % 30 for k in range(n)],
        )
    )  # fmt: skip
    inference = infer_mapping([table], Answers(roles={role: column}))
    asked = {question.topic: question.sentence for question in inference.questions}
    assert asked[role].startswith(sentence)
    with pytest.raises(AmbiguityError, match=sentence.split(":")[0]):
        _ = inference.mapping
    if column not in ("", "score"):
        assert dict(inference.unused)[column] == f"may be the {role}, which is asked"
        mapping = dataclasses.replace(infer_mapping([table]).mapping, features=(), id=None, **{role: column})
        with pytest.raises(DataError) as caught:
            build_dataset([table], mapping)
        assert str(caught.value).startswith(sentence)


def test_bounds_are_inclusive(read):
    n = 400
    table = read(
        labelled([0, 1] * (n // 2), version=[f"v{k % 100}" for k in range(n)], fold=[k % 20 for k in range(n)])
    )
    mapping = infer_mapping([table]).mapping
    assert (mapping.version, mapping.split) == ("version", "fold")
    build_dataset([table], mapping)


def test_one_column_in_two_roles_is_asked(read):
    table = read(labelled([0, 1] * 40, city=["a", "b"] * 40, age=range(80)))
    for answers, topic in (
        (Answers(roles={"weight": "age", "cost": "age"}), "cost"),
        (Answers(roles={"version": "city"}, cohorts=("city",)), "cohorts"),
        (Answers(cohorts=("age",), features=("age",)), "features"),
    ):
        (question,) = infer_mapping([table], answers).questions
        assert question.topic == topic
        assert question.sentence.endswith("at once. Give each column one role.")
    (question,) = infer_mapping([table], Answers(cohorts=(), features=("city",))).questions
    assert (question.topic, question.sentence) == (
        "features",
        "city cannot be a feature: its values are no numbers, for example a and b.",
    )


def test_the_score_is_in_every_file(read):
    one = read(csv(label=[0, 1] * 20, prob=[k / 40 for k in range(40)], age=[k / 3 for k in range(40)]), "a.csv")
    two = read(csv(label=[0, 1] * 20, p=[k / 40 for k in range(40)], age=[k / 3 for k in range(40)]), "b.csv")
    (question,) = infer_mapping([one, two]).questions
    assert question.topic == "score"
    assert question.sentence == "prob cannot be the score: it is not in b.csv, and every file needs one."
    settled = infer_mapping([one, two], Answers(roles={"score": "age"}, score_kind="decision"))
    build_dataset([one, two], settled.mapping)
    three = read(csv(label=[0, 1, 0], other=[1.5, 2.5, 3.5]), "c.csv")
    with pytest.raises(DataError, match=r"no column of numbers in every file that could be the score"):
        infer_mapping([three, read(csv(name=["a", "b", "c"]), "d.csv")])


def test_answers_that_name_nothing(read):
    table = read(labelled([0, 1, 1]))
    with pytest.raises(DataError, match="has no column lable: did you mean label"):
        infer_mapping([table], Answers(roles={"label": "lable"}))
    with pytest.raises(SettingsError, match="There is no role weigth"):
        infer_mapping([table], Answers(roles={"weigth": "score"}))
    with pytest.raises(SettingsError, match="There is no score kind odds"):
        infer_mapping([table], Answers(score_kind="odds"))
    with pytest.raises(DataError, match="Give at least one"):
        infer_mapping([])


def test_column_in_one_file_only_is_said(read):
    one = read(labelled([0, 1, 1], city=["a", "b", "a"]), "v1.csv")
    two = read(csv(score=[1.5, -1.25, 2.5]), "v2.csv")
    inference = infer_mapping([one, two])
    assert evidence(inference, "label").sentence.endswith("Not in v2.csv.")
    assert (
        evidence(inference, "version").sentence
        == "No version column: each file is a version, in this order (v1 and v2)."
    )
    assert build_dataset([one, two], inference.mapping).n_rows == 6


def test_dataset_keys_follow_content_names_and_mapping(read):
    table = read(labelled([0, 1, 1], city=["a", "b", "a"]), "v1.csv")
    mapping = infer_mapping([table]).mapping
    key = build_dataset([table], mapping).key
    assert len(key) == 16
    assert build_dataset([table], mapping).key == key
    assert build_dataset([dataclasses.replace(table, stem="v2")], mapping).key != key
    assert build_dataset([table], dataclasses.replace(mapping, cohorts=())).key != key


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"score": "scor"}, "has no column scor: did you mean score"),
        ({"cohorts": ("city", "label")}, "label cannot be label and cohort at once"),
        (
            {"weight": "city", "cohorts": ()},
            "city cannot be the weight: its values are no numbers",
        ),
        ({"features": ("city",), "cohorts": ()}, "city cannot be a feature"),
        ({"label_encoding": None}, "its positive and negative values are not said"),
        ({"label_encoding": LabelEncoding(("1",), ("1",))}, "1 cannot be positive and negative at once"),
        ({"time": "city", "cohorts": ()}, "its format is not said"),
        ({"time": "city", "cohorts": (), "time_format": TimeFormat("german")}, "is no date format"),
        ({"time": "city", "cohorts": (), "time_format": TimeFormat("iso", "Mars")}, "There is no time zone Mars"),
    ],
)
def test_mappings_that_do_not_fit(read, change, sentence):
    table = read(labelled([0, 1, 1], city=["a", "b", "a"], delta=[-1, 2, 3]))
    mapping = dataclasses.replace(infer_mapping([table]).mapping, features=())
    with pytest.raises(DataError, match=sentence):
        build_dataset([table], dataclasses.replace(mapping, **change))


def test_two_files_of_one_name_need_a_version_column(read, tmp_path):
    table = read(labelled([0, 1, 1]))
    mapping = infer_mapping([table]).mapping
    other = read(labelled([1, 0, 1], who=["a", "b", "a"]))
    with pytest.raises(DataError, match="2 files are named predictions"):
        build_dataset([table, other], mapping)
    (question,) = infer_mapping([table, other]).questions
    assert question.topic == "version"
    assert question.sentence.startswith("2 files are named predictions, and without a version column")
    assert infer_mapping([table, other], Answers(roles={"version": "who"})).mapping.version == "who"
    with pytest.raises(DataError, match="Give at least one"):
        build_dataset([], mapping)


def test_the_same_rows_twice_are_refused(read):
    rows = labelled([0, 1, 1], version=["a", "b", "a"])
    one, two = read(rows, "one.csv"), read(rows, "two.csv")
    mapping = infer_mapping([one]).mapping
    for tables, sentence in (
        ([one, two], "one.csv and two.csv are byte for byte the same"),
        ([one, one], "one.csv is given twice"),
    ):
        for refuse in (infer_mapping, lambda tables: build_dataset(tables, mapping)):
            with pytest.raises(DataError, match=sentence):
                refuse(tables)


def test_more_files_than_versions_are_asked(read):
    tables = [read(labelled([0, 1, 1], k=[k, k, k]), f"v{k}.csv") for k in range(101)]
    (question,) = infer_mapping(tables).questions
    assert question.topic == "version"
    assert question.sentence.startswith("101 files without a version column would be as many versions, and at most 100")
    assert infer_mapping(tables[:100]).questions == ()


UNSURE = ["yes", "no", "maybe", "yes", "no"] * 8


def test_a_text_that_plainly_says_that_there_is_no_label_is_asked_about(read):
    table = read(labelled(UNSURE))
    (question,) = infer_mapping([table]).questions
    assert question.topic == "unlabelled"
    assert question.sentence == (
        "label holds no (40.0 %), yes (40.0 %), maybe (20.0 %). Does maybe mean that a row has no label?"
    )
    assert [value for value, _ in question.options] == ["maybe", ""]
    settled = infer_mapping([table], Answers(unlabelled=("Maybe",)))
    assert settled.mapping.label_encoding == LabelEncoding(("yes",), ("no",))
    assert settled.mapping.unlabelled == ("maybe",)
    assert evidence(settled, "unlabelled").sentence == (
        "Declared: maybe counts as no label, in 8 rows (20.0 % of labels)."
    )
    assert evidence(settled, "pos_label").sentence == "yes is positive, as usual beside no."
    assert Mapping.from_json(json.loads(json.dumps(settled.mapping.as_json()))) == settled.mapping
    # As a class of its own it is one of three, and which of them is positive is asked as ever.
    (question,) = infer_mapping([table], Answers(unlabelled=())).questions
    assert question.topic == "pos_label"
    assert "label has 3 classes" in question.sentence
    question, _positive = infer_mapping([table], Answers(unlabelled=("perhaps",))).questions
    assert question.topic == "unlabelled"
    assert question.sentence.startswith("label has no label perhaps to leave out: it holds no (40.0 %)")


def test_several_texts_without_a_label_and_a_pair_that_nobody_knows(read):
    labels = ["cat", "dog", "?", "cat", "pending", "dog"] * 8
    questions = {each.topic: each for each in infer_mapping([read(labelled(labels))]).questions}
    assert set(questions) == {"unlabelled", "pos_label"}
    assert questions["unlabelled"].options[0][0].split("\n") == ["?", "pending"]
    assert "is the positive class, cat or dog?" in questions["pos_label"].sentence
    numbers = infer_mapping([read(labelled([1, 0, -1, 1, 0] * 8), "n.csv")], Answers(unlabelled=("-1",)))
    assert numbers.mapping.label_encoding == LabelEncoding(("1",), ("0",))
    assert numbers.mapping.unlabelled == ("-1",)


def test_nobody_is_asked_where_the_text_is_a_class(read):
    scores = {f"prob_{name}": [0.3, 0.4, 0.3, 0.2, 0.5] * 8 for name in ("yes", "no", "maybe")}
    several = infer_mapping([read(csv(label=UNSURE, **scores), "classes.csv")], Answers(score_kind="logit"))
    assert several.mapping.class_names == ("maybe", "no", "yes")
    assert infer_mapping([read(labelled(["known", "unknown"] * 9))]).mapping.unlabelled == ()
    assert infer_mapping([read(labelled(UNSURE))], Answers(pos_label="maybe")).mapping.unlabelled == ()


def test_what_counts_as_no_label_is_taken_over(read):
    table = read(labelled(UNSURE))
    for unlabelled, positive in ((("maybe",), None), ((), "yes")):
        first = infer_mapping([table], Answers(unlabelled=unlabelled, pos_label=positive)).mapping
        again = infer_mapping([read(labelled(UNSURE * 2), "b.csv")], Answers.of_mapping(first, "a.csv"))
        assert again.mapping.unlabelled == unlabelled
        # A file in which nobody was unsure.
        sure = infer_mapping([read(labelled(["yes", "no"] * 9), "c.csv")], Answers.of_mapping(first, "a.csv"))
        assert sure.mapping.label_encoding == LabelEncoding(("yes",), ("no",))
    # One in which somebody is for the first time is asked about.
    first = infer_mapping([read(labelled(["yes", "no"] * 9), "c.csv")]).mapping
    (question,) = infer_mapping([table], Answers.of_mapping(first, "c.csv")).questions
    assert question.topic == "unlabelled"


def test_a_text_that_says_no_label_beside_several_classes_is_asked_about(read):
    names = ("cat", "dog", "fox")
    scores = {f"prob_{name}": share for name, share in zip(names, ([0.5] * 40, [0.3] * 40, [0.2] * 40), strict=True)}
    table = read(csv(label=["cat", "dog", "fox", "maybe"] * 10, **scores))
    (question,) = [each for each in infer_mapping([table]).questions if each.topic == "unlabelled"]
    assert "Does maybe mean that a row has no label?" in question.sentence
    settled = infer_mapping([table], Answers(unlabelled=("maybe",)))
    assert not settled.questions
    assert settled.mapping.class_names == names
    assert settled.mapping.unlabelled == ("maybe",)


@pytest.mark.parametrize("name", ["ms", "took_ms", "millis"])
def test_a_column_of_milliseconds_is_the_latency(read, name):
    table = read(csv(label=[0, 1] * 20 + [1], score=[k / 40 for k in range(41)], **{name: [k / 3 for k in range(41)]}))
    inference = infer_mapping([table], Answers(score_kind="probability"))
    assert inference.mapping.latency == name
    assert name not in inference.mapping.features


def test_a_column_named_for_what_scores_is_the_version(read):
    table = read(csv(outcome=["a", "b"] * 20, score=[k / 40 for k in range(40)], scorer=["s-11"] * 20 + ["s-12"] * 20))
    answers = Answers(score_kind="probability", roles={"label": "outcome"}, pos_label="a")
    assert infer_mapping([table], answers).mapping.version == "scorer"
