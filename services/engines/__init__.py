"""Where services run: one contract, containers or processes behind it, and the choice between them."""
