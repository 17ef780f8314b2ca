import { forms } from '../rollup.config.js';

export default forms({ compiled: 'build/lib', entries: ['index'], programs: ['command/main'] });
