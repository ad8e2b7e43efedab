"""`python -m dispatch.planning plan …`: what `./paidan plan` runs."""

from __future__ import annotations

import sys

from dispatch.planning.command import main

if __name__ == "__main__":
    words = sys.argv[1:]
    sys.exit(main(words[1:] if words[:1] == ["plan"] else words))
