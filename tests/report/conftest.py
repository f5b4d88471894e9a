"""An export with its parity record, and benchmarks of it that never happened."""

import pytest

from tests.bench import made_up
from toolkit import manifest
from toolkit.runtimes import for_file

MEDIANS_US = {"mlp-int8.tflite": 2, "mlp-float32.tflite": 5, "mlp-int8.onnx": 9}


@pytest.fixture
def benchmark(shipped):
    """Save a record of artifacts of the export into a folder, their medians in µs by name; return the record."""
    listed = {artifact.path: artifact for artifact in manifest.read(shipped).artifacts}

    def save(folder, medians_us=MEDIANS_US, **host_facts):
        folder.mkdir(parents=True)
        record = made_up.record(**host_facts)
        record.folder, record.started = folder, "2026-11-26T10:00:00"
        for number, (name, median_us) in enumerate(medians_us.items()):
            artifact = listed[name]
            facts = {
                "path": shipped / name,
                "sha256": artifact.sha256,
                "size_bytes": artifact.size_bytes,
                "format": artifact.format,
                "quantization": artifact.quantization,
                "parity": artifact.verdict,
                "accuracy": artifact.accuracy,
                "runtime": for_file(shipped / name),
                "samples": f"{number}.npz",
            }
            record.results.append(made_up.result(median_us * 1e-6, seed=number, spread=0.01, **facts))
            record.results[-1].write_samples(folder)
        record.save()
        return record

    return save
