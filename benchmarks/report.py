"""The tables and the plot of one run, from its figures."""

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from environments import CONTESTANTS, DYNAMIX, FLOORS, HERE

WORK = {
    "get": "GetItem",
    "put": "PutItem",
    "update": "UpdateItem",
    "query_100": "Query of 100",
    "query_1000": "Query of 1,000",
    "read_1000": "Query of 1,000, all read",
    "declared_1000": "Query of 1,000, elements declared, all read",
    "batch_get": "BatchGet of 1,000",
    "batch_write": "BatchWrite of 1,000",
    "transact": "Transaction of 4",
    "save_unchanged": "save(), unchanged",
    "get_in_flight": "GetItem, 200 in flight",
    "doc_read": "Document, get and read",
    "doc_put": "Document, put",
    "doc_commit": "Document, one key committed",
    "doc_update": "Document, one key by update",
}

_GOALS = (
    ("get", 0.40),
    ("put", 0.40),
    ("update", 0.30),
    ("query_100", 0.25),
    ("query_1000", 0.25),
    ("batch_get", 0.35),
    ("batch_write", 0.60),
    ("transact", 0.40),
    ("get_in_flight", 0.50),
    ("doc_put", 1.00),
    ("doc_commit", 1.00),
)
"""What dynamix may need of the processor time that the fastest peer needs."""

_COMPARED = {DYNAMIX.title, "json.loads", "boto3 client"}
"""Without these there is nothing to say of the goals."""

_FLOOR_TITLES = [floor.title for floor in FLOORS]

Figures = dict[str, Any]


def write(results: Figures) -> None:
    directory = HERE / "results"
    directory.mkdir(exist_ok=True)
    (directory / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (directory / "results.md").write_text(tables(results))
    (directory / "results.svg").write_text(plot(results))


def tables(results: Figures) -> str:
    """All figures in Markdown."""
    parts = [_heading(results), _work_tables(results)]
    if "start" in results:
        parts.append(_starts(results))
        if results["work"].keys() >= _COMPARED:
            parts.append(_goals(results))
    if "engine" in results:
        parts.append(_engine(results["engine"]))
    return "\n\n".join([*parts, _versions(results)]) + "\n"


def _heading(results: Figures) -> str:
    machine = results["machine"]
    return (
        f"# Figures\n\nMeasured on {machine['cores']} cores of {machine['processor']}, {machine['system']}, "
        f"{machine['python']}; medians of {results['rounds']} rounds. "
        "[What they mean](../../docs/benchmarks.md)."
    )


def _work_tables(results: Figures) -> str:
    work = results["work"]
    kinds = [kind for kind in WORK if any(kind in figures for figures in work.values())]
    head = ["", *(WORK[kind] for kind in kinds)]
    parts = []
    for clock, title in (("cpu", "Processor time"), ("wall", "Wall-clock time")):
        rows = [[name, *(_duration(figures.get(kind), clock) for kind in kinds)] for name, figures in work.items()]
        parts.append(f"## {title} of one operation\n\n{_table(head, rows)}")
    own = work.get(DYNAMIX.title)
    if own:
        rows = [
            [name, *(_ratio(own.get(kind), figures.get(kind)) for kind in kinds)]
            for name, figures in work.items()
            if name != DYNAMIX.title
        ]
        parts.append(f"## dynamix's processor time as a part of each one's\n\n{_table(head, rows)}")
    return "\n\n".join(parts)


def _goals(results: Figures) -> str:
    work, start = results["work"], results["start"]
    rows = []
    for kind, goal in _GOALS:
        seconds, name = _fastest_peer(work, kind)
        rows.append([WORK[kind], f"{name}, {_spelled(seconds)}", *_reached(work, kind, seconds, goal)])
    seconds, name = _fastest_peer(work, "read_1000")  # which have nothing that could be declared
    rows.append(
        [WORK["declared_1000"], f"{name}, {_spelled(seconds)}", *_reached(work, "declared_1000", seconds, 0.35)]
    )
    floor = work["json.loads"]["query_1000"]["cpu"]
    rows.append([WORK["query_1000"], f"json.loads alone, {_spelled(floor)}", *_reached(work, "query_1000", floor, 1.0)])
    floor = work["json.loads"]["doc_read"]["cpu"]
    rows.append([WORK["doc_read"], f"json.loads alone, {_spelled(floor)}", *_reached(work, "doc_read", floor, 2.0)])
    boto3, own = (start[name]["first_answer_cpu"] for name in ("boto3 client", DYNAMIX.title))
    rows.append(["Import and first GetItem", f"boto3 client, {_spelled(boto3)}", f"{own / boto3:.2f}", "0.25"])
    return f"## Goals, in processor time\n\n{_table(['', 'compared with', 'dynamix', 'at most'], rows)}"


def _fastest_peer(work: Figures, kind: str) -> tuple[float, str]:
    passed_over = {DYNAMIX.title, *_FLOOR_TITLES}
    return min(
        (figures[kind]["cpu"], name) for name, figures in work.items() if name not in passed_over and kind in figures
    )


def _reached(work: Figures, kind: str, seconds: float, goal: float) -> list[str]:
    return [f"{work[DYNAMIX.title][kind]['cpu'] / seconds:.2f}", f"{goal:.2f}"]


def _starts(results: Figures) -> str:
    head = [
        "",
        "import, processor",
        "import and first GetItem, processor",
        "import and first GetItem, wall clock",
        "cold start, wall clock",
        "memory when imported",
        "peak of a scan of 100,000",
    ]
    rows = [
        [
            name,
            _spelled(start["import_cpu"]),
            _spelled(start["first_answer_cpu"]),
            _spelled(start["first_answer_wall"]),
            _spelled(start["cold_start_wall"]),
            f"{results['scan'][name]['imported_mib']:.0f} MiB",
            f"{results['scan'][name]['peak_mib']:.0f} MiB",
        ]
        for name, start in results["start"].items()
    ]
    return f"## Start and memory\n\n{_table(head, rows)}"


def _engine(engine: Figures) -> str:
    rows = [[name, _spelled(seconds)] for name, seconds in engine.items()]
    return f"## The embedded engine, wall-clock time\n\n{_table(['', 'median'], rows)}"


def _versions(results: Figures) -> str:
    rows = [
        [name, version or "cannot be installed here", results["gives"].get(name, "")]
        for name, version in results["versions"].items()
    ]
    return f"## Contestants\n\n{_table(['', 'version', 'what a query gives'], rows)}"


def _duration(figure: Figures | None, clock: str) -> str:
    return _spelled(figure[clock]) if figure else "–"


def _ratio(own: Figures | None, other: Figures | None) -> str:
    return f"{own['cpu'] / other['cpu']:.2f}" if own and other else "–"


def _spelled(seconds: float) -> str:
    """Three digits, in microseconds or milliseconds: 87.2 µs, 1.64 ms, 154 ms."""
    number, unit = (seconds * 1e3, "ms") if seconds >= 1e-3 else (seconds * 1e6, "µs")
    digits = max(0, 2 - len(str(int(number))) + 1)
    return f"{number:.{digits}f} {unit}"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


_WIDTH, _COLUMNS, _BAR, _GAP, _NAMES, _VALUES = 960, 2, 15, 5, 104, 62
_COLOURS = {DYNAMIX.title: "#d9480f", **dict.fromkeys(_FLOOR_TITLES, "#adb5bd")}
_PEER_COLOUR = "#4a7fb5"


def plot(results: Figures) -> str:
    """One panel of bars for each kind of work: processor time of one operation, shortest first."""
    panel_width = _WIDTH // _COLUMNS
    panel_height = 44 + len(CONTESTANTS) * (_BAR + _GAP)
    height = 40 + -(-len(WORK) // _COLUMNS) * panel_height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        '<text x="16" y="26" font-size="16">Processor time of one operation; shorter is better</text>',
    ]
    for number, kind in enumerate(WORK):
        row, column = divmod(number, _COLUMNS)
        parts += _panel(results["work"], kind, column * panel_width + 16, 40 + row * panel_height, panel_width - 32)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(work: Figures, kind: str, left: int, top: int, width: int) -> list[str]:
    bars = sorted((figures[kind]["cpu"], name) for name, figures in work.items() if kind in figures)
    scale = (width - _NAMES - _VALUES) / bars[-1][0]
    parts = [f'<text x="{left}" y="{top + 22}" font-weight="bold">{escape(WORK[kind])}</text>']
    for place, (seconds, name) in enumerate(bars):
        y = top + 32 + place * (_BAR + _GAP)
        length = max(1.0, seconds * scale)
        start = left + _NAMES
        colour = _COLOURS.get(name, _PEER_COLOUR)
        parts += [
            f'<text x="{start - 6}" y="{y + 12}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{start}" y="{y}" width="{length:.1f}" height="{_BAR}" fill="{colour}"/>',
            f'<text x="{start + length + 5:.1f}" y="{y + 12}">{_spelled(seconds)}</text>',
        ]
    return parts
