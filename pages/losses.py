"""Losses: hinge against logistic over the margins that this data really has."""

import streamlit as st

from lib.figures.frame import provenance_line
from lib.figures.gradient_shares import plot_gradient_shares
from lib.figures.loss_accounting import plot_loss_accounting
from lib.figures.loss_accounting_view import AccountingView
from lib.figures.losses import plot_losses
from lib.figures.losses_view import LossesView
from lib.metrics.loss_functions import LOSSES, loss_named
from lib.ui import state
from lib.ui.ending import end_page
from lib.ui.figure import current_look, show_figure
from lib.ui.html import show_answer
from lib.ui.page import open_page

ALWAYS = ("hinge", "logistic")
WORDS = """
**Score** s: what the model says; its sign is the decision. **Label** y: +1 or −1.

**Margin** m = y·s, of several classes the true one's score minus the highest other: how far on the right side a row
is; below 0 the decision is wrong.

**Margin target** γ: the margin that hinge loss asks for, set in the sidebar.

**Hinge loss** max(0, γ − m): linear below γ, zero beyond it.

**Logistic loss** log(1 + e^−m): never quite zero.

**Gradient**: how hard a row still pushes the model. Hinge pushes with 1 below γ and with 0 beyond it; logistic pushes
with σ(−m), which only fades.

**Subgradient**: at m = γ hinge has a corner, and any slope from −1 to 0 will do; 0 is taken, as solvers do.

**Support vector**: a row with m ≤ 1, up to 0.001: the only rows that a hinge-trained model depends on.
"""

diagnosis = open_page("losses", "Losses")
look, provenance = current_look(), provenance_line(diagnosis)
answer = st.container()
others = state.choose_many(
    "losses",
    "Beside hinge and logistic",
    [loss.name for loss in LOSSES if loss.name not in ALWAYS],
    words=lambda name: loss_named(name).label,
)
with st.popover("What the words mean", icon=":material/dictionary:", type="tertiary"):
    st.markdown(WORDS)
    for name in (*ALWAYS, *others):
        loss = loss_named(name)
        st.markdown(f"**{loss.label}** `{loss.formula}` {loss.description}")
view = LossesView.of(diagnosis, others)
with answer:
    show_answer(view.answer())
if view.nothing:
    end_page()
show_figure(
    plot_losses(view, look, provenance),
    "losses-figure",
    name="losses-over-margins",
    table=view.frame(),
    alt=view.answer(),
)
show_figure(
    plot_gradient_shares(view, look, provenance), "gradients-figure", name="gradient-shares", table=view.shares_frame()
)
accounting = AccountingView.of(diagnosis, view)
show_figure(
    plot_loss_accounting(accounting, look, provenance),
    "accounting-figure",
    name="loss-accounting",
    table=accounting.accounting.frame(),
)
