/** A number in the settings of a fault. */
interface FaultNumber {
  readonly name: 'ms' | 'everyMs' | 'status' | 'errorCode';
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
}

/** A kind of fault in the form. */
export interface FaultOffer {
  readonly kind: string;
  readonly label: string;
  readonly numbers: readonly FaultNumber[];
  /** False for faults that do not apply to single requests. */
  readonly hasMatch: boolean;
}

const hourMs = 3_600_000;
const late = { name: 'ms', label: 'Milliseconds', value: 2000, min: 0, max: hourMs } as const;

/** All kinds of faults, the most useful first. */
export const faultOffers: readonly FaultOffer[] = [
  { kind: 'hang', label: 'Hang: never answer', numbers: [], hasMatch: true },
  { kind: 'delay', label: 'Delay: answer late', numbers: [late], hasMatch: true },
  {
    kind: 'answer',
    label: 'Answer with an error',
    numbers: [
      { name: 'status', label: 'Status', value: 500, min: 200, max: 599 },
      { name: 'errorCode', label: 'Error code', value: 500_003, min: 1, max: 999_999 },
    ],
    hasMatch: true,
  },
  { kind: 'reset', label: 'Reset: break the connection', numbers: [], hasMatch: true },
  {
    kind: 'trickle',
    label: 'Trickle: answer byte by byte',
    numbers: [
      { name: 'everyMs', label: 'Milliseconds between bytes', value: 100, min: 0, max: hourMs },
    ],
    hasMatch: true,
  },
  { kind: 'garbage', label: 'Garbage: answer with nonsense', numbers: [], hasMatch: true },
  {
    kind: 'swallow-renewals',
    label: 'Swallow renewals: answer 200, renew nothing',
    numbers: [],
    hasMatch: true,
  },
  {
    kind: 'mute-watchers',
    label: 'Mute watchers: freeze those that are open',
    numbers: [],
    hasMatch: false,
  },
  {
    kind: 'swallow-frames',
    label: 'Swallow frames: notify no watcher',
    numbers: [],
    hasMatch: false,
  },
  {
    kind: 'delay-frames',
    label: 'Delay frames: notify watchers late',
    numbers: [late],
    hasMatch: false,
  },
  {
    kind: 'double-frames',
    label: 'Double frames: notify watchers twice',
    numbers: [],
    hasMatch: false,
  },
  {
    kind: 'skew-clock',
    label: 'Skew clock: report a wrong time',
    numbers: [{ ...late, value: hourMs, min: -1_000_000_000, max: 1_000_000_000 }],
    hasMatch: false,
  },
  {
    kind: 'refuse',
    label: 'Refuse connections, also of this page',
    numbers: [{ ...late, label: 'For how many milliseconds', value: 10_000, min: 1 }],
    hasMatch: false,
  },
];

/** Operations offered by the form; the API knows more. */
export const faultTargets: readonly string[] = [
  'heartbeat',
  'heartbeats',
  'registerInstance',
  'unregisterInstance',
  'getInstance',
  'listInstances',
  'findInstances',
  'setInstanceStatus',
  'setInstanceProperties',
  'registerMicroservice',
  'getExistence',
  'getMicroservice',
  'setSchema',
  'watch',
];

/** Values of the form. */
export interface FaultFormValues {
  readonly offer: FaultOffer;
  readonly numbers: ReadonlyMap<string, number>;
  /** The empty string means every request. */
  readonly operation: string;
  /** Undefined means until the fault is switched off. */
  readonly times: number | undefined;
}

/** Returns the body of the request that switches a fault on. */
export function faultBodyOf({ offer, numbers, operation, times }: FaultFormValues): object {
  const { kind, hasMatch } = offer;
  const match = {
    ...(operation === '' ? {} : { operation }),
    ...(times === undefined ? {} : { times }),
  };
  const settings = kind === 'answer' ? answerOf(numbers) : Object.fromEntries(numbers);
  return { kind, ...settings, ...(hasMatch ? { match } : {}) };
}

function answerOf(numbers: ReadonlyMap<string, number>): object {
  return { status: numbers.get('status'), body: { errorCode: numbers.get('errorCode') } };
}
