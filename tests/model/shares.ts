/** The public link of a mashup: how it is made and revoked, and what the model expects of it. */
import type { ModelJob } from './model.ts';
import { call, type Operation } from './operations.ts';

/** Shares a mashup: the link that it has, or a new one if it is complete. */
export function share(job: ModelJob): Operation {
  return {
    name: `share ${job.id}`,
    run: (sql) => call(sql`select model.share(${job.user}, ${job.id}, false) as data`),
    expect(model, { data }) {
      const mine = model.jobs[job.id];
      if (!mine) return 'MB002';
      if (mine.link === undefined && mine.stage !== 'complete') return 'MB003';
      model.hits.push(mine.link === undefined ? 'shared' : 'shared again');
      if (mine.link !== undefined && mine.link !== data) return `the link ${mine.link}`;
      mine.link = String(data);
      return 'ok';
    },
  };
}

/** Revokes the link of a mashup. */
export function unshare(job: ModelJob): Operation {
  return {
    name: `unshare ${job.id}`,
    run: (sql) => call(sql`select model.share(${job.user}, ${job.id}, true) as data`),
    expect(model, { data }) {
      const mine = model.jobs[job.id];
      if (!mine) return 'MB002';
      if (String(mine.link !== undefined) !== data) return mine.link === undefined ? 'no link' : 'a link';
      if (mine.link !== undefined) model.hits.push('link revoked');
      delete mine.link;
      return 'ok';
    },
  };
}
