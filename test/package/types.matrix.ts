import { describeTypes } from './type-tests.js';

describeTypes([5.5, 5.6, 5.7, 5.8, 5.9, 6]);
