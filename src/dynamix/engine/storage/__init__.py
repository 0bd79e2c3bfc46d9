"""The database under the engine."""
