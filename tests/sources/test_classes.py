"""Several classes with a column each: what is inferred, what is asked, what is refused."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lib.errors import DataError
from lib.schema import ClassColumn, Mapping, ScoreKind
from lib.sources import Answers, Inference, build_dataset, infer_mapping
from tests.sources.conftest import Read

ROWS = 30


def csv(heads: Sequence[str], labels: Sequence[object], scores: Sequence[float], label: str = "y_true") -> str:
    """A file whose rows give the scores in turn: each row begins one further along."""
    lines = [",".join([label, *heads])]
    for place in range(ROWS):
        turned = [scores[(place + k) % len(scores)] for k in range(len(heads))]
        lines.append(",".join(map(str, [labels[place % len(labels)], *turned])))
    return "\n".join(lines) + "\n"


def topics(inference: Inference) -> list[str]:
    return [question.topic for question in inference.questions]


def said(inference: Inference, topic: str) -> str:
    return " ".join(each.sentence for each in inference.evidence if each.topic == topic)


@pytest.mark.parametrize(
    ("heads", "labels", "names"),
    [
        (["prob_cat", "prob_dog", "prob_ant"], ["cat", "dog", "ant"], ("ant", "cat", "dog")),
        (["prob_10", "prob_9", "prob_2"], [2, 9, 10], ("2", "9", "10")),
        (["p0", "p1", "p2"], [0, 1, 2], ("0", "1", "2")),
        (["probability.-1", "probability.0", "probability.1"], [-1, 0, 1], ("-1", "0", "1")),
        (["proba new york", "proba rome", "proba oslo"], ["New York", "Rome", "Oslo"], ("new york", "oslo", "rome")),
        (["y_prob_new_york", "y_prob_rome", "y_prob_oslo"], ["New York", "Rome", "Oslo"], ("new_york", "oslo", "rome")),
        (["prob_a", "prob_b", "prob_c", "prob_max"], ["a", "b", "c"], ("a", "b", "c")),
    ],
)
def test_classes_are_read_from_names_and_labels(read: Read, heads: list[str], labels: list[object], names) -> None:
    inference = infer_mapping([read(csv(heads, labels, [0.5, 0.3, 0.2]))], Answers(score_kind="probability"))
    assert inference.mapping.class_names == names
    assert inference.mapping.label_encoding is None
    assert all(each.labels for each in inference.mapping.classes)
    assert inference.mapping.score.endswith("*")
    (score,) = (each for each in inference.evidence if each.topic == "score")
    assert len(score.examples) == 3


def test_probabilities_are_known_by_their_sum(read: Read) -> None:
    inference = infer_mapping([read(csv(["score_a", "score_b", "score_c"], "abc", [0.5, 0.3, 0.2]))])
    assert inference.mapping.score_kind is ScoreKind.PROBABILITY
    assert "add up to 1" in said(inference, "score_kind")


def test_shares_that_do_not_add_up_are_asked(read: Read) -> None:
    table = read(csv(["prob_a", "prob_b", "prob_c"], "abc", [0.5, 0.3, 0.9]))
    inference = infer_mapping([table])
    assert topics(inference) == ["score_kind"]
    assert "in 30 rows (100 %) the scores do not add up to 1" in inference.questions[0].sentence
    assert infer_mapping([table], Answers(score_kind="decision")).mapping.class_names == ("a", "b", "c")


def test_decision_scores(read: Read) -> None:
    inference = infer_mapping([read(csv(["decision_a", "decision_b", "decision_c"], "abc", [2.5, -1.0, 0.25]))])
    assert inference.mapping.score_kind is ScoreKind.DECISION
    assert inference.mapping.score_columns == ("decision_a", "decision_b", "decision_c")


def test_two_families_are_asked_and_settled_by_a_pattern(read: Read) -> None:
    heads = ["prob_a", "prob_b", "prob_c", "logit_a", "logit_b", "logit_c"]
    table = read(csv(heads, "abc", [0.5, 0.3, 0.2]))
    inference = infer_mapping([table])
    assert topics(inference) == ["score"]
    assert {value for value, _meaning in inference.questions[0].options} == {"prob_*", "logit_*"}
    settled = infer_mapping([table], Answers(roles={"score": "logit_*"})).mapping
    assert settled.score_kind is ScoreKind.LOGIT
    assert settled.score_columns == ("logit_a", "logit_b", "logit_c")


def test_one_class_against_the_rest(read: Read) -> None:
    table = read(csv(["prob_a", "prob_b", "prob_c"], "abc", [0.5, 0.3, 0.2]))
    mapping = infer_mapping([table], Answers(pos_label="b")).mapping
    assert (mapping.score, mapping.is_multiclass) == ("prob_b", False)
    assert mapping.label_encoding is not None
    assert set(mapping.label_encoding.negative) == {"a", "c"}
    assert {"prob_a", "prob_c"}.isdisjoint(mapping.features)


def test_of_two_columns_that_of_the_positive_class_is_the_score(read: Read) -> None:
    numbers = read(csv(["prob_0", "prob_1"], [0, 1], [0.4, 0.6]))
    assert infer_mapping([numbers]).mapping.score == "prob_1"
    assert infer_mapping([numbers], Answers(pos_label="0")).mapping.score == "prob_0"
    names = read(csv(["prob_cat", "prob_dog"], ["cat", "dog"], [0.4, 0.6]))
    assert topics(infer_mapping([names])) == ["pos_label"]
    settled = infer_mapping([names], Answers(pos_label="dog"))
    assert settled.mapping.score == "prob_dog"
    assert "dog is the positive class" in said(settled, "score")


def test_labels_without_a_column_are_asked_then_said(read: Read) -> None:
    table = read(csv(["prob_a", "prob_b", "prob_c"], ["a", "b", "c", "d", "a"], [0.5, 0.3, 0.2]))
    inference = infer_mapping([table])
    assert "score" in topics(inference)
    (question,) = (each for each in inference.questions if each.topic == "score")
    assert question.options[0][0] == "prob_*"
    settled = infer_mapping([table], Answers(roles={"score": "prob_*"}))
    assert "6 labels (20.0 %) cannot be used, because no column is theirs: d." in said(settled, "score")
    assert settled.mapping.class_names == ("a", "b", "c")


def test_a_class_without_rows_is_said(read: Read) -> None:
    inference = infer_mapping([read(csv(["prob_a", "prob_b", "prob_c"], "ab", [0.5, 0.3, 0.2]))])
    assert "No row is labelled c." in said(inference, "score")
    assert inference.mapping.classes[2] == ClassColumn("c", "prob_c")


def test_without_labels_it_is_asked(read: Read) -> None:
    table = read(csv(["prob_a", "prob_b", "prob_c"], ["2026", "2027"], [0.5, 0.3, 0.2], label="year"))
    inference = infer_mapping([table], Answers(roles={"label": ""}))
    assert "score" in topics(inference)
    settled = infer_mapping([table], Answers(roles={"label": "", "score": "prob_*"})).mapping
    assert settled.class_names == ("a", "b", "c")
    assert settled.label is None


@pytest.mark.parametrize(
    ("heads", "labels", "words"),
    [
        (["prob_1", "prob_01", "prob_2"], [1, 2], "are columns of the same class"),
        ([f"prob_{k}" for k in range(201)], [0, 1, 2], "at most 200 classes"),
        (["prob_a", "prob_b", "prob_c"], ["x", "y", "z"], "no label of y_true is one of them: it holds x"),
    ],
)
def test_columns_that_are_no_classes_are_refused_in_a_sentence(
    read: Read, heads: list[str], labels: list[object], words: str
) -> None:
    table = read(csv(heads, labels, [0.5, 0.3, 0.2]))
    inference = infer_mapping([table], Answers(roles={"score": "prob_*"}, score_kind="probability"))
    assert topics(inference) == ["score"]
    assert words in inference.questions[0].sentence


def test_a_pattern_that_fits_nothing_is_refused(read: Read) -> None:
    with pytest.raises(DataError, match=r"logit_\* stands for no two columns"):
        infer_mapping([read(csv(["prob_a", "prob_b"], "ab", [0.5, 0.5]))], Answers(roles={"score": "logit_*"}))


def test_a_column_that_a_file_lacks_is_named(read: Read) -> None:
    one = read(csv(["prob_a", "prob_b", "prob_c"], "abc", [0.5, 0.3, 0.2]), name="one.csv")
    two = read(csv(["prob_a", "prob_b"], "ab", [0.5, 0.5]), name="two.csv")
    inference = infer_mapping([one, two])
    assert topics(inference) == ["score"]
    assert "it is not in two.csv" in inference.questions[0].sentence


def test_a_mapping_is_read_again_as_it_was_written(read: Read) -> None:
    table = read(csv(["prob_a", "prob_b", "prob_c"], "abc", [0.5, 0.3, 0.2]))
    mapping = infer_mapping([table]).mapping
    assert Mapping.from_json(mapping.as_json()) == mapping
    assert infer_mapping([table], Answers.of_mapping(mapping, "another.csv")).mapping == mapping
    assert build_dataset([table], mapping).mapping is mapping
