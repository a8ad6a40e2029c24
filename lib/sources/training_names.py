"""What the name of a logged metric says: the split, the standard word, and whether it is of an epoch or of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.schema import Role
from lib.sources.names import EXACT, match_role, normalise_name

TRAIN: Final = "train"
VALIDATION: Final = "validation"
TEST: Final = "test"
SPLITS: Final = (TRAIN, VALIDATION, TEST)

STEPS: Final = ("step", "global_step", "trainer/global_step", "iteration", "iter", "round", "boosting_round")
EPOCHS: Final = ("epoch", "epochs")
"""Columns that say where in training a line was logged, in lower case."""

LEARNING_RATE: Final = "learning_rate"
EASY_SHARE: Final = "easy_triplet_share"
HARD_SHARE: Final = "hard_triplet_share"

_SPLIT_WORDS: Final = {
    **dict.fromkeys(("train", "training", "trn"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev", "holdout"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}
_STANDARD: Final = {
    word: standard
    for standard, words in {
        "loss": "loss cost objective loss_curve total_loss epoch_loss batch_loss running_loss avg_loss",
        "log_loss": """log_loss logloss mlogloss nll nll_loss negative_log_likelihood cross_entropy crossentropy
            cross_entropy_loss ce ce_loss bce bce_loss binary_crossentropy categorical_crossentropy
            sparse_categorical_crossentropy binary_logloss multi_logloss xentropy""",
        "hinge_loss": "hinge hinge_loss squared_hinge categorical_hinge",
        "accuracy": """accuracy acc binary_accuracy categorical_accuracy sparse_categorical_accuracy epoch_accuracy
            top1 top_1 top1_acc top1_accuracy top_1_accuracy""",
        "error": "error err error_rate binary_error multi_error merror",
        "roc_auc": "auc roc_auc auroc auc_roc rocauc",
        "average_precision": "average_precision aucpr pr_auc prauc auprc auc_pr ap",
        "f1": "f1 f1_score f1score macro_f1 f1_macro micro_f1 f1_micro weighted_f1 f1_weighted",
        "precision": "precision",
        "recall": "recall",
        "score": "score scores",
        "mse": "mse l2 mean_squared_error",
        "rmse": "rmse root_mean_squared_error",
        "mae": "mae l1 mean_absolute_error",
        "r2": "r2 r2_score r_squared",
        "perplexity": "perplexity ppl",
        LEARNING_RATE: "learning_rate lr",
        "grad_norm": "grad_norm gradient_norm",
    }.items()
    for word in words.split()
}
_TRIPLETS: Final = frozenset({"triplet", "triplets", "negative", "negatives", "neg", "negs"})
KNOWN: Final = frozenset(_STANDARD.values())
_WEAK: Final = frozenset({"score", "precision", "recall", "cost", "objective", "ap", "error", "err", "ce", "l1", "l2"})
"""Words that files of predictions and other tables use too: by themselves they show no training."""


@dataclass(frozen=True)
class Named:
    """What a name says.

    Attributes:
        split: train, validation or test; train where the name says none.
        metric: the standard word, or the name without its split.
        per: "epoch" or "step" where the name says so, else "".
        says_split: whether the name names a split.
    """

    split: str
    metric: str
    per: str
    says_split: bool


def read_metric(written: str) -> Named:
    """What a name such as `val_loss`, `train/acc_epoch` or `valid binary_logloss-mean` says.

    >>> read_metric("val_acc").split, read_metric("val_acc").metric
    ('validation', 'accuracy')
    """
    words = normalise_name(written).split("_")
    split, per = "", ""
    if len(words) > 1 and words[-1] == "mean":
        words.pop()
    if len(words) > 1 and words[-1] in ("epoch", "step", "batch"):
        per = "epoch" if words.pop() == "epoch" else "step"
    for end in (0, -1):
        if len(words) > 1 and not split and words[end] in _SPLIT_WORDS:
            split = _SPLIT_WORDS[words.pop(end)]
    # scikit-learn and XGBoost number their sets: validation_0.
    if split and len(words) > 1 and words[0].isdigit():
        words.pop(0)
    rest = "_".join(words)
    if {"easy", "hard"} & set(words) and _TRIPLETS & set(words):
        rest = EASY_SHARE if "easy" in words else HARD_SHARE
    elif words[0] == "lr":
        rest = LEARNING_RATE
    return Named(split or TRAIN, _STANDARD.get(rest, rest), per, bool(split))


def split_of(word: str) -> str:
    """The split that a word names, "" for none."""
    return _SPLIT_WORDS.get(normalise_name(word), "")


def shows_training(written: str) -> bool:
    """Whether a column of this name, beside one of epochs or steps, is one that training writes."""
    named = read_metric(written)
    if normalise_name(written) in _WEAK:
        return False
    return named.metric in KNOWN or "loss" in named.metric.split("_") or named.metric in (EASY_SHARE, HARD_SHARE)


def has_score_and_label(header: Sequence[str]) -> bool:
    """Whether a table has a column named as a score and one named as a label: those are predictions."""
    return all(any(match_role(each, role) == EXACT for each in header) for role in (Role.SCORE, Role.LABEL))


def either_way(header: Sequence[str]) -> str:
    """What a table that could be a history or predictions was taken for, in a sentence; "" where it is clear."""
    places = [each for each in header if each.strip().casefold() in (*STEPS, *EPOCHS)]
    metrics = [each for each in header if shows_training(each)]
    if not (places and metrics and has_score_and_label(header)):
        return ""
    return (
        f"The columns {', '.join([*places, *metrics][:4])} are as in a training history; with a score and a label in "
        "each row it was read as predictions."
    )
