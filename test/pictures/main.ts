import { writeFileSync } from 'node:fs';
import { dashboardPicture, inTwoColumns } from './dashboard-picture.js';
import { doctorPicture } from './doctor-picture.js';
import { recordOutage } from './outage.js';

// `npm run pictures`: makes the pictures of the documents anew. Needs `prometheus` on the PATH, and two minutes.

const folder = 'docs/pictures';
writeFileSync(`${folder}/doctor.svg`, await doctorPicture());

const { panels, data, range } = await recordOutage();
const story =
  'The sample, without its registry for 30 s (shaded), which comes back empty. At 0:15 one of two greeters is killed';
writeFileSync(
  `${folder}/dashboard.svg`,
  dashboardPicture({ panels, data, range, caption: `${story}.` }),
);
const some = inTwoColumns(panels, ['State', 'Lease left', 'Heartbeats', 'Calls']);
writeFileSync(
  `${folder}/outage.svg`,
  dashboardPicture({ panels: some, data, range, caption: `${story}.` }),
);
