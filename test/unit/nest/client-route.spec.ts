import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import {
  All,
  Body,
  createParamDecorator,
  Delete,
  Get,
  Head,
  Header,
  Headers,
  HttpCode,
  Options,
  Param,
  ParseIntPipe,
  Patch,
  Post,
  Put,
  Query,
  Redirect,
  Render,
  Req,
  Res,
  Search,
  Sse,
  type Type,
  UploadedFile,
  UseGuards,
  Version,
} from '@nestjs/common';
import {
  type ClientRoute,
  methodsOf,
  readRoute,
  requestOf,
} from '../../../lib/nest/client-route.js';
import { remote } from '../../../lib/nest/service-client.js';

const Tenant = createParamDecorator(() => 'acme');

class Wrong {
  undecorated(): Promise<void> {
    return remote();
  }
  @All('all') all(): Promise<void> {
    return remote();
  }
  @Search('search') search(): Promise<void> {
    return remote();
  }
  @Get(['a', 'b']) twoPaths(): Promise<void> {
    return remote();
  }
  @Get('a{/b}') optional(): Promise<void> {
    return remote();
  }
  @Get('a/*rest') wildcard(): Promise<void> {
    return remote();
  }
  @Get('a/../b') dots(): Promise<void> {
    return remote();
  }
  @Get('a?b=1') withQuery(): Promise<void> {
    return remote();
  }
  @Get('hello/:name') noParam(): Promise<void> {
    return remote();
  }
  @Get('hello') noPlace(@Param('name') name: string): Promise<void> {
    return remote(name);
  }
  @Get('hello/:name') otherName(@Param('nmae') name: string): Promise<void> {
    return remote(name);
  }
  @Get('a') bare(@Query('a') a: string, b: string): Promise<void> {
    return remote(a, b);
  }
  @Get('a') gap(a: string, @Query('b') b: string): Promise<void> {
    return remote(a, b);
  }
  @Get('a') request(@Req() request: object): Promise<void> {
    return remote(request);
  }
  @Get('a') response(@Res() response: object): Promise<void> {
    return remote(response);
  }
  @Post('a') file(@UploadedFile() file: object): Promise<void> {
    return remote(file);
  }
  @Get('a') custom(@Tenant() tenant: string): Promise<void> {
    return remote(tenant);
  }
  @Get('a/:id') pipe(@Param('id', ParseIntPipe) id: number): Promise<void> {
    return remote(id);
  }
  @Post('a') twoBodies(@Body() a: object, @Body() b: object): Promise<void> {
    return remote(a, b);
  }
  @Post('a') bodyAndField(@Body() a: object, @Body('b') b: object): Promise<void> {
    return remote(a, b);
  }
  @Get('a') bodyOfGet(@Body() a: object): Promise<void> {
    return remote(a);
  }
  @Head('a') bodyOfHead(@Body() a: object): Promise<void> {
    return remote(a);
  }
  @Get('a') twice(@Query('a') a: string, @Query('a') b: string): Promise<void> {
    return remote(a, b);
  }
  @Get('a') sameHeader(@Headers('X-A') a: string, @Headers('x-a') b: string): Promise<void> {
    return remote(a, b);
  }
  @Get('a') both(@Query('a') @Headers('b') a: string): Promise<void> {
    return remote(a);
  }
  @Post('a') @HttpCode(204) code(): Promise<void> {
    return remote();
  }
  @Get('a') @Header('a', 'b') header(): Promise<void> {
    return remote();
  }
  @Get('a') @Redirect('b') redirect(): Promise<void> {
    return remote();
  }
  @Get('a') @Render('b') render(): Promise<void> {
    return remote();
  }
  @Sse('a') sse(): Promise<void> {
    return remote();
  }
  @Get('a') @Version('1') version(): Promise<void> {
    return remote();
  }
  @Get('a') @UseGuards() guard(): Promise<void> {
    return remote();
  }
}

const mistakes: readonly (readonly [keyof Wrong, string])[] = [
  ['undecorated', 'has no @Get(), @Post(), @Put() or the like'],
  ['all', 'must have one path and one of the methods GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS'],
  ['search', 'must have one path and one of the methods'],
  ['twoPaths', 'must have one path and one of the methods'],
  ['optional', 'must have a path of plain text and names like :id, but it is "/a{/b}"'],
  ['wildcard', 'must have a path of plain text and names like :id, but it is "/a/*rest"'],
  ['dots', 'must have a path of plain text and names like :id, but it is "/a/../b"'],
  ['withQuery', 'must have a path of plain text and names like :id, but it is "/a?b=1"'],
  ['noParam', `has :name in its path, but no @Param('name')`],
  ['noPlace', `has @Param('name'), but its path "/hello" has no :name`],
  ['otherName', `has @Param('nmae'), but its path "/hello/:name" has no :nmae`],
  ['bare', 'must have one decorator for parameter 2'],
  ['gap', 'must have one decorator for parameter 1'],
  ['request', 'must have @Param(), @Query(), @Headers() or @Body() for parameter 1'],
  ['response', 'must have @Param(), @Query(), @Headers() or @Body() for parameter 1'],
  ['file', 'must have @Param(), @Query(), @Headers() or @Body() for parameter 1'],
  ['custom', 'must have @Param(), @Query(), @Headers() or @Body() for parameter 1'],
  ['pipe', 'has a pipe or a schema at parameter 1, which only a server can honor'],
  ['twoBodies', 'has a @Body() of all beside another one'],
  ['bodyAndField', 'has a @Body() of all beside another one'],
  ['bodyOfGet', 'has a @Body(), but a GET has none'],
  ['bodyOfHead', 'has a @Body(), but a HEAD has none'],
  ['twice', 'has two parameters for the query "a"'],
  ['sameHeader', 'has two parameters for the header "x-a"'],
  ['both', 'must have one decorator for parameter 1'],
  ['code', 'has @HttpCode(), which only a server can honor'],
  ['header', 'has @Header(), which only a server can honor'],
  ['redirect', 'has @Redirect(), which only a server can honor'],
  ['render', 'has @Render(), which only a server can honor'],
  ['sse', 'has @Sse(), which only a server can honor'],
  ['version', 'has @Version(), which only a server can honor'],
  ['guard', 'has @UseGuards(), which only a server can honor'],
];

function mistakesOf(client: Type<object>, name: string): readonly string[] {
  const found: string[] = [];
  readRoute(client, name, '', mistake => found.push(mistake));
  return found;
}

describe('readRoute', () => {
  it.each(mistakes)('refuses a method that is wrong: %s', (name, mistake) => {
    const found = mistakesOf(Wrong, name);
    expect(found.join('\n')).toContain(mistake);
  });

  it('is tried with every mistake', () => {
    expect(methodsOf(Wrong)).toEqual(mistakes.map(([name]) => name));
  });

  it('finds every mistake of a method', () => {
    class Client {
      @Post('a/:x') @HttpCode(204) send(@Body() a: object, @Body() b: object): Promise<void> {
        return remote(a, b);
      }
    }
    expect(mistakesOf(Client, 'send')).toHaveLength(3);
  });

  it.each(['get', 'post', 'put', 'patch', 'delete', 'head', 'options'] as const)(
    'reads the method: %s',
    name => {
      class Client {
        @Get() get(): Promise<void> {
          return remote();
        }
        @Post() post(): Promise<void> {
          return remote();
        }
        @Put() put(): Promise<void> {
          return remote();
        }
        @Patch() patch(): Promise<void> {
          return remote();
        }
        @Delete() delete(): Promise<void> {
          return remote();
        }
        @Head() head(): Promise<void> {
          return remote();
        }
        @Options() options(): Promise<void> {
          return remote();
        }
      }
      expect(mistakesOf(Client, name)).toEqual([]);
      expect(routeOf(Client, name).verb).toBe(name.toUpperCase());
    },
  );

  it.each([
    ['', '/', '/'],
    ['', 'a', '/a'],
    ['v1', '', '/v1'],
    ['/v1/', '/a/b/', '/v1/a/b'],
    ['v1', 'a.b-c~d;e=f,g@h', '/v1/a.b-c~d;e=f,g@h'],
  ])('joins the prefix "%s" and the path "%s"', (prefix, path, joined) => {
    class Client {
      @Get(path) get(): Promise<void> {
        return remote();
      }
    }
    expect(routeOf(Client, 'get', prefix).path).toBe(joined);
  });
});

function routeOf(client: Type<object>, name: string, prefix = ''): ClientRoute {
  const route = readRoute(client, name, prefix, mistake => {
    throw new Error(mistake);
  });
  if (route === undefined) throw new Error('no route');
  return route;
}

class Sending {
  @Get('items/:id/:part') item(@Param() params: object, @Param('id') id: unknown): Promise<void> {
    return remote(params, id);
  }
  @Get('items/x:id.json') file(@Param('id') id: unknown): Promise<void> {
    return remote(id);
  }
  @Get('items') list(@Query() all: unknown, @Query('page') page: unknown): Promise<void> {
    return remote(all, page);
  }
  @Get('items') asked(@Headers() all: unknown, @Headers('X-A') a: unknown): Promise<void> {
    return remote(all, a);
  }
  @Post('items') add(@Body() item: unknown): Promise<void> {
    return remote(item);
  }
  @Post('items') addTyped(
    @Body() item: unknown,
    @Headers('Content-Type') type: string,
  ): Promise<void> {
    return remote(item, type);
  }
  @Post('items') fields(@Body('a') a: unknown, @Body('b') b: unknown): Promise<void> {
    return remote(a, b);
  }
}

function request(name: keyof Sending, ...args: readonly unknown[]) {
  return requestOf(routeOf(Sending, name), args);
}

describe('requestOf', () => {
  it.each([
    ['ü/?#%', '%C3%BC%2F%3F%23%25'],
    [7, '7'],
    [0, '0'],
    [false, 'false'],
    [10n, '10'],
    ['..', '..'],
    [new Date(0), '1970-01-01T00%3A00%3A00.000Z'],
  ])('writes an argument into the path: %p', (id, text) => {
    expect(request('file', id).url).toBe(`/items/x${text}.json`);
  });

  it('lets a name that stands alone win over the object', () => {
    expect(request('item', { id: 1, part: 'a' }, 2).url).toBe('/items/2/a');
    expect(request('list', { page: 1, size: 5 }, 2).params).toEqual({ page: 2, size: 5 });
    expect(request('asked', { 'X-A': 'x' }, 'y').headers).toEqual({ 'X-A': 'y' });
  });

  it.each([undefined, null, '', {}, [], Symbol('a'), () => 'a'])(
    'refuses what is no text for the path: %p',
    id => {
      expect(() => request('item', { part: 'a' }, id)).toThrow(/^Sending\.item\(\): :id must/);
    },
  );

  it.each(['.', '..'])('refuses a segment that a URL would drop: %s', id => {
    expect(() => request('item', { part: 'a' }, id)).toThrow(/a URL has no segment of dots/);
  });

  it.each(['text', 7, ['a'], new Map([['a', 1]]), new URLSearchParams('a=1')])(
    'refuses what is no object of names and values: %p',
    all => {
      const message = /the query object must be an object of names and values/;
      expect(() => request('list', all, 1)).toThrow(message);
    },
  );

  it('leaves out what is not given', () => {
    expect(request('list', undefined, 1).params).toEqual({ page: 1 });
    expect(request('asked', undefined, undefined).headers).toEqual({});
    expect(request('asked', null, null).headers).toEqual({});
    expect(request('add', undefined)).not.toHaveProperty('data');
  });

  it.each(['a\r\nb: c', 'a\u0000', '\u0100', '\u007F'])(
    'refuses a header that cannot be sent: %p',
    text => {
      expect(() => request('asked', {}, text)).toThrow(/the header X-A has a character that/);
    },
  );

  it('writes a header as text', () => {
    expect(request('asked', { b: false, n: 0 }, '\u00FC').headers).toEqual({
      b: 'false',
      n: '0',
      'X-A': '\u00FC',
    });
  });

  it.each([
    ['text', '"text"'],
    ['', '""'],
    [7, '7'],
    [false, 'false'],
    [null, 'null'],
  ])('writes a body as JSON: %p', (body, data) => {
    expect(request('add', body)).toMatchObject({
      data,
      headers: { 'content-type': 'application/json' },
    });
  });

  it.each([{ a: 1 }, ['a'], Buffer.from('a'), new URLSearchParams('a=1'), new FormData()])(
    'leaves objects to axios: %p',
    body => {
      expect(request('add', body).data).toBe(body);
      expect(request('add', body).headers).toEqual({});
    },
  );

  it('sends a text as it is when the type is given', () => {
    expect(request('addTyped', 'a,b', 'text/csv')).toMatchObject({
      data: 'a,b',
      headers: { 'Content-Type': 'text/csv' },
    });
    expect(request('addTyped', 7, 'text/plain')).toMatchObject({
      data: '7',
      headers: { 'Content-Type': 'text/plain' },
    });
  });

  it('puts named parts of the body together', () => {
    expect(request('fields', 1, [2]).data).toEqual({ a: 1, b: [2] });
  });

  it('refuses another number of arguments than there are parameters', () => {
    const message = 'Sending.list() has 2 parameters, but passes 1 to remote()';
    expect(() => request('list', {})).toThrow(message);
    expect(() => request('add', 1, 2)).toThrow('has 1 parameters, but passes 2 to remote()');
  });
});
