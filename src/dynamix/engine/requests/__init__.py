"""From the bytes of a request to its checked members and compiled expressions."""
