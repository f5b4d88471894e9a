"""Image files are read as pixels, whatever their kind."""

import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from toolkit import host, images
from toolkit.errors import DataError


def test_an_image_that_claims_too_many_pixels_is_not_decoded(tmp_path, monkeypatch):
    path = tmp_path / "x.bmp"
    Image.new("L", (8, 8)).save(path)
    whole = bytearray(path.read_bytes())
    whole[18:26] = struct.pack("<2i", 12_000, 12_000)
    path.write_bytes(whole)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", pytest.fail)
    for read in (images.is_grey, lambda path: images.read(path, channels=1)):
        with pytest.raises(DataError, match="12000×12000 pixels; allowed: 100,000,000 in all"):
            read(path)
    whole[18:26] = struct.pack("<2i", 20_000, 20_000)
    path.write_bytes(whole)
    with pytest.raises(DataError, match="cannot be read as an image: more than 100,000,000 pixels"):
        images.is_grey(path)
    whole[18:26] = struct.pack("<2i", 5_000, 5_000)
    path.write_bytes(whole)
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 9 * 10**8)
    with pytest.raises(DataError, match="5000×5000 pixels needs 600,000,000 bytes of memory"):
        images.is_grey(path)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "I", "P"])
def test_decoding_takes_no_more_memory_than_is_allowed_for(tmp_path, mode):
    side = 4000
    path = tmp_path / ("x.png" if mode in ("LA", "P") else "x.tif")
    options = {"transparency": 0} if mode == "P" else {} if mode == "LA" else {"compression": "tiff_adobe_deflate"}
    Image.new(mode, (side, side)).save(path, **options)
    read = (
        "import sys; from pathlib import Path; import PIL.Image; from toolkit import host, images\n"
        "before = host.process_memory_bytes('VmHWM'); images.read(Path(sys.argv[1]), channels=3)\n"
        "print(host.process_memory_bytes('VmHWM') - before)"
    )
    done = subprocess.run([sys.executable, "-c", read, path], capture_output=True, check=True, text=True)
    assert int(done.stdout) < images.PIXEL_BYTES * side**2


def test_other_pictures_are_scaled_with_their_aspect_kept():
    fitted = images.fit(np.full((40, 80, 3), (10, 200, 30), np.uint8), height=32, width=32)
    assert fitted.shape == (32, 32, 3)
    assert (fitted == (10, 200, 30)).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_file_is_read(tmp_path, mode):
    dark = Image.new("L", (10, 12), 0)
    picture = Image.fromarray(np.zeros((12, 10), np.uint16)) if mode == "I;16" else dark.convert(mode)
    suffix = ".tif" if mode in ("CMYK", "I;16") else ".png"
    picture.save(tmp_path / f"dark{suffix}")
    pixels = images.read(tmp_path / f"dark{suffix}", channels=1)
    assert pixels.shape == (12, 10, 1)
    assert pixels.max() <= 1


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    Image.fromarray(np.full((4, 4), 0x8000, np.uint16)).save(tmp_path / "grey.png")
    assert images.read(tmp_path / "grey.png", channels=1)[0, 0, 0] == 0x80


def test_transparency_is_paper(tmp_path):
    Image.new("RGBA", (5, 5), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert images.read(tmp_path / "clear.png", channels=1).min() == 255


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n truncated"])
def test_a_file_that_is_no_image_is_named(tmp_path, content):
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.png: (cannot be read as an image|an empty file)"):
        images.read(path, channels=1)


def test_a_truncated_photo_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.jpg")
    whole = (tmp_path / "photo.jpg").read_bytes()
    (tmp_path / "photo.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"photo\.jpg"):
        images.read(tmp_path / "photo.jpg", channels=1)


def test_a_missing_image_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.png: no such file"):
        images.read(tmp_path / "none.png", channels=1)


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    Image.new("1", (2000, 2000)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    with pytest.raises(DataError, match="2000×2000 pixels; allowed: 1,000"):
        images.read(tmp_path / "bomb.png", channels=1)
