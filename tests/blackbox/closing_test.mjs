// SPDX-License-Identifier: Apache-2.0
// How connections begin, live and end: subprotocols, pings, silence, close frames, and a node that stops.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Linnetd, PATIENCE_MS, SLOWNESS } from './linnetd.mjs';
import { Client, JSON_FORM, PROTO_FORM, within } from './client.mjs';

describe('a connection', () => {
  let node;
  let people;
  before(async () => {
    node = await Linnetd.start();
    people = await node.importUsers('alice', 'bob');
  });
  after(() => node.remove());

  it('speaks the first offered subprotocol that the node knows', async () => {
    for (const [offered, chosen] of [
      [[JSON_FORM, PROTO_FORM], JSON_FORM],
      [[PROTO_FORM, JSON_FORM], PROTO_FORM],
      [['chat.v9', JSON_FORM], JSON_FORM],
    ]) {
      const client = await Client.open(node.url, { subprotocols: offered });
      assert.equal(client.ws.protocol, chosen);
      await client.close();
    }
  });

  it('that offers no subprotocol of the node’s is refused with 400', async () => {
    for (const subprotocols of [[], ['linnet.v2.json'], ['LINNET.V1.JSON']]) {
      await assert.rejects(Client.open(node.url, { subprotocols }), { status: 400 });
    }
  });

  it('offers compression in vain: the node agrees to no extension', async () => {
    const client = await Client.open(node.url, { perMessageDeflate: true });
    assert.equal(client.ws.extensions, '');
    await client.close();
  });

  it('is refused with 404 elsewhere than at /chat, at /echo too', async () => {
    for (const path of ['/', '/chat/', '/Chat', '/chats', '/echo']) {
      await assert.rejects(Client.open(`ws://${node.address}${path}`), { status: 404 }, path);
    }
  });

  it('may have a query behind its path', async () => {
    await (await Client.open(`${node.url}?v=1`)).close();
  });

  it('whose WebSocket version is not 13 is refused with 426 and told which', async () => {
    await assert.rejects(Client.open(node.url, { protocolVersion: 8 }),
      (error) => error.status === 426 && error.headers['sec-websocket-version'] === '13');
  });

  it('answers a WebSocket ping with its data', async () => {
    const client = await Client.open(node.url);
    for (const data of ['', 'hello', 'x'.repeat(125)]) {
      const pong = new Promise((resolve) => client.ws.once('pong', resolve));
      client.ws.ping(data);
      assert.equal((await within(pong, 'a pong')).toString(), data);
    }
    await client.close();
  });

  it('takes a message in fragments with a ping between them', async () => {
    const client = await Client.welcomed(node.url, people.alice);
    const frame = JSON.stringify({ ref: '4', ping: { data: 'aGk=' } });
    const pong = new Promise((resolve) => client.ws.once('pong', resolve));
    client.ws.send(frame.slice(0, 10), { fin: false });
    client.ws.ping('between');
    client.ws.send(frame.slice(10, 20), { fin: false });
    client.ws.send(frame.slice(20), { fin: true });
    assert.equal((await within(pong, 'a pong')).toString(), 'between');
    assert.equal((await client.event('pong')).ref, '4');
    await client.close();
  });

  for (const code of [1000, 1001, 1008, 3000, 4999]) {
    it(`that is closed with ${code} gets this code back`, async () => {
      const client = await Client.welcomed(node.url, people.alice);
      client.ws.close(code, 'good bye');
      assert.equal((await within(client.closed, 'the close')).code, code);
    });
  }

  it('that is closed without a code gets none back', async () => {
    const client = await Client.welcomed(node.url, people.alice);
    client.ws.close();
    assert.equal((await within(client.closed, 'the close')).code, 1005);
  });

  it('that goes without a word costs nobody anything', async () => {
    for (let i = 0; i < 20; i++) {
      const client = await Client.welcomed(node.url, people.alice);
      client.send({ sendMessage: { chat: { userName: 'bob' }, text: `${i}` } });
      client.ws.terminate();
    }
    const bob = await Client.welcomed(node.url, people.bob);
    await bob.settle();
    await bob.close();
  });

  it('that has gone is no longer counted', async () => {
    const alice = await Client.welcomed(node.url, people.alice);
    const bob = await Client.welcomed(node.url, people.bob);
    alice.ws.terminate();
    await bob.close();
    const end = Date.now() + PATIENCE_MS;
    while (await node.metric('devices') > 0) {
      assert.ok(Date.now() < end, 'they are still counted');
      await sleep(20);
    }
  });
});

// The node's patience; that of its clients, a quarter of it, bears a busy machine.
const IDLE_MS = 2000 * SLOWNESS;

describe('a silent connection', () => {
  let node;
  let people;
  before(async () => {
    node = await Linnetd.start('--idle-timeout-ms', String(IDLE_MS));
    people = await node.importUsers('alice', 'bob', 'carol');
  });
  after(() => node.remove());

  it('that answers the node’s pings stays, one that does not is closed with 4008', async () => {
    const alice = await Client.welcomed(node.url, people.alice);
    const pinged = once(alice.ws, 'ping');
    const began = Date.now();
    const bob = await Client.welcomed(node.url, { ...people.bob, autoPong: false });
    const { code } = await within(bob.closed, 'the close');
    assert.equal(code, 4008);
    assert.ok(Date.now() - began >= 0.99 * IDLE_MS);
    await within(pinged, 'a ping');
    await alice.settle();
    await alice.close();
  });

  it('that sends commands in time needs no pongs', async () => {
    const carol = await Client.welcomed(node.url, { ...people.carol, autoPong: false });
    for (let i = 0; i < 6; i++) {
      await sleep(IDLE_MS / 4);
      await carol.settle();
    }
    await carol.close();
  });
});

describe('a node that stops', () => {
  it('closes its connections with 1001 and ends with 0', async (t) => {
    const node = await Linnetd.start();
    t.after(() => node.remove());
    const people = await node.importUsers('alice', 'bob');
    const alice = await Client.welcomed(node.url, people.alice);
    const bob = await Client.open(node.url); // not logged in
    const ended = node.stop();
    assert.equal((await within(alice.closed, 'the close')).code, 1001);
    assert.equal((await within(bob.closed, 'the close')).code, 1001);
    assert.equal(await within(ended, 'the end'), 0);
  });

  it('ends soon although a client does not answer its close', async (t) => {
    const node = await Linnetd.start();
    t.after(() => node.remove());
    const { alice } = await node.importUsers('alice');
    const client = await Client.welcomed(node.url, alice);
    client.ws._socket.pause(); // reads and answers nothing any more
    assert.equal(await within(node.stop(), 'the end', 20_000), 0);
    client.ws.terminate();
  });

  it('refuses connections beyond connections_max, and no others', async (t) => {
    const node = await Linnetd.start('--connections-max', '2');
    t.after(() => node.remove());
    const first = await Client.open(node.url);
    const second = await Client.open(node.url);
    await assert.rejects(Client.open(node.url));
    await first.close();
    const end = Date.now() + PATIENCE_MS;
    let third;
    while (!third) {
      third = await Client.open(node.url).catch(() => null);
      assert.ok(Date.now() < end, 'the room is given again');
    }
    await Promise.all([second.close(), third.close()]);
  });
});
