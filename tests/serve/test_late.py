"""The page in headless Chromium, if an answer comes when it is no longer waited for."""

import pytest

from tests.serve.browser import NEEDS_BROWSER, SEVEN, draw, reads
from tests.serve.conftest import png, seven

pytestmark = NEEDS_BROWSER


def held_back(page, path):
    """Return the requests for a path as they come, none of which is answered until the test does it."""
    held = []
    page.route(path, lambda route: held.append(route))
    return held


@pytest.mark.parametrize(
    "answer",
    [
        lambda route: route.continue_(),
        lambda route: route.fulfill(status=422, json={"error": {"message": "late"}}),
        lambda route: route.abort(),
    ],
    ids=["prediction", "refusal", "none"],
)
def test_an_answer_that_comes_after_escape_is_not_shown(opened, answer):
    page = opened()
    held = held_back(page, "**/v1/predict")
    with page.expect_request("**/v1/predict"):
        draw(page, (0.5, 0.2), (0.5, 0.8))
    page.keyboard.press("Escape")
    page.get_by_text("Waits for an image.").first.wait_for()
    (route,) = held
    answer(route)
    page.wait_for_function("() => !asking")
    assert page.locator(".card p").all_inner_texts() == ["Waits for an image. It takes 28×28 pixels, grey."] * 2
    assert page.locator("#status").inner_text() == ""


def test_a_file_that_is_decoded_after_escape_is_not_shown(opened):
    page = opened()
    page.evaluate("""() => {
      const real = window.createImageBitmap;
      window.createImageBitmap = async (file) => {
        await new Promise((done) => { window.release = done; });
        return real(file);
      };
      window.opening = (bytes) => { window.opened = open(new File([Uint8Array.from(bytes)], "seven.png")); };
    }""")
    page.evaluate("(bytes) => opening(bytes)", list(png(seven(80))))
    page.keyboard.press("Escape")
    page.evaluate("() => { release(); return opened; }")
    assert page.evaluate("() => ink.width") == 280
    assert page.evaluate("() => asking") is False


def test_the_list_of_artifacts_that_comes_after_an_answer_is_not_shown(opened):
    page = opened()
    page.get_by_text("Waits for an image.").first.wait_for()
    held = held_back(page, "**/v1/artifacts")
    page.evaluate("() => { window.waited = wait(); }")
    draw(page, *SEVEN)
    reads(page, "7", "7")
    (route,) = held
    route.continue_()
    page.evaluate("() => waited")
    assert page.locator(".bars").count() == 2
