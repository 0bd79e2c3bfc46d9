"""The operations of the service: a checked request in, the members of its answer out."""
