import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from '../../lib/index.js';
import { Bindings } from './bindings.js';
import { exchange } from '../support/exchange.js';
import { readRecording } from './recording.js';
import { differences, requestOf } from './replay.js';

const names = ['transport', 'microservices', 'instances', 'find', 'schemas', 'healthcheck-clamp'];

describe.each(names.map(name => readRecording(name)))(
  'the embedded Service Center answers like a real one: $scenario',
  ({ steps }) => {
    const serviceCenter = new EmbeddedServiceCenter({ port: 0 });
    const bindings = new Bindings();

    beforeAll(() => serviceCenter.start());
    afterAll(() => serviceCenter.stop());

    it.each(steps)('$step', async step => {
      const answer = await exchange(serviceCenter.url, requestOf(step, bindings));
      expect(differences(step, answer, bindings)).toEqual([]);
    });
  },
);
