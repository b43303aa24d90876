// `quadrille serve` as a child process, set up through its own command line.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = path.resolve(import.meta.dirname, '../../..');
export const PROGRAM = process.env.QUADRILLE_BIN ?? path.join(ROOT, 'target/debug/quadrille');
// Nothing listens at this address: the browser stops at it, as a native application would.
export const REDIRECT_URI = 'http://127.0.0.1:9/callback';
export const SCOPE = 'photos:read photos:write';
const env = { ...process.env, QUADRILLE_SCOPES: 'photos:read=See your photos;photos:write=Add photos' };
/** The only user, as the fields of the sign-in form. */
export const PERSON = { username: 'margot', password: 'correct horse battery staple' };

let databases = 0;

/** A new database of the kind in INTEROP_DATABASE, as a setting. The data folder has one by default. */
function database() {
  if ((process.env.INTEROP_DATABASE ?? 'sqlite') === 'sqlite') return {};
  const name = `interop_node_${process.pid}_${databases += 1}`;
  const url = process.env.INTEROP_POSTGRES;
  execFileSync('psql', ['--quiet', '--command', `CREATE DATABASE ${name}`, `${url}/postgres`]);
  return { QUADRILLE_DATABASE: `${url}/${name}` };
}

/** A provider with one user, in its own directory. */
export class Quadrille {
  /** `settings` are environment variables. */
  static async start(settings = {}) {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing; build it: make program`);
    const provider = new Quadrille();
    provider.env = { ...env, ...database(), ...settings };
    provider.directory = mkdtempSync(path.join(tmpdir(), 'quadrille-'));
    provider.data = path.join(provider.directory, 'data');
    provider.logFile = path.join(provider.directory, 'log');
    const log = openSync(provider.logFile, 'w');
    provider.process = spawn(PROGRAM, ['serve', '--data-dir', provider.data, '--listen', '127.0.0.1:0', '--json'], {
      env: provider.env,
      stdio: ['ignore', 'pipe', log],
    });
    closeSync(log);
    provider.ended = once(provider.process, 'exit');
    const line = await Promise.race([
      once(createInterface(provider.process.stdout), 'line').then(([line]) => line),
      provider.ended.then(() => { throw new Error(`quadrille serve did not start:\n${provider.log()}`); }),
    ]);
    provider.issuer = JSON.parse(line).issuer;
    provider.me = new URL(`${provider.issuer}/api/me`);
    provider.run(['user', 'add', PERSON.username, '--password-stdin'], `${PERSON.password}\n`);
    return provider;
  }

  /** Runs a command on the data directory of the server. */
  run(args, input = '') {
    return execFileSync(PROGRAM, [...args, '--data-dir', this.data], { env: this.env, input, encoding: 'utf8', timeout: 30_000 });
  }

  /** Registers a client. Returns the output of the command. */
  client(name, ...options) {
    return JSON.parse(this.run(['client', 'add', name, ...options, '--json']));
  }

  webClient(...options) {
    const scopes = SCOPE.split(' ').flatMap((scope) => ['--scope', scope]);
    return this.client('Interop', '--redirect-uri', REDIRECT_URI, ...scopes, ...options);
  }

  machineClient() {
    return this.client('Machine', '--grant', 'client_credentials', '--scope', 'photos:read');
  }

  /** A client on a device without a browser. The setting `device.enabled` must be on. */
  deviceClient(...options) {
    const grants = ['--grant', 'device_code', '--grant', 'refresh_token'];
    return this.client('Television', ...grants, '--scope', 'photos:read', ...options);
  }

  async stop() {
    this.process.kill('SIGTERM');
    const [code] = await this.ended;
    const log = this.log();
    rmSync(this.directory, { recursive: true });
    if (code !== 0 || log.includes('panicked')) throw new Error(`quadrille serve ended with ${code}:\n${log}`);
  }

  log() {
    return readFileSync(this.logFile, 'utf8');
  }
}
