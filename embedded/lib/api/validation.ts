import { invalid } from '../model/registry-error.js';
import { textOf, violation } from './rule.js';
import type { FieldValue, Rule } from './rule.js';

/** How one field of a struct is checked. */
export interface FieldRules {
  /** The field's name in the server, as errors show it; its JSON key begins in lower case. */
  readonly name: string;
  /** What an absent field is to the server. */
  readonly absent: '' | 0 | readonly [] | Readonly<Record<string, never>> | undefined;
  readonly rule?: Rule | undefined;
  /** How the struct in this field, or each struct of the list in it, is checked. */
  readonly within?: StructRules | undefined;
}

/** How a struct is checked: field by field, in the order the server declares them. */
export interface StructRules {
  readonly type: string;
  readonly fields: readonly FieldRules[];
}

/**
 * Checks a request as the server does (pkg/validate/validator.go): the first field that breaks its
 * rule is told, the others are not looked at.
 *
 * @throws RegistryError 400001
 */
export function validate({ type, fields }: StructRules, struct: object): void {
  const values = new Map<string, unknown>(Object.entries(struct));
  for (const { name, absent, rule, within } of fields) {
    const value = values.get(keyOf(name)) ?? absent;
    const kind = within !== undefined && !Array.isArray(value) ? 'struct' : 'value';
    const wrong = rule && violation(rule, asFieldValue(value), kind);
    if (rule !== undefined && wrong !== undefined)
      throw invalid(
        `field '${type}.${name}' invalid value '${wrong}' does not match rule: ${textOf(rule)}`,
      );
    if (within === undefined || value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      if (!isStruct(item)) throw invalid('invalid nil pointer');
      validate(within, item);
    }
  }
}

function keyOf(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function isStruct(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function asFieldValue(value: unknown): FieldValue {
  if (typeof value === 'string' || typeof value === 'number' || Array.isArray(value)) return value;
  return isStruct(value) ? value : undefined;
}
