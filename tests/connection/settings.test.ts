/** Connection strings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConnection } from '../../connection/settings.ts';

for (const url of ['postgres://u:p@a,b:5432/db', 'postgres://u:p@a:1,b:2/db?target_session_attrs=read-write']) {
  test(`${url.slice(0, 22)}… is refused, because it names several hosts`, () => {
    assert.throws(() => readConnection(url, {}), {
      code: 'bad_database_url',
      message: /several hosts/,
      hint: /Name one host/,
    });
  });
}

test('a comma in a password or a parameter does not count as a second host', () => {
  const { host, password } = readConnection('postgres://u:a,b@h/db?options=-c%20search_path=a,b', {});
  assert.deepEqual([host, password], ['h', 'a,b']);
});
