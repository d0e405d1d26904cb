// SPDX-License-Identifier: Apache-2.0
// What disappears before anybody has taken it in: its sender is told, and nobody gets it any more.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Linnetd } from './linnetd.mjs';
import { Client } from './client.mjs';

const TTL = { ttlMs: '1000' };

// At once, since the node looks for what is due no sooner than ten to twenty seconds after its start.
describe('a message that disappears before it was taken in', { concurrency: true }, () => {
  let node;
  before(async () => {
    node = await Linnetd.start('--history-days', 'forever');
  });
  after(() => node.remove());

  function expiry({ sent }) {
    return BigInt(sent.serverTimeMs) + BigInt(TTL.ttlMs);
  }

  it('has expired for its sender, beside what is delivered, and its receiver never sees it', async () => {
    const { alice, bob } = await node.pair();
    const a = await Client.welcomed(node.url, alice);
    const chat = { userId: bob.user };
    const write = (text, more) => a.ask({ sendMessage: { chat, text, ...more } });
    await write('one');
    await write('two', TTL);
    await write('three', TTL);
    await write('four');
    const gone = await a.until('receipts', ({ expired }) => expired === '3');
    assert.deepEqual([gone.chat, gone.readerUserId], [chat, bob.user]);
    assert.deepEqual([gone.expiredAfter, gone.delivered], ['1', undefined]);
    const b = await Client.welcomed(node.url, bob);
    assert.deepEqual([(await b.hear()).text, (await b.hear()).text], ['one', 'four']);
    const told = await a.until('receipts', ({ delivered }) => delivered === '4');
    assert.deepEqual([told.expiredAfter, told.expired], ['1', '3']);
    const { chats } = await a.ask({ listChats: {} });
    const [{ peerDelivered, peerExpiredAfter, peerExpired }] = chats.chats;
    assert.deepEqual([peerDelivered, peerExpiredAfter, peerExpired], ['4', '1', '3']);
    await b.settle();
    assert.deepEqual(b.frames.filter((frame) => frame.newMessage).length, 2);
    await Promise.all([a.close(), b.close()]);
  });

  it('stays so where another that lies apart comes behind it, also for a device that is linked then', async () => {
    const { alice, bob } = await node.pair();
    const a = await Client.welcomed(node.url, alice);
    const chat = { userId: bob.user };
    const write = (text, more) => a.ask({ sendMessage: { chat, text, ...more } });
    const come = async (...texts) => {
      const b = await Client.welcomed(node.url, bob);
      for (const text of texts) {
        assert.equal((await b.hear()).text, text);
      }
      await b.settle();
      await b.close();
    };
    await write('one');
    await come('one');
    for (const [gone, stays] of [['two', 'three'], ['four', 'five']]) {
      await write(gone, TTL);
      await delay(Number(TTL.ttlMs));
      await write(stays);
      await come(stays);
    }
    const told = await a.until('receipts', ({ delivered }) => delivered === '5');
    const holes = ({ expiredAfter, expired, expiredEarlier }) => [expiredAfter, expired, expiredEarlier];
    const apart = ['3', '4', [{ after: '1', to: '2' }]];
    assert.deepEqual(holes(told), apart);
    const { linkCode: { code } } = await a.ask({ createLinkCode: {} });
    const late = await Client.open(node.url);
    late.send({ authenticate: { linkCode: { name: alice.name, code, deviceName: 'late' } } });
    await late.event('welcome');
    for (const device of [a, late]) {
      const { chats: { chats: [state] } } = await device.ask({ listChats: {} });
      assert.deepEqual([state.peerDelivered, state.peerExpiredAfter, state.peerExpired, state.peerExpiredEarlier],
        ['5', ...apart]);
      const { history } = await device.ask({ getHistory: { chat, forward: true } });
      assert.deepEqual([history.peerDelivered, history.peerExpiredAfter, history.peerExpired, history.peerExpiredEarlier,
        history.expired], ['5', ...apart, undefined]);
    }
    await Promise.all([a.close(), late.close()]);
  });

  it('tells everybody when, and is still there for who takes it in before', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await Client.welcomed(node.url, alice), await Client.welcomed(node.url, bob)];
    const sent = await a.ask({ sendMessage: { chat: { userId: bob.user }, text: 'quick', ...TTL } });
    const message = await b.hear();
    assert.equal(BigInt(message.expiresAtMs), expiry(sent));
    const told = await a.until('receipts', ({ delivered }) => delivered === '1');
    assert.equal(told.expired, undefined);
    await Promise.all([a.close(), b.close()]);
  });

  it('is counted in a group for those for whom it expired, and "all" is without them', async () => {
    const { alice, bob } = await node.pair();
    const [carol] = Object.values(await node.importUsers(`carol${node.pairs}`));
    const [a, b] = [await Client.welcomed(node.url, alice), await Client.welcomed(node.url, bob)];
    const participants = [bob, carol].map(({ user }) => ({ userId: user }));
    const { chat: { chat } } = await a.ask({ createChat: { name: 'walkers', participants } });
    await a.ask({ sendMessage: { chat, text: 'quick', ...TTL } });
    await b.hear();
    await b.ask({ ref: '5', markRead: { chat, chatNumber: '1' } });
    const told = await a.until('groupReceipts', ({ counts, readAll }) => readAll === '1' || counts?.[0].expired === 1);
    assert.deepEqual([told.chat, told.members], [chat, 3]);
    const { members } = await a.ask({ getMessageInfo: { chat, chatNumber: '1' } });
    const rows = Object.fromEntries(members.members.map((row) => [row.userId, row]));
    assert.deepEqual([rows[bob.user].read, rows[bob.user].expired], ['1', undefined]);
    assert.equal(rows[carol.user].expired, '1');
    const c = await Client.welcomed(node.url, carol);
    await c.event('chatUpdate');
    await c.settle();
    assert.deepEqual(c.frames.filter((frame) => frame.newMessage), []);
    await Promise.all([a, b, c].map((client) => client.close()));
  });
});
