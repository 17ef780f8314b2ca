import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const folder = '.github/workflows';
const workflows = readdirSync(folder).map(name => ({
  name,
  text: readFileSync(`${folder}/${name}`, 'utf8'),
}));

function textOf(name: string): string {
  return workflows.find(workflow => workflow.name === name)?.text ?? '';
}

describe('the workflows', () => {
  it.each(workflows)('$name runs actions of a commit, never of a tag that may move', ({ text }) => {
    const actions = [...text.matchAll(/uses: +(.+)/g)].map(([, action]) => action);
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v[\d.]+$/);
  });

  it.each(workflows)('$name may write nothing unless a job says so', ({ text }) => {
    expect(text).toMatch(/^permissions:\n {2}contents: read\n\n/m);
    expect(text).not.toMatch(/: write-all|contents: write|packages: write/);
  });

  it('publish both packages with provenance, once the tests have passed', () => {
    const [, test = '', publish = ''] = textOf('publish.yml').split(/^ {2}(?:test|publish):\n/m);
    expect(test).toContain('run: .ci/run');
    expect(test).not.toContain('id-token');
    expect(publish).toContain('needs: test');
    expect(publish).toContain('id-token: write');
    const published = [...publish.matchAll(/run: npm publish (.+)/g)].map(([, flags]) => flags);
    expect(published).toEqual([
      '--provenance --access public -w embedded-service-center',
      '--provenance --access public',
    ]);
  });

  it('hold no secret', () => {
    for (const { text } of workflows) expect(text).not.toContain('secrets.');
  });
});
