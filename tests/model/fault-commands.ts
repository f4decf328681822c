/** Faults around the state machine: lost workers, clock jumps, an emptied queue, deleted rows. */
import { randomUUID } from 'node:crypto';
import { sweep } from './model.ts';
import { call, held, type Claim, type Operation, type State } from './operations.ts';

const RECONCILE_MS = 5_000;
/** Tasks that are dispatched after an outage are due within two seconds. Reconciliation looks at tasks that are due for one. */
const DUE_MS = 2_000;

/** Time passes. `seen`: the workers that send a heartbeat at its end. */
export function passTime(state: State, milliseconds: number, seen: string[]): Operation {
  return {
    name: `${milliseconds} ms pass`,
    async run(sql) {
      const known = seen.filter((id) => state.model.workers[id]);
      await sql`select model.pass_time(${state.model.now + milliseconds}, ${known})`;
      state.pending.schedule = true;
      return { result: 'ok' };
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
      state.pending.schedule = false;
      const { now } = state.model;
      if (now - state.reconciledAt < RECONCILE_MS) return { result: 'ok' };
      state.reconciledAt = now;
      // Entries of tasks that became due only now are enqueued the next time.
      if (!state.isQueueHidden && now - state.queueLostAt > 2 * DUE_MS) state.pending.queueEntries = false;
      return { result: 'ok' };
    },
    expect(model) {
      sweep(model);
      model.hits.push('sweep');
      return 'ok';
    },
  };
}

/** Releases the lock of a worker, as SIGKILL does. */
export function killWorker(state: State, worker: string): Operation {
  return {
    name: `worker ${worker} is killed`,
    async run() {
      await state.fixture.killWorker(worker);
      state.pending.schedule = true;
      return { result: 'ok' };
    },
    expect(model) {
      if (model.workers[worker]) model.workers[worker].alive = false;
      return 'ok';
    },
  };
}

/** Deregisters a worker, which returns its tasks. */
export function deregisterWorker(worker: string): Operation {
  return {
    name: `worker ${worker} deregisters`,
    run: (sql) => call(sql`select mashup.deregister_worker(${worker}) as data`),
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
      model.hits.push('worker deregistered');
      return 'ok';
    },
  };
}

export function startWorker(state: State, isDriver = false): Operation {
  return {
    name: 'a worker starts',
    async run() {
      const id = await state.fixture.addWorker();
      if (isDriver) state.driver = id;
      else state.workers.push(id);
      return { result: 'ok', data: id };
    },
    expect(model, outcome) {
      const id = outcome.data as string;
      model.workers[id] = { id, alive: true, seen: model.now };
      return 'ok';
    },
  };
}

/** Moves the deadline of an attempt into the past. */
export function makeLate(claimed: Claim): Operation {
  return {
    name: `${claimed.kind} ${claimed.id} takes too long`,
    run: (sql) =>
      call(
        sql`update mashup.tasks set deadline_at = mashup.now() - interval '11 seconds' where id = ${claimed.id} and claim = ${claimed.token}`,
      ),
    expect(model) {
      const mine = held(model, claimed);
      if (mine) mine.task.deadline = model.now - 11_000;
      return 'ok';
    },
  };
}

/** Sets the crash counts of a task: three lost workers, one of them in a solo run. */
export function addCrashes(claimed: Claim): Operation {
  return {
    name: `${claimed.kind} ${claimed.id} has lost three workers`,
    run: (sql) =>
      call(
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
      if (!state.isQueueHidden) await sql`delete from mashup_queue._private_jobs`;
      state.queueLostAt = state.model.now;
      state.pending.queueEntries = true;
      return { result: 'ok' };
    },
    expect(model) {
      model.hits.push('queue emptied');
      return 'ok';
    },
  };
}

/** Hides the schema of the queue, or brings it back empty: as dropping and making it, in a tenth of the time. */
export function dropQueue(state: State): Operation {
  const isBack = state.isQueueHidden;
  return {
    name: isBack ? 'the queue’s schema is made again' : 'the queue’s schema is dropped',
    async run(sql) {
      if (isBack) {
        await sql`alter schema queue_hidden rename to mashup_queue`;
        await sql`delete from mashup_queue._private_jobs`;
      } else {
        await sql`alter schema mashup_queue rename to queue_hidden`;
      }
      state.isQueueHidden = !isBack;
      state.queueLostAt = state.model.now;
      state.pending.queueEntries = true;
      return { result: 'ok' };
    },
    expect(model) {
      model.hits.push(isBack ? 'queue schema back' : 'queue schema missing');
      return 'ok';
    },
  };
}

/** Deletes a user with all their data. Another user takes their place. */
export function deleteUser(state: State, user: string): Operation {
  return {
    name: `user ${user} is deleted`,
    async run(sql) {
      await sql`delete from auth.users where id = ${user}`;
      const next = randomUUID();
      await sql`insert into auth.users (id, email) values (${next}, ${`${next}@example.test`})`;
      state.fixture.users = state.fixture.users.map((id) => (id === user ? next : id));
      state.pending.schedule = true;
      return { result: 'ok' };
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
      state.pending.schedule = true;
      return call(sql`delete from public.mashup_jobs where id = ${id}`);
    },
    expect(model) {
      delete model.jobs[id];
      model.hits.push('job deleted');
      return 'ok';
    },
  };
}

/** Deletes the cached stems of a user, as retention or an operator does. */
export function deleteStems(user: string): Operation {
  return {
    name: `stems of ${user} are deleted`,
    run: (sql) => call(sql`delete from mashup.stems where user_id = ${user}`),
    expect(model) {
      for (const key of Object.keys(model.stems)) if (key.startsWith(user)) delete model.stems[key];
      model.hits.push('stems deleted');
      return 'ok';
    },
  };
}

/** Sets the failures of a service so that the next fault opens its circuit. `opens`: the exponent of its wait. */
export function addFailures(service: string, opens: number): Operation {
  return {
    name: `${service} has failed twice`,
    run: (sql) =>
      call(
        sql`update mashup.service_health set failures = 2, opens = ${opens} where service = ${service} and state = 'closed'`,
      ),
    expect(model) {
      const circuit = model.circuits[service];
      if (circuit && !circuit.open) circuit.failures = 2;
      return 'ok';
    },
  };
}
