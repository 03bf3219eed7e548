# Counts what the page of the flow shows, over the same Parquet: page.py DATASET. The day is that of flowDay in cmd/etl.
import json
import sys

import duckdb

db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
db.execute(f"CREATE VIEW log AS SELECT * FROM read_parquet('{sys.argv[1]}/**/*.parquet', hive_partitioning = true, union_by_name = true)")
db.execute(
    """CREATE VIEW day AS SELECT *, epoch_ms("@timestamp") AS ms FROM log
    WHERE "@timestamp" >= TIMESTAMPTZ '2026-01-02 00:00:00+08' AND "@timestamp" < TIMESTAMPTZ '2026-01-03 00:00:00+08'"""
)
requests, failed, size = db.execute("SELECT count(*), count(*) FILTER (status >= 400), CAST(sum(size) AS BIGINT) FROM day").fetchone()
hours = db.execute(
    "SELECT CAST((ms - epoch_ms(TIMESTAMPTZ '2026-01-02 00:00:00+08')) // 3600000 AS INT) AS hour, status, count(*) FROM day GROUP BY ALL ORDER BY ALL"
).fetchall()
paths = db.execute(
    """SELECT path, count(*) AS n, CAST(sum(size) AS BIGINT), max(size) FROM day GROUP BY path ORDER BY n DESC, path LIMIT 20"""
).fetchall()
print(
    json.dumps(
        {
            "Rows": db.execute("SELECT count(*) FROM log").fetchone()[0],
            "Total": {"Requests": requests, "Failed": failed, "Bytes": size},
            "Hours": [[f"2026-01-02T{hour:02}:00:00+08:00", str(status), n] for hour, status, n in hours],
            "Paths": [list(p) for p in paths],
        }
    )
)
