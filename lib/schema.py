"""What the columns of a file mean: roles, score kinds, label encodings, time formats.

Frozen values without behaviour that needs data: `lib.sources` infers them, a person confirms or changes them, and
`lib.scan` reads rows by them. A mapping and the sha256 of the files together identify a dataset.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias


class Role(StrEnum):
    """What a column is used for. Every role but `cohort` and `feature` is held by one column at most."""

    ID = "id"
    LABEL = "label"
    SCORE = "score"
    VERSION = "version"
    SPLIT = "split"
    TIME = "time"
    WEIGHT = "weight"
    LATENCY = "latency"
    COST = "cost"
    COHORT = "cohort"
    FEATURE = "feature"
    IGNORED = "ignored"


SINGLE_ROLES = (
    Role.ID,
    Role.LABEL,
    Role.SCORE,
    Role.VERSION,
    Role.SPLIT,
    Role.TIME,
    Role.WEIGHT,
    Role.LATENCY,
    Role.COST,
)


class ScoreKind(StrEnum):
    """What the score column holds.

    `decision`: a decision score of any scale (a hinge model's); σ of it is not called a probability.
    `logit`: a log odds; σ of it is a probability.
    `probability`: a number in [0, 1]; its logit becomes the decision score.
    """

    DECISION = "decision"
    LOGIT = "logit"
    PROBABILITY = "probability"

    @property
    def is_probabilistic(self) -> bool:
        """Whether σ(decision score) may be called a probability."""
        return self is not ScoreKind.DECISION


@dataclass(frozen=True)
class LabelEncoding:
    """The texts that stand for the two classes, as they appear in the file with surrounding blanks removed.

    A numeric column is compared as numbers ("1" matches 1 and 1.0), a boolean one as "true"/"false" in any case,
    a text column text by text. Anything else that is not missing makes its row unusable, and is counted.
    """

    positive: tuple[str, ...]
    negative: tuple[str, ...]

    @property
    def pos_label(self) -> str:
        """The name by which the positive class is shown: its first text."""
        return self.positive[0] if self.positive else ""


@dataclass(frozen=True)
class ClassColumn:
    """One of several classes: its name, the column of its score, and the texts that stand for it among the labels.

    The name is what the column's name says behind what all of them begin with. Labels are compared as
    `LabelEncoding` says; none where no row is of the class.
    """

    name: str
    column: str
    labels: tuple[str, ...] = ()


ISO = "iso"
EPOCHS = {
    "epoch_seconds": 1,
    "epoch_milliseconds": 1_000,
    "epoch_microseconds": 1_000_000,
    "epoch_nanoseconds": 1_000_000_000,
}
"""Time formats that count from 1970, each with how many of its units are a second."""
MAX_EPOCH_SECONDS = 253_402_300_799
"""The last second of the year 9999: a number beyond it is no time."""
NATIVE = "native"
TIME_FORMAT_NAMES = (ISO, *EPOCHS, NATIVE)


@dataclass(frozen=True)
class TimeFormat:
    """How the time column is read.

    `pattern` is `iso`, one of `EPOCHS`, `native` (the column already holds timestamps) or a
    strptime pattern such as `%d/%m/%Y %H:%M`. `timezone` is an IANA name used for times that carry no offset.
    """

    pattern: str = ISO
    timezone: str = "UTC"


@dataclass(frozen=True)
class Mapping:
    """Which column plays which role, and how its values are read.

    `score` is the only role a dataset cannot do without. Without `label` everything that needs one is undefined;
    without `version` each file is a version named after the file. `unused` are the other columns, each with the reason
    why it plays no role: they are told, and change nothing.

    With several classes `classes` holds a column for each, in ascending order of their names, `score` is what their
    names have in common ("prob_*"), and there is no `label_encoding`. `unlabelled` are texts of the label column that
    say that there is no label; they are compared as `LabelEncoding` says.
    """

    score: str
    score_kind: ScoreKind
    label: str | None = None
    label_encoding: LabelEncoding | None = None
    id: str | None = None
    version: str | None = None
    split: str | None = None
    time: str | None = None
    time_format: TimeFormat | None = None
    weight: str | None = None
    latency: str | None = None
    cost: str | None = None
    cohorts: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    classes: tuple[ClassColumn, ...] = ()
    unlabelled: tuple[str, ...] = ()
    unused: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def is_multiclass(self) -> bool:
        """Whether each of several classes has a score of its own."""
        return bool(self.classes)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes; none where there are two, of which one is positive."""
        return tuple(each.name for each in self.classes)

    @property
    def score_columns(self) -> tuple[str, ...]:
        """The columns that hold scores: one, or one for each class."""
        return tuple(each.column for each in self.classes) or (self.score,)

    def roles(self) -> dict[str, str]:
        """Role to column, for the single roles that are held."""
        held = {role.value: getattr(self, role.value) for role in SINGLE_ROLES}
        return {role: column for role, column in held.items() if column is not None}

    def as_json(self) -> dict[str, Any]:
        """The mapping as plain values, in the order of the fields; the input of `Mapping.from_json`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Mapping:
        """The mapping that `as_json` wrote."""
        encoding, time_format = values.get("label_encoding"), values.get("time_format")
        fields = dict(values)
        fields["score_kind"] = ScoreKind(values["score_kind"])
        if encoding is not None:
            fields["label_encoding"] = LabelEncoding(tuple(encoding["positive"]), tuple(encoding["negative"]))
        if time_format is not None:
            fields["time_format"] = TimeFormat(**time_format)
        fields["cohorts"] = tuple(values.get("cohorts", ()))
        fields["features"] = tuple(values.get("features", ()))
        fields["classes"] = tuple(
            ClassColumn(each["name"], each["column"], tuple(each["labels"])) for each in values.get("classes", ())
        )
        fields["unlabelled"] = tuple(values.get("unlabelled", ()))
        fields["unused"] = tuple((column, reason) for column, reason in values.get("unused", ()))
        return cls(**fields)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change when anything in the mapping does, but not with its `unused`."""
        values = dataclasses.replace(self, unused=()).as_json()
        text = json.dumps(values, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class ColumnProfile:
    """What was seen in one column of one file.

    `kind` is `integer`, `float`, `float32`, `boolean`, `timestamp`, `date` or `text`. `n_distinct` is exact up to
    10,000 and approximate (within a few per cent) beyond; `values` lists (text, count), most frequent first, when
    there are at most 1,000 distinct ones. A number column with cells that are no numbers is `text`: `n_numbers` says
    how many of its values are numbers. `minimum` and `maximum` are of the finite numbers, NaN where there are none.
    `written` says how numbers were written in the file where that was not plain: "a decimal comma (0,87)"; `zoned`
    whether native times carry their own zone.
    """

    name: str
    kind: str
    n_rows: int
    n_missing: int
    n_distinct: int
    examples: tuple[str, ...]
    values: tuple[tuple[str, int], ...] = ()
    minimum: float = float("nan")
    maximum: float = float("nan")
    n_numbers: int = 0
    written: str = ""
    zoned: bool = False


@dataclass(frozen=True)
class Evidence:
    """Why a column was given a role (or a score its kind, a label its positive class …), in one sentence."""

    topic: str
    choice: str
    sentence: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """Something that only a person can settle: it can be read in two ways, or not in the way that was said.

    `topic` is a role, `score_kind`, `pos_label`, `unlabelled`, `date_format` or `features`: what an answer is
    about, which a page and the command line each say in their own words. `options` are (value, what choosing it
    would mean, in words); none where there are too many to list.
    """

    topic: str
    sentence: str
    options: tuple[tuple[str, str], ...] = ()


COHORT_PREFIX = "cohort:"
VERSION, SPLIT, LABEL, WINDOW, FOLD = "version", "split", "label", "window", "fold"
"""Names of the keys of cells; a cohort column's key is its name behind `COHORT_PREFIX`."""
CLASS, PREDICTED = "class", "predicted"
"""With several classes: the true class of a row, and the one whose score is highest, the first of several alike."""
ONE_VS_REST = "one_vs_rest"
"""The key of a table in which each scored row stands once for every class, with its label (is it of that class or not)
and its score for it."""
TOP_LABEL = "top_label"
"""The key, with one value, of a table in which each row has the score, against the rest, of the class that it is
answered with, and for a label whether that is right."""

MISSING_KEY = ""
"""The value of a text key in rows where it is missing."""

NO_WINDOW = -(2**62)
"""The window of a row without a usable time. Other windows are the epoch second at which they begin."""

OTHER = "other"
"""What the cohort values beyond the `MAX_COHORT_VALUES` most frequent are gathered under, unless one is called so."""
MAX_COHORT_VALUES = 200
MAX_FOUND_VALUES = 1_000_000
"""Values that a cohort column may have: those that are gathered are found by their name."""

MAX_CLASSES = 200
"""As many as a cohort column has values. With more, each table by class would be larger than it may be."""

MAX_VERSIONS = 100
MAX_SPLITS = 20
"""Values that a version and a split column may have. No value of either can be gathered under "other"."""


def cohort_key(column: str) -> str:
    """The key of cells for a cohort column."""
    return COHORT_PREFIX + column


def cohort_column(key: str) -> str | None:
    """The cohort column behind a key of cells; None for the other keys."""
    return key.removeprefix(COHORT_PREFIX) if key.startswith(COHORT_PREFIX) else None


@dataclass(frozen=True)
class Filter:
    """Which rows are looked at: everything by default.

    `cohorts` are (column, value) pairs that must all hold; `split` is a split's name; `start` and `end` are epoch
    seconds, start included and end not.
    """

    cohorts: tuple[tuple[str, str], ...] = ()
    split: str | None = None
    start: int | None = None
    end: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether no row is left out."""
        return self == Filter()


EVERYTHING = Filter()

Outside: TypeAlias = tuple[tuple[tuple[str, ...], Filter], ...]
"""Parts that are left out: the rows of some versions that pass a filter, of each."""
