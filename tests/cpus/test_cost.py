from tests.cpus import cost
from tests.cpus.answers import EXPORTED
from toolkit import manifest


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
