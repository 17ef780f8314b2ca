import { describeTypes } from './type-tests.js';

// The oldest and the newest one; the others are in types.matrix.ts.
describeTypes([5.4, 7]);
