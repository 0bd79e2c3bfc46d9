"""What dynamix does, as flows: each operation written once, without I/O."""
