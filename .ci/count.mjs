// Adds up the results of jest runs and says how many tests passed and failed; none at all is a failure.
import { readFileSync } from 'node:fs';

const results = process.argv.slice(2).map(file => JSON.parse(readFileSync(file, 'utf8')));
const sum = field => results.reduce((total, result) => total + result[field], 0);
const passed = sum('numPassedTests');
const failed = sum('numFailedTests') + sum('numRuntimeErrorTestSuites');
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
