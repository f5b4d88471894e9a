"""A page as one HTML file that needs nothing else: its pictures are in it."""

import base64
import html
from pathlib import Path

from markdown_it import MarkdownIt

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-size: 0.85rem; display: block; overflow-x: auto; margin: 1rem 0; }
th, td { border-bottom: 1px solid #ccc; padding: 0.25rem 0.6rem; text-align: left; vertical-align: top; }
td + td { min-width: 3.5rem; }
th { border-bottom: 2px solid #888; }
code { overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; }
h2 { margin-top: 2.5rem; }
""".strip()


def render(markdown: str, folder: Path) -> str:
    """Return a page of Markdown whose first line is its title.

    Its pictures are PNG files named from ``folder``; the SVG files of the same names beside them are taken instead.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    for image in (part for token in tokens for part in token.children or () if part.type == "image"):
        content = (folder / str(image.attrs["src"])).with_suffix(".svg").read_bytes()
        image.attrs["src"] = f"data:image/svg+xml;base64,{base64.b64encode(content).decode()}"
    title = html.escape(markdown.partition("\n")[0].removeprefix("# "))
    body = parser.renderer.render(tokens, parser.options, {})
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
