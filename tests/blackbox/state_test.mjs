// SPDX-License-Identifier: Apache-2.0
// What people set: contacts, settings of chats, profiles, blocks, who may see what; how they leave, and take their
// data with them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Linnetd } from './linnetd.mjs';
import { Client, within } from './client.mjs';

const NO_CURSOR = 2n ** 52n; // numbers in a chat from here on are never delivered

describe('what users set', () => {
  let node;
  before(async () => {
    node = await Linnetd.start('--states-max', '300');
  });
  after(() => node.remove());

  // A person with two devices, and one with one.
  async function pair() {
    const { alice, bob } = await node.pair();
    alice.second = await node.token(alice.name);
    const [phone, laptop] = await Promise.all(
      [alice.token, alice.second].map((token) => Client.welcomed(node.url, { token })));
    await phone.settle();
    return { alice, bob, phone, laptop, b: await Client.welcomed(node.url, { token: bob.token }) };
  }

  async function set(client, state) {
    assert.deepEqual(await client.ask({ ref: '5', setState: state }), { ref: '5', done: {} });
  }

  async function refusal(client, command) {
    return (await client.ask(command)).error;
  }

  async function profile(client, userId) {
    return (await client.ask({ getProfile: { chat: { userId } } })).profile;
  }

  async function list(client, kind) {
    const { states } = await client.ask({ listStates: { kind } });
    return states.states ?? [];
  }

  it('reaches all devices of the user, as an entry of their inbox', async () => {
    const { bob, phone, laptop } = await pair();
    const chat = { userId: bob.user };
    for (const value of [{ archived: true }, { mutedUntilMs: '1780000000000' }, { pinned: '7' },
      { draft: { text: 'dear bob' } }, { contact: { name: 'Bobby' } }, { archived: false }]) {
      await set(phone, { chat, ...value });
      for (const device of [phone, laptop]) {
        const state = await device.event('state');
        assert.deepEqual(state, { inboxNumber: state.inboxNumber, chat, ...value });
        assert.ok(BigInt(state.inboxNumber) > 0n);
      }
    }
    assert.deepEqual(await list(laptop), [
      { chat, mutedUntilMs: '1780000000000' }, { chat, pinned: '7' }, { chat, draft: { text: 'dear bob' } },
      { chat, contact: { name: 'Bobby' } }]);
    assert.deepEqual(await list(laptop, 'CONTACT'), [{ chat, contact: { name: 'Bobby' } }]);
  });

  it('is not set again by a late retry that has its number', async () => {
    const { bob, phone, laptop } = await pair();
    const chat = { userId: bob.user };
    for (const [number, archived] of [['7', true], ['8', false], ['7', true]]) {
      assert.deepEqual(await phone.ask({ number, setState: { chat, archived } }), { number, done: {} });
    }
    assert.deepEqual(await list(laptop), []);
    for (const [number, name] of [['9', 'kitchen'], ['10', 'hall'], ['9', 'kitchen']]) {
      assert.deepEqual(await phone.ask({ number, renameDevice: { device: 2, name } }), { number, done: {} });
    }
    assert.equal((await phone.ask({ listDevices: {} })).devices.devices[1].name, 'hall');
    const late = await phone.ask({ number: '100', setState: { chat, archived: true } });
    assert.deepEqual(late.done, {});
    assert.equal((await refusal(phone, { number: '30', setState: { chat, archived: false } })).code, 'TOO_OLD');
    for (let i = 0; i < 2; i += 1) {
      assert.deepEqual((await phone.ask({ revokeDevice: { device: 2 } })).done, {}, 'a second time, too');
    }
    assert.equal((await refusal(phone, { revokeDevice: { device: 3 } })).code, 'UNKNOWN_DEVICE');
  });

  it('leaves no chat behind when it is set back', async () => {
    const { phone } = await pair();
    for (let i = 0; i < 5; i += 1) {
      const chat = { userId: String(5000 + i) };
      await set(phone, { chat, mutedUntilMs: '1780000000000' });
      await set(phone, { chat, mutedUntilMs: '0' });
      await set(phone, { chat, blocked: true });
      await set(phone, { chat, blocked: false });
    }
    assert.deepEqual((await phone.ask({ listChats: {} })).chats, {});
  });

  it('is one entry of the inbox, the newest, for a device that comes later', async () => {
    const { alice, bob, phone, laptop } = await pair();
    await laptop.close();
    for (const text of ['d', 'de', 'dea', 'dear']) {
      await set(phone, { chat: { userId: bob.user }, draft: { text } });
    }
    const again = await Client.welcomed(node.url, { token: alice.second });
    assert.deepEqual((await again.event('state')).draft, { text: 'dear' });
    await again.settle();
    assert.equal(again.frames.filter((frame) => 'state' in frame).length, 1);
  });

  it('is listed in pages', async () => {
    const { phone, laptop } = await pair();
    for (let i = 0; i < 25; i += 1) {
      await set(phone, { chat: { userId: String(1000 + i) }, pinned: '1' });
    }
    const found = [];
    let after = '';
    do {
      const { states } = await laptop.ask({ listStates: { max: '10', after } });
      assert.ok(states.states.length <= 10);
      found.push(...states.states.map((state) => Number(state.chat.userId)));
      after = states.next;
    } while (after);
    assert.deepEqual(found, Array.from({ length: 25 }, (_, i) => 1000 + i));
  });

  it('shows a profile to whom its user wants', async () => {
    const { alice, bob, phone, b } = await pair();
    const shown = { displayName: 'Alice', about: 'at sea', picture: { reference: 'm/1', mediaType: 'image/png' } };
    assert.deepEqual(await profile(b, alice.user), { userId: alice.user, name: alice.name });
    await set(phone, { profile: shown });
    assert.deepEqual((await profile(b, alice.user)).profile, shown);
    await set(phone, { profileRule: { who: 'NOBODY' } });
    assert.equal((await profile(b, alice.user)).profile, undefined);
    await set(phone, { profileRule: { who: 'NOBODY', exceptions: [{ userId: bob.user }] } });
    assert.deepEqual((await profile(b, alice.user)).profile, shown);
    await set(phone, { profileRule: { who: 'CONTACTS' } });
    assert.equal((await profile(b, alice.user)).profile, undefined);
    await set(phone, { chat: { userId: bob.user }, contact: {} });
    assert.deepEqual((await profile(b, alice.user)).profile, shown);
    await set(phone, { chat: { userId: bob.user }, blocked: true });
    assert.equal((await profile(b, alice.user)).profile, undefined);
  });

  it('a block lets nothing through, and the blocked are told nothing', async () => {
    const { alice, bob, phone, laptop, b } = await pair();
    await set(phone, { chat: { userName: bob.name }, blocked: true });
    const { sent } = await b.write(alice.name, 'let me in', 1);
    assert.ok(BigInt(sent.chatNumber) > NO_CURSOR);
    const repeated = (await b.write(alice.name, 'let me in', 1)).sent;
    assert.deepEqual(repeated, { ...sent, duplicate: true });
    assert.deepEqual(await list(laptop, 'BLOCKED'), [{ chat: { userId: bob.user }, blocked: true }]);
    await set(phone, { chat: { userId: bob.user }, blocked: false });
    assert.equal((await b.write(alice.name, 'thanks', 2)).sent.chatNumber, '1');
    assert.equal((await phone.hear()).text, 'thanks');
    assert.equal((await b.event('receipts')).delivered, '1');
    assert.equal((await laptop.event('newMessage')).text, 'thanks');
  });

  it('what the blocked takes back of before goes from all devices, and is answered as ever', async () => {
    const { alice, bob, phone, laptop, b } = await pair();
    const chat = { userId: alice.user };
    const { sent } = await b.ask({ sendMessage: { chat, text: 'regretted' } });
    for (const device of [phone, laptop]) {
      assert.equal((await device.event('newMessage')).text, 'regretted');
    }
    await set(phone, { chat: { userId: bob.user }, blocked: true });
    const { chatNumber, serverTimeMs, handle } = sent;
    const change = (kind, more) => b.ask({ sendMessage: { chat, ...more,
      change: { kind, chatNumber, serverTimeMs, handle } } });
    assert.equal((await change('EDIT', { text: 'insult' })).sent.chatNumber, '1');
    assert.equal((await change('DELETE')).sent.chatNumber, '1');
    for (const device of [phone, laptop]) {
      const { kind, authorUserId } = await device.event('messageChanged');
      assert.deepEqual([kind, authorUserId], ['DELETED', bob.user]);
    }
    assert.equal((await change('DELETE')).sent.duplicate, true);
    await b.settle();
    assert.deepEqual(b.frames.filter((frame) => frame.messageChanged || frame.receipts), []);
  });

  it('what a stranger may do tells him nothing of blocks and mutes', async () => {
    const { alice, bob, phone, b } = await pair();
    const live = async (client, userId) => {
      const { sent, error } = await client.ask({ modifyChat: { chat: { userId }, ttlMs: '86400000' } });
      return sent ? 'sent' : error.code;
    };
    for (const state of [{ blocked: true }, { blocked: false }, { mutedUntilMs: '1' }]) {
      await set(phone, { chat: { userId: bob.user }, ...state });
      assert.equal(await live(b, alice.user), 'NOT_PERMITTED');
    }
    await phone.write(bob.name, 'hello');
    await b.event('newMessage'); // which he has not acknowledged: that he has it will do
    await set(phone, { chat: { userId: bob.user }, blocked: true });
    assert.equal(await live(b, alice.user), 'sent');
    await set(phone, { chat: { userId: bob.user }, blocked: false });
    await b.write(alice.name, 'thanks');
    let message;
    do {
      message = await phone.event('newMessage'); // a copy of her own comes first
    } while (message.text !== 'thanks');
    assert.equal(message.expiresAtMs, undefined); // what he set holds for him alone
  });

  it('read receipts are neither sent nor heard while they are off', async () => {
    const { alice, bob, phone, b } = await pair();
    await set(phone, { readReceipts: false });
    await b.write(alice.name, 'one');
    await phone.hear();
    const mark = { ref: '5', markRead: { chat: { userId: bob.user }, chatNumber: '1' } };
    assert.deepEqual(await phone.ask(mark), { ref: '5', done: {} });
    const told = await b.event('receipts');
    assert.deepEqual([told.delivered, told.read], ['1', undefined]);
    await phone.write(bob.name, 'two');
    await b.hear();
    await b.ask({ ref: '5', markRead: { chat: { userId: alice.user }, chatNumber: '1' } });
    await phone.write(bob.name, 'behind it'); // ticks come in order: when this one's is there, that one's has been
    await b.hear();
    let ticks;
    do {
      ticks = await phone.event('receipts');
    } while (ticks.readerUserId !== bob.user || ticks.delivered !== '2');
    await set(phone, { readReceipts: true });
    await b.write(alice.name, 'three');
    await phone.hear();
    await phone.ask({ ref: '5', markRead: { chat: { userId: bob.user }, chatNumber: '2' } });
    let receipts;
    do {
      receipts = await b.event('receipts');
    } while (receipts.read !== '2');
    const heard = phone.frames.filter((frame) => frame.receipts?.readerUserId === bob.user);
    assert.ok(heard.every((frame) => frame.receipts.read === undefined));
  });

  it('read receipts that are on again are told with the next markRead, also of what it has said before', async () => {
    const { alice, bob, phone, b } = await pair();
    await set(phone, { readReceipts: false });
    await b.write(alice.name, 'one');
    await phone.hear();
    const read = { ref: '5', markRead: { chat: { userId: bob.user }, chatNumber: '1' } };
    await phone.ask(read);
    assert.equal((await b.event('receipts')).read, undefined);
    await set(phone, { readReceipts: true });
    await phone.ask(read);
    assert.equal((await b.event('receipts')).read, '1');
  });

  it('refuses what makes no sense, what is too much, and whom nobody knows', async () => {
    const { bob, b } = await pair();
    const chat = { userId: '7' };
    assert.equal((await refusal(b, { setState: { chat: { userId: bob.user }, blocked: true } })).code,
      'NOT_PERMITTED');
    assert.equal((await refusal(b, { setState: { chat } })).code, 'BAD_FRAME');
    assert.equal((await refusal(b, { setState: { archived: true } })).code, 'BAD_FRAME');
    assert.equal((await refusal(b, { setState: { chat, readReceipts: false } })).code, 'BAD_FRAME');
    assert.equal((await refusal(b, { setState: { chat, draft: { text: 'x'.repeat(8001) } } })).code, 'BAD_FRAME');
    const many = Array.from({ length: 257 }, (_, i) => ({ userId: String(i + 1) }));
    assert.match((await refusal(b, { setState: { onlineRule: { exceptions: many } } })).text, /more than 256/);
    await set(b, { onlineRule: { exceptions: many.slice(1) } });
    assert.equal((await list(b, 'ONLINE_RULE'))[0].onlineRule.exceptions.length, 256);
    assert.equal((await refusal(b, { setState: { chat: { userName: 'nobody' }, pinned: '1' } })).code,
      'UNKNOWN_USER');
    assert.equal((await refusal(b, { getProfile: { chat: { userName: 'nobody' } } })).code, 'UNKNOWN_USER');
    for (let i = 0; i < 299; i += 1) {
      await set(b, { chat: { userId: String(1000 + i) }, archived: true });
    }
    const full = await refusal(b, { setState: { chat, archived: true } });
    assert.equal(full.code, 'TOO_MANY_STATES');
    await set(b, { chat: { userId: '1000' }, archived: false });
    await set(b, { chat, archived: true });
  });

  it('all of it can be exported, a line each', async () => {
    const { alice, bob, phone, b } = await pair();
    await set(phone, { profile: { about: 'at sea' } });
    await set(phone, { chat: { userId: bob.user }, contact: { name: 'Bobby' } });
    await b.write(alice.name, 'for the archive');
    const lines = (await node.linnet(['user', 'export', alice.name])).trim().split('\n').map((row) => JSON.parse(row));
    const kinds = lines.map((row) => Object.keys(row)[0]);
    assert.deepEqual(kinds.slice(0, 6), ['user', 'device', 'device', 'chat', 'state', 'state']);
    assert.equal(lines[0].user.userId, alice.user);
    assert.deepEqual(lines[3].chat, { userId: bob.user, chatNumber: '1', delivered: '0', read: '0',
      peerDelivered: '0', peerRead: '0' });
    assert.deepEqual(lines[4], { state: { chat: { userId: bob.user }, contact: { name: 'Bobby' } } });
    assert.ok(lines.some((row) => row.newMessage?.text === 'for the archive'));
    assert.ok(!JSON.stringify(lines).includes(alice.token));
    const whole = JSON.parse(await node.linnet(['user', 'export', alice.name, '--json']));
    assert.deepEqual(whole, lines);
    await assert.rejects(node.linnet(['user', 'export', 'nobody']), /there is no user 'nobody'/);
  });

  it('goes with the user, who is told when it is done', async () => {
    const { alice, phone, laptop, b } = await pair();
    assert.equal((await refusal(phone, { deleteAccount: { name: 'somebody' } })).code, 'NOT_PERMITTED');
    assert.deepEqual(await phone.ask({ ref: '9', deleteAccount: { name: alice.name } }), { ref: '9', done: {} });
    for (const device of [phone, laptop]) {
      assert.equal((await within(device.closed, 'the close')).code, 4003);
    }
    assert.equal((await refusal(b, { getProfile: { chat: { userId: alice.user } } })).code, 'UNKNOWN_USER');
    const again = await node.addUser(alice.name);
    assert.notEqual(again, alice.user);
    assert.equal(await node.metric('accounts_deleted_total') > 0, true);
  });

  it('a user without a device leaves by password, before any login', async () => {
    const user = await node.addUser('leaver');
    const client = await Client.open(node.url);
    assert.equal((await refusal(client, { deleteAccount: { name: 'leaver', password: 'a guess' } })).code,
      'WRONG_CREDENTIALS');
    assert.equal((await refusal(client, { listStates: {} })).code, 'UNAUTHENTICATED');
    assert.deepEqual(await client.ask({ ref: '1', deleteAccount: { name: 'leaver', password: 'pw-leaver' } }),
      { ref: '1', done: {} });
    assert.equal((await within(client.closed, 'the close')).code, 4003);
    assert.notEqual(await node.addUser('leaver'), user);
  });
});
