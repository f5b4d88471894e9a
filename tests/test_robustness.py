"""The marks of docs/robustness.md."""

import pytest

from tests import robustness


def test_each_command_writes_between_its_own_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "a\n<!-- what 'make one' found: begin -->\nold\n<!-- what 'make one' found: end -->\nb\n"
        "<!-- what 'make two' found: begin -->\nkept\n<!-- what 'make two' found: end -->\n"
    )
    robustness.write("make one", robustness.as_table(("what", "count"), [("x", "1")]), page)
    text = page.read_text()
    assert "begin -->\n| what | count |\n| --- | ---: |\n| x | 1 |\n<!--" in text
    assert "old" not in text
    assert "\nb\n<!-- what 'make two' found: begin -->\nkept\n" in text
    with pytest.raises(ValueError, match="no marks of 'make three'"):
        robustness.write("make three", "", page)


@pytest.mark.parametrize("command", ["make fuzz", "make kill"])
def test_the_page_has_the_figures_of_a_whole_call(command):
    _, _, rest = robustness.PAGE.read_text().partition(f"<!-- what '{command}' found: begin -->")
    found, _, _ = rest.partition("<!-- what ")
    assert "| all |" in found
    assert " cores." in found
