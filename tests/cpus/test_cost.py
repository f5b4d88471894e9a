import pytest

from tests.cpus import cost
from tests.cpus.answers import EXPORTED
from tests.cpus.inside import INFERENCES
from toolkit import manifest


def marks(*spans: int) -> str:
    """Write marks around spans of instructions, ten apart: number 0 around nothing, then 1 around an inference."""
    lines, now = [], 1000
    for position, span in enumerate(spans):
        number = position // INFERENCES % 2
        lines += [f"mark {number} {now}", f"mark {number} {now + span}"]
        now += span + 10
    return "\n".join(["a warning", *lines, ""])


def test_the_cost_is_the_median_of_the_inferences_less_that_of_nothing():
    nothing, inferences = [7] * INFERENCES, [107, 109, 108, 9000, 108]
    assert cost.instructions(["a.tflite", "b.onnx"], marks(*nothing, *inferences, *nothing, *[27] * INFERENCES)) == {
        "a.tflite": 101,
        "b.onnx": 20,
    }


def test_without_the_plugin_there_are_no_counts():
    with pytest.raises(RuntimeError, match="0 counts for 1 artifacts; does qemu load the plugin"):
        cost.instructions(["a.tflite"], "")


def test_the_page_is_read_as_it_was_written():
    counts = {"cortex-a72": {"a.tflite": 1_234_567, "b.onnx": 20}, "cortex-a76": {"a.tflite": 999, "b.onnx": 1}}
    page = cost.render(counts)
    assert "| `a.tflite` | litert | 1,234,567 | 999 |\n" in page
    assert cost.parse(page) == counts


def test_two_percent_is_the_limit_in_both_directions():
    listed = {"same": 1000, "dearer": 1000, "cheaper": 1000, "gone": 1}
    assert cost.changes(listed, {"same": 1019, "dearer": 1021, "cheaper": 979, "new": 1}) == [
        "gone: only on one side",
        "new: only on one side",
        "cheaper: 1,000 instructions on the page, now 979 (-2.1%)",
        "dearer: 1,000 instructions on the page, now 1,021 (+2.1%)",
    ]


def test_the_page_has_every_shipped_artifact():
    shipped = {a.path for path in EXPORTED.glob("*/manifest.json") for a in manifest.read(path.parent).artifacts}
    page = cost.parse(cost.PAGE.read_text())
    assert {cpu: page[cpu].keys() for cpu in page} == dict.fromkeys(cost.DEVICES, shipped)
    assert cost.render(page) == cost.PAGE.read_text()
