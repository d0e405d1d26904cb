// SPDX-License-Identifier: Apache-2.0
// A group with npm's ws: made, written to, read, changed, joined by invitation, looked at, deleted, and none the worse
// for a node that is killed.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Linnetd } from './linnetd.mjs';
import { Client } from './client.mjs';

const NAMES = ['alice', 'bob', 'carol', 'dave'];

describe('a group', () => {
  let node;
  let rounds = 0;
  before(async () => {
    node = await Linnetd.start('--group-members-max', '4');
  });
  after(() => node.remove());

  // New users, each with a connection: [alice, bob, carol, dave], each with name, user, token, client.
  async function people() {
    rounds += 1;
    const names = NAMES.map((name) => `${name}${rounds}`);
    const imported = await node.importUsers(...names);
    return Promise.all(names.map(async (name) => {
      const { user, token } = imported[name];
      return { name, user, token, client: await Client.welcomed(node.url, { token }) };
    }));
  }

  function leave(everybody) {
    return Promise.all(everybody.map(({ client }) => client.close()));
  }

  async function group(owner, ...others) {
    const participants = others.map(({ name }) => ({ userName: name }));
    const { chat } = await owner.client.ask({ createChat: { name: 'walkers', participants } });
    for (const person of [owner, ...others]) {
      const update = await person.client.event('chatUpdate');
      assert.equal(update.chat.groupId, chat.chat.groupId);
      assert.deepEqual(update.created, { name: 'walkers' });
    }
    return chat.chat;
  }

  function change(person, chat, what) {
    return person.client.ask({ modifyChat: { chat, ...what } });
  }

  it('is told of in the welcome, and made for all of its members', async () => {
    const [alice, bob, carol, dave] = await people();
    assert.equal(alice.client.welcome.limits.groupMembersMax, '4');
    const chat = await group(alice, bob, carol);
    const { members } = await bob.client.ask({ getChatMembers: { chat } });
    const roles = Object.fromEntries(members.members.map(({ userId, role }) => [userId, role]));
    assert.deepEqual(roles, { [alice.user]: 'OWNER', [bob.user]: 'MEMBER', [carol.user]: 'MEMBER' });
    const { error } = await dave.client.ask({ getChatMembers: { chat } });
    assert.equal(error.code, 'UNKNOWN_CHAT');
    await leave([alice, bob, carol, dave]);
  });

  it('shows all the same messages, numbered over all who write', async () => {
    const [alice, bob, carol, dave] = await people();
    const chat = await group(alice, bob, carol);
    const first = await alice.client.ask({ sendMessage: { chat, text: 'one' } });
    const second = await bob.client.ask({ sendMessage: { chat, text: 'two' } });
    assert.deepEqual([first.sent.chatNumber, second.sent.chatNumber], ['1', '2']);
    const heard = [await carol.client.hear(), await carol.client.hear()];
    assert.deepEqual(heard.map(({ text, chatNumber }) => [chatNumber, text]), [['1', 'one'], ['2', 'two']]);
    assert.deepEqual(heard[0].chat, chat);
    assert.deepEqual(heard[0].sender, { userId: alice.user, name: alice.name, device: 1 });
    assert.deepEqual(heard[0].id, first.sent.id);
    await leave([alice, bob, carol, dave]);
  });

  it('shows a command that is repeated under its number once', async () => {
    const [alice, bob, carol, dave] = await people();
    const number = alice.client.welcome.nextCommand;
    const create = { number, createChat: { name: 'walkers', participants: [{ userId: bob.user }] } };
    const made = await alice.client.ask(create);
    const again = await alice.client.ask(create);
    assert.deepEqual(again.chat, { ...made.chat, duplicate: true });
    const chat = made.chat.chat;
    const later = String(BigInt(number) + 1n);
    const rename = { number: later, modifyChat: { chat, name: 'runners' } };
    const renamed = await alice.client.ask(rename);
    assert.equal(renamed.chat.duplicate, undefined);
    assert.deepEqual((await alice.client.ask(rename)).chat, { ...renamed.chat, duplicate: true });
    const invite = { number: String(BigInt(number) + 2n), modifyChat: { chat, invite: {} } };
    const invited = await alice.client.ask(invite);
    assert.deepEqual((await alice.client.ask(invite)).chat, { ...invited.chat, duplicate: true });
    assert.deepEqual((await bob.client.event('chatUpdate')).created, { name: 'walkers' });
    const { name, update } = await bob.client.event('chatUpdate');
    assert.deepEqual([name, update], ['runners', renamed.chat.update]);
    assert.equal((await bob.client.event('chatUpdate')).update, invited.chat.update);
    await bob.client.settle();
    assert.equal(bob.client.kept.length, 0);
    await leave([alice, bob, carol, dave]);
  });

  it('tells who wrote how many have it and have read it', async () => {
    const [alice, bob, carol, dave] = await people();
    const chat = await group(alice, bob, carol);
    await alice.client.ask({ sendMessage: { chat, text: 'one' } });
    await bob.client.hear();
    await carol.client.hear();
    bob.client.send({ markRead: { chat, chatNumber: '1' } });
    let receipts;
    do {
      receipts = await alice.client.event('groupReceipts');
    } while (receipts.counts?.[0]?.delivered !== 2 || receipts.counts[0].read !== 1);
    assert.deepEqual([receipts.chat, receipts.members, receipts.deliveredAll], [chat, 3, '1']);
    const { members } = await alice.client.ask({ getMessageInfo: { chat, chatNumber: '1' } });
    const read = Object.fromEntries(members.members.map((member) => [member.userId, member.read]));
    assert.deepEqual(read, { [bob.user]: '1', [carol.user]: undefined });
    const refused = await bob.client.ask({ getMessageInfo: { chat, chatNumber: '1' } });
    assert.equal(refused.error.code, 'NOT_PERMITTED');
    const { members: shown } = await bob.client.ask({ getChatMembers: { chat } });
    for (const { userId, delivered, read: his } of shown.members) {
      assert.deepEqual([delivered, his], userId === bob.user ? ['1', '1'] : [undefined, undefined]);
    }
    await leave([alice, bob, carol, dave]);
  });

  it('has messages that are edited by their authors, and deleted by admins, too', async () => {
    const [alice, bob, carol, dave] = await people();
    const chat = await group(alice, bob, carol);
    let number = BigInt(bob.client.welcome.nextCommand);
    const revise = (kind, chatNumber, text) => {
      number += 1n;
      const change = { kind, chatNumber };
      return { number: String(number), sendMessage: { chat, change, ...(text && { text }) } };
    };
    const { sent } = await bob.client.ask({ sendMessage: { chat, text: 'helo' } });
    await carol.client.hear();
    const command = revise('EDIT', sent.chatNumber, 'hello');
    const first = await bob.client.ask(command);
    assert.equal((await bob.client.ask(command)).sent.duplicate, true);
    const changed = await carol.client.event('messageChanged');
    assert.deepEqual(changed, {
      inboxNumber: changed.inboxNumber,
      id: first.sent.id,
      chat,
      kind: 'EDITED',
      authorUserId: bob.user,
      chatNumber: sent.chatNumber,
      sender: { userId: bob.user, name: bob.name, device: 1 },
      serverTimeMs: first.sent.serverTimeMs,
      text: 'hello',
    });
    const ask = async (who, what) => (await who.client.ask({ sendMessage: what.sendMessage })).error?.code;
    assert.equal(await ask(carol, revise('EDIT', '1', 'mine')), 'NOT_PERMITTED');
    assert.equal(await ask(carol, revise('DELETE', '1')), 'NOT_PERMITTED');
    assert.equal(await ask(dave, revise('EDIT', '1', 'mine')), 'UNKNOWN_CHAT');
    assert.equal(await ask(bob, revise('EDIT', '2', 'none')), 'OUT_OF_RANGE');
    // Whoever was away when an admin deleted it is not given it any more.
    await carol.client.close();
    await bob.client.ask({ sendMessage: { chat, text: 'a secret' } });
    assert.equal(await ask(alice, revise('DELETE', '2')), undefined);
    assert.equal(await ask(bob, revise('EDIT', '2', 'again')), 'GONE');
    carol.client = await Client.welcomed(node.url, { token: carol.token });
    let message;
    do {
      message = await carol.client.event('newMessage');
    } while (message.chatNumber !== '2');
    assert.deepEqual([message.deleted, message.text], [true, undefined]);
    let deleted;
    do {
      deleted = await carol.client.event('messageChanged');
    } while (deleted.kind !== 'DELETED');
    assert.deepEqual([deleted.authorUserId, deleted.sender.userId], [bob.user, alice.user]);
    const hide = { chat, authorUserId: bob.user, chatNumber: '1' };
    assert.ok((await carol.client.ask({ hideMessage: hide })).sent);
    assert.equal((await carol.client.event('messageChanged')).kind, 'HIDDEN');
    assert.equal((await dave.client.ask({ hideMessage: hide })).error.code, 'UNKNOWN_CHAT');
    await leave([alice, bob, carol, dave]);
  });

  it('is joined by an invitation, up to its limit', async () => {
    const [alice, bob, carol, dave] = await people();
    const chat = await group(alice, bob);
    const { chat: { invite } } = await change(alice, chat, { invite: {} });
    assert.match(invite, /^[\w-]{32}$/);
    assert.deepEqual((await carol.client.ask({ joinChat: { invite } })).chat.chat, chat);
    assert.deepEqual((await carol.client.event('chatUpdate')).joined, {});
    assert.deepEqual((await dave.client.ask({ joinChat: { invite } })).chat.chat, chat);
    const imported = await node.importUsers(`erin${rounds}`);
    const { token } = imported[`erin${rounds}`];
    const erin = await Client.welcomed(node.url, { token });
    assert.equal((await erin.ask({ joinChat: { invite } })).error.code, 'GROUP_FULL');
    const many = [alice, bob, carol, dave].map(({ user }) => ({ userId: user }));
    assert.equal((await erin.ask({ createChat: { name: 'all', participants: many } })).error.code, 'GROUP_FULL');
    await change(alice, chat, { revokeInvite: {} });
    assert.equal((await erin.ask({ joinChat: { invite } })).error.code, 'INVITE_INVALID');
    await erin.close();
    await leave([alice, bob, carol, dave]);
  });

  it('is left, and deleted', async () => {
    const [alice, bob, carol, dave] = await people();
    const chat = await group(alice, bob, carol);
    await change(bob, chat, { leave: {} });
    assert.deepEqual((await carol.client.event('chatUpdate')).left, {});
    const refused = await bob.client.ask({ sendMessage: { chat, text: 'still here?' } });
    assert.equal(refused.error.code, 'NOT_PERMITTED');
    await change(alice, chat, { deleteChat: {} });
    assert.deepEqual((await carol.client.event('chatUpdate')).deleted, {});
    const { groups } = await carol.client.ask({ listGroups: {} });
    assert.deepEqual(groups.groups.map(({ chat: which, gone }) => [which, gone]), [[chat, true]]);
    assert.equal((await alice.client.ask({ sendMessage: { chat, text: 'hello?' } })).error.code, 'UNKNOWN_CHAT');
    await leave([alice, bob, carol, dave]);
  });

  it('is the same after the node was killed', async () => {
    const [alice, bob, carol, dave] = await people();
    const chat = await group(alice, bob, carol);
    await change(alice, chat, { add: { participants: [{ userName: dave.name }] } });
    await alice.client.ask({ sendMessage: { chat, text: 'before' } });
    node.process.kill('SIGKILL');
    await node.ended;
    await node.begin(['--group-members-max', '4']);
    const client = await Client.welcomed(node.url, { token: dave.token });
    const update = await client.event('chatUpdate');
    assert.deepEqual([update.added.participants, update.members], [[{ userId: dave.user }], 4]);
    assert.equal((await client.hear()).text, 'before');
    const { sent } = await client.ask({ sendMessage: { chat, text: 'after' } });
    assert.equal(sent.chatNumber, '2');
    const { chat: info } = await client.ask({ getChat: { chat } });
    assert.deepEqual([info.name, info.members, info.role, info.chatNumber], ['walkers', 4, 'MEMBER', '2']);
    await client.close();
  });
});

describe('a large group', () => {
  let node;
  before(async () => {
    node = await Linnetd.start();
  });
  after(() => node.remove());

  it('is made of more people than one command may add, strangers all of them', async () => {
    const names = Array.from({ length: 600 }, (_, i) => `member${i}`);
    const imported = await node.importUsers(...names);
    const first = await Client.welcomed(node.url, { token: imported.member0.token });
    const last = await Client.welcomed(node.url, { token: imported.member599.token });
    const participants = names.slice(1).map((name) => ({ userId: imported[name].user }));
    const { chat } = await first.ask({ createChat: { name: 'everybody', participants } });
    assert.equal((await last.event('chatUpdate')).chat.groupId, chat.chat.groupId);
    const { sent } = await first.ask({ sendMessage: { chat: chat.chat, text: 'hello, all' } });
    assert.equal(sent.chatNumber, '1');
    assert.equal((await last.event('newMessage')).text, 'hello, all');
    await Promise.all([first.close(), last.close()]);
  });
});
