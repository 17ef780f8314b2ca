import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { errorsIn } from './schemas.js';

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe: Probe;
  readonly livenessProbe?: Probe;
  readonly lifecycle?: {
    readonly preStop: { readonly exec: { readonly command: readonly string[] } };
  };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector: Readonly<Record<string, string>> & {
      readonly matchLabels?: Readonly<Record<string, string>>;
    };
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly template?: {
      readonly metadata: {
        readonly labels: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
      };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly Container[];
      };
    };
  };
}

interface ComposeService {
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
}

/** Parses a file as engines do; an error of the parser fails the test. */
function documentsIn(file: string): readonly unknown[] {
  return parseAllDocuments(readFileSync(file, 'utf8'), { merge: true, strict: true }).map(
    document => {
      expect([file, document.errors, document.warnings]).toEqual([file, [], []]);
      return document.toJS() as unknown;
    },
  );
}

/** It has a table of all variables that the sample reads. */
const sample = readFileSync('sample-app/README.md', 'utf8');

/** The program of the sample that a container runs. */
function sourceOf(args: readonly string[] = []): string {
  return (args[0] ?? '').replace('build/sample/', 'sample-app/').replace(/\.js$/, '.ts');
}

describe('compose.yaml', () => {
  const [document] = documentsIn('deploy/compose.yaml');
  const { services } = document as { readonly services: Readonly<Record<string, ComposeService>> };

  it('is what the Compose Specification allows, and the schema finds a misspelt field', () => {
    expect(errorsIn('compose', document)).toEqual([]);
    const wrong = { services: { greeter: { image: 'greeter', comand: ['start'] } } };
    expect(errorsIn('compose', wrong)).not.toEqual([]);
  });

  it('has a real Service Center, Prometheus and Grafana around the sample', () => {
    expect(Object.keys(services)).toEqual([
      'service-center',
      'greeter',
      'caller',
      'prometheus',
      'grafana',
    ]);
  });

  it('names files, services and variables that exist', () => {
    for (const {
      build,
      command,
      volumes = [],
      depends_on: others = [],
      environment = {},
    } of Object.values(services)) {
      const mounted = volumes.map(volume => join('deploy', volume.split(':')[0] ?? ''));
      const programs = command === undefined ? [] : [sourceOf(command)];
      const files = [...mounted, ...programs, ...(build === undefined ? [] : [build.dockerfile])];
      expect(files.filter(file => !existsSync(file))).toEqual([]);
      expect(others.filter(other => services[other] === undefined)).toEqual([]);
      const names = Object.keys(environment).filter(name => !name.startsWith('GF_'));
      expect(names.filter(name => !sample.includes(`\`${name}\``))).toEqual([]);
    }
  });

  it('lets Prometheus read the ports that the services listen on', () => {
    const { scrape_configs: jobs } = parse(
      readFileSync('deploy/prometheus/prometheus.yml', 'utf8'),
    ) as {
      readonly scrape_configs: readonly {
        readonly static_configs: readonly { readonly targets: readonly string[] }[];
      }[];
    };
    const targets = jobs.flatMap(job => job.static_configs.flatMap(({ targets }) => targets));
    expect(targets).toEqual(
      ['greeter', 'caller'].map(name => `${name}:${services[name]?.environment?.['PORT']}`),
    );
  });

  it.each(['greeter', 'caller'])(
    'asks %s for its readiness, at the port that it listens on',
    name => {
      const { healthcheck, environment } = services[name] ?? {};
      expect(healthcheck?.test.join(' ')).toContain(
        `http://127.0.0.1:${environment?.['PORT']}/health/ready`,
      );
      expect(environment?.['HOST']).toBe('0.0.0.0');
    },
  );
});

describe('the Dockerfile', () => {
  const lines = readFileSync('deploy/Dockerfile', 'utf8').split('\n');

  it('runs node itself, and not as root', () => {
    expect(lines).toContain('ENTRYPOINT ["node"]');
    expect(lines).toContain('USER node');
    const [, command = '[]'] =
      lines.map(line => /^CMD (.*)$/.exec(line)).find(found => found !== null) ?? [];
    expect(existsSync(sourceOf(JSON.parse(command) as readonly string[]))).toBe(true);
  });
});

describe.each(readdirSync('deploy/kubernetes'))('kubernetes/%s', file => {
  const documents = documentsIn(join('deploy/kubernetes', file));
  const [service, workload] = documents as readonly [Manifest, Manifest];
  const { template } = workload.spec;
  const [container] = template?.spec.containers ?? [];

  it('is what the API allows, and the schema finds a misspelt field', () => {
    expect(documents.map(document => errorsIn('manifest', document))).toEqual([[], []]);
    const wrong = { ...service, spec: { ...service.spec, sessionAfinity: 'None' } };
    expect(errorsIn('manifest', wrong)).not.toEqual([]);
  });

  it('selects its own pods, at a port that they have', () => {
    const labels = template?.metadata.labels;
    expect(service.spec.selector).toEqual(labels);
    expect(workload.spec.selector.matchLabels).toEqual(labels);
    const [port] = container?.ports ?? [];
    expect(service.spec.ports).toEqual([
      { name: port?.name, port: port?.containerPort, targetPort: port?.name },
    ]);
    const probes = [container?.readinessProbe, container?.livenessProbe].filter(
      each => each !== undefined,
    );
    for (const { httpGet } of probes) expect(httpGet.port).toBe(port?.name);
  });

  if (container?.args !== undefined) {
    const variables = new Map(container.env?.map(({ name, value = '' }) => [name, value]));

    it('runs a program of the sample, with variables that it reads', () => {
      expect(existsSync(sourceOf(container.args))).toBe(true);
      expect([...variables.keys()].filter(name => !sample.includes(`\`${name}\``))).toEqual([]);
      expect(variables.get('PORT')).toBe(String(container.ports[0]?.containerPort));
      expect(template?.metadata.annotations?.['prometheus.io/port']).toBe(variables.get('PORT'));
    });

    it('is ready until it leaves the registry, and is not restarted because that is away', () => {
      expect(container.readinessProbe.httpGet.path).toBe('/health/ready');
      expect(container.livenessProbe?.httpGet.path).not.toMatch(/^\/health/);
    });

    it('has the time to leave and to drain', () => {
      const [command, seconds] = container.lifecycle?.preStop.exec.command ?? [];
      expect(command).toBe('sleep');
      const leavingMs = 3_000;
      const neededMs = Number(seconds) * 1_000 + leavingMs + Number(variables.get('DRAIN_MS'));
      expect((template?.spec.terminationGracePeriodSeconds ?? 0) * 1_000).toBeGreaterThan(neededMs);
    });
  }
});
