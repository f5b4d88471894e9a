"""What a benchmark explains: why an artifact is not faster, its operators, the share of what the machine can do."""

from typing import TYPE_CHECKING, Any

from toolkit import units
from toolkit.cli.bench.tables import NAME_COLUMNS
from toolkit.console import Column, Console

if TYPE_CHECKING:
    from toolkit.bench.record import Record

ROOF_COLUMNS = (
    *NAME_COLUMNS,
    Column("threads"),
    Column("batch"),
    Column("MACs"),
    Column("weights"),
    Column("arithmetic", figures=False),
    Column("MAC/s"),
    Column("attainable"),
    Column("share"),
    Column("bound by", figures=False),
)
OPERATOR_COLUMNS = (
    Column("operator", figures=False),
    Column("executed by", figures=False),
    Column("MACs"),
    Column("weights"),
    Column("time"),
    Column("share"),
)
HOW_TIMED = "times: of the artifact cut off after each operator, in turns; an operator's is what it adds"


def report(console: Console, record: "Record", *, everything: bool) -> None:
    """Print a line for each integer artifact that is not faster than float32; with everything the tables as well."""
    explained = [(result, found) for result in record.results if (found := record.why.get(result.samples))]
    if everything and explained:
        entries = [entry for entry in record.to_json()["results"] if entry["why"]]
        console.table(ROOF_COLUMNS, [_roof_row(entry, entry["why"]) for entry in entries])
        if not record.host.emulated:
            console.text(
                "MAC: multiply-accumulate; attainable: min(MAC/s, MAC per byte of weights × bytes/s) of probes"
            )
        for result, found in explained:
            settings = f"{result.runtime}, threads {result.threads}, batch {result.batch}"
            console.heading(f"{result.path.name} ({settings})")
            console.table(OPERATOR_COLUMNS, _operator_rows(found.to_json(None)))
            console.text(found.profile.untimed or HOW_TIMED)
    for result, found in explained:
        if found.reason:
            console.text(f"why {result.path.name} ({result.runtime}) is not faster than float32: {found.reason}")


def _roof_row(entry: dict[str, Any], why: dict[str, Any]) -> tuple[str, ...]:
    share = why["share_of_attainable"]
    return (
        entry["artifact"].rpartition("/")[2],
        entry["runtime"],
        str(entry["threads"]),
        str(entry["batch"]),
        _count(why["macs"]),
        units.size(why["weight_bytes"]),
        why["arithmetic"] or "–",
        _rate(why["macs_per_s"]),
        _rate(why["attainable_macs_per_s"]),
        "–" if share is None else f"{share:.0%}",
        why["bound"] or "–",
    )


def _operator_rows(why: dict[str, Any]) -> list[tuple[str, ...]]:
    operators, call_s = why["operators"], why["call_s"]
    whole_s = why["prefixes_s"][-1] if why["prefixes_s"] else None
    rows: list[tuple[str, ...]] = [
        (
            operator["name"],
            operator["kernels"],
            _count(operator["macs"]),
            units.size(operator["weight_bytes"]),
            *_time(operator["seconds"], whole_s),
        )
        for operator in operators
    ]
    return [("(the call itself)", "", "", "", *_time(call_s, whole_s)), *rows] if whole_s else rows


def _time(seconds: float | None, whole_s: float | None) -> tuple[str, str]:
    if seconds is None or not whole_s:
        return "–", "–"
    return units.seconds(seconds) if seconds else "0 s", f"{seconds / whole_s:.0%}"


def _count(macs: int | None) -> str:
    return "–" if macs is None else f"{macs:,}"


def _rate(macs_per_s: float | None) -> str:
    return "–" if macs_per_s is None else units.rate(macs_per_s)
