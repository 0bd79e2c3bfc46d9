"""The ways to a place: bytes out, bytes back."""
