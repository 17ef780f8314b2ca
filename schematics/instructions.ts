import { neededModules } from './app-module.js';
import { shutdownHooks } from './main-file.js';
import { peersOf } from './peers.js';
import { nestVersionOf, type ProjectFiles } from './plan.js';

/** How each package manager adds a package, by its lock file. */
const adding = {
  'pnpm-lock.yaml': 'pnpm add',
  'yarn.lock': 'yarn add',
  'bun.lock': 'bun add',
} as const;

/** Returns what to do by hand where a file cannot be changed safely. */
export function instructions(reason: string, files: ProjectFiles): string {
  const [, add = 'npm install'] =
    Object.entries(adding).find(([lockFile]) => files.read(lockFile) !== undefined) ?? [];
  const peers = Object.entries(peersOf(nestVersionOf(files))).map(each => each.join('@'));
  return [
    `${reason}. No file was changed. What is to be done by hand:`,
    '',
    '1. Install the peers:',
    `     ${add} ${peers.map(peer => `'${peer}'`).join(' ')}`,
    '2. Import the modules in the root module, in this order:',
    ...neededModules.map(({ name, from }) => `     import { ${name} } from '${from}';`),
    '     imports: [',
    ...neededModules.map(({ name, purpose }) => `       ${name}.forRoot(), // ${purpose}`),
    '     ],',
    '3. In main.ts, once the application is created:',
    `     app.${shutdownHooks}`,
  ].join('\n');
}
