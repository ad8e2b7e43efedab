"""What a page tells its reader, and what of it is in the wrong language."""

import re
from collections.abc import Iterable

#: Everything a reader or a screen reader is told.
TEXTS = """() => {
  const told = [document.title, document.body.innerText]
  for (const one of document.querySelectorAll('[aria-label], [placeholder], [title], [alt]'))
    for (const name of ['aria-label', 'placeholder', 'title', 'alt']) told.push(one.getAttribute(name) ?? '')
  return told.join('\\n')
}"""
KEY = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b|\{\w+\}|\bundefined\b|\[object ")
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
ENGLISH = re.compile(r"\b[A-Za-z]{3,}\b")
#: Links, ticket numbers, beginnings of keys, short names of the tests' companies, the code's version: random letters.
RANDOM_LETTERS = re.compile(
    r"https?://\S+|\bpdk_[0-9a-f]+|\S*/c/\S+|\b[2-9A-HJKMNP-Z]{7}\b|\bt[0-9a-f]{12}\b|\b(?=[a-f]*\d)[0-9a-f]{7,40}\b"
)
#: The product's name, languages named in themselves, zones, keys of the keyboard.
EVERYWHERE = ("派单 Paidan", "中文", "English", "Asia/Shanghai", "UTC", "Esc", "Paidan", "Example")


def untranslated(language: str, told: str, data: Iterable[str]) -> list[str]:
    """Keys, unfilled places and words of the other language in what a page says; `data` is what people typed."""
    told = RANDOM_LETTERS.sub(" ", told)
    for known in (*EVERYWHERE, *data):
        told = told.replace(known, " ")
    other = CHINESE if language == "en" else ENGLISH
    return KEY.findall(told) + other.findall(told)
