// SPDX-License-Identifier: Apache-2.0
// Who is it? Passwords, tokens, and what is wrong with them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Linnetd } from './linnetd.mjs';
import { Client, JSON_FORM, PROTO_FORM, within } from './client.mjs';

const TOKEN = /^[A-Za-z0-9_-]{40,100}$/;

async function refusal(client, frame) {
  const answer = await client.ask(frame);
  assert.ok(answer.error, `an error, not ${JSON.stringify(answer)}`);
  return answer.error;
}

function passwordLogin(name, password, deviceName = '') {
  return { authenticate: { passwordLogin: { name, password, deviceName } } };
}

describe('a login', () => {
  let node;
  let alice; // her number
  before(async () => {
    node = await Linnetd.start('--devices-max', '12');
    alice = await node.addUser('alice');
  });
  after(() => node.remove());

  it('by password welcomes with user, device, token, command number and limits', async () => {
    const client = await Client.open(node.url);
    client.logIn('alice');
    const welcome = await client.event('welcome');
    assert.equal(welcome.userId, alice);
    assert.equal(welcome.name, 'alice');
    assert.ok(welcome.device >= 1 && welcome.device <= 65535);
    assert.match(welcome.token, TOKEN);
    assert.ok(BigInt(welcome.nextCommand) >= 1n && BigInt(welcome.nextCommand) < 2n ** 52n);
    assert.ok(Math.abs(Number(welcome.serverTimeMs) - Date.now()) < 60_000);
    assert.deepEqual(welcome.limits, {
      messageBytesMax: '32768', attachmentsMax: '16', frameBytesMax: '65536', commandsUnansweredMax: '64',
      commandWindow: '64', unacknowledgedEntriesMax: '256', unacknowledgedBytesMax: '262144', idleTimeoutMs: '300000',
      groupMembersMax: '1024', presenceIntervalMs: '60000', presenceWatchesMax: '256', callRingMs: '60000',
    });
    await client.close();
  });

  it('by password makes a new device each time', async () => {
    const first = await Client.login(node.url, 'alice');
    const second = await Client.login(node.url, 'alice');
    assert.equal(first.welcome.userId, second.welcome.userId);
    assert.notEqual(first.welcome.device, second.welcome.device);
    assert.notEqual(first.welcome.token, second.welcome.token);
    await Promise.all([first.close(), second.close()]);
  });

  it('by a token in a frame is the same device again, and the token is not repeated', async () => {
    const first = await Client.login(node.url, 'alice');
    await first.close();
    const again = await Client.open(node.url);
    again.send({ authenticate: { token: first.welcome.token } });
    const welcome = await again.event('welcome');
    assert.equal(welcome.device, first.welcome.device);
    assert.equal(welcome.userId, alice);
    assert.equal(welcome.name, 'alice');
    assert.equal(welcome.token, undefined);
    await again.close();
  });

  it('by a token in the Authorization header is welcomed before any frame', async () => {
    const token = await node.token('alice');
    const client = await Client.open(node.url, { token });
    const welcome = await client.event('welcome');
    assert.equal(welcome.userId, alice);
    assert.equal(welcome.token, undefined);
    await client.close();
  });

  it('by a token among the offered subprotocols is welcomed, and the node names the other one', async () => {
    const token = await node.token('alice');
    const client = await Client.open(node.url, { subprotocols: [`linnet.token.${token}`, JSON_FORM] });
    assert.equal(client.ws.protocol, JSON_FORM);
    assert.equal((await client.event('welcome')).userId, alice);
    await client.close();
  });

  it('with commands sent right behind it, without waiting, has them done', async () => {
    // Users at home on either scheduler: a connection that moves must take with it what it has read.
    const people = await node.importUsers(...Array.from({ length: 8 }, (_, i) => `hasty${i}`));
    for (const [name, { user, token }] of Object.entries(people)) {
      const client = await Client.open(node.url);
      client.ws._socket.cork(); // one segment, so that both are read at once
      client.send({ authenticate: { token } });
      client.send({ ref: '5', ping: { data: 'aGk=' } });
      client.ws._socket.uncork();
      assert.equal((await client.event('welcome')).userId, user, name);
      assert.equal((await client.event('pong')).ref, '5', name);
      assert.deepEqual(client.frames.map((frame) => Object.keys(frame)[0]), ['welcome', 'pong']);
      await client.close();
    }
  });

  it('with a wrong password is WRONG_CREDENTIALS, and the connection may try again', async () => {
    const client = await Client.open(node.url);
    const error = await refusal(client, { ref: '7', ...passwordLogin('alice', 'guess') });
    assert.equal(error.code, 'WRONG_CREDENTIALS');
    client.logIn('alice');
    assert.equal((await client.event('welcome')).userId, alice);
    await client.close();
  });

  it('with an unknown name is told the very same as with a wrong password', async () => {
    const client = await Client.open(node.url);
    const wrong = await refusal(client, passwordLogin('alice', 'guess'));
    const unknown = await refusal(client, passwordLogin('nobody', 'guess'));
    assert.deepEqual(unknown, wrong);
    await client.close();
  });

  it('of a user without a password is WRONG_CREDENTIALS', async () => {
    await node.importUsers('tokenonly');
    const client = await Client.open(node.url);
    for (const password of ['', 'guess']) {
      assert.equal((await refusal(client, passwordLogin('tokenonly', password))).code, 'WRONG_CREDENTIALS');
    }
    await client.close();
  });

  it('that failed five times closes the connection with 4001', async () => {
    const client = await Client.open(node.url);
    for (let i = 0; i < 5; i++) {
      assert.equal((await refusal(client, passwordLogin('alice', `guess ${i}`))).code, 'WRONG_CREDENTIALS');
    }
    assert.equal((await within(client.closed, 'the close')).code, 4001);
  });

  const names = [
    ['an empty name', ''],
    ['a name of 65 bytes', 'x'.repeat(65)],
    ['a name of 64 characters that are 128 bytes', 'é'.repeat(64)],
    ['a name with a control character', 'al\nice'],
  ];
  for (const [what, name] of names) {
    it(`with ${what} is NAME_INVALID`, async () => {
      const client = await Client.open(node.url);
      const error = await refusal(client, passwordLogin(name, 'pw'));
      assert.equal(error.code, 'NAME_INVALID');
      assert.match(error.text, /^authenticate\.passwordLogin\.name: /);
      await client.close();
    });
  }

  it('with a device name of 65 bytes is NAME_INVALID', async () => {
    const client = await Client.open(node.url);
    const error = await refusal(client, passwordLogin('alice', 'pw-alice', 'd'.repeat(65)));
    assert.equal(error.code, 'NAME_INVALID');
    assert.match(error.text, /deviceName/);
    await client.close();
  });

  it('with an empty or overlong password is WRONG_CREDENTIALS', async () => {
    const client = await Client.open(node.url);
    for (const password of ['', 'x'.repeat(1025)]) {
      assert.equal((await refusal(client, passwordLogin('alice', password))).code, 'WRONG_CREDENTIALS');
    }
    await client.close();
  });

  it('with a malformed token is TOKEN_INVALID', async () => {
    const client = await Client.open(node.url);
    for (const token of ['', 'x', 'A'.repeat(47), 'ünlesbar']) {
      assert.equal((await refusal(client, { authenticate: { token } })).code, 'TOKEN_INVALID', token);
    }
    await client.close();
  });

  it('with a token of which one character was changed is TOKEN_INVALID', async () => {
    const token = await node.token('alice');
    const last = token.length - 5;
    const changed = token.slice(0, last) + (token[last] === 'A' ? 'B' : 'A') + token.slice(last + 1);
    const client = await Client.open(node.url);
    assert.equal((await refusal(client, { authenticate: { token: changed } })).code, 'TOKEN_INVALID');
    await client.close();
  });

  it('with a refused token in the upgrade request is told so and closed with 4001', async () => {
    const client = await Client.open(node.url, { token: 'AQEAAAAAAAAAAQAxxxx' });
    assert.equal((await client.event('answer')).error.code, 'TOKEN_INVALID');
    assert.equal((await within(client.closed, 'the close')).code, 4001);
  });

  it('with two tokens in the upgrade request is refused with 400', async () => {
    const token = await node.token('alice');
    await assert.rejects(Client.open(node.url, { token, subprotocols: [JSON_FORM, `linnet.token.${token}`] }),
      { status: 400, body: 'more than one token was sent\n' });
  });

  it('with an Authorization that is no bearer token is refused with 401', async () => {
    await assert.rejects(Client.open(node.url, { headers: { Authorization: 'Basic YWxpY2U6cHc=' } }),
      (error) => error.status === 401 && error.headers['www-authenticate'] === 'Bearer');
  });

  it('is asked for before any other command', async () => {
    const client = await Client.open(node.url);
    const chat = { userName: 'alice' };
    const commands = [{ ping: {} }, { ack: { inboxNumber: '1' } }, { sendMessage: { chat, text: 'x' } },
      { markRead: { chat, chatNumber: '1' } }];
    for (const command of commands) {
      const answer = await client.ask({ number: '3', ref: '4', ...command });
      assert.equal(answer.error.code, 'UNAUTHENTICATED');
      assert.deepEqual([answer.number, answer.ref], ['3', '4']);
    }
    client.logIn('alice');
    await client.event('welcome');
    await client.close();
  });

  it('comes once: a second one is NOT_EXPECTED, and changes nothing', async () => {
    const client = await Client.login(node.url, 'alice');
    assert.equal((await refusal(client, passwordLogin('alice', 'pw-alice'))).code, 'NOT_EXPECTED');
    assert.equal((await refusal(client, { authenticate: { token: client.welcome.token } })).code, 'NOT_EXPECTED');
    await client.settle();
    await client.close();
  });

  it('beyond the devices that a user may have is TOO_MANY_DEVICES', async () => {
    await node.addUser('collector');
    for (let i = 0; i < 12; i++) {
      await (await Client.login(node.url, 'collector')).close();
    }
    const client = await Client.open(node.url);
    assert.equal((await refusal(client, passwordLogin('collector', 'pw-collector'))).code, 'TOO_MANY_DEVICES');
    await client.close();
  });

  it('with the old password fails once the password was changed, and the devices stay', async () => {
    await node.addUser('carol');
    const phone = await Client.login(node.url, 'carol');
    await node.linnet(['user', 'passwd', 'carol', '--password-stdin'], 'another\n');
    const client = await Client.open(node.url);
    assert.equal((await refusal(client, passwordLogin('carol', 'pw-carol'))).code, 'WRONG_CREDENTIALS');
    client.logIn('carol', 'another');
    await client.event('welcome');
    await phone.settle();
    await Promise.all([client.close(), phone.close()]);
  });

  it('ends with 4003 when the user is removed, and the token is invalid from then on', async () => {
    await node.addUser('dave');
    const dave = await Client.login(node.url, 'dave');
    await node.linnet(['user', 'remove', 'dave']);
    assert.equal((await within(dave.closed, 'the close')).code, 4003);
    const again = await Client.open(node.url);
    assert.equal((await refusal(again, { authenticate: { token: dave.welcome.token } })).code, 'TOKEN_INVALID');
    assert.equal((await refusal(again, passwordLogin('dave', 'pw-dave'))).code, 'WRONG_CREDENTIALS');
    await again.close();
  });

  it('is told who it is in either form', async () => {
    const token = await node.token('alice');
    const client = await Client.open(node.url, { token, subprotocols: [PROTO_FORM, JSON_FORM] });
    assert.equal(client.ws.protocol, PROTO_FORM);
    await within(new Promise((resolve) => {
      client.ws.on('message', resolve);
      if (client.frames.length > 0) resolve();
    }), 'a frame');
    const [welcome] = client.frames;
    assert.ok(Buffer.isBuffer(welcome));
    assert.equal(welcome[0], 0x0a); // field 1, a message: welcome
    assert.ok(welcome.includes('alice'));
    await client.close();
  });
});

describe('a login with another setting', () => {
  it('is closed with 4001 when it does not come in time', async (t) => {
    const node = await Linnetd.start('--login-timeout-ms', '300');
    t.after(() => node.remove());
    const client = await Client.open(node.url);
    const { code } = await within(client.closed, 'the close');
    assert.equal(code, 4001);
  });

  it('of an unknown name makes a user where registration is open', async (t) => {
    const node = await Linnetd.start('--registration', 'open');
    t.after(() => node.remove());
    const first = await Client.open(node.url);
    first.logIn('newcomer', 'secret');
    const { userId } = await first.event('welcome');
    const again = await Client.open(node.url);
    assert.equal((await refusal(again, passwordLogin('newcomer', 'guess'))).code, 'WRONG_CREDENTIALS');
    again.logIn('newcomer', 'secret');
    assert.equal((await again.event('welcome')).userId, userId);
  });

  it('of a name that nobody can have is NAME_INVALID where registration is open', async (t) => {
    const node = await Linnetd.start('--registration', 'open');
    t.after(() => node.remove());
    const client = await Client.open(node.url);
    for (const name of ['a/b', ' a', '12', 'a\u202eb']) {
      assert.equal((await refusal(client, passwordLogin(name, 'secret'))).code, 'NAME_INVALID', JSON.stringify(name));
    }
  });
});
