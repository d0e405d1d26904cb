// SPDX-License-Identifier: Apache-2.0
// What a client may get wrong in a frame: each mistake has its code and a text that names it, the connection goes on,
// and nobody else notices.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Linnetd } from './linnetd.mjs';
import { Client, PROTO_FORM, within } from './client.mjs';

const chat = { userName: 'bob' };
const message = (more) => JSON.stringify({ sendMessage: { chat, text: 'x', ...more } });

// [what it is, the frame's text, the error's code, what its text says]
const mistakes = [
  ['a text that is no JSON', '{"ping":', 'BAD_FRAME', /not JSON near byte 8/],
  ['an empty text', '', 'BAD_FRAME', /empty/],
  ['a frame of blanks', '  \n', 'BAD_FRAME', /./],
  ['an array', '[]', 'BAD_FRAME', /not a JSON object/],
  ['a string', '"ping"', 'BAD_FRAME', /not a JSON object/],
  ['null', 'null', 'BAD_FRAME', /not a JSON object/],
  ['two objects', '{"ping":{}}{"ping":{}}', 'BAD_FRAME', /not JSON/],
  ['an object without a command', '{}', 'BAD_FRAME', /no command/],
  ['a command that is null', '{"ping":null}', 'BAD_FRAME', /no command/],
  ['an unknown field', '{"ping":{},"nubmer":"1"}', 'BAD_FRAME', /"nubmer"/],
  ['an unknown field inside', '{"ping":{"dat":""}}', 'BAD_FRAME', /ping.*"dat"/],
  ['a server’s event', '{"welcome":{}}', 'BAD_FRAME', /"welcome"/],
  ['a key given twice', '{"ref":"1","ref":"1","ping":{}}', 'BAD_FRAME', /ref/],
  ['a key given in both spellings', '{"sendMessage":{"chat":{"userName":"bob","user_name":"bob"},"text":"x"}}',
    'BAD_FRAME', /user_?name/i],
  ['two members of a oneof', message({ content: 'eA==' }), 'BAD_FRAME', /content/],
  ['two commands', '{"ping":{},"ack":{"inboxNumber":"1"}}', 'BAD_FRAME', /ack/],
  ['a lone high surrogate', '{"sendMessage":{"chat":{"userName":"bob"},"text":"\\ud83d"}}', 'BAD_FRAME', /surrogate/],
  ['a lone low surrogate', '{"sendMessage":{"chat":{"userName":"bob"},"text":"\\ude00x"}}', 'BAD_FRAME', /surrogate/],
  ['a U+0000', '{"sendMessage":{"chat":{"userName":"bob"},"text":"a\\u0000b"}}', 'BAD_FRAME', /text/],
  ['a byte order mark', '\ufeff{"ping":{}}', 'BAD_FRAME', /not JSON/],
  ['a trailing comma', '{"ping":{},}', 'BAD_FRAME', /not JSON/],
  ['a comment', '{"ping":{}/* hello */}', 'BAD_FRAME', /not JSON/],
  ['single quotes', "{'ping':{}}", 'BAD_FRAME', /not JSON/],
  ['nesting without end', '{"ping":'.repeat(5000), 'BAD_FRAME', /./],
  ['arrays without end', '['.repeat(60000), 'BAD_FRAME', /./],
  ['a number of 2^53', '{"ref":"9007199254740992","ping":{}}', 'BAD_FRAME', /ref/],
  ['a number of 2^64', '{"ref":18446744073709551616,"ping":{}}', 'BAD_FRAME', /ref/],
  ['a number beyond all bounds', '{"ref":1e999999,"ping":{}}', 'BAD_FRAME', /ref/],
  ['a negative number', '{"ref":-1,"ping":{}}', 'BAD_FRAME', /ref/],
  ['a fraction', '{"ref":43.5,"ping":{}}', 'BAD_FRAME', /ref/],
  ['a number with a leading zero', '{"ref":043,"ping":{}}', 'BAD_FRAME', /./],
  ['a number in words', '{"ref":"forty","ping":{}}', 'BAD_FRAME', /ref/],
  ['NaN', '{"ref":NaN,"ping":{}}', 'BAD_FRAME', /./],
  ['a command number of 2^52', '{"number":"4503599627370496","ping":{}}', 'BAD_FRAME', /number/],
  ['a number where a message stands', '{"ping":7}', 'BAD_FRAME', /ping/],
  ['a message where a number stands', '{"ref":{},"ping":{}}', 'BAD_FRAME', /ref/],
  ['a boolean where a text stands', message({ text: true }), 'BAD_FRAME', /text/],
  ['an object where a list stands', message({ attachments: {} }), 'BAD_FRAME', /attachments/],
  ['a null in a list', message({ attachments: [null] }), 'BAD_FRAME', /attachments/],
  ['bytes that are no base64', '{"ping":{"data":"!"}}', 'BAD_FRAME', /ping\.data/],
  ['a ping of 126 bytes', JSON.stringify({ ping: { data: Buffer.alloc(126).toString('base64') } }), 'BAD_FRAME', /125/],
  ['a message without a chat', '{"sendMessage":{"text":"x"}}', 'BAD_FRAME', /sendMessage\.chat/],
  ['a chat without a peer', '{"sendMessage":{"chat":{},"text":"x"}}', 'BAD_FRAME', /sendMessage\.chat/],
  ['a chat with user 0', '{"sendMessage":{"chat":{"userId":"0"},"text":"x"}}', 'BAD_FRAME', /userId/],
  ['a message without a body', '{"sendMessage":{"chat":{"userName":"bob"}}}', 'BAD_FRAME', /sendMessage/],
  ['an empty text and nothing else', message({ text: '' }), 'BAD_FRAME', /sendMessage/],
  ['an attachment without a reference', message({ attachments: [{}] }), 'BAD_FRAME', /attachments\[0\]\.reference/],
  ['an attachment’s reference of 256 bytes',
    message({ attachments: [{ reference: 'r' }, { reference: 'r'.repeat(256) }] }),
    'BAD_FRAME', /attachments\[1\]\.reference/],
  ['a media type of 128 bytes', message({ attachments: [{ reference: 'r', mediaType: 'm'.repeat(128) }] }),
    'BAD_FRAME', /mediaType/],
  ['an ack of 0', '{"ack":{}}', 'BAD_FRAME', /ack\.inboxNumber/],
  ['a markRead of 0', '{"markRead":{"chat":{"userName":"bob"}}}', 'BAD_FRAME', /markRead\.chatNumber/],
  ['a text of 32,769 bytes', message({ text: 'x'.repeat(32769) }), 'MESSAGE_TOO_LARGE', /32769.*32768/],
  ['a text within the limit but for its attachment',
    message({ text: 'x'.repeat(32768), attachments: [{ reference: 'r' }] }), 'MESSAGE_TOO_LARGE', /32769/],
  ['17 attachments', message({ attachments: Array(17).fill({ reference: 'r' }) }), 'MESSAGE_TOO_LARGE', /17.*16/],
  ['a chat with an unknown name', message({ chat: { userName: 'bobb' } }), 'UNKNOWN_USER', /./],
  ['a chat with an unknown number', message({ chat: { userId: '123456789' } }), 'UNKNOWN_USER', /./],
  ['a chat with the greatest number', message({ chat: { userId: '9007199254740991' } }), 'UNKNOWN_USER', /./],
  ['a chat with an empty name', message({ chat: { userName: '' } }), 'NAME_INVALID', /sendMessage\.chat\.userName/],
  ['a chat with a name of 65 bytes', message({ chat: { userName: 'x'.repeat(65) } }), 'NAME_INVALID', /64/],
  ['a chat with a control character', message({ chat: { userName: 'b\u0007b' } }), 'NAME_INVALID', /control/],
  ['a markRead of an unknown name', '{"markRead":{"chat":{"userName":"bobb"},"chatNumber":"1"}}', 'UNKNOWN_USER', /./],
  ['an ack of the greatest number', '{"ack":{"inboxNumber":"9007199254740991"}}', 'OUT_OF_RANGE', /ack/],
];

describe('a mistake in a frame', () => {
  let node;
  let people;
  let bob; // a witness, who must notice nothing
  before(async () => {
    node = await Linnetd.start();
    people = await node.importUsers('alice', 'bob');
    bob = await Client.welcomed(node.url, people.bob);
  });
  after(() => node.remove());

  for (const [what, text, code, says] of mistakes) {
    it(`is told and passes: ${what} is ${code}`, async () => {
      const alice = await Client.welcomed(node.url, people.alice);
      alice.ws.send(text);
      const { error } = await alice.event('answer');
      assert.equal(error.code, code, error.text);
      assert.match(error.text, says);
      const { sent } = await alice.write('bob', `after ${what}`);
      assert.ok(sent);
      assert.equal((await bob.hear()).text, `after ${what}`);
      await alice.close();
    });
  }

  it('is answered with the number and ref that could be read before it', async () => {
    const alice = await Client.welcomed(node.url, people.alice);
    alice.ws.send('{"number":"45","ref":"6","sendMessage":{"chat":{"userId":"x"}}}');
    const answer = await alice.event('answer');
    assert.deepEqual([answer.number, answer.ref], ['45', '6']);
    const unknown = await alice.ask({ number: '46', ref: '7', sendMessage: { chat: { userName: 'bobb' }, text: 'x' } });
    assert.deepEqual([unknown.number, unknown.ref], ['46', '7']);
    await alice.close();
  });

  it('made 32 times in one connection closes it with 4004', async () => {
    const alice = await Client.welcomed(node.url, people.alice);
    for (let i = 0; i < 32; i++) {
      alice.ws.send('{');
    }
    for (let i = 0; i < 32; i++) {
      assert.equal((await alice.event('answer')).error.code, 'BAD_FRAME');
    }
    assert.equal((await within(alice.closed, 'the close')).code, 4004);
  });

  it('before the login is told as well', async () => {
    const client = await Client.open(node.url);
    client.ws.send('{"authenticate":{}}');
    assert.equal((await client.event('answer')).error.code, 'BAD_FRAME');
    client.ws.send('{"authenticate":{"passwordLogin":{"name":"alice"}}}');
    assert.equal((await client.event('answer')).error.code, 'WRONG_CREDENTIALS');
    client.send({ authenticate: { token: people.alice.token } });
    await client.event('welcome');
    await client.close();
  });

  // What breaks the WebSocket itself, or its subprotocol, ends the connection.
  const breaks = [
    ['a binary message in the JSON form', 1003, (ws) => ws.send(Buffer.from('{"ping":{}}'))],
    ['a text that is not UTF-8', 1007, (ws) => ws.send(Buffer.from([0x22, 0xc3, 0x28, 0x22]), { binary: false })],
    ['a text cut within a character', 1007, (ws) => ws.send(Buffer.from([0x22, 0xe2, 0x82]), { binary: false })],
    ['a message of more than frameBytesMax', 1009, (ws) => ws.send('x'.repeat(65537))],
    ['fragments of more than frameBytesMax together', 1009, (ws) => {
      ws.send('x'.repeat(40000), { fin: false });
      ws.send('x'.repeat(40000), { fin: true });
    }],
  ];
  for (const [what, code, act] of breaks) {
    it(`that ends the connection: ${what} is closed with ${code}`, async () => {
      const alice = await Client.welcomed(node.url, people.alice);
      act(alice.ws);
      assert.equal((await within(alice.closed, 'the close')).code, code);
      await bob.settle();
    });
  }

  it('that ends the connection: a text message in the binary form is closed with 1003', async () => {
    const alice = await Client.open(node.url, { token: people.alice.token, subprotocols: [PROTO_FORM] });
    alice.ws.send('{"ping":{}}');
    assert.equal((await within(alice.closed, 'the close')).code, 1003);
  });

  it('has left the witness connected all the time', async () => {
    await bob.settle();
    assert.deepEqual(bob.frames.filter((frame) => frame.answer), []);
    await bob.close();
  });
});
