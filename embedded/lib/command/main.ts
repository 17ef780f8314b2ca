#!/usr/bin/env node
import { run } from './run.js';

// Ctrl-C, `kill`, and the end of the terminal are all a regular end with exit code 0. npx passes on
// a Ctrl-C that the terminal has sent already, so a second one has no effect.
const stopped = new Promise(resolve => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve);
});

// The reader of the output may end first, as `| head` does. That must not end the command.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

process.exitCode = await run({
  args: process.argv.slice(2),
  env: process.env,
  print: text => process.stdout.write(`${text}\n`),
  printError: text => process.stderr.write(`${text}\n`),
  stopped,
});
