"""From files of vectors to a set of embeddings: matrices on disk, metadata by row, roles with evidence, the truth."""

from lib.sources.embeddings.dataset import (
    EmbeddingAnswers,
    EmbeddingInput,
    EmbeddingRoles,
    EmbeddingSet,
    FoundNeighbours,
    RowFaults,
)
from lib.sources.embeddings.formats import looks_like_embeddings
from lib.sources.embeddings.read import Beside, read_embeddings

__all__ = [
    "Beside",
    "EmbeddingAnswers",
    "EmbeddingInput",
    "EmbeddingRoles",
    "EmbeddingSet",
    "FoundNeighbours",
    "RowFaults",
    "looks_like_embeddings",
    "read_embeddings",
]
