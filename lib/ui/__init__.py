"""What knows Streamlit: state, controls, cards, downloads, and the server entry with the upload route."""
