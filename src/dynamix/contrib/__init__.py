"""What joins dynamix to other libraries. Each module needs an extra of the same name."""
