"""How long what disturbs this machine lasts: how alike the medians of two blocks are, by the time between them.

A process runs the shipped CNN in float32 on LiteRT for a minute, in blocks of 5 ms. The correlation is of the blocks'
ranks (Spearman's), so that a few far outliers do not decide it.
"""

import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

TFLITE = "exported/cnn/cnn-float32.tflite"
SECONDS, BLOCK_S = 60, 0.005
DISTANCES_S = (0.005, 0.02, 0.05, 0.1, 0.15, 0.2, 0.5, 1, 2, 5)


def block(interpreter):
    samples, end = [], time.perf_counter() + BLOCK_S
    while (start := time.perf_counter()) < end:
        interpreter.invoke()
        samples.append(time.perf_counter() - start)
    return np.median(samples)


def main():
    interpreter = Interpreter(TFLITE, num_threads=1)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]
    interpreter.set_tensor(given["index"], np.random.default_rng(0).random(given["shape"], np.float32))
    for _ in range(1000):
        interpreter.invoke()
    medians = np.array([block(interpreter) for _ in range(round(SECONDS / BLOCK_S))])
    ranks = medians.argsort().argsort()
    low, middle, high = np.percentile(medians, (5, 50, 95)) * 1e6
    print(f"{len(ranks):,} blocks of {BLOCK_S * 1e3:.0f} ms: {middle:.0f} µs (5 to 95 %: {low:.0f} to {high:.0f} µs)")
    for distance_s in DISTANCES_S:
        apart = round(distance_s / BLOCK_S)
        print(
            f"  {distance_s * 1e3:5.0f} ms apart: correlation {np.corrcoef(ranks[:-apart], ranks[apart:])[0, 1]:+.2f}"
        )


if __name__ == "__main__":
    main()
