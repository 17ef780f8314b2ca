import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import { resolveForm } from './form.js';
import type { Form } from './form.js';
import { VendorLimits } from './vendor-limits.js';

/** Where a Service Center is at home: how it answers there, and what it lets its clients do. */
export interface Deployment {
  readonly form: Form;
  readonly limits: VendorLimits;
}

/** A Service Center of this form, with limits by this clock. */
export function deploymentOf(form: Form, clock: Clock): Deployment {
  return { form, limits: new VendorLimits(form, clock) };
}

/** Apache's own Service Center, which has no limits. */
export function openSource(): Deployment {
  return deploymentOf(resolveForm(), systemClock);
}
