/** Options and arguments with a fixed set of values, or a range of numbers. */
import { Argument, Option } from 'commander';
import { CliError, EXIT_USAGE } from './errors.ts';

/** Returns an option that takes one of some values; its help lists them. */
export function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values).argParser(oneOf(nameOf(flags), values));
}

/** Returns an argument that takes one of some values; its help lists them. */
export function choiceArgument(name: string, description: string, values: readonly string[]): Argument {
  return new Argument(name, description).choices(values).argParser(oneOf(name.replace(/[^\w-]/g, ''), values));
}

/** Returns an option that takes a number: more than `above`, or `min` to `max`. */
export function numeric(
  flags: string,
  description: string,
  { above, min = -Infinity, max = Infinity, isWhole = false }: NumberRange,
): Option {
  return new Option(flags, description).argParser((text: string) => {
    const value = Number(text);
    const isValid = text.trim() !== '' && Number.isFinite(value) && value >= min && value <= max;
    if (isValid && (above === undefined || value > above) && (!isWhole || Number.isInteger(value))) return value;
    const kind = isWhole ? 'a whole number' : 'a number';
    const range =
      above === undefined ? (max === Infinity ? ` from ${min} on` : ` from ${min} to ${max}`) : ` above ${above}`;
    throw fault(`${nameOf(flags)} must be ${kind}${range}.`, 'Correct it, or leave it out.');
  });
}

/** Returns an option that takes a time, and gives it as ISO 8601. A time without a zone is local. */
export function instant(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text: string) => {
    const time = Date.parse(text);
    // Date.parse takes a number for a year or a month.
    if (!Number.isNaN(time) && /^\d{4}-\d{2}-\d{2}/.test(text.trim())) return new Date(time).toISOString();
    throw fault(
      `${nameOf(flags)} cannot be "${text}".`,
      'Give a time such as "2026-11-30 14:00" or 2026-11-30T14:00Z.',
    );
  });
}

interface NumberRange {
  above?: number;
  min?: number;
  max?: number;
  isWhole?: boolean;
}

/** The long name of an option: `--stage` of `-s, --stage <stage>`. */
const nameOf = (flags: string): string => /--[\w-]+/.exec(flags)?.[0] ?? flags;

function oneOf(name: string, values: readonly string[]): (text: string) => string {
  return (text) => {
    if (values.includes(text)) return text;
    throw fault(`${name} cannot be "${text}".`, `Choose one of ${values.join(', ')}.`);
  };
}

function fault(message: string, hint: string): CliError {
  return new CliError('bad_option', message, hint, EXIT_USAGE);
}
