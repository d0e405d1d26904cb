// SPDX-License-Identifier: Apache-2.0
// What was said before, asked for with npm's ws: by a device that was not there yet, page by page, both ways.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Linnetd } from './linnetd.mjs';
import { Client } from './client.mjs';

describe('a history', () => {
  let node;
  before(async () => {
    node = await Linnetd.start('--history-days', '30');
  });
  after(() => node.remove());

  // The rows that come before the answer, of messages their texts, and the answer.
  async function page(client, question) {
    const before = client.frames.length;
    const { history } = await client.ask({ getHistory: question });
    const rows = client.frames.slice(before).filter((frame) => {
      const told = frame.newMessage ?? frame.chatUpdate ?? frame.call;
      return told && !told.inboxNumber;
    });
    assert.equal(rows.length, Number(history.count ?? 0));
    client.kept = client.kept.filter((frame) => !rows.includes(frame));
    const texts = rows.filter(({ newMessage }) => newMessage).map(({ newMessage }) => newMessage.text);
    return { rows, texts, ...history };
  }

  async function chatOfTwo(...names) {
    await Promise.all(names.map((name) => node.addUser(name)));
    const [alice, bob] = await Promise.all(names.map((name) => Client.login(node.url, name)));
    for (let i = 0; i < 3; i += 1) {
      await alice.write(names[1], `a${i}`);
      await bob.hear();
      await bob.write(names[0], `b${i}`);
      await alice.hear();
    }
    const users = [alice, bob].map((client) => client.welcome.userId);
    // What one wrote comes into one's own history on the way of copies, a moment after it was sent.
    while ((await page(bob, { chat: { userId: users[0] } })).texts.length < 6);
    while ((await page(alice, { chat: { userId: users[1] } })).texts.length < 6);
    return { alice, bob, users };
  }

  it('is told of in the welcome', async () => {
    const imported = await node.importUsers('anna');
    const anna = await Client.welcomed(node.url, imported.anna);
    assert.equal(anna.welcome.limits.historyDays, '30');
    await anna.close();
  });

  it('is there for a new device, though all others have everything, from newer to older', async () => {
    const { alice, bob, users } = await chatOfTwo('alice', 'bob');
    await alice.close();
    const fresh = await Client.login(node.url, 'alice');
    const chat = { userId: users[1] };
    const first = await page(fresh, { chat, max: 4 });
    assert.deepEqual(first.texts, ['b2', 'a2', 'b1', 'a1']);
    const second = await page(fresh, { chat, max: 4, from: first.next });
    assert.deepEqual(second.texts, ['b0', 'a0']);
    assert.equal(second.next, undefined);
    assert.equal(second.peerDelivered, '3');
    await Promise.all([fresh.close(), bob.close()]);
  });

  it('goes forwards, too, and by sender', async () => {
    const { alice, bob, users } = await chatOfTwo('carol', 'dave');
    const forward = await page(bob, { chat: { userId: users[0] }, forward: true });
    assert.deepEqual(forward.texts, ['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
    const own = await page(bob, { chat: { userName: 'carol' }, senderUserId: users[1] });
    assert.deepEqual(own.texts, ['b2', 'b1', 'b0']);
    const later = await page(bob, { chat: { userId: users[0] }, sinceMs: String(Date.now() + 3600000) });
    assert.deepEqual(later.texts, []);
    await Promise.all([alice.close(), bob.close()]);
  });

  it('holds what a group said, too', async () => {
    const { alice, bob, users } = await chatOfTwo('gina', 'hugo');
    const { chat } = await alice.ask({ createChat: { name: 'both', participants: [{ userId: users[1] }] } });
    await alice.ask({ sendMessage: { chat: chat.chat, text: 'to all' } });
    await bob.hear();
    assert.deepEqual((await page(bob, { chat: chat.chat })).texts, ['to all']);
    await Promise.all([alice.close(), bob.close()]);
  });

  it("tells a group's writer how far his messages have got, as his devices were told", async () => {
    const { alice, bob, users } = await chatOfTwo('olga', 'paul');
    const { chat } = await alice.ask({ createChat: { name: 'both', participants: [{ userId: users[1] }] } });
    await node.addUser('quin');
    const { error } = await alice.ask({ modifyChat: { chat: chat.chat, add: { participants: [{ userName: 'quin' }] } } });
    assert.equal(error, undefined);
    await alice.ask({ sendMessage: { chat: chat.chat, text: 'one' } });
    await alice.ask({ sendMessage: { chat: chat.chat, text: 'two' } });
    await bob.hear();
    await bob.hear();
    await bob.ask({ ref: '1', markRead: { chat: chat.chat, chatNumber: '1' } });
    let told;
    do {
      told = await alice.event('groupReceipts');
    } while (told.counts[0].read !== 1 || told.counts[1].delivered !== 1);
    const fresh = await Client.login(node.url, 'olga');
    const question = { chat: chat.chat, forward: true, only: 'MESSAGES' };
    const toldOf = async () => {
      const { peerDelivered, rows } = await page(fresh, question);
      return { peerDelivered, messages: rows.map(({ newMessage }) => newMessage) };
    };
    const { messages } = await toldOf();
    assert.deepEqual(messages.map(({ text, state, count }) => [text, state, count]),
      [['one', 'SENT', { delivered: 1, read: 1 }], ['two', 'SENT', { delivered: 1 }]]);
    const quin = await Client.login(node.url, 'quin');
    await quin.hear();
    await quin.hear();
    do {
      told = await alice.event('groupReceipts');
    } while (told.deliveredAll !== '2');
    const later = await toldOf();
    assert.equal(later.peerDelivered, '2');
    assert.deepEqual(later.messages.map(({ state, count }) => [state, count]),
      [['DELIVERED', { delivered: 2, read: 1 }], ['DELIVERED', { delivered: 2 }]]);
    const exported = (await node.linnet(['user', 'export', 'olga'])).trim().split('\n').map((row) => JSON.parse(row));
    const ofGroup = exported.filter(({ newMessage }) => newMessage && newMessage.chat.groupId && !newMessage.inboxNumber);
    assert.deepEqual(ofGroup.map(({ newMessage }) => newMessage), later.messages);
    await Promise.all([alice, bob, quin, fresh].map((client) => client.close()));
  });

  it('tells what became of a group in its order, and nothing behind the update that took one out', async () => {
    const { alice, bob, users } = await chatOfTwo('rita', 'sam');
    const ofBob = { participants: [{ userId: users[1] }] };
    const { chat: { chat } } = await alice.ask({ createChat: { name: 'both', ...ofBob } });
    await alice.ask({ sendMessage: { chat, text: 'one' } });
    await alice.ask({ modifyChat: { chat, name: 'two' } });
    await alice.ask({ modifyChat: { chat, remove: ofBob } });
    await alice.ask({ sendMessage: { chat, text: 'two' } });
    await alice.ask({ modifyChat: { chat, deleteChat: {} } });
    const words = (rows) => rows.map(({ newMessage, chatUpdate }) => newMessage?.text
      ?? Object.keys(chatUpdate).find((key) => ['created', 'name', 'removed', 'deleted'].includes(key)));
    for (const [client, expected] of [[alice, ['created', 'one', 'name', 'removed', 'two', 'deleted']],
      [bob, ['created', 'one', 'name', 'removed']]]) {
      let last;
      do {
        last = await client.event('chatUpdate');
      } while (!(client === alice ? last.deleted : last.removed));
      const { rows } = await page(client, { chat, forward: true });
      assert.deepEqual(words(rows), expected);
      const first = await page(client, { chat, max: 2 });
      const rest = await page(client, { chat, from: first.next });
      assert.deepEqual(words([...first.rows, ...rest.rows]), [...expected].reverse());
      const updates = await page(client, { chat, forward: true, only: 'CHAT_UPDATES', senderUserId: users[0] });
      assert.deepEqual(words(updates.rows), expected.filter((word) => !['one', 'two'].includes(word)));
      const text = await node.linnet(['user', 'export', client === alice ? 'rita' : 'sam']);
      const exported = text.trim().split('\n').map((row) => JSON.parse(row)).filter((row) => {
        const told = row.newMessage ?? row.chatUpdate;
        return told?.chat.groupId && !told.inboxNumber;
      });
      assert.deepEqual(exported, rows);
    }
    await Promise.all([alice.close(), bob.close()]);
  });

  it('tells how calls ended, to both and to a device that comes later', async () => {
    const { alice, bob, users } = await chatOfTwo('tina', 'ulf');
    const ended = [];
    for (const [number, end, outcome] of [['100', [bob, 'DECLINED'], 'DECLINED'], ['101', [alice, 'HANG_UP'], 'CANCELLED'],
      ['102', [bob, 'HANG_UP'], 'TALKED']]) {
      const { sent: { id: call } } = await alice.ask({ number, callOffer: { chat: { userId: users[1] } } });
      await bob.event('call');
      if (outcome === 'TALKED') {
        assert.ok((await bob.ask({ callAnswer: { call } })).done);
        await alice.event('call');
        await bob.event('call');
      }
      assert.ok((await end[0].ask({ callHangUp: { call, reason: end[1] } })).done);
      ended.push([await alice.event('call'), await bob.event('call')]);
      assert.deepEqual(ended.at(-1).map((told) => told.outcome), [outcome, outcome]);
    }
    const fresh = await Client.login(node.url, 'tina');
    for (const [client, peer, whose, name] of [[alice, 1, 0, 'tina'], [fresh, 1, 0, 'tina'], [bob, 0, 1, 'ulf']]) {
      const chat = { userId: users[peer] };
      const expected = ended.map((told) => {
        const { inboxNumber, ...row } = told[whose];
        return row;
      });
      const { rows } = await page(client, { chat, forward: true });
      assert.deepEqual(rows.slice(-3).map(({ call }) => call), expected); // behind what they wrote before
      assert.equal(rows.length, 9);
      const calls = await page(client, { chat, only: 'CALLS' });
      assert.deepEqual(calls.rows.map(({ call }) => call), [...expected].reverse());
      assert.equal((await page(client, { chat, only: 'CALLS', senderUserId: users[1] })).rows.length, 0);
      assert.equal((await page(client, { chat, only: 'MESSAGES' })).rows.length, 6);
      const text = await node.linnet(['user', 'export', name]);
      const exported = text.trim().split('\n').map((row) => JSON.parse(row)).filter(({ call }) => call && !call.inboxNumber);
      assert.deepEqual(exported.map(({ call }) => call), expected);
    }
    await Promise.all([alice.close(), bob.close(), fresh.close()]);
  });

  it('is told by kind, with what became of each message', async () => {
    const { alice, bob, users } = await chatOfTwo('karl', 'lena');
    const chat = { userName: 'lena' };
    const { sent: edited } = await alice.ask({ number: '20', sendMessage: { chat, text: 'vote', contentKind: 7 } });
    const { sent: deleted } = await alice.ask({ number: '21', sendMessage: { chat, text: 'oops', contentKind: 7 } });
    assert.equal((await bob.hear()).contentKind, 7);
    await bob.hear();
    for (const [sent, change, text] of [[edited, 'EDIT', 'vote!'], [deleted, 'DELETE', undefined]]) {
      const { chatNumber, serverTimeMs, handle } = sent;
      const answer = await alice.ask({ sendMessage: { chat, text, change: { kind: change, chatNumber, serverTimeMs, handle } } });
      assert.ok(answer.sent);
      await bob.event('messageChanged');
    }
    await bob.ask({ ref: '1', markRead: { chat: { userId: users[0] }, chatNumber: edited.chatNumber } });
    const question = { chat: { userId: users[0] }, forward: true };
    assert.deepEqual((await page(bob, { ...question, contentKind: 7 })).texts, ['vote!']); // the deleted one has no kind
    let first;
    let second;
    do { // until the acknowledgement of the second has gone through, too
      assert.deepEqual((await page(bob, question)).texts.slice(-2), ['vote!', undefined]);
      [first, second] = bob.frames.filter(({ newMessage }) => newMessage && !newMessage.inboxNumber)
        .slice(-2).map(({ newMessage }) => newMessage);
    } while (second.state === 'SENT');
    assert.deepEqual([first.edited, first.state], [true, 'READ']);
    assert.deepEqual([second.deleted, second.contentKind, second.state], [true, undefined, 'DELIVERED']);
    const { error } = await alice.ask({ sendMessage: { chat, text: 'x', contentKind: 256 } });
    assert.match(error.text, /contentKind/);
    await Promise.all([alice.close(), bob.close()]);
  });

  it('has nothing that has disappeared, nor has what is exported', async () => {
    const { alice, bob, users } = await chatOfTwo('vera', 'will');
    const chat = { userId: users[1] };
    const { sent } = await alice.ask({ sendMessage: { chat, text: 'soon gone', ttlMs: '2000' } });
    const { expiresAtMs } = await bob.hear();
    assert.equal(Number(expiresAtMs), Number(sent.serverTimeMs) + 2000);
    const question = { chat: { userId: users[0] } };
    assert.equal((await page(bob, question)).texts[0], 'soon gone');
    await sleep(Number(expiresAtMs) - Date.now() + 50);
    assert.deepEqual((await page(bob, question)).texts.length, 6);
    assert.deepEqual((await page(alice, { chat, forward: true })).texts.length, 6);
    for (const name of ['vera', 'will']) {
      assert.ok(!(await node.linnet(['user', 'export', name])).includes('soon gone'));
    }
    await Promise.all([alice.close(), bob.close()]);
  });

  it('comes one page at a time', async () => {
    const { alice, bob, users } = await chatOfTwo('ida', 'jan');
    const question = { getHistory: { chat: { userId: users[0] } } };
    bob.ws._socket.cork(); // both in one segment, so that the second comes before the first is answered
    bob.send({ ref: '1', ...question });
    bob.send({ ref: '2', ...question });
    bob.ws._socket.uncork();
    const answers = [await bob.event('answer'), await bob.event('answer')];
    const { error } = answers.find(({ ref }) => ref === '2');
    assert.equal(error.code, 'TOO_MANY_UNANSWERED');
    await Promise.all([alice.close(), bob.close()]);
  });

  it('is part of what is exported, of all chats', async () => {
    const { alice, bob, users } = await chatOfTwo('mona', 'nils');
    const { chat } = await alice.ask({ createChat: { name: 'both', participants: [{ userId: users[1] }] } });
    await alice.ask({ sendMessage: { chat: chat.chat, text: 'to all' } });
    await bob.hear();
    const rows = (await node.linnet(['user', 'export', 'nils'])).trim().split('\n').map((row) => JSON.parse(row));
    const texts = rows.filter((row) => row.newMessage && !row.newMessage.inboxNumber).map((row) => row.newMessage.text);
    assert.deepEqual(texts.sort(), ['a0', 'a1', 'a2', 'b0', 'b1', 'b2', 'to all']);
    await Promise.all([alice.close(), bob.close()]);
  });

  it('is refused where it makes no sense', async () => {
    const imported = await node.importUsers('erna');
    const erna = await Client.welcomed(node.url, imported.erna);
    const { error: noChat } = await erna.ask({ getHistory: {} });
    assert.equal(noChat.code, 'BAD_FRAME');
    const { error: times } = await erna.ask({ getHistory: { chat: { userId: '1' }, sinceMs: '9', untilMs: '9' } });
    assert.match(times.text, /untilMs/);
    const ofUpdates = { chat: { userId: '1' }, only: 'CHAT_UPDATES', contentKind: 7 };
    const { error: kindless } = await erna.ask({ getHistory: ofUpdates });
    assert.match(kindless.text, /contentKind/);
    const { error: nobody } = await erna.ask({ getHistory: { chat: { userName: 'nobody' } } });
    assert.equal(nobody.code, 'UNKNOWN_USER');
    const { error: noGroup } = await erna.ask({ getHistory: { chat: { groupId: '7000' } } });
    assert.equal(noGroup.code, 'UNKNOWN_CHAT');
    await erna.close();
  });
});

describe('a node without history', () => {
  it('says so', async () => {
    const node = await Linnetd.start();
    try {
      const imported = await node.importUsers('fred');
      const fred = await Client.welcomed(node.url, imported.fred);
      assert.equal(fred.welcome.limits.historyDays, undefined);
      const { error } = await fred.ask({ getHistory: { chat: { userId: '1' } } });
      assert.equal(error.code, 'NOT_PERMITTED');
      await fred.close();
    } finally {
      await node.remove();
    }
  });
});

describe('a node that deletes after reading', () => {
  it('tells a new device what is unread, and that alone', async () => {
    const node = await Linnetd.start('--delete-after', 'read');
    try {
      await Promise.all(['alice', 'bob'].map((name) => node.addUser(name)));
      const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => Client.login(node.url, name)));
      assert.equal(bob.welcome.limits.historyUntilRead, true);
      assert.equal(bob.welcome.limits.historyDays, '30');
      for (const text of ['one', 'two']) {
        await alice.write('bob', text);
        await bob.hear();
      }
      await bob.ask({ ref: '1', markRead: { chat: { userName: 'alice' }, chatNumber: '1' } });
      const fresh = await Client.login(node.url, 'bob');
      const { history } = await fresh.ask({ getHistory: { chat: { userName: 'alice' } } });
      assert.equal(history.count, '1');
      assert.equal((await fresh.event('newMessage')).text, 'two');
      const { sent: { id: call } } = await alice.ask({ number: '100', callOffer: { chat: { userName: 'bob' } } });
      assert.ok((await alice.ask({ callHangUp: { call } })).done);
      await bob.event('call');
      const { history: calls } = await fresh.ask({ getHistory: { chat: { userName: 'alice' }, only: 'CALLS' } });
      assert.equal(calls.count, undefined); // nobody says when he has seen one
      const rows = (await node.linnet(['user', 'export', 'bob'])).trim().split('\n').map((row) => JSON.parse(row));
      assert.ok(!rows.some((row) => row.call && !row.call.inboxNumber));
      const kept = rows.filter(({ newMessage }) => newMessage && !newMessage.inboxNumber);
      assert.deepEqual(kept.map(({ newMessage }) => newMessage.text), ['two']);
      await Promise.all([alice.close(), bob.close(), fresh.close()]);
    } finally {
      await node.remove();
    }
  });
});
