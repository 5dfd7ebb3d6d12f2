"""What the dashboard says, in the reader's language: sentences, catalogues, and the two brought together."""

from services.words.said import Said, say, say_n, sentence, together

__all__ = ["Said", "say", "say_n", "sentence", "together"]
