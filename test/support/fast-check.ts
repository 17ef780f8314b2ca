import fc from 'fast-check';

// What is drawn is the same in each run, so that a failure is nobody's bad luck; FUZZ_SEED draws other things.
fc.configureGlobal({ seed: Number(process.env['FUZZ_SEED'] ?? 186_678) });

export { fc };
