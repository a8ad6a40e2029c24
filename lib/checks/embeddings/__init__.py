"""Named checks over vectors: what is wrong with an embedding, where, and what to do about it."""

from lib.checks.embeddings.run import holds_embedding_checks, run_embedding_checks
from lib.checks.embeddings.table import EMBEDDING_CHECKS

__all__ = ["EMBEDDING_CHECKS", "holds_embedding_checks", "run_embedding_checks"]
