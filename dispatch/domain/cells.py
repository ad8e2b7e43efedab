"""Cells of a table that people open in a spreadsheet: none of them may run."""

#: Where a reader of tables puts what stands past the last heading.
TOO_MANY = ""

#: Begins a cell whose formula no program has worked out yet: what it stands for is not in the file.
UNCALCULATED = "\x00="

#: A cell that begins so is a formula to some spreadsheet, the full-width forms to one with a Chinese or Japanese
#: keyboard: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def inert_text(text: str) -> str:
    """The text, marked with an apostrophe where a spreadsheet would run it or take such a mark for its own."""
    return f"'{text}" if text.startswith(FORMULA) or text.lstrip("'").startswith(FORMULA) else text


def as_written(text: str) -> str:
    """What `inert_text` was given."""
    marked = text[:1] == "'" and text.lstrip("'").startswith(FORMULA)
    return text[1:] if marked else text
