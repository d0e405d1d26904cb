// SPDX-License-Identifier: Apache-2.0
// A user's devices: linked by a code, listed, named, revoked.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Linnetd } from './linnetd.mjs';
import { Client } from './client.mjs';

describe("a user's devices", () => {
  let node;
  let phone;
  before(async () => {
    node = await Linnetd.start('--devices-max', '3', '--link-code-tries', '2');
    await node.addUser('alice');
    await node.addUser('bob');
    phone = await Client.login(node.url, 'alice');
  });
  after(async () => {
    await phone.close();
    await node.remove();
  });

  async function linked(code, deviceName = 'tablet') {
    const client = await Client.open(node.url);
    client.send({ authenticate: { linkCode: { name: 'alice', code, deviceName } } });
    return client;
  }

  async function code() {
    const { linkCode } = await phone.ask({ createLinkCode: {} });
    assert.match(linkCode.code, /^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
    assert.ok(Number(linkCode.expiresAtMs) > Date.now());
    return linkCode.code;
  }

  async function list() {
    const { devices } = await phone.ask({ listDevices: {} });
    return devices.devices;
  }

  it('are linked by a code that another one shows, however it is typed', async () => {
    const tablet = await linked((await code()).toLowerCase().replace('-', ' '));
    const welcome = await tablet.event('welcome');
    assert.equal(welcome.name, 'alice');
    const change = await phone.event('deviceChange');
    assert.equal(change.change, 'LINKED');
    assert.equal(change.device, welcome.device);
    assert.equal(change.name, 'tablet');
    await tablet.close();
    const again = await Client.welcomed(node.url, { token: welcome.token });
    assert.equal(again.welcome.device, welcome.device);
    await again.close();
  });

  it('are not linked by a code twice, nor by a wrong one, and wrong ones void it', async () => {
    const good = await code();
    for (const bad of ['0000-0000', '1111-1111', good]) {
      const client = await linked(bad);
      const { error } = await client.event('answer');
      assert.equal(error.code, 'WRONG_CREDENTIALS');
      await client.close();
    }
  });

  it('are listed with what they are called and when they were seen, and named', async () => {
    const devices = await list();
    assert.equal(devices.length, 2);
    assert.ok(devices[0].own && devices[0].online);
    assert.ok(!devices[1].own && !devices[1].online);
    assert.ok(Number(devices[1].lastSeenMs) >= Number(devices[1].linkedAtMs));
    assert.ok((await phone.ask({ renameDevice: { device: devices[1].device, name: 'kitchen' } })).done);
    const change = await phone.event('deviceChange');
    assert.equal(change.change, 'RENAMED');
    assert.equal((await list())[1].name, 'kitchen');
    const { error } = await phone.ask({ renameDevice: { device: 99, name: 'x' } });
    assert.equal(error.code, 'UNKNOWN_DEVICE');
  });

  it('get what another one writes, and how far it has read', async () => {
    const tablet = await linked(await code());
    const welcome = await tablet.event('welcome');
    const bob = await Client.login(node.url, 'bob');
    assert.equal((await phone.event('deviceChange')).change, 'LINKED');
    assert.ok((await phone.write('bob', 'from the phone')).sent);
    const copy = await tablet.event('newMessage');
    assert.equal(copy.text, 'from the phone');
    assert.equal(copy.sender.userId, welcome.userId);
    bob.send({ sendMessage: { chat: { userName: 'alice' }, text: 'to all' } });
    const message = await tablet.event('newMessage');
    assert.ok((await phone.ask({ ref: '5', markRead: { chat: message.chat, chatNumber: message.chatNumber } })).done);
    let receipts;
    do {
      receipts = await tablet.event('receipts');
    } while (receipts.readerUserId !== welcome.userId);
    assert.equal(receipts.read, message.chatNumber);
    const chats = (await tablet.ask({ listChats: {} })).chats.chats;
    assert.equal(chats.length, 1);
    assert.deepEqual(chats[0].chat, message.chat);
    assert.equal(chats[0].last, '1');
    assert.equal(chats[0].read, '1');
    assert.equal(chats[0].unread, undefined); // none
    await Promise.all([tablet.close(), bob.close()]);
  });

  it('are revoked at once, by another one or by themselves, and do not come back', async () => {
    const [, second, third] = await list();
    const { error } = await (await linked(await code())).event('answer');
    assert.equal(error.code, 'TOO_MANY_DEVICES');
    assert.ok((await phone.ask({ revokeDevice: { device: third.device } })).done);
    const tablet = await linked(await code());
    const { token, device } = await tablet.event('welcome');
    assert.ok((await phone.ask({ revokeDevice: { device } })).done);
    assert.equal((await tablet.closed).code, 4003);
    const refused = await Client.open(node.url, { token });
    assert.equal((await refused.event('answer')).error.code, 'TOKEN_INVALID');
    assert.equal((await refused.closed).code, 4001);
    const own = await linked(await code(), 'own');
    const { device: itself } = await own.event('welcome');
    own.send({ revokeDevice: { device: itself } });
    assert.equal((await own.closed).code, 4003);
    assert.deepEqual((await list()).map((row) => row.device), [1, second.device]);
  });
});
