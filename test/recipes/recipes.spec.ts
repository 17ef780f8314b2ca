import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ModuleMetadata } from '@nestjs/common';
import type { ClientGrpc, ClientProxy } from '@nestjs/microservices';
import { firstValueFrom, type Observable } from 'rxjs';
import { ServiceCenterClient } from '../../lib/index.js';
import { Cleanup, optionsFor, startApp, startRegistry } from '../support/test-app.js';
import { GreetingService } from './greeting.service.js';
import { HeroesModule } from './heroes.module.js';
import { grpcProvider, httpProvider, publish, tcpProvider } from './providers.js';
import { SumsModule } from './sums.module.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

async function startCaller(metadata: ModuleMetadata) {
  const { url } = await startRegistry(cleanup);
  const options = optionsFor(url, { microservice: { serviceName: 'caller' } });
  const { app } = await startApp(cleanup, options, metadata);
  return { app, client: app.get(ServiceCenterClient) };
}

async function nTimes<Answer>(n: number, ask: () => Promise<Answer>): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  while (answers.length < n) answers.push(await ask());
  return answers;
}

describe('the recipe of fetch', () => {
  it('calls an instance, and another one when one is gone', async () => {
    const { app, client } = await startCaller({ providers: [GreetingService] });
    const one = await httpProvider(cleanup, (_, response) => response.end('one'));
    const two = await httpProvider(cleanup, ({ url }, response) => response.end(`two ${url}`));
    await publish(client, 'greeter', one);
    await publish(client, 'greeter', two);
    const greeting = app.get(GreetingService);
    const answers = await nTimes(10, () => greeting.hello('Ada'));
    expect(new Set(answers)).toEqual(new Set(['one', 'two /hello/Ada']));
    await one.stop();
    expect(new Set(await nTimes(10, () => greeting.hello('Ada')))).toEqual(
      new Set(['two /hello/Ada']),
    );
  });

  it('asks another instance when one answers 503', async () => {
    const { app, client } = await startCaller({ providers: [GreetingService] });
    const busy = await httpProvider(cleanup, (_, response) => response.writeHead(503).end());
    const good = await httpProvider(cleanup, (_, response) => response.end('good'));
    await publish(client, 'greeter', busy);
    await publish(client, 'greeter', good);
    const answers = await nTimes(4, () => app.get(GreetingService).hello('Ada'));
    expect(new Set(answers)).toEqual(new Set(['good']));
  });
});

describe("the recipe of Nest's TCP transport", () => {
  it('sends each message to one of the instances, and events as well', async () => {
    const { app, client } = await startCaller({ imports: [SumsModule] });
    const notes: string[] = [];
    const one = await tcpProvider(cleanup, 'one', notes);
    await publish(client, 'sums', one);
    await publish(client, 'sums', await tcpProvider(cleanup, 'two', notes));
    const sums = app.get<ClientProxy>('SUMS', { strict: false });
    const ask = () => firstValueFrom(sums.send<string>('sum', [1, 2]));
    expect(new Set(await nTimes(10, ask))).toEqual(new Set(['one: 3', 'two: 3']));

    await firstValueFrom(sums.emit('note', 'a'), { defaultValue: undefined });
    await ask();
    expect(notes).toEqual(['a']);

    await one.stop();
    // A message that was on its way may be lost: it is not known to be repeatable.
    const answers = await nTimes(10, () => ask().catch((error: unknown) => String(error)));
    const lost = answers.filter(answer => answer !== 'two: 3');
    expect(lost.length).toBeLessThanOrEqual(1);
    expect(answers.at(-1)).toBe('two: 3');
  });
});

/** Asks until as many answers in a row are these, in any order. The deadline of the test ends it. */
async function untilAnswered(ask: () => Promise<string>, expected: readonly string[]) {
  let answers: readonly string[];
  do answers = (await nTimes(expected.length, ask)).toSorted();
  while (answers.join() !== expected.join());
}

interface Heroes {
  findOne(query: { id: number }): Observable<{ id: number; foundBy: string }>;
}

describe('the recipe of gRPC', () => {
  it('calls the instances in turn, and follows their changes', async () => {
    const { app, client } = await startCaller({ imports: [HeroesModule] });
    const a = await publish(client, 'heroes', await grpcProvider(cleanup, 'a'));
    await publish(client, 'heroes', await grpcProvider(cleanup, 'b'));
    const heroes = app.get<ClientGrpc>('HEROES', { strict: false }).getService<Heroes>('Heroes');
    const ask = async () => (await firstValueFrom(heroes.findOne({ id: 7 }))).foundBy;
    await untilAnswered(ask, ['a', 'a', 'b', 'b']);

    await publish(client, 'heroes', await grpcProvider(cleanup, 'c'));
    await client.unregisterInstance(a);
    await untilAnswered(ask, ['b', 'b', 'c', 'c']);
  });

  it('fails calls at once while no instance is registered', async () => {
    const { app, client } = await startCaller({ imports: [HeroesModule] });
    const ref = await publish(client, 'heroes', await grpcProvider(cleanup, 'a'));
    await client.unregisterInstance(ref);
    const heroes = app.get<ClientGrpc>('HEROES', { strict: false }).getService<Heroes>('Heroes');
    await expect(firstValueFrom(heroes.findOne({ id: 7 }))).rejects.toMatchObject({
      details: expect.stringContaining('No instance of heroes is registered for gRPC'),
    });
  });
});

describe('the recipe of headers', () => {
  it('passes on those of the request that a call is made for, and no others', async () => {
    const script = resolve('build/tree/test/support/forwarding-context.js');
    const { stdout } = await promisify(execFile)(process.execPath, [script]);
    const { byName, byClient, forNone }: Record<string, object> = JSON.parse(stdout);
    for (const received of [byName, byClient]) {
      expect(received).toMatchObject({ 'x-tenant': 'acme', traceparent: '00-1-2-01' });
      expect(received).not.toHaveProperty('x-other');
    }
    expect(forNone).toMatchObject({ 'x-cse-context': expect.any(String) });
    expect(forNone).not.toHaveProperty('x-tenant');
  });
});
