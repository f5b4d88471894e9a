"""What a benchmark explains: why an artifact is not faster, its operators, the share of what the machine can do."""

from typing import TYPE_CHECKING

from toolkit import units
from toolkit.cli.bench.tables import NAME_COLUMNS
from toolkit.console import Column, Console, figure_columns, text_columns

if TYPE_CHECKING:
    from toolkit.bench.explanation import Explanation
    from toolkit.bench.profile import Profile
    from toolkit.bench.record import Record
    from toolkit.bench.result import Result

ROOF_COLUMNS = (
    *NAME_COLUMNS,
    *figure_columns("threads", "batch", "MACs", "weights"),
    Column("arithmetic", figures=False),
    *figure_columns("MAC/s", "attainable", "share"),
    Column("bound by", figures=False),
)
OPERATOR_COLUMNS = (*text_columns("operator", "executed by"), *figure_columns("MACs", "weights", "time", "share"))
HOW_TIMED = "times: of the artifact cut off after each operator, in turns; an operator's is what it adds"


def report(console: Console, record: "Record", *, everything: bool) -> None:
    """Print a line for each integer artifact that is not faster than float32; with everything the tables as well."""
    explained = [(result, explanation) for result in record.results if (explanation := record.why.get(result.samples))]
    if everything and explained:
        emulated = record.host.emulated
        console.table(ROOF_COLUMNS, [_roof_row(*pair, emulated=emulated) for pair in explained])
        if not emulated:
            console.text(
                "MAC: multiply-accumulate; attainable: min(MAC/s, MAC per byte of weights × bytes/s) of probes"
            )
        for result, explanation in explained:
            settings = f"{result.runtime}, threads {result.threads}, batch {result.batch}"
            console.heading(f"{result.path.name} ({settings})")
            console.table(OPERATOR_COLUMNS, _operator_rows(explanation.profile))
            console.text(explanation.profile.untimed or HOW_TIMED)
    for result, explanation in explained:
        if explanation.reason:
            console.text(f"why {result.path.name} ({result.runtime}) is not faster than float32: {explanation.reason}")


def _roof_row(result: "Result", explanation: "Explanation", *, emulated: bool) -> tuple[str, ...]:
    profile, attainable = explanation.profile, explanation.attainable
    share = None if emulated else explanation.share(result.median.value)
    return (
        result.path.name,
        result.runtime,
        str(result.threads),
        str(result.batch),
        _count(profile.macs),
        units.size(profile.weight_bytes),
        profile.arithmetic or "–",
        _rate(None if emulated else explanation.rate(result.median.value)),
        _rate(attainable[0] if attainable else None),
        "–" if share is None else units.percent(share, ".0f"),
        attainable[1] if attainable else "–",
    )


def _operator_rows(profile: "Profile") -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (
            timed.operator.name,
            timed.operator.kernels,
            _count(timed.operator.macs),
            units.size(timed.operator.weight_bytes),
            *_time(timed.seconds, profile.total_s),
        )
        for timed in profile.timed
    ]
    call = ("(the call itself)", "", "", "", *_time(profile.call_s, profile.total_s))
    return [call, *rows] if profile.total_s else rows


def _time(seconds: float | None, whole_s: float | None) -> tuple[str, str]:
    if seconds is None or not whole_s:
        return "–", "–"
    return units.seconds(seconds) if seconds else "0 s", units.percent(seconds / whole_s, ".0f")


def _count(macs: int | None) -> str:
    return "–" if macs is None else f"{macs:,}"


def _rate(macs_per_s: float | None) -> str:
    return "–" if macs_per_s is None else units.rate(macs_per_s)
