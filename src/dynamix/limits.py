"""The service's limits, each with the unit in its name or comment.

Source: Amazon DynamoDB Developer Guide, "Service, account, and table quotas" and "Constraints in Amazon DynamoDB".
"""

import re

TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")  # of tables and of indexes

ITEM_BYTES = 400 * 1024  # attribute names included
PARTITION_KEY_BYTES = 2048
SORT_KEY_BYTES = 1024
NESTING_LEVELS = 32

NUMBER_DIGITS = 38
NUMBER_MIN_EXPONENT = -130  # smallest magnitude: 1E-130
NUMBER_MAX_EXPONENT = 125  # largest magnitude: 9.99...E+125

BATCH_GET_KEYS = 100
BATCH_WRITE_ITEMS = 25
BATCH_STATEMENTS = 25
BATCH_BYTES = 16 * 1024 * 1024
TRANSACT_ACTIONS = 100
TRANSACT_BYTES = 4 * 1024 * 1024
TOKEN_SECONDS = 600  # for so long the service knows the token of a transaction
PAGE_BYTES = 1024 * 1024
SEGMENTS = 1_000_000  # of a scan

EXPRESSION_BYTES = 4 * 1024
EXPRESSION_OPERATORS = 300
IN_OPERANDS = 100
PLACEHOLDER_BYTES = 255
SUBSTITUTION_BYTES = 2 * 1024 * 1024

GLOBAL_INDEXES = 20
LOCAL_INDEXES = 5
KEY_ATTRIBUTES = 4  # of each half of the key of a global index
NON_KEY_ATTRIBUTES_PER_INDEX = 20
NON_KEY_ATTRIBUTES_PER_TABLE = 100

VECTOR_INDEXES = 5  # of a table
VECTOR_DIMENSIONS = 4096
VECTOR_FILTERS = 18  # of an index, beside the HASH attribute
VECTOR_RESULTS = 100
