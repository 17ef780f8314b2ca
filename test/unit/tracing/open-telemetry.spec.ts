import { describe, expect, it } from '@jest/globals';
import * as api from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { loadOpenTelemetry, suppressed } from '../../../lib/tracing/open-telemetry.js';

describe('the package of OpenTelemetry', () => {
  it('is asked for at the start when it is not installed', async () => {
    const load = () => Promise.reject(new Error("Cannot find package '@opentelemetry/api'"));
    await expect(loadOpenTelemetry(load)).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_OPTIONS',
      message:
        'Invalid registry options: RegistryTracingModule needs the package @opentelemetry/api: ' +
        'run npm install @opentelemetry/api, or leave the module out. ' +
        "Node says: Error: Cannot find package '@opentelemetry/api'",
    });
  });

  it('takes tracing for suppressed as its SDK does', () => {
    const context = suppressed(api, api.ROOT_CONTEXT);
    expect(isTracingSuppressed(context)).toBe(true);
    expect(isTracingSuppressed(api.ROOT_CONTEXT)).toBe(false);
  });
});
