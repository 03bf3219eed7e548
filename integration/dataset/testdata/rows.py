"""Reads a dataset with two engines that know nothing of how it came about, and prints what each finds, as JSON.

    rows.py FOLDER
"""

import hashlib
import json
import sys

import duckdb
import pyarrow.dataset

COLUMNS = ["_partition", "_offset", "action", "amount"]


def digest(rows):
    lines = sorted("%d,%d,%s,%d" % row for row in rows)
    return {"rows": len(lines), "digest": hashlib.sha256("\n".join(lines).encode()).hexdigest()}


def with_pyarrow(folder):
    table = pyarrow.dataset.dataset(folder, format="parquet", partitioning="hive").to_table(columns=COLUMNS)
    return digest(zip(*(table.column(name).to_pylist() for name in COLUMNS)))


def with_duckdb(folder):
    source = "read_parquet('%s/**/*.parquet', hive_partitioning = true)" % folder
    out = digest(duckdb.sql("select %s from %s" % (", ".join(COLUMNS), source)).fetchall())
    grouped = "select action, cast(hour as int), count(*), sum(amount) from %s group by 1, 2 order by 1, 2" % source
    out["groups"] = [[a, h, n, int(s)] for a, h, n, s in duckdb.sql(grouped).fetchall()]
    return out


if __name__ == "__main__":
    print(json.dumps({"pyarrow": with_pyarrow(sys.argv[1]), "duckdb": with_duckdb(sys.argv[1])}))
