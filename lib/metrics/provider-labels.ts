import type { ProviderName, ProviderSnapshot } from '../index.js';

/** The label that all providers share which are beyond the cap. No service can have this name. */
const otherProviders = '_other';

/** Gives providers their labels: no more than so many, since each is a series for Prometheus to keep. */
export class ProviderLabels {
  readonly #given = new Set<string>();

  /** @param own application and environment of this service, which its labels leave out */
  constructor(
    private readonly own: Pick<ProviderName, 'appId' | 'environment'>,
    private readonly most: number,
  ) {}

  /**
   * Returns the label of a provider: its name, with application and environment before it where they are others. A
   * provider keeps its label for as long as the process lives; one that is not known yet gets none of its own.
   */
  labelOf({ provider, state }: Pick<ProviderSnapshot, 'provider' | 'state'>): string {
    const label = this.#fullLabelOf(provider);
    if (this.#given.has(label)) return label;
    const isKnown = state === 'known' || state === 'fixed';
    if (!isKnown || this.#given.size >= this.most) return otherProviders;
    this.#given.add(label);
    return label;
  }

  #fullLabelOf({ environment, appId, serviceName }: ProviderName): string {
    const { own } = this;
    if (environment !== own.environment) return `${environment}/${appId}/${serviceName}`;
    return appId === own.appId ? serviceName : `${appId}/${serviceName}`;
  }
}
