"""Images carried on a stick to a room without internet: saved here, loaded there."""
