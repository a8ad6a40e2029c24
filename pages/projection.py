"""Map: where the rows of a set of vectors lie, to click on."""

from lib.ui.embeddings_page import open_embeddings_page

diagnosis = open_embeddings_page("projection", "Map")
