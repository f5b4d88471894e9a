"""How far the outputs of another run lie from those of a shipped model: what the divergence check must tell apart.

toolkit train --model mlp --seed 1 --name mlp-1 && python tests/benchmarks/another_run.py mlp mlp-1
"""

import sys
from pathlib import Path

from toolkit import data, runtimes
from toolkit.convention import Convention
from toolkit.parity import figures
from toolkit.parity.evidence import CANDIDATE_ROW, RowFile, candidate_rows
from toolkit.parity.material import material


def main() -> None:
    model, run = sys.argv[1:]
    test = data.load("mnist", warn=print).test
    files = Path(f"exported/{model}/{model}.keras"), Path(f"runs/{run}/best.keras")
    reference, other = (runtimes.open_session(path, threads=0).predict(test.images) for path in files)
    table = RowFile(CANDIDATE_ROW)
    table.append(candidate_rows(other, reference))
    found = figures.compute(
        material(test.images, test.labels, reference, convention=Convention()).table, table, classes=10
    )
    print(
        f"{run}: accuracy {found.accuracy:.4f} ({model}: {found.reference_accuracy:.4f}), lost {found.lost}, gained "
        f"{found.gained}, changed {found.changed}, mean divergence {found.kl_mean:.3g} nats"
    )


if __name__ == "__main__":
    main()
