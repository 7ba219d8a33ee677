"""Runs dbt for each line of its input, a JSON list of the warehouse file and dbt's arguments. Answers each with a line: how
the run ended, and what it printed. A fork for each run spares loading dbt's modules again."""

import json
import os
import sys
import tempfile

from dbt.cli.main import dbtRunner

for line in sys.stdin:
    warehouse, *arguments = json.loads(line)
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os.environ["AMPLITUDE_LAKE_WAREHOUSE_FILE"] = warehouse
            result = dbtRunner().invoke(arguments)
            if result.exception is not None:
                print(result.exception)
            sys.stdout.flush()
            os._exit(0 if result.success else 1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        print(json.dumps([status, output.read().decode()]), flush=True)
