/** The alert rules fire and are silent as their tests say. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { missingPrograms } from './tools.ts';

const FOLDER = join(import.meta.dirname, '../../deploy/prometheus');
const skip = (await missingPrograms({ promtool: 'prometheus' })) ?? false;

interface Rules {
  groups: { rules: { alert: string; annotations: Record<string, string> }[] }[];
}
interface RuleTests {
  tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
}

async function readYaml<T>(file: string): Promise<T> {
  return parse(await readFile(join(FOLDER, file), 'utf8')) as T;
}

test('every alert has a test in which it fires, and one in which it is silent', async () => {
  const { groups } = await readYaml<Rules>('alerts.yml');
  const { tests } = await readYaml<RuleTests>('alerts.test.yml');
  const checks = tests.flatMap((one) => one.alert_rule_test);
  for (const { alert, annotations } of groups.flatMap(({ rules }) => rules)) {
    assert.deepEqual(Object.keys(annotations), ['summary', 'action'], alert);
    const own = checks.filter(({ alertname }) => alertname === alert);
    assert.ok(
      own.some(({ exp_alerts: expected }) => expected.length > 0),
      `${alert} fires`,
    );
    assert.ok(
      own.some(({ exp_alerts: expected }) => expected.length === 0),
      `${alert} is silent`,
    );
  }
});

test('promtool accepts the rules and the configuration, and all tests of the rules pass', { skip }, async () => {
  const run = promisify(execFile);
  for (const parameters of [
    ['check', 'config', 'prometheus.yml'],
    ['test', 'rules', 'alerts.test.yml'],
  ]) {
    const { stdout } = await run('promtool', parameters, { cwd: FOLDER });
    assert.match(stdout, /SUCCESS/);
  }
});
