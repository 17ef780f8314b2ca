import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { ServiceCenterTimeoutError } from '../../../lib/errors.js';
import { EventPublisher } from '../../../lib/nest/event.publisher.js';
import { LogLines } from '../../support/test-app.js';

const error = new ServiceCenterTimeoutError('heartbeat', 'http://a:1', 5_000);
const base = { at: '2026-01-01T00:00:00.000Z' };
const beat = { name: 'servicecomb.heartbeat.succeeded', payload: { tookMs: 1 } } as const;
const blocked = {
  name: 'servicecomb.registration.blocked',
  payload: { error, retryInMs: 60_000 },
} as const;

describe('EventPublisher', () => {
  it('logs without an emitter', () => {
    const log = new LogLines();
    new EventPublisher(log).publish(beat, base);
    expect(log.lines).toHaveLength(1);
  });

  it('logs a refusal once, however often it is repeated', () => {
    const log = new LogLines();
    const publisher = new EventPublisher(log);
    for (let attempt = 0; attempt < 3; attempt += 1) publisher.publish(blocked, base);
    expect(log.matching(/^error Cannot register/)).toHaveLength(1);
  });

  it('logs a listener that throws again once it has behaved in between, whatever it throws', async () => {
    const log = new LogLines();
    const publisher = new EventPublisher(log);
    const emitter = new EventEmitter2();
    publisher.connect(emitter);
    let throws = true;
    emitter.on(beat.name, () => {
      if (throws) throw 'a text';
    });
    for (const now of [true, true, false, true]) {
      throws = now;
      publisher.publish(beat, base);
      await setImmediate();
    }
    expect(log.matching(/threw: 'a text'/)).toHaveLength(2);
  });

  it('logs a listener that rejects, which nobody else would wait for', async () => {
    const log = new LogLines();
    const publisher = new EventPublisher(log);
    const emitter = new EventEmitter2();
    publisher.connect(emitter);
    const rejecting = (): unknown => Promise.reject(new Error('later'));
    emitter.on(beat.name, rejecting);
    publisher.publish(beat, base);
    await setImmediate();
    expect(log.matching(/threw: Error: later/)).toHaveLength(1);
  });

  it('has called the listeners when it returns', () => {
    const publisher = new EventPublisher(new LogLines());
    const emitter = new EventEmitter2();
    publisher.connect(emitter);
    const seen: unknown[] = [];
    emitter.on(beat.name, event => seen.push(event));
    publisher.publish(beat, base);
    expect(seen).toEqual([{ name: beat.name, ...base, tookMs: 1 }]);
  });
});
