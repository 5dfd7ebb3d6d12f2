"""Exercises as content files, checks as small functions, and how far somebody got."""
