"""The page of the shipped artifacts, from outputs that are those of their goldens or near them."""

import numpy as np
import pytest

from tests.cpus import page
from tests.cpus.answers import EXPORTED, Answers
from tests.cpus.page import COLUMNS, Cell
from tests.cpus.table import CPUS, NATIVE

SHIPPED = page.shipped(EXPORTED)
RECORDED = {name: outputs for name, (_, outputs) in SHIPPED.items()}


def answering(outputs: dict[str, np.ndarray]) -> Answers:
    told = frozenset({"AVX", "AVX2"})
    return Answers(
        cpu="some PC", emulated=False, told=told, offered=told, outputs={**RECORDED, **outputs}, instructions={}
    )


def off(artifact: str, by: float) -> dict[str, np.ndarray]:
    """Return an artifact's outputs with one value off."""
    changed = RECORDED[artifact].astype(np.float64)
    changed[0, 0] += by
    return {artifact: changed}


def answers(**by_cpu: dict[str, np.ndarray]) -> dict[str, Answers]:
    return {cpu: answering(by_cpu.get(cpu, {})) for cpu in (*CPUS, NATIVE)}


def written(**by_cpu: dict[str, np.ndarray]) -> str:
    return page.render(page.rows(EXPORTED, answers(**by_cpu)), answering({}), "7.2")


def test_the_shipped_page_is_of_the_shipped_artifacts_and_holds_what_is_required():
    assert page.stale(page.PAGE.read_text()) == [], page.RENEW


def test_a_page_is_read_as_it_was_written():
    text = written(Nehalem=off("cnn-float32.onnx", 1.234e-6), native=off("cnn-float32.onnx", -1e-6))
    row = {row.artifact: row for row in page.parse(text)}["cnn-float32.onnx"]
    assert (row.sha256, row.images) == (SHIPPED["cnn-float32.onnx"][0].sha256[:12], 500)
    assert row.cells == {
        **dict.fromkeys(COLUMNS, Cell(0.0, 0)),
        "Nehalem": Cell(1.2e-6, 0),
        "native": Cell(1.0e-6, 0),
        "any two": Cell(2.2e-6, 0),
    }
    assert page.stale(text) == []
    assert "| native | the machine that wrote this page: some PC | AVX, AVX2 |\n" in text
    assert "qemu-user 7.2:" in text


def test_a_page_of_another_file_or_of_fewer_is_old():
    first, second = list(SHIPPED)[:2]
    digest = SHIPPED[first][0].sha256[:12]
    lines = written().replace(digest, "0" * 12).splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(f"| `{second}`"))
    assert page.stale(text) == [
        f"{second}: only on one side",
        f"{first}: the page is of another file ({'0' * 12}; shipped is {digest})",
    ]


def test_a_page_of_other_cpus_is_old():
    (problem,) = page.stale(written().replace("Haswell", "Skylake"))
    assert problem == "it has other CPUs than Nehalem, Haswell, cortex-a53, cortex-a72, cortex-a76, native"


@pytest.mark.parametrize(
    ("artifact", "by", "cell"),
    [
        ("mlp-float32.onnx", 0.9e-4, None),
        ("mlp-float32.onnx", 1.1e-4, "1.1e-04, 0"),
        ("mlp-int8.onnx", 1.1e-4, "1.1e-04, 0"),
        ("mlp-int8.tflite", 1 / 256, None),
        ("mlp-int8.tflite", 2 / 256, "7.8e-03, 0"),
        ("mlp-int8.tflite", -1.0, "1.0e+00, 1"),
    ],
)
def test_an_artifact_that_answers_too_differently_on_a_cpu_is_named(artifact, by, cell):
    columns = () if cell is None else ("Haswell", "any two")
    expected = [f"{artifact}: {column}: {cell} breaks what is required" for column in columns]
    assert page.stale(written(Haswell=off(artifact, by))) == expected
    found = page.disagreements(EXPORTED, answers(Haswell=off(artifact, by)))
    assert {problem.partition(":")[0] for problem in found} == (set() if by == 1 / 256 else {artifact})


def test_an_image_in_another_class_breaks_it_however_small_the_difference():
    text = written().replace("| 0, 0 |", "| 0, 1 |", 1)
    first = next(iter(SHIPPED))
    assert page.stale(text) == [f"{first}: Nehalem: 0, 1 breaks what is required"]


def test_figures_of_emulated_cpus_are_held_against_the_page_and_those_of_this_machine_are_not():
    listed = page.parse(written(Nehalem=off("cnn-float32.onnx", 3.0e-6), native=off("cnn-float32.onnx", 3.0e-6)))
    assert page.changes(listed, page.rows(EXPORTED, answers(Nehalem=off("cnn-float32.onnx", 3.1e-6)))) == []
    assert page.changes(listed, page.rows(EXPORTED, answers())) == [
        "cnn-float32.onnx: Nehalem: 3.0e-06, 0 on the page, now 0, 0"
    ]


def test_a_flip_that_the_page_does_not_have_is_named():
    listed = page.parse(written(Nehalem=off("mlp-int8.tflite", -1.0)))
    now = off("mlp-int8.tflite", -1.0)["mlp-int8.tflite"]
    now[1] = np.roll(now[1], 1)
    found = page.changes(listed, page.rows(EXPORTED, answers(Nehalem={"mlp-int8.tflite": now})))
    assert found == ["mlp-int8.tflite: Nehalem: 1.0e+00, 1 on the page, now 1.0e+00, 2"]
