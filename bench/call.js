// What a call by name costs beside the same call by URL, both through HttpService: CPU time of this process alone,
// one call at a time and 20 at a time, the servers in a process of their own.
// `npm run bench:call -- [--rounds 9] [--calls 3000] [--only WORD] [--json]`
import 'reflect-metadata';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { HttpService } from '@nestjs/axios';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { ScheduleModule } from '@nestjs/schedule';
import axios from 'axios';
import { DiscoveryHttpModule, DiscoveryHttpService, RegistryModule } from 'nestjs-servicecomb';
import { firstValueFrom } from 'rxjs';
import { cpuMsOf, median, rounded } from './figures.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '9' },
    calls: { type: 'string', default: '3000' },
    /** Measures the contenders with that word in their name alone, for a profile. */
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const servers = 4;
const callsInTurn = 100;
const sizes = { 'one at a time': 1, '20 at a time': 20 };

if (positionals[0] === 'server') await server();
else await main();

/** The instances of the provider: each answers a few bytes. */
async function server() {
  const listening = Array.from({ length: servers }, () =>
    createServer({ keepAliveTimeout: 600_000 }, (_asked, answer) => {
      const text = '{"text":"hello"}';
      const headers = { 'Content-Type': 'application/json', 'Content-Length': text.length };
      answer.writeHead(200, headers).end(text);
    }).listen(0, '127.0.0.1'),
  );
  await Promise.all(listening.map(each => once(each, 'listening')));
  process.on('disconnect', () => process.exit());
  process.send(listening.map(each => each.address().port));
}

async function main() {
  const child = fork(new URL(import.meta.url).pathname, ['server']);
  const [ports] = await once(child, 'message');
  const contenders = Object.entries(await contendersOf(ports)).filter(([name]) =>
    name.includes(values.only),
  );
  const rows = [];
  for (const [size, atATime] of Object.entries(sizes))
    rows.push(...rowsOf(size, await costsOf(contenders, atATime)));
  child.kill();
  if (values.json) process.stdout.write(JSON.stringify(rows));
  else console.table(rows);
  process.exit();
}

async function contendersOf(ports) {
  class Root {}
  const endpoints = ports.map(port => `rest://127.0.0.1:${port}`);
  const registry = RegistryModule.forRoot({
    enabled: false,
    microservice: { serviceName: 'bench' },
    discovery: { providers: { greeter: { endpoints } } },
  });
  const scheduler = [ScheduleModule.forRoot(), EventEmitterModule.forRoot()];
  Module({ imports: [...scheduler, registry, DiscoveryHttpModule.register()] })(Root);
  const app = await NestFactory.createApplicationContext(Root, { logger: false });
  // Connections are kept as long as those of calls by name, and about as long as Node's own agent keeps them.
  const httpAgent = new Agent({ keepAlive: true, timeout: 4_000 });
  const plain = new HttpService(axios.create({ httpAgent }));
  const named = app.get(DiscoveryHttpService);
  const urls = ports.map(port => `http://127.0.0.1:${port}/hello`);
  let turn = 0;
  const nextUrl = () => urls[(turn += 1) % urls.length];
  return {
    'by URL': () => firstValueFrom(plain.get(nextUrl())),
    'by URL, with a timeout': () => firstValueFrom(plain.get(nextUrl(), { timeout: 30_000 })),
    'by URL, DiscoveryHttpModule': () => firstValueFrom(named.get(nextUrl())),
    'by name': () => firstValueFrom(named.get('http://greeter/hello')),
  };
}

/** Microseconds of a call, for each round. The contenders take turns often: the machine is as busy for each. */
async function costsOf(contenders, atATime) {
  const slices = Math.ceil(Number(values.calls) / callsInTurn);
  const calls = slices * callsInTurn;
  const rounds = [];
  for (let round = -1; round < Number(values.rounds); round += 1) {
    const sums = Object.fromEntries(contenders.map(([name]) => [name, { cpu: 0, wall: 0 }]));
    for (let slice = 0; slice < slices; slice += 1)
      for (const [name, call] of contenders) {
        const startedAt = performance.now();
        sums[name].cpu += (await cpuMsOf(() => callAll(call, callsInTurn, atATime))) / calls;
        sums[name].wall += (performance.now() - startedAt) / calls;
      }
    // The first round is for the compiler.
    if (round >= 0) rounds.push(sums);
  }
  return rounds;
}

async function callAll(call, calls, atATime) {
  let left = calls;
  const callOn = async () => {
    while (left > 0) {
      left -= 1;
      const { status } = await call();
      if (status !== 200) throw new Error(`answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: atATime }, callOn));
}

function rowsOf(size, rounds) {
  const [first, ...others] = Object.keys(rounds[0]);
  return [first, ...others].map(name => ({
    calls: size,
    name,
    'CPU µs': rounded(median(rounds.map(round => round[name].cpu)) * 1_000),
    'CPU, by URL = 1': rounded(median(rounds.map(round => round[name].cpu / round[first].cpu))),
    'time, by URL = 1': rounded(median(rounds.map(round => round[name].wall / round[first].wall))),
  }));
}
