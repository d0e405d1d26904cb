// SPDX-License-Identifier: Apache-2.0
// What may become of a group, by whom, and what everybody is told of it: roles, rights, how it is called; and what a
// member misses who has no room.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Linnetd } from './linnetd.mjs';
import { Client } from './client.mjs';

const NAMES = ['alice', 'bob', 'carol', 'dave'];
const of = (...people) => ({ participants: people.map(({ user }) => ({ userId: user })) });

describe('a change of a group', () => {
  let node;
  let rounds = 0;
  let alice; // owner
  let bob; // member
  let carol; // member
  let dave; // stranger
  let chat;
  before(async () => {
    node = await Linnetd.start();
  });
  after(() => node.remove());

  // New users, and a group of the first three.
  async function begin() {
    rounds += 1;
    const names = NAMES.map((name) => `${name}${rounds}`);
    const imported = await node.importUsers(...names);
    [alice, bob, carol, dave] = await Promise.all(names.map(async (name) => {
      const { user, token } = imported[name];
      return { name, user, token, client: await Client.welcomed(node.url, { token }) };
    }));
    const made = await alice.client.ask({ createChat: { name: 'walkers', ...of(bob, carol) } });
    chat = made.chat.chat;
    for (const person of [alice, bob, carol]) {
      assert.deepEqual((await person.client.event('chatUpdate')).created, { name: 'walkers' });
    }
  }

  function end() {
    return Promise.all([alice, bob, carol, dave].map(({ client }) => client.close()));
  }

  // The code that this person's change is refused with; undefined: it was done.
  async function refusal(person, what) {
    return (await person.client.ask({ modifyChat: { chat, ...what } })).error?.code;
  }

  // This person's change is done, and all of them are told the same of it.
  async function done(person, what, ...told) {
    const answer = await person.client.ask({ modifyChat: { chat, ...what } });
    assert.equal(answer.error, undefined);
    const updates = await Promise.all(told.map(({ client }) => client.event('chatUpdate')));
    for (const update of updates) {
      assert.ok(BigInt(update.inboxNumber) > 0n);
      delete update.inboxNumber; // each one's own
      assert.deepEqual([update.update, update.authorUserId], [answer.chat.update, person.user]);
      assert.deepEqual(update, updates[0]);
    }
    return updates[0];
  }

  async function roles(person) {
    const { members } = await person.client.ask({ getChatMembers: { chat } });
    return Object.fromEntries(members.members.map(({ userId, role }) => [userId, role]));
  }

  it('makes admins and owners, and members of them again', async () => {
    await begin();
    const all = [alice, bob, carol];
    assert.deepEqual((await done(alice, { promote: of(bob) }, ...all)).promoted, of(bob));
    assert.deepEqual(await roles(carol), { [alice.user]: 'OWNER', [bob.user]: 'ADMIN', [carol.user]: 'MEMBER' });
    assert.deepEqual((await done(bob, { promote: of(carol) }, ...all)).promoted, of(carol));
    assert.deepEqual((await done(bob, { demote: of(carol) }, ...all)).demoted, of(carol));
    assert.deepEqual((await done(alice, { entitle: of(bob) }, ...all)).entitled, of(bob));
    assert.deepEqual(await roles(carol), { [alice.user]: 'OWNER', [bob.user]: 'OWNER', [carol.user]: 'MEMBER' });
    assert.deepEqual((await done(bob, { demote: of(alice) }, ...all)).demoted, of(alice));
    assert.deepEqual(await roles(alice), { [alice.user]: 'MEMBER', [bob.user]: 'OWNER', [carol.user]: 'MEMBER' });
    await end();
  });

  it('is refused by role, and tells nobody then', async () => {
    await begin();
    const admins = [{ remove: of(carol) }, { promote: of(carol) }, { demote: of(carol) }, { invite: {} },
      { revokeInvite: {} }, { rights: { onlyAdminsSend: true } }];
    const owners = [{ entitle: of(carol) }, { deleteChat: {} }, { remove: of(alice) }, { demote: of(alice) }];
    for (const what of [...admins, ...owners]) {
      assert.equal(await refusal(bob, what), 'NOT_PERMITTED', JSON.stringify(what));
    }
    assert.equal(await refusal(alice, { demote: of(alice) }), 'NOT_PERMITTED'); // the last owner
    for (const what of [{ name: 'mine' }, { add: of(dave) }, { leave: {} }]) {
      assert.equal(await refusal(dave, what), 'UNKNOWN_CHAT', JSON.stringify(what));
    }
    await done(alice, { promote: of(bob) }, alice, bob, carol);
    for (const what of owners) {
      assert.equal(await refusal(bob, what), 'NOT_PERMITTED', JSON.stringify(what));
    }
    await carol.client.settle();
    assert.deepEqual(carol.client.kept, []);
    const { chat: info } = await bob.client.ask({ getChat: { chat } });
    assert.deepEqual([info.name, info.members, info.role, info.update], ['walkers', 3, 'ADMIN', '2']);
    await end();
  });

  it('of somebody who is no member is refused as a whole', async () => {
    await begin();
    for (const what of ['promote', 'demote', 'entitle']) {
      assert.equal(await refusal(alice, { [what]: of(bob, dave) }), 'NOT_A_MEMBER', what);
    }
    const nobody = { participants: [{ userName: 'nobody at all' }] };
    for (const what of ['add', 'remove', 'promote']) {
      assert.equal(await refusal(alice, { [what]: nobody }), 'UNKNOWN_USER', what);
    }
    assert.deepEqual(await roles(bob), { [alice.user]: 'OWNER', [bob.user]: 'MEMBER', [carol.user]: 'MEMBER' });
    await bob.client.settle();
    assert.deepEqual(bob.client.kept, []);
    await end();
  });

  it('that was accepted is answered again when who it took in is gone, and so is a creation', async () => {
    await begin();
    const { client } = alice;
    const named = { participants: [{ userName: dave.name }, { userId: carol.user }] };
    const made = await client.ask({ number: '1', createChat: { name: 'more', participants: named.participants } });
    const change = { modifyChat: { chat, add: { participants: [{ userName: dave.name }] } } };
    const added = await client.ask({ number: '2', ...change });
    await dave.client.ask({ deleteAccount: { name: dave.name } });
    for (const who of [{ userName: dave.name }, { userId: dave.user }]) {
      const participants = [{ userId: carol.user }, who];
      const again = await client.ask({ number: '1', createChat: { name: 'more', participants } });
      assert.deepEqual(again.chat, { chat: made.chat.chat, duplicate: true });
      const still = await client.ask({ number: '2', modifyChat: { chat, add: { participants } } });
      assert.deepEqual(still.chat, { chat, update: added.chat.update, duplicate: true });
      const anew = await client.ask({ number: '3', createChat: { name: 'anew', participants } });
      assert.deepEqual([anew.error.code, anew.error.text],
        ['UNKNOWN_USER', 'createChat.participants[1]: no such user']);
      const more = await client.ask({ number: '3', modifyChat: { chat, add: { participants } } });
      assert.deepEqual([more.error.code, more.error.text],
        ['UNKNOWN_USER', 'modifyChat.add.participants[1]: no such user']);
    }
    const gone = { participants: [{ userName: dave.name }] };
    const out = await client.ask({ number: '4', modifyChat: { chat, remove: gone } });
    assert.equal(out.error.text, 'modifyChat.remove.participants[0]: no such user');
    await end();
  });

  it('of members who are in it already is passed over, oneself among them', async () => {
    await begin();
    for (const who of [of(alice), of(bob), of(alice, carol)]) {
      const { chat: answer } = await alice.client.ask({ modifyChat: { chat, add: who } });
      assert.deepEqual([answer.chat, answer.update], [chat, '1']);
    }
    await bob.client.settle();
    assert.deepEqual(bob.client.kept, []);
    const oneself = await alice.client.ask({ modifyChat: { chat, remove: of(alice) } });
    assert.equal(oneself.error.code, 'NOT_EXPECTED'); // who leaves says so
    await end();
  });

  it('takes members in and out: who is out is told so, and of nothing behind it', async () => {
    await begin();
    const added = await done(bob, { add: of(dave, carol) }, alice, bob, carol, dave);
    assert.deepEqual([added.added, added.members], [of(dave), 4]); // who is in is passed over
    const removed = await done(alice, { remove: of(carol) }, alice, bob, carol, dave);
    assert.deepEqual([removed.removed, removed.members], [of(carol), 3]);
    assert.ok((await alice.client.ask({ sendMessage: { chat, text: 'without carol' } })).sent);
    assert.equal((await dave.client.hear()).text, 'without carol');
    await carol.client.settle();
    assert.deepEqual(carol.client.kept, []);
    assert.equal((await carol.client.ask({ sendMessage: { chat, text: 'hello?' } })).error.code, 'NOT_PERMITTED');
    assert.equal(await refusal(carol, { name: 'mine' }), 'NOT_PERMITTED');
    const { groups } = await carol.client.ask({ listGroups: {} });
    assert.deepEqual(groups.groups.map(({ chat: which, gone }) => [which, gone]), [[chat, true]]);
    await end();
  });

  it('leaves sending, adding and editing to admins', async () => {
    await begin();
    const rights = { onlyAdminsSend: true, onlyAdminsAdd: true, onlyAdminsEdit: true };
    const say = async (person) => (await person.client.ask({ sendMessage: { chat, text: 'x' } })).error?.code;
    assert.deepEqual((await done(alice, { rights }, alice, bob, carol)).rights, rights);
    assert.deepEqual((await bob.client.ask({ getChat: { chat } })).chat.rights, rights);
    const kept = [{ add: of(dave) }, { name: 'mine' }, { description: 'mine' }, { picture: 'm/1' }, { ttlMs: '1000' }];
    for (const what of kept) {
      assert.equal(await refusal(bob, what), 'NOT_PERMITTED', JSON.stringify(what));
    }
    assert.equal(await say(bob), 'NOT_PERMITTED');
    assert.equal(await say(alice), undefined);
    await done(alice, { promote: of(bob) }, alice, bob, carol);
    assert.equal(await say(bob), undefined);
    await done(bob, { name: 'ours' }, alice, bob, carol);
    assert.deepEqual((await done(bob, { rights: {} }, alice, bob, carol)).rights, {});
    assert.equal(await say(carol), undefined);
    await done(carol, { add: of(dave) }, alice, bob, carol, dave);
    await end();
  });

  it('gives it another name, description and picture, told to all and shown to who asks', async () => {
    await begin();
    const looks = { name: 'runners', description: 'every morning \u{1f426}', picture: 'media/42' };
    for (const [what, value] of Object.entries(looks)) {
      assert.equal((await done(bob, { [what]: value }, alice, bob, carol))[what], value);
    }
    const ttl = await done(carol, { ttlMs: '60000' }, alice, bob, carol);
    assert.equal(ttl.ttlMs, '60000');
    const { chat: info } = await carol.client.ask({ getChat: { chat } });
    const { name, description, picture, ttlMs, creatorUserId, update } = info;
    assert.deepEqual({ name, description, picture }, looks);
    assert.deepEqual([ttlMs, creatorUserId, update], ['60000', alice.user, '5']);
    const { sent } = await alice.client.ask({ sendMessage: { chat, text: 'for a minute' } });
    const { expiresAtMs } = await bob.client.hear();
    assert.equal(BigInt(expiresAtMs), BigInt(sent.serverTimeMs) + 60000n);
    for (const name of ['', 'x'.repeat(101), 'a\nb']) {
      assert.equal(await refusal(alice, { name }), 'NAME_INVALID');
    }
    for (const what of [{ description: 'x'.repeat(513) }, { picture: 'x'.repeat(129) }, { ttlMs: '999' }]) {
      assert.equal(await refusal(alice, what), 'BAD_FRAME', Object.keys(what)[0]);
    }
    await end();
  });

  it('has an owner after each change, in whatever words it is asked', async () => {
    await begin();
    const all = [alice, bob, carol];
    await done(alice, { entitle: of(bob) }, ...all);
    assert.equal(await refusal(bob, { demote: of(alice, bob) }), 'NOT_PERMITTED');
    await done(alice, { remove: of(bob) }, ...all);
    for (const what of [{ demote: of(alice, carol) }, { leave: {} }]) {
      assert.equal(await refusal(alice, what), 'NOT_PERMITTED', JSON.stringify(what));
    }
    await done(alice, { entitle: of(carol) }, alice, carol);
    await done(alice, { leave: {} }, alice, carol);
    assert.deepEqual(await roles(carol), { [carol.user]: 'OWNER' });
    await end();
  });
});

describe('a group whose member has no room', () => {
  it('goes on, and tells the member which messages are missing', async (t) => {
    const node = await Linnetd.start('--inbox-entries-max', '5');
    t.after(() => node.remove());
    const people = await node.importUsers('alice', 'bob');
    const alice = await Client.welcomed(node.url, people.alice);
    const participants = [{ userName: 'bob' }];
    const { chat: { chat } } = await alice.ask({ createChat: { name: 'walkers', participants } });
    const count = 12;
    for (let i = 1; i <= count; i += 1) {
      assert.equal((await alice.ask({ sendMessage: { chat, text: `${i}` } })).sent.chatNumber, `${i}`);
    }
    const bob = await Client.welcomed(node.url, people.bob);
    const gap = await bob.event('chatGap');
    assert.deepEqual(gap.chat, chat);
    assert.equal(gap.toChatNumber, `${count}`);
    const heard = bob.frames.filter((frame) => frame.newMessage).map((frame) => Number(frame.newMessage.chatNumber));
    assert.deepEqual(heard, Array.from({ length: Number(gap.fromChatNumber) - 1 }, (_, i) => i + 1));
    await bob.ask({ ref: '1', ack: { inboxNumber: gap.inboxNumber } });
    const { chat: info } = await bob.ask({ getChat: { chat } });
    assert.deepEqual([info.name, info.chatNumber], ['walkers', `${count}`]);
    await alice.ask({ sendMessage: { chat, text: 'after' } });
    let message;
    do {
      message = await bob.event('newMessage');
    } while (message.text !== 'after');
    assert.equal(message.chatNumber, `${count + 1}`);
    await Promise.all([alice.close(), bob.close()]);
  });
});
