import { connect } from 'node:net';
import { once } from 'node:events';

const endOfHead = Buffer.from('\r\n\r\n');

/**
 * A keep-alive connection on which one request at a time is under way. It reads no more of an answer
 * than it needs to find the end, so that the load costs little beside the server.
 */
export class Connection {
  #socket;
  #received = Buffer.alloc(0);
  #onAnswer;
  #isClosed = false;

  static async open(port) {
    const connection = new Connection();
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    socket.on('data', chunk => connection.#read(chunk));
    socket.on('close', () => {
      if (!connection.#isClosed) throw new Error('the server closed a connection');
    });
    connection.#socket = socket;
    return connection;
  }

  /** Sends a request as it stands, and calls back with the answer's head and body. */
  send(request, onAnswer) {
    this.#onAnswer = onAnswer;
    this.#socket.write(request);
  }

  /** Sends a request with a JSON body, and resolves with the JSON of the answer. */
  ask(method, path, body) {
    const request = requestOf(method, path, JSON.stringify(body));
    return new Promise((resolve, reject) => {
      this.send(request, (head, answer) => {
        if (head.startsWith('HTTP/1.1 200'))
          resolve(answer === '' ? undefined : JSON.parse(answer));
        else reject(new Error(`${method} ${path} was answered ${head}\n${answer}`));
      });
    });
  }

  close() {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #read(chunk) {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headBytes = this.#received.indexOf(endOfHead);
    if (headBytes === -1) return;
    const head = this.#received.latin1Slice(0, headBytes);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const start = headBytes + endOfHead.length;
    if (this.#received.length < start + length) return;
    const body = this.#received.utf8Slice(start, start + length);
    this.#received = Buffer.alloc(0);
    this.#onAnswer(head, body);
  }
}

/** A request as a client of the registry sends it. */
export function requestOf(method, path, body = '') {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'User-Agent: embedded-service-center/bench',
    'Accept: application/json',
    'X-Domain-Name: default',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
