// Prints each test of a jest run as a row of a table: cell, result, seconds.
import { readFileSync } from 'node:fs';

const { testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
console.log('| cell | result | seconds |\n| --- | --- | --- |');
for (const { assertionResults } of testResults)
  for (const { fullName, status, duration } of assertionResults) {
    const seconds = ((duration ?? 0) / 1_000).toFixed(1);
    console.log(`| ${fullName} | ${status} | ${seconds} |`);
  }
