"""The one root of every error that a person may read.

The text of each error is a sentence for that person: what was found, where, and what to do about it. The command
line prints it and exits with status 2; a page shows it in place of a result. Neither ever shows a traceback.
"""


class MarginaliaError(Exception):
    """Root of all errors of this product; its text is a sentence for a person."""


class DataError(MarginaliaError):
    """A file, column or row cannot be used; the text names the place and what was expected there."""


class AmbiguityError(DataError):
    """Something in the data can be read in two ways and nobody has said which; the text names what settles it.

    Attributes:
        question: what can be read in two ways, in a sentence that holds on every face.
        topic: what an answer would settle; empty where it is not one thing.
        options: the answers that fit, as far as they are known.
    """

    def __init__(self, question: str, remedy: str = "", topic: str = "", options: tuple[str, ...] = ()) -> None:
        """Say the question and, on the command line, the remedy."""
        super().__init__(f"{question} {remedy}".strip())
        self.question, self.topic, self.options = question, topic, options


class MisreadError(DataError):
    """Hardly a record fits the mapping; the text names the reason, `topics` the roles and readings to choose anew."""

    def __init__(self, sentence: str, topics: tuple[str, ...]) -> None:
        """Say a sentence that holds on every face; the command line adds the options of the topics."""
        super().__init__(sentence)
        self.topics = topics


class UndefinedError(MarginaliaError):
    """A number was asked for that the data cannot give; the text says why."""


class SettingsError(MarginaliaError):
    """A setting, option or link names something that is not there; the text lists what is."""


class LimitError(MarginaliaError):
    """A stated bound (size, memory, disk, time) was met; the text names the bound and how to stay below it."""


class Cancelled(MarginaliaError):  # noqa: N818 - the person's own decision is not an error to them
    """The work was cancelled by its owner; nothing that was loaded before has changed."""
