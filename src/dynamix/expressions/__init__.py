"""DynamoDB's expressions: frozen nodes, the way from nodes to text, and back."""
