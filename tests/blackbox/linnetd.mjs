// SPDX-License-Identifier: Apache-2.0
// linnetd.mjs - a real linnetd for tests in Node: started on a free port with a data directory of its own, asked
// through the real `linnet`, ended by its pid. A test file is run as
//
//     node login_test.mjs LINNETD LINNET
//
// in a folder where it may write. The node dies with the test program, whatever happens to that.
import { spawn, execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';

// As in tests/patience.py.
export const SLOWNESS = Number(process.env.LINNET_SLOWNESS ?? 1);
// Nothing takes so long; whoever waits longer waits in vain.
export const PATIENCE_MS = 60_000 * SLOWNESS;
// Cheap passwords and small files: neither is what is tested here.
const CHEAP = ['--password-memory-bytes', '8K', '--password-ops', '1', '--store-segment-bytes', '1M',
  '--store-reserve-bytes', '1M', '--store-map-bytes', '256M'];

const [linnetdPath, linnetPath] = process.argv.slice(2, 4).map((argument) => path.resolve(argument));

export class Linnetd {
  pairs = 0; // made so far

  // Starts a node; flags are linnetd's own.
  static async start(...flags) {
    const node = new Linnetd();
    node.data = await mkdtemp(path.join(process.cwd(), 'data-'));
    await node.begin(flags);
    return node;
  }

  async begin(flags) {
    this.process = spawn('setpriv', ['--pdeathsig', 'KILL', linnetdPath, '--data', this.data,
      '--listen', '127.0.0.1:0', ...CHEAP, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.ended = once(this.process, 'exit');
    for await (const line of readline.createInterface({ input: this.process.stdout })) {
      const found = /^listening on (\S+)$/.exec(line);
      if (found) {
        this.address = found[1];
        return;
      }
    }
    throw new Error('linnetd ended before it listened');
  }

  get url() {
    return `ws://${this.address}/chat`;
  }

  // Asks it to stop. Resolves with its exit code once it has.
  async stop() {
    this.process.kill('SIGTERM');
    const [code] = await this.ended;
    return code;
  }

  // Ends it, if it still runs, and removes what it kept.
  async remove() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGKILL');
      await this.ended;
    }
    await rm(this.data, { recursive: true });
  }

  // Runs `linnet --data DIR words...`; rejects when its exit code is not 0.
  linnet(words, input = '') {
    return new Promise((resolve, reject) => {
      const child = execFile(linnetPath, ['--data', this.data, ...words], { maxBuffer: 1 << 28 },
        (error, stdout, stderr) => (error ? reject(new Error(`${words.join(' ')}: ${stderr}`)) : resolve(stdout)));
      child.stdin.on('error', () => {}); // it may end without reading
      child.stdin.end(input);
    });
  }

  // A user whose password is their name behind "pw-"; resolves with their number.
  async addUser(name) {
    const told = await this.linnet(['user', 'add', name, '--password-stdin'], `pw-${name}\n`);
    return /user (\d+)$/m.exec(told)[1];
  }

  // A new device of a user that exists; resolves with its token.
  async token(name) {
    return (await this.linnet(['user', 'token', name])).trim();
  }

  // Users without passwords, one device each: {name: {user, token}}.
  async importUsers(...names) {
    const rows = await this.linnet(['user', 'import', '-'], names.join('\n') + '\n');
    return Object.fromEntries(rows.trim().split('\n').map((row) => {
      const [name, user, token] = row.split(',');
      return [name, { user, token }];
    }));
  }

  // Two users that nobody had before: {alice, bob}, each with name, user, token.
  async pair() {
    this.pairs += 1;
    const names = [`alice${this.pairs}`, `bob${this.pairs}`];
    const people = await this.importUsers(...names);
    const [alice, bob] = names.map((name) => ({ name, ...people[name] }));
    return { alice, bob };
  }

  // A counter or gauge of /metrics.
  async metric(name) {
    const response = await fetch(`http://${this.address}/metrics`);
    const found = new RegExp(`^linnet_${name} (\\d+)$`, 'm').exec(await response.text());
    return Number(found[1]);
  }
}
