import { after, test } from 'node:test';
import { fuzz } from './fuzz.ts';
import { startAccessFixture } from './access-fixture.ts';

const access = await startAccessFixture({ after });

test('10,000 generated requests get handled responses, change no data of others and disclose nothing', async (t) => {
  const statuses = await fuzz(access, 10_000);
  t.diagnostic(
    [...statuses]
      .sort()
      .map(([status, count]) => `${status}: ${count}`)
      .join(', '),
  );
});
