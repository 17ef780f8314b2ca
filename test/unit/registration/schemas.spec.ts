import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { RegistryEvents } from '../../../lib/events.js';
import type { HttpRequest } from '../../../lib/protocol/channel.js';
import type { SchemaDocuments } from '../../../lib/protocol/schema-documents.js';
import type { SchemaMismatch } from '../../../lib/registration/schemas.js';
import { CoreHarness } from '../../support/core-harness.js';
import type { FakeReply } from '../../support/fake-send.js';

const document = { paths: { '/b': {}, '/a': {} }, openapi: '3.0.0' };
/** The text of the document, with its keys in order. */
const text = '{"openapi":"3.0.0","paths":{"/a":{},"/b":{}}}';
const refused: FakeReply = { status: 403, body: { errorCode: '403001', errorMessage: 'disabled' } };
const busy: FakeReply = { status: 500, body: { errorCode: '500003' } };

function summaryOf(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Schemas as the registry lists them: a content, or null for a schema without a summary. */
function listing(schemas: Readonly<Record<string, string | null>>): FakeReply {
  const listed = Object.entries(schemas).map(([schemaId, content]) =>
    content === null ? { schemaId } : { schemaId, summary: summaryOf(content) },
  );
  return { body: { schemas: listed } };
}

function untilAborted(signal: AbortSignal | undefined): Promise<FakeReply> {
  return new Promise((_, reject) =>
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );
}

/** A registration with schemas, and the requests about them as `METHOD id`, or `GET *` for the list. */
class Uploading extends CoreHarness {
  readonly asked: string[] = [];
  readonly uploads: { readonly id: string; readonly body: unknown }[] = [];

  constructor(answers: CoreHarness['answers'] = {}, onMismatch: SchemaMismatch = 'overwrite') {
    super({}, { onMismatch });
    const { schemas, schema, upload, ...others } = answers;
    this.answers = {
      schemas: request => this.#note(request, schemas ?? { body: { schemas: [] } }),
      schema: request =>
        this.#note(request, schema ?? { status: 400, body: { errorCode: 400_016 } }),
      upload: request => this.#note(request, upload ?? {}),
      ...others,
    };
  }

  /** Requests of the registration that is sent before a lease is there, in their order. */
  get steps(): readonly string[] {
    return this.sent.map(({ what }) => what);
  }

  /** Sets schemas whose upload begins and gets no answer; returns what tells whether it was aborted. */
  async hangUploading(documents: SchemaDocuments): Promise<() => boolean> {
    let signals: readonly (AbortSignal | undefined)[] = [];
    const upload = ({ signal }: HttpRequest) => {
      signals = [...signals, signal];
      return untilAborted(signal);
    };
    this.answers = { ...this.answers, upload };
    this.core.setSchemas(documents);
    await this.run(100);
    return () => signals.length > 0 && signals.every(signal => signal?.aborted === true);
  }

  async #note(
    request: HttpRequest,
    answer: NonNullable<CoreHarness['answers']['schemas']>,
  ): Promise<FakeReply> {
    const [, id = '*'] = /schemas\/([^?]*)/.exec(request.url) ?? [];
    this.asked.push(`${request.method} ${id}`);
    if (request.method === 'PUT') this.uploads.push({ id, body: JSON.parse(request.body ?? '') });
    const reply = typeof answer === 'function' ? await answer(request) : answer;
    if (reply instanceof Error) throw reply;
    return reply;
  }
}

describe('the schemas of a service', () => {
  it('are uploaded after the service is found and before the instance is registered', async () => {
    const harness = new Uploading();
    harness.core.setSchemas({ 'orders.rest': document });
    await harness.register();
    expect(harness.steps).toEqual(['existence', 'schemas', 'upload', 'post', 'read']);
    const body = { schema: text, summary: summaryOf(text) };
    expect(harness.uploads).toEqual([{ id: 'orders.rest', body }]);
  });

  it('are told of once they are uploaded', async () => {
    const harness = new Uploading();
    harness.core.setSchemas({ a: 'A', b: 'B' });
    await harness.register();
    expect(harness.events).toContainEqual({
      name: RegistryEvents.SchemasUploaded,
      payload: { uploaded: ['a', 'b'], kept: [], count: 2 },
    });
    expect(harness.core.snapshot().schemas).toEqual({
      count: 2,
      areUploaded: true,
      lastError: null,
    });
  });

  it('cost no request when there are none', async () => {
    const harness = new Uploading();
    await harness.register();
    expect(harness.asked).toEqual([]);
    expect(harness.core.snapshot().schemas).toBeNull();
  });

  it('are only compared when the registry has them all, and nothing is told', async () => {
    const harness = new Uploading({ schemas: listing({ a: text, other: 'x' }) });
    harness.core.setSchemas({ a: document });
    await harness.register();
    expect(harness.asked).toEqual(['GET *']);
    expect(harness.names()).not.toContain('schemas.uploaded');
  });

  it('are sent where the registry has another content, or none', async () => {
    const harness = new Uploading({ schemas: listing({ same: 'S', old: 'O' }) });
    harness.core.setSchemas({ same: 'S', old: 'N', new: 'N' });
    await harness.register();
    expect(harness.asked.toSorted()).toEqual(['GET *', 'PUT new', 'PUT old']);
  });

  it.each<[string, FakeReply, SchemaMismatch, readonly string[]]>([
    [
      'was never uploaded',
      { status: 400, body: { errorCode: '400016' } },
      'ignore',
      ['GET a', 'PUT a'],
    ],
    ['has the same content', { body: { schema: 'A' } }, 'ignore', ['GET a']],
    ['has another content', { body: { schema: 'B' } }, 'ignore', ['GET a']],
    ['is overwritten in any case', { body: { schema: 'A' } }, 'overwrite', ['PUT a']],
  ])('are read where no summary is listed: one that %s', async (_, schema, onMismatch, asked) => {
    const harness = new Uploading({ schemas: listing({ a: null }), schema }, onMismatch);
    harness.core.setSchemas({ a: 'A' });
    await harness.register();
    expect(harness.asked).toEqual(['GET *', ...asked]);
  });

  it('are declared by a service that is created', async () => {
    let created = '';
    const harness = new Uploading({
      existence: { status: 400, body: { errorCode: '400012' } },
      service: request => {
        created = request.body ?? '';
        return { body: { serviceId: 'service' } };
      },
    });
    harness.core.setSchemas({ a: 'A', b: 'B' });
    await harness.register();
    expect(JSON.parse(created)).toMatchObject({ service: { schemas: ['a', 'b'] } });
  });

  it('are uploaded four at a time', async () => {
    let open = 0;
    let most = 0;
    const harness = new Uploading({
      upload: async () => {
        most = Math.max(most, (open += 1));
        await harness.clock.delay(10);
        open -= 1;
        return {};
      },
    });
    harness.core.setSchemas(
      Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`s${n}`, 'x'])),
    );
    const registered = harness.core.register();
    await harness.run(1_000);
    await registered;
    expect(most).toBe(4);
    expect(harness.uploads).toHaveLength(9);
  });

  it('are not compared again for a lease that was lost', async () => {
    const harness = new Uploading();
    harness.core.setSchemas({ a: 'A' });
    await harness.register();
    harness.forget();
    await harness.run(40_000);
    expect(harness.names().filter(name => name === 'instance.registered')).toHaveLength(2);
    expect(harness.asked).toEqual(['GET *', 'PUT a']);
  });
});

describe('a schema that the registry stores with another content', () => {
  const stored = { schemas: listing({ a: 'old' }) };

  it('is left as it is with ignore, which is told', async () => {
    const harness = new Uploading(stored, 'ignore');
    harness.core.setSchemas({ a: 'A', b: 'B' });
    await harness.register();
    expect(harness.asked).toEqual(['GET *', 'PUT b']);
    const payload = { uploaded: ['b'], kept: ['a'], count: 2 };
    expect(harness.events).toContainEqual({ name: RegistryEvents.SchemasUploaded, payload });
  });

  it('keeps the instance out with fail, until it is the same', async () => {
    const harness = new Uploading(stored, 'fail');
    harness.core.setSchemas({ a: 'A', b: 'B' });
    void harness.core.register();
    await harness.run(30_000);
    expect(harness.core.state).toBe('blocked');
    expect(harness.steps).not.toContain('post');
    expect(harness.uploads).toEqual([]);
    expect(harness.core.snapshot().lastError).toMatchObject({
      code: 'ERR_SERVICECOMB_SCHEMA_MISMATCH',
      message: expect.stringContaining('another content for a of this version'),
    });
    harness.answers = { ...harness.answers, schemas: listing({ a: 'A' }) };
    await harness.run(60_000);
    expect(harness.core.state).toBe('registered');
    expect(harness.uploads.map(({ id }) => id)).toEqual(['b']);
  });

  it('ends the wait of register() with fail and failFast', async () => {
    const harness = new CoreHarness(stored, { onMismatch: 'fail', failFast: true });
    harness.core.setSchemas({ a: 'A' });
    const registered = harness.core.register();
    await harness.core.tick(0);
    await expect(registered).rejects.toMatchObject({ schemaIds: ['a'] });
  });
});

describe('schemas that cannot be uploaded', () => {
  it.each([
    ['refuses', refused],
    ['cannot store', busy],
  ])('do not keep the instance out: the registry %s them', async (_, upload) => {
    const harness = new Uploading({ upload });
    harness.core.setSchemas({ a: 'A' });
    expect(await harness.register()).toBe('registered');
    expect(harness.names()).toContain('schemas.failed');
    expect(harness.core.snapshot().schemas).toMatchObject({
      areUploaded: false,
      lastError: { code: 'ERR_SERVICECOMB_RESPONSE' },
    });
  });

  it('are uploaded later, with no heartbeat late for it', async () => {
    const plain = new CoreHarness();
    await plain.register();
    await plain.run(100_000);
    const harness = new Uploading({ upload: refused });
    harness.core.setSchemas({ a: 'A' });
    await harness.register();
    await harness.run(50_000);
    harness.answers = { ...harness.answers, upload: {} };
    await harness.run(50_000);
    expect(harness.names().filter(name => name.startsWith('schemas'))).toEqual([
      'schemas.failed',
      'schemas.uploaded',
    ]);
    const heartbeatsOf = ({ sent }: CoreHarness) => sent.filter(({ what }) => what === 'heartbeat');
    expect(heartbeatsOf(harness)).toEqual(heartbeatsOf(plain));
    expect(harness.core.snapshot().schemas).toMatchObject({ areUploaded: true, lastError: null });
  });

  it('are tried again soon when the registry was busy, and told of even if others sent them meanwhile', async () => {
    const harness = new Uploading({ upload: busy });
    harness.core.setSchemas({ a: 'A' });
    await harness.register();
    harness.answers = { ...harness.answers, schemas: listing({ a: 'A' }) };
    await harness.run(2_000);
    const payload = { uploaded: [], kept: [], count: 1 };
    expect(harness.events.at(-1)).toEqual({ name: RegistryEvents.SchemasUploaded, payload });
  });

  it('are sent again after a standstill, when the answer may never come', async () => {
    const harness = new Uploading({ upload: ({ signal }) => untilAborted(signal) });
    harness.core.setSchemas({ a: 'A' });
    void harness.core.register();
    const tick = harness.core.tick(0);
    await harness.clock.advance(0);
    harness.answers = { ...harness.answers, upload: {} };
    harness.core.noteStandstill({ lateMs: 3_000, asleepMs: 0 });
    await tick;
    expect(harness.core.state).toBe('registered');
    expect(harness.steps.filter(step => step === 'upload')).toHaveLength(2);
  });

  it('are tried again with the next attempt to register', async () => {
    const harness = new Uploading({ upload: busy, post: busy });
    harness.core.setSchemas({ a: 'A' });
    void harness.core.register();
    await harness.core.tick(0);
    expect(harness.steps).toEqual(['existence', 'schemas', 'upload', 'post']);
    harness.answers = {
      ...harness.answers,
      upload: {},
      post: { body: { instanceId: 'orders-0' } },
    };
    await harness.run(3_000);
    expect(harness.steps.slice(4, 7)).toEqual(['schemas', 'upload', 'post']);
    expect(harness.core.state).toBe('registered');
  });

  it('do not delay leaving', async () => {
    const harness = new Uploading({ upload: ({ signal }) => untilAborted(signal) });
    harness.core.setSchemas({ a: 'A' });
    harness.core.register().catch(() => undefined);
    void harness.core.tick(0);
    await harness.clock.advance(0);
    const before = harness.clock.now();
    await harness.clock.until(harness.core.leave());
    expect(harness.clock.now()).toBe(before);
    expect(harness.core.state).toBe('left');
    expect(harness.steps).not.toContain('post');
  });
});

describe('schemas that are set while there is a lease', () => {
  it('are uploaded with the next tick', async () => {
    const harness = new Uploading();
    await harness.register();
    let isWoken = false;
    harness.core.onDue(() => {
      isWoken = true;
    });
    harness.core.setSchemas({ a: 'A' });
    expect(isWoken).toBe(true);
    await harness.run(100);
    expect(harness.uploads.map(({ id }) => id)).toEqual(['a']);
  });

  it('replace those whose upload is under way', async () => {
    const harness = new Uploading();
    await harness.register();
    const isAborted = await harness.hangUploading({ a: 'A' });
    harness.answers = { ...harness.answers, upload: {} };
    harness.core.setSchemas({ a: 'B' });
    expect(isAborted()).toBe(true);
    await harness.run(100);
    const payload = { uploaded: ['a'], kept: [], count: 1 };
    expect(harness.events.at(-1)).toEqual({ name: RegistryEvents.SchemasUploaded, payload });
  });

  it('are not told to have failed when those before them do', async () => {
    const harness = new Uploading();
    await harness.register();
    const refuseLater = () => {
      harness.answers = { ...harness.answers, upload: {} };
      harness.core.setSchemas({ a: 'B' });
      return refused;
    };
    harness.answers = { ...harness.answers, upload: refuseLater };
    harness.core.setSchemas({ a: 'A' });
    await harness.run(100);
    expect(harness.events.map(({ name }) => name)).not.toContain(RegistryEvents.SchemasFailed);
    expect(harness.core.snapshot().schemas).toMatchObject({ areUploaded: true, lastError: null });
  });

  it('are compared before the instance, with fail, when they replace those that differ', async () => {
    const harness = new Uploading({}, 'fail');
    const setOthers = () => {
      harness.answers = { ...harness.answers, schemas: listing({ a: 'A' }) };
      harness.core.setSchemas({ a: 'A' });
      return listing({ a: 'A' });
    };
    harness.answers = { ...harness.answers, schemas: setOthers };
    harness.core.setSchemas({ a: 'other' });
    void harness.core.register();
    await harness.core.tick(0);
    expect(harness.core.state).toBe('registered');
  });

  it('are all uploaded before the instance when they replace those of the attempt under way', async () => {
    let harness = new Uploading();
    const setOthers = () => {
      if (harness.uploads.length === 1) harness.core.setSchemas({ b: 'B' });
      return {};
    };
    harness = new Uploading({ upload: setOthers });
    harness.core.setSchemas({ a: 'A' });
    void harness.core.register();
    await harness.core.tick(0);
    expect(harness.uploads.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(harness.steps.lastIndexOf('upload')).toBeLessThan(harness.steps.indexOf('post'));
  });

  it('end with the registration', async () => {
    const harness = new Uploading();
    await harness.register();
    const isAborted = await harness.hangUploading({ a: 'A' });
    await harness.clock.until(harness.core.leave());
    expect(isAborted()).toBe(true);
  });

  it('leave the instance registered when they differ with fail, and are not tried again', async () => {
    const harness = new Uploading({ schemas: listing({ a: 'old' }) }, 'fail');
    await harness.register();
    harness.core.setSchemas({ a: 'A' });
    await harness.run(200_000);
    expect(harness.core.state).toBe('registered');
    const failed = harness.events.filter(({ name }) => name === RegistryEvents.SchemasFailed);
    expect(failed).toMatchObject([{ payload: { retryInMs: null } }]);
    expect(harness.asked).toEqual(['GET *']);
  });
});

describe('a schema that cannot be sent', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;

  it.each<[string, string, unknown, string]>([
    ['that ends with a hyphen', 'a-', 'A', 'must have an id of 1 to 160'],
    ['of 161 letters', 'x'.repeat(161), 'A', 'must have an id of 1 to 160'],
    ['with no content', 'a', '', 'must be a text that is not empty'],
    ['with null', 'a', null, 'must be a text that is not empty'],
    ['with a number', 'a', 7, 'must be a text that is not empty'],
    ['with a cycle', 'a', circle, 'JSON can hold'],
  ])('is refused at the door: an id %s', (_, id, content, message) => {
    const harness = new Uploading();
    harness.core.setSchemas({ b: 'B' });
    // An untrue type on purpose, as JavaScript may pass it.
    expect(() => harness.core.setSchemas({ [id]: content as string })).toThrow(message);
    expect(harness.core.snapshot().schemas).toMatchObject({ count: 1 });
  });

  it('is refused when there are more than a hundred', () => {
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`s${n}`, 'x']));
    expect(() => new Uploading().core.setSchemas(many)).toThrow(RangeError);
  });
});
