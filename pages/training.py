"""Training: loss and metrics along the training, run beside run."""

import streamlit as st

from lib.checks import run_training_checks
from lib.checks.training_runs import TrainingLook
from lib.figures.training import history_line, plot_batches, plot_training
from lib.figures.training_view import BatchView, TrainingView, axes_of, curve_rows, metrics_of, runs_frame, splits_of
from lib.ui import state
from lib.ui.downloads import offer_csv
from lib.ui.figure import current_look, show_figure
from lib.ui.findings import show_cards
from lib.ui.histories import look_at_sample, lost_histories, show_readings, training_look
from lib.ui.html import show_answer, show_note, show_table
from lib.ui.sidebar import show_datasets
from lib.ui.training import answer_of, choose_runs, made_at, table_of

WEIGHTS = {"0": "Off", "0.6": "Some", "0.9": "Much", "0.98": "Most"}
AXES = {"epoch": "Epoch", "step": "Step", "time": "Time"}
SCALES = {"linear": "Linear", "log": "Log"}


def show_nothing() -> None:
    """What stands here without a history."""
    show_note(
        "No training history is loaded yet. Drop one on the Home page, alone or with predictions: the CSV of Keras, "
        "Lightning, MLflow, Weights & Biases or TensorBoard, trainer_state.json, eval results of XGBoost or LightGBM, "
        "or loss curves of scikit-learn as JSON."
    )
    st.page_link("pages/home.py", label="Go to Home", icon=":material/arrow_forward:", query_params=state.current())
    if st.button("Look at a sample"):
        look_at_sample()


def show_curves(look: TrainingLook) -> None:
    """The controls, the curves, and the batches where there are any."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metrics = metrics_of(look)
        metric = state.choose("curve", "Metric", metrics, default=metrics[0], words=lambda name: name.replace("_", " "))
        axes = axes_of(look, metric)
        axis = state.choose("along", "Along", axes, default=axes[0], draw=st.segmented_control, words=AXES.__getitem__)
        weight = state.choose(
            "smooth", "Smoothing", list(WEIGHTS), default="0", draw=st.segmented_control, words=WEIGHTS.__getitem__
        )
        scale = state.choose(
            "scale", "Values", list(SCALES), default="linear", draw=st.segmented_control, words=SCALES.__getitem__
        )
    splits = splits_of(look, metric)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = state.choose_many("splits", "Splits", splits, default=splits) if len(splits) > 1 else splits
        chosen = choose_runs(look.training.runs)
    view = TrainingView.of(
        look,
        metric,
        shown,
        next(each for each in axes if each == axis),
        runs=chosen,
        weight=float(weight),
        log=scale == "log",
    )
    provenance = history_line(look.training, made_at())
    show_figure(
        plot_training(view, current_look(), provenance), "training-figure", name="training-curves", table=view.frame()
    )
    for place, batches in enumerate(BatchView.all_of(look, metric, chosen, shown)):
        figure = plot_batches(batches, current_look(), provenance)
        show_figure(figure, f"batches-{place}", name="batches", table=batches.frame())


with st.sidebar:
    show_datasets()
st.title("Training", anchor=False)
if lost_histories():
    st.warning(
        "A training history of this link is no longer here: they are kept for twelve hours after they were last looked "
        "at, and while the server runs. Load the file again."
    )
look = training_look()
if not look.training.histories:
    show_nothing()
else:
    show_answer(answer_of(look))
    show_cards(run_training_checks(look))
    show_curves(look)
    st.subheader("Every curve in numbers", anchor=False)
    show_table(*table_of(look))
    offer_csv(
        runs_frame(curve_rows(look)), "training-runs", provenance=history_line(look.training, made_at()), key="runs:csv"
    )
    with st.expander("How the files were read, and removing them"):
        show_readings()
