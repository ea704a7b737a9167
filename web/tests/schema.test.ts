import {describe, expect, it} from 'vitest';
import {resolved, rulesOf, typeOf} from '../src/schema';

const all = {components: {schemas: {'a.b': {type: 'object', properties: {x: {type: 'string'}}}, tree: {type: 'array', items: {$ref: '#/components/schemas/tree'}}, ring: {$ref: '#/components/schemas/ring'}}}, paths: {'/a~b': 1}};

describe('schemas as people read them', () => {
  it('follows references, also with escaped names, and not for ever', () => {
    expect(resolved({$ref: '#/components/schemas/a.b'}, all)).toBe(all.components.schemas['a.b']);
    expect(resolved({$ref: '#/paths/~1a~0b'}, all)).toBe(1);
    expect(resolved({$ref: '#/nowhere/at/all'}, all)).toBeUndefined();
    expect(resolved({$ref: '#/components/schemas/ring'}, all)).toHaveProperty('$ref');
    expect(typeOf({$ref: '#/components/schemas/tree'}, all)).toMatch(/^(array of )+…$/);
  });
  it('says types in words', () => {
    expect(typeOf({type: 'array', items: {type: 'string', format: 'uuid'}}, all)).toBe('array of string, uuid');
    expect(typeOf({type: ['string', 'null']}, all)).toBe('string or null');
    expect(typeOf({enum: ['a', 'b'], type: 'string'}, all)).toBe('"a" or "b"');
    expect(typeOf({const: 'a'}, all)).toBe('"a"');
    expect(typeOf({type: 'object', additionalProperties: {type: 'integer'}}, all)).toBe('object, each value integer');
    expect(typeOf({}, all)).toBe('anything');
  });
  it('leaves no rule out, not even one that it does not know', () => {
    expect(rulesOf({minLength: 1, maxLength: 5})).toEqual(['1 to 5 characters']);
    expect(rulesOf({minItems: 0, maxItems: 5})).toEqual(['at most 5 items']);
    expect(rulesOf({minimum: 0})).toEqual(['at least 0']);
    expect(rulesOf({minimum: 0, maximum: 9})).toEqual(['0 to 9']);
    expect(rulesOf({minimum: 1})).toEqual(['at least 1']);
    expect(rulesOf({additionalProperties: false, pattern: '^a$', oneOf: [{type: 'string'}]})).toEqual(['no other fields', 'pattern "^a$"', 'oneOf [{"type":"string"}]']);
  });
});
