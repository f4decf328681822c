/** Every shape once: the one import for types of the database and of every message. */
export * from './schema/music.ts';
export * from './schema/services.ts';
export * from './schema/database.ts';
export * from './schema/errors.ts';
export * from './schema/api.ts';
export * from './schema/job.ts';
