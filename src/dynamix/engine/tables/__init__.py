"""What tables are: their records, definitions, descriptions and billing."""
