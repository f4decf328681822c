/** Writes a type out by its members, without the names of other types. */
import ts from 'typescript';

const DEPTH_LIMIT = 20;

/**
 * Returns the source text of a type. `undefined` is left out of unions: messages are JSON, where a member is there or not.
 * Interfaces of the language keep their names.
 * @throws Error if the type contains a function, `any` or itself
 */
export function writeType(checker: ts.TypeChecker, type: ts.Type, depth = 0): string {
  if (depth > DEPTH_LIMIT) throw new Error('The type contains itself.');
  if (type.flags & ts.TypeFlags.Any) throw new Error('The type is any: a module that it comes from was not found.');
  const write = (inner: ts.Type): string => writeType(checker, inner, depth + 1);
  if (type.flags & (ts.TypeFlags.Boolean | ts.TypeFlags.Literal)) return checker.typeToString(type);
  if (type.isUnion()) return writeUnion(checker, type, write);
  if (checker.isTupleType(type)) return `[${argumentsOf(checker, type).map(write).join(', ')}]`;
  if (checker.isArrayType(type)) return `(${argumentsOf(checker, type).map(write).join()})[]`;
  if (!(type.flags & ts.TypeFlags.Object) && !type.isIntersection()) return checker.typeToString(type);
  if (isOfLanguage(type)) return checker.typeToString(type);
  if (type.getCallSignatures().length > 0) throw new Error('A function is no message.');
  return writeObject(checker, type, write);
}

/** Whether a type is an interface of the language itself, such as Uint8Array: it needs no import. */
function isOfLanguage({ symbol }: ts.Type): boolean {
  if (symbol === undefined || !(symbol.flags & ts.SymbolFlags.Interface)) return false;
  return symbol.declarations?.some((one) => /typescript\/lib\/lib\.[^/]+$/.test(one.getSourceFile().fileName)) === true;
}

function argumentsOf(checker: ts.TypeChecker, type: ts.Type): readonly ts.Type[] {
  return checker.getTypeArguments(type as ts.TypeReference);
}

function writeUnion(checker: ts.TypeChecker, type: ts.UnionType, write: (inner: ts.Type) => string): string {
  const isBoolean = (one: ts.Type): boolean => (one.flags & ts.TypeFlags.BooleanLiteral) !== 0;
  const booleans = type.types.filter(isBoolean);
  const others = type.types
    .filter((one) => !(one.flags & ts.TypeFlags.Undefined) && (booleans.length < 2 || !isBoolean(one)))
    .map(write);
  return [...others, ...(booleans.length < 2 ? [] : ['boolean'])].join(' | ');
}

function writeObject(checker: ts.TypeChecker, type: ts.Type, write: (inner: ts.Type) => string): string {
  const members = checker.getPropertiesOfType(type).map((property) => {
    const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0;
    const value = checker.getTypeOfSymbol(property);
    const name = /^[A-Za-z_$][\w$]*$/.test(property.name) ? property.name : JSON.stringify(property.name);
    return `${name}${isOptional ? '?' : ''}: ${write(value)}`;
  });
  const indexes = checker
    .getIndexInfosOfType(type)
    .map((index) => `[key: ${checker.typeToString(index.keyType)}]: ${write(index.type)}`);
  return `{ ${[...members, ...indexes].join('; ')} }`;
}
