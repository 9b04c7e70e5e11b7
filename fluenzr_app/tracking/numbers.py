"""Numbers inside links, short (LEB128: seven bits a byte, the last byte below 128)."""

from collections.abc import Iterable

from fluenzr_app.crypto import BadToken


def pack(numbers: Iterable[int]) -> bytes:
    """Return the numbers one behind the other; raises ValueError for a negative one."""
    parts = bytearray()
    for number in numbers:
        if number < 0:
            raise ValueError("a key is not negative")
        while number >= 0x80:
            parts.append(number & 0x7F | 0x80)
            number >>= 7
        parts.append(number)
    return bytes(parts)


def unpack(data: bytes, count: int) -> tuple[list[int], bytes]:
    """Return the first `count` numbers and what stands behind them; raises BadToken where there are fewer."""
    numbers: list[int] = []
    value = shift = 0
    for index, byte in enumerate(data):
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(value)
            value = shift = 0
            if len(numbers) == count:
                return numbers, data[index + 1 :]
    raise BadToken("the link is damaged")
