"""The page in headless Chromium, as a person uses it. SCREENSHOTS=folder keeps a picture of each step.

docs/serve.png is one of them, of a machine on which nothing else runs: SCREENSHOTS=docs pytest … -k docs_picture
"""

import base64
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.serve.browser import NEEDS_BROWSER, SCREENSHOTS, SEVEN, draw, reads
from tests.serve.conftest import png, seven

pytestmark = NEEDS_BROWSER


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (1200, "dark"), (360, "light"), (360, "dark")])
def test_a_7_drawn_by_mouse_is_read_in_every_window(opened, keep, width, scheme):
    page = opened(width, 800, scheme)
    page.get_by_text("Waits for an image. It takes 28×28 pixels, grey.").first.wait_for()
    keep(page, f"empty-{width}-{scheme}")
    draw(page, *SEVEN)
    reads(page, "7", "7")
    keep(page, f"seven-{width}-{scheme}")
    assert page.locator(".card h2").all_inner_texts() == ["mlp-int8.tflite", "cnn-int8.tflite"]
    assert page.locator(".bars").count() == 2
    assert page.locator(".bars li").count() == 20
    assert page.locator(".bars .first .name").all_inner_texts() == ["7", "7"]
    assert not page.locator("#differ").is_visible()
    assert page.locator("#status").inner_text().startswith("Answered in ")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    seen = page.evaluate("[...document.querySelector('.says canvas').getContext('2d').getImageData(0, 0, 28, 28).data]")
    assert max(seen[0::4]) > 200
    assert min(seen[0::4]) == 0
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Waits for an image.").first.wait_for()
    assert page.locator(".bars").count() == 0


def test_the_docs_picture_shows_two_artifacts(opened):
    page = opened(1100, 560)
    draw(page, *SEVEN)
    reads(page, "7", "7")
    draw(page, *SEVEN)  # the first inference is slower
    page.wait_for_load_state("networkidle")
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / "serve.png")
    assert page.locator(".card").count() == 2


def test_an_image_is_uploaded_pasted_and_dropped(opened, keep, tmp_path):
    page = opened()
    photo = tmp_path / "photo.jpg"
    Image.fromarray(np.hstack([seven(300), seven(300)])).save(photo)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload").click()
    chooser.value.set_files(photo)
    reads(page, "7", "7", "7", "7")
    assert page.locator(".bars li").count() == 2 * 2 * 3  # of each digit the likeliest, so that all are seen
    keep(page, "upload-two-digits")
    file = base64.b64encode(png(seven(80))).decode()
    give = """(file) => {
      const bytes = Uint8Array.from(atob(file), one => one.charCodeAt(0)), data = new DataTransfer();
      data.items.add(new File([bytes], "seven.png", {type: "image/png"}));
      const event = %s; TARGET.dispatchEvent(event);
    }"""
    for target, event in (
        ("document", "new ClipboardEvent('paste', {clipboardData: data, bubbles: true})"),
        (
            "document.getElementById('stage')",
            "new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})",
        ),
    ):
        page.get_by_role("button", name="Clear").click()
        page.evaluate((give % event).replace("TARGET", target), file)
        reads(page, "7", "7")


def test_the_page_says_that_a_file_is_no_image(opened, keep, tmp_path):
    page = opened()
    (tmp_path / "text.png").write_bytes(b"no image")
    page.locator("#file").set_input_files(tmp_path / "text.png")
    page.get_by_text("the image: cannot be read as an image").wait_for()
    keep(page, "no-image")
    page.evaluate("document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: new DataTransfer()}))")
    page.get_by_text("There is no image in the clipboard.").wait_for()


def test_the_camera_is_read_frame_after_frame_one_request_at_a_time(opened, keep):
    page = opened()
    page.evaluate("""() => {
      window.asking_now = window.most = window.answered = 0;
      const real = window.fetch;
      window.fetch = async (...all) => {
        window.most = Math.max(window.most, ++window.asking_now);
        try { return await real(...all); } finally { window.asking_now--; window.answered++; }
      };
    }""")
    camera = page.get_by_role("button", name="Camera")
    camera.click()
    reads(page, "7", "7")
    page.wait_for_function("() => window.answered >= 4")
    keep(page, "camera")
    assert camera.get_attribute("aria-pressed") == "true"
    assert page.evaluate("window.most") <= 2  # the list of artifacts is asked for beside the first frame
    camera.click()
    assert camera.get_attribute("aria-pressed") == "false"
    assert page.evaluate("film") is None


@pytest.mark.parametrize(
    ("error", "says"),
    [("NotFoundError", "There is no camera that can be used."), ("NotAllowedError", "The camera was not allowed.")],
)
def test_a_browser_without_a_camera_says_so(opened, error, says):
    page = opened()
    page.evaluate(
        """(error) => {
          navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("none", error); };
        }""",
        error,
    )
    page.get_by_role("button", name="Camera").click()
    page.get_by_text(says).wait_for()


def test_a_phone_without_https_takes_single_photos(browser, link, keep):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', {value: undefined})")
    page.goto(link)
    assert page.get_by_role("button", name="Camera").is_disabled()
    assert page.get_by_role("button", name="Photo").is_visible()
    assert page.get_by_text("Browsers allow a live camera on HTTPS and localhost only.").is_visible()
    keep(page, "phone")
    box = page.locator("#ink").bounding_box()
    page.touchscreen.tap(box["x"] + 50, box["y"] + 50)
    page.wait_for_function("() => drawn")
    context.close()


def test_the_keyboard_draws_and_reaches_everything(opened, keep):
    page = opened()
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert reached == ["ink", "clear", "upload", "camera"]
    stage = page.locator("#stage")
    without = stage.screenshot()
    page.locator("#ink").focus()
    assert stage.screenshot() != without
    for key, times in (("Shift+ArrowUp", 10), ("Shift+ArrowLeft", 6), ("ArrowRight", 12), ("ArrowDown", 22)):
        for _ in range(times):
            page.keyboard.press(key)
    reads(page, "7", "7")
    keep(page, "keyboard")
    page.keyboard.press("Escape")
    page.get_by_text("Waits for an image.").first.wait_for()


def test_artifacts_that_disagree_are_marked_and_one_that_died_says_so(opened, keep):
    page = opened()

    def reading(name, score=None):
        rows = [{"class": one, "probability": 0.6 if one == name else 0.4} for one in ("1", "7")]
        seen = {"height": 1, "width": 1, "channels": 3, "pixels": base64.b64encode(b"\xff\x00\x00").decode()}
        judged = {"none_of_these": None, "novelty": None}
        if score is not None:
            judged = {"none_of_these": score > 4, "novelty": {"score": score, "threshold": 4}}
        return {"class": name, "probability": 0.6, "probabilities": rows, **judged, "box": None, "seen": seen}

    answers = [
        {"artifact": name, "readings": [reading(one)], "inference_s": 0.001, "batch": 2}
        for name, one in (("a", "1"), ("b", "7"))
    ]
    document = {
        "image": {"height": 28, "width": 28},
        "results": answers,
        "agree": False,
        "prepare_s": 0.1,
        "total_s": 0.2,
    }
    page.route("**/v1/predict", lambda route: route.fulfill(json=document))
    draw(page, *SEVEN)
    page.get_by_text("≠ They disagree: 1 | 7").wait_for()
    keep(page, "disagree")
    assert page.locator(".card.differs").count() == 2
    assert page.get_by_text("2 looks at once").count() == 2
    for answer, score in zip(answers, (2.5, 12.345), strict=True):
        answer["readings"] = [reading("1", score)]
    draw(page, *SEVEN)
    page.get_by_text("≠ They disagree: 1 | none of these").wait_for()
    keep(page, "none-of-these")
    assert page.locator(".class").all_inner_texts() == ["1", "none of these"]
    assert page.locator(".says .quiet").all_inner_texts() == [
        "60.0 %",
        "novelty 2.50 (limit 4.00)",
        "likeliest: 1, 60.0 %",
        "novelty 12.3 (limit 4.00)",
    ]
    for answer, score in zip(answers, (2.5, 12.345), strict=True):
        answer["readings"] = [reading("1", score), reading("7")]
    draw(page, *SEVEN)
    page.get_by_text("≠ They disagree: 1, 7 | none of these, 7").wait_for()
    document |= {"results": [answers[0], {"artifact": "b", "error": "<b>b was ended</b>"}], "agree": None}
    draw(page, *SEVEN)
    page.get_by_text("<b>b was ended</b>").wait_for()
    keep(page, "died")
    assert not page.locator("#differ").is_visible()


def test_a_wrong_token_and_a_server_that_has_gone_are_told(opened, link, keep):
    page = opened()
    page.evaluate("ask_headers.Authorization = 'Bearer wrong'")
    draw(page, *SEVEN)
    page.get_by_text("the token is missing or wrong").wait_for()
    page.route("**/v1/predict", lambda route: route.abort())
    draw(page, *SEVEN)
    page.get_by_text("No answer from the server").wait_for()
    keep(page, "gone")
    assert page.locator(".bars").count() == 0


def test_what_was_said_of_the_last_image_goes_when_another_is_opened_and_a_late_answer_is_waited_for(opened, tmp_path):
    page = opened()
    draw(page, *SEVEN)
    reads(page, "7", "7")
    waits, is_over = [], []  # the first that waits may still be of the drawing
    page.route("**/v1/predict", lambda route: route.continue_() if is_over else waits.append(route))
    (tmp_path / "seven.png").write_bytes(png(seven(80)))
    page.locator("#file").set_input_files(tmp_path / "seven.png")
    page.get_by_text("Waits for the server.").wait_for()
    assert page.locator(".bars").count() == 0
    is_over.append(True)
    waits[0].continue_()
    reads(page, "7", "7")
    assert page.locator("#status").inner_text().startswith("Answered in ")


@pytest.mark.parametrize("width", [390, 1200])
def test_long_names_of_many_classes_leave_room_for_what_the_model_saw(opened, keep, width):
    page = opened(width)
    rows = [{"class": f"three-toed sloth {number}", "probability": 0.01} for number in range(100)]
    reading = {"class": "sloth" * 12, "probability": 0.01, "probabilities": rows, "none_of_these": None}
    reading |= {"novelty": None, "box": None, "seen": {"height": 1, "width": 1, "channels": 1, "pixels": "AA=="}}
    result = {"artifact": "a", "readings": [reading], "inference_s": 0.001, "batch": 1}
    times = {"prepare_s": 0.1, "total_s": 0.2}
    document = {"image": {"height": 28, "width": 28}, "results": [result], "agree": None, **times}
    page.route("**/v1/predict", lambda route: route.fulfill(json=document))
    draw(page, *SEVEN)
    page.get_by_text("Inference: 1.0 ms; the likeliest 12 of 100 classes").wait_for()
    keep(page, f"many-{width}")
    # Asked at once: the answers to the later moves of the pen draw the card anew.
    canvas, name_room, page_room = page.evaluate("""() => {
      const name = document.querySelector(".bars .name"), room = (one) => one.clientWidth - one.scrollWidth;
      return [document.querySelector(".says canvas").offsetWidth, room(name), room(document.documentElement)];
    }""")
    assert canvas == 84
    assert min(name_room, page_room) >= 0


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest("script, style")) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    found.push([element.textContent.slice(0, 30), (a + .05) / (b + .05)]);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_that_is_asked_for(opened, scheme):
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    page = opened(scheme=scheme)
    draw(page, *SEVEN)
    reads(page, "7", "7")
    page.evaluate("""() => {
      document.getElementById('differ').hidden = false;
      document.getElementById('differ').textContent = 'They disagree';
      document.getElementById('insecure').hidden = false;
      document.getElementById('camera').setAttribute('aria-pressed', 'true');
    }""")
    found = page.evaluate(CONTRAST)
    assert len(found) > 50
    assert [(text, ratio) for text, ratio in found if ratio < 4.5] == []
    page.evaluate("refuse('nothing')")
    assert [(text, ratio) for text, ratio in page.evaluate(CONTRAST) if ratio < 4.5] == []
