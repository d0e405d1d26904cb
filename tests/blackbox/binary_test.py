#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The whole protocol in its binary form: each story is told over both forms, to people who hear the same in both, and
together the stories have each command, each answer and each event that the schema knows."""
import asyncio
import base64
import json
import os
import re
import unittest

from client import JSON, PROTO, SCHEMA, Person
from linnetd import Node, main

ROOM = 30  # entries of an inbox
SECRET_FILE = os.path.abspath("turn-secret")
FLAGS = ["--inbox-entries-max", str(ROOM), "--history-days", "30", "--turn-uris", "turn:turn.example.org:3478",
         "--turn-secret-file", SECRET_FILE, "--push-subject", "mailto:push@example.com", "--push-webhook",
         "http://127.0.0.1:9/wake", "--call-ring-ms", "60000"]
KEYS = {"p256dh": "BCVxsr7N/eNgVRqvHtD0zTZsEc6+VV+JvLexhqUzORcxaOzi6+AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4=",
        "auth": "BTBZMqHH6r4Tts7J/aSIgg=="}
TOLD_AGAIN_S = 1.1  # what may be lost is said until it is heard

# What differs between two tellings: instants, places, secrets.
OWN = re.compile(r"^(\w+AtMs|\w+TimeMs|lastSeenMs|ringUntilMs|durationS|inboxNumber|inboxAcknowledged|nextCommand|next"
                 r"|token|handle|invite|username|password|webPushKey|groupId)$")
LINK_CODE = re.compile(r"^[0-9A-Z]{4}-[0-9A-Z]{4}$")
USERS = re.compile(r"^(userId|\w+UserId)$")


def encoded(text):
    return base64.b64encode(text.encode()).decode()


class Teller(Person):
    """Keeps which commands it said, which events it heard, and what its story asked for."""

    def __init__(self, socket, form):
        super().__init__(socket, form)
        self.said, self.heard, self.journal, self.number = set(), set(), [], 0

    async def send(self, frame):
        self.said |= frame.keys() - {"number", "ref"}
        await super().send(frame)

    async def receive(self):
        frame = await super().receive()
        self.heard |= frame.keys()
        self.heard |= {f"answer.{kind}" for kind in frame.get("answer", {}).keys() - {"number", "ref"}}
        return frame

    async def event(self, kind):
        event = await super().event(kind)
        if event and "inboxNumber" in event:
            await self.send({"ack": {"inboxNumber": event["inboxNumber"]}})
        self.journal.append({kind: event})
        return event

    async def ask(self, frame):
        """A command that takes a number has the next one."""
        self.number += 1
        return await super().ask({"number": str(self.number), "ref": "7", **frame})

    async def until(self, kind, true, say=None):
        """The first such event that is as wanted, said again and again if need be; those before it are not kept."""
        async def again():
            while say:
                await self.other.send(say)
                await asyncio.sleep(TOLD_AGAIN_S)

        saying = asyncio.ensure_future(again())
        while True:
            event = await self.event(kind)
            if true(event):
                saying.cancel()
                return event
            self.journal.pop()


class Telling:
    """One form's node, and the people of a story."""

    def __init__(self, form, node):
        self.form, self.node = form, node
        self.names, self.tellers = {}, []

    async def come(self, *names):
        """New users, each with a connection."""
        for name, (user, token) in self.node.import_users(*names).items():
            self.names[str(user)] = name
            setattr(self, name, token)
        return [await self.open(getattr(self, name), name) for name in names]

    async def open(self, token, name):
        teller = await Teller.welcomed(self.node, self.form, token)
        teller.name, teller.user = name, teller.welcome["userId"]
        self.tellers.append(teller)
        return teller

    async def silent(self):
        """Before any login."""
        self.tellers.append(await Teller.open(self.node, self.form))
        return self.tellers[-1]

    def plain(self, value, key=""):
        """What is the same in another telling."""
        if isinstance(value, dict):
            return {name: self.plain(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return sorted((self.plain(one) for one in value), key=json.dumps)
        if USERS.match(key):
            return self.names.get(value, value)
        return "its own" if OWN.match(key) or key == "code" and LINK_CODE.match(value) else value

    async def end(self):
        """What each was told; says goodbye."""
        for teller in self.tellers:
            await teller.close()
        return [[self.plain(event) for event in teller.journal] for teller in self.tellers]


async def logins_and_devices(telling):
    telling.names[str(telling.node.add_user("anna"))] = "anna"
    phone = await telling.silent()
    await phone.ask({"listDevices": {}})
    login = {"name": "anna", "password": "pw-anna", "deviceName": "phone"}
    await phone.send({"authenticate": {"passwordLogin": login}})
    welcome = await phone.event("welcome")
    linked = (await phone.ask({"createLinkCode": {}}))["linkCode"]
    laptop = await telling.silent()
    await laptop.send({"authenticate": {"linkCode": {"name": "anna", "code": linked["code"], "deviceName": "laptop"}}})
    device = (await laptop.event("welcome"))["device"]
    await phone.event("deviceChange")
    await phone.ask({"listDevices": {}})
    await phone.ask({"renameDevice": {"device": device, "name": "kitchen"}})
    for each in phone, laptop:
        await each.until("deviceChange", lambda change: change["change"] == "RENAMED")
    await phone.ask({"revokeDevice": {"device": 99}})
    await phone.ask({"revokeDevice": {"device": device}})
    await phone.until("deviceChange", lambda change: change["change"] == "REVOKED")
    again = await telling.silent()
    await again.send({"authenticate": {"token": welcome["token"]}})
    await again.event("welcome")
    await again.send({"ref": "5", "ping": {"data": encoded("hello")}})
    await again.event("pong")


async def messages_and_what_becomes_of_them(telling):
    alice, bob = await telling.come("alice", "bob")
    chat, back = {"userId": bob.user}, {"userId": alice.user}
    picture = {"reference": "a/1", "mediaType": "image/png", "sizeBytes": "9007199254740991"}
    said = [{"text": "grüße"}, {"content": encoded("\0\xff"), "contentKind": 7}, {"attachments": [picture, picture]},
            {"text": "for a minute", "ttlMs": "60000"}]
    sent = [(await alice.ask({"sendMessage": {"chat": {"userName": "bob"}, **body}}))["sent"] for body in said]
    for _ in said:
        await bob.event("newMessage")
    await alice.until("receipts", lambda receipts: receipts["delivered"] == "4")
    await bob.ask({"markRead": {"chat": back, "chatNumber": "3"}})
    await alice.until("receipts", lambda receipts: receipts.get("read") == "3")
    await bob.ask({"markRead": {"chat": back, "chatNumber": "5"}})
    changed = {key: sent[0][key] for key in ("chatNumber", "serverTimeMs", "handle")}
    await alice.ask({"sendMessage": {"chat": chat, "text": "greetings", "attachments": [picture], "contentKind": 9,
                                     "change": {"kind": "EDIT", **changed}}})
    await bob.event("messageChanged")
    await alice.ask({"sendMessage": {"chat": chat, "change": {"kind": "DELETE", **changed}}})
    await bob.event("messageChanged")
    await alice.ask({"sendMessage": {"chat": chat, "text": "late", "change": {"kind": "EDIT", **changed}}})
    await bob.ask({"hideMessage": {"chat": back, "authorUserId": alice.user, "chatNumber": "2"}})
    await bob.event("messageChanged")
    await alice.ask({"modifyChat": {"chat": chat, "ttlMs": "86400000"}})
    await bob.event("chatUpdate")
    again = {"number": "90", "sendMessage": {"chat": chat, "text": "twice"}}
    for _ in range(2):
        await alice.ask(again)
    await bob.event("newMessage")
    await alice.until("receipts", lambda receipts: receipts["delivered"] == "5")
    for each in alice, bob:
        await each.ask({"listChats": {"max": 5}})
    before = len(alice.journal)
    while True:  # what one wrote is in one's own history a moment later
        answer = await alice.ask({"getHistory": {"chat": chat, "max": "1"}})
        if answer["history"].get("count") and (await alice.event("newMessage")).get("text") == "twice":
            break
        del alice.journal[before:]
    for question in {}, {"forward": True, "max": "2"}, {"contentKind": 7, "senderUserId": alice.user}:
        answer = await bob.ask({"getHistory": {"chat": back, **question}})
        for _ in range(int(answer["history"].get("count", 0))):
            await bob.event("newMessage")


async def groups(telling):
    alice, bob, carol = await telling.come("gina", "hugo", "ida")
    both = {"participants": [{"userId": bob.user}, {"userName": "ida"}]}
    made = await alice.ask({"createChat": {"name": "walkers", **both, "rights": {"onlyAdminsAdd": True},
                                           "ttlMs": "3600000"}})
    chat = made["chat"]["chat"]
    everybody = alice, bob, carol
    for each in everybody:
        await each.event("chatUpdate")

    async def changes(change, *who):
        answer = await alice.ask({"modifyChat": {"chat": chat, **change}})
        for each in who:
            await each.event("chatUpdate")
        return answer

    of_bob = {"participants": [{"userId": bob.user}]}
    for change in ({"promote": of_bob}, {"demote": of_bob}, {"entitle": of_bob}, {"name": "runners"},
                   {"picture": "m/1"}, {"description": "at six"}, {"ttlMs": "0"},
                   {"rights": {"onlyAdminsSend": True, "onlyAdminsEdit": True}}, {"rights": {}}, {"remove": of_bob},
                   {"add": of_bob}):
        await changes(change, *everybody)
    await bob.ask({"modifyChat": {"chat": chat, "entitle": of_bob}})
    await alice.ask({"sendMessage": {"chat": chat, "text": "hello all"}})
    for each in bob, carol:
        await each.event("newMessage")
    await bob.ask({"markRead": {"chat": chat, "chatNumber": "1"}})
    await alice.until("groupReceipts", lambda counted: counted["counts"][0]["delivered"] == 2
                      and counted["counts"][0].get("read") == 1)
    await alice.ask({"getMessageInfo": {"chat": chat, "chatNumber": "1"}})
    await bob.ask({"getMessageInfo": {"chat": chat, "chatNumber": "1"}})
    answer = await alice.ask({"getHistory": {"chat": chat, "only": "MESSAGES"}})
    for _ in range(int(answer["history"]["count"])):
        await alice.event("newMessage")
    answer = await alice.ask({"getHistory": {"chat": chat, "only": "CHAT_UPDATES", "forward": True}})
    for _ in range(int(answer["history"]["count"])):
        await alice.event("chatUpdate")
    await alice.ask({"sendMessage": {"chat": chat, "text": "hi", "change": {"kind": "EDIT", "chatNumber": "1"}}})
    await bob.event("messageChanged")
    bob.other = alice
    await bob.ask({"setActive": {"foreground": True}})
    await bob.until("typing", lambda typing: True, {"setTyping": {"chat": chat, "kind": "RECORDING"}})
    await carol.ask({"modifyChat": {"chat": chat, "leave": {}}})
    for each in everybody:
        await each.event("chatUpdate")
    invite = (await changes({"invite": {}}, alice, bob))["chat"]["invite"]
    await carol.ask({"joinChat": {"invite": invite}})
    for each in everybody:
        await each.event("chatUpdate")
    await changes({"revokeInvite": {}}, *everybody)
    await carol.ask({"joinChat": {"invite": invite}})
    await carol.ask({"getChat": {"chat": chat}})
    await carol.ask({"getChatMembers": {"chat": chat, "max": 100}})
    await carol.ask({"getChatMembers": {"chat": chat, "max": 100, "afterUserId": "9007199254740991"}})
    await carol.ask({"listGroups": {}})
    await changes({"deleteChat": {}}, *everybody)
    await carol.ask({"listGroups": {"max": 10}})


async def calls(telling):
    alice, bob = await telling.come("jack", "kate")
    call = (await alice.ask({"callOffer": {"chat": {"userName": "kate"}, "content": encoded("offer"), "video": True}}))
    call = call["sent"]["id"]
    await bob.event("call")
    await bob.ask({"callRinging": {"call": call}})
    await alice.event("callSignal")
    await bob.ask({"callAnswer": {"call": call, "content": encoded("answer")}})
    for each in alice, bob:
        await each.until("call", lambda told: told["state"] == "ANSWERED")
    await alice.ask({"callCandidate": {"call": call, "content": encoded("here")}})
    await bob.event("callSignal")
    await bob.ask({"callHangUp": {"call": call, "reason": "FAILED"}})
    for each in alice, bob:
        await each.event("call")
    await alice.ask({"callAnswer": {"call": call}})
    for reason, who in (("HANG_UP", bob), ("DECLINED", bob), ("BUSY", bob), ("CANCELLED", alice)):
        call = (await alice.ask({"callOffer": {"chat": {"userName": "kate"}}}))["sent"]["id"]
        await bob.event("call")
        await who.ask({"callHangUp": {"call": call, "reason": reason}})
        for each in alice, bob:
            await each.until("call", lambda told: told["state"] == "ENDED")
    answer = await alice.ask({"getHistory": {"chat": {"userName": "kate"}, "only": "CALLS", "forward": True}})
    for _ in range(int(answer["history"]["count"])):
        await alice.event("call")
    await alice.ask({"getTurnCredentials": {}})


async def states(telling):
    alice, bob = await telling.come("lena", "mark")
    laptop = await telling.open(telling.node.linnet("user", "token", "lena").stdout.strip(), "lena")
    chat = {"userId": bob.user}
    rule = {"who": "NOBODY", "exceptions": [{"userId": bob.user}]}
    profile = {"displayName": "Lena", "about": "at sea", "picture": {"reference": "m/1", "mediaType": "image/png"}}
    for state in ({"chat": chat, "archived": True}, {"chat": chat, "mutedUntilMs": "1780000000000"},
                  {"chat": chat, "pinned": "7"}, {"chat": chat, "draft": {"content": encoded("dear")}},
                  {"chat": chat, "draft": {"text": "dear"}}, {"chat": chat, "contact": {"name": "Marky"}},
                  {"profile": profile}, {"readReceipts": False}, {"lastSeenRule": rule},
                  {"onlineRule": {"who": "CONTACTS"}}, {"profileRule": rule}, {"chat": chat, "archived": False}):
        await alice.ask({"setState": state})
        await laptop.event("state")
    await bob.ask({"getProfile": {"chat": {"userName": "lena"}}})
    await alice.ask({"setState": {"chat": chat, "contact": {"removed": True}}})
    await laptop.event("state")
    await alice.ask({"setState": {"chat": chat, "blocked": True}})
    await bob.ask({"getProfile": {"chat": {"userName": "lena"}}})
    await alice.ask({"listStates": {}})
    await alice.ask({"listStates": {"kind": "BLOCKED"}})
    page = (await alice.ask({"listStates": {"max": "3"}}))["states"]
    await alice.ask({"listStates": {"max": "1", "after": page["next"]}})
    await alice.ask({"setState": {"chat": chat, "contact": {"name": "x" * 129}}})


async def presence(telling):
    alice, bob, eve = await telling.come("nora", "otto", "eve")
    await alice.ask({"sendMessage": {"chat": {"userName": "otto"}, "text": "hi"}})
    await bob.event("newMessage")
    await alice.event("receipts")
    await bob.ask({"watchPresence": {"chat": {"userId": alice.user}}})
    await alice.ask({"setActive": {"foreground": True}})
    await bob.until("presence", lambda told: told.get("online"))
    await bob.ask({"getPresence": {"chat": {"userName": "nora"}}})
    bob.other = alice
    await bob.until("typing", lambda typing: True, {"setTyping": {"chat": {"userId": bob.user}, "kind": "TYPING"}})
    await alice.ask({"setActive": {}})
    await bob.until("presence", lambda told: not told.get("online"))
    for rule in "lastSeenRule", "onlineRule":
        await alice.ask({"setState": {rule: {"who": "NOBODY"}}})
    await bob.until("presence", lambda told: told.get("hidden"))
    await bob.ask({"getPresence": {"chat": {"userName": "nora"}}})
    await bob.ask({"unwatchPresence": {"chat": {"userId": alice.user}}})
    await eve.ask({"watchPresence": {"chat": {"userId": bob.user}}})


async def pushes_and_goodbye(telling):
    alice, = await telling.come("paul")
    await alice.ask({"getPush": {}})
    for target in ({"webPush": {"endpoint": "https://push.example.net/send/1", **KEYS}}, {"webhook": {}}):
        await alice.ask({"setPush": {**target, "app": encoded("mine")}})
        await alice.ask({"getPush": {}})
    await alice.ask({"clearPush": {}})
    await alice.ask({"deleteAccount": {"name": "somebody else"}})
    await alice.ask({"deleteAccount": {"name": "paul"}})


async def a_full_inbox(telling):
    alice, phone = await telling.come("rosa", "sven")
    laptop = telling.node.linnet("user", "token", "sven").stdout.strip()
    await alice.ask({"createChat": {"name": "walkers", "participants": [{"userName": "sven"}]}})
    await phone.event("chatUpdate")
    for number in range(ROOM + 2):
        await alice.ask({"sendMessage": {"chat": {"userName": "sven"}, "text": str(number)}})
        await phone.event("newMessage")
    laptop = await telling.open(laptop, "sven")
    await laptop.until("resync", lambda told: told["reason"] == "INBOX_FULL" and told["groups"]["groups"])
    tom, = await telling.come("tom")
    await tom.close()
    chat = (await alice.ask({"createChat": {"name": "two", "participants": [{"userName": "tom"}]}}))["chat"]["chat"]
    for number in range(ROOM + 2):
        await alice.ask({"sendMessage": {"chat": chat, "text": str(number)}})
    tom = await telling.open(telling.tom, "tom")
    await tom.until("chatGap", lambda gap: gap["toChatNumber"] == str(ROOM + 2))


async def what_disappeared(telling):
    """Twice, apart, while its reader is away."""
    alice, bob = await telling.come("wanda", "xaver")
    chat = {"userId": bob.user}
    await alice.ask({"sendMessage": {"chat": chat, "text": "first"}})
    await bob.event("newMessage")
    for _ in range(2):
        await bob.close()
        await alice.ask({"sendMessage": {"chat": chat, "text": "soon gone", "ttlMs": "1000"}})
        await asyncio.sleep(TOLD_AGAIN_S)
        await alice.ask({"sendMessage": {"chat": chat, "text": "stays"}})
        bob = await telling.open(telling.xaver, "xaver")
        await bob.event("newMessage")
    await alice.until("receipts", lambda told: told.get("delivered") == "5" and told["expiredEarlier"])
    await alice.ask({"listChats": {}})
    answer = await alice.ask({"getHistory": {"chat": chat}})
    assert answer["history"]["peerExpiredEarlier"] == [{"after": "1", "to": "2"}], answer
    for _ in range(int(answer["history"]["count"])):
        await alice.event("newMessage")


STORIES = [logins_and_devices, messages_and_what_becomes_of_them, groups, calls, states, presence, pushes_and_goodbye,
           a_full_inbox, what_disappeared]


class Binary(unittest.IsolatedAsyncioTestCase):
    async def test_each_command_answer_and_event_is_the_same_in_both_forms(self):
        with open(SECRET_FILE, "w", encoding="utf-8") as stream:
            stream.write("north-of-the-river\n")
        nodes = {form: Node(*FLAGS) for form in (JSON, PROTO)}
        for node in nodes.values():
            self.addCleanup(node.__exit__)
            node.start()
        said, heard = set(), set()
        for story in STORIES:
            told = {}
            for form, node in nodes.items():
                telling = Telling(form, node)
                await story(telling)
                told[form] = await telling.end()
            with self.subTest(story.__name__):
                self.assertEqual(told[PROTO], told[JSON])
            for teller in telling.tellers:
                said |= teller.said
                heard |= teller.heard
        self.assertEqual(said, names("ClientFrame") - {"number", "ref"})
        answers = {f"answer.{kind}" for kind in names("Answer") - {"number", "ref"}}
        self.assertEqual(heard, names("ServerFrame") | answers)


def names(message):
    return {name for name, _, _ in SCHEMA.messages[message].values()}


if __name__ == "__main__":
    main()
