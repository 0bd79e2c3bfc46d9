"""What a model says of its table."""
