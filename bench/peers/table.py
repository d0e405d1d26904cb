#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rows of run.sh as a table: a line per measure, a column per messenger, medians over the rounds.

    table.py FILE        lines of: messenger, TAB, row, TAB, a result in JSON
"""
import json
import statistics
import sys

# What a message is, what its receipt is, and the promise in a word, which stands beside each figure that it has a part in.
PROMISES = {
    "linnetd": ("on disk before its writer is told", "the node's, durable", "durable"),
    "ejabberd": ("in memory while its reader is online", "a message of the reader's", "not durable"),
    "mosquitto": ("in memory; saved each 30 minutes and at its end", "a message of the reader's", "not durable"),
}
# Row, name, what is told of it, from a result.
MEASURES = (
    ("full", "messages a second, with receipts", "{:,.0f}, {}", lambda result: [rate(result)]),
    ("full", "CPU of server; client, in cores", "{:.2f}; {:.2f}, {}", lambda result: cores(result)),
    ("single", "one at a time: p50 to delivery", "{:,.0f} us, {}", lambda result: [delay(result, "p50_us")]),
    ("single", "one at a time: p99 to delivery", "{:,.0f} us, {}", lambda result: [delay(result, "p99_us")]),
    ("silent", "bytes of a silent connection", "{:,.0f}", lambda result: [result["bytes_per_connection"]]),
)
NO_GROWTH = "none seen: more was given back"


def rate(result):
    return result["per_second"] if "per_second" in result else result["messages_per_s"]


def cores(result):
    if "server_cores" in result:
        return result["server_cores"], result["client_cores"]
    span_ms = result["seconds"] * 1000
    return result["node_cpu_ms"] / span_ms, result["generator_cpu_ms"] / span_ms


def delay(result, percentile):
    return result["latencies"]["to_delivery"][percentile] if "latencies" in result else result[percentile]


def medians(results, figures):
    return [statistics.median(column) for column in zip(*map(figures, results))]


def cell(row, text, figures, promise):
    """What a silent connection takes is the growth of a whole process: too few of them are lost in it."""
    return NO_GROWTH if row == "silent" and figures[0] <= 0 else text.format(*figures, promise)


def main():
    results = {}
    with open(sys.argv[1], encoding="utf-8") as rows:
        for line in rows:
            messenger, row, result = line.split("\t", 2)
            results.setdefault(messenger, {}).setdefault(row, []).append(json.loads(result))
    lines = [["", *results]]
    lines.append(["a message is", *(PROMISES[messenger][0] for messenger in results)])
    lines.append(["its receipt is", *(PROMISES[messenger][1] for messenger in results)])
    for row, name, text, figures in MEASURES:
        lines.append([name, *(cell(row, text, medians(rows[row], figures), PROMISES[messenger][2])
                              for messenger, rows in results.items())])
    widths = [max(len(word) for word in column) for column in zip(*lines)]
    for line in lines:
        print("  ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip())


if __name__ == "__main__":
    main()
