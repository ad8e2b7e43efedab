"""The Python side of the one command, `./paidan`."""
