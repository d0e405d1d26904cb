#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Says in which stages a node spends its CPU: the share of each, and microseconds for each of what it did meanwhile.

    bench/stages.py --pid $(pgrep -x linnetd) --seconds 5 [--url http://127.0.0.1:4222 --of messages]

A sample (`perf record`, as bench/flame.py takes them) belongs to the first stage below of which a function is on its
stack. With --url the node's counter of what is divided by is read before and after: `messages` that it accepted,
`deliveries` to devices, or `logins` with a token.
"""
import argparse
import os
import re
import sys
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import flame

# In order: what the kernel does for one of ours is the kernel's.
STAGES = [
    ("disk: write and flush", r"io_write|io_fsync|ext4_\w+|iomap_dio\w*|blk_\w+|virtblk\w*|vfs_fsync\w*"),
    ("kernel: sends, with TCP to the receiving socket", r"tcp_sendmsg\w*|io_send\w*"),
    ("kernel: accepting, settling and closing", r"io_accept|do_accept|io_close|tcp_close|__close|io_files_update\w*|io_shutdown"),
    ("kernel: receives and polls", r"io_recv\w*|tcp_recvmsg\w*|io_poll\w*|tcp_poll|sock_poll"),
    ("kernel: interrupts", r"asm_common_interrupt|asm_sysvec\w+|common_interrupt"),
    ("kernel: memory", r"asm_exc_page_fault|exc_page_fault|do_mmap|do_munmap|__x64_sys_madvise"),
    ("kernel: rings, sleeping and waking", r"entry_SYSCALL_64\w*|do_syscall_64|ret_from_fork\w*"),
    ("store: LMDB", r"mdb_\w+|read_batch|fold_\w+"),
    ("store: commands are applied, effects told", r"apply_\w+|effects_\w+|ledger_\w+"),
    ("store: requests become commands", r"partition_\w+|run_\w+|journal_append|command_\w+"),
    ("store: the log's batches", r"journal_\w+|log_\w+"),
    ("connections: frames, protobuf", r"connection_\w+|websocket_\w+|protocol_\w+|protobuf_c_\w+|upgrade\w*|http_\w+"),
    ("runtime: turns, messages, and what belongs to no other stage", r""),
]
COUNTERS = {
    "messages": r"^linnet_messages_accepted_total\S* (\d+)",
    "deliveries": r"^linnet_deliveries_total\S* (\d+)",
    "logins": r"^linnet_logins_token_total\S* (\d+)",
}


def stage_of(functions, stages=STAGES):
    """The index of the first stage that has one of these functions."""
    for index, (_, pattern) in enumerate(stages):
        if any(re.fullmatch(pattern, function) for function in functions) or pattern == "":
            return index
    raise AssertionError("the last stage takes all")


def count(text):
    """Samples of each stage, of what `perf script` says."""
    found = [0] * len(STAGES)
    for sample in text.split("\n\n"):
        functions = {re.sub(r"\..*", "", name) for name in re.findall(r"^\s+[0-9a-f]+ (.*) \(.*\)$", sample, re.MULTILINE)}
        if functions:
            found[stage_of(functions)] += 1
    return found


def counter(url, what):
    with urllib.request.urlopen(url + "/metrics", timeout=10) as answer:
        return int(re.search(COUNTERS[what], answer.read().decode(), re.MULTILINE).group(1))


def cpu_us(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stream:
        fields = stream.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000000 // os.sysconf("SC_CLK_TCK")


def table(found, each_us=None):
    """Rows of Markdown, the largest share first; with microseconds where it is known what one costs in all."""
    whole = sum(found)
    rows = sorted(zip(found, (name for name, _ in STAGES)), reverse=True)
    for samples, name in rows:
        share = samples / whole
        yield f"| {name} | {100 * share:.1f} % |" + (f" {each_us * share:.2f} |" if each_us is not None else "")


def main(arguments):
    parser = argparse.ArgumentParser(description="says in which stages a node spends its CPU")
    parser.add_argument("--pid", type=int, required=True, help="of the node")
    parser.add_argument("--seconds", type=float, default=5, help="how long to look")
    parser.add_argument("--url", help="http://ADDR:PORT of the node: its counters")
    parser.add_argument("--of", choices=sorted(COUNTERS), default="messages", help="what is divided by")
    options = parser.parse_args(arguments)
    before, used = (counter(options.url, options.of) if options.url else 0), cpu_us(options.pid)
    found = count(flame.record(options.pid, options.seconds))
    used = cpu_us(options.pid) - used
    done = counter(options.url, options.of) - before if options.url else 0
    if sum(found) == 0:
        print("stages: the process used no CPU", file=sys.stderr)
        return 1
    if done > 0:
        print(f"{sum(found)} samples; {used / done:.2f} us of CPU for each of {done} {options.of}\n")
    print("| stage | share |" + (" us |" if done > 0 else ""))
    print("|---|---|" + ("---|" if done > 0 else ""))
    print("\n".join(table(found, used / done if done > 0 else None)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
