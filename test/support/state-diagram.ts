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

/** The languages that the states are drawn in. */
type Language = 'english' | 'chinese';

/** The pages with the states, and their languages. */
export const statePages: ReadonlyMap<string, Language> = new Map([
  ['docs/lifecycle.md', 'english'],
  ['docs/zh-CN/lifecycle.md', 'chinese'],
]);

/** Why a state leads to another: an outcome, or what happens without one. */
type Reason = keyof typeof outcomes | 'begun' | 'at-risk' | 'over' | 'no-token' | 'gone';

type Words = Readonly<Record<Language, string>>;

const forgotten: Words = {
  english: 'the registry has lost the instance',
  chinese: '注册中心丢失了该实例',
};

/** Reasons in words. Two that share their words are one in the diagram. */
const words: Readonly<Record<Reason, Words>> = {
  elapsed: { english: 'time passes', chinese: '时间推移' },
  stalled: { english: 'the process stood still', chinese: '进程停顿' },
  'probe-answered': { english: 'the registry answers a probe', chinese: '注册中心应答了探测' },
  'service-found': { english: 'the service is known', chinese: '服务已确认' },
  posted: { english: 'the instance is posted', chinese: '实例已提交' },
  granted: { english: 'the registration succeeds', chinese: '注册成功' },
  stale: {
    english: 'another record under its id is replaced',
    chinese: '替换同一 ID 下的另一条记录',
  },
  'stale-removed': { english: 'the other record is removed', chinese: '另一条记录已删除' },
  'taken-over': { english: 'another process holds the id', chinese: '另一个进程占用该 ID' },
  'holder-gone': {
    english: "the other process's record is gone",
    chinese: '另一个进程的记录已消失',
  },
  intact: { english: 'the record is as it should be', chinese: '实例记录正确' },
  written: { english: 'the record was written again', chinese: '实例记录已重新写入' },
  'not-read-back': { english: 'the read-back fails', chinese: '回读校验失败' },
  contradicted: {
    english: 'a second answer contradicts the record',
    chinese: '第二次应答仍与实例记录矛盾',
  },
  renewed: { english: 'a heartbeat succeeds', chinese: '心跳成功' },
  failed: { english: 'a request fails', chinese: '请求失败' },
  refused: { english: 'the registry refuses', chinese: '注册中心拒绝' },
  'instance-gone': forgotten,
  'service-gone': forgotten,
  begun: {
    english: 'the server listens, or register() is called',
    chinese: '服务器开始监听，或调用 register()',
  },
  'at-risk': { english: 'two thirds of the lease are over', chinese: '租约已过三分之二' },
  over: { english: 'the lease is over', chinese: '租约到期' },
  'no-token': { english: 'the token cannot be renewed', chinese: '无法换取新 Token' },
  gone: {
    english: 'the instance is removed, or the time for it is over',
    chinese: '实例已注销，或注销时限已到',
  },
};

/** What else differs between the languages. */
const texts = {
  english: { heading: '| from | to | when |', comma: ', ', or: ', or ' },
  chinese: { heading: '| 从 | 到 | 条件 |', comma: '、', or: '，或' },
} as const;

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

const kinds = Object.keys(outcomes).filter(kind => isOutcome(kind));

function isOutcome(kind: string): kind is keyof typeof outcomes {
  return kind in outcomes;
}

interface Edge {
  readonly from: RegistrationState;
  readonly to: RegistrationState;
  readonly reason: Reason;
}

/** Returns where each outcome leads from a state, and where time alone does. */
function edgesFrom({ state, now }: (typeof cases)[number]): readonly Edge[] {
  const from = publicState(state, now);
  const later = now === atRisk ? over : atRisk;
  const at = outcomesAt(now);
  const decided = kinds.map(kind => ({ to: after(state, at[kind], now), reason: kind }));
  const agedReason: Reason = later === over ? 'over' : 'at-risk';
  const aged = { to: after(state, outcomes.elapsed, later), reason: agedReason };
  const login: Omit<Edge, 'from'> = { to: publicState(state, now, error), reason: 'no-token' };
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

/** What `RegistrationCore` does without a transition: it begins, and it leaves. */
const others: readonly Edge[] = [
  { from: 'idle', to: 'registering', reason: 'begun' },
  { from: 'leaving', to: 'left', reason: 'gone' },
];

/** Returns all ways from one state to another, with the reasons of each. */
function edges(): ReadonlyMap<string, Edge & { readonly reasons: ReadonlySet<Reason> }> {
  const found = new Map<string, Edge & { readonly reasons: Set<Reason> }>();
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
export function withStates(page: string, language: Language): string {
  const [before, rest = ''] = page.split(begin);
  const [, after] = rest.split(end);
  if (after === undefined) throw new Error(`The page has no ${begin}${end}`);
  return `${before}${begin}\n${diagram(language)}\n${table(language)}\n${end}${after}`;
}

function diagram(language: Language): string {
  const arrows = [...edges().values()].map(
    ({ from, to, reasons }) =>
      `    ${idOf(from)} --> ${idOf(to)} : ${wordsOf(reasons, language).join(texts[language].comma)}\n`,
  );
  return [
    '```mermaid\nstateDiagram-v2\n    state "at-risk" as at_risk\n    [*] --> idle\n',
    ...arrows,
    '    left --> [*]\n```\n',
  ].join('');
}

function wordsOf(reasons: ReadonlySet<Reason>, language: Language): readonly string[] {
  return [...new Set([...reasons].map(reason => words[reason][language]))];
}

/** Mermaid does not allow a hyphen in the id of a state. */
function idOf(state: RegistrationState): string {
  return state.replace('-', '_');
}

function table(language: Language): string {
  const rows = [...edges().values()].map(
    ({ from, to, reasons }) =>
      `| \`${from}\` | \`${to}\` | ${wordsOf(reasons, language).join(texts[language].or)} |\n`,
  );
  return [`${texts[language].heading}\n| --- | --- | --- |\n`, ...rows].join('');
}
