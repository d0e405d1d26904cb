// SPDX-License-Identifier: Apache-2.0
// A device that was away for too much: what it is told instead, what its user's other devices see of it, and that all
// is well again once it has acknowledged.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Linnetd } from './linnetd.mjs';
import { Client } from './client.mjs';

const limits = [
  ['entries', ['--inbox-entries-max', '5'], 12, 'x'],
  ['bytes', ['--inbox-bytes-max', '1M'], 40, 'x'.repeat(32_000)],
];

describe('a device whose inbox is full', () => {
  for (const [of, flags, count, text] of limits) {
    it(`of ${of} is told how far its chats have got in place of what it missed`, async (t) => {
      const node = await Linnetd.start(...flags);
      t.after(() => node.remove());
      const { alice, bob } = await node.importUsers('alice', 'bob');
      const laptop = { token: await node.token('bob') };
      const a = await Client.welcomed(node.url, alice);
      const phone = await Client.welcomed(node.url, bob);
      const flagged = async () => {
        const { devices } = await phone.ask({ listDevices: {} });
        return devices.devices.map((device) => device.resync ?? false);
      };
      for (let i = 1; i <= count; i += 1) {
        assert.ok((await a.write('bob', text)).sent);
        const message = await phone.event('newMessage');
        assert.equal(message.chatNumber, `${i}`);
        await phone.ask({ ref: '1', ack: { inboxNumber: message.inboxNumber } });
      }
      await phone.ask({ ref: '1', markRead: { chat: { userId: alice.user }, chatNumber: '3' } });
      assert.deepEqual(await flagged(), [false, true]);
      let late = await Client.welcomed(node.url, laptop);
      const { reason, inboxNumber, summary } = await late.event('resync');
      assert.equal(reason, 'INBOX_FULL');
      const [{ chat, last, delivered, read, unread }, ...others] = summary.chats;
      assert.deepEqual([chat, last, delivered, read, unread],
        [{ userId: alice.user }, `${count}`, `${count}`, '3', `${count - 3}`]);
      assert.deepEqual([others, summary.next], [[], undefined]);
      assert.deepEqual(await flagged(), [false, true]); // told, and not acknowledged
      await late.close();
      late = await Client.welcomed(node.url, laptop);
      assert.equal((await late.event('resync')).inboxNumber, inboxNumber); // so it is told again
      await late.ask({ ref: '1', ack: { inboxNumber } });
      assert.deepEqual(await flagged(), [false, false]);
      await a.write('bob', 'after');
      let message;
      do {
        message = await late.event('newMessage');
        assert.ok(BigInt(message.inboxNumber) > BigInt(inboxNumber));
      } while (message.text !== 'after');
      assert.equal(message.chatNumber, `${count + 1}`);
      await phone.settle();
      assert.deepEqual(phone.frames.filter((frame) => frame.resync), []);
      await Promise.all([a, phone, late].map((client) => client.close()));
    });
  }

  it('is told which of its groups are behind, too', async (t) => {
    const node = await Linnetd.start('--inbox-entries-max', '5');
    t.after(() => node.remove());
    const { alice, bob } = await node.importUsers('alice', 'bob');
    const laptop = { token: await node.token('bob') };
    const a = await Client.welcomed(node.url, alice);
    const phone = await Client.welcomed(node.url, bob);
    const took = async (kind) => {
      const { inboxNumber } = await phone.event(kind);
      await phone.ask({ ref: '1', ack: { inboxNumber } });
    };
    const made = {};
    for (const name of ['walkers', 'left']) {
      made[name] = (await a.ask({ createChat: { name, participants: [{ userId: bob.user }] } })).chat.chat;
      await took('chatUpdate');
    }
    await phone.ask({ modifyChat: { chat: made.left, leave: {} } });
    await took('chatUpdate');
    for (let i = 1; i <= 7; i += 1) {
      assert.ok((await a.ask({ sendMessage: { chat: made.walkers, text: `${i}` } })).sent);
      await took('newMessage');
    }
    await phone.ask({ ref: '1', markRead: { chat: made.walkers, chatNumber: '3' } });
    const late = await Client.welcomed(node.url, laptop);
    const { groups } = await late.event('resync');
    assert.deepEqual(groups.groups.find(({ chat }) => chat.groupId === made.walkers.groupId),
      { chat: made.walkers, role: 'MEMBER', chatNumber: '7', delivered: '7', read: '3', unread: '4' });
    assert.ok(groups.groups.find(({ chat }) => chat.groupId === made.left.groupId).gone);
    assert.deepEqual([groups.groups.length, groups.moreAfterGroupId], [2, undefined]);
    assert.deepEqual((await late.ask({ listGroups: {} })).groups, groups);
    await Promise.all([a, phone, late].map((client) => client.close()));
  });
});
