"""Words as the search compares them: bigrams, because two Chinese characters already mean something."""

import re

MOST = 400
_RUN = re.compile(r"[0-9a-z]+|[\u3400-\u9fff\uf900-\ufaff]+")


def search_words(*texts: str | None) -> list[str]:
    """Every bigram of every run of letters, digits or Han characters, lower case, unique, at most MOST.

    A run of one character is itself a word.
    """
    words: dict[str, None] = {}
    for text in texts:
        for run in _RUN.findall((text or "").lower()):
            for i in range(max(1, len(run) - 1)):
                words[run[i : i + 2]] = None
    return list(words)[:MOST]
