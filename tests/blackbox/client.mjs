// SPDX-License-Identifier: Apache-2.0
// client.mjs - a person's program, as anyone would write it with npm's `ws`: it sends what it is told, keeps every
// event that comes, and hands them out by kind.
//
//     const alice = await Client.open(node.url, { token });
//     await alice.event('welcome');
//     alice.send({ sendMessage: { chat: { userName: 'bob' }, text: 'hi' } });
//     const { sent } = await alice.event('answer');
//     const { code } = await alice.closed;
import WebSocket from 'ws';
import { PATIENCE_MS } from './linnetd.mjs';

export const JSON_FORM = 'linnet.v1.json';
export const PROTO_FORM = 'linnet.v1.proto';

// What `promise` brings, or an error that says what was waited for in vain.
export function within(promise, what, ms = PATIENCE_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class Client {
  // options: token (in the Authorization header), subprotocols, and whatever `ws` knows. Rejects with an error that
  // has `status` and `headers` when the upgrade was refused.
  static async open(url, { token, subprotocols = [JSON_FORM], ...options } = {}) {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const client = new Client(new WebSocket(url, subprotocols, { headers, ...options }));
    await within(client.opened, 'an upgrade');
    return client;
  }

  // The same with the welcome read: it is in .welcome.
  static async welcomed(url, options) {
    const client = await Client.open(url, options);
    client.welcome = await client.event('welcome');
    return client;
  }

  // By password, as addUser sets it.
  static async login(url, name, options) {
    const client = await Client.open(url, options);
    client.logIn(name);
    client.welcome = await client.event('welcome');
    return client;
  }

  constructor(ws) {
    this.ws = ws;
    this.frames = []; // every event there ever was, in order
    this.kept = []; // those not handed out yet
    this.waiting = [];
    this.opened = new Promise((resolve, reject) => {
      ws.once('open', resolve);
      ws.once('error', reject);
      ws.once('unexpected-response', (request, response) => {
        let body = '';
        response.on('data', (piece) => { body += piece; });
        response.on('end', () => reject(Object.assign(new Error(`refused: ${response.statusCode} ${body}`),
          { status: response.statusCode, headers: response.headers, body })));
      });
    });
    this.opened.catch(() => {}); // told to whoever waits for it
    ws.on('error', () => {}); // a close follows
    this.closed = new Promise((resolve) => {
      ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.closed.then(({ code, reason }) => {
      for (const { reject, what } of this.waiting.splice(0)) {
        reject(new Error(`closed with ${code} "${reason}" while waiting for ${what}`));
      }
    });
    ws.on('message', (data, isBinary) => this.take(isBinary ? data : JSON.parse(data)));
  }

  take(frame) {
    this.frames.push(frame);
    const [kind] = Object.keys(frame);
    const place = this.waiting.findIndex((waiter) => waiter.kind === kind);
    if (place < 0) {
      this.kept.push(frame);
    } else {
      this.waiting.splice(place, 1)[0].resolve(frame[kind]);
    }
  }

  // The next event of this kind that was not handed out yet.
  event(kind) {
    const place = this.kept.findIndex((frame) => kind in frame);
    if (place >= 0) {
      return Promise.resolve(this.kept.splice(place, 1)[0][kind]);
    }
    const what = `'${kind}'`;
    return within(new Promise((resolve, reject) => this.waiting.push({ kind, what, resolve, reject })), what);
  }

  send(frame) {
    this.ws.send(JSON.stringify(frame));
  }

  logIn(name, password = `pw-${name}`) {
    this.send({ authenticate: { passwordLogin: { name, password, deviceName: 'test' } } });
  }

  // Sends a command and resolves with its answer. Not while other answers are awaited.
  ask(frame) {
    this.send(frame);
    return this.event('answer');
  }

  // Resolves when the node has handled all that was sent before.
  async settle() {
    this.send({ ref: '99', ping: {} });
    let pong;
    do {
      pong = await this.event('pong');
    } while (pong.ref !== '99');
  }

  // Resolves with the answer to a message.
  write(userName, text, number) {
    return this.ask({ ...(number && { number: String(number) }), sendMessage: { chat: { userName }, text } });
  }

  // The next message, acknowledged.
  async hear() {
    const message = await this.event('newMessage');
    this.send({ ack: { inboxNumber: message.inboxNumber } });
    return message;
  }

  // The next event of this kind that is as wanted; all up to it are acknowledged.
  async until(kind, wanted) {
    for (;;) {
      const event = await this.event(kind);
      this.send({ ack: { inboxNumber: event.inboxNumber } });
      if (wanted(event)) {
        return event;
      }
    }
  }

  async close(code = 1000) {
    this.ws.close(code);
    return within(this.closed, 'the close');
  }
}
