"""Runs dbt with these arguments. At its end, what it has used goes to the file that BENCH_USAGE names."""

import json
import os
import re
import sys

from dbt.cli.main import dbtRunner

result = dbtRunner().invoke(sys.argv[1:])
if result.exception is not None:
    print(result.exception)
with open("/proc/self/status") as status:
    peak = int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) * 1024
times = os.times()
with open(os.environ["BENCH_USAGE"], "w") as usage:
    json.dump({"peak": peak, "cpu": times.user + times.system}, usage)
sys.exit(0 if result.success else 1)
