"""Map: where the rows of a set of vectors lie, to click on; the rows themselves, and what is truly near them."""

import streamlit as st

from lib.figures.map_view import NO_EVIDENCE, map_sentence
from lib.ui.embedding_map import draw_maps, offer_pictures, show_churn, wait_for_maps
from lib.ui.embeddings_page import open_embeddings_page
from lib.ui.html import show_answer, show_note
from lib.ui.map_controls import choose_map
from lib.ui.map_selection import show_selection
from lib.ui.predictions_beside import find_predictions, offer_fit, show_joined, wait_for_predictions

diagnosis = open_embeddings_page("projection", "Map")
beside = find_predictions(diagnosis)
answer = st.container()
choice = choose_map(diagnosis, beside)
show_joined(diagnosis, beside, choice.colour, choice.versions)
progress = st.container()
maps = draw_maps(diagnosis, choice)
with answer:
    show_answer(map_sentence(diagnosis, maps.panels))
show_note(NO_EVIDENCE)
offer_fit(diagnosis, beside)
show_selection(diagnosis, maps.numbering, maps.selected, beside)
if choice.layout is not None and diagnosis.is_compared:
    show_churn(diagnosis, choice.layout)
offer_pictures(diagnosis, maps, choice)
with progress:
    wait_for_predictions(diagnosis, beside)
    wait_for_maps(diagnosis, choice)
