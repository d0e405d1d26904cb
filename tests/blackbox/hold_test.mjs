// SPDX-License-Identifier: Apache-2.0
// Messages to a name that nobody has, held for whoever takes it, with npm's ws.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Linnetd } from './linnetd.mjs';
import { Client } from './client.mjs';

describe('a node that holds messages to unknown names', () => {
  let node;
  before(async () => {
    node = await Linnetd.start('--hold-unknown', '7', '--hold-messages-max', '3', '--hold-recipients-max', '2');
  });
  after(() => node.remove());

  async function people(...names) {
    const imported = await node.importUsers(...names);
    return Promise.all(names.map((name) => Client.welcomed(node.url, imported[name])));
  }

  it('keeps them for the one who takes the name, in order, and tells the sender as ever', async () => {
    const [alice] = await people('alice');
    const first = await alice.write('carol', 'one', 1);
    await alice.write('carol', 'two', 2);
    const again = await alice.write('carol', 'two', 2);
    assert.equal(again.sent.duplicate, true);
    assert.equal(first.sent.chatNumber, '1');
    const [carol] = await people('carol');
    assert.equal(carol.welcome.userId, first.sent.heldUserId);
    assert.deepEqual([(await carol.hear()).text, (await carol.hear()).text], ['one', 'two']);
    const { sent } = await alice.write('carol', 'three', 3);
    assert.equal(sent.heldUserId, undefined);
    assert.equal((await carol.hear()).chatNumber, '3');
    let receipts;
    do {
      receipts = await alice.event('receipts');
    } while (receipts.delivered !== '3');
    assert.equal(receipts.chat.userId, first.sent.heldUserId);
    assert.equal(await node.metric('messages_held_total'), 2);
    await Promise.all([alice.close(), carol.close()]);
  });

  it('lets the sender take one back before', async () => {
    const [anna] = await people('anna');
    const { sent } = await anna.write('dora', 'secret', 1);
    const change = { kind: 'DELETE', ...sent, id: undefined, heldUserId: undefined };
    const { sent: gone } = await anna.ask({ number: '2', sendMessage: { chat: { userName: 'dora' }, change } });
    assert.equal(gone.chatNumber, '1');
    const [dora] = await people('dora');
    const message = await dora.hear();
    assert.equal(message.deleted, true);
    assert.equal(message.text, undefined);
    await Promise.all([anna.close(), dora.close()]);
  });

  it('bounds both sides, with an error and a counter', async () => {
    const [erna] = await people('erna');
    for (const text of ['1', '2', '3']) {
      assert.ok((await erna.write('frida', text)).sent);
    }
    assert.equal((await erna.write('frida', '4')).error.code, 'RECIPIENT_FULL');
    assert.ok((await erna.write('gerd', '1')).sent);
    assert.equal((await erna.write('hans', '1')).error.code, 'TOO_MANY_HELD');
    assert.equal(await node.metric('hold_refused_total'), 2);
    const { error } = await erna.ask({ getPresence: { chat: { userName: 'frida' } } });
    assert.equal(error.code, 'UNKNOWN_USER');
    const [ida] = await people('ida');
    assert.equal((await ida.write('frida', '1')).error.code, 'RECIPIENT_FULL'); // he is not counted for it
    assert.ok((await ida.write('jan', '1')).sent);
    assert.ok((await ida.write('karl', '1')).sent);
    await ida.close();
    const { error: badName } = await erna.write('two\u0007bells', 'x');
    assert.equal(badName.code, 'NAME_INVALID');
    await erna.close();
  });
});
