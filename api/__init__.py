"""The HTTP doors of Paidan and its command line. No business rule lives here."""
