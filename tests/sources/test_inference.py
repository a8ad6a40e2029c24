"""What columns mean: each rule, each ambiguity, each sentence, on files small enough to read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from lib.errors import AmbiguityError, DataError, SettingsError
from lib.schema import LabelEncoding, Mapping, Role, ScoreKind, TimeFormat
from lib.sources import Answers, build_dataset, infer_mapping


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
        assert (question.topic, question.option_name) == ("score_kind", "--score-kind")
        with pytest.raises(AmbiguityError, match="--score-kind"):
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
        assert (question.topic, question.option_name) == ("pos_label", "--positive")
        assert {value for value, _ in question.options} == {str(label) for label in labels}
        assert "50.0 % of labels" in question.options[0][1]
        settled = infer_mapping([read(labelled(labels * 6))], Answers(pos_label=str(labels[1])))
        assert settled.mapping.label_encoding == LabelEncoding((str(labels[1]),), (str(labels[0]),))
        return
    encoding = inference.mapping.label_encoding
    assert encoding is not None
    assert set(encoding.positive) == set(positive)
    assert set(encoding.negative) == set(negative)


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
    with pytest.raises(DataError, match=r"label has 3 classes: cat \(33\.3 %\), cow .*--positive"):
        infer_mapping([table])
    settled = infer_mapping([table], Answers(pos_label="dog"))
    assert settled.mapping.label_encoding == LabelEncoding(("dog",), ("cat", "cow"))
    assert "all 2 other classes together are negative" in evidence(settled, "pos_label").sentence
    with pytest.raises(DataError, match="label has no label horse: it holds cat"):
        infer_mapping([table], Answers(pos_label="horse"))


def test_a_few_bad_labels_are_no_class(read):
    inference = infer_mapping([read(labelled([0, 1] * 100 + ["maybe"]))])
    assert inference.mapping.label_encoding == LabelEncoding(("1",), ("0",))
    assert "1 other label cannot be used: maybe" in evidence(inference, "pos_label").sentence


def test_several_labels_are_asked(read):
    table = read(csv(label=[0, 1, 1], target=[1, 1, 0], score=[-1.5, 2.5, 3.5]))
    (question,) = infer_mapping([table]).questions
    assert (question.topic, question.option_name) == ("label", "--label")
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
    assert "y_pred (a prediction)" in evidence(inference, "ignored").sentence


def test_several_scores_are_asked(read):
    table = read(csv(label=[0, 1, 1], y_prob=[0.5, 0.25, 0.75], logit=[0, -1.1, 1.1]))
    (question,) = infer_mapping([table]).questions
    assert (question.topic, question.option_name) == ("score", "--score")
    settled = infer_mapping([table], Answers(roles={"score": "logit"})).mapping
    assert (settled.score, settled.score_kind, settled.features) == ("logit", ScoreKind.LOGIT, ("y_prob",))


def test_no_score_is_asked_or_said(read):
    table = read(csv(label=[0, 1, 1], age=[30, 40, 50], size=[1, 2, 3]))
    (question,) = infer_mapping([table]).questions
    assert question.topic == "score"
    with pytest.raises(DataError, match="no column of numbers that could be the score; there is city"):
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
    assert (question.topic, question.option_name) == ("date_format", "--date-format")
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
    with pytest.raises(DataError, match=r"No value of time can be read as %d\.%m\.%Y, for example 2026-03-04"):
        infer_mapping([table], Answers(time_pattern="%d.%m.%Y"))
    with pytest.raises(DataError, match="is no date format"):
        infer_mapping([table], Answers(time_pattern="german"))
    with pytest.raises(DataError, match="There is no time zone Europe/Nowhere"):
        infer_mapping([table], Answers(timezone="Europe/Nowhere"))


def test_a_time_name_over_something_else_is_no_time(read):
    inference = infer_mapping([read(labelled([0, 1] * 3, time=[3, 1, 4, 1, 5, 9], date=["a", "b"] * 3))])
    assert inference.mapping.time is None
    with pytest.raises(DataError, match="date cannot be read as the time"):
        infer_mapping([read(labelled([0, 1] * 3, date=["a", "b"] * 3))], Answers(roles={"time": "date"}))


def test_cohorts_are_bounded_and_the_rest_said(read):
    many = {f"c{k:02d}": ["a", "b"] * 3 for k in range(15)}
    inference = infer_mapping([read(labelled([0, 1] * 3, **many))])
    assert len(inference.mapping.cohorts) == 12
    assert "Above the bound of 12: c12, c13 and c14" in evidence(inference, "cohorts").sentence
    declared = infer_mapping([read(labelled([0, 1] * 3, **many))], Answers(cohorts=("c13",), features=()))
    assert declared.mapping.cohorts == ("c13",)


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


def test_answers_that_name_nothing(read):
    table = read(labelled([0, 1, 1]))
    with pytest.raises(DataError, match="has no column lable: did you mean label"):
        infer_mapping([table], Answers(roles={"label": "lable"}))
    with pytest.raises(SettingsError, match="There is no role weigth"):
        infer_mapping([table], Answers(roles={"weigth": "score"}))
    with pytest.raises(SettingsError, match="There is no score kind odds"):
        infer_mapping([table], Answers(score_kind="odds"))
    with pytest.raises(DataError, match="no analysis without a score"):
        infer_mapping([table], Answers(roles={"score": ""}))
    with pytest.raises(DataError, match="Give at least one"):
        infer_mapping([])


def test_column_in_one_file_only_is_said(read):
    one = read(labelled([0, 1, 1], city=["a", "b", "a"]), "v1.csv")
    two = read(csv(score=[1.5, -1.25, 2.5]), "v2.csv")
    inference = infer_mapping([one, two])
    assert evidence(inference, "label").sentence.endswith("Not in v2.csv.")
    assert evidence(inference, "version").sentence == "No version column: each file is a version (v1 and v2)."
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
    with pytest.raises(DataError, match="2 files are named predictions"):
        build_dataset([table, table], mapping)
    with pytest.raises(DataError, match="Give at least one"):
        build_dataset([], mapping)
