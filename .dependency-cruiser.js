/** Which folder may import which. Types count as imports. Run with `npm run check:imports`. */
const only = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** Rules for folders that import only folders of the rows before theirs. */
const inLayers = (root, rows) =>
  rows.map((row, i) =>
    only(
      `${root.replaceAll('/', '-')}-${row.join('-')}`,
      'Folders import only folders of a lower layer.',
      { path: `^${root}/(${row.join('|')})/` },
      { path: `^${root}/(${rows.slice(i).flat().join('|')})/`, pathNot: `^${root}/$1/` },
    ),
  );

export default {
  forbidden: [
    only('no-circles', 'Modules do not import each other in a circle.', {}, { circular: true }),
    only(
      'local-stays-local',
      'Only the CLI, the tests, the benches and the scripts know the local stack.',
      { pathNot: '^(local|cli|tests|bench|scripts)/' },
      { path: '^local/' },
    ),
    only(
      'supabase-local-is-a-package',
      'Only local/, the tests, the benches and the scripts know the local Supabase.',
      { pathNot: '^(packages/supabase-local|local|tests|bench|scripts)/' },
      { path: '^packages/supabase-local/' },
    ),
    only(
      'supabase-local-knows-no-engine',
      'The local Supabase is a product of its own.',
      { path: '^packages/supabase-local/' },
      {
        pathNot: '^(packages/supabase-local/|node_modules/)',
        dependencyTypesNot: ['core'],
      },
    ),
    only(
      'published-libraries-know-no-product',
      'Client and components know the schema, the music, the audio library and each other.',
      { path: '^packages/(client|react)/' },
      { path: '^(worker|services|cli|connection|local|studio|bench|tests|migrate|supabase|packages/supabase-local)/' },
    ),
    only(
      'worker-and-services-speak-http',
      'Workers and services know each other only by HTTP.',
      { path: '^worker/' },
      { path: '^services/' },
    ),
    only(
      'services-and-worker-speak-http',
      'Workers and services know each other only by HTTP.',
      { path: '^services/' },
      { path: '^worker/' },
    ),
    only(
      'libraries-know-no-product',
      'The libraries know only schema/ and each other.',
      { path: '^(music|audio|schema|telemetry)/' },
      {
        path: '^(worker|services|cli|connection|local|studio|bench|tests|migrate|packages)/',
      },
    ),
    only(
      'connection-knows-no-product',
      'Connections to Postgres are used by the worker, the CLI and the migrations.',
      { path: '^connection/' },
      { path: '^(worker|services|cli|local|studio|bench|tests|migrate|packages|supabase)/' },
    ),
    only(
      'production-knows-no-test',
      'Production code does not import tests.',
      { pathNot: '^(tests|bench|scripts)/' },
      { path: '^tests/' },
    ),
    ...inLayers('services/processing', [
      ['files', 'measure'],
      ['song'],
      ['plan'],
      ['quality', 'sound'],
      ['corrections', 'delivery'],
      ['threads', 'live'],
      ['render'],
      ['server'],
    ]),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules/(?!@mashup-engine))/|^supabase/functions/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.d.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node'],
    },
  },
};
