// SPDX-License-Identifier: Apache-2.0
// Two people write to each other: what is sent, heard, delivered, read, and what waits for whom.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Linnetd } from './linnetd.mjs';
import { Client, within } from './client.mjs';

const NODE_NUMBERS = 2n ** 52n; // where the numbers begin that a node gives

function texts(messages) {
  return messages.map((message) => message.text);
}

async function hearAll(client, count) {
  const heard = [];
  while (heard.length < count) {
    heard.push(await client.hear());
  }
  return heard;
}

describe('a chat', () => {
  let node;
  before(async () => {
    node = await Linnetd.start();
  });
  after(() => node.remove());

  function connect(person, options) {
    return Client.welcomed(node.url, { token: person.token, ...options });
  }

  it('has three ticks: sent when durable, delivered when acknowledged, read when marked', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await connect(alice), await connect(bob)];
    const { sent } = await a.write(bob.name, 'hi bob');
    assert.equal(sent.id.userId, alice.user);
    assert.equal(sent.id.device, a.welcome.device);
    assert.ok(BigInt(sent.id.number) >= NODE_NUMBERS);
    assert.equal(sent.chatNumber, '1');
    assert.equal(sent.duplicate, undefined);

    const message = await b.event('newMessage');
    assert.deepEqual(message, {
      inboxNumber: message.inboxNumber,
      id: sent.id,
      chat: { userId: alice.user },
      chatNumber: '1',
      sender: { userId: alice.user, name: alice.name, device: a.welcome.device },
      serverTimeMs: sent.serverTimeMs,
      text: 'hi bob',
    });
    assert.equal(a.frames.length, 2, 'no tick before bob has it');

    b.send({ ack: { inboxNumber: message.inboxNumber } });
    const delivered = await a.event('receipts');
    assert.deepEqual(delivered, {
      inboxNumber: delivered.inboxNumber, chat: { userId: bob.user }, readerUserId: bob.user, delivered: '1',
    });

    const done = await b.ask({ ref: '8', markRead: { chat: { userId: alice.user }, chatNumber: '1' } });
    assert.deepEqual(done, { ref: '8', done: {} });
    const read = await a.event('receipts');
    assert.equal(read.delivered, '1');
    assert.equal(read.read, '1');
    assert.ok(BigInt(read.inboxNumber) > BigInt(delivered.inboxNumber));
    await Promise.all([a.close(), b.close()]);
  });

  it('counts each direction by itself', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await connect(alice), await connect(bob)];
    assert.equal((await a.write(bob.name, 'one')).sent.chatNumber, '1');
    assert.equal((await a.write(bob.name, 'two')).sent.chatNumber, '2');
    assert.equal((await b.write(alice.name, 'uno')).sent.chatNumber, '1');
    assert.equal((await a.hear()).chatNumber, '1');
    await Promise.all([a.close(), b.close()]);
  });

  it('of 300 messages each way at once loses none, doubles none and keeps the order', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await connect(alice), await connect(bob)];
    const all = Array.from({ length: 300 }, (_, i) => `message ${i}`);
    for (const text of all) {
      a.send({ sendMessage: { chat: { userId: bob.user }, text } });
      b.send({ sendMessage: { chat: { userId: alice.user }, text } });
    }
    const [atAlice, atBob] = await Promise.all([hearAll(a, all.length), hearAll(b, all.length)]);
    for (const [client, heard] of [[a, atAlice], [b, atBob]]) {
      assert.deepEqual(texts(heard), all);
      assert.deepEqual(heard.map((message) => Number(message.chatNumber)), all.map((_, i) => i + 1));
      for (let i = 0; i < all.length; i++) {
        assert.equal((await client.event('answer')).sent.chatNumber, String(i + 1));
      }
      let last;
      do {
        last = await client.event('receipts');
      } while (last.delivered !== String(all.length));
    }
    // Settled: nothing more comes.
    await Promise.all([a.settle(), b.settle()]);
    assert.equal(a.kept.filter((frame) => frame.newMessage || frame.answer).length, 0);
    await Promise.all([a.close(), b.close()]);
  });

  it('has ticks that only move forward', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await connect(alice), await connect(bob)];
    for (let i = 1; i <= 50; i++) {
      a.send({ sendMessage: { chat: { userId: bob.user }, text: String(i) } });
      const { chatNumber } = await b.hear();
      if (i % 3 === 0) {
        b.send({ markRead: { chat: { userId: alice.user }, chatNumber } });
      }
    }
    let before = { delivered: 0, read: 0 };
    while (before.delivered < 50 || before.read < 48) {
      const receipts = await a.event('receipts');
      const now = { delivered: Number(receipts.delivered ?? 0), read: Number(receipts.read ?? 0) };
      assert.ok(now.delivered >= before.delivered && now.read >= before.read && now.read <= now.delivered);
      before = now;
    }
    await Promise.all([a.close(), b.close()]);
  });

  const bodies = [
    ['a text of every kind of character', { text: 'Ünïcödé \u0001\t\n "\\/ \u2028 日本 \u{1f426}\u{10ffff}' }],
    ['a text of 32,768 bytes', { text: 'x'.repeat(32768) }],
    ['a content of bytes', { content: Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('base64') }],
    ['a content of 32,768 bytes', { content: Buffer.alloc(32768, 7).toString('base64') }],
    ['a text with attachments', {
      text: 'see',
      attachments: [{ reference: 'a/1', mediaType: 'image/png', sizeBytes: '9007199254740991' }, { reference: 'a/2' }],
    }],
    ['attachments alone', { attachments: [{ reference: 'r', sizeBytes: '1' }] }],
  ];
  for (const [what, body] of bodies) {
    it(`brings ${what} as it was sent`, async () => {
      const { alice, bob } = await node.pair();
      const [a, b] = [await connect(alice), await connect(bob)];
      a.send({ sendMessage: { chat: { userName: bob.name }, ...body } });
      const { text, content, attachments } = await b.hear();
      assert.deepEqual(JSON.parse(JSON.stringify({ text, content, attachments })), body);
      await Promise.all([a.close(), b.close()]);
    });
  }

  it('takes snake_case names, numbers in any spelling, null as absence, and escaped surrogate pairs', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await connect(alice), await connect(bob)];
    a.ws.send(`{"number": 4.3e1, "ref": "7", "ack": null,
      "send_message": {"chat": {"user_id": ${bob.user}.0}, "text": "\\ud83d\\ude00"}}`);
    const { number, ref, sent } = await a.event('answer');
    assert.deepEqual([number, ref, sent.id.number], ['43', '7', '43']);
    assert.equal((await b.hear()).text, '\u{1f600}');
    await Promise.all([a.close(), b.close()]);
  });

  it('with somebody offline waits, and is delivered when they come', async () => {
    const { alice, bob } = await node.pair();
    const a = await connect(alice);
    for (const text of ['one', 'two', 'three']) {
      assert.ok((await a.write(bob.name, text)).sent);
    }
    const b = await connect(bob);
    assert.deepEqual(texts(await hearAll(b, 3)), ['one', 'two', 'three']);
    let receipts;
    do {
      receipts = await a.event('receipts');
    } while (receipts.delivered !== '3');
    await Promise.all([a.close(), b.close()]);
  });

  it('goes on after a reconnect where the acknowledgements ended', async () => {
    const { alice, bob } = await node.pair();
    const a = await connect(alice);
    let b = await connect(bob);
    for (let i = 1; i <= 5; i++) {
      await a.write(bob.name, `${i}`);
    }
    const first = [];
    while (first.length < 5) {
      first.push(await b.event('newMessage'));
    }
    b.send({ ref: '1', ack: { inboxNumber: first[1].inboxNumber } });
    await b.event('answer');
    b.ws.terminate();

    b = await connect(bob);
    assert.equal(b.welcome.inboxAcknowledged, first[1].inboxNumber);
    const second = await hearAll(b, 3);
    assert.deepEqual(second, first.slice(2)); // the same entries, under the same numbers
    await b.ask({ ref: '2', ack: { inboxNumber: second[2].inboxNumber } });
    await b.close();

    b = await connect(bob);
    assert.equal(b.welcome.inboxAcknowledged, second[2].inboxNumber);
    await b.settle();
    assert.equal(b.frames.filter((frame) => frame.newMessage).length, 0);
    await Promise.all([a.close(), b.close()]);
  });

  it('keeps a message that was sent but not acknowledged, however often its receiver leaves', async () => {
    const { alice, bob } = await node.pair();
    const a = await connect(alice);
    await a.write(bob.name, 'again and again');
    let number;
    for (let i = 0; i < 10; i++) {
      const b = await connect(bob);
      const message = await b.event('newMessage');
      number ??= message.inboxNumber;
      assert.equal(message.inboxNumber, number);
      b.ws.terminate();
    }
    await a.settle();
    assert.equal(a.frames.filter((frame) => frame.receipts).length, 0, 'nothing was delivered');
    await a.close();
  });

  it('accepts a number once: the retry is answered as a duplicate with the first values', async () => {
    const { alice, bob } = await node.pair();
    let a = await connect(alice);
    const b = await connect(bob);
    const number = a.welcome.nextCommand;
    const { sent: first } = await a.write(bob.name, 'are you there?', number);
    assert.deepEqual(first.id, { userId: alice.user, device: a.welcome.device, number });
    const { sent: second } = await a.write(bob.name, 'are you there?', number);
    assert.deepEqual(second, { ...first, duplicate: true, handle: second.handle });
    a.ws.terminate();
    a = await connect(alice);
    assert.ok(BigInt(a.welcome.nextCommand) > BigInt(number));
    const { sent: third } = await a.write(bob.name, 'another content', number);
    assert.deepEqual(third, { ...first, duplicate: true, handle: third.handle });
    await a.write(bob.name, 'the end');
    assert.deepEqual(texts(await hearAll(b, 2)), ['are you there?', 'the end']);
    await Promise.all([a.close(), b.close()]);
  });

  it('takes a command without a number as new each time', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await connect(alice), await connect(bob)];
    const { sent: first } = await a.write(bob.name, 'again');
    const { sent: second } = await a.write(bob.name, 'again');
    assert.notEqual(first.id.number, second.id.number);
    assert.deepEqual(texts(await hearAll(b, 2)), ['again', 'again']);
    await Promise.all([a.close(), b.close()]);
  });

  it('answers TOO_OLD to a number that lies below the window', async () => {
    const { alice, bob } = await node.pair();
    const a = await connect(alice);
    const next = BigInt(a.welcome.nextCommand);
    await a.write(bob.name, 'far ahead', next + 200n);
    const answer = await a.write(bob.name, 'late', next);
    assert.equal(answer.error.code, 'TOO_OLD');
    assert.equal(answer.number, String(next));
    assert.ok((await a.write(bob.name, 'within the window', next + 150n)).sent);
    await a.close();
  });

  it('answers the commands of one chat in their order', async () => {
    const { alice, bob } = await node.pair();
    const a = await connect(alice);
    for (let ref = 1; ref <= 200; ref++) {
      a.send({ ref: String(ref), sendMessage: { chat: { userId: bob.user }, text: `${ref}` } });
    }
    for (let ref = 1; ref <= 200; ref++) {
      const answer = await a.event('answer');
      assert.equal(answer.ref, String(ref));
      assert.equal(answer.sent.chatNumber, String(ref));
    }
    await a.close();
  });

  it('tells nobody of an ack that has no ref, and answers one that has', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await connect(alice), await connect(bob)];
    await a.write(bob.name, 'x');
    const { inboxNumber } = await b.event('newMessage');
    b.send({ ack: { inboxNumber } });
    b.send({ ack: { inboxNumber } });
    assert.deepEqual(await b.ask({ ref: '3', ack: { inboxNumber } }), { ref: '3', done: {} });
    assert.equal(b.frames.filter((frame) => frame.answer).length, 1);
    await Promise.all([a.close(), b.close()]);
  });

  it('takes an older ack again, and changes nothing', async () => {
    const { alice, bob } = await node.pair();
    const a = await connect(alice);
    let b = await connect(bob);
    await a.write(bob.name, 'one');
    await a.write(bob.name, 'two');
    const [one, two] = await hearAll(b, 2);
    assert.ok((await b.ask({ ref: '1', ack: { inboxNumber: one.inboxNumber } })).done);
    await b.close();
    b = await connect(bob);
    assert.equal(b.welcome.inboxAcknowledged, two.inboxNumber);
    await Promise.all([a.close(), b.close()]);
  });

  it('answers OUT_OF_RANGE to an ack and to a markRead of the future', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await connect(alice), await connect(bob)];
    await a.write(bob.name, 'x');
    const { inboxNumber } = await b.hear();
    const beyond = String(BigInt(inboxNumber) + 1n);
    assert.equal((await b.ask({ ack: { inboxNumber: beyond } })).error.code, 'OUT_OF_RANGE');
    const chat = { userId: alice.user };
    assert.equal((await b.ask({ markRead: { chat, chatNumber: '2' } })).error.code, 'OUT_OF_RANGE');
    assert.ok((await b.ask({ ref: '5', markRead: { chat, chatNumber: '1' } })).done);
    await Promise.all([a.close(), b.close()]);
  });

  it('answers a markRead that it takes only where that has a ref', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await connect(alice), await connect(bob)];
    await a.write(bob.name, 'x');
    await b.hear();
    b.send({ markRead: { chat: { userId: alice.user }, chatNumber: '1' } });
    let receipts;
    do {
      receipts = await a.event('receipts');
    } while (receipts.read !== '1');
    await b.settle();
    assert.equal(b.frames.filter((frame) => frame.answer).length, 0);
    await Promise.all([a.close(), b.close()]);
  });

  it('answers OUT_OF_RANGE to a markRead of a chat in which nothing was said', async () => {
    const { alice, bob } = await node.pair();
    const a = await connect(alice);
    const answer = await a.ask({ markRead: { chat: { userId: bob.user }, chatNumber: '1' } });
    assert.equal(answer.error.code, 'OUT_OF_RANGE');
    await a.close();
  });

  it('counts what is read as delivered', async () => {
    const { alice, bob } = await node.pair();
    const [a, b] = [await connect(alice), await connect(bob)];
    await a.write(bob.name, 'x');
    await b.event('newMessage'); // not acknowledged
    b.send({ markRead: { chat: { userId: alice.user }, chatNumber: '1' } });
    const receipts = await a.event('receipts');
    assert.deepEqual([receipts.delivered, receipts.read], ['1', '1']);
    await Promise.all([a.close(), b.close()]);
  });

  it('reaches every device of its receiver, and the sender’s other devices', async () => {
    const { alice, bob } = await node.pair();
    const phone = await connect(alice);
    const laptop = await connect({ token: await node.token(alice.name) });
    const b1 = await connect(bob);
    const b2 = await connect({ token: await node.token(bob.name) });
    const { sent } = await phone.write(bob.name, 'everywhere');
    for (const client of [b1, b2]) {
      const message = await client.hear();
      assert.deepEqual([message.text, message.chat.userId], ['everywhere', alice.user]);
    }
    const copy = await laptop.hear();
    assert.deepEqual([copy.text, copy.chat.userId, copy.sender.userId], ['everywhere', bob.user, alice.user]);
    assert.deepEqual(copy.id, sent.id);
    await phone.event('receipts');
    for (const { newMessage } of phone.frames.filter((frame) => frame.newMessage)) {
      assert.deepEqual(newMessage.id, sent.id, 'a device that hears its own message knows it by its id');
    }
    await Promise.all([phone, laptop, b1, b2].map((client) => client.close()));
  });

  it('tells the reader’s other devices what was read', async () => {
    const { alice, bob } = await node.pair();
    const a = await connect(alice);
    const phone = await connect(bob);
    const laptop = await connect({ token: await node.token(bob.name) });
    await a.write(bob.name, 'x');
    await Promise.all([phone.hear(), laptop.hear()]);
    phone.send({ markRead: { chat: { userId: alice.user }, chatNumber: '1' } });
    let receipts;
    do {
      receipts = await laptop.event('receipts');
    } while (receipts.read !== '1');
    assert.deepEqual([receipts.readerUserId, receipts.chat.userId], [bob.user, alice.user]);
    await Promise.all([a, phone, laptop].map((client) => client.close()));
  });

  it('with the same device connected twice goes on in the new connection and closes the old with 4002', async () => {
    const { alice, bob } = await node.pair();
    const a = await connect(alice);
    const old = await connect(bob);
    await a.write(bob.name, 'one');
    await old.event('newMessage');
    const young = await connect(bob);
    assert.equal((await within(old.closed, 'the close')).code, 4002);
    assert.equal((await young.hear()).text, 'one');
    await a.write(bob.name, 'two');
    assert.equal((await young.hear()).text, 'two');
    await Promise.all([a.close(), young.close()]);
  });

  it('survives that two connections of a device replace each other over and over', async () => {
    const { alice, bob } = await node.pair();
    const a = await connect(alice);
    const clients = [];
    for (let i = 0; i < 20; i++) {
      clients.push(connect(bob).catch(() => null));
      a.send({ sendMessage: { chat: { userId: bob.user }, text: `${i}` } });
    }
    await Promise.all(clients);
    const last = await connect(bob);
    assert.deepEqual(texts(await hearAll(last, 20)), Array.from({ length: 20 }, (_, i) => `${i}`));
    await Promise.all([a.close(), last.close()]);
  });

  it('answers ping with its data and the node’s time', async () => {
    const { alice } = await node.pair();
    const a = await connect(alice);
    a.send({ ref: '9', ping: { data: 'aGk=' } });
    const pong = await a.event('pong');
    assert.deepEqual([pong.ref, pong.data], ['9', 'aGk=']);
    assert.ok(Math.abs(Number(pong.serverTimeMs) - Date.now()) < 60_000);
    await a.close();
  });

  it('may be with oneself', async () => {
    const { alice } = await node.pair();
    const a = await connect(alice);
    assert.ok((await a.write(alice.name, 'note to self')).sent);
    assert.equal((await a.hear()).text, 'note to self');
    await a.close();
  });
});

describe('a chat with small limits', () => {
  it('puts no more on the wire than may be unacknowledged, and goes on with each ack', async (t) => {
    const node = await Linnetd.start('--unacknowledged-entries-max', '3');
    t.after(() => node.remove());
    const { alice, bob } = await node.importUsers('alice', 'bob');
    const a = await Client.welcomed(node.url, alice);
    const b = await Client.welcomed(node.url, bob);
    assert.equal(b.welcome.limits.unacknowledgedEntriesMax, '3');
    for (let i = 1; i <= 10; i++) {
      await a.write('bob', `${i}`);
    }
    const heard = [];
    for (let i = 0; i < 3; i++) {
      heard.push(await b.event('newMessage'));
    }
    await b.settle();
    assert.equal(b.frames.filter((frame) => frame.newMessage).length, 3);
    b.send({ ack: { inboxNumber: heard[0].inboxNumber } });
    heard.push(await b.event('newMessage'));
    await b.settle();
    assert.equal(b.frames.filter((frame) => frame.newMessage).length, 4);
    b.send({ ack: { inboxNumber: heard[3].inboxNumber } });
    heard.push(...await hearAll(b, 6));
    assert.deepEqual(texts(heard), Array.from({ length: 10 }, (_, i) => `${i + 1}`));
  });

  it('sets a device whose inbox is full to resync, and no other', async (t) => {
    const node = await Linnetd.start('--inbox-entries-max', '5');
    t.after(() => node.remove());
    const { alice, bob } = await node.importUsers('alice', 'bob');
    const laptop = await node.token('bob');
    const a = await Client.welcomed(node.url, alice);
    const phone = await Client.welcomed(node.url, bob);
    for (let i = 1; i <= 20; i++) {
      const { sent } = await a.write('bob', `${i}`);
      assert.ok(sent, `message ${i} is accepted while the phone takes it`);
      assert.equal((await phone.hear()).text, `${i}`);
    }
    let late = await Client.welcomed(node.url, { token: laptop });
    const resync = await late.event('resync');
    assert.equal(resync.reason, 'INBOX_FULL');
    await late.ask({ ref: '1', ack: { inboxNumber: resync.inboxNumber } });
    await a.write('bob', 'after');
    let message;
    do {
      message = await late.hear();
      assert.ok(BigInt(message.inboxNumber) > BigInt(resync.inboxNumber));
    } while (message.text !== 'after');
    await late.ask({ ref: '2', ack: { inboxNumber: message.inboxNumber } });
    await late.close();
    late = await Client.welcomed(node.url, { token: laptop });
    await late.settle();
    assert.equal(late.frames.filter((frame) => frame.resync).length, 0);
    assert.equal(phone.frames.filter((frame) => frame.resync).length, 0);
  });

  it('tells a device of what finds no room for it: what another of the same user wrote and edited', async (t) => {
    const node = await Linnetd.start('--inbox-entries-max', '3');
    t.after(() => node.remove());
    const { alice, bob } = await node.importUsers('alice', 'bob');
    const laptop = await node.token('alice');
    const a = await Client.welcomed(node.url, alice);
    const b = await Client.welcomed(node.url, bob);
    while ((await b.write('alice', 'fills up')).sent);
    const { sent } = await a.write('bob', 'hello');
    const change = { kind: 'EDIT', chatNumber: sent.chatNumber, serverTimeMs: sent.serverTimeMs, handle: sent.handle };
    assert.ok((await a.ask({ sendMessage: { chat: { userName: 'bob' }, text: 'hello!', change } })).sent);
    let late = await Client.welcomed(node.url, { token: laptop });
    const last = (await late.event('resync'));
    assert.equal(last.reason, 'INBOX_FULL');
    assert.equal(late.frames.at(-1).resync.inboxNumber, last.inboxNumber, 'it is behind what was kept');
    await late.ask({ ref: '1', ack: { inboxNumber: last.inboxNumber } });
    await late.close();
    late = await Client.welcomed(node.url, { token: laptop });
    await late.settle();
    assert.equal(late.frames.filter((frame) => frame.resync).length, 0);
    await a.write('bob', 'there is room');
    assert.equal((await late.event('newMessage')).text, 'there is room');
  });

  it('tells a device nothing of what it did itself and others have no room for, and goes on feeding it', async (t) => {
    const node = await Linnetd.start('--inbox-entries-max', '4', '--unacknowledged-entries-max', '6');
    t.after(() => node.remove());
    const { alice, bob } = await node.importUsers('alice', 'bob');
    const laptop = await node.token('alice');
    const a = await Client.welcomed(node.url, alice);
    const b = await Client.welcomed(node.url, bob);
    while ((await b.write('alice', 'fills up')).sent);
    for (let i = 0; i < 4; i++) {
      assert.ok((await a.write('bob', 'hello')).sent);
      await a.settle();
    }
    const filling = await hearAll(a, 3); // beside the news of the laptop
    await a.ask({ ref: '1', ack: { inboxNumber: filling.at(-1).inboxNumber } });
    for (const text of ['1', '2', '3', '4']) {
      assert.ok((await b.write('alice', text)).sent);
    }
    assert.deepEqual(texts(await hearAll(a, 4)), ['1', '2', '3', '4']);
    assert.equal(a.frames.filter((frame) => frame.resync).length, 0);
    const late = await Client.welcomed(node.url, { token: laptop });
    assert.equal((await late.event('resync')).reason, 'INBOX_FULL');
  });

  it('is refused with RECIPIENT_FULL when no device can take it, and accepted with the same number when one can',
    async (t) => {
      const node = await Linnetd.start('--inbox-entries-max', '5');
      t.after(() => node.remove());
      const { alice, bob } = await node.importUsers('alice', 'bob');
      let a = await Client.welcomed(node.url, alice);
      const say = (number) => a.ask({ number, sendMessage: { chat: { userName: 'bob' }, text: number } });
      for (let n = 1; n <= 5; n++) {
        assert.ok((await say(`${n}`)).sent);
      }
      const { error } = await say('6');
      assert.equal(error.code, 'RECIPIENT_FULL');
      assert.ok(Number(error.retryAfterMs) > 0);
      await a.close();
      a = await Client.welcomed(node.url, alice); // which leaves the device's own count as it is
      assert.ok(BigInt(a.welcome.nextCommand) > 6n + 64n);
      assert.equal((await say('7')).error.code, 'RECIPIENT_FULL');
      const b = await Client.welcomed(node.url, bob);
      const heard = await hearAll(b, 5);
      await b.ask({ ref: '1', ack: { inboxNumber: heard[4].inboxNumber } });
      assert.ok((await say('7')).sent);
      const { sent } = await say('6');
      assert.ok(sent && !sent.duplicate);
      assert.deepEqual(texts(await hearAll(b, 2)), ['7', '6']);
      await a.close();
      await b.close();
    });

  it('answers every one of a thousand commands sent at once, though few may wait at a time', async (t) => {
    const node = await Linnetd.start('--commands-unanswered-max', '2');
    t.after(() => node.remove());
    const { alice } = await node.importUsers('alice', 'bob');
    const a = await Client.welcomed(node.url, alice);
    for (let ref = 1; ref <= 1000; ref++) {
      a.send({ ref: String(ref), sendMessage: { chat: { userName: 'bob' }, text: 'x' } });
    }
    for (let ref = 1; ref <= 1000; ref++) {
      const answer = await a.event('answer');
      assert.equal(answer.ref, String(ref));
      assert.ok(answer.sent);
    }
  });

  it('never crosses users: what one hears was written to them', async (t) => {
    const node = await Linnetd.start();
    t.after(() => node.remove());
    const names = Array.from({ length: 12 }, (_, i) => `user${i}`);
    const people = await node.importUsers(...names);
    const clients = await Promise.all(names.map((name) => Client.welcomed(node.url, people[name])));
    clients.forEach((client, from) => names.forEach((userName, to) => {
      if (from !== to) client.send({ sendMessage: { chat: { userName }, text: `${from} to ${to}` } });
    }));
    await Promise.all(clients.map(async (client, to) => {
      const heard = texts(await hearAll(client, names.length - 1)).sort();
      assert.deepEqual(heard, names.map((_, from) => `${from} to ${to}`).filter((_, from) => from !== to).sort());
    }));
  });
});
