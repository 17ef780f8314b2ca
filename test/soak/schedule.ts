import { SeededRandom } from '../support/seeded-random.js';

/** Faults that strike certain requests only. */
const aimedKinds = [
  'hang',
  'hang-after',
  'delay',
  'reset',
  'reset-after',
  'answer-500',
  'answer-500-after',
  'answer-503',
  'answer-429',
  'html',
  'garbage',
] as const;

/** What goes wrong: at the registry, on the way to one of its addresses, or in the process itself. */
export const faultKinds = [
  'refuse',
  ...aimedKinds,
  'forget',
  'forget-service',
  'store-outage',
  'blocked-loop',
  'one-suspended',
  'one-silent',
  'one-refused',
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** What an application does meanwhile. */
const callKinds = [
  'nothing',
  'status',
  'properties',
  'both',
  'rejoin',
  'write-and-rejoin',
] as const;

export type CallKind = (typeof callKinds)[number];

/** How the registry lags, for several rounds. */
const climates = ['calm', 'lagging', 'spurious', 'dying'] as const;

export type Climate = (typeof climates)[number];

/** Which requests a fault strikes, where it can be told. */
const targets = ['all', 'all', 'heartbeat', 'registerInstance', 'getInstance'] as const;

export type Target = (typeof targets)[number];

/** One fault, and what is done while it lasts. */
export interface Round {
  readonly climate: Climate;
  readonly fault: FaultKind;
  readonly target: Target;
  /** From its beginning to its end. */
  readonly lastsMs: number;
  readonly call: CallKind;
  /** Which application calls, counted from 0. */
  readonly caller: number;
  /** From the beginning of the fault to the call. */
  readonly callAfterMs: number;
  /** From when all are back to the next round. */
  readonly pauseMs: number;
}

/** Of so many rounds, how many have the same climate. */
const climateRounds = 4;

/**
 * The rounds of a run, without end: they follow from the seed and from nothing else. Each kind of fault
 * comes once before any comes twice.
 */
export function* rounds(seed: number, callers: number): Generator<Round, never> {
  const random = new SeededRandom(seed);
  const between = (low: number, high: number) => Math.round(low + (high - low) * random.next());
  const faults = deckOf(faultKinds, random);
  const calls = deckOf(callKinds, random);
  const weather = deckOf(climates, random);
  for (let climate = weather(), round = 1; ; round += 1) {
    const fault = faults();
    yield {
      climate,
      fault,
      target: targets[between(0, targets.length - 1)] ?? 'all',
      lastsMs: between(200, fault === 'blocked-loop' ? 5_500 : 6_000 * random.next()),
      call: calls(),
      caller: between(0, callers - 1),
      callAfterMs: between(0, 1_500),
      pauseMs: between(0, 800),
    };
    if (round % climateRounds === 0) climate = weather();
  }
}

/** Deals all cards, shuffled, before it shuffles them again. */
export function deckOf<Card>(cards: readonly Card[], random: SeededRandom): () => Card {
  let deck: Card[] = [];
  return () => {
    if (deck.length === 0)
      deck = cards
        .map(card => ({ card, place: random.next() }))
        .toSorted((left, right) => left.place - right.place)
        .map(({ card }) => card);
    const card = deck.pop();
    if (card === undefined) throw new RangeError('there are no cards');
    return card;
  };
}

const aimed: ReadonlySet<FaultKind> = new Set(aimedKinds);

/** A round in a line. */
export function describeRound({ climate, fault, target, lastsMs, call, caller }: Round): string {
  const scope = aimed.has(fault) && target !== 'all' ? ` of ${target}` : '';
  return `${fault}${scope} for ${lastsMs} ms, ${climate}, orders-${caller}: ${call}`;
}
