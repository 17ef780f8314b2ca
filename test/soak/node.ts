import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cleanup } from '../support/test-app.js';

/** How a node contradicts another that is well. */
export const contradictions = [
  'refuses-parameters',
  'wants-token',
  'knows-no-path',
  'knows-no-instance',
  'knows-no-service',
  'own-store',
] as const;

/** What a gateway before a node does. */
export const gatewayMoods = [
  'page-200',
  'page-401',
  'page-403',
  'page-404',
  'page-502',
  'odd-header',
  'empty-204',
] as const;

/** How a node behaves. */
export type Mood = 'well' | (typeof contradictions)[number] | (typeof gatewayMoods)[number];

/** What a node asks in place of its registry, and where it tells of what arrives. */
export interface NodeParts {
  readonly registry: string;
  /** A registry that shares nothing with the other. */
  readonly stranger: string;
  readonly keys: Keys;
  readonly onRequest: (line: string, isHeartbeat: boolean) => void;
}

interface Told {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | Buffer;
}

/** The tokens that are refused, at all nodes of a client, since the keys have rotated. */
export class Keys {
  readonly #known = new Set<string>();
  readonly #refused = new Set<string>();
  #rotations = 0;

  /** Refuses all tokens so far, and so many that are issued next. */
  rotate(more: number): void {
    for (const token of this.#known) this.#refused.add(token);
    this.#rotations = more;
  }

  issue(token: string): void {
    this.#known.add(token);
    if (this.#rotations === 0 || this.#refused.has(token)) return;
    this.#rotations -= 1;
    this.#refused.add(token);
  }

  refuses({ authorization = '' }: IncomingHttpHeaders): boolean {
    return this.#refused.has(authorization.replace('Bearer ', ''));
  }
}

const agent = new Agent({ keepAlive: true });
const isLogin = ({ url = '' }: IncomingMessage) => url.startsWith('/v4/token');

/** An address of the registry, for one client, that may behave otherwise than the others. */
export class Node {
  mood: Mood = 'well';
  readonly #server = createServer((incoming, response) => void this.#serve(incoming, response));
  #port = 0;

  private constructor(private readonly parts: NodeParts) {}

  static async start(cleanup: Cleanup, parts: NodeParts): Promise<Node> {
    const node = new Node(parts);
    node.#server.listen(0, '127.0.0.1');
    await once(node.#server, 'listening');
    const address = node.#server.address() as AddressInfo;
    node.#port = address.port;
    cleanup.add(async () => {
      node.#server.close();
      node.#server.closeAllConnections();
    });
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = incoming;
    const { mood } = this;
    const told = this.#answer(mood, incoming);
    // The client may have gone, or stands still.
    response.on('error', () => undefined);
    const note = (status: number | string) =>
      this.parts.onRequest(
        `${method} ${url} → ${status} (${mood})`,
        method === 'PUT' && url.endsWith('/heartbeat'),
      );
    if (told === undefined) note('passed on');
    else note(told.status);
    try {
      const { status, headers, body } = told ?? (await this.#passOn(mood, incoming));
      response.writeHead(status, headers).end(body);
    } catch {
      // It gave up before the registry had answered.
      response.destroy();
    }
  }

  /** What the node answers by itself. */
  #answer(mood: Mood, incoming: IncomingMessage): Told | undefined {
    if (mood.startsWith('page-')) return page(Number(mood.slice(5)));
    if (isLogin(incoming)) return undefined;
    if (this.parts.keys.refuses(incoming.headers))
      return refusal(401, 401_201, 'crypto/rsa: verification error');
    if (mood === 'refuses-parameters') return refusal(400, 400_001, 'Invalid parameter(s)');
    if (mood === 'wants-token') return refusal(401, 401_204, 'No authorization header');
    if (mood === 'knows-no-path') return { status: 404, headers: {}, body: '404 page not found\n' };
    if (mood === 'knows-no-instance' && /\/instances\/[^/]+/.test(incoming.url ?? ''))
      return refusal(400, 400_017, 'Instance does not exist');
    if (mood === 'knows-no-service' && incoming.url?.includes('/instances') === true)
      return refusal(400, 400_012, 'Micro-service does not exist');
    return undefined;
  }

  async #passOn(mood: Mood, incoming: IncomingMessage): Promise<Told> {
    const { registry, stranger, keys } = this.parts;
    const isStrange = mood === 'own-store' && !isLogin(incoming);
    const told = await ask(isStrange ? stranger : registry, incoming);
    if (isLogin(incoming) && told.status === 200) keys.issue(tokenIn(told.body));
    if (mood === 'odd-header') return { ...told, headers: { ...told.headers, constructor: 'x' } };
    const isEmptied = mood === 'empty-204' && told.status === 200 && told.body.length === 0;
    return isEmptied ? { status: 204, headers: {}, body: '' } : told;
  }
}

function page(status: number): Told {
  const body = `<html><body><h1>${status}</h1><p>gateway</p></body></html>`;
  return { status, headers: { 'Content-Type': 'text/html' }, body };
}

function refusal(status: number, errorCode: number, errorMessage: string): Told {
  const body = JSON.stringify({ errorCode: String(errorCode), errorMessage });
  return { status, headers: { 'Content-Type': 'application/json; charset=UTF-8' }, body };
}

async function ask(
  target: string,
  incoming: IncomingMessage,
): Promise<Told & { readonly body: Buffer }> {
  const { method, url, headers } = incoming;
  const outgoing = request(target + url, { method, headers, agent });
  const answered = once(outgoing, 'response');
  incoming.pipe(outgoing);
  const [answer] = (await answered) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(Buffer.from(chunk));
  const { connection: _, ...rest } = answer.headers;
  delete rest['keep-alive'];
  delete rest['transfer-encoding'];
  return { status: answer.statusCode ?? 0, headers: rest, body: Buffer.concat(chunks) };
}

function tokenIn(body: string | Buffer): string {
  const { token }: { token?: unknown } = JSON.parse(String(body));
  return String(token);
}
