import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EmbeddedServiceCenter } from '../../lib/index.js';
import { CommandProcess, endAll, eventually } from './command-process.js';

jest.setTimeout(60_000);

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedded-service-center-'));
});

afterEach(async () => {
  await endAll();
  await rm(directory, { recursive: true, force: true });
});

function command(...flags: string[]): CommandProcess {
  return new CommandProcess(...flags);
}

const base = '/v4/default/registry/microservices';

async function register(url: string): Promise<void> {
  const service = { serviceId: 'orders', serviceName: 'orders' };
  await post(`${url}${base}`, { service });
  await post(`${url}${base}/orders/instances`, { instance: { instanceId: 'own', hostName: 'h' } });
}

async function post(url: string, body: object): Promise<void> {
  const { status } = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  expect(status).toBe(200);
}

async function beat(url: string): Promise<number> {
  const path = `${base}/orders/instances/own/heartbeat`;
  const { status } = await fetch(`${url}${path}`, { method: 'PUT' });
  return status;
}

describe('npx embedded-service-center', () => {
  const pressCtrlC = (program: CommandProcess) => program.pressCtrlC();
  const pressTwice = (program: CommandProcess) => {
    program.pressCtrlC();
    program.pressCtrlC();
  };
  const terminate = (program: CommandProcess) => program.kill('SIGTERM');
  it.each([
    ['Ctrl-C', pressCtrlC],
    ['Ctrl-C, which npx passes on once more', pressTwice],
    ['SIGTERM', terminate],
  ])('serves until it is stopped by %s, and ends with 0', async (_, stop) => {
    const program = command('--port', '0');
    const url = await program.url();
    expect(await fetch(`${url}/version`)).toMatchObject({ status: 200 });
    stop(program);
    expect(await program.exitCode()).toBe(0);
    expect(program.stderr).toEqual([]);
    await expect(fetch(`${url}/version`)).rejects.toThrow('fetch failed');
  });

  it('ends with 0 although a client holds a connection', async () => {
    const program = command('--port', '0');
    const url = await program.url();
    const response = await fetch(`${url}/version`, { headers: { Connection: 'keep-alive' } });
    expect(response.status).toBe(200);
    program.kill('SIGTERM');
    expect(await program.exitCode()).toBe(0);
  });

  it('ends with 1 and one line when its port is taken', async () => {
    const other = new EmbeddedServiceCenter({ port: 0 });
    const { port } = new URL((await other.start()).url);
    const program = command('--port', port);
    expect(await program.exitCode()).toBe(1);
    expect(program.stderr).toEqual([
      `The embedded Service Center cannot listen on 127.0.0.1:${port}: the port is in use; is another registry running?`,
    ]);
    await other.stop();
  });

  it('ends with 2 and its usage on stderr for a flag that there is not', async () => {
    const program = command('--colour');
    expect(await program.exitCode()).toBe(2);
    expect(program.stderr.slice(0, 3)).toEqual([
      "Unknown option '--colour'",
      '',
      'Usage: embedded-service-center [options]',
    ]);
    expect(program.stdout).toEqual([]);
  });

  it('keeps its data over a restart', async () => {
    const flags = ['--port', '0', '--data', join(directory, 'data.json')];
    const first = command(...flags);
    await register(await first.url());
    first.pressCtrlC();
    expect(await first.exitCode()).toBe(0);

    const second = command(...flags);
    expect(await beat(await second.url())).toBe(200);
    expect(await readdir(directory)).toEqual(['data.json']);
  });

  it('has kept what is a second old when it is killed', async () => {
    const path = join(directory, 'data.json');
    const first = command('--port', '0', '--data', path);
    await register(await first.url());
    await eventually('the instance in the file', async () =>
      (await readFile(path, 'utf8')).includes('"own"') ? true : undefined,
    );
    first.kill('SIGKILL');
    await first.exitCode();

    const second = command('--port', '0', '--data', path);
    expect(await beat(await second.url())).toBe(200);
  });

  it('leaves a broken file as it is', async () => {
    const path = join(directory, 'data.json');
    await writeFile(path, '{ "format": 1, ');
    const program = command('--port', '0', '--data', path);
    expect(await program.exitCode()).toBe(1);
    expect(program.stderr).toEqual([expect.stringContaining(`${path} is not JSON`)]);
    expect(await readFile(path, 'utf8')).toBe('{ "format": 1, ');
  });
});
