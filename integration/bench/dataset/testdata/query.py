"""Answers a question over *.parquet in a folder with DuckDB on one thread, and prints what it took, as JSON.

    query.py FOLDER SQL
"""

import json
import resource
import sys
import time

import duckdb


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


db = duckdb.connect()
db.execute("SET threads = 1")
db.execute("SET enable_progress_bar = false")
db.execute("CREATE VIEW rows AS SELECT * FROM read_parquet('%s/**/*.parquet')" % sys.argv[1])
wall, used = time.perf_counter(), cpu()
rows = db.execute(sys.argv[2]).fetchall()
out = {"seconds": time.perf_counter() - wall, "cpuSeconds": cpu() - used}
with open("/proc/self/status") as status:
    out["rssBytes"] = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
out["answer"] = [[v if isinstance(v, (int, float)) else str(v) for v in row] for row in rows]
print(json.dumps(out))
