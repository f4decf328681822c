/** The account with operator rights of a local stack. */
import { createClient } from '@supabase/supabase-js';
import { OPERATOR_ROLE } from '../schema/constants.ts';

/** E-mail of the account. Nothing is sent to it. */
export const OPERATOR_EMAIL = 'operator@mashup.local';

/** Creates the account, unless it exists. @throws AuthError */
export async function ensureOperator(apiUrl: string, secretKey: string, password: string): Promise<void> {
  const { auth } = createClient(apiUrl, secretKey, { auth: { persistSession: false, autoRefreshToken: false } });
  const { error } = await auth.admin.createUser({
    email: OPERATOR_EMAIL,
    password,
    email_confirm: true,
    app_metadata: { mashup_role: OPERATOR_ROLE },
  });
  if (error && error.code !== 'user_already_exists' && error.code !== 'email_exists') throw error;
}
