"""The API as a client meets it."""

import base64
import io
import itertools
import os
import signal
import struct

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.conftest import SIDE
from tests.serve.conftest import LOCAL, TOKEN, engines, png, seven
from toolkit.serve import app, limits, predictor


def refused(answer, status, says):
    """Check that a request was refused as JSON."""
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["status"] == status
    assert says in error["message"]


def test_each_artifact_says_what_predict_says(client, tiny):
    for row in range(3):
        answer = client.post("/v1/predict", content=png(tiny.test.images[row, ..., 0])).json()
        assert answer["image"] == {"height": SIDE, "width": SIDE}
        assert [result["artifact"] for result in answer["results"]] == ["cnn-int8.tflite", "cnn-float32.onnx"]
        for result in answer["results"]:
            (reading,) = result["readings"]
            assert reading["class"] == tiny.class_names[tiny.test.labels[row]]
            assert reading["box"] is None
            assert [one["class"] for one in reading["probabilities"]] == list(tiny.class_names)
            assert sum(one["probability"] for one in reading["probabilities"]) == pytest.approx(1, abs=0.02)
            assert reading["probability"] == max(one["probability"] for one in reading["probabilities"])
            assert result["inference_s"] > 0
            seen = np.frombuffer(base64.b64decode(reading["seen"]["pixels"]), np.uint8)
            assert (seen == tiny.test.images[row].reshape(-1)).all()
        assert answer["agree"] is True
        assert answer["total_s"] >= answer["prepare_s"] > 0


def test_pixels_as_json_are_the_same_image(client, tiny):
    pixels = tiny.test.images[4, ..., 0]
    by_file = client.post("/v1/predict", content=png(pixels)).json()
    by_json = client.post("/v1/predict", json={"pixels": pixels.tolist()}).json()
    assert by_json["results"][0]["readings"] == by_file["results"][0]["readings"]
    colours = np.repeat(pixels[..., np.newaxis], 3, axis=2)
    assert client.post("/v1/predict", json={"pixels": colours.tolist()}).json()["agree"] is True


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "IMAGE/JPEG; q=1", None])
def test_an_image_file_of_any_kind_is_read(digits, kind):
    file = io.BytesIO()
    Image.fromarray(seven(100)).save(file, "JPEG" if kind and "JPEG" in kind else "PNG")
    headers = {} if kind is None else {"Content-Type": kind}
    (result,) = digits.post("/v1/predict", content=file.getvalue(), headers=headers).json()["results"]
    (reading,) = result["readings"]
    assert reading["class"] == "7"
    assert (reading["seen"]["height"], reading["seen"]["width"], reading["seen"]["channels"]) == (28, 28, 1)
    assert 0 < reading["box"]["top"] < reading["box"]["bottom"] < 100


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 2000), (2000, 1), (27, 29), (28, 28)])
def test_images_of_odd_shapes_are_read_or_refused(digits, shape):
    noise = np.random.default_rng(0).integers(0, 256, shape)
    for pixels in (np.zeros(shape), noise, 255 * (noise > 200)):
        answer = digits.post("/v1/predict", content=png(pixels))
        assert answer.status_code in (200, 422)
        if answer.status_code == 422:
            refused(answer, 422, "the image: no digit")


def test_every_digit_of_an_image_is_read(digits):
    pixels = np.hstack([seven(60), seven(60)])
    (result,) = digits.post("/v1/predict", content=png(pixels)).json()["results"]
    assert [one["class"] for one in result["readings"]] == ["7", "7"]
    assert result["readings"][0]["box"]["right"] <= 60 < result["readings"][1]["box"]["left"]


def test_a_page_full_of_digits_is_refused(digits, monkeypatch):
    monkeypatch.setattr(limits, "LOOKS", 5)
    answer = digits.post("/v1/predict", content=png(np.hstack([seven(60), seven(60)])))
    refused(answer, 422, "the image has 2 digits, which a model looks at 6 times; allowed: 5; send a part of it")
    assert digits.post("/v1/predict", content=png(seven(60))).status_code == 200


def test_a_blank_image_is_refused_with_the_reason(digits):
    answer = digits.post("/v1/predict", content=png(np.full((50, 50), 255)))
    refused(answer, 422, "the image: ")
    assert "/proc" not in answer.text


@pytest.mark.parametrize(
    ("body", "kind", "status", "says"),
    [
        (b"", "image/png", 400, "the body is empty"),
        (b"no image", "image/png", 422, "cannot be read as an image"),
        (png(np.zeros((8, 8)))[:43], "image/png", 422, "cannot be read as an image"),
        (b"x", "text/html", 415, "the content type is 'text/html'"),
        (b"{", "application/json", 400, "the body is no JSON"),
        (b"\xff\xfe", "application/json", 400, "the body is no JSON"),
        (b"[" * 100_000, "application/json", 400, "the body is no JSON"),
        (b"[]", "application/json", 400, "no 'pixels'"),
        (b'{"pixels": []}', "application/json", 422, "'pixels' is no image"),
        (b'{"pixels": [[1, 2], [3]]}', "application/json", 422, "rows of different lengths"),
        (b'{"pixels": [["1"]]}', "application/json", 422, "'pixels' is no image"),
        (b'{"pixels": [[0.5]]}', "application/json", 422, "'pixels' is no image"),
        (b'{"pixels": [[256]]}', "application/json", 422, "numbers from 256 to 256"),
        (b'{"pixels": [[-1]]}', "application/json", 422, "numbers from -1 to -1"),
        (b'{"pixels": [[%d]]}' % 10**40, "application/json", 422, "'pixels'"),
        (b'{"pixels": [[[1, 2]]]}', "application/json", 422, "'pixels' is (1, 1, 2)"),
        (b'{"pixels": null}', "application/json", 422, "'pixels' is no image"),
        (b"P5 8 8 255\n", "image/x-portable-graymap", 422, "cannot be read as an image"),
    ],
    ids=itertools.count(),
)
def test_a_body_that_is_no_image_is_refused_in_a_line(client, body, kind, status, says):
    refused(client.post("/v1/predict", content=body, headers={"Content-Type": kind}), status, says)


def test_a_body_that_is_too_large_is_not_read(client, monkeypatch):
    monkeypatch.setattr(limits, "BODY_BYTES", 100)
    answer = client.post("/v1/predict", content=b"x" * 101)
    refused(answer, 413, "more than 100 bytes")
    assert answer.headers["connection"] == "close"
    refused(client.post("/v1/predict", content=iter([b"x" * 60, b"x" * 60])), 413, "more than 100 bytes")


def test_too_many_pixels_are_not_decoded(client, monkeypatch):
    monkeypatch.setattr(limits, "PIXELS", 99)
    refused(client.post("/v1/predict", content=png(np.zeros((10, 10)))), 413, "10×10 pixels; allowed: 99 in all")


@pytest.mark.parametrize(
    ("side", "says"), [(4001, "4001×4001 pixels"), (12_000, "12000×12000 pixels"), (20_000, "too many pixels")]
)
def test_an_image_is_too_large_by_one_limit_however_large_it_is(client, monkeypatch, side, says):
    """Neither the limit of files on this machine nor Pillow's own comes before it, nor the memory that is free."""
    monkeypatch.setattr("toolkit.host.available_memory_bytes", lambda: 10**6)
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "BMP")
    whole = bytearray(file.getvalue())
    whole[18:26] = struct.pack("<2i", side, side)
    answer = client.post("/v1/predict", content=bytes(whole))
    refused(answer, 413, f"the image: {says}; allowed: 16,000,000 in all")


def test_a_body_that_does_not_come_is_not_waited_for(client, monkeypatch):
    import anyio

    monkeypatch.setattr(limits, "BODY_S", 0.05)

    async def never(self):
        await anyio.sleep(5)
        yield b""

    monkeypatch.setattr("starlette.requests.Request.stream", never)
    refused(client.post("/v1/predict", content=b"x"), 408, "more than 0.05 s")


def test_more_requests_than_are_worked_on_are_refused(client, monkeypatch):
    monkeypatch.setattr(limits, "REQUESTS", 0)
    answer = client.post("/v1/predict", content=png(np.zeros((8, 8))))
    refused(answer, 503, "try again")
    assert answer.headers["retry-after"] == "1"


def test_a_client_that_asks_too_often_is_refused(client, monkeypatch):
    monkeypatch.setattr(limits.Rate, "allows", lambda self, client: False)
    refused(client.get("/healthz"), 429, "500 requests a second")


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": "Bearer " + TOKEN[:-1]}, 401),
        ({"Authorization": f"bearer  {TOKEN}"}, 200),
    ],
)
def test_a_token_must_be_right(digits, given, status):
    del digits.headers["authorization"]
    try:
        for path in ("/", "/v1/artifacts", "/metrics", "/openapi.json"):
            answer = digits.get(path, headers=given)
            assert answer.status_code == status
            if status == 401:
                refused(answer, 401, "the token is missing or wrong")
                assert answer.headers["www-authenticate"] == "Bearer"
        assert digits.get("/healthz").json() == {"status": "ok"}
        assert digits.get("/", params={"token": TOKEN}).status_code == 200
        assert digits.get("/", params={"token": "größe"}).status_code == 401
        assert digits.post("/v1/predict", content=png(seven())).status_code == 401
    finally:
        digits.headers["authorization"] = f"Bearer {TOKEN}"


@pytest.mark.parametrize("path", ["/", "/v1/artifacts", "/healthz", "/metrics"])
def test_without_a_token_a_name_that_somebody_lets_point_here_is_refused(client, path):
    for host in ("rebound.example", "rebound.example:8000", "127.0.0.1.rebound.example", "192.168.1.5", "[::2]", "["):
        refused(client.get(path, headers={"Host": host}), 421, f"the request is for '{host}'; allowed: localhost and")
    for host in ("localhost", "LOCALHOST:1", "127.0.0.1:8000", "[::1]:8000"):
        assert client.get(path, headers={"Host": host}).status_code == 200


def test_a_request_that_says_its_length_in_two_ways_ends_the_connection(client):
    answer = client.get("/metrics", headers={"Content-Length": "3", "Transfer-Encoding": "chunked"})
    refused(answer, 400, "the request has a Content-Length and a Transfer-Encoding; give one")
    assert answer.headers["connection"] == "close"


def test_with_a_token_any_name_is_right(digits):
    assert digits.get("/v1/artifacts", headers={"Host": "raspberrypi.local:8000"}).status_code == 200


def test_an_unknown_address_or_method_is_answered_with_those_that_exist(client):
    refused(client.get("/nothing"), 404, "allowed: /, /v1/predict")
    refused(client.get("/v1/predict"), 405, "GET is not allowed there; allowed: POST")
    refused(client.delete("/metrics"), 405, "DELETE is not allowed there")


def test_no_cache_keeps_an_answer(client):
    headers = client.get("/v1/artifacts").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


def test_the_artifacts_are_listed(client):
    shape = {"height": SIDE, "width": SIDE, "channels": 1, "digits": False, "how": "fit"}
    assert client.get("/v1/artifacts").json() == {
        "schema": 1,
        "artifacts": [{"name": "cnn-int8.tflite", **shape}, {"name": "cnn-float32.onnx", **shape}],
    }


def test_what_goes_wrong_unexpectedly_is_an_answer_too(client, monkeypatch):
    async def broken(*_):
        raise RuntimeError("secret")

    monkeypatch.setattr(predictor, "predict", broken)
    other = TestClient(client.app, raise_server_exceptions=False, base_url=LOCAL)
    answer = other.post("/v1/predict", content=png(np.zeros((8, 8))))
    refused(answer, 500, "unexpected RuntimeError")
    assert "secret" not in answer.text


@pytest.mark.slow
def test_an_artifact_that_dies_under_a_request_is_started_again_and_the_others_answer(exported, tiny):
    said = []
    made, metrics = engines(exported / "cnn-int8.tflite", exported / "cnn-float32.onnx", on_failure=said.append)
    body = png(tiny.test.images[0, ..., 0])
    try:
        with TestClient(app.make(made, metrics), base_url=LOCAL) as client:
            os.kill(made[0]._open.session._process.pid, signal.SIGSEGV)
            died, other = client.post("/v1/predict", content=body).json()["results"]
            assert died["error"] == "cnn-int8.tflite: litert was ended by SIGSEGV"
            assert other["readings"][0]["class"] == tiny.class_names[tiny.test.labels[0]]
            assert len(said) == 1
            again = client.post("/v1/predict", content=body).json()
            assert ["error" in result for result in again["results"]] == [False, False]
            assert 'toolkit_worker_failures_total{artifact="cnn-int8.tflite"} 1' in client.get("/metrics").text

            for engine in made:
                os.kill(engine._open.session._process.pid, signal.SIGKILL)
            answer = client.post("/v1/predict", content=body)
            refused(answer, 503, "was ended by SIGKILL")
            assert answer.headers["retry-after"] == "1"
            assert client.post("/v1/predict", content=body).status_code == 200

            (exported / "cnn-int8.tflite").unlink()
            os.kill(made[0]._open.session._process.pid, signal.SIGKILL)
            client.post("/v1/predict", content=body)
            gone = client.post("/v1/predict", content=body).json()["results"][0]["error"]
            assert gone.startswith("cnn-int8.tflite: named in manifest.json but missing")
            assert client.get("/healthz").status_code == 200
    finally:
        for engine in made:
            engine.close()
