"""PartiQL: statements as text, to what they ask for."""
