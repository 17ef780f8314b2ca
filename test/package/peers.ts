/** Returns the peers of the library, in the versions that belong to a major version of Nest. */
export function peersOf(nest: 11 | 12): readonly string[] {
  const versions =
    nest === 11 ? { schedule: 6, emitter: 3, axios: 4 } : { schedule: 12, emitter: 12, axios: 12 };
  return [
    `@nestjs/common@${nest}`,
    `@nestjs/core@${nest}`,
    `@nestjs/platform-express@${nest}`,
    `@nestjs/terminus@${nest}`,
    `@nestjs/schedule@${versions.schedule}`,
    `@nestjs/event-emitter@${versions.emitter}`,
    `@nestjs/axios@${versions.axios}`,
    'axios@1',
    'reflect-metadata@0.2',
    'rxjs@7',
  ];
}
