// src/greeting.service.ts
import { BadGatewayException, Inject, Injectable } from '@nestjs/common';
import { Discovery } from '../../lib/index.js';

@Injectable()
export class GreetingService {
  constructor(@Inject(Discovery) private readonly discovery: Discovery) {}

  async hello(name: string): Promise<string> {
    const path = `/hello/${encodeURIComponent(name)}`;
    const answer = await this.discovery.call(
      'greeter',
      ({ url, endpoint }, { signal }) => fetch(url + endpoint.prefix + path, { signal }),
      { idempotent: true },
    );
    if (!answer.ok) throw new BadGatewayException(`greeter answered ${answer.status}`);
    return answer.text();
  }
}
