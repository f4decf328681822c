/** Which jobs an id in a command names. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseJobId, pickJob } from '../../cli/job-id.ts';

const ID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const job = (id: string): { id: string; stage: string } => ({ id, stage: 'complete' });

describe('an id in a command', () => {
  it('names one job if it is whole, in any case', () => {
    for (const text of [ID, ID.toUpperCase(), ID.replaceAll('-', '')])
      assert.deepEqual(parseJobId(text), { from: ID, to: ID });
  });

  it('names a range of ids by their beginning', () => {
    assert.deepEqual(parseJobId('3f25'), {
      from: '3f250000-0000-0000-0000-000000000000',
      to: '3f25ffff-ffff-ffff-ffff-ffffffffffff',
    });
    assert.deepEqual(parseJobId('3f2504e0-4'), {
      from: '3f2504e0-4000-0000-0000-000000000000',
      to: '3f2504e0-4fff-ffff-ffff-ffffffffffff',
    });
  });

  it('names the newest job by the word last', () => {
    assert.equal(parseJobId('last'), 'last');
    assert.equal(parseJobId('Last'), 'last');
  });

  for (const text of ['', '-', '3f2', 'latest', `${ID}0`, '3f25%', 'My mashup'])
    it(`is refused if it is "${text}"`, () => {
      assert.throws(() => parseJobId(text), { code: 'bad_job_id', exitCode: 2 });
    });

  it('is refused if several jobs match, with the newest five of them', () => {
    assert.equal(pickJob('3f25', []), undefined);
    assert.equal(pickJob('3f25', [job(ID)])?.id, ID);
    const twins = Array.from({ length: 6 }, (_, i) => job(ID.replace(/1$/, String(i))));
    assert.throws(() => pickJob('3f25', twins.slice(0, 2)), {
      code: 'ambiguous_job_id',
      message: /^2 job ids .*3300 \(complete\)/,
    });
    assert.throws(() => pickJob('3f25', twins), { message: /^More than 5 .*3304 \(complete\), …\.$/ });
  });
});
