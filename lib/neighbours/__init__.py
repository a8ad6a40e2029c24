"""From vectors to who is near whom: exact neighbour graphs, and where right answers stand in a whole ranking.

The only room that knows faiss.
"""

from lib.neighbours.graph import Report, compute_graph
from lib.neighbours.matches import compute_matches
from lib.neighbours.sizes import compute_trade_off

__all__ = ["Report", "compute_graph", "compute_matches", "compute_trade_off"]
