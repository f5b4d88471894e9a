import functools
import hashlib
import http.server
import threading

import pytest

from toolkit import downloads
from toolkit.errors import DataUnavailableError


def test_a_download_without_a_network_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "RETRIES", 0)
    with pytest.raises(DataUnavailableError, match=r"put mnist\.npz into a folder and set TOOLKIT_DATA_DIR"):
        downloads.download(
            "http://127.0.0.1:9/mnist.npz", tmp_path / "mnist.npz", known_hash="md5:0", what="MNIST", files="mnist.npz"
        )
    assert not (tmp_path / "mnist.npz").exists()


def test_a_download_is_kept_if_its_digest_is_right(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "RETRIES", 0)
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "mnist.npz").write_bytes(b"something else")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path / "served"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/mnist.npz"
        path = tmp_path / "cache" / "mnist.npz"
        with pytest.raises(DataUnavailableError, match="digest"):
            downloads.download(url, path, known_hash="sha256:c5d9a7b1e2f3", what="MNIST", files="mnist.npz")
        assert not path.exists()
        good = f"sha256:{hashlib.sha256(b'something else').hexdigest()}"
        assert (
            downloads.download(url, path, known_hash=good, what="MNIST", files="mnist.npz").read_bytes()
            == b"something else"
        )
        path.write_bytes(b"damaged")
        downloads.download(url, path, known_hash=good, what="MNIST", files="mnist.npz")
        (tmp_path / "served" / "mnist.npz").unlink()
        assert (
            downloads.download(url, path, known_hash=good, what="MNIST", files="mnist.npz").read_bytes()
            == b"something else"
        )
        assert list(path.parent.iterdir()) == [path]
    finally:
        server.shutdown()
        server.server_close()
