"""A page as one HTML file that needs nothing else: its pictures are in it."""

import base64
import html
import re
from collections.abc import Sequence

from toolkit.study.claims.base import Table
from toolkit.study.page import Block, Heading, Image

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-size: 0.85rem; display: block; overflow-x: auto; margin: 1rem 0; }
th, td { border-bottom: 1px solid #ccc; padding: 0.25rem 0.6rem; text-align: left; vertical-align: top; }
th { border-bottom: 2px solid #888; }
img { max-width: 100%; height: auto; }
h2 { margin-top: 2.5rem; }
""".strip()


def render(blocks: Sequence[Block]) -> str:
    """Return the page; its title is its first heading."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "")
    body = "\n".join(_block(block) for block in blocks)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{_text(block.text)}</h{block.level}>"
    if isinstance(block, Image):
        content = base64.b64encode(block.path.read_bytes()).decode()
        return f'<img src="data:image/svg+xml;base64,{content}" alt="{html.escape(block.alt)}">'
    if isinstance(block, Table):
        rows = [_row("th", block.headings), *(_row("td", row) for row in block.rows)]
        return "<table>\n" + "\n".join(rows) + "\n</table>"
    return f"<p>{_text(block.text)}</p>"


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{_text(cell)}</{tag}>" for cell in cells) + "</tr>"


def _text(text: str) -> str:
    """Return the text with what HTML takes for markup escaped, and the code and emphasis of Markdown."""
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
    return re.sub(r"(?<!\w)\*([^*\s][^*]*)\*(?!\w)", r"<em>\1</em>", escaped)
