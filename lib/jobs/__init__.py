"""Long Python work in processes of its own, so that no session waits for another's: progress, cancel, replacement."""

from lib.jobs.pool import Pool, shared_pool

__all__ = ["Pool", "shared_pool"]
