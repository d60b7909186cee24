"""Numbers in other bases, as far as py-multibase uses it."""

from __future__ import annotations


class BaseConverter:
    """Writes whole numbers with the given digits; subclasses read them."""

    def __init__(self, digits: str) -> None:
        self.digits = digits

    def encode(self, number: int) -> str:
        """Return a number that is not negative, the first digit alone for 0."""
        base, encoded = len(self.digits), ""
        while number:
            number, digit = divmod(number, base)
            encoded = self.digits[digit] + encoded
        return encoded or self.digits[0]
