"""The typesetter's process: `python -m dispatch.adapters.papers.child FOLDER LAYOUT FONTS`, started by PaperPress.

Reads texts.json and pictures from the folder, writes paper.pdf into it. Only this module imports typst.
"""

import resource
import shutil
import sys
from pathlib import Path

import typst

_LAYOUTS = Path(__file__).parent / "layouts"
_MEMORY_BYTES = 2 * 1024**3
_CPU_S = 20


def main() -> None:
    """One paper, then the end."""
    root, layout, fonts = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    shutil.copy(_LAYOUTS / f"{layout}.typ", root / "main.typ")
    typst.compile(
        str(root / "main.typ"),
        output=str(root / "paper.pdf"),
        root=str(root),
        font_paths=[fonts],
        ignore_system_fonts=True,
        pdf_standards=["1.7"],
    )


if __name__ == "__main__":
    main()
