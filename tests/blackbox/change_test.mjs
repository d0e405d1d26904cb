// SPDX-License-Identifier: Apache-2.0
// Messages that are edited, deleted, hidden, or disappear, as a stock client sees them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Linnetd } from './linnetd.mjs';
import { Client } from './client.mjs';

describe('a message', () => {
  let node;
  let alice;
  let bob;
  let number = 0;

  before(async () => {
    node = await Linnetd.start('--edit-window-ms', '1500', '--delete-window-ms', '60000');
    const people = await node.importUsers('alice', 'bob');
    alice = await Client.welcomed(node.url, { token: people.alice.token });
    bob = await Client.welcomed(node.url, { token: people.bob.token });
    alice.user = people.alice.user;
    bob.user = people.bob.user;
  });
  after(async () => {
    await Promise.all([alice.close(), bob.close()]);
    await node.remove();
  });

  function change(kind, { chatNumber, serverTimeMs, handle }, text) {
    number += 1;
    const command = { chat: { userId: bob.user }, change: { kind, chatNumber, serverTimeMs, handle } };
    return { number: String(number), sendMessage: { ...command, ...(text && { text }) } };
  }

  it('is edited by its author, once however often it is said', async () => {
    const { sent } = await alice.write('bob', 'helo');
    await bob.hear();
    const command = change('EDIT', sent, 'hello');
    const first = await alice.ask(command);
    const again = await alice.ask(command);
    assert.equal(again.sent.duplicate, true);
    assert.equal(again.sent.serverTimeMs, first.sent.serverTimeMs);
    const changed = await bob.event('messageChanged');
    assert.deepEqual(changed, {
      inboxNumber: changed.inboxNumber,
      id: first.sent.id,
      chat: { userId: alice.user },
      kind: 'EDITED',
      authorUserId: alice.user,
      chatNumber: sent.chatNumber,
      sender: { userId: alice.user, name: 'alice', device: alice.welcome.device },
      serverTimeMs: first.sent.serverTimeMs,
      text: 'hello',
    });
    bob.send({ ack: { inboxNumber: changed.inboxNumber } });
    await bob.settle();
    assert.equal(bob.kept.filter((frame) => frame.messageChanged).length, 0);
  });

  it('is not edited by another, too late, or when it was deleted', async () => {
    const { sent } = await alice.write('bob', 'mine');
    await bob.hear();
    const theirs = change('EDIT', sent, 'yours');
    theirs.sendMessage.chat = { userId: alice.user };
    assert.equal((await bob.ask(theirs)).error.code, 'NOT_PERMITTED');
    assert.equal((await alice.ask(change('DELETE', sent))).error, undefined);
    assert.equal((await alice.ask(change('EDIT', sent, 'again'))).error.code, 'GONE');
    assert.equal((await bob.event('messageChanged')).kind, 'DELETED');
    const { sent: old } = await alice.write('bob', 'old');
    await bob.hear();
    await sleep(1600); // the node's own window passes
    assert.equal((await alice.ask(change('EDIT', old, 'new'))).error.code, 'TOO_LATE');
  });

  it('that was deleted before it was fetched is given to nobody', async () => {
    await bob.settle();
    const { token } = (await node.importUsers('carol')).carol;
    const { sent } = await alice.write('carol', 'a secret');
    const edit = change('EDIT', sent, 'a better secret');
    edit.sendMessage.contentKind = 7;
    const command = change('DELETE', sent);
    for (const one of [edit, command]) {
      one.sendMessage.chat = { userName: 'carol' };
      assert.ok((await alice.ask(one)).sent);
    }
    const carol = await Client.welcomed(node.url, { token });
    const message = await carol.event('newMessage');
    assert.equal(message.deleted, true);
    assert.equal(message.text, undefined);
    assert.equal(message.contentKind, undefined);
    assert.equal((await carol.event('messageChanged')).kind, 'DELETED');
    await carol.close();
  });

  it('is hidden on the own devices alone', async () => {
    const { sent } = await alice.write('bob', 'look away');
    await bob.hear();
    const hide = { chat: { userName: 'alice' }, authorUserId: alice.user, chatNumber: sent.chatNumber };
    assert.ok((await bob.ask({ number: '900', hideMessage: hide })).sent);
    const hidden = await bob.event('messageChanged');
    assert.equal(hidden.kind, 'HIDDEN');
    assert.deepEqual(hidden.chat, { userId: alice.user });
    await alice.settle();
    assert.equal(alice.frames.filter((frame) => frame.messageChanged?.kind === 'HIDDEN').length, 0);
    const early = { ...hide, chatNumber: String(Number(sent.chatNumber) + 1) };
    assert.equal((await bob.ask({ hideMessage: early })).error.code, 'OUT_OF_RANGE');
  });

  it('disappears when the chat says so, whichever of the two has set it', async () => {
    const { erik, fred } = await node.importUsers('erik', 'fred');
    const one = await Client.welcomed(node.url, { token: erik.token });
    const other = await Client.welcomed(node.url, { token: fred.token });
    const set = { modifyChat: { chat: { userName: 'fred' }, ttlMs: '1000' } };
    assert.equal((await one.ask(set)).error.code, 'NOT_PERMITTED'); // they have not met
    await one.write('fred', 'hello');
    await other.hear();
    const { sent } = await one.ask(set);
    const update = await other.event('chatUpdate');
    assert.deepEqual(update, {
      inboxNumber: update.inboxNumber,
      chat: { userId: erik.user },
      serverTimeMs: sent.serverTimeMs,
      authorUserId: erik.user,
      ttlMs: '1000',
    });
    await other.settle();
    await one.write('fred', 'brief');
    const brief = await other.hear();
    assert.equal(BigInt(brief.expiresAtMs), BigInt(brief.serverTimeMs) + 1000n);
    const { chats } = await other.ask({ listChats: {} });
    assert.equal(chats.chats[0].ttlMs, '1000');
    await one.close();
    await other.write('erik', 'brief, too');
    await sleep(1100); // its time passes
    const again = await Client.welcomed(node.url, { token: erik.token });
    await again.settle();
    assert.equal(again.frames.filter((frame) => frame.newMessage).length, 0);
    await Promise.all([again.close(), other.close()]);
  });

  it('disappears when its time has come', async () => {
    const { token } = (await node.importUsers('dora')).dora;
    const { sent } = await alice.ask({ sendMessage: { chat: { userName: 'dora' }, text: 'soon gone', ttlMs: '1000' } });
    const edits = ['soon gone, too', 'too late'].map((text) => change('EDIT', sent, text));
    edits.forEach(({ sendMessage }) => { sendMessage.chat = { userName: 'dora' }; });
    assert.ok((await alice.ask(edits[0])).sent);
    await alice.write('dora', 'stays');
    await sleep(1100); // the message's own time passes
    assert.equal((await alice.ask(edits[1])).error.code, 'GONE');
    const dora = await Client.welcomed(node.url, { token });
    assert.equal((await dora.hear()).text, 'stays');
    await dora.settle();
    assert.equal(dora.frames.filter((frame) => frame.newMessage).length, 1);
    assert.equal(dora.frames.filter((frame) => frame.messageChanged).length, 0);
    assert.ok(BigInt(sent.serverTimeMs) > 0n);
    await dora.close();
  });
});
