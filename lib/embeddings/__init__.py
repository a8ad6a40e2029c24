"""Embeddings under settings, by topic: what pages, reports and checks of vectors read."""

from lib.embeddings.diagnosis import EmbeddingDiagnosis
from lib.embeddings.settings import EmbeddingSettings

__all__ = ["EmbeddingDiagnosis", "EmbeddingSettings"]
