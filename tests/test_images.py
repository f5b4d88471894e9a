"""Image files are read as pixels, whatever their kind."""

import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, features

from toolkit import host, images
from toolkit.errors import DataError
from toolkit.images import ImageHeader


def test_an_image_that_claims_too_many_pixels_is_not_decoded(tmp_path, monkeypatch):
    path = tmp_path / "x.bmp"
    Image.new("L", (8, 8)).save(path)
    whole = bytearray(path.read_bytes())
    whole[18:26] = struct.pack("<2i", 12_000, 12_000)
    path.write_bytes(whole)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", pytest.fail)
    for read in (images.look, lambda path: images.read(path, channels=1)):
        with pytest.raises(DataError, match="12000×12000 pixels; allowed: 100,000,000 in all"):
            read(path)
    whole[18:26] = struct.pack("<2i", 20_000, 20_000)
    path.write_bytes(whole)
    with pytest.raises(DataError, match=r"x\.bmp: too many pixels; allowed: 100,000,000 in all"):
        images.look(path)
    whole[18:26] = struct.pack("<2i", 5_000, 5_000)
    path.write_bytes(whole)
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 9 * 10**8)
    with pytest.raises(DataError, match="5000×5000 pixels needs 600,000,000 bytes of memory"):
        images.look(path)


def test_decoding_takes_no_more_memory_than_is_allowed_for(tmp_path):
    """Each kind of image is decoded by a fork of one process, whose peak begins with what it takes then."""
    side, paths = 1500, []
    for mode in ("RGB", "RGBA", "LA", "I;16", "F", "P"):
        paths.append(tmp_path / f"{mode.replace(';', '')}.{'png' if mode in ('LA', 'P') else 'tif'}")
        options = {"transparency": 0} if mode == "P" else {} if mode == "LA" else {"compression": "tiff_adobe_deflate"}
        Image.new(mode, (side, side)).save(paths[-1], **options)
    read = """
import os, sys
from pathlib import Path
import PIL.Image
from toolkit import host, images
for path in map(Path, sys.argv[1:]):
    if os.fork() == 0:
        before = host.process_memory_bytes("VmHWM")
        images.read(path, channels=3)
        print(path.name, host.process_memory_bytes("VmHWM") - before, flush=True)
        os._exit(0)
    os.wait()
"""
    done = subprocess.run([sys.executable, "-c", read, *paths], capture_output=True, check=True, text=True)
    taken = dict(line.split() for line in done.stdout.splitlines())
    assert list(taken) == [path.name for path in paths]
    assert {name: int(most) for name, most in taken.items() if int(most) >= images.PIXEL_BYTES * side**2} == {}


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


def test_transparent_pixels_become_paper(tmp_path):
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


def shades(path, values):
    """Save one row of grey pixels, and return what is read of it."""
    Image.fromarray(np.array([values])).save(path)
    return images.read(path, channels=1)[0, :, 0].tolist()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pgm"])
def test_16_bits_are_scaled_by_what_is_white_in_the_format(tmp_path, suffix):
    values = np.array([0, 255, 4080, 32768, 65535], np.uint16)  # also where all of them are dark: no image decides
    assert shades(tmp_path / f"x{suffix}", values) == [0, 1, 16, 128, 255]
    assert shades(tmp_path / f"y{suffix}", values[:3]) == [0, 1, 16]


def test_a_pgm_is_scaled_by_the_highest_value_that_it_names(tmp_path):
    (tmp_path / "x.pgm").write_bytes(b"P5 3 1 4095\n" + np.array([0, 2048, 4095], ">u2").tobytes())
    assert images.read(tmp_path / "x.pgm", channels=1)[0, :, 0].tolist() == [0, 128, 255]


def save_tiff(path, pixels, *, width, bits, photometric=1):
    """Save one row of packed pixels: Pillow reads such files and writes none (TIFF 6.0)."""
    start = 8 + len(pixels) + len(pixels) % 2
    tags = {256: width, 257: 1, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: 1, 279: len(pixels)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    header = b"II*\0" + struct.pack("<I", start)
    path.write_bytes(header + pixels.ljust(start - 8, b"\0") + struct.pack("<H", len(tags)) + entries + bytes(4))
    return images.read(path, channels=1)[0, :, 0].tolist()


def test_12_bits_of_a_tiff_are_scaled_by_12_bits(tmp_path):
    assert save_tiff(tmp_path / "x.tif", b"\x00\x08\x00", width=2, bits=12) == [0, 128]  # 0 and 0x800


def test_floats_of_0_to_1_are_scaled(tmp_path):
    assert shades(tmp_path / "x.tif", np.array([0, 0.25, 0.5, 1], np.float32)) == [0, 64, 128, 255]


def test_a_tiff_whose_0_is_white_is_turned_round(tmp_path):
    assert save_tiff(tmp_path / "x.tif", b"\0\0\xff\xff", width=2, bits=16, photometric=0) == [255, 0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([0, 200], np.float32), r"pixels from 0 to 200; allowed: 0 to 1; scale them"),
        (np.array([-1, 1], np.float32), "pixels from -1 to 1"),
        (np.array([np.nan, 1], np.float32), "pixels from nan to nan"),
        (np.array([0, 70_000], np.int32), "grey of 32 bits, of which no value is white; save it with 8 or 16 bits"),
    ],
)
def test_pixels_of_which_none_is_known_to_be_white_are_refused(tmp_path, values, message):
    with pytest.raises(DataError, match=rf"x\.tif: cannot be read as an image: {message}"):
        shades(tmp_path / "x.tif", values)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("ink", [0, 100, 255])
def test_ink_is_seen_on_transparent_paper_of_any_kind(tmp_path, mode, ink):
    alpha = Image.fromarray(np.array([[0, 255], [128, 0]], np.uint8))
    bands = [Image.new("L", (2, 2), ink)] * (len(mode) - 1)
    Image.merge(mode, [*bands, alpha]).save(tmp_path / "x.png")
    paper, full = images.read(tmp_path / "x.png", channels=1)[0, :, 0].tolist()
    assert (paper, full) == (0 if ink == 255 else 255, ink)


def test_a_white_image_without_transparency_stays_white(tmp_path):
    Image.new("RGBA", (2, 2), "white").save(tmp_path / "x.png")
    assert images.read(tmp_path / "x.png", channels=3).min() == 255


def test_a_header_says_size_and_colour(tmp_path):
    exif = Image.Exif()
    exif[images.ORIENTATION] = 6
    Image.new("L", (10, 4)).save(tmp_path / "turned.jpg", exif=exif)
    assert images.look(tmp_path / "turned.jpg") == ImageHeader(height=10, width=4, grey=True)
    assert images.read(tmp_path / "turned.jpg", channels=1).shape == (10, 4, 1)
    Image.new("RGB", (10, 4)).save(tmp_path / "colour.png")
    assert images.look(tmp_path / "colour.png") == ImageHeader(height=4, width=10, grey=False)


def test_fit_pads_crop_cuts_and_stretch_does_neither():
    page = np.full((20, 40, 1), 50, np.uint8)
    page[:, 10:30] = 200
    resized = {how: images.resize(page, height=10, width=10, how=how)[..., 0] for how in ("fit", "crop", "stretch")}
    assert resized["fit"][0].tolist() == [50] * 10
    assert (resized["crop"][:, 1:-1] > 190).all()
    assert (resized["stretch"][:, 0] < 60).all()
    assert (resized["stretch"][:, 5] > 190).all()
    assert {found.shape for found in resized.values()} == {(10, 10)}


@pytest.mark.parametrize("how", ["fit", "crop", "stretch"])
def test_an_image_of_the_size_that_is_wanted_stays_what_it_is(how):
    page = np.zeros((10, 12, 1), np.uint8)
    assert images.resize(page, height=10, width=12, how=how) is page


def test_a_file_of_no_format_is_said_to_be_so(tmp_path):
    (tmp_path / "x.png").write_bytes(b"not an image")
    with pytest.raises(DataError, match=r"x\.png: cannot be read as an image: it is none of PNG, JPEG"):
        images.look(tmp_path / "x.png")


def test_a_large_jpeg_is_decoded_no_larger_than_is_enough(tmp_path):
    page = np.full((1600, 1200), 230, np.uint8)
    page[400:800, 600:700] = 20
    Image.fromarray(page).convert("RGB").save(tmp_path / "large.jpg")
    shrunk = images.read(tmp_path / "large.jpg", channels=1, enough=300)
    assert shrunk.shape == (400, 300, 1)
    assert abs(int(shrunk[150, 162, 0]) - 20) < 5
    assert images.read(tmp_path / "large.jpg", channels=1).shape == (1600, 1200, 1)


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".tiff"])
def test_several_images_in_one_file_are_refused_in_a_line(tmp_path, suffix):
    pages = [Image.new("L", (8, 8), shade) for shade in (0, 90, 255)]
    pages[0].save(tmp_path / f"several{suffix}", save_all=True, append_images=pages[1:])
    with pytest.raises(
        DataError, match="several images in one file, an animation or pages; save the one that is meant"
    ):
        images.read(tmp_path / f"several{suffix}", channels=1)
    pages[0].save(tmp_path / f"one{suffix}")
    assert images.read(tmp_path / f"one{suffix}", channels=1).shape == (8, 8, 1)


@pytest.mark.parametrize("suffix", images.READ_SUFFIXES)
def test_a_file_of_every_suffix_is_read(tmp_path, suffix):
    Image.new("L", (4, 6), 255).save(tmp_path / f"x{suffix}")
    assert images.read(tmp_path / f"x{suffix}", channels=1).tolist() == [[[255]] * 4] * 6


def test_a_program_that_would_draw_an_image_is_not_run(tmp_path, monkeypatch):
    """EPS is one, and this one has no end."""
    path = tmp_path / "photo.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n{} loop\n")
    monkeypatch.setattr(subprocess, "check_call", pytest.fail)
    for read in (images.look, lambda path: images.read(path, channels=1)):
        with pytest.raises(DataError, match=r"photo\.png: cannot be read as an image: it is none of PNG"):
            read(path)


BRANDED = b"\0\0\0\x18ftyp%s\0\0\0\0" + bytes(40)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("phone.heic", BRANDED % b"heic", "HEIC"),
        ("phone.jpg", BRANDED % b"mif1", "HEIC"),  # renamed by whoever wanted a JPEG
        ("x.jxl", b"\xff\x0a" + bytes(40), "JPEG XL"),
        ("x.jxl", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL"),
    ],
)
def test_a_photo_that_is_not_read_here_is_named_as_what_it_is(tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(
        DataError, match=rf"{name}: .*: it is a photo in {kind}, which is not read here; save it as JPEG"
    ):
        images.look(tmp_path / name)


def test_avif_is_read_where_pillow_reads_it(tmp_path):
    path = tmp_path / "x.avif"
    if features.check("avif"):
        Image.new("RGB", (16, 16), "red").save(path)
        assert images.read(path, channels=3)[8, 8, 0] > 200
    else:
        path.write_bytes(BRANDED % b"avif")
        with pytest.raises(DataError, match="it is a photo in AVIF, which is not read here; save it as JPEG"):
            images.look(path)
