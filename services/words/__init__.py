"""What the dashboard says, in the reader's language: sentences, catalogues, and the two brought together."""

from services.words.said import Said, joined, say, say_n, sentence, together

__all__ = ["Said", "joined", "say", "say_n", "sentence", "together"]
