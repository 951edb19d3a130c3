"""Many chunks that came together and differ in nothing but their text: looked at as one, not decoded each.

Pure. A provider that is fast, or a gateway that is busy, gets dozens of deltas with one read, and in most
answers all of them are the same JSON around another word. What is said here is what `decode` would say.
"""

from collections.abc import Callable, Sequence

from openclaw_gateway.models.apis.reading import UNREADABLE

# With fewer, to decode them is no more work.
FEW = 8


def leading_words(payloads: Sequence[bytes], decode: Callable[[bytes], str]) -> list[str]:
    """The texts of the first payloads, at least of two, as far as they are alike. `decode` gives the text of
    a chunk of the usual form; what it raises for another form (UNREADABLE) is raised for one of those two."""
    words = [decode(payloads[0]), decode(payloads[1])]
    around = _around(payloads[1], words[1].encode(), decode)
    if around is None:
        return words
    before, after = around
    end = len(payloads)
    while not payloads[end - 1].endswith(after):
        end -= 1
    alike, start, stop = payloads[2:end], len(before), -len(after)
    pieces = [payload[start:stop] for payload in alike]
    between = b"%b\n%b" % (after, before)
    if b"%b%b%b" % (before, between.join(pieces), after) != b"\n".join(alike):
        return words
    try:
        found = b"\n".join(pieces).decode().split("\n")
    except UnicodeDecodeError:
        return words
    text = "".join(found)
    # As it is written in JSON, and nothing that would part a payload in two: then there is no other reading.
    if len(found) == len(pieces) and text.isprintable() and '"' not in text and "\\" not in text:
        words += found
    return words


def _around(payload: bytes, word: bytes, decode: Callable[[bytes], str]) -> tuple[bytes, bytes] | None:
    """What stands before and behind the text of this chunk, whatever the text is."""
    before, quoted, after = payload.partition(b'"%b"' % word)
    if not word or not quoted or payload.find(b"\n") >= 0:
        return None
    before, after = before + b'"', b'"' + after
    try:
        # With a longer word it must say that word, or the place was another one. (No field's name has a ~.)
        found = decode(b"%b%b~%b" % (before, word, after)).encode() == word + b"~"
    except UNREADABLE:
        return None
    return (before, after) if found else None
