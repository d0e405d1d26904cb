// SPDX-License-Identifier: Apache-2.0
// GET /export as a client would ask for it: Node's own fetch and http.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Linnetd } from './linnetd.mjs';
import { Client } from './client.mjs';

const MESSAGES = 600; // more than a page, and than a socket holds
const TEXT = 'x'.repeat(20_000);
const FLAGS = ['--history-days', '30', '--inbox-entries-max', '10000', '--user-exports-per-day', '1000'];

const rows = (text) => text.trim().split('\n').map((row) => JSON.parse(row));

describe('GET /export', () => {
  let node;
  let people;
  before(async () => {
    node = await Linnetd.start(...FLAGS);
    people = await node.importUsers('alice', 'bob', 'carol');
    const bob = await Client.welcomed(node.url, { token: people.bob.token });
    assert.ok((await bob.ask({ setState: { profile: { displayName: 'Bób "the" builder' } } })).done);
    await bob.close();
    const alice = await Client.welcomed(node.url, { token: people.alice.token });
    for (let i = 0; i < MESSAGES; i += 30) {
      const sent = Array.from({ length: 30 }, () => alice.ask({ sendMessage: { chat: { userName: 'bob' }, text: TEXT } }));
      assert.ok((await Promise.all(sent)).every((answer) => answer.sent));
    }
    await alice.close();
  });
  after(() => node.remove());

  const url = () => `http://${node.address}/export`;
  const as = (token) => ({ headers: { authorization: `Bearer ${token}` } });
  const ask = (name, more = {}) => fetch(url(), { ...as(people[name].token), ...more });

  // A response of Node's http that nobody has read yet.
  async function unread(name) {
    const request = http.get(url(), as(people[name].token));
    const [response] = await once(request, 'response');
    response.pause();
    return { request, response };
  }

  // A user's place is free again some time after he has gone.
  async function until(status, name) {
    for (;;) {
      const response = await ask(name);
      if (response.status === status) {
        return response;
      }
      await response.body.cancel();
      await sleep(10);
    }
  }

  it('gives what `linnet user export` gives, as lines of JSON', async () => {
    const response = await ask('bob');
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const text = await response.text();
    assert.equal(text, await node.linnet(['user', 'export', 'bob']));
    const found = rows(text);
    assert.deepEqual(found[0].user.name, 'bob');
    assert.equal(found.filter((row) => row.newMessage?.inboxNumber).length, MESSAGES);
    assert.equal(found.filter((row) => row.newMessage && !row.newMessage.inboxNumber).length, MESSAGES);
    assert.ok(!text.includes(people.bob.token));
  });

  it('refuses who has no good token, and other methods', async () => {
    const none = await fetch(url());
    assert.deepEqual([none.status, none.headers.get('www-authenticate')], [401, 'Bearer']);
    assert.equal((await fetch(url(), as('nonsense'))).status, 401);
    assert.equal((await fetch(url(), as(people.bob.token.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A'))))).status, 401);
    for (const method of ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
      assert.equal((await ask('bob', { method })).status, 405, method);
    }
  });

  it('gives a user one at a time; others get theirs, and chat goes on', async () => {
    const { request, response } = await unread('bob');
    const second = await ask('bob');
    assert.equal(second.status, 429);
    assert.ok(Number(second.headers.get('retry-after')) > 0);
    await second.text();
    assert.equal(rows(await (await ask('carol')).text())[0].user.name, 'carol');
    const alice = await Client.welcomed(node.url, { token: people.alice.token });
    assert.ok((await alice.ask({ sendMessage: { chat: { userName: 'carol' }, text: 'hi' } })).sent);
    await alice.close();
    response.destroy();
    request.destroy();
    assert.equal(await (await until(200, 'bob')).text(), await node.linnet(['user', 'export', 'bob']));
    assert.ok(await node.metric('exports_cut_total') >= 1);
  });

  it('is whole for who ends his side of the connection behind the request', async () => {
    const [host, port] = node.address.split(':');
    const socket = net.connect({ host, port, allowHalfOpen: true });
    const pieces = [];
    socket.on('data', (piece) => pieces.push(piece));
    socket.end(`GET /export HTTP/1.1\r\nHost: n\r\nAuthorization: Bearer ${people.bob.token}\r\n\r\n`);
    await once(socket, 'end');
    const bytes = Buffer.concat(pieces);
    const expected = await node.linnet(['user', 'export', 'bob']);
    assert.ok(bytes.length > Buffer.byteLength(expected));
    assert.equal(bytes.subarray(-7).toString(), '\r\n0\r\n\r\n');
    assert.equal(await (await ask('bob')).text(), expected); // his place is free
  });

  it('waits for who reads slowly', async () => {
    const { response } = await unread('bob');
    await sleep(500);
    let bytes = 0;
    for await (const piece of response) {
      bytes += piece.length;
      if (bytes % 5 === 0) {
        await sleep(1);
      }
    }
    assert.ok(response.complete);
    assert.equal(bytes, Buffer.byteLength(await node.linnet(['user', 'export', 'bob'])));
  });

  it('that was cut by a node that was killed is seen to be cut; the next one is whole', async () => {
    const expected = await node.linnet(['user', 'export', 'bob']);
    const { response } = await unread('bob');
    assert.equal(response.statusCode, 200);
    node.process.kill('SIGKILL');
    await node.ended;
    await assert.rejects(async () => {
      for await (const piece of response) { assert.ok(piece.length > 0); }
    });
    assert.ok(!response.complete);
    await node.begin(FLAGS);
    assert.equal(await (await ask('bob')).text(), expected);
  });
});

describe('exports', () => {
  it('are so many a day for a user, and none where the operator gives none', async () => {
    const node = await Linnetd.start('--user-exports-per-day', '2');
    const { dave } = await node.importUsers('dave');
    const ask = () => fetch(`http://${node.address}/export`, { headers: { authorization: `Bearer ${dave.token}` } });
    for (let i = 0; i < 2; i++) {
      assert.match(await (await ask()).text(), /"name":"dave"/);
    }
    const refused = await ask();
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) > 3600);
    assert.match(await refused.text(), /in a day/);
    await node.stop();
    await node.begin(['--exports-max', '0']);
    assert.equal((await ask()).status, 404);
    await node.remove();
  });
});
