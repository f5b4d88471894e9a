"""Settings of LiteRT's Interpreter."""

from functools import partial

from toolkit.bench.settings.base import Setting
from toolkit.runtimes.litert import BUILTIN, open_session

_KERNELS = "experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES"

SETTINGS = (
    Setting("without XNNPACK", f"Interpreter(path, num_threads=1, {_KERNELS})", partial(open_session, kernels=BUILTIN)),
    Setting("2 threads", "Interpreter(path, num_threads=2)", partial(open_session, threads=2), threads=2),
)
