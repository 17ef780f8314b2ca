// src/operator.guard.ts
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';

@Injectable()
export class OperatorGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const token = process.env['OPERATOR_TOKEN'];
    if (token === undefined || token === '') return false;
    const { headers } = context.switchToHttp().getRequest<IncomingMessage>();
    return timingSafeEqual(digest(`Bearer ${token}`), digest(headers.authorization ?? ''));
  }
}

/** Both sides of the comparison must be of one length. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
