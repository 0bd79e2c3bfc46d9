"""The version, from which the distribution takes its own.

It stands in a file because asking the installed distribution for it would make every start slower.
"""

__version__ = "0.1.0"
