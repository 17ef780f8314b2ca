/**
 * What the server dies of in one request, and recovers from: the client gets 200 with nothing at all
 * (pkg/rest/handler.go).
 */
export class HandlerPanic extends Error {
  constructor() {
    super('invalid memory address or nil pointer dereference');
    this.name = 'HandlerPanic';
  }
}
