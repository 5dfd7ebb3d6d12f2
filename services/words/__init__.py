"""What the dashboard says, in the reader's language: sentences, catalogues, and the two brought together."""

from services.words.said import Said, said, said_n

__all__ = ["Said", "said", "said_n"]
