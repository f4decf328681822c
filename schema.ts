/** All shared types: database rows, messages of services and edge functions, errors. */
export * from './schema/music.ts';
export * from './schema/services.ts';
export * from './schema/wishes.ts';
export * from './schema/edits.ts';
export * from './schema/stem-parts.ts';
export * from './schema/stem-ranges.ts';
export * from './schema/playable.ts';
export * from './schema/mashup-stems.ts';
export * from './schema/render-stems.ts';
export * from './schema/database.ts';
export * from './schema/errors.ts';
export * from './schema/api.ts';
export * from './schema/job.ts';
