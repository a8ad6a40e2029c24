"""The end of a page before its last line, where nothing more is to be shown.

`st.stop` would end the frame with it: after it Streamlit takes no call, so that neither the view were written to the
URL nor what of a link does not fit were said.
"""

from __future__ import annotations

from typing import NoReturn


class PageEnded(Exception):  # noqa: N818
    """The page is over; the frame goes on."""


def end_page() -> NoReturn:
    """End the page that is drawn.

    Raises:
        PageEnded: always; the frame takes it.
    """
    raise PageEnded
