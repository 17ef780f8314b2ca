import type { Outcome } from '../../lib/registration/outcome.js';
import {
  type InnerState,
  nextRequest,
  publicState,
  type RegistrationState,
} from '../../lib/registration/state.js';
import { transition } from '../../lib/registration/transition.js';
import { outcomes } from '../unit/registration/outcomes.js';
import {
  contextOf,
  errors,
  lease,
  registeredOf,
  registeringOf,
} from '../unit/registration/parts.js';

/** Outcomes in words. Two that share their words are one reason in the diagram. */
const words: Readonly<Record<keyof typeof outcomes, string>> = {
  elapsed: 'time passes',
  stalled: 'the process stood still',
  'probe-answered': 'the registry answers a probe',
  'service-found': 'the service is known',
  posted: 'the instance is posted',
  granted: 'the registration succeeds',
  stale: 'another record under its id is replaced',
  'stale-removed': 'the other record is removed',
  'taken-over': 'another process holds the id',
  'holder-gone': "the other process's record is gone",
  intact: 'the record is as it should be',
  written: 'the record was written again',
  'not-read-back': 'the read-back fails',
  contradicted: 'a second answer contradicts the record',
  renewed: 'a heartbeat succeeds',
  failed: 'a request fails',
  refused: 'the registry refuses',
  'instance-gone': 'the registry has lost the instance',
  'service-gone': 'the registry has lost the instance',
};

/** A lease of a minute that began at 0: when it is good, at risk, and over. */
const [good, atRisk, over] = [1_000, 45_000, 61_000];
const { network: error, refused } = errors;
const readHolder = { kind: 'read-holder', serviceId: 's' } as const;

/** A state of each kind that transitions tell apart, and when it is looked at. */
const cases: readonly { readonly state: InnerState; readonly now: number }[] = [
  ...(['idle', 'disabled', 'leaving', 'left'] as const).map(kind => ({ state: { kind } })),
  ...(['new', 'lost'] as const).flatMap(reason => [
    { state: registeringOf({ reason }) },
    { state: registeringOf({ reason, failures: 1, error }) },
    { state: registeringOf({ reason, isBlocked: true, failures: 1, error: refused }) },
  ]),
  { state: registeringOf({ reason: 'lost', isBlocked: true, step: readHolder }) },
  { state: registeredOf() },
  { state: registeredOf({ wasContradicted: true }) },
  { state: registeredOf({ failures: 1, error }) },
  { state: registeredOf({ failures: 3, error }), now: atRisk },
].map(({ state, now = good }: { state: InnerState; now?: number }) => ({ state, now }));

interface Edge {
  readonly from: RegistrationState;
  readonly to: RegistrationState;
  readonly reason: string;
}

/** Returns where each outcome leads from a state, and where time alone does. */
function edgesFrom({ state, now }: (typeof cases)[number]): readonly Edge[] {
  const from = publicState(state, now);
  const later = now === atRisk ? over : atRisk;
  const decided = Object.entries(outcomesAt(now)).map(([kind, outcome]) => ({
    to: after(state, outcome, now),
    reason: wordsOf(kind),
  }));
  const aged = { to: after(state, outcomes.elapsed, later), reason: leaseWords(later) };
  const login = { to: publicState(state, now, error), reason: 'the token cannot be renewed' };
  return [...decided, aged, login].map(({ to, reason }) => ({ from, to, reason }));
}

function outcomesAt(now: number): Readonly<Record<keyof typeof outcomes, Outcome>> {
  return {
    ...outcomes,
    renewed: { ...outcomes.renewed, sentAt: now - 100 },
    intact: { ...outcomes.intact, lengthMs: lease.lengthMs },
  };
}

function after(state: InnerState, outcome: Outcome, now: number): RegistrationState {
  const isAsked = nextRequest(state)?.kind === readHolder.kind;
  if (outcome.kind === 'holder-gone' && !isAsked) return publicState(state, now);
  return publicState(transition(state, outcome, contextOf({ now })).state, now);
}

function wordsOf(kind: string): string {
  return new Map(Object.entries(words)).get(kind) ?? kind;
}

function leaseWords(now: number): string {
  return now === over ? 'the lease is over' : 'two thirds of the lease are over';
}

/** What `RegistrationCore` does without a transition: it begins, and it leaves. */
const others: readonly Edge[] = [
  { from: 'idle', to: 'registering', reason: 'the server listens, or register() is called' },
  { from: 'leaving', to: 'left', reason: 'the instance is removed, or the time for it is over' },
];

/** Returns all ways from one state to another, with the reasons of each. */
function edges(): ReadonlyMap<string, Edge & { readonly reasons: ReadonlySet<string> }> {
  const found = new Map<string, Edge & { readonly reasons: Set<string> }>();
  for (const edge of [...others, ...cases.flatMap(edgesFrom)]) {
    if (edge.from === edge.to) continue;
    const key = `${edge.from} ${edge.to}`;
    const known = found.get(key) ?? { ...edge, reasons: new Set() };
    known.reasons.add(edge.reason);
    found.set(key, known);
  }
  return found;
}

const begin = '<!-- states: npm run docs:states -->\n';
const end = '<!-- /states -->\n';

/** Returns a page with the diagram and the table between the markers made anew. */
export function withStates(page: string): string {
  const [before, rest = ''] = page.split(begin);
  const [, after] = rest.split(end);
  if (after === undefined) throw new Error(`The page has no ${begin}${end}`);
  return `${before}${begin}\n${diagram()}\n${table()}\n${end}${after}`;
}

function diagram(): string {
  const arrows = [...edges().values()].map(
    ({ from, to, reasons }) => `    ${idOf(from)} --> ${idOf(to)} : ${[...reasons].join(', ')}\n`,
  );
  return [
    '```mermaid\nstateDiagram-v2\n    state "at-risk" as at_risk\n    [*] --> idle\n',
    ...arrows,
    '    left --> [*]\n```\n',
  ].join('');
}

/** Mermaid does not allow a hyphen in the id of a state. */
function idOf(state: RegistrationState): string {
  return state.replace('-', '_');
}

function table(): string {
  const rows = [...edges().values()].map(
    ({ from, to, reasons }) => `| \`${from}\` | \`${to}\` | ${[...reasons].join(', or ')} |\n`,
  );
  return ['| from | to | when |\n| --- | --- | --- |\n', ...rows].join('');
}
