// SPDX-License-Identifier: Apache-2.0
// Who is too fast, seen from outside: told when to come again, held up in nothing else, and at last shown the door.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Linnetd } from './linnetd.mjs';
import { Client, within } from './client.mjs';

const LIMIT = 3;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function assertLimited(answer, periodMs) {
  assert.equal(answer.error?.code, 'RATE_LIMITED', JSON.stringify(answer));
  const ms = Number(answer.error.retryAfterMs);
  assert.ok(ms > 0 && ms <= periodMs / LIMIT + 1, `${ms} ms`);
}

describe('a user who is too fast', () => {
  let node;
  before(async () => {
    const classes = ['changes', 'receipts', 'presence', 'typing', 'queries', 'calls', 'signals'];
    node = await Linnetd.start(...classes.flatMap((one) => [`--user-${one}-per-minute`, String(LIMIT)]),
      '--user-groups-per-hour', String(LIMIT), '--user-strangers-per-hour', String(LIMIT));
  });
  after(() => node.remove());

  async function begin() {
    const { alice, bob } = await node.pair();
    const a = await Client.welcomed(node.url, alice);
    return { alice, bob, a };
  }

  const id = { userId: '1', device: 1, number: '1' };
  const chat = ({ user }) => ({ chat: { userId: user } });
  // [class, a command of it, how often it may be said in what time]
  const classes = [
    ['messages', (bob) => ({ sendMessage: { ...chat(bob), text: 'x' } }), MINUTE_MS],
    ['read marks', (bob) => ({ markRead: { ...chat(bob), chatNumber: '1' } }), MINUTE_MS],
    ['presence', () => ({ setActive: { foreground: true } }), MINUTE_MS],
    ['typing', (bob) => ({ setTyping: { ...chat(bob), kind: 'TYPING' } }), MINUTE_MS],
    ['questions', () => ({ listDevices: {} }), MINUTE_MS],
    ['calls', (bob) => ({ callOffer: chat(bob) }), MINUTE_MS],
    ['signals of calls', () => ({ callCandidate: { call: id, content: 'eA==' } }), MINUTE_MS],
    ['groups', () => ({ createChat: { name: 'x' } }), HOUR_MS],
  ];
  for (const [what, command, periodMs] of classes) {
    it(`is told so of ${what}, and held up in nothing else`, async () => {
      const { bob, a } = await begin();
      for (let i = 0; i < LIMIT; i += 1) {
        const answer = await a.ask({ ref: '5', ...command(bob) });
        assert.notEqual(answer.error?.code, 'RATE_LIMITED', JSON.stringify(answer));
      }
      assertLimited(await a.ask({ ref: '5', ...command(bob) }), periodMs);
      const other = what === 'questions' ? { setActive: {} } : { listDevices: {} };
      assert.equal((await a.ask({ ref: '6', ...other })).error, undefined);
      await a.settle();
      await a.close();
    });
  }

  it('is told so of first messages to people, on all connections together', async () => {
    const { alice, a } = await begin();
    const names = ['one', 'two', 'three', 'four'].map((name) => `${name}${node.pairs}`);
    await node.importUsers(...names);
    const b = await Client.welcomed(node.url, { token: await node.token(alice.name) });
    const write = (client, name) => client.ask({ callOffer: { chat: { userName: name } } });
    for (const [i, name] of names.slice(0, LIMIT).entries()) {
      const { sent } = await write(i % 2 ? a : b, name);
      await a.ask({ callHangUp: { call: sent.id } });
      await b.ask({ callHangUp: { call: sent.id } });
    }
    assertLimited(await a.ask({ sendMessage: { chat: { userName: names[LIMIT] }, text: 'x' } }), HOUR_MS);
    await Promise.all([a.close(), b.close()]);
  });

  it('has every ack accepted, though it counts', async () => {
    const { alice, bob, a } = await begin();
    const b = await Client.welcomed(node.url, bob);
    await a.write(bob.name, 'x');
    const { inboxNumber } = await b.event('newMessage');
    for (let i = 0; i < LIMIT + 2; i += 1) {
      assert.ok((await b.ask({ ref: '5', ack: { inboxNumber } })).done);
    }
    assertLimited(await b.ask({ ref: '5', markRead: { ...chat(alice), chatNumber: '1' } }), MINUTE_MS * LIMIT);
    await Promise.all([a.close(), b.close()]);
  });
});

describe('an address that is too fast', () => {
  it('is told so whoever of its users asks; who comes from elsewhere is not', async (t) => {
    const node = await Linnetd.start('--address-queries-per-minute', String(LIMIT));
    t.after(() => node.remove());
    const people = await node.importUsers('alice', 'bob', 'carol');
    // As a proxy on the node's machine tells of them.
    const from = (address, name) => Client.welcomed(node.url,
      { headers: { Authorization: `Bearer ${people[name].token}`, 'X-Forwarded-For': address } });
    const [a, b] = [await from('192.0.2.1', 'alice'), await from('192.0.2.1', 'bob')];
    const c = await from('192.0.2.2', 'carol');
    for (const client of [a, b, a]) {
      assert.ok((await client.ask({ listDevices: {} })).devices);
    }
    for (const client of [b, a]) {
      assertLimited(await client.ask({ listDevices: {} }), MINUTE_MS);
      assert.ok((await client.write('carol', 'x')).sent);
    }
    assert.ok((await c.ask({ listDevices: {} })).devices);
    await Promise.all([a, b, c].map((client) => client.close()));
  });
});

describe('a connection that is too fast', () => {
  const PER_S = 10;
  let node;
  let people;
  before(async () => {
    node = await Linnetd.start('--commands-per-s', String(PER_S));
    people = await node.importUsers('alice', 'bob');
  });
  after(() => node.remove());

  it('is told when to come again, and what was refused is accepted then, once', async () => {
    const [a, b] = [await Client.welcomed(node.url, people.alice), await Client.welcomed(node.url, people.bob)];
    const say = (number) => a.send({ number, sendMessage: { chat: { userName: 'bob' }, text: number } });
    const count = PER_S + 3;
    for (let number = 1; number <= count; number += 1) {
      say(String(number));
    }
    const refused = [];
    for (let i = 0; i < count; i += 1) {
      const answer = await a.event('answer');
      if (answer.error) {
        assert.equal(answer.error.code, 'RATE_LIMITED');
        refused.push(answer);
      }
    }
    assert.ok(refused.length > 0);
    for (let { number, error } of refused) { // one after the other, as a client does that was told to wait
      while (error) {
        await sleep(Number(error.retryAfterMs));
        say(number);
        const answer = await a.event('answer');
        assert.equal(answer.sent?.duplicate, undefined);
        ({ error } = answer);
      }
    }
    const heard = new Set();
    for (let i = 0; i < count; i += 1) {
      heard.add((await b.event('newMessage')).text);
    }
    assert.equal(heard.size, count);
    await b.settle();
    assert.deepEqual(b.kept, []);
    await Promise.all([a.close(), b.close()]);
  });

  it('that goes on is closed with 4029, and comes back', async () => {
    const closed = await node.metric('rate_closed_total');
    const a = await Client.welcomed(node.url, people.alice);
    for (let ref = 1; ref <= 20 * PER_S; ref += 1) {
      a.send({ ref: String(ref), ping: {} });
    }
    assert.equal((await within(a.closed, 'the close')).code, 4029);
    assert.ok(a.frames.some((frame) => frame.answer?.error.code === 'RATE_LIMITED'));
    assert.equal(await node.metric('rate_closed_total'), closed + 1);
    const again = await Client.welcomed(node.url, people.alice);
    await again.settle();
    await again.close();
  });
});
