"""The process that runs of a study are trained in: ``python -m toolkit.study.worker DESCRIPTOR SETTINGS``.

It takes runs from a connection, the file DESCRIPTOR, and answers with events until the connection is closed.
"""

import json
import os
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from toolkit import data, reading
from toolkit.errors import DataError
from toolkit.runtimes.keras.loading import allowing
from toolkit.study import trials
from toolkit.study.executors.base import ENDED, EPOCH, Event
from toolkit.training import device
from toolkit.training.checkpoint import Epoch


def main(descriptor: str, settings: str) -> None:
    """Train what is asked for."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection: Connection = Connection(int(descriptor))
    work = json.loads(settings)
    device.limit_threads(work["threads"])
    read_as = reading.from_json(work["reading"], Path("SETTINGS"), error=DataError)
    dataset = data.load(work["data"], warn=print, reading=read_as)
    with allowing(work["imports"], unsafe_lambda=work["unsafe_lambda"]):
        while True:
            try:
                trial: trials.Trial = connection.recv()
            except EOFError:
                return

            def on_epoch(epoch: Epoch, trial: trials.Trial = trial) -> None:
                _tell(connection, Event(trial, EPOCH, epoch))

            trials.perform(
                trial, dataset, device=work["device"], allow_overlap=work["allow_overlap"], on_epoch=on_epoch
            )
            _tell(connection, Event(trial, ENDED))
            device.release()


def _tell(connection: Connection, event: Event) -> None:
    """Tell the parent; where it has ended, end at once too, or a run that goes on elsewhere would count as crashed."""
    try:
        connection.send(event)
    except BrokenPipeError:
        os._exit(1)


def _end_with_parent() -> None:
    """Wait for the end of standard input, which is the end of the parent, and end at once: another may take over."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
