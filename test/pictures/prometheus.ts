import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { eventually } from '../sample/sample-process.js';
import { freePort } from '../support/command-run.js';
import type { Series, TimeRange } from './panel.js';

/** What is scraped, by the labels that it gets. */
export interface ScrapeTarget {
  readonly job: string;
  readonly instance: string;
  readonly url: string;
}

interface Matrix {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
}

/** A Prometheus that scrapes each second, and is asked over its API. */
export class Prometheus {
  private constructor(
    private readonly url: string,
    readonly stop: () => Promise<void>,
  ) {}

  /** Starts the one on the PATH. @throws Error when there is none, or it does not become ready */
  static async start(targets: readonly ScrapeTarget[]): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
    await writeFile(join(folder, 'prometheus.yml'), stringify(configuration(targets)));
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      'prometheus',
      [
        '--config.file=prometheus.yml',
        '--storage.tsdb.path=data',
        `--web.listen-address=${address}`,
        '--log.level=error',
      ],
      { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] },
    );
    await once(child, 'spawn');
    const ended = once(child, 'exit');
    const prometheus = new Prometheus(`http://${address}`, async () => {
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true });
    });
    await eventually('Prometheus', () => prometheus.#isReady());
    return prometheus;
  }

  /** Evaluates an expression over a time. Each legend has the labels of its series. */
  async query(
    expr: string,
    legendFormat: string,
    { start, end, step }: TimeRange,
  ): Promise<readonly Series[]> {
    const query = new URLSearchParams({
      query: expr,
      start: `${start}`,
      end: `${end}`,
      step: `${step}`,
    });
    const answer = await fetch(`${this.url}/api/v1/query_range`, { method: 'POST', body: query });
    if (!answer.ok) throw new Error(`Prometheus refuses ${expr}: ${await answer.text()}`);
    const { data } = (await answer.json()) as Matrix;
    return data.result.map(({ metric, values }) => ({
      legend: legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? ''),
      points: values
        .map(([time, value]) => [time, Number(value)] as const)
        .filter(([, value]) => Number.isFinite(value)),
    }));
  }

  async #isReady(): Promise<true | undefined> {
    const answer = await fetch(`${this.url}/-/ready`).catch(() => undefined);
    return answer?.ok === true ? true : undefined;
  }
}

function configuration(targets: readonly ScrapeTarget[]): object {
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: targets.map(({ job, instance, url }) => ({
      job_name: instance,
      static_configs: [{ targets: [new URL(url).host], labels: { job, instance } }],
    })),
  };
}
