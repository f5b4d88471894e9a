"""A worker without TensorFlow: it answers each run with one epoch, and dies of those with the mean squared error."""

import json
import os
import signal
import sys
from multiprocessing.connection import Connection

from toolkit.study.executors.base import ENDED, EPOCH, Event
from toolkit.training.checkpoint import Epoch


def main(descriptor: str, settings: str) -> None:
    connection = Connection(int(descriptor))
    sys.stderr.write(f"threads: {json.loads(settings)['threads']}\n")
    while True:
        try:
            trial = connection.recv()
        except EOFError:
            return
        if trial.recipe.loss == "mse":
            os.kill(os.getpid(), signal.SIGKILL)
        connection.send(Event(trial, EPOCH, Epoch(1, 0.5, 0.5, 0.5, 0.5, float(os.getpid()))))
        connection.send(Event(trial, ENDED))


if __name__ == "__main__":
    main(*sys.argv[1:])
