#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The shell while people are connected: what `linnet` shows is what they just did. Its command line, its exit codes and
the users' keeping are tested beside the programs, in tests/tools."""
import asyncio
import json
import statistics
import subprocess
import time
import unittest

from client import JSON, PROTO, Person
from linnetd import LINNET, PATIENCE_S, Node, main


class Shell(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.node = Node()
        self.addCleanup(self.node.__exit__)
        self.node.start()
        self.people = self.node.import_users("alice", "bob", "carol")

    async def come(self, name, form=JSON):
        return await Person.welcomed(self.node, form, self.people[name][1])

    def look(self, *words):
        return json.loads(self.node.linnet(*words, "--json").stdout)

    async def until(self, look, what):
        """What nobody tells: a close that the node has yet to notice."""
        end = time.monotonic() + PATIENCE_S
        while not look():
            self.assertLess(time.monotonic(), end, what)
            await asyncio.sleep(0.01)

    async def test_status_counts_who_is_online_and_what_was_said(self):
        alice, bob = await self.come("alice"), await self.come("bob", PROTO)
        await alice.ask({"sendMessage": {"chat": {"userName": "bob"}, "text": "x"}})
        message = await bob.event("newMessage")
        await bob.ask({"ref": "1", "ack": {"inboxNumber": message["inboxNumber"]}})
        status = self.look("status")
        self.assertEqual(status["process"], self.node.process.pid)
        self.assertEqual(status["listen"], f"{self.node.host}:{self.node.port}")
        counters = {"connections": 2, "devices": 2, "users_online": 2, "logins_token": 2, "messages_accepted": 1,
                    "deliveries": 1, "acks": 1}
        self.assertEqual({name: status["counters"][name] for name in counters}, counters)
        await alice.close()
        await bob.close()
        await self.until(lambda: self.look("status")["counters"]["devices"] == 0, "they have gone")

    async def test_status_counts_what_is_waited_for_on_other_threads(self):
        def normal():
            return next(row for row in self.look("status")["work"] if row["kind"] == "normal")

        before = normal()
        self.node.linnet("user", "passwd", "bob", "--password-stdin", stdin="another\n")
        after = normal()
        self.assertGreater(after["done"], before["done"])
        self.assertGreater(after["run_us_max"], 0)
        self.assertRegex(self.node.linnet("status").stdout, r"(?m)^normal( +\d+){2} +[1-9]\d*( +\d+){5}$")

    async def test_a_user_is_inspected_with_what_waits_for_each_device(self):
        alice = await self.come("alice")
        for _ in range(3):
            await alice.ask({"sendMessage": {"chat": {"userName": "bob"}, "text": "x"}})
        bob = self.look("inspect", "bob")
        self.assertEqual((bob["user"], bob["inbox"]["entries"]), (self.people["bob"][0], 3))
        self.assertEqual([(device["connection"], device["waiting"]) for device in bob["devices"]], [("", 3)])
        person = await self.come("bob")
        last = [await person.event("newMessage") for _ in range(3)][-1]["inboxNumber"]
        await person.ask({"ref": "1", "ack": {"inboxNumber": last}})
        bob = self.look("inspect", "bob")
        self.assertNotEqual(bob["devices"][0]["connection"], "")
        self.assertEqual([(device["waiting"], device["acked"]) for device in bob["devices"]], [(0, int(last))])
        await alice.close()
        await person.close()

    async def test_connections_are_actors_that_can_be_followed(self):
        alice = await self.come("alice")
        connection = self.look("inspect", "alice")["devices"][0]["connection"]
        actors = {row["pid"]: row for row in self.look("ps", "--all")}
        self.assertEqual(actors[connection]["behaviour"], "connection")
        self.assertIn(f"user={self.people['alice'][0]} ", self.look("inspect", connection)["text"])
        self.assertIn(f"connection {connection}\n", self.node.linnet("tree").stdout)
        await alice.close()

        def gone():
            return subprocess.run([LINNET, "--data", self.node.data, "inspect", connection], check=False,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 4
        await self.until(gone, "the connection's actor has ended")

    async def test_a_trace_of_a_user_shows_tags_and_sizes_and_no_word(self):
        alice, bob = await self.come("alice"), await self.come("bob")
        trace = await asyncio.create_subprocess_exec(LINNET, "--data", self.node.data, "trace", "bob", "--json", "--count", "8",
                                                     "--seconds", "600", stdout=asyncio.subprocess.PIPE)
        while trace.returncode is None:
            await alice.ask({"sendMessage": {"chat": {"userName": "bob"}, "text": "secret word"}})
            message = await bob.event("newMessage")
            await bob.send({"ack": {"inboxNumber": message["inboxNumber"]}})
            await asyncio.sleep(0)
        text = (await trace.stdout.read()).decode()
        *events, last = json.loads(text)
        self.assertEqual((trace.returncode, last["reason"], len(events)), (0, "count", 8))
        self.assertEqual({event["event"] for event in events}, {"sent", "taken"})
        followed = {event["actor"] for event in events}
        self.assertEqual(followed, {self.look("inspect", "bob")["devices"][0]["connection"]})
        self.assertTrue(any(event["bytes"] > len("secret word") for event in events))
        self.assertNotIn("secret", text)
        self.assertEqual(sorted(event["at_us"] for event in events), [event["at_us"] for event in events])
        await alice.close()
        await bob.close()

    async def test_a_message_is_traced_from_its_sender_to_who_has_read_it(self):
        alice, bob = await self.come("alice"), await self.come("bob", PROTO)
        sent = (await alice.ask({"number": "9", "sendMessage": {"chat": {"userName": "bob"}, "text": "secret word"}}))["sent"]
        message = await bob.event("newMessage")
        await bob.ask({"ref": "1", "ack": {"inboxNumber": message["inboxNumber"]}})
        await bob.ask({"ref": "2", "markRead": {"chat": {"userName": "alice"}, "chatNumber": sent["chatNumber"]}})
        message_id = "/".join(str(sent["id"][part]) for part in ("userId", "device", "number"))
        trace = self.look("msg", "trace", message_id)
        steps = [step["step"] for step in trace["steps"]]
        self.assertEqual(sorted(steps), sorted(["accepted", "durable", "queued", "answered", "written", "acknowledged", "read"]))
        self.assertEqual((steps[0], steps[-1]), ("accepted", "read"))
        bobs, written = self.people["bob"][0], trace["steps"][steps.index("written")]
        self.assertEqual((written["user_id"], written["inbox_number"]), (bobs, int(message["inboxNumber"])))
        times = [step["time_us"] for step in trace["steps"]]
        self.assertEqual(times, sorted(times))
        self.assertLess(abs(times[0] / 1e6 - time.time()), PATIENCE_S)
        self.assertEqual(trace, {**self.look("msg", "trace", "alice/1/9"), "now_ms": trace["now_ms"]})
        self.assertNotIn("secret", json.dumps(trace))
        shown = self.node.linnet("msg", "trace", message_id).stdout.splitlines()
        self.assertEqual((len(shown), shown[0].split()[:3]), (9, ["TIME", "SINCE", "STEP"]))
        await alice.close()
        await bob.close()

    async def test_the_hottest_user_and_group_are_named(self):
        alice, bob = await self.come("alice"), await self.come("bob", PROTO)
        made = await alice.ask({"number": "1", "createChat": {"name": "walkers", "participants": [{"userName": "bob"}]}})
        group = made["chat"]["chat"]["groupId"]
        for number in range(2, 52):
            await alice.ask({"number": str(number), "sendMessage": {"chat": {"groupId": group}, "text": "x"}})
        await bob.ask({"number": "1", "sendMessage": {"chat": {"userName": "alice"}, "text": "x"}})
        hot = self.look("hot")
        self.assertEqual([(row["id"], row["commands"], row["error"]) for row in hot["users"]],
                         [(self.people["alice"][0], 51, 0), (self.people["bob"][0], 1, 0)])
        self.assertEqual([(row["id"], row["commands"]) for row in hot["groups"]], [(int(group), 50)])
        self.assertEqual(hot["total"], 52)
        shown = self.node.linnet("hot").stdout.splitlines()
        self.assertEqual((shown[0].split(), shown[1].split()[2]), (["USER", "COMMANDS", "SHARE", "ERROR"], "98%"))
        await alice.close()
        await bob.close()

    async def test_groups_are_listed_and_shown(self):
        alice, bob = await self.come("alice"), await self.come("bob", PROTO)
        made = await alice.ask({"number": "70", "createChat": {"name": "readers", "participants": [{"userName": "bob"}]}})
        group = made["chat"]["chat"]["groupId"]
        await alice.ask({"number": "71", "sendMessage": {"chat": {"groupId": group}, "text": "no word of this"}})
        row = next(row for row in self.look("group", "list") if row["group"] == int(group))
        self.assertEqual((row["name"], row["members"], row["messages"], row["updates"]), ("readers", 2, 1, 1))
        shown = self.look("group", "show", group)
        owner, member = self.people["alice"][0], self.people["bob"][0]
        self.assertEqual((shown["name"], shown["creator"], shown["members_count"]), ("readers", owner, 2))
        self.assertEqual([(row["user"], row["role"]) for row in shown["leaders"]], [(owner, "owner")])
        members = self.look("group", "members", group)
        self.assertEqual({row["user"]: row["role"] for row in members}, {owner: "owner", member: "member"})
        for words, part in ((("list",), "readers"), (("show", group), "2 members"), (("members", group), "owner")):
            text = self.node.linnet("group", *words).stdout
            self.assertIn(part, text)
            self.assertNotIn("no word", text)
        await alice.close()
        await bob.close()

    async def test_the_calls_under_way_are_listed(self):
        alice, bob = await self.come("alice"), await self.come("bob", PROTO)
        self.assertEqual(self.look("calls"), [])
        sent = (await alice.ask({"number": "80", "callOffer": {"chat": {"userName": "bob"}, "content": "YQ=="}}))["sent"]
        rings = await bob.event("call")
        self.assertEqual((rings["id"], rings["state"], rings["content"]), (sent["id"], "RINGING", "YQ=="))
        row = {"caller": self.people["alice"][0], "device": 1, "number": 80, "callee": self.people["bob"][0],
               "callee_device": 0, "video": False, "state": "ringing",
               "started_at_ms": int(sent["serverTimeMs"]), "answered_at_ms": 0}
        self.assertEqual(self.look("calls"), [row])
        await bob.ask({"ref": "1", "callAnswer": {"call": sent["id"], "content": "Yg=="}})
        answered = await alice.event("call")
        self.assertEqual((answered["state"], answered["content"]), ("ANSWERED", "Yg=="))
        await bob.ask({"ref": "2", "callCandidate": {"call": sent["id"], "content": "Yw=="}})
        self.assertEqual((await alice.event("callSignal"))["content"], "Yw==")
        self.assertEqual(self.look("calls"), [{**row, "state": "answered", "callee_device": 1,
                                               "answered_at_ms": int(answered["answeredAtMs"])}])
        shown = self.node.linnet("calls").stdout.splitlines()
        self.assertEqual(shown[1].split()[:3], [f"{row['caller']}/1/80", str(row["callee"]), "answered"])
        await bob.ask({"ref": "3", "callHangUp": {"call": sent["id"]}})
        self.assertEqual((await alice.event("call"))["outcome"], "TALKED")
        self.assertEqual(self.look("calls"), [])
        await alice.close()
        await bob.close()

    async def test_a_message_to_a_group_is_traced_to_each_member(self):
        alice, bob, carol = await self.come("alice"), await self.come("bob", PROTO), await self.come("carol")
        made = await alice.ask({"number": "8", "createChat": {
            "name": "walkers", "participants": [{"userName": "bob"}, {"userName": "carol"}]}})
        group = made["chat"]["chat"]["groupId"]
        sent = (await alice.ask({"number": "9", "sendMessage": {"chat": {"groupId": group}, "text": "x"}}))["sent"]
        for person in (bob, carol):
            message = await person.event("newMessage")
            await person.ask({"ref": "1", "ack": {"inboxNumber": message["inboxNumber"]}})
        await bob.ask({"ref": "2", "markRead": {"chat": {"groupId": group}, "chatNumber": sent["chatNumber"]}})
        steps = self.look("msg", "trace", "alice/1/9")["steps"]
        who = {step: {row["user_id"] for row in steps if row["step"] == step} for step in (row["step"] for row in steps)}
        members = {self.people[name][0] for name in ("bob", "carol")}
        self.assertEqual((who["accepted"], who["durable"]), ({int(group)}, {int(group)}))
        self.assertEqual((who["written"] & members, who["acknowledged"] & members), (members, members))
        self.assertEqual((who["queued"] >= members, who["read"]), (True, {self.people["bob"][0]}))
        for person in (alice, bob, carol):
            await person.close()

    async def test_a_node_that_does_well_shows_no_crashes(self):
        self.assertEqual(self.look("crashes"), [])
        self.assertEqual(self.node.linnet("crashes").stdout, "no actor has failed since the start\n")
        self.assertEqual(sum(row["crashed"] for row in self.look("status")["schedulers"]), 0)
        stalls = self.look("stalls")  # a busy machine's node may have some: each says whose and where
        self.assertTrue(all(row["behaviour"] and row["cpu_ms"] >= 10 and row["at"] for row in stalls), stalls)

    async def test_the_list_of_users_tells_their_devices_and_what_waits(self):
        alice = await self.come("alice")
        await alice.ask({"sendMessage": {"chat": {"userName": "carol"}, "text": "x"}})
        rows = {row["name"]: (row["user"], row["devices"], row["waiting"]) for row in self.look("user", "list")}
        self.assertEqual(rows, {name: (user, 1, int(name == "carol")) for name, (user, _) in self.people.items()})
        await alice.close()

    async def test_looks_under_load_disturb_nobody(self):
        alice, bob = await self.come("alice"), await self.come("bob")
        done = False

        async def load():
            count = 0
            while not done:
                await alice.ask({"sendMessage": {"chat": {"userName": "bob"}, "text": f"{count}"}})
                message = await bob.event("newMessage")
                self.assertEqual(message["text"], f"{count}")
                await bob.send({"ack": {"inboxNumber": message["inboxNumber"]}})
                count += 1
            return count

        loading = asyncio.create_task(load())
        took_ms = []
        for words in [("status",), ("ps", "--all"), ("tree",), ("inspect", "bob"), ("store", "info")] * 10:
            began = time.monotonic()
            process = await asyncio.create_subprocess_exec(LINNET, "--data", self.node.data, *words,
                                                           stdout=asyncio.subprocess.DEVNULL)
            self.assertEqual(await process.wait(), 0)
            took_ms.append((time.monotonic() - began) * 1000)
        done = True
        self.assertGreater(await loading, 0)
        print(f"a look took {statistics.median(took_ms):.1f} ms, {max(took_ms):.1f} at most, with the process's start")
        await alice.close()
        await bob.close()


if __name__ == "__main__":
    main()
