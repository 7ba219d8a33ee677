"""Serves an emulator of Snowflake on a free port. The faults of fakesnow that the project meets are bridged here; dbt/DECISIONS.md
lists them, and those that remain."""

import re
import sys

import snowflake.connector.errors
from fakesnow import transforms, variables
from fakesnow.cli import main
from fakesnow.cursor import FakeSnowflakeCursor
from sqlglot import exp

TEMPORARY_TABLE = re.compile(r"\bcreate\s+or\s+replace\s+temporary\s+table\b", re.IGNORECASE)


def without_variables(self, sql):
    """It takes a word after a dollar for a variable, in quotes too, and refuses a temporary table with the name of a database."""
    return TEMPORARY_TABLE.sub("create or replace table", sql)


def keeping_backslashes(kind, transform):
    """It unescapes a pattern that is unescaped already."""

    def kept(node):
        if isinstance(node, kind) and isinstance(node.expression, exp.Literal):
            node.expression.args["this"] = node.expression.this.replace("\\", "\\\\")
        return transform(node)

    return kept


def keeping_characters(transform):
    """It forgets which characters to trim, and on which side."""
    return lambda node: node if isinstance(node, exp.Trim) and node.expression else transform(node)


def answering(execute):
    """It answers with status 500 what it cannot do, and clients try that again for minutes."""

    def answered(self, *args, **kwargs):
        try:
            return execute(self, *args, **kwargs)
        except snowflake.connector.errors.Error:
            raise
        except Exception as error:
            raise snowflake.connector.errors.ProgrammingError(msg=f"{type(error).__name__}: {error}", errno=1003) from error

    return answered


variables.Variables.inline_variables = without_variables
transforms.regex_replace = keeping_backslashes(exp.RegexpReplace, transforms.regex_replace)
transforms.regex_substr = keeping_backslashes(exp.RegexpExtract, transforms.regex_substr)
transforms.trim_cast_varchar = keeping_characters(transforms.trim_cast_varchar)
FakeSnowflakeCursor.execute = answering(FakeSnowflakeCursor.execute)
sys.exit(main(["--server"]))
