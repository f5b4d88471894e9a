"""Bodies of requests that ``toolkit serve`` is sent: documents of pixels, and files of images."""

import json

from tests.fuzz import changes, made
from tests.fuzz.target import Target
from tests.serve.conftest import png
from toolkit import images
from toolkit.errors import ToolkitError
from toolkit.serve import uploads
from toolkit.serve.refusal import RefusedError


def _prepare(folder):
    (folder / "body.json").write_text(json.dumps({"pixels": made.pixels(5, 4, 3).tolist()}))
    (folder / "body.png").write_bytes(png(made.pixels(5, 4)))
    return sorted(folder.iterdir())


def _read(folder):
    try:
        for body in (uploads.from_json((folder / "body.json").read_bytes()), (folder / "body.png").read_bytes()):
            image = images.Received(body)
            uploads.check_size(image)
            images.read(image, channels=1)
    except RefusedError as error:
        raise ToolkitError(json.loads(error.response.body)["error"]["message"]) from error


TARGETS = {"requests": Target(300, _prepare, _read, changes.by_content)}
