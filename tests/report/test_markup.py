"""Markup: what is text is escaped, wherever it comes to stand."""

import pytest

from toolkit.console import Column
from toolkit.report import markup
from toolkit.report.markup import Markup, element
from toolkit.verdict import Verdict

EVIL = "<script>alert(1)</script> & \"'\x1b"
HARMLESS = "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;&#x27;\\x1b"


def test_text_is_escaped_and_markup_is_not():
    assert element("p", EVIL) == f"<p>{HARMLESS}</p>"
    assert element("p", element("b", "x")) == "<p><b>x</b></p>"
    assert element("p", Markup("<i>") + "<i>") == "<p>&lt;i&gt;&lt;i&gt;</p>"  # added to text, it is text


def test_attributes_are_escaped_named_as_in_html_and_left_out_if_they_are_none():
    made = element("img", alt=EVIL, class_="a", stroke_width=0.123456789, title=None)
    assert made == f'<img alt="{HARMLESS}" class="a" stroke-width="0.12346">'


def test_a_table_has_its_figures_at_the_right_and_its_texts_escaped():
    columns = (Column("<", figures=False), Column("n"))
    made = markup.table(columns, [("<b>", 3)], foot=("", "end"))
    assert "<th>&lt;</th>" in made
    assert '<td>&lt;b&gt;</td><td class="figure">3</td>' in made
    assert made.endswith('<tfoot><tr><td></td><td class="figure">end</td></tr></tfoot></table></div>')


@pytest.mark.parametrize("of", Verdict)
def test_a_verdict_can_be_told_without_colour(of):
    said = markup.verdict(of)
    assert f'class="verdict {of}"' in said
    assert said.endswith(f" {of}</span>")
    assert len({markup.verdict(one)[-20:] for one in Verdict}) == len(Verdict)


def test_what_was_not_verified_says_so():
    assert "not verified" in markup.verdict(None)
