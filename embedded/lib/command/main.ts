#!/usr/bin/env node
import { run } from './run.js';

// Ctrl-C, `kill`, and the terminal being closed. Each is the regular end and leaves 0 behind; npx passes
// on a Ctrl-C that the terminal has sent already, so a second one changes nothing.
const stopped = new Promise(resolve => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve);
});

// Who reads the output may go before we do, as `| head` does; that is no reason to end.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

process.exitCode = await run({
  args: process.argv.slice(2),
  env: process.env,
  print: text => process.stdout.write(`${text}\n`),
  printError: text => process.stderr.write(`${text}\n`),
  stopped,
});
