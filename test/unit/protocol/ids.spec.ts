import { describe, expect, it } from '@jest/globals';
import {
  consumerHeader,
  instanceParameters,
  isInstanceId,
  isServiceId,
  serviceParameters,
} from '../../../lib/protocol/ids.js';

describe('a serviceId', () => {
  it.each([
    'a',
    'e0f0da073f2c91e8979a89ff2d7c69t6',
    'x'.repeat(64),
    'a/b c',
    '服务',
    '...',
    '.a',
    '😀'.repeat(64),
  ])('can be %j', id => {
    expect(isServiceId(id)).toBe(true);
    expect(serviceParameters(id)).toEqual({ serviceId: id });
  });

  it.each(['', 'x'.repeat(65), '😀'.repeat(65), '.', '..', '\uD800'])('cannot be %j', id => {
    expect(isServiceId(id)).toBe(false);
    expect(() => serviceParameters(id)).toThrow(RangeError);
    expect(() => serviceParameters(id)).toThrow(JSON.stringify(id));
  });

  it.each([undefined, null, 5, {}, ['a']])('cannot be %p', id => {
    expect(isServiceId(id)).toBe(false);
  });
});

describe('an instanceId', () => {
  it.each(['a', 'com.huawei.instance.InstanceService', 'A_b-c.9', 'x'.repeat(64), '...'])(
    'can be %j',
    instanceId => {
      const ref = { serviceId: 's', instanceId };
      expect(isInstanceId(instanceId)).toBe(true);
      expect(instanceParameters(ref)).toEqual(ref);
    },
  );

  it.each(['', 'x'.repeat(65), '.', '..', 'a b', 'a/b', 'ä', 'a\n', '%2e'])(
    'cannot be %j',
    instanceId => {
      expect(isInstanceId(instanceId)).toBe(false);
      expect(() => instanceParameters({ serviceId: 's', instanceId })).toThrow(RangeError);
    },
  );

  it('needs a serviceId that can be one', () => {
    expect(() => instanceParameters({ serviceId: '..', instanceId: 'i' })).toThrow(
      'serviceId must be 1 to 64 characters',
    );
  });

  it.each([undefined, null, 5, {}])('cannot be %p', id => {
    expect(isInstanceId(id)).toBe(false);
  });
});

describe('the id of who asks', () => {
  it('is a header', () => {
    expect(consumerHeader('a/b')).toEqual({ 'X-ConsumerId': 'a/b' });
  });

  it.each(['', '..', 'x'.repeat(65), '服务', 'a\r\nX: y', 'a b', 'ä', '\uD800'])(
    'is not sent as something else where it is %j',
    id => {
      expect(() => consumerHeader(id)).toThrow(RangeError);
    },
  );
});
