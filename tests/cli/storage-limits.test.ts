/** `mashup doctor`: the limits of Storage against what the engine writes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareStorageLimits } from '../../cli/doctor/storage-limits.ts';

const needed = { storage_max_bytes: 50_000_000, upload_max_bytes: 52_428_800 };

test('limits of at least the largest file pass; the remark names them', () => {
  const fine = compareStorageLimits({ global: 52_428_800, bucket: null, needed });
  assert.ok(fine.ok);
  assert.equal(
    fine.message,
    '52.4 MB are needed (upload_max_bytes): global limit 52.4 MB, bucket mashups without a limit',
  );
});

test('a global limit that Storage does not tell is named, and not judged', () => {
  const unknown = compareStorageLimits({ global: undefined, bucket: 268_435_456, needed });
  assert.ok(unknown.ok);
  assert.match(
    unknown.message,
    /the global limit cannot be read, bucket mashups 268\.4 MB; it must be at least 52\.4 MB/,
  );
});

test('the smaller limit fails the check, with what to change', () => {
  const global = compareStorageLimits({ global: 20_000_000, bucket: 268_435_456, needed });
  assert.ok(!global.ok);
  assert.match(global.message, /up to 20\.0 MB are accepted .*, and upload_max_bytes is 52\.4 MB/);
  assert.match(
    global.hint ?? '',
    /^Raise the global file size limit.*`mashup settings set upload_max_bytes 20000000`\.$/,
  );
  const bucket = compareStorageLimits({ global: 268_435_456, bucket: 10_000_000, needed });
  assert.ok(!bucket.ok);
  assert.match(
    bucket.hint ?? '',
    /^update storage\.buckets set file_size_limit = 52428800 where id = 'mashups'; or lower/,
  );
});
