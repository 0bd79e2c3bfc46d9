"""DynamoDB's expressions: frozen nodes, and the way from nodes to text."""
