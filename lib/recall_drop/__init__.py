"""What happened to recall between two versions: hypotheses, counterfactuals, and the change in parts."""

from lib.recall_drop.drop import RecallDrop, compute_recall_drop
from lib.recall_drop.question import Asked, Side

__all__ = ["Asked", "RecallDrop", "Side", "compute_recall_drop"]
