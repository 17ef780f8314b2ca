import { codeBlocksOf } from '../support/docs.js';

/** The modules that an application is written in: the headings of the README's quick start. */
export type Form = 'CommonJS' | 'ES modules';

const blocks = codeBlocksOf('README.md');

/** Returns the words of the README's command that installs the library in an application of this major of Nest. */
export function installCommand(nest: 11 | 12): readonly string[] {
  const install = blocks.map(({ code }) =>
    new RegExp(`^# Nest ${nest}\n(npm install .*)$`, 'm').exec(code),
  );
  const [, command] = install.find(found => found !== null) ?? [];
  if (command === undefined) throw new Error(`README.md has no npm install for Nest ${nest}`);
  return command.split(' ');
}

/** Returns the files that the README's quick start has the user write, by their path in the application. */
export function filesOf(form: Form): Readonly<Record<string, string>> {
  const ofForm = blocks.filter(({ heading }) => heading.startsWith(`#### ${form}`));
  const files = ofForm.flatMap(({ code }) => {
    const [, path] = /^\/\/ (src\/\S+)\n/.exec(code) ?? [];
    return path === undefined ? [] : [[path, code] as const];
  });
  if (files.length === 0) throw new Error(`README.md has no files for ${form}`);
  return Object.fromEntries(files);
}
