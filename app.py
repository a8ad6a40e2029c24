"""Marginalia: page config and navigation; nothing else."""

from pathlib import Path

import streamlit as st

from lib.ui.page import run_page

st.set_page_config(
    page_title="Marginalia",
    # A file of ours: the browser would fetch a Material icon from Google.
    page_icon=str(Path(__file__).parent / "lib/ui/assets/icon.svg"),
    layout="wide",
    menu_items={"About": "Marginalia: where a classifier is unsure, and whom it fails."},
)
GROUPS = {
    "Home": [st.Page("pages/home.py", title="Home", icon=":material/home:", default=True)],
    "One model": [
        st.Page("pages/losses.py", title="Losses", icon=":material/show_chart:"),
        st.Page("pages/margins.py", title="Margins", icon=":material/equalizer:"),
        st.Page("pages/calibration.py", title="Calibration", icon=":material/balance:"),
        st.Page("pages/thresholds.py", title="Thresholds", icon=":material/rule:"),
        st.Page("pages/support_vectors.py", title="Support vectors", icon=":material/join_inner:"),
        st.Page("pages/training.py", title="Training", icon=":material/timeline:"),
        st.Page("pages/fit_lab.py", title="Fit lab", icon=":material/science:"),
    ],
    "Two versions": [
        st.Page("pages/comparison.py", title="Comparison", icon=":material/compare_arrows:"),
        st.Page("pages/gate.py", title="Gate", icon=":material/verified_user:"),
    ],
    "Over time": [st.Page("pages/monitoring.py", title="Monitoring", icon=":material/monitor_heart:")],
    "Rows": [
        st.Page("pages/cohorts.py", title="Cohorts", icon=":material/groups:"),
        st.Page("pages/slices.py", title="Slices", icon=":material/pie_chart:"),
        st.Page("pages/features.py", title="Features", icon=":material/tune:"),
        st.Page("pages/samples.py", title="Samples", icon=":material/table_rows:"),
    ],
    "Vectors": [
        st.Page("pages/projection.py", title="Map", icon=":material/scatter_plot:"),
        st.Page("pages/retrieval.py", title="Retrieval", icon=":material/search:"),
        st.Page("pages/recall.py", title="What happened to recall?", icon=":material/troubleshoot:"),
        st.Page("pages/geometry.py", title="Geometry", icon=":material/hub:"),
        st.Page("pages/drift.py", title="Drift", icon=":material/moving:"),
        st.Page("pages/dimensions.py", title="Dimensions", icon=":material/data_array:"),
    ],
}
# The frame draws the links itself: Streamlit's own leave the view behind.
run_page(st.navigation(GROUPS, position="hidden"), GROUPS)
