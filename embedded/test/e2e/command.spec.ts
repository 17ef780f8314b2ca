import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataFile, DataSaver } from '../../lib/command/data-file.js';
import { readCommandLine } from '../../lib/command/command-line.js';
import { serviceCenterOptions, run } from '../../lib/command/run.js';
import { version } from '../../lib/version.js';
import { exchange } from '../support/exchange.js';
import { certificateAuthority } from '../support/certificates.js';
import { FakeClock } from '../support/registry.js';
import { ask, registered, started } from './server.js';

let directory: string;
/** Environment of the command. */
let environment: Record<string, string> = {};
const running = new Set<Command>();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedded-service-center-'));
});

afterEach(async () => {
  await Promise.all([...running].map(command => command.stop()));
  running.clear();
  environment = {};
  await rm(directory, { recursive: true, force: true });
});

/** The command, run in this process. */
class Command {
  readonly printed: string[] = [];
  readonly complaints: string[] = [];
  readonly exitCode: Promise<number>;
  readonly #isUp: Promise<void>;
  #stop: (_: void) => void = () => undefined;

  constructor(...args: string[]) {
    const env = { ...environment };
    const stopped = new Promise<void>(resolve => {
      this.#stop = resolve;
    });
    let isUp: (_: void) => void = () => undefined;
    this.#isUp = new Promise<void>(resolve => {
      isUp = resolve;
    });
    this.exitCode = run({
      args,
      env,
      print: text => {
        this.printed.push(text);
        if (text.startsWith('Press Ctrl-C')) isUp();
      },
      printError: text => this.complaints.push(text),
      stopped,
    });
    running.add(this);
  }

  /** Resolves to the address that it listens on. */
  async url(): Promise<string> {
    const early = this.exitCode.then(code => {
      throw new Error(`It ended with ${code}: ${this.complaints.join('\n')}`);
    });
    await Promise.race([this.#isUp, early]);
    return /on (https?:\S+),/.exec(this.printed.join('\n'))?.[1] ?? '';
  }

  stop(): Promise<number> {
    this.#stop();
    return this.exitCode;
  }
}

async function file(name: string, content: unknown): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const seed = {
  format: 1,
  services: [{ service: { serviceId: 'orders', serviceName: 'orders' }, tags: { zone: 'a' } }],
};
const wrongSeed = { format: 1, services: [{ service: {} }] };

describe('the command', () => {
  it.each([
    ['--version', version],
    ['--help', 'Usage: embedded-service-center [options]'],
  ])('answers %s and ends with 0', async (flag, text) => {
    const command = new Command(flag);
    expect(await command.exitCode).toBe(0);
    expect(command.printed.join('\n')).toContain(text);
    expect(command.complaints).toEqual([]);
  });

  it('ends with 2 and its usage for a flag that there is not', async () => {
    const command = new Command('--colour');
    expect(await command.exitCode).toBe(2);
    expect(command.complaints.join('\n')).toMatch(/^Unknown option '--colour'\n\nUsage: /);
    expect(command.printed).toEqual([]);
  });

  it('serves until it is stopped, and ends with 0', async () => {
    const command = new Command('--port', '0');
    const url = await command.url();
    const { status } = await exchange(url, { path: '/v4/default/registry/health' });
    expect(status).toBe(200);
    expect(await command.stop()).toBe(0);
    await expect(exchange(url, { path: '/version' })).rejects.toThrow('ECONNREFUSED');
  });

  it('prints where it listens, where its page is, and that it is not for production', async () => {
    const command = new Command('--port', '0');
    const url = await command.url();
    const text = command.printed.join('\n');
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(text).toContain(`its page is ${url}/-/`);
    expect(text).toContain('kept in memory only');
    expect(text).toContain('not for production');
    expect(command.complaints).toEqual([]);
  });

  it('warns if other machines can reach it', async () => {
    const command = new Command('--port', '0', '--host', '0.0.0.0');
    await command.url();
    expect(command.complaints).toEqual([
      'Warning: other machines can reach it on 0.0.0.0, without authentication',
    ]);
  });

  it('ends with 1 and one line when its port is taken', async () => {
    const { url } = await started();
    const command = new Command('--port', new URL(url).port);
    expect(await command.exitCode).toBe(1);
    expect(command.complaints).toEqual([expect.stringMatching(/cannot listen on .* is in use/)]);
    expect(command.printed).toEqual([]);
  });

  it('answers like a cloud', async () => {
    const command = new Command('--port', '0', '--profile', 'cse-legacy');
    const path = '/v4/default/registry/microservices';
    const { text } = await exchange(await command.url(), { path });
    expect(text).toBe('{"errCode":"400001","errMsg":"Invalid parameter(s)","detail":""}');
    expect(command.printed).toContain('Profile: cse-legacy');
  });

  it("warns once about an instance that exceeds the vendor's limits", async () => {
    const command = new Command('--port', '0', '--profile', 'cse-exclusive');
    const url = await command.url();
    const base = '/v4/default/registry/microservices';
    const service = { serviceId: 'or\u009bders', serviceName: 'orders' };
    await exchange(url, { method: 'POST', path: base, body: { service } });
    const instances = `${base}/${encodeURIComponent(service.serviceId)}/instances`;
    const instance = { instanceId: 'own', hostName: 'h' };
    await exchange(url, { method: 'POST', path: instances, body: { instance } });
    for (let beat = 0; beat < 3; beat += 1)
      await exchange(url, { method: 'PUT', path: `${instances}/own/heartbeat` });
    expect(command.complaints).toEqual([
      expect.stringMatching(
        /^Warning: or\?ders\/own sent a heartbeat \d\.\d s after the previous one, the vendor requires 20\.0 s$/,
      ),
    ]);
  });

  it('says once for each consumer that it looks for providers too often', async () => {
    const command = new Command('--port', '0', '--profile', 'cse-exclusive');
    const url = await command.url();
    const base = '/v4/default/registry';
    const service = { serviceId: 'shop', serviceName: 'shop' };
    await exchange(url, { method: 'POST', path: `${base}/microservices`, body: { service } });
    const path = `${base}/instances?appId=default&serviceName=shop`;
    for (let count = 0; count < 3; count += 1)
      await exchange(url, { path, headers: { 'X-ConsumerId': 'shop' } });
    expect(command.complaints).toEqual([
      expect.stringMatching(
        /^Warning: shop sent 2 service discoveries within \d\.\d s, the vendor allows one each 20\.0 s to an instance$/,
      ),
    ]);
  });

  it('says once that registrations are refused', async () => {
    const command = new Command('--port', '0', '--profile', 'cse-professional');
    const url = await command.url();
    const path = '/v4/default/registry/microservices/none/instances';
    for (let count = 0; count < 12; count += 1)
      await exchange(url, { method: 'POST', path, body: { instance: { hostName: 'h' } } });
    expect(command.complaints).toEqual([
      'Warning: a registration was refused, the vendor allows 10 per second',
    ]);
  });
});

describe('the command with --oddities realistic', () => {
  it('has them, and says so', async () => {
    const commandLine = readCommandLine(['--oddities', 'realistic']);
    if (commandLine.kind !== 'serve') throw new Error('It does not know the flag');
    expect(await serviceCenterOptions(commandLine.settings, {})).toMatchObject({
      oddities: 'realistic',
    });
    const command = new Command('--port', '0', '--oddities', 'realistic');
    await command.url();
    expect(command.printed).toContain('Oddities: delays and losses of a real server');
  });
});

describe('the command with --rbac', () => {
  const token = (url: string, password: string) =>
    exchange(url, { method: 'POST', path: '/v4/token', body: { name: 'root', password } });

  it('requires tokens, and root logs in with the password of the environment', async () => {
    environment = { SC_INIT_ROOT_PASSWORD: 'Secret-1234' };
    const command = new Command('--port', '0', '--rbac', '--host', '0.0.0.0');
    const url = (await command.url()).replace('0.0.0.0', '127.0.0.1');
    const path = '/v4/default/registry/microservices';
    expect((await exchange(url, { path })).status).toBe(401);
    expect((await token(url, 'Secret-1234')).status).toBe(200);
    const said = [...command.printed, ...command.complaints].join('\n');
    expect(said).toContain('Tokens are required');
    expect(said).not.toContain('Secret-1234');
    expect(command.complaints).toEqual(['Warning: other machines can reach it on 0.0.0.0']);
  });

  it.each([
    ['no password', {}, /from SC_INIT_ROOT_PASSWORD, which is not set$/],
    ['an empty one', { SC_INIT_ROOT_PASSWORD: '' }, /which is not set$/],
    ['a weak one', { SC_INIT_ROOT_PASSWORD: 'letmein' }, /^SC_INIT_ROOT_PASSWORD must be 8 to 32/],
  ])('ends with 1 and one line for %s', async (_, env, complaint) => {
    environment = env;
    const command = new Command('--port', '0', '--rbac');
    expect(await command.exitCode).toBe(1);
    expect(command.complaints).toEqual([expect.stringMatching(complaint)]);
    expect(command.complaints.join()).not.toContain('letmein');
  });
});

describe('the command with --tls', () => {
  it('serves HTTPS, and prints so', async () => {
    const { cert, key } = certificateAuthority().issue(['localhost']);
    const files = ['--tls-cert', await file('cert', cert), '--tls-key', await file('key', key)];
    const command = new Command('--port', '0', '--tls', ...files);
    const url = await command.url();
    expect(url).toMatch(/^https:/);
    const socket = connect({ port: Number(new URL(url).port), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    socket.destroy();
  });

  it('ends with 1 and one line for a file that is not there, or no certificate', async () => {
    const none = join(directory, 'none.pem');
    const bad = await file('bad.pem', 'x');
    for (const [path, complaint] of [
      [none, /none\.pem cannot be read: /],
      [bad, /they must be PEM/],
    ] as const) {
      const command = new Command('--port', '0', '--tls', '--tls-cert', path, '--tls-key', path);
      expect(await command.exitCode).toBe(1);
      expect(command.complaints).toEqual([expect.stringMatching(complaint)]);
    }
  });
});

describe('a seed', () => {
  it('is there from the start', async () => {
    const path = await file('seed.json', seed);
    const command = new Command('--port', '0', '--seed', path);
    const url = await command.url();
    const tags = await exchange(url, { path: '/v4/default/registry/microservices/orders/tags' });
    expect(tags.text).toBe('{"tags":{"zone":"a"}}');
    expect(command.printed).toContain(`Loaded from ${path}: 1 services, 0 instances`);
  });

  it.each([
    ['is no JSON', '{', /seed\.json is not JSON: /],
    ['is wrong', wrongSeed, /seed\.json cannot be loaded\. .*\n- services\[0\]\.service\.serviceN/],
  ])('ends the command with 1 and one error when it %s', async (_, content, complaint) => {
    const command = new Command('--port', '0', '--seed', await file('seed.json', content));
    expect(await command.exitCode).toBe(1);
    expect(command.complaints).toEqual([expect.stringMatching(complaint)]);
  });

  it('ends the command with 1 when it does not exist, or is no file', async () => {
    for (const [path, complaint] of [
      [join(directory, 'none.json'), /none\.json does not exist$/],
      [directory, /cannot be read: EISDIR/],
    ] as const) {
      const command = new Command('--port', '0', '--seed', path);
      expect(await command.exitCode).toBe(1);
      expect(command.complaints).toEqual([expect.stringMatching(complaint)]);
    }
  });
});

describe('a data file', () => {
  it('keeps services and instances over a restart, with leases in full', async () => {
    const path = join(directory, 'data.json');
    const first = new Command('--port', '0', '--data', path);
    const url = await first.url();
    const base = '/v4/default/registry/microservices';
    const service = { serviceId: 'orders', serviceName: 'orders' };
    await exchange(url, { method: 'POST', path: base, body: { service } });
    const instance = { instanceId: 'own', hostName: 'h' };
    await exchange(url, { method: 'POST', path: `${base}/orders/instances`, body: { instance } });
    expect(await first.stop()).toBe(0);

    const second = new Command('--port', '0', '--data', path);
    const beat = `${base}/orders/instances/own/heartbeat`;
    expect((await exchange(await second.url(), { method: 'PUT', path: beat })).status).toBe(200);
    expect(second.printed).toContain(`Loaded from ${path}: 1 services, 1 instances`);
    expect(await readdir(directory)).toEqual(['data.json']);
  });

  it('starts with the seed, and overrides it from then on', async () => {
    const path = join(directory, 'data.json');
    const args = ['--port', '0', '--data', path, '--seed', await file('seed.json', seed)];
    const first = new Command(...args);
    await first.url();
    await first.stop();
    expect(await readFile(path, 'utf8')).toContain('"orders"');

    const second = new Command(...args);
    await second.url();
    expect(second.printed.join('\n')).toContain('seed.json was ignored');
  });

  it.each([
    ['half a file', '{ "format": 1, "serv'],
    ['no file of ours', '[]'],
    ['empty', ''],
  ])('is never overwritten when it is %s', async (_, content) => {
    const path = await file('data.json', content);
    const command = new Command('--port', '0', '--data', path);
    expect(await command.exitCode).toBe(1);
    expect(command.complaints).toEqual([expect.stringContaining(path)]);
    expect(await readFile(path, 'utf8')).toBe(content);
  });

  it('is not touched by a command that cannot listen', async () => {
    const { url } = await started();
    const path = join(directory, 'data.json');
    const command = new Command('--port', new URL(url).port, '--data', path);
    expect(await command.exitCode).toBe(1);
    expect(await readdir(directory)).toEqual([]);
  });

  it('that cannot be written ends the command with 1 at the start', async () => {
    const path = join(directory, 'none', 'data.json');
    const command = new Command('--port', '0', '--data', path);
    expect(await command.exitCode).toBe(1);
    expect(command.complaints).toEqual([expect.stringMatching(/data\.json cannot be written: /)]);
  });

  it('that cannot be written any more ends the command with 1 at the end', async () => {
    const path = join(directory, 'below', 'data.json');
    await mkdir(join(directory, 'below'));
    const command = new Command('--port', '0', '--data', path);
    const url = await command.url();
    await rm(join(directory, 'below'), { recursive: true });
    const service = { serviceName: 'orders' };
    const microservices = '/v4/default/registry/microservices';
    await exchange(url, { method: 'POST', path: microservices, body: { service } });
    expect(await command.stop()).toBe(1);
    expect(command.complaints).toEqual([expect.stringMatching(/data\.json cannot be written: /)]);
  });
});

describe('what keeps the data', () => {
  async function keeping(path = join(directory, 'data.json')) {
    const serviceCenter = await started();
    const clock = new FakeClock();
    const complaints: unknown[] = [];
    const written: string[] = [];
    const dataFile = new DataFile(path);
    const write = dataFile.write.bind(dataFile);
    let told: (_: void) => void = () => undefined;
    dataFile.write = async content => {
      await write(content);
      written.push(content);
      setImmediate(() => told());
    };
    const onError = (error: unknown) => {
      complaints.push(error);
      told();
    };
    const saver = new DataSaver(serviceCenter, dataFile, { onError, clock });
    await saver.start();
    const nextSave = () =>
      new Promise<void>(resolve => {
        told = resolve;
      });
    return { serviceCenter, clock, complaints, written, saver, nextSave };
  }

  it('writes once for all that changes within a second', async () => {
    const { serviceCenter, clock, written, nextSave, saver } = await keeping();
    await registered(serviceCenter);
    expect(clock.timers).toBe(1);
    const done = nextSave();
    clock.advance(1000);
    await done;
    expect(written).toHaveLength(2);
    expect(written[1]).toContain('"own"');
    await saver.stop();
    expect(written).toHaveLength(2);
    expect(clock.timers).toBe(0);
  });

  it('is not put off by changes that go on', async () => {
    const { serviceCenter, clock, written, nextSave, saver } = await keeping();
    const instance = await registered(serviceCenter);
    clock.advance(600);
    await ask(serviceCenter, `PUT ${instance}/status?value=DOWN`);
    const done = nextSave();
    clock.advance(400);
    await done;
    expect(written[1]).toContain('"DOWN"');
    await saver.stop();
  });

  it('writes through a symbolic link, also where its target is yet to come', async () => {
    await mkdir(join(directory, 'real'));
    const [target, link] = [join(directory, 'real', 'data.json'), join(directory, 'link.json')];
    const chain = join(directory, 'chain.json');
    await symlink(join('real', 'data.json'), link);
    await symlink('link.json', chain);
    for (const content of ['{}', '{"a":1}']) {
      await new DataFile(chain).write(content);
      expect(await readFile(target, 'utf8')).toBe(content);
    }
    expect(await readlink(link)).toBe(join('real', 'data.json'));
    expect(await readlink(chain)).toBe('link.json');
    expect(await readdir(join(directory, 'real'))).toEqual(['data.json']);
  });

  it('refuses a symbolic link that leads to itself', async () => {
    const path = join(directory, 'data.json');
    await symlink('data.json', path);
    await expect(new DataFile(path).write('{}')).rejects.toThrow('data.json cannot be written: ');
    expect(await readlink(path)).toBe('data.json');
  });

  it.each([0o600, 0o640, 0o666])('keeps the mode of a file, %o', async mode => {
    const path = await file('data.json', '{}');
    await chmod(path, mode);
    await new DataFile(path).write('{"a":1}');
    expect((await stat(path)).mode & 0o777).toBe(mode);
  });

  it('leaves nothing beside a file that it could not replace', async () => {
    const path = join(directory, 'data.json');
    await mkdir(join(path, 'below'), { recursive: true });
    await expect(new DataFile(path).write('{}')).rejects.toThrow('data.json cannot be written: ');
    expect(await readdir(directory)).toEqual(['data.json']);
  });

  it('does not look up for a heartbeat or an ordinary read', async () => {
    const { serviceCenter, clock, nextSave, saver } = await keeping();
    const instance = await registered(serviceCenter);
    const done = nextSave();
    clock.advance(1000);
    await done;
    await ask(serviceCenter, `PUT ${instance}/heartbeat`);
    await ask(serviceCenter, 'GET /microservices');
    expect(clock.timers).toBe(0);
    await saver.stop();
  });

  it('tries again with the next change when a write fails, and says so', async () => {
    const path = join(directory, 'below', 'data.json');
    await mkdir(join(directory, 'below'));
    const { serviceCenter, clock, complaints, nextSave, saver } = await keeping(path);
    await rm(join(directory, 'below'), { recursive: true });
    const failed = nextSave();
    const instance = await registered(serviceCenter);
    clock.advance(1000);
    await failed;
    expect(complaints).toEqual([expect.objectContaining({ message: expect.any(String) })]);

    await mkdir(join(directory, 'below'));
    const written = nextSave();
    await ask(serviceCenter, `DELETE ${instance}`);
    clock.advance(1000);
    await written;
    expect(await readFile(path, 'utf8')).toContain('"orders"');
    await saver.stop();
  });
});
