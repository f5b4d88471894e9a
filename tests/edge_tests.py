"""Which tests a device could run: what their outcome may depend on is the machine or the Python, and no TensorFlow."""

# What may depend on the kernels that a CPU's instruction sets choose.
KERNELS = ("tests/runtimes",)
# What may depend on the machine: its architecture, its system, the libraries that are compiled for it.
MACHINE = (
    *KERNELS,
    "tests/bench/test_conditions.py",
    "tests/bench/test_measure.py",
    "tests/bench/test_record.py",
    "tests/parity/test_compare.py",
    "tests/host",
    "tests/test_images.py",
    "tests/prediction",
)
# What may depend on the Python, too.
PATHS = (*MACHINE, "tests/files", "tests/test_manifest.py", "tests/test_units.py")
PYTEST = ("pytest", "-q", "-p", "no:cacheprovider", "--color=no", "-m", "not training and not slow and not mnist")
# What the last line says where all of them passed.
PASSED = r"\d{2,} passed, \d+ deselected"
