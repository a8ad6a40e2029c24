"""`python -m benchmarks [--rows N] [--folder F]`: measure, and print tables with what is expected beside."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.data import file_of
from benchmarks.measure import Measurement, run_module

FULL_ROWS = 10_000_000
LARGEST = 10
"""So many times as many rows are read from Parquet alone: what pandas could not hold here."""
SESSION_ROWS = 1_000_000
EXACT_ROWS = 200_000
"""With so many distinct scores tables stay exact and just within the budget: none of a larger file has more cells."""
NEIGHBOUR_ROWS, NEIGHBOUR_DIMENSION = 100_000, 128
GB = 1e9
PACKAGES = ("duckdb", "pyarrow", "ibis-framework", "numpy", "pandas", "scikit-learn", "faiss-cpu", "umap-learn")

EXPECTED = {
    "csv": "under 10 s and 1.0 GB; at least 2.5 times faster and 3 times leaner",
    "parquet": "under 5 s; at least 4 times faster and 3 times leaner",
}
"""What ten million rows are expected to take on two idle cores."""
EXPECTED_LARGEST = "under 60 s and 2 GB"
EXPECTED_SESSIONS = "under 2 GB"
EXPECTED_PAGE = "expected: under 1 s; under 50 ms"
EXPECTED_SLICES = "under 10 s"
EXPECTED_COMPARISON = "under 10 s"
EXPECTED_NEIGHBOURS = "within 1.2 times faiss alone"
EXPECTED_SWITCH = "under 0.5 s"
MAPS = ((10_000, 128, 0), (50_000, 384, 0))
"""Rows, dimension, and how many landmarks (0: none)."""
LARGEST_MAP = (1_000_000, 64, 50_000)
EXPECTED_MAPS = "10,000: 3 times faster cold, 2 times warm; 50,000: 2 times warm; as trustworthy to 0.01, no less kept"


def main() -> None:
    """Measure everything below a temporary folder."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure time and memory.")
    parser.add_argument("--rows", type=int, default=FULL_ROWS, help="rows of the largest file (10,000,000)")
    parser.add_argument("--folder", type=Path, help="where the files go meanwhile (about 7 GB)")
    options = parser.parse_args()
    sizes = sorted({max(options.rows // 100, 1_000), max(options.rows // 10, 1_000), options.rows})
    print_machine()
    with tempfile.TemporaryDirectory(prefix="marginalia-bench-", dir=options.folder) as name:
        folder = Path(name)
        for rows in sizes:
            run_module("benchmarks.data", rows, folder)
        ours = {(rows, kind): overview(folder, rows, kind) for rows in sizes for kind in ("csv", "parquet")}
        compare(folder, options.rows, ours)
        largest = LARGEST * options.rows
        run_module("benchmarks.data", largest, folder, "parquet")
        ours[largest, "parquet"] = overview(folder, largest, "parquet")
        print_largest(largest, ours[largest, "parquet"])
        print_growth([*sizes, largest], ours)
        print_slices(folder, min(SESSION_ROWS, options.rows))
        print_comparison(folder, options.rows)
        print_neighbours(min(NEIGHBOUR_ROWS, options.rows))
        print_slider(folder, sorted({*sizes[-2:], min(EXACT_ROWS, options.rows), largest}))
        file_of(folder, largest, "parquet").unlink()
        print_maps(folder)
        print_map_page(folder)
        print_sessions(folder, min(SESSION_ROWS, options.rows))


def print_machine() -> None:
    """What it ran on, and how busy that was."""
    load = os.getloadavg()[0]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(
        f"{os.cpu_count()} cores, {_memory() / GB:.0f} GB, load {load:.1f} before; Python {platform.python_version()}"
    )
    print(f"{platform.system()} {platform.machine()}; {packages}")
    if load > 0.5:
        print("The machine is busy with something else: times below are longer than on an idle one.")


def overview(folder: Path, rows: int, kind: str) -> Measurement:
    """The first overview of one file, in a fresh process with an empty store."""
    store = folder / f"store-{rows}-{kind}"
    path = file_of(folder, rows, kind)
    _touch(path)
    measured = run_module("benchmarks.overview", path, store)
    shutil.rmtree(store)
    return measured


def compare(folder: Path, rows: int, ours: dict[tuple[int, str], Measurement]) -> None:
    """Both paths side by side, and by how much their numbers differ."""
    print(f"\nFrom file to the first complete overview, {rows:,} rows x 8 columns, a fresh process each")
    table: list[list[str]] = []
    for kind in ("csv", "parquet"):
        mine, path = ours[rows, kind], file_of(folder, rows, kind)
        _touch(path)
        theirs = run_module("benchmarks.pandas_baseline", path, mine.said["window_seconds"])
        for who, each in (("marginalia", mine), ("pandas", theirs)):
            size = f"{path.stat().st_size / GB:.2f} GB" if who == "marginalia" else ""
            table.append(
                [
                    kind if size else "",
                    size,
                    who,
                    f"{each.seconds:.1f} s",
                    f"{each.cpu:.1f} s",
                    f"{each.peak / GB:.2f} GB",
                    "",
                ]
            )
        pairs = ((theirs.seconds, mine.seconds), (theirs.cpu, mine.cpu), (theirs.peak, mine.peak))
        ratios = [f"{first / second:.1f} x" for first, second in pairs]
        table.append(["", "", "ratio", *ratios, f"expected: {EXPECTED[kind]}"])
    print_table(["file", "size", "by", "time", "processor", "peak memory", ""], table)
    for kind in ("csv", "parquet"):
        stages = ", ".join(f"{name} {seconds:.2f}" for name, seconds in ours[rows, kind].said["stages"].items())
        print(f"marginalia, {kind}: {stages} s; the rest is starting Python and imports")
    said = ours[rows, "parquet"].said
    print(f"\nBoth paths' numbers, at resolution {said['resolution']} ({said['findings']} findings)")
    print_table(["metric", "largest difference", "bound stated"], _differences(said, theirs.said["numbers"]))


def print_largest(rows: int, measured: Measurement) -> None:
    """The file that is too large to compare."""
    print(f"\nFrom file to the first complete overview, {rows:,} rows of Parquet")
    cells = [f"{measured.seconds:.1f} s", f"{measured.cpu:.1f} s", f"{measured.peak / GB:.2f} GB"]
    print_table(["time", "processor", "peak memory", ""], [[*cells, f"expected: {EXPECTED_LARGEST}"]])


def _differences(mine: dict[str, dict[str, dict[str, float]]], theirs: dict[str, dict[str, float]]) -> list[list[str]]:
    table: list[list[str]] = []
    for metric, values in theirs.items():
        own = mine["numbers"][metric]
        if own.keys() != values.keys():
            table.append([metric, "not over the same groups", ""])
            continue
        most = max(abs(own[key] - value) for key, value in values.items())
        bound = mine["bounds"].get(metric, 0.0)
        table.append([metric, f"{most:.1e}", f"{bound:.1e}" if bound else "exact, to rounding"])
    return table


def print_growth(sizes: Sequence[int], ours: dict[tuple[int, str], Measurement]) -> None:
    """How time grows with rows, without the start of Python, which does not."""
    print("\nGrowth, seconds after imports (ratio 1.00: in proportion to the rows)")
    table: list[list[str]] = []
    for kind in ("csv", "parquet"):
        before: tuple[int, float] | None = None
        for rows in [rows for rows in sizes if (rows, kind) in ours]:
            seconds = sum(ours[rows, kind].said["stages"].values())
            ratio = f"{seconds / before[1] / (rows / before[0]):.2f}" if before else ""
            cells = [kind, f"{rows:,}", f"{seconds:.2f} s", f"{1e6 * seconds / rows:.2f} s", ratio]
            table.append([*cells, "expected: at most about 1" if before else ""])
            before = rows, seconds
    print_table(["file", "rows", "time", "per million", "ratio to linear", ""], table)


def print_slider(folder: Path, sizes: Sequence[int]) -> None:
    """Server time of a page's first run and of a γ move."""
    print("\nA page inside lib: processor time of its first run; one move of the γ slider, median of 20 (slowest)")
    measured = {}
    for rows in sizes:
        store, path = folder / f"store-slider-{rows}", file_of(folder, rows, "parquet")
        if not path.exists():
            run_module("benchmarks.data", rows, folder)
        measured[rows] = run_module("benchmarks.slider", path, store).said
        shutil.rmtree(store)
    table = [
        [
            page,
            *(
                f"{each[page]['first']:.2f} s; {1e3 * each[page]['median']:.1f} ms ({1e3 * each[page]['slowest']:.1f})"
                for each in measured.values()
            ),
        ]
        for page in measured[sizes[0]]
    ]
    print_table(["page", *(f"{rows:,} rows" for rows in sizes), ""], [[*row, EXPECTED_PAGE] for row in table])


def print_slices(folder: Path, rows: int) -> None:
    """The search for the worst slices, beside pandas on one half of the rows."""
    path, store = folder / "slices.parquet", folder / "store-slices"
    run_module("benchmarks.slices", "make", path, rows)
    mine, theirs = (run_module("benchmarks.slices", by, path, store) for by in ("marginalia", "pandas"))
    print(f"\nThe worst slices of up to three of 8 columns of 10 levels, {rows:,} rows (expected: {EXPECTED_SLICES})")
    first, second = (each.said["seconds"] for each in (mine, theirs))
    table = [
        ["marginalia", f"{first:.1f} s", f"{mine.peak / GB:.2f} GB", f"{len(mine.said['told'])} told"],
        ["pandas, one half", f"{second:.1f} s", f"{theirs.peak / GB:.2f} GB", f"{theirs.said['told']} told"],
        ["ratio", f"{second / first:.1f} x", f"{theirs.peak / mine.peak:.1f} x", ""],
    ]
    print_table(["by", "time of the search", "peak memory", "slices"], table)


def print_comparison(folder: Path, rows: int) -> None:
    """Two versions joined on their ids, beside pandas."""
    path, store = folder / "comparison.parquet", folder / "store-comparison"
    run_module("benchmarks.comparison", "make", path, rows)
    mine, theirs = (run_module("benchmarks.comparison", by, path, store) for by in ("marginalia", "pandas"))
    shutil.rmtree(store)
    path.unlink()
    first, again, second = mine.said["seconds"], mine.said["again"], theirs.said["seconds"]
    pairs = mine.said["pairs"]
    print(f"\nTwo versions joined on id, {rows:,} rows, {pairs:,} pairs, scan done (expected: {EXPECTED_COMPARISON})")
    table = [
        ["marginalia", f"{first:.1f} s; {1e3 * again:.0f} ms", f"{mine.peak / GB:.2f} GB"],
        ["pandas, a part of it", f"{second:.1f} s", f"{theirs.peak / GB:.2f} GB"],
        ["ratio", f"{second / first:.1f} x", f"{theirs.peak / mine.peak:.1f} x"],
    ]
    print_table(["by", "time to all numbers; again", "peak memory"], table)


def print_neighbours(rows: int) -> None:
    """Exact neighbours beside faiss alone, in one process by turns, and the measures of retrieval made of them."""
    said = run_module("benchmarks.neighbours", rows, NEIGHBOUR_DIMENSION).said
    print(f"\nExact neighbours of {rows:,} x {NEIGHBOUR_DIMENSION}, {said['k']} each (expected: {EXPECTED_NEIGHBOURS})")
    table = [
        [by, *(f"{said[what][by]:.1f} s" for what in ("seconds", "cpu"))] for by in ("marginalia", "faiss", "retrieval")
    ]
    ratios = (said[what]["marginalia"] / said[what]["faiss"] for what in ("seconds", "cpu"))
    table.append(["marginalia / faiss", *(f"{ratio:.2f} x" for ratio in ratios)])
    print_table(["by", "time", "time of processors"], table)
    print(f"retrieval: measures over all ranks of {said['sampled']:,} of {rows:,} queries, recall@k of all")


def print_maps(folder: Path) -> None:
    """The map beside umap-learn's default, and that of a million rows."""
    print(f"\nThe map, from a matrix on disk (expected: {EXPECTED_MAPS})")
    table: list[list[str]] = []
    for rows, dimension, landmarks in (*MAPS, LARGEST_MAP):
        path = folder / "vectors.npy"
        run_module("benchmarks.projection", "make", path, rows, dimension)
        who = ("marginalia",) if (rows, dimension, landmarks) == LARGEST_MAP else ("marginalia", "umap")
        for by in who:
            said = run_module("benchmarks.projection", by, path, landmarks).said
            stages = ", ".join(f"{name} {seconds:.1f}" for name, seconds in said["stages"].items())
            numbers = [f"{said['trustworthiness']:.3f}", f"{said['kept']:.3f}"]
            times = [f"{said[run][what]:.1f} s" for run in ("cold", "warm") for what in ("seconds", "cpu")]
            table.append([f"{rows:,} x {dimension}", by, *times, *numbers, stages])
        path.unlink()
    head = ["vectors", "by", "cold", "processors", "warm", "processors", "trustworthiness", "kept neighbours"]
    print_table([*head, "warm, seconds of processors"], table)


def print_map_page(folder: Path) -> None:
    """The Map page in a real browser: a million points, and a layout beside another person's pages."""
    rows, dimension, _landmarks = LARGEST_MAP
    said = run_module("benchmarks.map_page", "draw", folder / "draw", rows, dimension).said
    print(f"\nThe Map page with {rows:,} points, a browser without a graphics card")
    print(f"first draw {said['drawn']:.1f} s, {said['payload'] / 1e6:.1f} MB sent (expected: under 8 s and 12 MB)")
    print(
        f"memory of the browser's page: {said['memory'] / 1e6:.0f} MB, {said['growth'] / 1e6:.0f} MB more than Home's"
    )
    print(f"(expected: under 300 MB); a zoom {said['zoom']:.2f} s, a move {said['move']:.2f} s, a lasso of", end=" ")
    print(f"{said['selected']:,} points {said['lasso']:.1f} s")
    rows, dimension, _landmarks = MAPS[-1]
    said = run_module("benchmarks.map_page", "beside", folder / "beside", rows, dimension).said
    still = "" if said["is_running"] else "; IT WAS DONE BEFORE"
    print(
        f"\nPage switches while another person's {rows:,} x {dimension} is laid out (expected: within 1.5 times{still})"
    )
    table = [[how, f"{said[how]['median']:.3f} s", f"{said[how]['slowest']:.3f} s"] for how in ("alone", "beside")]
    table.append(["ratio", *(f"{said['beside'][each] / said['alone'][each]:.2f} x" for each in ("median", "slowest"))])
    print_table(["", "median", "slowest"], table)
    print(f"cancelled: the process and its {said['freed'] / GB:.2f} GB were gone after {said['cancelled']:.2f} s")


def print_sessions(folder: Path, rows: int) -> None:
    """Many people on one server, in a real browser."""
    said = run_module("benchmarks.sessions", folder, rows).said
    print(f"\n{said['sessions']} sessions with {said['datasets']} datasets of {rows:,} rows each, one server")
    print(f"server memory: {said['peak'] / GB:.2f} GB at most (expected: {EXPECTED_SESSIONS})")
    table = [
        [page, *(f"{each[how]['median']:.2f} s ({each[how]['slowest']:.2f})" for how in ("answered", "drawn"))]
        for page, each in said["pages"].items()
    ]
    head = ["switch to", f"server's answer (expected: {EXPECTED_SWITCH})", "and drawn by a browser on the same machine"]
    print("median (slowest)")
    print_table(head, table)


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns of equal width, two blanks apart."""
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip(), flush=True)


def _touch(path: Path) -> None:
    """Bring a file into the page cache, so that nobody's turn depends on the disk."""
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


if __name__ == "__main__":
    main()
