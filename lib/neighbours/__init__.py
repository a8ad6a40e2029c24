"""From vectors to who is near whom: exact neighbour graphs, and where right answers stand in a whole ranking.

The only room that knows faiss.
"""

from lib.neighbours.graph import Report, compute_graph

__all__ = ["Report", "compute_graph"]
