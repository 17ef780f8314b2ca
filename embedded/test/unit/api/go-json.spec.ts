import { describe, expect, it } from '@jest/globals';
import { NumberLiteral, parseJson } from '../../../lib/api/go-json.js';
import { catchRegistryError, RegistryError } from '../../../lib/model/registry-error.js';
import { TestRegistry, refusalOf } from '../../support/registry.js';

const looking = 'looking for beginning of value';
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

function faultOf(text: string): unknown {
  const outcome = catchRegistryError(() => parseJson(text));
  return outcome instanceof RegistryError ? outcome.detail : outcome;
}

describe('JSON text', () => {
  it.each([
    ['{}', {}],
    [' [ ] ', []],
    [
      '{"a":{"b":[1,-0.5e+3,2E2,0]},"c":"\\u00e9\\n\\/"}',
      { a: { b: [1, new NumberLiteral('-0.5e+3'), new NumberLiteral('2E2'), 0] }, c: 'é\n/' },
    ],
    ['[true,false,null]', [true, false, null]],
    ['"é"', 'é'],
    ['\t12\r\n', 12],
  ])('is read: %s', (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  it.each([
    ['', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{"a":"b', 'unexpected end of JSON input'],
    ['-', 'unexpected end of JSON input'],
    ['not json', `invalid character 'o' in literal null (expecting 'u')`],
    ['x', `invalid character 'x' ${looking}`],
    ['}', `invalid character '}' ${looking}`],
    ['[1,]', `invalid character ']' ${looking}`],
    ["'a'", String.raw`invalid character '\'' ${looking}`],
    ['\\', String.raw`invalid character '\\' ${looking}`],
    ['\u0001', String.raw`invalid character '\x01' ${looking}`],
    ['\u0007', String.raw`invalid character '\a' ${looking}`],
    ['\u007f', String.raw`invalid character '\x7f' ${looking}`],
    ['é', `invalid character 'Ã' ${looking}`],
    ['\u0080', `invalid character 'Â' ${looking}`],
    ['[1\u4e00', `invalid character 'ä' after array element`],
    ['"a"\udead', String.raw`invalid character 'ï' after top-level value`],
    ['{a:1}', `invalid character 'a' looking for beginning of object key string`],
    ['{"a":1,}', `invalid character '}' looking for beginning of object key string`],
    ['{"a" 1}', `invalid character '1' after object key`],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['[1 2]', `invalid character '2' after array element`],
    ['[1}', `invalid character '}' after array element`],
    ['{} {}', `invalid character '{' after top-level value`],
    ['01', `invalid character '1' after top-level value`],
    ['-x', `invalid character 'x' in numeric literal`],
    ['1.x', `invalid character 'x' after decimal point in numeric literal`],
    ['1e+x', `invalid character 'x' in exponent of numeric literal`],
    ['"\n"', String.raw`invalid character '\n' in string literal`],
    [String.raw`"\x"`, `invalid character 'x' in string escape code`],
    [String.raw`"\u00g0"`, String.raw`invalid character 'g' in \u hexadecimal character escape`],
    ['falsy', `invalid character 'y' in literal false (expecting 'e')`],
    ['trve', `invalid character 'v' in literal true (expecting 'u')`],
  ])('is refused with the message of Go: %j', (text, message) => {
    expect(faultOf(text)).toBe(message);
  });

  it('quotes bytes that cannot be printed by their code', () => {
    const registry = new TestRegistry();
    // The two bytes of U+0085 and of U+00A0 are read one by one; the second one is not printable.
    expect(refusalOf(registry.ask('POST /microservices', { body: '"a" \u0085' }))).toContain("'Â'");
    expect(faultOf('[tr\u0085')).toContain("'Â'");
    expect(faultOf('1 \u00ad')).toContain("'Â'");
  });

  it('may be nested as deep as Go allows, and no deeper', () => {
    expect(Array.isArray(faultOf(deep(10_000)))).toBe(true);
    expect(faultOf(deep(10_001))).toBe('exceeded max depth');
  });
});

describe('a body of the wrong type', () => {
  const registry = new TestRegistry();
  const service = (fields: string) =>
    registry.ask('POST /microservices', { body: `{"service":{${fields}}}` });
  const into = (field: string, type: string) => `into Go struct field ${field} of type ${type}`;

  it.each([
    ['"serviceName":1', `number ${into('MicroService.service.serviceName', 'string')}`],
    ['"serviceName":true', `bool ${into('MicroService.service.serviceName', 'string')}`],
    ['"schemas":{}', `object ${into('MicroService.service.schemas', '[]string')}`],
    ['"schemas":[1]', `number ${into('MicroService.service.schemas', 'string')}`],
    ['"properties":[]', `array ${into('MicroService.service.properties', 'map[string]string')}`],
    ['"properties":{"a":1}', `number ${into('MicroService.service.properties', 'string')}`],
    [
      '"framework":"nest"',
      `string ${into('MicroService.service.framework', 'discovery.FrameWork')}`,
    ],
    ['"framework":{"name":1}', `number ${into('FrameWork.service.framework.name', 'string')}`],
    ['"paths":{}', `object ${into('MicroService.service.paths', '[]*discovery.ServicePath')}`],
    ['"paths":["/a"]', `string ${into('MicroService.service.paths', 'discovery.ServicePath')}`],
  ])('is refused with the message of Go: %s', (fields, message) => {
    expect(refusalOf(service(fields))).toBe(`400 400001 json: cannot unmarshal ${message}`);
  });

  it.each([
    ['POST /microservices', '[]', 'array into Go value of type discovery.CreateServiceRequest'],
    ['POST /microservices', '"a"', 'string into Go value of type discovery.CreateServiceRequest'],
    [
      'POST /microservices/x/tags',
      '1',
      'number into Go value of type map[string]map[string]string',
    ],
    ['POST /microservices/x/tags', '{"a":[]}', 'array into Go value of type map[string]string'],
    ['POST /microservices/x/tags', '{"tags":{"a":1}}', 'number into Go value of type string'],
    [
      'DELETE /microservices',
      '{"force":"yes"}',
      'string into Go struct field DelServicesRequest.force of type bool',
    ],
  ])('is refused with the message of Go: %s %s', (line, body, message) => {
    const told = registry.ask(line, { body });
    expect(refusalOf(told)).toBe(`400 400001 json: cannot unmarshal ${message}`);
  });

  it.each([['"5"'], ['1.5'], ['1.0'], ['1e1'], ['3000000000'], ['true']])(
    'is refused in two words by the instance API: an interval of %s',
    interval => {
      const body = `{"instance":{"hostName":"h","healthCheck":{"interval":${interval}}}}`;
      const told = registry.ask('POST /microservices/x/instances', { body });
      expect(refusalOf(told)).toBe('400 400001 Unmarshal error');
    },
  );

  it.each([
    ['1.0', 'number 1.0'],
    ['10E+1', 'number 10E+1'],
    ['-0.0', 'number -0.0'],
    ['3000000000', 'number 3000000000'],
    ['1000000000000000000000', 'number 1000000000000000000000'],
  ])('has no integer in %s, whatever it is worth', (interval, told) => {
    const instance = `{"hostName":"Küche","healthCheck":{"port":80,"interval":${interval}}}`;
    const body = `{"service":{"serviceName":"numbers"},"instances":[${instance}]}`;
    expect(refusalOf(registry.ask('POST /microservices', { body }))).toBe(
      `400 400001 json: cannot unmarshal ${told} ${into('HealthCheck.instances.healthCheck.interval', 'int32')}`,
    );
  });

  it('may hold a number that is no plain integer as deep as Go allows', () => {
    const levels = 9_999;
    const text = `${'{"a":['.repeat(levels / 2)}1.5${']}'.repeat(levels / 2)}`;
    let document = parseJson(text);
    while (typeof document === 'object' && !(document instanceof NumberLiteral))
      [document] = Object.values(document ?? {});
    expect(document).toEqual(new NumberLiteral('1.5'));
  });

  it('keeps a number under the key __proto__ where it is', () => {
    const document = parseJson('{"__proto__":1.5}');
    expect(Object.entries(document ?? {})).toEqual([['__proto__', new NumberLiteral('1.5')]]);
  });

  it('may contain any number in a field that is not read', () => {
    const body = String.raw`{"service":{"serviceName":"any","ü":1.0,"description":"ü 1.0 \" 2e3"}}`;
    const { serviceId } = registry.ask('POST /microservices', { body }).json;
    const { service } = registry.ask(`GET /microservices/${serviceId}`).json;
    expect(service.description).toBe('ü 1.0 " 2e3');
  });

  it.each([
    [
      '{"service":{"serviceName":1.0}}',
      `number ${into('MicroService.service.serviceName', 'string')}`,
    ],
    ['{"service":1e2}', `number ${into('CreateServiceRequest.service', 'discovery.MicroService')}`],
    ['1.0', 'number into Go value of type discovery.CreateServiceRequest'],
  ])('takes no number for anything else: %s', (body, told) => {
    expect(refusalOf(registry.ask('POST /microservices', { body }))).toBe(
      `400 400001 json: cannot unmarshal ${told}`,
    );
  });

  it.each([
    ['1.5', 'number into Go value of type map[string]map[string]string'],
    ['{"tags":1.5}', 'number into Go value of type map[string]string'],
    ['{"tags":{"a":1.5}}', 'number into Go value of type string'],
  ])('takes no number for tags: %s', (body, told) => {
    expect(refusalOf(registry.ask('POST /microservices/x/tags', { body }))).toBe(
      `400 400001 json: cannot unmarshal ${told}`,
    );
  });

  it('may hold null anywhere, which is like nothing', () => {
    const id = registry.service({
      serviceName: 'nulls',
      version: null,
      properties: { a: null },
      schemas: [],
      framework: null,
      providers: null,
    });
    const { service: stored } = registry.ask(`GET /microservices/${id}`).json;
    expect(stored).toMatchObject({ version: '0.0.1', properties: { a: '' } });
    expect(Object.keys(stored)).not.toContain('framework');
    for (const body of ['null', '{"tags":null}', '{"Tags":{"a":"b"}}'])
      expect(registry.ask(`POST /microservices/${id}/tags`, { body }).status).toBe(200);
    expect(registry.ask(`GET /microservices/${id}/tags`).json).toEqual({});
    const body = '{"tags":{"a":null}}';
    expect(registry.ask(`POST /microservices/${id}/tags`, { body }).json.detail).toContain(
      "value ''",
    );
  });
});

describe('a bug', () => {
  it('is not taken for a refusal', () => {
    const bug = () => {
      throw new TypeError('bug');
    };
    expect(() => catchRegistryError(bug)).toThrow(TypeError);
  });
});
