"""The text that Prometheus reads."""

import re

from toolkit.serve.metrics import BOUNDS_S, Histogram, ServiceMetrics

_SAMPLE = re.compile(r'[a-z_]+(\{([a-z]+="([^"\\]|\\["\\])*",?)+\})? [0-9.e+-]+')


def test_a_bucket_holds_all_at_or_below_its_bound():
    histogram = Histogram()
    for seconds in (0.001, 0.0011, 0.3, 9.0):
        histogram.observe(seconds)
    lines = list(histogram.lines("x", 'a="b"'))
    assert lines[:2] == ['x_bucket{a="b",le="0.001"} 1', 'x_bucket{a="b",le="0.0025"} 2']
    assert lines[-4:] == [
        'x_bucket{a="b",le="2.5"} 3',
        'x_bucket{a="b",le="+Inf"} 4',
        'x_sum{a="b"} 9.3021',
        'x_count{a="b"} 4',
    ]
    assert len(lines) == len(BOUNDS_S) + 3
    assert list(histogram.lines("x"))[-1] == "x_count 4"


def test_the_metrics_have_every_count():
    metrics = ServiceMetrics(["a.tflite", 'b"\\\n.onnx'])
    metrics.requested("/", 200, 0.01)
    metrics.requested("/", 200, 0.01)
    metrics.requested("/v1/predict", 503, 0.02)
    metrics.inferred("a.tflite", 3, 7, 0.002)
    metrics.failed('b"\\\n.onnx')
    metrics.working = 2
    lines = metrics.text().splitlines()
    for line in (
        'toolkit_requests_total{route="/",status="200"} 2',
        'toolkit_requests_total{route="/v1/predict",status="503"} 1',
        "toolkit_request_seconds_count 3",
        "toolkit_requests_working 2",
        'toolkit_images_total{artifact="a.tflite"} 3',
        'toolkit_looks_total{artifact="a.tflite"} 7',
        'toolkit_worker_failures_total{artifact="a.tflite"} 0',
        'toolkit_inference_seconds_bucket{artifact="a.tflite",le="0.0025"} 1',
    ):
        assert line in lines
    samples = [line for line in lines if not line.startswith("#")]
    assert [line for line in samples if not _SAMPLE.fullmatch(line)] == []


def test_the_samples_of_a_name_follow_its_type():
    metrics = ServiceMetrics(["a", "b"])
    families = [line.split()[2] for line in metrics.text().splitlines() if line.startswith("# TYPE")]
    current = None
    for line in metrics.text().splitlines():
        if line.startswith("# TYPE"):
            current = line.split()[2]
        elif not line.startswith("#"):
            assert re.sub(r"_(bucket|sum|count)$", "", re.split(r"[{ ]", line)[0]) == current
    assert len(families) == len(set(families))


def test_a_server_tells_its_counts(client):
    client.get("/healthz")
    text = client.get("/metrics").text
    assert re.search(r'toolkit_requests_total\{route="/healthz",status="200"\} [1-9]', text)
    assert client.get("/anything/at/all").status_code == 404
    assert 'route="other",status="404"' in client.get("/metrics").text
    assert "anything" not in client.get("/metrics").text
