/** What goes wrong around the state machine: workers die, time jumps, the queue is emptied, rows are deleted. */
import { randomUUID } from 'node:crypto';
import { sweep } from './model.ts';
import { ask, held, type Claim, type Operation, type State } from './operations.ts';

const RECONCILE_MS = 5_000;
/** A wake-up is missed when its task is due for a second; tasks released after an outage are due within two. */
const DUE_MS = 2_000;

/** Time passes; `seen`: the workers that are heard of at its end. */
export function pass(state: State, milliseconds: number, seen: string[]): Operation {
  return {
    name: `${milliseconds} ms pass`,
    async run(sql) {
      const known = seen.filter((id) => state.model.workers[id]);
      await sql`select model.pass(${state.model.now + milliseconds}, ${known})`;
      state.owed.release = true;
      return { said: 'ok' };
    },
    expect(model) {
      model.now += milliseconds;
      for (const id of seen) if (model.workers[id]) model.workers[id].seen = model.now;
      model.hits.push(milliseconds >= 1_000 ? 'clock jump' : 'clock step');
      return 'ok';
    },
  };
}

export function runSweep(state: State): Operation {
  return {
    name: 'sweep',
    async run(sql) {
      await sql`select mashup.sweep()`;
      state.owed.release = false;
      const { now } = state.model;
      if (now - state.reconciledAt < RECONCILE_MS) return { said: 'ok' };
      state.reconciledAt = now;
      // Wake-ups that were due only just now are put back the next time.
      if (!state.queueIsAway && now - state.queueLostAt > 2 * DUE_MS) state.owed.wakeups = false;
      return { said: 'ok' };
    },
    expect(model) {
      sweep(model);
      model.hits.push('sweep');
      return 'ok';
    },
  };
}

/** Its lock is free, as after SIGKILL. */
export function killWorker(state: State, worker: string): Operation {
  return {
    name: `worker ${worker} is killed`,
    async run() {
      await state.world.kill(worker);
      state.owed.release = true;
      return { said: 'ok' };
    },
    expect(model) {
      if (model.workers[worker]) model.workers[worker].alive = false;
      return 'ok';
    },
  };
}

/** It goes and hands back what it holds. */
export function dismissWorker(worker: string): Operation {
  return {
    name: `worker ${worker} leaves`,
    run: (sql) => ask(sql`select mashup.deregister_worker(${worker}) as data`),
    expect(model) {
      for (const job of Object.values(model.jobs)) {
        for (const task of job.tasks) {
          if (task.worker !== worker) continue;
          task.state = 'open';
          task.deadline = Infinity;
          delete task.claim;
          delete task.worker;
        }
      }
      delete model.workers[worker];
      model.hits.push('worker left');
      return 'ok';
    },
  };
}

export function hireWorker(state: State, isDriver = false): Operation {
  return {
    name: 'a worker starts',
    async run() {
      const id = await state.world.hire();
      if (isDriver) state.driver = id;
      else state.crew.push(id);
      return { said: 'ok', data: id };
    },
    expect(model, outcome) {
      const id = outcome.data as string;
      model.workers[id] = { id, alive: true, seen: model.now };
      return 'ok';
    },
  };
}

/** Its attempt has taken longer than it may. */
export function makeLate(claimed: Claim): Operation {
  return {
    name: `${claimed.kind} ${claimed.id} takes too long`,
    run: (sql) =>
      ask(
        sql`update mashup.tasks set deadline_at = mashup.now() - interval '11 seconds' where id = ${claimed.id} and claim = ${claimed.token}`,
      ),
    expect(model) {
      const mine = held(model, claimed);
      if (mine) mine.task.deadline = model.now - 11_000;
      return 'ok';
    },
  };
}

/** It has cost three workers their lives already, one of them while it ran alone. */
export function wear(claimed: Claim): Operation {
  return {
    name: `${claimed.kind} ${claimed.id} has killed before`,
    run: (sql) =>
      ask(
        sql`update mashup.tasks set crashes = 3, solo_crashes = 1 where id = ${claimed.id} and claim = ${claimed.token}`,
      ),
    expect(model) {
      const mine = held(model, claimed);
      if (mine) Object.assign(mine.task, { crashes: 3, solo: 1 });
      return 'ok';
    },
  };
}

export function emptyQueue(state: State): Operation {
  return {
    name: 'the queue is emptied',
    async run(sql) {
      if (!state.queueIsAway) await sql`delete from graphile_worker._private_jobs`;
      state.queueLostAt = state.model.now;
      state.owed.wakeups = true;
      return { said: 'ok' };
    },
    expect(model) {
      model.hits.push('queue emptied');
      return 'ok';
    },
  };
}

/** As dropping the queue's schema and making it again, at a tenth of the time: out of sight, and back with nothing in it. */
export function dropQueue(state: State): Operation {
  const isBack = state.queueIsAway;
  return {
    name: isBack ? 'the queue’s schema is made again' : 'the queue’s schema is dropped',
    async run(sql) {
      if (isBack) {
        await sql`alter schema queue_away rename to graphile_worker`;
        await sql`delete from graphile_worker._private_jobs`;
      } else {
        await sql`alter schema graphile_worker rename to queue_away`;
      }
      state.queueIsAway = !isBack;
      state.queueLostAt = state.model.now;
      state.owed.wakeups = true;
      return { said: 'ok' };
    },
    expect(model) {
      model.hits.push(isBack ? 'queue schema back' : 'queue schema dropped');
      return 'ok';
    },
  };
}

/** Deletes a user with all that is theirs; another signs up. */
export function deleteUser(state: State, user: string): Operation {
  return {
    name: `user ${user} is deleted`,
    async run(sql) {
      await sql`delete from auth.users where id = ${user}`;
      const next = randomUUID();
      await sql`insert into auth.users (id, email) values (${next}, ${`${next}@example.test`})`;
      state.world.users = state.world.users.map((id) => (id === user ? next : id));
      state.owed.release = true;
      return { said: 'ok' };
    },
    expect(model) {
      for (const job of Object.values(model.jobs)) if (job.user === user) delete model.jobs[job.id];
      for (const key of Object.keys(model.stems)) if (key.startsWith(user)) delete model.stems[key];
      model.hits.push('user deleted');
      return 'ok';
    },
  };
}

export function deleteJob(state: State, id: string): Operation {
  return {
    name: `job ${id} is deleted`,
    async run(sql) {
      state.owed.release = true;
      return ask(sql`delete from public.mashup_jobs where id = ${id}`);
    },
    expect(model) {
      delete model.jobs[id];
      model.hits.push('job deleted');
      return 'ok';
    },
  };
}

/** Cached stems of a user go, as retention or an operator deletes them. */
export function forgetStems(user: string): Operation {
  return {
    name: `stems of ${user} are deleted`,
    run: (sql) => ask(sql`delete from mashup.stems where user_id = ${user}`),
    expect(model) {
      for (const key of Object.keys(model.stems)) if (key.startsWith(user)) delete model.stems[key];
      model.hits.push('stems deleted');
      return 'ok';
    },
  };
}

/** A service has failed just often enough: the next fault opens its circuit, for a short or for a long time. */
export function strain(service: string, opens: number): Operation {
  return {
    name: `${service} has failed twice`,
    run: (sql) =>
      ask(
        sql`update mashup.service_health set failures = 2, opens = ${opens} where service = ${service} and state = 'closed'`,
      ),
    expect(model) {
      const circuit = model.circuits[service];
      if (circuit && !circuit.open) circuit.failures = 2;
      return 'ok';
    },
  };
}
