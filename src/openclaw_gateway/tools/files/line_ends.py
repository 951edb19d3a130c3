"""Text put into a file that ends its lines in another way than the text. Pure and linear."""


def as_there(new: str, around: str) -> str:
    """`new` with the line ends of `around`; one that has carriage returns of its own stays as it is."""
    if "\r" in new:
        return new if "\r\n" in around or "\n" not in around else new.replace("\r\n", "\n")
    mostly = 2 * around.count("\r\n") > around.count("\n")
    return new.replace("\n", "\r\n") if mostly else new


def line_for_line(new: str, replaced: str, around: str) -> str:
    """`new` with the line ends of what it replaces, one by one; what is more, as usual in `around`."""
    if "\n" not in new or "\n" not in replaced or "\r" in new:
        return as_there(new, around)
    ends = ["\r\n" if line.endswith("\r") else "\n" for line in replaced.split("\n")[:-1]]
    lines = new.split("\n")
    usual = as_there("\n", around)
    ends += [usual] * (len(lines) - 1 - len(ends))
    return "".join(f"{line}{end}" for line, end in zip(lines, [*ends[: len(lines) - 1], ""], strict=True))


def stands(text: str, block: str) -> list[tuple[int, int]]:
    """Where `block` stands in `text` if all line ends were the same: beginnings and ends, in their order."""
    plain, sought = text.replace("\r\n", "\n"), block.replace("\r\n", "\n")
    if not sought:
        return []
    # How many carriage returns were before each line of the plain text.
    before, lines = [0], text.split("\n")
    for one in lines[:-1]:
        before.append(before[-1] + one.endswith("\r"))
    found: list[tuple[int, int]] = []
    line = at = 0
    while (place := plain.find(sought, at)) >= 0:
        line += plain.count("\n", at, place)
        last = line + sought.count("\n")
        end = place + len(sought)
        found.append((place + before[line], end + before[last]))
        line, at = last, end
    return found
