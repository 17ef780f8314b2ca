import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Cleanup } from './test-app.js';

/** Listens, and accepts nothing: its thread stands still as soon as it has said where. */
const deafServer = `
const { createServer } = require('node:net');
const { parentPort } = require('node:worker_threads');
const server = createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});`;

/** Longer than a connection on this machine takes. */
const silenceMs = 300;

/**
 * Returns a port of this machine that does not answer at all: connections are neither made nor refused, as where a
 * firewall drops packets. The system drops the first packet of a connection while the queue of a server is full.
 */
export async function startBlackHole(cleanup: Cleanup): Promise<number> {
  const worker = new Worker(deafServer, { eval: true });
  cleanup.add(() => worker.terminate());
  const [port]: number[] = await once(worker, 'message');
  if (port === undefined) throw new Error('The server that accepts nothing does not listen');
  while (await isConnected(cleanup, port));
  return port;
}

/** Takes a place in the queue, and returns whether there was one. */
async function isConnected(cleanup: Cleanup, port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1').unref();
  socket.on('error', () => undefined);
  cleanup.add(async () => socket.destroy());
  return Promise.race([once(socket, 'connect').then(() => true), wait(silenceMs, false)]);
}
