// Puts the compiled modules of the page into one module beside them, so that the registry serves them from
// wherever it is bundled, with no file to find. The argument is the compiler's folder of lib/page.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const names = readdirSync(join(folder, 'browser')).filter(name => name.endsWith('.js'));
// A map would lead to source that is not served.
const texts = names.map(name => [
  name,
  readFileSync(join(folder, 'browser', name), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, ''),
]);
const source = `export const browserModules = ${JSON.stringify(Object.fromEntries(texts), null, 2)};\n`;
writeFileSync(join(folder, 'browser-modules.js'), source);
