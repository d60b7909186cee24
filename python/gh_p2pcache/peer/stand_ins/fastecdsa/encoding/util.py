"""The one function that is used."""


def int_bytelen(number: int) -> int:
    """Return how many bytes a number takes."""
    return (number.bit_length() + 7) // 8
