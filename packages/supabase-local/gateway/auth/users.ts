/** Users: rows of auth.users and their JSON. */
import { randomUUID } from 'node:crypto';
import type { Sql, TransactionSql } from 'postgres';
import { databaseError } from '../database.ts';
import { AuthError } from './errors.ts';
import { hashPassword } from './passwords.ts';

/** The columns of auth.users that the gateway reads. */
export interface UserRow {
  id: string;
  email: string | null;
  encrypted_password: string | null;
  email_confirmed_at: Date | null;
  last_sign_in_at: Date | null;
  raw_app_meta_data: Record<string, unknown> | null;
  raw_user_meta_data: Record<string, unknown> | null;
  is_anonymous: boolean;
  created_at: Date;
  updated_at: Date;
}

/** A user to insert. Without an e-mail address the user is anonymous. */
interface NewUser {
  id?: string;
  email?: string;
  password?: string;
  userMetadata: Record<string, unknown>;
  appMetadata?: Record<string, unknown>;
}

const UNIQUE_VIOLATION = '23505';

/**
 * Inserts a user. An e-mail address counts as confirmed.
 * @throws AuthError 422 `user_already_exists` if another user has the e-mail address
 */
export async function insertUser(sql: Sql, user: NewUser): Promise<UserRow> {
  const email = user.email ?? null;
  const provider = email ? { provider: 'email', providers: ['email'] } : {};
  const id = user.id ?? randomUUID();
  const metadata = email
    ? { ...user.userMetadata, sub: id, email, email_verified: true, phone_verified: false }
    : user.userMetadata;
  const password = user.password === undefined ? null : await hashPassword(user.password);
  try {
    const [row] = await sql<UserRow[]>`
      insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data,
                              raw_user_meta_data, is_anonymous, created_at, updated_at)
      values (${id}, 'authenticated', 'authenticated', ${email}, ${password}, ${email ? new Date() : null},
              ${sql.json({ ...provider, ...user.appMetadata } as never)}, ${sql.json(metadata as never)},
              ${email === null}, now(), now())
      returning *`;
    return row!;
  } catch (error) {
    if (databaseError(error)?.code === UNIQUE_VIOLATION)
      throw new AuthError(422, 'user_already_exists', 'User already registered');
    throw error;
  }
}

/** Changes of a user. Absent members are not changed. */
interface UserChange {
  email?: string;
  password?: string;
  userMetadata?: Record<string, unknown>;
}

/**
 * Updates a user. An e-mail address counts as confirmed and turns an anonymous user into a permanent one. Metadata is merged.
 * @throws AuthError `email_exists` if another user has the e-mail address, `user_not_found` if the user was deleted
 */
export async function updateUser(sql: Sql, id: string, change: UserChange): Promise<UserRow> {
  const email = change.email ?? null;
  const password = change.password === undefined ? null : await hashPassword(change.password);
  const identityData = email === null ? {} : { sub: id, email, email_verified: true, phone_verified: false };
  const app = email === null ? {} : { provider: 'email', providers: ['email'] };
  try {
    const [row] = await sql<UserRow[]>`
      update auth.users
      set email = coalesce(${email}, email),
          encrypted_password = coalesce(${password}, encrypted_password),
          email_confirmed_at = case when ${email}::text is null then email_confirmed_at else now() end,
          is_anonymous = is_anonymous and ${email}::text is null,
          raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || ${sql.json({ ...change.userMetadata, ...identityData } as never)},
          raw_app_meta_data = coalesce(raw_app_meta_data, '{}') || ${sql.json(app)},
          updated_at = now()
      where id = ${id}
      returning *`;
    if (!row) throw new AuthError(403, 'user_not_found', 'User from sub claim in JWT does not exist');
    return row;
  } catch (error) {
    if (databaseError(error)?.code === UNIQUE_VIOLATION)
      throw new AuthError(422, 'email_exists', 'A user with this email address has already been registered');
    throw error;
  }
}

/** Returns the user with an e-mail address, or undefined. */
export async function findUserByEmail(sql: Sql, email: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`select * from auth.users where lower(email) = ${email.toLowerCase()} limit 1`;
  return row;
}

/** Returns the user with an id, or undefined. */
export async function findUserById(sql: Sql | TransactionSql, id: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`select * from auth.users where id = ${id}`;
  return row;
}

/** Deletes a user with all sessions. Returns false if there is none. */
export async function deleteUser(sql: Sql, id: string): Promise<boolean> {
  const deleted = await sql`delete from auth.users where id = ${id}`;
  return deleted.count > 0;
}

/** Returns one page of users, oldest first, and the total number of users. `page` counts from 1. */
export async function listUsers(sql: Sql, page: number, perPage: number): Promise<{ users: UserRow[]; total: number }> {
  const users = await sql<UserRow[]>`
    select * from auth.users order by created_at, id limit ${perPage} offset ${(page - 1) * perPage}`;
  const [count] = await sql<{ total: number }[]>`select count(*)::int as total from auth.users`;
  return { users, total: count?.total ?? 0 };
}

/** Returns the JSON of a user: no nulls in `email` and `phone`, no identities for an anonymous user. */
export function userJson(row: UserRow): Record<string, unknown> {
  const email = row.email ?? '';
  const confirmed = row.email_confirmed_at ? { email_confirmed_at: row.email_confirmed_at } : {};
  const times = { created_at: row.created_at, updated_at: row.updated_at };
  const identity = {
    identity_id: row.id,
    id: row.id,
    user_id: row.id,
    identity_data: { email, email_verified: row.email_confirmed_at !== null, phone_verified: false, sub: row.id },
    provider: 'email',
    last_sign_in_at: row.last_sign_in_at,
    ...times,
    email,
  };
  return {
    id: row.id,
    aud: 'authenticated',
    role: 'authenticated',
    email,
    phone: '',
    ...confirmed,
    ...(row.email_confirmed_at ? { confirmed_at: row.email_confirmed_at } : {}),
    ...(row.last_sign_in_at ? { last_sign_in_at: row.last_sign_in_at } : {}),
    app_metadata: row.raw_app_meta_data ?? {},
    user_metadata: row.raw_user_meta_data ?? {},
    identities: email === '' ? [] : [identity],
    ...times,
    is_anonymous: row.is_anonymous,
  };
}
