"""Which tests a device could run: what their outcome may depend on is the machine or the Python, and no TensorFlow."""

PATHS = (
    "tests/runtimes",
    "tests/bench/test_conditions.py",
    "tests/bench/test_measure.py",
    "tests/bench/test_record.py",
    "tests/parity/test_compare.py",
    "tests/files",
    "tests/host",
    "tests/test_images.py",
    "tests/test_manifest.py",
    "tests/prediction",
    "tests/test_units.py",
)
# Of them those whose outcome may depend on the kernels that a CPU's instruction sets choose.
KERNELS = PATHS[:1]
PYTEST = ("pytest", "-q", "-p", "no:cacheprovider", "--color=no", "-m", "not training and not slow and not mnist")
# What the last line says where all of them passed.
PASSED = r"\d{2,} passed, \d+ deselected"
