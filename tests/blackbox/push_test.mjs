// SPDX-License-Identifier: Apache-2.0
// Devices that are offline are woken: by Web Push, whose bodies npm's http_ece opens as a browser would, over HTTPS
// with an authority of its own, and by the webhook.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createECDH, createHmac, createPublicKey, randomBytes, timingSafeEqual, verify } from 'node:crypto';
import { readFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import ece from 'http_ece';
import { Linnetd } from './linnetd.mjs';
import { Client, within } from './client.mjs';

const SUBJECT = 'mailto:push@example.com';
const QUICK = ['--push-delay-ms', '50', '--push-interval-ms', '100', '--push-retry-ms', '50'];

// An authority and a server's certificate for 127.0.0.1.
function certificates() {
  const folder = mkdtempSync(path.join(process.cwd(), 'ca-'));
  const at = (name) => path.join(folder, name);
  const openssl = (...words) => execFileSync('openssl', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=test', '-days', '2');
  openssl('req', ...key, '-keyout', at('server.key'), '-out', at('server.csr'), '-subj', '/CN=server');
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1\n');
  openssl('x509', '-req', '-in', at('server.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial',
    '-days', '2', '-extfile', at('names'), '-out', at('server.pem'));
  return { ca: at('ca.pem'), key: readFileSync(at('server.key')), cert: readFileSync(at('server.pem')) };
}

// A server that keeps what it is sent, and answers as it is told to: one status after the other, then 201.
class Endpoint {
  static async open(tls) {
    const endpoint = new Endpoint();
    endpoint.requests = [];
    endpoint.waiting = [];
    endpoint.answers = [];
    endpoint.connections = 0;
    endpoint.server = (tls ? https.createServer(tls) : http.createServer());
    endpoint.server.on('request', (request, response) => endpoint.take(request, response));
    endpoint.server.on(tls ? 'secureConnection' : 'connection', () => { endpoint.connections += 1; });
    await new Promise((resolve) => endpoint.server.listen(0, '127.0.0.1', resolve));
    endpoint.url = `${tls ? 'https' : 'http'}://127.0.0.1:${endpoint.server.address().port}`;
    return endpoint;
  }

  take(request, response) {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const taken = { method: request.method, path: request.url, headers: request.headers, body: Buffer.concat(pieces) };
      const [status, headers = {}] = this.answers.shift() ?? [201];
      response.writeHead(status, { 'Content-Length': 0, ...headers });
      response.end();
      const waiter = this.waiting.shift();
      if (waiter) { waiter(taken); } else { this.requests.push(taken); }
    });
  }

  // The next request that was not handed out yet.
  next() {
    if (this.requests.length > 0) {
      return Promise.resolve(this.requests.shift());
    }
    return within(new Promise((resolve) => { this.waiting.push(resolve); }), 'a push');
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

// A browser's subscription: its keys, and what its page sends on.
function subscription(endpoint) {
  const keys = createECDH('prime256v1');
  keys.generateKeys();
  const auth = randomBytes(16);
  return {
    keys,
    auth,
    set: { endpoint, p256dh: keys.getPublicKey('base64url'), auth: auth.toString('base64url') },
    open: (body) => JSON.parse(ece.decrypt(body, { version: 'aes128gcm', privateKey: keys, authSecret: auth })),
  };
}

// What RFC 8292 asks a push service to check; the claims.
function vapid(header, key, origin) {
  const [, head, claims, signature, said] = /^vapid t=([^.]+)\.([^.]+)\.([^,]+), k=(\S+)$/.exec(header);
  assert.deepEqual(JSON.parse(Buffer.from(head, 'base64url')), { typ: 'JWT', alg: 'ES256' });
  assert.equal(said, key);
  const point = Buffer.from(key, 'base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url') };
  assert.ok(verify('sha256', `${head}.${claims}`, { key: createPublicKey({ key: jwk, format: 'jwk' }),
    dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')));
  const claim = JSON.parse(Buffer.from(claims, 'base64url'));
  assert.equal(claim.aud, origin);
  assert.equal(claim.sub, SUBJECT);
  assert.ok(claim.exp > Date.now() / 1000 && claim.exp <= Date.now() / 1000 + 86_400);
  return claim;
}

const base64url = (text) => Buffer.from(text, 'base64').toString('base64url');

describe('Web Push', () => {
  let node;
  let people;
  let service;
  let alice;
  before(async () => {
    const tls = certificates();
    service = await Endpoint.open(tls);
    node = await Linnetd.start('--push-subject', SUBJECT, '--push-ca-extra-file', tls.ca, '--push-private-endpoints',
      ...QUICK);
    people = await node.importUsers('alice', 'bob', 'carol', 'dave', 'erin', 'fritz');
    alice = await Client.welcomed(node.url, { token: people.alice.token });
  });
  after(async () => {
    await alice.close();
    await node.remove();
    service.close();
  });

  // Somebody who has left a subscription and is offline; resolves with it and the node's key.
  async function subscribed(name, where = `/send/${name}`) {
    const person = await Client.welcomed(node.url, { token: people[name].token });
    const mine = subscription(service.url + where);
    const { push } = await person.ask({ getPush: {} });
    assert.deepEqual([push.set ?? false, push.webhook ?? false], [false, false]);
    const set = { webPush: mine.set, app: Buffer.from(`${name}'s`).toString('base64') };
    assert.ok((await person.ask({ setPush: set })).done);
    assert.equal((await person.ask({ getPush: {} })).push.set, true);
    await person.close();
    return { ...mine, key: base64url(push.webPushKey) };
  }

  const say = (name, text = 'secret') => alice.ask({ sendMessage: { chat: { userName: name }, text } });

  it('says that something waits, to nobody but the app, and nothing of what', async () => {
    const bob = await subscribed('bob');
    await say('bob', 'nobody else must see this');
    const push = await service.next();
    assert.equal(push.method, 'POST');
    assert.equal(push.path, '/send/bob');
    assert.equal(push.headers['content-encoding'], 'aes128gcm');
    assert.equal(push.headers.ttl, '604800');
    assert.equal(push.headers.urgency, 'normal');
    assert.equal(push.headers.topic, 'linnet');
    vapid(push.headers.authorization, bob.key, service.url);
    assert.deepEqual(bob.open(push.body), { type: 'wake', reason: 'message',
      app: Buffer.from("bob's").toString('base64') });
    const exported = (await node.linnet(['user', 'export', 'bob'])).trim().split('\n').map((row) => JSON.parse(row));
    const { push: kept } = exported.find((row) => row.push);
    assert.equal(kept.device, 1);
    assert.deepEqual(kept.setPush, { webPush: { endpoint: `${service.url}/send/bob` },
      app: Buffer.from("bob's").toString('base64') });
  });

  it('is tried again, no sooner than asked, until it is accepted', async () => {
    const dave = await subscribed('dave');
    service.answers = [[503], [429, { 'Retry-After': '1' }], [500]];
    const began = Date.now();
    await say('dave');
    for (let i = 0; i < 4; i++) {
      assert.equal(dave.open((await service.next()).body).type, 'wake');
    }
    assert.ok(Date.now() - began >= 1000);
    const shown = async () => JSON.parse(await node.linnet(['push', 'show', 'dave', '--json'])).devices[0];
    while ((await shown()).due) { /* until the last is noted */ }
    const steps = (await shown()).steps.map(({ step, status, attempt }) => `${step} ${attempt} ${status}`);
    assert.deepEqual(steps, ['queued 0 0', 'sent 1 0', 'retried 1 503', 'sent 2 0', 'retried 2 429', 'sent 3 0',
      'retried 3 500', 'sent 4 0', 'accepted 4 201']);
    assert.match(await node.linnet(['push', 'show', 'dave']), /by web push at https:\/\/127\.0\.0\.1:\d+, set/);
  });

  it('ends with a subscription of which the service says that it has ended', async () => {
    await subscribed('erin');
    service.answers = [[410]];
    await say('erin');
    await service.next();
    const person = await Client.welcomed(node.url, { token: people.erin.token });
    while ((await person.ask({ getPush: {} })).push.set) { /* until it is noted */ }
    await person.close();
    assert.equal(await node.metric('push_gone_total'), 1);
  });

  it('leaves who has muted the chat in peace', async () => {
    const fritz = await subscribed('fritz');
    const mute = async (mutedUntilMs) => {
      const person = await Client.welcomed(node.url, { token: people.fritz.token });
      assert.ok((await person.ask({ ref: '1', setState: { chat: { userName: 'alice' }, mutedUntilMs } })).done);
      await person.close();
    };
    const queued = await node.metric('push_queued_total');
    await mute(String(Date.now() + 3_600_000));
    await say('fritz');
    assert.equal(await node.metric('push_queued_total'), queued);
    await mute('0');
    await say('fritz');
    assert.equal(fritz.open((await service.next()).body).type, 'wake');
    assert.equal(await node.metric('push_queued_total'), queued + 1);
  });

  it('keeps its connections', async () => {
    const before = service.connections;
    for (let i = 0; i < 5; i++) {
      await node.linnet(['push', 'test', 'bob']);
      await service.next();
    }
    assert.ok(service.connections - before <= 1, `${service.connections - before} connections for 5 pushes`);
  });

  it('is refused where keys or endpoint are none', async () => {
    const good = subscription(service.url).set;
    const set = (change) => alice.ask({ setPush: { webPush: { ...good, ...change } } });
    const codes = [];
    for (const change of [{ endpoint: 'ftp://h/' }, { endpoint: `https://h/${'x'.repeat(1024)}` }, { auth: 'AAAA' },
      { p256dh: 'AAAA' }, { p256dh: Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64') }]) {
      codes.push((await set(change)).error.code);
    }
    assert.deepEqual(codes, Array(5).fill('BAD_FRAME'));
    assert.equal((await alice.ask({ setPush: {} })).error.code, 'BAD_FRAME');
    assert.equal((await alice.ask({ setPush: { webhook: {} } })).error.code, 'NOT_PERMITTED');
    assert.ok((await alice.ask({ clearPush: {} })).done);
  });

  it('is not sent to a server that nobody vouches for', async () => {
    const stranger = await Endpoint.open(certificates());
    const person = await Client.welcomed(node.url, { token: people.carol.token });
    await person.ask({ setPush: { webPush: subscription(stranger.url).set } });
    const [told] = JSON.parse(await node.linnet(['push', 'test', 'carol', '--json']));
    assert.equal(told.status, -71); // EPROTO
    assert.match(told.why, /certificate/);
    assert.equal(stranger.requests.length, 0);
    await person.close();
    stranger.close();
  });
});

describe('one push', () => {
  it('is sent until something newer comes, and the next not before push_interval_ms have passed', async () => {
    const service = await Endpoint.open();
    const node = await Linnetd.start('--push-subject', SUBJECT, '--push-private-endpoints', '--push-delay-ms', '50',
      '--push-interval-ms', '600000');
    const people = await node.importUsers('alice', 'carol');
    const alice = await Client.welcomed(node.url, { token: people.alice.token });
    const person = await Client.welcomed(node.url, { token: people.carol.token });
    const carol = subscription(service.url);
    assert.ok((await person.ask({ setPush: { webPush: carol.set } })).done);
    await person.close();
    const say = () => alice.ask({ sendMessage: { chat: { userName: 'carol' }, text: 'x' } });
    await say();
    assert.equal(carol.open((await service.next()).body).type, 'wake');
    while (await node.metric('push_accepted_total') < 1) { /* until the answer has been read */ }
    for (let i = 0; i < 20; i++) {
      await say();
    }
    await node.linnet(['push', 'test', 'carol']);
    assert.equal(carol.open((await service.next()).body).type, 'test');
    assert.equal(service.requests.length, 0);
    assert.equal(await node.metric('push_accepted_total'), 2);
    await alice.close();
    await node.remove();
    service.close();
  });
});

describe('a call', () => {
  let service;
  let node;
  let people;
  let alice;
  before(async () => {
    service = await Endpoint.open();
    node = await Linnetd.start('--push-subject', SUBJECT, '--push-webhook', `${service.url}/wake`,
      '--push-private-endpoints', '--push-delay-ms', '50', '--push-interval-ms', '600000', '--push-ttl-s', '86400',
      '--call-ring-ms', '600000');
    people = await node.importUsers('alice', 'bob', 'carol');
    alice = await Client.welcomed(node.url, { token: people.alice.token });
  });
  after(async () => {
    await alice.close();
    await node.remove();
    service.close();
  });

  const subscribed = async (name, setPush) => {
    const person = await Client.welcomed(node.url, { token: people[name].token });
    assert.ok((await person.ask({ setPush })).done);
    await person.close();
  };
  const say = (name) => alice.ask({ sendMessage: { chat: { userName: name }, text: 'secret' } });
  // Rings until `during` has been through.
  const calling = async (name, during) => {
    const { sent } = await alice.ask({ callOffer: { chat: { userName: name }, video: true, content: 'c2VjcmV0' } });
    await during();
    assert.ok((await alice.ask({ callHangUp: { call: sent.id } })).done);
  };

  it('wakes by an urgent push that is worth as much as it rings, right behind a message\'s', async () => {
    const bob = subscription(service.url);
    await subscribed('bob', { webPush: bob.set });
    await say('bob');
    const message = await service.next();
    assert.deepEqual(bob.open(message.body), { type: 'wake', reason: 'message', app: '' });
    assert.deepEqual([message.headers.urgency, message.headers.ttl], ['normal', '86400']);
    await calling('bob', async () => {
      const call = await service.next();
      assert.deepEqual(bob.open(call.body), { type: 'wake', reason: 'call', app: '' });
      assert.deepEqual([call.headers.urgency, call.headers.topic], ['high', 'linnet-call']);
      assert.ok(Number(call.headers.ttl) > 300 && Number(call.headers.ttl) <= 600, call.headers.ttl);
    });
  });

  it('is told to the webhook as one, and nothing more of it', async () => {
    await subscribed('carol', { webhook: {}, app: 'dm9pcDp4' });
    await say('carol');
    const message = JSON.parse((await service.next()).body);
    assert.deepEqual([message.reason, message.ttlS], ['message', 86400]);
    await calling('carol', async () => {
      const { id, timeMs, ttlS, ...call } = JSON.parse((await service.next()).body);
      assert.deepEqual(call, { type: 'wake', reason: 'call', userId: people.carol.user, device: 1, attempt: 1,
        app: 'dm9pcDp4' });
      assert.notEqual(id, message.id);
      assert.ok(ttlS > 300 && ttlS <= 600, String(ttlS));
      assert.ok(Math.abs(Date.now() - Number(timeMs)) < 300_000);
    });
  });
});

describe('without push_private_endpoints', () => {
  let node;
  let alice;
  before(async () => {
    node = await Linnetd.start('--push-subject', SUBJECT, ...QUICK);
    const people = await node.importUsers('alice');
    alice = await Client.welcomed(node.url, { token: people.alice.token });
  });
  after(async () => {
    await alice.close();
    await node.remove();
  });

  it('no client leads the node to http, to itself or into its own network', async () => {
    const service = await Endpoint.open();
    const answer = await alice.ask({ setPush: { webPush: subscription(service.url).set } });
    assert.equal(answer.error.code, 'NOT_PERMITTED');
    for (const endpoint of [service.url.replace('http:', 'https:'), 'https://localhost/', 'https://[::1]/',
      'https://2130706433/', 'https://169.254.169.254/latest']) {
      assert.ok((await alice.ask({ setPush: { webPush: subscription(endpoint).set } })).done);
      const [told] = JSON.parse(await node.linnet(['push', 'test', 'alice', '--json']));
      assert.ok(told.status < 0, endpoint);
      assert.match(told.why, /public network|no such host/, endpoint);
    }
    assert.equal(service.connections, 0);
    service.close();
  });

  it('nor over the connection that the webhook keeps to the operator\'s own server', async (t) => {
    const tls = certificates();
    const hook = await Endpoint.open(tls);
    const other = await Linnetd.start('--push-subject', SUBJECT, '--push-webhook', `${hook.url}/wake`,
      '--push-ca-extra-file', tls.ca, ...QUICK);
    t.after(async () => { await other.remove(); hook.close(); });
    const people = await other.importUsers('bob');
    const bob = await Client.welcomed(other.url, { token: people.bob.token });
    const tested = async (setPush) => {
      assert.ok((await bob.ask({ setPush })).done);
      return JSON.parse(await other.linnet(['push', 'test', 'bob', '--json']))[0];
    };
    assert.equal((await tested({ webhook: {} })).status, 201);
    const refused = await tested({ webPush: subscription(`${hook.url}/admin`).set });
    assert.ok(refused.status < 0);
    assert.match(refused.why, /public network/);
    assert.equal((await tested({ webhook: {} })).status, 201);
    assert.deepEqual(hook.requests.map((request) => request.path), ['/wake', '/wake']);
    await bob.close();
  });
});

describe('the webhook', () => {
  let node;
  let people;
  let hook;
  let alice;
  before(async () => {
    hook = await Endpoint.open();
    node = await Linnetd.start('--push-webhook', `${hook.url}/wake?v=1`, ...QUICK);
    people = await node.importUsers('alice', 'bob');
    alice = await Client.welcomed(node.url, { token: people.alice.token });
    const bob = await Client.welcomed(node.url, { token: people.bob.token });
    const { push } = await bob.ask({ getPush: {} });
    assert.deepEqual(push, { webhook: true });
    assert.equal((await bob.ask({ setPush: { webPush: subscription('https://h/').set } })).error.code,
      'NOT_PERMITTED');
    assert.ok((await bob.ask({ setPush: { webhook: {}, app: Buffer.from('fcm:token').toString('base64') } })).done);
    await bob.close();
  });
  after(async () => {
    await alice.close();
    await node.remove();
    hook.close();
  });

  function checked(request) {
    const secret = readFileSync(path.join(node.data, 'push.webhook'), 'utf8').trim();
    const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(request.headers['linnet-signature']);
    const expected = createHmac('sha256', secret).update(`${seconds}.`).update(request.body).digest();
    assert.ok(timingSafeEqual(expected, Buffer.from(mac, 'hex')));
    assert.ok(Math.abs(Date.now() / 1000 - Number(seconds)) < 300);
    return JSON.parse(request.body);
  }

  it('is told whom to wake, signed, with the same key at each attempt', async () => {
    hook.answers = [[404], [200]];
    await alice.ask({ sendMessage: { chat: { userName: 'bob' }, text: 'secret' } });
    const first = await hook.next();
    const second = await hook.next();
    assert.equal(first.path, '/wake?v=1');
    assert.equal(first.headers['content-type'], 'application/json');
    const [said, again] = [checked(first), checked(second)];
    assert.deepEqual({ ...said, timeMs: '', id: '' }, { type: 'wake', reason: 'message', id: '',
      userId: people.bob.user, device: 1, attempt: 1, timeMs: '', ttlS: 604_800,
      app: Buffer.from('fcm:token').toString('base64') });
    assert.equal(again.attempt, 2);
    assert.equal(again.id, said.id);
    assert.equal(first.headers['idempotency-key'], `"${said.id}"`);
    assert.equal(second.headers['idempotency-key'], first.headers['idempotency-key']);
  });

  it('is told after a start what it was not told before', async () => {
    while (JSON.parse(await node.linnet(['push', 'show', 'bob', '--json'])).devices[0].due) { /* the one before */ }
    hook.answers = Array(1000).fill([503]);
    await alice.ask({ sendMessage: { chat: { userName: 'bob' }, text: 'secret' } });
    const before = checked(await hook.next());
    node.process.kill('SIGKILL');
    await node.ended;
    hook.answers = [];
    hook.requests = [];
    await node.begin(['--push-webhook', `${hook.url}/wake?v=1`, ...QUICK]);
    let now;
    do {
      now = checked(await hook.next());
    } while (now.attempt !== 1);
    assert.equal(now.id, before.id);
    alice = await Client.welcomed(node.url, { token: people.alice.token });
  });
});
