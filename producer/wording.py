"""What pydantic finds wrong with a value, in words for those who wrote it; pure."""

from collections.abc import Mapping

from pydantic_core import ErrorDetails

KINDS: Mapping[str, str] = {
    "int_parsing": "it is no whole number",
    "int_parsing_size": "it is no whole number that can be used",
    "float_parsing": "it is no number",
    "finite_number": "it is no finite number",
    "bool_parsing": "it is neither true nor false",
    "greater_than": "it must be above {gt:,}",
    "greater_than_equal": "it must be {ge:,} or more",
    "less_than_equal": "it must be {le:,} or less",
    "literal_error": "it must be {expected}",
    "string_too_long": "it must have {max_length} letters or fewer",
}
"""By pydantic's name of the problem, with what it says of the bound."""


def in_words(error: ErrorDetails, patterns: Mapping[str, str]) -> str:
    """Say what is wrong with a value, without the value; `patterns` says what each regular expression asks for."""
    context = {name: _whole(value) for name, value in error.get("ctx", {}).items()}
    if error["type"] == "string_pattern_mismatch":
        return patterns[error["ctx"]["pattern"]]
    if error["type"] in KINDS:
        return KINDS[error["type"]].format(**context)
    return error["msg"].removeprefix("Value error, ")


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value
