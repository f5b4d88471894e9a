"""Why an integer artifact is not faster than its float32 original: one line, from the profiles of both.

Each rule looks at the evidence and returns a sentence or nothing; the first sentence is the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from toolkit import units
from toolkit.bench.profile import Profile
from toolkit.runtimes.base.graph import INT8

# Share of the lost time that a cause must explain to be named as the cause.
MOST = 0.5
# Below this share of the original's time an artifact is called faster, whatever was measured before.
FASTER_AGAIN = 0.9
# Share of all multiply-accumulates up to which an operator has next to none.
NEXT_TO_NONE = 0.05
# Share of the original's time below which a difference is not told.
TOLD = 0.01
NONE_FOUND = "no cause was found"
# Kernels that are made for speed, with integers too; what runs elsewhere is named.
FAST_KERNELS = ("XNNPACK", "optimized")
_X86 = ("x86_64", "i686", "AMD64")
# Instructions that multiply and add bytes, and where they are: AVX-512 VNNI and AVX-VNNI (Intel, "Architecture
# Instruction Set Extensions Programming Reference"; AMD, "Zen 4"), dotprod (Arm, FEAT_DotProd of Armv8.2).
X86_BYTES = ("VNNI", "Intel since Cascade Lake and Ice Lake, AMD since Zen 4")
ARM_BYTES = ("dot-product (dotprod, i8mm)", "Cortex-A55, A75, A76 and later: a Raspberry Pi 5, no Pi 4")


@dataclass(frozen=True)
class Evidence:
    """What is known of a candidate and of its float32 original, the baseline.

    fewer_threads: a smaller number of threads with which the same artifact is surely faster.
    multiplies_bytes: whether the CPU has instructions for that; None if the system does not tell.
    """

    candidate: Profile
    baseline: Profile
    threads: int
    fewer_threads: int | None
    arch: str
    multiplies_bytes: bool | None

    @property
    def arithmetic_lost_s(self) -> float:
        """How much longer its operators that multiply take."""
        return self.candidate.arithmetic_s() - self.baseline.arithmetic_s()

    def explains(self, seconds: float) -> bool:
        """Say whether a time is most of what the candidate has lost."""
        lost_s = (self.candidate.total_s or 0.0) - (self.baseline.total_s or 0.0)
        return seconds > 0 and seconds >= MOST * lost_s


def why(evidence: Evidence) -> str:
    """Return the cause, or that none was found, and where the time went."""
    timed = evidence.candidate.prefixes_s is not None and evidence.baseline.prefixes_s is not None
    rules = chain(UNTIMED_RULES, TIMED_RULES if timed else ())
    cause = next((said for rule in rules if (said := rule(evidence))), NONE_FOUND)
    missing = _missing(evidence)
    if missing and missing not in cause:
        cause = f"{cause}; {missing}"
    return f"{cause}; {_balance(evidence)}" if timed else f"{cause} (operators were not timed)"


def more_threads(evidence: Evidence) -> str | None:
    """Threads that wait for one another cost more than they compute."""
    if evidence.fewer_threads is None:
        return None
    return f"{evidence.threads} threads cost more than they save: with {evidence.fewer_threads} it is faster"


def slow_kernels(evidence: Evidence) -> str | None:
    """Operators that multiply run in kernels that are not made for speed."""
    operators = [one for one in evidence.candidate.timed if one.operator.arithmetic]
    slow = [one for one in operators if one.operator.kernels not in FAST_KERNELS]
    taken = sum(one.seconds or 0.0 for one in slow)
    timed = evidence.candidate.prefixes_s is not None
    if not slow or (timed and not evidence.explains(taken)):
        return None
    names = ", ".join(dict.fromkeys(one.operator.name for one in slow))
    kernels = ", ".join(dict.fromkeys(one.operator.kernels for one in slow))
    whole = evidence.candidate.total_s
    share = f", {units.percent(taken / whole, '.0f')} of its time" if whole else ""
    return f"{FAST_KERNELS[0]} has no kernel for {names} of these types: the {kernels} ones run{share}"


def conversions(evidence: Evidence) -> str | None:
    """Most of the lost time brings numbers from one type to another."""
    lost = evidence.candidate.conversions_s() - evidence.baseline.conversions_s()
    if not evidence.explains(lost) or lost < evidence.arithmetic_lost_s:
        return None
    share = evidence.candidate.conversions_s() / (evidence.candidate.total_s or 1.0)
    return f"quantizing and dequantizing takes {units.percent(share, '.0f')} of its time, more than integers save"


def not_again(evidence: Evidence) -> str | None:
    """Timed once more, it is faster: the measurement was disturbed."""
    taken, original = evidence.candidate.total_s or 0.0, evidence.baseline.total_s or 0.0
    if taken > FASTER_AGAIN * original:
        return None
    again = f"{units.seconds(taken)} against {units.seconds(original)}"
    return f"no cause was found, and timed again it is faster, {again}: measure longer (--thorough)"


def no_instructions(evidence: Evidence) -> str | None:
    """The CPU has no instructions that multiply and add bytes."""
    return _missing(evidence) if evidence.arithmetic_lost_s > 0 else None


def too_small(evidence: Evidence) -> str | None:
    """Most of both inferences is what they cost however little they compute: calls, conversions, an operator's own."""
    pair = evidence.candidate, evidence.baseline
    fixed_s, original_s = (_fixed_s(profile) for profile in pair)
    if any(_fixed_s(profile) < MOST * (profile.total_s or 0.0) for profile in pair):
        return None
    if not (evidence.explains(fixed_s - original_s) or evidence.arithmetic_lost_s < 0):
        return None
    whole_s = evidence.candidate.total_s or 0.0
    return (
        f"it is too small to gain: {units.seconds(fixed_s)} of its {units.seconds(whole_s)} are what calls, "
        f"conversions and operators cost however little they compute, {units.seconds(original_s)} in float32"
    )


def slow_arithmetic(evidence: Evidence) -> str | None:
    """An operator's integer kernel is slower than the float32 one."""
    if not evidence.explains(evidence.arithmetic_lost_s):
        return None
    slowest = max(evidence.candidate.timed, key=lambda one: (one.seconds or 0.0) if one.operator.arithmetic else -1.0)
    return (
        f"its integer kernels are slower than the float32 ones at these shapes, "
        f"{slowest.operator.name} above all ({units.seconds(slowest.seconds or 0.0)})"
    )


Rule = Callable[[Evidence], str | None]
UNTIMED_RULES: tuple[Rule, ...] = (more_threads, slow_kernels)
TIMED_RULES: tuple[Rule, ...] = (not_again, no_instructions, too_small, conversions, slow_arithmetic)


def _missing(evidence: Evidence) -> str | None:
    """Say which instructions this CPU lacks for integers, and which CPUs have them."""
    if evidence.multiplies_bytes is not False or evidence.candidate.arithmetic != INT8:
        return None
    wanted, where = X86_BYTES if evidence.arch in _X86 else ARM_BYTES
    return (
        f"this CPU has no {wanted} instructions, so it multiplies integers no faster than floats; int8 may be faster "
        f"on a CPU that has them ({where})"
    )


def _fixed_s(profile: Profile) -> float:
    """Return what an inference takes however little it computes.

    That is the call, all operators that do not multiply, and for each that does what the smallest of them takes, where
    it has next to no multiply-accumulates.
    """
    products = [one for one in profile.timed if one.operator.arithmetic]
    smallest = min(products, key=lambda one: one.operator.macs or 0, default=None)
    each_s = 0.0
    if smallest and (smallest.operator.macs or 0) <= NEXT_TO_NONE * (profile.macs or 0):
        each_s = smallest.seconds or 0.0
    return (profile.call_s or 0.0) + profile.conversions_s() + profile.rest_s() + len(products) * each_s


def _balance(evidence: Evidence) -> str:
    """Return where the candidate loses and gains time, part by part."""
    candidate, baseline = evidence.candidate, evidence.baseline
    parts = {
        "arithmetic": evidence.arithmetic_lost_s,
        "quantize and dequantize": candidate.conversions_s() - baseline.conversions_s(),
        "other operators": candidate.rest_s() - baseline.rest_s(),
        "call": (candidate.call_s or 0.0) - (baseline.call_s or 0.0),
    }
    told = [
        f"{name} {'+' if change > 0 else '−'}{units.seconds(abs(change))}"
        for name, change in parts.items()
        if abs(change) > TOLD * (baseline.total_s or 0.0)
    ]
    return f"beside float32: {', '.join(told) or 'the same'}"
