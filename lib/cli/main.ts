#!/usr/bin/env node
import process, { stderr, stdout } from 'node:process';

// Ctrl-C, `kill` and the end of the terminal: the command takes back what it has registered, and ends.
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => stop.abort());

// The reader of the output may end first, as `| head` does. That must not keep a probe in the registry.
for (const stream of [stdout, stderr]) stream.on('error', () => stop.abort());

const eraseLine = '\r\u001b[2K';

try {
  // Imported here, so that a missing package can be named in a sentence.
  const { run } = await import('./command.js');
  process.exitCode = await run({
    args: process.argv.slice(2),
    env: process.env,
    print: text => stdout.write(`${text}\n`),
    printError: text => stderr.write(`${text}\n`),
    isTerminal: stdout.isTTY,
    columns: stdout.isTTY ? stdout.columns : 100,
    showProgress: text => {
      if (stderr.isTTY) stderr.write(eraseLine + (text === undefined ? '' : `${text} …`));
    },
    stopped: stop.signal,
  });
} catch (error) {
  const [, name] = /Cannot find package '([^']+)'/.exec(String(error)) ?? [];
  if (name === undefined) throw error;
  stderr.write(
    `The package ${name}, which nestjs-servicecomb needs, is not installed here: npm install ${name}\n`,
  );
  process.exitCode = 2;
}
