// SPDX-License-Identifier: Apache-2.0
// What takes days on a node as it comes, with days of a few seconds: devices are warned of and unlinked, what nobody
// takes in expires, what was kept is kept no longer. Each test waits for what somebody is told.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Linnetd, SLOWNESS } from './linnetd.mjs';
import { Client } from './client.mjs';

const seconds = (count) => `${count * SLOWNESS}s`;

describe('a device that nobody sees', () => {
  it('is told of to the others, then unlinked; one that comes back in time stays', async (t) => {
    const node = await Linnetd.start('--device-unseen-days', seconds(9), '--device-warn-days', seconds(6));
    t.after(() => node.remove());
    const { bob } = await node.importUsers('bob');
    const phone = await Client.welcomed(node.url, bob);
    const away = [];
    for (const device of [2, 3]) {
      const token = await node.token('bob');
      const client = await Client.welcomed(node.url, { token });
      assert.equal(client.welcome.device, device);
      await client.close();
      away.push(token);
    }
    const changes = (of) => phone.frames.map(({ deviceChange }) => deviceChange)
      .filter((change) => change?.device === of).map(({ change }) => change);
    const warned = await phone.until('deviceChange', ({ change, device }) => change === 'WARNED' && device === 2);
    assert.ok(BigInt(warned.unlinkAtMs) >= BigInt(warned.serverTimeMs) + 6000n * BigInt(SLOWNESS));
    const back = await Client.welcomed(node.url, { token: away[0] });
    const gone = await phone.until('deviceChange', ({ change }) => change === 'UNLINKED');
    assert.deepEqual([gone.device, changes(3)], [3, ['LINKED', 'WARNED', 'UNLINKED']]);
    const told = phone.frames.map((frame) => frame.deviceChange)
      .find((change) => change?.device === 3 && change.change === 'WARNED');
    assert.ok(BigInt(gone.serverTimeMs) >= BigInt(told.unlinkAtMs));
    assert.deepEqual(changes(2), ['LINKED', 'WARNED']);
    const { devices } = await back.ask({ listDevices: {} });
    assert.deepEqual(devices.devices.map(({ device }) => device), [1, 2]);
    const refused = await Client.open(node.url, { token: away[1] });
    assert.equal((await refused.event('answer')).error.code, 'TOKEN_INVALID');
    assert.equal((await refused.closed).code, 4001);
    await Promise.all([phone.close(), back.close()]);
  });
});

describe('a node whose days are seconds', { concurrency: true }, () => {
  let node;
  before(async () => {
    node = await Linnetd.start('--inbox-age-days', seconds(6), '--hold-unknown', seconds(4),
      '--history-days', seconds(5), '--group-log-days', seconds(3), '--edit-window-ms', '1000',
      '--delete-window-ms', '1000');
  });
  after(() => node.remove());

  it('tells the sender what nobody took in, and the device that its place is lost', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await Client.welcomed(node.url, alice), await Client.welcomed(node.url, bob)];
    const chat = { userId: bob.user };
    await a.ask({ sendMessage: { chat, text: 'too long ago' } });
    assert.equal((await b.event('newMessage')).text, 'too long ago'); // and stores it nowhere
    const expired = await a.until('receipts', (told) => told.expired === '1');
    assert.deepEqual([expired.chat, expired.delivered], [chat, undefined]);
    const resync = await b.event('resync');
    assert.equal(resync.reason, 'INBOX_EXPIRED');
    assert.equal(resync.summary.chats[0].last, '1');
    await b.ask({ ref: '1', ack: { inboxNumber: resync.inboxNumber } });
    await a.ask({ sendMessage: { chat, text: 'just now' } });
    assert.equal((await b.hear()).text, 'just now');
    const delivered = await a.until('receipts', (told) => told.delivered === '2');
    assert.equal(delivered.expired, '1');
    await Promise.all([a.close(), b.close()]);
  });

  it('tells a history no longer than it is kept', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await Client.welcomed(node.url, alice), await Client.welcomed(node.url, bob)];
    assert.equal(a.welcome.limits.historyDays, '1'); // rounded up
    const chat = { userId: bob.user };
    const history = async () => (await b.ask({ getHistory: { chat: { userId: alice.user } } })).history.count ?? '0';
    const { sent } = await a.ask({ sendMessage: { chat, text: 'for a while' } });
    await b.hear();
    const told = await history();
    b.send({ ping: {} });
    const late = BigInt((await b.event('pong')).serverTimeMs) >= BigInt(sent.serverTimeMs) + 5000n * BigInt(SLOWNESS);
    assert.ok(told === '1' || late);
    await a.ask({ sendMessage: { chat, text: 'left lying' } }); // for longer than that
    await a.until('receipts', (told) => told.expired === '2');
    assert.equal(await history(), '0');
    await Promise.all([a.close(), b.close()]);
  });

  it('gives a message that has disappeared to no other device of who has it', async () => {
    const { alice, bob } = await node.pair();
    const { carol } = await node.importUsers('carol');
    const laptop = { token: await node.token(bob.name) };
    const [a, b] = [await Client.welcomed(node.url, alice), await Client.welcomed(node.url, bob)];
    const write = (user) => a.ask({ sendMessage: { chat: { userId: user }, text: 'briefly',
      ttlMs: `${3000 * SLOWNESS}` } });
    await write(bob.user);
    assert.equal((await b.hear()).text, 'briefly');
    assert.equal((await a.until('receipts', (told) => told.delivered === '1')).expired, undefined);
    await write(carol.user); // nobody takes that in: when it has expired, the first is over, too
    await a.until('receipts', (told) => told.chat.userId === carol.user && told.expired === '1');
    const late = await Client.welcomed(node.url, laptop);
    await late.settle();
    assert.deepEqual(late.frames.filter((frame) => frame.newMessage), []);
    const { history } = await late.ask({ getHistory: { chat: { userId: alice.user } } });
    assert.equal(history.count, undefined);
    const { chats } = await a.ask({ listChats: {} });
    const { peerDelivered, peerExpired } = chats.chats.find(({ chat }) => chat.userId === bob.user);
    assert.deepEqual([peerDelivered, peerExpired], ['1', undefined]);
    await Promise.all([a, b, late].map((client) => client.close()));
  });

  it('tells who wrote to a name that nobody took', async () => {
    const { alice } = await node.pair();
    const a = await Client.welcomed(node.url, alice);
    const { sent } = await a.write('nobody-yet', 'hello?');
    const expired = await a.until('receipts', (told) => told.expired === '1');
    assert.deepEqual(expired.chat, { userId: sent.heldUserId });
    await a.close();
  });

  it('forgets who wrote what in a group', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await Client.welcomed(node.url, alice), await Client.welcomed(node.url, bob)];
    const { chat: { chat } } = await a.ask({ createChat: { name: 'walkers', participants: [{ userId: bob.user }] } });
    await a.ask({ sendMessage: { chat, text: 'one' } });
    assert.equal((await a.ask({ getMessageInfo: { chat, chatNumber: '1' } })).members.members.length, 1);
    await a.until('groupReceipts', ({ counts }) => counts?.[0].expired === 1); // for bob, who stores nothing
    await a.ask({ sendMessage: { chat, text: 'two' } });
    assert.equal((await a.ask({ getMessageInfo: { chat, chatNumber: '1' } })).error.code, 'OUT_OF_RANGE');
    assert.equal((await a.ask({ getMessageInfo: { chat, chatNumber: '2' } })).members.members.length, 1);
    await Promise.all([a.close(), b.close()]);
  });
});
