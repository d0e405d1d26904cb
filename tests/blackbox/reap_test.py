#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Actors of a running node are killed at random, as `linnet kill any` does it: no promise is broken, and nobody's
connection is closed but those whose own actor, or the supervisor of connections above it, was killed.

LINNET_REAP_SECONDS sets how long, LINNET_SEED which are chosen where we choose (it is printed)."""
import asyncio
import json
import os
import random
import subprocess
import unittest

from client import JSON, PROTO, Person
from linnetd import LINNET_BENCH, PATIENCE_S, Node, main

SECONDS = int(os.environ.get("LINNET_REAP_SECONDS", "60"))
SEED = int(os.environ.get("LINNET_SEED", "0")) or random.randrange(1, 1 << 32)
# Fewer than ten restarts in ten seconds, which a supervisor would take for a fault.
PAUSE_S = 1.2
PEOPLE = 6


def has_connections(actor):
    return actor["behaviour"] == "connection" or actor["name"].startswith("connections.")


class Reap(unittest.IsolatedAsyncioTestCase):
    async def test_who_is_at_rest_stays_connected_whoever_else_is_killed(self):
        """Each kind once that is there: first those that many depend on."""
        with Node() as node:
            names = [f"user{i}" for i in range(PEOPLE)]
            people = node.import_users(*names)
            here = [await Person.welcomed(node, JSON if i % 2 else PROTO, people[name][1])
                    for i, name in enumerate(names)]
            actors = json.loads(node.linnet("ps", "--all", "--json").stdout)
            kinds = sorted({actor["behaviour"] for actor in actors if actor["parent"]} - {"connection", "supervisor",
                                                                                        "shell-client"})
            victims = kinds + [actor["pid"] for actor in actors
                               if actor["behaviour"] == "supervisor" and actor["parent"] and not has_connections(actor)]
            self.assertGreater(len(victims), 10)
            for victim in victims:
                node.linnet("kill", victim)
                await asyncio.sleep(0.3)
            # The store may still be starting; then all of them are asked for a sign of life, on the same connection.
            for i, person in enumerate(here):
                await person.send({"ref": str(i + 1), "ping": {}})
                self.assertEqual((await person.event("pong"))["ref"], str(i + 1), victims)
            for i, person in enumerate(here):
                peer = here[(i + 1) % PEOPLE]
                await self.write(person, names[(i + 1) % PEOPLE])
                self.assertEqual((await peer.event("newMessage"))["text"], "still here")
            for person in here:
                await person.close()
            counters = json.loads(node.linnet("status", "--json").stdout)["counters"]
            self.assertEqual((counters["connections_accepted"], counters["invariant_violations"]), (PEOPLE, 0))

    async def write(self, person, name):
        """Until the node takes it: what had the last kill's actor to do with it comes again."""
        while True:
            answer = await person.ask({"number": person.welcome.get("nextCommand", "1"),
                                       "sendMessage": {"chat": {"userName": name}, "text": "still here"}})
            if "sent" in answer:
                return
            self.assertIn("retryAfterMs", answer["error"])
            await asyncio.sleep(0.2)

    @unittest.skipIf(LINNET_BENCH is None, "linnet-bench was not built")
    def test_a_day_goes_on_while_everybody_is_killed_at_random(self):
        with Node() as node:
            done = subprocess.run(
                ["setpriv", "--pdeathsig", "KILL", LINNET_BENCH, "mixed", "--url", node.url, "--data", node.data,
                 "--users", "200", "--warmup", "1", "--seconds", str(SECONDS), "--compress", "700", "--seed",
                 str(SEED), "--kill", str(1 / PAUSE_S), "--json"], capture_output=True, text=True,
                timeout=2 * SECONDS + PATIENCE_S, check=False)
            self.assertTrue(done.stdout, done.stderr)
            found = json.loads(done.stdout)
            restarted = json.loads(node.linnet("status", "--json").stdout)["uptime_ms"] < SECONDS * 1000
        told = {name: found[name] for name in ("written", "through", "group_deliveries", "changes", "actors_killed",
                                               "connections_cut", "broken")}
        print(f"seed {SEED}: {told}")
        self.assertEqual(found["broken"], {}, done.stderr[-2000:])
        self.assertIn(found["exit_code"], (0, 2), done.stderr[-2000:])  # late on a busy machine
        self.assertEqual(found["written"], found["through"])
        self.assertEqual(found["group_deliveries"], 9 * found["group_written"])
        self.assertGreater(found["actors_killed"], SECONDS / PAUSE_S / 2)
        self.assertFalse(restarted, "the node itself ended")


if __name__ == "__main__":
    main()
