"""Names that a browser sends for files: shown to people, never used as paths."""

import re
import unicodedata

_LONGEST = 120
_SUFFIXES = re.compile(r"((?:\.[A-Za-z0-9]{1,9}){1,2})$")


def clean_display_name(raw: str) -> str:
    """Reduce what a browser sent to one line of text that is safe to show.

    Directories (of either kind of slash) are dropped, as are control characters and the marks that reverse
    reading order; runs of blanks become one. Longer names than 120 characters are shortened in the middle, so
    that the ending stays readable. Never empty: "unnamed" stands for a name of which nothing is left.
    """
    last = re.split(r"[/\\]", raw)[-1]
    # Category C holds control, format (bidirectional overrides among them), surrogate and unassigned
    # characters.
    visible = "".join(" " if c.isspace() else c for c in last if c.isspace() or unicodedata.category(c)[0] != "C")
    name = " ".join(unicodedata.normalize("NFC", visible).split())
    if not name.strip(". "):
        return "unnamed"
    if len(name) > _LONGEST:
        keep = (_LONGEST - 1) // 2
        name = f"{name[:keep]}…{name[-keep:]}"
    return name


def file_suffix(name: str) -> str:
    """The ending that tells the format, such as ".csv" or ".csv.gz"; empty when there is none to trust."""
    found = _SUFFIXES.search(name)
    return found.group(1).lower() if found else ""


def format_size(size: float) -> str:
    """A number of bytes for a sentence: "512 bytes", "1.5 MB", "20 GB" (powers of a thousand)."""
    if size < 1000:
        return f"{size:.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.5 or unit == "GB":
            break
    return f"{size:.3g} {unit}" if size < 999.5 else f"{size:,.0f} {unit}"
