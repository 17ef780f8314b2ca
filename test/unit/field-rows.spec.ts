import { describe, expect, it } from '@jest/globals';
import { fieldRows } from '../field-rows.js';
import { testNamesIn } from '../support/test-names.js';

describe('the ways in which other clients break', () => {
  it('are eighteen', () => {
    expect(fieldRows).toHaveLength(18);
  });

  it.each(fieldRows)('have tests that exist: $failure', ({ tests }) => {
    const files = Object.entries(tests);
    expect(files).not.toEqual([]);
    for (const [file, names] of files)
      expect(testNamesIn(file)).toEqual(expect.arrayContaining([...names]));
  });
});
