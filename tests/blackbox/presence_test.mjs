// SPDX-License-Identifier: Apache-2.0
// Who is online, who was last seen when, who types; and that messages don't mind.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Linnetd, SLOWNESS } from './linnetd.mjs';
import { Client } from './client.mjs';

const INTERVAL = ['--presence-interval-ms', '5000'];
const ACTIVE = { setActive: { foreground: true } };
const AWAY = { setActive: {} };

// Instants are kept in seconds; a test may be slow to hear of them.
function assertSeen(lastSeenMs, atMs) {
  const late = Number(lastSeenMs) - atMs;
  assert.ok(late > -1001 && late < 10_000 * SLOWNESS, `seen ${late} ms late`);
}

describe('presence', () => {
  let node;
  before(async () => {
    node = await Linnetd.start(...INTERVAL);
  });
  after(() => node.remove());

  function connect(person) {
    return Client.welcomed(node.url, { token: person.token });
  }

  // Two new users who have written to each other, and their connections.
  async function pair() {
    const { alice, bob } = await node.pair();
    const [a, b] = [await connect(alice), await connect(bob)];
    await a.write(bob.name, 'hi bob');
    const message = await b.event('newMessage');
    b.send({ ack: { inboxNumber: message.inboxNumber } });
    await a.event('receipts');
    return { alice, bob, a, b };
  }

  it('tells in the welcome how often to say so, and how many may be watched', async () => {
    const { a, b } = await pair();
    assert.equal(a.welcome.limits.presenceIntervalMs, '5000');
    assert.equal(a.welcome.limits.presenceWatchesMax, '256');
    await Promise.all([a.close(), b.close()]);
  });

  it('tells who watches when a user comes and goes, and answers who asks', async () => {
    const { alice, a, b } = await pair();
    const watched = await b.ask({ ref: '1', watchPresence: { chat: { userId: alice.user } } });
    assert.equal(watched.presence.userId, alice.user);
    assert.equal(watched.presence.online, undefined);
    let at = Date.now();
    a.send(ACTIVE);
    const online = await b.event('presence');
    assert.equal(online.online, true);
    assertSeen(online.lastSeenMs, at);
    const asked = await b.ask({ ref: '2', getPresence: { chat: { userName: alice.name } } });
    assert.equal(asked.presence.online, true);
    at = Date.now();
    a.send(AWAY);
    const offline = await b.event('presence');
    assert.equal(offline.online, undefined);
    assertSeen(offline.lastSeenMs, at);
    assert.deepEqual(await b.ask({ ref: '3', unwatchPresence: { chat: { userId: alice.user } } }),
      { ref: '3', done: {} });
    await Promise.all([a.close(), b.close()]);
  });

  it('is over with the connection, which is not seen', async () => {
    const { alice, a, b } = await pair();
    await b.ask({ ref: '1', watchPresence: { chat: { userId: alice.user } } });
    const at = Date.now();
    a.send(ACTIVE);
    await b.event('presence');
    await sleep(2500);
    a.ws.terminate();
    const offline = await b.event('presence');
    assert.equal(offline.online, undefined);
    assert.ok(Number(offline.lastSeenMs) < at + 2000, 'seen when it said so, not when it was cut off');
    await b.close();
  });

  it('shows who types and records to who watches', async () => {
    const { alice, bob, a, b } = await pair();
    await b.ask({ ref: '1', watchPresence: { chat: { userId: alice.user } } });
    a.send({ setTyping: { chat: { userName: bob.name }, kind: 'TYPING' } });
    assert.deepEqual(await b.event('typing'), { chat: { userId: alice.user }, userId: alice.user, kind: 'TYPING' });
    await sleep(1100);
    a.send({ setTyping: { chat: { userId: bob.user }, kind: 'RECORDING' } });
    assert.equal((await b.event('typing')).kind, 'RECORDING');
    await sleep(1100);
    a.send({ setTyping: { chat: { userId: bob.user } } });
    assert.equal((await b.event('typing')).kind, undefined);
    await Promise.all([a.close(), b.close()]);
  });

  it('shows who types in a group to its members in the foreground', async () => {
    const { alice, bob, a, b } = await pair();
    const { chat: { chat } } = await a.ask({ ref: '1', createChat: { name: 'both', participants: [{ userId: bob.user }] } });
    await b.event('chatUpdate');
    await b.ask({ ref: '2', ...ACTIVE });
    // A node with too much to do leaves it out, so it is said until it is heard.
    const hears = async (kind) => {
      const say = () => a.send({ setTyping: { chat, kind } });
      const again = setInterval(say, 1100);
      say();
      let typing;
      do {
        typing = await b.event('typing');
      } while (typing.kind !== kind);
      clearInterval(again);
      return typing;
    };
    assert.deepEqual(await hears('TYPING'), { chat, userId: alice.user, kind: 'TYPING' });
    assert.equal((await hears(undefined)).userId, alice.user);
    const [eve] = Object.values(await node.importUsers(`eve${node.pairs}g`));
    const e = await connect(eve);
    const { error } = await e.ask({ ref: '3', setTyping: { chat, kind: 'TYPING' } });
    assert.equal(error.code, 'UNKNOWN_CHAT');
    await Promise.all([a.close(), b.close(), e.close()]);
  });

  it('is no business of strangers', async () => {
    const { alice, a, b } = await pair();
    const [eve] = Object.values(await node.importUsers(`eve${node.pairs}`));
    const e = await connect(eve);
    const answer = await e.ask({ ref: '1', watchPresence: { chat: { userId: alice.user } } });
    assert.equal(answer.error.code, 'NOT_PERMITTED');
    const unknown = await e.ask({ ref: '2', getPresence: { chat: { userName: 'nobody at all' } } });
    assert.equal(unknown.error.code, 'UNKNOWN_USER');
    await Promise.all([a.close(), b.close(), e.close()]);
  });

  it('gives way: messages come in order, all of them, whatever else is said', async () => {
    const { alice, bob, a, b } = await pair();
    await b.ask({ ref: '1', watchPresence: { chat: { userId: alice.user } } });
    const count = 200;
    for (let i = 1; i <= count; i += 1) {
      a.send({ ref: String(i), sendMessage: { chat: { userId: bob.user }, text: `message ${i}` } });
      for (let j = 0; j < 20; j += 1) {
        a.send(j % 2 ? ACTIVE : AWAY);
        a.send({ setTyping: { chat: { userId: bob.user }, kind: j % 2 ? 'TYPING' : 'RECORDING' } });
      }
    }
    for (let i = 1; i <= count; i += 1) {
      const message = await b.event('newMessage');
      assert.equal(message.text, `message ${i}`);
      b.send({ ack: { inboxNumber: message.inboxNumber } });
    }
    const told = b.frames.filter((frame) => frame.presence || frame.typing).length;
    assert.ok(told <= 2 * 60 * SLOWNESS, `${told} updates`); // two a second at most
    await Promise.all([a.close(), b.close()]);
  });

  it('is kept when the node is killed', async () => {
    const { alice, bob, a } = await pair();
    const at = Date.now();
    a.send(ACTIVE);
    a.send(AWAY);
    await sleep(2500 * SLOWNESS); // those who leave are kept within a second or two
    node.process.kill('SIGKILL');
    await node.ended;
    await node.begin(INTERVAL);
    const b = await connect(bob);
    const { presence } = await b.ask({ ref: '1', getPresence: { chat: { userId: alice.user } } });
    assert.equal(presence.online, undefined);
    assertSeen(presence.lastSeenMs, at);
    await b.close();
  });
});
