// SPDX-License-Identifier: Apache-2.0
// Whom a user lets see when he was last seen, and that he is online; and how many one connection watches.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Linnetd } from './linnetd.mjs';
import { Client } from './client.mjs';

const EVERYONE = {};
const CONTACTS = { who: 'CONTACTS' };
const NOBODY = { who: 'NOBODY' };

describe('who may see it', () => {
  let node;
  let alice; // of whom they ask
  let people; // bob is among her contacts, carol is not; both have heard of her
  before(async () => {
    node = await Linnetd.start('--presence-watches-max', '2');
    const imported = await node.importUsers('alice', 'bob', 'carol', 'dave');
    const connect = async (name) => {
      const { user, token } = imported[name];
      return { name, user, client: await Client.welcomed(node.url, { token }) };
    };
    alice = await connect('alice');
    people = { bob: await connect('bob'), carol: await connect('carol'), dave: await connect('dave') };
    for (const name of Object.keys(people)) {
      assert.ok((await alice.client.write(name, 'hi')).sent);
    }
    await set({ chat: { userId: people.bob.user }, contact: { name: 'Bobby' } });
    await alice.client.ask({ ref: '5', setActive: { foreground: true } });
  });
  after(async () => {
    await Promise.all([alice, ...Object.values(people)].map(({ client }) => client.close()));
    await node.remove();
  });

  async function set(state) {
    assert.deepEqual(await alice.client.ask({ ref: '5', setState: state }), { ref: '5', done: {} });
  }

  // What this one is told: [online, last seen], or an error's code. While rules change it may be told to wait.
  async function look({ client }, user = alice.user) {
    for (;;) {
      const { presence, error } = await client.ask({ getPresence: { chat: { userId: user } } });
      if (error?.code !== 'OVERLOADED') {
        return error ? error.code : [presence.online ?? false, presence.lastSeenMs !== undefined];
      }
      await sleep(Number(error.retryAfterMs));
    }
  }

  const but = (rule, ...names) => ({ ...rule, exceptions: names.map((name) => ({ userId: people[name].user })) });
  // [the rule, who sees it, who does not]
  const rules = () => [
    ['everyone', EVERYONE, ['bob', 'carol'], []],
    ['everyone but one', but(EVERYONE, 'bob'), ['carol'], ['bob']],
    ['contacts', CONTACTS, ['bob'], ['carol']],
    ['contacts but one', but(CONTACTS, 'bob'), [], ['bob', 'carol']],
    ['nobody', NOBODY, [], ['bob', 'carol']],
    ['nobody but one', but(NOBODY, 'carol'), ['carol'], ['bob']],
  ];

  it('is a rule for last seen and one for online, each told alone', async () => {
    for (const [what, rule, may, mayNot] of rules()) {
      await set({ lastSeenRule: rule });
      for (const name of may) {
        assert.deepEqual(await look(people[name]), [true, true], `${what}: ${name} sees when`);
      }
      for (const name of mayNot) {
        assert.deepEqual(await look(people[name]), [true, false], `${what}: ${name} does not see when`);
      }
    }
    await set({ lastSeenRule: EVERYONE });
    for (const [what, rule, may, mayNot] of rules()) {
      await set({ onlineRule: rule });
      for (const name of may) {
        assert.deepEqual(await look(people[name]), [true, true], `${what}: ${name} sees that`);
      }
      for (const name of mayNot) {
        assert.deepEqual(await look(people[name]), [false, true], `${what}: ${name} does not see that`);
      }
    }
    await set({ onlineRule: EVERYONE });
  });

  it('is NOT_PERMITTED whom both rules keep out, and who is blocked', async () => {
    await set({ lastSeenRule: NOBODY });
    await set({ onlineRule: but(NOBODY, 'bob') });
    assert.deepEqual(await look(people.bob), [true, false]);
    assert.equal(await look(people.carol), 'NOT_PERMITTED');
    await set({ lastSeenRule: EVERYONE });
    await set({ onlineRule: EVERYONE });
    await set({ chat: { userId: people.carol.user }, blocked: true });
    assert.equal(await look(people.carol), 'NOT_PERMITTED');
    await set({ chat: { userId: people.carol.user }, blocked: false });
    assert.deepEqual(await look(people.carol), [true, true]);
  });

  it('tells who watches when a rule keeps him out, and how things stand when it no longer does', async () => {
    const { client } = people.carol;
    const watched = await client.ask({ watchPresence: { chat: { userId: alice.user } } });
    assert.equal(watched.presence.online, true);
    await set({ lastSeenRule: CONTACTS });
    await set({ onlineRule: CONTACTS });
    let told;
    do {
      told = await client.event('presence');
    } while (!told.hidden);
    assert.deepEqual(told, { userId: alice.user, hidden: true });
    await set({ onlineRule: EVERYONE });
    do {
      told = await client.event('presence');
    } while (!told.online);
    assert.equal(told.lastSeenMs, undefined);
    await set({ lastSeenRule: EVERYONE });
    assert.ok((await client.ask({ unwatchPresence: { chat: { userId: alice.user } } })).done);
  });

  it('is TOO_MANY_WATCHES for who watches as many as a connection may, until one is unwatched', async () => {
    const { client } = alice;
    assert.equal(client.welcome.limits.presenceWatchesMax, '2');
    const watch = async (name) => {
      const answer = await client.ask({ watchPresence: { chat: { userId: people[name].user } } });
      return answer.error ? answer.error.code : answer.presence.userId;
    };
    assert.equal(await watch('bob'), people.bob.user);
    assert.equal(await watch('carol'), people.carol.user);
    assert.equal(await watch('dave'), 'TOO_MANY_WATCHES');
    assert.equal(await watch('bob'), people.bob.user); // again, and once
    assert.deepEqual(await look(alice, people.dave.user), [false, false]); // who only asks watches nobody
    assert.ok((await client.ask({ unwatchPresence: { chat: { userId: people.bob.user } } })).done);
    assert.equal(await watch('dave'), people.dave.user);
  });
});
