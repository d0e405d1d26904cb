// SPDX-License-Identifier: Apache-2.0
// Calls between stock clients: ringing, answers, candidates, ends, over a restart of the node, too. In the binary form:
// shell_test.py.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Linnetd } from './linnetd.mjs';
import { Client } from './client.mjs';

const RING_MS = 1500;
const text = (bytes) => Buffer.from(bytes, 'base64').toString();
const bytes = (words) => Buffer.from(words).toString('base64');

describe('a call', () => {
  let node;
  let people;
  let phone; // Bob's other device
  let alice;
  let bob;
  let number = 0;

  before(async () => {
    node = await Linnetd.start('--call-ring-ms', String(RING_MS));
    people = await node.importUsers('alice', 'bob', 'carol');
    phone = await node.token('bob');
    alice = await Client.welcomed(node.url, { token: people.alice.token });
    bob = await Client.welcomed(node.url, { token: people.bob.token });
  });
  after(async () => {
    await Promise.all([alice.close(), bob.close()]);
    await node.remove();
  });

  function offer(client, userName, more = {}) {
    number += 1;
    return client.ask({ number: String(number), callOffer: { chat: { userName }, content: bytes('offer'), ...more } });
  }

  // The next entry about a call, acknowledged.
  async function told(client) {
    const call = await client.event('call');
    client.send({ ack: { inboxNumber: call.inboxNumber } });
    return call;
  }

  // The same, past what there was of others.
  async function toldOf(client, { number: of }) {
    let call;
    do {
      call = await told(client);
    } while (call.id.number !== of);
    return call;
  }

  async function done(client, command) {
    assert.deepEqual((await client.ask(command)).done, {});
  }

  it('rings on all devices, is answered by one, and ends for all alike', async () => {
    const other = await Client.welcomed(node.url, { token: phone });
    const { sent } = await offer(alice, 'bob', { video: true });
    const call = sent.id;
    assert.deepEqual(call, { userId: people.alice.user, device: 1, number: String(number) });
    const rings = await told(bob);
    assert.deepEqual(rings, {
      inboxNumber: rings.inboxNumber,
      id: call,
      chat: { userId: people.alice.user },
      caller: { userId: people.alice.user, name: 'alice', device: 1 },
      video: true,
      state: 'RINGING',
      startedAtMs: sent.serverTimeMs,
      ringUntilMs: String(BigInt(sent.serverTimeMs) + BigInt(RING_MS)),
      content: bytes('offer'),
    });
    assert.equal((await told(other)).state, 'RINGING');
    await done(other, { callRinging: { call } });
    const signal = await alice.event('callSignal');
    assert.deepEqual(signal, { call, chat: { userId: people.bob.user }, kind: 'RINGING', device: 2 });
    await done(other, { callAnswer: { call, content: bytes('answer') } });
    assert.equal((await told(bob)).answeringDevice, 2);
    assert.equal((await told(other)).state, 'ANSWERED');
    assert.equal(text((await told(alice)).content), 'answer');
    assert.equal((await bob.ask({ callAnswer: { call, content: bytes('late') } })).error.code, 'GONE');
    await done(alice, { callCandidate: { call, content: bytes('from alice') } });
    assert.equal(text((await other.event('callSignal')).content), 'from alice');
    await done(other, { callCandidate: { call, content: bytes('from bob') } });
    assert.equal(text((await alice.event('callSignal')).content), 'from bob');
    await done(other, { callHangUp: { call } });
    const ends = await Promise.all([alice, bob, other].map(told));
    for (const end of ends) {
      assert.deepEqual([end.state, end.outcome, end.endedAtMs], ['ENDED', 'TALKED', ends[0].endedAtMs]);
    }
    assert.equal((await alice.ask({ callCandidate: { call, content: bytes('late') } })).error.code, 'GONE');
    await bob.settle();
    assert.equal(bob.frames.filter((frame) => frame.callSignal).length, 0);
    await other.close();
  });

  it('is missed when nobody answers, which a device learns that comes later', async () => {
    const carol = await Client.welcomed(node.url, { token: people.carol.token });
    await carol.close();
    const { sent } = await offer(alice, 'carol');
    assert.equal((await told(alice)).outcome, 'MISSED');
    assert.equal((await alice.ask({ callHangUp: { call: sent.id } })).error, undefined);
    const again = await Client.welcomed(node.url, { token: people.carol.token });
    const missed = await told(again);
    assert.deepEqual([missed.id, missed.outcome, missed.content], [sent.id, 'MISSED', undefined]);
    assert.equal((await again.ask({ callAnswer: { call: sent.id } })).error.code, 'GONE');
    await again.close();
    assert.equal(await node.metric('calls_offered_total'), 2);
  });

  it('that was accepted is answered again when who was called is gone, and no other rings', async () => {
    const { erin } = await node.importUsers('erin');
    const client = await Client.welcomed(node.url, { token: erin.token });
    const first = await offer(alice, 'erin');
    await client.ask({ deleteAccount: { name: 'erin' } });
    let end;
    do {
      end = await told(alice);
    } while (end.state !== 'ENDED');
    for (const chat of [{ userName: 'erin' }, { userId: erin.user }]) {
      const again = await alice.ask({ number: String(number), callOffer: { chat, content: bytes('offer') } });
      assert.deepEqual(again.sent, { ...first.sent, duplicate: true });
      const anew = await alice.ask({ number: String(number + 1), callOffer: { chat } });
      assert.deepEqual([anew.error.code, anew.error.text], ['UNKNOWN_USER', 'callOffer.chat: no such user']);
    }
  });

  it('finds who is in another one busy, and one at a time', async () => {
    const carol = await Client.welcomed(node.url, { token: people.carol.token });
    const { sent } = await offer(alice, 'bob');
    await told(bob);
    await done(bob, { callAnswer: { call: sent.id } });
    assert.equal((await told(alice)).state, 'ANSWERED');
    assert.equal((await offer(alice, 'carol')).error.code, 'IN_A_CALL');
    assert.ok((await offer(carol, 'bob')).sent);
    assert.equal((await told(carol)).outcome, 'BUSY');
    await done(alice, { callHangUp: { call: sent.id, reason: 'FAILED' } });
    assert.equal((await told(alice)).outcome, 'FAILED');
    await carol.close();
    await bob.settle();
  });

  // [how it ends, who says so, with which reason]
  const ends = [['DECLINED', 'by the callee', 'DECLINED'], ['DECLINED', 'by the callee without a word', undefined],
    ['BUSY', 'by the callee', 'BUSY'], ['CANCELLED', 'by the caller', 'CANCELLED'],
    ['CANCELLED', 'by the caller without a word', undefined], ['FAILED', 'by the caller', 'FAILED']];
  for (const [outcome, how, reason] of ends) {
    it(`is ${outcome} before anybody has answered: ${how}, on all devices`, async () => {
      const other = await Client.welcomed(node.url, { token: phone });
      const { sent } = await offer(alice, 'bob');
      const call = sent.id;
      for (const client of [bob, other]) {
        assert.equal((await toldOf(client, call)).state, 'RINGING');
      }
      await done(how.includes('caller') ? alice : other, { callHangUp: { call, ...(reason && { reason }) } });
      for (const client of [alice, bob, other]) {
        const end = await toldOf(client, call);
        assert.deepEqual([end.state, end.outcome], ['ENDED', outcome]);
        assert.deepEqual([end.answeredAtMs, end.durationS, end.content], [undefined, undefined, undefined]);
      }
      assert.equal((await bob.ask({ callAnswer: { call, content: bytes('late') } })).error.code, 'GONE');
      await done(bob, { callHangUp: { call } }); // what is over may be ended again
      await other.close();
    });
  }

  it('goes on over a restart of the node', async () => {
    const { sent } = await offer(alice, 'bob');
    await done(bob, { callAnswer: { call: sent.id } });
    let state;
    do {
      state = (await told(alice)).state;
    } while (state !== 'ANSWERED');
    node.process.kill('SIGKILL');
    await node.ended;
    await node.begin([]);
    alice = await Client.welcomed(node.url, { token: people.alice.token });
    bob = await Client.welcomed(node.url, { token: people.bob.token });
    await done(bob, { callHangUp: { call: sent.id } });
    let end;
    do {
      end = await told(alice);
    } while (end.state !== 'ENDED');
    assert.deepEqual([end.id, end.outcome], [sent.id, 'TALKED']);
  });
});
