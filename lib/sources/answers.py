"""What was settled of a mapping: by a person, by an option, or for a file of the same shape."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lib.schema import (
    SINGLE_ROLES,
    Evidence,
    Mapping,
)
from lib.sources.columns import shorten
from lib.sources.labels import says_none


def _no_roles() -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Answers:
    """What a person or the command line has settled; None or absent means: infer it.

    `roles` maps a role to a column, or to an empty text for "no column plays it". `source` is the file that the answers
    were taken over from, empty where they were given; `given` are the topics that were said for this file all the same.
    """

    roles: dict[str, str] = field(default_factory=_no_roles)
    cohorts: tuple[str, ...] | None = None
    features: tuple[str, ...] | None = None
    score_kind: str | None = None
    pos_label: str | None = None
    unlabelled: tuple[str, ...] | None = None
    time_pattern: str | None = None
    timezone: str | None = None
    source: str = ""
    given: frozenset[str] = frozenset()

    @classmethod
    def of_mapping(cls, mapping: Mapping, source: str) -> Answers:
        """What was settled for another file, as answers for the next one like it."""
        encoding, time_format = mapping.label_encoding, mapping.time_format
        labels = () if encoding is None else (*encoding.positive, *encoding.negative)
        return cls(
            roles={role.value: mapping.roles().get(role.value, "") for role in SINGLE_ROLES},
            cohorts=mapping.cohorts,
            features=mapping.features,
            score_kind=mapping.score_kind.value,
            pos_label=None if encoding is None else encoding.pos_label,
            unlabelled=mapping.unlabelled or (() if any(map(says_none, labels)) else None),
            time_pattern=None if time_format is None else time_format.pattern,
            timezone=None if time_format is None else time_format.timezone,
            source=source,
        )

    def credit(self, evidence: Evidence) -> Evidence:
        """Evidence in the words of what was taken over, where it was."""
        if not self.source or evidence.topic in self.given:
            return evidence
        source = f"s for {shorten(self.source)}"
        sentence = evidence.sentence.replace("Declared", f"A{source}", 1)
        return replace(evidence, sentence=sentence.replace("was declared positive", f"is positive a{source}", 1))
