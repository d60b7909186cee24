"""How commands print: sizes, times, tables; plain text in a pipe, colours on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

import click


def examples(*lines: str) -> str:
    """Return the epilog of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def size(count: float) -> str:
    """Return a number of bytes as `12 B`, `3.4 KiB`, `256 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def counted(count: int, what: str) -> str:
    """Return `1 record`, `1,200 records`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def duration(seconds: float) -> str:
    """Return seconds in the two largest units that say something: `2 h 5 min`, `45 s`."""
    left = round(seconds)
    parts = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def moment(epoch: float) -> str:
    """Return a Unix time in local time; of today, hours and minutes only."""
    local = datetime.fromtimestamp(epoch).astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return local.strftime("%H:%M" if today else "%Y-%m-%d %H:%M")


def table(rows: Iterable[Sequence[str]], *, right: frozenset[int] = frozenset()) -> str:
    """Return rows as aligned columns; those in `right` are aligned to the right."""
    cells = [list(row) for row in rows]
    widths = [max(len(click.unstyle(row[i])) for row in cells) for i in range(len(cells[0]))]
    return "\n".join(
        "  ".join(_padded(cell, widths[i], right=i in right) for i, cell in enumerate(row)).rstrip()
        for row in cells
    )


def heading(*cells: str) -> list[str]:
    """Return a table's first row."""
    return [click.style(cell, bold=True) for cell in cells]


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Return `label  value` lines; one without a value is left out."""
    return table([(click.style(label, bold=True), value) for label, value in rows if value])


def say_json(value: object) -> None:
    """Print a JSON document."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _padded(cell: str, width: int, *, right: bool) -> str:
    fill = " " * (width - len(click.unstyle(cell)))
    return fill + cell if right else cell + fill
