"""The edge-model toolkit: train, export, verify and bench small Keras classifiers."""

# Not imported: `typing` takes most of the time before the program handles Ctrl-C.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from toolkit.api import (
        BENCHMARKS,
        EXPORTED,
        Step,
        ToolkitError,
        ToolkitWarning,
        bench_on,
        certify,
        check_bundle,
        check_record,
        compare,
        compare_instructions,
        compare_records,
        default_artifact,
        diagnose,
        find_sources,
        list_data,
        load_data,
        localize,
        open_session,
        plot_record,
        predict,
        report_search,
        report_study,
        show,
        train,
        verify,
        verify_against,
        verify_on,
    )

__version__ = "0.1.0"
# Of toolkit.api, all but what is called like a folder here.
__all__ = [
    "BENCHMARKS",
    "EXPORTED",
    "Step",
    "ToolkitError",
    "ToolkitWarning",
    "bench_on",
    "certify",
    "check_bundle",
    "check_record",
    "compare",
    "compare_instructions",
    "compare_records",
    "default_artifact",
    "diagnose",
    "find_sources",
    "list_data",
    "load_data",
    "localize",
    "open_session",
    "plot_record",
    "predict",
    "report_search",
    "report_study",
    "show",
    "train",
    "verify",
    "verify_against",
    "verify_on",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from toolkit import api

    return getattr(api, name)
