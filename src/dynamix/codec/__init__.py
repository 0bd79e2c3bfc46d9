"""Between Python values and DynamoDB's JSON form."""
