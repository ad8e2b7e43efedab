"""What a command may fail with: one exception whose text a person can act on."""


class CommandError(Exception):
    """The command cannot go on. The text names what is wrong and how to mend it; exit code 1."""
