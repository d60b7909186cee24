"""Man pages, written by what writes --help: a formatter of click's that speaks roff (man(7))."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from gh_p2pcache import __version__
from gh_p2pcache.cli.entry import HandedOver

_AS_IT_IS = "\b\n"
_EXAMPLES = "\b\nExamples:\n"


class Roff(click.HelpFormatter):
    """Takes what a command says of itself and writes sections of a man page."""

    def __init__(self) -> None:
        super().__init__()
        self._described = False

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the synopsis."""
        del prefix
        self.write(f".SH SYNOPSIS\n.B {_escaped(prog)}\n{_line(args)}")

    def write_heading(self, heading: str) -> None:
        """Begin a section."""
        self.write(f".SH {_escaped(heading.upper())}\n")

    def write_paragraph(self) -> None:
        """Leave it to the text: sections have room of their own."""

    def write_text(self, text: str) -> None:
        """Write paragraphs, those after a backspace as they are."""
        if text.startswith(_EXAMPLES):
            self.write_heading("Examples")
            text = _AS_IT_IS + text.removeprefix(_EXAMPLES)
        elif not self._described:
            self.write_heading("Description")
            self._described = True
        for paragraph in text.split("\n\n"):
            if paragraph.startswith(_AS_IT_IS):
                rows = paragraph.removeprefix(_AS_IT_IS).splitlines()
                self.write(f".PP\n.nf\n{''.join(map(_line, rows))}.fi\n")
            else:
                self.write(f".PP\n{_line(' '.join(paragraph.split()))}")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write terms and what they mean."""
        del col_max, col_spacing
        for term, meaning in rows:
            self.write(f".TP\n.B {_escaped(term.strip())}\n{_line(meaning)}")


def page(ctx: click.Context) -> str:
    """Return a command's page, which says what its --help says."""
    formatter = Roff()
    ctx.command.format_help(ctx, formatter)
    name = name_of(ctx)
    short = (ctx.command.help or "").partition("\n")[0].rstrip(".")
    first = f'.TH "{name.upper()}" 1 "" "gh-p2pcache {__version__}" "gh p2pcache"\n'
    return f"{first}.SH NAME\n{_escaped(name)} \\- {_line(short)}{formatter.getvalue()}"


def name_of(ctx: click.Context) -> str:
    """Return the name under which man finds the page: `gh-p2pcache-config-set`."""
    return ctx.command_path.replace(" ", "-")


def pages(ctx: click.Context) -> Iterator[tuple[str, str]]:
    """Yield name and text of a command's page and of all below it.

    The entry script's own commands have their help there.
    """
    yield name_of(ctx), page(ctx)
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            if command is not None and not isinstance(command, HandedOver):
                yield from pages(click.Context(command, info_name=name, parent=ctx))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-")


def _line(text: str) -> str:
    """Return a line of text; one that begins as a request of roff's does is kept from being one."""
    guard = "\\&" if text.startswith((".", "'")) else ""
    return f"{guard}{_escaped(text)}\n"


def main() -> None:
    """Write all pages into the directory that is named (the set-up's doing)."""
    from gh_p2pcache.cli.main import commands

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    top = click.Context(commands, info_name="gh p2pcache", **commands.context_settings)
    for name, text in pages(top):
        (folder / f"{name}.1").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
