"""Passwords everybody tries first. The list beside this file has the common ones of ten characters and more and the
common words they are made of, from zxcvbn's frequency list (MIT licence) and a few of this trade and of Chinese."""

import gzip
import re
from functools import cache
from pathlib import Path

_LIST = Path(__file__).with_name("common_passwords.txt.gz")
#: As people write letters by digits and signs.
_WRITTEN = str.maketrans("013457@$!", "oleastasi")
#: Runs of a keyboard and of counting; a password cut out of one is none.
_RUNS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
)
DISTINCT_LEAST = 5
#: A password with one's own name in it needs so many characters more.
ADDED_LEAST = 8


@cache
def common() -> frozenset[str]:
    """The list, lower case; read once, when somebody first chooses a password."""
    return frozenset(gzip.decompress(_LIST.read_bytes()).decode().split())


def is_common(password: str, *names: str) -> bool:
    """Whether it is on the list, or a listed word with digits and signs around it, a run, a repetition, or little
    more than one of the person's own `names`. Upper case and usual spellings by digits hide nothing."""
    text = password.lower()
    known = common()
    bare = {_bare(text), _bare(text).translate(_WRITTEN), _bare(text.translate(_WRITTEN))}
    if text in known or bare & known or _is_words(text, known):
        return True
    if any(name.lower() in text and len(text) - len(name) < ADDED_LEAST for name in names if name):
        return True
    if len(set(text)) < DISTINCT_LEAST or re.fullmatch(r"(.{1,6})\1+.?", text):
        return True
    return any(text in run or text[::-1] in run for run in _RUNS)


def _bare(text: str) -> str:
    """Without what is no letter before and after."""
    return re.sub(r"^[^a-z]+|[^a-z]+$", "", text)


def _is_words(text: str, known: frozenset[str]) -> bool:
    """Two listed words with nothing but digits and signs about them."""
    words = re.findall(r"[a-z]+", text)
    return len(words) == 2 and all(word in known for word in words) and len(text) < 16
