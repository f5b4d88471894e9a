"""What a check comes to."""

from enum import StrEnum


class Verdict(StrEnum):
    """What a check comes to; ``INCONCLUSIVE`` is of parity only: too few images to tell."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"

    @classmethod
    def from_passed(cls, passed: bool) -> "Verdict":
        """Return PASS or FAIL."""
        return cls.PASS if passed else cls.FAIL
