import fc from 'fast-check';

// One seed for everybody, so that a test that passed here passes there; FUZZ_SEED tries others.
fc.configureGlobal({ interruptAfterTimeLimit: 45_000, seed: Number(process.env.FUZZ_SEED ?? 20261123) });
