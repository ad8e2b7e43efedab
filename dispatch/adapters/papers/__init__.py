"""Papers as PDF: a layout, plain texts and pictures in, bytes out; typeset in a process of its own."""

from dispatch.adapters.papers.press import PaperBroken, PaperBusy, PaperPress

__all__ = ["PaperBroken", "PaperBusy", "PaperPress"]
