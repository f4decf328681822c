/** Settings: each has a type and a range in the database. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { useDatabase } from '../support/postgres.ts';

describe('a setting', async () => {
  const { sql } = await useDatabase({ after });
  const set = async (name: string, value: string): Promise<void> => {
    await sql`update mashup.settings set value = ${value}::text::jsonb where name = ${name}`;
  };

  it('has an allowed value after the installation', async () => {
    const wrong = await sql`select name from mashup.settings s where not mashup.is_allowed(s)`;
    assert.deepEqual([...wrong], []);
  });

  const REFUSED: [string, string, RegExp][] = [
    ['lease_sec', '"30s"', /The setting lease_sec cannot be "30s": it is a number of seconds from 1 to 3600\./],
    ['lease_sec', '0', /from 1 to 3600/],
    ['lease_sec', '99999', /from 1 to 3600/],
    ['lease_sec', 'null', /from 1 to 3600/],
    ['lease_sec', '"30"', /from 1 to 3600/],
    ['max_running_jobs', '2.5', /a whole number from 0/],
    ['max_running_jobs', '-1', /a whole number from 0/],
    ['plan_budget_usd_per_day', '"50"', /a number of US dollars from 0 .*, or null for no limit/],
    ['service_limits', '4', /an object with, for each service \(analysis, .*separation.*\), a number from 0/],
    ['service_limits', '{"analysis": "2"}', /an object/],
    ['service_limits', '{"anlysis": 2}', /an object/],
    ['service_limits', '{"analysis": 1001}', /a number from 0 to 1000/],
    ['queue_schema', '4', /a name/],
  ];
  for (const [name, value, message] of REFUSED) {
    it(`${name} = ${value} is refused with the values that are allowed`, async () => {
      await assert.rejects(set(name, value), (error) => {
        const { code, message: text } = error as { code: string; message: string };
        assert.equal(code, 'MB006');
        assert.match(text, message);
        return true;
      });
    });
  }

  for (const statement of [
    "delete from mashup.settings where name = 'lease_sec'",
    "update mashup.settings set name = 'lease'",
  ]) {
    it(`is kept by "${statement}"`, async () => {
      await assert.rejects(sql.unsafe(statement), { code: 'MB006', message: /The setting \w+ cannot be removed/ });
    });
  }

  const TAKEN: [string, string][] = [
    ['lease_sec', '45.5'],
    ['max_running_jobs', '0'],
    ['plan_budget_usd_per_day', 'null'],
    ['service_limits', '{"analysis": 9}'],
    ['service_abort_hold_sec', '{}'],
  ];
  for (const [name, value] of TAKEN) {
    it(`${name} = ${value} is taken`, () => set(name, value));
  }
});
